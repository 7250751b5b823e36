/*
 * verify.c - prove that the cluster replicates and that every address leads where it says.
 *
 * A check is a row of the table: its name and a function that adds result lines. All run at once,
 * each on connections of its own; the lines come out in the table's order.
 */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/check/check.h"
#include "lib/net/pool.h"

enum { LOGIN_TIMEOUT_MS = 5000, POLL_MS = 5, PORT_PATIENCE_MS = 6000, LOOK_AGAIN_MS = 200 };

struct lines {
    VEC(struct verify_result) items;
    struct arena arena;
};

struct check_run {
    const struct check_target *target;
    const struct patroni_view *view;
    const char *name;
    struct lines lines;
};

static void PRINTF_LIKE(4, 5)
    add_line(struct check_run *r, enum verify_outcome outcome, double ms, const char *fmt, ...)
{
    struct verify_result line = {.check = r->name, .outcome = outcome, .ms = ms};
    va_list args;

    va_start(args, fmt);
    line.text = arena_vprintf(&r->lines.arena, fmt, args);
    va_end(args);
    vec_push(&r->lines.items, line);
}

#define add_ok(r, ...)     add_line(r, VERIFY_OK, -1, __VA_ARGS__)
#define add_failed(r, ...) add_line(r, VERIFY_FAILED, -1, __VA_ARGS__)

static void check_members(struct check_run *r)
{
    const struct cluster *c = r->target->cluster;
    size_t expected = 0, good = 0;

    vec_each (h, &c->hosts)
        expected += h->is_db;
    if (!r->view->leader)
        add_failed(r, "Patroni has no leader");
    vec_each (m, &r->view->members) {
        if (patroni_member_ok(m))
            good++;
        else
            add_failed(r, "%s (%s) is %s", m->name, m->role, m->state);
    }
    if (r->view->members.n != expected)
        add_failed(r, "Patroni knows %zu members, the cluster file %zu", r->view->members.n,
                   expected);
    else if (good == expected && r->view->leader)
        add_ok(r, "%s leads, %zu of %zu members are well", r->view->leader->name, good, expected);
}

static bool is_one_timeline(const struct patroni_view *view)
{
    vec_each (m, &view->members)
        if (m->timeline != view->leader->timeline)
            return false;
    return true;
}

static void tell_timelines(struct check_run *r, const struct patroni_view *view)
{
    long long leads = (long long)view->leader->timeline;

    if (is_one_timeline(view))
        add_ok(r, "every member is on timeline %lld", leads);
    vec_each (m, &view->members)
        if (m->timeline != view->leader->timeline)
            add_failed(r, "%s is on timeline %lld, the leader on %lld", m->name,
                       (long long)m->timeline, leads);
}

/* Members tell how they are once in a turn, so after a promotion a replica may be ahead of what the
 * leader has told. */
static void check_timelines(struct check_run *r)
{
    const struct cluster *c = r->target->cluster;
    struct patroni_api api = {c, r->target->secrets, 0};
    int64_t deadline = clock_mono_ms() + 1000 * (int64_t)(c->preset->loop_wait + 1);

    if (!r->view->leader)
        return;
    while (!is_one_timeline(r->view) && clock_mono_ms() < deadline && !clock_stop_requested()) {
        struct patroni_view view;
        struct err ignored = ERR_INIT;
        bool one;

        clock_sleep_ms(LOOK_AGAIN_MS);
        one = patroni_view(&api, &r->lines.arena, &view, &ignored) == 0 && view.leader &&
              is_one_timeline(&view);
        if (one)
            tell_timelines(r, &view);
        err_release(&ignored);
        patroni_view_release(&view);
        if (one)
            return;
    }
    tell_timelines(r, r->view);
}

