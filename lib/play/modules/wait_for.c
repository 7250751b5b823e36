/*
 * wait_for.c - module wait_for: a port or a path, waited for on the host. It changes nothing.
 *
 * A port is tried with bash's /dev/tcp, which every Debian host has.
 */
#include "lib/play/planout.h"

static const struct module_arg args[] = {
    {"host", ARG_STR, false, "127.0.0.1", NULL, NULL, "Name or address, seen from the host"},
    {"port", ARG_INT, false, NULL, NULL, NULL, "TCP port"},
    {"path", ARG_PATH, false, NULL, NULL, NULL, "A path, instead of a port"},
    {"state", ARG_STR, false, "started", "absent|present|started|stopped", NULL,
     "started, present: it is there; stopped, absent: it is not"},
    {"timeout", ARG_INT, false, "300", NULL, NULL, "Seconds in all"},
    {"delay", ARG_INT, false, "0", NULL, NULL, "Seconds before the first look"},
    {"sleep", ARG_INT, false, "1", NULL, NULL, "Seconds between looks"},
    {"connect_timeout", ARG_INT, false, "5", NULL, NULL, "Seconds for one connection"},
    {"msg", ARG_STR, false, NULL, NULL, NULL, "Said instead when time is up"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

#define DAY_S   86400
#define GRACE_S 60 /* for the last connection and sleep to end */

static int needs(struct module_call *call, void (*add)(void *ctx, const struct need *need),
                 void *ctx, struct err *err)
{
    static const char *const times[] = {"timeout", "delay", "sleep", "connect_timeout"};
    const struct value *port = value_get(call->args, "port");
    const char *path = value_get_str(call->args, "path", NULL);

    UNUSED(add);
    UNUSED(ctx);
    if (port && path)
        return err_set(err, ERR_INPUT, "wait_for takes port or path, not both");
    if (port && (port->u.i < 1 || port->u.i > 65535))
        return err_set(err, ERR_INPUT, "port must be 1 to 65535");
    if (path && str_eq(value_get_str(call->args, "state", ""), "stopped"))
        return err_set(err, ERR_INPUT, "wait_for: state: stopped is for ports, use absent");
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        if (value_get_int(call->args, times[i], 0) < 0 ||
            value_get_int(call->args, times[i], 0) > DAY_S)
            return err_set(err, ERR_INPUT, "%s must be 0 to %d seconds", times[i], DAY_S);
    return 0;
}

/* The command that succeeds when the thing is there. */
static void put_test(const struct module_call *call, struct str *script)
{
    const char *path = value_get_str(call->args, "path", NULL);

    if (path) {
        str_puts(script, "[ -e ");
        str_put_shell(script, path);
        str_puts(script, " ]");
        return;
    }
    str_printf(script, "timeout %lld bash -c 'exec 3<>\"/dev/tcp/$0/$1\"' ",
               (long long)value_get_int(call->args, "connect_timeout", 5));
    str_put_shell(script, value_get_str(call->args, "host", ""));
    str_printf(script, " %lld </dev/null 2>/dev/null",
               (long long)value_get_int(call->args, "port", 0));
}

static bool waits_for_end(const struct module_call *call)
{
    const char *state = value_get_str(call->args, "state", "started");

    return str_eq(state, "stopped") || str_eq(state, "absent");
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    long long limit = value_get_int(call->args, "timeout", 300);
    long long delay = value_get_int(call->args, "delay", 0);
    bool nothing = !value_get(call->args, "port") && !value_get(call->args, "path");

    UNUSED(world);
    UNUSED(err);
    out->kind = PLAN_CHANGE;
    out->captures = true;
    out->timeout_ms = (int)(limit + delay + GRACE_S) * 1000;
    plan_result_bool(call, out, "changed", false);
    plan_result_str(call, out, "state", value_get_str(call->args, "state", NULL));
    plan_result_str(call, out, "path", value_get_str(call->args, "path", NULL));
    if (value_get(call->args, "port"))
        plan_result_int(call, out, "port", value_get_int(call->args, "port", 0));
    str_printf(&out->script, "(start=$(date +%%s)\nsleep %lld\n", nothing ? delay + limit : delay);
    if (!nothing) {
        str_printf(&out->script, "while [ $(($(date +%%s) - start)) -lt %lld ] || exit 1; do\n",
                   limit);
        put_test(call, &out->script);
        str_printf(&out->script, " %s break\nsleep %lld\ndone\n", waits_for_end(call) ? "||" : "&&",
                   (long long)value_get_int(call->args, "sleep", 1));
    }
    str_puts(&out->script, "echo $(($(date +%s) - start)))");
    return 0;
}

static const char *timeout_message(struct module_call *call)
{
    const char *path = value_get_str(call->args, "path", NULL);
    const char *what =
        path ? path
             : arena_printf(call->arena, "%s:%lld", value_get_str(call->args, "host", ""),
                            (long long)value_get_int(call->args, "port", 0));
    const char *msg = value_get_str(call->args, "msg", NULL);

    if (msg)
        return msg;
    if (waits_for_end(call))
        return arena_printf(call->arena, "Timeout when waiting for %s to %s.", what,
                            path ? "be absent" : "stop");
    return arena_printf(call->arena, "Timeout when waiting for %s%s", path ? "file " : "", what);
}

static void finish(struct module_call *call, struct module_plan *done, int rc, const char *out,
                   const char *errout)
{
    UNUSED(errout);
    plan_result_bool(call, done, "changed", false);
    plan_result_int(call, done, "elapsed",
                    rc == 0 ? strtoll(out, NULL, 10) : value_get_int(call->args, "timeout", 0));
    if (rc == 0)
        return;
    plan_result_bool(call, done, "failed", true);
    plan_result_str(call, done, "msg", timeout_message(call));
}

const struct module module_wait_for = {
    .name = "wait_for",
    .help = "Waits on the host until a port or a path is there, or is gone.",
    .args = args,
    .needs = needs,
    .plan = plan,
    .finish = finish,
};
