/* profile.c - where a run's time went. */
#include "lib/deploy/profile.h"

#include "lib/base/log.h"

enum { NAME_WIDTH = 60 };

void profile_init(struct profile *p)
{
    *p = (struct profile){.arena = ARENA_INIT};
    map_init(&p->tasks_by_key);
    map_init(&p->hosts_by_name);
}

void profile_release(struct profile *p)
{
    vec_release(&p->stages);
    vec_release(&p->tasks);
    vec_release(&p->hosts);
    map_release(&p->tasks_by_key);
    map_release(&p->hosts_by_name);
    arena_release(&p->arena);
}

/* ---- taking events ---- */

static struct profile_host *host_of(struct profile *p, const char *name)
{
    struct profile_host *host = map_get(&p->hosts_by_name, name);

    if (host)
        return host;
    host = arena_new(&p->arena, struct profile_host);
    host->name = log_redacted(&p->arena, name);
    vec_push(&p->hosts, host);
    map_set(&p->hosts_by_name, name, host);
    return host;
}

static struct profile_task *task_of(struct profile *p, const struct event *e)
{
    char *key = xasprintf("%s\n%s\n%s", e->host, e->task, e->where ? e->where : "");
    struct profile_task *task = map_get(&p->tasks_by_key, key);

    if (!task) {
        task = arena_new(&p->arena, struct profile_task);
        *task = (struct profile_task){log_redacted(&p->arena, e->host),
                                      log_redacted(&p->arena, e->task),
                                      log_redacted(&p->arena, e->where), 0};
        vec_push(&p->tasks, task);
        map_set(&p->tasks_by_key, key, task);
    }
    free(key);
    return task;
}

static void begin_stage(struct profile *p, const struct event *e, int64_t now_ms)
{
    struct profile_stage stage = {.name = log_redacted(&p->arena, e->stage), .began_ms = now_ms};

    if (stage.name)
        vec_push(&p->stages, stage);
}

static void end_stage(struct profile *p, const struct event *e)
{
    for (size_t i = p->stages.n; i > 0; i--) {
        struct profile_stage *stage = &p->stages.items[i - 1];

        if (stage->ended || !str_eq(stage->name, e->stage))
            continue;
        stage->ended = true;
        stage->elapsed_ms = e->elapsed_ms;
        return;
    }
}

static void begin_task(struct profile *p, const struct event *e, int64_t now_ms)
{
    struct profile_host *host = e->host ? host_of(p, e->host) : NULL;

    if (!host)
        return;
    host->task = log_redacted(&p->arena, e->task);
    host->began_ms = now_ms;
}

/* A task's own time; where it has none (resources of a provider), since its host began with it. */
static void end_task(struct profile *p, const struct event *e, int64_t now_ms)
{
    const struct profile_host *host = e->host && e->task ? host_of(p, e->host) : NULL;
    int64_t elapsed_ms = e->elapsed_ms;

    if (!host)
        return;
    if (!elapsed_ms && host->task && str_eq(host->task, e->task))
        elapsed_ms = now_ms - host->began_ms;
    if (elapsed_ms > 0)
        task_of(p, e)->elapsed_ms += elapsed_ms;
}

static void end_host(struct profile *p, const struct event *e)
{
    struct profile_host *host = e->host ? host_of(p, e->host) : NULL;

    if (!host)
        return;
    host->elapsed_ms += e->elapsed_ms;
    host->connect_ms += e->connect_ms;
    host->trips_ms += e->trips_ms;
    host->trips += e->trips;
    host->failed |= e->failed > 0;
}

void profile_add(struct profile *p, const struct event *e, int64_t now_ms)
{
    if (!p->first_ms)
        p->first_ms = now_ms;
    p->last_ms = now_ms;
    switch (e->kind) {
    case EVENT_RUN:
        p->command = log_redacted(&p->arena, e->text);
        break;
    case EVENT_RUN_END:
        p->elapsed_ms = e->elapsed_ms;
        break;
    case EVENT_STAGE:
        begin_stage(p, e, now_ms);
        break;
    case EVENT_STAGE_END:
        end_stage(p, e);
        break;
    case EVENT_HOST:
        begin_task(p, e, now_ms);
        break;
    case EVENT_CHANGED:
    case EVENT_OK:
    case EVENT_SKIPPED:
    case EVENT_FAILED:
        end_task(p, e, now_ms);
        break;
    case EVENT_HOST_END:
        end_host(p, e);
        break;
    case EVENT_STEP:
    case EVENT_NOTE:
        break;
    }
}

