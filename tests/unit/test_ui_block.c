/*
 * test_ui_block.c - the block at the bottom of a terminal, on screens of every size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/ui_block.h"

/* What is drawn, without "clear to the end of the line". */
static char *draw(const struct block *block, int width, int height, struct drawn *drawn)
{
    struct screen screen = {width, height, false};
    struct str out, plain;

    str_init(&out, STR_MAX_TEXT);
    str_init(&plain, STR_MAX_TEXT);
    block_draw(block, &screen, &out, drawn);
    for (const char *at = out.buf; *at;) {
        size_t n = strcspn(at, "\033");

        str_add(&plain, at, n);
        at += n + (at[n] ? strlen("\033[K") : 0);
    }
    str_release(&out);
    return str_detach(&plain);
}

static void assert_drawn(const struct block *block, int width, int height, const char *wanted)
{
    struct drawn drawn = {VEC_INIT};
    char *text = draw(block, width, height, &drawn);

    assert_string_equal(text, wanted);
    free(text);
    drawn_release(&drawn);
}

static void test_head(void **state)
{
    struct block block = {
        .stage = "ready", .step = "waiting until every member is well", .elapsed_ms = 5250};

    UNUSED(state);
    assert_drawn(&block, 80, 24, "ready       5.2 s  waiting until every member is well\n");
    block.left = "about 8 s left";
    assert_drawn(&block, 80, 24,
                 "ready       5.2 s  about 8 s left  waiting until every member is well\n");
    assert_drawn(&block, 40, 10, "ready       5.2 s  about 8 s left  wait\n");
    assert_drawn(&block, 30, 10, "ready       5.2 s  waiting un\n"); /* whole or not at all */
}

static void test_bar(void **state)
{
    struct block block = {
        .stage = "converge", .share = 0.5, .hosts = 30, .ended = 3, .elapsed_ms = 900};

    UNUSED(state);
    assert_drawn(&block, 80, 24, "converge  [############............] 3/30 done  0.9 s\n");
    assert_drawn(&block, 40, 24, "converge  [####....] 3/30 done  0.9 s\n");
    block.share = 1.5;
    assert_drawn(&block, 40, 24, "converge  [########] 3/30 done  0.9 s\n");
}

static void test_hosts(void **state)
{
    struct block block = {.stage = "play", .hosts = 2};
    struct block_host one = {"db1", "command: a\n\tb \033[31mred\xc3\xa9"};
    struct block_host two = {"a-host.with.a.very.long.name.example", "connecting"};

    UNUSED(state);
    vec_push(&block.busy, one);
    assert_drawn(&block, 80, 24,
                 "play      [........................] 0/2 done  0.0 s\n"
                 "  db1       command: a  b  [31mred\xc3\xa9\n");
    vec_push(&block.busy, two);
    assert_drawn(&block, 80, 24,
                 "play      [........................] 0/2 done  0.0 s\n"
                 "  db1                       command: a  b  [31mred\xc3\xa9\n"
                 "  a-host.with.a.very.long.  connecting\n");
    vec_release(&block.busy);
}

/* Whatever there is to show, it fits. */
static void test_sizes(void **state)
{
    struct block block = {.stage = "a-stage-with-a-long-name",
                          .left = "about 8 min left of converge",
                          .step = "a step that tells more than there is room for",
                          .hosts = 100,
                          .ended = 70,
                          .share = 0.7};
    struct drawn drawn = {VEC_INIT};

    UNUSED(state);
    for (int i = 0; i < 30; i++) {
        struct block_host host = {"some-host", "apt: a package with \xe2\x9c\x93 and many words"};

        vec_push(&block.busy, host);
    }
    for (int width = 1; width < 120; width++)
        for (int height = 3; height < 60; height++) {
            free(draw(&block, width, height, &drawn));
            assert_in_range(drawn.widths.n, 1, height);
            vec_each (used, &drawn.widths)
                assert_in_range(*used, 0, width - 1);
        }
    vec_release(&block.busy);
    drawn_release(&drawn);
}

static void test_more(void **state)
{
    struct block block = {.stage = "play", .hosts = 30};
    struct block_host host = {"h", "s"};

    UNUSED(state);
    for (int i = 0; i < 30; i++)
        vec_push(&block.busy, host);
    assert_drawn(&block, 40, 7,
                 "play      [........] 0/30 done  0.0 s\n"
                 "  h         s\n"
                 "  h         s\n"
                 "  h         s\n"
                 "  and 27 more\n");
    vec_release(&block.busy);
}

/* A terminal that became narrower has wrapped what was drawn. */
static void test_resize(void **state)
{
    struct block block = {.stage = "ready", .step = "waiting until every member is well"};
    struct drawn drawn = {VEC_INIT};

    UNUSED(state);
    assert_int_equal(drawn_lines(&drawn, 80), 0);
    free(draw(&block, 80, 24, &drawn));
    assert_int_equal(drawn_lines(&drawn, 80), 1);
    assert_int_equal(drawn_lines(&drawn, 200), 1);
    assert_int_equal(drawn_lines(&drawn, 30), 2);
    assert_int_equal(drawn_lines(&drawn, 10), 6);
    drawn_release(&drawn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head),  cmocka_unit_test(test_bar),  cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_sizes), cmocka_unit_test(test_more), cmocka_unit_test(test_resize),
    };

    return cmocka_run_group_tests_name("ui_block", tests, NULL, NULL);
}
