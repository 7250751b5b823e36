/*
 * test_doc.c - lib/doc: YAML, JSON, values, faults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "lib/base/file.h"
#include "lib/doc/json.h"
#include "lib/doc/markup.h"
#include "lib/doc/yaml.h"

static struct arena arena;
static struct faults faults;
static struct str out;

static int set_up(void **state)
{
    UNUSED(state);
    arena_init(&arena);
    faults_init(&faults);
    str_init(&out, STR_MAX_TEXT);
    return 0;
}

static int tear_down(void **state)
{
    UNUSED(state);
    arena_release(&arena);
    faults_release(&faults);
    str_release(&out);
    return 0;
}

static struct value *read_yaml(const char *text)
{
    struct value *v = yaml_parse(&arena, "t.yaml", text, strlen(text), &faults);

    if (!v) {
        faults_format(&faults, &out);
        fail_msg("%s", out.buf);
    }
    return v;
}

static void assert_yaml(const char *text, const char *json)
{
    str_clear(&out);
    json_write(read_yaml(text), JSON_LINE, &out);
    assert_string_equal(out.buf, json);
}

/* Reading the len bytes gives exactly these lines of faults. */
static void assert_faults_n(const char *text, size_t len, const char *lines)
{
    str_clear(&out);
    assert_null(yaml_parse(&arena, "t.yaml", text, len, &faults));
    faults_format(&faults, &out);
    assert_string_equal(out.buf, lines);
    faults_release(&faults);
}

static void assert_faults(const char *text, const char *lines)
{
    assert_faults_n(text, strlen(text), lines);
}

/* --- YAML --- */

/* Every row was compared with PyYAML 6.0: repr() there, json.dumps() of it here. */
static void test_yaml_types(void **state)
{
    static const char *const rows[][2] = {
        {"yes", "true"},
        {"On", "true"},
        {"TRUE", "true"},
        {"no", "false"},
        {"OFF", "false"},
        {"y", "\"y\""},
        {"n", "\"n\""},
        {"oN", "\"oN\""},
        {"~", "null"},
        {"Null", "null"},
        {"nULL", "\"nULL\""},
        {"", "null"},
        {"0", "0"},
        {"-0", "0"},
        {"017", "15"},
        {"08", "\"08\""},
        {"0o17", "\"0o17\""},
        {"0x1F", "31"},
        {"-0x1f", "-31"},
        {"0X1F", "\"0X1F\""},
        {"0b101", "5"},
        {"1_000", "1000"},
        {"_1", "\"_1\""},
        {"+12", "12"},
        {"12a", "\"12a\""},
        {"1:30", "90"},
        {"-1:30", "-90"},
        {"1:60", "\"1:60\""},
        {"10:20:30", "37230"},
        {"1:30.5", "90.5"},
        {"01:30", "\"01:30\""},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"9223372036854775808", "\"9223372036854775808\""}, /* PyYAML: a larger integer */
        {"1.5", "1.5"},
        {"1.", "1.0"},
        {".5", "0.5"},
        {"-.5", "\"-.5\""},
        {"1e3", "\"1e3\""},
        {"1.5e3", "\"1.5e3\""},
        {"1.5e+3", "1500.0"},
        {".inf", "Infinity"},
        {"-.INF", "-Infinity"},
        {".NaN", "NaN"},
        {"1.2.3", "\"1.2.3\""},
        {"10.77.0.0/24", "\"10.77.0.0/24\""},
        {"2001-12-14", "\"2001-12-14\""}, /* PyYAML: a date */
        {"'yes'", "\"yes\""},
        {"\"1\"", "\"1\""},
        {"!!str 1", "\"1\""},
        {"!!int '12'", "12"},
        {"!!float 1", "1.0"},
        {"! 12", "12"},
        {"|\n  12\n", "\"12\\n\""},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_yaml(rows[i][0], rows[i][1]);
    assert_int_equal(yaml_scalar(&arena, "0x1Fabc", 4)->u.i, 31);
    assert_int_equal(yaml_scalar(&arena, "yes\0", 4)->type, VALUE_STR);
    assert_true(yaml_reads_as_string("postgres", 8));
    assert_false(yaml_reads_as_string("2001-12-14 21:59:43 Z", 21));
    assert_false(yaml_reads_as_string("=", 1));
    assert_false(yaml_reads_as_string("<<", 2));
    assert_false(yaml_reads_as_string("99999999999999999999", 20));
}

