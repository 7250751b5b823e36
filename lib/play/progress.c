/*
 * progress.c - where a host is in a play, and what a finished step means for the next ones.
 */
#include "lib/play/run.h"

bool handler_hears(const struct task *handler, const char *name, struct arena *a)
{
    return (handler->name && str_eq(handler->name->u.str.s, name)) ||
           str_eq(task_title(handler, a), name) || names_have(&handler->listen, name);
}

/* Handlers that an interrupted run left are notified again, in the first play that has them. */
static void take_over(struct progress *p, const struct play *play, struct host *host)
{
    struct map *left = &host->world.pending_handlers;

    for (size_t i = 0; i < play->handlers.n; i++) {
        const char *title = task_title(&play->handlers.items[i], &host->arena);

        if (!map_has(left, title))
            continue;
        p->notified[i] = true;
        map_del(left, title);
        map_set(&host->marked, title, p);
    }
}

void progress_start_play(struct progress *p, const struct play *play, struct host *host)
{
    free(p->notified);
    p->n_handlers = play->handlers.n;
    p->notified = xcalloc(p->n_handlers + 1, sizeof(*p->notified));
    p->task = p->handler = p->item = 0;
    p->attempt = 0;
    p->items = NULL;
    p->results.n = 0;
    take_over(p, play, host);
}

void progress_copy(struct progress *to, const struct progress *from)
{
    *to = *from;
    to->results.items = NULL;
    to->results.n = to->results.cap = 0;
    for (size_t i = 0; i < from->results.n; i++)
        vec_push(&to->results, from->results.items[i]);
    map_init(&to->registered);
    for (size_t i = 0; i < from->registered.n; i++)
        map_set(&to->registered, from->registered.entries[i].key,
                from->registered.entries[i].value);
    to->notified = xcalloc(from->n_handlers + 1, sizeof(*to->notified));
    if (from->notified)
        memcpy(to->notified, from->notified, from->n_handlers * sizeof(*to->notified));
}

void progress_release(struct progress *p)
{
    vec_release(&p->results);
    map_release(&p->registered);
    free(p->notified);
    memset(p, 0, sizeof(*p));
    map_init(&p->registered);
}

const struct task *progress_task(struct progress *p, const struct stage *stage, size_t end,
                                 bool *is_handler)
{
    const struct play *play = stage->play;

    *is_handler = false;
    for (; p->task < end; p->task++) {
        const struct task *task = &play->tasks.items[p->task];

        if (task->kind == TASK_MODULE && stage->selected[p->task])
            return task;
        if (task->kind != TASK_FLUSH_HANDLERS)
            continue;
        *is_handler = true;
        for (; p->handler < play->handlers.n; p->handler++)
            if (p->notified[p->handler] && play->handlers.items[p->handler].kind == TASK_MODULE)
                return &play->handlers.items[p->handler];
        *is_handler = false;
        p->handler = 0;
    }
    return NULL;
}

/* The result of a loop, as Ansible puts it together. */
static struct value *loop_result(const struct progress *p, struct arena *a)
{
    struct value *all = value_map(a), *results = value_list(a);
    bool changed = false, failed = false, skipped = true;

    for (size_t i = 0; i < p->results.n; i++) {
        const struct value *one = p->results.items[i];

        value_list_add(a, results, p->results.items[i]);
        changed |= value_get_bool(one, "changed", false);
        failed |= value_get_bool(one, "failed", false);
        skipped &= value_get_bool(one, "skipped", false);
    }
    value_map_set(a, all, "changed", value_bool(a, changed));
    if (skipped)
        value_map_set(a, all, "skipped", value_bool(a, true));
    value_map_set(a, all, "failed", value_bool(a, failed));
    value_map_set(a, all, "msg",
                  value_str(a, failed    ? "One or more items failed"
                               : skipped ? "All items skipped"
                                         : "All items completed"));
    value_map_set(a, all, "results", results);
    return all;
}

static void set_facts(struct progress *p, struct host *host, const struct step *step)
{
    const struct value *facts = value_get(step->result, "ansible_facts");

    if (!facts || facts->type != VALUE_MAP || step->failed)
        return;
    for (size_t i = 0; i < facts->u.map.n; i++)
        map_set(&p->registered, facts->u.map.entries[i].key,
                value_copy(&host->arena, facts->u.map.entries[i].value));
}

static void notify(struct progress *p, struct host *host, const struct step *step)
{
    const struct play *play = step->stage->play;

    for (size_t i = 0; i < step->notify.n; i++)
        for (size_t h = 0; h < play->handlers.n; h++)
            if (handler_hears(&play->handlers.items[h], step->notify.items[i], &host->arena))
                p->notified[h] = true;
}

static void move_on(struct progress *p, const struct step *step)
{
    p->items = NULL;
    p->item = 0;
    p->results.n = 0;
    if (step->is_handler)
        p->notified[p->handler++] = false;
    else
        p->task++;
}

/* The step's arena goes with the step: what is registered is copied. */
void progress_pass(struct progress *p, struct host *host, const struct step *step)
{
    const char *name = step->task->registers;
    struct value *result = NULL;

    p->attempt = 0;
    set_facts(p, host, step);
    if (step->changed)
        notify(p, host, step);
    if (name)
        result = value_copy(&host->arena, step->result);
    if (step->items) {
        if (name)
            vec_push(&p->results, result);
        p->items = step->items;
        p->item++;
        if (!step->last)
            return;
        if (name)
            result = loop_result(p, &host->arena);
    }
    if (name)
        map_set(&p->registered, name, result);
    move_on(p, step);
}
