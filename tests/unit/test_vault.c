/*
 * test_vault.c - sealing and unsealing, the documented format read without vault.c, every way in
 * which a file, a passphrase or a key file can be wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/proc.h"
#include "lib/cluster/vault.h"

#define PASSPHRASE "correct horse"
#define DIGITS     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define ID         "630dcd29" /* printf of those bytes | sha256sum | head -c 8 */
#define OTHER_ID   "66687aad" /* of 32 zero bytes */
#define SALT       "AAECAwQFBgcICQoLDA0ODw=="
#define NONCE      "ZGVmZ2hpamtsbW5v"
#define PLAIN      "{\"superuser\": \"known answer, long enough for more than a line of base64\"}\n"

/* Python's cryptography made these from the description in vault.h: the passphrase and the key
 * above, salt 00 01 02 .. 0f, nonce 64 65 .. 6f. */
#define VECTOR_KEY                                                                                 \
    "pgha-vault 1 key id=" ID " nonce=" NONCE "\n"                                                 \
    "cuGUU/uOdYwluDugE9PPOj4xf4+iEEVJdq5TyuNXM1Ta+SG/jCyP4LAMO0+DSAv3sV4x+dWqzhOK\n"               \
    "CCe43orSI7ruHWGy6pszaGyJNxS/H60Bqp8VjIu8NtnI\n"
#define VECTOR_SCRYPT                                                                              \
    "pgha-vault 1 scrypt N=32768 r=8 p=1 salt=" SALT " nonce=" NONCE "\n"                          \
    "7dE/9JD/aPXvOGtFmY491Ms5ggKEk+KXs8mAZu7gJrgqqhwRSsDf87Pzo3f2GvE0TO/EiwaYxUPI\n"               \
    "UBozwxWp0Uz4MMgVf/vQtHx8nlsZFFxB3fwF5b97loc8\n"
#define VECTOR_CHEAP /* N=16: for what is done a thousand times; the plain text is empty */        \
    "pgha-vault 1 scrypt N=16 r=1 p=1 salt=" SALT " nonce=" NONCE "\n"                             \
    "Su3bWF7891yq6iFwU/VG7Q==\n"
#define VECTOR_SALT /* the same with another salt: 01 .. 10 */                                     \
    "pgha-vault 1 scrypt N=16 r=1 p=1 salt=AQIDBAUGBwgJCgsMDQ4PEA== nonce=" NONCE "\n"             \
    "pexrju7O/aZs3KeSSTx/2Q==\n"

static char folder[] = "/tmp/pgha-test-vault-XXXXXX";

static char *in_folder(const char *name)
{
    return path_join(folder, name);
}

static int make_folder(void **state)
{
    UNUSED(state);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    struct err err = ERR_INIT;
    int rc = file_remove_tree(folder, &err);

    UNUSED(state);
    if (rc < 0)
        print_error("%s\n", err.text);
    err_release(&err);
    return rc;
}

/* This code, and this part in its text or hint; then it is released. */
static void assert_err(struct err *err, enum err_code code, const char *part)
{
    const char *text = err->text ? err->text : "no error", *hint = err->hint ? err->hint : "";

    if (err->code != code || (!strstr(text, part) && !strstr(hint, part)))
        fail_msg("wanted %d, \"%s\"; got %d, \"%s\" -> \"%s\"", (int)code, part, (int)err->code,
                 text, hint);
    err_release(err);
}

static void put_file(const char *path, const char *text, size_t len, mode_t mode)
{
    struct err err = ERR_INIT;

    assert_int_equal(file_write(path, text, len, mode, &err), 0);
}

static struct vault_key open_source(const struct vault_source *source, bool create)
{
    struct vault_key key;
    struct err err = ERR_INIT;

    if (vault_key_open(source, create, &key, &err) < 0)
        fail_msg("%s", err.text);
    assert_non_null(key.source);
    return key;
}

static struct vault_key with_passphrase(const char *passphrase)
{
    struct vault_source source = {.passphrase = passphrase};

    return open_source(&source, false);
}

/* A key file of this text in a folder of its own. */
static struct vault_key with_key_text(const char *text)
{
    char *config = in_folder("keys"), *path = path_join(config, "key");
    struct vault_source source = {.config_folder = config};
    struct vault_key key;
    struct err err = ERR_INIT;

    assert_int_equal(file_mkdirs(config, 0700, &err), 0);
    put_file(path, text, strlen(text), 0600);
    key = open_source(&source, false);
    free(path);
    free(config);
    return key;
}

static struct vault_key with_key_file(void)
{
    return with_key_text("# a key\n" DIGITS "\n");
}

static void refuse_source(const struct vault_source *source, bool create, enum err_code code,
                          const char *part)
{
    struct vault_key key;
    struct err err = ERR_INIT;

    assert_int_equal(vault_key_open(source, create, &key, &err), -1);
    assert_null(key.source);
    assert_null(key.material);
    vault_key_release(&key);
    assert_err(&err, code, part);
}

