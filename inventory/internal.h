/*
 * internal.h - what the files of inventory/ share and nobody else uses.
 */
#ifndef PGHA_INVENTORY_INTERNAL_H
#define PGHA_INVENTORY_INTERNAL_H

#include "inventory/inventory.h"
#include "lib/base/vec.h"

/* ---- model (inventory.c) ---- */

struct inventory_group *inventory_all(const struct inventory *inv);
struct inventory_group *inventory_ungrouped(const struct inventory *inv);

/* Children as Ansible reconciles them: for all, groups without a parent follow those added. Caller
 * frees. */
struct inventory_group **inventory_children(const struct inventory *inv,
                                            const struct inventory_group *group, size_t *n);
/* Direct members: for ungrouped, the hosts that are in no other group but all. Caller frees. */
struct inventory_host **inventory_direct_hosts(const struct inventory *inv,
                                               const struct inventory_group *group, size_t *n);
/* Every group a host is in, directly or not, in the order in which their variables merge; all is
 * the first. Caller frees. */
struct inventory_group **inventory_host_groups(const struct inventory *inv,
                                               const struct inventory_host *host, size_t *n);
/* As Ansible's set_variable: ansible_group_priority is no variable. -1: that is no integer. */
int inventory_set_group_var(struct inventory *inv, struct inventory_group *group, const char *key,
                            struct value *value) MUST_USE;

/* ---- variables (vars.c) ---- */

/* Merged variables of a host without the three magic ones. */
struct value *inventory_plain_vars(const struct inventory *inv, const struct inventory_host *host,
                                   struct arena *a);
/* The variables to write under a group, group_vars/ folded in. */
struct value *inventory_group_own(const struct inventory_group *group, struct arena *a);
/* The variables to write under a host so that, with inventory_group_own for its groups, it has the
 * same merged variables as now (folding group_vars/ into groups can change which one wins). */
struct value *inventory_host_own(const struct inventory *inv, const struct inventory_host *host,
                                 struct arena *a);
/* Removes hidden names, and those that Ansible sets itself and ansible-inventory never prints. */
void inventory_hide(struct value *vars, const char *const *hidden);

/* ---- names (hostname.c) ---- */

struct host_names {
    char **items; /* in the inventory's arena */
    size_t n, cap;
    int64_t port; /* from NAME:PORT; 0: none */
};

/* NAME, NAME:PORT, [ADDRESS]:PORT, with ranges [1:3], [01:10:2], [a:c]. Faults go to src. The
 * caller releases names with vec_release whatever the result. */
int inventory_expand_hosts(struct inventory *inv, const char *pattern, struct source src,
                           struct faults *faults, struct host_names *names) MUST_USE;
/* As Ansible's parse_address: is it one host, with ranges and a port perhaps? */
bool inventory_is_address(const char *text);
bool inventory_is_ip(const char *text);
/* What is wrong with the name, or NULL. */
const char *inventory_host_name_fault(const char *name);
const char *inventory_group_name_fault(const char *name);

/* ---- words (words.c) ---- */

/* The next word as Python's shlex.split has it (POSIX rules); `comments`: # ends the line, even
 * inside a word. Word is cleared first. 1: a word; 0: no more; -1: *why says what is wrong. */
int words_next(const char **at, const char *end, bool comments, struct str *word, const char **why);

/* ---- tagged values (tagged.c) ---- */

/* yaml_parse with what Ansible's loader has beyond it: !vault and !unsafe, keys that are no text.
 */
struct value *inventory_parse_yaml(struct inventory *inv, const char *file, const char *text,
                                   size_t len, struct faults *faults);
/* The text of a value that is vaulted or unsafe, and the tag it has in YAML (tag may be NULL); NULL
 * for every other value. */
const char *inventory_tagged(const struct value *v, const char **tag);
bool inventory_holds_tagged(const struct value *v); /* anywhere in it */
/* Tagged values in v: kept, or made plain, or a fault (at src where they have no place). */
void inventory_settle_tagged(struct inventory *inv, struct value *v, struct source src,
                             struct faults *faults);

/* ---- readers ---- */

void inventory_read_ini(struct inventory *inv, const char *file, const char *text, size_t len,
                        struct faults *faults);
void inventory_read_yaml(struct inventory *inv, const char *file, const char *text, size_t len,
                         struct faults *faults);
/* Either what a dynamic inventory prints for --list, or the structure of a YAML inventory. */
void inventory_read_json(struct inventory *inv, const char *file, const char *text, size_t len,
                         struct faults *faults);
/* What a dynamic inventory prints for --list. */
void inventory_read_list(struct inventory *inv, const struct value *root, const char *file,
                         struct faults *faults);
/* Runs a program that prints an inventory. */
void inventory_read_script(struct inventory *inv, const char *path, struct faults *faults);
bool inventory_is_program(const char *text, size_t len); /* by how the file begins */
/* The structure of a YAML inventory: group -> hosts, children, vars. */
void inventory_read_tree(struct inventory *inv, const struct value *root, struct faults *faults);

/* Shared by the readers. Both return NULL after adding a fault. */
struct inventory_group *inventory_read_group(struct inventory *inv, const char *name,
                                             struct source src, struct faults *faults);
struct inventory_host *inventory_read_host(struct inventory *inv, const char *name,
                                           struct inventory_group *group, int64_t port,
                                           struct source src, struct faults *faults);
void inventory_read_child(struct inventory *inv, struct inventory_group *parent,
                          struct inventory_group *child, struct source src, struct faults *faults);
/* All of a map; src is for values without a place. */
void inventory_read_host_vars(struct inventory *inv, struct inventory_host *host,
                              struct value *vars, struct source src, struct faults *faults);
void inventory_read_group_var(struct inventory *inv, struct inventory_group *group, const char *key,
                              struct value *value, struct faults *faults);

/* ---- writers: write_NAME.c, listed in INVENTORY_FORMATS ---- */

typedef int inventory_write_fn(const struct inventory *inv, const char *const *hidden,
                               struct str *out, struct err *err);

#define X(format, name, write) inventory_write_fn write;
INVENTORY_FORMATS(X)
#undef X

/* JSON as Python's json.dumps(sort_keys=True, indent=4, ensure_ascii=False) has it. */
void inventory_put_json(const struct value *v, struct str *out);

#endif
