/* secrets.c - the cluster's secrets: which there are, one of them in plain text, and new ones. */
#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd.h"

static int list(const struct context *ctx, const struct deploy *d)
{
    const struct value *values = d->secrets.values;
    struct arena arena = ARENA_INIT;
    struct value *json = value_list(&arena);
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    for (size_t i = 0; i < values->u.map.n; i++) {
        const char *name = values->u.map.entries[i].key, *use = secrets_use(name, &arena);
        struct value *item = value_map(&arena);

        str_printf(&text, "%-24s %s\n", name, use);
        value_map_set(&arena, item, "name", value_str(&arena, name));
        value_map_set(&arena, item, "use", value_str(&arena, use));
        value_list_add(&arena, json, item);
    }
    if (ctx->json)
        print_value(json);
    else
        print_text(&text);
    str_release(&text);
    arena_release(&arena);
    return 0;
}

static int show(const struct context *ctx, const struct deploy *d, const char *name)
{
    const char *value = value_get_str(d->secrets.values, name, NULL);
    struct err err = ERR_INIT;

    if (!value) {
        err_set(&err, ERR_USAGE, "cluster %s has no secret \"%s\"", d->cluster->name, name);
        err_hint(&err, "`pgha-deploy secrets list` names them");
        return report_err(&err);
    }
    if (!ctx->yes && isatty(STDOUT_FILENO) &&
        !ui_confirm(NULL, "This shows a secret on the terminal.")) {
        err_set(&err, ERR_INTERRUPTED, "not confirmed, nothing was shown");
        return report_err(&err);
    }
    printf("%s%s", value, value[0] && value[strlen(value) - 1] == '\n' ? "" : "\n");
    return 0;
}

static unsigned wanted(const struct context *ctx)
{
    const char *what = option_get(ctx, "what");

    if (!what || str_eq(what, "all"))
        return ROTATE_PASSWORDS | ROTATE_PKI;
    return str_eq(what, "passwords") ? ROTATE_PASSWORDS : str_eq(what, "pki") ? ROTATE_PKI : 0;
}

static int rotate(struct context *ctx, struct deploy *d, struct deploy_result *r, struct err *err)
{
    return deploy_rotate(d, wanted(ctx), r, err);
}

static void print_rotated(const struct deploy *d, const struct deploy_result *r)
{
    printf("Cluster %s has new secrets and is verified: %zu checks passed, %.1f s.\n"
           "Clients need what `pgha-deploy -f %s conninfo` prints now, and %s.\n",
           d->cluster->name, r->verify.results.n, (double)r->elapsed_ms / 1000.0, d->cluster->file,
           d->ca_file);
}

static int usage(void)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_USAGE,
            "secrets takes: list, show NAME, or rotate [--what passwords|pki|all]");
    return report_err(&err);
}

static int look(struct context *ctx, int argc, char **argv)
{
    struct cluster c;
    struct deploy d;
    int status;

    if ((status = open_deploy(ctx, DEPLOY_EXISTING, &c, &d)) < 0)
        status = argc == 1 ? list(ctx, &d) : show(ctx, &d, argv[1]);
    close_deploy(&c, &d);
    return status;
}

static int run(struct context *ctx, int argc, char **argv)
{
    static const struct deploy_work work = {DEPLOY_WRITE, rotate, print_rotated, NULL};

    if (argc == 1 && str_eq(argv[0], "rotate") && wanted(ctx))
        return run_deploy(ctx, &work, NULL);
    if ((argc == 1 && str_eq(argv[0], "list")) || (argc == 2 && str_eq(argv[0], "show")))
        return look(ctx, argc, argv);
    return usage();
}

static const struct option_row options[] = {
    {"what", 0, "WHAT", "rotate: passwords, pki, or all (default)"},
    {NULL, 0, NULL, NULL},
};

const struct command cmd_secrets = {
    "secrets",
    "the cluster's passwords, certificates and keys",
    "list | show NAME | rotate",
    "list names them, without values. show prints one, and asks first on a terminal. rotate gives "
    "the running cluster new ones: passwords (but those given with password_from), the authority "
    "and all certificates. They are kept "
    "in the state folder, sealed with a key file in your configuration folder "
    "(~/.config/pgha-deploy/key, made at the first `up`), or with a passphrase from "
    "--vault-password-file or PGHA_VAULT_PASSWORD.",
    options,
    1,
    2,
    run};
