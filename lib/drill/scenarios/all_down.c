/* all_down.c - no member is left; then one comes back. */
#include "lib/drill/scenarios/list.h"
#include "lib/drill/stage.h"

/* The last primary is hurt last and healed first: it alone has every write. */
static int hurt(struct drill_stage *s, struct err *err)
{
    vec_each (h, &s->hosts)
        if (h->host->is_db && h != s->primary && fault_stop_unit(s, h, "patroni", err) < 0)
            return -1;
    return fault_stop_unit(s, s->primary, "patroni", err);
}

static int mend(struct drill_stage *s, struct err *err)
{
    if (fault_heal_last(s, err) < 0 || stage_wait_leader(s, s->primary, err) < 0)
        return -1;
    return fault_heal(s, err);
}

const struct scenario scenario_all_down = {
    .name = "all-down",
    .summary = "every member stopped, then one comes back and leads, then the rest",
    .story = "Patroni is stopped everywhere. The last primary is started alone: it leads. Then the "
             "others: they follow.",
    .needs = NEEDS_REPLICA,
    .hold = {BOUND_STOP},
    .outage = true,
    .hurt = hurt,
    .mend = mend,
};
