/* inventory_import.h - `inventory import`, an action of cmd/inventory.c. */
#ifndef PGHA_CMD_INVENTORY_IMPORT_H
#define PGHA_CMD_INVENTORY_IMPORT_H

#include "cmd/cmd.h"
#include "inventory/import.h"

int inventory_import(struct context *ctx, int argc, char **argv); /* argv[0]: the source */
/* The two files into --output, unless they are there already (--force); tells of it. */
int inventory_save(const struct context *ctx, const struct import *im, struct err *err) MUST_USE;

#endif
