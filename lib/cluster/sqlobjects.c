/* sqlobjects.c - roles, databases and extensions: compare with the catalogue, create what is
 * missing. */
#include "lib/cluster/sqlobjects.h"

struct converge {
    const struct cluster *cluster;
    const struct secrets *secrets;
    const struct pg_target *target;
    bool apply;
    struct sql_changes *changes;
};

static void note(struct converge *cv, const char *fmt, const char *a, const char *b)
{
    struct sql_change change = {b ? arena_printf(&cv->changes->arena, "%s %s in %s", fmt, a, b)
                                  : arena_printf(&cv->changes->arena, "%s %s", fmt, a)};

    vec_push(&cv->changes->items, change);
}

static int exists(struct pg *pg, const char *sql, const char *name, bool *found, struct err *err)
{
    if (pg_exec(pg, sql, 1, &name, err) < 0)
        return -1;
    *found = pg_rows(pg) > 0;
    return 0;
}

/* verb: CREATE or ALTER. */
static int write_user(struct pg *pg, const char *verb, const char *name, const char *password,
                      struct err *err)
{
    struct str sql;
    int rc;

    /* Not even the verifier is for the log. */
    if (pg_exec(pg, "SET log_statement = 'none'", 0, NULL, err) < 0)
        return -1;
    str_init(&sql, 4096);
    str_printf(&sql, "%s ROLE ", verb);
    pg_put_identifier(pg, name, &sql);
    str_puts(&sql, " LOGIN PASSWORD ");
    rc = pg_put_scram(pg, name, password, &sql, err);
    if (rc == 0)
        rc = pg_exec(pg, sql.buf, 0, NULL, err);
    str_release(&sql);
    return rc;
}

static int converge_user(struct converge *cv, struct pg *pg, const char *name, struct err *err)
{
    char *key = xasprintf("user_%s", name);
    const char *password = secrets_get(cv->secrets, key), *verb = NULL;
    bool found;

    free(key);
    if (exists(pg, "SELECT coalesce(rolpassword, '') FROM pg_authid WHERE rolname = $1", name,
               &found, err) < 0)
        return -1;
    if (!found)
        verb = "CREATE";
    else if (!pg_scram_matches(pg_value(pg, 0, 0), password))
        verb = "ALTER";
    if (!verb)
        return 0;
    note(cv, found ? "change the password of role" : "create role", name, NULL);
    return cv->apply ? write_user(pg, verb, name, password, err) : 0;
}

static int database_statement(struct pg *pg, const char *verb, const char *name, const char *owner,
                              struct err *err)
{
    struct str sql;
    int rc;

    str_init(&sql, 4096);
    str_printf(&sql, "%s DATABASE ", verb);
    pg_put_identifier(pg, name, &sql);
    str_puts(&sql, str_eq(verb, "ALTER") ? " OWNER TO " : " OWNER ");
    pg_put_identifier(pg, owner, &sql);
    rc = pg_exec(pg, sql.buf, 0, NULL, err);
    str_release(&sql);
    return rc;
}

static int converge_database(struct converge *cv, struct pg *pg, const struct value *db,
                             struct err *err)
{
    const char *name = value_get_str(db, "name", ""),
               *owner = value_get_str(db, "owner", "postgres");
    bool found;

    if (exists(pg, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = $1", name,
               &found, err) < 0)
        return -1;
    if (!found) {
        note(cv, "create database", name, NULL);
        return cv->apply ? database_statement(pg, "CREATE", name, owner, err) : 0;
    }
    if (str_eq(pg_value(pg, 0, 0), owner))
        return 0;
    note(cv, "change the owner of database", name, NULL);
    return cv->apply ? database_statement(pg, "ALTER", name, owner, err) : 0;
}

static int create_extension(struct pg *pg, const char *name, struct err *err)
{
    struct str sql;
    int rc;

    str_init(&sql, 4096);
    str_puts(&sql, "CREATE EXTENSION IF NOT EXISTS ");
    pg_put_identifier(pg, name, &sql);
    str_puts(&sql, " CASCADE");
    rc = pg_exec(pg, sql.buf, 0, NULL, err);
    str_release(&sql);
    return rc;
}

