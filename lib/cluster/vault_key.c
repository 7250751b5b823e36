/*
 * vault_key.c - where the vault's key comes from: a password file, the environment, a key file.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/cluster/vault_key.h"

#define HKDF_INFO "pgha-vault 1 key"
#define KEY_COMMENT                                                                                \
    "# pgha-deploy: the key that seals the secrets of your clusters. Keep it private, and keep a " \
    "copy.\n"
#define SCRYPT_SLACK ((uint64_t)1 << 20) /* libcrypto counts its small buffers too */

enum { KEY_DIGITS = 2 * VAULT_KEY_SIZE, PRIVATE_FILE_MAX = 4096, USER_ENTRY_MAX = 16384 };

/* A small file that only its owner can read. */
struct private_text {
    char buf[PRIVATE_FILE_MAX];
    size_t len;
};

int vault_crypto_failed(struct err *err, const char *what)
{
    char reason[256];

    ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
    ERR_clear_error();
    return err_set(err, ERR_FAILED, "libcrypto: %s: %s", what, reason);
}

void vault_wipe_free(void *secret, size_t len)
{
    if (secret)
        OPENSSL_cleanse(secret, len);
    free(secret);
}

/* --- files --- */

/* The descriptor, or -1. */
static int open_private(const char *path, int flags, struct stat *st, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);

    if (fd < 0 || fstat(fd, st) != 0) {
        err_set_errno(err, "%s", path);
    } else if (st->st_mode & (S_IRWXG | S_IRWXO)) {
        err_set(err, ERR_DENIED, "%s: open to other users (mode %04o)", path,
                (unsigned)st->st_mode & 07777);
        err_hint(err, "chmod 600 %s", path);
    } else {
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static int read_private(int fd, const char *path, struct private_text *text, struct err *err)
{
    ssize_t got = 1;

    text->len = 0;
    while (got != 0 && text->len < sizeof(text->buf)) {
        got = read(fd, text->buf + text->len, sizeof(text->buf) - text->len);
        if (got > 0)
            text->len += (size_t)got;
        else if (got < 0 && errno != EINTR)
            return err_set_errno(err, "%s", path);
    }
    if (got == 0)
        return 0;
    return err_set(err, ERR_INPUT, "%s: larger than %zu bytes", path, sizeof(text->buf) - 1);
}

/* --- a passphrase --- */

/*
 * Control characters are refused: a carriage return from another system's editor would be part of
 * the passphrase unseen, and the first "line" of a binary file may be two bytes long.
 */
static int take_passphrase(struct vault_key *key, const char *text, size_t len, const char *source,
                           struct err *err)
{
    struct vault_material *m = key->material;

    if (len == 0) {
        err_set(err, ERR_INPUT, "%s: the passphrase is empty", source);
        return err_hint(err, "give one, or leave %s and %s out to use the key file",
                        VAULT_PASSWORD_OPTION, VAULT_PASSWORD_VARIABLE);
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            err_set(err, ERR_INPUT, "%s: a control character in the passphrase", source);
            return err_hint(err, "a passphrase is one line of text, without carriage return or "
                                 "binary data");
        }
    }
    m->kind = VAULT_PASSPHRASE;
    m->source = xstrdup(source);
    m->passphrase = xmalloc(len);
    memcpy(m->passphrase, text, len);
    m->passphrase_len = len;
    return 0;
}

static int take_password_file(struct vault_key *key, const char *path, struct err *err)
{
    struct private_text text;
    const char *newline;
    struct stat st;
    int fd, rc;

    if (str_eq(path, "-")) {
        err_set(err, ERR_USAGE, "%s -: standard input is not read", VAULT_PASSWORD_OPTION);
        return err_hint(err, "name a file, or set %s", VAULT_PASSWORD_VARIABLE);
    }
    fd = open_private(path, 0, &st, err);
    if (fd < 0)
        return err_wrap(err, "reading the passphrase");
    rc = read_private(fd, path, &text, err);
    close(fd);
    if (rc == 0) {
        newline = memchr(text.buf, '\n', text.len);
        rc = take_passphrase(key, text.buf, newline ? (size_t)(newline - text.buf) : text.len, path,
                             err);
    }
    OPENSSL_cleanse(&text, sizeof(text));
    return rc < 0 ? err_wrap(err, "reading the passphrase") : 0;
}

/* --- a key file --- */

