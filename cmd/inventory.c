/* inventory.c - the cluster's inventory, or another one, in any format. */
#include <stdio.h>

#include "cmd/cmd.h"

static int unknown_format(const char *name)
{
    struct err err = ERR_INIT;
    struct str list;

    str_init(&list, 1024);
    for (size_t i = 0; inventory_format_names[i]; i++)
        str_printf(&list, "%s%s", i ? ", " : "", inventory_format_names[i]);
    err_set(&err, ERR_USAGE, "there is no inventory format \"%s\"", name);
    err_hint(&err, "one of: %s", list.buf);
    str_release(&list);
    return report_err(&err);
}

static int show(struct context *ctx, const struct inventory *inv)
{
    const char *name = option_get(ctx, "format"), *host = option_get(ctx, "host");
    const char *const *hidden = option_given(ctx, "show-secrets") ? NULL : cluster_secret_vars;
    enum inventory_format format = INVENTORY_YAML;
    struct err err = ERR_INIT;
    struct str text;
    int rc;

    if (!name && (ctx->json || option_given(ctx, "list")))
        name = "json";
    if (name && inventory_format_from_name(name, &format) < 0)
        return unknown_format(name);
    str_init(&text, STR_MAX_TEXT);
    rc = host ? inventory_write_host(inv, host, hidden, &text, &err)
              : inventory_write(inv, format, hidden, &text, &err);
    if (rc == 0)
        print_text(&text);
    str_release(&text);
    return rc < 0 ? report_err(&err) : 0;
}

static int show_file(struct context *ctx, const char *path)
{
    struct inventory inv;
    struct faults faults;
    int status;

    inventory_init(&inv);
    faults_init(&faults);
    status = inventory_load(&inv, path, &faults) < 0 ? report_faults(&faults) : show(ctx, &inv);
    faults_release(&faults);
    inventory_release(&inv);
    return status;
}

static int run(struct context *ctx, int argc, char **argv)
{
    const char *path = option_get(ctx, "inventory");
    struct cluster c;
    struct deploy d;
    int status;

    if (argc && !str_eq(argv[0], "show")) {
        struct err err = ERR_INIT;

        err_set(&err, ERR_USAGE, "inventory has no action \"%s\"", argv[0]);
        err_hint(&err, "`pgha-deploy inventory show`");
        return report_err(&err);
    }
    if (path)
        return show_file(ctx, path);
    if ((status = open_deploy(ctx, DEPLOY_READ, &c, &d)) < 0)
        status = show(ctx, &d.inventory);
    close_deploy(&c, &d);
    return status;
}

static const struct option_row options[] = {
    {"format", 'F', "NAME", "yaml, ini, json, ssh-config or hosts (default: yaml)"},
    {"inventory", 'i', "PATH", "another inventory than the cluster's: a file or folder"},
    {"list", 0, NULL, "all of it as Ansible's dynamic inventory protocol has it"},
    {"host", 0, "NAME", "one host's variables, as that protocol has it"},
    {"show-secrets", 0, NULL, "with the variables that hold passwords"},
    {NULL, 0, NULL, NULL},
};

const struct command cmd_inventory = {
    "inventory", "the inventory, in Ansible's formats and others",
    "[show]",    "Groups db, lb and etcd with every variable that the playbooks use.",
    options,     0,
    1,           run};
