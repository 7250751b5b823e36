/* list.h - every scenario; scenarios.c has them in order. */
#ifndef PGHA_SCENARIO_LIST_H
#define PGHA_SCENARIO_LIST_H

#include "lib/drill/scenario.h"

extern const struct scenario scenario_replication;
extern const struct scenario scenario_switchover;
extern const struct scenario scenario_patroni_stopped;
extern const struct scenario scenario_postgres_killed;
extern const struct scenario scenario_postgres_frozen;
extern const struct scenario scenario_disk_full;
extern const struct scenario scenario_wal_full;
extern const struct scenario scenario_host_lost;
extern const struct scenario scenario_primary_cut;
extern const struct scenario scenario_primary_mute;
extern const struct scenario scenario_primary_deaf;
extern const struct scenario scenario_replica_lost;
extern const struct scenario scenario_sync_lost;
extern const struct scenario scenario_etcd_member_lost;
extern const struct scenario scenario_etcd_leader_lost;
extern const struct scenario scenario_etcd_quorum_lost;
extern const struct scenario scenario_balancer_lost;
extern const struct scenario scenario_haproxy_killed;
extern const struct scenario scenario_haproxy_frozen;
extern const struct scenario scenario_keepalived_killed;
extern const struct scenario scenario_all_down;

#endif
