/*
 * ssh.c - connect, directly or through bastions, verify the host, log in.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/net/ssh_session.h"
#include "lib/net/tcp.h"

#define DEFAULT_CONNECT_MS 10000
#define FIRST_CONNECT_MS                                                                           \
    500 /* while waiting for a host to boot: a SYN into the void is sent again soon */
#define FIRST_RETRY_DELAY_MS 50
#define LAST_RETRY_DELAY_MS  1000
#define THREAD_STACK_BYTES   ((size_t)256 * 1024)

/* The quickest first, then what older servers have. */
#define KEY_EXCHANGES                                                                              \
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"        \
    "ecdh-sha2-nistp521,diffie-hellman-group16-sha512,diffie-hellman-group14-sha256"
#define CIPHERS                                                                                    \
    "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,"      \
    "aes128-ctr"

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_init(void)
{
    if (ssh_init() != SSH_OK)
        BUG("libssh cannot be initialised");
}

const char *ssh_session_fault(const struct ssh *s)
{
    const char *text = s->jump ? ssh_jump_fault(s->jump) : NULL;

    if (!text)
        text = ssh_get_error(s->session);
    return text && *text ? text : "closed by the host";
}

static int wait_for_socket(struct ssh *s, int64_t deadline_ms, struct err *err)
{
    short events = POLLIN;

    if (ssh_get_poll_flags(s->session) & SSH_WRITE_PENDING)
        events |= POLLOUT;
    return tcp_wait(ssh_get_fd(s->session), events, deadline_ms, err);
}

int ssh_session_wait(struct ssh *s, int64_t deadline_ms, struct err *err)
{
    int slice = tcp_wait_slice(deadline_ms);

    if (clock_stop_requested())
        return err_set(err, ERR_INTERRUPTED, "stopped by the user");
    if (slice == 0)
        return err_set(err, ERR_TIMEOUT, "timed out");
    tcp_quick_ack(ssh_get_fd(s->session));
    if (ssh_event_dopoll(s->event, slice) == SSH_ERROR || !ssh_is_connected(s->session))
        return err_set(err, ERR_NET, "the connection was lost: %s", ssh_session_fault(s));
    return 0;
}

int ssh_session_step_failed(const char *step, struct err *err)
{
    if (err->code == ERR_TIMEOUT) {
        err_release(err);
        err_set(err, ERR_NET, "timed out");
    }
    if (err->code == ERR_NET)
        err->retryable = true;
    return err_wrap(err, "%s", step);
}

static int set_options(ssh_session session, const struct ssh_target *target,
                       const struct ssh_known_hosts *known, int fd, struct err *err)
{
    const bool off = false;
    const int port = target->port ? target->port : 22;
    const struct {
        enum ssh_options_e option;
        const void *value;
    } options[] = {
        {SSH_OPTIONS_PROCESS_CONFIG, &off}, /* what we are told is all that counts */
        {SSH_OPTIONS_HOST, target->address},
        {SSH_OPTIONS_PORT, &port},
        {SSH_OPTIONS_USER, target->user ? target->user : "root"},
        {SSH_OPTIONS_KNOWNHOSTS, known->own}, /* the known types are asked for first */
        {SSH_OPTIONS_GLOBAL_KNOWNHOSTS, known->global ? known->global : "/dev/null"},
        {SSH_OPTIONS_KEY_EXCHANGE, KEY_EXCHANGES},
        {SSH_OPTIONS_CIPHERS_C_S, CIPHERS},
        {SSH_OPTIONS_CIPHERS_S_C, CIPHERS},
        {SSH_OPTIONS_FD, &fd},
    };

    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (ssh_options_set(session, options[i].option, options[i].value) != SSH_OK)
            return err_set(err, ERR_INPUT, "libssh refuses the target: %s", ssh_get_error(session));
    return 0;
}

