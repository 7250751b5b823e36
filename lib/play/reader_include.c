/*
 * reader_include.c - include_tasks: the files it may mean are read now, the choice is made later.
 *
 * A name without a template is one file. In a name with templates each of them may stand for
 * anything but a slash: every file that fits is read. What is wrong with such a file is told only
 * when a host wants it, for it may be meant for other hosts than ours.
 */
#include <fnmatch.h>

#include "lib/play/reader.h"

#define MAX_CANDIDATES 500

struct include_reader {
    struct reader *r;
    struct include *include;
    const struct value *file;
    const struct task *around; /* of the file's tasks */
    const char *folder;        /* that is looked into */
    const char *pattern;
};

/* ---- one file ---- */

static size_t add_end(struct reader *r, const struct include *include, struct source src)
{
    struct task end = {.kind = TASK_INCLUDE_END, .include = include, .src = src};

    reader_add_task(r, &end, LIST_TASKS);
    return r->play->tasks.n - 1;
}

static void read_file(struct include_reader *from, const char *path)
{
    struct reader *r = from->r;
    struct include_file file = {.path = path, .first = r->play->tasks.n};

    reader_tasks_file(r, path, from->file->src, from->around, LIST_TASKS);
    file.end = add_end(r, from->include, from->file->src);
    vec_push(&from->include->files, file);
}

/* ---- candidates ---- */

static const char *faults_text(struct arena *a, const struct faults *faults)
{
    struct str text;
    const char *copy;

    str_init(&text, STR_MAX_TEXT);
    faults_format(faults, &text);
    str_trim_end(&text);
    copy = arena_strdup(a, text.buf);
    str_release(&text);
    return copy;
}

/* Reads it, or takes back all of it and keeps what was wrong. */
static void try_file(struct include_reader *from, const char *path)
{
    struct reader *r = from->r;
    struct play *play = r->play;
    struct faults *outer = r->faults, own;
    size_t tasks = play->tasks.n, handlers = play->handlers.n, blocks = play->blocks.n;
    size_t uses = play->roles.n, roles = r->roles.n, files = from->include->files.n;

    faults_init(&own);
    r->faults = &own;
    read_file(from, path);
    r->faults = outer;
    if (own.n > 0) {
        play->tasks.n = tasks;
        play->handlers.n = handlers;
        play->blocks.n = blocks;
        play->roles.n = uses;
        while (r->roles.n > roles)
            map_del(&r->roles, r->roles.entries[r->roles.n - 1].key);
        from->include->files.n = files;
        vec_push(&from->include->files,
                 ((struct include_file){.path = path, .fault = faults_text(&r->pb->arena, &own)}));
    }
    faults_release(&own);
}

static void take_candidate(void *ctx, const char *name)
{
    struct include_reader *from = ctx;
    const char *path;

    if (name[0] == '.' || fnmatch(from->pattern, name, 0) != 0 ||
        !(str_ends(name, ".yml") || str_ends(name, ".yaml")))
        return;
    path = reader_path(from->r, from->folder, name);
    if (include_find(from->include, path))
        return;
    if (from->include->files.n == MAX_CANDIDATES)
        fault_add(from->r->faults, from->file->src, "more than %d files may be meant by '%s'",
                  MAX_CANDIDATES, from->file->u.str.s);
    else if (from->include->files.n < MAX_CANDIDATES)
        try_file(from, path);
}

/* The name as fnmatch has it: a * for each template. */
static const char *pattern_of(struct arena *a, const char *name)
{
    struct str pattern;
    const char *copy;

    str_init(&pattern, STR_MAX_TEXT);
    while (*name) {
        const char *end = str_starts(name, "{{")   ? strstr(name, "}}")
                          : str_starts(name, "{%") ? strstr(name, "%}")
                          : str_starts(name, "{#") ? strstr(name, "#}")
                                                   : NULL;

        if (end) {
            str_putc(&pattern, '*');
            name = end + 2;
            continue;
        }
        if (strchr("*?[\\", *name))
            str_putc(&pattern, '\\');
        str_putc(&pattern, *name++);
    }
    copy = arena_strdup(a, pattern.buf);
    str_release(&pattern);
    return copy;
}

