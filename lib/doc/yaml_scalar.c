/*
 * yaml_scalar.c - the type of an unquoted scalar, by the patterns of PyYAML's resolver.py
 * (YAML 1.1, https://yaml.org/type/), and its value by its constructor.py.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>

#include "lib/doc/yaml.h"

#define DIGITS "0123456789"

enum form {
    FORM_STR,
    FORM_NULL,
    FORM_TRUE,
    FORM_FALSE,
    FORM_INT,
    FORM_FLOAT,
    FORM_OTHER /* a type that we read as a string: timestamp, "<<", "=" */
};

static bool is_one_of(const char *text, const char *const *words)
{
    while (*words && !str_eq(text, *words))
        words++;
    return *words != NULL;
}

static size_t sign_length(const char *p)
{
    return *p == '-' || *p == '+';
}

/* Past all of ":[0-5]?[0-9]", the further places of a number to the base 60. */
static const char *skip_sixties(const char *p)
{
    while (*p == ':') {
        const char *digits = p + 1;

        if (*digits >= '0' && *digits <= '5' && isdigit((unsigned char)digits[1]))
            digits++;
        if (!isdigit((unsigned char)*digits))
            break;
        p = digits + 1;
    }
    return p;
}

/* Not empty, and nothing but these. */
static bool is_all_of(const char *p, const char *set)
{
    return *p && p[strspn(p, set)] == '\0';
}

static bool is_int(const char *p)
{
    p += sign_length(p);
    if (p[0] == '0' && p[1] == 'b')
        return is_all_of(p + 2, "01_");
    if (p[0] == '0' && p[1] == 'x')
        return is_all_of(p + 2, DIGITS "abcdefABCDEF_");
    if (p[0] == '0')
        return is_all_of(p, "01234567_");
    if (!isdigit((unsigned char)*p))
        return false;
    return *skip_sixties(p + strspn(p, DIGITS "_")) == '\0';
}

static bool is_exponent_or_end(const char *p)
{
    if (*p == 'e' || *p == 'E')
        return (p[1] == '-' || p[1] == '+') && is_all_of(p + 2, DIGITS);
    return *p == '\0';
}

static bool is_float(const char *text)
{
    static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL};
    static const char *const not_numbers[] = {".nan", ".NaN", ".NAN", NULL};
    const char *p = text + sign_length(text), *after;

    if (is_one_of(p, infinities) || is_one_of(text, not_numbers))
        return true;
    if (text[0] == '.' && isdigit((unsigned char)text[1]))
        return is_exponent_or_end(text + 1 + strspn(text + 1, DIGITS "_"));
    if (!isdigit((unsigned char)*p))
        return false;
    p += strspn(p, DIGITS "_");
    after = skip_sixties(p);
    if (*after != '.')
        return false;
    p = after == p ? NULL : after; /* to the base 60 there is no exponent */
    after += 1 + strspn(after + 1, DIGITS "_");
    return p ? *after == '\0' : is_exponent_or_end(after);
}

/* Past as many digits as the range allows; NULL when there are fewer. */
static const char *skip_digits(const char *p, size_t least, size_t most)
{
    size_t n = strspn(p, DIGITS);

    if (n > most)
        n = most;
    return n < least ? NULL : p + n;
}

static const char *skip_char(const char *p, const char *set)
{
    return p && *p && strchr(set, *p) ? p + 1 : NULL;
}

/* "Z", "+1", "-01:30", with blanks before; or nothing. */
static bool is_zone_or_end(const char *p)
{
    const char *zone = p + strspn(p, " \t");

    if (*p == '\0')
        return true;
    if (*zone == 'Z')
        return zone[1] == '\0';
    zone = skip_char(zone, "+-");
    zone = zone ? skip_digits(zone, 1, 2) : NULL;
    if (zone && *zone == ':')
        zone = skip_digits(zone + 1, 2, 2);
    return zone && *zone == '\0';
}

static bool is_time(const char *p)
{
    if (*p == 'T' || *p == 't')
        p++;
    else if (*p == ' ' || *p == '\t')
        p += strspn(p, " \t");
    else
        return false;
    p = skip_digits(p, 1, 2);
    for (int i = 0; i < 2 && p; i++) {
        p = skip_char(p, ":");
        p = p ? skip_digits(p, 2, 2) : NULL;
    }
    if (p && *p == '.')
        p += 1 + strspn(p + 1, DIGITS);
    return p && is_zone_or_end(p);
}

