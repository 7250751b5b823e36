/* existing.c - provider existing: hosts from an inventory or from the cluster file itself, and
 * where they are inside the cluster. */
#include "lib/cluster/existing.h"

#include "lib/base/file.h"
#include "lib/cluster/schema.h"

/* The groups that make a host a member. */
static const char *const roles[] = {"db", "lb", "etcd"};

bool cluster_has_given_hosts(const struct cluster *c)
{
    return str_eq(c->provider, "existing");
}

/* ---- the inventory ---- */

static void add_vars(struct inventory *inv, struct value *into, const struct value *vars)
{
    for (size_t i = 0; vars && i < vars->u.map.n; i++)
        value_map_set(&inv->arena, into, arena_strdup(&inv->arena, vars->u.map.entries[i].key),
                      value_copy(&inv->arena, vars->u.map.entries[i].value));
}

static bool is_role(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(roles); i++)
        if (str_eq(name, roles[i]))
            return true;
    return false;
}

static void add_record(struct cluster *c, const struct value *record, struct faults *faults)
{
    const char *name = value_get_str(record, "name", NULL);
    const struct value *groups = value_get(record, "groups");
    struct inventory_host *host;

    if (!name)
        return; /* its fault is listed already */
    if (map_get(&c->given.hosts, name)) {
        fault_add(faults, record->src, "provider.hosts: \"%s\" is there twice", name);
        return;
    }
    host = inventory_host(&c->given, name);
    add_vars(&c->given, host->vars, value_get(record, "vars"));
    for (size_t i = 0; groups && i < groups->u.list.n; i++) {
        const struct value *group = groups->u.list.items[i];

        if (is_role(group->u.str.s)) {
            inventory_add_host(&c->given, inventory_group(&c->given, group->u.str.s), host);
            continue;
        }
        fault_add(faults, group->src, "provider.hosts[].groups: there is no group \"%s\"",
                  group->u.str.s);
        fault_hint(faults, "db, lb or etcd, or several of them");
    }
}

static void load_inventory(struct cluster *c, struct faults *faults)
{
    const struct value *file = value_at(c->config, "provider.inventory");
    const struct value *list = value_at(c->config, "provider.hosts");
    char *path;

    if (!file == !list) {
        fault_add(faults, cluster_source(c, "provider"),
                  "provider: existing needs its hosts: `inventory` or `hosts`%s",
                  file ? ", and not both" : "");
        if (!file)
            fault_hint(faults, "provider: {name: existing, inventory: hosts.yml}; `pgha-deploy "
                               "inventory import` writes both files");
        return;
    }
    add_vars(&c->given, inventory_group(&c->given, "all")->vars,
             value_at(c->config, "provider.vars"));
    if (list) {
        for (size_t i = 0; i < list->u.list.n; i++)
            add_record(c, list->u.list.items[i], faults);
        return;
    }
    path = cluster_path(c, file->u.str.s);
    (void)!inventory_load(&c->given, path, faults);
    free(path);
}

/* ---- members ---- */

static bool has_role(const struct cluster *c, const struct inventory_host *host, const char *role)
{
    struct inventory_group *group = map_get(&c->given.groups, role);
    struct inventory_host **members;
    bool found = false;
    size_t n;

    if (!group)
        return false;
    members = inventory_members(&c->given, group, &n);
    for (size_t i = 0; i < n; i++)
        found |= members[i] == host;
    free(members);
    return found;
}

/* A name that is Patroni's, etcd's and a certificate's. */
static bool is_host_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= 64 && name[0] != '-' && name[0] != '.' && name[n - 1] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == n;
}

static const char *text_var(const struct value *vars, const char *name)
{
    const char *text = value_get_str(vars, name, NULL);

    return text && *text ? text : NULL;
}

/* An address or interface that the user gave is taken as it is. */
static void take_host(struct cluster *c, const struct inventory_host *from, struct faults *faults)
{
    const struct value *vars = inventory_vars(&c->given, from, &c->arena);
    struct cluster_host h = {.name = from->name,
                             .address = text_var(vars, "address"),
                             .interface = text_var(vars, "interface"),
                             .is_db = has_role(c, from, "db"),
                             .is_lb = has_role(c, from, "lb"),
                             .is_etcd = has_role(c, from, "etcd")};
    struct source src = cluster_source(c, "provider");
    uint32_t address;

    if (!h.is_db && !h.is_lb && !h.is_etcd)
        return; /* somebody's else */
    if (!is_host_name(h.name)) {
        fault_add(faults, src, "provider: \"%s\" cannot be the name of a member", h.name);
        fault_hint(faults, "letters, digits, - _ and . only; the address goes into ansible_host");
    }
    if (h.address && address_parse(h.address, &address) < 0) {
        fault_add(faults, src, "provider: %s: address \"%s\" is not an IPv4 address", h.name,
                  h.address);
        fault_hint(faults, "a name to log in to goes into ansible_host");
    }
    vec_push(&c->hosts, h);
}

/* db first, then lb, then etcd, as everywhere; numbered within the first group that it is in. */
static int rank(const struct cluster_host *h)
{
    return h->is_db ? 0 : h->is_lb ? 1 : 2;
}

static void order_hosts(struct cluster *c)
{
    VEC(struct cluster_host) sorted = VEC_INIT;

    for (int r = 0; r < 3; r++) {
        int index = 0;

        vec_each (h, &c->hosts) {
            if (rank(h) != r)
                continue;
            h->index = ++index;
            vec_push(&sorted, *h);
        }
    }
    for (size_t i = 0; i < sorted.n; i++)
        c->hosts.items[i] = sorted.items[i];
    vec_release(&sorted);
}

