/*
 * test_inventory.c - the model, merging, patterns and formats. What Ansible itself makes of the
 * same files is compared in tests/e2e/45-inventory.t.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>

#include "inventory/inventory.h"
#include "inventory/literal.h"
#include "lib/base/file.h"
#include "lib/doc/json.h"

static struct inventory inv;
static struct faults faults;
static struct err err;
static struct arena arena;
static struct str text;

static int setup(void **state)
{
    UNUSED(state);
    inventory_init(&inv);
    faults_init(&faults);
    arena_init(&arena);
    str_init(&text, STR_MAX_TEXT);
    err = (struct err)ERR_INIT;
    return 0;
}

static int teardown(void **state)
{
    UNUSED(state);
    inventory_release(&inv);
    faults_release(&faults);
    arena_release(&arena);
    str_release(&text);
    err_release(&err);
    return 0;
}

static void load(const char *file, const char *source)
{
    if (inventory_load_text(&inv, file, source, strlen(source), &faults) < 0)
        fail_msg("%s", faults.items[0].text);
}

/* A fresh inventory from this source has its first fault at this place. */
static void assert_fault(const char *file, const char *source, int line, int col, const char *part)
{
    teardown(NULL);
    setup(NULL);
    assert_int_equal(inventory_load_text(&inv, file, source, strlen(source), &faults), -1);
    assert_true(faults.n >= 1);
    if (!strstr(faults.items[0].text, part))
        fail_msg("'%s' has no '%s'", faults.items[0].text, part);
    assert_int_equal(faults.items[0].src.line, line);
    assert_int_equal(faults.items[0].src.col, col);
    assert_string_equal(faults.items[0].src.file, file);
}

static const char *vars_of(const char *host)
{
    str_clear(&text);
    json_write(inventory_vars(&inv, map_get(&inv.hosts, host), &arena), JSON_TIGHT, &text);
    return text.buf;
}

static struct value *var(const char *host, const char *name)
{
    return value_get(inventory_vars(&inv, map_get(&inv.hosts, host), &arena), name);
}

/* The hosts of a pattern, with spaces between; or the error. */
static const char *match(const char *pattern)
{
    size_t n;
    struct inventory_host **hosts;

    err_release(&err);
    str_clear(&text);
    hosts = inventory_match(&inv, pattern, &n, &err);
    if (!hosts)
        return err.text;
    for (size_t i = 0; i < n; i++)
        str_printf(&text, "%s%s", i ? " " : "", hosts[i]->name);
    free(hosts);
    return text.buf;
}

static const char *write_as(enum inventory_format format, const char *const *hidden)
{
    str_clear(&text);
    if (inventory_write(&inv, format, hidden, &text, &err) < 0)
        return err.text;
    return text.buf;
}

/* ---- model ---- */

static void empty_has_all_and_ungrouped(void **state)
{
    UNUSED(state);
    json_write(inventory_groups_value(&inv, &arena), JSON_TIGHT, &text);
    assert_string_equal(text.buf, "{\"all\":[],\"ungrouped\":[]}");
    assert_string_equal(write_as(INVENTORY_INI, NULL), "");
    assert_string_equal(match("all"), "");
}

static void hosts_without_a_group_are_ungrouped(void **state)
{
    struct inventory_group *db = inventory_group(&inv, "db");

    UNUSED(state);
    inventory_host(&inv, "a");
    inventory_add_host(&inv, inventory_group(&inv, "all"), inventory_host(&inv, "b"));
    inventory_add_host(&inv, inventory_group(&inv, "ungrouped"), inventory_host(&inv, "c"));
    inventory_add_host(&inv, db, inventory_host(&inv, "c"));
    inventory_add_host(&inv, db, inventory_host(&inv, "c"));
    json_write(inventory_groups_value(&inv, &arena), JSON_TIGHT, &text);
    assert_string_equal(text.buf,
                        "{\"all\":[\"b\",\"a\",\"c\"],\"ungrouped\":[\"a\",\"b\"],\"db\":[\"c\"]}");
    assert_string_equal(vars_of("c"), "{\"inventory_hostname\":\"c\",\"inventory_hostname_short\":"
                                      "\"c\",\"group_names\":[\"db\"]}");
}

