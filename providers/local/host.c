/*
 * host.c - resource kind "host": a systemd-nspawn container that boots systemd and sshd, in a
 * network namespace of its own on the cluster's bridge.
 *
 * Its disk is an overlay over the image; PostgreSQL's data is on a volume beside it. Making,
 * mending and starting again are one sequence of steps (host_ensure), each of which does only what
 * is missing; so it does not matter where a run was killed, or that the machine was rebooted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/proc.h"
#include "providers/local/local.h"

#define SSH_PORT          22
#define SSH_WITHIN_MS     60000
#define SSH_POLL_MS       20
#define BANNER_WAIT_MS    2000
#define START_WITHIN_MS   5000
#define KEYGEN_TIMEOUT_MS 30000
#define CONSOLE_MAX       ((size_t)16 << 20)
#define CONSOLE_TAIL      1500
#define KEY_MAX           ((size_t)16 << 10)
#define INOTIFY_WANTED    1024 /* a host takes about 5; the kernel's default is 128 */
#define INOTIFY_LIMIT     "/proc/sys/fs/inotify/max_user_instances"
#define ALIAS_SIZE        128

/* NULL when it cannot be read. */
static const struct value *host_record(struct arena *a, const char *host_folder)
{
    struct err ignored = ERR_INIT;
    struct value *record = record_read(a, arena_printf(a, "%s/host.json", host_folder), &ignored);

    err_release(&ignored);
    return record;
}

const char *host_image(struct arena *a, const char *host_folder)
{
    const struct value *record = host_record(a, host_folder);

    return record ? value_get_str(record, "image", "") : "";
}

/* --- the disk --- */

static int make_disk_folders(const struct host_place *p, struct err *err)
{
    if (file_mkdirs(p->folder, 0700, err) < 0)
        return -1;
    if (file_mkdirs(p->upper, 0755, err) < 0) /* becomes the mode of the host's "/" */
        return -1;
    if (file_mkdirs(p->work, 0700, err) < 0)
        return -1;
    return file_mkdirs(p->root, 0755, err);
}

static bool is_db(const struct provider_session *s, const char *name)
{
    vec_each (host, &s->cluster->hosts) {
        if (str_eq(host->name, name))
            return host->is_db;
    }
    return false;
}

/* Where there are no loop devices the host does without. -1: stopped. */
static int try_volume(const struct provider_session *s, const struct host_place *p, bool *has,
                      struct err *err)
{
    struct arena arena = ARENA_INIT;
    const char *like = arena_printf(&arena, "%s" VOLUME_PLACE, image_path(&arena, s->image_key));
    struct err ignored = ERR_INIT;
    int rc = 0;

    *has = volume_make(s->cluster->name, p, like, err) == 0;
    if (!*has && err->code == ERR_INTERRUPTED) {
        rc = -1;
    } else if (!*has) {
        struct event event = {.kind = EVENT_NOTE,
                              .text = arena_printf(&arena,
                                                   "%s has no disk of its own for PostgreSQL, so "
                                                   "the drill cannot fill it: %s",
                                                   p->name, err->text)};

        event_send(s->events, &event);
        err_release(err);
        if (volume_remove(s->cluster->name, p, &ignored) < 0)
            err_release(&ignored);
    }
    arena_release(&arena);
    return rc;
}

/* Once: a newer image is not for a disk that began on an older one, nor is a volume for a host that
 * has its data elsewhere. */
static int write_host_record(const struct provider_session *s, const struct host_place *p,
                             const struct resource *r, struct err *err)
{
    struct value *record;
    bool volume = false;

    if (file_exists(p->record))
        return 0;
    if (is_db(s, p->name) && try_volume(s, p, &volume, err) < 0)
        return -1;
    record = value_map(r->arena);
    value_map_set(r->arena, record, "address", value_get(r->desired, "address"));
    value_map_set(r->arena, record, "image", value_str(r->arena, s->image_key));
    value_map_set(r->arena, record, "volume", value_bool(r->arena, volume));
    return record_write(p->record, record, err);
}