static size_t count(const struct cluster *c, const char *role)
{
    size_t n = 0;

    vec_each (h, &c->hosts)
        n += *role == 'd' ? h->is_db : *role == 'l' ? h->is_lb : h->is_etcd;
    return n;
}

/* etcd without hosts of its own. */
static void put_on_db(struct cluster *c, struct cluster_host *h)
{
    h->is_etcd = h->is_db;
    if (h->is_db)
        inventory_add_host(&c->given, inventory_group(&c->given, "etcd"),
                           map_get(&c->given.hosts, h->name));
}

static void check_members(struct cluster *c, struct faults *faults)
{
    struct source src = cluster_source(c, "provider");

    if (c->hosts.n > CLUSTER_MAX_HOSTS)
        fault_add(faults, src, "provider: %zu hosts are more than %d", c->hosts.n,
                  CLUSTER_MAX_HOSTS);
    if (!count(c, "db")) {
        fault_add(faults, src, "provider: no host is in the group db");
        fault_hint(faults, "the groups db, lb and etcd say what a host is for");
        return;
    }
    if (!count(c, "etcd"))
        vec_each (h, &c->hosts)
            put_on_db(c, h);
    if (count(c, "etcd") % 2 == 0) {
        fault_add(faults, src,
                  "provider: %zu members of etcd are an even number, which a split can halve",
                  count(c, "etcd"));
        fault_hint(faults, "put 1, 3, 5, 7 or 9 hosts into the group etcd");
    }
}

static void load_network(struct cluster *c, struct faults *faults)
{
    const struct value *cidr = value_at(c->config, "network.cidr");
    const struct value *vip = value_at(c->config, "network.vip");

    if (cidr && cidr->src.line && !str_eq(cidr->src.file, "schema") &&
        cidr_parse(cidr->u.str.s, &c->network, &c->prefix) == 0) {
        c->cidr = cidr->u.str.s;
        c->netmask = c->prefix ? ~(uint32_t)0 << (32 - c->prefix) : 0;
        vec_push(&c->own_networks, c->cidr);
    }
    if (!count(c, "lb")) {
        if (vip)
            fault_add(faults, vip->src, "network.vip: needs balancers, but no host is in group lb");
        return;
    }
    if (!vip) {
        fault_add(faults, cluster_source(c, "network"),
                  "network.vip: the balancers need a free address of their network to share");
        fault_hint(faults, "network: {vip: 10.0.0.100}, or leave the group lb empty");
        return;
    }
    c->vip = vip->u.str.s;
}

void existing_load(struct cluster *c, struct faults *faults)
{
    size_t before = faults->n;

    load_inventory(c, faults);
    if (faults->n > before)
        return;
    for (size_t i = 0; i < c->given.hosts.n; i++)
        take_host(c, c->given.hosts.entries[i].value, faults);
    order_hosts(c);
    for (size_t i = 0; i < ARRAY_LEN(roles); i++)
        inventory_group(&c->given, roles[i]); /* plays name them even when they are empty */
    check_members(c, faults);
    load_network(c, faults);
}

/* ---- places ---- */

bool cluster_is_placed(const struct cluster *c)
{
    vec_each (h, &c->hosts)
        if (!h->address)
            return false;
    return true;
}

static void add_own_network(struct cluster *c, const char *address)
{
    uint32_t number;

    if (address_parse(address, &number) < 0 || (c->cidr && (number & c->netmask) == c->network))
        return;
    vec_push(&c->own_networks, arena_printf(&c->arena, "%s/32", address));
}

static struct cluster_host *host_named(struct cluster *c, const char *name)
{
    vec_each (h, &c->hosts)
        if (str_eq(h->name, name))
            return h;
    return NULL;
}

static void place_host(struct cluster *c, const struct value *place)
{
    struct cluster_host *h = host_named(c, value_get_str(place, "name", ""));
    const char *address = value_get_str(place, "address", NULL);
    const char *interface = value_get_str(place, "interface", NULL);
    uint32_t number;

    if (!h || !address || address_parse(address, &number) < 0)
        return;
    h->address = arena_strdup(&c->arena, address);
    if (interface)
        h->interface = arena_strdup(&c->arena, interface);
    h->is_container = value_get_bool(place, "container", false);
    if (h->is_lb && !c->cidr)
        c->prefix = (int)value_get_int(place, "prefix", 32);
}

int cluster_place(struct cluster *c, const struct value *places, struct err *err)
{
    const struct value *hosts = value_get(places, "hosts"), *seen = value_get(places, "seen_from");

    if (!hosts || hosts->type != VALUE_LIST)
        return err_set(err, ERR_INPUT, "places of hosts: no list `hosts`");
    for (size_t i = 0; i < hosts->u.list.n; i++)
        place_host(c, hosts->u.list.items[i]);
    c->system_id = strtoull(value_get_str(places, "system_id", "0"), NULL, 10);
    c->own_networks.n = c->cidr ? 1 : 0;
    vec_each (h, &c->hosts)
        if (h->address)
            add_own_network(c, h->address);
    for (size_t i = 0; seen && seen->type == VALUE_LIST && i < seen->u.list.n; i++)
        if (value_is_str(seen->u.list.items[i]))
            add_own_network(c, seen->u.list.items[i]->u.str.s);
    return 0;
}
