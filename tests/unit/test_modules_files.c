/*
 * test_modules_files.c - modules that edit the system's own files: sources of packages, INI files,
 * crontabs, fstab, downloads. /etc is a folder of the test's own; crontab, mount, apt-get and curl
 * are scripts in it. Expected texts are what Ansible's modules make of the same.
 */
#include "tests/unit/module_bench.h"

static int setup_jail(void **state)
{
    struct bench *b;

    setup(state);
    b = *state;
    b->jailed = true;
    assert_int_equal(file_mkdirs(here(b, "@/etc/apt/sources.list.d"), 0755, &b->err), 0);
    assert_int_equal(file_mkdirs(here(b, "@/etc/apt/keyrings"), 0755, &b->err), 0);
    assert_int_equal(file_mkdirs(here(b, "@/etc/cron.d"), 0755, &b->err), 0);
    assert_int_equal(file_mkdirs(here(b, "@/bin"), 0755, &b->err), 0);
    assert_int_equal(
        setenv("PATH", arena_printf(&b->arena, "%s/bin:/usr/sbin:/usr/bin:/sbin:/bin", b->dir), 1),
        0);
    assert_int_equal(setenv("BENCH", b->dir, 1), 0);
    return 0;
}

static void put_program(struct bench *b, const char *name, const char *text)
{
    const char *path = arena_printf(&b->arena, "%s/bin/%s", b->dir, name);

    text = arena_printf(&b->arena, "#!/bin/sh\n%s", text);
    assert_int_equal(file_write(path, text, strlen(text), 0755, &b->err), 0);
}

static bool exists(struct bench *b, const char *path)
{
    return access(here(b, path), F_OK) == 0;
}

static const char *content(struct bench *b, const char *path)
{
    struct str text;
    const char *kept;

    str_init(&text, STR_MAX_TEXT);
    assert_int_equal(file_read(here(b, path), &text, &b->err), 0);
    kept = arena_strdup(&b->arena, text.buf);
    str_release(&text);
    return kept;
}

/* Nothing but what is expected is in the folder: no temporary file is left. */
static void assert_entries(struct bench *b, const char *dir, size_t n)
{
    glob_t found;
    size_t count;

    assert_int_equal(glob(here(b, arena_printf(&b->arena, "%s/*", dir)), GLOB_PERIOD, NULL, &found),
                     0);
    count = found.gl_pathc;
    globfree(&found);
    assert_int_equal(count, n + 2); /* . and .. */
}

/* ---- deb822_repository ---- */

#define PGDG "@/etc/apt/sources.list.d/pgdg-main-1.sources"

static void deb822_files(void **state)
{
    struct bench *b = *state;
    static const char args[] = "{name: 'PGDG_ \tmain (1)', types: [deb, deb-src], "
                               "uris: 'https://a.example/x', suites: trixie-pgdg, "
                               "components: [main, 17], architectures: [amd64, arm64], "
                               "allow_weak: no, enabled: yes, date_max_future: 10, "
                               "signed_by: /etc/apt/keyrings/k.asc}";

    put_file(b, "@/etc/apt/keyrings/k.asc", "key");
    changes_once(b, "ansible.builtin.deb822_repository", args);
    assert_file(b, PGDG,
                "Allow-Weak: no\nArchitectures: amd64 arm64\nComponents: main 17\n"
                "Date-Max-Future: 10\nEnabled: yes\nX-Repolib-Name: PGDG_ \tmain (1)\n"
                "Signed-By: /etc/apt/keyrings/k.asc\nSuites: trixie-pgdg\nTypes: deb deb-src\n"
                "URIs: https://a.example/x\n",
                0644);
    assert_string_equal(result(b, "dest"), "/etc/apt/sources.list.d/pgdg-main-1.sources");
    assert_string_equal(result(b, "key_filename"), "/etc/apt/keyrings/k.asc");
    assert_string_equal(result(b, "repo"), content(b, PGDG));
    assert_int_equal(chmod(here(b, PGDG), 0600), 0);
    world_forget(&b->world);
    changes_once(b, "deb822_repository", args);
    assert_file(b, PGDG, content(b, PGDG), 0644);
    world_forget(&b->world);
    changes_once(b, "deb822_repository", "{name: pgdg-main-1, uris: u, suites: s/, mode: 0600}");
    assert_file(b, PGDG, "X-Repolib-Name: pgdg-main-1\nSuites: s/\nTypes: deb\nURIs: u\n", 0600);
    assert_entries(b, "@/etc/apt/sources.list.d", 1);
    put_file(b, "@/etc/apt/keyrings/pgdg-main-1.gpg", "key");
    world_forget(&b->world);
    changes_once(b, "deb822_repository", "{name: PGDG main 1, state: absent}");
    assert_false(exists(b, PGDG));
    assert_false(exists(b, "@/etc/apt/keyrings/pgdg-main-1.gpg"));
    assert_true(exists(b, "@/etc/apt/keyrings/k.asc"));
    assert_string_equal(result(b, "repo"), "None");
}

static void deb822_keys(void **state)
{
    struct bench *b = *state;

    changes_once(b, "deb822_repository",
                 "name: k\nsigned_by: |\n  -----BEGIN PGP PUBLIC KEY BLOCK-----\n\n"
                 "   mQ'$(x)  \n  =IE0r\n  -----END PGP PUBLIC KEY BLOCK-----\n\n");
    assert_string_equal(content(b, "@/etc/apt/sources.list.d/k.sources"),
                        "X-Repolib-Name: k\nSigned-By:\n"
                        "    -----BEGIN PGP PUBLIC KEY BLOCK-----\n    .\n    mQ'$(x)\n"
                        "    =IE0r\n    -----END PGP PUBLIC KEY BLOCK-----\nTypes: deb\n");
    assert_string_equal(result(b, "key_filename"), "None");
    assert_int_equal(plan(b, "deb822_repository", "{name: n, signed_by: 0123ABCD, uris: ''}"),
                     PLAN_CHANGE);
    assert_non_null(strstr(result(b, "repo"), "Signed-By: 0123ABCD\n"));
    assert_non_null(strstr(result(b, "repo"), "URIs:\n"));
    assert_non_null(strstr(b->plan.diff.buf, "+Signed-By: 0123ABCD"));
    refuses(b, "deb822_repository", "{name: x, signed_by: 'https://x/key.asc'}", "a URL");
    refuses(b, "deb822_repository", "{name: '!?'}", "letter or a digit");
    refuses(b, "deb822_repository", "{name: \"a\\nTrusted: yes\"}", "one line");
    refuses(b, "deb822_repository", "{name: a, uris: [\"u\\nTrusted: yes\"]}", "one line");
    refuses(b, "deb822_repository", "{name: a, types: [rpm]}", "deb-src");
    refuses(b, "deb822_repository", "{name: a, exclude: x}", "exclude");
}

/* ---- apt_repository ---- */

#define LIST "@/etc/apt/sources.list"

