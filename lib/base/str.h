/*
 * str.h - a growing string with a mandatory maximum.
 *
 * An append that would pass the maximum adds nothing and sets `full`, which stays set: a reader of
 * outside data checks it once at the end. buf is always NUL-terminated and never NULL.
 */
#ifndef PGHA_STR_H
#define PGHA_STR_H

#include "lib/base/base.h"

struct str {
    char *buf;
    size_t len;
    size_t cap; /* 0: buf is the shared empty string */
    size_t max;
    bool full;
};

#define STR_MAX_TEXT ((size_t)64 << 20) /* for text we make ourselves */

void str_init(struct str *s, size_t max);
void str_release(struct str *s); /* leaves an empty, usable string */
void str_clear(struct str *s);   /* keeps the buffer */
char *str_detach(struct str *s); /* caller frees; s is empty again */

void str_add(struct str *s, const char *data, size_t len);
void str_puts(struct str *s, const char *text);
void str_putc(struct str *s, char c);
void str_printf(struct str *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void str_vprintf(struct str *s, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
void str_trim_end(struct str *s); /* white space */

/* One word for a POSIX shell, always quoted: 'it'\''s'. The only way a value reaches a script. */
void str_put_shell(struct str *s, const char *text);
void str_put_base64(struct str *s, const void *data, size_t len);
/* Appends the decoded bytes; white space is skipped. -1: not base64. */
int str_put_unbase64(struct str *s, const char *text, size_t len) MUST_USE;

#endif
