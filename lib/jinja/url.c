/*
 * url.c - takes URLs apart.
 */
#include "lib/jinja/url.h"

static bool is_scheme(const char *text, size_t len)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    if (len == 0 || !strchr(letters, *text))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!strchr(letters, text[i]) && !strchr("0123456789+-.", text[i]))
            return false;
    return true;
}

void url_split(const char *text, struct url *out)
{
    size_t colon = strcspn(text, ":"), len;

    *out = (struct url){{"", 0}, {"", 0}, {"", 0}, {"", 0}, {"", 0}};
    if (text[colon] == ':' && is_scheme(text, colon)) {
        out->scheme = (struct url_part){text, colon};
        text += colon + 1;
    }
    if (str_starts(text, "//")) {
        text += 2;
        len = strcspn(text, "/?#");
        out->netloc = (struct url_part){text, len};
        text += len;
    }
    len = strcspn(text, "?#");
    out->path = (struct url_part){text, len};
    text += len;
    if (*text == '?') {
        len = strcspn(++text, "#");
        out->query = (struct url_part){text, len};
        text += len;
    }
    if (*text == '#')
        out->fragment = (struct url_part){text + 1, strlen(text + 1)};
}
