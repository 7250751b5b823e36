/*
 * hash.c - SHA-256 from libcrypto; FNV-1a (64 bits) for tables.
 */
#include <openssl/evp.h>

#include "lib/base/hash.h"

void sha256_hex(const void *data, size_t len, char out[SHA256_HEX_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;

    if (EVP_Digest(data, len, digest, &size, EVP_sha256(), NULL) != 1 ||
        size != (SHA256_HEX_SIZE - 1) / 2)
        BUG("libcrypto has no SHA-256");
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 15];
    }
    out[SHA256_HEX_SIZE - 1] = '\0';
}

uint64_t hash_fnv1a(const void *data, size_t len)
{
    const unsigned char *p = data;
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(1099511628211);
    return hash;
}
