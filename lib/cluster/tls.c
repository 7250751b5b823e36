/* tls.c - who of a cluster has a certificate, and for which names. */
#include "lib/cluster/tls.h"

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/cluster/pki.h"

enum { NAMES_MAX = 4 };

#define CONTROLLER "controller"
#define CA_FILE    "pki/ca.crt"

static const char *secret_name(struct arena *a, const char *what, const char *host)
{
    return arena_printf(a, "tls_%s_%s", what, host);
}

static const char *of_host(const struct secrets *s, const char *what, const char *host)
{
    struct arena arena = ARENA_INIT;
    const char *text = secrets_get(s, secret_name(&arena, what, host));

    arena_release(&arena);
    return text;
}

/* The log redacts line by line. */
static void redact_key(const char *pem)
{
    for (const char *line = pem; line && *line;) {
        size_t n = strcspn(line, "\n");

        if (n && *line != '-') {
            char *text = xstrndup(line, n);

            log_secret(text);
            free(text);
        }
        line += n + (line[n] == '\n');
    }
}

static void keep(struct secrets *s, const char *cert_name, const char *key_name,
                 const struct pki_pair *pair)
{
    value_map_set(&s->arena, s->values, cert_name, value_str(&s->arena, pair->cert));
    value_map_set(&s->arena, s->values, key_name, value_str(&s->arena, pair->key));
}

/* ---- the authority ---- */

bool tls_authority_expires(const struct secrets *s, int64_t now_s)
{
    struct err ignored = ERR_INIT;
    struct pki_info info;
    bool expires = pki_inspect(tls_ca(s), &info, &ignored) < 0 ||
                   pki_expires_soon(info.not_before, info.not_after, now_s);

    err_release(&ignored);
    pki_info_release(&info);
    return expires;
}

static int want_authority(struct secrets *s, const struct cluster *c, int64_t now_s, bool *grew,
                          struct err *err)
{
    struct pki_pair pair = PKI_PAIR_INIT;
    int rc = 0;

    if (!value_get_str(s->values, "ca_cert", NULL) || !value_get_str(s->values, "ca_key", NULL)) {
        rc = pki_make_ca(c->name, now_s, &pair, err);
        if (rc == 0) {
            keep(s, "ca_cert", "ca_key", &pair);
            *grew = true;
        }
        pki_pair_release(&pair);
    }
    if (rc == 0)
        redact_key(secrets_get(s, "ca_key"));
    return rc;
}

/* ---- pairs ---- */

static int want_pair(struct secrets *s, const struct pki_request *request, int64_t now_s,
                     bool *grew, struct err *err)
{
    const char *cert_name = secret_name(&s->arena, "cert", request->name);
    const char *key_name = secret_name(&s->arena, "key", request->name);
    struct pki_pair ca = {(char *)secrets_get(s, "ca_cert"), (char *)secrets_get(s, "ca_key")};
    struct pki_pair have = {(char *)value_get_str(s->values, cert_name, NULL),
                            (char *)value_get_str(s->values, key_name, NULL)};
    struct pki_pair made = PKI_PAIR_INIT;
    enum pki_verdict verdict = pki_judge(ca.cert, &have, request, now_s);

    if (verdict != PKI_GOOD) {
        if (pki_issue(&ca, request, now_s, &made, err) < 0)
            return err_wrap(err, "the certificate of %s", request->name);
        log_info("certificate of %s is issued: %s", request->name, pki_verdict_text(verdict));
        keep(s, cert_name, key_name, &made);
        pki_pair_release(&made);
        *grew = true;
    }
    redact_key(secrets_get(s, key_name));
    return 0;
}

/* Clients reach PostgreSQL and the balancers' statistics through the shared address, too. */
static int want_host(struct secrets *s, const struct cluster *c, const struct cluster_host *h,
                     int64_t now_s, bool *grew, struct err *err)
{
    const char *dns[NAMES_MAX] = {h->name, "localhost"};
    const char *addresses[NAMES_MAX] = {h->address, "127.0.0.1"};
    struct pki_request request = {
        .name = h->name, .dns = dns, .addresses = addresses, .server = true, .client = true};

    if (c->vip && (h->is_db || h->is_lb)) {
        dns[2] = c->name;
        addresses[2] = str_eq(c->vip, CLUSTER_VIP_TO_COME) ? NULL : c->vip;
    }
    return want_pair(s, &request, now_s, grew, err);
}

int tls_prepare(struct secrets *s, const struct cluster *c, int64_t now_s, bool *grew,
                struct err *err)
{
    static const struct pki_request controller = {.name = CONTROLLER, .client = true};

