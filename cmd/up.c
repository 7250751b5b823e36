/* up.c - bring the cluster to what the cluster file says. */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/conninfo.h"

static void print_verify_faults(const struct deploy_result *r)
{
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    verify_format(&r->verify, ui_colour(2), &text);
    fputs(text.buf, stderr);
    str_release(&text);
}

static void print_done(const struct deploy *d, const struct deploy_result *r)
{
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    str_printf(&text, "\nCluster %s is up and verified: %zu changed, %zu checks passed, %.1f s.\n",
               d->cluster->name, r->changes.n, r->verify.results.n, (double)r->elapsed_ms / 1000.0);
    if (r->changes.n) {
        str_puts(&text, "\nConnect:\n");
        conninfo_format(d, false, &text);
    }
    print_text(&text);
    str_release(&text);
}

static void print_json(const struct deploy_result *r, const struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct value *v = deploy_result_to_value(r, &arena);

    value_map_set(&arena, v, "error",
                  err->code ? value_str(&arena, err->text) : value_null(&arena));
    print_value(v);
    arena_release(&arena);
}

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
        status = deploy_up(&d, &r, &err) < 0 ? err_exit_status(err.code) : 0;
        ui_finish();
        if (ctx->json)
            print_json(&r, &err);
        else if (!status)
            print_done(&d, &r);
        if (status && r.verified)
            print_verify_faults(&r);
        if (status)
            report_err(&err);
        deploy_result_release(&r);
    }
    close_deploy(&c, &d);
    return status;
}

const struct command cmd_up = {"up",
                               "make the cluster what the cluster file says, and verify it",
                               "",
                               "Provisions hosts, converges them, waits until the cluster is "
                               "ready, creates databases and users, proves "
                               "replication, saves state. A second run changes nothing; a run "
                               "that was stopped anywhere is completed by the next.",
                               NULL,
                               0,
                               0,
                               run};
