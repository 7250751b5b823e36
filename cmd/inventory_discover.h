/* inventory_discover.h - `inventory discover`, an action of cmd/inventory.c. */
#ifndef PGHA_CMD_INVENTORY_DISCOVER_H
#define PGHA_CMD_INVENTORY_DISCOVER_H

#include "cmd/cmd.h"

int inventory_discover(struct context *ctx, int argc, char **argv); /* argv: hosts; none: see -i */

#endif