static bool has_volume(const struct host_place *p, struct arena *a)
{
    const struct value *record = host_record(a, p->folder);

    return record && value_get_bool(record, "volume", false);
}

static bool is_mounted(const struct host_place *p)
{
    return mount_is_root(p->root);
}

/* `ip netns add` makes a file and then mounts the namespace on it: when it was killed in between,
 * there is a file and no namespace. */
static bool has_namespace(const struct host_place *p)
{
    return mount_is_root(p->netns);
}

bool host_has_disk(const struct provider_session *s, const char *host)
{
    struct arena arena = ARENA_INIT;
    const char *image = host_image(&arena, arena_printf(&arena, "%s/%s", s->folder, host));
    bool has = *image && image_exists(image);

    arena_release(&arena);
    return has;
}

static int mount_disk(const struct host_place *p, struct arena *a, struct err *err)
{
    const char *image = host_image(a, p->folder), *options;

    if (is_mounted(p))
        return 0;
    if (!image_exists(image)) {
        err_set(err, ERR_FAILED, "the image '%s' that host %s was made from is gone", image,
                p->name);
        return err_hint(err, "its disk is of no use without: run `down`, then `up`");
    }
    options = arena_printf(a, "lowerdir=%s,upperdir=%s,workdir=%s", image_path(a, image), p->upper,
                           p->work);
    if (mount("overlay", p->root, "overlay", 0, options) == 0)
        return 0;
    if (errno == ENODEV || errno == EINVAL) {
        err_set_errno(err, "mounting the overlay %s", p->root);
        return err_hint(err, "the kernel needs overlayfs, and " LOCAL_CLUSTERS
                             " a file system such as ext4 or xfs");
    }
    return err_set_errno(err, "mounting the overlay %s", p->root);
}

/* --- what is planted in it --- */

static int make_host_key(const struct host_place *p, struct err *err)
{
    char *half = xasprintf("%s.new", p->host_key), *half_pub = xasprintf("%s.pub", half);
    char *pub = xasprintf("%s.pub", p->host_key);
    const char *argv[] = {"ssh-keygen", "-q",  "-t", "ed25519", "-N", "",
                          "-C",         p->id, "-f", half,      NULL};
    struct proc keygen = {.argv = argv, .timeout_ms = KEYGEN_TIMEOUT_MS};
    int rc = 0;

    if (!file_exists(p->host_key)) {
        unlink(half); /* a killed run's: ssh-keygen would ask */
        rc = proc_run(&keygen, err);
        if (rc == 0 && (rename(half_pub, pub) != 0 || rename(half, p->host_key) != 0))
            rc = err_set_errno(err, "%s", p->host_key);
    }
    free(half);
    free(half_pub);
    free(pub);
    return rc;
}

static int read_login_key(const struct provider_session *s, struct str *key, struct err *err)
{
    char *path = path_join(s->state_dir, "id_ed25519.pub");
    int rc = file_read(path, key, err);

    free(path);
    return rc;
}

/* Copies a file of ours into the host. */
static int plant_copy(const struct host_place *p, const char *from, const char *to, mode_t mode,
                      struct err *err)
{
    struct str text;
    int rc;

    str_init(&text, KEY_MAX);
    rc = file_read(from, &text, err);
    if (rc == 0)
        rc = plant_file(p->root, to, text.buf, text.len, mode, err);
    str_release(&text);
    return rc;
}

static const char login_keys_path[] = "etc/ssh/authorized_keys.d/root";

static int plant_keys(const struct provider_session *s, const struct host_place *p, struct err *err)
{
    char *login_key = path_join(s->state_dir, "id_ed25519.pub");
    char *pub = xasprintf("%s.pub", p->host_key);
    int rc = -1;

    if (make_host_key(p, err) == 0 &&
        plant_copy(p, p->host_key, "etc/ssh/ssh_host_ed25519_key", 0600, err) == 0 &&
        plant_copy(p, pub, "etc/ssh/ssh_host_ed25519_key.pub", 0644, err) == 0)
        rc = plant_copy(p, login_key, login_keys_path, 0644, err);
    free(login_key);
    free(pub);
    return rc;
}

