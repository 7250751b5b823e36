/*
 * ssh_jump.c - a way to a host through a bastion, as ssh(1) makes it for ProxyJump.
 *
 * The bastion's session opens a direct-tcpip channel (RFC 4254, 7.2) to the host: no program runs
 * on the bastion, its sshd need only allow TCP forwarding. libssh wants a descriptor for the
 * session inside: one end of a socketpair. A thread per bastion, the porter, carries bytes between
 * the other end and the channel; while it runs the bastion's session is its alone.
 *
 * The porter ends when ssh_carry_is_over(), or when the bastion's connection is lost: then the
 * session inside sees end of file, and ssh_jump_fault() tells why. It does not end on
 * clock_stop_requested(): a script that is to end is told so through it.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/net/ssh_session.h"
#include "lib/net/tcp.h"

#define CLOSE_MS 500
#define LOOK_MS  1000 /* libssh may have taken in what poll(2) does not show any more */
#define SEND_S   5    /* no progress for so long, though the socket had room: lost */

/* RFC 4254, 5.1 */
#define OPEN_PROHIBITED   1
#define OPEN_UNKNOWN_TYPE 3

struct ssh_jump {
    struct ssh *bastion;
    struct ssh_carry carry; /* its descriptor: our end of the socketpair */
    pthread_t porter;
    bool running;
    pthread_mutex_t lock;
    char *fault; /* guarded by lock; written once */
};

/* ---- the porter */

/* Waits for either side. -1: the bastion's connection is lost. */
static int wait_for_either(struct ssh_jump *jump)
{
    ssh_session session = jump->bastion->session;
    bool writes = ssh_get_poll_flags(session) & SSH_WRITE_PENDING;
    struct pollfd fds[] = {
        {.fd = ssh_get_fd(session), .events = (short)(writes ? POLLIN | POLLOUT : POLLIN)},
        {.fd = jump->carry.hung_up ? -1 : jump->carry.fd, .events = ssh_carry_events(&jump->carry)},
    };
    int wait_ms = jump->carry.hung_up ? tcp_wait_slice(jump->carry.over_ms) : LOOK_MS;

    if (poll(fds, ARRAY_LEN(fds), wait_ms) < 0)
        return errno == EINTR ? 0 : -1;
    ssh_carry_heard(&jump->carry, fds[1].revents);
    if (fds[0].revents)
        tcp_quick_ack(fds[0].fd);
    if (ssh_event_dopoll(jump->bastion->event, 0) == SSH_ERROR || !ssh_is_connected(session))
        return -1;
    return 0;
}

static void note_fault(struct ssh_jump *jump)
{
    struct ssh *bastion = jump->bastion;
    const char *before = bastion->jump ? ssh_jump_fault(bastion->jump) : NULL;

    pthread_mutex_lock(&jump->lock);
    jump->fault =
        before ? xstrdup(before) : xasprintf("%s: %s", bastion->where, ssh_session_fault(bastion));
    pthread_mutex_unlock(&jump->lock);
}

static void *porter(void *arg)
{
    struct ssh_jump *jump = arg;
    int rc;

    while ((rc = ssh_carry_move(&jump->carry)) == 0 && !ssh_carry_is_over(&jump->carry) &&
           (rc = wait_for_either(jump)) == 0)
        ;
    if (rc < 0) {
        note_fault(jump);
    } else {
        ssh_channel_close(jump->carry.channel);
        ssh_blocking_flush(jump->bastion->session, CLOSE_MS);
    }
    shutdown(jump->carry.fd, SHUT_RDWR);
    return NULL;
}

/* ---- opening and closing */

/* libssh has the reason in words only: "Channel opening failure: channel 43 error (2) Connection
 * refused". */
static int not_opened(const struct ssh_jump *jump, const char *host, struct err *err)
{
    const char *text = ssh_session_fault(jump->bastion), *number = strstr(text, "error (");
    char *words = NULL;
    long reason = number ? strtol(number + strlen("error ("), &words, 10) : 0;

    if (words && str_starts(words, ") "))
        text = words + strlen(") ");
    if (reason == OPEN_PROHIBITED || reason == OPEN_UNKNOWN_TYPE) {
        err_set(err, ERR_DENIED, "the bastion refuses to forward to %s: %s", host, text);
        return err_hint(err, "see AllowTcpForwarding and PermitOpen in the bastion's sshd_config");
    }
    err_set(err, ERR_NET, "the bastion cannot connect to %s: %s", host, text);
    err->retryable = true;
    return -1;
}

static int open_channel(struct ssh_jump *jump, const struct ssh_target *target, int64_t deadline_ms,
                        struct err *err)
{
    const int port = target->port ? target->port : 22;
    int rc;

    jump->carry.channel = ssh_channel_new(jump->bastion->session);
    if (!jump->carry.channel)
        return err_set(err, ERR_NET, "opening a channel: %s", ssh_session_fault(jump->bastion));
    while ((rc = ssh_channel_open_forward(jump->carry.channel, target->address, port, "127.0.0.1",
                                          0)) == SSH_AGAIN) {
        if (ssh_session_wait(jump->bastion, deadline_ms, err) < 0) {
            ssh_session_step_failed("connecting from there", err);
            return err_wrap(err, "%s", jump->bastion->where);
        }
    }
    return rc == SSH_OK ? 0 : not_opened(jump, target->address, err);
}

static int start(struct ssh_jump *jump, int *fd, struct err *err)
{
    const struct timeval limit = {.tv_sec = SEND_S};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set_errno(err, "socketpair");
    jump->carry.fd = ends[0];
    /* libssh's sockets block; a bastion that is stuck must not keep the porter for ever. */
    setsockopt(ssh_get_fd(jump->bastion->session), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (ssh_thread_start(&jump->porter, porter, jump, err) < 0) {
        close(ends[1]);
        return -1;
    }
    jump->running = true;
    *fd = ends[1];
    return 0;
}

struct ssh_jump *ssh_jump_open(const struct ssh_target *target, struct ssh_attempt *attempt,
                               struct err *err)
{
    struct ssh_jump *jump = xcalloc(1, sizeof(*jump));
    struct ssh_target bastion = *target->jump;

    jump->carry.fd = -1;
    pthread_mutex_init(&jump->lock, NULL);
    bastion.accept_new |= target->accept_new;
    jump->bastion = ssh_session_open(&bastion, attempt, err);
    if (jump->bastion)
        return jump;
    ssh_jump_close(jump);
    return NULL;
}

int ssh_jump_connect(struct ssh_jump *jump, const struct ssh_target *target, int64_t deadline_ms,
                     int *fd, struct err *err)
{
    if (open_channel(jump, target, deadline_ms, err) < 0)
        return -1;
    return start(jump, fd, err);
}

const char *ssh_jump_fault(struct ssh_jump *jump)
{
    const char *fault;

    pthread_mutex_lock(&jump->lock);
    fault = jump->fault;
    pthread_mutex_unlock(&jump->lock);
    return fault;
}

void ssh_jump_close(struct ssh_jump *jump)
{
    if (!jump)
        return;
    if (jump->running)
        pthread_join(jump->porter, NULL);
    if (jump->carry.channel)
        ssh_channel_free(jump->carry.channel);
    ssh_close(jump->bastion);
    if (jump->carry.fd >= 0)
        close(jump->carry.fd);
    pthread_mutex_destroy(&jump->lock);
    free(jump->fault);
    free(jump);
}
