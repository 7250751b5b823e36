/*
 * tests.c - what `is` can ask: one function and one line in the table each.
 */
#include <math.h>
#include <pthread.h>
#include <strings.h>

#include "lib/jinja/eval.h"
#include "lib/jinja/regex_eval.h"

#define NAMES_MAX 256

static int test_defined(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(ev);
    UNUSED(c);
    return !is_undefined(in);
}

static int test_undefined(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return !test_defined(ev, in, c);
}

/* ---- types ---------------------------------------------------------------------------------- */

static int test_none(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(ev);
    UNUSED(c);
    return in->type == VALUE_NULL;
}

static int test_true(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(ev);
    UNUSED(c);
    return in->type == VALUE_BOOL && in->u.b;
}

static int test_false(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(ev);
    UNUSED(c);
    return in->type == VALUE_BOOL && !in->u.b;
}

static int test_boolean(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(ev);
    UNUSED(c);
    return in->type == VALUE_BOOL;
}

static int test_integer(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(ev);
    UNUSED(c);
    return in->type == VALUE_INT;
}

static int test_float(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(ev);
    UNUSED(c);
    return in->type == VALUE_FLOAT;
}

static int test_number(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(ev);
    UNUSED(c);
    return is_number(in);
}

static int test_string(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(ev);
    UNUSED(c);
    return in->type == VALUE_STR;
}

static int test_mapping(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(ev);
    UNUSED(c);
    return is_mapping(in) && !is_template_object(in);
}

static int test_sequence(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return in->type == VALUE_LIST || in->type == VALUE_STR || test_mapping(ev, in, c);
}

/* ---- numbers -------------------------------------------------------------------------------- */

/* in % divisor == 0, in Python's arithmetic. */
static int divides(struct evaluator *ev, const struct value *in, const struct value *divisor)
{
    const struct value *rest = ev_binary(ev, OP_MODULO, in, divisor);

    return rest ? ev_equal(ev, rest, ev_int(ev, 0)) : -1;
}

static int test_even(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(c);
    return divides(ev, in, ev_int(ev, 2));
}

static int test_odd(struct evaluator *ev, const struct value *in, const struct call *c)
{
    const struct value *rest = ev_binary(ev, OP_MODULO, in, ev_int(ev, 2));

    UNUSED(c);
    return rest ? ev_equal(ev, rest, ev_int(ev, 1)) : -1;
}

static int test_divisibleby(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return divides(ev, in, c->arg[0]);
}

/* ---- comparison ----------------------------------------------------------------------------- */

static int test_eq(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return ev_relation(ev, OP_EQ, in, c->arg[0]);
}

static int test_ne(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return ev_relation(ev, OP_NE, in, c->arg[0]);
}

static int test_lt(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return ev_relation(ev, OP_LT, in, c->arg[0]);
}

static int test_le(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return ev_relation(ev, OP_LE, in, c->arg[0]);
}

static int test_gt(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return ev_relation(ev, OP_GT, in, c->arg[0]);
}

static int test_ge(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return ev_relation(ev, OP_GE, in, c->arg[0]);
}

static int test_in(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return ev_contains(ev, c->arg[0], in);
}

static int test_contains(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return ev_contains(ev, in, c->arg[0]);
}

/* Identity, where only None, true and false have one that a template can rely on. */
static int test_sameas(struct evaluator *ev, const struct value *in, const struct call *c)
{
    if (in->type != c->arg[0]->type)
        return 0;
    if (in->type != VALUE_NULL && in->type != VALUE_BOOL)
        return ev_error(ev, "sameas is supported for none, true and false only");
    return ev_equal(ev, in, c->arg[0]);
}

static int test_lower(struct evaluator *ev, const struct value *in, const struct call *c)
{
    const struct value *text = ev_text(ev, in), *lower, *upper;

    UNUSED(c);
    if (!text || !(lower = text_case(ev, text, CASE_LOWER)) ||
        !(upper = text_case(ev, text, CASE_UPPER)))
        return -1;
    return str_eq(text->u.str.s, lower->u.str.s) && !str_eq(lower->u.str.s, upper->u.str.s);
}

static int test_upper(struct evaluator *ev, const struct value *in, const struct call *c)
{
    const struct value *text = ev_text(ev, in), *lower, *upper;

    UNUSED(c);
    if (!text || !(lower = text_case(ev, text, CASE_LOWER)) ||
        !(upper = text_case(ev, text, CASE_UPPER)))
        return -1;
    return str_eq(text->u.str.s, upper->u.str.s) && !str_eq(lower->u.str.s, upper->u.str.s);
}

