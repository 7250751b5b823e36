/* logs.c - a unit's journal on a host; and where the time of an earlier run went. */
#include <stdio.h>

#include "cmd/remote.h"
#include "lib/deploy/run_log.h"

static void print_profile(const struct context *ctx, const char *path, const struct profile *p)
{
    struct arena arena = ARENA_INIT;
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    profile_format(p, &text);
    if (ctx->json) {
        print_value(profile_to_value(p, &arena));
    } else {
        printf("%s\n", path);
        print_text(&text);
    }
    str_release(&text);
    arena_release(&arena);
}

/* --profile [RUN] */
static int report_run(struct context *ctx, const char *run)
{
    struct err err = ERR_INIT;
    struct profile profile;
    char *path = NULL, *dir;
    struct cluster c;
    int status = load_cluster(ctx, &c);

    profile_init(&profile);
    if (status < 0) {
        dir = state_dir_of(&c);
        status = run_log_profile(dir, run, &profile, &path, &err);
        if (status == 0)
            print_profile(ctx, path, &profile);
        else
            status = report_err(&err);
        free(dir);
    }
    free(path);
    profile_release(&profile);
    cluster_release(&c);
    return status;
}

static int read_journal(struct context *ctx, int argc, char **argv)
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

static int run(struct context *ctx, int argc, char **argv)
{
    struct err err = ERR_INIT;

    if (option_given(ctx, "profile"))
        return report_run(ctx, argc ? argv[0] : NULL);
    if (argc > 0)
        return read_journal(ctx, argc, argv);
    err_set(&err, ERR_USAGE, "logs needs a host");
    err_hint(&err, "or --profile, for the log of a run");
    return report_err(&err);
}

static const struct option_row options[] = {
    {"lines", 'n', "N", "how many lines (default: 100)"},
    {"follow", 'F', NULL, "go on as lines come"},
    {"profile", 0, NULL, "of an earlier run: where the time went"},
    {NULL, 0, NULL, NULL},
};

const struct command cmd_logs = {
    "logs",
    "a unit's journal on a host",
    "HOST [UNIT] | --profile [RUN]",
    "Units: etcd, patroni, haproxy, keepalived; without one the whole journal.\n\n"
    "`logs --profile [RUN]` tells where the time of an earlier run went, from the log that it left "
    "in the state folder; RUN: what its name begins with, the last run when left out.",
    options,
    0,
    2,
    run};
