/* test_doctor.c - the judge: each check's levels, from made-up facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/check/doctor.h"

#define DATA_DIR "/var/lib/postgresql/17/main"
#define VRRP_ID  48

enum { DB1, DB2, DB3, LB1, LB2, HOSTS };

/* Five healthy hosts, three with etcd, which a test spoils. */
struct ward {
    struct cluster c;
    struct host_survey surveys[HOSTS];
    struct host_look looks[HOSTS];
    struct reach_probe probes[HOSTS][SURVEY_MAX_PROBES];
    struct doctor_host hosts[HOSTS];
    struct doctor doctor;
};

static const char healthy[] =
    "uid\t0\nkernel\t6.12\nmachine\tx86_64\narch\tamd64\ncpus\t4\nhave\tsystemd\nhave\tnft\n"
    "os\tID=debian\nos\tVERSION_ID=\"13\"\nos\tPRETTY_NAME=\"Debian 13\"\n"
    "mem\tMemTotal: 8000000 kB\ndisk\t90000000\t80000000\netcd_disk\t90000000\t80000000\n"
    "fsync\t0.001\nlisten_done\t1\nnft\tworks\napt_lists\t3\n"
    "apt\tpostgresql-17:\napt\t  Candidate: 17\napt\tpatroni:\napt\t  Candidate: 4\n"
    "apt\tpython3-etcd:\napt\t  Candidate: 0\napt\tpython3-dnspython:\napt\t  Candidate: 2\n"
    "apt\topenssl:\napt\t  Candidate: 3\napt\tetcd-server:\napt\t  Candidate: 3\n"
    "apt\tetcd-client:\napt\t  Candidate: 3\napt\thaproxy:\napt\t  Candidate: 3\n"
    "apt\tsocat:\napt\t  Candidate: 1\napt\tkeepalived:\napt\t  Candidate: 2\n"
    "apt\tnftables:\napt\t  Candidate: 1\napt\tiproute2:\napt\t  Candidate: 6\n";

static void set_up_host(struct ward *w, size_t i)
{
    const struct cluster_host *h = &w->c.hosts.items[i];
    struct host_survey *s = &w->surveys[i];
    struct host_look *look = &w->looks[i];
    struct str text;
    size_t wanted;

    str_init(&text, STR_MAX_TEXT);
    str_puts(&text, healthy);
    str_printf(&text,
               "hostname\t%s\nmachine_id\tm%s\nboot_id\tb%s\nnic\teth0\tdevice\tup\t02::%zu\n"
               "addr\t2: eth0 inet %s/24 scope global eth0\nend\t1\n",
               h->name, h->name, h->name, i, h->address);
    survey_parse(s, text.buf, text.len);
    str_release(&text);
    survey_set_clock(&s->facts, 1000, 990, 1010);
    s->step = SURVEY_DONE;
    look->probes = w->probes[i];
    look->n_probes = doctor_plan_probes(&w->c, h, look->probes, &wanted);
    for (size_t p = 0; p < look->n_probes; p++)
        look->probes[p].result = REACH_REFUSED;
    look->vip_facts.heard_by = "python3";
    look->done = true;
    w->hosts[i] = (struct doctor_host){h, s, look};
}

static struct ward *admit(const char *more)
{
    struct ward *w = xcalloc(1, sizeof(*w));
    struct faults faults;
    char *file = xasprintf("cluster: demo\nprovider: {name: local}\n%s", more);

    faults_init(&faults);
    if (cluster_load_text(&w->c, "c.yaml", file, strlen(file), &faults) < 0)
        fail_msg("%s", faults.items[0].text);
    faults_release(&faults);
    free(file);
    assert_int_equal(w->c.hosts.n, HOSTS);
    for (size_t i = 0; i < HOSTS; i++)
        set_up_host(w, i);
    return w;
}

static void judge(struct ward *w)
{
    struct doctor_input in = {&w->c, w->hosts, HOSTS, DATA_DIR, VRRP_ID};

    doctor_release(&w->doctor);
    memset(&w->doctor, 0, sizeof(w->doctor));
    doctor_judge(&in, &w->doctor);
}

