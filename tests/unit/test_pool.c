/*
 * test_pool.c - every job once, in order, really parallel, and stopping.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/net/pool.h"

#define MANY 5000

struct jobs {
    atomic_int calls[MANY];
    atomic_int running, most_running;
    atomic_size_t order; /* next place in sequence */
    size_t sequence[MANY];
    pthread_barrier_t barrier;
};

static struct jobs jobs;

static void reset(void)
{
    memset(&jobs, 0, sizeof(jobs));
}

static void count(void *ctx, size_t job)
{
    struct jobs *j = ctx;
    int running = atomic_fetch_add(&j->running, 1) + 1;
    int most = atomic_load(&j->most_running);

    while (running > most && !atomic_compare_exchange_weak(&j->most_running, &most, running))
        ;
    atomic_fetch_add(&j->calls[job], 1);
    j->sequence[atomic_fetch_add(&j->order, 1)] = job;
    atomic_fetch_sub(&j->running, 1);
}

static void meet(void *ctx, size_t job)
{
    struct jobs *j = ctx;

    atomic_fetch_add(&j->calls[job], 1);
    pthread_barrier_wait(&j->barrier);
}

static void check_each_once(size_t n, const bool *started)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(atomic_load(&jobs.calls[i]), 1);
        assert_true(started[i]);
    }
}

static void every_job_runs_once(void **state)
{
    static const int threads[] = {-1, 0, 1, 2, 7, 255, 256, 1000};
    static bool started[MANY];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        reset();
        memset(started, 0, sizeof(started));
        pool_run(threads[i], MANY, count, &jobs, started);
        check_each_once(MANY, started);
        assert_true(atomic_load(&jobs.most_running) <= POOL_MAX_THREADS);
        if (threads[i] > 0)
            assert_true(atomic_load(&jobs.most_running) <= threads[i]);
    }
}

static void no_jobs_and_no_started(void **state)
{
    UNUSED(state);
    reset();
    pool_run(0, 0, count, &jobs, NULL);
    assert_int_equal(atomic_load(&jobs.order), 0);
    pool_run(4, 10, count, &jobs, NULL);
    assert_int_equal(atomic_load(&jobs.order), 10);
}

static void one_thread_keeps_the_order(void **state)
{
    UNUSED(state);
    reset();
    pool_run(1, 100, count, &jobs, NULL);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(jobs.sequence[i], i);
}

static void one_thread_is_the_caller(void *ctx, size_t job)
{
    UNUSED(job);
    assert_true(pthread_equal(*(pthread_t *)ctx, pthread_self()));
}

static void runs_in_the_calling_thread(void **state)
{
    pthread_t self = pthread_self();

    UNUSED(state);
    pool_run(1, 3, one_thread_is_the_caller, &self, NULL);
    pool_run(0, 1, one_thread_is_the_caller, &self, NULL);
}

/* All 64 jobs wait for each other: only 64 threads at once get through. */
static void really_parallel(void **state)
{
    bool started[64] = {false};

    UNUSED(state);
    reset();
    pthread_barrier_init(&jobs.barrier, NULL, 64);
    pool_run(0, 64, meet, &jobs, started);
    pthread_barrier_destroy(&jobs.barrier);
    check_each_once(64, started);
}

static void stop_at_third(void *ctx, size_t job)
{
    UNUSED(ctx);
    if (job == 2)
        clock_request_stop();
}

/* In a child: a requested stop cannot be taken back. */
static void no_job_starts_after_a_stop(void **state)
{
    int status = 0;
    pid_t pid = fork();

    UNUSED(state);
    if (pid == 0) {
        bool started[10];

        memset(started, 1, sizeof(started));
        pool_run(1, 10, stop_at_third, NULL, started);
        for (size_t i = 0; i < 10; i++)
            if (started[i] != (i <= 2))
                _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_runs_once),
        cmocka_unit_test(no_jobs_and_no_started),
        cmocka_unit_test(one_thread_keeps_the_order),
        cmocka_unit_test(runs_in_the_calling_thread),
        cmocka_unit_test(really_parallel),
        cmocka_unit_test(no_job_starts_after_a_stop),
    };

    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
