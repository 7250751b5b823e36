/*
 * table.h - tables for the terminal, and what may be shown there.
 */
#ifndef PGHA_TABLE_H
#define PGHA_TABLE_H

#include "lib/base/arena.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"

#define TABLE_GREEN "\033[32m"
#define TABLE_RED   "\033[1;31m"
#define TABLE_FAINT "\033[2m"

/* On one line: what is no visible letter becomes a blank, and cannot lead the terminal astray.
 * NULL: "". */
const char *table_plain(const char *text, struct arena *a);
/* code NULL: in the usual colour. */
void table_put_coloured(struct str *out, bool colour, const char *code, const char *text);

struct table_cell {
    const char *text, *code;
};

/* Columns are as wide as they must be. Cells are added row after row, all of them before the first
 * row is put. */
struct table {
    struct arena arena; /* for texts of cells */
    struct str *out;
    size_t columns;
    bool colour;
    VEC(struct table_cell) cells;
    VEC(size_t) widths;
};

void table_init(struct table *t, size_t columns, bool colour, struct str *out);
void table_release(struct table *t);
/* text NULL: an empty cell. */
void table_add(struct table *t, const char *text, const char *code);
/* The first column is flush left, the others are flush right; no blanks at the end. */
void table_put_row(struct table *t, size_t row);

#endif
