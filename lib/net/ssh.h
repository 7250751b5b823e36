/*
 * ssh.h - one SSH connection to a host (libssh), many scripts over it.
 *
 * The host key is always verified, by known_hosts; host certificates (@cert-authority) are not
 * supported, for libssh cannot verify them. Nothing is ever asked at the terminal. A session
 * belongs to one thread at a time.
 */
#ifndef PGHA_SSH_H
#define PGHA_SSH_H

#include "lib/base/err.h"
#include "lib/base/str.h"

#define SSH_MAX_JUMPS 4

/* Nothing of it is needed any more when ssh_open has returned. */
struct ssh_target {
    const char *name; /* the host's name in messages */
    /* Name or address to connect to, as its bastion knows it. */
    const char *address;
    int port; /* 0: 22 */
    /* 0: 10 s. After so long without a word from it, the host is asked whether it is still there;
     * when three questions got no answer, the connection is lost: after 40 s. */
    int alive_interval_ms;
    const char *user; /* NULL: root */
    /* Private key file; the certificate beside it (FILE-cert.pub) is tried first. Where the private
     * key has a passphrase, or the file is a public key: the agent's key. NULL: what the agent
     * holds (SSH_AUTH_SOCK), then ~/.ssh/id_ed25519, id_ecdsa, id_rsa. */
    const char *identity;
    const char *known_hosts; /* file; NULL: ~/.ssh/known_hosts and the machine's */
    /* Trust and record an unknown key, the bastions' too. A changed one is always refused. */
    bool accept_new;
    bool become;            /* run scripts as root by sudo */
    int connect_timeout_ms; /* 0: 10 s; for one attempt, the way through the bastions included */
    const char *become_password; /* told to sudo if it asks; NULL: sudo -n */
    /* The bastion that the connection goes through; NULL: direct. It may have a jump itself: at
     * most SSH_MAX_JUMPS on the way. */
    const struct ssh_target *jump;
};

struct ssh;

/* NULL on failure: ERR_NET (retryable when refused or timed out), ERR_DENIED (login or host key, of
 * the host or of a bastion), ERR_INPUT. The message names the host and its bastion.
 *
 * No more than eight logins to one server, a bastion or a host, are under way at once, whatever the
 * number of threads; waiting for others that do get in is not part of the time limit. A connection
 * that is closed before the server's greeting, as sshd does with too many, is made again within it.
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
 * ERR_NET: the connection was lost, or the host hangs: sshd did not answer (alive_interval_ms),
 * whatever the script was doing. What the script did is then unknown, except that a script which
 * did not arrive whole did nothing. ERR_TIMEOUT, ERR_INTERRUPTED, ERR_REMOTE (it printed more than
 * the maximum of out or errout): the script was asked to end by SIGTERM, but sshd does not pass
 * signals on where the login is root's, so it may still run. ERR_DENIED: sudo refused, or wants a
 * password that was not given. The session stays usable after all of these but ERR_NET.
 */
int ssh_script(struct ssh *s, struct ssh_run *run, struct err *err) MUST_USE;

#endif
