/* remove.c - takes the cluster off existing hosts, by a playbook. The hosts stay, and their data
 * unless it is to go, too. */
#include "lib/deploy/stage.h"

#define REMOVE_PLAYBOOK "playbooks/remove.yml"

int remove_from_hosts(struct deploy *d, bool delete_data, struct deploy_result *r, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct value *vars = value_map(&arena);
    const char *what = arena_printf(&arena, "Take cluster %s off %zu hosts; %s.", d->cluster->name,
                                    d->cluster->hosts.n,
                                    delete_data ? "its data is deleted" : "its data stays there");
    int rc;

    if (d->confirm && !d->confirm(d->confirm_ctx, what)) {
        rc = err_set(err, ERR_INTERRUPTED, "not confirmed, nothing was changed");
    } else {
        value_map_set(&arena, vars, "cluster_name", value_str(&arena, d->cluster->name));
        value_map_set(&arena, vars, "data_dir",
                      value_str(&arena, cluster_data_dir(d->cluster, &arena)));
        value_map_set(&arena, vars, "delete_data", value_bool(&arena, delete_data));
        rc = deploy_play(d, REMOVE_PLAYBOOK, &d->cluster->given, vars, NULL, r, err);
    }
    arena_release(&arena);
    return rc;
}
