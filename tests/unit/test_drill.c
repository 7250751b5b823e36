/* test_drill.c - bounds, scenarios, the judgement, and the guard of what is switched off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/drill/disk.h"
#include "lib/drill/drill.h"
#include "lib/drill/guard.h"

static const struct preset *preset(const char *name)
{
    const struct preset *p = presets;

    while (!str_eq(p->name, name))
        p++;
    return p;
}

/* ---- bounds ---- */

static void test_a_bound_is_the_sum_of_its_terms(void **state)
{
    static const enum bound_term terms[BOUND_MAX_TERMS] = {BOUND_LEASE, BOUND_TURN, BOUND_VRRP_LOST,
                                                           BOUND_SERVER_FROZEN};
    static const enum bound_term none[BOUND_MAX_TERMS] = {BOUND_END};
    struct str text;

    (void)state;
    str_init(&text, STR_MAX_TEXT);
    assert_int_equal(bound_ms(terms, preset("fast")), 20000 + 2000 + 800 + 2 * (500 + 3000));
    assert_int_equal(bound_ms(terms, preset("relaxed")), 60000 + 10000 + 4000 + 3 * (3000 + 3000));
    bound_put(terms, preset("fast"), &text);
    assert_string_equal(text.buf,
                        "ttl 20.0 s + loop_wait 2.0 s + VRRP 0.8 s + HAProxy gives it up 7.0 s");
    str_clear(&text);
    assert_int_equal(bound_ms(none, preset("fast")), 0);
    bound_put(none, preset("fast"), &text);
    assert_string_equal(text.buf, "");
    str_release(&text);
}

static void test_slower_presets_have_longer_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; scenarios[i]; i++) {
        int64_t fast = bound_ms(scenarios[i]->primary, preset("fast"));

        assert_true(bound_ms(scenarios[i]->primary, preset("default")) >= fast);
        assert_true(bound_ms(scenarios[i]->primary, preset("relaxed")) >= fast);
        assert_true(fast > 0 || scenarios[i]->outage);
    }
}

static void test_every_scenario_is_found_by_its_own_name(void **state)
{
    struct str text;

    (void)state;
    str_init(&text, STR_MAX_TEXT);
    scenarios_format(preset("fast"), &text);
    for (size_t i = 0; scenarios[i]; i++) {
        assert_ptr_equal(scenario_find(scenarios[i]->name), scenarios[i]);
        assert_non_null(strstr(text.buf, scenarios[i]->story));
    }
    assert_null(scenario_find("host-los"));
    str_release(&text);
}

/* ---- whether a disk may be filled ---- */

static void expect_disk(const char *facts, const char *why)
{
    struct arena arena = ARENA_INIT;
    const char *got = disk_judge(facts, "/data", &arena);

    if (!why != !got || (why && !strstr(got, why)))
        fail_msg("%s\nis judged: %s", facts, got ? got : "it may be filled");
    arena_release(&arena);
}

static void test_a_disk_is_filled_that_is_postgresqls_alone(void **state)
{
    (void)state;
    expect_disk("type ext2/ext3\nfree 1000\non 7\nwith 5 /\nwith 6 /var\n", NULL);
    expect_disk("type xfs\nfree 68719476736\non 7\n", NULL);
    expect_disk("type xfs\nfree 0\non 7\n", NULL);
    expect_disk("type ext2/ext3\nfree 1000\non 7\nwith 7 /\nwith 7 /var\n", "system of /,");
    expect_disk("type ext2/ext3\nfree 1000\non 7\nwith 5 /\nwith 7 /var/lib/etcd\n",
                "of /var/lib/etcd,");
    expect_disk("type btrfs\nfree 1000\non 7\nwith 5 /\n", "/data is on btrfs");
    expect_disk("type overlayfs\nfree 1000\non 18446744073709551615\nwith 18446744073709551615 "
                "/\n",
                "of /,");
    expect_disk("type xfs\nfree 68719476737\non 7\nwith 5 /\n", "64 GiB free");
}

