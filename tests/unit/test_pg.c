/*
 * test_pg.c - the pure part of talking to PostgreSQL: SCRAM verifiers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/net/pg.h"

/* RFC 7677, 3: user "user", password "pencil"; StoredKey and ServerKey by Python's hashlib. */
#define PENCIL                                                                                     \
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"                                                 \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static void test_scram(void **state)
{
    static const struct {
        const char *verifier, *password;
        bool matches;
    } cases[] = {
        {PENCIL, "pencil", true},
        {PENCIL, "Pencil", false},
        {PENCIL, "", false},
        {"", "pencil", false},
        {"md5a3556571e93b0d20722ba62be61e8c2d", "pencil", false},
        {"SCRAM-SHA-256$", "pencil", false},
        {"SCRAM-SHA-256$4096", "pencil", false},
        {"SCRAM-SHA-256$4096:", "pencil", false},
        {"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==", "pencil", false},
        {"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$", "pencil", false},
        {"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d:WG5d", "pencil", false},
        {"SCRAM-SHA-256$0:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d:WG5d", "pencil", false},
        {"SCRAM-SHA-256$99999999999:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d:WG5d", "pencil", false},
        {"SCRAM-SHA-256$4096:!!!!$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:x", "pencil", false},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(pg_scram_matches(cases[i].verifier, cases[i].password), cases[i].matches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scram)};

    return cmocka_run_group_tests_name("pg", tests, NULL, NULL);
}