static void seal(const struct vault_key *key, const char *plain, size_t len, struct str *text)
{
    struct err err = ERR_INIT;

    str_init(text, VAULT_TEXT_MAX);
    if (vault_seal(key, plain, len, text, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(vault_is_sealed(text->buf, text->len));
}

static void assert_unseals(const struct vault_key *key, const char *text, size_t text_len,
                           const char *plain, size_t len)
{
    struct err err = ERR_INIT;
    struct str got;

    str_init(&got, VAULT_PLAIN_MAX);
    if (vault_unseal(key, text, text_len, &got, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(got.len, len);
    assert_memory_equal(got.buf, plain, len);
    vault_wipe(&got);
}

static void assert_refused(const struct vault_key *key, const char *text, size_t len,
                           enum err_code code, const char *part)
{
    struct err err = ERR_INIT;
    struct str got;

    str_init(&got, VAULT_PLAIN_MAX);
    if (vault_unseal(key, text, len, &got, &err) == 0)
        fail_msg("accepted instead of \"%s\": %.*s", part, (int)len, text);
    assert_int_equal(got.len, 0);
    assert_non_null(err.hint);
    assert_err(&err, code, part);
    str_release(&got);
}

/* Refused, whatever the reason. */
static void assert_not_unsealed(const struct vault_key *key, const char *text, size_t len)
{
    struct err err = ERR_INIT;
    struct str got;

    str_init(&got, VAULT_PLAIN_MAX);
    if (vault_unseal(key, text, len, &got, &err) == 0)
        fail_msg("accepted: %.*s", (int)len, text);
    assert_true(err.code == ERR_INPUT || err.code == ERR_DENIED);
    assert_non_null(err.hint);
    assert_int_equal(got.len, 0);
    err_release(&err);
    str_release(&got);
}

/* --- round trips --- */

static void round_trip(const struct vault_key *key, size_t len)
{
    char *plain = xmalloc(len + 1);
    struct str text;

    for (size_t i = 0; i < len; i++)
        plain[i] = (char)(i * 7 + i / 256); /* every byte, NUL too */
    seal(key, plain, len, &text);
    assert_true(text.len <= VAULT_TEXT_MAX);
    assert_unseals(key, text.buf, text.len, plain, len);
    str_release(&text);
    free(plain);
}

static void test_round_trip(void **state)
{
    static const size_t sizes[] = {0,  1,  15, 16, 17,  40,  41,
                                   42, 97, 98, 99, 255, 256, (size_t)1 << 20};
    struct vault_key file = with_key_file(), passphrase = with_passphrase(PASSPHRASE);

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        round_trip(&file, sizes[i]);
    round_trip(&passphrase, 0);
    round_trip(&passphrase, (size_t)1 << 20);
    vault_key_release(&file);
    vault_key_release(&passphrase);
}

static void test_size_limits(void **state)
{
    struct vault_key key = with_key_file();
    char *plain = xcalloc(1, VAULT_PLAIN_MAX + 1);
    struct err err = ERR_INIT;
    struct str text, small;

    UNUSED(state);
    round_trip(&key, VAULT_PLAIN_MAX);
    str_init(&text, VAULT_TEXT_MAX);
    assert_int_equal(vault_seal(&key, plain, VAULT_PLAIN_MAX + 1, &text, &err), -1);
    assert_err(&err, ERR_INPUT, "larger than the 4194304 bytes");
    assert_int_equal(text.len, 0);
    str_init(&small, 20);
    assert_int_equal(vault_seal(&key, plain, 1, &small, &err), -1);
    assert_err(&err, ERR_FAILED, "larger than 20 bytes");
    assert_int_equal(small.len, 0);
    str_clear(&small);
    assert_int_equal(vault_unseal(&key, VECTOR_KEY, strlen(VECTOR_KEY), &small, &err), -1);
    assert_err(&err, ERR_FAILED, "larger than 20 bytes");
    assert_int_equal(small.len, 0);
    str_release(&small);
    str_release(&text);
    free(plain);
    vault_key_release(&key);
}

/* More base64 than any sealed text has. */
static void test_too_long(void **state)
{
    struct vault_key key = with_key_file();
    size_t header = strcspn(VECTOR_KEY, "\n") + 1, len = header + ((size_t)77 << 17);
    char *text = xmalloc(len);

    UNUSED(state);
    memset(text, 'A', len);
    memcpy(text, VECTOR_KEY, header);
    for (size_t at = header + 76; at < len; at += 77)
        text[at] = '\n';
    assert_refused(&key, text, len, ERR_INPUT, "larger than anything");
    free(text);
    vault_key_release(&key);
}

static void test_appends(void **state)
{
    struct vault_key key = with_key_file();
    struct err err = ERR_INIT;
    struct str s;

    UNUSED(state);
    str_init(&s, VAULT_TEXT_MAX);
    str_puts(&s, "before ");
    assert_int_equal(vault_unseal(&key, VECTOR_KEY, strlen(VECTOR_KEY), &s, &err), 0);
    assert_string_equal(s.buf, "before " PLAIN);
    vault_wipe(&s);
    assert_string_equal(s.buf, "");
    str_puts(&s, "usable");
    vault_wipe(&s);
    vault_wipe(&s);
    vault_key_release(&key);
    vault_key_release(&key);
}

static void test_is_sealed(void **state)
{
    UNUSED(state);
    assert_true(vault_is_sealed(VECTOR_KEY, strlen(VECTOR_KEY)));
    assert_true(vault_is_sealed("pgha-vault 2 x", 14));
    assert_false(vault_is_sealed("pgha-vault", 10));
    assert_false(vault_is_sealed(" pgha-vault 1 ", 14));
    assert_false(vault_is_sealed(PLAIN, strlen(PLAIN)));
    assert_false(vault_is_sealed("", 0));
}

/* --- the format, read without vault.c --- */

/* text: with its header line; what EVP makes of it with this key. Fails when the tag is wrong. */
static void read_format(const char *text, const unsigned char aes_key[32], struct str *plain)
{
    const char *end = strchr(text, '\n'), *nonce64 = strstr(text, " nonce=") + strlen(" nonce=");
    unsigned char nonce[12], *body = xcalloc(1, strlen(text)), *out = xcalloc(1, strlen(text));
    char *joined = xcalloc(1, strlen(text));
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int len, n, padding = 0;

    for (const char *line = end + 1; *line; line = strchr(line, '\n') + 1)
        strncat(joined, line, strcspn(line, "\n"));
    len = (int)strlen(joined);
    padding = (joined[len - 1] == '=') + (joined[len - 2] == '=');
    assert_int_equal(end - nonce64, 16);
    assert_int_equal(EVP_DecodeBlock(nonce, (const unsigned char *)nonce64, 16), 12);
    len = EVP_DecodeBlock(body, (unsigned char *)joined, len) - padding - 16;
    assert_true(len >= 0);
    assert_int_equal(EVP_DecryptInit_ex2(context, EVP_aes_256_gcm(), aes_key, nonce, NULL), 1);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, body + len);
    EVP_DecryptUpdate(context, NULL, &n, (const unsigned char *)text, (int)(end - text));
    EVP_DecryptUpdate(context, out, &n, body, len);
    assert_int_equal(EVP_DecryptFinal_ex(context, out + len, &n), 1);
    str_add(plain, (char *)out, (size_t)len);
    EVP_CIPHER_CTX_free(context);
    free(joined);
    free(body);
    free(out);
}

/* The 32 bytes that a Python program prints as hexadecimal digits; false without Python. */
static bool python_key(const char *program, const char *argument, unsigned char out[32])
{
    const char *argv[] = {"python3", "-c", program, argument, NULL};
    struct err err = ERR_INIT;
    struct str text;
    struct proc p = {.argv = argv, .timeout_ms = 30000, .out = &text};
    char path[4096];

    if (!proc_find_program("python3", path, sizeof(path)))
        return false;
    str_init(&text, 4096);
    if (proc_run(&p, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(text.len, 65);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(sscanf(text.buf + 2 * i, "%2hhx", &out[i]), 1);
    str_release(&text);
    return true;
}

static void assert_lines(const char *text)
{
    const char *line = strchr(text, '\n') + 1;

    while (*line) {
        size_t len = strcspn(line, "\n");

        assert_int_equal(line[len], '\n');
        assert_true(len > 0 && len <= 76);
        assert_true(len == 76 || line[len + 1] == '\0');
        line += len + 1;
    }
}

static void test_format_of_passphrase(void **state)
{
    static const char program[] =
        "import base64, hashlib, sys; print(hashlib.scrypt(b'" PASSPHRASE "', "
        "salt=base64.b64decode(sys.argv[1]), n=32768, r=8, p=1, maxmem=1 << 26, dklen=32).hex())";
    static const char start[] = "pgha-vault 1 scrypt N=32768 r=8 p=1 salt=";
    struct vault_key key = with_passphrase(PASSPHRASE);
    unsigned char aes_key[32];
    struct str text, plain;
    char salt[25];

    UNUSED(state);
    seal(&key, PLAIN, strlen(PLAIN), &text);
    vault_key_release(&key);
    assert_true(str_starts(text.buf, start));
    assert_lines(text.buf);
    snprintf(salt, sizeof(salt), "%s", text.buf + strlen(start));
    str_init(&plain, VAULT_PLAIN_MAX);
    if (python_key(program, salt, aes_key)) {
        read_format(text.buf, aes_key, &plain);
        assert_string_equal(plain.buf, PLAIN);
    }
    str_release(&plain);
    str_release(&text);
}

static void test_format_of_key_file(void **state)
{
    static const char program[] =
        "import hmac, sys; key = bytes.fromhex(sys.argv[1]);"
        "key = hmac.new(bytes(32), key, 'sha256').digest();"
        "print(hmac.new(key, b'pgha-vault 1 key' + bytes([1]), 'sha256').hexdigest())";
    struct vault_key key = with_key_file();
    unsigned char aes_key[32];
    struct str text, plain;

    UNUSED(state);
    seal(&key, PLAIN, strlen(PLAIN), &text);
    vault_key_release(&key);
    assert_true(str_starts(text.buf, "pgha-vault 1 key id=" ID " nonce="));
    assert_lines(text.buf);
    str_init(&plain, VAULT_PLAIN_MAX);
    if (python_key(program, DIGITS, aes_key)) {
        read_format(text.buf, aes_key, &plain);
        assert_string_equal(plain.buf, PLAIN);
    }
    str_release(&plain);
    str_release(&text);
}

static void test_vectors(void **state)
{
    struct vault_key file = with_key_file(), passphrase = with_passphrase(PASSPHRASE);

    UNUSED(state);
    assert_unseals(&file, VECTOR_KEY, strlen(VECTOR_KEY), PLAIN, strlen(PLAIN));
    assert_unseals(&passphrase, VECTOR_SCRYPT, strlen(VECTOR_SCRYPT), PLAIN, strlen(PLAIN));
    assert_unseals(&passphrase, VECTOR_CHEAP, strlen(VECTOR_CHEAP), "", 0);
    vault_key_release(&file);
    vault_key_release(&passphrase);
}

/* Salt and nonce of two seals differ, so everything does. */
static void test_fresh_randomness(void **state)
{
    struct vault_key file = with_key_file(), passphrase = with_passphrase(PASSPHRASE);
    struct str a, b;

    UNUSED(state);
    seal(&file, "x", 1, &a);
    seal(&file, "x", 1, &b);
    assert_string_not_equal(strstr(a.buf, "nonce="), strstr(b.buf, "nonce="));
    str_release(&a);
    str_release(&b);
    seal(&passphrase, "x", 1, &a);
    seal(&passphrase, "x", 1, &b);
    assert_memory_not_equal(strstr(a.buf, "salt="), strstr(b.buf, "salt="), 29);
    assert_string_not_equal(strstr(a.buf, "nonce="), strstr(b.buf, "nonce="));
    str_release(&a);
    str_release(&b);
    vault_key_release(&file);
    vault_key_release(&passphrase);
}

/* The key of a salt is derived once: nine times more cost nothing that counts. */
static void test_derived_once(void **state)
{
    struct vault_key key = with_passphrase(PASSPHRASE);
    clock_t start = clock(), first, more;

    UNUSED(state);
    assert_unseals(&key, VECTOR_SCRYPT, strlen(VECTOR_SCRYPT), PLAIN, strlen(PLAIN));
    first = clock() - start;
    start = clock();
    for (int i = 0; i < 9; i++)
        assert_unseals(&key, VECTOR_SCRYPT, strlen(VECTOR_SCRYPT), PLAIN, strlen(PLAIN));
    more = clock() - start;
    assert_true(more < first * 4);
    vault_key_release(&key);
}

static void test_each_salt_its_key(void **state)
{
    static const char *const texts[] = {VECTOR_CHEAP, VECTOR_SALT, VECTOR_CHEAP, VECTOR_CHEAP};
    struct vault_key key = with_passphrase(PASSPHRASE);

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_unseals(&key, texts[i], strlen(texts[i]), "", 0);
    vault_key_release(&key);
}

/* --- altered files --- */

static void flip_every_bit(const struct vault_key *key, const char *sealed)
{
    size_t len = strlen(sealed);
    char *text = xstrdup(sealed);

    for (size_t i = 0; i < len * 8; i++) {
        text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
        assert_not_unsealed(key, text, len);
        text[i / 8] = sealed[i / 8];
    }
    free(text);
}

/* Also in a buffer that ends there, so that ASan sees a read beyond. */
static void cut_everywhere(const struct vault_key *key, const char *sealed)
{
    for (size_t len = 0; len < strlen(sealed); len++) {
        char *text = xmalloc(len + !len);

        memcpy(text, sealed, len);
        assert_not_unsealed(key, text, len);
        free(text);
    }
}

/* Any byte more is refused too, wherever it is. */
static void insert_everywhere(const struct vault_key *key, const char *sealed)
{
    static const char bytes[] = {'\n', '\r', ' ', '\t', '\v', 'A', '=', '0', '\0'};
    size_t len = strlen(sealed);
    char *text = xmalloc(len + 1);

    for (size_t at = 0; at <= len; at++) {
        memcpy(text, sealed, at);
        memcpy(text + at + 1, sealed + at, len - at);
        for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
            text[at] = bytes[i];
            assert_not_unsealed(key, text, len + 1);
        }
    }
    free(text);
}

static void test_altered(void **state)
{
    struct vault_key file = with_key_file(), passphrase = with_passphrase(PASSPHRASE);
    struct str empty;

    UNUSED(state);
    seal(&file, "", 0, &empty);
    flip_every_bit(&file, VECTOR_KEY);
    flip_every_bit(&file, empty.buf);
    flip_every_bit(&passphrase, VECTOR_CHEAP);
    cut_everywhere(&file, VECTOR_KEY);
    cut_everywhere(&file, empty.buf);
    cut_everywhere(&passphrase, VECTOR_CHEAP);
    insert_everywhere(&file, VECTOR_KEY);
    insert_everywhere(&passphrase, VECTOR_CHEAP);
    str_release(&empty);
    vault_key_release(&file);
    vault_key_release(&passphrase);
}

#define KEY_HEADER "pgha-vault 1 key id=" ID " nonce=" NONCE "\n"
#define BODY       "Su3bWF7891yq6iFwU/VG7Q==\n"

static void test_damaged_texts(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
        const char *part;
    } cases[] = {
        {"", ERR_INPUT, "not a vault file"},
        {PLAIN, ERR_INPUT, "not a vault file"},
        {"$ANSIBLE_VAULT;1.1;AES256\n6162\n", ERR_INPUT, "not a vault file"},
        {"pgha-vault", ERR_INPUT, "not a vault file"},
        {"pgha-vault ", ERR_INPUT, "cut off in its first line"},
        {"pgha-vault 1", ERR_INPUT, "cut off in its first line"},
        {"pgha-vault 1 key id=" ID, ERR_INPUT, "cut off in its first line"},
        {"pgha-vault 1 key id=" ID " nonce=" NONCE, ERR_INPUT, "cut off in its first line"},
        {"pgha-vault 2 key id=" ID " nonce=" NONCE "\n" BODY, ERR_INPUT, "newer format (2, known"},
        {"pgha-vault 2", ERR_INPUT, "update pgha-deploy"},
        {"pgha-vault 10 \x1b[31m", ERR_INPUT, "newer format (10, known is 1)"},
        {"pgha-vault 0 key id=" ID " nonce=" NONCE "\n" BODY, ERR_INPUT, "first line is damaged"},
        {"pgha-vault one\n", ERR_INPUT, "first line is damaged"},
        {KEY_HEADER, ERR_INPUT, "cut off: the end is missing"},
        {KEY_HEADER "Su3bWF7891yq6iFwU/VG7Q==", ERR_INPUT, "cut off: the end is missing"},
        {KEY_HEADER "Su3bWF7891yq\n", ERR_INPUT, "cut off: too short"},
        {KEY_HEADER "Su3bWF7891yq6iFwU/VG7Q=\n", ERR_INPUT, "damaged: not base64"},
        {KEY_HEADER "Su3bWF7891yq6iFwU/VG7R==\n", ERR_INPUT, "damaged: not base64"},
        {KEY_HEADER "Su3bWF7891yq6iFwU_VG7Q==\n", ERR_INPUT, "damaged: not base64"},
        {KEY_HEADER "Su3bWF78\n91yq6iFwU/VG7Q==\n", ERR_INPUT, "in lines of 76"},
        {KEY_HEADER "\n", ERR_INPUT, "in lines of 76"},
        {KEY_HEADER BODY "\n", ERR_INPUT, "in lines of 76"},
        {KEY_HEADER BODY, ERR_INPUT, "altered or cut off since"},
    };
    struct vault_key key = with_key_file();

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_refused(&key, cases[i].text, strlen(cases[i].text), cases[i].code, cases[i].part);
    assert_refused(&key, "pgha-vault 1\0key id=" ID " nonce=" NONCE "\n" BODY,
                   strlen(KEY_HEADER BODY), ERR_INPUT, "first line is damaged");
    vault_key_release(&key);
}

#define SCRYPT(fields) "pgha-vault 1 " fields "\n" BODY
#define REST           " salt=" SALT " nonce=" NONCE

static void test_damaged_headers(void **state)
{
    static const char *const headers[] = {
        SCRYPT("scrypt"),
        SCRYPT("scrypt N=16 r=1 p=1 salt=" SALT),
        SCRYPT("scrypt N=16 r=1 p=1 nonce=" NONCE),
        SCRYPT("scrypt r=1 p=1" REST),
        SCRYPT("scrypt N=16 N=16 r=1 p=1" REST),
        SCRYPT("scrypt N=16 r=1 p=1" REST " nonce=" NONCE),
        SCRYPT("scrypt r=1 N=16 p=1" REST),
        SCRYPT("scrypt N=16 r=1 p=1 nonce=" NONCE " salt=" SALT),
        SCRYPT("scrypt N=16 r=1 p=1 q=1" REST),
        SCRYPT("scrypt  N=16 r=1 p=1" REST),
        SCRYPT("scrypt N=16\tr=1 p=1" REST),
        SCRYPT("scrypt N=16 r=1 p=1" REST " "),
        SCRYPT("scrypt N=16 r=1 p=1" REST "\r"),
        SCRYPT("scrypt N=016 r=1 p=1" REST),
        SCRYPT("scrypt N=+16 r=1 p=1" REST),
        SCRYPT("scrypt N=-16 r=1 p=1" REST),
        SCRYPT("scrypt N=0x10 r=1 p=1" REST),
        SCRYPT("scrypt N= r=1 p=1" REST),
        SCRYPT("scrypt N=4294967312 r=1 p=1" REST), /* 2^32 + 16 */
        SCRYPT("scrypt N=16 r=1 p=1 salt= nonce=" NONCE),
        SCRYPT("scrypt N=16 r=1 p=1 salt=AAECAwQFBgcICQoLDA0O nonce=" NONCE),     /* 15 bytes */
        SCRYPT("scrypt N=16 r=1 p=1 salt=AAECAwQFBgcICQoLDA0ODx== nonce=" NONCE), /* spare bits */
        SCRYPT("scrypt N=16 r=1 p=1 salt=AAECAwQFBgcICQoLDA0ODw=* nonce=" NONCE),
        SCRYPT("scrypt N=16 r=1 p=1 salt=" SALT " nonce=ZGVmZ2hpamtsbW5vZGVm"), /* 15 bytes */
        SCRYPT("argon2 N=16 r=1 p=1" REST),
        SCRYPT("key"),
        SCRYPT("key nonce=" NONCE),
        SCRYPT("key id=" ID),
        SCRYPT("key nonce=" NONCE " id=" ID),
        SCRYPT("key id=" ID " id=" ID " nonce=" NONCE),
        SCRYPT("key id=630DCD29 nonce=" NONCE),
        SCRYPT("key id=630dcd2 nonce=" NONCE),
        SCRYPT("key id=630dcd290 nonce=" NONCE),
        SCRYPT("key id=../../x/ nonce=" NONCE),
    };
    struct vault_key file = with_key_file(), passphrase = with_passphrase(PASSPHRASE);
    char longest[1000] = "pgha-vault 1 key id=" ID " nonce=" NONCE;
    size_t used = strlen(longest);

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        assert_refused(&file, headers[i], strlen(headers[i]), ERR_INPUT, "first line is damaged");
        assert_refused(&passphrase, headers[i], strlen(headers[i]), ERR_INPUT,
                       "first line is damaged");
    }
    memset(longest + used, 'A', sizeof(longest) - used);
    assert_refused(&file, longest, sizeof(longest), ERR_INPUT, "first line is damaged");
    vault_key_release(&file);
    vault_key_release(&passphrase);
}

static void test_scrypt_limits(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
        const char *part;
    } cases[] = {
        {SCRYPT("scrypt N=131072 r=8 p=1" REST), ERR_INPUT, "N=131072 r=8 p=1 is beyond"},
        {SCRYPT("scrypt N=999999999 r=999999999 p=999999999" REST), ERR_INPUT, "beyond"},
        {SCRYPT("scrypt N=536870912 r=32 p=1" REST), ERR_INPUT, "beyond"}, /* 2^41: 0 in 32 bits */
        {SCRYPT("scrypt N=32768 r=32 p=1" REST), ERR_INPUT, "beyond"},
        {SCRYPT("scrypt N=2 r=33 p=1" REST), ERR_INPUT, "beyond"},
        {SCRYPT("scrypt N=16 r=1 p=5" REST), ERR_INPUT, "beyond"},
        {SCRYPT("scrypt N=16 r=1 p=0" REST), ERR_INPUT, "beyond"},
        {SCRYPT("scrypt N=16 r=0 p=1" REST), ERR_INPUT, "beyond"},
        {SCRYPT("scrypt N=0 r=1 p=1" REST), ERR_INPUT, "beyond"},
        {SCRYPT("scrypt N=1 r=1 p=1" REST), ERR_INPUT, "beyond"},
        {SCRYPT("scrypt N=24 r=1 p=1" REST), ERR_INPUT, "beyond"},
        {SCRYPT("scrypt N=65536 r=1 p=1" REST), ERR_INPUT, "beyond"}, /* RFC 7914: < 2^16 */
        {SCRYPT("scrypt N=2 r=32 p=4" REST), ERR_DENIED, "wrong passphrase"},
        {SCRYPT("scrypt N=32768 r=1 p=1" REST), ERR_DENIED, "wrong passphrase"},
        {SCRYPT("scrypt N=65536 r=8 p=1" REST), ERR_DENIED, "wrong passphrase"}, /* 64 MiB */
        {SCRYPT("scrypt N=16384 r=32 p=1" REST), ERR_DENIED, "wrong passphrase"},
    };
    struct vault_key key = with_passphrase(PASSPHRASE);

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_refused(&key, cases[i].text, strlen(cases[i].text), cases[i].code, cases[i].part);
    vault_key_release(&key);
}

/* --- another key than the one that sealed --- */

static void test_wrong_passphrase(void **state)
{
    static const char *const wrong[] = {"correct horsf", "correct hors", "correct horse ", "x"};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct vault_key key = with_passphrase(wrong[i]);

        assert_refused(&key, VECTOR_CHEAP, strlen(VECTOR_CHEAP), ERR_DENIED,
                       "wrong passphrase (PGHA_VAULT_PASSWORD), or the file was altered");
        vault_key_release(&key);
    }
}

