/*
 * file.c - bounded reads, atomic writes, trees, paths and locks.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"

#define READ_CHUNK    ((size_t)64 << 10)
#define TEMPORARY     ".pgha-"
#define RANDOM_CHARS  6   /* of mkostemp(3) */
#define TREE_DEPTH    256 /* each level of file_remove_tree keeps a descriptor open */
#define LOCK_RETRY_MS 100
#define HOLDER_MAX    256

static int read_all(int fd, const char *path, struct str *out, struct err *err)
{
    char *chunk = xmalloc(READ_CHUNK);
    ssize_t got;

    do {
        got = read(fd, chunk, READ_CHUNK);
        if (got > 0)
            str_add(out, chunk, (size_t)got);
    } while ((got > 0 && !out->full) || (got < 0 && errno == EINTR));
    free(chunk);
    if (got < 0)
        return err_set_errno(err, "%s", path);
    if (out->full)
        return err_set(err, ERR_INPUT, "%s: larger than %zu bytes", path, out->max);
    return 0;
}

int file_read(const char *path, struct str *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int rc;

    if (fd < 0)
        return err_set_errno(err, "%s", path);
    rc = read_all(fd, path, out, err);
    close(fd);
    return rc;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, data, len);

        if (put < 0 && errno != EINTR)
            return -1;
        if (put > 0) {
            data += put;
            len -= (size_t)put;
        }
    }
    return 0;
}

/* Makes the rename itself last. Some file systems cannot sync a folder: then there is no more to
 * do. */
