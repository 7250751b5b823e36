/* host_lost.c - hosts without power: the primary's, a replica's, the synchronous standby's. */
#include "lib/drill/scenarios/list.h"
#include "lib/drill/stage.h"

static int lose_primary(struct drill_stage *s, struct err *err)
{
    return fault_power(s, s->primary, err);
}

static int lose_replica(struct drill_stage *s, struct err *err)
{
    return fault_power(s, s->replica, err);
}

static int lose_sync(struct drill_stage *s, struct err *err)
{
    return fault_power(s, s->sync, err);
}

const struct scenario scenario_host_lost = {
    .name = "host-lost",
    .summary = "the primary's host loses its power, and comes back",
    .story =
        "The plug is pulled. The leader's key expires, a replica leads. With power again the old "
        "primary is rewound and follows.",
    .needs = NEEDS_REPLICA | NEEDS_POWER,
    .primary = {BOUND_LEASE, BOUND_ETCD, BOUND_ELECTION, BOUND_PROMOTE, BOUND_SERVER_UP,
                BOUND_CLIENT},
    .replicas = {BOUND_ETCD, BOUND_SERVER_DOWN, BOUND_REWIND, BOUND_CLIENT},
    .hurt = lose_primary,
};

const struct scenario scenario_replica_lost = {
    .name = "replica-lost",
    .summary = "a replica's host loses its power",
    .story = "Writes go on; who read from it connects again, to another one.",
    .needs = NEEDS_REPLICA | NEEDS_POWER,
    .primary = {BOUND_ETCD, BOUND_CLIENT},
    .replicas = {BOUND_SERVER_DOWN, BOUND_CLIENT},
    .hurt = lose_replica,
};

const struct scenario scenario_sync_lost = {
    .name = "sync-lost",
    .summary = "the synchronous standby's host loses its power",
    .story = "Commits wait until Patroni names another standby, or none.",
    .needs = NEEDS_SYNC | NEEDS_POWER,
    .primary = {BOUND_LEASE, BOUND_TURN, BOUND_ETCD, BOUND_CLIENT},
    .replicas = {BOUND_SERVER_DOWN, BOUND_CLIENT},
    .hurt = lose_sync,
};
