/*
 * filters_hash.c - digests, names and choices made of them, password hashes. Whatever would be
 * another value every time is refused: a plan must come out as it was shown.
 */
#include <crypt.h>
#include <stdio.h>

#include "lib/base/hash.h"
#include "lib/jinja/eval.h"
#include "lib/jinja/random.h"

#define UUID_BYTES        16
#define ROUNDS            5000 /* crypt(5)'s default for both */
#define ROUNDS_MAX        999999
#define ANSIBLE_NAMESPACE "361e6d51faec444a9079341386da8e2e"

/* ---- digests -------------------------------------------------------------------------------- */

static const struct value *hex_digest(struct evaluator *ev, const struct value *in,
                                      const char *name)
{
    const struct value *text = ev_text(ev, in);
    unsigned char raw[DIGEST_MAX_SIZE];
    char hex[2 * DIGEST_MAX_SIZE + 1];
    size_t size;

    if (!text || ev_charge_bytes(ev, text->u.str.len) < 0)
        return NULL;
    if (!(size = digest(name, text->u.str.s, text->u.str.len, raw)))
        return ev_fail(ev, "hash: '%s' is none of md5, sha1, sha224, sha256, sha384, sha512", name);
    hex_of(raw, size, hex);
    return value_str(ev->arena, hex);
}

/* hash(hashtype='sha1') */
static const struct value *filter_hash(struct evaluator *ev, const struct value *in,
                                       const struct call *c)
{
    if (c->arg[0] && !value_is_str(c->arg[0]))
        return ev_fail(ev, "hash: the type must be a string");
    return hex_digest(ev, in, c->arg[0] ? c->arg[0]->u.str.s : "sha1");
}

static const struct value *filter_md5(struct evaluator *ev, const struct value *in,
                                      const struct call *c)
{
    UNUSED(c);
    return hex_digest(ev, in, "md5");
}

static const struct value *filter_sha1(struct evaluator *ev, const struct value *in,
                                       const struct call *c)
{
    UNUSED(c);
    return hex_digest(ev, in, "sha1");
}

/* ---- UUIDs: RFC 9562, version 5 ------------------------------------------------------------- */

static int digit_of(char c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

static bool read_uuid(const char *text, unsigned char out[UUID_BYTES])
{
    size_t n = 0;

    for (; *text; text++) {
        int digit = digit_of(*text);

        if (*text == '-')
            continue;
        if (digit < 0 || n == (size_t)2 * UUID_BYTES)
            return false;
        out[n / 2] = (unsigned char)(n % 2 ? out[n / 2] | digit : digit << 4);
        n++;
    }
    return n == (size_t)2 * UUID_BYTES;
}

/* to_uuid(namespace) */
static const struct value *filter_to_uuid(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    const char *namespace = value_is_str(c->arg[0]) ? c->arg[0]->u.str.s : ANSIBLE_NAMESPACE;
    const struct value *text = ev_text(ev, in);
    unsigned char raw[DIGEST_MAX_SIZE], *both;
    char hex[2 * UUID_BYTES + 1];
    size_t len = text ? text->u.str.len : 0;

    if (!text || ev_charge_bytes(ev, len) < 0)
        return NULL;
    both = arena_alloc(ev->arena, UUID_BYTES + len + 1);
    if (!read_uuid(namespace, both))
        return ev_fail(ev, "Invalid value '%s' for 'namespace'", namespace);
    memcpy(both + UUID_BYTES, text->u.str.s, len);
    if (!digest("sha1", both, UUID_BYTES + len, raw))
        return ev_fail(ev, "libcrypto has no SHA-1");
    raw[6] = (unsigned char)((raw[6] & 0x0f) | 0x50);
    raw[8] = (unsigned char)((raw[8] & 0x3f) | 0x80);
    hex_of(raw, UUID_BYTES, hex);
    return value_strf(ev->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                      hex + 20);
}

/* ---- choices -------------------------------------------------------------------------------- */

static int seed_from(struct evaluator *ev, const char *what, const struct value *seed,
                     struct random *r)
{
    if (!seed || seed->type == VALUE_NULL)
        return ev_error(ev,
                        "%s needs a seed, like seed=inventory_hostname: without one a plan would "
                        "come out differently every time",
                        what);
    if (seed->type == VALUE_STR)
        random_seed_text(r, seed->u.str.s, seed->u.str.len);
    else if (seed->type == VALUE_INT || seed->type == VALUE_BOOL)
        random_seed_int(r, int_of(seed));
    else
        return ev_error(ev, "%s: the seed must be a string or an integer", what);
    return 0;
}

/* random.randrange(start, end, step) */
static const struct value *random_number(struct evaluator *ev, struct random *r, int64_t end,
                                         const struct call *c)
{
    const struct value *from = c->arg[0], *by = c->arg[1];
    int64_t start = 0, step = 1, width;
    uint64_t count;

    if ((from && from->type != VALUE_NULL && from->type != VALUE_INT) ||
        (by && by->type != VALUE_NULL && by->type != VALUE_INT))
        return ev_fail(ev, "random: start and step must be integers");
    if (from && from->type == VALUE_INT)
        start = from->u.i;
    if (by && by->type == VALUE_INT && by->u.i != 0)
        step = by->u.i;
    if (step == INT64_MIN || __builtin_sub_overflow(end, start, &width) || width == INT64_MIN)
        return ev_fail(ev, "random: the numbers are too large");
    if (width == 0 || (width > 0) != (step > 0))
        return ev_fail(ev, "random: empty range");
    count = ((uint64_t)llabs(width) - 1) / (uint64_t)llabs(step) + 1;
    return ev_int(ev, start + step * (int64_t)random_below(r, count));
}

/* random(start=0, step=1, seed=None): below a number, or one of a list's items */
static const struct value *filter_random(struct evaluator *ev, const struct value *in,
                                         const struct call *c)
{
    const struct value *items;
    struct random r;

    if (seed_from(ev, "random", c->arg[2], &r) < 0)
        return NULL;
    if (in->type == VALUE_INT || in->type == VALUE_BOOL)
        return random_number(ev, &r, int_of(in), c);
    if ((c->arg[0] && jinja_truth(c->arg[0])) || (c->arg[1] && jinja_truth(c->arg[1])))
        return ev_fail(ev, "start and step can only be used with integer values");
    if (!(items = ev_items(ev, in)))
        return NULL;
    if (items->u.list.n == 0)
        return ev_fail(ev, "random: Cannot choose from an empty sequence");
    return items->u.list.items[random_below(&r, items->u.list.n)];
}

/* shuffle(seed) */
static const struct value *filter_shuffle(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    const struct value *items = ev_items(ev, in);
    struct value *list = ev_list(ev);
    struct random r;

    if (!items || seed_from(ev, "shuffle", c->arg[0], &r) < 0)
        return NULL;
    for (size_t i = 0; i < items->u.list.n; i++)
        ev_push(ev, list, items->u.list.items[i]);
    for (size_t i = list->u.list.n; i > 1; i--) {
        size_t k = (size_t)random_below(&r, i);
        struct value *item = list->u.list.items[i - 1];

        list->u.list.items[i - 1] = list->u.list.items[k];
        list->u.list.items[k] = item;
    }
    return list;
}

/* ---- passwords: crypt(5) -------------------------------------------------------------------- */

static bool is_salt(const char *salt)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./";
    size_t len = strspn(salt, allowed);

    return len > 0 && len <= 16 && !salt[len];
}

