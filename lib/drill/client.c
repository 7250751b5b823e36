/* client.c - a thread for each client, straight on: connect, state, measure, again. */
#include "lib/drill/client.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/clock.h"
#include "lib/drill/ledger_table.h"
#include "lib/net/pool.h"

enum {
    CONNECT_MS = 500,
    RETRY_MS = 10,
    ANSWER_MS = 500,
    ANSWER_MOST_MS = 5000,
    PACE_MS = 10,
    STOP_MS = 1000, /* for the answers that plain clients wait for when all end */
    STOP_POLL_MS = 5,
};

/* Each belongs to its thread until that is joined, but for the two that are atomic. */
struct client {
    struct clients *all;
    const struct client_group *group;
    struct pg_target target;
    size_t host; /* of the group's, that is connected to */
    pthread_t thread;
    size_t writer; /* its number in the ledger; readers have none */
    struct pg *pg; /* NULL: not connected */
    int answer_ms; /* patience with the next statement */
    struct sample_series series;
    struct ledger_reader reader;
    uint32_t *highest; /* what the reader read last */
    struct err fault;  /* why it had to end */
    atomic_size_t answered;
    atomic_int_least64_t last_answer_us;
};

struct clients {
    struct client_group *groups;
    struct client *items;
    size_t n, running; /* threads to join */
    struct ledger ledger;
    int pace_ms;
    int64_t start_us, end_us;
    atomic_bool stop;    /* no further statement */
    atomic_bool hang_up; /* plain clients: no further waiting */
    atomic_size_t active;
};

int64_t clients_now_us(const struct clients *c)
{
    return clock_mono_us() - c->start_us;
}

static bool is_over(const struct client *c)
{
    return c->fault.code || atomic_load(&c->all->stop) || clock_stop_requested();
}

/* ---- one attempt ---- */

/* What a stop cut short was no failure. */
static void record(struct client *c, bool connect, int64_t start_us, const struct err *failure)
{
    int64_t end_us = clients_now_us(c->all);

    if (failure->code && is_over(c))
        return;
    if (sample_add(&c->series, connect, !failure->code, start_us, end_us) < 0)
        err_set(&c->fault, ERR_FAILED, "%s: a client made more than %zu attempts", c->group->name,
                SAMPLE_MAX);
    if (failure->code) {
        sample_tell(&c->series.texts, connect ? "" : pg_sqlstate(c->pg), failure->text);
    } else if (!connect) {
        atomic_store(&c->last_answer_us, end_us);
        atomic_fetch_add(&c->answered, 1);
    }
}

/* A driver's list of hosts is a circle. */
static void take_next_host(struct client *c)
{
    const char *const *hosts = c->group->hosts;

    if (!hosts || c->group->kind == CLIENT_PLAIN)
        return;
    if (!hosts[++c->host])
        c->host = 0;
    c->target.host = hosts[c->host];
}

static int open_connection(struct client *c)
{
    int64_t start_us = clients_now_us(c->all);
    struct err err = ERR_INIT;

    c->pg = pg_open(&c->target, &err);
    if (!c->pg)
        take_next_host(c);
    record(c, true, start_us, &err);
    err_release(&err);
    if (c->group->kind == CLIENT_READER)
        ledger_reader_connected(&c->reader);
    return c->pg ? 0 : -1;
}

static void drop_connection(struct client *c)
{
    pg_close(c->pg);
    c->pg = NULL;
}

_Static_assert(LEDGER_MAX_WRITES >= SAMPLE_MAX, "a writer's attempts end before its numbers");

static int write_row(struct client *c, struct err *err)
{
    struct ledger *l = &c->all->ledger;
    uint32_t number = ledger_send(l, c->writer, clients_now_us(c->all));

    if (!number)
        BUG("more numbers than attempts");
    if (ledger_table_insert(c->pg, l, c->writer, number, err) < 0)
        return -1;
    ledger_acknowledge(l, c->writer, number, clients_now_us(c->all));
    return 0;
}

