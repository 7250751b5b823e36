/*
 * test_jinja.c - what tests/jinja/compare.py cannot compare: places of errors, types of results,
 * pending, limits, sharing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/vec.h"
#include "lib/doc/json.h"
#include "lib/jinja/jinja.h"

struct fixture {
    struct arena arena;
    struct err err;
    struct str out;
    struct value *vars;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    const char *json = "{\"one\": 1, \"name\": \"db\", \"list\": [3, 1, 2], \"map\": {\"a\": 1},"
                       " \"users\": [{\"n\": 1}, {\"n\": 2}]}";

    str_init(&f->out, JINJA_MAX_OUTPUT);
    f->vars = json_parse(&f->arena, "vars", json, strlen(json), &f->err);
    assert_non_null(f->vars);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    str_release(&f->out);
    err_release(&f->err);
    arena_release(&f->arena);
    free(f);
    return 0;
}

/* ---- an object as hostvars is: db1 is known, db2 waits for its host, db3 fails */

static enum lookup get_host(const struct value_object *self, struct arena *a, const char *key,
                            const struct value **out, struct err *err)
{
    UNUSED(self);
    if (str_eq(key, "db2"))
        return LOOKUP_PENDING;
    if (str_eq(key, "db3")) {
        err_set(err, ERR_FAILED, "db3 is broken");
        return LOOKUP_ERROR;
    }
    if (!str_eq(key, "db1"))
        return LOOKUP_MISSING;
    *out = value_str(a, "10.0.0.1");
    return LOOKUP_FOUND;
}

static size_t count_hosts(const struct value_object *self)
{
    return *(const size_t *)self->data;
}

static const char *host_at(const struct value_object *self, size_t i)
{
    static const char *const names[] = {"db1", "db2", "db3"};

    UNUSED(self);
    return names[i];
}

static size_t host_count;
static const struct value_object hosts = {get_host, count_hosts, host_at, &host_count};
static const struct value hostvars = {.type = VALUE_OBJECT, .u = {.object = &hosts}};

static enum lookup find_variable(void *data, struct arena *a, const char *name,
                                 const struct value **out, struct err *err)
{
    UNUSED(a);
    if (str_eq(name, "hostvars")) {
        *out = &hostvars;
        return LOOKUP_FOUND;
    }
    if (str_eq(name, "later"))
        return LOOKUP_PENDING;
    if (str_eq(name, "broken")) {
        err_set(err, ERR_FAILED, "no such thing");
        return LOOKUP_ERROR;
    }
    *out = value_get(data, name);
    return *out ? LOOKUP_FOUND : LOOKUP_MISSING;
}

/* ---- helpers */

static enum jinja_result render_at(struct fixture *f, struct source where, const char *text)
{
    struct jinja_scope scope = {.get = find_variable, .data = f->vars};
    struct jinja_template *t;

    str_clear(&f->out);
    err_release(&f->err);
    t = jinja_parse(&f->arena, where, text, strlen(text), &f->err);
    return t ? jinja_render(t, &scope, &f->out, &f->err) : JINJA_ERROR;
}

static enum jinja_result render(struct fixture *f, const char *text)
{
    return render_at(f, (struct source){"t.j2", 1, 1}, text);
}

static void renders(struct fixture *f, const char *text, const char *wanted)
{
    enum jinja_result result = render(f, text);

    if (result == JINJA_ERROR)
        print_error("%s\n", f->err.text);
    assert_int_equal(result, JINJA_OK);
    assert_string_equal(f->out.buf, wanted);
}

static void fails(struct fixture *f, const char *text, const char *message)
{
    assert_int_equal(render(f, text), JINJA_ERROR);
    if (!strstr(f->err.text, message))
        fail_msg("\"%s\" should say \"%s\"", f->err.text, message);
    assert_int_equal(f->err.code == ERR_INPUT || f->err.code == ERR_FAILED, 1);
}

static const struct value *eval(struct fixture *f, const char *text, bool expression)
{
    struct jinja_scope scope = {.get = find_variable, .data = f->vars};
    struct source where = {"p.yml", 7, 1};
    const struct value *v = NULL;
    struct jinja_template *t;

    err_release(&f->err);
    t = expression ? jinja_parse_expression(&f->arena, where, text, strlen(text), &f->err)
                   : jinja_parse(&f->arena, where, text, strlen(text), &f->err);
    if (t && jinja_eval(t, &scope, &f->arena, &v, &f->err) == JINJA_OK)
        return v;
    return NULL;
}

