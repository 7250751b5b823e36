/*
 * filters_list.c - filters on lists and other collections.
 */
#include "lib/jinja/eval.h"
#include "lib/jinja/unicode.h"

static bool is_on(const struct value *v)
{
    return v && jinja_truth(v);
}

/* A copy that the template may append to. */
static struct value *copy_items(struct evaluator *ev, const struct value *in)
{
    const struct value *items = ev_items(ev, in);
    struct value *list;

    if (!items)
        return NULL;
    list = ev_list(ev);
    for (size_t i = 0; i < items->u.list.n; i++)
        ev_push(ev, list, items->u.list.items[i]);
    return list;
}

static const struct value *filter_list(struct evaluator *ev, const struct value *in,
                                       const struct call *c)
{
    UNUSED(c);
    return copy_items(ev, in);
}

static const struct value *filter_length(struct evaluator *ev, const struct value *in,
                                         const struct call *c)
{
    size_t n;

    UNUSED(c);
    return ev_length(ev, in, &n) < 0 ? NULL : ev_int(ev, (int64_t)n);
}

static const struct value *filter_first(struct evaluator *ev, const struct value *in,
                                        const struct call *c)
{
    const struct value *items = ev_items(ev, in);

    UNUSED(c);
    if (items && items->u.list.n == 0)
        return ev_undefined(ev, "No first item, sequence was empty.");
    return items ? items->u.list.items[0] : NULL;
}

static const struct value *filter_last(struct evaluator *ev, const struct value *in,
                                       const struct call *c)
{
    const struct value *items = ev_items(ev, in);

    UNUSED(c);
    if (items && items->u.list.n == 0)
        return ev_undefined(ev, "No last item, sequence was empty.");
    return items ? items->u.list.items[items->u.list.n - 1] : NULL;
}

/* join(d='', attribute=None) */
static const struct value *filter_join(struct evaluator *ev, const struct value *in,
                                       const struct call *c)
{
    const struct value *items = ev_items(ev, in);
    const struct value *glue = c->arg[0] ? ev_text(ev, c->arg[0]) : value_str(ev->arena, "");
    struct value *picked;

    if (!items || !glue)
        return NULL;
    if (c->arg[1] && c->arg[1]->type != VALUE_NULL) {
        picked = ev_list(ev);
        for (size_t i = 0; i < items->u.list.n; i++) {
            const struct value *v = ev_path(ev, items->u.list.items[i], c->arg[1]);

            if (!v)
                return NULL;
            ev_push(ev, picked, v);
        }
        items = picked;
    }
    return text_join(ev, items, glue->u.str.s, glue->u.str.len);
}

/* ---- map, select, reject -------------------------------------------------------------------- */

/* A call with the first `used` positional arguments taken away. */
static struct call rest_of(const struct call *c, size_t used)
{
    return (struct call){
        .rest = c->rest + used, .n_rest = c->n_rest - used, .keywords = c->keywords};
}

static const struct value *map_attribute(struct evaluator *ev, const struct value *items,
                                         const struct call *c)
{
    const struct value *path = value_get(c->keywords, "attribute");
    const struct value *otherwise = value_get(c->keywords, "default");
    struct value *list = ev_list(ev);

    if (!path || c->keywords->u.map.n != 1 + (size_t)(otherwise != NULL))
        return ev_fail(ev, "map requires a filter argument, or attribute= and default=");
    for (size_t i = 0; i < items->u.list.n; i++) {
        const struct value *v = ev_path(ev, items->u.list.items[i], path);

        if (!v)
            return NULL;
        ev_push(ev, list, is_undefined(v) && otherwise ? otherwise : v);
    }
    return list;
}

