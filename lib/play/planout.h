/*
 * planout.h - small helps to fill a struct module_plan.
 */
#ifndef PGHA_PLANOUT_H
#define PGHA_PLANOUT_H

#include "lib/play/module.h"

/* The map of return values, made on first use. */
struct value *plan_result(struct module_call *call, struct module_plan *out);
void plan_result_str(struct module_call *call, struct module_plan *out, const char *key,
                     const char *text); /* NULL: nothing is set */
void plan_result_bool(struct module_call *call, struct module_plan *out, const char *key, bool b);
void plan_result_int(struct module_call *call, struct module_plan *out, const char *key, int64_t i);

/* Adds to plan->msg: "content, mode 0644 -> 0600". */
void plan_say(struct module_call *call, struct module_plan *out, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* PLAN_FAIL with this message. Returns 0: the plan was made. */
int plan_fail(struct module_call *call, struct module_plan *out, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Begins the next command of a list joined by &&. */
void script_step(struct str *script);
/* A step: words after the plain ones of fmt, each quoted. script_run(s, "systemctl enable", u,
 * NULL) */
void script_run(struct str *script, const char *command, ...) __attribute__((sentinel));

/* Default result of a captured fragment: rc, stdout, stderr and their _lines; failed with "non-zero
 * return code" when rc is not 0. strip: trailing line ends are cut off. */
void finish_captured(struct module_call *call, struct module_plan *plan, int rc, const char *out,
                     const char *errout, bool strip);

#endif
