/* event_json.c - events as JSON, one object a line. */
#include "lib/doc/event_json.h"

#include <pthread.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/doc/json.h"

static const char *const kinds[] = {
    [EVENT_STAGE] = "stage",     [EVENT_STAGE_END] = "stage_end", [EVENT_STEP] = "step",
    [EVENT_HOST] = "host",       [EVENT_CHANGED] = "changed",     [EVENT_OK] = "ok",
    [EVENT_SKIPPED] = "skipped", [EVENT_FAILED] = "failed",       [EVENT_HOST_END] = "host_end",
    [EVENT_NOTE] = "note",
};

struct event_json {
    struct event_sink sink; /* first: the sink is cast back */
    struct event_sink *next;
    pthread_mutex_t lock;
    int fd;
};

static void set_text(struct value *v, const char *name, const char *text, struct arena *a)
{
    struct str s;

    if (!text)
        return;
    str_init(&s, STR_MAX_TEXT);
    str_puts(&s, text);
    log_redact(&s); /* before JSON escapes what a secret may hold */
    value_map_set(a, v, name, value_strn(a, s.buf, s.len));
    str_release(&s);
}

static void set_number(struct value *v, const char *name, int64_t number, struct arena *a)
{
    if (number)
        value_map_set(a, v, name, value_int(a, number));
}

static struct value *to_value(const struct event *e, struct arena *a)
{
    struct value *v = value_map(a);
    int64_t now = clock_real_ms();
    char time[32];

    clock_iso8601(now, time);
    time[strcspn(time, "Z")] = '\0';
    value_map_set(a, v, "time", value_strf(a, "%s.%03dZ", time, (int)(now % 1000)));
    value_map_set(a, v, "kind", value_str(a, kinds[e->kind]));
    set_text(v, "stage", e->stage, a);
    set_text(v, "host", e->host, a);
    set_text(v, "task", e->task, a);
    set_text(v, "text", e->text, a);
    set_text(v, "detail", e->detail, a);
    set_text(v, "where", e->where, a);
    set_number(v, "done", e->done, a);
    set_number(v, "total", e->total, a);
    set_number(v, "failed", e->failed, a);
    set_number(v, "elapsed_ms", e->elapsed_ms, a);
    return v;
}

/* Whoever reads has gone, or the disk is full: the run does not end for that. */
static void write_line(int fd, const struct str *line)
{
    size_t done = 0;

    while (done < line->len) {
        ssize_t n = write(fd, line->buf + done, line->len - done);

        if (n <= 0)
            return;
        done += (size_t)n;
    }
}

static void take_event(struct event_sink *sink, const struct event *e)
{
    struct event_json *j = (struct event_json *)sink;
    struct arena arena = ARENA_INIT;
    struct str line;

    str_init(&line, STR_MAX_TEXT);
    json_write(to_value(e, &arena), JSON_TIGHT, &line);
    str_putc(&line, '\n');
    pthread_mutex_lock(&j->lock);
    write_line(j->fd, &line);
    pthread_mutex_unlock(&j->lock);
    str_release(&line);
    arena_release(&arena);
    event_send(j->next, e);
}

struct event_json *event_json_new(int fd, struct event_sink *next)
{
    struct event_json *j = xcalloc(1, sizeof(*j));

    *j = (struct event_json){.sink = {take_event}, .next = next, .fd = fd};
    pthread_mutex_init(&j->lock, NULL);
    return j;
}

struct event_sink *event_json_sink(struct event_json *j)
{
    return &j->sink;
}

void event_json_free(struct event_json *j)
{
    if (!j)
        return;
    close(j->fd);
    pthread_mutex_destroy(&j->lock);
    free(j);
}