    if (want_authority(s, c, now_s, grew, err) < 0 ||
        want_pair(s, &controller, now_s, grew, err) < 0)
        return -1;
    vec_each (h, &c->hosts)
        if (want_host(s, c, h, now_s, grew, err) < 0)
            return -1;
    return 0;
}

/* ---- rotation ---- */

static const char *const end_line = "-----END CERTIFICATE-----\n";

/* The first certificate of the bundle is the one that signs. */
static size_t first_length(const char *bundle)
{
    const char *end = strstr(bundle, end_line);

    return end ? (size_t)(end - bundle) + strlen(end_line) : strlen(bundle);
}

enum tls_rotation tls_rotation(const struct secrets *s)
{
    const char *bundle = tls_ca(s);

    if (value_get_str(s->values, "ca_next_key", NULL))
        return TLS_NEW_TRUSTED;
    return bundle[first_length(bundle)] ? TLS_NEW_SIGNS : TLS_SETTLED;
}

static void set_bundle(struct secrets *s, const char *first, const char *second)
{
    value_map_set(&s->arena, s->values, "ca_cert",
                  value_strf(&s->arena, "%.*s%s", (int)first_length(first), first, second));
}

/* Patroni reads its authorities anew only together with another certificate of its own. */
static int issue_all(struct secrets *s, const struct cluster *c, int64_t now_s, struct err *err)
{
    bool grew;

    vec_each (h, &c->hosts)
        value_map_del(s->values, secret_name(&s->arena, "cert", h->name));
    return tls_prepare(s, c, now_s, &grew, err);
}

int tls_rotate_begin(struct secrets *s, const struct cluster *c, int64_t now_s, struct err *err)
{
    struct pki_pair pair = PKI_PAIR_INIT;

    if (tls_rotation(s) != TLS_SETTLED)
        return 0; /* one that was stopped: it is completed first */
    if (pki_make_ca(c->name, now_s, &pair, err) < 0)
        return -1;
    keep(s, "ca_next_cert", "ca_next_key", &pair);
    redact_key(pair.key);
    set_bundle(s, tls_ca(s), pair.cert);
    pki_pair_release(&pair);
    return issue_all(s, c, now_s, err);
}

int tls_rotate_advance(struct secrets *s, const struct cluster *c, int64_t now_s, struct err *err)
{
    const char *old = tls_ca(s), *next = value_get_str(s->values, "ca_next_cert", NULL);

    if (!next) {
        set_bundle(s, old, "");
        return issue_all(s, c, now_s, err);
    }
    value_map_set(&s->arena, s->values, "ca_key",
                  value_str(&s->arena, secrets_get(s, "ca_next_key")));
    set_bundle(s, next, arena_strndup(&s->arena, old, first_length(old)));
    value_map_del(s->values, "ca_next_cert");
    value_map_del(s->values, "ca_next_key");
    return issue_all(s, c, now_s, err);
}

int tls_rotation_proof(struct secrets *s, int64_t now_s, struct pki_pair *pair,
                       struct http_tls *proof, struct err *err)
{
    static const struct pki_request controller = {.name = CONTROLLER, .client = true};
    struct pki_pair next = {(char *)value_get_str(s->values, "ca_next_cert", NULL),
                            (char *)value_get_str(s->values, "ca_next_key", NULL)};
    const char *bundle = tls_ca(s);

    *proof = tls_controller(s);
    if (!next.cert) { /* certificates of the new one alone are good enough for us */
        proof->ca = arena_strndup(&s->arena, bundle, first_length(bundle));
        return 0;
    }
    if (pki_issue(&next, &controller, now_s, pair, err) < 0)
        return -1;
    proof->cert = pair->cert;
    proof->key = pair->key;
    return 0;
}

/* ---- using them ---- */

const char *tls_ca(const struct secrets *s)
{
    return secrets_get(s, "ca_cert");
}

const char *tls_cert(const struct secrets *s, const char *host)
{
    return of_host(s, "cert", host);
}

const char *tls_key(const struct secrets *s, const char *host)
{
    return of_host(s, "key", host);
}

struct http_tls tls_controller(const struct secrets *s)
{
    return (struct http_tls){tls_ca(s), tls_cert(s, CONTROLLER), tls_key(s, CONTROLLER)};
}

char *tls_ca_path(const char *state_dir)
{
    return path_join(state_dir, CA_FILE);
}

int tls_save_ca(const struct secrets *s, const char *state_dir, struct err *err)
{
    const char *text = tls_ca(s);

    return state_has(state_dir, CA_FILE, text)
               ? 0
               : state_write(state_dir, CA_FILE, text, strlen(text), err);
}
