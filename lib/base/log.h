/*
 * log.h - log lines to stderr, with secrets redacted.
 *
 * log_secret() registers a value that must never be seen; log_redact() replaces every registered
 * value by ******** and is applied to every line here and to everything cmd/ prints that may hold
 * one. Thread-safe. A line is written with one write(2).
 */
#ifndef PGHA_LOG_H
#define PGHA_LOG_H

#include "lib/base/arena.h"
#include "lib/base/str.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level); /* default LOG_WARN */
bool log_wants(enum log_level level);
void log_at(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/* The function that gets finished lines (without newline); NULL: stderr. For the live table. */
void log_set_sink(void (*sink)(enum log_level level, const char *line));

void log_secret(const char *secret);                   /* shorter than 6 bytes are ignored */
void log_redact(struct str *text);                     /* in place */
char *log_redacted(struct arena *a, const char *text); /* a copy in a; of NULL: NULL */

#endif