static void test_wrong_key(void **state)
{
    struct vault_key other = with_key_text("# other\n000000000000000000000000000000000000000000000"
                                           "0000000000000000000\n");
    struct vault_key file = with_key_file(), passphrase = with_passphrase(PASSPHRASE);
    struct str text;

    UNUSED(state);
    assert_refused(&other, VECTOR_KEY, strlen(VECTOR_KEY), ERR_DENIED, "with the key file " ID);
    assert_refused(&other, VECTOR_KEY, strlen(VECTOR_KEY), ERR_DENIED, "/keys/key is " OTHER_ID);
    seal(&other, "x", 1, &text);
    assert_refused(&file, text.buf, text.len, ERR_DENIED, "with the key file " OTHER_ID);
    assert_refused(&file, VECTOR_CHEAP, strlen(VECTOR_CHEAP), ERR_DENIED,
                   "sealed with a passphrase, but there is only the key file /tmp/");
    assert_refused(&file, VECTOR_CHEAP, strlen(VECTOR_CHEAP), ERR_DENIED,
                   "--vault-password-file FILE, or PGHA_VAULT_PASSWORD");
    assert_refused(&passphrase, VECTOR_KEY, strlen(VECTOR_KEY), ERR_DENIED,
                   "with the key file " ID ", but a passphrase is given (PGHA_VAULT_PASSWORD)");
    assert_refused(&passphrase, VECTOR_KEY, strlen(VECTOR_KEY), ERR_DENIED,
                   "leave out --vault-password-file and unset PGHA_VAULT_PASSWORD");
    str_release(&text);
    vault_key_release(&other);
    vault_key_release(&file);
    vault_key_release(&passphrase);
}

