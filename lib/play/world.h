/*
 * world.h - what is known about one host: the answer of its last probes, kept up to date by the
 * changes planned since.
 *
 * A module tells what it needs to know (needs), the probe asks for all of it in one script
 * (probe.h), and the module's plan function reads it here. Something never asked for is a BUG in
 * the module. After an opaque change (a command, a package installation) everything is forgotten
 * and what the remaining tasks need is probed again.
 */
#ifndef PGHA_WORLD_H
#define PGHA_WORLD_H

#include "lib/base/map.h"
#include "lib/doc/value.h"

enum need_kind {
    NEED_PATH,    /* type, mode, owner, size, sha256, link target; content when expect_sha256 is set
                     and differs or want_content */
    NEED_PACKAGE, /* dpkg status and version */
    NEED_UNIT,    /* systemd: load state, active state, enabled state, needs daemon-reload */
    NEED_USER,
    NEED_GROUP,
    NEED_SYSCTL, /* current value in the kernel */
    NEED_HOSTNAME,
    NEED_FACTS, /* ansible_facts */
    NEED_GLOB,  /* a shell pattern of plain letters, "/", "." and "*": all that it matches is known
                   as paths, with content */
    NEED_MOUNT, /* what is mounted at a path */
    NEED_CRONTAB, /* a user's; of the one who runs the tasks when the name is "" */
    NEED_KINDS
};

struct need {
    const char *name;          /* path, package, unit, ...; "" where there is only one */
    const char *expect_sha256; /* NEED_PATH: the content we want; equal: it is not sent */
    enum need_kind kind;
    bool want_content; /* NEED_PATH: always send it (lineinfile) */
};

enum {
    WORLD_MAX_CONTENT = 256 * 1024, /* bytes of a file, fetched for a diff or lineinfile */
    WORLD_FRESH_MS = 10 * 1000 /* for so long it is believed while others have their turn: a unit
                                  may end, a timer elapse */
};

struct path_state {
    char type;   /* 0: absent; else 'f', 'd', 'l', or '?' */
    char target; /* of a link: the type of what it leads to; 0: nothing is there */
    unsigned mode;
    const char *owner, *group;
    int64_t uid, gid, size;
    double mtime;
    const char *sha256;  /* of a regular file (through a link: of its target) */
    const char *link;    /* a link's target */
    const char *content; /* NULL: not fetched */
    size_t content_len;
    bool content_asked; /* the probe was asked for it: what is NULL now (too large, vanished) stays
                           so */
};

struct package_state {
    bool installed;
    const char *version; /* installed one */
    bool held;
};

struct unit_state {
    const char *load;    /* loaded, not-found, masked */
    const char *active;  /* active, inactive, failed, activating, ... */
    const char *enabled; /* enabled, disabled, static, masked, ... */
    bool needs_reload;
};

/* Days, of shadow(5); -1: none. */
struct user_ages {
    int64_t min, max, warn; /* between two changes of the password */
    int64_t inactive;       /* from the password's end to the account's */
    int64_t expires;        /* the account does, since 1970 */
};

struct user_state {
    bool exists;
    int64_t uid, gid;
    const char *group, *groups /* comma separated, sorted, supplementary */, *comment, *home,
        *shell;
    bool has_home; /* the folder is there */
    bool locked;
    const char *password_sha256; /* of the hash in shadow, without the "!"s before it; the hash
                                    itself is not fetched */
    struct user_ages ages;
};

struct group_state {
    bool exists;
    int64_t gid;
};

struct mount_state {
    bool mounted;
    bool own_device; /* another device than that of the folder above: no bind mount of it */
    const char
        *source; /* as Ansible's mount module has it: the device; of a bind mount the folder */
};

struct world {
    struct arena arena;
    /* name -> the struct of its kind; a string for sysctl, hostname, glob and crontab, a struct
     * value for facts */
    struct map entries[NEED_KINDS];
    struct map pending_handlers; /* names of handlers that an earlier, interrupted run notified */
    int64_t since_ms; /* clock_mono_ms() when the oldest of it came, but for the facts; 0: nothing
                         has */
};

void world_init(struct world *w);
void world_release(struct world *w);
void world_forget(struct world *w); /* everything but the facts and pending handlers */
void world_forget_units(struct world *w);

bool world_knows(const struct world *w, const struct need *need);
/* Where the entries of a need are filed: a unit's full name, else the name. Valid until the world
 * is released. */
const char *world_key(struct world *w, enum need_kind kind, const char *name);
void world_set(struct world *w, enum need_kind kind, const char *name, void *state);
/* BUG when not known. The returned state may be changed by plan functions: that is the prediction.
 */
struct path_state *world_path(struct world *w, const char *path);
struct package_state *world_package(struct world *w, const char *name);
struct unit_state *world_unit(struct world *w, const char *name); /* "x" is "x.service" */
struct user_state *world_user(struct world *w, const char *name);
struct group_state *world_group(struct world *w, const char *name);
const char *world_sysctl(struct world *w, const char *name);
/* The name when the kernel's and /etc/hostname agree; else "STATIC (running: KERNEL)". */
const char *world_hostname(struct world *w);
const struct value *world_facts(struct world *w); /* NULL: not known yet */
struct mount_state *world_mount(struct world *w, const char *path);
/* "" when there is none. May be longer than WORLD_MAX_CONTENT by one: it was cut off. */
const char *world_crontab(struct world *w, const char *user);

#endif
