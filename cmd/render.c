/* render.c - every host's files into a folder. */
#include <stdio.h>

#include "cmd/cmd.h"

static int run(struct context *ctx, int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct cluster c;
    struct deploy d;
    int status;

    UNUSED(argc);
    if ((status = open_deploy(ctx, DEPLOY_WRITE, &c, &d)) < 0) {
        status = deploy_render(&d, argv[0], &err) < 0 ? report_err(&err) : 0;
        if (!status && !ctx->quiet)
            fprintf(stderr, "wrote the files of %zu hosts below %s\n", c.hosts.n, argv[0]);
    }
    close_deploy(&c, &d);
    return status;
}

const struct command cmd_render = {"render",
                                   "write every host's files to a folder, touching no host",
                                   "DIR",
                                   "As DIR/HOST/path/of/file. They hold passwords, so each is "
                                   "readable by you alone; the passwords are made, and kept in "
                                   "the state folder, when the cluster has none yet.",
                                   NULL,
                                   1,
                                   1,
                                   run};
