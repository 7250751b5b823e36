/*
 * discover.h - what runs on hosts that were surveyed, for people and programs; and the cluster file
 * that it makes.
 *
 *     discover_init(&d, hosts, n);
 *     discover_format(&d, &text) or discover_to_value(&d, &arena);
 *     discover_propose(&d, &im, NULL, &err);     im as after import_read
 *     discover_release(&d);
 *
 * All of it is pure. A Patroni cluster is known by its scope, member by member. Configuration files
 * hold passwords: only what is named here leaves them.
 */
#ifndef PGHA_DISCOVER_H
#define PGHA_DISCOVER_H

#include "inventory/import.h"
#include "lib/check/survey.h"

struct discover_host {
    const char *name;                 /* as it was asked for */
    const struct host_survey *survey; /* step SURVEY_DONE: it answered */
};

struct discover_member {
    size_t host; /* index into hosts */
    const struct host_config *config;
};

struct discover_cluster { /* Patroni's */
    const char *scope;
    bool ours; /* every member's configuration is written by pgha-deploy */
    VEC(struct discover_member) members;
};

struct discover {
    const struct discover_host *hosts; /* the caller's, as their surveys */
    size_t n;
    VEC(struct discover_cluster) clusters;
};

void discover_init(struct discover *d, const struct discover_host *hosts, size_t n);
void discover_release(struct discover *d);

/* HOST SYSTEM ADDRESSES RUNS, then the clusters. */
void discover_format(const struct discover *d, struct str *out);
/* hosts, clusters. In a. */
struct value *discover_to_value(const struct discover *d, struct arena *a);

/* What the survey tells into im, whose hosts are d's in this order, then import_propose. name: of
 * the cluster; where there are several scopes, it says which. ERR_INPUT: they are several and none
 * is named; or no host answered. */
int discover_propose(const struct discover *d, struct import *im, const char *name,
                     struct err *err) MUST_USE;

/* ---- shared by the two files ---- */

bool discover_runs(const struct host_facts *f, const char *program); /* as a process or a unit */
bool discover_has_etcd(const struct host_facts *f);                  /* as a member */
bool discover_has_balancer(const struct host_facts *f);              /* HAProxy or keepalived */
/* The first port above this one that HAProxy listens on; 0: none. */
int discover_next_port(const struct host_facts *f, int port);
const char *discover_etcd_member(const struct host_facts *f, struct arena *a); /* NULL: not told */
/* The cluster of pgha-deploy whose configuration is there; NULL: none. */
const char *discover_own_cluster(const struct host_facts *f);

#endif
