/* drill.c - break the cluster on purpose, and tell what its clients saw. */
#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/doc/json.h"
#include "lib/drill/drill.h"

enum { WRITERS = 8, MAX_REPEAT = 1000, MAX_NAMES = 64 };

#define COMPARE_TOLERANCE 0.25
#define COMPARE_FLOOR_MS  1000.0

/* ---- what is asked for ---- */

struct request {
    VEC(const struct scenario *) scenarios;
    int repeat;
    int64_t seed, for_ms; /* -1: not --random */
};

static int parse_number(const char *option, const char *text, int64_t most, int64_t *out,
                        struct err *err)
{
    char *end;
    long long n = strtoll(text, &end, 10);

    if (*end || end == text || n < 0 || n > most)
        return err_set(err, ERR_USAGE, "--%s: \"%s\" is no number from 0 to %lld", option, text,
                       (long long)most);
    *out = n;
    return 0;
}

/* "90s", "30m", "2h". */
static int parse_duration(const char *text, int64_t *ms, struct err *err)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}};
    char *end;
    long long n = strtoll(text, &end, 10);

    for (size_t i = 0; n > 0 && n <= 100000 && *end && !end[1] && i < ARRAY_LEN(units); i++)
        if (*end == units[i].unit) {
            *ms = n * units[i].ms;
            return 0;
        }
    return err_set(err, ERR_USAGE, "--for: \"%s\" is no duration such as 90s, 30m, 2h", text);
}

static int add_named(struct request *r, const char *name, struct err *err)
{
    const struct scenario *scenario = scenario_find(name);

    if (!scenario) {
        err_set(err, ERR_USAGE, "there is no scenario \"%s\"", name);
        return err_hint(err, "`pgha-deploy drill --list` shows them");
    }
    vec_push(&r->scenarios, scenario);
    return 0;
}

static int read_random(const struct context *ctx, struct request *r, struct err *err)
{
    const char *seed = option_get(ctx, "seed"), *length = option_get(ctx, "for");

    r->seed = r->for_ms = -1;
    if (!option_given(ctx, "random")) {
        return seed || length ? err_set(err, ERR_USAGE, "--seed and --for go with --random") : 0;
    }
    random_bytes(&r->seed, sizeof(r->seed));
    r->seed &= UINT32_MAX;
    if (seed && parse_number("seed", seed, INT64_MAX, &r->seed, err) < 0)
        return -1;
    return parse_duration(length ? length : "30m", &r->for_ms, err);
}

static int read_request(const struct context *ctx, int argc, char **argv, struct request *r,
                        struct err *err)
{
    const char *repeat = option_get(ctx, "repeat");
    int64_t times = 1;

    if (read_random(ctx, r, err) < 0 ||
        (repeat && parse_number("repeat", repeat, MAX_REPEAT, &times, err) < 0))
        return -1;
    r->repeat = (int)times;
    for (int i = 0; i < argc; i++)
        if (add_named(r, argv[i], err) < 0)
            return -1;
    if (argc == 0 && (option_given(ctx, "all") || r->seed >= 0))
        for (size_t i = 0; scenarios[i]; i++)
            vec_push(&r->scenarios, scenarios[i]);
    if (r->scenarios.n == 0)
        return err_set(err, ERR_USAGE, "which scenario? Name some, or --all; --list shows them");
    return 0;
}

/* ---- running ---- */

static void describe_machine(struct drill_report *report)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);

    report->machine =
        arena_printf(&report->arena, "%ld cores, %.0f GB", cores, memory / 1024 / 1024 / 1024);
}

static void describe(const struct cluster *c, const struct request *r, struct drill_report *report)
{
    report->version = PGHA_VERSION;
    report->cluster = c->name;
    report->provider = c->provider;
    report->preset = c->preset->name;
    report->synchronous = value_get_str(value_at(c->config, "postgres"), "synchronous", "");
    report->pg_version = c->pg_version;
    report->started_ms = clock_real_ms();
    report->seed = r->seed;
    describe_machine(report);
}

