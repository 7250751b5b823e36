/*
 * tunnel.c - ports of this machine that lead through an SSH session.
 *
 * The session is the thread's alone. Others only add listeners, under the lock, and wake it.
 */
#include "lib/net/tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/vec.h"
#include "lib/net/ssh_session.h"
#include "lib/net/tcp.h"

#define LOOK_MS 1000 /* libssh may have taken in what poll(2) does not show any more */
#define SEND_S  5    /* no progress for so long, though the socket had room: lost */

struct listener {
    char *address;
    int port, local, fd;
};

/* A connection: until its channel is open nothing is read from it. */
struct passage {
    struct ssh_carry carry;
    char *address;
    int port;
    bool open;
};

struct tunnel {
    struct ssh *ssh;
    pthread_t thread;
    bool running;
    int wake; /* eventfd */
    pthread_mutex_t lock;
    /* Guarded by lock. */
    VEC(struct listener) listeners;
    bool stop, lost;
    /* The thread's. */
    VEC(struct passage *) passages;
};

/* ---- connections */

static void passage_free(struct passage *p)
{
    if (p->carry.channel) {
        if (p->open)
            ssh_channel_close(p->carry.channel);
        ssh_channel_free(p->carry.channel);
    }
    close(p->carry.fd);
    free(p->address);
    free(p);
}

static void drop(struct tunnel *t, size_t i)
{
    passage_free(t->passages.items[i]);
    t->passages.items[i] = t->passages.items[--t->passages.n];
}

static void accept_one(struct tunnel *t, const struct listener *l)
{
    int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
    struct passage *p;

    if (fd < 0)
        return;
    p = xcalloc(1, sizeof(*p));
    p->carry.fd = fd;
    p->carry.channel = ssh_channel_new(t->ssh->session);
    p->address = xstrdup(l->address);
    p->port = l->port;
    vec_push(&t->passages, p);
}

/* 0: goes on; 1: over; -1: the session is lost. */
static int advance(struct passage *p)
{
    int rc;

    if (!p->open) {
        if (!p->carry.channel)
            return 1;
        rc = ssh_channel_open_forward(p->carry.channel, p->address, p->port, "127.0.0.1", 0);
        if (rc == SSH_AGAIN)
            return 0;
        if (rc != SSH_OK)
            return 1; /* nobody there */
        p->open = true;
    }
    if (ssh_carry_move(&p->carry) < 0)
        return -1;
    return ssh_carry_is_over(&p->carry);
}

static int advance_all(struct tunnel *t)
{
    for (size_t i = 0; i < t->passages.n;) {
        int rc = advance(t->passages.items[i]);

        if (rc < 0)
            return -1;
        if (rc)
            drop(t, i);
        else
            i++;
    }
    return ssh_is_connected(t->ssh->session) ? 0 : -1;
}

/* ---- the thread */

typedef VEC(struct pollfd) poll_list;

static void watch(poll_list *fds, int fd, short events)
{
    struct pollfd entry = {.fd = fd, .events = events};

    vec_push(fds, entry);
}

/* The session, the wake, the listeners, the connections: in this order. */
static size_t list_descriptors(struct tunnel *t, poll_list *fds)
{
    ssh_session session = t->ssh->session;
    bool writes = ssh_get_poll_flags(session) & SSH_WRITE_PENDING;
    size_t listeners = 0;

    fds->n = 0;
    watch(fds, ssh_get_fd(session), (short)(writes ? POLLIN | POLLOUT : POLLIN));
    watch(fds, t->wake, POLLIN);
    pthread_mutex_lock(&t->lock);
    if (t->passages.n < TUNNEL_MAX_CONNECTIONS) {
        listeners = t->listeners.n;
        vec_each (l, &t->listeners)
            watch(fds, l->fd, POLLIN);
    }
    pthread_mutex_unlock(&t->lock);
    vec_each (p, &t->passages) {
        const struct ssh_carry *c = &(*p)->carry;

        watch(fds, c->hung_up || !(*p)->open ? -1 : c->fd, ssh_carry_events(c));
    }
    return listeners;
}

static void take_connections(struct tunnel *t, const poll_list *fds, size_t listeners)
{
    for (size_t i = 0; i < listeners; i++) {
        struct listener l;

        if (!fds->items[2 + i].revents)
            continue;
        pthread_mutex_lock(&t->lock);
        l = t->listeners.items[i]; /* its address lives as long as the tunnel */
        pthread_mutex_unlock(&t->lock);
        accept_one(t, &l);
    }
}

