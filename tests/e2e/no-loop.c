/* no-loop.c - preloaded: a machine without loop devices, for 15-local-provider.t. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

typedef int open_fn(const char *path, int flags, ...);

static int pass(const char *name, const char *path, int flags, va_list args)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, int) : 0;
    open_fn *next;

    if (strcmp(path, "/dev/loop-control") == 0) {
        errno = ENOENT;
        return -1;
    }
    memcpy(&next, &symbol, sizeof(next));
    return next(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    int fd;

    va_start(args, flags);
    fd = pass("open", path, flags, args);
    va_end(args);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    int fd;

    va_start(args, flags);
    fd = pass("open64", path, flags, args);
    va_end(args);
    return fd;
}
