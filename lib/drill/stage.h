/*
 * stage.h - what a scenario acts on: the cluster's hosts by their roles of now, ways to hurt them,
 * and the healing of each.
 *
 * A fault on a host carries its own healing there: a timer of the host's systemd undoes it after
 * FAULT_MAX_S, whatever became of this program. Power and cables belong to the provider: there a
 * guard, a process of its own, puts them back when this program is gone (guard.h).
 */
#ifndef PGHA_STAGE_H
#define PGHA_STAGE_H

#include "lib/check/check.h"
#include "lib/drill/report.h"
#include "providers/provider.h"

#define FAULT_MAX_S 300

struct drill_host {
    const struct cluster_host *host;
    struct ssh *ssh; /* made before the fault, so that it strikes at once; NULL: none */
};

struct drill_fault {
    struct drill_host *on;
    const char *id; /* of its script and timer on the host; NULL: the provider's */
    bool power;     /* its plug was pulled */
};

struct drill_stage {
    const struct check_target *target;
    struct drill_guard *guard; /* NULL: the provider has neither power nor cables */
    struct arena *arena;
    VEC(struct drill_host) hosts;   /* the cluster's, in its order */
    VEC(struct drill_fault) faults; /* those not healed */

    /* Who is what; NULL: nobody. */
    struct drill_host *primary, *replica, *sync, *holder, *other_balancer, *etcd_leader;
    const char *members; /* the roles in words */
    int64_t timeline;
};

/* Hosts and connections to all of them; then who is what. stage_look may be repeated. */
int stage_open(struct drill_stage *s, struct err *err) MUST_USE;
void stage_close(struct drill_stage *s);
int stage_look(struct drill_stage *s, struct err *err) MUST_USE;
int stage_holds_vip(struct drill_stage *s, struct drill_host *lb, bool *holds,
                    struct err *err) MUST_USE;

/* A script on a host, by the connection that is open; its output is appended to out (may be NULL).
 */
int stage_run(struct drill_stage *s, struct drill_host *h, const char *script, struct str *out,
              struct err *err) MUST_USE;

/*
 * Hurts a host by a script that ends at once; heal is the script that undoes it, and may run though
 * there is nothing to undo. The timer stands before the script runs.
 */
int fault_begin(struct drill_stage *s, struct drill_host *h, const char *hurt, const char *heal,
                struct err *err) MUST_USE;
/* A signal for every process of a unit (KILL, STOP); STOP is undone by CONT. */
int fault_signal(struct drill_stage *s, struct drill_host *h, const char *unit, const char *signal,
                 struct err *err) MUST_USE;
/* Stops a unit; undone by its start. */
int fault_stop_unit(struct drill_stage *s, struct drill_host *h, const char *unit,
                    struct err *err) MUST_USE;
/* The plug of a host. A provider without power: ERR_INPUT. */
int fault_power(struct drill_stage *s, struct drill_host *h, struct err *err) MUST_USE;
/* No packet to or from the host but this program's SSH; in or out alone when the other is false. */
int fault_cut(struct drill_stage *s, struct drill_host *h, bool in, bool out,
              struct err *err) MUST_USE;
/* Waits until this host leads: ERR_TIMEOUT. */
int stage_wait_leader(struct drill_stage *s, const struct drill_host *h, struct err *err) MUST_USE;
/* Undoes the last. */
int fault_heal_last(struct drill_stage *s, struct err *err) MUST_USE;
/* Undoes all, the last first; each is tried though another failed. */
int fault_heal(struct drill_stage *s, struct err *err) MUST_USE;

#endif
