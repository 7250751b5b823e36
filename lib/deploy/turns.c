/*
 * turns.c - hosts that are off while they are changed: one after the other, the rest well.
 *
 * provision() leaves such hosts of a running cluster as they are, in deploy.turns. Here each gets
 * its turn: replicas and balancers without the virtual address first, then the balancer that has
 * it, then the primary, which gives way to a replica before.
 */
#include "lib/base/clock.h"
#include "lib/deploy/restart.h"
#include "lib/deploy/stage.h"

enum {
    BACK_MS = 600000, /* an instance boots */
    POLL_MS = 1000
};

struct turns {
    struct deploy *deploy;
    struct deploy_result *result;
    struct patroni_api api;
    VEC(const struct cluster_host *) left;
};

static bool holds_vip(const struct turns *t, const struct cluster_host *h)
{
    struct check_target target = deploy_check_target(t->deploy);
    struct err ignored = ERR_INIT;
    bool holds = false;

    if (h->is_lb && t->deploy->cluster->vip && check_vip(&target, h, &holds, &ignored) < 0)
        err_release(&ignored);
    return holds;
}

/* 0 goes first. */
static int rank(const struct turns *t, const struct cluster_host *h, const char *leader)
{
    return str_eq(h->name, leader) ? 2 : holds_vip(t, h);
}

static const struct cluster_host *take_next(struct turns *t, const char *leader)
{
    size_t best = 0;
    int lowest = 3;
    const struct cluster_host *h;

    for (size_t i = 0; i < t->left.n && lowest > 0; i++) {
        int own = rank(t, t->left.items[i], leader);

        if (own < lowest) {
            lowest = own;
            best = i;
        }
    }
    h = t->left.items[best];
    memmove(&t->left.items[best], &t->left.items[best + 1],
            (--t->left.n - best) * sizeof(t->left.items[0]));
    return h;
}

int turns_hand_over(struct deploy *d, const struct patroni_member *leader,
                    const struct patroni_member *successor, const char *why, int timeout_ms,
                    struct deploy_result *r, struct err *err)
{
    struct patroni_api api = {d->cluster, &d->secrets, 0};
    char *text = xasprintf("instead of %s, %s", leader->name, why);

    event_send(d->events, &(struct event){.kind = EVENT_CHANGED,
                                          .host = successor->name,
                                          .task = "lead the cluster",
                                          .text = text});
    free(text);
    deploy_note(r, successor->name, "lead the cluster", NULL, NULL);
    if (patroni_switchover(&api, leader, successor, err) < 0)
        return err_wrap(err, "switchover from %s to %s", leader->name, successor->name);
    return wait_ready(d, timeout_ms, err);
}

/* A balancer that is spare, or a member of etcd, is not seen otherwise. */
static int wait_until_up(const struct turns *t, const struct cluster_host *h, struct err *err)
{
    struct check_target target = deploy_check_target(t->deploy);
    char *script = xasprintf("systemctl is-active%s%s%s", h->is_db ? " patroni" : "",
                             h->is_etcd ? " etcd" : "", h->is_lb ? " haproxy keepalived" : "");
    int64_t deadline = clock_mono_ms() + BACK_MS;
    struct str out;
    int rc;

    str_init(&out, STR_MAX_TEXT);
    while ((rc = check_remote(&target, h, script, &out, err)) < 0 && err->code != ERR_INTERRUPTED &&
           !clock_stop_requested() && clock_mono_ms() < deadline) {
        err_release(err);
        str_clear(&out);
        clock_sleep_ms(POLL_MS);
    }
    str_release(&out);
    free(script);
    return rc;
}

/* What there is was looked at before the turns before: it is looked at anew. */
static int change(struct turns *t, const struct cluster_host *h, struct err *err)
{
    struct deploy *d = t->deploy;
    bool missing = false;
    int rc;

    d->provider->close(d->session);
    d->session = NULL;
    d->turn = h;
    rc = provision(d, false, &missing, t->result, err);
    d->turn = NULL;
    if (rc == 0 && (rc = wait_until_up(t, h, err) < 0 ? -1 : wait_ready(d, BACK_MS, err)) < 0)
        err_wrap(err, "%s was off, and is not back", h->name);
    return rc;
}

static int take_turn(struct turns *t, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct patroni_view view;
    const struct patroni_member *successor;
    const struct cluster_host *h;
    const char *leader;
    int rc = patroni_view(&t->api, &arena, &view, err);

    if (rc == 0) {
        leader = view.leader ? view.leader->name : "";
        h = take_next(t, leader);
        /* Where nobody can lead instead, the cluster is without a primary meanwhile. */
        successor = restart_successor(&view);
        if (view.leader && successor && str_eq(h->name, leader))
            rc = turns_hand_over(t->deploy, view.leader, successor, "whose host goes off", BACK_MS,
                                 t->result, err);
        if (rc == 0 && (rc = change(t, h, err)) < 0 && !err->hint)
            err_hint(err, "the other hosts were left as they were. On: `up`; back: the old value "
                          "into the cluster file, then `up`");
    }
    patroni_view_release(&view);
    arena_release(&arena);
    return rc;
}

int turns_take(struct deploy *d, struct deploy_result *r, struct err *err)
{
    struct turns t = {.deploy = d, .result = r, .api = {d->cluster, &d->secrets, 0}};
    int64_t start = clock_mono_ms();
    int rc = 0;

    if (!d->turns.n)
        return 0;
    stage_begin(d, "turns", "hosts that are off while they are changed, one after the other");
    vec_each (h, &d->turns)
        vec_push(&t.left, *h);
    while (rc == 0 && t.left.n)
        rc = take_turn(&t, err);
    vec_release(&t.left);
    if (rc == 0)
        stage_end(d, "turns", start);
    return rc;
}