/* splitmix64 (Steele, Lea, Flood 2014): the same seed gives the same drill everywhere. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static int run_random(struct drill *d, const struct request *r, struct drill_report *report,
                      struct err *err)
{
    int64_t deadline = clock_mono_ms() + r->for_ms;
    uint64_t state = (uint64_t)r->seed;

    for (int turn = 1; r->scenarios.n > 0 && clock_mono_ms() < deadline; turn++) {
        size_t which = next_random(&state) % r->scenarios.n;

        if (drill_run(d, r->scenarios.items[which], turn, report, err) < 0)
            return -1;
    }
    return 0;
}

static int run_in_order(struct drill *d, const struct request *r, struct drill_report *report,
                        struct err *err)
{
    vec_each (scenario, &r->scenarios)
        for (int turn = 1; turn <= r->repeat; turn++)
            if (drill_run(d, *scenario, turn, report, err) < 0)
                return -1;
    return 0;
}

static int64_t max_rpo(const struct cluster *c)
{
    const struct value *given = value_at(c->config, "drill.max_rpo");
    const struct value *synchronous = value_at(c->config, "postgres.synchronous");

    if (given)
        return given->u.i;
    return synchronous && str_eq(synchronous->u.str.s, "off") ? -1 : 0;
}

static int run_drill(struct deploy *d, const struct request *r, struct drill_report *report,
                     struct err *err)
{
    struct check_target target = deploy_check_target(d);
    struct drill_settings settings = {
        .target = &target,
        .provider = d->provider,
        .session = d->session,
        .events = d->events,
        .writers = WRITERS,
        .max_rpo = max_rpo(d->cluster),
        .max_rto = value_at(d->cluster->config, "drill.max_rto"),
    };
    char *journals = path_join(d->state_dir, "drills");
    struct drill drill;
    int rc;

    settings.journals = journals;
    rc = drill_open(&drill, &settings, err);
    describe(d->cluster, r, report);
    if (rc == 0)
        rc = r->seed >= 0 ? run_random(&drill, r, report, err)
                          : run_in_order(&drill, r, report, err);
    drill_close(&drill);
    free(journals);
    return rc;
}

/* ---- telling ---- */

static void put_json(const struct drill_report *report, struct str *out)
{
    struct arena arena = ARENA_INIT;

    json_write(drill_to_value(report, &arena), JSON_PRETTY, out);
    arena_release(&arena);
}

static int write_pages(const struct context *ctx, const struct drill_report *report,
                       struct err *err)
{
    const char *html = option_get(ctx, "html"), *junit = option_get(ctx, "junit"),
               *json = option_get(ctx, "report"), *markdown = option_get(ctx, "markdown");
    struct str text;
    int rc = 0;

    str_init(&text, STR_MAX_TEXT);
    if (json) {
        put_json(report, &text);
        rc = file_write(json, text.buf, text.len, 0644, err);
    }
    if (junit && rc == 0) {
        str_clear(&text);
        drill_put_junit(report, &text);
        rc = file_write(junit, text.buf, text.len, 0644, err);
    }
    if (markdown && rc == 0) {
        str_clear(&text);
        drill_put_markdown(report, &text);
        rc = file_write(markdown, text.buf, text.len, 0644, err);
    }
    if (html && rc == 0) {
        str_clear(&text);
        rc = drill_put_html(report, &text, err);
        if (rc == 0)
            rc = file_write(html, text.buf, text.len, 0644, err);
    }
    str_release(&text);
    return rc;
}

static void print_report(const struct context *ctx, const struct drill_report *report)
{
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    if (ctx->json)
        put_json(report, &text);
    else
        drill_format(report, ui_colour(STDOUT_FILENO), &text);
    print_text(&text);
    str_release(&text);
}

static int tell(const struct context *ctx, const struct drill_report *report, struct err *why)
{
    struct err err = ERR_INIT;
    int status = drill_passed(report) ? 0 : err_exit_status(ERR_VERIFY);

    ui_finish();
    print_report(ctx, report);
    if (write_pages(ctx, report, &err) < 0)
        status = report_err(&err);
    return why->code ? report_err(why) : status;
}

/* ---- the command ---- */

static int print_list(const struct context *ctx)
{
    struct cluster c;
    struct str text;
    int status;

    if ((status = load_cluster(ctx, &c)) < 0) {
        str_init(&text, STR_MAX_TEXT);
        scenarios_format(c.preset, &text);
        print_text(&text);
        str_release(&text);
        status = 0;
    }
    cluster_release(&c);
    return status;
}

