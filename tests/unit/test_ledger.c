/*
 * test_ledger.c - every way in which a server can be wrong is counted, each as what it is; and a
 * model server that is wrong at random is counted exactly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/drill/ledger.h"

typedef VEC(struct ledger_row) row_list;

#define RUN UINT64_C(0x7edcba9876543210)

/* A drill of some writers and an honest server, for tests to spoil. */
struct scene {
    struct ledger ledger;
    row_list rows;
    int64_t now_us, position;
};

static struct ledger_row row_of(const struct scene *s, size_t writer, uint32_t number)
{
    const struct ledger_write *w = ledger_write(&s->ledger, writer, number);

    return (struct ledger_row){.run = s->ledger.run,
                               .hash = w->hash,
                               .writer = (int64_t)writer,
                               .number = number,
                               .previous = w->previous};
}

static void keep(struct scene *s, size_t writer, uint32_t number)
{
    struct ledger_row row = row_of(s, writer, number);

    row.position = ++s->position;
    vec_push(&s->rows, row);
}

static uint32_t send_only(struct scene *s, size_t writer)
{
    return ledger_send(&s->ledger, writer, ++s->now_us);
}

static uint32_t send_kept(struct scene *s, size_t writer)
{
    uint32_t number = send_only(s, writer);

    keep(s, writer, number);
    ledger_acknowledge(&s->ledger, writer, number, ++s->now_us);
    return number;
}

/* writers, each with n rows, in turn: number n of writer w is row (n - 1) * writers + w. */
static void init_scene(struct scene *s, size_t writers, size_t n)
{
    *s = (struct scene){0};
    ledger_init(&s->ledger, RUN, writers);
    for (size_t i = 0; i < n; i++)
        for (size_t writer = 0; writer < writers; writer++)
            send_kept(s, writer);
}

static void remove_row(struct scene *s, size_t index)
{
    s->rows.items[index] = s->rows.items[--s->rows.n];
}

static void swap_positions(struct scene *s, size_t a, size_t b)
{
    int64_t position = s->rows.items[a].position;

    s->rows.items[a].position = s->rows.items[b].position;
    s->rows.items[b].position = position;
}

static struct ledger_account account_of(struct scene *s)
{
    struct ledger_account a;

    ledger_account(&s->ledger, s->rows.items, s->rows.n, &a);
    return a;
}

static void release_scene(struct scene *s)
{
    ledger_release(&s->ledger);
    vec_release(&s->rows);
}

/* All counts but that of the acknowledged. */
static void check_counts(const struct ledger_account *a, const struct ledger_account *wanted)
{
    assert_int_equal(a->missing, wanted->missing);
    assert_int_equal(a->unknown, wanted->unknown);
    assert_int_equal(a->unknown_kept, wanted->unknown_kept);
    assert_int_equal(a->doubled, wanted->doubled);
    assert_int_equal(a->reordered, wanted->reordered);
    assert_int_equal(a->altered, wanted->altered);
    assert_int_equal(a->invented, wanted->invented);
}

/* Accounts, checks and releases. */
static void expect(struct scene *s, struct ledger_account wanted)
{
    struct ledger_account a = account_of(s);

    check_counts(&a, &wanted);
    release_scene(s);
}

static void test_nothing(void **state)
{
    struct scene s;
    struct ledger_account a;

    UNUSED(state);
    init_scene(&s, 0, 0);
    a = account_of(&s);
    assert_int_equal(a.acknowledged, 0);
    assert_int_equal(a.missing_writer, -1);
    expect(&s, (struct ledger_account){0});
    init_scene(&s, 3, 0);
    expect(&s, (struct ledger_account){0});
}

static void test_honest(void **state)
{
    struct scene s;
    struct ledger_account a;

    UNUSED(state);
    init_scene(&s, 8, 5000);
    assert_int_equal(ledger_sent(&s.ledger), 40000);
    a = account_of(&s);
    assert_int_equal(a.acknowledged, 40000);
    assert_int_equal(a.missing_writer, -1);
    expect(&s, (struct ledger_account){0});
}