static void discharge(struct ward *w)
{
    for (size_t i = 0; i < HOSTS; i++) {
        survey_release(&w->surveys[i]);
        survey_look_release(&w->looks[i]);
    }
    doctor_release(&w->doctor);
    cluster_release(&w->c);
    free(w);
}

static struct host_facts *facts(struct ward *w, size_t host)
{
    return &w->surveys[host].facts;
}

/* The check's only finding on this host has the level, and the words in it. */
static void expect(struct ward *w, const char *host, const char *check, enum doctor_level level,
                   const char *words)
{
    size_t found = 0;

    judge(w);
    vec_each (f, &w->doctor.findings) {
        if (!str_eq(f->host, host) || !str_eq(f->check, check))
            continue;
        found++;
        if (f->level != level || !strstr(f->text, words))
            fail_msg("%s %s: level %d, \"%s\"; wanted %d, \"%s\"", host ? host : "here", check,
                     (int)f->level, f->text, (int)level, words);
    }
    if (found != 1)
        fail_msg("%s %s: %zu findings", host ? host : "here", check, found);
}

#define ok(w, host, check, words)      expect(w, host, check, DOCTOR_OK, words)
#define warning(w, host, check, words) expect(w, host, check, DOCTOR_WARNING, words)
#define blocker(w, host, check, words) expect(w, host, check, DOCTOR_BLOCKER, words)

static void test_healthy(void **state)
{
    struct ward *w = admit("");
    struct str text;

    (void)state;
    judge(w);
    assert_int_equal(w->doctor.blockers, 0);
    assert_int_equal(w->doctor.warnings, 0);
    str_init(&text, STR_MAX_TEXT);
    doctor_format(&w->doctor, false, false, &text);
    assert_non_null(strstr(text.buf, "db2"));
    assert_null(strstr(text.buf, "fsync"));
    str_clear(&text);
    doctor_format(&w->doctor, true, false, &text);
    assert_non_null(strstr(text.buf, "fsync"));
    str_release(&text);
    discharge(w);
}

static void test_login(void **state)
{
    struct ward *w = admit("");

    (void)state;
    facts(w, DB1)->uid = 1000;
    blocker(w, "db1", "login", "user 1000");
    w->surveys[DB1].step = SURVEY_ASKING;
    err_set(&w->surveys[DB1].err, ERR_DENIED, "sudo refused the password");
    blocker(w, "db1", "login", "logged in to, but: sudo refused");
    w->surveys[DB1].step = SURVEY_CONNECTING;
    blocker(w, "db1", "login", "sudo refused");
    /* A host that is down has one finding, and is not blamed by the others. */
    for (size_t p = 0; p < w->looks[DB2].n_probes; p++)
        if (str_eq(w->probes[DB2][p].to, "db1"))
            w->probes[DB2][p].result = REACH_FILTERED;
    judge(w);
    assert_int_equal(w->doctor.blockers, 1);
    discharge(w);
}

static void test_system(void **state)
{
    struct ward *w = admit("");

    (void)state;
    ok(w, "db1", "system", "Debian 13");
    facts(w, DB1)->os_version = "11";
    warning(w, "db1", "system", "Debian 13");
    facts(w, DB1)->os_id = "fedora";
    facts(w, DB1)->apt_lists = -1;
    blocker(w, "db1", "system", "no apt");
    facts(w, DB1)->has_systemd = false;
    blocker(w, "db1", "system", "without systemd");
    facts(w, DB1)->os_id = "debian";
    facts(w, DB2)->arch = "arm64";
    facts(w, DB2)->machine = "aarch64";
    facts(w, DB3)->arch = "riscv64";
    facts(w, DB3)->machine = "x86_64";
    judge(w);
    assert_int_equal(w->doctor.warnings, 2); /* db2 differs from db1, db3 is not tested */
    discharge(w);
}

static void test_names(void **state)
{
    struct ward *w = admit("");

    (void)state;
    facts(w, DB2)->hostname = "db1";
    warning(w, "db2", "names", "that of db1");
    facts(w, DB2)->machine_id = facts(w, DB1)->machine_id;
    warning(w, "db2", "names", "machine id of db1");
    facts(w, DB2)->boot_id = facts(w, DB1)->boot_id;
    blocker(w, "db2", "names", "same machine as db1");
    discharge(w);
}

