/*
 * survey.c - the first trip: the script to all hosts at once, and questions to what came of it.
 */
#include "lib/check/survey.h"

#include "lib/base/clock.h"
#include "lib/net/pool.h"

#define MAX_STDERR ((size_t)64 << 10)

struct trip {
    const struct survey_target *target;
    struct host_survey *survey;
    struct str out;
    int64_t sent_ms, came_ms; /* clock_real_ms; came 0: no line yet */
};

static void note_first_line(void *ctx, const char *line, size_t len)
{
    struct trip *trip = ctx;

    UNUSED(line);
    UNUSED(len);
    if (!trip->came_ms)
        trip->came_ms = clock_real_ms();
}

static void ask(struct trip *trip, struct ssh *ssh)
{
    struct host_survey *s = trip->survey;
    struct str script, errout;
    struct ssh_run run = {.timeout_ms = SURVEY_TIMEOUT_MS,
                          .out = &trip->out,
                          .errout = &errout,
                          .line = note_first_line,
                          .ctx = trip};

    s->step = SURVEY_ASKING;
    str_init(&script, STR_MAX_TEXT);
    str_init(&errout, MAX_STDERR);
    survey_put_script(&script);
    run.script = script.buf;
    run.script_len = script.len;
    trip->sent_ms = clock_real_ms();
    (void)!ssh_script(ssh, &run, &s->err);
    str_release(&script);
    str_release(&errout);
}

static void visit(void *ctx, size_t job)
{
    struct trip *trip = (struct trip *)ctx + job;
    struct ssh *ssh = ssh_open(&trip->target->ssh, &trip->survey->err);

    if (ssh)
        ask(trip, ssh);
    ssh_close(ssh);
}

/* The script's first line is "clock MILLISECONDS". */
static void read_clock(const struct trip *trip)
{
    static const char tag[] = "clock\t";
    char *end;
    long long host_ms;

    if (!trip->came_ms || !str_starts(trip->out.buf, tag))
        return;
    host_ms = strtoll(trip->out.buf + strlen(tag), &end, 10);
    if (*end == '\n')
        survey_set_clock(&trip->survey->facts, host_ms, trip->sent_ms, trip->came_ms);
}

/* In the caller's thread, whose stack is larger than a worker's. */
static void finish(struct trip *trip, bool started)
{
    struct host_survey *s = trip->survey;

    if (!started)
        err_set(&s->err, ERR_INTERRUPTED, "interrupted");
    survey_parse(s, trip->out.buf, trip->out.len);
    read_clock(trip);
    if (!s->err.code && !s->facts.complete)
        err_set(&s->err, ERR_REMOTE, "%s: the survey's script ended early", trip->target->name);
    if (!s->err.code)
        s->step = SURVEY_DONE;
    str_release(&trip->out);
}

void survey_run(const struct survey_target *targets, size_t n, struct host_survey *out)
{
    struct trip *trips = xcalloc(n + 1, sizeof(*trips));
    bool *started = xcalloc(n + 1, sizeof(*started));

    memset(out, 0, n * sizeof(*out));
    for (size_t i = 0; i < n; i++) {
        trips[i].target = &targets[i];
        trips[i].survey = &out[i];
        str_init(&trips[i].out, SURVEY_MAX_BYTES);
    }
    pool_run(0, n, visit, trips, started);
    for (size_t i = 0; i < n; i++)
        finish(&trips[i], started[i]);
    free(started);
    free(trips);
}

void survey_release(struct host_survey *s)
{
    struct host_facts *f = &s->facts;

    vec_release(&f->interfaces);
    vec_release(&f->addresses);
    vec_release(&f->routes);
    vec_release(&f->listeners);
    vec_release(&f->packages);
    vec_release(&f->candidates);
    vec_release(&f->units);
    vec_release(&f->processes);
    vec_release(&f->configs);
    vec_release(&f->pgdata);
    vec_release(&f->etcd_data);
    vec_release(&f->vrrp_ids);
    vec_release(&f->vrrp_addresses);
    arena_release(&s->arena);
    err_release(&s->err);
}

/* The host read its clock somewhere between sending and coming. */
void survey_set_clock(struct host_facts *f, int64_t host_ms, int64_t sent_ms, int64_t came_ms)
{
    static const int64_t last_ms = INT64_C(253402300799000); /* in the year 9999 */

    if (host_ms < 0 || host_ms > last_ms || came_ms < sent_ms)
        return;
    f->clock_error_ms = (came_ms - sent_ms + 1) / 2;
    f->clock_offset_ms = host_ms - (sent_ms + (came_ms - sent_ms) / 2);
}

const char *survey_package(const struct host_facts *f, const char *name)
{
    vec_each (p, &f->packages)
        if (str_eq(p->name, name))
            return p->version;
    return NULL;
}

const char *survey_candidate(const struct host_facts *f, const char *name)
{
    vec_each (c, &f->candidates)
        if (str_eq(c->name, name))
            return c->version;
    return NULL;
}

const struct host_unit *survey_unit(const struct host_facts *f, const char *name)
{
    vec_each (u, &f->units)
        if (str_eq(u->name, name))
            return u;
    return NULL;
}

const struct host_address *survey_address(const struct host_facts *f, const char *address)
{
    vec_each (a, &f->addresses)
        if (str_eq(a->address, address))
            return a;
    return NULL;
}

static bool is_any_address(const char *address)
{
    return str_eq(address, "0.0.0.0") || str_eq(address, "*") || str_eq(address, "::");
}

const struct host_listener *survey_listener(const struct host_facts *f, const char *address,
                                            int port)
{
    vec_each (l, &f->listeners)
        if (l->port == port && (is_any_address(l->address) || str_eq(l->address, address)))
            return l;
    return NULL;
}

/* Lower is better. */
static int rank(const struct host_config *c)
{
    return c->owner == CONFIG_OURS ? 0 : c->owner == CONFIG_FOREIGN ? 1 : 2;
}

const struct host_config *survey_config(const struct host_facts *f, enum config_kind kind)
{
    const struct host_config *best = NULL;

    vec_each (c, &f->configs)
        if (c->kind == kind && (!best || rank(c) < rank(best)))
            best = c;
    return best;
}
