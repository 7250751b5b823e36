/* report.c - the results of a drill: their life, and what the renderers share. */
#include "lib/drill/report.h"

#include "lib/base/clock.h"
#include "lib/drill/report_parts.h"

const char *const drill_outcome_names[] = {"passed", "failed", "skipped"};
const char *const drill_phase_names[] = {"before", "during", "after"};

#define COUNT(name, member)                                                                        \
    {                                                                                              \
        name, offsetof(struct ledger_account, member)                                              \
    }
const struct drill_count drill_fault_counts[] = {
    COUNT("lost", missing),    COUNT("doubled", doubled),   COUNT("reordered", reordered),
    COUNT("altered", altered), COUNT("invented", invented),
};
#undef COUNT
const size_t drill_fault_counts_n = ARRAY_LEN(drill_fault_counts);

void drill_report_init(struct drill_report *r)
{
    *r = (struct drill_report){.arena = ARENA_INIT, .seed = -1};
}

void drill_result_release(struct drill_result *r)
{
    vec_each (c, &r->channels)
        vec_release(&c->slots);
    vec_release(&r->faults);
    vec_release(&r->events);
    vec_release(&r->channels);
    vec_release(&r->copies);
}

void drill_report_release(struct drill_report *r)
{
    vec_each (result, &r->results)
        drill_result_release(result);
    vec_release(&r->results);
    arena_release(&r->arena);
}

bool drill_passed(const struct drill_report *r)
{
    vec_each (result, &r->results)
        if (result->outcome == DRILL_FAILED)
            return false;
    return true;
}

/* ---- channels ---- */

double drill_allowed_ms(const struct drill_channel *c)
{
    if (c->bound_ms < 0 || (c->limit_ms >= 0 && c->limit_ms < c->bound_ms))
        return c->limit_ms;
    return c->bound_ms;
}

bool drill_is_over(const struct drill_channel *c)
{
    double allowed_ms = drill_allowed_ms(c);

    return allowed_ms >= 0 && c->gap_ms > allowed_ms;
}

const struct drill_channel *drill_channel_named(const struct drill_result *r, const char *name)
{
    vec_each (c, &r->channels)
        if (str_eq(c->name, name))
            return c;
    return NULL;
}

/* ---- accounts ---- */

size_t drill_count_in(const struct ledger_account *account, const struct drill_count *count)
{
    size_t n;

    memcpy(&n, (const char *)account + count->at, sizeof(n));
    return n;
}

static void raise_to(size_t *figure, size_t other)
{
    if (*figure < other)
        *figure = other;
}

struct ledger_account drill_largest_account(const struct drill_result *r)
{
    struct ledger_account all = {.missing_writer = -1};

    vec_each (copy, &r->copies) {
        const struct ledger_account *one = &copy->account;

        raise_to(&all.acknowledged, one->acknowledged);
        raise_to(&all.missing, one->missing);
        raise_to(&all.unknown, one->unknown);
        raise_to(&all.unknown_kept, one->unknown_kept);
        raise_to(&all.doubled, one->doubled);
        raise_to(&all.reordered, one->reordered);
        raise_to(&all.altered, one->altered);
        raise_to(&all.invented, one->invented);
    }
    return all;
}

/* ---- names ---- */

static void add_name(struct drill_names *names, const char *name)
{
    vec_each (known, &names->list)
        if (str_eq(*known, name))
            return;
    vec_push(&names->list, name);
}

void drill_channels_of(const struct drill_report *r, struct drill_names *out)
{
    *out = (struct drill_names){VEC_INIT};
    vec_each (result, &r->results)
        vec_each (c, &result->channels)
            add_name(out, c->name);
}

void drill_scenarios_of(const struct drill_report *r, struct drill_names *out)
{
    *out = (struct drill_names){VEC_INIT};
    vec_each (result, &r->results)
        add_name(out, result->scenario);
}

size_t drill_repetitions(const struct drill_report *r, const char *scenario)
{
    size_t n = 0;

    vec_each (result, &r->results)
        n += str_eq(result->scenario, scenario);
    return n;
}

/* ---- figures over repetitions ---- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(const double *sorted, size_t n)
{
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

struct drill_gaps drill_gaps_of(const struct drill_report *r, const char *scenario,
                                const char *channel)
{
    struct drill_gaps gaps = {.allowed_ms = -1};
    VEC(double) all = VEC_INIT;

    vec_each (result, &r->results) {
        const struct drill_channel *c = drill_channel_named(result, channel);
        double allowed_ms = c ? drill_allowed_ms(c) : -1;

        if (!c || result->outcome == DRILL_SKIPPED || !str_eq(result->scenario, scenario))
            continue;
        vec_push(&all, c->gap_ms);
        if (allowed_ms >= 0 && (gaps.allowed_ms < 0 || allowed_ms < gaps.allowed_ms))
            gaps.allowed_ms = allowed_ms;
    }
    if (all.n) {
        qsort(all.items, all.n, sizeof(*all.items), by_size);
        gaps.n = all.n;
        gaps.median_ms = median(all.items, all.n);
        gaps.worst_ms = all.items[all.n - 1];
    }
    vec_release(&all);
    return gaps;
}

struct drill_totals drill_totals_of(const struct drill_report *r)
{
    struct drill_totals totals = {0};

    vec_each (result, &r->results) {
        struct ledger_account account = drill_largest_account(result);

        totals.outcomes[result->outcome]++;
        totals.acknowledged += account.acknowledged;
        totals.missing += account.missing;
    }
    return totals;
}

/* ---- texts ---- */

const char *drill_text(const char *text)
{
    return text ? text : "";
}

const char *drill_count_text(size_t n, struct arena *a)
{
    char digits[32], grouped[48];
    int len = snprintf(digits, sizeof(digits), "%zu", n);
    char *to = grouped;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    return arena_strndup(a, grouped, (size_t)(to - grouped));
}

const char *drill_stamp(int64_t unix_ms, struct arena *a)
{
    char text[32];

    clock_iso8601(unix_ms, text);
    return arena_strdup(a, text);
}

const char *drill_date(int64_t unix_ms, struct arena *a)
{
    const char *stamp = drill_stamp(unix_ms, a);

    return arena_printf(a, "%.10s %.8s UTC", stamp, stamp + 11);
}

const char *drill_title(const struct drill_report *r, const struct drill_result *result,
                        struct arena *a)
{
    if (drill_repetitions(r, result->scenario) < 2)
        return drill_text(result->scenario);
    return arena_printf(a, "%s %d", drill_text(result->scenario), result->repetition);
}

const char *drill_summary(const struct drill_report *r, struct arena *a)
{
    struct drill_totals totals = drill_totals_of(r);
    struct str text;
    const char *summary;

    str_init(&text, STR_MAX_TEXT);
    for (size_t i = 0; i < ARRAY_LEN(totals.outcomes); i++)
        if (totals.outcomes[i] || i == DRILL_PASSED)
            str_printf(&text, "%s%zu %s", i ? ", " : "", totals.outcomes[i],
                       drill_outcome_names[i]);
    if (totals.acknowledged) {
        str_puts(&text, "; ");
        if (totals.missing)
            str_puts(&text, drill_count_text(totals.missing, a));
        else
            str_puts(&text, "none");
        str_printf(&text, " of %s acknowledged writes lost",
                   drill_count_text(totals.acknowledged, a));
    }
    summary = arena_strdup(a, text.buf);
    str_release(&text);
    return summary;
}
