/* validate.c - check the cluster file: every fault at once. */
#include <stdio.h>

#include "cmd/cmd.h"

static struct value *faults_to_value(const struct faults *faults, struct arena *a)
{
    struct value *top = value_map(a), *list = value_list(a);

    for (size_t i = 0; i < faults->n; i++) {
        const struct fault *f = &faults->items[i];
        struct value *item = value_map(a);

        value_map_set(a, item, "file", value_str(a, f->src.file ? f->src.file : ""));
        value_map_set(a, item, "line", value_int(a, f->src.line));
        value_map_set(a, item, "column", value_int(a, f->src.col));
        value_map_set(a, item, "text", value_str(a, f->text));
        value_map_set(a, item, "hint", f->hint ? value_str(a, f->hint) : value_null(a));
        value_list_add(a, list, item);
    }
    value_map_set(a, top, "valid", value_bool(a, faults->n == 0));
    value_map_set(a, top, "faults", list);
    return top;
}

static int run_json(const struct context *ctx)
{
    struct arena arena = ARENA_INIT;
    struct faults faults;
    struct cluster c;
    int status = 0;

    faults_init(&faults);
    if (cluster_load(&c, ctx->file, &faults) < 0)
        status = err_exit_status(ERR_INPUT);
    print_value(faults_to_value(&faults, &arena));
    cluster_release(&c);
    faults_release(&faults);
    arena_release(&arena);
    return status;
}

static int run(struct context *ctx, int argc, char **argv)
{
    struct cluster c;
    int status;

    UNUSED(argc);
    UNUSED(argv);
    if (ctx->json)
        return run_json(ctx);
    if ((status = load_cluster(ctx, &c)) < 0) {
        status = 0;
        if (!ctx->quiet)
            printf("%s: cluster %s, %s on %s, %zu hosts: valid\n", ctx->file, c.name, c.topology,
                   c.provider, c.hosts.n);
    }
    cluster_release(&c);
    return status;
}

const struct command cmd_validate = {"validate",
                                     "check the cluster file",
                                     "",
                                     "Every fault at once, each as file:line:column: text, "
                                     "with the nearest valid key. Touches nothing.",
                                     NULL,
                                     0,
                                     0,
                                     run};
