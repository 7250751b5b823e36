/*
 * check.h - what verify, status and the wait for readiness look at: the running cluster, from
 * outside.
 */
#ifndef PGHA_CHECK_H
#define PGHA_CHECK_H

#include "lib/cluster/cluster.h"
#include "lib/cluster/patroni.h"
#include "lib/net/pg.h"

struct check_target {
    const struct cluster *cluster;
    const struct secrets *secrets;
    const char *state_dir;
    const char *ca_file; /* the authority's certificate, for libpq */
    bool accept_new_keys;
};

/* A superuser's login at an address; strings of the target's. */
struct pg_target check_login(const struct check_target *t, const char *address, int port,
                             int timeout_ms);
/* Where clients find the primary: the VIP and its port, or without balancers the leader itself
 * (NULL when there is none). */
struct pg_target check_primary(const struct check_target *t, const struct patroni_view *view,
                               int timeout_ms);
/* The db host with this address, or NULL. */
const struct cluster_host *check_host_at(const struct cluster *c, const char *address);

/* Whether the port (primary, replicas, sync, async) may lead to this member. */
bool check_role_fits(const char *port, const struct patroni_member *m);

/* One etcd member: 0 when it answers that it is healthy (it sees a leader). */
int check_etcd(const struct check_target *t, const char *address, struct err *err) MUST_USE;
/* Whether this member of etcd is its leader. */
int check_etcd_leads(const struct check_target *t, const char *address, bool *leads,
                     struct err *err) MUST_USE;
/* How to log in to a host of the cluster. Texts are in a. */
int check_ssh_target(const struct check_target *t, const char *host, struct arena *a,
                     struct ssh_target *target, struct err *err) MUST_USE;
/* A short script on a host; its stdout is appended to out. An exit status other than 0 is an error
 * with its stderr. */
int check_remote(const struct check_target *t, const struct cluster_host *host, const char *script,
                 struct str *out, struct err *err) MUST_USE;
/* What a unit of a host wrote last, faults first, without the newline at their end; nothing when
 * they cannot be had. For errors about the unit. */
void check_journal(const struct check_target *t, const struct cluster_host *host, const char *unit,
                   struct str *out);
/* Whether a balancer holds the VIP right now (asked over SSH). */
int check_vip(const struct check_target *t, const struct cluster_host *lb, bool *holds,
              struct err *err) MUST_USE;

/* ---- status: the picture of now ---- */

struct status_port {
    const char *name; /* primary, replicas, sync, async */
    int port;
    const char *server; /* the member that answered; NULL: nobody */
    const char *fault;  /* why not */
};

struct status_host {
    const char *name, *fault; /* fault NULL: healthy */
    bool holds_vip;
};

struct status {
    struct arena arena;
    struct patroni_view view;
    const char *view_fault; /* no member of Patroni answers: why */
    VEC(struct status_host) etcd;
    VEC(struct status_host) balancers;
    VEC(struct status_port) ports;
};

void status_collect(const struct check_target *t, struct status *s);
void status_release(struct status *s);
bool status_healthy(const struct check_target *t, const struct status *s);
struct value *status_to_value(const struct check_target *t, const struct status *s,
                              struct arena *a);
void status_format(const struct check_target *t, const struct status *s,
                   struct str *out); /* a table for people */

/* ---- verify: prove that replication works ---- */

enum verify_outcome { VERIFY_OK, VERIFY_FAILED, VERIFY_SKIPPED };

struct verify_result {
    const char *check, *text; /* "write", "row 17 through 10.77.0.100:5000" */
    enum verify_outcome outcome;
    double ms; /* how long it took; < 0: not timed */
};

struct verify {
    struct arena arena;
    VEC(struct verify_result) results;
    int failed;
};

#define VERIFY_LAG_LIMIT  (INT64_C(16) * 1024 * 1024) /* bytes a healthy replica may be behind */
#define VERIFY_ARRIVAL_MS 10000 /* how long a row may take to reach a replica */

/* Every check, each to its end. Writes one row into table pgha_verify of database postgres. */
void verify_run(const struct check_target *t, struct verify *v);
void verify_release(struct verify *v);
struct value *verify_to_value(const struct verify *v, struct arena *a);
void verify_format(const struct verify *v, bool colour, struct str *out);

#endif