/* --- passphrases --- */

static void refuse_password_file(const char *text, size_t len, mode_t mode, enum err_code code,
                                 const char *part)
{
    char *path = in_folder("password");
    struct vault_source source = {.password_file = path, .config_folder = folder};

    put_file(path, text, len, mode);
    refuse_source(&source, true, code, part);
    free(path);
}

static void test_password_file(void **state)
{
    static const char *const texts[] = {PASSPHRASE, PASSPHRASE "\n", PASSPHRASE "\n\nmore\r\n"};
    char *path = in_folder("password");
    struct vault_source source = {path, "not this one", "/nonexistent"};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct vault_key key;

        put_file(path, texts[i], strlen(texts[i]), i ? 0600 : 0400);
        key = open_source(&source, true);
        assert_string_equal(key.source, path);
        assert_false(key.made);
        assert_unseals(&key, VECTOR_CHEAP, strlen(VECTOR_CHEAP), "", 0);
        vault_key_release(&key);
    }
    free(path);
}

static void test_bad_password_file(void **state)
{
    static const mode_t modes[] = {0644, 0640, 0604, 0620, 0602, 0610, 0601, 0660, 0666, 0777};
    struct vault_source source = {.password_file = "/nonexistent/password"};
    char large[5000];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        refuse_password_file("x\n", 2, modes[i], ERR_DENIED, "open to other users (mode 0");
    refuse_password_file("x\n", 2, 0644, ERR_DENIED, "chmod 600 /tmp/");
    refuse_password_file("", 0, 0600, ERR_INPUT, "the passphrase is empty");
    refuse_password_file("\nx\n", 3, 0600, ERR_INPUT, "the passphrase is empty");
    refuse_password_file("x\r\n", 3, 0600, ERR_INPUT, "control character");
    refuse_password_file("x\0y\n", 4, 0600, ERR_INPUT, "control character");
    memset(large, 'x', sizeof(large));
    refuse_password_file(large, sizeof(large), 0600, ERR_INPUT, "larger than 4095 bytes");
    refuse_source(&source, true, ERR_IO, "No such file");
    source.password_file = folder;
    refuse_source(&source, true, ERR_IO, "Is a directory");
    source.password_file = "-";
    refuse_source(&source, true, ERR_USAGE, "standard input is not read");
}

