/*
 * mounts.h - the kernel's list of mounts, /proc/self/mountinfo (proc_pid_mountinfo(5)).
 */
#ifndef PGHA_MOUNTS_H
#define PGHA_MOUNTS_H

#include "lib/play/world.h"

/* Fills the states of `mounts` (mount point -> struct mount_state) that the text names; where
 * several are stacked, from the topmost. Lines that are none are passed over. */
void mounts_read(struct arena *a, const char *text, size_t len, struct map *mounts);

#endif
