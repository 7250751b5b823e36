/*
 * test_assets.c - lib/base/assets: embedded, from a folder, from the file system.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/assets.h"
#include "lib/base/file.h"

/* In place of what the Makefile makes. */
const struct embedded_file embedded_files[] = {
    {"playbooks/patroni.yml", "site", 4},
    {"playbooks/roles/etcd/tasks/main.yml", "tasks", 5},
    {"playbooks/roles/etcd/vars.yml", "", 0},
    {"templates/haproxy.cfg.j2", "embedded", 8},
    {NULL, NULL, 0},
};
const size_t embedded_files_count = 4;

static void assert_text(const struct assets *a, const char *path, const char *expected)
{
    struct err err = ERR_INIT;
    struct str text;

    str_init(&text, 100);
    assert_int_equal(assets_read(a, path, &text, &err), 0);
    assert_string_equal(text.buf, expected);
    str_release(&text);
}

static void assert_no_text(const struct assets *a, const char *path)
{
    struct err err = ERR_INIT;
    struct str text;

    str_init(&text, 4);
    assert_int_equal(assets_read(a, path, &text, &err), -1);
    assert_non_null(err.text);
    err_release(&err);
    str_release(&text);
}

static void test_embedded(void **state)
{
    const struct assets a = {NULL};

    UNUSED(state);
    assert_text(&a, "playbooks/patroni.yml", "site");
    assert_text(&a, "playbooks/roles/../patroni.yml", "site");
    assert_text(&a, "playbooks/roles/etcd/vars.yml", "");
    assert_no_text(&a, "playbooks/none.yml");
    assert_no_text(&a, "playbooks/roles");
    assert_no_text(&a, "templates/haproxy.cfg.j2"); /* larger than the reader takes */
    assert_true(assets_exists(&a, "playbooks/patroni.yml"));
    assert_true(assets_exists(&a, "playbooks/roles/etcd"));
    assert_true(assets_is_dir(&a, "playbooks"));
    assert_true(assets_is_dir(&a, "playbooks/roles/etcd/tasks/"));
    assert_false(assets_is_dir(&a, "playbooks/roles/et"));
    assert_false(assets_is_dir(&a, "playbooks/patroni.yml"));
    assert_false(assets_exists(&a, "zzz"));
    assert_false(assets_exists(&a, "playbooks/../../etc/passwd"));
}

static void test_folder_overrides(void **state)
{
    char top[] = "/tmp/pgha-test-assets-XXXXXX";
    struct err err = ERR_INIT;
    char *dir, *file, *templates, *template;
    struct assets a;

    UNUSED(state);
    assert_non_null(mkdtemp(top));
    dir = path_join(top, "mine");
    file = path_join(dir, "patroni.yml");
    templates = path_join(top, "templates");
    template = path_join(templates, "x.j2");
    assert_int_equal(file_mkdirs(dir, 0700, &err), 0);
    assert_int_equal(file_mkdirs(templates, 0700, &err), 0);
    assert_int_equal(file_write(file, "own", 3, 0600, &err), 0);
    assert_int_equal(file_write(template, "t", 1, 0600, &err), 0);
    a.dir = dir;
    assert_text(&a, "playbooks/patroni.yml", "own");
    assert_text(&a, "templates/x.j2", "t");
    assert_no_text(&a, "templates/haproxy.cfg.j2"); /* the folder stands for all of it */
    assert_true(assets_is_dir(&a, "playbooks"));
    a.dir = NULL;
    assert_text(&a, file, "own"); /* an absolute path */
    assert_no_text(&a, "./no-such-file.yml");
    assert_int_equal(file_remove_tree(top, &err), 0);
    free(dir);
    free(file);
    free(templates);
    free(template);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embedded),
        cmocka_unit_test(test_folder_overrides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
