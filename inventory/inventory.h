/*
 * inventory.h - hosts, groups and their variables, as Ansible has them.
 *
 * Groups `all` and `ungrouped` always exist. A group that is nobody's child is a child of all; a
 * host in no group but all is in ungrouped. One arena holds names and values.
 *
 * Variables merge as in Ansible, later over earlier, key by key (a map replaces a map): the
 * inventory's own for all, then for each other group by depth, ansible_group_priority and name;
 * then group_vars/, that beside the inventory before that beside the playbook, all before the
 * others and these in the same order; then the host's own; then host_vars/, likewise. This is the
 * documented order of "Understanding variable precedence" with Ansible's default hash_behaviour,
 * replace.
 */
#ifndef PGHA_INVENTORY_H
#define PGHA_INVENTORY_H

#include "lib/base/map.h"
#include "lib/doc/fault.h"

#define INVENTORY_MAX_BYTES      ((size_t)4 << 20) /* of one file */
#define INVENTORY_MAX_NAME       255               /* of a host or group */
#define INVENTORY_MAX_HOSTS      50000             /* host names read, ranges expanded */
#define INVENTORY_MAX_GROUPS     10000
#define INVENTORY_MAX_DEPTH      64 /* groups below groups */
#define INVENTORY_FIRST_PRIORITY 1  /* ansible_group_priority when not given */

struct inventory_host {
    const char *name;
    struct value *vars;      /* map: its own only */
    struct value *file_vars; /* map: from host_vars/, beside the inventory or the playbook */
    struct map groups; /* name -> struct inventory_group *, those that have it as a direct member */
};

struct inventory_group {
    const char *name;
    struct value *vars;      /* map */
    struct value *file_vars; /* map: from group_vars/ */
    struct value *near_vars; /* map: from group_vars/ beside the playbook */
    struct map hosts;        /* name -> struct inventory_host *, direct members in order */
    struct map children;     /* name -> struct inventory_group *, as added */
    struct map parents;      /* name -> struct inventory_group *, as added */
    int64_t priority;        /* ansible_group_priority */
    unsigned depth;          /* longest way down from all */
};

struct inventory {
    struct arena arena;
    struct map hosts;  /* name -> struct inventory_host *, in order of appearance */
    struct map groups; /* name -> struct inventory_group * */
    size_t names_read; /* counted against INVENTORY_MAX_HOSTS */
    /* Set it before loading to keep !vault and !unsafe values, as ansible-inventory prints them,
     * for showing and converting. Otherwise they are faults (an unsafe text without a template in
     * it is a text like any other). */
    bool keep_tagged;
    bool has_tagged; /* some were read */
};

void inventory_init(struct inventory *inv);
void inventory_release(struct inventory *inv);

/* Found, or made. A new group is a child of all unless added as somebody's child. */
struct inventory_group *inventory_group(struct inventory *inv, const char *name);
struct inventory_host *inventory_host(struct inventory *inv, const char *name);
void inventory_add_host(struct inventory *inv, struct inventory_group *group,
                        struct inventory_host *host);
/* Refuses a circle, `all` as a child, and more than INVENTORY_MAX_DEPTH levels (then the
 * inventory is fit for release only). */
int inventory_add_child(struct inventory *inv, struct inventory_group *parent,
                        struct inventory_group *child, struct err *err) MUST_USE;

/* A file (YAML, INI or JSON: by its extension, else by content), a folder of them, a program that
 * prints JSON for --list (read_script.c: which are run), or names with a comma; group_vars/ and
 * host_vars/ in its folder are read too. A failed load leaves a partial inventory, fit for release
 * only. */
int inventory_load(struct inventory *inv, const char *path, struct faults *faults) MUST_USE;
/* Several, later ones over earlier ones; the folders' variables are read when all hosts are known.
 */
int inventory_load_all(struct inventory *inv, const char *const *paths, size_t n,
                       struct faults *faults) MUST_USE;
/* group_vars/ and host_vars/ of one more folder, the playbook's; ansible-inventory takes those of
 * the current folder. Once, behind inventory_load. */
int inventory_load_near(struct inventory *inv, const char *folder, struct faults *faults) MUST_USE;
/* One file that is in memory already; file is its name, for the format and for messages. */
int inventory_load_text(struct inventory *inv, const char *file, const char *text, size_t len,
                        struct faults *faults) MUST_USE;

/* Hosts of a group and all below it, in order; each once. Caller frees the array. */
struct inventory_host **inventory_members(const struct inventory *inv,
                                          const struct inventory_group *group, size_t *n);
/* Host pattern: names, groups, all, *, a:b, a,b, a:!b, a:&b, wildcards, [0], [-1], [1:2], [1:]. A
 * name that is no host and no group is ERR_INPUT (Ansible warns); so is ~regex. NULL on error; an
 * empty match is not NULL. Caller frees. */
struct inventory_host **inventory_match(const struct inventory *inv, const char *pattern, size_t *n,
                                        struct err *err);
/* Merged variables of a host, with inventory_hostname, inventory_hostname_short and group_names.
 * The map is in a; the values in it are the inventory's, which must live as long. */
struct value *inventory_vars(const struct inventory *inv, const struct inventory_host *host,
                             struct arena *a);
/* map group -> list of names, for `groups`. In a. */
struct value *inventory_groups_value(const struct inventory *inv, struct arena *a);

/* The one list of output formats: enum, name, function. A format is one write_NAME.c and a line
 * here. */
#define INVENTORY_FORMATS(X)                                                                       \
    X(INVENTORY_YAML, "yaml", inventory_write_yaml)                                                \
    X(INVENTORY_INI, "ini", inventory_write_ini)                                                   \
    X(INVENTORY_JSON, "json", inventory_write_json) /* ansible-inventory --list, with _meta */     \
    X(INVENTORY_SSH_CONFIG, "ssh-config", inventory_write_ssh_config)                              \
    X(INVENTORY_HOSTS, "hosts", inventory_write_hosts) /* lines for /etc/hosts */

enum inventory_format {
#define X(format, name, write) format,
    INVENTORY_FORMATS(X)
#undef X
};

int inventory_format_from_name(const char *name, enum inventory_format *format); /* -1: unknown */
extern const char *const inventory_format_names[]; /* NULL-terminated */

/* hidden: variable names left out (secrets), NULL-terminated; may be NULL. Out is appended to. */
int inventory_write(const struct inventory *inv, enum inventory_format format,
                    const char *const *hidden, struct str *out, struct err *err) MUST_USE;
/* What `ansible-inventory --host NAME` prints. */
int inventory_write_host(const struct inventory *inv, const char *name, const char *const *hidden,
                         struct str *out, struct err *err) MUST_USE;

#endif
