/*
 * eval.c - evaluates expressions: names, operators, calls, filters, tests; and the limits that
 * every evaluation has.
 */
#include "lib/jinja/eval.h"

#define MEMORY_MAX      ((size_t)256 << 20) /* of one rendering's arena */
#define BYTES_PER_STEP  256
#define VALUE_DEPTH_MAX 200

const struct value ev_none = {.type = VALUE_NULL};
const struct value ev_true = {.type = VALUE_BOOL, .u = {.b = true}};
const struct value ev_false = {.type = VALUE_BOOL, .u = {.b = false}};

/* ---- failing and limits --------------------------------------------------------------------- */

const struct value *ev_fail(struct evaluator *ev, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    jinja_fault(ev->err, ev->file, ev->line, fmt, args);
    va_end(args);
    return NULL;
}

int ev_error(struct evaluator *ev, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    jinja_fault(ev->err, ev->file, ev->line, fmt, args);
    va_end(args);
    return -1;
}

int ev_charge(struct evaluator *ev, size_t steps)
{
    if (steps > (size_t)ev->steps) {
        ev->steps = 0;
        return ev_error(ev, "the template takes more than %d steps", JINJA_MAX_STEPS);
    }
    ev->steps -= (long)steps;
    if (ev->arena->used - ev->arena_start > MEMORY_MAX)
        return ev_error(ev, "the template takes more than %zu MiB of memory", MEMORY_MAX >> 20);
    return 0;
}

int ev_charge_bytes(struct evaluator *ev, size_t bytes)
{
    return ev_charge(ev, 1 + bytes / BYTES_PER_STEP);
}

int ev_descend(struct evaluator *ev)
{
    if (ev->depth == VALUE_DEPTH_MAX)
        return ev_error(ev, "values nested deeper than %d", VALUE_DEPTH_MAX);
    ev->depth++;
    return 0;
}

/* ---- making values -------------------------------------------------------------------------- */

const struct value *ev_bool(bool b)
{
    return b ? &ev_true : &ev_false;
}

const struct value *ev_int(struct evaluator *ev, int64_t i)
{
    return value_int(ev->arena, i);
}

const struct value *ev_float(struct evaluator *ev, double f)
{
    return value_float(ev->arena, f);
}

const struct value *ev_str(struct evaluator *ev, const char *s, size_t len)
{
    return ev_charge_bytes(ev, len) < 0 ? NULL : value_strn(ev->arena, s, len);
}

const struct value *ev_take(struct evaluator *ev, struct str *out)
{
    const struct value *v = out->full ? ev_fail(ev, "text larger than %zu MiB", out->max >> 20)
                                      : ev_str(ev, out->buf, out->len);

    str_release(out);
    return v;
}

struct value *ev_list(struct evaluator *ev)
{
    struct value *list = value_list(ev->arena);

    list->src = (struct source){ev->file, ev->line, 0};
    return list;
}

/* Values are shared as constants; the containers of value.h hold them without changing them. */
void ev_push(struct evaluator *ev, struct value *list, const struct value *item)
{
    value_list_add(ev->arena, list, (struct value *)item);
}

void ev_put_in(struct evaluator *ev, struct value *map, const char *key, const struct value *item)
{
    value_map_set(ev->arena, map, key, (struct value *)item);
}

const struct value *ev_pair(struct evaluator *ev, const struct value *a, const struct value *b)
{
    struct value *pair = ev_list(ev);

    pair->plain = true;
    ev_push(ev, pair, a);
    ev_push(ev, pair, b);
    return pair;
}

struct value *ev_undefined(struct evaluator *ev, const char *fmt, ...)
{
    struct value *v = arena_new(ev->arena, struct value);
    va_list args;
    char *text;

    va_start(args, fmt);
    text = xvasprintf(fmt, args);
    va_end(args);
    v->type = VALUE_UNDEFINED;
    v->u.str.s = arena_strdup(ev->arena, text);
    v->u.str.len = strlen(text);
    free(text);
    return v;
}

/* ---- arguments ------------------------------------------------------------------------------ */

struct parameters {
    const char *names[ARGS_MAX];
    size_t lengths[ARGS_MAX];
    size_t n, positional;
    bool rest, keywords;
};

static void read_parameters(const char *text, struct parameters *out)
{
    *out = (struct parameters){0};
    while (*text) {
        size_t len = strcspn(text, " ");

        if (len == 2 && memcmp(text, "**", 2) == 0) {
            out->keywords = true;
        } else if (len == 1 && *text == '*') {
            out->rest = true;
        } else {
            if (out->n == ARGS_MAX)
                BUG("more than %d parameters", ARGS_MAX);
            out->names[out->n] = text;
            out->lengths[out->n++] = len;
            out->positional += !out->rest;
        }
        text += len;
        text += *text == ' ';
    }
}

