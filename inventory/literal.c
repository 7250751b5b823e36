/*
 * literal.c - Python literals: a recursive descent over one line of text.
 *
 * Every function returns NULL when the text is no literal. What is a literal but nothing we can
 * hold is remembered in `why`, with a value in its place: only a text that is a literal to its end
 * is refused.
 */
#include "inventory/literal.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "lib/base/utf8.h"
#include "lib/doc/json.h"

struct parser {
    struct arena *a;
    const char *p, *end;
    unsigned depth;
    bool too_deep;
    const char *why;
};

static struct value *parse_item(struct parser *ps);

static void utf8_put(struct str *out, uint32_t code)
{
    if (code < 0x80) {
        str_putc(out, (char)code);
    } else if (code < 0x800) {
        str_putc(out, (char)(0xc0 | code >> 6));
        str_putc(out, (char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        str_putc(out, (char)(0xe0 | code >> 12));
        str_putc(out, (char)(0x80 | (code >> 6 & 0x3f)));
        str_putc(out, (char)(0x80 | (code & 0x3f)));
    } else {
        str_putc(out, (char)(0xf0 | code >> 18));
        str_putc(out, (char)(0x80 | (code >> 12 & 0x3f)));
        str_putc(out, (char)(0x80 | (code >> 6 & 0x3f)));
        str_putc(out, (char)(0x80 | (code & 0x3f)));
    }
}

/* ---- scanning ---- */

static char peek(const struct parser *ps, size_t ahead)
{
    return ahead < (size_t)(ps->end - ps->p) ? ps->p[ahead] : '\0';
}

static void skip_blanks(struct parser *ps)
{
    while (ps->p < ps->end && (*ps->p == ' ' || *ps->p == '\t' || *ps->p == '\f'))
        ps->p++;
}

static bool take(struct parser *ps, char c)
{
    skip_blanks(ps);
    if (peek(ps, 0) != c)
        return false;
    ps->p++;
    return true;
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static struct value *refuse(struct parser *ps, const char *why)
{
    ps->why = why;
    return value_null(ps->a);
}

/* ---- numbers ---- */

/* Digits of a base with single underscores between them. 0: none. */
static size_t digit_part(const char *p, const char *end, int base)
{
    size_t n = 0, len = (size_t)(end - p);

    while (n < len) {
        size_t at = p[n] == '_' && n > 0 ? n + 1 : n;
        char c = at < len ? (char)tolower((unsigned char)p[at]) : '\0';
        int digit = isdigit((unsigned char)c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;

        if (digit >= base)
            break;
        n = at + 1;
    }
    return n;
}

static struct value *make_int(struct parser *ps, const char *number, int base)
{
    long long i;

    errno = 0;
    i = strtoll(number, NULL, base);
    if (errno == ERANGE)
        return refuse(ps, "a number of more than 64 bits");
    return value_int(ps->a, i);
}

static int base_of(char letter)
{
    letter = (char)tolower((unsigned char)letter);
    return letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
}

/* The length of the number at p; base is 0 for a float. 0: none. */
static size_t scan_number(const char *p, const char *end, int *base)
{
    size_t len = (size_t)(end - p), n, exponent;

    *base = len > 1 && p[0] == '0' ? base_of(p[1]) : 10;
    if (*base != 10) {
        size_t skip = len > 2 && p[2] == '_' ? 3 : 2;

        n = digit_part(p + skip, end, *base);
        return n ? n + skip : 0;
    }
    n = digit_part(p, end, 10);
    if (n < len && p[n] == '.') {
        size_t fraction = digit_part(p + n + 1, end, 10);

        if (n == 0 && fraction == 0)
            return 0;
        *base = 0;
        n += 1 + fraction;
    }
    if (n > 0 && n < len && tolower((unsigned char)p[n]) == 'e') {
        size_t sign = n + 1 < len && (p[n + 1] == '+' || p[n + 1] == '-') ? 1 : 0;

        exponent = digit_part(p + n + 1 + sign, end, 10);
        if (exponent) {
            *base = 0;
            n += 1 + sign + exponent;
        }
    }
    return n;
}

static struct value *parse_number(struct parser *ps, bool negative)
{
    int base;
    size_t n = scan_number(ps->p, ps->end, &base), kept = negative ? 1 : 0;
    const char *text = ps->p;
    char *number;
    struct value *v;

    if (n == 0)
        return NULL;
    ps->p += n;
    if (tolower((unsigned char)peek(ps, 0)) == 'j') {
        ps->p++;
        return is_name_char(peek(ps, 0)) ? NULL : refuse(ps, "a complex number");
    }
    if (is_name_char(peek(ps, 0)))
        return NULL;
    number = xcalloc(n + 2, 1);
    number[0] = '-';
    for (size_t i = base == 10 || base == 0 ? 0 : 2; i < n; i++) {
        if (text[i] != '_')
            number[kept++] = text[i];
    }
    if (base == 10 && text[0] == '0' && number[negative + strspn(number + negative, "0")])
        v = NULL; /* 007 is no Python number */
    else
        v = base ? make_int(ps, number, base) : value_float(ps->a, strtod(number, NULL));
    free(number);
    return v;
}

/* Behind a real number: + or - and an imaginary one make it complex. */
static struct value *parse_sum(struct parser *ps, struct value *real)
{
    struct parser rest = *ps;
    struct value *imaginary;

    if (!real || ps->why || (!take(&rest, '+') && !take(&rest, '-')))
        return real;
    skip_blanks(&rest);
    imaginary = parse_number(&rest, false);
    if (!imaginary || !rest.why)
        return real;
    *ps = rest;
    return imaginary;
}

/* ---- strings ---- */

static int hex_escape(struct parser *ps, int count, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < count; i++, ps->p++) {
        char c = (char)tolower((unsigned char)peek(ps, 0));

        if (!isxdigit((unsigned char)c))
            return -1;
        *code = *code << 4 | (uint32_t)(isdigit((unsigned char)c) ? c - '0' : c - 'a' + 10);
    }
    return *code > 0x10ffff ? -1 : 0;
}

static void put_code(struct parser *ps, struct str *out, uint32_t code)
{
    if (code == 0 || (code >= 0xd800 && code <= 0xdfff))
        ps->why = "a NUL or half a character in a string";
    else
        utf8_put(out, code);
}

/* Behind the backslash. */
static int parse_escape(struct parser *ps, struct str *out)
{
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
    char c = peek(ps, 0);
    const char *simple = c ? strchr(from, c) : NULL;
    uint32_t code = 0;

    if (ps->p == ps->end)
        return -1;
    if (c >= '0' && c <= '7') {
        for (int i = 0; i < 3 && peek(ps, 0) >= '0' && peek(ps, 0) <= '7'; i++)
            code = code << 3 | (uint32_t)(*ps->p++ - '0');
        put_code(ps, out, code);
        return 0;
    }
    ps->p++;
    if (simple) {
        str_putc(out, to[simple - from]);
    } else if (c == 'x' || c == 'u' || c == 'U') {
        if (hex_escape(ps, c == 'x' ? 2 : c == 'u' ? 4 : 8, &code) < 0)
            return -1;
        put_code(ps, out, code);
    } else if (c == 'N') {
        ps->why = "a character by its name";
    } else if (c != '\n') { /* a line goes on; any other pair stands for itself */
        str_putc(out, '\\');
        str_putc(out, c);
    }
    return 0;
}

/* r, b, u, rb, br in any case: the length, or -1 when no string begins here. f-strings are none. */
static int string_prefix(const struct parser *ps, bool *raw, bool *bytes)
{
    static const char *const prefixes[] = {"", "r", "u", "b", "rb", "br"};

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        size_t n = 0;

        while (prefixes[i][n] && tolower((unsigned char)peek(ps, n)) == prefixes[i][n])
            n++;
        if (!prefixes[i][n] && (peek(ps, n) == '\'' || peek(ps, n) == '"')) {
            *raw = strchr(prefixes[i], 'r') != NULL;
            *bytes = strchr(prefixes[i], 'b') != NULL;
            return (int)n;
        }
    }
    return -1;
}

/* One quoted string, its prefix skipped. */
static int parse_quoted(struct parser *ps, bool raw, struct str *out)
{
    char quote = *ps->p;
    size_t width = peek(ps, 1) == quote && peek(ps, 2) == quote ? 3 : 1;

    for (ps->p += width; ps->p < ps->end;) {
        if (*ps->p == quote && (width == 1 || (peek(ps, 1) == quote && peek(ps, 2) == quote))) {
            ps->p += width;
            return 0;
        }
        if (width == 1 && *ps->p == '\n')
            return -1;
        if (*ps->p != '\\') {
            str_putc(out, *ps->p++);
        } else if (raw) {
            str_putc(out, *ps->p++);
            if (ps->p < ps->end)
                str_putc(out, *ps->p++);
        } else {
            ps->p++;
            if (parse_escape(ps, out) < 0)
                return -1;
        }
    }
    return -1;
}

/* One or more adjacent strings, which Python joins. */
static struct value *parse_strings(struct parser *ps)
{
    struct value *v = NULL;
    struct str out;
    bool raw, bytes;
    int prefix;

    str_init(&out, STR_MAX_TEXT);
    while ((prefix = string_prefix(ps, &raw, &bytes)) >= 0) {
        ps->p += prefix;
        if (bytes)
            ps->why = "bytes";
        if (parse_quoted(ps, raw, &out) < 0)
            goto out;
        skip_blanks(ps);
    }
    if (!is_name_char(peek(ps, 0)))
        v = value_strn(ps->a, out.buf, out.len);
out:
    str_release(&out);
    return v;
}

/* ---- collections ---- */

/* Items up to `close`, which is taken; commas tells whether there was one. */
static struct value *parse_items(struct parser *ps, char close, bool *comma)
{
    struct value *list = value_list(ps->a), *item;

    *comma = false;
    while (!take(ps, close)) {
        item = parse_item(ps);
        if (!item)
            return NULL;
        value_list_add(ps->a, list, item);
        *comma = take(ps, ',');
        if (!*comma && !take(ps, close))
            return NULL;
        if (!*comma) {
            *comma = list->u.list.n > 1;
            return list;
        }
    }
    return list;
}

static struct value *parse_parentheses(struct parser *ps)
{
    bool comma;
    struct value *tuple = parse_items(ps, ')', &comma);

    if (tuple && tuple->u.list.n == 1 && !comma)
        return tuple->u.list.items[0]; /* (1) is 1, (1,) a tuple */
    return tuple;
}

/* As json.dumps writes keys that are no strings. */
static void set_key(struct parser *ps, struct value *map, const struct value *key,
                    struct value *value)
{
    struct str name;

    str_init(&name, STR_MAX_TEXT);
    if (key->type == VALUE_STR)
        str_puts(&name, key->u.str.s);
    else if (key->type == VALUE_LIST || key->type == VALUE_MAP)
        ps->why = "a key that is a list or a map";
    else
        json_write(key, JSON_LINE, &name);
    value_map_set(ps->a, map, name.buf, value);
    str_release(&name);
}

static struct value *parse_braces(struct parser *ps)
{
    struct value *map = value_map(ps->a), *key, *value;
    bool comma;

    while (!take(ps, '}')) {
        key = parse_item(ps);
        if (!key)
            return NULL;
        if (!take(ps, ':')) {
            if (map->u.map.n || (!take(ps, ',') && peek(ps, 0) != '}'))
                return NULL;
            return parse_items(ps, '}', &comma) ? refuse(ps, "a set") : NULL;
        }
        value = parse_item(ps);
        if (!value)
            return NULL;
        set_key(ps, map, key, value);
        if (!take(ps, ','))
            return take(ps, '}') ? map : NULL;
    }
    return map;
}

static struct value *parse_word(struct parser *ps)
{
    const char *start = ps->p;
    size_t len;

    while (is_name_char(peek(ps, 0)))
        ps->p++;
    len = (size_t)(ps->p - start);
    if (len == 4 && memcmp(start, "True", len) == 0)
        return value_bool(ps->a, true);
    if (len == 5 && memcmp(start, "False", len) == 0)
        return value_bool(ps->a, false);
    if (len == 3 && memcmp(start, "set", len) == 0)
        return take(ps, '(') && take(ps, ')') ? refuse(ps, "a set") : NULL;
    return len == 4 && memcmp(start, "None", len) == 0 ? value_null(ps->a) : NULL;
}

static struct value *parse_atom(struct parser *ps)
{
    bool raw, comma;
    char c;

    skip_blanks(ps);
    c = peek(ps, 0);
    if (string_prefix(ps, &raw, &comma) >= 0)
        return parse_strings(ps);
    if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)peek(ps, 1))))
        return parse_sum(ps, parse_number(ps, false));
    if (take(ps, '[')) {
        return parse_items(ps, ']', &comma);
    } else if (take(ps, '(')) {
        return parse_parentheses(ps);
    } else if (take(ps, '{')) {
        return parse_braces(ps);
    } else if (take(ps, '-') || take(ps, '+')) {
        skip_blanks(ps);
        return parse_sum(ps, parse_number(ps, c == '-'));
    }
    return parse_word(ps);
}

