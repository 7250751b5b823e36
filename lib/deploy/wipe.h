/*
 * wipe.h - deletes what somebody else left on one existing host, so that the cluster can have it.
 */
#ifndef PGHA_WIPE_H
#define PGHA_WIPE_H

#include "lib/deploy/deploy.h"

/* Asks twice, then stops what runs there, and deletes the data directories and configurations that
 * the survey found and that are not this cluster's own. 0 when there was nothing of the kind. */
int wipe_host(struct deploy *d, const char *host, const struct host_facts *f,
              struct err *err) MUST_USE;

#endif