/* What a shell's <(command) hands in. */
static void test_password_from_pipe(void **state)
{
    char path[64];
    struct vault_source source = {.password_file = path};
    struct vault_key key;
    int ends[2];

    UNUSED(state);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], PASSPHRASE "\n", strlen(PASSPHRASE) + 1),
                     strlen(PASSPHRASE) + 1);
    close(ends[1]);
    snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
    key = open_source(&source, false);
    close(ends[0]);
    assert_unseals(&key, VECTOR_CHEAP, strlen(VECTOR_CHEAP), "", 0);
    vault_key_release(&key);
}

static void test_passphrase_from_environment(void **state)
{
    struct vault_source source = {.passphrase = "", .config_folder = folder};
    struct vault_key key = with_passphrase(PASSPHRASE);

    UNUSED(state);
    assert_string_equal(key.source, "PGHA_VAULT_PASSWORD");
    assert_false(key.made);
    vault_key_release(&key);
    refuse_source(&source, true, ERR_INPUT, "PGHA_VAULT_PASSWORD: the passphrase is empty");
    source.passphrase = "two\nlines";
    refuse_source(&source, true, ERR_INPUT, "control character");
    key = with_passphrase("Stra\xc3\x9f"
                          "e");
    vault_key_release(&key);
}

/* --- the key file --- */

