/*
 * report_value.c - a report as a tree of values, and back.
 *
 * Both ways walk the same tables, so that what is written can be read. What is read may be
 * anything: texts, lists and numbers have a maximum.
 */
#include <math.h>

#include "lib/drill/report_parts.h"

#define FORMAT_VERSION 1

enum {
    TEXT_MAX = 4096,
    RESULTS_MAX = 4096,
    SENTENCES_MAX = 1000,
    EVENTS_MAX = 1000,
    CHANNELS_MAX = 32,
    COPIES_MAX = 128,
    SLOTS_MAX = 24 * 3600 * (1000 / DRILL_SLOT_MS), /* a day */
};
#define MS_MAX     1e12
#define NUMBER_MAX (INT64_C(1) << 53) /* what a double holds, for those who read JSON so */

enum field_kind {
    FIELD_NAME,   /* const char *: some text */
    FIELD_TEXT,   /* const char *; NULL: null */
    FIELD_COUNT,  /* size_t */
    FIELD_INT,    /* int */
    FIELD_INT64,  /* int64_t; < 0: null */
    FIELD_SMALL,  /* uint32_t */
    FIELD_MS,     /* double */
    FIELD_MAY_MS, /* double; < 0: null */
    FIELD_OUTCOME /* enum drill_outcome */
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t at;
};

#define REPORT(kind, key, member)                                                                  \
    {                                                                                              \
        key, FIELD_##kind, offsetof(struct drill_report, member)                                   \
    }
#define RESULT(kind, key, member)                                                                  \
    {                                                                                              \
        key, FIELD_##kind, offsetof(struct drill_result, member)                                   \
    }
#define CHANNEL(kind, key, member)                                                                 \
    {                                                                                              \
        key, FIELD_##kind, offsetof(struct drill_channel, member)                                  \
    }
#define TIMES(kind, key, member)                                                                   \
    {                                                                                              \
        key, FIELD_##kind, offsetof(struct drill_times, member)                                    \
    }
#define EVENT(kind, key, member)                                                                   \
    {                                                                                              \
        key, FIELD_##kind, offsetof(struct drill_event, member)                                    \
    }
#define COPY(kind, key, member)                                                                    \
    {                                                                                              \
        key, FIELD_##kind, offsetof(struct drill_copy, member)                                     \
    }

static const struct field report_fields[] = {
    REPORT(TEXT, "version", version),
    REPORT(TEXT, "cluster", cluster),
    REPORT(TEXT, "provider", provider),
    REPORT(TEXT, "preset", preset),
    REPORT(TEXT, "synchronous", synchronous),
    REPORT(INT, "postgres", pg_version),
    REPORT(TEXT, "machine", machine),
    REPORT(INT64, "started_ms", started_ms),
    REPORT(INT64, "seed", seed),
};

static const struct field result_fields[] = {
    RESULT(NAME, "scenario", scenario),
    RESULT(TEXT, "summary", summary),
    RESULT(INT, "repetition", repetition),
    RESULT(OUTCOME, "outcome", outcome),
    RESULT(INT64, "started_ms", started_ms),
    RESULT(MS, "length_ms", length_ms),
    RESULT(TEXT, "bound", bound),
    RESULT(COUNT, "reads_went_back", went_back),
    RESULT(COUNT, "reads_went_elsewhere", went_elsewhere),
};

static const struct field event_fields[] = {
    EVENT(MS, "at_ms", at_ms),
    EVENT(NAME, "kind", kind),
    EVENT(TEXT, "text", text),
};

static const struct field channel_fields[] = {
    CHANNEL(NAME, "name", name),
    CHANNEL(TEXT, "address", address),
    CHANNEL(COUNT, "clients", clients),
    CHANNEL(COUNT, "answered", answered),
    CHANNEL(COUNT, "failed", failed),
    CHANNEL(MS, "gap_ms", gap_ms),
    CHANNEL(MS, "gap_from_ms", gap_from_ms),
    CHANNEL(MS, "client_gap_ms", client_gap_ms),
    CHANNEL(MAY_MS, "bound_ms", bound_ms),
    CHANNEL(MAY_MS, "limit_ms", limit_ms),
};

static const struct field times_fields[] = {
    TIMES(COUNT, "n", n),     TIMES(MS, "p50_ms", p50),         TIMES(MS, "p95_ms", p95),
    TIMES(MS, "p99_ms", p99), TIMES(MS, "longest_ms", longest),
};

