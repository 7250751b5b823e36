/*
 * plan_apply.c - two sweeps over the graph: destroy against the needs, then create and update along
 * them.
 *
 * Workers take what is ready from a queue. A kind's calls run outside the lock, on a copy of the
 * resource, and its new `actual` is put into the plan under the lock: so the store may write down
 * the whole plan at any save.
 */
#include <pthread.h>

#include "lib/base/clock.h"
#include "lib/net/pool.h"
#include "lib/plan/plan_graph.h"

#define APPLY_THREADS 32

struct sweep {
    bool destroying;
    struct plan_edges *before; /* what must be finished first */
    struct plan_edges *after;  /* what waits for it */
};

struct apply {
    struct plan *plan;
    void *provider;
    struct plan_store *store;
    struct event_sink *events;
    struct plan_graph graph;
    struct sweep sweep;

    pthread_mutex_t lock; /* everything below, and every resource's actual, failed, done, err */
    pthread_cond_t changed;
    size_t *waits; /* by resource: how many in sweep.before are not finished */
    size_t *queue; /* ready ones, each once; queue[head..tail) */
    size_t head, tail;
    size_t finished;                    /* of this sweep */
    const struct resource **blocked_by; /* by resource: the one that failed or was not begun */
    struct resource *first;             /* that failed, in time */
    int changes_done, changes;
};

/* ---- one call of a kind ---- */

typedef int kind_call(void *provider, struct resource *r, struct err *err);

static int save(struct apply *a, struct resource *r, bool began, struct err *err)
{
    int rc = 0;

    if (!a->store)
        return 0;
    pthread_mutex_lock(&a->lock);
    r->touched_ms = clock_real_ms();
    rc = a->store->save(a->store, a->plan, r, began, err);
    pthread_mutex_unlock(&a->lock);
    return rc < 0 ? err_wrap(err, "saving the state") : 0;
}

/* On a copy, so that a save on another thread sees the resource as it was or as it is. */
static int call(struct apply *a, struct resource *r, kind_call *fn, struct err *err)
{
    struct resource copy = *r;
    int rc;

    memset(&copy.err, 0, sizeof(copy.err));
    copy.actual = r->actual ? value_copy(r->arena, r->actual) : NULL;
    rc = fn(a->provider, &copy, err);
    pthread_mutex_lock(&a->lock);
    r->actual = copy.actual;
    pthread_mutex_unlock(&a->lock);
    return rc;
}

/* After a fault the state keeps the word that the call began: the thing may exist. Not so where it
 * was refused, of which the state says nothing more from the next save on. */
static int call_and_save(struct apply *a, struct resource *r, kind_call *fn, struct err *err)
{
    if (save(a, r, true, err) < 0)
        return -1;
    if (call(a, r, fn, err) == 0)
        return save(a, r, false, err);
    if (!err->retryable && !r->actual) {
        pthread_mutex_lock(&a->lock);
        r->touched_ms = 0;
        pthread_mutex_unlock(&a->lock);
    }
    return -1;
}

static int destroy(struct apply *a, struct resource *r, struct err *err)
{
    if (save(a, r, true, err) < 0 || call(a, r, r->kind->destroy, err) < 0)
        return -1;
    pthread_mutex_lock(&a->lock);
    r->actual = NULL;
    pthread_mutex_unlock(&a->lock);
    return save(a, r, false, err);
}

static int create_or_update(struct apply *a, struct resource *r, struct err *err)
{
    kind_call *fn = r->action == ACTION_UPDATE ? r->kind->update : r->kind->create;

    if (call_and_save(a, r, fn, err) < 0)
        return -1;
    if (!r->kind->wait)
        return 0;
    if (call(a, r, r->kind->wait, err) < 0)
        return err_wrap(err, "waiting for it");
    return save(a, r, false, err); /* what it learned while waiting: addresses */
}

/* ---- telling ---- */

static const char *doing(const struct apply *a, const struct resource *r)
{
    if (a->sweep.destroying)
        return "destroying";
    return r->action == ACTION_UPDATE ? "updating" : "creating";
}

