/*
 * templates.h - the templates inside of values, parsed once: strings with {{ }} or {% %} in
 * playbooks, inventories and variables. Read-only after it was filled, so threads share it.
 */
#ifndef PGHA_TEMPLATES_H
#define PGHA_TEMPLATES_H

#include "lib/doc/fault.h"
#include "lib/jinja/jinja.h"

struct template_slot {
    const struct value *value;
    const struct jinja_template *parsed;
};

struct templates {
    struct arena *arena;
    struct template_slot *slots; /* open addressing by the value's address */
    size_t n, cap;
};

void templates_init(struct templates *t, struct arena *a);
void templates_release(struct templates *t);
/* Every string in the value. Syntax errors are added to faults. */
void templates_add(struct templates *t, const struct value *v, struct faults *faults);
const struct jinja_template *templates_find(const struct templates *t, const struct value *v);

/* A syntax error of a template or expression at src. The error names file and line itself: the
 * fault has them once. */
void fault_add_syntax(struct faults *faults, struct source src, const struct err *err);

/* Is there a template anywhere in it? */
bool value_has_markup(const struct value *v);

#endif
