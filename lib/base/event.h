/*
 * event.h - what long work tells about itself, to whoever shows it (cmd/ui.c: live table, lines, or
 * JSON).
 *
 * Called from any thread; the sink locks. Strings are valid during the call only.
 */
#ifndef PGHA_EVENT_H
#define PGHA_EVENT_H

#include "lib/base/base.h"

enum event_kind {
    EVENT_RUN,     /* a command begins: text is its name */
    EVENT_RUN_END, /* it ended: elapsed_ms; failed when its exit status is not 0 */
    EVENT_STAGE,   /* a stage begins: stage ("image", "hosts", "converge", "ready", "sql", "verify")
                      and text for people */
    EVENT_STAGE_END, /* text: what came of it; elapsed_ms */
    EVENT_STEP,      /* the stage as a whole is at: text ("Database hosts") */
    EVENT_HOST, /* host is at: text ("template /etc/haproxy/haproxy.cfg"); done/total steps of this
                   host when known */
    /* Of a task on a host; elapsed_ms: how long it took there, 0 when nothing ran */
    EVENT_CHANGED, /* host, task, text (one-line summary); detail: diff or NULL */
    EVENT_OK,      /* task looked at and right; shown only with -v */
    EVENT_SKIPPED,
    EVENT_FAILED,   /* host, task, text; detail: last lines of output; where: file:line */
    EVENT_HOST_END, /* host finished: done = changed count, total = task count, failed in `failed`;
                       elapsed_ms, and of it connect_ms and trips_ms, in so many trips */
    EVENT_NOTE      /* a line worth showing: text */
};

struct event {
    enum event_kind kind;
    const char *stage, *host, *task, *text, *detail, *where;
    int done, total, failed, trips;
    int64_t elapsed_ms, connect_ms, trips_ms;
};

struct event_sink {
    void (*fn)(struct event_sink *sink, const struct event *event);
};

void event_send(struct event_sink *sink, const struct event *event); /* sink may be NULL */

#endif