/* Names in a folder, without "." and "..". */
static int count_names(const char *path)
{
    DIR *dir = opendir(path);
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void assert_same_key(const struct vault_key *a, const struct vault_key *b)
{
    struct str text;

    seal(a, PLAIN, strlen(PLAIN), &text);
    assert_unseals(b, text.buf, text.len, PLAIN, strlen(PLAIN));
    str_release(&text);
}

static void test_key_file_made(void **state)
{
    char *parent = in_folder("made"), *config = path_join(parent, "pgha-deploy");
    char *path = path_join(config, "key");
    struct vault_source source = {.config_folder = config};
    struct vault_key first, second;
    struct err err = ERR_INIT;
    struct str before, after;
    mode_t mask = umask(0);

    UNUSED(state);
    refuse_source(&source, false, ERR_DENIED, "there is no key file");
    assert_false(file_exists(parent));
    first = open_source(&source, true);
    umask(mask);
    assert_true(first.made);
    assert_string_equal(first.source, path);
    assert_int_equal(mode_of(parent), 0700);
    assert_int_equal(mode_of(config), 0700);
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(count_names(config), 1);
    str_init(&before, 4096);
    str_init(&after, 4096);
    assert_int_equal(file_read(path, &before, &err), 0);
    assert_true(str_starts(before.buf, "# pgha-deploy: "));
    assert_int_equal(strspn(strchr(before.buf, '\n') + 1, "0123456789ABCDEF"), 64);
    second = open_source(&source, true);
    assert_false(second.made);
    assert_same_key(&first, &second);
    assert_int_equal(file_read(path, &after, &err), 0);
    assert_string_equal(before.buf, after.buf);
    str_release(&before);
    str_release(&after);
    vault_key_release(&first);
    vault_key_release(&second);
    free(path);
    free(config);
    free(parent);
}

static void test_key_file_cannot_be_made(void **state)
{
    char *file = in_folder("file"), *config = path_join(file, "pgha-deploy");
    struct vault_source source = {.config_folder = config};

    UNUSED(state);
    put_file(file, "", 0, 0600);
    refuse_source(&source, true, ERR_IO, "reading the key file");
    source.config_folder = "/proc/self/pgha-deploy"; /* where not even root can make a folder */
    refuse_source(&source, true, ERR_IO, "making the key file");
    source.config_folder = NULL;
    refuse_source(&source, true, ERR_DENIED, "no home folder");
    free(config);
    free(file);
}

static void test_bad_key_texts(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "# only a comment",
        "# only a comment\n",
        DIGITS,
        "# k\n" DIGITS,
        DIGITS "\r\n",
        DIGITS "\n\n",
        DIGITS "\n# behind\n",
        DIGITS "0",
        " " DIGITS "\n",
        "0" DIGITS "\n",
        "g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
        "00:102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1\n",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e\n",
    };
    char *config = in_folder("bad"), *path = path_join(config, "key");
    struct vault_source source = {.config_folder = config};
    struct err err = ERR_INIT;
    struct str after;

    UNUSED(state);
    assert_int_equal(file_mkdirs(config, 0700, &err), 0);
    str_init(&after, 4096);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        put_file(path, texts[i], strlen(texts[i]), 0600);
        refuse_source(&source, true, ERR_INPUT, "not a key file, or cut off");
        str_clear(&after);
        assert_int_equal(file_read(path, &after, &err), 0);
        assert_string_equal(after.buf, texts[i]); /* nothing is made over it */
    }
    put_file(path,
             "00\0"
             "102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
             65, 0600);
    refuse_source(&source, true, ERR_INPUT, "not a key file, or cut off");
    assert_int_equal(count_names(config), 1);
    str_release(&after);
    free(path);
    free(config);
}

