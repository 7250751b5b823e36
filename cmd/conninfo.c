/* conninfo.c - connection strings: URIs, environment variables, JSON. */
#include "cmd/conninfo.h"

#include <ctype.h>
#include <stdio.h>

/* Who connects where: the cluster file's first user and a database that it owns, else the
 * superuser. */
struct login {
    const char *user, *database, *password;
};

static struct login login_of(const struct deploy *d, const char *wanted)
{
    const struct value *users = value_at(d->cluster->config, "postgres.users");
    const struct value *dbs = value_at(d->cluster->config, "postgres.databases");
    struct login l = {wanted, "postgres", NULL};
    char *secret;

    if (!l.user && users->u.list.n)
        l.user = value_get_str(users->u.list.items[0], "name", NULL);
    if (!l.user)
        l.user = "postgres";
    for (size_t i = dbs->u.list.n; i-- > 0;)
        if (str_eq(value_get_str(dbs->u.list.items[i], "owner", NULL), l.user))
            l.database = value_get_str(dbs->u.list.items[i], "name", "postgres");
    secret = str_eq(l.user, "postgres") ? xstrdup("superuser") : xasprintf("user_%s", l.user);
    l.password = value_get_str(d->secrets.values, secret, NULL);
    free(secret);
    return l;
}

struct place {
    const char *name, *host;
    int port;
    const char *attrs; /* target_session_attrs */
};

static size_t places(const struct deploy *d, struct place out[4])
{
    const struct cluster *c = d->cluster;
    struct place with_vip[] = {
        {"primary", c->vip, c->port_primary, "read-write"},
        {"replicas", c->vip, c->port_replicas, "any"},
        {"sync", c->vip, c->port_sync, "any"},
        {"async", c->vip, c->port_async, "any"},
    };

    if (!c->vip)
        return 0;
    memcpy(out, with_vip, sizeof(with_vip));
    return ARRAY_LEN(with_vip);
}

/* Without balancers libpq itself looks for the primary among the members. */
static void put_member_list(const struct deploy *d, struct str *out)
{
    const char *separator = "";

    vec_each (h, &d->cluster->hosts) {
        if (!h->is_db)
            continue;
        str_printf(out, "%s%s:%d", separator, h->address, d->cluster->port_postgres);
        separator = ",";
    }
}

/* RFC 3986: what is not unreserved is percent-encoded. */
static void put_encoded(const char *text, const char *also, struct str *out)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (isalnum(c) || strchr("-._~", c) || strchr(also, c))
            str_putc(out, (char)c);
        else
            str_printf(out, "%%%02X", c);
    }
}

static void put_uri(const struct deploy *d, const struct login *l, const struct place *p,
                    const char *attrs, bool passwords, struct str *out)
{
    str_puts(out, "postgresql://");
    put_encoded(l->user, "", out);
    if (passwords && l->password) {
        str_putc(out, ':');
        put_encoded(l->password, "", out);
    }
    str_putc(out, '@');
    if (p)
        str_printf(out, "%s:%d", p->host, p->port);
    else
        put_member_list(d, out);
    str_putc(out, '/');
    put_encoded(l->database, "", out);
    str_puts(out, "?sslmode=verify-full&sslrootcert=");
    put_encoded(d->ca_file, "/", out);
    if (!str_eq(attrs, "any"))
        str_printf(out, "&target_session_attrs=%s", attrs);
}

static void format_for(const struct deploy *d, const struct login *l, bool passwords,
                       struct str *out)
{
    struct place all[4];
    size_t n = places(d, all);

    for (size_t i = 0; i < n; i++) {
        str_printf(out, "%-9s ", all[i].name);
        put_uri(d, l, &all[i], all[i].attrs, passwords, out);
        str_putc(out, '\n');
    }
    if (!n) {
        str_puts(out, "primary   ");
        put_uri(d, l, NULL, "read-write", passwords, out);
        str_puts(out, "\nreplicas  ");
        put_uri(d, l, NULL, "prefer-standby", passwords, out);
        str_putc(out, '\n');
    }
}