static const struct field copy_fields[] = {
    COPY(NAME, "member", member),
    COPY(COUNT, "acknowledged", account.acknowledged),
    COPY(COUNT, "missing", account.missing),
    COPY(COUNT, "unknown", account.unknown),
    COPY(COUNT, "unknown_kept", account.unknown_kept),
    COPY(COUNT, "doubled", account.doubled),
    COPY(COUNT, "reordered", account.reordered),
    COPY(COUNT, "altered", account.altered),
    COPY(COUNT, "invented", account.invented),
    COPY(INT64, "missing_writer", account.missing_writer),
    COPY(SMALL, "missing_from", account.missing_from),
    COPY(SMALL, "missing_to", account.missing_to),
};

#define FIELDS(table) (table), ARRAY_LEN(table)

/* ---- to ---- */

struct value *drill_ms_value(double ms, struct arena *a)
{
    return value_float(a, round(ms * 1000) / 1000);
}

static struct value *field_value(const struct field *f, const void *of, struct arena *a)
{
    const void *at = (const char *)of + f->at;

    switch (f->kind) {
    case FIELD_NAME:
        return value_str(a, drill_text(*(const char *const *)at));
    case FIELD_TEXT:
        return *(const char *const *)at ? value_str(a, *(const char *const *)at) : value_null(a);
    case FIELD_COUNT:
        return value_int(a, (int64_t) * (const size_t *)at);
    case FIELD_INT:
        return value_int(a, *(const int *)at);
    case FIELD_INT64:
        return *(const int64_t *)at < 0 ? value_null(a) : value_int(a, *(const int64_t *)at);
    case FIELD_SMALL:
        return value_int(a, *(const uint32_t *)at);
    case FIELD_MS:
        return drill_ms_value(*(const double *)at, a);
    case FIELD_MAY_MS:
        return *(const double *)at < 0 ? value_null(a) : drill_ms_value(*(const double *)at, a);
    case FIELD_OUTCOME:
        return value_str(a, drill_outcome_names[*(const enum drill_outcome *)at]);
    }
    BUG("field %s of no known kind", f->key);
}

static struct value *fields_value(const struct field *fields, size_t n, const void *of,
                                  struct arena *a)
{
    struct value *map = value_map(a);

    for (size_t i = 0; i < n; i++)
        value_map_set(a, map, fields[i].key, field_value(&fields[i], of, a));
    return map;
}

static struct value *phases_value(const struct drill_times *phases, struct arena *a)
{
    struct value *map = value_map(a);

    for (size_t i = 0; i < DRILL_PHASES; i++)
        value_map_set(a, map, drill_phase_names[i],
                      fields_value(FIELDS(times_fields), &phases[i], a));
    return map;
}

static struct value *channel_value(const struct drill_channel *c, struct arena *a)
{
    struct value *map = fields_value(FIELDS(channel_fields), c, a), *slots = value_list(a);

    vec_each (slot, &c->slots)
        value_list_add(a, slots, value_int(a, *slot));
    value_map_set(a, map, "answers", phases_value(c->answers, a));
    value_map_set(a, map, "connects", phases_value(c->connects, a));
    value_map_set(a, map, "answers_by_slot", slots);
    return map;
}

static struct value *result_value(const struct drill_result *r, struct arena *a)
{
    struct value *map = fields_value(FIELDS(result_fields), r, a), *faults = value_list(a),
                 *events = value_list(a), *channels = value_list(a), *copies = value_list(a);

    vec_each (fault, &r->faults)
        value_list_add(a, faults, value_str(a, *fault));
    vec_each (event, &r->events)
        value_list_add(a, events, fields_value(FIELDS(event_fields), event, a));
    vec_each (channel, &r->channels)
        value_list_add(a, channels, channel_value(channel, a));
    vec_each (copy, &r->copies)
        value_list_add(a, copies, fields_value(FIELDS(copy_fields), copy, a));
    value_map_set(a, map, "faults", faults);
    value_map_set(a, map, "events", events);
    value_map_set(a, map, "channels", channels);
    value_map_set(a, map, "copies", copies);
    return map;
}

struct value *drill_to_value(const struct drill_report *r, struct arena *a)
{
    struct value *map = value_map(a), *results = value_list(a), *about;

    value_map_set(a, map, "pgha_drill", value_int(a, FORMAT_VERSION));
    value_map_set(a, map, "passed", value_bool(a, drill_passed(r)));
    value_map_set(a, map, "slot_ms", value_int(a, DRILL_SLOT_MS));
    about = fields_value(FIELDS(report_fields), r, a);
    for (size_t i = 0; i < about->u.map.n; i++)
        value_map_set(a, map, about->u.map.entries[i].key, about->u.map.entries[i].value);
    vec_each (result, &r->results)
        value_list_add(a, results, result_value(result, a));
    value_map_set(a, map, "results", results);
    return map;
}

/* ---- from ---- */

struct reader {
    struct arena *arena;
    struct err *err;
};

