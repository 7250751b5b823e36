/* vars.c - the inventory and variables of a cluster, for playbooks and templates
 * (docs/variables.md). */
#include <stdio.h>

#include "lib/base/file.h"
#include "lib/cluster/cluster.h"
#include "lib/cluster/packages.h"
#include "lib/cluster/parameters.h"
#include "lib/cluster/schema.h"
#include "lib/cluster/tls.h"

#define SECRET_TLS_KEY "secret_tls_key" /* every host's own; the others are the cluster's */

const char *const cluster_secret_vars[] = {
    "secret_superuser", "secret_replication", "secret_rewind", "secret_patroni_rest",
    "secret_stats",     "secret_vrrp",        SECRET_TLS_KEY,  NULL,
};

struct vars {
    struct arena *arena;
    struct value *map;
};

static void set_str(struct vars *v, const char *name, const char *text)
{
    value_map_set(v->arena, v->map, name, text ? value_str(v->arena, text) : value_null(v->arena));
}

static void set_int(struct vars *v, const char *name, int64_t number)
{
    value_map_set(v->arena, v->map, name, value_int(v->arena, number));
}

static void set_copy(struct vars *v, const char *name, const struct value *from)
{
    value_map_set(v->arena, v->map, name, value_copy(v->arena, from));
}

static void set_all(struct vars *v, const struct value *map)
{
    for (size_t i = 0; map && map->type == VALUE_MAP && i < map->u.map.n; i++)
        set_copy(v, map->u.map.entries[i].key, map->u.map.entries[i].value);
}

static struct vars section(struct vars *v, const char *name)
{
    struct vars sub = {v->arena, value_map(v->arena)};

    value_map_set(v->arena, v->map, name, sub.map);
    return sub;
}

/* Two clusters on one segment differ in their VIP, so most likely in this too; 0 is not allowed. */
int cluster_vrrp_id(const struct cluster *c)
{
    uint32_t vip = 0;

    if (c->vip)
        (void)!address_parse(c->vip, &vip);
    return (int)(1 + (vip ^ vip >> 8) % 255);
}

const char *cluster_data_dir(const struct cluster *c, struct arena *a)
{
    const struct value *given = value_at(c->config, "postgres.data_dir");

    return given ? arena_strdup(a, given->u.str.s)
                 : arena_printf(a, "/var/lib/postgresql/%d/main", c->pg_version);
}

static void set_ports(struct vars *all, const struct cluster *c)
{
    struct vars v = section(all, "ports");

    set_int(&v, "primary", c->port_primary);
    set_int(&v, "replicas", c->port_replicas);
    set_int(&v, "sync", c->port_sync);
    set_int(&v, "async", c->port_async);
    set_int(&v, "stats", c->port_stats);
    set_int(&v, "postgres", c->port_postgres);
    set_int(&v, "patroni", c->port_patroni);
    set_int(&v, "etcd_client", c->port_etcd_client);
    set_int(&v, "etcd_peer", c->port_etcd_peer);
}

static void set_timers(struct vars *all, const struct preset *p)
{
    struct vars v = section(all, "timers");

    set_int(&v, "ttl", p->ttl);
    set_int(&v, "loop_wait", p->loop_wait);
    set_int(&v, "retry_timeout", p->retry_timeout);
    set_int(&v, "haproxy_inter_ms", p->haproxy_inter_ms);
    set_int(&v, "haproxy_fall", p->haproxy_fall);
    set_int(&v, "haproxy_rise", p->haproxy_rise);
    set_int(&v, "haproxy_answer_ms", p->haproxy_answer_ms);
    set_int(&v, "advert_ms", p->advert_ms);
    set_int(&v, "vrrp_check_ms", p->vrrp_check_ms);
    set_int(&v, "vrrp_check_fall", p->vrrp_check_fall);
    set_int(&v, "vrrp_check_rise", p->vrrp_check_rise);
}

