/* inventory.c - the cluster's inventory, or another one, in any format. */
#include <stdio.h>

#include "cmd/inventory_discover.h"
#include "cmd/inventory_import.h"

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
    inv.keep_tagged = true; /* passed on, not used */
    faults_init(&faults);
    /* ansible-inventory, too, takes the current folder for the playbook's. */
    status = inventory_load(&inv, path, &faults) < 0 || inventory_load_near(&inv, ".", &faults) < 0
                 ? report_faults(&faults)
                 : show(ctx, &inv);
    faults_release(&faults);
    inventory_release(&inv);
    return status;
}

static int run_show(struct context *ctx, int argc, char **argv)
{
    const char *path = option_get(ctx, "inventory");
    struct cluster c;
    struct deploy d;
    int status;

    UNUSED(argc);
    UNUSED(argv);
    if (path)
        return show_file(ctx, path);
    if ((status = open_deploy(ctx, DEPLOY_READ, &c, &d)) < 0)
        status = show(ctx, &d.inventory);
    close_deploy(&c, &d);
    return status;
}

#define ANY_NUMBER (-1)

static const struct inventory_action {
    const char *name, *args;
    int n_args;
    int (*run)(struct context *ctx, int argc, char **argv);
} actions[] = {
    {"show", "", 0, run_show},
    {"import", " SOURCE", 1, inventory_import},
    {"discover", " [HOST ...]", ANY_NUMBER, inventory_discover},
};

static int run(struct context *ctx, int argc, char **argv)
{
    struct err err = ERR_INIT;

    if (argc == 0)
        return run_show(ctx, 0, argv);
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (!str_eq(argv[0], actions[i].name))
            continue;
        if (actions[i].n_args == ANY_NUMBER || argc - 1 == actions[i].n_args)
            return actions[i].run(ctx, argc - 1, argv + 1);
        err_set(&err, ERR_USAGE, "wrong number of arguments");
        err_hint(&err, "`pgha-deploy inventory %s%s`", actions[i].name, actions[i].args);
        return report_err(&err);
    }
    err_set(&err, ERR_USAGE, "inventory has no action \"%s\"", argv[0]);
    err_hint(&err, "`pgha-deploy inventory show`, `import SOURCE` or `discover`");
    return report_err(&err);
}

static const struct option_row options[] = {
    {"format", 'F', "NAME", "show: yaml, ini, json, ssh-config or hosts (default: yaml)"},
    {"inventory", 'i', "PATH",
     "show, discover: another inventory than the cluster's: file, folder, script"},
    {"list", 0, NULL, "show: all of it as Ansible's dynamic inventory protocol has it"},
    {"host", 0, "NAME", "show: one host's variables, as that protocol has it"},
    {"show-secrets", 0, NULL, "show: with the variables that hold passwords"},
    {"from", 0, "KIND", "import: ansible, terraform, ssh-config or list (default: by content)"},
    {"name", 'n', "NAME",
     "import, discover: name of the cluster (default: made from the source's)"},
    {"output", 'o', "DIR",
     "import, discover: folder for the two files (import: default the current one)"},
    {"force", 0, NULL, "import, discover: overwrite what is there"},
    {NULL, 0, NULL, NULL},
};

const struct command cmd_inventory = {
    "inventory",
    "the inventory, in Ansible's formats and others; or one made from what is there",
    "[show | import SOURCE | discover [HOST ...]]",
    "show: groups db, lb and etcd with every variable that the playbooks use. With -i any Ansible "
    "inventory; a script is run only when it is the very file that was given.\n\nimport: proposes "
    "a cluster file and an inventory from an Ansible inventory, Terraform's state or `terraform "
    "output -json`, an ssh_config, or a list with one host a line (NAME, USER@ADDRESS:PORT, or "
    "both). What it guessed it says, and writes as comments.\n\ndiscover: asks hosts over SSH, "
    "changing nothing, what they are and what runs there: those of the cluster file, of another "
    "inventory or source of import (-i), or named as [USER@]HOST[:PORT]. With --output DIR it "
    "proposes a cluster file as import does; Patroni's members, etcd and balancers keep their "
    "roles, and PostgreSQL its settings. Exits with 1 when a host did not answer.",
    options,
    0,
    1 + IMPORT_MAX_HOSTS,
    run};
