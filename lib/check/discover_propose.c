/*
 * discover_propose.c - a cluster file from what runs: Patroni's members, its settings, etcd and the
 * balancers as they are. What a host says is shown in comments and written as values, so names and
 * texts are held to what the cluster file takes, and what may be a secret stays behind.
 */
#include <ctype.h>
#include <strings.h>

#include "lib/check/discover.h"
#include "lib/cluster/parameters.h"
#include "lib/cluster/schema.h"
#include "lib/doc/json.h"
#include "lib/doc/yaml.h"

#define POSTGRES_PORT  5432
#define MAX_PARAMETERS 200
#define MAX_TEXT       1000 /* of one parameter */
#define LIST_MAX       ((size_t)400)

static const char *shown_name(const struct import_host *host)
{
    return host->name ? host->name : host->login;
}

static bool answered(const struct discover *d, size_t host)
{
    return d->hosts[host].survey->step == SURVEY_DONE;
}

/* ---- names ---- */

/* As inventories and lib/cluster have them. */
static bool is_host_name(const char *name)
{
    size_t len = name ? strlen(name) : 0;

    if (len == 0 || len > IMPORT_MAX_NAME || !isalnum((unsigned char)*name) ||
        str_eq(name, "localhost") || str_eq(name, "all") || str_eq(name, "ungrouped"))
        return false;
    /* All digits and dots would be an address. */
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               len &&
           strspn(name, "0123456789.") != len;
}

static const char *member_name(const struct discover_cluster *c, size_t host)
{
    if (c)
        vec_each (m, &c->members)
            if (m->host == host)
                return m->config->member;
    return NULL;
}

/* A host that came as an address is called what Patroni calls it, else as it calls itself. */
static void name_hosts(const struct discover *d, const struct discover_cluster *c,
                       struct import *im)
{
    for (size_t i = 0; i < d->n; i++) {
        struct import_host *host = &im->hosts.items[i];
        const char *member = member_name(c, i), *own = d->hosts[i].survey->facts.hostname;

        if (!answered(d, i))
            continue;
        if (!host->name && (is_host_name(member) || is_host_name(own)))
            host->name = arena_strdup(&im->inv.arena, is_host_name(member) ? member : own);
        if (member && !str_eq(member, host->name))
            import_note(im, "Patroni calls %s %s", shown_name(host), member);
    }
}

/* ---- what the hosts are for ---- */

static bool has_word(const struct import_host *host, const char *word)
{
    vec_each (have, &host->words)
        if (str_eq(*have, word))
            return true;
    return false;
}

static void note_role(struct import *im, const char *host, const char *group, const char *program,
                      bool is_there)
{
    if (is_there)
        import_note(im, "%s: in the group %s, but there is no %s on it", host, group, program);
    else
        import_note(im, "%s did not answer: in the group %s, as the source has it", host, group);
}

/* Groups that the source has already stay; where the host does not bear them out, that is told. */
static void keep_groups(const struct discover *d, struct import *im)
{
    static const char *const programs[IMPORT_ROLES] = {
        [IMPORT_DB] = "Patroni of this cluster", [IMPORT_LB] = "HAProxy", [IMPORT_ETCD] = "etcd"};

    for (size_t i = 0; i < d->n; i++) {
        struct import_host *host = &im->hosts.items[i];

        for (int role = 0; role < IMPORT_ROLES; role++) {
            if (host->role[role] || !has_word(host, import_role_names[role]))
                continue;
            host->role[role] = true;
            note_role(im, shown_name(host), import_role_names[role], programs[role],
                      answered(d, i));
        }
        if (!answered(d, i) && !host->role[IMPORT_DB] && !host->role[IMPORT_LB] &&
            !host->role[IMPORT_ETCD])
            import_note(im, "%s did not answer, so nothing is known of it", shown_name(host));
    }
}