/* "before" + n times `part` + "after"; caller frees. */
static char *repeated(const char *before, const char *part, size_t n, const char *after)
{
    struct str s;

    str_init(&s, STR_MAX_TEXT);
    str_puts(&s, before);
    for (size_t i = 0; i < n; i++)
        str_puts(&s, part);
    str_puts(&s, after);
    return str_detach(&s);
}

static void fails_repeated(struct fixture *f, const char *before, const char *part, size_t n,
                           const char *after, const char *message)
{
    char *text = repeated(before, part, n, after);

    fails(f, text, message);
    free(text);
}

/* ---- places of errors */

static void test_error_places(void **state)
{
    struct fixture *f = *state;

    fails(f, "{{ missing }}", "t.j2:1: 'missing' is undefined");
    fails(f, "a\nb\n{{ map.x }}", "t.j2:3: 'dict object' has no attribute 'x'");
    fails(f, "{% if one %}\n\n{{ 1 +\n nothing }}\n{% endif %}", "t.j2:4: 'nothing' is undefined");
    fails(f, "\n\n{{ 1 + }}", "t.j2:3: expected an expression, found '}}'");
    fails(f, "\n{% for x in list %}\n", "t.j2:3: expected {% endfor %} for the 'for' of line 2");
    fails(f, "x\n{# open", "t.j2:2: a comment does not end");
    fails(f, "{% raw %}\n{{ x }}\n{% endraw %}\n{{ missing }}", "t.j2:4: 'missing'");
    fails(f, "{{ 'a\nb' }}\n{{ missing }}", "t.j2:3:");
    fails(f, "{{ one\r\n}}\r\n{{ missing }}", "t.j2:3:");
    assert_int_equal(render_at(f, (struct source){"play.yml", 40, 3}, "a\n{{ missing }}"),
                     JINJA_ERROR);
    assert_string_equal(f->err.text, "play.yml:41: 'missing' is undefined");
    assert_int_equal(render_at(f, (struct source){NULL, 0, 0}, "{{ missing }}"), JINJA_ERROR);
    assert_string_equal(f->err.text, "<template>:1: 'missing' is undefined");
}

/* As `openssl passwd -6 -salt saltstring` and -5 have them. */
static void test_passwords_are_hashed_with_a_salt(void **state)
{
    struct fixture *f = *state;

    renders(f, "{{ 'Hello world!' | password_hash('sha512', 'saltstring') }}",
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
            "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1");
    renders(f, "{{ 'Hello world!' | password_hash('sha256', 'saltstring') }}",
            "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5");
    renders(f, "{{ ('x' | password_hash(salt='ab', rounds=1000))[:18] }}", "$6$rounds=1000$ab$");
    renders(f, "{{ 'x' | password_hash(salt=1, rounds=5000) == 'x' | password_hash(salt='1') }}",
            "True");
}

/* Newer than the ansible-core that tests/jinja compares with; as Python's os.path.normpath(). */
static void test_paths_are_made_normal(void **state)
{
    static const char *const paths[][2] = {{"/a/./b//../c", "/a/c"},
                                           {"../a/../..", "../.."},
                                           {"", "."},
                                           {"//a", "//a"},
                                           {"///a", "/a"},
                                           {"/..", "/"},
                                           {"a/..", "."},
                                           {"//..", "//"},
                                           {"a/../../b/..", ".."},
                                           {"/", "/"},
                                           {"a/b/", "a/b"},
                                           {"./x", "x"},
                                           {"../../x", "../../x"},
                                           {"/../x", "/x"},
                                           {"a//..b", "a/..b"}};
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        renders(f, arena_printf(&f->arena, "{{ '%s' | normpath }}", paths[i][0]), paths[i][1]);
    fails(f, "{{ '1.' | human_to_bytes }}", "human_to_bytes() can't interpret '1.'");
}

