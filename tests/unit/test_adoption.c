/*
 * test_adoption.c - what can be taken over, and what is told of what cannot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/check/adoption.h"
#include "lib/doc/json.h"

#define CLUSTER                                                                                    \
    "cluster: own\n"                                                                               \
    "provider:\n"                                                                                  \
    "  name: existing\n"                                                                           \
    "  hosts:\n"                                                                                   \
    "    - {name: db1, groups: [db, etcd], vars: {ansible_host: 192.0.2.1}}\n"                     \
    "    - {name: db2, groups: [db], vars: {ansible_host: 192.0.2.2}}\n"

#define SCOPE  "legacy"
#define SYSTEM 7710649862814695682U
#define DATA   "/var/lib/postgresql/17/main"

#define CONFIG                                                                                     \
    "scope: legacy\npostgresql:\n  authentication:\n    superuser: {username: admin, password: "   \
    "fake}\n"

/* Two hosts as a survey finds them; a test changes what it is about. */
struct fixture {
    struct cluster cluster;
    struct host_config configs[2];
    struct host_pgdata data[2];
    struct host_process processes[2][2];
    struct host_facts facts[2];
    const struct host_facts *list[2];
    struct adoption adoption;
    struct err err;
};

static void setup(struct fixture *f, const char *more)
{
    static const char *const members[] = {"node1", "node2"};
    char *text = xasprintf("%s%s", CLUSTER, more);
    struct faults faults;

    *f = (struct fixture){.err = ERR_INIT};
    faults_init(&faults);
    if (cluster_load_text(&f->cluster, "c.yaml", text, strlen(text), &faults) < 0) {
        faults_to_err(&faults, &f->err);
        fail_msg("%s", f->err.text);
    }
    faults_release(&faults);
    free(text);
    for (size_t i = 0; i < 2; i++) {
        f->configs[i] = (struct host_config){.kind = CONFIG_PATRONI,
                                             .owner = CONFIG_FOREIGN,
                                             .path = "/etc/patroni/config.yml",
                                             .text = CONFIG,
                                             .text_len = strlen(CONFIG),
                                             .scope = SCOPE,
                                             .member = members[i],
                                             .data_dir = DATA};
        f->data[i] = (struct host_pgdata){DATA, 17, SYSTEM, 99, 5432, true};
        f->processes[i][0] = (struct host_process){
            .name = "patroni",
            .arguments = "/usr/bin/python3 /usr/bin/patroni /etc/patroni/config.yml "};
        f->processes[i][1] = (struct host_process){.name = "etcd", .arguments = "/usr/bin/etcd"};
        f->facts[i] = (struct host_facts){
            .configs = {.items = &f->configs[i], .n = 1, .cap = 1},
            .pgdata = {.items = &f->data[i], .n = 1, .cap = 1},
            .processes = {.items = f->processes[i], .n = 2, .cap = 2},
        };
        f->list[i] = &f->facts[i];
    }
    adoption_init(&f->adoption);
}

static void teardown(struct fixture *f)
{
    adoption_release(&f->adoption);
    cluster_release(&f->cluster);
    err_release(&f->err);
}

static void refuses(struct fixture *f, int rc, const char *why)
{
    assert_int_equal(rc, -1);
    assert_int_equal(f->err.code, ERR_CONFLICT);
    if (!strstr(f->err.text, why))
        fail_msg("got: %s\nwanted: %s", f->err.text, why);
}

static void cannot_find(struct fixture *f, const char *why)
{
    refuses(f, adoption_find(&f->cluster, f->list, &f->adoption, &f->err), why);
    teardown(f);
}

static void test_find(void **state)
{
    struct fixture f;

    UNUSED(state);
    setup(&f, "");
    assert_int_equal(adoption_find(&f.cluster, f.list, &f.adoption, &f.err), 0);
    assert_string_equal(f.adoption.scope, SCOPE);
    assert_true(f.adoption.system_id == SYSTEM);
    assert_true(f.adoption.replaces_etcd);
    assert_string_equal(f.adoption.superuser, "admin");
    assert_int_equal(f.adoption.members.n, 2);
    assert_string_equal(f.adoption.members.items[1].host, "db2");
    assert_string_equal(f.adoption.members.items[1].name, "node2");
    assert_string_equal(f.adoption.members.items[1].python, "/usr/bin/python3");
    assert_string_equal(f.adoption.members.items[1].program, "/usr/bin/patroni");
    teardown(&f);
}

static void test_faults(void **state)
{
    struct fixture f;

    UNUSED(state);
    setup(&f, "");
    f.list[1] = NULL;
    cannot_find(&f, "db2: it was not asked");
    setup(&f, "");
    f.configs[1].owner = CONFIG_OURS;
    cannot_find(&f, "db2: there is no Patroni on it");
    setup(&f, "");
    f.configs[1].scope = "other";
    cannot_find(&f, "db2: Patroni's scope is other, elsewhere legacy");
    setup(&f, "");
    f.processes[0][0].arguments = "patroni config.yml";
    cannot_find(&f, "db1: Patroni does not run, or not as");
    setup(&f, "");
    f.data[1].system_id++;
    cannot_find(&f, "db2: its data is another cluster's");
    setup(&f, "");
    f.data[1].pid = 0;
    cannot_find(&f, "db2: PostgreSQL does not run in " DATA);
    setup(&f, "");
    f.data[0].port = 5433;
    cannot_find(&f, "db1: PostgreSQL listens on port 5433, and has to on 5432");
    setup(&f, "");
    f.data[0].version = 16;
    cannot_find(&f, "db1: PostgreSQL is 16, and postgres.version 17");
    setup(&f, "postgres: {data_dir: /srv/pg/17}\n");
    cannot_find(&f, "db1: its data is in " DATA ", not in /srv/pg/17");
    setup(&f, "");
    f.configs[0].data_dir = NULL;
    f.list[1] = NULL;
    cannot_find(&f, "db1: its data is in a place that is not told");
}

