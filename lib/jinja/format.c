/*
 * format.c - "%5.2f" % x and "{:>8}".format(x): the flags, widths and conversions that templates
 * use.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/jinja/eval.h"
#include "lib/jinja/unicode.h"

#define WIDTH_MAX 4096

struct spec {
    char fill, align;     /* '<', '>', '^', or 0: the type's own */
    char sign;            /* '+', ' ' or 0 */
    bool alternate;       /* # */
    int width, precision; /* precision -1: none */
    char conversion;      /* s r d x X o f F e E g G; 0: the type's own */
};

static int read_number(struct evaluator *ev, const char **p, int *out)
{
    *out = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++) {
        *out = *out * 10 + (**p - '0');
        if (*out > WIDTH_MAX)
            return ev_error(ev, "format width or precision over %d", WIDTH_MAX);
    }
    return 0;
}

static void put_padded(struct str *out, const struct spec *spec, const char *sign, const char *text,
                       size_t len, bool number)
{
    size_t used = unicode_count(text, len) + strlen(sign);
    size_t gap = (size_t)spec->width > used ? (size_t)spec->width - used : 0;
    char align = spec->align ? spec->align : number ? '>' : '<';
    size_t left = align == '>' ? gap : align == '^' ? gap / 2 : 0;
    bool inside = align == '=';

    for (size_t i = 0; i < left; i++)
        str_putc(out, spec->fill);
    str_puts(out, sign);
    for (size_t i = 0; inside && i < gap; i++)
        str_putc(out, spec->fill);
    str_add(out, text, len);
    for (size_t i = left; !inside && i < gap; i++)
        str_putc(out, spec->fill);
}

static const char *sign_of(const struct spec *spec, bool negative)
{
    return negative ? "-" : spec->sign == '+' ? "+" : spec->sign == ' ' ? " " : "";
}

static void put_integer(struct str *out, const struct spec *spec, int64_t i)
{
    uint64_t magnitude = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    const char *prefix = "";
    char text[WIDTH_MAX + 32], sign[4];
    int precision = spec->precision < 0 ? 1 : spec->precision;

    switch (spec->conversion) {
    case 'x':
        prefix = spec->alternate ? "0x" : "";
        snprintf(text, sizeof(text), "%.*" PRIx64, precision, magnitude);
        break;
    case 'X':
        prefix = spec->alternate ? "0X" : "";
        snprintf(text, sizeof(text), "%.*" PRIX64, precision, magnitude);
        break;
    case 'o':
        prefix = spec->alternate ? "0o" : "";
        snprintf(text, sizeof(text), "%.*" PRIo64, precision, magnitude);
        break;
    default:
        snprintf(text, sizeof(text), "%.*" PRIu64, precision, magnitude);
        break;
    }
    snprintf(sign, sizeof(sign), "%s%s", sign_of(spec, i < 0), prefix);
    put_padded(out, spec, sign, text, strlen(text), true);
}

static void put_float(struct str *out, const struct spec *spec, double f)
{
    char text[WIDTH_MAX + 400], with[8];
    bool negative = __builtin_signbit(f) != 0;

    if (!spec->conversion) {
        value_float_text(negative ? -f : f, text);
    } else {
        snprintf(with, sizeof(with), "%%.*%c", spec->conversion);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof(text), with, spec->precision < 0 ? 6 : spec->precision,
                 negative ? -f : f);
#pragma GCC diagnostic pop
    }
    put_padded(out, spec, sign_of(spec, negative), text, strlen(text), true);
}

static int put_text(struct evaluator *ev, struct str *out, const struct spec *spec,
                    const struct value *v)
{
    struct str text;
    int result;

    str_init(&text, JINJA_MAX_OUTPUT);
    result = spec->conversion == 'r' ? ev_put_repr(ev, &text, v) : ev_put(ev, &text, v);
    if (result == 0) {
        size_t len = spec->precision < 0
                         ? text.len
                         : unicode_offset(text.buf, text.len, (size_t)spec->precision);

        put_padded(out, spec, "", text.buf, len, false);
    }
    str_release(&text);
    return result;
}

