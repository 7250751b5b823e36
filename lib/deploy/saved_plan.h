/*
 * saved_plan.h - a plan in a file, so that what was read and agreed to is what is done: `plan --out
 * FILE`, later `up FILE`.
 *
 * The file is JSON: pgha_plan (version 1), program, cluster, cluster_file (SHA-256), and every
 * change with where, what, consequence and the SHA-256 of its diff, which itself is not kept: it
 * may be long, and is for who reads the plan. Certificates are made anew by each plan before the
 * first `up`, so their text does not count.
 */
#ifndef PGHA_SAVED_PLAN_H
#define PGHA_SAVED_PLAN_H

#include "lib/deploy/deploy.h"

/* Mode 0600, as it names what is on the hosts. */
int saved_plan_write(const struct deploy *d, const struct deploy_result *r, const char *path,
                     struct err *err) MUST_USE;
/* Plans anew and compares. ERR_CONFLICT tells what is different; ERR_INPUT: no such plan. */
int saved_plan_check(struct deploy *d, const char *path, struct err *err) MUST_USE;

/* ---- pure, for the tests ---- */

struct value *saved_plan_changes(const struct deploy_result *r, struct arena *a);
/* The first difference in words; NULL: there is none. */
const char *saved_plan_difference(const struct value *planned, const struct value *now,
                                  struct arena *a);

#endif
