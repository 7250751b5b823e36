/*
 * vault.c - the sealed format, sealing and unsealing.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "lib/cluster/vault_key.h"

#define MAGIC         "pgha-vault "
#define SCRYPT_FORMAT MAGIC "1 scrypt N=%9u r=%9u p=%9u salt=%24s nonce=%16s"
#define KEY_FORMAT    MAGIC "1 key id=%8s nonce=%16s"
#define DIGITS        "0123456789"

enum {
    VERSION = 1,
    SALT_BASE64 = 24,
    NONCE_SIZE = 12,
    NONCE_BASE64 = 16,
    TAG_SIZE = 16,
    HEADER_MAX = 160, /* the first line; what is longer is none of ours */
    LINE_WIDTH = 76,
    SCRYPT_N = 32768,
    SCRYPT_R = 8,
    SCRYPT_P = 1,
};

/* The first line. */
struct header {
    enum vault_kind kind;
    struct vault_derivation derivation; /* with a passphrase */
    char id[VAULT_ID_DIGITS + 1];       /* of the key file */
    unsigned char nonce[NONCE_SIZE];
    char line[HEADER_MAX + 1]; /* as text, without newline: the additional data */
    size_t len;
};

/* --- the first line --- */

/* Fills in line and len. */
static void write_header(struct header *h)
{
    struct str line, salt, nonce;

    str_init(&line, HEADER_MAX);
    str_init(&salt, SALT_BASE64);
    str_init(&nonce, NONCE_BASE64);
    str_put_base64(&salt, h->derivation.salt, VAULT_SALT_SIZE);
    str_put_base64(&nonce, h->nonce, NONCE_SIZE);
    if (h->kind == VAULT_PASSPHRASE)
        str_printf(&line, MAGIC "%d scrypt N=%u r=%u p=%u salt=%s nonce=%s", VERSION,
                   h->derivation.n, h->derivation.r, h->derivation.p, salt.buf, nonce.buf);
    else
        str_printf(&line, MAGIC "%d key id=%s nonce=%s", VERSION, h->id, nonce.buf);
    h->len = line.len;
    memcpy(h->line, line.buf, line.len + 1);
    str_release(&line);
    str_release(&salt);
    str_release(&nonce);
}

static int start_header(const struct vault_material *m, struct header *h, struct err *err)
{
    *h = (struct header){.kind = m->kind,
                         .derivation = {.n = SCRYPT_N, .r = SCRYPT_R, .p = SCRYPT_P}};
    memcpy(h->id, m->id, sizeof(h->id));
    if (RAND_bytes(h->nonce, sizeof(h->nonce)) != 1 ||
        RAND_bytes(h->derivation.salt, sizeof(h->derivation.salt)) != 1)
        return vault_crypto_failed(err, "random bytes");
    write_header(h);
    return 0;
}

static int refuse(struct err *err, const char *what)
{
    err_set(err, ERR_INPUT, "%s", what);
    return err_hint(err, "restore the file from a backup; only pgha-deploy writes it");
}

static bool decode_exactly(const char *base64, unsigned char *out, size_t size)
{
    struct str bytes;
    bool ok;

    str_init(&bytes, size);
    ok = str_put_unbase64(&bytes, base64, strlen(base64)) == 0 && !bytes.full && bytes.len == size;
    if (ok)
        memcpy(out, bytes.buf, size);
    str_release(&bytes);
    return ok;
}

/* sscanf() is generous with space, signs and what follows: that the line is what write_header()
 * would make of it is asked afterwards. */
static bool parse_fields(const char *line, struct header *h)
{
    char salt[SALT_BASE64 + 1] = "", nonce[NONCE_BASE64 + 1] = "";
    struct vault_derivation *d = &h->derivation;

    if (sscanf(line, SCRYPT_FORMAT, &d->n, &d->r, &d->p, salt, nonce) == 5)
        h->kind = VAULT_PASSPHRASE;
    else if (sscanf(line, KEY_FORMAT, h->id, nonce) == 2)
        h->kind = VAULT_KEY_FILE;
    else
        return false;
    if (h->kind == VAULT_KEY_FILE && strspn(h->id, DIGITS "abcdef") != VAULT_ID_DIGITS)
        return false;
    return decode_exactly(nonce, h->nonce, NONCE_SIZE) &&
           (h->kind == VAULT_KEY_FILE || decode_exactly(salt, d->salt, VAULT_SALT_SIZE));
}

/* RFC 7914, 2: N is a power of two, above 1, below 2^(128 * r / 8). */
static bool is_affordable(const struct vault_derivation *d)
{
    return d->n > 1 && (d->n & (d->n - 1)) == 0 && d->r >= 1 && d->r <= VAULT_R_MAX && d->p >= 1 &&
           d->p <= VAULT_P_MAX && (d->r > 1 || d->n < 65536) &&
           (uint64_t)128 * d->n * d->r <= VAULT_SCRYPT_MEMORY_MAX;
}

