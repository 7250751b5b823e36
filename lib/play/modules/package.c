/*
 * package.c - module package: the host's package manager, which is apt.
 */
#include "lib/play/modules/apt.h"

static const struct module_arg args[] = {
    {"name", ARG_LIST, true, NULL, NULL, NULL, "Packages"},
    {"state", ARG_STR, true, NULL, "absent|latest|present", NULL, "latest asks apt in every run"},
    {"use", ARG_STR, false, "auto", "apt|auto", NULL, "Only apt"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    return apt_needs(call, value_get(call->args, "name"), add, ctx, err);
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    UNUSED(err);
    out->kind = PLAN_OK;
    apt_plan_packages(call, world, value_get(call->args, "name"),
                      value_get_str(call->args, "state", ""), out);
    out->captures = out->kind == PLAN_OPAQUE;
    return 0;
}

const struct module module_package = {
    .name = "package",
    .help = "Installs and removes packages: apt.",
    .args = args,
    .needs = needs,
    .plan = plan,
    .finish = apt_finish,
};
