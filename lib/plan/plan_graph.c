/*
 * plan_graph.c - names to indexes, and the search for circles.
 */
#include "lib/plan/plan_graph.h"
#include "lib/base/map.h"

static void add_edge(struct plan_graph *g, size_t from, size_t to)
{
    vec_push(&g->needs[from], to);
    vec_push(&g->needed_by[to], from);
}

/* A map holds pointers: a name leads to its resource's place in the plan. */
static void index_names(struct map *places, const struct plan *p)
{
    for (size_t i = 0; i < p->resources.n; i++) {
        const struct resource *r = p->resources.items[i];
        char *name = xasprintf("%s.%s", r->kind->name, r->name);

        map_set(places, name, &p->resources.items[i]);
        free(name);
    }
}

static int add_needs(struct plan_graph *g, const struct plan *p, size_t from,
                     const struct map *places, struct err *err)
{
    const struct resource *r = p->resources.items[from];

    for (size_t i = 0; i < r->needs.n; i++) {
        const char *name = r->needs.items[i];
        struct resource **place = map_get(places, name);

        if (!place)
            return err_set(err, ERR_INPUT, "%s.%s needs %s, which is not in the plan",
                           r->kind->name, r->name, name);
        add_edge(g, from, (size_t)(place - p->resources.items));
    }
    return 0;
}

/* Takes away what needs nothing that is left, again and again. waits[i] is 0 in the end for all
 * outside of circles and of what needs them. */
static size_t take_away_free_ones(const struct plan_graph *g, size_t *waits)
{
    VEC(size_t) ready = VEC_INIT;
    size_t taken = 0;

    for (size_t i = 0; i < g->n; i++) {
        waits[i] = g->needs[i].n;
        if (waits[i] == 0)
            vec_push(&ready, i);
    }
    while (ready.n > 0) {
        size_t i = ready.items[--ready.n];
        const struct plan_edges *by = &g->needed_by[i];

        taken++;
        for (size_t k = 0; k < by->n; k++)
            if (--waits[by->items[k]] == 0)
                vec_push(&ready, by->items[k]);
    }
    vec_release(&ready);
    return taken;
}

static size_t waiting_need(const struct plan_graph *g, const size_t *waits, size_t from)
{
    for (size_t k = 0; k < g->needs[from].n; k++)
        if (waits[g->needs[from].items[k]] > 0)
            return g->needs[from].items[k];
    BUG("resource %zu waits for nothing", from);
}

/* From any that waits, n steps along needs that wait lead into a circle; then once around. */
static int circle_fault(const struct plan_graph *g, const struct plan *p, const size_t *waits,
                        struct err *err)
{
    struct str path;
    size_t at = 0, first;

    str_init(&path, STR_MAX_TEXT);
    while (waits[at] == 0)
        at++;
    for (size_t i = 0; i < g->n; i++)
        at = waiting_need(g, waits, at);
    first = at;
    do {
        const struct resource *r = p->resources.items[at];

        str_printf(&path, "%s.%s -> ", r->kind->name, r->name);
        at = waiting_need(g, waits, at);
    } while (at != first);
    str_printf(&path, "%s.%s", p->resources.items[first]->kind->name,
               p->resources.items[first]->name);
    err_set(err, ERR_INPUT, "resources need each other in a circle: %s", path.buf);
    str_release(&path);
    return -1;
}

static int check_circles(const struct plan_graph *g, const struct plan *p, struct err *err)
{
    size_t *waits = xcalloc(g->n + 1, sizeof(*waits));
    int rc = 0;

    if (take_away_free_ones(g, waits) < g->n)
        rc = circle_fault(g, p, waits, err);
    free(waits);
    return rc;
}

int plan_graph_build(struct plan_graph *g, const struct plan *p, struct err *err)
{
    struct map places;
    int rc = 0;

    g->n = p->resources.n;
    g->needs = xcalloc(g->n + 1, sizeof(*g->needs));
    g->needed_by = xcalloc(g->n + 1, sizeof(*g->needed_by));
    map_init(&places);
    index_names(&places, p);
    for (size_t i = 0; rc == 0 && i < g->n; i++)
        rc = add_needs(g, p, i, &places, err);
    map_release(&places);
    return rc < 0 ? -1 : check_circles(g, p, err);
}

void plan_graph_release(struct plan_graph *g)
{
    for (size_t i = 0; i < g->n; i++) {
        vec_release(&g->needs[i]);
        vec_release(&g->needed_by[i]);
    }
    free(g->needs);
    free(g->needed_by);
    g->needs = g->needed_by = NULL;
    g->n = 0;
}
