/* locate.c - existing hosts: what they are like, and which of their addresses the others use. */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/check/place.h"
#include "lib/deploy/adopt.h"
#include "lib/deploy/stage.h"
#include "lib/deploy/wipe.h"
#include "lib/play/target.h"

enum { MADE_TIMEOUT_MS = 600000, MADE_POLL_MS = 2000 };

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

/* ---- who is asked ---- */

static bool is_asked(const struct deploy *d, size_t i)
{
    return !d->left_out[i];
}

/* Hosts outside --limit are left out, if it is known where they are. */
static int apply_limit(struct deploy *d, struct err *err)
{
    struct cluster *c = d->cluster;
    struct inventory_host **wanted;
    size_t n;

    d->left_out = xcalloc(c->hosts.n, sizeof(bool));
    if (!d->limit)
        return 0;
    if (!(wanted = inventory_match(&c->given, d->limit, &n, err)))
        return err_wrap(err, "--limit");
    for (size_t i = 0; i < c->hosts.n; i++) {
        bool found = false;

        for (size_t w = 0; w < n; w++)
            found |= str_eq(wanted[w]->name, c->hosts.items[i].name);
        d->left_out[i] = !found && c->hosts.items[i].address;
    }
    free(wanted);
    return 0;
}

static int make_targets(struct deploy *d, struct survey_target *targets, struct arena *a,
                        struct err *err)
{
    const struct cluster *c = d->cluster;
    size_t n = 0;

    for (size_t i = 0; i < c->hosts.n; i++) {
        struct survey_target *t = &targets[n];

        if (!is_asked(d, i))
            continue;
        t->name = c->hosts.items[i].name;
        if (target_of_host(a, &c->given, t->name, &t->ssh, err) < 0)
            return -1;
        t->ssh.accept_new |= d->accept_new_keys;
        n++;
    }
    return 0;
}

/* ---- what they said ---- */

static void add_name(char **list, const char *name)
{
    char *longer = *list ? xasprintf("%s,%s", *list, name) : xstrdup(name);

    free(*list);
    *list = longer;
}

/* Every host's fault is told once. One that is known already is left out, and the work on the
 * others goes on; without a place there is nothing to go on with. */
static int judge_answers(struct deploy *d, const struct host_survey *surveys, struct err *err)
{
    const struct host_survey *first = NULL;
    char *unknown = NULL;
    size_t asked = 0, silent = 0, s = 0;

    for (size_t i = 0; i < d->cluster->hosts.n; i++) {
        const struct cluster_host *h = &d->cluster->hosts.items[i];
        const struct host_survey *survey = &surveys[s];

        if (!is_asked(d, i))
            continue;
        s++;
        asked++;
        if (survey->step == SURVEY_DONE)
            continue;
        silent++;
        event_send(d->events, &(struct event){.kind = EVENT_FAILED,
                                              .stage = "survey",
                                              .host = h->name,
                                              .text = survey->err.text,
                                              .failed = 1});
        first = first ? first : survey;
        add_name(h->address ? &d->silent : &unknown, h->name);
    }
    if (first && (unknown || silent == asked)) {
        err_set(err, first->err.code, "%s%s%s", first->err.text,
                silent > 1 ? "; no answer from " : "", silent > 1 ? unknown ? unknown : "any" : "");
        if (silent == 1 && first->err.hint)
            err_hint(err, "%s", first->err.hint);
        else
            err_hint(err, "`pgha-deploy doctor` tells each one's fault");
    }
    free(unknown);
    return err->code ? -1 : 0;
}

static void tell_places(struct deploy *d, const struct host_facts *const *facts,
                        const struct place *places)
{
    for (size_t i = 0; i < d->cluster->hosts.n; i++) {
        char *text;

        if (!facts[i])
            continue;
        text = xasprintf("%s: address %s on %s: %s", d->cluster->hosts.items[i].name,
                         places[i].address, places[i].interface, places[i].why);
        event_send(d->events, &(struct event){.kind = EVENT_STEP, .stage = "survey", .text = text});
        free(text);
    }
}

/* Facts of the hosts in the cluster's order; NULL for those that were left out, as silent ones are
 * from here on. */
static const struct host_facts **sort_facts(struct deploy *d, const struct host_survey *surveys,
                                            struct arena *a)
{
    size_t n = d->cluster->hosts.n, s = 0;
    const struct host_facts **facts = arena_alloc(a, n * sizeof(*facts));

