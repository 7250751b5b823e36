/* test_zones.c - a cloud's network: subnets by zone, hosts' places in them, the virtual address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "lib/cluster/zones.h"

/* A cluster file of provider aws: its keys, its network, more lines. */
static char *text_of(const char *provider, const char *network, const char *more)
{
    return xasprintf("cluster: demo\nprovider: {name: aws%s}\nnetwork: {%s}\n%s", provider, network,
                     more);
}

static void accept(struct cluster *c, const char *provider, const char *network, const char *more)
{
    char *text = text_of(provider, network, more);
    struct faults faults;
    struct str lines;

    faults_init(&faults);
    str_init(&lines, STR_MAX_TEXT);
    if (cluster_load_text(c, "c.yaml", text, strlen(text), &faults) < 0) {
        faults_format(&faults, &lines);
        fail_msg("refused:\n%s\n%s", text, lines.buf);
    }
    str_release(&lines);
    faults_release(&faults);
    free(text);
}

static void refuse(const char *provider, const char *network, const char *more,
                   const char *expected)
{
    char *text = text_of(provider, network, more);
    struct cluster c;
    struct faults faults;
    struct str lines;
    int rc;

    faults_init(&faults);
    str_init(&lines, STR_MAX_TEXT);
    rc = cluster_load_text(&c, "c.yaml", text, strlen(text), &faults);
    faults_format(&faults, &lines);
    if (rc == 0 || !strstr(lines.buf, expected))
        fail_msg("wanted \"%s\" for:\n%s\ngot (%d):\n%s", expected, text, rc, lines.buf);
    str_release(&lines);
    cluster_release(&c);
    faults_release(&faults);
    free(text);
}

static void assert_subnets(const struct cluster *c, const char *const *expected)
{
    size_t n = 0;

    for (; expected[n]; n++) {
        char *is = n < c->subnets.n
                       ? xasprintf("%s %s", c->subnets.items[n].name, c->subnets.items[n].cidr)
                       : xstrdup("none");

        assert_string_equal(is, expected[n]);
        free(is);
    }
    assert_int_equal(c->subnets.n, n);
}

static void assert_host(const struct cluster *c, const char *name, const char *address,
                        const char *subnet)
{
    const struct cluster_host *h = cluster_host_find(c, name);

    assert_non_null(h);
    assert_string_equal(h->address, address);
    assert_string_equal(c->subnets.items[h->subnet].name, subnet);
}

static void three_zones_by_default(void **state)
{
    static const char *const expected[] = {"private-1 10.3.0.0/19",
                                           "private-2 10.3.32.0/19",
                                           "private-3 10.3.64.0/19",
                                           "public-1 10.3.128.0/19",
                                           "public-2 10.3.160.0/19",
                                           "public-3 10.3.192.0/19",
                                           NULL};
    struct cluster c;

    UNUSED(state);
    accept(&c, "", "cidr: 10.3.0.0/16", "");
    assert_subnets(&c, expected);
    assert_false(c.subnets.items[2].is_public);
    assert_true(c.subnets.items[3].is_public);
    assert_int_equal(c.subnets.items[5].zone, 2);
    assert_host(&c, "db1", "10.3.0.11", "private-1");
    assert_host(&c, "db3", "10.3.64.11", "private-3");
    assert_host(&c, "lb2", "10.3.0.52", "private-1"); /* its address cannot leave the subnet */
    assert_string_equal(c.vip, "10.3.0.100");
    cluster_release(&c);
}

/* Whatever the zones and the size: in the network, of one size, and none in another. */
static void subnets_never_overlap(void **state)
{
    static const int largest[] = {27, 26, 25, 25, 24, 24, 24, 24}; /* prefix, by zones */
    static const char letters[] = "abcdefgh";

    UNUSED(state);
    for (int zones = 1; zones <= 8; zones++)
        for (int prefix = 16; prefix <= largest[zones - 1]; prefix++) {
            char list[3 * 8 + 1] = "", *provider, *network;
            struct cluster c;

            for (int i = 0; i < zones; i++)
                snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%c", i ? ", " : "",
                         letters[i]);
            provider = xasprintf(", zones: [%s]", list);
            network = xasprintf("cidr: 10.64.0.0/%d", prefix);
            accept(&c, provider, network, "nodes: {db: {count: 3}, lb: {count: 0}}");
            assert_int_equal(c.subnets.n, 2 * zones);
            for (size_t i = 0; i < c.subnets.n; i++) {
                const struct cluster_subnet *s = &c.subnets.items[i];
                uint32_t size = (uint32_t)1 << (32 - s->prefix);

                assert_int_equal(s->prefix, c.subnets.items[0].prefix);
                assert_true(s->prefix <= 28);
                assert_int_equal(s->network & c.netmask, c.network);
                assert_int_equal(s->network % size, 0);
                for (size_t k = 0; k < i; k++)
                    assert_true(c.subnets.items[k].network + size <= s->network);
            }
            cluster_release(&c);
            free(provider);
            free(network);
        }
}

