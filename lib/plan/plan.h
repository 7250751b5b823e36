/*
 * plan.h - resources: desired against actual gives actions; actions are applied in parallel along
 * their dependencies.
 *
 * A resource kind is one const struct (bridge, image, host; vpc, instance, ...). lib/plan does the
 * ordering, the providers do none. State is saved before and after every call that changes
 * something, through plan_store.
 */
#ifndef PGHA_PLAN_H
#define PGHA_PLAN_H

#include "lib/base/event.h"
#include "lib/base/vec.h"
#include "lib/doc/fault.h"

struct resource;

enum attr_flags {
    ATTR_REPLACE = 1,  /* a change forces destroy and create */
    ATTR_COMPUTED = 2, /* known only after create (ids, addresses); never compared */
    ATTR_REACH = 4,    /* a host that differs in it cannot be logged in to until it is changed */
    ATTR_OFF = 8       /* a host is off while it is changed: hosts of a cluster take turns */
};

struct attr {
    const char *name;
    unsigned flags;
};

struct resource_kind {
    const char *name;         /* "host"; a resource is named KIND.NAME in messages */
    const struct attr *attrs; /* ends with {NULL, 0} */
    /*
     * All but read get a copy of the resource; what they may change is its `actual` (values in
     * r->arena). Calls for different resources run at the same time. What a resource needs is
     * finished by then and may be looked at with plan_find.
     */
    /* Fills r->actual (map in r->arena, same attribute names) or leaves it NULL: absent. */
    int (*read)(void *provider, struct resource *r, struct err *err);
    int (*create)(void *provider, struct resource *r,
                  struct err *err); /* idempotent: completes what a killed run began */
    int (*update)(void *provider, struct resource *r,
                  struct err *err); /* NULL: every change replaces */
    int (*destroy)(void *provider, struct resource *r,
                   struct err *err); /* no error when it is gone already */
    int (*wait)(void *provider, struct resource *r,
                struct err *err); /* until usable; may be NULL */
    bool is_host;                 /* a machine of the cluster, which has the name of its host */
    bool holds_data;              /* of the database: `down --keep-data` keeps it */
};

enum action { ACTION_NONE, ACTION_CREATE, ACTION_UPDATE, ACTION_REPLACE, ACTION_DESTROY };
extern const char *const action_names[]; /* "none", "create", ... */

struct resource {
    const struct resource_kind *kind;
    const char *name;
    struct value *desired;   /* map; NULL: should not exist */
    struct value *actual;    /* map; NULL: does not exist. create and read fill it */
    VEC(const char *) needs; /* "kind.name" of those that must be there first */
    enum action action;
    const char *reason; /* "address: 10.77.0.11 -> 10.77.0.12"; in arena; NULL for none */
    bool failed, done;
    int64_t touched_ms;  /* clock_real_ms of its last changing call of this run, begun or ended; 0:
                            none, or one that was refused */
    struct err err;      /* of the failed one; of one not done: why */
    struct arena *arena; /* its own: workers touch only their resource */
};

struct plan {
    struct arena arena;
    VEC(struct resource *) resources;
};

void plan_init(struct plan *p);
void plan_release(struct plan *p);
struct resource *plan_add(struct plan *p, const struct resource_kind *kind, const char *name);
void plan_need(struct plan *p, struct resource *r, const char *kind, const char *name);
struct resource *plan_find(const struct plan *p, const char *kind, const char *name);

/* Reads all in parallel and sets actions. Unknown needs or a circle: ERR_INPUT. */
int plan_compute(struct plan *p, void *provider, struct err *err) MUST_USE;
bool plan_is_empty(const struct plan *p);
/* Whether an attribute with the flag is not as desired. After plan_compute. */
bool plan_differs(const struct resource *r, enum attr_flags flag);
/* Whether the attribute is as desired, or not desired at all. */
bool plan_attr_is_right(const struct resource *r, const char *name);
size_t plan_count(const struct plan *p, enum action action);
/* [{"kind","name","action","reason","desired","actual"}], in arena a; and "touched", milliseconds
 * since 1970, where a call began in this run that may have changed it: what a provider does not
 * show yet a little later may be there all the same. */
struct value *plan_to_value(const struct plan *p, struct arena *a);

struct plan_store {
    /*
     * Called with a lock held, before (began true) and after each changing call that succeeded:
     * what began and was not ended may exist. It may look at every resource of p. A failed save
     * fails the resource.
     */
    int (*save)(struct plan_store *store, const struct plan *p, const struct resource *r,
                bool began, struct err *err);
};

/*
 * Destroys in reverse order first, then creates and updates along needs. What does not depend on a
 * failed resource goes on; the first error is returned with a count of the others.
 * A replaced resource does not replace those that need it: give them an ATTR_REPLACE attribute that
 * changes with it. store and events may be NULL. Events name a resource "kind.name" in `host`.
 */
int plan_apply(struct plan *p, void *provider, struct plan_store *store, struct event_sink *events,
               struct err *err) MUST_USE;

#endif