/* A random key in the file's format. */
static int make_key_text(char *text, size_t size, struct err *err)
{
    unsigned char secret[VAULT_KEY_SIZE];
    char digits[KEY_DIGITS + 1];
    int rc = 0;

    if (RAND_bytes(secret, sizeof(secret)) == 1 &&
        OPENSSL_buf2hexstr_ex(digits, sizeof(digits), NULL, secret, sizeof(secret), '\0') == 1)
        snprintf(text, size, KEY_COMMENT "%s\n", digits);
    else
        rc = vault_crypto_failed(err, "a random key");
    OPENSSL_cleanse(secret, sizeof(secret));
    OPENSSL_cleanse(digits, sizeof(digits));
    return rc;
}

static int make_key_file(const char *folder, const char *path, struct err *err)
{
    char text[PRIVATE_FILE_MAX];
    int rc = file_mkdirs(folder, 0700, err);

    if (rc == 0)
        rc = make_key_text(text, sizeof(text), err);
    if (rc == 0) { /* another run may be quicker: then its key is the one */
        file_sweep(folder);
        rc = file_write_new(path, text, strlen(text), 0600, err);
    }
    OPENSSL_cleanse(text, sizeof(text));
    return rc < 0 ? err_wrap(err, "making the key file") : 0;
}

/* HKDF-SHA256 without salt: see vault.h. */
static int derive_from_secret(unsigned char secret[VAULT_KEY_SIZE],
                              unsigned char out[VAULT_KEY_SIZE], struct err *err)
{
    char digest[] = "SHA256", info[] = HKDF_INFO;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret, VAULT_KEY_SIZE),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof(info) - 1),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    int rc = 0;

    if (!context || EVP_KDF_derive(context, out, VAULT_KEY_SIZE, params) != 1)
        rc = vault_crypto_failed(err, "HKDF-SHA256");
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return rc;
}

/* Comment lines, then one line of 64 hexadecimal digits, then nothing. */
static bool parse_key_text(const struct private_text *text, unsigned char secret[VAULT_KEY_SIZE])
{
    const char *at = text->buf, *end = text->buf + text->len;
    char digits[KEY_DIGITS + 1];
    size_t size;
    bool ok;

    while (at < end && *at == '#') {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at)
            return false;
        at++;
    }
    if (end - at != KEY_DIGITS + 1 || end[-1] != '\n')
        return false;
    memcpy(digits, at, KEY_DIGITS);
    digits[KEY_DIGITS] = '\0';
    ok = OPENSSL_hexstr2buf_ex(secret, VAULT_KEY_SIZE, &size, digits, '\0') == 1 &&
         size == VAULT_KEY_SIZE;
    OPENSSL_cleanse(digits, sizeof(digits));
    ERR_clear_error();
    return ok;
}

static int take_secret(struct vault_material *m, const struct private_text *text, const char *path,
                       struct err *err)
{
    unsigned char secret[VAULT_KEY_SIZE];
    char digest[SHA256_HEX_SIZE];
    int rc = -1;

    if (!parse_key_text(text, secret)) {
        err_set(err, ERR_INPUT, "%s: not a key file, or cut off", path);
        err_hint(err, "put back a copy of it, or move it away if it has sealed nothing yet");
    } else {
        sha256_hex(secret, sizeof(secret), digest);
        memcpy(m->id, digest, VAULT_ID_DIGITS);
        m->kind = VAULT_KEY_FILE;
        m->source = xstrdup(path);
        rc = derive_from_secret(secret, m->aes_key, err);
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    return rc;
}

static int read_key_file(struct vault_material *m, const char *path, struct err *err)
{
    struct private_text text;
    struct stat st;
    int fd = open_private(path, O_NONBLOCK, &st, err); /* nor wait for a pipe's other end */
    int rc = -1;

    if (fd < 0)
        return -1;
    if (!S_ISREG(st.st_mode)) {
        err_set(err, ERR_INPUT, "%s: not a regular file", path);
    } else if (st.st_uid != geteuid()) {
        err_set(err, ERR_DENIED, "%s: belongs to another user (uid %u)", path, (unsigned)st.st_uid);
        err_hint(err, "run as that user, or give %s or %s", VAULT_PASSWORD_OPTION,
                 VAULT_PASSWORD_VARIABLE);
    } else if (read_private(fd, path, &text, err) == 0) {
        rc = take_secret(m, &text, path, err);
    }
    OPENSSL_cleanse(&text, sizeof(text));
    close(fd);
    return rc;
}

/* Neither a passphrase nor a key file; why: what is missing. */
static int no_key(struct err *err, const char *why)
{
    err_set(err, ERR_DENIED, "no passphrase given, and %s", why);
    return err_hint(err, "give %s FILE or set %s, or put the key file back", VAULT_PASSWORD_OPTION,
                    VAULT_PASSWORD_VARIABLE);
}

static int take_key_file(struct vault_key *key, const char *folder, bool create, struct err *err)
{
    char *path, *why;
    struct stat st;
    int rc = 0;

    if (!folder)
        return no_key(err, "no home folder is known that could hold a key file");
    path = path_join(folder, "key");
    why = xasprintf("there is no key file %s", path);
    if (lstat(path, &st) != 0 && errno == ENOENT) {
        key->made = true;
        rc = create ? make_key_file(folder, path, err) : no_key(err, why);
    }
    if (rc == 0 && read_key_file(key->material, path, err) < 0)
        rc = err_wrap(err, "reading the key file");
    free(why);
    free(path);
    return rc;
}

/* --- keys --- */

int vault_key_open(const struct vault_source *source, bool create, struct vault_key *key,
                   struct err *err)
{
    int rc;

