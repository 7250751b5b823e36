/*
 * map.h - string keys to pointers, in order of insertion. Keys are copied; values are not owned.
 */
#ifndef PGHA_MAP_H
#define PGHA_MAP_H

#include "lib/base/base.h"

struct map_entry {
    char *key;
    void *value;
};

struct map {
    struct map_entry *entries; /* in order of insertion; walk 0..n-1 */
    size_t n, cap;
    uint32_t *slots; /* index + 1 into entries; 0 is empty */
    size_t slot_count;
};

void map_init(struct map *m);
void map_release(struct map *m);
void *map_get(const struct map *m, const char *key); /* NULL when absent */
bool map_has(const struct map *m, const char *key);
void map_set(struct map *m, const char *key, void *value); /* replaces, keeping the place */
bool map_del(struct map *m, const char *key);

#endif
