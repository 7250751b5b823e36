/* up.c - bring the cluster to what the cluster file says. */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/conninfo.h"

static void print_verify_faults(const struct deploy_result *r)
{
    struct str text;

    if (!r->verified)
        return;
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

static int up(struct context *ctx, struct deploy *d, struct deploy_result *r, struct err *err)
{
    d->plan = ctx->argument;
    return deploy_up(d, r, err);
}

static int hosts(struct context *ctx, struct deploy *d, struct deploy_result *r, struct err *err)
{
    UNUSED(ctx);
    if (d->replace)
        return err_set(err, ERR_USAGE,
                       "--replace is for a whole `up`, which has the host join again");
    if (deploy_hosts(d, r, err) < 0)
        return -1;
    vec_each (h, &d->turns) {
        char *text = xasprintf("%s is left as it is: its change is for a whole `up`, which looks "
                               "after the cluster meanwhile",
                               (*h)->name);

        event_send(d->events, &(struct event){.kind = EVENT_NOTE, .text = text});
        free(text);
    }
    return 0;
}

static void print_hosts(const struct deploy *d, const struct deploy_result *r)
{
    printf("Hosts of cluster %s are there: %zu changed, %.1f s.\n"
           "`pgha-deploy -f %s inventory show --show-secrets` is what a playbook needs.\n",
           d->cluster->name, r->changes.n, (double)r->elapsed_ms / 1000.0, d->cluster->file);
}

static int run(struct context *ctx, int argc, char **argv)
{
    static const struct deploy_work whole = {DEPLOY_WRITE, up, print_done, print_verify_faults};
    static const struct deploy_work first = {DEPLOY_WRITE, hosts, print_hosts, NULL};

    ctx->argument = argc ? argv[0] : NULL;
    return run_deploy(ctx, option_given(ctx, "hosts-only") ? &first : &whole, NULL);
}

static const struct option_row options[] = {
    {"limit", 'l', "PATTERN", "existing hosts: converge only these"},
    {"wipe", 0, "HOST",
     "existing hosts: first delete what somebody else left on this one; asks twice"},
    {"adopt", 0, NULL, "existing hosts: take over the Patroni cluster that runs there as it runs"},
    {"replace", 0, "HOST",
     "make this host anew while the others serve; a primary gives way before, the data comes from "
     "them"},
    {"hosts-only", 0, NULL, "make network and hosts, and stop there: for a playbook of your own"},
    {NULL, 0, NULL, NULL},
};

const struct command cmd_up = {
    "up",
    "make the cluster what the cluster file says, and verify it",
    "[PLAN]",
    "Provisions hosts, converges them, waits until the cluster is "
    "ready, creates databases and users, proves "
    "replication, saves state. A second run changes nothing; a run "
    "that was stopped anywhere is completed by the next.\n\nPLAN: a file "
    "of `plan --out`. It is planned anew first; when that is not the same, "
    "nothing is done, and the difference is told.",
    options,
    0,
    1,
    run};