static int refuse(struct reader *rd, const char *key, const char *wanted)
{
    return err_set(rd->err, ERR_INPUT, "%s: expected %s", key, wanted);
}

static int read_text(struct reader *rd, const struct field *f, const struct value *v,
                     const char **to)
{
    if (f->kind == FIELD_TEXT && v->type == VALUE_NULL)
        return 0;
    if (v->type != VALUE_STR || v->u.str.len > TEXT_MAX)
        return refuse(rd, f->key, "a text of at most 4096 bytes");
    *to = arena_strndup(rd->arena, v->u.str.s, v->u.str.len);
    return 0;
}

static int read_integer(struct reader *rd, const char *key, const struct value *v, int64_t max,
                        int64_t *to)
{
    if (v->type != VALUE_INT || v->u.i < 0 || v->u.i > max)
        return refuse(rd, key, "a whole number that is not negative, nor too large");
    *to = v->u.i;
    return 0;
}

static int read_ms(struct reader *rd, const struct field *f, const struct value *v, double *to)
{
    double ms = v->type == VALUE_INT ? (double)v->u.i : v->type == VALUE_FLOAT ? v->u.f : -1;

    if (f->kind == FIELD_MAY_MS && v->type == VALUE_NULL) {
        *to = -1;
        return 0;
    }
    if (!(ms >= 0 && ms <= MS_MAX))
        return refuse(rd, f->key, "milliseconds");
    *to = ms;
    return 0;
}

static int read_outcome(struct reader *rd, const struct field *f, const struct value *v,
                        enum drill_outcome *to)
{
    for (int i = DRILL_PASSED; value_is_str(v) && i <= DRILL_SKIPPED; i++)
        if (str_eq(v->u.str.s, drill_outcome_names[i])) {
            *to = (enum drill_outcome)i;
            return 0;
        }
    return refuse(rd, f->key, "passed, failed or skipped");
}

static int read_number(struct reader *rd, const struct field *f, const struct value *v, void *at)
{
    int64_t max = f->kind == FIELD_INT     ? INT32_MAX
                  : f->kind == FIELD_SMALL ? UINT32_MAX
                                           : NUMBER_MAX;
    int64_t number = -1;

    if (!(f->kind == FIELD_INT64 && v->type == VALUE_NULL) &&
        read_integer(rd, f->key, v, max, &number) < 0)
        return -1;
    if (f->kind == FIELD_COUNT)
        *(size_t *)at = (size_t)number;
    else if (f->kind == FIELD_INT)
        *(int *)at = (int)number;
    else if (f->kind == FIELD_SMALL)
        *(uint32_t *)at = (uint32_t)number;
    else
        *(int64_t *)at = number;
    return 0;
}

static int read_field(struct reader *rd, const struct field *f, const struct value *map, void *into)
{
    const struct value *v = value_get(map, f->key);
    void *at = (char *)into + f->at;

    if (!v)
        return err_set(rd->err, ERR_INPUT, "%s: it is missing", f->key);
    switch (f->kind) {
    case FIELD_NAME:
    case FIELD_TEXT:
        return read_text(rd, f, v, at);
    case FIELD_COUNT:
    case FIELD_INT:
    case FIELD_INT64:
    case FIELD_SMALL:
        return read_number(rd, f, v, at);
    case FIELD_MS:
    case FIELD_MAY_MS:
        return read_ms(rd, f, v, at);
    case FIELD_OUTCOME:
        return read_outcome(rd, f, v, at);
    }
    BUG("field %s of no known kind", f->key);
}

static int read_fields(struct reader *rd, const struct field *fields, size_t n,
                       const struct value *map, void *into)
{
    for (size_t i = 0; i < n; i++)
        if (read_field(rd, &fields[i], map, into) < 0)
            return -1;
    return 0;
}

/* A list of at most max, or NULL. */
static const struct value *want_list(struct reader *rd, const struct value *map, const char *key,
                                     size_t max)
{
    const struct value *list = value_get(map, key);

    if (list && list->type == VALUE_LIST && list->u.list.n <= max)
        return list;
    err_set(rd->err, ERR_INPUT, "%s: expected a list of at most %zu", key, max);
    return NULL;
}

static int in_item(struct reader *rd, const char *key, size_t i)
{
    return err_wrap(rd->err, "%s[%zu]", key, i);
}

static int read_phases(struct reader *rd, const struct value *channel, const char *key,
                       struct drill_times *phases)
{
    const struct value *map = value_get(channel, key);

    for (size_t i = 0; i < DRILL_PHASES; i++)
        if (read_fields(rd, FIELDS(times_fields), value_get(map, drill_phase_names[i]),
                        &phases[i]) < 0)
            return err_wrap(rd->err, "%s.%s", key, drill_phase_names[i]);
    return 0;
}

