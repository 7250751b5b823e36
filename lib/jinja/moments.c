/*
 * moments.c - datetime and timedelta, written and calculated with; time_read.c reads them.
 */
#include "lib/jinja/moments.h"

static int64_t floor_of(int64_t a, int64_t by)
{
    return a / by - (a % by < 0);
}

static struct tm clock_of(const struct moment *moment)
{
    time_t seconds = floor_of(moment->us, US_PER_SECOND);
    struct tm tm = {.tm_mday = 1};

    gmtime_r(&seconds, &tm);
    return tm;
}

static int64_t fraction_of(const struct moment *moment)
{
    return moment->us - floor_of(moment->us, US_PER_SECOND) * US_PER_SECOND;
}

static int64_t point_part(const struct moment *moment, const char *key)
{
    struct tm tm = clock_of(moment);

    return str_eq(key, "year")          ? tm.tm_year + 1900
           : str_eq(key, "month")       ? tm.tm_mon + 1
           : str_eq(key, "day")         ? tm.tm_mday
           : str_eq(key, "hour")        ? tm.tm_hour
           : str_eq(key, "minute")      ? tm.tm_min
           : str_eq(key, "second")      ? tm.tm_sec
           : str_eq(key, "microsecond") ? fraction_of(moment)
                                        : -1;
}

static enum lookup moment_get(const struct value_object *self, struct arena *a, const char *key,
                              const struct value **out, struct err *err)
{
    const struct moment *moment = self->data;
    int64_t days = floor_of(moment->us, (int64_t)SECONDS_A_DAY * US_PER_SECOND);
    int64_t seconds = floor_of(moment->us, US_PER_SECOND), part;

    UNUSED(err);
    if (!moment->span)
        part = point_part(moment, key);
    else if (str_eq(key, "days"))
        part = days;
    else
        part = str_eq(key, "seconds")        ? seconds - days * SECONDS_A_DAY
               : str_eq(key, "microseconds") ? fraction_of(moment)
                                             : -1;
    if (part == -1 && !str_eq(key, "days"))
        return LOOKUP_MISSING;
    *out = value_int(a, part);
    return LOOKUP_FOUND;
}

static size_t no_members(const struct value_object *self)
{
    UNUSED(self);
    return 0;
}

const struct value *moment_new(struct evaluator *ev, struct moment moment)
{
    struct value_object *object = arena_new(ev->arena, struct value_object);
    struct moment *kept = arena_new(ev->arena, struct moment);
    struct value *v = arena_new(ev->arena, struct value);

    *kept = moment;
    *object = (struct value_object){.get = moment_get, .count = no_members, .data = kept};
    v->type = VALUE_OBJECT;
    v->u.object = object;
    return v;
}

const struct moment *moment_of(const struct value *v)
{
    return v->type == VALUE_OBJECT && v->u.object->get == moment_get ? v->u.object->data : NULL;
}

void moment_put(const struct moment *moment, struct str *out)
{
    int64_t days = floor_of(moment->us, (int64_t)SECONDS_A_DAY * US_PER_SECOND);
    struct tm tm = clock_of(moment);

    if (!moment->span)
        str_printf(out, "%04d-%02d-%02d ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    else if (days != 0)
        str_printf(out, "%lld day%s, ", (long long)days, days == 1 || days == -1 ? "" : "s");
    str_printf(out, moment->span ? "%d:%02d:%02d" : "%02d:%02d:%02d", tm.tm_hour, tm.tm_min,
               tm.tm_sec);
    if (fraction_of(moment) != 0)
        str_printf(out, ".%06lld", (long long)fraction_of(moment));
}

/* From the year 1 to 9999. */
static bool in_calendar(const struct moment *moment)
{
    int64_t seconds = floor_of(moment->us, US_PER_SECOND);

    return moment->span || (seconds >= -62135596800 && seconds <= 253402300799);
}

bool moments_combine(enum operator op, const struct moment *a, const struct moment *b)
{
    return a && b &&
           ((op == OP_ADD && (a->span || b->span)) || (op == OP_SUBTRACT && (b->span || !a->span)));
}

const struct value *moment_binary(struct evaluator *ev, enum operator op, const struct moment *a,
                                  const struct moment *b)
{
    bool adds = op == OP_ADD;
    struct moment result = {.span = a->span == b->span && (a->span || !adds)};
    bool over;

    over = adds ? __builtin_add_overflow(a->us, b->us, &result.us)
                : __builtin_sub_overflow(a->us, b->us, &result.us);
    return over || !in_calendar(&result) ? ev_fail(ev, "date value out of range")
                                         : moment_new(ev, result);
}

/* ---- strftime ------------------------------------------------------------------------------- */

static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

/* What other directives are made of. */
static const struct {
    char name;
    const char *format;
} made_of[] = {{'D', "%m/%d/%y"}, {'F', "%Y-%m-%d"},    {'R', "%H:%M"},
               {'T', "%H:%M:%S"}, {'X', "%H:%M:%S"},    {'c', "%a %b %e %H:%M:%S %Y"},
               {'h', "%b"},       {'r', "%I:%M:%S %p"}, {'x', "%m/%d/%y"},
               {'n', "\n"},       {'t', "\t"}};

/* The week of the year as ISO 8601 has it; its year may be another one. */
static int iso_week(const struct tm *tm, int *year)
{
    int thursday = tm->tm_yday + 3 - (tm->tm_wday + 6) % 7;
    bool leap;

    *year = tm->tm_year + 1900 - (thursday < 0);
    leap = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0;
    if (thursday < 0)
        return (thursday + 365 + leap) / 7 + 1;
    if (thursday >= 365 + leap) {
        *year += 1;
        return 1;
    }
    return thursday / 7 + 1;
}

/* Digits of a directive; *width as many as there are at least, *fill what comes before them. */
static bool number_of(char name, const struct tm *tm, long long *number, int *width, char *fill)
{
    int hour = (tm->tm_hour + 11) % 12 + 1, year, week = iso_week(tm, &year);
    const struct {
        char name, fill;
        int width;
        long long number;
    } numbers[] = {{'C', '0', 2, (tm->tm_year + 1900) / 100},
                   {'G', '0', 4, year},
                   {'H', '0', 2, tm->tm_hour},
                   {'I', '0', 2, hour},
                   {'M', '0', 2, tm->tm_min},
                   {'S', '0', 2, tm->tm_sec},
                   {'U', '0', 2, (tm->tm_yday + 7 - tm->tm_wday) / 7},
                   {'V', '0', 2, week},
                   {'W', '0', 2, (tm->tm_yday + 7 - (tm->tm_wday + 6) % 7) / 7},
                   {'Y', '0', 1, tm->tm_year + 1900},
                   {'d', '0', 2, tm->tm_mday},
                   {'e', ' ', 2, tm->tm_mday},
                   {'g', '0', 2, year % 100},
                   {'j', '0', 3, tm->tm_yday + 1},
                   {'k', ' ', 2, tm->tm_hour},
                   {'l', ' ', 2, hour},
                   {'m', '0', 2, tm->tm_mon + 1},
                   {'u', '0', 1, (tm->tm_wday + 6) % 7 + 1},
                   {'w', '0', 1, tm->tm_wday},
                   {'y', '0', 2, (tm->tm_year + 1900) % 100}};

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (numbers[i].name != name)
            continue;
        *number = numbers[i].number;
        *width = numbers[i].width;
        *fill = numbers[i].fill;
        return true;
    }
    return false;
}

