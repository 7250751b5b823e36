/*
 * scenario.h - the ways to break a cluster: one file each below scenarios/, ending in one const
 * struct that scenarios.c lists.
 *
 * A scenario hurts the cluster and returns at once; drill.c waits, heals, measures and judges.
 * Every fault goes through fault.h, which knows how to undo it, so a scenario has nothing to clean
 * up.
 */
#ifndef PGHA_SCENARIO_H
#define PGHA_SCENARIO_H

#include "lib/check/check.h"
#include "lib/drill/bound.h"

struct drill_stage; /* stage.h: the cluster, its hosts by their roles, and the faults on them */

enum scenario_needs {
    NEEDS_REPLICA = 1,   /* a member that does not lead */
    NEEDS_SYNC = 2,      /* a synchronous standby */
    NEEDS_BALANCERS = 4, /* two: one holds the VIP */
    NEEDS_ETCD = 8,      /* three members: one may be lost */
    NEEDS_POWER = 16     /* a provider that switches hosts off */
};

struct scenario {
    const char *name;    /* "host-lost" */
    const char *summary; /* "the primary's host loses its power" */
    const char *story;   /* what is done, and what must come of it */
    unsigned needs;
    /* What clients of the primary's and of the replicas' port may feel; empty: no bound. */
    enum bound_term primary[BOUND_MAX_TERMS], replicas[BOUND_MAX_TERMS];
    /* The fault stays at least so long, though service is back. */
    enum bound_term hold[BOUND_MAX_TERMS];
    bool outage; /* there is no service until the fault is healed */
    bool inside; /* with a client on the primary's own host */
    /* Why this cluster cannot have it, beside its needs; in the stage's arena. NULL: it can. */
    int (*unfit)(struct drill_stage *s, const char **why, struct err *err);
    int (*hurt)(struct drill_stage *s, struct err *err); /* NULL: nothing is broken */
    int (*mend)(struct drill_stage *s, struct err *err); /* NULL: fault_heal */
};

extern const struct scenario *const scenarios[];        /* in the order of docs; NULL-terminated */
const struct scenario *scenario_find(const char *name); /* NULL: there is none */
void scenarios_format(const struct preset *preset, struct str *out); /* drill --list */
void drill_write_docs(struct str *out);                              /* docs/drill.md */

#endif
