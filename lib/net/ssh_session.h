/*
 * ssh_session.h - what the files of the SSH client share. Private to lib/net.
 */
#ifndef PGHA_SSH_SESSION_H
#define PGHA_SSH_SESSION_H

#include <libssh/libssh.h>
#include <pthread.h>

#include "lib/net/ssh.h"

struct ssh_gate;

/* Signs of life: see ssh_pulse.c. */
struct ssh_pulse {
    struct ssh_counter_struct received;
    uint64_t heard_bytes; /* of received, when it was looked at last */
    int64_t since_ms;     /* of the last sign of life, or question */
    int questions;        /* since the last sign of life */
    int interval_ms;
};

/* libssh is used without blocking: a call that returns SSH_AGAIN is repeated after
 * ssh_session_wait(). */
struct ssh {
    ssh_session session;
    ssh_event event; /* NULL until connected */
    char *where;     /* "db1 (root@10.77.0.11:22) through bastion1" */
    bool become;
    char *become_password; /* owned; NULL: none */
    struct ssh_jump *jump; /* owned; NULL: a direct connection */
    struct ssh_gate *gate; /* to leave; NULL: logged in */
    struct ssh_pulse pulse;
};

/* One attempt to log in, the way through the bastions included. */
struct ssh_attempt {
    int connect_ms;      /* for TCP */
    int64_t deadline_ms; /* for all of it (clock_mono_ms); ssh_gate_enter moves it */
    int64_t waited_ms;   /* by so much */
    bool dropped;        /* result: a server closed the connection before its greeting */
};

/* ---- ssh.c */

struct ssh *ssh_session_open(const struct ssh_target *target, struct ssh_attempt *attempt,
                             struct err *err);

/*
 * Moves what is ready on the connection, or waits for it. ERR_TIMEOUT at deadline_ms
 * (clock_mono_ms; INT64_MAX: none), ERR_INTERRUPTED, ERR_NET when the connection is gone.
 */
int ssh_session_wait(struct ssh *s, int64_t deadline_ms, struct err *err) MUST_USE;

/* What became of the connection, for people: the bastion's fault, libssh's words, or "closed by the
 * host". */
const char *ssh_session_fault(const struct ssh *s);
/* After a wait that failed before the login was through: -1, `step` in front of the message. A time
 * limit is then a fault of the connection, and the next attempt may succeed. */
int ssh_session_step_failed(const char *step, struct err *err);

/* A helper of the session's thread: no signal is delivered to it. */
int ssh_thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg,
                     struct err *err) MUST_USE;

/* ---- ssh_gate.c: at most a few logins at once to one server, from all threads together */

/*
 * Waits for its turn; the attempt's deadline moves by that time. NULL: ERR_INTERRUPTED; ERR_NET,
 * retryable, when nobody has got through for as long as the attempt had left. It is held from
 * before the connection is made until the login is through, and never while entering another one.
 */
struct ssh_gate *ssh_gate_enter(const struct ssh_target *target, struct ssh_attempt *attempt,
                                struct err *err);
/* passed: logged in. gate may be NULL. */
void ssh_gate_leave(struct ssh_gate *gate, bool passed);

/* ---- ssh_pulse.c: does the host still answer? */

void ssh_pulse_init(struct ssh *s, int interval_ms); /* before the connection is made */
/* From now on the host's silence counts: nobody looked before. */
void ssh_pulse_start(struct ssh *s);
/* Asks the host after an interval of silence. ERR_NET when it hangs. Cheap: called often. */
int ssh_pulse_check(struct ssh *s, struct err *err) MUST_USE;

/* ---- ssh_login.c */

int ssh_login(struct ssh *s, const struct ssh_target *target, int64_t deadline_ms,
              struct err *err) MUST_USE;

/* ---- ssh_agent.c */

struct ssh_agent_proxy;

/*
 * Connects to the agent of SSH_AUTH_SOCK. `only`: the key to offer, with its certificates; NULL:
 * all of them. NULL with the reason, ERR_DENIED, when there is no agent or it holds no such key.
 */
