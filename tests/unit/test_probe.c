/*
 * The probe: its script is run by sh here, and what it says is compared with what this machine says
 * otherwise; then answers that no host should give.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/proc.h"
#include "lib/play/facts.h"
#include "lib/play/mounts.h"
#include "lib/play/probe.h"
#include "lib/play/script.h"

#define MARK "@0123456789abcdef"

struct scene {
    struct probe probe;
    struct world world;
    struct str script, answer;
    char dir[64];
};

static int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));

    probe_init(&s->probe);
    world_init(&s->world);
    str_init(&s->script, STR_MAX_TEXT);
    str_init(&s->answer, PROBE_MAX_ANSWER);
    strncpy(s->dir, "/tmp/pgha-probe-XXXXXX", sizeof(s->dir) - 1);
    assert_non_null(mkdtemp(s->dir));
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;

    assert_int_equal(file_remove_tree(s->dir, &err), 0);
    probe_release(&s->probe);
    world_release(&s->world);
    str_release(&s->script);
    str_release(&s->answer);
    free(s);
    return 0;
}

static void need(struct scene *s, enum need_kind kind, const char *name)
{
    struct need n = {.kind = kind, .name = name};
    struct err err = ERR_INIT;

    assert_int_equal(probe_add(&s->probe, &n, &err), 0);
}

static void need_content(struct scene *s, const char *name, const char *expect, bool always)
{
    struct need n = {
        .kind = NEED_PATH, .name = name, .expect_sha256 = expect, .want_content = always};
    struct err err = ERR_INIT;

    assert_int_equal(probe_add(&s->probe, &n, &err), 0);
}

static void ask(struct scene *s)
{
    const char *const argv[] = {"sh", NULL};
    struct proc p = {.argv = argv, .out = &s->answer};
    struct err err = ERR_INIT;

    script_begin(&s->script, MARK, false);
    probe_put_script(&s->probe, s->dir, &s->script);
    p.input = s->script.buf;
    p.input_len = s->script.len;
    assert_int_equal(proc_run(&p, &err), 0);
    if (probe_read(&s->probe, MARK, s->answer.buf, s->answer.len, &s->world, &err) < 0)
        fail_msg("%s", err.text);
}

static void put(const struct scene *s, const char *name, const char *text, mode_t mode)
{
    char *path = path_join(s->dir, name);
    struct err err = ERR_INIT;

    assert_int_equal(file_write(path, text, strlen(text), mode, &err), 0);
    free(path);
}

static void paths_are_seen_as_they_are(void **state)
{
    struct scene *s = *state;
    char file[128], odd[128], link[128], none[128], fifo[128], sum[SHA256_HEX_SIZE];
    const struct path_state *p;

    snprintf(file, sizeof(file), "%s/file", s->dir);
    snprintf(odd, sizeof(odd), "%s/-o d'd \\$(x)", s->dir);
    snprintf(link, sizeof(link), "%s/link", s->dir);
    snprintf(none, sizeof(none), "%s/none", s->dir);
    snprintf(fifo, sizeof(fifo), "%s/fifo", s->dir);
    put(s, "file", "content\n", 0640);
    put(s, "-o d'd \\$(x)", "", 0600);
    assert_int_equal(symlink("file", link), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    need(s, NEED_PATH, file);
    need(s, NEED_PATH, odd);
    need(s, NEED_PATH, link);
    need(s, NEED_PATH, none);
    need(s, NEED_PATH, fifo);
    need(s, NEED_PATH, s->dir);
    ask(s);
    sha256_hex("content\n", 8, sum);
    p = world_path(&s->world, file);
    assert_int_equal(p->type, 'f');
    assert_int_equal(p->mode, 0640);
    assert_int_equal(p->size, 8);
    assert_int_equal(p->uid, getuid());
    assert_string_equal(p->sha256, sum);
    assert_null(p->content);
    assert_int_equal(world_path(&s->world, odd)->type, 'f');
    assert_non_null(world_path(&s->world, odd)->sha256);
    p = world_path(&s->world, link);
    assert_int_equal(p->type, 'l');
    assert_string_equal(p->link, "file");
    assert_string_equal(p->sha256, sum);
    assert_int_equal(world_path(&s->world, none)->type, 0);
    assert_int_equal(world_path(&s->world, fifo)->type, '?');
    assert_int_equal(world_path(&s->world, s->dir)->type, 'd');
}

static void only_content_that_differs_is_sent(void **state)
{
    struct scene *s = *state;
    char same[128], other[128], wanted[128], large[128], sum[SHA256_HEX_SIZE];
    char *bytes = xcalloc(1, WORLD_MAX_CONTENT + 2);

    memset(bytes, 'x', WORLD_MAX_CONTENT + 1);
    snprintf(same, sizeof(same), "%s/same", s->dir);
    snprintf(other, sizeof(other), "%s/other", s->dir);
    snprintf(wanted, sizeof(wanted), "%s/wanted", s->dir);
    snprintf(large, sizeof(large), "%s/large", s->dir);
    put(s, "same", "abc", 0600);
    put(s, "other", "\n" MARK " end\nabd", 0600);
    put(s, "wanted", "", 0600);
    put(s, "large", bytes, 0600);
    sha256_hex("abc", 3, sum);
    need_content(s, same, sum, false);
    need_content(s, other, sum, false);
    need_content(s, wanted, NULL, true);
    need_content(s, large, NULL, true);
    ask(s);
    assert_null(world_path(&s->world, same)->content);
    assert_string_equal(world_path(&s->world, other)->content, "\n" MARK " end\nabd");
    assert_string_equal(world_path(&s->world, wanted)->content, "");
    assert_null(world_path(&s->world, large)->content);
    assert_true(world_knows(
        &s->world, &(struct need){.kind = NEED_PATH, .name = large, .want_content = true}));
    assert_true(world_knows(&s->world,
                            &(struct need){.kind = NEED_PATH, .name = same, .expect_sha256 = sum}));
    assert_false(world_knows(&s->world, &(struct need){.kind = NEED_PATH, .name = "/else"}));
    free(bytes);
}

static void accounts_and_settings_are_known(void **state)
{
    struct scene *s = *state;
    const struct user_state *root;

    need(s, NEED_USER, "root");
    need(s, NEED_USER, "no-such-user");
    need(s, NEED_GROUP, "root");
    need(s, NEED_GROUP, "no-such-group");
    need(s, NEED_SYSCTL, "kernel.ostype");
    need(s, NEED_SYSCTL, "kernel.pid_max"); /* a number: such files are read at once or not */
    need(s, NEED_SYSCTL, "kernel/sched_rt_period_us");
    need(s, NEED_SYSCTL, "no.such.setting");
    need(s, NEED_HOSTNAME, "");
    need(s, NEED_PACKAGE, "libc6");
    need(s, NEED_PACKAGE, "no-such-package");
    need(s, NEED_UNIT, "no-such-unit");
    ask(s);
    root = world_user(&s->world, "root");
    assert_true(root->exists);
    assert_int_equal(root->uid, 0);
    assert_string_equal(root->group, "root");
    assert_string_equal(root->home, "/root");
    assert_true(root->has_home);
    assert_false(world_user(&s->world, "no-such-user")->exists);
    assert_true(world_group(&s->world, "root")->exists);
    assert_false(world_group(&s->world, "no-such-group")->exists);
    assert_string_equal(world_sysctl(&s->world, "kernel.ostype"), "Linux");
    assert_true(atoi(world_sysctl(&s->world, "kernel.pid_max")) > 100);
    assert_true(strlen(world_sysctl(&s->world, "kernel/sched_rt_period_us")) > 1);
    assert_string_equal(world_sysctl(&s->world, "no.such.setting"), "");
    assert_true(world_package(&s->world, "libc6")->installed);
    assert_false(world_package(&s->world, "no-such-package")->installed);
    assert_string_equal(world_unit(&s->world, "no-such-unit.service")->load, "not-found");
}

