/* psql.c - psql on the primary, or on a member. */
#include <stdio.h>

#include "cmd/cmd.h"

static const char *address_of(struct context *ctx, const struct deploy *d, int *port)
{
    const struct cluster *c = d->cluster;
    const char *host = option_get(ctx, "host");
    const struct cluster_host *h;

    if (host) {
        *port = c->port_postgres;
        h = cluster_host_find(c, host);
        return h && h->is_db ? h->address : NULL;
    }
    if (c->vip) {
        *port = option_given(ctx, "replica") ? c->port_replicas : c->port_primary;
        return c->vip;
    }
    *port = c->port_postgres;
    return c->hosts.items[0].address;
}

static int start_psql(struct context *ctx, const struct deploy *d, int argc, char **argv)
{
    const char *user = option_get(ctx, "user"), *password, *address, *database;
    char *secret, port_text[16];
    VEC(const char *) args = VEC_INIT;
    int port, status;

    user = user ? user : "postgres";
    database = option_get(ctx, "dbname");
    secret = str_eq(user, "postgres") ? xstrdup("superuser") : xasprintf("user_%s", user);
    password = value_get_str(d->secrets.values, secret, NULL);
    free(secret);
    address = address_of(ctx, d, &port);
    if (!password || !address) {
        struct err err = ERR_INIT;

        err_set(&err, ERR_USAGE, "there is no %s \"%s\" in the cluster file",
                address ? "user" : "PostgreSQL member", address ? user : option_get(ctx, "host"));
        return report_err(&err);
    }
    snprintf(port_text, sizeof(port_text), "%d", port);
    setenv("PGHOST", address, 1);
    setenv("PGPORT", port_text, 1);
    setenv("PGUSER", user, 1);
    setenv("PGDATABASE", database ? database : "postgres", 1);
    setenv("PGSSLMODE", "verify-full", 1);
    setenv("PGSSLROOTCERT", d->ca_file, 1);
    setenv("PGPASSWORD", password, 1); /* not an argument: those are seen by everybody */
    vec_push(&args, "psql");
    for (int i = 0; i < argc; i++)
        vec_push(&args, argv[i]);
    vec_push(&args, NULL);
    status = exec_program(args.items);
    vec_release(&args);
    return status;
}

static int run(struct context *ctx, int argc, char **argv)
{
    struct cluster c;
    struct deploy d;
    int status;

    if ((status = open_deploy(ctx, DEPLOY_EXISTING, &c, &d)) < 0)
        status = start_psql(ctx, &d, argc, argv);
    close_deploy(&c, &d);
    return status;
}

static const struct option_row options[] = {
    {"user", 'U', "NAME", "role (default: postgres)"},
    {"dbname", 'd', "NAME", "database (default: postgres)"},
    {"host", 0, "NAME", "this member instead of the primary"},
    {"replica", 0, NULL, "through the replicas' port"},
    {NULL, 0, NULL, NULL},
};

const struct command cmd_psql = {"psql",
                                 "psql on the primary, through the VIP",
                                 "[-- ARGUMENTS OF PSQL ...]",
                                 NULL,
                                 options,
                                 0,
                                 -1,
                                 run};
