/* wipe.c - deletes what somebody else left on one existing host. */
#include "lib/deploy/wipe.h"

#define WIPE_PLAYBOOK "playbooks/wipe.yml"

/* The survey is the host's own word: nothing that is not well below the root is deleted on it. */
static void add_path(struct value *paths, const char *path, struct arena *a)
{
    const char *second = *path == '/' ? strchr(path + 1, '/') : NULL;

    if (second && second[1] && !strstr(path, "/../") && !str_ends(path, "/.."))
        value_list_add(a, paths, value_str(a, path));
}

static void list_findings(const struct cluster *c, const struct host_facts *f, struct value *paths,
                          struct value *pids, struct arena *a)
{
    vec_each (data, &f->pgdata) {
        if (c->system_id && data->system_id == c->system_id)
            continue;
        add_path(paths, data->path, a);
        if (data->pid)
            value_list_add(a, pids, value_int(a, data->pid));
    }
    vec_each (path, &f->etcd_data)
        add_path(paths, *path, a);
    vec_each (config, &f->configs)
        if (config->owner != CONFIG_DEFAULT)
            add_path(paths, config->path, a);
}

static int ask_twice(const struct deploy *d, const char *host, const struct value *paths,
                     struct err *err)
{
    struct str what;
    bool yes;

    if (!d->confirm)
        return 0;
    str_init(&what, STR_MAX_TEXT);
    str_printf(&what, "Delete on %s, where somebody else's may be running:", host);
    for (size_t i = 0; i < paths->u.list.n; i++)
        str_printf(&what, " %s", paths->u.list.items[i]->u.str.s);
    str_putc(&what, '.');
    yes = d->confirm(d->confirm_ctx, what.buf);
    str_clear(&what);
    str_printf(&what, "There is no way back: all data of %s is lost.", host);
    yes = yes && d->confirm(d->confirm_ctx, what.buf);
    str_release(&what);
    return yes ? 0 : err_set(err, ERR_INTERRUPTED, "not confirmed, nothing was changed");
}

int wipe_host(struct deploy *d, const char *host, const struct host_facts *f, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct value *vars = value_map(&arena), *paths = value_list(&arena), *pids = value_list(&arena);
    int rc = 0;

    list_findings(d->cluster, f, paths, pids, &arena);
    if (paths->u.list.n && (rc = ask_twice(d, host, paths, err)) == 0) {
        value_map_set(&arena, vars, "wipe_paths", paths);
        value_map_set(&arena, vars, "wipe_pids", pids);
        rc = deploy_play(d, WIPE_PLAYBOOK, &d->cluster->given, vars, host, NULL, err);
    }
    arena_release(&arena);
    return rc < 0 ? err_wrap(err, "wiping %s", host) : 0;
}
