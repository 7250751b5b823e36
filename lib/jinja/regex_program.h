/*
 * regex_program.h - what a pattern is compiled to (regex.c) and what runs it (regex_match.c).
 * Private to these two.
 */
#ifndef PGHA_JINJA_REGEX_PROGRAM_H
#define PGHA_JINJA_REGEX_PROGRAM_H

#include "lib/jinja/regex.h"

#define REGEX_MAX_LOOPS 64
#define REGEX_MAX_SLOTS (2 * REGEX_MAX_GROUPS + REGEX_MAX_LOOPS)

enum opcode {
    OP_CHAR,
    OP_ANY,
    OP_CLASS,
    OP_SPLIT, /* tries x, then y */
    OP_JUMP,
    OP_SAVE,
    OP_MARK,     /* remembers the place at a loop's turn */
    OP_PROGRESS, /* fails when the turn was empty */
    OP_LINE_START,
    OP_LINE_END,
    OP_TEXT_START,
    OP_TEXT_END,
    OP_WORD_EDGE,
    OP_NOT_WORD_EDGE,
    OP_BACKREF,
    OP_LOOK, /* x: after its body; y: 1 when the body must not match */
    OP_MATCH
};

struct class_item {
    uint32_t first, last;
    char category; /* d w s D W S instead of a range */
};

struct char_class {
    struct class_item *items;
    size_t n, cap;
    bool negated;
};

struct instruction {
    enum opcode op;
    uint32_t c;
    int x, y;
    const struct char_class *set;
};

struct regex {
    struct instruction *program;
    size_t n, cap;
    unsigned flags;
    size_t groups;
    const char *names[REGEX_MAX_GROUPS];
    int loops;
};

#endif