static void patterns_find_files(void **state)
{
    struct scene *s = *state;
    char pattern[128], one[128], two[128], old[128], other[128];
    struct need known = {.kind = NEED_GLOB, .name = pattern};

    snprintf(pattern, sizeof(pattern), "%s/*.list", s->dir);
    snprintf(one, sizeof(one), "%s/one 'x'.list", s->dir);
    snprintf(two, sizeof(two), "%s/two.list", s->dir);
    snprintf(old, sizeof(old), "%s/old.list", s->dir);
    snprintf(other, sizeof(other), "%s/other", s->dir);
    put(s, "one 'x'.list", "1\n", 0640);
    put(s, "two.list", "2\n", 0600);
    put(s, "old.list", "new\n", 0600);
    put(s, ".hidden.list", "", 0600);
    put(s, "other", "", 0600);
    /* known from before, when it was another file */
    world_set(&s->world, NEED_PATH, old, arena_new(&s->world.arena, struct path_state));
    world_path(&s->world, old)->content = "old";
    need(s, NEED_GLOB, pattern);
    need_content(s, two, NULL, true);
    ask(s);
    assert_true(world_knows(&s->world, &known));
    assert_int_equal(s->world.entries[NEED_PATH].n, 3);
    assert_string_equal(world_path(&s->world, one)->content, "1\n");
    assert_int_equal(world_path(&s->world, one)->mode, 0640);
    assert_string_equal(world_path(&s->world, two)->content, "2\n");
    assert_string_equal(world_path(&s->world, old)->content, "new\n");
    unlink(one);
    unlink(two);
    unlink(old);
    world_forget(&s->world);
    str_clear(&s->script);
    str_clear(&s->answer);
    ask(s);
    assert_true(world_knows(&s->world, &known));
    assert_int_equal(world_path(&s->world, two)->type, 0);
    assert_int_equal(s->world.entries[NEED_PATH].n, 1);
}

