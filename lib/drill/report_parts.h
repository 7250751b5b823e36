/*
 * report_parts.h - what the renderers of a report share: names, judgements, sums, texts.
 */
#ifndef PGHA_REPORT_PARTS_H
#define PGHA_REPORT_PARTS_H

#include "lib/drill/report.h"

extern const char *const drill_outcome_names[]; /* "passed", "failed", "skipped" */
extern const char *const drill_phase_names[];   /* "before", "during", "after" */

/* The text, or "" for NULL. */
const char *drill_text(const char *text);

/* What the gap should not pass: the bound or the user's limit, the shorter one; < 0: neither. */
double drill_allowed_ms(const struct drill_channel *c);
bool drill_is_over(const struct drill_channel *c);
const struct drill_channel *drill_channel_named(const struct drill_result *r, const char *name);

/* The accounts of all members in one: of each figure the largest. */
struct ledger_account drill_largest_account(const struct drill_result *r);

/* Figures of an account that tell of a fault, "lost" first. */
struct drill_count {
    const char *name;
    size_t at; /* offset of the size_t in struct ledger_account */
};
extern const struct drill_count drill_fault_counts[];
extern const size_t drill_fault_counts_n;
size_t drill_count_in(const struct ledger_account *account, const struct drill_count *count);

struct drill_names {
    VEC(const char *) list; /* each once, in the report's order; strings are the report's */
};
void drill_channels_of(const struct drill_report *r, struct drill_names *out);
void drill_scenarios_of(const struct drill_report *r, struct drill_names *out);
/* How many results the scenario has. */
size_t drill_repetitions(const struct drill_report *r, const char *scenario);

/* Of what was not skipped: the gaps of a scenario's channel over the repetitions. */
struct drill_gaps {
    size_t n;
    double median_ms, worst_ms;
    double allowed_ms; /* the shortest of them; < 0: none */
};
struct drill_gaps drill_gaps_of(const struct drill_report *r, const char *scenario,
                                const char *channel);

struct drill_totals {
    size_t outcomes[DRILL_SKIPPED + 1];
    size_t acknowledged, missing;
};
struct drill_totals drill_totals_of(const struct drill_report *r);

/* "12 passed, 1 failed, 2 skipped; none of 184,223 acknowledged writes lost" */
const char *drill_summary(const struct drill_report *r, struct arena *a);
/* "host-lost", with repetitions "host-lost 2". */
const char *drill_title(const struct drill_report *r, const struct drill_result *result,
                        struct arena *a);
const char *drill_count_text(size_t n, struct arena *a);   /* "184,223" */
const char *drill_stamp(int64_t unix_ms, struct arena *a); /* 2026-01-31T12:00:00Z */
const char *drill_date(int64_t unix_ms, struct arena *a);  /* 2026-01-31 12:00:00 UTC */
struct value *drill_ms_value(double ms, struct arena *a);  /* to the microsecond */

#endif
