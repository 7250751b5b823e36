/* cluster.c - from a cluster file to the validated model: what needs more than one key, and the
 * hosts' addresses. */
#include "lib/cluster/cluster.h"

#include "lib/base/file.h"
#include "lib/cluster/existing.h"
#include "lib/cluster/packages.h"
#include "lib/cluster/schema.h"
#include "lib/cluster/zones.h"
#include "lib/doc/yaml.h"

/* Places of the groups in a network of 128 addresses or more: a group that grows does not move the
 * others. */
enum { DB_FIRST = 11, LB_FIRST = 51, ETCD_FIRST = 71, VIP_PLACE = 100, ROOMY_PREFIX = 25 };

struct source cluster_source(const struct cluster *c, const char *dotted)
{
    const struct value *v = value_at(c->config, dotted);

    return v && v->src.line ? v->src : c->config->src;
}

char *cluster_path(const struct cluster *c, const char *path)
{
    char *folder = path_dir(c->file);
    char *found = *path == '/' ? xstrdup(path) : path_join(folder, path);

    free(folder);
    return found;
}

bool cluster_is_in_cloud(const struct cluster *c)
{
    return str_eq(c->provider, "aws");
}

const char *cluster_vip_mode(const struct cluster *c)
{
    return cluster_is_in_cloud(c) ? value_at(c->config, "vip.mode")->u.str.s : "vrrp";
}

bool cluster_has_public_vip(const struct cluster *c)
{
    return c->vip && str_eq(cluster_vip_mode(c), "eip");
}

void cluster_take_outputs(struct cluster *c, const struct value *outputs)
{
    const char *bastion = value_get_str(outputs, "bastion", NULL);
    const char *vip = value_get_str(outputs, "vip", NULL);

    c->outputs = outputs->type == VALUE_MAP ? value_copy(&c->arena, outputs) : NULL;
    c->bastion = bastion ? arena_strdup(&c->arena, bastion) : NULL;
    if (vip && cluster_has_public_vip(c) && !value_at(c->config, "network.vip"))
        c->vip = arena_strdup(&c->arena, vip);
}

static int config_int(const struct cluster *c, const char *dotted, int otherwise)
{
    const struct value *v = value_at(c->config, dotted);

    return v && v->type == VALUE_INT ? (int)v->u.i : otherwise;
}

static const char *config_str(const struct cluster *c, const char *dotted)
{
    const struct value *v = value_at(c->config, dotted);

    return v && v->type == VALUE_STR ? v->u.str.s : NULL;
}

static uint32_t last_address(const struct cluster *c)
{
    return (c->network | ~c->netmask) - 1;
}

static void load_network(struct cluster *c, struct faults *faults)
{
    char text[16];

    c->cidr = config_str(c, "network.cidr");
    if (!c->cidr || cidr_parse(c->cidr, &c->network, &c->prefix) < 0)
        return; /* its fault is listed already */
    if (c->prefix < 8 || c->prefix > 29) {
        fault_add(faults, cluster_source(c, "network.cidr"), "network.cidr: %s is too %s", c->cidr,
                  c->prefix < 8 ? "large" : "small");
        fault_hint(faults, "use a prefix from /8 to /29, /24 for example");
        c->cidr = NULL;
        return;
    }
    if (c->network >> 24 == 0 || c->network >> 24 == 127 || c->network >> 24 >= 224) {
        fault_add(faults, cluster_source(c, "network.cidr"),
                  "network.cidr: %s is no network for hosts (loopback, multicast or reserved)",
                  c->cidr);
        c->cidr = NULL;
        return;
    }
    c->netmask = ~(uint32_t)0 << (32 - c->prefix);
    address_format(c->network + 1, text);
    c->gateway = arena_strdup(&c->arena, text);
}

