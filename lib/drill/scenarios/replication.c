/* replication.c - nothing is broken: rows arrive everywhere, and replicas refuse writes. */
#include "lib/drill/scenarios/list.h"
#include "lib/drill/stage.h"

const struct scenario scenario_replication = {
    .name = "replication",
    .summary = "rows written on the primary are on every member, and replicas refuse writes",
    .story = "Nothing is broken. Clients write and read, every member must have every row; an "
             "insert on a "
             "replica is refused as read-only.",
    .needs = 0,
    .primary = {BOUND_STEADY},
    .replicas = {BOUND_STEADY},
};
