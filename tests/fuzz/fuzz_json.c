/*
 * fuzz_json.c - any bytes are read as JSON or refused; what is read survives being written and read
 * again.
 */
#include "lib/doc/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct value *v, enum json_style style)
{
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    const struct value *again;
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    json_write(v, style, &text);
    again = json_parse(&arena, "written", text.buf, text.len, &err);
    if (!again)
        BUG("what was written cannot be read: %s", err.text);
    if (!value_equal(v, again))
        BUG("what was written reads back as something else");
    str_release(&text);
    err_release(&err);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    const struct value *v = json_parse(&arena, "fuzz.json", (const char *)data, size, &err);

    if (!v != (err.text != NULL))
        BUG("a document or an error, never both or none");
    if (v) {
        check_round_trip(v, JSON_LINE);
        check_round_trip(v, JSON_PRETTY);
        check_round_trip(v, JSON_TIGHT);
    }
    err_release(&err);
    arena_release(&arena);
    return 0;
}