/* "$6$rounds=1000$salt"; *cost: how many rounds that are. */
static int put_setting(struct evaluator *ev, const struct call *c, char *out, size_t size,
                       size_t *cost)
{
    const char *type = !c->arg[0] ? "sha512" : value_is_str(c->arg[0]) ? c->arg[0]->u.str.s : "?";
    const struct value *salt = c->arg[1] ? ev_text(ev, c->arg[1]) : NULL, *rounds = c->arg[2];
    char count[32] = "";

    if (c->arg[1] && !salt)
        return -1;
    if (!str_eq(type, "sha512") && !str_eq(type, "sha256"))
        return ev_error(ev, "password_hash: only sha512 and sha256 are supported, not '%s'", type);
    if (!salt || c->arg[1]->type == VALUE_NULL)
        return ev_error(ev, "password_hash needs a salt, like salt=65534 | random(seed="
                            "inventory_hostname): without one the user would change every time");
    if (!is_salt(salt->u.str.s))
        return ev_error(ev, "password_hash: a salt has 1 to 16 letters, digits, dots and slashes");
    if (rounds && rounds->type != VALUE_NULL &&
        (rounds->type != VALUE_INT || rounds->u.i < 1000 || rounds->u.i > ROUNDS_MAX))
        return ev_error(ev, "password_hash: rounds must be an integer from 1000 to %d", ROUNDS_MAX);
    *cost = rounds && rounds->type == VALUE_INT ? (size_t)rounds->u.i : ROUNDS;
    if (*cost != ROUNDS)
        snprintf(count, sizeof(count), "rounds=%zu$", *cost);
    snprintf(out, size, "$%c$%s%s", str_eq(type, "sha512") ? '6' : '5', count, salt->u.str.s);
    return 0;
}

/* password_hash(hashtype='sha512', salt, rounds=5000) */
static const struct value *filter_password_hash(struct evaluator *ev, const struct value *in,
                                                const struct call *c)
{
    const struct value *text = ev_text(ev, in), *hash;
    struct crypt_data *data;
    char setting[64];
    const char *done;
    size_t cost = 0;

    if (!text || put_setting(ev, c, setting, sizeof(setting), &cost) < 0 || ev_charge(ev, cost) < 0)
        return NULL;
    data = xcalloc(1, sizeof(*data));
    done = crypt_r(text->u.str.s, setting, data);
    hash = done && done[0] == '$' ? value_str(ev->arena, done)
                                  : ev_fail(ev, "password_hash: crypt(3) refuses the password");
    explicit_bzero(data, sizeof(*data));
    free(data);
    return hash;
}

static const struct filter rows[] = {
    {"checksum", "", 0, 0, filter_sha1, "the text's SHA-1 in hexadecimal"},
    {"hash", "hashtype", 0, 0, filter_hash,
     "the digest in hexadecimal: md5, sha1, sha224, sha256, sha384 or sha512"},
    {"md5", "", 0, 0, filter_md5, "the text's MD5 in hexadecimal"},
    {"password_hash", "hashtype salt rounds", 0, 0, filter_password_hash,
     "the password as crypt(5) keeps it, sha512 or sha256; a salt is needed"},
    {"random", "start step seed", 0, 0, filter_random,
     "a number below this one, or an item; the same for the same seed, which is needed"},
    {"sha1", "", 0, 0, filter_sha1, "the text's SHA-1 in hexadecimal"},
    {"shuffle", "seed", 0, 0, filter_shuffle,
     "the items in another order, the same for the same seed, which is needed"},
    {"to_uuid", "namespace", 0, 0, filter_to_uuid, "a UUID made of the text"},
};

const struct filter_table filters_hash = {rows, ARRAY_LEN(rows)};
