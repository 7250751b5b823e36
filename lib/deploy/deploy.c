/* deploy.c - what every stage works on, and the two ways through all of them: up and plan. */
#include "lib/deploy/deploy.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/cluster/sqlobjects.h"
#include "lib/cluster/tls.h"
#include "lib/deploy/adopt.h"
#include "lib/deploy/route.h"
#include "lib/deploy/run_log.h"
#include "lib/deploy/saved_plan.h"
#include "lib/deploy/stage.h"

enum { READY_TIMEOUT_MS = 180000, SQL_TIMEOUT_MS = 10000 };

static int write_inventory(struct deploy *d, struct err *err)
{
    struct str text;
    int rc;

    str_init(&text, STR_MAX_TEXT);
    rc = inventory_write(&d->inventory, INVENTORY_YAML, cluster_secret_vars, &text, err);
    if (rc == 0)
        rc = state_write(d->state_dir, INVENTORY_FILE, text.buf, text.len, err);
    str_release(&text);
    return rc;
}

static int write_cluster_file(struct deploy *d, struct err *err)
{
    struct str text;
    int rc;

    str_init(&text, STR_MAX_TEXT);
    rc = file_read(d->cluster->file, &text, err);
    if (rc == 0)
        rc = state_write(d->state_dir, CLUSTER_FILE, text.buf, text.len, err);
    str_release(&text);
    return rc;
}

static int save_secrets(struct deploy *d, struct err *err)
{
    char *made_key = NULL, *text;
    int rc = secrets_save(&d->secrets, d->state_dir, &d->vault, &made_key, err);

    if (made_key) {
        text = xasprintf("%s is new: without it the secrets in %s are lost, so keep a copy",
                         made_key, d->state_dir);
        event_send(d->events, &(struct event){.kind = EVENT_NOTE, .text = text});
        free(text);
    }
    free(made_key);
    return rc < 0 ? -1 : tls_save_ca(&d->secrets, d->state_dir, err);
}

static int issue_certificates(struct deploy *d, bool *grew, struct err *err)
{
    return tls_prepare(&d->secrets, d->cluster, clock_real_ms() / 1000, grew, err);
}

static int open_secrets(struct deploy *d, enum deploy_access access, struct err *err)
{
    bool grew;

    if (secrets_load(&d->secrets, d->cluster, d->state_dir, &d->vault, &grew, err) < 0 ||
        issue_certificates(d, &grew, err) < 0)
        return -1;
    /* A reader works with what it generated for its own run only: nothing was deployed with it yet.
     */
    if (access != DEPLOY_WRITE)
        return 0;
    return grew ? save_secrets(d, err) : tls_save_ca(&d->secrets, d->state_dir, err);
}

static int open_inventory(struct deploy *d, struct err *err)
{
    return cluster_inventory(d->cluster, &d->secrets, d->identity, d->known_hosts, &d->inventory,
                             err);
}

int deploy_save_secrets(struct deploy *d, struct err *err)
{
    if (save_secrets(d, err) < 0)
        return -1;
    inventory_release(&d->inventory);
    return open_inventory(d, err);
}

/* The lock, and the log of the run that has it. */
static int take_lock(struct deploy *d, struct err *err)
{
    if (state_prepare(d->state_dir, err) < 0 || state_lock(d->state_dir, &d->lock, err) < 0 ||
        !(d->log = run_log_open(d->state_dir, d->command, d->events, err)))
        return -1;
    d->events = run_log_sink(d->log);
    return 0;
}

int deploy_open(struct deploy *d, enum deploy_access access, struct err *err)
{
    d->lock = -1;
    d->session = NULL;
    d->route = NULL;
    d->left_out = NULL;
    d->silent = NULL;
    d->adoption = NULL;
    d->log = NULL;
    memset(&d->turns, 0, sizeof(d->turns));
    memset(&d->leaving, 0, sizeof(d->leaving));
    d->departing = NULL;
    d->gone = false;
    d->turn = NULL;
    d->state_dir = state_dir_of(d->cluster);
    d->ca_file = tls_ca_path(d->state_dir);
    d->identity = path_join(d->state_dir, "id_ed25519");
    d->known_hosts = path_join(d->state_dir, "known_hosts");
    memset(&d->secrets, 0, sizeof(d->secrets));
    memset(&d->inventory, 0, sizeof(d->inventory));
    if ((access == DEPLOY_EXISTING || access == DEPLOY_DRILL) && !file_is_dir(d->state_dir)) {
        err_set(err, ERR_FAILED, "cluster %s was not brought up from here: there is no %s",
                d->cluster->name, d->state_dir);
        return err_hint(err, "pgha-deploy -f %s up", d->cluster->file);
    }
    if ((access >= DEPLOY_WRITE || access == DEPLOY_DRILL) && take_lock(d, err) < 0)
        return -1;
    if (deploy_locate(d, access, err) < 0)
        return -1;
    if (access == DEPLOY_DESTROY || access == DEPLOY_LOOK)
        return 0;
    if (open_secrets(d, access, err) < 0 || open_inventory(d, err) < 0)
        return -1;
    d->route = deploy_route_new(d);
    return access == DEPLOY_DRILL
               ? d->provider->open(d->cluster, d->state_dir, d->events, &d->session, err)
               : 0;
}

