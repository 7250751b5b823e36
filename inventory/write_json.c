/*
 * write_json.c - what `ansible-inventory --list` prints: group variables folded into
 * _meta.hostvars.
 */
#include "inventory/internal.h"
#include "lib/doc/json.h"

#define INDENT 4

static void put_value(const struct value *v, int depth, struct str *out);

/* As Python without ensure_ascii: only quotes, backslashes and controls are escaped. */
static void put_string(const char *s, struct str *out)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";

    str_putc(out, '"');
    for (; *s; s++) {
        const char *simple = strchr(from, *s);

        if (simple)
            str_printf(out, "\\%c", to[simple - from]);
        else if ((unsigned char)*s < 0x20)
            str_printf(out, "\\u%04x", (unsigned char)*s);
        else
            str_putc(out, *s);
    }
    str_putc(out, '"');
}

static void put_newline(int depth, struct str *out)
{
    str_printf(out, "\n%*s", depth * INDENT, "");
}

static void put_list(const struct value *v, int depth, struct str *out)
{
    str_putc(out, '[');
    for (size_t i = 0; i < v->u.list.n; i++) {
        str_puts(out, i ? "," : "");
        put_newline(depth + 1, out);
        put_value(v->u.list.items[i], depth + 1, out);
    }
    if (v->u.list.n)
        put_newline(depth, out);
    str_putc(out, ']');
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const struct value_entry *const *)a)->key,
                  (*(const struct value_entry *const *)b)->key);
}

static void put_map(const struct value *v, int depth, struct str *out)
{
    size_t n = v->u.map.n;
    const struct value_entry **sorted = xcalloc(n ? n : 1, sizeof(struct value_entry *));

    for (size_t i = 0; i < n; i++)
        sorted[i] = &v->u.map.entries[i];
    qsort(sorted, n, sizeof(struct value_entry *), by_key);
    str_putc(out, '{');
    for (size_t i = 0; i < n; i++) {
        str_puts(out, i ? "," : "");
        put_newline(depth + 1, out);
        put_string(sorted[i]->key, out);
        str_puts(out, ": ");
        put_value(sorted[i]->value, depth + 1, out);
    }
    if (n)
        put_newline(depth, out);
    str_putc(out, '}');
    free(sorted);
}

static void put_value(const struct value *v, int depth, struct str *out)
{
    if (v->type == VALUE_MAP)
        put_map(v, depth, out);
    else if (v->type == VALUE_LIST)
        put_list(v, depth, out);
    else if (v->type == VALUE_STR)
        put_string(v->u.str.s, out);
    else
        json_write(v, JSON_LINE, out);
}

void inventory_put_json(const struct value *v, struct str *out)
{
    put_value(v, 0, out);
}

static struct value *host_names(const struct inventory *inv, const struct inventory_group *group,
                                struct arena *a)
{
    struct value *list = value_list(a);
    size_t n;
    struct inventory_host **hosts = inventory_direct_hosts(inv, group, &n);

    for (size_t i = 0; i < n; i++)
        value_list_add(a, list, value_str(a, hosts[i]->name));
    free(hosts);
    return list;
}

static struct value *child_names(const struct inventory *inv, const struct inventory_group *group,
                                 struct arena *a)
{
    struct value *list = value_list(a);
    size_t n;
    struct inventory_group **children = inventory_children(inv, group, &n);

    for (size_t i = 0; i < n; i++)
        value_list_add(a, list, value_str(a, children[i]->name));
    free(children);
    return list;
}

/* Groups with neither hosts nor children are only named by their parents. */
static void add_group(const struct inventory *inv, const struct inventory_group *group,
                      struct value *root, struct arena *a)
{
    struct value *map = value_map(a), *hosts = host_names(inv, group, a);
    struct value *children = child_names(inv, group, a);

    if (children->u.list.n)
        value_map_set(a, map, "children", children);
    if (hosts->u.list.n && group != inventory_all(inv))
        value_map_set(a, map, "hosts", hosts);
    if (map->u.map.n)
        value_map_set(a, root, group->name, map);
}

static struct value *hostvars(const struct inventory *inv, const char *const *hidden,
                              struct arena *a)
{
    struct value *all = value_map(a);

    for (size_t i = 0; i < inv->hosts.n; i++) {
        struct value *vars = inventory_plain_vars(inv, inv->hosts.entries[i].value, a);

        inventory_hide(vars, hidden);
        if (vars->u.map.n)
            value_map_set(a, all, inv->hosts.entries[i].key, vars);
    }
    return all;
}

int inventory_write_json(const struct inventory *inv, const char *const *hidden, struct str *out,
                         struct err *err)
{
    struct arena a = ARENA_INIT;
    struct value *root = value_map(&a), *meta = value_map(&a);

    UNUSED(err);
    value_map_set(&a, meta, "hostvars", hostvars(inv, hidden, &a));
    /* Since ansible-core 2.19: how it marks what is vaulted or unsafe. */
    value_map_set(&a, meta, "profile", value_str(&a, "inventory_legacy"));
    value_map_set(&a, root, "_meta", meta);
    for (size_t i = 0; i < inv->groups.n; i++)
        add_group(inv, inv->groups.entries[i].value, root, &a);
    inventory_put_json(root, out);
    str_putc(out, '\n');
    arena_release(&a);
    return 0;
}