void conninfo_format(const struct deploy *d, bool passwords, struct str *out)
{
    struct login l = login_of(d, NULL);

    format_for(d, &l, passwords, out);
    if (!passwords)
        str_printf(
            out, "\n`pgha-deploy -f %s conninfo` prints them with the password; `psql` connects.\n",
            d->cluster->file);
}

static void format_env(const struct deploy *d, const struct login *l, struct str *out)
{
    struct place all[4];
    struct str hosts;

    str_init(&hosts, 8192);
    if (places(d, all)) {
        str_printf(out, "export PGHOST=%s PGPORT=%d", all[0].host, all[0].port);
    } else {
        vec_each (h, &d->cluster->hosts)
            if (h->is_db)
                str_printf(&hosts, "%s%s", hosts.len ? "," : "", h->address);
        str_printf(out, "export PGHOST=%s PGPORT=%d", hosts.buf, d->cluster->port_postgres);
    }
    str_printf(out, " PGUSER=%s PGDATABASE=%s PGPASSWORD=", l->user, l->database);
    str_put_shell(out, l->password ? l->password : "");
    str_puts(out, " PGSSLMODE=verify-full PGSSLROOTCERT=");
    str_put_shell(out, d->ca_file);
    str_puts(out, " PGTARGETSESSIONATTRS=read-write\n");
    str_release(&hosts);
}

static void add_uri(const struct deploy *d, const struct login *l, const struct place *p,
                    const char *name, const char *attrs, struct value *uris, struct arena *a)
{
    struct str uri;

    str_init(&uri, 65536);
    put_uri(d, l, p, attrs, true, &uri);
    value_map_set(a, uris, name, value_str(a, uri.buf));
    str_release(&uri);
}

static struct value *to_value(const struct deploy *d, const struct login *l, struct arena *a)
{
    struct value *top = value_map(a), *uris = value_map(a);
    struct place all[4];
    size_t n = places(d, all);

    for (size_t i = 0; i < n; i++)
        add_uri(d, l, &all[i], all[i].name, all[i].attrs, uris, a);
    if (!n) {
        add_uri(d, l, NULL, "primary", "read-write", uris, a);
        add_uri(d, l, NULL, "replicas", "prefer-standby", uris, a);
    }
    value_map_set(a, top, "cluster", value_str(a, d->cluster->name));
    value_map_set(a, top, "vip", d->cluster->vip ? value_str(a, d->cluster->vip) : value_null(a));
    value_map_set(a, top, "user", value_str(a, l->user));
    value_map_set(a, top, "database", value_str(a, l->database));
    value_map_set(a, top, "password", l->password ? value_str(a, l->password) : value_null(a));
    value_map_set(a, top, "sslrootcert", value_str(a, d->ca_file));
    value_map_set(a, top, "uris", uris);
    return top;
}

static int run(struct context *ctx, int argc, char **argv)
{
    struct cluster c;
    struct deploy d;
    struct str text;
    int status;

    UNUSED(argc);
    UNUSED(argv);
    str_init(&text, STR_MAX_TEXT);
    if ((status = open_deploy(ctx, DEPLOY_EXISTING, &c, &d)) < 0) {
        struct login l = login_of(&d, option_get(ctx, "user"));
        struct arena arena = ARENA_INIT;

        status = 0;
        if (!l.password) {
            struct err err = ERR_INIT;

            err_set(&err, ERR_USAGE, "there is no user \"%s\" in the cluster file", l.user);
            status = report_err(&err);
        } else if (ctx->json) {
            print_value(to_value(&d, &l, &arena));
        } else if (option_given(ctx, "env")) {
            format_env(&d, &l, &text);
        } else {
            format_for(&d, &l, true, &text);
        }
        print_text(&text);
        arena_release(&arena);
    }
    str_release(&text);
    close_deploy(&c, &d);
    return status;
}

static const struct option_row options[] = {
    {"env", 0, NULL, "as export lines for a shell"},
    {"user", 'U', "NAME", "for this user (default: the cluster file's first, else postgres)"},
    {NULL, 0, NULL, NULL},
};

const struct command cmd_conninfo = {"conninfo", "how to connect: one URI a port",
                                     "",         "Prints passwords: that is what it is for.",
                                     options,    0,
                                     0,          run};
