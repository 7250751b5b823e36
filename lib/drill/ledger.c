/* ledger.c - the numbered writes, and the accounting of the rows that became of them. */
#include "lib/drill/ledger.h"

#include "lib/base/hash.h"

void ledger_init(struct ledger *l, uint64_t run, size_t writers)
{
    *l = (struct ledger){.run = run, .n = writers};
    l->writers = xcalloc(writers, sizeof(*l->writers));
}

void ledger_release(struct ledger *l)
{
    for (size_t i = 0; i < l->n; i++)
        vec_release(&l->writers[i].writes);
    free(l->writers);
    *l = (struct ledger){0};
}

const struct ledger_write *ledger_write(const struct ledger *l, size_t writer, uint32_t number)
{
    return &l->writers[writer].writes.items[number - 1];
}

size_t ledger_sent(const struct ledger *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        n += l->writers[i].writes.n;
    return n;
}

static uint64_t chain(uint64_t previous_hash, uint64_t run, size_t writer, uint32_t number)
{
    const uint64_t link[] = {previous_hash, run, writer, number};

    return hash_fnv1a(link, sizeof(link));
}

uint32_t ledger_send(struct ledger *l, size_t writer, int64_t now_us)
{
    struct ledger_writer *w = &l->writers[writer];
    struct ledger_write write = {.sent_us = now_us, .acked_us = -1, .previous = w->acknowledged};
    uint32_t number = (uint32_t)w->writes.n + 1;

    if (number > LEDGER_MAX_WRITES)
        return 0;
    write.hash = chain(write.previous ? ledger_write(l, writer, write.previous)->hash : 0, l->run,
                       writer, number);
    vec_push(&w->writes, write);
    return number;
}

void ledger_acknowledge(struct ledger *l, size_t writer, uint32_t number, int64_t now_us)
{
    struct ledger_writer *w = &l->writers[writer];

    if (number == 0 || number > w->writes.n)
        BUG("writer %zu never sent %u", writer, number);
    w->writes.items[number - 1].acked_us = now_us;
    w->acknowledged = number;
}

static int sign(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_write(const void *a, const void *b)
{
    const struct ledger_row *x = a, *y = b;
    int order = sign(x->writer, y->writer);

    if (order == 0)
        order = sign(x->number, y->number);
    return order ? order : sign(x->position, y->position);
}

/* Keeps the rows of the ledger's run that were sent, in order; the others are counted. */
static size_t keep_sent(const struct ledger *l, struct ledger_row *rows, size_t n,
                        struct ledger_account *out)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        const struct ledger_row *row = &rows[i];

        if (row->run != l->run)
            continue;
        if ((uint64_t)row->writer >= l->n || row->number < 1 ||
            (uint64_t)row->number > l->writers[row->writer].writes.n)
            out->invented++;
        else
            rows[kept++] = *row;
    }
    if (kept)
        qsort(rows, kept, sizeof(*rows), by_write);
    return kept;
}

/* A walk over one writer's numbers. */
struct walk {
    int64_t position;          /* of the acknowledged row before */
    uint32_t gap_from, gap_to; /* acknowledged and missing, without one that is there between */
};

/* Keeps the gap that began first, by the time of acknowledgement. */
static void close_gap(const struct ledger *l, size_t writer, struct walk *w,
                      struct ledger_account *out)
{
    if (w->gap_from &&
        (out->missing_writer < 0 ||
         ledger_write(l, writer, w->gap_from)->acked_us <
             ledger_write(l, (size_t)out->missing_writer, out->missing_from)->acked_us)) {
        out->missing_writer = (int64_t)writer;
        out->missing_from = w->gap_from;
        out->missing_to = w->gap_to;
    }
    w->gap_from = 0;
}

/* One write, and the first of its rows; NULL: it has none. */
static void account_write(const struct ledger *l, size_t writer, uint32_t number,
                          const struct ledger_row *row, struct walk *w, struct ledger_account *out)
{
    if (ledger_write(l, writer, number)->acked_us < 0) {
        out->unknown++;
        out->unknown_kept += row != NULL;
        return;
    }
    out->acknowledged++;
    if (row) {
        close_gap(l, writer, w, out);
        out->reordered += row->position < w->position;
        w->position = row->position;
        return;
    }
    out->missing++;
    if (!w->gap_from)
        w->gap_from = number;
    w->gap_to = number;
}

static bool is_altered(const struct ledger_write *write, const struct ledger_row *row)
{
    return row->hash != write->hash || row->previous != write->previous;
}

void ledger_account(const struct ledger *l, struct ledger_row *rows, size_t n,
                    struct ledger_account *out)
{
    size_t row = 0;

    *out = (struct ledger_account){.missing_writer = -1};
    n = keep_sent(l, rows, n, out);
    for (size_t writer = 0; writer < l->n; writer++) {
        struct walk walk = {.position = INT64_MIN};

        for (uint32_t number = 1; number <= l->writers[writer].writes.n; number++) {
            size_t first = row;

            for (; row < n && rows[row].writer == (int64_t)writer && rows[row].number == number;
                 row++)
                out->altered += is_altered(ledger_write(l, writer, number), &rows[row]);
            if (row > first + 1)
                out->doubled += row - first - 1;
            account_write(l, writer, number, row > first ? &rows[first] : NULL, &walk, out);
        }
        close_gap(l, writer, &walk, out);
    }
}

void ledger_reader_init(struct ledger_reader *r, size_t writers)
{
    *r = (struct ledger_reader){.n = writers};
    r->seen = xcalloc(writers, sizeof(*r->seen));
    r->seen_here = xcalloc(writers, sizeof(*r->seen_here));
}

void ledger_reader_release(struct ledger_reader *r)
{
    free(r->seen);
    free(r->seen_here);
    *r = (struct ledger_reader){0};
}

void ledger_reader_connected(struct ledger_reader *r)
{
    memset(r->seen_here, 0, r->n * sizeof(*r->seen_here));
}

void ledger_reader_saw(struct ledger_reader *r, const uint32_t *highest)
{
    bool back = false, elsewhere = false;

    for (size_t i = 0; i < r->n; i++) {
        back |= highest[i] < r->seen_here[i];
        elsewhere |= highest[i] < r->seen[i];
        if (highest[i] > r->seen_here[i])
            r->seen_here[i] = highest[i];
        if (highest[i] > r->seen[i])
            r->seen[i] = highest[i];
    }
    r->went_back += back;
    r->went_elsewhere += elsewhere && !back;
}
