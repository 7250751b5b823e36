/* converge.c - the topology's playbook over the hosts, or its files into a folder. */
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/deploy/stage.h"

enum {
    CONNECT_TIMEOUT_MS = 60000, /* of hosts that may have been made a moment ago */
    HOST_TIMEOUT_MS = 15000,
    PLAN_CONNECT_TIMEOUT_MS = 10000
};

char *deploy_playbook(const struct deploy *d)
{
    return xasprintf("playbooks/%s.yml", d->cluster->topology);
}

struct playbook *deploy_load_playbook(const struct deploy *d, const char *path, struct err *err)
{
    struct playbook *pb;
    struct faults faults;

    faults_init(&faults);
    pb = playbook_load(&d->assets, path, &faults);
    if (!pb) {
        faults_to_err(&faults, err);
        err_wrap(err, "reading the playbook");
    }
    faults_release(&faults);
    return pb;
}

/* The topology's. */
static struct playbook *load(const struct deploy *d, struct err *err)
{
    char *path = deploy_playbook(d);
    struct playbook *pb = deploy_load_playbook(d, path, err);

    free(path);
    return pb;
}

/* Hosts of our own: the state folder's key and known_hosts, whatever the inventory's relative paths
 * say. Called from several threads at once: nothing of d changes. */
void deploy_ssh_target(void *ctx, const char *host, struct ssh_target *target)
{
    const struct deploy *d = ctx;

    UNUSED(host);
    if (cluster_has_given_hosts(d->cluster)) {
        target->accept_new |= d->accept_new_keys;
        return;
    }
    target->identity = d->identity;
    target->known_hosts = d->known_hosts;
}

static void note_changes(struct deploy_result *r, const struct play_result *result)
{
    for (size_t i = 0; i < result->n; i++)
        vec_each (c, &result->hosts[i].changes)
            deploy_note(r, result->hosts[i].host, c->summary, c->diff, c->consequence);
}

/* The others' work went on: only those that failed are to be tried again. */
static void hint_at_failed(const struct play_result *result, struct err *err)
{
    struct str hint;
    size_t failed = 0;

    str_init(&hint, STR_MAX_TEXT);
    if (err->hint)
        str_printf(&hint, "%s\n  -> ", err->hint);
    str_puts(&hint, "then `pgha-deploy up --limit ");
    for (size_t i = 0; i < result->n; i++)
        if (result->hosts[i].err.code)
            str_printf(&hint, "%s%s", failed++ ? "," : "", result->hosts[i].host);
    str_puts(&hint, "`");
    if (failed)
        err_hint(err, "%s", hint.buf);
    str_release(&hint);
}

int converge(struct deploy *d, bool check, struct deploy_result *r, struct err *err)
{
    int64_t start = clock_mono_ms();
    struct playbook *pb = load(d, err);
    struct play_result result;
    struct play_options options = {
        .check = check,
        .diff = check,
        .events = d->events,
        .target = deploy_ssh_target,
        .target_ctx = d,
        .connect_deadline_ms = start + (check ? PLAN_CONNECT_TIMEOUT_MS : CONNECT_TIMEOUT_MS),
    };
    char *limit = deploy_limit(d);
    int rc;

    if (!pb) {
        free(limit);
        return -1;
    }
    options.limit = limit;
    stage_begin(d, "converge", "packages, files, services");
    rc = play_run(pb, &d->assets, &d->inventory, &options, &result, err);
    note_changes(r, &result);
    if (rc == 0)
        stage_end(d, "converge", start);
    else if (cluster_has_given_hosts(d->cluster) && !d->adoption)
        hint_at_failed(&result, err);
    else if (err->code == ERR_NET && !err->hint)
        err_hint(err, "run the same command again: it goes on where this run stopped");
    play_result_release(&result);
    playbook_free(pb);
    free(limit);
    return rc;
}

int deploy_play(struct deploy *d, const char *path, const struct inventory *inv,
                const struct value *vars, const char *limit, struct deploy_result *r,
                struct err *err)
{
    struct play_options options = {
        .extra_vars = vars,
        .limit = limit,
        .events = d->events,
        .target = deploy_ssh_target,
        .target_ctx = d,
        .connect_deadline_ms = clock_mono_ms() + HOST_TIMEOUT_MS,
    };
    struct playbook *pb = deploy_load_playbook(d, path, err);
    struct play_result result;
    int rc;

    if (!pb)
        return -1;
    rc = play_run(pb, &d->assets, inv, &options, &result, err);
    for (size_t i = 0; r && i < result.n; i++)
        vec_each (c, &result.hosts[i].changes)
            deploy_note(r, result.hosts[i].host, c->task, NULL, c->consequence);
    play_result_release(&result);
    playbook_free(pb);
    return rc;
}

struct render {
    const char *dir, *host;
};

static int write_rendered(void *ctx, const char *dest, unsigned mode, const char *owner,
                          const char *content, size_t len, struct err *err)
{
    struct render *r = ctx;
    char *path = xasprintf("%s/%s/%s", r->dir, r->host, dest + (*dest == '/')),
         *dir = path_dir(path);
    int rc = file_mkdirs(dir, 0700, err);

    UNUSED(mode); /* the files hold secrets and belong to the caller: 0600, whatever they get on the
                     host */
    UNUSED(owner);
    if (rc == 0)
        rc = file_write(path, content, len, 0600, err);
    free(dir);
    free(path);
    return rc;
}

int deploy_render(struct deploy *d, const char *dir, struct err *err)
{
    struct playbook *pb = load(d, err);
    int rc = pb ? 0 : -1;

    for (size_t i = 0; rc == 0 && i < d->cluster->hosts.n; i++) {
        struct render r = {dir, d->cluster->hosts.items[i].name};

        if ((rc = play_render(pb, &d->assets, &d->inventory, r.host, write_rendered, &r, err)) < 0)
            err_wrap(err, "rendering %s", r.host);
    }
    playbook_free(pb);
    return rc;
}
