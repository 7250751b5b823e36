/*
 * journals.h - what the hosts' journals say of a scenario that failed: by the time somebody reads
 * the report, the cluster may be gone.
 */
#ifndef PGHA_DRILL_JOURNALS_H
#define PGHA_DRILL_JOURNALS_H

#include "lib/drill/stage.h"

/* FOLDER/HOST.log for every host that answers, its journal since then; the last 4 MiB of it. How
 * many were written; the first error lands in err, and the other hosts are asked all the same. */
int journals_keep(struct drill_stage *s, const char *folder, int64_t since_ms, struct err *err);

#endif
