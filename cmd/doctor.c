/* doctor.c - preflight: what would keep the cluster from coming up on its hosts. */
#include <unistd.h>

#include "cmd/cmd.h"

static void print_findings(const struct context *ctx, const struct deploy *d,
                           const struct doctor *doctor)
{
    struct arena arena = ARENA_INIT;
    struct str text;

    if (ctx->json) {
        print_value(doctor_to_value(doctor, d->cluster->name, &arena));
        arena_release(&arena);
        return;
    }
    str_init(&text, STR_MAX_TEXT);
    doctor_format(doctor, ctx->verbose > 0, ui_colour(STDOUT_FILENO), &text);
    print_text(&text);
    str_release(&text);
}

/* Root, programs, credentials: what the provider needs of this machine. */
static void examine_provider(struct deploy *d, struct doctor *doctor)
{
    struct provider_session *session = NULL;
    struct err err = ERR_INIT;

    if (d->provider->open(d->cluster, d->state_dir, NULL, &session, &err) < 0)
        doctor_add(doctor, NULL, "provider", DOCTOR_BLOCKER, err.text, err.hint);
    else
        doctor_add(doctor, NULL, "provider", DOCTOR_OK, d->provider->summary, NULL);
    if (session)
        d->provider->close(session);
    err_release(&err);
}

static int examine(struct context *ctx, struct deploy *d)
{
    struct doctor doctor = {.blockers = 0};
    struct err err = ERR_INIT;
    int status;

    event_send(
        d->events,
        &(struct event){.kind = EVENT_STAGE, .stage = "doctor", .text = "looking at the hosts"});
    examine_provider(d, &doctor);
    status = deploy_doctor(d, &doctor, &err) < 0 ? report_err(&err) : -1;
    ui_finish();
    if (status < 0) {
        print_findings(ctx, d, &doctor);
        status = doctor.blockers ? err_exit_status(ERR_FAILED) : 0;
    }
    doctor_release(&doctor);
    return status;
}

static int run(struct context *ctx, int argc, char **argv)
{
    struct cluster c;
    struct deploy d;
    int status;

    UNUSED(argc);
    UNUSED(argv);
    if ((status = open_deploy(ctx, DEPLOY_LOOK, &c, &d)) < 0)
        status = examine(ctx, &d);
    close_deploy(&c, &d);
    return status;
}

const struct command cmd_doctor = {
    "doctor",
    "preflight: what would keep the cluster from coming up on its hosts",
    "",
    "Looks at this machine and at every host, changing nothing: login, system, clock, disk, "
    "memory, packages, addresses, ports and the way to the others, the VIP, and what is somebody "
    "else's. Shows what is not well, with a cure; with -v every check. Exits with 1 when there is "
    "a blocker; warnings alone are 0.",
    NULL,
    0,
    0,
    run};