static void test_outside_the_subset(void **state)
{
    struct fixture *f = *state;

    fails(f, "{% include 'x' %}", "'include' is not supported here; statements are if, for, set");
    fails(f, "{% extends 'x' %}", "'extends' is not supported");
    fails(f, "{% import 'x' as y %}", "'import' is not supported");
    fails(f, "{% macro x() %}{% endmacro %}", "'macro' is not supported");
    fails(f, "{% for x in list recursive %}{% endfor %}", "recursive loops are not supported");
    fails(f, "{{ look('x') }}", "'look' is no function; supported are");
    fails(f, "{{ lookup('pipe', 'ls') }}", "t.j2:1: no lookup named 'pipe' here: a task with");
    fails(f, "{{ query('fil', 'x') }}", "no lookup named 'fil' (did you mean 'file'?)");
    fails(f, "{{ lookup('pi' ~ 'pe', 'ls') }}", "no lookup named 'pipe' here: a task with");
    fails(f, "{{ lookup('env', 'HOME') }}", "needs a playbook");
    fails(f, "{{ dict(*list) }}", "unpacking arguments");
    fails(f, "{{ 'a' | upperr }}", "no filter named 'upperr' (did you mean 'upper'?)");
    fails(f, "{{ 'a' is definde }}", "no test named 'definde' (did you mean 'defined'?)");
    fails(f, "{{ {1: 2} }}", "keys of a dict must be strings");
    fails(f, "{{ map.items }}", "'items' is a method of dict");
    fails(f, "{{ 'a' | hash('md4') }}", "hash: 'md4' is none of md5, sha1,");
    fails(f, "{{ 9 | random }}", "random needs a seed, like seed=inventory_hostname");
    fails(f, "{{ list | shuffle }}", "shuffle needs a seed");
    fails(f, "{{ 9 | random(seed=1.5) }}", "the seed must be a string or an integer");
    fails(f, "{{ 'x' | password_hash }}", "password_hash needs a salt");
    fails(f, "{{ 'x' | password_hash('bcrypt', 's') }}", "only sha512 and sha256");
    fails(f, "{{ 'x' | password_hash('sha512', 'a$b') }}", "a salt has 1 to 16 letters");
    fails(f, "{{ 'x' | password_hash('sha512', 's', rounds=5) }}", "integer from 1000");
    fails(f, "{{ map | json_query('a') }}", "no filter named 'json_query' here: selectattr and");
    fails(f, "{{ map | community.general.json_query('a') }}", "here: selectattr and map");
    fails(f, "{{ '10.81.0.1' | ansible.utils.ipaddr }}", "here: take the address apart");
    fails(f, "{{ '/' is exists }}", "this test needs a playbook");
    fails(f, "{{ '\\N{BULLET}' }}", "\\N escapes are not supported");
    fails(f, "{{ '\\0' }}", "bad escape");
    fails(f, "{{ 'a' | regex_search('(?<=x)a') }}", "not supported");
    fails(f, "{{ 1[0:1:2:3] }}", "expected ']'");
    fails(f, "{{ (1)(2) }}", "only functions and methods can be called");
    renders(f, "{{ 'a' | ansible.builtin.upper }} {{ 'a' is ansible.builtin.match('a') }}",
            "A True");
}

static void test_integers_have_64_bits(void **state)
{
    struct fixture *f = *state;

    fails(f, "{{ 9223372036854775807 + 1 }}", "out of range");
    fails(f, "{{ -9223372036854775807 - 2 }}", "out of range");
    fails(f, "{{ 4611686018427387904 * 2 }}", "out of range");
    fails(f, "{{ 2 ** 63 }}", "out of range");
    fails(f, "{{ 10 ** 1000000000000 }}", "out of range");
    fails(f, "{{ -(-9223372036854775807 - 1) }}", "out of range");
    fails(f, "{{ (-9223372036854775807 - 1) // -1 }}", "out of range");
    fails(f, "{{ (-9223372036854775807 - 1) | abs }}", "out of range");
    fails(f, "{{ 9223372036854775808 }}", "integer out of range");
    renders(f, "{{ (-9223372036854775807 - 1) % -1 }} {{ (-1) ** 1000000001 }} {{ 2 ** 62 }}",
            "0 -1 4611686018427387904");
    renders(f, "{{ -9223372036854775808.0 | int }} {{ '-9223372036854775808' | int }}",
            "-9223372036854775808 -9223372036854775808");
    renders(f, "{{ 9223372036854775808.0 | int(7) }} {{ 9223372036854774784.0 | int }}",
            "7 9223372036854774784");
    renders(f, "{{ '%d' % -9223372036854775808.0 }}", "-9223372036854775808");
    fails(f, "{{ '%d' % 9223372036854775808.0 }}", "out of range");
}

