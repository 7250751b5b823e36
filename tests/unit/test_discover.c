/*
 * test_discover.c - what runs on surveyed hosts, told and made into a cluster file; and that no
 * secret of a configuration leaves it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/check/discover.h"
#include "lib/doc/json.h"

#define MAX_HOSTS 6
#define SECRET    "hunter2" /* wherever it stands, it must not come out */

/* A db host as a tutorial has it: an etcd, and a Patroni that runs. */
#define PATRONI(scope, member)                                                                     \
    "scope: " scope "\nname: " member "\n"                                                         \
    "restapi: {authentication: {username: patroni, password: " SECRET "}}\n"                       \
    "etcd3: {hosts: '10.0.0.1:2379'}\n"                                                            \
    "postgresql:\n"                                                                                \
    "  data_dir: /var/lib/postgresql/17/main\n"                                                    \
    "  authentication: {superuser: {username: postgres, password: " SECRET "}}\n"
#define DCS(lines) "bootstrap:\n  dcs:\n" lines

static struct import im;
static struct discover d;
static struct host_survey surveys[MAX_HOSTS];
static struct discover_host hosts[MAX_HOSTS];
static struct str answers[MAX_HOSTS]; /* what is put in before look */
static size_t n_hosts;
static struct err err;
static struct arena arena;
static struct str text;
static bool looked;

static int setup(void **state)
{
    UNUSED(state);
    import_init(&im);
    arena_init(&arena);
    str_init(&text, STR_MAX_TEXT);
    err = (struct err)ERR_INIT;
    memset(surveys, 0, sizeof(surveys));
    n_hosts = 0;
    looked = false;
    return 0;
}

static int teardown(void **state)
{
    UNUSED(state);
    if (looked)
        discover_release(&d);
    for (size_t i = 0; i < n_hosts; i++) {
        survey_release(&surveys[i]);
        str_release(&answers[i]);
    }
    import_release(&im);
    arena_release(&arena);
    str_release(&text);
    err_release(&err);
    return 0;
}

static void again(void)
{
    teardown(NULL);
    setup(NULL);
}

/* ---- hosts ---- */

/* One that does not answer, until something is put into its answer. */
static struct str *new_host(const char *name)
{
    struct str *answer = &answers[n_hosts];

    hosts[n_hosts] = (struct discover_host){name, &surveys[n_hosts]};
    n_hosts++;
    str_init(answer, STR_MAX_TEXT);
    return answer;
}

static struct str *add_host(const char *name)
{
    struct str *answer = new_host(name);

    str_printf(answer, "hostname\t%s\nos\tID=debian\nos\tVERSION_ID=\"13\"\narch\tamd64\n", name);
    return answer;
}

static void add_silent(const char *name)
{
    new_host(name);
    err_set(&surveys[n_hosts - 1].err, ERR_NET, "%s: connection refused", name);
}

static void put_base64(struct str *out, const char *s)
{
    str_put_base64(out, s, strlen(s));
}

static void put_config(struct str *out, const char *kind, const char *owner, const char *path,
                       const char *content)
{
    str_printf(out, "config\t%s\t%s\t", kind, owner);
    put_base64(out, path);
    str_putc(out, '\t');
    put_base64(out, content);
    str_putc(out, '\n');
}

static void put_process(struct str *out, const char *name, const char *arguments)
{
    str_printf(out, "process\t77\t1\t%s\t", name);
    put_base64(out, arguments);
    str_puts(out, "\tLw==\n");
}

static void put_data(struct str *out, const char *path, int version, const char *system_id,
                     int port)
{
    str_puts(out, "pgdata\t");
    put_base64(out, path);
    str_printf(out, "\t%d\t%s\t12\t%d\t1\n", version, system_id, port);
}

static struct str *add_db(const char *name, const char *config)
{
    struct str *host = add_host(name);