static const struct value *filter_map(struct evaluator *ev, const struct value *in,
                                      const struct call *c)
{
    const struct value *items = ev_items(ev, in), *v;
    const struct filter *f;
    struct value *list;
    struct call raw;

    if (!items)
        return NULL;
    if (c->n_rest == 0)
        return map_attribute(ev, items, c);
    if (c->rest[0]->type != VALUE_STR || !(f = filter_find(c->rest[0]->u.str.s)))
        return ev_fail(ev, "map: no filter named '%s'",
                       value_is_str(c->rest[0]) ? c->rest[0]->u.str.s : "?");
    raw = rest_of(c, 1);
    list = ev_list(ev);
    for (size_t i = 0; i < items->u.list.n; i++) {
        if (!(v = ev_filter(ev, f, items->u.list.items[i], &raw)))
            return NULL;
        ev_push(ev, list, v);
    }
    return list;
}

/* How select and its family decide about one item. */
struct choice {
    const struct value *path; /* of selectattr; NULL: the item itself */
    const struct test *test;  /* NULL: is it true? */
    struct call raw;
    bool wanted;
};

static int chosen(struct evaluator *ev, const struct choice *choice, const struct value *item)
{
    const struct value *v = choice->path ? ev_path(ev, item, choice->path) : item;
    int truth;

    if (!v)
        return -1;
    truth = choice->test ? ev_test(ev, choice->test, v, &choice->raw) : ev_truth(ev, v);
    return truth < 0 ? -1 : truth == choice->wanted;
}

static const struct value *choose(struct evaluator *ev, const struct value *in,
                                  const struct call *c, bool by_attribute, bool wanted)
{
    const struct value *items = ev_items(ev, in);
    struct choice choice = {.wanted = wanted};
    size_t used = by_attribute;
    struct value *list;

    if (!items)
        return NULL;
    if (by_attribute && c->n_rest == 0)
        return ev_fail(ev, "an attribute's name is missing");
    choice.path = by_attribute ? c->rest[0] : NULL;
    if (c->n_rest > used) {
        const char *name = value_is_str(c->rest[used]) ? c->rest[used]->u.str.s : "?";

        if (!(choice.test = test_find(name)))
            return ev_fail(ev, "no test named '%s'", name);
        choice.raw = rest_of(c, used + 1);
    }
    list = ev_list(ev);
    for (size_t i = 0; i < items->u.list.n; i++) {
        int take = chosen(ev, &choice, items->u.list.items[i]);

        if (take < 0)
            return NULL;
        if (take)
            ev_push(ev, list, items->u.list.items[i]);
    }
    return list;
}

static const struct value *filter_select(struct evaluator *ev, const struct value *in,
                                         const struct call *c)
{
    return choose(ev, in, c, false, true);
}

static const struct value *filter_reject(struct evaluator *ev, const struct value *in,
                                         const struct call *c)
{
    return choose(ev, in, c, false, false);
}

static const struct value *filter_selectattr(struct evaluator *ev, const struct value *in,
                                             const struct call *c)
{
    return choose(ev, in, c, true, true);
}

static const struct value *filter_rejectattr(struct evaluator *ev, const struct value *in,
                                             const struct call *c)
{
    return choose(ev, in, c, true, false);
}

/* ---- order ---------------------------------------------------------------------------------- */

struct keyed {
    const struct value *item, *key; /* key: a list when sorting by several attributes */
};

/* What an item is sorted or compared by: itself or an attribute, small letters unless case matters.
 */
static const struct value *key_of(struct evaluator *ev, const struct value *item,
                                  const struct value *path, bool case_sensitive)
{
    const struct value *key = path && path->type != VALUE_NULL ? ev_path(ev, item, path) : item;

    if (key && !case_sensitive && key->type == VALUE_STR)
        return text_case(ev, key, CASE_LOWER);
    return key;
}

/* "a,b.c": a list of the keys. */
static const struct value *keys_of(struct evaluator *ev, const struct value *item,
                                   const struct value *path, bool case_sensitive)
{
    const struct value *paths, *key;
    struct value *keys;

    if (!value_is_str(path) || !strchr(path->u.str.s, ','))
        return key_of(ev, item, path, case_sensitive);
    if (!(paths = text_split(ev, path, value_str(ev->arena, ","), -1)))
        return NULL;
    keys = ev_list(ev);
    for (size_t i = 0; i < paths->u.list.n; i++) {
        if (!(key = key_of(ev, item, paths->u.list.items[i], case_sensitive)))
            return NULL;
        ev_push(ev, keys, key);
    }
    return keys;
}