static void check_lag(struct check_run *r)
{
    int64_t worst = 0;
    size_t failed = 0;

    vec_each (m, &r->view->members) {
        if (patroni_is_leader(m))
            continue;
        if (m->lag < 0 || m->lag > VERIFY_LAG_LIMIT) {
            failed++;
            if (m->lag < 0)
                add_failed(r, "the lag of %s is unknown", m->name);
            else
                add_failed(r, "%s is %lld bytes behind, over the limit of %lld", m->name,
                           (long long)m->lag, (long long)VERIFY_LAG_LIMIT);
        } else if (m->lag > worst) {
            worst = m->lag;
        }
    }
    if (!failed)
        add_ok(r, "at most %lld bytes, limit %lld", (long long)worst, (long long)VERIFY_LAG_LIMIT);
}

/* One look at one host; those of a check are taken at once. */
struct host_look {
    const struct check_target *target;
    const struct cluster_host *host;
    bool vip; /* whether it holds the VIP is asked, not how etcd is */
    bool well, holds_vip;
    struct err err;
};

static void look_at_host(void *ctx, size_t job)
{
    struct host_look *l = (struct host_look *)ctx + job;

    if (l->vip)
        l->well = check_vip(l->target, l->host, &l->holds_vip, &l->err) == 0;
    else if (!(l->well = check_etcd(l->target, l->host->address, &l->err) == 0))
        err_wrap(&l->err, "%s", l->host->name);
}

/* Adds a line for a look that failed, or was not taken because the user stopped the program. */
static bool looked_well(struct check_run *r, struct host_look *l)
{
    if (!l->well)
        add_failed(r, "%s", l->err.code ? l->err.text : "stopped by the user");
    err_release(&l->err);
    return l->well;
}

static void check_etcd_quorum(struct check_run *r)
{
    VEC(struct host_look) looks = VEC_INIT;
    size_t healthy = 0;

    vec_each (h, &r->target->cluster->hosts)
        if (h->is_etcd)
            vec_push(&looks, ((struct host_look){.target = r->target, .host = h}));
    pool_run(0, looks.n, look_at_host, looks.items, NULL);
    vec_each (l, &looks)
        healthy += looked_well(r, l);
    if (healthy == looks.n)
        add_ok(r, "%zu of %zu members are healthy", healthy, looks.n);
    else
        add_failed(r, "%zu of %zu members are healthy: quorum is %s", healthy, looks.n,
                   healthy > looks.n / 2 ? "kept" : "LOST");
    vec_release(&looks);
}

static void check_vip_holder(struct check_run *r)
{
    const struct cluster *c = r->target->cluster;
    VEC(struct host_look) looks = VEC_INIT;
    const char *holder = NULL;
    size_t holders = 0;

    if (!c->vip) {
        add_line(r, VERIFY_SKIPPED, -1, "no balancers");
        return;
    }
    vec_each (h, &c->hosts)
        if (h->is_lb)
            vec_push(&looks, ((struct host_look){.target = r->target, .host = h, .vip = true}));
    pool_run(0, looks.n, look_at_host, looks.items, NULL);
    vec_each (l, &looks) {
        if (looked_well(r, l) && l->holds_vip) {
            holders++;
            holder = l->host->name;
        }
    }
    if (holders == 1)
        add_ok(r, "%s is on %s and nowhere else", c->vip, holder);
    else
        add_failed(r, "%s is on %zu hosts", c->vip, holders);
    vec_release(&looks);
}

/* Waits until the row is there, then has a write of its own refused: SQLSTATE 25006,
 * read_only_sql_transaction. */
