/*
 * str.c - a growing string with a mandatory maximum; quoting and base64 into it.
 */
#include <ctype.h>

#include "lib/base/str.h"

#define CAP_MIN 64

/* What an empty string points to. Never written: with cap 0 every append allocates first. */
static char empty[1];

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void str_init(struct str *s, size_t max)
{
    *s = (struct str){.buf = empty, .max = max};
}

void str_release(struct str *s)
{
    if (s->cap)
        free(s->buf);
    str_init(s, s->max);
}

void str_clear(struct str *s)
{
    s->len = 0;
    s->full = false;
    if (s->cap)
        s->buf[0] = '\0';
}

char *str_detach(struct str *s)
{
    char *text = s->cap ? s->buf : xstrdup("");

    str_init(s, s->max);
    return text;
}

/* Makes room for len bytes more and the NUL; false when that passes the maximum. */
static bool reserve(struct str *s, size_t len)
{
    size_t cap = s->cap ? s->cap : CAP_MIN;

    if (len > s->max || s->len > s->max - len) {
        s->full = true;
        return false;
    }
    while (cap - 1 < s->len + len)
        cap *= 2;
    if (cap == s->cap)
        return true;
    s->buf = xrealloc(s->cap ? s->buf : NULL, cap);
    s->buf[s->len] = '\0';
    s->cap = cap;
    return true;
}

void str_add(struct str *s, const char *data, size_t len)
{
    if (len == 0 || !reserve(s, len))
        return;
    memcpy(s->buf + s->len, data, len);
    s->len += len;
    s->buf[s->len] = '\0';
}

void str_puts(struct str *s, const char *text)
{
    str_add(s, text, strlen(text));
}

void str_putc(struct str *s, char c)
{
    str_add(s, &c, 1);
}

void str_printf(struct str *s, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    str_vprintf(s, fmt, args);
    va_end(args);
}

void str_vprintf(struct str *s, const char *fmt, va_list args)
{
    va_list again;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len < 0)
        BUG("str_printf cannot format \"%s\"", fmt);
    if (len == 0 || !reserve(s, (size_t)len))
        return;
    vsnprintf(s->buf + s->len, (size_t)len + 1, fmt, args);
    s->len += (size_t)len;
}

void str_trim_end(struct str *s)
{
    while (s->len > 0 && isspace((unsigned char)s->buf[s->len - 1]))
        s->buf[--s->len] = '\0';
}

void str_put_shell(struct str *s, const char *text)
{
    size_t size = 2;
    const char *p;

    /* All or nothing: half a quoted word would be a different script. */
    for (p = text; *p; p++)
        size += *p == '\'' ? 4 : 1;
    if (!reserve(s, size))
        return;
    str_putc(s, '\'');
    for (p = text; *p; p++) {
        if (*p == '\'')
            str_puts(s, "'\\''");
        else
            str_putc(s, *p);
    }
    str_putc(s, '\'');
}

void str_put_base64(struct str *s, const void *data, size_t len)
{
    const unsigned char *in = data;

    if (len > s->max || !reserve(s, (len + 2) / 3 * 4))
        return;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t bits = (uint32_t)in[i] << 16;
        char out[4];

        bits |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        bits |= left > 2 ? in[i + 2] : 0;
        out[0] = base64_digits[bits >> 18];
        out[1] = base64_digits[bits >> 12 & 63];
        out[2] = left > 1 ? base64_digits[bits >> 6 & 63] : '=';
        out[3] = left > 2 ? base64_digits[bits & 63] : '=';
        str_add(s, out, sizeof(out));
    }
}

int str_put_unbase64(struct str *s, const char *text, size_t len)
{
    uint32_t bits = 0;
    int digits = 0, padding = 0;

    for (size_t i = 0; i < len; i++) {
        const char *digit = text[i] ? strchr(base64_digits, text[i]) : NULL;

        if (isspace((unsigned char)text[i]))
            continue;
        if (text[i] == '=' && digits >= 2 && padding < 2)
            padding++;
        else if (!digit || padding)
            return -1;
        bits = bits << 6 | (digit ? (uint32_t)(digit - base64_digits) : 0);
        if (++digits < 4)
            continue;
        str_add(s, (char[]){(char)(bits >> 16), (char)(bits >> 8), (char)bits},
                3 - (size_t)padding);
        bits = 0;
        digits = 0; /* and padding stays: only white space may follow it */
    }
    return digits == 0 ? 0 : -1;
}