static void load_vip(struct cluster *c, int balancers, struct faults *faults)
{
    const char *given = config_str(c, "network.vip");
    struct source src = cluster_source(c, "network.vip");
    char text[16];
    uint32_t vip;

    if (!balancers) {
        if (given) {
            fault_add(faults, src, "network.vip: needs balancers, but nodes.lb.count is 0");
            fault_hint(faults, "leave network.vip out, or ask for two balancers");
        }
        return;
    }
    if (c->subnets.n) {
        c->vip = zones_vip(c, given, faults);
        return;
    }
    if (!given) {
        vip = c->prefix <= ROOMY_PREFIX ? c->network + VIP_PLACE : last_address(c);
        address_format(vip, text);
        c->vip = arena_strdup(&c->arena, text);
        return;
    }
    c->vip = given;
    if (address_parse(given, &vip) < 0)
        return;
    if ((vip & c->netmask) != c->network)
        fault_add(faults, src, "network.vip: %s is outside network.cidr %s", given, c->cidr);
    else if (vip == c->network || vip > last_address(c))
        fault_add(faults, src, "network.vip: %s is the network's own or broadcast address", given);
    else if (vip == c->network + 1)
        fault_add(faults, src, "network.vip: %s is the gateway's address", given);
}

static const char *host_address(struct cluster *c, uint32_t *next, uint32_t place)
{
    uint32_t vip = 0, address;
    char text[16];

    if (c->vip)
        (void)!address_parse(c->vip, &vip);
    address = place ? c->network + place : *next;
    if (!place && address == vip)
        address++;
    *next = address + 1;
    address_format(address, text);
    return arena_strdup(&c->arena, text);
}

struct group_plan {
    const char *prefix;
    int count;
    uint32_t first; /* place in a roomy network */
    enum zone_group group;
    bool is_etcd;
};

static void add_group(struct cluster *c, const struct group_plan *g, uint32_t *next,
                      struct faults *faults)
{
    for (int i = 0; i < g->count; i++) {
        bool roomy = c->prefix <= ROOMY_PREFIX;
        struct cluster_host h = {
            .name = arena_printf(&c->arena, "%s%d", g->prefix, i + 1),
            .is_db = g->group == ZONE_DB,
            .is_lb = g->group == ZONE_LB,
            .is_etcd = g->is_etcd,
            .is_container = str_eq(c->provider, "local"),
            .index = i + 1,
        };

        h.address = c->subnets.n ? zones_address(c, g->group, i, &h.subnet, faults)
                                 : host_address(c, next, roomy ? g->first + (uint32_t)i : 0);
        if (!h.address)
            return;
        if (str_eq(h.address, c->vip)) {
            fault_add(faults, cluster_source(c, "network.vip"),
                      "network.vip: %s is the address of %s", c->vip, h.name);
            fault_hint(faults, "leave network.vip out, or take a free address");
        }
        vec_push(&c->hosts, h);
    }
}

static void load_hosts(struct cluster *c, struct faults *faults)
{
    int dbs = config_int(c, "nodes.db.count", 0), balancers = config_int(c, "nodes.lb.count", 0);
    int etcds = config_int(c, "nodes.etcd.count", 0);
    struct source etcd_src = cluster_source(c, "nodes.etcd.count");
    uint32_t next = c->network + 2;
    size_t room;

    if (etcds && config_str(c, "nodes.etcd.on")) {
        fault_add(faults, etcd_src, "nodes.etcd: `on` and `count` exclude each other");
        return;
    }
    if ((etcds ? etcds : dbs) % 2 == 0) {
        fault_add(faults, etcds ? etcd_src : cluster_source(c, "nodes.db.count"),
                  "nodes.etcd: %d members are an even number, which a split can halve",
                  etcds ? etcds : dbs);
        fault_hint(faults, "%s",
                   etcds ? "use 1, 3, 5, 7 or 9"
                         : "give etcd hosts of its own: nodes: {etcd: {count: 3}}");
    }
    load_vip(c, balancers, faults);
    room = (size_t)(last_address(c) - c->network) - 1 - (c->vip ? 1 : 0);
    if (!c->subnets.n && (size_t)dbs + (size_t)balancers + (size_t)etcds > room) {
        fault_add(faults, cluster_source(c, "network.cidr"),
                  "network.cidr: %s is too small: it has room for %zu hosts, and %d are asked for",
                  c->cidr, room, dbs + balancers + etcds);
        return;
    }
    add_group(c, &(struct group_plan){"db", dbs, DB_FIRST, ZONE_DB, etcds == 0}, &next, faults);
    add_group(c, &(struct group_plan){"lb", balancers, LB_FIRST, ZONE_LB, false}, &next, faults);
    add_group(c, &(struct group_plan){"etcd", etcds, ETCD_FIRST, ZONE_ETCD, true}, &next, faults);
}

