/*
 * drill.h - one scenario on a running cluster, from start to judgement: clients begin, the fault
 * comes, service comes back, the fault is healed, the cluster is whole again, the ledger is held
 * against every member.
 *
 *     drill_open(&d, &settings, &err);
 *     drill_run(&d, scenario, 1, &report, &err);       as often as wanted
 *     drill_close(&d);                                 heals what is left
 */
#ifndef PGHA_DRILL_H
#define PGHA_DRILL_H

#include "lib/drill/report.h"
#include "lib/drill/scenario.h"
#include "lib/drill/stage.h"

struct drill_settings {
    const struct check_target *target;
    const struct provider *provider;
    struct provider_session *session;
    struct event_sink *events;
    const char *journals; /* folder for those of scenarios that fail; NULL: they are not kept */
    size_t writers;
    int64_t max_rpo;             /* acknowledged writes that may be lost; < 0: any number */
    const struct value *max_rto; /* scenario -> seconds; NULL: none */
};

struct drill {
    struct drill_settings settings;
    struct drill_guard *guard;
};

/* Call it before other threads are started. ERR_INPUT: max_rto
 * names no scenario. */
int drill_open(struct drill *d, const struct drill_settings *settings, struct err *err) MUST_USE;
void drill_close(struct drill *d);

/*
 * Adds a result to the report, which may say that the scenario failed, or cannot be run here. -1:
 * the drill cannot go on, for the cluster was not healthy before, or is not afterwards, or the user
 * stopped it; what was begun is healed and in the report.
 */
int drill_run(struct drill *d, const struct scenario *scenario, int repetition,
              struct drill_report *report, struct err *err) MUST_USE;

/* judge.c: what is wrong with a measured result, by its bounds and limits; sets its outcome. Pure.
 */
void drill_judge(struct drill_result *r, int64_t max_rpo, struct arena *a);

#endif
