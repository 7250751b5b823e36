/*
 * ui.c - what a person sees while long work goes on.
 *
 * On a terminal: a block at the bottom with the stage, a bar and a line for each busy host, redrawn
 * in place; finished stages and changes worth telling scroll up above it. Piped: one plain line an
 * event. Both on stderr.
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { REDRAW_MS = 60, BAR_WIDTH = 24, MAX_ROWS = 12 };

struct host_row {
    char *host;
    char *step;
    int done, total;
    bool ended;
};

static struct ui {
    struct event_sink sink;
    pthread_mutex_t lock;
    bool live, quiet, colour;
    int verbose;
    char *stage, *text, *step;
    int64_t stage_start, drawn_at;
    VEC(struct host_row) rows;
    int drawn; /* lines of the block on screen */
} ui = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool ui_colour(int fd)
{
    return isatty(fd) && !getenv("NO_COLOR");
}

static void put(struct str *out, const char *colour, const char *text)
{
    if (ui.colour)
        str_printf(out, "\033[%sm%s\033[0m", colour, text);
    else
        str_puts(out, text);
}

static int terminal_width(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

static void erase_block(struct str *out)
{
    if (ui.drawn)
        str_printf(out, "\033[%dA\r\033[J", ui.drawn);
    ui.drawn = 0;
}

static void draw_row(struct str *out, const struct host_row *row, int width)
{
    int room = width - 12;

    str_puts(out, "  ");
    put(out, "36", row->host);
    str_printf(out, "%*s%.*s\n", (int)strlen(row->host) < 8 ? 8 - (int)strlen(row->host) : 1, "",
               room > 0 ? room : 0, row->step ? row->step : "");
    ui.drawn++;
}

static void draw_block(struct str *out)
{
    int width = terminal_width(), ended = 0, filled, room = width - (ui.rows.n ? 64 : 24);
    double share = 0;
    size_t shown = 0;

    if (!ui.stage)
        return;
    vec_each (row, &ui.rows) {
        ended += row->ended;
        share += row->ended ? 1.0 : row->total ? (double)row->done / row->total : 0;
    }
    filled = ui.rows.n ? (int)(share * BAR_WIDTH / (double)ui.rows.n) : 0;
    put(out, "1", ui.stage);
    str_printf(out, "%*s", (int)strlen(ui.stage) < 10 ? 10 - (int)strlen(ui.stage) : 1, "");
    if (ui.rows.n) {
        str_putc(out, '[');
        for (int i = 0; i < BAR_WIDTH; i++)
            str_putc(out, i < filled ? '#' : '.');
        str_printf(out, "] %d/%zu hosts  ", ended, ui.rows.n);
    }
    str_printf(out, "%.1f s  %.*s\n", (double)(clock_mono_ms() - ui.stage_start) / 1000.0,
               room > 0 ? room : 0,
               ui.step                 ? ui.step
               : ui.text && !ui.rows.n ? ui.text
                                       : "");
    ui.drawn++;
    vec_each (row, &ui.rows)
        if (!row->ended && row->step && shown++ < MAX_ROWS)
            draw_row(out, row, width);
}

/* Writes lines that stay, and the block anew below them. With nothing to say the block is redrawn
 * only now and then. */
static void show(struct str *lines)
{
    struct str out;
    int64_t now = clock_mono_ms();

    if (!lines->len && (!ui.live || now - ui.drawn_at < REDRAW_MS))
        return;
    str_init(&out, STR_MAX_TEXT);
    log_redact(lines);
    if (ui.live)
        erase_block(&out);
    str_add(&out, lines->buf, lines->len);
    if (ui.live)
        draw_block(&out);
    fwrite(out.buf, 1, out.len, stderr);
    fflush(stderr);
    str_release(&out);
    ui.drawn_at = now;
}

static void clear_rows(void)
{
    vec_each (row, &ui.rows) {
        free(row->host);
        free(row->step);
    }
    vec_release(&ui.rows);
}

static void free_stage(void)
{
    free(ui.stage);
    free(ui.text);
    free(ui.step);
    ui.stage = ui.text = ui.step = NULL;
}

static struct host_row *row_of(const char *host)
{
    struct host_row row = {0};

    vec_each (each, &ui.rows)
        if (str_eq(each->host, host))
            return each;
    row.host = xstrdup(host);
    vec_push(&ui.rows, row);
    return &ui.rows.items[ui.rows.n - 1];
}

static void stage_begins(const struct event *e, struct str *out)
{
    clear_rows();
    free_stage();
    ui.stage = xstrdup(e->stage);
    ui.text = e->text ? xstrdup(e->text) : NULL;
    ui.stage_start = clock_mono_ms();
    ui.drawn_at = 0;
    if (!ui.live && !ui.quiet)
        str_printf(out, "%s: %s\n", e->stage, e->text ? e->text : "");
}

static void stage_ends(const struct event *e, struct str *out)
{
    if (!ui.quiet) {
        put(out, "32", "done");
        str_printf(out, "  %-9s %-44s %6.1f s\n", e->stage,
                   e->text                                 ? e->text
                   : str_eq(e->stage, ui.stage) && ui.text ? ui.text
                                                           : "",
                   (double)e->elapsed_ms / 1000.0);
    }
    clear_rows();
    free_stage();
}

/* "changed db1: task: text (file:line)", as much of it as there is. */
static void host_line(const struct event *e, const char *colour, const char *word, struct str *out)
{
    const char *const parts[] = {e->host, e->task, e->text};
    const char *before = "";

    put(out, colour, word);
    str_printf(out, "%*s", (int)strlen(word) < 8 ? 8 - (int)strlen(word) : 1, "");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i] && *parts[i]) {
            str_printf(out, "%s%s", before, parts[i]);
            before = ": ";
        }
    if (e->where)
        str_printf(out, " (%s)", e->where);
    str_putc(out, '\n');
}

