/*
 * pki_x509.c - PEM texts, times and names as OpenSSL has them.
 *
 * Names become GENERAL_NAME structures by code. OpenSSL's configuration strings ("DNS:a,IP:b")
 * would let a name bring others in.
 */
#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "lib/cluster/pki_x509.h"

enum { DNS_NAME_MAX = 253, DNS_LABEL_MAX = 63 }; /* RFC 1035, 2.3.4, without the last dot */

int pki_x509_error(struct err *err, enum err_code code, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_get_error());

    ERR_clear_error();
    if (!reason)
        return err_set(err, code, "%s", what);
    return err_set(err, code, "%s: %s", what, reason);
}

/* OpenSSL would ask on the terminal otherwise. -1, not 0: that would be an empty passphrase. */
static int refuse_passphrase(char *buf, int size, int rwflag, void *data)
{
    UNUSED(buf);
    UNUSED(size);
    UNUSED(rwflag);
    UNUSED(data);
    return -1;
}

static BIO *open_pem(const char *pem, const char *what, struct err *err)
{
    size_t len = strnlen(pem, PKI_PEM_MAX + 1);
    BIO *bio;

    ERR_clear_error(); /* of others, in this thread */
    if (len > PKI_PEM_MAX) {
        err_set(err, ERR_INPUT, "%s: is longer than %d bytes", what, PKI_PEM_MAX);
        return NULL;
    }
    bio = BIO_new_mem_buf(pem, (int)len);
    if (!bio)
        pki_x509_error(err, ERR_FAILED, what);
    return bio;
}

X509 *pki_x509_read_cert(const char *pem, struct err *err)
{
    static const char what[] = "the certificate cannot be read";
    BIO *bio = open_pem(pem, what, err);
    X509 *cert;

    if (!bio)
        return NULL;
    cert = PEM_read_bio_X509(bio, NULL, refuse_passphrase, NULL);
    if (!cert)
        pki_x509_error(err, ERR_INPUT, what);
    BIO_free(bio);
    return cert;
}

/* Reads to the end of the text; with -1 the list may be partly filled. */
static int read_all(BIO *bio, STACK_OF(X509) * certs, const char *what, struct err *err)
{
    unsigned long last;
    X509 *cert;

    while ((cert = PEM_read_bio_X509(bio, NULL, refuse_passphrase, NULL)) != NULL) {
        if (sk_X509_push(certs, cert) <= 0) {
            X509_free(cert);
            return pki_x509_error(err, ERR_FAILED, what);
        }
        if (sk_X509_num(certs) > PKI_BUNDLE_MAX)
            return err_set(err, ERR_INPUT, "%s: holds more than %d certificates", what,
                           PKI_BUNDLE_MAX);
    }
    last = ERR_peek_last_error();
    if (sk_X509_num(certs) == 0 || ERR_GET_LIB(last) != ERR_LIB_PEM ||
        ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
        return pki_x509_error(err, ERR_INPUT, what);
    ERR_clear_error();
    return 0;
}

STACK_OF(X509) * pki_x509_read_bundle(const char *pem, struct err *err)
{
    static const char what[] = "the bundle of certificates cannot be read";
    STACK_OF(X509) *certs = sk_X509_new_null();
    BIO *bio = open_pem(pem, what, err);
    int rc = -1;

    if (bio && certs)
        rc = read_all(bio, certs, what, err);
    else if (bio)
        pki_x509_error(err, ERR_FAILED, what);
    BIO_free(bio);
    if (rc == 0)
        return certs;
    sk_X509_pop_free(certs, X509_free);
    return NULL;
}

EVP_PKEY *pki_x509_read_key(const char *pem, struct err *err)
{
    static const char what[] = "the private key cannot be read";
    BIO *bio = open_pem(pem, what, err);
    EVP_PKEY *key;

    if (!bio)
        return NULL;
    key = PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, NULL);
    if (!key)
        pki_x509_error(err, ERR_INPUT, what);
    ERR_clear_error(); /* decoders leave what they tried */
    BIO_free(bio);
    return key;
}

static char *text_of(BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);

    return xstrndup(data, len > 0 ? (size_t)len : 0);
}

int pki_x509_write(const X509 *cert, const EVP_PKEY *key, struct pki_pair *out, struct err *err)
{
    BIO *cert_bio = BIO_new(BIO_s_mem());
    BIO *key_bio = BIO_new(BIO_s_mem()); /* wiped when freed (BUF_MEM_free) */
    int rc = -1;

    if (!cert_bio || !key_bio || PEM_write_bio_X509(cert_bio, cert) <= 0 ||
        PEM_write_bio_PKCS8PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) <= 0) {
        pki_x509_error(err, ERR_FAILED, "writing a certificate");
        goto out;
    }
    if (BIO_pending(cert_bio) > PKI_PEM_MAX) {
        err_set(err, ERR_INPUT, "the certificate has too many names");
        goto out;
    }
    out->cert = text_of(cert_bio);
    out->key = text_of(key_bio);
    ERR_clear_error(); /* encoders, too, leave what they tried */
    rc = 0;
