/*
 * shell.c - module shell: a command line for the host's shell.
 */
#include "lib/play/command_line.h"

static const struct module_arg args[] = {
    COMMAND_ARGS,
    {"executable", ARG_PATH, false, "/bin/sh", NULL, NULL, "The shell, its whole path"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

static int needs(struct module_call *call, void (*add)(void *ctx, const struct need *need),
                 void *ctx, struct err *err)
{
    call->own = (void *)command_text(call, err);
    if (!call->own)
        return -1;
    return command_needs(call, add, ctx, err);
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    struct str command;

    UNUSED(err);
    str_init(&command, STR_MAX_TEXT);
    str_put_shell(&command, value_get_str(call->args, "executable", "/bin/sh"));
    str_puts(&command, " -c ");
    str_put_shell(&command, call->own);
    command_plan(call, world, command.buf, value_str(call->arena, call->own), out);
    str_release(&command);
    return 0;
}

const struct module module_shell = {
    .name = "shell",
    .help = "Runs a command line by the host's shell.",
    .args = args,
    .free_form = true,
    .needs = needs,
    .plan = plan,
    .finish = command_finish,
};