    put_config(host, "patroni", "foreign", "/etc/patroni/config.yml", config);
    put_process(host, "python3", "/usr/bin/python3 /usr/bin/patroni /etc/patroni/config.yml");
    put_config(host, "etcd", "foreign", "/etc/default/etcd", "ETCD_NAME=member\n");
    put_process(host, "etcd", "/usr/bin/etcd");
    put_data(host, "/var/lib/postgresql/17/main", 17, "7710595003157718202", 5432);
    return host;
}

static struct str *add_balancer(const char *name)
{
    struct str *host = add_host(name);

    put_config(host, "haproxy", "foreign", "/etc/haproxy/haproxy.cfg", "");
    put_process(host, "haproxy", "/usr/sbin/haproxy");
    str_puts(host, "listen\tLISTEN 0 1 0.0.0.0:5001 0.0.0.0:* users:((\"haproxy\",pid=5,fd=6))\n"
                   "listen\tLISTEN 0 1 [::]:5000 [::]:* users:((\"haproxy\",pid=5,fd=7))\n"
                   "listen\tLISTEN 0 1 0.0.0.0:5000 0.0.0.0:* users:((\"haproxy\",pid=5,fd=8))\n");
    return host;
}

/* Everything is said: the hosts are surveyed. */
static void look(void)
{
    for (size_t i = 0; i < n_hosts; i++) {
        struct host_survey *s = &surveys[i];

        if (answers[i].len == 0)
            continue;
        survey_parse(s, answers[i].buf, answers[i].len);
        s->step = SURVEY_DONE;
    }
    discover_init(&d, hosts, n_hosts);
    looked = true;
}

/* ---- proposals ---- */

static int propose_from(const char *source, const char *name)
{
    struct faults faults;
    struct str list;

    look();
    str_init(&list, STR_MAX_TEXT);
    for (size_t i = 0; i < n_hosts && !source; i++)
        str_printf(&list, "%s\n", hosts[i].name);
    faults_init(&faults);
    if (import_read_text(&im, "hosts", source ? source : list.buf,
                         source ? strlen(source) : list.len, NULL, &faults) < 0)
        fail_msg("%s", faults.items[0].text);
    faults_release(&faults);
    str_release(&list);
    return discover_propose(&d, &im, name, &err);
}

static void propose(void)
{
    if (propose_from(NULL, NULL) < 0)
        fail_msg("%s", err.text);
    import_write_cluster(&im, &text);
}

/* The settings of one member with this configuration. */
static const struct value *settings_of(const char *config)
{
    again();
    add_db("db1", config);
    propose();
    return im.settings;
}

static const struct value *parameter(const char *name)
{
    return value_get(value_at(im.settings, "postgres.parameters"), name);
}

static bool has_note(const char *part)
{
    vec_each (note, &im.notes)
        if (strstr(*note, part))
            return true;
    return false;
}

static void assert_note(const char *part)
{
    if (!has_note(part))
        fail_msg("no note has \"%s\" in:\n%s", part, text.buf);
}

static void assert_groups(const char *wanted)
{
    struct str got;

    str_init(&got, STR_MAX_TEXT);
    json_write(value_get(import_value(&im, &arena), "groups"), JSON_TIGHT, &got);
    assert_string_equal(got.buf, wanted);
    str_release(&got);
}

/* Everything that leaves: the table, the data, both files. */
static void assert_no_secret(const char *secret)
{
    struct str all;

    str_init(&all, STR_MAX_TEXT);
    discover_format(&d, &all);
    json_write(discover_to_value(&d, &arena), JSON_PRETTY, &all);
    import_write_cluster(&im, &all);
    json_write(import_value(&im, &arena), JSON_PRETTY, &all);
    assert_int_equal(import_write_inventory(&im, &all, &err), 0);
    if (strstr(all.buf, secret))
        fail_msg("%s is in:\n%s", secret, all.buf);
    str_release(&all);
}

/* ---- tests ---- */

