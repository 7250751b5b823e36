/* compare.c - two reports of drills: what became slower, what fails now, what is not tried now. */
#include "lib/drill/report_parts.h"
#include "lib/drill/table.h"

struct comparing {
    const struct drill_report *then, *now;
    double tolerance, floor_ms;
    struct drill_comparison *out;
};

/* ---- gaps ---- */

static bool is_worse(const struct comparing *c, double then_ms, double now_ms)
{
    return now_ms > then_ms * (1 + c->tolerance) && now_ms > then_ms + c->floor_ms;
}

static void compare_gaps(struct comparing *c, const char *scenario, const char *channel)
{
    struct drill_gaps then = drill_gaps_of(c->then, scenario, channel);
    struct drill_gaps now = drill_gaps_of(c->now, scenario, channel);
    struct drill_difference difference = {scenario, channel, then.median_ms, now.median_ms,
                                          is_worse(c, then.median_ms, now.median_ms)};

    if (!then.n || !now.n)
        return;
    vec_push(&c->out->differences, difference);
    c->out->worse += difference.worse;
}

/* ---- notes ---- */

static void PRINTF_LIKE(3, 4) add_note(struct comparing *c, bool worse, const char *fmt, ...)
{
    struct drill_note note = {.worse = worse};
    va_list args;

    va_start(args, fmt);
    note.text = arena_vprintf(&c->out->arena, fmt, args);
    va_end(args);
    vec_push(&c->out->notes, note);
    c->out->worse += worse;
}

static void compare_texts(struct comparing *c, const char *what, const char *then, const char *now)
{
    if (!str_eq(then, now))
        add_note(c, false, "%s: %s then, %s now", what, then ? then : "unknown",
                 now ? now : "unknown");
}

/* What makes gaps differ without anything being wrong. */
static void compare_circumstances(struct comparing *c)
{
    compare_texts(c, "provider", c->then->provider, c->now->provider);
    compare_texts(c, "preset", c->then->preset, c->now->preset);
    compare_texts(c, "synchronous", c->then->synchronous, c->now->synchronous);
    compare_texts(c, "machine", c->then->machine, c->now->machine);
    if (c->then->pg_version != c->now->pg_version)
        add_note(c, false, "PostgreSQL: %d then, %d now", c->then->pg_version, c->now->pg_version);
}

static size_t results_with(const struct drill_report *r, const char *scenario,
                           enum drill_outcome outcome)
{
    size_t n = 0;

    vec_each (result, &r->results)
        n += result->outcome == outcome && str_eq(result->scenario, scenario);
    return n;
}

static bool was_run(const struct drill_report *r, const char *scenario)
{
    return results_with(r, scenario, DRILL_PASSED) || results_with(r, scenario, DRILL_FAILED);
}

/* One failure of ten is a failure, too: what counts is that there is one where there was none. */
static void compare_outcomes(struct comparing *c, const char *scenario)
{
    size_t then = results_with(c->then, scenario, DRILL_FAILED);
    size_t now = results_with(c->now, scenario, DRILL_FAILED);

    if (!was_run(c->now, scenario))
        return;
    if (!was_run(c->then, scenario))
        add_note(c, now > 0, "%s is new%s", scenario, now ? ", and fails" : "");
    else if (now && !then)
        add_note(c, true, "%s fails now", scenario);
    else if (then && !now)
        add_note(c, false, "%s does not fail any more", scenario);
}

static void find_lost(struct comparing *c, const char *scenario)
{
    if (!was_run(c->then, scenario) || was_run(c->now, scenario))
        return;
    if (drill_repetitions(c->now, scenario))
        add_note(c, true, "%s is skipped now", scenario);
    else
        add_note(c, true, "%s is not in the new report", scenario);
}