/* ---- the store ---- */

static const char good[] =
    "{'store': 'Etcd3', 'prefix': '/service/legacy/', 'system': '7710649862814695682',"
    " 'config': {'ttl': 30}, 'leader': 'node2', 'keys': ['/service/legacy/config'],"
    " 'members': [{'name': 'node1', 'state': 'streaming'}, {'name': 'node2', 'state': 'running'}]}";

/* from, to: one replacement in the good answer; NULL: none. */
static int judge(struct fixture *f, const char *from, const char *to)
{
    const char *at = from ? strstr(good, from) : good;
    const struct value *store;
    struct str text;
    int rc;

    assert_non_null(at);
    str_init(&text, STR_MAX_TEXT);
    str_printf(&text, "%.*s", (int)(at - good), good);
    str_printf(&text, "%s%s", from ? to : "", at + (from ? strlen(from) : 0));
    for (char *p = text.buf; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    assert_int_equal(adoption_find(&f->cluster, f->list, &f->adoption, &f->err), 0);
    store = json_parse(&f->adoption.arena, "store", text.buf, text.len, &f->err);
    assert_non_null(store);
    rc = adoption_judge(&f->cluster, store, &f->adoption, &f->err);
    str_release(&text);
    return rc;
}

static void test_store(void **state)
{
    static const struct {
        const char *from, *to, *why;
    } cases[] = {
        {"'leader': 'node2'", "'leader': null", "it has no leader"},
        {"'name': 'node1'", "'name': 'node7'", "its member node7 is on none"},
        {"'name': 'node1'", "'name': 'node7'", "Patroni knows 1 of the 2 members only"},
        {"'streaming'", "'start failed'", "db1: its state is \"start failed\""},
        {"'7710649862814695682'", "'1'", "holds the system 1, and the data 7710649862814695682"},
        {"'7710649862814695682'", "''", "holds the system of nobody"},
        {"{'ttl': 30}", "null", "no dynamic configuration"},
        {"{'ttl': 30}", "{'pause': true}", "maintenance mode: patronictl resume"},
        {"{'ttl': 30}", "{'standby_cluster': {}}", "it is a standby cluster"},
        {"{'ttl': 30}", "{'postgresql': {'parameters': {'archive_command': 'cp'}}}",
         "it archives its WAL"},
        {"['/service/legacy/config']", "['/service/legacy/config', '/service/x/config']",
         "its etcd holds more than /service/legacy/: /service/x/config"},
        {"['/service/legacy/config']", "null", "in Etcd3, and only etcd"},
    };
    struct fixture f;

    UNUSED(state);
    setup(&f, "");
    assert_int_equal(judge(&f, NULL, NULL), 0);
    assert_string_equal(f.adoption.leader, "db2");
    teardown(&f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        setup(&f, "");
        refuses(&f, judge(&f, cases[i].from, cases[i].to), cases[i].why);
        teardown(&f);
    }
    setup(&f, "postgres: {parameters: {archive_command: 'cp %p /mnt/%f'}}\n");
    assert_int_equal(
        judge(&f, "{'ttl': 30}", "{'postgresql': {'parameters': {'archive_command': 'cp'}}}"), 0);
    teardown(&f);
    setup(&f, "");
    f.facts[0].processes.n = 1; /* no etcd of its own here: others may use it */
    assert_int_equal(judge(&f, "['/service/legacy/config']", "['/other']"), 0);
    teardown(&f);
}

static void test_kept(void **state)
{
    struct adoption again;
    struct arena a = ARENA_INIT;
    struct value *kept;
    struct fixture f;

    UNUSED(state);
    setup(&f, "");
    assert_int_equal(judge(&f, NULL, NULL), 0);
    kept = adoption_to_value(&f.adoption, &a);
    assert_null(value_get(kept, "accounts"));
    adoption_init(&again);
    assert_int_equal(adoption_from_value(kept, &again, &f.err), 0);
    assert_string_equal(again.scope, SCOPE);
    assert_string_equal(again.leader, "db2");
    assert_string_equal(again.superuser, "admin");
    assert_true(again.system_id == SYSTEM && again.replaces_etcd);
    assert_int_equal(again.members.n, 2);
    assert_string_equal(again.members.items[0].config, "/etc/patroni/config.yml");
    adoption_release(&again);
    adoption_init(&again);
    value_map_del(kept, "leader");
    assert_int_equal(adoption_from_value(kept, &again, &f.err), -1);
    assert_int_equal(f.err.code, ERR_INPUT);
    adoption_release(&again);
    arena_release(&a);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_store),
        cmocka_unit_test(test_kept),
    };

    return cmocka_run_group_tests_name("adoption", tests, NULL, NULL);
}