void deploy_close(struct deploy *d)
{
    deploy_route_free(d->route);
    free(d->left_out);
    free(d->silent);
    adopt_free(d->adoption);
    run_log_close(d->log, d->failed);
    if (d->session)
        d->provider->close(d->session);
    if (d->lock >= 0)
        lock_release(d->lock);
    vec_release(&d->turns);
    leave_forget(d);
    free(d->departing);
    inventory_release(&d->inventory);
    secrets_release(&d->secrets);
    free(d->state_dir);
    free(d->ca_file);
    free(d->identity);
    free(d->known_hosts);
}

struct check_target deploy_check_target(const struct deploy *d)
{
    return (struct check_target){d->cluster, &d->secrets, d->state_dir, d->ca_file,
                                 d->accept_new_keys};
}

void deploy_result_init(struct deploy_result *r)
{
    memset(r, 0, sizeof(*r));
}

void deploy_result_release(struct deploy_result *r)
{
    verify_release(&r->verify);
    vec_release(&r->changes);
    arena_release(&r->arena);
}

void deploy_note(struct deploy_result *r, const char *where, const char *what, const char *diff,
                 const char *consequence)
{
    struct deploy_change change = {arena_strdup(&r->arena, where), log_redacted(&r->arena, what),
                                   log_redacted(&r->arena, diff),
                                   log_redacted(&r->arena, consequence)};

    vec_push(&r->changes, change);
}

static struct value *text_or_null(struct arena *a, const char *text)
{
    return text ? value_str(a, text) : value_null(a);
}

struct value *deploy_result_to_value(const struct deploy_result *r, struct arena *a)
{
    struct value *top = value_map(a), *list = value_list(a);

    vec_each (c, &r->changes) {
        struct value *item = value_map(a);

        value_map_set(a, item, "where", value_str(a, c->where));
        value_map_set(a, item, "what", value_str(a, c->what));
        value_map_set(a, item, "diff", text_or_null(a, c->diff));
        value_map_set(a, item, "consequence", text_or_null(a, c->consequence));
        value_list_add(a, list, item);
    }
    value_map_set(a, top, "changed", value_int(a, (int64_t)r->changes.n));
    value_map_set(a, top, "changes", list);
    if (r->cost)
        value_map_set(a, top, "cost", value_copy(a, r->cost));
    if (r->verified)
        value_map_set(a, top, "verify", verify_to_value(&r->verify, a));
    value_map_set(a, top, "elapsed_ms", value_int(a, r->elapsed_ms));
    return top;
}

void stage_begin(struct deploy *d, const char *stage, const char *text)
{
    event_send(d->events, &(struct event){.kind = EVENT_STAGE, .stage = stage, .text = text});
}

void stage_end(struct deploy *d, const char *stage, int64_t start)
{
    event_send(d->events, &(struct event){.kind = EVENT_STAGE_END,
                                          .stage = stage,
                                          .elapsed_ms = clock_mono_ms() - start});
}

/* A plan looks past the balancers, which may not have found the leader yet. */
static struct pg_target sql_login(const struct check_target *t, const struct patroni_view *view,
                                  bool apply)
{
    if (apply || !view->leader)
        return check_primary(t, view, SQL_TIMEOUT_MS);
    return check_login(t, view->leader->address, t->cluster->port_postgres, SQL_TIMEOUT_MS);
}

