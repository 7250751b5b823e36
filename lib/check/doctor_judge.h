/* doctor_judge.h - between doctor_judge.c and the files of its checks. */
#ifndef PGHA_DOCTOR_JUDGE_H
#define PGHA_DOCTOR_JUDGE_H

#include "lib/check/doctor.h"

/* One check on one host. */
struct judge {
    const struct doctor_input *in;
    struct doctor *doctor;
    const struct doctor_host *at;
    const struct host_facts *facts; /* of at */
    const char *check;
};

/* cure NULL: none. */
void judge_say(const struct judge *j, enum doctor_level level, const char *cure, const char *fmt,
               ...) PRINTF_LIKE(4, 5);
#define judge_ok(j, ...)            judge_say(j, DOCTOR_OK, NULL, __VA_ARGS__)
#define judge_warn(j, cure, ...)    judge_say(j, DOCTOR_WARNING, cure, __VA_ARGS__)
#define judge_blocker(j, cure, ...) judge_say(j, DOCTOR_BLOCKER, cure, __VA_ARGS__)

/* Whether the software's configuration was written by this program for this very cluster, or is
 * being taken over by it. */
bool judge_is_ours(const struct judge *j, enum config_kind kind);
bool judge_was_surveyed(const struct doctor_host *h);

/* doctor_machine.c: what a host is. */
void check_root(struct judge *j);
void check_system(struct judge *j);
void check_names(struct judge *j);
void check_clock(struct judge *j);
void check_disk(struct judge *j);
void check_fsync(struct judge *j);
void check_memory(struct judge *j);
void check_firewall(struct judge *j);
void check_packages(struct judge *j);
/* The clock of this machine against all hosts'. */
void check_own_clock(const struct doctor_input *in, struct doctor *d);

/* doctor_sources.c: the cluster's own repositories. */
void check_sources(struct judge *j);

/* doctor_network.c: addresses and ports. */
void check_address(struct judge *j);
void check_ports(struct judge *j);
void check_reach(struct judge *j);
void check_vip_free(struct judge *j);
void check_vrrp(struct judge *j);

/* doctor_foreign.c: what is somebody else's and would be in the way, or lost. */
void check_postgresql(struct judge *j);
void check_patroni(struct judge *j);
void check_etcd_data(struct judge *j);
void check_balancer(struct judge *j);
void check_store(struct judge *j);

#endif
