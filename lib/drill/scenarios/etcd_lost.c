/* etcd_lost.c - members of etcd: one, its leader, the majority. */
#include "lib/drill/scenarios/list.h"
#include "lib/drill/stage.h"

static int lose_leader(struct drill_stage *s, struct err *err)
{
    return fault_stop_unit(s, s->etcd_leader, "etcd", err);
}

/* Any that does not lead, the primary's host last. */
static int lose_member(struct drill_stage *s, struct err *err)
{
    struct drill_host *lost = NULL;

    vec_each (h, &s->hosts)
        if (h->host->is_etcd && h != s->etcd_leader && (!lost || lost == s->primary))
            lost = h;
    return fault_stop_unit(s, lost, "etcd", err);
}

static int lose_quorum(struct drill_stage *s, struct err *err)
{
    size_t members = 0, lost = 0;

    vec_each (h, &s->hosts)
        members += h->host->is_etcd;
    vec_each (h, &s->hosts) {
        if (!h->host->is_etcd || lost > members / 2)
            continue;
        if (fault_stop_unit(s, h, "etcd", err) < 0)
            return -1;
        lost++;
    }
    return 0;
}

const struct scenario scenario_etcd_member_lost = {
    .name = "etcd-member-lost",
    .summary = "one member of etcd ends",
    .story = "Nobody should notice: the others are a majority.",
    .needs = NEEDS_ETCD,
    .primary = {BOUND_STEADY},
    .replicas = {BOUND_STEADY},
    .hurt = lose_member,
};

const struct scenario scenario_etcd_leader_lost = {
    .name = "etcd-leader-lost",
    .summary = "etcd's leader ends",
    .story = "The others elect one within seconds. Patroni keeps its leader meanwhile.",
    .needs = NEEDS_ETCD,
    .primary = {BOUND_STEADY},
    .replicas = {BOUND_STEADY},
    .hurt = lose_leader,
};

const struct scenario scenario_etcd_quorum_lost = {
    .name = "etcd-quorum-lost",
    .summary = "etcd loses its majority, and gets it back",
    .story =
        "Nobody can take the leader's key, nor keep it. With failsafe_mode the primary asks every "
        "member over the REST API, and goes on while all of them answer.",
    .needs = NEEDS_ETCD,
    .primary = {BOUND_STEADY},
    .replicas = {BOUND_STEADY},
    .hold = {BOUND_LEASE, BOUND_TURN, BOUND_RETRY},
    .hurt = lose_quorum,
};