    for (size_t i = 0; i < n; i++) {
        const struct host_survey *survey = is_asked(d, i) ? &surveys[s++] : NULL;

        facts[i] = survey && survey->step == SURVEY_DONE ? &survey->facts : NULL;
        d->left_out[i] = !facts[i];
    }
    return facts;
}

static int place(struct deploy *d, const struct host_survey *surveys, bool save, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct place *places = arena_alloc(&arena, d->cluster->hosts.n * sizeof(*places));
    const struct host_facts **facts = sort_facts(d, surveys, &arena);
    const struct value *found;
    int rc = place_hosts(d->cluster, facts, places, &arena, err);

    if (rc == 0) {
        tell_places(d, facts, places);
        found = place_to_value(d->cluster, facts, places, &arena);
        rc = cluster_place(d->cluster, found, err);
        if (rc == 0 && save)
            rc = state_write_value(d->state_dir, PLACES_FILE, found, err);
        if (rc == 0 && d->adopt && save)
            rc = adopt_find(d, facts, err);
    }
    arena_release(&arena);
    return rc;
}

/* What is somebody else's is never overwritten, and what would fail is not begun. */
static int refuse_blockers(const struct doctor *doctor, struct err *err)
{
    struct str text;

    if (!doctor->blockers)
        return 0;
    str_init(&text, STR_MAX_TEXT);
    vec_each (f, &doctor->findings)
        if (f->level == DOCTOR_BLOCKER)
            str_printf(&text, "\n  %s: %s: %s%s%s", f->host ? f->host : "this machine", f->check,
                       f->text, f->cure ? "\n    -> " : "", f->cure ? f->cure : "");
    err_set(err, ERR_CONFLICT, "the hosts cannot take the cluster:%s", text.buf);
    str_release(&text);
    return err_hint(err, "nothing was changed; `pgha-deploy doctor` shows every check");
}

static int judge_hosts(struct deploy *d, const struct survey_target *targets,
                       const struct host_survey *surveys, size_t asked, struct err *err)
{
    struct survey_target *there = xcalloc(asked + 1, sizeof(*there));
    struct host_survey *said = xcalloc(asked + 1, sizeof(*said));
    struct doctor doctor = {.blockers = 0};
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < asked; i++) {
        if (surveys[i].step != SURVEY_DONE)
            continue;
        there[n] = targets[i];
        said[n++] = surveys[i];
    }
    doctor_examine(d->cluster, there, said, n, false, &doctor);
    rc = refuse_blockers(&doctor, err);
    doctor_release(&doctor);
    free(there);
    free(said);
    return rc;
}

/* Who only reads is not refused for what is in the way. */
static int survey(struct deploy *d, enum deploy_access access, struct err *err)
{
    int64_t start = clock_mono_ms();
    size_t n = d->cluster->hosts.n, asked = 0;
    struct arena arena = ARENA_INIT;
    struct survey_target *targets = arena_alloc(&arena, n * sizeof(*targets));
    struct host_survey *surveys = xcalloc(n, sizeof(*surveys));
    int rc = apply_limit(d, err);

    stage_begin(d, "survey", "what the hosts are like");
    if (rc == 0 && (rc = make_targets(d, targets, &arena, err)) == 0) {
        for (size_t i = 0; i < n; i++)
            asked += is_asked(d, i);
        survey_run(targets, asked, surveys);
        if ((rc = judge_answers(d, surveys, err)) == 0 &&
            (rc = place(d, surveys, access == DEPLOY_WRITE, err)) == 0 &&
            (access == DEPLOY_WRITE || access == DEPLOY_PLAN))
            rc = judge_hosts(d, targets, surveys, asked, err);
        for (size_t i = 0; i < asked; i++)
            survey_release(&surveys[i]);
    }
    free(surveys);
    arena_release(&arena);
    if (rc == 0)
        stage_end(d, "survey", start);
    return rc;
}

/* The host's data goes; then everything is asked anew. */
static int wipe_first(struct deploy *d, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct survey_target target = {.name = d->wipe};
    struct host_survey survey;
    int rc;

    if (!cluster_host_find(d->cluster, d->wipe)) {
        err_set(err, ERR_USAGE, "--wipe: the cluster has no host \"%s\"", d->wipe);
        return -1;
    }
    if ((rc = target_of_host(&arena, &d->cluster->given, d->wipe, &target.ssh, err)) == 0) {
        target.ssh.accept_new |= d->accept_new_keys;
        survey_run(&target, 1, &survey);
        if (survey.step == SURVEY_DONE) {
            rc = wipe_host(d, d->wipe, &survey.facts, err);
        } else {
            err_move(err, &survey.err);
            rc = -1;
        }
        survey_release(&survey);
    }
    arena_release(&arena);
    return rc;
}

