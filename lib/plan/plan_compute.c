/*
 * plan_compute.c - read what is there, compare it with what should be.
 */
#include "lib/doc/json.h"
#include "lib/net/pool.h"
#include "lib/plan/plan_graph.h"

#define READ_THREADS    32
#define REASON_MAX      ((size_t)64 << 10)
#define SHOWN_VALUE_MAX 200 /* bytes of one value in a reason */

struct reading {
    struct plan *plan;
    void *provider;
};

static void read_one(void *ctx, size_t job)
{
    struct reading *reading = ctx;
    struct resource *r = reading->plan->resources.items[job];

    r->actual = NULL;
    r->failed = r->kind->read(reading->provider, r, &r->err) < 0;
}

/* The first error counts; the others are only numbered. */
static int read_faults(const struct plan *p, const bool *started, struct err *err)
{
    struct resource *first = NULL;
    size_t others = 0;

    for (size_t i = 0; i < p->resources.n; i++) {
        struct resource *r = p->resources.items[i];

        if (started[i] && r->failed && first)
            others++;
        else if (started[i] && r->failed)
            first = r;
        else if (!started[i])
            return err_set(err, ERR_INTERRUPTED, "stopped by the user");
    }
    if (!first)
        return 0;
    err_move(err, &first->err);
    if (others > 0)
        return err_wrap(err, "reading %s.%s (%zu more failed, too)", first->kind->name, first->name,
                        others);
    return err_wrap(err, "reading %s.%s", first->kind->name, first->name);
}

static int read_all(struct plan *p, void *provider, struct err *err)
{
    struct reading reading = {.plan = p, .provider = provider};
    bool *started = xcalloc(p->resources.n + 1, sizeof(*started));
    int rc;

    for (size_t i = 0; i < p->resources.n; i++)
        err_release(&p->resources.items[i]->err);
    pool_run(READ_THREADS, p->resources.n, read_one, &reading, started);
    rc = read_faults(p, started, err);
    free(started);
    return rc;
}

static void show_value(struct str *out, const struct value *v)
{
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    if (!v || v->type == VALUE_NULL)
        str_puts(&text, "(none)");
    else if (value_is_str(v))
        str_add(&text, v->u.str.s, v->u.str.len);
    else
        json_write(v, JSON_LINE, &text);
    if (text.len > SHOWN_VALUE_MAX)
        str_printf(out, "%.*s...", SHOWN_VALUE_MAX, text.buf);
    else
        str_add(out, text.buf, text.len);
    str_release(&text);
}

static bool is_in(const struct value *list, const struct value *item)
{
    for (size_t i = 0; i < list->u.list.n; i++)
        if (value_equal(list->u.list.items[i], item))
            return true;
    return false;
}

/* " +ITEM" for each that only `has` has. */
static void show_only(struct str *out, char sign, const struct value *has,
                      const struct value *lacks, size_t *shown)
{
    for (size_t i = 0; i < has->u.list.n; i++) {
        if (is_in(lacks, has->u.list.items[i]))
            continue;
        str_printf(out, "%s%c", (*shown)++ ? ", " : "", sign);
        show_value(out, has->u.list.items[i]);
    }
}

static void add_reason(struct str *reason, const char *name, const struct value *from,
                       const struct value *to)
{
    size_t shown = 0;

    if (reason->len > 0)
        str_puts(reason, ", ");
    str_printf(reason, "%s: ", name);
    if (from && from->type == VALUE_LIST && to->type == VALUE_LIST) {
        show_only(reason, '+', to, from, &shown);
        show_only(reason, '-', from, to, &shown);
    }
    if (shown)
        return;
    show_value(reason, from);
    str_puts(reason, " -> ");
    show_value(reason, to);
}

/* Only what is asked for is compared: the rest is the provider's own business. */
bool plan_attr_is_right(const struct resource *r, const char *name)
{
    const struct value *want = value_get(r->desired, name), *have = value_get(r->actual, name);

    return !want || (have && value_equal(want, have));
}

static bool differs(const struct resource *r, const struct attr *attr)
{
    return !(attr->flags & ATTR_COMPUTED) && !plan_attr_is_right(r, attr->name);
}

bool plan_differs(const struct resource *r, enum attr_flags flag)
{
    for (const struct attr *attr = r->kind->attrs; attr->name; attr++)
        if ((attr->flags & flag) && differs(r, attr))
            return true;
    return false;
}

static enum action compare(const struct resource *r, struct str *reason)
{
    enum action action = ACTION_NONE;

    for (const struct attr *attr = r->kind->attrs; attr->name; attr++) {
        if (!differs(r, attr))
            continue;
        add_reason(reason, attr->name, value_get(r->actual, attr->name),
                   value_get(r->desired, attr->name));
        if ((attr->flags & ATTR_REPLACE) || !r->kind->update)
            action = ACTION_REPLACE;
        else if (action == ACTION_NONE)
            action = ACTION_UPDATE;
    }
    return action;
}

static void decide(struct resource *r)
{
    struct str reason;

    r->done = false;
    r->reason = NULL;
    if (!r->desired) {
        r->action = r->actual ? ACTION_DESTROY : ACTION_NONE;
        return;
    }
    if (!r->actual) {
        r->action = ACTION_CREATE;
        return;
    }
    str_init(&reason, REASON_MAX);
    r->action = compare(r, &reason);
    if (r->action != ACTION_NONE)
        r->reason = arena_strdup(r->arena, reason.buf);
    str_release(&reason);
}

/* What stays cannot need what goes. */
static int check_needs_stay(const struct plan *p, const struct plan_graph *g, struct err *err)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct resource *r = p->resources.items[i];

        for (size_t k = 0; r->desired && k < g->needs[i].n; k++)
            if (!p->resources.items[g->needs[i].items[k]]->desired)
                return err_set(err, ERR_INPUT, "%s.%s needs %s, which is to be destroyed",
                               r->kind->name, r->name, r->needs.items[k]);
    }
    return 0;
}

int plan_compute(struct plan *p, void *provider, struct err *err)
{
    struct plan_graph graph;
    int rc = -1;

    if (plan_graph_build(&graph, p, err) < 0 || check_needs_stay(p, &graph, err) < 0 ||
        read_all(p, provider, err) < 0)
        goto out;
    for (size_t i = 0; i < p->resources.n; i++)
        decide(p->resources.items[i]);
    rc = 0;
out:
    plan_graph_release(&graph);
    return rc;
}
