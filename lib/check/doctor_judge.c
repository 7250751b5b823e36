/* doctor_judge.c - the checks: a row each, on every host whose roles it is for. */
#include "lib/check/doctor_judge.h"

#include "lib/base/log.h"

enum { DB = 1, ETCD = 2, LB = 4, ANY = DB | ETCD | LB };

static const struct {
    const char *name;
    int roles;
    void (*check)(struct judge *j);
} checks[] = {
    {"login", ANY, check_root},       {"system", ANY, check_system},
    {"names", ANY, check_names},      {"clock", ANY, check_clock},
    {"disk", ANY, check_disk},        {"fsync", DB | ETCD, check_fsync},
    {"memory", DB, check_memory},     {"packages", ANY, check_packages},
    {"sources", ANY, check_sources},  {"firewall", ANY, check_firewall},
    {"address", ANY, check_address},  {"ports", ANY, check_ports},
    {"reach", ANY, check_reach},      {"postgresql", DB, check_postgresql},
    {"patroni", DB, check_patroni},   {"etcd", ETCD, check_etcd_data},
    {"balancer", LB, check_balancer}, {"vip", LB, check_vip_free},
    {"vrrp", LB, check_vrrp},         {"store", ETCD, check_store},
};

void doctor_add(struct doctor *d, const char *host, const char *check, enum doctor_level level,
                const char *text, const char *cure)
{
    struct doctor_finding f = {.host = host ? arena_strdup(&d->arena, host) : NULL,
                               .check = check,
                               .level = level,
                               .text = log_redacted(&d->arena, text),
                               .cure = log_redacted(&d->arena, cure)};

    vec_push(&d->findings, f);
    d->warnings += level == DOCTOR_WARNING;
    d->blockers += level == DOCTOR_BLOCKER;
}

void judge_say(const struct judge *j, enum doctor_level level, const char *cure, const char *fmt,
               ...)
{
    va_list args;
    char *text;

    va_start(args, fmt);
    text = xvasprintf(fmt, args);
    va_end(args);
    doctor_add(j->doctor, j->at->host->name, j->check, level, text, cure);
    free(text);
}

bool judge_was_surveyed(const struct doctor_host *h)
{
    return h->survey->step == SURVEY_DONE;
}

bool judge_is_ours(const struct judge *j, enum config_kind kind)
{
    const struct host_config *c = survey_config(j->facts, kind);
    const char *cluster = j->in->cluster->name;

    if (c && c->owner == CONFIG_FOREIGN && j->in->cluster->adopts)
        return kind != CONFIG_PATRONI || str_eq(c->scope, j->in->cluster->adopts);
    if (!c || c->owner != CONFIG_OURS)
        return false;
    switch (kind) {
    case CONFIG_PATRONI:
        return str_eq(c->scope, cluster);
    case CONFIG_ETCD:
        return c->token && str_starts(c->token, "pgha-") &&
               str_eq(c->token + strlen("pgha-"), cluster);
    case CONFIG_KEEPALIVED:
        return str_eq(j->facts->vrrp_instance, cluster);
    case CONFIG_HAPROXY: /* it does not name the cluster; keepalived beside it does */
        return !j->facts->vrrp_instance || judge_is_ours(j, CONFIG_KEEPALIVED);
    }
    BUG("no kind of configuration: %d", (int)kind);
}

static int roles_of(const struct cluster_host *h)
{
    return (h->is_db ? DB : 0) | (h->is_etcd ? ETCD : 0) | (h->is_lb ? LB : 0);
}

static void judge_host(const struct doctor_input *in, const struct doctor_host *h, struct doctor *d)
{
    struct judge j = {.in = in, .doctor = d, .at = h, .facts = &h->survey->facts};

    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        if (!(checks[i].roles & roles_of(h->host)))
            continue;
        j.check = checks[i].name;
        checks[i].check(&j);
        if (!judge_was_surveyed(h)) /* the first one has said so */
            return;
    }
}

void doctor_judge(const struct doctor_input *in, struct doctor *d)
{
    check_own_clock(in, d);
    for (size_t i = 0; i < in->n; i++)
        judge_host(in, &in->hosts[i], d);
}

void doctor_release(struct doctor *d)
{
    vec_release(&d->findings);
    arena_release(&d->arena);
}
