/*
 * host.c - one host on its way through a segment: plan a batch, make a trip, settle it, again.
 */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/play/target.h"
#include "lib/play/vars.h"

#define LEAST_CONNECT_MS 5000

enum batch_end {
    BATCH_DONE,    /* the segment's last step is in it */
    BATCH_UNKNOWN, /* the next step needs a probe */
    BATCH_OPEN,    /* the last step's result comes with the trip */
    BATCH_FAILED   /* the last step failed when it was planned */
};

/* ---- what is told ---- */

/* How long the task was at it, with earlier attempts of `until` and the pauses between them. */
static int64_t time_of(const struct host *host, const struct step *step)
{
    bool again = host->first_try_ms && step->began_ms;

    return step->elapsed_ms + (again ? step->began_ms - host->first_try_ms : 0);
}

static void send_step(struct host *host, const struct step *step, enum event_kind kind,
                      const char *text, const char *detail)
{
    const char *where =
        arena_printf(step->arena, "%s:%d", step->task->src.file, step->task->src.line);

    event_send(host->run->options->events, &(struct event){.kind = kind,
                                                           .host = host->name,
                                                           .task = step->title,
                                                           .text = text,
                                                           .detail = detail,
                                                           .where = where,
                                                           .elapsed_ms = time_of(host, step)});
}

static void note_change(struct host *host, const struct step *step)
{
    struct arena *a = &host->arena;
    bool has_diff = step->plan.diff.len > 0 && !step->no_log;
    struct task_change change = {.task = arena_strdup(a, step->title),
                                 .module = step->task->module->name,
                                 .summary = step_summary(step, a),
                                 .diff = has_diff ? arena_strdup(a, step->plan.diff.buf) : NULL,
                                 .opaque = step->plan.kind == PLAN_OPAQUE};

    change.where = arena_printf(a, "%s:%d", step->task->src.file, step->task->src.line);
    if (step->plan.consequence)
        change.consequence = arena_strdup(a, step->plan.consequence);
    vec_push(&host->result->changes, change);
    host->foreseen |= step->check && !step->plan.simulates;
    send_step(host, step, EVENT_CHANGED, change.summary, change.diff);
}

static const char *message_of(const struct step *step)
{
    return value_get_str(step->result, "msg", "failed");
}

static void tell_failure(struct host *host, const struct step *step)
{
    const char *text = step->no_log ? "(no_log)" : message_of(step);
    const char *label = step->label && !step->no_log ? step->label : "";
    const char *how = step->ignore_errors ? "ignored" : "rescued";

    if (step_fails(step) && step->fate != FATE_RESCUED)
        return; /* fail_at tells */
    if (!step->last && !step->ignore_errors && step->fate != FATE_RESCUED)
        how = "going on with the next item";
    send_step(host, step, EVENT_NOTE,
              arena_printf(step->arena, "%s: failed, %s: %s%s%s%s", step->title, how,
                           *label ? "[" : "", label, *label ? "] " : "", text),
              NULL);
}

static void tell(struct host *host, const struct step *step)
{
    const char *text = step->planned ? step_summary(step, step->arena) : step->label;

    if (step->failed)
        tell_failure(host, step);
    else if (step->changed)
        note_change(host, step);
    else if (step->skipped)
        send_step(host, step, EVENT_SKIPPED, text, NULL);
    else if (str_eq(step->task->module->name, "debug") && !step->no_log)
        send_step(host, step, EVENT_NOTE, message_of(step), NULL);
    else
        send_step(host, step, EVENT_OK, text, NULL);
}

/* Counts tasks as Ansible's recap does: a changed one is ok, too. */
static void count(struct host *host, const struct step *step)
{
    struct host_result *r = host->result;

    if (step->first) {
        host->task_changed = host->task_failed = false;
        host->task_skipped = true;
    }
    host->task_changed |= step->changed;
    host->task_failed |= step->failed;
    host->task_skipped &= step->skipped;
    /* an include counts once for each file */
    if (step->task->include && !step->failed)
        r->ok += !step->skipped;
    if (!step->last)
        return;
    if (step_fails(step)) {
        if (step->fate == FATE_RESCUED)
            r->rescued++;
        else
            r->failed++;
        return;
    }
    r->ignored += host->task_failed;
    r->skipped += host->task_skipped && !host->task_failed;
    r->ok += !step->task->include && (host->task_failed || !host->task_skipped);
    r->changed += host->task_changed;
}