static struct keyed *with_keys(struct evaluator *ev, const struct value *items,
                               const struct value *path, bool case_sensitive)
{
    struct keyed *all = arena_alloc(ev->arena, items->u.list.n * sizeof(*all));

    for (size_t i = 0; i < items->u.list.n; i++) {
        all[i].item = items->u.list.items[i];
        if (!(all[i].key = keys_of(ev, all[i].item, path, case_sensitive)))
            return NULL;
    }
    return all;
}

/* Merges two sorted runs; of equal items the left one comes first. */
static int merge(struct evaluator *ev, const struct keyed *left, size_t n_left,
                 const struct keyed *right, size_t n_right, bool reverse, struct keyed *out)
{
    while (n_left > 0 && n_right > 0) {
        int order;

        if (ev_compare(ev, right->key, left->key, "<", &order) < 0)
            return -1;
        if (reverse ? order > 0 : order < 0) {
            *out++ = *right++;
            n_right--;
        } else {
            *out++ = *left++;
            n_left--;
        }
    }
    memcpy(out, n_left ? left : right, (n_left + n_right) * sizeof(*out));
    return 0;
}

static int merge_sort(struct evaluator *ev, struct keyed *all, size_t n, bool reverse,
                      struct keyed *space)
{
    size_t half = n / 2;

    if (n < 2)
        return 0;
    if (merge_sort(ev, all, half, reverse, space) < 0 ||
        merge_sort(ev, all + half, n - half, reverse, space) < 0 ||
        merge(ev, all, half, all + half, n - half, reverse, space) < 0)
        return -1;
    memcpy(all, space, n * sizeof(*all));
    return 0;
}

static const struct value *sorted(struct evaluator *ev, struct keyed *all, size_t n, bool reverse)
{
    struct keyed *space = arena_alloc(ev->arena, n * sizeof(*space));
    struct value *list = ev_list(ev);

    if (merge_sort(ev, all, n, reverse, space) < 0)
        return NULL;
    for (size_t i = 0; i < n; i++)
        ev_push(ev, list, all[i].item);
    return list;
}

/* sort(reverse=False, case_sensitive=False, attribute=None) */
static const struct value *filter_sort(struct evaluator *ev, const struct value *in,
                                       const struct call *c)
{
    const struct value *items = ev_items(ev, in);
    struct keyed *all = items ? with_keys(ev, items, c->arg[2], is_on(c->arg[1])) : NULL;

    return all ? sorted(ev, all, items->u.list.n, is_on(c->arg[0])) : NULL;
}

/* dictsort(case_sensitive=False, by='key', reverse=False) */
static const struct value *filter_dictsort(struct evaluator *ev, const struct value *in,
                                           const struct call *c)
{
    bool by_value = value_is_str(c->arg[1]) && str_eq(c->arg[1]->u.str.s, "value");
    const struct value *map = ev_map(ev, in);
    struct value *pairs = ev_list(ev);
    struct keyed *all;

    if (!map)
        return NULL;
    for (size_t i = 0; i < map->u.map.n; i++)
        ev_push(ev, pairs,
                ev_pair(ev, value_str(ev->arena, map->u.map.entries[i].key),
                        map->u.map.entries[i].value));
    all = with_keys(ev, pairs, ev_int(ev, by_value), is_on(c->arg[0]));
    return all ? sorted(ev, all, pairs->u.list.n, is_on(c->arg[2])) : NULL;
}

static const struct value *filter_reverse(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    const struct value *items = ev_items(ev, in);
    struct value *list = ev_list(ev);

    UNUSED(c);
    if (!items)
        return NULL;
    for (size_t i = items->u.list.n; i-- > 0;)
        ev_push(ev, list, items->u.list.items[i]);
    return in->type == VALUE_STR ? text_join(ev, list, "", 0) : list;
}

