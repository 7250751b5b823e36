/* doctor_network.c - checks of addresses and ports: those of a host, and its way to the others. */
#include "lib/check/doctor_judge.h"

/* ---- the address that the others use ---- */

void check_address(struct judge *j)
{
    const char *address = j->at->host->address;
    const struct host_address *a = address ? survey_address(j->facts, address) : NULL;

    if (!address)
        judge_warn(j, NULL, "it is not decided which of its addresses the others use");
    else if (!a)
        judge_blocker(j, "give one of its own as `address` in its variables",
                      "%s is no address of any of its interfaces", address);
    else if (a->is_virtual)
        judge_warn(j, "give another as `address` in its variables",
                   "%s is on %s, which other machines do not reach", address, a->interface);
    else
        judge_ok(j, "%s on %s", address, a->interface);
}

/* ---- ports that its roles listen on ---- */

struct wanted_port {
    const char *process; /* how the one that is ours is called */
    enum config_kind kind;
    int port;
};

static size_t add_port(struct wanted_port *ports, size_t n, int port, const char *process,
                       enum config_kind kind)
{
    ports[n] = (struct wanted_port){process, kind, port};
    return n + 1;
}

enum { MAX_PORTS = 9 };

static size_t wanted_ports(const struct judge *j, struct wanted_port ports[MAX_PORTS])
{
    const struct cluster *c = j->in->cluster;
    const struct cluster_host *h = j->at->host;
    const int balanced[] = {c->port_primary, c->port_replicas, c->port_sync, c->port_async,
                            c->port_stats};
    size_t n = 0;

    if (h->is_db) {
        n = add_port(ports, n, c->port_postgres, "postgres", CONFIG_PATRONI);
        n = add_port(ports, n, c->port_patroni, "patroni", CONFIG_PATRONI);
    }
    if (h->is_etcd) {
        n = add_port(ports, n, c->port_etcd_client, "etcd", CONFIG_ETCD);
        n = add_port(ports, n, c->port_etcd_peer, "etcd", CONFIG_ETCD);
    }
    for (size_t i = 0; h->is_lb && i < ARRAY_LEN(balanced); i++)
        n = add_port(ports, n, balanced[i], "haproxy", CONFIG_HAPROXY);
    return n;
}

static bool is_own_process(const struct host_listener *l, const struct wanted_port *p)
{
    if (!l->process || str_eq(l->process, p->process))
        return true;
    /* A script whose interpreter gave the name. */
    return str_eq(p->process, "patroni") && str_starts(l->process, "python");
}

/* HAProxy's may be bound to the VIP alone. */
static const struct host_listener *holder(const struct judge *j, const struct wanted_port *p)
{
    const struct cluster *c = j->in->cluster;
    const char *address = j->at->host->address ? j->at->host->address : "";
    const struct host_listener *l = survey_listener(j->facts, address, p->port);

    if (!l && p->kind == CONFIG_HAPROXY && c->vip)
        l = survey_listener(j->facts, c->vip, p->port);
    return l;
}

/* The holder of a port that is not the cluster's own; NULL: there is none. *own counts those that
 * are. */
static const struct host_listener *foreign_holder(const struct judge *j,
                                                  const struct wanted_port *p, size_t *own)
{
    const struct host_listener *l = holder(j, p);

    if (!l || !judge_is_ours(j, p->kind) || !is_own_process(l, p))
        return l;
    ++*own;
    return NULL;
}

/* One finding for all the ports from the first on that the same process has. */
static void judge_holder(struct judge *j, const struct wanted_port *ports,
                         const struct host_listener *const *holders, size_t first, size_t n)
{
    const struct host_listener *l = holders[first];
    const char *cure = "stop it, or let it listen elsewhere";
    struct str list;
    size_t count = 0;

    str_init(&list, 256);
    for (size_t i = first; i < n; i++)
        if (holders[i] && holders[i]->pid == l->pid)
            str_printf(&list, "%s%d", count++ ? ", " : "", ports[i].port);
    if (!l->process)
        judge_blocker(j, cure, "port%s %s taken on %s, it is not told by whom",
                      count > 1 ? "s" : "", list.buf, l->address);
    else
        judge_blocker(j, cure, "port%s %s taken on %s by %s (pid %d)", count > 1 ? "s" : "",
                      list.buf, l->address, l->process, l->pid);
    str_release(&list);
}

static bool was_told(const struct host_listener *const *holders, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (holders[i] && holders[i]->pid == holders[at]->pid)
            return true;
    return false;
}

