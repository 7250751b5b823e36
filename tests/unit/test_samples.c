/*
 * test_samples.c - gaps, phases, percentiles and slots of attempts that are made up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/drill/sample.h"

enum { MS = 1000, CLIENTS = 3 };

struct scene {
    struct sample_series series[CLIENTS];
    struct drill_channel channel;
};

static void add(struct scene *s, size_t client, bool connect, bool answered, int64_t start_ms,
                int64_t end_ms)
{
    assert_int_equal(sample_add(&s->series[client], connect, answered, start_ms * MS, end_ms * MS),
                     0);
}

static void answer(struct scene *s, size_t client, int64_t start_ms, int64_t end_ms)
{
    add(s, client, false, true, start_ms, end_ms);
}

static const struct drill_channel *figures(struct scene *s, size_t clients, int64_t fault_ms,
                                           int64_t end_ms)
{
    const struct sample_series *series[CLIENTS] = {&s->series[0], &s->series[1], &s->series[2]};

    vec_release(&s->channel.slots);
    sample_figures(series, clients, fault_ms < 0 ? -1 : fault_ms * MS, end_ms * MS, &s->channel);
    return &s->channel;
}

static void release_scene(struct scene *s)
{
    for (size_t i = 0; i < CLIENTS; i++)
        sample_release(&s->series[i]);
    vec_release(&s->channel.slots);
}

#define assert_ms(got, wanted) assert_float_equal(got, wanted, 0.0005)

static void test_no_answer(void **state)
{
    struct scene s = {0};
    const struct drill_channel *c;

    UNUSED(state);
    add(&s, 0, true, false, 0, 500);
    add(&s, 0, true, true, 510, 520);
    c = figures(&s, 2, 200, 1000);
    assert_int_equal(c->clients, 2);
    assert_int_equal(c->answered, 0);
    assert_int_equal(c->failed, 1);
    assert_ms(c->gap_ms, 1000);
    assert_ms(c->gap_from_ms, 0);
    assert_ms(c->client_gap_ms, 1000);
    assert_int_equal(c->slots.n, 11);
    assert_int_equal(c->connects[DRILL_DURING].n, 1);
    assert_int_equal(c->answers[DRILL_DURING].n, 0);
    assert_ms(c->connects[DRILL_DURING].longest, 10);
    release_scene(&s);
}

/* Two clients: the address has a gap of 300 ms, one client waits for 450. */
static void test_gaps(void **state)
{
    struct scene s = {0};
    const struct drill_channel *c;

    UNUSED(state);
    for (int64_t at = 0; at < 500; at += 50)
        answer(&s, 0, at, at + 10);
    for (int64_t at = 0; at < 400; at += 50)
        answer(&s, 1, at, at + 10);
    answer(&s, 1, 740, 760); /* 460 to 760 */
    answer(&s, 0, 890, 910); /* its own: 460 to 910 */
    answer(&s, 1, 990, 1000);
    c = figures(&s, 2, 470, 1000);
    assert_ms(c->gap_ms, 300);
    assert_ms(c->gap_from_ms, 460);
    assert_ms(c->client_gap_ms, 450);
    assert_int_equal(c->answered, 21);
    assert_int_equal(c->failed, 0);
    /* A third client that waits from the beginning changes nothing for the address. */
    answer(&s, 2, 980, 990);
    c = figures(&s, 3, 470, 1000);
    assert_ms(c->gap_ms, 300);
    assert_ms(c->client_gap_ms, 990);
    assert_int_equal(c->answered, 22);
    release_scene(&s);
}

static void test_gap_edges(void **state)
{
    struct scene s = {0};

    UNUSED(state);
    answer(&s, 0, 90, 100);
    answer(&s, 0, 110, 120);
    answer(&s, 0, 440, 450);
    answer(&s, 0, 460, 470);
    /* Without a fault: the longest of all, its beginning and end included. */
    assert_ms(figures(&s, 1, -1, 480)->gap_ms, 330);
    assert_ms(figures(&s, 1, -1, 900)->gap_ms, 430);
    assert_ms(s.channel.gap_from_ms, 470);
    /* A gap that was over before the fault is none of it; one that began before is. */
    assert_ms(figures(&s, 1, 455, 480)->gap_ms, 20);
    assert_ms(figures(&s, 1, 300, 480)->gap_ms, 330);
    assert_ms(figures(&s, 1, 450, 480)->gap_ms, 330);
    assert_ms(s.channel.gap_from_ms, 120);
    /* Of two alike the first. */
    assert_ms(figures(&s, 1, -1, 800)->gap_from_ms, 120);
    release_scene(&s);
}

static void test_errors_are_no_answers(void **state)
{
    struct scene s = {0};
    const struct drill_channel *c;

    UNUSED(state);
    answer(&s, 0, 0, 10);
    add(&s, 0, false, false, 20, 200);
    add(&s, 0, true, true, 210, 220); /* a connection is no answer, either */
    answer(&s, 0, 220, 300);
    c = figures(&s, 1, 15, 310);
    assert_ms(c->gap_ms, 290);
    assert_int_equal(c->answered, 2);
    assert_int_equal(c->failed, 1);
    assert_int_equal(c->answers[DRILL_BEFORE].n + c->answers[DRILL_DURING].n, 2);
    release_scene(&s);
}

