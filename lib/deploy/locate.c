/* locate.c - existing hosts: what they are like, and which of their addresses the others use. */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/check/place.h"
#include "lib/deploy/stage.h"
#include "lib/play/target.h"

#define PLACES_FILE "hosts.json"

static int read_places(struct deploy *d, struct err *err)
{
    struct arena arena = ARENA_INIT;
    const struct value *places = state_read_value(d->state_dir, PLACES_FILE, &arena, err);
    int rc = places ? 0 : -1;

    if (rc == 0 && places->type == VALUE_MAP)
        rc = cluster_place(d->cluster, places, err);
    arena_release(&arena);
    return rc;
}

static int make_targets(struct deploy *d, struct survey_target *targets, struct arena *a,
                        struct err *err)
{
    const struct cluster *c = d->cluster;

    for (size_t i = 0; i < c->hosts.n; i++) {
        targets[i].name = c->hosts.items[i].name;
        if (target_of_host(a, &c->given, targets[i].name, &targets[i].ssh, err) < 0)
            return -1;
        targets[i].ssh.accept_new |= d->accept_new_keys;
    }
    return 0;
}

/* Every host's fault is told once; the error names them all. */
static int judge_answers(struct deploy *d, struct host_survey *surveys, struct err *err)
{
    struct str names;
    size_t failed = 0;
    enum err_code code = ERR_NET;
    const struct host_survey *first = NULL;

    str_init(&names, STR_MAX_TEXT);
    for (size_t i = 0; i < d->cluster->hosts.n; i++) {
        const char *name = d->cluster->hosts.items[i].name;

        if (surveys[i].step == SURVEY_DONE)
            continue;
        event_send(d->events, &(struct event){.kind = EVENT_FAILED,
                                              .stage = "survey",
                                              .host = name,
                                              .text = surveys[i].err.text,
                                              .failed = 1});
        str_printf(&names, "%s%s", failed++ ? ", " : "", name);
        code = surveys[i].err.code;
        if (!first)
            first = &surveys[i];
    }
    if (failed == 1) {
        err_set(err, code, "%s", first->err.text);
        if (first->err.hint)
            err_hint(err, "%s", first->err.hint);
    } else if (failed) {
        err_set(err, code, "%zu of %zu hosts cannot be used: %s; the first: %s", failed,
                d->cluster->hosts.n, names.buf, first->err.text);
        err_hint(err, "`pgha-deploy doctor` tells each one's fault");
    }
    str_release(&names);
    return failed ? -1 : 0;
}

static void tell_places(struct deploy *d, const struct place *places)
{
    struct arena arena = ARENA_INIT;

    for (size_t i = 0; i < d->cluster->hosts.n; i++) {
        const char *text =
            arena_printf(&arena, "%s: address %s on %s: %s", d->cluster->hosts.items[i].name,
                         places[i].address, places[i].interface, places[i].why);

        event_send(d->events, &(struct event){.kind = EVENT_STEP, .stage = "survey", .text = text});
    }
    arena_release(&arena);
}

static int place(struct deploy *d, struct host_survey *surveys, bool save, struct err *err)
{
    size_t n = d->cluster->hosts.n;
    struct arena arena = ARENA_INIT;
    const struct host_facts **facts = arena_alloc(&arena, n * sizeof(*facts));
    struct place *places = arena_alloc(&arena, n * sizeof(*places));
    const struct value *found;
    int rc;

    for (size_t i = 0; i < n; i++)
        facts[i] = &surveys[i].facts;
    rc = place_hosts(d->cluster, facts, places, &arena, err);
    if (rc == 0) {
        tell_places(d, places);
        found = place_to_value(d->cluster, facts, places, &arena);
        rc = cluster_place(d->cluster, found, err);
        if (rc == 0 && save)
            rc = state_write_value(d->state_dir, PLACES_FILE, found, err);
    }
    arena_release(&arena);
    return rc;
}

static int survey(struct deploy *d, bool save, struct err *err)
{
    int64_t start = clock_mono_ms();
    size_t n = d->cluster->hosts.n;
    struct arena arena = ARENA_INIT;
    struct survey_target *targets = arena_alloc(&arena, n * sizeof(*targets));
    struct host_survey *surveys = xcalloc(n, sizeof(*surveys));
    int rc = make_targets(d, targets, &arena, err);

    stage_begin(d, "survey", "what the hosts are like");
    if (rc == 0) {
        survey_run(targets, n, surveys);
        if ((rc = judge_answers(d, surveys, err)) == 0)
            rc = place(d, surveys, save, err);
        for (size_t i = 0; i < n; i++)
            survey_release(&surveys[i]);
    }
    free(surveys);
    arena_release(&arena);
    if (rc == 0)
        stage_end(d, "survey", start);
    return rc;
}

int deploy_locate(struct deploy *d, enum deploy_access access, struct err *err)
{
    bool ask = access == DEPLOY_WRITE || access == DEPLOY_PLAN;

    if (!cluster_has_given_hosts(d->cluster))
        return 0;
    if (read_places(d, err) < 0)
        return -1;
    if (access == DEPLOY_DESTROY || (!ask && cluster_is_placed(d->cluster)))
        return 0;
    return survey(d, access == DEPLOY_WRITE, err);
}
