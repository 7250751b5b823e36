/* ready.c - waiting, with a reason shown, until every member is well and the clients' address takes
 * writes. */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/deploy/stage.h"

enum { POLL_MS = 100, WAKE_MS = 1000, TRY_TIMEOUT_MS = 2000, JOURNAL_MAX = 16 * 1024 };

/* What is not ready yet: the host and unit to look at, and why. */
struct waiting {
    const struct cluster_host *host; /* NULL: the cluster as a whole */
    const char *unit;
    char *reason;
};

static void set_waiting(struct waiting *w, const struct cluster_host *host, const char *unit,
                        char *reason)
{
    free(w->reason);
    *w = (struct waiting){host, unit, reason};
}

static bool etcd_ready(const struct check_target *t, struct waiting *w)
{
    vec_each (h, &t->cluster->hosts) {
        struct err err = ERR_INIT;

        if (h->is_etcd && check_etcd(t, h->address, &err) < 0) {
            set_waiting(w, h, "etcd", xasprintf("etcd on %s: %s", h->name, err.text));
            err_release(&err);
            return false;
        }
    }
    return true;
}

static const struct patroni_member *find_member(const struct patroni_view *view, const char *name)
{
    vec_each (m, &view->members)
        if (str_eq(m->name, name))
            return m;
    return NULL;
}

/* Patroni names synchronous standbys only after they stream. */
static bool standby_is_synchronous(const struct cluster *c, const struct patroni_view *view,
                                   struct waiting *w)
{
    if (str_eq(value_at(c->config, "postgres.synchronous")->u.str.s, "off"))
        return true;
    vec_each (m, &view->members)
        if (patroni_is_sync(m))
            return true;
    set_waiting(w, NULL, NULL, xstrdup("no standby is synchronous yet"));
    return false;
}

/* Why a member is not ready; NULL when it is. After a failover a replica streams before it is on
 * the new timeline. */
static char *member_reason(const struct patroni_view *view, const char *name)
{
    const struct patroni_member *m = find_member(view, name);

    if (!m)
        return xasprintf("%s has not joined the cluster", name);
    if (!patroni_member_ok(m))
        return xasprintf("%s (%s) is %s", name, m->role, m->state);
    if (view->leader && m->timeline != view->leader->timeline)
        return xasprintf("%s is still on timeline %lld", name, (long long)m->timeline);
    if (!patroni_is_leader(m) && m->lag < 0)
        return xasprintf("the lag of %s is not known yet", name);
    return NULL;
}

static bool members_ready(const struct check_target *t, const struct patroni_view *view,
                          struct waiting *w)
{
    vec_each (h, &t->cluster->hosts) {
        char *reason = h->is_db ? member_reason(view, h->name) : NULL;

        if (reason) {
            set_waiting(w, h, "patroni", reason);
            return false;
        }
    }
    if (!view->leader) {
        set_waiting(w, NULL, NULL, xstrdup("there is no leader yet"));
        return false;
    }
    return standby_is_synchronous(t->cluster, view, w);
}

static const struct cluster_host *first_balancer(const struct cluster *c)
{
    vec_each (h, &c->hosts)
        if (h->is_lb)
            return h;
    return NULL;
}

/* A new leader runs a moment before it takes writes. */
static bool port_ready(const struct check_target *t, const struct pg_target *login, bool primary,
                       struct waiting *w)
{
    struct err err = ERR_INIT;
    struct pg *pg = pg_open(login, &err);
    bool ready = pg && pg_exec(pg, "SELECT pg_is_in_recovery()", 0, NULL, &err) == 0 &&
                 str_eq(pg_value(pg, 0, 0), primary ? "f" : "t");

    if (!ready)
        set_waiting(w, first_balancer(t->cluster), "haproxy",
                    err.code
                        ? xstrdup(err.text)
                        : xasprintf("%s:%d does not take writes yet", login->host, login->port));
    pg_close(pg);
    err_release(&err);
    return ready;
}

/* Every port that has a member to lead to answers: the balancers follow Patroni by checks of their
 * own. */
