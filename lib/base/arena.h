/*
 * arena.h - memory that is freed all at once: one arena per document, plan or job.
 *
 * Nothing allocated here is freed singly. An arena belongs to one thread at a time.
 */
#ifndef PGHA_ARENA_H
#define PGHA_ARENA_H

#include "lib/base/base.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used; /* bytes handed out, for limits and tests */
};

#define ARENA_INIT                                                                                 \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

void arena_init(struct arena *a);
void arena_release(struct arena *a);

void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned for any type */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_trimmed(struct arena *a, const char *s, size_t len); /* without white space around it */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
