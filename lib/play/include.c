/*
 * include.c - include_tasks as a task: it finds out which file is meant. The tasks of every file
 * that it may be are in the play already (reader_include.c); progress.c goes there.
 */
#include "lib/base/file.h"
#include "lib/play/planout.h"
#include "lib/play/playbook.h"

const char *playbook_path(struct arena *a, const char *folder, const char *name)
{
    char *joined = name[0] == '/' ? xstrdup(name) : path_join(folder, name);
    char *normal = path_normal(joined);
    /* "./x" tells the assets that it is a file of this machine; path_normal takes that away */
    bool here = normal[0] != '/' && (str_starts(joined, "./") || str_eq(folder, "."));
    const char *path = arena_printf(a, "%s%s", here ? "./" : "", normal);

    free(joined);
    free(normal);
    return path;
}

const struct include_file *include_find(const struct include *include, const char *path)
{
    vec_each (file, &include->files)
        if (str_eq(file->path, path))
            return file;
    return NULL;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct include *include = call->include;
    const char *name = value_get_str(call->args, "file", "");
    const struct include_file *file = NULL;

    UNUSED(world);
    UNUSED(err);
    for (size_t i = 0; i < ARRAY_LEN(include->folders) && include->folders[i] && !file; i++)
        file = include_find(include, playbook_path(call->arena, include->folders[i], name));
    if (!file)
        return plan_fail(call, out, "there is no file %s in %s that this include could mean", name,
                         include->folders[0]);
    if (file->fault)
        return plan_fail(call, out, "%s", file->fault);
    out->kind = PLAN_OK;
    plan_result_str(call, out, "include", file->path);
    return 0;
}

static const struct module_arg args[] = {
    {"file", ARG_STR, true, NULL, NULL, NULL, "the file"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL},
};

const struct module include_module = {
    .name = "include_tasks",
    .help = "the tasks of a file",
    .args = args,
    .plan = plan,
    .runs_in_check_mode = true,
};
