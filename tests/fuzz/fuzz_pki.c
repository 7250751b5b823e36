/*
 * fuzz_pki.c - any bytes are a certificate or are refused with a reason; as a bundle they vouch for
 * their first certificate or not.
 */
#include <openssl/err.h>

#include "lib/cluster/pki.h"

#define NOW INT64_C(1790000000) /* the seeds are valid then */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(int rc, struct err *err)
{
    if ((rc < 0) != (err->text != NULL))
        BUG("success and an error, or neither");
    if (ERR_peek_error())
        BUG("OpenSSL's error queue is not empty");
    err_release(err);
}

static void check_text(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            BUG("byte %d would reach the terminal", *text);
}

static void check_info(const struct pki_info *info)
{
    check_text(info->subject);
    check_text(info->issuer);
    check_text(info->serial);
    for (const char *const *dns = info->dns; *dns; dns++)
        check_text(*dns);
    for (const char *const *address = info->addresses; *address; address++)
        check_text(*address);
    if (strlen(info->fingerprint) != 95)
        BUG("fingerprint %s", info->fingerprint);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xstrndup((const char *)data, size);
    struct err err = ERR_INIT;
    struct pki_info info;
    int rc = pki_inspect(text, &info, &err);

    check_error(rc, &err);
    if (rc == 0)
        check_info(&info);
    pki_info_release(&info);
    check_error(pki_verify_chain(text, text, NOW, &err), &err);
    free(text);
    return 0;
}
