/* status.c - the picture of now: members, etcd, balancers, ports; every look at once. */
#include <stdio.h>

#include "lib/check/check.h"
#include "lib/net/pool.h"

enum { PORT_TIMEOUT_MS = 3000, PORTS = 4 };

/* One look; the union of what the kinds need. Each job touches its own. */
struct look {
    const struct check_target *target;
    const struct cluster_host *host; /* etcd, balancer */
    struct status_host *host_status;
    struct status_port *port;
    char *server; /* address that answered on the port */
    bool view;
    struct status *status;
    struct err err;
};

static void look_at_port(struct look *l)
{
    struct pg_target login =
        check_login(l->target, l->target->cluster->vip, l->port->port, PORT_TIMEOUT_MS);
    struct pg *pg = pg_open(&login, &l->err);

    if (pg && pg_exec(pg, "SELECT host(inet_server_addr())", 0, NULL, &l->err) == 0 && pg_rows(pg))
        l->server = xstrdup(pg_value(pg, 0, 0));
    pg_close(pg);
}

static void look(void *ctx, size_t job)
{
    struct look *l = (struct look *)ctx + job;
    struct patroni_api api = {l->target->cluster, l->target->secrets, 0};

    if (l->view)
        (void)!patroni_view(&api, &l->status->arena, &l->status->view, &l->err);
    else if (l->port)
        look_at_port(l);
    else if (l->host->is_lb)
        (void)!check_vip(l->target, l->host, &l->host_status->holds_vip, &l->err);
    else
        (void)!check_etcd(l->target, l->host->address, &l->err);
}

static void finish_look(struct status *s, struct look *l)
{
    const char *fault = l->err.code ? arena_strdup(&s->arena, l->err.text) : NULL;

    if (l->view)
        s->view_fault = fault;
    else if (l->port) {
        const struct cluster_host *h =
            l->server ? check_host_at(l->target->cluster, l->server) : NULL;

        l->port->server = h ? h->name : l->server ? arena_strdup(&s->arena, l->server) : NULL;
        l->port->fault = fault;
    } else {
        l->host_status->fault = fault;
    }
    free(l->server);
    err_release(&l->err);
}

static void add_places(const struct check_target *t, struct status *s)
{
    const struct cluster *c = t->cluster;
    const struct status_port ports[PORTS] = {{"primary", c->port_primary, NULL, NULL},
                                             {"replicas", c->port_replicas, NULL, NULL},
                                             {"sync", c->port_sync, NULL, NULL},
                                             {"async", c->port_async, NULL, NULL}};

    vec_each (h, &c->hosts) {
        struct status_host place = {h->name, NULL, false};

        if (h->is_etcd)
            vec_push(&s->etcd, place);
        if (h->is_lb)
            vec_push(&s->balancers, place);
    }
    for (size_t i = 0; c->vip && i < PORTS; i++)
        vec_push(&s->ports, ports[i]);
}

void status_collect(const struct check_target *t, struct status *s)
{
    VEC(struct look) looks = VEC_INIT;
    struct look base = {.target = t, .status = s};

    memset(s, 0, sizeof(*s));
    add_places(t, s);
    base.view = true;
    vec_push(&looks, base);
    base.view = false;
    vec_each (e, &s->etcd) {
        base.host = cluster_host_find(t->cluster, e->name);
        base.host_status = e;
        vec_push(&looks, base);
    }
    vec_each (b, &s->balancers) {
        base.host = cluster_host_find(t->cluster, b->name);
        base.host_status = b;
        vec_push(&looks, base);
    }
    vec_each (p, &s->ports) {
        base.port = p;
        vec_push(&looks, base);
    }
    pool_run(0, looks.n, look, looks.items, NULL);
    vec_each (l, &looks)
        finish_look(s, l);
    vec_release(&looks);
}

void status_release(struct status *s)
{
    patroni_view_release(&s->view);
    vec_release(&s->etcd);
    vec_release(&s->balancers);
    vec_release(&s->ports);
    arena_release(&s->arena);
}

static int vip_holders(const struct status *s)
{
    int n = 0;

    vec_each (b, &s->balancers)
        n += b->holds_vip;
    return n;
}

bool status_healthy(const struct check_target *t, const struct status *s)
{
    size_t members = 0;

    vec_each (h, &t->cluster->hosts)
        members += h->is_db;
    if (s->view_fault || !s->view.leader || s->view.members.n != members)
        return false;
    vec_each (m, &s->view.members)
        if (!patroni_member_ok(m))
            return false;
    vec_each (e, &s->etcd)
        if (e->fault)
            return false;
    return !t->cluster->vip || (vip_holders(s) == 1 && !s->ports.items[0].fault);
}

static struct value *member_to_value(const struct patroni_member *m, struct arena *a)
{
    struct value *v = value_map(a);

    value_map_set(a, v, "name", value_str(a, m->name));
    value_map_set(a, v, "address", value_str(a, m->address));
    value_map_set(a, v, "role", value_str(a, m->role));
    value_map_set(a, v, "state", value_str(a, m->state));
    value_map_set(a, v, "timeline", m->timeline ? value_int(a, m->timeline) : value_null(a));
    value_map_set(a, v, "lag_bytes", m->lag >= 0 ? value_int(a, m->lag) : value_null(a));
    value_map_set(a, v, "pending_restart", value_bool(a, m->pending_restart));
    return v;
}