static void mounts_and_crontabs_are_read(void **state)
{
    struct scene *s = *state;
    char *path = xasprintf("%s:%s", s->dir, getenv("PATH"));

    put(s, "crontab",
        "#!/bin/sh\n[ \"$*\" = -l ] && printf '* * * * * x\\nlast' && exit\n"
        "[ \"$*\" = '-u wide -l' ] && { head -c 300000 /dev/zero | tr '\\0' x; exit; }\n"
        "echo none >&2; exit 1\n",
        0755);
    setenv("PATH", path, 1);
    need(s, NEED_MOUNT, "/proc");
    need(s, NEED_MOUNT, s->dir);
    need(s, NEED_CRONTAB, "");
    need(s, NEED_CRONTAB, "wide");
    need(s, NEED_CRONTAB, "a'b");
    ask(s);
    assert_true(world_mount(&s->world, "/proc")->mounted);
    assert_true(world_mount(&s->world, "/proc")->own_device);
    assert_false(world_mount(&s->world, s->dir)->mounted);
    assert_string_equal(world_crontab(&s->world, ""), "* * * * * x\nlast");
    assert_int_equal(strlen(world_crontab(&s->world, "wide")), WORLD_MAX_CONTENT + 1);
    assert_string_equal(world_crontab(&s->world, "a'b"), "");
    free(path);
}

static void mount_sources_are_ansibles(void **state)
{
    static const char text[] = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
                               "22 1 0:5 / /proc rw shared:1 - proc proc rw\n"
                               "30 1 8:2 / /home\\040x rw - xfs /dev/sdb rw\n"
                               "31 1 8:1 /srv /mnt/bind rw - ext4 /dev/sda1 rw\n"
                               "40 30 8:2 /a /deep rw - xfs /dev/sdb rw\n"
                               "41 30 0:9 / /deep rw master:2 propagate_from:3 - tmpfs tmpfs rw\n"
                               "broken\n50 1 0:1 / /short\n51 1 0:1 / /end rw - tmpfs";
    static const struct {
        const char *path, *source;
        bool mounted, own_device;
    } expected[] = {
        {"/", "/dev/sda1", true, false},
        {"/proc", "proc", true, true},
        {"/home x", "/dev/sdb", true, true},
        {"/mnt/bind", "/dev/sda1", true, false},
        {"/deep", "/home x/", true, true},
        {"/short", NULL, false, false},
        {"/end", "", true, true},
        {"/none", NULL, false, false},
    };
    struct scene *s = *state;
    struct map *mounts = &s->world.entries[NEED_MOUNT];

    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        map_set(mounts, expected[i].path, arena_new(&s->world.arena, struct mount_state));
    mounts_read(&s->world.arena, text, strlen(text), mounts);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        const struct mount_state *now = map_get(mounts, expected[i].path);

        assert_int_equal(now->mounted, expected[i].mounted);
        assert_int_equal(now->own_device, expected[i].own_device);
        if (expected[i].source)
            assert_string_equal(now->source, expected[i].source);
    }
}

