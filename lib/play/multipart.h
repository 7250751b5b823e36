/*
 * multipart.h - bodies of multipart/form-data, as ansible-core's prepare_multipart() writes them.
 */
#ifndef PGHA_MULTIPART_H
#define PGHA_MULTIPART_H

#include "lib/play/module.h"

/* fields: a map of texts and of maps with content, filename, mime_type, multipart_encoding; a
 * filename without content is a file of ours. Appends the body to out; what separates its parts,
 * *boundary, follows from them, so the same fields give the same body. In the call's arena. */
int multipart_put(struct module_call *call, const struct value *fields, struct str *out,
                  const char **boundary, struct err *err);

#endif
