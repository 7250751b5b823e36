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
uint64_t hash_fnv1a(const void *data, size_t len);

#endif
