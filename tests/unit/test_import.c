/*
 * test_import.c - what is made of somebody else's files: which hosts, what each is for, and nothing
 * that is none of our business.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inventory/import.h"
#include "lib/doc/json.h"

static struct import im;
static struct faults faults;
static struct err err;
static struct arena arena;
static struct str text;

static int setup(void **state)
{
    UNUSED(state);
    import_init(&im);
    faults_init(&faults);
    arena_init(&arena);
    str_init(&text, STR_MAX_TEXT);
    err = (struct err)ERR_INIT;
    return 0;
}

static int teardown(void **state)
{
    UNUSED(state);
    import_release(&im);
    faults_release(&faults);
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

static void read_source(const char *file, const char *source)
{
    again();
    if (import_read_text(&im, file, source, strlen(source), NULL, &faults) < 0)
        fail_msg("%s", faults.items[0].text);
    if (import_propose(&im, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

/* {"db":[...],"lb":[...],"etcd":[...]} */
static void assert_groups(const char *wanted)
{
    str_clear(&text);
    json_write(value_get(import_value(&im, &arena), "groups"), JSON_TIGHT, &text);
    assert_string_equal(text.buf, wanted);
}

static const char *inventory(void)
{
    str_clear(&text);
    assert_int_equal(import_write_inventory(&im, &text, &err), 0);
    return text.buf;
}

static const char *cluster(void)
{
    str_clear(&text);
    import_write_cluster(&im, &text);
    return text.buf;
}

static void assert_fault(const char *format, const char *source, int line, const char *part)
{
    again();
    assert_int_equal(import_read_text(&im, "x", source, strlen(source), format, &faults), -1);
    if (!strstr(faults.items[0].text, part))
        fail_msg("'%s' has no '%s'", faults.items[0].text, part);
    assert_int_equal(faults.items[0].src.line, line);
}

static const struct import_host *host(const char *name)
{
    vec_each (h, &im.hosts)
        if (str_eq(h->name, name))
            return h;
    fail_msg("no host %s", name);
    return NULL;
}

/* ---- kinds ---- */

static void the_kind_is_found_by_content(void **state)
{
    static const struct {
        const char *source, *format;
    } cases[] = {
        {"{\"version\": 4, \"terraform_version\": \"1\", \"outputs\": {\"a\": {\"value\": "
         "\"10.0.0.1\", \"type\": \"string\"}}}",
         "terraform"},
        {"{\"a\": {\"value\": [\"10.0.0.1\"], \"type\": [], \"sensitive\": false}}", "terraform"},
        {"{\"_meta\": {}, \"db\": [\"a\"]}", "ansible"},
        {"# mine\n\nHost a\n  HostName 10.0.0.1\n", "ssh-config"},
        {"host a\nhostname=b\n", "ssh-config"},
        {"10.0.0.1\n10.0.0.2 # two\n", "list"},
        {"root@10.0.0.1:22\n", "list"},
        {"10.0.0.1 db1\n10.0.0.2 db2\n", "list"},
        {"db1 ansible_host=10.0.0.1\n", "ansible"},
        {"[db]\na\n", "ansible"},
        {"db:\n  hosts:\n    a:\n", "ansible"},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        read_source("x", cases[i].source);
        assert_string_equal(im.format, cases[i].format);
    }
    assert_int_equal(import_check_format("list", &err), 0);
    assert_int_equal(import_check_format("terrafrom", &err), -1);
    assert_non_null(strstr(err.hint, "terraform"));
}

/* ---- roles ---- */