static bool put_word(struct str *out, char name, const struct tm *tm)
{
    long offset = tm->tm_gmtoff < 0 ? -tm->tm_gmtoff : tm->tm_gmtoff;

    if (name == 'a' || name == 'A')
        str_printf(out, "%.*s", name == 'a' ? 3 : 9, weekdays[tm->tm_wday]);
    else if (name == 'b' || name == 'B')
        str_printf(out, "%.*s", name == 'b' ? 3 : 9, months[tm->tm_mon]);
    else if (name == 'p' || name == 'P')
        str_puts(out, tm->tm_hour < 12 ? (name == 'p' ? "AM" : "am") : name == 'p' ? "PM" : "pm");
    else if (name == 'z' && tm->tm_zone)
        str_printf(out, "%c%02ld%02ld", tm->tm_gmtoff < 0 ? '-' : '+', offset / 3600,
                   offset / 60 % 60);
    else if (name == 'Z')
        str_puts(out, tm->tm_zone ? tm->tm_zone : "");
    else if (name == '%')
        str_putc(out, '%');
    else
        return name == 'z';
    return true;
}

static const char *format_of(char name)
{
    for (size_t i = 0; i < ARRAY_LEN(made_of); i++)
        if (made_of[i].name == name)
            return made_of[i].format;
    return NULL;
}

/* One directive, whose flag (0: none) is one of -, _ and 0. */
static int put_directive(struct evaluator *ev, struct str *out, char name, char flag,
                         const struct tm *tm, int64_t us)
{
    const char *format = flag ? NULL : format_of(name);
    long long number;
    int width;
    char fill;

    if (format)
        return time_put(ev, out, format, tm, us);
    if (name == 's' && !flag) {
        struct tm copy = *tm;

        str_printf(out, "%lld", (long long)mktime(&copy));
        return 0;
    }
    if (name == 'f' && us >= 0 && !flag) {
        str_printf(out, "%06lld", (long long)us);
        return 0;
    }
    if (number_of(name, tm, &number, &width, &fill)) {
        fill = flag == '_' ? ' ' : flag == '0' ? '0' : fill;
        str_printf(out, fill == ' ' ? "%*lld" : "%0*lld", flag == '-' ? 1 : width, number);
        return 0;
    }
    if (!flag && put_word(out, name, tm))
        return 0;
    return ev_error(ev, "strftime: '%%%c' is not supported here", name ? name : '?');
}

int time_put(struct evaluator *ev, struct str *out, const char *format, const struct tm *tm,
             int64_t us)
{
    for (const char *p = format; *p; p++) {
        char flag = 0;

        if (*p != '%') {
            str_putc(out, *p);
            continue;
        }
        if (p[1] && strchr("-_0", p[1]))
            flag = *++p;
        if (put_directive(ev, out, p[1], flag, tm, us) < 0)
            return -1;
        p++;
    }
    return 0;
}
