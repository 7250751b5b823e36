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
    free(p->failing);
    p->n_handlers = play->handlers.n;
    p->notified = xcalloc(p->n_handlers + 1, sizeof(*p->notified));
    p->n_blocks = play->blocks.n;
    p->failing = xcalloc(p->n_blocks + 1, sizeof(*p->failing));
    p->turn = p->accepted = NULL;
    p->item_failed = p->lost = false;
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
    to->failing = xcalloc(from->n_blocks + 1, sizeof(*to->failing));
    if (from->failing)
        memcpy(to->failing, from->failing, from->n_blocks * sizeof(*to->failing));
}

void progress_release(struct progress *p)
{
    vec_release(&p->results);
    map_release(&p->registered);
    free(p->notified);
    free(p->failing);
    memset(p, 0, sizeof(*p));
    map_init(&p->registered);
}

/* ---- the way through the list ---- */

enum fate progress_fate(const struct progress *p, const struct stage *stage)
{
    const struct block *block = stage->play->tasks.items[p->task].block;
    enum fate fate = FATE_ENDS;

    for (; block; block = block->outer) {
        const struct block_use *use = &stage->blocks[block->index];

        if (p->task < block->rescue && use->rescues)
            return FATE_RESCUED;
        if (p->task < block->always && use->cleans_up)
            fate = FATE_CLEANS_UP;
    }
    return fate;
}

/* To a place that may lie outside of the includes the host is in. */
static void leave_to(struct progress *p, size_t place)
{
    while (p->turn) {
        const struct include *include = p->turn->include;

        if (place >= include->files.items[0].first && place < include->end)
            break;
        p->turn = p->turn->outer;
    }
    p->task = place;
    p->handler = 0;
}

/* A failure in a part of the block that is at `place`. */
static void fail_from(struct progress *p, const struct stage *stage, const struct block *block,
                      size_t place)
{
    for (; block; place = block->end, block = block->outer) {
        const struct block_use *use = &stage->blocks[block->index];

        p->failing[block->index] = false;
        if (place < block->rescue && use->rescues) {
            leave_to(p, block->rescue + 1);
            return;
        }
        if (place < block->always && use->cleans_up) {
            p->failing[block->index] = true;
            leave_to(p, block->always + 1);
            return;
        }
    }
    p->lost = true;
}

void progress_fail(struct progress *p, const struct stage *stage)
{
    fail_from(p, stage, stage->play->tasks.items[p->task].block, p->task);
}

/* Past a mark, to where it leads. */
static void pass_mark(struct progress *p, const struct stage *stage, const struct task *mark)
{
    switch (mark->kind) {
    case TASK_RESCUE: /* nothing failed */
        p->task = mark->block->always;
        break;
    case TASK_BLOCK_END:
        if (p->failing[mark->block->index]) {
            p->failing[mark->block->index] = false;
            fail_from(p, stage, mark->block->outer, p->task);
        } else {
            p->task++;
        }
        break;
    case TASK_INCLUDE_END:
        if (p->turn->next) {
            p->turn = p->turn->next;
            p->task = p->turn->file->first;
        } else {
            p->turn = p->turn->outer;
            p->task = mark->include->end;
        }
        break;
    case TASK_MODULE:
    case TASK_FLUSH_HANDLERS:
    case TASK_NOOP:
    case TASK_ALWAYS:
        p->task++;
        break;
    }
}

void progress_skip(struct progress *p, const struct play *play)
{
    const struct task *task = &play->tasks.items[p->task];

    p->task = task->kind == TASK_MODULE && task->include ? task->include->end : p->task + 1;
}

/* The next handler of a flush; NULL when all have had their turn. */
static const struct task *next_handler(struct progress *p, const struct play *play)
{
    for (; p->handler < play->handlers.n; p->handler++)
        if (p->notified[p->handler] && play->handlers.items[p->handler].kind == TASK_MODULE)
            return &play->handlers.items[p->handler];
    p->handler = 0;
    return NULL;
}

const struct task *progress_task(struct progress *p, const struct stage *stage, size_t end,
                                 bool *is_handler)
{
    const struct play *play = stage->play;
    const struct task *handler;

    *is_handler = false;
    while (p->task < end && p->task < play->tasks.n && !p->lost) {
        const struct task *task = &play->tasks.items[p->task];

        if (task->kind == TASK_MODULE && stage->selected[p->task])
            return task;
        if (task->kind == TASK_FLUSH_HANDLERS && stage->selected[p->task] &&
            (handler = next_handler(p, play))) {
            *is_handler = true;
            return handler;
        }
        if (task->kind == TASK_MODULE)
            progress_skip(p, play);
        else
            pass_mark(p, stage, task);
    }
    return NULL;
}

