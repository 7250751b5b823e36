/*
 * test_target.c - how to reach a host: what its variables say, and what they may not say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/play/target.h"

struct pair {
    const char *name, *value;
};

/* Pairs up to one without a name. */
static const char *get(void *ctx, const char *name)
{
    for (const struct pair *pair = ctx; pair->name; pair++)
        if (str_eq(pair->name, name))
            return pair->value;
    return NULL;
}

static int reach(struct arena *a, struct pair *pairs, struct ssh_target *target, struct err *err)
{
    struct target_vars vars = {get, pairs};

    return target_from_vars(a, "h1", &vars, true, target, err);
}

static void test_defaults(void **state)
{
    struct pair none[] = {{NULL, NULL}};
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct ssh_target target;

    UNUSED(state);
    assert_int_equal(reach(&a, none, &target, &err), 0);
    assert_string_equal(target.address, "h1");
    assert_null(target.user);
    assert_int_equal(target.port, 0);
    assert_false(target.become);
    arena_release(&a);
}

static void test_variables(void **state)
{
    struct pair pairs[] = {{"ansible_host", "10.0.0.1"},
                           {"ansible_port", "2222"},
                           {"ansible_user", "admin"},
                           {"ansible_become_password", "fake-password"},
                           {"ansible_connection", "ssh"}, /* says what is done anyway */
                           {"ansible_become_method", "sudo"},
                           {"ansible_become_user", "root"},
                           {"ansible_python_interpreter", "/usr/bin/python3"},
                           {NULL, NULL}};
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct ssh_target target;

    UNUSED(state);
    assert_int_equal(reach(&a, pairs, &target, &err), 0);
    assert_string_equal(target.address, "10.0.0.1");
    assert_string_equal(target.user, "admin");
    assert_int_equal(target.port, 2222);
    assert_true(target.become);
    assert_string_equal(target.become_password, "fake-password");
    arena_release(&a);
}

/* Passed over they would lead to another host, as another user, or nowhere. */
static void test_refused(void **state)
{
    static const struct pair refused[] = {
        {"ansible_connection", "docker"},    {"ansible_connection", "s"},
        {"ansible_password", "fake"},        {"ansible_ssh_pass", "fake"},
        {"ansible_ssh_host", "10.0.0.1"},    {"ansible_ssh_port", "22"},
        {"ansible_ssh_user", "admin"},       {"ansible_private_key_file", "/key"},
        {"ansible_become_user", "postgres"}, {"ansible_become_method", "su"},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct pair pairs[] = {refused[i], {NULL, NULL}};
        struct arena a = ARENA_INIT;
        struct err err = ERR_INIT;
        struct ssh_target target;

        assert_int_equal(reach(&a, pairs, &target, &err), -1);
        assert_int_equal(err.code, ERR_INPUT);
        assert_non_null(strstr(err.text, "h1: "));
        assert_non_null(strstr(err.text, refused[i].name));
        assert_null(strstr(err.text, "fake"));
        err_release(&err);
        arena_release(&a);
    }
}

static void test_empty(void **state)
{
    struct pair pairs[] = {{"ansible_password", ""}, {NULL, NULL}};
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct ssh_target target;

    UNUSED(state);
    assert_int_equal(reach(&a, pairs, &target, &err), 0); /* says nothing */
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
