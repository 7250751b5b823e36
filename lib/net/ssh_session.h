/*
 * ssh_session.h - what the files of the SSH client share. Private to lib/net.
 */
#ifndef PGHA_SSH_SESSION_H
#define PGHA_SSH_SESSION_H

#include <libssh/libssh.h>

#include "lib/net/ssh.h"

/* libssh is used without blocking: a call that returns SSH_AGAIN is repeated after
 * ssh_session_wait(). */
struct ssh {
    ssh_session session;
    ssh_event event; /* NULL until connected */
    char *where;     /* "db1 (root@10.77.0.11:22)" */
    bool become;
};

/*
 * Moves what is ready on the connection, or waits for it. ERR_TIMEOUT at deadline_ms
 * (clock_mono_ms; INT64_MAX: none), ERR_INTERRUPTED, ERR_NET when the connection is gone.
 */
int ssh_session_wait(struct ssh *s, int64_t deadline_ms, struct err *err) MUST_USE;

/* What became of the connection, for people: libssh's words, or "closed by the host". */
const char *ssh_session_fault(const struct ssh *s);

/* The files to look for host keys in. */
struct ssh_known_hosts {
    char *own;    /* owned; new keys are recorded here */
    char *global; /* owned; NULL: none */
};

void ssh_known_hosts_init(struct ssh_known_hosts *known, const struct ssh_target *target);
void ssh_known_hosts_release(struct ssh_known_hosts *known);
/* 0 when the key that the server has just proved to hold is the host's; otherwise ERR_DENIED naming
 * fingerprints. */
int ssh_known_hosts_check(const struct ssh_known_hosts *known, ssh_session session,
                          const struct ssh_target *target, struct err *err) MUST_USE;

#endif