static void sync_parent(const char *path)
{
    char *dir = path_dir(path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(dir);
}

/* False when the file was removed or replaced by another. */
static bool is_still_there(int fd, const char *path)
{
    struct stat ours, theirs;

    return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

/* Locked for as long as its writer lives, by which file_sweep() knows; where the file system has no
 * locks it knows nothing. -1 with errno set; *temporary is the caller's to free. */
static int open_temporary(const char *path, char **temporary)
{
    char *dir = path_dir(path);
    int fd;

    for (;;) {
        *temporary = xasprintf("%s/.%s" TEMPORARY "XXXXXX", dir, path_base(path));
        fd = mkostemp(*temporary, O_CLOEXEC);
        if (fd < 0)
            break;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 ? is_still_there(fd, *temporary)
                                              : errno != EWOULDBLOCK)
            break;
        close(fd); /* a sweep was there before the lock */
        free(*temporary);
    }
    free(dir);
    return fd;
}

/* Puts the whole file under its name, and the temporary name away: an errno, 0 when done. */
typedef int publish_fn(const char *temporary, const char *path);

static int publish_over(const char *temporary, const char *path)
{
    return rename(temporary, path) == 0 ? 0 : errno;
}

/* link(2) replaces nothing. */
static int publish_new(const char *temporary, const char *path)
{
    int number = link(temporary, path) == 0 || errno == EEXIST ? 0 : errno;

    unlink(temporary);
    return number;
}

static int write_file(const char *path, const void *data, size_t len, mode_t mode,
                      publish_fn *publish, struct err *err)
{
    char *temporary;
    int fd = open_temporary(path, &temporary);
    int number = fd < 0 ? errno : 0;

    if (fd >= 0) {
        if (fchmod(fd, mode) != 0 || write_all(fd, data, len) != 0 || fsync(fd) != 0)
            number = errno;
        else
            number = publish(temporary, path);
        if (number != 0)
            unlink(temporary);
        close(fd);
    }
    free(temporary);
    if (number == 0) {
        sync_parent(path);
        return 0;
    }
    errno = number;
    return err_set_errno(err, "%s", path);
}

int file_write(const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
    return write_file(path, data, len, mode, publish_over, err);
}

int file_write_new(const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
    return write_file(path, data, len, mode, publish_new, err);
}

static bool is_temporary(const char *name)
{
    size_t len = strlen(name), end = strlen(TEMPORARY) + RANDOM_CHARS;

    return name[0] == '.' && len > end && str_starts(name + len - end, TEMPORARY);
}

void file_sweep(const char *dir)
{
    DIR *entries = opendir(dir);
    struct dirent *entry;

    while (entries && (entry = readdir(entries))) {
        int fd;

        if (!is_temporary(entry->d_name))
            continue;
        fd = openat(dirfd(entries), entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd(entries), entry->d_name, 0);
        close(fd);
    }
    if (entries)
        closedir(entries);
}

/* The mode is set again after mkdir(2), which takes the umask off it. */
static int make_dir(const char *path, mode_t mode, struct err *err)
{
    if (mkdir(path, mode) == 0)
        return chmod(path, mode) == 0 ? 0 : err_set_errno(err, "%s", path);
    if (errno == EEXIST && file_is_dir(path))
        return 0;
    return err_set_errno(err, "%s", path);
}

int file_mkdirs(const char *path, mode_t mode, struct err *err)
{
    char *part = xstrdup(path);
    int rc = 0;

    for (char *p = part; rc == 0 && *p; p++) {
        if (*p != '/' || p == part || p[-1] == '/')
            continue;
        *p = '\0';
        rc = make_dir(part, mode, err);
        *p = '/';
    }
    if (rc == 0)
        rc = make_dir(path, mode, err);
    free(part);
    return rc;
}

/*
 * True when the folder fd is in another mount than the folder parent. The mount root attribute also
 * tells a bind mount of the same file system, which has the same device number.
 */
static bool is_other_mount(int fd, int parent)
{
    struct statx info;
    struct stat st, parent_st;

    if (statx(fd, "", AT_EMPTY_PATH, 0, &info) == 0 &&
        (info.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) &&
        (info.stx_attributes & STATX_ATTR_MOUNT_ROOT))
        return true;
    return fstat(fd, &st) != 0 || fstat(parent, &parent_st) != 0 || st.st_dev != parent_st.st_dev;
}

static int remove_entry(int parent, const char *name, const char *path, int depth, struct err *err);

static int remove_members(int fd, const char *path, int depth, struct err *err)
{
    DIR *dir = fdopendir(fd);
    struct dirent *entry = NULL;
    int rc = 0;

    if (!dir) {
        close(fd);
        return err_set_errno(err, "%s", path);
    }
    while (rc == 0 && (errno = 0, entry = readdir(dir))) {
        char *member;

        if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
            continue;
        member = path_join(path, entry->d_name);
        rc = remove_entry(dirfd(dir), entry->d_name, member, depth + 1, err);
        free(member);
    }
    if (rc == 0 && errno != 0)
        rc = err_set_errno(err, "%s", path);
    closedir(dir);
    return rc;
}

/* path is only for messages: everything goes by descriptors, so nobody can swap in a link. */
static int remove_entry(int parent, const char *name, const char *path, int depth, struct err *err)
{
    int fd;

    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR)
        return err_set_errno(err, "%s", path);
    if (depth >= TREE_DEPTH)
        return err_set(err, ERR_FAILED, "%s: folders nested deeper than %d", path, TREE_DEPTH);
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, "%s", path);
    if (is_other_mount(fd, parent)) {
        close(fd);
        return err_set(err, ERR_FAILED, "%s: something is mounted there; not removed", path);
    }
    if (remove_members(fd, path, depth, err) < 0)
        return -1;
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : err_set_errno(err, "%s", path);
}

int file_remove_tree(const char *path, struct err *err)
{
    char *normal = path_normal(path), *dir = path_dir(normal);
    const char *name = path_base(normal);
    int parent = -1, rc = -1;

    if (!*name || str_eq(name, ".") || str_eq(name, "..")) {
        err_set(err, ERR_FAILED, "%s: not a folder that can be removed", path);
        goto out;
    }
    parent = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0)
        rc = remove_entry(parent, name, normal, 0, err);
    else if (errno == ENOENT)
        rc = 0;
    else
        err_set_errno(err, "%s", dir);
out:
    if (parent >= 0)
        close(parent);
    free(dir);
    free(normal);
    return rc;
}

bool file_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

bool file_is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *path_join(const char *dir, const char *name)
{
    if (name[0] == '/' || !*dir)
        return xstrdup(name);
    return xasprintf("%s%s%s", dir, str_ends(dir, "/") ? "" : "/", name);
}

