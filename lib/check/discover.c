/* discover.c - what runs on the hosts: of each host, and which of them are one Patroni cluster. */
#include "lib/check/discover.h"

#include "lib/doc/yaml.h"

#define GAP 2 /* blanks between columns */

/* ---- questions to the facts ---- */

static bool is_program(const struct host_process *p, const char *program)
{
    /* A script may go by the name of its interpreter; of Python's the survey tells Patroni alone */
    return str_eq(p->name, program) ||
           (str_eq(program, "patroni") && str_starts(p->name, "python"));
}

bool discover_runs(const struct host_facts *f, const char *program)
{
    size_t len = strlen(program);

    vec_each (p, &f->processes)
        if (is_program(p, program))
            return true;
    vec_each (u, &f->units)
        if (u->running && str_starts(u->name, program) && str_eq(u->name + len, ".service"))
            return true;
    return false;
}

/* One that is there, and is not what its package brings. */
static const struct host_config *own_config(const struct host_facts *f, enum config_kind kind)
{
    const struct host_config *c = survey_config(f, kind);

    return c && c->owner != CONFIG_DEFAULT ? c : NULL;
}

static bool is_ours(const struct host_facts *f, enum config_kind kind)
{
    const struct host_config *c = survey_config(f, kind);

    return c && c->owner == CONFIG_OURS;
}

bool discover_has_etcd(const struct host_facts *f)
{
    return discover_runs(f, "etcd") || (f->etcd_data.n > 0 && own_config(f, CONFIG_ETCD));
}

bool discover_has_balancer(const struct host_facts *f)
{
    return discover_runs(f, "haproxy") || discover_runs(f, "keepalived") ||
           own_config(f, CONFIG_HAPROXY) || own_config(f, CONFIG_KEEPALIVED);
}

int discover_next_port(const struct host_facts *f, int port)
{
    int next = 0;

    vec_each (l, &f->listeners)
        if (str_eq(l->process, "haproxy") && l->port > port && (!next || l->port < next))
            next = l->port;
    return next;
}

/* The word behind --name, with a blank or = between. */
static const char *name_argument(const char *arguments, struct arena *a)
{
    static const char option[] = "--name";
    const char *at = arguments ? strstr(arguments, option) : NULL;

    if (!at)
        return NULL;
    at += strlen(option);
    return *at == ' ' || *at == '=' ? arena_strndup(a, at + 1, strcspn(at + 1, " ")) : NULL;
}

/* etcd.conf.yml has it as `name`. */
static const char *name_in_yaml(const struct host_config *c, struct arena *a)
{
    struct arena scratch = ARENA_INIT;
    struct faults faults;
    const char *name = NULL;

    faults_init(&faults);
    name =
        value_get_str(yaml_parse(&scratch, c->path, c->text, c->text_len, &faults), "name", NULL);
    /* Shown, so nothing but what names are made of. */
    name = name && *name &&
                   strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789._-") == strlen(name)
               ? arena_strdup(a, name)
               : NULL;
    faults_release(&faults);
    arena_release(&scratch);
    return name;
}

const char *discover_etcd_member(const struct host_facts *f, struct arena *a)
{
    const struct host_config *c = own_config(f, CONFIG_ETCD);
    const char *name = c ? c->member : NULL;

    vec_each (p, &f->processes)
        if (!name && str_eq(p->name, "etcd"))
            name = name_argument(p->arguments, a);
    return !name && c && c->text ? name_in_yaml(c, a) : name;
}

const char *discover_own_cluster(const struct host_facts *f)
{
    static const char token[] = "pgha-";
    const struct host_config *etcd = survey_config(f, CONFIG_ETCD);

    vec_each (c, &f->configs)
        if (c->kind == CONFIG_PATRONI && c->owner == CONFIG_OURS && c->scope)
            return c->scope;
    if (is_ours(f, CONFIG_KEEPALIVED) && f->vrrp_instance)
        return f->vrrp_instance;
    if (etcd && etcd->owner == CONFIG_OURS && etcd->token && str_starts(etcd->token, token))
        return etcd->token + strlen(token);
    return NULL;
}

