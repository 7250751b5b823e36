/* balancer.c - the balancer that holds the VIP, and what runs on it. */
#include "lib/drill/scenarios/list.h"
#include "lib/drill/stage.h"

static int lose_host(struct drill_stage *s, struct err *err)
{
    return fault_power(s, s->holder, err);
}

static int kill_haproxy(struct drill_stage *s, struct err *err)
{
    return fault_signal(s, s->holder, "haproxy", "KILL", err);
}

static int freeze_haproxy(struct drill_stage *s, struct err *err)
{
    return fault_signal(s, s->holder, "haproxy", "STOP", err);
}

static int kill_keepalived(struct drill_stage *s, struct err *err)
{
    return fault_signal(s, s->holder, "keepalived", "KILL", err);
}

const struct scenario scenario_balancer_lost = {
    .name = "balancer-lost",
    .summary = "the balancer that holds the VIP loses its power",
    .story = "The other one takes the address. When the host comes back, the address stays.",
    .needs = NEEDS_BALANCERS | NEEDS_POWER,
    .primary = {BOUND_VRRP_LOST, BOUND_CLIENT},
    .replicas = {BOUND_VRRP_LOST, BOUND_CLIENT},
    .hurt = lose_host,
};

const struct scenario scenario_haproxy_killed = {
    .name = "haproxy-killed",
    .summary = "HAProxy killed where the VIP is",
    .story = "SIGKILL for all its processes. Its unit starts it again, or the address moves.",
    .needs = NEEDS_BALANCERS,
    .primary = {BOUND_SYSTEMD, BOUND_VRRP_CHECK, BOUND_SERVER_UP, BOUND_CLIENT},
    .replicas = {BOUND_SYSTEMD, BOUND_VRRP_CHECK, BOUND_SERVER_UP, BOUND_CLIENT},
    .hurt = kill_haproxy,
};

const struct scenario scenario_haproxy_frozen = {
    .name = "haproxy-frozen",
    .summary = "HAProxy frozen where the VIP is",
    .story =
        "SIGSTOP: it has its ports and answers nobody. keepalived asks it, and lets the address "
        "go.",
    .needs = NEEDS_BALANCERS,
    .primary = {BOUND_VRRP_CHECK, BOUND_CLIENT},
    .replicas = {BOUND_VRRP_CHECK, BOUND_CLIENT},
    .hurt = freeze_haproxy,
};

const struct scenario scenario_keepalived_killed = {
    .name = "keepalived-killed",
    .summary = "keepalived killed where the VIP is",
    .story = "SIGKILL: the address stays on the host while the other balancer takes it, until the "
             "unit starts it again.",
    .needs = NEEDS_BALANCERS,
    .primary = {BOUND_VRRP_LOST, BOUND_SYSTEMD, BOUND_CLIENT},
    .replicas = {BOUND_VRRP_LOST, BOUND_SYSTEMD, BOUND_CLIENT},
    .hurt = kill_keepalived,
};
