/*
 * blockinfile.c - module blockinfile: lines between two markers, as Ansible's blockinfile.py.
 */
#include "lib/play/lines.h"

static const struct module_arg args[] = {
    {"path", ARG_PATH, true, NULL, NULL, "dest|destfile|name", "The file"},
    {"block", ARG_STR, false, "", NULL, "content", "The lines; empty: as state absent"},
    {"state", ARG_STR, false, "present", "absent|present", NULL, "Whether the block is there"},
    {"marker", ARG_STR, false, "# {mark} ANSIBLE MANAGED BLOCK", NULL, NULL,
     "The lines around it; {mark} is marker_begin or marker_end"},
    {"marker_begin", ARG_STR, false, "BEGIN", NULL, NULL, "{mark} of the line before"},
    {"marker_end", ARG_STR, false, "END", NULL, NULL, "{mark} of the line after"},
    {"insertafter", ARG_STR, false, NULL, NULL, NULL,
     "A new block goes after the last line that matches this; EOF (the default)"},
    {"insertbefore", ARG_STR, false, NULL, NULL, NULL,
     "A new block goes before the last line that matches this; BOF"},
    {"create", ARG_BOOL, false, "no", NULL, NULL, "Make the file when there is none"},
    {"backup", ARG_BOOL, false, "no", NULL, NULL, "Keep the old file beside it"},
    {"validate", ARG_STR, false, NULL, NULL, NULL,
     "Command that must accept the new file, %s is its name"},
    {"append_newline", ARG_BOOL, false, "no", NULL, NULL, "An empty line after it"},
    {"prepend_newline", ARG_BOOL, false, "no", NULL, NULL, "An empty line before it"},
    FILE_ATTRIBUTE_ARGS,
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

struct block {
    const char *path, *text, *begin, *end;
    const char *after, *before;
    struct regex *re;
    bool present;
};

/* The marker line with {mark} replaced, with its newline. */
static const char *marker_line(struct module_call *call, const char *which)
{
    const char *p = value_get_str(call->args, "marker", ""), *mark;
    struct str line;
    const char *kept;

    str_init(&line, STR_MAX_TEXT);
    while ((mark = strstr(p, "{mark}"))) {
        str_add(&line, p, (size_t)(mark - p));
        str_puts(&line, value_get_str(call->args, which, ""));
        p = mark + strlen("{mark}");
    }
    str_printf(&line, "%s\n", p);
    kept = arena_strdup(call->arena, line.buf);
    str_release(&line);
    return kept;
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct block *block = arena_new(call->arena, struct block);
    const char *pattern;

    block->path =
        file_follow(call, file_clean_path(call, value_get_str(call->args, "path", "")), add, ctx);
    block->text = value_get_str(call->args, "block", "");
    block->present = str_eq(value_get_str(call->args, "state", ""), "present");
    block->begin = marker_line(call, "marker_begin");
    block->end = marker_line(call, "marker_end");
    block->after = value_get_str(call->args, "insertafter", NULL);
    block->before = value_get_str(call->args, "insertbefore", NULL);
    if (block->after && block->before)
        return err_set(err, ERR_INPUT, "blockinfile takes insertafter or insertbefore, not both");
    if (!block->after && !block->before)
        block->after = "EOF";
    pattern = block->after ? block->after : block->before;
    if (!str_eq(pattern, block->after ? "EOF" : "BOF"))
        block->re = regex_compile(call->arena, pattern, strlen(pattern), 0, err);
    if (!block->re && !str_eq(pattern, block->after ? "EOF" : "BOF"))
        return err_wrap(err, "blockinfile: '%s'", pattern);
    call->own = block;
    file_content_needs(call, block->path, NULL, true, value_get_bool(call->args, "create", false),
                       add, ctx);
    return 0;
}

/* Takes an old block out. *at: where it was; false: there was none. */
static bool take_out(const struct block *block, struct lines *lines, size_t *at)
{
    size_t begin = SIZE_MAX, end = SIZE_MAX, first;

    for (size_t i = 0; i < lines->n; i++) {
        if (str_eq(lines->items[i], block->begin))
            begin = i;
        if (str_eq(lines->items[i], block->end))
            end = i;
    }
    if (begin == SIZE_MAX || end == SIZE_MAX)
        return false;
    first = begin < end ? begin : end;
    lines_remove(lines, first, (begin < end ? end - begin : begin - end) + 1);
    *at = first;
    return true;
}

static int find_place(const struct block *block, const struct lines *lines, size_t *at,
                      struct err *err)
{
    *at = block->before && !block->re ? 0 : lines->n;
    for (size_t i = 0; block->re && i < lines->n; i++) {
        int rc = lines_search(lines, i, block->re, NULL, err);

        if (rc < 0)
            return -1;
        if (rc > 0)
            *at = block->after ? i + 1 : i;
    }
    return 0;
}

/* Inserts the marked block at `at`. Returns the place after it. */
static size_t put_block(struct module_call *call, const struct block *block, struct lines *lines,
                        size_t at)
{
    struct lines body;

    lines_split(&body, call->arena, block->text, strlen(block->text));
    lines_insert(lines, at++, block->begin);
    for (size_t i = 0; i < body.n; i++)
        lines_insert(lines, at++, body.items[i]);
    lines_insert(lines, at++, block->end);
    lines_release(&body);
    return at;
}

static int edit(struct module_call *call, const struct block *block, struct lines *lines,
                struct err *err)
{
    bool blank_before = value_get_bool(call->args, "prepend_newline", false) && block->present;
    bool blank_after = value_get_bool(call->args, "append_newline", false) && block->present;
    size_t at;

    if (!take_out(block, lines, &at) && find_place(block, lines, &at, err) < 0)
        return -1;
    if (at > 0)
        lines_replace(lines, at - 1, lines->items[at - 1]); /* with its newline */
    if (blank_before && at > 0 && !str_eq(lines->items[at - 1], "\n"))
        lines_insert(lines, at++, "\n");
    if (block->present && *block->text)
        at = put_block(call, block, lines, at);
    if (blank_after && at < lines->n && !str_eq(lines->items[at], "\n"))
        lines_insert(lines, at, "\n");
    return 0;
}

/* *changed: the lines are others than in the old text. */
static int plan_content(struct module_call *call, struct world *world, const struct block *block,
                        const struct lines *lines, const char *old, bool *changed,
                        struct module_plan *out, struct err *err)
{
    struct file_content want = {.path = block->path,
                                .attributes = file_attributes_of(call),
                                .backup = value_get_bool(call->args, "backup", false),
                                .make_dirs = value_get_bool(call->args, "create", false),
                                .validate = value_get_str(call->args, "validate", NULL)};

    want.data = lines_join(lines, call->arena, &want.len);
    *changed = !str_eq(old, want.data);
    return file_content_plan(call, world, &want, out, err);
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct block *block = call->own;
    struct lines lines;
    const char *text;
    size_t len;
    bool changed = false;
    int rc;

    out->kind = PLAN_OK;
    if (lines_of_file(world, block->path, &text, &len, err) < 0)
        return -1;
    if (!text && !value_get_bool(call->args, "create", false))
        return plan_fail(call, out, "Path %s does not exist !", block->path);
    lines_split(&lines, call->arena, text, len);
    rc = edit(call, block, &lines, err);
    if (rc == 0)
        rc = plan_content(call, world, block, &lines, text, &changed, out, err);
    plan_result_str(call, out, "msg",
                    !changed                                 ? ""
                    : !text                                  ? "File created"
                    : block->present && *block->text != '\0' ? "Block inserted"
                                                             : "Block removed");
    lines_release(&lines);
    return rc;
}

const struct module module_blockinfile = {
    .name = "blockinfile",
    .help = "Keeps a block of lines, between two markers, in a file.",
    .args = args,
    .needs = needs,
    .plan = plan,
};
