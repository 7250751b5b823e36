/*
 * rotate.c - new passwords and a new authority on a running cluster.
 *
 * What is to come is sealed in the state folder before anything is changed, so a run that was
 * killed at any point is completed by the next.
 */
#include "lib/base/clock.h"
#include "lib/cluster/sqlobjects.h"
#include "lib/cluster/tls.h"
#include "lib/deploy/stage.h"

enum { SQL_TIMEOUT_MS = 10000, ARRIVAL_MS = 60000, POLL_MS = 200, WAKE_MS = 1000, PROOF_MS = 3000 };

/* ---- passwords ---- */

/* A run that was killed may have left the superuser with either password. */
static int write_passwords(struct deploy *d, struct err *err)
{
    struct check_target t = deploy_check_target(d);
    struct patroni_api api = {d->cluster, &d->secrets, 0};
    struct arena arena = ARENA_INIT;
    struct patroni_view view;
    struct pg_target login;
    int rc = patroni_view(&api, &arena, &view, err);

    if (rc == 0) {
        login = check_primary(&t, &view, SQL_TIMEOUT_MS);
        rc = sql_rotate_passwords(&d->secrets, &login, err);
        if (rc < 0 && err->code == ERR_DENIED && secrets_next(&d->secrets, "superuser")) {
            err_release(err);
            login.password = secrets_next(&d->secrets, "superuser");
            rc = sql_rotate_passwords(&d->secrets, &login, err);
        }
    }
    patroni_view_release(&view);
    arena_release(&arena);
    return rc;
}

static int rotate_passwords(struct deploy *d, struct deploy_result *r, struct err *err)
{
    int64_t start = clock_mono_ms();

    if (!secrets_rotating(&d->secrets))
        return 0;
    stage_begin(d, "rotate", "passwords");
    if (write_passwords(d, err) < 0)
        return err_wrap(err, "changing passwords in the database");
    secrets_rotate_end(&d->secrets);
    if (deploy_save_secrets(d, err) < 0)
        return -1;
    deploy_note(r, "secrets", "new passwords", NULL, NULL);
    stage_end(d, "rotate", start);
    return 0;
}

/* ---- the authority ---- */

static int try_host(const struct cluster *c, const char *address, int port, const char *path,
                    const struct http_tls *tls, struct err *err)
{
    char *url = xasprintf("https://%s:%d%s", address, port, path);
    struct str answer;
    struct http h = {
        .url = url, .tls = *tls, .timeout_ms = PROOF_MS, .response = &answer, .route = c->route};
    int rc;

    str_init(&answer, 1 << 16);
    rc = http_do(&h, err);
    str_release(&answer);
    free(url);
    return rc;
}

/* Every member of Patroni and etcd accepts the proof, and shows what the proof accepts. */
static int all_accept(struct deploy *d, const struct http_tls *proof, struct err *err)
{
    const struct cluster *c = d->cluster;

    vec_each (h, &c->hosts) {
        if (h->is_db && try_host(c, h->address, c->port_patroni, "/liveness", proof, err) < 0)
            return -1;
        if (h->is_etcd && try_host(c, h->address, c->port_etcd_client, "/health", proof, err) < 0)
            return -1;
    }
    return 0;
}

static int wait_arrival(struct deploy *d, struct err *err)
{
    struct patroni_api api = {d->cluster, &d->secrets, 0};
    int64_t deadline = clock_mono_ms() + ARRIVAL_MS, wake = 0;
    struct pki_pair pair = PKI_PAIR_INIT;
    struct http_tls proof;
    int rc = tls_rotation_proof(&d->secrets, clock_real_ms() / 1000, &pair, &proof, err);

    while (rc == 0 && (rc = all_accept(d, &proof, err)) < 0 && clock_mono_ms() < deadline &&
           !clock_stop_requested()) {
        err_release(err);
        rc = 0;
        if (clock_mono_ms() >= wake) {
            patroni_wake(&api);
            wake = clock_mono_ms() + WAKE_MS;
        }
        clock_sleep_ms(POLL_MS);
    }
    pki_pair_release(&pair);
    return rc < 0 ? err_wrap(err, "waiting for the new certificates to be in use") : 0;
}

static int rotate_pki(struct deploy *d, struct deploy_result *r, struct err *err)
{
    while (tls_rotation(&d->secrets) != TLS_SETTLED) {
        bool signs = tls_rotation(&d->secrets) == TLS_NEW_SIGNS;

        if (converge(d, false, r, err) < 0 || wait_arrival(d, err) < 0 ||
            tls_rotate_advance(&d->secrets, d->cluster, clock_real_ms() / 1000, err) < 0 ||
            deploy_save_secrets(d, err) < 0)
            return -1;
        deploy_note(r, "secrets",
                    signs ? "the old authority is trusted no more" : "the new authority signs",
                    NULL, NULL);
    }
    return 0;
}

bool rotation_is_pending(const struct deploy *d)
{
    return secrets_rotating(&d->secrets) || tls_rotation(&d->secrets) != TLS_SETTLED;
}

int rotate_old_authority(struct deploy *d, struct err *err)
{
    int64_t now_s = clock_real_ms() / 1000;

    if (!tls_authority_expires(&d->secrets, now_s))
        return 0;
    return tls_rotate_begin(&d->secrets, d->cluster, now_s, err) < 0 ? -1
                                                                     : deploy_save_secrets(d, err);
}

void rotate_if_possible(struct deploy *d, struct deploy_result *r)
{
    struct err ignored = ERR_INIT;

    if (rotate_passwords(d, r, &ignored) < 0)
        err_release(&ignored);
}

int rotate_pending(struct deploy *d, struct deploy_result *r, struct err *err)
{
    return rotate_passwords(d, r, err) < 0 || rotate_pki(d, r, err) < 0 ? -1 : 0;
}

int deploy_rotate(struct deploy *d, unsigned what, struct deploy_result *r, struct err *err)
{
    int64_t now_s = clock_real_ms() / 1000;

    if (d->confirm && !d->confirm(d->confirm_ctx, "Give the cluster new secrets."))
        return err_set(err, ERR_INTERRUPTED, "not confirmed, nothing was changed");
    d->confirm = NULL;
    if (what & ROTATE_PASSWORDS)
        secrets_rotate_begin(&d->secrets, d->cluster);
    if ((what & ROTATE_PKI) && tls_rotate_begin(&d->secrets, d->cluster, now_s, err) < 0)
        return -1;
    return deploy_save_secrets(d, err) < 0 ? -1 : deploy_up(d, r, err);
}
