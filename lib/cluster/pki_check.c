/*
 * pki_check.c - what a certificate says, whether it must be issued anew, whether a client trusts
 * it.
 */
#include <arpa/inet.h>

#include <openssl/bn.h>
#include <openssl/err.h>

#include "lib/cluster/pki_x509.h"

static const char *bio_text(struct arena *a, BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);

    return len > 0 ? arena_strndup(a, data, (size_t)len) : "";
}

/* Escaped; NULL when its bytes are no characters. */
static const char *string_text(struct arena *a, const ASN1_STRING *string)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const char *text = NULL;

    if (bio && ASN1_STRING_print_ex(bio, string, ASN1_STRFLGS_RFC2253) >= 0)
        text = bio_text(a, bio);
    BIO_free(bio);
    return text;
}

static const char *name_text(struct arena *a, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const char *text = NULL;

    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
        text = bio_text(a, bio);
    BIO_free(bio);
    return text;
}

static const ASN1_STRING *common_name(const X509 *cert)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    return index < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index));
}

static const char *serial_text(struct arena *a, const X509 *cert)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    const char *text = hex ? arena_strdup(a, hex) : NULL;

    OPENSSL_free(hex);
    BN_free(number);
    return text;
}

static const char *fingerprint_text(struct arena *a, const X509 *cert)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    char *text;

    if (!X509_digest(cert, EVP_sha256(), digest, &size))
        return NULL;
    text = arena_alloc(a, (size_t)size * 3 + 1);
    for (unsigned int i = 0; i < size; i++)
        snprintf(text + (size_t)i * 3, 4, "%02X%s", digest[i], i + 1 < size ? ":" : "");
    return text;
}

/* NULL when it is neither 4 nor 16 bytes long. */
static const char *address_text(struct arena *a, const ASN1_STRING *bytes)
{
    char text[INET6_ADDRSTRLEN];
    int len = ASN1_STRING_length(bytes);

    if (len != sizeof(struct in_addr) && len != sizeof(struct in6_addr))
        return NULL;
    inet_ntop(len == sizeof(struct in_addr) ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes),
              text, sizeof(text));
    return arena_strdup(a, text);
}

/* NULL when there are none; *readable tells whether they were. */
static GENERAL_NAMES *names_of(const X509 *cert, bool *readable)
{
    int found;
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, &found, NULL);

    *readable = names || found == -1; /* -1: absent; -2: more than one */
    return names;
}

/* DNS names and addresses; other kinds (mail addresses, URIs) have no place in info. */
static bool read_names(struct pki_info *info, const X509 *cert)
{
    bool readable;
    GENERAL_NAMES *names = names_of(cert, &readable);
    size_t count = names ? (size_t)sk_GENERAL_NAME_num(names) : 0, n_dns = 0, n_addresses = 0;
    const char **dns = arena_alloc(&info->arena, (count + 1) * sizeof(*dns));
    const char **addresses = arena_alloc(&info->arena, (count + 1) * sizeof(*addresses));

    for (size_t i = 0; readable && i < count; i++) {
        int type;
        const void *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, (int)i), &type);

        if (type == GEN_DNS)
            readable = (dns[n_dns++] = string_text(&info->arena, value)) != NULL;
        else if (type == GEN_IPADD)
            readable = (addresses[n_addresses++] = address_text(&info->arena, value)) != NULL;
    }
    info->dns = dns;
    info->addresses = addresses;
    GENERAL_NAMES_free(names);
    return readable;
}

int pki_inspect(const char *cert_pem, struct pki_info *info, struct err *err)
{
    const ASN1_STRING *subject;
    X509 *cert;
    int rc = -1;

    *info = (struct pki_info){.arena = ARENA_INIT};
    cert = pki_x509_read_cert(cert_pem, err);
    if (!cert)
        return -1;
    subject = common_name(cert);
    info->subject = subject ? string_text(&info->arena, subject) : "";
    info->issuer = name_text(&info->arena, X509_get_issuer_name(cert));
    info->serial = serial_text(&info->arena, cert);
    info->fingerprint = fingerprint_text(&info->arena, cert);
    info->is_ca = X509_check_ca(cert) == 1;
    if (!info->subject || !info->issuer || !info->serial || !info->fingerprint)
        pki_x509_error(err, ERR_INPUT, "the certificate holds what cannot be read");
    else if (!read_names(info, cert))
        pki_x509_error(err, ERR_INPUT, "the names of the certificate cannot be read");
    else
        rc = pki_x509_times(cert, &info->not_before, &info->not_after, err);
    ERR_clear_error();
    X509_free(cert);
    return rc;
}

void pki_info_release(struct pki_info *info)
{
    arena_release(&info->arena);
    *info = (struct pki_info){.arena = ARENA_INIT};
}

/* Byte for byte: PostgreSQL compares a role's name so. */
static bool subject_is(const X509 *cert, const char *name)
{
    const ASN1_STRING *subject = common_name(cert);
    size_t len = strlen(name);

    return subject && X509_NAME_entry_count(X509_get_subject_name(cert)) == 1 &&
           (size_t)ASN1_STRING_length(subject) == len &&
           memcmp(ASN1_STRING_get0_data(subject), name, len) == 0;
}

static bool same_names(GENERAL_NAMES *wanted, GENERAL_NAMES *actual)
{
    int count = sk_GENERAL_NAME_num(wanted); /* each once */

    if (count != (actual ? sk_GENERAL_NAME_num(actual) : 0))
        return false;
    for (int i = 0; i < count; i++) {
        int j = 0;

        while (j < count && GENERAL_NAME_cmp(sk_GENERAL_NAME_value(wanted, i),
                                             sk_GENERAL_NAME_value(actual, j)) != 0)
            j++;
        if (j == count)
            return false;
    }
    return true;
}

