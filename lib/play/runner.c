/*
 * runner.c - a run: plays, batches of serial, segments around run_once, and what hosts share.
 */
#include <fnmatch.h>

#include "lib/base/clock.h"
#include "lib/net/pool.h"
#include "lib/play/vars.h"

#define PENDING_DIR "/var/lib/pgha-deploy/pending"

/* What the pool's jobs get: hosts of a batch, and what to do with each. */
struct crew {
    struct run *run;
    struct stage *stage;
    struct host **hosts;
    size_t n;
    size_t end; /* of the segment */
};

/* ---- tags ---- */

static bool list_has(const char *const *list, const char *name)
{
    for (; list && *list; list++)
        if (str_eq(*list, name))
            return true;
    return false;
}

static bool tags_in(const struct task *task, const char *const *list)
{
    for (size_t i = 0; i < task->tags.n; i++)
        if (list_has(list, task->tags.items[i]))
            return true;
    return list_has(list, "untagged") && task->tags.n == 0;
}

static bool tagged_in(const struct task *task, const char *const *list)
{
    return list_has(list, "tagged") && task->tags.n > 0;
}

/* As Ansible: `always` runs whatever is asked for, `never` only when one of its tags is named. */
static bool tags_ask_for(const struct task *task, const char *const *tags)
{
    if (names_have(&task->tags, "always") || tags_in(task, tags))
        return true;
    if (names_have(&task->tags, "never"))
        return false;
    return !tags || !*tags || list_has(tags, "all") || tagged_in(task, tags);
}

/* As Ansible: `all` spares what is tagged `always`, unless that is named too. */
static bool tags_skip(const struct task *task, const char *const *skip)
{
    if (list_has(skip, "all"))
        return !names_have(&task->tags, "always") || list_has(skip, "always");
    return tags_in(task, skip) || tagged_in(task, skip);
}

static bool task_selected(const struct task *task, const struct play_options *options)
{
    return tags_ask_for(task, options->tags) && !tags_skip(task, options->skip_tags);
}

/* ---- setting up ---- */

static struct value *names_value(struct arena *a, struct host *const *hosts, size_t n,
                                 bool alive_only)
{
    struct value *names = value_list(a);

    for (size_t i = 0; i < n; i++)
        if (!alive_only || !hosts[i]->failed)
            value_list_add(a, names, value_str(a, hosts[i]->name));
    return names;
}

static void add_host(struct run *run, const struct inventory_host *inventory, size_t cap)
{
    struct host *host = map_get(&run->by_name, inventory->name);

    if (host)
        return;
    if (run->n == cap)
        BUG("more hosts than the inventory has");
    host = &run->hosts[run->n++];
    host->run = run;
    host->name = inventory->name;
    host->inventory = inventory;
    arena_init(&host->arena);
    world_init(&host->world);
    map_init(&host->progress.registered);
    map_init(&host->before.registered);
    map_init(&host->marked);
    map_init(&host->files);
    host->vars = inventory_vars(run->inv, inventory, &host->arena);
    map_set(&run->by_name, host->name, host);
}

static bool host_in(struct inventory_host *const *hosts, size_t n,
                    const struct inventory_host *host)
{
    for (size_t i = 0; i < n; i++)
        if (hosts[i] == host)
            return true;
    return false;
}

/* The hosts of a play that --limit leaves. */
static int set_stage_hosts(struct run *run, struct stage *stage, struct err *err)
{
    const char *limit = run->options->limit;
    struct inventory_host **named, **limited = NULL;
    size_t n, n_limited = 0;
    int rc = -1;

    named = inventory_match(run->inv, stage->play->hosts, &n, err);
    if (!named)
        return err_wrap(err, "%s:%d", stage->play->src.file, stage->play->src.line);
    if (limit) {
        limited = inventory_match(run->inv, limit, &n_limited, err);
        if (!limited) {
            err_wrap(err, "--limit");
            goto out;
        }
    }
    stage->hosts = xcalloc(n + 1, sizeof(struct host *));
    for (size_t i = 0; i < n; i++) {
        struct host *host;

        if (limit && !host_in(limited, n_limited, named[i]))
            continue;
        host = map_get(&run->by_name, named[i]->name);
        stage->hosts[stage->n++] = host;
    }
    rc = 0;
out:
    free(named);
    free(limited);
    return rc;
}

/* Has the part of a block anything to do? */
static bool part_has_tasks(const struct stage *stage, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (stage->selected[i] && task_is_real(&stage->play->tasks.items[i]))
            return true;
    return false;
}

