/*
 * value.c - building, looking up, comparing, copying and merging values.
 */
#include <math.h>

#include "lib/base/err.h"
#include "lib/base/hash.h"
#include "lib/doc/value.h"

#define INDEX_FROM 8 /* entries; a smaller map is searched from the front */

static struct value *new_value(struct arena *a, enum value_type type)
{
    struct value *v = arena_new(a, struct value);

    v->type = type;
    return v;
}

struct value *value_null(struct arena *a)
{
    return new_value(a, VALUE_NULL);
}

struct value *value_bool(struct arena *a, bool b)
{
    struct value *v = new_value(a, VALUE_BOOL);

    v->u.b = b;
    return v;
}

struct value *value_int(struct arena *a, int64_t i)
{
    struct value *v = new_value(a, VALUE_INT);

    v->u.i = i;
    return v;
}

struct value *value_float(struct arena *a, double f)
{
    struct value *v = new_value(a, VALUE_FLOAT);

    v->u.f = f;
    return v;
}

struct value *value_str(struct arena *a, const char *s)
{
    return value_strn(a, s, strlen(s));
}

struct value *value_strn(struct arena *a, const char *s, size_t len)
{
    struct value *v = new_value(a, VALUE_STR);

    v->u.str.s = arena_strndup(a, s, len);
    v->u.str.len = len;
    return v;
}

struct value *value_strf(struct arena *a, const char *fmt, ...)
{
    struct value *v;
    va_list args;
    char *text;

    va_start(args, fmt);
    text = xvasprintf(fmt, args);
    va_end(args);
    v = value_str(a, text);
    free(text);
    return v;
}

struct value *value_list(struct arena *a)
{
    return new_value(a, VALUE_LIST);
}

struct value *value_map(struct arena *a)
{
    return new_value(a, VALUE_MAP);
}

/* A larger copy of an array in the arena; the old one stays there until the arena goes. */
static void *grow(struct arena *a, const void *items, size_t n, size_t *cap, size_t size)
{
    void *larger;

    *cap = *cap ? *cap * 2 : 4;
    larger = arena_alloc(a, *cap * size);
    if (items)
        memcpy(larger, items, n * size);
    return larger;
}

void value_list_add(struct arena *a, struct value *list, struct value *item)
{
    if (list->type != VALUE_LIST)
        BUG("value_list_add to a %s", value_type_name(list->type));
    if (list->u.list.n == list->u.list.cap)
        list->u.list.items = grow(a, list->u.list.items, list->u.list.n, &list->u.list.cap,
                                  sizeof(*list->u.list.items));
    list->u.list.items[list->u.list.n++] = item;
}

/* The slot of key, or the empty one where it would go. Only for maps with an index. */
static uint32_t *find_slot(const struct value *map, const char *key)
{
    size_t mask = map->u.map.slot_count - 1;
    size_t i = hash_fnv1a(key, strlen(key)) & mask;

    while (map->u.map.slots[i] && strcmp(map->u.map.entries[map->u.map.slots[i] - 1].key, key) != 0)
        i = (i + 1) & mask;
    return &map->u.map.slots[i];
}

static void index_entries(struct value *map)
{
    memset(map->u.map.slots, 0, map->u.map.slot_count * sizeof(*map->u.map.slots));
    for (size_t i = 0; i < map->u.map.n; i++)
        *find_slot(map, map->u.map.entries[i].key) = (uint32_t)i + 1;
}

/* Keeps the index at most half full, and builds it when the map gets large enough to want one. */
static void widen_index(struct arena *a, struct value *map)
{
    size_t n = map->u.map.n;

    if (n < INDEX_FROM || map->u.map.slot_count >= 2 * (n + 1))
        return;
    map->u.map.slot_count =
        map->u.map.slot_count ? map->u.map.slot_count * 2 : (size_t)4 * INDEX_FROM;
    map->u.map.slots = arena_alloc(a, map->u.map.slot_count * sizeof(*map->u.map.slots));
    index_entries(map);
}

struct value_entry *value_find_entry(const struct value *map, const char *key)
{
    if (!map || map->type != VALUE_MAP)
        return NULL;
    if (map->u.map.slot_count) {
        uint32_t slot = *find_slot(map, key);

        return slot ? &map->u.map.entries[slot - 1] : NULL;
    }
    for (size_t i = 0; i < map->u.map.n; i++) {
        if (strcmp(map->u.map.entries[i].key, key) == 0)
            return &map->u.map.entries[i];
    }
    return NULL;
}

