/*
 * pki.c - makes a certificate authority and issues certificates (RFC 5280, section 4).
 */
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "lib/base/clock.h"
#include "lib/cluster/pki_x509.h"

#define ORGANISATION "pgha-deploy"
#define CA_SUFFIX    " CA"

enum { SERIAL_BITS = 127, KEY_ID_BYTES = 20, SECONDS_PER_DAY = 86400 };

/* keyUsage, by the numbers of its bits (RFC 5280, 4.2.1.3). */
enum { USE_DIGITAL_SIGNATURE = 0, USE_KEY_CERT_SIGN = 5, USE_CRL_SIGN = 6 };

static const int64_t last_second = INT64_C(253402300799); /* of the year 9999, ASN.1's last */

void pki_pair_release(struct pki_pair *pair)
{
    if (pair->key)
        OPENSSL_cleanse(pair->key, strlen(pair->key));
    free(pair->key);
    free(pair->cert);
    *pair = (struct pki_pair)PKI_PAIR_INIT;
}

/* Negative, or so late that a validity could not be written: the clock is broken. */
static int check_clock(int64_t now_s, struct err *err)
{
    if (now_s < PKI_SKEW_S || now_s > last_second - (int64_t)PKI_CA_DAYS * SECONDS_PER_DAY)
        return err_set(err, ERR_INPUT, "%lld seconds since 1970 is no time for a certificate",
                       (long long)now_s);
    return 0;
}

/* With its highest bit set: never 0, never negative, always 16 bytes; RFC 5280 allows 20. */
static bool set_serial(X509 *cert)
{
    BIGNUM *number = BN_new();
    bool ok = number && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
              BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));

    BN_free(number);
    return ok;
}

static bool set_subject(X509 *cert, const char *organisation, const char *common_name)
{
    X509_NAME *name = X509_NAME_new();
    bool ok = name &&
              (!organisation ||
               X509_NAME_add_entry_by_NID(name, NID_organizationName, MBSTRING_UTF8,
                                          (const unsigned char *)organisation, -1, -1, 0)) &&
              X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                         (const unsigned char *)common_name, -1, -1, 0) &&
              X509_set_subject_name(cert, name);

    X509_NAME_free(name);
    return ok;
}

static bool set_validity(X509 *cert, int64_t not_before, int64_t not_after)
{
    return ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)not_before) &&
           ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)not_after);
}

/* X509_add1_ext_i2d() returns -1, too, when it fails. */
static bool add_extension(X509 *cert, int nid, void *value, bool critical)
{
    return X509_add1_ext_i2d(cert, nid, value, critical, X509V3_ADD_DEFAULT) == 1;
}

/* An authority signs certificates but no further authority: path length 0. */
static bool add_constraints(X509 *cert, bool is_ca)
{
    BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
    bool ok = constraints != NULL;

    if (ok && is_ca) {
        constraints->ca = 0xff; /* DER's TRUE */
        constraints->pathlen = ASN1_INTEGER_new();
        ok = constraints->pathlen && ASN1_INTEGER_set(constraints->pathlen, 0);
    }
    ok = ok && add_extension(cert, NID_basic_constraints, constraints, true);
    BASIC_CONSTRAINTS_free(constraints);
    return ok;
}

static bool add_key_usage(X509 *cert, bool is_ca)
{
    ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    bool ok = bits && (is_ca ? ASN1_BIT_STRING_set_bit(bits, USE_KEY_CERT_SIGN, 1) &&
                                   ASN1_BIT_STRING_set_bit(bits, USE_CRL_SIGN, 1)
                             : ASN1_BIT_STRING_set_bit(bits, USE_DIGITAL_SIGNATURE, 1));

    ok = ok && add_extension(cert, NID_key_usage, bits, true);
    ASN1_BIT_STRING_free(bits);
    return ok;
}

static bool add_extended_key_usage(X509 *cert, const struct pki_request *request)
{
    EXTENDED_KEY_USAGE *usages = EXTENDED_KEY_USAGE_new();
    bool ok = usages &&
              (!request->server || sk_ASN1_OBJECT_push(usages, OBJ_nid2obj(NID_server_auth)) > 0) &&
              (!request->client || sk_ASN1_OBJECT_push(usages, OBJ_nid2obj(NID_client_auth)) > 0) &&
              add_extension(cert, NID_ext_key_usage, usages, false);

    EXTENDED_KEY_USAGE_free(usages);
    return ok;
}

/* The first 160 bits of the public key's SHA-256 (RFC 7093, section 2, method 1). */
static bool add_subject_key_id(X509 *cert)
{
    ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    bool ok = id && X509_pubkey_digest(cert, EVP_sha256(), digest, NULL) &&
              ASN1_OCTET_STRING_set(id, digest, KEY_ID_BYTES) &&
              add_extension(cert, NID_subject_key_identifier, id, false);

    ASN1_OCTET_STRING_free(id);
    return ok;
}

/* Two authorities of the same name, as in a rotation, are told apart by this. The issuer may be the
 * certificate itself: X509_get0_subject_key_id() would need it signed. */
static bool add_authority_key_id(X509 *cert, const X509 *issuer)
{
    AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
    bool ok = authority != NULL;

    if (ok)
        authority->keyid = X509_get_ext_d2i(issuer, NID_subject_key_identifier, NULL, NULL);
    ok = ok && authority->keyid &&
         add_extension(cert, NID_authority_key_identifier, authority, false);
    AUTHORITY_KEYID_free(authority);
    return ok;
}

