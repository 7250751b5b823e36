/*
 * drill_sample.h - a report as a drill would make it: two runs of a switchover, a host that was
 * lost for too long, a scenario that was skipped. Also for looking at (tests/drill/sample.c).
 */
#ifndef PGHA_TESTS_DRILL_SAMPLE_H
#define PGHA_TESTS_DRILL_SAMPLE_H

#include "lib/drill/report.h"

/* Answers with a little noise that is the same every time, none during the gap. */
static void sample_slots(struct drill_channel *c, double length_ms, uint32_t mean)
{
    uint32_t noise = 12345;

    for (int i = 0; i * DRILL_SLOT_MS < length_ms; i++) {
        double at = (double)i * DRILL_SLOT_MS;
        bool answers = at + DRILL_SLOT_MS <= c->gap_from_ms || at >= c->gap_from_ms + c->gap_ms;

        noise = noise * 1664525 + 1013904223;
        vec_push(&c->slots, answers ? mean * 3 / 4 + (noise >> 16) % (mean / 2) : 0);
        c->answered += c->slots.items[c->slots.n - 1];
    }
}

static struct drill_channel sample_channel(const char *name, const char *address, double from_ms,
                                           double gap_ms, double bound_ms)
{
    struct drill_channel c = {.name = name,
                              .address = address,
                              .clients = 8,
                              .failed = (size_t)(gap_ms / 50),
                              .gap_ms = gap_ms,
                              .gap_from_ms = from_ms,
                              .client_gap_ms = gap_ms + 31.25,
                              .bound_ms = bound_ms,
                              .limit_ms = -1};

    for (int i = 0; i < DRILL_PHASES; i++) {
        double worse = i == DRILL_DURING ? 40 : 1;

        c.answers[i] =
            (struct drill_times){900, 1.21 * worse, 2.5 * worse, 4.75 * worse, 9 * worse};
        c.connects[i] = (struct drill_times){8, 3.5 * worse, 6.25 * worse, 7 * worse, 11 * worse};
    }
    return c;
}

static void sample_channels(struct drill_result *r, double from_ms, double gap_ms, double bound_ms)
{
    struct drill_channel channels[] = {
        sample_channel("primary", "10.77.0.100:5000", from_ms, gap_ms, bound_ms),
        sample_channel("replicas", "10.77.0.100:5001", from_ms + 180, gap_ms / 16, bound_ms),
        sample_channel("sync", "10.77.0.100:5002", from_ms, gap_ms + 12.5, bound_ms),
        sample_channel("plain libpq", "10.77.0.100:5000", from_ms, gap_ms + 640, -1),
    };

    for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
        sample_slots(&channels[i], r->length_ms, i == 1 ? 210 : 64);
        vec_push(&r->channels, channels[i]);
    }
}

static void sample_copies(struct drill_result *r, size_t missing)
{
    static const char *const members[] = {"db1", "db2", "db3"};

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct drill_copy copy = {.member = members[i]};

        copy.account = (struct ledger_account){.acknowledged = 31871,
                                               .missing = missing,
                                               .unknown = 8,
                                               .unknown_kept = 3,
                                               .missing_writer = -1};
        if (missing) {
            copy.account.missing_writer = 4;
            copy.account.missing_from = 311;
            copy.account.missing_to = 310 + (uint32_t)missing;
        }
        vec_push(&r->copies, copy);
    }
}

static void sample_event(struct drill_result *r, double at_ms, const char *kind, const char *text)
{
    vec_push(&r->events, ((struct drill_event){at_ms, kind, text}));
}

static struct drill_result sample_switchover(int repetition)
{
    struct drill_result r = {.scenario = "switchover",
                             .summary = "A planned switchover to a replica",
                             .repetition = repetition,
                             .started_ms = 1795996800000 + (int64_t)repetition * 30000,
                             .length_ms = 14200,
                             .bound = "loop_wait 2 s + retry_timeout 5 s + check 0.5 s"};
    double gap_ms = 2100 + repetition * 111.125;

    sample_event(&r, 5000, "fault", "patronictl switchover is asked for");
    sample_event(&r, 6420.5, "promoted", "db2 is promoted, timeline 4");
    sample_event(&r, 6980, "balancer", "lb1 sends writes to db2");
    sample_event(&r, 5050 + gap_ms, "write", "the first write is acknowledged");
    sample_event(&r, 11800, "whole", "db1 streams again, rows are identical everywhere");
    sample_channels(&r, 5050, gap_ms, 7500);
    sample_copies(&r, 0);
    return r;
}

static struct drill_result sample_host_lost(void)
{
    struct drill_result r = {.scenario = "host-lost",
                             .summary = "The primary's host loses its power, and gets it back",
                             .repetition = 1,
                             .outcome = DRILL_FAILED,
                             .started_ms = 1795997000000,
                             .length_ms = 71300,
                             .bound = "ttl 20 s + loop_wait 2 s + check 0.5 s + connect 0.5 s",
                             .went_elsewhere = 3};

    vec_push(&r.faults, "primary: 24812 ms without an answer, the bound is 23000 ms");
    vec_push(&r.faults, "2 acknowledged writes are missing on db2: writer 4, numbers 311 to 312");
    sample_event(&r, 5000, "fault", "db1 loses its power");
    sample_event(&r, 27450, "promoted", "db2 is promoted, timeline 5");
    sample_event(&r, 28900, "balancer", "lb1 sends writes to db2");
    sample_event(&r, 29830, "write", "the first write is acknowledged");
    sample_event(&r, 40000, "healed", "db1 has power again");
    sample_event(&r, 66500, "whole", "db1 streams again, rows are identical everywhere");
    sample_channels(&r, 5018, 24812.4375, 23000);
    sample_copies(&r, 2);
    return r;
}

static struct drill_result sample_skipped(void)
{
    struct drill_result r = {.scenario = "etcd-quorum",
                             .summary = "Most members of etcd are lost, and come back",
                             .repetition = 1,
                             .outcome = DRILL_SKIPPED,
                             .started_ms = 1795997100000};

    vec_push(&r.faults, "it takes three members of etcd, and there is one");
    return r;
}

static inline void sample_report(struct drill_report *r)
{
    drill_report_init(r);
    r->version = "0.1.0";
    r->cluster = "demo";
    r->provider = "local";
    r->preset = "fast";
    r->synchronous = "on";
    r->pg_version = 17;
    r->machine = "2 cores, 8 GB, Linux 6.1";
    r->started_ms = 1795996800000;
    vec_push(&r->results, sample_switchover(1));
    vec_push(&r->results, sample_switchover(2));
    vec_push(&r->results, sample_host_lost());
    vec_push(&r->results, sample_skipped());
}

#endif
