/*
 * vault.h - secrets at rest: text sealed with a passphrase or with a key file, AES-256-GCM.
 *
 * The format, version 1. Bytes, lines end in "\n", nothing else is read:
 *
 *     pgha-vault 1 scrypt N=32768 r=8 p=1 salt=<base64> nonce=<base64>
 *     pgha-vault 1 key id=<8 hex digits> nonce=<base64>
 *
 * is the first line: one of the two. Then base64 of the cipher text and its 16 byte tag, in lines
 * of 76 characters, the last one of what is left. Only what vault_seal writes is accepted: the same
 * fields in the same order, one space, no spare bits in base64. So no bit of a file can change
 * unnoticed.
 *
 * - cipher: AES-256-GCM (NIST SP 800-38D), nonce 12 bytes; the first line without its "\n" is the
 *   additional data, so whoever alters it is found out.
 * - scrypt (RFC 7914): the AES key is 32 bytes from the passphrase and the salt of 16 bytes. N, r
 *   and p are read from the line within limits (N a power of two, 128*N*r at most 64 MiB, r at most
 *   32, p at most 4), so a manipulated file costs neither memory nor minutes; sealing always uses
 *   the numbers above, so it cannot weaken the next file either.
 * - key: id is the beginning of SHA-256 of the key file's 32 bytes. The AES key is HKDF-SHA256 (RFC
 *   5869) of them, without salt (they are random already), info "pgha-vault 1 key". Not the bytes
 *   themselves: what is published about them (the id) and what a later version makes of them then
 *   tells nothing about this AES key.
 *
 * Nonce and salt are new at every seal. Under one key file nonces are random; 2^32 seals are the
 * limit of SP 800-38D, 8.3, and a cluster seals when its secrets change, not at every run.
 *
 * Errors say what is wrong, the caller adds where (err_wrap). ERR_DENIED: the key is another one,
 * or missing, or open to others. ERR_INPUT: not sealed, damaged, by a newer version.
 */
#ifndef PGHA_VAULT_H
#define PGHA_VAULT_H

#include "lib/base/err.h"
#include "lib/base/str.h"

#define VAULT_PLAIN_MAX ((size_t)4 << 20) /* bytes that can be sealed */
#define VAULT_TEXT_MAX  ((size_t)6 << 20) /* no sealed text is larger: a maximum for file_read */

#define VAULT_PASSWORD_OPTION   "--vault-password-file" /* as errors and hints name them */
#define VAULT_PASSWORD_VARIABLE "PGHA_VAULT_PASSWORD"

/* Where the key comes from: the first that is not NULL. Strings of the caller. */
struct vault_source {
    const char *password_file; /* its first line is the passphrase; mode 0600 or less. May be a pipe
                                  such as bash's <(...); "-" is refused */
    const char *passphrase;    /* value of VAULT_PASSWORD_VARIABLE; empty is an error */
    const char *config_folder; /* holds the key file "key"; see vault_config_folder() */
};

struct vault_material;

/* Any number of threads may seal and unseal with one key. */
struct vault_key {
    const char *source; /* for people: the password file, the variable, or the key file; NULL: no
                           key. Owned by the key */
    bool made;          /* the key file is new: without a copy of it sealed secrets can be lost */
    struct vault_material *material; /* vault_key.h */
};

#define VAULT_KEY_INIT                                                                             \
    {                                                                                              \
        NULL, false, NULL                                                                          \
    }

/*
 * create: a key file that is missing is made, 0600 in a folder 0700, and read back; of two runs at
 * once both get the same. Give it when there is nothing sealed yet: a new key opens no old file.
 * A key file is never overwritten. It is refused when it belongs to another user (also behind a
 * symbolic link), when others can read it, when it is not what was written. After -1 *key is empty.
 */
int vault_key_open(const struct vault_source *source, bool create, struct vault_key *key,
                   struct err *err) MUST_USE;
void vault_key_release(struct vault_key *key); /* cleanses; to VAULT_KEY_INIT */

/*
 * Both append; on error they add nothing. Deriving a key from a passphrase takes 50 to 100 ms and
 * 32 MiB: once for each salt, as the key remembers the last one. So a run that changes no secret
 * pays once, whatever it unseals again; a seal pays, since its salt is new, and what it sealed can
 * be unsealed free of charge.
 *
 * plain of vault_unseal: empty before, so that no copy stays behind when it grows; vault_wipe
 * after.
 */
int vault_seal(const struct vault_key *key, const char *plain, size_t len, struct str *out,
               struct err *err) MUST_USE;
int vault_unseal(const struct vault_key *key, const char *text, size_t len, struct str *plain,
                 struct err *err) MUST_USE;
bool vault_is_sealed(const char *text, size_t len); /* begins as any version does */
void vault_wipe(struct str *plain);                 /* cleanses, then str_release */

/* $XDG_CONFIG_HOME/pgha-deploy, else $HOME/.config/pgha-deploy, else below the home folder in the
 * user database; NULL when that has none. Not made. XDG_CONFIG_HOME that is no absolute path is
 * ignored (XDG Base Directory Specification). Caller frees. */
char *vault_config_folder(void);

#endif
