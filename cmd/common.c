/* common.c - what most commands begin and end with. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/deploy/run_log.h"
#include "lib/doc/json.h"

int report_err(struct err *err)
{
    struct str text;
    int status = err_exit_status(err->code);

    ui_finish();
    str_init(&text, STR_MAX_TEXT);
    str_printf(&text, "pgha-deploy: %s\n", err->text ? err->text : "failed");
    if (err->hint)
        str_printf(&text, "  -> %s\n", err->hint);
    log_redact(&text);
    fputs(text.buf, stderr);
    str_release(&text);
    err_release(err);
    return status;
}

int report_faults(struct faults *faults)
{
    struct str text;

    ui_finish();
    str_init(&text, STR_MAX_TEXT);
    faults_format(faults, &text);
    fputs(text.buf, stderr);
    str_release(&text);
    return err_exit_status(ERR_INPUT);
}

void print_text(const struct str *text)
{
    fwrite(text->buf, 1, text->len, stdout);
    fflush(stdout);
}

void print_value(const struct value *v)
{
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    json_write(v, JSON_PRETTY, &text);
    print_text(&text);
    str_release(&text);
}

int confirm_possible(const struct context *ctx)
{
    if (ctx->yes || isatty(STDIN_FILENO))
        return -1;
    fprintf(stderr, "pgha-deploy: this changes things, and there is no terminal to ask on\n"
                    "  -> add --yes\n");
    return err_exit_status(ERR_USAGE);
}

int load_cluster(const struct context *ctx, struct cluster *c)
{
    struct faults faults;
    int status = -1;

    faults_init(&faults);
    if (cluster_load(c, ctx->file, &faults) < 0) {
        status = report_faults(&faults);
        if (!file_exists(ctx->file))
            fprintf(stderr, "  -> name one with -f, or write one: pgha-deploy init > %s\n",
                    ctx->file);
    }
    faults_release(&faults);
    return status;
}

static const struct provider *find_provider(const struct context *ctx, const char *name)
{
    for (size_t i = 0; ctx->providers[i]; i++)
        if (str_eq(ctx->providers[i]->name, name))
            return ctx->providers[i];
    BUG("no provider %s", name);
}

/* What the screen says of the time that is left comes from the runs before this one. */
static void expect_stages(const struct deploy *d)
{
    struct eta_stages expected;

    if (!ui_is_live())
        return;
    run_log_expect(d->state_dir, d->command, &expected);
    ui_expect(&expected);
}

int open_deploy(const struct context *ctx, enum deploy_access access, struct cluster *c,
                struct deploy *d)
{
    struct err err = ERR_INIT;
    int status;

    memset(d, 0, sizeof(*d));
    d->lock = -1;
    if ((status = load_cluster(ctx, c)) >= 0)
        return status;
    d->cluster = c;
    d->provider = find_provider(ctx, c->provider);
    d->assets.dir = ctx->playbooks;
    d->events = ctx->events;
    d->command = ctx->title;
    d->failed = true; /* until its work is done */
    d->vault = ctx->vault;
    d->accept_new_keys = ctx->accept_new_keys;
    d->limit = option_get(ctx, "limit");
    d->wipe = option_get(ctx, "wipe");
    d->replace = option_get(ctx, "replace");
    d->adopt = option_given(ctx, "adopt");
    if (access >= DEPLOY_WRITE && !ctx->yes) {
        d->confirm = ui_confirm;
        d->confirm_ctx = (void *)ctx;
    }
    if (deploy_open(d, access, &err) < 0)
        return report_err(&err);
    if (d->log)
        expect_stages(d);
    return -1;
}

void close_deploy(struct cluster *c, struct deploy *d)
{
    if (d->cluster)
        deploy_close(d);
    cluster_release(c);
}

static void print_result(const struct context *ctx, const struct deploy_result *r,
                         const struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct value *v = deploy_result_to_value(r, &arena);

    value_map_set(&arena, v, "error",
                  err->code ? value_str(&arena, err->text) : value_null(&arena));
    profiler_add_to(ctx->profiler, v, &arena);
    print_value(v);
    arena_release(&arena);
}

static int do_work(struct context *ctx, const struct deploy_work *work, struct deploy *d,
                   struct deploy_result *r)
{
    struct err err = ERR_INIT;
    int failed = work->run(ctx, d, r, &err);

    d->failed = failed;
    ui_finish();
    if (ctx->json)
        print_result(ctx, r, &err);
    else if (!failed)
        work->print(d, r);
    if (!failed)
        return 0;
    if (clock_stop_requested() && !err.hint)
        err_hint(&err, "run the same command again: it goes on where this run stopped");
    if (work->print_failed)
        work->print_failed(r);
    return report_err(&err);
}

int run_deploy(struct context *ctx, const struct deploy_work *work, size_t *changed)
{
    struct deploy_result r;
    struct cluster c;
    struct deploy d;
    int status;

    if (work->access >= DEPLOY_WRITE && (status = confirm_possible(ctx)) >= 0)
        return status;
    if ((status = open_deploy(ctx, work->access, &c, &d)) < 0) {
        deploy_result_init(&r);
        status = do_work(ctx, work, &d, &r);
        if (changed)
            *changed = r.changes.n;
        deploy_result_release(&r);
    }
    close_deploy(&c, &d);
    return status;
}

int exec_program(const char *const *argv)
{
    fflush(stdout);
    execvp(argv[0], (char *const *)argv);
    fprintf(stderr, "pgha-deploy: running %s: %s\n", argv[0], strerror(errno));
    return 127;
}
