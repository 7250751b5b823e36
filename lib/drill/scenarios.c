/* scenarios.c - the list, and how it is told. */
#include "lib/drill/scenarios/list.h"

const struct scenario *const scenarios[] = {
    &scenario_replication,      &scenario_switchover,
    &scenario_patroni_stopped,  &scenario_postgres_killed,
    &scenario_postgres_frozen,  &scenario_host_lost,
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

void scenarios_put_markdown(struct str *out)
{
    str_puts(out, "| scenario | what is done, and what must come of it |\n|---|---|\n");
    for (size_t i = 0; scenarios[i]; i++)
        str_printf(out, "| %s | %s: %s |\n", scenarios[i]->name, scenarios[i]->summary,
                   scenarios[i]->story);
}
