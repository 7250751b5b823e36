/*
 * Blocks with rescue and always, included files, --start-at-task, vars_files, and what is listed.
 * The tasks leave lines in a file, which tells what was done in which order.
 */
#include "tests/unit/play_scene.h"

/* A task that leaves a line. */
#define SAY(words) "shell: 'echo " words " >>~/trace'\n"

static void assert_trace(const char *lines)
{
    assert_file("trace", lines);
}

static void assert_recap(size_t i, const char *wanted)
{
    const struct host_result *h = host(i);
    const char *recap =
        arena_printf(&at->arena, "ok=%d changed=%d failed=%d skipped=%d rescued=%d ignored=%d",
                     h->ok, h->changed, h->failed, h->skipped, h->rescued, h->ignored);

    if (!str_eq(recap, wanted))
        fail_msg("%s is not %s\n%s", recap, wanted, at->events.buf);
}

/* ---- blocks */

static void a_failure_is_rescued_and_the_host_goes_on(void **state)
{
    (void)state;
    run("- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - block:\n"
        "        - " SAY(
            "one") "        - name: breaks {{ colour }}\n          command: 'false'\n"
                   "        - " SAY(
                       "not this") "      rescue:\n"
                                   "        - " SAY(
                                       "{{ ansible_failed_task.name }} {{ "
                                       "ansible_failed_result.rc }}") "      "
                                                                      "always:\n      "
                                                                      "  - " SAY(
                                                                          "alwa"
                                                                          "ys") "    - " SAY("afte"
                                                                                             "r"));
    assert_ok();
    assert_trace("one\nbreaks red 1\nalways\nafter\n");
    assert_recap(0, "ok=4 changed=4 failed=0 skipped=0 rescued=1 ignored=0");
    assert_has(at->events.buf, "failed, rescued: non-zero return code");
}

/* What is known when it is planned costs no trip of its own. */
static void a_foreseen_failure_is_rescued_in_the_same_trip(void **state)
{
    (void)state;
    run("- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - block:\n"
        "        - " SAY(
            "one") "        - fail: {msg: foreseen}\n"
                   "        - " SAY(
                       "not this") "      rescue:\n"
                                   "        - " SAY("{{ ansible_failed_result.msg }}") "    - " SAY(
                                       "after"));
    assert_ok();
    assert_trace("one\nforeseen\nafter\n");
    assert_int_equal(host(0)->trips, 2); /* the first probe, and the changes */
}

static void always_runs_after_a_failure_that_nothing_rescues(void **state)
{
    (void)state;
    run_with(THREE,
             "- hosts: all\n  gather_facts: false\n  tasks:\n"
             "    - block:\n"
             "        - command: test {{ n }} != 2\n          changed_when: false\n"
             "        - " SAY("{{ n }} block") "      always:\n        - " SAY(
                 "{{ n }} always") "    - " SAY("{{ n }} after") "- hosts: all\n  gather_facts: "
                                                                 "false\n  tasks: ["
                                                                 "{command: 'true'}]\n");
    assert_int_equal(at->rc, -1);
    assert_has(get("trace"), "2 always\n");
    assert_null(strstr(get("trace"), "2 block"));
    assert_null(strstr(get("trace"), "2 after"));
    assert_recap(1, "ok=1 changed=1 failed=1 skipped=0 rescued=0 ignored=0");
    assert_recap(2, "ok=5 changed=4 failed=0 skipped=0 rescued=0 ignored=0");
    assert_has(at->err.text, "h2: command (");
}

static void a_failure_in_rescue_or_always_goes_to_the_block_around(void **state)
{
    (void)state;
    run("- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - block:\n"
        "        - block:\n"
        "            - command: 'false'\n"
        "          rescue:\n"
        "            - " SAY(
            "inner rescue") "            - command: 'false'\n"
                            "          always:\n"
                            "            - " SAY(
                                "inner always") "            - command: 'false'\n"
                                                "            - " SAY("not this") "        - " SAY(
                                                    "nor this") "      rescue:\n"
                                                                "        - " SAY(
                                                                    "outer rescue") "    - " SAY("a"
                                                                                                 "f"
                                                                                                 "t"
                                                                                                 "e"
                                                                                                 "r"));
    assert_ok();
    assert_trace("inner rescue\ninner always\nouter rescue\nafter\n");
    assert_recap(0, "ok=4 changed=4 failed=0 skipped=0 rescued=3 ignored=0");
}

