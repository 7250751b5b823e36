/*
 * test_drill_report.c - the reports of a drill: read back, told in every form, compared; and what
 * hostile texts do to them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/utf8.h"
#include "lib/doc/json.h"
#include "lib/drill/report_page.h"
#include "lib/drill/report_parts.h"
#include "tests/unit/drill_sample.h"

/* What ends scripts, attributes and comments, moves a terminal's cursor, and is no UTF-8. */
#define HOSTILE "</script>]]>\"'<b>&amp; {{ 1 }}\033[2J\x01\r\n| \xff\xc3\xa9 *x*"

typedef void renderer(const struct drill_report *r, struct str *out);

static void put_plain(const struct drill_report *r, struct str *out)
{
    drill_format(r, false, out);
}

static void put_html(const struct drill_report *r, struct str *out)
{
    struct err err = ERR_INIT;

    assert_int_equal(drill_put_html(r, out, &err), 0);
}

static void put_json(const struct drill_report *r, struct str *out)
{
    struct arena a = ARENA_INIT;

    json_write(drill_to_value(r, &a), JSON_PRETTY, out);
    arena_release(&a);
}

static renderer *const renderers[] = {put_plain, put_html, put_json, drill_put_junit,
                                      drill_put_markdown};

/* Caller frees. */
static char *rendered(renderer *render, const struct drill_report *r)
{
    struct str out;

    str_init(&out, STR_MAX_TEXT);
    render(r, &out);
    assert_false(out.full);
    return str_detach(&out);
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no '%s' in:\n%s", part, text);
}

static size_t times_in(const char *text, const char *part)
{
    size_t n = 0;

    for (const char *p = text; (p = strstr(p, part)); p += strlen(part))
        n++;
    return n;
}

/* ---- values ---- */

static void assert_reads_back(const struct drill_report *r)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct drill_report again;
    char *text = rendered(put_json, r), *text_again;
    const struct value *v = json_parse(&a, "night.json", text, strlen(text), &err);

    assert_non_null(v);
    drill_report_init(&again);
    if (drill_from_value(v, &again, &err) < 0)
        fail_msg("%s", err.text);
    text_again = rendered(put_json, &again);
    assert_string_equal(text, text_again);
    drill_report_release(&again);
    free(text);
    free(text_again);
    arena_release(&a);
}

static void test_value_reads_back(void **state)
{
    struct drill_report r;

    UNUSED(state);
    sample_report(&r);
    r.seed = 42;
    r.results.items[0].channels.items[0].limit_ms = 5000.5;
    assert_reads_back(&r);
    drill_report_release(&r);
    drill_report_init(&r); /* without any result */
    assert_reads_back(&r);
    drill_report_release(&r);
}

static void test_value_keeps_what_it_was_given(void **state)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct drill_report r, again;
    const struct drill_result *lost;
    const struct drill_channel *primary;

    UNUSED(state);
    sample_report(&r);
    drill_report_init(&again);
    assert_int_equal(drill_from_value(drill_to_value(&r, &a), &again, &err), 0);
    assert_int_equal(again.results.n, 4);
    assert_true(again.seed < 0);
    assert_string_equal(again.cluster, "demo");
    lost = &again.results.items[2];
    assert_int_equal(lost->outcome, DRILL_FAILED);
    assert_int_equal(lost->faults.n, 2);
    assert_int_equal(lost->went_elsewhere, 3);
    assert_string_equal(lost->events.items[1].kind, "promoted");
    primary = drill_channel_named(lost, "primary");
    assert_true(primary->gap_ms > 24812.43 && primary->gap_ms < 24812.45);
    assert_true(primary->limit_ms < 0);
    assert_int_equal(primary->slots.n, 713);
    assert_int_equal(primary->slots.items[100], 0);
    assert_true(primary->answers[DRILL_DURING].p50 > 48);
    assert_int_equal(lost->copies.items[2].account.missing_to, 312);
    assert_int_equal(again.results.items[0].copies.items[0].account.missing_writer, -1);
    drill_report_release(&r);
    drill_report_release(&again);
    arena_release(&a);
}

/* The report with one thing changed is refused, and why. */
struct junk {
    const char *instead_of, *put, *message;
};