static void test_yaml_places(void **state)
{
    const struct value *v =
        read_yaml("# comment\na: 1\nlist:\n  - x\n  - {k: v}\n\"q\": !!str 2\n");
    const struct value *item = value_get(v, "list")->u.list.items[1];

    UNUSED(state);
    assert_string_equal(v->src.file, "t.yaml");
    assert_int_equal(v->src.line, 2);
    assert_int_equal(value_get(v, "a")->src.line, 2);
    assert_int_equal(value_get(v, "a")->src.col, 4);
    assert_true(value_get(v, "a")->plain);
    assert_int_equal(item->src.line, 5);
    assert_int_equal(item->src.col, 5);
    assert_int_equal(value_find_entry(item, "k")->key_src.col, 6);
    assert_int_equal(value_find_entry(v, "q")->key_src.line, 6);
    assert_int_equal(read_yaml("")->src.line, 1);
}

static void test_yaml_keys_are_text(void **state)
{
    UNUSED(state);
    assert_yaml("on: 1\n10: 2\n~: 3\n'': 4\n1.50: 5\n",
                "{\"on\": 1, \"10\": 2, \"~\": 3, \"\": 4, \"1.50\": 5}");
    assert_yaml("? long\n: v\nx: &k key\n*k : again\n",
                "{\"long\": \"v\", \"x\": \"key\", \"key\": \"again\"}");
}

static void test_yaml_documents(void **state)
{
    UNUSED(state);
    assert_yaml("", "null");
    assert_yaml("# only a comment\n", "null");
    assert_yaml("---\n...\n", "null");
    assert_yaml("\xEF\xBB\xBF"
                "a: 1",
                "{\"a\": 1}");
    assert_faults("a: 1\n---\nb: 2\n", "t.yaml:2:1: only one document is allowed\n");
}

/* As PyYAML's flatten_mapping: own entries win, then the first of a list; what is merged comes
 * first. */
static void test_yaml_aliases_and_merge_keys(void **state)
{
    UNUSED(state);
    assert_yaml("a: &x [1, 2]\nb: *x\n", "{\"a\": [1, 2], \"b\": [1, 2]}");
    assert_yaml("- &a {x: 1, y: 2}\n- {y: 3, <<: *a}\n",
                "[{\"x\": 1, \"y\": 2}, {\"x\": 1, \"y\": 3}]");
    assert_yaml(
        "- &a {x: 1, y: 2}\n- &b {x: 9, z: 3}\n- {w: 0, <<: [*a, *b]}\n",
        "[{\"x\": 1, \"y\": 2}, {\"x\": 9, \"z\": 3}, {\"x\": 1, \"z\": 3, \"y\": 2, \"w\": 0}]");
    assert_yaml("'<<': 1\n", "{\"<<\": 1}");
    assert_yaml("- &a 1\n- &a 2\n- *a\n", "[1, 2, 2]");
    assert_faults("<<: 1\nb: *no\n", "t.yaml:1:1: '<<' takes a map or a list of maps\n"
                                     "t.yaml:2:4: alias '*no' has no anchor '&no' before it\n");
    assert_faults("a: &a [*a]\n", "t.yaml:1:8: alias '*a' stands inside what it names\n");
}

