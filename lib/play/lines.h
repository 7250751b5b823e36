/*
 * lines.h - a file's lines, for the modules that edit text: lineinfile, blockinfile, sysctl.
 *
 * A line keeps its newline; the last may have none. Lines are in the arena.
 */
#ifndef PGHA_LINES_H
#define PGHA_LINES_H

#include "lib/base/vec.h"
#include "lib/jinja/regex.h"
#include "lib/play/filechange.h"

struct lines {
    struct arena *arena;
    const char **items;
    size_t n, cap;
};

/* text may be NULL: no lines. Release with lines_release; what items point to stays. */
void lines_split(struct lines *lines, struct arena *a, const char *text, size_t len);
void lines_release(struct lines *lines);
/* Copies the line, adding a newline when it has none. */
void lines_insert(struct lines *lines, size_t at, const char *line);
void lines_replace(struct lines *lines, size_t at, const char *line);
void lines_remove(struct lines *lines, size_t at, size_t n);
/* Gives the last line a newline. */
void lines_end_last(struct lines *lines);
char *lines_join(const struct lines *lines, struct arena *a, size_t *len);
/* The line without its line end, in the arena. */
const char *lines_bare(const struct lines *lines, size_t at);

/* Python's re.search of a line (with its newline). 1, 0, or -1 with err. match may be NULL. */
int lines_search(const struct lines *lines, size_t at, const struct regex *re,
                 struct regex_match *match, struct err *err);

/* The text of a file that a module edits: -1 with err when it cannot be: a folder, a link, too
 * large to be fetched. *text is NULL when the file does not exist. */
int lines_of_file(struct world *world, const char *path, const char **text, size_t *len,
                  struct err *err);

#endif