void check_ports(struct judge *j)
{
    const struct host_listener *holders[MAX_PORTS] = {NULL};
    struct wanted_port ports[MAX_PORTS];
    size_t n = wanted_ports(j, ports), own = 0, faults = 0;

    if (!j->facts->listeners_known) {
        judge_warn(j, "apt-get install iproute2", "not looked at: there is no ss");
        return;
    }
    for (size_t i = 0; i < n; i++)
        faults += (holders[i] = foreign_holder(j, &ports[i], &own)) != NULL;
    for (size_t i = 0; i < n; i++)
        if (holders[i] && !was_told(holders, i))
            judge_holder(j, ports, holders, i, n);
    if (!faults)
        judge_ok(j, "%zu free, %zu the cluster's own", n - own, own);
}

/* ---- the way to the others ---- */

struct probe_plan {
    const struct cluster_host *from;
    struct reach_probe *probes;
    size_t n, wanted;
};

static void add_probe(struct probe_plan *p, const struct cluster_host *to, int port)
{
    p->wanted++;
    if (p->n < SURVEY_MAX_PROBES)
        p->probes[p->n++] = (struct reach_probe){to->name, to->address, port, REACH_UNKNOWN};
}

/* etcd first: it is what all lean on, and its members are few. */
static void add_etcd_probes(struct probe_plan *p, const struct cluster *c,
                            const struct cluster_host *to)
{
    if (!to->is_etcd)
        return;
    if (p->from->is_etcd)
        add_probe(p, to, c->port_etcd_peer);
    if (p->from->is_db)
        add_probe(p, to, c->port_etcd_client);
}

static void add_db_probes(struct probe_plan *p, const struct cluster *c,
                          const struct cluster_host *to)
{
    if (!to->is_db || (!p->from->is_db && !p->from->is_lb))
        return;
    add_probe(p, to, c->port_postgres);
    add_probe(p, to, c->port_patroni);
}

size_t doctor_plan_probes(const struct cluster *c, const struct cluster_host *from,
                          struct reach_probe probes[SURVEY_MAX_PROBES], size_t *wanted)
{
    void (*const add[])(struct probe_plan *, const struct cluster *,
                        const struct cluster_host *) = {add_etcd_probes, add_db_probes};
    struct probe_plan p = {from, probes, 0, 0};
    size_t own = (size_t)(from - c->hosts.items);

    for (size_t kind = 0; kind < ARRAY_LEN(add); kind++) {
        for (size_t i = 1; i < c->hosts.n; i++) {
            const struct cluster_host *to = &c->hosts.items[(own + i) % c->hosts.n];

            if (to->address)
                add[kind](&p, c, to);
        }
    }
    *wanted = p.wanted;
    return p.n;
}

static const struct doctor_host *host_named(const struct doctor_input *in, const char *name)
{
    for (size_t i = 0; i < in->n; i++)
        if (str_eq(in->hosts[i].host->name, name))
            return &in->hosts[i];
    return NULL;
}

/* Ports of the peer that probe i is the first for, which are not reached: "5432, 8008". */
static size_t list_unreached(const struct host_look *look, size_t first, struct str *ports)
{
    size_t n = 0;

    for (size_t i = first; i < look->n_probes; i++) {
        const struct reach_probe *p = &look->probes[i];

        if (!str_eq(p->to, look->probes[first].to) ||
            (p->result != REACH_FILTERED && p->result != REACH_NO_ROUTE))
            continue;
        str_printf(ports, "%s%d", n++ ? ", " : "", p->port);
    }
    return n;
}

static bool is_first_of_peer(const struct host_look *look, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq(look->probes[i].to, look->probes[at].to))
            return false;
    return true;
}

static size_t judge_peer(struct judge *j, size_t first)
{
    const struct host_look *look = j->at->look;
    const struct reach_probe *p = &look->probes[first];
    const struct doctor_host *peer = host_named(j->in, p->to);
    struct str ports;
    size_t n;

    /* One that is down has its own finding. */
    if (!is_first_of_peer(look, first) || !peer || !judge_was_surveyed(peer))
        return 0;
    str_init(&ports, 4096);
    n = list_unreached(look, first, &ports);
    if (n)
        judge_blocker(j, "open them in the firewall, or give the right address",
                      "%s at %s does not answer on port%s %s", p->to, p->address, n > 1 ? "s" : "",
                      ports.buf);
    str_release(&ports);
    return n;
}

