/*
 * fuzz_vault.c - any bytes are unsealed, or refused with nothing given out; what can be sealed is
 * unsealed to the same. The same bytes as a key file are a key or are refused.
 */
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/cluster/vault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEY_TEXT "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

/* As vault_key_open() with a key file that holds text. */
static int open_key_file(const void *text, size_t len, struct vault_key *key, struct err *err)
{
    char *folder = xasprintf("/dev/shm/pgha-fuzz-vault-%d", (int)getpid());
    char *path = path_join(folder, "key");
    struct vault_source source = {.config_folder = folder};
    int rc;

    if (file_mkdirs(folder, 0700, err) < 0 || file_write(path, text, len, 0600, err) < 0)
        BUG("%s", err->text);
    rc = vault_key_open(&source, false, key, err);
    if (file_remove_tree(folder, err) < 0)
        BUG("%s", err->text);
    free(path);
    free(folder);
    return rc;
}

static void check_round_trip(const struct vault_key *key, const char *plain, size_t len)
{
    struct err err = ERR_INIT;
    struct str text, again;

    str_init(&text, VAULT_TEXT_MAX);
    str_init(&again, VAULT_PLAIN_MAX);
    if (vault_seal(key, plain, len, &text, &err) < 0)
        BUG("not sealed: %s", err.text);
    if (!vault_is_sealed(text.buf, text.len))
        BUG("what was sealed does not look so");
    if (vault_unseal(key, text.buf, text.len, &again, &err) < 0)
        BUG("what was sealed cannot be unsealed: %s", err.text);
    if (again.len != len || (len > 0 && memcmp(again.buf, plain, len) != 0))
        BUG("unsealed to something else");
    vault_wipe(&again);
    str_release(&text);
}

static void unseal(const struct vault_key *key, const char *text, size_t len)
{
    struct err err = ERR_INIT;
    struct str plain;
    int rc;

    str_init(&plain, VAULT_PLAIN_MAX);
    rc = vault_unseal(key, text, len, &plain, &err);
    if ((rc == 0) != (err.text == NULL) || (rc < 0 && (plain.len > 0 || !err.hint)))
        BUG("a plain text, or an error with a hint, never both or none");
    if (rc == 0 && !vault_is_sealed(text, len))
        BUG("unsealed what is not sealed");
    vault_wipe(&plain);
    err_release(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct vault_source passphrase = {.passphrase = "fuzz"};
    const char *text = (const char *)data;
    struct vault_key key;
    struct err err = ERR_INIT;

    if (open_key_file(data, size, &key, &err) == 0)
        check_round_trip(&key, text, size);
    vault_key_release(&key);
    err_release(&err);
    if (open_key_file(KEY_TEXT, strlen(KEY_TEXT), &key, &err) < 0)
        BUG("%s", err.text);
    unseal(&key, text, size);
    if (size <= VAULT_PLAIN_MAX)
        check_round_trip(&key, text, size);
    vault_key_release(&key);
    if (vault_key_open(&passphrase, false, &key, &err) < 0)
        BUG("%s", err.text);
    unseal(&key, text, size);
    vault_key_release(&key);
    return 0;
}
