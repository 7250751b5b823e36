/*
 * eta.h - how long a run is going to take still.
 *
 * There are two things to go by: how long the stages of earlier runs of the same command took, and
 * which share of its steps the stage at hand has done. With neither nothing is said. Pure: times
 * come in as arguments, in milliseconds.
 */
#ifndef PGHA_ETA_H
#define PGHA_ETA_H

#include "lib/base/str.h"
#include "lib/base/vec.h"

#define ETA_MAX_RUNS 5

struct eta_stage {
    char name[24];
    int64_t ms;
};

struct eta_stages {
    VEC(struct eta_stage) list; /* in the order in which they ended */
};

void eta_stages_add(struct eta_stages *stages, const char *name, int64_t ms);
void eta_stages_release(struct eta_stages *stages);
/* What is to be expected after earlier runs, the last one first: its stages, each with the median
 * of what the runs (at most ETA_MAX_RUNS) took for it. expected is to be released. */
void eta_expect(const struct eta_stages *runs, size_t n, struct eta_stages *expected);

struct eta {
    struct eta_stages expected; /* owned; empty when there was no earlier run */
    size_t at, next; /* in expected: the stage at hand (or their number: it is not there), and what
                        may come after it */
    int64_t shown_ms, shown_at_ms; /* eta_smooth; shown_ms -1: nothing */
};

#define ETA_INIT                                                                                   \
    {                                                                                              \
        .shown_ms = -1                                                                             \
    }

void eta_release(struct eta *eta);
void eta_begin_stage(struct eta *eta, const char *name);
/* What is left of the stage, or with *whole of the run; -1: nobody knows. share: of the stage's
 * steps that are done, 0 to 1; 0 is not known either. */
int64_t eta_left(const struct eta *eta, int64_t elapsed_ms, double share, bool *whole);
/* The number to show: it counts down, and moves towards left_ms without jumping. -1 for -1. */
int64_t eta_smooth(struct eta *eta, int64_t left_ms, int64_t now_ms);
/* "about 8 s left", "about 2 min left of converge"; as coarse as such a guess is. stage NULL: of
 * the whole run. */
void eta_put(struct str *out, int64_t left_ms, const char *stage);

#endif