static int check_version(const char *line, struct err *err)
{
    const char *digits = line + strlen(MAGIC);

    if (digits[0] == '\0')
        return refuse(err, "cut off in its first line");
    if (digits[0] < '1' || digits[0] > '9')
        return refuse(err, "the first line is damaged");
    if (strspn(digits, DIGITS) == 1 && digits[0] == '0' + VERSION)
        return 0;
    err_set(err, ERR_INPUT, "sealed in a newer format (%.*s, known is %d)",
            (int)strspn(digits, DIGITS), digits, VERSION);
    return err_hint(err, "update pgha-deploy to the version that sealed it");
}

static int read_header(const char *text, size_t len, struct header *h, struct err *err)
{
    char line[HEADER_MAX + 1];
    size_t size = len < HEADER_MAX ? len : HEADER_MAX;

    *h = (struct header){0};
    if (!vault_is_sealed(text, len)) {
        err_set(err, ERR_INPUT, "not a vault file");
        return err_hint(err, "a vault file begins with \"%s\"", MAGIC);
    }
    memcpy(line, text, size);
    line[size] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (check_version(line, err) < 0)
        return -1;
    if (strlen(line) == len)
        return refuse(err, "cut off in its first line");
    if (!parse_fields(line, h))
        return refuse(err, "the first line is damaged");
    write_header(h);
    if (!str_eq(h->line, line) || text[h->len] != '\n')
        return refuse(err, "the first line is damaged");
    if (h->kind == VAULT_KEY_FILE || is_affordable(&h->derivation))
        return 0;
    err_set(err, ERR_INPUT, "scrypt with N=%u r=%u p=%u is beyond the limits", h->derivation.n,
            h->derivation.r, h->derivation.p);
    return err_hint(err, "the file was manipulated: restore it from a backup");
}

/* --- the lines below --- */

static void write_body(const void *bytes, size_t len, struct str *out)
{
    struct str base64;

    str_init(&base64, VAULT_TEXT_MAX);
    str_put_base64(&base64, bytes, len);
    for (size_t at = 0; at < base64.len; at += LINE_WIDTH) {
        size_t left = base64.len - at;

        str_add(out, base64.buf + at, left < LINE_WIDTH ? left : LINE_WIDTH);
        str_putc(out, '\n');
    }
    str_release(&base64);
}

/* bytes: at most what can have been sealed. */
static int read_body(const char *text, size_t len, struct str *bytes, struct err *err)
{
    struct str again;
    bool same;

    if (len == 0 || text[len - 1] != '\n')
        return refuse(err, "cut off: the end is missing");
    if (str_put_unbase64(bytes, text, len) < 0)
        return refuse(err, "damaged: not base64");
    if (bytes->full)
        return refuse(err, "larger than anything that is sealed");
    str_init(&again, VAULT_TEXT_MAX);
    write_body(bytes->buf, bytes->len, &again);
    same = again.len == len && memcmp(again.buf, text, len) == 0;
    str_release(&again);
    if (!same)
        return refuse(err, "damaged: not base64 in lines of 76");
    if (bytes->len < TAG_SIZE)
        return refuse(err, "cut off: too short");
    return 0;
}

/* --- the cipher --- */

/* out: room for len bytes and the tag. */
static int encrypt(const unsigned char key[VAULT_KEY_SIZE], const struct header *h,
                   const char *plain, size_t len, unsigned char *out, struct err *err)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int rc = 0, n;

    if (!context || EVP_EncryptInit_ex2(context, EVP_aes_256_gcm(), key, h->nonce, NULL) != 1 ||
        EVP_EncryptUpdate(context, NULL, &n, (const unsigned char *)h->line, (int)h->len) != 1 ||
        EVP_EncryptUpdate(context, out, &n, (const unsigned char *)plain, (int)len) != 1 ||
        EVP_EncryptFinal_ex(context, out + len, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, out + len) != 1)
        rc = vault_crypto_failed(err, "AES-256-GCM");
    EVP_CIPHER_CTX_free(context);
    return rc;
}

/* sealed: with its tag; out: room for what is before it. *genuine: the tag is right. */
static int decrypt(const unsigned char key[VAULT_KEY_SIZE], const struct header *h,
                   struct str *sealed, unsigned char *out, bool *genuine, struct err *err)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    const unsigned char *line = (const unsigned char *)h->line;
    unsigned char *in = (unsigned char *)sealed->buf;
    int len = (int)(sealed->len - TAG_SIZE), rc = 0, n;

    if (!context || EVP_DecryptInit_ex2(context, EVP_aes_256_gcm(), key, h->nonce, NULL) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, in + len) != 1 ||
        EVP_DecryptUpdate(context, NULL, &n, line, (int)h->len) != 1 ||
        EVP_DecryptUpdate(context, out, &n, in, len) != 1)
        rc = vault_crypto_failed(err, "AES-256-GCM");
    else
        *genuine = EVP_DecryptFinal_ex(context, out + len, &n) == 1;
    EVP_CIPHER_CTX_free(context);
    return rc;
}