/* A handler that ran (or need not run) leaves no marker behind, nor does one that was not notified
 * after all. */
static void note_markers(struct host *host, const struct step *step)
{
    struct arena *a = &host->arena;
    const struct play *play = step->stage->play;

    if (step->is_handler && step->last && !step->check) {
        const char *title = task_title(step->task, a);

        if (map_del(&host->marked, title) && (!step->applies || step->task->has_failed_when))
            vec_push(&host->stale, title);
    }
    for (size_t i = 0;
         i < step->notify.n && step->applies && !step->check && (!step->changed || step->failed);
         i++) {
        for (size_t h = 0; h < play->handlers.n; h++) {
            const char *title = task_title(&play->handlers.items[h], a);

            if (handler_hears(&play->handlers.items[h], step->notify.items[i], a) &&
                !host->progress.notified[h] && map_del(&host->marked, title))
                vec_push(&host->stale, title);
        }
    }
}

/* ---- failing ---- */

void host_fail(struct host *host, struct err *err)
{
    host->failed = true;
    err_move(&host->result->err, err);
    event_send(host->run->options->events, &(struct event){.kind = EVENT_FAILED,
                                                           .host = host->name,
                                                           .text = host->result->err.text,
                                                           .failed = 1});
}

/* What is told of a failure: of the loop when its last item did not fail. */
static const char *failure_of(const struct step *step)
{
    if (step->no_log)
        return "failed (no_log)";
    return step->failed ? message_of(step) : "One or more items failed";
}

/* The host drops out, now or after the always parts. The first failure is the one to tell. */
static void fail_at(struct host *host, const struct step *step)
{
    const char *detail = step->errout && *step->errout ? step->errout : step->out;
    const char *text = failure_of(step);
    const char *label = step->failed && !step->no_log ? step->label : NULL;
    struct err *err = &host->result->err;

    host->failed = step->fate == FATE_ENDS;
    if (step->no_log || !step->failed || (detail && str_eq(detail, text)))
        detail = NULL;
    if (!err->text) {
        err_set(err, step->ended ? ERR_REMOTE : ERR_FAILED, "%s: %s (%s:%d)%s%s%s: %s", host->name,
                step->title, step->task->src.file, step->task->src.line, label ? " [" : "",
                label ? label : "", label ? "]" : "", text);
        if (detail && *detail)
            err_hint(err, "%s", detail);
    }
    send_step(host, step, EVENT_FAILED, text, detail);
}

static void commit(struct host *host, const struct step *step)
{
    tell(host, step);
    count(host, step);
    note_markers(host, step);
    if (step_fails(step) && step->fate != FATE_RESCUED)
        fail_at(host, step);
    host->first_try_ms = 0;
}

/* ---- batches ---- */

static void clear_batch(struct host *host)
{
    for (size_t i = 0; i < host->batch.n; i++)
        step_release(&host->batch.items[i]);
    host->batch.n = 0;
}

/* A step that changes nothing, with nothing before it that still has to be done. */
static bool is_done(const struct host *host, const struct step *step)
{
    return host->batch.n == 0 && !step->applies && !step->open;
}

/* The first step of a batch notes where the host is, to come back here when a step of it fails. */
static void add_to_batch(struct host *host, const struct step *step)
{
    if (host->batch.n == 0) {
        progress_release(&host->before);
        progress_copy(&host->before, &host->progress);
    }
    vec_push(&host->batch, *step);
}

/* What a step's failure leads to is planned in the same batch, when it is foreseen. */
static enum batch_end plan_batch(struct host *host, struct stage *stage, size_t end)
{
    bool is_handler;

    while (!host->failed) {
        const struct task *task = progress_task(&host->progress, stage, end, &is_handler);
        struct step step;
        bool ends, done;

        if (!task)
            return BATCH_DONE;
        if (step_plan(host, stage, task, is_handler, &step) == STEP_UNKNOWN) {
            step_release(&step);
            return BATCH_UNKNOWN;
        }
        step.foreseen = step_fails(&step);
        ends = step.foreseen && step.fate == FATE_ENDS;
        done = is_done(host, &step);
        if (done)
            commit(host, &step);
        else
            add_to_batch(host, &step);
        if (!step.open && !ends)
            progress_pass(&host->progress, host, &step);
        if (done)
            step_release(&step);
        else if (step.open || ends)
            return step.open ? BATCH_OPEN : BATCH_FAILED;
    }
    return BATCH_FAILED;
}

