/*
 * methods.c - functions and methods that templates call: one function and one line in a table each.
 */
#include "lib/jinja/eval.h"
#include "lib/jinja/moments.h"
#include "lib/jinja/unicode.h"

typedef const struct value *method_fn(struct evaluator *ev, const struct value *self,
                                      const struct call *c);

struct method {
    const char *name, *params;
    int required;
    method_fn *fn;
};

/* ---- arguments ------------------------------------------------------------------------------ */

static int want_text(struct evaluator *ev, const struct value *v)
{
    if (v->type == VALUE_STR)
        return 0;
    return ev_error(ev, "expected a string argument, found %s", python_type(v));
}

/* Absent or None: otherwise. */
static int want_int(struct evaluator *ev, const struct value *v, int64_t otherwise, int64_t *out)
{
    *out = otherwise;
    if (!v)
        return 0;
    if (v->type != VALUE_INT && v->type != VALUE_BOOL)
        return ev_error(ev, "'%s' object cannot be interpreted as an integer", python_type(v));
    *out = int_of(v);
    return 0;
}

static bool is_absent(const struct value *v)
{
    return !v || v->type == VALUE_NULL;
}

/* ---- str ------------------------------------------------------------------------------------ */

static const struct value *str_upper(struct evaluator *ev, const struct value *self,
                                     const struct call *c)
{
    UNUSED(c);
    return text_case(ev, self, CASE_UPPER);
}

static const struct value *str_lower(struct evaluator *ev, const struct value *self,
                                     const struct call *c)
{
    UNUSED(c);
    return text_case(ev, self, CASE_LOWER);
}

static const struct value *str_title(struct evaluator *ev, const struct value *self,
                                     const struct call *c)
{
    UNUSED(c);
    return text_case(ev, self, CASE_TITLE);
}

static const struct value *str_capitalize(struct evaluator *ev, const struct value *self,
                                          const struct call *c)
{
    UNUSED(c);
    return text_case(ev, self, CASE_CAPITALIZE);
}

static const struct value *str_swapcase(struct evaluator *ev, const struct value *self,
                                        const struct call *c)
{
    UNUSED(c);
    return text_case(ev, self, CASE_SWAP);
}

static const struct value *strip_sides(struct evaluator *ev, const struct value *self,
                                       const struct call *c, unsigned sides)
{
    if (!is_absent(c->arg[0]) && want_text(ev, c->arg[0]) < 0)
        return NULL;
    return text_strip(ev, self, c->arg[0], sides);
}

static const struct value *str_strip(struct evaluator *ev, const struct value *self,
                                     const struct call *c)
{
    return strip_sides(ev, self, c, 3);
}

static const struct value *str_lstrip(struct evaluator *ev, const struct value *self,
                                      const struct call *c)
{
    return strip_sides(ev, self, c, 1);
}

static const struct value *str_rstrip(struct evaluator *ev, const struct value *self,
                                      const struct call *c)
{
    return strip_sides(ev, self, c, 2);
}

static const struct value *str_split(struct evaluator *ev, const struct value *self,
                                     const struct call *c)
{
    int64_t most;

    if ((!is_absent(c->arg[0]) && want_text(ev, c->arg[0]) < 0) ||
        want_int(ev, c->arg[1], -1, &most) < 0)
        return NULL;
    return text_split(ev, self, c->arg[0], most);
}

static const struct value *str_splitlines(struct evaluator *ev, const struct value *self,
                                          const struct call *c)
{
    UNUSED(c);
    return text_lines(ev, self);
}

static const struct value *str_replace(struct evaluator *ev, const struct value *self,
                                       const struct call *c)
{
    int64_t count;

    if (want_text(ev, c->arg[0]) < 0 || want_text(ev, c->arg[1]) < 0 ||
        want_int(ev, c->arg[2], -1, &count) < 0)
        return NULL;
    return text_replace(ev, self, c->arg[0], c->arg[1], count);
}

