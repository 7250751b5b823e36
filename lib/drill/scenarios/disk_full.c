/*
 * disk_full.c - no space for the primary: for its data, for its log.
 *
 * With the roles of this program both are on one file system, and then there is one fault more to
 * it: the log has files in advance, and goes on while tables cannot grow. An adopted cluster may
 * have its log elsewhere (a link pg_wal), where the first fault would not touch it.
 *
 * A checkpoint cannot do without space, whatever the log has, and ends the server (PANIC: could not
 * write to file "pg_logical/replorigin_checkpoint.tmp"), which starts, replays, and meets the
 * checkpoint at the end of that. So one comes before, and the next one is minutes away.
 */
#include <stdio.h>

#include "lib/drill/disk.h"
#include "lib/drill/scenarios/list.h"

enum { SQL_MS = 20000, SPARE_MAX = 64 };

static const char *data_folder(struct drill_stage *s)
{
    return cluster_data_dir(s->target->cluster, s->arena);
}

static const char *log_folder(struct drill_stage *s)
{
    return arena_printf(s->arena, "%s/pg_wal", data_folder(s));
}

static struct pg *log_in(struct drill_stage *s, struct err *err)
{
    struct pg_target login = check_login(s->target, s->primary->host->address,
                                         s->target->cluster->port_postgres, SQL_MS);

    return pg_open(&login, err);
}

/* Files of the log that are there in advance; -1: err is set. */
static int count_spare(struct drill_stage *s, struct err *err)
{
    static const char sql[] = "SELECT count(*) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' "
                              "AND name > pg_walfile_name(pg_current_wal_insert_lsn())";
    struct pg *pg = log_in(s, err);
    int spare = -1;

    if (pg && pg_exec(pg, sql, 0, NULL, err) == 0)
        spare = atoi(pg_value(pg, 0, 0));
    pg_close(pg);
    return spare;
}

/* Ends so many files one after the other. */
static int switch_files(struct drill_stage *s, int count, struct err *err)
{
    static const char sql[] = "DO $$BEGIN FOR i IN 1..%d LOOP "
                              "PERFORM pg_logical_emit_message(false, 'pgha-drill', ''); "
                              "PERFORM pg_switch_wal(); END LOOP; END$$";
    struct pg *pg = log_in(s, err);
    char text[256];
    int rc;

    if (!pg)
        return -1;
    snprintf(text, sizeof(text), sql, count);
    rc = pg_exec(pg, text, 0, NULL, err);
    pg_close(pg);
    return rc;
}

/* The server ends with the last file, and with it our connection. The cluster's own clients may be
 * there before us; and a checkpoint may have put older files in front meanwhile, which are used up,
 * too. */
static int use_up_spare(struct drill_stage *s, struct err *err)
{
    struct err end = ERR_INIT;
    int used = 0;

    while (used < 2 * SPARE_MAX) {
        int spare = count_spare(s, &end);

        if (spare < 0 || switch_files(s, spare + 2, &end) < 0) {
            err_release(&end);
            return 0;
        }
        used += spare + 2;
    }
    return err_set(err, ERR_FAILED, "the log of %s has found space for %d files more",
                   s->primary->host->name, used);
}

static int data_unfit(struct drill_stage *s, const char **why, struct err *err)
{
    return disk_unfit(s, s->primary, data_folder(s), why, err);
}

/* What is used up goes to every replica. */
static int log_unfit(struct drill_stage *s, const char **why, struct err *err)
{
    int spare;

    if (disk_unfit(s, s->primary, log_folder(s), why, err) < 0)
        return -1;
    if (*why)
        return 0;
    spare = count_spare(s, err);
    if (spare > SPARE_MAX)
        *why = arena_printf(s->arena,
                            "the log of %s has %d files in advance, and at most %d are used up",
                            s->primary->host->name, spare, SPARE_MAX);
    return spare < 0 ? -1 : 0;
}

static int checkpoint(struct drill_stage *s, struct err *err)
{
    struct pg *pg = log_in(s, err);
    int rc = pg ? pg_exec(pg, "CHECKPOINT", 0, NULL, err) : -1;

    pg_close(pg);
    return rc;
}

static int fill_data(struct drill_stage *s, struct err *err)
{
    if (checkpoint(s, err) < 0)
        return -1;
    return disk_fill(s, s->primary, data_folder(s), err);
}

static int fill_log(struct drill_stage *s, struct err *err)
{
    if (checkpoint(s, err) < 0 || disk_fill(s, s->primary, log_folder(s), err) < 0)
        return -1;
    return use_up_spare(s, err);
}

const struct scenario scenario_disk_full = {
    .name = "disk-full",
    .summary = "no space for the primary's data",
    .story =
        "All that is free is taken, as by a file that somebody left. Tables cannot grow: writes "
        "are refused, and reads are not. The log goes on in files that it has in advance, "
        "PostgreSQL lives, and Patroni leaves it the lead. With space again, writes go on.",
    .replicas = {BOUND_STEADY},
    .hold = {BOUND_LEASE, BOUND_TURN},
    .outage = true,
    .unfit = data_unfit,
    .hurt = fill_data,
};

const struct scenario scenario_wal_full = {
    .name = "wal-full",
    .summary = "no space for the primary's log (WAL), either",
    .story =
        "All that is free is taken, and then what the log has in advance. PostgreSQL ends "
        "(PANIC) and cannot recover. When it does not start at all, Patroni tries two or three "
        "turns; when it starts again and again, for there was space to replay and none for the "
        "checkpoint after, until primary_start_timeout is over. Then a replica leads. With space "
        "again the old primary follows.",
    .needs = NEEDS_REPLICA,
    /* The longer of the two. */
    .primary = {BOUND_TURN, BOUND_START, BOUND_TURN, BOUND_STOP, BOUND_ELECTION, BOUND_PROMOTE,
                BOUND_SERVER_UP, BOUND_CLIENT},
    .replicas = {BOUND_SERVER_DOWN, BOUND_REWIND, BOUND_CLIENT},
    .unfit = log_unfit,
    .hurt = fill_log,
};