static bool may_break(struct context *ctx, const struct cluster *c)
{
    const struct value *allowed = value_at(c->config, "drill.allowed");
    char *question;
    bool yes;

    if (ctx->yes || (allowed && str_eq(allowed->u.str.s, "on")))
        return true;
    question =
        xasprintf("Cluster %s will be broken on purpose; its clients will feel it.", c->name);
    yes = isatty(STDIN_FILENO) && ui_confirm(ctx, question);
    free(question);
    return yes;
}

static int drill_on(struct context *ctx, const struct request *r, struct deploy *d)
{
    struct err err = ERR_INIT;
    struct drill_report report;
    int status;

    if (!may_break(ctx, d->cluster)) {
        err_set(&err, ERR_USAGE, "cluster %s is not marked for drills", d->cluster->name);
        err_hint(&err, "--yes, or `drill: {allowed: on}` in the cluster file");
        return report_err(&err);
    }
    drill_report_init(&report);
    d->failed = run_drill(d, r, &report, &err) < 0;
    status = tell(ctx, &report, &err);
    drill_report_release(&report);
    return status;
}

static int read_report(const char *path, struct drill_report *report, struct err *err)
{
    const struct value *v = json_parse_file(&report->arena, path, err);

    return v ? drill_from_value(v, report, err) : -1;
}

static int compare(struct context *ctx, const char *then_path, const char *now_path)
{
    struct drill_report then, now;
    struct drill_comparison comparison;
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    struct str text;
    int status;

    drill_report_init(&then);
    drill_report_init(&now);
    if (read_report(then_path, &then, &err) < 0 || read_report(now_path, &now, &err) < 0) {
        status = report_err(&err);
    } else {
        drill_compare(&then, &now, COMPARE_TOLERANCE, COMPARE_FLOOR_MS, &comparison);
        str_init(&text, STR_MAX_TEXT);
        if (ctx->json)
            json_write(drill_comparison_to_value(&comparison, &arena), JSON_PRETTY, &text);
        else
            drill_comparison_format(&comparison, ui_colour(STDOUT_FILENO), &text);
        print_text(&text);
        status = comparison.worse ? err_exit_status(ERR_VERIFY) : 0;
        str_release(&text);
        drill_comparison_release(&comparison);
        arena_release(&arena);
    }
    drill_report_release(&then);
    drill_report_release(&now);
    return status;
}

static int run(struct context *ctx, int argc, char **argv)
{
    struct request request = {.repeat = 1};
    struct err err = ERR_INIT;
    struct cluster c;
    struct deploy d;
    int status;

    if (option_given(ctx, "list"))
        return print_list(ctx);
    if (argc == 3 && str_eq(argv[0], "compare"))
        return compare(ctx, argv[1], argv[2]);
    if (read_request(ctx, argc, argv, &request, &err) < 0) {
        status = report_err(&err);
    } else {
        if ((status = open_deploy(ctx, DEPLOY_DRILL, &c, &d)) < 0)
            status = drill_on(ctx, &request, &d);
        close_deploy(&c, &d);
    }
    vec_release(&request.scenarios);
    return status;
}

static const struct option_row options[] = {
    {"list", 0, NULL, "show every scenario, and how long it may be felt by the preset's timers"},
    {"all", 0, NULL, "every scenario, one after the other"},
    {"repeat", 0, "N", "each so often (1)"},
    {"random", 0, NULL, "scenarios at random, those named or all, until --for is over"},
    {"seed", 0, "S", "of --random: the same seed gives the same order; chosen when not given"},
    {"for", 0, "TIME", "of --random: 90s, 30m, 2h (30m)"},
    {"report", 0, "FILE", "write the report as JSON, for `drill compare`"},
    {"html", 0, "FILE", "write it as a page"},
    {"junit", 0, "FILE", "write it as JUnit XML"},
    {"markdown", 0, "FILE", "write it as a table; repetitions are one row, median and worst"},
    {NULL, 0, NULL, NULL},
};

const struct command cmd_drill = {
    "drill",
    "break the cluster on purpose, measure what its clients see, count what was lost",
    "SCENARIO... | compare A.json B.json",
    "Clients write and read through the virtual address while a fault is made, and healed again. "
    "Every acknowledged write must be on every member afterwards, the longest time without an "
    "answer must not pass the bound that follows from the timers, and the cluster must be whole. "
    "Exits with 3 when something of that does not hold.\n\ncompare: what is worse in report B than "
    "in report A.",
    options,
    0,
    MAX_NAMES,
    run};
