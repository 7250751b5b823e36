/*
 * hostname.c - module hostname: the name in /etc/hostname and in the kernel, without D-Bus, which a
 * small host may not have.
 */
#include "lib/play/filechange.h"

#define ETC_HOSTNAME "/etc/hostname"
#define NAME_MAX_LEN 64 /* HOST_NAME_MAX of Linux */

static const struct module_arg args[] = {
    {"name", ARG_STR, true, NULL, NULL, NULL, "The host's name"},
    {"use", ARG_STR, false, NULL, "debian|systemd", NULL, "Both mean the same here"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

static bool is_hostname(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

    return *name && *name != '-' && *name != '.' && strlen(name) <= NAME_MAX_LEN &&
           name[strspn(name, letters)] == '\0';
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    const char *name = value_get_str(call->args, "name", "");
    struct need kernel = {.kind = NEED_HOSTNAME, .name = ""};

    if (!is_hostname(name))
        return err_set(err, ERR_INPUT, "'%s' is not a host name of at most 64 characters", name);
    add(ctx, &kernel);
    file_content_needs(call, ETC_HOSTNAME, NULL, true, false, add, ctx);
    return 0;
}

/* The first line of /etc/hostname that is no comment, as hostname(5) has it. */
static bool file_has_name(const struct path_state *file, const char *name)
{
    const char *p = file->content;
    size_t len = strlen(name);

    while (p && *p && (*p == '#' || *p == '\n' || *p == ' ')) {
        p += strcspn(p, "\n");
        p += *p == '\n';
    }
    return p && strncmp(p, name, len) == 0 && (p[len] == '\0' || strchr(" \t\r\n", p[len]));
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const char *name = value_get_str(call->args, "name", "");
    const char *text = arena_printf(call->arena, "%s\n", name);
    struct file_content want = {.path = ETC_HOSTNAME, .data = text, .len = strlen(text)};
    const char *now = world_hostname(world);

    out->kind = PLAN_OK;
    plan_result_str(call, out, "name", name);
    if (!file_has_name(world_path(world, ETC_HOSTNAME), name) &&
        file_content_plan(call, world, &want, out, err) < 0)
        return -1;
    if (str_eq(now, name) && out->kind == PLAN_OK)
        return 0;
    out->msg = arena_printf(call->arena, "%s -> %s", now, name);
    script_run(&out->script, "hostname", name, NULL);
    map_set(&world->entries[NEED_HOSTNAME], "", arena_strdup(&world->arena, name));
    out->kind = PLAN_CHANGE;
    return 0;
}

const struct module module_hostname = {
    .name = "hostname",
    .help = "Sets the host's name, now and for the next boot.",
    .args = args,
    .needs = needs,
    .plan = plan,
};