static void test_yaml_shows_all_faults(void **state)
{
    UNUSED(state);
    assert_faults("a: 1\nb: 2\na: 3\nb: 4\n[x]: 5\nc: !vault x\nd: \"a\\0b\"\ne: !!int no\n",
                  "t.yaml:3:1: key 'a' was already given on line 1\n"
                  "t.yaml:4:1: key 'b' was already given on line 2\n"
                  "t.yaml:5:1: a key must be a single word or string\n"
                  "t.yaml:6:4: tag '!vault' is not supported\n"
                  "t.yaml:7:4: a NUL character in a string\n"
                  "t.yaml:8:4: 'no' is no integer\n");
    assert_faults("a: !!set {x}\n", "t.yaml:1:4: tag 'tag:yaml.org,2002:set' is not supported\n");
}

static void test_yaml_syntax_faults(void **state)
{
    UNUSED(state);
    assert_faults(
        "a: [1, 2\nb: 3\n",
        "t.yaml:2:2: did not find expected ',' or ']', while parsing a flow sequence that "
        "began on line 1\n");
    assert_faults("a:\n\t- b\n", "t.yaml:2:1: found character that cannot start any token, while "
                                 "scanning for the next token that began on line 2 (indent with "
                                 "spaces, not with tabs)\n");
    assert_faults("a: b: c\n", "t.yaml:1:5: mapping values are not allowed in this context\n");
}

static void test_yaml_binary_input(void **state)
{
    static const char utf16[] = "\xff\xfe"
                                "a\0:\0";

    UNUSED(state);
    assert_faults_n("a: 1\nb: \0\n", 10, "t.yaml:2:4: control characters are not allowed\n");
    assert_faults("a: \x7f\n", "t.yaml:1:4: control characters are not allowed\n");
    assert_faults("a: b\n\xffz\n", "t.yaml:2:1: invalid leading UTF-8 octet\n");
    assert_faults_n(utf16, sizeof(utf16) - 1, "t.yaml:1:1: invalid leading UTF-8 octet\n");
    assert_faults("a: \xc3", "t.yaml:1:4: incomplete UTF-8 octet sequence\n");
}

static void repeat(struct str *s, const char *text, size_t times)
{
    while (times-- > 0)
        str_puts(s, text);
}

static void assert_bomb(const struct str *text, const char *part)
{
    assert_null(yaml_parse(&arena, "t.yaml", text->buf, text->len, &faults));
    assert_int_equal(faults.n, 1);
    if (!strstr(faults.items[0].text, part))
        fail_msg("%s", faults.items[0].text);
    faults_release(&faults);
}

static void test_yaml_depth(void **state)
{
    struct str text;

    UNUSED(state);
    str_init(&text, STR_MAX_TEXT);
    repeat(&text, "[", YAML_MAX_DEPTH);
    repeat(&text, "]", YAML_MAX_DEPTH);
    assert_non_null(read_yaml(text.buf));
    str_clear(&text);
    repeat(&text, "[", 1000000);
    assert_bomb(&text, "deeper than 64");
    str_clear(&text);
    repeat(&text, "{a: ", 100000);
    assert_bomb(&text, "deeper than 64");
    str_clear(&text);
    repeat(&text, "- ", 100000);
    assert_bomb(&text, "deeper than 64");
    /* Not deep as a text: each anchor holds the one before. */
    str_clear(&text);
    str_puts(&text, "- &a0 []\n");
    for (int i = 1; i < 100; i++)
        str_printf(&text, "- &a%d [*a%d]\n", i, i - 1);
    assert_bomb(&text, "through its aliases");
    str_release(&text);
}

static void test_yaml_size(void **state)
{
    struct str text;

    UNUSED(state);
    str_init(&text, STR_MAX_TEXT);
    repeat(&text, "# 3456789012345\n", YAML_MAX_BYTES / 16);
    assert_non_null(read_yaml(text.buf));
    str_putc(&text, '\n');
    assert_bomb(&text, "larger than");
    str_clear(&text);
    repeat(&text, "- 1\n", YAML_MAX_NODES);
    assert_bomb(&text, "more than 200000 values");
    str_release(&text);
}

