/*
 * fuzz_inventory.c - any bytes are an inventory, in each format, or refused; what is read can be
 * written as YAML and JSON, and reads back the same.
 */
#include "inventory/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_json(const struct inventory *inv, struct str *out)
{
    struct err err = ERR_INIT;

    str_init(out, STR_MAX_TEXT);
    if (inventory_write(inv, INVENTORY_JSON, NULL, out, &err) < 0)
        BUG("not written: %s", err.text);
}

/* Values of aliases are written out each time, so what was small may be too large to read. */
static void check_round_trip(const struct inventory *inv, enum inventory_format format,
                             const char *file, const struct str *wanted)
{
    struct inventory again;
    struct faults faults;
    struct err err = ERR_INIT;
    struct str written, got;

    inventory_init(&again);
    faults_init(&faults);
    str_init(&written, INVENTORY_MAX_BYTES);
    if (inventory_write(inv, format, NULL, &written, &err) == 0) {
        if (inventory_load_text(&again, file, written.buf, written.len, &faults) < 0)
            BUG("%s cannot be read: %s", file, faults.items[0].text);
        write_json(&again, &got);
        if (!str_eq(got.buf, wanted->buf))
            BUG("%s reads back as something else", file);
        str_release(&got);
    }
    err_release(&err);
    str_release(&written);
    faults_release(&faults);
    inventory_release(&again);
}

static void read_as(const char *file, const uint8_t *data, size_t size)
{
    struct inventory inv;
    struct faults faults;
    struct str json;

    inventory_init(&inv);
    faults_init(&faults);
    if (inventory_load_text(&inv, file, (const char *)data, size, &faults) == 0) {
        write_json(&inv, &json);
        check_round_trip(&inv, INVENTORY_YAML, "written.yml", &json);
        check_round_trip(&inv, INVENTORY_INI, "written.ini", &json);
        str_release(&json);
    }
    faults_release(&faults);
    inventory_release(&inv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_as("fuzz.ini", data, size);
    read_as("fuzz.yml", data, size);
    read_as("fuzz.json", data, size);
    return 0;
}
