/*
 * route.h - the way to the cluster's addresses when they cannot be connected to from here: through
 * the hosts' own SSH.
 */
#ifndef PGHA_DEPLOY_ROUTE_H
#define PGHA_DEPLOY_ROUTE_H

#include "lib/deploy/deploy.h"

/* NULL when every host is logged in to directly, under the address that the others use too. Gives
 * d->cluster its route; nothing is connected yet. */
struct deploy_route *deploy_route_new(struct deploy *d);
void deploy_route_free(struct deploy_route *r);

#endif