/* A name for what belongs to the host from its first boot on; later it may change all of them. */
static int plant_identity(const struct host_place *p, const char *address, struct arena *a,
                          struct err *err)
{
    const char *hostname = arena_printf(a, "%s\n", p->name);
    const char *hosts = arena_printf(a, "127.0.0.1 localhost\n::1 localhost\n%.*s %s\n",
                                     (int)strcspn(address, "/"), address, p->name);
    unsigned char id[16];
    struct str text;
    int rc;

    str_init(&text, STR_MAX_TEXT);
    random_bytes(id, sizeof(id));
    id[6] = (id[6] & 0x0f) | 0x40; /* machine-id(5): a version 4 UUID, without the dashes */
    id[8] = (id[8] & 0x3f) | 0x80;
    for (size_t i = 0; i < sizeof(id); i++)
        str_printf(&text, "%02x", id[i]);
    str_putc(&text, '\n');
    rc = plant_file(p->root, "etc/hostname", hostname, strlen(hostname), 0644, err);
    if (rc == 0)
        rc = plant_file(p->root, "etc/hosts", hosts, strlen(hosts), 0644, err);
    if (rc == 0) /* last: it tells that the rest is there */
        rc = plant_file(p->root, "etc/machine-id", text.buf, text.len, 0444, err);
    str_release(&text);
    return rc;
}

static int plant(const struct provider_session *s, const struct host_place *p, const char *address,
                 struct arena *a, struct err *err)
{
    int rc = 0;

    if (plant_is_there(p->root, "etc/machine-id", "", 0))
        rc = plant_identity(p, address, a, err);
    if (rc == 0)
        rc = plant_keys(s, p, err);
    return rc < 0 ? err_wrap(err, "preparing the disk of %s", p->name) : 0;
}

/* --- the network --- */

static void put_link_commands(const struct provider_session *s, const struct host_place *p,
                              struct str *commands)
{
    char mac[MAC_SIZE];

    local_mac(p->id, mac);
    /* A link whose namespace was taken away is gone as well; one that is left has lost its peer's
     * address only when a run was killed between these lines, which the other batch mends. */
    if (!link_exists(p->link))
        str_printf(commands, "link add name %s type veth peer name eth0 address %s netns %s\n",
                   p->link, mac, p->id);
    str_printf(commands, "link set dev %s alias \"pgha %s/%s\"\n", p->link, s->cluster->name,
               p->name);
    if (!link_is_in_bridge(p->link, s->bridge))
        str_printf(commands, "link set dev %s master %s\n", p->link, s->bridge);
    str_printf(commands, "link set dev %s up\n", p->link);
}

static int join_network(const struct provider_session *s, const struct host_place *p,
                        const char *address, struct err *err)
{
    struct str outside, inside;
    int rc;

    str_init(&outside, STR_MAX_TEXT);
    str_init(&inside, STR_MAX_TEXT);
    if (!has_namespace(p))
        str_printf(&outside, "netns add %s\n", p->id);
    put_link_commands(s, p, &outside);
    /* "replace": the same again is no error. */
    str_printf(&inside, "address replace %s dev eth0\nlink set dev lo up\nlink set dev eth0 up\n",
               address);
    rc = ip_batch(NULL, &outside, err);
    if (rc == 0)
        rc = ip_batch(p->id, &inside, err);
    str_release(&outside);
    str_release(&inside);
    return rc < 0 ? err_wrap(err, "connecting %s to the network", p->name) : 0;
}

static int PRINTF_LIKE(2, 3) run_ip(struct err *err, const char *fmt, ...)
{
    struct str command;
    va_list args;
    int rc;

    str_init(&command, STR_MAX_TEXT);
    va_start(args, fmt);
    str_vprintf(&command, fmt, args);
    va_end(args);
    rc = ip_batch(NULL, &command, err);
    str_release(&command);
    return rc;
}

/* The kernel takes links down some time after their namespace went: it is no fault when it is
 * first. A namespace that was half made is a file, which ip removes as well. */