static int bind_keyword(struct evaluator *ev, const char *what, const struct parameters *ps,
                        const struct value_entry *keyword, struct call *out, struct value *others)
{
    for (size_t i = 0; i < ps->n; i++) {
        if (strlen(keyword->key) != ps->lengths[i] ||
            memcmp(keyword->key, ps->names[i], ps->lengths[i]) != 0)
            continue;
        if (out->arg[i])
            return ev_error(ev, "%s got multiple values for argument '%s'", what, keyword->key);
        out->arg[i] = keyword->value;
        return 0;
    }
    if (!ps->keywords)
        return ev_error(ev, "%s has no argument '%s'", what, keyword->key);
    ev_put_in(ev, others, keyword->key, keyword->value);
    return 0;
}

int ev_bind(struct evaluator *ev, const char *what, const char *params, int required,
            const struct call *raw, struct call *out)
{
    struct parameters ps;
    struct value *others;
    size_t n;

    read_parameters(params, &ps);
    *out = (struct call){.keywords = raw->keywords};
    n = raw->n_rest < ps.positional ? raw->n_rest : ps.positional;
    for (size_t i = 0; i < n; i++)
        out->arg[i] = raw->rest[i];
    out->rest = n > 0 ? raw->rest + n : raw->rest;
    out->n_rest = raw->n_rest - n;
    if (out->n_rest > 0 && !ps.rest)
        return ev_error(ev, "%s takes at most %zu arguments, not %zu", what, ps.positional,
                        raw->n_rest);
    if (raw->keywords->u.map.n > 0) {
        others = value_map(ev->arena);
        for (size_t i = 0; i < raw->keywords->u.map.n; i++) {
            if (bind_keyword(ev, what, &ps, &raw->keywords->u.map.entries[i], out, others) < 0)
                return -1;
        }
        out->keywords = others;
    }
    for (size_t i = 0; i < (size_t)required; i++) {
        if (!out->arg[i])
            return ev_error(ev, "%s misses its argument '%.*s'", what, (int)ps.lengths[i],
                            ps.names[i]);
    }
    return 0;
}

/* Evaluates the arguments of a call into raw form: all in rest and keywords. */
static int evaluate_arguments(struct evaluator *ev, const struct arguments *args, struct call *raw)
{
    static const struct value no_keywords = {.type = VALUE_MAP};
    static const struct value *no_arguments[1];
    struct value *keywords;

    *raw = (struct call){.rest = no_arguments, .keywords = &no_keywords};
    if (!args)
        return 0;
    raw->n_rest = args->n;
    raw->rest = arena_alloc(ev->arena, args->n * sizeof(*raw->rest));
    for (size_t i = 0; i < args->n; i++) {
        if (!(raw->rest[i] = ev_expr(ev, args->positional[i])))
            return -1;
    }
    if (args->n_keywords == 0)
        return 0;
    raw->keywords = keywords = value_map(ev->arena);
    for (size_t i = 0; i < args->n_keywords; i++) {
        const struct value *v = ev_expr(ev, args->keywords[i].value);

        if (!v)
            return -1;
        ev_put_in(ev, keywords, args->keywords[i].name, v);
    }
    return 0;
}

static int refuse_undefined_arguments(struct evaluator *ev, const struct call *raw)
{
    for (size_t i = 0; i < raw->n_rest; i++) {
        if (is_undefined(raw->rest[i]))
            return ev_error(ev, "%s", raw->rest[i]->u.str.s);
    }
    for (size_t i = 0; i < raw->keywords->u.map.n; i++) {
        if (is_undefined(raw->keywords->u.map.entries[i].value))
            return ev_error(ev, "%s", raw->keywords->u.map.entries[i].value->u.str.s);
    }
    return 0;
}

/* What filters and tests have in common before their function runs. */
static int prepare(struct evaluator *ev, const char *what, const char *params, int required,
                   unsigned flags, const struct value *in, const struct call *raw, struct call *c)
{
    if (ev_charge(ev, 1) < 0)
        return -1;
    if (is_undefined(in) && !is_nothing(in) && !(flags & TAKES_UNDEFINED))
        return ev_error(ev, "%s", in->u.str.s);
    if (!(flags & TAKES_UNDEFINED_ARGS) && refuse_undefined_arguments(ev, raw) < 0)
        return -1;
    return ev_bind(ev, what, params, required, raw, c);
}

const struct value *ev_filter(struct evaluator *ev, const struct filter *f, const struct value *in,
                              const struct call *raw)
{
    struct call c;

    if (prepare(ev, f->name, f->params, f->required, f->flags, in, raw, &c) < 0)
        return NULL;
    /* cppcheck-suppress returnDanglingLifetime ; takes fn for a constructor that keeps &c; a filter
     * makes its value in the arena */
    return f->fn(ev, in, &c);
}

