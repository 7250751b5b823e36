/*
 * map.c - entries in an array, found by an open-addressing table of indexes into it.
 */
#include "lib/base/map.h"
#include "lib/base/hash.h"

#define SLOTS_MIN 16

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_release(struct map *m)
{
    for (size_t i = 0; i < m->n; i++)
        free(m->entries[i].key);
    free(m->entries);
    free(m->slots);
    map_init(m);
}

/* The slot that holds key, or the empty one where it would go. There is always an empty one. */
static uint32_t *find_slot(const struct map *m, const char *key)
{
    size_t i = hash_fnv1a(key, strlen(key)) & (m->slot_count - 1);

    while (m->slots[i] && strcmp(m->entries[m->slots[i] - 1].key, key) != 0)
        i = (i + 1) & (m->slot_count - 1);
    return &m->slots[i];
}

static void index_all(struct map *m, size_t slot_count)
{
    free(m->slots);
    m->slots = xcalloc(slot_count, sizeof(*m->slots));
    m->slot_count = slot_count;
    for (size_t i = 0; i < m->n; i++)
        *find_slot(m, m->entries[i].key) = (uint32_t)i + 1;
}

/* The place of key among the entries, counted from 1; 0: it has none. */
static size_t find(const struct map *m, const char *key)
{
    return m->slot_count ? *find_slot(m, key) : 0;
}

void *map_get(const struct map *m, const char *key)
{
    size_t place = find(m, key);

    return place ? m->entries[place - 1].value : NULL;
}

bool map_has(const struct map *m, const char *key)
{
    return find(m, key) != 0;
}

void map_set(struct map *m, const char *key, void *value)
{
    size_t place = find(m, key);

    if (place) {
        m->entries[place - 1].value = value;
        return;
    }
    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 8;
        m->entries = xrealloc(m->entries, m->cap * sizeof(*m->entries));
    }
    if (m->slot_count < 2 * (m->n + 1))
        index_all(m, m->slot_count ? m->slot_count * 2 : SLOTS_MIN);
    *find_slot(m, key) = (uint32_t)m->n + 1;
    m->entries[m->n++] = (struct map_entry){.key = xstrdup(key), .value = value};
}

bool map_del(struct map *m, const char *key)
{
    size_t place = find(m, key);
    struct map_entry *entry;

    if (!place)
        return false;
    entry = &m->entries[place - 1];
    free(entry->key);
    memmove(entry, entry + 1, (m->n - place) * sizeof(*entry));
    m->n--;
    index_all(m, m->slot_count); /* the order is kept, so every later index moved */
    return true;
}
