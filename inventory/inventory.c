/*
 * inventory.c - the model: hosts, groups, who is in what.
 *
 * Only what a source said is stored. That orphan groups are children of all, and that hosts in no
 * group are in ungrouped, is worked out when asked: Ansible decides it after the last source, too.
 */
#include "inventory/internal.h"

static struct inventory_group *group_new(struct inventory *inv, const char *name)
{
    struct inventory_group *group = arena_new(&inv->arena, struct inventory_group);

    group->name = arena_strdup(&inv->arena, name);
    group->vars = value_map(&inv->arena);
    group->file_vars = value_map(&inv->arena);
    group->near_vars = value_map(&inv->arena);
    group->priority = INVENTORY_FIRST_PRIORITY;
    group->depth = 1;
    map_init(&group->hosts);
    map_init(&group->children);
    map_init(&group->parents);
    map_set(&inv->groups, group->name, group);
    return group;
}

static void group_link(struct inventory_group *parent, struct inventory_group *child)
{
    map_set(&parent->children, child->name, child);
    map_set(&child->parents, parent->name, parent);
}

void inventory_init(struct inventory *inv)
{
    struct inventory_group *all;

    *inv = (struct inventory){.names_read = 0};
    arena_init(&inv->arena);
    map_init(&inv->hosts);
    map_init(&inv->groups);
    all = group_new(inv, "all");
    all->depth = 0;
    group_link(all, group_new(inv, "ungrouped"));
}

void inventory_release(struct inventory *inv)
{
    for (size_t i = 0; i < inv->groups.n; i++) {
        struct inventory_group *group = inv->groups.entries[i].value;

        map_release(&group->hosts);
        map_release(&group->children);
        map_release(&group->parents);
    }
    for (size_t i = 0; i < inv->hosts.n; i++)
        map_release(&((struct inventory_host *)inv->hosts.entries[i].value)->groups);
    map_release(&inv->hosts);
    map_release(&inv->groups);
    arena_release(&inv->arena);
}

struct inventory_group *inventory_all(const struct inventory *inv)
{
    return map_get(&inv->groups, "all");
}

struct inventory_group *inventory_ungrouped(const struct inventory *inv)
{
    return map_get(&inv->groups, "ungrouped");
}

struct inventory_group *inventory_group(struct inventory *inv, const char *name)
{
    struct inventory_group *group = map_get(&inv->groups, name);

    return group ? group : group_new(inv, name);
}

struct inventory_host *inventory_host(struct inventory *inv, const char *name)
{
    struct inventory_host *host = map_get(&inv->hosts, name);

    if (host)
        return host;
    host = arena_new(&inv->arena, struct inventory_host);
    host->name = arena_strdup(&inv->arena, name);
    host->vars = value_map(&inv->arena);
    host->file_vars = value_map(&inv->arena);
    map_init(&host->groups);
    map_set(&inv->hosts, host->name, host);
    return host;
}

void inventory_add_host(struct inventory *inv, struct inventory_group *group,
                        struct inventory_host *host)
{
    UNUSED(inv);
    map_set(&group->hosts, host->name, host);
    map_set(&host->groups, group->name, group);
}

/* Adds the parents of every group in `set` to it, up to all. The set is its own work list. */
static void add_ancestors(const struct inventory *inv, struct map *set)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct inventory_group *group = set->entries[i].value;

        for (size_t k = 0; k < group->parents.n; k++) {
            if (!map_has(set, group->parents.entries[k].key))
                map_set(set, group->parents.entries[k].key, group->parents.entries[k].value);
        }
    }
    map_set(set, "all", inventory_all(inv));
}

static bool is_ancestor(const struct inventory *inv, struct inventory_group *above,
                        struct inventory_group *group)
{
    struct map set;
    bool found;

    map_init(&set);
    map_set(&set, group->name, group);
    add_ancestors(inv, &set);
    found = map_has(&set, above->name);
    map_release(&set);
    return found;
}

/* Depths only grow and have a limit, so this ends soon even where groups have many parents. */
static int push_down(struct inventory_group *group, unsigned depth)
{
    if (depth <= group->depth)
        return 0;
    if (depth > INVENTORY_MAX_DEPTH)
        return -1;
    group->depth = depth;
    for (size_t i = 0; i < group->children.n; i++) {
        if (push_down(group->children.entries[i].value, depth + 1) < 0)
            return -1;
    }
    return 0;
}

int inventory_add_child(struct inventory *inv, struct inventory_group *parent,
                        struct inventory_group *child, struct err *err)
{
    if (map_has(&parent->children, child->name))
        return 0;
    if (child == inventory_all(inv))
        return err_set(err, ERR_INPUT,
                       "group 'all' has every other group below it and cannot be "
                       "a child of '%s'",
                       parent->name);
    /* Ansible takes hosts out of ungrouped that are in its children: nobody means that. */
    if (parent == inventory_ungrouped(inv) && child != parent) {
        err_set(err, ERR_INPUT, "group 'ungrouped' has no children, and cannot have '%s'",
                child->name);
        return err_hint(err, "it is for the hosts that are in no other group: use another name");
    }
    if (is_ancestor(inv, child, parent))
        return err_set(err, ERR_INPUT, "group '%s' as a child of '%s' closes a circle", child->name,
                       parent->name);
    if (push_down(child, parent->depth + 1) < 0)
        return err_set(err, ERR_INPUT, "group '%s' below '%s': more than %d levels of groups",
                       child->name, parent->name, INVENTORY_MAX_DEPTH);
    group_link(parent, child);
    return 0;
}

