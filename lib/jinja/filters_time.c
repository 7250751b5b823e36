/*
 * filters_time.c - strftime and to_datetime. The present is in neither: a plan gives the same every
 * time.
 */
#include <math.h>

#include "lib/jinja/moments.h"

/* float(v): of a number, or a text that is one. */
static int seconds_of(struct evaluator *ev, const struct value *v, time_t *out)
{
    char *end = NULL;
    double seconds = v->type == VALUE_STR && v->u.str.len > 0 ? strtod(v->u.str.s, &end)
                     : is_number(v)                           ? float_of(v)
                                                              : NAN;

    if (isnan(seconds) || (end && *end) || fabs(seconds) > 67767976233532799.0)
        return ev_error(ev, "Invalid value for epoch value (%s)",
                        v->type == VALUE_STR ? v->u.str.s : python_type(v));
    *out = (time_t)floor(seconds);
    return 0;
}

/* strftime(second=None, utc=False): the format is what is filtered. */
static const struct value *filter_strftime(struct evaluator *ev, const struct value *in,
                                           const struct call *c)
{
    bool utc = c->arg[1] && jinja_truth(c->arg[1]);
    time_t seconds;
    struct str out;
    struct tm tm;

    if (in->type != VALUE_STR)
        return ev_fail(ev, "strftime works on a format, not on %s", python_type(in));
    if (!c->arg[0] || c->arg[0]->type == VALUE_NULL)
        return ev_fail(ev, "strftime needs the second, for a plan gives the same every time; the "
                           "time it is: `date` in a command, with register");
    if (seconds_of(ev, c->arg[0], &seconds) < 0)
        return NULL;
    if (!(utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm)))
        return ev_fail(ev, "strftime: the second is out of range");
    str_init(&out, JINJA_MAX_OUTPUT);
    if (time_put(ev, &out, in->u.str.s, &tm, -1) < 0) {
        str_release(&out);
        return NULL;
    }
    return ev_take(ev, &out);
}

/* to_datetime(format='%Y-%m-%d %H:%M:%S') */
static const struct value *filter_to_datetime(struct evaluator *ev, const struct value *in,
                                              const struct call *c)
{
    const struct value *format = c->arg[0] ? c->arg[0] : value_str(ev->arena, "%Y-%m-%d %H:%M:%S");

    if (in->type != VALUE_STR || format->type != VALUE_STR)
        return ev_fail(ev, "strptime() argument %d must be str, not %s",
                       in->type == VALUE_STR ? 2 : 1,
                       python_type(in->type == VALUE_STR ? format : in));
    return time_read(ev, in->u.str.s, format->u.str.s);
}

static const struct filter rows[] = {
    {"strftime", "second utc", 0, 0, filter_strftime,
     "the second, which is needed, in the format; in UTC or the time of this machine"},
    {"to_datetime", "format", 0, 0, filter_to_datetime,
     "the point in time that a text is: two of them can be compared and subtracted"},
};

const struct filter_table filters_time = {rows, ARRAY_LEN(rows)};
