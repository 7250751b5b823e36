/*
 * filechange.h - what all modules that touch files share: attributes, missing folders, and writing
 * a file whole.
 *
 * A file is written under a temporary name in its own folder (mktemp: mode 0600, never followed),
 * gets owner and mode, is checked by `validate`, synced and renamed: a reader sees the old or the
 * new file. Without mode and owner an existing file keeps its own, as Ansible's atomic_move does.
 * The functions append to plan->script a list of commands joined by &&, whose status is that of the
 * first that fails.
 */
#ifndef PGHA_FILECHANGE_H
#define PGHA_FILECHANGE_H

#include "lib/play/module.h"
#include "lib/play/planout.h"

enum { SIZE_UNKNOWN = -1 }; /* of a folder that is made: the file system says */

typedef void need_add(void *ctx, const struct need *need);

struct file_attributes {
    const char *mode; /* as ARG_MODE types it; NULL: leave */
    const char *owner, *group;
};

#define FILE_SELINUX_ARG(name)                                                                     \
    {                                                                                              \
        name, ARG_REFUSED, false, NULL, NULL, NULL,                                                \
            "Debian runs without SELinux; where it is on, use command: chcon"                      \
    }
#define FILE_ATTRIBUTE_ARGS                                                                        \
    {"mode", ARG_MODE, false, NULL, NULL, NULL, "Permissions, octal or symbolic"},                 \
        {"owner", ARG_STR, false, NULL, NULL, NULL, "User that owns it, name or number"},          \
        {"group", ARG_STR, false, NULL, NULL, NULL, "Group that owns it, name or number"},         \
        {"unsafe_writes",                                                                          \
         ARG_BOOL,                                                                                 \
         false,                                                                                    \
         "no",                                                                                     \
         NULL,                                                                                     \
         NULL,                                                                                     \
         "Accepted: files are always replaced whole"},                                             \
        {"attributes", ARG_REFUSED, false, NULL, NULL, "attr", "use command: chattr"},             \
        FILE_SELINUX_ARG("selevel"), FILE_SELINUX_ARG("serole"), FILE_SELINUX_ARG("setype"),       \
        FILE_SELINUX_ARG("seuser")

struct file_attributes file_attributes_of(const struct module_call *call);

/* The mode that `mode` (octal or symbolic) makes of `current`. */
unsigned file_mode_apply(const char *mode, unsigned current, bool is_dir);

/* Brings attributes of something that exists to `want`: adds to script, msg and the world. True
 * when something differed. */
bool file_attributes_plan(struct module_call *call, struct world *world, const char *path,
                          const struct file_attributes *want, struct module_plan *out);

/* Every folder above path (and path itself), for file_dirs_plan. */
void file_dirs_needs(struct module_call *call, const char *path, need_add *add, void *ctx);
/* Makes path and the folders above it that are missing, each with `want` when not NULL. True when
 * one was. */
bool file_dirs_plan(struct module_call *call, struct world *world, const char *path,
                    const struct file_attributes *want, struct module_plan *out);

struct file_content {
    const char *path;
    const char *from; /* file of the host that is copied, a need of the call; NULL: data */
    const char *data;
    size_t len;
    struct file_attributes attributes;
    bool backup;
    bool make_dirs; /* missing folders above it are made; without: an error */
    const struct file_attributes *folders; /* of those; may be NULL */
    const char *validate;                  /* command with %s for the temporary name; NULL: none */
};

/* path: its state and its folder's, content too when asked for. sha256 may be NULL. */
void file_content_needs(struct module_call *call, const char *path, const char *sha256,
                        bool want_content, bool make_dirs, need_add *add, void *ctx);
/* Desired content and attributes against the world: kind, script, diff, msg. -1 with err when it
 * cannot be: a folder in its place, no folder to put it in, bad validate. */
int file_content_plan(struct module_call *call, struct world *world,
                      const struct file_content *want, struct module_plan *out, struct err *err);

/* A file of ours that a module copies to a host: src in the folders of call->search. out gets its
 * content, *path its name. A folder is an error. */
int file_source(struct module_call *call, const char *src, struct str *out, const char **path,
                struct err *err);

/* copy and template: what is to be at `dest`, which may be a folder to put `name` into. */
/* Arguments: dest, force, backup, validate, follow, directory_mode. */
struct file_delivery {
    const char *from; /* file of the host, instead of data; NULL: none */
    const char *data; /* in the call's arena */
    size_t len;
    const char *name; /* base name of the source; NULL: content given in the playbook */
    const char *source;
};
void file_deliver_needs(struct module_call *call, const struct file_delivery *delivery,
                        need_add *add, void *ctx);
int file_deliver_plan(struct module_call *call, struct world *world,
                      const struct file_delivery *delivery, struct module_plan *out,
                      struct err *err);

/* Removes a file or link that is there. True when it was. */
bool file_remove_plan(struct module_call *call, struct world *world, const char *path,
                      struct module_plan *out);

/* A file as it was before a change that is taken back when a later step fails. */
struct file_kept {
    const char *word;
    bool exists;
    size_t id; /* set by the caller: 0, 1, ... of those that a fragment keeps */
};
/* Adds a step that copies the file beside itself; when the fragment ends, the copy goes. */
void file_keep(struct module_call *call, struct file_kept *kept, const char *path, bool exists,
               struct str *script);
/* A line, no step: the old file in its place again. */
void file_put_back(const struct file_kept *kept, struct str *script);

/* Adds steps for owner and mode of a new file, `word`, that is to replace an old one: what is
 * wanted, else what the old one had. */
void file_put_attributes(const struct file_attributes *want, const struct path_state *old,
                         bool existed, const char *word, struct str *script);
/* The world after them. */
void file_note_attributes(struct world *world, const char *path,
                          const struct file_attributes *want);
/* Adds steps that make an empty file (mode 0600) in path's folder, its name in the shell variable;
 * those that killed scripts left there are removed. */
void file_put_temporary(struct module_call *call, const char *path, const char *variable,
                        struct str *script);
/* Adds a step that keeps a copy as Ansible's `backup` does: PATH.PID.DATE@TIME~ */
void file_put_backup(const char *word, struct str *script);

/* Forgets what was below a folder that is gone: all of it is absent now. */
void file_note_removed(struct world *world, const char *path);
/* One quoted shell word that is no option, in the call's arena. */
const char *file_word(struct module_call *call, const char *path);

/* Ansible's return values of a file: path under `key`, mode, owner, group, uid, gid, size, state.
 */
void file_result(struct module_call *call, struct world *world, const char *key, const char *path,
                 struct module_plan *out);

/* The folder of a path, in the call's arena. */
const char *file_dir(struct module_call *call, const char *path);
/* Where a link at path leads to, for needs: path itself when it is none. Each link on the way that
 * is not known yet is asked for; then there is another look. */
const char *file_follow(struct module_call *call, const char *path, need_add *add, void *ctx);
/* Something, or a link to something. */
bool file_is_there(const struct path_state *path);
/* A folder, or a link to one. */
bool file_is_folder(const struct path_state *path);
/* "/a//b/" is "/a/b", the name under which the world knows it. */
const char *file_clean_path(struct module_call *call, const char *path);

#endif
