/*
 * profile.h - where a run's time went, from its events: of a run that goes on, or from its log.
 *
 * Stages; the slowest tasks, each on its host; hosts, with what they spent on logging in, on
 * scripts under way, and on waiting (for other hosts, for their turn, between attempts). Pure: the
 * time of an event comes in with it.
 */
#ifndef PGHA_PROFILE_H
#define PGHA_PROFILE_H

#include "lib/base/event.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "lib/doc/value.h"

#define PROFILE_SLOWEST 10 /* tasks that are told */

struct profile_stage {
    const char *name;
    int64_t began_ms, elapsed_ms;
    bool ended;
};

struct profile_task {
    const char *host, *name, *where; /* where: NULL when it is not known */
    int64_t elapsed_ms;              /* all items of a loop, all runs of a handler */
};

struct profile_host {
    const char *name, *task; /* task: what it does now, since began_ms; NULL */
    int64_t began_ms;
    int64_t elapsed_ms, connect_ms, trips_ms;
    int trips;
    bool failed;
};

struct profile {
    struct arena arena;
    const char *command; /* NULL until it is known */
    int64_t first_ms, last_ms, elapsed_ms;
    VEC(struct profile_stage) stages;
    VEC(struct profile_task *) tasks;
    VEC(struct profile_host *) hosts;
    struct map tasks_by_key, hosts_by_name;
};

void profile_init(struct profile *p);
void profile_release(struct profile *p);
/* now_ms: of any clock that does not jump; of the same one for all events. */
void profile_add(struct profile *p, const struct event *e, int64_t now_ms);
/* The report, for people and as JSON: {command, elapsed_ms, stages, tasks, hosts}. Redacted. */
void profile_format(const struct profile *p, struct str *out);
struct value *profile_to_value(const struct profile *p, struct arena *a);

#endif
