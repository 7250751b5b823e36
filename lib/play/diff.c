/*
 * diff.c - Myers' O(ND) algorithm ("An O(ND) Difference Algorithm and Its Variations", 1986) on
 * lines, after the common beginning and end are taken off. Its trace is kept, so the number of
 * edits is bounded; texts that differ by more are not worth a fine diff.
 */
#include "lib/play/diff.h"
#include "lib/base/vec.h"

#define CONTEXT ((size_t)3) /* equal lines around a change */

struct line {
    const char *text;
    size_t len; /* with its newline */
};

typedef VEC(struct line) line_vec;

/* One of the two texts, and the line that is printed next. */
struct side {
    line_vec lines;
    size_t at;
};

/* What becomes of each line: ' ' kept, '-' only before, '+' only after; in order. */
typedef VEC(char) edit_vec;

static void split_lines(const char *text, size_t len, line_vec *lines)
{
    while (len > 0) {
        const char *newline = memchr(text, '\n', len);
        size_t n = newline ? (size_t)(newline - text) + 1 : len;
        struct line line = {text, n};

        vec_push(lines, line);
        text += n;
        len -= n;
    }
}

static bool same_line(const struct line *a, const struct line *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void push_edits(edit_vec *edits, char what, size_t n)
{
    while (n-- > 0)
        vec_push(edits, what);
}

/* Walks the kept furthest-reaching points back from the end; edits come out last first. */
static void walk_back(int *const *trace, int d, int n, int m, edit_vec *backwards)
{
    int x = n, y = m;

    for (; d > 0; d--) {
        const int *v = trace[d - 1] + d; /* v[k] of the round before, k in -d..d */
        int k = x - y;
        bool down = k == -d || (k != d && v[k - 1] < v[k + 1]);
        int from_x = down ? v[k + 1] : v[k - 1];
        int from_y = from_x - (down ? k + 1 : k - 1);
        int kept = x - (down ? from_x : from_x + 1);

        push_edits(backwards, ' ', (size_t)kept);
        vec_push(backwards, down ? '+' : '-');
        x = from_x;
        y = from_y;
    }
    push_edits(backwards, ' ', (size_t)x);
}

/* One round: the furthest points with d edits. True when the end is reached. */
static bool myers_round(const struct line *a, int n, const struct line *b, int m, int d, int *v)
{
    for (int k = -d; k <= d; k += 2) {
        int x = 0, y;

        if (d > 0)
            x = k == -d || (k != d && v[k - 1] < v[k + 1]) ? v[k + 1] : v[k - 1] + 1;
        y = x - k;
        while (x < n && y >= 0 && y < m && same_line(&a[x], &b[y])) {
            x++;
            y++;
        }
        v[k] = x;
        if (x >= n && y >= m)
            return true;
    }
    return false;
}

/* -1: more than DIFF_MAX_EDITS edits. trace[d] holds v[-d-1..d+1] after round d. */
static int myers(const struct line *a, int n, const struct line *b, int m, edit_vec *backwards)
{
    int max = n + m < DIFF_MAX_EDITS ? n + m : DIFF_MAX_EDITS;
    size_t width = (size_t)max * 2 + 3;
    int *points = xcalloc(width, sizeof(*points));
    int *v = points + max + 1;
    int **trace = xcalloc((size_t)max + 1, sizeof(*trace));
    int d, rc = -1;

    for (d = 0; d <= max && rc < 0; d++) {
        size_t kept = (size_t)d * 2 + 3;

        if (myers_round(a, n, b, m, d, v)) {
            walk_back(trace, d, n, m, backwards);
            rc = 0;
            break;
        }
        trace[d] = xmalloc(kept * sizeof(int));
        memcpy(trace[d], v - d - 1, kept * sizeof(int));
    }
    for (int i = 0; i <= max; i++)
        free(trace[i]);
    free(trace);
    free(points);
    return rc;
}

static void find_edits(const line_vec *a, const line_vec *b, edit_vec *edits)
{
    edit_vec backwards = VEC_INIT;
    size_t head = 0, tail = 0, n, m;

    while (head < a->n && head < b->n && same_line(&a->items[head], &b->items[head]))
        head++;
    while (tail < a->n - head && tail < b->n - head &&
           same_line(&a->items[a->n - 1 - tail], &b->items[b->n - 1 - tail]))
        tail++;
    n = a->n - head - tail;
    m = b->n - head - tail;
    push_edits(edits, ' ', head);
    /* nothing to align, too much of it, or too little alike */
    if (n == 0 || m == 0 || n > INT32_MAX / 4 || m > INT32_MAX / 4 ||
        myers(a->items + head, (int)n, b->items + head, (int)m, &backwards) < 0) {
        push_edits(edits, '-', n);
        push_edits(edits, '+', m);
    }
    for (size_t i = backwards.n; i > 0; i--)
        vec_push(edits, backwards.items[i - 1]);
    push_edits(edits, ' ', tail);
    vec_release(&backwards);
}

static void put_line(struct str *out, char mark, const struct line *line)
{
    str_putc(out, mark);
    str_add(out, line->text, line->len);
    if (line->text[line->len - 1] != '\n')
        str_puts(out, "\n\\ No newline at end of file\n");
}

/* Last edit (exclusive) of the hunk whose first change is at `change`. */
static size_t hunk_end(const edit_vec *edits, size_t change)
{
    size_t last = change;

    for (size_t i = change; i < edits->n && i <= last + 2 * CONTEXT + 1; i++)
        if (edits->items[i] != ' ')
            last = i;
    return last + 1 + CONTEXT < edits->n ? last + 1 + CONTEXT : edits->n;
}

/* "3,7", "3" for one line; an empty range names the line before it. */
static void put_range(struct str *out, size_t start, size_t n)
{
    str_printf(out, "%zu", n ? start + 1 : start);
    if (n != 1)
        str_printf(out, ",%zu", n);
}

static const struct line *next_line(struct side *side)
{
    if (side->at >= side->lines.n)
        BUG("an edit lies beyond the end of its text");
    return &side->lines.items[side->at++];
}

/* Both sides stand where the hunk begins, and afterwards behind it. */
static void put_hunk(const edit_vec *edits, size_t from, size_t to, struct side *a, struct side *b,
                     struct str *out)
{
    size_t before = 0, after = 0;

    for (size_t i = from; i < to; i++) {
        before += edits->items[i] != '+';
        after += edits->items[i] != '-';
    }
    str_puts(out, "@@ -");
    put_range(out, a->at, before);
    str_puts(out, " +");
    put_range(out, b->at, after);
    str_puts(out, " @@\n");
    for (size_t i = from; i < to; i++) {
        char edit = edits->items[i];

        put_line(out, edit, next_line(edit == '+' ? b : a));
        b->at += edit == ' ';
    }
}

static void put_hunks(const edit_vec *edits, struct side *a, struct side *b, struct str *out)
{
    size_t i = 0;

    while (i < edits->n) {
        size_t context = i < CONTEXT ? i : CONTEXT, end;

        if (edits->items[i] == ' ') {
            a->at++;
            b->at++;
            i++;
            continue;
        }
        end = hunk_end(edits, i);
        a->at -= context;
        b->at -= context;
        put_hunk(edits, i - context, end, a, b, out);
        i = end;
    }
}

static void put_text_diff(const char *before, size_t before_len, const char *after,
                          size_t after_len, struct str *out)
{
    struct side a = {.lines = VEC_INIT}, b = {.lines = VEC_INIT};
    edit_vec edits = VEC_INIT;

    split_lines(before, before_len, &a.lines);
    split_lines(after, after_len, &b.lines);
    find_edits(&a.lines, &b.lines, &edits);
    put_hunks(&edits, &a, &b, out);
    vec_release(&a.lines);
    vec_release(&b.lines);
    vec_release(&edits);
}

void diff_unified(const char *path, const char *before, size_t before_len, const char *after,
                  size_t after_len, struct str *out)
{
    bool existed = before != NULL;

    /* memcmp() and memchr() take no NULL, not even of no bytes */
    if (!before || before_len == 0) {
        before = "";
        before_len = 0;
    }
    if (after_len == 0)
        after = "";
    if (existed && before_len == after_len && memcmp(before, after, after_len) == 0)
        return;
    str_printf(out, "--- before%s%s\n+++ after: %s\n", existed ? ": " : "", existed ? path : "",
               path);
    if (memchr(before, 0, before_len) || memchr(after, 0, after_len))
        str_printf(out, "Binary files differ (%zu bytes, %zu bytes)\n", before_len, after_len);
    else
        put_text_diff(before, before_len, after, after_len, out);
}