static void test_chain(void **state)
{
    struct scene s;
    uint32_t second, third;

    UNUSED(state);
    init_scene(&s, 2, 1);
    second = send_only(&s, 0);
    third = send_kept(&s, 0);
    assert_int_equal(second, 2);
    assert_int_equal(ledger_write(&s.ledger, 0, second)->previous, 1);
    assert_int_equal(ledger_write(&s.ledger, 0, third)->previous, 1);
    assert_int_equal(ledger_write(&s.ledger, 0, second)->acked_us, -1);
    assert_int_equal(send_only(&s, 0), 4);
    assert_int_equal(ledger_write(&s.ledger, 0, 4)->previous, third);
    assert_int_not_equal(ledger_write(&s.ledger, 0, 1)->hash, ledger_write(&s.ledger, 1, 1)->hash);
    assert_int_not_equal(ledger_write(&s.ledger, 0, 2)->hash, ledger_write(&s.ledger, 0, 3)->hash);
    release_scene(&s);
}

static void test_bounded(void **state)
{
    struct ledger l;

    UNUSED(state);
    ledger_init(&l, RUN, 1);
    for (uint32_t n = 1; n <= LEDGER_MAX_WRITES; n++)
        if (ledger_send(&l, 0, n) != n)
            fail_msg("number %u", n);
    assert_int_equal(ledger_send(&l, 0, 0), 0);
    assert_int_equal(ledger_sent(&l), LEDGER_MAX_WRITES);
    ledger_release(&l);
}

static void test_each_lie(void **state)
{
    struct scene s;

    UNUSED(state);
    init_scene(&s, 3, 10);
    remove_row(&s, 13);
    expect(&s, (struct ledger_account){.missing = 1});

    init_scene(&s, 3, 10);
    vec_push(&s.rows, s.rows.items[13]);
    vec_push(&s.rows, s.rows.items[13]);
    expect(&s, (struct ledger_account){.doubled = 2});

    init_scene(&s, 3, 10);
    swap_positions(&s, 13, 16);
    expect(&s, (struct ledger_account){.reordered = 1});

    init_scene(&s, 3, 10);
    s.rows.items[13].hash ^= 1;
    expect(&s, (struct ledger_account){.altered = 1});

    init_scene(&s, 3, 10);
    s.rows.items[13].previous--;
    expect(&s, (struct ledger_account){.altered = 1});
}

static void test_invented(void **state)
{
    static const struct {
        int64_t writer, number;
    } never[] = {{0, 0},  {0, -1},        {0, 11},        {3, 1},
                 {-1, 1}, {INT64_MAX, 1}, {1, INT64_MAX}, {1, INT64_C(0x100000001)}};
    struct scene s;

    UNUSED(state);
    init_scene(&s, 3, 10);
    for (size_t i = 0; i < ARRAY_LEN(never); i++) {
        struct ledger_row row = s.rows.items[i];

        row.writer = never[i].writer;
        row.number = never[i].number;
        vec_push(&s.rows, row);
    }
    expect(&s, (struct ledger_account){.invented = ARRAY_LEN(never)});

    init_scene(&s, 3, 10);
    for (size_t i = 0; i < 5; i++) {
        struct ledger_row row = s.rows.items[i];

        row.run++;
        vec_push(&s.rows, row);
    }
    expect(&s, (struct ledger_account){0}); /* another drill's rows are its own */
}

static void test_unknown(void **state)
{
    struct scene s;

    UNUSED(state);
    init_scene(&s, 2, 5);
    send_only(&s, 0);
    keep(&s, 1, send_only(&s, 1));
    send_kept(&s, 0);
    send_kept(&s, 1);
    expect(&s, (struct ledger_account){.unknown = 2, .unknown_kept = 1});

    /* A write that was given up may come in after the next one. */
    init_scene(&s, 1, 5);
    send_only(&s, 0);
    send_kept(&s, 0);
    keep(&s, 0, 6);
    expect(&s, (struct ledger_account){.unknown = 1, .unknown_kept = 1});

    init_scene(&s, 1, 5);
    send_only(&s, 0);
    keep(&s, 0, 6);
    keep(&s, 0, 6);
    expect(&s, (struct ledger_account){.unknown = 1, .unknown_kept = 1, .doubled = 1});
}

