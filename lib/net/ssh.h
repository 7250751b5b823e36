/*
 * ssh.h - one SSH connection to a host (libssh), many scripts over it.
 *
 * The host key is always verified. A session belongs to one thread at a time.
 */
#ifndef PGHA_SSH_H
#define PGHA_SSH_H

#include "lib/base/err.h"
#include "lib/base/str.h"

struct ssh_target {
    const char *name;        /* the host's name in messages */
    const char *address;     /* name or address to connect to */
    int port;                /* 0: 22 */
    const char *user;        /* NULL: root */
    const char *identity;    /* private key file; NULL: agent and default keys */
    const char *known_hosts; /* file; NULL: ~/.ssh/known_hosts */
    bool accept_new;         /* trust and record an unknown key; a changed key is always refused */
    bool become;             /* run scripts as root by sudo -n */
    int connect_timeout_ms;  /* 0: 10 s; for one attempt */
};

struct ssh;

/* NULL on failure: ERR_NET (retryable when refused or timed out), ERR_DENIED (login or host key).
 */
struct ssh *ssh_open(const struct ssh_target *target, struct err *err);
/* Tries until the host answers and lets us in, or deadline_ms (clock_mono_ms) has passed. Only
 * retryable faults are tried again. */
struct ssh *ssh_open_wait(const struct ssh_target *target, int64_t deadline_ms, struct err *err);
void ssh_close(struct ssh *s);

struct ssh_run {
    const char *script; /* POSIX sh text, sent on stdin, never in an argument: the remote command
                           line is constant */
    size_t script_len;
    int timeout_ms;  /* 0: none. Silence or work longer than this: ERR_TIMEOUT */
    struct str *out; /* appended to; their maxima bound what a host can send */
    struct str *errout;
    int status; /* set on success: exit status, or 128 + signal */
    /* Called with each complete line of stdout as it comes, and the line is still appended to out.
     * May be NULL. */
    void (*line)(void *ctx, const char *line, size_t len);
    void *ctx;
};

/*
 * 0 when the script ran, whatever its status. The script sees an empty stdin. It is over when it
 * has ended and nobody holds its stdout and stderr any more: what it leaves in the background must
 * redirect both.
 *
 * ERR_NET: the connection was lost. What the script did is then unknown, except that a script which
 * did not arrive whole did nothing. ERR_TIMEOUT, ERR_INTERRUPTED, ERR_REMOTE (it printed more than
 * the maximum of out or errout): the script was asked to end by SIGTERM, but sshd does not pass
 * signals on where the login is root's, so it may still run. ERR_DENIED: sudo refused.
 * The session stays usable after all of these but ERR_NET.
 */
int ssh_script(struct ssh *s, struct ssh_run *run, struct err *err) MUST_USE;

#endif
