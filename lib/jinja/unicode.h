/*
 * unicode.h - UTF-8 and the little of Unicode that templates touch: code points, letter case, what
 * repr() escapes.
 *
 * A byte that is no UTF-8 stands for itself, as code point 0xDC00 + byte (Python's
 * surrogateescape), and is written back unchanged. Case is known for Latin, Greek and Cyrillic;
 * other letters have none here.
 */
#ifndef PGHA_UNICODE_H
#define PGHA_UNICODE_H

#include "lib/base/str.h"

#define UNICODE_MAX 0x10ffff

/* The code point at text[0..len), len > 0; *size is its length in bytes. */
uint32_t unicode_decode(const char *text, size_t len, size_t *size);
void unicode_put(struct str *out, uint32_t codepoint);
size_t unicode_count(const char *text, size_t len);
/* Bytes of the first `count` code points, at most len. */
size_t unicode_offset(const char *text, size_t len, size_t count);

uint32_t unicode_lower(uint32_t c);
uint32_t unicode_upper(uint32_t c);
bool unicode_is_letter(uint32_t c);
bool unicode_is_word(uint32_t c); /* letter, digit or _ */
bool unicode_is_space(uint32_t c);
bool unicode_is_printable(uint32_t c);

#endif