static void test_mixed_row(void **state)
{
    struct scene s;

    UNUSED(state);
    /* Altered is there: not missing. Twice, and one altered: both are said. */
    init_scene(&s, 1, 10);
    vec_push(&s.rows, s.rows.items[4]);
    s.rows.items[10].hash++;
    expect(&s, (struct ledger_account){.doubled = 1, .altered = 1});

    /* Doubled later, behind others: the first counts for the order. */
    init_scene(&s, 1, 10);
    keep(&s, 0, 4);
    expect(&s, (struct ledger_account){.doubled = 1});

    /* What is missing does not hide the order of those around it. */
    init_scene(&s, 1, 10);
    swap_positions(&s, 3, 5);
    remove_row(&s, 4);
    expect(&s, (struct ledger_account){.missing = 1, .reordered = 1});

    /* All the other way round. */
    init_scene(&s, 1, 10);
    for (size_t i = 0; i < 5; i++)
        swap_positions(&s, i, 9 - i);
    expect(&s, (struct ledger_account){.reordered = 9});
}

static void test_first_missing(void **state)
{
    struct scene s;
    struct ledger_account a;

    UNUSED(state);
    /* Writer 1 lost 3 to 5, of which 4 was never acknowledged; writer 0 lost one later. */
    init_scene(&s, 2, 2);
    send_kept(&s, 1);
    send_only(&s, 1);
    send_kept(&s, 1);
    send_kept(&s, 1);
    send_kept(&s, 0);
    send_kept(&s, 0);
    s.rows.n = 0;
    keep(&s, 0, 1);
    keep(&s, 1, 1);
    keep(&s, 0, 2);
    keep(&s, 1, 2);
    keep(&s, 1, 6);
    keep(&s, 0, 4);
    a = account_of(&s);
    assert_int_equal(a.missing, 3);
    assert_int_equal(a.missing_writer, 1);
    assert_int_equal(a.missing_from, 3);
    assert_int_equal(a.missing_to, 5);
    release_scene(&s);

    /* 2 and 3 are missing, 4 is there: the 5 is another loss. */
    init_scene(&s, 1, 6);
    s.rows.items[1] = s.rows.items[5];
    s.rows.n = 2;
    keep(&s, 0, 4);
    a = account_of(&s);
    assert_int_equal(a.missing, 3);
    assert_int_equal(a.missing_from, 2);
    assert_int_equal(a.missing_to, 3);
    release_scene(&s);

    init_scene(&s, 2, 4);
    s.rows.n = 0;
    a = account_of(&s);
    assert_int_equal(a.missing, 8);
    assert_int_equal(a.missing_writer, 0);
    assert_int_equal(a.missing_from, 1);
    assert_int_equal(a.missing_to, 4);
    release_scene(&s);
}

/* ---- lies at random ---- */

static uint64_t seed;

static uint64_t random_below(uint64_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % n;
}

enum lie { HONEST, DROP, DOUBLE, ALTER, INVENT, LIES };

/* One write to the model server, which counts what it does to it. */
static void random_write(struct scene *s, size_t writer, struct ledger_account *wanted)
{
    uint32_t number = send_only(s, writer);
    enum lie lie = random_below(4) ? HONEST : (enum lie)random_below(LIES);
    bool acknowledged = random_below(10) != 0;

    if (acknowledged)
        ledger_acknowledge(&s->ledger, writer, number, ++s->now_us);
    wanted->acknowledged += acknowledged;
    wanted->unknown += !acknowledged;
    if (lie == DROP) {
        wanted->missing += acknowledged;
        return;
    }
    wanted->unknown_kept += !acknowledged;
    keep(s, writer, number);
    if (lie == ALTER) {
        s->rows.items[s->rows.n - 1].hash += 1 + random_below(1000);
        wanted->altered++;
    } else if (lie == DOUBLE) {
        size_t times = 1 + random_below(3);

        for (size_t i = 0; i < times; i++)
            keep(s, writer, number);
        wanted->doubled += times;
    } else if (lie == INVENT) {
        struct ledger_row row = row_of(s, writer, number);

        row.number += LEDGER_MAX_WRITES;
        vec_push(&s->rows, row);
        wanted->invented++;
    }
}

