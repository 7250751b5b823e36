/* drill.c - the course of a scenario. */
#include "lib/drill/drill.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/drill/client.h"
#include "lib/drill/copies.h"
#include "lib/drill/guard.h"
#include "lib/drill/journals.h"
#include "lib/drill/ledger_table.h"
#include "lib/net/tunnel.h"

enum {
    LOOK_MS = 100,
    STEADY_MS = 1500,   /* clients are answered without a break: before, and when service is back */
    BREAK_MS = 400,     /* what is a break */
    BEGIN_MS = 20000,   /* until every client is answered */
    HEALTHY_MS = 30000, /* the cluster before */
    WHOLE_MS = 180000,  /* and after */
    PATIENCE_MS = 30000, /* beyond twice the bound, until service is given up */
    ROLE_TIMEOUT_MS = 500,
    GROUPS_MAX = 6
};

struct course {
    struct drill *drill;
    const struct scenario *scenario;
    struct drill_stage stage;
    struct drill_result *result;
    struct client_group groups[GROUPS_MAX];
    size_t n_groups;
    struct clients *clients;
    struct tunnel *tunnel; /* to the primary's host, for the client inside; NULL: none */
    struct net_route inside;
    uint64_t run;
    int64_t fault_us;        /* -1: not yet */
    int64_t steady_since_us; /* clients are answered without a break */
    const char *leader;      /* that was seen last */
    bool holder_moved;
};

/* ---- telling ---- */

static double now_ms(const struct course *c)
{
    return c->clients ? (double)clients_now_us(c->clients) / 1000.0 : 0;
}

static void tell(struct course *c, const char *kind, const char *text)
{
    struct drill_event event = {now_ms(c), kind, arena_strdup(c->stage.arena, text)};

    vec_push(&c->result->events, event);
    event_send(c->drill->settings.events, &(struct event){.kind = EVENT_STEP, .text = text});
}

/* ---- looking ---- */

/* The one that led is not asked: it may be dead, and the others' change would be seen late. */
static void look_at_leader(struct course *c)
{
    const struct check_target *t = c->drill->settings.target;
    struct patroni_api api = {t->cluster, t->secrets, ROLE_TIMEOUT_MS};
    char text[256];
    int64_t timeline;

    vec_each (h, &t->cluster->hosts) {
        if (!h->is_db || str_eq(h->name, c->leader) ||
            !patroni_leads(&api, h->address, &timeline) || timeline <= c->stage.timeline)
            continue;
        c->leader = h->name;
        snprintf(text, sizeof(text), "%s leads, timeline %lld", h->name, (long long)timeline);
        tell(c, "promoted", text);
        return;
    }
}

static void look_at_holder(struct course *c)
{
    struct drill_host *other = c->stage.other_balancer;
    struct err ignored = ERR_INIT;
    bool holds = false;
    char text[256];

    if (c->holder_moved || !other)
        return;
    if (stage_holds_vip(&c->stage, other, &holds, &ignored) == 0 && holds) {
        c->holder_moved = true;
        snprintf(text, sizeof(text), "the VIP is on %s", other->host->name);
        tell(c, "balancer", text);
    }
    err_release(&ignored);
}

static void look_at_answers(struct course *c)
{
    int64_t now = clients_now_us(c->clients), last = now;

    for (size_t g = 0; g < c->n_groups; g++) {
        int64_t answer = clients_last_answer_us(c->clients, g);

        if (c->groups[g].kind == CLIENT_WRITER && str_eq(c->groups[g].name, "primary"))
            last = answer;
    }
    if (last < 0 || now - last > INT64_C(1000) * BREAK_MS)
        c->steady_since_us = now;
}

static bool is_steady(struct course *c)
{
    return clients_now_us(c->clients) - c->steady_since_us > INT64_C(1000) * STEADY_MS;
}

static bool all_answered(struct course *c)
{
    for (size_t g = 0; g < c->n_groups; g++)
        if (clients_answered(c->clients, g) == 0)
            return false;
    return is_steady(c);
}

static bool is_synchronous(const struct cluster *c)
{
    return !str_eq(value_get_str(value_at(c->config, "postgres"), "synchronous", "off"), "off");
}

/* Every member is well, and there is a synchronous standby where there is to be one: Patroni names
 * it some time after a change. */
