/*
 * fuzz_jinja.c - any bytes as a template and as an expression: no crash, no hang, no unbounded
 * memory.
 *
 * Variables of every type are in scope, one that is pending and one that fails. libFuzzer: see
 * `make fuzz`.
 */
#include "lib/doc/json.h"
#include "lib/jinja/jinja.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char variables[] = "{\"i\": 3, \"f\": 2.5, \"s\": \"text, w\\u00f6rds\", \"t\": true, "
                                "\"n\": null, \"l\": [3, 1, 2],"
                                " \"w\": [\"b\", \"a\"], \"d\": {\"a\": 1, \"b\": [1, {\"c\": "
                                "2}]}, \"u\": [{\"k\": 1}, {\"k\": 2}]}";

static enum lookup find_variable(void *scope_data, struct arena *a, const char *name,
                                 const struct value **out, struct err *err)
{
    UNUSED(a);
    if (str_eq(name, "pending"))
        return LOOKUP_PENDING;
    if (str_eq(name, "broken")) {
        err_set(err, ERR_FAILED, "broken");
        return LOOKUP_ERROR;
    }
    *out = value_get(scope_data, name);
    return *out ? LOOKUP_FOUND : LOOKUP_MISSING;
}

static void check(enum jinja_result result, const struct err *err)
{
    if ((result == JINJA_ERROR) != (err->text != NULL))
        BUG("result %d with the error %s", (int)result, err->text ? err->text : "none");
}

static void use(struct arena *a, const struct jinja_template *t, const struct jinja_scope *scope,
                struct err *err)
{
    const struct value *v;
    struct str out;

    str_init(&out, JINJA_MAX_OUTPUT);
    check(jinja_render(t, scope, &out, err), err);
    err_release(err);
    check(jinja_eval(t, scope, a, &v, err), err);
    str_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct jinja_scope scope = {.get = find_variable, .data = NULL};
    const struct jinja_template *t;

    scope.data = json_parse(&a, "variables", variables, sizeof(variables) - 1, &err);
    t = jinja_parse(&a, (struct source){"t.j2", 1, 1}, (const char *)data, size, &err);
    if (t)
        use(&a, t, &scope, &err);
    err_release(&err);
    t = jinja_parse_expression(&a, (struct source){"e", 1, 1}, (const char *)data, size, &err);
    if (t)
        use(&a, t, &scope, &err);
    err_release(&err);
    arena_release(&a);
    return 0;
}
