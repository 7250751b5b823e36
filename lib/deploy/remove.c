/* remove.c - takes the cluster off existing hosts, by a playbook. The hosts stay, and their data
 * unless it is to go, too. */
#include "lib/deploy/stage.h"

#define REMOVE_PLAYBOOK "playbooks/remove.yml"

int take_off(struct deploy *d, const struct inventory *inv, const char *limit, bool delete_data,
             struct deploy_result *r, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct value *vars = value_map(&arena);
    int rc;

    value_map_set(&arena, vars, "cluster_name", value_str(&arena, d->cluster->name));
    value_map_set(&arena, vars, "data_dir",
                  value_str(&arena, cluster_data_dir(d->cluster, &arena)));
    value_map_set(&arena, vars, "delete_data", value_bool(&arena, delete_data));
    value_map_set(&arena, vars, "leaves", value_bool(&arena, limit != NULL));
    rc = deploy_play(d, REMOVE_PLAYBOOK, inv, vars, limit, r, err);
    arena_release(&arena);
    return rc;
}

int remove_from_hosts(struct deploy *d, bool delete_data, struct deploy_result *r, struct err *err)
{
    char *what =
        xasprintf("Take cluster %s off %zu hosts; %s.", d->cluster->name, d->cluster->hosts.n,
                  delete_data ? "its data is deleted" : "its data stays there");
    int rc = d->confirm && !d->confirm(d->confirm_ctx, what)
                 ? err_set(err, ERR_INTERRUPTED, "not confirmed, nothing was changed")
                 : take_off(d, &d->cluster->given, NULL, delete_data, r, err);

    free(what);
    /* From now on it is a cluster that was never up, whose data may be there. */
    return rc < 0 ? -1 : state_remove(d->state_dir, CLUSTER_FILE, err);
}
