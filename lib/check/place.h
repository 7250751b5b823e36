/*
 * place.h - which of a host's addresses the other members use: a pure choice from what the hosts
 * said of themselves.
 */
#ifndef PGHA_PLACE_H
#define PGHA_PLACE_H

#include "lib/check/survey.h"
#include "lib/cluster/cluster.h"

struct place {
    const char *address, *interface;
    int prefix;
    const char *why; /* "in the network that all hosts share, 10.0.0.0/24" */
};

/*
 * One place for each host of the cluster, in its order; facts[i] is what host i said, or NULL when
 * it was not asked: then it stays where it is. IPv4 of real interfaces only, never the VIP.
 *
 * In this order: the address, or the interface, that the user gave; the one inside network.cidr;
 * the one in a network where every host has one, private networks first, then the network that the
 * hosts are logged in to; the address that was logged in to; the one of the default route. Texts
 * are in a. ERR_INPUT: an address, interface or network that the host does not have.
 */
int place_hosts(const struct cluster *c, const struct host_facts *const *facts,
                struct place *places, struct arena *a, struct err *err) MUST_USE;

/* For cluster_place and the state folder. seen: the addresses this machine is seen under. */
struct value *place_to_value(const struct cluster *c, const struct host_facts *const *facts,
                             const struct place *places, struct arena *a);

#endif