static void read_candidates(struct include_reader *from)
{
    struct arena *a = &from->r->pb->arena;
    const char *pattern = pattern_of(a, from->file->u.str.s);
    const char *slash = strrchr(pattern, '/');
    const char *below = slash ? arena_strndup(a, pattern, (size_t)(slash - pattern)) : "";

    if (strpbrk(below, "*?[\\")) {
        fault_add(
            from->r->faults, from->file->src,
            "a template in the folder of an included file is not supported: only in its name");
        return;
    }
    from->pattern = slash ? slash + 1 : pattern;
    for (size_t i = 0; i < ARRAY_LEN(from->include->folders) && from->include->folders[i]; i++) {
        from->folder = reader_path(from->r, from->include->folders[i], *below ? below : ".");
        assets_each(from->r->assets, from->folder, take_candidate, from);
    }
    if (from->include->files.n == 0)
        fault_add(from->r->faults, from->file->src, "no file fits '%s' in %s", from->file->u.str.s,
                  from->include->folders[0]);
}

static void read_plain(struct include_reader *from)
{
    const struct include *include = from->include;
    const char *name = from->file->u.str.s;
    const char *path = reader_path(from->r, include->folders[0], name);

    if (include->folders[1] && !assets_exists(from->r->assets, path))
        path = reader_path(from->r, include->folders[1], name);
    read_file(from, path);
}

/* ---- the include ---- */

/* file: and apply: as a mapping, or the file alone. */
static const struct value *read_args(struct reader *r, const struct value *args,
                                     struct task *around)
{
    const struct value *file = args->type == VALUE_MAP ? value_get(args, "file") : args;
    const struct value *apply = args->type == VALUE_MAP ? value_get(args, "apply") : NULL;

    for (size_t i = 0; args->type == VALUE_MAP && i < args->u.map.n; i++)
        if (!str_eq(args->u.map.entries[i].key, "file") &&
            !str_eq(args->u.map.entries[i].key, "apply"))
            fault_add(r->faults, args->u.map.entries[i].key_src,
                      "include_tasks has no '%s': only file and apply", args->u.map.entries[i].key);
    if (apply && apply->type == VALUE_MAP)
        for (size_t i = 0; i < apply->u.map.n; i++)
            reader_block_key(r, around, &apply->u.map.entries[i], "apply");
    else if (apply && apply->type != VALUE_NULL)
        fault_add(r->faults, apply->src, "apply must be a mapping");
    around->name = NULL;
    if (file && value_is_str(file) && *file->u.str.s)
        return file;
    fault_add(r->faults, args->src, "include_tasks takes the name of a file");
    return NULL;
}

static void set_folders(struct reader *r, struct include *include, const struct task *task)
{
    const char *other =
        task->role ? reader_path(r, task->role->role->path, "tasks") : r->play->folder;

    include->folders[0] = task->folder;
    if (!str_eq(task->folder, other))
        include->folders[1] = other;
}

void reader_include_tasks(struct reader *r, struct task *task, const struct value *args,
                          const struct task *outer)
{
    struct include *include = arena_new(&r->pb->arena, struct include);
    struct frame *frame = arena_new(&r->pb->arena, struct frame);
    struct value *file = value_map(&r->pb->arena);
    struct task around = *outer;
    struct include_reader from = {r, include, NULL, &around, NULL, NULL};

    vec_push(&r->pb->includes, include);
    *frame = (struct frame){NULL, include, task->frame};
    around.frame = frame;
    from.file = read_args(r, args, &around);
    if (!from.file)
        return;
    include->loops = task->loop != NULL;
    include->loop_var = task->loop_var;
    include->index_var = task->index_var;
    set_folders(r, include, task);
    value_map_set(&r->pb->arena, file, "file", (struct value *)from.file);
    task->module = &include_module;
    task->include = include;
    task->args = reader_keep(r, file);
    reader_add_task(r, task, LIST_TASKS);
    if (jinja_has_markup(from.file->u.str.s))
        read_candidates(&from);
    else
        read_plain(&from);
    include->end = r->play->tasks.n;
}