static struct value *parse_item(struct parser *ps)
{
    struct value *v;

    if (ps->depth == LITERAL_MAX_DEPTH) {
        ps->too_deep = true;
        return NULL;
    }
    ps->depth++;
    v = parse_atom(ps);
    ps->depth--;
    return v;
}

/* 1, 2 is a tuple without parentheses. */
static struct value *parse_top(struct parser *ps)
{
    struct value *v = parse_item(ps), *tuple;

    if (!v || !take(ps, ','))
        return v;
    tuple = value_list(ps->a);
    value_list_add(ps->a, tuple, v);
    for (skip_blanks(ps); ps->p < ps->end && *ps->p != '#'; skip_blanks(ps)) {
        v = parse_item(ps);
        if (!v)
            return NULL;
        value_list_add(ps->a, tuple, v);
        if (!take(ps, ','))
            break;
    }
    return tuple;
}

enum literal literal_parse(struct arena *a, const char *text, size_t len, struct value **out,
                           const char **why)
{
    struct parser ps = {.a = a, .p = text, .end = text + len};

    *out = parse_top(&ps);
    skip_blanks(&ps);
    if (ps.too_deep) {
        *why = "nested deeper than 64 levels";
        return LITERAL_REFUSED;
    }
    if (!*out || (ps.p < ps.end && *ps.p != '#'))
        return LITERAL_TEXT;
    *why = ps.why;
    return ps.why ? LITERAL_REFUSED : LITERAL_VALUE;
}

