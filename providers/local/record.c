/*
 * record.c - small JSON files beside the disks: whose network this is, which image a host stands
 * on.
 *
 * They let another cluster file see what is taken, and `down` find everything when the state folder
 * is lost.
 */
#include <dirent.h>
#include <errno.h>

#include "lib/doc/json.h"
#include "providers/local/local.h"

struct value *record_read(struct arena *a, const char *path, struct err *err)
{
    if (!file_exists(path))
        return value_null(a);
    return json_parse_file(a, path, err);
}

int record_write(const char *path, const struct value *v, struct err *err)
{
    struct str text;
    int rc;

    str_init(&text, STR_MAX_TEXT);
    json_write(v, JSON_PRETTY, &text);
    rc = file_write(path, text.buf, text.len, 0600, err);
    str_release(&text);
    return rc;
}

static int each_entry_of(const char *folder, bool folders_only, entry_visit_fn *visit,
                         void *context, struct err *err)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int rc = 0;

    if (!dir)
        return errno == ENOENT ? 0 : err_set_errno(err, "%s", folder);
    while (rc == 0 && (entry = readdir(dir))) {
        char *path;

        if (entry->d_name[0] == '.')
            continue;
        path = path_join(folder, entry->d_name);
        if (!folders_only || file_is_dir(path))
            rc = visit(context, entry->d_name, err);
        free(path);
    }
    closedir(dir);
    return rc;
}

int each_entry(const char *folder, entry_visit_fn *visit, void *context, struct err *err)
{
    return each_entry_of(folder, false, visit, context, err);
}

int each_folder(const char *folder, entry_visit_fn *visit, void *context, struct err *err)
{
    return each_entry_of(folder, true, visit, context, err);
}

struct cluster_walk {
    record_visit_fn *visit;
    void *context;
};

static int visit_cluster(void *context, const char *name, struct err *err)
{
    struct cluster_walk *walk = context;
    struct arena arena = ARENA_INIT;
    const char *folder = arena_printf(&arena, "%s/%s", LOCAL_CLUSTERS, name);
    struct value *record;
    int rc = -1;

    record = record_read(&arena, arena_printf(&arena, "%s/cluster.json", folder), err);
    if (record)
        rc = walk->visit(walk->context, name, folder, record, err);
    arena_release(&arena);
    return rc;
}

int record_each_cluster(record_visit_fn *visit, void *context, struct err *err)
{
    struct cluster_walk walk = {visit, context};

    return each_folder(LOCAL_CLUSTERS, visit_cluster, &walk, err);
}
