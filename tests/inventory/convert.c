/*
 * convert.c - what inventory/ makes of an inventory, for compare.t:
 *
 *     convert PATH FORMAT          the inventory in another format
 *     convert PATH --host NAME     one host's variables
 *     convert PATH --match PATTERN the hosts that a pattern means, one a line
 */
#include <stdio.h>

#include "inventory/inventory.h"

static int write_matches(const struct inventory *inv, const char *pattern, struct str *out,
                         struct err *err)
{
    size_t n;
    struct inventory_host **hosts = inventory_match(inv, pattern, &n, err);

    if (!hosts)
        return -1;
    for (size_t i = 0; i < n; i++)
        str_printf(out, "%s\n", hosts[i]->name);
    free(hosts);
    return 0;
}

static int write_as(const struct inventory *inv, char **argv, struct str *out, struct err *err)
{
    enum inventory_format format;

    if (str_eq(argv[2], "--host"))
        return inventory_write_host(inv, argv[3], NULL, out, err);
    if (str_eq(argv[2], "--match"))
        return write_matches(inv, argv[3], out, err);
    if (inventory_format_from_name(argv[2], &format) < 0)
        return err_set(err, ERR_USAGE, "unknown format '%s'", argv[2]);
    return inventory_write(inv, format, NULL, out, err);
}

int main(int argc, char **argv)
{
    struct inventory inv;
    struct faults faults;
    struct err err = ERR_INIT;
    struct str out;
    int rc;

    if (argc < 3 || (argc < 4 && str_starts(argv[2], "--")))
        return 64;
    inventory_init(&inv);
    inv.keep_tagged = true;
    faults_init(&faults);
    str_init(&out, STR_MAX_TEXT);
    rc = inventory_load(&inv, argv[1], &faults);
    if (rc < 0)
        faults_to_err(&faults, &err);
    else
        rc = write_as(&inv, argv, &out, &err);
    if (rc < 0)
        fprintf(stderr, "%s\n", err.text);
    else
        fputs(out.buf, stdout);
    str_release(&out);
    faults_release(&faults);
    inventory_release(&inv);
    rc = rc < 0 ? err_exit_status(err.code) : 0;
    err_release(&err);
    return rc;
}
