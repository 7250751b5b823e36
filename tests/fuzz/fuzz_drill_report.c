/*
 * fuzz_drill_report.c - any JSON is read as a drill's report or refused; what is read can be told
 * in every form, written and read again.
 */
#include "lib/doc/json.h"
#include "lib/drill/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct drill_report *r, struct arena *a)
{
    const struct value *v = drill_to_value(r, a);
    struct err err = ERR_INIT;
    struct drill_report again;

    drill_report_init(&again);
    if (drill_from_value(v, &again, &err) < 0)
        BUG("what was written cannot be read: %s", err.text);
    if (!value_equal(v, drill_to_value(&again, a)))
        BUG("what was written reads back as something else");
    drill_report_release(&again);
}

/* The page may become too large, which is an error. */
static void render_all(const struct drill_report *r)
{
    struct drill_comparison c;
    struct err err = ERR_INIT;
    struct str out;

    str_init(&out, STR_MAX_TEXT);
    drill_format(r, true, &out);
    drill_put_markdown(r, &out);
    drill_put_junit(r, &out);
    if (drill_put_html(r, &out, &err) < 0)
        err_release(&err);
    drill_compare(r, r, 0.25, 250, &c);
    if (c.worse)
        BUG("a report is not worse than itself");
    drill_comparison_format(&c, true, &out);
    drill_comparison_release(&c);
    str_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    struct drill_report r;
    const struct value *v = json_parse(&arena, "fuzz.json", (const char *)data, size, &err);

    drill_report_init(&r);
    if (v && drill_from_value(v, &r, &err) == 0) {
        check_round_trip(&r, &arena);
        render_all(&r);
    }
    drill_report_release(&r);
    err_release(&err);
    arena_release(&arena);
    return 0;
}