static void assert_refused(const char *text, const char *message)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct drill_report r;
    const struct value *v = json_parse(&a, "night.json", text, strlen(text), &err);

    if (!v)
        fail_msg("%s", err.text);
    drill_report_init(&r);
    assert_int_equal(drill_from_value(v, &r, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_string_equal(err.text, message);
    drill_report_release(&r);
    err_release(&err);
    arena_release(&a);
}

/* text with the first part replaced. Caller frees. */
static char *replaced(const char *text, const char *part, const char *by)
{
    const char *at = strstr(text, part);

    assert_non_null(at);
    return xasprintf("%.*s%s%s", (int)(at - text), text, by, at + strlen(part));
}

static void test_value_refuses_junk(void **state)
{
    static const struct junk junk[] = {
        {"\"pgha_drill\": 1", "\"pgha_drill\": 2",
         "night.json: this is no report of a drill (pgha_drill: 1)"},
        {"\"slot_ms\": 100", "\"slot_ms\": 50", "night.json: slot_ms: expected 100"},
        {"\"cluster\": \"demo\"", "\"cluster\": 7",
         "night.json: cluster: expected a text of at most 4096 bytes"},
        {"\"postgres\": 17", "\"postgres\": -17",
         "night.json: postgres: expected a whole number that is not negative, nor too large"},
        {"\"postgres\": 17", "\"postgres\": 4294967296",
         "night.json: postgres: expected a whole number that is not negative, nor too large"},
        {"\"machine\": ", "\"mechanic\": ", "night.json: machine: it is missing"},
        {"\"results\": [", "\"results\": 1, \"x\": [",
         "night.json: results: expected a list of at most 4096"},
        {"\"results\": [", "\"results\": [null, ",
         "night.json: results[0]: scenario: it is missing"},
        {"\"scenario\": \"host-lost\"", "\"scenario\": null",
         "night.json: results[2]: scenario: expected a text of at most 4096 bytes"},
        {"\"outcome\": \"passed\"", "\"outcome\": \"perhaps\"",
         "night.json: results[0]: outcome: expected passed, failed or skipped"},
        {"\"faults\": []", "\"faults\": [1]",
         "night.json: results[0]: faults: expected a text of at most 4096 bytes"},
        {"\"at_ms\": 6420.5", "\"at_ms\": \"soon\"",
         "night.json: results[0]: events[1]: at_ms: expected milliseconds"},
        {"\"gap_ms\": 2211.125", "\"gap_ms\": -1",
         "night.json: results[0]: channels[0]: gap_ms: expected milliseconds"},
        {"\"gap_ms\": 2211.125", "\"gap_ms\": 1e300",
         "night.json: results[0]: channels[0]: gap_ms: expected milliseconds"},
        {"\"p95_ms\": 2.5", "\"p95\": 2.5",
         "night.json: results[0]: channels[0]: answers.before: p95_ms: it is missing"},
        {"\"answers_by_slot\": [", "\"answers_by_slot\": [4294967296, ",
         "night.json: results[0]: channels[0]: answers_by_slot: expected a whole number that is "
         "not negative, nor too large"},
        {"\"doubled\": 0", "\"doubled\": 0.5",
         "night.json: results[0]: copies[0]: doubled: expected a whole number that is not "
         "negative, nor too large"},
    };
    struct drill_report r;
    char *text;

    UNUSED(state);
    sample_report(&r);
    text = rendered(put_json, &r);
    for (size_t i = 0; i < ARRAY_LEN(junk); i++) {
        char *changed = replaced(text, junk[i].instead_of, junk[i].put);

        assert_refused(changed, junk[i].message);
        free(changed);
    }
    assert_refused("[]", "night.json: this is no report of a drill (pgha_drill: 1)");
    free(text);
    drill_report_release(&r);
}

static void test_value_passes_over_unknown_keys(void **state)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct drill_report r, again;
    struct value *v;

    UNUSED(state);
    sample_report(&r);
    v = drill_to_value(&r, &a);
    value_map_set(&a, v, "weather", value_str(&a, "fine"));
    drill_report_init(&again);
    assert_int_equal(drill_from_value(v, &again, &err), 0);
    drill_report_release(&again);
    drill_report_release(&r);
    arena_release(&a);
}

