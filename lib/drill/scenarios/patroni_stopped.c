/* patroni_stopped.c - Patroni ends on the primary, and comes back later. */
#include "lib/drill/scenarios/list.h"
#include "lib/drill/stage.h"

static int hurt(struct drill_stage *s, struct err *err)
{
    return fault_stop_unit(s, s->primary, "patroni", err);
}

const struct scenario scenario_patroni_stopped = {
    .name = "patroni-stopped",
    .summary = "Patroni stopped on the primary",
    .story =
        "The unit patroni is stopped on the primary, which takes PostgreSQL with it; a replica "
        "leads. Rows are written meanwhile. Then the unit is started: the old primary streams "
        "from the new one, and has those rows.",
    .needs = NEEDS_REPLICA,
    .primary = {BOUND_STOP, BOUND_ELECTION, BOUND_PROMOTE, BOUND_SERVER_UP, BOUND_CLIENT},
    .replicas = {BOUND_STOP, BOUND_ELECTION, BOUND_PROMOTE, BOUND_SERVER_UP, BOUND_CLIENT},
    .hold = {BOUND_ELECTION, BOUND_PROMOTE, BOUND_SERVER_UP},
    .hurt = hurt,
};
