/*
 * filters_wrap.c - wordwrap: lines broken where Python's textwrap breaks them.
 *
 * A line is cut into chunks: white space, words (a hyphenated one after its hyphens), dashes
 * between words. Lines are filled with chunks; those longer than a line are broken.
 */
#include "lib/base/vec.h"
#include "lib/jinja/eval.h"
#include "lib/jinja/unicode.h"

struct chunk {
    size_t at, len; /* code points */
};

struct wrap {
    const uint32_t *text; /* of one line */
    size_t n;
    size_t width;
    bool break_words, break_hyphens;
    const char *between; /* lines */
    VEC(struct chunk) chunks;
    struct str *out;
    bool begun; /* a line was put out */
};

/* What textwrap counts as white space. */
static bool is_blank(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(const struct wrap *w, size_t i)
{
    return i < w->n && unicode_is_word(w->text[i]);
}

/* A word, or the punctuation that may stand before a dash. */
static bool is_word_end(uint32_t c)
{
    return unicode_is_word(c) || (c < 0x80 && c && strchr("!\"'&.,?", (int)c));
}

static bool is_letter(const struct wrap *w, size_t i)
{
    return is_word(w, i) && !(w->text[i] >= '0' && w->text[i] <= '9');
}

/* Two dashes or more from i on, between words: how many; 0. */
static size_t dashes(const struct wrap *w, size_t i)
{
    size_t n = 0;

    if (i == 0 || !is_word_end(w->text[i - 1]))
        return 0;
    while (i + n < w->n && w->text[i + n] == '-')
        n++;
    return n >= 2 && is_word(w, i + n) ? n : 0;
}

/* The hyphen at i is one that a line may end with. */
static bool is_hyphen(const struct wrap *w, size_t i)
{
    const uint32_t *t = w->text;
    bool after = i >= 2 && is_letter(w, i - 2) && is_letter(w, i - 1);

    if (!after)
        after = i >= 3 && is_letter(w, i - 3) && t[i - 2] == '-' && is_letter(w, i - 1);
    if (t[i] != '-' || !after || !is_letter(w, i + 1))
        return false;
    return is_letter(w, i + 2) || (i + 2 < w->n && t[i + 2] == '-' && is_letter(w, i + 3));
}

static size_t chunk_end(const struct wrap *w, size_t at)
{
    size_t end = at + 1;

    if (is_blank(w->text[at])) {
        while (end < w->n && is_blank(w->text[end]))
            end++;
        return end;
    }
    if (w->break_hyphens && dashes(w, at))
        return at + dashes(w, at);
    for (; end < w->n && !is_blank(w->text[end]); end++) {
        if (w->break_hyphens && is_hyphen(w, end))
            return end + 1;
        if (w->break_hyphens && dashes(w, end))
            return end;
    }
    return end;
}

/* str.strip() leaves nothing of it. */
static bool is_empty(const struct wrap *w, const struct chunk *chunk)
{
    for (size_t i = 0; i < chunk->len; i++)
        if (!unicode_is_space(w->text[chunk->at + i]))
            return false;
    return true;
}

static void put_line(struct wrap *w, size_t at, size_t len)
{
    if (w->begun)
        str_puts(w->out, w->between);
    w->begun = true;
    for (size_t i = 0; i < len; i++)
        unicode_put(w->out, w->text[at + i]);
}

/* How much of a chunk that is longer than a line goes into what is left of one. */
static size_t part_of(const struct wrap *w, const struct chunk *chunk, size_t left)
{
    size_t hyphen = left;

    if (!w->break_hyphens || chunk->len <= left)
        return left;
    while (hyphen > 0 && w->text[chunk->at + hyphen - 1] != '-')
        hyphen--;
    for (size_t i = 0; hyphen > 1 && i < hyphen - 1; i++)
        if (w->text[chunk->at + i] != '-')
            return hyphen;
    return left;
}

/* Of a chunk that is longer than a line: what goes into this one, of which len is full. */
static size_t take_part(struct wrap *w, size_t *next, size_t len, struct chunk *last)
{
    struct chunk *chunk = &w->chunks.items[*next];
    size_t part = w->break_words ? part_of(w, chunk, w->width - len) : chunk->len;

    if (!w->break_words && len > 0)
        return 0;
    *last = (struct chunk){chunk->at, part};
    chunk->at += part;
    chunk->len -= part;
    *next += chunk->len == 0;
    return part;
}

/* Chunks follow each other in the text, so a line is a stretch of it. Returns the next chunk. */
static size_t fill_line(struct wrap *w, size_t next)
{
    const struct chunk *chunks = w->chunks.items;
    struct chunk last = {.len = 0};
    size_t at, len = 0;

    next += w->begun && is_empty(w, &chunks[next]);
    if (next == w->chunks.n)
        return next;
    at = chunks[next].at;
    while (next < w->chunks.n && len + chunks[next].len <= w->width) {
        last = chunks[next++];
        len += last.len;
    }
    if (next < w->chunks.n && chunks[next].len > w->width)
        len += take_part(w, &next, len, &last);
    if (is_empty(w, &last))
        len -= last.len;
    if (len > 0)
        put_line(w, at, len);
    return next;
}

static int wrap_line(struct evaluator *ev, struct wrap *w, const struct value *line)
{
    uint32_t *text = arena_alloc(ev->arena, (line->u.str.len + 1) * sizeof(*text));
    size_t size;

    if (ev_charge(ev, line->u.str.len + 1) < 0)
        return -1;
    w->n = w->chunks.n = 0;
    w->text = text;
    w->begun = false;
    for (size_t i = 0; i < line->u.str.len; i += size)
        text[w->n++] = unicode_decode(line->u.str.s + i, line->u.str.len - i, &size);
    for (size_t at = 0, end; at < w->n; at = end) {
        end = chunk_end(w, at);
        vec_push(&w->chunks, ((struct chunk){at, end - at}));
    }
    for (size_t next = 0; next < w->chunks.n;)
        next = fill_line(w, next);
    return 0;
}

static int read_options(struct evaluator *ev, struct wrap *w, const struct call *c)
{
    const struct value *width = c->arg[0], *between = c->arg[2];

    if (width && (width->type != VALUE_INT || width->u.i < 1))
        return ev_error(ev, "wordwrap: invalid width (must be an integer > 0)");
    if (between && between->type != VALUE_STR && between->type != VALUE_NULL)
        return ev_error(ev, "wordwrap: wrapstring must be a string");
    w->width = width ? (size_t)width->u.i : 79;
    w->break_words = !c->arg[1] || jinja_truth(c->arg[1]);
    w->between = between && between->type == VALUE_STR ? between->u.str.s : "\n";
    w->break_hyphens = !c->arg[3] || jinja_truth(c->arg[3]);
    return 0;
}

/* wordwrap(width=79, break_long_words=True, wrapstring=None, break_on_hyphens=True) */
static const struct value *filter_wordwrap(struct evaluator *ev, const struct value *in,
                                           const struct call *c)
{
    const struct value *lines;
    struct wrap w = {.begun = false};
    struct str out;
    int failed = 0;

    if (in->type != VALUE_STR)
        return ev_fail(ev, "wordwrap works on a string, not on %s", python_type(in));
    if (read_options(ev, &w, c) < 0 || !(lines = text_lines(ev, in)))
        return NULL;
    str_init(&out, JINJA_MAX_OUTPUT);
    w.out = &out;
    for (size_t i = 0; i < lines->u.list.n && !failed; i++) {
        if (i > 0)
            str_puts(&out, w.between);
        failed = wrap_line(ev, &w, lines->u.list.items[i]);
    }
    vec_release(&w.chunks);
    if (!failed)
        return ev_take(ev, &out);
    str_release(&out);
    return NULL;
}

static const struct filter rows[] = {
    {"wordwrap", "width break_long_words wrapstring break_on_hyphens", 0, 0, filter_wordwrap,
     "the text in lines of no more than so many characters"},
};

const struct filter_table filters_wrap = {rows, ARRAY_LEN(rows)};