/* ---- writing ---- */

/* Characters at which Python's splitlines ends a line, and controls, go as escapes. */
static void write_code(uint32_t code, const char *bytes, size_t n, struct str *out)
{
    if (code == '\'' || code == '\\')
        str_printf(out, "\\%c", (char)code);
    else if (code == '\n')
        str_puts(out, "\\n");
    else if (code < 0x20 || (code >= 0x7f && code < 0xa0))
        str_printf(out, "\\x%02" PRIx32, code);
    else if (code == 0x2028 || code == 0x2029)
        str_printf(out, "\\u%04" PRIx32, code);
    else
        str_add(out, bytes, n);
}

static void write_string(const char *s, size_t len, struct str *out)
{
    size_t n;

    str_putc(out, '\'');
    for (; len > 0; s += n, len -= n) {
        uint32_t code;

        n = utf8_decode(s, len, &code);
        write_code(code, s, n, out);
    }
    str_putc(out, '\'');
}

static int write_float(double f, struct str *out, struct err *err)
{
    struct value v = {.type = VALUE_FLOAT, .u.f = f};

    if (isnan(f))
        return err_set(err, ERR_INPUT, "'not a number' has no Python literal");
    if (isinf(f))
        str_puts(out, f < 0 ? "-1e999" : "1e999");
    else
        json_write(&v, JSON_LINE, out);
    return 0;
}

