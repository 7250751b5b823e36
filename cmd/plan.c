/* plan.c - what `up` would change. */
#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "lib/deploy/saved_plan.h"

enum { CHANGES_PENDING = 2 };

static void put_diff(const char *diff, bool colour, struct str *out)
{
    for (const char *line = diff; *line;) {
        size_t n = strcspn(line, "\n");
        const char *code = *line == '+' ? "32" : *line == '-' ? "31" : NULL;

        if (colour && code)
            str_printf(out, "      \033[%sm%.*s\033[0m\n", code, (int)n, line);
        else
            str_printf(out, "      %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

/* What the hosts and their network cost; what has no price is named. */
static void put_cost(const struct value *cost, struct str *out)
{
    const struct value *parts = value_get(cost, "parts");
    double sum = value_get(cost, "month")->u.f;
    size_t unknown = 0;

    if (!parts->u.list.n)
        return;
    for (size_t i = 0; i < parts->u.list.n; i++)
        unknown += value_get(parts->u.list.items[i], "month")->type == VALUE_NULL;
    if (unknown == parts->u.list.n) {
        str_printf(out, "There are no prices for region %s (provider.prices).\n",
                   value_get_str(cost, "region", ""));
        return;
    }
    str_printf(out,
               "%s %.2f %s a month in %s by prices of %s, traffic, snapshots and taxes apart:\n",
               unknown ? "More than" : "About", sum, value_get_str(cost, "currency", ""),
               value_get_str(cost, "region", ""), value_get_str(cost, "date", ""));
    for (size_t i = 0; i < parts->u.list.n; i++) {
        const struct value *part = parts->u.list.items[i], *month = value_get(part, "month");

        if (month->type == VALUE_NULL)
            str_puts(out, "  no price");
        else
            str_printf(out, "%10.2f", month->u.f);
        str_printf(out, "  %lld x %s\n", (long long)value_get_int(part, "n", 0),
                   value_get_str(part, "what", ""));
    }
}

static void print_plan(const struct deploy *d, const struct deploy_result *r)
{
    bool colour = ui_colour(STDOUT_FILENO);
    const char *where = "";
    struct str out;

    str_init(&out, STR_MAX_TEXT);
    vec_each (c, &r->changes) {
        if (!str_eq(c->where, where))
            str_printf(&out, "%s\n", c->where);
        where = c->where;
        str_printf(&out, "  ~ %s", c->what);
        if (c->consequence)
            str_printf(&out, "  [%s]", c->consequence);
        str_putc(&out, '\n');
        if (c->diff)
            put_diff(c->diff, colour, &out);
    }
    if (r->changes.n)
        str_printf(&out, "\nCluster %s: %zu to change. `up` does it.\n", d->cluster->name,
                   r->changes.n);
    else
        str_printf(&out, "Cluster %s is as the cluster file says: nothing to change.\n",
                   d->cluster->name);
    if (r->cost && r->changes.n) {
        str_putc(&out, '\n');
        put_cost(r->cost, &out);
    }
    print_text(&out);
    str_release(&out);
}

static int plan(struct context *ctx, struct deploy *d, struct deploy_result *r, struct err *err)
{
    const char *path = option_get(ctx, "out");

    if (deploy_plan(d, r, err) < 0)
        return -1;
    return path ? saved_plan_write(d, r, path, err) : 0;
}

static int plan_hosts(struct context *ctx, struct deploy *d, struct deploy_result *r,
                      struct err *err)
{
    if (!option_given(ctx, "out"))
        return deploy_plan_hosts(d, r, err);
    err_set(err, ERR_USAGE, "--out: a plan of the hosts only cannot be kept");
    return err_hint(err, "leave --hosts-only out: `up FILE` does the whole of it");
}

static int run(struct context *ctx, int argc, char **argv)
{
    static const struct deploy_work whole = {DEPLOY_PLAN, plan, print_plan, NULL};
    static const struct deploy_work hosts = {DEPLOY_PLAN, plan_hosts, print_plan, NULL};
    size_t changed = 0;
    int status = run_deploy(ctx, option_given(ctx, "hosts-only") ? &hosts : &whole, &changed);

    UNUSED(argc);
    UNUSED(argv);
    return !status && changed && option_given(ctx, "detailed-exitcode") ? CHANGES_PENDING : status;
}

static const struct option_row options[] = {
    {"out", 'o', "FILE", "keep the plan: `up FILE` does this and nothing else, or refuses"},
    {"replace", 0, "HOST", "as `up --replace HOST` would do it"},
    {"detailed-exitcode", 0, NULL, "exit with 2 when changes are pending"},
    {"hosts-only", 0, NULL, "network and hosts only; logs in to none"},
    {NULL, 0, NULL, NULL},
};

const struct command cmd_plan = {"plan",
                                 "what `up` would change",
                                 "",
                                 "Resources, files with their diffs, units, Patroni's dynamic "
                                 "configuration, SQL objects, each with its consequence. "
                                 "The same code as `up`, without applying.",
                                 options,
                                 0,
                                 0,
                                 run};
