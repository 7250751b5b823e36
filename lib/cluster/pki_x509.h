/*
 * pki_x509.h - what pki.c and pki_check.c share: PEM texts, times and names as OpenSSL has them.
 *
 * For these two files only. Functions that return a pointer give the caller what OpenSSL's own
 * *_free() frees, or NULL with the error set.
 */
#ifndef PGHA_PKI_X509_H
#define PGHA_PKI_X509_H

#include <openssl/x509v3.h>

#include "lib/cluster/pki.h"

/* "WHAT: reason" with the first, deepest error of OpenSSL's queue, which is emptied. */
int pki_x509_error(struct err *err, enum err_code code, const char *what);

X509 *pki_x509_read_cert(const char *pem, struct err *err); /* the first one in the text */
STACK_OF(X509) * pki_x509_read_bundle(const char *pem, struct err *err); /* one at least */
EVP_PKEY *pki_x509_read_key(const char *pem, struct err *err); /* refuses one with a passphrase */
int pki_x509_write(const X509 *cert, const EVP_PKEY *key, struct pki_pair *out,
                   struct err *err) MUST_USE;

/* First and last second of the validity. */
int pki_x509_times(const X509 *cert, int64_t *not_before, int64_t *not_after,
                   struct err *err) MUST_USE;

/* "", NULL, more than max characters, and others than [A-Za-z0-9._-] are refused. */
int pki_x509_check_name(const char *name, size_t max, struct err *err) MUST_USE;
/* Checks the whole request. Its subject alternative names, each once; there may be none. */
GENERAL_NAMES *pki_x509_names(const struct pki_request *request, struct err *err);

#endif
