/*
 * utf8.c - strict decoding (RFC 3629).
 */
#include "lib/base/utf8.h"

static size_t sequence_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first < 0xE0)
        return 2;
    if (first >= 0xE0 && first < 0xF0)
        return 3;
    if (first >= 0xF0 && first < 0xF5)
        return 4;
    return 0;
}

/* False when a byte that does not belong, a longer form than needed or no character comes out. */
static bool decode_sequence(const unsigned char *s, size_t size, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};

    *code = size == 1 ? s[0] : s[0] & (0xFFu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return false;
        *code = *code << 6 | (s[i] & 0x3F);
    }
    return *code >= smallest[size] && *code <= 0x10FFFF && (*code < 0xD800 || *code > 0xDFFF);
}

size_t utf8_decode(const char *s, size_t len, uint32_t *code)
{
    const unsigned char *bytes = (const unsigned char *)s;
    size_t size = sequence_length(bytes[0]);

    if (size > 0 && size <= len && decode_sequence(bytes, size, code))
        return size;
    *code = UTF8_REPLACEMENT;
    return 1;
}

bool utf8_valid(const char *s, size_t len)
{
    while (len > 0) {
        uint32_t code;
        size_t size = utf8_decode(s, len, &code);

        if (size == 1 && code == UTF8_REPLACEMENT) /* a real one takes three bytes */
            return false;
        s += size;
        len -= size;
    }
    return true;
}
