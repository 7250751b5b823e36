/* example.c - `init` and docs/cluster-file.md, both written from the schema table. */
#include <stdio.h>

#include "lib/cluster/cluster.h"
#include "lib/cluster/schema.h"

static void put_comment(struct str *out, int indent, const char *text)
{
    size_t width = 96 - (size_t)indent;

    while (*text) {
        size_t n = strlen(text);

        if (n > width)
            for (n = width; n > 1 && text[n] != ' '; n--)
                ;
        str_printf(out, "%*s# %.*s\n", indent, "", (int)n, text);
        text += n;
        text += strspn(text, " ");
    }
}

static void put_keys(struct str *out, const char *section, int indent, const char *provider,
                     const char *topology, const char *name);

static void put_example_line(struct str *out, const struct schema_key *k, const char *key,
                             int indent, const char *value)
{
    if (value)
        str_printf(out, "%*s%s: %s\n", indent, "", key, value);
    else if (k->otherwise && k->type != SCHEMA_RECORDS)
        str_printf(out, "%*s%s: %s\n", indent, "", key, k->otherwise);
    else if (str_eq(k->path, "postgres.databases"))
        str_printf(out, "%*s%s: [{name: app, owner: app, extensions: [pg_stat_statements]}]\n",
                   indent, "", key);
    else if (str_eq(k->path, "postgres.users"))
        str_printf(out, "%*s%s: [{name: app}]\n", indent, "", key);
    else if (str_eq(k->path, "provider.hosts"))
        for (int i = 0; i < 3; i++)
            str_printf(out,
                       "%s%*s- {name: db%d, groups: [db], vars: {ansible_host: 192.0.2.1%d}}\n",
                       i ? "" : "  hosts:\n", indent + 2, "", i + 1, i + 1);
    else
        str_printf(out, "%*s# %s:\n", indent, "", key);
}

static const char *example_value(const struct schema_key *k, const char *provider,
                                 const char *topology, const char *name)
{
    if (str_eq(k->path, "cluster"))
        return name;
    if (str_eq(k->path, "provider.name"))
        return provider;
    if (str_eq(k->path, "topology"))
        return topology;
    return str_eq(k->path, "nodes.etcd.on") ? "db" : NULL;
}

static void put_keys(struct str *out, const char *section, int indent, const char *provider,
                     const char *topology, const char *name)
{
    const char *key;

    for (const struct schema_key *k = schema_keys; k->path; k++) {
        if (!schema_child_of(k, section, &key) || !schema_is_for(k, provider))
            continue;
        if (!indent)
            str_putc(out, '\n');
        put_comment(out, indent, k->help);
        if (k->choices && strchr(k->choices, '|'))
            str_printf(out, "%*s# One of: %s\n", indent, "", k->choices);
        if (k->type == SCHEMA_SECTION) {
            str_printf(out, "%*s%s:\n", indent, "", key);
            put_keys(out, k->path, indent + 2, provider, topology, name);
        } else {
            put_example_line(out, k, key, indent, example_value(k, provider, topology, name));
        }
    }
}

static int check_word(const char *path, const char *word, struct err *err)
{
    for (const struct schema_key *k = schema_keys; k->path; k++) {
        const char *p = str_eq(k->path, path) ? k->choices : NULL;

        for (; p && *p; p += strcspn(p, "|"), p += *p == '|')
            if (strcspn(p, "|") == strlen(word) && str_starts(p, word))
                return 0;
        if (str_eq(k->path, path)) {
            err_set(err, ERR_USAGE, "there is no %s \"%s\"", path, word);
            return err_hint(err, "one of: %s", k->choices);
        }
    }
    return -1;
}

int cluster_write_example(const char *provider, const char *topology, const char *name,
                          struct str *out, struct err *err)
{
    if (check_word("provider.name", provider, err) < 0 || check_word("topology", topology, err) < 0)
        return -1;
    str_puts(
        out,
        "# A cluster file of pgha-deploy. Only `cluster` and `provider` are required; everything\n"
        "# else shows its default. `pgha-deploy validate` checks it, `pgha-deploy up` makes it "
        "so.\n");
    put_keys(out, "", 0, provider, topology, name);
    return 0;
}

static void put_docs_row(struct str *out, const struct schema_key *k)
{
    str_printf(out, "| `%s` | %s", k->path, schema_type_help(k->type));
    if (k->choices)
        for (const char *p = k->choices; *p; p += strcspn(p, "|"), p += *p == '|')
            str_printf(out, "%s%.*s", p == k->choices ? ": " : ", ", (int)strcspn(p, "|"), p);
    if (k->type == SCHEMA_INT && k->min != k->max)
        str_printf(out, ", %lld to %lld", (long long)k->min, (long long)k->max);
    if (k->required)
        str_puts(out, " | required");
    else if (k->otherwise)
        str_printf(out, " | `%s`", k->otherwise);
    else
        str_puts(out, " | ");
    str_printf(out, " | %s |\n", k->help);
}

void cluster_write_docs(struct str *out)
{
    str_puts(out, "# The cluster file\n\n"
                  "Made from the schema table by `pgha-deploy docs cluster-file`; a test holds "
                  "this page against it.\n"
                  "YAML 1.1 as PyYAML reads it. Unknown keys are errors. `pgha-deploy init` writes "
                  "a commented file.\n\n"
                  "| key | type | default | what |\n|---|---|---|---|\n");
    for (const struct schema_key *k = schema_keys; k->path; k++)
        put_docs_row(out, k);
    str_puts(out, "\n## Failover presets\n\n"
                  "Patroni's rule loop_wait + 2*retry_timeout <= ttl holds for each.\n\n"
                  "| preset | ttl s | loop_wait s | retry_timeout s | HAProxy check ms | fall | "
                  "rise | answer ms | VRRP advert ms | "
                  "balancer check ms | fall | rise | for |\n"
                  "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (const struct preset *p = presets; p->name; p++)
        str_printf(out, "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %s |\n",
                   p->name, p->ttl, p->loop_wait, p->retry_timeout, p->haproxy_inter_ms,
                   p->haproxy_fall, p->haproxy_rise, p->haproxy_answer_ms, p->advert_ms,
                   p->vrrp_check_ms, p->vrrp_check_fall, p->vrrp_check_rise, p->help);
}
