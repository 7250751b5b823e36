/*
 * run.h - one run of a playbook: its hosts and where each of them is. Private to lib/play.
 *
 * runner.c goes through plays, batches and segments; a segment is worked off by every host of the
 * batch on a thread of its own (host.c). A host plans a batch of steps (step.c), makes a trip
 * (trip.c) and settles what came of it (progress.c), until the segment ends. Between segments the
 * main thread alone touches hosts.
 */
#ifndef PGHA_RUN_H
#define PGHA_RUN_H

#include "lib/play/playbook.h"
#include "lib/play/probe.h"

struct run;
struct host;

/* What a block of the play has, once tags have left out tasks. */
struct block_use {
    bool rescues, cleans_up;
};

/* A play in this run. */
struct stage {
    const struct play *play;
    struct host **hosts; /* all that the play names */
    size_t n;
    bool *selected;           /* per task, by tags and --start-at-task */
    struct block_use *blocks; /* per block */
    const struct value *host_names, *alive_names,
        *batch_names; /* lists; changed between segments */
};

/* One time through an included file. Never changed, so that copies of a progress may share it. */
struct turn {
    const struct include *include;
    const struct include_file *file;
    const struct value *item; /* of the loop; NULL */
    size_t index;
    const struct turn *next;  /* of the same include */
    const struct turn *outer; /* of the include around it */
};

/* Where a task's failure leads to. */
enum fate {
    FATE_ENDS,      /* the host drops out */
    FATE_CLEANS_UP, /* it drops out after the always parts around the task */
    FATE_RESCUED
};

/* How far a host is. Planning runs ahead of what happened, so there are copies (progress_copy). */
struct progress {
    size_t task;               /* in the play's list */
    size_t handler;            /* at a flush: which handler is next */
    const struct value *items; /* list: of the loop that began; NULL */
    size_t item;
    VEC(struct value *) results; /* of the loop's items so far */
    int attempt;                 /* of until; 0: the first */
    struct map registered;       /* name -> struct value *: results and set_facts */
    bool *notified;              /* per handler of the play */
    size_t n_handlers;
    const struct turn *turn;     /* of the innermost include the host is in; NULL */
    const struct turn *accepted; /* of the include at hand so far, the last one first */
    bool *failing;               /* per block: a failure waits for the end of its always part */
    size_t n_blocks;
    bool item_failed; /* an item of the loop at hand did */
    bool lost;        /* a failure that nothing rescued, all that had to be done after it is done */
};

/* One task, or one item of its loop, on one host. */
struct step {
    struct arena *arena; /* owned; of all that is rendered and planned */
    const struct task *task;
    struct stage *stage;
    bool is_handler;
    const char *title, *label; /* rendered; label: of the item, or NULL */
    const struct value *item, *items;
    size_t index;        /* of the item */
    bool first, last;    /* of the task's items */
    bool earlier_failed; /* an item before this one */
    enum fate fate;      /* should it fail */
    bool foreseen;       /* its failure was known when it was planned */
    struct module_call call;
    struct module_plan plan;
    bool planned; /* plan holds something */
    bool applies; /* the fragment is part of the trip */
    bool open;    /* the result is known after the trip only */
    bool check;   /* not to be applied, by check mode */
    bool no_log, ignore_errors;
    struct names notify;
    const char *environment; /* sh text, or NULL */
    struct value *result;    /* map; final unless open */
    bool changed, failed, skipped;
    /* from the trip */
    int64_t began_ms, elapsed_ms; /* by its marks, as they came */
    bool ended;
    int rc;
    const char *out, *errout;
};

struct steps {
    struct step *items;
    size_t n, cap;
};

struct host {
    struct run *run;
    const char *name;
    const struct inventory_host *inventory;
    struct arena arena;
    const struct value *vars; /* from the inventory */
    const struct value *view; /* what hostvars[name] is */
    struct world world;
    struct progress progress;
    struct steps batch;
    struct progress before; /* the batch */
    void *session;
    struct host_result *result;
    bool facts_visible;                           /* a play gathered them */
    bool takes_part;                              /* a play names it, and --limit leaves it */
    bool failed;                                  /* or unreachable: it takes no part any more */
    bool task_changed, task_skipped, task_failed; /* of the loop's items so far */
    bool foreseen;           /* check mode: a change of which simulations know nothing */
    struct map marked;       /* handlers that have a marker on the host */
    VEC(const char *) stale; /* markers to remove */
    struct map files;        /* of vars_files that a template names: place -> its variables */
    int64_t started_ms, connect_ms, trips_ms;
    int64_t first_try_ms; /* of the task that is tried again; 0: none is */
    /* what other hosts see: set between plays */
    const struct value *published, *published_facts;
};

