/*
 * report.h - the results of a drill, and how they are told: a table for the terminal, JSON, JUnit
 * XML, one HTML page; and the comparison of two.
 *
 * Times within a scenario are milliseconds since its clients began. Strings live in the report's
 * arena, or longer.
 */
#ifndef PGHA_REPORT_H
#define PGHA_REPORT_H

#include "lib/base/err.h"
#include "lib/doc/value.h"
#include "lib/drill/ledger.h"

#define DRILL_SLOT_MS 100 /* of drill_channel.slots */

/* The fault: during it is until the first answer. */
enum drill_phase { DRILL_BEFORE, DRILL_DURING, DRILL_AFTER, DRILL_PHASES };

struct drill_times { /* percentiles, ms */
    size_t n;
    double p50, p95, p99, longest;
};

/* What the clients of one address saw. */
struct drill_channel {
    const char *name;    /* "primary", "replicas", "sync", "async", "plain libpq" */
    const char *address; /* "10.77.0.100:5000" */
    size_t clients;
    size_t answered, failed;
    double gap_ms, gap_from_ms; /* longest time without an answer to any client; when it began */
    double client_gap_ms;       /* the longest that a single client waited */
    double bound_ms;            /* that the gap should not pass by the timers; < 0: none */
    double limit_ms;            /* that the user set; < 0: none */
    struct drill_times answers[DRILL_PHASES], connects[DRILL_PHASES];
    VEC(uint32_t) slots; /* answers in each DRILL_SLOT_MS */
};

struct drill_event {
    double at_ms;
    const char *kind; /* "fault", "promoted", "balancer", "write", "healed", "whole" */
    const char *text; /* "db2 is promoted, timeline 4" */
};

/* The ledger against one member's rows. */
struct drill_copy {
    const char *member;
    struct ledger_account account;
};

enum drill_outcome { DRILL_PASSED, DRILL_FAILED, DRILL_SKIPPED };

struct drill_result {
    const char *scenario, *summary; /* "host-lost", "The primary's host loses its power" */
    int repetition;                 /* from 1 */
    enum drill_outcome outcome;
    VEC(const char *) faults; /* failed: all that is wrong, a sentence each; skipped: why */
    int64_t started_ms;       /* Unix time */
    double length_ms;
    const char *bound; /* how the bound comes about: "ttl 20 s + loop_wait 2 s + ..." */
    size_t went_back;  /* reads, as ledger_reader has it */
    size_t went_elsewhere;
    VEC(struct drill_event) events; /* in order */
    VEC(struct drill_channel) channels;
    VEC(struct drill_copy) copies;
};

struct drill_report {
    struct arena arena;
    const char *version, *cluster, *provider, *preset, *synchronous;
    int pg_version;
    const char *machine; /* "2 cores, 8 GB, Linux 6.1" */
    int64_t started_ms;  /* Unix time */
    int64_t seed;        /* of --random; < 0: none */
    VEC(struct drill_result) results;
};

void drill_report_init(struct drill_report *r);
void drill_report_release(struct drill_report *r);
void drill_result_release(struct drill_result *r); /* of one that is in no report */
bool drill_passed(const struct drill_report *r);   /* nothing failed */

/* JSON, stable: docs/drill.md describes it. Times are told to the microsecond. */
struct value *drill_to_value(const struct drill_report *r, struct arena *a);
/* r was initialised and is released by the caller, also after an error: ERR_INPUT with the file and
 * the key. Every key must be there with a fitting value; keys that it does not know (of a newer
 * version) are passed over. */
int drill_from_value(const struct value *v, struct drill_report *r, struct err *err) MUST_USE;

/* SCENARIO OUTCOME GAP BOUND ... LOST, then what is wrong. */
void drill_format(const struct drill_report *r, bool colour, struct str *out);
/* A table in Markdown: what docs/drill.md shows. Repetitions are one row: median and worst. */
void drill_put_markdown(const struct drill_report *r, struct str *out);
/* https://github.com/testmoapp/junitxml: one suite, a case for each result. */
void drill_put_junit(const struct drill_report *r, struct str *out);
/* One page that needs nothing else: templates/drill-report.html.j2. An error when it would become
 * larger than a template may (JINJA_MAX_OUTPUT). */
int drill_put_html(const struct drill_report *r, struct str *out, struct err *err) MUST_USE;

/* compare.c: now against then. */
struct drill_difference {
    const char *scenario, *channel;
    double then_ms, now_ms; /* medians of the repetitions */
    bool worse;             /* by more than the tolerance */
};

struct drill_note {
    const char *text;
    bool worse;
};

struct drill_comparison {
    struct arena arena;
    VEC(struct drill_difference) differences;
    VEC(struct drill_note) notes; /* a scenario that fails now, was lost, is new; other presets */
    size_t worse;                 /* differences and notes that are a regression */
};

/* A gap is worse when it is longer by more than tolerance (0.25: a quarter) and by more than
 * floor_ms. Both reports must outlive the comparison. */
void drill_compare(const struct drill_report *then, const struct drill_report *now,
                   double tolerance, double floor_ms, struct drill_comparison *out);
void drill_comparison_release(struct drill_comparison *c);
struct value *drill_comparison_to_value(const struct drill_comparison *c, struct arena *a);
void drill_comparison_format(const struct drill_comparison *c, bool colour, struct str *out);

#endif
