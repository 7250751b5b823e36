/*
 * fail.c - module fail: ends the host's run with a message.
 */
#include "lib/play/planout.h"

static const struct module_arg args[] = {
    {"msg", ARG_STR, false, "Failed as requested from task", NULL, NULL, "Why"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

static int needs(struct module_call *call, void (*add)(void *ctx, const struct need *need),
                 void *ctx, struct err *err)
{
    UNUSED(call);
    UNUSED(add);
    UNUSED(ctx);
    UNUSED(err);
    return 0;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    UNUSED(world);
    UNUSED(err);
    return plan_fail(call, out, "%s", value_get_str(call->args, "msg", ""));
}

const struct module module_fail = {
    .name = "fail",
    .help = "Fails, with a message.",
    .args = args,
    .needs = needs,
    .plan = plan,
    .runs_in_check_mode = true,
};
