/* status.c - the picture of now. */
#include "cmd/cmd.h"

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
        struct status s;
        struct str text;

        status_collect(&target, &s);
        str_init(&text, STR_MAX_TEXT);
        if (ctx->json)
            print_value(status_to_value(&target, &s, &arena));
        else {
            status_format(&target, &s, &text);
            print_text(&text);
        }
        status = status_healthy(&target, &s) ? 0 : err_exit_status(ERR_VERIFY);
        str_release(&text);
        status_release(&s);
        arena_release(&arena);
    }
    close_deploy(&c, &d);
    return status;
}

const struct command cmd_status = {
    "status", "each member's role, state, timeline and lag; etcd, VIP and ports",
    "",       "Exits with 3 when something is not well.",
    NULL,     0,
    0,        run};
