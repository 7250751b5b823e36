/*
 * volume.c - a db host's file system of its own for PostgreSQL: a sparse file, by a loop device.
 *
 * So a host's disk can be full while this machine's is not: what is allocated in there and not
 * written (fallocate(2)) takes no space out here. See loop(4).
 *
 * Nothing is left of a run that was killed: the file gets its name when it is whole, and the loop
 * device goes with the last that has it open, be it this program or the mount (autoclear).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/proc.h"
#include "providers/local/local.h"

#define VOLUME_BYTES     ((off_t)32 << 30) /* more than max_slot_wal_keep_size and max_wal_size */
#define MKFS_TIMEOUT_MS  30000
#define ATTACH_TRIES     100
#define PAUSE_MS         10
#define DETACH_WITHIN_MS 2000
#define DEVICES          "/sys/block"
#define BACKING_MAX      ((size_t)4 << 10)
/* Of ext4 and others, see ioctl_fs(2) of a recent kernel: without writing anything back. */
#define FS_SHUTDOWN   _IOR('X', 125, uint32_t)
#define NO_WRITE_BACK 2

/* --- the file --- */

static int make_sparse(const char *path, struct err *err)
{
    int fd, rc = 0;

    unlink(path); /* a killed run's */
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, VOLUME_BYTES) != 0)
        rc = err_set_errno(err, "%s", path);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* No inode tables and no journal are written before they are used: that takes 10 ms and 5 MB. */
static int make_file_system(const char *path, struct err *err)
{
    const char *argv[] = {"mke2fs",
                          "-q",
                          "-F",
                          "-t",
                          "ext4",
                          "-m",
                          "0",
                          "-i",
                          "65536",
                          "-E",
                          "lazy_itable_init=1,lazy_journal_init=1,nodiscard",
                          path,
                          NULL};
    struct proc mkfs = {.argv = argv, .timeout_ms = MKFS_TIMEOUT_MS};

    return proc_run(&mkfs, err);
}

static int make_image(const struct host_place *p, struct err *err)
{
    char *half = xasprintf("%s.new", p->volume_image);
    int rc = 0;

    if (!file_exists(p->volume_image)) {
        rc = make_sparse(half, err);
        if (rc == 0)
            rc = make_file_system(half, err);
        if (rc == 0 && rename(half, p->volume_image) != 0)
            rc = err_set_errno(err, "%s", p->volume_image);
        if (rc < 0)
            unlink(half);
    }
    free(half);
    return rc;
}

/* --- the loop device --- */

static int open_control(struct err *err)
{
    int fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        err_set_errno(err, "no loop devices: /dev/loop-control");
    return fd;
}

/* In a container /dev has the devices of when it was started: the kernel makes new ones elsewhere.
 */
static int open_device(int number, char *device, size_t size)
{
    snprintf(device, size, "/dev/loop%d", number);
    if (!file_exists(device))
        (void)!mknod(device, S_IFBLK | 0600, makedev(LOOP_MAJOR, (unsigned)number));
    return open(device, O_RDWR | O_CLOEXEC);
}

/* -1 with errno set; EBUSY: somebody else was given the same one. */
static int try_device(int control, int image, char *device, size_t size)
{
    struct loop_config config = {.fd = (uint32_t)image, .info.lo_flags = LO_FLAGS_AUTOCLEAR};
    int number = ioctl(control, LOOP_CTL_GET_FREE);
    int fd = number < 0 ? -1 : open_device(number, device, size);

    if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config) != 0) {
        number = errno;
        close(fd);
        errno = number;
        fd = -1;
    }
    return fd;
}

/* An open descriptor: while it is, the device stays. */
static int attach(int image, char *device, size_t size, struct err *err)
{
    int control = open_control(err), fd = -1;

    if (control < 0)
        return -1;
    for (int i = 0; i < ATTACH_TRIES; i++) {
        fd = try_device(control, image, device, size);
        if (fd >= 0 || errno != EBUSY)
            break;
        clock_sleep_ms(PAUSE_MS);
    }
    if (fd < 0)
        err_set_errno(err, "attaching a loop device");
    close(control);
    return fd;
}

struct search {
    const char *cluster, *host; /* host NULL: any */
    volume_visit_fn *visit;     /* NULL: only whether there is one */
    void *context;
    bool found;
    char device[32]; /* the last that was found */
};

static int look_at_device(void *context, const char *name, struct err *err)
{
    struct search *s = context;
    struct err ignored = ERR_INIT;
    char *path, host[LOCAL_ID_SIZE];
    struct str backing;
    int rc = 0;

    if (!str_starts(name, "loop"))
        return 0;
    path = xasprintf(DEVICES "/%s/loop/backing_file", name);
    str_init(&backing, BACKING_MAX);
    if (file_read(path, &backing, &ignored) < 0)
        err_release(&ignored); /* a device without a file */
    str_trim_end(&backing);
    if (local_host_of_volume(backing.buf, s->cluster, host, sizeof(host)) &&
        (!s->host || str_eq(host, s->host))) {
        s->found = true;
        snprintf(s->device, sizeof(s->device), "/dev/%s", name);
        if (s->visit)
            rc = s->visit(s->context, host, err);
    }
    str_release(&backing);
    free(path);
    return rc;
}

int volume_each(const char *cluster, volume_visit_fn *visit, void *context, struct err *err)
{
    struct search s = {.cluster = cluster, .visit = visit, .context = context};

    return each_entry(DEVICES, look_at_device, &s, err);
}

