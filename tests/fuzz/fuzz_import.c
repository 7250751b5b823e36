/*
 * fuzz_import.c - any bytes are a source of each kind, or refused; what is proposed is an inventory
 * that reads back, with a comment on every line of the cluster file that is not ours.
 */
#include "inventory/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inventory(const struct import *im)
{
    struct inventory again;
    struct faults faults;
    struct err err = ERR_INIT;
    struct str text;

    inventory_init(&again);
    faults_init(&faults);
    str_init(&text, INVENTORY_MAX_BYTES);
    if (import_write_inventory(im, &text, &err) == 0 &&
        inventory_load_text(&again, "made.yml", text.buf, text.len, &faults) < 0)
        BUG("the inventory cannot be read: %s", faults.items[0].text);
    err_release(&err);
    str_release(&text);
    faults_release(&faults);
    inventory_release(&again);
}

static void check_cluster(const struct import *im)
{
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    import_write_cluster(im, &text);
    for (const char *line = text.buf; *line; line += strcspn(line, "\n") + 1) {
        if (*line != '#' && *line != '\n' && !str_starts(line, "cluster: ") &&
            !str_starts(line, "provider: "))
            BUG("a line of the cluster file: %s", line);
    }
    str_release(&text);
}

static void read_as(const char *format, const uint8_t *data, size_t size)
{
    struct faults faults;
    struct err err = ERR_INIT;
    struct import im;

    import_init(&im);
    faults_init(&faults);
    if (import_read_text(&im, "fuzz", (const char *)data, size, format, &faults) == 0 &&
        import_propose(&im, NULL, &err) == 0) {
        check_inventory(&im);
        check_cluster(&im);
    }
    err_release(&err);
    faults_release(&faults);
    import_release(&im);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_as(NULL, data, size);
    for (size_t i = 0; import_formats[i]; i++)
        read_as(import_formats[i]->name, data, size);
    return 0;
}
