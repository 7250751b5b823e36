/*
 * ssh_gate.c - not all at once: logins to one server take turns.
 *
 * sshd drops connections at random when too many have not logged in yet (MaxStartups, 10 unless
 * configured), and a bastion is one server to all the hosts behind it. So a few go in, and the next
 * one follows when one of them is through. Whoever waits does so as long as others get in: the time
 * that it has for its own login begins after that.
 */
#include <time.h>

#include "lib/base/clock.h"
#include "lib/net/ssh_session.h"

#define MOST_INSIDE 8   /* below sshd's 10; the rest is for other people's logins */
#define SLICE_MS    100 /* how often a requested stop is looked for */

struct ssh_gate {
    char *server;
    int inside, users; /* who is in; these and who waits */
    int64_t passed_ms; /* when the last one was through; clock_mono_ms */
    pthread_cond_t room;
    struct ssh_gate *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ssh_gate *gates; /* guarded by lock, with all that is in them */

/* The same address behind another bastion is another server. */
static char *server_name(const struct ssh_target *target)
{
    struct str name;

    str_init(&name, STR_MAX_TEXT);
    for (const struct ssh_target *at = target; at; at = at->jump)
        str_printf(&name, "%s:%d ", at->address, at->port ? at->port : 22);
    return str_detach(&name);
}

static struct ssh_gate *gate_of(const struct ssh_target *target)
{
    char *server = server_name(target);
    struct ssh_gate *gate = gates;
    pthread_condattr_t attr;

    while (gate && !str_eq(gate->server, server))
        gate = gate->next;
    if (gate) {
        free(server);
        return gate;
    }
    gate = xcalloc(1, sizeof(*gate));
    gate->server = server;
    gate->next = gates;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&gate->room, &attr);
    pthread_condattr_destroy(&attr);
    gates = gate;
    return gate;
}

static void drop_user(struct ssh_gate *gate)
{
    struct ssh_gate **link = &gates;

    if (--gate->users > 0)
        return;
    while (*link != gate)
        link = &(*link)->next;
    *link = gate->next;
    pthread_cond_destroy(&gate->room);
    free(gate->server);
    free(gate);
}

static void wait_slice(struct ssh_gate *gate)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += SLICE_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_cond_timedwait(&gate->room, &lock, &until);
}

/* left_ms: how long nobody may get through. */
static int wait_for_room(struct ssh_gate *gate, int64_t left_ms, struct err *err)
{
    int64_t from_ms = clock_mono_ms();

    while (gate->inside >= MOST_INSIDE) {
        if (clock_stop_requested())
            return err_set(err, ERR_INTERRUPTED, "stopped by the user");
        if (gate->passed_ms > from_ms)
            from_ms = gate->passed_ms;
        if (clock_mono_ms() - from_ms >= left_ms) {
            err_set(err, ERR_NET, "timed out behind others: none of the logins before got through");
            err->retryable = true;
            return -1;
        }
        wait_slice(gate);
    }
    return 0;
}

struct ssh_gate *ssh_gate_enter(const struct ssh_target *target, struct ssh_attempt *attempt,
                                struct err *err)
{
    int64_t begin_ms = clock_mono_ms(), waited_ms;
    struct ssh_gate *gate;

    pthread_mutex_lock(&lock);
    gate = gate_of(target);
    gate->users++;
    if (wait_for_room(gate, attempt->deadline_ms - begin_ms, err) == 0) {
        gate->inside++;
    } else {
        drop_user(gate);
        gate = NULL;
    }
    pthread_mutex_unlock(&lock);
    waited_ms = clock_mono_ms() - begin_ms;
    if (gate) {
        attempt->deadline_ms += waited_ms;
        attempt->waited_ms += waited_ms;
    }
    return gate;
}

void ssh_gate_leave(struct ssh_gate *gate, bool passed)
{
    if (!gate)
        return;
    pthread_mutex_lock(&lock);
    gate->inside--;
    if (passed)
        gate->passed_ms = clock_mono_ms();
    pthread_cond_signal(&gate->room);
    drop_user(gate);
    pthread_mutex_unlock(&lock);
}
