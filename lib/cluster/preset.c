/*
 * preset.c - the failover presets: one row sets Patroni, HAProxy and keepalived together.
 *
 * Patroni needs loop_wait + 2 * retry_timeout <= ttl, and a ttl of 20 at least
 * (https://patroni.readthedocs.io/en/latest/dynamic_configuration.html). `default` are its own
 * defaults. keepalived takes fractions of a second in advert_int with vrrp_version 3 only.
 */
#include "lib/cluster/cluster.h"

/* clang-format off */
const struct preset presets[] = {
    /*name       help                                                       ttl loop retry  inter fall rise answer  advert  check fall rise */
    {"relaxed", "slow or busy networks: fewer false alarms, longer gaps",   60,  10,   20,  3000,  3,   2,   3000,    1000,  2000,  3,   2},
    {"default", "Patroni's own timers",                                     30,  10,   10,  1000,  2,   1,   3000,    1000,  1000,  2,   2},
    {"fast",    "shortest gaps that Patroni allows; needs a quiet network", 20,   2,    5,   500,  2,   1,   3000,     200,   500,  2,   2},
    {NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
};
/* clang-format on */
