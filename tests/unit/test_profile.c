/*
 * test_profile.c - where a run's time went: from events, and from the log that a run left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/deploy/profile.h"
#include "lib/deploy/run_log.h"

static const struct event run[] = {
    {.kind = EVENT_RUN, .text = "up"},
    {.kind = EVENT_STAGE, .stage = "hosts"},
    {.kind = EVENT_HOST, .host = "host.db1", .task = "create", .text = "creating"},
    {.kind = EVENT_CHANGED, .host = "host.db1", .task = "create"},
    {.kind = EVENT_STAGE_END, .stage = "hosts", .elapsed_ms = 900},
    {.kind = EVENT_STAGE, .stage = "converge"},
    {.kind = EVENT_HOST, .host = "db1", .task = "connecting"},
    {.kind = EVENT_CHANGED, .host = "db1", .task = "install", .where = "a:1", .elapsed_ms = 3000},
    {.kind = EVENT_CHANGED, .host = "db1", .task = "users", .where = "a:5", .elapsed_ms = 20},
    {.kind = EVENT_CHANGED, .host = "db1", .task = "users", .where = "a:5", .elapsed_ms = 30},
    {.kind = EVENT_OK, .host = "db1", .task = "looked at"},
    {.kind = EVENT_FAILED, .host = "db2", .task = "install", .where = "a:1", .elapsed_ms = 4000},
    {.kind = EVENT_FAILED, .host = "db2", .text = "db2: install: it failed"},
    {.kind = EVENT_HOST_END,
     .host = "db1",
     .trips = 3,
     .elapsed_ms = 4000,
     .connect_ms = 400,
     .trips_ms = 3200},
    {.kind = EVENT_HOST_END,
     .host = "db2",
     .failed = 1,
     .trips = 1,
     .elapsed_ms = 5000,
     .connect_ms = 500,
     .trips_ms = 4500},
    {.kind = EVENT_RUN_END, .failed = 1, .elapsed_ms = 6500},
};

/* Half a second from event to event. */
static void add_run(struct profile *p)
{
    profile_init(p);
    for (size_t i = 0; i < ARRAY_LEN(run); i++)
        profile_add(p, &run[i], 100000 + (int64_t)i * 500);
}

static const struct value *nth(const struct value *v, const char *list, size_t i)
{
    const struct value *items = value_get(v, list);

    assert_true(i < items->u.list.n);
    return items->u.list.items[i];
}

static void test_value(void **state)
{
    struct arena a = ARENA_INIT;
    struct profile p;
    const struct value *v, *item;

    UNUSED(state);
    add_run(&p);
    v = profile_to_value(&p, &a);
    assert_string_equal(value_get_str(v, "command", ""), "up");
    assert_int_equal(value_get_int(v, "elapsed_ms", 0), 6500);
    item = nth(v, "stages", 0);
    assert_int_equal(value_get_int(item, "elapsed_ms", 0), 900);
    item = nth(v, "stages", 1); /* failed: as long as anything was heard */
    assert_string_equal(value_get_str(item, "stage", ""), "converge");
    assert_int_equal(value_get_int(item, "elapsed_ms", 0), 5000);
    assert_false(value_get_bool(item, "ended", true));
    item = nth(v, "tasks", 0);
    assert_string_equal(value_get_str(item, "host", ""), "db2");
    assert_int_equal(value_get_int(item, "elapsed_ms", 0), 4000);
    item = nth(v, "tasks", 2); /* no time of its own: since it began */
    assert_string_equal(value_get_str(item, "host", ""), "host.db1");
    assert_int_equal(value_get_int(item, "elapsed_ms", 0), 500);
    item = nth(v, "tasks", 3); /* both items of the loop */
    assert_int_equal(value_get_int(item, "elapsed_ms", 0), 50);
    assert_int_equal(value_get(v, "tasks")->u.list.n, 4);
    item = nth(v, "hosts", 0);
    assert_string_equal(value_get_str(item, "host", ""), "db2");
    assert_true(value_get_bool(item, "failed", false));
    item = nth(v, "hosts", 1);
    assert_int_equal(value_get_int(item, "waiting_ms", 0), 400);
    assert_int_equal(value_get(v, "hosts")->u.list.n, 2); /* a resource is no host */
    arena_release(&a);
    profile_release(&p);
}

static void test_text(void **state)
{
    struct profile p;
    struct str text;

    UNUSED(state);
    add_run(&p);
    str_init(&text, STR_MAX_TEXT);
    profile_format(&p, &text);
    assert_non_null(strstr(text.buf, "Timing of up: 6.5 s\n"));
    assert_non_null(strstr(text.buf, "  14%\n"));
    assert_non_null(strstr(text.buf, "  77%  did not end\n"));
    assert_non_null(strstr(text.buf, "4.0  db2\n"));
    assert_non_null(strstr(text.buf, "0.5   10%     4.5   90%     0.0    0%      1  failed\n"));
    str_release(&text);
    profile_release(&p);
}

