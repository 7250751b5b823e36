/*
 * restart.h - the restarts that changed parameters ask for, one member at a time.
 *
 * Members tell what waits for a restart themselves (pending_restart and pending_restart_reason in
 * GET /cluster, https://patroni.readthedocs.io/en/latest/rest_api.html), so a run that was killed
 * between two restarts is completed by the next. Patroni before 4.0 tells no reason: then the
 * member's PostgreSQL is asked. Replicas come first, so that the primary serves
 * meanwhile; then one of them takes its place, and it restarts as a replica. But PostgreSQL demands
 * of some parameters that a standby has at least the primary's value
 * (https://www.postgresql.org/docs/17/hot-standby.html#HOT-STANDBY-ADMIN): a lowered one goes to
 * the primary first, and Patroni keeps the old one on a replica that is restarted before it.
 */
#ifndef PGHA_RESTART_H
#define PGHA_RESTART_H

#include "lib/cluster/patroni.h"
#include "lib/deploy/deploy.h"

/* Whether a change of this parameter from one value to the other is the primary's first. */
bool restart_primary_first(const char *parameter, int64_t from, int64_t to);

/* A reason as Patroni 4.0 tells it, of the parameters that decide the order: those that PostgreSQL
 * has another value of, as text in now, than wanted has. NULL: none. */
const struct value *restart_reason(const struct value *wanted, const struct value *now,
                                   struct arena *a);

/* The member whose restart has an effect now; NULL: nothing is pending. */
const struct patroni_member *restart_next(const struct patroni_view *view);
/* Who can lead instead of the leader while that restarts: a replica that streams, is not behind,
 * and waits for no restart itself; a synchronous one where there are such. NULL: nobody. */
const struct patroni_member *restart_successor(const struct patroni_view *view);

/* Restarts what is pending, until nothing is. changed: the parameters patched just now, that only a
 * restart changes, with their values: waits first (bounded) until every member has noticed. */
int restart_pending(struct deploy *d, const struct value *changed, struct deploy_result *r,
                    struct err *err) MUST_USE;

#endif
