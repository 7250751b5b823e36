/*
 * hash.c - digests from libcrypto; FNV-1a (64 bits) for tables.
 */
#include <openssl/evp.h>

#include "lib/base/hash.h"

void hex_of(const unsigned char *data, size_t len, char *out)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = hex[data[i] >> 4];
        out[2 * i + 1] = hex[data[i] & 15];
    }
    out[2 * len] = '\0';
}

size_t digest(const char *name, const void *data, size_t len, unsigned char out[DIGEST_MAX_SIZE])
{
    static const struct {
        const char *name;
        const EVP_MD *(*get)(void);
    } kinds[] = {{"md5", EVP_md5},       {"sha1", EVP_sha1},     {"sha224", EVP_sha224},
                 {"sha256", EVP_sha256}, {"sha384", EVP_sha384}, {"sha512", EVP_sha512}};
    unsigned int size = 0;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq(kinds[i].name, name))
            return EVP_Digest(data, len, out, &size, kinds[i].get(), NULL) == 1 ? size : 0;
    return 0;
}

static void known_hex(const char *name, const void *data, size_t len, char *out, size_t out_size)
{
    unsigned char raw[DIGEST_MAX_SIZE];
    size_t size = digest(name, data, len, raw);

    if (size != (out_size - 1) / 2)
        BUG("libcrypto has no %s", name);
    hex_of(raw, size, out);
}

void sha256_hex(const void *data, size_t len, char out[SHA256_HEX_SIZE])
{
    known_hex("sha256", data, len, out, SHA256_HEX_SIZE);
}

void sha1_hex(const void *data, size_t len, char out[SHA1_HEX_SIZE])
{
    known_hex("sha1", data, len, out, SHA1_HEX_SIZE);
}

uint64_t hash_fnv1a(const void *data, size_t len)
{
    const unsigned char *p = data;
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(1099511628211);
    return hash;
}
