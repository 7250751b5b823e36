/*
 * yaml_dump.c - writes YAML byte for byte as PyYAML's emitter does; the rules are those of its
 * analyze_scalar, choose_scalar_style and write_plain (yaml/emitter.py).
 */
#include "lib/jinja/yaml_dump.h"
#include "lib/doc/yaml.h"
#include "lib/jinja/regex_eval.h"
#include "lib/jinja/unicode.h"

#define KEY_MAX 127 /* a longer key would be written as `? key` */
#define TIMESTAMP                                                                                  \
    "[0-9]{4}-[0-9]{2}-[0-9]{2}$|[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[Tt]|[ \\t]+)[0-9][0-9]?"      \
    ":[0-9]{2}:[0-9]{2}(?:\\.[0-9]*)?(?:[ \\t]*(?:Z|[-+][0-9][0-9]?(?::[0-9]{2})?))?$"

struct yaml_writer {
    struct evaluator *ev;
    struct str *out;
    const struct yaml_style *style;
    size_t line_start; /* in out */
    int depth;
    int flow_depth; /* brackets around */
};

static int put_node(struct yaml_writer *w, const struct value *v, int indent, bool in_list);

static size_t column(const struct yaml_writer *w)
{
    return unicode_count(w->out->buf + w->line_start, w->out->len - w->line_start);
}

static void new_line(struct yaml_writer *w, int indent)
{
    str_putc(w->out, '\n');
    w->line_start = w->out->len;
    str_printf(w->out, "%*s", indent, "");
}

/* ---- strings -------------------------------------------------------------------------------- */

static bool is_writable(uint32_t c)
{
    return (c >= 0x20 && c <= 0x7e) || c == 0x85 || (c >= 0xa0 && c <= 0xd7ff) ||
           (c >= 0xe000 && c <= 0xfffd && c != 0xfeff) || (c >= 0x10000 && c < UNICODE_MAX);
}

static int check_characters(struct evaluator *ev, const struct value *text)
{
    size_t size;

    for (size_t i = 0; i < text->u.str.len; i += size) {
        uint32_t c = unicode_decode(text->u.str.s + i, text->u.str.len - i, &size);

        if (!is_writable(c) || c == 0x85 || c == 0x2028 || c == 0x2029)
            return ev_error(ev, "YAML: line breaks and control characters in strings are "
                                "not supported");
    }
    return 0;
}

/* Whether a character stands where it would mean something in block style. */
static bool has_indicator(const char *s)
{
    if (str_starts(s, "---") || str_starts(s, "...") || strchr("#,[]{}&*!|>'\"%@`", *s))
        return true;
    if (strchr("?:-", *s) && (s[1] == ' ' || s[1] == '\0'))
        return true;
    for (const char *p = s + 1; *p; p++) {
        if ((*p == ':' && (p[1] == ' ' || p[1] == '\0')) || (*p == '#' && p[-1] == ' '))
            return true;
    }
    return false;
}

/* Whether it would be read back as another type when it stood without quotes. -1 failed. */
static int reads_as_other_type(struct evaluator *ev, const struct value *text)
{
    const struct value *pattern = value_str(ev->arena, TIMESTAMP);
    const struct regex *timestamp;
    struct regex_search search = regex_search_in(ev, text);
    struct regex_match match;

    if (str_eq(text->u.str.s, "=") || str_eq(text->u.str.s, "<<") ||
        yaml_scalar(ev->arena, text->u.str.s, text->u.str.len)->type != VALUE_STR)
        return 1;
    if (text->u.str.s[0] < '0' || text->u.str.s[0] > '9')
        return 0;
    if (!(timestamp = ev_regex(ev, pattern, NULL, NULL)))
        return -1;
    search.anchored = true;
    return ev_regex_find(ev, timestamp, &search, &match);
}

/* What means something within [] and {} in addition. */
static bool has_flow_indicator(const char *s)
{
    return *s == '?' || (*s && strpbrk(s, ":,[]{}")) || (*s && strchr(s + 1, '?'));
}

static int needs_quotes(const struct yaml_writer *w, const struct value *text)
{
    const char *s = text->u.str.s;

    if (text->u.str.len == 0 || s[0] == ' ' || s[text->u.str.len - 1] == ' ' || has_indicator(s) ||
        (w->flow_depth > 0 && has_flow_indicator(s)))
        return 1;
    return reads_as_other_type(w->ev, text);
}