static void set_roles(const struct discover *d, const struct discover_cluster *c, struct import *im)
{
    vec_each (m, &c->members)
        im->hosts.items[m->host].role[IMPORT_DB] = true;
    for (size_t i = 0; i < d->n; i++) {
        const struct host_facts *f = &d->hosts[i].survey->facts;

        if (!answered(d, i))
            continue;
        im->hosts.items[i].role[IMPORT_ETCD] = discover_has_etcd(f);
        im->hosts.items[i].role[IMPORT_LB] = discover_has_balancer(f);
    }
    import_note(im,
                "the groups are by what runs: db has the members of Patroni's scope %s, etcd "
                "those of etcd, lb HAProxy or keepalived",
                c->scope);
    keep_groups(d, im);
    im->roles_known = true;
}

/* ---- Patroni's settings ---- */

/* What the cluster file's schema takes: it is asked, so that there is no second list. */
static bool schema_takes(const struct value *postgres)
{
    struct arena a = ARENA_INIT;
    struct value *file = value_map(&a), *provider = value_map(&a);
    struct faults faults;
    struct cluster c;
    struct str text;
    bool takes;

    value_map_set(&a, provider, "name", value_str(&a, "local"));
    value_map_set(&a, file, "cluster", value_str(&a, "asked"));
    value_map_set(&a, file, "provider", provider);
    value_map_set(&a, file, "postgres", value_copy(&a, postgres));
    str_init(&text, STR_MAX_TEXT);
    faults_init(&faults);
    yaml_write(file, &text);
    takes = cluster_load_text(&c, "asked", text.buf, text.len, &faults) == 0;
    cluster_release(&c);
    faults_release(&faults);
    str_release(&text);
    arena_release(&a);
    return takes;
}

static bool takes_parameter(const char *name, const struct value *value)
{
    struct arena a = ARENA_INIT;
    struct value *postgres = value_map(&a), *parameters = value_map(&a);
    bool takes;

    value_map_set(&a, parameters, name, value_copy(&a, value));
    value_map_set(&a, postgres, "parameters", parameters);
    takes = schema_takes(postgres);
    arena_release(&a);
    return takes;
}

/* Commands and settings of extensions often hold keys: better one too many stays behind. */
static bool may_be_secret(const char *name, const struct value *value)
{
    static const char *const in_names[] = {"pass", "secret", "token",    "key",
                                           "cred", "auth",   "conninfo", "_command"};
    static const char *const in_texts[] = {"pass", "secret", "token", "://", "pwd"};

    for (size_t i = 0; i < ARRAY_LEN(in_names); i++)
        if (strcasestr(name, in_names[i]))
            return true;
    for (size_t i = 0; value_is_str(value) && i < ARRAY_LEN(in_texts); i++)
        if (strcasestr(value->u.str.s, in_texts[i]))
            return true;
    return strchr(name, '.') && !str_starts(name, "pg_stat_statements.") &&
           !str_starts(name, "auto_explain.");
}

static bool is_printable(const struct value *value)
{
    if (!value_is_str(value))
        return true;
    for (const char *p = value->u.str.s; *p; p++)
        if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
            return false;
    return value->u.str.len <= MAX_TEXT;
}

/* As PostgreSQL reads it. */
static void put_setting(const struct value *v, struct str *out)
{
    if (value_is_str(v))
        str_puts(out, v->u.str.s);
    else if (v->type == VALUE_BOOL)
        str_puts(out, v->u.b ? "on" : "off");
    else
        json_write(v, JSON_TIGHT, out);
}

/* on and 'on', 4 and "4" are the same to PostgreSQL. */
static bool is_same(const struct value *a, const struct value *b)
{
    struct str x, y;
    bool same;

    if (!b)
        return false;
    str_init(&x, STR_MAX_TEXT);
    str_init(&y, STR_MAX_TEXT);
    put_setting(a, &x);
    put_setting(b, &y);
    same = str_eq(x.buf, y.buf);
    str_release(&x);
    str_release(&y);
    return same;
}

static const struct preset *default_preset(void)
{
    const struct preset *p = presets;

    while (p->name && !str_eq(p->name, "default"))
        p++;
    return p;
}

/* Names alone are told of what is left out, and only those that are names. */
static void note_left_out(struct str *list, const char *name)
{
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") == strlen(name) && strlen(name) < 64)
        str_printf(list, "%s%s", list->len ? ", " : "", name);
}

