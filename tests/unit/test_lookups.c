/*
 * Lookups and with_NAME: which files they find, what they make of lists, what they refuse.
 */
#include "lib/jinja/jinja.h"
#include "tests/unit/play_scene.h"

#define PLAY "- hosts: all\n  gather_facts: false\n  vars:\n    colour: green\n"

/* The text of an expression, as a task sees it. */
static const char *shown(const char *expression)
{
    run(arena_printf(&at->arena,
                     PLAY "  tasks:\n    - copy: {dest: ~/out, content: \"{{ %s }}\"}\n",
                     expression));
    assert_ok();
    return get("out");
}

static void shows(const char *expression, const char *wanted)
{
    assert_string_equal(shown(expression), wanted);
}

static void refuses(const char *expression, const char *message)
{
    run(arena_printf(&at->arena, PLAY "  tasks:\n    - debug: {msg: \"{{ %s }}\"}\n", expression));
    assert_int_equal(at->rc, -1);
    assert_has(at->err.text, message);
}

/* The items of a loop, one a line. */
static void walks(const char *loop, const char *wanted)
{
    run(arena_printf(&at->arena,
                     PLAY "  tasks:\n    - shell: \"echo '{{ item | to_json }}' >>~/walk\"\n"
                          "      %s\n",
                     loop));
    assert_ok();
    assert_file("walk", wanted);
    if (wanted)
        assert_int_equal(unlink(in_dir("walk")), 0);
}

static void files_are_text_and_never_rendered(void **state)
{
    (void)state;
    put("files/motd", "  hello {{ colour }}\n\n");
    put("files/other", "x\n");
    shows("lookup('file', 'motd')", "  hello {{ colour }}");
    shows("lookup('file', 'motd', lstrip=true, rstrip=false)", "hello {{ colour }}\n\n");
    shows("lookup('file', 'motd', 'other')", "  hello {{ colour }},x");
    shows("query('ansible.builtin.file', 'other') | to_json", "[\"x\"]");
    shows("lookup('file', 'other', wantlist=true) | to_json", "[\"x\"]");
    shows("lookup('file', 'files/other')", "x");
    shows("lookup('file', 'none', errors='ignore') is none", "True");
    shows("query('file', 'none', errors='warn') | length", "0");
    refuses("lookup('file', 'none')", "could not find 'none' on this machine");
    refuses("lookup('file', 'files')", "is a folder");
    refuses("lookup('file', [1])", "must be a string, not list");
    refuses("lookup('file', 'x', colour='red')", "file has no argument 'colour'");
    refuses("lookup('file', missing)", "'missing' is undefined");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    put("files/latin1", "caf\xe9\n");
    refuses("lookup('file', 'latin1')", "is no UTF-8 text");
}

static void a_file_has_a_maximum(void **state)
{
    FILE *file;

    (void)state;
    put("files/large", "");
    file = fopen(in_dir("files/large"), "w");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), (off_t)JINJA_MAX_OUTPUT + 1), 0);
    fclose(file);
    refuses("lookup('file', 'large')", "files/large");
}

static void a_role_finds_its_own_files_first(void **state)
{
    (void)state;
    put("files/which", "play's");
    put("files/only", "play's only");
    put("roles/r/files/which", "role's");
    put("roles/r/templates/t.j2", "{{ colour }} {{ lookup('file', 'which') }}\n");
    put("roles/r/tasks/main.yml",
        expand("- copy: {dest: ~/out, content: \"{{ lookup('file', 'which') }}, "
               "{{ lookup('file', 'only') }}, {{ lookup('template', 't.j2') }}\"}\n"));
    run(PLAY "  roles: [r]\n");
    assert_ok();
    assert_file("out", "role's, play's only, green role's\n");
}

static void a_template_has_the_tasks_variables_and_its_own(void **state)
{
    (void)state;
    put("templates/t.j2", "{{ colour }} {{ extra | default('none') }}\n");
    put("templates/list.j2", "{{ [1, 2] }}");
    put("templates/self.j2", "{{ lookup('template', 'self.j2') }}");
    put("templates/broken.j2", "\n{{ missing }}\n");
    shows("lookup('template', 't.j2')", "green none\n");
    shows("lookup('template', 't.j2', template_vars={'extra': 'more', 'colour': 'blue'})",
          "blue more\n");
    shows("lookup('template', 'list.j2') | length", "2");
    refuses("lookup('template', 'self.j2')", "more than 8 templates");
    refuses("lookup('template', 'broken.j2')", "broken.j2:2: 'missing' is undefined");
    refuses("lookup('template', 't.j2', template_vars=3)", "template_vars must be a dict");
}

/* A host's text is a value: nothing in it is evaluated. */
static void what_a_host_says_is_not_rendered(void **state)
{
    (void)state;
    put("templates/t.j2", "{{ said.stdout }}\n");
    run(PLAY "  tasks:\n    - command: \"printf '%s' '{% raw %}{{ 7 * 7 }}{% endraw %}'\"\n"
             "      register: said\n"
             "    - copy: {dest: ~/out, content: \"{{ lookup('template', 't.j2') }}"
             "{{ lookup('vars', 'said').stdout }}\"}\n");
    assert_ok();
    assert_file("out", "{{ 7 * 7 }}\n{{ 7 * 7 }}");
}