/* ---- results with types */

static void test_native_types(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(eval(f, "{{ one }}", false)->type, VALUE_INT);
    assert_int_equal(eval(f, "{{ list }}", false)->type, VALUE_LIST);
    assert_int_equal(eval(f, "{{ map }}", false)->type, VALUE_MAP);
    assert_int_equal(eval(f, "{{ none }}", false)->type, VALUE_NULL);
    assert_int_equal(eval(f, "{{ one == 1 }}", false)->type, VALUE_BOOL);
    assert_int_equal(eval(f, "{{ 1, 2 }}", false)->u.list.n, 2);
    assert_string_equal(eval(f, " {{ one }}", false)->u.str.s, " 1");
    assert_string_equal(eval(f, "{{ one }}{{ one }}", false)->u.str.s, "11");
    assert_string_equal(eval(f, "{% if one %}{{ one }}{% endif %}", false)->u.str.s, "1");
    assert_string_equal(eval(f, "plain", false)->u.str.s, "plain");
    assert_string_equal(eval(f, "", false)->u.str.s, "");
    assert_int_equal(eval(f, "one + 1", true)->u.i, 2);
    assert_true(eval(f, "\n one is defined and\n name == 'db'\n", true)->u.b);
    assert_null(eval(f, "", true));
    assert_null(eval(f, "a b", true));
    assert_null(eval(f, "missing", true));
    assert_string_equal(f->err.text, "p.yml:7: 'missing' is undefined");
    assert_null(eval(f, "[1, {'a': missing}]", true));
    assert_null(eval(f, "namespace(a=1)", true));
    assert_string_equal(f->err.text, "p.yml:7: a Namespace cannot leave the template");
}

static void test_truth_and_print(void **state)
{
    struct fixture *f = *state;
    const struct value *v = eval(f, "[none, true, 1.0, 'a\\'b', {'k': []}, (1,)]", true);

    str_clear(&f->out);
    jinja_put(v, &f->out);
    assert_string_equal(f->out.buf, "[None, True, 1.0, \"a'b\", {'k': []}, (1,)]");
    assert_true(jinja_truth(v));
    assert_false(jinja_truth(eval(f, "''", true)));
    assert_false(jinja_truth(eval(f, "0.0", true)));
    assert_false(jinja_truth(eval(f, "{}", true)));
    assert_true(jinja_truth(eval(f, "' '", true)));
    assert_true(jinja_has_markup("a {{ b"));
    assert_true(jinja_has_markup("{%"));
    assert_true(jinja_has_markup("{{#"));
    assert_false(jinja_has_markup("a { b } {"));
    assert_false(jinja_has_markup(""));
}

/* ---- pending and failing lookups */

static void test_pending(void **state)
{
    struct fixture *f = *state;
    static const char *const pending[] = {
        "{{ later }}",
        "{{ 1 + later }}",
        "{{ [1, later] }}",
        "{{ later | default(1) }}",
        "{{ later is defined }}",
        "{{ later.x.y }}",
        "{% if later %}{% endif %}",
        "{% for x in later %}{% endfor %}",
        "{% for x in list if later %}{% endfor %}",
        "{% set x = later %}",
        "{% set x %}{{ later }}{% endset %}",
        "{{ true and later }}",
        "{{ hostvars.db2 }}",
        "{{ hostvars['db2'].x | default(1) }}",
        "{{ 'db2' in hostvars }}",
        "{{ hostvars | list | map('extract', hostvars) | list }}",
        "{{ dict(a=later) }}",
    };

    host_count = 2;
    for (size_t i = 0; i < ARRAY_LEN(pending); i++) {
        assert_int_equal(render(f, pending[i]), JINJA_PENDING);
        assert_null(f->err.text);
        assert_int_equal(f->out.len, 0);
    }
    renders(f, "{{ false and later }} {{ true or later }} {{ 1 if true else later }}",
            "False True 1");
    renders(f, "{% if false %}{{ later }}{% endif %}", "");
}

static void test_failing_lookup(void **state)
{
    struct fixture *f = *state;

    host_count = 3;
    fails(f, "\n{{ broken }}", "t.j2:2: no such thing");
    fails(f, "{{ hostvars.db3 }}", "t.j2:1: db3 is broken");
    fails(f, "{{ hostvars.nosuch }}", "'dict object' has no attribute 'nosuch'");
}

