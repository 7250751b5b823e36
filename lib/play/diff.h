/*
 * diff.h - the difference of two texts for people, as `diff -u` prints it.
 */
#ifndef PGHA_DIFF_H
#define PGHA_DIFF_H

#include "lib/base/str.h"

#define DIFF_MAX_EDITS 1000 /* beyond it the differing middle is shown as replaced whole */

/* Appends nothing when both are equal; else "--- before: PATH", "+++ after: PATH" and hunks with
 * three lines of context. before NULL: there was no file. An empty text of length 0 may be NULL as
 * after. Data with a NUL byte is only named. */
void diff_unified(const char *path, const char *before, size_t before_len, const char *after,
                  size_t after_len, struct str *out);

#endif
