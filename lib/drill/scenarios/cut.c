/* cut.c - the primary's network: away as a whole, or in one direction. */
#include "lib/drill/scenarios/list.h"
#include "lib/drill/stage.h"

static int cut(struct drill_stage *s, struct err *err)
{
    return fault_cut(s, s->primary, true, true, err);
}

static int mute(struct drill_stage *s, struct err *err)
{
    return fault_cut(s, s->primary, false, true, err);
}

static int deafen(struct drill_stage *s, struct err *err)
{
    return fault_cut(s, s->primary, true, false, err);
}

#define FAILOVER                                                                                   \
    {                                                                                              \
        BOUND_LEASE, BOUND_ETCD, BOUND_ELECTION, BOUND_PROMOTE, BOUND_SERVER_UP, BOUND_CLIENT      \
    }
#define READERS                                                                                    \
    {                                                                                              \
        BOUND_ETCD, BOUND_SERVER_DOWN, BOUND_REWIND, BOUND_CLIENT                                  \
    }

const struct scenario scenario_primary_cut = {
    .name = "primary-cut",
    .summary = "the primary cut from the network, with a client on its side",
    .story = "No packet comes or goes, but a client on the primary's own host goes on writing. A "
             "replica leads; what the client was told before that must be there afterwards, once.",
    .needs = NEEDS_REPLICA,
    .inside = true,
    .primary = FAILOVER,
    .replicas = READERS,
    .hold = {BOUND_LEASE, BOUND_TURN},
    .hurt = cut,
};

const struct scenario scenario_primary_mute = {
    .name = "primary-mute",
    .summary = "what the primary sends is lost, what is sent to it arrives",
    .story = "A broken cable in one direction: the primary hears everybody, and nobody hears it.",
    .needs = NEEDS_REPLICA,
    .inside = true,
    .primary = FAILOVER,
    .replicas = READERS,
    .hold = {BOUND_LEASE, BOUND_TURN},
    .hurt = mute,
};

const struct scenario scenario_primary_deaf = {
    .name = "primary-deaf",
    .summary = "what is sent to the primary is lost, what it sends arrives",
    .story = "The other direction: the primary hears nobody, though everybody could hear it.",
    .needs = NEEDS_REPLICA,
    .inside = true,
    .primary = FAILOVER,
    .replicas = READERS,
    .hold = {BOUND_LEASE, BOUND_TURN},
    .hurt = deafen,
};
