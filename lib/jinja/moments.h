/*
 * moments.h - points in time and spans between them: Python's datetime, without a time zone, and
 * timedelta. They are objects of one rendering and cannot leave it. Private to lib/jinja.
 */
#ifndef PGHA_JINJA_MOMENTS_H
#define PGHA_JINJA_MOMENTS_H

#include <time.h>

#include "lib/jinja/eval.h"

struct moment {
    bool span;  /* a timedelta */
    int64_t us; /* microseconds, of a point in time since 1970 by its own clock */
};

const struct value *moment_new(struct evaluator *ev, struct moment moment);
const struct moment *moment_of(const struct value *v); /* NULL: another value */
/* str(): 2024-01-02 03:04:05, 1 day, 0:00:00 */
void moment_put(const struct moment *moment, struct str *out);
/* + and - make sense of these; either may be NULL. */
bool moments_combine(enum operator op, const struct moment *a, const struct moment *b);
/* NULL: out of range. */
const struct value *moment_binary(struct evaluator *ev, enum operator op, const struct moment *a,
                                  const struct moment *b);
/* As strftime(3) of the C locale. us < 0: %f is no directive. -1: an unknown one. */
int time_put(struct evaluator *ev, struct str *out, const char *format, const struct tm *tm,
             int64_t us);
/* Of strptime(). NULL failed. */
const struct value *time_read(struct evaluator *ev, const char *text, const char *format);

#define US_PER_SECOND 1000000
#define SECONDS_A_DAY 86400

#endif