char *path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return xstrdup(".");
    while (slash > path && slash[-1] == '/')
        slash--;
    return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Takes the last part off `normal`; false when there is none that ".." could take back. */
static bool drop_last_part(struct str *normal, size_t root)
{
    const char *part = normal->buf + normal->len;

    while (part > normal->buf + root && part[-1] != '/')
        part--;
    if (normal->len == root || str_eq(part, ".."))
        return false;
    normal->len = (size_t)(part - normal->buf);
    if (normal->len > root)
        normal->len--; /* the slash before it */
    normal->buf[normal->len] = '\0';
    return true;
}

char *path_normal(const char *path)
{
    size_t root = path[0] == '/';
    struct str normal;

    str_init(&normal, SIZE_MAX / 4);
    str_add(&normal, path, root);
    while (*path) {
        size_t len = strcspn(path, "/");
        bool up = len == 2 && memcmp(path, "..", 2) == 0;
        bool nothing = len == 0 || (len == 1 && *path == '.');

        if (up && (drop_last_part(&normal, root) || root))
            nothing = true;
        if (!nothing) {
            if (normal.len > root)
                str_putc(&normal, '/');
            str_add(&normal, path, len);
        }
        path += len;
        path += *path == '/';
    }
    if (normal.len == 0)
        str_putc(&normal, '.');
    return str_detach(&normal);
}

/* "PID COMMAND ARG..." of this process. */
static void describe_self(struct str *text)
{
    struct err ignored = ERR_INIT;

    str_printf(text, "%d ", (int)getpid());
    if (file_read("/proc/self/cmdline", text, &ignored) < 0)
        err_release(&ignored);
    for (size_t i = 0; i < text->len; i++) {
        if (text->buf[i] == '\0' || text->buf[i] == '\n')
            text->buf[i] = ' ';
    }
    str_trim_end(text);
    str_puts(text, "\n");
}

static int write_holder(int fd, const char *path, struct err *err)
{
    struct str text;
    int rc = 0;

    str_init(&text, READ_CHUNK);
    describe_self(&text);
    if (ftruncate(fd, 0) != 0 || write_all(fd, text.buf, text.len) != 0)
        rc = err_set_errno(err, "%s", path);
    str_release(&text);
    return rc;
}

static int held_by_other(int fd, const char *path, struct err *err)
{
    char holder[HOLDER_MAX];
    ssize_t len = pread(fd, holder, sizeof(holder) - 1, 0);
    char *command;

    holder[len > 0 ? len : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    command = strchr(holder, ' ');
    if (!command)
        return err_set(err, ERR_LOCKED, "%s: another run holds the lock", path);
    *command++ = '\0';
    return err_set(err, ERR_LOCKED, "%s: another run holds the lock: pid %s (%s)", path, holder,
                   command);
}

/* Opens and tries once: 1 taken, 0 held by another, -1 an error. *fd stays open for the first two.
 */
static int try_lock(const char *path, int *fd, struct err *err)
{
    for (;;) {
        *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (*fd < 0)
            return err_set_errno(err, "%s", path);
        if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK)
                return 0;
            err_set_errno(err, "%s", path);
            close(*fd);
            return -1;
        }
        if (is_still_there(*fd, path))
            return 1;
        close(*fd); /* it guards nothing */
    }
}

int lock_take(const char *path, int wait_ms, int *fd, struct err *err)
{
    int64_t deadline = clock_mono_ms() + wait_ms;
    int taken;

    while ((taken = try_lock(path, fd, err)) == 0) {
        bool stop = clock_stop_requested();

        if (stop || clock_mono_ms() >= deadline) {
            held_by_other(*fd, path, err);
            if (stop)
                err->code = ERR_INTERRUPTED;
            close(*fd);
            return -1;
        }
        close(*fd);
        clock_sleep_ms(LOCK_RETRY_MS);
    }
    if (taken < 0)
        return -1;
    if (write_holder(*fd, path, err) < 0) {
        close(*fd);
        return -1;
    }
    return 0;
}

void lock_release(int fd)
{
    close(fd);
}
