/* ready.c - waiting, with a reason shown, until every member is well and the clients' address takes
 * writes. */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/deploy/stage.h"
#include "lib/net/pool.h"

enum {
    POLL_MS = 100,
    WAKE_MS = 1000,
    TRY_TIMEOUT_MS = 2000,
    START_FAILS_MS = 20000, /* Patroni tries again in every turn of its loop */
    JOURNAL_MAX = 16 * 1024
};

/* The wait, and what it is for now: the host and unit to look at, and why. */
struct waiting {
    struct deploy *deploy;
    struct check_target target;
    struct patroni_api api;
    const struct cluster_host *host; /* NULL: the cluster as a whole */
    const char *unit;
    char *reason;              /* NULL: nothing */
    bool silent;               /* Patroni did not answer */
    int64_t copied;            /* bytes of the copies that members are made from, at their most */
    int64_t start_fails_since; /* of a member's PostgreSQL, at whatever try; 0: none fails */
    char **told;               /* per host of the cluster, and one for the whole */
};

/* Tells the watcher, when it is news. text NULL: the host is ready. */
static void tell(struct waiting *w, const struct cluster_host *host, const char *text)
{
    const struct cluster *c = w->deploy->cluster;
    char **told = &w->told[host ? (size_t)(host - c->hosts.items) : c->hosts.n];

    if (str_eq(*told, text ? text : "ready"))
        return;
    free(*told);
    *told = xstrdup(text ? text : "ready");
    event_send(w->deploy->events, &(struct event){.kind = !text  ? EVENT_HOST_END
                                                          : host ? EVENT_HOST
                                                                 : EVENT_STEP,
                                                  .stage = "ready",
                                                  .host = host ? host->name : NULL,
                                                  .text = text});
}

static void set_waiting(struct waiting *w, const struct cluster_host *host, const char *unit,
                        char *reason)
{
    free(w->reason);
    w->host = host;
    w->unit = unit;
    w->reason = reason;
    tell(w, host, reason);
}

static bool etcd_ready(struct waiting *w)
{
    vec_each (h, &w->deploy->cluster->hosts) {
        struct err err = ERR_INIT;

        if (h->is_etcd && check_etcd(&w->target, h->address, &err) < 0) {
            set_waiting(w, h, "etcd", xasprintf("etcd: %s", err.text));
            err_release(&err);
            return false;
        }
    }
    return true;
}

/* Where the cluster file has turned it on a moment ago, the DCS is told after this wait. */
static bool dcs_wants_synchronous(const struct waiting *w)
{
    struct arena arena = ARENA_INIT;
    struct err ignored = ERR_INIT;
    const struct value *config = patroni_config(&w->api, &arena, &ignored);
    const struct value *mode = value_get(config, "synchronous_mode");
    bool wants = mode && (mode->type == VALUE_BOOL ? mode->u.b : value_is_str(mode));

    err_release(&ignored);
    arena_release(&arena);
    return wants;
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
    if (!dcs_wants_synchronous(w))
        return true;
    set_waiting(w, NULL, NULL, xstrdup("no standby is synchronous yet"));
    return false;
}

/* Why a member is not ready; NULL when it is. After a failover a replica streams before it is on
 * the new timeline. */
static char *member_reason(const struct patroni_view *view, const char *name)
{
    const struct patroni_member *m = patroni_find(view, name);

    if (!m)
        return xstrdup("has not joined the cluster");
    if (!patroni_member_ok(m))
        return xasprintf("%s, %s", m->role, m->state);
    if (view->leader && m->timeline != view->leader->timeline)
        return xasprintf("still on timeline %lld", (long long)m->timeline);
    if (!patroni_is_leader(m) && m->lag < 0)
        return xstrdup("its lag is not known yet");
    return NULL;
}

static void note_failed_starts(struct waiting *w, const struct patroni_view *view)
{
    bool failed = false, tries = false;

    vec_each (m, &view->members) {
        failed |= str_eq(m->state, "start failed");
        tries |= str_eq(m->state, "starting");
    }
    if (failed && !w->start_fails_since)
        w->start_fails_since = clock_mono_ms();
    else if (!failed && !tries)
        w->start_fails_since = 0;
}

