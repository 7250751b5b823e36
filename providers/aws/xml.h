/*
 * xml.h - answers of AWS's query APIs (libxml2) as plain values.
 *
 * An element with text is a string, one with elements a map of them, one that is empty "". Where
 * all its elements are called item (EC2) or member (IAM, STS) it is a list. Attributes and
 * namespaces are dropped.
 */
#ifndef PGHA_AWS_XML_H
#define PGHA_AWS_XML_H

#include "lib/base/err.h"
#include "lib/doc/value.h"

#define XML_MAX_DEPTH 64

/* The map below the document's element, whose name lands in *name (may be NULL). Nothing is
 * fetched, and a document type, with which entities come, is refused. ERR_NET: not XML, cut off,
 * too deep; retryable. */
struct value *xml_parse(struct arena *a, const char *text, size_t len, const char **name,
                        struct err *err);

/* What a list may look like: none, "", or a list. items: NULL for none. */
size_t xml_list(const struct value *map, const char *key, struct value *const **items);

#endif
