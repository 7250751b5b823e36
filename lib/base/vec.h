/*
 * vec.h - typed growing arrays: VEC(struct host) hosts = VEC_INIT; vec_push(&hosts, h);
 *
 * items may move when it grows. vec_release frees the array, not what the items point to.
 */
#ifndef PGHA_VEC_H
#define PGHA_VEC_H

#include "lib/base/base.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t n, cap;                                                                             \
    }
#define VEC_INIT                                                                                   \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

#define vec_push(v, item)                                                                          \
    do {                                                                                           \
        if ((v)->n == (v)->cap) {                                                                  \
            (v)->cap = (v)->cap ? (v)->cap * 2 : 8;                                                \
            (v)->items = xrealloc((v)->items, (v)->cap * sizeof(*(v)->items));                     \
        }                                                                                          \
        (v)->items[(v)->n++] = (item);                                                             \
    } while (0)

#define vec_release(v)                                                                             \
    do {                                                                                           \
        free((v)->items);                                                                          \
        (v)->items = NULL;                                                                         \
        (v)->n = (v)->cap = 0;                                                                     \
    } while (0)

/* NOLINTBEGIN(bugprone-macro-parentheses): item is a name that is declared, not a value */
#define vec_each(item, v)                                                                          \
    for (__typeof__((v)->items[0]) *item = (v)->items; item && item < (v)->items + (v)->n; item++)
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
