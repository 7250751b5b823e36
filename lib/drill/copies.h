/*
 * copies.h - the ledger against every member's rows.
 */
#ifndef PGHA_COPIES_H
#define PGHA_COPIES_H

#include "lib/check/check.h"
#include "lib/drill/ledger.h"
#include "lib/drill/report.h"

/* Waits until every member has all that the leader has, then adds a copy of each to the result.
 * ERR_TIMEOUT: a member does not get there. */
int copies_account(const struct check_target *t, const struct ledger *l, struct arena *a,
                   struct drill_result *r, struct err *err) MUST_USE;

#endif
