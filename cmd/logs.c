/* logs.c - a unit's journal on a host. */
#include "cmd/remote.h"

static int run(struct context *ctx, int argc, char **argv)
{
    const char *lines = option_get(ctx, "lines");
    struct cluster c;
    struct deploy d;
    struct str command;
    char *args[1];
    int status;

    str_init(&command, 4096);
    str_puts(&command, "journalctl --no-pager -o short-iso -n ");
    str_put_shell(&command, lines ? lines : "100");
    if (argc > 1) {
        str_puts(&command, " -u ");
        str_put_shell(&command, argv[1]);
    }
    if (option_given(ctx, "follow"))
        str_puts(&command, " -f");
    args[0] = command.buf;
    if ((status = open_deploy(ctx, DEPLOY_EXISTING, &c, &d)) < 0)
        status = remote_exec(&d, argv[0], 1, args);
    close_deploy(&c, &d);
    str_release(&command);
    return status;
}

static const struct option_row options[] = {
    {"lines", 'n', "N", "how many lines (default: 100)"},
    {"follow", 'F', NULL, "go on as lines come"},
    {NULL, 0, NULL, NULL},
};

const struct command cmd_logs = {
    "logs",
    "a unit's journal on a host",
    "HOST [UNIT]",
    "Units: etcd, patroni, haproxy, keepalived; without one the whole journal.",
    options,
    1,
    2,
    run};
