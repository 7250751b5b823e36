/*
 * tcp.c - connect(2) without waiting for longer than asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/net/tcp.h"

#define WAIT_SLICE_MS     100 /* a signal wakes one thread only; the others look this often */
#define DEAD_PEER_MS      20000
#define KEEPALIVE_IDLE_S  5
#define KEEPALIVE_PROBE_S 5
#define KEEPALIVE_PROBES  3

int tcp_wait_slice(int64_t deadline_ms)
{
    int64_t left = deadline_ms - clock_mono_ms();

    if (left <= 0)
        return 0;
    return left < WAIT_SLICE_MS ? (int)left : WAIT_SLICE_MS;
}

int tcp_wait(int fd, short events, int64_t deadline_ms, struct err *err)
{
    struct pollfd ready = {.fd = fd, .events = events};

    for (;;) {
        int slice = tcp_wait_slice(deadline_ms);
        int n;

        if (clock_stop_requested())
            return err_set(err, ERR_INTERRUPTED, "stopped by the user");
        n = poll(&ready, 1, slice);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_set_errno(err, "poll");
        if (n == 0 && slice == 0)
            return err_set(err, ERR_TIMEOUT, "timed out");
    }
}

void tcp_quick_ack(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

/* A later attempt may succeed: the host is booting, its service starting, its route or address not
 * up yet. */
static bool passes_with_time(int error)
{
    switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
    case ETIMEDOUT:
    case EADDRNOTAVAIL:
        return true;
    default:
        return false;
    }
}

static int connect_failed(int error, struct err *err)
{
    err_set(err, ERR_NET, "%s", strerror(error));
    err->retryable = passes_with_time(error);
    return -1;
}

/* The options are for speed and liveness only: a connection without them still works. */
static void tune(int fd)
{
    int on = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_PROBE_S, probes = KEEPALIVE_PROBES;
    unsigned dead_ms = DEAD_PEER_MS;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof(dead_ms));
}

static int finish_connect(int fd, int64_t deadline_ms, struct err *err)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (tcp_wait(fd, POLLOUT, deadline_ms, err) < 0) {
        if (err->code != ERR_TIMEOUT)
            return -1;
        err_release(err);
        return connect_failed(ETIMEDOUT, err);
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        return err_set_errno(err, "getsockopt");
    return error ? connect_failed(error, err) : 0;
}

static int connect_one(const struct addrinfo *to, int64_t deadline_ms, int *fd, struct err *err)
{
    int sock = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (sock < 0)
        return err_set_errno(err, "socket");
    tune(sock);
    if (connect(sock, to->ai_addr, to->ai_addrlen) != 0) {
        if (errno != EINPROGRESS) {
            connect_failed(errno, err);
            goto fail;
        }
        if (finish_connect(sock, deadline_ms, err) < 0)
            goto fail;
    }
    if (fcntl(sock, F_SETFL, fcntl(sock, F_GETFL) & ~O_NONBLOCK) != 0) {
        err_set_errno(err, "fcntl");
        goto fail;
    }
    *fd = sock;
    return 0;

fail:
    close(sock);
    return -1;
}

static int resolve(const char *address, int port, struct addrinfo **found, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    char service[16];
    int rc;

    if (port < 1 || port > 65535)
        return err_set(err, ERR_INPUT, "%d is no port", port);
    snprintf(service, sizeof(service), "%d", port);
    rc = getaddrinfo(address, service, &hints, found); /* an address needs no resolver */
    if (rc == EAI_NONAME) {
        hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
        rc = getaddrinfo(address, service, &hints, found);
    }
    if (rc == 0)
        return 0;
    err_set(err, ERR_NET, "resolving '%s': %s", address,
            rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
    err->retryable = rc == EAI_AGAIN;
    return -1;
}

int tcp_connect(const char *address, int port, int timeout_ms, int *fd, struct err *err)
{
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    struct addrinfo *found = NULL;
    int rc = -1;

    if (resolve(address, port, &found, err) < 0)
        return -1;
    for (const struct addrinfo *to = found; to && rc < 0; to = to->ai_next) {
        err_release(err);
        rc = connect_one(to, deadline_ms, fd, err);
        if (rc < 0 && err->code == ERR_INTERRUPTED)
            break;
    }
    freeaddrinfo(found);
    return rc;
}