static bool has_affix(const struct value *text, const struct value *affix, bool end)
{
    size_t len = affix->u.str.len;

    if (len > text->u.str.len)
        return false;
    return memcmp(text->u.str.s + (end ? text->u.str.len - len : 0), affix->u.str.s, len) == 0;
}

/* The argument is a string or a tuple of strings. */
static const struct value *test_affix(struct evaluator *ev, const struct value *self,
                                      const struct value *affix, bool end)
{
    if (!is_tuple(affix))
        return want_text(ev, affix) < 0 ? NULL : ev_bool(has_affix(self, affix, end));
    for (size_t i = 0; i < affix->u.list.n; i++) {
        if (want_text(ev, affix->u.list.items[i]) < 0)
            return NULL;
        if (has_affix(self, affix->u.list.items[i], end))
            return &ev_true;
    }
    return &ev_false;
}

static const struct value *str_startswith(struct evaluator *ev, const struct value *self,
                                          const struct call *c)
{
    return test_affix(ev, self, c->arg[0], false);
}

static const struct value *str_endswith(struct evaluator *ev, const struct value *self,
                                        const struct call *c)
{
    return test_affix(ev, self, c->arg[0], true);
}

static const struct value *str_join(struct evaluator *ev, const struct value *self,
                                    const struct call *c)
{
    const struct value *items = ev_items(ev, c->arg[0]);

    for (size_t i = 0; items && i < items->u.list.n; i++) {
        if (items->u.list.items[i]->type != VALUE_STR)
            return ev_fail(ev, "sequence item %zu: expected str instance, %s found", i,
                           python_type(items->u.list.items[i]));
    }
    return items ? text_join(ev, items, self->u.str.s, self->u.str.len) : NULL;
}

/* The place of the first occurrence in characters, or -1. */
static int64_t find_text(const struct value *text, const struct value *part)
{
    const char *found = memmem(text->u.str.s, text->u.str.len, part->u.str.s, part->u.str.len);

    return found ? (int64_t)unicode_count(text->u.str.s, (size_t)(found - text->u.str.s)) : -1;
}

static const struct value *str_find(struct evaluator *ev, const struct value *self,
                                    const struct call *c)
{
    if (want_text(ev, c->arg[0]) < 0 || ev_charge_bytes(ev, self->u.str.len) < 0)
        return NULL;
    return ev_int(ev, find_text(self, c->arg[0]));
}

static const struct value *str_count(struct evaluator *ev, const struct value *self,
                                     const struct call *c)
{
    const char *p = self->u.str.s, *end = p + self->u.str.len;
    int64_t count = 0;

    if (want_text(ev, c->arg[0]) < 0 || ev_charge_bytes(ev, self->u.str.len) < 0)
        return NULL;
    if (c->arg[0]->u.str.len == 0)
        return ev_int(ev, (int64_t)unicode_count(p, self->u.str.len) + 1);
    while ((p = memmem(p, (size_t)(end - p), c->arg[0]->u.str.s, c->arg[0]->u.str.len))) {
        p += c->arg[0]->u.str.len;
        count++;
    }
    return ev_int(ev, count);
}

static const struct value *every_character(struct evaluator *ev, const struct value *self,
                                           bool (*holds)(uint32_t c))
{
    size_t size;

    if (ev_charge_bytes(ev, self->u.str.len) < 0)
        return NULL;
    for (size_t i = 0; i < self->u.str.len; i += size) {
        if (!holds(unicode_decode(self->u.str.s + i, self->u.str.len - i, &size)))
            return &ev_false;
    }
    return ev_bool(self->u.str.len > 0);
}

