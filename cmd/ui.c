/*
 * ui.c - what a person sees while long work goes on.
 *
 * On a terminal: a block at the bottom with the stage, a bar and a line for each busy host, redrawn
 * in place (ui_block.h), also while nothing happens; finished stages and changes worth telling
 * scroll up above it. Piped: one plain line an event. Both on stderr.
 */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/ui_block.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { REDRAW_MS = 60, TICK_MS = 250 };

#define NO_WRAP "\033[?7l"
#define WRAP    "\033[?7h"

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
    int changes_done, changes; /* of resources, all at once; 0: there are none in this stage */
    struct drawn drawn;        /* the block on screen */
    struct eta eta;
    bool asking; /* the terminal is the user's for a while */
    /* Redraws while nothing happens. */
    pthread_t ticker;
    pthread_cond_t end;
    bool ticks, ends;
} ui = {.lock = PTHREAD_MUTEX_INITIALIZER, .eta = ETA_INIT};

/* It can neither go up nor show colours. */
static bool is_dumb(void)
{
    return str_eq(getenv("TERM"), "dumb");
}

bool ui_colour(int fd)
{
    const char *no_color = getenv("NO_COLOR");

    return isatty(fd) && !(no_color && *no_color) && !is_dumb();
}

static void put(struct str *out, const char *colour, const char *text)
{
    put_coloured(out, ui.colour, colour, text);
}

/* ---- the block ---- */

static struct screen screen_now(void)
{
    struct winsize size;
    struct screen screen = {80, 24, ui.colour};

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        screen.width = size.ws_col;
        screen.height = size.ws_row;
    }
    return screen;
}

/* To where the block begins. */
static void go_up(struct str *out, int width)
{
    int lines = drawn_lines(&ui.drawn, width);

    if (lines)
        str_printf(out, "\033[%dA\r", lines);
}

static void erase_block(struct str *out)
{
    if (!ui.drawn.widths.n)
        return;
    go_up(out, screen_now().width);
    str_puts(out, "\033[J");
    drawn_release(&ui.drawn);
}

static void fill_hosts(struct block *block)
{
    double share = 0;

    vec_each (row, &ui.rows) {
        block->ended += row->ended;
        share += row->ended ? 1.0 : row->total ? (double)row->done / row->total : 0;
        if (!row->ended && row->step) {
            struct block_host busy = {row->host, row->step};

            vec_push(&block->busy, busy);
        }
    }
    block->hosts = ui.rows.n;
    if (ui.changes)
        block->share = (double)ui.changes_done / ui.changes;
    else if (ui.rows.n)
        block->share = share / (double)ui.rows.n;
}

/* Does the share tell how far the stage is in time? That of tasks, which come one after the other,
 * does; that of hosts that are well, or of resources that are made at once, does not. */
static bool share_is_time(void)
{
    bool known = false;

    vec_each (row, &ui.rows)
        known |= row->total > 0;
    return known && !ui.changes;
}

static void put_left(struct block *block, int64_t now, struct str *text)
{
    bool whole;
    double share = share_is_time() ? block->share : 0;
    int64_t left = eta_left(&ui.eta, block->elapsed_ms, share, &whole);

    left = eta_smooth(&ui.eta, left, now);
    if (left < 0)
        return;
    eta_put(text, left, whole ? NULL : ui.stage);
    block->left = text->buf;
}

static void draw_block(struct str *out, int64_t now)
{
    struct screen screen = screen_now();
    struct block block = {.stage = ui.stage, .step = ui.step, .elapsed_ms = now - ui.stage_start};
    struct str left;

    if (!ui.stage) {
        erase_block(out);
        return;
    }
    str_init(&left, 128);
    fill_hosts(&block);
    put_left(&block, now, &left);
    if (!block.step && !block.hosts)
        block.step = ui.text;
    go_up(out, screen.width);
    str_puts(out, NO_WRAP);
    block_draw(&block, &screen, out, &ui.drawn);
    str_puts(out, WRAP "\033[J");
    vec_release(&block.busy);
    str_release(&left);
}

/* All at once, so that nobody sees half of it. */
static void write_out(const struct str *out)
{
    size_t done = 0;

    while (done < out->len) {
        ssize_t n = write(STDERR_FILENO, out->buf + done, out->len - done);

        if (n < 0)
            return;
        done += (size_t)n;
    }
}

/* Writes lines that stay, and the block anew below them. With nothing to say the block is redrawn
 * only now and then. */
static void show(struct str *lines)
{
    struct str out;
    int64_t now = clock_mono_ms();
    bool live = ui.live && !ui.asking;

    if (!lines->len && (!live || now - ui.drawn_at < REDRAW_MS))
        return;
    str_init(&out, STR_MAX_TEXT);
    log_redact(lines);
    if (live && lines->len)
        erase_block(&out);
    str_add(&out, lines->buf, lines->len);
    if (live)
        draw_block(&out, now);
    write_out(&out);
    str_release(&out);
    ui.drawn_at = now;
}

/* ---- the ticker ---- */

static struct timespec next_tick(void)
{
    int64_t at = clock_mono_ms() + TICK_MS;

    return (struct timespec){.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000};
}