/* ---- the report ---- */

static int64_t total_of(const struct profile *p)
{
    return p->elapsed_ms ? p->elapsed_ms : p->last_ms - p->first_ms;
}

static int64_t time_of_stage(const struct profile *p, const struct profile_stage *stage)
{
    return stage->ended ? stage->elapsed_ms : p->last_ms - stage->began_ms;
}

static int64_t waiting(const struct profile_host *host)
{
    int64_t ms = host->elapsed_ms - host->connect_ms - host->trips_ms;

    return ms > 0 ? ms : 0;
}

/* Longest first; of two alike by their names, so that a report is the same every time. */
static int tasks_by_time(const void *a, const void *b)
{
    const struct profile_task *x = *(struct profile_task *const *)a;
    const struct profile_task *y = *(struct profile_task *const *)b;

    if (x->elapsed_ms != y->elapsed_ms)
        return x->elapsed_ms < y->elapsed_ms ? 1 : -1;
    return strcmp(x->host, y->host);
}

static int hosts_by_time(const void *a, const void *b)
{
    const struct profile_host *x = *(struct profile_host *const *)a;
    const struct profile_host *y = *(struct profile_host *const *)b;

    if (x->elapsed_ms != y->elapsed_ms)
        return x->elapsed_ms < y->elapsed_ms ? 1 : -1;
    return strcmp(x->name, y->name);
}

static struct profile_task **slowest_tasks(const struct profile *p, struct arena *a, size_t *n)
{
    struct profile_task **all = arena_alloc(a, (p->tasks.n + 1) * sizeof(*all));

    for (size_t i = 0; i < p->tasks.n; i++)
        all[i] = p->tasks.items[i];
    qsort(all, p->tasks.n, sizeof(*all), tasks_by_time);
    *n = p->tasks.n < PROFILE_SLOWEST ? p->tasks.n : PROFILE_SLOWEST;
    return all;
}

/* Those that scripts were run on. */
static struct profile_host **slowest_hosts(const struct profile *p, struct arena *a, size_t *n)
{
    struct profile_host **all = arena_alloc(a, (p->hosts.n + 1) * sizeof(*all));

    *n = 0;
    for (size_t i = 0; i < p->hosts.n; i++)
        if (p->hosts.items[i]->elapsed_ms > 0)
            all[(*n)++] = p->hosts.items[i];
    qsort(all, *n, sizeof(*all), hosts_by_time);
    return all;
}

static double seconds(int64_t ms)
{
    return (double)ms / 1000;
}

static int percent(int64_t part, int64_t whole)
{
    return whole > 0 ? (int)((part * 100 + whole / 2) / whole) : 0;
}

static void format_stages(const struct profile *p, struct str *out)
{
    int64_t total = total_of(p);

    if (p->stages.n)
        str_printf(out, "\n%-*s %8s  share\n", NAME_WIDTH, "stage", "seconds");
    vec_each (stage, &p->stages) {
        int64_t ms = time_of_stage(p, stage);

        str_printf(out, "%-*s %8.1f  %4d%%%s\n", NAME_WIDTH, stage->name, seconds(ms),
                   percent(ms, total), stage->ended ? "" : "  did not end");
    }
}

static void format_tasks(const struct profile *p, struct arena *a, struct str *out)
{
    size_t n;
    struct profile_task **tasks = slowest_tasks(p, a, &n);

    if (n)
        str_printf(out, "\n%-*s %8s  host\n", NAME_WIDTH, "slowest tasks", "seconds");
    for (size_t i = 0; i < n; i++)
        str_printf(out, "%-*s %8.1f  %s\n", NAME_WIDTH, tasks[i]->name,
                   seconds(tasks[i]->elapsed_ms), tasks[i]->host);
}

