/*
 * regex.h - Python's `re`, the part that playbooks use, matched with a limit on steps.
 *
 * Literals, ., [classes], \d \w \s \D \W \S, \b \B, ^ $ \A \Z, groups (capturing, (?:),
 * (?P<name>)), alternation, * + ? {m,n} greedy and lazy, backreferences, look-ahead, (?i) (?m) (?s)
 * at the front. Anything else is refused by name.
 */
#ifndef PGHA_JINJA_REGEX_H
#define PGHA_JINJA_REGEX_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

#define REGEX_MAX_GROUPS 32

#define REGEX_IGNORECASE 1u
#define REGEX_MULTILINE  2u
#define REGEX_DOTALL     4u

struct regex;

struct regex_match {
    ptrdiff_t start[REGEX_MAX_GROUPS]; /* bytes; -1: the group took no part. 0 is the whole match */
    ptrdiff_t end[REGEX_MAX_GROUPS];
};

/* NULL with err: the pattern is wrong or outside the subset. */
struct regex *regex_compile(struct arena *a, const char *pattern, size_t len, unsigned flags,
                            struct err *err);
size_t regex_groups(const struct regex *re); /* capturing ones, without the whole match */
/* The number of a named group, or 0. */
size_t regex_group_named(const struct regex *re, const char *name, size_t len);

struct regex_search {
    const char *text;
    size_t len, from;
    bool anchored;     /* only at from (re.match) */
    bool must_advance; /* not an empty match at from */
    long steps;        /* left; shared by searches that follow each other */
};

/* 1 found, 0 not, -1 with err: out of steps. */
int regex_find(const struct regex *re, struct regex_search *search, struct regex_match *match,
               struct err *err) MUST_USE;

#endif
