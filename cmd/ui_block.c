/* ui_block.c - the block of lines at the bottom of a terminal. */
#include "cmd/ui_block.h"

#include "lib/base/utf8.h"

enum {
    MAX_HOSTS = 16,
    LEAST_HEIGHT = 5,
    BAR_WIDTH = 24,
    SHORT_BAR_WIDTH = 8,
    SHORT_BELOW = 64, /* columns of a screen with a short bar */
    NAME_WIDTH = 8,
    MAX_NAME_WIDTH = 24
};

/* A line that is being put together. */
struct line {
    struct str *out;
    const struct screen *screen;
    int used;
};

void put_coloured(struct str *out, bool colour, const char *code, const char *text)
{
    if (colour)
        str_printf(out, "\033[%sm%s\033[0m", code, text);
    else
        str_puts(out, text);
}

/* Characters are counted as one column each: what is wider is cut by the terminal, which does not
 * wrap meanwhile. */
int put_fitting(struct str *out, const char *text, int room)
{
    size_t len = strlen(text);
    int used = 0;

    while (len > 0 && used < room) {
        uint32_t code;
        size_t n = utf8_decode(text, len, &code);

        if (code < ' ' || (code >= 0x7f && code < 0xa0))
            str_putc(out, ' ');
        else
            str_add(out, text, n);
        text += n;
        len -= n;
        used++;
    }
    return used;
}

static int room_of(const struct line *line)
{
    return line->screen->width - 1 - line->used;
}

/* As much of the text as fits, and no more than `most` columns. */
static void line_put_part(struct line *line, const char *code, const char *text, int most)
{
    int room = room_of(line) < most ? room_of(line) : most;
    struct str fitting;

    str_init(&fitting, STR_MAX_TEXT);
    line->used += put_fitting(&fitting, text, room);
    put_coloured(line->out, line->screen->colour && code, code, fitting.buf);
    str_release(&fitting);
}

static void line_put(struct line *line, const char *code, const char *text)
{
    line_put_part(line, code, text, line->screen->width);
}

/* Blanks up to a column, at least one. */
static void line_pad(struct line *line, int column)
{
    do
        line_put(line, NULL, " ");
    while (line->used < column && room_of(line) > 0);
}

/* All of it, or nothing. */
static void line_put_whole(struct line *line, const char *text)
{
    if ((int)strlen(text) + 2 > room_of(line))
        return;
    line_put(line, NULL, "  ");
    line_put(line, NULL, text);
}

static void line_end(struct line *line, struct drawn *drawn)
{
    str_puts(line->out, "\033[K\n");
    vec_push(&drawn->widths, line->used);
}

static void put_bar(const struct block *block, struct line *line)
{
    int width = line->screen->width < SHORT_BELOW ? SHORT_BAR_WIDTH : BAR_WIDTH;
    int filled = (int)(block->share * width);
    char bar[BAR_WIDTH + 3] = "[", count[48];

    memset(bar + 1, '.', (size_t)width);
    memset(bar + 1, '#', (size_t)(filled < width ? filled : width));
    bar[width + 1] = ']';
    snprintf(count, sizeof(count), " %zu/%zu done", block->ended, block->hosts);
    line_put(line, NULL, bar);
    line_put(line, NULL, count);
}

static void draw_head(const struct block *block, struct line *line)
{
    char time[32];

    snprintf(time, sizeof(time), "%.1f s", (double)block->elapsed_ms / 1000.0);
    line_put(line, "1", block->stage);
    line_pad(line, NAME_WIDTH + 2);
    if (block->hosts)
        put_bar(block, line);
    line_put_whole(line, time);
    if (block->left)
        line_put_whole(line, block->left);
    if (block->step) {
        line_put(line, NULL, "  ");
        line_put(line, NULL, block->step);
    }
}

/* The names' column. */
static int width_of_names(const struct block *block, size_t shown)
{
    int width = NAME_WIDTH;

    for (size_t i = 0; i < shown; i++) {
        int len = (int)strlen(block->busy.items[i].name);

        width = len > width ? len : width;
    }
    return width < MAX_NAME_WIDTH ? width : MAX_NAME_WIDTH;
}

static void draw_host(const struct block_host *host, int names, struct line *line)
{
    line_put(line, NULL, "  ");
    line_put_part(line, "36", host->name, names);
    line_pad(line, 2 + names + 2);
    line_put(line, NULL, host->step);
}

void block_draw(const struct block *block, const struct screen *screen, struct str *out,
                struct drawn *drawn)
{
    size_t room = screen->height > LEAST_HEIGHT ? (size_t)screen->height - 3 : 2;
    size_t most = room < MAX_HOSTS ? room : MAX_HOSTS;
    size_t shown = block->busy.n > most ? most - 1 : block->busy.n;
    int names = width_of_names(block, shown);
    struct line line = {out, screen, 0};

    drawn_release(drawn);
    draw_head(block, &line);
    line_end(&line, drawn);
    for (size_t i = 0; i < shown; i++) {
        line.used = 0;
        draw_host(&block->busy.items[i], names, &line);
        line_end(&line, drawn);
    }
    if (shown < block->busy.n) {
        char more[48];

        line.used = 0;
        snprintf(more, sizeof(more), "  and %zu more", block->busy.n - shown);
        line_put(&line, NULL, more);
        line_end(&line, drawn);
    }
}

int drawn_lines(const struct drawn *drawn, int width)
{
    int lines = 0;

    vec_each (used, &drawn->widths)
        lines += *used > width ? (*used + width - 1) / width : 1;
    return lines;
}

void drawn_release(struct drawn *drawn)
{
    vec_release(&drawn->widths);
}
