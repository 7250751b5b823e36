/* replace.c - a host that is made anew while the cluster runs: `up --replace HOST`. */
#include "lib/deploy/restart.h"
#include "lib/deploy/stage.h"

enum { GIVE_WAY_MS = 60000 };

/* Whoever stays holds the data alone for as long as the copy takes. */
static int judge_members(const struct cluster *c, const struct cluster_host *leaves,
                         const struct patroni_view *view, struct err *err)
{
    size_t stay = 0;

    vec_each (m, &view->members) {
        if (str_eq(m->name, leaves->name))
            continue;
        if (!patroni_member_ok(m)) {
            err_set(err, ERR_CONFLICT, "--replace %s: %s is not well either (%s, %s)", leaves->name,
                    m->name, m->role, m->state);
            return err_hint(err, "first make it well: `pgha-deploy -f %s status`", c->file);
        }
        stay++;
    }
    if (!stay) {
        err_set(err, ERR_CONFLICT, "--replace %s: nobody else has its data", leaves->name);
        return err_hint(err, "add a database host below `nodes`, and `up`, before");
    }
    if (!view->leader)
        return err_set(err, ERR_CONFLICT, "--replace %s: the cluster has no primary now",
                       leaves->name);
    if (str_eq(view->leader->name, leaves->name) && !restart_successor(view)) {
        err_set(err, ERR_CONFLICT, "--replace %s: it is the primary, and nobody can lead instead",
                leaves->name);
        return err_hint(err,
                        "a replica that streams and is not behind can; see `pgha-deploy -f %s "
                        "status`",
                        c->file);
    }
    return 0;
}

static int judge_etcd(struct deploy *d, const struct cluster_host *leaves, struct err *err)
{
    struct check_target target = deploy_check_target(d);
    size_t members = 0, well = 0;

    vec_each (h, &d->cluster->hosts) {
        struct err fault = ERR_INIT;

        if (!h->is_etcd)
            continue;
        members++;
        well += h != leaves && check_etcd(&target, h->address, &fault) == 0;
        err_release(&fault);
    }
    if (well > members / 2)
        return 0;
    return err_set(err, ERR_CONFLICT,
                   "--replace %s: without it %zu of %zu members of etcd are well, which is no "
                   "majority",
                   leaves->name, well, members);
}

static int judge_rest(struct deploy *d, const struct cluster_host *leaves, struct err *err)
{
    struct patroni_api api = {d->cluster, &d->secrets, 0};
    struct arena arena = ARENA_INIT;
    struct patroni_view view = {0};
    int rc = 0;

    if (leaves->is_db) {
        rc = patroni_view(&api, &arena, &view, err);
        if (rc == 0)
            rc = judge_members(d->cluster, leaves, &view, err);
    }
    if (rc == 0 && leaves->is_etcd)
        rc = judge_etcd(d, leaves, err);
    patroni_view_release(&view);
    arena_release(&arena);
    return rc;
}

int replace_plan(struct deploy *d, struct plan *p, struct err *err)
{
    const struct cluster_host *h;

    if (!d->replace || d->turn)
        return 0;
    h = cluster_host_find(d->cluster, d->replace);
    if (!h)
        return err_set(err, ERR_USAGE, "--replace: the cluster has no host \"%s\"", d->replace);
    if (!deploy_runs(d)) {
        err_set(err, ERR_CONFLICT, "--replace %s: the cluster was never up", h->name);
        return err_hint(err, "`up` without it makes what is missing");
    }
    vec_each (each, &p->resources) {
        struct resource *r = *each;

        if (!r->kind->is_host || !str_eq(r->name, h->name) || !r->actual)
            continue;
        r->action = ACTION_REPLACE;
        r->reason = "asked for";
    }
    return judge_rest(d, h, err);
}

/* A host that does not answer has nothing to give away. */
int replace_make_way(struct deploy *d, struct deploy_result *r, struct err *err)
{
    const struct cluster_host *h;
    struct check_target target = deploy_check_target(d);
    struct str ignored;
    struct err fault = ERR_INIT;
    int rc;

    if (!d->replace || d->turn)
        return 0;
    h = cluster_host_find(d->cluster, d->replace);
    rc = h->is_db
             ? turns_give_way(d, h, "while the primary's host is made anew", GIVE_WAY_MS, r, err)
             : 0;
    if (rc == 0 && h->is_lb && d->cluster->vip) {
        str_init(&ignored, STR_MAX_TEXT);
        if (check_remote(&target, h, "systemctl stop keepalived", &ignored, &fault) < 0)
            err_release(&fault);
        str_release(&ignored);
    }
    return rc;
}