/* ---- Patroni clusters ---- */

/* One without a scope is a part, such as Debian's dcs.yml. */
static bool is_member_config(const struct host_config *c)
{
    return c->kind == CONFIG_PATRONI && c->owner != CONFIG_DEFAULT && c->scope;
}

static struct discover_cluster *cluster_of(struct discover *d, const char *scope)
{
    struct discover_cluster new = {.scope = scope, .ours = true};

    vec_each (c, &d->clusters)
        if (str_eq(c->scope, scope))
            return c;
    vec_push(&d->clusters, new);
    return &d->clusters.items[d->clusters.n - 1];
}

/* A host has one member of a scope: a second file of the same is a copy. */
static void add_member(struct discover *d, size_t host, const struct host_config *config)
{
    struct discover_cluster *c = cluster_of(d, config->scope);
    struct discover_member m = {host, config};

    vec_each (have, &c->members)
        if (have->host == host)
            return;
    c->ours &= config->owner == CONFIG_OURS;
    vec_push(&c->members, m);
}

void discover_init(struct discover *d, const struct discover_host *hosts, size_t n)
{
    *d = (struct discover){.hosts = hosts, .n = n};
    for (size_t i = 0; i < n; i++) {
        if (hosts[i].survey->step != SURVEY_DONE)
            continue;
        vec_each (c, &hosts[i].survey->facts.configs)
            if (is_member_config(c))
                add_member(d, i, c);
    }
}

void discover_release(struct discover *d)
{
    vec_each (c, &d->clusters)
        vec_release(&c->members);
    vec_release(&d->clusters);
}

/* ---- as data ---- */

static struct value *text_or_null(struct arena *a, const char *text)
{
    return text ? value_str(a, text) : value_null(a);
}

static struct value *add_service(struct arena *a, struct value *list, const char *name,
                                 bool running)
{
    struct value *v = value_map(a);

    value_map_set(a, v, "service", value_str(a, name));
    value_map_set(a, v, "running", value_bool(a, running));
    value_list_add(a, list, v);
    return v;
}

static void add_postgresql(const struct host_facts *f, struct arena *a, struct value *list)
{
    vec_each (d, &f->pgdata) {
        struct value *v;

        if (!d->version)
            continue;
        v = add_service(a, list, "postgresql", d->pid != 0);
        value_map_set(a, v, "version", value_int(a, d->version));
        value_map_set(a, v, "port", d->pid && d->port ? value_int(a, d->port) : value_null(a));
        value_map_set(a, v, "data_dir", value_str(a, d->path));
        value_map_set(a, v, "under_patroni", value_bool(a, d->under_patroni));
        /* 64 bits without a sign: more than a number of JSON can be relied on to hold */
        value_map_set(a, v, "system_id",
                      d->system_id ? value_strf(a, "%llu", (unsigned long long)d->system_id)
                                   : value_null(a));
    }
}

static void add_patroni(const struct host_facts *f, struct arena *a, struct value *list)
{
    vec_each (c, &f->configs) {
        struct value *v;

        if (!is_member_config(c))
            continue;
        v = add_service(a, list, "patroni", discover_runs(f, "patroni"));
        value_map_set(a, v, "scope", value_str(a, c->scope));
        value_map_set(a, v, "member", text_or_null(a, c->member));
        value_map_set(a, v, "config", value_str(a, c->path));
        value_map_set(a, v, "ours", value_bool(a, c->owner == CONFIG_OURS));
    }
}