static bool members_ready(struct waiting *w, const struct patroni_view *view)
{
    bool all = true;

    if (w->silent)
        tell(w, NULL, "Patroni answers");
    w->silent = false;
    note_failed_starts(w, view);
    vec_each (h, &w->deploy->cluster->hosts) {
        char *reason = h->is_db ? member_reason(view, h->name) : NULL;

        if (reason && all)
            set_waiting(w, h, "patroni", xstrdup(reason));
        if (h->is_db)
            tell(w, h, reason);
        all = all && !reason;
        free(reason);
    }
    vec_each (name, &w->deploy->leaving)
        if (all && w->deploy->gone && patroni_find(view, *name)) { /* for ttl */
            set_waiting(w, NULL, NULL, xasprintf("Patroni still knows %s", *name));
            all = false;
        }
    if (all && !view->leader)
        set_waiting(w, NULL, NULL, xstrdup("there is no leader yet"));
    return all && view->leader && standby_is_synchronous(w->deploy->cluster, view, w);
}

/* What a host says itself. */
struct own_word {
    struct waiting *waiting;
    const struct cluster_host *host;
    struct err etcd;
    bool etcd_ready, runs; /* true where it has no such service */
};

static void ask_host(void *ctx, size_t job)
{
    struct own_word *w = (struct own_word *)ctx + job;
    const struct cluster_host *h = w->host;

    w->runs = !h->is_db || patroni_runs(&w->waiting->api, h->address);
    w->etcd_ready = !h->is_etcd || check_etcd(&w->waiting->target, h->address, &w->etcd) == 0;
}

/* The others may know a member from before it was made anew. */
static bool hosts_say_so(struct waiting *w)
{
    const struct cluster *c = w->deploy->cluster;
    struct own_word *words = xcalloc(c->hosts.n, sizeof(*words));
    bool all = true;

    for (size_t i = 0; i < c->hosts.n; i++)
        words[i] = (struct own_word){.waiting = w, .host = &c->hosts.items[i]};
    pool_run(0, c->hosts.n, ask_host, words, NULL);
    for (size_t i = 0; i < c->hosts.n; i++) {
        struct own_word *word = &words[i];

        if (all && !word->runs)
            set_waiting(w, word->host, "patroni", xstrdup("its PostgreSQL does not run yet"));
        else if (all && !word->etcd_ready)
            set_waiting(w, word->host, "etcd", xasprintf("etcd: %s", word->etcd.text));
        all = all && word->runs && word->etcd_ready;
        err_release(&word->etcd);
    }
    free(words);
    return all;
}

static const struct cluster_host *first_balancer(const struct cluster *c)
{
    vec_each (h, &c->hosts)
        if (h->is_lb)
            return h;
    return NULL;
}

/* One port of the clients' address. */
struct port_look {
    struct pg_target login;
    const char *role; /* t or f: in recovery */
    bool ready;
    struct err err;
};

/* A new leader runs a moment before it takes writes. */
static void look_at_port(void *ctx, size_t job)
{
    struct port_look *l = (struct port_look *)ctx + job;
    struct pg *pg = pg_open(&l->login, &l->err);

    l->ready = pg && pg_exec(pg, "SELECT pg_is_in_recovery()", 0, NULL, &l->err) == 0 &&
               str_eq(pg_value(pg, 0, 0), l->role);
    pg_close(pg);
}

/* Every port that has a member to lead to answers: the balancers follow Patroni by checks of their
 * own. */
static bool address_ready(struct waiting *w, const struct patroni_view *view)
{
    const struct cluster *c = w->deploy->cluster;
    const struct {
        const char *name;
        int port;
    } ports[] = {{"primary", c->port_primary},
                 {"replicas", c->port_replicas},
                 {"sync", c->port_sync},
                 {"async", c->port_async}};
    struct port_look looks[ARRAY_LEN(ports)];
    size_t n = 0;
    bool ready = true;

    for (size_t i = 0; i < (c->vip ? ARRAY_LEN(ports) : 1); i++) {
        bool led = false;

        vec_each (m, &view->members)
            led |= check_role_fits(ports[i].name, m);
        if (!led)
            continue;
        looks[n] = (struct port_look){.login = check_primary(&w->target, view, TRY_TIMEOUT_MS),
                                      .role = i ? "t" : "f"};
        if (c->vip)
            looks[n].login.port = ports[i].port;
        n++;
    }
    pool_run(0, n, look_at_port, looks, NULL);
    for (size_t i = 0; i < n; i++) {
        struct port_look *l = &looks[i];

        if (!l->ready && ready)
            set_waiting(w, first_balancer(c), "haproxy",
                        l->err.code ? xstrdup(l->err.text)
                                    : xasprintf("%s:%d leads to a server of another role",
                                                l->login.host, l->login.port));
        ready = ready && l->ready;
        err_release(&l->err);
    }
    return ready;
}

