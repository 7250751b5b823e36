/*
 * write_yaml.c - a YAML inventory: one tree below all. What appears in several places has its
 * variables, hosts and children in the first only.
 */
#include "inventory/internal.h"
#include "lib/base/vec.h"
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

/* ---- tagged values ---- */

/* The writer of lib/doc knows no tags: a name that nothing else has stands for each tagged value
 * until the text is there. */
struct stand_ins {
    struct arena *a;
    VEC(struct value *) values; /* what they stand for */
};

#define STAND_IN "__pgha_tagged_value_"

static void stand_in(struct stand_ins *s, struct value *v)
{
    if (inventory_tagged(v, NULL)) {
        struct value *kept = arena_new(s->a, struct value);

        *kept = *v;
        *v = *value_strf(s->a, STAND_IN "%zu_", s->values.n);
        vec_push(&s->values, kept);
        return;
    }
    for (size_t i = 0; v->type == VALUE_LIST && i < v->u.list.n; i++)
        stand_in(s, v->u.list.items[i]);
    for (size_t i = 0; v->type == VALUE_MAP && i < v->u.map.n; i++)
        stand_in(s, v->u.map.entries[i].value);
}

static void put_tagged(const struct value *v, struct arena *a, struct str *out)
{
    const char *tag = NULL, *text = inventory_tagged(v, &tag);

    str_printf(out, "%s ", tag);
    inventory_put_json(value_str(a, text), out); /* a string of JSON is one of YAML, too */
}

static int write_tagged(struct value *root, struct arena *a, struct str *out, struct err *err)
{
    struct stand_ins s = {.a = a};
    const char *at, *found;
    size_t n = 0;
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    root = value_copy(a, root); /* its own: the inventory's values stay as they are */
    stand_in(&s, root);
    yaml_write(root, &text);
    for (at = text.buf; (found = strstr(at, STAND_IN)); n++) {
        char *end;
        unsigned long i = strtoul(found + strlen(STAND_IN), &end, 10);

        str_add(out, at, (size_t)(found - at));
        if (i < s.values.n)
            put_tagged(s.values.items[i], a, out);
        at = end + (*end == '_');
    }
    str_puts(out, at);
    if (n != s.values.n)
        err_set(err, ERR_INPUT, "a value holds %s, which is used for !vault and !unsafe", STAND_IN);
    n -= s.values.n;
    vec_release(&s.values);
    str_release(&text);
    return n ? -1 : 0;
}

int inventory_write_yaml(const struct inventory *inv, const char *const *hidden, struct str *out,
                         struct err *err)
{
    struct writer w = {.inv = inv, .hidden = hidden};
    struct value *root;
    int rc = 0;

    arena_init(&w.a);
    map_init(&w.seen_groups);
    map_init(&w.seen_hosts);
    root = value_map(&w.a);
    value_map_set(&w.a, root, "all", group_value(&w, inventory_all(inv)));
    if (inv->has_tagged)
        rc = write_tagged(root, &w.a, out, err);
    else
        yaml_write(root, out);
    map_release(&w.seen_groups);
    map_release(&w.seen_hosts);
    arena_release(&w.a);
    return rc;
}
