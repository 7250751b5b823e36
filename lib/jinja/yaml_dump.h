/*
 * yaml_dump.h - yaml.dump() as Ansible's to_nice_yaml calls it: block style, keys sorted, lines
 * folded at 80.
 */
#ifndef PGHA_JINJA_YAML_DUMP_H
#define PGHA_JINJA_YAML_DUMP_H

#include "lib/jinja/eval.h"

/* PyYAML's bytes for lists and dicts. Strings with line breaks or control characters are refused.
 */
int ev_put_yaml(struct evaluator *ev, struct str *out, const struct value *v, int indent) MUST_USE;

#endif