static void test_good_key_texts(void **state)
{
    static const char *const texts[] = {
        DIGITS "\n",
        "#\n# two\n" DIGITS "\n",
        "# k\n000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\n",
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct vault_key key = with_key_text(texts[i]);

        assert_false(key.made);
        assert_unseals(&key, VECTOR_KEY, strlen(VECTOR_KEY), PLAIN, strlen(PLAIN));
        vault_key_release(&key);
    }
}

static void test_key_file_modes(void **state)
{
    static const mode_t open_modes[] = {0644, 0640, 0604, 0660, 0601, 0610, 0602};
    char *config = in_folder("modes"), *path = path_join(config, "key");
    struct vault_source source = {.config_folder = config};
    struct vault_key key;
    struct err err = ERR_INIT;

    UNUSED(state);
    assert_int_equal(file_mkdirs(config, 0700, &err), 0);
    put_file(path, DIGITS "\n", strlen(DIGITS) + 1, 0400);
    key = open_source(&source, true);
    vault_key_release(&key);
    for (size_t i = 0; i < ARRAY_LEN(open_modes); i++) {
        assert_int_equal(chmod(path, open_modes[i]), 0);
        refuse_source(&source, true, ERR_DENIED, "key: open to other users (mode 0");
    }
    refuse_source(&source, true, ERR_DENIED, "chmod 600 ");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    refuse_source(&source, true, ERR_INPUT, "not a regular file");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    refuse_source(&source, true, ERR_INPUT, "not a regular file");
    free(path);
    free(config);
}

static void test_key_file_links(void **state)
{
    char *config = in_folder("links"), *path = path_join(config, "key");
    char *target = in_folder("target");
    struct vault_source source = {.config_folder = config};
    struct vault_key key;
    struct err err = ERR_INIT;

    UNUSED(state);
    assert_int_equal(file_mkdirs(config, 0700, &err), 0);
    assert_int_equal(symlink(target, path), 0);
    refuse_source(&source, true, ERR_IO, "No such file"); /* and no key appears behind it */
    assert_false(file_exists(target));
    put_file(target, DIGITS "\n", strlen(DIGITS) + 1, 0600);
    key = open_source(&source, true);
    vault_key_release(&key);
    assert_int_equal(chmod(target, 0644), 0);
    refuse_source(&source, true, ERR_DENIED, "open to other users");
    assert_int_equal(chmod(target, 0600), 0);
    if (geteuid() == 0) { /* nobody else can give a file away */
        assert_int_equal(chown(target, 65534, 65534), 0);
        refuse_source(&source, true, ERR_DENIED, "belongs to another user (uid 65534)");
    }
    free(target);
    free(path);
    free(config);
}

