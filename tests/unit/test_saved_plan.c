/*
 * test_saved_plan.c - what counts as the same plan.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/deploy/saved_plan.h"

struct line {
    const char *where, *what, *diff, *consequence;
};

#define MAX_LINES 3

/* Lists end with where NULL. The difference, which the caller frees. */
static char *difference(const struct line *planned, const struct line *now)
{
    const struct line *lists[] = {planned, now};
    const struct value *changes[2];
    struct arena a = ARENA_INIT;
    const char *found;
    char *copy;

    for (size_t i = 0; i < 2; i++) {
        struct deploy_result r;

        deploy_result_init(&r);
        for (const struct line *l = lists[i]; l->where; l++)
            deploy_note(&r, l->where, l->what, l->diff, l->consequence);
        changes[i] = saved_plan_changes(&r, &a);
        deploy_result_release(&r);
    }
    found = saved_plan_difference(changes[0], changes[1], &a);
    copy = found ? xstrdup(found) : NULL;
    arena_release(&a);
    return copy;
}

static void test_differences(void **state)
{
    static const struct {
        struct line planned[MAX_LINES], now[MAX_LINES];
        const char *told;
    } cases[] = {
        {{{"db1", "a", NULL, NULL}}, {{"db1", "a", NULL, NULL}}, NULL},
        {{{NULL, NULL, NULL, NULL}}, {{NULL, NULL, NULL, NULL}}, NULL},
        {{{"db1", "a", "-x\n+y", NULL}}, {{"db1", "a", "-x\n+y", NULL}}, NULL},
        {{{"db1", "a", NULL, NULL}, {"db2", "b", NULL, NULL}},
         {{"db2", "b", NULL, NULL}, {"db1", "a", NULL, NULL}},
         NULL}, /* hosts are changed side by side */
        {{{"db1", "a", NULL, NULL}},
         {{"db1", "a", NULL, NULL}, {"db2", "b", NULL, NULL}},
         "it would be changed, too: db2: b"},
        {{{"db1", "a", NULL, NULL}, {"db2", "b", NULL, NULL}},
         {{"db1", "a", NULL, NULL}},
         "nothing is to be changed any more: db2: b"},
        {{{"db1", "a", "-x\n+y", NULL}},
         {{"db1", "a", "-z\n+y", NULL}},
         "it is another change: db1: a"},
        {{{"db1", "a", NULL, NULL}},
         {{"db1", "a", NULL, "restart"}},
         "it has another consequence: db1: a"},
        {{{"db1", "a", "+-----BEGIN CERTIFICATE-----\n+x", NULL}},
         {{"db1", "a", "+-----BEGIN CERTIFICATE-----\n+y", NULL}},
         NULL},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *told = difference(cases[i].planned, cases[i].now);

        if (!str_eq(told, cases[i].told))
            fail_msg("case %zu: got: %s, wanted: %s", i, told ? told : "none",
                     cases[i].told ? cases[i].told : "none");
        free(told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differences),
    };

    return cmocka_run_group_tests_name("saved_plan", tests, NULL, NULL);
}
