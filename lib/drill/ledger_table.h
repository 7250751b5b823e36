/*
 * ledger_table.h - the ledger's rows on the servers: the table pgha_drill, which has no unique key,
 * so that rows which are there twice can be seen.
 */
#ifndef PGHA_LEDGER_TABLE_H
#define PGHA_LEDGER_TABLE_H

#include "lib/drill/ledger.h"
#include "lib/net/pg.h"

/* Makes the table if there is none, and deletes rows that are older than a day. target: the
 * primary. */
int ledger_table_prepare(const struct pg_target *target, struct err *err) MUST_USE;

/* One write. pg_exec's errors. */
int ledger_table_insert(struct pg *pg, const struct ledger *l, size_t writer, uint32_t number,
                        struct err *err) MUST_USE;
/* The highest number of each writer of the run, 0: none. As cheap with many rows as with few. */
int ledger_table_highest(struct pg *pg, uint64_t run, size_t writers, uint32_t *highest,
                         struct err *err) MUST_USE;

/* All rows of the ledger's run, in no order. ERR_INPUT when they are twice as many as were sent,
 * and more. */
typedef VEC(struct ledger_row) ledger_rows;
int ledger_table_fetch(const struct pg_target *target, const struct ledger *l, ledger_rows *rows,
                       struct err *err) MUST_USE;

#endif
