/*
 * ssh_carry.c - bytes between a descriptor and a channel, both ways, by one thread.
 *
 * Backpressure: each way holds one chunk, and takes the next when the other side has taken that
 * one; what the host sends meanwhile is limited by the channel's window. End of file is passed on
 * each way by itself. It is over when both ways have ended, or when whoever has the other end of
 * the descriptor has closed it (what it sent last is delivered, but for CLOSE_MS at most).
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/net/ssh_session.h"

#define CLOSE_MS 500

static bool is_empty(const struct ssh_flow *flow)
{
    return flow->done == flow->len;
}

static void hang_up(struct ssh_carry *c)
{
    if (c->hung_up)
        return;
    c->hung_up = true;
    c->over_ms = clock_mono_ms() + CLOSE_MS;
}

/* The next chunk of the channel. -1: the connection is lost. */
static int take_in(struct ssh_carry *c)
{
    struct ssh_flow *in = &c->in;
    int n;

    if (!is_empty(in) || in->ended)
        return 0;
    n = ssh_channel_read_nonblocking(c->channel, in->chunk, sizeof(in->chunk), 0);
    if (n == SSH_ERROR)
        return -1;
    in->ended = n == SSH_EOF || (n == 0 && ssh_channel_is_eof(c->channel));
    in->len = n > 0 ? (size_t)n : 0;
    in->done = 0;
    return 0;
}

/* Gives it to the descriptor. Was there any progress? */
static bool give_in(struct ssh_carry *c)
{
    struct ssh_flow *in = &c->in;
    ssize_t n;

    if (is_empty(in)) {
        if (in->ended && !in->told)
            shutdown(c->fd, SHUT_WR);
        in->told = in->ended;
        return false;
    }
    n = send(c->fd, in->chunk + in->done, in->len - in->done, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        hang_up(c);
        in->done = in->len; /* nobody wants it */
        in->ended = true;
    }
    in->done += n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* The next chunk of the descriptor. */
static void take_out(struct ssh_carry *c)
{
    struct ssh_flow *out = &c->out;
    ssize_t n;

    if (!is_empty(out) || out->ended)
        return;
    n = recv(c->fd, out->chunk, sizeof(out->chunk), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    out->ended = n <= 0;
    out->len = n > 0 ? (size_t)n : 0;
    out->done = 0;
}

/* Gives the channel what its window takes, once the last chunk has left for the host. 1: progress;
 * -1: the connection is lost. */
static int give_out(struct ssh_carry *c)
{
    ssh_session session = ssh_channel_get_session(c->channel);
    struct ssh_flow *out = &c->out;
    uint32_t window = ssh_channel_window_size(c->channel);
    size_t left = out->len - out->done;
    int n;

    if (ssh_channel_is_closed(c->channel)) {
        out->done = out->len;
        out->told = true;
        return 0;
    }
    if (left == 0) {
        if (!out->ended || out->told)
            return 0;
        out->told = true;
        return ssh_channel_send_eof(c->channel) == SSH_ERROR ? -1 : 0;
    }
    if (window == 0 || ssh_get_poll_flags(session) & SSH_WRITE_PENDING)
        return 0;
    n = ssh_channel_write(c->channel, out->chunk + out->done,
                          left < window ? (uint32_t)left : window);
    if (n == SSH_ERROR)
        return -1;
    out->done += n > 0 ? (size_t)n : 0;
    return n > 0;
}

int ssh_carry_move(struct ssh_carry *c)
{
    bool moved = true;

    while (moved) {
        int sent;

        if (take_in(c) < 0)
            return -1;
        moved = give_in(c);
        take_out(c);
        sent = give_out(c);
        if (sent < 0)
            return -1;
        moved |= sent > 0;
    }
    return 0;
}

short ssh_carry_events(const struct ssh_carry *c)
{
    bool takes = is_empty(&c->out) && !c->out.ended;

    return (short)((takes ? POLLIN : 0) | (is_empty(&c->in) ? 0 : POLLOUT));
}

void ssh_carry_heard(struct ssh_carry *c, short revents)
{
    if (revents & (POLLHUP | POLLERR))
        hang_up(c);
}

bool ssh_carry_is_over(const struct ssh_carry *c)
{
    if (c->out.told && (c->in.told || c->hung_up))
        return true;
    return c->hung_up && clock_mono_ms() >= c->over_ms;
}