static void the_first_failure_is_told_when_always_fails_too(void **state)
{
    (void)state;
    run("- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - block:\n        - fail: {msg: first}\n"
        "      always:\n        - fail: {msg: second}\n        - " SAY("not this"));
    assert_int_equal(at->rc, -1);
    assert_has(at->err.text, "first");
    assert_recap(0, "ok=0 changed=0 failed=2 skipped=0 rescued=0 ignored=0");
    assert_null(get("trace"));
}

static void tags_may_leave_no_rescue(void **state)
{
    static const char *const tags[] = {"a", NULL};

    (void)state;
    at->options.tags = tags;
    run("- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - block:\n        - fail: {msg: stop}\n          tags: a\n"
        "      rescue:\n        - " SAY("rescue") "      always:\n"
                                                  "        - " SAY("always") "          tags: a\n");
    at->options.tags = NULL;
    assert_int_equal(at->rc, -1);
    assert_trace("always\n");
}

static void a_block_gives_all_its_parts_what_it_has(void **state)
{
    (void)state;
    run("- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - vars: {word: block}\n      when: colour == 'red'\n      environment: {E: e}\n"
        "      block:\n        - fail: {msg: stop}\n"
        "      rescue:\n        - " SAY("{{ word }} $E") "      always:\n        - " SAY(
            "{{ word }} again") "          vars: {word: own}\n"
                                "    - when: colour == 'blue'\n      block:\n        - fail: {msg: "
                                "stop}\n"
                                "      always:\n        - " SAY("not this"));
    assert_ok();
    assert_trace("block e\nown again\n");
    assert_recap(0, "ok=2 changed=2 failed=0 skipped=2 rescued=1 ignored=0");
}

static void all_items_are_tried_before_a_loop_fails(void **state)
{
    (void)state;
    run("- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - block:\n"
        "        - shell: 'echo {{ item }} {{ i }} >>~/trace; test {{ item }} != b'\n"
        "          loop: [a, b, c]\n          loop_control: {index_var: i}\n          register: r\n"
        "          notify: told\n"
        "      rescue:\n"
        "        - " SAY("{{ r.results | length }} {{ r.results[1].i }} {{ "
                         "ansible_failed_result.msg }}") "    - command: test {{ item }} = x\n     "
                                                         " loop: [x, y, x]\n"
                                                         "  handlers: [{name: told, debug: {}}]\n");
    assert_int_equal(at->rc, -1);
    assert_trace("a 0\nb 1\nc 2\n3 1 One or more items failed\n");
    assert_recap(0, "ok=1 changed=1 failed=1 skipped=0 rescued=1 ignored=0");
}

static void handlers_are_notified_from_every_part(void **state)
{
    (void)state;
    run("- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - block:\n        - command: 'true'\n          notify: one\n"
        "        - command: 'false'\n          notify: never\n"
        "      rescue:\n        - command: 'true'\n          notify: two\n"
        "      always:\n        - meta: flush_handlers\n        - " SAY(
            "flushed") "  handlers:\n    - name: one\n      " SAY("one") "    - name: two\n     "
                                                                         " " SAY(
                                                                             "two") "    - "
                                                                                    "name: "
                                                                                    "never\n   "
                                                                                    "   " SAY(
                                                                                        "never"));
    assert_ok();
    assert_trace("one\ntwo\nflushed\n");
}

static void a_run_once_failure_sends_all_to_the_rescue(void **state)
{
    (void)state;
    run_with(THREE, "- hosts: all\n  gather_facts: false\n  tasks:\n"
                    "    - block:\n        - command: 'false'\n          run_once: true\n"
                    "        - " SAY("not this") "      rescue:\n        - " SAY(
                        "{{ n }}") "    - " SAY("after {{ n }}") "      run_once: true\n");
    assert_ok();
    assert_recap(0, "ok=2 changed=2 failed=0 skipped=0 rescued=1 ignored=0");
    assert_recap(2, "ok=1 changed=1 failed=0 skipped=0 rescued=0 ignored=0");
    assert_null(strstr(get("trace"), "not this"));
}

