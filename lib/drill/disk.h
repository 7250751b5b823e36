/*
 * disk.h - the file system that a member's data, or its log, is on: whether it may be filled, and
 * filling it.
 */
#ifndef PGHA_DISK_H
#define PGHA_DISK_H

#include "lib/drill/stage.h"

#define DISK_FREE_MAX (INT64_C(64) << 30) /* more than that is not filled */

/* Why the file system of this folder of the host may not be filled: other things than PostgreSQL
 * are on it, say. NULL: it may be. In the stage's arena. */
int disk_unfit(struct drill_stage *s, struct drill_host *h, const char *folder, const char **why,
               struct err *err) MUST_USE;
/* The same from what the host has answered. Pure. */
const char *disk_judge(const char *facts, const char *folder, struct arena *a);

/*
 * A fault: takes all that is free there for users other than root, and what becomes free. The space
 * belongs to a file without a name, so that it is given back whatever ends the process that has it
 * open: the healing, its own limit of FAULT_MAX_S, a reboot.
 */
int disk_fill(struct drill_stage *s, struct drill_host *h, const char *folder,
              struct err *err) MUST_USE;

#endif
