/*
 * yaml_dump.h - yaml.dump() as Ansible's to_yaml and to_nice_yaml call it.
 */
#ifndef PGHA_JINJA_YAML_DUMP_H
#define PGHA_JINJA_YAML_DUMP_H

#include "lib/jinja/eval.h"

enum yaml_flow {
    YAML_FLOW_NONE,
    YAML_FLOW_LEAVES, /* lists and dicts of scalars alone are written as [a, b] and {a: b} */
    YAML_FLOW_ALL
};

struct yaml_style {
    int indent;   /* columns a level is indented by */
    size_t width; /* lines are folded behind this column */
    bool sort_keys;
    enum yaml_flow flow;
};

/* PyYAML's bytes. Strings with line breaks or control characters are refused. */
int ev_put_yaml(struct evaluator *ev, struct str *out, const struct value *v,
                const struct yaml_style *style) MUST_USE;

#endif