static void test_clock(void **state)
{
    struct ward *w = admit("");

    (void)state;
    facts(w, DB1)->clock_offset_ms = 205;
    ok(w, "db1", "clock", "205 ms");
    facts(w, DB1)->clock_offset_ms = -500;
    warning(w, "db1", "clock", "500 ms behind");
    facts(w, DB1)->clock_offset_ms = 1500;
    blocker(w, "db1", "clock", "1500 ms ahead of the others'");
    ok(w, NULL, "clock", "0 ms");
    facts(w, LB1)->clock_offset_ms = 1500;
    warning(w, "lb1", "clock", "ahead");
    facts(w, LB1)->clock_offset_ms = 7200000;
    blocker(w, "lb1", "clock", "7200 s ahead");
    facts(w, LB1)->clock_error_ms = -1;
    warning(w, "lb1", "clock", "not read");
    for (size_t i = 0; i < HOSTS; i++)
        facts(w, i)->clock_offset_ms = 5000;
    ok(w, "db1", "clock", "0 ms");
    warning(w, NULL, "clock", "behind the hosts'");
    for (size_t i = 0; i < HOSTS; i++)
        facts(w, i)->clock_offset_ms = -7200000;
    blocker(w, NULL, "clock", "ahead of the hosts'");
    discharge(w);
}

static void test_disk_and_memory(void **state)
{
    struct ward *w = admit("");

    (void)state;
    facts(w, DB1)->disk_free_bytes = INT64_C(4900000000);
    warning(w, "db1", "disk", "4.9 GB");
    facts(w, DB1)->disk_free_bytes = INT64_C(900000000);
    blocker(w, "db1", "disk", "/var/lib/postgresql has 0.9 GB");
    facts(w, DB1)->disk_free_bytes = -1;
    warning(w, "db1", "disk", "unknown");
    facts(w, DB2)->fsync_us = 20000;
    warning(w, "db2", "fsync", "20.0 ms");
    facts(w, DB2)->fsync_us = 150000;
    blocker(w, "db2", "fsync", "150.0 ms");
    facts(w, DB2)->fsync_us = -1;
    warning(w, "db2", "fsync", "not be measured");
    facts(w, DB3)->memory_bytes = INT64_C(512000000);
    warning(w, "db3", "memory", "512 MB");
    ok(w, "db1", "memory", "8.2 GB");
    discharge(w);
}

static void test_software(void **state)
{
    struct ward *w = admit("packages: {}\n");

    (void)state;
    facts(w, DB1)->candidates.n = 0;
    blocker(w, "db1", "packages", "postgresql-17, patroni");
    facts(w, DB1)->apt_lists = 0;
    warning(w, "db1", "packages", "no package lists");
    facts(w, DB2)->nft_works = false;
    blocker(w, "db2", "firewall", "nft list tables");
    facts(w, DB2)->nft_installed = false;
    warning(w, "db2", "firewall", "does not tell");
    facts(w, DB2)->has_nf_tables = true;
    ok(w, "db2", "firewall", "will be installed");
    discharge(w);
}

static void test_address(void **state)
{
    struct ward *w = admit("");

    (void)state;
    facts(w, DB1)->addresses.items[0].is_virtual = true;
    warning(w, "db1", "address", "other machines do not reach");
    facts(w, DB2)->addresses.n = 0;
    blocker(w, "db2", "address", "no address of any");
    discharge(w);
}

static void test_sources(void **state)
{
    struct ward *w = admit("");
    struct source_probe source = {.name = "pgdg", .read = true};

    (void)state;
    w->looks[DB1].sources = &source;
    w->looks[DB1].n_sources = 1;
    ok(w, "db1", "sources", "can read the repository pgdg");
    source.read = false;
    warning(w, "db1", "sources", "not tried");
    source.fault = "NO_PUBKEY 1";
    blocker(w, "db1", "sources", "repository pgdg: NO_PUBKEY 1");
    discharge(w);
}

