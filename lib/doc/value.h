/*
 * value.h - the one tree for YAML, JSON and template values. Lives in an arena; shared freely while
 * nobody changes it.
 *
 * Every value from a file remembers where it stood. Maps keep their order. Numbers are 64-bit
 * integers or doubles.
 */
#ifndef PGHA_VALUE_H
#define PGHA_VALUE_H

#include "lib/base/arena.h"
#include "lib/base/str.h"

enum value_type {
    VALUE_UNDEFINED, /* only inside the template language */
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_FLOAT,
    VALUE_STR,
    VALUE_LIST,
    VALUE_MAP,
    VALUE_OBJECT /* a map whose members are computed on demand (hostvars) */
};

struct source {
    const char *file; /* lives as long as the value's arena; NULL: not from a file */
    int line, col;    /* from 1; 0: unknown */
};

struct value;

enum lookup {
    LOOKUP_FOUND,
    LOOKUP_MISSING,
    LOOKUP_PENDING /* not known yet: needs a host's answer */,
    LOOKUP_ERROR
};

struct err;
struct value_object {
    enum lookup (*get)(const struct value_object *self, struct arena *a, const char *key,
                       const struct value **out, struct err *err);
    size_t (*count)(const struct value_object *self);
    const char *(*key_at)(const struct value_object *self, size_t i);
    void *data;
};

struct value_entry {
    const char *key;
    struct source key_src;
    struct value *value;
};

struct value {
    enum value_type type;
    bool plain; /* a YAML scalar without quotes (only these were typed) */
    struct source src;
    union {
        bool b;
        int64_t i;
        double f;
        struct {
            const char *s; /* NUL-terminated; may hold no NUL inside */
            size_t len;
        } str;
        struct {
            struct value **items;
            size_t n, cap;
        } list;
        struct {
            struct value_entry *entries;
            size_t n, cap;
            uint32_t *slots; /* hash index for larger maps, managed by value.c */
            size_t slot_count;
        } map;
        const struct value_object *object;
    } u;
};

struct value *value_null(struct arena *a);
struct value *value_bool(struct arena *a, bool b);
struct value *value_int(struct arena *a, int64_t i);
struct value *value_float(struct arena *a, double f);
struct value *value_str(struct arena *a, const char *s); /* copies */
struct value *value_strn(struct arena *a, const char *s, size_t len);
struct value *value_strf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct value *value_list(struct arena *a);
struct value *value_map(struct arena *a);

void value_list_add(struct arena *a, struct value *list, struct value *item);
void value_map_set(struct arena *a, struct value *map, const char *key,
                   struct value *item); /* copies key; replaces */
bool value_map_del(struct value *map, const char *key);

/* NULL when absent or not a map. */
struct value *value_get(const struct value *map, const char *key);
/* The entry with its key's place; NULL when absent or not a map. Valid until the map changes. */
struct value_entry *value_find_entry(const struct value *map, const char *key);
/* "a.b.c" through maps. */
struct value *value_at(const struct value *map, const char *dotted);
const char *value_get_str(const struct value *map, const char *key, const char *otherwise);
int64_t value_get_int(const struct value *map, const char *key, int64_t otherwise);
bool value_get_bool(const struct value *map, const char *key, bool otherwise);

bool value_is_str(const struct value *v);
const char *value_type_name(enum value_type type); /* "string", "list", ... for messages */
bool value_equal(const struct value *a,
                 const struct value *b); /* deep; 1 == 1.0; map order does not matter */
struct value *value_copy(struct arena *a, const struct value *v); /* deep */
/* A plain map of what an object (VALUE_OBJECT) can tell now; members not known or failing are null.
 * For writers. */
struct value *value_object_map(struct arena *a, const struct value *object);
/* Shortest text that reads back as the same number, as Python's repr() has it: 1.0, 1e+16, inf,
 * nan. */
#define VALUE_FLOAT_SIZE 32
void value_float_text(double f, char out[VALUE_FLOAT_SIZE]);
/* Maps merged key by key, recursively; otherwise `over` wins (RFC 7386 without removal). New tree
 * in a. */
struct value *value_merge(struct arena *a, const struct value *base, const struct value *over);

#endif