/* What every certificate has, but for what its issuer adds. */
static bool fill_common(X509 *cert, EVP_PKEY *key, bool is_ca)
{
    return X509_set_version(cert, X509_VERSION_3) && set_serial(cert) &&
           X509_set_pubkey(cert, key) && add_constraints(cert, is_ca) &&
           add_key_usage(cert, is_ca) && add_subject_key_id(cert);
}

static bool sign(X509 *cert, const X509 *issuer, EVP_PKEY *issuer_key)
{
    return X509_set_issuer_name(cert, X509_get_subject_name(issuer)) &&
           add_authority_key_id(cert, issuer) && X509_sign(cert, issuer_key, EVP_sha256()) > 0;
}

int pki_make_ca(const char *name, int64_t now_s, struct pki_pair *out, struct err *err)
{
    char common_name[PKI_NAME_MAX + 1];
    EVP_PKEY *key;
    X509 *cert;
    int rc = -1;

    *out = (struct pki_pair)PKI_PAIR_INIT;
    ERR_clear_error();
    if (pki_x509_check_name(name, PKI_NAME_MAX - strlen(CA_SUFFIX), err) < 0 ||
        check_clock(now_s, err) < 0)
        return -1;
    snprintf(common_name, sizeof(common_name), "%s" CA_SUFFIX, name);
    key = EVP_EC_gen("P-256");
    cert = X509_new();
    if (!key || !cert || !fill_common(cert, key, true) ||
        !set_subject(cert, ORGANISATION, common_name) ||
        !set_validity(cert, now_s - PKI_SKEW_S, now_s + (int64_t)PKI_CA_DAYS * SECONDS_PER_DAY) ||
        !sign(cert, cert, key))
        pki_x509_error(err, ERR_FAILED, "making the certificate authority");
    else
        rc = pki_x509_write(cert, key, out, err);
    X509_free(cert);
    EVP_PKEY_free(key);
    return rc;
}

/* A certificate authority that may sign now. */
struct authority {
    X509 *cert;
    EVP_PKEY *key;
    int64_t not_before, not_after;
};

static int check_authority(struct authority *ca, int64_t now_s, struct err *err)
{
    char from[32], until[32], now[32];

    if (X509_check_private_key(ca->cert, ca->key) != 1)
        return pki_x509_error(err, ERR_INPUT, "its key belongs to another certificate");
    if (X509_check_ca(ca->cert) != 1 || !X509_get0_subject_key_id(ca->cert))
        return pki_x509_error(err, ERR_INPUT, "its certificate is not one of an authority");
    if (pki_x509_times(ca->cert, &ca->not_before, &ca->not_after, err) < 0)
        return -1;
    if (now_s >= ca->not_before && now_s < ca->not_after)
        return 0;
    clock_iso8601(ca->not_before * 1000, from);
    clock_iso8601(ca->not_after * 1000, until);
    clock_iso8601(now_s * 1000, now);
    return err_set(err, ERR_INPUT, "it is valid from %s to %s, and now it is %s", from, until, now);
}

static void authority_release(struct authority *ca)
{
    EVP_PKEY_free(ca->key);
    X509_free(ca->cert);
}

static int authority_open(struct authority *ca, const struct pki_pair *pair, int64_t now_s,
                          struct err *err)
{
    *ca = (struct authority){.cert = pki_x509_read_cert(pair->cert ? pair->cert : "", err)};
    if (ca->cert)
        ca->key = pki_x509_read_key(pair->key ? pair->key : "", err);
    if (ca->key && check_authority(ca, now_s, err) == 0)
        return 0;
    authority_release(ca);
    return err_wrap(err, "the certificate authority");
}

static bool fill_leaf(X509 *cert, EVP_PKEY *key, const struct pki_request *request,
                      GENERAL_NAMES *names)
{
    return fill_common(cert, key, false) && set_subject(cert, NULL, request->name) &&
           add_extended_key_usage(cert, request) &&
           (sk_GENERAL_NAME_num(names) == 0 ||
            add_extension(cert, NID_subject_alt_name, names, false));
}

/* Within the validity of the authority. */
static bool set_leaf_validity(X509 *cert, const struct authority *ca, int64_t now_s)
{
    int64_t not_before = now_s - PKI_SKEW_S;
    int64_t not_after = now_s + (int64_t)PKI_CERT_DAYS * SECONDS_PER_DAY;

    return set_validity(cert, not_before < ca->not_before ? ca->not_before : not_before,
                        not_after > ca->not_after ? ca->not_after : not_after);
}

static int issue(const struct authority *ca, const struct pki_request *request,
                 GENERAL_NAMES *names, int64_t now_s, struct pki_pair *out, struct err *err)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    int rc = -1;

    if (!key || !cert || !fill_leaf(cert, key, request, names) ||
        !set_leaf_validity(cert, ca, now_s) || !sign(cert, ca->cert, ca->key))
        pki_x509_error(err, ERR_FAILED, "making the certificate");
    else
        rc = pki_x509_write(cert, key, out, err);
    X509_free(cert);
    EVP_PKEY_free(key);
    return rc;
}

int pki_issue(const struct pki_pair *ca, const struct pki_request *request, int64_t now_s,
              struct pki_pair *out, struct err *err)
{
    GENERAL_NAMES *names = pki_x509_names(request, err);
    struct authority authority;
    int rc = -1;

    *out = (struct pki_pair)PKI_PAIR_INIT;
    if (names && check_clock(now_s, err) == 0 && authority_open(&authority, ca, now_s, err) == 0) {
        rc = issue(&authority, request, names, now_s, out, err);
        authority_release(&authority);
    }
    GENERAL_NAMES_free(names);
    return rc;
}
