/*
 * fuzz_yaml.c - any bytes are read as YAML or refused; what is read survives being written and read
 * again.
 */
#include "lib/base/file.h"
#include "lib/doc/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A document is small, but what its aliases stand for is written out each time: that may get too
 * large to read. */
static void check_round_trip(const struct value *v)
{
    struct arena arena = ARENA_INIT;
    struct faults faults;
    struct str first, second;
    const struct value *again;

    faults_init(&faults);
    str_init(&first, YAML_MAX_BYTES);
    str_init(&second, STR_MAX_TEXT);
    yaml_write(v, &first);
    if (!first.full) {
        again = yaml_parse(&arena, "written", first.buf, first.len, &faults);
        if (!again)
            BUG("what was written cannot be read: %s", faults.items[0].text);
        yaml_write(again, &second);
        if (!str_eq(first.buf, second.buf))
            BUG("what was written reads back as something else");
    }
    str_release(&second);
    str_release(&first);
    faults_release(&faults);
    arena_release(&arena);
}

/* One document alone is the one of all. */
static void check_all_documents(const struct value *one, const uint8_t *data, size_t size)
{
    struct arena arena = ARENA_INIT;
    const struct value *all;
    struct faults faults;

    faults_init(&faults);
    all = yaml_parse_all(&arena, "fuzz.yaml", (const char *)data, size, &faults);
    if (!all != (faults.n > 0))
        BUG("documents or faults, never both or none");
    if (one && (!all || all->u.list.n > 1))
        BUG("one document is read alone only");
    faults_release(&faults);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA_INIT;
    struct faults faults;
    struct str lines;
    const struct value *v;

    faults_init(&faults);
    str_init(&lines, STR_MAX_TEXT);
    v = yaml_parse(&arena, "fuzz.yaml", (const char *)data, size, &faults);
    if (!v != (faults.n > 0))
        BUG("a document or faults, never both or none");
    if (v)
        check_round_trip(v);
    check_all_documents(v, data, size);
    faults_format(&faults, &lines);
    str_release(&lines);
    faults_release(&faults);
    arena_release(&arena);
    return 0;
}
