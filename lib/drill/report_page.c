/* report_page.c - a report in the words of its page. */
#include "lib/drill/report_page.h"

#include "lib/doc/markup.h"
#include "lib/drill/report_parts.h"

static void put(struct arena *a, struct value *map, const char *key, const char *text)
{
    value_map_set(a, map, key, value_str(a, drill_text(text)));
}

static const char *seconds(double ms, struct arena *a)
{
    return arena_printf(a, "%.2f", ms / 1000);
}

/* Milliseconds with as many digits as are worth reading. */
static const char *milliseconds(double ms, struct arena *a)
{
    return arena_printf(a, "%.*f", ms < 10 ? 2 : ms < 100 ? 1 : 0, ms);
}

/* ---- the head ---- */

static void add_fact(struct arena *a, struct value *facts, const char *name, const char *text)
{
    struct value *fact = value_map(a);

    if (!text || !*text)
        return;
    put(a, fact, "name", name);
    put(a, fact, "text", text);
    value_list_add(a, facts, fact);
}

static struct value *facts(const struct drill_report *r, struct arena *a)
{
    struct value *list = value_list(a);

    add_fact(a, list, "Provider", r->provider);
    add_fact(a, list, "Preset", r->preset);
    add_fact(a, list, "Synchronous", r->synchronous);
    add_fact(a, list, "PostgreSQL", r->pg_version ? arena_printf(a, "%d", r->pg_version) : NULL);
    add_fact(a, list, "Machine", r->machine);
    add_fact(a, list, "Started", drill_date(r->started_ms, a));
    add_fact(a, list, "Seed", r->seed < 0 ? NULL : arena_printf(a, "%lld", (long long)r->seed));
    add_fact(a, list, "pgha-deploy", r->version);
    return list;
}

/* ---- the table of all results ---- */

/* The bar is as long as the bound allows; a gap over it fills it. */
static struct value *gap_cell(const struct drill_channel *c, struct arena *a)
{
    struct value *cell = value_map(a);
    double allowed_ms = drill_allowed_ms(c);
    double share = allowed_ms > 0 ? c->gap_ms / allowed_ms : 0;

    put(a, cell, "gap", seconds(c->gap_ms, a));
    put(a, cell, "allowed", allowed_ms < 0 ? "" : arena_printf(a, "%.1f", allowed_ms / 1000));
    put(a, cell, "percent", arena_printf(a, "%.1f", (share < 1 ? share : 1) * 100));
    value_map_set(a, cell, "over", value_bool(a, drill_is_over(c)));
    return cell;
}

static struct value *gap_cells(const struct drill_result *r, const struct drill_names *channels,
                               struct arena *a)
{
    struct value *cells = value_list(a);

    vec_each (name, &channels->list) {
        const struct drill_channel *c = drill_channel_named(r, *name);

        value_list_add(a, cells, c ? gap_cell(c, a) : value_null(a));
    }
    return cells;
}

/* "0", or what is wrong with rows: "2 lost, 1 doubled". Empty when none were counted. */
static const char *rows_text(const struct drill_result *r, bool *wrong, struct arena *a)
{
    struct ledger_account account = drill_largest_account(r);
    const char *text = "";

    *wrong = false;
    for (size_t i = 0; i < drill_fault_counts_n; i++) {
        size_t n = drill_count_in(&account, &drill_fault_counts[i]);

        if (n)
            text = arena_printf(a, "%s%s%s %s", text, *text ? ", " : "", drill_count_text(n, a),
                                drill_fault_counts[i].name);
    }
    *wrong = *text != '\0';
    return *wrong || !r->copies.n ? text : "0";
}

static struct value *texts(const char *const *items, size_t n, struct arena *a)
{
    struct value *list = value_list(a);

    for (size_t i = 0; i < n; i++)
        value_list_add(a, list, value_str(a, drill_text(items[i])));
    return list;
}

/* ---- one result ---- */

static struct value *phases(const struct drill_times *times, struct arena *a)
{
    struct value *list = value_list(a);

    for (size_t i = 0; i < DRILL_PHASES; i++) {
        const double figures[] = {times[i].p50, times[i].p95, times[i].p99, times[i].longest};
        struct value *phase = value_list(a);

        for (size_t k = 0; k < ARRAY_LEN(figures); k++)
            value_list_add(a, phase,
                           value_str(a, times[i].n ? milliseconds(figures[k], a) : "\xE2\x80\x93"));
        value_list_add(a, list, phase);
    }
    return list;
}

static void add_latency(struct arena *a, struct value *list, const char *channel, const char *what,
                        const struct drill_times *times)
{
    struct value *map = value_map(a);

    for (size_t i = 0, n = 0; i < DRILL_PHASES; i++) {
        n += times[i].n;
        if (i + 1 == DRILL_PHASES && !n)
            return;
    }
    put(a, map, "channel", channel);
    put(a, map, "what", what);
    value_map_set(a, map, "phases", phases(times, a));
    value_list_add(a, list, map);
}

static struct value *latencies(const struct drill_result *r, struct arena *a)
{
    struct value *list = value_list(a);

    vec_each (c, &r->channels) {
        add_latency(a, list, c->name, "answer", c->answers);
        add_latency(a, list, c->name, "connect", c->connects);
    }
    return list;
}

static struct value *clients(const struct drill_result *r, struct arena *a)
{
    struct value *list = value_list(a);

