/*
 * adopt.h - takes a Patroni cluster over that somebody else set up, while its PostgreSQL runs.
 *
 * In up: adopt_find among the survey's answers, adopt_begin before the hosts are converged,
 * adopt_end when they are. What is needed in between is in the state folder's adopt.json, so a run
 * that was killed is completed by the next `up`, whether it says --adopt or not.
 */
#ifndef PGHA_ADOPT_H
#define PGHA_ADOPT_H

#include "lib/check/adoption.h"
#include "lib/deploy/deploy.h"

/* A take-over that has begun, if any, into d->adoption. */
int adopt_read(struct deploy *d, struct err *err) MUST_USE;
/* What the hosts tell; d->adoption from then on. facts as place_hosts has them. */
int adopt_find(struct deploy *d, const struct host_facts *const *facts, struct err *err) MUST_USE;
/* Asks Patroni, then the user; puts what was there aside. */
int adopt_begin(struct deploy *d, struct deploy_result *r, struct err *err) MUST_USE;
/* Out of maintenance mode. Restarts that new settings want are left to the next `up`. */
int adopt_end(struct deploy *d, struct deploy_result *r, struct err *err) MUST_USE;
void adopt_free(struct adoption *a); /* a may be NULL */

#endif
