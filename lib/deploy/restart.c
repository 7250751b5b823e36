/* restart.c - the restarts that changed parameters ask for, one member at a time. */
#include "lib/deploy/restart.h"

#include "lib/base/clock.h"

enum {
    LOGIN_TIMEOUT_MS = 5000,
    POLL_MS = 100,
    WAKE_MS = 1000,
    MEMBER_BACK_MS = 120000,
    SUCCESSOR_LAG_MAX = 1 << 20, /* bytes */
    RESTARTS_PER_MEMBER = 3,
    JOURNAL_MAX = 16 * 1024,
    REASON_MAX = 4096
};

static const char *const never_lower_on_standby[] = {
    "max_connections",           "max_worker_processes",      "max_wal_senders",
    "max_prepared_transactions", "max_locks_per_transaction",
};

bool restart_primary_first(const char *parameter, int64_t from, int64_t to)
{
    for (size_t i = 0; i < ARRAY_LEN(never_lower_on_standby); i++)
        if (str_eq(never_lower_on_standby[i], parameter))
            return to < from;
    return false;
}

/* ---- why ---- */

const struct value *restart_reason(const struct value *wanted, const struct value *now,
                                   struct arena *a)
{
    struct value *reason = value_map(a);

    for (size_t i = 0; i < ARRAY_LEN(never_lower_on_standby); i++) {
        const char *name = never_lower_on_standby[i];
        const char *is = value_get_str(now, name, NULL);
        int64_t to = value_get_int(wanted, name, -1);
        struct value *change;

        if (!is || to < 0 || strtoll(is, NULL, 10) == to)
            continue;
        change = value_map(a);
        value_map_set(a, change, "old_value", value_str(a, is));
        value_map_set(a, change, "new_value", value_strf(a, "%lld", (long long)to));
        value_map_set(a, reason, name, change);
    }
    return reason->u.map.n ? reason : NULL;
}

/* ---- which member ---- */

/* Everything it waits for is the primary's to change first. */
static bool waits_for_primary(const struct patroni_member *m)
{
    const struct value *reason = m->pending_reason;

    for (size_t i = 0; reason && i < reason->u.map.n; i++) {
        const struct value_entry *e = &reason->u.map.entries[i];

        if (!restart_primary_first(e->key,
                                   strtoll(value_get_str(e->value, "old_value", ""), NULL, 10),
                                   strtoll(value_get_str(e->value, "new_value", ""), NULL, 10)))
            return false;
    }
    return reason && reason->u.map.n;
}

const struct patroni_member *restart_next(const struct patroni_view *view)
{
    const struct patroni_member *leader = view->leader;

    vec_each (m, &view->members)
        if (m != leader && m->pending_restart && !waits_for_primary(m))
            return m;
    if (leader && leader->pending_restart)
        return leader;
    vec_each (m, &view->members)
        if (m->pending_restart)
            return m;
    return NULL;
}

const struct patroni_member *restart_successor(const struct patroni_view *view)
{
    const struct patroni_member *found = NULL;
    bool synchronous = false;

    vec_each (m, &view->members)
        synchronous |= patroni_is_sync(m);
    vec_each (m, &view->members)
        if (!found && m != view->leader && !m->pending_restart && patroni_member_ok(m) &&
            m->lag >= 0 && m->lag <= SUCCESSOR_LAG_MAX && (!synchronous || patroni_is_sync(m)))
            found = m;
    return found;
}

/* ---- waiting ---- */

struct restarts {
    struct deploy *deploy;
    struct patroni_api api;
    struct deploy_result *result;
    const struct value *changed;
};

/* A condition on the members: waits until it holds, or until the time is over (*held is false). */
typedef bool (*condition)(const struct restarts *rs, const struct patroni_view *view,
                          const char *name);