static void sources_added(void **state)
{
    struct bench *b = *state;
    static const char args[] =
        "{repo: 'deb  [arch=amd64  signed-by=/k] https://me:pw@apt.example.org/a-b/ stable  main "
        "# no', update_cache: no}";
    static const char path[] = "@/etc/apt/sources.list.d/apt_example_org_a_b.list";

    put_file(b, LIST, "# deb http://x y z\n");
    changes_once(b, "apt_repository", args);
    assert_file(b, path,
                "deb [arch=amd64 signed-by=/k] https://me:pw@apt.example.org/a-b/ stable main\n",
                0644);
    world_forget(&b->world);
    assert_int_equal(plan(b, "apt_repository", args), PLAN_OK);
    assert_string_equal(result(b, "sources_added"), "[]");
    changes_once(b, "apt_repository", "{repo: deb http://x y z, update_cache: no}");
    assert_file(b, LIST, "deb http://x y z\n", 0600);
    changes_once(b, "apt_repository",
                 "{repo: deb-src u v, filename: own, mode: 0600, update_cache: no}");
    assert_file(b, "@/etc/apt/sources.list.d/own.list", "deb-src u v\n", 0600);
    world_forget(&b->world);
    assert_int_equal(plan(b, "apt_repository", "{repo: deb a b, filename: own, update_cache: no}"),
                     PLAN_CHANGE);
    assert_string_equal(result(b, "sources_added"), "[]");
    assert_int_equal(apply(b, NULL), 0);
    assert_string_equal(content(b, "@/etc/apt/sources.list.d/own.list"), "deb-src u v\ndeb a b\n");
    assert_entries(b, "@/etc/apt/sources.list.d", 2);
}

static void sources_removed(void **state)
{
    struct bench *b = *state;

    put_file(b, "@/etc/apt/sources.list.d/a.list",
             "#comment\n\ndeb  u v # why\n#deb u v\n# deb x\ndeb-srcs y");
    put_file(b, "@/etc/apt/sources.list.d/b.list", "deb u v\n");
    put_file(b, "@/etc/apt/sources.list.d/b.sources", "deb u v\n");
    assert_int_equal(plan(b, "apt_repository", "{repo: deb u v, state: absent, update_cache: no}"),
                     PLAN_CHANGE);
    assert_string_equal(result(b, "sources_removed"), "['/etc/apt/sources.list.d/b.list']");
    assert_int_equal(apply(b, NULL), 0);
    assert_file(b, "@/etc/apt/sources.list.d/a.list",
                "# comment\n\n# deb u v\n# deb x\ndeb-srcs y\n", 0600);
    assert_false(exists(b, "@/etc/apt/sources.list.d/b.list"));
    assert_true(exists(b, "@/etc/apt/sources.list.d/b.sources"));
    world_forget(&b->world);
    assert_int_equal(plan(b, "apt_repository", "{repo: deb u v, state: absent, update_cache: no}"),
                     PLAN_OK);
    changes_once(b, "apt_repository", "{repo: deb u v, update_cache: no}");
    assert_file(b, "@/etc/apt/sources.list.d/a.list", "# comment\n\ndeb u v\n# deb x\ndeb-srcs y\n",
                0600);
}

static void sources_updated(void **state)
{
    struct bench *b = *state;
    static const char args[] = "{repo: deb u v, filename: f, update_cache_retries: 2}";

    put_program(b, "timeout", "shift 2; exec \"$@\"\n");
    put_program(b, "sleep", "echo \"$1\" >>\"$BENCH/slept\"\n");
    put_program(b, "apt-get", "echo \"$*\" >>\"$BENCH/apt\"; exit 100\n");
    put_file(b, "@/etc/apt/sources.list.d/f.list", "# deb u v\n");
    assert_int_equal(plan(b, "apt_repository", args), PLAN_OPAQUE);
    assert_int_equal(apply(b, NULL), 1);
    assert_file(b, "@/etc/apt/sources.list.d/f.list", "# deb u v\n", 0600);
    assert_string_equal(content(b, "@/slept"), "1\n");
    assert_entries(b, "@/etc/apt/sources.list.d", 1);
    world_forget(&b->world);
    assert_int_equal(plan(b, "apt_repository", "{repo: deb n n, update_cache_retries: 1}"),
                     PLAN_OPAQUE);
    assert_int_equal(apply(b, NULL), 1);
    assert_entries(b, "@/etc/apt/sources.list.d", 1);
    put_program(b, "apt-get", "exit 0\n");
    world_forget(&b->world);
    assert_int_equal(plan(b, "apt_repository", args), PLAN_OPAQUE);
    assert_int_equal(apply(b, NULL), 0);
    assert_file(b, "@/etc/apt/sources.list.d/f.list", "deb u v\n", 0600);
    assert_entries(b, "@/etc/apt/sources.list.d", 1);
    world_forget(&b->world);
    assert_int_equal(plan(b, "apt_repository", args), PLAN_OK);
    refuses(b, "apt_repository", "{repo: 'ppa:a/b'}", "ppa:");
    refuses(b, "apt_repository", "{repo: '# deb u v'}", "Invalid repository string");
    refuses(b, "apt_repository", "{repo: 'rpm u v'}", "Invalid repository string");
    refuses(b, "apt_repository", "{repo: \"deb u v\\ndeb x y\"}", "Invalid repository string");
    refuses(b, "apt_repository", "{repo: ''}", "non-empty");
    refuses(b, "apt_repository", "{repo: deb u v, codename: x}", "codename");
}

/* ---- ini_file ---- */

static const char *ini_start(struct bench *b, const char *text)
{
    if (text)
        put_file(b, "@/x.ini", text);
    else
        unlink(here(b, "@/x.ini"));
    world_forget(&b->world);
    return "@/x.ini";
}

