/*
 * apt.h - what module package uses of module apt.
 */
#ifndef PGHA_MODULE_APT_H
#define PGHA_MODULE_APT_H

#include "lib/play/filechange.h"

/* specs: list of NAME or NAME=VERSION; may be NULL. */
int apt_needs(struct module_call *call, const struct value *specs, need_add *add, void *ctx,
              struct err *err);
/* Adds the apt-get that brings the packages to state (present, latest, absent), if one is needed.
 */
void apt_plan_packages(struct module_call *call, struct world *world, const struct value *specs,
                       const char *state, struct module_plan *out);
/* A command: apt-get update, bounded in time and tried update_cache_retries times; give_up: lines
 * that are run before it fails. As with Ansible, a source that cannot be read is a fault; apt-get
 * would pass over it. */
void apt_put_update(struct module_call *call, const char *give_up, struct str *script);
void apt_finish(struct module_call *call, struct module_plan *plan_made, int rc, const char *out,
                const char *errout);

#endif