static int is_subset(struct evaluator *ev, const struct value *a, const struct value *b)
{
    const struct value *items = ev_items(ev, a), *others = ev_items(ev, b);

    if (!items || !others)
        return -1;
    for (size_t i = 0; i < items->u.list.n; i++) {
        int inside = ev_contains(ev, others, items->u.list.items[i]);

        if (inside <= 0)
            return inside;
    }
    return 1;
}

static int test_subset(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return is_subset(ev, in, c->arg[0]);
}

static int test_superset(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return is_subset(ev, c->arg[0], in);
}

/* Whether any item (stop_at 1) is true, or all are (no item stops at 0). */
static int truth_of_items(struct evaluator *ev, const struct value *in, int stop_at)
{
    const struct value *items = ev_items(ev, in);

    for (size_t i = 0; items && i < items->u.list.n; i++) {
        int truth = ev_truth(ev, items->u.list.items[i]);

        if (truth < 0 || truth == stop_at)
            return truth;
    }
    return items ? !stop_at : -1;
}

static int test_any(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(c);
    return truth_of_items(ev, in, 1);
}

static int test_all(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(c);
    return truth_of_items(ev, in, 0);
}

/* ---- text ----------------------------------------------------------------------------------- */

static int matches(struct evaluator *ev, const struct value *in, const struct call *c,
                   bool anchored)
{
    const struct value *pattern = c->arg[0] ? c->arg[0] : value_str(ev->arena, "");
    const struct value *text = ev_text(ev, in);
    const struct regex *re = text ? ev_regex(ev, pattern, c->arg[1], c->arg[2]) : NULL;
    struct regex_search search;
    struct regex_match match;

    if (!re)
        return -1;
    search = regex_search_in(ev, text);
    search.anchored = anchored;
    return ev_regex_find(ev, re, &search, &match);
}

static int test_match(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return matches(ev, in, c, true);
}

static int test_search(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return matches(ev, in, c, false);
}

/* regex(pattern, ignorecase, multiline, match_type='search') */
static int test_regex(struct evaluator *ev, const struct value *in, const struct call *c)
{
    const char *how = value_is_str(c->arg[3]) ? c->arg[3]->u.str.s : "search";

    if (!str_eq(how, "search") && !str_eq(how, "match"))
        return ev_error(ev, "regex: match_type must be 'search' or 'match'");
    return matches(ev, in, c, str_eq(how, "match"));
}

/* ---- versions: distutils' LooseVersion ------------------------------------------------------ */

static bool is_number_char(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter_char(char c)
{
    return c >= 'a' && c <= 'z';
}

/* Numbers, runs of small letters, and what stands between them apart from dots. */
static const struct value *version_parts(struct evaluator *ev, const char *p)
{
    struct value *list = ev_list(ev);

    while (*p) {
        const char *start = p;
        bool number = is_number_char(*p);

        if (*p == '.') {
            p++;
            continue;
        }
        if (number) {
            while (is_number_char(*p))
                p++;
        } else if (is_letter_char(*p)) {
            while (is_letter_char(*p))
                p++;
        } else {
            while (*p && *p != '.' && !is_number_char(*p) && !is_letter_char(*p))
                p++;
        }
        if (number && p - start > 18) {
            ev_fail(ev, "version: a part is too long");
            return NULL;
        }
        ev_push(ev, list,
                number ? ev_int(ev, strtoll(start, NULL, 10))
                       : value_strn(ev->arena, start, (size_t)(p - start)));
    }
    return list;
}

static int version_operator(const char *name)
{
    static const struct {
        const char *name;
        enum operator op;
    } names[] = {{"==", OP_EQ}, {"=", OP_EQ},  {"eq", OP_EQ}, {"<", OP_LT},  {"lt", OP_LT},
                 {"<=", OP_LE}, {"le", OP_LE}, {">", OP_GT},  {"gt", OP_GT}, {">=", OP_GE},
                 {"ge", OP_GE}, {"!=", OP_NE}, {"<>", OP_NE}, {"ne", OP_NE}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i].name, name) == 0)
            return (int)names[i].op;
    }
    return -1;
}

/* version(other, operator='eq') */
static int test_version(struct evaluator *ev, const struct value *in, const struct call *c)
{
    const char *name = c->arg[1] ? value_is_str(c->arg[1]) ? c->arg[1]->u.str.s : "?" : "eq";
    const struct value *left = ev_text(ev, in), *right = ev_text(ev, c->arg[0]);
    const struct value *a, *b;
    int op = version_operator(name);

    if (!left || !right)
        return -1;
    if (op < 0)
        return ev_error(ev, "version: '%s' is no operator", name);
    if (!jinja_truth(in) || !jinja_truth(c->arg[0]))
        return ev_error(ev, "version: a version cannot be empty");
    if ((c->arg[2] && jinja_truth(c->arg[2])) ||
        (c->arg[3] && !(value_is_str(c->arg[3]) && str_eq(c->arg[3]->u.str.s, "loose"))))
        return ev_error(ev, "version: only loose versions are supported");
    if (!(a = version_parts(ev, left->u.str.s)) || !(b = version_parts(ev, right->u.str.s)))
        return -1;
    return ev_relation(ev, (enum operator)op, a, b);
}

