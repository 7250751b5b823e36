/*
 * parameters.h - default PostgreSQL parameters, one table for the cluster and for
 * docs/parameters.md.
 */
#ifndef PGHA_PARAMETERS_H
#define PGHA_PARAMETERS_H

#include "lib/cluster/cluster.h"

struct value *parameters_default(const struct preset *preset,
                                 struct arena *a); /* map name -> value */
void parameters_write_docs(struct str *out);

#endif