/* The item with the smallest (direction -1) or largest key. */
static const struct value *extreme(struct evaluator *ev, const struct value *in,
                                   const struct call *c, int direction)
{
    const struct value *items = ev_items(ev, in);
    struct keyed *all = items ? with_keys(ev, items, c->arg[1], is_on(c->arg[0])) : NULL;
    size_t best = 0;

    if (!all)
        return NULL;
    if (items->u.list.n == 0)
        return ev_undefined(ev, "No aggregated item, sequence was empty.");
    for (size_t i = 1; i < items->u.list.n; i++) {
        int order;

        if (ev_compare(ev, all[i].key, all[best].key, direction < 0 ? "<" : ">", &order) < 0)
            return NULL;
        if (order * direction > 0)
            best = i;
    }
    return all[best].item;
}

static const struct value *filter_min(struct evaluator *ev, const struct value *in,
                                      const struct call *c)
{
    return extreme(ev, in, c, -1);
}

static const struct value *filter_max(struct evaluator *ev, const struct value *in,
                                      const struct call *c)
{
    return extreme(ev, in, c, 1);
}

/* sum(attribute=None, start=0) */
static const struct value *filter_sum(struct evaluator *ev, const struct value *in,
                                      const struct call *c)
{
    const struct value *items = ev_items(ev, in);
    const struct value *total = c->arg[1] ? c->arg[1] : ev_int(ev, 0);

    if (!items)
        return NULL;
    for (size_t i = 0; total && i < items->u.list.n; i++) {
        const struct value *v = key_of(ev, items->u.list.items[i], c->arg[0], true);

        total = v ? ev_binary(ev, OP_ADD, total, v) : NULL;
    }
    return total;
}

/* ---- sets ----------------------------------------------------------------------------------- */

/* The items whose keys no earlier item has. */
static const struct value *distinct(struct evaluator *ev, const struct value *items,
                                    const struct value *path, bool case_sensitive)
{
    struct value *list = ev_list(ev), *seen = ev_list(ev);

    for (size_t i = 0; i < items->u.list.n; i++) {
        const struct value *key = key_of(ev, items->u.list.items[i], path, case_sensitive);
        int known = key ? ev_contains(ev, seen, key) : -1;

        if (known < 0)
            return NULL;
        if (known)
            continue;
        ev_push(ev, seen, key);
        ev_push(ev, list, items->u.list.items[i]);
    }
    return list;
}

/* unique(case_sensitive=False, attribute=None) */
static const struct value *filter_unique(struct evaluator *ev, const struct value *in,
                                         const struct call *c)
{
    const struct value *items = ev_items(ev, in);

    return items ? distinct(ev, items, c->arg[1], is_on(c->arg[0])) : NULL;
}

/* The distinct items of a that are (not) in b. */
static const struct value *filter_by_membership(struct evaluator *ev, const struct value *in,
                                                const struct value *other, bool wanted)
{
    const struct value *items = ev_items(ev, in);
    struct value *list = ev_list(ev);

    for (size_t i = 0; items && i < items->u.list.n; i++) {
        int inside = ev_contains(ev, other, items->u.list.items[i]);

        if (inside < 0)
            return NULL;
        if (inside == wanted)
            ev_push(ev, list, items->u.list.items[i]);
    }
    return items ? distinct(ev, list, NULL, true) : NULL;
}

static const struct value *filter_difference(struct evaluator *ev, const struct value *in,
                                             const struct call *c)
{
    return filter_by_membership(ev, in, c->arg[0], false);
}

static const struct value *filter_intersect(struct evaluator *ev, const struct value *in,
                                            const struct call *c)
{
    return filter_by_membership(ev, in, c->arg[0], true);
}

static const struct value *filter_union(struct evaluator *ev, const struct value *in,
                                        const struct call *c)
{
    const struct value *both = ev_binary(ev, OP_ADD, in, c->arg[0]);

    return both ? distinct(ev, both, NULL, true) : NULL;
}

