/*
 * test_local.c - the local provider's pure parts: names, networks, the image's recipe, planting.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "providers/local/local.h"

/* --- names --- */

static void test_names_fit_and_differ(void **state)
{
    char a[IFNAMSIZ], b[IFNAMSIZ], c[IFNAMSIZ];

    UNUSED(state);
    local_bridge_name("demo", a);
    assert_int_equal(strlen(a), strlen("pgha-12345678"));
    assert_true(str_starts(a, "pgha-"));
    local_bridge_name("demo2", b);
    assert_string_not_equal(a, b);
    local_bridge_name("demo", b);
    assert_string_equal(a, b);
    local_link_name("a-b", "c", b);
    local_link_name("a", "b-c", c);
    assert_string_not_equal(b, c);
    assert_true(str_starts(b, "pghv-"));
}

static void test_macs_are_local_unicast(void **state)
{
    char a[MAC_SIZE], b[MAC_SIZE];

    UNUSED(state);
    local_mac("pgha-demo-db1", a);
    local_mac("pgha-demo-db2", b);
    assert_int_equal(strlen(a), MAC_SIZE - 1);
    assert_true(str_starts(a, "02:"));
    assert_string_not_equal(a, b);
}

static void test_host_of_id(void **state)
{
    static const struct {
        const char *id, *cluster, *host;
    } cases[] = {
        {"pgha-demo-db1", "demo", "db1"},
        {"pgha-a-b-db1", "a-b", "db1"},
        {"pgha-a-b-db1", "a", NULL}, /* of another cluster, whose name begins the same */
        {"pgha-demo2-db1", "demo", NULL},
        {"pgha-demo-", "demo", NULL},
        {"pgha-demo", "demo", NULL},
        {"pgha-", "demo", NULL},
        {"", "demo", NULL},
        {"pgha-demo-db1.scope", "demo", NULL},
        {"pbt-demo-db1", "demo", NULL},
        {"pgha-image", "image", NULL},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *host = local_host_of_id(cases[i].id, cases[i].cluster);

        if (!str_eq(host, cases[i].host))
            fail_msg("%s of %s: %s", cases[i].id, cases[i].cluster, host ? host : "NULL");
    }
    assert_string_equal(local_host_of_alias("pgha demo/lb2", "demo"), "lb2");
    assert_null(local_host_of_alias("pgha demo", "demo"));
    assert_null(local_host_of_alias("pgha demo2/lb2", "demo"));
    assert_null(local_host_of_alias("", "demo"));
}

static void test_host_of_volume(void **state)
{
    static const struct {
        const char *backing, *cluster, *host;
    } cases[] = {
        {LOCAL_CLUSTERS "/demo/db1/volume.img", "demo", "db1"},
        {LOCAL_CLUSTERS "/demo/db1/volume.img (deleted)", "demo", NULL},
        {"/big/disk/local/demo/db12/volume.img", "demo", "db12"}, /* reached by a link */
        {"/local/demo/x/local/demo/db1/volume.img", "demo", "db1"},
        {LOCAL_CLUSTERS "/demo/db1/volume.img", "dem", NULL},
        {LOCAL_CLUSTERS "/demo2/db1/volume.img", "demo", NULL},
        {LOCAL_CLUSTERS "/demo/db1/volume.img.new", "demo", NULL},
        {LOCAL_CLUSTERS "/demo/db1/upper/volume.img", "demo", NULL},
        {LOCAL_CLUSTERS "/demo//volume.img", "demo", NULL},
        {LOCAL_CLUSTERS "/demo/d b/volume.img", "demo", NULL},
        {"/demo/db1/volume.img", "demo", NULL},
        {"", "demo", NULL},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char host[LOCAL_ID_SIZE];
        bool is = local_host_of_volume(cases[i].backing, cases[i].cluster, host, sizeof(host));

        if (is != !!cases[i].host || (is && !str_eq(host, cases[i].host)))
            fail_msg("%s of %s: %s", cases[i].backing, cases[i].cluster, is ? host : "no");
    }
    {
        char host[4];

        assert_true(local_host_of_volume("/local/demo/db1/volume.img", "demo", host, 4));
        assert_false(local_host_of_volume("/local/demo/db12/volume.img", "demo", host, 4));
    }
}

