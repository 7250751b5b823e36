/*
 * plant.c - putting files into a host's root from outside.
 *
 * The host may have put links anywhere in there; they mean something else out here. So each folder
 * on the way is opened by itself, never through a link.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "providers/local/local.h"

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define PLANTED_MAX  ((size_t)64 << 10)

/* -1 with errno set. A folder made here gets its mode whatever our umask is. */
static int open_part(int above, const char *part, bool make)
{
    bool made = make && mkdirat(above, part, 0755) == 0;
    int fd = openat(above, part, FOLDER_FLAGS);

    if (fd >= 0 && made && fchmod(fd, 0755) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Opens the folder that path is in; *name becomes the last part. -1 with errno set. */
static int open_folder(const char *root, const char *path, bool make, const char **name)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (const char *slash; fd >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        char *part = xstrndup(path, (size_t)(slash - path));
        int above = fd;

        fd = open_part(above, part, make);
        close(above);
        free(part);
    }
    *name = path;
    return fd;
}

static bool has_text(int folder, const char *name, const char *text, size_t len)
{
    char *found = xmalloc(PLANTED_MAX);
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool same = false;

    if (fd >= 0) {
        ssize_t got = read(fd, found, PLANTED_MAX);

        same = got >= 0 && (size_t)got == len && memcmp(found, text, len) == 0;
        close(fd);
    }
    free(found);
    return same;
}

bool plant_is_there(const char *root, const char *path, const char *text, size_t len)
{
    const char *name;
    int folder = open_folder(root, path, false, &name);
    bool there;

    if (folder < 0)
        return false;
    there = has_text(folder, name, text, len);
    close(folder);
    return there;
}

/* Under another name first: the host never sees a part. */
static int write_new(int folder, const char *name, const char *text, size_t len, mode_t mode)
{
    char *temporary = xasprintf(".%s.pgha", name);
    int fd, rc = -1, number;

    unlinkat(folder, temporary, 0);
    fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd >= 0) {
        ssize_t put = write(fd, text, len);

        if (put >= 0 && (size_t)put < len)
            errno = ENOSPC;
        else if (put >= 0 && fchmod(fd, mode) == 0 && fsync(fd) == 0)
            rc = renameat(folder, temporary, folder, name);
        number = errno;
        close(fd);
        if (rc != 0)
            unlinkat(folder, temporary, 0);
        errno = number;
    }
    free(temporary);
    return rc;
}

int plant_file(const char *root, const char *path, const char *text, size_t len, mode_t mode,
               struct err *err)
{
    const char *name;
    int folder = open_folder(root, path, true, &name);
    int rc = 0;

    if (folder < 0)
        return err_set_errno(err, "%s/%s", root, path);
    if (!has_text(folder, name, text, len) && write_new(folder, name, text, len, mode) != 0)
        rc = err_set_errno(err, "%s/%s", root, path);
    close(folder);
    return rc;
}