static void test_members(void **state)
{
    UNUSED(state);
    add_db("10.0.0.1", PATRONI("shop", "node1"));
    add_balancer("10.0.0.4");
    add_db("10.0.0.2", PATRONI("shop", "node2"));
    add_host("10.0.0.5");
    propose();
    assert_int_equal(d.clusters.n, 1);
    assert_string_equal(d.clusters.items[0].scope, "shop");
    assert_false(d.clusters.items[0].ours);
    assert_int_equal(d.clusters.items[0].members.n, 2);
    assert_int_equal(d.clusters.items[0].members.items[1].host, 2);
    assert_string_equal(im.cluster, "shop");
    assert_groups("{\"db\":[\"node1\",\"node2\"],\"lb\":[\"lb1\"],\"etcd\":[\"node1\",\"node2\"]}");
    assert_int_equal(value_get_int(value_get(im.settings, "postgres"), "version", 0), 17);
    assert_null(value_at(im.settings, "postgres.data_dir"));
    assert_note("up --adopt");
    assert_false(has_note("HAProxy listens on"));
    assert_no_secret(SECRET);
}

/* A second file of the same scope is a copy; what a package brings, and parts, are no members. */
static void test_one_member_a_host(void **state)
{
    struct str *host;

    UNUSED(state);
    host = add_db("db1", PATRONI("shop", "db1"));
    put_config(host, "patroni", "foreign", "/etc/patroni/old.yml", PATRONI("shop", "old"));
    put_config(host, "patroni", "default", "/etc/patroni/sample.yml", PATRONI("sample", "x"));
    put_config(host, "patroni", "foreign", "/etc/patroni/dcs.yml", "etcd: {host: a}\n");
    put_config(host, "patroni", "foreign", "/etc/patroni/broken.yml", "scope: [\n");
    look();
    assert_int_equal(d.clusters.n, 1);
    assert_int_equal(d.clusters.items[0].members.n, 1);
    assert_string_equal(d.clusters.items[0].members.items[0].config->member, "db1");
}

static void add_two_scopes(void)
{
    again();
    add_db("a1", PATRONI("shop", "a1"));
    add_db("a2", PATRONI("bank", "a2"));
    add_db("a3", PATRONI("shop", "a3"));
}

static void test_two_scopes(void **state)
{
    UNUSED(state);
    add_two_scopes();
    assert_int_equal(propose_from(NULL, NULL), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, "shop, bank"));
    add_two_scopes();
    assert_int_equal(propose_from(NULL, "nobody"), -1);
    add_two_scopes();
    assert_int_equal(propose_from(NULL, "bank"), 0);
    assert_string_equal(im.cluster, "bank");
    assert_int_equal(import_count(&im, IMPORT_DB), 1);
    assert_note("another Patroni cluster: shop");
}

/* With one there is no doubt which is meant: it may be called otherwise. */
static void test_other_name(void **state)
{
    UNUSED(state);
    add_db("db1", PATRONI("Shop_17", "db1"));
    assert_int_equal(propose_from(NULL, "store"), 0);
    assert_string_equal(im.cluster, "store");
    assert_note("Patroni's scope is Shop_17, the cluster's name here store");
    again();
    add_db("db1", PATRONI("Shop_17", "db1"));
    propose();
    assert_string_equal(im.cluster, "shop-17");
}

static void test_silent_hosts(void **state)
{
    UNUSED(state);
    add_db("db1", PATRONI("shop", "db1"));
    add_silent("db2");
    propose();
    assert_note("db2 did not answer, so nothing is known of it");
    assert_groups("{\"db\":[\"db1\"],\"lb\":[],\"etcd\":[\"db1\"]}");
    again();
    add_silent("db1");
    add_silent("db2");
    assert_int_equal(propose_from(NULL, NULL), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, "no host answered"));
    again();
    add_db("db1", PATRONI("shop", "db1"));
    add_silent("db2");
    assert_int_equal(propose_from("[db]\ndb1\ndb2\n", NULL), 0);
    assert_groups("{\"db\":[\"db1\",\"db2\"],\"lb\":[],\"etcd\":[\"db1\"]}");
    assert_note("db2 did not answer: in the group db, as the source has it");
}

