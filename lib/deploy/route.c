/*
 * route.c - the way to the cluster's addresses through the hosts' own SSH.
 *
 * Behind a bastion, or with private addresses that this machine has no route to, a host's services
 * are reached through a tunnel to that host, and the virtual address through one to a balancer. A
 * tunnel is opened when it is needed, and anew when it was lost.
 */
#include "lib/deploy/route.h"

#include <pthread.h>

#include "lib/net/tunnel.h"

struct deploy_route {
    struct deploy *deploy;
    struct net_route route;
    pthread_mutex_t lock;
    struct tunnel **tunnels; /* a host each; NULL: not open */
};

static size_t host_for(const struct cluster *c, const char *address)
{
    for (size_t i = 0; i < c->hosts.n; i++)
        if (str_eq(c->hosts.items[i].address, address))
            return i;
    for (size_t i = 0; i < c->hosts.n; i++)
        if (c->hosts.items[i].is_lb)
            return i;
    return 0;
}

static int open_tunnel(struct deploy_route *r, size_t i, struct err *err)
{
    struct check_target check = deploy_check_target(r->deploy);
    struct arena arena = ARENA_INIT;
    struct ssh_target target;
    int rc;

    if (r->tunnels[i] && tunnel_is_lost(r->tunnels[i])) {
        tunnel_close(r->tunnels[i]);
        r->tunnels[i] = NULL;
    }
    if (r->tunnels[i])
        return 0;
    rc = check_ssh_target(&check, r->deploy->cluster->hosts.items[i].name, &arena, &target, err);
    if (rc == 0 && !(r->tunnels[i] = tunnel_open(&target, err)))
        rc = -1;
    arena_release(&arena);
    return rc;
}

/* A balancer that is down must not hide the virtual address: the others are asked, too. */
static int route_port(void *ctx, const char *address, int port, struct err *err)
{
    struct deploy_route *r = ctx;
    const struct cluster *c = r->deploy->cluster;
    size_t first = host_for(c, address);
    bool is_vip = str_eq(address, c->vip);
    int local = -1;

    pthread_mutex_lock(&r->lock);
    for (size_t i = first; i < c->hosts.n && local < 0; i++) {
        if (i != first && !(is_vip && c->hosts.items[i].is_lb))
            continue;
        err_release(err);
        if (open_tunnel(r, i, err) == 0)
            local = tunnel_port(r->tunnels[i], address, port, err);
    }
    pthread_mutex_unlock(&r->lock);
    return local;
}

static bool is_direct(const struct deploy *d, const struct cluster_host *h)
{
    struct check_target check = deploy_check_target(d);
    struct arena arena = ARENA_INIT;
    struct err ignored = ERR_INIT;
    struct ssh_target target;
    bool direct = check_ssh_target(&check, h->name, &arena, &target, &ignored) < 0 ||
                  (!target.jump && str_eq(target.address, h->address));

    err_release(&ignored);
    arena_release(&arena);
    return direct;
}

struct deploy_route *deploy_route_new(struct deploy *d)
{
    struct deploy_route *r;
    bool direct = true;

    vec_each (h, &d->cluster->hosts)
        direct = direct && is_direct(d, h);
    if (direct)
        return NULL;
    r = xcalloc(1, sizeof(*r));
    r->deploy = d;
    r->route = (struct net_route){route_port, r};
    r->tunnels = xcalloc(d->cluster->hosts.n, sizeof(struct tunnel *));
    pthread_mutex_init(&r->lock, NULL);
    d->cluster->route = &r->route;
    return r;
}

void deploy_route_free(struct deploy_route *r)
{
    if (!r)
        return;
    r->deploy->cluster->route = NULL;
    for (size_t i = 0; i < r->deploy->cluster->hosts.n; i++)
        tunnel_close(r->tunnels[i]);
    pthread_mutex_destroy(&r->lock);
    free(r->tunnels);
    free(r);
}