static int wait_for_any(struct tunnel *t, poll_list *fds)
{
    size_t listeners = list_descriptors(t, fds), n = t->passages.n;
    uint64_t woken;

    if (poll(fds->items, fds->n, LOOK_MS) < 0 && errno != EINTR)
        return -1;
    for (size_t i = 0; i < n; i++)
        ssh_carry_heard(&t->passages.items[i]->carry, fds->items[2 + listeners + i].revents);
    if (fds->items[1].revents)
        (void)!read(t->wake, &woken, sizeof(woken));
    if (fds->items[0].revents)
        tcp_quick_ack(fds->items[0].fd);
    if (ssh_event_dopoll(t->ssh->event, 0) == SSH_ERROR)
        return -1;
    take_connections(t, fds, listeners);
    return 0;
}

static bool is_stopped(struct tunnel *t)
{
    bool stop;

    pthread_mutex_lock(&t->lock);
    stop = t->stop;
    pthread_mutex_unlock(&t->lock);
    return stop;
}

/* A lost tunnel takes no more connections, so that nobody waits for an answer. */
static void end(struct tunnel *t)
{
    while (t->passages.n)
        drop(t, 0);
    pthread_mutex_lock(&t->lock);
    t->lost = true;
    vec_each (l, &t->listeners)
        close(l->fd);
    pthread_mutex_unlock(&t->lock);
}

static void *carry_all(void *arg)
{
    struct tunnel *t = arg;
    poll_list fds = VEC_INIT;

    while (!is_stopped(t) && advance_all(t) == 0 && wait_for_any(t, &fds) == 0)
        ;
    end(t);
    vec_release(&fds);
    return NULL;
}

/* ---- listeners */

static int listen_here(int *port, struct err *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return err_set_errno(err, "socket");
    if (bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
        err_set_errno(err, "listening on 127.0.0.1");
        close(fd);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static int find_port(const struct tunnel *t, const char *address, int port)
{
    vec_each (l, &t->listeners)
        if (l->port == port && str_eq(l->address, address))
            return l->local;
    return 0;
}

static int add_port(struct tunnel *t, const char *address, int port, struct err *err)
{
    struct listener l = {NULL, port, 0, -1};
    const uint64_t one = 1;

    if (t->listeners.n == TUNNEL_MAX_PORTS)
        return err_set(err, ERR_NET, "more than %d ports through one tunnel", TUNNEL_MAX_PORTS);
    if ((l.fd = listen_here(&l.local, err)) < 0)
        return -1;
    l.address = xstrdup(address);
    vec_push(&t->listeners, l);
    (void)!write(t->wake, &one, sizeof(one));
    return l.local;
}

int tunnel_port(struct tunnel *t, const char *address, int port, struct err *err)
{
    int local;

    pthread_mutex_lock(&t->lock);
    if (t->lost) {
        local = err_set(err, ERR_NET, "%s: the connection is lost", t->ssh->where);
        err->retryable = true;
    } else if (!(local = find_port(t, address, port))) {
        local = add_port(t, address, port, err);
    }
    pthread_mutex_unlock(&t->lock);
    return local;
}

bool tunnel_is_lost(struct tunnel *t)
{
    bool lost;

    pthread_mutex_lock(&t->lock);
    lost = t->lost;
    pthread_mutex_unlock(&t->lock);
    return lost;
}

/* ---- opening and closing */

struct tunnel *tunnel_open(const struct ssh_target *via, struct err *err)
{
    const struct timeval limit = {.tv_sec = SEND_S};
    struct tunnel *t = xcalloc(1, sizeof(*t));

    pthread_mutex_init(&t->lock, NULL);
    t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (t->wake < 0)
        err_set_errno(err, "eventfd");
    else if ((t->ssh = ssh_open(via, err))) {
        /* libssh's sockets block; a host that is stuck must not keep the thread for ever. */
        setsockopt(ssh_get_fd(t->ssh->session), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        t->running = ssh_thread_start(&t->thread, carry_all, t, err) == 0;
    }
    if (t->running)
        return t;
    tunnel_close(t);
    return NULL;
}

void tunnel_close(struct tunnel *t)
{
    const uint64_t one = 1;

    if (!t)
        return;
    if (t->running) {
        pthread_mutex_lock(&t->lock);
        t->stop = true;
        pthread_mutex_unlock(&t->lock);
        (void)!write(t->wake, &one, sizeof(one));
        pthread_join(t->thread, NULL);
    }
    vec_each (l, &t->listeners)
        free(l->address);
    vec_release(&t->listeners);
    vec_release(&t->passages);
    ssh_close(t->ssh);
    if (t->wake >= 0)
        close(t->wake);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
