/*
 * plan_graph.h - who needs whom, by index. Private to lib/plan.
 */
#ifndef PGHA_PLAN_GRAPH_H
#define PGHA_PLAN_GRAPH_H

#include "lib/plan/plan.h"

struct plan_edges {
    size_t *items;
    size_t n, cap;
};

/* Both by index into plan->resources, as are the items of each. */
struct plan_graph {
    struct plan_edges *needs;
    struct plan_edges *needed_by;
    size_t n;
};

/* ERR_INPUT: a need that is not in the plan, or a circle, which is named. Release it in any case.
 */
int plan_graph_build(struct plan_graph *g, const struct plan *p, struct err *err) MUST_USE;
void plan_graph_release(struct plan_graph *g);

#endif
