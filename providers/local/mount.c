/* mount.c - mounts of this machine: whether there is one, and taking it away. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "providers/local/local.h"

#define UNMOUNT_WITHIN_MS 2000
#define UNMOUNT_POLL_MS   20

bool mount_is_root(const char *path)
{
    struct statx info;

    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &info) == 0 &&
           (info.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

int mount_remove(const char *path, struct err *err)
{
    int64_t deadline = clock_mono_ms() + UNMOUNT_WITHIN_MS;

    while (mount_is_root(path)) {
        struct timespec pause = {.tv_nsec = UNMOUNT_POLL_MS * 1000000L};

        if (umount2(path, UMOUNT_NOFOLLOW) == 0)
            continue;
        /* Somebody stands in it: take it out of sight, the kernel ends it when they leave. */
        if (errno != EBUSY || clock_mono_ms() > deadline) {
            if (umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH) != 0)
                return err_set_errno(err, "unmounting %s", path);
            continue;
        }
        nanosleep(&pause, NULL);
    }
    return 0;
}
