/*
 * write_yaml.c - a YAML inventory: one tree below all. What appears in several places has its
 * variables, hosts and children in the first only.
 */
#include "inventory/internal.h"
#include "lib/doc/yaml.h"

struct writer {
    const struct inventory *inv;
    const char *const *hidden;
    struct arena a;
    struct map seen_groups, seen_hosts;
};

static struct value *group_value(struct writer *w, const struct inventory_group *group);

static void set_filled(struct writer *w, struct value *map, const char *key, struct value *section)
{
    if (section->u.map.n)
        value_map_set(&w->a, map, key, section);
}

static struct value *group_vars(struct writer *w, const struct inventory_group *group)
{
    struct value *vars = inventory_group_own(group, &w->a);

    inventory_hide(vars, w->hidden);
    if (group->priority != INVENTORY_FIRST_PRIORITY)
        value_map_set(&w->a, vars, "ansible_group_priority", value_int(&w->a, group->priority));
    return vars;
}

static struct value *group_hosts(struct writer *w, const struct inventory_group *group)
{
    struct value *map = value_map(&w->a);
    size_t n;
    struct inventory_host **hosts = inventory_direct_hosts(w->inv, group, &n);

    for (size_t i = 0; i < n; i++) {
        struct value *vars = value_map(&w->a);

        if (!map_has(&w->seen_hosts, hosts[i]->name)) {
            map_set(&w->seen_hosts, hosts[i]->name, hosts[i]);
            vars = inventory_host_own(w->inv, hosts[i], &w->a);
            inventory_hide(vars, w->hidden);
        }
        value_map_set(&w->a, map, hosts[i]->name, vars);
    }
    free(hosts);
    return map;
}

static struct value *group_children(struct writer *w, const struct inventory_group *group)
{
    struct value *map = value_map(&w->a);
    size_t n;
    struct inventory_group **children = inventory_children(w->inv, group, &n);

    for (size_t i = 0; i < n; i++) {
        if (map_has(&w->seen_groups, children[i]->name))
            value_map_set(&w->a, map, children[i]->name, value_map(&w->a));
        else
            value_map_set(&w->a, map, children[i]->name, group_value(w, children[i]));
    }
    free(children);
    return map;
}

/* Groups nest at most INVENTORY_MAX_DEPTH deep. */
static struct value *group_value(struct writer *w, const struct inventory_group *group)
{
    struct value *map = value_map(&w->a);

    map_set(&w->seen_groups, group->name, w);
    set_filled(w, map, "vars", group_vars(w, group));
    set_filled(w, map, "hosts", group_hosts(w, group));
    set_filled(w, map, "children", group_children(w, group));
    return map;
}

int inventory_write_yaml(const struct inventory *inv, const char *const *hidden, struct str *out,
                         struct err *err)
{
    struct writer w = {.inv = inv, .hidden = hidden};
    struct value *root;

    UNUSED(err);
    arena_init(&w.a);
    map_init(&w.seen_groups);
    map_init(&w.seen_hosts);
    root = value_map(&w.a);
    value_map_set(&w.a, root, "all", group_value(&w, inventory_all(inv)));
    yaml_write(root, out);
    map_release(&w.seen_groups);
    map_release(&w.seen_hosts);
    arena_release(&w.a);
    return 0;
}