static bool batch_applies(const struct host *host)
{
    for (size_t i = 0; i < host->batch.n; i++)
        if (host->batch.items[i].applies)
            return true;
    return false;
}

/* Applies what the batch has to apply and asks for what later steps want to know. No trip when
 * there is neither. */
static int make_trip(struct host *host, struct stage *stage, enum batch_end end, struct err *err)
{
    bool applies = batch_applies(host);
    struct probe probe;
    int rc = 0;

    probe_init(&probe);
    if (end == BATCH_UNKNOWN || (applies && end != BATCH_FAILED))
        rc = step_gather(host, stage, &probe, err);
    if (rc == 0 && end == BATCH_UNKNOWN && !applies && probe_is_empty(&probe))
        BUG("a module waits for what it never asked for");
    if (rc == 0 && (applies || !probe_is_empty(&probe)))
        rc = trip_run(host, &probe, err);
    probe_release(&probe);
    return rc;
}

/* A step failed and the host goes on, but what was planned after it did not run: plan that again,
 * on a fresh look at the host. */
static void go_back(struct host *host, size_t failed)
{
    progress_release(&host->progress);
    progress_copy(&host->progress, &host->before);
    for (size_t i = 0; i <= failed; i++) {
        const struct step *step = &host->batch.items[i];
        bool is_handler;

        /* to the step, over what lies between */
        if (progress_task(&host->progress, step->stage, SIZE_MAX, &is_handler) != step->task)
            BUG("a host has lost its way to %s:%d", step->task->src.file, step->task->src.line);
        progress_pass(&host->progress, host, step);
    }
    world_forget(&host->world);
}

enum settled { SETTLED_ALL, SETTLED_PART /* plan the rest again */, SETTLED_FAILED };

static enum settled settle_step(struct host *host, size_t i)
{
    struct step *step = &host->batch.items[i];
    int delay_ms;

    if (step->applies && (step->open || step->plan.captures || step->rc != 0))
        step_settle(host, step);
    if (step->open && step_wants_retry(host, step, &delay_ms)) {
        host->progress.attempt++;
        if (!host->first_try_ms)
            host->first_try_ms = step->began_ms;
        clock_sleep_ms(delay_ms);
        world_forget(&host->world);
        return SETTLED_PART;
    }
    commit(host, step);
    if (host->failed)
        return SETTLED_FAILED;
    if (step->open) {
        progress_pass(&host->progress, host, step);
        if (step->failed && !step->check)
            world_forget(&host->world);
    } else if (step->applies && (step->rc != 0 || step_fails(step) != step->foreseen)) {
        go_back(host, i);
        return SETTLED_PART;
    }
    return SETTLED_ALL;
}

static enum settled settle_batch(struct host *host)
{
    for (size_t i = 0; i < host->batch.n; i++) {
        enum settled settled = settle_step(host, i);

        if (settled != SETTLED_ALL)
            return settled;
    }
    return SETTLED_ALL;
}

/* The trip was lost: the steps that ended are told, then the host fails. The error names the host
 * already, as those of ssh.h do. */
static void lose(struct host *host, struct err *err)
{
    const struct step *at = NULL;

    for (size_t i = 0; i < host->batch.n && !at; i++) {
        struct step *step = &host->batch.items[i];

        if (step->applies && (!step->ended || step->rc != 0 || step->open))
            at = step;
        else
            commit(host, step);
    }
    host->result->unreachable += err->code == ERR_NET || err->code == ERR_TIMEOUT;
    host->result->failed += err->code != ERR_NET && err->code != ERR_TIMEOUT;
    if (at)
        err_wrap(err, "%s (%s:%d)", at->title, at->task->src.file, at->task->src.line);
    host_fail(host, err);
}

static bool work_on(struct host *host, struct stage *stage, size_t end)
{
    enum batch_end reached = plan_batch(host, stage, end);
    enum settled settled = SETTLED_FAILED;
    struct err err = ERR_INIT;

    if (make_trip(host, stage, reached, &err) < 0)
        lose(host, &err);
    else
        settled = settle_batch(host);
    if (settled == SETTLED_ALL && host->progress.lost)
        host->failed = true; /* fail_at told why */
    return settled == SETTLED_PART || (settled == SETTLED_ALL && reached != BATCH_DONE);
}

/* Others took their time: what this host was like before may have changed. In check mode it is what
 * would be by now, and stays. */