static void select_tasks(struct run *run, struct stage *stage)
{
    const struct play *play = stage->play;

    stage->selected = xcalloc(play->tasks.n + 1, sizeof(*stage->selected));
    for (size_t i = 0; i < play->tasks.n; i++) {
        const struct task *task = &play->tasks.items[i];

        stage->selected[i] = task->implicit || task_selected(task, run->options);
    }
    stage->blocks = xcalloc(play->blocks.n + 1, sizeof(*stage->blocks));
    vec_each (block, &play->blocks)
        stage->blocks[(*block)->index] =
            (struct block_use){part_has_tasks(stage, (*block)->rescue, (*block)->always),
                               part_has_tasks(stage, (*block)->always, (*block)->end)};
    stage->host_names = names_value(&run->arena, stage->hosts, stage->n, false);
    stage->alive_names = stage->batch_names = stage->host_names;
}

/* ---- --start-at-task ---- */

static bool is_named(const struct task *task, const char *name, struct arena *a)
{
    const char *plain = task->name ? task->name->u.str.s : "";
    const char *title = task_title(task, a);

    return str_eq(plain, name) || str_eq(title, name) || fnmatch(name, title, 0) == 0 ||
           (task->name && fnmatch(name, plain, 0) == 0);
}

/* The first task of that name which is met when nothing fails; as with Ansible, not in a file that
 * is included at run time. */
static bool find_start(const struct stage *stage, const char *name, struct arena *a, size_t *start)
{
    const struct play *play = stage->play;
    size_t i = 0;

    while (i < play->tasks.n && stage->n > 0) {
        const struct task *task = &play->tasks.items[i];

        *start = i;
        if (task->kind == TASK_MODULE && stage->selected[i] && is_named(task, name, a))
            return true;
        if (task->kind == TASK_RESCUE)
            i = task->block->always;
        else
            i = task->kind == TASK_MODULE && task->include ? task->include->end : i + 1;
    }
    return false;
}

static int leave_out_before_start(struct run *run, struct err *err)
{
    const char *name = run->options->start_at;
    size_t start;

    for (size_t i = 0; i < run->n_stages; i++) {
        struct stage *stage = &run->stages[i];

        if (find_start(stage, name, &run->arena, &start)) {
            for (size_t t = 0; t < start; t++)
                stage->selected[t] = false;
            return 0;
        }
        stage->n = 0;
    }
    err_set(err, ERR_USAGE, "there is no task \"%s\" to start at", name);
    return err_hint(err, "--list-tasks tells the names; tasks of included files cannot be named");
}

static void note_hosts(struct run *run)
{
    for (size_t i = 0; i < run->n_stages; i++)
        for (size_t h = 0; h < run->stages[i].n; h++)
            run->stages[i].hosts[h]->takes_part = true;
}

static struct value *version_value(struct arena *a)
{
    struct value *v = value_map(a);

    /* the release whose behaviour is followed */
    value_map_set(a, v, "full", value_str(a, "2.19.0"));
    value_map_set(a, v, "string", value_str(a, "2.19.0"));
    value_map_set(a, v, "major", value_int(a, 2));
    value_map_set(a, v, "minor", value_int(a, 19));
    value_map_set(a, v, "revision", value_int(a, 0));
    return v;
}

static int add_templates(struct run *run, struct err *err)
{
    struct faults faults;
    int rc;

    faults_init(&faults);
    templates_init(&run->templates, &run->arena);
    for (size_t i = 0; i < run->n; i++)
        templates_add(&run->templates, run->hosts[i].vars, &faults);
    if (run->extra)
        templates_add(&run->templates, run->extra, &faults);
    rc = faults_to_err(&faults, err);
    faults_release(&faults);
    return rc;
}