static void check_replica(struct check_run *r, const struct patroni_member *m, const char *token,
                          int64_t written)
{
    struct pg_target login =
        check_login(r->target, m->address, r->target->cluster->port_postgres, LOGIN_TIMEOUT_MS);
    struct err err = ERR_INIT;
    struct pg *pg = pg_open(&login, &err);
    int64_t deadline = clock_mono_ms() + VERIFY_ARRIVAL_MS;
    bool there = false;

    while (pg && !there) {
        /* Until the table itself has arrived the query fails: that is "not yet" as well. */
        err_release(&err);
        there = pg_exec(pg, "SELECT 1 FROM pgha_verify WHERE token = $1", 1, &token, &err) == 0 &&
                pg_rows(pg) == 1;
        if (there || clock_mono_ms() > deadline || clock_stop_requested())
            break;
        clock_sleep_ms(POLL_MS);
    }
    if (there)
        add_line(r, VERIFY_OK, (double)(clock_mono_ms() - written), "the row arrived on %s",
                 m->name);
    else
        add_failed(r, "the row did not arrive on %s within %d s%s%s", m->name,
                   VERIFY_ARRIVAL_MS / 1000, err.code ? ": " : "", err.code ? err.text : "");
    err_release(&err);
    if (there) {
        if (pg_exec(pg, "INSERT INTO pgha_verify (token) VALUES ($1)", 1, &token, &err) == 0)
            add_failed(r, "%s accepted a write, but it is a replica", m->name);
        else if (str_eq(pg_sqlstate(pg), "25006"))
            add_ok(r, "%s refuses writes: read-only", m->name);
        else
            add_failed(r, "%s refused a write, but not as read-only: %s", m->name, err.text);
    }
    err_release(&err);
    pg_close(pg);
}

/* One row through the clients' address. The table keeps the rows of the last day. */
static int write_row(const struct pg_target *login, const char *token, struct err *err)
{
    struct pg *pg = pg_open(login, err);
    int rc = pg ? 0 : -1;

    /* Two verifies at once may both create the table: the advisory lock keeps one from failing. */
    if (rc == 0)
        rc = pg_exec(pg, "SELECT to_regclass('pgha_verify') IS NULL", 0, NULL, err);
    if (rc == 0 && str_eq(pg_value(pg, 0, 0), "t"))
        rc = pg_exec(pg,
                     "DO $$BEGIN PERFORM pg_advisory_xact_lock(7047); CREATE TABLE IF NOT EXISTS "
                     "pgha_verify (token text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now()); "
                     "END$$",
                     0, NULL, err);
    if (rc == 0)
        rc = pg_exec(pg, "DELETE FROM pgha_verify WHERE at < now() - interval '1 day'", 0, NULL,
                     err);
    if (rc == 0)
        rc = pg_exec(pg, "INSERT INTO pgha_verify (token) VALUES ($1)", 1, &token, err);
    pg_close(pg);
    return rc;
}

static void check_write(struct check_run *r)
{
    struct pg_target login = check_primary(r->target, r->view, LOGIN_TIMEOUT_MS);
    struct err err = ERR_INIT;
    char token[25];
    int64_t start = clock_mono_ms();

    if (!login.host)
        return; /* no leader: said by check_members */
    random_password(token, sizeof(token) - 1);
    if (write_row(&login, token, &err) < 0) {
        add_failed(r, "writing a row through %s:%d: %s", login.host, login.port, err.text);
        err_release(&err);
        return;
    }
    add_line(r, VERIFY_OK, (double)(clock_mono_ms() - start), "wrote a row through %s:%d",
             login.host, login.port);
    start = clock_mono_ms();
    vec_each (m, &r->view->members)
        if (!patroni_is_leader(m))
            check_replica(r, m, token, start);
}

