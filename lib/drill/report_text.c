/* report_text.c - a report for the terminal, and as a table in Markdown. */
#include "lib/drill/report_parts.h"
#include "lib/drill/table.h"

enum {
    OUTCOME_WIDTH = 9,  /* the first column, and how far sentences are indented */
    SENTENCE_WIDTH = 96 /* columns in which they are wrapped */
};

static const char *const outcome_colours[] = {TABLE_GREEN, TABLE_RED, TABLE_FAINT};

struct channel_column {
    const char *name;
    bool bounded; /* the bounds have a column beside it */
};

struct sheet {
    struct table table;
    const struct drill_report *report;
    VEC(struct channel_column) channels;
    VEC(const struct drill_count *) counts;
};

/* ---- columns ---- */

static bool has_bound(const struct drill_report *r, const char *channel)
{
    vec_each (result, &r->results) {
        const struct drill_channel *c = drill_channel_named(result, channel);

        if (c && drill_allowed_ms(c) >= 0)
            return true;
    }
    return false;
}

static bool is_counted(const struct drill_report *r, const struct drill_count *count)
{
    vec_each (result, &r->results) {
        struct ledger_account account = drill_largest_account(result);

        if (drill_count_in(&account, count))
            return true;
    }
    return false;
}

/* Lost rows always have a column, the other faults when there are any. */
static void choose_columns(struct sheet *s)
{
    struct drill_names names;

    drill_channels_of(s->report, &names);
    vec_each (name, &names.list)
        vec_push(&s->channels, ((struct channel_column){*name, has_bound(s->report, *name)}));
    for (size_t i = 0; i < drill_fault_counts_n; i++)
        if (i == 0 || is_counted(s->report, &drill_fault_counts[i]))
            vec_push(&s->counts, &drill_fault_counts[i]);
    vec_release(&names.list);
}

static size_t columns_of(const struct sheet *s)
{
    size_t columns = 1 + s->channels.n + s->counts.n;

    vec_each (channel, &s->channels)
        columns += channel->bounded;
    return columns;
}

static void add_header(struct sheet *s)
{
    table_add(&s->table, "scenario", TABLE_FAINT);
    vec_each (channel, &s->channels) {
        table_add(&s->table, table_plain(channel->name, &s->table.arena), TABLE_FAINT);
        if (channel->bounded)
            table_add(&s->table, "bound", TABLE_FAINT);
    }
    vec_each (count, &s->counts)
        table_add(&s->table, (*count)->name, TABLE_FAINT);
}

static void add_gap(struct table *t, const struct drill_channel *c, bool bounded)
{
    bool over = c && drill_is_over(c);
    double allowed_ms = c ? drill_allowed_ms(c) : -1;

    table_add(t, c ? arena_printf(&t->arena, "%.2f", c->gap_ms / 1000) : NULL,
              over ? TABLE_RED : NULL);
    if (bounded && allowed_ms >= 0)
        table_add(t, arena_printf(&t->arena, "%c %.1f", over ? '>' : '<', allowed_ms / 1000),
                  over ? TABLE_RED : TABLE_FAINT);
    else if (bounded)
        table_add(t, NULL, NULL);
}

static void add_counts(struct sheet *s, const struct drill_result *r)
{
    struct ledger_account account = drill_largest_account(r);

    vec_each (count, &s->counts) {
        size_t n = drill_count_in(&account, *count);

        if (r->copies.n)
            table_add(&s->table, drill_count_text(n, &s->table.arena), n ? TABLE_RED : NULL);
        else
            table_add(&s->table, NULL, NULL);
    }
}

static void add_result(struct sheet *s, const struct drill_result *r)
{
    struct arena *a = &s->table.arena;

    table_add(&s->table, table_plain(drill_title(s->report, r, a), a), NULL);
    vec_each (channel, &s->channels)
        add_gap(&s->table, drill_channel_named(r, channel->name), channel->bounded);
    add_counts(s, r);
}

/* ---- lines ---- */

/* How many bytes of the text go on a line: to its last blank that fits, if there is one. */
static size_t line_of(const char *text)
{
    size_t blank = 0, n = 0;

    for (int used = 0; text[n] && used <= SENTENCE_WIDTH - OUTCOME_WIDTH; used++) {
        if (text[n] == ' ')
            blank = n;
        for (n++; ((unsigned char)text[n] & 0xC0) == 0x80;)
            n++;
    }
    return text[n] && blank ? blank : n;
}

static void put_sentence(struct table *t, const char *code, const char *text)
{
    while (*text) {
        size_t n = line_of(text);

        str_printf(t->out, "%*s", OUTCOME_WIDTH, "");
        table_put_coloured(t->out, t->colour, code, arena_strndup(&t->arena, text, n));
        str_putc(t->out, '\n');
        text += n;
        text += strspn(text, " ");
    }
}

static void put_result(struct table *t, const struct drill_result *r, size_t row)
{
    const char *code = outcome_colours[r->outcome];
    const char *outcome = r->outcome == DRILL_FAILED ? "FAILED" : drill_outcome_names[r->outcome];

    table_put_coloured(t->out, t->colour, code, outcome);
    str_printf(t->out, "%*s", OUTCOME_WIDTH - (int)strlen(outcome), "");
    table_put_row(t, row);
    vec_each (fault, &r->faults)
        put_sentence(t, code, table_plain(*fault, &t->arena));
}