static void circles_are_refused(void **state)
{
    struct inventory_group *a = inventory_group(&inv, "a"), *b = inventory_group(&inv, "b"),
                           *c = inventory_group(&inv, "c");

    UNUSED(state);
    assert_int_equal(inventory_add_child(&inv, a, b, &err), 0);
    assert_int_equal(inventory_add_child(&inv, b, c, &err), 0);
    assert_int_equal(inventory_add_child(&inv, a, b, &err), 0);
    assert_int_equal(inventory_add_child(&inv, c, a, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_int_equal(inventory_add_child(&inv, c, c, &err), -1);
    assert_int_equal(inventory_add_child(&inv, c, inventory_group(&inv, "all"), &err), -1);
    assert_int_equal(c->depth, 3);
}

static void groups_nest_only_so_deep(void **state)
{
    struct inventory_group *top = inventory_group(&inv, "g0"), *last = top;
    char name[16];

    UNUSED(state);
    for (int i = 1; i < INVENTORY_MAX_DEPTH; i++) {
        snprintf(name, sizeof(name), "g%d", i);
        assert_int_equal(inventory_add_child(&inv, last, inventory_group(&inv, name), &err), 0);
        last = inventory_group(&inv, name);
    }
    assert_int_equal(last->depth, INVENTORY_MAX_DEPTH);
    assert_int_equal(inventory_add_child(&inv, inventory_group(&inv, "above"), top, &err), -1);
    assert_non_null(strstr(err.text, "levels"));
}

/* ---- merging ---- */

static void deeper_groups_then_priority_then_name_win(void **state)
{
    UNUSED(state);
    load("x.ini", "[a]\nh\n[z]\nh\n[m:children]\nz\n"
                  "[all:vars]\nv=all\nw=all\n[a:vars]\nv=a\n[m:vars]\nv=m\nw=m\n[z:vars]\nv=z\n");
    assert_string_equal(var("h", "v")->u.str.s, "z");
    assert_string_equal(var("h", "w")->u.str.s, "m");
    load("y.ini", "[b]\nh\n[b:vars]\nw=b\n");
    assert_string_equal(var("h", "w")->u.str.s, "m");
    load("z.yml", "b: {vars: {ansible_group_priority: 5}}");
    assert_string_equal(var("h", "w")->u.str.s, "b");
    load("z.ini", "[m:vars]\nansible_group_priority='5'\n[m]\n");
    assert_string_equal(var("h", "w")->u.str.s, "m");
    assert_null(var("h", "ansible_group_priority"));
}

static void maps_replace_maps(void **state)
{
    UNUSED(state);
    load("x.yml", "all: {vars: {m: {a: 1}}, hosts: {h: {m: {b: 2}}}}");
    assert_string_equal(vars_of("h"),
                        "{\"m\":{\"b\":2},\"inventory_hostname\":\"h\","
                        "\"inventory_hostname_short\":\"h\",\"group_names\":[\"ungrouped\"]}");
}

static void short_names(void **state)
{
    UNUSED(state);
    load("x.ini", "db1.example.com\n10.0.0.1\n2001:db8::1\n");
    assert_string_equal(var("db1.example.com", "inventory_hostname_short")->u.str.s, "db1");
    assert_string_equal(var("10.0.0.1", "inventory_hostname_short")->u.str.s, "10.0.0.1");
    assert_string_equal(var("2001:db8::1", "inventory_hostname_short")->u.str.s, "2001:db8::1");
}

static void a_port_counts_where_the_host_is_first_named(void **state)
{
    UNUSED(state);
    load("x.ini", "a:22\na:23\n[fe80::1]:24\n[b1]:25\nc:26 ansible_port=27\n");
    assert_int_equal(var("a", "ansible_port")->u.i, 22);
    assert_int_equal(var("fe80::1", "ansible_port")->u.i, 24);
    assert_int_equal(var("b1", "ansible_port")->u.i, 25);
    assert_int_equal(var("c", "ansible_port")->u.i, 27);
    assert_fault("x.ini", "a:99999\n", 1, 1, "65535");
}

static void values_know_their_place(void **state)
{
    UNUSED(state);
    load("x.ini", "# comment\n  h  a=1 b='two words' c=3\r\n[all:vars]\r\nd = [4]\r\n");
    assert_int_equal(var("h", "c")->src.line, 2);
    assert_int_equal(var("h", "c")->src.col, 24);
    assert_int_equal(var("h", "d")->src.line, 4);
    assert_int_equal(var("h", "d")->src.col, 5);
    assert_string_equal(var("h", "d")->src.file, "x.ini");
}

/* ---- reading ---- */

static void the_format_is_found_by_content(void **state)
{
    UNUSED(state);
    load("one", "# a comment\n\n---\na: {hosts: {h1: }}\n");
    load("two", "b:\n  hosts: h2\n");
    load("three", "\n{\"_meta\": {}, \"c\": [\"h3\"]}");
    load("four", "; ini\nh4:22 x=1\n");
    load("five.yml", "{\"d\": {\"hosts\": {\"h5\": {}}}}");
    assert_string_equal(match("a,b,c,d"), "h1 h2 h3 h5");
    assert_int_equal(var("h4", "ansible_port")->u.i, 22);
}

static void faults_have_places(void **state)
{
    UNUSED(state);
    assert_fault("x.ini", "ok\n  h a=1  nokey\n", 2, 10, "key=value");
    assert_fault("x.ini", "[a:nope]\n", 1, 4, "nope");
    assert_fault("x.ini", "[a]\nh\n[b:children]\n  c\n", 4, 3, "no section");
    assert_fault("x.ini", "[]\n", 1, 1, "no section");
    assert_fault("x.ini", "[a:]\n", 1, 1, "no section");
    assert_fault("x.ini", "h x=\"{1}\"\n", 1, 3, "a set");
    assert_fault("x.yml", "all:\n  hosts:\n    h: 5\n", 3, 8, "integer");
    assert_fault("x.yml", "all:\n  host:\n    h:\n", 2, 3, "unknown key 'host'");
    assert_fault("x.yml", "all:\n  vars: [1]\n", 2, 9, "list");
    assert_fault("x.yml", "a:b: {}\n", 1, 1, "':'");
    assert_fault("x.json", "{\"g\": {\"hosts\": [5]}}", 0, 0, "list of names");
    assert_fault("x.json", "[]", 0, 0, "map of groups");
    assert_fault("x", "#!/bin/sh\nx y\n", 2, 3, "key=value");
    assert_non_null(strstr(faults.items[1].hint, "chmod +x"));
    assert_fault("x.toml", "[all.vars]\n", 0, 0, "TOML");
    assert_fault("x.yml", "ungrouped:\n  children:\n    a:\n", 3, 5, "ungrouped");
}

/* ---- values with tags, keys that are no text ---- */

static void tagged_values_are_kept_for_showing(void **state)
{
    UNUSED(state);
    inv.keep_tagged = true;
    load("x.yml",
         "all:\n  vars:\n    v: !vault |\n      $ANSIBLE_VAULT\n    u: !unsafe \"{{ x }}\"\n"
         "    n: !unsafe \"5\"\n    l: &a [!unsafe a]\n    m: *a\n  hosts: h\n");
    assert_string_equal(value_get_str(var("h", "v"), "__ansible_vault", ""), "$ANSIBLE_VAULT\n");
    assert_string_equal(value_get_str(var("h", "u"), "__ansible_unsafe", ""), "{{ x }}");
    assert_int_equal(var("h", "n")->u.i, 5);
    assert_string_equal(value_get_str(var("h", "m")->u.list.items[0], "__ansible_unsafe", ""), "a");
    assert_non_null(strstr(write_as(INVENTORY_YAML, NULL), "v: !vault \"$ANSIBLE_VAULT\\n\""));
    assert_non_null(strstr(text.buf, "- !unsafe \"a\"\n"));
    assert_non_null(strstr(write_as(INVENTORY_INI, NULL), "no way to write"));
}

static void tagged_values_are_not_used(void **state)
{
    UNUSED(state);
    load("x.yml", "all: {hosts: {h: {u: !unsafe plain}}}");
    assert_string_equal(var("h", "u")->u.str.s, "plain");
    assert_fault("y.yml", "all: {vars: {v: !vault x}}", 1, 24, "!vault");
    assert_non_null(strstr(faults.items[0].hint, "decrypt"));
    assert_fault("y.yml", "all: {vars: {v: [!unsafe '{{ x }}']}}", 1, 26, "!unsafe");
    assert_fault("y.json",
                 "{\"_meta\": {\"hostvars\": {\"h\": {\"v\": {\"__ansible_vault\": \"\"}}}}, "
                 "\"g\": [\"h\"]}",
                 0, 0, "!vault");
    assert_fault("y.yml", "all: {vars: {v: &a !vault x}}", 1, 20, "value of its own");
    assert_fault("y.yml", "all: {vars: {v: !vault {a: b}}}", 1, 24, "goes with text");
}

static void keys_and_scalars_that_yaml_types(void **state)
{
    UNUSED(state);
    load("x.yml", "all: {hosts: {h: {m: {on: {010: a}, ~: b}, d: 2024-01-01, 'no': c}}}");
    assert_string_equal(vars_of("h"),
                        "{\"m\":{\"true\":{\"8\":\"a\"},\"null\":\"b\"},\"d\":\"2024-01-01\","
                        "\"no\":\"c\",\"inventory_hostname\":\"h\","
                        "\"inventory_hostname_short\":\"h\",\"group_names\":[\"ungrouped\"]}");
    assert_fault("y.yml", "all: {vars: {d: 2024-01-01 10:00:00}}", 1, 17, "date with a time");
    assert_fault("y.yml", "all: {vars: {n: 123456789012345678901}}", 1, 17, "64 bits");
    assert_fault("y.ini", "h x=1\vy\n", 1, 1, "control character");
}

/* ---- files, folders, programs ---- */

static char *folder;

static void put_file(const char *name, const char *content, mode_t mode)
{
    char *path = path_join(folder, name), *dir = path_dir(path);

    assert_int_equal(file_mkdirs(dir, 0700, &err), 0);
    assert_int_equal(file_write(path, content, strlen(content), mode, &err), 0);
    free(dir);
    free(path);
}

static int load_path(const char *name)
{
    char *path = path_join(folder, name);
    int rc = inventory_load(&inv, path, &faults);

    free(path);
    return rc;
}

static void make_folder(void)
{
    char template[] = "/tmp/pgha-inventory-XXXXXX";

    assert_non_null(mkdtemp(template));
    folder = xstrdup(template);
}

static void remove_folder(void)
{
    assert_int_equal(file_remove_tree(folder, &err), 0);
    free(folder);
}

static void variables_near_the_playbook_come_later(void **state)
{
    UNUSED(state);
    make_folder();
    put_file("i/hosts", "[g]\nh\n", 0600);
    put_file("i/group_vars/all.yml", "a: inventory\nb: inventory\nc: inventory\n", 0600);
    put_file("i/group_vars/g.yml", "b: inventory g\nc: inventory g\n", 0600);
    put_file("group_vars/all.yml", "a: playbook\nb: playbook\n", 0600);
    put_file("group_vars/g.yml", "c: playbook g\n", 0600);
    put_file("host_vars/h", "h: 1\n", 0600);
    assert_int_equal(load_path("i/hosts"), 0);
    assert_int_equal(inventory_load_near(&inv, folder, &faults), 0);
    assert_string_equal(var("h", "a")->u.str.s, "playbook");
    assert_string_equal(var("h", "b")->u.str.s, "inventory g");
    assert_string_equal(var("h", "c")->u.str.s, "playbook g");
    assert_int_equal(var("h", "h")->u.i, 1);
    remove_folder();
}

static void programs_are_run_when_they_were_named(void **state)
{
    make_folder();
    put_file("good",
             "#!/bin/sh\n[ $1 = --list ] && echo '{\"g\": [\"h1\"]}' || echo '{\"v\": 1}'\n", 0700);
    put_file("bad", "#!/bin/sh\necho no json\n", 0700);
    put_file("fails", "#!/bin/sh\necho why >&2\nexit 3\n", 0700);
    put_file("open", "#!/bin/sh\necho '{}'\n", 0700);
    assert_int_equal(load_path("good"), 0);
    assert_int_equal(var("h1", "v")->u.i, 1);
    assert_int_equal(load_path("bad"), -1);
    assert_non_null(strstr(faults.items[0].text, "not JSON"));
    assert_int_equal(load_path("fails"), -1);
    assert_non_null(strstr(faults.items[1].text, "why"));
    assert_int_equal(load_path(""), -1); /* the folder */
    assert_non_null(strstr(faults.items[2].text, "in a folder are not run"));
    teardown(state);
    setup(state);
    {
        char *path = path_join(folder, "open");

        assert_int_equal(chmod(path, 0707), 0);
        free(path);
    }
    assert_int_equal(load_path("open"), -1);
    assert_non_null(strstr(faults.items[0].text, "everybody may write"));
    remove_folder();
}

static void names_with_a_comma_are_an_inventory(void **state)
{
    UNUSED(state);
    assert_int_equal(inventory_load(&inv, "a, b:22,[::1]:23,", &faults), 0);
    assert_string_equal(match("all"), "a b ::1");
    assert_int_equal(var("::1", "ansible_port")->u.i, 23);
    assert_int_equal(inventory_load(&inv, "a[1:3],b", &faults), -1);
    assert_non_null(strstr(faults.items[0].text, "no ranges"));
}

static void limits_hold(void **state)
{
    struct str big;

    UNUSED(state);
    assert_fault("x.ini", "h[1:50001]\n", 1, 1, "50000");
    assert_fault("x.ini", "h[1:300][1:300]\n", 1, 1, "50000");
    str_init(&big, STR_MAX_TEXT);
    for (size_t i = 0; i <= INVENTORY_MAX_NAME; i++)
        str_putc(&big, 'h');
    assert_fault("x.ini", big.buf, 1, 1, "255");
    for (size_t i = 0; i < INVENTORY_MAX_BYTES; i++)
        str_putc(&big, '\n');
    assert_fault("x.ini", big.buf, 0, 0, "at most");
    str_release(&big);
    assert_int_equal(inventory_load_text(&inv, "x", "a\0b", 3, &faults), -1);
    assert_int_equal(inventory_load(&inv, "/nonexistent/inventory", &faults), -1);
}

/* Faults beyond those that are kept still fail the load. */
static void every_load_with_a_fault_fails(void **state)
{
    struct str many;

    UNUSED(state);
    str_init(&many, STR_MAX_TEXT);
    for (int i = 0; i < FAULTS_MAX + 50; i++)
        str_puts(&many, "*\n");
    assert_int_equal(inventory_load_text(&inv, "x.ini", many.buf, many.len, &faults), -1);
    assert_int_equal(inventory_load_text(&inv, "x.ini", "*", 1, &faults), -1);
    assert_int_equal(faults.n, FAULTS_MAX);
    str_release(&many);
}

/* ---- literals ---- */

static const struct literal_case {
    const char *text;
    enum literal kind;
    const char *json;
} literals[] = {
    {"5", LITERAL_VALUE, "5"},
    {"  -0x_ff ", LITERAL_VALUE, "-255"},
    {"9223372036854775807", LITERAL_VALUE, "9223372036854775807"},
    {"-9223372036854775808", LITERAL_VALUE, "-9223372036854775808"},
    {"9223372036854775808", LITERAL_REFUSED, NULL},
    {"0_0", LITERAL_VALUE, "0"},
    {"01", LITERAL_TEXT, NULL},
    {"01.5", LITERAL_VALUE, "1.5"},
    {"1_", LITERAL_TEXT, NULL},
    {"_1", LITERAL_TEXT, NULL},
    {"1e", LITERAL_TEXT, NULL},
    {"1.e1", LITERAL_VALUE, "10.0"},
    {".", LITERAL_TEXT, NULL},
    {"...", LITERAL_TEXT, NULL},
    {"0x", LITERAL_TEXT, NULL},
    {"0b2", LITERAL_TEXT, NULL},
    {"1 2", LITERAL_TEXT, NULL},
    {"1,", LITERAL_VALUE, "[1]"},
    {"1, 2 # three", LITERAL_VALUE, "[1,2]"},
    {",", LITERAL_TEXT, NULL},
    {"()", LITERAL_VALUE, "[]"},
    {"((1),)", LITERAL_VALUE, "[1]"},
    {"[1,,2]", LITERAL_TEXT, NULL},
    {"[,]", LITERAL_TEXT, NULL},
    {"{}", LITERAL_VALUE, "{}"},
    {"{'a': 1, 2: 'b', True: None, 1.5: [], None: 0,}", LITERAL_VALUE,
     "{\"a\":1,\"2\":\"b\",\"true\":null,\"1.5\":[],\"null\":0}"},
    {"{'a' 1}", LITERAL_TEXT, NULL},
    {"{'a': 1, 'b'}", LITERAL_TEXT, NULL},
    {"{1}", LITERAL_REFUSED, NULL},
    {"{1, 2,}", LITERAL_REFUSED, NULL},
    {"{{ x }}", LITERAL_TEXT, NULL},
    {"{(1, 2): 3}", LITERAL_REFUSED, NULL},
    {"b'x'", LITERAL_REFUSED, NULL},
    {"b'x' y", LITERAL_TEXT, NULL},
    {"f'x'", LITERAL_TEXT, NULL},
    {"ur'x'", LITERAL_TEXT, NULL},
    {"'a' \"b\"R'\\n'", LITERAL_VALUE, "\"ab\\\\n\""},
    {"'a'b", LITERAL_TEXT, NULL},
    {"'open", LITERAL_TEXT, NULL},
    {"'''a'b'''", LITERAL_VALUE, "\"a'b\""},
    {"'\\q\\'\\101\\x41\\u0041\\U00000041'", LITERAL_VALUE, "\"\\\\q'AAAA\""},
    {"'\\x4'", LITERAL_TEXT, NULL},
    {"'\\U00110000'", LITERAL_TEXT, NULL},
    {"'\\ud800'", LITERAL_REFUSED, NULL},
    {"'\\0'", LITERAL_REFUSED, NULL},
    {"'\\N{DASH}'", LITERAL_REFUSED, NULL},
    {"'\\", LITERAL_TEXT, NULL},
    {"3j", LITERAL_REFUSED, NULL},
    {"1 + 2j", LITERAL_REFUSED, NULL},
    {"1+2", LITERAL_TEXT, NULL},
    {"1+2j+3j", LITERAL_TEXT, NULL},
    {"set()", LITERAL_REFUSED, NULL},
    {"set", LITERAL_TEXT, NULL},
    {"- 5", LITERAL_VALUE, "-5"},
    {"-'a'", LITERAL_TEXT, NULL},
    {"None", LITERAL_VALUE, "null"},
    {"none", LITERAL_TEXT, NULL},
    {"", LITERAL_TEXT, NULL},
};

static void literals_are_pythons(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(literals); i++) {
        const struct literal_case *c = &literals[i];
        struct value *v;
        const char *why = NULL;

        if (literal_parse(&arena, c->text, strlen(c->text), &v, &why) != c->kind)
            fail_msg("%s", c->text);
        str_clear(&text);
        if (c->kind == LITERAL_VALUE) {
            json_write(v, JSON_TIGHT, &text);
            assert_string_equal(text.buf, c->json);
        }
        assert_true((why != NULL) == (c->kind == LITERAL_REFUSED));
    }
}

static void literals_nest_only_so_deep(void **state)
{
    struct value *v;
    const char *why;

    UNUSED(state);
    for (int i = 0; i < 100000; i++)
        str_putc(&text, '[');
    assert_int_equal(literal_parse(&arena, text.buf, text.len, &v, &why), LITERAL_REFUSED);
}

/* ---- patterns (the ones that succeed are compared with Ansible, too) ---- */

static void patterns(void **state)
{
    UNUSED(state);
    load("x.ini", "lone\n[db]\ndb[1:3]\n[web]\nweb1.x\ndb1\n[site:children]\ndb\nweb\n");
    assert_string_equal(match("all"), "lone db1 db2 db3 web1.x");
    assert_string_equal(match("*"), "lone db1 db2 db3 web1.x");
    assert_string_equal(match("db:web"), "db1 db2 db3 web1.x");
    assert_string_equal(match("db:&web"), "db1");
    assert_string_equal(match("!db, site"), "web1.x");
    assert_string_equal(match("!site"), "lone");
    assert_string_equal(match("db[0]"), "db1");
    assert_string_equal(match("db[-1]"), "db3");
    assert_string_equal(match("db[1:]"), "db2 db3");
    assert_string_equal(match("db[0:1],lone"), "db1 db2 lone");
    assert_string_equal(match("db[7:]"), "");
    assert_string_equal(match("db[1-2]"), "db2 db3");
    assert_string_equal(match("db[23]"),
                        "no host matched the subscripted pattern 'db[23]': there are 3");
    assert_string_equal(match("*.x"), "web1.x");
    assert_string_equal(match("lone:lone"), "lone");
}

static void bad_patterns(void **state)
{
    UNUSED(state);
    load("x.ini", "[database]\ndb1\n");
    assert_string_equal(match("databse"), "no host and no group matches 'databse'");
    assert_string_equal(err.hint, "did you mean 'database'?");
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(match("all:!nope"), "'nope'"));
    assert_non_null(strstr(match("~db.*"), "regular expressions"));
    assert_non_null(strstr(match("x*"), "no host"));
    assert_non_null(strstr(match(""), "empty"));
    assert_non_null(strstr(match(" , "), "empty"));
    assert_non_null(strstr(match("!"), "no host"));
}