static void check_senders(struct check_run *r)
{
    const char *sql = "SELECT application_name, state FROM pg_stat_replication";
    struct pg_target login;
    struct err err = ERR_INIT;
    struct pg *pg;
    size_t streaming = 0;

    if (!r->view->leader)
        return;
    login = check_login(r->target, r->view->leader->address, r->target->cluster->port_postgres,
                        LOGIN_TIMEOUT_MS);
    pg = pg_open(&login, &err);
    if (!pg || pg_exec(pg, sql, 0, NULL, &err) < 0)
        add_failed(r, "asking %s: %s", r->view->leader->name, err.text);
    else {
        vec_each (m, &r->view->members)
            for (size_t i = 0; i < pg_rows(pg); i++)
                streaming +=
                    str_eq(pg_value(pg, i, 0), m->name) && str_eq(pg_value(pg, i, 1), "streaming");
        if (streaming + 1 == r->view->members.n)
            add_ok(r, "the primary streams to %zu replicas", streaming);
        else
            add_failed(r, "the primary streams to %zu of %zu replicas", streaming,
                       r->view->members.n - 1);
    }
    err_release(&err);
    pg_close(pg);
}

static const struct patroni_member *member_at(const struct patroni_view *view, const char *address)
{
    vec_each (m, &view->members)
        if (str_eq(m->address, address))
            return m;
    return NULL;
}

/* The member that a port leads to; -1 with the reason. */
static int ask_port(struct check_run *r, int port, const struct patroni_member **m, bool *replica,
                    struct err *err)
{
    struct pg_target login =
        check_login(r->target, r->target->cluster->vip, port, LOGIN_TIMEOUT_MS);
    struct pg *pg = pg_open(&login, err);
    int rc = -1;

    if (pg &&
        pg_exec(pg, "SELECT host(inet_server_addr()), pg_is_in_recovery()", 0, NULL, err) == 0) {
        *m = member_at(r->view, pg_value(pg, 0, 0));
        *replica = str_eq(pg_value(pg, 0, 1), "t");
        rc = 0;
    }
    pg_close(pg);
    return rc;
}

/* Whether the port leads to the right role, and what it does lead to. */
static bool port_is_right(struct check_run *r, const char *name, int port, struct str *text)
{
    const struct patroni_member *m = NULL;
    struct err err = ERR_INIT;
    size_t fitting = 0;
    bool replica = false, right = false;

    vec_each (each, &r->view->members)
        fitting += check_role_fits(name, each);
    str_clear(text);
    str_printf(text, "%d (%s)", port, name);
    if (ask_port(r, port, &m, &replica, &err) < 0) {
        right = !fitting;
        if (fitting)
            str_printf(text, ": %s", err.text);
        else
            str_puts(text, " is closed: no member has that role");
    } else if (!m) {
        str_puts(text, " leads to a server that is no member");
    } else {
        right = check_role_fits(name, m) && replica != str_eq(name, "primary");
        str_printf(text, " leads to %s, %s", m->name, m->role);
    }
    err_release(&err);
    return right;
}

/* A balancer follows a change of roles by checks of its own: it gets PORT_PATIENCE_MS, with a fresh
 * look at the roles. */
static void check_port(struct check_run *r, const char *name, int port)
{
    struct patroni_api api = {r->target->cluster, r->target->secrets, 0};
    int64_t deadline = clock_mono_ms() + PORT_PATIENCE_MS;
    struct check_run now = *r;
    struct str text;
    bool right;

    str_init(&text, 4096);
    while (!(right = port_is_right(&now, name, port, &text)) && clock_mono_ms() < deadline &&
           !clock_stop_requested()) {
        struct patroni_view view;
        struct err ignored = ERR_INIT;

        clock_sleep_ms(LOOK_AGAIN_MS);
        if (patroni_view(&api, &r->lines.arena, &view, &ignored) == 0) {
            now.view = &view;
            right = port_is_right(&now, name, port, &text);
        }
        now.view = r->view;
        err_release(&ignored);
        patroni_view_release(&view);
        if (right)
            break;
    }
    add_line(r, right ? VERIFY_OK : VERIFY_FAILED, -1, "%s", text.buf);
    str_release(&text);
}

static void check_port_primary(struct check_run *r)
{
    const struct cluster *c = r->target->cluster;

    if (c->vip)
        check_port(r, "primary", c->port_primary);
    else
        add_line(r, VERIFY_SKIPPED, -1, "no balancers");
}