static void facts_have_ansibles_names(void **state)
{
    static const char *const names[] = {"hostname",
                                        "nodename",
                                        "fqdn",
                                        "distribution",
                                        "distribution_version",
                                        "os_family",
                                        "architecture",
                                        "kernel",
                                        "memtotal_mb",
                                        "processor_vcpus",
                                        "machine",
                                        "system",
                                        "service_mgr",
                                        "pkg_mgr",
                                        "virtualization_type",
                                        "default_ipv4",
                                        "all_ipv4_addresses",
                                        "virtualization_role",
                                        "distribution_major_version",
                                        "distribution_release"};
    struct scene *s = *state;

    need(s, NEED_FACTS, "");
    ask(s);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!value_get(world_facts(&s->world), names[i]))
            fail_msg("there is no fact %s", names[i]);
    assert_string_equal(value_get_str(world_facts(&s->world), "system", ""), "Linux");
    assert_true(value_get_int(world_facts(&s->world), "memtotal_mb", 0) > 0);
    world_forget(&s->world);
    assert_non_null(world_facts(&s->world));
}

static void marks_are_read(void **state)
{
    static const struct {
        const char *line;
        int begins, ends; /* the number, or -1 */
    } cases[] = {
        {"@mark begin 12", 12, -1},       {"@mark end 7 0", -1, 7},
        {"@mark end 7 127", -1, 7},       {"@mark begin ", -1, -1},
        {"@mark begin", -1, -1},          {"@mark begin x", -1, -1},
        {"@mark begin 1x", -1, -1},       {"@other begin 1", -1, -1},
        {"@mark out 1", -1, -1},          {"", -1, -1},
        {"@mark begin 99999999", -1, -1},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *line = cases[i].line;
        size_t id;

        assert_int_equal(script_begins("@mark", line, strlen(line), &id), cases[i].begins >= 0);
        if (cases[i].begins >= 0)
            assert_int_equal(id, cases[i].begins);
        assert_int_equal(script_ends("@mark", line, strlen(line), &id), cases[i].ends >= 0);
        if (cases[i].ends >= 0)
            assert_int_equal(id, cases[i].ends);
    }
}

static void facts_are_documented(void **state)
{
    struct scene *s = *state;
    const struct value *facts;
    size_t rows = 0;
    struct str docs;

    need(s, NEED_FACTS, "");
    ask(s);
    facts = world_facts(&s->world);
    str_init(&docs, STR_MAX_TEXT);
    facts_put_reference(&docs);
    for (size_t i = 0; i < facts->u.map.n; i++) {
        char *row = xasprintf("| `%s` | ", facts->u.map.entries[i].key);

        if (!strstr(docs.buf, row))
            fail_msg("the fact %s is not documented", facts->u.map.entries[i].key);
        free(row);
    }
    for (const char *at = docs.buf; (at = strstr(at, " |\n")); at++)
        rows++;
    assert_int_equal(rows, facts->u.map.n);
    str_release(&docs);
}

