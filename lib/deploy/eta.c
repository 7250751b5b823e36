/* eta.c - how long a run is going to take still. */
#include "lib/deploy/eta.h"

enum {
    LEAST_ELAPSED_MS = 1000, /* before this a share of the steps says nothing about time */
    SMOOTHING_MS = 3000
};

#define LEAST_SHARE 0.05

void eta_stages_add(struct eta_stages *stages, const char *name, int64_t ms)
{
    struct eta_stage stage = {.ms = ms};

    snprintf(stage.name, sizeof(stage.name), "%s", name);
    vec_push(&stages->list, stage);
}

void eta_stages_release(struct eta_stages *stages)
{
    vec_release(&stages->list);
}

/* The stage of that name, from a place on; n of the list when there is none. */
static size_t find(const struct eta_stages *stages, size_t from, const char *name)
{
    while (from < stages->list.n && !str_eq(stages->list.items[from].name, name))
        from++;
    return from < stages->list.n ? from : stages->list.n;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t median(const struct eta_stages *runs, size_t n, const char *name)
{
    int64_t times[ETA_MAX_RUNS] = {0};
    size_t found = 0;

    for (size_t i = 0; i < n && i < ETA_MAX_RUNS; i++) {
        size_t at = find(&runs[i], 0, name);

        if (at < runs[i].list.n)
            times[found++] = runs[i].list.items[at].ms;
    }
    qsort(times, found, sizeof(times[0]), by_size);
    return times[(found - 1) / 2];
}

void eta_expect(const struct eta_stages *runs, size_t n, struct eta_stages *expected)
{
    *expected = (struct eta_stages){VEC_INIT};
    if (n > 0)
        vec_each (stage, &runs[0].list)
            eta_stages_add(expected, stage->name, median(runs, n, stage->name));
}

void eta_release(struct eta *eta)
{
    eta_stages_release(&eta->expected);
    *eta = (struct eta)ETA_INIT;
}

void eta_begin_stage(struct eta *eta, const char *name)
{
    eta->at = find(&eta->expected, eta->next, name);
    if (eta->at < eta->expected.list.n)
        eta->next = eta->at + 1;
    else if (eta->expected.list.n == 0)
        eta->shown_ms = -1; /* what was shown was about another stage */
}

/* What the earlier runs say; a stage that takes a little longer may end at any moment, of one that
 * takes much longer they know nothing. */
static int64_t left_by_past(const struct eta *eta, int64_t elapsed_ms)
{
    int64_t ms;

    if (eta->at >= eta->expected.list.n)
        return -1;
    ms = eta->expected.list.items[eta->at].ms;
    if (elapsed_ms > ms + ms / 2)
        return -1;
    return elapsed_ms < ms ? ms - elapsed_ms : 0;
}

static int64_t left_by_share(int64_t elapsed_ms, double share)
{
    if (elapsed_ms < LEAST_ELAPSED_MS || share < LEAST_SHARE)
        return -1;
    return share < 1 ? (int64_t)((double)elapsed_ms * (1 - share) / share) : 0;
}

int64_t eta_left(const struct eta *eta, int64_t elapsed_ms, double share, bool *whole)
{
    int64_t past = left_by_past(eta, elapsed_ms), steps = left_by_share(elapsed_ms, share), left;

    *whole = eta->expected.list.n > 0;
    /* The further the stage is, the more what is seen counts. */
    if (past >= 0 && steps >= 0)
        left = (int64_t)((1 - share) * (double)past + share * (double)steps);
    else
        left = past >= 0 ? past : steps;
    if (left < 0)
        return -1;
    for (size_t i = eta->next; i < eta->expected.list.n; i++)
        left += eta->expected.list.items[i].ms;
    return left;
}

int64_t eta_smooth(struct eta *eta, int64_t left_ms, int64_t now_ms)
{
    int64_t since = now_ms - eta->shown_at_ms, counted = eta->shown_ms - since;

    if (left_ms < 0 || eta->shown_ms < 0)
        eta->shown_ms = left_ms;
    else
        eta->shown_ms = counted + (left_ms - counted) * since / (since + SMOOTHING_MS);
    if (left_ms >= 0 && eta->shown_ms < 0)
        eta->shown_ms = 0;
    eta->shown_at_ms = now_ms;
    return eta->shown_ms;
}

void eta_put(struct str *out, int64_t left_ms, const char *stage)
{
    int seconds = (int)((left_ms + 999) / 1000);

    if (seconds < 1)
        seconds = 1;
    if (seconds > 90)
        str_printf(out, "about %d min left", (seconds + 30) / 60);
    else if (seconds > 20)
        str_printf(out, "about %d s left", (seconds + 4) / 5 * 5);
    else
        str_printf(out, "about %d s left", seconds);
    if (stage)
        str_printf(out, " of %s", stage);
}