/* ---- writing ---- */

static void hidden_variables_are_nowhere(void **state)
{
    static const char *const hidden[] = {"password", NULL};

    UNUSED(state);
    load("x.yml", "all: {vars: {password: s3cret}, hosts: {h: {password: s3cret, a: 1}}}");
    for (size_t i = 0; inventory_format_names[i]; i++) {
        enum inventory_format format;

        assert_int_equal(inventory_format_from_name(inventory_format_names[i], &format), 0);
        assert_null(strstr(write_as(format, hidden), "s3cret"));
    }
    assert_int_equal(inventory_write_host(&inv, "h", hidden, &text, &err), 0);
    assert_null(strstr(text.buf, "s3cret"));
    assert_int_equal(inventory_format_from_name("toml", &(enum inventory_format){0}), -1);
}

static void one_host(void **state)
{
    UNUSED(state);
    load("x.yml", "all: {vars: {b: [1, {}], a: \"é\\n\"}, hosts: {h: }}");
    assert_int_equal(inventory_write_host(&inv, "h", NULL, &text, &err), 0);
    assert_string_equal(
        text.buf, "{\n    \"a\": \"é\\n\",\n    \"b\": [\n        1,\n        {}\n    ]\n}\n");
    assert_int_equal(inventory_write_host(&inv, "nope", NULL, &text, &err), -1);
}