static void variables_have_computed_names(void **state)
{
    (void)state;
    shows("lookup('vars', 'col' + 'our')", "green");
    shows("query('vars', 'colour', 'inventory_hostname') | join(' ')", "green h1");
    shows("lookup('vars', 'none', default='other')", "other");
    refuses("lookup('vars', 'none')", "No variable named 'none' was found.");
    refuses("lookup('vars', 1)", "must be a string, not int");
}

static void the_environment_is_that_of_this_machine(void **state)
{
    struct str text;

    (void)state;
    assert_int_equal(setenv("PGHA_TEST_COLOUR", "turquoise", 1), 0);
    assert_int_equal(setenv("PGHA_TEST_PASSWORD", "not-a-real-secret", 1), 0);
    shows("lookup('env', 'PGHA_TEST_COLOUR')", "turquoise");
    shows("lookup('env', 'PGHA_TEST_NONE', default='none')", "none");
    shows("lookup('env', 'PGHA_TEST_NONE') | default('unset')", "");
    shows("lookup('env', 'PGHA_TEST_NONE') | default('unset', true)", "unset");
    shows("lookup('env', 'PGHA_TEST_PASSWORD') | length", "17");
    str_init(&text, 100);
    str_puts(&text, "turquoise not-a-real-secret");
    log_redact(&text);
    assert_string_equal(text.buf, "turquoise ********");
    str_release(&text);
}

static void patterns_name_files(void **state)
{
    (void)state;
    put("files/b.conf", "");
    put("files/a.conf", "");
    put("files/.hidden.conf", "");
    put("files/sub/c.conf", "");
    put("files/dir.conf/x", "");
    shows("query('fileglob', '*.conf') | map('basename') | join(' ')", "a.conf b.conf");
    shows("query('fileglob', 'sub/*', 'none/*') | map('basename') | join(' ')", "c.conf");
    shows("query('fileglob', '*.none') | length", "0");
    shows("query('fileglob', playbook_dir + '/files/a*') | map('basename') | join(' ')", "a.conf");
}

static void the_first_file_counts(void **state)
{
    (void)state;
    put("files/debian.yml", "");
    put("vars/default.yml", "");
    put("templates/t.j2", "{{ colour }}");
    shows("lookup('first_found', ['none', 'files/debian.yml']) | basename", "debian.yml");
    shows("lookup('first_found', 'none', {'files': ['x.yml', 'default.yml'], 'paths': 'y;vars'})"
          " | basename",
          "default.yml");
    shows("lookup('first_found', files=['default.yml'], paths=['files', 'vars']) | basename",
          "default.yml");
    shows("query('first_found', 'none', skip=true) | length", "0");
    refuses("lookup('first_found', 'none')", "No file was found");
    refuses("lookup('first_found', {'file': 'x'})", "first_found has no option 'file'");
    walks("with_first_found: [{files: [none], skip: true}]", NULL);
}

static void a_template_loop_looks_into_templates(void **state)
{
    (void)state;
    put("templates/t.j2", "{{ colour }}\n");
    run(PLAY "  tasks:\n    - template: {src: '{{ item }}', dest: ~/out}\n"
             "      with_first_found: ['{{ inventory_hostname }}.j2', t.j2]\n");
    assert_ok();
    assert_file("out", "green\n");
}

static void loops_are_lookups(void **state)
{
    (void)state;
    walks("with_items: [a, [b, [c]]]", "\"a\"\n\"b\"\n[\"c\"]\n");
    walks("with_items: a", "\"a\"\n");
    walks("with_list: [a, [b]]", "\"a\"\n[\"b\"]\n");
    walks("with_flattened: [a, [b, [c, null]]]", "\"a\"\n\"b\"\n\"c\"\nnull\n");
    walks("with_indexed_items: [a, [b]]", "[0, \"a\"]\n[1, \"b\"]\n");
    walks("with_dict: {x: 1, y: [2]}",
          "{\"key\": \"x\", \"value\": 1}\n{\"key\": \"y\", \"value\": [2]}\n");
    walks("with_nested: [[a, b], [1, 2]]", "[\"a\", 1]\n[\"a\", 2]\n[\"b\", 1]\n[\"b\", 2]\n");
    walks("with_together: [[a, b], [1]]", "[\"a\", 1]\n[\"b\", null]\n");
    put("files/x.conf", "");
    run(PLAY "  tasks:\n    - copy: {src: '{{ item }}', dest: ~/copied}\n"
             "      with_fileglob: ['*.conf']\n");
    assert_ok();
    assert_file("copied", "");
}