struct run {
    const struct playbook *pb;
    const struct assets *assets;
    const struct inventory *inv;
    const struct play_options *options;
    const struct play_transport *transport;
    const char *pending_dir;
    struct arena arena;
    struct templates templates; /* of inventory and extra variables */
    const struct value *groups, *version, *extra, *hostvars;
    struct host *hosts;
    size_t n;
    struct map by_name;
    struct stage *stages;
    size_t n_stages;
    int64_t now_s;
};

/* ---- runner.c */
/* Hosts, their variables and which play has which. The run may be released either way. */
int run_init(struct run *run, const struct playbook *pb, const struct assets *assets,
             const struct inventory *inv, const struct play_options *options,
             struct err *err) MUST_USE;
void run_release(struct run *run);

/* ---- progress.c */
void progress_start_play(struct progress *p, const struct play *play, struct host *host);
void progress_copy(struct progress *to, const struct progress *from);
void progress_release(struct progress *p);
/* The task at hand, skipping what tags leave out and handlers nobody notified; NULL at `end`. */
const struct task *progress_task(struct progress *p, const struct stage *stage, size_t end,
                                 bool *is_handler);
/* Past a step whose result is known: registers, notifies, moves on, or to what a failure leads to.
 */
void progress_pass(struct progress *p, struct host *host, const struct step *step);
/* Past the task at hand without doing it. */
void progress_skip(struct progress *p, const struct play *play);
enum fate progress_fate(const struct progress *p, const struct stage *stage);
/* The task at hand failed: on to the rescue or always part around it. */
void progress_fail(struct progress *p, const struct stage *stage);
/* One more file of the include at hand; then into the first of them, or past it when there was
 * none. */
void progress_accept(struct progress *p, struct arena *a, const struct turn *turn);
void progress_enter(struct progress *p, struct arena *a, const struct include *include);
/* Does this step make the task fail? */
bool step_fails(const struct step *step);
/* Does the name notify the handler? */
bool handler_hears(const struct task *handler, const char *name, struct arena *a);

/* ---- step.c */
enum step_state { STEP_READY, STEP_UNKNOWN /* needs a probe first */ };
enum step_state step_plan(struct host *host, struct stage *stage, const struct task *task,
                          bool is_handler, struct step *step);
void step_release(struct step *step);
/* Result of a step that ran, or will not: changed, failed, until. */
void step_settle(struct host *host, struct step *step);
/* Must it be tried again? */
bool step_wants_retry(struct host *host, struct step *step, int *delay_ms);
/* "template /etc/haproxy/haproxy.cfg: content" */
const char *step_summary(const struct step *step, struct arena *a);
/* The parts of step_plan that need no world. enum jinja_result. scope must live as long as the
 * call. */
struct scope;
int step_fill_call(struct host *host, struct step *step, struct scope *scope, struct arena *a,
                   struct err *err);
/* What an include in the list means for the host whose place walk is: its files are accepted. enum
 * jinja_result; JINJA_OK with nothing accepted when its condition is false. */
int step_accept_include(struct host *host, struct stage *stage, const struct task *task,
                        struct scope *outer, struct arena *a, struct progress *walk,
                        struct err *err);
int step_loop_items(struct scope *scope, const struct task *task, struct arena *a,
                    const struct value **out, struct err *err);
/* What all tasks from here on need and the world does not know yet. */
int step_gather(struct host *host, struct stage *stage, struct probe *probe,
                struct err *err) MUST_USE;

/* ---- trip.c */
/* Applies the batch's fragments and probes; the answers are in the steps and the world. */
int trip_run(struct host *host, const struct probe *probe, struct err *err) MUST_USE;

/* ---- host.c */
int host_open(struct host *host); /* connects and makes the first trip */
void host_segment(struct host *host, struct stage *stage, size_t end);
void host_close(struct host *host);
void host_fail(struct host *host, struct err *err); /* takes err over */

#endif
