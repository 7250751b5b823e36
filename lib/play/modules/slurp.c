/* slurp.c - module slurp: a file's bytes, in base64, from the probe. */
#include "lib/play/filechange.h"

static const struct module_arg args[] = {
    {"src", ARG_PATH, true, NULL, NULL, "path",
     "The file, of 256 KiB at most; links are followed. Not of /proc: use command: cat"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct need need = {.kind = NEED_PATH, .want_content = true};

    UNUSED(err);
    need.name =
        file_follow(call, file_clean_path(call, value_get_str(call->args, "src", "")), add, ctx);
    add(ctx, &need);
    call->own = (void *)need.name;
    return 0;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct path_state *now = world_path(world, call->own);
    const char *src = value_get_str(call->args, "src", "");
    struct str encoded;

    out->kind = PLAN_OK;
    if (!now->type)
        return plan_fail(call, out, "file not found: %s", src);
    if (now->type == 'd')
        return plan_fail(call, out, "source is a directory and must be a file: %s", src);
    if (!now->content || now->content_len > WORLD_MAX_CONTENT)
        return err_set(err, ERR_INPUT, "%s cannot be read, or is larger than %d bytes", src,
                       WORLD_MAX_CONTENT);
    str_init(&encoded, (size_t)2 * WORLD_MAX_CONTENT);
    str_put_base64(&encoded, now->content, now->content_len);
    plan_result_str(call, out, "content", encoded.buf);
    plan_result_str(call, out, "encoding", "base64");
    plan_result_str(call, out, "source", src);
    str_release(&encoded);
    return 0;
}

const struct module module_slurp = {
    .name = "slurp",
    .help = "Returns what is in a file of the host, in base64: (result.content | b64decode).",
    .args = args,
    .needs = needs,
    .plan = plan,
    .runs_in_check_mode = true,
};
