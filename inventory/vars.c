/*
 * vars.c - which value of a variable a host has, in the end.
 */
#include "inventory/internal.h"

/* Set by Ansible for every host; ansible-inventory leaves them out (its INTERNAL_VARS). */
static const char *const internal_vars[] = {
    "ansible_diff_mode",
    "ansible_config_file",
    "ansible_facts",
    "ansible_forks",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_playbook_python",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "groups",
    "group_names",
    "omit",
    "playbook_dir",
};

static void put_all(struct arena *a, struct value *into, const struct value *from)
{
    for (size_t i = 0; i < from->u.map.n; i++)
        value_map_set(a, into, from->u.map.entries[i].key, from->u.map.entries[i].value);
}

struct value *inventory_plain_vars(const struct inventory *inv, const struct inventory_host *host,
                                   struct arena *a)
{
    struct value *vars = value_map(a);
    size_t n;
    struct inventory_group **groups = inventory_host_groups(inv, host, &n);

    for (size_t i = 0; i < n; i++)
        put_all(a, vars, groups[i]->vars);
    put_all(a, vars, groups[0]->file_vars); /* of all */
    put_all(a, vars, groups[0]->near_vars);
    for (size_t i = 1; i < n; i++)
        put_all(a, vars, groups[i]->file_vars);
    for (size_t i = 1; i < n; i++)
        put_all(a, vars, groups[i]->near_vars);
    free(groups);
    put_all(a, vars, host->vars);
    put_all(a, vars, host->file_vars);
    return vars;
}

static int by_name(const void *left, const void *right)
{
    return strcmp((*(struct inventory_group *const *)left)->name,
                  (*(struct inventory_group *const *)right)->name);
}

static struct value *group_names(const struct inventory *inv, const struct inventory_host *host,
                                 struct arena *a)
{
    struct value *names = value_list(a);
    size_t n;
    struct inventory_group **groups = inventory_host_groups(inv, host, &n);

    qsort(groups, n, sizeof(struct inventory_group *), by_name);
    for (size_t i = 0; i < n; i++) {
        if (groups[i] != inventory_all(inv))
            value_list_add(a, names, value_str(a, groups[i]->name));
    }
    free(groups);
    return names;
}

struct value *inventory_vars(const struct inventory *inv, const struct inventory_host *host,
                             struct arena *a)
{
    struct value *vars = inventory_plain_vars(inv, host, a);
    size_t short_len = inventory_is_ip(host->name) ? strlen(host->name) : strcspn(host->name, ".");

    value_map_set(a, vars, "inventory_hostname", value_str(a, host->name));
    value_map_set(a, vars, "inventory_hostname_short", value_strn(a, host->name, short_len));
    value_map_set(a, vars, "group_names", group_names(inv, host, a));
    return vars;
}

struct value *inventory_groups_value(const struct inventory *inv, struct arena *a)
{
    struct value *map = value_map(a);

    for (size_t i = 0; i < inv->groups.n; i++) {
        struct value *names = value_list(a);
        size_t n;
        struct inventory_host **hosts = inventory_members(inv, inv->groups.entries[i].value, &n);

        for (size_t k = 0; k < n; k++)
            value_list_add(a, names, value_str(a, hosts[k]->name));
        free(hosts);
        value_map_set(a, map, inv->groups.entries[i].key, names);
    }
    return map;
}

struct value *inventory_group_own(const struct inventory_group *group, struct arena *a)
{
    struct value *vars = value_map(a);

    put_all(a, vars, group->vars);
    put_all(a, vars, group->file_vars);
    put_all(a, vars, group->near_vars);
    return vars;
}

struct value *inventory_host_own(const struct inventory *inv, const struct inventory_host *host,
                                 struct arena *a)
{
    struct value *own = value_map(a), *folded = value_map(a);
    struct value *merged = inventory_plain_vars(inv, host, a);
    size_t n;
    struct inventory_group **groups = inventory_host_groups(inv, host, &n);

    for (size_t i = 0; i < n; i++)
        put_all(a, folded, inventory_group_own(groups[i], a));
    free(groups);
    for (size_t i = 0; i < merged->u.map.n; i++) {
        const struct value_entry *entry = &merged->u.map.entries[i];

        if (value_get(folded, entry->key) != entry->value)
            value_map_set(a, own, entry->key, entry->value);
    }
    return own;
}

void inventory_hide(struct value *vars, const char *const *hidden)
{
    for (size_t i = 0; i < ARRAY_LEN(internal_vars); i++)
        value_map_del(vars, internal_vars[i]);
    for (; hidden && *hidden; hidden++)
        value_map_del(vars, *hidden);
}
