/*
 * test_diff.c - unified differences; random ones are checked against diff(1) and by applying them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/proc.h"
#include "lib/play/diff.h"

static void check(const char *before, const char *after, const char *want)
{
    struct str out;

    str_init(&out, STR_MAX_TEXT);
    diff_unified("/f", before, before ? strlen(before) : 0, after, after ? strlen(after) : 0, &out);
    assert_string_equal(out.buf, want);
    str_release(&out);
}

static void small_texts(void **state)
{
    UNUSED(state);
    check("a\n", "a\n", "");
    check("", "", "");
    check(NULL, "a\nb\n", "--- before\n+++ after: /f\n@@ -0,0 +1,2 @@\n+a\n+b\n");
    check("a\n", "", "--- before: /f\n+++ after: /f\n@@ -1 +0,0 @@\n-a\n");
    check("a\n", "b\n", "--- before: /f\n+++ after: /f\n@@ -1 +1 @@\n-a\n+b\n");
    check("a", "a\n",
          "--- before: /f\n+++ after: /f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
    check("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5x\n6\n7\n8\n9\n",
          "--- before: /f\n+++ after: /f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+5x\n 6\n 7\n 8\n");
}

/* An empty text is often a NULL pointer, which memcmp() and pointer arithmetic must not see. */
static void empty_sides(void **state)
{
    UNUSED(state);
    check("", NULL, "");
    check(NULL, "", "--- before\n+++ after: /f\n");
    check(NULL, NULL, "--- before\n+++ after: /f\n");
    check("", "a\n", "--- before: /f\n+++ after: /f\n@@ -0,0 +1 @@\n+a\n");
    check("a\nb\n", NULL, "--- before: /f\n+++ after: /f\n@@ -1,2 +0,0 @@\n-a\n-b\n");
    check("a\nb\n", "a\n", "--- before: /f\n+++ after: /f\n@@ -1,2 +1 @@\n a\n-b\n");
}

static void hunks_join_and_part(void **state)
{
    UNUSED(state);
    check(
        "1\n2\n3\n4\n5\n6\n7\n8\n", "x\n2\n3\n4\n5\n6\n7\ny\n", /* six equal lines: one hunk */
        "--- before: /f\n+++ after: /f\n@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n");
    check("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n2\n3\n4\n5\n6\n7\n8\ny\n", /* seven: two */
          "--- before: /f\n+++ after: /f\n@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n"
          "@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n");
}

static void binary(void **state)
{
    struct str out;

    UNUSED(state);
    str_init(&out, STR_MAX_TEXT);
    diff_unified("/f", "a\0b", 3, "c", 1, &out);
    assert_string_equal(out.buf,
                        "--- before: /f\n+++ after: /f\nBinary files differ (3 bytes, 1 bytes)\n");
    str_release(&out);
}

static void too_different(void **state)
{
    struct str before, after, out;

    UNUSED(state);
    str_init(&before, STR_MAX_TEXT);
    str_init(&after, STR_MAX_TEXT);
    str_init(&out, STR_MAX_TEXT);
    str_puts(&before, "same\n");
    str_puts(&after, "same\n");
    for (int i = 0; i < 5000; i++) {
        str_printf(&before, "a%d\n", i);
        str_printf(&after, "b%d\n", i);
    }
    diff_unified("/f", before.buf, before.len, after.buf, after.len, &out);
    assert_non_null(strstr(out.buf, "@@ -1,5001 +1,5001 @@\n same\n-a0\n-a1\n"));
    str_release(&before);
    str_release(&after);
    str_release(&out);
}

/* A text of few different lines, so that many ways to align two of them exist. */
static void random_text(unsigned *seed, struct str *text)
{
    int lines = rand_r(seed) % 40;

    str_clear(text);
    for (int i = 0; i < lines; i++)
        str_printf(text, "%c\n", 'a' + rand_r(seed) % 4);
    if (rand_r(seed) % 5 == 0)
        str_puts(text, "last");
}

static size_t count_changes(const char *diff)
{
    size_t n = 0;

    for (const char *p = diff; p && *p; p = strchr(p, '\n')) {
        p += *p == '\n';
        n += *p == '+' || *p == '-';
    }
    return n;
}

static void run(const char *const *argv, struct str *out, bool may_differ)
{
    struct proc p = {.argv = argv, .out = out, .timeout_ms = 10000};
    struct err err = ERR_INIT;

    if (proc_run(&p, &err) < 0 && !(may_differ && p.status == 1))
        fail_msg("%s: %s", argv[0], err.text);
    err_release(&err);
}

static void agrees_with_diff(void **state)
{
    char dir[] = "/tmp/pgha-diff-XXXXXX";
    unsigned seed = 1;
    struct str a, b, ours, theirs, patched;
    struct err err = ERR_INIT;

    UNUSED(state);
    str_init(&a, STR_MAX_TEXT);
    str_init(&b, STR_MAX_TEXT);
    str_init(&ours, STR_MAX_TEXT);
    str_init(&theirs, STR_MAX_TEXT);
    str_init(&patched, STR_MAX_TEXT);
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
    for (int i = 0; i < 60; i++) {
        const char *const diff[] = {"diff", "-d", "-u", "a", "b", NULL};
        const char *const patch[] = {"patch", "-s", "-o", "c", "a", "d", NULL};

        random_text(&seed, &a);
        random_text(&seed, &b);
        str_clear(&ours);
        str_clear(&theirs);
        str_clear(&patched);
        diff_unified("a", a.buf, a.len, b.buf, b.len, &ours);
        assert_int_equal(file_write("a", a.buf, a.len, 0600, &err), 0);
        assert_int_equal(file_write("b", b.buf, b.len, 0600, &err), 0);
        assert_int_equal(file_write("d", ours.buf, ours.len, 0600, &err), 0);
        run(diff, &theirs, true);
        assert_int_equal(count_changes(ours.buf), count_changes(theirs.buf));
        if (ours.len == 0 || !proc_find_program("patch", (char[256]){0}, 256))
            continue;
        run(patch, NULL, false);
        assert_int_equal(file_read("c", &patched, &err), 0);
        assert_string_equal(patched.buf, b.buf);
    }
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(file_remove_tree(dir, &err), 0);
    str_release(&a);
    str_release(&b);
    str_release(&ours);
    str_release(&theirs);
    str_release(&patched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_texts),         cmocka_unit_test(empty_sides),
        cmocka_unit_test(hunks_join_and_part), cmocka_unit_test(binary),
        cmocka_unit_test(too_different),       cmocka_unit_test(agrees_with_diff),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