static void stage_step(const struct event *e, struct str *out)
{
    free(ui.step);
    ui.step = xstrdup(e->text);
    if (!ui.live && !ui.quiet)
        host_line(e, "2", "...", out);
}

static void put_detail(struct str *out, const char *detail)
{
    for (const char *line = detail; line && *line;) {
        size_t n = strcspn(line, "\n");

        str_printf(out, "    %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static void host_step(const struct event *e)
{
    struct host_row *row = row_of(e->host ? e->host : "");

    free(row->step);
    row->step = xasprintf("%s%s%s", e->task ? e->task : "", e->task && e->text ? ": " : "",
                          e->text ? e->text : "");
    row->done = e->done;
    row->total = e->total;
    row->ended = false;
}

static void handle(const struct event *e, struct str *out)
{
    switch (e->kind) {
    case EVENT_STAGE:
        stage_begins(e, out);
        break;
    case EVENT_STAGE_END:
        stage_ends(e, out);
        break;
    case EVENT_STEP:
        stage_step(e, out);
        break;
    case EVENT_HOST:
        host_step(e);
        if (!ui.live && !ui.quiet && !e->task)
            host_line(e, "2", "...", out);
        break;
    case EVENT_CHANGED:
        if (ui.live && !ui.verbose)
            host_step(e);
        else if (!ui.quiet)
            host_line(e, "33", "changed", out);
        if (ui.verbose && e->detail)
            put_detail(out, e->detail);
        break;
    case EVENT_OK:
    case EVENT_SKIPPED:
        if (ui.verbose)
            host_line(e, "2", e->kind == EVENT_OK ? "ok" : "skipped", out);
        break;
    case EVENT_FAILED:
        host_line(e, "1;31", "failed", out);
        put_detail(out, e->detail);
        break;
    case EVENT_HOST_END:
        row_of(e->host ? e->host : "")->ended = true;
        break;
    case EVENT_NOTE:
        if (!ui.quiet)
            str_printf(out, "%s\n", e->text);
        break;
    }
}

static void on_event(struct event_sink *sink, const struct event *e)
{
    struct str out;

    UNUSED(sink);
    str_init(&out, STR_MAX_TEXT);
    pthread_mutex_lock(&ui.lock);
    handle(e, &out);
    show(&out);
    pthread_mutex_unlock(&ui.lock);
    str_release(&out);
}

static void log_line(enum log_level level, const char *line)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    struct str out;

    str_init(&out, STR_MAX_TEXT);
    str_printf(&out, "%s: %s\n", names[level], line);
    pthread_mutex_lock(&ui.lock);
    show(&out);
    pthread_mutex_unlock(&ui.lock);
    str_release(&out);
}

struct event_sink *ui_init(bool quiet, int verbose)
{
    ui.sink.fn = on_event;
    ui.quiet = quiet;
    ui.verbose = verbose;
    ui.colour = ui_colour(STDERR_FILENO);
    ui.live = !quiet && isatty(STDERR_FILENO) && !str_eq(getenv("TERM"), "dumb");
    log_set_level(verbose > 1 ? LOG_DEBUG : verbose ? LOG_INFO : LOG_WARN);
    log_set_sink(log_line);
    return &ui.sink;
}

void ui_finish(void)
{
    struct str out;

    pthread_mutex_lock(&ui.lock);
    str_init(&out, STR_MAX_TEXT);
    erase_block(&out);
    fwrite(out.buf, 1, out.len, stderr);
    fflush(stderr);
    str_release(&out);
    clear_rows();
    free_stage();
    pthread_mutex_unlock(&ui.lock);
}

bool ui_confirm(void *ctx, const char *what)
{
    char answer[16];

    UNUSED(ctx);
    ui_finish();
    fprintf(stderr, "%s Go on? [y/N] ", what);
    fflush(stderr);
    return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}
