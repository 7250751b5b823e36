/*
 * image.c - resource kind "image": the root that hosts of one kind have below their disks, made
 * once by mmdebstrap and cached.
 *
 * It is made under a temporary name and renamed when whole, so an image that exists is a whole one.
 * One builder at a time; old ones go when no host stands on them.
 */
#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/proc.h"
#include "providers/local/local.h"

#define SPACE_NEEDED_MB   1200
#define BUILD_TIMEOUT_MS  (30 * 60 * 1000)
#define BUILDER_WAIT_MS   (10 * 60 * 1000)
#define LOOK_MS           500
#define STATUS_MAX_BYTES  ((size_t)8 << 20)
#define SOURCES_MAX_BYTES ((size_t)1 << 20)
#define OUTPUT_MAX_BYTES  ((size_t)16 << 20)
#define FAILURE_LINES     8
#define HALF_MADE         ".new" /* ending of the name while it is made */

static const char lock_path[] = LOCAL_IMAGES "/.lock";

const char *image_path(struct arena *a, const char *key)
{
    return arena_printf(a, "%s/%s", LOCAL_IMAGES, key);
}

bool image_exists(const char *key)
{
    char *path = path_join(LOCAL_IMAGES, key);
    bool exists = file_is_dir(path);

    free(path);
    return exists;
}

/* --- who uses an image --- */

struct use {
    const char *key; /* NULL: any */
    bool used;
    char cluster[CLUSTER_NAME_MAX + 1]; /* one of those that use it */
};

struct host_walk {
    struct use *use;
    const char *cluster, *folder;
};

static int look_at_host(void *context, const char *name, struct err *err)
{
    struct host_walk *walk = context;
    struct arena arena = ARENA_INIT;
    const char *image = host_image(&arena, arena_printf(&arena, "%s/%s", walk->folder, name));

    UNUSED(err);
    if (*image && (!walk->use->key || str_eq(image, walk->use->key))) {
        walk->use->used = true;
        snprintf(walk->use->cluster, sizeof(walk->use->cluster), "%s", walk->cluster);
    }
    arena_release(&arena);
    return 0;
}

static int look_at_cluster(void *context, const char *cluster, const char *folder,
                           const struct value *record, struct err *err)
{
    struct host_walk walk = {context, cluster, folder};

    UNUSED(record);
    return each_folder(folder, look_at_host, &walk, err);
}

static int find_use(struct use *use, struct err *err)
{
    return record_each_cluster(look_at_cluster, use, err);
}

static int remove_when_unused(void *context, const char *key, struct err *err)
{
    struct use use = {.key = key};
    char *path = path_join(LOCAL_IMAGES, key);
    int rc = 0;

    UNUSED(context);
    if (!recipe_has_key(key)) {
        rc = find_use(&use, err);
        if (rc == 0 && !use.used)
            rc = file_remove_tree(path, err);
    }
    free(path);
    return rc;
}

/* --- progress, told by a thread while mmdebstrap runs --- */

struct watch {
    pthread_t thread;
    atomic_bool end;
    struct event_sink *events;
    const struct recipe *recipe;
    char *host;   /* as progress is shown for hosts */
    char *status; /* dpkg's status file in the new root */
};

static int look_at_progress(const struct watch *watch)
{
    struct err ignored = ERR_INIT;
    struct str text;
    int percent = 0;

    str_init(&text, STATUS_MAX_BYTES);
    if (file_read(watch->status, &text, &ignored) < 0)
        err_release(&ignored); /* not there yet */
    else
        percent = recipe_progress(watch->recipe, text.buf);
    str_release(&text);
    return percent;
}

static void *watch_progress(void *context)
{
    struct watch *watch = context;
    int shown = -1;

    while (!atomic_load(&watch->end)) {
        int percent = look_at_progress(watch);

        if (percent / 10 != shown / 10 || shown < 0) {
            struct event event = {.kind = EVENT_HOST,
                                  .stage = "image",
                                  .host = watch->host,
                                  .text = percent ? "installing packages" : "downloading packages",
                                  .done = percent,
                                  .total = 100};

            event_send(watch->events, &event);
            shown = percent;
        }
        for (int i = 0; i < 10 && !atomic_load(&watch->end); i++)
            clock_sleep_ms(LOOK_MS / 10);
    }
    return NULL;
}

static int watch_start(struct watch *watch, const struct provider_session *s, const char *target)
{
    watch->events = s->events;
    watch->recipe = s->recipe;
    watch->host = xasprintf("image.%s", recipe_name(s->recipe));
    watch->status = path_join(target, "var/lib/dpkg/status");
    atomic_init(&watch->end, false);
    return pthread_create(&watch->thread, NULL, watch_progress, watch);
}