static void test_ports(void **state)
{
    struct ward *w = admit("");
    struct host_listener l = {"0.0.0.0", "nginx", 5432, 77};
    struct host_config ours = {
        .kind = CONFIG_PATRONI, .owner = CONFIG_OURS, .scope = "demo", .path = "/etc/x"};

    (void)state;
    vec_push(&facts(w, DB1)->listeners, l);
    blocker(w, "db1", "ports", "port 5432 taken on 0.0.0.0 by nginx (pid 77)");
    l.port = 8008;
    vec_push(&facts(w, DB1)->listeners, l);
    blocker(w, "db1", "ports", "ports 5432, 8008 taken");
    facts(w, DB1)->listeners.n = 1;
    facts(w, DB1)->listeners.items[0].process = "postgres";
    blocker(w, "db1", "ports", "by postgres");
    vec_push(&facts(w, DB1)->configs, ours);
    ok(w, "db1", "ports", "3 free, 1 the cluster's own");
    facts(w, DB1)->listeners.items[0].address = "10.99.0.1"; /* another address of the host */
    ok(w, "db1", "ports", "4 free");
    facts(w, DB2)->listeners_known = false;
    warning(w, "db2", "ports", "no ss");
    discharge(w);
}

static void test_reach(void **state)
{
    struct ward *w = admit("");

    (void)state;
    ok(w, "db1", "reach", "8 ports");
    for (size_t p = 0; p < w->looks[DB1].n_probes; p++)
        if (str_eq(w->probes[DB1][p].to, "db3") && w->probes[DB1][p].port != 2379)
            w->probes[DB1][p].result = REACH_FILTERED;
    blocker(w, "db1", "reach", "db3 at 10.77.0.13 does not answer on ports 2380, 5432, 8008");
    w->probes[DB2][0].result = REACH_UNKNOWN;
    warning(w, "db2", "reach", "1 ports of others were not tried");
    err_set(&w->looks[LB1].err, ERR_NET, "the connection was lost");
    warning(w, "lb1", "reach", "connection was lost");
    warning(w, "lb1", "vip", "connection was lost");
    discharge(w);
}

static void test_probes_are_bounded(void **state)
{
    struct cluster c;
    struct faults faults;
    struct reach_probe probes[SURVEY_MAX_PROBES];
    static const char file[] = "cluster: demo\nprovider: {name: local}\n"
                               "nodes: {db: {count: 30}, etcd: {count: 5}}\n";
    size_t wanted, n;

    (void)state;
    faults_init(&faults);
    assert_int_equal(cluster_load_text(&c, "c.yaml", file, strlen(file), &faults), 0);
    n = doctor_plan_probes(&c, cluster_host_find(&c, "lb1"), probes, &wanted);
    assert_int_equal(n, 60); /* two ports of thirty members */
    assert_int_equal(wanted, 60);
    n = doctor_plan_probes(&c, cluster_host_find(&c, "db30"), probes, &wanted);
    assert_int_equal(n, 63); /* five of etcd, two of each other member */
    assert_int_equal(probes[0].port, 2379);
    assert_string_equal(probes[5].to, "db1"); /* the next in the ring */
    n = doctor_plan_probes(&c, cluster_host_find(&c, "etcd1"), probes, &wanted);
    assert_int_equal(n, 4);
    cluster_release(&c);
    faults_release(&faults);
}

static void test_postgresql(void **state)
{
    struct ward *w = admit("");
    struct host_pgdata d = {.path = "/data/old", .version = 15};
    struct host_config ours = {.kind = CONFIG_PATRONI, .owner = CONFIG_OURS, .scope = "demo"};

    (void)state;
    vec_push(&facts(w, DB1)->pgdata, d);
    warning(w, "db1", "postgresql", "/data/old: PostgreSQL 15; it stays");
    facts(w, DB1)->pgdata.items[0].version = 0; /* a folder of anything */
    ok(w, "db1", "postgresql", "no data directory");
    facts(w, DB1)->pgdata.items[0].version = 15;
    facts(w, DB1)->pgdata.items[0].pid = 9;
    blocker(w, "db1", "postgresql", "running as pid 9");
    facts(w, DB1)->pgdata.items[0].path = DATA_DIR;
    facts(w, DB1)->pgdata.items[0].pid = 0;
    facts(w, DB1)->pgdata.items[0].system_id = 77;
    blocker(w, "db1", "postgresql", DATA_DIR ": PostgreSQL 15 (system 77)");
    vec_push(&facts(w, DB1)->configs, ours);
    ok(w, "db1", "postgresql", "own");
    facts(w, DB1)->configs.items[0].scope = "prod";
    blocker(w, "db1", "patroni", "another cluster of pgha-deploy: prod");
    facts(w, DB1)->configs.items[0].owner = CONFIG_FOREIGN;
    facts(w, DB1)->configs.items[0].path = "/etc/patroni/prod.yml";
    blocker(w, "db1", "patroni", "/etc/patroni/prod.yml: Patroni of somebody else, scope prod");
    facts(w, DB1)->configs.n = 0;
    ok(w, "db1", "patroni", "none");
    vec_push(
        &facts(w, DB1)->processes,
        ((struct host_process){.name = "python3", .arguments = "python3 patroni x", .pid = 5}));
    blocker(w, "db1", "patroni", "pid 5");
    discharge(w);
}

