/* test_survey.c - a host's answers made into facts: good ones, cut ones, hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/check/survey.h"

static void parse(struct host_survey *s, const char *text)
{
    memset(s, 0, sizeof(*s));
    survey_parse(s, text, strlen(text));
}

/* "config KIND OWNER PATH TEXT", with the last two encoded. */
static void put_config(struct str *out, const char *kind, const char *owner, const char *path,
                       const char *text)
{
    str_printf(out, "config\t%s\t%s\t", kind, owner);
    str_put_base64(out, path, strlen(path));
    str_putc(out, '\t');
    str_put_base64(out, text, strlen(text));
    str_putc(out, '\n');
}

static const char machine[] =
    "clock\t1795262014365\n"
    "uid\t0\nhostname\tdb1\nkernel\t6.1.0-40-amd64\nmachine\tx86_64\narch\tamd64\ncpus\t4\n"
    "virt\tkvm\nhave\tsystemd\nhave\tbash\nhave\tnft\nhave\tunfinished-boot\n"
    "os\tID=debian\nos\tVERSION_ID=\"13\"\nos\tPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n"
    "mem\tMemTotal:        1024000 kB\nmem\tMemAvailable:     512000 kB\n"
    "ssh\t10.0.0.1 50000 10.0.0.11 22\n"
    "disk\t1000000\t500000\netcd_disk\t2000000\t1500000\n"
    "fsync\t0.002\nfsync\t0.0005\nfsync\t1.5e-03\n"
    "nft\tworks\nnf_tables\t1\nend\t1\n";

static void test_machine(void **state)
{
    struct host_survey s;
    const struct host_facts *f = &s.facts;

    (void)state;
    parse(&s, machine);
    assert_true(f->complete && f->has_systemd && f->has_bash && f->nft_installed && f->nft_works &&
                f->is_booting);
    assert_false(f->has_python3);
    assert_int_equal(f->uid, 0);
    assert_int_equal(f->cpus, 4);
    assert_string_equal(f->hostname, "db1");
    assert_string_equal(f->os_id, "debian");
    assert_string_equal(f->os_version, "13");
    assert_string_equal(f->os_name, "Debian GNU/Linux 13 (trixie)");
    assert_string_equal(f->arch, "amd64");
    assert_string_equal(f->virtualization, "kvm");
    assert_true(f->memory_bytes == INT64_C(1024000) * 1024);
    assert_true(f->disk_free_bytes == INT64_C(500000) * 1024);
    assert_true(f->etcd_disk_total_bytes == INT64_C(2000000) * 1024);
    assert_int_equal(f->fsync_us, 1500);
    assert_int_equal(f->fsync_max_us, 2000);
    assert_int_equal(f->fsync_writes, 3);
    assert_string_equal(f->ssh_client_address, "10.0.0.1");
    assert_string_equal(f->ssh_server_address, "10.0.0.11");
    survey_release(&s);
}

static const char network[] =
    "nic\teth0\tdevice\tup\t02:fc:00:00:00:01\n"
    "nic\tbr0\tbridge\tup\t02:fc:00:00:00:02\n"
    "nic\tdocker0\tbridge\tdown\t02:42:00:00:00:02\n"
    "nic\tvethabc\tother\tup\t02:42:00:00:00:03\n"
    "nic\tlo\tother\tunknown\t00:00:00:00:00:00\n"
    "addr\t1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever\n"
    "addr\t2: eth0    inet 10.0.0.11/24 brd 10.0.0.255 scope global eth0\\       valid_lft x\n"
    "addr\t2: eth0    inet6 fe80::1/64 scope link \\       valid_lft forever\n"
    "addr\t3: br0    inet 192.0.2.9/28 scope global br0\n"
    "addr\t4: docker0    inet 172.17.0.1/16 scope global docker0\n"
    "route4\tdefault via 192.0.2.1 dev br0 proto static\n"
    "listen\tLISTEN 0      128    0.0.0.0:22 0.0.0.0:* users:((\"sshd\",pid=50,fd=6))\n"
    "listen\tLISTEN 0 400 10.0.0.11:5432 0.0.0.0:* "
    "users:((\"postgres\",pid=12,fd=6),(\"x\",pid=1,fd=2))\n"
    "listen\tLISTEN 0 400 [::1]:5433 [::]:*\n"
    "listen\tLISTEN 0 400 127.0.0.53%lo:53 0.0.0.0:*\n"
    "listen\tLISTEN 0 400 *:8008 *:* users:((\"patroni\",pid=99,fd=3))\n"
    "listen_done\t1\n";

