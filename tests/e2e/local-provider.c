/*
 * local-provider.c - drives the local provider alone, without converging: local-provider FILE
 * COMMAND [HOST], for 15-local-provider.t. Prints what it did, errors with their hints to stderr.
 */
#include "lib/base/clock.h"
#include "providers/local/local.h"

struct run {
    struct cluster cluster;
    struct faults faults;
    struct plan plan;
    char *state_dir;
    struct provider_session *session;
};

static int start(struct run *run, const char *file, struct err *err)
{
    if (cluster_load(&run->cluster, file, &run->faults) < 0)
        return faults_to_err(&run->faults, err);
    run->state_dir = state_dir_of(&run->cluster);
    if (state_prepare(run->state_dir, err) < 0 || state_login_key(run->state_dir, err) < 0)
        return -1;
    return provider_local.open(&run->cluster, run->state_dir, NULL, &run->session, err);
}

static void print_plan(const struct plan *p)
{
    vec_each (each, &p->resources) {
        const struct resource *r = *each;

        if (r->action != ACTION_NONE)
            printf("%s %s.%s %s\n", action_names[r->action], r->kind->name, r->name,
                   r->reason ? r->reason : "");
    }
    fflush(stdout);
}

static int save_host_keys(struct run *run, struct err *err)
{
    struct str keys;
    int rc;

    str_init(&keys, STR_MAX_TEXT);
    rc = provider_local.host_keys(run->session, &keys, err);
    if (rc == 0)
        rc = state_write(run->state_dir, "known_hosts", keys.buf, keys.len, err);
    str_release(&keys);
    return rc;
}

static int plan(struct run *run, struct err *err)
{
    if (provider_local.desire(run->session, &run->plan, err) < 0 ||
        plan_compute(&run->plan, run->session, err) < 0)
        return -1;
    print_plan(&run->plan);
    return 0;
}

static int up(struct run *run, struct err *err)
{
    if (plan(run, err) < 0 || plan_apply(&run->plan, run->session, NULL, NULL, err) < 0)
        return -1;
    return save_host_keys(run, err);
}

static int down(struct run *run, struct err *err)
{
    struct plan left;
    int rc = -1;

    plan_init(&left);
    if (provider_local.discover(run->session, &run->plan, err) == 0 &&
        plan_compute(&run->plan, run->session, err) == 0 &&
        plan_apply(&run->plan, run->session, NULL, NULL, err) == 0)
        rc = provider_local.leftovers(run->session, &left, err);
    if (rc == 0 && left.resources.n)
        rc = err_set(err, ERR_FAILED, "left: %s", left.resources.items[0]->name);
    plan_release(&left);
    return rc;
}

static int command(struct run *run, const char *name, const char *host, struct err *err)
{
    if (str_eq(name, "plan"))
        return plan(run, err);
    if (str_eq(name, "up"))
        return up(run, err);
    if (str_eq(name, "down"))
        return down(run, err);
    if (str_eq(name, "on") || str_eq(name, "off"))
        return provider_local.power(run->session, host, str_eq(name, "on"), err);
    if (str_eq(name, "cut") || str_eq(name, "heal"))
        return provider_local.cut(run->session, host, str_eq(name, "cut"), err);
    if (str_eq(name, "purge"))
        return provider_local.purge(run->session, err);
    return err_set(err, ERR_USAGE, "no such command: %s", name);
}

int main(int argc, char **argv)
{
    struct run run = {.session = NULL};
    struct err err = ERR_INIT;
    int rc;

    if (argc < 3)
        return err_exit_status(ERR_USAGE);
    faults_init(&run.faults);
    plan_init(&run.plan);
    rc = start(&run, argv[1], &err);
    if (rc == 0)
        rc = command(&run, argv[2], argc > 3 ? argv[3] : "", &err);
    if (rc < 0)
        fprintf(stderr, "%s\n%s\n", err.text, err.hint ? err.hint : "");
    rc = rc < 0 ? err_exit_status(err.code) : 0;
    provider_local.close(run.session);
    plan_release(&run.plan);
    cluster_release(&run.cluster);
    faults_release(&run.faults);
    free(run.state_dir);
    err_release(&err);
    return rc;
}
