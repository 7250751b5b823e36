/*
 * run_log.h - what a run did, kept in the state folder: log/TIME.jsonl, lines as event_json.h has
 * them. The last RUN_LOGS_KEPT stay.
 */
#ifndef PGHA_RUN_LOG_H
#define PGHA_RUN_LOG_H

#include "lib/base/err.h"
#include "lib/doc/event_json.h"

#define RUN_LOGS_KEPT 20

/* NULL with err. */
struct event_json *run_log_open(const char *state_dir, struct event_sink *next, struct err *err);

#endif
