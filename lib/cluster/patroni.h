/*
 * patroni.h - Patroni's REST API (https://patroni.readthedocs.io/en/latest/rest_api.html).
 */
#ifndef PGHA_PATRONI_H
#define PGHA_PATRONI_H

#include "lib/cluster/cluster.h"

struct patroni_member {
    const char *name;
    const char *role;  /* leader, replica, sync_standby, quorum_standby */
    const char *state; /* running, streaming, starting, stopped, ... */
    const char *address;
    int64_t timeline; /* 0: unknown */
    int64_t lag;      /* bytes behind; -1: unknown */
    bool pending_restart;
    const struct value *pending_reason; /* parameter -> {old_value, new_value}; NULL: not told */
};

struct patroni_view {
    VEC(struct patroni_member) members;
    const struct patroni_member *leader; /* NULL: none */
};

struct patroni_api {
    const struct cluster *cluster;
    const struct secrets *secrets;
    int timeout_ms; /* 0: 3 s */
};

/* GET /cluster from the first db host that answers. Strings in a. */
int patroni_view(const struct patroni_api *api, struct arena *a, struct patroni_view *view,
                 struct err *err) MUST_USE;
void patroni_view_release(struct patroni_view *view);
/* Patroni before 3.1 calls every replica that runs "running", later ones those that do not stream:
 * such a one is called "streaming" when the leader's GET /patroni, status, has a sender for it. */
bool patroni_is_unclear(const struct patroni_view *view); /* there is such a one */
void patroni_take_senders(struct patroni_view *view, const struct value *status);
bool patroni_member_ok(const struct patroni_member *m); /* leader running, or a replica streaming */
const struct patroni_member *patroni_find(const struct patroni_view *view,
                                          const char *name); /* NULL: not a member */
bool patroni_is_leader(const struct patroni_member *m);
bool patroni_is_sync(const struct patroni_member *m);

/* Is it a primary that runs, by its own word? GET /patroni of one member, which unlike GET /cluster
 * waits for no DCS. false when it does not answer. */
bool patroni_leads(const struct patroni_api *api, const char *address, int64_t *timeline);
/* Does its PostgreSQL run, by its own word? What GET /cluster says of a member that has ended, or
 * is made anew, is what it said last, for as long as ttl. */
bool patroni_runs(const struct patroni_api *api, const char *address);

/* GET /config: the dynamic configuration in the DCS. */
struct value *patroni_config(const struct patroni_api *api, struct arena *a, struct err *err);
/* PATCH /config; null removes a key. */
int patroni_patch(const struct patroni_api *api, const struct value *patch,
                  struct err *err) MUST_USE;
/* Every member that answers takes its next turn now instead of within loop_wait: it looks at the
 * configuration, makes slots, tells the DCS how it is. For waiting; more than once a second is of
 * no use. Changes nothing: a PATCH /config without effect is what wakes a member. */
void patroni_wake(const struct patroni_api *api);
/* POST /switchover: candidate leads instead of leader, which becomes a replica; answers when it
 * does. */
int patroni_switchover(const struct patroni_api *api, const struct patroni_member *leader,
                       const struct patroni_member *candidate, struct err *err) MUST_USE;
/* POST /restart on one member; answers when PostgreSQL is back. */
int patroni_restart(const struct patroni_api *api, const char *address, struct err *err) MUST_USE;

#endif
