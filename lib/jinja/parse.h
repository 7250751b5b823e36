/*
 * parse.h - what the parser's two halves share: expressions (parse_expr.c) and statements
 * (parser.c). Private to them.
 *
 * Functions that give a node return NULL when they failed, with err set.
 */
#ifndef PGHA_JINJA_PARSE_H
#define PGHA_JINJA_PARSE_H

#include "lib/jinja/ast.h"

struct parser {
    struct arena *arena;
    const char *file;
    const struct token *token; /* the next one */
    int depth;
    struct err *err;
};

/* ---- tokens */
void *parse_fail(struct parser *p, const char *fmt, ...) PRINTF_LIKE(2, 3); /* NULL */
void *parse_unexpected(struct parser *p, const char *wanted);               /* NULL */
const char *token_text(const struct token *token);
void parser_next(struct parser *p);
bool at_operator(const struct parser *p, const char *text);
bool at_word(const struct parser *p, const char *name);
bool take_operator(struct parser *p, const char *text);
bool take_word(struct parser *p, const char *name);
int want_operator(struct parser *p, const char *text) MUST_USE;
bool is_reserved(const char *name);

/* One level deeper; leave with p->depth--. -1: too deep. */
int parser_enter(struct parser *p) MUST_USE;
/* Room for one more item: items, or a larger copy in the arena; what it outgrows stays there. */
void *parser_grow(struct parser *p, const void *items, size_t n, size_t *cap, size_t size);

/* ---- expressions */
struct expr *new_expr(struct parser *p, enum expr_kind kind);
const struct expr *parse_expression(struct parser *p);
/* One expression, or several with commas: a tuple. with_if: a bare `a if b` belongs to it. */
const struct expr *parse_tuple(struct parser *p, bool with_if);
/* The filters and tests that follow e. */
const struct expr *parse_filters(struct parser *p, const struct expr *e);

#endif
