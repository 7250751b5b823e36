/* postgres_frozen.c - the primary's PostgreSQL hangs. */
#include "lib/drill/scenarios/list.h"
#include "lib/drill/stage.h"

/* The postmaster and its children, as a machine would that has no memory or disk left for them. */
#define PROCESSES "p=$(head -n 1 '%s/postmaster.pid'); kill -%s $p $(pgrep -P $p)"

static int hurt(struct drill_stage *s, struct err *err)
{
    const char *data = cluster_data_dir(s->target->cluster, s->arena);
    char *stop = xasprintf(PROCESSES, data, "STOP"), *go_on = xasprintf(PROCESSES, data, "CONT");
    int rc = fault_begin(s, s->primary, stop, go_on, err);

    free(stop);
    free(go_on);
    return rc;
}

const struct scenario scenario_postgres_frozen = {
    .name = "postgres-frozen",
    .summary = "the primary's PostgreSQL frozen",
    .story =
        "SIGSTOP for PostgreSQL on the primary: it has its connections, and does nothing. When "
        "it thaws, it must not take a write any more.",
    .needs = NEEDS_REPLICA,
    .primary = {BOUND_LEASE, BOUND_TURN, BOUND_ELECTION, BOUND_PROMOTE, BOUND_SERVER_UP,
                BOUND_CLIENT},
    .replicas = {BOUND_SERVER_FROZEN, BOUND_REWIND, BOUND_CLIENT},
    .hold = {BOUND_LEASE, BOUND_TURN},
    .hurt = hurt,
};
