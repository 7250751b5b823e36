/*
 * file.h - files of this machine: bounded reads, atomic writes, trees, locks.
 */
#ifndef PGHA_FILE_H
#define PGHA_FILE_H

#include <sys/types.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/* Appends to out, at most out->max bytes; a longer file is ERR_INPUT. */
int file_read(const char *path, struct str *out, struct err *err) MUST_USE;
/* Temporary name beside it (".NAME.pgha-XXXXXX"), fsync, rename. A reader sees the old or the new
 * file, never a part. */
int file_write(const char *path, const void *data, size_t len, mode_t mode,
               struct err *err) MUST_USE;
/* Likewise, but a file that is there stays as it is, which is no error. */
int file_write_new(const char *path, const void *data, size_t len, mode_t mode,
                   struct err *err) MUST_USE;
/* Removes the temporary files of writers that were killed. Those of living ones stay, so it may be
 * called at any time; what cannot be removed stays as well. */
void file_sweep(const char *dir);
int file_mkdirs(const char *path, mode_t mode,
                struct err *err) MUST_USE; /* like mkdir -p; mode for those made */
/* rm -rf that neither follows links nor crosses mounts; no error when absent. */
int file_remove_tree(const char *path, struct err *err) MUST_USE;
bool file_exists(const char *path);
bool file_is_dir(const char *path);
char *path_join(const char *dir, const char *name); /* caller frees */
char *path_dir(const char *path);                   /* caller frees; "." for a bare name */
const char *path_base(const char *path);            /* into path */
char *path_normal(const char *path);                /* a/./b/../c -> a/c, textually; caller frees */

/* Lock file with flock(2): it goes with the process, however that ends. The holder's pid and
 * command are written into it. wait_ms 0 does not wait; ERR_LOCKED names the holder. */
int lock_take(const char *path, int wait_ms, int *fd, struct err *err) MUST_USE;
void lock_release(int fd);

#endif