static void test_longest_names_fit(void **state)
{
    struct cluster cluster = {.name = "a23456789-123456789-123456789-12"};
    struct provider_session s = {.cluster = &cluster,
                                 .folder = LOCAL_CLUSTERS "/a23456789-123456789-123456789-12",
                                 .cgroups = "/sys/fs/cgroup/unified"};
    struct host_place place;

    UNUSED(state);
    assert_int_equal(strlen(cluster.name), CLUSTER_NAME_MAX);
    host_place_init(&place, &s, "etcd200");
    assert_string_equal(place.id, "pgha-a23456789-123456789-123456789-12-etcd200");
    assert_true(str_ends(place.upper, "/etcd200/upper"));
    assert_string_equal(local_host_of_id(place.id, cluster.name), "etcd200");
}

/* --- networks --- */

static struct subnet subnet(const char *cidr)
{
    struct subnet s;

    if (!subnet_parse(cidr, &s))
        fail_msg("%s", cidr);
    return s;
}

static void test_subnet_parse(void **state)
{
    static const char *const bad[] = {"",
                                      "10.0.0.0",
                                      "10.0.0.0/",
                                      "10.0.0.0/33",
                                      "10.0.0.0/-1",
                                      "10.0.0.0/+8",
                                      "10.0.0.0/ 8",
                                      "10.0.0.0/8x",
                                      "10.0.0.1/24", /* host bits */
                                      "10.0.0/24",
                                      "10.0.0.256/24",
                                      "::/0",
                                      "10.0.0.0/99999999999999999999",
                                      "1000000000000000000000000000000.0.0.0/8"};
    struct subnet s;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (subnet_parse(bad[i], &s))
            fail_msg("taken: '%s'", bad[i]);
    }
    s = subnet("10.77.0.0/24");
    assert_int_equal(s.network, 0x0a4d0000);
    assert_int_equal(s.prefix, 24);
    assert_int_equal(subnet("0.0.0.0/0").prefix, 0);
    assert_int_equal(subnet("10.1.2.3/32").network, 0x0a010203);
}

static void test_subnet_overlaps(void **state)
{
    static const struct {
        const char *a, *b;
        bool overlap;
    } cases[] = {
        {"10.77.0.0/24", "10.77.0.0/24", true},    {"10.77.0.0/24", "10.77.1.0/24", false},
        {"10.77.0.0/16", "10.77.9.0/24", true},    {"10.77.0.0/25", "10.77.0.128/25", false},
        {"0.0.0.0/0", "10.77.0.0/24", true},       {"10.77.0.5/32", "10.77.0.0/24", true},
        {"255.255.255.255/32", "0.0.0.0/1", false}};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct subnet a = subnet(cases[i].a), b = subnet(cases[i].b);

        assert_int_equal(subnet_overlaps(&a, &b), cases[i].overlap);
        assert_int_equal(subnet_overlaps(&b, &a), cases[i].overlap);
    }
}

static void test_routes(void **state)
{
    static const char text[] =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n"
        "eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        "pgha-1\t00004D0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        "nonsense\n"
        "tun1\t00004E0A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
    struct subnets taken = {.arena = ARENA_INIT};

    UNUSED(state);
    subnets_add_routes(&taken, text, "pgha-1");
    assert_int_equal(taken.list.n, 2); /* no default routes, not our own */
    assert_int_equal(taken.list.items[0].network, 0x0a000200);
    assert_int_equal(taken.list.items[0].prefix, 24);
    assert_int_equal(taken.list.items[1].network, 0x0a4e0000);
    assert_int_equal(taken.list.items[1].prefix, 16);
    assert_non_null(strstr(taken.list.items[1].owner, "tun1"));
    subnets_add_routes(&taken, "", "pgha-1");
    subnets_add_routes(&taken, "heading only\n", "pgha-1");
    assert_int_equal(taken.list.n, 2);
    vec_release(&taken.list);
    arena_release(&taken.arena);
}

static void test_suggest(void **state)
{
    struct subnets taken = {.arena = ARENA_INIT};
    char out[32];

    UNUSED(state);
    assert_true(subnets_suggest(&taken, out, sizeof(out)));
    assert_string_equal(out, "10.77.0.0/24");
    vec_push(&taken.list, subnet("10.77.0.0/24"));
    vec_push(&taken.list, subnet("10.78.0.0/15"));
    assert_true(subnets_suggest(&taken, out, sizeof(out)));
    assert_string_equal(out, "10.80.0.0/24");
    vec_push(&taken.list, subnet("10.0.0.0/8"));
    assert_true(subnets_suggest(&taken, out, sizeof(out)));
    assert_string_equal(out, "172.20.0.0/24");
    vec_push(&taken.list, subnet("172.16.0.0/12"));
    assert_true(subnets_suggest(&taken, out, sizeof(out)));
    assert_string_equal(out, "192.168.200.0/24");
    vec_push(&taken.list, subnet("0.0.0.0/0"));
    assert_false(subnets_suggest(&taken, out, sizeof(out)));
    vec_release(&taken.list);
}

