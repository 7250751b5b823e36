/*
 * pg.h - one connection to PostgreSQL (libpq), with a deadline on the whole attempt.
 */
#ifndef PGHA_PG_H
#define PGHA_PG_H

#include <stdatomic.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/net/route.h"

/* How a connection waits. */
enum pg_manner {
    PG_COMMAND, /* for our own work: the server ends a statement that takes longer than timeout_ms
                   (statement_timeout) */
    PG_DRIVER,  /* as an application's good driver: a dead server is noticed within 4 s (keepalives,
                   tcp_user_timeout), and one that is read-only is none (target_session_attrs). The
                   server is told no limit: by one it would end the wait for a synchronous standby,
                   and then acknowledge what is not replicated. */
    PG_PLAIN,   /* libpq's defaults: no limit of time; timeout_ms is not looked at */
};

struct pg_target {
    const char
        *host; /* address; of PG_PLAIN also several with commas, one of which is read-write */
    int port;
    const char *user, *password, *database;
    const char *root_cert; /* file of authorities: TLS, with the server's certificate and name
                              verified. NULL: TLS only if the server offers it */
    int timeout_ms;        /* of the connection, and of each statement; 0: 5 s */
    enum pg_manner manner;
    bool any_server;               /* PG_DRIVER: a read-only one will do */
    const atomic_bool *stop;       /* ends all waiting when it becomes true; may be NULL */
    const struct net_route *route; /* to the host; NULL: directly */
};

struct pg;

/* ERR_NET when there is no server or it went away, ERR_TIMEOUT (both retryable), ERR_DENIED when it
 * refuses the login. */
struct pg *pg_open(const struct pg_target *target, struct err *err);
void pg_close(struct pg *pg);
void pg_set_timeout(struct pg *pg, int ms); /* PG_DRIVER: of the next statements */

/* Runs one statement with text parameters. 0, or -1 with the server's message; pg_sqlstate() tells
 * which. ERR_TIMEOUT when there is no answer: it may come yet, so that the connection is of no use
 * any more. */
int pg_exec(struct pg *pg, const char *sql, int n, const char *const *params,
            struct err *err) MUST_USE;
size_t pg_rows(const struct pg *pg); /* of the last pg_exec */
const char *pg_value(const struct pg *pg, size_t row,
                     int column);             /* "" for NULL; until the next pg_exec */
const char *pg_sqlstate(const struct pg *pg); /* of the last failure: "25006"; "" for none */
/* The SCRAM verifier of a password, quoted as a literal: what the server stores, so the password
 * itself never reaches its log. */
int pg_put_scram(struct pg *pg, const char *user, const char *password, struct str *out,
                 struct err *err) MUST_USE;
/* Whether a stored verifier ("SCRAM-SHA-256$4096:SALT$STORED:SERVER", RFC 5802 and 7677) is that of
 * the password. Takes printable ASCII as it is, which SASLprep does not change. */
bool pg_scram_matches(const char *verifier, const char *password);
void pg_put_identifier(struct pg *pg, const char *name, struct str *out); /* quoted */
void pg_put_literal(struct pg *pg, const char *text, struct str *out);

#endif
