/*
 * filters_data.c - filters on values of any type: defaults, conversions, numbers, dicts, JSON and
 * YAML.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "lib/doc/json.h"
#include "lib/doc/yaml.h"
#include "lib/jinja/eval.h"
#include "lib/jinja/yaml_dump.h"

static bool is_on(const struct value *v)
{
    return v && jinja_truth(v);
}

/* default(default_value='', boolean=False) */
static const struct value *filter_default(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    if (is_undefined(in) || (is_on(c->arg[1]) && !jinja_truth(in)))
        return c->arg[0] ? c->arg[0] : value_str(ev->arena, "");
    return in;
}

static const struct value *filter_mandatory(struct evaluator *ev, const struct value *in,
                                            const struct call *c)
{
    if (!is_undefined(in))
        return in;
    return ev_fail(ev, "mandatory: %s", value_is_str(c->arg[0]) ? c->arg[0]->u.str.s : in->u.str.s);
}

/* ternary(true_val, false_val, none_val=None) */
static const struct value *filter_ternary(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    UNUSED(ev);
    if (in->type == VALUE_NULL && c->arg[2] && c->arg[2]->type != VALUE_NULL)
        return c->arg[2];
    return c->arg[jinja_truth(in) ? 0 : 1];
}

static const struct value *filter_type_debug(struct evaluator *ev, const struct value *in,
                                             const struct call *c)
{
    const char *name = python_type(in);

    UNUSED(c);
    return ev_str(ev, name, strlen(name));
}

/* ---- conversions ---------------------------------------------------------------------------- */

/* Ansible's: yes, on, 1, true in any case; None stays None; the rest is false. */
static const struct value *filter_bool(struct evaluator *ev, const struct value *in,
                                       const struct call *c)
{
    static const char *const yes[] = {"yes", "on", "1", "true"};

    UNUSED(ev);
    UNUSED(c);
    if (in->type == VALUE_NULL || in->type == VALUE_BOOL)
        return in;
    if (is_number(in))
        return ev_bool(float_of(in) == 1);
    for (size_t i = 0; in->type == VALUE_STR && i < ARRAY_LEN(yes); i++) {
        if (strcasecmp(in->u.str.s, yes[i]) == 0)
            return &ev_true;
    }
    return &ev_false;
}

/* The text without the white space around it and the underscores that Python allows between digits;
 * false: no number. */
static bool read_number(const struct value *text, char *digits, size_t size)
{
    const char *p = text->u.str.s + strspn(text->u.str.s, " \t\n\r\f\v");
    size_t n = 0;

    for (; *p && !strchr(" \t\n\r\f\v", *p); p++) {
        if (*p == '_' && n > 0 && p[-1] >= '0' && p[-1] <= '9' && p[1] >= '0' && p[1] <= '9')
            continue;
        if (n + 1 >= size || *p == '_')
            return false;
        digits[n++] = *p;
    }
    digits[n] = '\0';
    return n > 0 && p[strspn(p, " \t\n\r\f\v")] == '\0';
}

/* The letter that may follow a 0 before digits of this base. */
static char base_letter(int base)
{
    return base == 16 ? 'x' : base == 8 ? 'o' : base == 2 ? 'b' : '\0';
}

static bool text_to_int(const char *digits, int base, int64_t *out)
{
    bool negative = *digits == '-';
    char *end;

    digits += negative || *digits == '+';
    if (digits[0] == '0' && digits[1] && (digits[1] | 0x20) == base_letter(base))
        digits += 2;
    if (!isalnum((unsigned char)*digits))
        return false;
    errno = 0;
    *out = strtoll(digits, &end, base);
    if (negative)
        *out = -*out;
    return *end == '\0' && errno == 0;
}

static bool text_to_float(const char *digits, double *out)
{
    char *end;

    if (strpbrk(digits, "xX(")) /* C's, not Python's */
        return false;
    *out = strtod(digits, &end);
    return end > digits && *end == '\0';
}

