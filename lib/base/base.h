/*
 * base.h - what every file includes: allocation that cannot fail, assertions, banned functions.
 *
 * Out of memory aborts, so no caller checks for it. BUG() is for what cannot happen; it aborts
 * with file and line. Functions that can fail return 0 or -1 and fill a struct err (err.h).
 */
#ifndef PGHA_BASE_H
#define PGHA_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define UNUSED(x)    ((void)(x))

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_USE               __attribute__((warn_unused_result))
#define NORETURN               __attribute__((noreturn))

#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
void bug_at(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4) NORETURN;

/* Never return NULL. Free with free(). */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len); /* at most len bytes, as strndup(3) */
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);
char *xvasprintf(const char *fmt, va_list args) PRINTF_LIKE(1, 0);

bool str_eq(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Unbounded or racy calls: use str.h, xasprintf, proc.h. Their own headers are included above. */
#ifndef PGHA_ALLOW_BANNED
#undef sprintf /* a macro with clang and _FORTIFY_SOURCE */
#pragma GCC poison strcpy strcat sprintf vsprintf strtok system popen gets tmpnam mktemp asctime   \
    ctime
#endif

#endif
