/*
 * sample.c - writes the sample report in every form, for tests/drill/report.t and for looking at.
 *
 * usage: sample FOLDER: page.html, junit.xml, report.json, report.md, variables.json (of the page).
 */
#include "lib/base/file.h"
#include "lib/doc/json.h"
#include "lib/drill/report_page.h"
#include "tests/unit/drill_sample.h"

static void keep(const char *folder, const char *name, struct str *text)
{
    char *path = xasprintf("%s/%s", folder, name);
    struct err err = ERR_INIT;

    if (file_write(path, text->buf, text->len, 0644, &err) < 0)
        BUG("%s", err.text);
    free(path);
    str_clear(text);
}

int main(int argc, char **argv)
{
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    struct drill_report r;
    struct str text;

    if (argc != 2)
        return 64;
    str_init(&text, STR_MAX_TEXT);
    sample_report(&r);
    if (drill_put_html(&r, &text, &err) < 0)
        BUG("%s", err.text);
    keep(argv[1], "page.html", &text);
    json_write(drill_page_variables(&r, &arena), JSON_PRETTY, &text);
    keep(argv[1], "variables.json", &text);
    json_write(drill_to_value(&r, &arena), JSON_PRETTY, &text);
    keep(argv[1], "report.json", &text);
    drill_put_junit(&r, &text);
    keep(argv[1], "junit.xml", &text);
    drill_put_markdown(&r, &text);
    keep(argv[1], "report.md", &text);
    drill_format(&r, false, &text);
    fwrite(text.buf, 1, text.len, stdout);
    str_release(&text);
    drill_report_release(&r);
    arena_release(&arena);
    return 0;
}
