/* test_cluster.c - the cluster file: defaults, every kind of fault, addresses, variables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/cluster/cluster.h"
#include "lib/cluster/schema.h"

static int load(struct cluster *c, const char *text, struct faults *faults)
{
    faults_init(faults);
    return cluster_load_text(c, "c.yaml", text, strlen(text), faults);
}

/* The text is refused, and one of the lines contains `expected`. */
static void refuse(const char *text, const char *expected)
{
    struct cluster c;
    struct faults faults;
    struct str lines;
    int rc = load(&c, text, &faults);

    str_init(&lines, STR_MAX_TEXT);
    faults_format(&faults, &lines);
    if (rc == 0 || !strstr(lines.buf, expected))
        fail_msg("wanted \"%s\" for:\n%s\ngot (%d):\n%s", expected, text, rc, lines.buf);
    str_release(&lines);
    cluster_release(&c);
    faults_release(&faults);
}

static void accept(struct cluster *c, const char *text)
{
    struct faults faults;
    struct str lines;

    if (load(c, text, &faults) < 0) {
        str_init(&lines, STR_MAX_TEXT);
        faults_format(&faults, &lines);
        fail_msg("refused:\n%s\n%s", text, lines.buf);
    }
    faults_release(&faults);
}

#define HEAD "cluster: demo\nprovider: {name: local}\n"

static void test_defaults(void **state)
{
    struct cluster c;

    (void)state;
    accept(&c, HEAD);
    assert_string_equal(c.name, "demo");
    assert_string_equal(c.topology, "patroni");
    assert_string_equal(c.cidr, "10.77.0.0/24");
    assert_string_equal(c.gateway, "10.77.0.1");
    assert_string_equal(c.vip, "10.77.0.100");
    assert_string_equal(c.preset->name, "default");
    assert_int_equal(c.hosts.n, 5);
    assert_string_equal(cluster_host_find(&c, "db1")->address, "10.77.0.11");
    assert_string_equal(cluster_host_find(&c, "lb2")->address, "10.77.0.52");
    assert_true(cluster_host_find(&c, "db3")->is_etcd);
    assert_int_equal(c.port_async, 5003);
    assert_string_equal(value_at(c.config, "postgres.synchronous")->u.str.s, "off");
    assert_string_equal(value_at(c.config, "access.ssh")->u.list.items[0]->u.str.s, "10.77.0.0/24");
    cluster_release(&c);
}

static void test_yaml_words(void **state)
{
    struct cluster c;

    (void)state;
    accept(&c, HEAD "postgres: {synchronous: on}\n");
    assert_string_equal(value_at(c.config, "postgres.synchronous")->u.str.s, "on");
    cluster_release(&c);
    accept(&c, HEAD "nodes:\nnetwork: ~\n"); /* empty sections are as good as none */
    assert_int_equal(c.hosts.n, 5);
    cluster_release(&c);
}

static void test_groups(void **state)
{
    struct cluster c;

    (void)state;
    accept(&c, HEAD "nodes: {db: {count: 2}, lb: {count: 0}, etcd: {count: 3}}\n");
    assert_null(c.vip);
    assert_int_equal(c.hosts.n, 5);
    assert_false(cluster_host_find(&c, "db1")->is_etcd);
    assert_string_equal(cluster_host_find(&c, "etcd1")->address, "10.77.0.71");
    cluster_release(&c);
    accept(&c, HEAD "network: {cidr: 10.1.2.0/28}\n");
    assert_string_equal(c.vip, "10.1.2.14");
    assert_string_equal(cluster_host_find(&c, "db1")->address, "10.1.2.2");
    assert_string_equal(cluster_host_find(&c, "lb2")->address, "10.1.2.6");
    cluster_release(&c);
    accept(&c, HEAD "network: {cidr: 10.1.2.0/28, vip: 10.1.2.4}\n"); /* hosts make room for it */
    assert_string_equal(cluster_host_find(&c, "db3")->address, "10.1.2.5");
    cluster_release(&c);
}

static void test_documents(void **state)
{
    struct str deep;

    (void)state;
    refuse("", "empty");
    refuse("# nothing\n", "empty");
    refuse("[a, b]\n", "map of keys");
    refuse("just text\n", "map of keys");
    refuse("\x01\x02\xff\xfe", "c.yaml:");
    refuse("cluster: [\n", "c.yaml:");
    refuse(HEAD "cluster: other\n", "c.yaml:3:1");
    str_init(&deep, STR_MAX_TEXT);
    str_puts(&deep, "cluster: ");
    for (int i = 0; i < 5000; i++)
        str_putc(&deep, '[');
    refuse(deep.buf, "c.yaml:1:");
    str_release(&deep);
}

