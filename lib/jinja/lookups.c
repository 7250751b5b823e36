/*
 * lookups.c - finding and calling lookups: lookup('NAME', ...), query() and with_NAME. The lookups
 * themselves stand in lookups_*.c, a function and a table line each.
 */
#include "lib/base/log.h"
#include "lib/doc/fault.h"
#include "lib/jinja/eval.h"

#define NAMES_MAX 32

static const struct lookup_table *const tables[] = {&lookups_files, &lookups_list};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All names in order; how many there are. */
static size_t lookup_names(const char *names[NAMES_MAX])
{
    size_t n = 0;

    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (size_t i = 0; i < tables[t]->n && n < NAMES_MAX; i++)
            names[n++] = tables[t]->rows[i].name;
    qsort(names, n, sizeof(names[0]), by_name);
    return n;
}

/* `flattened` moved to a collection, and its old name leads there. */
static const char *short_name(const char *name)
{
    return str_eq(name, "community.general.flattened") ? "flattened" : without_collection(name);
}

static const struct lookup_plugin *lookup_find(const char *name)
{
    name = short_name(name);
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (size_t i = 0; i < tables[t]->n; i++)
            if (str_eq(tables[t]->rows[i].name, name))
                return &tables[t]->rows[i];
    return NULL;
}

/* Others of Ansible's: what to do instead. */
static const struct {
    const char *name, *instead;
} absent[] = {
    {"config", "there is no ansible.cfg"},
    {"csvfile", "write the data as YAML, and name it in vars_files"},
    {"ini", "write the data as YAML, and name it in vars_files"},
    {"inventory_hostnames", "groups['name']"},
    {"lines", "a task with command and register"},
    {"password", "generate it once; give it in the inventory, by env or by -e @FILE"},
    {"pipe", "a task with command and register"},
    {"random_choice", "a plan gives the same every time: the filter random with a seed"},
    {"unvault", "ansible-vault is not read"},
    {"url", "the module uri"},
    {"varnames", "name the variables"},
};

bool lookup_exists(const char *name)
{
    return lookup_find(name) != NULL;
}

const char *lookup_advice(struct arena *a, const char *name)
{
    const char *known[NAMES_MAX] = {NULL}, *near;

    name = without_collection(name);
    for (size_t i = 0; i < ARRAY_LEN(absent); i++)
        if (str_eq(absent[i].name, name))
            return arena_printf(a, " here: %s", absent[i].instead);
    near = nearest_word(name, known, lookup_names(known));
    return near ? arena_printf(a, " (did you mean '%s'?)", near) : "";
}

void jinja_put_lookups(struct str *out)
{
    const char *names[NAMES_MAX] = {NULL};
    size_t n = lookup_names(names);

    str_puts(out, "\n## Lookups\n\n"
                  "By `lookup`, `query` and `q`, which take `wantlist` and `errors` beside a "
                  "lookup's own options, and as `with_NAME` of tasks. Files are those of this "
                  "machine, looked for beside the role, the task's file and the playbook. Nothing "
                  "of them is rendered but what `template` reads.\n\n"
                  "| lookup | options | gives |\n|---|---|---|\n");
    for (size_t i = 0; i < n; i++) {
        const struct lookup_plugin *row = lookup_find(names[i]);
        const char *tick = *row->params ? "`" : "";

        str_printf(out, "| `%s` | %s%s%s | %s |\n", row->name, tick, row->params, tick, row->help);
    }
    str_puts(out, "\nNot supported, as every other one:\n\n| lookup | instead |\n|---|---|\n");
    for (size_t i = 0; i < ARRAY_LEN(absent); i++)
        str_printf(out, "| `%s` | %s |\n", absent[i].name, absent[i].instead);
}

/* ---- calling -------------------------------------------------------------------------------- */

