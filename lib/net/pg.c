/* pg.c - a thin face on libpq: deadlines, errors, results. */
#include "lib/net/pg.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"

enum {
    DEFAULT_TIMEOUT_MS = 5000,
    GRACE_MS = 1000, /* for the server's word that it ended a statement at its time limit */
    POLL_MS = 1000,  /* between looks at whether to stop */
};

struct pg {
    PGconn *conn;
    PGresult *result;
    char sqlstate[6];
    int timeout_ms; /* of a statement; < 0: none */
    const atomic_bool *stop;
};

/* libpq ends its messages with a newline, and adds lines of detail: one line will do. */
static const char *first_line(const char *message, char *buf, size_t size)
{
    size_t n = strcspn(message, "\n");

    snprintf(buf, size, "%.*s", (int)n, message);
    return buf;
}

/* 1 when ready, 0 when the caller should look again, -1 when time is up. */
static int wait_socket(PGconn *conn, short events, int64_t deadline, const atomic_bool *stop)
{
    struct pollfd fd = {PQsocket(conn), events, 0};
    int64_t left = deadline - clock_mono_ms();
    int n;

    if (left <= 0 || clock_stop_requested() || (stop && atomic_load(stop)))
        return -1;
    n = poll(&fd, 1, left > POLL_MS ? POLL_MS : (int)left);
    if (n < 0)
        return errno == EINTR ? 0 : -1;
    return n > 0;
}

/* < 0: none. */
static int timeout_of(const struct pg_target *t)
{
    if (t->manner == PG_PLAIN)
        return -1;
    return t->timeout_ms ? t->timeout_ms : DEFAULT_TIMEOUT_MS;
}

static int64_t deadline_after(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : clock_mono_ms() + timeout_ms;
}

/* libpq's own connect_timeout counts whole seconds, 2 at least; this loop keeps ours to the
 * millisecond. */
static PostgresPollingStatusType connect_poll(PGconn *conn, int64_t deadline,
                                              const atomic_bool *stop)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;

    while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
        int ready =
            wait_socket(conn, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline, stop);

        if (ready < 0)
            return PGRES_POLLING_ACTIVE;
        if (ready)
            state = PQconnectPoll(conn);
    }
    return state;
}

/* libpq would print notices to stderr: a server that crashes sends one to every client. */
static void ignore_notice(void *ctx, const PGresult *notice)
{
    UNUSED(ctx);
    UNUSED(notice);
}

/* local: the port of 127.0.0.1 that leads there; 0: none. The host stays the one that is verified.
 */
static PGconn *connect_start(const struct pg_target *t, int local)
{
    bool driver = t->manner == PG_DRIVER;
    bool select = driver ? !t->any_server : strchr(t->host, ',') != NULL;
    char port[16], limit[64];
    /* NULL: libpq's default. */
    const char *const parameters[][2] = {
        {"host", t->host},
        {"hostaddr", local ? "127.0.0.1" : NULL},
        {"port", port},
        {"user", t->user},
        {"password", t->password},
        {"dbname", t->database},
        {"options", t->manner == PG_PLAIN ? NULL : limit},
        {"application_name", "pgha-deploy"},
        {"sslmode", t->root_cert ? "verify-full" : "prefer"},
        {"sslrootcert", t->root_cert},
        {"gssencmode", "disable"},
        {"target_session_attrs", select ? "read-write" : NULL},
        {"keepalives_idle", driver ? "1" : NULL},
        {"keepalives_interval", driver ? "1" : NULL},
        {"keepalives_count", driver ? "3" : NULL},
        {"tcp_user_timeout", driver ? "4000" : NULL},
    };
    const char *keys[ARRAY_LEN(parameters) + 1], *values[ARRAY_LEN(parameters) + 1];
    PGconn *conn;

    snprintf(port, sizeof(port), "%d", local ? local : t->port);
    snprintf(limit, sizeof(limit), "-c statement_timeout=%d", driver ? 0 : timeout_of(t));
    for (size_t i = 0; i < ARRAY_LEN(parameters); i++) {
        keys[i] = parameters[i][0];
        values[i] = parameters[i][1];
    }
    keys[ARRAY_LEN(parameters)] = values[ARRAY_LEN(parameters)] = NULL;
    conn = PQconnectStartParams(keys, values, 0);
    if (!conn)
        abort(); /* out of memory */
    PQsetNoticeReceiver(conn, ignore_notice, NULL);
    return conn;
}

