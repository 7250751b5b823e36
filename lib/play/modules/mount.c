/*
 * mount.c - module mount (ansible.posix.mount): a line of /etc/fstab, and what is mounted.
 *
 * What is mounted hides or shows files, so nothing is known of a host after it.
 */
#include "lib/play/lines.h"

static const char *const aliases[] = {"ansible.posix.mount", NULL};

static const struct module_arg args[] = {
    {"path", ARG_PATH, true, NULL, NULL, "name", "The mount point"},
    {"src", ARG_PATH, false, NULL, NULL, NULL, "What is mounted; needed with present and mounted"},
    {"fstype", ARG_STR, false, NULL, NULL, NULL, "Its type; needed with present and mounted"},
    {"opts", ARG_STR, false, NULL, NULL, NULL, "Options; default: defaults"},
    {"dump", ARG_STR, false, "0", NULL, NULL, "Fifth field of the line"},
    {"passno", ARG_STR, false, "0", NULL, NULL, "Sixth field of the line"},
    {"state", ARG_STR, true, NULL, "absent|absent_from_fstab|mounted|present|remounted|unmounted",
     NULL,
     "present and absent_from_fstab: the line alone; mounted: the mount too; unmounted, remounted: "
     "the mount alone; absent: no line, no mount, no mount point"},
    {"fstab", ARG_PATH, false, "/etc/fstab", NULL, NULL, "The file"},
    {"boot", ARG_BOOL, false, "yes", NULL, NULL, "no: noauto is added to the options"},
    {"opts_no_log", ARG_REFUSED, false, "no", NULL, NULL, "use no_log: yes of the task"},
    {"backup", ARG_BOOL, false, "no", NULL, NULL, "Keep the old file beside it"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

enum field { FIELD_SRC, FIELD_PATH, FIELD_TYPE, FIELD_OPTS, FIELD_DUMP, FIELD_PASSNO, FIELDS };

struct mount {
    const char *path, *fstab, *state;
    const char *plain[FIELDS]; /* as given; src and type may be NULL */
    const char *field[FIELDS]; /* as fstab spells them */
};

/* fstab(5): fields are words; space, ampersand and backslash as Ansible writes them. */
static const char *escaped(struct module_call *call, const char *text)
{
    struct str out;
    const char *kept;

    if (!text)
        return NULL;
    str_init(&out, STR_MAX_TEXT);
    for (; *text; text++) {
        if (strchr("\\ &", *text))
            str_printf(&out, "\\%03o", (unsigned)(unsigned char)*text);
        else
            str_putc(&out, *text);
    }
    kept = arena_strdup(call->arena, out.buf);
    str_release(&out);
    return kept;
}

static bool is_state(const struct mount *mount, const char *state)
{
    return str_eq(mount->state, state);
}

static bool is_wanted(const struct mount *mount)
{
    return is_state(mount, "present") || is_state(mount, "mounted");
}

static bool is_absent(const struct mount *mount)
{
    return str_starts(mount->state, "absent");
}

static void take_fields(struct module_call *call, struct mount *mount)
{
    const char *opts = value_get_str(call->args, "opts", "defaults");

    if (!value_get_bool(call->args, "boot", true))
        opts = arena_printf(call->arena, "%s,noauto", opts);
    mount->plain[FIELD_SRC] = value_get_str(call->args, "src", NULL);
    mount->plain[FIELD_PATH] = value_get_str(call->args, "path", "");
    mount->plain[FIELD_TYPE] = value_get_str(call->args, "fstype", NULL);
    mount->plain[FIELD_OPTS] = opts;
    mount->plain[FIELD_DUMP] = value_get_str(call->args, "dump", "0");
    mount->plain[FIELD_PASSNO] = value_get_str(call->args, "passno", "0");
    for (size_t i = 0; i < FIELDS; i++)
        mount->field[i] = escaped(call, mount->plain[i]);
}

static int check(const struct mount *mount, struct err *err)
{
    bool line_alone = is_state(mount, "present") || is_state(mount, "absent_from_fstab");

    if (*mount->plain[FIELD_PATH] != '/' &&
        !(line_alone && str_eq(mount->plain[FIELD_PATH], "none")))
        return err_set(err, ERR_INPUT, "mount: path must begin with /");
    if (is_wanted(mount) && (!mount->plain[FIELD_SRC] || !mount->plain[FIELD_TYPE]))
        return err_set(err, ERR_INPUT, "state is %s but all of the following are missing: %s",
                       mount->state, mount->plain[FIELD_SRC] ? "fstype" : "src");
    for (size_t i = 0; i < FIELDS; i++)
        if (mount->plain[i] && (!*mount->plain[i] || strpbrk(mount->plain[i], "\r\n\t#")))
            return err_set(err, ERR_INPUT, "mount: '%s' cannot be a field of fstab",
                           mount->plain[i]);
    return 0;
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct mount *mount = arena_new(call->arena, struct mount);
    struct need need = {.kind = NEED_MOUNT};

    mount->state = value_get_str(call->args, "state", "");
    mount->fstab = file_clean_path(call, value_get_str(call->args, "fstab", ""));
    take_fields(call, mount);
    if (check(mount, err) < 0)
        return -1;
    mount->path = need.name = file_clean_path(call, mount->plain[FIELD_PATH]);
    call->own = mount;
    add(ctx, &need);
    file_dirs_needs(call, mount->path, add, ctx);
    file_content_needs(call, mount->fstab, NULL, true, true, add, ctx);
    return 0;
}

/* ---- fstab ---- */

/* Cuts a copy of the line into fields. How many there are; more than fit are counted, too. */
static size_t cut_fields(char *text, const char *fields[FIELDS])
{
    size_t n = 0;
    char *rest = text, *word;

    while ((word = strsep(&rest, " \t\r\n\f\v"))) {
        if (!*word)
            continue;
        if (n < FIELDS)
            fields[n] = word;
        n++;
    }
    return n;
}

/* Is it the line of this mount? Of swap, all of which have the path none, the source counts. */
static bool is_ours(const struct mount *mount, const char *const fields[FIELDS])
{
    if (!str_eq(fields[FIELD_PATH], mount->field[FIELD_PATH]))
        return false;
    return !(mount->plain[FIELD_SRC] && str_eq(fields[FIELD_PATH], "none") &&
             str_eq(fields[FIELD_TYPE], "swap") &&
             !str_eq(fields[FIELD_SRC], mount->plain[FIELD_SRC]));
}

static const char *fstab_line(struct module_call *call, const struct mount *mount)
{
    const char *const *f = mount->field;

    return arena_printf(call->arena, "%s %s %s %s %s %s\n", f[FIELD_SRC], f[FIELD_PATH],
                        f[FIELD_TYPE], f[FIELD_OPTS], f[FIELD_DUMP], f[FIELD_PASSNO]);
}

/* Without dump and passno a line is made whole: it differs. */
static bool same_fields(const struct mount *mount, const char *const fields[FIELDS])
{
    for (size_t i = 0; i < FIELDS; i++)
        if (!str_eq(fields[i], mount->field[i]))
            return false;
    return true;
}

/* Every line of this mount becomes the wanted one. True when something changed. */
static bool set_line(struct module_call *call, const struct mount *mount, struct lines *lines)
{
    bool found = false, changed = false;

    for (size_t i = 0; i < lines->n; i++) {
        const char *fields[FIELDS] = {NULL};
        char *copy = arena_strndup(call->arena, lines->items[i], strcspn(lines->items[i], "#"));
        size_t n = cut_fields(copy, fields);

        if (n < 4 || n > FIELDS || !is_ours(mount, fields))
            continue;
        found = true;
        changed = changed || !same_fields(mount, fields);
        if (changed)
            lines_replace(lines, i, fstab_line(call, mount));
    }
    if (!found)
        lines_insert(lines, lines->n, fstab_line(call, mount));
    if (!found || changed)
        lines_end_last(lines);
    return !found || changed;
}

/* Only whole lines, of six fields, are taken out. */
static bool unset_line(struct module_call *call, const struct mount *mount, struct lines *lines)
{
    bool changed = false;

    for (size_t i = lines->n; i > 0; i--) {
        const char *fields[FIELDS] = {NULL};
        char *copy = arena_strdup(call->arena, lines->items[i - 1]);

        if (cut_fields(copy, fields) != FIELDS || *fields[0] == '#' || !is_ours(mount, fields))
            continue;
        lines_remove(lines, i - 1, 1);
        changed = true;
    }
    return changed;
}

/* *changed: the line was not as it is to be. kept: what fstab was, for a mount that fails. */
static int plan_fstab(struct module_call *call, struct world *world, const struct mount *mount,
                      struct file_kept *kept, bool *changed, struct module_plan *out,
                      struct err *err)
{
    struct file_content want = {.path = mount->fstab,
                                .backup = value_get_bool(call->args, "backup", false),
                                .make_dirs = true};
    struct lines lines;
    const char *text;
    size_t len;
    int rc = 0;

    *changed = false;
    if (!is_wanted(mount) && !is_absent(mount))
        return 0;
    if (lines_of_file(world, mount->fstab, &text, &len, err) < 0)
        return -1;
    lines_split(&lines, call->arena, text, len);
    if (is_wanted(mount))
        lines_end_last(&lines);
    *changed = is_wanted(mount) ? set_line(call, mount, &lines) : unset_line(call, mount, &lines);
    if (*changed) {
        if (is_state(mount, "mounted"))
            file_keep(call, kept, mount->fstab, text != NULL, &out->script);
        want.data = lines_join(&lines, call->arena, &want.len);
        rc = file_content_plan(call, world, &want, out, err);
    }
    lines_release(&lines);
    return rc;
}

/* ---- what is mounted ---- */

/* On the folder's own device only a bind mount of this very source counts, as for Ansible. */
static bool is_mounted(const struct mount *mount, const struct mount_state *now)
{
    return now->mounted &&
           (now->own_device || !is_wanted(mount) || str_eq(now->source, mount->plain[FIELD_SRC]));
}

static void put_mount(const struct mount *mount, const char *options, struct str *script)
{
    str_puts(script, "mount");
    str_puts(script, options);
    if (!str_eq(mount->fstab, "/etc/fstab")) {
        str_puts(script, " -T ");
        str_put_shell(script, mount->fstab);
    }
    str_puts(script, " -- ");
    str_put_shell(script, mount->path);
}

static void put_umount(const struct mount *mount, struct str *script)
{
    str_puts(script, "umount -- ");
    str_put_shell(script, mount->path);
}

/* What cannot be mounted anew is unmounted and mounted; with options of its own that would lose
 * them. */
static void put_remount(struct module_call *call, const struct mount *mount, struct str *script)
{
    const char *opts = mount->plain[FIELD_OPTS];
    bool own = is_state(mount, "remounted") && !str_eq(opts, "defaults");
    struct str options;

    str_init(&options, STR_MAX_TEXT);
    str_puts(&options, " -o ");
    str_put_shell(&options, own ? arena_printf(call->arena, "remount,%s", opts) : "remount");
    put_mount(mount, options.buf, script);
    str_release(&options);
    if (own)
        return;
    str_puts(script, " || {\n");
    put_umount(mount, script);
    str_puts(script, " && ");
    put_mount(mount, "", script);
    str_puts(script, "\n}");
}

/* Those of path and the folders above it that are not there, the deepest first, as words. */
static const char *missing_folders(struct module_call *call, struct world *world, const char *path)
{
    const char *words = "";

    for (; !str_eq(path, "/") && world_path(world, path)->type == 0; path = file_dir(call, path))
        words = arena_printf(call->arena, "%s %s", words, file_word(call, path));
    return words;
}

/* A mount that fails leaves neither its line in fstab nor its folders. */
static void plan_mounted(struct module_call *call, struct world *world, const struct mount *mount,
                         const struct file_kept *kept, bool changed, struct module_plan *out)
{
    struct mount_state *now = world_mount(world, mount->path);
    bool mounted = is_mounted(mount, now);
    const char *made;

    if (mounted && !changed)
        return;
    made = missing_folders(call, world, mount->path);
    file_dirs_plan(call, world, mount->path, NULL, out);
    script_step(&out->script);
    str_puts(&out->script, "{\n");
    if (mounted)
        put_remount(call, mount, &out->script);
    else
        put_mount(mount, "", &out->script);
    str_puts(&out->script, "\n} || {\n");
    if (changed)
        file_put_back(kept, &out->script);
    if (*made)
        str_printf(&out->script, "rmdir%s\n", made);
    str_puts(&out->script, "false\n}");
    plan_say(call, out, mounted ? "remounted" : "mounted");
    *now = (struct mount_state){true, true, arena_strdup(&world->arena, mount->plain[FIELD_SRC])};
    out->kind = PLAN_OPAQUE;
}

static void plan_unmounted(const struct mount *mount, struct module_call *call, struct world *world,
                           struct module_plan *out)
{
    struct mount_state *now = world_mount(world, mount->path);

    if (!is_mounted(mount, now))
        return;
    script_step(&out->script);
    put_umount(mount, &out->script);
    plan_say(call, out, "unmounted");
    *now = (struct mount_state){.mounted = false};
    out->kind = PLAN_OPAQUE;
}

static void plan_mount(struct module_call *call, struct world *world, const struct mount *mount,
                       const struct file_kept *kept, bool changed, struct module_plan *out)
{
    if (is_state(mount, "mounted")) {
        plan_mounted(call, world, mount, kept, changed, out);
    } else if (is_state(mount, "remounted")) {
        put_remount(call, mount, &out->script);
        plan_say(call, out, "remounted");
        out->kind = PLAN_OPAQUE;
    } else if (is_state(mount, "unmounted") || (changed && is_state(mount, "absent"))) {
        plan_unmounted(mount, call, world, out);
    }
    if (is_state(mount, "absent") && changed && world_path(world, mount->path)->type != 0) {
        script_run(&out->script, "rmdir --", mount->path, NULL);
        file_note_removed(world, mount->path);
    }
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    static const char *const names[FIELDS] = {"src", "name", "fstype", "opts", "dump", "passno"};
    const struct mount *mount = call->own;
    struct file_kept kept = {NULL, false, 0};
    bool changed;

    out->kind = PLAN_OK;
    if (plan_fstab(call, world, mount, &kept, &changed, out, err) < 0)
        return -1;
    plan_mount(call, world, mount, &kept, changed, out);
    for (size_t i = 0; i < FIELDS; i++)
        plan_result_str(call, out, names[i], mount->plain[i]);
    plan_result_str(call, out, "fstab", mount->fstab);
    plan_result_str(call, out, "boot", value_get_bool(call->args, "boot", true) ? "yes" : "no");
    plan_result_str(call, out, "backup_file", "");
    return 0;
}

const struct module module_mount = {
    .name = "mount",
    .aliases = aliases,
    .help = "Keeps lines of /etc/fstab, and mounts and unmounts.",
    .args = args,
    .needs = needs,
    .plan = plan,
};