static bool all_ready(struct waiting *w)
{
    struct arena arena = ARENA_INIT;
    struct patroni_view view;
    struct err err = ERR_INIT;
    bool ready = false;

    if (patroni_view(&w->api, &arena, &view, &err) == 0)
        ready = members_ready(w, &view) && hosts_say_so(w) && address_ready(w, &view);
    else if (etcd_ready(w)) {
        set_waiting(w, NULL, NULL, xasprintf("Patroni: %s", err.text));
        w->silent = true;
    }
    err_release(&err);
    patroni_view_release(&view);
    arena_release(&arena);
    return ready;
}

static int not_ready(const struct waiting *w, int64_t waited_ms, struct err *err)
{
    struct str journal;
    const char *host = w->host ? w->host->name : "";

    if (clock_stop_requested()) {
        err_set(err, ERR_INTERRUPTED, "stopped while waiting: %s%s%s", host, *host ? ": " : "",
                w->reason);
        return err_hint(err, "`up` goes on from here");
    }
    str_init(&journal, JOURNAL_MAX);
    if (w->host && w->unit)
        check_journal(&w->target, w->host, w->unit, &journal);
    err_set(err, ERR_TIMEOUT, "not ready after %lld s: %s%s%s%s%s", (long long)waited_ms / 1000,
            host, *host ? ": " : "", w->reason, journal.len ? "\nfrom its journal:\n" : "",
            journal.buf);
    str_release(&journal);
    if (w->start_fails_since)
        return err_hint(err,
                        "give it settings that it starts with in the cluster file, then `up`; "
                        "see `pgha-deploy logs %s patroni`",
                        host);
    return err_hint(err, "look at `pgha-deploy logs %s %s`; `up` goes on from here",
                    w->host ? host : "HOST", w->unit ? w->unit : "patroni");
}

/* A member that is made copies the primary's data, for hours where there is much. Whether it goes
 * on. */
static bool copies_grow(struct waiting *w)
{
    static const char sql[] = "SELECT sum(backup_streamed), sum(backup_total), "
                              "pg_size_pretty(sum(backup_streamed)), "
                              "pg_size_pretty(sum(backup_total)) FROM pg_stat_progress_basebackup";
    struct arena arena = ARENA_INIT;
    struct patroni_view view;
    struct err ignored = ERR_INIT;
    struct pg *pg = NULL;
    int64_t copied = 0;

    if (patroni_view(&w->api, &arena, &view, &ignored) == 0 && view.leader) {
        struct pg_target login = check_login(&w->target, view.leader->address,
                                             w->deploy->cluster->port_postgres, TRY_TIMEOUT_MS);

        pg = pg_open(&login, &ignored);
    }
    if (pg && pg_exec(pg, sql, 0, NULL, &ignored) == 0) {
        copied = strtoll(pg_value(pg, 0, 0), NULL, 10);
        if (copied > 0 && *pg_value(pg, 0, 1))
            tell(w, NULL,
                 arena_printf(&arena, "%s of %s copied to new members", pg_value(pg, 0, 2),
                              pg_value(pg, 0, 3)));
    }
    pg_close(pg);
    patroni_view_release(&view);
    arena_release(&arena);
    err_release(&ignored);
    if (copied <= w->copied)
        return false;
    w->copied = copied;
    return true;
}

static bool is_hopeless(const struct waiting *w)
{
    return w->start_fails_since && clock_mono_ms() - w->start_fails_since > START_FAILS_MS;
}

static int wait_all(struct waiting *w, int timeout_ms, struct err *err)
{
    int64_t start = clock_mono_ms(), alive = start, wake = start + WAKE_MS;

    while (!all_ready(w)) {
        if (clock_mono_ms() - alive > timeout_ms || is_hopeless(w) || clock_stop_requested())
            return not_ready(w, clock_mono_ms() - start, err);
        if (clock_mono_ms() >= wake) {
            if (copies_grow(w))
                alive = clock_mono_ms();
            patroni_wake(&w->api);
            wake = clock_mono_ms() + WAKE_MS;
        }
        clock_sleep_ms(POLL_MS);
    }
    return 0;
}

int wait_ready(struct deploy *d, int timeout_ms, struct err *err)
{
    size_t n = d->cluster->hosts.n + 1;
    struct waiting w = {.deploy = d,
                        .target = deploy_check_target(d),
                        .api = {d->cluster, &d->secrets, TRY_TIMEOUT_MS},
                        .told = xcalloc(n, sizeof(char *))};
    int rc = wait_all(&w, timeout_ms, err);

    for (size_t i = 0; i < n; i++)
        free(w.told[i]);
    free(w.told);
    free(w.reason);
    return rc;
}
