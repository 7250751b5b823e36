/* test_aws_rules.c - who may reach which hosts: AWS's security groups say what the hosts' firewall
 * says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "providers/aws/aws.h"

#define HEAD "cluster: demo\nprovider: {name: aws}\nnetwork: {cidr: 10.3.0.0/16}\n"

static void assert_rules(const char *more, const char *group, const char *expected)
{
    char *text = xasprintf(HEAD "%s", more);
    struct arena a = ARENA_INIT;
    struct cluster c;
    struct faults faults;
    struct value *rules;
    struct str lines;

    faults_init(&faults);
    str_init(&lines, STR_MAX_TEXT);
    if (cluster_load_text(&c, "c.yaml", text, strlen(text), &faults) < 0) {
        faults_format(&faults, &lines);
        fail_msg("refused: %s", lines.buf);
    }
    rules = aws_rules(&c, group, &a);
    for (size_t i = 0; i < rules->u.list.n; i++)
        str_printf(&lines, "%s\n", rules->u.list.items[i]->u.str.s);
    assert_string_equal(lines.buf, expected);
    str_release(&lines);
    arena_release(&a);
    cluster_release(&c);
    faults_release(&faults);
    free(text);
}

static void members_and_balancers_reach_members(void **state)
{
    UNUSED(state);
    assert_rules("", "db",
                 "icmp from 10.3.0.0/16\n"
                 "tcp 22 from 10.3.0.0/16\n"
                 "tcp 5432 from 10.3.0.0/16\n"
                 "tcp 5432 from group db\n"
                 "tcp 5432 from group lb\n"
                 "tcp 8008 from 10.3.0.0/16\n"
                 "tcp 8008 from group db\n"
                 "tcp 8008 from group lb\n");
}

/* No rule names a group that there is not. */
static void without_balancers_no_group_of_theirs(void **state)
{
    UNUSED(state);
    assert_rules("nodes: {lb: {count: 0}}\n", "db",
                 "icmp from 10.3.0.0/16\n"
                 "tcp 22 from 10.3.0.0/16\n"
                 "tcp 5432 from 10.3.0.0/16\n"
                 "tcp 5432 from group db\n"
                 "tcp 8008 from 10.3.0.0/16\n"
                 "tcp 8008 from group db\n");
}

static void access_and_ports_are_the_cluster_files(void **state)
{
    UNUSED(state);
    assert_rules("access: {ssh: [192.0.2.0/24], postgres: [198.51.100.0/24, 203.0.113.7/32]}\n"
                 "ports: {primary: 5433}\n",
                 "lb",
                 "112 from group lb\n"
                 "icmp from 10.3.0.0/16\n"
                 "tcp 22 from 10.3.0.0/16\n"
                 "tcp 22 from 192.0.2.0/24\n"
                 "tcp 5001 from 10.3.0.0/16\n"
                 "tcp 5001 from 198.51.100.0/24\n"
                 "tcp 5001 from 203.0.113.7/32\n"
                 "tcp 5002 from 10.3.0.0/16\n"
                 "tcp 5002 from 198.51.100.0/24\n"
                 "tcp 5002 from 203.0.113.7/32\n"
                 "tcp 5003 from 10.3.0.0/16\n"
                 "tcp 5003 from 198.51.100.0/24\n"
                 "tcp 5003 from 203.0.113.7/32\n"
                 "tcp 5433 from 10.3.0.0/16\n"
                 "tcp 5433 from 198.51.100.0/24\n"
                 "tcp 5433 from 203.0.113.7/32\n"
                 "tcp 7000 from 10.3.0.0/16\n"
                 "tcp 7000 from 192.0.2.0/24\n");
}

static void only_members_ask_etcd(void **state)
{
    UNUSED(state);
    assert_rules("nodes: {etcd: {count: 3}}\naccess: {ssh: [192.0.2.0/24]}\n", "etcd",
                 "icmp from 10.3.0.0/16\n"
                 "tcp 22 from 10.3.0.0/16\n"
                 "tcp 22 from 192.0.2.0/24\n"
                 "tcp 2379 from 10.3.0.0/16\n"
                 "tcp 2379 from 192.0.2.0/24\n"
                 "tcp 2379 from group db\n"
                 "tcp 2379 from group etcd\n"
                 "tcp 2380 from group etcd\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_and_balancers_reach_members),
        cmocka_unit_test(without_balancers_no_group_of_theirs),
        cmocka_unit_test(access_and_ports_are_the_cluster_files),
        cmocka_unit_test(only_members_ask_etcd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