/* ---- what it says ---- */

static void test_table(void **state)
{
    struct drill_report r;
    char *text;

    UNUSED(state);
    sample_report(&r);
    text = rendered(put_plain, &r);
    assert_string_equal(
        text,
        "Drill of demo (local), 2026-11-30 00:00:00 UTC\n"
        "PostgreSQL 17, preset fast, synchronous on; 2 cores, 8 GB, Linux 6.1\n"
        "\n"
        "         scenario      primary   bound  replicas   bound   sync   bound  plain libpq  "
        "lost\n"
        "passed   switchover 1     2.21  < 7.5      0.14  < 7.5   2.22  < 7.5         2.85     0\n"
        "passed   switchover 2     2.32  < 7.5      0.15  < 7.5   2.33  < 7.5         2.96     0\n"
        "FAILED   host-lost       24.81 > 23.0      1.55 < 23.0  24.82 > 23.0        25.45     2\n"
        "         primary: 24812 ms without an answer, the bound is 23000 ms\n"
        "         2 acknowledged writes are missing on db2: writer 4, numbers 311 to 312\n"
        "skipped  etcd-quorum\n"
        "         it takes three members of etcd, and there is one\n"
        "\n"
        "The longest time without an answer to any client, in seconds.\n"
        "2 passed, 1 failed, 1 skipped; 2 of 95,613 acknowledged writes lost\n");
    free(text);
    drill_report_release(&r);
}

static void test_table_has_columns_for_other_faults(void **state)
{
    static const char fault[] =
        "a sentence that is longer than the screen is wide, which is why it goes on in the next "
        "line, as far in as before";
    struct drill_report r;
    char *text;

    UNUSED(state);
    sample_report(&r);
    r.results.items[2].copies.items[1].account.doubled = 1234;
    vec_push(&r.results.items[2].faults, fault);
    text = rendered(put_plain, &r);
    assert_has(text, "lost  doubled\n");
    assert_has(text, "2    1,234\n");
    assert_has(text,
               "\n         a sentence that is longer than the screen is wide, which is why it "
               "goes on in the next\n         line, as far in as before\n");
    free(text);
    drill_report_release(&r);
}

static void test_table_in_colours(void **state)
{
    struct drill_report r;
    struct str out;

    UNUSED(state);
    sample_report(&r);
    str_init(&out, STR_MAX_TEXT);
    drill_format(&r, true, &out);
    assert_has(out.buf, "\033[32mpassed\033[0m");
    assert_has(out.buf, "\033[1;31mFAILED\033[0m");
    assert_has(out.buf, "\033[1;31m24.81\033[0m \033[1;31m> 23.0\033[0m");
    assert_has(out.buf, "\033[2mskipped\033[0m");
    str_release(&out);
    drill_report_release(&r);
}

/* The user's limit is the shorter one, and is passed. */
static void test_limit(void **state)
{
    struct drill_report r;
    char *text;

    UNUSED(state);
    sample_report(&r);
    r.results.items[0].channels.items[0].limit_ms = 2000;
    text = rendered(put_plain, &r);
    assert_has(text, "passed   switchover 1     2.21  > 2.0 ");
    free(text);
    drill_report_release(&r);
}

static void test_markdown(void **state)
{
    struct drill_report r;
    char *text;

    UNUSED(state);
    sample_report(&r);
    text = rendered(drill_put_markdown, &r);
    assert_string_equal(
        text,
        "| scenario | what happens | passed | primary | replicas | sync | plain libpq | lost |\n"
        "|---|---|---|---|---|---|---|--:|\n"
        "| switchover | A planned switchover to a replica | 2 of 2 | 2.27, worst 2.32 (7.5) "
        "| 0.14, worst 0.15 (7.5) | 2.28, worst 2.33 (7.5) | 2.91, worst 2.96 | 0 |\n"
        "| host-lost | The primary's host loses its power, and gets it back | 0 of 1 "
        "| 24.81 (23.0) | 1.55 (23.0) | 24.82 (23.0) | 25.45 | 2 |\n"
        "| etcd-quorum | Most members of etcd are lost, and come back | skipped |  |  |  |  | |\n");
    free(text);
    drill_report_release(&r);
}