static void test_network(void **state)
{
    struct host_survey s;
    const struct host_facts *f = &s.facts;
    const struct host_listener *l;

    (void)state;
    parse(&s, network);
    assert_int_equal(f->interfaces.n, 5);
    assert_int_equal(f->addresses.n, 5);
    assert_false(survey_address(f, "10.0.0.11")->is_virtual);
    assert_int_equal(survey_address(f, "10.0.0.11")->prefix, 24);
    assert_false(survey_address(f, "192.0.2.9")->is_virtual); /* the default route's bridge */
    assert_true(survey_address(f, "172.17.0.1")->is_virtual);
    assert_true(survey_address(f, "127.0.0.1")->is_virtual);
    assert_int_equal(survey_address(f, "fe80::1")->family, 6);
    assert_int_equal(survey_address(f, "fe80::1")->scope, SCOPE_LINK);
    assert_null(survey_address(f, "10.0.0.12"));
    assert_int_equal(f->routes.n, 1);
    assert_string_equal(f->routes.items[0].interface, "br0");
    assert_string_equal(f->routes.items[0].gateway, "192.0.2.1");
    assert_true(f->listeners_known);
    l = survey_listener(f, "10.0.0.11", 5432);
    assert_string_equal(l->process, "postgres");
    assert_int_equal(l->pid, 12);
    assert_null(survey_listener(f, "10.0.0.99", 5432));
    assert_string_equal(survey_listener(f, "10.0.0.99", 8008)->process, "patroni");
    assert_null(survey_listener(f, "::1", 5433)->process);
    assert_non_null(survey_listener(f, "127.0.0.53", 53));
    survey_release(&s);
}

static void test_software(void **state)
{
    struct host_survey s;
    const struct host_facts *f = &s.facts;

    (void)state;
    parse(&s, "pkg\tinstalled\tpostgresql-17\t17.6-1\npkg\tconfig-files\thaproxy\t3.0\n"
              "apt_lists\t3\n"
              "apt\tpatroni:\napt\t  Installed: (none)\napt\t  Candidate: 4.0.4-1\n"
              "apt\tetcd:\napt\t  Installed: (none)\napt\t  Candidate: (none)\n"
              "unit\tMainPID=7\nunit\tId=patroni.service\nunit\tLoadState=loaded\n"
              "unit\tActiveState=active\nunit\tUnitFileState=enabled\nunit\t\n"
              "unit\tId=etcd.service\nunit\tLoadState=not-found\nunit\tActiveState=inactive\n"
              "vrrp_id\t51\nvrrp_id\t300\nvrrp_instance\tdemo\n"
              "member\tdemo\ndcs_id\t7710595003157718202\ndcs_id\t5 and more\n"
              "etcd_data\tL3Zhci9saWIvZXRjZC9kZWZhdWx0\n"
              "process\t973\t1\tetcd\tL3Vzci9iaW4vZXRjZCA=\tLw==\n"
              "pgdata\tL3Zhci9saWIvcG9zdGdyZXNxbC8xNy9tYWlu\t17\t7710595003157718202\t12\t5432\t1\n"
              "pgdata\tL29sZA==\t9.6\tx\t0\t0\t0\n");
    assert_string_equal(survey_package(f, "postgresql-17"), "17.6-1");
    assert_null(survey_package(f, "haproxy"));
    assert_string_equal(survey_candidate(f, "patroni"), "4.0.4-1");
    assert_null(survey_candidate(f, "etcd"));
    assert_int_equal(f->apt_lists, 3);
    assert_true(survey_unit(f, "patroni.service")->running);
    assert_int_equal(survey_unit(f, "patroni.service")->pid, 7);
    assert_false(survey_unit(f, "etcd.service")->installed);
    assert_int_equal(f->vrrp_ids.n, 1);
    assert_string_equal(f->vrrp_instance, "demo");
    assert_string_equal(f->member_of, "demo");
    assert_true(f->dcs_system_id == UINT64_C(7710595003157718202));
    assert_string_equal(f->etcd_data.items[0], "/var/lib/etcd/default");
    assert_string_equal(f->processes.items[0].arguments, "/usr/bin/etcd ");
    assert_int_equal(f->pgdata.n, 2);
    assert_string_equal(f->pgdata.items[0].path, "/var/lib/postgresql/17/main");
    assert_true(f->pgdata.items[0].system_id == UINT64_C(7710595003157718202));
    assert_true(f->pgdata.items[0].under_patroni);
    assert_int_equal(f->pgdata.items[0].port, 5432);
    assert_int_equal(f->pgdata.items[1].version, 9);
    assert_true(f->pgdata.items[1].system_id == 0);
    assert_false(f->complete);
    survey_release(&s);
}

