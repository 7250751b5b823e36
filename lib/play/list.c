/*
 * list.c - the plays, hosts and tasks of a run, told without running it.
 */
#include "lib/play/run.h"

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, each once. */
static void put_tags(const struct names *tags, struct str *out)
{
    const char **sorted = xcalloc(tags->n + 1, sizeof(*sorted));

    for (size_t i = 0; i < tags->n; i++)
        sorted[i] = tags->items[i];
    qsort(sorted, tags->n, sizeof(*sorted), by_text);
    str_puts(out, "\tTAGS: [");
    for (size_t i = 0; i < tags->n; i++)
        if (i == 0 || !str_eq(sorted[i], sorted[i - 1]))
            str_printf(out, "%s%s", i ? ", " : "", sorted[i]);
    str_puts(out, "]\n");
    free(sorted);
}

static void put_task(const struct task *task, struct arena *a, struct str *out)
{
    const char *action = task->module ? task->module->name : "meta";

    str_printf(out, "      %s", task->name ? task_title(task, a) : action);
    put_tags(&task->tags, out);
}

static void put_tasks(const struct stage *stage, struct arena *a, struct str *out)
{
    const struct play *play = stage->play;
    size_t i = 0;

    str_puts(out, "    tasks:\n");
    while (i < play->tasks.n) {
        const struct task *task = &play->tasks.items[i];

        if (task_is_real(task) && !task->implicit && stage->selected[i])
            put_task(task, a, out);
        if (task->kind == TASK_RESCUE)
            i = task->block->end;
        else
            i = task->kind == TASK_MODULE && task->include ? task->include->end : i + 1;
    }
}

static void put_hosts(const struct stage *stage, struct str *out)
{
    const char *pattern = stage->play->hosts;

    str_puts(out, "    pattern: [");
    while (*pattern) {
        size_t len = strcspn(pattern, ",");

        str_printf(out, "'%.*s'%s", (int)len, pattern, pattern[len] ? ", " : "");
        pattern += len + (pattern[len] == ',');
    }
    str_printf(out, "]\n    hosts (%zu):\n", stage->n);
    for (size_t i = 0; i < stage->n; i++)
        str_printf(out, "      %s\n", stage->hosts[i]->name);
}

static void put_play(const struct stage *stage, size_t number, struct str *out)
{
    const struct play *play = stage->play;

    str_printf(out, "\n  play #%zu (%s): %s\tTAGS: [", number, play->hosts, play->name);
    for (size_t i = 0; i < play->tags.n; i++)
        str_printf(out, "%s%s", i ? "," : "", play->tags.items[i]);
    str_puts(out, "]\n");
}

int play_list(const struct playbook *pb, const struct assets *assets, const struct inventory *inv,
              const struct play_options *options, const char *path, bool hosts, bool tasks,
              struct str *out, struct err *err)
{
    struct run run;
    int rc = run_init(&run, pb, assets, inv, options, err);

    if (rc == 0)
        str_printf(out, "\nplaybook: %s\n", path);
    for (size_t i = 0; rc == 0 && i < run.n_stages; i++) {
        put_play(&run.stages[i], i + 1, out);
        if (hosts)
            put_hosts(&run.stages[i], out);
        if (tasks)
            put_tasks(&run.stages[i], &run.arena, out);
    }
    run_release(&run);
    return rc;
}

int play_list_hosts(const struct playbook *pb, const struct assets *assets,
                    const struct inventory *inv, const struct play_options *options,
                    struct arena *a, struct value **out, struct err *err)
{
    struct run run;
    int rc = run_init(&run, pb, assets, inv, options, err);

    *out = value_list(a);
    for (size_t i = 0; rc == 0 && i < run.n_stages; i++) {
        struct value *names = value_list(a);

        for (size_t h = 0; h < run.stages[i].n; h++)
            value_list_add(a, names, value_str(a, run.stages[i].hosts[h]->name));
        value_list_add(a, *out, names);
    }
    run_release(&run);
    return rc;
}