static int connect_fault(const struct pg_target *t, PGconn *conn, bool late, struct err *err)
{
    char buf[512];
    const char *text =
        late ? "no answer in time" : first_line(PQerrorMessage(conn), buf, sizeof(buf));
    /* No SQLSTATE is to be had for a failed connection; the server's words for a refused login are
     * stable. */
    bool denied = strstr(text, "password authentication failed") || strstr(text, "pg_hba.conf");

    err_set(err,
            denied ? ERR_DENIED
            : late ? ERR_TIMEOUT
                   : ERR_NET,
            "%s:%d: %s", t->host, t->port, text);
    err->retryable = !denied;
    return -1;
}

struct pg *pg_open(const struct pg_target *t, struct err *err)
{
    int timeout = timeout_of(t), local = net_route_port(t->route, t->host, t->port, err);
    PostgresPollingStatusType state;
    struct pg *pg;
    PGconn *conn;

    if (local < 0)
        return NULL;
    conn = connect_start(t, local);
    state = PQstatus(conn) == CONNECTION_BAD ? PGRES_POLLING_FAILED
                                             : connect_poll(conn, deadline_after(timeout), t->stop);
    if (state != PGRES_POLLING_OK) {
        connect_fault(t, conn, state == PGRES_POLLING_ACTIVE, err);
        PQfinish(conn);
        return NULL;
    }
    pg = xcalloc(1, sizeof(*pg));
    pg->conn = conn;
    pg->timeout_ms = t->manner == PG_COMMAND ? timeout + GRACE_MS : timeout;
    pg->stop = t->stop;
    return pg;
}

void pg_close(struct pg *pg)
{
    if (!pg)
        return;
    PQclear(pg->result);
    PQfinish(pg->conn);
    free(pg);
}

void pg_set_timeout(struct pg *pg, int ms)
{
    pg->timeout_ms = ms;
}

/* NULL: no result came in time, or none at all. */
static PGresult *exec_wait(struct pg *pg)
{
    int64_t deadline = deadline_after(pg->timeout_ms);
    PGresult *last = NULL, *next;

    for (;;) {
        while (PQisBusy(pg->conn)) {
            if (wait_socket(pg->conn, POLLIN, deadline, pg->stop) < 0) {
                PQclear(last);
                return NULL;
            }
            if (!PQconsumeInput(pg->conn))
                break;
        }
        if (!(next = PQgetResult(pg->conn)))
            return last;
        PQclear(last);
        last = next;
    }
}

int pg_exec(struct pg *pg, const char *sql, int n, const char *const *params, struct err *err)
{
    char buf[512];
    const char *state;
    ExecStatusType status;

    PQclear(pg->result);
    pg->result = NULL;
    pg->sqlstate[0] = '\0';
    if (!PQsendQueryParams(pg->conn, sql, n, NULL, params, NULL, NULL, 0) ||
        !(pg->result = exec_wait(pg))) {
        const char *text = PQerrorMessage(pg->conn);

        err_set(err, *text ? ERR_NET : ERR_TIMEOUT, "%s",
                *text ? first_line(text, buf, sizeof(buf)) : "no answer in time");
        err->retryable = true;
        return -1;
    }
    status = PQresultStatus(pg->result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return 0;
    state = PQresultErrorField(pg->result, PG_DIAG_SQLSTATE);
    snprintf(pg->sqlstate, sizeof(pg->sqlstate), "%s", state ? state : "");
    err_set(err, PQstatus(pg->conn) == CONNECTION_OK ? ERR_FAILED : ERR_NET, "%s",
            first_line(PQresultErrorMessage(pg->result), buf, sizeof(buf)));
    err->retryable = err->code == ERR_NET;
    return -1;
}

size_t pg_rows(const struct pg *pg)
{
    return pg->result ? (size_t)PQntuples(pg->result) : 0;
}

const char *pg_value(const struct pg *pg, size_t row, int column)
{
    return PQgetvalue(pg->result, (int)row, column);
}

const char *pg_sqlstate(const struct pg *pg)
{
    return pg->sqlstate;
}

void pg_put_identifier(struct pg *pg, const char *name, struct str *out)
{
    char *quoted = PQescapeIdentifier(pg->conn, name, strlen(name));

    str_puts(out, quoted ? quoted : "");
    PQfreemem(quoted);
}

void pg_put_literal(struct pg *pg, const char *text, struct str *out)
{
    char *quoted = PQescapeLiteral(pg->conn, text, strlen(text));

    str_puts(out, quoted ? quoted : "");
    PQfreemem(quoted);
}

int pg_put_scram(struct pg *pg, const char *user, const char *password, struct str *out,
                 struct err *err)
{
    char *verifier = PQencryptPasswordConn(pg->conn, password, user, "scram-sha-256");

    if (!verifier)
        return err_set(err, ERR_FAILED, "%s", PQerrorMessage(pg->conn));
    pg_put_literal(pg, verifier, out);
    PQfreemem(verifier);
    return 0;
}
