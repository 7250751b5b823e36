/*
 * render.c - renders templates for tests/jinja/compare.py, many in one run.
 *
 * Standard input: JSON, [{"template": "...", "vars": {...}, "expression": false}, ...]. Standard
 * output: JSON,
 * [{"text": "..."} or {"error": "..."}, ...]. With "expression" the template is a bare expression
 * and its text is printed.
 */
#include <stdio.h>
#include <unistd.h>

#include "lib/doc/json.h"
#include "lib/jinja/jinja.h"

static enum lookup find_variable(void *data, struct arena *a, const char *name,
                                 const struct value **out, struct err *err)
{
    UNUSED(a);
    UNUSED(err);
    *out = value_get(data, name);
    return *out ? LOOKUP_FOUND : LOOKUP_MISSING;
}

static enum jinja_result render(struct arena *a, const struct value *job, struct str *out,
                                struct err *err)
{
    struct jinja_scope scope = {.get = find_variable, .data = value_get(job, "vars")};
    const struct value *text = value_get(job, "template");
    struct source where = {"case", 1, 1};
    const struct jinja_template *t;

    if (value_get_bool(job, "expression", false))
        t = jinja_parse_expression(a, where, text->u.str.s, text->u.str.len, err);
    else
        t = jinja_parse(a, where, text->u.str.s, text->u.str.len, err);
    return t ? jinja_render(t, &scope, out, err) : JINJA_ERROR;
}

static struct value *answer(struct arena *a, const struct value *job)
{
    struct value *result = value_map(a);
    struct err err = ERR_INIT;
    struct str out;

    str_init(&out, JINJA_MAX_OUTPUT);
    if (render(a, job, &out, &err) == JINJA_OK)
        value_map_set(a, result, "text", value_strn(a, out.buf, out.len));
    else
        value_map_set(a, result, "error", value_str(a, err.text ? err.text : "pending"));
    str_release(&out);
    err_release(&err);
    return result;
}

static int read_all(struct str *out)
{
    char buffer[65536];
    ssize_t n;

    while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
        str_add(out, buffer, (size_t)n);
    return n < 0 || out->full ? -1 : 0;
}

static int answer_all(struct arena *a, const struct str *in, struct str *out, struct err *err)
{
    const struct value *jobs = json_parse(a, "stdin", in->buf, in->len, err);
    struct value *answers = value_list(a);

    if (!jobs)
        return -1;
    for (size_t i = 0; i < jobs->u.list.n; i++)
        value_list_add(a, answers, answer(a, jobs->u.list.items[i]));
    json_write(answers, JSON_LINE, out);
    return 0;
}

int main(void)
{
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    struct str in, out;
    int result = 1;

    str_init(&in, JSON_MAX_BYTES);
    str_init(&out, STR_MAX_TEXT);
    if (read_all(&in) == 0 && answer_all(&arena, &in, &out, &err) == 0) {
        puts(out.buf);
        result = 0;
    } else {
        fprintf(stderr, "render: %s\n", err.text ? err.text : "cannot read standard input");
    }
    str_release(&in);
    str_release(&out);
    err_release(&err);
    arena_release(&arena);
    return result;
}
