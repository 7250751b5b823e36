/*
 * reader.h - what the files of the playbook reader share. Private to lib/play.
 *
 * reader.c reads files and plays, reader_task.c tasks and blocks, reader_include.c included files,
 * reader_role.c roles. Each kind of
 * mapping has one table of keys; a key that is in no table is a fault with the nearest valid one.
 */
#ifndef PGHA_READER_H
#define PGHA_READER_H

#include "lib/play/playbook.h"

#define READER_MAX_DEPTH 24    /* imports, blocks and roles inside each other */
#define READER_MAX_TASKS 20000 /* of a play */
#define READER_MAX_ROLES 500

struct reader {
    struct playbook *pb;
    const struct assets *assets;
    struct faults *faults;
    struct play *play;
    struct map roles; /* path -> struct role * */
    struct map open;  /* files of tasks that are being read */
    int depth;
};

/* A mapping's keys. A row without a function is a key of Ansible's that is not supported: text says
 * what to do instead. Else it says what there is to know, and may be empty. */
struct key {
    const char *name;
    void (*read)(struct reader *r, void *into, const struct value *v);
    const char *text;
};

struct key_table {
    const char *what; /* "play", "task", "block" */
    const struct key *rows;
    size_t n;
};

extern const struct key_table reader_play_table, reader_common_table, reader_task_table,
    reader_control_table;

/* What stands where a module's name does, and is none. */
struct action {
    const char *name, *text; /* text: as of a key */
    bool supported;
};
extern const struct action reader_actions[]; /* ends with name NULL */

/* Finds the row; unsupported ones are faulted. NULL when there is none to call. */
const struct key *reader_key(struct reader *r, const struct key_table *table,
                             const struct value_entry *entry);
void reader_unknown_key(struct reader *r, const char *what, const struct value_entry *entry,
                        const char *const *candidates, size_t n);
/* Calls the function of each key of the map. */
void reader_map(struct reader *r, const struct key_table *table, const struct value *map,
                void *into);

/* ---- typed values; each adds a fault and gives the second-best answer */
const char *reader_str(struct reader *r, const struct value *v, const char *what);
bool reader_bool(struct reader *r, const struct value *v, const char *what);
const struct value *reader_vars(struct reader *r, const struct value *v, const char *what);
/* A string, or a list of them; "a,b" is split when split is set. */
struct names reader_names(struct reader *r, const struct value *v, const char *what, bool split);
struct names names_join(struct reader *r, struct names a, struct names b);
/* Adds the templates inside, so that wrong syntax is found now. */
const struct value *reader_keep(struct reader *r, const struct value *v);

/* ---- files */
/* The parsed file; NULL when there were faults. With optional, no file is no fault and NULL. */
const struct value *reader_file(struct reader *r, const char *path, struct source from,
                                bool optional);
bool reader_enter(struct reader *r, struct source src); /* one level deeper; false: too deep */
void reader_leave(struct reader *r);
const char *reader_path(struct reader *r, const char *folder, const char *name);

/* ---- tasks (reader_task.c) */
/* What is around tasks: `outer` gives conditions, tags, variables, role, folder. */
enum task_list { LIST_TASKS, LIST_HANDLERS };
void reader_tasks(struct reader *r, const struct value *list, const struct task *outer,
                  enum task_list to);
void reader_tasks_file(struct reader *r, const char *path, struct source from,
                       const struct task *outer, enum task_list to);
void reader_add_task(struct reader *r, const struct task *task, enum task_list to);
/* include_tasks (reader_include.c): task holds the keys of the include, args its file, outer what
 * is around it. */
void reader_include_tasks(struct reader *r, struct task *task, const struct value *args,
                          const struct task *outer);
/* The key into around, where it is one that blocks have. */
void reader_block_key(struct reader *r, struct task *around, const struct value_entry *entry,
                      const char *what);
/* Keywords that a play, a block, a role and a task share; NULL when the key is none of them. */
const struct key *reader_common_key(const char *name);

/* ---- roles (reader_role.c) */
void reader_role(struct reader *r, const struct value *v, const struct task *outer);
/* import_role, include_role: the file of tasks may be named. */
void reader_import_role(struct reader *r, const struct value *args, const struct task *outer);

#endif