static void each_host_has_a_place_of_its_own(void **state)
{
    struct cluster c;

    UNUSED(state);
    accept(&c, ", zones: [a, b]", "cidr: 10.3.0.0/24, vip: 10.255.0.1",
           "vip: {mode: route}\nnodes: {db: {count: 6}, lb: {count: 4}, etcd: {count: 5}}\n");
    assert_host(&c, "db1", "10.3.0.4", "private-1");
    assert_host(&c, "db2", "10.3.0.68", "private-2");
    assert_host(&c, "db6", "10.3.0.70", "private-2");
    assert_host(&c, "lb1", "10.3.0.14", "private-1");
    assert_host(&c, "lb2", "10.3.0.78", "private-2");
    assert_host(&c, "etcd5", "10.3.0.24", "private-1");
    for (size_t i = 0; i < c.hosts.n; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(c.hosts.items[i].address, c.hosts.items[k].address);
    cluster_release(&c);
}

static void networks_that_cannot_be(void **state)
{
    UNUSED(state);
    refuse("", "cidr: 10.2.0.0/15", "", "cannot be a VPC with 3 zones");
    refuse("", "cidr: 10.3.0.0/26", "", "use a prefix from /16 to /25");
    refuse(", zones: [a]", "cidr: 10.3.0.0/28", "", "cannot be a VPC with 1 zone (");
    refuse(", zones: []", "cidr: 10.3.0.0/16", "", "one to 8 of them");
    refuse(", zones: [a, b, c, d, e, f, g, h, i]", "cidr: 10.3.0.0/16", "", "one to 8 of them");
}

static void hosts_without_room(void **state)
{
    UNUSED(state);
    refuse(", zones: [a]", "cidr: 10.3.0.0/27", "nodes: {db: {count: 5}, lb: {count: 0}}",
           "nodes.db.count: subnet 10.3.0.0/28 has room for 4 of them, and 5 are asked for");
    refuse(", zones: [a]", "cidr: 10.3.0.0/27", "nodes: {db: {count: 3}, lb: {count: 3}}",
           "nodes.lb.count: subnet 10.3.0.0/28 has room for 2 of them, and 3 are asked for");
}

static void the_virtual_address(void **state)
{
    struct cluster c;

    UNUSED(state);
    accept(&c, ", zones: [a]", "cidr: 10.3.0.0/27", "");
    assert_string_equal(c.vip, "10.3.0.14");
    cluster_release(&c);
    accept(&c, "", "cidr: 10.3.0.0/16, vip: 10.3.31.254", "");
    assert_string_equal(c.vip, "10.3.31.254");
    cluster_release(&c);
    accept(&c, "", "cidr: 10.3.0.0/16", "nodes: {lb: {count: 0}}");
    assert_null(c.vip);
    cluster_release(&c);
    refuse("", "cidr: 10.3.0.0/16, vip: 10.3.32.9", "", "is not in 10.3.0.0/19");
    refuse("", "cidr: 10.3.0.0/16, vip: 10.2.255.9", "", "is not in 10.3.0.0/19");
    refuse("", "cidr: 10.3.0.0/16, vip: 10.3.0.3", "", "that AWS keeps");
    refuse("", "cidr: 10.3.0.0/16, vip: 10.3.31.255", "", "that AWS keeps");
    refuse("", "cidr: 10.3.0.0/16", "vip: {mode: route}", "needs an address outside");
    refuse("", "cidr: 10.3.0.0/16, vip: 10.3.200.1", "vip: {mode: route}", "where no route can be");
}

#define OPEN "access: {postgres: [198.51.100.0/24]}\nvip: {mode: eip}\n"

/* Balancers are where the internet gateway is; what the address is, the provider tells. */
static void an_elastic_ip(void **state)
{
    struct arena arena = ARENA_INIT;
    struct value *outputs = value_map(&arena);
    struct cluster c;

    UNUSED(state);
    accept(&c, ", zones: [a, b]", "cidr: 10.3.0.0/24", OPEN "nodes: {lb: {count: 3}}\n");
    assert_host(&c, "db2", "10.3.0.68", "private-2");
    assert_host(&c, "lb1", "10.3.0.142", "public-1");
    assert_host(&c, "lb2", "10.3.0.206", "public-2");
    assert_host(&c, "lb3", "10.3.0.143", "public-1");
    assert_string_equal(c.vip, CLUSTER_VIP_TO_COME);
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < c.hosts.n; k++)
            assert_string_not_equal(zones_spare_address(&c.subnets.items[2], i, &arena),
                                    c.hosts.items[k].address);
    value_map_set(&arena, outputs, "vip", value_str(&arena, "203.0.113.7"));
    cluster_take_outputs(&c, outputs);
    assert_string_equal(c.vip, "203.0.113.7");
    cluster_release(&c);

    accept(&c, "", "cidr: 10.3.0.0/16, vip: 203.0.113.9", OPEN);
    cluster_take_outputs(&c, outputs); /* of a run before it was given */
    assert_string_equal(c.vip, "203.0.113.9");
    cluster_release(&c);
    accept(&c, "", "cidr: 10.3.0.0/16", ""); /* of a run before it had another mode */
    cluster_take_outputs(&c, outputs);
    assert_string_equal(c.vip, "10.3.0.100");
    cluster_release(&c);
    accept(&c, "", "cidr: 10.3.0.0/16", "vip: {mode: eip}\nnodes: {lb: {count: 0}}\n");
    assert_null(c.vip);
    cluster_release(&c);

    refuse("", "cidr: 10.3.0.0/16, vip: 10.3.200.1", OPEN, "where no elastic IP can be");
    refuse("", "cidr: 10.3.0.0/16", "vip: {mode: eip}\n", "nobody outside of the VPC");
    refuse(", vpc: vpc-1, subnets: [{id: subnet-1, cidr: 10.3.0.0/24}]", "cidr: 10.3.0.0/16", OPEN,
           "eip needs public subnets");
    arena_release(&arena);
}

