/*
 * args.h - a task's arguments: from what the playbook has to what a module reads.
 *
 * args_split and args_check are for the reader, when the playbook is loaded; args_type is for the
 * runner, once per host, after the templates in the arguments were rendered. Types and conversions
 * are those of ansible-core's argument specs (module_utils/common/validation.py). An argument of
 * Ansible's that is not supported (ARG_REFUSED) is an error that says what to do instead, unless it
 * asks for nothing: null, or what is its default.
 */
#ifndef PGHA_ARGS_H
#define PGHA_ARGS_H

#include "lib/doc/fault.h"
#include "lib/play/module.h"

/* `name: x=1 y="two words"`: the text of a module call as a map of strings in a. For a module with
 * a free form, what is no known name=value goes to *free_form (trimmed); for others that is an
 * error. Templates are kept whole and unrendered: {{ a == b }} is not split. NULL on error. */
struct value *args_split(struct arena *a, const struct module *m, struct source where,
                         const char *text, const char **free_form, struct err *err) MUST_USE;

/* Faults that can be seen before rendering: unknown names (with the nearest valid one), missing
 * ones, the same argument twice under two names, and wrong types and choices of values that hold
 * no template. raw: map or NULL; free_form: as of args_split or NULL. */
void args_check(const struct module *m, const struct value *raw, const char *free_form,
                struct source where, struct faults *faults);

/* Rendered arguments, typed: every argument by its main name, defaults filled in, absent and null
 * ones left out. ARG_STR, ARG_PATH: string; ARG_MODE: "0644" for what is octal or a number (a plain
 * 0644 is the integer 420 in YAML), else the symbolic text; ARG_LIST: list of strings. NULL on
 * error: "file:line:col: ...". */
const struct value *args_type(struct arena *a, const struct module *m, const struct value *raw,
                              struct source where, struct err *err) MUST_USE;

/* Words of a command line as Python's shlex.split: quotes and backslashes, nothing else. List of
 * strings in a; NULL on an open quote. */
struct value *args_words(struct arena *a, const char *text, struct err *err) MUST_USE;

/* 0 with *out, or -1: Ansible's booleans (yes, no, on, off, true, false, 1, 0, y, n, t, f). */
int args_bool_text(const char *text, bool *out);

#endif
