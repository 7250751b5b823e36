/*
 * filters.c - finding filters by name; the filters themselves stand in filters_*.c, a function and
 * a table line each.
 */
#include <pthread.h>

#include "lib/jinja/eval.h"

#define COLLECTION "ansible.builtin."
#define NAMES_MAX  256

static const struct filter_table *const tables[] = {&filters_text,   &filters_list, &filters_choice,
                                                    &filters_data,   &filters_path, &filters_hash,
                                                    &filters_number, &filters_time, &filters_wrap};

const char *without_collection(const char *name)
{
    return str_starts(name, COLLECTION) ? name + strlen(COLLECTION) : name;
}

const struct filter *filter_find(const char *name)
{
    name = without_collection(name);
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        for (size_t i = 0; i < tables[t]->n; i++) {
            if (strcmp(tables[t]->rows[i].name, name) == 0)
                return &tables[t]->rows[i];
        }
    }
    return NULL;
}

static const char *names[NAMES_MAX + 1];

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void collect_names(void)
{
    size_t n = 0;

    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        for (size_t i = 0; i < tables[t]->n && n < NAMES_MAX; i++)
            names[n++] = tables[t]->rows[i].name;
    }
    qsort(names, n, sizeof(names[0]), by_name);
}

const char *const *jinja_filter_names(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, collect_names);
    return names;
}

static void put_row(struct str *out, const char *name, const char *params, const char *help)
{
    str_printf(out, "| `%s` | %s%s%s | %s |\n", name, *params ? "`" : "", params,
               *params ? "`" : "", help);
}

/* Those of Jinja2's and Ansible's that people would look for: what to do instead. */
static const struct {
    const char *name, *instead;
} absent[] = {
    {"ansible.netcommon.ipaddr", "take the address apart with split, or write what it would give"},
    {"ansible.utils.ipaddr", "take the address apart with split, or write what it would give"},
    {"attr", "write .NAME or ['NAME']"},
    {"community.general.json_query", "selectattr and map"},
    {"e", "nothing is HTML here"},
    {"escape", "nothing is HTML here"},
    {"fileglob", "query('fileglob', pattern)"},
    {"forceescape", "nothing is HTML here"},
    {"ipaddr", "take the address apart with split, or write what it would give"},
    {"ipv4", "take the address apart with split, or write what it would give"},
    {"ipv6", "take the address apart with split, or write what it would give"},
    {"json_query", "selectattr and map"},
    {"pprint", "to_nice_json"},
    {"realpath", "write the path itself"},
    {"safe", "nothing is escaped"},
    {"striptags", "nothing is HTML here"},
    {"unvault", "ansible-vault is not read"},
    {"urlize", "nothing is HTML here"},
    {"vault", "ansible-vault is not read"},
    {"win_basename", "hosts are no Windows: basename"},
    {"win_dirname", "hosts are no Windows: dirname"},
    {"win_splitdrive", "hosts are no Windows"},
    {"xmlattr", "nothing is HTML here"},
};

const char *filter_advice(struct arena *a, const char *name)
{
    name = without_collection(name);
    for (size_t i = 0; i < ARRAY_LEN(absent); i++)
        if (str_eq(absent[i].name, name))
            return arena_printf(a, " here: %s", absent[i].instead);
    return NULL;
}

void jinja_put_reference(struct str *out)
{
    str_puts(out, "## Filters\n\n| filter | arguments | gives |\n|---|---|---|\n");
    for (const char *const *name = jinja_filter_names(); *name; name++) {
        const struct filter *f = filter_find(*name);

        put_row(out, f->name, f->params, f->help);
    }
    str_puts(out, "\nNot supported, as every other one:\n\n| filter | instead |\n|---|---|\n");
    for (size_t i = 0; i < ARRAY_LEN(absent); i++)
        str_printf(out, "| `%s` | %s |\n", absent[i].name, absent[i].instead);
    str_puts(out, "\n## Tests\n\n| test | arguments | true when |\n|---|---|---|\n");
    for (const char *const *name = jinja_test_names(); *name; name++) {
        const struct test *t = test_find(*name);

        put_row(out, t->name, t->params, t->help);
    }
    jinja_put_functions(out);
    jinja_put_lookups(out);
}
