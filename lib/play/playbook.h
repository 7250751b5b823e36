/*
 * playbook.h - a playbook as the runner needs it: plays as flat lists of steps. Private to
 * lib/play.
 *
 * Roles, blocks and imports are gone: what they gave to their tasks (conditions, tags, variables)
 * is in each task. What is left of them are places to go to in the list:
 *
 *   block      tasks, TASK_RESCUE, tasks, TASK_ALWAYS, tasks, TASK_BLOCK_END
 *   include    the include itself, and for each file that it may name: tasks, TASK_INCLUDE_END
 *
 * Everything lives in the playbook's arena and is read-only after loading.
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

struct include;

/* Variables of a block or task and of what is around it. */
struct frame {
    const struct value *vars;      /* map; NULL where include is set */
    const struct include *include; /* the loop's variables of an include around it */
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

/* A block with rescue or always. The numbers are places in the play's list of tasks: of the first
 * task, and of the three marks. */
struct block {
    size_t index; /* in the play's list of blocks */
    size_t first, rescue, always, end;
    const struct block *outer;
};

/* A file that an include may name. */
struct include_file {
    const char *path;
    size_t first, end; /* places in the play's list: its first task, and its TASK_INCLUDE_END */
    const char *fault; /* what is wrong with it, told by the task that wants it; NULL: nothing */
};

/* include_tasks: which of the files it is, and how often, is found out when a host is there. */
struct include {
    VEC(struct include_file) files;
    const char *folders[2]; /* where a file's name begins; NULL: no second one */
    const char *loop_var, *index_var;
    bool loops;
    size_t end; /* the place behind all of it */
};

enum task_kind {
    TASK_MODULE,
    TASK_FLUSH_HANDLERS,
    TASK_NOOP,
    TASK_RESCUE, /* the last four are marks, see above */
    TASK_ALWAYS,
    TASK_BLOCK_END,
    TASK_INCLUDE_END
};
enum choice { CHOICE_UNSET, CHOICE_NO, CHOICE_YES };

struct task {
    enum task_kind kind;
    bool implicit;            /* not written by the user: the flushes between a play's sections */
    const struct value *name; /* string, maybe a template; NULL */
    const struct module *module;
    const struct value *args;      /* map, unrendered; may be NULL */
    const struct value *free_form; /* string, unrendered; NULL */
    struct source src;
    const char *folder; /* of the file it stands in */
    const struct role_use *role;
    const struct frame *frame;
    const struct block *block;     /* the innermost around it (of a mark: its own); NULL */
    const struct include *include; /* of include_tasks and TASK_INCLUDE_END; NULL */
    struct expressions when, until, changed_when, failed_when;
    bool has_changed_when, has_failed_when;
    const struct value *loop;         /* list or template; NULL */
    const char *loop_with;            /* with_NAME: the lookup that makes the list; NULL: loop */
    const char *loop_var, *index_var; /* index_var: NULL when there is none */
    const struct value *loop_label;
    struct names notify, tags, listen;
    const char *registers; /* variable name; NULL */
    const struct value *retries, *delay, *ignore_errors, *no_log;
    const struct value *environment; /* list of maps, unrendered; later ones win; NULL */
    enum choice check_mode, diff, run_once, become, any_errors_fatal;
};

/* A file of vars_files. */
struct vars_file {
    const struct value *vars;  /* map; NULL: which file it is, each host has to find out */
    const struct value *names; /* list of strings and templates: the first file there is */
    struct source src;
};

struct play {
    const char *name, *hosts;
    struct source src;
    bool gather_facts;
    bool any_errors_fatal, become;
    const struct value *serial; /* list of integers and percentages; NULL */
    const struct value *vars;   /* map; may be NULL */
    VEC(struct vars_file) vars_files;
    VEC(struct task) tasks; /* in order, handlers flushed where Ansible does */
    VEC(struct task) handlers;
    VEC(struct block *) blocks;
    struct names tags;
    VEC(const struct role_use *)
    roles; /* all, in order; their defaults and vars are seen by the play */
    const char *folder;
};

struct playbook {
    struct arena arena;
    const char *path, *folder;
    struct templates templates;
    VEC(struct play *) plays;
    VEC(struct include *) includes;
};

/* "role : name", or the module's name where the task has none. Unrendered. */
const char *task_title(const struct task *task, struct arena *a);
bool names_have(const struct names *names, const char *name);
/* A task that does something, not a mark. */
bool task_is_real(const struct task *task);

/* include.c: where a file is that a playbook names. */
const char *playbook_path(struct arena *a, const char *folder, const char *name);
/* What an include does as a task: it finds the file. */
extern const struct module include_module;
const struct include_file *include_find(const struct include *include, const char *path);

/* reader.c: where files of vars_files may be, best first; *n of them. */
const char *const *vars_file_paths(struct arena *a, const struct play *play, const char *name);

#endif