int run_init(struct run *run, const struct playbook *pb, const struct assets *assets,
             const struct inventory *inv, const struct play_options *options, struct err *err)
{
    *run = (struct run){.pb = pb, .assets = assets, .inv = inv, .options = options};
    arena_init(&run->arena);
    map_init(&run->by_name);
    run->transport = options->transport ? options->transport : &play_transport_ssh;
    run->pending_dir = options->pending_dir ? options->pending_dir : PENDING_DIR;
    run->now_s = clock_real_ms() / 1000;
    run->extra = options->extra_vars;
    run->groups = inventory_groups_value(inv, &run->arena);
    run->version = version_value(&run->arena);
    run->hosts = xcalloc(inv->hosts.n + 1, sizeof(*run->hosts));
    for (size_t i = 0; i < inv->hosts.n; i++)
        add_host(run, inv->hosts.entries[i].value, inv->hosts.n);
    vars_init(run);
    run->stages = xcalloc(pb->plays.n + 1, sizeof(*run->stages));
    for (size_t i = 0; i < pb->plays.n; i++) {
        struct stage *stage = &run->stages[run->n_stages++];

        stage->play = pb->plays.items[i];
        if (set_stage_hosts(run, stage, err) < 0)
            return -1;
        select_tasks(run, stage);
    }
    if (options->start_at && leave_out_before_start(run, err) < 0)
        return -1;
    note_hosts(run);
    return add_templates(run, err);
}

void run_release(struct run *run)
{
    for (size_t i = 0; i < run->n; i++) {
        struct host *host = &run->hosts[i];

        progress_release(&host->progress);
        progress_release(&host->before);
        world_release(&host->world);
        map_release(&host->marked);
        map_release(&host->files);
        vec_release(&host->stale);
        vec_release(&host->batch);
        arena_release(&host->arena);
    }
    for (size_t i = 0; i < run->n_stages; i++) {
        free(run->stages[i].hosts);
        free(run->stages[i].selected);
        free(run->stages[i].blocks);
    }
    free(run->hosts);
    free(run->stages);
    map_release(&run->by_name);
    templates_release(&run->templates);
    arena_release(&run->arena);
}

/* ---- what hosts share ---- */

/* Lets other hosts see what this one has registered so far. */
static void publish(struct host *host)
{
    struct value *registered = value_map(&host->arena);

    for (size_t i = 0; i < host->progress.registered.n; i++)
        value_map_set(&host->arena, registered, host->progress.registered.entries[i].key,
                      host->progress.registered.entries[i].value);
    host->published = registered;
}

static void gather_facts(struct stage *stage)
{
    for (size_t i = 0; i < stage->n && stage->play->gather_facts; i++) {
        struct host *host = stage->hosts[i];

        host->facts_visible = true;
        host->published_facts = world_facts(&host->world);
    }
}

/* What a run_once task found out is every host's. */
static void share(const struct task *task, const struct host *from, struct host *const *hosts,
                  size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct map *to = &hosts[i]->progress.registered;
        const struct map *all = &from->progress.registered;

        if (hosts[i] == from || hosts[i]->failed)
            continue;
        for (size_t k = 0; k < all->n; k++)
            if (str_eq(all->entries[k].key, task->registers) ||
                (task->module->any_args && value_get(task->args, all->entries[k].key)))
                map_set(to, all->entries[k].key, all->entries[k].value);
    }
}

/* ---- stages ---- */

static void open_job(void *ctx, size_t job)
{
    struct crew *crew = ctx;

    host_open(crew->hosts[job]);
}

static void segment_job(void *ctx, size_t job)
{
    struct crew *crew = ctx;

    if (!crew->hosts[job]->failed)
        host_segment(crew->hosts[job], crew->stage, crew->end);
}

static void close_job(void *ctx, size_t job)
{
    host_close(((struct crew *)ctx)->hosts[job]);
}

static void work(struct crew *crew, void (*job)(void *ctx, size_t job))
{
    bool *started = xcalloc(crew->n + 1, sizeof(*started));

    pool_run(crew->run->options->forks, crew->n, job, crew, started);
    for (size_t i = 0; i < crew->n; i++) {
        struct err err = ERR_INIT;

        if (started[i] || crew->hosts[i]->failed)
            continue;
        err_set(&err, ERR_INTERRUPTED, "%s: stopped", crew->hosts[i]->name);
        host_fail(crew->hosts[i], &err);
    }
    free(started);
}

static size_t count_failed(const struct crew *crew)
{
    size_t failed = 0;

    for (size_t i = 0; i < crew->n; i++)
        failed += crew->hosts[i]->failed;
    return failed;
}

/* Is the task still before the host? A rescue or an include may have led past it. */
static bool is_before(const struct host *host, size_t index)
{
    return !host->failed && !host->progress.lost && host->progress.task <= index;
}

/* Those that waited at a task which the first host has done: past it, or to where its failure
 * leads.
 */