static void ini_quotes_what_would_change(void **state)
{
    UNUSED(state);
    load("x.yml", "all: {hosts: {h: {s: '5', l: [a, 'b c'], p: a b, e: '', n: null, t: 'True'}}}");
    assert_string_equal(write_as(INVENTORY_INI, NULL),
                        "h s=''\\''5'\\''' l='['\\''a'\\'', '\\''b c'\\'']' p='a b' e= n=None "
                        "t=''\\''True'\\'''\n");
    load("y.yml", "all: {hosts: {h: {'bad key': 1}}}");
    assert_string_equal(
        write_as(INVENTORY_INI, NULL),
        "writing the inventory as ini: host 'h': a variable named 'bad key' cannot be written");
}

static void ssh_config(void **state)
{
    UNUSED(state);
    load("x.yml",
         "all:\n  vars:\n    ansible_ssh_common_args: -o UserKnownHostsFile=/k/known_hosts "
         "-oBatchMode=yes -J jump -C\n"
         "  hosts:\n    h: {ansible_host: 10.0.0.1, ansible_port: 2222, ansible_user: root,"
         " ansible_ssh_private_key_file: /a b/100%}\n    here: {ansible_connection: local}\n");
    assert_string_equal(write_as(INVENTORY_SSH_CONFIG, NULL),
                        "Host h\n    HostName 10.0.0.1\n    Port 2222\n    User root\n"
                        "    IdentityFile \"/a b/100%%\"\n    UserKnownHostsFile /k/known_hosts\n"
                        "    BatchMode yes\n    ProxyJump jump\n    Compression yes\n");
}

