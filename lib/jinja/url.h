/*
 * url.h - the parts of a URL, as Python's urllib.parse.urlsplit() has them (RFC 3986, appendix B).
 */
#ifndef PGHA_JINJA_URL_H
#define PGHA_JINJA_URL_H

#include "lib/base/base.h"

/* One part of a URL: from text, len bytes; an empty one where there is none. */
struct url_part {
    const char *text;
    size_t len;
};

/* As urllib.parse.urlsplit() has them. */
struct url {
    struct url_part scheme, netloc, path, query, fragment;
};

void url_split(const char *text, struct url *out); /* the parts point into text */

#endif
