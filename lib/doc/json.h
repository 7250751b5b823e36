/*
 * json.h - JSON into values and back (jansson).
 */
#ifndef PGHA_JSON_H
#define PGHA_JSON_H

#include "lib/base/err.h"
#include "lib/doc/value.h"

#define JSON_MAX_BYTES ((size_t)64 << 20)
#define JSON_MAX_DEPTH 64

enum json_style {
    JSON_LINE, /* {"a": 1, "b": [2]} as Python's json.dumps has it by default, non-ASCII escaped */
    JSON_PRETTY, /* two spaces, ending in a newline */
    JSON_TIGHT   /* {"a":1} */
};

struct value *json_parse(struct arena *a, const char *name, const char *text, size_t len,
                         struct err *err);
struct value *json_parse_file(struct arena *a, const char *path, struct err *err);
void json_write(const struct value *v, enum json_style style, struct str *out);

#endif
