/*
 * target.h - how to reach a host, from its variables in an inventory.
 *
 * ansible_host, ansible_port, ansible_user, ansible_ssh_private_key_file, ansible_ssh_common_args,
 * ansible_ssh_extra_args (ssh_args.h), ansible_become, ansible_become_password. As with Ansible,
 * what is missing is ssh's default, but for the user: root. A variable that would lead elsewhere
 * and is not supported is an error, not passed over.
 */
#ifndef PGHA_TARGET_H
#define PGHA_TARGET_H

#include "inventory/inventory.h"
#include "lib/net/ssh.h"

struct target_vars {
    /* A variable as text, NULL when it is not there. */
    const char *(*get)(void *ctx, const char *name);
    void *ctx;
};

/* Rows of docs/ansible.md. */
void target_put_reference(struct str *out);

/* become: scripts run as root where the login is not root's, unless ansible_become says otherwise.
 * Texts are in a. ERR_INPUT: arguments of ssh that are not understood. */
int target_from_vars(struct arena *a, const char *name, const struct target_vars *vars, bool become,
                     struct ssh_target *target, struct err *err) MUST_USE;
/* Of a host of an inventory whose variables are plain text. */
int target_of_host(struct arena *a, const struct inventory *inv, const char *name,
                   struct ssh_target *target, struct err *err) MUST_USE;

#endif
