/*
 * systemd_service.c - module systemd_service: units that run, are enabled, are masked.
 */
#include "lib/play/planout.h"

static const char *const aliases[] = {"systemd", "service", NULL};

static const struct module_arg args[] = {
    {"name", ARG_STR, false, NULL, NULL, "service|unit", "The unit; without a suffix, .service"},
    {"state", ARG_STR, false, NULL, "reloaded|restarted|started|stopped", NULL,
     "started and stopped change only what is not so; the others always act"},
    {"enabled", ARG_BOOL, false, NULL, NULL, NULL, "Started when the host boots"},
    {"masked", ARG_BOOL, false, NULL, NULL, NULL, "Cannot be started at all"},
    {"daemon_reload", ARG_BOOL, false, "no", NULL, "daemon-reload",
     "Read changed unit files first; never counts as a change"},
    {"daemon_reexec", ARG_BOOL, false, "no", NULL, "daemon-reexec",
     "Restart systemd itself first; never counts as a change"},
    {"no_block", ARG_BOOL, false, "no", NULL, NULL, "Do not wait for the unit"},
    {"force", ARG_BOOL, false, NULL, NULL, NULL, "Replace links that are in the way"},
    {"scope", ARG_STR, false, "system", "system", NULL, "Only system"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

struct unit_task {
    const char *unit, *state;
    const struct value *enabled, *masked; /* NULL: as it is */
    const char *systemctl;                /* with its options */
};

static int check_task(const struct module_call *call, const struct unit_task *task, struct err *err)
{
    bool reload = value_get_bool(call->args, "daemon_reload", false) ||
                  value_get_bool(call->args, "daemon_reexec", false);

    if (!task->state && !task->enabled && !task->masked && !reload)
        return err_set(err, ERR_INPUT,
                       "systemd_service needs one of state, enabled, masked, daemon_reload, "
                       "daemon_reexec");
    if (!task->unit && (task->state || task->enabled || task->masked))
        return err_set(err, ERR_INPUT, "systemd_service needs name");
    if (task->unit && (strpbrk(task->unit, "*?[") || task->unit[0] == '-' || !*task->unit))
        return err_set(err, ERR_INPUT, "'%s' is not the name of one unit", task->unit);
    return 0;
}

static int needs(struct module_call *call, void (*add)(void *ctx, const struct need *need),
                 void *ctx, struct err *err)
{
    struct unit_task *task = arena_new(call->arena, struct unit_task);
    struct need need = {.kind = NEED_UNIT};

    task->unit = need.name = value_get_str(call->args, "name", NULL);
    task->state = value_get_str(call->args, "state", NULL);
    task->enabled = value_get(call->args, "enabled");
    task->masked = value_get(call->args, "masked");
    task->systemctl =
        arena_printf(call->arena, "systemctl%s%s",
                     value_get_bool(call->args, "no_block", false) ? " --no-block" : "",
                     value_get_bool(call->args, "force", false) ? " --force" : "");
    call->own = task;
    if (check_task(call, task, err) < 0)
        return -1;
    if (task->unit)
        add(ctx, &need);
    return 0;
}

static void run_systemctl(struct module_call *call, const struct unit_task *task, const char *verb,
                          const char *unit, struct module_plan *out)
{
    script_run(&out->script, arena_printf(call->arena, "%s %s", task->systemctl, verb), unit, NULL);
    out->kind = PLAN_CHANGE;
}

/* Ansible reloads in every run and counts no change; here only when systemd says that it is stale,
 * which it can say of a named unit only. */
static void plan_daemon(struct module_call *call, const struct unit_task *task,
                        struct unit_state *unit, struct module_plan *out)
{
    bool reload = value_get_bool(call->args, "daemon_reload", false);

    if (reload && (!unit || unit->needs_reload || str_eq(unit->load, "not-found"))) {
        run_systemctl(call, task, "daemon-reload", NULL, out);
        plan_say(call, out, "daemon-reload");
    }
    if (value_get_bool(call->args, "daemon_reexec", false)) {
        run_systemctl(call, task, "daemon-reexec", NULL, out);
        plan_say(call, out, "daemon-reexec");
    }
    if (reload && unit)
        unit->needs_reload = false;
}

static bool is_missing(const struct unit_state *unit)
{
    return str_eq(unit->load, "not-found");
}

static void plan_masked(struct module_call *call, const struct unit_task *task,
                        struct unit_state *unit, struct module_plan *out)
{
    bool masked = str_eq(unit->enabled, "masked");

    if (!task->masked || task->masked->u.b == masked)
        return;
    run_systemctl(call, task, masked ? "unmask" : "mask", task->unit, out);
    plan_say(call, out, masked ? "unmasked" : "masked");
    unit->enabled = masked ? "disabled" : "masked";
    unit->load = masked ? "loaded" : "masked";
    plan_result_bool(call, out, "changed", true);
}

/* `systemctl is-enabled` ends with 0 for these; alias, indirect and enabled-runtime are enabled
 * once more, as in Ansible. */
static bool is_enabled(const struct unit_state *unit)
{
    static const char *const states[] = {"enabled", "static", "generated", "transient"};

    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if (str_eq(unit->enabled, states[i]))
            return true;
    return false;
}

static void plan_enabled(struct module_call *call, const struct unit_task *task,
                         struct unit_state *unit, struct module_plan *out)
{
    bool enabled = is_enabled(unit);

    if (!task->enabled)
        return;
    if (enabled != task->enabled->u.b) {
        run_systemctl(call, task, enabled ? "disable" : "enable", task->unit, out);
        plan_say(call, out, enabled ? "disabled" : "enabled");
        unit->enabled = enabled ? "disabled" : "enabled";
        plan_result_bool(call, out, "changed", true);
    }
    plan_result_bool(call, out, "enabled", task->enabled->u.b);
}

static bool is_running(const struct unit_state *unit)
{
    return str_eq(unit->active, "active") || str_eq(unit->active, "activating");
}

/* What brings the unit to the wanted state; NULL: it is there. */
static const char *state_verb(const char *state, const struct unit_state *unit)
{
    bool running = is_running(unit);

    if (str_eq(state, "stopped"))
        return running || str_eq(unit->active, "deactivating") ? "stop" : NULL;
    if (!running)
        return "start";
    return str_eq(state, "restarted") ? "restart" : str_eq(state, "reloaded") ? "reload" : NULL;
}

static void plan_state(struct module_call *call, const struct unit_task *task,
                       struct unit_state *unit, struct module_plan *out)
{
    const char *verb;
    bool stop = str_eq(task->state, "stopped");

    if (!task->state)
        return;
    verb = state_verb(task->state, unit);
    plan_result_str(call, out, "state", stop ? "stopped" : "started");
    if (!verb)
        return;
    run_systemctl(call, task, verb, task->unit, out);
    plan_say(call, out, "%s", verb);
    plan_result_bool(call, out, "changed", true);
    out->consequence = arena_printf(call->arena, "%s %s", verb, task->unit);
    out->moves_unit = task->unit;
    if (!str_eq(verb, "reload"))
        unit->active = stop ? "inactive" : "active";
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct unit_task *task = call->own;
    struct unit_state *unit = task->unit ? world_unit(world, task->unit) : NULL;

    UNUSED(err);
    out->kind = PLAN_OK;
    value_map_set(call->arena, plan_result(call, out), "name",
                  task->unit ? value_str(call->arena, task->unit) : value_null(call->arena));
    plan_result_bool(call, out, "changed", false);
    plan_daemon(call, task, unit, out);
    if (!unit)
        return 0;
    plan_masked(call, task, unit, out);
    /* Ansible's fail_if_missing; but a reload may find it, and in check mode its package may come.
     */
    if (is_missing(unit) && (task->enabled || task->state) && !out->script.len && !call->check_mode)
        return plan_fail(call, out, "Could not find the requested service %s: host", task->unit);
    plan_enabled(call, task, unit, out);
    plan_state(call, task, unit, out);
    return 0;
}

const struct module module_systemd_service = {
    .name = "systemd_service",
    .aliases = aliases,
    .help = "Starts, stops, restarts, enables and masks systemd units.",
    .args = args,
    .needs = needs,
    .plan = plan,
};