static const struct value *filter_symmetric_difference(struct evaluator *ev, const struct value *in,
                                                       const struct call *c)
{
    const struct value *left = filter_by_membership(ev, in, c->arg[0], false);
    const struct value *right = left ? filter_by_membership(ev, c->arg[0], in, false) : NULL;

    return right ? ev_binary(ev, OP_ADD, left, right) : NULL;
}

/* ---- shapes --------------------------------------------------------------------------------- */

static bool is_null_item(const struct value *v)
{
    return v->type == VALUE_NULL ||
           (v->type == VALUE_STR && (str_eq(v->u.str.s, "None") || str_eq(v->u.str.s, "null")));
}

static int flatten_into(struct evaluator *ev, struct value *list, const struct value *in,
                        int64_t levels, bool skip_nulls, int depth)
{
    if (depth > JINJA_MAX_DEPTH)
        return ev_error(ev, "flatten: nested deeper than %d", JINJA_MAX_DEPTH);
    for (size_t i = 0; i < in->u.list.n; i++) {
        const struct value *v = in->u.list.items[i];

        if (ev_charge(ev, 1) < 0)
            return -1;
        if (skip_nulls && is_null_item(v))
            continue;
        if (v->type != VALUE_LIST || levels == 0)
            ev_push(ev, list, v);
        else if (flatten_into(ev, list, v, levels - 1, skip_nulls, depth + 1) < 0)
            return -1;
    }
    return 0;
}

/* flatten(levels=None, skip_nulls=True) */
static const struct value *filter_flatten(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    const struct value *items = ev_items(ev, in);
    bool limited = c->arg[0] && c->arg[0]->type == VALUE_INT && c->arg[0]->u.i >= 0;
    struct value *list = ev_list(ev);

    if (!items)
        return NULL;
    return flatten_into(ev, list, items, limited ? c->arg[0]->u.i : -1,
                        !c->arg[1] || is_on(c->arg[1]), 0) < 0
               ? NULL
               : list;
}

/* batch(linecount, fill_with=None) */
static const struct value *filter_batch(struct evaluator *ev, const struct value *in,
                                        const struct call *c)
{
    const struct value *items = ev_items(ev, in);
    struct value *list = ev_list(ev), *row = NULL;
    size_t size;

    if (!items)
        return NULL;
    if (c->arg[0]->type != VALUE_INT || c->arg[0]->u.i < 1)
        return ev_fail(ev, "batch: the size must be an integer above zero");
    size = (size_t)c->arg[0]->u.i;
    for (size_t i = 0; i < items->u.list.n; i++) {
        if (i % size == 0) {
            row = ev_list(ev);
            ev_push(ev, list, row);
        }
        ev_push(ev, row, items->u.list.items[i]);
    }
    while (row && c->arg[1] && c->arg[1]->type != VALUE_NULL && row->u.list.n < size) {
        if (ev_charge(ev, 1) < 0)
            return NULL;
        ev_push(ev, row, c->arg[1]);
    }
    return list;
}

/* slice(slices, fill_with=None): so many lists, the first ones longer */
static const struct value *filter_slice(struct evaluator *ev, const struct value *in,
                                        const struct call *c)
{
    const struct value *items = ev_items(ev, in);
    struct value *list = ev_list(ev);
    size_t slices, longer, at = 0;

    if (!items)
        return NULL;
    if (c->arg[0]->type != VALUE_INT || c->arg[0]->u.i < 1)
        return ev_fail(ev, "slice: the number must be an integer above zero");
    slices = (size_t)c->arg[0]->u.i;
    longer = items->u.list.n % slices;
    for (size_t i = 0; i < slices; i++) {
        size_t end = at + items->u.list.n / slices + (i < longer);
        struct value *row = ev_list(ev);

        if (ev_charge(ev, 1) < 0)
            return NULL;
        for (; at < end; at++)
            ev_push(ev, row, items->u.list.items[at]);
        if (i >= longer && c->arg[1] && c->arg[1]->type != VALUE_NULL)
            ev_push(ev, row, c->arg[1]);
        ev_push(ev, list, row);
    }
    return list;
}

