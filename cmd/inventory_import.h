/* inventory_import.h - `inventory import`, an action of cmd/inventory.c. */
#ifndef PGHA_CMD_INVENTORY_IMPORT_H
#define PGHA_CMD_INVENTORY_IMPORT_H

#include "cmd/cmd.h"

int inventory_import(struct context *ctx, int argc, char **argv); /* argv[0]: the source */

#endif