/* --- the recipe --- */

static void test_mirror(void **state)
{
    static const struct {
        const char *sources, *mirror;
    } cases[] = {
        {"Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\n",
         "http://mirror.example/debian"},
        {"# comment\nURIs: http://a.example/debian-security\n\nURIs:\thttps://b.example/d c\n",
         "https://b.example/d"},
        {"deb [signed-by=/usr/x.gpg arch=amd64] http://c.example/debian trixie main\n",
         "http://c.example/debian"},
        {"# deb http://no.example/debian trixie main\n", NULL},
        {"deb-src http://no.example/debian trixie main\n", NULL},
        {"deb cdrom:[Debian]/ trixie main\ndeb http://d.example/ x", "http://d.example/"},
        {"URIs:\nSuites: http://no.example/\n", NULL},
        {"", NULL},
    };
    char out[64];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool found = recipe_mirror(cases[i].sources, out, sizeof(out));

        if (!str_eq(found ? out : NULL, cases[i].mirror))
            fail_msg("case %zu: %s", i, found ? out : "none");
    }
    assert_false(recipe_mirror("deb http://m.example/0123456789012345678901234567890123456789/01234"
                               "5678901234567890 x",
                               out, sizeof(out)));
}

static bool has_word(const char *const *argv, const char *word)
{
    for (; *argv; argv++) {
        if (str_eq(*argv, word))
            return true;
    }
    return false;
}

static bool has_part(const char *const *argv, const char *part)
{
    for (; *argv; argv++) {
        if (strstr(*argv, part))
            return true;
    }
    return false;
}

static void test_command(void **state)
{
    struct arena arena = ARENA_INIT;
    const struct recipe *full = recipe_find("full", "trixie");
    const char *const *argv = recipe_command(full, &arena, "/target", "http://mirror.example/");
    const char *const *in_cgroup;

    UNUSED(state);
    assert_true(has_word(argv, "mmdebstrap"));
    assert_true(has_word(argv, "--variant=minbase"));
    assert_true(has_word(argv, "/target"));
    assert_true(has_word(argv, "trixie"));
    assert_true(has_word(argv, "http://mirror.example/"));
    in_cgroup = cgroup_command(&arena, "/cg", argv);
    assert_string_equal(in_cgroup[0], "sh");
    assert_string_equal(in_cgroup[3], "/cg");
    assert_string_equal(in_cgroup[4], argv[0]);
    assert_true(has_word(in_cgroup, "http://mirror.example/"));
    assert_false(has_word(recipe_command(full, &arena, "/target", NULL), "http://mirror.example/"));
    arena_release(&arena);
}

static void test_recipes_differ(void **state)
{
    static const struct {
        const char *image, *release;
        bool database, penalties; /* PerSourcePenalties: Debian 12's sshd refuses to know it */
    } cases[] = {{"full", "trixie", true, true},
                 {"bare", "trixie", false, true},
                 {"bare", "bookworm", false, false}};
    char keys[ARRAY_LEN(cases)][IMAGE_KEY_SIZE], again[IMAGE_KEY_SIZE];
    struct arena arena = ARENA_INIT;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct recipe *recipe = recipe_find(cases[i].image, cases[i].release);
        const char *const *argv = recipe_command(recipe, &arena, "/target", NULL);

        assert_true(has_word(argv, cases[i].release));
        assert_int_equal(has_part(argv, "postgresql"), cases[i].database);
        assert_int_equal(has_part(argv, "PerSourcePenalties"), cases[i].penalties);
        assert_int_equal(has_part(argv, "debian.sources"), !cases[i].database);
        recipe_key(recipe, keys[i]);
        recipe_key(recipe, again);
        assert_string_equal(keys[i], again);
        assert_int_equal(strlen(keys[i]), IMAGE_KEY_SIZE - 1);
        assert_true(recipe_has_key(keys[i]));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(keys[i], keys[j]);
            assert_string_not_equal(recipe_name(recipe),
                                    recipe_name(recipe_find(cases[j].image, cases[j].release)));
        }
    }
    assert_false(recipe_has_key("0123456789abcdef"));
    assert_null(recipe_find("full", "bookworm"));
    assert_null(recipe_find("bare", "sid"));
    arena_release(&arena);
}

