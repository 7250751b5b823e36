/*
 * doctor_foreign.c - checks for what is somebody else's: it is never overwritten, so it must go, or
 * the host is the wrong one.
 */
#include "lib/check/doctor_judge.h"

static const char wrong_host[] =
    "is this the right host? Nothing of it is overwritten: move it away first";
static const char adopt_or_move[] = "is this the right host? Nothing of it is overwritten: "
                                    "`pgha-deploy up --adopt` takes a healthy "
                                    "cluster over, or move it away first";

/* ---- data directories of PostgreSQL ---- */

static const char *describe(struct judge *j, const struct host_pgdata *d)
{
    struct arena *a = &j->doctor->arena;
    const char *what = d->version ? arena_printf(a, "PostgreSQL %d", d->version)
                                  : "something that is no data directory";

    if (d->system_id)
        what = arena_printf(a, "%s (system %llu)", what, (unsigned long long)d->system_id);
    if (d->pid)
        what = arena_printf(a, "%s, running as pid %d%s", what, d->pid,
                            d->under_patroni ? " under Patroni" : "");
    if (d->pid && d->port)
        what = arena_printf(a, "%s on port %d", what, d->port);
    return what;
}

/* `down` took the configuration and left the data. */
static bool is_kept(const struct judge *j, const struct host_pgdata *d)
{
    uint64_t ours = j->in->cluster->system_id;

    return ours && !d->pid && d->system_id == ours;
}

void check_postgresql(struct judge *j)
{
    bool patroni_is_ours = judge_is_ours(j, CONFIG_PATRONI);
    size_t faults = 0;

    vec_each (d, &j->facts->pgdata) {
        bool in_the_way = str_eq(d->path, j->in->data_dir);

        /* Any folder with something in it may be beside the data directories. */
        if (in_the_way ? patroni_is_ours || is_kept(j, d) : !d->version)
            continue;
        faults++;
        if (in_the_way || d->pid)
            judge_blocker(j, wrong_host, "%s: %s", d->path, describe(j, d));
        else
            judge_warn(j, NULL, "%s: %s; it stays as it is", d->path, describe(j, d));
    }
    if (!faults)
        judge_ok(j, patroni_is_ours ? "the cluster's own" : "no data directory");
}

/* ---- Patroni ---- */

static void judge_patroni_config(struct judge *j, const struct host_config *c)
{
    const char *scope = c->scope ? c->scope : "unknown";

    if (c->owner == CONFIG_OURS)
        judge_blocker(j, "take the host out of that cluster first: pgha-deploy down",
                      "it belongs to another cluster of pgha-deploy: %s", scope);
    else
        judge_blocker(j, adopt_or_move, "%s: Patroni of somebody else, scope %s", c->path, scope);
}

/* A script may go by the name of its interpreter. */
static const struct host_process *find_patroni(const struct host_facts *f)
{
    vec_each (p, &f->processes)
        if (str_eq(p->name, "patroni") || str_starts(p->name, "python"))
            return p; /* of Python's the survey tells Patroni alone */
    return NULL;
}

void check_patroni(struct judge *j)
{
    const struct host_process *p = find_patroni(j->facts);
    size_t faults = 0;

    if (judge_is_ours(j, CONFIG_PATRONI)) {
        judge_ok(j, "the cluster's own");
        return;
    }
    vec_each (c, &j->facts->configs) {
        /* One without a scope is a part, such as Debian's dcs.yml. */
        if (c->kind != CONFIG_PATRONI || c->owner == CONFIG_DEFAULT || !c->scope)
            continue;
        judge_patroni_config(j, c);
        faults++;
    }
    if (!faults && p)
        judge_blocker(j, wrong_host, "Patroni runs here as pid %d: %s", p->pid,
                      p->arguments ? p->arguments : p->name);
    else if (!faults)
        judge_ok(j, "none here");
}

/* ---- etcd ---- */

static bool judge_etcd_config(struct judge *j, const struct host_config *c)
{
    if (c->owner == CONFIG_OURS)
        judge_blocker(j, "take the host out of that cluster first: pgha-deploy down",
                      "etcd of another cluster of pgha-deploy: %s",
                      c->token ? c->token : "unknown");
    else
        judge_blocker(j, wrong_host, "%s: etcd of somebody else%s%s", c->path,
                      c->initial_cluster ? ", members " : "",
                      c->initial_cluster ? c->initial_cluster : "");
    return true;
}

