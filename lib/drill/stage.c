/* stage.c - the hosts and who is what among them. */
#include "lib/drill/stage.h"

#include "lib/base/clock.h"
#include "lib/drill/guard.h"

enum { CONNECT_MS = 5000, SCRIPT_MS = 30000, OUTPUT_MAX = 64 * 1024 };
enum { LEADER_MS = 120000, POLL_MS = 100 };

static struct drill_host *host_at(struct drill_stage *s, const struct cluster_host *host)
{
    vec_each (h, &s->hosts)
        if (h->host == host)
            return h;
    return NULL;
}

static int connect_host(struct drill_stage *s, struct drill_host *h, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct ssh_target target;
    int rc = check_ssh_target(s->target, h->host->name, &arena, &target, err);

    target.connect_timeout_ms = CONNECT_MS;
    if (rc == 0 && !(h->ssh = ssh_open(&target, err)))
        rc = -1;
    arena_release(&arena);
    return rc;
}

static void forget_connection(struct drill_host *h)
{
    ssh_close(h->ssh);
    h->ssh = NULL;
}

static int run_script(struct drill_stage *s, struct drill_host *h, struct ssh_run *run,
                      struct err *err)
{
    int rc = h->ssh ? 0 : connect_host(s, h, err);

    if (rc == 0 && (rc = ssh_script(h->ssh, run, err)) < 0)
        forget_connection(h);
    if (rc == 0 && run->status != 0) {
        str_trim_end(run->errout);
        rc = err_set(err, ERR_REMOTE, "exit status %d: %s", run->status, run->errout->buf);
    }
    return rc < 0 ? err_wrap(err, "%s", h->host->name) : 0;
}

int stage_run(struct drill_stage *s, struct drill_host *h, const char *script, struct str *out,
              struct err *err)
{
    struct str own, errout;
    struct ssh_run run = {.script = script, .script_len = strlen(script), .timeout_ms = SCRIPT_MS};
    int rc;

    str_init(&own, OUTPUT_MAX);
    str_init(&errout, OUTPUT_MAX);
    run.out = out ? out : &own;
    run.errout = &errout;
    rc = run_script(s, h, &run, err);
    str_release(&own);
    str_release(&errout);
    return rc;
}

int stage_open(struct drill_stage *s, struct err *err)
{
    vec_each (h, &s->target->cluster->hosts)
        vec_push(&s->hosts, ((struct drill_host){.host = h}));
    vec_each (h, &s->hosts)
        if (connect_host(s, h, err) < 0)
            return -1;
    return 0;
}

void stage_close(struct drill_stage *s)
{
    vec_each (h, &s->hosts)
        forget_connection(h);
    vec_release(&s->hosts);
    vec_release(&s->faults);
}

/* ---- who is what ---- */

static void take_member(struct drill_stage *s, const struct patroni_member *m)
{
    struct drill_host *h = host_at(s, check_host_at(s->target->cluster, m->address));

    if (!h)
        return;
    if (patroni_is_leader(m)) {
        s->primary = h;
        s->timeline = m->timeline;
    } else if (patroni_is_sync(m)) {
        s->sync = h;
    } else {
        s->replica = h;
    }
}

static int look_at_members(struct drill_stage *s, struct err *err)
{
    struct patroni_api api = {s->target->cluster, s->target->secrets, 0};
    struct patroni_view view;
    int rc = patroni_view(&api, s->arena, &view, err);

    if (rc == 0)
        vec_each (m, &view.members)
            take_member(s, m);
    if (rc == 0 && !s->replica)
        s->replica = s->sync;
    patroni_view_release(&view);
    return rc;
}

int stage_holds_vip(struct drill_stage *s, struct drill_host *lb, bool *holds, struct err *err)
{
    char *script = xasprintf("ip -o -4 addr show to %s/32\n", s->target->cluster->vip);
    struct str out;
    int rc;

    str_init(&out, OUTPUT_MAX);
    rc = stage_run(s, lb, script, &out, err);
    *holds = rc == 0 && out.len > 0;
    str_release(&out);
    free(script);
    return rc;
}

static int look_at_host(struct drill_stage *s, struct drill_host *h, struct err *err)
{
    bool yes = false;

    if (h->host->is_etcd && check_etcd_leads(s->target, h->host->address, &yes, err) < 0)
        return err_wrap(err, "etcd of %s", h->host->name);
    if (yes)
        s->etcd_leader = h;
    if (!h->host->is_lb || !s->target->cluster->vip)
        return 0;
    if (stage_holds_vip(s, h, &yes, err) < 0)
        return -1;
    *(yes ? &s->holder : &s->other_balancer) = h;
    return 0;
}

static const char *name_of(const struct drill_host *h)
{
    return h ? h->host->name : "none";
}

int stage_look(struct drill_stage *s, struct err *err)
{
    s->primary = s->replica = s->sync = s->holder = s->other_balancer = s->etcd_leader = NULL;
    if (look_at_members(s, err) < 0)
        return -1;
    vec_each (h, &s->hosts)
        if (look_at_host(s, h, err) < 0)
            return -1;
    s->members = arena_printf(
        s->arena, "primary %s, synchronous %s%s%s, etcd's leader %s", name_of(s->primary),
        name_of(s->sync), s->target->cluster->vip ? ", VIP on " : "",
        s->target->cluster->vip ? name_of(s->holder) : "", name_of(s->etcd_leader));
    return 0;
}

int stage_wait_leader(struct drill_stage *s, const struct drill_host *h, struct err *err)
{
    int64_t deadline = clock_mono_ms() + LEADER_MS;

    do {
        struct err ignored = ERR_INIT;

        s->primary = NULL;
        (void)!look_at_members(s, &ignored);
        err_release(&ignored);
        if (s->primary == h)
            return 0;
        clock_sleep_ms(POLL_MS);
    } while (clock_mono_ms() < deadline && !clock_stop_requested());
    return err_set(err, ERR_TIMEOUT, "%s does not lead after %d s", h->host->name,
                   LEADER_MS / 1000);
}