/* Tuples of items at the same place. They end with the shortest list, or with the longest: then
 * fill stands for what is missing. */
static const struct value *zip_items(struct evaluator *ev, const struct value *in,
                                     const struct call *c, const struct value *fill)
{
    const struct value **columns = arena_alloc(ev->arena, (c->n_rest + 1) * sizeof(*columns));
    struct value *list = ev_list(ev);
    size_t n = 0;

    for (size_t k = 0; k <= c->n_rest; k++) {
        if (!(columns[k] = ev_items(ev, k == 0 ? in : c->rest[k - 1])))
            return NULL;
        if (k == 0 || (fill ? columns[k]->u.list.n > n : columns[k]->u.list.n < n))
            n = columns[k]->u.list.n;
    }
    for (size_t i = 0; i < n; i++) {
        struct value *row = ev_list(ev);

        if (ev_charge(ev, c->n_rest + 1) < 0)
            return NULL;
        row->plain = true;
        for (size_t k = 0; k <= c->n_rest; k++)
            ev_push(ev, row, i < columns[k]->u.list.n ? columns[k]->u.list.items[i] : fill);
        ev_push(ev, list, row);
    }
    return list;
}

static const struct value *filter_zip(struct evaluator *ev, const struct value *in,
                                      const struct call *c)
{
    return zip_items(ev, in, c, NULL);
}

/* zip_longest(*lists, fillvalue=None) */
static const struct value *filter_zip_longest(struct evaluator *ev, const struct value *in,
                                              const struct call *c)
{
    return zip_items(ev, in, c, c->arg[0] ? c->arg[0] : &ev_none);
}

/* The list that the keys lead to, from element. An absent one is empty with skip_missing. */
static const struct value *list_below(struct evaluator *ev, const struct value *element,
                                      const struct value *keys, bool skip_missing)
{
    for (size_t i = 0; element && i < keys->u.list.n; i++) {
        const struct value *key = keys->u.list.items[i];

        if (!is_mapping(element) || key->type != VALUE_STR)
            return ev_fail(ev, "subelements: a key should point to a dictionary, got %s",
                           python_type(element));
        element = ev_member(ev, element, key->u.str.s);
        if (element && is_undefined(element))
            return skip_missing
                       ? ev_list(ev)
                       : ev_fail(ev, "could not find '%s' key in iterated item", key->u.str.s);
    }
    if (element && element->type != VALUE_LIST)
        return ev_fail(ev, "subelements: the keys should point to a list, got %s",
                       python_type(element));
    return element;
}

/* subelements(subelements, skip_missing=False): (item, element) pairs */
static const struct value *filter_subelements(struct evaluator *ev, const struct value *in,
                                              const struct call *c)
{
    const struct call none = {.keywords = value_map(ev->arena)};
    const struct value *items = is_mapping(in) ? ev_method(ev, in, "values", &none) : in;
    const struct value *keys = c->arg[0];
    struct value *list = ev_list(ev);

    if (keys->type == VALUE_STR)
        keys = text_split(ev, keys, value_str(ev->arena, "."), -1);
    if (!items || !keys)
        return NULL;
    if (items->type != VALUE_LIST || keys->type != VALUE_LIST)
        return ev_fail(ev, "subelements works on a list or dict, with a key or a list of keys");
    for (size_t i = 0; i < items->u.list.n; i++) {
        const struct value *item = items->u.list.items[i];
        const struct value *below = list_below(ev, item, keys, is_on(c->arg[1]));

        if (!below || ev_charge(ev, below->u.list.n + 1) < 0)
            return NULL;
        for (size_t k = 0; k < below->u.list.n; k++)
            ev_push(ev, list, ev_pair(ev, item, below->u.list.items[k]));
    }
    return list;
}