static void test_configs(void **state)
{
    struct host_survey s;
    struct str text;
    const struct host_config *c;

    (void)state;
    str_init(&text, STR_MAX_TEXT);
    put_config(&text, "patroni", "default", "/etc/patroni/dcs.yml", "#etcd:\n");
    put_config(&text, "patroni", "foreign", "/etc/patroni/a.yml",
               "scope: prod\nname: a\npostgresql: {data_dir: /data/pg}\n");
    put_config(&text, "patroni", "foreign", "/etc/patroni/broken.yml", "scope: [\n");
    put_config(&text, "etcd", "ours", "/etc/default/etcd",
               "# x\nETCD_NAME=db1\n ETCD_INITIAL_CLUSTER=\"a=http://b\"\n"
               "ETCD_INITIAL_CLUSTER_TOKEN=pgha-demo\n");
    put_config(&text, "haproxy", "default", "/etc/haproxy/haproxy.cfg", "");
    put_config(&text, "nginx", "ours", "/etc/nginx.conf", "");
    parse(&s, text.buf);
    assert_int_equal(s.facts.configs.n, 5);
    c = survey_config(&s.facts, CONFIG_PATRONI);
    assert_string_equal(c->path, "/etc/patroni/a.yml");
    assert_string_equal(c->scope, "prod");
    assert_string_equal(c->member, "a");
    assert_string_equal(c->data_dir, "/data/pg");
    c = survey_config(&s.facts, CONFIG_ETCD);
    assert_int_equal(c->owner, CONFIG_OURS);
    assert_string_equal(c->member, "db1");
    assert_string_equal(c->token, "pgha-demo");
    assert_string_equal(c->initial_cluster, "a=http://b");
    assert_null(c->data_dir);
    assert_int_equal(survey_config(&s.facts, CONFIG_HAPROXY)->owner, CONFIG_DEFAULT);
    assert_null(survey_config(&s.facts, CONFIG_HAPROXY)->text);
    assert_null(survey_config(&s.facts, CONFIG_KEEPALIVED));
    str_release(&text);
    survey_release(&s);
}

/* An answer that ends anywhere gives fewer facts, and is never taken for a whole one. */
static void test_cut(void **state)
{
    size_t len = strlen(machine);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        struct host_survey s;

        memset(&s, 0, sizeof(s));
        survey_parse(&s, machine, i);
        assert_false(s.facts.complete);
        survey_release(&s);
    }
}

static void test_nothing_is_unknown(void **state)
{
    struct host_survey s;
    const struct host_facts *f = &s.facts;

    (void)state;
    parse(&s, "");
    assert_int_equal(f->uid, -1);
    assert_int_equal(f->apt_lists, -1);
    assert_true(f->fsync_us < 0 && f->disk_free_bytes < 0 && f->clock_error_ms < 0);
    assert_null(f->hostname);
    survey_release(&s);
}

static void test_nonsense(void **state)
{
    struct host_survey s;
    const struct host_facts *f = &s.facts;

    (void)state;
    parse(&s,
          "uid\t-1\ncpus\t99999999999999999999\nmem\tMemTotal: 99999999999999999 kB\n"
          "disk\t12x\t-5\nfsync\tnan\nfsync\t-1\nfsync\t1e99\nfsync\t\n"
          "hostname\ta\033[31mb\xff\n"
          "addr\t\naddr\t2: eth0 inet\naddr\t2: eth0 ipx 1/2\naddr\t2: eth0 inet 1.2.3.4/99\n"
          "listen\tLISTEN\nlisten\tLISTEN 0 1 x\nlisten\tLISTEN 0 1 a:99999 b\n"
          "listen\tLISTEN 0 1 []:1 b users:((\"\nlisten\tLISTEN 0 1 a:2 b users:((\"x\",pid=\n"
          "config\tpatroni\tours\t!!!\t\nconfig\tpatroni\nconfig\t\t\t\t\n"
          "pgdata\t\t\t\t\t\t\nprocess\t1\nunit\t=\nunit\tId=\nunit\t\n\n\t\n\t\t\t\t\t\t\t\t\t\t\n"
          "route4\tdefault\nroute4\t\nnic\t\nos\t\nos\tID=\"\nvrrp_id\t0\nwhatever\t1\nend\n");
    assert_int_equal(f->uid, -1);
    assert_int_equal(f->cpus, 0);
    assert_true(f->memory_bytes == 0);
    assert_true(f->disk_total_bytes == -1 && f->disk_free_bytes == -1);
    assert_true(f->fsync_us == -1);
    assert_string_equal(f->hostname, "a?[31mb?");
    assert_int_equal(f->addresses.n, 1);
    assert_int_equal(f->addresses.items[0].prefix, 32);
    assert_int_equal(f->listeners.n, 2);
    assert_int_equal(f->configs.n, 0);
    assert_int_equal(f->pgdata.n + f->processes.n + f->units.n + f->routes.n, 0);
    assert_false(f->complete);
    survey_release(&s);
}

