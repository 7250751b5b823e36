/*
 * ssh_pulse.c - does the host still answer, while a script is at work and says nothing?
 *
 * TCP finds out about a host that has lost its power or its network (tcp.c). But the kernel
 * acknowledges for an sshd that is stopped, starved, or waits for a dead disk, and behind a bastion
 * it is the bastion's kernel. So the server itself is asked, as ssh(1) does with
 * ServerAliveInterval: a global request that it does not know and has to refuse (RFC 4254, 4). It
 * answers between other work, so a script may be as slow as it likes.
 */
#include <libssh/server.h>

#include "lib/base/clock.h"
#include "lib/net/ssh_session.h"

#define INTERVAL_MS 10000
#define QUESTIONS   3 /* without an answer */

void ssh_pulse_init(struct ssh *s, int interval_ms)
{
    s->pulse.interval_ms = interval_ms > 0 ? interval_ms : INTERVAL_MS;
    ssh_set_counters(s->session, &s->pulse.received, NULL);
}

void ssh_pulse_start(struct ssh *s)
{
    s->pulse.heard_bytes = s->pulse.received.in_bytes;
    s->pulse.since_ms = clock_mono_ms();
    s->pulse.questions = 0;
}

/* libssh takes one question at a time: the first call only clears away an answer that came, and the
 * second one does nothing more when there was none. */
static void ask(struct ssh *s)
{
    ssh_send_keepalive(s->session);
    ssh_send_keepalive(s->session);
    s->pulse.questions++;
    s->pulse.since_ms = clock_mono_ms();
}

int ssh_pulse_check(struct ssh *s, struct err *err)
{
    struct ssh_pulse *p = &s->pulse;

    if (p->received.in_bytes != p->heard_bytes)
        ssh_pulse_start(s);
    if (clock_mono_ms() - p->since_ms < p->interval_ms)
        return 0;
    if (p->questions < QUESTIONS) {
        ask(s);
        return 0;
    }
    err_set(err, ERR_NET, "the host hangs: no answer from its SSH server for %.3g s",
            (QUESTIONS + 1) * p->interval_ms / 1000.0);
    return err_hint(err, "look at the host's console: it is frozen, or out of memory or disk");
}
