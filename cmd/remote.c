/* remote.c - ssh in our place. */
#include "cmd/remote.h"

#include <stdio.h>

static int unknown_host(const struct deploy *d, const char *host)
{
    struct err err = ERR_INIT;
    struct str list;

    str_init(&list, 65536);
    vec_each (h, &d->cluster->hosts)
        str_printf(&list, "%s%s", list.len ? ", " : "", h->name);
    err_set(&err, ERR_USAGE, "cluster %s has no host \"%s\"", d->cluster->name, host);
    err_hint(&err, "one of: %s", list.buf);
    str_release(&list);
    return report_err(&err);
}

int remote_exec(const struct deploy *d, const char *host, int argc, char *const *argv)
{
    const struct cluster_host *h = cluster_host_find(d->cluster, host);
    struct arena arena = ARENA_INIT;
    struct ssh_target t;
    VEC(const char *) args = VEC_INIT;
    int status;

    if (!h)
        return unknown_host(d, host);
    t = state_ssh_target(d->state_dir, h, &arena);
    vec_push(&args, "ssh");
    vec_push(&args, "-F");
    vec_push(&args, "none");
    vec_push(&args, "-i");
    vec_push(&args, t.identity);
    vec_push(&args, "-o");
    vec_push(&args, "IdentitiesOnly=yes");
    vec_push(&args, "-o");
    vec_push(&args, arena_printf(&arena, "UserKnownHostsFile=%s", t.known_hosts));
    vec_push(&args, "-o");
    vec_push(&args, "StrictHostKeyChecking=yes");
    vec_push(&args, "-o");
    vec_push(&args, "LogLevel=ERROR");
    vec_push(&args, "-o");
    vec_push(&args, "ConnectTimeout=10");
    vec_push(&args, arena_printf(&arena, "%s@%s", t.user, t.address));
    for (int i = 0; i < argc; i++)
        vec_push(&args, argv[i]);
    vec_push(&args, NULL);
    status = exec_program(args.items);
    vec_release(&args);
    arena_release(&arena);
    return status;
}
