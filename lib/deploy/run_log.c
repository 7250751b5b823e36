/* run_log.c - what a run did, kept in the state folder. */
#include "lib/deploy/run_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"

#define SUFFIX ".jsonl"

static int is_log(const struct dirent *entry)
{
    return str_ends(entry->d_name, SUFFIX);
}

/* Names begin with the time, so the oldest come first. */
static void prune(const char *dir)
{
    struct dirent **entries;
    int n = scandir(dir, &entries, is_log, alphasort);

    for (int i = 0; i < n; i++) {
        char *path = path_join(dir, entries[i]->d_name);

        if (i < n - RUN_LOGS_KEPT)
            (void)!unlink(path);
        free(path);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

static char *new_name(const char *dir)
{
    int64_t now = clock_real_ms();
    char time[32];

    clock_iso8601(now, time);
    time[strcspn(time, "Z")] = '\0';
    return xasprintf("%s/%s.%03dZ" SUFFIX, dir, time, (int)(now % 1000));
}

struct event_json *run_log_open(const char *state_dir, struct event_sink *next, struct err *err)
{
    char *dir = path_join(state_dir, "log"), *path = new_name(dir);
    int fd = -1;

    if (file_mkdirs(dir, 0700, err) == 0) {
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        else
            prune(dir);
    }
    free(dir);
    free(path);
    return fd < 0 ? NULL : event_json_new(fd, next);
}
