/*
 * err.h - one error: a code, a message that grows context on its way up, a hint what to do.
 *
 *     if (file_read(path, &text, err) < 0)
 *         return err_wrap(err, "reading the cluster file");
 *
 * err_set and err_wrap return -1 so that they can be returned. The message reads from the outside
 * in: "reading the cluster file: cluster.yaml: No such file or directory". Printed once, by cmd/.
 */
#ifndef PGHA_ERR_H
#define PGHA_ERR_H

#include "lib/base/base.h"

/* code, exit status, what it is */
#define ERR_CODES(X)                                                                               \
    X(ERR_NONE, 0, "no error")                                                                     \
    X(ERR_FAILED, 1, "the operation failed")                                                       \
    X(ERR_IO, 1, "a file or process of this machine")                                              \
    X(ERR_NET, 1, "a connection")                                                                  \
    X(ERR_TIMEOUT, 1, "a deadline passed")                                                         \
    X(ERR_REMOTE, 1, "a command on a host failed")                                                 \
    X(ERR_CONFLICT, 1, "something of somebody else is in the way")                                 \
    X(ERR_LOCKED, 1, "another run holds the lock")                                                 \
    X(ERR_INTERRUPTED, 1, "stopped by the user")                                                   \
    X(ERR_VERIFY, 3, "verify or drill found a fault")                                              \
    X(ERR_USAGE, 64, "wrong usage")                                                                \
    X(ERR_INPUT, 65, "bad input")                                                                  \
    X(ERR_DENIED, 77, "credentials or permission refused")

enum err_code {
#define X(code, exit_status, text) code,
    ERR_CODES(X)
#undef X
};

struct err {
    enum err_code code;
    bool retryable;
    char *text; /* owned; NULL while there is no error */
    char *hint; /* owned; what to do next, or NULL */
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        ERR_NONE, false, NULL, NULL                                                                \
    }

int err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
int err_set_errno(struct err *e, const char *fmt, ...)
    PRINTF_LIKE(2, 3); /* adds ": strerror"; EACCES, EPERM: ERR_DENIED */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
int err_hint(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
void err_move(struct err *to, struct err *from);
void err_release(struct err *e); /* to ERR_INIT */
int err_exit_status(enum err_code code);

#endif