static void subelements_are_taken_out_of_their_items(void **state)
{
    const char *users = "[{'n': 'a', 'k': {'l': [1, 2]}}, {'n': 'b', 'k': {'l': []}}, {'n': 'c'}]";

    (void)state;
    walks(arena_printf(&at->arena, "with_subelements: [\"{{ %s }}\", k.l, {skip_missing: true}]",
                       users),
          "[{\"n\": \"a\", \"k\": {}}, 1]\n[{\"n\": \"a\", \"k\": {}}, 2]\n");
    refuses(arena_printf(&at->arena, "query('subelements', %s, 'k.l')", users),
            "could not find the key 'k'");
    refuses("query('subelements', [{'k': 1}], 'k')", "should point to a list");
    refuses("query('subelements', [{'k': 1}], 'k.l')", "should point to a dictionary");
    refuses("query('subelements', 'x', 'k')", "needs a list or dict, not str");
}

static void sequences_count(void **state)
{
    (void)state;
    shows("query('sequence', '3') | join(' ')", "1 2 3");
    shows("query('sequence', '5-8', '15/5:%02x') | join(' ')", "5 6 7 8 01 06 0b");
    shows("query('sequence', '2-10/4:h%02d') | join(' ')", "h02 h06 h10");
    shows("query('sequence', 'start=5 end=1 stride=-2') | join(' ')", "5 3 1");
    shows("query('sequence', 'start=3840 count=3 format=%04x') | join(' ')", "0f00 0f01 0f02");
    shows("query('sequence', start=1, count=3, stride=2) | join(' ')", "1 3 5");
    shows("query('sequence', 'count=0') | length", "0");
    walks("with_sequence: start=1 end=2 format=db%d", "\"db1\"\n\"db2\"\n");
    refuses("query('sequence', 'start=1')", "needs either end or count");
    refuses("query('sequence', 'start=3 end=1')", "make stride negative");
    refuses("query('sequence', 'start=1 end=3 stride=-1')", "don't make stride negative");
    refuses("query('sequence', 'end=2 format=x')", "bad formatting string");
    refuses("query('sequence', '0x0f')", "no argument of the form name=value");
    refuses("query('sequence', 'end=two')", "end must be an integer");
    refuses("query('sequence', 'ends=2')", "sequence has no argument 'ends'");
    refuses("query('sequence', 'words')", "no argument of the form name=value");
    refuses("query('sequence', 'end=900000000000')", "the template takes more than");
}

/* Which of these tests hold for a file of the playbook. */
static void holds_for(const char *name, const char *wanted)
{
    static const char *const tests[] = {"exists", "file",  "directory",
                                        "link",   "mount", "link_exists"};
    struct str list;

    str_init(&list, STR_MAX_TEXT);
    for (size_t i = 0; i < ARRAY_LEN(tests); i++)
        str_printf(&list, "%s('%s' if '~%s' is %s else '')", i ? " + ' ' + " : "", tests[i], name,
                   tests[i]);
    shows(arena_printf(&at->arena, "(%s).split() | join(' ')", list.buf), wanted);
    str_release(&list);
}

static void paths_are_those_of_this_machine(void **state)
{
    (void)state;
    put("files/real", "");
    assert_int_equal(symlink("real", in_dir("files/link")), 0);
    assert_int_equal(symlink("nowhere", in_dir("files/broken")), 0);
    holds_for("/files/real", "exists file link_exists");
    holds_for("/files", "exists directory link_exists");
    holds_for("/files/link", "exists file link link_exists");
    holds_for("/files/broken", "link link_exists");
    holds_for("/files/none", "");
    shows("'/' is mount and '/proc' is mount", "True");
    shows("'~/files/link' is same_file('~/files/real')", "True");
    shows("'~/files/link' is same_file('~/files')", "False");
    refuses("'~/files' is same_file('~/none')", "a file is not there");
    refuses("5 is exists", "a path must be a string, not int");
}

static void faults_have_their_place(void **state)
{
    (void)state;
    assert_has(faults_of(PLAY "  tasks:\n    - debug: {msg: \"{{ lookup('pipe', 'ls') }}\"}\n"),
               "no lookup named 'pipe' here: a task with command and register");
    assert_has(faults_of(PLAY "  tasks:\n    - debug: {msg: \"{{ lookup('fileglo', '*') }}\"}\n"),
               "no lookup named 'fileglo' (did you mean 'fileglob'?)");
    assert_has(faults_of(PLAY "  tasks:\n    - debug: {msg: x}\n      with_lines: [ls]\n"),
               "'with_lines' is not supported: use a task with command and register");
    assert_has(faults_of(PLAY "  tasks:\n    - debug: {msg: x}\n      with_dicts: {a: 1}\n"),
               "did you mean 'with_dict'?");
}

int main(void)
{
#define T(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(files_are_text_and_never_rendered),
        T(bytes_that_are_no_text_are_refused),
        T(a_file_has_a_maximum),
        T(a_role_finds_its_own_files_first),
        T(a_template_has_the_tasks_variables_and_its_own),
        T(what_a_host_says_is_not_rendered),
        T(variables_have_computed_names),
        T(the_environment_is_that_of_this_machine),
        T(patterns_name_files),
        T(the_first_file_counts),
        T(a_template_loop_looks_into_templates),
        T(loops_are_lookups),
        T(subelements_are_taken_out_of_their_items),
        T(sequences_count),
        T(paths_are_those_of_this_machine),
        T(faults_have_their_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