    *key = (struct vault_key)VAULT_KEY_INIT;
    key->material = xcalloc(1, sizeof(*key->material));
    pthread_mutex_init(&key->material->lock, NULL);
    if (source->password_file)
        rc = take_password_file(key, source->password_file, err);
    else if (source->passphrase)
        rc = take_passphrase(key, source->passphrase, strlen(source->passphrase),
                             VAULT_PASSWORD_VARIABLE, err);
    else
        rc = take_key_file(key, source->config_folder, create, err);
    if (rc < 0)
        vault_key_release(key);
    else
        key->source = key->material->source;
    return rc;
}

void vault_key_release(struct vault_key *key)
{
    struct vault_material *m = key->material;

    if (m) {
        pthread_mutex_destroy(&m->lock);
        vault_wipe_free(m->passphrase, m->passphrase_len);
        free(m->source);
        vault_wipe_free(m, sizeof(*m));
    }
    *key = (struct vault_key)VAULT_KEY_INIT;
}

static bool same_derivation(const struct vault_derivation *a, const struct vault_derivation *b)
{
    return a->n == b->n && a->r == b->r && a->p == b->p &&
           memcmp(a->salt, b->salt, sizeof(a->salt)) == 0;
}

/* Deriving holds the lock: others that want the same key wait for it instead of making it again,
 * and there is one scrypt's memory at a time. */
int vault_find_key(struct vault_material *m, const struct vault_derivation *d,
                   unsigned char out[VAULT_KEY_SIZE], struct err *err)
{
    const uint64_t memory = VAULT_SCRYPT_MEMORY_MAX + SCRYPT_SLACK;
    int rc = 0;

    pthread_mutex_lock(&m->lock);
    if (m->kind == VAULT_PASSPHRASE && !(m->derived && same_derivation(&m->derivation, d))) {
        m->derived = EVP_PBE_scrypt(m->passphrase, m->passphrase_len, d->salt, sizeof(d->salt),
                                    d->n, d->r, d->p, memory, m->aes_key, VAULT_KEY_SIZE) == 1;
        m->derivation = *d;
        if (!m->derived)
            rc = vault_crypto_failed(err, "scrypt");
    }
    if (rc == 0)
        memcpy(out, m->aes_key, VAULT_KEY_SIZE);
    pthread_mutex_unlock(&m->lock);
    return rc;
}

/* --- the folder --- */

/* Of the user database; NULL when this user is not in it. Caller frees. The size of the buffer that
 * sysconf(_SC_GETPW_R_SIZE_MAX) tells would be a guess too. */
static char *home_of_user(void)
{
    struct passwd entry, *found = NULL;
    char *buf = xmalloc(USER_ENTRY_MAX);
    char *home = NULL;

    if (getpwuid_r(geteuid(), &entry, buf, USER_ENTRY_MAX, &found) == 0 && found && *found->pw_dir)
        home = xstrdup(found->pw_dir);
    free(buf);
    return home;
}

char *vault_config_folder(void)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *of_user, *folder;

    if (config && config[0] == '/')
        return path_join(config, "pgha-deploy");
    if (home && *home)
        return path_join(home, ".config/pgha-deploy");
    of_user = home_of_user();
    folder = of_user ? path_join(of_user, ".config/pgha-deploy") : NULL;
    free(of_user);
    return folder;
}
