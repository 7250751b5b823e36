/* copies.c - catching up, then counting. */
#include "lib/drill/copies.h"

#include "lib/base/clock.h"
#include "lib/drill/ledger_table.h"

enum { LOGIN_MS = 10000, CATCH_UP_MS = 30000, POLL_MS = 20 };

static struct pg_target login_of(const struct check_target *t, const struct cluster_host *h)
{
    return check_login(t, h->address, t->cluster->port_postgres, LOGIN_MS);
}

/* Where the leader's log ends, into lsn. */
static int find_end(const struct check_target *t, struct arena *a, const char **lsn,
                    struct err *err)
{
    struct patroni_api api = {t->cluster, t->secrets, 0};
    struct patroni_view view;
    struct pg_target login;
    struct pg *pg = NULL;
    int rc = patroni_view(&api, a, &view, err);

    login = check_primary(t, &view, LOGIN_MS);
    if (rc == 0 && !login.host)
        rc = err_set(err, ERR_FAILED, "no member leads");
    if (rc == 0 && !(pg = pg_open(&login, err)))
        rc = -1;
    if (rc == 0)
        rc = pg_exec(pg, "SELECT pg_current_wal_flush_lsn()", 0, NULL, err);
    if (rc == 0)
        *lsn = arena_strdup(a, pg_value(pg, 0, 0));
    pg_close(pg);
    patroni_view_release(&view);
    return rc;
}

static int catch_up(struct pg *pg, const char *lsn, struct err *err)
{
    static const char sql[] = "SELECT NOT pg_is_in_recovery() OR pg_last_wal_replay_lsn() >= $1";
    int64_t deadline = clock_mono_ms() + CATCH_UP_MS;

    for (;;) {
        if (pg_exec(pg, sql, 1, &lsn, err) < 0)
            return -1;
        if (str_eq(pg_value(pg, 0, 0), "t"))
            return 0;
        if (clock_mono_ms() > deadline)
            return err_set(err, ERR_TIMEOUT, "it has not replayed %s after %d s", lsn,
                           CATCH_UP_MS / 1000);
        if (clock_stop_requested())
            return err_set(err, ERR_INTERRUPTED, "stopped");
        clock_sleep_ms(POLL_MS);
    }
}

static int account(const struct check_target *t, const struct cluster_host *h, const char *lsn,
                   const struct ledger *l, struct ledger_account *out, struct err *err)
{
    struct pg_target login = login_of(t, h);
    ledger_rows rows = VEC_INIT;
    struct pg *pg = pg_open(&login, err);
    int rc = pg ? catch_up(pg, lsn, err) : -1;

    pg_close(pg);
    if (rc == 0)
        rc = ledger_table_fetch(&login, l, &rows, err);
    if (rc == 0)
        ledger_account(l, rows.items, rows.n, out);
    vec_release(&rows);
    return rc < 0 ? err_wrap(err, "%s", h->name) : 0;
}

int copies_account(const struct check_target *t, const struct ledger *l, struct arena *a,
                   struct drill_result *r, struct err *err)
{
    const char *lsn = NULL;

    if (find_end(t, a, &lsn, err) < 0)
        return -1;
    vec_each (h, &t->cluster->hosts) {
        struct drill_copy copy = {.member = h->name};

        if (!h->is_db)
            continue;
        if (account(t, h, lsn, l, &copy.account, err) < 0)
            return -1;
        vec_push(&r->copies, copy);
    }
    return 0;
}
