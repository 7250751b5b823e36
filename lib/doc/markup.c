/* markup.c - text for XML and HTML (https://www.w3.org/TR/xml/#charsets). */
#include "lib/doc/markup.h"

#include "lib/base/utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* UTF8_REPLACEMENT */

static bool is_character(uint32_t code)
{
    if (code < ' ')
        return code == '\t' || code == '\n' || code == '\r';
    /* 0x7f to 0x9f are, though nobody can read them; HTML does not have them. */
    return !(code >= 0x7f && code < 0xa0) && (code & 0xFFFE) != 0xFFFE;
}

static void put_character(struct str *out, uint32_t code, const char *bytes, size_t n)
{
    if (!is_character(code) || (code == UTF8_REPLACEMENT && n == 1))
        str_puts(out, REPLACEMENT);
    else if (code < ' ' || (n == 1 && strchr("&<>\"'", (int)code)))
        str_printf(out, "&#%u;", (unsigned)code);
    else
        str_add(out, bytes, n);
}

void markup_put(struct str *out, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        uint32_t code;
        size_t n = utf8_decode(text, len, &code);

        put_character(out, code, text, n);
        text += n;
        len -= n;
    }
}