static bool address_ready(const struct check_target *t, const struct patroni_view *view,
                          struct waiting *w)
{
    const struct cluster *c = t->cluster;
    const struct {
        const char *name;
        int port;
    } ports[] = {{"primary", c->port_primary},
                 {"replicas", c->port_replicas},
                 {"sync", c->port_sync},
                 {"async", c->port_async}};
    struct pg_target login = check_primary(t, view, TRY_TIMEOUT_MS);

    for (size_t i = 0; i < (c->vip ? ARRAY_LEN(ports) : 1); i++) {
        bool led = false;

        vec_each (m, &view->members)
            led |= check_role_fits(ports[i].name, m);
        if (c->vip)
            login.port = ports[i].port;
        if (led && !port_ready(t, &login, i == 0, w))
            return false;
    }
    return true;
}

static bool all_ready(struct deploy *d, const struct patroni_api *api, struct waiting *w)
{
    struct check_target t = deploy_check_target(d);
    struct arena arena = ARENA_INIT;
    struct patroni_view view;
    struct err err = ERR_INIT;
    bool ready = false;

    if (patroni_view(api, &arena, &view, &err) == 0)
        ready = members_ready(&t, &view, w) && address_ready(&t, &view, w);
    else if (etcd_ready(&t, w))
        set_waiting(w, NULL, NULL, xasprintf("Patroni: %s", err.text));
    err_release(&err);
    patroni_view_release(&view);
    arena_release(&arena);
    return ready;
}

/* The end of the unit's journal, for the error. "" when it cannot be had. */
static void read_journal(struct deploy *d, const struct waiting *w, struct str *out)
{
    struct check_target t = deploy_check_target(d);
    char *script = xasprintf("journalctl -u %s -n 12 --no-pager -o cat\n", w->unit);
    struct err ignored = ERR_INIT;

    if (check_remote(&t, w->host, script, out, &ignored) < 0)
        str_clear(out);
    err_release(&ignored);
    free(script);
}

static int not_ready(struct deploy *d, const struct waiting *w, int64_t waited_ms, struct err *err)
{
    struct str journal;

    if (clock_stop_requested()) {
        err_set(err, ERR_INTERRUPTED, "stopped while waiting: %s", w->reason);
        return err_hint(err, "`up` goes on from here");
    }
    str_init(&journal, JOURNAL_MAX);
    if (w->host && w->unit)
        read_journal(d, w, &journal);
    str_trim_end(&journal);
    err_set(err, ERR_TIMEOUT, "not ready after %lld s: %s%s%s", (long long)waited_ms / 1000,
            w->reason, journal.len ? "\nlast lines of its journal:\n" : "", journal.buf);
    str_release(&journal);
    return err_hint(err, "look at `pgha-deploy logs %s %s`; `up` goes on from here",
                    w->host ? w->host->name : "HOST", w->unit ? w->unit : "patroni");
}

static void tell(struct deploy *d, const struct waiting *w, char **told)
{
    if (str_eq(w->reason, *told))
        return;
    free(*told);
    *told = xstrdup(w->reason);
    event_send(d->events, &(struct event){.kind = EVENT_HOST,
                                          .stage = "ready",
                                          .host = w->host ? w->host->name : NULL,
                                          .text = w->reason});
}

int wait_ready(struct deploy *d, int timeout_ms, struct err *err)
{
    struct patroni_api api = {d->cluster, &d->secrets, TRY_TIMEOUT_MS};
    int64_t start = clock_mono_ms(), wake = start + WAKE_MS;
    struct waiting w = {0};
    char *told = NULL;
    int rc = 0;

    while (!all_ready(d, &api, &w)) {
        tell(d, &w, &told);
        if (clock_mono_ms() - start > timeout_ms || clock_stop_requested()) {
            rc = not_ready(d, &w, clock_mono_ms() - start, err);
            break;
        }
        if (clock_mono_ms() >= wake) {
            patroni_wake(&api);
            wake = clock_mono_ms() + WAKE_MS;
        }
        clock_sleep_ms(POLL_MS);
    }
    free(told);
    free(w.reason);
    return rc;
}
