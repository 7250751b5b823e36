/* down.c - take the cluster away. */
#include <stdio.h>

#include "cmd/cmd.h"
#include "lib/base/file.h"

static int down(struct context *ctx, struct deploy *d, struct deploy_result *r, struct err *err)
{
    struct deploy_down_options options = {.purge = option_given(ctx, "purge"),
                                          .delete_data = option_given(ctx, "delete-data"),
                                          .keep_data = option_given(ctx, "keep-data")};

    return deploy_down(d, &options, r, err);
}

static void print_gone(const struct deploy *d, const struct deploy_result *r)
{
    if (cluster_has_given_hosts(d->cluster)) {
        printf("Cluster %s is off its hosts, %.1f s. %s\n", d->cluster->name,
               (double)r->elapsed_ms / 1000.0,
               file_is_dir(d->state_dir)
                   ? "Its data and the state folder with its secrets are kept."
                   : "Its data is deleted.");
        return;
    }
    printf("Cluster %s is gone: %zu resource%s destroyed, %s, %.1f s.\n", d->cluster->name,
           r->changes.n, r->changes.n == 1 ? "" : "s",
           r->kept ? "its data volumes and the state folder are kept" : "nothing is left",
           (double)r->elapsed_ms / 1000.0);
}

static int run(struct context *ctx, int argc, char **argv)
{
    static const struct deploy_work work = {DEPLOY_DESTROY, down, print_gone, NULL};

    UNUSED(argc);
    UNUSED(argv);
    return run_deploy(ctx, &work, NULL);
}

static const struct option_row options[] = {
    {"purge", 0, NULL, "remove the image cache too"},
    {"keep-data", 0, NULL,
     "data volumes stay, and the state folder with the secrets: the next `up` goes on with them"},
    {"delete-data", 0, NULL, "existing hosts: delete the databases and etcd's data, too"},
    {NULL, 0, NULL, NULL},
};

const struct command cmd_down = {"down",
                                 "destroy everything the cluster owns",
                                 "",
                                 "Found by name, so it works when the state folder is lost; "
                                 "proves that nothing is left. Data included, but for existing "
                                 "hosts: they stay, and keep the data unless --delete-data.",
                                 options,
                                 0,
                                 0,
                                 run};
