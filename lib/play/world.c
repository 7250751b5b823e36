/*
 * world.c - what is known about one host.
 */
#include "lib/play/world.h"

static const char *const kind_names[NEED_KINDS] = {"path",    "package", "unit",     "user",
                                                   "group",   "sysctl",  "hostname", "facts",
                                                   "pattern", "mount",   "crontab"};

void world_init(struct world *w)
{
    arena_init(&w->arena);
    for (int kind = 0; kind < NEED_KINDS; kind++)
        map_init(&w->entries[kind]);
    map_init(&w->pending_handlers);
}

void world_release(struct world *w)
{
    for (int kind = 0; kind < NEED_KINDS; kind++)
        map_release(&w->entries[kind]);
    map_release(&w->pending_handlers);
    arena_release(&w->arena);
}

static void forget(struct world *w, enum need_kind kind)
{
    map_release(&w->entries[kind]);
    map_init(&w->entries[kind]);
}

void world_forget(struct world *w)
{
    for (int kind = 0; kind < NEED_KINDS; kind++)
        if (kind != NEED_FACTS)
            forget(w, kind);
    w->since_ms = 0;
}

void world_forget_units(struct world *w)
{
    forget(w, NEED_UNIT);
}

/* systemctl takes "x" for "x.service"; a name with another suffix is a unit of that type. */
static bool has_unit_suffix(const char *name)
{
    static const char *const suffixes[] = {".service", ".socket", ".timer",  ".target",
                                           ".mount",   ".path",   ".device", ".automount",
                                           ".swap",    ".slice",  ".scope"};

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        if (str_ends(name, suffixes[i]))
            return true;
    return false;
}

const char *world_key(struct world *w, enum need_kind kind, const char *name)
{
    if (kind == NEED_UNIT && !has_unit_suffix(name))
        return arena_printf(&w->arena, "%s.service", name);
    return kind == NEED_HOSTNAME || kind == NEED_FACTS ? "" : name;
}

void world_set(struct world *w, enum need_kind kind, const char *name, void *state)
{
    map_set(&w->entries[kind], world_key(w, kind, name), state);
}

static void *find(const struct world *w, enum need_kind kind, const char *name)
{
    char *full;
    void *state;

    if (kind == NEED_HOSTNAME || kind == NEED_FACTS)
        return map_get(&w->entries[kind], "");
    if (kind != NEED_UNIT || has_unit_suffix(name))
        return map_get(&w->entries[kind], name);
    full = xasprintf("%s.service", name);
    state = map_get(&w->entries[kind], full);
    free(full);
    return state;
}

/* Is the content there, or is there a reason why it will not be? */
static bool content_settled(const struct path_state *path)
{
    return path->content || path->content_asked || !path->sha256 || path->size > WORLD_MAX_CONTENT;
}

bool world_knows(const struct world *w, const struct need *need)
{
    const struct path_state *path;

    if (need->kind != NEED_PATH)
        return find(w, need->kind, need->name) != NULL;
    path = find(w, NEED_PATH, need->name);
    if (!path)
        return false;
    if (need->want_content)
        return content_settled(path);
    return !need->expect_sha256 || str_eq(need->expect_sha256, path->sha256) ||
           content_settled(path);
}

static void *require(struct world *w, enum need_kind kind, const char *name)
{
    void *state = find(w, kind, name);

    if (!state)
        BUG("%s '%s' is used but was never asked for", kind_names[kind], name);
    return state;
}

struct path_state *world_path(struct world *w, const char *path)
{
    return require(w, NEED_PATH, path);
}

struct package_state *world_package(struct world *w, const char *name)
{
    return require(w, NEED_PACKAGE, name);
}

struct unit_state *world_unit(struct world *w, const char *name)
{
    return require(w, NEED_UNIT, name);
}

struct user_state *world_user(struct world *w, const char *name)
{
    return require(w, NEED_USER, name);
}

struct group_state *world_group(struct world *w, const char *name)
{
    return require(w, NEED_GROUP, name);
}

const char *world_sysctl(struct world *w, const char *name)
{
    return require(w, NEED_SYSCTL, name);
}

const char *world_hostname(struct world *w)
{
    return require(w, NEED_HOSTNAME, "");
}

struct mount_state *world_mount(struct world *w, const char *path)
{
    return require(w, NEED_MOUNT, path);
}

const char *world_crontab(struct world *w, const char *user)
{
    return require(w, NEED_CRONTAB, user);
}

const struct value *world_facts(struct world *w)
{
    return map_get(&w->entries[NEED_FACTS], "");
}
