/*
 * probe.h - one script that asks a host for everything a set of needs wants to know, and the
 * reading of its answer.
 *
 * Each kind of need is one program however many names there are: find and sha256sum for paths,
 * dpkg-query, systemctl show, getent, grep for kernel settings. What the shell can read itself
 * (/etc/os-release) costs no process.
 *
 * The answer is cut into sections by lines "MARK NAME", where MARK holds a random number that only
 * this trip knows: no file's content can imitate one. Whatever the host answers, every need that
 * was asked for is known afterwards (absent when it said nothing), so no question is asked twice.
 */
#ifndef PGHA_PROBE_H
#define PGHA_PROBE_H

#include "lib/base/err.h"
#include "lib/play/world.h"

#define PROBE_MAX_NEEDS  20000
#define PROBE_MAX_ANSWER ((size_t)64 << 20)

/* Needs without duplicates: several for one path become one that asks for all of it. */
struct probe {
    struct arena arena;
    struct map needs[NEED_KINDS]; /* name -> struct probe_need * */
    bool pending_handlers;        /* ask for the names in pending_dir */
    size_t count;
};

void probe_init(struct probe *p);
void probe_release(struct probe *p);
/* ERR_INPUT for a name that no host can have (a newline in it) and for too many. */
int probe_add(struct probe *p, const struct need *need, struct err *err) MUST_USE;
bool probe_is_empty(const struct probe *p);

/* Appends POSIX sh text; it needs the function `m` of script_begin. */
void probe_put_script(const struct probe *p, const char *pending_dir, struct str *script);
/* crontab with these options, of a user; "": who runs the script. Module cron writes with it, too.
 */
void crontab_put_command(const char *user, const char *options, struct str *script);
/* Reads the answer into the world. Text before the first section is ignored; an answer that is cut
 * short is ERR_REMOTE. */
int probe_read(const struct probe *p, const char *mark, const char *answer, size_t len,
               struct world *world, struct err *err) MUST_USE;

#endif
