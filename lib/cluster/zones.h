/*
 * zones.h - a cloud's network: a private and a public subnet for each zone, and the hosts' places
 * in them. Pure.
 *
 * The cluster's network is cut into parts of equal size, twice as many as zones, rounded up to a
 * power of two: the private ones first, the public ones from the middle on. Of each subnet the
 * first four addresses and the last are the cloud's
 * (https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html).
 */
#ifndef PGHA_ZONES_H
#define PGHA_ZONES_H

#include "lib/cluster/cluster.h"

/* Fills c->subnets: the cluster's own, or those of provider.subnets. */
void zones_load(struct cluster *c, struct faults *faults);

/* What of the provider's keys needs more than one, the hosts included. */
void zones_check(const struct cluster *c, struct faults *faults);

enum zone_group { ZONE_DB, ZONE_LB, ZONE_ETCD };
/* The address of the index-th host (from 0) of a group, and its subnet in *subnet: zones in turn,
 * but all balancers in the first where the virtual address cannot leave it, and in the public ones
 * where it is an elastic IP. NULL: no room, and a fault. */
const char *zones_address(struct cluster *c, enum zone_group group, int index, int *subnet,
                          struct faults *faults);
/* The virtual address: the given one, judged, or the default. NULL: a fault. */
const char *zones_vip(struct cluster *c, const char *given, struct faults *faults);

/* Addresses of a public subnet for the provider's own things (index from 0): balancers, which may
 * be there, have others. In a. */
const char *zones_spare_address(const struct cluster_subnet *s, int index, struct arena *a);

#endif