/* What every member has in a file of its own, over whatever the cluster file says. */
static bool is_fixed(const char *name)
{
    return str_eq(name, "unix_socket_directories");
}

/* ours: nobody misses what the program itself has set. */
static struct value *take_parameters(const struct value *from, bool ours, struct import *im)
{
    struct arena *a = &im->inv.arena;
    const struct value *defaults = parameters_default(default_preset(), a);
    struct value *taken = value_map(a);
    struct str secret, refused;

    str_init(&secret, LIST_MAX);
    str_init(&refused, LIST_MAX);
    for (size_t i = 0; i < from->u.map.n && taken->u.map.n < MAX_PARAMETERS; i++) {
        const struct value_entry *e = &from->u.map.entries[i];

        if (is_same(e->value, value_get(defaults, e->key)))
            continue;
        if (is_fixed(e->key) || !is_printable(e->value) || !takes_parameter(e->key, e->value))
            note_left_out(&refused, e->key);
        else if (may_be_secret(e->key, e->value))
            note_left_out(&secret, e->key);
        else
            value_map_set(a, taken, e->key, value_copy(a, e->value));
    }
    if (secret.len)
        import_note(im, "parameters left out, for they may hold secrets: %s", secret.buf);
    if (refused.len && !ours)
        import_note(im, "parameters left out, for a cluster file cannot have them: %s",
                    refused.buf);
    str_release(&secret);
    str_release(&refused);
    return taken;
}

static bool is_true(const struct value *v)
{
    return v &&
           ((v->type == VALUE_BOOL && v->u.b) || (value_is_str(v) && str_eq(v->u.str.s, "on")));
}

static const char *synchronous(const struct value *dcs)
{
    const struct value *mode = value_get(dcs, "synchronous_mode");

    if (value_is_str(mode) && str_eq(mode->u.str.s, "quorum"))
        return "quorum";
    if (!is_true(mode))
        return NULL;
    return is_true(value_get(dcs, "synchronous_mode_strict")) ? "strict" : "on";
}

/* Patroni keeps its state in one of several stores. */
static void note_store(const struct value *config, struct import *im)
{
    static const char *const others[] = {"consul", "zookeeper", "exhibitor", "kubernetes", "raft"};

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (value_get(config, others[i]))
            import_note(im, "Patroni keeps its state in %s; a cluster of pgha-deploy has etcd",
                        others[i]);
}

static void read_config(const struct host_config *c, struct import *im, struct value *postgres)
{
    struct arena *a = &im->inv.arena, scratch = ARENA_INIT;
    struct faults faults;
    const struct value *config, *dcs, *of_dcs, *own;
    struct value *taken;

    faults_init(&faults);
    config = yaml_parse(&scratch, c->path, c->text, c->text_len, &faults);
    dcs = value_at(config, "bootstrap.dcs");
    of_dcs = value_at(dcs, "postgresql.parameters");
    own = value_at(config, "postgresql.parameters");
    if (!of_dcs || of_dcs->type != VALUE_MAP)
        of_dcs = value_map(&scratch);
    if (own && own->type == VALUE_MAP)
        of_dcs = value_merge(&scratch, of_dcs, own);
    taken = take_parameters(of_dcs, c->owner == CONFIG_OURS, im);
    if (synchronous(dcs) && import_count(im, IMPORT_DB) > 1)
        value_map_set(a, postgres, "synchronous", value_str(a, synchronous(dcs)));
    else if (synchronous(dcs))
        import_note(im,
                    "replication is synchronous (%s), which is left out, for there is no "
                    "standby among these hosts",
                    synchronous(dcs));
    if (taken->u.map.n)
        value_map_set(a, postgres, "parameters", taken);
    if (config && config->type == VALUE_MAP)
        note_store(config, im);
    else
        import_note(im, "%s cannot be read as YAML, so no parameters are taken from it", c->path);
    faults_release(&faults);
    arena_release(&scratch);
}

/* ---- PostgreSQL ---- */

static const struct host_pgdata *member_data(const struct discover *d,
                                             const struct discover_member *m)
{
    const struct host_facts *f = &d->hosts[m->host].survey->facts;

    vec_each (data, &f->pgdata)
        if (data->version && str_eq(data->path, m->config->data_dir))
            return data;
    vec_each (data, &f->pgdata)
        if (data->version && data->under_patroni)
            return data;
    return NULL;
}