static bool has_its_members(struct course *c)
{
    const struct check_target *t = c->drill->settings.target;
    struct patroni_api api = {t->cluster, t->secrets, 0};
    struct arena arena = ARENA_INIT;
    struct patroni_view view;
    struct err ignored = ERR_INIT;
    bool well = patroni_view(&api, &arena, &view, &ignored) == 0;
    bool named = view.members.n < 2 || !is_synchronous(t->cluster);

    vec_each (m, &view.members) {
        well = well && patroni_member_ok(m);
        named = named || patroni_is_sync(m);
    }
    patroni_view_release(&view);
    arena_release(&arena);
    err_release(&ignored);
    return well && named;
}

/* The first costs less than the second. */
static bool is_whole(struct course *c)
{
    struct verify v;
    bool whole;

    if (!has_its_members(c))
        return false;
    verify_run(c->drill->settings.target, &v);
    whole = v.failed == 0;
    verify_release(&v);
    return whole;
}

/* Looks until it is so. ERR_TIMEOUT, ERR_INTERRUPTED. */
static int look_until(struct course *c, bool (*is_so)(struct course *), int64_t limit_ms,
                      const char *what, struct err *err)
{
    int64_t deadline = clock_mono_ms() + limit_ms;

    for (;;) {
        if (c->clients)
            look_at_answers(c);
        if (c->fault_us >= 0) {
            look_at_leader(c);
            look_at_holder(c);
        }
        if (clock_stop_requested())
            return err_set(err, ERR_INTERRUPTED, "stopped");
        if (is_so(c))
            return 0;
        if (clock_mono_ms() > deadline)
            return err_set(err, ERR_TIMEOUT, "%s after %lld s", what, (long long)limit_ms / 1000);
        clock_sleep_ms(LOOK_MS);
    }
}

/* ---- clients ---- */

/* The addresses of all members; ends with NULL. */
static const char *const *member_addresses(struct course *c)
{
    const struct cluster *cl = c->drill->settings.target->cluster;
    const char **out = arena_alloc(c->stage.arena, (cl->hosts.n + 1) * sizeof(*out)); /* zeroed */
    size_t n = 0;

    vec_each (h, &cl->hosts)
        if (h->is_db)
            out[n++] = h->address;
    out[n] = NULL;
    return out;
}

static void add_group(struct course *c, const char *name, enum client_kind kind, int port,
                      size_t clients)
{
    const struct check_target *t = c->drill->settings.target;

    c->groups[c->n_groups++] =
        (struct client_group){name, kind, check_login(t, t->cluster->vip, port, 0), NULL, clients};
}

/* Where there are no balancers, clients have a list of all members, as drivers take it. */
static void add_list_group(struct course *c, const char *name, enum client_kind kind,
                           size_t clients)
{
    const struct cluster *cl = c->drill->settings.target->cluster;
    struct client_group *g = &c->groups[c->n_groups];
    struct str list;

    add_group(c, name, kind, cl->port_postgres, clients);
    g->hosts = member_addresses(c);
    g->target.host = g->hosts[0];
    if (kind != CLIENT_PLAIN)
        return;
    str_init(&list, STR_MAX_TEXT);
    for (const char *const *host = g->hosts; *host; host++)
        str_printf(&list, "%s%s", list.len ? "," : "", *host);
    g->target.host = arena_strdup(c->stage.arena, list.buf);
    str_release(&list);
}

static void add_ports(struct course *c)
{
    const struct cluster *cl = c->drill->settings.target->cluster;

    add_group(c, "primary", CLIENT_WRITER, cl->port_primary, c->drill->settings.writers);
    add_group(c, "plain libpq", CLIENT_PLAIN, cl->port_primary, 1);
    if (c->stage.replica)
        add_group(c, "replicas", CLIENT_READER, cl->port_replicas, 2);
    if (c->stage.sync)
        add_group(c, "sync", CLIENT_READER, cl->port_sync, 1);
    if (c->stage.replica && c->stage.replica != c->stage.sync)
        add_group(c, "async", CLIENT_READER, cl->port_async, 1);
}

static void add_lists(struct course *c)
{
    add_list_group(c, "primary", CLIENT_WRITER, c->drill->settings.writers);
    if (!c->drill->settings.target->cluster->route) /* which leads to one host at a time */
        add_list_group(c, "plain libpq", CLIENT_PLAIN, 1);
    add_list_group(c, "any member", CLIENT_READER, 2);
}