    vec_each (c, &r->channels) {
        struct value *map = value_map(a);

        put(a, map, "name", c->name);
        put(a, map, "address", c->address);
        put(a, map, "clients", drill_count_text(c->clients, a));
        put(a, map, "answered", drill_count_text(c->answered, a));
        put(a, map, "failed", drill_count_text(c->failed, a));
        put(a, map, "gap", seconds(c->gap_ms, a));
        put(a, map, "client_gap", seconds(c->client_gap_ms, a));
        put(a, map, "bound", c->bound_ms < 0 ? "" : seconds(c->bound_ms, a));
        put(a, map, "limit", c->limit_ms < 0 ? "" : seconds(c->limit_ms, a));
        value_map_set(a, map, "over", value_bool(a, drill_is_over(c)));
        value_list_add(a, list, map);
    }
    return list;
}

static struct value *copies(const struct drill_result *r, struct arena *a)
{
    struct value *list = value_list(a);

    vec_each (copy, &r->copies) {
        const struct ledger_account *account = &copy->account;
        struct value *map = value_map(a), *wrong = value_list(a);

        put(a, map, "member", copy->member);
        put(a, map, "acknowledged", drill_count_text(account->acknowledged, a));
        put(a, map, "unknown", drill_count_text(account->unknown, a));
        put(a, map, "kept", drill_count_text(account->unknown_kept, a));
        for (size_t i = 0; i < drill_fault_counts_n; i++)
            value_list_add(
                a, wrong,
                value_str(a, drill_count_text(drill_count_in(account, &drill_fault_counts[i]), a)));
        value_map_set(a, map, "wrong", wrong);
        value_list_add(a, list, map);
    }
    return list;
}

static struct value *events(const struct drill_result *r, struct arena *a)
{
    struct value *list = value_list(a);

    vec_each (e, &r->events) {
        struct value *map = value_map(a);

        put(a, map, "time", arena_printf(a, "%.3f s", e->at_ms / 1000));
        put(a, map, "kind", e->kind);
        put(a, map, "text", e->text);
        value_list_add(a, list, map);
    }
    return list;
}

/* Of repetitions the first, and those that failed. */
static bool is_open(const struct drill_result *r)
{
    return r->repetition <= 1 || r->outcome == DRILL_FAILED;
}

static struct value *result(const struct drill_report *report, const struct drill_result *r,
                            const struct drill_names *channels, struct arena *a)
{
    struct value *map = value_map(a);
    bool wrong;

    put(a, map, "id", arena_printf(a, "result-%zu", (size_t)(r - report->results.items) + 1));
    put(a, map, "title", drill_title(report, r, a));
    put(a, map, "summary", r->summary);
    put(a, map, "outcome", drill_outcome_names[r->outcome]);
    put(a, map, "rows", rows_text(r, &wrong, a));
    value_map_set(a, map, "wrong", value_bool(a, wrong));
    value_map_set(a, map, "faults", texts(r->faults.items, r->faults.n, a));
    value_map_set(a, map, "cells", gap_cells(r, channels, a));
    if (r->outcome == DRILL_SKIPPED)
        return map;
    put(a, map, "started", drill_date(r->started_ms, a));
    put(a, map, "length", arena_printf(a, "%.1f s", r->length_ms / 1000));
    put(a, map, "bound", r->bound);
    put(a, map, "went_back", drill_count_text(r->went_back, a));
    put(a, map, "went_elsewhere", drill_count_text(r->went_elsewhere, a));
    value_map_set(a, map, "reread", value_bool(a, r->went_back > 0 || r->went_elsewhere > 0));
    value_map_set(a, map, "open", value_bool(a, is_open(r)));
    value_map_set(a, map, "timeline", drill_timeline(r, a));
    value_map_set(a, map, "clients", clients(r, a));
    value_map_set(a, map, "latencies", latencies(r, a));
    value_map_set(a, map, "copies", copies(r, a));
    value_map_set(a, map, "events", events(r, a));
    return map;
}

/* ---- the page ---- */

static struct value *escaped(const struct value *v, struct arena *a)
{
    struct value *copy;
    struct str text;

    switch (v->type) {
    case VALUE_STR:
        str_init(&text, STR_MAX_TEXT);
        markup_put(&text, v->u.str.s);
        copy = value_strn(a, text.buf, text.len);
        str_release(&text);
        return copy;
    case VALUE_LIST:
        copy = value_list(a);
        for (size_t i = 0; i < v->u.list.n; i++)
            value_list_add(a, copy, escaped(v->u.list.items[i], a));
        return copy;
    case VALUE_MAP:
        copy = value_map(a);
        for (size_t i = 0; i < v->u.map.n; i++)
            value_map_set(a, copy, v->u.map.entries[i].key, escaped(v->u.map.entries[i].value, a));
        return copy;
    default:
        return value_copy(a, v);
    }
}

static struct value *count_names(struct arena *a)
{
    struct value *list = value_list(a);

    for (size_t i = 0; i < drill_fault_counts_n; i++)
        value_list_add(a, list, value_str(a, drill_fault_counts[i].name));
    return list;
}

struct value *drill_page_variables(const struct drill_report *r, struct arena *a)
{
    struct value *top = value_map(a), *page = value_map(a), *results = value_list(a);
    struct drill_names channels;

    drill_channels_of(r, &channels);
    vec_each (each, &r->results)
        value_list_add(a, results, result(r, each, &channels, a));
    put(a, page, "cluster", r->cluster);
    put(a, page, "outcome", drill_outcome_names[drill_passed(r) ? DRILL_PASSED : DRILL_FAILED]);
    put(a, page, "summary", drill_summary(r, a));
    value_map_set(a, page, "facts", facts(r, a));
    value_map_set(a, page, "channels", texts(channels.list.items, channels.list.n, a));
    value_map_set(a, page, "counts", count_names(a));
    value_map_set(a, page, "phases", texts(drill_phase_names, DRILL_PHASES, a));
    value_map_set(a, page, "results", results);
    value_map_set(a, top, "page", escaped(page, a));
    vec_release(&channels.list);
    return top;
}
