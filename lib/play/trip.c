/*
 * trip.c - one script to a host and its answer.
 */
#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/play/run.h"
#include "lib/play/script.h"

enum {
    DEFAULT_TASK_MS = 10 * 60 * 1000,
    PROBE_MS = 60 * 1000,
    MAX_TRIP_MS = 24 * 3600 * 1000,
};

struct trip {
    struct host *host;
    char mark[SCRIPT_MARK_SIZE];
    struct str script, out, errout;
    int64_t timeout_ms;
};

/* ---- markers of notified handlers ---- */

static void put_marker_path(const struct host *host, const char *title, struct str *script)
{
    char sum[SHA256_HEX_SIZE];
    char *path;

    sha256_hex(title, strlen(title), sum);
    path = xasprintf("%s/%.16s", host->run->pending_dir, sum);
    str_put_shell(script, path);
    free(path);
}

static void put_marker(struct host *host, const char *title, struct str *script)
{
    str_puts(script, "{ mkdir -p ");
    str_put_shell(script, host->run->pending_dir);
    str_puts(script, " && printf '%s\\n' ");
    str_put_shell(script, title);
    str_puts(script, " >");
    put_marker_path(host, title, script);
    str_puts(script, "; } || exit 1\n");
    map_set(&host->marked, title, host);
}

static void put_unmark(struct host *host, const char *title, struct str *script)
{
    str_puts(script, "rm -f ");
    put_marker_path(host, title, script);
    str_putc(script, '\n');
}

/* Before the first change that notifies a handler its marker is on the host. */
static void put_markers(struct host *host, const struct step *step, struct str *script)
{
    const struct play *play = step->stage->play;

    for (size_t i = 0; i < step->notify.n; i++) {
        for (size_t h = 0; h < play->handlers.n; h++) {
            const struct task *handler = &play->handlers.items[h];
            const char *title = task_title(handler, &host->arena);

            if (handler_hears(handler, step->notify.items[i], &host->arena) &&
                !map_has(&host->marked, title))
                put_marker(host, title, script);
        }
    }
}

/* ---- the script ---- */

/* May the host go on when the step fails, with a probe in the same trip? Where it is rescued the
 * next look comes with the rescue's own plan. */
static bool goes_on(const struct step *step)
{
    return step->open || step->ignore_errors || !step->last;
}

static void put_step(struct trip *trip, size_t id)
{
    struct step *step = &trip->host->batch.items[id];
    const struct run *run = trip->host->run;
    const char *title = task_title(step->task, &trip->host->arena);
    struct str before, after;
    int timeout_ms = step->plan.timeout_ms           ? step->plan.timeout_ms
                     : run->options->task_timeout_ms ? run->options->task_timeout_ms
                                                     : DEFAULT_TASK_MS;

    str_init(&before, STR_MAX_TEXT);
    str_init(&after, STR_MAX_TEXT);
    if (!step->check)
        put_markers(trip->host, step, &before);
    if (step->environment)
        str_puts(&before, step->environment);
    if (step->is_handler && step->last && !step->check && !step->task->has_failed_when)
        put_unmark(trip->host, title, &after);
    script_put_fragment(&trip->script, &(struct fragment){.id = id,
                                                          .before = before.buf,
                                                          .text = step->plan.script.buf,
                                                          .after = after.buf,
                                                          .unit = step->plan.moves_unit,
                                                          .captures = step->plan.captures,
                                                          .lenient = goes_on(step)});
    trip->timeout_ms += timeout_ms;
    str_release(&before);
    str_release(&after);
}

static bool put_steps(struct trip *trip)
{
    struct host *host = trip->host;
    bool any = false;

    for (size_t i = 0; i < host->batch.n; i++)
        any |= host->batch.items[i].applies;
    script_begin(&trip->script, trip->mark, any);
    for (size_t i = 0; i < host->stale.n; i++)
        put_unmark(host, host->stale.items[i], &trip->script);
    host->stale.n = 0;
    for (size_t i = 0; i < host->batch.n; i++)
        if (host->batch.items[i].applies)
            put_step(trip, i);
    return any;
}

/* Of all tasks of all plays that have this host: how many lie before the step. */
static void place_of(const struct host *host, const struct step *step, int *done, int *total)
{
    const struct run *run = host->run;

    *done = *total = 0;
    for (const struct stage *s = run->stages; s < run->stages + run->n_stages; s++) {
        size_t tasks = 0;

        for (size_t i = 0; i < s->n && !tasks; i++)
            tasks = s->hosts[i] == host ? s->play->tasks.n : 0;
        *total += (int)tasks;
        if (s < step->stage)
            *done += (int)tasks;
    }
    /* A handler is flushed between tasks: then the batch's place is good enough. */
    vec_each (task, &step->stage->play->tasks)
        if (task == step->task) {
            *done += (int)(task - step->stage->play->tasks.items);
            return;
        }
    *done += (int)host->progress.task;
}

