/*
 * playbook.h - a playbook as the runner needs it: plays as flat lists of steps. Private to
 * lib/play.
 *
 * Roles, blocks and imports are gone: what they gave to their tasks (conditions, tags, variables)
 * is in each task. Everything lives in the playbook's arena and is read-only after loading.
 */
#ifndef PGHA_PLAYBOOK_H
#define PGHA_PLAYBOOK_H

#include "lib/base/vec.h"
#include "lib/play/module.h"
#include "lib/play/play.h"
#include "lib/play/templates.h"

/* A bare expression: when, until, changed_when, failed_when. */
struct expression {
    const char *text;
    struct source src;
    const struct jinja_template *parsed;
};

struct expressions {
    const struct expression *items;
    size_t n;
};

struct names {
    const char **items; /* NULL-terminated; NULL when n is 0 */
    size_t n;
};

/* Variables of a block or task and of what is around it. */
struct frame {
    const struct value *vars; /* map */
    const struct frame *outer;
};

struct role {
    const char *name, *path;      /* path: folder of the role */
    const struct value *defaults; /* map; may be empty */
    const struct value *vars;
};

/* A role where it is used: the same role may come twice with different parameters. */
struct role_use {
    const struct role *role;
    const struct value *params;  /* map or NULL */
    const struct role_use *user; /* the role that depends on it, or NULL */
};

enum task_kind { TASK_MODULE, TASK_FLUSH_HANDLERS, TASK_NOOP };
enum choice { CHOICE_UNSET, CHOICE_NO, CHOICE_YES };

struct task {
    enum task_kind kind;
    const struct value *name; /* string, maybe a template; NULL */
    const struct module *module;
    const struct value *args;      /* map, unrendered; may be NULL */
    const struct value *free_form; /* string, unrendered; NULL */
    struct source src;
    const char *folder; /* of the file it stands in */
    const struct role_use *role;
    const struct frame *frame;
    struct expressions when, until, changed_when, failed_when;
    bool has_changed_when, has_failed_when;
    const struct value *loop; /* list or template; NULL */
    bool loop_flattens;       /* with_items flattens one level */
    const char *loop_var;
    const struct value *loop_label;
    struct names notify, tags, listen;
    const char *registers; /* variable name; NULL */
    const struct value *retries, *delay, *ignore_errors, *no_log;
    const struct value *environment; /* list of maps, unrendered; later ones win; NULL */
    enum choice check_mode, diff, run_once, become, any_errors_fatal;
};

struct play {
    const char *name, *hosts;
    struct source src;
    bool gather_facts;
    bool any_errors_fatal, become;
    const struct value *serial; /* list of integers and percentages; NULL */
    const struct value *vars;   /* map; may be NULL */
    VEC(const struct value *) vars_files;
    VEC(struct task) tasks; /* in order, handlers flushed where Ansible does */
    VEC(struct task) handlers;
    VEC(const struct role_use *)
    roles; /* all, in order; their defaults and vars are seen by the play */
    const char *folder;
};

struct playbook {
    struct arena arena;
    const char *path, *folder;
    struct templates templates;
    VEC(struct play *) plays;
};

/* "role : name", or the module's name where the task has none. Unrendered. */
const char *task_title(const struct task *task, struct arena *a);
bool names_have(const struct names *names, const char *name);

#endif
