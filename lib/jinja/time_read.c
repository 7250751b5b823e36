/*
 * time_read.c - times out of text, as Python's strptime() reads them: each directive takes as much
 * as it may, and gives some of it back where the rest would not fit.
 */
#include <ctype.h>

#include "lib/jinja/moments.h"

#define FORMAT_MAX 256

struct reading {
    struct evaluator *ev;
    const char *end;   /* what is left of the text */
    int64_t part[128]; /* by directive; -1: not given */
};

/* most: digits; from, to: values */
static const struct {
    char name;
    int most, least;
    int64_t from, to;
} numbers[] = {{'H', 2, 1, 0, 23},     {'I', 2, 1, 1, 12},   {'M', 2, 1, 0, 59},
               {'S', 2, 1, 0, 61},     {'Y', 4, 4, 0, 9999}, {'d', 2, 1, 1, 31},
               {'f', 6, 1, 0, 999999}, {'j', 3, 1, 1, 366},  {'m', 2, 1, 1, 12},
               {'y', 2, 2, 0, 99}};

static const char *const months[] = {"january",   "february", "march",    "april",
                                     "may",       "june",     "july",     "august",
                                     "september", "october",  "november", "december"};
static const char *const weekdays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                       "friday", "saturday", "sunday"};
static const char *const halves[] = {"am", "pm"};
static const char *const zones[] = {"utc", "gmt"};

static bool read_on(struct reading *r, const char *format, const char *text);

/* A number, and the rest after it. */
static bool read_number(struct reading *r, size_t row, const char *rest, const char *text)
{
    for (int n = numbers[row].most; n >= numbers[row].least; n--) {
        int64_t number = 0;
        int digits = 0;

        while (digits < n && isdigit((unsigned char)text[digits]))
            number = number * 10 + (text[digits++] - '0');
        if (digits < n || number < numbers[row].from || number > numbers[row].to)
            continue;
        for (int i = n; numbers[row].name == 'f' && i < 6; i++)
            number *= 10;
        r->part[(int)numbers[row].name] = number;
        if (read_on(r, rest, text + n))
            return true;
    }
    if (numbers[row].name == 'd' && *text == ' ' && text[1] >= '1' && text[1] <= '9') {
        r->part['d'] = text[1] - '0';
        return read_on(r, rest, text + 2);
    }
    return false;
}

/* short_len: letters of the words to read, 0: all. */
static bool read_word(struct reading *r, char name, const char *const *words, size_t n,
                      size_t short_len, const char *rest, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = short_len ? short_len : strlen(words[i]);

        if (strncasecmp(text, words[i], len) != 0)
            continue;
        r->part[(int)name] = (int64_t)i;
        return read_on(r, rest, text + len);
    }
    return false;
}

static bool read_directive(struct reading *r, char name, const char *rest, const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (numbers[i].name == name)
            return read_number(r, i, rest, text);
    switch (name) {
    case 'a':
    case 'A':
        return read_word(r, name, weekdays, ARRAY_LEN(weekdays), name == 'a' ? 3 : 0, rest, text);
    case 'b':
    case 'B':
        return read_word(r, name, months, ARRAY_LEN(months), name == 'b' ? 3 : 0, rest, text);
    case 'p':
        return read_word(r, name, halves, ARRAY_LEN(halves), 0, rest, text);
    case 'Z':
        return read_word(r, name, zones, ARRAY_LEN(zones), 0, rest, text);
    default: /* %% */
        return *text == '%' ? read_on(r, rest, text + 1) : false;
    }
}

static bool read_on(struct reading *r, const char *format, const char *text)
{
    size_t blanks = 0;

    if (ev_charge(r->ev, 1) < 0)
        return false;
    for (; *format && *format != '%' && !isspace((unsigned char)*format); format++, text++)
        if (tolower((unsigned char)*format) != tolower((unsigned char)*text))
            return false;
    if (*format == '%')
        return read_directive(r, format[1], format + 2, text);
    if (!*format) {
        r->end = text;
        return true;
    }
    while (isspace((unsigned char)*format))
        format++;
    while (isspace((unsigned char)text[blanks]))
        blanks++;
    for (; blanks > 0; blanks--) {
        if (read_on(r, format, text + blanks))
            return true;
    }
    return false;
}

/* Every directive is known, and given once. */
static int check_format(struct evaluator *ev, const char *format)
{
    bool seen[128] = {false};

    if (strlen(format) > FORMAT_MAX)
        return ev_error(ev, "to_datetime: the format is longer than %d characters", FORMAT_MAX);
    for (const char *p = format; (p = strchr(p, '%')); p += 2) {
        if (!p[1])
            return ev_error(ev, "stray %% in format '%s'", format);
        if (!strchr("HIMSYdfjmyaAbBpZ%", p[1]))
            return ev_error(ev, "to_datetime: '%%%c' is not supported in a format here: %s", p[1],
                            format);
        if (p[1] != '%' && seen[(int)p[1]])
            return ev_error(ev, "to_datetime: '%%%c' is twice in the format '%s'", p[1], format);
        seen[(int)p[1]] = true;
    }
    return 0;
}

static int year_of(const struct reading *r)
{
    if (r->part['y'] >= 0)
        return (int)r->part['y'] + (r->part['y'] < 69 ? 2000 : 1900);
    return r->part['Y'] >= 0 ? (int)r->part['Y'] : 1900;
}

static int hour_of(const struct reading *r)
{
    int hour = (int)r->part['I'] % 12;

    if (r->part['I'] < 0)
        return r->part['H'] >= 0 ? (int)r->part['H'] : 0;
    return r->part['p'] == 1 ? hour + 12 : hour;
}

static int part_or(const struct reading *r, char name, int otherwise)
{
    return r->part[(int)name] >= 0 ? (int)r->part[(int)name] : otherwise;
}

static const struct value *moment_from(struct evaluator *ev, const struct reading *r)
{
    int64_t month = r->part['b'] >= 0   ? r->part['b']
                    : r->part['B'] >= 0 ? r->part['B']
                                        : part_or(r, 'm', 1) - 1;
    struct tm tm = {.tm_year = year_of(r) - 1900, .tm_mon = (int)month, .tm_hour = hour_of(r)};
    struct moment moment = {.span = false};

    tm.tm_mday = part_or(r, 'd', 1);
    tm.tm_min = part_or(r, 'M', 0);
    tm.tm_sec = part_or(r, 'S', 0);
    if (tm.tm_year == -1900)
        return ev_fail(ev, "year 0 is out of range");
    if (tm.tm_sec > 59)
        return ev_fail(ev, "second must be in 0..59");
    if (r->part['j'] >= 0) {
        tm.tm_mon = 0;
        tm.tm_mday = (int)r->part['j'];
        month = -1;
    }
    moment.us = (int64_t)timegm(&tm) * US_PER_SECOND + part_or(r, 'f', 0);
    if (month >= 0 && tm.tm_mon != month)
        return ev_fail(ev, "day is out of range for month");
    return moment_new(ev, moment);
}

const struct value *time_read(struct evaluator *ev, const char *text, const char *format)
{
    struct reading r = {.ev = ev};

    if (check_format(ev, format) < 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(r.part); i++)
        r.part[i] = -1;
    if (!read_on(&r, format, text))
        return ev_fail(ev, "time data '%s' does not match format '%s'", text, format);
    return *r.end ? ev_fail(ev, "unconverted data remains: %s", r.end) : moment_from(ev, &r);
}