static void format_host(const struct profile_host *h, struct str *out)
{
    str_printf(out, "%-24s %8.1f %7.1f %4d%% %7.1f %4d%% %7.1f %4d%% %6d%s\n", h->name,
               seconds(h->elapsed_ms), seconds(h->connect_ms),
               percent(h->connect_ms, h->elapsed_ms), seconds(h->trips_ms),
               percent(h->trips_ms, h->elapsed_ms), seconds(waiting(h)),
               percent(waiting(h), h->elapsed_ms), h->trips, h->failed ? "  failed" : "");
}

static void format_hosts(const struct profile *p, struct arena *a, struct str *out)
{
    size_t n;
    struct profile_host **hosts = slowest_hosts(p, a, &n);
    struct profile_host all = {.name = "all"};

    if (n)
        str_printf(out, "\n%-24s %8s %13s %13s %13s %6s\n", "host", "seconds", "connecting",
                   "in trips", "waiting", "trips");
    for (size_t i = 0; i < n; i++) {
        format_host(hosts[i], out);
        all.elapsed_ms += hosts[i]->elapsed_ms;
        all.connect_ms += hosts[i]->connect_ms;
        all.trips_ms += hosts[i]->trips_ms;
        all.trips += hosts[i]->trips;
    }
    if (n > 1)
        format_host(&all, out);
}

void profile_format(const struct profile *p, struct str *out)
{
    struct arena arena = ARENA_INIT;

    str_printf(out, "Timing of %s: %.1f s\n", p->command ? p->command : "the run",
               seconds(total_of(p)));
    format_stages(p, out);
    format_tasks(p, &arena, out);
    format_hosts(p, &arena, out);
    arena_release(&arena);
}

static struct value *stages_value(const struct profile *p, struct arena *a)
{
    struct value *list = value_list(a);

    vec_each (stage, &p->stages) {
        struct value *v = value_map(a);

        value_map_set(a, v, "stage", value_str(a, stage->name));
        value_map_set(a, v, "elapsed_ms", value_int(a, time_of_stage(p, stage)));
        value_map_set(a, v, "ended", value_bool(a, stage->ended));
        value_list_add(a, list, v);
    }
    return list;
}

static struct value *tasks_value(const struct profile *p, struct arena *a)
{
    size_t n;
    struct profile_task **tasks = slowest_tasks(p, a, &n);
    struct value *list = value_list(a);

    for (size_t i = 0; i < n; i++) {
        struct value *v = value_map(a);

        value_map_set(a, v, "task", value_str(a, tasks[i]->name));
        value_map_set(a, v, "host", value_str(a, tasks[i]->host));
        value_map_set(a, v, "where",
                      tasks[i]->where ? value_str(a, tasks[i]->where) : value_null(a));
        value_map_set(a, v, "elapsed_ms", value_int(a, tasks[i]->elapsed_ms));
        value_list_add(a, list, v);
    }
    return list;
}

static struct value *hosts_value(const struct profile *p, struct arena *a)
{
    size_t n;
    struct profile_host **hosts = slowest_hosts(p, a, &n);
    struct value *list = value_list(a);

    for (size_t i = 0; i < n; i++) {
        struct value *v = value_map(a);

        value_map_set(a, v, "host", value_str(a, hosts[i]->name));
        value_map_set(a, v, "elapsed_ms", value_int(a, hosts[i]->elapsed_ms));
        value_map_set(a, v, "connect_ms", value_int(a, hosts[i]->connect_ms));
        value_map_set(a, v, "trips_ms", value_int(a, hosts[i]->trips_ms));
        value_map_set(a, v, "waiting_ms", value_int(a, waiting(hosts[i])));
        value_map_set(a, v, "trips", value_int(a, hosts[i]->trips));
        value_map_set(a, v, "failed", value_bool(a, hosts[i]->failed));
        value_list_add(a, list, v);
    }
    return list;
}

struct value *profile_to_value(const struct profile *p, struct arena *a)
{
    struct value *v = value_map(a);

    value_map_set(a, v, "command", p->command ? value_str(a, p->command) : value_null(a));
    value_map_set(a, v, "elapsed_ms", value_int(a, total_of(p)));
    value_map_set(a, v, "stages", stages_value(p, a));
    value_map_set(a, v, "tasks", tasks_value(p, a));
    value_map_set(a, v, "hosts", hosts_value(p, a));
    return v;
}
