/*
 * Playbooks: reading them, and converging to them. The "hosts" are this machine: the very scripts
 * that go over SSH are run here by sh, and touch nothing but a temporary folder.
 */
#include "tests/unit/play_scene.h"

/* ---- reading */

static void reader_names_what_is_wrong(void **state)
{
    static const struct {
        const char *playbook, *fault;
    } cases[] = {
        {"hosts: all\n", "site.yml:1:1: a playbook is a list of plays"},
        {"- hosts: all\n  taks: []\n", "site.yml:2:3: unknown key 'taks' of a play"},
        {"- hosts: all\n  taks: []\n", "did you mean 'tasks'?"},
        {"- hosts: all\n  tasks:\n    - name: x\n      tempalte: {src: a}\n",
         "site.yml:4:7: 'tempalte' is neither a key of a task nor a known module"},
        {"- hosts: all\n  tasks:\n    - name: x\n      tempalte: {src: a}\n",
         "did you mean 'template'?"},
        {"- hosts: all\n  tasks:\n    - copy: {dest: /x, contnt: a}\n", "contnt"},
        {"- hosts: all\n  tasks:\n    - copy: {dest: /x, contnt: a}\n", "content"},
        {"- hosts: all\n  tasks:\n    - command: a\n      delegate_to: h2\n",
         "site.yml:4:7: 'delegate_to' is not supported: a task runs on its own host"},
        {"- hosts: all\n  strategy: free\n", "'strategy' is not supported"},
        {"- hosts: all\n  max_fail_percentage: 3\n", "'max_fail_percentage' is not supported"},
        {"- tasks: []\n", "a play needs hosts"},
        {"- hosts: all\n  tasks:\n    - command: a\n      when: 'a =='\n", "site.yml:4:"},
        {"- hosts: all\n  tasks:\n    - command: '{{ a'\n", "site.yml:3:"},
        {"- hosts: all\n  tasks:\n    - command: a\n      notify: Restrat\n  handlers:\n"
         "    - name: Restart\n      command: b\n",
         "did you mean 'Restart'?"},
        {"- hosts: all\n  tasks:\n    - command: a\n      shell: b\n", "a task has one module"},
        {"- hosts: all\n  tasks:\n    - name: nothing\n", "the task names no module"},
        {"- hosts: all\n  tasks:\n    - rescue: []\n", "'rescue' needs a block beside it"},
        {"- hosts: all\n  serial: none\n", "serial is a number of hosts"},
        {"- hosts: all\n  gather_facts: 3\n", "gather_facts must be true or false"},
        {"- hosts: all\n  vars: [1]\n", "vars must be a mapping"},
        {"- hosts: all\n  tasks:\n    - import_tasks: missing.yml\n", "missing.yml"},
        {"- hosts: all\n  roles: [nowhere]\n", "there is no role 'nowhere'"},
        {"- hosts: all\n  tasks:\n    - command: a\n      register: 'a b'\n",
         "'a b' cannot be a variable's name"},
        {"- hosts: all\n  tasks:\n    - command: a\n      become_user: postgres\n",
         "become_user may only be root"},
        {"- hosts: all\n  tasks:\n    - meta: end_play\n", "meta: 'end_play' is not supported"},
        {"- import_playbook: site.yml\n", "inside each other"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_has(faults_of(cases[i].playbook), cases[i].fault);
}

static void reader_finds_all_faults_at_once(void **state)
{
    const char *text = faults_of("- hosts: all\n"
                                 "  oops: 1\n"
                                 "  tasks:\n"
                                 "    - nope: 1\n"
                                 "    - copy: {mode: x}\n");

    (void)state;
    assert_has(text, ":2:3:");
    assert_has(text, ":4:7:");
    assert_has(text, "dest");
}

static void a_task_file_may_not_import_itself(void **state)
{
    (void)state;
    put("a.yml", "- import_tasks: a.yml\n");
    assert_has(faults_of("- hosts: all\n  tasks: [{import_tasks: a.yml}]\n"), "includes itself");
}

static void roles_may_not_form_a_circle(void **state)
{
    (void)state;
    put("roles/a/meta/main.yml", "dependencies: [b]\n");
    put("roles/b/meta/main.yml", "dependencies: [a]\n");
    assert_has(faults_of("- hosts: all\n  roles: [a]\n"), "depends on itself");
}

static void playbook_is_described(void **state)
{
    struct faults faults;
    struct playbook *pb;
    const struct value *plays;

    (void)state;
    put("site.yml", "- name: P\n  hosts: all\n  tasks:\n    - name: T\n      command: x\n"
                    "      tags: [a, b]\n");
    faults_init(&faults);
    pb = playbook_load(&at->assets, in_dir("site.yml"), &faults);
    assert_non_null(pb);
    plays = playbook_describe(pb, &at->arena);
    assert_string_equal(value_get_str(plays->u.list.items[0], "hosts", ""), "all");
    assert_string_equal(
        value_get_str(value_get(plays->u.list.items[0], "tasks")->u.list.items[0], "module", ""),
        "command");
    playbook_free(pb);
    faults_release(&faults);
}

/* ---- converging */

static const char two_files[] = "- hosts: all\n"
                                "  tasks:\n"
                                "    - copy: {dest: ~/a, content: \"one\\n\", mode: '0640'}\n"
                                "    - copy: {dest: ~/b, content: \"{{ colour }}\\n\"}\n"
                                "    - file: {path: ~/d, state: directory, mode: '0750'}\n";

static void changes_are_made_and_then_nothing_is(void **state)
{
    (void)state;
    run(two_files);
    assert_ok();
    assert_file("a", "one\n");
    assert_file("b", "red\n");
    assert_int_equal(host(0)->changed, 3);
    assert_int_equal(host(0)->ok, 3);
    assert_int_equal(host(0)->trips, 2);
    assert_int_equal(host(0)->changes.n, 3);

    run(two_files);
    assert_ok();
    assert_int_equal(host(0)->changed, 0);
    assert_int_equal(host(0)->ok, 3);
    assert_int_equal(host(0)->trips, 1);
}

static void check_mode_tells_what_a_run_would_do(void **state)
{
    (void)state;
    at->options.check = true;
    at->options.diff = true;
    run(two_files);
    assert_ok();
    assert_int_equal(host(0)->changed, 3);
    assert_int_equal(host(0)->trips, 1);
    assert_null(get("a"));
    assert_has(host(0)->changes.items[0].diff, "+one");

    at->options.check = false;
    run(two_files);
    assert_int_equal(host(0)->changed, 3);

    at->options.check = true;
    run(two_files);
    assert_int_equal(host(0)->changed, 0);
}

static void check_mode_assumes_what_a_command_makes(void **state)
{
    (void)state;
    at->options.check = true;
    run("- hosts: all\n"
        "  tasks:\n"
        "    - command: mkdir ~/made\n"
        "    - copy: {dest: ~/made/file, content: x}\n");
    assert_ok();
    assert_int_equal(host(0)->failed, 0);
    assert_null(get("made/file"));
}

static void after_an_opaque_change_the_rest_is_probed_again(void **state)
{
    (void)state;
    run("- hosts: all\n"
        "  tasks:\n"
        "    - copy: {dest: ~/a, content: x}\n"
        "    - shell: printf y >~/b\n"
        "    - copy: {dest: ~/b, content: y}\n"
        "    - copy: {dest: ~/c, content: z}\n");
    assert_ok();
    assert_int_equal(host(0)->changed, 3); /* b is right after the command */
    assert_int_equal(host(0)->trips, 3);
    assert_file("c", "z");
}

/* h1 waits for h2, which changes what h1 saw at the beginning: both are this machine. */
static void what_is_known_of_a_host_that_waits_grows_old(void **state)
{
    (void)state;
    put("f", "right");
    at->options.fresh_ms = 100;
    run_with("all: {hosts: {h1: {}, h2: {}}}", "- hosts: all\n"
                                               "  tasks:\n"
                                               "    - copy: {dest: ~/f, content: right}\n"
                                               "    - command: sh -c 'sleep 0.3; echo wrong >~/f'\n"
                                               "      when: inventory_hostname == 'h2'\n"
                                               "- hosts: h1\n"
                                               "  tasks:\n"
                                               "    - copy: {dest: ~/f, content: right}\n");
    assert_ok();
    assert_file("f", "right");
}

static void registered_results_decide(void **state)
{
    (void)state;
    run("- hosts: all\n"
        "  tasks:\n"
        "    - command: echo hello world\n"
        "      register: said\n"
        "      changed_when: false\n"
        "    - copy: {dest: ~/yes, content: '{{ said.stdout }}'}\n"
        "      when: \"'hello' in said.stdout\"\n"
        "    - copy: {dest: ~/no, content: x}\n"
        "      when: said.stdout == 'bye'\n"
        "      register: not_done\n"
        "    - copy: {dest: ~/third, content: x}\n"
        "      register: made\n"
        "    - copy: {dest: ~/fourth, content: x}\n"
        "      when: made is changed or made.changed\n");
    assert_ok();
    assert_file("yes", "hello world");
    assert_null(get("no"));
    assert_string_equal(registered(0, "said.rc"), "0");
    assert_string_equal(registered(0, "said.changed"), "false");
    assert_string_equal(registered(0, "not_done.skipped"), "true");
    assert_file("fourth", "x");
    assert_int_equal(host(0)->changed, 3);
    assert_int_equal(host(0)->skipped, 1);
}

static void a_failure_stops_the_host(void **state)
{
    (void)state;
    run("- hosts: all\n"
        "  tasks:\n"
        "    - copy: {dest: ~/a, content: x}\n"
        "    - name: breaks\n"
        "      shell: echo sorry >&2; exit 3\n"
        "    - copy: {dest: ~/b, content: x}\n");
    assert_int_equal(at->rc, -1);
    assert_has(at->err.text, "breaks");
    assert_has(at->err.text, "site.yml:4");
    assert_has(at->err.hint, "sorry");
    assert_file("a", "x");
    assert_null(get("b"));
    assert_int_equal(host(0)->failed, 1);
    assert_int_equal(host(0)->changed, 1);
}

static void failures_at_planning_come_after_the_changes_before_them(void **state)
{
    (void)state;
    run("- hosts: all\n"
        "  tasks:\n"
        "    - copy: {dest: ~/a, content: x}\n"
        "    - copy: {dest: ~/b, content: '{{ nowhere }}'}\n"
        "    - copy: {dest: ~/c, content: x}\n");
    assert_int_equal(at->rc, -1);
    assert_has(at->err.text, "nowhere");
    assert_file("a", "x");
    assert_null(get("c"));
}

static void ignored_failures_do_not_stop(void **state)
{
    (void)state;
    run("- hosts: all\n"
        "  tasks:\n"
        "    - command: 'false'\n"
        "      ignore_errors: true\n"
        "    - copy: {dest: ~/a, content: x}\n"
        "    - shell: exit 4\n"
        "      register: r\n"
        "      ignore_errors: yes\n"
        "    - copy: {dest: ~/b, content: '{{ r.rc }}'}\n"
        "      when: r.failed\n"
        "    - fail: {msg: no}\n"
        "      ignore_errors: true\n"
        "    - command: cat ~/nothing\n"
        "      register: c\n"
        "      failed_when: c.rc not in [0, 1]\n");
    assert_ok();
    assert_file("a", "x");
    assert_file("b", "4");
    assert_int_equal(host(0)->ignored, 3);
    assert_int_equal(host(0)->failed, 0);
}

static void loops_and_their_results(void **state)
{
    (void)state;
    run("- hosts: all\n"
        "  vars: {names: [a, b, c]}\n"
        "  tasks:\n"
        "    - copy: {dest: '~/{{ item }}', content: '{{ item }}'}\n"
        "      loop: '{{ names }}'\n"
        "      when: item != 'b'\n"
        "      register: all\n"
        "    - command: echo {{ word.x }}\n"
        "      loop: [{x: 1}, {x: 2}]\n"
        "      loop_control: {loop_var: word, label: '{{ word.x }}'}\n"
        "      register: words\n"
        "    - copy:\n"
        "        dest: ~/words\n"
        "        content: \"{{ words.results | map(attribute='stdout') | join('-') }}\"\n"
        "    - copy: {dest: '~/w{{ item }}', content: x}\n"
        "      with_items: [[1, 2], 3]\n"
        "    - debug: {msg: none}\n"
        "      loop: []\n");
    assert_ok();
    assert_file("a", "a");
    assert_null(get("b"));
    assert_file("words", "1-2");
    assert_file("w3", "x");
    assert_int_equal(host(0)->changed, 4);
    assert_int_equal(host(0)->skipped, 1);
    assert_string_equal(registered(0, "all.changed"), "true");
}

static void until_tries_again(void **state)
{
    (void)state;
    run("- hosts: all\n"
        "  tasks:\n"
        "    - shell: echo x >>~/tries; wc -l <~/tries\n"
        "      register: r\n"
        "      until: r.stdout | int >= 3\n"
        "      retries: 5\n"
        "      delay: 0\n");
    assert_ok();
    assert_file("tries", "x\nx\nx\n");
    assert_string_equal(registered(0, "r.attempts"), "3");
    assert_int_equal(host(0)->changed, 1);

    run("- hosts: all\n"
        "  tasks:\n"
        "    - shell: echo x >>~/more; false\n"
        "      register: r\n"
        "      until: r.rc == 0\n"
        "      retries: 2\n"
        "      delay: 0\n"
        "      ignore_errors: true\n");
    assert_ok();
    assert_int_equal(host(0)->ignored, 1);
    assert_file("more", "x\nx\nx\n");
    assert_string_equal(registered(0, "r.attempts"), "2");
}

/* ---- handlers */

static const char with_handlers[] = "- hosts: all\n"
                                    "  tasks:\n"
                                    "    - copy: {dest: ~/conf, content: '{{ v }}'}\n"
                                    "      notify: [second, both]\n"
                                    "    - copy: {dest: ~/conf2, content: '{{ v }}'}\n"
                                    "      notify: second\n"
                                    "    - command: '{{ middle }}'\n"
                                    "      changed_when: false\n"
                                    "  handlers:\n"
                                    "    - name: first\n"
                                    "      shell: echo first >>~/log\n"
                                    "      listen: both\n"
                                    "    - name: second\n"
                                    "      shell: echo second >>~/log\n"
                                    "    - name: third\n"
                                    "      shell: echo third >>~/log\n";

static void give_vars(const char *v, const char *middle)
{
    struct value *extra = value_map(&at->arena);

    value_map_set(&at->arena, extra, "v", value_str(&at->arena, v));
    value_map_set(&at->arena, extra, "middle", value_str(&at->arena, middle));
    at->options.extra_vars = extra;
}

/* Is there a file in the folder of pending handlers? */
static bool has_marker(void)
{
    DIR *dir = opendir(in_dir("pending"));
    const struct dirent *entry;
    bool found = false;

    while (dir && (entry = readdir(dir)))
        found |= entry->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return found;
}

static void handlers_run_once_and_in_order(void **state)
{
    (void)state;
    give_vars("1", "true");
    run(with_handlers);
    assert_ok();
    assert_file("log", "first\nsecond\n");
    assert_false(has_marker());

    run(with_handlers);
    assert_ok();
    assert_file("log", "first\nsecond\n");
}

static void handlers_of_a_failed_run_come_with_the_next(void **state)
{
    (void)state;
    give_vars("1", "false");
    run(with_handlers);
    assert_int_equal(at->rc, -1);
    assert_null(get("log"));
    assert_true(has_marker());

    give_vars("1", "true");
    at->options.check = true;
    run(with_handlers);
    assert_int_equal(host(0)->changed, 2);
    assert_true(has_marker());

    at->options.check = false;
    run(with_handlers);
    assert_ok();
    assert_file("log", "first\nsecond\n");
    assert_false(has_marker());
}

/* The package may be what an earlier task would have fetched. */
static void check_mode_asks_apt_and_believes_it_unless_a_change_is_foreseen(void **state)
{
    (void)state;
    at->options.check = true;
    run("- hosts: all\n"
        "  tasks:\n"
        "    - apt: {deb: /nonexistent/none.deb}\n");
    assert_int_equal(at->rc, -1);
    assert_int_equal(host(0)->failed, 1);

    run("- hosts: all\n"
        "  tasks:\n"
        "    - copy: {dest: ~/a, content: x}\n"
        "    - apt: {deb: /nonexistent/none.deb}\n"
        "      notify: h\n"
        "  handlers:\n"
        "    - name: h\n"
        "      command: 'true'\n");
    assert_ok();
    assert_int_equal(host(0)->changed, 3);
    assert_false(has_marker());
}

static void a_change_that_was_none_leaves_no_marker(void **state)
{
    (void)state;
    run("- hosts: all\n"
        "  tasks:\n"
        "    - command: 'true'\n"
        "      changed_when: false\n"
        "      notify: h\n"
        "  handlers:\n"
        "    - name: h\n"
        "      shell: echo h >>~/log\n");
    assert_ok();
    assert_null(get("log"));
    assert_false(has_marker());
}

static void handlers_can_be_flushed(void **state)
{
    (void)state;
    run("- hosts: all\n"
        "  tasks:\n"
        "    - shell: echo a >>~/log\n"
        "      notify: h\n"
        "    - meta: flush_handlers\n"
        "    - shell: echo b >>~/log\n"
        "  handlers:\n"
        "    - name: h\n"
        "      shell: echo h >>~/log\n");
    assert_ok();
    assert_file("log", "a\nh\nb\n");
}

/* ---- variables */

static void variables_have_their_precedence(void **state)
{
    struct value *extra = value_map(&at->arena);

    (void)state;
    value_map_set(&at->arena, extra, "a9", value_str(&at->arena, "extra"));
    at->options.extra_vars = extra;
    put("vars.yml", "a3: file\na4: file\na5: file\na6: file\na7: file\na8: file\na9: file\n");
    put("roles/r/defaults/main.yml", "a0: default\na1: default\na2: default\na9: default\n");
    put("roles/r/vars/main.yml", "a4: role\na5: role\na6: role\na7: role\na8: role\na9: role\n");
    put("roles/r/tasks/main.yml",
        expand("- set_fact: {a8: fact}\n"
               "- block:\n"
               "    - copy:\n"
               "        dest: ~/out\n"
               "        content: \"{{ [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9] | join(' ') }}\"\n"
               "      vars: {a6: task, a8: task, a9: task}\n"
               "  vars: {a5: block, a6: block, a8: block, a9: block}\n"));
    run_with("all: {hosts: {h1: {a1: inv, a2: inv, a3: inv}}}",
             "- hosts: all\n"
             "  vars: {a2: play, a3: play, a9: play}\n"
             "  vars_files: [vars.yml]\n"
             "  roles: [{role: r, a7: param}]\n");
    assert_ok();
    assert_file("out", "default inv play file role block task param fact extra");
}

static void variables_are_lazy(void **state)
{
    (void)state;
    run("- hosts: all\n"
        "  vars:\n"
        "    whole: '{{ part }}-{{ colour }}'\n"
        "    part: '{{ [1, 2] | sum }}'\n"
        "    broken: '{{ nothing }}'\n"
        "    number: '{{ 3 + 4 }}'\n"
        "    deep: {list: ['{{ part }}']}\n"
        "  tasks:\n"
        "    - copy: {dest: ~/a, content: '{{ whole }} {{ number + 1 }} {{ deep.list[0] }}'}\n"
        "    - copy: {dest: ~/b, content: x, mode: '{{ omit }}'}\n");
    assert_ok();
    assert_file("a", "3-red 8 3");

    run("- hosts: all\n"
        "  vars: {x: '{{ y }}', y: '{{ x }}'}\n"
        "  tasks: [{debug: {msg: '{{ x }}'}}]\n");
    assert_int_equal(at->rc, -1);
    assert_has(at->err.text, "made of itself");
}

/* x0 is x1, x1 is x2, ...; the threads of a run have small stacks. */
static void run_chain(size_t length)
{
    struct str playbook;

    str_init(&playbook, STR_MAX_TEXT);
    str_puts(&playbook, "- hosts: all\n  vars:\n");
    for (size_t i = 0; i < length; i++)
        str_printf(&playbook, "    x%zu: '{{ ((((((x%zu | string)))))) + ''1'' }}'\n", i, i + 1);
    str_printf(&playbook, "    x%zu: end\n  tasks:\n    - debug: {msg: '{{ x0 }}'}\n", length);
    run_with(THREE, playbook.buf);
    str_release(&playbook);
}

static void variables_are_nested_to_a_limit(void **state)
{
    (void)state;
    at->options.forks = 3;
    run_chain(15);
    assert_ok();
    run_chain(30);
    assert_int_equal(at->rc, -1);
    assert_has(at->err.text, "variables inside each other");
}

static void what_a_host_says_is_never_a_template(void **state)
{
    (void)state;
    run("- hosts: all\n"
        "  tasks:\n"
        "    - shell: echo '{''{ colour }''}'\n"
        "      register: said\n"
        "    - set_fact: {again: '{{ said.stdout }}'}\n"
        "    - copy: {dest: ~/a, content: '{{ again }}'}\n");
    assert_ok();
    assert_file("a", "{{ colour }}");
}

static void facts_and_other_hosts_are_seen(void **state)
{
    (void)state;
    run_with("all: {hosts: {h1: {n: 1, me: 'host{{ n }}'}, h2: {n: 2, me: 'host{{ n }}'}},"
             " children: {web: {hosts: {h2: }}}}",
             "- hosts: all\n"
             "  tasks:\n"
             "    - command: echo result-{{ n }}\n"
             "      register: r\n"
             "- hosts: h1\n"
             "  tasks:\n"
             "    - copy:\n"
             "        dest: ~/a\n"
             "        content: >-\n"
             "          {{ hostvars['h2'].me }} {{ hostvars['h2'].r.stdout }}\n"
             "          {{ groups.web[0] }} {{ ansible_play_hosts | length }}\n"
             "          {{ ansible_system }} {{ hostvars.h2.ansible_facts.system }}\n"
             "          {{ playbook_dir == '~' }}\n");
    assert_ok();
    assert_file("a", "host2 result-2 h2 1 Linux Linux True");
}

static void templates_that_need_facts_take_a_trip_more(void **state)
{
    (void)state;
    put("templates/t.j2", "{{ ansible_facts.hostname | length > 0 }}\n");
    run("- hosts: all\n  tasks:\n    - template: {src: t.j2, dest: ~/t}\n");
    assert_ok();
    assert_file("t", "True\n");
    assert_int_equal(host(0)->trips, 3);

    run("- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - template: {src: t.j2, dest: ~/t}\n");
    assert_int_equal(at->rc, -1);
    assert_has(at->err.text, "ansible_facts");
}

/* ---- many hosts */

static void serial_batches_go_one_after_the_other(void **state)
{
    (void)state;
    at->options.forks = 3;
    run_with(THREE, "- hosts: all\n"
                    "  serial: [1, 2]\n"
                    "  tasks:\n"
                    "    - shell: echo {{ ansible_play_batch | length }} >>~/log\n");
    assert_ok();
    assert_file("log", "1\n2\n2\n");
}

static void run_once_is_shared(void **state)
{
    (void)state;
    at->options.forks = 3;
    run_with(THREE,
             "- hosts: all\n"
             "  tasks:\n"
             "    - shell: echo before >>~/log\n"
             "    - shell: echo once >>~/log; echo {{ inventory_hostname }}\n"
             "      register: r\n"
             "      run_once: true\n"
             "    - copy: {dest: '~/{{ inventory_hostname }}', content: '{{ r.stdout }}'}\n");
    assert_ok();
    assert_file("log", "before\nbefore\nbefore\nonce\n");
    assert_file("h3", "h1");
}

static void a_failed_host_drops_out(void **state)
{
    (void)state;
    run_with(THREE, "- hosts: all\n"
                    "  tasks:\n"
                    "    - fail: {msg: not me}\n"
                    "      when: n == 2\n"
                    "- hosts: all\n"
                    "  tasks:\n"
                    "    - copy: {dest: '~/{{ inventory_hostname }}', content: x}\n");
    assert_int_equal(at->rc, -1);
    assert_int_equal(at->result.failed, 1);
    assert_int_equal(at->result.changed, 2);
    assert_null(get("h2"));
    assert_file("h3", "x");
}

static void any_errors_fatal_stops_all(void **state)
{
    (void)state;
    run_with(THREE, "- hosts: all\n"
                    "  any_errors_fatal: true\n"
                    "  tasks:\n"
                    "    - fail: {msg: not me}\n"
                    "      when: n == 2\n"
                    "- hosts: all\n"
                    "  tasks:\n"
                    "    - copy: {dest: '~/{{ inventory_hostname }}', content: x}\n");
    assert_int_equal(at->rc, -1);
    assert_null(get("h3"));
}

static void limit_and_tags_select(void **state)
{
    static const char *const tags[] = {"one", NULL};
    static const char playbook[] = "- hosts: all\n"
                                   "  tasks:\n"
                                   "    - shell: echo one >>~/log\n"
                                   "      tags: one\n"
                                   "    - shell: echo two >>~/log\n"
                                   "    - shell: echo always >>~/log\n"
                                   "      tags: always\n"
                                   "    - shell: echo never >>~/log\n"
                                   "      tags: [never, other]\n";

    (void)state;
    at->options.limit = "h2";
    at->options.tags = tags;
    run_with(THREE, playbook);
    assert_ok();
    assert_int_equal(at->result.n, 1);
    assert_string_equal(host(0)->host, "h2");
    assert_file("log", "one\nalways\n");

    at->options.tags = NULL;
    at->options.skip_tags = tags;
    run_with(THREE, playbook);
    assert_file("log", "one\nalways\ntwo\nalways\n");
}

static void tags_select_as_in_ansible(void **state)
{
    static const char playbook[] = "- hosts: all\n"
                                   "  tasks:\n"
                                   "    - {shell: echo one >>~/log, tags: one}\n"
                                   "    - {shell: echo plain >>~/log}\n"
                                   "    - {shell: echo always >>~/log, tags: [always, mine]}\n"
                                   "    - {shell: echo never >>~/log, tags: [never, other]}\n"
                                   "    - {shell: echo both >>~/log, tags: [never, always]}\n";
    static const struct {
        const char *tags, *skip, *log;
    } cases[] = {
        {NULL, NULL, "one\nplain\nalways\nboth\n"},
        {"all", NULL, "one\nplain\nalways\nboth\n"},
        {"tagged", NULL, "one\nalways\nboth\n"},
        {"untagged", NULL, "plain\nalways\nboth\n"},
        {"other", NULL, "always\nnever\nboth\n"},
        {"never", NULL, "always\nnever\nboth\n"},
        {NULL, "all", "always\nboth\n"},
        {NULL, "always", "one\nplain\n"},
        {NULL, "mine", "one\nplain\nboth\n"},
        {NULL, "tagged", "plain\n"},
        {"other", "mine", "never\nboth\n"},
        {"one", "one", "always\nboth\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const tags[] = {cases[i].tags, NULL}, *const skip[] = {cases[i].skip, NULL};

        put("log", "");
        at->options.tags = tags;
        at->options.skip_tags = skip;
        run(playbook);
        assert_ok();
        assert_file("log", cases[i].log);
    }
}

/* ---- roles and imports */

static void roles_bring_their_files(void **state)
{
    (void)state;
    put("roles/base/tasks/main.yml", expand("- copy: {src: f.txt, dest: ~/f}\n"
                                            "- import_tasks: more.yml\n"
                                            "  when: colour == 'red'\n"));
    put("roles/base/tasks/more.yml", expand("- template: {src: t.j2, dest: ~/t}\n"
                                            "  notify: log it\n"));
    put("roles/base/handlers/main.yml", expand("- name: log it\n"
                                               "  shell: echo {{ role_name }} >>~/log\n"));
    put("roles/base/files/f.txt", "file\n");
    put("roles/base/templates/t.j2", "{{ word }} {{ colour }}\n");
    put("roles/base/defaults/main.yml", "word: hello\n");
    put("roles/top/meta/main.yml", "dependencies: [{role: base, word: bye}]\n");
    put("roles/top/tasks/main.yml", expand("- copy: {dest: ~/top, content: x}\n"));
    run("- hosts: all\n  roles: [top]\n");
    assert_ok();
    assert_file("f", "file\n");
    assert_file("t", "bye red\n");
    assert_file("log", "base\n");
    assert_file("top", "x");
}

static void legacy_arguments_and_environment(void **state)
{
    (void)state;
    run("- hosts: all\n"
        "  environment: {A: \"it's\", B: '{{ colour }}'}\n"
        "  tasks:\n"
        "    - copy: dest=~/a content='two words' mode=0600\n"
        "    - shell: echo \"$A $B $C\" >~/env\n"
        "      environment: {C: 3, B: blue}\n"
        "    - command: pwd\n"
        "      args: {chdir: ~}\n"
        "      register: where\n");
    assert_ok();
    assert_file("a", "two words");
    assert_file("env", "it's blue 3\n");
    assert_string_equal(registered(0, "where.stdout"), at->dir);
}

static void values_are_never_shell_text(void **state)
{
    (void)state;
    put("templates/t.j2", "{{ evil }}\n");
    run("- hosts: all\n"
        "  vars:\n"
        "    evil: \"'; touch ~/pwned; $(touch ~/pwned) `touch ~/pwned` \\\\\\n@end\"\n"
        "  tasks:\n"
        "    - template: {src: t.j2, dest: \"~/we ird'$x\"}\n"
        "    - copy: {dest: ~/e, content: '{{ evil }}'}\n"
        "    - command: {argv: [echo, '{{ evil }}']}\n"
        "      register: r\n");
    assert_ok();
    assert_null(get("pwned"));
    assert_has(get("we ird'$x"), "$(touch");
    assert_has(registered(0, "r.stdout"), "`touch");
}

/* ---- what it costs, and what goes wrong on the way */

/* Counts the programs that a script starts: each name below is a shell function that notes it. */
static int run_counted(void *session, struct ssh_run *given, struct err *err)
{
    static const char *const programs[] = {
        "find",  "base64", "dpkg-query", "systemctl", "getent",
        "uname", "nproc",  "ip",         "mktemp",    "cat",
        "stat",  "id",     "rm",         "sha256sum", "systemd-detect-virt"};
    struct ssh_run counted = *given;
    struct str script;
    int rc;

    str_init(&script, STR_MAX_TEXT);
    for (size_t i = 0; i < ARRAY_LEN(programs); i++)
        str_printf(&script, "alias %s='echo x >>%s/count; %s'\n", programs[i], at->dir,
                   programs[i]);
    str_puts(&script, "eval \"$(cat <<'THE_END_OF_IT'\n");
    str_add(&script, given->script, given->script_len);
    str_puts(&script, "\nTHE_END_OF_IT\n)\"\n");
    counted.script = script.buf;
    counted.script_len = script.len;
    rc = play_transport_local.run(session, &counted, err);
    given->status = counted.status;
    str_release(&script);
    return rc;
}

static size_t programs_for(size_t tasks)
{
    struct play_transport counting = play_transport_local;
    struct str playbook;
    size_t n;

    str_init(&playbook, STR_MAX_TEXT);
    str_puts(&playbook, "- hosts: all\n  tasks:\n");
    for (size_t i = 0; i < tasks; i++)
        str_printf(&playbook, "    - copy: {dest: ~/f%zu, content: 'text %zu'}\n", i, i);
    str_puts(&playbook, "    - lineinfile: {path: ~/f0, line: more, create: true}\n");
    str_puts(&playbook, "    - systemd_service: {name: no-such, enabled: false, state: stopped}\n"
                        "      when: false\n");
    run(playbook.buf);
    assert_ok();
    run(playbook.buf); /* the first copy and lineinfile differ */
    counting.run = run_counted;
    at->options.transport = &counting;
    at->options.check = true;
    put("count", "");
    run(playbook.buf);
    assert_ok();
    assert_int_equal(host(0)->trips, 1);
    n = strlen(get("count")) / 2;
    at->options.check = false;
    at->options.transport = &play_transport_local;
    str_release(&playbook);
    return n;
}

static void the_number_of_programs_does_not_grow_with_the_tasks(void **state)
{
    size_t few = programs_for(3), many = programs_for(60);

    (void)state;
    assert_int_equal(few, many);
    assert_in_range(few, 4, 14);
}

/* Runs the playbook in a process that its second task kills. */
static void run_and_be_killed(const char *playbook)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        char pid[32];

        snprintf(pid, sizeof(pid), "%d", (int)getpid());
        give_vars(pid, "true");
        run(playbook);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void handlers_of_a_killed_run_come_with_the_next(void **state)
{
    static const char playbook[] = "- hosts: all\n"
                                   "  tasks:\n"
                                   "    - copy: {dest: ~/conf, content: x}\n"
                                   "      notify: h\n"
                                   "    - shell: kill -9 {{ v }}; sleep 5\n"
                                   "      when: v != '0'\n"
                                   "  handlers:\n"
                                   "    - name: h\n"
                                   "      shell: echo h >>~/log\n";

    (void)state;
    run_and_be_killed(playbook);
    assert_file("conf", "x");
    assert_file("log", NULL);
    give_vars("0", "true");
    run(playbook);
    assert_ok();
    assert_file("log", "h\n");
    assert_false(has_marker());
}

static int runs_left;

static int run_then_lose(void *session, struct ssh_run *given, struct err *err)
{
    if (runs_left-- > 0)
        return play_transport_local.run(session, given, err);
    return err_set(err, ERR_NET, "%s: connection lost", (const char *)session);
}

static void *refuse_h2(void *ctx, const struct ssh_target *target, int64_t deadline_ms,
                       struct err *err)
{
    if (!str_eq(target->name, "h2"))
        return play_transport_local.open(ctx, target, deadline_ms, err);
    err_set(err, ERR_NET, "%s: connection refused", target->name);
    return NULL;
}

static void a_lost_connection_fails_the_host(void **state)
{
    struct play_transport losing = play_transport_local;

    (void)state;
    losing.run = run_then_lose;
    runs_left = 1;
    at->options.transport = &losing;
    run(two_files);
    assert_int_equal(at->rc, -1);
    assert_int_equal(at->err.code, ERR_NET);
    assert_has(at->err.text, "connection lost");
    assert_has(at->err.text, "site.yml:3");
    assert_int_equal(host(0)->unreachable, 1);
}

static void an_unreachable_host_leaves_the_others(void **state)
{
    struct play_transport refusing = play_transport_local;

    (void)state;
    refusing.open = refuse_h2;
    at->options.transport = &refusing;
    run_with(THREE, "- hosts: all\n"
                    "  tasks:\n"
                    "    - copy: {dest: '~/{{ inventory_hostname }}', content: x}\n");
    assert_int_equal(at->rc, -1);
    assert_int_equal(at->result.failed, 1);
    assert_int_equal(host(1)->unreachable, 1);
    assert_file("h3", "x");
}

/* What a host's variables make of the target; ctx: a struct str. */
static void *note_target(void *ctx, const struct ssh_target *target, int64_t deadline_ms,
                         struct err *err)
{
    struct str *text = ctx;

    str_printf(text, "%s %s@%s:%d key=%s known=%s become=%d password=%s", target->name,
               target->user, target->address, target->port, target->identity, target->known_hosts,
               target->become, target->become_password ? target->become_password : "-");
    for (const struct ssh_target *hop = target->jump; hop; hop = hop->jump)
        str_printf(text, " via %s@%s:%d key=%s known=%s", hop->user, hop->address, hop->port,
                   hop->identity, hop->known_hosts);
    str_putc(text, '\n');
    return play_transport_local.open(NULL, target, deadline_ms, err);
}

static void variables_make_the_ssh_target(void **state)
{
    struct play_transport noting = play_transport_local;
    struct str text, redacted;

    (void)state;
    str_init(&text, STR_MAX_TEXT);
    str_init(&redacted, STR_MAX_TEXT);
    noting.open = note_target;
    noting.ctx = &text;
    at->options.transport = &noting;
    run_with(
        "all:\n"
        "  vars: {ansible_user: ops, ansible_become: true, site: lab,\n"
        "         ansible_ssh_private_key_file: /key,\n"
        "         ansible_ssh_common_args: -o UserKnownHostsFile=/known}\n"
        "  hosts:\n"
        "    h1: {ansible_host: 10.0.0.1, ansible_port: 2222, ansible_become_pass: 'pass-of-h1',\n"
        "         ansible_ssh_extra_args: '-J me@first,me@{{ site }}-bastion:23'}\n"
        "    h2: {ansible_become_password: '{{ secret }}', secret: pass-of-h2}\n"
        "    h3: {ansible_user: root, ansible_become_password: pass-of-h3}\n"
        "    h4: {ansible_ssh_extra_args: '-o ProxyCommand=\"nc %h %p\"'}\n",
        "- hosts: all\n  tasks: [debug: {msg: x}]\n");
    assert_string_equal(
        text.buf,
        "h1 ops@10.0.0.1:2222 key=/key known=/known become=1 password=pass-of-h1"
        " via me@lab-bastion:23 key=/key known=/known via me@first:0 key=/key known=/known\n"
        "h2 ops@h2:0 key=/key known=/known become=1 password=pass-of-h2\n"
        "h3 root@h3:0 key=/key known=/known become=0 password=-\n");
    assert_has(at->err.text,
               "h4: ansible_ssh_common_args, ansible_ssh_extra_args: ProxyCommand: 'nc");
    assert_int_equal(host(3)->failed, 1);
    str_puts(&redacted, "pass-of-h1 pass-of-h2");
    log_redact(&redacted);
    assert_string_equal(redacted.buf, "******** ********");
    str_release(&text);
    str_release(&redacted);
}

static int run_garbage(void *session, struct ssh_run *given, struct err *err)
{
    (void)session;
    (void)err;
    str_puts(given->out, "Welcome!\n@1234 end\n");
    given->status = 0;
    return 0;
}

static void an_answer_that_makes_no_sense_fails_the_host(void **state)
{
    struct play_transport talking = play_transport_local;

    (void)state;
    talking.run = run_garbage;
    at->options.transport = &talking;
    run(two_files);
    assert_int_equal(at->rc, -1);
    assert_has(at->err.text, "cut short");
}

static void a_failed_run_once_stops_all(void **state)
{
    (void)state;
    run_with(THREE, "- hosts: all\n"
                    "  tasks:\n"
                    "    - command: 'false'\n"
                    "      run_once: true\n"
                    "    - copy: {dest: ~/a, content: x}\n");
    assert_int_equal(at->rc, -1);
    assert_file("a", NULL);
}

static void secrets_of_no_log_are_not_told(void **state)
{
    (void)state;
    at->options.diff = true;
    run("- hosts: all\n"
        "  tasks:\n"
        "    - copy: {dest: ~/a, content: hush}\n"
        "      no_log: true\n"
        "    - shell: echo hush; false\n"
        "      no_log: true\n");
    assert_int_equal(at->rc, -1);
    assert_null(strstr(at->events.buf, "hush"));
    assert_null(strstr(at->err.text, "hush"));
    assert_null(at->err.hint);
    assert_null(host(0)->changes.items[0].diff);
}

static int take_file(void *ctx, const char *dest, unsigned mode, const char *owner,
                     const char *content, size_t len, struct err *err)
{
    (void)err;
    str_printf(ctx, "%s %o %s %.*s|", dest, mode, owner, (int)len, content);
    return 0;
}

static void files_are_rendered_without_a_host(void **state)
{
    struct faults faults;
    struct playbook *pb;
    struct str text;

    (void)state;
    put("templates/t.j2", "{{ colour }}{{ set }}");
    put("site.yml", "- hosts: all\n"
                    "  tasks:\n"
                    "    - set_fact: {set: '!'}\n"
                    "    - template: {src: t.j2, dest: /etc/nowhere/t, mode: '0640', owner: joe}\n"
                    "    - copy: {dest: '/x/{{ item }}', content: '{{ item }}', mode: '0600'}\n"
                    "      loop: [a, b]\n"
                    "    - copy: {dest: /no, content: x}\n"
                    "      when: colour == 'blue'\n"
                    "    - command: echo\n");
    faults_init(&faults);
    str_init(&text, STR_MAX_TEXT);
    inventory_init(&at->inv);
    assert_int_equal(
        inventory_load_text(&at->inv, "hosts.yml", ONE_HOST, strlen(ONE_HOST), &faults), 0);
    pb = playbook_load(&at->assets, in_dir("site.yml"), &faults);
    assert_non_null(pb);
    if (play_render(pb, &at->assets, &at->inv, "h1", take_file, &text, &at->err) < 0)
        fail_msg("%s", at->err.text);
    assert_string_equal(text.buf, "/etc/nowhere/t 640 joe red!|/x/a 600 root a|/x/b 600 root b|");
    assert_int_equal(play_render(pb, &at->assets, &at->inv, "h9", take_file, &text, &at->err), -1);
    playbook_free(pb);
    faults_release(&faults);
    str_release(&text);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(reader_names_what_is_wrong),
        T(reader_finds_all_faults_at_once),
        T(a_task_file_may_not_import_itself),
        T(roles_may_not_form_a_circle),
        T(playbook_is_described),
        T(changes_are_made_and_then_nothing_is),
        T(check_mode_tells_what_a_run_would_do),
        T(check_mode_assumes_what_a_command_makes),
        T(check_mode_asks_apt_and_believes_it_unless_a_change_is_foreseen),
        T(after_an_opaque_change_the_rest_is_probed_again),
        T(what_is_known_of_a_host_that_waits_grows_old),
        T(registered_results_decide),
        T(a_failure_stops_the_host),
        T(failures_at_planning_come_after_the_changes_before_them),
        T(ignored_failures_do_not_stop),
        T(loops_and_their_results),
        T(until_tries_again),
        T(handlers_run_once_and_in_order),
        T(handlers_of_a_failed_run_come_with_the_next),
        T(a_change_that_was_none_leaves_no_marker),
        T(handlers_can_be_flushed),
        T(variables_have_their_precedence),
        T(variables_are_lazy),
        T(variables_are_nested_to_a_limit),
        T(what_a_host_says_is_never_a_template),
        T(facts_and_other_hosts_are_seen),
        T(templates_that_need_facts_take_a_trip_more),
        T(serial_batches_go_one_after_the_other),
        T(run_once_is_shared),
        T(a_failed_host_drops_out),
        T(any_errors_fatal_stops_all),
        T(limit_and_tags_select),
        T(tags_select_as_in_ansible),
        T(roles_bring_their_files),
        T(legacy_arguments_and_environment),
        T(values_are_never_shell_text),
        T(the_number_of_programs_does_not_grow_with_the_tasks),
        T(handlers_of_a_killed_run_come_with_the_next),
        T(a_lost_connection_fails_the_host),
        T(an_unreachable_host_leaves_the_others),
        T(variables_make_the_ssh_target),
        T(an_answer_that_makes_no_sense_fails_the_host),
        T(a_failed_run_once_stops_all),
        T(secrets_of_no_log_are_not_told),
        T(files_are_rendered_without_a_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