static void roles_by_number(void **state)
{
    UNUSED(state);
    read_source("x", "10.0.0.1\n10.0.0.2\n10.0.0.3\n");
    assert_groups(
        "{\"db\":[\"db1\",\"db2\",\"db3\"],\"lb\":[],\"etcd\":[\"db1\",\"db2\",\"db3\"]}");
    read_source("x", "10.0.0.1\n10.0.0.2\n10.0.0.3\n10.0.0.4\n10.0.0.5\n");
    assert_groups("{\"db\":[\"db1\",\"db2\",\"db3\"],\"lb\":[\"lb1\",\"lb2\"],"
                  "\"etcd\":[\"db1\",\"db2\",\"db3\"]}");
    read_source("x", "a\nb\nc\nd\ne\nf\ng\nh\n");
    assert_groups("{\"db\":[\"a\",\"b\",\"c\"],\"lb\":[\"d\",\"e\"],\"etcd\":[\"f\",\"g\",\"h\"]}");
    read_source("x", "a\n");
    assert_groups("{\"db\":[\"a\"],\"lb\":[],\"etcd\":[\"a\"]}");
    assert_non_null(strstr(cluster(), "one database"));
    read_source("x", "a\nb\nlb1\n");
    assert_groups("{\"db\":[\"a\",\"b\"],\"lb\":[\"lb1\"],\"etcd\":[\"a\",\"b\",\"lb1\"]}");
}

static void roles_by_name(void **state)
{
    UNUSED(state);
    read_source("x",
                "pg-01.example.com\npg-02.example.com\nPG-03\nhaproxy1\netcd1\nwww.db.example.com\n"
                "pg-exporter\n");
    assert_groups("{\"db\":[\"pg-01.example.com\",\"pg-02.example.com\",\"PG-03\"],"
                  "\"lb\":[\"haproxy1\"],\"etcd\":[\"etcd1\"]}");
    assert_non_null(strstr(cluster(), "no role, so not touched: www.db.example.com, pg-exporter"));
    read_source("x", "master\nreplica-1\nreplica-2\n");
    assert_groups("{\"db\":[\"master\",\"replica-1\",\"replica-2\"],\"lb\":[],"
                  "\"etcd\":[\"master\",\"replica-1\",\"replica-2\"]}");
}

static void users_groups_are_kept(void **state)
{
    UNUSED(state);
    read_source("shop.ini",
                "[patroni]\na\nb\nc\n[web]\nd\n[consul]\nd\n[all:vars]\nvip=10.0.0.9\n");
    assert_string_equal(im.cluster, "shop");
    assert_groups("{\"db\":[\"a\",\"b\",\"c\"],\"lb\":[],\"etcd\":[\"d\"]}");
    assert_non_null(strstr(inventory(), "    db:\n      children:\n        patroni:\n"));
    assert_non_null(strstr(text.buf, "    web:\n      hosts:\n        d: {}\n"));
    assert_string_equal(im.vip, "10.0.0.9");
    read_source("x", "[db]\na\n[postgres]\nb\n");
    assert_groups("{\"db\":[\"a\"],\"lb\":[],\"etcd\":[\"a\"]}");
}