struct inventory_group **inventory_children(const struct inventory *inv,
                                            const struct inventory_group *group, size_t *n)
{
    VEC(struct inventory_group *) found = VEC_INIT;

    for (size_t i = 0; i < group->children.n; i++)
        vec_push(&found, group->children.entries[i].value);
    for (size_t i = 0; i < inv->groups.n && group == inventory_all(inv); i++) {
        struct inventory_group *orphan = inv->groups.entries[i].value;

        if (orphan != group && orphan->parents.n == 0)
            vec_push(&found, orphan);
    }
    *n = found.n;
    return found.items;
}

static bool is_ungrouped(const struct inventory_host *host)
{
    for (size_t i = 0; i < host->groups.n; i++) {
        const char *name = host->groups.entries[i].key;

        if (!str_eq(name, "all") && !str_eq(name, "ungrouped"))
            return false;
    }
    return true;
}

struct inventory_host **inventory_direct_hosts(const struct inventory *inv,
                                               const struct inventory_group *group, size_t *n)
{
    bool ungrouped = group == inventory_ungrouped(inv);
    VEC(struct inventory_host *) found = VEC_INIT;

    for (size_t i = 0; i < group->hosts.n; i++) {
        struct inventory_host *host = group->hosts.entries[i].value;

        if (!ungrouped || is_ungrouped(host))
            vec_push(&found, host);
    }
    for (size_t i = 0; i < inv->hosts.n && ungrouped; i++) {
        struct inventory_host *host = inv->hosts.entries[i].value;

        if (is_ungrouped(host) && !map_has(&group->hosts, host->name))
            vec_push(&found, host);
    }
    *n = found.n;
    return found.items;
}

/* A group and all below it, level by level, each once. */
static void add_descendants(const struct inventory *inv, struct map *set)
{
    for (size_t i = 0; i < set->n; i++) {
        size_t n;
        struct inventory_group **children = inventory_children(inv, set->entries[i].value, &n);

        for (size_t k = 0; k < n; k++) {
            if (!map_has(set, children[k]->name))
                map_set(set, children[k]->name, children[k]);
        }
        free(children);
    }
}

struct inventory_host **inventory_members(const struct inventory *inv,
                                          const struct inventory_group *group, size_t *n)
{
    VEC(struct inventory_host *) found = VEC_INIT;
    struct map groups, seen;

    map_init(&groups);
    map_init(&seen);
    map_set(&groups, group->name, map_get(&inv->groups, group->name));
    add_descendants(inv, &groups);
    for (size_t i = 0; i < groups.n; i++) {
        size_t count;
        struct inventory_host **direct =
            inventory_direct_hosts(inv, groups.entries[i].value, &count);

        for (size_t k = 0; k < count; k++) {
            if (map_has(&seen, direct[k]->name))
                continue;
            map_set(&seen, direct[k]->name, direct[k]);
            vec_push(&found, direct[k]);
        }
        free(direct);
    }
    map_release(&groups);
    map_release(&seen);
    *n = found.n;
    return found.items;
}

/* Ansible's sort_groups: depth, then priority, then name. */
static int by_merge_order(const void *left, const void *right)
{
    const struct inventory_group *a = *(struct inventory_group *const *)left;
    const struct inventory_group *b = *(struct inventory_group *const *)right;

    if (a->depth != b->depth)
        return a->depth < b->depth ? -1 : 1;
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    return strcmp(a->name, b->name);
}

struct inventory_group **inventory_host_groups(const struct inventory *inv,
                                               const struct inventory_host *host, size_t *n)
{
    struct inventory_group **groups;
    struct map set;

    map_init(&set);
    if (is_ungrouped(host))
        map_set(&set, "ungrouped", inventory_ungrouped(inv));
    for (size_t i = 0; i < host->groups.n; i++) {
        /* What is listed under ungrouped and elsewhere, too, is not ungrouped. */
        if (!str_eq(host->groups.entries[i].key, "ungrouped"))
            map_set(&set, host->groups.entries[i].key, host->groups.entries[i].value);
    }
    add_ancestors(inv, &set);
    groups = xcalloc(set.n, sizeof(struct inventory_group *));
    for (size_t i = 0; i < set.n; i++)
        groups[i] = set.entries[i].value;
    *n = set.n;
    map_release(&set);
    qsort(groups, *n, sizeof(struct inventory_group *), by_merge_order);
    return groups;
}

int inventory_set_group_var(struct inventory *inv, struct inventory_group *group, const char *key,
                            struct value *value)
{
    char *end;

    if (!str_eq(key, "ansible_group_priority")) {
        value_map_set(&inv->arena, group->vars, key, value);
        return 0;
    }
    if (value->type == VALUE_INT) {
        group->priority = value->u.i;
        return 0;
    }
    if (!value_is_str(value) || value->u.str.len == 0)
        return -1;
    group->priority = strtoll(value->u.str.s, &end, 10);
    return *end ? -1 : 0;
}
