/*
 * eval.h - one rendering of a template, and the operations on values that filters and tests share.
 * Private to lib/jinja.
 *
 * Functions that give a value return NULL when they failed or something is pending; functions that
 * give a truth return -1 then. Either way the caller just returns: ev->pending and ev->err say
 * which it was.
 *
 * A Python tuple is a VALUE_LIST with `plain` set. An undefined value holds its message in u.str;
 * with `plain` set it is the one of `a if b` without else, which prints as nothing. Values are
 * constant; only a list made by this very rendering may grow (append), known by its src.file.
 */
#ifndef PGHA_JINJA_EVAL_H
#define PGHA_JINJA_EVAL_H

#include "lib/jinja/ast.h"

#define ARGS_MAX 6

struct binding {
    const char *name;
    const struct value *value;
};

struct regex;

struct evaluator {
    const struct jinja_scope *scope;
    struct arena *arena;
    struct err *err;
    const char *file; /* a copy of this rendering's own: marks the lists it made */
    int line;         /* of what is being evaluated, for messages */
    bool pending;
    long steps; /* left */
    int depth;  /* of values being walked */
    size_t arena_start;
    VEC(struct binding) bindings;
    size_t frame;        /* first binding of the innermost scope */
    struct regex *regex; /* the last one compiled, most templates use one in a loop */
    const char *regex_source;
    unsigned regex_flags;
};

/* Arguments of a call, a filter or a test, evaluated. */
struct call {
    const struct value *arg[ARGS_MAX]; /* in the order of the parameters; NULL: not given */
    const struct value **rest;         /* what `*` takes */
    size_t n_rest;
    const struct value *keywords; /* what `**` takes: map, never NULL */
};

#define TAKES_UNDEFINED      1u /* the value itself may be undefined */
#define TAKES_UNDEFINED_ARGS 2u

/* params: names in order, "*" takes further positional ones (names after it are keyword-only), "**"
 * any keywords. */
struct filter {
    const char *name;
    const char *params;
    int required;
    unsigned flags;
    const struct value *(*fn)(struct evaluator *ev, const struct value *in, const struct call *c);
    const char *help;
};

struct test {
    const char *name;
    const char *params;
    int required;
    unsigned flags;
    int (*fn)(struct evaluator *ev, const struct value *in, const struct call *c);
    const char *help;
};

/* A call of lookup() or query(), or of with_NAME. */
struct lookup_call {
    const struct value *terms;  /* list: what stands behind the name */
    const struct call *options; /* arg: by the row's params */
    const char *kind;           /* of with_first_found (jinja_controller.find); NULL */
};

struct lookup_plugin {
    const char *name;
    const char *params; /* names of the options */
    unsigned flags;     /* TAKES_UNDEFINED_ARGS */
    /* A list; NULL failed. */
    const struct value *(*fn)(struct evaluator *ev, const struct lookup_call *call);
    const char *help;
};

struct filter_table {
    const struct filter *rows;
    size_t n;
};

struct test_table {
    const struct test *rows;
    size_t n;
};

extern const struct filter_table filters_text, filters_list, filters_choice, filters_data,
    filters_path, filters_hash, filters_number, filters_time, filters_wrap;
extern const struct test_table tests_values, tests_places;

const struct filter *filter_find(const char *name);
const struct test *test_find(const char *name);
/* What to do instead of a filter that there is not: " here: ..."; NULL: nothing is known. */
const char *filter_advice(struct arena *a, const char *name);
const char *without_collection(const char *name); /* ansible.builtin.NAME is NAME */

/* ---- failing and limits (eval.c) */
const struct value *ev_fail(struct evaluator *ev, const char *fmt, ...)
    PRINTF_LIKE(2, 3);                                                      /* NULL */
