/*
 * import.h - a cluster proposed from what is there already: hosts out of somebody else's files, a
 * guess what each is for, a cluster file and an inventory that say so.
 *
 *     struct import im;
 *     import_init(&im);
 *     import_read(&im, "terraform.tfstate", NULL, &faults);   one source: import_NAME.c
 *     import_propose(&im, NULL, &err);                        propose.c: pure
 *     import_write_cluster(&im, &text);  import_write_inventory(&im, &text, &err);
 *
 * Every guess is a note, and every note a comment in the cluster file. Nothing of a source is kept
 * but what is named here: a Terraform state holds passwords.
 */
#ifndef PGHA_INVENTORY_IMPORT_H
#define PGHA_INVENTORY_IMPORT_H

#include "inventory/inventory.h"
#include "lib/base/vec.h"

#define IMPORT_MAX_BYTES ((size_t)64 << 20) /* of one source: a state can be long */
#define IMPORT_MAX_HOSTS 1000
#define IMPORT_MAX_NAME  64 /* of a host, as lib/cluster has it for members */

enum import_role { IMPORT_DB, IMPORT_LB, IMPORT_ETCD, IMPORT_ROLES };
extern const char *const import_role_names[IMPORT_ROLES]; /* db, lb, etcd: the groups */

struct import_host {
    const char *name;              /* NULL: it gets one from its role */
    const char *login;             /* address to log in to; NULL: the name */
    const char *inside;            /* its address for the others, where that is another one */
    const char *user, *key, *jump; /* NULL: not known; jump: as ssh's ProxyJump has it */
    int64_t port;                  /* 0: not known */
    VEC(const char *) words;       /* groups, tags, ...: what may tell its role */
    bool aside;                    /* a bastion or the like: it gets no role by number */
    bool role[IMPORT_ROLES];
};

struct import {
    struct inventory inv;          /* after import_propose: what is written */
    VEC(struct import_host) hosts; /* strings are in inv.arena */
    VEC(const char *) notes;       /* what was guessed */
    const char *source;            /* as given */
    const char *format;            /* ansible, terraform, ssh-config, list */
    const char *command;           /* that proposes it: "import" */
    const char *called;            /* what the cluster is called there; NULL: not known */
    bool roles_known;              /* they are set: there is nothing to guess */
    const struct value *settings;  /* more of the cluster file; NULL: none */
    const char *cluster;           /* its name */
    const char *vip;               /* what may be the balancers' address; NULL: nothing looks so */
};

void import_init(struct import *im);
void import_release(struct import *im);

/* -1, ERR_USAGE: no source is of this kind. */
int import_check_format(const char *name, struct err *err) MUST_USE;
/* format NULL: by content, else a known one. A folder is an Ansible inventory. */
int import_read(struct import *im, const char *path, const char *format,
                struct faults *faults) MUST_USE;
int import_read_text(struct import *im, const char *file, const char *text, size_t len,
                     const char *format, struct faults *faults) MUST_USE;

/* Roles, names, notes; and im->inv as it is written. name: of the cluster; NULL: made from the
 * source's. ERR_INPUT: no hosts; ERR_USAGE: no such name for a cluster. */
int import_propose(struct import *im, const char *name, struct err *err) MUST_USE;

size_t import_count(const struct import *im, enum import_role role); /* its hosts */

#define IMPORT_INVENTORY_FILE "inventory.yml" /* what the cluster file calls the inventory */
void import_write_cluster(const struct import *im, struct str *out);
int import_write_inventory(const struct import *im, struct str *out, struct err *err) MUST_USE;
/* The proposal for programs: cluster, source, format, hosts, groups, notes. In a. */
struct value *import_value(const struct import *im, struct arena *a);

/* ---- for the sources ---- */

struct import_format {
    const char *name;
    /* Whether a text, in which there is no format's name, looks like one of this kind. */
    bool (*looks)(const char *text, size_t len);
    void (*read)(struct import *im, const char *file, const char *text, size_t len,
                 struct faults *faults);
};
extern const struct import_format import_ansible, import_terraform, import_ssh_config, import_list;
extern const struct import_format *const import_formats[]; /* in the order of asking; ends with NULL
                                                            */

struct import_host *import_add_host(struct import *im, const char *name); /* copies; may be NULL */
void import_add_word(struct import *im, struct import_host *host, const char *word);
void import_note(struct import *im, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The hosts of a loaded inventory become candidates. */
void import_take_inventory(struct import *im);
/* The first line that holds anything, without blanks in front: its length; *line NULL: none. */
size_t import_first_line(const char *text, size_t len, const char **line);

#endif
