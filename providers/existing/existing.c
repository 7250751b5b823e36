/*
 * existing.c - provider "existing": machines that somebody else made, and keeps.
 *
 * There is nothing to create and nothing to destroy: who the hosts are is in the cluster file
 * (lib/cluster/existing.c), where they are is asked for (lib/deploy/locate.c), and the cluster is
 * taken off them by a playbook (lib/deploy/remove.c).
 */
#include "providers/provider.h"

struct provider_session {
    const struct cluster *cluster;
};

static int existing_open(const struct cluster *c, const char *state_dir, struct event_sink *events,
                         struct provider_session **out, struct err *err)
{
    UNUSED(state_dir);
    UNUSED(events);
    UNUSED(err);
    *out = xcalloc(1, sizeof(**out));
    (*out)->cluster = c;
    return 0;
}

static void existing_close(struct provider_session *s)
{
    free(s);
}

static int no_resources(struct provider_session *s, struct plan *p, struct err *err)
{
    UNUSED(s);
    UNUSED(p);
    UNUSED(err);
    return 0;
}

static const struct resource_kind *const kinds[] = {NULL};

const struct provider provider_existing = {
    .name = "existing",
    .summary = "machines that somebody else made, over SSH",
    .kinds = kinds,
    .open = existing_open,
    .close = existing_close,
    .desire = no_resources,
    .discover = no_resources,
};