static void test_object(void **state)
{
    struct fixture *f = *state;

    host_count = 1;
    renders(f, "{{ hostvars }} {{ hostvars.db1 }} {{ hostvars['db1'] }} {{ hostvars | length }}",
            "{'db1': '10.0.0.1'} 10.0.0.1 10.0.0.1 1");
    renders(
        f,
        "{% for h in hostvars %}{{ h }}{% endfor %} {{ 'db1' in hostvars }}{{ 'x' in hostvars }}",
        "db1 TrueFalse");
    renders(f,
            "{{ hostvars.get('x', 1) }} {{ hostvars.items() | list }} {{ hostvars | dict2items }}",
            "1 [('db1', '10.0.0.1')] [{'key': 'db1', 'value': '10.0.0.1'}]");
    renders(
        f,
        "{{ hostvars | to_json }} {{ hostvars == {'db1': '10.0.0.1'} }} {{ hostvars is mapping }}",
        "{\"db1\": \"10.0.0.1\"} True True");
    host_count = 0;
    renders(f, "{{ 'some' if hostvars else 'none' }}", "none");
}

/* ---- sharing */

static void test_variables_are_constant(void **state)
{
    struct fixture *f = *state;

    fails(f, "{{ list.append(4) }}", "only a list that this template made can be changed");
    fails(f, "{{ users[0].n.append(4) }}", "no method 'append'");
    renders(f, "{% set l = list | list %}{{ l.append(4) }}{{ l }}{{ list }}",
            "None[3, 1, 2, 4][3, 1, 2]");
    fails(f, "{{ (1, 2).append(3) }}", "only a list");
    assert_int_equal(value_get(f->vars, "list")->u.list.n, 3);
}

/* What python3-jinja2 makes of the same. */
static void test_other_syntax(void **state)
{
    static const struct {
        struct jinja_syntax syntax;
        const char *text, *wanted;
    } cases[] = {
        {{{"{%", "{{", "{#"}, {"%}", "}}", "#}"}, true, true},
         "a:\n  {% for i in [1, 2] %}\n  - {{ i }}\n  {% endfor %}\n  {# no #}\n"
         " b {% if 1 %}c{% endif %}\n",
         "a:\n  - 1\n  - 2\n b c"},
        {{{"{%", "{{", "{#"}, {"%}", "}}", "#}"}, true, true},
         "  {%+ if 1 %}\n\t {% raw %}\n  x\n   {% endraw %}\n  {{ 1 }} {% endif %}",
         "  \n  x\n  1 "},
        {{{"{%", "{{", "{#"}, {"%}", "}}", "#}"}, false, true},
         "{% if 1 %}\n {% endif %}\n  {% if 1 -%}\n  {% endif %} x",
         "\n\n x"},
        {{{"{%", "{{", "{#"}, {"%}", "}}", "#}"}, false, false},
         "{% if 1 %}\n{{ 1 }}\n{% endif %}\n{# c #}\nend",
         "\n1\n\n\nend"},
        {{{"<%", "[[", "[#"}, {"%>", "]]", "#]"}, true, false},
         "[# x #][[ [1, [2]][1][0] ]] {{ no }} {% no %}\n<% if 1 -%>\n yes [[- 'a' -]]\n"
         "<%- endif %>\n<% raw %>[[ x ]]<% endraw %>",
         "2 {{ no }} {% no %}\nyesa[[ x ]]"},
        {{{"{", "{{{", "{*"}, {"}", "}}}", "*}"}, true, false},
         "{{{ 1 }}} { if 1 }{* c *}x{ endif }",
         "1 x"},
    };
    static const struct jinja_syntax same = {{"<", "<", "{#"}, {">", "}}", "#}"}, true, false};
    struct fixture *f = *state;
    struct jinja_scope names = {.get = find_variable, .data = f->vars};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct jinja_template *t =
            jinja_parse_as(&f->arena, &cases[i].syntax, (struct source){"t.j2", 1, 1},
                           cases[i].text, strlen(cases[i].text), &f->err);

        if (!t)
            fail_msg("%zu: %s", i, f->err.text);
        str_clear(&f->out);
        assert_int_equal(jinja_render(t, &names, &f->out, &f->err), JINJA_OK);
        assert_string_equal(f->out.buf, cases[i].wanted);
    }
    assert_null(jinja_parse_as(&f->arena, &same, (struct source){"t.j2", 1, 1}, "", 0, &f->err));
    assert_non_null(strstr(f->err.text, "must be different"));
}

