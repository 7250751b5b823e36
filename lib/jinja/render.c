/*
 * render.c - runs a template's statements, and the public ways in.
 */
#include "lib/jinja/eval.h"

static int run_body(struct evaluator *ev, const struct body *body, struct str *out);

/* ---- variables ------------------------------------------------------------------------------ */

static void bind(struct evaluator *ev, const char *name, const struct value *v)
{
    struct binding binding = {name, v};

    for (size_t i = ev->frame; i < ev->bindings.n; i++) {
        if (strcmp(ev->bindings.items[i].name, name) == 0) {
            ev->bindings.items[i].value = v;
            return;
        }
    }
    vec_push(&ev->bindings, binding);
}

static int assign(struct evaluator *ev, const struct target *target, const struct value *v)
{
    const struct value *items;

    if (!target->unpack) {
        bind(ev, target->names[0], v);
        return 0;
    }
    if (!(items = ev_items(ev, v)))
        return -1;
    if (items->u.list.n != target->n)
        return ev_error(ev, "cannot unpack %zu values into %zu names", items->u.list.n, target->n);
    for (size_t i = 0; i < target->n; i++)
        bind(ev, target->names[i], items->u.list.items[i]);
    return 0;
}

/* A scope of its own: what it sets is gone after it. */
static size_t open_scope(struct evaluator *ev)
{
    size_t outer = ev->frame;

    ev->frame = ev->bindings.n;
    return outer;
}

static void close_scope(struct evaluator *ev, size_t outer)
{
    ev->bindings.n = ev->frame;
    ev->frame = outer;
}

/* ---- statements ----------------------------------------------------------------------------- */

static int run_text(struct evaluator *ev, const struct stmt *s, struct str *out)
{
    str_add(out, s->text, s->len);
    return ev_charge_bytes(ev, s->len);
}

static int run_print(struct evaluator *ev, const struct stmt *s, struct str *out)
{
    const struct value *v = ev_expr(ev, s->value);

    if (!v)
        return -1;
    ev->line = s->line;
    return ev_put(ev, out, v);
}

static int run_if(struct evaluator *ev, const struct stmt *s, struct str *out)
{
    for (const struct branch *branch = s->branches; branch; branch = branch->next) {
        const struct value *v = branch->condition ? ev_expr(ev, branch->condition) : &ev_true;
        int truth = v ? ev_truth(ev, v) : -1;

        if (truth < 0)
            return -1;
        if (truth)
            return run_body(ev, &branch->body, out);
    }
    return 0;
}

/* The items for which the loop's own `if` holds. */
static const struct value *wanted_items(struct evaluator *ev, const struct stmt *s,
                                        const struct value *items)
{
    struct value *wanted = ev_list(ev);

    for (size_t i = 0; i < items->u.list.n; i++) {
        const struct value *v = NULL;
        size_t outer = open_scope(ev);
        int truth = -1;

        if (assign(ev, &s->target, items->u.list.items[i]) == 0)
            v = ev_expr(ev, s->condition);
        truth = v ? ev_truth(ev, v) : -1;
        close_scope(ev, outer);
        if (truth < 0)
            return NULL;
        if (truth)
            ev_push(ev, wanted, items->u.list.items[i]);
    }
    return wanted;
}

static int run_iteration(struct evaluator *ev, const struct stmt *s, const struct value *loop,
                         const struct value *item, struct str *out)
{
    size_t outer = open_scope(ev);
    int result;

    bind(ev, "loop", loop);
    result = assign(ev, &s->target, item);
    if (result == 0)
        result = run_body(ev, &s->body, out);
    close_scope(ev, outer);
    return result;
}

static int run_for(struct evaluator *ev, const struct stmt *s, struct str *out)
{
    const struct value *v = ev_expr(ev, s->value), *items, *loop;

    if (!v || !(items = ev_items(ev, v)))
        return -1;
    if (s->condition && !(items = wanted_items(ev, s, items)))
        return -1;
    loop = loop_new(ev, items);
    for (size_t i = 0; i < items->u.list.n; i++) {
        loop_move(loop, i);
        if (ev_charge(ev, 1) < 0 || run_iteration(ev, s, loop, items->u.list.items[i], out) < 0)
            return -1;
    }
    if (items->u.list.n == 0) {
        size_t outer = open_scope(ev);
        int result = run_body(ev, &s->otherwise, out);

        close_scope(ev, outer);
        return result;
    }
    return 0;
}

static int run_set(struct evaluator *ev, const struct stmt *s, struct str *out)
{
    const struct value *v = ev_expr(ev, s->value);

    UNUSED(out);
    return v ? assign(ev, &s->target, v) : -1;
}

static int run_set_attr(struct evaluator *ev, const struct stmt *s, struct str *out)
{
    const struct value *v = ev_expr(ev, s->value);
    const struct expr name = {.kind = EXPR_NAME, .line = s->line, .name = s->target.names[0]};
    const struct value *namespace = v ? ev_expr(ev, &name) : NULL;
    struct value *members = namespace ? namespace_members(namespace) : NULL;

    UNUSED(out);
    if (!namespace)
        return -1;
    if (!members)
        return ev_error(ev, "cannot assign attribute on non-namespace object '%s'", name.name);
    ev_put_in(ev, members, s->text, v);
    return 0;
}

