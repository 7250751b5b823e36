/*
 * leave.c - hosts that leave a cluster that runs: for good, since the cluster file has them no
 * more, or to be made anew (`up --replace HOST`). The rest has to have their data, and etcd's
 * majority without them.
 */
#include "lib/deploy/restart.h"
#include "lib/deploy/stage.h"

enum { GIVE_WAY_MS = 60000 };

bool leave_is_for_good(const struct deploy *d, const char *host)
{
    vec_each (name, &d->leaving)
        if (str_eq(*name, host))
            return true;
    return false;
}

static bool leaves(const struct deploy *d, const char *host)
{
    return leave_is_for_good(d, host) || str_eq(d->replace, host);
}

/* "db4, db5" */
static const char *names_of(const struct deploy *d, struct arena *a)
{
    const char *names = d->replace ? d->replace : "";

    vec_each (name, &d->leaving)
        names = arena_printf(a, "%s%s%s", names, *names ? ", " : "", *name);
    return names;
}

/* ---- may they? ---- */

static const struct patroni_member *successor(const struct deploy *d, struct patroni_view *view)
{
    vec_each (m, &view->members)
        if (m != view->leader && leaves(d, m->name))
            m->state = "leaving";
    return restart_successor(view);
}

/* Whoever stays holds the data alone for as long as a copy takes. */
static int judge_members(const struct deploy *d, const struct cluster *applied,
                         struct patroni_view *view, const char *names, struct err *err)
{
    size_t stay = 0;

    vec_each (h, &d->cluster->hosts) {
        const struct patroni_member *m = patroni_find(view, h->name);

        if (!h->is_db || leaves(d, h->name) || !cluster_host_find(applied, h->name))
            continue;
        if (!m || !patroni_member_ok(m)) {
            err_set(err, ERR_CONFLICT, "%s cannot leave now: %s is not well (%s)", names, h->name,
                    m ? m->state : "Patroni does not know it");
            return err_hint(err, "first make it well: `pgha-deploy -f %s status`",
                            d->cluster->file);
        }
        stay++;
    }
    if (!stay) {
        err_set(err, ERR_CONFLICT, "%s cannot leave: nobody else has the data", names);
        return err_hint(err, "add a database host below `nodes`, and `up`, before");
    }
    if (!view->leader)
        return err_set(err, ERR_CONFLICT, "%s cannot leave now: the cluster has no primary", names);
    if (leaves(d, view->leader->name) && !successor(d, view)) {
        err_set(err, ERR_CONFLICT,
                "%s cannot leave now: %s is the primary, and nobody can lead instead", names,
                view->leader->name);
        return err_hint(err,
                        "a replica that streams and is not behind can; see `pgha-deploy -f "
                        "%s status`",
                        d->cluster->file);
    }
    return 0;
}

static int judge_etcd(const struct deploy *d, const char *names, struct err *err)
{
    struct check_target target = deploy_check_target(d);
    size_t members = 0, well = 0;

    vec_each (h, &d->cluster->hosts) {
        struct err fault = ERR_INIT;

        if (!h->is_etcd)
            continue;
        members++;
        well += !leaves(d, h->name) && check_etcd(&target, h->address, &fault) == 0;
        err_release(&fault);
    }
    if (well > members / 2)
        return 0;
    return err_set(err, ERR_CONFLICT,
                   "%s cannot leave now: without it %zu of %zu members of etcd are well, which is "
                   "no majority",
                   names, well, members);
}

static int judge(struct deploy *d, const struct cluster *applied, struct err *err)
{
    const struct cluster_host *h = cluster_host_find(d->cluster, d->replace);
    struct patroni_api api = {d->cluster, &d->secrets, 0};
    struct arena arena = ARENA_INIT;
    struct patroni_view view = {0};
    const char *names = names_of(d, &arena);
    int rc = 0;

    if (d->leaving.n || h->is_db) {
        rc = patroni_view(&api, &arena, &view, err);
        if (rc < 0)
            err_wrap(err, "%s cannot leave now", names);
        else
            rc = judge_members(d, applied, &view, names, err);
    }
    if (rc == 0 && (d->leaving.n || h->is_etcd))
        rc = judge_etcd(d, names, err);
    patroni_view_release(&view);
    arena_release(&arena);
    return rc;
}

/* ---- which ---- */

static void add_leaving(struct deploy *d, const char *host)
{
    if (!leave_is_for_good(d, host))
        vec_push(&d->leaving, xstrdup(host));
}

bool leave_some_stay(const struct plan *p)
{
    vec_each (each, &p->resources) {
        const struct resource *r = *each;

        if (r->kind->is_host && r->desired && r->actual)
            return true;
    }
    return false;
}

/* Also what a run that was killed has destroyed already, which etcd may know still. */
static void find_leaving(struct deploy *d, const struct cluster *applied, const struct plan *p)
{
    if (!leave_some_stay(p) && !d->departing)
        return; /* all are gone, and `down --keep-data` says nothing of it */
    vec_each (each, &p->resources) {
        const struct resource *r = *each;
        const struct cluster_host *h = cluster_host_find(applied, r->name);

        if (r->kind->is_host && r->action == ACTION_DESTROY && (!h || h->is_db || h->is_etcd))
            add_leaving(d, r->name);
    }
    vec_each (h, &applied->hosts)
        if ((h->is_db || h->is_etcd) && !cluster_host_find(d->cluster, h->name))
            add_leaving(d, h->name);
}