static void check_mode_goes_the_same_way(void **state)
{
    (void)state;
    at->options.check = true;
    run("- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - block:\n        - fail: {msg: stop}\n"
        "      rescue:\n        - copy: {dest: ~/made, content: x}\n"
        "      always:\n        - debug: {msg: always}\n");
    at->options.check = false;
    assert_ok();
    assert_null(get("made"));
    assert_recap(0, "ok=2 changed=1 failed=0 skipped=0 rescued=1 ignored=0");
}

/* ---- includes */

static void an_include_is_one_time_for_each_item(void **state)
{
    (void)state;
    put("in.yml",
        expand("- " SAY("{{ letter }} {{ i }} {{ x }}") "- include_tasks: deep.yml\n"
                                                        "  loop: [1, 2]\n  when: letter == 'c'\n"));
    put("deep.yml", expand("- " SAY("{{ letter }}{{ item }}")));
    run("- hosts: all\n  gather_facts: false\n  vars: {all_of: [a, b, c]}\n  tasks:\n"
        "    - include_tasks: in.yml\n      loop: '{{ all_of }}'\n"
        "      loop_control: {loop_var: letter, index_var: i}\n"
        "      when: letter != 'b'\n      vars: {x: 'x{{ letter }}'}\n    - " SAY("after"));
    assert_ok();
    assert_trace("a 0 xa\nc 2 xc\nc1\nc2\nafter\n");
    assert_recap(0, "ok=9 changed=5 failed=0 skipped=1 rescued=0 ignored=0");
}

static void an_include_may_be_named_when_it_is_reached(void **state)
{
    (void)state;
    put("set-red.yml", expand("- " SAY("red")));
    put("set-blue.yml", "- nothing_like_it: {}\n");
    put("late.yml", expand("- " SAY("late")));
    run_with("all: {hosts: {h1: {colour: red}, h2: {colour: blue}, h3: {colour: green}}}",
             "- hosts: all\n  gather_facts: false\n  tasks:\n"
             "    - block:\n        - include_tasks: 'set-{{ colour }}.yml'\n"
             "      rescue:\n        - " SAY(
                 "{{ inventory_hostname }}") "    - command: echo late\n      register: r\n      "
                                             "when: colour == 'red'\n"
                                             "    - include_tasks: '{{ r.stdout }}.yml'\n      "
                                             "when: colour == 'red'\n");
    assert_ok();
    assert_has(get("trace"), "red\n");
    assert_has(get("trace"), "h2\n");
    assert_has(get("trace"), "h3\n");
    assert_has(get("trace"), "late\n");
    assert_has(at->events.buf, "'nothing_like_it' is neither a key");
    assert_has(at->events.buf, "there is no file set-green.yml");
}

/* As with Ansible, only variables and what is in `apply` come from the include. */
static void an_include_gives_its_tasks_only_apply(void **state)
{
    static const char *const tags[] = {"t", NULL};

    (void)state;
    put("in.yml", expand("- " SAY("{{ who }}") "- " SAY("untagged {{ who }}")));
    at->options.tags = tags;
    run("- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - include_tasks: in.yml\n      tags: t\n      vars: {who: plain}\n"
        "    - include_tasks: {file: in.yml, apply: {tags: t}}\n      tags: t\n"
        "      vars: {who: applied}\n"
        "    - include_tasks: {file: in.yml, apply: {tags: t}}\n      vars: {who: not asked}\n");
    at->options.tags = NULL;
    assert_ok();
    assert_trace("applied\nuntagged applied\n");
}

static void a_loop_of_includes_ends_with_a_failure(void **state)
{
    (void)state;
    put("in.yml", expand("- block:\n    - command: test {{ item }} != 1\n  rescue:\n    - " SAY(
                      "inner {{ item }}") "- command: test {{ item }} != 2\n"));
    run("- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - block:\n        - include_tasks: in.yml\n          loop: [1, 2, 3]\n"
        "      rescue:\n        - " SAY("outer") "    - " SAY("{{ item | default(\"gone\") }}"));
    assert_ok();
    assert_trace("inner 1\nouter\ngone\n");
    assert_int_equal(host(0)->rescued, 2);
}

