/*
 * wait_for.c - module wait_for: a port or a path, waited for on the host. It changes nothing.
 *
 * A port is tried with bash's /dev/tcp, which every Debian host has. What is searched for is
 * searched by the host's grep -P, whose expressions are a superset of those of Python taken here.
 */
#include "lib/jinja/regex.h"
#include "lib/play/planout.h"
#include "lib/play/script.h"

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
    {"search_regex", ARG_STR, false, NULL, NULL, NULL,
     "Python's regular expression, found in the file or in what the port says first"},
    {"exclude_hosts", ARG_REFUSED, false, NULL, NULL, NULL,
     "state: drained is not supported: use command: ss with until"},
    {"active_connection_states", ARG_REFUSED, false, NULL, NULL, NULL,
     "state: drained is not supported: use command: ss with until"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

#define DAY_S        86400
#define GRACE_S      60 /* for the last connection and sleep to end */
#define SEARCH_STEPS 1000000L
#define SEEN_MAX     65536 /* bytes of what was searched that come back, for match_groups */
#define NEW_FILE     "$(mktemp \"${TMPDIR:-/tmp}/" SCRIPT_TEMPORARY SCRIPT_RANDOM "\")"

/* Reads as it comes, as Ansible does: who waits for an answer says nothing more. */
static const char search_port[] =
    "'exec 3<>\"/dev/tcp/$0/$1\" || exit\n"
    ": >\"$3\"; had=0\n"
    "while dd bs=1024 count=1 <&3 >>\"$3\" 2>/dev/null; has=$(stat -c %s \"$3\")\n"
    "[ \"$has\" -gt \"$had\" ]; do\n"
    "had=$has\n"
    "! grep -Pzq -e \"$2\" \"$3\" || exit 0\n"
    "done\n"
    "exit 1' ";

static const char *search_of(const struct module_call *call)
{
    return value_get_str(call->args, "search_regex", NULL);
}

static struct regex *compile(struct module_call *call, struct err *err)
{
    const char *search = search_of(call);

    return regex_compile(call->arena, search, strlen(search), REGEX_MULTILINE, err);
}

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
    if (search_of(call) && !compile(call, err))
        return err_wrap(err, "Invalid regular expression");
    return 0;
}

static bool waits_for_end(const struct module_call *call)
{
    const char *state = value_get_str(call->args, "state", "started");

    return str_eq(state, "stopped") || str_eq(state, "absent");
}

/* As it is given to grep: ^ and $ are those of any line. */
static void put_pattern(const struct module_call *call, struct str *script)
{
    str_put_shell(script, arena_printf(call->arena, "(?m)%s", search_of(call)));
}

static void put_path_test(const struct module_call *call, const char *path, struct str *script)
{
    str_puts(script, "[ -e ");
    str_put_shell(script, path);
    str_puts(script, " ]");
    if (!search_of(call) || waits_for_end(call))
        return;
    str_puts(script, " && grep -Pzq -e ");
    put_pattern(call, script);
    str_puts(script, " -- ");
    str_put_shell(script, path);
    str_puts(script, " 2>/dev/null");
}

/* The command that succeeds when the thing is there. */
static void put_test(const struct module_call *call, struct str *script)
{
    const char *path = value_get_str(call->args, "path", NULL);

    if (path) {
        put_path_test(call, path, script);
        return;
    }
    if (search_of(call) && !waits_for_end(call)) {
        str_printf(script, "timeout $((start + %lld - $(date +%%s) + 1)) bash -c %s",
                   (long long)value_get_int(call->args, "timeout", 300), search_port);
        str_put_shell(script, value_get_str(call->args, "host", ""));
        str_printf(script, " %lld ", (long long)value_get_int(call->args, "port", 0));
        put_pattern(call, script);
        str_puts(script, " \"$seen\" </dev/null 2>/dev/null");
        return;
    }
    str_printf(script, "timeout %lld bash -c 'exec 3<>\"/dev/tcp/$0/$1\"' ",
               (long long)value_get_int(call->args, "connect_timeout", 5));
    str_put_shell(script, value_get_str(call->args, "host", ""));
    str_printf(script, " %lld </dev/null 2>/dev/null",
               (long long)value_get_int(call->args, "port", 0));
}

