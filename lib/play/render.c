/*
 * render.c - the files that a playbook would write on a host, without the host.
 *
 * Each template and copy task is planned in check mode against a world where nothing exists yet;
 * what it says will be there is the file.
 */
#include "lib/play/vars.h"

struct rendering {
    struct host *host;
    struct stage *stage;
    struct map pending; /* names that a host's answer would give */
    int (*file)(void *ctx, const char *dest, unsigned mode, const char *owner, const char *content,
                size_t len, struct err *err);
    void *ctx;
};

static void know_absent(void *ctx, const struct need *need)
{
    struct world *world = ctx;
    struct path_state *absent;

    if (need->kind != NEED_PATH || world_knows(world, need))
        return;
    absent = arena_new(&world->arena, struct path_state);
    absent->content_asked = true;
    world_set(world, NEED_PATH, need->name, absent);
}

/* The files that the plan made. */
static int tell_files(struct rendering *r, struct world *world, struct err *err)
{
    const struct map *paths = &world->entries[NEED_PATH];

    for (size_t i = 0; i < paths->n; i++) {
        const struct path_state *path = paths->entries[i].value;

        if (path->type == 'f' && path->content &&
            r->file(r->ctx, paths->entries[i].key, path->mode, path->owner ? path->owner : "root",
                    path->content, path->content_len, err) < 0)
            return -1;
    }
    return 0;
}

static int plan_file(struct rendering *r, struct step *step, struct err *err)
{
    const struct module *module = step->task->module;
    struct world world;
    int rc;

    world_init(&world);
    str_init(&step->plan.script, STR_MAX_TEXT);
    str_init(&step->plan.diff, STR_MAX_TEXT);
    rc = module->needs(&step->call, know_absent, &world, err);
    if (rc == 1)
        rc = err_set(err, ERR_INPUT, "it needs facts or results of the host");
    if (rc == 0)
        rc = module->plan(&step->call, &world, &step->plan, err);
    if (rc == 0 && step->plan.kind == PLAN_FAIL)
        rc = err_set(err, ERR_INPUT, "%s", step->plan.msg);
    if (rc == 0)
        rc = tell_files(r, &world, err);
    str_release(&step->plan.script);
    str_release(&step->plan.diff);
    world_release(&world);
    return rc;
}

static void set_facts(struct rendering *r, struct step *step)
{
    const struct module *module = step->task->module;
    struct err err = ERR_INIT;
    const struct value *facts;

    if (module->needs(&step->call, know_absent, &r->host->world, &err) == 0 &&
        module->plan(&step->call, &r->host->world, &step->plan, &err) == 0 && step->plan.result) {
        facts = value_get(step->plan.result, "ansible_facts");
        for (size_t i = 0; facts && i < facts->u.map.n; i++) {
            map_set(&r->host->progress.registered, facts->u.map.entries[i].key,
                    facts->u.map.entries[i].value);
            map_del(&r->pending, facts->u.map.entries[i].key);
        }
    }
    err_release(&err);
}

static bool writes_files(const struct task *task)
{
    return str_eq(task->module->name, "template") || str_eq(task->module->name, "copy");
}

/* One item. A condition that only the host can answer is taken as true. */
static int render_item(struct rendering *r, const struct task *task, struct scope *scope,
                       struct err *err)
{
    struct step step = {.task = task, .stage = r->stage, .check = true};
    struct arena *a = &r->host->arena;
    bool truth = true;
    int rc = vars_true(scope, a, &task->when, &truth, err);

    if (rc == JINJA_ERROR)
        return -1;
    if (rc == JINJA_OK && !truth)
        return 0;
    rc = step_fill_call(r->host, &step, scope, a, err);
    if (rc != JINJA_OK && !writes_files(task)) {
        err_release(err);
        return 0;
    }
    if (rc == JINJA_PENDING)
        return err_set(err, ERR_INPUT, "it needs facts or results of the host");
    if (rc == JINJA_ERROR)
        return -1;
    if (writes_files(task))
        return plan_file(r, &step, err);
    set_facts(r, &step);
    return 0;
}