static int read_numbers(struct client *c, struct err *err)
{
    const struct ledger *l = &c->all->ledger;

    if (ledger_table_highest(c->pg, l->run, l->n, c->highest, err) < 0)
        return -1;
    ledger_reader_saw(&c->reader, c->highest);
    return 0;
}

static void run_statement(struct client *c)
{
    int64_t start_us = clients_now_us(c->all);
    struct err err = ERR_INIT;
    int rc;

    if (c->group->kind != CLIENT_PLAIN)
        pg_set_timeout(c->pg, c->answer_ms);
    rc = c->group->kind == CLIENT_READER ? read_numbers(c, &err) : write_row(c, &err);
    record(c, false, start_us, &err);
    if (rc == 0)
        c->answer_ms = ANSWER_MS;
    else if (err.code == ERR_TIMEOUT && (c->answer_ms *= 2) > ANSWER_MOST_MS)
        c->answer_ms = ANSWER_MOST_MS;
    if (rc < 0) {
        drop_connection(c);
        take_next_host(c);
    }
    err_release(&err);
}

static void *run_client(void *arg)
{
    struct client *c = arg;

    while (!is_over(c)) {
        if (c->pg || open_connection(c) == 0)
            run_statement(c);
        clock_sleep_ms(c->pg ? c->all->pace_ms : RETRY_MS);
    }
    drop_connection(c);
    atomic_fetch_sub(&c->all->active, 1);
    return NULL;
}

/* ---- all of them ---- */

static void init_client(struct client *c, struct clients *all, const struct client_group *group,
                        size_t *writers)
{
    c->all = all;
    c->group = group;
    c->answer_ms = ANSWER_MS;
    c->target = group->target;
    c->target.timeout_ms = CONNECT_MS;
    c->target.manner = group->kind == CLIENT_PLAIN ? PG_PLAIN : PG_DRIVER;
    c->target.any_server = group->kind == CLIENT_READER;
    if (group->kind == CLIENT_PLAIN)
        c->target.stop = &all->hang_up; /* or it may wait for ever */
    if (group->kind != CLIENT_READER)
        c->writer = (*writers)++;
    atomic_init(&c->answered, 0);
    atomic_init(&c->last_answer_us, -1);
}

static struct clients *make_clients(const struct client_options *options, size_t n)
{
    struct clients *all = xcalloc(1, sizeof(*all));
    size_t writers = 0;

    all->pace_ms = options->pace_ms ? options->pace_ms : PACE_MS;
    all->groups = xcalloc(options->n, sizeof(*all->groups));
    all->items = xcalloc(n, sizeof(*all->items));
    all->n = n;
    atomic_init(&all->stop, false);
    atomic_init(&all->hang_up, false);
    atomic_init(&all->active, 0);
    n = 0;
    for (size_t i = 0; i < options->n; i++) {
        all->groups[i] = options->groups[i];
        for (size_t k = 0; k < options->groups[i].clients; k++)
            init_client(&all->items[n++], all, &all->groups[i], &writers);
    }
    ledger_init(&all->ledger, options->run, writers);
    for (size_t i = 0; i < n; i++)
        if (all->items[i].group->kind == CLIENT_READER) {
            ledger_reader_init(&all->items[i].reader, writers);
            all->items[i].highest = xcalloc(writers, sizeof(*all->items[i].highest));
        }
    return all;
}

static int start_threads(struct clients *all, struct err *err)
{
    pthread_attr_t attr;
    int failed = 0;

    if (pthread_attr_init(&attr) != 0 || pthread_attr_setstacksize(&attr, POOL_STACK_BYTES) != 0)
        BUG("a thread cannot have a stack of %zu bytes", POOL_STACK_BYTES);
    all->start_us = clock_mono_us();
    while (all->running < all->n && !failed) {
        struct client *c = &all->items[all->running];

        atomic_fetch_add(&all->active, 1);
        failed = pthread_create(&c->thread, &attr, run_client, c);
        if (failed)
            atomic_fetch_sub(&all->active, 1);
        else
            all->running++;
    }
    pthread_attr_destroy(&attr);
    return failed ? err_set(err, ERR_FAILED, "no thread for client %zu of %zu: %s",
                            all->running + 1, all->n, strerror(failed))
                  : 0;
}