void value_map_set(struct arena *a, struct value *map, const char *key, struct value *item)
{
    struct value_entry *entry;

    if (map->type != VALUE_MAP)
        BUG("value_map_set in a %s", value_type_name(map->type));
    entry = value_find_entry(map, key);
    if (entry) {
        entry->value = item;
        return;
    }
    if (map->u.map.n == map->u.map.cap)
        map->u.map.entries =
            grow(a, map->u.map.entries, map->u.map.n, &map->u.map.cap, sizeof(*map->u.map.entries));
    widen_index(a, map);
    key = arena_strdup(a, key);
    if (map->u.map.slot_count)
        *find_slot(map, key) = (uint32_t)map->u.map.n + 1;
    map->u.map.entries[map->u.map.n++] = (struct value_entry){.key = key, .value = item};
}

bool value_map_del(struct value *map, const char *key)
{
    struct value_entry *entry = value_find_entry(map, key);
    size_t place;

    if (!entry)
        return false;
    place = (size_t)(entry - map->u.map.entries);
    memmove(entry, entry + 1, (map->u.map.n - place - 1) * sizeof(*entry));
    map->u.map.n--;
    if (map->u.map.slot_count)
        index_entries(map);
    return true;
}

struct value *value_get(const struct value *map, const char *key)
{
    struct value_entry *entry = value_find_entry(map, key);

    return entry ? entry->value : NULL;
}

struct value *value_at(const struct value *map, const char *dotted)
{
    char *keys = xstrdup(dotted), *rest = keys, *key;
    struct value *found = NULL;

    while ((key = strsep(&rest, "."))) {
        found = value_get(map, key);
        map = found;
    }
    free(keys);
    return found;
}

const char *value_get_str(const struct value *map, const char *key, const char *otherwise)
{
    const struct value *v = value_get(map, key);

    return value_is_str(v) ? v->u.str.s : otherwise;
}

int64_t value_get_int(const struct value *map, const char *key, int64_t otherwise)
{
    const struct value *v = value_get(map, key);

    return v && v->type == VALUE_INT ? v->u.i : otherwise;
}

bool value_get_bool(const struct value *map, const char *key, bool otherwise)
{
    const struct value *v = value_get(map, key);

    return v && v->type == VALUE_BOOL ? v->u.b : otherwise;
}

bool value_is_str(const struct value *v)
{
    return v && v->type == VALUE_STR;
}

const char *value_type_name(enum value_type type)
{
    static const char *const names[] = {
        [VALUE_UNDEFINED] = "undefined", [VALUE_NULL] = "null",   [VALUE_BOOL] = "boolean",
        [VALUE_INT] = "integer",         [VALUE_FLOAT] = "float", [VALUE_STR] = "string",
        [VALUE_LIST] = "list",           [VALUE_MAP] = "map",     [VALUE_OBJECT] = "object"};

    return (size_t)type < ARRAY_LEN(names) ? names[type] : "unknown";
}

/* Exact: 2^53 + 1 is no double, so it equals none. */
static bool int_equals_float(int64_t i, double f)
{
    return f >= (double)INT64_MIN && f < -(double)INT64_MIN && (int64_t)f == i &&
           (double)(int64_t)f == f;
}

static bool lists_equal(const struct value *a, const struct value *b)
{
    if (a->u.list.n != b->u.list.n)
        return false;
    for (size_t i = 0; i < a->u.list.n; i++) {
        if (!value_equal(a->u.list.items[i], b->u.list.items[i]))
            return false;
    }
    return true;
}

static bool maps_equal(const struct value *a, const struct value *b)
{
    if (a->u.map.n != b->u.map.n)
        return false;
    for (size_t i = 0; i < a->u.map.n; i++) {
        const struct value *other = value_get(b, a->u.map.entries[i].key);

        if (!other || !value_equal(a->u.map.entries[i].value, other))
            return false;
    }
    return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (a->type == VALUE_INT && b->type == VALUE_FLOAT)
        return int_equals_float(a->u.i, b->u.f);
    if (a->type == VALUE_FLOAT && b->type == VALUE_INT)
        return int_equals_float(b->u.i, a->u.f);
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case VALUE_UNDEFINED:
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return a->u.b == b->u.b;
    case VALUE_INT:
        return a->u.i == b->u.i;
    case VALUE_FLOAT:
        return a->u.f == b->u.f;
    case VALUE_STR:
        return a->u.str.len == b->u.str.len && memcmp(a->u.str.s, b->u.str.s, a->u.str.len) == 0;
    case VALUE_LIST:
        return lists_equal(a, b);
    case VALUE_MAP:
        return maps_equal(a, b);
    case VALUE_OBJECT:
        return a->u.object == b->u.object;
    }
    return false;
}