/* What was searched comes after the seconds, for match_groups. */
static void put_seen(const struct module_call *call, struct str *script)
{
    const char *path = value_get_str(call->args, "path", NULL);

    if (!search_of(call) || waits_for_end(call))
        return;
    str_printf(script, "\nhead -c %d ", SEEN_MAX);
    if (path)
        str_put_shell(script, path);
    else
        str_puts(script, "\"$seen\"");
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
    value_map_set(call->arena, plan_result(call, out), "search_regex",
                  search_of(call) ? value_str(call->arena, search_of(call))
                                  : value_null(call->arena));
    str_puts(&out->script, "(");
    if (search_of(call) && value_get(call->args, "port"))
        str_puts(&out->script, "seen=" NEW_FILE " && trap 'rm -f \"$seen\"' EXIT || exit\n");
    str_printf(&out->script, "start=$(date +%%s)\nsleep %lld\n", nothing ? delay + limit : delay);
    if (!nothing) {
        str_printf(&out->script, "while [ $(($(date +%%s) - start)) -lt %lld ] || exit 1; do\n",
                   limit);
        put_test(call, &out->script);
        str_printf(&out->script, " %s break\nsleep %lld\ndone\n", waits_for_end(call) ? "||" : "&&",
                   (long long)value_get_int(call->args, "sleep", 1));
    }
    str_puts(&out->script, "echo $(($(date +%s) - start))");
    if (!nothing)
        put_seen(call, &out->script);
    str_puts(&out->script, ")");
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
    if (search_of(call) && !waits_for_end(call))
        return arena_printf(call->arena, "Timeout when waiting for search string %s in %s",
                            search_of(call), what);
    if (waits_for_end(call))
        return arena_printf(call->arena, "Timeout when waiting for %s to %s.", what,
                            path ? "be absent" : "stop");
    return arena_printf(call->arena, "Timeout when waiting for %s%s", path ? "file " : "", what);
}

static struct value *group_text(struct module_call *call, const char *seen,
                                const struct regex_match *match, size_t group)
{
    if (match->start[group] < 0)
        return value_null(call->arena);
    return value_strn(call->arena, seen + match->start[group],
                      (size_t)(match->end[group] - match->start[group]));
}

/* match_groups and match_groupdict: what the expression's groups have found in a file; Ansible does
 * not look at them where a port has said it. */
static void set_groups(struct module_call *call, struct module_plan *done, const char *seen)
{
    static const char named[] = "(?P<";
    struct value *groups = value_list(call->arena), *names = value_map(call->arena);
    struct regex_search search = {.text = seen, .len = strlen(seen), .steps = SEARCH_STEPS};
    struct err ignored = ERR_INIT;
    bool asked = search_of(call) && value_get(call->args, "path");
    struct regex *re = asked ? compile(call, &ignored) : NULL;
    struct regex_match match;
    bool found = re && regex_find(re, &search, &match, &ignored) == 1;

    for (size_t i = 1; found && i <= regex_groups(re); i++)
        value_list_add(call->arena, groups, group_text(call, seen, &match, i));
    for (const char *p = search_of(call); found && (p = strstr(p, named));) {
        size_t len = strcspn(p += strlen(named), ">");
        size_t group = regex_group_named(re, p, len);

        if (group)
            value_map_set(call->arena, names, arena_strndup(call->arena, p, len),
                          group_text(call, seen, &match, group));
    }
    err_release(&ignored);
    value_map_set(call->arena, done->result, "match_groups", groups);
    value_map_set(call->arena, done->result, "match_groupdict", names);
}

static void finish(struct module_call *call, struct module_plan *done, int rc, const char *out,
                   const char *errout)
{
    UNUSED(errout);
    plan_result_bool(call, done, "changed", false);
    plan_result_int(call, done, "elapsed",
                    rc == 0 ? strtoll(out, NULL, 10) : value_get_int(call->args, "timeout", 0));
    if (rc == 0) {
        set_groups(call, done, out + strcspn(out, "\n") + (strchr(out, '\n') != NULL));
        return;
    }
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