static void test_yaml_alias_bombs(void **state)
{
    struct str text;

    UNUSED(state);
    str_init(&text, STR_MAX_TEXT);
    str_puts(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 10; i++) {
        str_printf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            str_printf(&text, "%s*a%d", j ? ", " : "", i - 1);
        str_puts(&text, "]\n");
    }
    assert_bomb(&text, "counting what aliases stand for");
    str_clear(&text);
    str_puts(&text, "- &a {");
    for (int i = 0; i < 1000; i++)
        str_printf(&text, "k%d: 1, ", i);
    str_puts(&text, "}\n");
    for (int i = 0; i < 1000; i++)
        str_puts(&text, "- {<<: *a}\n");
    assert_bomb(&text, "counting what aliases stand for");
    str_release(&text);
}

static void test_yaml_file(void **state)
{
    UNUSED(state);
    assert_null(yaml_parse_file(&arena, "/no/such.yaml", &faults));
    faults_format(&faults, &out);
    assert_string_equal(out.buf, "/no/such.yaml: No such file or directory\n");
}

static void test_yaml_write_is_readable(void **state)
{
    static const char text[] = "cluster: demo\n"
                               "\"on\": true\n"
                               "nodes:\n"
                               "  db:\n"
                               "    count: 3\n"
                               "  lb: {}\n"
                               "list:\n"
                               "  - 1\n"
                               "  - \"1\"\n"
                               "  - - 3\n"
                               "    - []\n"
                               "  - a: b\n"
                               "    c: 1.0e+16\n"
                               "file: |\n"
                               "  line\n"
                               "\n"
                               "    next\n"
                               "cut: |-\n"
                               "  a\n"
                               "  b\n"
                               "kept: |+\n"
                               "  a\n"
                               "\n"
                               "blank: \"\\na\"\n"
                               "colon: \"a: b\"\n"
                               "address: 10.77.0.0/24\n"
                               "option: --force\n"
                               "none: null\n";

    UNUSED(state);
    yaml_write(read_yaml(text), &out);
    assert_string_equal(out.buf, text);
}

static void test_yaml_write_round_trip(void **state)
{
    static const char *const strings[] = {"",
                                          " ",
                                          "a ",
                                          " a",
                                          "-",
                                          "- a",
                                          "?",
                                          ":",
                                          "a:",
                                          "a #b",
                                          "#a",
                                          "'a'",
                                          "\"a\"",
                                          "\\",
                                          "{a}",
                                          "[a]",
                                          "*a",
                                          "&a",
                                          "!a",
                                          "%a",
                                          "@a",
                                          "`a",
                                          "|",
                                          ">",
                                          "---",
                                          "...",
                                          "yes",
                                          "~",
                                          "1",
                                          "1:30",
                                          "=",
                                          "<<",
                                          "\n",
                                          "\na",
                                          "a\n",
                                          "a\n\n",
                                          "a\n \nb",
                                          " a\nb",
                                          "a\n---\n",
                                          "a\n\tb",
                                          "a\r\n",
                                          "\x01",
                                          "\x7f",
                                          "\xc2\x85",
                                          "\xe2\x80\xa8",
                                          "\xef\xbb\xbf",
                                          "\xf0\x9f\x98\x80",
                                          "a\n...\n",
                                          "{{ x }}",
                                          "2001-12-14",
                                          "99999999999999999999",
                                          "a\n# b\n",
                                          "a\n\n\nb",
                                          "a,b"};
    struct value *list = value_list(&arena), *map = value_map(&arena);
    const struct value *again;
    char *longer = xcalloc(1, 2001);

    UNUSED(state);
    memset(longer, 'k', 2000);
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        value_list_add(&arena, list, value_str(&arena, strings[i]));
        value_map_set(&arena, map, strings[i], value_str(&arena, strings[i]));
        str_clear(&out);
        yaml_write(value_str(&arena, strings[i]), &out);
        assert_string_equal(read_yaml(out.buf)->u.str.s, strings[i]);
    }
    value_map_set(&arena, map, longer, list);
    value_map_set(&arena, map, "float", value_float(&arena, 5e-324));
    value_map_set(&arena, map, "inf", value_float(&arena, -INFINITY));
    str_clear(&out);
    yaml_write(map, &out);
    again = read_yaml(out.buf);
    assert_true(value_equal(map, again));
    str_clear(&out);
    yaml_write(value_str(&arena, "a\xff"), &out);
    assert_string_equal(out.buf, "\"a\\uFFFD\"\n");
    free(longer);
}