/* The fault at 100, the answer that ends the gap at 500. */
static void test_phases(void **state)
{
    struct scene s = {0};
    const struct drill_channel *c;

    UNUSED(state);
    answer(&s, 0, 0, 50);
    answer(&s, 0, 60, 99);   /* before */
    answer(&s, 1, 70, 100);  /* at the moment of the fault: during */
    answer(&s, 0, 99, 500);  /* during */
    answer(&s, 1, 450, 530); /* waited while it lasted: during */
    answer(&s, 2, 500, 540); /* during: began with it */
    answer(&s, 2, 541, 545); /* after */
    add(&s, 1, true, true, 10, 30);
    add(&s, 1, true, true, 110, 440);
    add(&s, 1, true, false, 110, 120);
    add(&s, 1, true, true, 560, 570);
    c = figures(&s, 3, 100, 600);
    assert_int_equal(c->answers[DRILL_BEFORE].n, 2);
    assert_int_equal(c->answers[DRILL_DURING].n, 4);
    assert_int_equal(c->answers[DRILL_AFTER].n, 1);
    assert_ms(c->answers[DRILL_DURING].longest, 401);
    assert_int_equal(c->connects[DRILL_BEFORE].n, 1);
    assert_int_equal(c->connects[DRILL_DURING].n, 1);
    assert_int_equal(c->connects[DRILL_AFTER].n, 1);
    assert_ms(c->connects[DRILL_DURING].longest, 330);

    c = figures(&s, 3, -1, 600);
    assert_int_equal(c->answers[DRILL_BEFORE].n, 7);
    assert_int_equal(c->answers[DRILL_DURING].n + c->answers[DRILL_AFTER].n, 0);
    release_scene(&s);
}

/* n answers that took 1, 2, ... ms, out of order. */
static void check_percentiles(size_t n, double p50, double p95, double p99)
{
    struct scene s = {0};
    const struct drill_times *t;

    for (size_t i = 0; i < n; i++)
        answer(&s, 0, 0, (int64_t)((i * 7919) % n + 1));
    t = &figures(&s, 1, -1, (int64_t)n)->answers[DRILL_BEFORE];
    assert_int_equal(t->n, n);
    assert_ms(t->p50, p50);
    assert_ms(t->p95, p95);
    assert_ms(t->p99, p99);
    assert_ms(t->longest, (double)n);
    release_scene(&s);
}

static void test_percentiles(void **state)
{
    UNUSED(state);
    check_percentiles(1, 1, 1, 1);
    check_percentiles(2, 1, 2, 2);
    check_percentiles(3, 2, 3, 3);
    check_percentiles(20, 10, 19, 20);
    check_percentiles(100, 50, 95, 99);
    check_percentiles(101, 51, 96, 100);
    check_percentiles(1000, 500, 950, 990);
}

static void test_slots(void **state)
{
    struct scene s = {0};
    const struct drill_channel *c;

    UNUSED(state);
    answer(&s, 0, 0, 0);
    answer(&s, 0, 0, 99);
    answer(&s, 1, 0, 100);
    answer(&s, 1, 0, 350);
    add(&s, 1, false, false, 0, 360);
    c = figures(&s, 2, -1, 399);
    assert_int_equal(c->slots.n, 4);
    assert_int_equal(c->slots.items[0], 2);
    assert_int_equal(c->slots.items[1], 1);
    assert_int_equal(c->slots.items[2], 0);
    assert_int_equal(c->slots.items[3], 1);
    assert_int_equal(figures(&s, 2, -1, 400)->slots.n, 5);
    /* An answer that came after the end was asked for. */
    assert_int_equal(figures(&s, 2, -1, 200)->slots.n, 4);
    release_scene(&s);
}

static void test_bounded(void **state)
{
    struct sample_series s = {0};

    UNUSED(state);
    for (size_t i = 0; i < SAMPLE_MAX; i++)
        if (sample_add(&s, false, true, 0, 1) < 0)
            fail_msg("sample %zu", i);
    assert_int_equal(sample_add(&s, false, true, 0, 1), -1);
    assert_int_equal(s.samples.n, SAMPLE_MAX);
    sample_release(&s);
}

static void test_texts(void **state)
{
    struct sample_texts t = {0}, sum = {0};
    char text[300];

    UNUSED(state);
    sample_tell(&t, "25006", "ERROR:  read-only");
    sample_tell(&t, "57P01", "ERROR:  read-only");
    sample_tell(&t, "25006", "ERROR:  read-only");
    sample_tell(&t, "",
                "10.0.0.1:5000: connection to server at \"10.0.0.1\", port 5000 failed: FATAL:  x");
    assert_int_equal(t.n, 3);
    assert_int_equal(t.items[0].count, 2);
    assert_string_equal(t.items[0].sqlstate, "25006");
    assert_string_equal(t.items[2].text, "FATAL:  x");
    for (int i = 0; i < SAMPLE_MAX_TEXTS + 7; i++) {
        snprintf(text, sizeof(text), "fault %d", i);
        sample_tell(&t, "", text);
    }
    assert_int_equal(t.n, SAMPLE_MAX_TEXTS);
    assert_int_equal(t.others, 10);

    sample_merge(&sum, &t);
    sample_merge(&sum, &t);
    assert_int_equal(sum.n, SAMPLE_MAX_TEXTS);
    assert_int_equal(sum.others, 20);
    assert_int_equal(sum.items[0].count, 4);
    sample_merge(&t, &(struct sample_texts){.items = {{"", "another", 5}}, .n = 1, .others = 2});
    assert_int_equal(t.others, 17);

    /* Too long: cut, and still one and the same. */
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    t = (struct sample_texts){0};
    sample_tell(&t, "", text);
    sample_tell(&t, "", text);
    assert_int_equal(t.n, 1);
    assert_int_equal(strlen(t.items[0].text), SAMPLE_TEXT_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_answer), cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_gap_edges), cmocka_unit_test(test_errors_are_no_answers),
        cmocka_unit_test(test_phases),    cmocka_unit_test(test_percentiles),
        cmocka_unit_test(test_slots),     cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_texts),
    };

    return cmocka_run_group_tests_name("samples", tests, NULL, NULL);
}
