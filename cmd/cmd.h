/*
 * cmd.h - a command is one file ending in one const struct; registry.c lists them all.
 *
 * Everything below cmd/ returns errors; only here is anything printed, and exit statuses are
 * chosen.
 */
#ifndef PGHA_CMD_H
#define PGHA_CMD_H

#include "lib/deploy/deploy.h"
#include "lib/deploy/eta.h"

struct option_row {
    const char *name; /* long: --name */
    char letter;      /* 0: none */
    const char *arg;  /* "FILE"; NULL: a flag */
    const char *help;
};

struct given_option {
    const char *name, *value;
};

struct context {
    const struct provider *const *providers; /* NULL-terminated */
    const char *file;                        /* -f */
    const char *events_file;                 /* --events; NULL: none */
    const char *playbooks;                   /* --playbooks; NULL: embedded */
    const char *title;                       /* the command with its own options' names */
    struct profiler *profiler;               /* --profile; NULL: not asked for */
    struct vault_source vault;               /* --vault-password-file, environment, folder */
    bool json, quiet, yes, accept_new_keys, profile;
    int verbose;
    const char *argument; /* the first one, for commands whose work takes it; NULL: none */
    struct map options;   /* the command's own: name -> value, "" for a flag; of the last one */
    VEC(struct given_option) given; /* all of them, in order */
    struct event_sink *events;
};

struct command {
    const char *name, *summary;
    const char *usage;                /* what follows the name: "HOST [UNIT]"; "" for nothing */
    const char *help;                 /* a paragraph, or NULL */
    const struct option_row *options; /* ends with name NULL; may be NULL */
    int min_args, max_args; /* positional; max -1: any number, and what follows is not looked at for
                               options */
    int (*run)(struct context *ctx, int argc, char **argv);
};

extern const struct command *const commands[]; /* in the order of help; NULL-terminated */
extern const struct option_row global_options[];
const struct command *command_find(const char *name);

/* options.c: fills ctx; *command and positional arguments come back. An exit status, or -1 to go
 * on. */
int options_parse(struct context *ctx, int argc, char **argv, const struct command **command,
                  int *rest);
const char *option_get(const struct context *ctx, const char *name); /* NULL when not given */
bool option_given(const struct context *ctx, const char *name);
/* Every value of an option that may be given more than once: *at begins as 0. NULL: no more. */
const char *option_next(const struct context *ctx, const char *name, size_t *at);
void help_print(void);
void help_command(const struct command *c);
void man_print(struct str *out);           /* pgha-deploy.1 */
void commands_write_docs(struct str *out); /* docs/commands.md */

/* ui.c: progress and messages on stderr. */
struct event_sink *ui_init(bool quiet, int verbose);
void ui_finish(void);                        /* takes the live lines away */
bool ui_is_live(void);                       /* is there a block that is redrawn? */
void ui_expect(struct eta_stages *expected); /* of the run; taken over */
bool ui_colour(int fd);
bool ui_confirm(void *ctx, const char *what); /* asks on the terminal; ctx is the struct context */

/* profiler.c: --profile. Made for a sink that events go to next; told to the user by
 * profiler_report, unless a result in JSON has it already (profiler_add_to, which does nothing
 * without a profiler). */
struct profiler *profiler_new(struct event_sink *next);
struct event_sink *profiler_sink(struct profiler *p);
void profiler_add_to(struct profiler *p, struct value *result, struct arena *a);
void profiler_report(struct profiler *p);
void profiler_free(struct profiler *p); /* p may be NULL */

/* common.c */
int report_err(struct err *err);          /* prints and releases; the exit status */
int report_faults(struct faults *faults); /* prints; 65 */
void print_value(const struct value *v);  /* pretty JSON on stdout */
void print_text(const struct str *text);  /* on stdout */
int confirm_possible(
    const struct context *ctx); /* -1 to go on; else a status: no terminal and no --yes */
/* The cluster file into c. -1 to go on, else the exit status, everything said. Release c either
 * way. */
int load_cluster(const struct context *ctx, struct cluster *c);
/* load_cluster, and d opened on it. -1 to go on; close_deploy either way. */
int open_deploy(const struct context *ctx, enum deploy_access access, struct cluster *c,
                struct deploy *d);
void close_deploy(struct cluster *c, struct deploy *d);
/* Opens the cluster, does the work, prints its result: as JSON when that was asked for (with the
 * error, if any), else by print. changed, unless NULL, is how many changes there were. The exit
 * status. */
struct deploy_work {
    enum deploy_access access;
    int (*run)(struct context *ctx, struct deploy *d, struct deploy_result *r, struct err *err);
    void (*print)(const struct deploy *d, const struct deploy_result *r); /* after a success */
    void (*print_failed)(const struct deploy_result *r);                  /* may be NULL */
};
int run_deploy(struct context *ctx, const struct deploy_work *work, size_t *changed);
/* Runs a program in our place, with the terminal. Returns only on failure, with the status. */
int exec_program(const char *const *argv);

#endif