static bool is_timestamp(const char *text)
{
    const char *p = skip_digits(text, 4, 4), *month, *day;

    p = skip_char(p, "-");
    month = p ? skip_digits(p, 1, 2) : NULL;
    day = skip_char(month, "-");
    day = day ? skip_digits(day, 1, 2) : NULL;
    if (!day)
        return false;
    if (*day == '\0') /* without a time both must have two digits */
        return day - text == (ptrdiff_t)strlen("2026-01-31");
    return is_time(day);
}

static enum form form_of(const char *text)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"yes",  "Yes", "YES", "true", "True",
                                        "TRUE", "on",  "On",  "ON",   NULL};
    static const char *const falses[] = {"no",    "No",  "NO",  "false", "False",
                                         "FALSE", "off", "Off", "OFF",   NULL};

    if (is_one_of(text, nulls))
        return FORM_NULL;
    if (is_one_of(text, trues))
        return FORM_TRUE;
    if (is_one_of(text, falses))
        return FORM_FALSE;
    if (is_int(text))
        return FORM_INT;
    if (is_float(text))
        return FORM_FLOAT;
    if (str_eq(text, "<<") || str_eq(text, "=") || is_timestamp(text))
        return FORM_OTHER;
    return FORM_STR;
}

/* False when there are no digits, or it needs more than 64 bits. */
static bool unsigned_value(const char *p, int base, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(p, &end, base);
    return isxdigit((unsigned char)*p) && *end == '\0' && errno == 0;
}

static bool sixties_value(char *text, uint64_t *out)
{
    char *rest = text, *part;

    *out = 0;
    while ((part = strsep(&rest, ":"))) {
        uint64_t value;

        if (!unsigned_value(part, 10, &value) || __builtin_mul_overflow(*out, 60, out) ||
            __builtin_add_overflow(*out, value, out))
            return false;
    }
    return true;
}

/* text has no underscores any more. False when it does not fit in 64 bits. */
static bool int_value(char *text, int64_t *out)
{
    bool negative = *text == '-', ok;
    char *p = text + sign_length(text);
    uint64_t value;

    if (p[0] == '0' && p[1] == 'b')
        ok = unsigned_value(p + 2, 2, &value);
    else if (p[0] == '0' && p[1] == 'x')
        ok = unsigned_value(p + 2, 16, &value);
    else if (p[0] == '0')
        ok = unsigned_value(p, 8, &value);
    else
        ok = sixties_value(p, &value);
    if (!ok || value > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static double float_value(char *text)
{
    double sign = *text == '-' ? -1.0 : 1.0, value = 0;
    char *rest = text + sign_length(text), *part;

    if (rest[0] == '.' && isalpha((unsigned char)rest[1]))
        return rest[1] == 'i' || rest[1] == 'I' ? sign * INFINITY : (double)NAN;
    while ((part = strsep(&rest, ":")))
        value = value * 60 + strtod(part, NULL);
    return sign * value;
}

static char *without_underscores(const char *text, size_t len)
{
    char *copy = xmalloc(len + 1), *end = copy;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '_')
            *end++ = text[i];
    }
    *end = '\0';
    return copy;
}

static struct value *number(struct arena *a, enum form form, const char *text, size_t len)
{
    char *digits = without_underscores(text, len);
    struct value *v;
    int64_t i;

    if (form == FORM_FLOAT)
        v = value_float(a, float_value(digits));
    else if (int_value(digits, &i))
        v = value_int(a, i);
    else
        v = value_strn(a, text, len);
    free(digits);
    return v;
}

struct value *yaml_scalar(struct arena *a, const char *text, size_t len)
{
    struct value *v = value_strn(a, text, len); /* the forms are told from a terminated text */
    enum form form = memchr(text, '\0', len) ? FORM_STR : form_of(v->u.str.s);

    switch (form) {
    case FORM_NULL:
        return value_null(a);
    case FORM_TRUE:
    case FORM_FALSE:
        return value_bool(a, form == FORM_TRUE);
    case FORM_INT:
    case FORM_FLOAT:
        return number(a, form, text, len);
    case FORM_STR:
    case FORM_OTHER:
        break;
    }
    return v;
}

bool yaml_reads_as_string(const char *text, size_t len)
{
    char *copy = xstrndup(text, len);
    bool is_string = memchr(text, '\0', len) || form_of(copy) == FORM_STR;

    free(copy);
    return is_string;
}