static void test_a_template_renders_many_times(void **state)
{
    struct fixture *f = *state;
    const char *text = "{% set l = [] %}{{ l.append(one) }}{{ l }}";
    struct jinja_scope scope = {.get = find_variable, .data = f->vars};
    struct jinja_template *t =
        jinja_parse(&f->arena, (struct source){"t.j2", 1, 1}, text, strlen(text), &f->err);
    size_t used = f->arena.used;

    for (int i = 0; i < 3; i++)
        assert_int_equal(jinja_render(t, &scope, &f->out, &f->err), JINJA_OK);
    assert_string_equal(f->out.buf, "None[1]None[1]None[1]");
    assert_int_equal(f->arena.used, used);
}

/* ---- limits */

static void test_depth(void **state)
{
    struct fixture *f = *state;

    fails_repeated(f, "{{ ", "(", 100, "1", "nested deeper than 64");
    fails_repeated(f, "{{ ", "[", 100000, "", "nested deeper than 64");
    fails_repeated(f, "{{ ", "- ", 100000, "1 }}", "nested deeper than 64");
    fails_repeated(f, "{{ ", "not ", 100000, "1 }}", "nested deeper than 64");
    fails_repeated(f, "{{ ", "1 if 1 else ", 100000, "1 }}", "nested deeper than 64");
    fails_repeated(f, "", "{% if 1 %}", 100000, "", "nested deeper than 64");
    fails_repeated(f, "", "{% for x in list %}", 65, "", "nested deeper than 64");
    fails_repeated(f, "{{ 1", " + 1", 100000, " }}", "too long or nested too deeply");
    fails_repeated(f, "{{ one", ".x", 100000, " }}", "too long or nested too deeply");
    fails_repeated(f, "{{ one", " | int", 100000, " }}", "too long or nested too deeply");
    fails_repeated(f,
                   "{% set l = [] %}{% set ns = namespace(l=l) %}{% for i in range(300) %}"
                   "{% set ns.l = [ns.l] %}{% endfor %}",
                   "", 0, "{{ ns.l }}", "values nested deeper than");
    fails(f, "{% set l = [] %}{{ l.append(l) }}{{ l }}", "values nested deeper than");
    fails(f, "{% set l = [] %}{{ l.append(l) }}{{ l == [l] }}", "values nested deeper than");
    fails(f, "{% set l = [] %}{{ l.append(l) }}{{ l | to_json }}", "values nested deeper than");
    fails(f, "{% set l = [] %}{{ l.append(l) }}{{ l | flatten }}", "nested deeper than");
}

static void test_long_chains_work(void **state)
{
    struct fixture *f = *state;
    char *text = repeated("{{ 0", " + 1", 300, " }}");

    renders(f, text, "300");
    free(text);
    text = repeated("", "{{ one }}", 5000, "");
    assert_int_equal(render(f, text), JINJA_OK);
    assert_int_equal(f->out.len, 5000);
    free(text);
}

static void test_size_limits(void **state)
{
    struct fixture *f = *state;

    fails(f, "{{ 'x' * 100000000 }}", "text larger than 16 MiB");
    fails(f, "{% set s = 'x' * 10000000 %}{{ s }}{{ s }}", "text larger than 16 MiB");
    fails(f, "{{ range(10000000) | length }}", "the template takes more than");
    fails(f, "{{ [1] * 10000000 }}", "the template takes more than");
    fails(f, "{{ 'abc'.replace('', 'x' * 10000000) }}", "text larger than 16 MiB");
    fails(f, "{{ '%9999d' % 1 }}", "format width");
    fails(f, "{{ 'a'.rjust(100000000) }}", "text larger than");
    fails(f, "{{ [1] | batch(100000000, 0) }}", "the template takes more than");
    fails(f,
          "{% set x = 'x' * 9000000 %}{% set n = namespace(l=[]) %}{% for i in range(50) %}"
          "{% set n.l = n.l + [x ~ i] %}{% endfor %}",
          "more than 256 MiB of memory");
    fails(f,
          "{% set n = namespace(l=[1]) %}{% for i in range(60) %}{% set n.l = [n.l, n.l] %}"
          "{% endfor %}{{ n.l }}",
          "more than 5000000 steps");
    assert_null(eval(f, "{{ [1] * 3000000 + [2] * 3000000 }}", false));
}