static void follow(struct crew *crew, const struct host *first, size_t index)
{
    const struct play *play = crew->stage->play;
    const struct include *include = play->tasks.items[index].include;
    bool failed = !include && (first->progress.lost || first->progress.task != index + 1);

    for (size_t i = 0; i < crew->n; i++) {
        struct progress *p = &crew->hosts[i]->progress;

        if (crew->hosts[i] == first || !is_before(crew->hosts[i], index))
            continue;
        p->task = index;
        if (failed)
            progress_fail(p, crew->stage);
        else
            progress_skip(p, play);
    }
}

/* The first host alone does the task; the others pass it by. False when it failed: as with Ansible
 * nobody goes on without what it should have done. */
static bool run_once(struct crew *crew, size_t index)
{
    const struct task *task = &crew->stage->play->tasks.items[index];
    struct crew one = *crew;

    one.n = 0;
    for (size_t i = 0; i < crew->n && one.n == 0; i++) {
        if (!is_before(crew->hosts[i], index))
            continue;
        one.hosts = &crew->hosts[i];
        one.n = 1;
    }
    if (one.n == 0)
        return true;
    one.end = index + 1;
    work(&one, segment_job);
    follow(crew, one.hosts[0], index);
    share(task, one.hosts[0], crew->hosts, crew->n);
    return !one.hosts[0]->failed;
}

/* Is there a task after which all stop when a host fails? */
static bool is_fatal(const struct stage *stage)
{
    const struct play *play = stage->play;

    for (size_t i = 0; i < play->tasks.n; i++)
        if (stage->selected[i] && play->tasks.items[i].any_errors_fatal == CHOICE_YES)
            return true;
    return play->any_errors_fatal;
}

static bool next_run_once(const struct stage *stage, size_t from, size_t *index)
{
    for (size_t i = from; i < stage->play->tasks.n; i++) {
        const struct task *task = &stage->play->tasks.items[i];

        *index = i;
        if (task->kind == TASK_MODULE && stage->selected[i] && task->run_once == CHOICE_YES)
            return true;
    }
    *index = stage->play->tasks.n;
    return false;
}

/* False: the run ends here. */
static bool run_batch(struct crew *crew)
{
    struct stage *stage = crew->stage;
    size_t before = count_failed(crew);
    size_t from = 0, index;
    bool once = true;

    for (size_t i = 0; i < crew->n; i++)
        if (!crew->hosts[i]->failed)
            progress_start_play(&crew->hosts[i]->progress, stage->play, crew->hosts[i]);
    stage->batch_names = names_value(&crew->run->arena, crew->hosts, crew->n, true);
    while (once && count_failed(crew) < crew->n) {
        stage->alive_names = names_value(&crew->run->arena, stage->hosts, stage->n, true);
        once = next_run_once(stage, from, &index);
        crew->end = index;
        work(crew, segment_job);
        if (count_failed(crew) > before && is_fatal(stage))
            return false;
        if (once && !run_once(crew, index))
            return false;
        from = index + 1;
    }
    return count_failed(crew) < crew->n && !(count_failed(crew) > before && is_fatal(stage));
}

/* Size of the batch that begins after `done` batches; the last size repeats. */
static size_t batch_size(const struct stage *stage, size_t done)
{
    const struct value *sizes = stage->play->serial, *size;
    size_t n;

    if (!sizes)
        return stage->n;
    size = sizes->u.list.items[done < sizes->u.list.n ? done : sizes->u.list.n - 1];
    n = size->type == VALUE_INT ? (size_t)size->u.i : strtoull(size->u.str.s, NULL, 10);
    if (value_is_str(size) && str_ends(size->u.str.s, "%"))
        n = stage->n * n / 100;
    return n > 0 ? n : 1;
}

static bool run_stage(struct run *run, struct stage *stage)
{
    bool go_on = true;
    size_t at = 0;

    gather_facts(stage);
    for (size_t batch = 0; go_on && at < stage->n; batch++) {
        struct crew crew = {run, stage, stage->hosts + at, batch_size(stage, batch), 0};

        if (crew.n > stage->n - at)
            crew.n = stage->n - at;
        at += crew.n;
        go_on = run_batch(&crew);
        for (size_t i = 0; i < crew.n; i++)
            publish(crew.hosts[i]);
    }
    return go_on;
}

static void announce(const struct run *run, const struct stage *stage)
{
    event_send(run->options->events,
               &(struct event){.kind = EVENT_STEP, .text = stage->play->name});
}

