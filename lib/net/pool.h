/*
 * pool.h - a worker pool: run one function over n jobs on at most `threads` threads, and wait.
 *
 * Jobs share nothing; each keeps its own result and error. Jobs start in order. When
 * clock_stop_requested(), no further job starts; `started` tells which did.
 */
#ifndef PGHA_POOL_H
#define PGHA_POOL_H

#include "lib/base/base.h"

/* threads <= 0: as many as jobs, at most POOL_MAX_THREADS. Runs in the calling thread when one
 * would do. */
#define POOL_MAX_THREADS 256
#define POOL_STACK_BYTES ((size_t)256 * 1024)

void pool_run(int threads, size_t n, void (*fn)(void *ctx, size_t job), void *ctx, bool *started);

#endif