/* --- JSON --- */

static struct value *read_json(const char *text)
{
    struct err err = ERR_INIT;
    struct value *v = json_parse(&arena, "t.json", text, strlen(text), &err);

    if (!v)
        fail_msg("%s", err.text);
    return v;
}

static void assert_json_refused(const char *text, size_t len, const char *part)
{
    struct err err = ERR_INIT;

    assert_null(json_parse(&arena, "t.json", text, len, &err));
    assert_int_equal(err.code, ERR_INPUT);
    if (!strstr(err.text, part))
        fail_msg("\"%s\" does not hold \"%s\"", err.text, part);
    err_release(&err);
}

/* What json.dumps() of Python 3.11 writes for the same. */
static void test_json_write_is_pythons(void **state)
{
    static const char line[] =
        "{\"b\": [1, -2.5, 1e+16, 1e-07, 0.0001, 100.0, true, false, null, [], {}], \"a\": "
        "\"\\\"\\\\/\\n\\r\\t\\f\\b\\u0001\\u007f\\u00e9\\u20ac\\ud83d\\ude00\"}";

    UNUSED(state);
    json_write(read_json(line), JSON_LINE, &out);
    assert_string_equal(out.buf, line);
    str_clear(&out);
    json_write(read_json("{\"a\": [1, {\"b\": {}}], \"c\": []}"), JSON_PRETTY, &out);
    assert_string_equal(out.buf, "{\n  \"a\": [\n    1,\n    {\n      \"b\": {}\n    }\n  ],\n"
                                 "  \"c\": []\n}\n");
    str_clear(&out);
    json_write(read_json("{\"a\": [1, 2], \"c\": \"x\"}"), JSON_TIGHT, &out);
    assert_string_equal(out.buf, "{\"a\":[1,2],\"c\":\"x\"}");
    str_clear(&out);
    json_write(value_strn(&arena, "\xff\xc3", 2), JSON_LINE, &out);
    assert_string_equal(out.buf, "\"\\ufffd\\ufffd\"");
}

static void test_json_read(void **state)
{
    const struct value *v = read_json("{\"z\": 1, \"a\": 2, \"z\": 3}");

    UNUSED(state);
    assert_int_equal(v->u.map.n, 2);
    assert_int_equal(value_get_int(v, "z", 0), 3); /* the last one, as in Python */
    assert_string_equal(v->u.map.entries[0].key, "z");
    assert_string_equal(v->src.file, "t.json");
    assert_int_equal(read_json("9223372036854775807")->u.i, INT64_MAX);
    assert_int_equal(read_json(" null ")->type, VALUE_NULL);
}

static void test_json_bad_input(void **state)
{
    struct err err = ERR_INIT;
    struct str text;

    UNUSED(state);
    assert_json_refused("", 0, "t.json:1:");
    assert_json_refused("{\n  \"a\": ]\n}", 13, "t.json:2:8: not JSON");
    assert_json_refused("[1] x", 5, "end of file expected");
    assert_json_refused("\"a\\u0000b\"", 10, "u0000");
    assert_json_refused("{\"\\u0000\": 1}", 13, "NUL");
    assert_json_refused("\"\0\"", 3, "t.json:1:");
    assert_json_refused("\"\xff\"", 3, "unable to decode byte 0xff");
    assert_json_refused("9223372036854775808", 19, "too big");
    assert_json_refused("1e999", 5, "overflow");
    str_init(&text, STR_MAX_TEXT);
    repeat(&text, "[", JSON_MAX_DEPTH);
    repeat(&text, "]", JSON_MAX_DEPTH);
    assert_non_null(read_json(text.buf));
    str_clear(&text);
    repeat(&text, "[", JSON_MAX_DEPTH + 1);
    repeat(&text, "]", JSON_MAX_DEPTH + 1);
    assert_json_refused(text.buf, text.len, "deeper than 64");
    str_clear(&text);
    repeat(&text, "[", 1000000);
    assert_json_refused(text.buf, text.len, "depth");
    str_release(&text);
    assert_null(json_parse_file(&arena, "/no/such.json", &err));
    assert_int_equal(err.code, ERR_IO);
    err_release(&err);
}

