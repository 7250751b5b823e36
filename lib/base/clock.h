/*
 * clock.h - time and randomness, the two things that tests replace.
 */
#ifndef PGHA_CLOCK_H
#define PGHA_CLOCK_H

#include "lib/base/base.h"

int64_t clock_mono_ms(void); /* CLOCK_MONOTONIC */
int64_t clock_mono_us(void);
int64_t clock_real_ms(void);                       /* since 1970, UTC */
void clock_sleep_ms(int ms);                       /* returns early when clock_stop_requested() */
void clock_iso8601(int64_t real_ms, char out[32]); /* 2026-01-31T12:00:00Z */

/* Set by the SIGINT/SIGTERM handler of cmd/; long waits look at it and end with ERR_INTERRUPTED. */
void clock_request_stop(void); /* async-signal-safe */
bool clock_stop_requested(void);
/* Between these a stop is not seen by this thread, for what must be put back after one. They may
 * nest. */
void clock_pass_over_stop(void);
void clock_heed_stop(void);

void random_bytes(void *buf, size_t len);      /* getrandom(2) */
void random_password(char *out, size_t chars); /* [A-Za-z0-9], chars + NUL */

#endif