static int add_to_group(struct evaluator *ev, struct value *groups, const struct keyed *one)
{
    struct value *last = groups->u.list.n ? groups->u.list.items[groups->u.list.n - 1] : NULL;
    int same = last ? ev_equal(ev, last->u.list.items[0], one->key) : 0;

    if (same < 0)
        return -1;
    if (!same) {
        last = (struct value *)ev_pair(ev, one->key, ev_list(ev));
        ev_push(ev, groups, last);
    }
    ev_push(ev, last->u.list.items[1], one->item);
    return 0;
}

/* groupby(attribute): (key, items) pairs in order of the keys. The key is the first item's own. */
static const struct value *filter_groupby(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    const struct value *items = ev_items(ev, in), *ordered;
    struct keyed *all = items ? with_keys(ev, items, c->arg[0], true) : NULL;
    struct value *groups = ev_list(ev);

    if (!all || !(ordered = sorted(ev, all, items->u.list.n, false)))
        return NULL;
    for (size_t i = 0; i < ordered->u.list.n; i++) {
        if (add_to_group(ev, groups, &all[i]) < 0)
            return NULL;
    }
    return groups;
}

static const struct filter rows[] = {
    {"batch", "linecount fill_with", 1, 0, filter_batch, "lists of that many items"},
    {"count", "", 0, 0, filter_length, "the number of items or characters"},
    {"dictsort", "case_sensitive by reverse", 0, 0, filter_dictsort, "a dict's pairs in order"},
    {"difference", "other", 1, 0, filter_difference, "the items that are not in the other list"},
    {"first", "", 0, 0, filter_first, "the first item"},
    {"flatten", "levels skip_nulls", 0, 0, filter_flatten, "lists inside the list dissolved"},
    {"groupby", "attribute", 1, 0, filter_groupby, "pairs of an attribute's value and its items"},
    {"intersect", "other", 1, 0, filter_intersect, "the items that are in both lists"},
    {"join", "d attribute", 0, 0, filter_join, "the items as one text with d between them"},
    {"last", "", 0, 0, filter_last, "the last item"},
    {"length", "", 0, 0, filter_length, "the number of items or characters"},
    {"list", "", 0, 0, filter_list, "a new list of the items"},
    {"map", "* **", 0, TAKES_UNDEFINED_ARGS, filter_map,
     "every item's attribute, or every item through a filter"},
    {"max", "case_sensitive attribute", 0, 0, filter_max, "the largest item"},
    {"min", "case_sensitive attribute", 0, 0, filter_min, "the smallest item"},
    {"reject", "* **", 0, 0, filter_reject, "the items for which a test does not hold"},
    {"rejectattr", "* **", 0, 0, filter_rejectattr,
     "the items for whose attribute a test does not hold"},
    {"reverse", "", 0, 0, filter_reverse, "the items from the last to the first"},
    {"select", "* **", 0, 0, filter_select, "the items for which a test holds"},
    {"selectattr", "* **", 0, 0, filter_selectattr, "the items for whose attribute a test holds"},
    {"slice", "slices fill_with", 1, 0, filter_slice, "so many lists of about the same length"},
    {"sort", "reverse case_sensitive attribute", 0, 0, filter_sort, "the items in order"},
    {"subelements", "subelements skip_missing", 1, 0, filter_subelements,
     "tuples of an item and one of the list that the key has in it"},
    {"sum", "attribute start", 0, 0, filter_sum, "the items added up"},
    {"symmetric_difference", "other", 1, 0, filter_symmetric_difference,
     "the items that are in one list only"},
    {"union", "other", 1, 0, filter_union, "the items of both lists, each once"},
    {"unique", "case_sensitive attribute", 0, 0, filter_unique, "every item once"},
    {"zip", "*", 0, 0, filter_zip, "tuples of items at the same place"},
    {"zip_longest", "* fillvalue", 0, 0, filter_zip_longest,
     "tuples of items at the same place, with fillvalue for what is missing"},
};

const struct filter_table filters_list = {rows, ARRAY_LEN(rows)};