/* --- values --- */

static void test_value_map_large_and_small(void **state)
{
    struct value *map = value_map(&arena);
    char key[16];

    UNUSED(state);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 500; i++) {
            snprintf(key, sizeof(key), "k%d", i);
            value_map_set(&arena, map, key, value_int(&arena, i + round));
            assert_int_equal(value_get_int(map, key, -1), i + round);
        }
    }
    assert_int_equal(map->u.map.n, 500);
    for (int i = 0; i < 500; i += 2) {
        snprintf(key, sizeof(key), "k%d", i);
        assert_true(value_map_del(map, key));
        assert_false(value_map_del(map, key));
    }
    assert_int_equal(map->u.map.n, 250);
    assert_string_equal(map->u.map.entries[1].key, "k3");
    assert_int_equal(value_get_int(map, "k499", 0), 500);
    assert_null(value_get(map, "k0"));
}

static void test_value_lookup(void **state)
{
    const struct value *v = read_yaml("a: {b: {c: 7, s: x, t: yes}}\n");

    UNUSED(state);
    assert_int_equal(value_at(v, "a.b.c")->u.i, 7);
    assert_null(value_at(v, "a.x.c"));
    assert_null(value_at(v, "a.b.c.d"));
    assert_null(value_at(NULL, "a"));
    assert_null(value_get(value_at(v, "a.b.c"), "x"));
    v = value_at(v, "a.b");
    assert_string_equal(value_get_str(v, "s", "none"), "x");
    assert_string_equal(value_get_str(v, "c", "none"), "none");
    assert_int_equal(value_get_int(v, "s", 5), 5);
    assert_true(value_get_bool(v, "t", false));
    assert_false(value_is_str(NULL));
}

static void assert_equality(const char *a, const char *b, bool equal)
{
    assert_int_equal(value_equal(read_yaml(a), read_yaml(b)), equal);
    assert_int_equal(value_equal(read_yaml(b), read_yaml(a)), equal);
}

static void test_value_equal(void **state)
{
    UNUSED(state);
    assert_equality("{a: 1, b: [x]}", "{b: [x], a: 1.0}", true);
    assert_equality("1", "'1'", false);
    assert_equality("1", "yes", false);
    assert_equality("~", "''", false);
    assert_equality("[1, 2]", "[2, 1]", false);
    assert_equality("[1]", "[1, 2]", false);
    assert_equality("{a: 1}", "{a: 1, b: 1}", false);
    assert_equality("{a: 1}", "{b: 1}", false);
    assert_equality("9007199254740993", "9007199254740992.0", false);
    assert_equality("9223372036854775807", "9223372036854775808.0", false);
    assert_equality("-9223372036854775808", "-9223372036854775808.0", true);
    assert_equality(".nan", ".nan", false);
    assert_equality("1", "1.5", false);
}