struct clients *clients_start(const struct client_options *options, struct err *err)
{
    struct clients *all;
    size_t n = 0;

    for (size_t i = 0; i < options->n; i++)
        n += options->groups[i].clients;
    if (n > CLIENTS_MAX) {
        err_set(err, ERR_USAGE, "%zu clients: there may be %d", n, CLIENTS_MAX);
        return NULL;
    }
    all = make_clients(options, n);
    if (start_threads(all, err) == 0)
        return all;
    clients_free(all);
    return NULL;
}

static void end_threads(struct clients *all)
{
    int64_t deadline_ms = clock_mono_ms() + STOP_MS;

    atomic_store(&all->stop, true);
    while (atomic_load(&all->active) && clock_mono_ms() < deadline_ms && !clock_stop_requested())
        clock_sleep_ms(STOP_POLL_MS);
    atomic_store(&all->hang_up, true);
    for (; all->running; all->running--)
        pthread_join(all->items[all->running - 1].thread, NULL);
}

int clients_stop(struct clients *c, struct err *err)
{
    c->end_us = clients_now_us(c);
    end_threads(c);
    for (size_t i = 0; i < c->n; i++)
        if (c->items[i].fault.code)
            return err_set(err, c->items[i].fault.code, "%s", c->items[i].fault.text);
    return 0;
}

void clients_free(struct clients *c)
{
    if (!c)
        return;
    end_threads(c);
    for (size_t i = 0; i < c->n; i++) {
        sample_release(&c->items[i].series);
        ledger_reader_release(&c->items[i].reader);
        free(c->items[i].highest);
        err_release(&c->items[i].fault);
    }
    ledger_release(&c->ledger);
    free(c->items);
    free(c->groups);
    free(c);
}

/* ---- what they have seen ---- */

/* The first of a group, of n; they are side by side. */
static const struct client *members(const struct clients *c, size_t group, size_t *n)
{
    const struct client *first = c->items;

    for (size_t i = 0; i < group; i++)
        first += c->groups[i].clients;
    *n = c->groups[group].clients;
    return first;
}

size_t clients_answered(const struct clients *c, size_t group)
{
    size_t n, answered = 0;
    const struct client *items = members(c, group, &n);

    for (size_t i = 0; i < n; i++)
        answered += atomic_load(&items[i].answered);
    return answered;
}

int64_t clients_last_answer_us(const struct clients *c, size_t group)
{
    size_t n;
    const struct client *items = members(c, group, &n);
    int64_t last = -1;

    for (size_t i = 0; i < n; i++) {
        int64_t us = atomic_load(&items[i].last_answer_us);

        last = us > last ? us : last;
    }
    return last;
}

const struct ledger *clients_ledger(const struct clients *c)
{
    return &c->ledger;
}

void clients_figures(const struct clients *c, size_t group, int64_t fault_us,
                     struct drill_channel *out)
{
    const struct sample_series *series[CLIENTS_MAX];
    size_t n;
    const struct client *items = members(c, group, &n);

    for (size_t i = 0; i < n; i++)
        series[i] = &items[i].series;
    out->name = c->groups[group].name;
    sample_figures(series, n, fault_us, c->end_us, out);
}

void clients_told(const struct clients *c, size_t group, struct sample_texts *out)
{
    size_t n;
    const struct client *items = members(c, group, &n);

    *out = (struct sample_texts){.n = 0};
    for (size_t i = 0; i < n; i++)
        sample_merge(out, &items[i].series.texts);
}

void clients_reads(const struct clients *c, size_t group, size_t *went_back, size_t *went_elsewhere)
{
    size_t n;
    const struct client *items = members(c, group, &n);

    *went_back = *went_elsewhere = 0;
    for (size_t i = 0; i < n; i++) {
        *went_back += items[i].reader.went_back;
        *went_elsewhere += items[i].reader.went_elsewhere;
    }
}
