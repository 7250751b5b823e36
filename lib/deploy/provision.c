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
        deploy_note(r, where, what, NULL, res->action == ACTION_DESTROY ? "destroy" : NULL);
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
    if (!check && state_login_key(d->state_dir, err) < 0)
        goto out;
    if (d->provider->desire(d->session, &p, err) < 0 || plan_compute(&p, d->session, err) < 0)
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

int deploy_down(struct deploy *d, bool purge, struct deploy_result *r, struct err *err)
{
    int64_t start = clock_mono_ms();
    bool ignored = false;
    struct plan p;
    int rc = -1;

    plan_init(&p);
    stage_begin(d, "down", "taking the cluster away");
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