static void load_ports(struct cluster *c, struct faults *faults)
{
    struct {
        const char *key;
        int port;
    } all[] = {
        {"ports.primary", c->port_primary = config_int(c, "ports.primary", 0)},
        {"ports.replicas", c->port_replicas = config_int(c, "ports.replicas", 0)},
        {"ports.sync", c->port_sync = config_int(c, "ports.sync", 0)},
        {"ports.async", c->port_async = config_int(c, "ports.async", 0)},
        {"ports.stats", c->port_stats = config_int(c, "ports.stats", 0)},
        {"SSH", 22},
        {"PostgreSQL", c->port_postgres = 5432},
        {"Patroni", c->port_patroni = 8008},
        {"etcd's clients", c->port_etcd_client = 2379},
        {"etcd's peers", c->port_etcd_peer = 2380},
    };

    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < ARRAY_LEN(all); j++)
            if (all[i].port && all[i].port == all[j].port && (j < i || j >= 5))
                fault_add(faults, cluster_source(c, all[i].key), "%s: port %d is taken by %s",
                          all[i].key, all[i].port, all[j].key);
}

static bool has_record(const struct value *list, const char *name, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (str_eq(value_get_str(list->u.list.items[i], "name", NULL), name))
            return true;
    return false;
}

static void check_names_differ(const struct value *list, const char *what, struct faults *faults)
{
    for (size_t i = 0; list && i < list->u.list.n; i++) {
        const struct value *item = list->u.list.items[i];
        const char *name = value_get_str(item, "name", NULL);

        if (name && has_record(list, name, i))
            fault_add(faults, item->src, "%s: \"%s\" is there twice", what, name);
    }
}

/* Roles and databases that exist from the start or belong to the cluster's own work. */
static void check_reserved(const struct value *list, const char *what, const char *const *reserved,
                           struct faults *faults)
{
    for (size_t i = 0; list && i < list->u.list.n; i++) {
        const struct value *item = list->u.list.items[i];
        const char *name = value_get_str(item, "name", NULL);

        for (size_t r = 0; name && reserved[r]; r++)
            if (str_eq(name, reserved[r]))
                fault_add(faults, item->src, "%s: \"%s\" is the cluster's own", what, name);
        if (name && str_starts(name, "pg_"))
            fault_add(faults, item->src, "%s: names beginning with pg_ belong to PostgreSQL", what);
    }
}

static void check_password_sources(const struct value *users, struct faults *faults)
{
    for (size_t i = 0; users && i < users->u.list.n; i++) {
        const struct value *from = value_get(users->u.list.items[i], "password_from");

        if (value_get(from, "env") && value_get(from, "file"))
            fault_add(faults, from->src, "postgres.users[].password_from: env or file, not both");
    }
}

static void check_sql(struct cluster *c, struct faults *faults)
{
    static const char *const roles[] = {"postgres", "replicator", "rewind_user", NULL};
    static const char *const databases[] = {"postgres", "template0", "template1", NULL};
    const struct value *dbs = value_at(c->config, "postgres.databases");
    const struct value *users = value_at(c->config, "postgres.users");

    check_names_differ(dbs, "postgres.databases", faults);
    check_names_differ(users, "postgres.users", faults);
    check_reserved(users, "postgres.users", roles, faults);
    check_password_sources(users, faults);
    check_reserved(dbs, "postgres.databases", databases, faults);
    for (size_t i = 0; dbs && i < dbs->u.list.n; i++) {
        const struct value *item = dbs->u.list.items[i];
        const char *owner = value_get_str(item, "owner", "postgres");

        if (str_eq(owner, "postgres") || (users && has_record(users, owner, users->u.list.n)))
            continue;
        fault_add(faults, value_get(item, "owner")->src,
                  "postgres.databases[].owner: there is no user \"%s\" in postgres.users", owner);
        fault_hint(faults, "add {name: %s} to postgres.users", owner);
    }
}

static void check_synchronous(struct cluster *c, struct faults *faults)
{
    const char *mode = config_str(c, "postgres.synchronous");
    size_t dbs = 0;

    vec_each (h, &c->hosts)
        dbs += h->is_db;
    if (!mode || str_eq(mode, "off") || dbs != 1)
        return;
    fault_add(faults, cluster_source(c, "postgres.synchronous"),
              "postgres.synchronous: %s needs a standby, but there is one db host", mode);
}

static void set_default_access(struct cluster *c, const char *name)
{
    struct value *access = value_get(c->config, "access"), *list;

    if (!access || value_get(access, name))
        return;
    list = value_list(&c->arena);
    if (c->cidr)
        value_list_add(&c->arena, list, value_str(&c->arena, c->cidr));
    value_map_set(&c->arena, access, name, list);
}

