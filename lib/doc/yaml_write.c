/*
 * yaml_write.c - values as block YAML that people like to read.
 */
#include "lib/base/utf8.h"
#include "lib/doc/yaml.h"

#define STEP           2
#define SIMPLE_KEY_MAX 1000 /* YAML 1.1: a key without "?" has at most 1024 characters */

/* What the line holds before a value. */
enum before { BEFORE_NOTHING, BEFORE_DASH, BEFORE_KEY };

static void write_node(const struct value *v, int indent, enum before before, struct str *out);

/* --- strings --- */

/* What YAML 1.1 lets stand for itself in one line. U+FEFF is left out: some readers drop it. */
static bool is_printable(uint32_t code)
{
    if (code < 0xA0)
        return code >= ' ' && code < 0x7F;
    return code != 0x2028 && code != 0x2029 && code != 0xFEFF && code != 0xFFFE && code != 0xFFFF;
}

/* All printable, apart from the ASCII characters of `also`. */
static bool all_printable(const char *s, size_t len, const char *also)
{
    while (len > 0) {
        uint32_t code;
        size_t size = utf8_decode(s, len, &code);

        if (!is_printable(code) && (code >= 0x80 || !strchr(also, (int)code)))
            return false;
        if (code == UTF8_REPLACEMENT && size == 1)
            return false;
        s += size;
        len -= size;
    }
    return true;
}

/* True when it can be written without quotes and reads back as this string. */
static bool can_be_plain(const char *s, size_t len)
{
    static const char first_indicators[] = "-?:,[]{}#&*!|>'\"%@` ";
    bool is_option = len > 1 && s[0] == '-' && s[1] != ' ' && !str_starts(s, "---");

    if (len == 0 || (strchr(first_indicators, s[0]) && !is_option) || str_starts(s, "..."))
        return false;
    if (s[len - 1] == ' ' || s[len - 1] == ':' || strstr(s, ": ") || strstr(s, " #"))
        return false;
    return all_printable(s, len, "") && yaml_reads_as_string(s, len);
}

/*
 * True when a literal block (|) keeps every character and looks no different from what it is: some
 * lines, the first of which is neither empty nor indented, and none only of blanks.
 */
static bool can_be_literal(const char *s, size_t len)
{
    if (!memchr(s, '\n', len) || strchr(" \t\n", s[0]) || !all_printable(s, len, "\n\t"))
        return false;
    for (const char *line = s; *line;) {
        size_t size = strcspn(line, "\n");

        if (size > 0 && strspn(line, " \t") == size)
            return false;
        line += size;
        line += *line == '\n';
    }
    return true;
}

static void write_literal(const char *s, size_t len, int indent, struct str *out)
{
    bool has_end = s[len - 1] == '\n';
    bool has_more_ends = has_end && s[len - 2] == '\n'; /* the first line is not empty */

    str_puts(out, has_more_ends ? "|+\n" : has_end ? "|\n" : "|-\n");
    while (*s) {
        size_t size = strcspn(s, "\n");

        if (size > 0)
            str_printf(out, "%*s%.*s", indent, "", (int)size, s);
        str_putc(out, '\n');
        s += size;
        s += *s == '\n';
    }
}

static void write_escaped(uint32_t code, struct str *out)
{
    static const char named[] = "\"\\\n\t\r", names[] = "\"\\ntr";
    const char *found = code < 0x80 && code != 0 ? strchr(named, (int)code) : NULL;

    if (found)
        str_printf(out, "\\%c", names[found - named]);
    else if (code <= 0xFF)
        str_printf(out, "\\x%02X", (unsigned)code);
    else
        str_printf(out, "\\u%04X", (unsigned)code); /* what is beyond 16 bits is printable */
}

static void write_quoted(const char *s, size_t len, struct str *out)
{
    str_putc(out, '"');
    while (len > 0) {
        uint32_t code;
        size_t size = utf8_decode(s, len, &code);
        bool is_bad_byte = code == UTF8_REPLACEMENT && size == 1;

        if (is_printable(code) && code != '"' && code != '\\' && !is_bad_byte)
            str_add(out, s, size);
        else
            write_escaped(code, out);
        s += size;
        len -= size;
    }
    str_putc(out, '"');
}

