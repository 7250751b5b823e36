/*
 * local.c - provider "local": a cluster of real hosts on this machine, for trying and for drills.
 *
 * A bridge, and on it systemd-nspawn containers over one cached image; see local.h for what is
 * where. Nothing of the machine's own is changed but the limit fs.inotify.max_user_instances.
 */
#include <limits.h>
#include <unistd.h>

#include "lib/base/proc.h"
#include "providers/local/local.h"

#define KEY_MAX_BYTES ((size_t)4 << 10)

/* --- open --- */

static int check_programs(struct err *err)
{
    static const struct {
        const char *program, *package;
    } needed[] = {{"mmdebstrap", "mmdebstrap"},
                  {"systemd-nspawn", "systemd-container"},
                  {"ip", "iproute2"},
                  {"ssh-keygen", "openssh-client"}};
    struct str programs, packages;
    char path[PATH_MAX];
    int rc = 0;

    str_init(&programs, STR_MAX_TEXT);
    str_init(&packages, STR_MAX_TEXT);
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        if (proc_find_program(needed[i].program, path, sizeof(path)))
            continue;
        str_printf(&programs, "%s%s", programs.len ? ", " : "", needed[i].program);
        str_printf(&packages, " %s", needed[i].package);
    }
    if (programs.len) {
        err_set(err, ERR_FAILED, "provider local: missing programs: %s", programs.buf);
        rc = err_hint(err, "apt-get install%s", packages.buf);
    }
    str_release(&programs);
    str_release(&packages);
    return rc;
}

static int check_machine(struct err *err)
{
    if (geteuid() != 0) {
        err_set(err, ERR_DENIED, "provider local: making hosts on this machine needs root");
        return err_hint(err, "run it as root, for example with sudo");
    }
    if (!cgroup_mount())
        return err_set(err, ERR_FAILED,
                       "provider local: no cgroup version 2 at /sys/fs/cgroup or "
                       "/sys/fs/cgroup/unified");
    return check_programs(err);
}

/* Two files must not share a name; a file that moved, or was lost, leaves its cluster to the next.
 */
static int check_owner(const struct provider_session *s, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct value *record = record_read(&arena, s->record, err);
    const char *owner = record ? value_get_str(record, "file", s->file) : NULL;
    int rc = record ? 0 : -1;

    if (owner && !str_eq(owner, s->file) && file_exists(owner)) {
        err_set(err, ERR_CONFLICT, "cluster '%s' on this machine belongs to %s", s->cluster->name,
                owner);
        rc = err_hint(err, "use that file, or give this cluster another name");
    }
    arena_release(&arena);
    return rc;
}

static const struct recipe *choose_recipe(const struct cluster *c, struct err *err)
{
    const struct value *wanted = value_get(c->config, "provider");
    const char *image = value_get_str(wanted, "image", "full");
    const char *release = value_get_str(wanted, "release", "trixie");
    const struct recipe *recipe = recipe_find(image, release);

    if (!recipe) {
        err_set(err, ERR_INPUT, "provider local: there is no %s image of %s", image, release);
        err_hint(err, "set provider.image to bare, or leave provider.release out");
    }
    return recipe;
}

static void local_close(struct provider_session *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->limits);
    arena_release(&s->arena);
    free(s);
}

static struct provider_session *session_new(const struct cluster *c, const struct recipe *recipe,
                                            const char *state_dir, struct event_sink *events)
{
    struct provider_session *s = xcalloc(1, sizeof(*s));
    char *resolved = realpath(c->file, NULL);

    arena_init(&s->arena);
    pthread_mutex_init(&s->limits, NULL);
    s->cluster = c;
    s->file = arena_strdup(&s->arena, resolved ? resolved : c->file);
    s->state_dir = arena_strdup(&s->arena, state_dir);
    s->events = events;
    s->folder = arena_printf(&s->arena, "%s/%s", LOCAL_CLUSTERS, c->name);
    s->record = arena_printf(&s->arena, "%s/cluster.json", s->folder);
    s->cgroups = cgroup_mount();
    local_bridge_name(c->name, s->bridge);
    s->recipe = recipe;
    recipe_key(recipe, s->image_key);
    free(resolved);
    return s;
}

static int local_open(const struct cluster *c, const char *state_dir, struct event_sink *events,
                      struct provider_session **out, struct err *err)
{
    const struct recipe *recipe = choose_recipe(c, err);
    struct provider_session *s;

    if (!recipe || check_machine(err) < 0)
        return -1;
    s = session_new(c, recipe, state_dir, events);
    if (check_owner(s, err) < 0) {
        local_close(s);
        return -1;
    }
    *out = s;
    return 0;
}

/* --- what should be, and what is --- */

/* A changed recipe makes a new image only when there is a host to be made from it. */
static bool needs_image(const struct provider_session *s)
{
    vec_each (host, &s->cluster->hosts) {
        if (!host_has_disk(s, host->name))
            return true;
    }
    return image_exists(s->image_key);
}

