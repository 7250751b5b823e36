/*
 * import_write.c - the proposal as files: a cluster file whose comments say what was guessed, and
 * the inventory that it names.
 */
#include "inventory/import.h"
#include "inventory/internal.h"
#include "lib/doc/yaml.h"

#define WIDTH 98

/* A comment over as many lines as it takes: "#   - first line", then "#     more". */
static void put_comment(const char *text, struct str *out)
{
    size_t column = 0;

    str_puts(out, "#   -");
    while (*text) {
        size_t len = strcspn(text, " ");

        if (column > 0 && column + len + 1 > WIDTH - 6) {
            str_puts(out, "\n#    ");
            column = 0;
        }
        str_printf(out, " %.*s", (int)len, text);
        column += len + 1;
        text += len + (text[len] == ' ');
    }
    str_putc(out, '\n');
}

static void put_notes(const struct import *im, struct str *out)
{
    vec_each (note, &im->notes)
        put_comment(*note, out);
}

static const char *common_user(const struct import *im)
{
    vec_each (host, &im->hosts)
        if (host->user)
            return host->user;
    return NULL;
}

void import_write_cluster(const struct import *im, struct str *out)
{
    str_printf(out,
               "# Proposed by `pgha-deploy inventory %s`, from a source of the kind %s. Read it "
               "before\n# `pgha-deploy up`. What was guessed:\n",
               im->command, im->format);
    put_notes(im, out);
    str_printf(out, "cluster: %s\nprovider: {name: existing, inventory: %s}\n", im->cluster,
               IMPORT_INVENTORY_FILE);
    if (im->settings && im->settings->u.map.n) {
        str_putc(out, '\n');
        yaml_write(im->settings, out);
    }
    if (import_count(im, IMPORT_LB) > 0 && !value_at(im->settings, "network.vip"))
        str_printf(
            out,
            "\n# The balancers share one address, to which clients connect. %s\n# a free one "
            "of the balancers' network, and take the # away.\n# network: {vip: %s}\n",
            im->vip ? "Check that this is" : "It cannot be guessed: fill in",
            im->vip ? im->vip : "192.0.2.100");
    if (!str_eq(im->format, "ansible") && !common_user(im))
        str_puts(out,
                 "\n# Nothing says which user logs in: without ansible_user it is yours. As in "
                 "Ansible:\n# provider: {name: existing, inventory: inventory.yml, vars: "
                 "{ansible_user: admin}}\n");
}

int import_write_inventory(const struct import *im, struct str *out, struct err *err)
{
    str_printf(out,
               "# Made by `pgha-deploy inventory %s`. The groups db, lb and etcd say what a "
               "host is for;\n# the cluster file says what was guessed.\n",
               im->command);
    return inventory_write(&im->inv, INVENTORY_YAML, NULL, out, err);
}

/* ---- for programs ---- */

static struct value *host_value(const struct import_host *host, struct arena *a)
{
    struct value *v = value_map(a), *roles = value_list(a);

    value_map_set(a, v, "name", value_str(a, host->name));
    if (host->login)
        value_map_set(a, v, "ansible_host", value_str(a, host->login));
    if (host->inside)
        value_map_set(a, v, "address", value_str(a, host->inside));
    for (int role = 0; role < IMPORT_ROLES; role++) {
        if (host->role[role])
            value_list_add(a, roles, value_str(a, import_role_names[role]));
    }
    value_map_set(a, v, "groups", roles);
    return v;
}

static struct value *members(const struct import *im, enum import_role role, struct arena *a)
{
    struct value *list = value_list(a);

    vec_each (host, &im->hosts) {
        if (host->role[role])
            value_list_add(a, list, value_str(a, host->name));
    }
    return list;
}

struct value *import_value(const struct import *im, struct arena *a)
{
    struct value *v = value_map(a), *hosts = value_list(a), *groups = value_map(a),
                 *notes = value_list(a);

    value_map_set(a, v, "cluster", value_str(a, im->cluster));
    value_map_set(a, v, "source", value_str(a, im->source));
    value_map_set(a, v, "from", value_str(a, im->format));
    vec_each (host, &im->hosts)
        value_list_add(a, hosts, host_value(host, a));
    value_map_set(a, v, "hosts", hosts);
    for (int role = 0; role < IMPORT_ROLES; role++)
        value_map_set(a, groups, import_role_names[role], members(im, (enum import_role)role, a));
    value_map_set(a, v, "groups", groups);
    vec_each (note, &im->notes)
        value_list_add(a, notes, value_str(a, *note));
    value_map_set(a, v, "guesses", notes);
    return v;
}