/* Only the slowest are told, in order. */
static void test_many(void **state)
{
    struct arena a = ARENA_INIT;
    struct profile p;
    const struct value *tasks;

    UNUSED(state);
    profile_init(&p);
    for (int i = 0; i < 500; i++) {
        struct event e = {.kind = EVENT_CHANGED, .host = "db1", .elapsed_ms = 1 + i * 7919 % 1000};
        char name[24];

        snprintf(name, sizeof(name), "task %d", i);
        e.task = name;
        profile_add(&p, &e, 1 + i);
    }
    tasks = value_get(profile_to_value(&p, &a), "tasks");
    assert_int_equal(tasks->u.list.n, PROFILE_SLOWEST);
    for (size_t i = 1; i < tasks->u.list.n; i++)
        assert_true(value_get_int(tasks->u.list.items[i - 1], "elapsed_ms", 0) >=
                    value_get_int(tasks->u.list.items[i], "elapsed_ms", 0));
    assert_int_equal(value_get_int(tasks->u.list.items[0], "elapsed_ms", 0), 1000);
    arena_release(&a);
    profile_release(&p);
}

static void test_nothing(void **state)
{
    struct profile p;
    struct str text;

    UNUSED(state);
    profile_init(&p);
    str_init(&text, STR_MAX_TEXT);
    profile_format(&p, &text);
    assert_string_equal(text.buf, "Timing of the run: 0.0 s\n");
    str_release(&text);
    profile_release(&p);
}

static void test_secrets(void **state)
{
    struct profile p;
    struct str text;

    UNUSED(state);
    log_secret("fake-canary");
    profile_init(&p);
    profile_add(
        &p,
        &(struct event){
            .kind = EVENT_CHANGED, .host = "db1", .task = "use fake-canary", .elapsed_ms = 5},
        1);
    str_init(&text, STR_MAX_TEXT);
    profile_format(&p, &text);
    assert_null(strstr(text.buf, "canary"));
    assert_non_null(strstr(text.buf, "use ********"));
    str_release(&text);
    profile_release(&p);
}

/* ---- the log of a run ---- */

static char folder[] = "/tmp/pgha-test-profile.XXXXXX";

static int make_folder(void **state)
{
    UNUSED(state);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    struct err err = ERR_INIT;

    UNUSED(state);
    return file_remove_tree(folder, &err);
}

static void log_stage(struct run_log *log, const char *stage, int64_t ms)
{
    struct event_sink *sink = run_log_sink(log);

    event_send(sink, &(struct event){.kind = EVENT_STAGE, .stage = stage});
    event_send(sink,
               &(struct event){.kind = EVENT_CHANGED, .host = "db1", .task = "\"kind\":\"run"});
    event_send(sink, &(struct event){.kind = EVENT_STAGE_END, .stage = stage, .elapsed_ms = ms});
}

static void log_run(const char *command, int64_t ms, bool failed)
{
    struct err err = ERR_INIT;
    struct run_log *log = run_log_open(folder, command, NULL, &err);
    int64_t now = clock_real_ms();

    assert_non_null(log);
    log_stage(log, "converge", ms);
    if (!failed)
        log_stage(log, "verify", 10);
    run_log_close(log, failed);
    while (clock_real_ms() == now) /* a log's name is its millisecond */
        ;
}

static void test_log(void **state)
{
    struct err err = ERR_INIT;
    struct eta_stages expected;
    struct profile p;
    char *path;

    UNUSED(state);
    run_log_expect(folder, "up", &expected);
    assert_int_equal(expected.list.n, 0); /* no folder */
    profile_init(&p);
    assert_int_equal(run_log_profile(folder, NULL, &p, &path, &err), -1);
    assert_null(path);
    assert_non_null(strstr(err.text, "no log"));
    err_release(&err);
    log_run("up", 5000, false);
    log_run("down", 70, false);
    log_run("up", 9, true);
    run_log_expect(folder, "up", &expected);
    assert_int_equal(expected.list.n, 2); /* of the one that ended well */
    assert_int_equal(expected.list.items[0].ms, 5000);
    eta_stages_release(&expected);
    assert_int_equal(run_log_profile(folder, NULL, &p, &path, &err), 0);
    assert_string_equal(p.command, "up");
    assert_int_equal(p.stages.n, 1);
    assert_int_equal(p.stages.items[0].elapsed_ms, 9);
    free(path);
    profile_release(&p);
    profile_init(&p);
    assert_int_equal(run_log_profile(folder, "1970", &p, &path, &err), -1);
    assert_non_null(strstr(err.text, "no log of a run of 1970"));
    err_release(&err);
    profile_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test_setup_teardown(test_log, make_folder, remove_folder),
    };

    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