static void ini_texts(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *before, *args, *after; /* NULL: no file; after NULL: no change */
    } cases[] = {
        {NULL, "section: s, option: o, value: v", "\n[s]\no = v\n"},
        {NULL, "option: o, value: v", "o = v\n\n"},
        {NULL, "section: s, option: o, state: absent", NULL},
        {"[s]\no = v\n", "section: s, option: o, value: v", NULL},
        {"[s]\no=v\n", "section: s, option: o, value: v", "[s]\no = v\n"},
        {"[s]\no=v\n", "section: s, option: o, value: v, ignore_spaces: yes", NULL},
        {"[s]\no = v\n", "section: s, option: o, value: v, no_extra_spaces: yes", "[s]\no=v\n"},
        {"[s]\n#o = 1\n", "section: s, option: o, value: v", "[s]\no = v\n"},
        {"[s]\n#o = v\n", "section: s, option: o, value: v, ignore_spaces: yes", "[s]\no = v\n"},
        {"[s]\n;o\n", "section: s, option: o, value: v, modify_inactive_option: no",
         "[s]\no = v\n;o\n"},
        {"[s]\no = 1\no = 2\no = v\n", "section: s, option: o, value: v", "[s]\no = v\n"},
        {"[s]\no = 1\no = 2\n", "section: s, option: o, values: [2, 3, 3, 4]",
         "[s]\no = 3\no = 2\no = 4\n"},
        {"[s]\no = 1\n", "section: s, option: o, value: 2, exclusive: no", "[s]\no = 1\no = 2\n"},
        {"[s]\no = 1\no = 2\n", "section: s, option: o, value: 1, exclusive: no, state: absent",
         "[s]\no = 2\n"},
        {"[s]\no = 1\n#o = 3\no = 2\n[t]\no = 4\n", "section: s, option: o, state: absent",
         "[s]\n#o = 3\n[t]\no = 4\n"},
        {"a = 1\n[s]\no = 1\n[t]\n", "section: s, state: absent", "a = 1\n[t]\n"},
        {"a = 1\n[s]\nb = 1\n", "option: b, value: 2", "a = 1\nb = 2\n[s]\nb = 1\n"},
        {"[s]\na = 1\n\n# c\n\n[t]\n", "section: s, option: o, value: v",
         "[s]\na = 1\no = v\n\n# c\n\n[t]\n"},
        {"[s]\na = 1", "section: s, option: a, value: 1", "[s]\na = 1\n"},
        {"[s]\n", "section: t, option: o, values: [1, 2]", "[s]\n[t]\no = 1\no = 2\n"},
        {"[s]\n", "section: s, option: skip, allow_no_value: yes", "[s]\nskip\n"},
        {"[s]\nskip\n", "section: s, option: skip, allow_no_value: yes", NULL},
        {"[s]\n# skip = 1\n", "section: s, option: skip, allow_no_value: yes", "[s]\nskip\n"},
        {"[s]\n", "section: t, allow_no_value: yes", "[s]\n[t]\n"},
        {"[s]\nother = o\noo = 1\n", "section: s, option: o, value: v",
         "[s]\nother = o\noo = 1\no = v\n"},
        {"\xef\xbb\xbf[s]\r\na = 1\r\n", "section: s, option: a, value: 1", NULL},
        {"\xef\xbb\xbf[s]\r\na = 1\r\n", "section: s, option: a, value: 2", "[s]\na = 2\n"},
        {"[a.b*]\no.p = 1\n", "section: 'a.b*', option: 'o.p', value: \"'\\\"$(x) \\\\\"",
         "[a.b*]\no.p = '\"$(x) \\\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *path = ini_start(b, cases[i].before);
        const char *args = arena_printf(&b->arena, "{path: %s, %s}", path, cases[i].args);

        if (!cases[i].after) {
            if (plan(b, "ini_file", args) != PLAN_OK)
                fail_msg("%s: %s", cases[i].args, b->plan.diff.buf);
            continue;
        }
        changes_once(b, "community.general.ini_file", args);
        if (!str_eq(content(b, path), cases[i].after))
            fail_msg("case %zu, %s:\n%s", i, cases[i].args, content(b, path));
    }
}

