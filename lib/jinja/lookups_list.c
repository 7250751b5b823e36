/*
 * lookups_list.c - lookups that make lists of what they are given: dicts, lists, numbers. They
 * follow ansible-core 2.19's lib/ansible/plugins/lookup/NAME.py.
 */
#include "lib/jinja/eval.h"

#define FORMAT_OPTION 4 /* of sequence */

static bool is_on(const struct value *v)
{
    return v && jinja_truth(v);
}

/* ---- lists ---------------------------------------------------------------------------------- */

/* LookupBase._flatten: lists among the items give their items, one level deep. */
static struct value *flatten_once(struct evaluator *ev, const struct value *in)
{
    struct value *list = ev_list(ev);

    for (size_t i = 0; i < in->u.list.n; i++) {
        const struct value *item = in->u.list.items[i];
        size_t inner = item->type == VALUE_LIST ? item->u.list.n : 0;

        if (ev_charge(ev, inner + 1) < 0)
            return NULL;
        if (item->type != VALUE_LIST)
            ev_push(ev, list, item);
        for (size_t k = 0; k < inner; k++)
            ev_push(ev, list, item->u.list.items[k]);
    }
    return list;
}

static const struct value *lookup_items(struct evaluator *ev, const struct lookup_call *call)
{
    return flatten_once(ev, call->terms);
}

static const struct value *lookup_list(struct evaluator *ev, const struct lookup_call *call)
{
    UNUSED(ev);
    return call->terms;
}

static const struct value *lookup_flattened(struct evaluator *ev, const struct lookup_call *call)
{
    struct value *options = value_map(ev->arena);
    const struct call raw = {.keywords = options};

    ev_put_in(ev, options, "skip_nulls", &ev_false);
    return ev_filter(ev, filter_find("flatten"), call->terms, &raw);
}

static const struct value *lookup_indexed_items(struct evaluator *ev,
                                                const struct lookup_call *call)
{
    const struct value *items = flatten_once(ev, call->terms);
    struct value *list = ev_list(ev);

    for (size_t i = 0; items && i < items->u.list.n; i++)
        ev_push(ev, list, ev_pair(ev, ev_int(ev, (int64_t)i), items->u.list.items[i]));
    return items ? list : NULL;
}

static const struct value *lookup_dict(struct evaluator *ev, const struct lookup_call *call)
{
    struct value *list = ev_list(ev);

    for (size_t t = 0; t < call->terms->u.list.n; t++) {
        const struct value *term = call->terms->u.list.items[t];
        const struct value *map = is_mapping(term) ? ev_map(ev, term) : NULL;

        if (!is_mapping(term))
            return ev_fail(ev, "dict: a dict is expected, not %s", python_type(term));
        if (!map || ev_charge(ev, map->u.map.n) < 0)
            return NULL;
        for (size_t i = 0; i < map->u.map.n; i++) {
            struct value *item = value_map(ev->arena);

            ev_put_in(ev, item, "key", value_str(ev->arena, map->u.map.entries[i].key));
            ev_put_in(ev, item, "value", map->u.map.entries[i].value);
            ev_push(ev, list, item);
        }
    }
    return list;
}

/* Every row so far with every item. */
static const struct value *combine_rows(struct evaluator *ev, const struct value *rows,
                                        const struct value *items)
{
    struct value *list = ev_list(ev);

    for (size_t r = 0; r < rows->u.list.n; r++) {
        for (size_t i = 0; i < items->u.list.n; i++) {
            const struct value *flat =
                flatten_once(ev, ev_pair(ev, rows->u.list.items[r], items->u.list.items[i]));

            if (!flat)
                return NULL;
            ev_push(ev, list, flat);
        }
    }
    return list;
}

