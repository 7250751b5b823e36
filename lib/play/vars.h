/*
 * vars.h - the variables of a task on a host, in Ansible's order of precedence, rendered when they
 * are used.
 *
 * From the strongest: the loop's item and a task's own result, magic names, extra variables, role
 * parameters, set_fact and register, task and block variables (inner first), the task's role's
 * variables, those of other roles of the play, vars_files, play variables, facts, inventory, role
 * defaults. "Understanding variable precedence" of Ansible's documentation has the list.
 */
#ifndef PGHA_VARS_H
#define PGHA_VARS_H

#include "lib/play/run.h"

#define VARS_MAX_NESTING 20 /* variables made of variables */
#define SCOPE_LOCALS     3

struct local {
    const char *name;
    const struct value *value;
};

struct resolving; /* the names being rendered, to find circles */

struct scope {
    struct host *host;
    const struct stage *stage; /* NULL: as hostvars shows the host */
    const struct task *task;   /* may be NULL */
    struct local locals[SCOPE_LOCALS];
    size_t n_locals;
    const struct turn *turn;      /* of the include the task stands in; NULL */
    const struct map *registered; /* may be NULL */
    const struct map *pending;    /* names that get a value later; NULL: none */
    const struct resolving *resolving;
    const struct vars_file
        *naming; /* vars_files from this one on are not looked at; NULL: all are */
};

/* Makes `hostvars` and each host's part of it. */
void vars_init(struct run *run);

void scope_set(struct scope *scope, const char *name, const struct value *value);
/* The variables of a loop. */
void scope_set_item(struct scope *scope, struct arena *a, const struct task *task,
                    const struct value *item, size_t index);

/* Rows of docs/ansible.md: names that every play knows, and those of Ansible's that none does. */
void vars_put_reference(struct str *out);

/* jinja_scope.get; data is the struct scope. */
enum lookup vars_get(void *data, struct arena *a, const char *name, const struct value **out,
                     struct err *err);
/* The value with every template inside rendered. Members that are `omit` are left out. */
enum jinja_result vars_render(struct scope *scope, struct arena *a, const struct value *v,
                              const struct value **out, struct err *err);
enum jinja_result vars_expression(struct scope *scope, struct arena *a,
                                  const struct jinja_template *t, const struct value **out,
                                  struct err *err);
/* The items of with_LOOKUP; see jinja_with. */
enum jinja_result vars_with(struct scope *scope, struct arena *a, const char *lookup,
                            const struct value *terms, const char *kind, const struct value **out,
                            struct err *err);
/* Are all conditions true? */
enum jinja_result vars_true(struct scope *scope, struct arena *a, const struct expressions *all,
                            bool *truth, struct err *err);
/* As text; *out is in a. */
enum jinja_result vars_text(struct scope *scope, struct arena *a, const struct value *v,
                            const char **out, struct err *err);

#endif
