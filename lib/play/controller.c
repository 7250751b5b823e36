/*
 * controller.c - the files and environment variables that lookups read.
 */
#include "lib/play/controller.h"

#include <fnmatch.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/log.h"

/* ---- where files are ---- */

static size_t add_folder(const char **folders, size_t n, const char *folder, const char *kind,
                         struct arena *a)
{
    if (kind)
        folders[n++] = arena_printf(a, "%s/%s", folder, kind);
    folders[n++] = folder;
    return n;
}

const char *const *search_folders(const struct scope *scope, const char *kind, struct arena *a)
{
    const struct role_use *role = scope->task ? scope->task->role : NULL;
    const char *play = scope->stage ? scope->stage->play->folder : scope->host->run->pb->folder;
    const char **folders;
    size_t n = 0, roles = 0;

    for (const struct role_use *use = role; use; use = use->user)
        roles++;
    folders = arena_alloc(a, (2 * roles + 6) * sizeof(*folders));
    for (const struct role_use *use = role; use; use = use->user)
        n = add_folder(folders, n, use->role->path, kind, a);
    if (scope->task)
        n = add_folder(folders, n, scope->task->folder, kind, a);
    n = add_folder(folders, n, play, kind, a);
    folders[n++] =
        ""; /* embedded: "{{ playbook_dir }}/x" is then a path from the top, not an absolute one */
    folders[n] = NULL;
    return folders;
}

static const char *inside(struct arena *a, const char *folder, const char *name)
{
    char *joined = *folder ? path_join(folder, name) : xstrdup(name);
    const char *path = arena_strdup(a, joined);

    free(joined);
    return path;
}

/* "files/x" is not looked for as files/files/x. */
static bool names_kind(const char *name, const char *kind)
{
    size_t len = kind ? strlen(kind) : 0;

    return kind && strncmp(name, kind, len) == 0 && name[len] == '/';
}

static const char *find(void *data, struct arena *a, const char *kind, const char *name)
{
    const struct scope *scope = data;
    const struct assets *assets = scope->host->run->assets;
    const char *const *folder;

    if (*name == '/')
        return assets_exists(assets, name) ? arena_strdup(a, name) : NULL;
    folder = search_folders(scope, names_kind(name, kind) ? NULL : kind, a);
    for (; *folder; folder++) {
        const char *path = inside(a, *folder, name);

        if (assets_exists(assets, path))
            return path;
    }
    return NULL;
}

static int read_file(void *data, const char *path, struct str *out, struct err *err)
{
    const struct assets *assets = ((const struct scope *)data)->host->run->assets;

    if (assets_is_dir(assets, path))
        return err_set(err, ERR_INPUT, "%s is a folder", path);
    return assets_read(assets, path, out, err);
}

/* ---- patterns ---- */

struct globbing {
    struct arena *arena;
    const char *folder, *pattern;
    struct value *out;
};

static void take_match(void *ctx, const char *name)
{
    struct globbing *g = ctx;

    if (fnmatch(g->pattern, name, FNM_PERIOD) == 0)
        value_list_add(g->arena, g->out, value_str(g->arena, inside(g->arena, g->folder, name)));
}

static void glob_files(void *data, struct arena *a, const char *folder, const char *pattern,
                       struct value *out)
{
    const struct scope *scope = data;
    const char *found = folder ? find(data, a, "files", folder) : NULL;
    const char *const only[] = {found, NULL};
    const char *const *folders = folder ? only : search_folders(scope, "files", a);
    size_t before = out->u.list.n;

    for (; *folders && out->u.list.n == before; folders++) {
        struct globbing g = {a, *folders, pattern, out};

        assets_each(scope->host->run->assets, *folders, take_match, &g);
    }
}

static int look_at(void *data, const char *path, bool follow, struct stat *out)
{
    UNUSED(data);
    return follow ? stat(path, out) : lstat(path, out);
}

/* ---- environment ---- */

static bool sounds_secret(const char *name)
{
    static const char *const words[] = {"PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcasestr(name, words[i]))
            return true;
    return false;
}

static const char *environment(void *data, const char *name)
{
    const char *value = getenv(name);

    UNUSED(data);
    if (value && sounds_secret(name))
        log_secret(value);
    return value;
}

struct jinja_controller controller_of(const struct scope *scope)
{
    return (struct jinja_controller){.env = environment,
                                     .find = find,
                                     .read = read_file,
                                     .glob = glob_files,
                                     .stat = look_at,
                                     .data = (void *)scope};
}