int ev_error(struct evaluator *ev, const char *fmt, ...) PRINTF_LIKE(2, 3); /* -1 */
/* Takes steps; -1 when the rendering has used up its steps or its memory. */
int ev_charge(struct evaluator *ev, size_t steps) MUST_USE;
int ev_charge_bytes(struct evaluator *ev, size_t bytes) MUST_USE;
/* Into a container, out of it with ev->depth--. -1 at the bottom, which only a list put into itself
 * reaches. */
int ev_descend(struct evaluator *ev) MUST_USE;

/* ---- making values (eval.c) */
extern const struct value ev_none, ev_true, ev_false;
const struct value *ev_bool(bool b);
const struct value *ev_int(struct evaluator *ev, int64_t i);
const struct value *ev_float(struct evaluator *ev, double f);
const struct value *ev_str(struct evaluator *ev, const char *s, size_t len);
/* Takes what out holds and releases it; an error when it was full. */
const struct value *ev_take(struct evaluator *ev, struct str *out);
struct value *ev_list(struct evaluator *ev);
const struct value *ev_pair(struct evaluator *ev, const struct value *a,
                            const struct value *b); /* tuple */
void ev_push(struct evaluator *ev, struct value *list, const struct value *item);
void ev_put_in(struct evaluator *ev, struct value *map, const char *key, const struct value *item);
struct value *ev_undefined(struct evaluator *ev, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* ---- applying (eval.c) */
const struct value *ev_expr(struct evaluator *ev, const struct expr *e);
/* What a name stands for; undefined when nothing. */
const struct value *ev_variable(struct evaluator *ev, const char *name);
const struct value *ev_filter(struct evaluator *ev, const struct filter *f, const struct value *in,
                              const struct call *raw);
int ev_test(struct evaluator *ev, const struct test *t, const struct value *in,
            const struct call *raw);
/* raw: all positional arguments in rest, all keywords in keywords. -1 when they do not fit params.
 */
int ev_bind(struct evaluator *ev, const char *what, const char *params, int required,
            const struct call *raw, struct call *out) MUST_USE;

/* ---- operations (ops.c) */
bool is_undefined(const struct value *v);
bool is_nothing(const struct value *v); /* `a if b` without else */
bool is_number(const struct value *v);  /* bool, int or float */
bool is_tuple(const struct value *v);
bool is_mapping(const struct value *v);
const char *python_type(const struct value *v); /* "int", "str", "dict", "NoneType" */
int64_t int_of(const struct value *v);          /* of a bool or int */
double float_of(const struct value *v);         /* of a number */
bool float_fits_int(double f);                  /* without its fraction, in 64 bits */
int ev_truth(struct evaluator *ev, const struct value *v);
int ev_equal(struct evaluator *ev, const struct value *a, const struct value *b);
/* *order < 0, 0, > 0 */
int ev_compare(struct evaluator *ev, const struct value *a, const struct value *b,
               const char *operation, int *order) MUST_USE;
int ev_contains(struct evaluator *ev, const struct value *container, const struct value *item);
const struct value *ev_binary(struct evaluator *ev, enum operator op, const struct value *a,
                              const struct value *b);
int ev_relation(struct evaluator *ev, enum operator op, const struct value *a,
                const struct value *b);
const struct value *ev_negate(struct evaluator *ev, const struct value *v);

/* ---- parts of values (access.c) */
/* What `for` walks: a list's items, a map's keys, a string's characters. VALUE_LIST. */
const struct value *ev_items(struct evaluator *ev, const struct value *v);
/* A map as it is; an object's members, fetched. */
const struct value *ev_map(struct evaluator *ev, const struct value *v);
const struct value *ev_member(struct evaluator *ev, const struct value *v,
                              const char *name); /* map or object; undefined when absent */
const struct value *ev_attr(struct evaluator *ev, const struct value *v, const char *name);
const struct value *ev_item(struct evaluator *ev, const struct value *v, const struct value *key);
/* "a.b.0": for map(attribute=) and friends. An undefined step gives undefined. */
const struct value *ev_path(struct evaluator *ev, const struct value *v, const struct value *path);
const struct value *ev_slice(struct evaluator *ev, const struct value *v, const struct value *start,
                             const struct value *stop, const struct value *step);
int ev_length(struct evaluator *ev, const struct value *v, size_t *n) MUST_USE;
const struct value *namespace_new(struct evaluator *ev, struct value *members);
struct value *namespace_members(const struct value *v); /* NULL: no namespace */
const struct value *loop_new(struct evaluator *ev, const struct value *items);
void loop_move(const struct value *loop, size_t index);
bool is_template_object(const struct value *v); /* a namespace or a loop */
const struct value *loop_cycle(struct evaluator *ev, const struct value *loop,
                               const struct call *c);

/* ---- calls (methods.c) */
const struct value *ev_method(struct evaluator *ev, const struct value *self, const char *name,
                              const struct call *raw);
/* range, dict, namespace, ...; NULL without an error being set when there is none of that name. */
bool function_exists(const char *name);
void jinja_put_functions(struct str *out); /* for jinja_put_reference */
const char *function_names(void);          /* "dict, namespace, range", for messages */
const struct value *ev_function(struct evaluator *ev, const char *name, const struct call *raw);

/* ---- lookups (lookups.c) */
struct lookup_table {
    const struct lookup_plugin *rows;
    size_t n;
};

extern const struct lookup_table lookups_files, lookups_list;

bool lookup_exists(const char *name);
/* Why there is no such lookup: ": what to do instead", or " (did you mean 'x'?)". In a. */
const char *lookup_advice(struct arena *a, const char *name);
void jinja_put_lookups(struct str *out); /* for jinja_put_reference */
/* Without wantlist: one item itself, several strings joined by commas. */
const struct value *ev_lookup(struct evaluator *ev, const struct value *name,
                              const struct call *raw, bool wantlist);
const struct value *ev_with(struct evaluator *ev, const char *name, const struct value *terms,
                            const char *kind);

/* ---- printing (print.c) */
int ev_put(struct evaluator *ev, struct str *out, const struct value *v) MUST_USE;      /* str() */
int ev_put_repr(struct evaluator *ev, struct str *out, const struct value *v) MUST_USE; /* repr() */
const struct value *ev_text(struct evaluator *ev, const struct value *v); /* str() as a value */
/* A map's entries, sorted by key if asked; n as in the map. In the arena. */
const struct value_entry **ev_entries(struct evaluator *ev, const struct value *map, bool sorted);
/* json.dumps; indent < 0: on one line. */
int ev_put_json(struct evaluator *ev, struct str *out, const struct value *v, int indent,
                bool sort_keys) MUST_USE;
/* Bounded in size and depth, without undefined, namespace or loop inside: fit to leave the
 * rendering. */
int ev_check_whole(struct evaluator *ev, const struct value *v) MUST_USE;

/* ---- formatting (format.c): "%5.2f" % x, "{:>8}".format(x) */
const struct value *ev_percent(struct evaluator *ev, const struct value *format,
                               const struct value *args);
const struct value *ev_format(struct evaluator *ev, const struct value *format,
                              const struct call *c);

/* ---- text shared by methods and filters (text.c) */
enum letter_case {
    CASE_UPPER,
    CASE_LOWER,
    CASE_CAPITALIZE,
    CASE_TITLE,
    CASE_JINJA_TITLE,
    CASE_SWAP
};
const struct value *text_case(struct evaluator *ev, const struct value *text, enum letter_case to);
const struct value *text_replace(struct evaluator *ev, const struct value *text,
                                 const struct value *from, const struct value *to, int64_t count);
/* characters NULL or none: white space. sides: 1 left, 2 right, 3 both. */
const struct value *text_strip(struct evaluator *ev, const struct value *text,
                               const struct value *characters, unsigned sides);
const struct value *text_split(struct evaluator *ev, const struct value *text,
                               const struct value *separator, int64_t most);
const struct value *text_lines(struct evaluator *ev, const struct value *text);
const struct value *text_join(struct evaluator *ev, const struct value *items, const char *glue,
                              size_t glue_len);

#endif
