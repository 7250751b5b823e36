/*
 * remote.h - the terminal handed to ssh, for `ssh` and `logs`.
 */
#ifndef PGHA_REMOTE_H
#define PGHA_REMOTE_H

#include "cmd/cmd.h"

/* Runs ssh to a host of the cluster in our place, with the state folder's key and known_hosts.
 * Returns only on failure. */
int remote_exec(const struct deploy *d, const char *host, int argc, char *const *argv);

#endif