/* --- everything else --- */

static void write_float(double f, struct str *out)
{
    char text[VALUE_FLOAT_SIZE];
    const char *exponent;

    value_float_text(f, text);
    exponent = strchr(text, 'e');
    if (strchr(text, 'n')) /* inf, -inf, nan */
        str_printf(out, "%s.%s", text[0] == '-' ? "-" : "", text + (text[0] == '-'));
    else if (exponent && !strchr(text, '.')) /* without a point it would be a string */
        str_printf(out, "%.*s.0%s", (int)(exponent - text), text, exponent);
    else
        str_puts(out, text);
}

/* In the rest of the line; a literal block takes more lines, indented. Ends without a newline. */
static void write_scalar(const struct value *v, struct str *out)
{
    switch (v->type) {
    case VALUE_BOOL:
        str_puts(out, v->u.b ? "true" : "false");
        break;
    case VALUE_INT:
        str_printf(out, "%lld", (long long)v->u.i);
        break;
    case VALUE_FLOAT:
        write_float(v->u.f, out);
        break;
    case VALUE_LIST:
        str_puts(out, "[]");
        break;
    case VALUE_MAP:
        str_puts(out, "{}");
        break;
    case VALUE_STR:
        if (can_be_plain(v->u.str.s, v->u.str.len))
            str_add(out, v->u.str.s, v->u.str.len);
        else
            write_quoted(v->u.str.s, v->u.str.len, out);
        break;
    default:
        str_puts(out, "null");
        break;
    }
}

static bool is_literal(const struct value *v)
{
    return v->type == VALUE_STR && can_be_literal(v->u.str.s, v->u.str.len);
}

static bool has_members(const struct value *v)
{
    return (v->type == VALUE_LIST && v->u.list.n > 0) || (v->type == VALUE_MAP && v->u.map.n > 0);
}

static void write_list(const struct value *list, int indent, struct str *out)
{
    for (size_t i = 0; i < list->u.list.n; i++) {
        /* The first line of what has members follows the "- ": its indent is already there. */
        if (i > 0)
            str_printf(out, "%*s", indent, "");
        str_puts(out, "- ");
        write_node(list->u.list.items[i], indent + STEP, BEFORE_DASH, out);
    }
}

/* The key and ":"; a very long one needs the "? " form. */
static void write_key(const char *key, int indent, struct str *out)
{
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    if (can_be_plain(key, strlen(key)))
        str_puts(&text, key);
    else
        write_quoted(key, strlen(key), &text);
    if (text.len > SIMPLE_KEY_MAX)
        str_printf(out, "? %s\n%*s:", text.buf, indent, "");
    else
        str_printf(out, "%s:", text.buf);
    str_release(&text);
}

static void write_map(const struct value *map, int indent, struct str *out)
{
    for (size_t i = 0; i < map->u.map.n; i++) {
        const struct value_entry *entry = &map->u.map.entries[i];

        if (i > 0)
            str_printf(out, "%*s", indent, "");
        write_key(entry->key, indent, out);
        write_node(entry->value, indent + STEP, BEFORE_KEY, out);
    }
}

/* Ends the line. A literal block at the top is indented all the same. */
static void write_node(const struct value *v, int indent, enum before before, struct str *out)
{
    struct arena arena = ARENA_INIT;

    if (v->type == VALUE_OBJECT)
        v = value_object_map(&arena, v);
    if (before == BEFORE_KEY && has_members(v))
        str_printf(out, "\n%*s", indent, "");
    else if (before == BEFORE_KEY)
        str_putc(out, ' ');
    if (has_members(v) && v->type == VALUE_LIST) {
        write_list(v, indent, out);
    } else if (has_members(v)) {
        write_map(v, indent, out);
    } else if (is_literal(v)) {
        write_literal(v->u.str.s, v->u.str.len, before == BEFORE_NOTHING ? STEP : indent, out);
    } else {
        write_scalar(v, out);
        str_putc(out, '\n');
    }
    arena_release(&arena);
}

void yaml_write(const struct value *v, struct str *out)
{
    write_node(v, 0, BEFORE_NOTHING, out);
}
