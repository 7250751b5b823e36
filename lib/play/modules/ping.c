/*
 * ping.c - module ping: the host answers.
 */
#include "lib/play/planout.h"

static const struct module_arg args[] = {
    {"data", ARG_STR, false, "pong", NULL, NULL, "What is returned"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

/* Any answer of the host will do; its name is the cheapest. */
static int needs(struct module_call *call, void (*add)(void *ctx, const struct need *need),
                 void *ctx, struct err *err)
{
    struct need need = {.kind = NEED_HOSTNAME, .name = ""};

    UNUSED(call);
    UNUSED(err);
    add(ctx, &need);
    return 0;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    UNUSED(world);
    UNUSED(err);
    out->kind = PLAN_OK;
    plan_result_str(call, out, "ping", value_get_str(call->args, "data", "pong"));
    return 0;
}

const struct module module_ping = {
    .name = "ping",
    .help = "Tells that the host can be reached.",
    .args = args,
    .needs = needs,
    .plan = plan,
    .runs_in_check_mode = true,
};