static void test_junit(void **state)
{
    struct drill_report r;
    char *text;

    UNUSED(state);
    sample_report(&r);
    text = rendered(drill_put_junit, &r);
    assert_has(text, "<testsuite name=\"drill\" tests=\"4\" failures=\"1\" errors=\"0\" "
                     "skipped=\"1\" time=\"99.700\" timestamp=\"2026-11-30T00:00:00Z\">");
    assert_has(text, "<testcase name=\"switchover 2\" classname=\"drill.demo\" time=\"14.200\">");
    assert_has(text, "<property name=\"gap_ms.primary\" value=\"24812.438\"/>");
    assert_has(text, "<property name=\"bound_ms.primary\" value=\"23000.000\"/>");
    assert_has(text, "<property name=\"rows.lost\" value=\"2\"/>");
    assert_has(text, "<failure type=\"drill\" message=\"primary: 24812 ms without an answer, the "
                     "bound is 23000 ms\">");
    assert_has(text, "<skipped message=\"it takes three members of etcd, and there is one\"/>");
    free(text);
    drill_report_release(&r);
}

static void test_page(void **state)
{
    struct drill_report r;
    char *text;

    UNUSED(state);
    sample_report(&r);
    r.seed = 7;
    text = rendered(put_html, &r);
    assert_has(text, "<title>Drill of demo: failed</title>");
    assert_has(text, "<dt>Seed</dt><dd>7</dd>");
    assert_has(text, "<a href=\"#result-3\">host-lost</a>");
    assert_has(text, "id=\"result-3\"");
    assert_has(text, "replicas: no answer for 1,551 ms, from 5.20 s on");
    assert_has(text, "27.45 s promoted: db2 is promoted, timeline 5");
    assert_has(text, "3 after connecting again");
    assert_int_equal(times_in(text, "<svg"), 3);
    assert_int_equal(times_in(text, "<details"), 3);
    assert_int_equal(times_in(text, " open>"), 2); /* not the second run of the switchover */
    assert_int_equal(times_in(text, "<script"), 0);
    free(text);
    drill_report_release(&r);
}

/* An error, and no half of a page. */
static void test_page_too_large(void **state)
{
    struct err err = ERR_INIT;
    struct drill_report r;
    struct str out;
    char fault[4096];

    UNUSED(state);
    memset(fault, 'x', sizeof(fault) - 1);
    fault[sizeof(fault) - 1] = '\0';
    sample_report(&r);
    for (int i = 0; i < 5000; i++)
        vec_push(&r.results.items[2].faults, fault);
    str_init(&out, STR_MAX_TEXT);
    assert_int_equal(drill_put_html(&r, &out, &err), -1);
    assert_has(err.text, "the page of the drill: templates/drill-report.html.j2:");
    assert_int_equal(out.len, 0);
    err_release(&err);
    str_release(&out);
    drill_report_release(&r);
}

/* ---- the timeline ---- */

static double number_at(const struct value *map, const char *key)
{
    const struct value *v = value_get(map, key);

    assert_non_null(v);
    return v->type == VALUE_INT ? (double)v->u.i : v->u.f;
}

static const struct value *nth(const struct value *map, const char *list, size_t i)
{
    const struct value *items = value_get(map, list);

    assert_true(items && items->type == VALUE_LIST && i < items->u.list.n);
    return items->u.list.items[i];
}

static void test_timeline_places(void **state)
{
    struct arena a = ARENA_INIT;
    struct drill_result r = {.scenario = "x", .length_ms = 10000};
    struct drill_channel c = sample_channel("primary", "", 2500, 5000, 6000);
    const struct value *t, *row, *gap;
    double plot;

    UNUSED(state);
    sample_slots(&c, r.length_ms, 64);
    vec_push(&r.channels, c);
    t = drill_timeline(&r, &a);
    plot = number_at(t, "right") - number_at(t, "left");
    row = nth(t, "rows", 0);
    gap = value_get(row, "gap");
    assert_true(fabs(number_at(gap, "x") - (number_at(t, "left") + plot / 4)) < 0.1);
    assert_true(fabs(number_at(gap, "width") - plot / 2) < 0.1);
    assert_string_equal(value_get_str(gap, "text", ""), "5,000 ms");
    assert_string_equal(value_get_str(gap, "anchor", ""), "middle");
    assert_true(
        fabs(number_at(value_get(row, "bound"), "x") - (number_at(t, "left") + plot * 0.85)) < 0.1);
    assert_string_equal(value_get_str(nth(t, "ticks", 10), "text", ""), "10 s");
    assert_true(fabs(number_at(nth(t, "ticks", 10), "x") - number_at(t, "right")) < 0.1);
    drill_result_release(&r);
    arena_release(&a);
}