static int leave_network(const struct host_place *p, struct err *err)
{
    if (link_exists(p->link) && run_ip(err, "link delete dev %s\n", p->link) < 0) {
        if (link_exists(p->link))
            return -1;
        err_release(err);
    }
    return file_exists(p->netns) ? run_ip(err, "netns delete %s\n", p->id) : 0;
}

/* --- running --- */

static int read_limit(struct err *err)
{
    struct str text;
    int limit = -1;

    str_init(&text, 64);
    if (file_read(INOTIFY_LIMIT, &text, err) == 0)
        limit = atoi(text.buf);
    str_release(&text);
    return limit;
}

static int write_limit(struct err *err)
{
    int fd = open(INOTIFY_LIMIT, O_WRONLY | O_CLOEXEC);
    int rc = 0;

    if (fd < 0 || dprintf(fd, "%d\n", INOTIFY_WANTED) < 0)
        rc = err_set_errno(err, INOTIFY_LIMIT);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* Only until the next boot of this machine, and never lowered again: others may count on it. */
static int raise_limits(struct provider_session *s, struct err *err)
{
    int limit, rc = 0;

    pthread_mutex_lock(&s->limits);
    limit = read_limit(err);
    if (limit < 0) {
        rc = -1;
    } else if (limit < INOTIFY_WANTED && (rc = write_limit(err)) == 0) {
        char *text = xasprintf("raised this machine's fs.inotify.max_user_instances from %d to %d",
                               limit, INOTIFY_WANTED);
        struct event event = {.kind = EVENT_NOTE, .text = text};

        event_send(s->events, &event);
        free(text);
    }
    pthread_mutex_unlock(&s->limits);
    return rc;
}

/* Until the new process is in the cgroup, so that from then on the cgroup tells whether it runs. */
static int wait_until_started(const struct host_place *p, pid_t pid, struct err *err)
{
    int64_t deadline = clock_mono_ms() + START_WITHIN_MS;

    while (!cgroup_is_populated(p->cgroup)) {
        struct timespec pause = {.tv_nsec = 1000000L};

        if (proc_start_time(pid) == 0 || clock_mono_ms() > deadline)
            return err_set(err, ERR_FAILED, "systemd-nspawn did not start; see %s", p->console);
        nanosleep(&pause, NULL);
    }
    return 0;
}

/*
 * systemd-nspawn(1), started in the host's cgroup, because it makes the container's cgroup below
 * the one it finds itself in. The environment (systemd's docs/ENVIRONMENT.md): /proc/sys/net
 * belongs to the host's own namespace, so it may write there; nspawn's own locks would outlast a
 * SIGKILL.
 */
static int boot(const struct host_place *p, struct arena *a, struct err *err)
{
    static const char *const env[] = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1",
                                      "SYSTEMD_NSPAWN_API_VFS_WRITABLE=network",
                                      "SYSTEMD_NSPAWN_LOCK=0", NULL};
    const char *bind = arena_printf(a, "--bind=%s:" VOLUME_PLACE, p->volume);
    const char *const command[] = {"systemd-nspawn",
                                   "--quiet",
                                   "--settings=no",
                                   "--directory",
                                   p->root,
                                   "--machine",
                                   p->id,
                                   arena_printf(a, "--hostname=%s", p->name),
                                   arena_printf(a, "--network-namespace-path=%s", p->netns),
                                   "--boot",
                                   "--register=no",
                                   "--keep-unit",
                                   "--capability=CAP_NET_ADMIN,CAP_NET_RAW",
                                   "--resolv-conf=off",
                                   "--timezone=off",
                                   "--link-journal=no",
                                   has_volume(p, a) ? bind : NULL,
                                   NULL};
    pid_t pid;

    if (unlink(p->console) != 0 && errno != ENOENT)
        return err_set_errno(err, "%s", p->console);
    /* Never a group that was killed before: the kernel counts kills in each group, and what is
     * cloned from one into another whose count differs (systemd starts its services so) dies at
     * once. */
    if (cgroup_end(p->cgroup, err) < 0 || cgroup_make(p->cgroup, err) < 0 ||
        proc_spawn(cgroup_command(a, p->cgroup, command), env, p->console, &pid, err) < 0)
        return -1;
    return wait_until_started(p, pid, err);
}