static void test_value_merge(void **state)
{
    struct arena theirs = ARENA_INIT;
    const char *base = "{a: 1, m: {x: 1, y: {z: 1}}, l: [1, 2], n: {k: 1}}";
    const char *over = "{m: {y: {z: 2, w: 3}}, l: [3], n: ~, new: 1}";
    const struct value *a = yaml_parse(&theirs, "base.yaml", base, strlen(base), &faults);
    const struct value *b = yaml_parse(&theirs, "over.yaml", over, strlen(over), &faults);
    const struct value *merged = value_merge(&arena, a, b);

    UNUSED(state);
    json_write(a, JSON_LINE, &out);
    assert_string_equal(out.buf, "{\"a\": 1, \"m\": {\"x\": 1, \"y\": {\"z\": 1}}, \"l\": [1, 2], "
                                 "\"n\": {\"k\": 1}}");
    arena_release(&theirs); /* nothing of the new tree may point there, nor its file names */
    str_clear(&out);
    json_write(merged, JSON_LINE, &out);
    assert_string_equal(out.buf, "{\"a\": 1, \"m\": {\"x\": 1, \"y\": {\"z\": 2, \"w\": 3}}, "
                                 "\"l\": [3], \"n\": null, \"new\": 1}");
    assert_string_equal(value_at(merged, "m.x")->src.file, "base.yaml");
    assert_string_equal(value_at(merged, "m.y.z")->src.file, "over.yaml");
    assert_string_equal(value_find_entry(merged, "l")->key_src.file, "over.yaml");
}

static enum lookup object_get(const struct value_object *self, struct arena *a, const char *key,
                              const struct value **found, struct err *err)
{
    UNUSED(self);
    UNUSED(err);
    if (!str_eq(key, "known"))
        return LOOKUP_PENDING;
    *found = value_int(a, 1);
    return LOOKUP_FOUND;
}

static size_t object_count(const struct value_object *self)
{
    UNUSED(self);
    return 2;
}

static const char *object_key_at(const struct value_object *self, size_t i)
{
    UNUSED(self);
    return i == 0 ? "known" : "pending";
}

static void test_objects_are_written_as_maps(void **state)
{
    const struct value_object object = {object_get, object_count, object_key_at, NULL};
    struct value *v = value_null(&arena), *list = value_list(&arena);

    UNUSED(state);
    v->type = VALUE_OBJECT;
    v->u.object = &object;
    value_list_add(&arena, list, v);
    json_write(list, JSON_LINE, &out);
    assert_string_equal(out.buf, "[{\"known\": 1, \"pending\": null}]");
    str_clear(&out);
    yaml_write(list, &out);
    assert_string_equal(out.buf, "- known: 1\n  pending: null\n");
    list = value_map(&arena);
    value_map_set(&arena, list, "o", v);
    str_clear(&out);
    yaml_write(list, &out);
    assert_string_equal(out.buf, "o:\n  known: 1\n  pending: null\n");
}

/* Python's repr() of the same. */
static void test_float_text(void **state)
{
    static const struct {
        double f;
        const char *text;
    } rows[] = {{0.0, "0.0"},
                {-0.0, "-0.0"},
                {0.1, "0.1"},
                {1.0 / 3, "0.3333333333333333"},
                {1e15, "1000000000000000.0"},
                {1e16, "1e+16"},
                {123456789.125, "123456789.125"},
                {0.0001, "0.0001"},
                {0.00001, "1e-05"},
                {5e-324, "5e-324"},
                {1.7976931348623157e308, "1.7976931348623157e+308"},
                {INFINITY, "inf"},
                {-INFINITY, "-inf"},
                {NAN, "nan"}};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[VALUE_FLOAT_SIZE];

        value_float_text(rows[i].f, text);
        assert_string_equal(text, rows[i].text);
    }
}

/* --- faults --- */