/* int(default=0, base=10) */
static const struct value *filter_int(struct evaluator *ev, const struct value *in,
                                      const struct call *c)
{
    const struct value *otherwise = c->arg[0] ? c->arg[0] : ev_int(ev, 0);
    int base = 10;
    char digits[400];
    int64_t i;
    double f;

    if (c->arg[1]) {
        if (c->arg[1]->type != VALUE_INT || c->arg[1]->u.i < 2 || c->arg[1]->u.i > 36)
            return ev_fail(ev, "int: the base must be an integer from 2 to 36");
        base = (int)c->arg[1]->u.i;
    }
    if (in->type == VALUE_FLOAT)
        return float_fits_int(in->u.f) ? ev_int(ev, (int64_t)in->u.f) : otherwise;
    if (is_number(in))
        return ev_int(ev, int_of(in));
    if (in->type != VALUE_STR || !read_number(in, digits, sizeof(digits)))
        return otherwise;
    if (text_to_int(digits, base, &i))
        return ev_int(ev, i);
    if (text_to_float(digits, &f) && float_fits_int(f))
        return ev_int(ev, (int64_t)f);
    return otherwise;
}

/* float(default=0.0) */
static const struct value *filter_float(struct evaluator *ev, const struct value *in,
                                        const struct call *c)
{
    char digits[400];
    double f;

    if (is_number(in))
        return ev_float(ev, float_of(in));
    if (in->type == VALUE_STR && read_number(in, digits, sizeof(digits)) &&
        text_to_float(digits, &f))
        return ev_float(ev, f);
    return c->arg[0] ? c->arg[0] : ev_float(ev, 0);
}

static const struct value *filter_abs(struct evaluator *ev, const struct value *in,
                                      const struct call *c)
{
    UNUSED(c);
    if (!is_number(in))
        return ev_fail(ev, "bad operand type for abs(): '%s'", python_type(in));
    if (in->type == VALUE_FLOAT)
        return ev_float(ev, fabs(in->u.f));
    return int_of(in) < 0 ? ev_negate(ev, in) : ev_int(ev, int_of(in));
}

/* As Python rounds: the decimal text nearest to the double, ties to even. */
static double round_common(double f, int precision)
{
    char text[400];
    double scale;

    if (precision < 0) {
        scale = pow(10, -precision);
        return rint(f / scale) * scale;
    }
    snprintf(text, sizeof(text), "%.*f", precision, f);
    return strtod(text, NULL);
}

/* round(precision=0, method='common'): always a float */
static const struct value *filter_round(struct evaluator *ev, const struct value *in,
                                        const struct call *c)
{
    const char *method = value_is_str(c->arg[1]) ? c->arg[1]->u.str.s : "common";
    int precision = 0;
    double f, scale;

    if (!is_number(in))
        return ev_fail(ev, "type %s doesn't define __round__ method", python_type(in));
    if (c->arg[0]) {
        if (c->arg[0]->type != VALUE_INT || c->arg[0]->u.i < -300 || c->arg[0]->u.i > 300)
            return ev_fail(ev, "round: the precision must be an integer from -300 to 300");
        precision = (int)c->arg[0]->u.i;
    }
    f = float_of(in);
    if (isnan(f) || isinf(f))
        return ev_float(ev, f);
    scale = pow(10, precision);
    if (str_eq(method, "common")) {
        if (in->type != VALUE_FLOAT && precision >= 0)
            return ev_int(ev, int_of(in));
        f = round_common(f, precision);
        return in->type == VALUE_FLOAT ? ev_float(ev, f) : ev_int(ev, (int64_t)f);
    }
    if (str_eq(method, "ceil"))
        return ev_float(ev, ceil(f * scale) / scale);
    if (str_eq(method, "floor"))
        return ev_float(ev, floor(f * scale) / scale);
    return ev_fail(ev, "method must be common, ceil or floor");
}

/* ---- dicts ---------------------------------------------------------------------------------- */

enum list_merge {
    MERGE_REPLACE,
    MERGE_KEEP,
    MERGE_APPEND,
    MERGE_PREPEND,
    MERGE_APPEND_RP, /* what both have only where the later dict has it */
    MERGE_PREPEND_RP
};

struct merging {
    bool recursive;
    enum list_merge lists;
};

/* The items of low that high does not have. */
static const struct value *items_without(struct evaluator *ev, const struct value *low,
                                         const struct value *high)
{
    struct value *list = ev_list(ev);

    for (size_t i = 0; i < low->u.list.n; i++) {
        int inside = ev_contains(ev, high, low->u.list.items[i]);

        if (inside < 0)
            return NULL;
        if (!inside)
            ev_push(ev, list, low->u.list.items[i]);
    }
    return list;
}