void check_reach(struct judge *j)
{
    const struct host_look *look = j->at->look;
    size_t reached = 0, faults = 0, unknown = 0, wanted = 0;
    struct reach_probe unused[SURVEY_MAX_PROBES];

    if (!look)
        return;
    if (look->err.code) {
        judge_warn(j, NULL, "not looked at: %s", look->err.text);
        return;
    }
    for (size_t i = 0; i < look->n_probes; i++) {
        enum reach_result result = look->probes[i].result;

        reached += result == REACH_OPEN || result == REACH_REFUSED;
        unknown += result == REACH_UNKNOWN;
        faults += judge_peer(j, i);
    }
    doctor_plan_probes(j->in->cluster, j->at->host, unused, &wanted);
    if (unknown)
        judge_warn(j, "bash and timeout are needed for it", "%zu ports of others were not tried",
                   unknown);
    if (!faults && !unknown && wanted)
        judge_ok(j, "%zu ports of others answer%s", reached,
                 wanted > look->n_probes ? ", the rest is left to other hosts" : "");
}

/* ---- the VIP ---- */

static bool has_mac(const struct host_facts *f, const char *mac)
{
    vec_each (i, &f->interfaces)
        if (i->mac && str_eq(i->mac, mac))
            return true;
    return false;
}

/* The cluster's host that has the VIP, as the survey saw it. */
static const struct doctor_host *vip_holder(const struct judge *j)
{
    const char *mac = j->at->look->vip_facts.mac;

    for (size_t i = 0; i < j->in->n; i++) {
        const struct doctor_host *h = &j->in->hosts[i];

        if (!judge_was_surveyed(h))
            continue;
        if (survey_address(&h->survey->facts, j->in->cluster->vip) ||
            (h != j->at && mac && has_mac(&h->survey->facts, mac)))
            return h;
    }
    return NULL;
}

static bool all_balancers_surveyed(const struct doctor_input *in)
{
    for (size_t i = 0; i < in->n; i++)
        if (in->hosts[i].host->is_lb && !judge_was_surveyed(&in->hosts[i]))
            return false;
    return true;
}

static void judge_taken_vip(struct judge *j)
{
    const struct vip_facts *v = &j->at->look->vip_facts;
    const char *vip = j->in->cluster->vip;

    if (all_balancers_surveyed(j->in))
        judge_blocker(j, "free it, or take another for network.vip",
                      "%s is in use%s%s, by no host of the cluster", vip, v->mac ? " by " : "",
                      v->mac ? v->mac : "");
    else
        judge_warn(j, "see who has it", "%s is in use, perhaps by a balancer that did not answer",
                   vip);
}

void check_vip_free(struct judge *j)
{
    const char *vip = j->in->cluster->vip;
    const struct doctor_host *holder_host;

    if (!vip || !j->at->look)
        return;
    if (j->at->look->err.code) {
        judge_warn(j, NULL, "not looked at: %s", j->at->look->err.text);
        return;
    }
    holder_host = vip_holder(j);
    if (holder_host == j->at && !judge_is_ours(j, CONFIG_KEEPALIVED))
        judge_blocker(j, "take another for network.vip", "%s is an address of its own", vip);
    else if (holder_host && !holder_host->host->is_lb)
        judge_blocker(j, "take another for network.vip", "%s is the address of %s", vip,
                      holder_host->host->name);
    else if (holder_host)
        judge_ok(j, "%s is held by %s", vip, holder_host->host->name);
    else if (j->at->look->vip_facts.answered || j->at->look->vip_facts.mac)
        judge_taken_vip(j);
    else
        judge_ok(j, "%s is free", vip);
}

/* ---- VRRP ---- */

static bool is_balancer(const struct cluster *c, const char *address)
{
    vec_each (h, &c->hosts)
        if (h->is_lb && str_eq(h->address, address))
            return true;
    return false;
}

void check_vrrp(struct judge *j)
{
    const struct host_look *look = j->at->look;
    size_t others = 0, faults = 0;

    if (!look || !j->in->cluster->vip || look->err.code)
        return;
    if (!look->vip_facts.heard_by) {
        judge_warn(j, "see to it that nobody else on the network has this virtual_router_id",
                   "not listened for %d: there is neither python3 nor tcpdump", j->in->vrrp_id);
        return;
    }
    vec_each (a, &look->vip_facts.adverts) {
        if (is_balancer(j->in->cluster, a->source))
            continue;
        others++;
        if (a->id != j->in->vrrp_id)
            continue;
        judge_blocker(j, "take another network.vip, from which the id is made",
                      "virtual_router_id %d is in use by %s", a->id, a->source);
        faults++;
    }
    if (!faults)
        judge_ok(j, "nobody else has virtual_router_id %d%s", j->in->vrrp_id,
                 others ? "; others have other ids" : "");
}