static void add_etcd(const struct host_facts *f, struct arena *a, struct value *list)
{
    struct value *v;

    if (!discover_has_etcd(f))
        return;
    v = add_service(a, list, "etcd", discover_runs(f, "etcd"));
    value_map_set(a, v, "member", text_or_null(a, discover_etcd_member(f, a)));
    value_map_set(a, v, "ours", value_bool(a, is_ours(f, CONFIG_ETCD)));
}

static void add_haproxy(const struct host_facts *f, struct arena *a, struct value *list)
{
    struct value *v, *ports = value_list(a);
    int port = 0;

    if (!discover_runs(f, "haproxy") && !own_config(f, CONFIG_HAPROXY))
        return;
    v = add_service(a, list, "haproxy", discover_runs(f, "haproxy"));
    while ((port = discover_next_port(f, port)))
        value_list_add(a, ports, value_int(a, port));
    value_map_set(a, v, "ports", ports);
    value_map_set(a, v, "ours", value_bool(a, is_ours(f, CONFIG_HAPROXY)));
}

static void add_keepalived(const struct host_facts *f, struct arena *a, struct value *list)
{
    struct value *v, *ids = value_list(a), *vips = value_list(a);

    if (!discover_runs(f, "keepalived") && !own_config(f, CONFIG_KEEPALIVED))
        return;
    v = add_service(a, list, "keepalived", discover_runs(f, "keepalived"));
    vec_each (id, &f->vrrp_ids)
        value_list_add(a, ids, value_int(a, *id));
    vec_each (vip, &f->vrrp_addresses)
        value_list_add(a, vips, value_str(a, *vip));
    value_map_set(a, v, "virtual_router_ids", ids);
    value_map_set(a, v, "virtual_addresses", vips);
    value_map_set(a, v, "ours", value_bool(a, is_ours(f, CONFIG_KEEPALIVED)));
}

static struct value *services(const struct host_facts *f, struct arena *a)
{
    struct value *list = value_list(a);

    add_postgresql(f, a, list);
    add_patroni(f, a, list);
    add_etcd(f, a, list);
    add_haproxy(f, a, list);
    add_keepalived(f, a, list);
    if (discover_runs(f, "pgbouncer"))
        add_service(a, list, "pgbouncer", true);
    return list;
}

/* What others could use: not lo, and nothing that is valid on a link only. */
static bool is_shown(const struct host_address *address)
{
    return !str_eq(address->interface, "lo") && address->scope != SCOPE_LINK;
}

static struct value *addresses(const struct host_facts *f, struct arena *a)
{
    struct value *list = value_list(a);

    vec_each (address, &f->addresses) {
        struct value *v;

        if (!is_shown(address))
            continue;
        v = value_map(a);
        value_map_set(a, v, "interface", value_str(a, address->interface));
        value_map_set(a, v, "address", value_str(a, address->address));
        value_map_set(a, v, "prefix", value_int(a, address->prefix));
        value_map_set(a, v, "virtual", value_bool(a, address->is_virtual));
        value_list_add(a, list, v);
    }
    return list;
}

static struct value *host_value(const struct discover_host *host, struct arena *a)
{
    const struct host_facts *f = &host->survey->facts;
    bool answered = host->survey->step == SURVEY_DONE;
    struct value *v = value_map(a), *os = value_map(a);

    value_map_set(a, v, "host", value_str(a, host->name));
    value_map_set(a, v, "answered", value_bool(a, answered));
    value_map_set(a, v, "error", text_or_null(a, answered ? NULL : host->survey->err.text));
    if (!answered)
        return v;
    value_map_set(a, v, "hostname", text_or_null(a, f->hostname));
    value_map_set(a, os, "id", text_or_null(a, f->os_id));
    value_map_set(a, os, "version", text_or_null(a, f->os_version));
    value_map_set(a, os, "architecture", text_or_null(a, f->arch ? f->arch : f->machine));
    value_map_set(a, v, "system", os);
    value_map_set(a, v, "addresses", addresses(f, a));
    value_map_set(a, v, "runs", services(f, a));
    value_map_set(a, v, "cluster", text_or_null(a, discover_own_cluster(f)));
    return v;
}

