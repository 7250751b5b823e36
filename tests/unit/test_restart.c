/*
 * test_restart.c - which member is restarted next, from what Patroni's members tell; and what older
 * Patronis do not tell: whether a replica streams, and why a restart is pending.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/deploy/restart.h"
#include "lib/doc/json.h"

#define RAISED  "{\"max_connections\": {\"old_value\": \"100\", \"new_value\": \"200\"}}"
#define LOWERED "{\"max_connections\": {\"old_value\": \"200\", \"new_value\": \"100\"}}"
#define FREE    "{\"shared_buffers\": {\"old_value\": \"256MB\", \"new_value\": \"128MB\"}}"
#define BOTH                                                                                       \
    "{\"max_connections\": {\"old_value\": \"100\", \"new_value\": \"200\"},"                      \
    " \"max_worker_processes\": {\"old_value\": \"20\", \"new_value\": \"10\"}}"

/* reasons: of db1 (the leader), db2, db3; NULL: nothing pending; "": pending, no reason told. */
static const char *next_of(const char *leader, const char *db2, const char *db3)
{
    const char *reasons[] = {leader, db2, db3};
    struct patroni_member members[3];
    struct patroni_view view = {.members = {.items = members, .n = 3, .cap = 3},
                                .leader = &members[0]};
    static const char *const names[] = {"db1", "db2", "db3"};
    const struct patroni_member *m;
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    const char *next;

    for (size_t i = 0; i < 3; i++)
        members[i] = (struct patroni_member){
            .name = names[i],
            .role = i ? "replica" : "leader",
            .pending_restart = reasons[i] != NULL,
            .pending_reason = reasons[i] && *reasons[i]
                                  ? json_parse(&a, "reason", reasons[i], strlen(reasons[i]), &err)
                                  : NULL,
        };
    m = restart_next(&view);
    next = m ? m->name : "nobody";
    err_release(&err);
    arena_release(&a);
    return next;
}

static void test_order(void **state)
{
    static const struct {
        const char *db1, *db2, *db3, *next;
    } cases[] = {
        {NULL, NULL, NULL, "nobody"},
        {RAISED, RAISED, RAISED, "db2"},
        {RAISED, NULL, RAISED, "db3"},
        {RAISED, NULL, NULL, "db1"},
        {LOWERED, LOWERED, LOWERED, "db1"},
        {NULL, LOWERED, LOWERED, "db2"},
        {NULL, NULL, LOWERED, "db3"},
        {LOWERED, FREE, LOWERED, "db2"}, /* its restart has an effect of its own */
        {LOWERED, LOWERED, FREE, "db3"},
        {BOTH, BOTH, BOTH, "db2"}, /* raised there first, lowered there after the primary */
        {FREE, FREE, FREE, "db2"},
        {"", "", "", "db2"},
        {"", NULL, NULL, "db1"},
        {LOWERED, "{}", LOWERED, "db2"},
        {LOWERED, "{\"max_connections\": 7}", NULL, "db2"},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(next_of(cases[i].db1, cases[i].db2, cases[i].db3), cases[i].next);
}

static void test_primary_first(void **state)
{
    UNUSED(state);
    assert_true(restart_primary_first("max_connections", 200, 100));
    assert_true(restart_primary_first("max_wal_senders", 10, 9));
    assert_false(restart_primary_first("max_connections", 100, 200));
    assert_false(restart_primary_first("max_connections", 100, 100));
    assert_false(restart_primary_first("shared_buffers", 200, 100));
}

/* ---- Patroni before 4.0: the reason is PostgreSQL's ---- */

static const struct value *parse(struct arena *a, const char *text)
{
    struct err err = ERR_INIT;
    const struct value *v = json_parse(a, "test", text, strlen(text), &err);

    if (!v)
        fail_msg("%s", err.text);
    return v;
}

static void test_reason(void **state)
{
    static const struct {
        const char *wanted, *now, *reason; /* reason: NULL: none */
    } cases[] = {
        {"{\"max_connections\": 200}", "{\"max_connections\": \"100\"}",
         "{\"max_connections\":{\"old_value\":\"100\",\"new_value\":\"200\"}}"},
        {"{\"max_wal_senders\": 5, \"max_connections\": 100}",
         "{\"max_wal_senders\": \"10\", \"max_connections\": \"100\"}",
         "{\"max_wal_senders\":{\"old_value\":\"10\",\"new_value\":\"5\"}}"},
        {"{\"max_connections\": 100}", "{\"max_connections\": \"100\"}", NULL},
        {"{\"shared_buffers\": 2}", "{\"shared_buffers\": \"1\"}", NULL}, /* decides nothing */
        {"{\"max_connections\": 100}", "{}", NULL},
        {"{}", "{\"max_connections\": \"100\"}", NULL},
        {"{\"max_connections\": null}", "{\"max_connections\": \"100\"}", NULL},
        {"[]", "[]", NULL},
    };
    struct arena a = ARENA_INIT;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct value *reason =
            restart_reason(parse(&a, cases[i].wanted), parse(&a, cases[i].now), &a);
        struct str text;

        str_init(&text, STR_MAX_TEXT);
        if (reason)
            json_write(reason, JSON_TIGHT, &text);
        assert_string_equal(text.buf, cases[i].reason ? cases[i].reason : "");
        str_release(&text);
    }
    assert_null(restart_reason(NULL, parse(&a, "{\"max_connections\": \"1\"}"), &a));
    arena_release(&a);
}