static void watch_end(struct watch *watch, int started)
{
    atomic_store(&watch->end, true);
    if (started == 0)
        pthread_join(watch->thread, NULL);
    free(watch->host);
    free(watch->status);
}

/* --- making it --- */

static const char *builder_cgroup(const struct provider_session *s, struct arena *a)
{
    return arena_printf(a, "%s/pgha-image", s->cgroups);
}

static int remove_half_made(void *context, const char *name, struct err *err)
{
    char *path;
    int rc;

    UNUSED(context);
    if (!str_ends(name, HALF_MADE))
        return 0;
    path = path_join(LOCAL_IMAGES, name);
    rc = file_remove_tree(path, err);
    free(path);
    return rc;
}

static int check_space(struct err *err)
{
    struct statvfs fs;
    uint64_t free_mb;

    if (statvfs(LOCAL_IMAGES, &fs) != 0)
        return err_set_errno(err, "%s", LOCAL_IMAGES);
    free_mb = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
    if (free_mb >= SPACE_NEEDED_MB)
        return 0;
    err_set(err, ERR_FAILED, "%s: %llu MB free, the image needs %d MB", LOCAL_IMAGES,
            (unsigned long long)free_mb, SPACE_NEEDED_MB);
    return err_hint(err, "free some space there, or mount a larger disk at it");
}

/* PGHA_MIRROR, or where this machine's own packages come from when it is a Debian. */
static const char *find_mirror(struct arena *a)
{
    static const char *const files[] = {"/etc/apt/sources.list.d/debian.sources",
                                        "/etc/apt/sources.list"};
    const char *chosen = getenv("PGHA_MIRROR");
    char found[512];

    if (chosen && *chosen)
        return chosen;
    if (!file_exists("/etc/debian_version"))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct err ignored = ERR_INIT;
        struct str text;
        bool ok;

        str_init(&text, SOURCES_MAX_BYTES);
        ok = file_read(files[i], &text, &ignored) == 0 &&
             recipe_mirror(text.buf, found, sizeof(found));
        err_release(&ignored);
        str_release(&text);
        if (ok)
            return arena_strdup(a, found);
    }
    return NULL;
}

/* mmdebstrap's own words, in short: proc_run's message has the whole command. */
static int report_failure(const struct str *output, struct err *err)
{
    struct str lines;

    if (err->code == ERR_INTERRUPTED)
        return err_set(err, ERR_INTERRUPTED, "stopped while making the image");
    if (strstr(output->buf, "No space left on device")) {
        err_set(err, ERR_FAILED, "the disk was full before the image was whole");
        return err_hint(err, "make %d MB free at " LOCAL_IMAGES, SPACE_NEEDED_MB);
    }
    if (output->len == 0)
        return -1;
    str_init(&lines, STR_MAX_TEXT);
    recipe_put_last_lines(output->buf, FAILURE_LINES, &lines);
    err_set(err, ERR_FAILED, "mmdebstrap failed, its last lines were:\n%s", lines.buf);
    str_release(&lines);
    return err_hint(err, "packages come from the mirror of this machine's APT sources; "
                         "PGHA_MIRROR=URL takes another");
}

/* In a cgroup, so that all of it can be ended even if this process is killed. */
static int run_mmdebstrap(struct provider_session *s, const char *target, struct err *err)
{
    static const char *const env[] = {"LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", NULL};
    struct arena arena = ARENA_INIT;
    const char *const *command = recipe_command(s->recipe, &arena, target, find_mirror(&arena));
    const char *cgroup = builder_cgroup(s, &arena);
    struct str output;
    struct proc p = {.argv = cgroup_command(&arena, cgroup, command),
                     .env = env,
                     .timeout_ms = BUILD_TIMEOUT_MS,
                     .errout = &output};
    struct watch watch;
    int started, rc;

    str_init(&output, OUTPUT_MAX_BYTES);
    started = watch_start(&watch, s, target);
    rc = cgroup_make(cgroup, err);
    if (rc == 0 && proc_run(&p, err) < 0)
        rc = report_failure(&output, err);
    watch_end(&watch, started);
    str_release(&output);
    arena_release(&arena);
    return rc;
}

/* What a killed builder left: its processes, and its half-made root. */
static int clear_builder(const struct provider_session *s, struct err *err)
{
    struct arena arena = ARENA_INIT;
    const char *cgroup = builder_cgroup(s, &arena);
    int rc = -1;

    if (cgroup_end(cgroup, err) == 0)
        rc = each_folder(LOCAL_IMAGES, remove_half_made, NULL, err);
    arena_release(&arena);
    return rc < 0 ? err_wrap(err, "removing what a killed run left of an image") : 0;
}

