/* ledger_table.c - the statements of a drill's clients. */
#include "lib/drill/ledger_table.h"

#include <inttypes.h>

#define FETCH_ROWS "5000"

enum { SPARE_ROWS = 1000 };

int ledger_table_prepare(const struct pg_target *target, struct err *err)
{
    /* Two drills at once may both create the table: the advisory lock keeps one from failing. */
    static const char create[] =
        "DO $$BEGIN PERFORM pg_advisory_xact_lock(7048); "
        "CREATE TABLE IF NOT EXISTS pgha_drill (run bigint NOT NULL, writer int NOT NULL, "
        "number int NOT NULL, previous int NOT NULL, hash bigint NOT NULL, "
        "position bigint GENERATED ALWAYS AS IDENTITY, "
        "at timestamptz NOT NULL DEFAULT clock_timestamp()); "
        "CREATE INDEX IF NOT EXISTS pgha_drill_number ON pgha_drill (run, writer, number); END$$";
    struct pg *pg = pg_open(target, err);
    int rc = pg ? 0 : -1;

    if (rc == 0)
        rc = pg_exec(pg, create, 0, NULL, err);
    if (rc == 0)
        rc =
            pg_exec(pg, "DELETE FROM pgha_drill WHERE at < now() - interval '1 day'", 0, NULL, err);
    pg_close(pg);
    return rc < 0 ? err_wrap(err, "the drill's table") : 0;
}

int ledger_table_insert(struct pg *pg, const struct ledger *l, size_t writer, uint32_t number,
                        struct err *err)
{
    const struct ledger_write *w = ledger_write(l, writer, number);
    const int64_t values[] = {(int64_t)l->run, (int64_t)writer, number, w->previous,
                              (int64_t)w->hash};
    const char *params[ARRAY_LEN(values)];
    char texts[ARRAY_LEN(values)][24];

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        snprintf(texts[i], sizeof(texts[i]), "%" PRId64, values[i]);
        params[i] = texts[i];
    }
    return pg_exec(pg,
                   "INSERT INTO pgha_drill (run, writer, number, previous, hash) "
                   "VALUES ($1, $2, $3, $4, $5)",
                   ARRAY_LEN(values), params, err);
}

/* A whole number that the server wrote. */
static int read_number(const char *text, int64_t *n, struct err *err)
{
    char *end;

    *n = strtoll(text, &end, 10);
    if (end == text || *end)
        return err_set(err, ERR_INPUT, "the server answers \"%.40s\" for a number", text);
    return 0;
}

int ledger_table_highest(struct pg *pg, uint64_t run, size_t writers, uint32_t *highest,
                         struct err *err)
{
    char run_text[24], writers_text[24];
    const char *params[] = {run_text, writers_text};

    snprintf(run_text, sizeof(run_text), "%" PRIu64, run);
    snprintf(writers_text, sizeof(writers_text), "%zu", writers);
    /* A look into the index for each writer. */
    if (pg_exec(pg,
                "SELECT coalesce((SELECT max(number) FROM pgha_drill "
                "WHERE run = $1::bigint AND writer = w), 0) "
                "FROM generate_series(0, $2::int - 1) w ORDER BY w",
                ARRAY_LEN(params), params, err) < 0)
        return -1;
    if (pg_rows(pg) != writers)
        return err_set(err, ERR_INPUT, "the server answers %zu rows for %zu writers", pg_rows(pg),
                       writers);
    for (size_t i = 0; i < writers; i++) {
        int64_t n;

        if (read_number(pg_value(pg, i, 0), &n, err) < 0)
            return -1;
        if (n < 0 || n > UINT32_MAX)
            return err_set(err, ERR_INPUT, "the server answers that %" PRId64 " is a number", n);
        highest[i] = (uint32_t)n;
    }
    return 0;
}

static int read_row(struct pg *pg, size_t row, uint64_t run, ledger_rows *rows, struct err *err)
{
    int64_t n[5];

    for (int i = 0; i < (int)ARRAY_LEN(n); i++)
        if (read_number(pg_value(pg, row, i), &n[i], err) < 0)
            return -1;
    vec_push(rows, ((struct ledger_row){.run = run,
                                        .writer = n[0],
                                        .number = n[1],
                                        .previous = n[2],
                                        .hash = (uint64_t)n[3],
                                        .position = n[4]}));
    return 0;
}

/* A cursor hands them out in pieces, all of one moment. */
static int fetch(struct pg *pg, const struct ledger *l, ledger_rows *rows, struct err *err)
{
    const size_t most = 2 * ledger_sent(l) + SPARE_ROWS;
    char declare[192];

    /* A cursor takes no parameters by the extended protocol. */
    snprintf(declare, sizeof(declare),
             "DECLARE drill NO SCROLL CURSOR FOR SELECT writer, number, previous, hash, position "
             "FROM pgha_drill WHERE run = %" PRIu64,
             l->run);
    if (pg_exec(pg, "BEGIN READ ONLY", 0, NULL, err) < 0 || pg_exec(pg, declare, 0, NULL, err) < 0)
        return -1;
    do {
        if (pg_exec(pg, "FETCH " FETCH_ROWS " FROM drill", 0, NULL, err) < 0)
            return -1;
        if (rows->n + pg_rows(pg) > most)
            return err_set(err, ERR_INPUT, "more than %zu rows, where %zu were sent", most,
                           ledger_sent(l));
        for (size_t i = 0; i < pg_rows(pg); i++)
            if (read_row(pg, i, l->run, rows, err) < 0)
                return -1;
    } while (pg_rows(pg));
    return 0;
}

int ledger_table_fetch(const struct pg_target *target, const struct ledger *l, ledger_rows *rows,
                       struct err *err)
{
    struct pg *pg = pg_open(target, err);
    int rc = pg ? fetch(pg, l, rows, err) : -1;

    pg_close(pg);
    return rc < 0 ? err_wrap(err, "reading the drill's rows from %s:%d", target->host, target->port)
                  : 0;
}
