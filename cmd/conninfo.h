/*
 * conninfo.h - how to connect, for `conninfo` and the end of `up`.
 */
#ifndef PGHA_CONNINFO_H
#define PGHA_CONNINFO_H

#include "cmd/cmd.h"

/* One URI a port, for the first user and database of the cluster file, or the superuser; with
 * passwords only when shown. */
void conninfo_format(const struct deploy *d, bool passwords, struct str *out);

#endif