static void test_keys(void **state)
{
    (void)state;
    refuse("provider: {name: local}\n", "cluster: is required");
    refuse("cluster: a\n", "provider: is required");
    refuse("cluster: a\nprovider: {}\n", "provider.name: is required");
    refuse("cluster: a\nprovider: {name: aws2}\n", "not one of");
    refuse(HEAD "postgress: {}\n", "did you mean \"postgres\"?");
    refuse(HEAD "postgress: {}\n", "c.yaml:3:1: unknown key \"postgress\"");
    refuse(HEAD "nodes: {db: {cuont: 3}}\n", "did you mean \"count\"?");
    refuse(HEAD "postgres: {users: [{nam: x}]}\n", "postgres.users[].name: is required");
    refuse(HEAD "nodes: {db: {count: three}}\n", "must be an integer, not");
    refuse(HEAD "nodes: {db: {count: 31}}\n", "out of range");
    refuse(HEAD "nodes: {db: 3}\n", "c.yaml:3:13: nodes.db: must be a section");
    refuse(HEAD "postgres: {version: 12}\n", "12 is out of range 15 to 17");
    refuse(HEAD "failover: {preset: fats}\n", "did you mean \"fast\"?");
}

static void test_names(void **state)
{
    static const char *const bad[] = {"Demo",
                                      "a b",
                                      "a;b",
                                      "$(id)",
                                      "-a",
                                      "a-",
                                      "a_b",
                                      "ä",
                                      "\"a\\nb\"",
                                      "1a",
                                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                      "a/../b"};
    char text[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(text, sizeof(text), "cluster: %s\nprovider: {name: local}\n", bad[i]);
        refuse(text, "is no valid name");
    }
    refuse("cluster: 1.5\nprovider: {name: local}\n", "must be a name");
    refuse("cluster: yes\nprovider: {name: local}\n", "quote it");
    refuse(HEAD "postgres: {users: [{name: \"x'; drop\"}]}\n", "is no valid name");
    refuse(HEAD "postgres: {users: [{name: a}, {name: a}]}\n", "is there twice");
    refuse(HEAD "postgres: {users: [{name: postgres}]}\n", "cluster's own");
    refuse(HEAD "postgres: {users: [{name: pg_me}]}\n", "belong to PostgreSQL");
    refuse(HEAD "postgres: {databases: [{name: app, owner: app}]}\n", "there is no user \"app\"");
}

static void test_networks(void **state)
{
    (void)state;
    refuse(HEAD "network: {vip: 10.78.0.5}\n", "outside network.cidr");
    refuse(HEAD "network: {vip: 10.77.0.1}\n", "gateway");
    refuse(HEAD "network: {vip: 10.77.0.255}\n", "broadcast");
    refuse(HEAD "network: {vip: 10.77.0.0}\n", "broadcast");
    refuse(HEAD "network: {vip: 10.77.0.12}\n", "address of db2");
    refuse(HEAD "network: {vip: here}\n", "is not an IPv4 address");
    refuse(HEAD "network: {cidr: 10.77.0.5/24}\n", "10.77.0.0/24");
    refuse(HEAD "network: {cidr: 10.77.0.0}\n", "is not an IPv4 network");
    refuse(HEAD "network: {cidr: 10.77.0.0/30}\n", "too small");
    refuse(HEAD "network: {cidr: 10.77.0.0/29}\nnodes: {db: {count: 5}}\n", "too small");
    refuse(HEAD "network: {cidr: 127.0.0.0/24}\n", "no network for hosts");
    refuse(HEAD "network: {cidr: 0.0.0.0/0}\n", "too large");
    refuse(HEAD "nodes: {lb: {count: 0}}\nnetwork: {vip: 10.77.0.100}\n", "needs balancers");
    refuse(HEAD "access: {ssh: [10.0.0.1/8]}\n", "10.0.0.0/8");
}

static void test_members(void **state)
{
    (void)state;
    refuse(HEAD "nodes: {etcd: {count: 2}}\n", "even number");
    refuse(HEAD "nodes: {etcd: {count: 0}}\n", "out of range");
    refuse(HEAD "nodes: {db: {count: 4}}\n", "even number");
    refuse(HEAD "nodes: {db: {count: 0}}\n", "out of range");
    refuse(HEAD "nodes: {etcd: {on: db, count: 3}}\n", "exclude each other");
    refuse(HEAD "nodes: {db: {count: 1}}\npostgres: {synchronous: strict}\n", "needs a standby");
}

