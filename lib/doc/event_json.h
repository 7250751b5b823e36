/*
 * event_json.h - events as JSON, one object a line: for programs (--events) and the log of a run.
 *
 * Two tables in event_json.c say which kinds and fields there are; docs/events.md is made of them.
 * A field that is nothing or 0 is left out. Secrets are redacted. A line is written with one
 * write(2), so lines of several processes in one file do not mix.
 */
#ifndef PGHA_EVENT_JSON_H
#define PGHA_EVENT_JSON_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/event.h"
#include "lib/base/str.h"

struct event_json;

/* Takes fd, and hands every event on to next, which may be NULL. */
struct event_json *event_json_new(int fd, struct event_sink *next);
struct event_sink *event_json_sink(struct event_json *j);
/* Into the file alone: next does not get it. */
void event_json_put(struct event_json *j, const struct event *e);
void event_json_free(struct event_json *j); /* closes fd; j may be NULL */

/* The event of one line (without newline), and when it was: milliseconds since 1970. Its texts are
 * in a. ERR_INPUT: no JSON object, or a kind or time that is none. */
int event_json_read(struct arena *a, const char *line, size_t len, struct event *e,
                    int64_t *real_ms, struct err *err) MUST_USE;

void event_json_write_docs(struct str *out); /* docs/events.md */

#endif
