/*
 * test_restart.c - which member is restarted next, from what Patroni's members tell.
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_primary_first),
    };

    return cmocka_run_group_tests_name("restart", tests, NULL, NULL);
}
