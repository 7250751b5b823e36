/*
 * filters_choice.c - the filters of itertools that choose items: product, combinations and
 * permutations. What they would give is counted before any of it is made.
 */
#include "lib/jinja/eval.h"

#define ROWS_MAX 100000

static int too_many(struct evaluator *ev, const char *what)
{
    return ev_error(ev, "%s: more than %d rows", what, ROWS_MAX);
}

/* ---- product -------------------------------------------------------------------------------- */

struct columns {
    const struct value **of; /* lists */
    size_t n;
};

static int count_product(struct evaluator *ev, const struct columns *columns, size_t *rows)
{
    *rows = 1;
    for (size_t k = 0; k < columns->n; k++) {
        if (columns->of[k]->u.list.n == 0) {
            *rows = 0;
            return 0;
        }
    }
    for (size_t k = 0; k < columns->n; k++) {
        if (__builtin_mul_overflow(*rows, columns->of[k]->u.list.n, rows) || *rows > ROWS_MAX)
            return too_many(ev, "product");
    }
    return 0;
}

/* The last column moves fastest. */
static const struct value *product_of(struct evaluator *ev, const struct columns *columns)
{
    struct value *list = ev_list(ev);
    size_t rows;

    if (count_product(ev, columns, &rows) < 0)
        return NULL;
    for (size_t i = 0; i < rows; i++) {
        struct value *row = ev_list(ev);
        size_t block = rows;

        if (ev_charge(ev, columns->n + 1) < 0)
            return NULL;
        row->plain = true;
        for (size_t k = 0; k < columns->n; k++) {
            size_t n = columns->of[k]->u.list.n;

            block /= n;
            ev_push(ev, row, columns->of[k]->u.list.items[i / block % n]);
        }
        ev_push(ev, list, row);
    }
    return list;
}

/* product(*lists, repeat=1) */
static const struct value *filter_product(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    const struct value *repeat = c->arg[0] ? c->arg[0] : ev_int(ev, 1);
    size_t n = c->n_rest + 1;
    struct columns columns;

    if (repeat->type != VALUE_INT)
        return ev_fail(ev, "product: repeat must be an integer, not %s", python_type(repeat));
    if (repeat->u.i < 0)
        return ev_fail(ev, "repeat argument cannot be negative");
    if (repeat->u.i > ROWS_MAX / (int64_t)n)
        return ev_fail(ev, "product: more than %d columns", ROWS_MAX);
    columns.n = n * (size_t)repeat->u.i;
    columns.of = arena_alloc(ev->arena, (columns.n + n) * sizeof(*columns.of));
    for (size_t k = 0; k < n; k++)
        if (!(columns.of[k] = ev_items(ev, k == 0 ? in : c->rest[k - 1])))
            return NULL;
    for (size_t k = n; k < columns.n; k++)
        columns.of[k] = columns.of[k - n];
    return product_of(ev, &columns);
}

/* ---- combinations and permutations ---------------------------------------------------------- */

/* `chosen` places of `n`; in one order only, or in all of them. */
struct choosing {
    size_t n, chosen;
    bool ordered;
    size_t *at; /* of the row */
    bool *used; /* by the row so far, of n */
};

/* The rows there will be: n * (n - 1) * ..., for combinations divided by 1 * 2 * ... on the way. */
static int count_rows(struct evaluator *ev, const struct choosing *c, size_t *rows)
{
    size_t factors = c->ordered || c->chosen <= c->n / 2 ? c->chosen : c->n - c->chosen;

    *rows = 1;
    for (size_t i = 0; i < factors; i++) {
        if (__builtin_mul_overflow(*rows, c->n - i, rows))
            return too_many(ev, c->ordered ? "permutations" : "combinations");
        if (!c->ordered)
            *rows /= i + 1;
        if (*rows > ROWS_MAX)
            return too_many(ev, c->ordered ? "permutations" : "combinations");
    }
    return 0;
}

/* Fills the row from its place k on with the first that may stand there. */
static void fill_row(struct choosing *c, size_t k)
{
    size_t next = !c->ordered && k > 0 ? c->at[k - 1] + 1 : 0;

    for (; k < c->chosen; k++) {
        while (c->used[next])
            next++;
        c->at[k] = next;
        c->used[next] = true;
    }
}

/* To the next row: the last place that can move does, and those behind it begin anew. */
static void next_row(struct choosing *c)
{
    for (size_t k = c->chosen; k-- > 0;) {
        size_t end = c->ordered ? c->n : c->n - (c->chosen - k) + 1, to = c->at[k] + 1;

        c->used[c->at[k]] = false;
        while (to < end && c->used[to])
            to++;
        if (to < end) {
            c->at[k] = to;
            c->used[to] = true;
            fill_row(c, k + 1);
            return;
        }
    }
}

static const struct value *choose_rows(struct evaluator *ev, const struct value *items,
                                       struct choosing *c)
{
    struct value *list = ev_list(ev);
    size_t rows;

    if (c->chosen > c->n)
        return list;
    if (count_rows(ev, c, &rows) < 0)
        return NULL;
    c->at = arena_alloc(ev->arena, (c->chosen + 1) * sizeof(*c->at));
    c->used = arena_alloc(ev->arena, c->n + 1);
    memset(c->used, 0, c->n + 1);
    fill_row(c, 0);
    for (size_t i = 0; i < rows; i++) {
        struct value *row = ev_list(ev);

        if (ev_charge(ev, c->chosen + 1) < 0)
            return NULL;
        row->plain = true;
        for (size_t k = 0; k < c->chosen; k++)
            ev_push(ev, row, items->u.list.items[c->at[k]]);
        ev_push(ev, list, row);
        next_row(c);
    }
    return list;
}

static const struct value *choose_from(struct evaluator *ev, const struct value *in,
                                       const struct value *r, bool ordered)
{
    const struct value *items = ev_items(ev, in);
    struct choosing choosing = {.ordered = ordered};

    if (!items)
        return NULL;
    choosing.n = choosing.chosen = items->u.list.n;
    if (r && r->type == VALUE_INT && r->u.i < 0)
        return ev_fail(ev, "r must be non-negative");
    if (r && r->type == VALUE_INT)
        choosing.chosen = (size_t)r->u.i;
    else if (r && !(ordered && r->type == VALUE_NULL))
        return ev_fail(ev, "Expected int as r, not %s", python_type(r));
    return choose_rows(ev, items, &choosing);
}

static const struct value *filter_combinations(struct evaluator *ev, const struct value *in,
                                               const struct call *c)
{
    return choose_from(ev, in, c->arg[0], false);
}

/* permutations(r=None): of all items */
static const struct value *filter_permutations(struct evaluator *ev, const struct value *in,
                                               const struct call *c)
{
    return choose_from(ev, in, c->arg[0], true);
}

static const struct filter rows[] = {
    {"combinations", "r", 1, 0, filter_combinations, "every choice of r items, in their order"},
    {"permutations", "r", 0, 0, filter_permutations, "every order of r items, or of all"},
    {"product", "* repeat", 0, 0, filter_product, "every combination of the lists' items"},
};

const struct filter_table filters_choice = {rows, ARRAY_LEN(rows)};
