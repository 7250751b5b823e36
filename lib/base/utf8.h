/*
 * utf8.h - code points out of bytes.
 */
#ifndef PGHA_UTF8_H
#define PGHA_UTF8_H

#include "lib/base/base.h"

#define UTF8_REPLACEMENT 0xFFFDu

/* The code point that the len (at least 1) bytes at s begin with, and how many of them it takes. A
 * byte that begins none (overlong forms, surrogates, cut sequences) is one UTF8_REPLACEMENT. */
size_t utf8_decode(const char *s, size_t len, uint32_t *code);
bool utf8_valid(const char *s, size_t len);

#endif