static struct value *cluster_value(const struct discover *d, const struct discover_cluster *c,
                                   struct arena *a)
{
    struct value *v = value_map(a), *members = value_list(a);

    value_map_set(a, v, "scope", value_str(a, c->scope));
    value_map_set(a, v, "ours", value_bool(a, c->ours));
    vec_each (m, &c->members) {
        struct value *member = value_map(a);

        value_map_set(a, member, "host", value_str(a, d->hosts[m->host].name));
        value_map_set(a, member, "member", text_or_null(a, m->config->member));
        value_map_set(a, member, "data_dir", text_or_null(a, m->config->data_dir));
        value_list_add(a, members, member);
    }
    value_map_set(a, v, "members", members);
    return v;
}

struct value *discover_to_value(const struct discover *d, struct arena *a)
{
    struct value *top = value_map(a), *hosts = value_list(a), *clusters = value_list(a);

    for (size_t i = 0; i < d->n; i++)
        value_list_add(a, hosts, host_value(&d->hosts[i], a));
    vec_each (c, &d->clusters)
        value_list_add(a, clusters, cluster_value(d, c, a));
    value_map_set(a, top, "hosts", hosts);
    value_map_set(a, top, "clusters", clusters);
    return top;
}

/* ---- for people: the same data in columns ---- */

static const char *service_text(const struct value *v, struct arena *a)
{
    const char *service = value_get_str(v, "service", ""), *member, *text;
    const struct value *list;

    if (str_eq(service, "postgresql")) {
        text = arena_printf(a, "PostgreSQL %lld", (long long)value_get_int(v, "version", 0));
        if (value_get_int(v, "port", 0))
            text = arena_printf(a, "%s port %lld", text, (long long)value_get_int(v, "port", 0));
        if (value_get_bool(v, "under_patroni", false))
            text = arena_printf(a, "%s under Patroni", text);
    } else if (str_eq(service, "patroni")) {
        member = value_get_str(v, "member", NULL);
        text = arena_printf(a, "Patroni scope %s%s%s", value_get_str(v, "scope", ""),
                            member ? " member " : "", member ? member : "");
    } else if (str_eq(service, "etcd")) {
        member = value_get_str(v, "member", NULL);
        text = arena_printf(a, "etcd%s%s", member ? " " : "", member ? member : "");
    } else if (str_eq(service, "keepalived")) {
        text = "keepalived";
        list = value_get(v, "virtual_router_ids");
        for (size_t i = 0; i < list->u.list.n; i++)
            text = arena_printf(a, "%s vrid %lld", text, (long long)list->u.list.items[i]->u.i);
        list = value_get(v, "virtual_addresses");
        for (size_t i = 0; i < list->u.list.n; i++)
            text = arena_printf(a, "%s %s", text, list->u.list.items[i]->u.str.s);
    } else if (str_eq(service, "haproxy")) {
        text = "HAProxy";
        list = value_get(v, "ports");
        for (size_t i = 0; i < list->u.list.n; i++)
            text = arena_printf(a, "%s%s %lld", text, i ? "" : " port",
                                (long long)list->u.list.items[i]->u.i);
    } else {
        text = "PgBouncer";
    }
    return value_get_bool(v, "running", false) ? text : arena_printf(a, "%s (stopped)", text);
}

static const char *system_text(const struct value *host, struct arena *a)
{
    const char *id = value_get_str(value_get(host, "system"), "id", "unknown");
    const char *version = value_get_str(value_get(host, "system"), "version", "");
    const char *arch = value_get_str(value_get(host, "system"), "architecture", "");
    char *name = arena_strdup(a, id);

    if (*name >= 'a' && *name <= 'z')
        *name = (char)(*name - 'a' + 'A');
    return arena_printf(a, "%s%s%s%s%s", name, *version ? " " : "", version, *arch ? " " : "",
                        arch);
}

