/* test_place.c - existing hosts in a cluster file, and which of their addresses the members use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/check/place.h"

#define HEAD           "cluster: shop\nprovider:\n  name: existing\n  hosts:\n"
#define DB(name, vars) "    - {name: " name ", groups: [db], vars: {" vars "}}\n"

static int load(struct cluster *c, const char *text, struct str *faults_text)
{
    struct faults faults;
    int rc;

    faults_init(&faults);
    rc = cluster_load_text(c, "c.yaml", text, strlen(text), &faults);
    str_init(faults_text, STR_MAX_TEXT);
    faults_format(&faults, faults_text);
    faults_release(&faults);
    return rc;
}

static void accept(struct cluster *c, const char *text)
{
    struct str faults;

    if (load(c, text, &faults) < 0)
        fail_msg("%s", faults.buf);
    str_release(&faults);
}

static void refuse(const char *text, const char *expected)
{
    struct cluster c;
    struct str faults;

    if (load(&c, text, &faults) == 0 || !strstr(faults.buf, expected))
        fail_msg("wanted \"%s\", got: %s", expected, faults.buf);
    str_release(&faults);
    cluster_release(&c);
}

/* ---- the cluster file ---- */

static void test_hosts_of_the_file(void **state)
{
    struct cluster c;

    (void)state;
    accept(&c, HEAD "    - {name: front, groups: [lb]}\n" DB("a", "address: 10.0.0.1") DB("b", "")
                   DB("c", "") "network: {vip: 10.0.0.9}\n");
    assert_int_equal(c.hosts.n, 4);
    assert_string_equal(c.hosts.items[0].name, "a");
    assert_true(c.hosts.items[0].is_db && c.hosts.items[0].is_etcd);
    assert_string_equal(c.hosts.items[0].address, "10.0.0.1");
    assert_null(c.hosts.items[1].address);
    assert_string_equal(c.hosts.items[3].name, "front");
    assert_false(cluster_is_placed(&c));
    assert_string_equal(c.vip, "10.0.0.9");
    cluster_release(&c);
}

static void test_faults(void **state)
{
    (void)state;
    refuse("cluster: a\nprovider: {name: existing}\n", "needs its hosts");
    refuse("cluster: a\nprovider: {name: existing, inventory: /nowhere/x.ini}\n", "/nowhere/x.ini");
    refuse(HEAD "    - {name: a, groups: [lb]}\n", "no host is in the group db");
    refuse(HEAD DB("a", "") DB("b", ""), "even number");
    refuse(HEAD DB("a", "") DB("a", ""), "is there twice");
    refuse(HEAD "    - {name: a, groups: [web]}\n", "there is no group \"web\"");
    refuse(HEAD DB("a", "address: host.example"), "not an IPv4 address");
    refuse(HEAD DB("'a b'", ""), "cannot be the name of a member");
    refuse(HEAD DB("a", "") "    - {name: l, groups: [lb]}\n", "network.vip");
    refuse(HEAD DB("a", "") "network: {vip: 10.0.0.9}\n", "needs balancers");
    refuse(HEAD DB("a", "") "nodes: {db: {count: 3}}\n",
           "nodes.db.count: is a key of provider local");
}

static void test_places(void **state)
{
    struct arena arena = ARENA_INIT;
    struct value *places = value_map(&arena), *list = value_list(&arena), *v = value_map(&arena);
    struct value *seen = value_list(&arena);
    struct err err = ERR_INIT;
    struct cluster c;

    (void)state;
    accept(&c, HEAD DB("a", ""));
    value_map_set(&arena, v, "name", value_str(&arena, "a"));
    value_map_set(&arena, v, "address", value_str(&arena, "10.0.0.1"));
    value_map_set(&arena, v, "interface", value_str(&arena, "ens3"));
    value_list_add(&arena, list, v);
    value_list_add(&arena, seen, value_str(&arena, "192.0.2.7"));
    value_map_set(&arena, places, "hosts", list);
    value_map_set(&arena, places, "seen_from", seen);
    value_map_set(&arena, places, "system_id", value_str(&arena, "7575757575757575757"));
    assert_int_equal(cluster_place(&c, places, &err), 0);
    assert_true(cluster_is_placed(&c));
    assert_string_equal(c.hosts.items[0].interface, "ens3");
    assert_int_equal(c.own_networks.n, 2);
    assert_string_equal(c.own_networks.items[0], "10.0.0.1/32");
    assert_string_equal(c.own_networks.items[1], "192.0.2.7/32");
    assert_true(c.system_id == UINT64_C(7575757575757575757));
    assert_int_equal(cluster_place(&c, value_null(&arena), &err), -1);
    err_release(&err);
    arena_release(&arena);
    cluster_release(&c);
}

