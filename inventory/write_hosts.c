/*
 * write_hosts.c - lines for /etc/hosts: the variable `address`, else ansible_host, else a name that
 * is an address itself.
 */
#include "inventory/internal.h"

/* /etc/hosts has no place for names without an address, so these become comments. */
static void put_host(const struct inventory_host *host, const struct value *vars, struct str *out)
{
    const char *address = value_get_str(vars, "address", NULL);

    if (!address)
        address = value_get_str(vars, "ansible_host", host->name);
    if (!inventory_is_ip(address))
        str_printf(out, "# %s: no address known\n", host->name);
    else if (!str_eq(address, host->name))
        str_printf(out, "%s %s\n", address, host->name);
}

int inventory_write_hosts(const struct inventory *inv, const char *const *hidden, struct str *out,
                          struct err *err)
{
    struct arena a = ARENA_INIT;

    UNUSED(err);
    for (size_t i = 0; i < inv->hosts.n; i++) {
        struct value *vars = inventory_plain_vars(inv, inv->hosts.entries[i].value, &a);

        inventory_hide(vars, hidden);
        put_host(inv->hosts.entries[i].value, vars, out);
    }
    arena_release(&a);
    return 0;
}