/* ---- doctor ---- */

/* Hosts that do not answer have no place; it is enough for the others to be judged. */
static void place_for_doctor(struct deploy *d, const struct host_survey *surveys,
                             struct doctor *doctor)
{
    struct err err = ERR_INIT;

    if (cluster_has_given_hosts(d->cluster) && place(d, surveys, false, &err) < 0)
        doctor_add(doctor, NULL, "addresses", DOCTOR_BLOCKER, err.text, err.hint);
    err_release(&err);
}

int deploy_doctor(struct deploy *d, struct doctor *doctor, struct err *err)
{
    struct check_target check = deploy_check_target(d);
    size_t n = d->cluster->hosts.n;
    struct arena arena = ARENA_INIT;
    struct survey_target *targets = arena_alloc(&arena, n * sizeof(*targets));
    struct host_survey *surveys = xcalloc(n, sizeof(*surveys));
    int rc = 0;

    d->left_out = xcalloc(n, sizeof(bool));
    for (size_t i = 0; rc == 0 && i < n; i++) {
        targets[i].name = d->cluster->hosts.items[i].name;
        rc = check_ssh_target(&check, targets[i].name, &arena, &targets[i].ssh, err);
    }
    if (rc == 0 && doctor_judge_login(d->cluster, targets, n, doctor)) {
        survey_run(targets, n, surveys);
        place_for_doctor(d, surveys, doctor);
        doctor_examine(d->cluster, targets, surveys, n, !clock_stop_requested(), doctor);
        if (clock_stop_requested())
            rc = err_set(err, ERR_INTERRUPTED, "interrupted");
        for (size_t i = 0; i < n; i++)
            survey_release(&surveys[i]);
    }
    free(surveys);
    arena_release(&arena);
    return rc;
}

/* ---- what is known ---- */

char *deploy_limit(const struct deploy *d)
{
    char *list = NULL;

    if (!d->left_out)
        return d->limit ? xstrdup(d->limit) : NULL;
    for (size_t i = 0; i < d->cluster->hosts.n; i++)
        if (is_asked(d, i))
            add_name(&list, d->cluster->hosts.items[i].name);
    return list;
}

int deploy_remember_system(struct deploy *d, uint64_t system_id, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct value *places = state_read_value(d->state_dir, PLACES_FILE, &arena, err);
    int rc = places ? 0 : -1;

    if (rc == 0 && places->type == VALUE_MAP && d->cluster->system_id != system_id) {
        value_map_set(&arena, places, "system_id",
                      value_strf(&arena, "%llu", (unsigned long long)system_id));
        d->cluster->system_id = system_id;
        rc = state_write_value(d->state_dir, PLACES_FILE, places, err);
    }
    arena_release(&arena);
    return rc;
}

/* ---- hosts that a provider made ---- */

/* Its error, where it is not up yet. */
static bool is_up(const char *name, struct host_survey *survey)
{
    if (survey->step != SURVEY_DONE)
        return false;
    if (!survey->facts.is_booting)
        return true;
    err_set(&survey->err, ERR_TIMEOUT, "%s: cloud-init has not finished", name);
    err_hint(&survey->err, "pgha-deploy ssh %s cloud-init status --long", name);
    survey->err.retryable = true;
    return false;
}

static void tell_waiting(struct deploy *d, const struct host_survey *surveys, size_t n)
{
    const struct host_survey *first = NULL;
    size_t silent = 0;
    char *text;

    for (size_t i = 0; i < n; i++) {
        if (!surveys[i].err.text)
            continue;
        first = first ? first : &surveys[i];
        silent++;
    }
    text = xasprintf("%zu of %zu do not answer yet: %s", silent, n, first ? first->err.text : "");
    event_send(d->events, &(struct event){.kind = EVENT_STEP, .stage = "survey", .text = text});
    free(text);
}

/* Those that are not up yet, or not let in yet by the network, are asked again. */
static int survey_made(struct deploy *d, struct survey_target *targets, struct host_survey *surveys,
                       size_t n, int64_t deadline, struct err *err)
{
    for (;;) {
        const struct host_survey *failed = NULL;

        survey_run(targets, n, surveys);
        for (size_t i = 0; i < n; i++)
            if (!is_up(targets[i].name, &surveys[i]) && !failed)
                failed = &surveys[i];
        if (!failed)
            return 0;
        if (!failed->err.retryable || clock_mono_ms() > deadline || clock_stop_requested()) {
            err_set(err, failed->err.code, "%s", failed->err.text);
            return err_hint(err, "%s",
                            failed->err.hint ? failed->err.hint
                                             : "run it from where the hosts' private addresses "
                                               "can be reached, or give the cluster a bastion");
        }
        tell_waiting(d, surveys, n);
        for (size_t i = 0; i < n; i++)
            survey_release(&surveys[i]);
        clock_sleep_ms(MADE_POLL_MS);
    }
}