static void put_head(const struct drill_report *r, struct str *out, struct arena *a)
{
    str_printf(out, "Drill of %s", table_plain(r->cluster, a));
    if (r->provider)
        str_printf(out, " (%s)", table_plain(r->provider, a));
    str_printf(out, ", %s\nPostgreSQL %d", drill_date(r->started_ms, a), r->pg_version);
    if (r->preset)
        str_printf(out, ", preset %s", table_plain(r->preset, a));
    if (r->synchronous)
        str_printf(out, ", synchronous %s", table_plain(r->synchronous, a));
    if (r->machine)
        str_printf(out, "; %s", table_plain(r->machine, a));
    if (r->seed >= 0)
        str_printf(out, "; --seed %lld", (long long)r->seed);
    str_puts(out, "\n\n");
}

static void put_results(const struct drill_report *r, bool colour, struct str *out)
{
    struct sheet s = {.report = r};

    choose_columns(&s);
    table_init(&s.table, columns_of(&s), colour, out);
    add_header(&s);
    vec_each (result, &r->results)
        add_result(&s, result);
    str_printf(out, "%*s", OUTCOME_WIDTH, "");
    table_put_row(&s.table, 0);
    for (size_t i = 0; i < r->results.n; i++)
        put_result(&s.table, &r->results.items[i], i + 1);
    str_puts(out, "\nThe longest time without an answer to any client, in seconds.\n");
    table_release(&s.table);
    vec_release(&s.counts);
    vec_release(&s.channels);
}

void drill_format(const struct drill_report *r, bool colour, struct str *out)
{
    struct arena arena = ARENA_INIT;

    put_head(r, out, &arena);
    if (r->results.n)
        put_results(r, colour, out);
    table_put_coloured(out, colour, outcome_colours[drill_passed(r) ? DRILL_PASSED : DRILL_FAILED],
                       drill_summary(r, &arena));
    str_putc(out, '\n');
    arena_release(&arena);
}

/* ---- Markdown ---- */

/* Text in a cell of a table: as it is, whatever marks it has. */
static void put_escaped(struct str *out, const char *text, struct arena *a)
{
    for (const char *p = table_plain(text, a); *p; p++) {
        if (strchr("\\`*_{}[]<>()#|&!~", *p))
            str_putc(out, '\\');
        str_putc(out, *p);
    }
}

static void put_gaps(struct str *out, const struct drill_gaps *gaps)
{
    if (gaps->n)
        str_printf(out, "%.2f", gaps->median_ms / 1000);
    if (gaps->n > 1)
        str_printf(out, ", worst %.2f", gaps->worst_ms / 1000);
    if (gaps->n && gaps->allowed_ms >= 0)
        str_printf(out, " (%.1f)", gaps->allowed_ms / 1000);
    str_puts(out, " | ");
}

struct scenario_sum {
    const char *summary;
    size_t runs, passed, skipped, lost;
    bool counted; /* rows were: there is something that lost could be of */
};

static struct scenario_sum sum_of(const struct drill_report *r, const char *scenario)
{
    struct scenario_sum sum = {0};

    vec_each (result, &r->results) {
        if (!str_eq(result->scenario, scenario))
            continue;
        sum.summary = result->summary;
        sum.runs++;
        sum.passed += result->outcome == DRILL_PASSED;
        sum.skipped += result->outcome == DRILL_SKIPPED;
        sum.lost += drill_largest_account(result).missing;
        sum.counted |= result->copies.n > 0;
    }
    return sum;
}

static void put_scenario(const struct drill_report *r, const char *scenario,
                         const struct drill_names *channels, struct str *out, struct arena *a)
{
    struct scenario_sum sum = sum_of(r, scenario);

    str_puts(out, "| ");
    put_escaped(out, scenario, a);
    str_puts(out, " | ");
    put_escaped(out, sum.summary, a);
    if (sum.skipped == sum.runs)
        str_puts(out, " | skipped | ");
    else
        str_printf(out, " | %zu of %zu | ", sum.passed, sum.runs - sum.skipped);
    vec_each (name, &channels->list) {
        struct drill_gaps gaps = drill_gaps_of(r, scenario, *name);

        put_gaps(out, &gaps);
    }
    if (sum.counted)
        str_printf(out, "%zu |\n", sum.lost);
    else
        str_puts(out, "|\n");
}

static void put_header(const struct drill_names *channels, struct str *out, struct arena *a)
{
    str_puts(out, "| scenario | what happens | passed | ");
    vec_each (name, &channels->list) {
        put_escaped(out, *name, a);
        str_puts(out, " | ");
    }
    str_puts(out, "lost |\n|---|---|---|");
    for (size_t i = 0; i < channels->list.n; i++)
        str_puts(out, "---|");
    str_puts(out, "--:|\n");
}

void drill_put_markdown(const struct drill_report *r, struct str *out)
{
    struct arena arena = ARENA_INIT;
    struct drill_names channels, scenarios;

    drill_channels_of(r, &channels);
    drill_scenarios_of(r, &scenarios);
    put_header(&channels, out, &arena);
    vec_each (scenario, &scenarios.list)
        put_scenario(r, *scenario, &channels, out, &arena);
    vec_release(&channels.list);
    vec_release(&scenarios.list);
    arena_release(&arena);
}