static void want_image(const struct provider_session *s, struct plan *p)
{
    struct resource *r;

    if (!needs_image(s))
        return;
    r = plan_add(p, &local_image_kind, recipe_name(s->recipe));
    r->desired = value_map(r->arena);
    value_map_set(r->arena, r->desired, "key", value_str(r->arena, s->image_key));
}

static void want_bridge(const struct provider_session *s, struct plan *p)
{
    struct resource *r = plan_add(p, &local_bridge_kind, s->cluster->name);

    r->desired = value_map(r->arena);
    value_map_set(r->arena, r->desired, "cidr", value_str(r->arena, s->cluster->cidr));
    value_map_set(r->arena, r->desired, "gateway", value_str(r->arena, s->cluster->gateway));
    value_map_set(r->arena, r->desired, "up", value_bool(r->arena, true));
}

static void want_host(const struct provider_session *s, struct plan *p,
                      const struct cluster_host *host)
{
    struct resource *r = plan_add(p, &local_host_kind, host->name);

    r->desired = value_map(r->arena);
    value_map_set(r->arena, r->desired, "address",
                  value_strf(r->arena, "%s/%d", host->address, s->cluster->prefix));
    value_map_set(r->arena, r->desired, "running", value_bool(r->arena, true));
    value_map_set(r->arena, r->desired, "connected", value_bool(r->arena, true));
    value_map_set(r->arena, r->desired, "login_key", value_bool(r->arena, true));
    plan_need(p, r, "bridge", s->cluster->name);
    if (!host_has_disk(s, host->name))
        plan_need(p, r, "image", recipe_name(s->recipe));
}

/* A newer image is for new hosts; whoever wants it for old ones has to make them again. */
static void tell_old_images(const struct provider_session *s)
{
    struct arena arena = ARENA_INIT;
    size_t old = 0;

    vec_each (host, &s->cluster->hosts) {
        const char *key = host_image(&arena, arena_printf(&arena, "%s/%s", s->folder, host->name));

        old += *key && !str_eq(key, s->image_key);
    }
    if (old) {
        struct event event = {
            .kind = EVENT_NOTE,
            .text =
                arena_printf(&arena, "%zu hosts keep the older image they were made from", old)};

        event_send(s->events, &event);
    }
    arena_release(&arena);
}

static int local_desire(struct provider_session *s, struct plan *p, struct err *err)
{
    if (network_check_free(s, err) < 0)
        return -1;
    want_image(s, p);
    want_bridge(s, p);
    vec_each (host, &s->cluster->hosts)
        want_host(s, p, host);
    tell_old_images(s);
    return 0;
}

static int local_discover(struct provider_session *s, struct plan *p, struct err *err)
{
    host_names hosts = VEC_INIT;
    int rc = host_list(s, &p->arena, &hosts, err);

    if (rc == 0 && image_is_left_half_made(s) && !plan_find(p, "image", recipe_name(s->recipe)))
        plan_add(p, &local_image_kind, recipe_name(s->recipe));
    /* With a host there is a bridge to be after, be it only for its record. */
    if (rc == 0 && (hosts.n || bridge_is_there(s)) && !plan_find(p, "bridge", s->cluster->name))
        plan_add(p, &local_bridge_kind, s->cluster->name);
    for (size_t i = 0; rc == 0 && i < hosts.n; i++) {
        if (!plan_find(p, "host", hosts.items[i]))
            plan_need(p, plan_add(p, &local_host_kind, hosts.items[i]), "bridge", s->cluster->name);
    }
    vec_release(&hosts);
    return rc;
}

static int local_leftovers(struct provider_session *s, struct plan *p, struct err *err)
{
    network_drop_lock();
    return local_discover(s, p, err);
}

/* --- host keys --- */

static int put_host_key(const struct provider_session *s, const struct cluster_host *host,
                        struct str *known_hosts, struct err *err)
{
    struct host_place place;
    struct str key;
    char *path;
    int rc;

    host_place_init(&place, s, host->name);
    path = xasprintf("%s.pub", place.host_key);
    str_init(&key, KEY_MAX_BYTES);
    rc = file_read(path, &key, err);
    str_trim_end(&key);
    if (rc == 0)
        str_printf(known_hosts, "%s,%s %s\n", host->name, host->address, key.buf);
    str_release(&key);
    free(path);
    return rc;
}

static int local_host_keys(struct provider_session *s, struct str *known_hosts, struct err *err)
{
    vec_each (host, &s->cluster->hosts) {
        if (put_host_key(s, host, known_hosts, err) < 0)
            return err_wrap(err, "host key of %s", host->name);
    }
    return 0;
}

static const struct resource_kind *const kinds[] = {&local_image_kind, &local_bridge_kind,
                                                    &local_host_kind, NULL};

const struct provider provider_local = {
    .name = "local",
    .summary = "hosts on this machine: containers that boot systemd and sshd",
    .can = PROVIDER_CAN_POWER | PROVIDER_CAN_CUT,
    .kinds = kinds,
    .open = local_open,
    .close = local_close,
    .desire = local_desire,
    .discover = local_discover,
    .host_keys = local_host_keys,
    .leftovers = local_leftovers,
    .purge = image_purge,
    .power = host_power,
    .cut = host_cut,
};