static const struct value *merge_lists(struct evaluator *ev, const struct value *low,
                                       const struct value *high, enum list_merge how)
{
    if (how == MERGE_REPLACE || how == MERGE_KEEP)
        return how == MERGE_KEEP ? low : high;
    if ((how == MERGE_APPEND_RP || how == MERGE_PREPEND_RP) &&
        !(low = items_without(ev, low, high)))
        return NULL;
    return how == MERGE_APPEND || how == MERGE_APPEND_RP ? ev_binary(ev, OP_ADD, low, high)
                                                         : ev_binary(ev, OP_ADD, high, low);
}

static const struct value *merge_maps(struct evaluator *ev, const struct value *low,
                                      const struct value *high, struct merging how, int depth)
{
    struct value *map = value_map(ev->arena);

    if (depth > JINJA_MAX_DEPTH)
        return ev_fail(ev, "combine: nested deeper than %d", JINJA_MAX_DEPTH);
    if (ev_charge(ev, low->u.map.n + high->u.map.n) < 0)
        return NULL;
    for (size_t i = 0; i < low->u.map.n; i++)
        ev_put_in(ev, map, low->u.map.entries[i].key, low->u.map.entries[i].value);
    for (size_t i = 0; i < high->u.map.n; i++) {
        const struct value_entry *entry = &high->u.map.entries[i];
        const struct value *below = value_get(low, entry->key), *v = entry->value;

        if (how.recursive && below && below->type == VALUE_MAP && v->type == VALUE_MAP)
            v = merge_maps(ev, below, v, how, depth + 1);
        else if (below && below->type == VALUE_LIST && v->type == VALUE_LIST)
            v = merge_lists(ev, below, v, how.lists);
        if (!v)
            return NULL;
        ev_put_in(ev, map, entry->key, v);
    }
    return map;
}

static const struct value *combine_one(struct evaluator *ev, const struct value *all,
                                       const struct value *in, struct merging how)
{
    const struct value *map;

    if (in->type == VALUE_LIST) {
        for (size_t i = 0; all && i < in->u.list.n; i++) {
            map = ev_map(ev, in->u.list.items[i]);
            all = map ? merge_maps(ev, all, map, how, 0) : NULL;
        }
        return all;
    }
    map = ev_map(ev, in);
    return map ? merge_maps(ev, all, map, how, 0) : NULL;
}

static int read_list_merge(struct evaluator *ev, const struct value *name, enum list_merge *out)
{
    static const char *const names[] = {"replace", "keep",      "append",
                                        "prepend", "append_rp", "prepend_rp"};

    *out = MERGE_REPLACE;
    for (size_t i = 0; name && i < ARRAY_LEN(names); i++) {
        if (value_is_str(name) && str_eq(name->u.str.s, names[i])) {
            *out = (enum list_merge)i;
            return 0;
        }
    }
    return name ? ev_error(ev, "combine: list_merge is replace, keep, append, prepend, append_rp "
                               "or prepend_rp")
                : 0;
}

/* combine(*dicts, recursive=False, list_merge='replace'); lists of dicts count as their items. */
static const struct value *filter_combine(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    const struct value *all = value_map(ev->arena);
    struct merging how = {.recursive = is_on(c->arg[0])};

    if (read_list_merge(ev, c->arg[1], &how.lists) < 0)
        return NULL;
    all = combine_one(ev, all, in, how);
    for (size_t i = 0; all && i < c->n_rest; i++)
        all = combine_one(ev, all, c->rest[i], how);
    return all;
}

static const char *name_or(const struct value *v, const char *otherwise)
{
    return value_is_str(v) ? v->u.str.s : otherwise;
}

/* dict2items(key_name='key', value_name='value') */
static const struct value *filter_dict2items(struct evaluator *ev, const struct value *in,
                                             const struct call *c)
{
    const char *key_name = name_or(c->arg[0], "key"), *value_name = name_or(c->arg[1], "value");
    const struct value *map = ev_map(ev, in);
    struct value *list = ev_list(ev);

    if (!map || ev_charge(ev, map->u.map.n) < 0)
        return NULL;
    for (size_t i = 0; i < map->u.map.n; i++) {
        struct value *item = value_map(ev->arena);

        ev_put_in(ev, item, key_name, value_str(ev->arena, map->u.map.entries[i].key));
        ev_put_in(ev, item, value_name, map->u.map.entries[i].value);
        ev_push(ev, list, item);
    }
    return list;
}

