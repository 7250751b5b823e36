/*
 * template.c - module template: renders a file of ours and puts it on the host.
 */
#include "lib/base/file.h"
#include "lib/jinja/jinja.h"
#include "lib/play/filechange.h"

#define DELIMITER(name, text, help)                                                                \
    {                                                                                              \
        name, ARG_STR, false, text, NULL, NULL, help                                               \
    }

static const struct module_arg args[] = {
    {"src", ARG_PATH, true, NULL, NULL, NULL,
     "Template file of this machine, looked up in templates/"},
    {"dest", ARG_PATH, true, NULL, NULL, NULL,
     "Where it goes; in a folder, or with a slash at its end, under the name of src"},
    FILE_ATTRIBUTE_ARGS,
    {"backup", ARG_BOOL, false, "no", NULL, NULL, "Keep the old file beside it, with a time stamp"},
    {"force", ARG_BOOL, false, "yes", NULL, NULL, "no: only when dest does not exist"},
    {"validate", ARG_STR, false, NULL, NULL, NULL,
     "Command that must accept the new file, %s is its name"},
    {"trim_blocks", ARG_BOOL, false, "yes", NULL, NULL, "The newline after a tag goes"},
    {"lstrip_blocks", ARG_BOOL, false, "no", NULL, NULL,
     "The blanks before a tag that begins a line go"},
    {"follow", ARG_BOOL, false, "no", NULL, NULL, "Write what a link at dest leads to"},
    DELIMITER("block_start_string", "{%", "Begins a tag"),
    DELIMITER("block_end_string", "%}", "Ends it"),
    DELIMITER("variable_start_string", "{{", "Begins what is printed"),
    DELIMITER("variable_end_string", "}}", "Ends it"),
    DELIMITER("comment_start_string", "{#", "Begins a comment"),
    DELIMITER("comment_end_string", "#}", "Ends it"),
    {"output_encoding", ARG_REFUSED, false, "utf-8", NULL, NULL,
     "files are UTF-8: convert with command: iconv"},
    {"newline_sequence", ARG_STR, false, "\\n", "\\n|\n", NULL, "Only \\n"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

static struct jinja_syntax syntax_of(const struct module_call *call)
{
    struct jinja_syntax syntax = {
        .begin = {value_get_str(call->args, "block_start_string", ""),
                  value_get_str(call->args, "variable_start_string", ""),
                  value_get_str(call->args, "comment_start_string", "")},
        .end = {value_get_str(call->args, "block_end_string", ""),
                value_get_str(call->args, "variable_end_string", ""),
                value_get_str(call->args, "comment_end_string", "")},
        .trim_blocks = value_get_bool(call->args, "trim_blocks", true),
        .lstrip_blocks = value_get_bool(call->args, "lstrip_blocks", false),
    };
    return syntax;
}

/* Reads and renders src. 1: a variable is not known yet. */
static int render_source(struct module_call *call, struct file_delivery *delivery, struct err *err)
{
    const struct jinja_syntax syntax = syntax_of(call);
    struct str text, rendered;
    int rc;

    str_init(&text, JINJA_MAX_OUTPUT);
    str_init(&rendered, JINJA_MAX_OUTPUT);
    rc = file_source(call, value_get_str(call->args, "src", ""), &text, &delivery->source, err);
    if (rc == 0)
        rc = call->render(call, &syntax, delivery->source, text.buf, text.len, &rendered, err);
    if (rc == JINJA_ERROR)
        rc = -1;
    if (rc == JINJA_OK) {
        delivery->data = arena_strndup(call->arena, rendered.buf, rendered.len);
        delivery->len = rendered.len;
        delivery->name = path_base(delivery->source);
    }
    str_release(&text);
    str_release(&rendered);
    return rc;
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct file_delivery *delivery = arena_new(call->arena, struct file_delivery);
    int rc;

    rc = render_source(call, delivery, err);
    if (rc != 0)
        return rc;
    call->own = delivery;
    file_deliver_needs(call, delivery, add, ctx);
    return 0;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    return file_deliver_plan(call, world, call->own, out, err);
}

const struct module module_template = {
    .name = "template",
    .help = "Renders a template file and puts it on the host.",
    .args = args,
    .needs = needs,
    .plan = plan,
};
