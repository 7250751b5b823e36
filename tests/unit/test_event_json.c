/*
 * test_event_json.c - events as lines of JSON: complete, redacted, whoever reads.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/doc/event_json.h"
#include "lib/doc/json.h"

/* What one event becomes; the caller frees. */
static char *written(const struct event *e)
{
    struct event_json *j;
    char buf[4096];
    ssize_t n;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    j = event_json_new(ends[1], NULL);
    event_send(event_json_sink(j), e);
    event_json_free(j);
    n = read(ends[0], buf, sizeof(buf) - 1);
    close(ends[0]);
    assert_true(n > 0);
    buf[n] = '\0';
    return xstrdup(buf);
}

static void test_fields(void **state)
{
    char *line = written(&(struct event){.kind = EVENT_CHANGED,
                                         .stage = "converge",
                                         .host = "db1",
                                         .text = "two\nlines \"quoted\"",
                                         .done = 3});
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    const struct value *v = json_parse(&a, "line", line, strlen(line), &err);

    UNUSED(state);
    assert_non_null(v);
    assert_string_equal(strchr(line, '\n'), "\n"); /* one line, ended */
    assert_string_equal(value_get_str(v, "kind", ""), "changed");
    assert_string_equal(value_get_str(v, "host", ""), "db1");
    assert_string_equal(value_get_str(v, "text", ""), "two\nlines \"quoted\"");
    assert_int_equal(value_get_int(v, "done", 0), 3);
    assert_null(value_get(v, "task"));
    assert_int_equal(strlen(value_get_str(v, "time", "")), strlen("2026-01-31T12:00:00.000Z"));
    arena_release(&a);
    free(line);
}

static void test_secrets(void **state)
{
    char *line;

    UNUSED(state);
    log_secret("fake\"canary\\1");
    line = written(&(struct event){.kind = EVENT_NOTE, .text = "it is fake\"canary\\1, see"});
    assert_non_null(strstr(line, "********"));
    assert_null(strstr(line, "canary"));
    free(line);
}

static void test_read(void **state)
{
    struct event e;
    char *line = written(&(struct event){.kind = EVENT_HOST_END,
                                         .host = "db1",
                                         .done = 2,
                                         .trips = 3,
                                         .elapsed_ms = 5000000000,
                                         .trips_ms = 7});
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    int64_t at = 0;

    UNUSED(state);
    assert_int_equal(event_json_read(&a, line, strcspn(line, "\n"), &e, &at, &err), 0);
    assert_int_equal(e.kind, EVENT_HOST_END);
    assert_string_equal(e.host, "db1");
    assert_null(e.task);
    assert_int_equal(e.done, 2);
    assert_int_equal(e.trips, 3);
    assert_int_equal(e.elapsed_ms, 5000000000);
    assert_int_equal(e.connect_ms, 0);
    assert_in_range(clock_real_ms() - at, 0, 60000);
    free(line);
    arena_release(&a);
}

static void test_read_faults(void **state)
{
    static const char *const lines[] = {
        "",
        "[]",
        "{\"time\":\"2026-01-31T12:00:00.000Z\"}",
        "{\"time\":\"2026-01-31T12:00:00.000Z\",\"kind\":\"bang\"}",
        "{\"time\":\"2026-01-31T12:00:00\",\"kind\":\"note\"}",
        "{\"time\":\"2026-01-31T12:00:00.000Z or so\",\"kind\":\"note\"}",
        "{\"time\":7,\"kind\":\"note\"}",
        "{\"time\":\"2026-01-31T12:00:00.000Z\",\"kind\":\"no",
    };
    struct arena a = ARENA_INIT;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct err err = ERR_INIT;
        struct event e;
        int64_t at;

        assert_int_equal(event_json_read(&a, lines[i], strlen(lines[i]), &e, &at, &err), -1);
        assert_non_null(err.text);
        err_release(&err);
    }
    arena_release(&a);
}

/* Every kind and field that there is stands in the page. */
static void test_docs(void **state)
{
    struct str docs;
    struct arena a = ARENA_INIT;

    UNUSED(state);
    str_init(&docs, STR_MAX_TEXT);
    event_json_write_docs(&docs);
    for (int kind = EVENT_RUN; kind <= EVENT_NOTE; kind++) {
        char *line =
            written(&(struct event){kind, "s", "h", "t", "x", "d", "w", 1, 1, 1, 1, 1, 1, 1});
        struct err err = ERR_INIT;
        const struct value *v = json_parse(&a, "line", line, strlen(line), &err);
        char row[64];

        snprintf(row, sizeof(row), "\n| `%s` | ", value_get_str(v, "kind", "?"));
        assert_non_null(strstr(docs.buf, row));
        assert_int_equal(v->u.map.n, 15); /* all fields, time and kind */
        for (size_t i = 2; i < v->u.map.n; i++) {
            snprintf(row, sizeof(row), "\n| `%s` | ", v->u.map.entries[i].key);
            assert_non_null(strstr(docs.buf, row));
        }
        free(line);
    }
    str_release(&docs);
    arena_release(&a);
}

struct counter {
    struct event_sink sink;
    int events;
};

static void count_event(struct event_sink *sink, const struct event *e)
{
    UNUSED(e);
    ((struct counter *)sink)->events++;
}

static void test_next(void **state)
{
    struct counter counter = {.sink = {count_event}};
    struct event_json *j = event_json_new(open("/dev/full", O_WRONLY), &counter.sink);

    UNUSED(state);
    event_send(event_json_sink(j), &(struct event){.kind = EVENT_NOTE, .text = "x"});
    assert_int_equal(counter.events, 1); /* a full disk ends nothing */
    event_json_free(j);
    event_json_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),      cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_next),        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_faults), cmocka_unit_test(test_docs),
    };

    return cmocka_run_group_tests_name("event_json", tests, NULL, NULL);
}
