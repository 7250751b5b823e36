/*
 * clients.c - runs a drill's clients against a server on this machine, and tells what they have
 * seen and what the ledger says of the server's rows: a line each, "name value".
 *
 * usage: clients PORT WRITERS READERS PLAIN WRITES
 *
 * They end after so many acknowledged writes, and a minute at most. The fault's time is when half
 * of them are. The login: user and database "postgres".
 */
#include <signal.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/drill/client.h"
#include "lib/drill/ledger_table.h"

enum { LIMIT_MS = 60000, POLL_MS = 5, WRITERS = 0, READERS = 1, PLAIN = 2, GROUPS = 3 };

static size_t writes(const struct clients *c)
{
    return clients_answered(c, WRITERS) + clients_answered(c, PLAIN);
}

/* False: they were not answered so often in time. */
static bool wait_for_writes(const struct clients *c, size_t n)
{
    int64_t deadline_ms = clock_mono_ms() + LIMIT_MS;

    while (writes(c) < n && clock_mono_ms() < deadline_ms && !clock_stop_requested())
        clock_sleep_ms(POLL_MS);
    return writes(c) >= n;
}

static void print_channel(const struct clients *c, size_t group, int64_t fault_us)
{
    struct drill_channel channel = {0};
    struct sample_texts told;
    size_t counted = 0, timed = 0;
    double longest = 0;

    clients_figures(c, group, fault_us, &channel);
    clients_told(c, group, &told);
    vec_each (slot, &channel.slots)
        counted += *slot;
    printf("%s.answered %zu\n", channel.name, channel.answered);
    printf("%s.answered-live %zu\n", channel.name, clients_answered(c, group));
    printf("%s.answered-in-slots %zu\n", channel.name, counted);
    printf("%s.failed %zu\n", channel.name, channel.failed);
    printf("%s.gap-ms %.0f\n", channel.name, channel.gap_ms);
    printf("%s.client-gap-ms %.0f\n", channel.name, channel.client_gap_ms);
    for (int phase = 0; phase < DRILL_PHASES; phase++) {
        const struct drill_times *answers = &channel.answers[phase];

        longest = answers->longest > longest ? answers->longest : longest;
        timed += answers->n;
    }
    printf("%s.answered-in-phases %zu\n", channel.name, timed);
    printf("%s.longest-answer-ms %.0f\n", channel.name, longest);
    for (size_t i = 0; i < told.n; i++)
        printf("%s.told %zu %s %s\n", channel.name, told.items[i].count, told.items[i].sqlstate,
               told.items[i].text);
    vec_release(&channel.slots);
}

static void print_account(const struct ledger_account *a)
{
    printf("acknowledged %zu\nmissing %zu\nunknown %zu\nunknown-kept %zu\ndoubled %zu\n",
           a->acknowledged, a->missing, a->unknown, a->unknown_kept, a->doubled);
    printf("reordered %zu\naltered %zu\ninvented %zu\n", a->reordered, a->altered, a->invented);
}

static int tell(const struct clients *c, const struct pg_target *login, int64_t fault_us,
                struct err *err)
{
    ledger_rows rows = VEC_INIT;
    struct ledger_account account;
    size_t went_back, went_elsewhere;
    int rc;

    for (size_t group = 0; group < GROUPS; group++)
        print_channel(c, group, fault_us);
    clients_reads(c, READERS, &went_back, &went_elsewhere);
    printf("went-back %zu\nwent-elsewhere %zu\n", went_back, went_elsewhere);
    rc = ledger_table_fetch(login, clients_ledger(c), &rows, err);
    if (rc == 0) {
        ledger_account(clients_ledger(c), rows.items, rows.n, &account);
        print_account(&account);
    }
    vec_release(&rows);
    return rc;
}

static int run(const struct pg_target *login, char **counts, struct err *err)
{
    const struct client_group groups[GROUPS] = {
        {"writers", CLIENT_WRITER, *login, NULL, strtoul(counts[0], NULL, 10)},
        {"readers", CLIENT_READER, *login, NULL, strtoul(counts[1], NULL, 10)},
        {"plain", CLIENT_PLAIN, *login, NULL, strtoul(counts[2], NULL, 10)},
    };
    struct client_options options = {groups, GROUPS, 0, 0};
    size_t wanted = strtoul(counts[3], NULL, 10);
    struct clients *c;
    int64_t fault_us;
    int rc = -1;

    random_bytes(&options.run, sizeof(options.run));
    options.run >>= 1;
    if (ledger_table_prepare(login, err) < 0 || !(c = clients_start(&options, err)))
        return -1;
    if (!wait_for_writes(c, wanted / 2)) {
        err_set(err, ERR_TIMEOUT, "%zu writes", writes(c));
        goto out;
    }
    fault_us = clients_now_us(c);
    if (!wait_for_writes(c, wanted))
        err_set(err, ERR_TIMEOUT, "%zu writes", writes(c));
    else if (clients_stop(c, err) == 0)
        rc = tell(c, login, fault_us, err);
out:
    clients_free(c);
    return rc;
}

/* Nothing listens at the address that the clients are given: they have to take the route. */
static int route_port(void *ctx, const char *address, int port, struct err *err)
{
    UNUSED(address);
    UNUSED(port);
    UNUSED(err);
    return *(int *)ctx;
}

static void on_interrupt(int number)
{
    UNUSED(number);
    clock_request_stop();
}

int main(int argc, char **argv)
{
    int port = argc == 6 ? (int)strtol(argv[1], NULL, 10) : 0;
    const struct net_route route = {route_port, &port};
    const struct pg_target login = {.host = "127.0.0.2",
                                    .port = 1,
                                    .user = "postgres",
                                    .database = "postgres",
                                    .route = &route};
    struct err err = ERR_INIT;

    if (argc != 6)
        return 2;
    sigaction(SIGINT, &(struct sigaction){.sa_handler = on_interrupt}, NULL);
    if (run(&login, argv + 2, &err) == 0)
        return 0;
    fprintf(stderr, "%s\n", err.text);
    err_release(&err);
    return 1;
}
