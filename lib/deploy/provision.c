/* provision.c - the provider's resources: plan, ask, apply, record; and all of it away again. */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/deploy/stage.h"

struct deploy_store {
    struct plan_store store;
    struct deploy *deploy;
};

static int save_resources(struct plan_store *store, const struct plan *p, const struct resource *r,
                          bool began, struct err *err)
{
    struct deploy *d = ((struct deploy_store *)store)->deploy;
    struct arena arena = ARENA_INIT;
    int rc;

    UNUSED(r);
    UNUSED(began);
    rc = state_write_value(d->state_dir, "resources.json", plan_to_value(p, &arena), err);
    arena_release(&arena);
    return rc;
}

static int write_known_hosts(struct deploy *d, struct err *err)
{
    struct str keys;
    int rc;

    if (!d->provider->host_keys)
        return 0;
    str_init(&keys, STR_MAX_TEXT);
    rc = d->provider->host_keys(d->session, &keys, err);
    if (rc == 0 && !state_has(d->state_dir, "known_hosts", keys.buf))
        rc = state_write(d->state_dir, "known_hosts", keys.buf, keys.len, err);
    str_release(&keys);
    return rc;
}

static int write_outputs(struct deploy *d, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct value *outputs = NULL;
    int rc;

    if (!d->provider->outputs)
        return 0;
    rc = d->provider->outputs(d->session, &arena, &outputs, err);
    if (rc == 0) {
        cluster_take_outputs(d->cluster, outputs);
        rc = state_write_value(d->state_dir, OUTPUTS_FILE, outputs, err);
    }
    arena_release(&arena);
    return rc;
}

bool deploy_runs(const struct deploy *d)
{
    char *path = path_join(d->state_dir, CLUSTER_FILE);
    bool runs = file_exists(path);

    free(path);
    return runs;
}

static bool is_off_for_it(const struct resource *res)
{
    return res->kind->is_host && res->action == ACTION_UPDATE && plan_differs(res, ATTR_OFF);
}

/* A member of a cluster that runs finds its data at the others. */
static bool is_made_anew(const struct deploy *d, const struct plan *p, const struct resource *res)
{
    const struct cluster_host *h = cluster_host_find(d->cluster, res->name);

    return res->kind->is_host && h && (h->is_db || h->is_etcd) && deploy_runs(d) &&
           leave_some_stay(p) && (res->action == ACTION_CREATE || res->action == ACTION_REPLACE);
}

static const char *consequence_of(const struct deploy *d, const struct plan *p,
                                  const struct resource *res)
{
    if (res->action == ACTION_DESTROY)
        return leave_is_for_good(d, res->name) ? "leaves the cluster; its data is lost"
                                               : "its data is lost";
    if (is_made_anew(d, p, res))
        return "joins the cluster and copies its data; a primary gives way before";
    return is_off_for_it(res) ? "off and on again in its turn; a primary gives way before" : NULL;
}

static void note_actions(const struct deploy *d, struct deploy_result *r, const struct plan *p,
                         bool *hosts_missing)
{
    vec_each (each, &p->resources) {
        const struct resource *res = *each;
        char *where, *what;

        if (res->action == ACTION_NONE)
            continue;
        where = xasprintf("%s.%s", res->kind->name, res->name);
        what = res->reason ? xasprintf("%s: %s", action_names[res->action], res->reason)
                           : xstrdup(action_names[res->action]);
        deploy_note(r, where, what, NULL, consequence_of(d, p, res));
        *hosts_missing |=
            res->kind->is_host && (res->action == ACTION_CREATE || res->action == ACTION_REPLACE ||
                                   (res->action == ACTION_UPDATE && plan_differs(res, ATTR_REACH)));
        free(where);
        free(what);
    }
}

/* "3 to create, 1 to change" */
static char *summary(const struct plan *p)
{
    struct str s;
    char *text;

    str_init(&s, 1024);
    for (int a = ACTION_CREATE; a <= ACTION_DESTROY; a++) {
        size_t n = plan_count(p, (enum action)a);

        if (n)
            str_printf(&s, "%s%zu to %s", s.len ? ", " : "", n, action_names[a]);
    }
    if (!s.len)
        str_puts(&s, "no resource changes");
    text = str_detach(&s);
    return text;
}

/* "; the disks of db4, db5 are lost"; not where all hosts go, which is asked in other words. */
static const char *who_goes(const struct plan *p, struct arena *a)
{
    const char *names = "";
    bool stays = false;

    vec_each (each, &p->resources) {
        const struct resource *r = *each;

        if (!r->kind->is_host)
            continue;
        if (r->action == ACTION_DESTROY || r->action == ACTION_REPLACE)
            names = arena_printf(a, "%s%s%s", names, *names ? ", " : "", r->name);
        stays |= r->desired != NULL;
    }
    return *names && stays ? arena_printf(a, "; the disks of %s are lost", names) : "";
}

static void note_departing(const struct deploy *d, struct deploy_result *r)
{
    if (d->departing)
        deploy_note(r, d->departing, "leave the cluster", NULL,
                    "stopped there, its data stays; a primary gives way before");
}