/* ---- registered results --------------------------------------------------------------------- */

/* The truth of a member, false when it is absent. */
static int result_flag(struct evaluator *ev, const struct value *in, const char *name)
{
    const struct value *flag;

    if (!is_mapping(in) || is_template_object(in))
        return ev_error(ev, "the '%s' test expects a dictionary", name);
    flag = ev_member(ev, in, name);
    return flag ? jinja_truth(flag) : -1;
}

static int test_failed(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(c);
    return result_flag(ev, in, "failed");
}

static int test_success(struct evaluator *ev, const struct value *in, const struct call *c)
{
    int failed = test_failed(ev, in, c);

    return failed < 0 ? -1 : !failed;
}

static int test_skipped(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(c);
    return result_flag(ev, in, "skipped");
}

static int test_unreachable(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(c);
    return result_flag(ev, in, "unreachable");
}

static int test_reachable(struct evaluator *ev, const struct value *in, const struct call *c)
{
    int unreachable = test_unreachable(ev, in, c);

    return unreachable < 0 ? -1 : !unreachable;
}

/* Of a loop: whether any of its results changed. */
static int test_changed(struct evaluator *ev, const struct value *in, const struct call *c)
{
    int changed = result_flag(ev, in, "changed");
    const struct value *results = changed == 0 ? ev_member(ev, in, "results") : NULL;

    UNUSED(c);
    if (changed != 0 || !results || results->type != VALUE_LIST || value_get(in, "changed"))
        return changed;
    for (size_t i = 0; changed == 0 && i < results->u.list.n; i++)
        changed = result_flag(ev, results->u.list.items[i], "changed");
    return changed;
}

/* Of a task without async, whose results have no such flags: it is over. */
static int async_flag(struct evaluator *ev, const struct value *in, const char *name)
{
    int flag = result_flag(ev, in, name);

    return flag == 0 && !value_get(in, name) ? 1 : flag;
}

static int test_finished(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(c);
    return async_flag(ev, in, "finished");
}

static int test_started(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(c);
    return async_flag(ev, in, "started");
}

static int test_timedout(struct evaluator *ev, const struct value *in, const struct call *c)
{
    int timedout = result_flag(ev, in, "timedout");

    UNUSED(c);
    return timedout > 0 ? result_flag(ev, value_get(in, "timedout"), "period") : timedout;
}

/* truthy(convert_bool=False): with it, words like "no" are false. */
static int test_truthy(struct evaluator *ev, const struct value *in, const struct call *c)
{
    static const char *const no[] = {"0", "f", "false", "n", "no", "off"};

    UNUSED(ev);
    if (c->arg[0] && jinja_truth(c->arg[0]) && in->type == VALUE_STR)
        for (size_t i = 0; i < ARRAY_LEN(no); i++)
            if (strcasecmp(in->u.str.s, no[i]) == 0)
                return 0;
    return jinja_truth(in);
}

static int test_falsy(struct evaluator *ev, const struct value *in, const struct call *c)
{
    return !test_truthy(ev, in, c);
}

static int test_nan(struct evaluator *ev, const struct value *in, const struct call *c)
{
    UNUSED(c);
    if (!is_number(in))
        return ev_error(ev, "isnan() can only be used on numbers");
    return isnan(float_of(in)) != 0;
}