static int inside_port(void *ctx, const char *address, int port, struct err *err)
{
    return tunnel_port(ctx, address, port, err);
}

/* A writer on the primary's own host, by its SSH, which no fault cuts. */
static int add_inside(struct course *c, struct err *err)
{
    const struct check_target *t = c->drill->settings.target;
    const struct cluster_host *host = c->stage.primary->host;
    struct client_group *g = &c->groups[c->n_groups++];
    struct arena arena = ARENA_INIT;
    struct ssh_target via;
    int rc = check_ssh_target(t, host->name, &arena, &via, err);

    if (rc == 0 && !(c->tunnel = tunnel_open(&via, err)))
        rc = -1;
    arena_release(&arena);
    c->inside = (struct net_route){inside_port, c->tunnel};
    *g =
        (struct client_group){"inside", CLIENT_WRITER,
                              check_login(t, host->address, t->cluster->port_postgres, 0), NULL, 1};
    g->target.route = &c->inside;
    return rc;
}

static int start_clients(struct course *c, struct err *err)
{
    const struct cluster *cl = c->drill->settings.target->cluster;
    struct client_options options = {.groups = c->groups, .run = c->run};
    struct pg_target primary;

    if (cl->vip)
        add_ports(c);
    else
        add_lists(c);
    if (c->scenario->inside && add_inside(c, err) < 0)
        return -1;
    options.n = c->n_groups;
    primary = c->groups[0].target;
    primary.host = cl->vip ? cl->vip : c->stage.primary->host->address;
    if (ledger_table_prepare(&primary, err) < 0)
        return err_wrap(err, "making the drill's table");
    return (c->clients = clients_start(&options, err)) ? 0 : -1;
}

/* ---- the course ---- */

static const char *unmet_need(const struct course *c)
{
    const struct drill_stage *s = &c->stage;
    unsigned needs = c->scenario->needs;
    size_t etcd = 0;

    vec_each (h, &s->hosts)
        etcd += h->host->is_etcd;
    if (!s->primary)
        return "no member leads";
    if (needs & NEEDS_REPLICA && !s->replica)
        return "it needs a replica";
    if (needs & NEEDS_SYNC && !s->sync)
        return "it needs a synchronous standby (postgres.synchronous)";
    if (needs & NEEDS_BALANCERS && (!s->holder || !s->other_balancer))
        return "it needs two balancers";
    if (needs & NEEDS_ETCD && (etcd < 3 || !s->etcd_leader))
        return "it needs three members of etcd";
    if (needs & NEEDS_POWER && !s->guard)
        return "this provider cannot switch hosts off";
    return NULL;
}

/* Why it cannot be run here; NULL: it can. */
static int look_for_obstacle(struct course *c, const char **why, struct err *err)
{
    *why = unmet_need(c);
    return *why || !c->scenario->unfit ? 0 : c->scenario->unfit(&c->stage, why, err);
}

static int64_t hold_ms(const struct course *c)
{
    return bound_ms(c->scenario->hold, c->drill->settings.target->cluster->preset);
}

static bool is_held(struct course *c)
{
    return clients_now_us(c->clients) - c->fault_us > 1000 * hold_ms(c);
}

static bool is_back(struct course *c)
{
    return is_held(c) && (c->scenario->outage || is_steady(c));
}

static int strike(struct course *c, struct err *err)
{
    c->leader = c->stage.primary->host->name;
    c->fault_us = c->steady_since_us = clients_now_us(c->clients);
    if (!c->scenario->hurt)
        return 0;
    tell(c, "fault",
         arena_printf(c->stage.arena, "%s; %s", c->scenario->summary, c->stage.members));
    return c->scenario->hurt(&c->stage, err) < 0 ? err_wrap(err, "%s", c->scenario->name) : 0;
}

/* Service that does not come back is what the drill is there to find: it is not an error of it. */
static int await_service(struct course *c, struct err *err)
{
    const struct preset *preset = c->drill->settings.target->cluster->preset;
    int64_t limit = 2 * bound_ms(c->scenario->primary, preset) + hold_ms(c) + PATIENCE_MS;

    if (look_until(c, is_back, limit, "writes are not answered", err) == 0)
        return 0;
    if (err->code != ERR_TIMEOUT)
        return -1;
    vec_push(&c->result->faults, arena_strdup(c->stage.arena, err->text));
    err_release(err);
    return 0;
}