/* No two labels of a lane may need the same room, however near the events are. */
static void test_timeline_labels(void **state)
{
    static const double at_ms[] = {0, 10, 20, 5000, 5001, 9000, 9990, 10000};
    struct arena a = ARENA_INIT;
    struct drill_result r = {.scenario = "x", .length_ms = 10000};
    const struct value *t;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(at_ms); i++)
        sample_event(&r, at_ms[i], "fault", "twenty letters long.");
    t = drill_timeline(&r, &a);
    for (size_t i = 0; i < ARRAY_LEN(at_ms); i++)
        for (size_t k = i + 1; k < ARRAY_LEN(at_ms); k++) {
            const struct value *one = nth(t, "markers", i), *two = nth(t, "markers", k);
            double between = fabs(number_at(one, "text_x") - number_at(two, "text_x"));

            assert_true(number_at(one, "y") != number_at(two, "y") || between > 200);
        }
    assert_string_equal(value_get_str(nth(t, "markers", 7), "anchor", ""), "end");
    drill_result_release(&r);
    arena_release(&a);
}

static void test_timeline_of_many_events(void **state)
{
    struct arena a = ARENA_INIT;
    struct drill_result r = {.scenario = "x", .length_ms = 10000};
    const struct value *t;

    UNUSED(state);
    for (int i = 0; i < 200; i++)
        sample_event(&r, 5000, i ? "what" : "whole", NULL);
    t = drill_timeline(&r, &a);
    assert_true(number_at(t, "height") < 400);
    assert_false(value_get_bool(nth(t, "markers", 0), "labelled", true));
    assert_true(value_get_bool(nth(t, "markers", 199), "labelled", false));
    assert_string_equal(value_get_str(nth(t, "markers", 0), "class", ""), "whole");
    assert_string_equal(value_get_str(nth(t, "markers", 199), "class", ""), "other");
    drill_result_release(&r);
    arena_release(&a);
}

/* A day at full length becomes an outline of a page's size. */
static void test_timeline_joins_slots(void **state)
{
    struct arena a = ARENA_INIT;
    struct drill_result r = {.scenario = "x", .length_ms = 86400000};
    struct drill_channel c = sample_channel("primary", "", 1000, 5, -1);
    const struct value *row;

    UNUSED(state);
    sample_slots(&c, r.length_ms, 64);
    vec_push(&r.channels, c);
    row = nth(drill_timeline(&r, &a), "rows", 0);
    assert_true(strlen(value_get_str(row, "outline", "")) < 8000);
    assert_int_equal(value_get(row, "bound")->type, VALUE_NULL);
    drill_result_release(&r);
    arena_release(&a);
}

/* ---- anything at all ---- */

static void make_hostile(struct drill_report *r)
{
    r->version = r->cluster = r->provider = r->preset = r->synchronous = r->machine = HOSTILE;
    vec_each (result, &r->results) {
        result->scenario = result->summary = result->bound = HOSTILE;
        vec_push(&result->faults, HOSTILE);
        vec_each (e, &result->events)
            e->kind = e->text = HOSTILE;
        vec_each (c, &result->channels)
            c->name = c->address = HOSTILE;
        vec_each (copy, &result->copies)
            copy->member = HOSTILE;
    }
}

static void assert_harmless(const char *text)
{
    assert_true(utf8_valid(text, strlen(text)));
    assert_null(strstr(text, "</script>"));
    assert_null(strstr(text, "<b>&amp;"));
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\x01'));
    assert_null(strchr(text, '\r'));
}

