/*
 * read.c - what all readers share: names checked, limits kept, errors turned into faults with a
 * place.
 */
#include "inventory/internal.h"

struct inventory_group *inventory_read_group(struct inventory *inv, const char *name,
                                             struct source src, struct faults *faults)
{
    const char *fault = inventory_group_name_fault(name);

    if (!fault && inv->groups.n >= INVENTORY_MAX_GROUPS && !map_has(&inv->groups, name))
        fault = "more than 10000 groups in one inventory";
    if (!fault)
        return inventory_group(inv, name);
    fault_add(faults, src, "group '%.80s': %s", name, fault);
    return NULL;
}

struct inventory_host *inventory_read_host(struct inventory *inv, const char *name,
                                           struct inventory_group *group, int64_t port,
                                           struct source src, struct faults *faults)
{
    const char *fault = inventory_host_name_fault(name);
    struct inventory_host *host = map_get(&inv->hosts, name);

    if (!fault && !host && inv->hosts.n >= INVENTORY_MAX_HOSTS)
        fault = "more than 50000 hosts in one inventory";
    if (fault) {
        fault_add(faults, src, "host '%.80s': %s", name, fault);
        return NULL;
    }
    if (!host) {
        host = inventory_host(inv, name);
        if (port) /* as in Ansible, only where a host is first named */
            value_map_set(&inv->arena, host->vars, "ansible_port", value_int(&inv->arena, port));
    }
    inventory_add_host(inv, group, host);
    return host;
}

void inventory_read_child(struct inventory *inv, struct inventory_group *parent,
                          struct inventory_group *child, struct source src, struct faults *faults)
{
    struct err err = ERR_INIT;

    if (inventory_add_child(inv, parent, child, &err) < 0) {
        fault_add(faults, src, "%s", err.text);
        if (err.hint)
            fault_hint(faults, "%s", err.hint);
    }
    err_release(&err);
}

void inventory_read_host_vars(struct inventory *inv, struct inventory_host *host,
                              struct value *vars, struct source src, struct faults *faults)
{
    inventory_settle_tagged(inv, vars, src, faults);
    for (size_t i = 0; i < vars->u.map.n; i++)
        value_map_set(&inv->arena, host->vars, vars->u.map.entries[i].key,
                      vars->u.map.entries[i].value);
}

void inventory_read_group_var(struct inventory *inv, struct inventory_group *group, const char *key,
                              struct value *value, struct faults *faults)
{
    inventory_settle_tagged(inv, value, value->src, faults);
    if (inventory_set_group_var(inv, group, key, value) < 0)
        fault_add(faults, value->src, "ansible_group_priority of group '%s' must be an integer",
                  group->name);
}
