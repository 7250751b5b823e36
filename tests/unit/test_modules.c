/*
 * test_modules.c - every module's plan against worlds made by hand; fragments that touch only files
 * are run by /bin/sh in a folder of their own, and what they leave must be what the plan predicted.
 */
#include "tests/unit/module_bench.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* ---- arguments ---- */

static const struct module_arg every_type[] = {
    {"s", ARG_STR, false, NULL, NULL, "string|text", ""},
    {"b", ARG_BOOL, false, NULL, NULL, NULL, ""},
    {"i", ARG_INT, false, "7", NULL, NULL, ""},
    {"f", ARG_FLOAT, false, NULL, NULL, NULL, ""},
    {"l", ARG_LIST, false, NULL, NULL, NULL, ""},
    {"m", ARG_MAP, false, NULL, NULL, NULL, ""},
    {"p", ARG_PATH, false, NULL, NULL, NULL, ""},
    {"mode", ARG_MODE, false, NULL, NULL, NULL, ""},
    {"raw", ARG_RAW, false, NULL, NULL, NULL, ""},
    {"state", ARG_STR, false, "present", "absent|present", NULL, ""},
    {"never", ARG_REFUSED, false, NULL, NULL, "ever", "use command: never"},
    {"idle", ARG_REFUSED, false, "no", NULL, NULL, "use something else"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};
static const struct module every = {.name = "every", .args = every_type};

static void typing(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *args, *key, *text; /* text NULL: refused, key is in the message */
    } cases[] = {
        {"{s: abc}", "s", "abc"},
        {"{text: abc}", "s", "abc"},
        {"{s: yes}", "s", "True"},
        {"{s: 1.50}", "s", "1.5"},
        {"{s: [a]}", "s must be a string, not a list", NULL},
        {"{s: a, string: b}", "s is given twice", NULL},
        {"{b: yes}", "b", "True"},
        {"{b: \"off\"}", "b", "False"},
        {"{b: 1}", "b", "True"},
        {"{b: \"Y\"}", "b", "True"},
        {"{b: 2}", "b must be a boolean", NULL},
        {"{b: maybe}", "b must be a boolean (yes or no), not 'maybe'", NULL},
        {"{i: 12}", "i", "12"},
        {"{i: \"-3\"}", "i", "-3"},
        {"{i: 4.0}", "i", "4"},
        {"{}", "i", "7"},
        {"{i: null}", "i", "7"},
        {"{i: 4.5}", "i must be an integer", NULL},
        {"{i: 12x}", "i must be an integer", NULL},
        {"{i: \"\"}", "i must be an integer", NULL},
        {"{i: \"99999999999999999999\"}", "i must be an integer", NULL},
        {"{i: yes}", "i must be an integer", NULL},
        {"{f: 2}", "f", "2.0"},
        {"{f: \"0.5\"}", "f", "0.5"},
        {"{f: a}", "f must be a number", NULL},
        {"{l: \"a, b,c\"}", "l", "['a', 'b', 'c']"},
        {"{l: [a, 1, true]}", "l", "['a', '1', 'True']"},
        {"{l: 5}", "l", "['5']"},
        {"{l: \"\"}", "l", "[]"},
        {"{l: [[a]]}", "l must be a list of strings", NULL},
        {"{l: {a: b}}", "l must be a list", NULL},
        {"{m: {a: 1}}", "m", "{'a': 1}"},
        {"{m: '{\"a\": 1}'}", "m", "{'a': 1}"},
        {"{m: \"{broken\"}", "m must be a map", NULL},
        {"{m: a=b}", "m must be a map", NULL},
        {"{p: /a/b}", "p", "/a/b"},
        {"{p: ~/x}", "'~' is not supported", NULL},
        {"{mode: 0644}", "mode", "0644"},
        {"{mode: \"0644\"}", "mode", "0644"},
        {"{mode: \"644\"}", "mode", "0644"},
        {"{mode: \"0o750\"}", "mode", "0750"},
        {"{mode: 0}", "mode", "0000"},
        {"{mode: 644}", "mode", "01204"}, /* the integer 644, as in Ansible */
        {"{mode: 01777}", "mode", "01777"},
        {"{mode: \"u=rw,g=r,o=\"}", "mode", "u=rw,g=r,o="},
        {"{mode: u+rwX}", "mode", "u+rwX"},
        {"{mode: \"a=rX,u+w-x\"}", "mode", "a=rX,u+w-x"},
        {"{mode: \"0899\"}", "mode must be a file mode", NULL},
        {"{mode: \"-1\"}", "mode must be a file mode", NULL},
        {"{mode: 99999}", "mode must be a file mode", NULL},
        {"{mode: rwx}", "mode must be a file mode", NULL},
        {"{mode: preserve}", "mode must be a file mode", NULL},
        {"{mode: \"u=rw,\"}", "mode must be a file mode", NULL},
        {"{raw: [1, {a: b}]}", "raw", "[1, {'a': 'b'}]"},
        {"{state: absent}", "state", "absent"},
        {"{}", "state", "present"},
        {"{state: gone}", "state must be one of absent|present, not 'gone'", NULL},
        {"{stat: x}", "module every has no argument 'stat'", NULL},
        {"{ever: x}", "module every does not support the argument 'never'", NULL},
        {"{never: null}", "state", "present"},
        {"{idle: \"No\"}", "state", "present"},
        {"{idle: yes}", "module every does not support the argument 'idle'", NULL},
        {"{idle: 17}", "module every does not support the argument 'idle'", NULL},
        {"[a]", "arguments of every must be a map", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct value *typed =
            args_type(&b->arena, &every, yaml(b, cases[i].args), task_src, &b->err);

        if (!cases[i].text) {
            if (typed || !strstr(b->err.text, cases[i].key))
                fail_msg("%s: %s", cases[i].args, typed ? "accepted" : b->err.text);
            err_release(&b->err);
            continue;
        }
        if (!typed)
            fail_msg("%s: %s", cases[i].args, b->err.text);
        b->plan.result = (struct value *)typed;
        assert_string_equal(result(b, cases[i].key), cases[i].text);
    }
}

static void places_of_errors(void **state)
{
    struct bench *b = *state;

    assert_null(args_type(&b->arena, &every, yaml(b, "\n\ns: x\nb:   maybe\n"), task_src, &b->err));
    assert_non_null(strstr(b->err.text, "play.yml:4:6: "));
    err_release(&b->err);
    assert_null(args_type(&b->arena, module_find("copy"), NULL, task_src, &b->err));
    assert_string_equal(b->err.text, "play.yml:7:3: module copy needs the argument 'dest'");
    err_release(&b->err);
    assert_null(args_type(&b->arena, &every, yaml(b, "{stae: x}"), task_src, &b->err));
    assert_string_equal(b->err.hint, "did you mean 'state'?");
    err_release(&b->err);
    assert_null(args_type(&b->arena, &every, yaml(b, "{never: x}"), task_src, &b->err));
    assert_string_equal(b->err.hint, "use command: never");
}

static void checking(void **state)
{
    struct bench *b = *state;
    struct faults faults;
    struct str text;

    faults_init(&faults);
    str_init(&text, STR_MAX_TEXT);
    args_check(module_find("copy"), yaml(b, "{dst: /x, mode: rwx, backup: \"{{ maybe }}\"}"), NULL,
               task_src, &faults);
    faults_format(&faults, &text);
    assert_int_equal(faults.n, 3);
    assert_non_null(strstr(text.buf, "no argument 'dst'"));
    assert_non_null(strstr(text.buf, "did you mean 'dest'?"));
    assert_non_null(strstr(text.buf, "mode must be a file mode"));
    assert_non_null(strstr(text.buf, "needs the argument 'dest'"));
    faults_release(&faults);
    faults_init(&faults);
    args_check(module_find("copy"), yaml(b, "{dest: \"{{ x }}\", content: null}"), NULL, task_src,
               &faults);
    args_check(module_find("command"), NULL, "true", task_src, &faults);
    args_check(module_find("command"), yaml(b, "{argv: [a]}"), NULL, task_src, &faults);
    args_check(module_find("set_fact"), yaml(b, "{any_name: 1}"), NULL, task_src, &faults);
    assert_int_equal(faults.n, 0);
    args_check(module_find("shell"), NULL, NULL, task_src, &faults);
    assert_int_equal(faults.n, 1);
    faults_release(&faults);
    str_release(&text);
}

static void splitting(void **state)
{
    struct bench *b = *state;
    const char *rest;
    struct value *map = args_split(&b->arena, module_find("file"), task_src,
                                   "path=/a owner=\"{{ a == b }}\" mode='0600'", &rest, &b->err);

    assert_string_equal(value_get_str(map, "owner", ""), "{{ a == b }}");
    assert_string_equal(value_get_str(map, "mode", ""), "0600");
    assert_null(rest);
    map = args_split(&b->arena, module_find("file"), task_src, "path={{ a + '=x' }} state=touch",
                     &rest, &b->err);
    assert_string_equal(value_get_str(map, "path", ""), "{{ a + '=x' }}");
    assert_null(
        args_split(&b->arena, module_find("file"), task_src, "oops path=/x", &rest, &b->err));
    assert_non_null(strstr(b->err.text, "play.yml:7:3: module file takes name=value, not 'oops"));
    map = args_split(&b->arena, module_find("shell"), task_src,
                     "A=1 echo \"creates=no\" | cat  x=y\n  chdir=/tmp creates='/a b'", &rest,
                     &b->err);
    assert_string_equal(rest, "A=1 echo \"creates=no\" | cat  x=y");
    assert_string_equal(value_get_str(map, "chdir", ""), "/tmp");
    assert_string_equal(value_get_str(map, "creates", ""), "/a b");
    assert_non_null(args_split(&b->arena, module_find("command"), task_src, "", &rest, &b->err));
    assert_null(rest);
}

static void words(void **state)
{
    struct bench *b = *state;
    static const char *const cases[][2] = {
        {"a b  c", "['a', 'b', 'c']"},
        {"'a b' \"c d\"", "['a b', 'c d']"},
        {"a\\ b \"x\\\"y\\z\"", "['a b', 'x\"y\\\\z']"},
        {"'' x''y", "['', 'xy']"},
        {"  ", "[]"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        b->plan.result = value_map(&b->arena);
        value_map_set(&b->arena, b->plan.result, "w", args_words(&b->arena, cases[i][0], &b->err));
        assert_string_equal(result(b, "w"), cases[i][1]);
    }
    assert_null(args_words(&b->arena, "it's", &b->err));
    err_release(&b->err);
    assert_null(args_words(&b->arena, "end\\", &b->err));
}

/* ---- copy and template ---- */

static void copy_new_file(void **state)
{
    struct bench *b = *state;

    changes_once(b, "copy", "{content: \"a\\n'b'\\n\", dest: '@/x y', mode: '0640'}");
    assert_file(b, "@/x y", "a\n'b'\n", 0640);
    assert_string_equal(result(b, "dest"), here(b, "@/x y"));
    assert_string_equal(result(b, "state"), "file");
    assert_string_equal(result(b, "mode"), "0640");
    changes_once(b, "copy", "{content: '', dest: '@/empty'}");
    assert_file(b, "@/empty", "", 0644);
    changes_once(b, "copy", "{content: {a: [1, yes]}, dest: '@/json', mode: 'u=rw,go='}");
    assert_file(b, "@/json", "{\"a\": [1, true]}", 0600);
}

static void copy_changed_file(void **state)
{
    struct bench *b = *state;

    put_file(b, "@/f", "one\ntwo\n");
    assert_int_equal(plan(b, "copy", "{content: \"one\\n2\\n\", dest: '@/f', mode: '0755'}"),
                     PLAN_CHANGE);
    assert_string_equal(b->plan.msg, "content, mode 0600 -> 0755");
    assert_string_equal(
        b->plan.diff.buf,
        here(b, "--- before: @/f\n+++ after: @/f\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"));
    assert_int_equal(apply(b, NULL), 0);
    assert_file(b, "@/f", "one\n2\n", 0755);
    world_forget(&b->world);
    changes_once(b, "copy", "{content: new, dest: '@/f', backup: yes}");
    assert_file(b, "@/f", "new", 0755); /* keeps its mode */
    changes_once(b, "copy", "{content: new, dest: '@/f', mode: 0600}");
    assert_file(b, "@/f", "new", 0600);
    assert_int_equal(plan(b, "copy", "{content: other, dest: '@/f', force: no}"), PLAN_OK);
}

static void copy_follows(void **state)
{
    struct bench *b = *state;

    put_file(b, "@/target", "old");
    assert_int_equal(symlink("target", here(b, "@/link")), 0);
    changes_once(b, "copy", "{content: new, dest: '@/link', follow: yes}");
    assert_file(b, "@/target", "new", 0600);
    assert_string_equal(result(b, "dest"), here(b, "@/target"));
    changes_once(b, "copy", "{content: newer, dest: '@/link'}");
    assert_file(b, "@/link", "newer", 0644);
    assert_file(b, "@/target", "new", 0600);
}

static void copy_into_new_folders(void **state)
{
    struct bench *b = *state;
    struct stat st;

    put_file(b, "@/src", "text");
    changes_once(b, "copy",
                 "{src: src, dest: '@/a/b/', directory_mode: '0700', mode: '0640', "
                 "checksum: 372ea08cab33e71c02c651dbc83a474d32c676ea}");
    assert_file(b, "@/a/b/src", "text", 0640);
    assert_int_equal(stat(here(b, "@/a"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    refuses(b, "copy", "{src: src, dest: '@/f', checksum: 12}", "does not match the expected");
    put_file(b, "@/secret", "$ANSIBLE_VAULT;1.1;AES256\n61\n");
    refuses(b, "copy", "{src: secret, dest: '@/f'}", "encrypted by ansible-vault");
    changes_once(b, "copy", "{src: secret, dest: '@/f', decrypt: no}");
    put_file(b, "@/t.j2", "x");
    refuses(b, "template", "{src: t.j2, dest: '@/t', output_encoding: latin-1}",
            "does not support the argument 'output_encoding'");
    changes_once(b, "template",
                 "{src: t.j2, dest: '@/t', follow: no, output_encoding: UTF-8, "
                 "unsafe_writes: yes}");
}

/* What a killed script left beside the file, and what is of others. No pid has nine digits. */
static void copy_sweeps_after_the_dead(void **state)
{
    static const struct {
        const char *name;
        bool stays;
    } files[] = {{"@/.pgha-999999999-abcdefgh", false}, {"@/.pgha-999999999-abcdefgh.rc", false},
                 {"@/.pgha-1-abcdefgh", true},          {"@/.pgha-999999999-abc", true},
                 {"@/.pgha-mine-abcdefgh", true},       {"@/pgha-999999999-abcdefgh", true}};
    struct bench *b = *state;

    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        put_file(b, files[i].name, "x");
    changes_once(b, "copy", "{content: new, dest: '@/f'}");
    assert_file(b, "@/f", "new", 0644);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        assert_int_equal(file_exists(here(b, files[i].name)), files[i].stays);
}

static void copy_validates(void **state)
{
    struct bench *b = *state;

    changes_once(b, "copy", "{content: good, dest: '@/v', validate: 'grep -q good %s'}");
    assert_int_equal(plan(b, "copy", "{content: bad, dest: '@/v', validate: 'grep -q good %s'}"),
                     PLAN_CHANGE);
    assert_int_not_equal(apply(b, NULL), 0);
    assert_file(b, "@/v", "good", 0644); /* untouched, and no temporary file is left: */
    assert_int_equal(rename(here(b, "@/v"), here(b, "@/../pgha-kept")), 0);
    assert_int_equal(rmdir(b->dir), 0);
    assert_int_equal(mkdir(b->dir, 0700), 0);
    assert_int_equal(unlink(here(b, "@/../pgha-kept")), 0);
    world_forget(&b->world);
    refuses(b, "copy", "{content: x, dest: '@/w', validate: 'true'}", "validate must contain %s");
}

static void copy_into_folders(void **state)
{
    struct bench *b = *state;

    put_file(b, "@/src.txt", "text");
    assert_int_equal(mkdir(here(b, "@/d"), 0700), 0);
    changes_once(b, "copy", "{src: src.txt, dest: '@/d'}");
    assert_file(b, "@/d/src.txt", "text", 0644);
    changes_once(b, "copy", "{src: src.txt, dest: '@/new/deep/'}");
    assert_file(b, "@/new/deep/src.txt", "text", 0644);
    changes_once(b, "copy", "{src: '@/src.txt', dest: '@/d/other'}");
    refuses(b, "copy", "{src: src.txt, dest: '@/none/x'}", "does not exist");
    refuses(b, "copy", "{content: x, dest: '@/d'}", "can not use content with a dir as dest");
    refuses(b, "copy", "{src: nowhere, dest: '@/x'}", "could not find 'nowhere'");
    refuses(b, "copy", "{src: d, dest: '@/x'}", "is a folder");
    refuses(b, "copy", "{dest: '@/x'}", "needs src or content");
    refuses(b, "copy", "{dest: '@/x', src: a, content: b}", "not both");
}

/* What came of it is known when it is looked at anew. */
static void copies_once(struct bench *b, const char *args)
{
    struct str out;

    world_forget(&b->world);
    assert_int_equal(plan(b, "copy", args), PLAN_OPAQUE);
    str_init(&out, STR_MAX_TEXT);
    assert_int_equal(apply(b, &out), 0);
    str_release(&out);
    world_forget(&b->world);
    assert_int_equal(plan(b, "copy", args), PLAN_OK);
}

static void copy_of_the_host(void **state)
{
    struct bench *b = *state;

    put_file(b, "@/from", "text");
    assert_int_equal(chmod(here(b, "@/from"), 0700), 0);
    assert_int_equal(mkdir(here(b, "@/d"), 0700), 0);
    assert_int_equal(symlink("from", here(b, "@/link")), 0);
    copies_once(b, "{src: '@/from', dest: '@/to', remote_src: yes}");
    assert_file(b, "@/to", "text", 0644);
    copies_once(b, "{src: '@/from', dest: '@/d', remote_src: yes, mode: 'u+x,g+x,o+x'}");
    assert_file(b, "@/d/from", "text", 0755);
    copies_once(b, "{src: '@/link', dest: '@/d/', remote_src: yes}");
    assert_file(b, "@/d/link", "text", 0644);
    put_file(b, "@/to", "other");
    assert_int_equal(chmod(here(b, "@/to"), 0600), 0);
    copies_once(b, "{src: '@/from', dest: '@/to', remote_src: yes}");
    assert_file(b, "@/to", "text", 0700);
    refuses(b, "copy", "{src: '@/none', dest: '@/to', remote_src: yes}", "not found");
    refuses(b, "copy", "{src: '@/d', dest: '@/e', remote_src: yes}", "use command: cp -a");
    refuses(b, "copy", "{src: '@/to', dest: '@/e', remote_src: yes, checksum: ab}", "checksum");
}

static void copy_over_links(void **state)
{
    struct bench *b = *state;

    put_file(b, "@/target", "same");
    assert_int_equal(symlink(here(b, "@/target"), here(b, "@/link")), 0);
    changes_once(b, "copy", "{content: same, dest: '@/link'}");
    assert_file(b, "@/link", "same", 0644);
    assert_file(b, "@/target", "same", 0600);
    assert_int_equal(symlink(b->dir, here(b, "@/dirlink")), 0);
    refuses(b, "copy", "{content: x, dest: '@/dirlink'}", "with a dir as dest");
}

static void template_renders(void **state)
{
    struct bench *b = *state;

    put_file(b, "@/t.j2", "text\n");
    changes_once(b, "template", "{src: t.j2, dest: '@/out', mode: '0644'}");
    assert_file(b, "@/out", "rendered text\n", 0644);
    changes_once(b, "ansible.builtin.template", "{src: t.j2, dest: '@/sub/'}");
    assert_file(b, "@/sub/t.j2", "rendered text\n", 0644);
    put_file(b, "@/p.j2", "PENDING");
    assert_int_equal(begin(b, "template", "{src: p.j2, dest: '@/out'}", NULL), 1);
}

static void check_mode_is_lenient(void **state)
{
    struct bench *b = *state;

    assert_int_equal(begin(b, "copy", "{content: x, dest: '@/later/x'}", NULL), 0);
    b->call.check_mode = true;
    assert_int_equal(b->module->plan(&b->call, &b->world, &b->plan, &b->err), 0);
    assert_int_equal(b->plan.kind, PLAN_CHANGE);
}

/* ---- file ---- */

static void file_directories(void **state)
{
    struct bench *b = *state;
    struct stat st;

    changes_once(b, "file", "{path: '@/a/b/c', state: directory, mode: '2750'}");
    assert_int_equal(stat(here(b, "@/a/b"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 02750);
    changes_once(b, "file", "{path: '@/a/b', state: directory, mode: '0750'}");
    assert_int_equal(stat(here(b, "@/a/b"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    changes_once(b, "file", "{path: '@/plain', state: directory}");
    assert_int_equal(stat(here(b, "@/plain"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    changes_once(b, "file", "{path: '@/a/b', mode: 'g-rx,o=u'}");
    put_file(b, "@/f", "");
    refuses(b, "file", "{path: '@/f', state: directory}", "already exists as a file");
}

static void file_absent(void **state)
{
    struct bench *b = *state;

    changes_once(b, "file", "{path: '@/a/b', state: directory}");
    put_file(b, "@/a/b/f", "");
    world_forget(&b->world);
    assert_int_equal(begin(b, "file", "{path: '@/a/b', state: directory}", NULL), 0);
    changes_once(b, "file", "{path: '@/a', state: absent}");
    assert_int_equal(plan(b, "file", "{path: '@/a/b', state: directory}"), PLAN_CHANGE);
    refuses(b, "file", "{path: /, state: absent}", "refusing to remove /");
}

static void file_links(void **state)
{
    struct bench *b = *state;
    char link[64] = "";

    put_file(b, "@/target", "");
    changes_once(b, "file", "{path: '@/l', src: target, state: link}");
    assert_true(readlink(here(b, "@/l"), link, sizeof(link) - 1) > 0);
    assert_string_equal(link, "target");
    changes_once(b, "file", "{path: '@/l', src: '@/target', state: link}");
    refuses(b, "file", "{path: '@/l2', src: nowhere, state: link}", "src file does not exist");
    changes_once(b, "file", "{path: '@/l2', src: nowhere, state: link, force: yes}");
    put_file(b, "@/f", "");
    world_forget(&b->world);
    refuses(b, "file", "{path: '@/f', src: target, state: link}", "refusing to convert from file");
    changes_once(b, "file", "{path: '@/f', src: target, state: link, force: yes}");
    refuses(b, "file", "{path: '@/none', state: link}", "src is required");
}

static void file_without_following(void **state)
{
    struct bench *b = *state;
    struct stat st;

    put_file(b, "@/target", "");
    assert_int_equal(symlink("target", here(b, "@/l")), 0);
    assert_int_equal(symlink("nowhere", here(b, "@/n")), 0);
    assert_int_equal(plan(b, "file", "{path: '@/l', state: link, follow: no, mode: '0640'}"),
                     PLAN_OK);
    assert_int_equal(plan(b, "file", "{path: '@/l', follow: no}"), PLAN_OK);
    assert_string_equal(result(b, "state"), "link");
    assert_int_equal(plan(b, "file", "{path: '@/l', follow: no, owner: '12345'}"), PLAN_CHANGE);
    assert_non_null(strstr(b->plan.script.buf, here(b, "chown -h '12345' '@/l'")));
    world_forget(&b->world);
    refuses(b, "file", "{path: '@/l', state: file, follow: no}", "is link, cannot continue");
    refuses(b, "file", "{path: '@/l', state: directory, follow: no}", "already exists as a link");
    refuses(b, "file", "{path: '@/n', state: touch, follow: no}", "is a link to nowhere");
    refuses(b, "file", "{path: '@/l', state: link, mode: '0640'}", "or follow: no");
    changes_once(b, "file", "{path: '@/target', state: file, follow: no, mode: '0640'}");
    changes_once(b, "file", "{path: '@/new', src: target, state: link, follow: no}");
    assert_int_equal(lstat(here(b, "@/new"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    refuses(b, "file", "{path: '@/l', src: '@/target', state: hard}", "use command: ln");
}

static void file_through_links(void **state)
{
    struct bench *b = *state;
    struct stat st;

    put_file(b, "@/target", "");
    assert_int_equal(symlink("target", here(b, "@/l")), 0);
    assert_int_equal(symlink("l", here(b, "@/l2")), 0);
    assert_int_equal(symlink("folder", here(b, "@/d")), 0);
    assert_int_equal(symlink("loop", here(b, "@/loop")), 0);
    changes_once(b, "file", "{path: '@/l2', mode: '0640'}");
    assert_file(b, "@/target", "", 0640);
    assert_string_equal(result(b, "path"), here(b, "@/target"));
    changes_once(b, "file", "{path: '@/d', state: directory, mode: '0700'}");
    assert_int_equal(lstat(here(b, "@/folder"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    refuses(b, "file", "{path: '@/l2', state: directory}", "already exists as a file");
    refuses(b, "file", "{path: '@/loop', state: file}", "is link, cannot continue");
    assert_int_equal(plan(b, "stat", "{path: '@/l2', follow: yes}"), PLAN_OK);
    assert_string_equal(result(b, "stat.isreg"), "True");
}

static void file_touch_and_file(void **state)
{
    struct bench *b = *state;

    assert_int_equal(plan(b, "file", "{path: '@/t', state: touch, mode: '0600'}"), PLAN_CHANGE);
    assert_int_equal(apply(b, NULL), 0);
    assert_file(b, "@/t", "", 0600);
    assert_int_equal(plan(b, "file", "{path: '@/t', state: touch}"), PLAN_CHANGE);
    assert_int_equal(plan(b, "file",
                          "{path: '@/t', state: touch, access_time: preserve, "
                          "modification_time: preserve}"),
                     PLAN_OK);
    changes_once(b, "file", "{path: '@/t', state: file, mode: 'a+r,u+x'}");
    refuses(b, "file", "{path: '@/none'}", "is absent, cannot continue");
    refuses(b, "file", "{path: '@/none', src: x, state: file}", "src option requires");
    refuses(b, "file", "{path: '@/t', state: hard, src: x}", "not supported");
    refuses(b, "file", "{path: '@/t', recurse: yes, state: touch}", "recurse option requires");
}

static void file_recurse(void **state)
{
    struct bench *b = *state;
    struct str out;

    str_init(&out, STR_MAX_TEXT);
    assert_int_equal(plan(b, "file", "{path: '@/r', state: directory, recurse: yes, mode: '0700'}"),
                     PLAN_CHANGE);
    assert_false(b->plan.captures);
    assert_int_equal(apply(b, NULL), 0);
    put_file(b, "@/r/f", "");
    assert_int_equal(plan(b, "file", "{path: '@/r', recurse: yes, mode: 'u=rwX,g=rX'}"),
                     PLAN_CHANGE);
    assert_int_equal(apply(b, &out), 0);
    assert_string_equal(result(b, "changed"), "True");
    assert_file(b, "@/r/f", "", 0640);
    str_clear(&out);
    plan(b, "file", "{path: '@/r', recurse: yes, mode: 'u=rwX,g=rX'}");
    assert_int_equal(apply(b, &out), 0);
    assert_string_equal(result(b, "changed"), "False");
    str_release(&out);
}

static void owners_are_compared(void **state)
{
    struct bench *b = *state;
    struct path_state *p;

    put_file(b, "@/f", "");
    plan(b, "file", "{path: '@/f'}");
    p = world_path(&b->world, here(b, "@/f"));
    p->owner = "postgres";
    p->group = "postgres";
    p->uid = p->gid = 26;
    p->mode = 04755;
    assert_int_equal(plan(b, "file", "{path: '@/f', owner: postgres, group: 26}"), PLAN_OK);
    assert_int_equal(plan(b, "file", "{path: '@/f', owner: '0', group: adm, mode: '4755'}"),
                     PLAN_CHANGE);
    assert_string_equal(b->plan.msg, "owner postgres -> 0, group postgres -> adm");
    /* the chmod comes after the chown, which takes the set-id bit off */
    assert_string_equal(b->plan.script.buf,
                        here(b, "chown -h '0:adm' '@/f' &&\nchmod 04755 '@/f'"));
    assert_string_equal(result(b, "owner"), "0");
    assert_int_equal(plan(b, "file", "{path: '@/f', owner: 0, group: adm}"), PLAN_OK);
}

/* Modes against chmod(1) under the usual umask. */
static void modes_as_chmod(void **state)
{
    struct bench *b = *state;
    static const char *const modes[] = {
        "u=rw,g=r,o=", "a+X",          "u=rwX,g=rX,o=rX", "g=u,o=g", "+w",   "=r",
        "u+s,g+s,o+t", "o-rwx,ug+x-w", "u-s,g=,o=u-w",    "a=rwxst", "go+X", "u=g,g=o"};
    static const unsigned starts[] = {0, 0644, 0755, 07777, 02640};
    const char *path = here(b, "@/file");

    put_file(b, "@/file", "");
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        for (size_t j = 0; j < ARRAY_LEN(starts); j++) {
            const char *script =
                arena_printf(&b->arena, "umask 022; chmod -- '%s' %s", modes[i], path);
            const char *const argv[] = {"sh", "-c", script, NULL};
            struct proc p = {.argv = argv, .timeout_ms = 10000};
            unsigned ours = file_mode_apply(modes[i], starts[j], false);
            struct stat st;

            assert_int_equal(chmod(path, starts[j]), 0);
            assert_int_equal(proc_run(&p, &b->err), 0);
            assert_int_equal(stat(path, &st), 0);
            if (ours != (st.st_mode & 07777))
                fail_msg("%s of %04o: %04o, chmod says %04o", modes[i], starts[j], ours,
                         st.st_mode & 07777);
        }
    assert_int_equal(file_mode_apply("a+X", 0600, true), 0711);
}

/* ---- packages, units ---- */

static struct package_state *package(struct bench *b, const char *name, const char *version)
{
    struct package_state *p = arena_new(&b->world.arena, struct package_state);

    p->installed = version != NULL;
    p->version = version;
    world_set(&b->world, NEED_PACKAGE, name, p);
    return p;
}

static void apt_packages(void **state)
{
    struct bench *b = *state;

    package(b, "have", "1.2-3");
    package(b, "lack", NULL);
    assert_int_equal(plan(b, "apt", "{name: have}"), PLAN_OK);
    assert_int_equal(plan(b, "apt", "{name: [have, 'have=1.2*']}"), PLAN_OK);
    assert_int_equal(plan(b, "apt", "{name: 'have=1.3*'}"), PLAN_OPAQUE);
    package(b, "have", "1.2-3");
    assert_int_equal(plan(b, "apt", "{name: 'have,lack', install_recommends: no}"), PLAN_OPAQUE);
    assert_non_null(strstr(b->plan.script.buf, " install -- 'lack' </dev/null"));
    assert_non_null(strstr(b->plan.script.buf, "APT::Install-Recommends=no"));
    assert_string_equal(b->plan.msg, "+lack");
    assert_int_equal(plan(b, "apt", "{name: lack}"), PLAN_OK); /* as predicted */
    assert_int_equal(plan(b, "apt", "{name: have, state: absent, purge: yes}"), PLAN_OPAQUE);
    assert_non_null(strstr(b->plan.script.buf, " --purge remove -- 'have'"));
    assert_int_equal(plan(b, "apt", "{pkg: have, state: absent}"), PLAN_OK);
    package(b, "have", "1");
    assert_int_equal(plan(b, "apt", "{name: have, state: latest}"), PLAN_OPAQUE);
    b->module->finish(&b->call, &b->plan, 0,
                      "0 upgraded, 0 newly installed, 0 to remove and 3 not upgraded.\n", "");
    assert_string_equal(result(b, "changed"), "False");
    assert_int_equal(plan(b, "package", "{name: have, state: present}"), PLAN_OK);
    refuses(b, "apt", "{name: '-o=x'}", "not the name of a package");
    refuses(b, "apt", "{name: 'a b'}", "not the name of a package");
    refuses(b, "apt", "{name: ['*', have], state: latest}", "unable to install additional");
    refuses(b, "apt", "{name: have, upgrade: dist}", "mutually exclusive");
    refuses(b, "apt", "{deb: /x.deb, state: latest}", "deb only supports state=present");
    refuses(b, "apt", "{name: 'a=1=2'}", "invalid package spec");
    refuses(b, "apt", "{state: present}", "needs one of");
}

static void apt_has(struct bench *b, const char *text)
{
    if (!strstr(b->plan.script.buf, text))
        fail_msg("'%s' is not in '%s'", text, b->plan.script.buf);
}

static void apt_all(void **state)
{
    struct bench *b = *state;

    world_set(&b->world, NEED_PACKAGE, "lack", arena_new(&b->arena, struct package_state));
    assert_int_equal(plan(b, "apt", "{upgrade: dist, autoremove: yes}"), PLAN_OPAQUE);
    apt_has(b, " --auto-remove dist-upgrade </dev/null");
    apt_has(b, " --download-only dist-upgrade >/dev/null");
    b->module->finish(&b->call, &b->plan, 0,
                      "0 upgraded, 0 newly installed, 0 to remove and 3 not upgraded.", "");
    assert_string_equal(result(b, "changed"), "False");
    assert_string_equal(result(b, "msg"),
                        "0 upgraded, 0 newly installed, 0 to remove and 3 not upgraded.");
    assert_int_equal(plan(b, "apt", "{name: '*', state: latest, dpkg_options: force-confnew}"),
                     PLAN_OPAQUE);
    apt_has(b, " -o 'Dpkg::Options::=--force-confnew' upgrade --with-new-pkgs");
    assert_null(strstr(b->plan.script.buf, "force-confold"));
    assert_int_equal(plan(b, "apt", "{name: '*'}"), PLAN_OK); /* as in Ansible */
    assert_int_equal(plan(b, "apt", "{name: lack, force: yes, fail_on_autoremove: yes}"),
                     PLAN_OPAQUE);
    apt_has(b, " --allow-change-held-packages --allow-remove-essential --allow-downgrades "
               "--allow-unauthenticated --no-remove install -- 'lack'");
    assert_int_equal(plan(b, "apt", "{name: [lack, /srv/x], state: build-dep, autoremove: yes}"),
                     PLAN_OPAQUE);
    apt_has(b, " build-dep -- 'lack' '/srv/x' </dev/null");
    apt_has(b, " --download-only build-dep -- 'lack'");
    assert_null(strstr(b->plan.script.buf, "--auto-remove"));
    refuses(b, "apt", "{name: '-x', state: build-dep}", "not the name of a package");
    package(b, "lack", NULL);
    assert_int_equal(plan(b, "apt", "{name: lack, state: fixed}"), PLAN_OPAQUE);
    apt_has(b, " --fix-broken install -- 'lack'");
    assert_int_equal(plan(b, "apt", "{autoclean: yes, autoremove: yes}"), PLAN_OPAQUE);
    apt_has(b, " autoclean </dev/null");
    b->module->finish(&b->call, &b->plan, 0, "Del hello 2.10 [1 kB]", "");
    assert_null(result(b, "changed")); /* it is one */
    assert_int_equal(plan(b, "apt", "{autoclean: yes}"), PLAN_OPAQUE);
    b->module->finish(&b->call, &b->plan, 0, "Reading package lists...", "");
    assert_string_equal(result(b, "changed"), "False");
    assert_int_equal(plan(b, "apt", "{clean: yes, autoremove: yes}"), PLAN_OPAQUE);
    assert_string_equal(b->plan.script.buf, "apt-get clean");
}

/* The fragment is not run: it would install. It must be shell text. */
static void parses(struct bench *b)
{
    const char *const argv[] = {"sh", "-n", NULL};
    struct proc p = {.argv = argv,
                     .input = b->plan.script.buf,
                     .input_len = b->plan.script.len,
                     .timeout_ms = 20000};

    assert_int_equal(proc_run(&p, &b->err), 0);
    assert_int_equal(p.status, 0);
}

static void apt_files(void **state)
{
    struct bench *b = *state;
    struct path_state *stamp = arena_new(&b->arena, struct path_state);

    world_set(&b->world, NEED_PATH, "/var/lib/apt/periodic/update-success-stamp", stamp);
    world_set(&b->world, NEED_PATH, "/var/lib/apt/lists", stamp);
    assert_int_equal(plan(b, "apt", "{deb: 'a.deb,http://h/b.deb'}"), PLAN_OPAQUE);
    apt_has(b, "apt-helper download-file 'http://h/b.deb' \"$pgha_debs/1.deb\"");
    apt_has(b, " -o APT::Install-Recommends=no install -- './a.deb' \"$pgha_debs/1.deb\" "
               "</dev/null");
    assert_int_equal(plan(b, "apt", "{deb: /a.deb, policy_rc_d: 101}"), PLAN_OPAQUE);
    apt_has(b, "exit 101\\n");
    parses(b);
    assert_int_equal(plan(b, "apt", "{deb: 'http://h/b.deb', update_cache: yes, policy_rc_d: 0}"),
                     PLAN_OPAQUE);
    parses(b);
}

static void apt_cache(void **state)
{
    struct bench *b = *state;
    static const char stamp[] = "/var/lib/apt/periodic/update-success-stamp";
    struct path_state *p = arena_new(&b->world.arena, struct path_state);
    struct path_state *lists = arena_new(&b->world.arena, struct path_state);

    p->type = 'f';
    p->mtime = 1000000 - 3600;
    world_set(&b->world, NEED_PATH, stamp, p);
    world_set(&b->world, NEED_PATH, "/var/lib/apt/lists", lists);
    package(b, "have", "1");
    assert_int_equal(plan(b, "apt", "{update_cache: yes, cache_valid_time: 3700}"), PLAN_OK);
    assert_int_equal(plan(b, "apt", "{update_cache: yes}"), PLAN_OPAQUE);
    assert_null(result(b, "changed"));
    assert_int_equal(plan(b, "apt", "{name: have, cache_valid_time: 3500}"), PLAN_OPAQUE);
    assert_string_equal(result(b, "changed"), "False");
    p->type = 0;
    lists->type = 'd';
    lists->mtime = 1000000 - 10;
    assert_int_equal(plan(b, "apt", "{cache_valid_time: 3500}"), PLAN_OK);
}

static struct unit_state *unit(struct bench *b, const char *name, const char *active,
                               const char *enabled)
{
    struct unit_state *u = arena_new(&b->world.arena, struct unit_state);

    u->load = active ? "loaded" : "not-found";
    u->active = active ? active : "inactive";
    u->enabled = enabled;
    world_set(&b->world, NEED_UNIT, name, u);
    return u;
}

static void systemd_states(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *active, *want, *verb; /* verb NULL: nothing to do */
    } cases[] = {
        {"active", "started", NULL},         {"activating", "started", NULL},
        {"inactive", "started", "start"},    {"failed", "started", "start"},
        {"active", "stopped", "stop"},       {"activating", "stopped", "stop"},
        {"deactivating", "stopped", "stop"}, {"failed", "stopped", NULL},
        {"inactive", "stopped", NULL},       {"active", "restarted", "restart"},
        {"inactive", "restarted", "start"},  {"active", "reloaded", "reload"},
        {"failed", "reloaded", "start"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *args = arena_printf(&b->arena, "{name: x, state: %s}", cases[i].want);
        bool change = cases[i].verb != NULL;

        unit(b, "x", cases[i].active, "enabled");
        assert_int_equal(plan(b, "systemd_service", args), change ? PLAN_CHANGE : PLAN_OK);
        assert_string_equal(result(b, "changed"), change ? "True" : "False");
        if (!change)
            continue;
        assert_string_equal(b->plan.script.buf,
                            arena_printf(&b->arena, "systemctl %s 'x'", cases[i].verb));
        assert_string_equal(b->plan.consequence, arena_printf(&b->arena, "%s x", cases[i].verb));
        assert_string_equal(b->plan.moves_unit, "x"); /* it may start others: they are asked anew */
    }
}

static void systemd_enables(void **state)
{
    struct bench *b = *state;
    struct unit_state *u = unit(b, "x", "inactive", "disabled");

    assert_int_equal(plan(b, "systemd",
                          "{name: x.service, enabled: yes, state: started, "
                          "daemon_reload: yes, no_block: yes}"),
                     PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, "systemctl --no-block enable 'x.service' &&\n"
                                            "systemctl --no-block start 'x.service'");
    assert_int_equal(plan(b, "service", "{name: x, enabled: yes, state: started}"), PLAN_OK);
    u->needs_reload = true;
    assert_int_equal(plan(b, "systemd", "{name: x, daemon_reload: yes}"), PLAN_CHANGE);
    assert_string_equal(result(b, "changed"), "False");
    assert_int_equal(plan(b, "systemd", "{name: x, daemon_reload: yes}"), PLAN_OK);
    assert_int_equal(plan(b, "systemd", "{daemon_reload: yes}"), PLAN_CHANGE);
    assert_int_equal(plan(b, "systemd", "{name: x, masked: yes, state: stopped}"), PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, "systemctl mask 'x' &&\nsystemctl stop 'x'");
    assert_int_equal(plan(b, "systemd", "{name: x, masked: no}"), PLAN_CHANGE);
    u->enabled = "static";
    assert_int_equal(plan(b, "systemd", "{name: x, enabled: yes}"), PLAN_OK);
    u->enabled = "alias";
    assert_int_equal(plan(b, "systemd", "{name: x, enabled: yes}"), PLAN_CHANGE);
    unit(b, "none", NULL, "");
    refuses(b, "systemd", "{name: none, state: started}", "Could not find the requested service");
    refuses(b, "systemd", "{name: 'x*', state: started}", "not the name of one unit");
    refuses(b, "systemd", "{name: x}", "needs one of");
    refuses(b, "systemd", "{state: started}", "needs name");
    refuses(b, "systemd", "{name: x, state: started, scope: user}", "scope must be one of");
}

static void new_unit_file_is_seen(void **state)
{
    struct bench *b = *state;
    static const char path[] = "/etc/systemd/system/pgha-test.service";

    unit(b, "pgha-test", NULL, "");
    world_set(&b->world, NEED_PATH, path, arena_new(&b->world.arena, struct path_state));
    assert_int_equal(
        plan(b, "copy", arena_printf(&b->arena, "{content: '[Unit]', dest: %s}", path)),
        PLAN_CHANGE);
    assert_int_equal(plan(b, "systemd", "{name: pgha-test, state: started, daemon_reload: yes}"),
                     PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf,
                        "systemctl daemon-reload &&\nsystemctl start 'pgha-test'");
}

/* ---- users, groups, names ---- */

static struct group_state *group(struct bench *b, const char *name, int64_t gid)
{
    struct group_state *g = arena_new(&b->world.arena, struct group_state);

    g->exists = gid >= 0;
    g->gid = gid;
    world_set(&b->world, NEED_GROUP, name, g);
    return g;
}

static struct user_state *user(struct bench *b, const char *name)
{
    struct user_state *u = arena_new(&b->world.arena, struct user_state);

    world_set(&b->world, NEED_USER, name, u);
    group(b, name, -1);
    return u;
}

static void groups(void **state)
{
    struct bench *b = *state;

    group(b, "g", -1);
    assert_int_equal(plan(b, "group", "{name: g, gid: 70, system: yes}"), PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, "groupadd -g 70 -r 'g'");
    assert_int_equal(plan(b, "group", "{name: g, gid: 70}"), PLAN_OK);
    assert_int_equal(plan(b, "group", "{name: g, gid: 71}"), PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, "groupmod -g 71 'g'");
    assert_int_equal(plan(b, "group", "{name: g, state: absent}"), PLAN_CHANGE);
    assert_int_equal(plan(b, "group", "{name: g, state: absent}"), PLAN_OK);
    refuses(b, "group", "{name: '-f'}", "not the name of a group");
}

static void user_created(void **state)
{
    struct bench *b = *state;
    static const char args[] = "{name: u, uid: 70, groups: [z, a, z], shell: /bin/sh, system: yes, "
                               "create_home: no, password: '$6$x$y', comment: \"it's\"}";

    user(b, "u");
    assert_int_equal(plan(b, "user", args), PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf,
                        "useradd -u '70' -G 'a,z' -c 'it'\\''s' -s '/bin/sh' -M -r 'u' &&\n"
                        "printf '%s\\n' 'u':'$6$x$y' | chpasswd -e");
    assert_int_equal(plan(b, "user", args), PLAN_OK);
    user(b, "v");
    group(b, "v", 5);
    assert_int_equal(plan(b, "user", "{name: v, home: '@/homes/v'}"), PLAN_CHANGE);
    assert_non_null(strstr(b->plan.script.buf, "useradd -N -d "));
    assert_non_null(strstr(b->plan.script.buf, "mkdir -m 0755"));
    refuses(b, "user", "{name: 'a:b'}", "not the name of a user");
    refuses(b, "user", "{name: u, password: \"a\\nroot:x\"}", "must be a hash");
}

static void user_modified(void **state)
{
    struct bench *b = *state;
    struct user_state *u = user(b, "u");
    char sum[SHA256_HEX_SIZE];

    sha256_hex("hash", 4, sum);
    *u = (struct user_state){true,      5,         5,    "u",   "a,b", "",
                             "/home/u", "/bin/sh", true, false, sum,   {0, 99999, 7, -1, -1}};
    assert_int_equal(plan(b, "user", "{name: u, password: '!hash', groups: a, append: yes}"),
                     PLAN_OK);
    assert_int_equal(plan(b, "user", "{name: u, groups: 'b,a'}"), PLAN_OK);
    assert_int_equal(plan(b, "user", "{name: u, groups: c, append: yes, shell: /bin/bash}"),
                     PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, "usermod -s '/bin/bash' -a -G 'c' 'u'");
    assert_int_equal(plan(b, "user", "{name: u, groups: ''}"), PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, "usermod -G '' 'u'");
    assert_int_equal(plan(b, "user", "{name: u, password_lock: yes}"), PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, "usermod -L 'u'");
    assert_int_equal(plan(b, "user", "{name: u, password: new, update_password: on_create}"),
                     PLAN_OK);
    assert_int_equal(plan(b, "user", "{name: u, password: new, password_lock: yes}"), PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, "printf '%s\\n' 'u':'!''new' | chpasswd -e");
    assert_int_equal(plan(b, "user", "{name: u, group: '5', uid: 5}"), PLAN_OK);
    assert_int_equal(plan(b, "user", "{name: u, home: '@/h/u'}"), PLAN_CHANGE);
    assert_non_null(strstr(b->plan.script.buf, "usermod -d "));
    assert_non_null(strstr(b->plan.script.buf, here(b, "&& chown -R 'u:' '@/h/u'")));
    assert_int_equal(plan(b, "user", "{name: u, home: '@/h/u'}"), PLAN_OK);
    u->home = "/home/u";
    u->has_home = false;
    assert_int_equal(plan(b, "user", "{name: u, create_home: no}"), PLAN_OK);
    assert_int_equal(plan(b, "user", "{name: u}"), PLAN_CHANGE);
    assert_non_null(
        strstr(b->plan.script.buf,
               "mkdir -p -- '/home' &&\nif [ -e '/etc/skel' ]; then cp -rpT '/etc/skel' "));
    assert_int_equal(plan(b, "user", "{name: u}"), PLAN_OK);
    assert_int_equal(plan(b, "user", "{name: u, home: /new, move_home: yes}"), PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, "usermod -d '/new' -m 'u'");
    assert_int_equal(plan(b, "user", "{name: u, state: absent, remove: yes}"), PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, "userdel -r 'u'");
}

static void user_ends(void **state)
{
    struct bench *b = *state;
    struct user_state *u = user(b, "u");

    *u = (struct user_state){.exists = true,
                             .has_home = true,
                             .home = "/home/u",
                             .ages = {.max = 99999, .warn = 7, .inactive = -1, .expires = -1}};
    assert_int_equal(plan(b, "user", "{name: u, expires: -1, password_expire_max: 99999}"),
                     PLAN_OK);
    assert_int_equal(plan(b, "user", "{name: u, expires: 1893456000.5}"), PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, "usermod -e '2030-01-01' 'u'");
    assert_int_equal(plan(b, "user", "{name: u, expires: 1893499999}"), PLAN_OK); /* that day */
    assert_int_equal(plan(b, "user", "{name: u, expires: -1}"), PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, "usermod -e '' 'u'");
    assert_int_equal(plan(b, "user",
                          "{name: u, password_expire_max: 90, password_expire_warn: 7, "
                          "password_expire_min: 1}"),
                     PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, "chage -m '1' -M '90' 'u'");
    assert_int_equal(plan(b, "user", "{name: u, password_expire_account_disable: 5}"), PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, "usermod -f '5' 'u'");
    assert_int_equal(plan(b, "user", "{name: u, password_expire_account_disable: 5}"), PLAN_OK);
    user(b, "v");
    assert_int_equal(plan(b, "user",
                          "{name: v, umask: '077', skeleton: /sk, uid_min: 5000, "
                          "uid_max: 5999, expires: 0, password_expire_max: 90}"),
                     PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf,
                        "useradd -e '1970-01-01' -m -k '/sk' -K UMASK=077 -K UID_MIN=5000 "
                        "-K UID_MAX=5999 'v' &&\nchage -M '90' 'v'");
    refuses(b, "user", "{name: v, umask: u=rwx}", "must be octal digits");
    refuses(b, "user", "{name: v, local: yes}", "does not support the argument 'local'");
}

static void user_keys(void **state)
{
    struct bench *b = *state;
    struct user_state *u = user(b, "root");
    struct str out;
    static const char args[] = "{name: root, generate_ssh_key: yes, ssh_key_type: ed25519, "
                               "ssh_key_comment: me, ssh_key_passphrase: fake-pass}";

    str_init(&out, STR_MAX_TEXT);
    *u = (struct user_state){.exists = true, .has_home = true, .home = b->dir};
    assert_int_equal(plan(b, "user", args), PLAN_CHANGE);
    assert_null(strstr(b->plan.script.buf, "fake-pass"));
    if (geteuid() != 0 || access("/usr/bin/ssh-keygen", X_OK) < 0)
        return;
    assert_int_equal(apply(b, &out), 0);
    assert_true(str_starts(result(b, "ssh_public_key"), "ssh-ed25519 "));
    assert_true(str_starts(result(b, "ssh_fingerprint"), "256 SHA256:"));
    world_forget(&b->world);
    u = user(b, "root");
    *u = (struct user_state){.exists = true, .has_home = true, .home = b->dir};
    assert_int_equal(plan(b, "user", args), PLAN_OK);
    assert_true(str_ends(result(b, "ssh_public_key"), " me"));
    assert_string_equal(result(b, "ssh_key_file"), here(b, "@/.ssh/id_ed25519"));
    str_release(&out);
}

static void hostnames(void **state)
{
    struct bench *b = *state;
    struct path_state *etc = arena_new(&b->world.arena, struct path_state);
    struct path_state *file = arena_new(&b->world.arena, struct path_state);

    etc->type = 'd';
    *file = (struct path_state){.type = 'f',
                                .mode = 0644,
                                .sha256 = "x",
                                .size = 10,
                                .content = "# c\nold\n",
                                .content_len = 8};
    world_set(&b->world, NEED_PATH, "/etc", etc);
    world_set(&b->world, NEED_PATH, "/etc/hostname", file);
    world_set(&b->world, NEED_HOSTNAME, "", (void *)"old");
    assert_int_equal(plan(b, "hostname", "{name: old}"), PLAN_OK);
    assert_int_equal(plan(b, "hostname", "{name: db-1}"), PLAN_CHANGE);
    assert_string_equal(b->plan.msg, "old -> db-1");
    assert_true(str_ends(b->plan.script.buf, " &&\nhostname 'db-1'"));
    assert_int_equal(plan(b, "hostname", "{name: db-1}"), PLAN_OK);
    refuses(b, "hostname", "{name: 'a b'}", "not a host name");
    refuses(b, "hostname", "{name: '-x'}", "not a host name");
}

/* ---- text files ---- */

static void lines_in_files(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *before, *args, *after;
    } cases[] = {
        {"a\nb\n", "line: c", "a\nb\nc\n"},
        {"a\nb", "line: c", "a\nb\nc\n"},
        {"", "line: c", "c\n"},
        {"a\nc\nb\n", "line: c", NULL},
        {"k=1\nx\nk=2\n", "regexp: '^k=', line: k=3", "k=1\nx\nk=3\n"},
        {"k=1\nx\nk=2\n", "regexp: '^k=', line: k=3, firstmatch: yes", "k=3\nx\nk=2\n"},
        {"k=3\n", "regexp: '^k=', line: k=3", NULL},
        {"k=3", "regexp: '^k=', line: k=3", "k=3\n"},
        {"x\n", "regexp: '^k=', line: k=3", "x\nk=3\n"},
        {"x\nk=3\n", "regexp: '^q', line: k=3", NULL},
        {"a\nb\nb2\nc\n", "line: n, insertafter: '^b'", "a\nb\nb2\nn\nc\n"},
        {"a\nb\nb2\nc\n", "line: n, insertafter: '^b', firstmatch: yes", "a\nb\nn\nb2\nc\n"},
        {"a\nb\nc\n", "line: n, insertbefore: '^b'", "a\nn\nb\nc\n"},
        {"a\nb", "line: n, insertafter: '^b'", "a\nb\nn\n"},
        {"a\nb\n", "line: n, insertbefore: BOF", "n\na\nb\n"},
        {"a\nb\n", "line: n, insertafter: BOF", "n\na\nb\n"},
        {"a\n", "line: n, insertafter: '^none'", "a\nn\n"},
        {"a\nb\na\n", "regexp: '^a', state: absent", "b\n"},
        {"a\nb\na\n", "line: a, state: absent", "b\n"},
        {"a\n", "line: c, state: absent", NULL},
        {"x.y\nxzy\n", "search_string: x.y, line: n", "n\nxzy\n"},
        {"host = old # c\n",
         "regexp: '^(host) = (\\w+) #.*', line: '\\1 = \\g<2>er', backrefs: yes", "host = older\n"},
        {"x\n", "regexp: '^k', line: '\\1', backrefs: yes", NULL},
        {"\\d 1\n", "regexp: '\\d+$', line: n", "n\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *args = arena_printf(&b->arena, "{path: '@/f', %s}", cases[i].args);

        put_file(b, "@/f", cases[i].before);
        world_forget(&b->world);
        if (cases[i].after)
            changes_once(b, "lineinfile", args);
        else
            assert_int_equal(plan(b, "lineinfile", args), PLAN_OK);
        assert_file(b, "@/f", cases[i].after ? cases[i].after : cases[i].before, 0600);
    }
}

static void lineinfile_limits(void **state)
{
    struct bench *b = *state;

    changes_once(b, "lineinfile", "{path: '@/n/f', line: x, create: yes, mode: '0640'}");
    assert_file(b, "@/n/f", "x\n", 0640);
    refuses(b, "lineinfile", "{path: '@/none', line: x}", "does not exist");
    assert_int_equal(plan(b, "lineinfile", "{path: '@/none', line: x, state: absent}"), PLAN_OK);
    assert_int_equal(plan(b, "lineinfile",
                          "{path: '@/none', line: x, regexp: y, backrefs: yes, "
                          "create: yes}"),
                     PLAN_OK);
    refuses(b, "lineinfile", "{path: '@/n', line: x}", "is a directory");
    assert_int_equal(symlink("f", here(b, "@/n/l")), 0);
    changes_once(b, "lineinfile", "{path: '@/n/l', line: y}");
    assert_file(b, "@/n/f", "x\ny\n", 0640);
    refuses(b, "lineinfile", "{path: '@/n/f', line: x, regexp: '('}", "lineinfile: '('");
    refuses(b, "lineinfile", "{path: '@/n/f'}", "line is required");
    refuses(b, "lineinfile", "{path: '@/n/f', state: absent}", "one of line");
    refuses(b, "lineinfile", "{path: '@/n/f', line: x, backrefs: yes}", "regexp is required");
    refuses(b, "lineinfile", "{path: '@/n/f', line: x, insertafter: a, insertbefore: b}",
            "not both");
}

static void blocks(void **state)
{
    struct bench *b = *state;
    static const char begin_mark[] = "# BEGIN ANSIBLE MANAGED BLOCK\n";
    static const char end_mark[] = "# END ANSIBLE MANAGED BLOCK\n";

    put_file(b, "@/f", "a\nz");
    changes_once(b, "blockinfile", "{path: '@/f', block: \"x\\ny\"}");
    assert_file(b, "@/f", arena_printf(&b->arena, "a\nz\n%sx\ny\n%s", begin_mark, end_mark), 0600);
    changes_once(b, "blockinfile", "{path: '@/f', block: \"q\\n\"}");
    assert_file(b, "@/f", arena_printf(&b->arena, "a\nz\n%sq\n%s", begin_mark, end_mark), 0600);
    changes_once(b, "blockinfile", "{path: '@/f', state: absent}");
    assert_file(b, "@/f", "a\nz\n", 0600);
    changes_once(b, "blockinfile",
                 "{path: '@/f', block: m, insertbefore: '^z', marker: '; {mark} 1'}");
    assert_file(b, "@/f", "a\n; BEGIN 1\nm\n; END 1\nz\n", 0600);
    changes_once(b, "blockinfile", "{path: '@/g', block: m, create: yes, insertbefore: BOF}");
    refuses(b, "blockinfile", "{path: '@/none', block: m}", "does not exist");
    refuses(b, "blockinfile", "{path: '@/none', state: absent}", "does not exist");
}

static void sysctls(void **state)
{
    struct bench *b = *state;
    static const char args[] = "{name: vm.x, value: 1 2, sysctl_file: '@/s', sysctl_set: yes}";

    put_file(b, "@/s", "# c\nvm.y = 1\nvm.x= 5\nvm.y=2");
    world_set(&b->world, NEED_SYSCTL, "vm.x", (void *)"1\t2");
    assert_int_equal(plan(b, "sysctl", args), PLAN_CHANGE);
    assert_null(strstr(b->plan.script.buf, "sysctl -w"));
    assert_true(str_ends(b->plan.script.buf, here(b, " &&\nsysctl -p '@/s' >/dev/null")));
    assert_int_equal(plan(b, "sysctl", args), PLAN_OK);
    world_set(&b->world, NEED_SYSCTL, "vm.x", (void *)"0");
    assert_int_equal(plan(b, "sysctl", args), PLAN_CHANGE);
    assert_string_equal(b->plan.script.buf, here(b, "sysctl -w 'vm.x=1 2' >/dev/null &&\n"
                                                    "sysctl -p '@/s' >/dev/null"));
    assert_int_equal(plan(b, "sysctl", "{name: vm.x, value: yes, sysctl_file: '@/s', reload: no}"),
                     PLAN_CHANGE);
    assert_int_equal(apply(b, NULL), 0);
    assert_file(b, "@/s", "# c\nvm.y=1\nvm.x=1\n", 0600);
    assert_int_equal(
        plan(b, "sysctl", "{name: vm.x, state: absent, sysctl_file: '@/s', reload: no}"),
        PLAN_CHANGE);
    assert_int_equal(apply(b, NULL), 0);
    assert_file(b, "@/s", "# c\nvm.y=1\n", 0600);
    assert_int_equal(plan(b, "sysctl", "{name: vm.x, state: absent, sysctl_file: '@/s'}"), PLAN_OK);
    refuses(b, "sysctl", "{name: 'a=b', value: 1}", "not the name of a kernel setting");
    refuses(b, "sysctl", "{name: vm.x}", "value of sysctl");
}

/* ---- commands ---- */

static void commands(void **state)
{
    struct bench *b = *state;
    struct str out;

    str_init(&out, STR_MAX_TEXT);
    assert_int_equal(plan_free(b, "command", "{}", "echo 'a  b' $PGHA_NONE ${HOME} \"it's\" | x"),
                     PLAN_OPAQUE);
    assert_int_equal(apply(b, &out), 0);
    assert_string_equal(result(b, "stdout"),
                        arena_printf(&b->arena, "a  b $PGHA_NONE %s it's | x", getenv("HOME")));
    assert_string_equal(result(b, "rc"), "0");
    assert_string_equal(result(b, "cmd"),
                        "['echo', 'a  b', '$PGHA_NONE', '${HOME}', \"it's\", '|', 'x']");
    str_clear(&out);
    plan(b, "command", "{argv: [pwd], chdir: '@', creates: none}");
    assert_int_equal(apply(b, &out), 0);
    assert_string_equal(result(b, "stdout"), b->dir);
    str_clear(&out);
    plan(b, "command", "{cmd: cat, stdin: \"in'put\\n\"}");
    assert_int_equal(apply(b, &out), 0);
    assert_string_equal(out.buf, "in'put\n\n");
    assert_string_equal(result(b, "stdout_lines"), "[\"in'put\"]");
    str_clear(&out);
    plan_free(b, "shell", "{strip_empty_ends: no}", "read x; echo \"<$x>\"; echo err >&2; exit 3");
    assert_int_equal(apply(b, &out), 3);
    assert_string_equal(result(b, "stdout"), "<>\n");
    assert_string_equal(result(b, "stderr_lines"), "['err']");
    assert_string_equal(result(b, "failed"), "True");
    assert_string_equal(result(b, "msg"), "non-zero return code");
    str_release(&out);
}

static void commands_not_run(void **state)
{
    struct bench *b = *state;

    put_file(b, "@/there", "");
    assert_int_equal(plan(b, "command", "{cmd: x, creates: '@/there'}"), PLAN_OK);
    assert_string_equal(result(b, "msg"), here(b, "Did not run command since '@/there' exists"));
    assert_int_equal(plan(b, "shell", "{cmd: x, removes: there, chdir: '@'}"), PLAN_OPAQUE);
    assert_int_equal(plan(b, "shell", "{cmd: x, removes: '@/gone'}"), PLAN_OK);
    refuses(b, "command", "{}", "no command given");
    refuses(b, "command", "{cmd: \"it's\"}", "no closing quotation");
    refuses(b, "command", "{cmd: x, creates: '/a*'}", "patterns are not supported");
    assert_int_equal(begin(b, "command", "{cmd: x}", "y"), -1);
}

static void waits(void **state)
{
    struct bench *b = *state;
    struct str out;

    str_init(&out, STR_MAX_TEXT);
    put_file(b, "@/there", "");
    assert_int_equal(plan(b, "wait_for", "{path: '@/there', timeout: 5}"), PLAN_CHANGE);
    assert_int_equal(apply(b, &out), 0);
    assert_string_equal(result(b, "changed"), "False");
    assert_string_equal(result(b, "elapsed"), "0");
    plan(b, "wait_for", "{path: '@/there', timeout: 1, state: absent}");
    assert_int_not_equal(apply(b, &out), 0);
    assert_non_null(strstr(result(b, "msg"), "to be absent."));
    plan(b, "wait_for", "{port: 1, timeout: 1, connect_timeout: 1}"); /* nobody listens there */
    assert_int_not_equal(apply(b, &out), 0);
    assert_string_equal(result(b, "msg"), "Timeout when waiting for 127.0.0.1:1");
    plan(b, "wait_for", "{port: 1, timeout: 5, state: stopped}");
    assert_int_equal(apply(b, &out), 0);
    str_clear(&out);
    put_file(b, "@/there", "one\nport = 5432\n");
    plan(b, "wait_for", "{path: '@/there', timeout: 5, search_regex: '^port = (?P<port>\\d+)$'}");
    assert_int_equal(apply(b, &out), 0);
    assert_string_equal(result(b, "match_groups"), "['5432']");
    assert_string_equal(result(b, "match_groupdict"), "{'port': '5432'}");
    str_clear(&out);
    plan(b, "wait_for", "{path: '@/there', timeout: 1, search_regex: '^two$'}");
    assert_int_not_equal(apply(b, &out), 0);
    assert_string_equal(result(b, "msg"),
                        here(b, "Timeout when waiting for search string ^two$ in @/there"));
    refuses(b, "wait_for", "{path: /x, search_regex: '('}", "Invalid regular expression");
    refuses(b, "wait_for", "{port: 1, exclude_hosts: [h]}", "exclude_hosts");
    refuses(b, "wait_for", "{port: 1, path: /x}", "not both");
    refuses(b, "wait_for", "{port: 70000}", "1 to 65535");
    refuses(b, "wait_for", "{path: /x, state: stopped}", "use absent");
    refuses(b, "wait_for", "{timeout: -1}", "0 to 86400");
    str_release(&out);
}

static void uri_answers(void **state)
{
    struct bench *b = *state;
    static const char answer[] = "HTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\n"
                                 "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nX-Y:  z\r\n"
                                 "\r\n{\"role\": \"primary\"}";

    assert_int_equal(plan(b, "uri",
                          "{url: 'http://[::1]:8008/health?x#f', user: u, password: s3cret, "
                          "body: {a: 1}, body_format: json, method: post, "
                          "headers: {X: 1}}"),
                     PLAN_CHANGE);
    assert_null(strstr(b->plan.script.buf, "s3cret")); /* only as base64, on standard input */
    assert_non_null(strstr(b->plan.script.buf, "'::1' 8008"));
    b->module->finish(&b->call, &b->plan, 0, answer, "");
    assert_string_equal(result(b, "status"), "200");
    assert_string_equal(result(b, "json.role"), "primary");
    assert_string_equal(result(b, "x_y"), "z");
    assert_null(result(b, "content"));
    assert_null(result(b, "failed"));
    plan(b, "uri", "{url: 'http://h', return_content: yes, status_code: [503, 200]}");
    b->module->finish(&b->call, &b->plan, 0, "HTTP/1.0 503 No\n\nbody\n", "");
    assert_null(result(b, "failed"));
    assert_string_equal(result(b, "content"), "body\n");
    plan(b, "uri", "{url: 'http://h'}");
    b->module->finish(&b->call, &b->plan, 0, "HTTP/1.0 503 No\r\n\r\n", "");
    assert_string_equal(result(b, "failed"), "True");
    assert_non_null(strstr(result(b, "msg"), "Status code was 503 and not [200]"));
    plan(b, "uri", "{url: 'https://h'}");
    b->module->finish(&b->call, &b->plan, 97, "", "");
    assert_non_null(strstr(result(b, "msg"), "neither curl"));
    assert_string_equal(result(b, "status"), "-1");
    refuses(b, "uri", "{url: ftp://x}", "url must be http://");
    refuses(b, "uri", "{url: 'http://u:p@x'}", "url_username");
    refuses(b, "uri", "{url: 'http://x:y/'}", "no host or port");
    refuses(b, "uri", "{url: 'http://x', method: 'G T'}", "method must be one word");
    refuses(b, "uri", "{url: 'http://x', headers: {a: \"b\\nc\"}}", "control characters");
}

/* One answer, and after it the request's own body. */
static void answer_once(int listener, const char *answer)
{
    char request[4096] = "";
    int client = accept(listener, NULL, NULL);
    bool sent = client >= 0 && read(client, request, sizeof(request) - 1) > 0 &&
                write(client, answer, strlen(answer)) > 0;
    const char *body = strstr(request, "\r\n\r\n");

    if (sent && body && body[4] && write(client, body + 4, strlen(body + 4)) < 0)
        sent = false;
    _exit(sent ? 0 : 1);
}

/* The port of a process of its own that answers one request. */
static int serve(const char *answer, pid_t *pid)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    *pid = fork();
    if (*pid == 0)
        answer_once(listener, answer);
    close(listener);
    return ntohs(at.sin_port);
}

/* Asks a server for the file @/got. */
static void fetch(struct bench *b, const char *answer, const char *more)
{
    struct str out;
    pid_t pid;
    int port = serve(answer, &pid);

    str_init(&out, STR_MAX_TEXT);
    world_forget(&b->world);
    assert_int_equal(
        plan(b, "uri",
             arena_printf(&b->arena,
                          "{url: 'http://127.0.0.1:%d/', dest: '@/got', use_proxy: no, "
                          "timeout: 5%s}",
                          port, more)),
        PLAN_CHANGE);
    apply(b, &out);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    str_release(&out);
}

static void uri_to_file(void **state)
{
    struct bench *b = *state;
    static const char page[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n";

    if (access("/usr/bin/curl", X_OK) < 0)
        skip();
    fetch(b, arena_printf(&b->arena, "%sone\n", page), ", mode: '0640', return_content: yes");
    assert_string_equal(result(b, "changed"), "True");
    assert_string_equal(result(b, "content"), "one\n");
    assert_file(b, "@/got", "one\n", 0640);
    fetch(b, arena_printf(&b->arena, "%stwo\n", page), "");
    assert_file(b, "@/got", "two\n", 0640);
    fetch(b, "HTTP/1.0 500 No\r\n\r\nthree\n", "");
    assert_string_equal(result(b, "failed"), "True");
    assert_string_equal(result(b, "changed"), "False");
    assert_file(b, "@/got", "two\n", 0640);
    fetch(b, page,
          ", method: POST, body_format: form-urlencoded, return_content: yes, "
          "body: {a b: 'c&d', l: [1, ~, x]}");
    assert_string_equal(result(b, "content"), "a+b=c%26d&l=1&l=x");
    fetch(b, arena_printf(&b->arena, "%stwo\n", page), "");
    fetch(b, "HTTP/1.0 304 Same\r\n\r\n", ", status_code: [200, 304]");
    assert_string_equal(result(b, "changed"), "False");
    fetch(b, arena_printf(&b->arena, "%stwo\n", page), ", mode: '0600'");
    assert_file(b, "@/got", "two\n", 0600);
    assert_int_equal(plan(b, "uri", "{url: 'http://h', creates: '@/got'}"), PLAN_OK);
    assert_string_equal(result(b, "stdout"), here(b, "skipped, since '@/got' exists"));
    assert_int_equal(plan(b, "uri", "{url: 'http://h', removes: '@/no'}"), PLAN_OK);
    refuses(b, "uri", "{url: 'http://h', dest: '@/'}", "is a folder");
    refuses(b, "uri", "{url: 'http://h', src: x, body: y}", "mutually exclusive");
    refuses(b, "uri", "{url: 'http://h', use_gssapi: yes}", "use_gssapi");
}

/* ---- those that change nothing ---- */

static void stats(void **state)
{
    struct bench *b = *state;

    put_file(b, "@/f", "x");
    assert_int_equal(plan(b, "stat", "{path: '@/f', checksum_algorithm: sha256}"), PLAN_OK);
    assert_string_equal(result(b, "stat.exists"), "True");
    assert_string_equal(result(b, "stat.isreg"), "True");
    assert_string_equal(result(b, "stat.mode"), "0600");
    assert_string_equal(result(b, "stat.rusr"), "True");
    assert_string_equal(result(b, "stat.rgrp"), "False");
    assert_string_equal(result(b, "stat.size"), "1");
    assert_int_equal(strlen(result(b, "stat.checksum")), 64);
    plan(b, "stat", "{path: '@/f'}");
    assert_null(result(b, "stat.checksum"));
    plan(b, "stat", "{path: '@/none/x'}");
    assert_string_equal(result(b, "stat"), "{'exists': False}");
}

static void asserts(void **state)
{
    struct bench *b = *state;

    assert_int_equal(plan(b, "assert", "{that: [three == 3, 'three > 2', true]}"), PLAN_OK);
    assert_string_equal(result(b, "msg"), "All assertions passed");
    assert_int_equal(plan(b, "assert", "{that: three == 4, fail_msg: no}"), PLAN_FAIL);
    assert_string_equal(result(b, "assertion"), "three == 4");
    assert_int_equal(plan(b, "assert", "{that: [three == 3, false], msg: why}"), PLAN_FAIL);
    assert_string_equal(b->plan.msg, "why");
    assert_int_equal(begin(b, "assert", "{that: later == 1}", NULL), 1);
    assert_int_equal(begin(b, "assert", "{that: missing == 1}", NULL), -1);
    refuses(b, "assert", "{that: three}", "must be true or false");
}

static void small_ones(void **state)
{
    struct bench *b = *state;

    assert_int_equal(plan(b, "debug", "{msg: [1, a]}"), PLAN_OK);
    assert_string_equal(b->plan.msg, "[1, 'a']");
    plan(b, "debug", "{}");
    assert_string_equal(result(b, "msg"), "Hello world!");
    plan(b, "debug", "{var: three + 1}");
    assert_string_equal(b->plan.msg, "three + 1: 4");
    assert_int_equal(plan(b, "debug", "{msg: x, verbosity: 1}"), PLAN_SKIP);
    assert_int_equal(begin(b, "debug", "{var: later}", NULL), 1);
    assert_int_equal(plan(b, "debug", "{var: nowhere.to}"), PLAN_OK);
    assert_non_null(strstr(b->plan.msg, "'nowhere' is undefined >>"));
    refuses(b, "debug", "{msg: a, var: b}", "not both");
    assert_int_equal(plan(b, "fail", "{msg: why}"), PLAN_FAIL);
    assert_string_equal(b->plan.msg, "why");
    assert_int_equal(plan(b, "set_fact", "{a: 1, b_2: [x], cacheable: yes}"), PLAN_OK);
    assert_string_equal(result(b, "ansible_facts"), "{'a': 1, 'b_2': ['x']}");
    refuses(b, "set_fact", "{a-b: 1}", "cannot be the name of a variable");
    refuses(b, "set_fact", "{}", "at least one");
    world_set(&b->world, NEED_HOSTNAME, "", (void *)"h");
    assert_int_equal(plan(b, "ping", "{}"), PLAN_OK);
    assert_string_equal(result(b, "ping"), "pong");
}

static void the_list(void **state)
{
    struct str docs;

    UNUSED(state);
    str_init(&docs, STR_MAX_TEXT);
    modules_write_docs(&docs);
    for (size_t i = 0; module_list[i]; i++) {
        const struct module *m = module_list[i];

        assert_true(i == 0 || strcmp(module_list[i - 1]->name, m->name) < 0);
        assert_ptr_equal(module_find(m->name), m);
        assert_true(m->help && m->args && m->needs && m->plan);
        for (const struct module_arg *arg = m->args; arg->name; arg++)
            assert_non_null(arg->help);
        assert_non_null(strstr(docs.buf, m->name));
    }
    assert_ptr_equal(module_find("ansible.builtin.systemd"), module_find("systemd_service"));
    assert_ptr_equal(module_find("ansible.posix.sysctl"), module_find("sysctl"));
    assert_null(module_find("yum"));
    assert_non_null(strstr(docs.buf, "| `path` (required) | dest, name | path |"));
    str_release(&docs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(typing),
        T(places_of_errors),
        T(checking),
        T(splitting),
        T(words),
        T(copy_new_file),
        T(copy_changed_file),
        T(copy_follows),
        T(copy_into_new_folders),
        T(copy_sweeps_after_the_dead),
        T(copy_sweeps_after_the_dead),
        T(copy_validates),
        T(copy_into_folders),
        T(copy_of_the_host),
        T(copy_over_links),
        T(template_renders),
        T(check_mode_is_lenient),
        T(file_directories),
        T(file_absent),
        T(file_links),
        T(file_through_links),
        T(file_without_following),
        T(file_touch_and_file),
        T(file_recurse),
        T(owners_are_compared),
        T(modes_as_chmod),
        T(apt_packages),
        T(apt_all),
        T(apt_files),
        T(apt_cache),
        T(systemd_states),
        T(systemd_enables),
        T(new_unit_file_is_seen),
        T(groups),
        T(user_created),
        T(user_modified),
        T(user_ends),
        T(user_keys),
        T(hostnames),
        T(lines_in_files),
        T(lineinfile_limits),
        T(blocks),
        T(sysctls),
        T(commands),
        T(commands_not_run),
        T(waits),
        T(uri_answers),
        T(uri_to_file),
        T(stats),
        T(asserts),
        T(small_ones),
        T(the_list),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