static void units_and_packages_are_read(void **state)
{
    static const char answer[] =
        "motd\n\n" MARK " packages\n"
        "a amd64 installed install 1.0-1\n"
        "b i386 config-files deinstall 2\n"
        "b amd64 installed hold 2\n"
        "\n" MARK " units\n"
        "Id=x.service\nNames=x.service y.service\nLoadState=loaded\nActiveState=active\n"
        "UnitFileState=enabled\nNeedDaemonReload=yes\n\n"
        "Id=z.timer\nNames=z.timer\nLoadState=masked\nActiveState=inactive\n\n"
        "\n" MARK " end\n";
    struct scene *s = *state;
    struct err err = ERR_INIT;

    need(s, NEED_PACKAGE, "a");
    need(s, NEED_PACKAGE, "b");
    need(s, NEED_PACKAGE, "b:i386");
    need(s, NEED_UNIT, "y");
    need(s, NEED_UNIT, "z.timer");
    assert_int_equal(probe_read(&s->probe, MARK, answer, sizeof(answer) - 1, &s->world, &err), 0);
    assert_string_equal(world_package(&s->world, "a")->version, "1.0-1");
    assert_true(world_package(&s->world, "b")->installed);
    assert_true(world_package(&s->world, "b")->held);
    assert_false(world_package(&s->world, "b:i386")->installed);
    assert_string_equal(world_unit(&s->world, "y.service")->enabled, "enabled");
    assert_true(world_unit(&s->world, "y")->needs_reload);
    assert_string_equal(world_unit(&s->world, "z.timer")->load, "masked");
}

static void answers_are_not_trusted(void **state)
{
    static const char *const answers[] = {
        "",
        "\n" MARK " en",
        "\n" MARK " paths\nf 0644 \n" MARK " end\n",
        "\n" MARK " sums\nabc\n\n" MARK " users\nroot\n:::\n\n" MARK " groups\nx:\nroot:x:\n"
        "\n" MARK " end\n",
        "\n" MARK " contents\n99999999999\n\n" MARK " data\n!!!\n\n" MARK " end\n",
        "\n" MARK " units\n=\nNames\n\n" MARK " sysctls\n99 x\n\n" MARK " facts\nos\nip 1\n"
        "route\nmem\nhosts 1\n\n" MARK " hostname\n\n" MARK " end\n",
    };
    struct scene *s = *state;

    need(s, NEED_PATH, "/a");
    need(s, NEED_USER, "root");
    need(s, NEED_UNIT, "u");
    need(s, NEED_SYSCTL, "s");
    need(s, NEED_HOSTNAME, "");
    need(s, NEED_FACTS, "");
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct err err = ERR_INIT;
        int rc = probe_read(&s->probe, MARK, answers[i], strlen(answers[i]), &s->world, &err);

        assert_int_equal(rc, strstr(answers[i], " end\n") ? 0 : -1);
        err_release(&err);
    }
}

static void impossible_names_are_refused(void **state)
{
    static const struct need needs[] = {
        {.kind = NEED_PATH, .name = "/a\nb"},
        {.kind = NEED_PATH, .name = ""},
        {.kind = NEED_PACKAGE, .name = "--admindir=/x"},
        {.kind = NEED_UNIT, .name = "-H evil"},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
        struct err err = ERR_INIT;

        assert_int_equal(probe_add(&s->probe, &needs[i], &err), -1);
        err_release(&err);
    }
    assert_true(probe_is_empty(&s->probe));
}

static void many_paths_fit(void **state)
{
    struct scene *s = *state;
    char name[256];

    put(s, "last", "x", 0600);
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "%s/%0150d", s->dir, i);
        need(s, NEED_PATH, name);
    }
    snprintf(name, sizeof(name), "%s/last", s->dir);
    need_content(s, name, NULL, true);
    ask(s);
    assert_string_equal(world_path(&s->world, name)->content, "x");
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(paths_are_seen_as_they_are),
        T(only_content_that_differs_is_sent),
        T(accounts_and_settings_are_known),
        T(facts_have_ansibles_names),
        T(facts_are_documented),
        T(marks_are_read),
        T(units_and_packages_are_read),
        T(answers_are_not_trusted),
        T(impossible_names_are_refused),
        T(many_paths_fit),
        T(patterns_find_files),
        T(mounts_and_crontabs_are_read),
        T(mount_sources_are_ansibles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