static int write_list(const struct value *v, struct str *out, struct err *err)
{
    str_putc(out, '[');
    for (size_t i = 0; i < v->u.list.n; i++) {
        str_puts(out, i ? ", " : "");
        if (literal_write(v->u.list.items[i], out, err) < 0)
            return -1;
    }
    str_putc(out, ']');
    return 0;
}

static int write_map(const struct value *v, struct str *out, struct err *err)
{
    str_putc(out, '{');
    for (size_t i = 0; i < v->u.map.n; i++) {
        const struct value_entry *entry = &v->u.map.entries[i];

        str_puts(out, i ? ", " : "");
        write_string(entry->key, strlen(entry->key), out);
        str_puts(out, ": ");
        if (literal_write(entry->value, out, err) < 0)
            return -1;
    }
    str_putc(out, '}');
    return 0;
}

int literal_write(const struct value *v, struct str *out, struct err *err)
{
    switch (v->type) {
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
        return write_float(v->u.f, out, err);
    case VALUE_STR:
        write_string(v->u.str.s, v->u.str.len, out);
        return 0;
    case VALUE_LIST:
        return write_list(v, out, err);
    case VALUE_MAP:
        return write_map(v, out, err);
    case VALUE_UNDEFINED:
    case VALUE_OBJECT:
        break;
    }
    BUG("%s in an inventory", value_type_name(v->type));
}
