/*
 * plan.c - the list of resources and what can be asked of it.
 */
#include "lib/plan/plan.h"

const char *const action_names[] = {
    [ACTION_NONE] = "none",       [ACTION_CREATE] = "create",   [ACTION_UPDATE] = "update",
    [ACTION_REPLACE] = "replace", [ACTION_DESTROY] = "destroy",
};

void plan_init(struct plan *p)
{
    memset(p, 0, sizeof(*p));
    arena_init(&p->arena);
}

void plan_release(struct plan *p)
{
    for (size_t i = 0; i < p->resources.n; i++) {
        struct resource *r = p->resources.items[i];

        vec_release(&r->needs);
        err_release(&r->err);
        arena_release(r->arena);
    }
    vec_release(&p->resources);
    arena_release(&p->arena);
}

struct resource *plan_add(struct plan *p, const struct resource_kind *kind, const char *name)
{
    struct resource *r = arena_new(&p->arena, struct resource);

    if (plan_find(p, kind->name, name))
        BUG("%s.%s is in the plan already", kind->name, name);
    r->arena = arena_new(&p->arena, struct arena);
    arena_init(r->arena);
    r->kind = kind;
    r->name = arena_strdup(r->arena, name);
    vec_push(&p->resources, r);
    return r;
}

void plan_need(struct plan *p, struct resource *r, const char *kind, const char *name)
{
    vec_push(&r->needs, arena_printf(&p->arena, "%s.%s", kind, name));
}

struct resource *plan_find(const struct plan *p, const char *kind, const char *name)
{
    for (size_t i = 0; i < p->resources.n; i++) {
        struct resource *r = p->resources.items[i];

        if (str_eq(r->name, name) && str_eq(r->kind->name, kind))
            return r;
    }
    return NULL;
}

size_t plan_count(const struct plan *p, enum action action)
{
    size_t n = 0;

    for (size_t i = 0; i < p->resources.n; i++)
        n += p->resources.items[i]->action == action;
    return n;
}

bool plan_is_empty(const struct plan *p)
{
    return plan_count(p, ACTION_NONE) == p->resources.n;
}

static struct value *copy_or_null(struct arena *a, const struct value *v)
{
    return v ? value_copy(a, v) : value_null(a);
}

struct value *plan_to_value(const struct plan *p, struct arena *a)
{
    struct value *list = value_list(a);

    for (size_t i = 0; i < p->resources.n; i++) {
        const struct resource *r = p->resources.items[i];
        struct value *item = value_map(a);

        value_map_set(a, item, "kind", value_str(a, r->kind->name));
        value_map_set(a, item, "name", value_str(a, r->name));
        value_map_set(a, item, "action", value_str(a, action_names[r->action]));
        value_map_set(a, item, "reason", r->reason ? value_str(a, r->reason) : value_null(a));
        value_map_set(a, item, "desired", copy_or_null(a, r->desired));
        value_map_set(a, item, "actual", copy_or_null(a, r->actual));
        if (r->touched_ms)
            value_map_set(a, item, "touched", value_int(a, r->touched_ms));
        value_list_add(a, list, item);
    }
    return list;
}