static void set_postgres(struct vars *all, const struct cluster *c)
{
    struct vars v = section(all, "pg");

    set_int(&v, "version", c->pg_version);
    set_str(&v, "data_dir", cluster_data_dir(c, v.arena));
    set_str(&v, "bin_dir", arena_printf(v.arena, "/usr/lib/postgresql/%d/bin", c->pg_version));
    set_str(&v, "config_dir", "/etc/patroni");
    set_copy(&v, "synchronous", value_at(c->config, "postgres.synchronous"));
    set_int(&v, "synchronous_node_count", 1);
    value_map_set(v.arena, v.map, "checksums", value_bool(v.arena, true));

    value_map_set(all->arena, all->map, "pg_parameters",
                  value_merge(all->arena, parameters_default(c->preset, all->arena),
                              value_at(c->config, "postgres.parameters")));
    set_str(all, "pg_superuser", "postgres");
    set_str(all, "pg_replication_user", "replicator");
    set_str(all, "pg_rewind_user", "rewind_user");
}

static void set_secrets(struct vars *v, const struct secrets *s)
{
    for (size_t i = 0; cluster_secret_vars[i]; i++)
        if (!str_eq(cluster_secret_vars[i], SECRET_TLS_KEY))
            set_str(v, cluster_secret_vars[i],
                    secrets_get(s, cluster_secret_vars[i] + strlen("secret_")));
    set_str(v, "patroni_rest_user", "patroni");
    set_str(v, "stats_user", "stats");
}

static void add_network(struct value *networks, const char *network, struct arena *a)
{
    for (size_t i = 0; i < networks->u.list.n; i++)
        if (str_eq(networks->u.list.items[i]->u.str.s, network))
            return;
    value_list_add(a, networks, value_str(a, network));
}

/* Members connect to each other, and verify comes from where this program runs, whoever else may.
 */
static void set_networks(struct vars *v, const struct cluster *c, const char *name, const char *key)
{
    struct value *networks;

    set_copy(v, name, value_at(c->config, key));
    networks = value_get(v->map, name);
    vec_each (network, &c->own_networks)
        add_network(networks, *network, v->arena);
}

/* Repositories with the text of their keys, so that a playbook needs no file beside it. */
static int set_packages(struct vars *v, const struct cluster *c, struct err *err)
{
    const struct value *list = value_at(c->config, "packages.repositories");
    const struct value *proxy = value_at(c->config, "packages.proxy");
    struct value *out = value_list(v->arena);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < list->u.list.n; i++) {
        struct value *item = value_copy(v->arena, list->u.list.items[i]);
        struct str key;

        if ((rc = packages_key(c, item, &key, err)) < 0)
            err_wrap(err, "key of packages.repositories %s", value_get_str(item, "name", ""));
        value_map_set(v->arena, item, "key", value_strn(v->arena, key.buf, key.len));
        value_list_add(v->arena, out, item);
        str_release(&key);
    }
    value_map_set(v->arena, v->map, "apt_repositories", out);
    set_str(v, "apt_proxy", proxy ? proxy->u.str.s : "");
    return rc;
}

static void set_common(struct vars *v, const struct cluster *c)
{
    set_str(v, "cluster_name", c->name);
    set_str(v, "network_cidr", c->cidr);
    set_int(v, "network_prefix", c->prefix);
    set_str(v, "vip", c->vip);
    set_str(v, "vip_mode", cluster_vip_mode(c));
    set_all(v, value_get(c->outputs, "vars"));
    set_networks(v, c, "access_postgres", "access.postgres");
    set_networks(v, c, "admin_networks", "access.ssh");
    set_int(v, "vrrp_id", cluster_vrrp_id(c));
    value_map_set(v->arena, v->map, "apt_update",
                  value_bool(v->arena, !str_eq(c->provider, "local")));
    value_map_set(v->arena, v->map, "set_hostname",
                  value_bool(v->arena, !cluster_has_given_hosts(c)));
    set_str(v, "etcd_token", arena_printf(v->arena, "pgha-%s", c->name));
}