static int run_set_block(struct evaluator *ev, const struct stmt *s, struct str *out)
{
    const struct value *v = NULL;
    size_t outer = open_scope(ev);
    struct str text;
    int result;

    UNUSED(out);
    str_init(&text, JINJA_MAX_OUTPUT);
    result = run_body(ev, &s->body, &text);
    close_scope(ev, outer);
    if (result == 0)
        v = ev_take(ev, &text);
    str_release(&text);
    if (v && s->value) {
        outer = open_scope(ev);
        bind(ev, BLOCK_TEXT_NAME, v);
        v = ev_expr(ev, s->value);
        close_scope(ev, outer);
    }
    return v ? assign(ev, &s->target, v) : -1;
}

static int run_body(struct evaluator *ev, const struct body *body, struct str *out)
{
    static int (*const run[])(struct evaluator *, const struct stmt *,
                              struct str *) = {[STMT_TEXT] = run_text,
                                               [STMT_PRINT] = run_print,
                                               [STMT_IF] = run_if,
                                               [STMT_FOR] = run_for,
                                               [STMT_SET] = run_set,
                                               [STMT_SET_ATTR] = run_set_attr,
                                               [STMT_SET_BLOCK] = run_set_block};

    for (size_t i = 0; i < body->n; i++) {
        const struct stmt *s = body->items[i];

        ev->line = s->line;
        if (ev_charge(ev, 1) < 0 || run[s->kind](ev, s, out) < 0)
            return -1;
        if (out->full)
            return ev_error(ev, "text larger than %zu MiB", out->max >> 20);
    }
    return 0;
}

/* ---- the ways in ---------------------------------------------------------------------------- */

static struct evaluator evaluator_init(const char *file, const struct jinja_scope *scope,
                                       struct arena *a, struct err *err)
{
    return (struct evaluator){.scope = scope,
                              .arena = a,
                              .err = err,
                              .arena_start = a->used,
                              .file = arena_strdup(a, file),
                              .steps = JINJA_MAX_STEPS,
                              .bindings = VEC_INIT};
}

static enum jinja_result outcome(const struct evaluator *ev, bool done)
{
    return done ? JINJA_OK : ev->pending ? JINJA_PENDING : JINJA_ERROR;
}

static int render(struct evaluator *ev, const struct jinja_template *t, struct str *out)
{
    const struct stmt print = {.kind = STMT_PRINT, .line = 1, .value = t->expression};

    return t->expression ? run_print(ev, &print, out) : run_body(ev, &t->body, out);
}

enum jinja_result jinja_render(const struct jinja_template *t, const struct jinja_scope *scope,
                               struct str *out, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct evaluator ev = evaluator_init(t->file, scope, &arena, err);
    struct str text;
    int result;

    str_init(&text, JINJA_MAX_OUTPUT);
    result = render(&ev, t, &text);
    if (result == 0) {
        str_add(out, text.buf, text.len);
        if (out->full)
            result = ev_error(&ev, "text larger than %zu bytes", out->max);
    }
    str_release(&text);
    vec_release(&ev.bindings);
    arena_release(&arena);
    return outcome(&ev, result == 0);
}

/* The expression that is the whole template, or NULL. */
static const struct expr *sole_expression(const struct jinja_template *t)
{
    if (t->expression)
        return t->expression;
    if (t->body.n == 1 && t->body.items[0]->kind == STMT_PRINT)
        return t->body.items[0]->value;
    return NULL;
}

static const struct value *evaluate(struct evaluator *ev, const struct jinja_template *t)
{
    const struct expr *e = sole_expression(t);
    const struct value *v;
    struct str text;

    if (e) {
        v = ev_expr(ev, e);
        return v && ev_check_whole(ev, v) == 0 ? v : NULL;
    }
    str_init(&text, JINJA_MAX_OUTPUT);
    v = render(ev, t, &text) == 0 ? ev_take(ev, &text) : NULL;
    str_release(&text);
    return v;
}

enum jinja_result jinja_eval(const struct jinja_template *t, const struct jinja_scope *scope,
                             struct arena *a, const struct value **out, struct err *err)
{
    struct evaluator ev = evaluator_init(t->file, scope, a, err);

    *out = evaluate(&ev, t);
    vec_release(&ev.bindings);
    return outcome(&ev, *out != NULL);
}

enum jinja_result jinja_with(const char *name, const struct value *terms, const char *kind,
                             const struct jinja_scope *scope, struct arena *a,
                             const struct value **out, struct err *err)
{
    const char *file = terms->src.file ? terms->src.file : "";
    struct evaluator ev = evaluator_init(file, scope, a, err);

    ev.line = terms->src.line;
    *out = ev_with(&ev, name, terms, kind);
    if (*out && ev_check_whole(&ev, *out) < 0)
        *out = NULL;
    vec_release(&ev.bindings);
    return outcome(&ev, *out != NULL);
}

bool jinja_has_markup(const char *text)
{
    for (; (text = strchr(text, '{')); text++) {
        if (text[1] == '{' || text[1] == '%' || text[1] == '#')
            return true;
    }
    return false;
}
