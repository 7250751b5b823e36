/*
 * route.h - the way to an address that cannot be connected to from here.
 */
#ifndef PGHA_ROUTE_H
#define PGHA_ROUTE_H

#include "lib/base/err.h"

struct net_route {
    /* The port of 127.0.0.1 that leads to address:port; 0: connect directly. -1 with err. Called
     * from several threads at once. */
    int (*port)(void *ctx, const char *address, int port, struct err *err);
    void *ctx;
};

/* As net_route's port; route may be NULL: directly. */
static inline int net_route_port(const struct net_route *route, const char *address, int port,
                                 struct err *err)
{
    return route ? route->port(route->ctx, address, port, err) : 0;
}

#endif