/* What itertools would give is counted before any of it is made. */
static void test_choices_are_counted(void **state)
{
    struct fixture *f = *state;

    renders(f, "{{ range(18) | combinations(6) | length }}", "18564");
    renders(f, "{{ range(100) | combinations(98) | length }}", "4950");
    renders(f, "{{ range(8) | permutations | length }}", "40320");
    renders(f, "{{ [1] | product(repeat=1000) | length }}", "1");
    renders(f, "{{ range(99999) | product([], repeat=9) | length }}", "0");
    renders(f, "{{ [1] | combinations(9223372036854775807) | length }}", "0");
    fails(f, "{{ range(9) | permutations }}", "permutations: more than 100000 rows");
    fails(f, "{{ range(1000) | combinations(500) }}", "combinations: more than 100000 rows");
    fails(f, "{{ range(99999) | combinations(5) }}", "combinations: more than 100000 rows");
    fails(f, "{{ [0, 1] | product(repeat=40) }}", "product: more than 100000 rows");
    fails(f, "{{ [1] | product(repeat=9223372036854775807) }}",
          "product: more than 100000 columns");
    fails(f, "{{ range(300) | product(range(300), range(300)) }}",
          "product: more than 100000 rows");
    fails(f, "{{ [1, 2] | permutations(1.5) }}", "Expected int as r, not float");
}

/* Where the real ones would look at files or other users, or give what is no text. */
static void test_paths_without_files(void **state)
{
    struct fixture *f = *state;

    renders(f, "{{ ['/a//b/', '/a/./b/c'] | commonpath }} {{ ['a'] | commonpath }}", "/a/b a");
    fails(f, "{{ [] | commonpath }}", "commonpath() arg is an empty sequence");
    fails(f, "{{ ['/a', 'b'] | commonpath }}", "Can't mix absolute and relative paths");
    fails(f, "{{ 'x' | commonpath }}", "commonpath expects sequence, got str instead.");
    fails(f, "{{ '/a' | relpath }}", "give a start that begins where the path does");
    fails(f, "{{ 'a' | relpath('../b') }}", "a way back from ../b is not known here");
    fails(f, "{{ '~other/x' | expanduser }}", "only ~ and ~/ are known here");
    renders(f, "{{ 'x~' | expanduser }} {{ '$NONE ${X' | expandvars }}", "x~ $NONE ${X");
    fails(f, "{{ '%ff' | urldecode }}", "urldecode: the result is no text");
    fails(f, "{{ 'a%00' | urldecode }}", "urldecode: the result is no text");
}

/* What Python takes, and a plan must not: the present; and what is not read here. */
static void test_times(void **state)
{
    struct fixture *f = *state;

    fails(f, "{{ '%Y' | strftime }}", "strftime needs the second");
    fails(f, "{{ '%Q' | strftime(0) }}", "'%Q' is not supported here");
    fails(f, "{{ '%' | strftime(0) }}", "strftime: '%?' is not supported here");
    fails(f, "{{ '%-' | strftime(0) }}", "strftime: '%?' is not supported here");
    fails(f, "{{ '%f' | strftime(0) }}", "'%f' is not supported here");
    fails(f, "{{ '%Y' | strftime(1e300) }}", "Invalid value for epoch value");
    fails(f, "{{ '%Y' | strftime(list) }}", "Invalid value for epoch value");
    fails(f, "{{ 'x' | to_datetime('%z') }}", "'%z' is not supported in a format here");
    fails(f, "{{ 'x' | to_datetime('%Y%Y') }}", "'%Y' is twice in the format");
    fails(f, "{{ 'x' | to_datetime('a' * 300) }}", "the format is longer than 256");
    fails(f, "{{ '0000' | to_datetime('%Y') }}", "year 0 is out of range");
    fails(f, "{{ '61' | to_datetime('%S') }}", "second must be in 0..59");
    fails(f, "{{ '1' | to_datetime('%m') - 1 }}", "unsupported operand type(s) for -");
    fails(f,
          "{% set a = '9999' | to_datetime('%Y') %}{% set b = '0001' | to_datetime('%Y') %}"
          "{{ a + (a - b) }}",
          "date value out of range");
    fails(f,
          "{% set a = '9999' | to_datetime('%Y') %}{% set b = '0001' | to_datetime('%Y') %}"
          "{% set n = namespace(d=a - b) %}{% for i in range(40) %}{% set n.d = n.d + n.d %}"
          "{% endfor %}",
          "date value out of range");
    fails(f, "{{ ['1' | to_datetime('%m')] }}", "a datetime.datetime cannot be printed");
    fails(f, "{{ '1' | to_datetime('%m') | list }}", "not iterable");
    fails(f, "{{ ('1' | to_datetime('%m')).nosuch }}", "has no attribute 'nosuch'");
    fails(f, "{{ ('1' | to_datetime('%m')).items() }}", "have no method 'items'");
    assert_null(eval(f, "'1' | to_datetime('%m')", true));
}