static void ini_rules(void **state)
{
    struct bench *b = *state;
    struct stat st;

    changes_once(b, "ini_file",
                 "{path: @/new/deep/x.ini, section: s, option: o, value: v, mode: 0640}");
    assert_int_equal(stat(here(b, "@/new/deep/x.ini"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_string_equal(result(b, "msg"), "OK");
    assert_int_equal(
        plan(b, "ini_file", "{path: @/new/deep/x.ini, section: s, option: o, value: w}"),
        PLAN_CHANGE);
    assert_string_equal(result(b, "msg"), "option changed");
    assert_non_null(strstr(b->plan.diff.buf, "-o = v\n+o = w"));
    refuses(b, "ini_file", "{path: @/none, option: o, value: v, create: no}", "does not exist!");
    refuses(b, "ini_file", "{path: @/f, section: s, option: o}", "must be defined");
    refuses(b, "ini_file", "{path: @/f, section: s, value: o}", "needs an option");
    refuses(b, "ini_file", "{path: @/f, state: absent}", "section or option");
    refuses(b, "ini_file", "{path: @/f, option: o, value: a, values: [b]}", "exclusive");
    refuses(b, "ini_file", "{path: @/f, option: o, value: \"a\\n[s]\"}", "one line");
    refuses(b, "ini_file", "{path: @/f, section: \"a\\nb\", option: o, value: a}", "one line");
    refuses(b, "ini_file", "{path: @/f, section: s, section_has: [], option: o, value: a}",
            "section_has");
}

/* ---- cron ---- */

static void read_crontab(struct bench *b)
{
    world_forget(&b->world);
    world_set(&b->world, NEED_CRONTAB, "", (void *)(exists(b, "@/tab") ? content(b, "@/tab") : ""));
    world_set(&b->world, NEED_CRONTAB, "us er", (void *)"");
    world_set(&b->world, NEED_CRONTAB, "postgres", (void *)"");
}

/* before and after are the user's crontab; after NULL: no change. */
static void crontab_becomes(struct bench *b, const char *before, const char *args,
                            const char *after)
{
    put_file(b, "@/tab", before);
    read_crontab(b);
    if (!after) {
        assert_int_equal(plan(b, "cron", args), PLAN_OK);
        return;
    }
    if (plan(b, "cron", args) != PLAN_CHANGE)
        fail_msg("no change by %s", args);
    assert_int_equal(apply(b, NULL), 0);
    if (!str_eq(content(b, "@/tab"), after))
        fail_msg("%s:\n%s", args, content(b, "@/tab"));
    assert_int_equal(plan(b, "cron", args), PLAN_OK);
    read_crontab(b);
    assert_int_equal(plan(b, "cron", args), PLAN_OK);
}

static void crontabs(void **state)
{
    struct bench *b = *state;
    const char *kept;

    put_program(b, "crontab", "[ \"$*\" = - ] && cat >\"$BENCH/tab\"\n");
    crontab_becomes(b, "", "{name: a, job: 'x %''$(y)', minute: 5, hour: '*/2'}",
                    "#Ansible: a\n5 */2 * * * x %'$(y)\n");
    crontab_becomes(b, "A=1\n#Ansible: a\n* * * * * old\n#Ansible: b\n* * * * * b",
                    "{name: a, job: new, special_time: reboot}",
                    "A=1\n#Ansible: a\n@reboot new\n#Ansible: b\n* * * * * b\n");
    assert_string_equal(result(b, "jobs"), "['a', 'b']");
    assert_string_equal(result(b, "envs"), "['A']");
    crontab_becomes(b, "#Ansible: a\n* * * * * x\n", "{name: a, job: \"x\\n\"}", NULL);
    crontab_becomes(b, "#Ansible: a\n* * * * * x\n", "{name: a, job: x, disabled: yes}",
                    "#Ansible: a\n#* * * * * x\n");
    crontab_becomes(b, "y\n* * * * * x\n", "{name: a, job: x}", "y\n#Ansible: a\n* * * * * x\n");
    crontab_becomes(b, "#Ansible: None\n* * * * * x\n", "{name: a, job: x}",
                    "#Ansible: a\n* * * * * x\n");
    crontab_becomes(b, "#Ansible: a\n* * * * * x\nz\n", "{name: a, state: absent}", "z\n");
    crontab_becomes(b, "#Ansible: a\n* * * * * x\n", "{name: a, state: absent}", "");
    crontab_becomes(b, "z\n", "{name: a, state: absent}", NULL);
    crontab_becomes(b, "z", "{name: a, state: absent}", "z\n");
    crontab_becomes(b, "#Ansible: a\n#Ansible: a\n* * * * * x\n", "{name: a, job: x}",
                    "#Ansible: a\n* * * * * x\n* * * * * x\n");
    crontab_becomes(b, "#Ansible: b\n#Ansible: a\n* * * * * x\n", "{name: a, job: x}",
                    "#Ansible: b\n#Ansible: a\n* * * * * x\n#Ansible: a\n* * * * * x\n");
    crontab_becomes(b,
                    "# DO NOT EDIT THIS FILE - edit the master and reinstall.\n"
                    "# (/tmp/x installed on Mon)\n# (Cron version V)\nz\n",
                    "{name: a, job: x}", "z\n#Ansible: a\n* * * * * x\n");
    crontab_becomes(b, "z\n", "{name: P, env: yes, value: '/a b'}", "P=\"/a b\"\nz\n");
    crontab_becomes(b, "A=1\nP=2\nP=3\n", "{name: P, env: yes, job: 4}", "A=1\nP=\"4\"\nP=\"4\"\n");
    crontab_becomes(b, "A=1\nB=2", "{name: P, env: yes, job: 4, insertafter: B}",
                    "A=1\nB=2\nP=\"4\"\n");
    crontab_becomes(b, "A=1\nB=2\n", "{name: P, env: yes, job: 4, insertbefore: B}",
                    "A=1\nP=\"4\"\nB=2\n");
    crontab_becomes(b, "A=1\nB=2\n", "{name: A, env: yes, state: absent}", "B=2\n");
    read_crontab(b);
    refuses(b, "cron", "{name: P, env: yes, job: 4, insertafter: Z}", "'Z' not found");
    put_file(b, "@/tab", "it's\n");
    read_crontab(b);
    assert_int_equal(plan(b, "cron", "{name: a, job: x, backup: yes}"), PLAN_CHANGE);
    assert_int_equal(apply(b, NULL), 0);
    kept = result(b, "backup_file");
    assert_file(b, kept, "it's\n", 0600);
    assert_int_equal(unlink(kept), 0);
    assert_int_equal(plan(b, "cron", "{name: a, job: x, backup: yes}"), PLAN_OK);
    assert_null(result(b, "backup_file"));
}

static void crontabs_of_others(void **state)
{
    struct bench *b = *state;

    put_program(b, "crontab",
                "echo \"$*\" >\"$BENCH/args\"; cat >/dev/null; [ \"$4\" != nobody ]\n");
    read_crontab(b);
    assert_int_equal(plan(b, "cron", "{name: a, job: x, user: postgres}"), PLAN_CHANGE);
    assert_non_null(strstr(b->plan.diff.buf, "crontab for user \"postgres\""));
    assert_int_equal(apply(b, NULL), 0);
    assert_string_equal(content(b, "@/args"), "-u postgres -\n");
    put_program(b, "id", "echo postgres\n");
    read_crontab(b);
    assert_int_equal(plan(b, "cron", "{name: a, job: x, user: postgres}"), PLAN_CHANGE);
    assert_int_equal(apply(b, NULL), 0);
    assert_string_equal(content(b, "@/args"), "-\n");
    put_program(b, "crontab", "echo no such user >&2; exit 1\n");
    assert_int_equal(apply(b, NULL), 1);
    refuses(b, "cron", "{name: a, job: x, user: us er}", "name of a user");
    refuses(b, "cron", "{name: \"a\\nb\", job: x}", "one line");
    refuses(b, "cron", "{name: a, job: \"x\\ny\"}", "line breaks");
    refuses(b, "cron", "{name: a, job: x, minute: \"*\\n\"}", "one line");
    refuses(b, "cron", "{name: a}", "You must specify 'job'");
    refuses(b, "cron", "{name: a, job: x, special_time: daily, hour: 1}", "cannot combine");
    refuses(b, "cron", "{name: a, job: x, cron_file: f}", "user=...");
    refuses(b, "cron", "{name: a, job: x, user: root, cron_file: /etc/crontab}", "Will not manage");
    refuses(b, "cron", "{name: a b, env: yes, job: x}", "Invalid name");
    refuses(b, "cron", "{name: a, job: x, insertafter: y}", "only with env");
}

static void cron_files(void **state)
{
    struct bench *b = *state;

    changes_once(b, "cron", "{name: a, job: x, user: root, cron_file: f, special_time: daily}");
    assert_file(b, "@/etc/cron.d/f", "#Ansible: a\n@daily root x\n", 0644);
    changes_once(b, "cron", "{name: b, job: y, user: u, cron_file: /etc/cron.d/f, day: 1}");
    assert_file(b, "@/etc/cron.d/f", "#Ansible: a\n@daily root x\n#Ansible: b\n* * 1 * * u y\n",
                0644);
    changes_once(b, "cron", "{name: M, env: yes, job: '', user: root, cron_file: f}");
    changes_once(b, "cron", "{name: M, env: yes, user: root, cron_file: f, state: absent}");
    changes_once(b, "cron", "{name: a, cron_file: f, state: absent}");
    assert_file(b, "@/etc/cron.d/f", "#Ansible: b\n* * 1 * * u y\n", 0644);
    changes_once(b, "cron", "{name: b, cron_file: f, state: absent}");
    assert_false(exists(b, "@/etc/cron.d/f"));
    assert_entries(b, "@/etc/cron.d", 0);
}

/* ---- mount ---- */

static void look_at_mount(struct bench *b, const char *path)
{
    struct mount_state *now;
    char *name;

    world_forget(&b->world);
    now = arena_new(&b->world.arena, struct mount_state);
    name = arena_strdup(&b->world.arena, here(b, path));
    if (exists(b, "@/mounted"))
        *now = (struct mount_state){true, true, "/dev/x"};
    world_set(&b->world, NEED_MOUNT, name, now);
}

static enum plan_kind mount_runs(struct bench *b, const char *args, int status)
{
    enum plan_kind kind;

    look_at_mount(b, "@/m");
    kind = plan(b, "ansible.posix.mount", args);
    if (kind != PLAN_OK)
        assert_int_equal(apply(b, NULL), status);
    look_at_mount(b, "@/m");
    return kind;
}

static void fstab_lines(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *before, *args, *after;
    } cases[] = {
        {"", "src: /dev/x, fstype: ext4, state: present", "/dev/x @/m ext4 defaults 0 0\n"},
        {"# c\n\n/dev/y /y ext4 ro 0 2", "src: 'UUID=1', fstype: xfs, opts: 'a b', state: present",
         "# c\n\n/dev/y /y ext4 ro 0 2\nUUID=1 @/m xfs a\\040b 0 0\n"},
        {"/dev/x @/m ext4 ro 0 0 # c\n", "src: /dev/x, fstype: ext4, opts: ro, state: present",
         NULL},
        {"/dev/x  @/m\text4 ro 0 0\n", "src: /dev/x, fstype: ext4, state: present, passno: 2",
         "/dev/x @/m ext4 defaults 0 2\n"},
        {"/dev/x @/m ext4 defaults\n", "src: /dev/x, fstype: ext4, state: present",
         "/dev/x @/m ext4 defaults 0 0\n"},
        {"", "src: x, fstype: nfs, opts: rw, boot: no, state: present",
         "x @/m nfs rw,noauto 0 0\n"},
        {"# c\n/dev/x @/m ext4 ro 0 0\n/dev/y @/m ext4 ro\n", "state: absent_from_fstab",
         "# c\n/dev/y @/m ext4 ro\n"},
        {"/dev/x /n ext4 ro 0 0\n", "state: absent_from_fstab", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *args =
            arena_printf(&b->arena, "{path: @/m, fstab: @/fstab, %s}", cases[i].args);
        const char *after = cases[i].after ? cases[i].after : cases[i].before;

        put_file(b, "@/fstab", here(b, cases[i].before));
        if ((mount_runs(b, args, 0) == PLAN_CHANGE) != (cases[i].after != NULL))
            fail_msg("%s", cases[i].args);
        if (!str_eq(content(b, "@/fstab"), here(b, after)))
            fail_msg("%s:\n%s", cases[i].args, content(b, "@/fstab"));
        assert_int_equal(mount_runs(b, args, 0), PLAN_OK);
    }
}

static void swaps(void **state)
{
    struct bench *b = *state;
    static const char args[] =
        "{path: none, src: /dev/t, fstype: swap, opts: sw, state: present, fstab: @/fstab}";

    put_file(b, "@/fstab", "/dev/s none swap sw 0 0\n");
    look_at_mount(b, "@/m");
    world_set(&b->world, NEED_MOUNT, "none", arena_new(&b->world.arena, struct mount_state));
    assert_int_equal(plan(b, "mount", args), PLAN_CHANGE);
    assert_int_equal(apply(b, NULL), 0);
    assert_string_equal(content(b, "@/fstab"),
                        "/dev/s none swap sw 0 0\n/dev/t none swap sw 0 0\n");
    assert_int_equal(plan(b, "mount", args), PLAN_OK);
}

static void mounts(void **state)
{
    struct bench *b = *state;
    static const char want[] = "{path: @/m, fstab: @/fstab, src: /dev/x, fstype: ext4, opts: %s, "
                               "state: mounted}";
    const char *args = arena_printf(&b->arena, want, "ro"),
               *other = arena_printf(&b->arena, want, "rw");

    put_program(b, "mount", "echo \"mount $*\" >>\"$BENCH/log\"; : >\"$BENCH/mounted\"\n");
    put_program(b, "umount", "echo \"umount $*\" >>\"$BENCH/log\"; rm \"$BENCH/mounted\"\n");
    assert_int_equal(mount_runs(b, args, 0), PLAN_OPAQUE);
    assert_string_equal(content(b, "@/log"), here(b, "mount -T @/fstab -- @/m\n"));
    assert_string_equal(content(b, "@/fstab"), here(b, "/dev/x @/m ext4 ro 0 0\n"));
    assert_true(exists(b, "@/m"));
    assert_int_equal(mount_runs(b, args, 0), PLAN_OK);
    put_file(b, "@/log", "");
    assert_int_equal(mount_runs(b, other, 0), PLAN_OPAQUE);
    assert_string_equal(content(b, "@/log"), here(b, "mount -o remount -T @/fstab -- @/m\n"));
    put_file(b, "@/log", "");
    assert_int_equal(
        mount_runs(b, "{path: @/m, state: remounted, opts: noatime, fstab: @/fstab}", 0),
        PLAN_OPAQUE);
    assert_string_equal(content(b, "@/log"),
                        here(b, "mount -o remount,noatime -T @/fstab -- @/m\n"));
    assert_int_equal(mount_runs(b, "{path: @/m, state: unmounted}", 0), PLAN_OPAQUE);
    assert_int_equal(mount_runs(b, "{path: @/m, state: unmounted}", 0), PLAN_OK);
    assert_int_equal(mount_runs(b, other, 0), PLAN_OPAQUE);
    assert_int_equal(mount_runs(b, "{path: @/m, state: absent, fstab: @/fstab}", 0), PLAN_OPAQUE);
    assert_false(exists(b, "@/m"));
    assert_false(exists(b, "@/mounted"));
    assert_string_equal(content(b, "@/fstab"), "");
    assert_int_equal(mount_runs(b, "{path: @/m, state: absent, fstab: @/fstab}", 0), PLAN_OK);
}

static void mounts_that_fail(void **state)
{
    struct bench *b = *state;

    put_program(b, "mount", "echo no such device >&2; exit 32\n");
    put_file(b, "@/fstab", "# old\n");
    look_at_mount(b, "@/m/a");
    assert_int_equal(plan(b, "mount",
                          "{path: @/m/a, fstab: @/fstab, src: /dev/x, fstype: ext4, "
                          "state: mounted}"),
                     PLAN_OPAQUE);
    assert_int_equal(apply(b, NULL), 1);
    assert_file(b, "@/fstab", "# old\n", 0600);
    assert_false(exists(b, "@/m"));
    look_at_mount(b, "@/m");
    refuses(b, "mount", "{path: @/m, src: x, state: mounted}", "missing: fstype");
    refuses(b, "mount", "{path: m, state: unmounted}", "begin with /");
    refuses(b, "mount", "{path: @/m, src: \"x\\ny\", fstype: z, state: present}", "field of fstab");
    refuses(b, "mount", "{path: @/m, src: 'a#b', fstype: z, state: present}", "field of fstab");
    refuses(b, "mount", "{path: @/m, src: a, fstype: z, state: ephemeral}", "state");
}

/* A bind mount on its own device counts when its source is the wanted one. */
static void bind_mounts(void **state)
{
    struct bench *b = *state;
    static const char args[] =
        "{path: @/m, fstab: @/fstab, src: /srv, fstype: none, opts: bind, state: mounted}";

    put_file(b, "@/fstab", here(b, "/srv @/m none bind 0 0\n"));
    look_at_mount(b, "@/m");
    *world_mount(&b->world, here(b, "@/m")) = (struct mount_state){true, false, "/srv"};
    assert_int_equal(plan(b, "mount", args), PLAN_OK);
    *world_mount(&b->world, here(b, "@/m")) = (struct mount_state){true, false, "/other"};
    assert_int_equal(plan(b, "mount", args), PLAN_OPAQUE);
}

/* ---- unarchive ---- */

static void run_sh(struct bench *b, const char *script)
{
    const char *const argv[] = {"sh", "-e", "-c", here(b, script), NULL};
    struct proc p = {.argv = argv, .timeout_ms = 20000};

    assert_int_equal(proc_run(&p, &b->err), 0);
}

static int unpack(struct bench *b, const char *args)
{
    struct str out;
    int status;

    world_forget(&b->world);
    assert_int_equal(plan(b, "unarchive", args), PLAN_OPAQUE);
    str_init(&out, STR_MAX_TEXT);
    status = apply(b, &out);
    str_release(&out);
    return status;
}

static void unpacks(struct bench *b, const char *args, bool changed)
{
    assert_int_equal(unpack(b, args), 0);
    assert_string_equal(result(b, "changed"), changed ? "True" : "False");
}

static void unarchive_of_the_host(void **state)
{
    struct bench *b = *state;

    run_sh(b,
           "cd @/; mkdir -p a/sub 'b c'; echo one >a/sub/f; echo two >'a/it'\\''s'; chmod 750 a; "
           "ln -s f a/sub/l; tar -cf x.tar a; tar -czf x.tgz a; rm -r a; mkdir d e");
    unpacks(b, "{src: '@/x.tgz', dest: '@/d', remote_src: yes, list_files: yes}", true);
    assert_file(b, "@/d/a/sub/f", "one\n", 0644);
    assert_string_equal(result(b, "handler"), "TgzArchive");
    assert_string_equal(result(b, "files"), "['a/', 'a/sub/', 'a/sub/f', 'a/sub/l', \"a/it's\"]");
    unpacks(b, "{src: '@/x.tar', dest: '@/d', remote_src: yes}", false);
    assert_string_equal(result(b, "handler"), "TarArchive");
    unpacks(b, "{src: '@/x.tar', dest: '@/d', copy: no, mode: 'o-r'}", true);
    assert_file(b, "@/d/a/sub/f", "one\n", 0640);
    unpacks(b, "{src: '@/x.tar', dest: '@/d', copy: no, mode: 'o-r'}", false);
    unpacks(b,
            "{src: x.tgz, dest: '@/b c', extra_opts: [--strip-components=1], exclude: ['a/sub/']}",
            true);
    assert_file(b, "@/b c/it's", "two\n", 0644);
    assert_entries(b, "@/b c", 1);
    unpacks(b, "{src: x.tgz, dest: '@/e', include: [a/sub/f]}", true);
    assert_entries(b, "@/e/a", 1);
    assert_int_equal(plan(b, "unarchive", "{src: x.tgz, dest: '@/e', creates: '@/x.tgz'}"),
                     PLAN_SKIP);
}

static void unarchive_refusals(void **state)
{
    struct bench *b = *state;

    run_sh(b, "cd @/; mkdir d; : >empty; echo PK >x.zip; echo no archive >text");
    refuses(b, "unarchive", "{src: '@/none', dest: '@/d', remote_src: yes}", "does not exist");
    refuses(b, "unarchive", "{src: none, dest: '@/d'}", "could not find 'none'");
    refuses(b, "unarchive", "{src: text, dest: '@/text'}", "must be an existing dir");
    refuses(b, "unarchive", "{src: 'http://h/x.tgz', dest: '@/d', remote_src: yes}", "get_url");
    refuses(b, "unarchive", "{src: a, dest: '@/d', copy: yes, remote_src: no}", "exclusive");
    refuses(b, "unarchive", "{src: a, dest: '@/d', include: [a], exclude: [b]}", "exclusive");
    assert_int_not_equal(unpack(b, "{src: empty, dest: '@/d'}"), 0);
    assert_non_null(strstr(result(b, "msg"), "the file is 0 bytes"));
    assert_int_not_equal(unpack(b, "{src: x.zip, dest: '@/d'}"), 0);
    assert_non_null(strstr(result(b, "msg"), "use command: unzip"));
    assert_int_not_equal(unpack(b, "{src: text, dest: '@/d'}"), 0);
    assert_non_null(strstr(result(b, "msg"), "Failed to find handler"));
    assert_entries(b, "@/d", 0);
}

/* ---- slurp ---- */

static void slurping(void **state)
{
    struct bench *b = *state;

    put_file(b, "@/f", "a\nb");
    assert_int_equal(symlink("f", here(b, "@/l")), 0);
    assert_int_equal(plan(b, "slurp", "{path: '@/l'}"), PLAN_OK);
    assert_string_equal(result(b, "content"), "YQpi");
    assert_string_equal(result(b, "encoding"), "base64");
    refuses(b, "slurp", "{src: '@/none'}", "file not found");
    refuses(b, "slurp", "{src: '@/'}", "is a directory");
}

/* ---- get_url ---- */

/* Writes $BENCH/remote where -o says, as the web has it; the request is kept. */
static void put_curl(struct bench *b, const char *status)
{
    put_program(b, "curl",
                arena_printf(&b->arena,
                             "cat >\"$BENCH/request\"\n"
                             "while [ $# -gt 0 ]; do [ \"$1\" = -o ] && o=$2; shift; done\n"
                             "echo status %s\n[ %s -ge 400 ] && { echo oops >&2; exit 22; }\n"
                             "[ %s = 304 ] || cp \"$BENCH/remote\" \"$o\"\n",
                             status, status, status));
}

static void look_and_fetch(struct bench *b, const char *args, bool changed)
{
    struct str out;

    world_forget(&b->world);
    if (plan(b, "get_url", args) == PLAN_OK) {
        assert_false(changed);
        return;
    }
    str_init(&out, STR_MAX_TEXT);
    assert_int_equal(apply(b, &out), 0);
    str_release(&out);
    assert_string_equal(result(b, "changed"), changed ? "True" : "False");
}

static void fetching(void **state)
{
    struct bench *b = *state;
    static const char args[] = "{url: 'https://h/a%20b/f.asc?t=s\"', dest: @/d, mode: 0640, "
                               "headers: {X-T: \"s'\"}, username: u, password: 'p''w'}";

    put_curl(b, "200");
    put_file(b, "@/remote", "one\n");
    assert_int_equal(mkdir(here(b, "@/d"), 0755), 0);
    look_and_fetch(b, args, true);
    assert_file(b, "@/d/f.asc", "one\n", 0640);
    assert_string_equal(result(b, "dest"), here(b, "@/d/f.asc"));
    assert_string_equal(result(b, "status_code"), "200");
    assert_string_equal(result(b, "checksum_src"), "c7059bb19433cc3cabaa6236c83d56668a843dd2");
    assert_non_null(strstr(content(b, "@/request"), "url = \"https://h/a%20b/f.asc?t=s\\\"\"\n"));
    assert_non_null(strstr(content(b, "@/request"), "header = \"X-T: s'\"\n"));
    assert_non_null(strstr(content(b, "@/request"), "user = \"u:p'w\"\n"));
    assert_null(strstr(content(b, "@/request"), "insecure"));
    assert_null(strstr(content(b, "@/request"), "time-cond"));
    assert_null(strstr(b->plan.script.buf, "p'w"));
    look_and_fetch(b, args, false);
    assert_non_null(strstr(content(b, "@/request"), here(b, "time-cond = \"@/d/f.asc\"\n")));
    put_file(b, "@/remote", "two\n");
    put_curl(b, "304");
    look_and_fetch(b, args, false);
    assert_file(b, "@/d/f.asc", "one\n", 0640);
    put_curl(b, "200");
    assert_int_equal(chmod(here(b, "@/d/f.asc"), 0600), 0);
    look_and_fetch(b, args, true);
    assert_file(b, "@/d/f.asc", "two\n", 0640);
    assert_int_equal(chmod(here(b, "@/d/f.asc"), 0600), 0);
    look_and_fetch(b, args, true);
    assert_entries(b, "@/d", 1);
}

#define SUM_TWO "27dd8ed44a83ff94d557f9fd0412ed5a8cbca69ea04922d88c01184a07300a5a"

#define SUM_ONE "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806"

static void checksums(void **state)
{
    struct bench *b = *state;
    static const char args[] = "{url: 'http://h/', dest: @/f, checksum: 'sha256:" SUM_TWO "'}";

    put_curl(b, "200");
    put_file(b, "@/remote", "two\n");
    assert_int_equal(plan(b, "get_url", args), PLAN_CHANGE);
    assert_int_equal(apply(b, NULL), 0);
    assert_file(b, "@/f", "two\n", 0644);
    assert_int_equal(plan(b, "get_url", args), PLAN_OK);
    world_forget(&b->world);
    assert_int_equal(plan(b, "get_url", args), PLAN_OK);
    assert_string_equal(result(b, "msg"), "file already exists");
    world_forget(&b->world);
    changes_once(b, "get_url",
                 "{url: 'http://h/', dest: @/f, mode: 0600, checksum: 'sha256:" SUM_TWO "'}");
    put_file(b, "@/remote", "three\n");
    look_and_fetch(b, args, false);
    put_file(b, "@/f", "other\n");
    world_forget(&b->world);
    assert_int_equal(plan(b, "get_url", args), PLAN_OPAQUE);
    assert_int_equal(apply(b, NULL), 98);
    assert_non_null(strstr(result(b, "msg"), "did not match"));
    assert_file(b, "@/f", "other\n", 0600);
    assert_null(strstr(content(b, "@/request"), "time-cond"));
    refuses(b, "get_url", "{url: 'http://h/', dest: @/f, checksum: 'md4:1'}",
            "checksum begins with md5, sha1,");
    refuses(b, "get_url", "{url: 'http://h/', dest: @/f, checksum: '12'}",
            "in format <algorithm>:<checksum>");
    refuses(b, "get_url", "{url: 'http://h/', dest: @/f, checksum: 'md5:1'}", "invalid");
    refuses(b, "get_url", "{url: 'http://h/', dest: @/f, checksum: 'sha256:12'}", "invalid");
    refuses(b, "get_url", "{url: 'http://h/', dest: @/f, checksum: 'sha256:http://x/a b'}",
            "no URL of a file of sums");
}

static void fetch_by_sums(struct bench *b, const char *sums, int status, const char *msg)
{
    static const char args[] = "{url: 'http://h/two.txt?x', dest: @/f, "
                               "checksum: 'sha256:https://h/SUMS'}";
    struct str out;

    put_file(b, "@/sums", sums);
    world_forget(&b->world);
    assert_int_equal(plan(b, "get_url", args), PLAN_OPAQUE);
    str_init(&out, STR_MAX_TEXT);
    assert_int_equal(apply(b, &out), status);
    str_release(&out);
    assert_non_null(strstr(result(b, "msg"), msg));
}

/* As get_url.py's parse_digest_lines: the first line that names the file. */
static void sums(void **state)
{
    static const char *const good[] = {SUM_TWO "  two.txt\n",
                                       "0123  three.txt\n" SUM_TWO " *./two.txt",
                                       "SHA256 (two.txt) = " SUM_TWO "\n" SUM_ONE "  two.txt\n",
                                       SUM_ONE "  a/two.txt\r\n" SUM_TWO "\t.two.txt\r\n",
                                       SUM_TWO,
                                       SUM_TWO "\n"};
    static const char md5[] = "{url: 'http://h/x', dest: @/f, checksum: "
                              "'md5:c193497a1a06b2c72230e6146ff47080'}";
    struct bench *b = *state;

    put_program(b, "curl",
                "cat >\"$BENCH/request\"\n"
                "while [ $# -gt 0 ]; do [ \"$1\" = -o ] && o=$2; shift; done\necho status 200\n"
                "f=remote; ! grep -q SUMS \"$BENCH/request\" || f=sums\n"
                "cp \"$BENCH/$f\" \"$o\"\n");
    put_file(b, "@/remote", "two\n");
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        put_file(b, "@/f", "one\n");
        fetch_by_sums(b, good[i], 0, "OK");
        assert_file(b, "@/f", "two\n", 0600);
        assert_string_equal(result(b, "changed"), "True");
        fetch_by_sums(b, good[i], 0, "file already exists");
        assert_string_equal(result(b, "changed"), "False");
        assert_non_null(strstr(content(b, "@/request"), "max-filesize = 1048576\n"));
    }
    put_file(b, "@/f", "one\n");
    fetch_by_sums(b, SUM_ONE "  two.txt\n" SUM_TWO "  two.txt\n", 0, "file already exists");
    put_file(b, "@/f", "none\n");
    fetch_by_sums(b, SUM_ONE "  two.txt\n", 98, "did not match");
    fetch_by_sums(b, SUM_TWO "  two.tx\n", 100,
                  "Unable to find a checksum for file 'two.txt' in 'https://h/SUMS'");
    fetch_by_sums(b, "", 100, "Unable to find a checksum");
    fetch_by_sums(b, "xyz  two.txt\n", 101, "The checksum format is invalid");
    fetch_by_sums(b, "<html> $(reboot) `reboot`\n' \"\n", 100, "Unable to find a checksum");
    assert_file(b, "@/f", "none\n", 0600);
    put_curl(b, "404");
    fetch_by_sums(b, "", 102, "Request failed");
    assert_string_equal(result(b, "url"), "https://h/SUMS");
    assert_string_equal(result(b, "status_code"), "404");
    put_curl(b, "200");
    unlink(here(b, "@/f"));
    unlink(here(b, "@/sums"));
    world_forget(&b->world);
    look_and_fetch(b, md5, true);
    look_and_fetch(b, md5, false);
    assert_string_equal(result(b, "msg"), "file already exists");
}

static void fetching_fails(void **state)
{
    struct bench *b = *state;
    struct str out;

    put_curl(b, "404");
    assert_int_equal(mkdir(here(b, "@/d"), 0755), 0);
    assert_int_equal(plan(b, "get_url", "{url: 'http://h/x', dest: @/d/f}"), PLAN_OPAQUE);
    str_init(&out, STR_MAX_TEXT);
    assert_int_equal(apply(b, &out), 99);
    str_release(&out);
    assert_string_equal(result(b, "status_code"), "404");
    assert_non_null(strstr(result(b, "msg"), "Request failed"));
    assert_entries(b, "@/d", 0);
    refuses(b, "get_url", "{url: 'http://h/x', dest: @/none/f}", "does not exist");
    refuses(b, "get_url", "{url: 'ftp://h/x', dest: @/f}", "http://");
    refuses(b, "get_url", "{url: \"http://h/x\\noutput=/etc/x\", dest: @/f}", "control");
    refuses(b, "get_url", "{url: 'http://h/x', dest: @/f, headers: {a: \"b\\nc\"}}", "control");
    refuses(b, "get_url", "{url: 'http://h/x', dest: @/f, tmp_dest: /x}", "tmp_dest");
}

/* ---- uri: forms ---- */

/* What curl is told, with the boundary's digits as 0. */
static const char *form_of(struct bench *b, const char *args)
{
    char *text;

    world_forget(&b->world);
    assert_int_equal(plan(b, "uri", args), PLAN_CHANGE);
    assert_int_equal(apply(b, NULL), 0);
    text = arena_strdup(&b->arena, content(b, "@/request"));
    for (char *p = text; (p = strstr(p, "===============")); p += strspn(p, "=0"))
        memset(p + 15, '0', strspn(p + 15, "0123456789"));
    return text;
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text);
}

#define BOUNDARY "===============0000000000000000000=="
#define FORM(body)                                                                                 \
    "{url: 'http://h', method: POST, body_format: form-multipart, body: " body                     \
    ", headers: {content-type: x/y}}"

/* What prepare_multipart() of ansible-core 2.19 has made of the same. */
static void uri_forms(void **state)
{
    struct bench *b = *state;
    const char *text;

    put_program(b, "curl", "cat >\"$BENCH/request\"; printf 'HTTP/1.1 200 OK\\r\\n\\r\\n'");
    put_file(b, "@/f.txt", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nab");
    text = form_of(b, FORM("{z: v, 'a b\"c\\': \"l1\\nl2\\n\", é: \"ö\\r\\nx\\ry\"}"));
    has(text, "header = \"Content-Type: multipart/form-data; boundary=\\\"" BOUNDARY "\\\"\"\n");
    assert_null(strstr(text, "x/y"));
    has(text,
        "data-raw = \"--" BOUNDARY "\\r\\nContent-Type: text/plain\\r\\n"
        "Content-Disposition: form-data; name=\\\"a b\\\\\\\"c\\\\\\\\\\\"\\r\\n\\r\\nl1\\r\\nl2"
        "\\r\\n\\r\\n--" BOUNDARY "\\r\\n");
    has(text, "name=\\\"z\\\"\\r\\n\\r\\nv\\r\\n--" BOUNDARY);
    has(text, "name*=utf-8''%C3%A9\\r\\n\\r\\nö\\r\\nx\\r\\ny\\r\\n--" BOUNDARY "--\\r\\n\"");
    text = form_of(b, FORM("{f: {filename: f.txt}}"));
    has(text, "--" BOUNDARY "\\r\\nContent-Transfer-Encoding: base64\\r\\nContent-Type: text/plain"
              "\\r\\nContent-Disposition: form-data; name=\\\"f\\\"; filename=\\\"f.txt\\\""
              "\\r\\n\\r\\n"
              "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"
              "\\r\\neHh4CmFi\\r\\n\\r\\n--" BOUNDARY "--\\r\\n\"");
    text = form_of(b, FORM("{f: {filename: f.txt, multipart_encoding: 7or8bit, mime_type: x}}"));
    has(text, "Encoding: 7bit\\r\\nContent-Type: x/\\r\\n");
    text = form_of(b, FORM("{f: {filename: 'a/b c.json', content: hello}, g: {content: x}}"));
    has(text, "Content-Type: application/json\\r\\nContent-Disposition: form-data; name=\\\"f\\\"; "
              "filename=\\\"b c.json\\\"\\r\\n\\r\\nhello\\r\\n");
    has(text, "Content-Type: application/octet-stream\\r\\n");
    has(form_of(b, FORM("{}")), "\"--" BOUNDARY "\\r\\n\\r\\n--" BOUNDARY "--\\r\\n\"");
}

static void uri_forms_refused(void **state)
{
    struct bench *b = *state;

    put_file(b, "@/f.txt", "x");
    refuses(b, "uri", FORM("[1]"), "body must be mapping");
    refuses(b, "uri", "{url: 'http://h', body_format: form-multipart}", "body must be mapping");
    refuses(b, "uri", FORM("{f: 5}"), "the field 'f' must be a string, or a mapping");
    refuses(b, "uri", FORM("{f: {}}"), "at least one of filename or content must be provided");
    refuses(b, "uri", FORM("{f: {content: x, filename: a.xyz}}"),
            "give mime_type: that of 'a.xyz'");
    refuses(b, "uri", FORM("{f: {content: x, mime_type: \"a\\nb\"}}"), "control characters");
    refuses(b, "uri", FORM("{\"a\\nb\": x}"), "control characters");
    refuses(b, "uri", FORM("{f: {filename: none.txt}}"), "none.txt");
    refuses(b, "uri", FORM("{f: {filename: f.txt, multipart_encoding: zz}}"), "must be one of");
    refuses(b, "uri", FORM("{f: {filename: f.txt}}, remote_src: yes"), "use command: curl -F");
}

/* ---- the list ---- */

static void names(void **state)
{
    static const char *const pairs[][2] = {
        {"ansible.builtin.deb822_repository", "deb822_repository"},
        {"ansible.builtin.apt_repository", "apt_repository"},
        {"ansible.builtin.get_url", "get_url"},
        {"ansible.builtin.cron", "cron"},
        {"community.general.ini_file", "ini_file"},
        {"ansible.posix.mount", "mount"},
        {"ansible.posix.sysctl", "sysctl"},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        assert_non_null(module_find(pairs[i][1]));
        assert_ptr_equal(module_find(pairs[i][0]), module_find(pairs[i][1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup_jail, teardown)
        T(deb822_files),
        T(deb822_keys),
        T(sources_added),
        T(sources_removed),
        T(sources_updated),
        T(ini_texts),
        T(ini_rules),
        T(crontabs),
        T(crontabs_of_others),
        T(cron_files),
        T(fstab_lines),
        T(swaps),
        T(mounts),
        T(mounts_that_fail),
        T(bind_mounts),
        T(unarchive_of_the_host),
        T(unarchive_refusals),
        T(slurping),
        T(fetching),
        T(checksums),
        T(fetching_fails),
        T(sums),
        T(uri_forms),
        T(uri_forms_refused),
        T(names),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
