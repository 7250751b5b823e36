/*
 * facts.h - ansible_facts from what the probe's script printed. Keys and values as ansible's setup
 * module names them, without the prefix "ansible_".
 */
#ifndef PGHA_FACTS_H
#define PGHA_FACTS_H

#include "lib/doc/value.h"

/* Appends the part of the probe script that prints "key value" lines. */
void facts_put_script(struct str *script);
/* Rows of docs/ansible.md. */
void facts_put_reference(struct str *out);
struct value *facts_read(struct arena *a, const char *text, size_t len);

#endif