static const struct value *filter_items(struct evaluator *ev, const struct value *in,
                                        const struct call *c)
{
    const struct call none = {.keywords = value_map(ev->arena)};

    UNUSED(c);
    if (is_undefined(in))
        return ev_list(ev);
    if (!is_mapping(in))
        return ev_fail(ev, "Can only get item pairs from a mapping.");
    return ev_method(ev, in, "items", &none);
}

/* items2dict(key_name='key', value_name='value') */
static const struct value *filter_items2dict(struct evaluator *ev, const struct value *in,
                                             const struct call *c)
{
    const char *key_name = name_or(c->arg[0], "key"), *value_name = name_or(c->arg[1], "value");
    struct value *map = value_map(ev->arena);

    if (in->type != VALUE_LIST)
        return ev_fail(ev, "items2dict requires a list, got %s instead", python_type(in));
    for (size_t i = 0; i < in->u.list.n; i++) {
        const struct value *item = in->u.list.items[i];
        const struct value *key = value_get(item, key_name), *v = value_get(item, value_name);

        if (!value_is_str(key) || !v)
            return ev_fail(ev, "items2dict: every item needs '%s', a string, and '%s'", key_name,
                           value_name);
        if (ev_charge(ev, 1) < 0)
            return NULL;
        ev_put_in(ev, map, key->u.str.s, v);
    }
    return map;
}

/* One item under the value it has at key; with overwrite it may take another's place. */
static int rekey_one(struct evaluator *ev, struct value *map, const struct value *item,
                     const char *key, bool overwrite)
{
    const struct value *name;

    if (!is_mapping(item) || is_template_object(item))
        return ev_error(ev, "rekey_on_member: List item is not a valid dict");
    name = ev_member(ev, item, key);
    if (!name || ev_charge(ev, 1) < 0)
        return -1;
    if (is_undefined(name))
        return ev_error(ev, "rekey_on_member: Key '%s' was not found.", key);
    if (name->type != VALUE_STR)
        return ev_error(ev, "rekey_on_member: only strings can be keys here, not %s",
                        python_type(name));
    if (!overwrite && value_get(map, name->u.str.s))
        return ev_error(ev, "rekey_on_member: Key '%s' is not unique, cannot convert to dict.",
                        name->u.str.s);
    ev_put_in(ev, map, name->u.str.s, item);
    return 0;
}

/* rekey_on_member(key, duplicates='error') of a list or dict of dicts */
static const struct value *filter_rekey_on_member(struct evaluator *ev, const struct value *in,
                                                  const struct call *c)
{
    const char *duplicates = c->arg[1] ? name_or(c->arg[1], "?") : "error";
    const struct call none = {.keywords = value_map(ev->arena)};
    const struct value *items = is_mapping(in) ? ev_method(ev, in, "values", &none) : in;
    struct value *map = value_map(ev->arena);

    if (!str_eq(duplicates, "error") && !str_eq(duplicates, "overwrite"))
        return ev_fail(ev, "duplicates parameter to rekey_on_member has unknown value '%s'",
                       duplicates);
    if (!items)
        return NULL;
    if (items->type != VALUE_LIST || c->arg[0]->type != VALUE_STR)
        return ev_fail(ev, "rekey_on_member works on a list or dict, with a key");
    for (size_t i = 0; i < items->u.list.n; i++) {
        if (rekey_one(ev, map, items->u.list.items[i], c->arg[0]->u.str.s,
                      str_eq(duplicates, "overwrite")) < 0)
            return NULL;
    }
    return map;
}

/* extract(container, morekeys=None): container[in][morekeys...], as used with map */
static const struct value *filter_extract(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    const struct value *v = ev_item(ev, c->arg[0], in), *more = c->arg[1];

    if (!v || !more || more->type == VALUE_NULL)
        return v;
    if (more->type != VALUE_LIST)
        return ev_item(ev, v, more);
    for (size_t i = 0; v && i < more->u.list.n; i++)
        v = ev_item(ev, v, more->u.list.items[i]);
    return v;
}

/* ---- JSON and YAML -------------------------------------------------------------------------- */