static const struct value *lookup_nested(struct evaluator *ev, const struct lookup_call *call)
{
    const struct value *rows;
    struct value *list = ev_list(ev);

    if (call->terms->u.list.n == 0)
        return ev_fail(ev, "nested needs at least one list");
    rows = ev_items(ev, call->terms->u.list.items[0]);
    for (size_t t = 1; rows && t < call->terms->u.list.n; t++) {
        const struct value *items = ev_items(ev, call->terms->u.list.items[t]);

        rows = items ? combine_rows(ev, rows, items) : NULL;
    }
    for (size_t i = 0; rows && i < rows->u.list.n; i++) {
        const struct value *row = ev_items(ev, rows->u.list.items[i]);
        const struct value *flat = row ? flatten_once(ev, row) : NULL;

        if (!flat)
            return NULL;
        ev_push(ev, list, flat);
    }
    return rows ? list : NULL;
}

static const struct value *lookup_together(struct evaluator *ev, const struct lookup_call *call)
{
    size_t n = call->terms->u.list.n;
    const struct value **columns = arena_alloc(ev->arena, (n + 1) * sizeof(*columns));
    struct value *list = ev_list(ev);
    size_t longest = 0;

    if (n == 0)
        return ev_fail(ev, "together needs at least one list");
    for (size_t k = 0; k < n; k++) {
        if (!(columns[k] = ev_items(ev, call->terms->u.list.items[k])))
            return NULL;
        if (columns[k]->u.list.n > longest)
            longest = columns[k]->u.list.n;
    }
    for (size_t i = 0; i < longest; i++) {
        struct value *row = ev_list(ev);
        const struct value *flat;

        for (size_t k = 0; k < n; k++)
            ev_push(ev, row, i < columns[k]->u.list.n ? columns[k]->u.list.items[i] : &ev_none);
        if (!(flat = flatten_once(ev, row)))
            return NULL;
        ev_push(ev, list, flat);
    }
    return list;
}

/* ---- subelements ---------------------------------------------------------------------------- */

/* An element, and the list below it, which the copy of the element does not have. */
struct taken {
    const struct value *element, *list;
};

static bool is_skipped(struct evaluator *ev, const struct value *result)
{
    const struct value *skipped = ev_member(ev, result, "skipped");

    return skipped && !is_undefined(skipped) && !(skipped->type == VALUE_BOOL && !skipped->u.b);
}

static struct value *copy_map(struct evaluator *ev, const struct value *map)
{
    struct value *copy = value_map(ev->arena);

    for (size_t i = 0; i < map->u.map.n; i++)
        ev_put_in(ev, copy, map->u.map.entries[i].key, map->u.map.entries[i].value);
    return copy;
}

/* Takes the list that the keys lead to out of element. An absent one is empty with skip_missing. */
static int take_list(struct evaluator *ev, const struct value *element, const struct value *keys,
                     bool skip_missing, struct taken *out)
{
    struct value *at = copy_map(ev, element);

    *out = (struct taken){at, ev_list(ev)};
    for (size_t i = 0; i < keys->u.list.n; i++) {
        const char *key = keys->u.list.items[i]->u.str.s;
        const struct value *below = value_get(at, key);
        bool last = i + 1 == keys->u.list.n;
        struct value *copy;

        if (ev_charge(ev, at->u.map.n) < 0)
            return -1;
        if (!below || (!last && below->type != VALUE_MAP)) {
            if (skip_missing)
                return 0;
            return ev_error(ev,
                            below ? "subelements: the key '%s' should point to a dictionary"
                                  : "subelements: could not find the key '%s' in an item",
                            key);
        }
        if (last && below->type != VALUE_LIST)
            return ev_error(ev, "subelements: the key '%s' should point to a list", key);
        if (last) {
            out->list = below;
            value_map_del(at, key);
        } else {
            copy = copy_map(ev, below);
            ev_put_in(ev, at, key, copy);
            at = copy;
        }
    }
    return 0;
}