static void test_ports(void **state)
{
    (void)state;
    refuse(HEAD "ports: {primary: 5001}\n", "taken by");
    refuse(HEAD "ports: {primary: 5432}\n", "taken by PostgreSQL");
    refuse(HEAD "ports: {primary: 0}\n", "out of range");
    refuse(HEAD "ports: {primary: 70000}\n", "out of range");
}

static void test_parameters(void **state)
{
    (void)state;
    refuse(HEAD "postgres: {parameters: {port: 1}}\n", "cannot be set here");
    refuse(HEAD "postgres: {parameters: {\"a b\": 1}}\n", "no name of a PostgreSQL parameter");
    refuse(HEAD "postgres: {parameters: {work_mem: [1]}}\n", "must be a string");
    refuse(HEAD "postgres: {parameters: {work_mem: \"a\\nb\"}}\n", "must be one line");
}

static void test_all_faults_at_once(void **state)
{
    struct cluster c;
    struct faults faults;

    (void)state;
    assert_int_equal(
        load(&c, "cluster: A\nprovider: {name: nope}\nx: 1\nnodes: {db: {count: a}}\n", &faults),
        -1);
    assert_true(faults.n >= 4);
    cluster_release(&c);
    faults_release(&faults);
}

static void test_example_is_valid(void **state)
{
    struct err err = ERR_INIT;
    struct cluster c;
    struct str text;

    (void)state;
    str_init(&text, STR_MAX_TEXT);
    assert_int_equal(cluster_write_example("local", "patroni", "shop", &text, &err), 0);
    accept(&c, text.buf);
    assert_string_equal(c.name, "shop");
    cluster_release(&c);
    str_clear(&text);
    assert_int_equal(cluster_write_example("existing", "patroni", "shop", &text, &err), 0);
    accept(&c, text.buf);
    assert_int_equal(c.hosts.n, 3);
    cluster_release(&c);
    assert_int_equal(cluster_write_example("nope", "patroni", "shop", &text, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    err_release(&err);
    str_release(&text);
}

static void test_presets_keep_patronis_rule(void **state)
{
    (void)state;
    for (const struct preset *p = presets; p->name; p++) {
        assert_true(p->loop_wait + 2 * p->retry_timeout <= p->ttl);
        assert_true(p->ttl >= 20);
        assert_true(p->advert_ms >= 10 && p->advert_ms <= 40950);
    }
}

static void test_cidr(void **state)
{
    uint32_t network;
    int prefix;

    (void)state;
    assert_int_equal(cidr_parse("10.0.0.0/8", &network, &prefix), 0);
    assert_int_equal(network, 0x0a000000);
    assert_int_equal(cidr_parse("0.0.0.0/0", &network, &prefix), 0);
    assert_int_equal(cidr_parse("10.0.0.0/33", &network, &prefix), -1);
    assert_int_equal(cidr_parse("10.0.0.0/", &network, &prefix), -1);
    assert_int_equal(cidr_parse("10.0.0.0/+8", &network, &prefix), -1);
    assert_int_equal(cidr_parse("10.0.0.0/8x", &network, &prefix), -1);
    assert_int_equal(cidr_parse("10.0.0/8", &network, &prefix), -1);
    assert_int_equal(cidr_parse("1111111111111111111111111111111111111111/8", &network, &prefix),
                     -1);
}

static void test_repositories(void **state)
{
    static const char format[] = "cluster: c\nprovider: {name: local}\npackages:\n  repositories:\n"
                                 "    - {name: a, uri: \"http://a\", suite: s, key: %s}\n";
    static const char armour[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n";
    char path[] = "/tmp/pgha-key.XXXXXX";
    struct cluster c;
    int fd = mkstemp(path);
    char *text = xasprintf(format, path), *missing = xasprintf(format, "/nowhere/a.asc");

    (void)state;
    assert_true(fd >= 0);
    refuse(text, "c.yaml:5:49: packages.repositories[].key: ");
    refuse(text, "is no key in ASCII armour");
    assert_int_equal(write(fd, armour, strlen(armour)), (ssize_t)strlen(armour));
    accept(&c, text);
    cluster_release(&c);
    refuse(missing, "No such file");
    close(fd);
    unlink(path);
    free(text);
    free(missing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_yaml_words),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_all_faults_at_once),
        cmocka_unit_test(test_example_is_valid),
        cmocka_unit_test(test_presets_keep_patronis_rule),
        cmocka_unit_test(test_cidr),
        cmocka_unit_test(test_repositories),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