static int heal(struct course *c, struct err *err)
{
    int rc = c->scenario->mend ? c->scenario->mend(&c->stage, err) : 0;

    /* What a scenario did not mend itself, too when it failed. */
    if (rc < 0) {
        struct err ignored = ERR_INIT;

        (void)!fault_heal(&c->stage, &ignored);
        err_release(&ignored);
        return -1;
    }
    return fault_heal(&c->stage, err);
}

static int run_course(struct course *c, struct err *err)
{
    bool hurts = c->scenario->hurt != NULL;

    if (start_clients(c, err) < 0 ||
        look_until(c, all_answered, BEGIN_MS, "not every client is answered", err) < 0 ||
        strike(c, err) < 0 || await_service(c, err) < 0 || heal(c, err) < 0)
        return -1;
    if (hurts)
        tell(c, "healed", "the fault is taken away");
    if (look_until(c, is_whole, WHOLE_MS, "the cluster is not whole", err) < 0)
        return -1;
    if (hurts)
        tell(c, "whole", "every member, balancer and port is well");
    return look_until(c, all_answered, BEGIN_MS, "not every client is answered", err);
}

/* ---- results ---- */

static double limit_of(const struct course *c)
{
    return 1000 * (double)value_get_int(c->drill->settings.max_rto, c->scenario->name, -1);
}

/* A port that only one member serves has no other to go to. */
static double bound_of(const struct course *c, const struct client_group *g)
{
    const struct cluster *cl = c->drill->settings.target->cluster;
    const enum bound_term *terms = NULL;
    size_t members = 0;

    vec_each (h, &cl->hosts)
        members += h->is_db;
    if (str_eq(g->name, "primary"))
        terms = c->scenario->primary;
    else if (str_eq(g->name, "replicas") && members > 2)
        terms = c->scenario->replicas;
    return terms && terms[0] != BOUND_END ? (double)bound_ms(terms, cl->preset) : -1;
}

static void add_channel(struct course *c, size_t g)
{
    struct drill_channel channel = {
        .address = arena_printf(c->stage.arena, "%s:%d", c->groups[g].target.host,
                                c->groups[g].target.port),
        .bound_ms = bound_of(c, &c->groups[g]),
        .limit_ms = str_eq(c->groups[g].name, "primary") ? limit_of(c) : -1,
    };
    size_t back = 0, elsewhere = 0;

    clients_figures(c->clients, g, c->fault_us, &channel);
    vec_push(&c->result->channels, channel);
    clients_reads(c->clients, g, &back, &elsewhere);
    c->result->went_back += back;
    c->result->went_elsewhere += elsewhere;
}

static void add_first_write(struct course *c)
{
    const struct drill_channel *primary = c->result->channels.items;
    double ends = primary->gap_from_ms + primary->gap_ms;
    char text[64];
    size_t at = 0;

    if (primary->gap_ms < BREAK_MS)
        return;
    snprintf(text, sizeof(text), "writes are answered after %.0f ms", primary->gap_ms);
    while (at < c->result->events.n && c->result->events.items[at].at_ms <= ends)
        at++;
    vec_push(&c->result->events, (struct drill_event){0});
    memmove(c->result->events.items + at + 1, c->result->events.items + at,
            (c->result->events.n - 1 - at) * sizeof(struct drill_event));
    c->result->events.items[at] =
        (struct drill_event){ends, "write", arena_strdup(c->stage.arena, text)};
}

static void measure(struct course *c)
{
    const struct preset *preset = c->drill->settings.target->cluster->preset;
    struct str bound;

    str_init(&bound, STR_MAX_TEXT);
    bound_put(c->scenario->primary, preset, &bound);
    c->result->bound = arena_strdup(c->stage.arena, bound.buf);
    str_release(&bound);
    c->result->length_ms = now_ms(c);
    for (size_t g = 0; g < c->n_groups; g++)
        add_channel(c, g);
    add_first_write(c);
}

