/*
 * fault.c - collecting faults, in order, and finding the word that was meant.
 */
#include "lib/doc/fault.h"

#define TEXT_MAX 500 /* bytes of one message */
#define WORD_MAX 64

void faults_init(struct faults *f)
{
    *f = (struct faults){.arena = ARENA_INIT};
}

void faults_release(struct faults *f)
{
    free(f->items);
    arena_release(&f->arena);
    faults_init(f);
}

/* A message for one line of a terminal: what a document says in it is cut, and made harmless. */
static char *PRINTF_LIKE(2, 0) message(struct arena *a, const char *fmt, va_list args)
{
    char *text = xvasprintf(fmt, args), *copy;
    size_t len = strlen(text);

    copy = arena_printf(a, "%.*s%s", TEXT_MAX, text, len > TEXT_MAX ? "..." : "");
    for (char *p = copy; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7F)
            *p = '?';
    }
    free(text);
    return copy;
}

void fault_add(struct faults *f, struct source src, const char *fmt, ...)
{
    struct fault *fault;
    va_list args;

    if (f->n == FAULTS_MAX) {
        f->more++;
        return;
    }
    if (f->n == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 8;
        f->items = xrealloc(f->items, f->cap * sizeof(*f->items));
    }
    fault = &f->items[f->n++];
    *fault = (struct fault){.src = src};
    if (src.file)
        fault->src.file = arena_strdup(&f->arena, src.file);
    va_start(args, fmt);
    fault->text = message(&f->arena, fmt, args);
    va_end(args);
}

void fault_hint(struct faults *f, const char *fmt, ...)
{
    va_list args;

    if (f->n == 0 || f->more > 0)
        return;
    va_start(args, fmt);
    f->items[f->n - 1].hint = message(&f->arena, fmt, args);
    va_end(args);
}

/* Files come in the order in which the first fault of each was found. */
static size_t file_rank(const struct faults *f, const struct fault *fault)
{
    size_t i = 0;

    while (!str_eq(f->items[i].src.file, fault->src.file))
        i++;
    return i;
}

static bool is_before(const struct faults *f, const struct fault *a, const struct fault *b)
{
    size_t rank_a = file_rank(f, a), rank_b = file_rank(f, b);

    if (rank_a != rank_b)
        return rank_a < rank_b;
    if (a->src.line != b->src.line)
        return a->src.line < b->src.line;
    return a->src.col < b->src.col;
}

static void put_fault(const struct fault *fault, struct str *out)
{
    if (fault->src.file)
        str_printf(out, "%s:", fault->src.file);
    if (fault->src.line > 0)
        str_printf(out, "%d:%d:", fault->src.line, fault->src.col);
    if (fault->src.file || fault->src.line > 0)
        str_putc(out, ' ');
    str_puts(out, fault->text);
    if (fault->hint)
        str_printf(out, " (%s)", fault->hint);
    str_putc(out, '\n');
}

void faults_format(const struct faults *f, struct str *out)
{
    const struct fault *order[FAULTS_MAX];

    for (size_t i = 0; i < f->n; i++) {
        size_t place = i;

        for (; place > 0 && is_before(f, &f->items[i], order[place - 1]); place--)
            order[place] = order[place - 1];
        order[place] = &f->items[i];
    }
    for (size_t i = 0; i < f->n; i++)
        put_fault(order[i], out);
    if (f->more > 0)
        str_printf(out, "and %zu more\n", f->more);
}

int faults_to_err(const struct faults *f, struct err *err)
{
    struct str lines;

    if (f->n == 0)
        return 0;
    str_init(&lines, STR_MAX_TEXT);
    faults_format(f, &lines);
    str_trim_end(&lines);
    err_set(err, ERR_INPUT, "%s", lines.buf);
    str_release(&lines);
    return -1;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * Insertions, deletions, changes and swaps of neighbours from a to b (optimal string alignment).
 * Three rows of the usual table are enough: a swap looks two rows back.
 */
static size_t word_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][WORD_MAX + 1];

    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] =
                min_size(min_size(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = min_size(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

const char *nearest_word(const char *word, const char *const *candidates, size_t n)
{
    size_t len = strlen(word), best = len / 3 + 1;
    const char *nearest = NULL;

    if (len > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t candidate_len = strlen(candidates[i]), distance;

        if (candidate_len > WORD_MAX)
            continue;
        distance = word_distance(word, len, candidates[i], candidate_len);
        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
