/*
 * stage.h - what the stages share: marks for the watcher at their beginning and end, and how a
 * playbook is read. Inside lib/deploy only.
 */
#ifndef PGHA_STAGE_H
#define PGHA_STAGE_H

#include "lib/deploy/deploy.h"

void stage_begin(struct deploy *d, const char *stage, const char *text);
void stage_end(struct deploy *d, const char *stage, int64_t start_mono_ms);
#define PLACES_FILE "hosts.json" /* cluster_place */
/* What the provider told of what it made: cluster_take_outputs. */
#define OUTPUTS_FILE "outputs.json"
/* locate.c: hosts that a cloud made: waits until they can be logged in to, and finds out their
 * interfaces, once. began: some were made or started just now. */
int deploy_locate_made(struct deploy *d, bool began, struct err *err) MUST_USE;
/* turns.c: what provision() left, when the cluster is well. Nothing left: nothing is done. */
int turns_take(struct deploy *d, struct deploy_result *r, struct err *err) MUST_USE;
/* turns.c: another one leads, if the host does and somebody can; then all members are well again.
 * why: "while the primary's host is off" */
int turns_give_way(struct deploy *d, const struct cluster_host *host, const char *why,
                   int timeout_ms, struct deploy_result *r, struct err *err) MUST_USE;
/* replace.c, for provision(): the plan destroys and makes deploy.replace, if the rest of the
 * cluster is well enough; and what comes before. deploy.replace NULL: nothing is done. */
int replace_plan(struct deploy *d, struct plan *p, struct err *err) MUST_USE;
int replace_make_way(struct deploy *d, struct deploy_result *r, struct err *err) MUST_USE;
/* provision.c: whether the cluster has been up, and not taken down since. */
bool deploy_runs(const struct deploy *d);
/* converge.c: a playbook of assets; NULL: err has its faults. */
struct playbook *deploy_load_playbook(const struct deploy *d, const char *path, struct err *err);

#endif