static int finish_course(struct course *c, struct err *err)
{
    if (clients_stop(c->clients, err) < 0)
        return -1;
    measure(c);
    if (copies_account(c->drill->settings.target, clients_ledger(c->clients), c->stage.arena,
                       c->result, err) < 0)
        return err_wrap(err, "reading the rows");
    drill_judge(c->result, c->drill->settings.max_rpo, c->stage.arena);
    return 0;
}

/* Nothing stays broken, whatever went wrong. */
static void abandon(struct course *c, const struct err *why)
{
    struct err own = ERR_INIT;

    if (fault_heal(&c->stage, &own) < 0)
        vec_push(&c->result->faults, arena_printf(c->stage.arena, "healing: %s", own.text));
    err_release(&own);
    vec_push(&c->result->faults, arena_strdup(c->stage.arena, why->text));
    c->result->outcome = DRILL_FAILED;
    if (c->clients && clients_stop(c->clients, &own) == 0)
        measure(c);
    err_release(&own);
}

/* The faults tell where they are. */
static void keep_journals(struct course *c)
{
    char when[32], *folder, *to = when;
    struct err err = ERR_INIT;
    int kept;

    clock_iso8601(c->result->started_ms, when);
    for (const char *from = when; *from; from++)
        if (*from != ':' && *from != '-')
            *to++ = *from;
    *to = '\0';
    folder = xasprintf("%s/%s-%s", c->drill->settings.journals, when, c->scenario->name);
    kept = journals_keep(&c->stage, folder, c->result->started_ms, &err);
    if (kept > 0)
        vec_push(&c->result->faults,
                 arena_printf(c->stage.arena, "the hosts' journals: %s", folder));
    if (err.code)
        vec_push(&c->result->faults,
                 arena_printf(c->stage.arena, "not all journals could be kept: %s", err.text));
    err_release(&err);
    free(folder);
}

static int run_stage(struct course *c, struct err *err)
{
    const char *obstacle;

    if (look_until(c, is_whole, HEALTHY_MS, "the cluster is not healthy", err) < 0)
        return err_hint(err, "`pgha-deploy verify` says what is wrong");
    if (stage_open(&c->stage, err) < 0 || stage_look(&c->stage, err) < 0 ||
        look_for_obstacle(c, &obstacle, err) < 0)
        return -1;
    if (obstacle) {
        c->result->outcome = DRILL_SKIPPED;
        vec_push(&c->result->faults, obstacle);
        return 0;
    }
    return run_course(c, err) < 0 ? -1 : finish_course(c, err);
}

int drill_run(struct drill *d, const struct scenario *scenario, int repetition,
              struct drill_report *report, struct err *err)
{
    struct drill_result result = {.scenario = scenario->name,
                                  .summary = scenario->summary,
                                  .repetition = repetition,
                                  .started_ms = clock_real_ms()};
    struct course c = {.drill = d, .scenario = scenario, .result = &result, .fault_us = -1};
    int rc;

    c.stage = (struct drill_stage){
        .target = d->settings.target, .guard = d->guard, .arena = &report->arena};
    random_bytes(&c.run, sizeof(c.run));
    c.run >>= 1; /* a bigint */
    rc = run_stage(&c, err);
    if (rc < 0)
        abandon(&c, err);
    if (result.outcome == DRILL_FAILED && err->code != ERR_INTERRUPTED && d->settings.journals)
        keep_journals(&c);
    clients_free(c.clients);
    tunnel_close(c.tunnel);
    stage_close(&c.stage);
    vec_push(&report->results, result);
    return rc;
}

/* ---- a drill ---- */

static int check_limits(const struct value *max_rto, struct err *err)
{
    for (size_t i = 0; max_rto && i < max_rto->u.map.n; i++) {
        const char *name = max_rto->u.map.entries[i].key;

        if (!scenario_find(name))
            return err_set(err, ERR_INPUT, "drill.max_rto: there is no scenario %s", name);
    }
    return 0;
}

int drill_open(struct drill *d, const struct drill_settings *settings, struct err *err)
{
    *d = (struct drill){.settings = *settings};
    if (check_limits(settings->max_rto, err) < 0)
        return -1;
    if (settings->provider->can & PROVIDER_CAN_POWER)
        d->guard = guard_start(settings->provider, settings->session, err);
    return err->code ? -1 : 0;
}

void drill_close(struct drill *d)
{
    guard_end(d->guard);
    d->guard = NULL;
}