/* False, too, when the request is none that could be issued. */
static bool names_match(const X509 *cert, const struct pki_request *request)
{
    struct err err = ERR_INIT;
    bool readable;
    GENERAL_NAMES *wanted = pki_x509_names(request, &err);
    GENERAL_NAMES *actual = names_of(cert, &readable);
    bool match = wanted && readable && same_names(wanted, actual);

    GENERAL_NAMES_free(actual);
    GENERAL_NAMES_free(wanted);
    err_release(&err);
    return match;
}

static bool usages_match(X509 *cert, const struct pki_request *request)
{
    uint32_t wanted =
        (request->server ? XKU_SSL_SERVER : 0U) | (request->client ? XKU_SSL_CLIENT : 0U);

    return X509_check_ca(cert) == 0 && X509_get_key_usage(cert) == KU_DIGITAL_SIGNATURE &&
           X509_get_extended_key_usage(cert) == wanted;
}

static bool signed_by_first(const char *ca_certs_pem, X509 *cert)
{
    struct err err = ERR_INIT;
    STACK_OF(X509) *certs = pki_x509_read_bundle(ca_certs_pem ? ca_certs_pem : "", &err);
    X509 *ca = certs ? sk_X509_value(certs, 0) : NULL;
    bool is_signed = ca && X509_check_issued(ca, cert) == X509_V_OK &&
                     X509_verify(cert, X509_get0_pubkey(ca)) == 1;

    sk_X509_pop_free(certs, X509_free);
    err_release(&err);
    return is_signed;
}

bool pki_expires_soon(int64_t not_before, int64_t not_after, int64_t now_s)
{
    if (now_s >= not_after)
        return true;
    return now_s > not_before && (not_after - now_s) * 3 < not_after - not_before;
}

static enum pki_verdict judge_times(const X509 *cert, int64_t now_s)
{
    struct err err = ERR_INIT;
    int64_t not_before, not_after;

    if (pki_x509_times(cert, &not_before, &not_after, &err) < 0) {
        err_release(&err);
        return PKI_UNREADABLE;
    }
    if (now_s < not_before)
        return PKI_NOT_YET_VALID;
    return pki_expires_soon(not_before, not_after, now_s) ? PKI_EXPIRES_SOON : PKI_GOOD;
}

static enum pki_verdict judge(const char *ca_certs_pem, X509 *cert, const EVP_PKEY *key,
                              const struct pki_request *request, int64_t now_s)
{
    if (!cert || !key)
        return PKI_UNREADABLE;
    if (X509_check_private_key(cert, key) != 1)
        return PKI_KEY_MISMATCH;
    if (!signed_by_first(ca_certs_pem, cert))
        return PKI_OTHER_CA;
    if (!names_match(cert, request) || !subject_is(cert, request->name) ||
        !usages_match(cert, request))
        return PKI_NAMES_DIFFER;
    return judge_times(cert, now_s);
}

enum pki_verdict pki_judge(const char *ca_certs_pem, const struct pki_pair *pair,
                           const struct pki_request *request, int64_t now_s)
{
    struct err err = ERR_INIT;
    enum pki_verdict verdict;
    EVP_PKEY *key;
    X509 *cert;

    if (!pair->cert || !*pair->cert || !pair->key || !*pair->key)
        return PKI_MISSING;
    cert = pki_x509_read_cert(pair->cert, &err);
    key = pki_x509_read_key(pair->key, &err);
    verdict = judge(ca_certs_pem, cert, key, request, now_s);
    ERR_clear_error();
    EVP_PKEY_free(key);
    X509_free(cert);
    err_release(&err);
    return verdict;
}

const char *pki_verdict_text(enum pki_verdict verdict)
{
    static const char *const texts[] = {
#define X(name, text) [name] = (text),
        PKI_VERDICTS(X)
#undef X
    };

    if ((size_t)verdict >= ARRAY_LEN(texts))
        BUG("verdict %d", (int)verdict);
    return texts[verdict];
}

static X509_STORE *store_of(const char *bundle_pem, struct err *err)
{
    STACK_OF(X509) *certs = pki_x509_read_bundle(bundle_pem, err);
    X509_STORE *store = certs ? X509_STORE_new() : NULL;
    bool ok = store != NULL;

    for (int i = 0; ok && i < sk_X509_num(certs); i++)
        ok = X509_STORE_add_cert(store, sk_X509_value(certs, i));
    if (certs && !ok)
        pki_x509_error(err, ERR_FAILED, "OpenSSL");
    sk_X509_pop_free(certs, X509_free);
    if (ok)
        return store;
    X509_STORE_free(store);
    return NULL;
}

static int verify(X509_STORE *store, X509 *cert, int64_t now_s, struct err *err)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int rc = -1;

    if (!context || !X509_STORE_CTX_init(context, store, cert, NULL)) {
        pki_x509_error(err, ERR_FAILED, "OpenSSL");
        goto out;
    }
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), (time_t)now_s);
    if (X509_verify_cert(context) == 1)
        rc = 0;
    else
        err_set(err, ERR_FAILED, "the certificate is not trusted: %s",
                X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
    ERR_clear_error();
out:
    X509_STORE_CTX_free(context);
    return rc;
}

int pki_verify_chain(const char *bundle_pem, const char *cert_pem, int64_t now_s, struct err *err)
{
    X509 *cert = pki_x509_read_cert(cert_pem, err);
    X509_STORE *store = cert ? store_of(bundle_pem, err) : NULL;
    int rc = store ? verify(store, cert, now_s, err) : -1;

    X509_STORE_free(store);
    X509_free(cert);
    return rc;
}
