/*
 * hash.c - SHA-256 and SHA-1 from libcrypto; FNV-1a (64 bits) for tables.
 */
#include <openssl/evp.h>

#include "lib/base/hash.h"

static void digest_hex(const EVP_MD *kind, const void *data, size_t len, char *out, size_t out_size)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (EVP_Digest(data, len, digest, &size, kind, NULL) != 1 || size != (out_size - 1) / 2)
        BUG("libcrypto lacks a digest");
    for (unsigned i = 0; i < size; i++)
        snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
}

void sha256_hex(const void *data, size_t len, char out[SHA256_HEX_SIZE])
{
    digest_hex(EVP_sha256(), data, len, out, SHA256_HEX_SIZE);
}

void sha1_hex(const void *data, size_t len, char out[SHA1_HEX_SIZE])
{
    digest_hex(EVP_sha1(), data, len, out, SHA1_HEX_SIZE);
}

uint64_t hash_fnv1a(const void *data, size_t len)
{
    const unsigned char *p = data;
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(1099511628211);
    return hash;
}
