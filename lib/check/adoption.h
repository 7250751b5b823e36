/*
 * adoption.h - whether a Patroni cluster that somebody else set up can be taken over as it runs,
 * and what is to be known for it. All of it is pure.
 *
 *     adoption_find      what the survey of the hosts tells
 *     adoption_judge     what Patroni's own store tells (templates/patroni-store.py)
 *
 * The host's word is taken for paths and names only; they are quoted wherever they are used.
 */
#ifndef PGHA_ADOPTION_H
#define PGHA_ADOPTION_H

#include "lib/check/survey.h"
#include "lib/cluster/cluster.h"

struct adoption_member {
    const char *host;             /* in the cluster */
    const char *name;             /* as its Patroni calls it */
    const char *config;           /* path of its Patroni's configuration */
    const char *python, *program; /* the interpreter and the script patroni, as they run */
};

struct adoption {
    struct arena arena;
    const char *scope;
    uint64_t system_id;
    VEC(struct adoption_member) members;
    bool replaces_etcd; /* one runs where the cluster's own is to be */
    /* postgresql.authentication of the first member: holds passwords. NULL: not told */
    const struct value *accounts;
    const struct value *parameters; /* postgresql.parameters there; NULL: none */
    const char *superuser;          /* its name */
    bool begun;                     /* the hosts are being changed */
    bool done;                      /* nothing of it is left to do */
    const char *leader;             /* host; set by adoption_judge, or adoption_from_value */
};

void adoption_init(struct adoption *a);
void adoption_release(struct adoption *a);

/* facts: of the cluster's hosts in its order; NULL: not asked. ERR_CONFLICT lists all that is in
 * the way. */
int adoption_find(const struct cluster *c, const struct host_facts *const *facts,
                  struct adoption *a, struct err *err) MUST_USE;
/* store: what the script says. Sets the leader. ERR_CONFLICT as above. */
int adoption_judge(const struct cluster *c, const struct value *store, struct adoption *a,
                   struct err *err) MUST_USE;

/* For the state folder: everything but accounts. */
struct value *adoption_to_value(const struct adoption *a, struct arena *arena);
int adoption_from_value(const struct value *v, struct adoption *a, struct err *err) MUST_USE;

#endif
