/*
 * vault_key.h - what a vault's key is made of: between vault_key.c, which finds it, and vault.c.
 */
#ifndef PGHA_VAULT_KEY_H
#define PGHA_VAULT_KEY_H

#include <pthread.h>

#include "lib/cluster/vault.h"

enum {
    VAULT_KEY_SIZE = 32, /* of AES-256, and of the secret in a key file */
    VAULT_SALT_SIZE = 16,
    VAULT_ID_DIGITS = 8,
    VAULT_R_MAX = 32, /* limits of scrypt; N by its memory */
    VAULT_P_MAX = 4,
};
#define VAULT_SCRYPT_MEMORY_MAX ((uint64_t)64 << 20) /* of 128 * N * r */

enum vault_kind { VAULT_PASSPHRASE, VAULT_KEY_FILE };

/* What scrypt makes a key of a passphrase with. */
struct vault_derivation {
    unsigned n, r, p;
    unsigned char salt[VAULT_SALT_SIZE];
};

struct vault_material {
    enum vault_kind kind;
    char *source;
    char *passphrase;
    size_t passphrase_len;
    char id[VAULT_ID_DIGITS + 1]; /* of a key file */
    pthread_mutex_t lock; /* of what is below, with a passphrase; a key file's is derived at once */
    bool derived;
    struct vault_derivation derivation;
    unsigned char aes_key[VAULT_KEY_SIZE];
};

/* The AES key for a sealed text; d (within the limits) matters with a passphrase alone, and the
 * last one is remembered. Caller cleanses out. */
int vault_find_key(struct vault_material *m, const struct vault_derivation *d,
                   unsigned char out[VAULT_KEY_SIZE], struct err *err) MUST_USE;
int vault_crypto_failed(struct err *err, const char *what); /* with libcrypto's reason; -1 */
void vault_wipe_free(void *secret, size_t len);             /* NULL is fine */

#endif
