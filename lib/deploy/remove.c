/* remove.c - takes the cluster off existing hosts, by a playbook. The hosts stay, and their data
 * unless it is to go, too. */
#include "lib/base/clock.h"
#include "lib/deploy/stage.h"

#define REMOVE_PLAYBOOK "playbooks/remove.yml"

enum { CONNECT_TIMEOUT_MS = 15000 };

static int run_playbook(struct deploy *d, const struct value *vars, struct deploy_result *r,
                        struct err *err)
{
    struct play_options options = {
        .extra_vars = vars,
        .events = d->events,
        .target = deploy_ssh_target,
        .target_ctx = d,
        .connect_deadline_ms = clock_mono_ms() + CONNECT_TIMEOUT_MS,
    };
    struct play_result result;
    struct playbook *pb;
    struct faults faults;
    int rc = -1;

    faults_init(&faults);
    if (!(pb = playbook_load(&d->assets, REMOVE_PLAYBOOK, &faults)))
        faults_to_err(&faults, err);
    else {
        rc = play_run(pb, &d->assets, &d->cluster->given, &options, &result, err);
        for (size_t i = 0; i < result.n; i++)
            vec_each (c, &result.hosts[i].changes)
                deploy_note(r, result.hosts[i].host, c->task, NULL, c->consequence);
        play_result_release(&result);
    }
    playbook_free(pb);
    faults_release(&faults);
    return rc;
}

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
        value_map_set(&arena, vars, "delete_data", value_bool(&arena, delete_data));
        rc = run_playbook(d, vars, r, err);
    }
    arena_release(&arena);
    return rc;
}
