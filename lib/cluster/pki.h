/*
 * pki.h - a certificate authority of the cluster's own: makes it, issues certificates, judges them.
 *
 *     pki_make_ca("demo", now_s, &ca, err);
 *     if (pki_judge(ca.cert, &pair, &request, now_s) != PKI_GOOD)
 *         pki_issue(&ca, &request, now_s, &pair, err);
 *
 * Pure functions: texts in, texts out; no file, no terminal, no clock. Times are seconds since
 * 1970, UTC. Keys are ECDSA P-256 in PKCS #8 (RFC 5958), "BEGIN PRIVATE KEY", without a passphrase:
 * what Go (etcd), libpq, HAProxy and Python's ssl (Patroni) all read. Certificates follow RFC 5280
 * so closely that X509_V_FLAG_X509_STRICT passes, which Python sets from 3.13 on.
 *
 * Text from outside (PEM, names) that is refused is ERR_INPUT; what OpenSSL cannot do is
 * ERR_FAILED. The message ends in OpenSSL's reason; its error queue is empty afterwards. No message
 * holds a key, but nothing here calls log_secret: that redacts line by line, and a key has several.
 */
#ifndef PGHA_PKI_H
#define PGHA_PKI_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

enum {
    PKI_CA_DAYS = 3650,      /* how long a certificate authority is valid */
    PKI_CERT_DAYS = 365,     /* and a certificate, but never longer than its authority */
    PKI_SKEW_S = 3600,       /* valid from so long before now: clocks of hosts differ */
    PKI_NAME_MAX = 64,       /* characters of a common name (RFC 5280, ub-common-name) */
    PKI_PEM_MAX = 64 * 1024, /* bytes of a PEM text, read or made */
    PKI_BUNDLE_MAX = 8       /* certificates in a bundle */
};

/* A certificate and its private key, PEM texts. */
struct pki_pair {
    char *cert, *key; /* owned (malloc); NULL while there is none */
};

#define PKI_PAIR_INIT                                                                              \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }

void pki_pair_release(struct pki_pair *pair); /* wipes the key; to PKI_PAIR_INIT */

/* What a certificate shall say. Names hold letters, digits, '-', '.' and '_'. */
struct pki_request {
    const char *name;             /* common name: a host, or a PostgreSQL role */
    const char *const *dns;       /* NULL-terminated; may be NULL; "*.x" stands for one label */
    const char *const *addresses; /* IPv4 and IPv6; NULL-terminated; may be NULL */
    bool server, client;          /* one at least; a server needs a DNS name or an address */
};

/* A self-signed authority "NAME CA" that signs certificates, not other authorities. *out is
 * overwritten, not released; it is empty after an error. */
int pki_make_ca(const char *name, int64_t now_s, struct pki_pair *out, struct err *err) MUST_USE;

/* A new key and its certificate. Refuses names and addresses that are none, an authority that is
 * not valid now, and one whose key belongs to another certificate. Of ca->cert the first
 * certificate counts. A name that is there twice is written once. *out as above. */
int pki_issue(const struct pki_pair *ca, const struct pki_request *request, int64_t now_s,
              struct pki_pair *out, struct err *err) MUST_USE;

/* What a certificate says, for people: control characters and what is not ASCII are escaped as
 * in RFC 4514. */
struct pki_info {
    struct arena arena;            /* holds the texts below */
    const char *subject;           /* its (first) common name; "" when it has none */
    const char *issuer;            /* the whole name: "CN=demo CA,O=pgha-deploy" */
    const char *const *dns;        /* subject alternative names, in their order, NULL-terminated */
    const char *const *addresses;  /* the same */
    const char *serial;            /* upper-case hexadecimal, as `openssl x509 -serial` */
    const char *fingerprint;       /* SHA-256 of the certificate, "AB:CD:...": 95 characters */
    int64_t not_before, not_after; /* first and last second of its validity */
    bool is_ca;
};

/* The first certificate of the text. info may be released either way. */
int pki_inspect(const char *cert_pem, struct pki_info *info, struct err *err) MUST_USE;
void pki_info_release(struct pki_info *info);

/* Verdict on a pair, and the words for it after "the certificate of db1: ". */
#define PKI_VERDICTS(X)                                                                            \
    X(PKI_GOOD, "it is good")                                                                      \
    X(PKI_MISSING, "there is none")                                                                \
    X(PKI_UNREADABLE, "it cannot be read")                                                         \
    X(PKI_KEY_MISMATCH, "its key belongs to another certificate")                                  \
    X(PKI_OTHER_CA, "another certificate authority signed it")                                     \
    X(PKI_NAMES_DIFFER, "its names or usages differ")                                              \
    X(PKI_NOT_YET_VALID, "it is not valid yet")                                                    \
    X(PKI_EXPIRES_SOON, "less than a third of its lifetime is left")

enum pki_verdict {
#define X(verdict, text) verdict,
    PKI_VERDICTS(X)
#undef X
};

/* Why the pair must be issued anew, the first reason in the order above. Of ca_certs_pem the first
 * certificate is the one that signs; the others, as in a rotation, count as other authorities. A
 * request or a bundle that is itself wrong never gets PKI_GOOD; pki_issue says what is wrong. */
enum pki_verdict pki_judge(const char *ca_certs_pem, const struct pki_pair *pair,
                           const struct pki_request *request, int64_t now_s) MUST_USE;
const char *pki_verdict_text(enum pki_verdict verdict);

/* Less than a third of the lifetime is left: the rule of pki_judge, for authorities as well. */
bool pki_expires_soon(int64_t not_before, int64_t not_after, int64_t now_s);

/* 0 when the first certificate of cert_pem is valid at now_s and signed by one of the authorities
 * of the bundle, as a client with that bundle would find. ERR_FAILED names OpenSSL's reason. */
int pki_verify_chain(const char *bundle_pem, const char *cert_pem, int64_t now_s,
                     struct err *err) MUST_USE;

#endif
