/*
 * read_yaml.c - Ansible's YAML inventories (its plugins/inventory/yaml.py):
 *
 *     GROUP: {hosts: {NAME or range: {vars}}, vars: {...}, children: {GROUP: ...}}
 *
 * What Ansible skips with a warning (unknown keys, groups that are no maps) is a fault here.
 */
#include "inventory/internal.h"

static const char *const sections[] = {"hosts", "vars", "children"};

static void read_group(struct inventory *inv, const struct value_entry *entry,
                       struct inventory_group *parent, unsigned depth, struct faults *faults);

static void read_host(struct inventory *inv, struct inventory_group *group,
                      const struct value_entry *entry, struct faults *faults)
{
    const struct value *vars = entry->value;
    struct host_names names;
    struct faults again; /* the same once more for each host of a range: not told */

    if (vars->type != VALUE_MAP && vars->type != VALUE_NULL) {
        fault_add(faults, vars->src, "host '%.80s' must have a map of variables, got %s",
                  entry->key, value_type_name(vars->type));
        return;
    }
    faults_init(&again);
    if (inventory_expand_hosts(inv, entry->key, entry->key_src, faults, &names) < 0)
        goto out;
    for (size_t i = 0; i < names.n; i++) {
        struct inventory_host *host =
            inventory_read_host(inv, names.items[i], group, names.port, entry->key_src, faults);

        if (host && vars->type == VALUE_MAP)
            inventory_read_host_vars(inv, host, entry->value, vars->src, i ? &again : faults);
    }
out:
    faults_release(&again);
    vec_release(&names);
}

static void read_section(struct inventory *inv, struct inventory_group *group,
                         const struct value_entry *section, unsigned depth, struct faults *faults)
{
    const struct value *map = section->value;

    for (size_t i = 0; i < map->u.map.n; i++) {
        const struct value_entry *entry = &map->u.map.entries[i];

        if (str_eq(section->key, "hosts"))
            read_host(inv, group, entry, faults);
        else if (str_eq(section->key, "vars"))
            inventory_read_group_var(inv, group, entry->key, entry->value, faults);
        else
            read_group(inv, entry, group, depth + 1, faults);
    }
}

/* hosts: NAME is short for hosts: {NAME: }. */
static struct value_entry normal_section(struct inventory *inv, const struct value_entry *section)
{
    struct value_entry normal = *section;

    if (value_is_str(section->value)) {
        normal.value = value_map(&inv->arena);
        value_map_set(&inv->arena, normal.value, section->value->u.str.s, value_null(&inv->arena));
        normal.value->u.map.entries[0].key_src = section->value->src;
    }
    return normal;
}

static void read_sections(struct inventory *inv, struct inventory_group *group,
                          const struct value *map, unsigned depth, struct faults *faults)
{
    for (size_t i = 0; i < map->u.map.n; i++) {
        struct value_entry section = normal_section(inv, &map->u.map.entries[i]);
        const char *near = nearest_word(section.key, sections, ARRAY_LEN(sections));

        if (!near || !str_eq(near, section.key)) {
            fault_add(faults, section.key_src, "unknown key '%.80s' in group '%s'", section.key,
                      group->name);
            fault_hint(faults, near ? "did you mean '%s'?" : "known are hosts, vars and %s",
                       near ? near : "children");
        } else if (section.value->type == VALUE_MAP) {
            read_section(inv, group, &section, depth, faults);
        } else if (section.value->type != VALUE_NULL) {
            fault_add(faults, section.value->src, "'%s' of group '%s' must be a map, got %s",
                      section.key, group->name, value_type_name(section.value->type));
        }
    }
}

static void read_group(struct inventory *inv, const struct value_entry *entry,
                       struct inventory_group *parent, unsigned depth, struct faults *faults)
{
    struct inventory_group *group = inventory_read_group(inv, entry->key, entry->key_src, faults);
    const struct value *map = entry->value;

    if (!group)
        return;
    if (depth > INVENTORY_MAX_DEPTH)
        fault_add(faults, entry->key_src, "more than %d levels of groups", INVENTORY_MAX_DEPTH);
    else if (map->type == VALUE_MAP)
        read_sections(inv, group, map, depth, faults);
    else if (map->type != VALUE_NULL)
        fault_add(faults, map->src, "group '%s' must be a map of hosts, vars and children, got %s",
                  group->name, value_type_name(map->type));
    if (parent)
        inventory_read_child(inv, parent, group, entry->key_src, faults);
}

void inventory_read_tree(struct inventory *inv, const struct value *root, struct faults *faults)
{
    if (root->type == VALUE_NULL) {
        fault_add(faults, root->src, "the inventory is empty");
        fault_hint(faults, "it needs at least: all: {hosts: {NAME: }}");
        return;
    }
    if (root->type != VALUE_MAP) {
        fault_add(faults, root->src, "an inventory is a map of groups, got %s",
                  value_type_name(root->type));
        return;
    }
    if (value_is_str(value_get(root, "plugin"))) {
        fault_add(faults, value_get(root, "plugin")->src,
                  "this configures an Ansible inventory plugin, which is not supported");
        fault_hint(faults, "save what `ansible-inventory --list` prints and use that");
        return;
    }
    for (size_t i = 0; i < root->u.map.n; i++)
        read_group(inv, &root->u.map.entries[i], NULL, 1, faults);
}

void inventory_read_yaml(struct inventory *inv, const char *file, const char *text, size_t len,
                         struct faults *faults)
{
    struct value *root = inventory_parse_yaml(inv, file, text, len, faults);

    if (root)
        inventory_read_tree(inv, root, faults);
}
