/*
 * assets.c - one way to read playbooks and templates, wherever they are.
 */
#include "lib/base/assets.h"

#include <dirent.h>

#include "lib/base/file.h"

/* What a path means: a path of the file system, or a key of the embedded table. */
struct place {
    char *file; /* owned; NULL: embedded */
    char *key;  /* owned; the path, normal */
};

static void place_release(struct place *place)
{
    free(place->file);
    free(place->key);
}

static bool is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    return str_starts(path, folder) && (path[len] == '/' || path[len] == '\0');
}

static struct place find_place(const struct assets *a, const char *path)
{
    struct place place = {.key = path_normal(path)};

    if (path[0] == '/' || str_starts(path, "./") || str_starts(path, "../")) {
        place.file = xstrdup(place.key);
    } else if (a->dir && is_below(place.key, "playbooks")) {
        place.file = xasprintf("%s%s", a->dir, place.key + strlen("playbooks"));
    } else if (a->dir && is_below(place.key, "templates")) {
        place.file = xasprintf("%s/../%s", a->dir, place.key);
    }
    return place;
}

/* The first embedded file whose path is not less than key: the file itself, or the first of a
 * folder. */
static const struct embedded_file *lower_bound(const char *key)
{
    size_t low = 0, high = embedded_files_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(embedded_files[middle].path, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < embedded_files_count ? &embedded_files[low] : NULL;
}

static const struct embedded_file *find_embedded(const char *key)
{
    const struct embedded_file *file = lower_bound(key);

    return file && str_eq(file->path, key) ? file : NULL;
}

static bool is_embedded_dir(const char *key)
{
    char *prefix = xasprintf("%s/", key);
    const struct embedded_file *file = lower_bound(prefix);
    bool found = file && str_starts(file->path, prefix);

    free(prefix);
    return found;
}

bool assets_exists(const struct assets *a, const char *path)
{
    struct place place = find_place(a, path);
    bool found = place.file ? file_exists(place.file)
                            : find_embedded(place.key) || is_embedded_dir(place.key);

    place_release(&place);
    return found;
}

bool assets_is_dir(const struct assets *a, const char *path)
{
    struct place place = find_place(a, path);
    bool found = place.file ? file_is_dir(place.file) : is_embedded_dir(place.key);

    place_release(&place);
    return found;
}

static int read_embedded(const char *key, struct str *out, struct err *err)
{
    const struct embedded_file *file = find_embedded(key);

    if (!file)
        return err_set(err, ERR_INPUT, "%s: no such playbook or template", key);
    str_add(out, file->data, file->len);
    if (out->full)
        return err_set(err, ERR_INPUT, "%s: larger than %zu bytes", key, out->max);
    return 0;
}

int assets_read(const struct assets *a, const char *path, struct str *out, struct err *err)
{
    struct place place = find_place(a, path);
    int rc = place.file ? file_read(place.file, out, err) : read_embedded(place.key, out, err);

    place_release(&place);
    return rc;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void each_file(const char *folder, void (*found)(void *ctx, const char *name), void *ctx)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, by_bytes);

    for (int i = 0; i < n; i++) {
        char *path = path_join(folder, names[i]->d_name);

        if (!file_is_dir(path))
            found(ctx, names[i]->d_name);
        free(path);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

static void each_embedded(const char *key, void (*found)(void *ctx, const char *name), void *ctx)
{
    char *prefix = xasprintf("%s/", key);
    const struct embedded_file *end = embedded_files + embedded_files_count;
    const struct embedded_file *file = lower_bound(prefix);

    for (; file && file < end && str_starts(file->path, prefix); file++)
        if (!strchr(file->path + strlen(prefix), '/'))
            found(ctx, file->path + strlen(prefix));
    free(prefix);
}

void assets_each(const struct assets *a, const char *folder,
                 void (*found)(void *ctx, const char *name), void *ctx)
{
    struct place place = find_place(a, folder);

    if (place.file)
        each_file(place.file, found, ctx);
    else
        each_embedded(place.key, found, ctx);
    place_release(&place);
}