static void test_hostile_texts(void **state)
{
    struct drill_report r;
    char *text;

    UNUSED(state);
    sample_report(&r);
    make_hostile(&r);
    text = rendered(put_html, &r);
    assert_harmless(text);
    assert_has(text, "&#60;/script&#62;]]&#62;&#34;&#39;&#60;b&#62;&#38;amp; {{ 1 }}"
                     "\xEF\xBF\xBD[2J\xEF\xBF\xBD&#13;&#10;| \xEF\xBF\xBD\xc3\xa9 *x*");
    free(text);
    text = rendered(drill_put_junit, &r);
    assert_harmless(text);
    free(text);
    text = rendered(drill_put_markdown, &r);
    assert_harmless(text);
    assert_has(text, "\\</script\\>\\]\\]\\>");
    assert_has(text, "\\|");
    assert_int_equal(times_in(text, "\n"), 3); /* all results are of one scenario now */
    free(text);
    text = rendered(put_plain, &r);
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\r'));
    assert_true(utf8_valid(text, strlen(text)));
    free(text);
    drill_report_release(&r);
}

static void test_empty_report(void **state)
{
    struct drill_report r;

    UNUSED(state);
    drill_report_init(&r);
    assert_true(drill_passed(&r));
    for (size_t i = 0; i < ARRAY_LEN(renderers); i++) {
        char *text = rendered(renderers[i], &r);

        assert_true(strlen(text) > 0);
        free(text);
    }
    drill_report_release(&r);
}

/* Results of which nothing but the name is known. */
static void test_bare_results(void **state)
{
    struct drill_report r;

    UNUSED(state);
    drill_report_init(&r);
    for (int i = DRILL_PASSED; i <= DRILL_SKIPPED; i++)
        vec_push(&r.results,
                 ((struct drill_result){
                     .scenario = "bare", .repetition = i + 1, .outcome = (enum drill_outcome)i}));
    vec_push(&r.results.items[0].channels, (struct drill_channel){.name = "primary"});
    for (size_t i = 0; i < ARRAY_LEN(renderers); i++) {
        char *text = rendered(renderers[i], &r);

        assert_has(text, "bare");
        free(text);
    }
    assert_reads_back(&r);
    drill_report_release(&r);
}

/* ---- comparing ---- */

static const struct drill_difference *difference_of(const struct drill_comparison *c,
                                                    const char *scenario, const char *channel)
{
    vec_each (d, &c->differences)
        if (str_eq(d->scenario, scenario) && str_eq(d->channel, channel))
            return d;
    fail_msg("%s %s was not compared", scenario, channel);
    return NULL;
}

static void test_compare_same(void **state)
{
    struct drill_comparison c;
    struct drill_report r;

    UNUSED(state);
    sample_report(&r);
    drill_compare(&r, &r, 0.25, 250, &c);
    assert_int_equal(c.worse, 0);
    assert_int_equal(c.notes.n, 0);
    assert_int_equal(c.differences.n, 8); /* two scenarios ran, through four channels */
    assert_true(difference_of(&c, "switchover", "primary")->now_ms > 2266); /* the median */
    assert_true(difference_of(&c, "switchover", "primary")->now_ms < 2267);
    drill_comparison_release(&c);
    drill_report_release(&r);
}

static void test_compare_gaps(void **state)
{
    struct drill_comparison c;
    struct drill_report then, now;

    UNUSED(state);
    sample_report(&then);
    sample_report(&now);
    now.results.items[2].channels.items[0].gap_ms *= 1.3;  /* by seven seconds */
    now.results.items[2].channels.items[1].gap_ms *= 1.15; /* less than a quarter */
    now.results.items[0].channels.items[1].gap_ms += 200;  /* more, but nothing to talk of */
    now.results.items[2].channels.items[3].gap_ms = 1;
    drill_compare(&then, &now, 0.25, 250, &c);
    assert_int_equal(c.worse, 1);
    assert_true(difference_of(&c, "host-lost", "primary")->worse);
    assert_false(difference_of(&c, "host-lost", "replicas")->worse);
    assert_false(difference_of(&c, "switchover", "replicas")->worse);
    assert_false(difference_of(&c, "host-lost", "plain libpq")->worse);
    drill_comparison_release(&c);
    drill_report_release(&then);
    drill_report_release(&now);
}