static int ask(struct deploy *d, const char *verb, const struct plan *p, struct err *err)
{
    struct arena arena = ARENA_INIT;
    char *counts, *what;
    bool yes;

    if (!d->confirm)
        return 0;
    counts = summary(p);
    what =
        xasprintf("%s cluster %s: %s%s%s%s.", verb, d->cluster->name, counts, who_goes(p, &arena),
                  d->departing ? "; it is taken off " : "", d->departing ? d->departing : "");
    yes = d->confirm(d->confirm_ctx, what);
    free(what);
    arena_release(&arena);
    free(counts);
    return yes ? 0 : err_set(err, ERR_INTERRUPTED, "not confirmed, nothing was changed");
}

static int apply(struct deploy *d, struct plan *p, struct err *err)
{
    struct deploy_store store = {{save_resources}, d};

    if (plan_apply(p, d->session, &store.store, d->events, err) < 0) {
        if (!err->hint)
            err_hint(err, "run the same command again: it goes on where this run stopped");
        return -1;
    }
    return 0;
}

/* ---- members that come and go ---- */

/* New members join by themselves, before each start of theirs (templates/etcd-member.sh.j2). */
static int judge_etcd(const struct cluster *applied, const struct cluster *wanted, struct err *err)
{
    vec_each (h, &applied->hosts) {
        const struct cluster_host *now = cluster_host_find(wanted, h->name);

        if (!h->is_etcd || !now || now->is_etcd)
            continue;
        err_set(err, ERR_INPUT,
                "%s would be a member of etcd no more, which holds the running cluster's state: "
                "etcd does not move",
                h->name);
        return err_hint(err, "put the old counts back below `nodes`: hosts can be added to the "
                             "groups that there are");
    }
    return 0;
}

/* A member that is made anew loses its data, however it was asked for. */
static int judge_replaced(const struct deploy *d, const struct cluster *applied,
                          const struct plan *p, struct err *err)
{
    vec_each (each, &p->resources) {
        const struct resource *r = *each;
        const struct cluster_host *h = cluster_host_find(applied, r->name);

        if (!r->kind->is_host || r->action != ACTION_REPLACE || !h || (!h->is_db && !h->is_etcd) ||
            str_eq(r->name, d->replace))
            continue;
        if (!*value_get_str(r->actual, "address", "")) /* the rest of one that was being removed */
            continue;
        err_set(err, ERR_INPUT,
                "%s is a member of the running cluster and would be made anew, without its data "
                "(%s)",
                r->name, r->reason);
        return err_hint(err,
                        "put back what was changed; or make it anew while the others serve: `up "
                        "--replace %s`",
                        r->name);
    }
    return 0;
}

/* With hosts that exist and are not wanted; refuses what would lose data or a quorum. The last
 * cluster file applied tells what they were; without one the cluster never was up. */
static int compute_plan(struct deploy *d, struct plan *p, struct err *err)
{
    char *path = path_join(d->state_dir, CLUSTER_FILE);
    struct cluster applied;
    struct faults faults;
    int rc = d->provider->discover(d->session, p, err);

    memset(&applied, 0, sizeof(applied));
    faults_init(&faults);
    if (rc == 0 && cluster_has_given_hosts(d->cluster))
        rc = depart_find(d, &applied, err);
    else if (rc == 0 && file_exists(path) && cluster_load(&applied, path, &faults) < 0)
        applied.hosts.n = 0;
    if (rc == 0)
        rc = judge_etcd(&applied, d->cluster, err);
    if (rc == 0)
        rc = plan_compute(p, d->session, err);
    if (rc == 0)
        rc = judge_replaced(d, &applied, p, err);
    if (rc == 0)
        rc = leave_plan(d, &applied, p, err);
    cluster_release(&applied);
    faults_release(&faults);
    free(path);
    return rc;
}

/* A cluster that runs misses one host at a time: one that is off already, or whose turn it is. */
static void leave_for_turns(struct deploy *d, struct plan *p)
{
    bool runs = deploy_runs(d);

    d->turns.n = 0;
    vec_each (each, &p->resources) {
        struct resource *r = *each;
        const struct cluster_host *h = cluster_host_find(d->cluster, r->name);

        if (!runs || !h || !is_off_for_it(r) || plan_differs(r, ATTR_REACH) || h == d->turn)
            continue;
        r->action = ACTION_NONE;
        vec_push(&d->turns, h);
    }
}

int provision(struct deploy *d, bool check, bool *hosts_missing, struct deploy_result *r,
              struct err *err)
{
    int64_t start = clock_mono_ms();
    struct plan p;
    int rc = -1;