static void test_lists_end(void **state)
{
    struct host_survey s;
    struct str text;

    (void)state;
    str_init(&text, STR_MAX_TEXT);
    for (int i = 0; i < 2 * SURVEY_MAX_LIST; i++)
        str_printf(&text, "listen\tLISTEN 0 1 a:%d b\n", i + 1);
    parse(&s, text.buf);
    assert_int_equal(s.facts.listeners.n, SURVEY_MAX_LIST);
    survey_release(&s);
    str_release(&text);
}

static void test_clock(void **state)
{
    struct host_facts f = {.clock_error_ms = -1};

    (void)state;
    survey_set_clock(&f, 1500, 1000, 1100);
    assert_true(f.clock_offset_ms == 450 && f.clock_error_ms == 50);
    f.clock_error_ms = -1;
    survey_set_clock(&f, -5, 1000, 1100);
    survey_set_clock(&f, INT64_MAX, 1000, 1100);
    survey_set_clock(&f, 1500, 1100, 1000); /* this machine's clock was set back meanwhile */
    assert_true(f.clock_error_ms == -1);
}

static void test_look(void **state)
{
    static const char answer[] =
        "reach\t1\trefused\nreach\t0\topen\nreach\t2\tfiltered\n"
        "reach\t3\topen\nreach\t-1\topen\nreach\tx\topen\nreach\t0\n"
        "heard_by\tpython3\nvrrp\t10.0.0.9\t51\t100\nvrrp\t10.0.0.9\t51\t1\n"
        "vrrp\t10.0.0.8\t256\t1\nvrrp\t1\nmac\t02:00:00:00:00:01\n"
        "source\t0\t0\t\nsource\t1\t100\tNO_PUBKEY 1\nsource\t2\t7\t\nsource\t3\t0\t\nsource\t1\n"
        "answered\t1\nend\t1\n";
    struct source_probe sources[3] = {{.name = "a", .text = "Types: deb\nURIs: it's"}};
    struct reach_probe probes[3] = {{"a", "10.0.0.1", 1, REACH_UNKNOWN},
                                    {"a", "10.0.0.1", 2, REACH_UNKNOWN},
                                    {"b", "it's", 3, REACH_UNKNOWN}};
    struct host_look look = {.probes = probes,
                             .n_probes = 3,
                             .sources = sources,
                             .n_sources = 3,
                             .proxy = "http://10.0.0.5:3142",
                             .vip = "10.0.0.100",
                             .address = "10.0.0.1"};
    struct str script;

    (void)state;
    survey_look_parse(&look, answer, strlen(answer));
    assert_int_equal(probes[0].result, REACH_OPEN);
    assert_int_equal(probes[1].result, REACH_REFUSED);
    assert_int_equal(probes[2].result, REACH_FILTERED);
    assert_true(look.done && look.vip_facts.answered && !look.vip_facts.held);
    assert_string_equal(look.vip_facts.mac, "02:00:00:00:00:01");
    assert_string_equal(look.vip_facts.heard_by, "python3");
    assert_int_equal(look.vip_facts.adverts.n, 1);
    assert_true(sources[0].read && !sources[0].fault);
    assert_false(sources[1].read);
    assert_string_equal(sources[1].fault, "NO_PUBKEY 1");
    assert_string_equal(sources[2].fault, "apt-get update: exit status 7");
    sources[1].text = sources[2].text = "";
    str_init(&script, STR_MAX_TEXT);
    survey_look_put_script(&look, &script);
    assert_non_null(strstr(script.buf, "read_source 0 'Types: deb\nURIs: it'\\''s' -o "
                                       "'Acquire::http::Proxy=http://10.0.0.5:3142' &"));
    assert_non_null(strstr(script.buf, "try 2 'it'\\''s' 3 &"));
    assert_non_null(strstr(script.buf, "look_for '10.0.0.100' &"));
    str_release(&script);
    survey_look_release(&look);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machine),  cmocka_unit_test(test_network),
        cmocka_unit_test(test_software), cmocka_unit_test(test_configs),
        cmocka_unit_test(test_cut),      cmocka_unit_test(test_nothing_is_unknown),
        cmocka_unit_test(test_nonsense), cmocka_unit_test(test_lists_end),
        cmocka_unit_test(test_clock),    cmocka_unit_test(test_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
