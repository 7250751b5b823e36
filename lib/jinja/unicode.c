/*
 * unicode.c - code points, and small tables for case, spaces and printability.
 */
#include "lib/jinja/unicode.h"
#include "lib/base/utf8.h"

#define ESCAPED_BYTE 0xdc00 /* + the byte */

uint32_t unicode_decode(const char *text, size_t len, size_t *size)
{
    uint32_t c;

    *size = utf8_decode(text, len, &c);
    if (c == UTF8_REPLACEMENT && *size == 1)
        return ESCAPED_BYTE + (unsigned char)*text;
    return c;
}

void unicode_put(struct str *out, uint32_t c)
{
    if (c < 0x80) {
        str_putc(out, (char)c);
    } else if (c >= ESCAPED_BYTE + 0x80 && c <= ESCAPED_BYTE + 0xff) {
        str_putc(out, (char)(c - ESCAPED_BYTE));
    } else if (c < 0x800) {
        str_add(out, (char[]){(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f))}, 2);
    } else if (c < 0x10000) {
        str_add(out,
                (char[]){(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)),
                         (char)(0x80 | (c & 0x3f))},
                3);
    } else {
        str_add(out,
                (char[]){(char)(0xf0 | c >> 18), (char)(0x80 | (c >> 12 & 0x3f)),
                         (char)(0x80 | (c >> 6 & 0x3f)), (char)(0x80 | (c & 0x3f))},
                4);
    }
}

size_t unicode_count(const char *text, size_t len)
{
    size_t count = 0, size;

    for (size_t i = 0; i < len; i += size) {
        unicode_decode(text + i, len - i, &size);
        count++;
    }
    return count;
}

size_t unicode_offset(const char *text, size_t len, size_t count)
{
    size_t at = 0, size;

    while (count-- > 0 && at < len) {
        unicode_decode(text + at, len - at, &size);
        at += size;
    }
    return at;
}

/* Letters whose lower case is a fixed distance away, and blocks of alternating pairs (step 2). */
static const struct case_range {
    uint32_t first, last; /* of the upper case letters */
    uint32_t distance, step;
} case_ranges[] = {
    {'A', 'Z', 32, 1},     {0xc0, 0xd6, 32, 1},   {0xd8, 0xde, 32, 1},    {0x100, 0x12e, 1, 2},
    {0x132, 0x136, 1, 2},  {0x139, 0x147, 1, 2},  {0x14a, 0x176, 1, 2},   {0x179, 0x17d, 1, 2},
    {0x386, 0x386, 38, 1}, {0x388, 0x38a, 37, 1}, {0x38c, 0x38c, 64, 1},  {0x38e, 0x38f, 63, 1},
    {0x391, 0x3a1, 32, 1}, {0x3a3, 0x3ab, 32, 1}, {0x400, 0x40f, 80, 1},  {0x410, 0x42f, 32, 1},
    {0x460, 0x480, 1, 2},  {0x48a, 0x4be, 1, 2},  {0x1e00, 0x1e94, 1, 2}, {0x1ea0, 0x1efe, 1, 2},
};

uint32_t unicode_lower(uint32_t c)
{
    for (size_t i = 0; i < ARRAY_LEN(case_ranges) && c >= case_ranges[i].first; i++) {
        const struct case_range *r = &case_ranges[i];

        if (c <= r->last && (c - r->first) % r->step == 0)
            return c + r->distance;
    }
    return c == 0x178 ? 0xff : c;
}

uint32_t unicode_upper(uint32_t c)
{
    for (size_t i = 0; i < ARRAY_LEN(case_ranges); i++) {
        const struct case_range *r = &case_ranges[i];
        uint32_t upper = c - r->distance;

        if (upper >= r->first && upper <= r->last && (upper - r->first) % r->step == 0)
            return upper;
    }
    if (c == 0xb5 || c == 0x3c2) /* micro sign, final sigma */
        return c == 0xb5 ? 0x39c : 0x3a3;
    return c == 0xff ? 0x178 : c;
}

bool unicode_is_letter(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c < 0xc0)
        return c == 0xaa || c == 0xb5 || c == 0xba;
    if (c == 0xd7 || c == 0xf7)
        return false;
    /* Latin to Arabic and on; then scripts up to the punctuation blocks; CJK, Hangul. */
    return c < 0x2000 || (c >= 0x3041 && c < 0xd800) || (c >= 0xf900 && c < 0xfe00) ||
           (c >= 0x20000 && c < 0x30000);
}

bool unicode_is_word(uint32_t c)
{
    return unicode_is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

bool unicode_is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x205f || c == 0x3000;
}

bool unicode_is_printable(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad)
        return false;
    if (c > 0x7f && unicode_is_space(c))
        return false;
    if ((c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
        (c >= 0x2060 && c <= 0x206f))
        return false;
    return !(c >= 0xd800 && c < 0xf900) && c != 0xfeff && !(c >= 0xfff0 && c <= 0xfffb) &&
           (c & 0xfffe) != 0xfffe && c < 0xe0000;
}