static int refuse_undefined(struct evaluator *ev, const struct lookup_plugin *plugin,
                            const struct value *terms, const struct value *keywords)
{
    for (size_t i = 0; i < terms->u.list.n; i++)
        if (is_undefined(terms->u.list.items[i]))
            return ev_error(ev, "%s", terms->u.list.items[i]->u.str.s);
    if (plugin->flags & TAKES_UNDEFINED_ARGS)
        return 0;
    for (size_t i = 0; i < keywords->u.map.n; i++)
        if (is_undefined(keywords->u.map.entries[i].value))
            return ev_error(ev, "%s", keywords->u.map.entries[i].value->u.str.s);
    return 0;
}

static const struct value *run_plugin(struct evaluator *ev, const struct lookup_plugin *plugin,
                                      const struct value *terms, const struct value *keywords,
                                      const char *kind)
{
    const struct call raw = {.keywords = keywords};
    struct call options;
    struct lookup_call call = {.terms = terms, .options = &options, .kind = kind};

    if (refuse_undefined(ev, plugin, terms, keywords) < 0 ||
        ev_bind(ev, plugin->name, plugin->params, 0, &raw, &options) < 0)
        return NULL;
    /* cppcheck-suppress returnDanglingLifetime ; as in ev_filter */
    return plugin->fn(ev, &call);
}

/* As with Ansible: one item stands for itself, and texts become one. */
static const struct value *joined(struct evaluator *ev, const struct value *list)
{
    if (list->u.list.n == 1)
        return list->u.list.items[0];
    for (size_t i = 0; i < list->u.list.n; i++)
        if (list->u.list.items[i]->type != VALUE_STR)
            return list;
    return list->u.list.n == 0 ? list : text_join(ev, list, ",", 1);
}

/* The lookup's own options. */
static const struct value *options_of(struct evaluator *ev, const struct value *keywords)
{
    struct value *options = value_map(ev->arena);

    for (size_t i = 0; i < keywords->u.map.n; i++) {
        const struct value_entry *entry = &keywords->u.map.entries[i];

        if (!str_eq(entry->key, "errors") && !str_eq(entry->key, "wantlist"))
            ev_put_in(ev, options, entry->key, entry->value);
    }
    return options;
}

const struct value *ev_lookup(struct evaluator *ev, const struct value *name,
                              const struct call *raw, bool wantlist)
{
    const struct lookup_plugin *plugin = value_is_str(name) ? lookup_find(name->u.str.s) : NULL;
    const struct value *strict = value_get(raw->keywords, "errors"), *found;
    const struct value *want = value_get(raw->keywords, "wantlist");
    struct value *terms = ev_list(ev);

    if (!plugin)
        return ev_fail(ev, "no lookup named '%s'%s", value_is_str(name) ? name->u.str.s : "?",
                       value_is_str(name) ? lookup_advice(ev->arena, name->u.str.s) : "");
    for (size_t i = 0; i < raw->n_rest; i++)
        ev_push(ev, terms, raw->rest[i]);
    wantlist = want ? jinja_truth(want) : wantlist;
    found = run_plugin(ev, plugin, terms, options_of(ev, raw->keywords), NULL);
    if (found)
        return wantlist ? found : joined(ev, found);
    if (ev->pending || !value_is_str(strict) || str_eq(strict->u.str.s, "strict"))
        return NULL;
    if (str_eq(strict->u.str.s, "warn"))
        log_warn("%s", ev->err->text);
    err_release(ev->err);
    return wantlist ? ev_list(ev) : &ev_none;
}

const struct value *ev_with(struct evaluator *ev, const char *name, const struct value *terms,
                            const char *kind)
{
    const struct lookup_plugin *plugin = lookup_find(name);
    struct value *list = ev_list(ev);

    if (!plugin)
        BUG("with_%s is no lookup", name);
    if (terms->type != VALUE_LIST) {
        ev_push(ev, list, terms);
        terms = list;
    }
    return run_plugin(ev, plugin, terms, value_map(ev->arena), kind);
}