static int sql_objects(struct deploy *d, bool apply, struct deploy_result *r, struct err *err)
{
    struct check_target target = deploy_check_target(d);
    struct patroni_api api = {d->cluster, &d->secrets, 0};
    struct arena arena = ARENA_INIT;
    struct patroni_view view;
    struct sql_changes changes = {0};
    struct pg_target login;
    int rc = patroni_view(&api, &arena, &view, err);

    if (rc == 0) {
        login = sql_login(&target, &view, apply);
        rc = sql_converge(d->cluster, &d->secrets, &login, apply, &changes, err);
        vec_each (c, &changes.items)
            deploy_note(r, "sql", c->what, NULL, NULL);
        sql_changes_release(&changes);
    }
    if (rc < 0 && !apply && (err->code == ERR_NET || err->code == ERR_TIMEOUT)) {
        deploy_note(r, "sql", "roles, databases, extensions: no member says yet what is there",
                    NULL, NULL);
        err_release(err);
        rc = 0;
    }
    patroni_view_release(&view);
    arena_release(&arena);
    return rc < 0 ? err_wrap(err, "creating SQL objects") : 0;
}

static int verify(struct deploy *d, struct deploy_result *r, struct err *err)
{
    struct check_target target = deploy_check_target(d);

    verify_run(&target, &r->verify);
    r->verified = true;
    if (!r->verify.failed)
        return 0;
    err_set(err, ERR_VERIFY, "verify found %d fault%s", r->verify.failed,
            r->verify.failed == 1 ? "" : "s");
    return err_hint(err, "look at `pgha-deploy status`, and `pgha-deploy logs HOST patroni`");
}

/* Data that `down` keeps is known again by it. */
static int remember_system(struct deploy *d, struct err *err)
{
    struct check_target target = deploy_check_target(d);
    struct patroni_api api = {d->cluster, &d->secrets, 0};
    struct arena arena = ARENA_INIT;
    struct patroni_view view;
    struct pg_target login;
    struct pg *pg = NULL;
    int rc;

    if (!cluster_has_given_hosts(d->cluster) || d->cluster->system_id)
        return 0;
    if ((rc = patroni_view(&api, &arena, &view, err)) == 0) {
        login = check_primary(&target, &view, SQL_TIMEOUT_MS);
        pg = pg_open(&login, err);
        rc = pg ? pg_exec(pg, "SELECT system_identifier FROM pg_control_system()", 0, NULL, err)
                : -1;
    }
    if (rc == 0)
        rc = deploy_remember_system(d, strtoull(pg_value(pg, 0, 0), NULL, 10), err);
    pg_close(pg);
    patroni_view_release(&view);
    arena_release(&arena);
    return rc;
}

static int tell_silent(const struct deploy *d, struct err *err)
{
    if (!d->silent)
        return 0;
    err_set(err, ERR_NET, "the others are converged, but not %s: no answer", d->silent);
    return err_hint(err,
                    "`pgha-deploy status` tells how the cluster is; when they are back: "
                    "pgha-deploy up --limit %s",
                    d->silent);
}

static int save_cluster(struct deploy *d, struct err *err)
{
    return write_cluster_file(d, err) < 0 || write_inventory(d, err) < 0 ? -1 : 0;
}

/* A cloud's hosts are known better once they are there, and so is an address that it chose. */
static int take_in_hosts(struct deploy *d, struct err *err)
{
    bool grew = false;

    if (!cluster_is_in_cloud(d->cluster))
        return 0;
    if (issue_certificates(d, &grew, err) < 0 || (grew && save_secrets(d, err) < 0))
        return -1;
    inventory_release(&d->inventory);
    if (open_inventory(d, err) < 0)
        return -1;
    deploy_route_free(d->route);
    d->route = deploy_route_new(d);
    return 0;
}

/* *began: hosts were made or started in it. */
static int hosts_stage(struct deploy *d, bool *began, struct deploy_result *r, struct err *err)
{
    int64_t start = clock_mono_ms();
    int rc = provision(d, false, began, r, err);

    if (rc == 0)
        rc = take_in_hosts(d, err);
    if (rc == 0 && !d->departing) /* they are looked up in it until they are gone */
        rc = write_inventory(d, err);
    r->elapsed_ms = clock_mono_ms() - start;
    return rc;
}

int deploy_hosts(struct deploy *d, struct deploy_result *r, struct err *err)
{
    bool began = false;

    return hosts_stage(d, &began, r, err);
}

static int locate_made(struct deploy *d, bool began, struct err *err)
{
    return deploy_locate_made(d, began, err) < 0 ? -1 : take_in_hosts(d, err);
}

static int converge_until_ready(struct deploy *d, struct deploy_result *r, struct err *err)
{
    int64_t start;

    if (converge(d, false, r, err) < 0 || adopt_end(d, r, err) < 0)
        return -1;
    mend_dcs(d, r);
    start = clock_mono_ms();
    stage_begin(d, "ready", "waiting until every member is well");
    if (wait_ready(d, READY_TIMEOUT_MS, err) < 0)
        return -1;
    stage_end(d, "ready", start);
    return 0;
}