static struct value *text_or_null(struct arena *a, const char *text)
{
    return text ? value_str(a, text) : value_null(a);
}

static struct value *host_to_value(const struct status_host *h, bool balancer, struct arena *a)
{
    struct value *v = value_map(a);

    value_map_set(a, v, "name", value_str(a, h->name));
    value_map_set(a, v, balancer ? "reachable" : "healthy", value_bool(a, !h->fault));
    if (balancer)
        value_map_set(a, v, "holds_vip", value_bool(a, h->holds_vip));
    value_map_set(a, v, "fault", text_or_null(a, h->fault));
    return v;
}

static struct value *port_to_value(const struct status_port *p, struct arena *a)
{
    struct value *v = value_map(a);

    value_map_set(a, v, "name", value_str(a, p->name));
    value_map_set(a, v, "port", value_int(a, p->port));
    value_map_set(a, v, "server", text_or_null(a, p->server));
    value_map_set(a, v, "fault", text_or_null(a, p->fault));
    return v;
}

struct value *status_to_value(const struct check_target *t, const struct status *s, struct arena *a)
{
    struct value *v = value_map(a), *members = value_list(a), *etcd = value_list(a);
    struct value *balancers = value_list(a), *ports = value_list(a);

    vec_each (m, &s->view.members)
        value_list_add(a, members, member_to_value(m, a));
    vec_each (e, &s->etcd)
        value_list_add(a, etcd, host_to_value(e, false, a));
    vec_each (b, &s->balancers)
        value_list_add(a, balancers, host_to_value(b, true, a));
    vec_each (p, &s->ports)
        value_list_add(a, ports, port_to_value(p, a));
    value_map_set(a, v, "cluster", value_str(a, t->cluster->name));
    value_map_set(a, v, "healthy", value_bool(a, status_healthy(t, s)));
    value_map_set(a, v, "vip", text_or_null(a, t->cluster->vip));
    value_map_set(a, v, "fault", text_or_null(a, s->view_fault));
    value_map_set(a, v, "members", members);
    value_map_set(a, v, "etcd", etcd);
    value_map_set(a, v, "balancers", balancers);
    value_map_set(a, v, "ports", ports);
    return v;
}

static void format_lag(const struct patroni_member *m, char *out, size_t size)
{
    if (patroni_is_leader(m) || m->lag < 0)
        snprintf(out, size, "%s", patroni_is_leader(m) ? "" : "unknown");
    else if (m->lag < INT64_C(1024) * 1024)
        snprintf(out, size, "%lld kB", (long long)((m->lag + 1023) / 1024));
    else
        snprintf(out, size, "%.1f MB", (double)m->lag / (1024.0 * 1024.0));
}

static void format_members(const struct status *s, struct str *out)
{
    char lag[32];

    str_printf(out, "%-10s %-16s %-15s %-10s %3s  %-10s %s\n", "MEMBER", "ADDRESS", "ROLE", "STATE",
               "TL", "LAG", "");
    vec_each (m, &s->view.members) {
        format_lag(m, lag, sizeof(lag));
        str_printf(out, "%-10s %-16s %-15s %-10s %3lld  %-10s %s", m->name, m->address, m->role,
                   m->state, (long long)m->timeline, lag,
                   m->pending_restart ? "restart pending" : "");
        str_trim_end(out);
        str_putc(out, '\n');
    }
    if (s->view_fault)
        str_printf(out, "Patroni: %s\n", s->view_fault);
    else if (!s->view.leader)
        str_puts(out, "Patroni: there is no leader\n");
}

static void format_hosts(const struct check_target *t, const struct status *s, struct str *out)
{
    size_t healthy = 0;

    vec_each (e, &s->etcd)
        healthy += !e->fault;
    str_printf(out, "\netcd   %zu of %zu healthy", healthy, s->etcd.n);
    vec_each (e, &s->etcd)
        if (e->fault)
            str_printf(out, "\n       %s: %s", e->name, e->fault);
    str_putc(out, '\n');
    if (!t->cluster->vip)
        return;
    str_printf(out, "VIP    %s on", t->cluster->vip);
    vec_each (b, &s->balancers)
        if (b->holds_vip)
            str_printf(out, " %s", b->name);
    str_puts(out, vip_holders(s) ? "\n" : " nobody\n");
    vec_each (b, &s->balancers)
        if (b->fault)
            str_printf(out, "       %s: %s\n", b->name, b->fault);
}

void status_format(const struct check_target *t, const struct status *s, struct str *out)
{
    str_printf(out, "Cluster %s (%s on %s): %s\n\n", t->cluster->name, t->cluster->topology,
               t->cluster->provider, status_healthy(t, s) ? "healthy" : "NOT HEALTHY");
    format_members(s, out);
    format_hosts(t, s, out);
    vec_each (p, &s->ports) {
        str_printf(out, "%-6s %5d  %-9s -> %s", p == s->ports.items ? "ports" : "", p->port,
                   p->name, p->server ? p->server : "nobody");
        str_putc(out, '\n');
    }
}
