/* run_log.c - what a run did, kept in the state folder. */
#include "lib/deploy/run_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"

#define SUFFIX        ".jsonl"
#define LOG_MAX_BYTES ((size_t)64 << 20)

struct run_log {
    struct event_json *json;
    int64_t start_ms;
};

/* ---- the folder ---- */

static int is_log(const struct dirent *entry)
{
    return str_ends(entry->d_name, SUFFIX);
}

/* Names begin with the time, so the oldest come first. The number of them, or -1. */
static int list_logs(const char *dir, struct dirent ***entries)
{
    return scandir(dir, entries, is_log, alphasort);
}

static void free_list(struct dirent **entries, int n)
{
    for (int i = 0; i < n; i++)
        free(entries[i]);
    if (n >= 0)
        free(entries);
}

static void prune(const char *dir)
{
    struct dirent **entries;
    int n = list_logs(dir, &entries);

    for (int i = 0; i < n - RUN_LOGS_KEPT; i++) {
        char *path = path_join(dir, entries[i]->d_name);

        (void)!unlink(path);
        free(path);
    }
    free_list(entries, n);
}

/* ---- writing ---- */

static char *new_name(const char *dir)
{
    int64_t now = clock_real_ms();
    char time[32];

    clock_iso8601(now, time);
    time[strcspn(time, "Z")] = '\0';
    return xasprintf("%s/%s.%03dZ" SUFFIX, dir, time, (int)(now % 1000));
}

struct run_log *run_log_open(const char *state_dir, const char *command, struct event_sink *next,
                             struct err *err)
{
    char *dir = path_join(state_dir, "log"), *path = new_name(dir);
    struct run_log *log = NULL;
    int fd = -1;

    if (file_mkdirs(dir, 0700, err) == 0) {
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        else
            prune(dir);
    }
    if (fd >= 0) {
        log = xcalloc(1, sizeof(*log));
        *log = (struct run_log){event_json_new(fd, next), clock_mono_ms()};
        event_json_put(log->json, &(struct event){.kind = EVENT_RUN, .text = command});
    }
    free(dir);
    free(path);
    return log;
}

struct event_sink *run_log_sink(struct run_log *log)
{
    return event_json_sink(log->json);
}

void run_log_close(struct run_log *log, bool failed)
{
    if (!log)
        return;
    event_json_put(log->json, &(struct event){.kind = EVENT_RUN_END,
                                              .failed = failed,
                                              .elapsed_ms = clock_mono_ms() - log->start_ms});
    event_json_free(log->json);
    free(log);
}

/* ---- reading ---- */

/* Calls take for each event of the file whose line is wanted (NULL: all are). A line that is no
 * event, as a killed run may leave one, is passed over. */
static int read_log(const char *path, bool (*wanted)(const char *line, size_t len),
                    void (*take)(void *ctx, const struct event *e, int64_t real_ms), void *ctx,
                    struct err *err)
{
    struct str text;
    int rc;

    str_init(&text, LOG_MAX_BYTES);
    rc = file_read(path, &text, err);
    for (const char *line = text.buf; rc == 0 && *line;) {
        size_t len = strcspn(line, "\n");
        struct arena arena = ARENA_INIT;
        struct err ignored = ERR_INIT;
        struct event e;
        int64_t at;

        if ((!wanted || wanted(line, len)) &&
            event_json_read(&arena, line, len, &e, &at, &ignored) == 0)
            take(ctx, &e, at);
        err_release(&ignored);
        arena_release(&arena);
        line += len + (line[len] == '\n');
    }
    str_release(&text);
    return rc;
}

struct past_run {
    const char *command;
    bool is_it, ended_well;
    struct eta_stages stages;
};

static void take_stage(void *ctx, const struct event *e, int64_t real_ms)
{
    struct past_run *run = ctx;

    UNUSED(real_ms);
    if (e->kind == EVENT_RUN)
        run->is_it = str_eq(e->text, run->command);
    else if (e->kind == EVENT_RUN_END)
        run->ended_well = !e->failed;
    else if (e->kind == EVENT_STAGE_END && e->stage)
        eta_stages_add(&run->stages, e->stage, e->elapsed_ms);
}

/* Few lines of a long log matter here; only these are read as JSON. */
static bool is_of_stages(const char *line, size_t len)
{
    static const char *const kinds[] = {"\"kind\":\"run", "\"kind\":\"stage_end"};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (memmem(line, len, kinds[i], strlen(kinds[i])))
            return true;
    return false;
}

static bool read_past_run(const char *path, struct past_run *run)
{
    struct err ignored = ERR_INIT;
    int rc = read_log(path, is_of_stages, take_stage, run, &ignored);

    err_release(&ignored);
    return rc == 0 && run->is_it && run->ended_well;
}

void run_log_expect(const char *state_dir, const char *command, struct eta_stages *expected)
{
    char *dir = path_join(state_dir, "log");
    struct eta_stages runs[ETA_MAX_RUNS];
    struct dirent **entries;
    size_t n = 0;
    int logs = list_logs(dir, &entries);

    for (int i = logs; i > 0 && n < ETA_MAX_RUNS; i--) {
        char *path = path_join(dir, entries[i - 1]->d_name);
        struct past_run run = {.command = command};

        if (read_past_run(path, &run))
            runs[n++] = run.stages;
        else
            eta_stages_release(&run.stages);
        free(path);
    }
    eta_expect(runs, n, expected);
    for (size_t i = 0; i < n; i++)
        eta_stages_release(&runs[i]);
    free_list(entries, logs);
    free(dir);
}

static void take_for_profile(void *ctx, const struct event *e, int64_t real_ms)
{
    profile_add(ctx, e, real_ms);
}

/* The last log whose name begins with the text; NULL: there is none. */
static char *find_log(const char *dir, const char *run)
{
    struct dirent **entries;
    int n = list_logs(dir, &entries);
    char *path = NULL;

    for (int i = n; i > 0 && !path; i--)
        if (str_starts(entries[i - 1]->d_name, run ? run : ""))
            path = path_join(dir, entries[i - 1]->d_name);
    free_list(entries, n);
    return path;
}

int run_log_profile(const char *state_dir, const char *run, struct profile *p, char **path,
                    struct err *err)
{
    char *dir = path_join(state_dir, "log");
    int rc;

    *path = find_log(dir, run);
    if (*path) {
        rc = read_log(*path, NULL, take_for_profile, p, err);
    } else {
        rc = err_set(err, ERR_FAILED, "%s has no log of a run%s%s", dir, run ? " of " : "",
                     run ? run : "");
        err_hint(err, "`up` leaves one; `ls %s` shows which there are", dir);
    }
    free(dir);
    return rc;
}
