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

typedef VEC(const char *) ssh_args;

static void add_option(ssh_args *args, const char *option, const char *value)
{
    vec_push(args, option);
    vec_push(args, value);
}

/* The bastions on the way, the first one first. */
static const char *jumps(struct arena *a, const struct ssh_target *t)
{
    const char *before = t->jump ? jumps(a, t->jump) : NULL;

    return arena_printf(a, "%s%s%s%s%s:%d", before ? before : "", before ? "," : "",
                        t->user ? t->user : "", t->user ? "@" : "", t->address,
                        t->port ? t->port : 22);
}

/* One bastion, with options of its own: ssh -J would ask the user's configuration. */
static const char *proxy_command(struct arena *a, const struct ssh_target *t)
{
    struct str s;
    const char *text;

    str_init(&s, STR_MAX_TEXT);
    str_printf(&s, "ProxyCommand=ssh -F none -o StrictHostKeyChecking=yes -W [%%h]:%%p -p %d",
               t->port ? t->port : 22);
    if (t->identity) {
        str_puts(&s, " -o IdentitiesOnly=yes -i ");
        str_put_shell(&s, t->identity);
    }
    if (t->known_hosts) {
        str_puts(&s, " -o ");
        str_put_shell(&s, arena_printf(a, "UserKnownHostsFile=%s", t->known_hosts));
    }
    str_putc(&s, ' ');
    str_put_shell(
        &s, arena_printf(a, "%s%s%s", t->user ? t->user : "", t->user ? "@" : "", t->address));
    text = arena_strdup(a, s.buf);
    str_release(&s);
    return text;
}

int remote_exec(const struct deploy *d, const char *host, int argc, char *const *argv)
{
    const struct cluster_host *h = cluster_host_find(d->cluster, host);
    struct arena arena = ARENA_INIT;
    struct check_target check = deploy_check_target(d);
    struct ssh_target t;
    struct err err = ERR_INIT;
    ssh_args args = VEC_INIT;
    int status;

    if (!h)
        return unknown_host(d, host);
    if (check_ssh_target(&check, host, &arena, &t, &err) < 0)
        return report_err(&err);
    vec_push(&args, "ssh");
    add_option(&args, "-F", "none");
    if (t.identity) {
        add_option(&args, "-i", t.identity);
        add_option(&args, "-o", "IdentitiesOnly=yes");
    }
    if (t.known_hosts)
        add_option(&args, "-o", arena_printf(&arena, "UserKnownHostsFile=%s", t.known_hosts));
    if (t.port)
        add_option(&args, "-p", arena_printf(&arena, "%d", t.port));
    if (t.jump && t.jump->jump)
        add_option(&args, "-J", jumps(&arena, t.jump));
    else if (t.jump)
        add_option(&args, "-o", proxy_command(&arena, t.jump));
    add_option(&args, "-o",
               t.accept_new ? "StrictHostKeyChecking=accept-new" : "StrictHostKeyChecking=yes");
    add_option(&args, "-o", "LogLevel=ERROR");
    add_option(&args, "-o", "ConnectTimeout=10");
    vec_push(&args, arena_printf(&arena, "%s@%s", t.user ? t.user : "root", t.address));
    if (argc && t.become)
        vec_push(&args, "sudo");
    for (int i = 0; i < argc; i++)
        vec_push(&args, argv[i]);
    vec_push(&args, NULL);
    status = exec_program(args.items);
    vec_release(&args);
    arena_release(&arena);
    return status;
}