static void test_faults_in_order_of_place(void **state)
{
    struct err err = ERR_INIT;

    UNUSED(state);
    assert_int_equal(faults_to_err(&faults, &err), 0);
    fault_hint(&faults, "for nothing");
    fault_add(&faults, (struct source){"b", 9, 1}, "late %d", 1);
    fault_add(&faults, (struct source){"a", 1, 1}, "other file");
    fault_add(&faults, (struct source){"b", 2, 5}, "second");
    fault_add(&faults, (struct source){"b", 2, 4}, "first");
    fault_hint(&faults, "did you mean '%s'?", "x");
    fault_add(&faults, (struct source){"b", 0, 0}, "whole file");
    fault_add(&faults, (struct source){NULL, 0, 0}, "no file");
    assert_int_equal(faults_to_err(&faults, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_string_equal(err.text, "b: whole file\nb:2:4: first (did you mean 'x'?)\n"
                                  "b:2:5: second\nb:9:1: late 1\na:1:1: other file\nno file");
    err_release(&err);
}

static void test_faults_have_a_maximum(void **state)
{
    UNUSED(state);
    for (int i = 0; i < FAULTS_MAX + 7; i++) {
        fault_add(&faults, (struct source){"f", i + 1, 1}, "fault");
        fault_hint(&faults, "hint %d", i);
    }
    assert_int_equal(faults.n, FAULTS_MAX);
    assert_string_equal(faults.items[FAULTS_MAX - 1].hint, "hint 99");
    faults_format(&faults, &out);
    assert_true(str_ends(out.buf, "f:100:1: fault (hint 99)\nand 7 more\n"));
}

static void test_faults_are_short_and_harmless(void **state)
{
    char *longer = xcalloc(1, 10001);

    UNUSED(state);
    memset(longer, 'a', 10000);
    fault_add(&faults, (struct source){0}, "key '%s'", "\x1b[2J\r\n\x7f\xc3\xa9");
    assert_string_equal(faults.items[0].text, "key '?[2J???\xc3\xa9'");
    fault_add(&faults, (struct source){0}, "%s", longer);
    assert_int_equal(strlen(faults.items[1].text), 503);
    free(longer);
}

static void test_nearest_word(void **state)
{
    static const char *const words[] = {"cluster", "provider", "postgres", "vip", "ssh", "ports"};
    const size_t n = ARRAY_LEN(words);
    char longer[200];

    UNUSED(state);
    assert_string_equal(nearest_word("postgers", words, n), "postgres"); /* a swap */
    assert_string_equal(nearest_word("postgress", words, n), "postgres");
    assert_string_equal(nearest_word("prvider", words, n), "provider");
    assert_string_equal(nearest_word("vpi", words, n), "vip");
    assert_string_equal(nearest_word("port", words, n), "ports");
    assert_string_equal(nearest_word("ssh", words, n), "ssh");
    assert_null(nearest_word("xyz", words, n));
    assert_null(nearest_word("si", words, n));
    assert_null(nearest_word("", words, n));
    assert_null(nearest_word("cluster", words, 0));
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_null(nearest_word(longer, words, n));
}

static void test_markup(void **state)
{
    /* U+0126 ends in the byte of '&', U+FFFE is no character, U+1F40E takes four bytes. */
    static const char text[] = "<a b=\"c\" d='e'>&amp;\t\n\x01\x7f\xff\xc2\x85\xc4\xa6"
                               "\xef\xbf\xbe\xef\xbf\xbd\xf0\x9f\x90\x8e";

    UNUSED(state);
    markup_put(&out, text);
    assert_string_equal(out.buf, "&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62;&#38;amp;&#9;&#10;"
                                 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc4\xa6"
                                 "\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x90\x8e");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_yaml_types),
        TEST(test_yaml_places),
        TEST(test_yaml_keys_are_text),
        TEST(test_yaml_documents),
        TEST(test_yaml_aliases_and_merge_keys),
        TEST(test_yaml_shows_all_faults),
        TEST(test_yaml_syntax_faults),
        TEST(test_yaml_binary_input),
        TEST(test_yaml_depth),
        TEST(test_yaml_size),
        TEST(test_yaml_alias_bombs),
        TEST(test_yaml_file),
        TEST(test_yaml_write_is_readable),
        TEST(test_yaml_write_round_trip),
        TEST(test_json_write_is_pythons),
        TEST(test_json_read),
        TEST(test_json_bad_input),
        TEST(test_value_map_large_and_small),
        TEST(test_value_lookup),
        TEST(test_value_equal),
        TEST(test_value_merge),
        TEST(test_objects_are_written_as_maps),
        TEST(test_float_text),
        TEST(test_faults_in_order_of_place),
        TEST(test_faults_have_a_maximum),
        TEST(test_faults_are_short_and_harmless),
        TEST(test_nearest_word),
        TEST(test_markup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
