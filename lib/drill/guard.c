/*
 * guard.c - the process, and the messages to it: one request, one answer, over a socket whose end
 * tells the guard that nobody is left who would heal.
 */
#include "lib/drill/guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/drill/stage.h"

enum { HOST_MAX = 256, ANSWER_MAX = 1024 };

struct drill_guard {
    int socket;
    pid_t pid;
};

struct request {
    enum guard_action action;
    char host[HOST_MAX];
};

struct answer {
    enum err_code code; /* ERR_NONE: done */
    char text[ANSWER_MAX];
};

/* ---- in the guard ---- */

struct watch {
    const struct provider *provider;
    struct provider_session *session;
    VEC(struct request) open; /* what is off or cut, in order */
    int64_t deadline;         /* for the oldest of them */
};

static int carry_out(struct watch *w, enum guard_action action, const char *host, struct err *err)
{
    switch (action) {
    case GUARD_POWER_OFF:
        return w->provider->power(w->session, host, false, err);
    case GUARD_POWER_ON:
        return w->provider->power(w->session, host, true, err);
    case GUARD_CUT:
        return w->provider->cut(w->session, host, true, err);
    case GUARD_MEND:
        return w->provider->cut(w->session, host, false, err);
    }
    BUG("guard action %d", (int)action);
}

static enum guard_action undoing(enum guard_action action)
{
    return action == GUARD_POWER_OFF ? GUARD_POWER_ON : GUARD_MEND;
}

/* What may have been done is undone later, even if it failed half way. */
static void remember(struct watch *w, const struct request *r)
{
    if (r->action != GUARD_POWER_OFF && r->action != GUARD_CUT)
        return;
    if (w->open.n == 0)
        w->deadline = clock_mono_ms() + INT64_C(1000) * FAULT_MAX_S;
    vec_push(&w->open, *r);
}

static void forget(struct watch *w, const struct request *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->open.n; i++) {
        const struct request *o = &w->open.items[i];

        if (undoing(o->action) != r->action || !str_eq(o->host, r->host))
            w->open.items[kept++] = *o;
    }
    w->open.n = kept;
}

static void undo_all(struct watch *w)
{
    while (w->open.n > 0) {
        const struct request *r = &w->open.items[--w->open.n];
        struct err ignored = ERR_INIT; /* nobody is left to be told; the others come first */

        (void)!carry_out(w, undoing(r->action), r->host, &ignored);
        err_release(&ignored);
    }
}

static int serve_one(struct watch *w, int socket)
{
    struct answer answer = {ERR_NONE, ""};
    struct request r;
    struct err err = ERR_INIT;

    if (recv(socket, &r, sizeof(r), 0) != (ssize_t)sizeof(r))
        return -1;
    remember(w, &r);
    if (carry_out(w, r.action, r.host, &err) < 0) {
        answer.code = err.code;
        snprintf(answer.text, sizeof(answer.text), "%s", err.text);
    } else {
        forget(w, &r);
    }
    err_release(&err);
    return send(socket, &answer, sizeof(answer), MSG_NOSIGNAL) == (ssize_t)sizeof(answer) ? 0 : -1;
}

static void watch(struct watch *w, int socket)
{
    struct pollfd fd = {.fd = socket, .events = POLLIN};

    for (;;) {
        int64_t left = w->open.n ? w->deadline - clock_mono_ms() : -1;
        int n = w->open.n && left <= 0 ? 0 : poll(&fd, 1, (int)left);

        if (n == 0)
            undo_all(w);
        else if ((n < 0 && errno != EINTR) || (n > 0 && serve_one(w, socket) < 0))
            break;
    }
    undo_all(w);
}

/* ---- in the program ---- */

static NORETURN void become_guard(const struct provider *provider, struct provider_session *session,
                                  int socket)
{
    struct watch w = {.provider = provider, .session = session};

    (void)setsid();
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    watch(&w, socket);
    _exit(0);
}

struct drill_guard *guard_start(const struct provider *provider, struct provider_session *session,
                                struct err *err)
{
    struct drill_guard *g;
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        err_set_errno(err, "starting the guard of the faults");
        return NULL;
    }
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        become_guard(provider, session, ends[1]);
    }
    close(ends[1]);
    if (pid < 0) {
        err_set_errno(err, "starting the guard of the faults");
        close(ends[0]);
        return NULL;
    }
    g = xcalloc(1, sizeof(*g));
    *g = (struct drill_guard){ends[0], pid};
    return g;
}

int guard_do(struct drill_guard *g, enum guard_action action, const char *host, struct err *err)
{
    struct request r = {.action = action};
    struct answer a;

    if ((size_t)snprintf(r.host, sizeof(r.host), "%s", host) >= sizeof(r.host))
        return err_set(err, ERR_INPUT, "the name of host %s is too long", host);
    if (send(g->socket, &r, sizeof(r), MSG_NOSIGNAL) != (ssize_t)sizeof(r) ||
        recv(g->socket, &a, sizeof(a), 0) != (ssize_t)sizeof(a))
        return err_set(err, ERR_IO, "the guard of the faults is gone");
    if (a.code == ERR_NONE)
        return 0;
    a.text[sizeof(a.text) - 1] = '\0';
    return err_set(err, a.code, "%s", a.text);
}

void guard_end(struct drill_guard *g)
{
    if (!g)
        return;
    close(g->socket);
    while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    free(g);
}
