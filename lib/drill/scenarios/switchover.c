/* switchover.c - planned: another member leads, by Patroni's own switchover. */
#include "lib/drill/scenarios/list.h"
#include "lib/drill/stage.h"

enum { SWITCHOVER_MS = 30000 };

static const struct patroni_member *member_of(const struct patroni_view *view,
                                              const struct drill_host *h)
{
    vec_each (m, &view->members)
        if (str_eq(m->address, h->host->address))
            return m;
    return NULL;
}

static int hurt(struct drill_stage *s, struct err *err)
{
    struct patroni_api api = {s->target->cluster, s->target->secrets, SWITCHOVER_MS};
    struct drill_host *next = s->sync ? s->sync : s->replica;
    const struct patroni_member *leader, *candidate;
    struct patroni_view view;
    int rc = patroni_view(&api, s->arena, &view, err);

    if (rc == 0) {
        leader = member_of(&view, s->primary);
        candidate = member_of(&view, next);
        rc = leader && candidate ? patroni_switchover(&api, leader, candidate, err)
                                 : err_set(err, ERR_FAILED, "the members changed meanwhile");
    }
    patroni_view_release(&view);
    return rc;
}

const struct scenario scenario_switchover = {
    .name = "switchover",
    .summary = "a planned switchover",
    .story =
        "Patroni is asked to let a replica lead. The old primary ends its sessions, writes all "
        "it has to the new one, and follows it.",
    .needs = NEEDS_REPLICA,
    .primary = {BOUND_STOP, BOUND_ELECTION, BOUND_PROMOTE, BOUND_SERVER_UP, BOUND_CLIENT},
    .replicas = {BOUND_STOP, BOUND_ELECTION, BOUND_PROMOTE, BOUND_SERVER_UP, BOUND_CLIENT},
    .hurt = hurt,
};
