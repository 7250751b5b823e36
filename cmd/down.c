/* down.c - take the cluster away. */
#include <stdio.h>

#include "cmd/cmd.h"

static int run(struct context *ctx, int argc, char **argv)
{
    struct deploy_result r;
    struct err err = ERR_INIT;
    struct cluster c;
    struct deploy d;
    int status;

    UNUSED(argc);
    UNUSED(argv);
    if ((status = confirm_possible(ctx)) >= 0)
        return status;
    if ((status = open_deploy(ctx, DEPLOY_WRITE, &c, &d)) < 0) {
        deploy_result_init(&r);
        status = deploy_down(&d, option_given(ctx, "purge"), &r, &err) < 0 ? report_err(&err) : 0;
        ui_finish();
        if (!status && ctx->json) {
            struct arena arena = ARENA_INIT;

            print_value(deploy_result_to_value(&r, &arena));
            arena_release(&arena);
        } else if (!status) {
            printf("Cluster %s is gone: %zu resource%s destroyed, nothing is left, %.1f s.\n",
                   c.name, r.changes.n, r.changes.n == 1 ? "" : "s", (double)r.elapsed_ms / 1000.0);
        }
        deploy_result_release(&r);
    }
    close_deploy(&c, &d);
    return status;
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
