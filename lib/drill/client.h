/*
 * client.h - the clients of a drill: what an application's connections see while something breaks.
 *
 * A group is some clients of one address, or of a list of hosts as drivers take it, a thread each.
 * They connect as a good driver does and hide nothing: an attempt to connect takes 500 ms at most,
 * 10 ms lie between two, and a connection is dropped after any error. An answer is awaited for 500
 * ms, doubled up to 5 s while none comes: every statement that is given up leaves a backend that
 * waits for a synchronous standby and does not notice that its client is gone, so many would use up
 * max_connections. A plain client has libpq's defaults instead: it waits without a limit.
 *
 * A client keeps its measurements in memory, which is bounded (SAMPLE_MAX, LEDGER_MAX_WRITES): at
 * the bound it ends, and clients_stop() says so.
 */
#ifndef PGHA_CLIENT_H
#define PGHA_CLIENT_H

#include "lib/drill/ledger.h"
#include "lib/drill/sample.h"
#include "lib/net/pg.h"

#define CLIENTS_MAX 128 /* of all groups; each has a connection */

enum client_kind {
    CLIENT_WRITER, /* writes numbered rows, at a server that is not read-only */
    CLIENT_READER, /* asks any server for the highest number of each writer */
    CLIENT_PLAIN,  /* a writer with libpq's defaults */
};

struct client_group {
    const char *name;
    enum client_kind kind;
    struct pg_target target; /* login, address, route; limits of time and manner are set here */
    /* After every failure the next of these is tried instead of target.host; NULL: there are none.
     * A plain client gets the whole list, for libpq to try. */
    const char *const *hosts; /* ends with NULL */
    size_t clients;
};

struct client_options {
    const struct client_group *groups; /* strings must last until clients_free() */
    size_t n;
    uint64_t run; /* below 2^63, at random */
    int pace_ms;  /* between an answer and the next statement; 0: 10 ms */
};

struct clients;

/* The table must be there: ledger_table_prepare(). NULL: too many, or no thread to be had. */
struct clients *clients_start(const struct client_options *options, struct err *err);

/* While they run, from any thread. Groups are counted from 0. */
int64_t clients_now_us(const struct clients *c); /* since they began: the clock of all times here */
size_t clients_answered(const struct clients *c, size_t group);        /* statements */
int64_t clients_last_answer_us(const struct clients *c, size_t group); /* to any; -1: none yet */

/* Ends and awaits them: 5 s at most, where statements are under way. They end by themselves when
 * clock_stop_requested(). -1: one had to end before. */
int clients_stop(struct clients *c, struct err *err) MUST_USE;
void clients_free(struct clients *c);

/* When they are stopped. */
const struct ledger *clients_ledger(const struct clients *c);
/* sample_figures() of a group; name is set, too. */
void clients_figures(const struct clients *c, size_t group, int64_t fault_us,
                     struct drill_channel *out);
/* What they were told instead of answers. */
void clients_told(const struct clients *c, size_t group, struct sample_texts *out);
/* As ledger_reader has it, of all readers of the group. */
void clients_reads(const struct clients *c, size_t group, size_t *went_back,
                   size_t *went_elsewhere);

#endif
