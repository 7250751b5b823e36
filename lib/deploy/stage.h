/*
 * stage.h - what the stages share: marks for the watcher at their beginning and end, and how a
 * playbook is read. Inside lib/deploy only.
 */
#ifndef PGHA_STAGE_H
#define PGHA_STAGE_H

#include "lib/deploy/deploy.h"

void stage_begin(struct deploy *d, const char *stage, const char *text);
void stage_end(struct deploy *d, const char *stage, int64_t start_mono_ms);
#define PLACES_FILE    "hosts.json"    /* cluster_place */
#define INVENTORY_FILE "inventory.yml" /* of the last run that went well, or began a cluster */
#define CLUSTER_FILE   "cluster.yaml"  /* as it was when it was verified: deploy_runs */
/* What the provider told of what it made: cluster_take_outputs. */
#define OUTPUTS_FILE "outputs.json"
/* locate.c: hosts that a cloud made: waits until they can be logged in to, and finds out their
 * interfaces, once. began: some were made or started just now. */
int deploy_locate_made(struct deploy *d, bool began, struct err *err) MUST_USE;
/* turns.c: what provision() left, when the cluster is well. Nothing left: nothing is done. */
int turns_take(struct deploy *d, struct deploy_result *r, struct err *err) MUST_USE;
/* turns.c: successor leads instead of leader; then all members are well again. why, of the leader:
 * "whose host leaves" */
int turns_hand_over(struct deploy *d, const struct patroni_member *leader,
                    const struct patroni_member *successor, const char *why, int timeout_ms,
                    struct deploy_result *r, struct err *err) MUST_USE;
/* leave.c, for provision(): finds deploy.leaving, has the plan make deploy.replace anew, and
 * refuses when the rest is not well enough; then what comes before they go. applied: the cluster as
 * it was. Nobody leaves: nothing is done. */
int leave_plan(struct deploy *d, const struct cluster *applied, struct plan *p,
               struct err *err) MUST_USE;
int leave_make_way(struct deploy *d, struct deploy_result *r, struct err *err) MUST_USE;
bool leave_some_stay(const struct plan *p); /* hosts that are there and wanted */
bool leave_is_for_good(const struct deploy *d, const char *host);
void leave_forget(struct deploy *d);
/* depart.c: finds deploy.departing, and what every host of the last run was in applied, which is
 * all zero before; then takes the cluster off them, once they have made way. */
int depart_find(struct deploy *d, struct cluster *applied, struct err *err) MUST_USE;
int depart_take_off(struct deploy *d, struct deploy_result *r, struct err *err) MUST_USE;
/* remove.c: off all hosts of inv, or off those that the pattern limit names while the others go on.
 */
int take_off(struct deploy *d, const struct inventory *inv, const char *limit, bool delete_data,
             struct deploy_result *r, struct err *err) MUST_USE;
/* provision.c: whether the cluster has been up, and not taken down since. */
bool deploy_runs(const struct deploy *d);
/* converge.c: a playbook of assets; NULL: err has its faults. */
struct playbook *deploy_load_playbook(const struct deploy *d, const char *path, struct err *err);

#endif
