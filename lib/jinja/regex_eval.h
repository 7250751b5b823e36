/*
 * regex_eval.h - regular expressions inside a rendering: compiled once, paid for with the
 * rendering's steps.
 */
#ifndef PGHA_JINJA_REGEX_EVAL_H
#define PGHA_JINJA_REGEX_EVAL_H

#include "lib/jinja/eval.h"
#include "lib/jinja/regex.h"

/* ignorecase, multiline: values or NULL. The last pattern is kept for the next call. */
const struct regex *ev_regex(struct evaluator *ev, const struct value *pattern,
                             const struct value *ignorecase, const struct value *multiline);
struct regex_search regex_search_in(const struct evaluator *ev, const struct value *text);
int ev_regex_find(struct evaluator *ev, const struct regex *re, struct regex_search *search,
                  struct regex_match *match) MUST_USE;

#endif
