/*
 * group.c - module group.
 */
#include "lib/play/planout.h"

static const struct module_arg args[] = {
    {"name", ARG_STR, true, NULL, NULL, NULL, "The group"},
    {"gid", ARG_INT, false, NULL, NULL, NULL, "Its number"},
    {"state", ARG_STR, false, "present", "absent|present", NULL, "Whether it exists"},
    {"system", ARG_BOOL, false, "no", NULL, NULL,
     "A new group gets a number of the system's range"},
    {"non_unique", ARG_BOOL, false, "no", NULL, NULL, "gid may be in use"},
    {"gid_min", ARG_INT, false, NULL, NULL, NULL, "Least number of a new group"},
    {"gid_max", ARG_INT, false, NULL, NULL, NULL, "Greatest number of a new group"},
    {"local", ARG_REFUSED, false, "no", NULL, NULL,
     "groups are those that getent knows: use command: lgroupadd"},
    {"force", ARG_BOOL, false, "no", NULL, NULL, "Remove it although it is a user's own"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

static int needs(struct module_call *call, void (*add)(void *ctx, const struct need *need),
                 void *ctx, struct err *err)
{
    struct need need = {.kind = NEED_GROUP, .name = value_get_str(call->args, "name", "")};

    if (!*need.name || *need.name == '-')
        return err_set(err, ERR_INPUT, "'%s' is not the name of a group", need.name);
    if (value_get_bool(call->args, "non_unique", false) && !value_get(call->args, "gid"))
        return err_set(err, ERR_INPUT, "group: non_unique needs gid");
    add(ctx, &need);
    return 0;
}

static void put_gid(struct module_call *call, int64_t gid, struct str *script)
{
    str_printf(script, " -g %lld", (long long)gid);
    if (value_get_bool(call->args, "non_unique", false))
        str_puts(script, " -o");
}

/* What groupadd has for a new group. */
static void put_making(struct module_call *call, struct str *script)
{
    static const char *const ranges[][2] = {{"gid_min", "GID_MIN"}, {"gid_max", "GID_MAX"}};

    if (value_get_bool(call->args, "system", false))
        str_puts(script, " -r");
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (value_get(call->args, ranges[i][0]))
            str_printf(script, " -K %s=%lld", ranges[i][1],
                       (long long)value_get_int(call->args, ranges[i][0], 0));
}

static void plan_present(struct module_call *call, struct group_state *now, const char *name,
                         struct module_plan *out)
{
    const struct value *gid = value_get(call->args, "gid");

    if (now->exists && (!gid || gid->u.i == now->gid))
        return;
    out->kind = PLAN_CHANGE;
    str_puts(&out->script, now->exists ? "groupmod" : "groupadd");
    if (gid)
        put_gid(call, gid->u.i, &out->script);
    if (!now->exists)
        put_making(call, &out->script);
    str_putc(&out->script, ' ');
    str_put_shell(&out->script, name);
    if (now->exists)
        plan_say(call, out, "gid %lld -> %lld", (long long)now->gid, (long long)gid->u.i);
    else
        plan_say(call, out, "created");
    now->gid = gid ? gid->u.i : -1;
    now->exists = true;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const char *name = value_get_str(call->args, "name", "");
    const char *state = value_get_str(call->args, "state", "present");
    struct group_state *now = world_group(world, name);

    UNUSED(err);
    out->kind = PLAN_OK;
    plan_result_str(call, out, "name", name);
    plan_result_str(call, out, "state", state);
    if (str_eq(state, "present")) {
        plan_present(call, now, name, out);
        if (now->gid >= 0)
            plan_result_int(call, out, "gid", now->gid);
    } else if (now->exists) {
        script_run(&out->script,
                   value_get_bool(call->args, "force", false) ? "groupdel -f" : "groupdel", name,
                   NULL);
        plan_say(call, out, "removed");
        now->exists = false;
        out->kind = PLAN_CHANGE;
    }
    return 0;
}

const struct module module_group = {
    .name = "group",
    .help = "Makes and removes groups.",
    .args = args,
    .needs = needs,
    .plan = plan,
};
