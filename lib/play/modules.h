/*
 * modules.h - documentation of the modules, from their tables.
 */
#ifndef PGHA_MODULES_H
#define PGHA_MODULES_H

#include "lib/play/module.h"

/* docs/modules.md: each module, its arguments, their types, defaults and choices, its notes. */
void modules_write_docs(struct str *out);

#endif
