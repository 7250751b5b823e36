/*
 * event.c - handing an event to whoever listens.
 */
#include "lib/base/event.h"

void event_send(struct event_sink *sink, const struct event *event)
{
    if (sink)
        sink->fn(sink, event);
}
