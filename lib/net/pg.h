/*
 * pg.h - one connection to PostgreSQL (libpq), with a deadline on the whole attempt.
 */
#ifndef PGHA_PG_H
#define PGHA_PG_H

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/net/route.h"

struct pg_target {
    const char *host; /* address */
    int port;
    const char *user, *password, *database;
    const char *root_cert; /* file of authorities: TLS, with the server's certificate and name
                              verified. NULL: TLS only if the server offers it */
    int timeout_ms;        /* of the connection, and of each statement; 0: 5 s */
    const struct net_route *route; /* to the host; NULL: directly */
};

struct pg;

/* ERR_NET when there is no server or it went away (retryable), ERR_DENIED when it refuses the
 * login. */
struct pg *pg_open(const struct pg_target *target, struct err *err);
void pg_close(struct pg *pg);

/* Runs one statement with text parameters. 0, or -1 with the server's message; pg_sqlstate() tells
 * which. */
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
