/*
 * deploy.h - the whole way: provision, converge, wait until ready, SQL objects, verify, save; back
 * down; and plan.
 *
 * One file a stage. Each can be repeated: a run that was killed anywhere is completed by the next.
 */
#ifndef PGHA_DEPLOY_H
#define PGHA_DEPLOY_H

#include "lib/base/event.h"
#include "lib/check/check.h"
#include "lib/check/doctor.h"
#include "lib/play/play.h"
#include "providers/provider.h"

struct deploy {
    /* Set by the caller. */
    struct cluster *cluster; /* deploy_open fills in where existing hosts are */
    const struct provider *provider;
    struct assets assets;
    struct event_sink *events;
    const char *command; /* what the run is called in its log */
    bool failed;         /* the work, for the log's end; before deploy_close */
    /* Asked once before anything is changed, with a sentence on what will be; NULL: yes. */
    bool (*confirm)(void *ctx, const char *what);
    void *confirm_ctx;
    struct vault_source vault; /* where the key of the cluster's secrets comes from */
    bool accept_new_keys;      /* of existing hosts that are seen for the first time */
    bool adopt;                /* take over the Patroni cluster that runs on existing hosts */
    const char *wipe;          /* existing host to be emptied first; NULL: none */
    const char *plan;          /* file with the plan that `up` is to hold to; NULL: none */
    const char *replace;       /* a provider's host to be made anew; NULL: none */
    const char *limit;         /* host pattern: only these are converged; NULL: all */

    /* Made by deploy_open. */
    char *state_dir, *ca_file, *identity, *known_hosts; /* paths */
    int lock;                                           /* -1: not held */
    bool gone;                                          /* what is in leaving */
    struct secrets secrets;
    struct provider_session *session;
    struct inventory inventory;
    bool *left_out; /* of existing hosts, in the cluster's order: outside limit, or without an
                       answer though they are known; NULL: none */
    char *silent;   /* names of those without an answer; NULL: all answered */
    struct deploy_route *route;             /* route.h; NULL: the hosts are reached directly */
    struct adoption *adoption;              /* adopt.h; NULL: none */
    VEC(const struct cluster_host *) turns; /* that provision() left as they are: turns.c */
    const struct cluster_host *turn;        /* whose it is; NULL: none */
    VEC(char *) leaving; /* hosts with data that the cluster file has no more: leave.c. Owned */
    char *departing; /* existing hosts that the cluster is taken off, as a pattern: depart.c; NULL:
                        none */
    struct run_log *log; /* run_log.h: what is told to events is kept; NULL: no log */
};

enum deploy_access {
    DEPLOY_LOOK, /* no more than the cluster and its state folder: nobody is asked anything */
    DEPLOY_READ, /* changes nothing; secrets that are not there yet are made for this run only */
    DEPLOY_EXISTING, /* likewise, but without a state folder there is nothing to look at: an error
                      */
    DEPLOY_DRILL,    /* likewise, with the lock and the provider: hosts are broken and healed */
    DEPLOY_PLAN,     /* as DEPLOY_READ, but existing hosts are asked anew where they are */
    DEPLOY_WRITE,    /* takes the lock, makes folder, keys and secrets */
    DEPLOY_DESTROY   /* takes the lock; needs no secrets, so nothing of them is read */
};

/* deploy_close may follow whether it worked or not. */
int deploy_open(struct deploy *d, enum deploy_access access, struct err *err) MUST_USE;
void deploy_close(struct deploy *d);
struct check_target deploy_check_target(const struct deploy *d);
/* Path of the topology's site playbook as assets knows it. Caller frees. */
char *deploy_playbook(const struct deploy *d);
/* For play_options.target. ctx is the struct deploy. */
void deploy_ssh_target(void *ctx, const char *host, struct ssh_target *target);

/* One thing that is, or would be, changed. */
struct deploy_change {
    const char *where; /* "host.db1", "db1", "dcs", "sql" */
    const char *what;  /* "create", "template /etc/...", "postgresql.parameters.max_connections: 200
                          -> 300" */
    const char *diff;  /* or NULL */
    const char *consequence; /* "restart db2, db3, then db1", or NULL */
};

struct deploy_result {
    struct arena arena;
    VEC(struct deploy_change) changes;
    struct value *cost; /* of a plan, as provider.h has it; NULL: nobody knows */
    struct verify verify;
    bool verified;
    size_t kept; /* data volumes, by deploy_down */
    int64_t elapsed_ms;
};

void deploy_result_init(struct deploy_result *r);
void deploy_result_release(struct deploy_result *r);
void deploy_note(struct deploy_result *r, const char *where, const char *what, const char *diff,
                 const char *consequence); /* copies */
