/* adoption.c - whether somebody else's Patroni cluster can be taken over as it runs. */
#include "lib/check/adoption.h"

#include "lib/check/discover.h"
#include "lib/doc/yaml.h"

void adoption_init(struct adoption *a)
{
    *a = (struct adoption){.scope = NULL};
}

void adoption_release(struct adoption *a)
{
    vec_release(&a->members);
    arena_release(&a->arena);
}

/* ---- what is in the way: all of it is told at once ---- */

static void PRINTF_LIKE(2, 3) object(struct str *faults, const char *fmt, ...)
{
    va_list args;

    str_puts(faults, "\n  ");
    va_start(args, fmt);
    str_vprintf(faults, fmt, args);
    va_end(args);
}

static int refuse(struct str *faults, struct err *err)
{
    int rc = 0;

    if (faults->len) {
        rc = err_set(err, ERR_CONFLICT, "the Patroni cluster cannot be taken over:%s", faults->buf);
        err_hint(err,
                 "nothing was changed; `pgha-deploy inventory discover` shows what runs there");
    }
    str_release(faults);
    return rc;
}

/* ---- one member ---- */

static const struct host_config *find_config(const struct host_facts *f)
{
    vec_each (c, &f->configs)
        if (c->kind == CONFIG_PATRONI && c->owner == CONFIG_FOREIGN && c->scope)
            return c;
    return NULL;
}

static const struct host_pgdata *find_data(const struct host_facts *f, const char *path)
{
    vec_each (d, &f->pgdata)
        if (str_eq(d->path, path))
            return d;
    return NULL;
}

/* "/usr/bin/python3 /usr/bin/patroni /etc/patroni/config.yml": the first two words. */
static bool read_program(struct adoption_member *m, const struct host_facts *f, struct arena *a)
{
    vec_each (p, &f->processes) {
        const char *text = p->arguments ? p->arguments : "", *second;
        size_t first = strcspn(text, " ");

        if (!(str_eq(p->name, "patroni") || str_starts(p->name, "python")) || *text != '/' ||
            text[first] == '\0' || text[first + 1] != '/')
            continue;
        second = text + first + 1;
        m->python = arena_strndup(a, text, first);
        m->program = arena_strndup(a, second, strcspn(second, " "));
        return true;
    }
    return false;
}

static void check_data(const struct cluster *c, const char *host, const struct host_facts *f,
                       const struct host_config *config, struct adoption *a, struct str *faults)
{
    const char *wanted = cluster_data_dir(c, &a->arena);
    const struct host_pgdata *data;

    if (!str_eq(config->data_dir, wanted)) {
        object(faults, "%s: its data is in %s, not in %s: set postgres.data_dir", host,
               config->data_dir ? config->data_dir : "a place that is not told", wanted);
        return;
    }
    data = find_data(f, wanted);
    if (!data || !data->pid || !data->system_id)
        object(faults, "%s: PostgreSQL does not run in %s", host, wanted);
    else if (data->version != c->pg_version)
        object(faults, "%s: PostgreSQL is %d, and postgres.version %d", host, data->version,
               c->pg_version);
    else if (data->port != c->port_postgres)
        object(faults, "%s: PostgreSQL listens on port %d, and has to on %d", host, data->port,
               c->port_postgres);
    else if (a->system_id && data->system_id != a->system_id)
        object(faults, "%s: its data is another cluster's (system %llu, not %llu)", host,
               (unsigned long long)data->system_id, (unsigned long long)a->system_id);
    else
        a->system_id = data->system_id;
}

static void add_member(const struct cluster *c, const char *host, const struct host_facts *f,
                       struct adoption *a, struct str *faults)
{
    const struct host_config *config = find_config(f);
    struct adoption_member m = {.host = arena_strdup(&a->arena, host)};

