/*
 * writer.c - writes numbers into a table through an address until its stdin ends, and then tells
 * "written N, longest gap MS ms, lost N": numbers that were acknowledged and are not in the table.
 *
 * usage: writer CONNINFO. Attempts are short, so that the service is measured and not the driver.
 */
#include <libpq-fe.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    ATTEMPT_MS = 500,
    ANSWER_MS = 2000,
    RETRY_MS = 10,
    PAUSE_MS = 5,
    FINAL_MS = 30000,
    NUMBERS_MAX = 1 << 20
};

static long long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static bool wait_socket(PGconn *c, short events, long long deadline)
{
    struct pollfd p = {.fd = PQsocket(c), .events = events};
    long long left = deadline - now_ms();

    return left > 0 && poll(&p, 1, (int)left) > 0;
}

static PGconn *open_connection(const char *conninfo)
{
    long long deadline = now_ms() + ATTEMPT_MS;
    PGconn *c = PQconnectStart(conninfo);
    PostgresPollingStatusType step = PGRES_POLLING_WRITING;

    while (c && PQstatus(c) != CONNECTION_BAD && step != PGRES_POLLING_OK) {
        if (step == PGRES_POLLING_FAILED ||
            !wait_socket(c, step == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
            break;
        step = PQconnectPoll(c);
    }
    if (step == PGRES_POLLING_OK)
        return c;
    PQfinish(c);
    return NULL;
}

/* NULL: it failed, or there was no answer in time. */
static PGresult *run(PGconn *c, const char *sql, long long timeout_ms)
{
    long long deadline = now_ms() + timeout_ms;
    PGresult *result, *rest;
    ExecStatusType status;

    if (!PQsendQuery(c, sql))
        return NULL;
    do {
        if (!PQisBusy(c))
            break;
        if (!wait_socket(c, POLLIN, deadline))
            return NULL;
    } while (PQconsumeInput(c));
    if (PQisBusy(c) || !(result = PQgetResult(c)))
        return NULL;
    status = PQresultStatus(result);
    while ((rest = PQgetResult(c)))
        PQclear(rest);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return result;
    PQclear(result);
    return NULL;
}

static bool is_over(void)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&p, 1, PAUSE_MS) > 0;
}

/* Tries until it works, for a while. NULL: it did not. */
static PGresult *insist(const char *conninfo, const char *sql)
{
    long long deadline = now_ms() + FINAL_MS;
    PGresult *r = NULL;

    while (!r && now_ms() < deadline) {
        PGconn *c = open_connection(conninfo);

        r = c ? run(c, sql, FINAL_MS) : NULL;
        PQfinish(c);
        if (!r)
            usleep(RETRY_MS * 1000);
    }
    return r;
}

static bool acknowledged[NUMBERS_MAX]; /* by number */

/* Acknowledged numbers that are not in the table; -1: it cannot be read. */
static long long count_lost(const char *conninfo, long long last)
{
    PGresult *r = insist(conninfo, "SELECT n FROM written");
    long long lost = 0;

    if (!r)
        return -1;
    for (int i = 0; i < PQntuples(r); i++)
        acknowledged[strtoll(PQgetvalue(r, i, 0), NULL, 10)] = false;
    PQclear(r);
    for (long long n = 1; n <= last; n++)
        lost += acknowledged[n];
    return lost;
}

int main(int argc, char **argv)
{
    long long written = 0, number = 0, gap = 0, last;
    PGconn *c = NULL;
    char sql[128];
    PGresult *r;

    if (argc != 2 || !(r = insist(argv[1], "CREATE TABLE written (n bigint)")))
        return 2;
    PQclear(r);
    for (last = now_ms(); number + 1 < NUMBERS_MAX && !is_over();) {
        if (!c && !(c = open_connection(argv[1]))) {
            usleep(RETRY_MS * 1000);
            continue;
        }
        snprintf(sql, sizeof(sql), "INSERT INTO written VALUES (%lld)", ++number);
        if (!(r = run(c, sql, ANSWER_MS))) {
            PQfinish(c);
            c = NULL;
            continue;
        }
        PQclear(r);
        acknowledged[number] = true;
        written++;
        gap = now_ms() - last > gap ? now_ms() - last : gap;
        last = now_ms();
    }
    PQfinish(c);
    printf("written %lld, longest gap %lld ms, lost %lld\n", written, gap,
           count_lost(argv[1], number));
    return 0;
}
