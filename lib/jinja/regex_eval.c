/*
 * regex_eval.c - the bridge between the evaluator and the regular expressions.
 */
#include "lib/jinja/regex_eval.h"

#define MATCH_STEPS_MAX 2000000 /* of all matches that one filter makes on one text */
#define MATCH_PER_STEP  16      /* they are much cheaper than a step of the evaluator */
#define COMPILE_STEPS   50

const struct regex *ev_regex(struct evaluator *ev, const struct value *pattern,
                             const struct value *ignorecase, const struct value *multiline)
{
    unsigned flags = (ignorecase && jinja_truth(ignorecase) ? REGEX_IGNORECASE : 0) |
                     (multiline && jinja_truth(multiline) ? REGEX_MULTILINE : 0);

    if (pattern->type != VALUE_STR) {
        ev_fail(ev, "a regular expression must be a string, not %s", python_type(pattern));
        return NULL;
    }
    if (ev->regex && ev->regex_flags == flags && str_eq(ev->regex_source, pattern->u.str.s))
        return ev->regex;
    if (ev_charge(ev, COMPILE_STEPS) < 0)
        return NULL;
    ev->regex = regex_compile(ev->arena, pattern->u.str.s, pattern->u.str.len, flags, ev->err);
    ev->regex_source = pattern->u.str.s;
    ev->regex_flags = flags;
    if (!ev->regex)
        err_wrap(ev->err, "%s:%d", ev->file, ev->line);
    return ev->regex;
}

struct regex_search regex_search_in(const struct evaluator *ev, const struct value *text)
{
    long most = ev->steps * MATCH_PER_STEP;

    return (struct regex_search){.text = text->u.str.s,
                                 .len = text->u.str.len,
                                 .steps = most < MATCH_STEPS_MAX ? most : MATCH_STEPS_MAX};
}

int ev_regex_find(struct evaluator *ev, const struct regex *re, struct regex_search *search,
                  struct regex_match *match)
{
    long before = search->steps;
    int found = regex_find(re, search, match, ev->err);

    if (found < 0)
        return err_wrap(ev->err, "%s:%d", ev->file, ev->line);
    if (ev_charge(ev, (size_t)((before - search->steps) / MATCH_PER_STEP + 1)) < 0)
        return -1;
    return found;
}
