/*
 * file.c - module file: folders, links, owners and modes, and the absence of things.
 */
#include "lib/play/filechange.h"

#define TIME_FORMAT(name)                                                                          \
    {                                                                                              \
        name, ARG_REFUSED, false, "%Y%m%d%H%M.%S", NULL, NULL,                                     \
            "times are now and preserve: use command: touch -d"                                    \
    }

static const struct module_arg args[] = {
    {"path", ARG_PATH, true, NULL, NULL, "dest|name", "The file, folder or link"},
    {"state", ARG_STR, false, NULL, "absent|directory|file|hard|link|touch", NULL,
     "What it is to be. Default: what it is, file when there is nothing; hard is not supported"},
    {"src", ARG_PATH, false, NULL, NULL, NULL, "What a link points to"},
    FILE_ATTRIBUTE_ARGS,
    {"recurse", ARG_BOOL, false, "no", NULL, NULL,
     "Owner, group and mode of all below a folder, too; looked at on the host in every run"},
    {"force", ARG_BOOL, false, "no", NULL, NULL,
     "A link replaces a file or an empty folder, and its target need not exist"},
    {"follow", ARG_BOOL, false, "yes", NULL, NULL,
     "Of a link at path: what it leads to; no: the link itself, which has an owner but no mode"},
    {"modification_time", ARG_STR, false, NULL, "preserve|now", NULL,
     "Of state touch: now (the default) or preserve"},
    {"access_time", ARG_STR, false, NULL, "preserve|now", NULL,
     "Of state touch: now (the default) or preserve"},
    TIME_FORMAT("modification_time_format"),
    TIME_FORMAT("access_time_format"),
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

struct file_task {
    const char *given;              /* the path as the task has it */
    const char *path, *state, *src; /* path: for all but links and absence, what a link leads to */
    const char *target;             /* src as seen from the link's folder */
    struct file_attributes attributes;
    bool recurse, force, follow;
};

static bool wants_attributes(const struct file_task *task)
{
    return task->attributes.mode || task->attributes.owner || task->attributes.group;
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct file_task *task = arena_new(call->arena, struct file_task);
    struct need need = {.kind = NEED_PATH};

    task->given = file_clean_path(call, value_get_str(call->args, "path", ""));
    task->path = task->given;
    task->state = value_get_str(call->args, "state", NULL);
    task->src = value_get_str(call->args, "src", NULL);
    task->attributes = file_attributes_of(call);
    task->recurse = value_get_bool(call->args, "recurse", false);
    task->force = value_get_bool(call->args, "force", false);
    call->own = task;
    task->follow = value_get_bool(call->args, "follow", true);
    if (str_eq(task->state, "hard"))
        return err_set(err, ERR_INPUT, "file: state: hard is not supported: use command: ln");
    if (!task->state && task->recurse)
        task->state = "directory";
    need.name = task->path;
    add(ctx, &need);
    if (task->follow && !str_eq(task->state, "link") && !str_eq(task->state, "absent"))
        task->path = file_follow(call, task->path, add, ctx);
    if (str_eq(task->state, "directory"))
        file_dirs_needs(call, task->path, add, ctx);
    if (str_eq(task->state, "link") && task->src) {
        task->target = *task->src == '/' ? task->src
                                         : arena_printf(call->arena, "%s/%s",
                                                        file_dir(call, task->path), task->src);
        task->target = need.name = file_clean_path(call, task->target);
        add(ctx, &need);
    }
    return 0;
}

static const char *state_name(const struct path_state *now)
{
    return now->type == 0     ? "absent"
           : now->type == 'd' ? "directory"
           : now->type == 'l' ? "link"
                              : "file";
}

/* Linux keeps no mode of a link. */
static void plan_attributes(struct module_call *call, struct world *world,
                            const struct file_task *task, struct module_plan *out)
{
    struct file_attributes want = task->attributes;

    if (world_path(world, task->path)->type == 'l')
        want.mode = NULL;
    if (file_attributes_plan(call, world, task->path, &want, out))
        out->kind = PLAN_CHANGE;
}

static int plan_absent(struct module_call *call, struct world *world, const struct file_task *task,
                       struct module_plan *out)
{
    const struct path_state *now = world_path(world, task->path);

    if (now->type == 0)
        return 0;
    if (str_eq(task->path, "/"))
        return plan_fail(call, out, "refusing to remove /");
    plan_say(call, out, "%s -> absent", state_name(now));
    script_step(&out->script);
    str_printf(&out->script, "rm %s %s", now->type == 'd' ? "-rf" : "-f",
               file_word(call, task->path));
    file_note_removed(world, task->path);
    out->kind = PLAN_CHANGE;
    return 0;
}

/* The chown and chmod of all below; they print what they changed, which decides `changed`. */
static void plan_recurse(struct module_call *call, const struct file_task *task,
                         struct module_plan *out)
{
    const struct file_attributes *want = &task->attributes;
    const char *word = file_word(call, task->path);
    const char *who = arena_printf(call->arena, "%s%s%s", want->owner ? want->owner : "",
                                   want->group ? ":" : "", want->group ? want->group : "");

    if (!wants_attributes(task))
        return;
    plan_result_bool(call, out, "changed", out->kind == PLAN_CHANGE);
    if (*who) {
        script_step(&out->script);
        str_printf(&out->script, "find %s -mindepth 1 -exec chown -ch ", word);
        str_put_shell(&out->script, who);
        str_puts(&out->script, " {} +");
    }
    if (want->mode) {
        bool octal = *want->mode >= '0' && *want->mode <= '9';

        script_step(&out->script);
        str_printf(&out->script, "find %s -mindepth 1 ! -type l -exec chmod -c ", word);
        str_put_shell(&out->script,
                      octal ? arena_printf(call->arena, "0%s", want->mode) : want->mode);
        str_puts(&out->script, " {} +");
    }
    if (out->kind == PLAN_OK)
        plan_say(call, out, "owner and mode of all below, where they differ");
    out->kind = PLAN_CHANGE;
    out->captures = true;
}

static int plan_directory(struct module_call *call, struct world *world,
                          const struct file_task *task, struct module_plan *out)
{
    const struct path_state *now = world_path(world, task->path);

    if (now->type == 0) {
        file_dirs_plan(call, world, task->path, &task->attributes, out);
        plan_say(call, out, "absent -> directory");
        out->kind = PLAN_CHANGE;
        return 0;
    }
    if (now->type != 'd')
        return plan_fail(call, out, "%s already exists as a %s", task->path, state_name(now));
    plan_attributes(call, world, task, out);
    if (task->recurse)
        plan_recurse(call, task, out);
    return 0;
}

static int plan_link(struct module_call *call, struct world *world, const struct file_task *task,
                     struct module_plan *out)
{
    struct path_state *now = world_path(world, task->path);
    const struct path_state *target = task->src ? world_path(world, task->target) : NULL;

    if (wants_attributes(task) && task->follow)
        return plan_fail(call, out,
                         "%s is a symbolic link: name its target to set mode or owner, or "
                         "follow: no",
                         task->path);
    if (now->type == 'l' && (!task->src || str_eq(now->link, task->src))) {
        plan_attributes(call, world, task, out);
        return 0;
    }
    if (!task->src)
        return plan_fail(call, out, "src is required for creating new symlinks");
    if (!task->force && target->type == 0)
        return plan_fail(
            call, out,
            "src file does not exist, use 'force=yes' if you really want to create the link: %s",
            task->target);
    if (now->type != 0 && now->type != 'l' && !task->force)
        return plan_fail(call, out, "refusing to convert from %s to symlink for %s",
                         state_name(now), task->path);
    plan_say(call, out, "%s -> link to %s", now->type == 'l' ? now->link : state_name(now),
             task->src);
    if (now->type == 'd')
        script_run(&out->script, "rmdir --", task->path, NULL);
    script_run(&out->script, "ln -sfnT --", task->src, task->path, NULL);
    file_note_removed(world, task->path);
    *now = (struct path_state){.type = 'l', .mode = 0777, .owner = "root", .group = "root"};
    now->size = (int64_t)strlen(task->src);
    now->link = arena_strdup(&world->arena, task->src);
    now->target = target->type == 'l' ? target->target : target->type;
    now->sha256 = target->sha256;
    out->kind = PLAN_CHANGE;
    plan_attributes(call, world, task, out);
    return 0;
}

static int plan_touch(struct module_call *call, struct world *world, const struct file_task *task,
                      struct module_plan *out)
{
    struct path_state *now = world_path(world, task->path);
    bool keep_mtime = str_eq(value_get_str(call->args, "modification_time", "now"), "preserve");
    bool keep_atime = str_eq(value_get_str(call->args, "access_time", "now"), "preserve");

    if (now->type == 0) {
        *now = (struct path_state){.type = 'f', .mode = 0644, .owner = "root", .group = "root"};
        script_run(&out->script, "touch --", task->path, NULL);
        script_run(&out->script, "chmod 0644 --", task->path, NULL); /* whatever the umask is */
        plan_say(call, out, "absent -> file");
        out->kind = PLAN_CHANGE;
    } else if (now->type == 'l' && now->target == 0) {
        return plan_fail(call, out, "%s is a link to nowhere: it has no time of its own",
                         task->path);
    } else if (!keep_mtime || !keep_atime) {
        script_run(&out->script,
                   keep_mtime   ? "touch -a --"
                   : keep_atime ? "touch -m --"
                                : "touch --",
                   task->path, NULL);
        plan_say(call, out, "touched");
        out->kind = PLAN_CHANGE;
    }
    plan_attributes(call, world, task, out);
    return 0;
}

static int plan_file(struct module_call *call, struct world *world, const struct file_task *task,
                     struct module_plan *out)
{
    const struct path_state *now = world_path(world, task->path);

    if (now->type != 'f' && now->type != '?')
        return plan_fail(call, out, "file (%s) is %s, cannot continue", task->path,
                         state_name(now));
    plan_attributes(call, world, task, out);
    return 0;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct file_task *task = call->own;
    const char *state = task->state ? task->state : state_name(world_path(world, task->path));

    UNUSED(err);
    out->kind = PLAN_OK;
    if (task->recurse && !str_eq(state, "directory"))
        return plan_fail(call, out, "recurse option requires state to be 'directory'");
    if (task->src && !str_eq(state, "link"))
        return plan_fail(call, out, "src option requires state to be 'link' or 'hard'");
    if (str_eq(task->state, "absent"))
        plan_absent(call, world, task, out);
    else if (str_eq(state, "directory"))
        plan_directory(call, world, task, out);
    else if (str_eq(state, "link"))
        plan_link(call, world, task, out);
    else if (str_eq(state, "touch"))
        plan_touch(call, world, task, out);
    else
        plan_file(call, world, task, out);
    if (out->kind == PLAN_FAIL)
        return 0;
    file_result(call, world, str_eq(state, "link") ? "dest" : "path", task->path, out);
    if (str_eq(state, "touch"))
        plan_result_str(call, out, "dest", task->given);
    return 0;
}

/* Only recurse captures: what chown -c and chmod -c printed was changed. */
static void finish(struct module_call *call, struct module_plan *done, int rc, const char *out,
                   const char *errout)
{
    bool changed = value_get_bool(done->result, "changed", false);

    if (rc != 0) {
        plan_result_bool(call, done, "failed", true);
        plan_result_str(call, done, "msg", errout);
    }
    plan_result_bool(call, done, "changed", changed || *out);
}

const struct module module_file = {
    .name = "file",
    .help = "Folders, links, owners and modes; removes things.",
    .args = args,
    .needs = needs,
    .plan = plan,
    .finish = finish,
};
