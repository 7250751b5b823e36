/*
 * tls.h - who of a cluster has a certificate, and for which names.
 *
 * One authority (pki.h), a pair for every host and one for this program. They live among the
 * secrets: ca_cert, ca_key, tls_cert_HOST, tls_key_HOST, and HOST "controller". The authority's
 * certificate is also a file of the state folder, because libpq and people want a path.
 */
#ifndef PGHA_TLS_H
#define PGHA_TLS_H

#include "lib/cluster/cluster.h"
#include "lib/cluster/pki.h"
#include "lib/net/http.h"

/* Makes what is missing, what no longer fits its host, and what expires soon. *grew is set when
 * there was any; the secrets must be saved then. Keys are registered for redaction. */
int tls_prepare(struct secrets *s, const struct cluster *c, int64_t now_s, bool *grew,
                struct err *err) MUST_USE;

/* PEM texts; valid as long as the secrets. host: of the cluster. */
const char *tls_ca(const struct secrets *s);
const char *tls_cert(const struct secrets *s, const char *host);
const char *tls_key(const struct secrets *s, const char *host);
/* What this program shows and trusts when it talks to a host. */
struct http_tls tls_controller(const struct secrets *s);

/*
 * Rotation of the authority, in steps that are each deployed before the next, so that at every
 * moment everybody trusts everybody:
 * begin    a new authority is trusted beside the old one, which still signs
 * advance  the new one signs, the old one is still trusted; then the old one is gone
 */
enum tls_rotation { TLS_SETTLED, TLS_NEW_TRUSTED, TLS_NEW_SIGNS };
bool tls_authority_expires(const struct secrets *s,
                           int64_t now_s); /* a third of its life is left */
enum tls_rotation tls_rotation(const struct secrets *s);
int tls_rotate_begin(struct secrets *s, const struct cluster *c, int64_t now_s,
                     struct err *err) MUST_USE;
int tls_rotate_advance(struct secrets *s, const struct cluster *c, int64_t now_s,
                       struct err *err) MUST_USE;
/* What a host accepts only when the present step has arrived there. pair: released by the caller
 * after use. */
int tls_rotation_proof(struct secrets *s, int64_t now_s, struct pki_pair *pair,
                       struct http_tls *proof, struct err *err) MUST_USE;

/* STATE/pki/ca.crt; caller frees. */
char *tls_ca_path(const char *state_dir);
/* Makes it hold the certificates of the authority; one that does is left alone. */
int tls_save_ca(const struct secrets *s, const char *state_dir, struct err *err) MUST_USE;

#endif
