/*
 * inventory.h - hosts, groups and their variables, as Ansible has them.
 *
 * Groups `all` and `ungrouped` always exist. Variables merge as in Ansible: all, then parents
 * before children, then groups by ansible_group_priority and name, then the host's own. One arena
 * holds all.
 */
#ifndef PGHA_INVENTORY_H
#define PGHA_INVENTORY_H

#include "lib/base/map.h"
#include "lib/doc/fault.h"

struct inventory_host {
    const char *name;
    struct value *vars; /* map: its own only */
};

struct inventory_group {
    const char *name;
    struct value *vars;
    struct map hosts;    /* name -> struct inventory_host *, direct members in order */
    struct map children; /* name -> struct inventory_group * */
};

struct inventory {
    struct arena arena;
    struct map hosts;  /* name -> struct inventory_host *, in order of appearance */
    struct map groups; /* name -> struct inventory_group * */
};

void inventory_init(struct inventory *inv);
void inventory_release(struct inventory *inv);

/* Found, or made. A new group is a child of all unless added as somebody's child. */
struct inventory_group *inventory_group(struct inventory *inv, const char *name);
struct inventory_host *inventory_host(struct inventory *inv, const char *name);
void inventory_add_host(struct inventory *inv, struct inventory_group *group,
                        struct inventory_host *host);
int inventory_add_child(struct inventory *inv, struct inventory_group *parent,
                        struct inventory_group *child,
                        struct err *err) MUST_USE; /* refuses a circle */

/* A file (YAML, INI or JSON, by content) or a folder of them; group_vars/ and host_vars/ beside it
 * are read too. */
int inventory_load(struct inventory *inv, const char *path, struct faults *faults) MUST_USE;

/* Hosts of a group and all below it, in order; each once. Caller frees the array. */
struct inventory_host **inventory_members(const struct inventory *inv,
                                          const struct inventory_group *group, size_t *n);
/* Host pattern: names, groups, all, *, a:b, a,b, a:!b, a:&b, wildcards. Unknown names are
 * ERR_INPUT. Caller frees. */
struct inventory_host **inventory_match(const struct inventory *inv, const char *pattern, size_t *n,
                                        struct err *err);
/* Merged variables of a host, with inventory_hostname, inventory_hostname_short and group_names. In
 * a. */
struct value *inventory_vars(const struct inventory *inv, const struct inventory_host *host,
                             struct arena *a);
/* map group -> list of names, for `groups`. In a. */
struct value *inventory_groups_value(const struct inventory *inv, struct arena *a);

enum inventory_format {
    INVENTORY_YAML,
    INVENTORY_INI,
    INVENTORY_JSON /* ansible-inventory --list with _meta */,
    INVENTORY_SSH_CONFIG,
    INVENTORY_HOSTS
};
int inventory_format_from_name(const char *name, enum inventory_format *format); /* -1: unknown */
extern const char *const inventory_format_names[]; /* NULL-terminated */
/* hidden: variable names left out (secrets), NULL-terminated; may be NULL. */
int inventory_write(const struct inventory *inv, enum inventory_format format,
                    const char *const *hidden, struct str *out, struct err *err) MUST_USE;
int inventory_write_host(const struct inventory *inv, const char *name, const char *const *hidden,
                         struct str *out, struct err *err) MUST_USE; /* --host NAME */

#endif