#define GIVEN ", vpc: vpc-1, subnets: "

static void existing_subnets(void **state)
{
    static const char *const expected[] = {"private-1 10.3.0.0/24", "private-2 10.3.7.0/25", NULL};
    struct cluster c;

    UNUSED(state);
    accept(&c, GIVEN "[{id: subnet-1, cidr: 10.3.0.0/24}, {id: subnet-2, cidr: 10.3.7.0/25}]",
           "cidr: 10.3.0.0/16", "");
    assert_subnets(&c, expected);
    assert_string_equal(c.subnets.items[1].id, "subnet-2");
    assert_host(&c, "db2", "10.3.7.11", "private-2");
    assert_host(&c, "db3", "10.3.0.12", "private-1");
    cluster_release(&c);
    refuse(", subnets: [{id: subnet-1, cidr: 10.3.0.0/24}]", "cidr: 10.3.0.0/16", "",
           "needs provider.vpc");
    refuse(GIVEN "[{id: subnet-1, cidr: 10.4.0.0/24}]", "cidr: 10.3.0.0/16", "",
           "10.4.0.0/24 is no subnet of network.cidr 10.3.0.0/16");
    refuse(GIVEN "[{id: subnet-1, cidr: 10.3.0.0/29}]", "cidr: 10.3.0.0/16", "", "is no subnet of");
    refuse(GIVEN "[{id: subnet-1, cidr: 10.0.0.0/8}]", "cidr: 10.3.0.0/16", "", "is no subnet of");
    refuse(GIVEN "[{id: vpc-1, cidr: 10.3.0.0/24}]", "cidr: 10.3.0.0/16", "",
           "\"vpc-1\" is no id of a subnet");
    refuse(GIVEN "[{id: subnet-1, cidr: 10.3.0.0/24}, {id: subnet-2, cidr: 10.3.0.128/25}]",
           "cidr: 10.3.0.0/16", "", "10.3.0.128/25 overlaps 10.3.0.0/24");
    refuse(GIVEN "[{id: subnet-1, cidr: 10.3.0.128/25}, {id: subnet-2, cidr: 10.3.0.0/24}]",
           "cidr: 10.3.0.0/16", "", "10.3.0.0/24 overlaps 10.3.0.128/25");
    refuse(", zones: [a]" GIVEN "[{id: subnet-1, cidr: 10.3.0.0/24}]", "cidr: 10.3.0.0/16", "",
           "the existing subnets have their zones");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_zones_by_default),
        cmocka_unit_test(subnets_never_overlap),
        cmocka_unit_test(each_host_has_a_place_of_its_own),
        cmocka_unit_test(networks_that_cannot_be),
        cmocka_unit_test(hosts_without_room),
        cmocka_unit_test(the_virtual_address),
        cmocka_unit_test(an_elastic_ip),
        cmocka_unit_test(existing_subnets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