/* Mount points that nspawn keeps for a machine's name and that a SIGKILL leaves. */
static void remove_nspawn_traces(const struct host_place *p)
{
    static const char *const folders[] = {"/run/systemd/nspawn/propagate",
                                          "/run/systemd/nspawn/unix-export"};

    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        char *path = path_join(folders[i], p->id);

        umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
        rmdir(path);
        free(path);
    }
}

/* As if the plug was pulled: the network first, so that nothing gets out while it dies. */
static int pull_plug(const struct host_place *p, struct err *err)
{
    if (link_exists(p->link) && link_set_up(p->link, false, err) < 0)
        return -1;
    if (cgroup_end(p->cgroup, err) < 0)
        return -1;
    remove_nspawn_traces(p);
    return 0;
}

static int start(struct provider_session *s, const struct host_place *p, const char *address,
                 struct arena *a, struct err *err)
{
    /* A host that runs in a namespace without a name cannot be reached any more: it has to boot
     * into the new one. */
    if (!has_namespace(p) && cgroup_is_populated(p->cgroup) && pull_plug(p, err) < 0)
        return -1;
    /* The kernel's network outlives the host in its namespace; a host that boots has no addresses
     * and no rules of its last life. A balancer would else answer for the VIP that it lost. */
    if (!cgroup_is_populated(p->cgroup) && leave_network(p, err) < 0)
        return -1;
    if (has_volume(p, a) && volume_mount(s->cluster->name, p, err) < 0)
        return -1;
    if (mount_disk(p, a, err) < 0 || plant(s, p, address, a, err) < 0 ||
        join_network(s, p, address, err) < 0)
        return -1;
    if (cgroup_is_populated(p->cgroup))
        return 0;
    if (raise_limits(s, err) < 0 || boot(p, a, err) < 0)
        return err_wrap(err, "starting %s", p->name);
    return 0;
}

/* --- waiting for SSH --- */

/* Bound to the bridge: were it gone, nothing of this would leave through another interface. */
static int open_socket(const struct provider_session *s)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, s->bridge,
                              (socklen_t)strlen(s->bridge) + 1) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool connected(int fd, const struct sockaddr_in *to)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    int number = 0;
    socklen_t len = sizeof(number);

    if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0)
        return true;
    return errno == EINPROGRESS && poll(&ready, 1, BANNER_WAIT_MS) == 1 &&
           getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len) == 0 && number == 0;
}

static bool ssh_answers(const struct provider_session *s, const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(SSH_PORT)};
    int fd = open_socket(s);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char banner[4];
    bool answers;

    if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1)
        return false;
    answers = connected(fd, &to) && poll(&ready, 1, BANNER_WAIT_MS) == 1 &&
              read(fd, banner, sizeof(banner)) == (ssize_t)sizeof(banner) &&
              memcmp(banner, "SSH-", sizeof(banner)) == 0;
    close(fd);
    return answers;
}

/* The end of what the host wrote to its console, for a message. */
static char *console_tail(const struct host_place *p)
{
    struct err ignored = ERR_INIT;
    struct str text;
    char *tail;

    str_init(&text, CONSOLE_MAX);
    if (file_read(p->console, &text, &ignored) < 0)
        err_release(&ignored);
    str_trim_end(&text);
    tail = xstrdup(text.len > CONSOLE_TAIL ? text.buf + text.len - CONSOLE_TAIL : text.buf);
    str_release(&text);
    return tail;
}

static int report_silence(const struct host_place *p, struct err *err)
{
    bool runs = cgroup_is_populated(p->cgroup);
    char *tail = console_tail(p);

    if (runs)
        err_set(err, ERR_TIMEOUT, "%s does not answer on SSH after %d s; its console:\n%s", p->name,
                SSH_WITHIN_MS / 1000, tail);
    else
        err_set(err, ERR_FAILED, "%s stopped while starting; its console:\n%s", p->name, tail);
    free(tail);
    return err_hint(err, "the whole console: %s", p->console);
}

