/*
 * command_line.c - what command and shell share.
 */
#include "lib/play/command_line.h"
#include "lib/play/planout.h"

const char *command_text(const struct module_call *call, struct err *err)
{
    const char *cmd = value_get_str(call->args, "cmd", NULL);

    if (cmd && call->free_form) {
        err_set(err, ERR_INPUT, "the command is given twice: as text and as cmd");
        return NULL;
    }
    if (!cmd && !call->free_form)
        err_set(err, ERR_INPUT, "no command given");
    return cmd ? cmd : call->free_form;
}

/* The path under `key`, as seen from chdir; NULL: not given. */
static const char *path_arg(const struct module_call *call, const char *key)
{
    const char *path = value_get_str(call->args, key, NULL);
    const char *chdir_to = value_get_str(call->args, "chdir", NULL);

    if (!path || *path == '/' || !chdir_to)
        return path;
    return arena_printf(call->arena, "%s/%s", chdir_to, path);
}

static int add_path(const struct module_call *call, const char *key,
                    void (*add)(void *ctx, const struct need *need), void *ctx, struct err *err)
{
    struct need need = {.kind = NEED_PATH, .name = path_arg(call, key)};

    if (!need.name)
        return 0;
    if (strpbrk(need.name, "*?["))
        return err_set(err, ERR_INPUT, "%s: patterns are not supported: %s", key, need.name);
    add(ctx, &need);
    return 0;
}

int command_needs(struct module_call *call, void (*add)(void *ctx, const struct need *need),
                  void *ctx, struct err *err)
{
    if (add_path(call, "creates", add, ctx, err) < 0)
        return -1;
    return add_path(call, "removes", add, ctx, err);
}

/* Need it not run? The path that tells so, as the task names it, and why. */
static bool is_done(struct module_call *call, struct world *world, const char **path,
                    const char **why)
{
    const char *creates = path_arg(call, "creates"), *removes = path_arg(call, "removes");

    if (creates && world_path(world, creates)->type != 0) {
        *path = value_get_str(call->args, "creates", NULL);
        *why = "exists";
        return true;
    }
    *path = value_get_str(call->args, "removes", NULL);
    *why = "does not exist";
    return removes && world_path(world, removes)->type == 0;
}

/* What a command returns that was left out. */
static void plan_done(struct module_call *call, const char *path, const char *why,
                      struct module_plan *out)
{
    const char *text = arena_printf(call->arena, "skipped, since %s %s", path, why);

    finish_captured(call, out, 0, text, "", true);
    out->kind = PLAN_OK;
    out->msg = arena_printf(call->arena, "%s not run command since '%s' %s",
                            call->check_mode ? "Would" : "Did", path, why);
    plan_result_str(call, out, "msg", out->msg);
}

/* stdin from text: a here-document would need a mark that the text does not hold. */
static void put_stdin(const char *text, bool add_newline, struct str *script)
{
    struct str bytes;

    str_init(&bytes, STR_MAX_TEXT);
    str_puts(&bytes, text);
    if (add_newline)
        str_putc(&bytes, '\n');
    str_puts(script, "printf %s ");
    str_puts(script, "'");
    str_put_base64(script, bytes.buf, bytes.len);
    str_puts(script, "' | base64 -d | ");
    str_release(&bytes);
}

void command_plan(struct module_call *call, struct world *world, const char *command,
                  struct value *cmd, struct module_plan *out)
{
    const char *chdir_to = value_get_str(call->args, "chdir", NULL);
    const char *input = value_get_str(call->args, "stdin", NULL);
    const char *path, *why;

    value_map_set(call->arena, plan_result(call, out), "cmd", cmd);
    if (is_done(call, world, &path, &why)) {
        plan_done(call, path, why, out);
        return;
    }
    str_puts(&out->script, "(\n");
    if (chdir_to)
        script_run(&out->script, "cd --", chdir_to, NULL);
    if (chdir_to)
        str_puts(&out->script, " &&\n");
    if (input)
        put_stdin(input, value_get_bool(call->args, "stdin_add_newline", true), &out->script);
    str_printf(&out->script, "%s%s)", command, input ? "" : " </dev/null");
    out->kind = PLAN_OPAQUE;
    out->captures = true;
}

void command_finish(struct module_call *call, struct module_plan *plan, int rc, const char *out,
                    const char *errout)
{
    plan_result_bool(call, plan, "changed", true);
    plan_result_str(call, plan, "msg", "");
    finish_captured(call, plan, rc, out, errout,
                    value_get_bool(call->args, "strip_empty_ends", true));
}