static void faults_of_blocks_and_includes(void **state)
{
    static const struct {
        const char *tasks, *fault;
    } cases[] = {
        {"    - always: []\n", "'always' needs a block beside it"},
        {"    - block: []\n      rescue: 3\n", "site.yml:4:15: tasks are a list"},
        {"    - block: []\n      rescue: []\n      loop: [1]\n", "'loop' is no key of a block"},
        {"    - include_tasks: gone.yml\n", "gone.yml"},
        {"    - include_tasks: 'gone-{{ x }}.yml'\n", "no file fits 'gone-{{ x }}.yml'"},
        {"    - include_tasks: '{{ x }}/in.yml'\n", "a template in the folder"},
        {"    - include_tasks: in.yml\n      become: true\n",
         "'become' is no key of include_tasks"},
        {"    - include_tasks: in.yml\n      register: x\n", "register, until"},
        {"    - include_tasks: {file: in.yml, apply: {loop: [1]}}\n", "'loop' is no key of apply"},
        {"    - include_tasks: {apply: {}}\n", "takes the name of a file"},
        {"    - include_tasks: self.yml\n", "includes itself"},
        {"    - include_tasks: once.yml\n      loop: [1]\n", "once.yml:1:3: run_once"},
        {"    - import_tasks: in.yml\n      loop: [1]\n", "use include_tasks"},
        {"  handlers:\n    - include_tasks: in.yml\n", "not supported in handlers"},
        {"  handlers:\n    - block: []\n      rescue: []\n", "not supported in handlers"},
        {"    - command: a\n      loop: [1]\n      loop_control: {index_var: 1a}\n",
         "'1a' cannot be a variable's name"},
    };

    (void)state;
    put("in.yml", "- command: 'true'\n");
    put("self.yml", "- include_tasks: self.yml\n");
    put("once.yml", "- command: 'true'\n  run_once: true\n");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *text = arena_printf(&at->arena, "- hosts: all\n  tasks:\n%s", cases[i].tasks);

        assert_has(faults_of(text), cases[i].fault);
    }
}

/* ---- starting in the middle */

static void what_is_before_the_start_is_left_out(void **state)
{
    const char *playbook = "- hosts: all\n  gather_facts: false\n  tasks:\n    - " SAY(
        "one") "- hosts: all\n  gather_facts: false\n  tasks:\n    - " SAY("two") "    - block:\n  "
                                                                                  "      - name: "
                                                                                  "begin here\n    "
                                                                                  "      command: "
                                                                                  "'false'\n"
                                                                                  "      rescue:\n "
                                                                                  "       - name: "
                                                                                  "in a rescue\n   "
                                                                                  "       " SAY(
                                                                                      "three") "- "
                                                                                               "hos"
                                                                                               "ts:"
                                                                                               " al"
                                                                                               "l\n"
                                                                                               "  "
                                                                                               "gat"
                                                                                               "her"
                                                                                               "_fa"
                                                                                               "cts"
                                                                                               ": "
                                                                                               "fal"
                                                                                               "se"
                                                                                               "\n "
                                                                                               " ta"
                                                                                               "sks"
                                                                                               ":\n"
                                                                                               "   "
                                                                                               " -"
                                                                                               " " SAY(
                                                                                                   "four");

    (void)state;
    at->options.start_at = "begin*";
    run(playbook);
    assert_ok();
    assert_trace("three\nfour\n");
    at->options.start_at = "in a rescue";
    run(playbook);
    at->options.start_at = NULL;
    assert_int_equal(at->err.code, ERR_USAGE);
    assert_has(at->err.text, "there is no task \"in a rescue\"");
}

/* ---- vars_files */

static void vars_files_may_be_each_hosts_own(void **state)
{
    (void)state;
    put("vars/red.yml", "x: red file\ny: '{{ x }} and {{ z }}'\n");
    put("other.yml", "x: other\ny: none\n");
    run_with("all: {hosts: {h1: {colour: red}, h2: {colour: blue}}}",
             "- hosts: all\n  gather_facts: false\n  vars: {x: play, z: zet}\n"
             "  vars_files:\n    - ['{{ colour }}.yml', other.yml]\n"
             "  tasks:\n    - set_fact: {seen: '{{ x }}/{{ y }}'}\n");
    assert_ok();
    assert_string_equal(registered(0, "seen"), "red file/red file and zet");
    assert_string_equal(registered(1, "seen"), "other/none");
}

