/*
 * route.c - the way to the cluster's addresses through the hosts' own SSH.
 *
 * Behind a bastion, or with private addresses that this machine has no route to, a host's services
 * are reached through a tunnel to that host, and the virtual address through one to a balancer,
 * unless it is a public one. A tunnel is opened when it is needed, and anew when it was lost.
 */
#include "lib/deploy/route.h"

#include <pthread.h>

#include "lib/base/clock.h"
#include "lib/net/tunnel.h"

enum { CONNECT_TIMEOUT_MS = 5000, RETRY_MS = 10000 };

struct way {
    struct tunnel *tunnel; /* NULL: not open */
    int64_t failed_ms;     /* clock_mono_ms of the last attempt that failed; 0: none did */
};

struct deploy_route {
    struct deploy *deploy;
    struct net_route route;
    pthread_mutex_t lock;
    struct way *ways; /* one for each host */
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

/* A host that did not let us in is not asked again for a while. */
static int open_tunnel(struct deploy_route *r, size_t i, struct err *err)
{
    const char *name = r->deploy->cluster->hosts.items[i].name;
    struct check_target check = deploy_check_target(r->deploy);
    struct way *way = &r->ways[i];
    struct arena arena = ARENA_INIT;
    struct ssh_target target;
    int rc;

    if (way->tunnel && tunnel_is_lost(way->tunnel)) {
        tunnel_close(way->tunnel);
        way->tunnel = NULL;
    }
    if (way->tunnel)
        return 0;
    if (way->failed_ms && clock_mono_ms() - way->failed_ms < RETRY_MS)
        return err_set(err, ERR_NET, "there is no way through %s", name);
    rc = check_ssh_target(&check, name, &arena, &target, err);
    target.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    if (rc == 0 && !(way->tunnel = tunnel_open(&target, err)))
        rc = -1;
    way->failed_ms = rc < 0 ? clock_mono_ms() : 0;
    arena_release(&arena);
    return rc;
}

/* Through the host itself; when that does not let us in, through the others, which reach it. */
static int route_port(void *ctx, const char *address, int port, struct err *err)
{
    struct deploy_route *r = ctx;
    size_t n = r->deploy->cluster->hosts.n, first = host_for(r->deploy->cluster, address);
    int local = -1;

    if (cluster_has_public_vip(r->deploy->cluster) && str_eq(address, r->deploy->cluster->vip))
        return 0;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < n && local < 0; i++) {
        size_t via = (first + i) % n;

        err_release(err);
        if (open_tunnel(r, via, err) == 0)
            local = tunnel_port(r->ways[via].tunnel, address, port, err);
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
    r->ways = xcalloc(d->cluster->hosts.n, sizeof(*r->ways));
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
        tunnel_close(r->ways[i].tunnel);
    pthread_mutex_destroy(&r->lock);
    free(r->ways);
    free(r);
}