/* Groups of the source stay; what the host does not bear out is told. */
static void test_groups_of_the_source(void **state)
{
    UNUSED(state);
    add_db("db1", PATRONI("shop", "node1"));
    add_host("spare");
    assert_int_equal(propose_from("[db]\ndb1\nspare\n", NULL), 0);
    assert_groups("{\"db\":[\"db1\",\"spare\"],\"lb\":[],\"etcd\":[\"db1\"]}");
    assert_note("spare: in the group db, but there is no Patroni of this cluster on it");
    assert_note("Patroni calls db1 node1");
}

/* Where no Patroni is, roles are guessed as import does. */
static void test_no_patroni(void **state)
{
    UNUSED(state);
    add_host("10.0.0.1");
    add_host("10.0.0.2");
    add_host("10.0.0.3");
    propose();
    assert_int_equal(d.clusters.n, 0);
    assert_int_equal(import_count(&im, IMPORT_DB), 3);
    assert_null(im.settings);
}

static void test_parameters(void **state)
{
    UNUSED(state);
    settings_of(PATRONI("shop", "db1") "  parameters: {log_statement: all}\n" DCS(
        "    postgresql:\n      parameters:\n"
        "        max_connections: 120\n"
        "        work_mem: 8MB\n"          /* the default here, too */
        "        jit: off\n"               /* likewise, as another type */
        "        max_wal_senders: '16'\n"  /* likewise */
        "        log_statement: none\n"    /* the file's own goes over it */
        "        hot_standby: 'on'\n"      /* a cluster file cannot have it */
        "        wal_keep_segments: [1]\n" /* nor this */
        "        search_path: \"a\\nb\"\n" /* nor this */
        "        application_name: 'caf\xc3\xa9'\n"
        "        auto_explain.log_min_duration: 5s\n"));
    assert_int_equal(
        value_get_int(value_at(im.settings, "postgres.parameters"), "max_connections", 0), 120);
    assert_null(parameter("work_mem"));
    assert_null(parameter("jit"));
    assert_null(parameter("max_wal_senders"));
    assert_string_equal(parameter("log_statement")->u.str.s, "all");
    assert_null(parameter("hot_standby"));
    assert_null(parameter("wal_keep_segments"));
    assert_null(parameter("search_path"));
    assert_null(parameter("application_name"));
    assert_non_null(parameter("auto_explain.log_min_duration"));
    assert_note("a cluster file cannot have them: hot_standby, wal_keep_segments, search_path, "
                "application_name");
    assert_note("that are not the default");
    settings_of(PATRONI("shop", "db1"));
    assert_null(value_at(im.settings, "postgres.parameters"));
    assert_false(has_note("that are not the default"));
}

static void test_secrets(void **state)
{
    static const char *const lines[] = {
        "archive_command: 'curl -H \"X-Key: " SECRET "\" https://store/%f'",
        "restore_command: 'S3=" SECRET " fetch %f %p'",
        "primary_conninfo: 'host=db2 password=" SECRET "'",
        "ssl_passphrase_command: 'echo " SECRET "'",
        "pgaudit.vault: " SECRET,
        "x.api: " SECRET,
        "my_password: " SECRET,
        "log_line_prefix: 'pwd=" SECRET " '",
        "cluster_name: 'postgres://u:" SECRET "@h/d'",
        "unix_socket_directories: /" SECRET,
        "\"" SECRET "\\tname\": 1",
        "work_mem: {" SECRET ": 1}",
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        char config[2000];

        snprintf(config, sizeof(config), "%s%s        %s\n", PATRONI("shop", "db1"),
                 DCS("    postgresql:\n      parameters:\n        max_connections: 7\n"), lines[i]);
        settings_of(config);
        assert_non_null(parameter("max_connections"));
        assert_no_secret(SECRET);
    }
    settings_of(PATRONI("shop", "db1") "  parameters: {archive_command: x, restore_command: y}\n");
    assert_note("may hold secrets: archive_command, restore_command");
}

