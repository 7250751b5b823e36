/*
 * filters_number.c - filters on numbers: powers, and sizes as people write them. Those are
 * ansible-core's lib/ansible/module_utils/common/text/formatters.py and Jinja2's filesizeformat.
 */
#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "lib/jinja/eval.h"

static bool is_on(const struct value *v)
{
    return v && jinja_truth(v);
}

/* ---- powers and logarithms ------------------------------------------------------------------ */

/* Both as floating point numbers; otherwise: what an absent second one is. */
static int want_numbers(struct evaluator *ev, const char *what, const struct value *in,
                        const struct value *other, double otherwise, double out[2])
{
    if (!is_number(in) || (other && !is_number(other)))
        return ev_error(ev, "%s() can only be used on numbers", what);
    out[0] = float_of(in);
    out[1] = other ? float_of(other) : otherwise;
    return 0;
}

/* log(base=e) */
static const struct value *filter_log(struct evaluator *ev, const struct value *in,
                                      const struct call *c)
{
    double n[2] = {0};

    if (want_numbers(ev, "log", in, c->arg[0], M_E, n) < 0)
        return NULL;
    if (n[0] <= 0 || n[1] <= 0 || n[1] == 1)
        return ev_fail(ev, "log: math domain error");
    return ev_float(ev, n[1] == 10 ? log10(n[0]) : log(n[0]) / log(n[1]));
}

static const struct value *filter_pow(struct evaluator *ev, const struct value *in,
                                      const struct call *c)
{
    double n[2] = {0}, power;

    if (want_numbers(ev, "pow", in, c->arg[0], 0, n) < 0)
        return NULL;
    power = pow(n[0], n[1]);
    if (isfinite(n[0]) && isfinite(n[1]) && !isfinite(power))
        return ev_fail(ev, "pow: math range error");
    return ev_float(ev, power);
}

/* root(base=2) */
static const struct value *filter_root(struct evaluator *ev, const struct value *in,
                                       const struct call *c)
{
    double n[2] = {0};

    if (want_numbers(ev, "root", in, c->arg[0], 2, n) < 0)
        return NULL;
    if (n[0] < 0 || n[1] == 0)
        return ev_fail(ev, "root: math domain error");
    return ev_float(ev, n[1] == 2 ? sqrt(n[0]) : pow(n[0], 1 / n[1]));
}

/* ---- sizes ---------------------------------------------------------------------------------- */

static const char unit_letters[] = "BKMGTPEZY";
static const char *const unit_names[] = {"",     "kilo", "mega",  "giga", "tera",
                                         "peta", "exa",  "zetta", "yotta"};

/* "MB", "megabyte" in any case, or with bits "Mb", "megabit". letter: which of unit_letters. */
static bool is_unit(const char *unit, const char *letter, bool bits)
{
    const char *kind = bits ? "bit" : "byte";
    char name[16], brief[4];

    if (!unit[1])
        return true;
    snprintf(name, sizeof(name), "%s%s", unit_names[letter - unit_letters], kind);
    snprintf(brief, sizeof(brief), "%.*s%c", letter > unit_letters, letter, bits ? 'b' : 'B');
    return strcasecmp(unit, name) == 0 || str_eq(unit, brief);
}

static const struct value *in_bytes(struct evaluator *ev, double number, const char *unit,
                                    bool bits)
{
    const char *letter = *unit ? strchr(unit_letters, *unit & ~0x20) : unit_letters;

    if (!letter || !*letter || (*unit && !is_unit(unit, letter, bits)))
        return ev_fail(ev, "human_to_bytes() can't interpret the unit '%s'", unit);
    number = rint(ldexp(number, 10 * (int)(letter - unit_letters)));
    if (!float_fits_int(number))
        return ev_fail(ev, "human_to_bytes(): the number is too large");
    return ev_int(ev, (int64_t)number);
}

