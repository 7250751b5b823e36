/*
 * tcp.h - a TCP connection within a time limit that a user's Ctrl-C ends at once.
 */
#ifndef PGHA_TCP_H
#define PGHA_TCP_H

#include "lib/base/err.h"

/*
 * Connects to a name or address, trying each of its addresses. *fd is blocking, close-on-exec,
 * without Nagle's delay, and notices within 20 s that the peer has gone silent (power loss, cut
 * network). The caller closes it. ERR_NET; retryable when a later attempt may succeed (refused,
 * unreachable, timed out, resolver not ready).
 */
int tcp_connect(const char *address, int port, int timeout_ms, int *fd, struct err *err) MUST_USE;

/*
 * Acknowledges at once what comes next. A peer with Nagle's delay (sshd, until a command runs)
 * holds its second small packet back for the acknowledgement of the first, and that is 40 ms late
 * otherwise. The kernel forgets it soon: see tcp(7).
 */
void tcp_quick_ack(int fd);

/* Milliseconds to wait in one poll(2) until deadline_ms: at most a slice, so that a requested stop
 * is seen. */
int tcp_wait_slice(int64_t deadline_ms);

/* Waits until fd has one of poll(2)'s events. 0; -1: ERR_TIMEOUT at deadline_ms (clock_mono_ms), or
 * ERR_INTERRUPTED. */
int tcp_wait(int fd, short events, int64_t deadline_ms, struct err *err) MUST_USE;

#endif
