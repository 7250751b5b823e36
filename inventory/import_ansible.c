/*
 * import_ansible.c - an Ansible inventory as it is: its groups and variables stay, only db, lb and
 * etcd come to them.
 */
#include "inventory/import.h"
#include "inventory/internal.h"

static bool looks(const char *text, size_t len)
{
    UNUSED(text);
    UNUSED(len);
    return true; /* the last to be asked */
}

void import_take_inventory(struct import *im)
{
    for (size_t i = 0; i < im->inv.hosts.n; i++) {
        const struct inventory_host *from = im->inv.hosts.entries[i].value;
        struct import_host *host = import_add_host(im, from->name);
        size_t n;
        struct inventory_group **groups = inventory_host_groups(&im->inv, from, &n);

        for (size_t k = 0; k < n; k++) {
            if (groups[k] != inventory_all(&im->inv) && groups[k] != inventory_ungrouped(&im->inv))
                import_add_word(im, host, groups[k]->name);
        }
        free(groups);
    }
}

static void read_text(struct import *im, const char *file, const char *text, size_t len,
                      struct faults *faults)
{
    if (inventory_load_text(&im->inv, file, text, len, faults) == 0)
        import_take_inventory(im);
}

const struct import_format import_ansible = {"ansible", looks, read_text};