static int put_value(struct evaluator *ev, struct str *out, const struct spec *spec,
                     const struct value *v)
{
    if (is_undefined(v))
        return ev_error(ev, "%s", v->u.str.s);
    if (!spec->conversion || strchr("sr", spec->conversion))
        return put_text(ev, out, spec, v);
    if (!is_number(v))
        return ev_error(ev, "%%%c format: a number is required, not %s", spec->conversion,
                        python_type(v));
    if (strchr("fFeEgG", spec->conversion)) {
        put_float(out, spec, float_of(v));
        return 0;
    }
    if (v->type != VALUE_FLOAT) {
        put_integer(out, spec, int_of(v));
        return 0;
    }
    if (spec->conversion != 'd')
        return ev_error(ev, "%%%c format: an integer is required, not float", spec->conversion);
    if (!float_fits_int(v->u.f))
        return ev_error(ev, "integer result out of range (64 bits)");
    put_integer(out, spec, (int64_t)v->u.f);
    return 0;
}

/* ---- % -------------------------------------------------------------------------------------- */

struct percent_args {
    const struct value *values; /* tuple, map, or the one value */
    size_t used;
};

static const struct value *next_argument(struct evaluator *ev, struct percent_args *args)
{
    const struct value *v = args->values;

    if (is_tuple(v)) {
        if (args->used == v->u.list.n)
            return ev_fail(ev, "not enough arguments for format string");
        return v->u.list.items[args->used++];
    }
    if (args->used++ > 0)
        return ev_fail(ev, "not enough arguments for format string");
    return v;
}

/* %(name)s; *p stands after the bracket. */
static const struct value *named_argument(struct evaluator *ev, struct percent_args *args,
                                          const char **p)
{
    const char *end = strchr(*p, ')');
    const struct value *name;

    if (!end)
        return ev_fail(ev, "incomplete format key");
    if (!is_mapping(args->values))
        return ev_fail(ev, "format requires a mapping");
    name = ev_str(ev, *p, (size_t)(end - *p));
    *p = end + 1;
    args->used = 1;
    return name ? ev_item(ev, args->values, name) : NULL;
}

static int read_percent_spec(struct evaluator *ev, const char **p, struct spec *spec)
{
    *spec = (struct spec){.fill = ' ', .align = '>', .precision = -1};
    for (; **p && strchr("-0+ #", **p); (*p)++) {
        if (**p == '-')
            spec->align = '<';
        else if (**p == '0' && spec->align == '>')
            spec->align = '=';
        else if (**p == '#')
            spec->alternate = true;
        else if (**p != '0' && spec->sign != '+')
            spec->sign = **p;
    }
    if (read_number(ev, p, &spec->width) < 0)
        return -1;
    if (**p == '.') {
        (*p)++;
        if (read_number(ev, p, &spec->precision) < 0)
            return -1;
    }
    spec->conversion = **p == 'i' || **p == 'u' ? 'd' : **p;
    if (!**p || !strchr("srdxXofFeEgG", spec->conversion))
        return ev_error(ev, "unsupported format character '%c'", **p ? **p : ' ');
    if (spec->align == '=' && strchr("sr", spec->conversion))
        spec->align = '>';
    spec->fill = spec->align == '=' ? '0' : ' ';
    (*p)++;
    return 0;
}

static int put_percent(struct evaluator *ev, struct str *out, const char **p,
                       struct percent_args *args)
{
    const struct value *v = NULL;
    struct spec spec;

    if (**p == '%') {
        str_putc(out, '%');
        (*p)++;
        return 0;
    }
    if (**p == '(') {
        (*p)++;
        if (!(v = named_argument(ev, args, p)))
            return -1;
    }
    if (read_percent_spec(ev, p, &spec) < 0)
        return -1;
    if (!v && !(v = next_argument(ev, args)))
        return -1;
    return put_value(ev, out, &spec, v);
}

const struct value *ev_percent(struct evaluator *ev, const struct value *format,
                               const struct value *values)
{
    struct percent_args args = {.values = values};
    const char *p = format->u.str.s;
    size_t n = is_tuple(values) ? values->u.list.n : is_mapping(values) ? 0 : 1;
    struct str out;

    str_init(&out, JINJA_MAX_OUTPUT);
    while (*p) {
        size_t plain = strcspn(p, "%");

        str_add(&out, p, plain);
        p += plain;
        if (*p && (p++, ev_charge(ev, 1) < 0 || put_percent(ev, &out, &p, &args) < 0)) {
            str_release(&out);
            return NULL;
        }
    }
    if (args.used < n) {
        str_release(&out);
        return ev_fail(ev, "not all arguments converted during string formatting");
    }
    return ev_take(ev, &out);
}

/* ---- str.format() --------------------------------------------------------------------------- */

struct format_args {
    const struct call *call;
    size_t next; /* of those without a number */
};

