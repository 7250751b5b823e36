/*
 * read_json.c - JSON inventories: what a dynamic inventory prints for --list (Ansible's "Developing
 * dynamic inventory", plugins/inventory/script.py), or the structure of a YAML inventory.
 *
 *     {"_meta": {"hostvars": {HOST: {...}}}, GROUP: {"hosts": [...], "children": [...], "vars":
 * {...}}}
 *
 * JSON values have no places, so faults name the group or host.
 */
#include "inventory/internal.h"
#include "lib/doc/json.h"

struct reader {
    struct inventory *inv;
    struct faults *faults;
    struct source src;
};

/* The strings of a list; anything else is a fault. NULL at the end of it. */
static const char *name_at(struct reader *r, const struct value *list, size_t i, const char *what)
{
    if (!list || list->type != VALUE_LIST || i >= list->u.list.n)
        return NULL;
    if (value_is_str(list->u.list.items[i]))
        return list->u.list.items[i]->u.str.s;
    fault_add(r->faults, r->src, "%s must be a list of names", what);
    return NULL;
}

static bool expect(struct reader *r, const struct value *v, enum value_type type, const char *group,
                   const char *key)
{
    if (!v || v->type == type)
        return v != NULL;
    fault_add(r->faults, r->src, "'%s' of group '%.80s' must be a %s, got %s", key, group,
              value_type_name(type), value_type_name(v->type));
    return false;
}

static void read_hosts(struct reader *r, struct inventory_group *group, const struct value *hosts)
{
    const char *name;

    for (size_t i = 0; (name = name_at(r, hosts, i, "hosts")); i++)
        inventory_read_host(r->inv, name, group, 0, r->src, r->faults);
}

static void read_children(struct reader *r, struct inventory_group *group,
                          const struct value *children)
{
    const char *name;

    for (size_t i = 0; (name = name_at(r, children, i, "children")); i++) {
        struct inventory_group *child = inventory_read_group(r->inv, name, r->src, r->faults);

        if (child)
            inventory_read_child(r->inv, group, child, r->src, r->faults);
    }
}

static void read_group(struct reader *r, const char *name, const struct value *map)
{
    static const char *const known[] = {"hosts", "vars", "children"};
    struct inventory_group *group = inventory_read_group(r->inv, name, r->src, r->faults);
    const struct value *vars = value_get(map, "vars");

    if (!group)
        return;
    if (map->type == VALUE_LIST) { /* short for {"hosts": [...]} */
        read_hosts(r, group, map);
        return;
    }
    for (size_t i = 0; expect(r, map, VALUE_MAP, name, "all") && i < map->u.map.n; i++) {
        const char *key = map->u.map.entries[i].key;
        const char *near = nearest_word(key, known, ARRAY_LEN(known));

        if (!near || !str_eq(near, key))
            fault_add(r->faults, r->src, "unknown key '%.80s' in group '%.80s'", key, name);
    }
    if (expect(r, value_get(map, "hosts"), VALUE_LIST, name, "hosts"))
        read_hosts(r, group, value_get(map, "hosts"));
    for (size_t i = 0; expect(r, vars, VALUE_MAP, name, "vars") && i < vars->u.map.n; i++)
        inventory_read_group_var(r->inv, group, vars->u.map.entries[i].key,
                                 vars->u.map.entries[i].value, r->faults);
    if (expect(r, value_get(map, "children"), VALUE_LIST, name, "children"))
        read_children(r, group, value_get(map, "children"));
}

/* Variables of hosts that no group names are left out, as Ansible does. */
static void read_hostvars(struct reader *r, const struct value *hostvars)
{
    for (size_t i = 0; hostvars && hostvars->type == VALUE_MAP && i < hostvars->u.map.n; i++) {
        const struct value_entry *entry = &hostvars->u.map.entries[i];
        struct inventory_host *host = map_get(&r->inv->hosts, entry->key);

        if (host && entry->value->type != VALUE_MAP)
            fault_add(r->faults, r->src, "_meta.hostvars of '%s' must be a map", entry->key);
        else if (host)
            inventory_read_host_vars(r->inv, host, entry->value, r->src, r->faults);
    }
}

/* Lists are what the structure of a YAML inventory has nowhere. */
static bool is_list_format(const struct value *root)
{
    if (value_get(root, "_meta"))
        return true;
    for (size_t i = 0; i < root->u.map.n; i++) {
        const struct value *group = root->u.map.entries[i].value;
        const struct value *hosts = value_get(group, "hosts"),
                           *children = value_get(group, "children");

        if (group->type == VALUE_LIST || (hosts && hosts->type == VALUE_LIST) ||
            (children && children->type == VALUE_LIST))
            return true;
    }
    return false;
}

void inventory_read_list(struct inventory *inv, const struct value *root, const char *file,
                         struct faults *faults)
{
    struct reader r = {.inv = inv, .faults = faults, .src = {.file = file}};

    if (root->type != VALUE_MAP) {
        fault_add(faults, r.src, "a dynamic inventory is a map of groups, got %s",
                  value_type_name(root->type));
        return;
    }
    for (size_t i = 0; i < root->u.map.n; i++) {
        if (!str_eq(root->u.map.entries[i].key, "_meta"))
            read_group(&r, root->u.map.entries[i].key, root->u.map.entries[i].value);
    }
    read_hostvars(&r, value_at(root, "_meta.hostvars"));
}

void inventory_read_json(struct inventory *inv, const char *file, const char *text, size_t len,
                         struct faults *faults)
{
    struct err err = ERR_INIT;
    struct value *root = json_parse(&inv->arena, file, text, len, &err);

    if (!root) {
        fault_add(faults, (struct source){.file = NULL}, "%s", err.text); /* names the place */
        err_release(&err);
        return;
    }
    if (root->type == VALUE_MAP && is_list_format(root))
        inventory_read_list(inv, root, file, faults);
    else
        inventory_read_tree(inv, root, faults);
}