struct row {
    const char *cells[4]; /* HOST SYSTEM ADDRESSES RUNS; NULL: empty */
};

struct table {
    struct arena arena;
    VEC(struct row) rows;
    size_t first; /* row of the host that is put in */
};

/* The host's n-th line. */
static struct row *line(struct table *t, size_t n)
{
    static const struct row empty = {{NULL}};

    while (t->rows.n <= t->first + n)
        vec_push(&t->rows, empty);
    return &t->rows.items[t->first + n];
}

static void put_host(struct table *t, const struct value *host)
{
    struct arena *a = &t->arena;
    const struct value *list = value_get(host, "addresses");
    const char *own = value_get_str(host, "cluster", NULL);
    size_t n = 0;

    t->first = t->rows.n;
    line(t, 0)->cells[0] = value_get_str(host, "host", "");
    if (!value_get_bool(host, "answered", false)) {
        line(t, 0)->cells[1] = "no answer";
        return;
    }
    line(t, 0)->cells[1] = system_text(host, a);
    for (size_t i = 0; i < list->u.list.n; i++) {
        const struct value *v = list->u.list.items[i];

        line(t, i)->cells[2] =
            arena_printf(a, "%s %s/%lld%s", value_get_str(v, "interface", ""),
                         value_get_str(v, "address", ""), (long long)value_get_int(v, "prefix", 0),
                         value_get_bool(v, "virtual", false) ? " (virtual)" : "");
    }
    list = value_get(host, "runs");
    for (; n < list->u.list.n; n++)
        line(t, n)->cells[3] = service_text(list->u.list.items[n], a);
    if (own)
        line(t, n)->cells[3] = arena_printf(a, "ours: cluster %s", own);
    else if (n == 0)
        line(t, n)->cells[3] = "-";
}

static void put_rows(const struct table *t, struct str *out)
{
    int width[ARRAY_LEN(t->rows.items->cells)] = {0};

    vec_each (row, &t->rows)
        for (size_t i = 0; i < ARRAY_LEN(width); i++)
            if (row->cells[i] && (int)strlen(row->cells[i]) + GAP > width[i])
                width[i] = (int)strlen(row->cells[i]) + GAP;
    vec_each (row, &t->rows) {
        size_t last = 0;

        for (size_t i = 0; i < ARRAY_LEN(width); i++)
            last = row->cells[i] ? i : last;
        for (size_t i = 0; i <= last; i++)
            str_printf(out, "%-*s", i < last ? width[i] : 0, row->cells[i] ? row->cells[i] : "");
        str_putc(out, '\n');
    }
}

static void put_clusters(const struct discover *d, struct str *out)
{
    vec_each (c, &d->clusters) {
        str_printf(out, "%sPatroni cluster %s%s:", c == d->clusters.items ? "\n" : "", c->scope,
                   c->ours ? " (ours)" : "");
        vec_each (m, &c->members) {
            const char *host = d->hosts[m->host].name, *member = m->config->member;

            str_printf(out, "%s %s", m == c->members.items ? "" : ",", member ? member : host);
            if (member && !str_eq(member, host))
                str_printf(out, " (%s)", host);
        }
        str_putc(out, '\n');
    }
}

void discover_format(const struct discover *d, struct str *out)
{
    static const struct row head = {{"HOST", "SYSTEM", "ADDRESSES", "RUNS"}};
    struct table t = {.arena = ARENA_INIT};
    struct value *all = discover_to_value(d, &t.arena);
    const struct value *hosts = value_get(all, "hosts");

    vec_push(&t.rows, head);
    for (size_t i = 0; i < hosts->u.list.n; i++)
        put_host(&t, hosts->u.list.items[i]);
    put_rows(&t, out);
    put_clusters(d, out);
    vec_release(&t.rows);
    arena_release(&t.arena);
}