static int wait_for_ssh(const struct provider_session *s, const char *host, const char *address,
                        struct err *err)
{
    int64_t deadline = clock_mono_ms() + SSH_WITHIN_MS;
    struct host_place place;

    host_place_init(&place, s, host);
    while (!ssh_answers(s, address)) {
        if (clock_stop_requested())
            return err_set(err, ERR_INTERRUPTED, "stopped while waiting for %s", host);
        if (clock_mono_ms() > deadline || !cgroup_is_populated(place.cgroup))
            return report_silence(&place, err);
        clock_sleep_ms(SSH_POLL_MS);
    }
    return 0;
}

/* --- finding hosts --- */

struct finding {
    const struct provider_session *s;
    struct arena *arena;
    host_names *names;
};

static void add_name(struct finding *f, const char *name)
{
    vec_each (known, f->names) {
        if (str_eq(*known, name))
            return;
    }
    vec_push(f->names, arena_strdup(f->arena, name));
}

static int found_folder(void *context, const char *name, struct err *err)
{
    UNUSED(err);
    add_name(context, name);
    return 0;
}

static int found_id(void *context, const char *name, struct err *err)
{
    struct finding *f = context;
    const char *host = local_host_of_id(name, f->s->cluster->name);

    UNUSED(err);
    if (host)
        add_name(f, host);
    return 0;
}

static void find_links(struct finding *f)
{
    struct if_nameindex *links = if_nameindex();

    for (struct if_nameindex *link = links; link && link->if_name; link++) {
        char alias[ALIAS_SIZE];
        const char *host;

        if (!str_starts(link->if_name, "pghv-"))
            continue;
        link_alias(link->if_name, alias, sizeof(alias));
        host = local_host_of_alias(alias, f->s->cluster->name);
        if (host)
            add_name(f, host);
    }
    if (links)
        if_freenameindex(links);
}

