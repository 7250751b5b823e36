/*
 * random.c - MT19937, seeded and drawn from as CPython does.
 */
#include "lib/jinja/random.h"

#include "lib/base/hash.h"

#define MIDDLE 397

static void seed_word(struct random *r, uint32_t seed)
{
    r->state[0] = seed;
    for (uint32_t i = 1; i < RANDOM_WORDS; i++)
        r->state[i] = 1812433253u * (r->state[i - 1] ^ (r->state[i - 1] >> 30)) + i;
    r->next = RANDOM_WORDS;
}

/* init_by_array */
static void seed_words(struct random *r, const uint32_t *key, size_t n)
{
    uint32_t *state = r->state;
    size_t i = 1, j = 0;

    seed_word(r, 19650218u);
    for (size_t k = n > RANDOM_WORDS ? n : RANDOM_WORDS; k > 0; k--) {
        state[i] =
            (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) * 1664525u)) + key[j] + (uint32_t)j;
        j = j + 1 < n ? j + 1 : 0;
        if (++i == RANDOM_WORDS) {
            state[0] = state[RANDOM_WORDS - 1];
            i = 1;
        }
    }
    for (size_t k = RANDOM_WORDS - 1; k > 0; k--) {
        state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) * 1566083941u)) - (uint32_t)i;
        if (++i == RANDOM_WORDS) {
            state[0] = state[RANDOM_WORDS - 1];
            i = 1;
        }
    }
    state[0] = 0x80000000u;
}

void random_seed_int(struct random *r, int64_t seed)
{
    uint64_t n = seed < 0 ? 0 - (uint64_t)seed : (uint64_t)seed;
    uint32_t key[2] = {(uint32_t)n, (uint32_t)(n >> 32)};

    seed_words(r, key, key[1] ? 2 : 1);
}

/* The text and its SHA-512 are the bytes of one large number, the first one the highest. */
void random_seed_text(struct random *r, const char *seed, size_t len)
{
    size_t size = len + DIGEST_MAX_SIZE, n = (size + 3) / 4;
    unsigned char *bytes = xcalloc(size, 1);
    uint32_t *key = xcalloc(n, sizeof(*key));

    if (len > 0)
        memcpy(bytes, seed, len);
    if (digest("sha512", seed, len, bytes + len) != DIGEST_MAX_SIZE)
        BUG("libcrypto has no SHA-512");
    for (size_t i = 0; i < size; i++)
        key[i / 4] |= (uint32_t)bytes[size - 1 - i] << (i % 4 * 8);
    while (n > 1 && key[n - 1] == 0)
        n--;
    seed_words(r, key, n);
    free(bytes);
    free(key);
}

static void generate(struct random *r)
{
    for (size_t i = 0; i < RANDOM_WORDS; i++) {
        uint32_t y = (r->state[i] & 0x80000000u) | (r->state[(i + 1) % RANDOM_WORDS] & 0x7fffffffu);

        r->state[i] =
            r->state[(i + MIDDLE) % RANDOM_WORDS] ^ (y >> 1) ^ ((y & 1) ? 0x9908b0dfu : 0);
    }
    r->next = 0;
}

static uint32_t draw(struct random *r)
{
    uint32_t y;

    if (r->next == RANDOM_WORDS)
        generate(r);
    y = r->state[r->next++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

static uint64_t draw_bits(struct random *r, unsigned bits)
{
    uint64_t low;

    if (bits <= 32)
        return draw(r) >> (32 - bits);
    low = draw(r);
    return low | (uint64_t)(draw(r) >> (64 - bits)) << 32;
}

uint64_t random_below(struct random *r, uint64_t n)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(n);
    uint64_t drawn = draw_bits(r, bits);

    while (drawn >= n)
        drawn = draw_bits(r, bits);
    return drawn;
}
