/*
 * modules.h - documentation of playbooks, from the tables that read them.
 */
#ifndef PGHA_MODULES_H
#define PGHA_MODULES_H

#include "lib/play/module.h"

/* docs/modules.md: each module, its arguments, their types, defaults and choices, its notes. */
void modules_write_docs(struct str *out);
/* reference.c: docs/ansible.md, what of Ansible is supported and what to do instead of the rest */
void play_write_reference(struct str *out);

#endif
