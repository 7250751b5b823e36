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
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_next),
    };

    return cmocka_run_group_tests_name("event_json", tests, NULL, NULL);
}