/* ---- the choice ---- */

struct lab {
    struct cluster cluster;
    struct host_facts facts[3];
    const struct host_facts *list[3];
    struct place places[3];
    struct arena arena;
    struct err err;
};

static void lab_init(struct lab *l, const char *extra)
{
    char *text = xasprintf(HEAD DB("a", "") DB("b", "") DB("c", "") "%s", extra);

    memset(l, 0, sizeof(*l));
    accept(&l->cluster, text);
    for (size_t i = 0; i < 3; i++)
        l->list[i] = &l->facts[i];
    free(text);
}

static void lab_release(struct lab *l)
{
    for (size_t i = 0; i < 3; i++) {
        vec_release(&l->facts[i].addresses);
        vec_release(&l->facts[i].routes);
    }
    err_release(&l->err);
    arena_release(&l->arena);
    cluster_release(&l->cluster);
}

static void add(struct lab *l, size_t host, const char *interface, const char *address, int prefix)
{
    struct host_address a = {.interface = interface,
                             .address = address,
                             .prefix = prefix,
                             .family = strchr(address, ':') ? 6 : 4,
                             .is_virtual = str_eq(interface, "docker0")};

    vec_push(&l->facts[host].addresses, a);
}

static void expect(struct lab *l, size_t host, const char *address)
{
    if (place_hosts(&l->cluster, l->list, l->places, &l->arena, &l->err) < 0)
        fail_msg("%s", l->err.text);
    assert_string_equal(l->places[host].address, address);
}

static void test_shared_private_network(void **state)
{
    static const char *const public_address[] = {"198.51.100.1", "198.51.100.2", "198.51.100.3"};
    static const char *const private_address[] = {"10.1.0.1", "10.1.0.2", "10.1.0.3"};
    struct lab l;

    (void)state;
    lab_init(&l, "");
    for (size_t i = 0; i < 3; i++) {
        add(&l, i, "docker0", "172.17.0.1", 16);
        add(&l, i, "eth0", "2001:db8::1", 64);
        add(&l, i, "eth0", public_address[i], 24);
        add(&l, i, "eth1", private_address[i], 16);
        l.facts[i].ssh_server_address = public_address[i];
    }
    expect(&l, 2, "10.1.0.3");
    assert_string_equal(l.places[2].interface, "eth1");
    assert_int_equal(l.places[2].prefix, 16);
    lab_release(&l);
}

static void test_no_shared_network(void **state)
{
    struct host_route route = {"eth0", "10.3.0.1", 4};
    struct lab l;

    (void)state;
    lab_init(&l, "");
    add(&l, 0, "eth0", "10.1.0.1", 24);
    add(&l, 1, "eth0", "10.2.0.1", 24);
    add(&l, 2, "eth1", "192.168.7.1", 24);
    add(&l, 2, "eth0", "10.3.0.7", 24);
    l.facts[0].ssh_server_address = "10.1.0.1";
    vec_push(&l.facts[2].routes, route); /* behind NAT: its login address is not its own */
    l.facts[2].ssh_server_address = "198.51.100.3";
    expect(&l, 0, "10.1.0.1");
    assert_string_equal(l.places[1].address, "10.2.0.1");
    assert_string_equal(l.places[2].address, "10.3.0.7");
    lab_release(&l);
}

static void test_given_network(void **state)
{
    struct lab l;

    (void)state;
    lab_init(&l, "network: {cidr: 10.9.0.0/24}\n");
    for (size_t i = 0; i < 3; i++) {
        add(&l, i, "eth0", "10.1.0.1", 24);
        add(&l, i, "eth1", "10.9.0.5", 24);
    }
    expect(&l, 1, "10.9.0.5");
    l.facts[1].addresses.n = 1;
    assert_int_equal(place_hosts(&l.cluster, l.list, l.places, &l.arena, &l.err), -1);
    assert_non_null(strstr(l.err.text, "b: none of its addresses fits: eth0 10.1.0.1/24"));
    lab_release(&l);
}

/* A host that was not asked stays where it is, and says nothing of the network that all share. */
static void test_not_asked(void **state)
{
    struct lab l;

    (void)state;
    lab_init(&l, "");
    add(&l, 0, "eth0", "10.1.0.1", 24);
    add(&l, 2, "eth0", "10.1.0.3", 24);
    l.list[1] = NULL;
    l.cluster.hosts.items[1].address = "10.1.0.2";
    expect(&l, 1, "10.1.0.2");
    assert_string_equal(l.places[2].address, "10.1.0.3");
    lab_release(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts_of_the_file),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_shared_private_network),
        cmocka_unit_test(test_no_shared_network),
        cmocka_unit_test(test_given_network),
        cmocka_unit_test(test_not_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
