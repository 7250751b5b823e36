/*
 * module.h - a module is what a task calls: one file ending in one const struct, one line in
 * modules.c.
 *
 * The three steps are the same for all: needs (what to ask the host), plan (a pure function:
 * desired against world gives ok, change or opaque), apply (a fragment of POSIX sh that makes one
 * change and decides nothing). plan writes the fragment and updates the world to what it will be.
 */
#ifndef PGHA_MODULE_H
#define PGHA_MODULE_H

#include "lib/base/assets.h"
#include "lib/base/err.h"
#include "lib/base/vec.h"
#include "lib/play/world.h"

struct include;
struct jinja_syntax;

enum arg_type {
    ARG_STR,
    ARG_BOOL,
    ARG_INT,
    ARG_FLOAT,
    ARG_LIST /* of strings; "a,b" splits */,
    ARG_MAP,
    ARG_PATH,
    ARG_MODE /* "0644", 0644, u=rw,g=r */,
    ARG_RAW,
    ARG_REFUSED /* known to Ansible, not supported: help says why and what to do instead. With
                   `otherwise` that one text or boolean is taken: it asks for nothing */
};

struct module_arg {
    const char *name;
    enum arg_type type;
    bool required;
    const char *otherwise; /* default as YAML text; NULL: none */
    const char *choices;   /* "present|absent"; NULL: any */
    const char *aliases;   /* "dest|name"; NULL: none */
    const char *help;      /* one line, for docs/modules.md */
};

enum plan_kind {
    PLAN_OK,     /* right already */
    PLAN_CHANGE, /* script makes it right; the world says what it will be */
    PLAN_OPAQUE, /* script must run; what it changed is unknown after it */
    PLAN_SKIP,   /* result.skipped with a reason in msg */
    PLAN_FAIL /* err in result.msg: failed without touching the host (assert, fail, missing source)
               */
};

/* One task on one host, arguments rendered and typed. */
struct module_call {
    struct arena *arena; /* of this call: what outlives it (the world) has an arena of its own */
    const struct value
        *args; /* map: every argument by its main name, defaults filled in; absent ones missing */
    const char *free_form;       /* command, shell, ...: the text; NULL otherwise */
    struct source src;           /* of the task */
    const struct assets *assets; /* to read sources of copy, template */
    const char *const *search;   /* folders for src, most special first, NULL-terminated: files/ or
                                    templates/ of the role ... */
    bool check_mode, diff;
    /* Renders text (a template file's content, say) with the task's variables. enum jinja_result,
     * see jinja.h. */
    int (*render)(struct module_call *call, const struct jinja_syntax *syntax, const char *file,
                  const char *text, size_t len, struct str *out, struct err *err);
    /* Evaluates a bare expression (a line of assert's `that`, debug's `var`) with the task's
     * variables, as `when` does. *out lives in call->arena or longer. enum jinja_result: PENDING is
     * what needs() answers 1 for, so modules evaluate in needs() and keep the value in own. */
    int (*eval)(struct module_call *call, struct source where, const char *expression,
                const struct value **out, struct err *err);
    struct world *world; /* what is known so far, for needs: what a link leads to. NULL: nothing */
    int verbosity;       /* how many -v: debug's `verbosity` */
    int64_t now_s;       /* seconds since 1970 at the start of the run: apt's cache_valid_time */
    const struct include *include; /* of include_tasks (playbook.h); else NULL */
    void *data;                    /* of the runner */
    void *own; /* of the module: what needs computed and plan uses again (rendered content) */
};

struct module_plan {
    enum plan_kind kind;
    struct str script; /* apply fragment; run by `sh` with set -e semantics left to it: its exit
                          status counts */
    struct str diff; /* unified, for people; empty when there is none. Redacted by who prints it */
    const char *msg; /* one line: "mode 0644 -> 0600"; reason of a failure or skip */
    struct value *result;   /* map: Ansible's return values known at plan time (dest, mode, state,
                               ...); changed/failed are set by the runner, except where a module (or
                               its finish) has set them: `changed: false` of a wait_for or a bare
                               daemon_reload is not a change although a fragment ran */
    const char *moves_unit; /* the unit that is started or stopped, in arena: applied, the state of
                               any other may have changed as well; failed, its journal says why */
    bool captures;  /* the fragment's stdout, stderr and rc become result values (command, shell) */
    int timeout_ms; /* of the fragment; 0: the runner's default */
    bool simulates; /* check mode: the fragment changes nothing (apt-get --simulate) and is run,
                       because only its answer tells whether there is something to do. One that
                       fails after foreseen changes proves nothing: the plan stands */
    const char *consequence; /* "restart patroni", "reload haproxy", NULL */
};

struct module {
    const char *name;           /* "systemd_service" */
    const char *const *aliases; /* "ansible.builtin.systemd_service", "systemd", "service";
                                   NULL-terminated. ansible.builtin.NAME is implied */
    const char *help;
    const struct module_arg *args; /* ends with {NULL} */
    bool free_form;                /* `command: text` */
    bool any_args;                 /* set_fact: any names */
    /* Adds what plan will look up. May do the work that plan needs, in call->own (render the
     * template for its sha256). 0, -1 with err (fails the task), or 1: pending on facts or results
     * not known yet. */
    int (*needs)(struct module_call *call, void (*add)(void *ctx, const struct need *need),
                 void *ctx, struct err *err);
    /* Pure: reads and updates the world, fills out. No I/O. */
    int (*plan)(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err);
    /* After a capturing fragment ran: turns rc/stdout/stderr into result values, may decide failed
     * or changed. NULL: the default. */
    void (*finish)(struct module_call *call, struct module_plan *plan, int rc, const char *out,
                   const char *errout);
    bool runs_in_check_mode; /* stat, assert, debug, set_fact, ...: they change nothing */
};

const struct module *module_find(const char *name); /* any name or alias; NULL */
extern const struct module *const module_list[];    /* sorted, NULL-terminated */

#endif