static void tell(struct apply *a, enum event_kind kind, const struct resource *r, const char *text)
{
    char *name = xasprintf("%s.%s", r->kind->name, r->name);
    struct event event = {
        .kind = kind, .host = name, .task = action_names[r->action], .text = text};

    pthread_mutex_lock(&a->lock);
    event.done = a->changes_done;
    event.total = a->changes;
    pthread_mutex_unlock(&a->lock);
    event_send(a->events, &event);
    free(name);
}

/* ---- one resource of a sweep ---- */

static bool has_work(const struct apply *a, const struct resource *r)
{
    switch (r->action) {
    case ACTION_NONE:
        return false;
    case ACTION_DESTROY:
        return a->sweep.destroying;
    case ACTION_REPLACE:
        return true;
    default:
        return !a->sweep.destroying;
    }
}

static bool ends_here(const struct apply *a, const struct resource *r)
{
    return !a->sweep.destroying || r->action == ACTION_DESTROY;
}

static void note_failure(struct apply *a, struct resource *r, struct err *fault)
{
    err_wrap(fault, "%s %s.%s", doing(a, r), r->kind->name, r->name);
    pthread_mutex_lock(&a->lock);
    r->failed = true;
    err_move(&r->err, fault);
    if (!a->first)
        a->first = r;
    pthread_mutex_unlock(&a->lock);
    tell(a, EVENT_FAILED, r, r->err.text);
}

static void note_success(struct apply *a, struct resource *r)
{
    if (!ends_here(a, r))
        return;
    pthread_mutex_lock(&a->lock);
    r->done = true;
    a->changes_done++;
    pthread_mutex_unlock(&a->lock);
    tell(a, EVENT_CHANGED, r, r->reason);
}

/* True when it is as it should be after this sweep. */
static bool work_on(struct apply *a, struct resource *r)
{
    struct err fault = ERR_INIT;
    int rc;

    if (clock_stop_requested())
        return false;
    tell(a, EVENT_HOST, r, doing(a, r));
    rc = a->sweep.destroying ? destroy(a, r, &fault) : create_or_update(a, r, &fault);
    if (rc < 0)
        note_failure(a, r, &fault);
    else
        note_success(a, r);
    return rc == 0;
}

/* ---- the queue ---- */

/* The next one and what blocks it, if anything; false when the sweep is over. */
static bool take(struct apply *a, size_t *index, const struct resource **blocked_by)
{
    bool found;

    pthread_mutex_lock(&a->lock);
    while (a->head == a->tail && a->finished < a->graph.n)
        pthread_cond_wait(&a->changed, &a->lock);
    found = a->head < a->tail;
    if (found) {
        *index = a->queue[a->head++];
        *blocked_by = a->blocked_by[*index];
    }
    pthread_mutex_unlock(&a->lock);
    return found;
}