static void test_synchronous(void **state)
{
    static const struct {
        const char *dcs, *wanted;
    } cases[] = {
        {"    ttl: 30\n", NULL},
        {"    synchronous_mode: false\n", NULL},
        {"    synchronous_mode: 'off'\n    synchronous_mode_strict: true\n", NULL},
        {"    synchronous_mode: true\n", "on"},
        {"    synchronous_mode: 'on'\n", "on"},
        {"    synchronous_mode: quorum\n", "quorum"},
        {"    synchronous_mode: true\n    synchronous_mode_strict: true\n", "strict"},
        {"    synchronous_mode: [1]\n", NULL},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char config[2000];
        const char *got;

        snprintf(config, sizeof(config), "%sbootstrap:\n  dcs:\n%s", PATRONI("shop", "db1"),
                 cases[i].dcs);
        again();
        add_db("db1", config);
        add_db("db2", PATRONI("shop", "db2"));
        propose();
        got = value_get_str(value_get(im.settings, "postgres"), "synchronous", "");
        assert_string_equal(got, cases[i].wanted ? cases[i].wanted : "");
    }
    /* A cluster file cannot have it of one db host. */
    settings_of(PATRONI("shop", "db1") DCS("    synchronous_mode: true\n"));
    assert_null(value_at(im.settings, "postgres.synchronous"));
    assert_note("replication is synchronous (on), which is left out");
}

static void test_other_stores(void **state)
{
    UNUSED(state);
    settings_of("scope: shop\nname: db1\nconsul: {host: a, token: " SECRET "}\n");
    assert_note("keeps its state in consul");
    assert_no_secret(SECRET);
}

/* Nothing of the file is where it is expected. */
static void test_odd_configs(void **state)
{
    static const char *const configs[] = {
        "scope: shop\n",
        "scope: shop\nbootstrap: 7\npostgresql: x\n",
        "scope: shop\nbootstrap: {dcs: [a]}\npostgresql: [b]\n",
        "scope: shop\nbootstrap: {dcs: {postgresql: {parameters: [1]}}}\n",
        "scope: shop\nname: [1]\npostgresql: {parameters: text, data_dir: 5}\n",
        "scope: shop\nbootstrap: {dcs: {postgresql: {parameters: {'': 1, 'a b': 2, x: null}}}}\n",
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
        settings_of(configs[i]);
        assert_null(value_at(im.settings, "postgres.parameters"));
        assert_groups("{\"db\":[\"db1\"],\"lb\":[],\"etcd\":[\"db1\"]}");
    }
}

static void test_vip(void **state)
{
    struct str *host;

    UNUSED(state);
    add_db("db1", PATRONI("shop", "db1"));
    host = add_balancer("lb1");
    put_config(host, "keepalived", "foreign", "/etc/keepalived/keepalived.conf", "");
    str_puts(host, "vrrp_id\t51\nvrrp_address\tfd00::1/64\nvrrp_address\t10.0.0.999\n"
                   "vrrp_address\t10.0.0.100/24\nvrrp_address\t10.0.0.101\n"
                   "listen\tLISTEN 0 1 *:6432 *:* users:((\"haproxy\",pid=5,fd=6))\n");
    str_puts(add_balancer("lb2"), "vrrp_address\t10.0.0.100\n");
    propose();
    assert_string_equal(value_get_str(value_get(im.settings, "network"), "vip", ""), "10.0.0.100");
    assert_note("lb1 has the address fd00::1, too");
    assert_note("lb1 has the address 10.0.0.101, too");
    assert_false(has_note("lb2 has the address"));
    assert_note("HAProxy listens on 5000, 5001, 6432");
}