static int found_volume(void *context, const char *host, struct err *err)
{
    UNUSED(err);
    add_name(context, host);
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int host_list(const struct provider_session *s, struct arena *a, host_names *out, struct err *err)
{
    struct finding f = {s, a, out};

    if (each_folder(s->folder, found_folder, &f, err) < 0 ||
        each_entry(s->cgroups, found_id, &f, err) < 0 ||
        each_entry(LOCAL_NETNS, found_id, &f, err) < 0 ||
        volume_each(s->cluster->name, found_volume, &f, err) < 0)
        return -1;
    find_links(&f);
    if (out->n > 1)
        qsort(out->items, out->n, sizeof(*out->items), compare_names);
    return 0;
}

static bool exists(const struct provider_session *s, const struct host_place *p)
{
    return file_exists(p->folder) || file_exists(p->netns) || link_exists(p->link) ||
           file_exists(p->cgroup) || volume_is_attached(s->cluster->name, p->name);
}

/* --- power and cable --- */

static int find_host(const struct provider_session *s, const char *name, struct host_place *place,
                     struct err *err)
{
    host_place_init(place, s, name);
    if (file_exists(place->record))
        return 0;
    return err_set(err, ERR_FAILED, "host %s does not exist", name);
}

int host_power(struct provider_session *s, const char *host, bool on, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct host_place place;
    int rc = -1;

    if (find_host(s, host, &place, err) < 0)
        return -1;
    if (!on) {
        rc = pull_plug(&place, err);
    } else {
        struct value *record = record_read(&arena, place.record, err);

        if (record)
            rc = start(s, &place, value_get_str(record, "address", ""), &arena, err);
    }
    arena_release(&arena);
    return rc;
}

int host_cut(struct provider_session *s, const char *host, bool cut, struct err *err)
{
    struct host_place place;

    if (find_host(s, host, &place, err) < 0)
        return -1;
    return link_set_up(place.link, !cut, err);
}

/* --- the kind --- */

static bool login_key_is_planted(const struct provider_session *s, const struct host_place *p)
{
    struct err ignored = ERR_INIT;
    struct str key;
    bool planted;

    str_init(&key, KEY_MAX);
    planted = read_login_key(s, &key, &ignored) == 0 &&
              plant_is_there(is_mounted(p) ? p->root : p->upper, login_keys_path, key.buf, key.len);
    err_release(&ignored);
    str_release(&key);
    return planted;
}

static int host_read(void *provider, struct resource *r, struct err *err)
{
    const struct provider_session *s = provider;
    struct host_place p;
    struct value *record, *actual;
    bool runs;

    host_place_init(&p, s, r->name);
    r->actual = NULL;
    if (!exists(s, &p))
        return 0;
    record = record_read(r->arena, p.record, err);
    if (!record)
        return -1;
    runs = cgroup_is_populated(p.cgroup);
    actual = value_map(r->arena);
    value_map_set(r->arena, actual, "address",
                  value_str(r->arena, value_get_str(record, "address", "")));
    value_map_set(r->arena, actual, "image",
                  value_str(r->arena, value_get_str(record, "image", "")));
    value_map_set(r->arena, actual, "running", value_bool(r->arena, runs));
    value_map_set(r->arena, actual, "connected",
                  value_bool(r->arena, link_is_up(p.link) && link_is_in_bridge(p.link, s->bridge)));
    value_map_set(r->arena, actual, "login_key", value_bool(r->arena, login_key_is_planted(s, &p)));
    r->actual = actual;
    return 0;
}

/* The record is written before a disk is used, and removed before the disk is: without one, what is
 * there is half of a host that was being removed. */
static int clear_remains(const struct host_place *p, struct err *err)
{
    return file_exists(p->record) ? 0 : file_remove_tree(p->folder, err);
}

static int host_ensure(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    struct host_place p;

    host_place_init(&p, s, r->name);
    if (clear_remains(&p, err) < 0 || make_disk_folders(&p, err) < 0 ||
        write_host_record(s, &p, r, err) < 0 ||
        start(s, &p, value_get_str(r->desired, "address", ""), r->arena, err) < 0)
        return -1;
    return host_read(provider, r, err);
}

/* Before what it tells of: a run that goes on after this one was killed makes the host anew. */
static int remove_host_record(const struct host_place *p, struct err *err)
{
    if (unlink(p->record) != 0 && errno != ENOENT)
        return err_set_errno(err, "%s", p->record);
    return 0;
}

static int host_destroy(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    struct host_place p;

    host_place_init(&p, s, r->name);
    if (pull_plug(&p, err) < 0 || mount_remove(p.root, err) < 0 ||
        remove_host_record(&p, err) < 0 || volume_remove(s->cluster->name, &p, err) < 0 ||
        leave_network(&p, err) < 0 || file_remove_tree(p.folder, err) < 0)
        return err_wrap(err, "removing %s", p.name);
    r->actual = NULL;
    return 0;
}

static int host_wait(void *provider, struct resource *r, struct err *err)
{
    const char *address = value_get_str(r->desired, "address", "");
    struct provider_session *s = provider;
    struct host_place p;
    char bare[INET_ADDRSTRLEN];

    snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(address, "/"), address);
    host_place_init(&p, s, r->name);
    if (wait_for_ssh(s, r->name, bare, err) == 0)
        return 0;
    if (clock_stop_requested() || cgroup_is_populated(p.cgroup))
        return -1;
    /* It was seen to run while a `down` that was killed had just pulled its plug. */
    err_release(err);
    return start(s, &p, address, r->arena, err) < 0 ? -1 : wait_for_ssh(s, r->name, bare, err);
}

static const struct attr attrs[] = {{"address", ATTR_REPLACE}, {"image", ATTR_COMPUTED},
                                    {"running", ATTR_REACH},   {"connected", ATTR_REACH},
                                    {"login_key", ATTR_REACH}, {NULL, 0}};

const struct resource_kind local_host_kind = {
    .name = "host",
    .is_host = true,
    .attrs = attrs,
    .read = host_read,
    .create = host_ensure,
    .update = host_ensure,
    .destroy = host_destroy,
    .wait = host_wait,
};
