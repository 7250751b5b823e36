/*
 * guard.h - a process of its own that switches hosts off and on, and cuts and heals their network,
 * by the provider; when this program is gone, however it ended, or FAULT_MAX_S (stage.h) have
 * passed, it puts everything back.
 *
 * Start it while nothing else runs in this process. It has a session of its own, so that what the
 * terminal kills does not reach it.
 */
#ifndef PGHA_GUARD_H
#define PGHA_GUARD_H

#include "providers/provider.h"

struct drill_guard;

enum guard_action { GUARD_POWER_OFF, GUARD_POWER_ON, GUARD_CUT, GUARD_MEND };

/* The session must be able to work in a forked process; the provider, to do these at all. */
struct drill_guard *guard_start(const struct provider *provider, struct provider_session *session,
                                struct err *err);
/* Returns when it is done. ERR_IO: the guard is gone. */
int guard_do(struct drill_guard *g, enum guard_action action, const char *host,
             struct err *err) MUST_USE;
void guard_end(struct drill_guard *g); /* what is still off is put back first; NULL: nothing */

#endif
