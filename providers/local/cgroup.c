/*
 * cgroup.c - everything that runs of a host is in one cgroup (v2).
 *
 * With a cgroup per host, nspawn of one host cannot meet another's ("payload", "supervisor" are
 * made below the cgroup that it is started in), all of a host is killed at once as a power loss
 * would, and whether anything of it runs is one read. See the kernel's
 * Documentation/admin-guide/cgroup-v2.rst.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "providers/local/local.h"

#define EVENTS_MAX_BYTES ((size_t)4 << 10)
#define GONE_WITHIN_MS   10000
#define POLL_MS          5
#define DEPTH_MAX        32

const char *cgroup_mount(void)
{
    /* The second: "hybrid", version 1 for the controllers, version 2 for systemd. */
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct statfs fs;

        if (statfs(places[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
            return places[i];
    }
    return NULL;
}

bool cgroup_is_populated(const char *cgroup)
{
    char *path = path_join(cgroup, "cgroup.events");
    struct err ignored = ERR_INIT;
    struct str text;
    bool populated = false;

    str_init(&text, EVENTS_MAX_BYTES);
    if (file_read(path, &text, &ignored) < 0)
        err_release(&ignored); /* no cgroup, no processes */
    else
        populated = strstr(text.buf, "populated 1") != NULL;
    str_release(&text);
    free(path);
    return populated;
}

int cgroup_make(const char *cgroup, struct err *err)
{
    if (mkdir(cgroup, 0755) != 0 && errno != EEXIST)
        return err_set_errno(err, "%s", cgroup);
    return 0;
}

const char *const *cgroup_command(struct arena *a, const char *cgroup, const char *const *command)
{
    /* A shell that moves itself there and then becomes the command: there is no moment in which the
     * command runs elsewhere. Nothing but "$@" is expanded, and nothing of it is parsed again. */
    static const char *const enter[] = {"sh", "-c", "echo 0 >\"$0/cgroup.procs\" && exec \"$@\""};
    size_t n = ARRAY_LEN(enter), count = 0;
    const char **argv;

    while (command[count])
        count++;
    argv = arena_alloc(a, (n + 1 + count + 1) * sizeof(*argv));
    memcpy(argv, enter, sizeof(enter));
    argv[n++] = cgroup;
    memcpy(argv + n, command, count * sizeof(*argv));
    return argv;
}

static int write_kill(const char *cgroup, struct err *err)
{
    char *path = path_join(cgroup, "cgroup.kill");
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int rc = 0;

    if (fd < 0 || write(fd, "1", 1) != 1)
        rc = err_set_errno(err, "%s", path);
    if (fd >= 0)
        close(fd);
    free(path);
    return rc;
}

/* Removes the groups below and then itself: their files cannot be, and need not be, removed. */
static int remove_groups(const char *path, int depth)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    if (!dir)
        return errno == ENOENT ? 0 : -1;
    while (depth < DEPTH_MAX && (entry = readdir(dir))) {
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
            char *below = path_join(path, entry->d_name);

            remove_groups(below, depth + 1);
            free(below);
        }
    }
    closedir(dir);
    return rmdir(path) == 0 || errno == ENOENT ? 0 : -1;
}

/* On a "hybrid" system nspawn makes the same groups in systemd's tree of version 1, and leaves
 * them. Without processes they do no harm: what cannot be removed is left to the next time. */
static void remove_twin(const char *cgroup)
{
    static const char trees[] = "/sys/fs/cgroup/systemd";
    char *twin = path_join(trees, path_base(cgroup));

    (void)remove_groups(twin, 0);
    free(twin);
}

/*
 * Killing and removing are tried together: a killed run may have left a shell that is about to move
 * into the group. Once that is removed, the shell ends by itself.
 */
int cgroup_end(const char *cgroup, struct err *err)
{
    int64_t deadline = clock_mono_ms() + GONE_WITHIN_MS;

    for (;;) {
        struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};

        if (cgroup_is_populated(cgroup)) {
            if (write_kill(cgroup, err) < 0)
                return err_wrap(err, "killing what runs in %s", path_base(cgroup));
        } else if (remove_groups(cgroup, 0) == 0) {
            remove_twin(cgroup);
            return 0;
        } else if (errno != EBUSY) {
            return err_set_errno(err, "removing %s", cgroup);
        }
        if (clock_mono_ms() > deadline)
            return err_set(err, ERR_TIMEOUT, "%s: processes did not end %d s after SIGKILL", cgroup,
                           GONE_WITHIN_MS / 1000);
        nanosleep(&pause,
                  NULL); /* short, and to be ended properly even when a stop was asked for */
    }
}
