/*
 * test_reference.c - docs/ansible.md: complete, and never of two minds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/jinja/jinja.h"
#include "lib/play/modules.h"
#include "lib/play/reader.h"

static struct str page;

static int make_page(void **state)
{
    UNUSED(state);
    str_init(&page, STR_MAX_TEXT);
    play_write_reference(&page);
    return 0;
}

static int free_page(void **state)
{
    UNUSED(state);
    str_release(&page);
    return 0;
}

/* The text of a section: from its heading to the next one of any level. */
static char *section(const char *heading)
{
    char *line = xasprintf("\n%s\n", heading), *text;
    const char *from = strstr(page.buf, line), *to;

    assert_non_null(from);
    from += strlen(line);
    to = strstr(from, "\n#");
    text = to ? xasprintf("%.*s", (int)(to - from), from) : xstrdup(from);
    free(line);
    return text;
}

static int rows_of(const char *text, const char *name)
{
    char *row = xasprintf("\n| `%s` |", name);
    int n = 0;

    for (const char *at = text; (at = strstr(at, row)); at++)
        n++;
    free(row);
    return n;
}

static void assert_keys(const char *heading, const struct key_table *table)
{
    char *text = section(heading);

    for (size_t i = 0; i < table->n; i++) {
        assert_int_equal(rows_of(text, table->rows[i].name), 1);
        assert_non_null(table->rows[i].text);
        /* what is refused is told what to do */
        assert_true(table->rows[i].read || *table->rows[i].text);
    }
    free(text);
}

static void test_keys(void **state)
{
    UNUSED(state);
    assert_keys("### Plays", &reader_play_table);
    assert_keys("### Plays, blocks, roles and tasks", &reader_common_table);
    assert_keys("### Tasks and handlers", &reader_task_table);
    assert_keys("### loop_control", &reader_control_table);
}

static void test_modules(void **state)
{
    char *text = section("## Modules");

    UNUSED(state);
    for (const struct module *const *m = module_list; *m; m++) {
        char *head = xasprintf("\n| [`%s`](modules.md#%s) |", (*m)->name, (*m)->name);
        const char *row = strstr(text, head);
        char *line;

        assert_non_null(row);
        line = xasprintf("%.*s ", (int)strcspn(row + 1, "\n"), row + 1);
        for (const struct module_arg *arg = (*m)->args; arg->name; arg++) {
            char *word = xasprintf(" %s ", arg->name);

            assert_non_null(strstr(line, word));
            free(word);
        }
        free(line);
        free(head);
    }
    free(text);
}

/* What is told to be missing is missing. */
static void test_filters(void **state)
{
    char *text = section("## Filters"), *missing = strstr(text, "Not supported");

    UNUSED(state);
    assert_non_null(missing);
    for (const char *const *name = jinja_filter_names(); *name; name++) {
        assert_int_equal(rows_of(missing, *name), 0);
        assert_int_equal(rows_of(text, *name), 1);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_modules),
        cmocka_unit_test(test_filters),
    };

    return cmocka_run_group_tests_name("reference", tests, make_page, free_page);
}