static int place_made(struct deploy *d, const struct host_survey *surveys, struct arena *a,
                      struct err *err)
{
    const struct cluster *c = d->cluster;
    const struct host_facts **facts = arena_alloc(a, c->hosts.n * sizeof(*facts));
    struct place *places = arena_alloc(a, c->hosts.n * sizeof(*places));
    const struct value *found;

    for (size_t i = 0; i < c->hosts.n; i++) {
        const struct cluster_host *h = &c->hosts.items[i];

        facts[i] = &surveys[i].facts;
        vec_each (address, &facts[i]->addresses)
            if (str_eq(address->address, h->address))
                places[i] = (struct place){h->address, address->interface, address->prefix, ""};
        if (!places[i].interface)
            return err_set(err, ERR_FAILED, "%s: no interface has its address %s", h->name,
                           h->address);
    }
    found = place_to_value(c, facts, places, a);
    return cluster_place(d->cluster, found, err) < 0
               ? -1
               : state_write_value(d->state_dir, PLACES_FILE, found, err);
}

static bool interfaces_are_known(const struct cluster *c)
{
    vec_each (h, &c->hosts)
        if (!h->interface)
            return false;
    return true;
}

int deploy_locate_made(struct deploy *d, bool began, struct err *err)
{
    struct check_target check = deploy_check_target(d);
    size_t n = d->cluster->hosts.n;
    struct arena arena = ARENA_INIT;
    struct survey_target *targets = arena_alloc(&arena, n * sizeof(*targets));
    struct host_survey *surveys;
    int64_t start = clock_mono_ms();
    int rc = 0;

    if (!cluster_is_in_cloud(d->cluster) || (!began && interfaces_are_known(d->cluster))) {
        arena_release(&arena);
        return 0;
    }
    stage_begin(d, "survey", "waiting for the hosts' SSH, and what they are like");
    surveys = xcalloc(n, sizeof(*surveys));
    for (size_t i = 0; rc == 0 && i < n; i++) {
        targets[i].name = d->cluster->hosts.items[i].name;
        rc = check_ssh_target(&check, targets[i].name, &arena, &targets[i].ssh, err);
    }
    if (rc == 0 && (rc = survey_made(d, targets, surveys, n, start + MADE_TIMEOUT_MS, err)) == 0)
        rc = place_made(d, surveys, &arena, err);
    for (size_t i = 0; i < n; i++)
        survey_release(&surveys[i]);
    free(surveys);
    arena_release(&arena);
    if (rc == 0)
        stage_end(d, "survey", start);
    return rc;
}

static int read_outputs(struct deploy *d, struct err *err)
{
    struct arena arena = ARENA_INIT;
    const struct value *outputs = state_read_value(d->state_dir, OUTPUTS_FILE, &arena, err);

    if (outputs)
        cluster_take_outputs(d->cluster, outputs);
    arena_release(&arena);
    return outputs ? 0 : -1;
}

int deploy_locate(struct deploy *d, enum deploy_access access, struct err *err)
{
    bool ask = access == DEPLOY_WRITE || access == DEPLOY_PLAN;

    if (cluster_is_in_cloud(d->cluster) && (read_outputs(d, err) < 0 || read_places(d, err) < 0))
        return -1;

    if (!cluster_has_given_hosts(d->cluster))
        return d->wipe || d->adopt
                   ? err_set(err, ERR_USAGE, "--wipe and --adopt are for provider existing")
                   : 0;
    if (d->replace) {
        err_set(err, ERR_USAGE, "--replace is for hosts that a provider makes");
        return err_hint(err,
                        "give %s a new system, then `up`: it joins again, and copies its data from "
                        "the others",
                        d->replace);
    }
    if (read_places(d, err) < 0)
        return -1;
    if (access == DEPLOY_DESTROY || access == DEPLOY_LOOK ||
        (!ask && cluster_is_placed(d->cluster)))
        return 0;
    if (access == DEPLOY_WRITE && adopt_read(d, err) < 0)
        return -1;
    if (d->wipe && access == DEPLOY_WRITE && wipe_first(d, err) < 0)
        return -1;
    return survey(d, access, err);
}
