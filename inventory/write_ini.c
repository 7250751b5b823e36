/*
 * write_ini.c - an INI inventory. Values are Python literals wherever the bare text would read back
 * as anything else, so lists and maps survive, on host lines as well.
 */
#include <ctype.h>

#include "inventory/internal.h"
#include "inventory/literal.h"

struct writer {
    const struct inventory *inv;
    const char *const *hidden;
    struct arena a;
    struct map seen_groups, seen_hosts;
    struct str *out;
    struct err *err;
};

static bool is_bare(const char *s, size_t len, struct arena *a)
{
    const char *why;
    struct value *v;

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)s[i] < ' ' || (unsigned char)s[i] >= 0x7f)
            return false;
    }
    if (len > 0 && (s[0] == ' ' || s[len - 1] == ' '))
        return false;
    return literal_parse(a, s, len, &v, &why) == LITERAL_TEXT;
}

static int put_value(struct writer *w, const struct value *v, struct str *text)
{
    if (w->inv->has_tagged && inventory_holds_tagged(v))
        return err_set(w->err, ERR_INPUT, "INI has no way to write a !vault or !unsafe value");
    if (!value_is_str(v) || !is_bare(v->u.str.s, v->u.str.len, &w->a))
        return literal_write(v, text, w->err);
    str_puts(text, v->u.str.s);
    return 0;
}

static int check_key(const char *key, struct err *err)
{
    const char *p = key;

    while (isalnum((unsigned char)*p) || (*p && strchr("_.-", *p)))
        p++;
    if (*p || p == key)
        return err_set(err, ERR_INPUT, "a variable named '%s' cannot be written", key);
    return 0;
}

/* Bare where shlex leaves it alone, else in quotes. */
static void put_word(const char *word, struct str *out)
{
    for (const char *p = word; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("_@%+=:,./-", *p)) {
            str_put_shell(out, word);
            return;
        }
    }
    str_puts(out, word);
}

static int put_host_var(struct writer *w, const struct value_entry *entry)
{
    struct str text;
    int rc = check_key(entry->key, w->err);

    str_init(&text, STR_MAX_TEXT);
    if (rc == 0)
        rc = put_value(w, entry->value, &text);
    str_printf(w->out, " %s=", entry->key);
    put_word(text.buf, w->out);
    str_release(&text);
    return rc;
}

static int put_host(struct writer *w, const struct inventory_host *host)
{
    int rc = 0;

    str_puts(w->out, host->name);
    if (!map_has(&w->seen_hosts, host->name)) {
        struct value *vars = inventory_host_own(w->inv, host, &w->a);

        map_set(&w->seen_hosts, host->name, w);
        inventory_hide(vars, w->hidden);
        for (size_t i = 0; i < vars->u.map.n && rc == 0; i++)
            rc = put_host_var(w, &vars->u.map.entries[i]);
        if (rc < 0)
            return err_wrap(w->err, "host '%s'", host->name);
    }
    str_putc(w->out, '\n');
    return 0;
}

static void put_header(struct writer *w, const struct inventory_group *group, const char *kind)
{
    str_printf(w->out, "%s[%s%s]\n", w->out->len ? "\n" : "", group->name, kind);
}

static int put_hosts(struct writer *w, const struct inventory_group *group, size_t children)
{
    size_t n;
    struct inventory_host **hosts = inventory_direct_hosts(w->inv, group, &n);
    bool ungrouped = group == inventory_ungrouped(w->inv);
    int rc = 0;

    /* The file begins in ungrouped; elsewhere an empty section still declares the group. */
    if (!ungrouped && (n > 0 || children == 0))
        put_header(w, group, "");
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = put_host(w, hosts[i]);
    free(hosts);
    return rc;
}

static int put_vars(struct writer *w, const struct inventory_group *group)
{
    struct value *vars = inventory_group_own(group, &w->a);

    inventory_hide(vars, w->hidden);
    if (group->priority != INVENTORY_FIRST_PRIORITY)
        value_map_set(&w->a, vars, "ansible_group_priority", value_int(&w->a, group->priority));
    if (vars->u.map.n)
        put_header(w, group, ":vars");
    for (size_t i = 0; i < vars->u.map.n; i++) {
        const struct value_entry *entry = &vars->u.map.entries[i];

        str_printf(w->out, "%s=", entry->key);
        if (check_key(entry->key, w->err) < 0 || put_value(w, entry->value, w->out) < 0)
            return err_wrap(w->err, "group '%s'", group->name);
        str_putc(w->out, '\n');
    }
    return 0;
}

/* Orphans are children of all without being told; it must be told of those that are others' too. */
static bool needs_children(const struct writer *w, const struct inventory_group *group,
                           struct inventory_group *const *children, size_t n)
{
    if (group != inventory_all(w->inv))
        return n > 0;
    for (size_t i = 0; i < n; i++) {
        if (children[i]->parents.n > 1)
            return true;
    }
    return false;
}

/* A group's sections, then those of the groups below that have none yet: so groups appear in the
 * order in which a reader finds them again. */
static int put_group(struct writer *w, const struct inventory_group *group)
{
    size_t n;
    struct inventory_group **children = inventory_children(w->inv, group, &n);
    bool all = group == inventory_all(w->inv);
    int rc = 0;

    map_set(&w->seen_groups, group->name, w);
    if (!all)
        rc = put_hosts(w, group, n);
    if (needs_children(w, group, children, n)) {
        put_header(w, group, ":children");
        for (size_t i = 0; i < n; i++) {
            if (children[i] != inventory_ungrouped(w->inv) || !all)
                str_printf(w->out, "%s\n", children[i]->name);
        }
    }
    if (rc == 0)
        rc = put_vars(w, group);
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (!map_has(&w->seen_groups, children[i]->name))
            rc = put_group(w, children[i]);
    }
    free(children);
    return rc;
}

int inventory_write_ini(const struct inventory *inv, const char *const *hidden, struct str *out,
                        struct err *err)
{
    struct writer w = {.inv = inv, .hidden = hidden, .out = out, .err = err};
    int rc;

    arena_init(&w.a);
    map_init(&w.seen_groups);
    map_init(&w.seen_hosts);
    /* First: its hosts stand before any section. */
    rc = put_group(&w, inventory_ungrouped(inv));
    if (rc == 0)
        rc = put_group(&w, inventory_all(inv));
    map_release(&w.seen_groups);
    map_release(&w.seen_hosts);
    arena_release(&w.a);
    return rc;
}