static void ssh_config_refuses_what_it_cannot_say(void **state)
{
    static const char *const refused[] = {
        "ansible_ssh_common_args: -W x:1",
        "ansible_ssh_common_args: -i",
        "ansible_ssh_common_args: '-i \"open'",
        "ansible_host: \"{{ address }}\"",
        "ansible_user: \"a\\nb\"",
        "ansible_user: [a]",
        "ansible_ssh_extra_args: \"-o A=b\\nProxyCommand=x\"",
    };

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        char *source = xasprintf("all: {hosts: {h: {%s}}}", refused[i]);

        teardown(state);
        setup(state);
        load("x.yml", source);
        assert_int_equal(inventory_write(&inv, INVENTORY_SSH_CONFIG, NULL, &text, &err), -1);
        assert_non_null(strstr(err.text, "host 'h'"));
        free(source);
    }
}

static void hosts_lines(void **state)
{
    UNUSED(state);
    load(
        "x.yml",
        "all: {hosts: {a: {address: 10.0.0.1, ansible_host: 192.0.2.1}, b: {ansible_host: fe80::1},"
        " c: {ansible_host: c.example.com}, 10.0.0.9: }}");
    assert_string_equal(write_as(INVENTORY_HOSTS, NULL),
                        "10.0.0.1 a\nfe80::1 b\n# c: no address known\n");
}