int ev_test(struct evaluator *ev, const struct test *t, const struct value *in,
            const struct call *raw)
{
    struct call c;

    if (prepare(ev, t->name, t->params, t->required, t->flags, in, raw, &c) < 0)
        return -1;
    return t->fn(ev, in, &c);
}

/* ---- expressions ---------------------------------------------------------------------------- */

static const struct value *lookup_local(const struct evaluator *ev, const char *name)
{
    for (size_t i = ev->bindings.n; i-- > 0;) {
        if (strcmp(ev->bindings.items[i].name, name) == 0)
            return ev->bindings.items[i].value;
    }
    return NULL;
}

const struct value *ev_variable(struct evaluator *ev, const char *name)
{
    const struct value *v = lookup_local(ev, name);

    if (v)
        return v;
    switch (ev->scope->get(ev->scope->data, ev->arena, name, &v, ev->err)) {
    case LOOKUP_FOUND:
        return v;
    case LOOKUP_MISSING:
        return ev_undefined(ev, "'%s' is undefined", name);
    case LOOKUP_PENDING:
        ev->pending = true;
        return NULL;
    case LOOKUP_ERROR:
        break;
    }
    err_wrap(ev->err, "%s:%d", ev->file, ev->line);
    return NULL;
}

static const struct value *evaluate_name(struct evaluator *ev, const struct expr *e)
{
    return ev_variable(ev, e->name);
}

static const struct value *evaluate_list(struct evaluator *ev, const struct expr *e)
{
    struct value *list = ev_list(ev);

    list->plain = e->kind == EXPR_TUPLE;
    for (size_t i = 0; i < e->n; i++) {
        const struct value *item = ev_expr(ev, e->items[i]);

        if (!item)
            return NULL;
        ev_push(ev, list, item);
    }
    return list;
}

static const struct value *evaluate_dict(struct evaluator *ev, const struct expr *e)
{
    struct value *map = value_map(ev->arena);

    for (size_t i = 0; i < e->n; i += 2) {
        const struct value *key = ev_expr(ev, e->items[i]);
        const struct value *item = key ? ev_expr(ev, e->items[i + 1]) : NULL;

        if (!item)
            return NULL;
        if (is_undefined(key))
            return ev_fail(ev, "%s", key->u.str.s);
        if (key->type != VALUE_STR)
            return ev_fail(ev, "the keys of a dict must be strings, not %s", python_type(key));
        ev_put_in(ev, map, key->u.str.s, item);
    }
    return map;
}

static const struct value *evaluate_slice(struct evaluator *ev, const struct expr *e)
{
    const struct value *of = ev_expr(ev, e->left), *bounds[3] = {NULL, NULL, NULL};

    if (!of)
        return NULL;
    for (size_t i = 0; i < 3; i++) {
        if (e->items[i] && !(bounds[i] = ev_expr(ev, e->items[i])))
            return NULL;
    }
    ev->line = e->line;
    return ev_slice(ev, of, bounds[0], bounds[1], bounds[2]);
}

static const struct value *evaluate_call(struct evaluator *ev, const struct expr *e)
{
    const struct expr *callee = e->left;
    const struct value *self = NULL;
    struct call raw;

    if (callee->kind == EXPR_ATTR && !(self = ev_expr(ev, callee->left)))
        return NULL;
    if (self && is_undefined(self))
        return ev_fail(ev, "%s", self->u.str.s);
    if (!self && (!function_exists(callee->name) || lookup_local(ev, callee->name)))
        return ev_fail(ev, "'%s' is no function; supported are %s", callee->name, function_names());
    if (evaluate_arguments(ev, e->args, &raw) < 0)
        return NULL;
    ev->line = e->line;
    return self ? ev_method(ev, self, callee->name, &raw) : ev_function(ev, callee->name, &raw);
}

static const struct value *evaluate_filter(struct evaluator *ev, const struct expr *e)
{
    const struct value *in = ev_expr(ev, e->left);
    struct call raw;

    if (!in || evaluate_arguments(ev, e->args, &raw) < 0)
        return NULL;
    ev->line = e->line;
    return ev_filter(ev, e->filter, in, &raw);
}

static const struct value *truth_value(int truth)
{
    return truth < 0 ? NULL : ev_bool(truth);
}

static const struct value *evaluate_test(struct evaluator *ev, const struct expr *e)
{
    const struct value *in = ev_expr(ev, e->left);
    struct call raw;

    if (!in || evaluate_arguments(ev, e->args, &raw) < 0)
        return NULL;
    ev->line = e->line;
    return truth_value(ev_test(ev, e->test, in, &raw));
}