static int wait_for(struct restarts *rs, condition holds, const char *name, int64_t timeout_ms,
                    bool *held, struct err *err)
{
    int64_t deadline = clock_mono_ms() + timeout_ms, wake = 0;

    for (*held = false; !*held && clock_mono_ms() < deadline;) {
        struct arena arena = ARENA_INIT;
        struct patroni_view view;
        struct err ignored = ERR_INIT;

        if (clock_mono_ms() >= wake) {
            patroni_wake(&rs->api);
            wake = clock_mono_ms() + WAKE_MS;
        }
        *held = patroni_view(&rs->api, &arena, &view, &ignored) == 0 && holds(rs, &view, name);
        err_release(&ignored);
        patroni_view_release(&view);
        arena_release(&arena);
        if (clock_stop_requested())
            return err_set(err, ERR_INTERRUPTED, "stopped between restarts");
        if (!*held)
            clock_sleep_ms(POLL_MS);
    }
    return 0;
}

/* Members look at the configuration once in a turn of their loop, and tell the DCS in the next. */
static int64_t turn_ms(const struct restarts *rs)
{
    return (rs->deploy->cluster->preset->loop_wait + 3) * 1000LL;
}

static bool has_noticed(const struct restarts *rs, const struct patroni_member *m)
{
    for (size_t i = 0; m->pending_reason && i < rs->changed->u.map.n; i++) {
        const struct value_entry *e = &rs->changed->u.map.entries[i];
        const struct value *reason = value_get(m->pending_reason, e->key);

        if (!reason || (e->value->type == VALUE_INT &&
                        e->value->u.i != strtoll(value_get_str(reason, "new_value", ""), NULL, 10)))
            return false;
    }
    return m->pending_restart;
}

static bool all_noticed(const struct restarts *rs, const struct patroni_view *view,
                        const char *name)
{
    UNUSED(name);
    vec_each (m, &view->members)
        if (!has_noticed(rs, m))
            return false;
    return view->members.n > 0;
}

static bool all_well(const struct restarts *rs, const struct patroni_view *view, const char *name)
{
    UNUSED(rs);
    UNUSED(name);
    vec_each (m, &view->members)
        if (!patroni_member_ok(m))
            return false;
    return view->leader;
}

static bool is_done(const struct restarts *rs, const struct patroni_view *view, const char *name)
{
    vec_each (m, &view->members)
        if (str_eq(m->name, name) && m->pending_restart)
            return false;
    return all_well(rs, view, name);
}

/* ---- doing it ---- */

static void tell(struct restarts *rs, const struct patroni_member *m, const char *task)
{
    event_send(rs->deploy->events, &(struct event){.kind = EVENT_CHANGED,
                                                   .stage = "dcs",
                                                   .host = m->name,
                                                   .task = task,
                                                   .text = "for changed parameters"});
    deploy_note(rs->result, m->name, task, NULL, NULL);
}

/* Why is in err, and in the member's journal. */
static int not_back(const struct restarts *rs, const struct patroni_member *m, struct err *err)
{
    struct check_target target = deploy_check_target(rs->deploy);
    struct str journal;
    char *why;

    str_init(&journal, JOURNAL_MAX);
    vec_each (h, &rs->deploy->cluster->hosts)
        if (str_eq(h->name, m->name))
            check_journal(&target, h, "patroni", &journal);
    why = xstrdup(err->text);
    err_set(err, err->code, "%s does not come back from its restart: %s%s%s", m->name, why,
            journal.len ? "\nfrom its journal:\n" : "", journal.buf);
    free(why);
    str_release(&journal);
    return err_hint(err,
                    "the other members were left alone. On: mend %s, then `up`; back: the old "
                    "value into the cluster file, then `up`. See `pgha-deploy logs %s patroni`",
                    m->name, m->name);
}

/* A leader that gives way restarts by that. */
static int begin_restart(struct restarts *rs, const struct patroni_view *view,
                         const struct patroni_member *m, struct err *err)
{
    const struct patroni_member *successor = m == view->leader ? restart_successor(view) : NULL;

    if (!successor) {
        tell(rs, m, "restart PostgreSQL");
        return patroni_restart(&rs->api, m->address, err) < 0 ? not_back(rs, m, err) : 0;
    }
    tell(rs, successor, "lead the cluster");
    tell(rs, m, "restart PostgreSQL as a replica");
    return patroni_switchover(&rs->api, m, successor, err) < 0
               ? err_wrap(err, "switchover from %s to %s", m->name, successor->name)
               : 0;
}