static const struct test rows[] = {
    {"!=", "other", 1, 0, test_ne, "the values differ"},
    {"<", "other", 1, 0, test_lt, "this value is smaller"},
    {"<=", "other", 1, 0, test_le, "this value is smaller or equal"},
    {"==", "other", 1, 0, test_eq, "the values are equal"},
    {">", "other", 1, 0, test_gt, "this value is larger"},
    {">=", "other", 1, 0, test_ge, "this value is larger or equal"},
    {"all", "", 0, 0, test_all, "every item is true"},
    {"any", "", 0, 0, test_any, "an item is true"},
    {"boolean", "", 0, 0, test_boolean, "the value is true or false"},
    {"change", "", 0, 0, test_changed, "short for changed"},
    {"changed", "", 0, 0, test_changed, "the task changed something"},
    {"contains", "item", 1, 0, test_contains, "the item is in this collection"},
    {"defined", "", 0, TAKES_UNDEFINED, test_defined, "the variable is defined"},
    {"divisibleby", "num", 1, 0, test_divisibleby, "the number divides this one"},
    {"eq", "other", 1, 0, test_eq, "the values are equal"},
    {"equalto", "other", 1, 0, test_eq, "the values are equal"},
    {"even", "", 0, 0, test_even, "the number is even"},
    {"failed", "", 0, 0, test_failed, "the task failed"},
    {"failure", "", 0, 0, test_failed, "the task failed"},
    {"false", "", 0, 0, test_false, "the value is false"},
    {"falsy", "convert_bool", 0, 0, test_falsy, "the value counts as false"},
    {"finished", "", 0, 0, test_finished, "the task is over, which each is here"},
    {"float", "", 0, 0, test_float, "the value is a floating point number"},
    {"ge", "other", 1, 0, test_ge, "this value is larger or equal"},
    {"greaterthan", "other", 1, 0, test_gt, "this value is larger"},
    {"gt", "other", 1, 0, test_gt, "this value is larger"},
    {"in", "seq", 1, 0, test_in, "this value is in the collection"},
    {"integer", "", 0, 0, test_integer, "the value is an integer"},
    {"isnan", "", 0, 0, test_nan, "it is the floating point number that is none"},
    {"issubset", "other", 1, 0, test_subset, "all items are in the other list"},
    {"issuperset", "other", 1, 0, test_superset, "all items of the other list are in this one"},
    {"iterable", "", 0, 0, test_sequence, "the value can be looped over"},
    {"le", "other", 1, 0, test_le, "this value is smaller or equal"},
    {"lessthan", "other", 1, 0, test_lt, "this value is smaller"},
    {"lower", "", 0, 0, test_lower, "all letters are small"},
    {"lt", "other", 1, 0, test_lt, "this value is smaller"},
    {"mapping", "", 0, 0, test_mapping, "the value is a dict"},
    {"match", "pattern ignorecase multiline", 0, 0, test_match,
     "the regular expression matches at the beginning"},
    {"nan", "", 0, 0, test_nan, "it is the floating point number that is none"},
    {"ne", "other", 1, 0, test_ne, "the values differ"},
    {"none", "", 0, 0, test_none, "the value is none"},
    {"number", "", 0, 0, test_number, "the value is a number"},
    {"odd", "", 0, 0, test_odd, "the number is odd"},
    {"reachable", "", 0, 0, test_reachable, "the task reached its host"},
    {"regex", "pattern ignorecase multiline match_type", 0, 0, test_regex,
     "the regular expression matches"},
    {"sameas", "other", 1, 0, test_sameas, "both are none, both true or both false"},
    {"search", "pattern ignorecase multiline", 0, 0, test_search,
     "the regular expression matches somewhere"},
    {"sequence", "", 0, 0, test_sequence, "the value is a list, a text or a dict"},
    {"skip", "", 0, 0, test_skipped, "short for skipped"},
    {"skipped", "", 0, 0, test_skipped, "the task was skipped"},
    {"started", "", 0, 0, test_started, "the task began, which each did here"},
    {"string", "", 0, 0, test_string, "the value is text"},
    {"subset", "other", 1, 0, test_subset, "all items are in the other list"},
    {"succeeded", "", 0, 0, test_success, "the task did not fail"},
    {"success", "", 0, 0, test_success, "the task did not fail"},
    {"successful", "", 0, 0, test_success, "the task did not fail"},
    {"superset", "other", 1, 0, test_superset, "all items of the other list are in this one"},
    {"timedout", "", 0, 0, test_timedout, "the task took too long"},
    {"true", "", 0, 0, test_true, "the value is true"},
    {"truthy", "convert_bool", 0, 0, test_truthy, "the value counts as true"},
    {"undefined", "", 0, TAKES_UNDEFINED, test_undefined, "the variable is not defined"},
    {"unreachable", "", 0, 0, test_unreachable, "the task did not reach its host"},
    {"upper", "", 0, 0, test_upper, "all letters are large"},
    {"version", "version operator strict version_type", 1, 0, test_version,
     "the version compares so"},
    {"version_compare", "version operator strict version_type", 1, 0, test_version,
     "short for version"},
};

const struct test_table tests_values = {rows, ARRAY_LEN(rows)};

static const struct test_table *const tables[] = {&tests_places, &tests_values};

const struct test *test_find(const char *name)
{
    name = without_collection(name);
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        for (size_t i = 0; i < tables[t]->n; i++) {
            if (strcmp(tables[t]->rows[i].name, name) == 0)
                return &tables[t]->rows[i];
        }
    }
    return NULL;
}

static const char *names[NAMES_MAX + 1];

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void collect_names(void)
{
    size_t n = 0;

    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        for (size_t i = 0; i < tables[t]->n && n < NAMES_MAX; i++)
            names[n++] = tables[t]->rows[i].name;
    }
    qsort(names, n, sizeof(names[0]), by_name);
}

const char *const *jinja_test_names(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, collect_names);
    return names;
}