static void begin_step(struct trip *trip, struct step *step)
{
    int done, total;

    step->began_ms = clock_mono_ms();
    place_of(trip->host, step, &done, &total);
    event_send(trip->host->run->options->events,
               &(struct event){.kind = EVENT_HOST,
                               .host = trip->host->name,
                               .task = step->title,
                               .text = step_summary(step, step->arena),
                               .done = done,
                               .total = total});
}

/* At least 1 ms: 0 is a step that nothing was run for. */
static void end_step(struct step *step)
{
    step->elapsed_ms = clock_mono_ms() - step->began_ms;
    if (step->elapsed_ms == 0)
        step->elapsed_ms = 1;
}

static void take_line(void *ctx, const char *line, size_t len)
{
    struct trip *trip = ctx;
    struct steps *batch = &trip->host->batch;
    size_t id;

    if (script_begins(trip->mark, line, len, &id) && id < batch->n)
        begin_step(trip, &batch->items[id]);
    else if (script_ends(trip->mark, line, len, &id) && id < batch->n)
        end_step(&batch->items[id]);
}

/* ---- the answer ---- */

static const char *take_text(struct trip *trip, const char *stream, size_t id)
{
    struct str text;
    const char *copy;

    str_init(&text, SCRIPT_MAX_CAPTURE + 4);
    script_output(trip->mark, stream, id, trip->out.buf, trip->out.len, &text);
    copy = arena_strndup(trip->host->batch.items[id].arena, text.buf, text.len);
    str_release(&text);
    return copy;
}

static void read_steps(struct trip *trip)
{
    for (size_t i = 0; i < trip->host->batch.n; i++) {
        struct step *step = &trip->host->batch.items[i];

        if (!step->applies)
            continue;
        step->ended = script_status(trip->mark, i, trip->out.buf, trip->out.len, &step->rc);
        if (!step->ended)
            continue;
        step->out = take_text(trip, "out", i);
        step->errout = take_text(trip, "err", i);
    }
}

/* A step that failed and ends the host's run: then there was no probe. */
static bool was_stopped(const struct host *host)
{
    for (size_t i = 0; i < host->batch.n; i++) {
        const struct step *step = &host->batch.items[i];

        if (step->applies && (!step->ended || step->rc != 0))
            return !goes_on(step) || !step->ended;
    }
    return false;
}

static int read_answer(struct trip *trip, const struct probe *probe, int status, struct err *err)
{
    struct host *host = trip->host;

    if (trip->out.full)
        return err_set(err, ERR_REMOTE, "the answer is larger than %zu bytes", trip->out.max);
    read_steps(trip);
    if (was_stopped(host)) {
        for (size_t i = 0; i < host->batch.n; i++)
            if (host->batch.items[i].applies && host->batch.items[i].ended &&
                host->batch.items[i].rc != 0)
                return 0;
        str_trim_end(&trip->errout);
        return err_set(err, ERR_REMOTE, "the script ended early (status %d): %s", status,
                       trip->errout.buf);
    }
    if (probe_is_empty(probe))
        return 0;
    if (probe_read(probe, trip->mark, trip->out.buf, trip->out.len, &host->world, err) < 0) {
        str_trim_end(&trip->errout);
        return err_wrap(err, "status %d: %s", status, trip->errout.buf);
    }
    if (!host->world.since_ms)
        host->world.since_ms = clock_mono_ms();
    return 0;
}

int trip_run(struct host *host, const struct probe *probe, struct err *err)
{
    struct trip trip = {.host = host, .timeout_ms = PROBE_MS};
    struct ssh_run run = {.line = take_line, .ctx = &trip};
    int64_t start;
    int rc;

    str_init(&trip.script, STR_MAX_TEXT);
    str_init(&trip.out, PROBE_MAX_ANSWER);
    str_init(&trip.errout, STR_MAX_TEXT);
    script_mark(trip.mark);
    put_steps(&trip);
    if (!probe_is_empty(probe))
        probe_put_script(probe, host->run->pending_dir, &trip.script);
    run.script = trip.script.buf;
    run.script_len = trip.script.len;
    run.timeout_ms = (int)(trip.timeout_ms > MAX_TRIP_MS ? MAX_TRIP_MS : trip.timeout_ms);
    run.out = &trip.out;
    run.errout = &trip.errout;
    host->result->trips++;
    start = clock_mono_ms();
    rc = trip.script.full
             ? err_set(err, ERR_INPUT, "the changes are larger than %zu bytes", trip.script.max)
             : host->run->transport->run(host->session, &run, err);
    host->trips_ms += clock_mono_ms() - start;
    if (rc < 0)
        read_steps(&trip); /* what ended before the connection was lost did happen */
    else if (read_answer(&trip, probe, run.status, err) < 0)
        rc = err_wrap(err, "%s", host->name);
    str_release(&trip.script);
    str_release(&trip.out);
    str_release(&trip.errout);
    return rc;
}