out:
    BIO_free(key_bio);
    BIO_free(cert_bio);
    return rc;
}

static bool to_seconds(const ASN1_TIME *time, int64_t *seconds)
{
    struct tm tm;

    if (!time || !ASN1_TIME_to_tm(time, &tm))
        return false;
    *seconds = timegm(&tm);
    return true;
}

int pki_x509_times(const X509 *cert, int64_t *not_before, int64_t *not_after, struct err *err)
{
    if (!to_seconds(X509_get0_notBefore(cert), not_before) ||
        !to_seconds(X509_get0_notAfter(cert), not_after))
        return pki_x509_error(err, ERR_INPUT, "the validity of the certificate cannot be read");
    return 0;
}

int pki_x509_check_name(const char *name, size_t max, struct err *err)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-._";

    if (!name || !*name)
        return err_set(err, ERR_INPUT, "a name in a certificate is empty");
    if (strlen(name) > max)
        return err_set(err, ERR_INPUT, "\"%s\" is longer than the %zu characters of a name", name,
                       max);
    if (name[strspn(name, allowed)])
        return err_set(err, ERR_INPUT,
                       "\"%s\" is no name for a certificate: letters, digits, '-', '.' and '_' are",
                       name);
    return 0;
}

/* A wildcard is a whole first label. No label is empty, so there is no dot at either end. */
static int check_dns(const char *name, struct err *err)
{
    const char *rest = str_starts(name, "*.") ? name + 2 : name;
    size_t max = DNS_NAME_MAX - (size_t)(rest - name);
    struct in_addr address;

    if (pki_x509_check_name(rest, max, err) < 0)
        return -1;
    if (inet_pton(AF_INET, rest, &address) == 1)
        return err_set(err, ERR_INPUT, "\"%s\" is an address, not a DNS name", name);
    for (const char *label = rest;; label++) {
        size_t len = strcspn(label, ".");

        if (len == 0 || len > DNS_LABEL_MAX)
            return err_set(err, ERR_INPUT,
                           "\"%s\" is no DNS name: 1 to %d characters go between dots", name,
                           DNS_LABEL_MAX);
        label += len;
        if (!*label)
            return 0;
    }
}

static const char building[] = "building the names of a certificate";

static bool is_among(GENERAL_NAMES *names, GENERAL_NAME *name)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(names, i), name) == 0)
            return true;
    return false;
}

/* type: GEN_DNS, or GEN_IPADD with an address in network byte order. */
static int add_name(GENERAL_NAMES *names, int type, const void *data, size_t len, struct err *err)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value =
        ASN1_STRING_type_new(type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);

    if (!name || !value || !ASN1_STRING_set(value, data, (int)len))
        goto failed;
    GENERAL_NAME_set0_value(name, type, value);
    value = NULL; /* name owns it */
    if (is_among(names, name))
        GENERAL_NAME_free(name);
    else if (sk_GENERAL_NAME_push(names, name) <= 0)
        goto failed;
    return 0;
failed:
    ASN1_STRING_free(value);
    GENERAL_NAME_free(name);
    return pki_x509_error(err, ERR_FAILED, building);
}

static int add_dns(GENERAL_NAMES *names, const char *name, struct err *err)
{
    if (check_dns(name, err) < 0)
        return -1;
    return add_name(names, GEN_DNS, name, strlen(name), err);
}

static int add_address(GENERAL_NAMES *names, const char *text, struct err *err)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, text, bytes) == 1)
        return add_name(names, GEN_IPADD, bytes, sizeof(struct in_addr), err);
    if (inet_pton(AF_INET6, text, bytes) == 1)
        return add_name(names, GEN_IPADD, bytes, sizeof(struct in6_addr), err);
    return err_set(err, ERR_INPUT, "\"%s\" is neither an IPv4 nor an IPv6 address", text);
}

static int fill_names(GENERAL_NAMES *names, const struct pki_request *request, struct err *err)
{
    for (const char *const *dns = request->dns; dns && *dns; dns++)
        if (add_dns(names, *dns, err) < 0)
            return -1;
    for (const char *const *text = request->addresses; text && *text; text++)
        if (add_address(names, *text, err) < 0)
            return -1;
    if (request->server && sk_GENERAL_NAME_num(names) == 0)
        return err_set(err, ERR_INPUT, "a server needs a DNS name or an address");
    return 0;
}

GENERAL_NAMES *pki_x509_names(const struct pki_request *request, struct err *err)
{
    GENERAL_NAMES *names = NULL;

    if (pki_x509_check_name(request->name, PKI_NAME_MAX, err) < 0)
        return NULL;
    if (!request->server && !request->client) {
        err_set(err, ERR_INPUT, "it is for neither a server nor a client");
        return NULL;
    }
    names = sk_GENERAL_NAME_new_null();
    if (!names) {
        pki_x509_error(err, ERR_FAILED, building);
        return NULL;
    }
    if (fill_names(names, request, err) == 0)
        return names;
    GENERAL_NAMES_free(names);
    return NULL;
}