static void run_all(struct run *run, struct crew *everybody)
{
    bool go_on;

    work(everybody, open_job);
    go_on = count_failed(everybody) < everybody->n;
    for (size_t i = 0; go_on && i < run->n_stages; i++) {
        if (run->stages[i].n == 0)
            continue;
        announce(run, &run->stages[i]);
        go_on = run_stage(run, &run->stages[i]) && !clock_stop_requested();
    }
}

/* Sessions are closed whether or not the run was stopped, so not by the pool, which starts nothing
 * then. */
static void close_all(struct crew *everybody)
{
    bool *started = xcalloc(everybody->n + 1, sizeof(*started));

    if (!clock_stop_requested())
        pool_run(everybody->run->options->forks, everybody->n, close_job, everybody, started);
    for (size_t i = 0; i < everybody->n; i++)
        if (!started[i])
            close_job(everybody, i);
    free(started);
}

/* ---- the result ---- */

static const char *copy_text(struct arena *a, const char *text)
{
    return text ? arena_strdup(a, text) : NULL;
}

/* Objects (hostvars) are of the run: none may stay in what outlives it. */
static void drop_objects(struct value *v)
{
    if (v->type == VALUE_OBJECT)
        v->type = VALUE_NULL;
    for (size_t i = 0; v->type == VALUE_LIST && i < v->u.list.n; i++)
        drop_objects(v->u.list.items[i]);
    for (size_t i = 0; v->type == VALUE_MAP && i < v->u.map.n; i++)
        drop_objects(v->u.map.entries[i].value);
}

/* The result outlives the run: what hosts hold is copied. */
static void finish_host(struct host *host, struct play_result *result)
{
    struct host_result *r = host->result;
    struct arena *a = &result->arena;

    r->host = arena_strdup(a, host->name);
    r->registered = value_map(a);
    for (size_t i = 0; i < host->progress.registered.n; i++) {
        struct value *copy = value_copy(a, host->progress.registered.entries[i].value);

        drop_objects(copy);
        value_map_set(a, r->registered, host->progress.registered.entries[i].key, copy);
    }
    vec_each (change, &r->changes) {
        change->task = copy_text(a, change->task);
        change->module = copy_text(a, change->module);
        change->where = copy_text(a, change->where);
        change->summary = copy_text(a, change->summary);
        change->diff = copy_text(a, change->diff);
        change->consequence = copy_text(a, change->consequence);
    }
    result->changed += r->changed > 0;
    result->failed += host->failed;
}

static int first_error(const struct play_result *result, struct err *err)
{
    const struct err *first = NULL;

    for (size_t i = 0; i < result->n && !first; i++)
        if (result->hosts[i].err.text)
            first = &result->hosts[i].err;
    if (!first)
        return 0;
    if (result->failed > 1)
        err_set(err, first->code, "%s (and %d more failed)", first->text, result->failed - 1);
    else
        err_set(err, first->code, "%s", first->text);
    if (first->hint)
        err_hint(err, "%s", first->hint);
    return -1;
}

/* Gives each host that takes part its place in the result, in the inventory's order. */
static void place_results(struct run *run, struct play_result *result, struct crew *everybody)
{
    result->hosts = xcalloc(run->n + 1, sizeof(*result->hosts));
    everybody->hosts = xcalloc(run->n + 1, sizeof(struct host *));
    for (size_t i = 0; i < run->n; i++) {
        if (!run->hosts[i].takes_part)
            continue;
        run->hosts[i].result = &result->hosts[result->n++];
        everybody->hosts[everybody->n++] = &run->hosts[i];
    }
}

int play_run(const struct playbook *pb, const struct assets *assets, const struct inventory *inv,
             const struct play_options *options, struct play_result *result, struct err *err)
{
    struct run run;
    struct crew everybody = {.run = &run};
    int rc;

    memset(result, 0, sizeof(*result));
    arena_init(&result->arena);
    rc = run_init(&run, pb, assets, inv, options, err);
    if (rc == 0) {
        place_results(&run, result, &everybody);
        run_all(&run, &everybody);
        close_all(&everybody);
        for (size_t i = 0; i < everybody.n; i++)
            finish_host(everybody.hosts[i], result);
        rc = first_error(result, err);
    }
    free(everybody.hosts);
    run_release(&run);
    return rc;
}

void play_result_release(struct play_result *result)
{
    for (size_t i = 0; i < result->n; i++) {
        vec_release(&result->hosts[i].changes);
        err_release(&result->hosts[i].err);
    }
    free(result->hosts);
    arena_release(&result->arena);
    memset(result, 0, sizeof(*result));
}