struct ssh_agent_proxy *ssh_agent_proxy_open(ssh_key only, int64_t deadline_ms, struct err *err);
/* Makes it the session's agent, for ssh_userauth_agent. */
void ssh_agent_proxy_attach(struct ssh_agent_proxy *proxy, ssh_session session);
/* Detaches and frees it. -1 with err when the agent did not do what it was asked to. */
int ssh_agent_proxy_close(struct ssh_agent_proxy *proxy, struct err *err);

/* ---- ssh_carry.c: between a descriptor and a channel, by the thread that has the session */

#define SSH_CHUNK_BYTES 16384 /* as ssh_script.c: always fits when the socket may be written to */

/* One way. */
struct ssh_flow {
    char chunk[SSH_CHUNK_BYTES];
    size_t len, done;
    bool ended; /* nothing more comes */
    bool told;  /* the other side knows */
};

struct ssh_carry {
    ssh_channel channel; /* open */
    int fd;
    struct ssh_flow out; /* from the descriptor to the channel */
    struct ssh_flow in;
    bool hung_up;    /* the descriptor's other end was closed */
    int64_t over_ms; /* then: when to give up */
};

/* Carries what there is, both ways. -1: the host's connection is lost. */
int ssh_carry_move(struct ssh_carry *c) MUST_USE;
short ssh_carry_events(const struct ssh_carry *c); /* of poll(2), to wait for on fd */
void ssh_carry_heard(struct ssh_carry *c, short revents);
bool ssh_carry_is_over(const struct ssh_carry *c);

/* ---- ssh_jump.c */

struct ssh_jump;

/* Logs in to target->jump. ssh_jump_close comes after the session through it was freed. */
struct ssh_jump *ssh_jump_open(const struct ssh_target *target, struct ssh_attempt *attempt,
                               struct err *err);
/* Connects from there to the target. *fd is then a way to it: the caller gives it to a session, or
 * closes it. */
int ssh_jump_connect(struct ssh_jump *jump, const struct ssh_target *target, int64_t deadline_ms,
                     int *fd, struct err *err) MUST_USE;
/* Why the way broke; NULL: it did not. It stays until ssh_jump_close. */
const char *ssh_jump_fault(struct ssh_jump *jump);
void ssh_jump_close(struct ssh_jump *jump);

/* ---- ssh_become.c: sudo with a password */

/*
 * sudo writes SSH_BECOME_PROMPT to stderr each time it asks, and the script's shell writes
 * SSH_BECOME_READY to stdout before it reads. So the password is sent only to a sudo that asks for
 * it, and the script only to its shell: neither can be taken for the other. Both are plain words
 * for every login shell.
 */
#define SSH_BECOME_PROMPT "pgha-deploy.sudo.password:"
#define SSH_BECOME_READY  "pgha-deploy.sudo.ready"

struct ssh_become {
    const char *password;           /* NULL: sudo has nothing to ask */
    size_t out_start, errout_start; /* where this run's output begins */
    bool ready;                     /* the script's shell reads */
    bool answered;                  /* the password was sent */
};

enum ssh_become_step {
    SSH_BECOME_WAIT,   /* for more output */
    SSH_BECOME_ANSWER, /* send the password */
    SSH_BECOME_GO,     /* send the script; the marks are cut out of the output */
    SSH_BECOME_REFUSED /* the password is wrong: sudo asks again */
};

/* out, errout: as they are before the script's first output. */
struct ssh_become ssh_become_start(const char *password, const struct str *out,
                                   const struct str *errout);
/* What to do after the output that came so far. */
enum ssh_become_step ssh_become_look(struct ssh_become *become, struct str *out,
                                     struct str *errout);
/* ERR_DENIED with sudo's own words: it ended, or asked again, before the script ran. */
int ssh_become_refused(const struct ssh_become *become, const struct str *errout, struct err *err);

/* ---- ssh_known_hosts.c */

char *ssh_user_file(const char *name); /* ~/.ssh/NAME; caller frees */

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
