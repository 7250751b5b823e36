/*
 * random.h - Python's random.Random(seed): the same numbers from the same seed (MT19937, Matsumoto
 * and Nishimura 1998; CPython's Lib/random.py and Modules/_randommodule.c).
 */
#ifndef PGHA_JINJA_RANDOM_H
#define PGHA_JINJA_RANDOM_H

#include "lib/base/base.h"

#define RANDOM_WORDS 624

struct random {
    uint32_t state[RANDOM_WORDS];
    size_t next;
};

void random_seed_int(struct random *r, int64_t seed);
void random_seed_text(struct random *r, const char *seed, size_t len);
uint64_t random_below(struct random *r, uint64_t n); /* n above 0 */

#endif