static void check_image(struct cluster *c, struct faults *faults)
{
    const char *image = config_str(c, "provider.image");

    if (!str_eq(config_str(c, "provider.release"), "bookworm") || str_eq(image, "bare"))
        return;
    fault_add(faults, cluster_source(c, "provider.release"),
              "provider.release: there is no full image of bookworm");
    fault_hint(faults, "set provider.image to bare, or leave provider.release out");
}

/* Folders that a unit may not see, and those whose owner is not to be changed, are none for data.
 */
static void check_data_dir(struct cluster *c, struct faults *faults)
{
    const struct value *v = value_at(c->config, "postgres.data_dir");
    const char *path = v ? v->u.str.s : NULL,
               *parent = path && *path == '/' ? strchr(path + 1, '/') : NULL;

    if (!path || (parent && parent[1] && !str_ends(path, "/") && !strstr(path, "//") &&
                  !strstr(path, "/../") && !str_ends(path, "/..") && !str_starts(path, "/home/") &&
                  !str_starts(path, "/root/") && !str_starts(path, "/tmp/")))
        return;
    fault_add(faults, v->src, "postgres.data_dir: %s cannot be it", path);
    fault_hint(faults,
               "a folder two levels below /, in none of /home, /root and /tmp: /srv/postgres/17");
}

static void load_preset(struct cluster *c)
{
    const char *name = config_str(c, "failover.preset");

    for (const struct preset *p = presets; p->name; p++) {
        if (p->ttl < 20 || p->loop_wait + 2 * p->retry_timeout > p->ttl)
            BUG("preset %s breaks Patroni's rule loop_wait + 2*retry_timeout <= ttl", p->name);
        if (str_eq(p->name, name))
            c->preset = p;
    }
}

static int load_tree(struct cluster *c, const struct value *tree, struct faults *faults)
{
    if (!(c->config = schema_apply(&c->arena, tree, faults)))
        return -1;
    c->name = config_str(c, "cluster");
    c->provider = config_str(c, "provider.name");
    c->topology = config_str(c, "topology");
    c->pg_version = config_int(c, "postgres.version", 0);
    load_preset(c);
    packages_check(c, faults);
    if (cluster_has_given_hosts(c)) {
        existing_load(c, faults);
    } else {
        load_network(c, faults);
        if (c->cidr) {
            vec_push(&c->own_networks, c->cidr);
            if (cluster_is_in_cloud(c))
                zones_load(c, faults);
            if (c->subnets.n || !cluster_is_in_cloud(c))
                load_hosts(c, faults);
            if (c->subnets.n) {
                c->prefix = c->subnets.items[0].prefix;
                zones_check(c, faults);
            }
        }
    }
    load_ports(c, faults);
    check_image(c, faults);
    check_data_dir(c, faults);
    check_sql(c, faults);
    check_synchronous(c, faults);
    set_default_access(c, "ssh");
    set_default_access(c, "postgres");
    return faults->n ? -1 : 0;
}

int cluster_load_text(struct cluster *c, const char *file, const char *text, size_t len,
                      struct faults *faults)
{
    const struct value *tree;

    memset(c, 0, sizeof(*c));
    arena_init(&c->arena);
    inventory_init(&c->given);
    c->file = arena_strdup(&c->arena, file);
    tree = yaml_parse(&c->arena, file, text, len, faults);
    return tree ? load_tree(c, tree, faults) : -1;
}

int cluster_load(struct cluster *c, const char *path, struct faults *faults)
{
    const struct value *tree;

    memset(c, 0, sizeof(*c));
    arena_init(&c->arena);
    inventory_init(&c->given);
    c->file = arena_strdup(&c->arena, path);
    tree = yaml_parse_file(&c->arena, path, faults);
    return tree ? load_tree(c, tree, faults) : -1;
}

void cluster_release(struct cluster *c)
{
    vec_release(&c->hosts);
    vec_release(&c->subnets);
    vec_release(&c->own_networks);
    inventory_release(&c->given);
    arena_release(&c->arena);
}

const struct cluster_host *cluster_host_find(const struct cluster *c, const char *name)
{
    vec_each (h, &c->hosts)
        if (str_eq(h->name, name))
            return h;
    return NULL;
}
