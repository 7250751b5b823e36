/* down.c - take the cluster away. */
#include <stdio.h>

#include "cmd/cmd.h"

static int down(struct context *ctx, struct deploy *d, struct deploy_result *r, struct err *err)
{
    return deploy_down(d, option_given(ctx, "purge"), r, err);
}

static void print_gone(const struct deploy *d, const struct deploy_result *r)
{
    printf("Cluster %s is gone: %zu resource%s destroyed, nothing is left, %.1f s.\n",
           d->cluster->name, r->changes.n, r->changes.n == 1 ? "" : "s",
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
    {NULL, 0, NULL, NULL},
};

const struct command cmd_down = {"down",
                                 "destroy everything the cluster owns",
                                 "",
                                 "Found by name, so it works when the state folder is lost; "
                                 "proves that nothing is left. Data included.",
                                 options,
                                 0,
                                 0,
                                 run};
