/* table.c - tables for the terminal. */
#include "lib/drill/table.h"

#include "lib/base/utf8.h"

/* How many columns of the screen; none of the texts has wide letters. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

const char *table_plain(const char *text, struct arena *a)
{
    size_t len = text ? strlen(text) : 0;
    struct str line;
    const char *copy;

    str_init(&line, STR_MAX_TEXT);
    while (len > 0) {
        uint32_t code;
        size_t n = utf8_decode(text, len, &code);

        if (code < ' ' || (code >= 0x7f && code < 0xa0) || (code == UTF8_REPLACEMENT && n == 1))
            str_putc(&line, ' ');
        else
            str_add(&line, text, n);
        text += n;
        len -= n;
    }
    copy = arena_strdup(a, line.buf);
    str_release(&line);
    return copy;
}

void table_put_coloured(struct str *out, bool colour, const char *code, const char *text)
{
    bool coloured = colour && code;

    str_printf(out, "%s%s%s", coloured ? code : "", text, coloured ? "\033[0m" : "");
}

void table_init(struct table *t, size_t columns, bool colour, struct str *out)
{
    *t = (struct table){.arena = ARENA_INIT, .out = out, .columns = columns, .colour = colour};
    for (size_t i = 0; i < columns; i++)
        vec_push(&t->widths, 0);
}

void table_release(struct table *t)
{
    vec_release(&t->cells);
    vec_release(&t->widths);
    arena_release(&t->arena);
}

void table_add(struct table *t, const char *text, const char *code)
{
    size_t *widest = &t->widths.items[t->cells.n % t->columns];
    size_t width = text ? width_of(text) : 0;

    if (width > *widest)
        *widest = width;
    vec_push(&t->cells, ((struct table_cell){text ? text : "", code}));
}

/* What compares a figure with the one before it stands nearer. */
static size_t blanks_before(const char *text)
{
    return *text == '<' || *text == '>' ? 1 : 2;
}

void table_put_row(struct table *t, size_t row)
{
    const struct table_cell *cells = t->cells.items + row * t->columns;
    size_t blanks = 0;

    for (size_t i = 0; i < t->columns; i++) {
        const char *text = cells[i].text;
        size_t pad = t->widths.items[i] - width_of(text);

        blanks += i > 0 ? pad + blanks_before(text) : 0;
        if (*text) {
            str_printf(t->out, "%*s", (int)blanks, "");
            table_put_coloured(t->out, t->colour, cells[i].code, text);
            blanks = 0;
        }
        blanks += i == 0 ? pad : 0;
    }
    str_putc(t->out, '\n');
}
