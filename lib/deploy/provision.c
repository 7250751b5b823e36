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
    if (rc == 0)
        rc = state_write(d->state_dir, "known_hosts", keys.buf, keys.len, err);
    str_release(&keys);
    return rc;
}

static void note_actions(struct deploy_result *r, const struct plan *p, bool *hosts_missing)
{
    vec_each (each, &p->resources) {
        const struct resource *res = *each;
        char *where, *what;

        if (res->action == ACTION_NONE)
            continue;
        where = xasprintf("%s.%s", res->kind->name, res->name);
        what = res->reason ? xasprintf("%s: %s", action_names[res->action], res->reason)
                           : xstrdup(action_names[res->action]);
        deploy_note(r, where, what, NULL,
                    res->action == ACTION_DESTROY ? "its data is lost" : NULL);
        *hosts_missing |= str_eq(res->kind->name, "host") && res->action != ACTION_DESTROY;
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

static int ask(struct deploy *d, const char *verb, const struct plan *p, struct err *err)
{
    char *counts, *what;
    bool yes;

    if (!d->confirm)
        return 0;
    counts = summary(p);
    what = xasprintf("%s cluster %s: %s.", verb, d->cluster->name, counts);
    yes = d->confirm(d->confirm_ctx, what);
    free(what);
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

static const struct cluster_host *host_of(const struct cluster *c, const char *name)
{
    vec_each (h, &c->hosts)
        if (str_eq(h->name, name))
            return h;
    return NULL;
}

/* A host that the cluster file no longer has may be destroyed when it was a balancer only. */
static int judge_surplus(const struct cluster *applied, const struct plan *p, size_t first,
                         struct err *err)
{
    for (size_t i = first; i < p->resources.n; i++) {
        const struct resource *r = p->resources.items[i];
        const struct cluster_host *h = host_of(applied, r->name);

        if (!str_eq(r->kind->name, "host") || (h && !h->is_db && !h->is_etcd))
            continue;
        err_set(err, ERR_INPUT,
                "%s is a host of the running cluster, and the cluster file has it "
                "no more: members with data are not removed",
                r->name);
        return err_hint(err, "put the old count back below `nodes`, or `down` and `up` anew, "
                             "which loses the data");
    }
    return 0;
}

static int judge_etcd(const struct cluster *applied, const struct cluster *wanted, struct err *err)
{
    vec_each (h, &wanted->hosts) {
        const struct cluster_host *before = host_of(applied, h->name);

        if (!h->is_etcd || (before && before->is_etcd))
            continue;
        err_set(err, ERR_INPUT,
                "%s would become a member of a running etcd cluster: its members "
                "are not changed",
                h->name);
        return err_hint(err, "put the old counts back below `nodes`; database hosts can be added "
                             "where etcd has hosts of its own");
    }
    return 0;
}

/* Adds hosts that exist and are not wanted, and refuses what would lose data or a quorum. The last
 * cluster file applied tells what they were; without one the cluster never was up. */
static int find_surplus(struct deploy *d, struct plan *p, struct err *err)
{
    char *path = path_join(d->state_dir, "cluster.yaml");
    size_t first = p->resources.n;
    struct cluster applied;
    struct faults faults;
    int rc = d->provider->discover(d->session, p, err);

    memset(&applied, 0, sizeof(applied));
    faults_init(&faults);
    if (rc == 0 && file_exists(path) && cluster_load(&applied, path, &faults) == 0)
        rc = judge_etcd(&applied, d->cluster, err);
    if (rc == 0)
        rc = judge_surplus(&applied, p, first, err);
    cluster_release(&applied);
    faults_release(&faults);
    free(path);
    return rc;
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
    if (d->provider->desire(d->session, &p, err) < 0 || find_surplus(d, &p, err) < 0 ||
        plan_compute(&p, d->session, err) < 0)
        goto out;
    note_actions(r, &p, hosts_missing);
    if (check) {
        rc = 0;
        goto out;
    }
    if (ask(d, "Bring up", &p, err) < 0)
        goto out;
    if (!plan_is_empty(&p) && apply(d, &p, err) < 0)
        goto out;
    rc = write_known_hosts(d, err);
out:
    plan_release(&p);
    if (rc == 0)
        stage_end(d, "hosts", start);
    return rc;
}

static int prove_nothing_left(struct deploy *d, struct err *err)
{
    struct str left;
    int rc;

    str_init(&left, STR_MAX_TEXT);
    rc = d->provider->leftovers(d->session, &left, err);
    if (rc == 0 && left.len) {
        err_set(err, ERR_FAILED, "still there after down: %s", left.buf);
        rc = err_hint(err, "run `down` again");
    }
    str_release(&left);
    return rc;
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

int deploy_down(struct deploy *d, bool purge, bool delete_data, struct deploy_result *r,
                struct err *err)
{
    int64_t start = clock_mono_ms();
    bool ignored = false;
    struct plan p;
    int rc = -1;

    plan_init(&p);
    stage_begin(d, "down", "taking the cluster away");
    if (cluster_has_given_hosts(d->cluster)) {
        rc = remove_from_hosts(d, delete_data, r, err);
        /* Secrets of data that stays are of use to the next `up` only. */
        if (rc == 0 && delete_data)
            rc = remove_state(d, err);
        goto out;
    }
    if (!d->session && d->provider->open(d->cluster, d->state_dir, d->events, &d->session, err) < 0)
        goto out;
    if (d->provider->discover(d->session, &p, err) < 0 || plan_compute(&p, d->session, err) < 0)
        goto out;
    note_actions(r, &p, &ignored);
    if (ask(d, "Destroy", &p, err) < 0)
        goto out;
    if (apply(d, &p, err) < 0 || prove_nothing_left(d, err) < 0 || remove_state(d, err) < 0)
        goto out;
    if (purge && d->provider->purge && d->provider->purge(d->session, err) < 0)
        goto out;
    rc = 0;
out:
    plan_release(&p);
    r->elapsed_ms = clock_mono_ms() - start;
    if (rc == 0)
        stage_end(d, "down", start);
    return rc;
}
