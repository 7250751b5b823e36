/*
 * hash.h - digests (libcrypto).
 */
#ifndef PGHA_HASH_H
#define PGHA_HASH_H

#include "lib/base/base.h"

#define SHA256_HEX_SIZE 65
#define SHA1_HEX_SIZE   41
void sha256_hex(const void *data, size_t len, char out[SHA256_HEX_SIZE]);
void sha1_hex(const void *data, size_t len, char out[SHA1_HEX_SIZE]); /* as Ansible sums files */

#define DIGEST_MAX_SIZE 64
/* name: md5, sha1, sha224, sha256, sha384 or sha512. The digest's size; 0: there is no such. */
size_t digest(const char *name, const void *data, size_t len, unsigned char out[DIGEST_MAX_SIZE]);
/* Twice as many digits, and a NUL. */
void hex_of(const unsigned char *data, size_t len, char *out);
uint64_t hash_fnv1a(const void *data, size_t len);

#endif
