/*
 * stage.h - marks for the watcher at the beginning and end of a stage; inside lib/deploy only.
 */
#ifndef PGHA_STAGE_H
#define PGHA_STAGE_H

#include "lib/deploy/deploy.h"

void stage_begin(struct deploy *d, const char *stage, const char *text);
void stage_end(struct deploy *d, const char *stage, int64_t start_mono_ms);

#endif