static void a_missing_vars_file_is_told(void **state)
{
    (void)state;
    assert_has(faults_of("- hosts: all\n  vars_files: [[a.yml, b.yml]]\n"),
               "site.yml:2:16: vars_files: none of these files is there");
    assert_has(faults_of("- hosts: all\n  vars_files: [{a: b}]\n"), "vars_files is a list of");
    put("list.yml", "[1, 2]\n");
    run("- hosts: all\n  gather_facts: false\n  vars_files: ['{{ colour }}.yml']\n"
        "  tasks: [{debug: {msg: '{{ x }}'}}]\n");
    assert_int_equal(at->rc, -1);
    assert_has(at->err.text, "none of the files is there for h1");
    run("- hosts: all\n  gather_facts: false\n  vars: {f: list}\n  vars_files: ['{{ f }}.yml']\n"
        "  tasks: [{debug: {msg: '{{ x }}'}}]\n");
    assert_int_equal(at->rc, -1);
    assert_has(at->err.text, "must be a mapping");
}

/* ---- what is listed */

static const char *listed(const char *playbook, bool hosts, bool tasks)
{
    struct faults faults;
    struct playbook *pb;
    struct str text;
    const char *copy;

    put("site.yml", playbook);
    faults_init(&faults);
    inventory_init(&at->inv);
    str_init(&text, STR_MAX_TEXT);
    assert_int_equal(inventory_load_text(&at->inv, "hosts.yml", THREE, strlen(THREE), &faults), 0);
    pb = playbook_load(&at->assets, in_dir("site.yml"), &faults);
    assert_non_null(pb);
    assert_int_equal(play_list(pb, &at->assets, &at->inv, &at->options, "site.yml", hosts, tasks,
                               &text, &at->err),
                     0);
    copy = arena_strdup(&at->arena, text.buf);
    playbook_free(pb);
    faults_release(&faults);
    str_release(&text);
    return copy;
}

static void plays_are_listed_as_ansible_does(void **state)
{
    const char *playbook = "- name: first\n  hosts: h1,h3\n  tags: [z]\n  tasks:\n"
                           "    - name: one\n      ping:\n      tags: [b, a, b]\n"
                           "    - block: [{ping: {}}]\n      rescue: [{debug: {}}]\n"
                           "    - include_tasks: in.yml\n    - meta: flush_handlers\n";

    (void)state;
    put("in.yml", "- debug: {}\n");
    assert_string_equal(listed(playbook, true, true),
                        "\nplaybook: site.yml\n\n  play #1 (h1,h3): first\tTAGS: [z]\n"
                        "    pattern: ['h1', 'h3']\n    hosts (2):\n      h1\n      h3\n"
                        "    tasks:\n      one\tTAGS: [a, b, z]\n      ping\tTAGS: [z]\n"
                        "      include_tasks\tTAGS: [z]\n      meta\tTAGS: [z]\n");
}

static int end_scene(void **state)
{
    return tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failure_is_rescued_and_the_host_goes_on, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_foreseen_failure_is_rescued_in_the_same_trip, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(always_runs_after_a_failure_that_nothing_rescues, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_failure_in_rescue_or_always_goes_to_the_block_around,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_first_failure_is_told_when_always_fails_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(tags_may_leave_no_rescue, set_up, end_scene),
        cmocka_unit_test_setup_teardown(a_block_gives_all_its_parts_what_it_has, set_up, end_scene),
        cmocka_unit_test_setup_teardown(all_items_are_tried_before_a_loop_fails, set_up, end_scene),
        cmocka_unit_test_setup_teardown(handlers_are_notified_from_every_part, set_up, end_scene),
        cmocka_unit_test_setup_teardown(a_run_once_failure_sends_all_to_the_rescue, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(check_mode_goes_the_same_way, set_up, end_scene),
        cmocka_unit_test_setup_teardown(an_include_is_one_time_for_each_item, set_up, end_scene),
        cmocka_unit_test_setup_teardown(an_include_may_be_named_when_it_is_reached, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_include_gives_its_tasks_only_apply, set_up, end_scene),
        cmocka_unit_test_setup_teardown(a_loop_of_includes_ends_with_a_failure, set_up, end_scene),
        cmocka_unit_test_setup_teardown(faults_of_blocks_and_includes, set_up, end_scene),
        cmocka_unit_test_setup_teardown(what_is_before_the_start_is_left_out, set_up, end_scene),
        cmocka_unit_test_setup_teardown(vars_files_may_be_each_hosts_own, set_up, end_scene),
        cmocka_unit_test_setup_teardown(a_missing_vars_file_is_told, set_up, end_scene),
        cmocka_unit_test_setup_teardown(plays_are_listed_as_ansible_does, set_up, end_scene),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
