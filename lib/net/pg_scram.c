/* pg_scram.c - whether a SCRAM verifier is that of a password. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "lib/net/pg.h"

enum { KEY_BYTES = 32, SALT_MAX = 64, TEXT_MAX = 128, ITERATIONS_MAX = 10000000 };

/* Bytes of base64 text up to the end character; -1 when it is none or too long. */
static int decode(const char *text, char end, unsigned char *out, size_t max)
{
    unsigned char buf[TEXT_MAX];
    size_t len = strcspn(text, (char[]){end, '\0'});
    int n;

    if (len % 4 || len / 4 * 3 > sizeof(buf) || !len)
        return -1;
    n = EVP_DecodeBlock(buf, (const unsigned char *)text, (int)len);
    for (size_t i = len; n > 0 && i > len - 2 && text[i - 1] == '='; i--)
        n--;
    if (n < 0 || (size_t)n > max)
        return -1;
    memcpy(out, buf, (size_t)n);
    return n;
}

static bool stored_key(const char *password, const unsigned char *salt, int salt_len,
                       int iterations, unsigned char out[KEY_BYTES])
{
    unsigned char salted[KEY_BYTES], client[KEY_BYTES];
    unsigned len = KEY_BYTES;
    bool ok = PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, salt_len, iterations,
                                EVP_sha256(), KEY_BYTES, salted) == 1 &&
              HMAC(EVP_sha256(), salted, KEY_BYTES, (const unsigned char *)"Client Key", 10, client,
                   &len) &&
              EVP_Digest(client, KEY_BYTES, out, &len, EVP_sha256(), NULL) == 1;

    OPENSSL_cleanse(salted, sizeof(salted));
    OPENSSL_cleanse(client, sizeof(client));
    return ok;
}

bool pg_scram_matches(const char *verifier, const char *password)
{
    unsigned char salt[SALT_MAX], stored[KEY_BYTES], made[KEY_BYTES];
    long iterations;
    int salt_len;
    char *end;

    if (!str_starts(verifier, "SCRAM-SHA-256$"))
        return false;
    iterations = strtol(verifier + strlen("SCRAM-SHA-256$"), &end, 10);
    if (*end != ':' || iterations < 1 || iterations > ITERATIONS_MAX)
        return false;
    salt_len = decode(end + 1, '$', salt, sizeof(salt));
    end = strchr(end, '$');
    if (salt_len < 0 || !end || decode(end + 1, ':', stored, sizeof(stored)) != KEY_BYTES)
        return false;
    return stored_key(password, salt, salt_len, (int)iterations, made) &&
           CRYPTO_memcmp(made, stored, KEY_BYTES) == 0;
}