static void forget_old(struct host *host)
{
    const struct play_options *options = host->run->options;
    int fresh_ms = options->fresh_ms ? options->fresh_ms : WORLD_FRESH_MS;

    if (!options->check && host->world.since_ms &&
        clock_mono_ms() - host->world.since_ms > fresh_ms)
        world_forget(&host->world);
}

void host_segment(struct host *host, struct stage *stage, size_t end)
{
    bool more = true;

    forget_old(host);
    while (more && !host->failed) {
        if (clock_stop_requested()) {
            struct err err = ERR_INIT;

            err_set(&err, ERR_INTERRUPTED, "%s: stopped", host->name);
            host_fail(host, &err);
            return;
        }
        more = work_on(host, stage, end);
        clear_batch(host);
    }
}

/* ---- the connection ---- */

static const char *var_text(struct host *host, const char *name)
{
    struct scope scope = {.host = host};
    const struct value *v;
    struct err err = ERR_INIT;
    const char *text = NULL;

    if (vars_get(&scope, &host->arena, name, &v, &err) == LOOKUP_FOUND && v->type != VALUE_NULL &&
        vars_text(&scope, &host->arena, v, &text, &err) != JINJA_OK)
        text = NULL;
    err_release(&err);
    return text;
}

/* Whether any task of the run wants to be root. */
static bool wants_become(const struct host *host)
{
    const struct run *run = host->run;

    for (size_t i = 0; i < run->n_stages; i++) {
        const struct play *play = run->stages[i].play;

        if (play->become)
            return true;
        for (size_t t = 0; t < play->tasks.n; t++)
            if (play->tasks.items[t].become == CHOICE_YES)
                return true;
    }
    return false;
}

static const char *get_var(void *ctx, const char *name)
{
    return var_text(ctx, name);
}

/* A host whose turn comes late, for there are many or few forks, is not given up for that. */
static int64_t connect_deadline(const struct play_options *options)
{
    int64_t least = clock_mono_ms() + LEAST_CONNECT_MS;

    if (options->connect_deadline_ms == 0 || options->connect_deadline_ms > least)
        return options->connect_deadline_ms;
    return least;
}

static int open_session(struct host *host, struct err *err)
{
    const struct play_options *options = host->run->options;
    const struct play_transport *transport = host->run->transport;
    struct target_vars vars = {get_var, host};
    struct ssh_target target;

    if (target_from_vars(&host->arena, host->name, &vars, wants_become(host), &target, err) < 0)
        return -1;
    if (options->target)
        options->target(options->target_ctx, host->name, &target);
    event_send(options->events,
               &(struct event){.kind = EVENT_HOST, .host = host->name, .task = "connecting"});
    host->session = transport->open(transport->ctx, &target, connect_deadline(options), err);
    host->connect_ms = clock_mono_ms() - host->started_ms;
    return host->session ? 0 : -1;
}

int host_open(struct host *host)
{
    struct need facts = {.kind = NEED_FACTS, .name = ""};
    struct err err = ERR_INIT;
    struct probe probe;
    int rc = -1;

    host->started_ms = clock_mono_ms();
    probe_init(&probe);
    probe.pending_handlers = true;
    if (open_session(host, &err) == 0 && probe_add(&probe, &facts, &err) == 0 &&
        step_gather(host, NULL, &probe, &err) == 0)
        rc = trip_run(host, &probe, &err);
    probe_release(&probe);
    if (rc < 0)
        lose(host, &err);
    return rc;
}

void host_close(struct host *host)
{
    struct event event = {.kind = EVENT_HOST_END, .host = host->name};
    struct err err = ERR_INIT;
    struct probe nothing;

    probe_init(&nothing);
    if (host->session && !host->failed && host->stale.n > 0 && trip_run(host, &nothing, &err) < 0)
        lose(host, &err);
    probe_release(&nothing);
    if (host->session)
        host->run->transport->close(host->session);
    host->session = NULL;
    host->result->elapsed_ms = clock_mono_ms() - host->started_ms;
    event.done = host->result->changed;
    event.total = host->result->ok + host->result->skipped + host->result->failed;
    event.failed = host->failed;
    event.trips = host->result->trips;
    event.elapsed_ms = host->result->elapsed_ms;
    event.connect_ms = host->connect_ms;
    event.trips_ms = host->trips_ms;
    event_send(host->run->options->events, &event);
}