void drill_compare(const struct drill_report *then, const struct drill_report *now,
                   double tolerance, double floor_ms, struct drill_comparison *out)
{
    struct comparing c = {then, now, tolerance, floor_ms, NULL};
    struct drill_names scenarios, channels, before;

    *out = (struct drill_comparison){.arena = ARENA_INIT};
    c.out = out;
    drill_scenarios_of(now, &scenarios);
    drill_scenarios_of(then, &before);
    drill_channels_of(now, &channels);
    compare_circumstances(&c);
    vec_each (scenario, &scenarios.list) {
        compare_outcomes(&c, *scenario);
        vec_each (channel, &channels.list)
            compare_gaps(&c, *scenario, *channel);
    }
    vec_each (scenario, &before.list)
        find_lost(&c, *scenario);
    vec_release(&scenarios.list);
    vec_release(&channels.list);
    vec_release(&before.list);
}

void drill_comparison_release(struct drill_comparison *c)
{
    vec_release(&c->differences);
    vec_release(&c->notes);
    arena_release(&c->arena);
}

/* ---- telling ---- */

struct value *drill_comparison_to_value(const struct drill_comparison *c, struct arena *a)
{
    struct value *top = value_map(a), *differences = value_list(a), *notes = value_list(a);

    vec_each (d, &c->differences) {
        struct value *item = value_map(a);

        value_map_set(a, item, "scenario", value_str(a, drill_text(d->scenario)));
        value_map_set(a, item, "channel", value_str(a, drill_text(d->channel)));
        value_map_set(a, item, "then_ms", drill_ms_value(d->then_ms, a));
        value_map_set(a, item, "now_ms", drill_ms_value(d->now_ms, a));
        value_map_set(a, item, "worse", value_bool(a, d->worse));
        value_list_add(a, differences, item);
    }
    vec_each (note, &c->notes) {
        struct value *item = value_map(a);

        value_map_set(a, item, "text", value_str(a, note->text));
        value_map_set(a, item, "worse", value_bool(a, note->worse));
        value_list_add(a, notes, item);
    }
    value_map_set(a, top, "ok", value_bool(a, c->worse == 0));
    value_map_set(a, top, "worse", value_int(a, (int64_t)c->worse));
    value_map_set(a, top, "differences", differences);
    value_map_set(a, top, "notes", notes);
    return top;
}

static void add_difference(struct table *t, const struct drill_difference *d)
{
    const char *colour = d->worse ? TABLE_RED : NULL;
    double percent = d->then_ms > 0 ? (d->now_ms / d->then_ms - 1) * 100 : 0;

    table_add(t, table_plain(d->scenario, &t->arena), NULL);
    table_add(t, table_plain(d->channel, &t->arena), NULL);
    table_add(t, arena_printf(&t->arena, "%.2f", d->then_ms / 1000), NULL);
    table_add(t, arena_printf(&t->arena, "%.2f", d->now_ms / 1000), colour);
    table_add(t, d->then_ms > 0 ? arena_printf(&t->arena, "%+.0f %%", percent) : NULL, colour);
    table_add(t, d->worse ? "worse" : NULL, colour);
}

static void put_differences(const struct drill_comparison *c, bool colour, struct str *out)
{
    static const char *const header[] = {"scenario", "channel", "then", "now", "change", NULL};
    struct table t;

    table_init(&t, ARRAY_LEN(header), colour, out);
    for (size_t i = 0; i < ARRAY_LEN(header); i++)
        table_add(&t, header[i], TABLE_FAINT);
    vec_each (d, &c->differences)
        add_difference(&t, d);
    for (size_t i = 0; i <= c->differences.n; i++)
        table_put_row(&t, i);
    table_release(&t);
    str_puts(out, "\nThe longest time without an answer to any client, in seconds: the median of "
                  "the repetitions.\n");
}

void drill_comparison_format(const struct drill_comparison *c, bool colour, struct str *out)
{
    struct arena arena = ARENA_INIT;

    vec_each (note, &c->notes) {
        table_put_coloured(out, colour, note->worse ? TABLE_RED : NULL,
                           table_plain(note->text, &arena));
        str_putc(out, '\n');
    }
    if (c->notes.n && c->differences.n)
        str_putc(out, '\n');
    if (c->differences.n)
        put_differences(c, colour, out);
    table_put_coloured(out, colour, c->worse ? TABLE_RED : TABLE_GREEN,
                       c->worse ? arena_printf(&arena, "%zu worse", c->worse) : "nothing is worse");
    str_putc(out, '\n');
    arena_release(&arena);
}
