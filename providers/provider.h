/*
 * provider.h - what every provider offers: one const struct, at the end of providers/NAME/NAME.c,
 * listed in cmd/main.c alone.
 */
#ifndef PGHA_PROVIDER_H
#define PGHA_PROVIDER_H

#include "lib/cluster/cluster.h"
#include "lib/plan/plan.h"

enum provider_can {
    PROVIDER_CAN_POWER = 1, /* power() */
    PROVIDER_CAN_CUT = 2    /* cut() */
};

struct provider_session; /* each provider's own; opaque to callers */

struct provider {
    const char *name, *summary;
    unsigned can;
    const struct resource_kind *const *kinds; /* NULL-terminated */

    /* Checks what can be checked without changing anything: root, programs, credentials. */
    int (*open)(const struct cluster *c, const char *state_dir, struct event_sink *events,
                struct provider_session **out, struct err *err);
    void (*close)(struct provider_session *s);
    /* Adds what the cluster wants to the plan. */
    int (*desire)(struct provider_session *s, struct plan *p, struct err *err);
    /* Adds whatever exists of this cluster, found by name or tag, with desired NULL: what `down`
     * destroys, state or no state. */
    int (*discover)(struct provider_session *s, struct plan *p, struct err *err);
    /* Lines of host keys that the provider planted, known_hosts format; appended. */
    int (*host_keys)(struct provider_session *s, struct str *known_hosts, struct err *err);
    /* What is known only once it is there, for cluster_take_outputs: a map in a. May be NULL. */
    int (*outputs)(struct provider_session *s, struct arena *a, struct value **out,
                   struct err *err);
    /* What the plan's desired things cost: {"month": sum of what is known, "currency", "date" of
     * the prices, "region", "parts": [{"what", "n", "month": null when not known}]}, in a. May be
     * NULL.
     */
    int (*cost)(struct provider_session *s, const struct plan *p, struct arena *a,
                struct value **out, struct err *err);
    /* After destroy: as discover, of what is there by now. NULL: nothing ever is. */
    int (*leftovers)(struct provider_session *s, struct plan *p, struct err *err);
    /* Removes what is shared between clusters and kept by down (image cache). May be NULL. */
    int (*purge)(struct provider_session *s, struct err *err);
    int (*power)(struct provider_session *s, const char *host, bool on,
                 struct err *err); /* off: as if the plug was pulled */
    int (*cut)(struct provider_session *s, const char *host, bool cut,
               struct err *err); /* network of the host away, and back */
};

#endif
