/*
 * ui_block.h - the block of lines at the bottom of a terminal, as text. Pure: ui.c knows when to
 * draw it and where.
 *
 * The first line has the stage, a bar, how many hosts are done, the time and what is left of it;
 * then comes a line for each busy host. What does not fit is left out, so that no line wraps.
 */
#ifndef PGHA_UI_BLOCK_H
#define PGHA_UI_BLOCK_H

#include "lib/base/str.h"
#include "lib/base/vec.h"

struct screen {
    int width, height;
    bool colour;
};

struct block_host {
    const char *name, *step;
};

struct block {
    const char *stage, *left, *step; /* left: "about 8 s left"; it and step may be NULL */
    double share;                    /* of the bar, 0 to 1 */
    size_t hosts, ended;             /* no bar without hosts */
    int64_t elapsed_ms;
    VEC(struct block_host) busy;
};

/* How many columns the lines that were drawn take. */
struct drawn {
    VEC(int) widths;
};

/* Appends the lines, each cleared to its end and ended by a newline; drawn is made anew. */
void block_draw(const struct block *block, const struct screen *screen, struct str *out,
                struct drawn *drawn);
/* How many lines of the screen they are, if it has become this wide: terminals wrap what was
 * drawn when they are made narrower. */
int drawn_lines(const struct drawn *drawn, int width);
void drawn_release(struct drawn *drawn);
/* The text on one line, without control characters and cut to so many others. Their number. */
int put_fitting(struct str *out, const char *text, int room);
/* "text" in a colour (what follows ESC [) when there is one. */
void put_coloured(struct str *out, bool colour, const char *code, const char *text);

#endif