/* human_to_bytes(default_unit=None, isbits=False): "1.5 MB" is 1572864 */
static const struct value *filter_human_to_bytes(struct evaluator *ev, const struct value *in,
                                                 const struct call *c)
{
    static const char digits[] = "0123456789", blank[] = " \t\n\r\f\v";
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *unit = value_is_str(c->arg[0]) ? c->arg[0]->u.str.s : "", *end;
    const struct value *text = ev_text(ev, in);
    size_t whole, fraction = 0, name;

    if (!text)
        return NULL;
    whole = strspn(text->u.str.s, digits);
    end = text->u.str.s + whole;
    if (*end == '.') {
        fraction = strspn(end + 1, digits);
        end += 1 + fraction;
    }
    name = strspn(end + strspn(end, blank), letters);
    if (name > 0) {
        end += strspn(end, blank);
        unit = arena_strndup(ev->arena, end, name);
        end += name;
    }
    if ((whole == 0 && fraction == 0) || (end > text->u.str.s && end[-1] == '.') ||
        end[strspn(end, blank)])
        return ev_fail(ev, "human_to_bytes() can't interpret '%s'", text->u.str.s);
    return in_bytes(ev, strtod(text->u.str.s, NULL), unit, is_on(c->arg[1]));
}

/* human_readable(isbits=False, unit=None): 1572864 is "1.50 MB" */
static const struct value *filter_human_readable(struct evaluator *ev, const struct value *in,
                                                 const struct call *c)
{
    const char *unit = value_is_str(c->arg[1]) ? c->arg[1]->u.str.s : "";
    bool bits = is_on(c->arg[0]);
    size_t power = strlen(unit_letters) - 1;
    char text[64];
    double size;

    if (!is_number(in))
        return ev_fail(ev, "human_readable() failed on bad input");
    size = float_of(in);
    while (power > 0 && (*unit ? (unit[0] & ~0x20) != unit_letters[power] || unit[1]
                               : size < ldexp(1, 10 * (int)power)))
        power--;
    size = ldexp(size, -10 * (int)power);
    if (fabs(size) > 1e30)
        return ev_fail(ev, "human_readable() can't interpret the input");
    if (power == 0)
        snprintf(text, sizeof(text), "%.2f %s", size, bits ? "bits" : "Bytes");
    else
        snprintf(text, sizeof(text), "%.2f %c%c", size, unit_letters[power], bits ? 'b' : 'B');
    return ev_str(ev, text, strlen(text));
}

/* filesizeformat(binary=False): 1500 is "1.5 kB" */
static const struct value *filter_filesizeformat(struct evaluator *ev, const struct value *in,
                                                 const struct call *c)
{
    bool binary = is_on(c->arg[0]);
    double base = binary ? 1024 : 1000, size, unit = base;
    size_t power = 1;
    char text[400];

    if (!is_number(in))
        return ev_fail(ev, "filesizeformat works on a number, not on %s", python_type(in));
    size = float_of(in);
    if (!isfinite(size))
        return ev_fail(ev, "filesizeformat works on a finite number");
    if (size == 1)
        return value_str(ev->arena, "1 Byte");
    if (size < base) {
        snprintf(text, sizeof(text), "%.0f Bytes", trunc(size));
        return ev_str(ev, text, strlen(text));
    }
    while (power + 1 < ARRAY_LEN(unit_names) && size >= unit * base) {
        unit *= base;
        power++;
    }
    snprintf(text, sizeof(text), "%.1f %c%s", size / unit,
             power == 1 && !binary ? 'k' : unit_letters[power], binary ? "iB" : "B");
    return ev_str(ev, text, strlen(text));
}

static const struct filter rows[] = {
    {"filesizeformat", "binary", 0, 0, filter_filesizeformat, "a number of bytes as 1.5 kB"},
    {"human_readable", "isbits unit", 0, 0, filter_human_readable, "a number of bytes as 1.50 MB"},
    {"human_to_bytes", "default_unit isbits", 0, 0, filter_human_to_bytes,
     "the number of bytes that 1.5 MB or 1.5M is"},
    {"log", "base", 0, 0, filter_log, "the logarithm, natural without a base"},
    {"pow", "exponent", 1, 0, filter_pow, "the number to this power"},
    {"root", "base", 0, 0, filter_root, "the square root, or that of this base"},
};

const struct filter_table filters_number = {rows, ARRAY_LEN(rows)};
