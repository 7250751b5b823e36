/*
 * pool.c - threads that take the next job number until none is left.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/clock.h"
#include "lib/net/pool.h"

struct pool {
    atomic_size_t next;
    size_t n;
    void (*fn)(void *ctx, size_t job);
    void *ctx;
    bool *started; /* may be NULL; every job writes only its own */
};

static void *work(void *arg)
{
    struct pool *pool = arg;

    while (!clock_stop_requested()) {
        size_t job = atomic_fetch_add(&pool->next, 1);

        if (job >= pool->n)
            break;
        if (pool->started)
            pool->started[job] = true;
        pool->fn(pool->ctx, job);
    }
    return NULL;
}

/* Starts up to `want` threads. Fewer is no error (RLIMIT_NPROC, memory): the caller's thread works,
 * too. */
static size_t start_threads(pthread_t *threads, size_t want, struct pool *pool)
{
    pthread_attr_t attr;
    size_t n = 0;

    if (pthread_attr_init(&attr) != 0)
        return 0;
    if (pthread_attr_setstacksize(&attr, POOL_STACK_BYTES) != 0)
        BUG("a thread cannot have a stack of %zu bytes", POOL_STACK_BYTES);
    while (n < want && pthread_create(&threads[n], &attr, work, pool) == 0)
        n++;
    pthread_attr_destroy(&attr);
    return n;
}

void pool_run(int threads, size_t n, void (*fn)(void *ctx, size_t job), void *ctx, bool *started)
{
    struct pool pool = {.n = n, .fn = fn, .ctx = ctx, .started = started};
    pthread_t handles[POOL_MAX_THREADS];
    size_t workers = threads > 0 ? (size_t)threads : n;
    size_t running = 0;

    atomic_init(&pool.next, 0);
    if (started)
        memset(started, 0, n * sizeof(*started));
    if (workers > n)
        workers = n;
    if (workers > POOL_MAX_THREADS)
        workers = POOL_MAX_THREADS;
    if (workers > 1)
        running = start_threads(handles, workers - 1, &pool);
    work(&pool); /* the caller's thread is one of the workers */
    for (size_t i = 0; i < running; i++)
        pthread_join(handles[i], NULL);
}
