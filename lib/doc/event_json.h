/*
 * event_json.h - events as JSON, one object a line: for programs (--events) and the log of a run.
 *
 * Every object has time (ISO 8601, UTC, milliseconds), kind (stage, stage_end, step, host, changed,
 * ok, skipped, failed, host_end, note) and what the event has of stage, host, task, text, detail,
 * where, done, total, failed, elapsed_ms (event.h). Secrets are redacted. A line is written with
 * one write(2), so lines of several processes in one file do not mix.
 */
#ifndef PGHA_EVENT_JSON_H
#define PGHA_EVENT_JSON_H

#include "lib/base/event.h"

struct event_json;

/* Takes fd, and hands every event on to next, which may be NULL. */
struct event_json *event_json_new(int fd, struct event_sink *next);
struct event_sink *event_json_sink(struct event_json *j);
void event_json_free(struct event_json *j); /* closes fd; j may be NULL */

#endif
