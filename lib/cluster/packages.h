/* packages.h - the cluster's own repositories of packages: their keys. */
#ifndef PGHA_PACKAGES_H
#define PGHA_PACKAGES_H

#include "lib/base/str.h"
#include "lib/cluster/cluster.h"

/* What the file of the repository's key holds, ASCII armour; initialises text, which the caller
 * releases on failure, too. ERR_IO, ERR_INPUT. */
int packages_key(const struct cluster *c, const struct value *repository, struct str *text,
                 struct err *err) MUST_USE;

/* A fault for each key that cannot be read or is none. */
void packages_check(const struct cluster *c, struct faults *faults);

#endif
