/*
 * proc.h - programs of this machine. argv only, never a shell. Children get no open descriptors of
 * ours.
 */
#ifndef PGHA_PROC_H
#define PGHA_PROC_H

#include <sys/types.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

struct proc {
    const char *const *argv; /* argv[0] is looked up in PATH; NULL-terminated */
    const char *input;       /* for stdin; NULL: /dev/null */
    size_t input_len;
    const char *const *env; /* additions "NAME=value", NULL-terminated; may be NULL */
    int timeout_ms;         /* 0: none; then SIGTERM, then SIGKILL */
    struct str *out;        /* stdout; NULL: /dev/null */
    struct str *errout;     /* stderr; NULL: its last 4 KiB go into the error message */
    int status;             /* exit status, or 128 + signal; set when it ran */
};

/* 0 when the program exited 0. A missing program is ERR_IO with a hint; another exit status is
 * ERR_FAILED naming the command and the last lines of stderr; output beyond out->max is ERR_FAILED.
 * A stop (clock_request_stop) that comes while it runs ends it, with what it started:
 * ERR_INTERRUPTED. One that came before does not, so that cleaning up can run programs. It does not
 * outlive this thread. */
int proc_run(struct proc *p, struct err *err) MUST_USE;
/* Detached (own session, stdin /dev/null, stdout and stderr appended to log_path). *pid is its pid;
 * it is no child of ours, so nobody waits for it: proc_start_time() tells whether it is still
 * there. */
int proc_spawn(const char *const *argv, const char *const *env, const char *log_path, pid_t *pid,
               struct err *err) MUST_USE;
bool proc_find_program(const char *name, char *path,
                       size_t size); /* in PATH and the sbin folders */
/* Start time in clock ticks since boot (/proc/PID/stat, field 22), 0 when there is no such process:
 * with the pid it names a process for good. */
uint64_t proc_start_time(pid_t pid);

#endif
