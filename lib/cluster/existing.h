/*
 * existing.h - hosts that somebody else made, as the cluster file or its inventory gives them;
 * inside lib/cluster only.
 */
#ifndef PGHA_EXISTING_H
#define PGHA_EXISTING_H

#include "lib/cluster/cluster.h"

/* Fills c->given and c->hosts from provider.inventory or provider.hosts, and what of the network is
 * given. */
void existing_load(struct cluster *c, struct faults *faults);

/* cluster.c: where a key of the cluster file is, or the file's beginning when it is not there. */
struct source cluster_source(const struct cluster *c, const char *dotted);

#endif