static int render_items(struct rendering *r, const struct task *task, const struct scope *outer,
                        struct err *err)
{
    struct arena *a = &r->host->arena;
    struct scope all = *outer;
    const struct value *items;
    int rc = step_loop_items(&all, task, a, &items, err);

    if (rc == JINJA_PENDING)
        return err_set(err, ERR_INPUT, "its loop needs facts or results of the host");
    if (rc == JINJA_ERROR)
        return -1;
    for (size_t i = 0; i < items->u.list.n; i++) {
        struct scope *scope = arena_new(a, struct scope);

        *scope = *outer;
        scope_set_item(scope, a, task, items->u.list.items[i], i);
        if (render_item(r, task, scope, err) < 0)
            return -1;
    }
    return 0;
}

static int render_task(struct rendering *r, const struct task *task, const struct turn *turn,
                       struct err *err)
{
    struct scope *scope = arena_new(&r->host->arena, struct scope);
    int rc;

    if (task->registers)
        map_set(&r->pending, task->registers, r);
    if (!writes_files(task) && !task->module->any_args)
        return 0;
    *scope = (struct scope){.host = r->host, .stage = r->stage, .task = task, .turn = turn};
    scope->registered = &r->host->progress.registered;
    scope->pending = &r->pending;
    for (size_t i = 0; task->module->any_args && task->args && i < task->args->u.map.n; i++)
        map_set(&r->pending, task->args->u.map.entries[i].key, r);
    rc = task->loop ? render_items(r, task, scope, err) : render_item(r, task, scope, err);
    if (rc < 0)
        return err_wrap(err, "%s:%d: %s", task->src.file, task->src.line,
                        task_title(task, &r->host->arena));
    return 0;
}

static int render_include(struct rendering *r, const struct task *task, struct progress *walk,
                          struct err *err)
{
    struct arena *a = &r->host->arena;
    struct scope scope = {.host = r->host, .stage = r->stage, .task = task, .turn = walk->turn};
    int rc;

    scope.registered = &r->host->progress.registered;
    scope.pending = &r->pending;
    rc = step_accept_include(r->host, r->stage, task, &scope, a, walk, err);
    if (rc == JINJA_PENDING)
        err_set(err, ERR_INPUT, "it needs facts or results of the host");
    if (rc != JINJA_OK)
        return err_wrap(err, "%s:%d: %s", task->src.file, task->src.line, task_title(task, a));
    progress_enter(walk, a, task->include);
    return 0;
}

/* Goes where the host would go, with nothing that fails and no handlers. */
static int render_tasks(struct rendering *r, struct err *err)
{
    struct progress *walk = &r->host->progress;
    const struct task *task;
    bool is_handler;
    int rc = 0;

    progress_start_play(walk, r->stage->play, r->host);
    while (rc == 0 &&
           (task = progress_task(walk, r->stage, r->stage->play->tasks.n, &is_handler))) {
        if (task->include) {
            rc = render_include(r, task, walk, err);
        } else {
            rc = render_task(r, task, walk->turn, err);
            walk->task++;
        }
    }
    return rc;
}

static int render_stage(struct rendering *r, struct err *err)
{
    for (size_t i = 0; i < r->stage->n; i++)
        if (r->stage->hosts[i] == r->host)
            return render_tasks(r, err);
    return 0;
}

int play_render(const struct playbook *pb, const struct assets *assets, const struct inventory *inv,
                const char *host,
                int (*file)(void *ctx, const char *dest, unsigned mode, const char *owner,
                            const char *content, size_t len, struct err *err),
                void *ctx, struct err *err)
{
    struct play_options options = {.check = true};
    struct rendering r = {.file = file, .ctx = ctx};
    struct run run;
    int rc = run_init(&run, pb, assets, inv, &options, err);

    map_init(&r.pending);
    if (rc == 0) {
        r.host = map_get(&run.by_name, host);
        if (!r.host)
            rc = err_set(err, ERR_INPUT, "the inventory has no host '%s'", host);
    }
    for (size_t i = 0; rc == 0 && i < run.n_stages; i++) {
        r.stage = &run.stages[i];
        rc = render_stage(&r, err);
    }
    map_release(&r.pending);
    run_release(&run);
    return rc;
}