static void assert_note(const struct drill_comparison *c, bool worse, const char *text)
{
    vec_each (note, &c->notes)
        if (str_eq(note->text, text)) {
            assert_int_equal(note->worse, worse);
            return;
        }
    fail_msg("no note: %s", text);
}

static void test_compare_outcomes(void **state)
{
    struct drill_comparison c;
    struct drill_report then, now;

    UNUSED(state);
    sample_report(&then);
    sample_report(&now);
    now.preset = "default";
    now.pg_version = 18;
    now.results.items[1].outcome = DRILL_FAILED;  /* one of two */
    now.results.items[2].outcome = DRILL_SKIPPED; /* it ran then */
    now.results.items[3].scenario = "disk-full";  /* instead of one that did not run then */
    now.results.items[3].outcome = DRILL_PASSED;
    drill_compare(&then, &now, 0.25, 250, &c);
    assert_note(&c, false, "preset: fast then, default now");
    assert_note(&c, false, "PostgreSQL: 17 then, 18 now");
    assert_note(&c, true, "switchover fails now");
    assert_note(&c, true, "host-lost is skipped now");
    assert_note(&c, false, "disk-full is new");
    assert_int_equal(c.notes.n, 5);
    assert_int_equal(c.worse, 2);
    drill_comparison_release(&c);
    drill_compare(&now, &then, 0.25, 250, &c); /* the other way round */
    assert_note(&c, false, "switchover does not fail any more");
    assert_note(&c, true, "host-lost is new, and fails");
    assert_note(&c, true, "disk-full is not in the new report");
    drill_comparison_release(&c);
    drill_report_release(&then);
    drill_report_release(&now);
}

static void test_compare_is_told(void **state)
{
    struct arena a = ARENA_INIT;
    struct drill_comparison c;
    struct drill_report then, now;
    struct str out;
    const struct value *v;

    UNUSED(state);
    sample_report(&then);
    sample_report(&now);
    now.results.items[2].channels.items[0].gap_ms = 40000;
    now.results.items[1].outcome = DRILL_FAILED;
    drill_compare(&then, &now, 0.25, 250, &c);
    str_init(&out, STR_MAX_TEXT);
    drill_comparison_format(&c, false, &out);
    assert_has(out.buf, "switchover fails now\n\n"
                        "scenario        channel   then    now  change\n"
                        "switchover      primary   2.27   2.27    +0 %\n");
    assert_has(out.buf, "host-lost       primary  24.81  40.00   +61 %  worse\n");
    assert_has(out.buf, "\n2 worse\n");
    str_clear(&out);
    drill_comparison_format(&c, true, &out);
    assert_has(out.buf, "\033[1;31mswitchover fails now\033[0m\n");
    v = drill_comparison_to_value(&c, &a);
    assert_false(value_get_bool(v, "ok", true));
    assert_int_equal(value_get_int(v, "worse", 0), 2);
    assert_string_equal(value_get_str(nth(v, "notes", 0), "text", ""), "switchover fails now");
    assert_true(value_get_bool(nth(v, "differences", 4), "worse", false));
    assert_true(number_at(nth(v, "differences", 4), "now_ms") == 40000);
    str_release(&out);
    drill_comparison_release(&c);
    drill_report_release(&then);
    drill_report_release(&now);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value_reads_back),
        cmocka_unit_test(test_value_keeps_what_it_was_given),
        cmocka_unit_test(test_value_refuses_junk),
        cmocka_unit_test(test_value_passes_over_unknown_keys),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_table_has_columns_for_other_faults),
        cmocka_unit_test(test_table_in_colours),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_junit),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_page_too_large),
        cmocka_unit_test(test_timeline_places),
        cmocka_unit_test(test_timeline_labels),
        cmocka_unit_test(test_timeline_of_many_events),
        cmocka_unit_test(test_timeline_joins_slots),
        cmocka_unit_test(test_hostile_texts),
        cmocka_unit_test(test_empty_report),
        cmocka_unit_test(test_bare_results),
        cmocka_unit_test(test_compare_same),
        cmocka_unit_test(test_compare_gaps),
        cmocka_unit_test(test_compare_outcomes),
        cmocka_unit_test(test_compare_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