/* A single space beyond the width becomes a line break; not at the ends, and never in a key. */
static bool folds_at(const struct yaml_writer *w, const char *s, const char *p, bool key)
{
    return !key && p > s && p[1] && p[-1] != ' ' && p[1] != ' ' && column(w) > w->style->width;
}

static int put_string(struct yaml_writer *w, const struct value *text, int indent, bool key)
{
    const char *s = text->u.str.s;
    int quotes;

    if (check_characters(w->ev, text) < 0 || (quotes = needs_quotes(w, text)) < 0)
        return -1;
    if (key && unicode_count(s, text->u.str.len) > KEY_MAX)
        return ev_error(w->ev, "YAML: a key is longer than %d characters", KEY_MAX);
    if (quotes)
        str_putc(w->out, '\'');
    for (const char *p = s; *p; p++) {
        if (*p == ' ' && folds_at(w, s, p, key)) {
            new_line(w, indent);
            continue;
        }
        if (*p == '\'' && quotes)
            str_putc(w->out, '\'');
        str_putc(w->out, *p);
    }
    if (quotes)
        str_putc(w->out, '\'');
    return ev_charge_bytes(w->ev, text->u.str.len);
}

/* ---- other scalars -------------------------------------------------------------------------- */

/* repr() with a point where YAML wants one: 1e+20 is 1.0e+20. */
static void put_float(struct str *out, double f)
{
    char text[VALUE_FLOAT_SIZE];
    const char *exponent;

    value_float_text(f, text);
    exponent = strchr(text, 'e');
    if (strchr("nai", text[text[0] == '-']))
        str_printf(out, "%s.%.3s", text[0] == '-' ? "-" : "", text + (text[0] == '-'));
    else if (exponent && !strchr(text, '.'))
        str_printf(out, "%.*s.0%s", (int)(exponent - text), text, exponent);
    else
        str_puts(out, text);
}

static int put_scalar(struct yaml_writer *w, const struct value *v, int indent)
{
    switch (v->type) {
    case VALUE_NULL:
        str_puts(w->out, "null");
        return 0;
    case VALUE_BOOL:
        str_puts(w->out, v->u.b ? "true" : "false");
        return 0;
    case VALUE_FLOAT:
        put_float(w->out, v->u.f);
        return 0;
    case VALUE_STR:
        return put_string(w, v, indent + w->style->indent, false);
    default:
        return ev_put(w->ev, w->out, v);
    }
}

/* ---- collections ---------------------------------------------------------------------------- */

static bool is_collection(const struct value *v)
{
    return v->type == VALUE_LIST || v->type == VALUE_MAP || v->type == VALUE_OBJECT;
}

static bool is_empty(const struct value *v)
{
    return v->type == VALUE_LIST ? v->u.list.n == 0 : v->u.map.n == 0;
}

static bool is_flow(const struct yaml_writer *w, const struct value *v)
{
    if (w->style->flow != YAML_FLOW_LEAVES)
        return w->style->flow == YAML_FLOW_ALL;
    for (size_t i = 0; v->type == VALUE_LIST && i < v->u.list.n; i++)
        if (is_collection(v->u.list.items[i]))
            return false;
    for (size_t i = 0; v->type == VALUE_MAP && i < v->u.map.n; i++)
        if (is_collection(v->u.map.entries[i].value))
            return false;
    return true;
}

static int put_flow(struct yaml_writer *w, const struct value *v, int indent);

/* What is before an item in brackets: a comma, and a space or line break. */
static void put_flow_gap(struct yaml_writer *w, size_t i, int indent)
{
    if (i > 0)
        str_putc(w->out, ',');
    if (column(w) > w->style->width)
        new_line(w, indent);
    else if (i > 0)
        str_putc(w->out, ' ');
}

static int put_flow_items(struct yaml_writer *w, const struct value *v, int indent)
{
    const struct value_entry **entries =
        v->type == VALUE_MAP ? ev_entries(w->ev, v, w->style->sort_keys) : NULL;
    size_t n = v->type == VALUE_MAP ? v->u.map.n : v->u.list.n;

    for (size_t i = 0; i < n; i++) {
        put_flow_gap(w, i, indent);
        if (entries) {
            if (put_string(w, value_str(w->ev->arena, entries[i]->key), indent, true) < 0)
                return -1;
            str_puts(w->out, ": ");
        }
        if (put_flow(w, entries ? entries[i]->value : v->u.list.items[i], indent) < 0)
            return -1;
    }
    return 0;
}