/* In the order of a shuffled pack, as a table is after much vacuuming. */
static void shuffle(struct scene *s)
{
    for (size_t i = s->rows.n; i > 1; i--) {
        size_t k = random_below(i);
        struct ledger_row row = s->rows.items[k];

        s->rows.items[k] = s->rows.items[i - 1];
        s->rows.items[i - 1] = row;
    }
}

/* The lowest position of a write's rows; -1: there is none. */
static int64_t position_of(const struct scene *s, size_t writer, uint32_t number)
{
    int64_t lowest = -1;

    vec_each (row, &s->rows)
        if (row->writer == (int64_t)writer && row->number == number &&
            (lowest < 0 || row->position < lowest))
            lowest = row->position;
    return lowest;
}

/* The same as the ledger's, by search instead of by sorting. */
static size_t count_reordered(const struct scene *s)
{
    size_t reordered = 0;

    for (size_t writer = 0; writer < s->ledger.n; writer++) {
        int64_t before = -1;

        for (uint32_t n = 1; n <= s->ledger.writers[writer].writes.n; n++) {
            int64_t position = position_of(s, writer, n);

            if (ledger_write(&s->ledger, writer, n)->acked_us < 0 || position < 0)
                continue;
            reordered += position < before;
            before = position;
        }
    }
    return reordered;
}

static void test_random_lies(void **state)
{
    UNUSED(state);
    for (uint64_t round = 0; round < 400; round++) {
        struct ledger_account wanted = {0}, a;
        size_t writers, n;
        struct scene s;

        seed = round;
        writers = 1 + random_below(6);
        n = random_below(150);
        init_scene(&s, writers, 0);
        for (size_t i = 0; i < n; i++)
            random_write(&s, random_below(writers), &wanted);
        for (size_t i = random_below(6); s.rows.n && i > 0; i--)
            swap_positions(&s, random_below(s.rows.n), random_below(s.rows.n));
        wanted.reordered = count_reordered(&s);
        shuffle(&s);
        a = account_of(&s);
        assert_int_equal(a.acknowledged, wanted.acknowledged);
        check_counts(&a, &wanted);
        assert_int_equal(a.missing_writer >= 0, a.missing > 0);
        release_scene(&s);
    }
}

/* ---- readers ---- */

static void saw(struct ledger_reader *r, uint32_t first, uint32_t second)
{
    const uint32_t highest[] = {first, second};

    ledger_reader_saw(r, highest);
}

static void test_reader(void **state)
{
    struct ledger_reader r;

    UNUSED(state);
    ledger_reader_init(&r, 2);
    ledger_reader_connected(&r);
    saw(&r, 0, 0);
    saw(&r, 4, 4);
    saw(&r, 4, 5);
    assert_int_equal(r.went_back, 0);
    saw(&r, 3, 4); /* one read, however many writers it is behind with */
    assert_int_equal(r.went_back, 1);
    saw(&r, 3, 5); /* still behind the 4 */
    assert_int_equal(r.went_back, 2);
    saw(&r, 4, 5);
    assert_int_equal(r.went_back, 2);
    assert_int_equal(r.went_elsewhere, 0);

    ledger_reader_connected(&r);
    saw(&r, 2, 6);
    saw(&r, 3, 6);
    assert_int_equal(r.went_back, 2);
    assert_int_equal(r.went_elsewhere, 2);
    saw(&r, 2, 7); /* behind this connection's 3: that is the worse */
    assert_int_equal(r.went_back, 3);
    assert_int_equal(r.went_elsewhere, 2);
    saw(&r, 4, 7);
    assert_int_equal(r.went_back, 3);
    assert_int_equal(r.went_elsewhere, 2);
    ledger_reader_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),       cmocka_unit_test(test_honest),
        cmocka_unit_test(test_chain),         cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_each_lie),      cmocka_unit_test(test_invented),
        cmocka_unit_test(test_unknown),       cmocka_unit_test(test_mixed_row),
        cmocka_unit_test(test_first_missing), cmocka_unit_test(test_random_lies),
        cmocka_unit_test(test_reader),
    };

    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
