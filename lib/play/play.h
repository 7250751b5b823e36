/*
 * play.h - playbooks: read them, and converge hosts to them.
 *
 * The format is a strict subset of Ansible's; every key outside it is a fault at file:line:column
 * that names what is supported. The runner does probe -> plan -> apply (module.h) with one
 * connection a host and as few trips as possible:
 *
 *   The tasks of ALL plays that name a host are probed in its first trip, as far as their text is
 * known. A host with nothing to do makes that one trip. Then stage by stage (a play; a batch of
 * `serial`; around a run_once task) every host of the stage plans, applies in one script, probes
 * again only after an opaque change, and waits for the others at the stage's end.
 *
 * Handlers notified by an interrupted run are remembered on the host (/var/lib/pgha-deploy/pending)
 * and run by the next.
 */
#ifndef PGHA_PLAY_H
#define PGHA_PLAY_H

#include "inventory/inventory.h"
#include "lib/base/assets.h"
#include "lib/base/event.h"
#include "lib/base/vec.h"
#include "lib/net/ssh.h"

struct playbook; /* parsed with its roles and imported files; read-only, shared by threads */

/* path as assets knows it. NULL when faults were added. */
struct playbook *playbook_load(const struct assets *assets, const char *path,
                               struct faults *faults);
void playbook_free(struct playbook *pb);
/* [{"name","hosts","tasks":[{"name","module","tags"}]}] for play --list-tasks --json. */
struct value *playbook_describe(const struct playbook *pb, struct arena *a);

/* How scripts reach a host. */
struct play_transport {
    /* A session, which belongs to one thread at a time; NULL with err. deadline_ms as in
     * play_options. */
    void *(*open)(void *ctx, const struct ssh_target *target, int64_t deadline_ms, struct err *err);
    int (*run)(void *session, struct ssh_run *run, struct err *err);
    void (*close)(void *session);
    void *ctx;
};
extern const struct play_transport play_transport_ssh;   /* the default: ssh.h */
extern const struct play_transport play_transport_local; /* /bin/sh on this machine, for tests */

struct play_options {
    bool check;                                 /* plan only: nothing is applied */
    bool diff;                                  /* ask for diffs of changed files */
    const char *limit;                          /* host pattern; NULL: all */
    const struct value *extra_vars;             /* map; the strongest; may be NULL */
    const char *const *tags, *const *skip_tags; /* NULL-terminated; NULL: all / none */
    const char *start_at; /* a task's name, with or without its role, or a pattern of fnmatch: what
                             is before the first such task is left out. NULL: nothing is */
    int forks;            /* hosts at once; 0: all, at most POOL_MAX_THREADS */
    int task_timeout_ms;  /* 0: 10 min */
    int fresh_ms;         /* 0: WORLD_FRESH_MS */
    struct event_sink *events;
    /* Fills the target from the host's merged variables, if the default (ansible_host,
     * ansible_port, ansible_user, ansible_ssh_private_key_file, become) is to be changed:
     * known_hosts, accept_new. May be NULL. */
    void (*target)(void *ctx, const char *host, struct ssh_target *target);
    void *target_ctx;
    int64_t connect_deadline_ms; /* clock_mono_ms, later for hosts whose turn comes late; 0: one
                                    attempt */
    int verbosity;               /* how many -v */
    const struct play_transport *transport; /* NULL: SSH */
    const char *pending_dir;                /* on the hosts; NULL: /var/lib/pgha-deploy/pending */
};

struct task_change {
    const char *task, *module, *where; /* where: file:line */
    const char *summary;               /* "template /etc/haproxy/haproxy.cfg: content" */
    const char *diff;                  /* or NULL */
    const char *consequence;           /* or NULL */
    bool opaque;
};

struct host_result {
    const char *host;
    int ok, changed, skipped, failed, unreachable, ignored,
        rescued; /* task counts, as Ansible's recap */
    int trips;
    int64_t elapsed_ms;
    VEC(struct task_change) changes;
    struct err err;           /* why it failed */
    struct value *registered; /* map: registered results and set_facts */
};

struct play_result {
    struct arena arena;
    struct host_result *hosts;
    size_t n;
    int changed, failed; /* hosts */
};

/* 0 when every host ended well; -1 with the first host's error and how many others failed; result
 * is filled either way. */
int play_run(const struct playbook *pb, const struct assets *assets, const struct inventory *inv,
             const struct play_options *options, struct play_result *result,
             struct err *err) MUST_USE;
void play_result_release(struct play_result *result);

/* What ansible-playbook prints for --list-hosts and --list-tasks: plays, their hosts, and the tasks
 * that limit and tags of options leave. As there, tasks of rescue and always and of included files
 * are not listed. path: of the playbook, as it is to be shown. */
int play_list(const struct playbook *pb, const struct assets *assets, const struct inventory *inv,
              const struct play_options *options, const char *path, bool hosts, bool tasks,
              struct str *out, struct err *err) MUST_USE;
/* The same hosts: a list of lists of names, one a play. */
int play_list_hosts(const struct playbook *pb, const struct assets *assets,
                    const struct inventory *inv, const struct play_options *options,
                    struct arena *a, struct value **out, struct err *err) MUST_USE;

/* Renders every `template` and `copy` task of every play for one host without touching it: the
 * callback gets dest, mode and content. Facts are unknown here, so a template that needs them is an
 * error. */
int play_render(const struct playbook *pb, const struct assets *assets, const struct inventory *inv,
                const char *host,
                int (*file)(void *ctx, const char *dest, unsigned mode, const char *owner,
                            const char *content, size_t len, struct err *err),
                void *ctx, struct err *err) MUST_USE;

#endif