    if (!config) {
        object(faults, "%s: there is no Patroni on it", host);
        return;
    }
    if (!a->scope)
        a->scope = arena_strdup(&a->arena, config->scope);
    if (!str_eq(config->scope, a->scope)) {
        object(faults, "%s: Patroni's scope is %s, elsewhere %s", host, config->scope, a->scope);
        return;
    }
    m.name = arena_strdup(&a->arena, config->member ? config->member : host);
    m.config = arena_strdup(&a->arena, config->path);
    if (!read_program(&m, f, &a->arena))
        object(faults, "%s: Patroni does not run, or not as `python patroni CONFIG`", host);
    check_data(c, host, f, config, a, faults);
    vec_push(&a->members, m);
}

static void read_config(const struct host_facts *f, struct adoption *a)
{
    const struct host_config *config = find_config(f);
    const struct value *all;
    struct faults faults;

    if (!config || !config->text || a->accounts)
        return;
    faults_init(&faults);
    all = yaml_parse(&a->arena, config->path, config->text, config->text_len, &faults);
    faults_release(&faults);
    a->accounts = value_at(all, "postgresql.authentication");
    a->parameters = value_at(all, "postgresql.parameters");
    a->superuser = arena_strdup(
        &a->arena, value_get_str(value_get(a->accounts, "superuser"), "username", "postgres"));
}

int adoption_find(const struct cluster *c, const struct host_facts *const *facts,
                  struct adoption *a, struct err *err)
{
    struct str faults;

    str_init(&faults, STR_MAX_TEXT);
    for (size_t i = 0; i < c->hosts.n; i++) {
        const struct cluster_host *h = &c->hosts.items[i];

        if (!facts[i]) {
            object(&faults, "%s: it was not asked, and every host has to be", h->name);
            continue;
        }
        if (h->is_etcd)
            a->replaces_etcd |= discover_runs(facts[i], "etcd");
        if (h->is_db) {
            add_member(c, h->name, facts[i], a, &faults);
            read_config(facts[i], a);
        }
    }
    return refuse(&faults, err);
}

/* ---- Patroni's store ---- */

static const struct adoption_member *find_member(const struct adoption *a, const char *name)
{
    vec_each (m, &a->members)
        if (str_eq(m->name, name))
            return m;
    return NULL;
}

static void judge_members(const struct value *store, struct adoption *a, struct str *faults)
{
    const struct value *members = value_get(store, "members");
    const char *leader = value_get_str(store, "leader", NULL);
    size_t n = members && members->type == VALUE_LIST ? members->u.list.n : 0, found = 0;

    for (size_t i = 0; i < n; i++) {
        const struct value *v = members->u.list.items[i];
        const char *name = value_get_str(v, "name", ""), *state = value_get_str(v, "state", "");
        const struct adoption_member *m = find_member(a, name);

        if (!m)
            object(faults, "its member %s is on none of the cluster's db hosts", name);
        else if (!str_eq(state, "running") && !str_eq(state, "streaming"))
            object(faults, "%s: its state is \"%s\"", m->host, state);
        if (m && str_eq(name, leader))
            a->leader = m->host;
        found += m != NULL;
    }
    if (found < a->members.n)
        object(faults, "Patroni knows %zu of the %zu members only", found, a->members.n);
    if (!a->leader)
        object(faults, "it has no leader");
}

/* An etcd on the cluster's hosts gives way: nobody else may have something in it. */
static void judge_keys(const struct value *store, const struct adoption *a, struct str *faults)
{
    const struct value *keys = value_get(store, "keys");
    const char *own = value_get_str(store, "prefix", "/");
    size_t foreign = 0;

    if (!a->replaces_etcd)
        return;
    if (!keys || keys->type != VALUE_LIST)
        object(faults, "Patroni keeps its state in %s, and only etcd can be replaced",
               value_get_str(store, "store", "something unknown"));
    for (size_t i = 0; keys && keys->type == VALUE_LIST && i < keys->u.list.n; i++) {
        const struct value *key = keys->u.list.items[i];

        if (value_is_str(key) && !str_starts(key->u.str.s, own) && !foreign++)
            object(faults, "its etcd holds more than %s: %s", own, key->u.str.s);
    }
}

