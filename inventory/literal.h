/*
 * literal.h - Python literals, the typing of values in INI inventories (ast.literal_eval).
 *
 * Source: https://docs.python.org/3/reference/lexical_analysis.html#literals
 */
#ifndef PGHA_INVENTORY_LITERAL_H
#define PGHA_INVENTORY_LITERAL_H

#include "lib/base/err.h"
#include "lib/doc/value.h"

#define LITERAL_MAX_DEPTH 64

enum literal {
    LITERAL_VALUE,  /* a literal: *out */
    LITERAL_TEXT,   /* none; Ansible takes the text as it is */
    LITERAL_REFUSED /* a literal that no JSON can hold (bytes, a set, ...): *why */
};

enum literal literal_parse(struct arena *a, const char *text, size_t len, struct value **out,
                           const char **why);

/* The literal that reads back as v. ERR_INPUT: there is none (not a number). */
int literal_write(const struct value *v, struct str *out, struct err *err) MUST_USE;

#endif
