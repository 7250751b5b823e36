/* doctor.c - the survey of a cluster's hosts, the judge, and the table of what came of it. */
#include "lib/check/doctor.h"

#include <errno.h>
#include <unistd.h>

/* ---- this machine ---- */

static void judge_file(struct doctor *d, const char *what, const char *path)
{
    char *text;

    if (!path || access(path, R_OK) == 0)
        return;
    for (size_t i = 0; i < d->findings.n; i++)
        if (!d->findings.items[i].host && strstr(d->findings.items[i].text, path))
            return;
    text = xasprintf("%s %s cannot be read: %s", what, path, strerror(errno));
    doctor_add(d, NULL, "login", DOCTOR_BLOCKER, text, "see that it is there, and yours to read");
    free(text);
}

/* A provider that makes hosts may not have made them yet: their addresses may lead anywhere. */
bool doctor_judge_login(const struct cluster *c, const struct survey_target *targets, size_t n,
                        struct doctor *d)
{
    size_t before = d->findings.n;

    if (!cluster_has_given_hosts(c) && n && access(targets[0].ssh.known_hosts, F_OK) != 0) {
        doctor_add(d, NULL, "hosts", DOCTOR_OK, "not made yet: there is nothing to look at",
                   "pgha-deploy up makes them");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        judge_file(d, "the login key", targets[i].ssh.identity);
        /* One that does not exist yet is made where new keys are accepted. */
        if (!targets[i].ssh.accept_new)
            judge_file(d, "the file of known hosts", targets[i].ssh.known_hosts);
    }
    if (d->findings.n == before)
        doctor_add(d, NULL, "login", DOCTOR_OK, "keys and known hosts can be read", NULL);
    return true;
}

/* ---- the hosts ---- */

static void prepare_look(const struct cluster *c, const struct cluster_host *h,
                         const struct survey_target *target, struct host_look *look,
                         struct arena *a)
{
    const struct value *proxy = value_at(c->config, "packages.proxy");
    size_t wanted;

    look->target = *target;
    look->probes = arena_alloc(a, SURVEY_MAX_PROBES * sizeof(*look->probes));
    look->n_probes = doctor_plan_probes(c, h, look->probes, &wanted);
    look->sources = arena_alloc(a, SURVEY_MAX_SOURCES * sizeof(*look->sources));
    look->n_sources = doctor_plan_sources(c, look->sources, a);
    look->proxy = proxy ? proxy->u.str.s : NULL;
    if (h->is_lb && h->address) {
        look->vip = c->vip;
        look->address = h->address;
    }
}

static void look_around(const struct cluster *c, const struct survey_target *targets,
                        struct doctor_host *hosts, size_t n, struct host_look *looks,
                        struct arena *a)
{
    size_t looking = 0;

    for (size_t i = 0; i < n; i++) {
        if (hosts[i].survey->step != SURVEY_DONE)
            continue;
        prepare_look(c, hosts[i].host, &targets[i], &looks[looking], a);
        hosts[i].look = &looks[looking++];
    }
    survey_look(looks, looking);
}

void doctor_examine(const struct cluster *c, const struct survey_target *targets,
                    const struct host_survey *surveys, size_t n, bool look, struct doctor *d)
{
    struct host_look *looks = xcalloc(n + 1, sizeof(*looks));
    struct doctor_host *hosts = xcalloc(n + 1, sizeof(*hosts));
    struct doctor_input in = {.cluster = c,
                              .hosts = hosts,
                              .n = n,
                              .data_dir = cluster_data_dir(c, &d->arena),
                              .vrrp_id = cluster_vrrp_id(c)};

    for (size_t i = 0; i < n; i++) {
        hosts[i].host = cluster_host_find(c, targets[i].name);
        hosts[i].survey = &surveys[i];
    }
    if (look)
        look_around(c, targets, hosts, n, looks, &d->arena);
    doctor_judge(&in, d);
    for (size_t i = 0; i < n; i++)
        survey_look_release(&looks[i]);
    free(looks);
    free(hosts);
}

