/*
 * lineinfile.c - module lineinfile. The edit is planned here from the file's content; the order of
 * its rules is that of Ansible's lineinfile.py.
 */
#include "lib/play/lines.h"

static const struct module_arg args[] = {
    {"path", ARG_PATH, true, NULL, NULL, "dest|destfile|name", "The file"},
    {"line", ARG_STR, false, NULL, NULL, "value", "The line; needed with state present"},
    {"regexp", ARG_STR, false, NULL, NULL, "regex",
     "The last line that matches is replaced; with absent, all that match are removed"},
    {"search_string", ARG_STR, false, NULL, NULL, NULL, "As regexp, but a plain text"},
    {"state", ARG_STR, false, "present", "absent|present", NULL, "Whether the line is there"},
    {"insertafter", ARG_STR, false, NULL, NULL, NULL,
     "When nothing matches: after the last line that matches this; EOF (the default), BOF"},
    {"insertbefore", ARG_STR, false, NULL, NULL, NULL,
     "When nothing matches: before the last line that matches this; BOF"},
    {"firstmatch", ARG_BOOL, false, "no", NULL, NULL, "The first match instead of the last"},
    {"backrefs", ARG_BOOL, false, "no", NULL, NULL,
     "line may hold \\1 and \\g<name>; nothing is done when regexp does not match"},
    {"create", ARG_BOOL, false, "no", NULL, NULL, "Make the file when there is none"},
    {"backup", ARG_BOOL, false, "no", NULL, NULL, "Keep the old file beside it"},
    {"validate", ARG_STR, false, NULL, NULL, NULL,
     "Command that must accept the new file, %s is its name"},
    FILE_ATTRIBUTE_ARGS,
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

#define NOT_FOUND SIZE_MAX

struct edit {
    const char *path, *line, *search, *after, *before;
    const char *expanded; /* line with its backreferences filled in */
    struct regex *re;     /* of regexp; NULL: none */
    struct regex *insert; /* of insertafter or insertbefore when they are patterns */
    bool absent, first, backrefs;
};

static int compile(struct module_call *call, const char *pattern, struct regex **re,
                   struct err *err)
{
    if (!pattern)
        return 0;
    *re = regex_compile(call->arena, pattern, strlen(pattern), 0, err);
    return *re ? 0 : err_wrap(err, "lineinfile: '%s'", pattern);
}

static int check_edit(const struct edit *edit, bool has_regexp, struct err *err)
{
    if (edit->after && edit->before)
        return err_set(err, ERR_INPUT, "lineinfile takes insertafter or insertbefore, not both");
    if (edit->search && has_regexp)
        return err_set(err, ERR_INPUT, "lineinfile takes regexp or search_string, not both");
    if (edit->backrefs && !has_regexp)
        return err_set(err, ERR_INPUT, "regexp is required with backrefs=true");
    if (!edit->absent && !edit->line)
        return err_set(err, ERR_INPUT, "line is required with state=present");
    if (edit->absent && !edit->line && !has_regexp && !edit->search)
        return err_set(err, ERR_INPUT,
                       "one of line, search_string, or regexp is required with state=absent");
    return 0;
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct edit *edit = arena_new(call->arena, struct edit);
    const char *regexp = value_get_str(call->args, "regexp", NULL);
    const char *pattern;

    edit->path =
        file_follow(call, file_clean_path(call, value_get_str(call->args, "path", "")), add, ctx);
    edit->line = value_get_str(call->args, "line", NULL);
    edit->search = value_get_str(call->args, "search_string", NULL);
    edit->after = value_get_str(call->args, "insertafter", NULL);
    edit->before = value_get_str(call->args, "insertbefore", NULL);
    edit->absent = str_eq(value_get_str(call->args, "state", ""), "absent");
    edit->first = value_get_bool(call->args, "firstmatch", false);
    edit->backrefs = value_get_bool(call->args, "backrefs", false);
    if (check_edit(edit, regexp, err) < 0)
        return -1;
    if (!edit->after && !edit->before)
        edit->after = "EOF";
    pattern = edit->after ? edit->after : edit->before;
    if (str_eq(pattern, "EOF") || str_eq(pattern, "BOF"))
        pattern = NULL;
    if (compile(call, regexp, &edit->re, err) < 0 || compile(call, pattern, &edit->insert, err) < 0)
        return -1;
    call->own = edit;
    file_content_needs(call, edit->path, NULL, true, value_get_bool(call->args, "create", false),
                       add, ctx);
    return 0;
}

/* Python's match.expand: \1, \g<1>, \g<name>, \n, \t, \\. */
static void expand_line(struct module_call *call, struct edit *edit, const char *matched,
                        const struct regex_match *match)
{
    struct str text;
    const char *p = edit->line;

    str_init(&text, STR_MAX_TEXT);
    for (; *p; p++) {
        size_t group = 0, name_len = 0;

        if (*p != '\\' || !p[1]) {
            str_putc(&text, *p);
            continue;
        }
        p++;
        if (*p >= '0' && *p <= '9') {
            group = (size_t)(*p - '0');
            if (p[1] >= '0' && p[1] <= '9')
                group = group * 10 + (size_t)(*++p - '0');
        } else if (*p == 'g' && p[1] == '<' && strchr(p, '>')) {
            name_len = strcspn(p + 2, ">");
            group = p[2] >= '0' && p[2] <= '9' ? strtoul(p + 2, NULL, 10)
                                               : regex_group_named(edit->re, p + 2, name_len);
            p += name_len + 2;
        } else {
            str_putc(&text, *p == 'n' ? '\n' : *p == 't' ? '\t' : *p);
            continue;
        }
        if (group < REGEX_MAX_GROUPS && group <= regex_groups(edit->re) && match->start[group] >= 0)
            str_add(&text, matched + match->start[group],
                    (size_t)(match->end[group] - match->start[group]));
    }
    edit->expanded = arena_strdup(call->arena, text.buf);
    str_release(&text);
}

/* The line that regexp or search_string means. 0, or -1 with err. */
static int find_match(struct module_call *call, struct edit *edit, const struct lines *lines,
                      size_t *found, struct err *err)
{
    struct regex_match match;

    *found = NOT_FOUND;
    for (size_t i = 0; i < lines->n && !(edit->first && *found != NOT_FOUND); i++) {
        int rc = edit->re       ? lines_search(lines, i, edit->re, &match, err)
                 : edit->search ? strstr(lines->items[i], edit->search) != NULL
                                : 0;

        if (rc < 0)
            return -1;
        if (rc == 0)
            continue;
        *found = i;
        if (edit->backrefs)
            expand_line(call, edit, lines->items[i], &match);
    }
    return 0;
}

/* No match: the line itself (*same), or the place that insertafter or insertbefore names. */
static int find_place(const struct edit *edit, const struct lines *lines, size_t *same,
                      size_t *place, struct err *err)
{
    *same = *place = NOT_FOUND;
    for (size_t i = 0; i < lines->n; i++) {
        int rc;

        if (str_eq(lines_bare(lines, i), edit->line)) {
            *same = i;
            continue;
        }
        rc = edit->insert ? lines_search(lines, i, edit->insert, NULL, err) : 0;
        if (rc < 0)
            return -1;
        if (rc == 0)
            continue;
        *place = edit->after ? i + 1 : i;
        if (edit->first)
            break;
    }
    return 0;
}

/* Puts the line where the place says; NULL when it is there already. */
static const char *insert_line(const struct edit *edit, struct lines *lines, size_t place)
{
    if (str_eq(edit->before, "BOF") || str_eq(edit->after, "BOF")) {
        place = 0;
    } else if (place == NOT_FOUND) {
        place = lines->n;
    } else if (edit->after) {
        size_t look = place == lines->n ? place - 1 : place;

        if (str_eq(lines_bare(lines, look), edit->line))
            return NULL;
    }
    if (place == lines->n)
        lines_end_last(lines);
    lines_insert(lines, place, edit->line);
    return "line added";
}

/* *what: what was done, NULL: nothing. */
static int edit_present(struct module_call *call, struct edit *edit, struct lines *lines,
                        const char **what, struct err *err)
{
    size_t found, place = NOT_FOUND;

    if (find_match(call, edit, lines, &found, err) < 0)
        return -1;
    edit->expanded = edit->expanded ? edit->expanded : edit->line;
    if (found == NOT_FOUND && find_place(edit, lines, &found, &place, err) < 0)
        return -1;
    if (found != NOT_FOUND) {
        const char *old = lines->items[found];

        lines_replace(lines, found, edit->expanded);
        *what = str_eq(old, lines->items[found]) ? NULL : "line replaced";
    } else if (!edit->backrefs) {
        *what = insert_line(edit, lines, place);
    }
    return 0;
}

/* *found: how many lines were taken out. */
static int edit_absent(struct module_call *call, const struct edit *edit, struct lines *lines,
                       const char **what, size_t *found, struct err *err)
{
    size_t removed = 0;

    for (size_t i = lines->n; i > 0; i--) {
        int rc = edit->re       ? lines_search(lines, i - 1, edit->re, NULL, err)
                 : edit->search ? strstr(lines->items[i - 1], edit->search) != NULL
                                : str_eq(lines_bare(lines, i - 1), edit->line);

        if (rc < 0)
            return -1;
        if (rc == 0)
            continue;
        lines_remove(lines, i - 1, 1);
        removed++;
    }
    *found = removed;
    if (removed > 0)
        *what = arena_printf(call->arena, "%zu line(s) removed", removed);
    return 0;
}

static int plan_content(struct module_call *call, struct world *world, const struct edit *edit,
                        const struct lines *lines, struct module_plan *out, struct err *err)
{
    struct file_content want = {.path = edit->path,
                                .attributes = file_attributes_of(call),
                                .backup = value_get_bool(call->args, "backup", false),
                                .make_dirs = value_get_bool(call->args, "create", false),
                                .validate = value_get_str(call->args, "validate", NULL)};

    want.data = lines_join(lines, call->arena, &want.len);
    return file_content_plan(call, world, &want, out, err);
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    struct edit *edit = call->own;
    struct lines lines;
    const char *text, *what = NULL;
    size_t len, found = 0;
    int rc;

    out->kind = PLAN_OK;
    if (lines_of_file(world, edit->path, &text, &len, err) < 0)
        return -1;
    if (!text && edit->absent) {
        plan_result_str(call, out, "msg", "file not present");
        return 0;
    }
    if (!text && !value_get_bool(call->args, "create", false))
        return plan_fail(call, out, "Destination %s does not exist !", edit->path);
    lines_split(&lines, call->arena, text, len);
    rc = edit->absent ? edit_absent(call, edit, &lines, &what, &found, err)
                      : edit_present(call, edit, &lines, &what, err);
    if (rc == 0 && (text || what)) /* backrefs without a match make no file */
        rc = plan_content(call, world, edit, &lines, out, err);
    plan_result_str(call, out, "msg", what ? what : "");
    if (edit->absent)
        plan_result_int(call, out, "found", (int64_t)found);
    lines_release(&lines);
    return rc;
}

const struct module module_lineinfile = {
    .name = "lineinfile",
    .help = "Makes sure that a line is in a file, or is not.",
    .args = args,
    .needs = needs,
    .plan = plan,
};