static const struct value *lookup_subelements(struct evaluator *ev, const struct lookup_call *call)
{
    const struct value *terms = call->terms, *elements, *keys, *flags;
    struct value *list = ev_list(ev);
    struct taken taken;

    if (terms->u.list.n < 2 || terms->u.list.n > 3 || !value_is_str(terms->u.list.items[1]))
        return ev_fail(ev, "subelements needs a list or dict, the key of a list, and maybe flags");
    elements = terms->u.list.items[0];
    flags = terms->u.list.n == 3 ? terms->u.list.items[2] : NULL;
    if (is_mapping(elements)) {
        if (is_skipped(ev, elements))
            return list;
        elements =
            ev_method(ev, elements, "values", &(struct call){.keywords = value_map(ev->arena)});
    } else if (elements->type != VALUE_LIST) {
        return ev_fail(ev, "subelements needs a list or dict, not %s", python_type(elements));
    }
    keys = text_split(ev, terms->u.list.items[1], value_str(ev->arena, "."), -1);
    for (size_t i = 0; elements && keys && i < elements->u.list.n; i++) {
        const struct value *element = elements->u.list.items[i];

        if (element->type != VALUE_MAP)
            return ev_fail(ev, "subelements: an item is %s, not a dict", python_type(element));
        if (is_skipped(ev, element))
            continue;
        if (take_list(ev, element, keys, is_on(flags ? value_get(flags, "skip_missing") : NULL),
                      &taken) < 0)
            return NULL;
        for (size_t k = 0; k < taken.list->u.list.n; k++)
            ev_push(ev, list, ev_pair(ev, taken.element, taken.list->u.list.items[k]));
    }
    return elements && keys ? list : NULL;
}

/* ---- sequence ------------------------------------------------------------------------------- */

struct sequence {
    int64_t start, end, stride, count;
    bool has_end, has_count;
    const char *format;
};

/* Decimal: 2.19 refuses the 0x... that its documentation has. */
static bool read_integer(const char **p, int64_t *out)
{
    const char *digits = *p + (**p == '-');
    char *end;

    if (*digits < '0' || *digits > '9' || strnlen(digits, 17) > 16)
        return false;
    *out = strtoll(*p, &end, 10);
    *p = end;
    return true;
}

/* [start-]end[/stride][:format]; false: it is not of this form. */
static bool read_short_form(const char *p, struct sequence *out)
{
    struct sequence s = *out;

    if (*p == '-' || !read_integer(&p, &s.end))
        return false;
    s.has_end = true;
    if (*p == '-') {
        s.start = s.end;
        p++;
        if (*p == '-' || !read_integer(&p, &s.end))
            return false;
    }
    if (*p == '/') {
        p++;
        if (*p == '-' || !read_integer(&p, &s.stride))
            return false;
    }
    if (*p == ':' && p[1]) {
        s.format = p + 1;
        p += strlen(p);
    }
    if (*p)
        return false;
    *out = s;
    return true;
}

static int set_field(struct evaluator *ev, struct sequence *s, const char *name, const char *text)
{
    int64_t n = 0;
    const char *end = text;

    if (str_eq(name, "format")) {
        s->format = text;
        return 0;
    }
    if (!read_integer(&end, &n) || *end)
        return ev_error(ev, "sequence: %s must be an integer, not '%s'", name, text);
    if (str_eq(name, "start")) {
        s->start = n;
    } else if (str_eq(name, "stride")) {
        s->stride = n;
    } else if (str_eq(name, "end")) {
        s->end = n;
        s->has_end = true;
    } else if (str_eq(name, "count")) {
        s->count = n;
        s->has_count = true;
    } else {
        return ev_error(ev, "sequence has no argument '%s'", name);
    }
    return 0;
}

/* start=1 end=5 stride=2 count=3 format=%02d */
static int read_fields(struct evaluator *ev, const struct value *text, struct sequence *out)
{
    const struct value *words = text_split(ev, text, NULL, -1);

    for (size_t i = 0; words && i < words->u.list.n; i++) {
        const char *word = words->u.list.items[i]->u.str.s, *equals = strchr(word, '=');

        if (!equals)
            return ev_error(ev, "sequence: '%s' is no argument of the form name=value", word);
        if (set_field(ev, out, arena_strndup(ev->arena, word, (size_t)(equals - word)),
                      equals + 1) < 0)
            return -1;
    }
    return words ? 0 : -1;
}