static void test_etcd(void **state)
{
    struct ward *w = admit("");
    struct host_config config = {.kind = CONFIG_ETCD,
                                 .owner = CONFIG_OURS,
                                 .token = "pgha-demo",
                                 .path = "/etc/default/etcd"};
    const char *path = "/var/lib/etcd/default";

    (void)state;
    ok(w, "db1", "etcd", "none");
    vec_push(&facts(w, DB1)->etcd_data, path);
    warning(w, "db1", "etcd", "/var/lib/etcd/default holds data of another etcd");
    vec_push(&facts(w, DB1)->processes, ((struct host_process){.name = "etcd", .pid = 5}));
    blocker(w, "db1", "etcd", "and etcd runs");
    facts(w, DB1)->processes.n = 0;
    facts(w, DB1)->etcd_data.items[0] = "/var/lib/etcd/demo";
    blocker(w, "db1", "etcd", "/var/lib/etcd/demo holds data");
    vec_push(&facts(w, DB1)->configs, config);
    ok(w, "db1", "etcd", "own");
    facts(w, DB1)->etcd_data.n = 0;
    facts(w, DB1)->configs.items[0].token = "pgha-other";
    blocker(w, "db1", "etcd", "another cluster of pgha-deploy: pgha-other");
    facts(w, DB1)->configs.items[0].owner = CONFIG_FOREIGN;
    facts(w, DB1)->configs.items[0].initial_cluster = "a=http://b:2380";
    blocker(w, "db1", "etcd", "somebody else, members a=http://b:2380");
    discharge(w);
}

static void test_store(void **state)
{
    struct ward *w = admit("");
    struct host_pgdata data = {
        .path = "/var/lib/postgresql/17/main", .version = 17, .system_id = 7};
    struct host_config ours = {.kind = CONFIG_PATRONI, .owner = CONFIG_OURS, .scope = "demo"};

    (void)state;
    ok(w, "db1", "store", "empty");
    facts(w, DB1)->member_of = "demo";
    facts(w, DB1)->dcs_system_id = 7;
    ok(w, "db1", "store", "the system of the data");
    vec_push(&facts(w, DB1)->configs, ours);
    vec_push(&facts(w, DB1)->pgdata, data);
    ok(w, "db1", "store", "the system of the data");
    ok(w, "db1", "postgresql", "own");
    facts(w, DB1)->pgdata.items[0].system_id = 8;
    blocker(w, "db1", "store", "etcd holds the system 7, and the data on db1 is of the system 8");
    facts(w, DB1)->member_of = "other";
    ok(w, "db1", "store", "as elsewhere");
    discharge(w);
}

/* What is being taken over counts as the cluster's own; another scope does not. */
static void test_adoption(void **state)
{
    struct ward *w = admit("");
    struct host_config theirs = {.kind = CONFIG_PATRONI,
                                 .owner = CONFIG_FOREIGN,
                                 .scope = "legacy",
                                 .path = "/etc/patroni/config.yml"};
    struct host_config etcd = {.kind = CONFIG_ETCD,
                               .owner = CONFIG_FOREIGN,
                               .initial_cluster = "a=http://b:2380",
                               .path = "/etc/default/etcd"};

    (void)state;
    vec_push(&facts(w, DB1)->configs, theirs);
    vec_push(&facts(w, DB1)->configs, etcd);
    blocker(w, "db1", "patroni", "Patroni of somebody else, scope legacy");
    blocker(w, "db1", "etcd", "etcd of somebody else");
    w->c.adopts = "legacy";
    ok(w, "db1", "patroni", "own");
    ok(w, "db1", "etcd", "own");
    w->c.adopts = "other";
    blocker(w, "db1", "patroni", "Patroni of somebody else, scope legacy");
    discharge(w);
}