static int handshake_failed(struct ssh *s, struct ssh_attempt *attempt, struct err *err)
{
    const char *text = ssh_session_fault(s);

    if (!ssh_get_serverbanner(s->session)) {
        err_set(err, ERR_NET, "the connection was closed before the server's greeting: %s", text);
        err->retryable = true; /* sshd is starting, or has too many logins at once */
        attempt->dropped = true;
        return -1;
    }
    err_set(err, ERR_NET, "key exchange: %s", text);
    err->retryable = strstr(text, "kex error") == NULL; /* no common algorithm stays so */
    return -1;
}

static int handshake(struct ssh *s, struct ssh_attempt *attempt, struct err *err)
{
    int rc;

    ssh_set_blocking(s->session, 0);
    while ((rc = ssh_connect(s->session)) == SSH_AGAIN)
        if (wait_for_socket(s, attempt->deadline_ms, err) < 0)
            return ssh_session_step_failed("key exchange", err);
    if (rc != SSH_OK)
        return handshake_failed(s, attempt, err);
    s->event = ssh_event_new();
    if (!s->event || ssh_event_add_session(s->event, s->session) != SSH_OK)
        return err_set(err, ERR_NET, "libssh cannot watch the connection");
    return 0;
}

int ssh_thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg, struct err *err)
{
    pthread_attr_t attr;
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_attr_init(&attr);
    if (pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES) != 0)
        BUG("a thread cannot have a stack of %zu bytes", THREAD_STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(thread, &attr, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return rc == 0 ? 0 : err_set(err, ERR_IO, "starting a thread: %s", strerror(rc));
}

void ssh_close(struct ssh *s)
{
    if (!s)
        return;
    if (s->event) {
        ssh_event_remove_session(s->event, s->session);
        ssh_event_free(s->event);
    }
    /* No ssh_disconnect(): it forgets a socket that it was given, while ssh_free() closes it. */
    ssh_free(s->session);
    ssh_jump_close(s->jump);
    if (s->become_password)
        explicit_bzero(s->become_password, strlen(s->become_password));
    free(s->become_password);
    free(s->where);
    free(s);
}

static const char *name_of(const struct ssh_target *target)
{
    return target->name ? target->name : target->address;
}

static struct ssh *session_new(const struct ssh_target *target)
{
    struct ssh *s = xcalloc(1, sizeof(*s));

    s->become = target->become;
    if (target->become && target->become_password)
        s->become_password = xstrdup(target->become_password);
    s->where =
        xasprintf("%s (%s@%s:%d)%s%s", name_of(target), target->user ? target->user : "root",
                  target->address, target->port ? target->port : 22,
                  target->jump ? " through " : "", target->jump ? name_of(target->jump) : "");
    s->session = ssh_new();
    if (!s->session)
        BUG("out of memory in libssh");
    ssh_pulse_init(s, target->alive_interval_ms);
    return s;
}

static int connect_to(struct ssh *s, const struct ssh_target *target, struct ssh_attempt *attempt,
                      int *fd, struct err *err)
{
    if (target->jump && !(s->jump = ssh_jump_open(target, attempt, err)))
        return -1;
    if (!(s->gate = ssh_gate_enter(target, attempt, err)))
        return -1;
    if (s->jump)
        return ssh_jump_connect(s->jump, target, attempt->deadline_ms, fd, err);
    return tcp_connect(target->address, target->port ? target->port : 22, attempt->connect_ms, fd,
                       err);
}

static void leave_gate(struct ssh *s, bool passed)
{
    ssh_gate_leave(s->gate, passed);
    s->gate = NULL;
}

struct ssh *ssh_session_open(const struct ssh_target *target, struct ssh_attempt *attempt,
                             struct err *err)
{
    struct ssh *s = session_new(target);
    struct ssh_known_hosts known;
    int fd = -1;

    ssh_known_hosts_init(&known, target);
    if (connect_to(s, target, attempt, &fd, err) < 0)
        goto fail;
    if (set_options(s->session, target, &known, fd, err) < 0) {
        close(fd);
        goto fail;
    }
    if (handshake(s, attempt, err) < 0 ||
        ssh_known_hosts_check(&known, s->session, target, err) < 0 ||
        ssh_login(s, target, attempt->deadline_ms, err) < 0)
        goto fail;
    leave_gate(s, true);
    ssh_known_hosts_release(&known);
    return s;

fail:
    err_wrap(err, "ssh to %s", s->where);
    leave_gate(s, false);
    ssh_known_hosts_release(&known);
    ssh_close(s);
    return NULL;
}

static int attempt_ms(const struct ssh_target *target)
{
    return target->connect_timeout_ms > 0 ? target->connect_timeout_ms : DEFAULT_CONNECT_MS;
}

static int prepare(const struct ssh_target *target, struct err *err)
{
    int jumps = 0;

    pthread_once(&library_once, library_init);
    for (const struct ssh_target *at = target->jump; at; at = at->jump)
        if (++jumps > SSH_MAX_JUMPS)
            return err_set(err, ERR_INPUT, "ssh to %s: more than %d bastions on the way",
                           name_of(target), SSH_MAX_JUMPS);
    if (target->become_password && strpbrk(target->become_password, "\r\n"))
        return err_set(err, ERR_INPUT, "ssh to %s: the sudo password holds a line break",
                       name_of(target));
    return 0;
}

static int at_most(int64_t ms, int limit)
{
    if (ms < 1)
        return 1;
    return ms < limit ? (int)ms : limit;
}

static struct ssh_attempt begin_attempt(int connect_ms, int64_t ms)
{
    return (struct ssh_attempt){.connect_ms = connect_ms, .deadline_ms = clock_mono_ms() + ms};
}

/* Sleeps before the next attempt, longer each time. False: there is no time for one. */
static bool pause_until(int64_t deadline_ms, int *delay_ms)
{
    if (deadline_ms - clock_mono_ms() <= *delay_ms || clock_stop_requested())
        return false;
    clock_sleep_ms(*delay_ms);
    *delay_ms = at_most((int64_t)*delay_ms * 2, LAST_RETRY_DELAY_MS);
    return true;
}

struct ssh *ssh_open(const struct ssh_target *target, struct err *err)
{
    struct ssh_attempt attempt = begin_attempt(attempt_ms(target), attempt_ms(target));
    int delay_ms = FIRST_RETRY_DELAY_MS;
    struct ssh *s;

    if (prepare(target, err) < 0)
        return NULL;
    for (;;) {
        attempt.dropped = false;
        s = ssh_session_open(target, &attempt, err);
        if (s || !attempt.dropped || !pause_until(attempt.deadline_ms, &delay_ms))
            return s;
        err_release(err);
    }
}

/* The attempt that the deadline cut short tells less than the one before it. */
static void keep_fault(const struct ssh_attempt *attempt, bool was_cut, struct err *before,
                       struct err *err)
{
    if (was_cut && before->code && clock_mono_ms() >= attempt->deadline_ms)
        err_move(err, before);
    else
        err_release(before);
}

struct ssh *ssh_open_wait(const struct ssh_target *target, int64_t deadline_ms, struct err *err)
{
    int connect_ms = at_most(FIRST_CONNECT_MS, attempt_ms(target));
    int delay_ms = FIRST_RETRY_DELAY_MS;

    if (prepare(target, err) < 0)
        return NULL;
    for (;;) {
        int64_t left = deadline_ms - clock_mono_ms();
        struct ssh_attempt attempt =
            begin_attempt(at_most(left, connect_ms), at_most(left, attempt_ms(target)));
        struct err before = ERR_INIT;
        struct ssh *s;

        err_move(&before, err);
        s = ssh_session_open(target, &attempt, err);
        if (s || !err->retryable)
            return err_release(&before), s;
        keep_fault(&attempt, left < attempt_ms(target), &before, err);
        deadline_ms += attempt.waited_ms;
        if (!pause_until(deadline_ms, &delay_ms))
            return NULL;
        connect_ms = at_most((int64_t)connect_ms * 2, attempt_ms(target));
    }
}
