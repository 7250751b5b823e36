/*
 * bound.h - how long clients may feel a fault, added up from the timers of a failover preset.
 *
 * A bound is a list of terms. Some are exact, for they are timers; the others are what a machine
 * with little to do needs at most for a step that has no timer (an allowance). All of it is pure.
 */
#ifndef PGHA_BOUND_H
#define PGHA_BOUND_H

#include "lib/base/str.h"
#include "lib/cluster/cluster.h"

enum bound_term {
    BOUND_END, /* of a list */
    /* The client: its attempt that met the dead moment, the pause, and a login. */
    BOUND_CLIENT,
    BOUND_STEADY, /* nothing is to be felt: what a busy machine may take for one answer */
    /* Patroni. */
    BOUND_LEASE,    /* the leader's key outlives the leader */
    BOUND_START,    /* primary_start_timeout: a primary that starts and starts again is given up */
    BOUND_TURN,     /* loop_wait: until a member looks again */
    BOUND_RETRY,    /* retry_timeout: until it gives the DCS up */
    BOUND_STOP,     /* allowance: a fast shutdown with its checkpoint */
    BOUND_RECOVERY, /* allowance: PostgreSQL starts again, and replays its log */
    BOUND_ELECTION, /* members ask each other how far they are: a dead one is waited for 2 s */
    /* Allowance: a replica that had more of the log than the one that was promoted is rewound. */
    BOUND_REWIND,
    BOUND_PROMOTE, /* allowance: end of recovery */
    BOUND_ETCD,    /* etcd elects a leader, who renews all leases */
    /* HAProxy. */
    BOUND_SERVER_UP,     /* a member in a new role is found */
    BOUND_SERVER_DOWN,   /* one that refuses or does not answer SYN is given up */
    BOUND_SERVER_FROZEN, /* one that connects and does not answer is given up */
    /* keepalived. */
    BOUND_VRRP_LOST,  /* the holder's advertisements are missed */
    BOUND_VRRP_CHECK, /* the holder finds that its HAProxy does not answer */
    /* The unit's own restart. */
    BOUND_SYSTEMD,
    BOUND_TERMS
};

#define BOUND_MAX_TERMS 8

/* Milliseconds. */
int64_t bound_ms(const enum bound_term *terms, const struct preset *preset);
/* "ttl 20 s + loop_wait 2 s + ..." */
void bound_put(const enum bound_term *terms, const struct preset *preset, struct str *out);

#endif
