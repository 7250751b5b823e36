/* profiler.c - --profile: where the time of this run goes. */
#include <pthread.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "lib/base/clock.h"
#include "lib/deploy/profile.h"

struct profiler {
    struct event_sink sink; /* first: the sink is cast back */
    struct event_sink *next;
    pthread_mutex_t lock;
    struct profile profile;
    bool told;
};

static void take_event(struct event_sink *sink, const struct event *e)
{
    struct profiler *p = (struct profiler *)sink;

    pthread_mutex_lock(&p->lock);
    profile_add(&p->profile, e, clock_mono_ms());
    pthread_mutex_unlock(&p->lock);
    event_send(p->next, e);
}

struct profiler *profiler_new(struct event_sink *next)
{
    struct profiler *p = xcalloc(1, sizeof(*p));

    p->sink.fn = take_event;
    p->next = next;
    pthread_mutex_init(&p->lock, NULL);
    profile_init(&p->profile);
    return p;
}

struct event_sink *profiler_sink(struct profiler *p)
{
    return &p->sink;
}

void profiler_add_to(struct profiler *p, struct value *result, struct arena *a)
{
    if (!p)
        return;
    value_map_set(a, result, "profile", profile_to_value(&p->profile, a));
    p->told = true;
}

void profiler_report(struct profiler *p)
{
    struct str text;

    if (!p || p->told)
        return;
    str_init(&text, STR_MAX_TEXT);
    str_putc(&text, '\n');
    profile_format(&p->profile, &text);
    fputs(text.buf, stderr);
    str_release(&text);
}

void profiler_free(struct profiler *p)
{
    if (!p)
        return;
    profile_release(&p->profile);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