static void take_version(int version, struct import *im, struct value *postgres)
{
    struct arena a = ARENA_INIT;
    struct value *asked = value_map(&a);

    value_map_set(&a, asked, "version", value_int(&a, version));
    if (version && schema_takes(asked))
        value_map_set(&im->inv.arena, postgres, "version", value_int(&im->inv.arena, version));
    else if (version)
        import_note(im, "PostgreSQL %d is not one that a cluster of pgha-deploy can have", version);
    else
        import_note(im, "no data directory was found, so PostgreSQL's version is not known");
    arena_release(&a);
}

/* Where it is another one than a new cluster would have. */
static void take_data_dir(const char *path, int version, struct import *im, struct value *postgres)
{
    struct arena *a = &im->inv.arena;
    struct value *asked;

    if (!path || !version || str_eq(path, arena_printf(a, "/var/lib/postgresql/%d/main", version)))
        return;
    asked = value_map(a);
    value_map_set(a, asked, "data_dir", value_str(a, path));
    if (*path == '/' && is_printable(value_get(asked, "data_dir")) && schema_takes(asked))
        value_map_set(a, postgres, "data_dir", value_get(asked, "data_dir"));
}

static void read_data(const struct discover *d, const struct discover_cluster *c, struct import *im,
                      struct value *postgres)
{
    uint64_t system_id = 0;
    bool same = true;
    int version = 0;

    vec_each (m, &c->members) {
        const struct host_pgdata *data = member_data(d, m);

        if (!data)
            continue;
        same &= !system_id || !data->system_id || system_id == data->system_id;
        system_id = data->system_id ? data->system_id : system_id;
        version = data->version > version ? data->version : version;
        if (data->pid && data->port && data->port != POSTGRES_PORT)
            import_note(im,
                        "PostgreSQL of %s listens on port %d; in a cluster of pgha-deploy it "
                        "is %d",
                        shown_name(&im->hosts.items[m->host]), data->port, POSTGRES_PORT);
    }
    if (!same)
        import_note(im,
                    "the members of %s have data of different clusters (system identifiers): "
                    "the same scope may be there twice",
                    c->scope);
    take_version(version, im, postgres);
    take_data_dir(c->members.items[0].config->data_dir, version, im, postgres);
}

/* ---- balancers ---- */

static bool is_ipv4(const char *text)
{
    uint32_t address;

    return address_parse(text, &address) == 0;
}

static const char *find_vip(const struct discover *d, struct import *im)
{
    const char *vip = NULL;

    for (size_t i = 0; i < d->n; i++) {
        if (!answered(d, i) || !im->hosts.items[i].role[IMPORT_LB])
            continue;
        vec_each (address, &d->hosts[i].survey->facts.vrrp_addresses) {
            if (!vip && is_ipv4(*address))
                vip = *address;
            else if (!str_eq(*address, vip))
                import_note(im, "keepalived of %s has the address %s, too; a cluster has one",
                            shown_name(&im->hosts.items[i]), *address);
        }
    }
    return vip;
}

/* The balancers' ports of a cluster file that says nothing of them. */
static bool is_usual_port(int port)
{
    return (port >= 5000 && port <= 5003) || port == 7000;
}

static void note_ports(const struct discover *d, struct import *im)
{
    bool usual = true;
    struct str list;

    str_init(&list, LIST_MAX);
    for (size_t i = 0; i < d->n && !list.len; i++) {
        int port = 0;

        if (!answered(d, i) || !im->hosts.items[i].role[IMPORT_LB])
            continue;
        while ((port = discover_next_port(&d->hosts[i].survey->facts, port))) {
            str_printf(&list, "%s%d", list.len ? ", " : "", port);
            usual &= is_usual_port(port);
        }
    }
    if (!usual)
        import_note(im,
                    "HAProxy listens on %s: which is for what is to be said under ports, where "
                    "it is not 5000 (primary), 5001 (replicas), 7000 (statistics)",
                    list.buf);
    str_release(&list);
}

