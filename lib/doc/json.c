/*
 * json.c - jansson's tree into values; values as JSON, written as Python's json.dumps writes it.
 */
#include <jansson.h>

#include "lib/base/file.h"
#include "lib/base/utf8.h"
#include "lib/doc/json.h"

/* --- reading --- */

struct reader {
    struct arena *arena;
    const char *file;
    struct err *err;
};

static struct value *read_value(const struct reader *r, json_t *json, int depth);

static struct value *read_array(const struct reader *r, const json_t *json, int depth)
{
    struct value *list = value_list(r->arena);

    for (size_t i = 0; i < json_array_size(json); i++) {
        struct value *item = read_value(r, json_array_get(json, i), depth + 1);

        if (!item)
            return NULL;
        value_list_add(r->arena, list, item);
    }
    return list;
}

static struct value *read_object(const struct reader *r, json_t *json, int depth)
{
    struct value *map = value_map(r->arena);

    for (void *at = json_object_iter(json); at; at = json_object_iter_next(json, at)) {
        const char *key = json_object_iter_key(at);
        struct value *item = read_value(r, json_object_iter_value(at), depth + 1);

        if (!item)
            return NULL;
        value_map_set(r->arena, map, key, item);
        value_find_entry(map, key)->key_src.file = r->file;
    }
    return map;
}

/* json is not const: jansson has no iterator over the members of a const object. */
static struct value *read_typed(const struct reader *r, json_t *json, int depth)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return read_object(r, json, depth);
    case JSON_ARRAY:
        return read_array(r, json, depth);
    case JSON_STRING:
        return value_strn(r->arena, json_string_value(json), json_string_length(json));
    case JSON_INTEGER:
        return value_int(r->arena, json_integer_value(json));
    case JSON_REAL:
        return value_float(r->arena, json_real_value(json));
    case JSON_TRUE:
    case JSON_FALSE:
        return value_bool(r->arena, json_is_true(json));
    case JSON_NULL:
        break;
    }
    return value_null(r->arena);
}

/* NULL: too deep. */
static struct value *read_value(const struct reader *r, json_t *json, int depth)
{
    struct value *v;

    if (depth > JSON_MAX_DEPTH && (json_is_array(json) || json_is_object(json))) {
        err_set(r->err, ERR_INPUT, "%s: nested deeper than %d levels", r->file, JSON_MAX_DEPTH);
        return NULL;
    }
    v = read_typed(r, json, depth);
    if (v)
        v->src.file = r->file; /* jansson does not tell lines */
    return v;
}

struct value *json_parse(struct arena *a, const char *name, const char *text, size_t len,
                         struct err *err)
{
    struct reader r = {a, arena_strdup(a, name), err};
    json_error_t error;
    struct value *v;
    json_t *json;

    if (len > JSON_MAX_BYTES) {
        err_set(err, ERR_INPUT, "%s: larger than %zu bytes", name, JSON_MAX_BYTES);
        return NULL;
    }
    json = json_loadb(text, len, JSON_DECODE_ANY, &error);
    if (!json) {
        err_set(err, ERR_INPUT, "%s:%d:%d: not JSON: %s", name, error.line, error.column,
                error.text);
        return NULL;
    }
    v = read_value(&r, json, 1);
    json_decref(json);
    return v;
}

struct value *json_parse_file(struct arena *a, const char *path, struct err *err)
{
    struct value *v = NULL;
    struct str text;

    str_init(&text, JSON_MAX_BYTES);
    if (file_read(path, &text, err) == 0)
        v = json_parse(a, path, text.buf, text.len, err);
    str_release(&text);
    return v;
}

/* --- writing --- */

struct writer {
    struct str *out;
    enum json_style style;
};

static void write_value(const struct writer *w, const struct value *v, int depth);

static void write_unit(struct str *out, uint32_t unit)
{
    str_printf(out, "\\u%04x", (unsigned)unit);
}