/* --- sealing --- */

bool vault_is_sealed(const char *text, size_t len)
{
    return len >= strlen(MAGIC) && memcmp(text, MAGIC, strlen(MAGIC)) == 0;
}

void vault_wipe(struct str *plain)
{
    if (plain->cap)
        OPENSSL_cleanse(plain->buf, plain->cap);
    str_release(plain);
}

/* All of it or nothing. */
static int add_whole(struct str *out, const char *data, size_t len, struct err *err)
{
    str_add(out, data, len);
    return out->full ? err_set(err, ERR_FAILED, "larger than %zu bytes", out->max) : 0;
}

int vault_seal(const struct vault_key *key, const char *plain, size_t len, struct str *out,
               struct err *err)
{
    unsigned char aes_key[VAULT_KEY_SIZE], *sealed = NULL;
    struct header h;
    struct str text;
    int rc = -1;

    str_init(&text, VAULT_TEXT_MAX);
    if (len > VAULT_PLAIN_MAX) {
        err_set(err, ERR_INPUT, "larger than the %zu bytes that can be sealed", VAULT_PLAIN_MAX);
        goto out;
    }
    sealed = xmalloc(len + TAG_SIZE);
    if (start_header(key->material, &h, err) < 0 ||
        vault_find_key(key->material, &h.derivation, aes_key, err) < 0 ||
        encrypt(aes_key, &h, plain, len, sealed, err) < 0)
        goto out;
    str_add(&text, h.line, h.len);
    str_putc(&text, '\n');
    write_body(sealed, len + TAG_SIZE, &text);
    rc = add_whole(out, text.buf, text.len, err);
out:
    OPENSSL_cleanse(aes_key, sizeof(aes_key));
    free(sealed);
    str_release(&text);
    return rc;
}

/* The key is of the kind, and the one, that the header asks for. */
static int check_key(const struct vault_material *m, const struct header *h, struct err *err)
{
    if (m->kind == VAULT_KEY_FILE && h->kind == VAULT_PASSPHRASE) {
        err_set(err, ERR_DENIED, "sealed with a passphrase, but there is only the key file %s",
                m->source);
        return err_hint(err, "give the passphrase: %s FILE, or %s", VAULT_PASSWORD_OPTION,
                        VAULT_PASSWORD_VARIABLE);
    }
    if (m->kind == VAULT_PASSPHRASE && h->kind == VAULT_KEY_FILE) {
        err_set(err, ERR_DENIED, "sealed with the key file %s, but a passphrase is given (%s)",
                h->id, m->source);
        return err_hint(err, "leave out %s and unset %s: then the key file is used",
                        VAULT_PASSWORD_OPTION, VAULT_PASSWORD_VARIABLE);
    }
    if (m->kind == VAULT_KEY_FILE && !str_eq(m->id, h->id)) {
        err_set(err, ERR_DENIED, "sealed with the key file %s, but %s is %s", h->id, m->source,
                m->id);
        return err_hint(err, "put the key file %s there instead, and keep the other one", h->id);
    }
    return 0;
}

/* A wrong passphrase and an altered file look the same. A key file's id tells them apart. */
static int not_genuine(const struct vault_material *m, struct err *err)
{
    if (m->kind == VAULT_KEY_FILE)
        return refuse(err, "altered or cut off since it was sealed");
    err_set(err, ERR_DENIED, "wrong passphrase (%s), or the file was altered or cut off",
            m->source);
    return err_hint(err, "check the passphrase; when it is right, restore the file from a backup");
}

int vault_unseal(const struct vault_key *key, const char *text, size_t len, struct str *plain,
                 struct err *err)
{
    unsigned char aes_key[VAULT_KEY_SIZE];
    struct header h;
    struct str sealed;
    char *opened = NULL;
    bool genuine = false;
    int rc = -1;

    str_init(&sealed, VAULT_PLAIN_MAX + TAG_SIZE);
    if (read_header(text, len, &h, err) < 0 || check_key(key->material, &h, err) < 0 ||
        read_body(text + h.len + 1, len - h.len - 1, &sealed, err) < 0)
        goto out;
    opened = xmalloc(sealed.len);
    if (vault_find_key(key->material, &h.derivation, aes_key, err) < 0 ||
        decrypt(aes_key, &h, &sealed, (unsigned char *)opened, &genuine, err) < 0)
        goto out;
    rc = genuine ? add_whole(plain, opened, sealed.len - TAG_SIZE, err)
                 : not_genuine(key->material, err);
out:
    OPENSSL_cleanse(aes_key, sizeof(aes_key));
    vault_wipe_free(opened, sealed.len);
    str_release(&sealed);
    return rc;
}