static void test_versions(void **state)
{
    static const struct {
        int version, wanted;
        const char *note;
    } cases[] = {
        {17, 17, NULL},
        {15, 15, NULL},
        {13, 0, "PostgreSQL 13 is not one"},
        {99, 0, "PostgreSQL 99 is not one"},
        {0, 0, "version is not known"},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str *host;

        again();
        host = add_host("db1");
        put_config(host, "patroni", "foreign", "/etc/patroni/config.yml", PATRONI("shop", "db1"));
        put_data(host, "/var/lib/postgresql/17/main", cases[i].version, "0", 0);
        propose();
        assert_int_equal(value_get_int(value_get(im.settings, "postgres"), "version", 0),
                         cases[i].wanted);
        if (cases[i].note)
            assert_note(cases[i].note);
    }
}

static void test_data(void **state)
{
    struct str *host;

    UNUSED(state);
    host = add_host("db1");
    put_config(host, "patroni", "foreign", "/etc/patroni.yml",
               "scope: shop\nname: db1\npostgresql: {data_dir: /data/pg}\n");
    put_data(host, "/var/lib/postgresql/15/old", 15, "1", 5433);
    put_data(host, "/data/pg", 17, "2", 6000);
    add_db("db2", PATRONI("shop", "db2"));
    propose();
    assert_int_equal(value_get_int(value_get(im.settings, "postgres"), "version", 0), 17);
    assert_string_equal(value_get_str(value_get(im.settings, "postgres"), "data_dir", ""),
                        "/data/pg");
    assert_note("PostgreSQL of db1 listens on port 6000");
    assert_note("data of different clusters");
}

/* A host is called what Patroni calls it only where that can be a name. */
static void test_strange_names(void **state)
{
    static const char *const members[] = {"'10.0.0.9'", "'a b'",        "'-x'",
                                          "all",        "\"a\\nb: c\"", "'{{ x }}'"};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        char config[100];

        again();
        snprintf(config, sizeof(config), "scope: shop\nname: %s\n", members[i]);
        add_db("10.0.0.1", config);
        propose();
        assert_string_equal(im.hosts.items[0].name, "db1");
        assert_null(strchr(im.notes.items[0], '\n'));
    }
    again();
    add_db("10.0.0.1", "scope: \"s\\x1b[31m\\nx\"\nname: db1\n");
    propose();
    discover_format(&d, &text);
    assert_null(strchr(text.buf, '\033'));
}

static void test_ours(void **state)
{
    struct str *host;

    UNUSED(state);
    host = add_host("db1");
    put_config(host, "patroni", "ours", "/etc/patroni/config.yml", PATRONI("shop", "db1"));
    put_config(host, "etcd", "ours", "/etc/default/etcd",
               "ETCD_NAME=db1\nETCD_INITIAL_CLUSTER_TOKEN=pgha-shop\n");
    host = add_host("lb1");
    put_config(host, "keepalived", "ours", "/etc/keepalived/keepalived.conf", "");
    str_puts(host, "vrrp_instance\tshop\n");
    host = add_host("etcd1");
    put_config(host, "etcd", "ours", "/etc/default/etcd", "ETCD_INITIAL_CLUSTER_TOKEN=pgha-shop\n");
    add_db("db9", PATRONI("other", "db9"));
    look();
    assert_true(d.clusters.items[0].ours);
    assert_false(d.clusters.items[1].ours);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(discover_own_cluster(&surveys[i].facts), "shop");
    assert_null(discover_own_cluster(&surveys[3].facts));
    discover_format(&d, &text);
    assert_non_null(strstr(text.buf, "Patroni cluster shop (ours): db1\n"));
    assert_non_null(strstr(text.buf, "ours: cluster shop\n"));
    again();
    host = add_host("db1");
    put_config(host, "patroni", "ours", "/etc/patroni/config.yml",
               PATRONI("shop", "db1") "  parameters: {ssl: 'on', log_statement: all}\n");
    propose();
    assert_note("shop is pgha-deploy's already");
    assert_false(has_note("cannot have them"));
    assert_non_null(parameter("log_statement"));
    assert_null(parameter("ssl"));
}

