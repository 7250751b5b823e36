/*
 * arena.c - blocks of growing size, handed out from the front.
 */
#include "lib/base/arena.h"

#include <ctype.h>

#define BLOCK_MIN ((size_t)4 << 10)
#define BLOCK_MAX ((size_t)1 << 20)

struct arena_block {
    struct arena_block *next;
    size_t size, used; /* of data */
    max_align_t data[];
};

void arena_init(struct arena *a)
{
    *a = (struct arena)ARENA_INIT;
}

void arena_release(struct arena *a)
{
    struct arena_block *block = a->blocks;

    while (block) {
        struct arena_block *next = block->next;

        free(block);
        block = next;
    }
    arena_init(a);
}

static struct arena_block *new_block(size_t size)
{
    struct arena_block *block = xcalloc(1, sizeof(*block) + size);

    block->size = size;
    return block;
}

/* What fits in no block gets one of its own, behind the first, so that the first stays in use. */
static void *alloc_alone(struct arena *a, size_t size)
{
    struct arena_block *block = new_block(size);

    block->used = size;
    block->next = a->blocks->next;
    a->blocks->next = block;
    return block->data;
}

static void add_block(struct arena *a)
{
    size_t size = a->blocks ? a->blocks->size * 2 : BLOCK_MIN;
    struct arena_block *block = new_block(size < BLOCK_MAX ? size : BLOCK_MAX);

    block->next = a->blocks;
    a->blocks = block;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    void *p;

    if (size > SIZE_MAX / 2)
        BUG("arena_alloc of %zu bytes", size);
    size = size ? (size + align - 1) / align * align : align;
    if (!a->blocks)
        add_block(a);
    a->used += size;
    if (size > a->blocks->size - a->blocks->used) {
        if (size > BLOCK_MIN / 2)
            return alloc_alone(a, size);
        add_block(a);
    }
    p = (char *)a->blocks->data + a->blocks->used;
    a->blocks->used += size;
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    char *copy = arena_alloc(a, len + 1);

    memcpy(copy, s, len);
    return copy;
}

char *arena_trimmed(struct arena *a, const char *s, size_t len)
{
    while (len > 0 && isspace((unsigned char)*s)) {
        s++;
        len--;
    }
    while (len > 0 && isspace((unsigned char)s[len - 1]))
        len--;
    return arena_strndup(a, s, len);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args;
    char *text;

    va_start(args, fmt);
    text = arena_vprintf(a, fmt, args);
    va_end(args);
    return text;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list args)
{
    va_list again;
    char *text;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, args);
    if (len < 0)
        BUG("arena_vprintf cannot format \"%s\"", fmt);
    text = arena_alloc(a, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return text;
}