void progress_accept(struct progress *p, struct arena *a, const struct turn *turn)
{
    struct turn *copy = arena_new(a, struct turn);

    *copy = *turn;
    copy->next = p->accepted;
    copy->outer = p->turn;
    p->accepted = copy;
}

void progress_enter(struct progress *p, struct arena *a, const struct include *include)
{
    const struct turn *first = NULL;

    for (const struct turn *turn = p->accepted; turn; turn = turn->next) {
        struct turn *copy = arena_new(a, struct turn);

        *copy = *turn;
        copy->next = first;
        first = copy;
    }
    p->accepted = NULL;
    if (first)
        p->turn = first;
    p->task = first ? first->file->first : include->end;
}

/* ---- what a step leaves ---- */

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

bool step_fails(const struct step *step)
{
    return step->last && (step->failed || step->earlier_failed) && !step->ignore_errors;
}

/* ansible_failed_task, as far as one asks for it. */
static struct value *failed_task(const struct step *step, struct arena *a)
{
    const struct task *task = step->task;
    struct value *v = value_map(a), *tags = value_list(a), *args = value_map(a);
    const char *name = step->title;
    const char *role = task->role ? task->role->role->name : NULL;

    if (role && str_starts(name, role))
        name += strlen(role) + strlen(" : ");
    for (size_t i = 0; i < task->tags.n; i++)
        value_list_add(a, tags, value_str(a, task->tags.items[i]));
    if (step->call.args)
        args = value_copy(a, step->call.args);
    if (step->call.free_form)
        value_map_set(a, args, "_raw_params", value_str(a, step->call.free_form));
    value_map_set(a, v, "name", value_str(a, task->name ? name : ""));
    value_map_set(a, v, "action", value_str(a, task->module->name));
    value_map_set(a, v, "args", args);
    value_map_set(a, v, "tags", tags);
    return v;
}

static void keep_failure(struct progress *p, struct host *host, const struct step *step,
                         struct value *result)
{
    map_set(&p->registered, "ansible_failed_task", failed_task(step, &host->arena));
    map_set(&p->registered, "ansible_failed_result", result);
}

static void accept_file(struct progress *p, struct host *host, const struct step *step)
{
    const char *path = value_get_str(step->result, "include", NULL);
    struct turn turn = {.include = step->task->include, .item = step->item, .index = step->index};

    if (step->skipped || step->failed || !path)
        return;
    turn.file = include_find(step->task->include, path);
    progress_accept(p, &host->arena, &turn);
}

static void move_on(struct progress *p, struct host *host, const struct step *step)
{
    p->items = NULL;
    p->item = 0;
    p->item_failed = false;
    p->results.n = 0;
    if (step->is_handler)
        p->notified[p->handler++] = false;
    if (step_fails(step))
        progress_fail(p, step->stage);
    else if (step->task->include)
        progress_enter(p, &host->arena, step->task->include);
    else if (!step->is_handler)
        p->task++;
    p->accepted = NULL;
}

/* The step's arena goes with the step: what is registered is copied. */
void progress_pass(struct progress *p, struct host *host, const struct step *step)
{
    const char *name = step->task->registers;
    bool rescued = step_fails(step) && progress_fate(p, step->stage) == FATE_RESCUED;
    bool wanted = name || (step->fate == FATE_RESCUED && !step->ignore_errors);
    struct value *result = NULL;

    p->attempt = 0;
    set_facts(p, host, step);
    if (step->changed && !step->failed)
        notify(p, host, step);
    if (step->task->include)
        accept_file(p, host, step);
    if (name || rescued || (wanted && step->items))
        result = value_copy(&host->arena, step->result);
    if (step->items) {
        if (result)
            vec_push(&p->results, result);
        p->items = step->items;
        p->item++;
        p->item_failed |= step->failed;
        if (!step->last)
            return;
        if (result)
            result = loop_result(p, &host->arena);
    }
    if (name)
        map_set(&p->registered, name, result);
    if (rescued)
        keep_failure(p, host, step, result);
    move_on(p, host, step);
}
