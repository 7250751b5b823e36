/*
 * script.h - the text of a trip: fragments that change the host, with markers around each, and the
 * cutting of what it prints.
 *
 * stdout of the script is a row of sections, each begun by a line "MARK NAME" (after an empty
 * line). The names:
 *
 * - begin ID: the fragment starts (for live progress)
 * - out ID, err ID: what it printed, base64; all of it when captured, else its end when it failed
 * - end ID STATUS: its exit status
 *
 * A fragment runs in a subshell of its own, so `exit`, variables and `set` stay inside. The first
 * one that fails is the last one that runs.
 */
#ifndef PGHA_SCRIPT_H
#define PGHA_SCRIPT_H

#include "lib/base/str.h"

#define SCRIPT_MARK_SIZE 40
/* Bytes of stdout, and of stderr, that become a result; of the end of what a failed one said. */
#define SCRIPT_MAX_CAPTURE  (1024 * 1024)
#define SCRIPT_FAILED_BYTES 4096

struct fragment {
    size_t id;
    const char *before; /* sh text that prepares it (environment, markers of handlers); may be "" */
    const char *text;
    const char *after; /* sh text run when it succeeded; may be "" */
    const char *unit;  /* of systemd: when it failed, the end of its journal is told; may be NULL */
    bool captures;
    bool lenient; /* its failure may be none: go on to the probe */
};

/*
 * Temporary files and folders of scripts are called PREFIX + PID of the script's shell + "-" +
 * eight random characters, so that a later script can tell which of them were left by one that was
 * killed. prefix: shell words, quoted ("'/etc/.pgha-'"). Adds one command, which never fails, that
 * removes those of dead shells.
 */
#define SCRIPT_TEMPORARY ".pgha-"
#define SCRIPT_RANDOM    "$$-XXXXXXXX" /* for mktemp(1), after the prefix */
void script_put_sweep(struct str *script, const char *prefix);

void script_mark(char mark[SCRIPT_MARK_SIZE]);
void script_begin(struct str *script, const char *mark, bool has_fragments);
void script_put_fragment(struct str *script, const struct fragment *fragment);

/* The text of a section; false when there is none. */
bool script_section(const char *mark, const char *name, const char *answer, size_t len,
                    const char **from, const char **to);
/* Exit status of a fragment; false when it did not end. */
bool script_status(const char *mark, size_t id, const char *answer, size_t len, int *status);
/* What it printed, decoded, appended to out. stream: "out" or "err". */
void script_output(const char *mark, const char *stream, size_t id, const char *answer, size_t len,
                   struct str *out);
/* Is the line (without newline) "MARK begin ID"? "MARK end ID STATUS"? */
bool script_begins(const char *mark, const char *line, size_t len, size_t *id);
bool script_ends(const char *mark, const char *line, size_t len, size_t *id);

#endif