/* indent: an integer, or None or absent for one line. */
static const struct value *dump_json(struct evaluator *ev, const struct value *in,
                                     const struct value *indent, int otherwise, bool sort_keys)
{
    int width = otherwise;
    struct str out;

    if (indent && indent->type == VALUE_NULL)
        width = -1;
    else if (indent && (indent->type != VALUE_INT || indent->u.i < 0 || indent->u.i > 16))
        return ev_fail(ev, "the indentation must be an integer from 0 to 16");
    else if (indent)
        width = (int)indent->u.i;
    str_init(&out, JINJA_MAX_OUTPUT);
    if (ev_put_json(ev, &out, in, width, sort_keys) < 0) {
        str_release(&out);
        return NULL;
    }
    return ev_take(ev, &out);
}

static const struct value *filter_to_json(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    return dump_json(ev, in, c->arg[0], -1, is_on(c->arg[1]));
}

static const struct value *filter_to_nice_json(struct evaluator *ev, const struct value *in,
                                               const struct call *c)
{
    return dump_json(ev, in, c->arg[0], 4, !c->arg[1] || is_on(c->arg[1]));
}

/* tojson(indent=None): keys sorted, and what HTML would take for its own escaped */
static const struct value *filter_tojson(struct evaluator *ev, const struct value *in,
                                         const struct call *c)
{
    const struct value *json = dump_json(ev, in, c->arg[0], -1, true);
    struct str out;

    if (!json)
        return NULL;
    str_init(&out, JINJA_MAX_OUTPUT);
    for (const char *p = json->u.str.s; *p; p++) {
        if (strchr("<>&'", *p))
            str_printf(&out, "\\u%04x", (unsigned)*p);
        else
            str_putc(&out, *p);
    }
    return ev_take(ev, &out);
}

static const struct value *dump_yaml(struct evaluator *ev, const struct value *in,
                                     const struct call *c, struct yaml_style style)
{
    const struct value *indent = c->arg[0], *width = c->arg[1];
    struct str out;

    if (indent && (indent->type != VALUE_INT || indent->u.i < 2 || indent->u.i > 9))
        return ev_fail(ev, "YAML: the indentation must be an integer from 2 to 9");
    if (width && (width->type != VALUE_INT || width->u.i < 20 || width->u.i > INT32_MAX))
        return ev_fail(ev, "YAML: the width must be an integer from 20");
    if (indent)
        style.indent = (int)indent->u.i;
    if (width)
        style.width = (size_t)width->u.i;
    style.sort_keys = !c->arg[2] || is_on(c->arg[2]);
    if (c->arg[3])
        style.flow = c->arg[3]->type == VALUE_NULL ? YAML_FLOW_LEAVES
                     : is_on(c->arg[3])            ? YAML_FLOW_ALL
                                                   : YAML_FLOW_NONE;
    str_init(&out, JINJA_MAX_OUTPUT);
    if (ev_put_yaml(ev, &out, in, &style) < 0) {
        str_release(&out);
        return NULL;
    }
    return ev_take(ev, &out);
}

/* to_yaml(indent=2, width=80, sort_keys=True, default_flow_style=None) */
static const struct value *filter_to_yaml(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    struct yaml_style style = {.indent = 2, .width = 80, .flow = YAML_FLOW_LEAVES};

    return dump_yaml(ev, in, c, style);
}

/* to_nice_yaml(indent=4, width=80, sort_keys=True, default_flow_style=False) */
static const struct value *filter_to_nice_yaml(struct evaluator *ev, const struct value *in,
                                               const struct call *c)
{
    struct yaml_style style = {.indent = 4, .width = 80, .flow = YAML_FLOW_NONE};

    return dump_yaml(ev, in, c, style);
}

static const struct value *filter_from_json(struct evaluator *ev, const struct value *in,
                                            const struct call *c)
{
    const struct value *text = ev_text(ev, in), *v;

    UNUSED(c);
    if (!text || ev_charge(ev, text->u.str.len) < 0)
        return NULL;
    v = json_parse(ev->arena, "from_json", text->u.str.s, text->u.str.len, ev->err);
    if (!v)
        err_wrap(ev->err, "%s:%d", ev->file, ev->line);
    return v;
}

typedef struct value *yaml_reader(struct arena *a, const char *file, const char *text, size_t len,
                                  struct faults *faults);