static void write_char(struct str *out, uint32_t code)
{
    static const char named[] = "\"\\\n\r\t\f\b", names[] = "\"\\nrtfb";
    const char *found = code < 0x80 && code != 0 ? strchr(named, (int)code) : NULL;

    if (found) {
        str_printf(out, "\\%c", names[found - named]);
    } else if (code >= ' ' && code < 0x7F) {
        str_putc(out, (char)code);
    } else if (code < 0x10000) {
        write_unit(out, code);
    } else {
        write_unit(out, 0xD800 + ((code - 0x10000) >> 10));
        write_unit(out, 0xDC00 + ((code - 0x10000) & 0x3FF));
    }
}

static void write_string(struct str *out, const char *s, size_t len)
{
    str_putc(out, '"');
    while (len > 0) {
        uint32_t code;
        size_t size = utf8_decode(s, len, &code);

        write_char(out, code);
        s += size;
        len -= size;
    }
    str_putc(out, '"');
}

static void write_float(struct str *out, double f)
{
    char text[VALUE_FLOAT_SIZE];

    value_float_text(f, text);
    if (str_eq(text, "nan"))
        str_puts(out, "NaN");
    else if (str_ends(text, "inf"))
        str_puts(out, f < 0 ? "-Infinity" : "Infinity");
    else
        str_puts(out, text);
}

/* What stands before a member: a comma but for the first, and the blank or line that the style has.
 */
static void start_member(const struct writer *w, size_t i, int depth)
{
    if (i > 0)
        str_putc(w->out, ',');
    if (w->style == JSON_PRETTY)
        str_printf(w->out, "\n%*s", 2 * (depth + 1), "");
    else if (i > 0 && w->style == JSON_LINE)
        str_putc(w->out, ' ');
}

static void end_members(const struct writer *w, size_t n, int depth, char bracket)
{
    if (n > 0 && w->style == JSON_PRETTY)
        str_printf(w->out, "\n%*s", 2 * depth, "");
    str_putc(w->out, bracket);
}

static void write_list(const struct writer *w, const struct value *list, int depth)
{
    str_putc(w->out, '[');
    for (size_t i = 0; i < list->u.list.n; i++) {
        start_member(w, i, depth);
        write_value(w, list->u.list.items[i], depth + 1);
    }
    end_members(w, list->u.list.n, depth, ']');
}

static void write_map(const struct writer *w, const struct value *map, int depth)
{
    str_putc(w->out, '{');
    for (size_t i = 0; i < map->u.map.n; i++) {
        const struct value_entry *entry = &map->u.map.entries[i];

        start_member(w, i, depth);
        write_string(w->out, entry->key, strlen(entry->key));
        str_puts(w->out, w->style == JSON_TIGHT ? ":" : ": ");
        write_value(w, entry->value, depth + 1);
    }
    end_members(w, map->u.map.n, depth, '}');
}

static void write_object(const struct writer *w, const struct value *object, int depth)
{
    struct arena arena = ARENA_INIT;

    write_map(w, value_object_map(&arena, object), depth);
    arena_release(&arena);
}

static void write_value(const struct writer *w, const struct value *v, int depth)
{
    switch (v->type) {
    case VALUE_UNDEFINED:
    case VALUE_NULL:
        str_puts(w->out, "null");
        break;
    case VALUE_BOOL:
        str_puts(w->out, v->u.b ? "true" : "false");
        break;
    case VALUE_INT:
        str_printf(w->out, "%lld", (long long)v->u.i);
        break;
    case VALUE_FLOAT:
        write_float(w->out, v->u.f);
        break;
    case VALUE_STR:
        write_string(w->out, v->u.str.s, v->u.str.len);
        break;
    case VALUE_LIST:
        write_list(w, v, depth);
        break;
    case VALUE_MAP:
        write_map(w, v, depth);
        break;
    case VALUE_OBJECT:
        write_object(w, v, depth);
        break;
    }
}

void json_write(const struct value *v, enum json_style style, struct str *out)
{
    write_value(&(struct writer){out, style}, v, 0);
    if (style == JSON_PRETTY)
        str_putc(out, '\n');
}