/* indent: of lines that are folded inside of v. */
static int put_flow(struct yaml_writer *w, const struct value *v, int indent)
{
    int result;

    if (ev_charge(w->ev, 1) < 0)
        return -1;
    if (is_tuple(v))
        return ev_error(w->ev, "YAML: a tuple cannot be represented");
    if (v->type == VALUE_OBJECT && !(v = ev_map(w->ev, v)))
        return -1;
    if (!is_collection(v))
        return put_scalar(w, v, indent);
    if (w->depth == JINJA_MAX_DEPTH)
        return ev_error(w->ev, "YAML: nested deeper than %d", JINJA_MAX_DEPTH);
    w->depth++;
    if (w->flow_depth++ > 0)
        indent += w->style->indent;
    str_putc(w->out, v->type == VALUE_LIST ? '[' : '{');
    result = put_flow_items(w, v, indent);
    str_putc(w->out, v->type == VALUE_LIST ? ']' : '}');
    w->flow_depth--;
    w->depth--;
    return result;
}

static int put_map(struct yaml_writer *w, const struct value *map, int indent)
{
    const struct value_entry **entries = ev_entries(w->ev, map, w->style->sort_keys);
    size_t n = map->u.map.n;

    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            new_line(w, indent);
        if (put_string(w, value_str(w->ev->arena, entries[i]->key), indent, true) < 0)
            return -1;
        str_putc(w->out, ':');
        if (put_node(w, entries[i]->value, indent, false) < 0)
            return -1;
    }
    return 0;
}

static int put_list(struct yaml_writer *w, const struct value *list, int indent)
{
    for (size_t i = 0; i < list->u.list.n; i++) {
        if (i > 0)
            new_line(w, indent);
        str_putc(w->out, '-');
        if (put_node(w, list->u.list.items[i], indent, true) < 0)
            return -1;
    }
    return 0;
}

static int put_collection(struct yaml_writer *w, const struct value *v, int indent, bool in_list)
{
    int inner = indent + (v->type == VALUE_LIST && !in_list ? 0 : w->style->indent), result;

    if (w->depth == JINJA_MAX_DEPTH)
        return ev_error(w->ev, "YAML: nested deeper than %d", JINJA_MAX_DEPTH);
    w->depth++;
    if (in_list)
        str_printf(w->out, "%*s", w->style->indent - 1, "");
    else
        new_line(w, inner);
    result = v->type == VALUE_LIST ? put_list(w, v, inner) : put_map(w, v, inner);
    w->depth--;
    return result;
}

/* What follows "key:" or "-". */
static int put_node(struct yaml_writer *w, const struct value *v, int indent, bool in_list)
{
    if (ev_charge(w->ev, 1) < 0)
        return -1;
    if (is_tuple(v))
        return ev_error(w->ev, "YAML: a tuple cannot be represented");
    if (v->type == VALUE_OBJECT && !(v = ev_map(w->ev, v)))
        return -1;
    if (is_collection(v) && !is_empty(v) && !is_flow(w, v))
        return put_collection(w, v, indent, in_list);
    str_putc(w->out, ' ');
    return is_collection(v) ? put_flow(w, v, indent + w->style->indent) : put_scalar(w, v, indent);
}

int ev_put_yaml(struct evaluator *ev, struct str *out, const struct value *v,
                const struct yaml_style *style)
{
    struct yaml_writer w = {.ev = ev, .out = out, .style = style, .line_start = out->len};
    int result;

    if (v->type == VALUE_OBJECT && !(v = ev_map(ev, v)))
        return -1;
    if (is_tuple(v) || is_template_object(v))
        return ev_error(ev, "YAML: %s cannot be represented", python_type(v));
    if (!is_collection(v))
        result = put_scalar(&w, v, 0);
    else if (is_empty(v) || is_flow(&w, v))
        result = put_flow(&w, v, style->indent);
    else
        result = v->type == VALUE_LIST ? put_list(&w, v, 0) : put_map(&w, v, 0);
    str_putc(out, '\n');
    return result;
}
