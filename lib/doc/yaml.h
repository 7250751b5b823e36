/*
 * yaml.h - YAML into values, with places, as PyYAML's safe loader types it (YAML 1.1: on, yes, 0o17
 * is text, 017 is octal).
 *
 * Not as PyYAML: timestamps stay strings, as do integers beyond 64 bits; a key is the text it was
 * written as. Aliases and merge keys (<<) work; an aliased value is shared, not copied, and stands
 * where its anchor stood. One document (an empty one is null). Duplicate keys, keys that are no
 * scalars, tags other than the core ones, aliases that expand beyond the limits, depth and size
 * beyond the limits: each is a fault, and parsing goes on where libyaml can.
 */
#ifndef PGHA_YAML_H
#define PGHA_YAML_H

#include "lib/doc/fault.h"

#define YAML_MAX_BYTES ((size_t)4 << 20)
#define YAML_MAX_DEPTH 64
#define YAML_MAX_NODES 200000

/* file: name for messages (copied). NULL when anything was added to faults. */
struct value *yaml_parse(struct arena *a, const char *file, const char *text, size_t len,
                         struct faults *faults);
/* A list of all documents; none of an empty text. The limits hold for all of them together. */
struct value *yaml_parse_all(struct arena *a, const char *file, const char *text, size_t len,
                             struct faults *faults);
struct value *yaml_parse_file(struct arena *a, const char *path, struct faults *faults);
/* The type that an unquoted scalar has in YAML 1.1 (for -e name=value and INI inventories too). */
struct value *yaml_scalar(struct arena *a, const char *text, size_t len);

/* True when the text, written without quotes, is a string for every YAML 1.1 reader: no number,
 * date, yes, ~, <<, =. Says nothing about characters that YAML needs for itself. */
bool yaml_reads_as_string(const char *text, size_t len);

/* Block style, two spaces, keys in order; strings quoted when they would read back as anything
 * else. Ends in a newline. What it writes, yaml_parse and PyYAML read back equal; only bytes
 * that are not UTF-8 become U+FFFD, which is all that YAML can say. */
void yaml_write(const struct value *v, struct str *out);

#endif