static int converge_extensions(struct converge *cv, const struct value *db, struct err *err)
{
    const struct value *list = value_get(db, "extensions");
    const char *name = value_get_str(db, "name", "");
    struct pg_target target = *cv->target;
    struct pg *pg;
    int rc = 0;

    if (!list || !list->u.list.n)
        return 0;
    target.database = name;
    pg = pg_open(&target, err);
    if (!pg) { /* when only planning, the database may not be there yet: all of them are to be made
                */
        if (cv->apply)
            return -1;
        err_release(err);
    }
    for (size_t i = 0; rc == 0 && i < list->u.list.n; i++) {
        const char *extension = list->u.list.items[i]->u.str.s;
        bool found = false;

        if (pg)
            rc =
                exists(pg, "SELECT 1 FROM pg_extension WHERE extname = $1", extension, &found, err);
        if (rc < 0 || found)
            continue;
        note(cv, "create extension", extension, name);
        if (cv->apply && (rc = create_extension(pg, extension, err)) < 0)
            err_wrap(err, "extension %s in database %s", extension, name);
    }
    pg_close(pg);
    return rc;
}

/* The role that a secret is the password of; NULL: of none. */
static const char *role_of(const char *secret)
{
    static const struct {
        const char *secret, *role;
    } own[] = {{"superuser", "postgres"}, {"replication", "replicator"}, {"rewind", "rewind_user"}};

    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (str_eq(own[i].secret, secret))
            return own[i].role;
    return str_starts(secret, "user_") ? secret + strlen("user_") : NULL;
}

int sql_rotate_passwords(const struct secrets *s, const struct pg_target *target, struct err *err)
{
    struct pg *pg = pg_open(target, err);
    int rc = pg ? pg_exec(pg, "BEGIN", 0, NULL, err) : -1;

    for (size_t i = 0; rc == 0 && i < s->values->u.map.n; i++) {
        const char *name = s->values->u.map.entries[i].key, *role = role_of(name);
        const char *next = secrets_next(s, name);
        bool found = false;

        if (role && next)
            rc = exists(pg, "SELECT 1 FROM pg_roles WHERE rolname = $1", role, &found, err);
        if (rc == 0 && found)
            rc = write_user(pg, "ALTER", role, next, err);
    }
    if (rc == 0)
        rc = pg_exec(pg, "COMMIT", 0, NULL, err);
    pg_close(pg);
    return rc;
}

static int converge_lists(struct converge *cv, struct pg *pg, struct err *err)
{
    const struct value *users = value_at(cv->cluster->config, "postgres.users");
    const struct value *dbs = value_at(cv->cluster->config, "postgres.databases");

    for (size_t i = 0; i < users->u.list.n; i++) {
        const char *name = value_get_str(users->u.list.items[i], "name", "");

        if (converge_user(cv, pg, name, err) < 0)
            return err_wrap(err, "role %s", name);
    }
    for (size_t i = 0; i < dbs->u.list.n; i++) {
        const struct value *db = dbs->u.list.items[i];

        if (converge_database(cv, pg, db, err) < 0)
            return err_wrap(err, "database %s", value_get_str(db, "name", ""));
        if (converge_extensions(cv, db, err) < 0)
            return -1;
    }
    return 0;
}

int sql_converge(const struct cluster *c, const struct secrets *s, const struct pg_target *target,
                 bool apply, struct sql_changes *changes, struct err *err)
{
    struct converge cv = {c, s, target, apply, changes};
    struct pg *pg;
    int rc;

    memset(changes, 0, sizeof(*changes));
    if (!(pg = pg_open(target, err)))
        return err_wrap(err, "connecting to the primary");
    rc = converge_lists(&cv, pg, err);
    pg_close(pg);
    return rc;
}

void sql_changes_release(struct sql_changes *changes)
{
    vec_release(&changes->items);
    arena_release(&changes->arena);
}