static void test_what_runs(void **state)
{
    struct str *host;

    UNUSED(state);
    host = add_host("h");
    put_process(host, "postgres", "postgres");
    put_process(host, "pgbouncer", "pgbouncer");
    put_process(host, "etcd", "/usr/bin/etcd --name=one --data-dir /x");
    str_puts(host, "unit\tId=keepalived.service\nunit\tLoadState=loaded\nunit\tActiveState=active\n"
                   "unit\t\nunit\tId=haproxy.service\nunit\tActiveState=inactive\nunit\t\n");
    look();
    assert_true(discover_runs(&surveys[0].facts, "pgbouncer"));
    assert_true(discover_runs(&surveys[0].facts, "keepalived"));
    assert_false(discover_runs(&surveys[0].facts, "haproxy"));
    assert_false(discover_runs(&surveys[0].facts, "patroni"));
    assert_true(discover_has_etcd(&surveys[0].facts));
    assert_true(discover_has_balancer(&surveys[0].facts));
    assert_string_equal(discover_etcd_member(&surveys[0].facts, &arena), "one");
}

static void test_table(void **state)
{
    struct str *host;

    UNUSED(state);
    host = add_db("10.0.0.1", PATRONI("shop", "node1"));
    str_puts(host, "addr\t1: lo    inet 127.0.0.1/8 scope host lo\n"
                   "addr\t2: eth0    inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0\n"
                   "addr\t2: eth0    inet6 fe80::1/64 scope link\n");
    add_balancer("lb1");
    add_host("empty");
    add_silent("gone");
    look();
    discover_format(&d, &text);
    assert_string_equal(
        text.buf,
        "HOST      SYSTEM           ADDRESSES         RUNS\n"
        "10.0.0.1  Debian 13 amd64  eth0 10.0.0.1/24  PostgreSQL 17 port 5432 under Patroni\n"
        "                                             Patroni scope shop member node1\n"
        "                                             etcd member\n"
        "lb1       Debian 13 amd64                    HAProxy port 5000 5001\n"
        "empty     Debian 13 amd64                    -\n"
        "gone      no answer\n"
        "\n"
        "Patroni cluster shop: node1 (10.0.0.1)\n");
}

static void test_json(void **state)
{
    const struct value *v, *host;

    UNUSED(state);
    add_db("db1", PATRONI("shop", "node1"));
    add_silent("gone");
    look();
    v = discover_to_value(&d, &arena);
    host = value_get(v, "hosts")->u.list.items[0];
    assert_true(value_get_bool(host, "answered", false));
    assert_string_equal(value_get_str(value_get(host, "system"), "id", ""), "debian");
    host = value_get(host, "runs")->u.list.items[0];
    assert_string_equal(value_get_str(host, "service", ""), "postgresql");
    assert_string_equal(value_get_str(host, "system_id", ""), "7710595003157718202");
    host = value_get(v, "hosts")->u.list.items[1];
    assert_false(value_get_bool(host, "answered", true));
    assert_string_equal(value_get_str(host, "error", ""), "gone: connection refused");
    assert_null(value_get(host, "runs"));
    v = value_get(v, "clusters")->u.list.items[0];
    assert_string_equal(value_get_str(v, "scope", ""), "shop");
    v = value_get(v, "members")->u.list.items[0];
    assert_string_equal(value_get_str(v, "member", ""), "node1");
    assert_string_equal(value_get_str(v, "data_dir", ""), "/var/lib/postgresql/17/main");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_members),      TEST(test_one_member_a_host),
        TEST(test_two_scopes),   TEST(test_other_name),
        TEST(test_silent_hosts), TEST(test_groups_of_the_source),
        TEST(test_no_patroni),   TEST(test_parameters),
        TEST(test_secrets),      TEST(test_synchronous),
        TEST(test_other_stores), TEST(test_odd_configs),
        TEST(test_vip),          TEST(test_versions),
        TEST(test_data),         TEST(test_strange_names),
        TEST(test_ours),         TEST(test_what_runs),
        TEST(test_table),        TEST(test_json),
    };

    return cmocka_run_group_tests_name("discover", tests, NULL, NULL);
}