static const struct value *read_yaml(struct evaluator *ev, const struct value *in,
                                     const char *filter, yaml_reader *reader)
{
    const struct value *v;
    struct faults faults;

    if (ev_charge(ev, in->u.str.len) < 0)
        return NULL;
    faults_init(&faults);
    v = reader(ev->arena, filter, in->u.str.s, in->u.str.len, &faults);
    if (!v && faults_to_err(&faults, ev->err) < 0)
        err_wrap(ev->err, "%s:%d", ev->file, ev->line);
    faults_release(&faults);
    /* cppcheck-suppress returnDanglingLifetime; it is the arena's */
    return v;
}

static const struct value *filter_from_yaml(struct evaluator *ev, const struct value *in,
                                            const struct call *c)
{
    UNUSED(c);
    return in->type == VALUE_STR ? read_yaml(ev, in, "from_yaml", yaml_parse) : in;
}

static const struct value *filter_from_yaml_all(struct evaluator *ev, const struct value *in,
                                                const struct call *c)
{
    UNUSED(c);
    if (in->type == VALUE_NULL)
        return ev_list(ev);
    return in->type == VALUE_STR ? read_yaml(ev, in, "from_yaml_all", yaml_parse_all) : in;
}

static const struct filter rows[] = {
    {"abs", "", 0, 0, filter_abs, "the number without its sign"},
    {"bool", "", 0, 0, filter_bool, "true for yes, on, 1 and true"},
    {"combine", "* recursive list_merge", 0, 0, filter_combine,
     "one dict of several; the later ones win; list_merge as with Ansible"},
    {"d", "default_value boolean", 0, TAKES_UNDEFINED | TAKES_UNDEFINED_ARGS, filter_default,
     "short for default"},
    {"default", "default_value boolean", 0, TAKES_UNDEFINED | TAKES_UNDEFINED_ARGS, filter_default,
     "the other value when this one is undefined, with boolean also when it is false"},
    {"dict2items", "key_name value_name", 0, 0, filter_dict2items,
     "a list of dicts with key and value"},
    {"extract", "container morekeys", 1, 0, filter_extract, "the container's item of this key"},
    {"float", "default", 0, 0, filter_float, "the value as a floating point number"},
    {"from_json", "", 0, 0, filter_from_json, "what the JSON text stands for"},
    {"from_yaml", "", 0, 0, filter_from_yaml, "what the YAML text stands for"},
    {"from_yaml_all", "", 0, 0, filter_from_yaml_all,
     "what the documents of the YAML text stand for, as a list"},
    {"int", "default base", 0, 0, filter_int, "the value as an integer"},
    {"items", "", 0, TAKES_UNDEFINED, filter_items,
     "pairs of a dict's keys and values; none when it is undefined"},
    {"items2dict", "key_name value_name", 0, 0, filter_items2dict,
     "a dict of a list of dicts with key and value"},
    {"mandatory", "msg", 0, TAKES_UNDEFINED, filter_mandatory, "the value, which must be defined"},
    {"rekey_on_member", "key duplicates", 1, 0, filter_rekey_on_member,
     "a dict of the dicts in a list or dict, by the value that each has at key"},
    {"round", "precision method", 0, 0, filter_round, "the number rounded"},
    {"ternary", "true_val false_val none_val", 2, TAKES_UNDEFINED_ARGS, filter_ternary,
     "one of two values, by the truth of this one"},
    {"to_json", "indent sort_keys", 0, 0, filter_to_json, "the value as JSON"},
    {"to_nice_json", "indent sort_keys", 0, 0, filter_to_nice_json,
     "the value as JSON on several lines, keys sorted"},
    {"to_nice_yaml", "indent width sort_keys default_flow_style", 0, 0, filter_to_nice_yaml,
     "the value as YAML in block style, keys sorted"},
    {"to_yaml", "indent width sort_keys default_flow_style", 0, 0, filter_to_yaml,
     "the value as YAML, keys sorted, the innermost lists and dicts on a line"},
    {"tojson", "indent", 0, 0, filter_tojson, "the value as JSON that HTML may hold, keys sorted"},
    {"type_debug", "", 0, TAKES_UNDEFINED, filter_type_debug,
     "the name of the value's Python type"},
};

const struct filter_table filters_data = {rows, ARRAY_LEN(rows)};