static const struct value *field_root(struct evaluator *ev, struct format_args *args,
                                      const char *name, size_t len)
{
    size_t index = args->next;
    const struct value *v;
    char *key;

    if (len > 0 && (name[0] < '0' || name[0] > '9')) {
        key = arena_strndup(ev->arena, name, len);
        v = value_get(args->call->keywords, key);
        return v ? v : ev_fail(ev, "format() misses the argument '%s'", key);
    }
    if (len > 0)
        index = (size_t)strtoul(name, NULL, 10);
    else
        args->next++;
    if (index >= args->call->n_rest)
        return ev_fail(ev, "replacement index %zu out of range for positional args tuple", index);
    return args->call->rest[index];
}

/* [[fill]align][sign][#][0][width][.precision][type] */
static int read_format_spec(struct evaluator *ev, const char **p, struct spec *spec)
{
    *spec = (struct spec){.fill = ' ', .precision = -1};
    if (**p && **p != '}' && (*p)[1] && strchr("<>^=", (*p)[1])) {
        spec->fill = **p;
        spec->align = (*p)[1];
        *p += 2;
    } else if (**p && strchr("<>^=", **p)) {
        spec->align = *(*p)++;
    }
    if (**p && strchr("+- ", **p))
        spec->sign = *(*p)++;
    if (**p == '#') {
        spec->alternate = true;
        (*p)++;
    }
    if (**p == '0' && !spec->align) {
        spec->fill = '0';
        spec->align = '=';
    }
    if (read_number(ev, p, &spec->width) < 0)
        return -1;
    if (**p == '.') {
        (*p)++;
        if (read_number(ev, p, &spec->precision) < 0)
            return -1;
    }
    if (**p && strchr("sdxXofFeEgG", **p))
        spec->conversion = *(*p)++;
    return 0;
}

static int put_field_value(struct evaluator *ev, struct str *out, struct spec *spec,
                           const struct value *v)
{
    bool number = is_number(v) && v->type != VALUE_BOOL;

    if (is_undefined(v))
        return ev_error(ev, "%s", v->u.str.s);
    if (number && !spec->conversion) {
        if (v->type == VALUE_INT)
            spec->conversion = 'd';
        else if (spec->precision >= 0)
            return ev_error(ev, "a format precision needs a conversion: .2f");
        else
            return put_float(out, spec, v->u.f), 0;
    }
    if ((number && spec->conversion == 's') || (v->type == VALUE_STR && spec->align == '='))
        return ev_error(ev, "the format does not fit a value of type '%s'", python_type(v));
    if (v->type == VALUE_FLOAT && strchr("dxXo", spec->conversion))
        return ev_error(ev, "Unknown format code '%c' for object of type 'float'",
                        spec->conversion);
    return put_value(ev, out, spec, v);
}

/* {name}, {0!r}, {:spec}; *p stands after the opening brace. */
static int put_field(struct evaluator *ev, struct str *out, const char **p,
                     struct format_args *args)
{
    size_t len = strcspn(*p, "!:}{.[");
    const struct value *v = field_root(ev, args, *p, len);
    struct spec spec = {.fill = ' ', .precision = -1};
    bool repr = false;

    if (!v)
        return -1;
    *p += len;
    if (**p == '!' && ((*p)[1] == 'r' || (*p)[1] == 's')) {
        repr = (*p)[1] == 'r';
        *p += 2;
    }
    if (**p == ':') {
        (*p)++;
        if (read_format_spec(ev, p, &spec) < 0)
            return -1;
    }
    if (*(*p)++ != '}')
        return ev_error(ev, "unsupported replacement field in a format string");
    if (!repr)
        return put_field_value(ev, out, &spec, v);
    spec.conversion = 'r';
    return put_value(ev, out, &spec, v);
}

static int put_format(struct evaluator *ev, struct str *out, const char *p,
                      struct format_args *args)
{
    while (*p) {
        size_t plain = strcspn(p, "{}");

        str_add(out, p, plain);
        p += plain;
        if (!*p)
            break;
        if (p[1] == p[0]) {
            str_putc(out, p[0]);
            p += 2;
            continue;
        }
        if (*p++ == '}')
            return ev_error(ev, "Single '}' encountered in format string");
        if (ev_charge(ev, 1) < 0 || put_field(ev, out, &p, args) < 0)
            return -1;
    }
    return 0;
}

const struct value *ev_format(struct evaluator *ev, const struct value *format,
                              const struct call *c)
{
    struct format_args args = {.call = c};
    struct str out;

    str_init(&out, JINJA_MAX_OUTPUT);
    if (put_format(ev, &out, format->u.str.s, &args) < 0) {
        str_release(&out);
        return NULL;
    }
    return ev_take(ev, &out);
}