static void test_a_disk_that_is_not_known_is_not_filled(void **state)
{
    (void)state;
    expect_disk("", "not known");
    expect_disk("type xfs\n", "not known");
    expect_disk("type xfs\non 7\nwith 5 /\n", "not known");
    expect_disk("free much\ntype xfs\non 7\n", "not known");
}

/* ---- the judgement ---- */

struct judged {
    struct arena arena;
    struct drill_result result;
};

static void judge(struct judged *j, struct drill_channel channel,
                  const struct ledger_account *copies, size_t n, int64_t max_rpo)
{
    static const char *const names[] = {"db1", "db2", "db3"};

    channel.name = "primary";
    vec_push(&j->result.channels, channel);
    for (size_t i = 0; i < n; i++)
        vec_push(&j->result.copies, ((struct drill_copy){names[i], copies[i]}));
    drill_judge(&j->result, max_rpo, &j->arena);
}

static void expect(struct judged *j, enum drill_outcome outcome, const char *fault)
{
    bool found = !fault;

    assert_int_equal(j->result.outcome, outcome);
    vec_each (text, &j->result.faults)
        found = found || strstr(*text, fault);
    assert_true(found);
    vec_release(&j->result.channels);
    vec_release(&j->result.copies);
    vec_release(&j->result.faults);
    arena_release(&j->arena);
    *j = (struct judged){.arena = ARENA_INIT};
}

static void test_a_gap_is_held_against_bound_and_limit(void **state)
{
    struct judged j = {.arena = ARENA_INIT};

    (void)state;
    judge(&j, (struct drill_channel){.gap_ms = 2000, .bound_ms = 2000, .limit_ms = -1}, NULL, 0, 0);
    expect(&j, DRILL_PASSED, NULL);
    judge(&j, (struct drill_channel){.gap_ms = 2001, .bound_ms = 2000, .limit_ms = -1}, NULL, 0, 0);
    expect(&j, DRILL_FAILED, "its bound is 2.0 s");
    judge(&j, (struct drill_channel){.gap_ms = 1500, .bound_ms = 2000, .limit_ms = 1000}, NULL, 0,
          0);
    expect(&j, DRILL_FAILED, "the cluster file allows 1.0 s");
    judge(&j, (struct drill_channel){.gap_ms = 90000, .bound_ms = -1, .limit_ms = -1}, NULL, 0, 0);
    expect(&j, DRILL_PASSED, NULL);
}

static void test_lost_writes_are_held_against_what_may_be_lost(void **state)
{
    struct drill_channel well = {.gap_ms = 1, .bound_ms = -1, .limit_ms = -1};
    struct ledger_account lost[2] = {{.acknowledged = 9, .missing = 2, .missing_from = 4},
                                     {.acknowledged = 9, .missing = 2, .missing_from = 4}};
    struct judged j = {.arena = ARENA_INIT};

    (void)state;
    judge(&j, well, lost, 2, 0);
    expect(&j, DRILL_FAILED, "db2 lacks 2 writes");
    judge(&j, well, lost, 2, 1);
    expect(&j, DRILL_FAILED, "db1 lacks 2 writes");
    judge(&j, well, lost, 2, 2);
    expect(&j, DRILL_PASSED, NULL);
    judge(&j, well, lost, 2, -1);
    expect(&j, DRILL_PASSED, NULL);
    lost[1].missing = 0;
    judge(&j, well, lost, 2, -1);
    expect(&j, DRILL_FAILED, "db1 and db2 do not have the same rows");
}

