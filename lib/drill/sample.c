/* sample.c - from single attempts to gaps, percentiles and slots. */
#include "lib/drill/sample.h"

#include <stdio.h>

void sample_release(struct sample_series *s)
{
    vec_release(&s->samples);
}

int sample_add(struct sample_series *s, bool connect, bool answered, int64_t start_us,
               int64_t end_us)
{
    int64_t took = end_us - start_us;
    struct sample sample = {.start_us = start_us,
                            .took_us = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took,
                            .connect = connect,
                            .answered = answered};

    if (s->samples.n == SAMPLE_MAX)
        return -1;
    vec_push(&s->samples, sample);
    return 0;
}

/* libpq puts the address in front of what the server said: every client of a channel has the same.
 */
static const char *without_address(const char *text)
{
    const char *said = strstr(text, "connection to server at ");

    said = said ? strstr(said, " failed: ") : NULL;
    return said ? said + strlen(" failed: ") : text;
}

static void add_text(struct sample_texts *t, const struct sample_text *told)
{
    for (size_t i = 0; i < t->n; i++)
        if (str_eq(t->items[i].sqlstate, told->sqlstate) && str_eq(t->items[i].text, told->text)) {
            t->items[i].count += told->count;
            return;
        }
    if (t->n == SAMPLE_MAX_TEXTS)
        t->others += told->count;
    else
        t->items[t->n++] = *told;
}

void sample_tell(struct sample_texts *t, const char *sqlstate, const char *text)
{
    struct sample_text told = {.count = 1};

    snprintf(told.sqlstate, sizeof(told.sqlstate), "%s", sqlstate);
    snprintf(told.text, sizeof(told.text), "%s", without_address(text));
    add_text(t, &told);
}

void sample_merge(struct sample_texts *t, const struct sample_texts *more)
{
    for (size_t i = 0; i < more->n; i++)
        add_text(t, &more->items[i]);
    t->others += more->others;
}

/* ---- gaps ---- */

typedef VEC(int64_t) times;

struct gap {
    int64_t from_us, to_us;
};

static int64_t sample_end(const struct sample *s)
{
    return s->start_us + s->took_us;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void add_answers(const struct sample_series *series, times *answers)
{
    vec_each (s, &series->samples)
        if (s->answered && !s->connect)
            vec_push(answers, sample_end(s));
}

/* answers are sorted. */
static struct gap longest_gap(const int64_t *answers, size_t n, int64_t fault_us, int64_t end_us)
{
    struct gap longest = {0, 0};
    int64_t from = 0;

    for (size_t i = 0; i <= n; i++) {
        int64_t to = i < n ? answers[i] : end_us;

        if (to >= fault_us && to - from > longest.to_us - longest.from_us)
            longest = (struct gap){from, to};
        from = to;
    }
    return longest;
}

static double to_ms(int64_t us)
{
    return (double)us / 1000;
}

static void put_slots(const times *answers, int64_t end_us, struct drill_channel *out)
{
    const int64_t slot_us = (int64_t)DRILL_SLOT_MS * 1000;
    int64_t last_us = answers->n && answers->items[answers->n - 1] > end_us
                          ? answers->items[answers->n - 1]
                          : end_us;

    for (int64_t i = 0; i <= last_us / slot_us; i++)
        vec_push(&out->slots, 0);
    vec_each (answer, answers)
        out->slots.items[*answer / slot_us]++;
}

/* ---- percentiles ---- */

static enum drill_phase phase_of(const struct sample *s, int64_t fault_us, const struct gap *gap)
{
    if (fault_us < 0 || sample_end(s) < fault_us)
        return DRILL_BEFORE;
    return s->start_us <= gap->to_us ? DRILL_DURING : DRILL_AFTER;
}

/* took is sorted. The nearest rank: the smallest value that p percent are not above. */
static double percentile(const times *took, size_t p)
{
    size_t rank = (took->n * p + 99) / 100;

    return to_ms(took->items[rank - 1]);
}

static void put_times(times *took, struct drill_times *out)
{
    *out = (struct drill_times){.n = took->n};
    if (!took->n)
        return;
    qsort(took->items, took->n, sizeof(*took->items), by_time);
    out->p50 = percentile(took, 50);
    out->p95 = percentile(took, 95);
    out->p99 = percentile(took, 99);
    out->longest = percentile(took, 100);
}

static void put_phases(const struct sample_series *const *series, size_t n, int64_t fault_us,
                       const struct gap *gap, struct drill_channel *out)
{
    times took[2][DRILL_PHASES] = {0};

    for (size_t i = 0; i < n; i++)
        vec_each (s, &series[i]->samples)
            if (s->answered)
                vec_push(&took[s->connect][phase_of(s, fault_us, gap)], s->took_us);
    for (int phase = 0; phase < DRILL_PHASES; phase++) {
        put_times(&took[false][phase], &out->answers[phase]);
        put_times(&took[true][phase], &out->connects[phase]);
        vec_release(&took[false][phase]);
        vec_release(&took[true][phase]);
    }
}

void sample_figures(const struct sample_series *const *series, size_t n, int64_t fault_us,
                    int64_t end_us, struct drill_channel *out)
{
    times answers = VEC_INIT;
    struct gap gap;

    out->clients = n;
    out->answered = out->failed = 0;
    out->client_gap_ms = 0;
    for (size_t i = 0; i < n; i++) {
        size_t before = answers.n;
        double own_ms;

        add_answers(series[i], &answers);
        gap = longest_gap(answers.items + before, answers.n - before, fault_us, end_us);
        own_ms = to_ms(gap.to_us - gap.from_us);
        if (own_ms > out->client_gap_ms)
            out->client_gap_ms = own_ms;
        vec_each (s, &series[i]->samples)
            out->failed += !s->answered;
    }
    if (answers.n)
        qsort(answers.items, answers.n, sizeof(*answers.items), by_time);
    out->answered = answers.n;
    gap = longest_gap(answers.items, answers.n, fault_us, end_us);
    out->gap_ms = to_ms(gap.to_us - gap.from_us);
    out->gap_from_ms = to_ms(gap.from_us);
    put_slots(&answers, end_us, out);
    put_phases(series, n, fault_us, &gap, out);
    vec_release(&answers);
}
