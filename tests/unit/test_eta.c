/*
 * test_eta.c - what is left of a run: from earlier runs, from steps done, from nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/deploy/eta.h"

/* Stages "name=ms name=ms". */
static struct eta_stages stages(const char *text)
{
    struct eta_stages list = {VEC_INIT};
    char name[24];
    int ms, used;

    for (; sscanf(text, " %23[^=]=%d%n", name, &ms, &used) == 2; text += used)
        eta_stages_add(&list, name, ms);
    return list;
}

static struct eta eta_after(const char *run)
{
    struct eta eta = ETA_INIT;
    struct eta_stages one = stages(run);

    eta_expect(&one, 1, &eta.expected);
    eta_stages_release(&one);
    return eta;
}

static void test_expect(void **state)
{
    struct eta_stages runs[] = {
        stages("hosts=100 converge=9000 verify=50"),
        stages("image=35000 hosts=300 converge=1000 verify=50"),
        stages("hosts=200 converge=2000"),
    };
    struct eta_stages expected;

    UNUSED(state);
    eta_expect(runs, ARRAY_LEN(runs), &expected);
    assert_int_equal(expected.list.n, 3); /* those of the last run, not the image */
    assert_string_equal(expected.list.items[0].name, "hosts");
    assert_int_equal(expected.list.items[0].ms, 200); /* medians */
    assert_int_equal(expected.list.items[1].ms, 2000);
    assert_int_equal(expected.list.items[2].ms, 50);
    eta_stages_release(&expected);
    eta_expect(runs, 0, &expected);
    assert_int_equal(expected.list.n, 0);
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        eta_stages_release(&runs[i]);
}

static void test_nothing_known(void **state)
{
    struct eta eta = ETA_INIT;
    bool whole;

    UNUSED(state);
    eta_begin_stage(&eta, "converge");
    assert_int_equal(eta_left(&eta, 5000, 0, &whole), -1);
    assert_int_equal(eta_left(&eta, 5000, 0.01, &whole), -1); /* too little to go by */
    assert_int_equal(eta_left(&eta, 200, 0.5, &whole), -1);   /* too early */
    eta_release(&eta);
}

static void test_steps(void **state)
{
    struct eta eta = ETA_INIT;
    bool whole = true;

    UNUSED(state);
    eta_begin_stage(&eta, "play");
    assert_int_equal(eta_left(&eta, 4000, 0.25, &whole), 12000);
    assert_false(whole); /* of what comes after this stage nothing is known */
    assert_int_equal(eta_left(&eta, 4000, 1, &whole), 0);
    eta_release(&eta);
}

static void test_earlier_runs(void **state)
{
    struct eta eta = eta_after("hosts=1000 converge=5000 ready=6000 verify=200");
    bool whole = false;

    UNUSED(state);
    eta_begin_stage(&eta, "hosts");
    assert_int_equal(eta_left(&eta, 400, 0, &whole), 600 + 5000 + 6000 + 200);
    assert_true(whole);
    eta_begin_stage(&eta, "converge");
    assert_int_equal(eta_left(&eta, 1000, 0, &whole), 4000 + 6200);
    assert_int_equal(eta_left(&eta, 6000, 0, &whole), 6200);    /* a little late */
    assert_int_equal(eta_left(&eta, 8000, 0, &whole), -1);      /* the past does not hold */
    assert_int_equal(eta_left(&eta, 8000, 0.5, &whole), 14200); /* but the steps do */
    eta_begin_stage(&eta, "verify");                            /* ready was left out */
    assert_int_equal(eta_left(&eta, 150, 0, &whole), 50);
    eta_release(&eta);
}

/* The more of a stage is done, the more its own speed counts. */
static void test_both(void **state)
{
    struct eta eta = eta_after("converge=10000");
    bool whole;

    UNUSED(state);
    eta_begin_stage(&eta, "converge");
    assert_int_equal(eta_left(&eta, 2000, 0.5, &whole), (8000 + 2000) / 2);
    assert_in_range(eta_left(&eta, 2000, 0.9, &whole), 990, 1010);
    eta_release(&eta);
}

static void test_unknown_stage(void **state)
{
    struct eta eta = eta_after("hosts=1000 ready=6000");
    bool whole;

    UNUSED(state);
    eta_begin_stage(&eta, "image");
    assert_int_equal(eta_left(&eta, 9000, 0, &whole), -1);
    assert_int_equal(eta_left(&eta, 2000, 0.5, &whole), 2000 + 7000);
    eta_begin_stage(&eta, "hosts");
    assert_int_equal(eta_left(&eta, 0, 0, &whole), 7000);
    eta_release(&eta);
}

static void test_smooth(void **state)
{
    struct eta eta = ETA_INIT;
    int64_t shown;

    UNUSED(state);
    assert_int_equal(eta_smooth(&eta, -1, 1000), -1);
    assert_int_equal(eta_smooth(&eta, 10000, 2000), 10000);
    assert_int_equal(eta_smooth(&eta, 9000, 3000), 9000); /* counts down */
    shown = eta_smooth(&eta, 30000, 3250);
    assert_in_range(shown, 8750, 12000); /* a worse guess is taken over by and by */
    for (int64_t now = 3500; now < 20000; now += 250)
        shown = eta_smooth(&eta, 30000, now);
    assert_in_range(shown, 26000, 30000);
    for (int64_t now = 20000; now < 90000; now += 1000)
        assert_true(eta_smooth(&eta, 0, now) >= 0); /* never below nothing */
    assert_int_equal(eta_smooth(&eta, -1, 90000), -1);
    assert_int_equal(eta_smooth(&eta, 5000, 91000), 5000);
    eta_release(&eta);
}

static void assert_text(int64_t left_ms, const char *stage, const char *wanted)
{
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    eta_put(&text, left_ms, stage);
    assert_string_equal(text.buf, wanted);
    str_release(&text);
}

static void test_text(void **state)
{
    UNUSED(state);
    assert_text(0, NULL, "about 1 s left");
    assert_text(7300, NULL, "about 8 s left");
    assert_text(32000, NULL, "about 35 s left");
    assert_text(150000, "converge", "about 3 min left of converge");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expect), cmocka_unit_test(test_nothing_known),
        cmocka_unit_test(test_steps),  cmocka_unit_test(test_earlier_runs),
        cmocka_unit_test(test_both),   cmocka_unit_test(test_unknown_stage),
        cmocka_unit_test(test_smooth), cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests_name("eta", tests, NULL, NULL);
}
