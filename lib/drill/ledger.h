/*
 * ledger.h - what the clients of a drill were told, and what the servers have of it: pure
 * accounting, without a connection.
 *
 * Every writer numbers its writes from 1 and sends no number twice, so a write that was not
 * acknowledged stays what it is: it may be there or not. A row holds run, writer, number, previous
 * and hash:
 *
 *     hash = H(hash of previous, run, writer, number)
 *
 * where previous is the writer's last acknowledged number when the row was sent (0: none). A server
 * that lost, doubled, changed or made up rows cannot say so with fitting hashes.
 *
 * A writer belongs to one thread; accounting comes when all have ended.
 */
#ifndef PGHA_LEDGER_H
#define PGHA_LEDGER_H

#include "lib/base/vec.h"

#define LEDGER_MAX_WRITES ((uint32_t)1 << 20) /* of one writer; 32 MB */

struct ledger_write {
    int64_t sent_us, acked_us; /* on the ledger's clock; acked_us < 0: no answer, or an error */
    uint32_t previous;
    uint64_t hash;
};

struct ledger_writer {
    VEC(struct ledger_write) writes; /* number n is item n - 1 */
    uint32_t acknowledged;           /* the last number that was; 0: none */
};

struct ledger {
    uint64_t run; /* tells this drill's rows from those of others; a bigint, so below 2^63 */
    struct ledger_writer *writers;
    size_t n;
};

void ledger_init(struct ledger *l, uint64_t run, size_t writers);
void ledger_release(struct ledger *l);

/* The next write of a writer: its number; 0 when it has had LEDGER_MAX_WRITES. */
uint32_t ledger_send(struct ledger *l, size_t writer, int64_t now_us);
void ledger_acknowledge(struct ledger *l, size_t writer, uint32_t number, int64_t now_us);
const struct ledger_write *ledger_write(const struct ledger *l, size_t writer, uint32_t number);
size_t ledger_sent(const struct ledger *l); /* by all writers */

/* A row as a server has it. position: of the insert among all, a sequence's value. */
struct ledger_row {
    uint64_t run, hash;
    int64_t writer, number, previous, position;
};

struct ledger_account {
    size_t acknowledged; /* that the writers know of */
    size_t missing;      /* acknowledged, and not there: lost */
    size_t unknown;      /* sent, and never acknowledged */
    size_t unknown_kept; /* of these, those that are there: allowed */
    size_t doubled;      /* rows that are there once more: of three alike, two */
    /* Acknowledged rows before the one that their writer had acknowledged before them. Of doubled
     * rows the first counts. */
    size_t reordered;
    size_t altered;  /* rows with another previous or hash than was sent; they are there */
    size_t invented; /* rows of this run that were never sent */
    /* Of the acknowledged writes that are missing, the one acknowledged first, and the last one
     * that is missing before its writer has one there again. writer -1: none. */
    int64_t missing_writer;
    uint32_t missing_from, missing_to;
};

/* rows: in any order; they are sorted in place. Rows of other runs do not count. */
void ledger_account(const struct ledger *l, struct ledger_row *rows, size_t n,
                    struct ledger_account *out);

/* What a reader saw of each writer: numbers only grow, unless a read went back in time. */
struct ledger_reader {
    uint32_t *seen, *seen_here; /* the highest of each writer: ever, and on this connection */
    size_t n;
    size_t went_back;      /* reads behind an earlier one of the same connection: a fault */
    size_t went_elsewhere; /* behind one of an earlier connection only: another replica may be
                              behind, but for what a primary showed it means a loss */
};

void ledger_reader_init(struct ledger_reader *r, size_t writers);
void ledger_reader_release(struct ledger_reader *r);
void ledger_reader_connected(struct ledger_reader *r);
/* One read: the highest number of each writer, 0: none. */
void ledger_reader_saw(struct ledger_reader *r, const uint32_t *highest);

#endif