static void *tick(void *unused)
{
    struct str nothing;

    UNUSED(unused);
    str_init(&nothing, 1);
    pthread_mutex_lock(&ui.lock);
    while (!ui.ends) {
        struct timespec until = next_tick();

        pthread_cond_timedwait(&ui.end, &ui.lock, &until);
        if (!ui.ends && clock_mono_ms() - ui.drawn_at >= TICK_MS)
            show(&nothing);
    }
    pthread_mutex_unlock(&ui.lock);
    return NULL;
}

/* Signals are for the other threads, whose waits they end. */
static void start_ticker(void)
{
    pthread_condattr_t clock;
    sigset_t all, before;

    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&ui.end, &clock);
    pthread_condattr_destroy(&clock);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    ui.ends = false;
    ui.ticks = pthread_create(&ui.ticker, NULL, tick, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void stop_ticker(void)
{
    if (!ui.ticks)
        return;
    pthread_mutex_lock(&ui.lock);
    ui.ends = true;
    pthread_cond_signal(&ui.end);
    pthread_mutex_unlock(&ui.lock);
    pthread_join(ui.ticker, NULL);
    pthread_cond_destroy(&ui.end);
    ui.ticks = false;
}

/* ---- events ---- */

static void clear_rows(void)
{
    vec_each (row, &ui.rows) {
        free(row->host);
        free(row->step);
    }
    vec_release(&ui.rows);
    ui.changes = ui.changes_done = 0;
}

static void free_stage(void)
{
    free(ui.stage);
    free(ui.text);
    free(ui.step);
    ui.stage = ui.text = ui.step = NULL;
}

/* What the block shows is not to be seen with secrets in it, nor with parts of them. Takes text. */
static char *without_secrets(char *text)
{
    struct str s;

    str_init(&s, STR_MAX_TEXT);
    str_puts(&s, text);
    log_redact(&s);
    free(text);
    return str_detach(&s);
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
    eta_begin_stage(&ui.eta, e->stage);
    if (ui.live && !ui.ticks)
        start_ticker();
    if (!ui.live && !ui.quiet)
        str_printf(out, "%s: %s\n", e->stage, e->text ? e->text : "");
}

/* Columns for what a stage is about: as many as leave the line whole on a narrow screen. */
static int text_column(void)
{
    int room = screen_now().width - 26;

    return !ui.live || room > 44 ? 44 : room > 0 ? room : 0;
}

static void stage_ends(const struct event *e, struct str *out)
{
    bool is_current = str_eq(e->stage, ui.stage) && ui.text;
    const char *text = e->text ? e->text : is_current ? ui.text : "";
    int column = text_column(), used;

    if (!ui.quiet) {
        put(out, "32", "done");
        str_printf(out, "  %-9s ", e->stage);
        used = put_fitting(out, text, ui.live ? column : INT_MAX);
        str_printf(out, "%*s %6.1f s\n", used < column ? column - used : 0, "",
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
    ui.step = without_secrets(xstrdup(e->text));
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
    row->step = without_secrets(xasprintf("%s%s%s", e->task ? e->task : "",
                                          e->task && e->text ? ": " : "", e->text ? e->text : ""));
    row->done = e->done;
    row->total = e->total;
    row->ended = false;
}

/* On a screen the host's row shows it, unless every change is to be told. A resource is done with
 * its change. */
static void changed(const struct event *e, struct str *out)
{
    if (e->total) {
        ui.changes = e->total;
        ui.changes_done = e->done;
        row_of(e->host)->ended = true;
    } else if (ui.live && !ui.verbose) {
        host_step(e);
    }
    if ((!ui.live || ui.verbose) && !ui.quiet)
        host_line(e, "33", "changed", out);
    if (ui.verbose && e->detail)
        put_detail(out, e->detail);
}

static void note(const struct event *e, struct str *out)
{
    if (!ui.quiet)
        str_printf(out, "%s%s%s\n", e->host ? e->host : "", e->host ? ": " : "", e->text);
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
        changed(e, out);
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
        note(e, out);
        break;
    case EVENT_RUN:
    case EVENT_RUN_END:
        break; /* who watches knows */
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
    ui.live = !quiet && isatty(STDERR_FILENO) && !is_dumb();
    log_set_level(verbose > 1 ? LOG_DEBUG : verbose ? LOG_INFO : LOG_WARN);
    log_set_sink(log_line);
    return &ui.sink;
}

/* Takes the block off the screen; the next frame brings it back. */
static void clear_block(bool asking)
{
    struct str out;

    str_init(&out, STR_MAX_TEXT);
    pthread_mutex_lock(&ui.lock);
    erase_block(&out);
    write_out(&out);
    ui.asking = asking;
    pthread_mutex_unlock(&ui.lock);
    str_release(&out);
}

void ui_expect(struct eta_stages *expected)
{
    pthread_mutex_lock(&ui.lock);
    eta_release(&ui.eta);
    ui.eta.expected = *expected;
    pthread_mutex_unlock(&ui.lock);
}

bool ui_is_live(void)
{
    return ui.live;
}

void ui_finish(void)
{
    stop_ticker();
    clear_block(false);
    pthread_mutex_lock(&ui.lock);
    clear_rows();
    free_stage();
    eta_release(&ui.eta);
    pthread_mutex_unlock(&ui.lock);
}

bool ui_confirm(void *ctx, const char *what)
{
    char answer[16];
    bool yes;

    UNUSED(ctx);
    clear_block(true);
    fprintf(stderr, "%s Go on? [y/N] ", what);
    fflush(stderr);
    yes = fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
    clear_block(false);
    return yes;
}
