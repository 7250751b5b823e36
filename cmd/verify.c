/* verify.c - prove that replication works now. */
#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd.h"

static void print_results(const struct verify *v)
{
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    verify_format(v, ui_colour(STDOUT_FILENO), &text);
    str_printf(&text, "\n%zu checks, %d failed\n", v->results.n, v->failed);
    print_text(&text);
    str_release(&text);
}

static int run(struct context *ctx, int argc, char **argv)
{
    struct cluster c;
    struct deploy d;
    int status;

    UNUSED(argc);
    UNUSED(argv);
    if ((status = open_deploy(ctx, DEPLOY_EXISTING, &c, &d)) < 0) {
        struct check_target target = deploy_check_target(&d);
        struct arena arena = ARENA_INIT;
        struct verify v;

        verify_run(&target, &v);
        if (ctx->json)
            print_value(verify_to_value(&v, &arena));
        else
            print_results(&v);
        status = v.failed ? err_exit_status(ERR_VERIFY) : 0;
        verify_release(&v);
        arena_release(&arena);
    }
    close_deploy(&c, &d);
    return status;
}

const struct command cmd_verify = {
    "verify",
    "prove that replication works and every port leads to the right role",
    "",
    "Writes a row through the VIP, sees it arrive on every replica, sees a write on each replica "
    "refused, checks ports, "
    "timelines, lag, etcd's quorum and the VIP. Exits with 3 when a check fails.",
    NULL,
    0,
    0,
    run};
