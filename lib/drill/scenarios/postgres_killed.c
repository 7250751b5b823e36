/* postgres_killed.c - the primary's postmaster dies. */
#include "lib/drill/scenarios/list.h"
#include "lib/drill/stage.h"

static int hurt(struct drill_stage *s, struct err *err)
{
    char *kill = xasprintf("kill -9 $(head -n 1 '%s/postmaster.pid')",
                           cluster_data_dir(s->target->cluster, s->arena));
    int rc = fault_begin(s, s->primary, kill, ":", err);

    free(kill);
    return rc;
}

const struct scenario scenario_postgres_killed = {
    .name = "postgres-killed",
    .summary = "the primary's postmaster killed",
    .story =
        "SIGKILL for the postmaster. Patroni finds out in its next turn, and starts it again or "
        "lets a replica lead.",
    .needs = 0,
    .primary = {BOUND_TURN, BOUND_RECOVERY, BOUND_ELECTION, BOUND_PROMOTE, BOUND_SERVER_UP,
                BOUND_CLIENT},
    .replicas = {BOUND_SERVER_DOWN, BOUND_REWIND, BOUND_CLIENT},
    .hurt = hurt,
};