static void test_progress(void **state)
{
    const struct recipe *full = recipe_find("full", "trixie");
    struct str status;

    UNUSED(state);
    assert_int_equal(recipe_progress(full, ""), 0);
    str_init(&status, STR_MAX_TEXT);
    for (int i = 0; i < 100; i++)
        str_puts(&status, "Package: a\nStatus: install ok unpacked\nDescription: b\n\n");
    assert_in_range(recipe_progress(full, status.buf), 10, 40);
    for (int i = 0; i < 1000; i++)
        str_puts(&status, "Package: a\nStatus: install ok installed\n\n");
    assert_int_equal(recipe_progress(full, status.buf), 99); /* only the end is the end */
    str_release(&status);
}

static void assert_last(const char *output, int lines, const char *wanted)
{
    struct str out;

    str_init(&out, STR_MAX_TEXT);
    recipe_put_last_lines(output, lines, &out);
    assert_string_equal(out.buf, wanted);
    str_release(&out);
}

static void test_last_lines(void **state)
{
    UNUSED(state);
    assert_last("", 3, "");
    assert_last("\n\n", 3, "");
    assert_last("one", 3, "one");
    assert_last("one\ntwo\nthree\nfour\n", 2, "three\nfour");
    assert_last("one\ntwo\n", 2, "one\ntwo");
    assert_last("one\ntwo\n", 9, "one\ntwo");
}

/* --- planting --- */

struct root {
    char dir[64];
    struct err err;
};

static int make_root(void **state)
{
    struct root *root = xcalloc(1, sizeof(*root));

    snprintf(root->dir, sizeof(root->dir), "/tmp/test_local.XXXXXX");
    assert_non_null(mkdtemp(root->dir));
    *state = root;
    return 0;
}

static int remove_root(void **state)
{
    struct root *root = *state;

    assert_int_equal(file_remove_tree(root->dir, &root->err), 0);
    err_release(&root->err);
    free(root);
    return 0;
}

static void test_plant(void **state)
{
    struct root *root = *state;
    char path[128];
    struct stat st, again;

    assert_false(plant_is_there(root->dir, "etc/a/file", "text", 4));
    assert_int_equal(plant_file(root->dir, "etc/a/file", "text", 4, 0600, &root->err), 0);
    assert_true(plant_is_there(root->dir, "etc/a/file", "text", 4));
    assert_false(plant_is_there(root->dir, "etc/a/file", "tex", 3));
    snprintf(path, sizeof(path), "%s/etc/a/file", root->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(plant_file(root->dir, "etc/a/file", "text", 4, 0644, &root->err), 0);
    assert_int_equal(stat(path, &again), 0);
    assert_int_equal(st.st_ino, again.st_ino); /* left alone */
    assert_int_equal(plant_file(root->dir, "etc/a/file", "new", 3, 0644, &root->err), 0);
    assert_true(plant_is_there(root->dir, "etc/a/file", "new", 3));
}

/* What a host's root may do to us: links to the machine's own files. */
static void test_plant_follows_no_link(void **state)
{
    struct root *root = *state;
    char outside[96], link[96], file[128];

    snprintf(outside, sizeof(outside), "%s/outside", root->dir);
    snprintf(link, sizeof(link), "%s/etc", root->dir);
    assert_int_equal(mkdir(outside, 0755), 0);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(plant_file(root->dir, "etc/file", "text", 4, 0600, &root->err), -1);
    snprintf(file, sizeof(file), "%s/file", outside);
    assert_false(file_exists(file));

    assert_int_equal(unlink(link), 0);
    assert_int_equal(mkdir(link, 0755), 0);
    snprintf(link, sizeof(link), "%s/etc/file", root->dir);
    assert_int_equal(symlink(file, link), 0);
    err_release(&root->err);
    assert_int_equal(plant_file(root->dir, "etc/file", "text", 4, 0600, &root->err), 0);
    assert_false(file_exists(file)); /* the link was replaced, not followed */
    assert_true(plant_is_there(root->dir, "etc/file", "text", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_fit_and_differ),
        cmocka_unit_test(test_macs_are_local_unicast),
        cmocka_unit_test(test_host_of_id),
        cmocka_unit_test(test_host_of_volume),
        cmocka_unit_test(test_longest_names_fit),
        cmocka_unit_test(test_subnet_parse),
        cmocka_unit_test(test_subnet_overlaps),
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_suggest),
        cmocka_unit_test(test_mirror),
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_recipes_differ),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_last_lines),
        cmocka_unit_test_setup_teardown(test_plant, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_plant_follows_no_link, make_root, remove_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
