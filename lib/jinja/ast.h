/*
 * ast.h - what a template is after parsing. Private to lib/jinja; everything lives in the arena
 * given to jinja_parse.
 */
#ifndef PGHA_JINJA_AST_H
#define PGHA_JINJA_AST_H

#include "lib/base/vec.h"
#include "lib/jinja/jinja.h"

/* Chains like a ~ b ~ c and x|f|g nest to the left without brackets: they may be longer than
 * JINJA_MAX_DEPTH. */
#define EXPR_MAX_DEPTH     400
#define TEMPLATE_MAX_BYTES ((size_t)4 << 20)

enum token_type {
    TOKEN_TEXT,
    TOKEN_PRINT_BEGIN,
    TOKEN_PRINT_END,
    TOKEN_BLOCK_BEGIN,
    TOKEN_BLOCK_END,
    TOKEN_NAME,
    TOKEN_STRING,
    TOKEN_INT,
    TOKEN_FLOAT,
    TOKEN_OPERATOR,
    TOKEN_END
};

struct token {
    enum token_type type;
    int line;
    const char *
        text; /* names, operators: as written; strings: decoded; NUL-terminated except TOKEN_TEXT */
    size_t len;
    int64_t i;
    double f;
};

struct token_list {
    struct token *items; /* the last one is TOKEN_END */
    size_t n, cap;
};

/* Lines count from the template's place. syntax NULL: the whole text is one expression. */
int jinja_lex(struct arena *a, const struct jinja_syntax *syntax, struct source where,
              const char *text, size_t len, struct token_list *out, struct err *err) MUST_USE;
/* "file:line: message" as ERR_INPUT; returns -1. */
int jinja_fault(struct err *err, const char *file, int line, const char *fmt, va_list args)
    PRINTF_LIKE(4, 0);

enum expr_kind {
    EXPR_CONST,
    EXPR_NAME,
    EXPR_LIST,
    EXPR_TUPLE,
    EXPR_DICT,  /* items: key, value, key, value, ... */
    EXPR_ATTR,  /* left.name */
    EXPR_ITEM,  /* left[right] */
    EXPR_SLICE, /* left[items[0]:items[1]:items[2]], each may be NULL */
    EXPR_CALL,
    EXPR_FILTER,
    EXPR_TEST,
    EXPR_NOT,
    EXPR_NEGATE,
    EXPR_POSITIVE,
    EXPR_BINARY,
    EXPR_AND,
    EXPR_OR,
    EXPR_COMPARE, /* items[0] operators[0] items[1] ... */
    EXPR_IF       /* left if right else items[0] (may be NULL) */
};

enum operator{
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_FLOOR_DIVIDE,
    OP_MODULO,
    OP_POWER,
    OP_CONCAT,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_IN,
    OP_NOT_IN
};

struct filter;
struct test;
struct expr;

struct keyword {
    const char *name;
    const struct expr *value;
};

struct arguments {
    const struct expr **positional;
    size_t n, cap;
    struct keyword *keywords;
    size_t n_keywords, cap_keywords;
};

struct expr {
    enum expr_kind kind;
    int line, depth;
    const char *name;             /* NAME, ATTR */
    const struct value *constant; /* CONST */
    const struct expr *left, *right;
    const struct expr **items;
    enum operator* operators;     /* COMPARE; BINARY: one */
    size_t n, cap;                /* of items */
    const struct arguments *args; /* CALL, FILTER, TEST */
    const struct filter *filter;
    const struct test *test;
};

enum stmt_kind {
    STMT_TEXT,
    STMT_PRINT,
    STMT_IF,
    STMT_FOR,
    STMT_SET,
    STMT_SET_ATTR,
    STMT_SET_BLOCK
};

struct body {
    struct stmt **items;
    size_t n, cap;
};

/* One `if` or `elif`; the next of the chain is tried when its condition is false. */
struct branch {
    const struct expr *condition; /* NULL: else */
    struct body body;
    struct branch *next;
};

/* A name, or several for unpacking: `for key, value in`, `set a, b =`. */
struct target {
    const char **names;
    size_t n, cap;
    bool unpack; /* false: the one name gets the whole value */
};

struct stmt {
    enum stmt_kind kind;
    int line;
    const char *text; /* TEXT; SET_ATTR: the attribute */
    size_t len;
    struct target target;         /* FOR, SET, SET_ATTR (the namespace), SET_BLOCK */
    const struct expr *value;     /* PRINT, FOR (what is walked), SET; SET_BLOCK: filters over
                                     EXPR_BLOCK_TEXT or NULL */
    const struct expr *condition; /* FOR ... if */
    struct branch *branches;      /* IF */
    struct body body;             /* FOR, SET_BLOCK */
    struct body otherwise;        /* FOR */
};

/* The name that a block set's text has inside its filters; no template can write it. */
#define BLOCK_TEXT_NAME "{% set %}"

struct jinja_template {
    const char *file;              /* for messages */
    const struct expr *expression; /* of jinja_parse_expression; else NULL */
    struct body body;
};

#endif
