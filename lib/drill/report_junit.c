/*
 * report_junit.c - a report as JUnit XML, as CI systems read it
 * (https://github.com/testmoapp/junitxml): one suite, a case for each result.
 */
#include "lib/doc/markup.h"
#include "lib/drill/report_parts.h"

static void put_attribute(struct str *out, const char *name, const char *text)
{
    str_printf(out, " %s=\"", name);
    markup_put(out, drill_text(text));
    str_putc(out, '"');
}

static void put_property(struct str *out, const char *name, const char *text)
{
    str_puts(out, "        <property");
    put_attribute(out, "name", name);
    put_attribute(out, "value", text);
    str_puts(out, "/>\n");
}

static void put_channel(const struct drill_channel *c, struct str *out, struct arena *a)
{
    const char *name = drill_text(c->name);
    double allowed_ms = drill_allowed_ms(c);

    put_property(out, arena_printf(a, "gap_ms.%s", name), arena_printf(a, "%.3f", c->gap_ms));
    if (allowed_ms >= 0)
        put_property(out, arena_printf(a, "bound_ms.%s", name),
                     arena_printf(a, "%.3f", allowed_ms));
}

static void put_properties(const struct drill_result *r, struct str *out, struct arena *a)
{
    struct ledger_account account = drill_largest_account(r);

    if (!r->channels.n && !r->copies.n)
        return;
    str_puts(out, "      <properties>\n");
    vec_each (c, &r->channels)
        put_channel(c, out, a);
    for (size_t i = 0; r->copies.n && i < drill_fault_counts_n; i++)
        put_property(out, arena_printf(a, "rows.%s", drill_fault_counts[i].name),
                     arena_printf(a, "%zu", drill_count_in(&account, &drill_fault_counts[i])));
    str_puts(out, "      </properties>\n");
}

static void put_faults(const struct drill_result *r, struct str *out)
{
    const char *first = r->faults.n ? r->faults.items[0] : "";

    if (r->outcome == DRILL_SKIPPED) {
        str_puts(out, "      <skipped");
        put_attribute(out, "message", first);
        str_puts(out, "/>\n");
    } else if (r->outcome == DRILL_FAILED) {
        str_puts(out, "      <failure type=\"drill\"");
        put_attribute(out, "message", first);
        str_putc(out, '>');
        vec_each (fault, &r->faults) {
            markup_put(out, drill_text(*fault));
            str_putc(out, '\n');
        }
        str_puts(out, "</failure>\n");
    }
}

static void put_events(const struct drill_result *r, struct str *out)
{
    if (!r->events.n)
        return;
    str_puts(out, "      <system-out>");
    vec_each (e, &r->events) {
        str_printf(out, "%9.3f s  ", e->at_ms / 1000);
        markup_put(out, drill_text(e->text ? e->text : e->kind));
        str_putc(out, '\n');
    }
    str_puts(out, "</system-out>\n");
}

static void put_case(const struct drill_report *report, const struct drill_result *r,
                     struct str *out, struct arena *a)
{
    str_puts(out, "    <testcase");
    put_attribute(out, "name", drill_title(report, r, a));
    put_attribute(out, "classname", arena_printf(a, "drill.%s", drill_text(report->cluster)));
    str_printf(out, " time=\"%.3f\">\n", r->length_ms / 1000);
    put_properties(r, out, a);
    put_faults(r, out);
    put_events(r, out);
    str_puts(out, "    </testcase>\n");
}

static double whole_time_ms(const struct drill_report *r)
{
    double ms = 0;

    vec_each (result, &r->results)
        ms += result->length_ms;
    return ms;
}

static void put_sums(const struct drill_report *r, struct str *out)
{
    struct drill_totals totals = drill_totals_of(r);

    put_attribute(out, "name", "drill");
    str_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.3f\"",
               r->results.n, totals.outcomes[DRILL_FAILED], totals.outcomes[DRILL_SKIPPED],
               whole_time_ms(r) / 1000);
}

static void put_about(const struct drill_report *r, struct str *out, struct arena *a)
{
    str_puts(out, "      <properties>\n");
    put_property(out, "version", r->version);
    put_property(out, "cluster", r->cluster);
    put_property(out, "provider", r->provider);
    put_property(out, "preset", r->preset);
    put_property(out, "synchronous", r->synchronous);
    put_property(out, "postgres", arena_printf(a, "%d", r->pg_version));
    put_property(out, "machine", r->machine);
    if (r->seed >= 0)
        put_property(out, "seed", arena_printf(a, "%lld", (long long)r->seed));
    str_puts(out, "      </properties>\n");
}

void drill_put_junit(const struct drill_report *r, struct str *out)
{
    struct arena arena = ARENA_INIT;

    str_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    put_sums(r, out);
    str_puts(out, ">\n  <testsuite");
    put_sums(r, out);
    put_attribute(out, "timestamp", drill_stamp(r->started_ms, &arena));
    str_puts(out, ">\n");
    put_about(r, out, &arena);
    vec_each (result, &r->results)
        put_case(r, result, out, &arena);
    str_puts(out, "  </testsuite>\n</testsuites>\n");
    arena_release(&arena);
}