static int mark_replaced(struct deploy *d, struct plan *p, struct err *err)
{
    if (!cluster_host_find(d->cluster, d->replace))
        return err_set(err, ERR_USAGE, "--replace: the cluster has no host \"%s\"", d->replace);
    if (!deploy_runs(d)) {
        err_set(err, ERR_CONFLICT, "--replace %s: the cluster was never up", d->replace);
        return err_hint(err, "`up` without it makes what is missing");
    }
    vec_each (each, &p->resources) {
        struct resource *r = *each;

        if (!r->kind->is_host || !str_eq(r->name, d->replace) || !r->actual)
            continue;
        r->action = ACTION_REPLACE;
        r->reason = "asked for";
    }
    return 0;
}

/* Nobody knows what is on the hosts of a cluster that was never verified. */
static int judge_unknown(const struct deploy *d, const struct plan *p, struct err *err)
{
    vec_each (each, &p->resources) {
        const struct resource *r = *each;

        if (!r->kind->is_host || r->action != ACTION_DESTROY)
            continue;
        err_set(err, ERR_CONFLICT,
                "%s is there, and the cluster file has it no more: the cluster was never up as a "
                "whole, so what is on it is not known",
                r->name);
        return err_hint(err,
                        "first `up` with the old counts below `nodes`; or `down` and `up` "
                        "anew, which loses what there is: pgha-deploy -f %s down",
                        d->cluster->file);
    }
    return 0;
}

void leave_forget(struct deploy *d)
{
    vec_each (name, &d->leaving)
        free(*name);
    vec_release(&d->leaving);
}

int leave_plan(struct deploy *d, const struct cluster *applied, struct plan *p, struct err *err)
{
    if (d->turn)
        return 0;
    leave_forget(d);
    if (!deploy_runs(d) && judge_unknown(d, p, err) < 0)
        return -1;
    if (deploy_runs(d))
        find_leaving(d, applied, p);
    if (d->replace && mark_replaced(d, p, err) < 0)
        return -1;
    return d->replace || d->leaving.n ? judge(d, applied, err) : 0;
}

/* ---- they do ---- */

static int give_way(struct deploy *d, struct deploy_result *r, struct err *err)
{
    struct patroni_api api = {d->cluster, &d->secrets, 0};
    struct arena arena = ARENA_INIT;
    struct patroni_view view;
    const struct patroni_member *next;
    int rc = patroni_view(&api, &arena, &view, err);

    if (rc == 0 && view.leader && leaves(d, view.leader->name)) {
        next = successor(d, &view); /* there was one when it was judged */
        rc = next ? turns_hand_over(d, view.leader, next, "whose host leaves", GIVE_WAY_MS, r, err)
                  : err_set(err, ERR_CONFLICT, "nobody can lead instead of %s any more",
                            view.leader->name);
    }
    patroni_view_release(&view);
    arena_release(&arena);
    return rc;
}

/* Asked of one who stays. */
static int leave_etcd(struct deploy *d, const char *host, struct deploy_result *r, struct err *err)
{
    struct check_target target = deploy_check_target(d);
    char *script = xasprintf("/etc/etcd/member.sh remove %s", host);
    struct str ignored;
    int rc = -1;

    str_init(&ignored, STR_MAX_TEXT);
    vec_each (h, &d->cluster->hosts) {
        if (!h->is_etcd || leaves(d, h->name))
            continue;
        err_release(err);
        if ((rc = check_remote(&target, h, script, &ignored, err)) == 0)
            break;
    }
    str_release(&ignored);
    free(script);
    if (rc < 0)
        return err_wrap(err, "removing %s from etcd", host);
    event_send(d->events,
               &(struct event){.kind = EVENT_CHANGED, .host = host, .task = "leave etcd"});
    deploy_note(r, host, "leave etcd", NULL, NULL);
    return 0;
}

/* A balancer that does not answer has no address to give away. */
static void leave_address(struct deploy *d, const struct cluster_host *lb)
{
    struct check_target target = deploy_check_target(d);
    struct err fault = ERR_INIT;
    struct str ignored;

    str_init(&ignored, STR_MAX_TEXT);
    if (check_remote(&target, lb, "systemctl stop keepalived", &ignored, &fault) < 0)
        err_release(&fault);
    str_release(&ignored);
}

int leave_make_way(struct deploy *d, struct deploy_result *r, struct err *err)
{
    const struct cluster_host *h = cluster_host_find(d->cluster, d->replace);

    if (d->turn)
        return 0;
    if ((d->leaving.n || (h && h->is_db)) && give_way(d, r, err) < 0)
        return -1;
    if (h && h->is_lb && d->cluster->vip)
        leave_address(d, h);
    vec_each (name, &d->leaving)
        if (leave_etcd(d, *name, r, err) < 0)
            return -1;
    return depart_take_off(d, r, err);
}