/* Where a tree is copied to. Nearly all of its values name the same file: that name is copied once.
 */
struct copier {
    struct arena *arena;
    const char *file, *file_copy;
};

static struct source copy_source(struct copier *c, struct source src)
{
    if (src.file && src.file != c->file) {
        c->file = src.file;
        c->file_copy = arena_strdup(c->arena, src.file);
    }
    if (src.file)
        src.file = c->file_copy;
    return src;
}

static struct value *copy_tree(struct copier *c, const struct value *v);

/* Sets key in the copy `to`; a place that is already known stays with the newer entry. */
static void copy_entry(struct copier *c, struct value *to, const struct value_entry *from,
                       struct value *item)
{
    value_map_set(c->arena, to, from->key, item);
    value_find_entry(to, from->key)->key_src = copy_source(c, from->key_src);
}

static struct value *copy_tree(struct copier *c, const struct value *v)
{
    struct value *copy = new_value(c->arena, v->type);

    copy->plain = v->plain;
    copy->src = copy_source(c, v->src);
    switch (v->type) {
    case VALUE_STR:
        copy->u.str.s = arena_strndup(c->arena, v->u.str.s, v->u.str.len);
        copy->u.str.len = v->u.str.len;
        break;
    case VALUE_LIST:
        for (size_t i = 0; i < v->u.list.n; i++)
            value_list_add(c->arena, copy, copy_tree(c, v->u.list.items[i]));
        break;
    case VALUE_MAP:
        for (size_t i = 0; i < v->u.map.n; i++)
            copy_entry(c, copy, &v->u.map.entries[i], copy_tree(c, v->u.map.entries[i].value));
        break;
    default:
        copy->u = v->u;
        break;
    }
    return copy;
}

struct value *value_copy(struct arena *a, const struct value *v)
{
    return copy_tree(&(struct copier){.arena = a}, v);
}

static struct value *merge_trees(struct copier *c, const struct value *base,
                                 const struct value *over)
{
    struct value *merged;

    if (base->type != VALUE_MAP || over->type != VALUE_MAP)
        return copy_tree(c, over);
    merged = new_value(c->arena, VALUE_MAP);
    merged->src = copy_source(c, over->src);
    for (size_t i = 0; i < base->u.map.n; i++) {
        const struct value_entry *entry = &base->u.map.entries[i];

        if (!value_get(over, entry->key))
            copy_entry(c, merged, entry, copy_tree(c, entry->value));
        else
            value_map_set(c->arena, merged, entry->key, NULL); /* its place; set below */
    }
    for (size_t i = 0; i < over->u.map.n; i++) {
        const struct value_entry *entry = &over->u.map.entries[i];
        const struct value *below = value_get(base, entry->key);

        copy_entry(c, merged, entry,
                   below ? merge_trees(c, below, entry->value) : copy_tree(c, entry->value));
    }
    return merged;
}

struct value *value_merge(struct arena *a, const struct value *base, const struct value *over)
{
    return merge_trees(&(struct copier){.arena = a}, base, over);
}

struct value *value_object_map(struct arena *a, const struct value *object)
{
    const struct value_object *members = object->u.object;
    struct value *map = value_map(a);

    for (size_t i = 0; i < members->count(members); i++) {
        const char *key = members->key_at(members, i);
        struct err err = ERR_INIT;
        const struct value *item = NULL;
        bool found = members->get(members, a, key, &item, &err) == LOOKUP_FOUND;

        value_map_set(a, map, key, found ? value_copy(a, item) : value_null(a));
        err_release(&err);
    }
    return map;
}

void value_float_text(double f, char out[VALUE_FLOAT_SIZE])
{
    char digits[VALUE_FLOAT_SIZE];
    int precision = 0, exponent;

    if (isnan(f) || isinf(f)) {
        snprintf(out, VALUE_FLOAT_SIZE, "%s", isnan(f) ? "nan" : f > 0 ? "inf" : "-inf");
        return;
    }
    do {
        snprintf(digits, sizeof(digits), "%.*e", precision, f);
    } while (strtod(digits, NULL) != f && ++precision < 17);
    /* Python: an exponent below -4 or from 16 on is written as one. */
    exponent = atoi(strchr(digits, 'e') + 1);
    if (exponent >= -4 && exponent < 16)
        snprintf(out, VALUE_FLOAT_SIZE, "%.*f", precision > exponent ? precision - exponent : 1, f);
    else
        snprintf(out, VALUE_FLOAT_SIZE, "%s", digits);
}