static bool is_decimal(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static const struct value *str_isdigit(struct evaluator *ev, const struct value *self,
                                       const struct call *c)
{
    UNUSED(c);
    return every_character(ev, self, is_decimal);
}

static const struct value *str_isalpha(struct evaluator *ev, const struct value *self,
                                       const struct call *c)
{
    UNUSED(c);
    return every_character(ev, self, unicode_is_letter);
}

static const struct value *str_zfill(struct evaluator *ev, const struct value *self,
                                     const struct call *c)
{
    int64_t width, fill;
    size_t sign = self->u.str.s[0] == '-' || self->u.str.s[0] == '+';
    struct str out;

    if (want_int(ev, c->arg[0], 0, &width) < 0)
        return NULL;
    str_init(&out, JINJA_MAX_OUTPUT);
    str_add(&out, self->u.str.s, sign);
    fill = width - (int64_t)unicode_count(self->u.str.s, self->u.str.len);
    for (; fill > 0 && !out.full; fill--)
        str_putc(&out, '0');
    str_add(&out, self->u.str.s + sign, self->u.str.len - sign);
    return ev_take(ev, &out);
}

static const struct value *pad(struct evaluator *ev, const struct value *self, const struct call *c,
                               bool left)
{
    int64_t width, n;
    struct str out;

    if (want_int(ev, c->arg[0], 0, &width) < 0 || (c->arg[1] && want_text(ev, c->arg[1]) < 0))
        return NULL;
    str_init(&out, JINJA_MAX_OUTPUT);
    n = width - (int64_t)unicode_count(self->u.str.s, self->u.str.len);
    if (!left)
        str_add(&out, self->u.str.s, self->u.str.len);
    for (; n > 0 && !out.full; n--)
        str_puts(&out, c->arg[1] ? c->arg[1]->u.str.s : " ");
    if (left)
        str_add(&out, self->u.str.s, self->u.str.len);
    return ev_take(ev, &out);
}

static const struct value *str_rjust(struct evaluator *ev, const struct value *self,
                                     const struct call *c)
{
    return pad(ev, self, c, true);
}

static const struct value *str_ljust(struct evaluator *ev, const struct value *self,
                                     const struct call *c)
{
    return pad(ev, self, c, false);
}

static const struct method str_methods[] = {
    {"capitalize", "", 0, str_capitalize},
    {"count", "sub", 1, str_count},
    {"endswith", "suffix", 1, str_endswith},
    {"find", "sub", 1, str_find},
    {"format", "* **", 0, ev_format},
    {"isalpha", "", 0, str_isalpha},
    {"isdigit", "", 0, str_isdigit},
    {"join", "iterable", 1, str_join},
    {"ljust", "width fillchar", 1, str_ljust},
    {"lower", "", 0, str_lower},
    {"lstrip", "chars", 0, str_lstrip},
    {"replace", "old new count", 2, str_replace},
    {"rjust", "width fillchar", 1, str_rjust},
    {"rstrip", "chars", 0, str_rstrip},
    {"split", "sep maxsplit", 0, str_split},
    {"splitlines", "", 0, str_splitlines},
    {"startswith", "prefix", 1, str_startswith},
    {"strip", "chars", 0, str_strip},
    {"swapcase", "", 0, str_swapcase},
    {"title", "", 0, str_title},
    {"upper", "", 0, str_upper},
    {"zfill", "width", 1, str_zfill},
};

/* ---- dict ----------------------------------------------------------------------------------- */

static const struct value *dict_keys(struct evaluator *ev, const struct value *self,
                                     const struct call *c)
{
    UNUSED(c);
    return ev_items(ev, self);
}

static const struct value *dict_values(struct evaluator *ev, const struct value *self,
                                       const struct call *c)
{
    struct value *list = ev_list(ev);

    UNUSED(c);
    if (!(self = ev_map(ev, self)) || ev_charge(ev, self->u.map.n) < 0)
        return NULL;
    for (size_t i = 0; i < self->u.map.n; i++)
        ev_push(ev, list, self->u.map.entries[i].value);
    return list;
}

static const struct value *dict_items(struct evaluator *ev, const struct value *self,
                                      const struct call *c)
{
    struct value *list = ev_list(ev);

    UNUSED(c);
    if (!(self = ev_map(ev, self)))
        return NULL;
    for (size_t i = 0; i < self->u.map.n; i++) {
        const struct value_entry *entry = &self->u.map.entries[i];
        const struct value *key = ev_str(ev, entry->key, strlen(entry->key));

        if (!key)
            return NULL;
        ev_push(ev, list, ev_pair(ev, key, entry->value));
    }
    return list;
}

static const struct value *dict_get(struct evaluator *ev, const struct value *self,
                                    const struct call *c)
{
    const struct value *otherwise = c->arg[1] ? c->arg[1] : &ev_none, *found;

    if (c->arg[0]->type != VALUE_STR)
        return is_undefined(c->arg[0]) ? ev_fail(ev, "%s", c->arg[0]->u.str.s) : otherwise;
    found = ev_member(ev, self, c->arg[0]->u.str.s);
    return found && is_undefined(found) && !value_get(self, c->arg[0]->u.str.s) ? otherwise : found;
}

static const struct method dict_methods[] = {
    {"get", "key default", 1, dict_get},
    {"items", "", 0, dict_items},
    {"keys", "", 0, dict_keys},
    {"values", "", 0, dict_values},
};

/* ---- list, loop ----------------------------------------------------------------------------- */

/* Other lists belong to the variables, which templates do not change. */
static int want_own_list(struct evaluator *ev, const struct value *self)
{
    if (self->src.file == ev->file && !is_tuple(self))
        return 0;
    return ev_error(ev, "only a list that this template made can be changed, with [] or 'list'");
}

static const struct value *list_append(struct evaluator *ev, const struct value *self,
                                       const struct call *c)
{
    if (want_own_list(ev, self) < 0)
        return NULL;
    ev_push(ev, (struct value *)self, c->arg[0]);
    return &ev_none;
}

static const struct value *list_extend(struct evaluator *ev, const struct value *self,
                                       const struct call *c)
{
    const struct value *items;
    size_t n;

    if (want_own_list(ev, self) < 0 || !(items = ev_items(ev, c->arg[0])))
        return NULL;
    n = items->u.list.n; /* x.extend(x) */
    for (size_t i = 0; i < n; i++)
        ev_push(ev, (struct value *)self, items->u.list.items[i]);
    return &ev_none;
}

static const struct value *list_index(struct evaluator *ev, const struct value *self,
                                      const struct call *c)
{
    for (size_t i = 0; i < self->u.list.n; i++) {
        int equal = ev_equal(ev, self->u.list.items[i], c->arg[0]);

        if (equal != 0)
            return equal < 0 ? NULL : ev_int(ev, (int64_t)i);
    }
    return ev_fail(ev, "the value is not in the list");
}

static const struct value *list_count(struct evaluator *ev, const struct value *self,
                                      const struct call *c)
{
    int64_t count = 0;

    for (size_t i = 0; i < self->u.list.n; i++) {
        int equal = ev_equal(ev, self->u.list.items[i], c->arg[0]);

        if (equal < 0)
            return NULL;
        count += equal;
    }
    return ev_int(ev, count);
}

static const struct method list_methods[] = {
    {"append", "object", 1, list_append},
    {"count", "value", 1, list_count},
    {"extend", "iterable", 1, list_extend},
    {"index", "value", 1, list_index},
};

/* ---- datetime, timedelta -------------------------------------------------------------------- */

static const struct value *span_total_seconds(struct evaluator *ev, const struct value *self,
                                              const struct call *c)
{
    UNUSED(c);
    return ev_float(ev, (double)moment_of(self)->us / US_PER_SECOND);
}

static struct tm point_clock(const struct value *self, int64_t *us)
{
    int64_t at = moment_of(self)->us;
    time_t seconds;
    struct tm tm = {.tm_mday = 1};

    *us = (at % US_PER_SECOND + US_PER_SECOND) % US_PER_SECOND;
    seconds = (at - *us) / US_PER_SECOND;
    gmtime_r(&seconds, &tm);
    tm.tm_zone = NULL; /* it has none */
    tm.tm_isdst = -1;
    return tm;
}

static const struct value *point_strftime(struct evaluator *ev, const struct value *self,
                                          const struct call *c)
{
    int64_t us;
    struct tm tm = point_clock(self, &us);
    struct str out;

    if (want_text(ev, c->arg[0]) < 0)
        return NULL;
    str_init(&out, JINJA_MAX_OUTPUT);
    if (time_put(ev, &out, c->arg[0]->u.str.s, &tm, us) < 0) {
        str_release(&out);
        return NULL;
    }
    return ev_take(ev, &out);
}

static const struct value *point_isoformat(struct evaluator *ev, const struct value *self,
                                           const struct call *c)
{
    struct str out;

    UNUSED(c);
    str_init(&out, JINJA_MAX_OUTPUT);
    moment_put(moment_of(self), &out);
    out.buf[strcspn(out.buf, " ")] = 'T';
    return ev_take(ev, &out);
}

/* By this machine's time zone, as Python has it. */
static const struct value *point_timestamp(struct evaluator *ev, const struct value *self,
                                           const struct call *c)
{
    int64_t us;
    struct tm tm = point_clock(self, &us);

    UNUSED(c);
    return ev_float(ev, (double)mktime(&tm) + (double)us / US_PER_SECOND);
}

static const struct method span_methods[] = {{"total_seconds", "", 0, span_total_seconds}};

static const struct method point_methods[] = {{"isoformat", "", 0, point_isoformat},
                                              {"strftime", "format", 1, point_strftime},
                                              {"timestamp", "", 0, point_timestamp}};

static const struct method loop_methods[] = {{"cycle", "*", 0, loop_cycle}};

static const struct method_table {
    const struct method *rows;
    size_t n;
} no_methods, str_table = {str_methods, ARRAY_LEN(str_methods)},
              dict_table = {dict_methods, ARRAY_LEN(dict_methods)},
              list_table = {list_methods, ARRAY_LEN(list_methods)},
              loop_table = {loop_methods, ARRAY_LEN(loop_methods)},
              span_table = {span_methods, ARRAY_LEN(span_methods)},
              point_table = {point_methods, ARRAY_LEN(point_methods)};

static const struct method_table *methods_of(const struct value *v)
{
    if (moment_of(v))
        return moment_of(v)->span ? &span_table : &point_table;
    if (is_template_object(v))
        return namespace_members(v) ? &no_methods : &loop_table;
    if (is_mapping(v))
        return &dict_table;
    if (v->type == VALUE_LIST)
        return &list_table;
    return v->type == VALUE_STR ? &str_table : &no_methods;
}

const struct value *ev_method(struct evaluator *ev, const struct value *self, const char *name,
                              const struct call *raw)
{
    const struct method_table *table = methods_of(self);
    struct call c;

    for (size_t i = 0; i < table->n; i++) {
        const struct method *m = &table->rows[i];

        if (strcmp(m->name, name) != 0)
            continue;
        return ev_bind(ev, name, m->params, m->required, raw, &c) < 0 ? NULL : m->fn(ev, self, &c);
    }
    return ev_fail(ev, "'%s' objects have no method '%s' here", python_type(self), name);
}

/* ---- functions ------------------------------------------------------------------------------ */

static const struct value *function_range(struct evaluator *ev, const struct value *self,
                                          const struct call *c)
{
    struct value *list = ev_list(ev);
    int64_t start, stop, step;

    UNUSED(self);
    if (want_int(ev, c->arg[0], 0, &start) < 0 || want_int(ev, c->arg[1], 0, &stop) < 0 ||
        want_int(ev, c->arg[2], 1, &step) < 0)
        return NULL;
    if (!c->arg[1]) {
        stop = start;
        start = 0;
    }
    if (step == 0)
        return ev_fail(ev, "range() arg 3 must not be zero");
    while (step > 0 ? start < stop : start > stop) {
        if (ev_charge(ev, 1) < 0)
            return NULL;
        ev_push(ev, list, ev_int(ev, start));
        if (__builtin_add_overflow(start, step, &start))
            break;
    }
    return list;
}

/* The members of a map or of (key, value) pairs, then the keywords: dict(x, a=1). */
static struct value *members_from(struct evaluator *ev, const struct call *c)
{
    struct value *map = value_map(ev->arena);
    const struct value *from = c->arg[0];

    if (from && !(from = is_mapping(from) ? ev_map(ev, from) : ev_items(ev, from)))
        return NULL;
    for (size_t i = 0; from && from->type == VALUE_MAP && i < from->u.map.n; i++)
        ev_put_in(ev, map, from->u.map.entries[i].key, from->u.map.entries[i].value);
    for (size_t i = 0; from && from->type == VALUE_LIST && i < from->u.list.n; i++) {
        const struct value *pair = from->u.list.items[i];

        if (pair->type != VALUE_LIST || pair->u.list.n != 2 ||
            pair->u.list.items[0]->type != VALUE_STR) {
            ev_fail(ev, "expected pairs of a string and a value");
            return NULL;
        }
        ev_put_in(ev, map, pair->u.list.items[0]->u.str.s, pair->u.list.items[1]);
    }
    for (size_t i = 0; i < c->keywords->u.map.n; i++)
        ev_put_in(ev, map, c->keywords->u.map.entries[i].key, c->keywords->u.map.entries[i].value);
    return map;
}

static const struct value *function_dict(struct evaluator *ev, const struct value *self,
                                         const struct call *c)
{
    UNUSED(self);
    return members_from(ev, c);
}

static const struct value *function_namespace(struct evaluator *ev, const struct value *self,
                                              const struct call *c)
{
    struct value *members = members_from(ev, c);

    UNUSED(self);
    return members ? namespace_new(ev, members) : NULL;
}

static const struct value *function_lookup(struct evaluator *ev, const struct value *self,
                                           const struct call *c)
{
    UNUSED(self);
    return ev_lookup(ev, c->arg[0], c, false);
}

static const struct value *function_query(struct evaluator *ev, const struct value *self,
                                          const struct call *c)
{
    UNUSED(self);
    return ev_lookup(ev, c->arg[0], c, true);
}

static const struct method functions[] = {
    {"dict", "mapping **", 0, function_dict},
    {"lookup", "name * **", 1, function_lookup},
    {"namespace", "mapping **", 0, function_namespace},
    {"q", "name * **", 1, function_query},
    {"query", "name * **", 1, function_query},
    {"range", "start stop step", 1, function_range},
};

void jinja_put_functions(struct str *out)
{
    str_puts(out, "\n## Functions\n\n| function | arguments | |\n|---|---|---|\n");
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        str_printf(out, "| `%s` | `%s` | |\n", functions[i].name, functions[i].params);
    str_puts(out, "| `now` | | not supported: `date` in a command, with register |\n"
                  "\nMethods of strings, lists and mappings are Python's.\n");
}

const char *function_names(void)
{
    return "dict, lookup, namespace, query and range";
}

static const struct method *function_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    }
    return NULL;
}

bool function_exists(const char *name)
{
    return function_find(name) != NULL;
}

const struct value *ev_function(struct evaluator *ev, const char *name, const struct call *raw)
{
    const struct method *f = function_find(name);
    struct call c;

    if (!f)
        BUG("function %s was not checked", name);
    return ev_bind(ev, name, f->params, f->required, raw, &c) < 0 ? NULL : f->fn(ev, NULL, &c);
}