/* --- threads --- */

struct job {
    pthread_t thread;
    pthread_barrier_t *barrier;
    struct vault_source source; /* races */
    const struct vault_key *key;
    struct vault_key made;
    int failures;
};

static void *unseal_often(void *arg)
{
    static const char *const texts[] = {VECTOR_CHEAP, VECTOR_SALT,
                                        "pgha-vault 1 scrypt N=32 r=1 p=1" REST "\n" BODY};
    struct job *job = arg;

    for (int i = 0; i < 400; i++) {
        const char *text = texts[i % 3];
        struct err err = ERR_INIT;
        struct str plain;

        str_init(&plain, VAULT_PLAIN_MAX);
        if ((vault_unseal(job->key, text, strlen(text), &plain, &err) == 0) != (i % 3 != 2))
            job->failures++;
        vault_wipe(&plain);
        err_release(&err);
    }
    return NULL;
}

/* One key, three derivations that push each other out: nobody gets the other's derived key. */
static void test_threads_unseal(void **state)
{
    struct vault_key key = with_passphrase(PASSPHRASE);
    struct job jobs[3] = {{0}};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        jobs[i].key = &key;
        assert_int_equal(pthread_create(&jobs[i].thread, NULL, unseal_often, &jobs[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        pthread_join(jobs[i].thread, NULL);
        assert_int_equal(jobs[i].failures, 0);
    }
    vault_key_release(&key);
}

static void *make_key(void *arg)
{
    struct job *job = arg;
    struct err err = ERR_INIT;

    pthread_barrier_wait(job->barrier);
    if (vault_key_open(&job->source, true, &job->made, &err) < 0)
        job->failures++;
    err_release(&err);
    return NULL;
}

static void test_threads_make_one_key(void **state)
{
    pthread_barrier_t barrier;
    struct job jobs[4] = {{0}};

    UNUSED(state);
    for (int round = 0; round < 20; round++) {
        char *config = xasprintf("%s/race-%d/pgha-deploy", folder, round);

        pthread_barrier_init(&barrier, NULL, ARRAY_LEN(jobs));
        for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
            jobs[i] = (struct job){.barrier = &barrier, .source = {.config_folder = config}};
            assert_int_equal(pthread_create(&jobs[i].thread, NULL, make_key, &jobs[i]), 0);
        }
        for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
            pthread_join(jobs[i].thread, NULL);
            assert_int_equal(jobs[i].failures, 0);
            assert_same_key(&jobs[0].made, &jobs[i].made);
        }
        for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
            vault_key_release(&jobs[i].made);
        assert_int_equal(count_names(config), 1);
        pthread_barrier_destroy(&barrier);
        free(config);
    }
}

/* --- the folder --- */

static void set_variable(const char *name, const char *value)
{
    if (value)
        assert_int_equal(setenv(name, value, 1), 0);
    else
        assert_int_equal(unsetenv(name), 0);
}

static void test_config_folder(void **state)
{
    static const struct {
        const char *xdg, *home, *wanted; /* NULL: from the user database */
    } cases[] = {
        {"/x/config", "/home/me", "/x/config/pgha-deploy"},
        {"/x/config/", NULL, "/x/config/pgha-deploy"},
        {"relative", "/home/me", "/home/me/.config/pgha-deploy"},
        {"", "/home/me", "/home/me/.config/pgha-deploy"},
        {NULL, "/home/me", "/home/me/.config/pgha-deploy"},
        {NULL, "", NULL},
        {NULL, NULL, NULL},
    };
    char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    UNUSED(state);
    xdg = xdg ? xstrdup(xdg) : NULL;
    home = home ? xstrdup(home) : NULL;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *got;

        set_variable("XDG_CONFIG_HOME", cases[i].xdg);
        set_variable("HOME", cases[i].home);
        got = vault_config_folder();
        if (cases[i].wanted)
            assert_string_equal(got, cases[i].wanted);
        else if (got)
            assert_true(got[0] == '/' && str_ends(got, "/.config/pgha-deploy"));
        free(got);
    }
    set_variable("XDG_CONFIG_HOME", xdg);
    set_variable("HOME", home);
    free(xdg);
    free(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_size_limits),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_is_sealed),
        cmocka_unit_test(test_format_of_passphrase),
        cmocka_unit_test(test_format_of_key_file),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_fresh_randomness),
        cmocka_unit_test(test_derived_once),
        cmocka_unit_test(test_each_salt_its_key),
        cmocka_unit_test(test_altered),
        cmocka_unit_test(test_damaged_texts),
        cmocka_unit_test(test_damaged_headers),
        cmocka_unit_test(test_scrypt_limits),
        cmocka_unit_test(test_wrong_passphrase),
        cmocka_unit_test(test_wrong_key),
        cmocka_unit_test(test_password_file),
        cmocka_unit_test(test_bad_password_file),
        cmocka_unit_test(test_password_from_pipe),
        cmocka_unit_test(test_passphrase_from_environment),
        cmocka_unit_test(test_key_file_made),
        cmocka_unit_test(test_key_file_cannot_be_made),
        cmocka_unit_test(test_bad_key_texts),
        cmocka_unit_test(test_good_key_texts),
        cmocka_unit_test(test_key_file_modes),
        cmocka_unit_test(test_key_file_links),
        cmocka_unit_test(test_threads_unseal),
        cmocka_unit_test(test_threads_make_one_key),
        cmocka_unit_test(test_config_folder),
    };

    return cmocka_run_group_tests_name("vault", tests, make_folder, remove_folder);
}