static void test_loops_end(void **state)
{
    struct fixture *f = *state;

    fails(f, "{% for a in range(3000) %}{% for b in range(3000) %}{% endfor %}{% endfor %}",
          "the template takes more than");
    fails(f, "{% set l = [1] %}{% for x in l %}{{ l.append(x) }}{% endfor %}", "more than");
    fails(f, "{{ ('a' * 40) is match('(a*)*(a*)*(a*)*b') }}", "too many steps");
    fails(f, "{{ ('a' * 30) is match('(a|aa)+$(?!)') }}", "too many steps");
    fails(f, "{{ 'a' | regex_search('((a{1000}){1000}){1000}') }}", "too large");
    fails(f, "{{ 'a' | regex_search('(?:' * 100) }}", "nested too deeply");
    fails(f, "{{ 'a' | regex_search('a' * 10000) }}", "pattern too long");
    renders(f, "{{ ('a' * 100000) is match('a*$') }}", "True");
}

static void test_bad_bytes(void **state)
{
    struct fixture *f = *state;
    struct jinja_template *t =
        jinja_parse(&f->arena, (struct source){"t.j2", 1, 1}, "a\0b", 3, &f->err);

    assert_null(t);
    assert_string_equal(f->err.text, "t.j2:1: NUL byte in a template");
    renders(f, "\xff\xfe {{ '\xff' }}|{{ '\xc3\xa9\xff'[1] }}|{{ '\xff' | length }}",
            "\xff\xfe \xff|\xff|1");
    fails(f, "{{ \xc3\xa9 }}", "unexpected character 0xc3");
    fails(f, "{{ \x01 }}", "unexpected character 0x01");
}

static void test_full_output(void **state)
{
    struct fixture *f = *state;
    struct jinja_scope scope = {.get = find_variable, .data = f->vars};
    struct jinja_template *t =
        jinja_parse(&f->arena, (struct source){"t.j2", 1, 1}, "12345", 5, &f->err);
    struct str small;

    str_init(&small, 4);
    assert_int_equal(jinja_render(t, &scope, &small, &f->err), JINJA_ERROR);
    assert_string_equal(f->err.text, "t.j2:1: text larger than 4 bytes");
    str_release(&small);
}

static void test_names(void **state)
{
    struct fixture *f = *state;
    const char *const *lists[] = {jinja_filter_names(), jinja_test_names()};

    for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
        for (size_t i = 0; lists[l][i]; i++) {
            if (i > 0)
                assert_true(strcmp(lists[l][i - 1], lists[l][i]) < 0);
        }
    }
    jinja_put_reference(&f->out);
    assert_non_null(strstr(f->out.buf, "| `default` | `default_value boolean` |"));
    assert_non_null(strstr(f->out.buf, "| `defined` |"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_error_places),
        T(test_passwords_are_hashed_with_a_salt),
        T(test_paths_are_made_normal),
        T(test_outside_the_subset),
        T(test_integers_have_64_bits),
        T(test_native_types),
        T(test_truth_and_print),
        T(test_pending),
        T(test_failing_lookup),
        T(test_object),
        T(test_variables_are_constant),
        T(test_other_syntax),
        T(test_a_template_renders_many_times),
        T(test_depth),
        T(test_long_chains_work),
        T(test_size_limits),
        T(test_choices_are_counted),
        T(test_paths_without_files),
        T(test_times),
        T(test_loops_end),
        T(test_bad_bytes),
        T(test_full_output),
        T(test_names),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