static void judge_etcd_folder(struct judge *j, const char *path, const char *own_path,
                              const struct host_process *running)
{
    if (str_eq(path, own_path) || running)
        judge_blocker(j, wrong_host, "%s holds data of an etcd that is not this cluster's%s", path,
                      running ? ", and etcd runs" : "");
    else
        judge_warn(j, NULL, "%s holds data of another etcd; it stays as it is", path);
}

static const struct host_process *find_etcd(const struct host_facts *f)
{
    vec_each (p, &f->processes)
        if (str_eq(p->name, "etcd"))
            return p;
    return NULL;
}

void check_etcd_data(struct judge *j)
{
    const struct host_process *running = find_etcd(j->facts);
    const char *own = arena_printf(&j->doctor->arena, "/var/lib/etcd/%s", j->in->cluster->name);
    const struct host_config *config = survey_config(j->facts, CONFIG_ETCD);
    bool ours = judge_is_ours(j, CONFIG_ETCD), faults = false;

    /* A foreign file without settings is what an administrator left of the package's. */
    if (!ours && config && config->owner != CONFIG_DEFAULT &&
        (config->owner == CONFIG_OURS || config->initial_cluster || config->member))
        faults = judge_etcd_config(j, config);
    vec_each (path, &j->facts->etcd_data) {
        if (str_eq(*path, own) && (ours || (j->in->cluster->system_id && !running)))
            continue;
        judge_etcd_folder(j, *path, own, ours ? NULL : running);
        faults = true;
    }
    if (!faults && !ours && running) {
        judge_blocker(j, wrong_host, "etcd runs here as pid %d: %s", running->pid,
                      running->arguments ? running->arguments : "");
        faults = true;
    }
    if (!faults)
        judge_ok(j, ours ? "the cluster's own" : "none here");
}

/* ---- what etcd holds ---- */

static bool is_told_elsewhere(const struct judge *j)
{
    for (const struct doctor_host *h = j->in->hosts; h < j->at; h++)
        if (judge_was_surveyed(h) && h->survey->facts.dcs_system_id)
            return true;
    return false;
}

/* Patroni would refuse to start on data of another system than the store's, one member after the
 * other. */
void check_store(struct judge *j)
{
    uint64_t id = j->facts->dcs_system_id;
    size_t faults = 0;

    if (!id || !str_eq(j->facts->member_of, j->in->cluster->name) || is_told_elsewhere(j)) {
        judge_ok(j, id ? "as elsewhere" : "empty, or etcd does not run");
        return;
    }
    for (size_t i = 0; i < j->in->n; i++) {
        const struct doctor_host *h = &j->in->hosts[i];

        if (!judge_was_surveyed(h))
            continue;
        vec_each (d, &h->survey->facts.pgdata) {
            if (!d->system_id || d->system_id == id || !str_eq(d->path, j->in->data_dir))
                continue;
            judge_blocker(j,
                          "put back the data that belongs to it, or have the wrong one deleted: "
                          "`pgha-deploy up --wipe HOST`",
                          "etcd holds the system %llu, and the data on %s is of the system %llu",
                          (unsigned long long)id, h->host->name, (unsigned long long)d->system_id);
            faults++;
        }
    }
    if (!faults)
        judge_ok(j, "the system of the data");
}

/* ---- balancers ---- */

static bool judge_balancer_config(struct judge *j, enum config_kind kind, const char *program)
{
    const struct host_config *c = survey_config(j->facts, kind);

    if (!c || c->owner == CONFIG_DEFAULT || judge_is_ours(j, kind))
        return false;
    if (c->owner == CONFIG_OURS)
        judge_blocker(j, "take the host out of that cluster first: pgha-deploy down",
                      "%s of another cluster of pgha-deploy: %s", program,
                      j->facts->vrrp_instance ? j->facts->vrrp_instance : "unknown");
    else
        judge_blocker(j, wrong_host, "%s: %s of somebody else", c->path, program);
    return true;
}

void check_balancer(struct judge *j)
{
    bool faults = judge_balancer_config(j, CONFIG_HAPROXY, "HAProxy");

    faults |= judge_balancer_config(j, CONFIG_KEEPALIVED, "keepalived");
    if (!faults)
        judge_ok(j, judge_is_ours(j, CONFIG_HAPROXY) ? "the cluster's own" : "none here");
}
