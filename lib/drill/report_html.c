/* report_html.c - a report as one page: the template, rendered with its variables. */
#include "lib/base/assets.h"
#include "lib/drill/report_page.h"
#include "lib/jinja/jinja.h"

#define TEMPLATE "templates/drill-report.html.j2"

static enum lookup find_variable(void *data, struct arena *a, const char *name,
                                 const struct value **out, struct err *err)
{
    UNUSED(a);
    UNUSED(err);
    *out = value_get(data, name);
    return *out ? LOOKUP_FOUND : LOOKUP_MISSING;
}

static int render(const struct drill_report *r, struct arena *a, struct str *out, struct err *err)
{
    struct jinja_scope scope = {.get = find_variable, .data = drill_page_variables(r, a)};
    const struct assets embedded = {NULL};
    const struct jinja_template *t = NULL;
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    if (assets_read(&embedded, TEMPLATE, &text, err) == 0)
        t = jinja_parse(a, (struct source){TEMPLATE, 1, 1}, text.buf, text.len, err);
    str_release(&text);
    return t && jinja_render(t, &scope, out, err) == JINJA_OK ? 0 : -1;
}

int drill_put_html(const struct drill_report *r, struct str *out, struct err *err)
{
    struct arena arena = ARENA_INIT;
    int rc = render(r, &arena, out, err);

    arena_release(&arena);
    return rc < 0 ? err_wrap(err, "the page of the drill") : 0;
}