static void check_port_replicas(struct check_run *r)
{
    if (r->target->cluster->vip)
        check_port(r, "replicas", r->target->cluster->port_replicas);
}

static void check_port_sync(struct check_run *r)
{
    if (r->target->cluster->vip)
        check_port(r, "sync", r->target->cluster->port_sync);
}

static void check_port_async(struct check_run *r)
{
    if (r->target->cluster->vip)
        check_port(r, "async", r->target->cluster->port_async);
}

static const struct {
    const char *name;
    void (*run)(struct check_run *r);
} checks[] = {
    {"members", check_members},     {"timelines", check_timelines}, {"lag", check_lag},
    {"etcd", check_etcd_quorum},    {"vip", check_vip_holder},      {"write", check_write},
    {"replication", check_senders}, {"ports", check_port_primary},  {"ports", check_port_replicas},
    {"ports", check_port_sync},     {"ports", check_port_async},
};

static void run_check(void *ctx, size_t job)
{
    struct check_run *r = (struct check_run *)ctx + job;

    checks[job].run(r);
}

static void collect(struct verify *v, struct check_run *r)
{
    vec_each (line, &r->lines.items) {
        struct verify_result own = *line;

        own.text = arena_strdup(&v->arena, line->text);
        v->failed += own.outcome == VERIFY_FAILED;
        vec_push(&v->results, own);
    }
    vec_release(&r->lines.items);
    arena_release(&r->lines.arena);
}

void verify_run(const struct check_target *t, struct verify *v)
{
    struct patroni_api api = {t->cluster, t->secrets, 0};
    struct check_run runs[ARRAY_LEN(checks)];
    struct patroni_view view;
    struct err err = ERR_INIT;

    memset(v, 0, sizeof(*v));
    memset(runs, 0, sizeof(runs));
    if (patroni_view(&api, &v->arena, &view, &err) < 0) {
        struct verify_result line = {"members", arena_strdup(&v->arena, err.text), VERIFY_FAILED,
                                     -1};

        vec_push(&v->results, line);
        v->failed++;
        err_release(&err);
    }
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        runs[i] = (struct check_run){.target = t, .view = &view, .name = checks[i].name};
    pool_run(0, ARRAY_LEN(checks), run_check, runs, NULL);
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        collect(v, &runs[i]);
    patroni_view_release(&view);
}

void verify_release(struct verify *v)
{
    vec_release(&v->results);
    arena_release(&v->arena);
}

static const char *const outcome_names[] = {"ok", "failed", "skipped"};

struct value *verify_to_value(const struct verify *v, struct arena *a)
{
    struct value *top = value_map(a), *list = value_list(a);

    vec_each (r, &v->results) {
        struct value *item = value_map(a);

        value_map_set(a, item, "check", value_str(a, r->check));
        value_map_set(a, item, "outcome", value_str(a, outcome_names[r->outcome]));
        value_map_set(a, item, "text", value_str(a, r->text));
        value_map_set(a, item, "ms", r->ms < 0 ? value_null(a) : value_float(a, r->ms));
        value_list_add(a, list, item);
    }
    value_map_set(a, top, "ok", value_bool(a, v->failed == 0));
    value_map_set(a, top, "failed", value_int(a, v->failed));
    value_map_set(a, top, "checks", list);
    return top;
}

void verify_format(const struct verify *v, bool colour, struct str *out)
{
    static const char *const colours[] = {"\033[32m", "\033[1;31m", "\033[2m"};

    vec_each (r, &v->results) {
        if (colour)
            str_puts(out, colours[r->outcome]);
        str_printf(out, "%-8s", outcome_names[r->outcome]);
        if (colour)
            str_puts(out, "\033[0m");
        str_printf(out, "%-12s %s", r->check, r->text);
        if (r->ms >= 0)
            str_printf(out, " (%.0f ms)", r->ms);
        str_putc(out, '\n');
    }
}
