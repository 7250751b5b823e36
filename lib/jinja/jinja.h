/*
 * jinja.h - the template language: a strict subset of Jinja2 3.1 as Ansible's template module sets
 * it.
 *
 * trim_blocks on, lstrip_blocks off, the last newline kept, undefined is an error (StrictUndefined:
 * only `is defined`, `default` and friends may touch it). What is outside the subset is an error at
 * file:line that names it. A name's value comes from a callback, so variables may be computed, and
 * may be PENDING: then the whole result is.
 */
#ifndef PGHA_JINJA_H
#define PGHA_JINJA_H

#include "lib/base/err.h"
#include "lib/doc/value.h"

#define JINJA_MAX_OUTPUT ((size_t)16 << 20)
#define JINJA_MAX_DEPTH  64      /* of expressions and blocks */
#define JINJA_MAX_STEPS  5000000 /* evaluated nodes of one rendering: a template cannot hang us */

struct stat;
struct jinja_template; /* parsed; read-only, may be shared by threads */

enum jinja_tag { JINJA_BLOCK, JINJA_PRINT, JINJA_COMMENT, JINJA_TAGS };

/* How tags are written, and what of the white space around blocks and comments goes: what
 * Ansible's template module can set. */
struct jinja_syntax {
    const char *begin[JINJA_TAGS], *end[JINJA_TAGS]; /* "{%", "{{", "{#" and "%}", ... */
    bool trim_blocks;                                /* the newline after one */
    bool lstrip_blocks;                              /* the blanks before one that begins a line */
};
extern const struct jinja_syntax jinja_usual_syntax;

/* What lookups and tests of paths see of the machine that runs the playbook. What comes from it is
 * never rendered, except by the lookup `template`. */
struct jinja_controller {
    const char *(*env)(void *data, const char *name); /* NULL: not set */
    /* The file that a task means by a name, looked for beside the role and the playbook, there in
     * the folder kind ("files", "templates", "vars"; NULL: in none) first. In a; NULL: none. */
    const char *(*find)(void *data, struct arena *a, const char *kind, const char *name);
    /* Appends to out, at most out->max bytes. */
    int (*read)(void *data, const char *path, struct str *out, struct err *err);
    /* The files that a pattern means, in the first folder that has any; folder is what stands
     * before the pattern's last slash, or NULL. */
    void (*glob)(void *data, struct arena *a, const char *folder, const char *pattern,
                 struct value *out);
    int (*stat)(void *data, const char *path, bool follow, struct stat *out); /* -1: not there */
    void *data;
};

struct jinja_scope {
    /* Called for every name that the template itself did not set. *out lives in a or longer. */
    enum lookup (*get)(void *data, struct arena *a, const char *name, const struct value **out,
                       struct err *err);
    void *data;
    const struct jinja_controller *controller; /* NULL: lookups that need one are errors */
    int nesting;                               /* templates looked up inside of each other */
};

enum jinja_result { JINJA_OK, JINJA_PENDING, JINJA_ERROR /* err says file:line: what */ };

/* where: the place of the text's first line (YAML scalars in playbooks); file is copied. NULL on
 * error. */
struct jinja_template *jinja_parse(struct arena *a, struct source where, const char *text,
                                   size_t len, struct err *err);
/* The same with another syntax, whose delimiters must be some, and begin differently. */
struct jinja_template *jinja_parse_as(struct arena *a, const struct jinja_syntax *syntax,
                                      struct source where, const char *text, size_t len,
                                      struct err *err);
struct jinja_template *jinja_parse_expression(struct arena *a, struct source where,
                                              const char *text, size_t len, struct err *err);

/* A template file: text into out. */
enum jinja_result jinja_render(const struct jinja_template *t, const struct jinja_scope *scope,
                               struct str *out, struct err *err);
/* A bare expression (when, until, var): its value. A template made of one {{ expression }} and
 * nothing else gives that expression's value with its type, anything else a string:
 * ansible-core 2.19's native types. */
enum jinja_result jinja_eval(const struct jinja_template *t, const struct jinja_scope *scope,
                             struct arena *a, const struct value **out, struct err *err);

/* What `with_NAME: terms` walks: a list. kind: as of jinja_controller.find, for first_found. */
enum jinja_result jinja_with(const char *name, const struct value *terms, const char *kind,
                             const struct jinja_scope *scope, struct arena *a,
                             const struct value **out, struct err *err);

bool jinja_has_markup(const char *text); /* "{{", "{%" or "{#" inside */
bool jinja_truth(const struct value *v); /* Python's bool() */
/* As {{ v }} prints it: Python's str(), so True, None, 1.0, ['a', 1]. */
void jinja_put(const struct value *v, struct str *out);

/* Names of all filters and tests, for docs and for "did you mean". Sorted, NULL-terminated. */
const char *const *jinja_filter_names(void);
const char *const *jinja_test_names(void);
/* The reference of all filters, tests and functions as Markdown, from the tables that run them, and
 * of Ansible's what to use instead. */
void jinja_put_reference(struct str *out);

#endif
