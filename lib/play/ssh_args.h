/*
 * ssh_args.h - ssh's arguments in an inventory: ansible_ssh_common_args, ansible_ssh_extra_args.
 *
 * Read as ssh(1) reads its command line: the first value of an option counts. What they say of the
 * way to the host is taken over: user, port, identity, known hosts,
 * StrictHostKeyChecking=accept-new and the bastions (-J, ProxyJump, and a ProxyCommand that runs
 * `ssh -W %h:%p`). Every other option is passed over. Host keys are verified whatever
 * StrictHostKeyChecking says.
 */
#ifndef PGHA_SSH_ARGS_H
#define PGHA_SSH_ARGS_H

#include "lib/base/arena.h"
#include "lib/net/ssh.h"

/*
 * Fills in what the target does not have yet; its jump is made new. A bastion has the target's
 * identity and known_hosts unless it has its own, and the name of the local user unless one is
 * given, as with ssh. Texts are in a. ERR_INPUT: quotes, ports, more than SSH_MAX_JUMPS bastions, a
 * ProxyCommand that is something else.
 */
int ssh_args_apply(struct arena *a, const char *args, struct ssh_target *target,
                   struct err *err) MUST_USE;

/* A file's name with ~/ in front worked out, in a; NULL stays NULL. */
const char *ssh_args_path(struct arena *a, const char *path);

#endif
