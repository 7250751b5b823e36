/* scenarios.c - the list, and how it is told. */
#include "lib/drill/scenarios/list.h"

static const char text[] =
    "# The failover drill\n\n"
    "Made from the tables by `pgha-deploy docs drill`; a test holds this page against it.\n\n"
    "    pgha-deploy -f my.yaml drill --list               # the scenarios, with their bounds\n"
    "    pgha-deploy -f my.yaml drill host-lost            # one of them\n"
    "    pgha-deploy -f my.yaml drill --all --html report.html --junit report.xml --report "
    "tonight.json\n"
    "    pgha-deploy -f my.yaml drill --random --seed 7 --for 30m\n"
    "    pgha-deploy drill compare last.json tonight.json\n\n"
    "A drill breaks the cluster on purpose and measures what its clients see. Eight writers and "
    "some readers use the "
    "virtual address as an application would, or a list of all members where there are no "
    "balancers: every write has a number and a hash of those before "
    "it, and what was "
    "acknowledged is remembered. Connections that fail are made anew, 10 ms later, with attempts "
    "of 500 ms, so that the "
    "service is measured and not the driver; one plain libpq client with its defaults runs beside "
    "them.\n\n"
    "A scenario passes when\n\n"
    "- the longest time without an acknowledged write (RTO) is within its bound (the timers, and "
    "an allowance for each step that has none), and within "
    "`drill.max_rto` of the cluster file,\n"
    "- no more acknowledged writes are missing (RPO) than `drill.max_rpo` allows: none with "
    "synchronous replication,\n"
    "- no row is there twice, changed, or out of order, on any member, and all members have the "
    "same,\n"
    "- no read went back in time on its connection,\n"
    "- the cluster is whole afterwards: `verify` passes.\n\n"
    "Otherwise the exit status is 3, and the journals of all hosts are kept in the state folder, "
    "below `drills`. A cluster that is not healthy before is not touched. Without "
    "`--yes` or `drill: "
    "{allowed: on}` in the cluster file it asks first.\n\n"
    "Every fault carries its own healing: on a host, a timer of its systemd undoes it after five "
    "minutes, whatever "
    "became of this program; hosts that were switched off are switched on again by a guard "
    "process. Ctrl-C heals. A file system is filled only where PostgreSQL has it for itself (ext4 "
    "or xfs, at most 64 GiB free), by a file without a name, which a reboot would remove as well; "
    "elsewhere those scenarios are skipped, and say why.\n\n"
    "`.github/workflows/nightly-drill.yml` runs all of it every night on a cluster of its own and "
    "keeps the page.\n";

const struct scenario *const scenarios[] = {
    &scenario_replication,      &scenario_switchover,
    &scenario_patroni_stopped,  &scenario_postgres_killed,
    &scenario_postgres_frozen,  &scenario_disk_full,
    &scenario_wal_full,         &scenario_host_lost,
    &scenario_primary_cut,      &scenario_primary_mute,
    &scenario_primary_deaf,     &scenario_replica_lost,
    &scenario_sync_lost,        &scenario_etcd_member_lost,
    &scenario_etcd_leader_lost, &scenario_etcd_quorum_lost,
    &scenario_balancer_lost,    &scenario_haproxy_killed,
    &scenario_haproxy_frozen,   &scenario_keepalived_killed,
    &scenario_all_down,         NULL,
};

const struct scenario *scenario_find(const char *name)
{
    for (size_t i = 0; scenarios[i]; i++)
        if (str_eq(scenarios[i]->name, name))
            return scenarios[i];
    return NULL;
}

static void put_bound(const struct scenario *sc, const struct preset *preset, struct str *out)
{
    if (sc->primary[0] == BOUND_END) {
        str_puts(out, "until it is healed");
        return;
    }
    str_printf(out, "%.1f s = ", (double)bound_ms(sc->primary, preset) / 1000.0);
    bound_put(sc->primary, preset, out);
}

void scenarios_format(const struct preset *preset, struct str *out)
{
    for (size_t i = 0; scenarios[i]; i++) {
        const struct scenario *sc = scenarios[i];

        str_printf(out, "%s%-18s %s\n", i ? "\n" : "", sc->name, sc->summary);
        str_printf(out, "    %s\n    at most ", sc->story);
        put_bound(sc, preset, out);
        str_putc(out, '\n');
    }
}

static const struct preset *preset_fast(void)
{
    const struct preset *p = presets;

    while (!str_eq(p->name, "fast"))
        p++;
    return p;
}

static void put_bounds_row(const struct scenario *sc, struct str *out)
{
    str_printf(out, "| %s |", sc->name);
    for (const struct preset *p = presets; p->name; p++) {
        if (sc->primary[0] == BOUND_END)
            str_puts(out, " until healed |");
        else
            str_printf(out, " %.1f s |", (double)bound_ms(sc->primary, p) / 1000.0);
    }
    str_puts(out, " ");
    bound_put(sc->primary, preset_fast(), out);
    str_puts(out, " |\n");
}

void drill_write_docs(struct str *out)
{
    str_puts(out, text);
    str_puts(
        out,
        "\n## Scenarios\n\n| scenario | what is done, and what must come of it |\n|---|---|\n");
    for (size_t i = 0; scenarios[i]; i++)
        str_printf(out, "| %s | %s. %s |\n", scenarios[i]->name, scenarios[i]->summary,
                   scenarios[i]->story);
    str_puts(out, "\n## Bounds\n\nThe longest time that a client of the primary's port may wait, "
                  "by preset; the sum is that of `fast`. What was measured is in "
                  "[the figures](drill-figures.md).\n\n| scenario |");
    for (const struct preset *p = presets; p->name; p++)
        str_printf(out, " %s |", p->name);
    str_puts(out, " fast |\n|---|---|---|---|---|\n");
    for (size_t i = 0; scenarios[i]; i++)
        put_bounds_row(scenarios[i], out);
}
