/*
 * markup.h - text for XML and HTML.
 */
#ifndef PGHA_MARKUP_H
#define PGHA_MARKUP_H

#include "lib/base/str.h"

/* Any bytes as text of an element or of a quoted attribute, as both languages read it. What is no
 * character of XML 1.0 (control characters, broken UTF-8) becomes U+FFFD; ends of lines and tabs
 * are written as references, so that attributes keep them. */
void markup_put(struct str *out, const char *text);

#endif
