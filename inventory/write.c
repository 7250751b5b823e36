/*
 * write.c - the table of output formats, and one host's variables.
 */
#include "inventory/internal.h"

static inventory_write_fn *const writers[] = {
#define X(format, name, write) write,
    INVENTORY_FORMATS(X)
#undef X
};

const char *const inventory_format_names[] = {
#define X(format, name, write) name,
    INVENTORY_FORMATS(X)
#undef X
        NULL};

int inventory_format_from_name(const char *name, enum inventory_format *format)
{
    for (size_t i = 0; inventory_format_names[i]; i++) {
        if (str_eq(name, inventory_format_names[i])) {
            *format = (enum inventory_format)i;
            return 0;
        }
    }
    return -1;
}

int inventory_write(const struct inventory *inv, enum inventory_format format,
                    const char *const *hidden, struct str *out, struct err *err)
{
    if (writers[format](inv, hidden, out, err) < 0)
        return err_wrap(err, "writing the inventory as %s", inventory_format_names[format]);
    if (out->full)
        return err_set(err, ERR_INPUT, "the inventory as %s is longer than %zu bytes",
                       inventory_format_names[format], out->max);
    return 0;
}

int inventory_write_host(const struct inventory *inv, const char *name, const char *const *hidden,
                         struct str *out, struct err *err)
{
    const struct inventory_host *host = map_get(&inv->hosts, name);
    struct arena a = ARENA_INIT;
    struct value *vars;

    if (!host)
        return err_set(err, ERR_INPUT, "no host '%s' in the inventory", name);
    vars = inventory_plain_vars(inv, host, &a);
    inventory_hide(vars, hidden);
    inventory_put_json(vars, out);
    str_putc(out, '\n');
    arena_release(&a);
    return 0;
}