static const struct value *evaluate_not(struct evaluator *ev, const struct expr *e)
{
    const struct value *v = ev_expr(ev, e->left);
    int truth = v ? ev_truth(ev, v) : -1;

    return truth < 0 ? NULL : ev_bool(!truth);
}

static const struct value *evaluate_sign(struct evaluator *ev, const struct expr *e)
{
    const struct value *v = ev_expr(ev, e->left);

    if (!v)
        return NULL;
    ev->line = e->line;
    if (is_undefined(v))
        return ev_fail(ev, "%s", v->u.str.s);
    if (!is_number(v))
        return ev_fail(ev, "bad operand type for unary %c: '%s'",
                       e->kind == EXPR_NEGATE ? '-' : '+', python_type(v));
    if (e->kind == EXPR_NEGATE)
        return ev_negate(ev, v);
    return v->type == VALUE_BOOL ? ev_int(ev, v->u.b) : v;
}

static const struct value *evaluate_binary(struct evaluator *ev, const struct expr *e)
{
    const struct value *left = ev_expr(ev, e->left);
    const struct value *right = left ? ev_expr(ev, e->right) : NULL;

    if (!right)
        return NULL;
    ev->line = e->line;
    return ev_binary(ev, e->operators[0], left, right);
}

/* and, or: the value that decided, as Python gives it; the right side only when it matters. */
static const struct value *evaluate_logic(struct evaluator *ev, const struct expr *e)
{
    const struct value *left = ev_expr(ev, e->left);
    int truth = left ? ev_truth(ev, left) : -1;

    if (truth < 0)
        return NULL;
    return (truth == 1) == (e->kind == EXPR_OR) ? left : ev_expr(ev, e->right);
}

static const struct value *evaluate_compare(struct evaluator *ev, const struct expr *e)
{
    const struct value *left = ev_expr(ev, e->items[0]);

    for (size_t i = 1; left && i < e->n; i++) {
        const struct value *right = ev_expr(ev, e->items[i]);
        int truth;

        if (!right)
            return NULL;
        ev->line = e->line;
        truth = ev_relation(ev, e->operators[i - 1], left, right);
        if (truth <= 0)
            return truth_value(truth);
        left = right;
    }
    return left ? &ev_true : NULL;
}

static const struct value *evaluate_if(struct evaluator *ev, const struct expr *e)
{
    const struct value *condition = ev_expr(ev, e->right);
    int truth = condition ? ev_truth(ev, condition) : -1;
    struct value *nothing;

    if (truth < 0)
        return NULL;
    if (truth)
        return ev_expr(ev, e->left);
    if (e->items[0])
        return ev_expr(ev, e->items[0]);
    nothing = ev_undefined(ev,
                           "the inline if-expression on line %d evaluated to "
                           "false and no else section was defined.",
                           e->line);
    nothing->plain = true;
    return nothing;
}

static const struct value *evaluate_attribute(struct evaluator *ev, const struct expr *e)
{
    const struct value *of = ev_expr(ev, e->left);

    if (!of)
        return NULL;
    ev->line = e->line;
    return ev_attr(ev, of, e->name);
}

static const struct value *evaluate_item(struct evaluator *ev, const struct expr *e)
{
    const struct value *of = ev_expr(ev, e->left);
    const struct value *key = of ? ev_expr(ev, e->right) : NULL;

    if (!key)
        return NULL;
    ev->line = e->line;
    return ev_item(ev, of, key);
}

static const struct value *evaluate_constant(struct evaluator *ev, const struct expr *e)
{
    UNUSED(ev);
    return e->constant;
}

const struct value *ev_expr(struct evaluator *ev, const struct expr *e)
{
    static const struct value *(*const evaluate[])(struct evaluator *, const struct expr *) = {
        [EXPR_CONST] = evaluate_constant, [EXPR_NAME] = evaluate_name,
        [EXPR_LIST] = evaluate_list,      [EXPR_TUPLE] = evaluate_list,
        [EXPR_DICT] = evaluate_dict,      [EXPR_ATTR] = evaluate_attribute,
        [EXPR_ITEM] = evaluate_item,      [EXPR_SLICE] = evaluate_slice,
        [EXPR_CALL] = evaluate_call,      [EXPR_FILTER] = evaluate_filter,
        [EXPR_TEST] = evaluate_test,      [EXPR_NOT] = evaluate_not,
        [EXPR_NEGATE] = evaluate_sign,    [EXPR_POSITIVE] = evaluate_sign,
        [EXPR_BINARY] = evaluate_binary,  [EXPR_AND] = evaluate_logic,
        [EXPR_OR] = evaluate_logic,       [EXPR_COMPARE] = evaluate_compare,
        [EXPR_IF] = evaluate_if,
    };

    ev->line = e->line;
    return ev_charge(ev, 1) < 0 ? NULL : evaluate[e->kind](ev, e);
}