/* ---- showing it ---- */

static const char *const level_names[] = {
    [DOCTOR_OK] = "ok", [DOCTOR_WARNING] = "warning", [DOCTOR_BLOCKER] = "blocker"};

struct value *doctor_to_value(const struct doctor *d, const char *cluster, struct arena *a)
{
    struct value *top = value_map(a), *list = value_list(a);

    vec_each (f, &d->findings) {
        struct value *v = value_map(a);

        value_map_set(a, v, "host", f->host ? value_str(a, f->host) : value_null(a));
        value_map_set(a, v, "check", value_str(a, f->check));
        value_map_set(a, v, "result", value_str(a, level_names[f->level]));
        value_map_set(a, v, "reason", value_str(a, f->text));
        value_map_set(a, v, "cure", f->cure ? value_str(a, f->cure) : value_null(a));
        value_list_add(a, list, v);
    }
    value_map_set(a, top, "cluster", value_str(a, cluster));
    value_map_set(a, top, "ok", value_bool(a, d->blockers == 0));
    value_map_set(a, top, "blockers", value_int(a, (int64_t)d->blockers));
    value_map_set(a, top, "warnings", value_int(a, (int64_t)d->warnings));
    value_map_set(a, top, "findings", list);
    return top;
}

struct table {
    const struct doctor *d;
    struct str *out;
    int host_width;
    bool all, colour;
};

static const char *shown_name(const struct doctor_finding *f)
{
    return f->host ? f->host : "this machine";
}

static void put_row(const struct table *t, const char *host, const char *check,
                    enum doctor_level level, const char *text)
{
    static const char *const colours[] = {
        [DOCTOR_OK] = "\033[32m", [DOCTOR_WARNING] = "\033[33m", [DOCTOR_BLOCKER] = "\033[31m"};

    str_printf(t->out, "%-*s %-11s %s%-8s%s %s\n", t->host_width, host, check,
               t->colour ? colours[level] : "", level_names[level], t->colour ? "\033[0m" : "",
               text);
}

static void put_host(const struct table *t, size_t first, size_t end)
{
    const struct doctor_finding *f = t->d->findings.items;
    size_t problems = 0;
    char text[64];

    for (size_t i = first; i < end; i++) {
        problems += f[i].level != DOCTOR_OK;
        if (f[i].level == DOCTOR_OK && !t->all)
            continue;
        put_row(t, shown_name(&f[i]), f[i].check, f[i].level, f[i].text);
        if (f[i].cure)
            str_printf(t->out, "%-*s -> %s\n", t->host_width + 21, "", f[i].cure);
    }
    if (problems || t->all)
        return;
    snprintf(text, sizeof(text), "%zu check%s", end - first, end - first == 1 ? "" : "s");
    put_row(t, shown_name(&f[first]), "", DOCTOR_OK, text);
}

/* Findings of a host stand together. */
static size_t end_of_host(const struct doctor *d, size_t first)
{
    size_t end = first;

    while (end < d->findings.n &&
           str_eq(d->findings.items[end].host, d->findings.items[first].host))
        end++;
    return end;
}

static void put_count(struct str *out, size_t n, const char *what)
{
    str_printf(out, "%zu %s%s", n, what, n == 1 ? "" : "s");
}

void doctor_format(const struct doctor *d, bool all, bool colour, struct str *out)
{
    struct table t = {.d = d, .out = out, .all = all, .colour = colour, .host_width = 4};

    vec_each (f, &d->findings)
        if ((int)strlen(shown_name(f)) > t.host_width)
            t.host_width = (int)strlen(shown_name(f));
    str_printf(out, "%-*s %-11s %-8s %s\n", t.host_width, "HOST", "CHECK", "RESULT", "REASON");
    for (size_t at = 0; at < d->findings.n; at = end_of_host(d, at))
        put_host(&t, at, end_of_host(d, at));
    str_putc(out, '\n');
    put_count(out, d->blockers, "blocker");
    str_puts(out, ", ");
    put_count(out, d->warnings, "warning");
    str_putc(out, '\n');
}
