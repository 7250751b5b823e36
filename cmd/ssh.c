/* ssh.c - a shell or a command on a host. */
#include "cmd/remote.h"

static int run(struct context *ctx, int argc, char **argv)
{
    struct cluster c;
    struct deploy d;
    int status;

    if ((status = open_deploy(ctx, DEPLOY_EXISTING, &c, &d)) < 0)
        status = remote_exec(&d, argv[0], argc - 1, argv + 1);
    close_deploy(&c, &d);
    return status;
}

const struct command cmd_ssh = {
    "ssh", "a shell on a host, or a command there", "HOST [COMMAND ...]", NULL, NULL, 1, -1, run};
