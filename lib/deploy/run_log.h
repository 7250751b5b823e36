/*
 * run_log.h - what a run did, kept in the state folder: log/TIME.jsonl, lines as event_json.h has
 * them, from `run` to `run_end`. The last RUN_LOGS_KEPT stay.
 */
#ifndef PGHA_RUN_LOG_H
#define PGHA_RUN_LOG_H

#include "lib/base/err.h"
#include "lib/deploy/eta.h"
#include "lib/deploy/profile.h"
#include "lib/doc/event_json.h"

#define RUN_LOGS_KEPT 20

struct run_log;

/* command: that of the run, for the log's first line. NULL with err. */
struct run_log *run_log_open(const char *state_dir, const char *command, struct event_sink *next,
                             struct err *err);
struct event_sink *run_log_sink(struct run_log *log);
/* Writes how the run ended. log may be NULL. */
void run_log_close(struct run_log *log, bool failed);

/* What earlier runs of the command, that ended well, let expect of the next one; nothing when there
 * were none or they cannot be read. expected is to be released. */
void run_log_expect(const char *state_dir, const char *command, struct eta_stages *expected);
/* Reads a log into p: the one whose name begins with `run`, or with NULL the last. *path: of the
 * log, the caller frees it; NULL: there is none. */
int run_log_profile(const char *state_dir, const char *run, struct profile *p, char **path,
                    struct err *err) MUST_USE;

#endif