struct value *deploy_result_to_value(const struct deploy_result *r, struct arena *a);

int deploy_up(struct deploy *d, struct deploy_result *r, struct err *err) MUST_USE;
/* The first stage of up only: network, hosts, and the inventory in the state folder. */
int deploy_hosts(struct deploy *d, struct deploy_result *r, struct err *err) MUST_USE;
int deploy_plan_hosts(struct deploy *d, struct deploy_result *r, struct err *err) MUST_USE;
int deploy_plan(struct deploy *d, struct deploy_result *r, struct err *err) MUST_USE;
struct deploy_down_options {
    bool purge; /* also what clusters share */
    /* Of existing hosts, which keep it otherwise, as the state folder keeps its secrets then. */
    bool delete_data;
    bool keep_data; /* a provider's data volumes, and the state folder with them */
};
int deploy_down(struct deploy *d, const struct deploy_down_options *options,
                struct deploy_result *r, struct err *err) MUST_USE;

enum rotate_what { ROTATE_PASSWORDS = 1, ROTATE_PKI = 2 };
/* New secrets, then up, which brings them everywhere. A run that was killed is completed by the
 * next up or rotation. */
int deploy_rotate(struct deploy *d, unsigned what, struct deploy_result *r,
                  struct err *err) MUST_USE;

/* ---- stages ---- */

/* rotate.c: completes rotations that have begun, on a cluster that is ready; then it is converged
 * anew. Nothing to do: nothing is done. */
bool rotation_is_pending(const struct deploy *d);
int rotate_pending(struct deploy *d, struct deploy_result *r, struct err *err) MUST_USE;
int rotate_old_authority(struct deploy *d,
                         struct err *err) MUST_USE; /* begins it, when it is time */
/* Before the cluster is ready, as far as it answers: a killed run may have changed the very
 * password that this program logs in with. */
void rotate_if_possible(struct deploy *d, struct deploy_result *r);
/* deploy.c: seals the secrets, and makes the inventory anew from them. */
int deploy_save_secrets(struct deploy *d, struct err *err) MUST_USE;

/* locate.c: places existing hosts, from the state folder, or by asking them when they are not known
 * yet or access is DEPLOY_WRITE. Part of deploy_open. */
int deploy_locate(struct deploy *d, enum deploy_access access, struct err *err) MUST_USE;
/* doctor: surveys every host, places those that answer, and judges. -1: how to log in is not known,
 * or it was interrupted. Access DEPLOY_LOOK will do. */
int deploy_doctor(struct deploy *d, struct doctor *doctor, struct err *err) MUST_USE;
/* The hosts to converge as a pattern; NULL: all. Caller frees. */
char *deploy_limit(const struct deploy *d);
/* The databases' system identifier, by which `up` knows data again that `down` has kept. */
int deploy_remember_system(struct deploy *d, uint64_t system_id, struct err *err) MUST_USE;
/* provision.c: resources of the provider. check: only notes what would be done; *hosts_missing
 * tells that there is nothing to log in to. */
int provision(struct deploy *d, bool check, bool *hosts_missing, struct deploy_result *r,
              struct err *err) MUST_USE;
/* remove.c: takes the cluster off hosts that stay. */
int remove_from_hosts(struct deploy *d, bool delete_data, struct deploy_result *r,
                      struct err *err) MUST_USE;
/* converge.c: the playbook over the hosts. */
int converge(struct deploy *d, bool check, struct deploy_result *r, struct err *err) MUST_USE;
/* converge.c: another playbook, from assets. vars as play_options.extra_vars; limit NULL: all
 * hosts; r NULL: changes are not noted. */
int deploy_play(struct deploy *d, const char *path, const struct inventory *inv,
                const struct value *vars, const char *limit, struct deploy_result *r,
                struct err *err) MUST_USE;
/* converge.c: every host's files into DIR/HOST/path, touching no host. */
int deploy_render(struct deploy *d, const char *dir, struct err *err) MUST_USE;
/* ready.c: waits until every member is well and the clients' address takes writes. */
int wait_ready(struct deploy *d, int timeout_ms, struct err *err) MUST_USE;
/* dcs.c: Patroni's dynamic configuration against the rendered bootstrap.dcs, then reloads and
 * restarts in the right order. */
int converge_dcs(struct deploy *d, bool check, struct deploy_result *r, struct err *err) MUST_USE;
/* The configuration alone, before a member is waited for that is not well: it may not start with
 * the settings of now, and start with those to come. Faults are left for converge_dcs to tell. */
void mend_dcs(struct deploy *d, struct deploy_result *r);

#endif
