/*
 * assets.h - playbooks and templates: embedded in the binary, or from a folder that overrides them.
 *
 * Paths are as in the source tree, "playbooks/patroni.yml", "templates/haproxy.cfg.j2". With dir
 * set
 * (--playbooks DIR) a path is looked up there instead: "playbooks/x" is DIR/x, and "templates/x" is
 * DIR/../templates/x, as Ansible sees them. With dir NULL and a path that begins with "/" or "./"
 * the file system is read: so `play FILE` uses the same calls.
 */
#ifndef PGHA_ASSETS_H
#define PGHA_ASSETS_H

#include "lib/base/err.h"
#include "lib/base/str.h"

struct assets {
    const char *dir; /* NULL: embedded */
};

struct embedded_file {
    const char *path;
    const char *data;
    size_t len;
};

/* Made by the Makefile from playbooks/ and templates/; sorted by path. */
extern const struct embedded_file embedded_files[];
extern const size_t embedded_files_count;

bool assets_exists(const struct assets *a, const char *path); /* path is normalised first */
bool assets_is_dir(const struct assets *a, const char *path);
int assets_read(const struct assets *a, const char *path, struct str *out,
                struct err *err) MUST_USE;
/* Calls found for each file right in the folder, in byte order; a folder that is not there has
 * none.
 */
void assets_each(const struct assets *a, const char *folder,
                 void (*found)(void *ctx, const char *name), void *ctx);

#endif
