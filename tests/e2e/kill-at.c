/*
 * kill-at.c - preloaded into pgha-deploy, it ends the program by SIGKILL right before the N-th call
 * of a kind, so that a test can do so at every one of them in turn. The program itself has no part
 * in it.
 *
 *   KILL_LOG=FILE  gets a line for each call: its kind
 *   KILL_AT=KIND:N ends it there; without: nowhere
 *
 * The kinds: write (a file is about to be synced, or to get its name), remove (to lose it), call (a
 * program is started, or a disk mounted), trip (the end of a script is about to be sent to a host:
 * without it nothing of it runs), sent (it was sent), api (a request over HTTP), sql (a statement).
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <libssh/libssh.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

enum kind { WRITE, REMOVE, CALL, TRIP, SENT, API, SQL, KINDS };

static const char *const names[] = {"write", "remove", "call", "trip", "sent", "api", "sql"};
static atomic_int counts[KINDS];
static int log_fd = -1, kill_kind = KINDS, kill_count;
static pid_t self;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("KILL_LOG"), *at = getenv("KILL_AT"),
               *colon = at ? strchr(at, ':') : NULL;

    unsetenv("LD_PRELOAD"); /* not for the programs that it starts */
    self = getpid();
    if (path)
        log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (int kind = 0; colon && kind < KINDS; kind++)
        if (strlen(names[kind]) == (size_t)(colon - at) &&
            strncmp(names[kind], at, (size_t)(colon - at)) == 0)
            kill_kind = kind;
    kill_count = colon ? atoi(colon + 1) : 0;
}

/* A child between fork and exec is another process. */
static void pass(enum kind kind)
{
    int count = atomic_fetch_add(&counts[kind], 1) + 1;

    if (getpid() != self)
        return;
    if (log_fd >= 0)
        dprintf(log_fd, "%s\n", names[kind]);
    if ((int)kind == kill_kind && count == kill_count)
        kill(self, SIGKILL);
}

/* The definition that the program would have had without us. */
static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* A function `name` that passes a point of `kind` and then does what it always did. */
#define BEFORE(kind, type, name, parameters, arguments)                                            \
    type name parameters                                                                           \
    {                                                                                              \
        __typeof__(name) *next;                                                                    \
                                                                                                   \
        *(void **)&next = real(#name);                                                             \
        pass(kind);                                                                                \
        return next arguments;                                                                     \
    }

BEFORE(WRITE, int, fsync, (int fd), (fd))
BEFORE(WRITE, int, rename, (const char *from, const char *to), (from, to))
BEFORE(WRITE, int, renameat, (int from_dir, const char *from, int to_dir, const char *to),
       (from_dir, from, to_dir, to))
BEFORE(WRITE, int, link, (const char *from, const char *to), (from, to))
BEFORE(REMOVE, int, unlink, (const char *path), (path))
BEFORE(REMOVE, int, rmdir, (const char *path), (path))
BEFORE(CALL, pid_t, fork, (void), ())
BEFORE(CALL, int, mount,
       (const char *what, const char *where, const char *type, unsigned long flags,
        const void *data),
       (what, where, type, flags, data))
BEFORE(CALL, int, umount2, (const char *where, int flags), (where, flags))
BEFORE(SQL, int, PQsendQueryParams,
       (PGconn * connection, const char *text, int n, const Oid *types, const char *const *values,
        const int *lengths, const int *formats, int result_format),
       (connection, text, n, types, values, lengths, formats, result_format))
typedef struct curl CURL; /* of libcurl; nothing of it is looked at */
BEFORE(API, int, curl_easy_perform, (CURL * handle), (handle))

int ssh_channel_send_eof(ssh_channel channel)
{
    int (*next)(ssh_channel channel);
    int rc;

    *(void **)&next = real("ssh_channel_send_eof");
    pass(TRIP);
    rc = next(channel);
    pass(SENT);
    return rc;
}
