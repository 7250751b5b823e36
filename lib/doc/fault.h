/*
 * fault.h - faults of a document, all of them: file:line:column: text.
 */
#ifndef PGHA_FAULT_H
#define PGHA_FAULT_H

#include "lib/base/err.h"
#include "lib/doc/value.h"

struct fault {
    struct source src;
    const char *text; /* what and why */
    const char *hint; /* "did you mean 'postgres'?"; may be NULL */
};

struct faults {
    struct arena arena;
    struct fault *items;
    size_t n, cap;
    size_t more; /* those beyond FAULTS_MAX, only counted */
};

#define FAULTS_MAX 100 /* then one line says how many more */

void faults_init(struct faults *f);
void faults_release(struct faults *f);
void fault_add(struct faults *f, struct source src, const char *fmt, ...) PRINTF_LIKE(3, 4);
void fault_hint(struct faults *f, const char *fmt, ...)
    PRINTF_LIKE(2, 3); /* for the last one added */
/* "file:line:col: text (hint)" lines, in order of place. */
void faults_format(const struct faults *f, struct str *out);
int faults_to_err(const struct faults *f,
                  struct err *err); /* 0 when there are none; else -1, ERR_INPUT, all lines */

/* The candidate nearest to word (Damerau-Levenshtein, at most a third of its letters apart), or
 * NULL. */
const char *nearest_word(const char *word, const char *const *candidates, size_t n);

#endif