static int restart_member(struct restarts *rs, const struct patroni_view *view,
                          const struct patroni_member *m, struct err *err)
{
    bool held;

    if (begin_restart(rs, view, m, err) < 0)
        return -1;
    /* Another parameter may be pending by now: that is no fault, and the next round's business. */
    if (wait_for(rs, is_done, m->name, turn_ms(rs), &held, err) < 0 ||
        (!held && wait_for(rs, all_well, m->name, MEMBER_BACK_MS, &held, err) < 0))
        return -1;
    if (held)
        return 0;
    err_set(err, ERR_TIMEOUT, "not well within %d s", MEMBER_BACK_MS / 1000);
    return not_back(rs, m, err);
}

static int still_pending(const struct patroni_member *m, struct err *err)
{
    struct str text;

    str_init(&text, REASON_MAX);
    for (size_t i = 0; m->pending_reason && i < m->pending_reason->u.map.n; i++) {
        const struct value_entry *e = &m->pending_reason->u.map.entries[i];

        str_printf(&text, "%s%s is %s and should be %s", i ? ", " : ": ", e->key,
                   value_get_str(e->value, "old_value", "?"),
                   value_get_str(e->value, "new_value", "?"));
    }
    err_set(err, ERR_FAILED, "%s still wants a restart after %d%s", m->name, RESTARTS_PER_MEMBER,
            text.buf);
    str_release(&text);
    return err_hint(err, "see `pgha-deploy logs %s patroni`", m->name);
}

/* The settings of a member's PostgreSQL; NULL when it does not answer. */
static struct value *ask_settings(const struct restarts *rs, const struct patroni_member *m,
                                  struct arena *a)
{
    struct check_target t = deploy_check_target(rs->deploy);
    struct pg_target login =
        check_login(&t, m->address, rs->deploy->cluster->port_postgres, LOGIN_TIMEOUT_MS);
    struct err ignored = ERR_INIT;
    struct pg *pg = pg_open(&login, &ignored);
    struct value *settings = NULL;

    if (pg && pg_exec(pg, "SELECT name, setting FROM pg_settings", 0, NULL, &ignored) == 0) {
        settings = value_map(a);
        for (size_t i = 0; i < pg_rows(pg); i++)
            value_map_set(a, settings, arena_strdup(a, pg_value(pg, i, 0)),
                          value_str(a, pg_value(pg, i, 1)));
    }
    pg_close(pg);
    err_release(&ignored);
    return settings;
}

/* Patroni before 4.0 does not tell why; then the order comes from what PostgreSQL says. */
static int find_reasons(const struct restarts *rs, struct patroni_view *view, struct arena *a,
                        struct err *err)
{
    const struct value *config = NULL, *settings;

    vec_each (m, &view->members) {
        if (!m->pending_restart || m->pending_reason)
            continue;
        if (!config && !(config = patroni_config(&rs->api, a, err)))
            return -1;
        if ((settings = ask_settings(rs, m, a)))
            m->pending_reason =
                restart_reason(value_at(config, "postgresql.parameters"), settings, a);
    }
    return 0;
}

/* One round; *more is false when nothing was pending. */
static int restart_one(struct restarts *rs, size_t done, bool *more, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct patroni_view view;
    const struct patroni_member *m;
    int rc = patroni_view(&rs->api, &arena, &view, err);

    *more = false;
    if (rc == 0)
        rc = find_reasons(rs, &view, &arena, err);
    if (rc == 0 && (m = restart_next(&view))) {
        *more = true;
        rc = done < RESTARTS_PER_MEMBER * view.members.n ? restart_member(rs, &view, m, err)
                                                         : still_pending(m, err);
    }
    patroni_view_release(&view);
    arena_release(&arena);
    return rc;
}

int restart_pending(struct deploy *d, const struct value *changed, struct deploy_result *r,
                    struct err *err)
{
    struct restarts rs = {d, {d->cluster, &d->secrets, 0}, r, changed};
    bool more = true;

    /* A value that is the old one in other units is never marked: then the wait just ends. */
    if (changed->u.map.n && wait_for(&rs, all_noticed, NULL, turn_ms(&rs), &more, err) < 0)
        return -1;
    more = true;
    for (size_t done = 0; more; done++)
        if (restart_one(&rs, done, &more, err) < 0)
            return -1;
    return 0;
}
