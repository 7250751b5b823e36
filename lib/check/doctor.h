/*
 * doctor.h - whether a cluster can be put on its hosts: findings, each with a reason and a cure.
 *
 * doctor_judge is a pure function of the cluster and what a survey (survey.h) found. Nothing on a
 * host is changed.
 */
#ifndef PGHA_DOCTOR_H
#define PGHA_DOCTOR_H

#include "lib/check/check.h"
#include "lib/check/survey.h"

enum doctor_level {
    DOCTOR_OK,
    DOCTOR_WARNING, /* it works, but not well, or it could not be looked at */
    DOCTOR_BLOCKER  /* it would fail, or something of somebody else would be lost */
};

struct doctor_finding {
    const char *host;  /* NULL: this machine */
    const char *check; /* "ports" */
    enum doctor_level level;
    const char *text; /* what was found */
    const char *cure; /* what to do; NULL: nothing */
};

struct doctor_host {
    const struct cluster_host *host;
    const struct host_survey *survey;
    const struct host_look *look; /* NULL: it was not sent to look around */
};

struct doctor_input {
    const struct cluster *cluster;
    const struct doctor_host *hosts; /* those that were surveyed, in the cluster's order */
    size_t n;
    const char *data_dir; /* where PostgreSQL's data will be */
    int vrrp_id;          /* virtual_router_id that the balancers will have */
};

struct doctor {
    struct arena arena;
    VEC(struct doctor_finding)
    findings; /* this machine's, then each host's in the order of checks */
    size_t warnings, blockers;
};

/* Adds every check's findings on every host; d need not be empty, but is initialised. A host that
 * was not surveyed has one finding. */
void doctor_judge(const struct doctor_input *in, struct doctor *d);
/* Copies text and cure. */
void doctor_add(struct doctor *d, const char *host, const char *check, enum doctor_level level,
                const char *text, const char *cure);

/* What the host is to try: the ports of others that its roles need, at most SURVEY_MAX_PROBES; in
 * a large cluster those of the members after it in a ring, so that each is tried by some. The
 * number of probes; *wanted is how many there would be without the limit. */
size_t doctor_plan_probes(const struct cluster *c, const struct cluster_host *from,
                          struct reach_probe probes[SURVEY_MAX_PROBES], size_t *wanted);

/* The repositories that each host is to try, with what is in the arena. How many. */
size_t doctor_plan_sources(const struct cluster *c, struct source_probe sources[SURVEY_MAX_SOURCES],
                           struct arena *a);

/* What this machine has to log in with. False: the provider has not made the hosts yet. */
bool doctor_judge_login(const struct cluster *c, const struct survey_target *targets, size_t n,
                        struct doctor *d);
/* Judges the hosts that were surveyed, which may be some of the cluster's. look: each is sent to
 * look around as well, which takes two seconds more. */
void doctor_examine(const struct cluster *c, const struct survey_target *targets,
                    const struct host_survey *surveys, size_t n, bool look, struct doctor *d);
void doctor_release(struct doctor *d);

struct value *doctor_to_value(const struct doctor *d, const char *cluster, struct arena *a);
/* A table for people: problems, and a line for each host without; all: every check. */
void doctor_format(const struct doctor *d, bool all, bool colour, struct str *out);

#endif