static void finish(struct apply *a, size_t index, const struct resource *blocked_by)
{
    const struct plan_edges *after = &a->sweep.after[index];

    pthread_mutex_lock(&a->lock);
    a->finished++;
    a->blocked_by[index] = blocked_by;
    for (size_t k = 0; k < after->n; k++) {
        size_t next = after->items[k];

        if (!a->blocked_by[next])
            a->blocked_by[next] = blocked_by;
        if (--a->waits[next] == 0)
            a->queue[a->tail++] = next;
    }
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

static void work(void *ctx, size_t worker)
{
    struct apply *a = ctx;
    const struct resource *blocked_by;
    size_t i;

    UNUSED(worker);
    while (take(a, &i, &blocked_by)) {
        struct resource *r = a->plan->resources.items[i];

        if (!blocked_by && has_work(a, r) && !work_on(a, r))
            blocked_by = r;
        finish(a, i, blocked_by);
    }
}

static size_t workers_for(const struct apply *a)
{
    size_t n = 0;

    for (size_t i = 0; i < a->graph.n; i++)
        n += has_work(a, a->plan->resources.items[i]);
    return n < APPLY_THREADS ? n : APPLY_THREADS;
}

static void sweep(struct apply *a, bool destroying)
{
    size_t workers;

    a->sweep.destroying = destroying;
    a->sweep.before = destroying ? a->graph.needed_by : a->graph.needs;
    a->sweep.after = destroying ? a->graph.needs : a->graph.needed_by;
    a->head = a->tail = a->finished = 0;
    for (size_t i = 0; i < a->graph.n; i++) {
        a->waits[i] = a->sweep.before[i].n;
        if (a->waits[i] == 0)
            a->queue[a->tail++] = i;
    }
    workers = workers_for(a);
    if (workers > 0)
        pool_run((int)workers, workers, work, a, NULL);
}

/* ---- the whole ---- */

/* What was not to be destroyed is not kept from being created by another's failed destruction. */
static void unblock_what_stays(struct apply *a)
{
    for (size_t i = 0; i < a->graph.n; i++) {
        enum action action = a->plan->resources.items[i]->action;

        if (action != ACTION_DESTROY && action != ACTION_REPLACE)
            a->blocked_by[i] = NULL;
    }
}

static void mark_not_done(struct apply *a)
{
    for (size_t i = 0; i < a->graph.n; i++) {
        struct resource *r = a->plan->resources.items[i];
        const struct resource *because = a->blocked_by[i];

        if (r->action == ACTION_NONE || r->done || r->failed)
            continue;
        if (because && because->failed)
            err_set(&r->err, ERR_FAILED, "not done, because %s.%s failed", because->kind->name,
                    because->name);
        else
            err_set(&r->err, ERR_INTERRUPTED, "not done: stopped by the user");
        tell(a, EVENT_SKIPPED, r, r->err.text);
    }
}

static int first_fault(const struct apply *a, struct err *err)
{
    size_t failed = 0, left = 0;

    for (size_t i = 0; i < a->graph.n; i++) {
        const struct resource *r = a->plan->resources.items[i];

        failed += r->failed;
        left += r->action != ACTION_NONE && !r->done && !r->failed;
    }
    if (!a->first && left == 0)
        return 0;
    if (!a->first)
        return err_set(err, ERR_INTERRUPTED, "stopped by the user: %d of %d changes done",
                       a->changes_done, a->changes);
    err_set(err, a->first->err.code, "%s", a->first->err.text);
    err->retryable = a->first->err.retryable;
    if (a->first->err.hint)
        err_hint(err, "%s", a->first->err.hint);
    if (failed > 1 || left > 0)
        err_wrap(err, "%d of %d changes done, %zu failed, %zu not begun or not finished",
                 a->changes_done, a->changes, failed, left);
    return -1;
}

static void apply_init(struct apply *a)
{
    size_t n = a->graph.n + 1;

    a->waits = xcalloc(n, sizeof(*a->waits));
    a->queue = xcalloc(n, sizeof(*a->queue));
    a->blocked_by = xcalloc(n, sizeof(*a->blocked_by));
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    for (size_t i = 0; i < a->graph.n; i++) {
        struct resource *r = a->plan->resources.items[i];

        r->failed = r->done = false;
        r->touched_ms = 0;
        err_release(&r->err);
        a->changes += r->action != ACTION_NONE;
    }
}

static void apply_release(struct apply *a)
{
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    free(a->waits);
    free(a->queue);
    free(a->blocked_by);
}

int plan_apply(struct plan *p, void *provider, struct plan_store *store, struct event_sink *events,
               struct err *err)
{
    struct apply a = {.plan = p, .provider = provider, .store = store, .events = events};
    int rc = -1;

    if (plan_graph_build(&a.graph, p, err) < 0)
        goto out;
    apply_init(&a);
    sweep(&a, true);
    unblock_what_stays(&a);
    sweep(&a, false);
    mark_not_done(&a);
    rc = first_fault(&a, err);
    apply_release(&a);
out:
    plan_graph_release(&a.graph);
    return rc;
}