/* Hosts that were asked for as somebody's bare machines. */
static int check_image(const struct deploy *d, struct err *err)
{
    if (!str_eq(d->cluster->provider, "local") ||
        str_eq(value_at(d->cluster->config, "provider.image")->u.str.s, "full"))
        return 0;
    err_set(err, ERR_INPUT, "provider.image: bare hosts have none of the cluster's packages");
    return err_hint(err, "make them with `up --hosts-only` and give them to provider existing in "
                         "another cluster file, or leave provider.image out");
}

static int up_stages(struct deploy *d, struct deploy_result *r, struct err *err)
{
    bool began = false;
    size_t changes;
    int64_t start;

    if (check_image(d, err) < 0 || hosts_stage(d, &began, r, err) < 0 ||
        locate_made(d, began, err) < 0 || rotate_old_authority(d, err) < 0)
        return -1;
    if (adopt_begin(d, r, err) < 0)
        return -1;
    rotate_if_possible(d, r);
    if (d->silent)
        return converge(d, false, r, err) < 0 ? -1 : tell_silent(d, err);
    if (converge_until_ready(d, r, err) < 0)
        return -1;
    if (rotation_is_pending(d) &&
        (rotate_pending(d, r, err) < 0 || converge_until_ready(d, r, err) < 0))
        return -1;
    changes = r->changes.n;
    if (converge_dcs(d, false, r, err) < 0)
        return -1;
    /* Restarted members are back before the balancers' checks have seen it. */
    if (r->changes.n > changes && wait_ready(d, READY_TIMEOUT_MS, err) < 0)
        return -1;
    if (turns_take(d, r, err) < 0)
        return -1;
    start = clock_mono_ms();
    stage_begin(d, "sql", "roles, databases, extensions");
    if (sql_objects(d, true, r, err) < 0 || remember_system(d, err) < 0)
        return -1;
    stage_end(d, "sql", start);
    start = clock_mono_ms();
    stage_begin(d, "verify", "replication, ports, addresses");
    if (verify(d, r, err) < 0)
        return -1;
    stage_end(d, "verify", start);
    return save_cluster(d, err);
}

int deploy_up(struct deploy *d, struct deploy_result *r, struct err *err)
{
    int64_t start = clock_mono_ms();
    int rc = d->plan ? saved_plan_check(d, d->plan, err) : 0;

    if (rc == 0)
        rc = up_stages(d, r, err);

    r->elapsed_ms = clock_mono_ms() - start;
    return rc;
}

/* Before it has a leader, a new cluster has no configuration either. */
static bool has_leader(const struct deploy *d)
{
    struct patroni_api api = {d->cluster, &d->secrets, 0};
    struct arena arena = ARENA_INIT;
    struct patroni_view view;
    struct err ignored = ERR_INIT;
    bool has = patroni_view(&api, &arena, &view, &ignored) == 0 && view.leader;

    err_release(&ignored);
    patroni_view_release(&view);
    arena_release(&arena);
    return has;
}

/* What PostgreSQL and Patroni have to tell, who do so when there is a leader. */
static int plan_inside(struct deploy *d, struct deploy_result *r, struct err *err)
{
    size_t changes = r->changes.n;
    int rc = converge_dcs(d, true, r, err) < 0 ? -1 : sql_objects(d, false, r, err);

    if (rc == 0 || has_leader(d))
        return rc;
    err_release(err);
    r->changes.n = changes;
    deploy_note(r, "cluster", "start it, with its roles, databases and extensions", NULL, NULL);
    return 0;
}

int deploy_plan_hosts(struct deploy *d, struct deploy_result *r, struct err *err)
{
    int64_t start = clock_mono_ms();
    bool missing = false;
    int rc = provision(d, true, &missing, r, err);

    r->elapsed_ms = clock_mono_ms() - start;
    return rc;
}

int deploy_plan(struct deploy *d, struct deploy_result *r, struct err *err)
{
    int64_t start = clock_mono_ms();
    bool missing = false;
    int rc = provision(d, true, &missing, r, err);

    /* Without hosts there is nothing to log in to: the rest of the plan is "everything". */
    if (rc == 0 && missing)
        deploy_note(r, "cluster",
                    deploy_runs(d) ? "install and configure the hosts, of which new ones join"
                                   : "install and configure every host, bootstrap the cluster",
                    NULL, NULL);
    else if (rc == 0) {
        rc = converge(d, true, r, err);
        if (rc == 0)
            rc = plan_inside(d, r, err);
    }
    r->elapsed_ms = clock_mono_ms() - start;
    return rc;
}