static int build(struct provider_session *s, struct err *err)
{
    char *path = path_join(LOCAL_IMAGES, s->image_key);
    char *half_made = xasprintf("%s" HALF_MADE, path);
    struct err ignored = ERR_INIT;
    int rc = -1;

    if (run_mmdebstrap(s, half_made, err) == 0)
        rc = rename(half_made, path) == 0 ? 0 : err_set_errno(err, "%s", path);
    if (clear_builder(s, &ignored) < 0)
        err_release(&ignored); /* the next builder tries again */
    free(half_made);
    free(path);
    return rc;
}

static int remove_old(struct err *err)
{
    if (each_folder(LOCAL_IMAGES, remove_when_unused, NULL, err) < 0)
        return err_wrap(err, "removing old images");
    return 0;
}

/* The builder's lock is held. */
static int build_when_missing(struct provider_session *s, struct err *err)
{
    if (clear_builder(s, err) < 0)
        return -1;
    if (image_exists(s->image_key))
        return 0;
    if (remove_old(err) < 0 || check_space(err) < 0)
        return -1;
    return build(s, err);
}

static int lock_builder(struct provider_session *s, int *fd, struct err *err)
{
    struct event event = {.kind = EVENT_NOTE, .text = "waiting for another run to make the image"};

    if (file_mkdirs(LOCAL_IMAGES, 0755, err) < 0)
        return -1;
    if (lock_take(lock_path, 0, fd, err) == 0)
        return 0;
    if (err->code != ERR_LOCKED)
        return -1;
    err_release(err);
    event_send(s->events, &event);
    return lock_take(lock_path, BUILDER_WAIT_MS, fd, err);
}

static int found_half_made(void *context, const char *name, struct err *err)
{
    UNUSED(err);
    *(bool *)context |= str_ends(name, HALF_MADE);
    return 0;
}

bool image_is_left_half_made(const struct provider_session *s)
{
    struct arena arena = ARENA_INIT;
    struct err ignored = ERR_INIT;
    bool half_made = cgroup_is_populated(builder_cgroup(s, &arena));
    int fd;

    arena_release(&arena);
    if (each_folder(LOCAL_IMAGES, found_half_made, &half_made, &ignored) < 0)
        err_release(&ignored);
    if (!half_made)
        return false;
    if (lock_take(lock_path, 0, &fd, &ignored) < 0) {
        err_release(&ignored); /* whoever holds it is making one */
        return false;
    }
    lock_release(fd);
    return true;
}

int image_purge(struct provider_session *s, struct err *err)
{
    struct use use = {.key = NULL};
    int fd, rc;

    if (!file_is_dir(LOCAL_IMAGES))
        return 0;
    if (lock_builder(s, &fd, err) < 0)
        return -1;
    rc = clear_builder(s, err);
    if (rc == 0)
        rc = find_use(&use, err);
    if (rc == 0 && use.used) {
        err_set(err, ERR_CONFLICT, "the image is still used by cluster '%s'", use.cluster);
        rc = err_hint(err, "bring that one down first");
    }
    if (rc == 0)
        rc = file_remove_tree(LOCAL_IMAGES, err);
    if (rc == 0)
        rmdir("/var/cache/pgha-deploy"); /* stays when something else is in it */
    lock_release(fd);
    return rc;
}

/* --- the kind --- */

static void set_actual(struct resource *r, const char *key)
{
    r->actual = value_map(r->arena);
    value_map_set(r->arena, r->actual, "key", value_str(r->arena, key));
}

static int image_read(void *provider, struct resource *r, struct err *err)
{
    const struct provider_session *s = provider;

    UNUSED(err);
    r->actual = NULL;
    if (r->desired && image_exists(s->image_key))
        set_actual(r, s->image_key);
    else if (!r->desired && image_is_left_half_made(s))
        set_actual(r, "half-made");
    return 0;
}

static int image_create(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    int fd, rc;

    if (lock_builder(s, &fd, err) < 0)
        return -1;
    rc = build_when_missing(s, err);
    lock_release(fd);
    if (rc == 0)
        set_actual(r, s->image_key);
    return rc;
}

/* Of what a killed run left half-made. A whole one is shared: it stays until `down --purge`. */
static int image_destroy(void *provider, struct resource *r, struct err *err)
{
    int fd, rc;

    UNUSED(r);
    if (lock_take(lock_path, 0, &fd, err) < 0) {
        if (err->code != ERR_LOCKED)
            return -1;
        err_release(err); /* another run has begun to make one */
        return 0;
    }
    rc = clear_builder(provider, err);
    lock_release(fd);
    return rc;
}

static const struct attr attrs[] = {{"key", 0}, {NULL, 0}};

const struct resource_kind local_image_kind = {
    .name = "image",
    .attrs = attrs,
    .read = image_read,
    .create = image_create,
    .destroy = image_destroy,
};
