/*
 * print.c - values as text: Python's str() and repr(), and json.dumps().
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "lib/jinja/eval.h"
#include "lib/jinja/moments.h"
#include "lib/jinja/unicode.h"

/* Values from outside are bounded where they were read, so jinja_put needs no evaluator: ev may be
 * NULL. */
static int step(struct evaluator *ev, const struct str *out)
{
    if (!ev)
        return 0;
    if (out->full)
        return ev_error(ev, "text larger than %zu MiB", out->max >> 20);
    return ev_charge(ev, 1);
}

static int descend(struct evaluator *ev)
{
    return ev ? ev_descend(ev) : 0;
}

static void ascend(struct evaluator *ev)
{
    if (ev)
        ev->depth--;
}

/* ---- repr() --------------------------------------------------------------------------------- */

static void put_unprintable(struct str *out, uint32_t c)
{
    if (c == '\n' || c == '\r' || c == '\t')
        str_printf(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    else if (c < 0x100)
        str_printf(out, "\\x%02" PRIx32, c);
    else if (c < 0x10000)
        str_printf(out, "\\u%04" PRIx32, c);
    else
        str_printf(out, "\\U%08" PRIx32, c);
}

static void put_quoted(struct str *out, const char *s, size_t len)
{
    char quote = memchr(s, '\'', len) && !memchr(s, '"', len) ? '"' : '\'';
    size_t size;

    str_putc(out, quote);
    for (size_t i = 0; i < len; i += size) {
        uint32_t c = unicode_decode(s + i, len - i, &size);

        if (c == (uint32_t)quote || c == '\\')
            str_putc(out, '\\');
        if (unicode_is_printable(c))
            str_add(out, s + i, size);
        else
            put_unprintable(out, c);
    }
    str_putc(out, quote);
}

static int put(struct evaluator *ev, struct str *out, const struct value *v, bool repr);

static int put_list(struct evaluator *ev, struct str *out, const struct value *v)
{
    str_putc(out, v->plain ? '(' : '[');
    for (size_t i = 0; i < v->u.list.n; i++) {
        if (i > 0)
            str_puts(out, ", ");
        if (put(ev, out, v->u.list.items[i], true) < 0)
            return -1;
    }
    if (v->plain && v->u.list.n == 1)
        str_putc(out, ',');
    str_putc(out, v->plain ? ')' : ']');
    return 0;
}

static int put_map(struct evaluator *ev, struct str *out, const struct value *v)
{
    str_putc(out, '{');
    for (size_t i = 0; i < v->u.map.n; i++) {
        const struct value_entry *entry = &v->u.map.entries[i];

        if (i > 0)
            str_puts(out, ", ");
        put_quoted(out, entry->key, strlen(entry->key));
        str_puts(out, ": ");
        if (put(ev, out, entry->value, true) < 0)
            return -1;
    }
    str_putc(out, '}');
    return 0;
}

static int put_object(struct evaluator *ev, struct str *out, const struct value *v)
{
    struct arena arena = ARENA_INIT;
    const struct value *map;
    int result;

    if (ev && is_template_object(v))
        return ev_error(ev, "a %s cannot be printed", python_type(v));
    map = ev ? ev_map(ev, v) : value_object_map(&arena, v);
    result = map ? put_map(ev, out, map) : -1;
    arena_release(&arena);
    return result;
}

static int put_container(struct evaluator *ev, struct str *out, const struct value *v)
{
    int result;

    if (descend(ev) < 0)
        return -1;
    if (v->type == VALUE_LIST)
        result = put_list(ev, out, v);
    else
        result = v->type == VALUE_MAP ? put_map(ev, out, v) : put_object(ev, out, v);
    ascend(ev);
    return result;
}

static int put(struct evaluator *ev, struct str *out, const struct value *v, bool repr)
{
    char number[VALUE_FLOAT_SIZE];

    if (step(ev, out) < 0)
        return -1;
    if (!repr && moment_of(v)) {
        moment_put(moment_of(v), out);
        return 0;
    }
    switch (v->type) {
    case VALUE_UNDEFINED:
        return ev && !is_nothing(v) ? ev_error(ev, "%s", v->u.str.s) : 0;
    case VALUE_NULL:
        str_puts(out, "None");
        return 0;
    case VALUE_BOOL:
        str_puts(out, v->u.b ? "True" : "False");
        return 0;
    case VALUE_INT:
        str_printf(out, "%" PRId64, v->u.i);
        return 0;
    case VALUE_FLOAT:
        value_float_text(v->u.f, number);
        str_puts(out, number);
        return 0;
    case VALUE_STR:
        if (repr)
            put_quoted(out, v->u.str.s, v->u.str.len);
        else
            str_add(out, v->u.str.s, v->u.str.len);
        return ev ? ev_charge_bytes(ev, v->u.str.len) : 0;
    default:
        return put_container(ev, out, v);
    }
}

int ev_put(struct evaluator *ev, struct str *out, const struct value *v)
{
    return put(ev, out, v, false);
}

int ev_put_repr(struct evaluator *ev, struct str *out, const struct value *v)
{
    return put(ev, out, v, true);
}

void jinja_put(const struct value *v, struct str *out)
{
    put(NULL, out, v, false);
}

const struct value *ev_text(struct evaluator *ev, const struct value *v)
{
    struct str out;

    if (v->type == VALUE_STR)
        return v;
    str_init(&out, JINJA_MAX_OUTPUT);
    if (ev_put(ev, &out, v) < 0) {
        str_release(&out);
        return NULL;
    }
    return ev_take(ev, &out);
}

static int by_key(const void *a, const void *b)
{
    const struct value_entry *const *left = a, *const *right = b;

    return strcmp((*left)->key, (*right)->key);
}

const struct value_entry **ev_entries(struct evaluator *ev, const struct value *map, bool sorted)
{
    size_t n = map->u.map.n;
    const struct value_entry **entries = arena_alloc(ev->arena, n * sizeof(*entries));

    for (size_t i = 0; i < n; i++)
        entries[i] = &map->u.map.entries[i];
    if (sorted)
        qsort(entries, n, sizeof(*entries), by_key);
    return entries;
}

/* ---- json.dumps() --------------------------------------------------------------------------- */

struct json_writer {
    struct evaluator *ev;
    struct str *out;
    int indent; /* below 0: one line */
    bool sort_keys;
    int level;
};

static int json_value(struct json_writer *w, const struct value *v);

static void json_unicode(struct str *out, uint32_t c)
{
    if (c >= 0x10000) {
        c -= 0x10000;
        str_printf(out, "\\u%04x\\u%04x", 0xd800 + (unsigned)(c >> 10),
                   0xdc00 + (unsigned)(c & 0x3ff));
    } else {
        str_printf(out, "\\u%04x", (unsigned)c);
    }
}

static void json_string(struct str *out, const char *s, size_t len)
{
    static const char escaped[] = "\"\\\n\r\t\f\b", letters[] = "\"\\nrtfb";
    size_t size;

    str_putc(out, '"');
    for (size_t i = 0; i < len; i += size) {
        uint32_t c = unicode_decode(s + i, len - i, &size);
        const char *escape = c < 0x80 && c ? strchr(escaped, (int)c) : NULL;

        if (escape)
            str_printf(out, "\\%c", letters[escape - escaped]);
        else if (c >= 0x20 && c < 0x7f)
            str_putc(out, (char)c);
        else
            json_unicode(out, c);
    }
    str_putc(out, '"');
}

static void json_line(struct json_writer *w, bool first, bool last)
{
    if (!first && !last)
        str_puts(w->out, w->indent < 0 ? ", " : ",");
    if (w->indent >= 0)
        str_printf(w->out, "\n%*s", w->indent * (w->level - last), "");
}

static int json_list(struct json_writer *w, const struct value *v)
{
    str_putc(w->out, '[');
    for (size_t i = 0; i < v->u.list.n; i++) {
        json_line(w, i == 0, false);
        if (json_value(w, v->u.list.items[i]) < 0)
            return -1;
    }
    if (v->u.list.n > 0)
        json_line(w, false, true);
    str_putc(w->out, ']');
    return 0;
}

static int json_map(struct json_writer *w, const struct value *v)
{
    const struct value_entry **entries = ev_entries(w->ev, v, w->sort_keys);
    size_t n = v->u.map.n;

    str_putc(w->out, '{');
    for (size_t i = 0; i < n; i++) {
        json_line(w, i == 0, false);
        json_string(w->out, entries[i]->key, strlen(entries[i]->key));
        str_puts(w->out, ": ");
        if (json_value(w, entries[i]->value) < 0)
            return -1;
    }
    if (n > 0)
        json_line(w, false, true);
    str_putc(w->out, '}');
    return 0;
}

static int json_container(struct json_writer *w, const struct value *v)
{
    int result;

    if (v->type == VALUE_OBJECT && !(v = ev_map(w->ev, v)))
        return -1;
    if (descend(w->ev) < 0)
        return -1;
    w->level++;
    result = v->type == VALUE_LIST ? json_list(w, v) : json_map(w, v);
    w->level--;
    ascend(w->ev);
    return result;
}

static int json_value(struct json_writer *w, const struct value *v)
{
    if (step(w->ev, w->out) < 0)
        return -1;
    switch (v->type) {
    case VALUE_NULL:
        str_puts(w->out, "null");
        return 0;
    case VALUE_BOOL:
        str_puts(w->out, v->u.b ? "true" : "false");
        return 0;
    case VALUE_STR:
        json_string(w->out, v->u.str.s, v->u.str.len);
        return ev_charge_bytes(w->ev, v->u.str.len);
    case VALUE_FLOAT:
        if (isnan(v->u.f) || isinf(v->u.f)) {
            str_puts(w->out, isnan(v->u.f) ? "NaN" : v->u.f > 0 ? "Infinity" : "-Infinity");
            return 0;
        }
        return put(w->ev, w->out, v, false);
    case VALUE_LIST:
    case VALUE_MAP:
    case VALUE_OBJECT:
        return json_container(w, v);
    default:
        return put(w->ev, w->out, v, false);
    }
}

int ev_put_json(struct evaluator *ev, struct str *out, const struct value *v, int indent,
                bool sort_keys)
{
    struct json_writer w = {.ev = ev, .out = out, .indent = indent, .sort_keys = sort_keys};

    return json_value(&w, v);
}

/* ---- what may leave ------------------------------------------------------------------------- */

int ev_check_whole(struct evaluator *ev, const struct value *v)
{
    int result = 0;

    if (ev_charge(ev, 1) < 0)
        return -1;
    if (is_undefined(v))
        return ev_error(ev, "%s", v->u.str.s);
    if (is_template_object(v))
        return ev_error(ev, "a %s cannot leave the template", python_type(v));
    if (v->type != VALUE_LIST && v->type != VALUE_MAP)
        return 0;
    if (descend(ev) < 0)
        return -1;
    for (size_t i = 0; result == 0 && v->type == VALUE_LIST && i < v->u.list.n; i++)
        result = ev_check_whole(ev, v->u.list.items[i]);
    for (size_t i = 0; result == 0 && v->type == VALUE_MAP && i < v->u.map.n; i++)
        result = ev_check_whole(ev, v->u.map.entries[i].value);
    ascend(ev);
    return result;
}
