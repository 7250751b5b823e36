/*
 * transport.c - the two ways to a host: SSH, and /bin/sh here.
 */
#include "lib/base/proc.h"
#include "lib/play/play.h"

static void *open_ssh(void *ctx, const struct ssh_target *target, int64_t deadline_ms,
                      struct err *err)
{
    UNUSED(ctx);
    return deadline_ms > 0 ? ssh_open_wait(target, deadline_ms, err) : ssh_open(target, err);
}

static int run_ssh(void *session, struct ssh_run *run, struct err *err)
{
    return ssh_script(session, run, err);
}

static void close_ssh(void *session)
{
    ssh_close(session);
}

const struct play_transport play_transport_ssh = {open_ssh, run_ssh, close_ssh, NULL};

static void *open_local(void *ctx, const struct ssh_target *target, int64_t deadline_ms,
                        struct err *err)
{
    UNUSED(ctx);
    UNUSED(deadline_ms);
    UNUSED(err);
    return xstrdup(target->name);
}

static void tell_lines(const struct ssh_run *run)
{
    const char *at = run->out->buf, *end = at + run->out->len;

    while (run->line && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        if (!newline)
            return;
        run->line(run->ctx, at, (size_t)(newline - at));
        at = newline + 1;
    }
}

static int run_local(void *session, struct ssh_run *run, struct err *err)
{
    const char *const argv[] = {"sh", "-c", "eval \"$(cat)\" </dev/null", NULL};
    struct proc p = {.argv = argv,
                     .input = run->script,
                     .input_len = run->script_len,
                     .timeout_ms = run->timeout_ms,
                     .out = run->out,
                     .errout = run->errout};
    struct err failed = ERR_INIT;

    UNUSED(session);
    if (proc_run(&p, &failed) < 0 && failed.code != ERR_FAILED) {
        err_move(err, &failed);
        return -1;
    }
    err_release(&failed);
    run->status = p.status;
    tell_lines(run);
    return 0;
}

static void close_local(void *session)
{
    free(session);
}

const struct play_transport play_transport_local = {open_local, run_local, close_local, NULL};