static void names_and_clusters(void **state)
{
    UNUSED(state);
    read_source("infra/Prod_DB/hosts", "a\n");
    assert_string_equal(im.cluster, "prod-db");
    read_source("x1",
                "{\"version\":4,\"terraform_version\":\"1\",\"resources\":["
                "{\"type\":\"aws_instance\",\"name\":\"db\",\"instances\":["
                "{\"attributes\":{\"private_ip\":\"10.0.0.1\",\"tags\":{\"Name\":\"My DB!\"}}},"
                "{\"attributes\":{\"private_ip\":\"10.0.0.2\",\"tags\":{\"Name\":\"My DB!\"}}},"
                "{\"index_key\":6,\"attributes\":{\"private_ip\":\"10.0.0.3\"}},"
                "{\"attributes\":{\"private_ip\":null}}]}]}");
    assert_groups("{\"db\":[\"My-DB\",\"My-DB-2\",\"db7\"],\"lb\":[],"
                  "\"etcd\":[\"My-DB\",\"My-DB-2\",\"db7\"]}");
    assert_non_null(strstr(cluster(), "db was left out"));
    again();
    assert_int_equal(import_read_text(&im, "x", "a", 1, NULL, &faults), 0);
    assert_int_equal(import_propose(&im, "Not a name", &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    again();
    assert_int_equal(import_read_text(&im, "x", "[g]\ndb\n", 7, NULL, &faults), 0);
    assert_int_equal(import_propose(&im, NULL, &err), -1);
    assert_non_null(strstr(err.hint, "db1"));
    read_source("x", "db\ndb\netcd\n");
    assert_groups("{\"db\":[\"db-2\",\"db-3\"],\"lb\":[],\"etcd\":[\"etcd-2\"]}");
    again();
    assert_int_equal(import_read_text(&im, "x", "# none", 6, "list", &faults), 0);
    assert_int_equal(import_propose(&im, NULL, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
}

/* ---- sources ---- */

static void states_give_away_no_secrets(void **state)
{
    static const char source[] =
        "{\"version\": 4, \"terraform_version\": \"1\", \"outputs\": {\"db_password\": {\"value\": "
        "\"s3cret\", \"type\": \"string\"}}, \"resources\": [{\"type\": \"hcloud_server\", "
        "\"name\": "
        "\"n\", \"instances\": [{\"attributes\": {\"id\": \"7\", \"name\": \"pg1\", "
        "\"ipv4_address\": "
        "\"192.0.2.1\", \"user_data\": \"s3cret\", \"labels\": {\"password\": \"s3cret\"}}}]}, "
        "{\"type\": \"hcloud_server_network\", \"name\": \"n\", \"instances\": [{\"attributes\": "
        "{\"server_id\": 7, \"ip\": \"10.0.0.1\"}}]}]}";

    UNUSED(state);
    read_source("x", source);
    assert_string_equal(host("pg1")->login, "192.0.2.1");
    assert_string_equal(host("pg1")->inside, "10.0.0.1");
    assert_string_equal(host("pg1")->user, "root");
    assert_null(strstr(inventory(), "s3cret"));
    assert_null(strstr(cluster(), "s3cret"));
    str_clear(&text);
    json_write(import_value(&im, &arena), JSON_TIGHT, &text);
    assert_null(strstr(text.buf, "s3cret"));
    assert_fault("terraform", "{\"version\": 4, s3cret}", 0, "not JSON");
    assert_null(strstr(faults.items[0].text, "s3cret"));
    assert_fault("terraform", "{\"version\": 3, \"terraform_version\": \"0.11\"}", 0, "version 3");
    assert_fault("terraform", "{\"a\": 1}", 0, "neither");
}

static void what_terraform_shows(void **state)
{
    UNUSED(state);
    read_source(
        "x", "{\"format_version\":\"1.0\",\"terraform_version\":\"1\",\"values\":{\"root_module\":{"
             "\"child_modules\":[{\"address\":\"module.db\",\"resources\":[{\"mode\":\"managed\","
             "\"type\":\"aws_instance\",\"name\":\"x\",\"index\":0,\"values\":{\"id\":\"i\","
             "\"private_ip\":\"10.0.0.1\"}}]}],\"resources\":[{\"type\":\"aws_eip\",\"name\":\"e\","
             "\"values\":{\"instance\":\"i\",\"public_ip\":\"192.0.2.1\"}}]}}}");
    assert_string_equal(host("x1")->login, "192.0.2.1");
    assert_true(host("x1")->role[IMPORT_DB]);
}

static void outputs(void **state)
{
    UNUSED(state);
    read_source(
        "x", "{\"pg\":{\"type\":[],\"value\":{\"one\":{\"public_ip\":\"192.0.2.1\",\"private_ip\":"
             "\"10.0.0.1\",\"user\":\"me\"},\"two\":{\"public_ip\":\"192.0.2.2\"}}},"
             "\"pg_private_ip\":{\"type\":[],\"value\":{\"two\":\"10.0.0.2\"}},"
             "\"secret\":{\"sensitive\":true,\"value\":\"10.9.9.9\",\"type\":\"string\"},"
             "\"url\":{\"value\":\"http://10.9.9.9/\",\"type\":\"string\"}}");
    assert_groups("{\"db\":[\"one\",\"two\"],\"lb\":[],\"etcd\":[\"one\"]}");
    assert_string_equal(host("two")->inside, "10.0.0.2");
    assert_string_equal(host("one")->user, "me");
}

static void ssh_config(void **state)
{
    UNUSED(state);
    read_source("x",
                "User first\nHost db1 db2\n  HostName %h.example.com\n  ProxyJump hop\nHost hop\n"
                "  HostName 192.0.2.9\n  User jump\n  ProxyJump outer:2200\n"
                "Host db2\n  HostName never\nHost db? !db2\n  Port 2222\n"
                "Host * # all\n  User last\n  IdentityFile \"~/a b\"\n");
    assert_string_equal(host("db1")->login, "db1.example.com");
    assert_string_equal(host("db1")->user, "first");
    assert_string_equal(host("db1")->key, "~/a b");
    assert_string_equal(host("db1")->jump, "first@outer:2200,first@192.0.2.9");
    assert_int_equal(host("db1")->port, 2222);
    assert_int_equal(host("db2")->port, 0);
    assert_true(host("hop")->aside);
    assert_fault("ssh-config", "Host a\nMatch user b\n", 2, "Match");
    assert_fault("ssh-config", "Include other\n", 1, "Include");
    assert_fault("ssh-config", "Host a\nHostName \"b\n", 2, "quote");
    assert_fault("ssh-config", "Host a\nHostName %k\n", 1, "token");
    assert_fault("ssh-config", "Host a\nPort x\n", 1, "no port");
    assert_fault("ssh-config", "Host a\n  ProxyJump a\n", 1, "circle");
    assert_fault("ssh-config", "Host a\n  ProxyJump 'x;y'\n", 1, "no ProxyJump");
}

static void lists(void **state)
{
    UNUSED(state);
    read_source("x",
                "127.0.0.1 localhost\n10.0.0.1 pg1 pg1.example.com\npg2 root@10.0.0.2:2222 # two\n"
                "me@pg3\npg4:23\n[2001:db8::1]:24 pg5\n");
    assert_string_equal(host("pg1")->login, "10.0.0.1");
    assert_string_equal(host("pg2")->user, "root");
    assert_int_equal(host("pg2")->port, 2222);
    assert_string_equal(host("pg3")->user, "me");
    assert_null(host("pg3")->login);
    assert_int_equal(host("pg4")->port, 23);
    assert_string_equal(host("pg5")->login, "2001:db8::1");
    assert_int_equal(host("pg5")->port, 24);
    assert_fault("list", "a\n10.0.0.1:99999\n", 2, "port");
    assert_fault("list", "-oProxyCommand=x\n", 1, "begin");
    assert_fault("list", "@10.0.0.1\n", 1, "USER@ADDRESS");
}

static void comments_stay_comments(void **state)
{
    UNUSED(state);
    read_source("x", "{\"a\\nprovider: {name: aws}\":{\"value\":\"10.0.0.1\",\"type\":\"string\"},"
                     "\"vip\\nx: y\":{\"value\":\"10.0.0.2\",\"type\":\"string\"}}");
    assert_null(strstr(cluster(), "\nx: y"));
    assert_null(strstr(text.buf, "\nprovider: {name: aws}"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_kind_is_found_by_content),
        TEST(roles_by_number),
        TEST(roles_by_name),
        TEST(users_groups_are_kept),
        TEST(names_and_clusters),
        TEST(states_give_away_no_secrets),
        TEST(what_terraform_shows),
        TEST(outputs),
        TEST(ssh_config),
        TEST(lists),
        TEST(comments_stay_comments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
