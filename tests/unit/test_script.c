/*
 * test_script.c - the text of a trip, run by /bin/sh: what it leaves when nobody listens any more,
 * and what it tells when there is no room for a message.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/proc.h"
#include "lib/play/script.h"

#define MARK "@mark"

struct scene {
    char dir[64];
    char *scratch; /* TMPDIR of the script */
    struct str script, answer;
    size_t fragments;
};

static int set_up(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));
    struct err err = ERR_INIT;

    snprintf(s->dir, sizeof(s->dir), "/tmp/pgha-script-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    s->scratch = path_join(s->dir, "scratch");
    assert_int_equal(file_mkdirs(s->scratch, 0700, &err), 0);
    assert_int_equal(setenv("TMPDIR", s->scratch, 1), 0);
    str_init(&s->script, STR_MAX_TEXT);
    str_init(&s->answer, STR_MAX_TEXT);
    script_begin(&s->script, MARK, true);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;

    assert_int_equal(unsetenv("TMPDIR"), 0);
    assert_int_equal(file_remove_tree(s->dir, &err), 0);
    str_release(&s->script);
    str_release(&s->answer);
    free(s->scratch);
    free(s);
    return 0;
}

static void add(struct scene *s, const char *text)
{
    script_put_fragment(
        &s->script,
        &(struct fragment){.id = s->fragments++, .before = "", .text = text, .after = ""});
}

/* Runs the command in the scene's folder, where "script" is the script; its output is the answer.
 */
static void run(struct scene *s, const char *command)
{
    char *path = path_join(s->dir, "script"),
         *text = xasprintf("cd %s && { %s; }", s->dir, command);
    const char *const argv[] = {"sh", "-c", text, NULL};
    struct proc p = {.argv = argv, .out = &s->answer, .timeout_ms = 20000};
    struct err err = ERR_INIT;

    assert_int_equal(file_write(path, s->script.buf, s->script.len, 0600, &err), 0);
    str_clear(&s->answer);
    if (proc_run(&p, &err) < 0)
        fail_msg("%s", err.text);
    free(text);
    free(path);
}

static bool is_there(const struct scene *s, const char *name)
{
    char *path = path_join(s->dir, name);
    bool there = file_exists(path);

    free(path);
    return there;
}

static size_t scratch_entries(const struct scene *s)
{
    DIR *dir = opendir(s->scratch);
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2; /* "." and ".." */
}

/* As when the controller is killed, or the connection cut: sshd closes the pipe. */
static void ends_when_nobody_listens(void **state)
{
    struct scene *s = *state;

    add(s, "until [ -e gone ]; do sleep 0.01; done; touch first");
    add(s, "touch second");
    run(s, "sh script | { read -r line; read -r line; exec <&-; touch gone; }");
    assert_true(is_there(s, "first")); /* what has begun is ended well */
    assert_false(is_there(s, "second"));
    assert_int_equal(scratch_entries(s), 0);
}

static void removes_what_a_killed_one_left(void **state)
{
    struct scene *s = *state;

    add(s, "kill -9 $$");
    run(s, "sh script || :");
    assert_int_equal(scratch_entries(s), 1);
    run(s, "mkdir scratch/.pgha-1-abcdefgh; sh script || :");
    assert_int_equal(scratch_entries(s),
                     2); /* the second's own, and that of a process that lives */
}

static void tells_that_there_was_no_room_to_tell(void **state)
{
    struct scene *s = *state;
    struct str told;
    int status;

    if (geteuid() != 0)
        skip(); /* mounts */
    add(s, "head -c 1M /dev/zero >scratch/filler; echo the reason >&2; exit 3");
    run(s, "unshare --mount sh -c 'mount -t tmpfs -o size=64k none scratch && sh script'");
    assert_true(script_status(MARK, 0, s->answer.buf, s->answer.len, &status));
    assert_int_equal(status, 3);
    str_init(&told, STR_MAX_TEXT);
    script_output(MARK, "err", 0, s->answer.buf, s->answer.len, &told);
    assert_non_null(strstr(told.buf, s->scratch));
    assert_non_null(strstr(told.buf, "No space left on device"));
    str_release(&told);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(ends_when_nobody_listens),
        T(removes_what_a_killed_one_left),
        T(tells_that_there_was_no_room_to_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