static void test_what_a_server_must_never_do_fails(void **state)
{
    static const struct {
        struct ledger_account account;
        const char *fault;
    } cases[] = {{{.doubled = 1}, "twice"},
                 {{.reordered = 1}, "before the one"},
                 {{.altered = 1}, "changed"},
                 {{.invented = 1}, "nobody sent"}};
    struct drill_channel well = {.gap_ms = 1, .bound_ms = -1, .limit_ms = -1};
    struct judged j = {.arena = ARENA_INIT};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        judge(&j, well, &cases[i].account, 1, -1);
        expect(&j, DRILL_FAILED, cases[i].fault);
    }
    j.result.went_back = 3;
    judge(&j, well, NULL, 0, -1);
    expect(&j, DRILL_FAILED, "3 reads went back");
}

/* ---- the guard ---- */

#define NOTES "/tmp/pgha-test-guard-%d"

static void note(const char *what, const char *host)
{
    char *path = xasprintf(NOTES, getppid()); /* written by the guard, whose parent is the test */
    FILE *f = fopen(path, "a");

    assert_non_null(f);
    fprintf(f, "%s %s\n", what, host);
    fclose(f);
    free(path);
}

static int power(struct provider_session *s, const char *host, bool on, struct err *err)
{
    (void)s;
    if (str_eq(host, "stuck") && !on)
        return err_set(err, ERR_FAILED, "the plug is stuck");
    note(on ? "on" : "off", host);
    return 0;
}

static int cut(struct provider_session *s, const char *host, bool yes, struct err *err)
{
    (void)s;
    (void)err;
    note(yes ? "cut" : "mended", host);
    return 0;
}

static const struct provider switchable = {.name = "switchable", .power = power, .cut = cut};

static void expect_notes(const char *expected)
{
    char *path = xasprintf(NOTES, getpid());
    struct err err = ERR_INIT;
    struct str text;

    str_init(&text, 4096);
    assert_int_equal(file_read(path, &text, &err), 0);
    assert_string_equal(text.buf, expected);
    str_release(&text);
    unlink(path);
    free(path);
}

static void test_the_guard_puts_back_what_is_still_off(void **state)
{
    struct err err = ERR_INIT;
    struct drill_guard *g = guard_start(&switchable, NULL, &err);

    (void)state;
    assert_non_null(g);
    assert_int_equal(guard_do(g, GUARD_POWER_OFF, "db1", &err), 0);
    assert_int_equal(guard_do(g, GUARD_CUT, "db2", &err), 0);
    assert_int_equal(guard_do(g, GUARD_POWER_OFF, "db3", &err), 0);
    assert_int_equal(guard_do(g, GUARD_POWER_ON, "db3", &err), 0);
    guard_end(g);
    expect_notes("off db1\ncut db2\noff db3\non db3\nmended db2\non db1\n");
}

static void test_the_guard_tells_what_failed_and_undoes_it_too(void **state)
{
    struct err err = ERR_INIT;
    struct drill_guard *g = guard_start(&switchable, NULL, &err);

    (void)state;
    assert_int_equal(guard_do(g, GUARD_POWER_OFF, "stuck", &err), -1);
    assert_string_equal(err.text, "the plug is stuck");
    err_release(&err);
    guard_end(g);
    expect_notes("on stuck\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bound_is_the_sum_of_its_terms),
        cmocka_unit_test(test_slower_presets_have_longer_bounds),
        cmocka_unit_test(test_every_scenario_is_found_by_its_own_name),
        cmocka_unit_test(test_a_disk_is_filled_that_is_postgresqls_alone),
        cmocka_unit_test(test_a_disk_that_is_not_known_is_not_filled),
        cmocka_unit_test(test_a_gap_is_held_against_bound_and_limit),
        cmocka_unit_test(test_lost_writes_are_held_against_what_may_be_lost),
        cmocka_unit_test(test_what_a_server_must_never_do_fails),
        cmocka_unit_test(test_the_guard_puts_back_what_is_still_off),
        cmocka_unit_test(test_the_guard_tells_what_failed_and_undoes_it_too),
    };

    return cmocka_run_group_tests_name("test_drill", tests, NULL, NULL);
}