/* ---- Patroni before 3.1: every replica is "running" ---- */

#define SENDER(name, how) "{\"application_name\": \"" name "\", \"state\": \"" how "\"}"

static void test_senders(void **state)
{
    static const struct {
        const char *status, *db2, *db3;
    } cases[] = {
        {"{\"replication\": [" SENDER("db2", "streaming") "," SENDER("db3", "streaming") "]}",
         "streaming", "streaming"},
        {"{\"replication\": [" SENDER("db3", "streaming") "," SENDER("db2", "catchup") "]}",
         "running", "streaming"},
        /* the primary itself, a backup, and one that is no member */
        {"{\"replication\": [" SENDER("db1", "streaming") "," SENDER(
             "pg_basebackup", "backup") "," SENDER("DB2", "streaming") "]}",
         "running", "running"},
        {"{\"replication\": []}", "running", "running"},
        {"{\"replication\": {\"db2\": 1}}", "running", "running"},
        {"{\"replication\": [1, null, {\"application_name\": 7, \"state\": []}]}", "running",
         "running"},
        {"{}", "running", "running"},
        {"[]", "running", "running"},
    };
    struct arena a = ARENA_INIT;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct patroni_member members[] = {
            {.name = "db1", .role = "leader", .state = "running"},
            {.name = "db2", .role = "replica", .state = "running"},
            {.name = "db3", .role = "replica", .state = "running"},
        };
        struct patroni_view view = {.members = {.items = members, .n = 3, .cap = 3},
                                    .leader = &members[0]};

        assert_true(patroni_is_unclear(&view));
        patroni_take_senders(&view, parse(&a, cases[i].status));
        assert_string_equal(members[0].state, "running");
        assert_string_equal(members[1].state, cases[i].db2);
        assert_string_equal(members[2].state, cases[i].db3);
        assert_int_equal(patroni_member_ok(&members[1]), str_eq(cases[i].db2, "streaming"));
        assert_int_equal(patroni_is_unclear(&view),
                         !str_eq(cases[i].db2, "streaming") || !str_eq(cases[i].db3, "streaming"));
    }
    arena_release(&a);
}

/* Nothing to ask a leader for: replicas that tell, or nobody to ask. */
static void test_clear(void **state)
{
    struct patroni_member members[] = {
        {.name = "db1", .role = "leader", .state = "running"},
        {.name = "db2", .role = "replica", .state = "streaming"},
        {.name = "db3", .role = "replica", .state = "stopped"},
    };
    struct patroni_view view = {.members = {.items = members, .n = 3, .cap = 3},
                                .leader = &members[0]};
    struct arena a = ARENA_INIT;

    UNUSED(state);
    assert_false(patroni_is_unclear(&view));
    patroni_take_senders(&view, parse(&a, "{\"replication\": [" SENDER("db3", "streaming") "]}"));
    assert_string_equal(members[2].state, "stopped");
    members[1].state = "running";
    view.leader = NULL;
    assert_false(patroni_is_unclear(&view));
    arena_release(&a);
}

static void test_successor(void **state)
{
    struct patroni_member members[] = {
        {.name = "db1", .role = "leader", .state = "running", .pending_restart = true},
        {.name = "db2", .role = "replica", .state = "streaming", .lag = 0},
        {.name = "db3", .role = "replica", .state = "streaming", .lag = 0},
    };
    struct patroni_view view = {.members = {.items = members, .n = 3, .cap = 3},
                                .leader = &members[0]};

    UNUSED(state);
    assert_string_equal(restart_successor(&view)->name, "db2");
    members[1].pending_restart = true;
    assert_string_equal(restart_successor(&view)->name, "db3");
    members[2].lag = 2 << 20;
    assert_null(restart_successor(&view));
    members[2].lag = -1; /* not known */
    assert_null(restart_successor(&view));
    members[2].lag = 0;
    members[2].state = "starting";
    assert_null(restart_successor(&view));
    members[2].state = "streaming";
    members[1].pending_restart = false;
    members[2].role = "sync_standby"; /* db2 may lack what was acknowledged */
    assert_string_equal(restart_successor(&view)->name, "db3");
    members[2].pending_restart = true;
    assert_null(restart_successor(&view));
    view.members.n = 1;
    assert_null(restart_successor(&view));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),  cmocka_unit_test(test_primary_first),
        cmocka_unit_test(test_reason), cmocka_unit_test(test_senders),
        cmocka_unit_test(test_clear),  cmocka_unit_test(test_successor),
    };

    return cmocka_run_group_tests_name("restart", tests, NULL, NULL);
}