/* ---- the whole ---- */

/* What a cluster of pgha-deploy has in its own way, whatever this one has. */
static void note_differences(const struct discover *d, struct import *im)
{
    import_note(im, "parameters that are not named get pgha-deploy's defaults: "
                    "`pgha-deploy docs parameters`");
    import_note(im, "who may connect is not taken from pg_hba.conf: clients need TLS, and "
                    "networks beside the cluster's own are to be said under access.postgres");
    note_ports(d, im);
}

static void build_settings(const struct discover *d, const struct discover_cluster *c,
                           struct import *im)
{
    struct arena *a = &im->inv.arena;
    struct value *settings = value_map(a), *postgres = value_map(a), *network = value_map(a);
    const char *vip = find_vip(d, im);

    read_data(d, c, im, postgres);
    if (c->members.items[0].config->text)
        read_config(c->members.items[0].config, im, postgres);
    if (vip) {
        value_map_set(a, network, "vip", value_str(a, vip));
        value_map_set(a, settings, "network", network);
        import_note(im, "the VIP is the one of keepalived");
    }
    if (postgres->u.map.n)
        value_map_set(a, settings, "postgres", postgres);
    if (value_get(postgres, "parameters"))
        import_note(im,
                    "postgres.parameters: those of %s on %s that are not the default; what was "
                    "changed later is in the DCS (patronictl show-config)",
                    c->members.items[0].config->path,
                    shown_name(&im->hosts.items[c->members.items[0].host]));
    if (!c->ours)
        note_differences(d, im);
    im->settings = settings;
}

/* The one called name, else the only one. NULL with err set, or without where there is none. */
static const struct discover_cluster *choose(const struct discover *d, const char *name,
                                             struct err *err)
{
    struct str list;

    if (d->clusters.n == 1)
        return &d->clusters.items[0];
    vec_each (c, &d->clusters)
        if (str_eq(c->scope, name))
            return c;
    if (d->clusters.n == 0)
        return NULL;
    str_init(&list, LIST_MAX);
    vec_each (c, &d->clusters)
        str_printf(&list, "%s%s", list.len ? ", " : "", c->scope);
    err_set(err, ERR_INPUT, "there are %zu Patroni clusters: %s", d->clusters.n, list.buf);
    err_hint(err, "say with --name which one is meant");
    str_release(&list);
    return NULL;
}

static void take_cluster(const struct discover *d, const struct discover_cluster *c,
                         struct import *im)
{
    name_hosts(d, c, im);
    set_roles(d, c, im);
    build_settings(d, c, im);
    im->called = arena_strdup(&im->inv.arena, c->scope);
    if (c->ours)
        import_note(im,
                    "the cluster %s is pgha-deploy's already: where its own cluster file is, "
                    "keep that one, with its folder .pgha",
                    c->scope);
    else
        import_note(im, "this Patroni is somebody else's: `pgha-deploy up` leaves it alone, "
                        "`pgha-deploy up --adopt` takes it over as it runs");
}

/* One file for one cluster: hosts that only another one's Patroni runs on are not its. */
static void note_others(const struct discover *d, const struct discover_cluster *chosen,
                        struct import *im)
{
    vec_each (c, &d->clusters)
        if (c != chosen)
            import_note(im, "there is another Patroni cluster: %s", c->scope);
}

int discover_propose(const struct discover *d, struct import *im, const char *name, struct err *err)
{
    const struct discover_cluster *c = choose(d, name, err);
    size_t answers = 0;

    for (size_t i = 0; i < d->n; i++)
        answers += answered(d, i);
    if (d->n && !answers)
        return err_set(err, ERR_INPUT, "no host answered, so there is nothing to propose");
    if (err->code)
        return -1;
    im->command = "discover";
    if (c) {
        take_cluster(d, c, im);
        note_others(d, c, im);
    } else {
        name_hosts(d, NULL, im);
    }
    if (import_propose(im, name, err) < 0)
        return -1;
    if (c && !str_eq(im->cluster, c->scope))
        import_note(im, "Patroni's scope is %s, the cluster's name here %s", c->scope, im->cluster);
    return 0;
}
