/*
 * err.c - building and passing on one error.
 */
#include <errno.h>

#include "lib/base/err.h"

/* Takes text and hint, and keeps neither of the old ones. */
static void replace(struct err *e, enum err_code code, char *text, char *hint)
{
    err_release(e);
    e->code = code;
    e->text = text;
    e->hint = hint;
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list args;
    char *text;

    va_start(args, fmt);
    text = xvasprintf(fmt, args);
    va_end(args);
    replace(e, code, text, NULL); /* only now: the arguments may come from the old text */
    return -1;
}

int err_set_errno(struct err *e, const char *fmt, ...)
{
    int number = errno;
    bool denied = number == EACCES || number == EPERM;
    char reason[128];
    va_list args;
    char *what;

    va_start(args, fmt);
    what = xvasprintf(fmt, args);
    va_end(args);
    replace(e, denied ? ERR_DENIED : ERR_IO,
            xasprintf("%s: %s", what, strerror_r(number, reason, sizeof(reason))), NULL);
    free(what);
    return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    va_list args;
    char *context, *text;

    va_start(args, fmt);
    context = xvasprintf(fmt, args);
    va_end(args);
    if (!e->text)
        BUG("err_wrap(\"%s\") without an error", context);
    text = xasprintf("%s: %s", context, e->text);
    free(context);
    free(e->text);
    e->text = text;
    return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
    va_list args;
    char *hint;

    va_start(args, fmt);
    hint = xvasprintf(fmt, args);
    va_end(args);
    free(e->hint);
    e->hint = hint;
    return -1;
}

void err_move(struct err *to, struct err *from)
{
    if (to == from)
        return;
    err_release(to);
    *to = *from;
    *from = (struct err)ERR_INIT;
}

void err_release(struct err *e)
{
    free(e->text);
    free(e->hint);
    *e = (struct err)ERR_INIT;
}

int err_exit_status(enum err_code code)
{
    static const int statuses[] = {
#define X(name, exit_status, text) [name] = (exit_status),
        ERR_CODES(X)
#undef X
    };

    if ((size_t)code >= ARRAY_LEN(statuses))
        BUG("error code %d", (int)code);
    return statuses[code];
}