static void shared_groups_are_written_once(void **state)
{
    UNUSED(state);
    load("x.yml", "all: {children: {a: {children: {c: {hosts: {h: {x: 1}}}}}, b: {children: {c: "
                  "{hosts: h}}}, c: }}");
    assert_string_equal(
        write_as(INVENTORY_YAML, NULL),
        "all:\n  children:\n    ungrouped: {}\n    a:\n      children:\n        c:\n"
        "          hosts:\n            h:\n              x: 1\n    b:\n      children:\n"
        "        c: {}\n    c: {}\n");
}

static void too_long_is_an_error(void **state)
{
    struct str small;

    UNUSED(state);
    load("x.ini", "h[1:100]\n");
    str_init(&small, 100);
    assert_int_equal(inventory_write(&inv, INVENTORY_JSON, NULL, &small, &err), -1);
    str_release(&small);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(empty_has_all_and_ungrouped),
        TEST(hosts_without_a_group_are_ungrouped),
        TEST(circles_are_refused),
        TEST(groups_nest_only_so_deep),
        TEST(deeper_groups_then_priority_then_name_win),
        TEST(maps_replace_maps),
        TEST(short_names),
        TEST(a_port_counts_where_the_host_is_first_named),
        TEST(values_know_their_place),
        TEST(the_format_is_found_by_content),
        TEST(faults_have_places),
        TEST(tagged_values_are_kept_for_showing),
        TEST(tagged_values_are_not_used),
        TEST(keys_and_scalars_that_yaml_types),
        TEST(variables_near_the_playbook_come_later),
        TEST(programs_are_run_when_they_were_named),
        TEST(names_with_a_comma_are_an_inventory),
        TEST(limits_hold),
        TEST(every_load_with_a_fault_fails),
        TEST(literals_are_pythons),
        TEST(literals_nest_only_so_deep),
        TEST(patterns),
        TEST(bad_patterns),
        TEST(hidden_variables_are_nowhere),
        TEST(one_host),
        TEST(ini_quotes_what_would_change),
        TEST(ssh_config),
        TEST(ssh_config_refuses_what_it_cannot_say),
        TEST(hosts_lines),
        TEST(shared_groups_are_written_once),
        TEST(too_long_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
