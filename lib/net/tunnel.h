/*
 * tunnel.h - ports of this machine that lead through an SSH session, as ssh -L makes them.
 *
 * One session and one thread, which carries every connection. The ports are 127.0.0.1's: whoever is
 * logged in here can connect to them, so what they lead to must ask who it is.
 */
#ifndef PGHA_TUNNEL_H
#define PGHA_TUNNEL_H

#include "lib/net/ssh.h"

#define TUNNEL_MAX_PORTS       256
#define TUNNEL_MAX_CONNECTIONS 256 /* at once; more have to wait */

struct tunnel;

struct tunnel *tunnel_open(const struct ssh_target *via, struct err *err); /* as ssh_open */
/* The port that leads to address:port, as the host at the other end reaches it; made when it is
 * asked for the first time. A connection that cannot be made there is closed at once. -1 with err:
 * ERR_NET (retryable) when the session is lost. From any thread. */
int tunnel_port(struct tunnel *t, const char *address, int port, struct err *err);
bool tunnel_is_lost(struct tunnel *t);
void tunnel_close(struct tunnel *t); /* with everything that still goes through it */

#endif