static int read_options(struct evaluator *ev, const struct call *options, struct sequence *out)
{
    static const char *const names[] = {"start", "end", "stride", "count", "format"};

    for (size_t i = 0; i <= FORMAT_OPTION; i++) {
        const struct value *text = options->arg[i] ? ev_text(ev, options->arg[i]) : NULL;

        if (options->arg[i] && (!text || set_field(ev, out, names[i], text->u.str.s) < 0))
            return -1;
    }
    return 0;
}

/* 1: there is something to count; 0: nothing, which is no error. */
static int check_sequence(struct evaluator *ev, struct sequence *s)
{
    const char *percent = strchr(s->format, '%');
    int64_t length;

    if (s->has_count == s->has_end)
        return ev_error(ev, "sequence needs either end or count");
    if (s->has_count && s->count == 0)
        return 0;
    if (s->has_count && (__builtin_mul_overflow(s->count, s->stride, &length) ||
                         __builtin_add_overflow(s->start, length - 1, &s->end)))
        return ev_error(ev, "sequence: the numbers are too large");
    if (s->stride > 0 && s->end < s->start)
        return ev_error(ev, "sequence: to count backwards make stride negative");
    if (s->stride < 0 && s->end > s->start)
        return ev_error(ev, "sequence: to count forward don't make stride negative");
    if (!percent || strchr(percent + 1, '%'))
        return ev_error(ev, "sequence: bad formatting string: %s", s->format);
    return s->stride != 0;
}

static int put_sequence(struct evaluator *ev, const struct sequence *s, struct value *list)
{
    const struct value *format = value_str(ev->arena, s->format), *text;

    for (int64_t i = s->start; s->stride > 0 ? i <= s->end : i >= s->end;) {
        if (ev_charge(ev, 1) < 0 || !(text = ev_percent(ev, format, ev_int(ev, i))))
            return -1;
        ev_push(ev, list, text);
        if (__builtin_add_overflow(i, s->stride, &i))
            break;
    }
    return 0;
}

static const struct value *lookup_sequence(struct evaluator *ev, const struct lookup_call *call)
{
    struct value *list = ev_list(ev);
    size_t n = call->terms->u.list.n;

    for (size_t i = 0; i < (n ? n : 1); i++) {
        const struct value *term =
            n ? ev_text(ev, call->terms->u.list.items[i]) : value_str(ev->arena, "");
        struct sequence s = {.start = 1, .stride = 1, .format = "%d"};
        int some;

        if (!term || read_options(ev, call->options, &s) < 0 ||
            (!read_short_form(term->u.str.s, &s) && read_fields(ev, term, &s) < 0))
            return NULL;
        some = check_sequence(ev, &s);
        if (some < 0 || (some > 0 && put_sequence(ev, &s, list) < 0))
            return NULL;
    }
    return list;
}

static const struct lookup_plugin rows[] = {
    {"dict", "", 0, lookup_dict, "a dict's entries, as `key` and `value`"},
    {"flattened", "", 0, lookup_flattened, "the items of lists, of lists in them and so on"},
    {"indexed_items", "", 0, lookup_indexed_items, "pairs of a number from 0 and an item"},
    {"items", "", 0, lookup_items, "the items of lists, one level deep"},
    {"list", "", 0, lookup_list, "the items as they are"},
    {"nested", "", 0, lookup_nested, "every combination of the lists' items"},
    {"sequence", "start end stride count format", 0, lookup_sequence,
     "numbers as text: `start=1 end=9 stride=2 format=%02d`, or `1-9/2:%02d`"},
    {"subelements", "", 0, lookup_subelements, "pairs of an item and one of a list in it"},
    {"together", "", 0, lookup_together, "items at the same place, with None for what is missing"},
};

const struct lookup_table lookups_list = {rows, ARRAY_LEN(rows)};
