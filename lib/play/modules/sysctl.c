/*
 * sysctl.c - module sysctl (ansible.posix.sysctl): a kernel setting in a file and in the kernel.
 */
#include "lib/play/args.h"
#include "lib/play/lines.h"

static const char *const aliases[] = {"ansible.posix.sysctl", NULL};

static const struct module_arg args[] = {
    {"name", ARG_STR, true, NULL, NULL, "key", "The setting: net.ipv4.ip_forward"},
    {"value", ARG_STR, false, NULL, NULL, "val", "Its value; needed with state present"},
    {"state", ARG_STR, false, "present", "absent|present", NULL, "Whether it is in the file"},
    {"sysctl_file", ARG_PATH, false, "/etc/sysctl.conf", NULL, NULL, "The file"},
    {"sysctl_set", ARG_BOOL, false, "no", NULL, NULL, "Set it in the kernel by itself, too"},
    {"reload", ARG_BOOL, false, "yes", NULL, NULL, "Read the whole file after a change"},
    {"ignoreerrors", ARG_BOOL, false, "no", NULL, NULL, "Pass over settings the kernel lacks"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

struct setting {
    const char *name, *value, *file;
    bool absent;
};

/* Booleans are 1 and 0 for the kernel. */
static const char *kernel_value(struct arena *a, const char *text)
{
    const char *value = arena_trimmed(a, text, strlen(text));
    bool b;

    if (args_bool_text(value, &b) == 0)
        return b ? "1" : "0";
    return value;
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct setting *setting = arena_new(call->arena, struct setting);
    const char *name = value_get_str(call->args, "name", "");
    const char *value = value_get_str(call->args, "value", NULL);
    struct need need = {.kind = NEED_SYSCTL};

    setting->name = need.name = arena_trimmed(call->arena, name, strlen(name));
    setting->value = kernel_value(call->arena, value ? value : "");
    setting->file = file_follow(
        call, file_clean_path(call, value_get_str(call->args, "sysctl_file", "")), add, ctx);
    setting->absent = str_eq(value_get_str(call->args, "state", ""), "absent");
    if (!*need.name || *need.name == '-' || strpbrk(need.name, " \t\n="))
        return err_set(err, ERR_INPUT, "'%s' is not the name of a kernel setting", need.name);
    if (!setting->absent && (!*setting->value || strchr(setting->value, '\n')))
        return err_set(err, ERR_INPUT, "value of sysctl %s must be one line, not empty", need.name);
    call->own = setting;
    add(ctx, &need);
    file_content_needs(call, setting->file, NULL, true, false, add, ctx);
    return 0;
}

/* "1  2" equals "1\t2": the kernel prints tabs. */
static bool same_words(const char *a, const char *b)
{
    for (;;) {
        size_t n, m;

        a += strspn(a, " \t\n");
        b += strspn(b, " \t\n");
        n = strcspn(a, " \t\n");
        m = strcspn(b, " \t\n");
        if (n != m || memcmp(a, b, n) != 0)
            return false;
        if (n == 0)
            return true;
        a += n;
        b += m;
    }
}

/* name=value of a line; false for comments and others. */
static bool parse_line(struct arena *a, const char *line, const char **name, const char **value)
{
    const char *text = arena_trimmed(a, line, strlen(line));
    const char *equals = strchr(text, '=');

    if (!*text || *text == '#' || *text == ';' || !equals)
        return false;
    *name = arena_trimmed(a, text, (size_t)(equals - text));
    *value = arena_trimmed(a, equals + 1, strlen(equals + 1));
    return true;
}

static bool seen_before(const struct lines *lines, size_t at, const char *name)
{
    const char *other, *value;

    for (size_t i = 0; i < at; i++)
        if (parse_line(lines->arena, lines->items[i], &other, &value) && str_eq(other, name))
            return true;
    return false;
}

/* The file as Ansible's fix_lines makes it: every setting once, as name=value. *current: the value
 * the file had last; NULL: none. */
static void fix_lines(const struct setting *setting, const struct lines *old, struct lines *fixed,
                      const char **current)
{
    bool found = false;

    for (size_t i = 0; i < old->n; i++) {
        const char *name, *value;
        bool ours;

        if (!parse_line(old->arena, old->items[i], &name, &value)) {
            lines_insert(fixed, fixed->n,
                         arena_trimmed(old->arena, old->items[i], strlen(old->items[i])));
            continue;
        }
        ours = str_eq(name, setting->name);
        if (ours)
            *current = value;
        if (seen_before(old, i, name) || (ours && setting->absent))
            continue;
        found = found || ours;
        lines_insert(fixed, fixed->n,
                     arena_printf(old->arena, "%s=%s", name, ours ? setting->value : value));
    }
    if (found || setting->absent)
        return;
    lines_end_last(fixed);
    lines_insert(fixed, fixed->n, arena_printf(old->arena, "%s=%s", setting->name, setting->value));
}

static int plan_file(struct module_call *call, struct world *world, const struct setting *setting,
                     bool *written, struct module_plan *out, struct err *err)
{
    struct file_content want = {.path = setting->file};
    struct lines old, fixed;
    const char *text, *current = NULL;
    size_t len;
    int rc = 0;

    if (lines_of_file(world, setting->file, &text, &len, err) < 0)
        return -1;
    lines_split(&old, call->arena, text, len);
    lines_split(&fixed, call->arena, NULL, 0);
    fix_lines(setting, &old, &fixed, &current);
    *written = setting->absent ? current != NULL : !str_eq(current, setting->value);
    if (*written) {
        want.data = lines_join(&fixed, call->arena, &want.len);
        rc = file_content_plan(call, world, &want, out, err);
    }
    lines_release(&old);
    lines_release(&fixed);
    return rc;
}

static void put_command(struct module_call *call, const char *options, const char *word,
                        struct str *script)
{
    bool ignore = value_get_bool(call->args, "ignoreerrors", false);

    script_run(script, arena_printf(call->arena, "sysctl%s %s", ignore ? " -e" : "", options), word,
               NULL);
    str_puts(script, " >/dev/null");
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct setting *setting = call->own;
    const char *kernel = world_sysctl(world, setting->name);
    bool reload = value_get_bool(call->args, "reload", true);
    bool set = value_get_bool(call->args, "sysctl_set", false) && !setting->absent;
    bool differs = !setting->absent && !same_words(kernel, setting->value);
    bool written;

    out->kind = PLAN_OK;
    if (plan_file(call, world, setting, &written, out, err) < 0)
        return -1;
    if (!written && !(differs && (reload || set)))
        return 0;
    out->kind = PLAN_CHANGE;
    out->msg = arena_printf(call->arena, "%s %s -> %s", setting->name, kernel,
                            setting->absent ? "not set" : setting->value);
    if (set && differs)
        put_command(call, "-w", arena_printf(call->arena, "%s=%s", setting->name, setting->value),
                    &out->script);
    if (reload)
        put_command(call, "-p", setting->file, &out->script);
    if (!setting->absent && (reload || set))
        map_set(&world->entries[NEED_SYSCTL], setting->name,
                arena_strdup(&world->arena, setting->value));
    return 0;
}

const struct module module_sysctl = {
    .name = "sysctl",
    .aliases = aliases,
    .help = "Sets kernel settings, now and for the next boot.",
    .args = args,
    .needs = needs,
    .plan = plan,
};