static int read_slots(struct reader *rd, const struct value *map, struct drill_channel *c)
{
    static const char key[] = "answers_by_slot";
    const struct value *list = want_list(rd, map, key, SLOTS_MAX);

    for (size_t i = 0; list && i < list->u.list.n; i++) {
        int64_t slot = 0;

        if (read_integer(rd, key, list->u.list.items[i], UINT32_MAX, &slot) < 0)
            return -1;
        vec_push(&c->slots, (uint32_t)slot);
    }
    return list ? 0 : -1;
}

static int read_channel(struct reader *rd, const struct value *map, struct drill_channel *c)
{
    if (read_fields(rd, FIELDS(channel_fields), map, c) < 0 ||
        read_phases(rd, map, "answers", c->answers) < 0 ||
        read_phases(rd, map, "connects", c->connects) < 0)
        return -1;
    return read_slots(rd, map, c);
}

static int read_channels(struct reader *rd, const struct value *map, struct drill_result *r)
{
    const struct value *list = want_list(rd, map, "channels", CHANNELS_MAX);

    for (size_t i = 0; list && i < list->u.list.n; i++) {
        vec_push(&r->channels, (struct drill_channel){0});
        if (read_channel(rd, list->u.list.items[i], &r->channels.items[i]) < 0)
            return in_item(rd, "channels", i);
    }
    return list ? 0 : -1;
}

static int read_faults(struct reader *rd, const struct value *map, struct drill_result *r)
{
    static const struct field fault = {"faults", FIELD_NAME, 0};
    const struct value *list = want_list(rd, map, fault.key, SENTENCES_MAX);

    for (size_t i = 0; list && i < list->u.list.n; i++) {
        const char *text = NULL;

        if (read_text(rd, &fault, list->u.list.items[i], &text) < 0)
            return -1;
        vec_push(&r->faults, text);
    }
    return list ? 0 : -1;
}

static int read_events(struct reader *rd, const struct value *map, struct drill_result *r)
{
    const struct value *list = want_list(rd, map, "events", EVENTS_MAX);

    for (size_t i = 0; list && i < list->u.list.n; i++) {
        struct drill_event event = {0};

        if (read_fields(rd, FIELDS(event_fields), list->u.list.items[i], &event) < 0)
            return in_item(rd, "events", i);
        vec_push(&r->events, event);
    }
    return list ? 0 : -1;
}

static int read_copies(struct reader *rd, const struct value *map, struct drill_result *r)
{
    const struct value *list = want_list(rd, map, "copies", COPIES_MAX);

    for (size_t i = 0; list && i < list->u.list.n; i++) {
        struct drill_copy copy = {0};

        if (read_fields(rd, FIELDS(copy_fields), list->u.list.items[i], &copy) < 0)
            return in_item(rd, "copies", i);
        vec_push(&r->copies, copy);
    }
    return list ? 0 : -1;
}

static int read_result(struct reader *rd, const struct value *map, struct drill_result *r)
{
    if (read_fields(rd, FIELDS(result_fields), map, r) < 0 || read_faults(rd, map, r) < 0 ||
        read_events(rd, map, r) < 0 || read_channels(rd, map, r) < 0)
        return -1;
    return read_copies(rd, map, r);
}

static int read_results(struct reader *rd, const struct value *map, struct drill_report *r)
{
    const struct value *list = want_list(rd, map, "results", RESULTS_MAX);

    for (size_t i = 0; list && i < list->u.list.n; i++) {
        vec_push(&r->results, (struct drill_result){0});
        if (read_result(rd, list->u.list.items[i], &r->results.items[i]) < 0)
            return in_item(rd, "results", i);
    }
    return list ? 0 : -1;
}

static int read_report(struct reader *rd, const struct value *v, struct drill_report *r)
{
    if (value_get_int(v, "pgha_drill", 0) != FORMAT_VERSION)
        return err_set(rd->err, ERR_INPUT, "this is no report of a drill (pgha_drill: %d)",
                       FORMAT_VERSION);
    if (value_get_int(v, "slot_ms", 0) != DRILL_SLOT_MS)
        return err_set(rd->err, ERR_INPUT, "slot_ms: expected %d", DRILL_SLOT_MS);
    if (read_fields(rd, FIELDS(report_fields), v, r) < 0)
        return -1;
    return read_results(rd, v, r);
}

int drill_from_value(const struct value *v, struct drill_report *r, struct err *err)
{
    struct reader rd = {&r->arena, err};

    if (read_report(&rd, v, r) == 0)
        return 0;
    return v->src.file ? err_wrap(err, "%s", v->src.file) : -1;
}