static struct search find_device(const char *cluster, const char *host)
{
    struct search s = {.cluster = cluster, .host = host};
    struct err ignored = ERR_INIT;

    if (each_entry(DEVICES, look_at_device, &s, &ignored) < 0)
        err_release(&ignored);
    return s;
}

bool volume_is_attached(const char *cluster, const char *host)
{
    return find_device(cluster, host).found;
}

/* The device that has this very file already: a second one would be a second file system in it,
 * that knows nothing of the first. An open descriptor, -1: there is none. */
static int open_attached(const char *cluster, const char *host, int image, char *device,
                         size_t size)
{
    struct search s = find_device(cluster, host);
    int fd = s.found ? open(s.device, O_RDWR | O_CLOEXEC) : -1;
    struct loop_info64 info;
    struct stat st;

    if (fd < 0)
        return -1;
    if (fstat(image, &st) != 0 || ioctl(fd, LOOP_GET_STATUS64, &info) != 0 ||
        info.lo_inode != st.st_ino || info.lo_device != st.st_dev) {
        close(fd);
        return -1;
    }
    snprintf(device, size, "%s", s.device);
    return fd;
}

/* --- the mount --- */

/*
 * A host that starts has a copy of this machine's mounts, and keeps it (systemd-nspawn moves its
 * root over them). What is mounted below a shared mount is unmounted in the copies as well (see
 * mount_namespaces(7)); else a volume would last as long as any host that was started after it.
 */
static int make_top(const struct host_place *p, struct err *err)
{
    if (file_mkdirs(p->volume, 0755, err) < 0)
        return -1;
    if (!mount_is_root(p->volume_top) &&
        mount(p->volume_top, p->volume_top, NULL, MS_BIND, NULL) != 0)
        return err_set_errno(err, "mounting %s", p->volume_top);
    if (mount(NULL, p->volume_top, NULL, MS_SHARED, NULL) != 0)
        return err_set_errno(err, "sharing the mount %s", p->volume_top);
    return 0;
}

static int mount_device(const char *device, const struct host_place *p, struct err *err)
{
    if (make_top(p, err) < 0)
        return -1;
    /* What is not written yet stays so. */
    if (mount(device, p->volume, "ext4", MS_NODEV | MS_NOSUID, "noinit_itable") != 0)
        return err_set_errno(err, "mounting %s at %s", p->volume_image, p->volume);
    return 0;
}

int volume_mount(const char *cluster, const struct host_place *p, struct err *err)
{
    char device[32];
    int image, loop, rc = -1;

    if (mount_is_root(p->volume))
        return 0;
    image = open(p->volume_image, O_RDWR | O_CLOEXEC);
    if (image < 0)
        return err_set_errno(err, "%s", p->volume_image);
    loop = open_attached(cluster, p->name, image, device, sizeof(device));
    if (loop < 0)
        loop = attach(image, device, sizeof(device), err);
    if (loop >= 0) {
        rc = mount_device(device, p, err);
        close(loop);
    }
    close(image);
    return rc;
}

/* Its top folder is that of the image: owner and mode. mke2fs's folder tells that it is new. */
static int dress(const struct host_place *p, const char *like, struct err *err)
{
    char *lost = path_join(p->volume, "lost+found");
    struct stat st;
    int rc = 0;

    if (file_exists(lost)) {
        if (lstat(like, &st) == 0 && (chown(p->volume, st.st_uid, st.st_gid) != 0 ||
                                      chmod(p->volume, st.st_mode & 07777) != 0))
            rc = err_set_errno(err, "%s", p->volume);
        else if (rmdir(lost) != 0)
            rc = err_set_errno(err, "%s", lost);
    }
    free(lost);
    return rc;
}

int volume_make(const char *cluster, const struct host_place *p, const char *like, struct err *err)
{
    if (make_image(p, err) < 0 || volume_mount(cluster, p, err) < 0)
        return -1;
    return dress(p, like, err);
}

/* Writing back what is removed next would take seconds. Unmounted first: a run that is killed in
 * between leaves no mount that answers nothing but EIO. */
static int unmount_unwritten(const char *mounted, struct err *err)
{
    uint32_t how = NO_WRITE_BACK;
    int fd, rc = 0;

    if (!mount_is_root(mounted))
        return 0;
    fd = open(mounted, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (umount2(mounted, UMOUNT_NOFOLLOW | MNT_DETACH) != 0)
        rc = err_set_errno(err, "unmounting %s", mounted);
    else if (fd >= 0)
        (void)ioctl(fd, FS_SHUTDOWN, &how);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* A process with a copy of our mounts of its own (unshare(1)) keeps the device as long as it lives.
 * It shall have nothing of the file. */
static int remove_image(const struct host_place *p, struct err *err)
{
    int fd = open(p->volume_image, O_WRONLY | O_CLOEXEC), rc = 0;

    if ((unlink(p->volume_image) != 0 && errno != ENOENT) || (fd >= 0 && ftruncate(fd, 0) != 0))
        rc = err_set_errno(err, "%s", p->volume_image);
    if (fd >= 0)
        close(fd);
    return rc;
}

int volume_remove(const char *cluster, const struct host_place *p, struct err *err)
{
    int64_t deadline = clock_mono_ms() + DETACH_WITHIN_MS;

    if (unmount_unwritten(p->volume, err) < 0 || mount_remove(p->volume_top, err) < 0)
        return -1;
    while (volume_is_attached(cluster, p->name) && clock_mono_ms() < deadline) {
        struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

        nanosleep(&pause, NULL);
    }
    return remove_image(p, err);
}