const char *cluster_ssh_args(const struct cluster *c, const char *identity, const char *known_hosts,
                             struct arena *a)
{
    const char *own =
        arena_printf(a, "-o UserKnownHostsFile=%s -o IdentitiesOnly=yes", known_hosts);

    return c->bastion ? arena_printf(a, "%s -o ProxyCommand='ssh -W %%h:%%p -i %s %s root@%s'", own,
                                     identity, own, c->bastion)
                      : own;
}

static void set_login(struct vars *v, const struct cluster *c, const char *identity,
                      const char *known_hosts)
{
    set_str(v, "ansible_user", "root");
    set_int(v, "ansible_port", 22);
    set_str(v, "ansible_python_interpreter", "/usr/bin/python3");
    set_str(v, "ansible_ssh_private_key_file", identity);
    set_str(v, "ansible_ssh_common_args", cluster_ssh_args(c, identity, known_hosts, v->arena));
}

/* What the user's inventory says of the host, under what the cluster says. */
static void take_given(struct vars *v, const struct cluster *c, const char *name)
{
    const struct inventory_host *host = map_get(&c->given.hosts, name);
    const struct value *vars;

    if (!host)
        return;
    vars = inventory_vars(&c->given, host, v->arena);
    for (size_t i = 0; i < vars->u.map.n; i++) {
        const struct value_entry *e = &vars->u.map.entries[i];

        if (!str_starts(e->key, "inventory_hostname") && !str_eq(e->key, "group_names"))
            set_copy(v, arena_strdup(v->arena, e->key), e->value);
    }
}

static void add_host(const struct cluster *c, const struct secrets *s, struct inventory *inv,
                     const struct cluster_host *h)
{
    struct inventory_host *host = inventory_host(inv, h->name);
    struct vars v = {&inv->arena, host->vars};

    take_given(&v, c, h->name);
    if (!cluster_has_given_hosts(c))
        set_str(&v, "ansible_host", h->address);
    set_all(&v, value_get(value_get(c->outputs, "hosts"), h->name));
    set_str(&v, "address", h->address);
    set_str(&v, "interface", h->interface ? h->interface : "eth0");
    set_int(&v, "host_index", h->index);
    value_map_set(&inv->arena, v.map, "kernel_writable", value_bool(&inv->arena, !h->is_container));
    set_str(&v, "tls_cert", tls_cert(s, h->name));
    set_str(&v, SECRET_TLS_KEY, tls_key(s, h->name));
    if (h->is_db)
        inventory_add_host(inv, inventory_group(inv, "db"), host);
    if (h->is_lb)
        inventory_add_host(inv, inventory_group(inv, "lb"), host);
    if (h->is_etcd)
        inventory_add_host(inv, inventory_group(inv, "etcd"), host);
}

int cluster_inventory(const struct cluster *c, const struct secrets *s, const char *identity,
                      const char *known_hosts, struct inventory *out, struct err *err)
{
    struct vars all;

    inventory_init(out);
    all = (struct vars){&out->arena, inventory_group(out, "all")->vars};
    if (!cluster_has_given_hosts(c))
        set_login(&all, c, identity, known_hosts);
    else
        set_int(&all, "ansible_port", 22);
    set_common(&all, c);
    set_ports(&all, c);
    set_timers(&all, c->preset);
    set_postgres(&all, c);
    set_secrets(&all, s);
    set_str(&all, "tls_ca", tls_ca(s));
    inventory_group(out, "db");
    inventory_group(out, "etcd");
    inventory_group(out, "lb"); /* plays name it even when it is empty */
    vec_each (h, &c->hosts)
        add_host(c, s, out, h);
    return set_packages(&all, c, err);
}