/* The default archives nothing: backups that depend on it would end without a word. */
static void judge_archive(const struct cluster *c, const struct value *parameters,
                          struct str *faults)
{
    static const char *const nothing[] = {"", "true", "/bin/true", "/usr/bin/true", ":"};
    const char *command = value_get_str(parameters, "archive_command", "");

    for (size_t i = 0; i < ARRAY_LEN(nothing); i++)
        if (str_eq(command, nothing[i]))
            return;
    if (!value_at(c->config, "postgres.parameters.archive_command"))
        object(faults, "it archives its WAL, which would end: put its archive_command into "
                       "postgres.parameters");
}

int adoption_judge(const struct cluster *c, const struct value *store, struct adoption *a,
                   struct err *err)
{
    const struct value *config = value_get(store, "config");
    const char *id = value_get_str(store, "system", "");
    struct str faults;

    str_init(&faults, STR_MAX_TEXT);
    judge_members(store, a, &faults);
    judge_keys(store, a, &faults);
    judge_archive(c, value_at(config, "postgresql.parameters"), &faults);
    judge_archive(c, a->parameters, &faults);
    if (strtoull(id, NULL, 10) != a->system_id)
        object(&faults, "its store holds the system %s, and the data %llu", *id ? id : "of nobody",
               (unsigned long long)a->system_id);
    if (!config || config->type != VALUE_MAP)
        object(&faults, "its store has no dynamic configuration");
    else if (value_get_bool(config, "pause", false))
        object(&faults, "it is in maintenance mode: patronictl resume");
    else if (value_get(config, "standby_cluster"))
        object(&faults, "it is a standby cluster");
    return refuse(&faults, err);
}

/* ---- in the state folder ---- */

struct value *adoption_to_value(const struct adoption *a, struct arena *arena)
{
    struct value *v = value_map(arena), *members = value_map(arena);

    value_map_set(arena, v, "scope", value_str(arena, a->scope));
    value_map_set(arena, v, "system_id",
                  value_strf(arena, "%llu", (unsigned long long)a->system_id));
    value_map_set(arena, v, "leader", value_str(arena, a->leader));
    value_map_set(arena, v, "superuser", value_str(arena, a->superuser));
    value_map_set(arena, v, "replaces_etcd", value_bool(arena, a->replaces_etcd));
    vec_each (m, &a->members) {
        struct value *member = value_map(arena);

        value_map_set(arena, member, "name", value_str(arena, m->name));
        value_map_set(arena, member, "config", value_str(arena, m->config));
        value_map_set(arena, member, "python", value_str(arena, m->python));
        value_map_set(arena, member, "program", value_str(arena, m->program));
        value_map_set(arena, members, m->host, member);
    }
    value_map_set(arena, v, "members", members);
    return v;
}

static const char *copy_str(struct adoption *a, const struct value *v, const char *key)
{
    const char *text = value_get_str(v, key, NULL);

    return text ? arena_strdup(&a->arena, text) : NULL;
}

int adoption_from_value(const struct value *v, struct adoption *a, struct err *err)
{
    const struct value *members = value_get(v, "members");
    size_t n = members && members->type == VALUE_MAP ? members->u.map.n : 0;

    a->scope = copy_str(a, v, "scope");
    a->leader = copy_str(a, v, "leader");
    a->superuser = copy_str(a, v, "superuser");
    a->replaces_etcd = value_get_bool(v, "replaces_etcd", false);
    a->system_id = strtoull(value_get_str(v, "system_id", "0"), NULL, 10);
    for (size_t i = 0; i < n; i++) {
        const struct value *from = members->u.map.entries[i].value;
        struct adoption_member m = {arena_strdup(&a->arena, members->u.map.entries[i].key),
                                    copy_str(a, from, "name"), copy_str(a, from, "config"),
                                    copy_str(a, from, "python"), copy_str(a, from, "program")};

        if (!m.name || !m.config || !m.python || !m.program)
            n = 0;
        vec_push(&a->members, m);
    }
    if (!a->scope || !a->leader || !a->superuser || !a->system_id || n == 0)
        return err_set(err, ERR_INPUT, "what is kept of the take-over is damaged");
    return 0;
}