    plan_init(&p);
    stage_begin(d, "hosts", "network and hosts");
    if (!d->session && d->provider->open(d->cluster, d->state_dir, d->events, &d->session, err) < 0)
        goto out;
    if (!check && d->provider->host_keys && state_login_key(d->state_dir, err) < 0)
        goto out;
    if (d->provider->desire(d->session, &p, err) < 0 || compute_plan(d, &p, err) < 0)
        goto out;
    if (!d->turn) {
        note_actions(d, r, &p, hosts_missing);
        note_departing(d, r);
    }
    if (check && d->provider->cost &&
        d->provider->cost(d->session, &p, &r->arena, &r->cost, err) < 0)
        goto out;
    if (check) {
        /* A run that was killed before it wrote them left hosts that a plan has to know. */
        rc = *hosts_missing || !file_is_dir(d->state_dir) ? 0 : write_known_hosts(d, err);
        goto out;
    }
    if (!d->turn && ask(d, "Bring up", &p, err) < 0)
        goto out;
    leave_for_turns(d, &p);
    if (leave_make_way(d, r, err) < 0)
        goto out;
    if (!plan_is_empty(&p) && apply(d, &p, err) < 0)
        goto out;
    d->gone = true;
    rc = write_known_hosts(d, err) < 0 ? -1 : write_outputs(d, err);
out:
    plan_release(&p);
    if (rc == 0)
        stage_end(d, "hosts", start);
    return rc;
}

/* The resources that hold the database stay. How many. */
static size_t keep_data(struct plan *p)
{
    size_t kept = 0;

    vec_each (each, &p->resources) {
        struct resource *r = *each;

        if (!r->kind->holds_data || r->action != ACTION_DESTROY)
            continue;
        r->action = ACTION_NONE;
        kept++;
    }
    return kept;
}

static bool was_kept(const struct plan *p, const struct resource *left)
{
    const struct resource *r = plan_find(p, left->kind->name, left->name);

    return r && r->kind->holds_data && r->action == ACTION_NONE;
}

static int prove_nothing_left(struct deploy *d, const struct plan *p, struct err *err)
{
    struct plan found;
    struct str left;
    int rc = 0;

    plan_init(&found);
    str_init(&left, STR_MAX_TEXT);
    if (d->provider->leftovers)
        rc = d->provider->leftovers(d->session, &found, err);
    vec_each (r, &found.resources)
        if (!was_kept(p, *r))
            str_printf(&left, "%s%s.%s", left.len ? ", " : "", (*r)->kind->name, (*r)->name);
    if (rc == 0 && left.len) {
        err_set(err, ERR_FAILED, "still there after down: %s", left.buf);
        rc = err_hint(err, "run `down` again");
    }
    str_release(&left);
    plan_release(&found);
    return rc;
}

/* The next hosts are others. */
static int forget_hosts(struct deploy *d, struct err *err)
{
    return state_remove(d->state_dir, PLACES_FILE, err) < 0 ||
                   state_remove(d->state_dir, OUTPUTS_FILE, err) < 0 ||
                   state_remove(d->state_dir, "known_hosts", err) < 0
               ? -1
               : 0;
}

/* The state folder goes last: as long as it is there, `down` can be repeated. The lock in it is
 * held by its descriptor. */
static int remove_state(struct deploy *d, struct err *err)
{
    char *parent = path_dir(d->state_dir);
    int rc = file_remove_tree(d->state_dir, err);

    if (rc == 0)
        remove(parent); /* .pgha, unless another cluster's state is in it */
    free(parent);
    return rc;
}

int deploy_down(struct deploy *d, const struct deploy_down_options *options,
                struct deploy_result *r, struct err *err)
{
    int64_t start = clock_mono_ms();
    bool ignored = false;
    struct plan p;
    int rc = -1;

    plan_init(&p);
    stage_begin(d, "down", "taking the cluster away");
    if (cluster_has_given_hosts(d->cluster)) {
        rc = remove_from_hosts(d, options->delete_data, r, err);
        /* Secrets of data that stays are of use to the next `up` only. */
        if (rc == 0 && options->delete_data)
            rc = remove_state(d, err);
        goto out;
    }
    if (!d->session && d->provider->open(d->cluster, d->state_dir, d->events, &d->session, err) < 0)
        goto out;
    if (d->provider->discover(d->session, &p, err) < 0 || plan_compute(&p, d->session, err) < 0)
        goto out;
    if (options->keep_data && (r->kept = keep_data(&p)) == 0) {
        err_set(err, ERR_USAGE,
                "--keep-data: the cluster has no data volumes, nothing was changed");
        err_hint(err, "without it, `down` destroys the data with the hosts");
        goto out;
    }
    note_actions(d, r, &p, &ignored);
    if (ask(d, "Destroy", &p, err) < 0)
        goto out;
    if (apply(d, &p, err) < 0 || prove_nothing_left(d, &p, err) < 0 ||
        (r->kept ? forget_hosts(d, err) : remove_state(d, err)) < 0)
        goto out;
    if (options->purge && d->provider->purge && d->provider->purge(d->session, err) < 0)
        goto out;
    rc = 0;
out:
    plan_release(&p);
    r->elapsed_ms = clock_mono_ms() - start;
    if (rc == 0)
        stage_end(d, "down", start);
    return rc;
}