static void test_balancer(void **state)
{
    struct ward *w = admit("");
    struct host_config haproxy = {
        .kind = CONFIG_HAPROXY, .owner = CONFIG_DEFAULT, .path = "/etc/haproxy/haproxy.cfg"};

    (void)state;
    vec_push(&facts(w, LB1)->configs, haproxy);
    ok(w, "lb1", "balancer", "none");
    facts(w, LB1)->configs.items[0].owner = CONFIG_FOREIGN;
    blocker(w, "lb1", "balancer", "haproxy.cfg: HAProxy of somebody else");
    facts(w, LB1)->configs.items[0].owner = CONFIG_OURS;
    ok(w, "lb1", "balancer", "own");
    facts(w, LB1)->vrrp_instance = "other";
    blocker(w, "lb1", "balancer", "another cluster of pgha-deploy: other");
    discharge(w);
}

static void test_vip(void **state)
{
    struct ward *w = admit("");
    struct host_address vip = {.interface = "eth0", .address = "10.77.0.100", .family = 4};
    struct host_config ours = {.kind = CONFIG_KEEPALIVED, .owner = CONFIG_OURS, .path = "/x"};
    struct vrrp_advert advert = {"10.77.0.52", VRRP_ID, 100};

    (void)state;
    ok(w, "lb1", "vip", "10.77.0.100 is free");
    w->looks[LB1].vip_facts.answered = true;
    blocker(w, "lb1", "vip", "in use, by no host of the cluster");
    w->looks[LB1].vip_facts.mac = "02::9";
    blocker(w, "lb1", "vip", "in use by 02::9");
    w->looks[LB1].vip_facts.mac = "02::4"; /* lb2's interface */
    ok(w, "lb1", "vip", "held by lb2");
    w->looks[LB1].vip_facts.mac = NULL;
    w->surveys[LB2].step = SURVEY_CONNECTING;
    warning(w, "lb1", "vip", "perhaps by a balancer that did not answer");
    w->surveys[LB2].step = SURVEY_DONE;
    vec_push(&facts(w, LB2)->addresses, vip);
    ok(w, "lb1", "vip", "held by lb2");
    blocker(w, "lb2", "vip", "an address of its own");
    vec_push(&facts(w, LB2)->configs, ours);
    facts(w, LB2)->vrrp_instance = "demo";
    ok(w, "lb2", "vip", "held by lb2");
    facts(w, LB2)->addresses.n = 1;
    vec_push(&facts(w, DB1)->addresses, vip);
    blocker(w, "lb1", "vip", "the address of db1");
    vec_push(&w->looks[LB1].vip_facts.adverts, advert);
    ok(w, "lb1", "vrrp", "nobody else has virtual_router_id 48");
    w->looks[LB1].vip_facts.adverts.items[0] = (struct vrrp_advert){"10.77.0.9", 51, 100};
    ok(w, "lb1", "vrrp", "others have other ids");
    w->looks[LB1].vip_facts.adverts.items[0].id = VRRP_ID;
    blocker(w, "lb1", "vrrp", "in use by 10.77.0.9");
    w->looks[LB1].vip_facts.heard_by = NULL;
    warning(w, "lb1", "vrrp", "not listened");
    discharge(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_healthy),  cmocka_unit_test(test_login),
        cmocka_unit_test(test_system),   cmocka_unit_test(test_names),
        cmocka_unit_test(test_clock),    cmocka_unit_test(test_disk_and_memory),
        cmocka_unit_test(test_software), cmocka_unit_test(test_address),
        cmocka_unit_test(test_sources),  cmocka_unit_test(test_ports),
        cmocka_unit_test(test_reach),    cmocka_unit_test(test_postgresql),
        cmocka_unit_test(test_etcd),     cmocka_unit_test(test_store),
        cmocka_unit_test(test_adoption), cmocka_unit_test(test_balancer),
        cmocka_unit_test(test_vip),      cmocka_unit_test(test_probes_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
