/* bound.c - the terms of a bound, each computed in one place. */
#include "lib/drill/bound.h"

enum {
    CLIENT_MS = 1500, /* connect attempt or first answer 500 ms, keepalive 1 s */
    STEADY_MS = 1000,
    STOP_MS = 3000,
    RECOVERY_MS = 4000,
    /* patroni/ha.py, fetch_node_status: timeout=2 */
    ELECTION_MS = 2000,
    REWIND_MS = 10000, /* pg_rewind, and recovery from it; 7.5 s were seen */
    PROMOTE_MS = 1500,
    /* etcd's election timeout is 1000 ms, drawn from one to two of it
     * (https://etcd.io/docs/v3.5/tuning/#time-parameters), and may need a second vote. */
    ETCD_MS = 3000,
    CHECK_MS = 500, /* allowance: TLS handshake and answer of a health check */
    SYSTEMD_MS = 1500
};

static int64_t lease(const struct preset *p)
{
    return 1000 * (int64_t)p->ttl;
}

/* As patroni.yml.j2 has it. */
static int64_t start_timeout(const struct preset *p)
{
    return lease(p);
}

static int64_t turn(const struct preset *p)
{
    return 1000 * (int64_t)p->loop_wait;
}

static int64_t retry(const struct preset *p)
{
    return 1000 * (int64_t)p->retry_timeout;
}

static int64_t server_up(const struct preset *p)
{
    return (int64_t)p->haproxy_rise * p->haproxy_inter_ms + CHECK_MS;
}

/* Connecting is limited by the interval, too. */
static int64_t server_down(const struct preset *p)
{
    return (int64_t)p->haproxy_fall * 2 * p->haproxy_inter_ms;
}

static int64_t server_frozen(const struct preset *p)
{
    return (int64_t)p->haproxy_fall * (p->haproxy_inter_ms + p->haproxy_answer_ms);
}

/* RFC 5798, 6.1: Master_Down_Interval is three advertisements and a skew below one. */
static int64_t vrrp_lost(const struct preset *p)
{
    return 4 * (int64_t)p->advert_ms;
}

/* A check that hangs ends with its interval; then the holder resigns, and the other takes over
 * after its skew. */
static int64_t vrrp_check(const struct preset *p)
{
    return (int64_t)(p->vrrp_check_fall + 1) * p->vrrp_check_ms + p->advert_ms;
}

/* clang-format off */
static const struct {
    const char *name;
    int64_t fixed;                              /* unless computed */
    int64_t (*compute)(const struct preset *p);
} terms_table[BOUND_TERMS] = {
    [BOUND_CLIENT]        = {"client", CLIENT_MS, NULL},
    [BOUND_STEADY]        = {"an answer", STEADY_MS, NULL},
    [BOUND_LEASE]         = {"ttl", 0, lease},
    [BOUND_START]         = {"primary_start_timeout", 0, start_timeout},
    [BOUND_TURN]          = {"loop_wait", 0, turn},
    [BOUND_RETRY]         = {"retry_timeout", 0, retry},
    [BOUND_STOP]          = {"shutdown", STOP_MS, NULL},
    [BOUND_RECOVERY]      = {"recovery", RECOVERY_MS, NULL},
    [BOUND_ELECTION]      = {"election", ELECTION_MS, NULL},
    [BOUND_REWIND]        = {"rewind", REWIND_MS, NULL},
    [BOUND_PROMOTE]       = {"promotion", PROMOTE_MS, NULL},
    [BOUND_ETCD]          = {"etcd's election", ETCD_MS, NULL},
    [BOUND_SERVER_UP]     = {"HAProxy finds it", 0, server_up},
    [BOUND_SERVER_DOWN]   = {"HAProxy gives it up", 0, server_down},
    [BOUND_SERVER_FROZEN] = {"HAProxy gives it up", 0, server_frozen},
    [BOUND_VRRP_LOST]     = {"VRRP", 0, vrrp_lost},
    [BOUND_VRRP_CHECK]    = {"keepalived's check", 0, vrrp_check},
    [BOUND_SYSTEMD]       = {"restart of the unit", SYSTEMD_MS, NULL},
};
/* clang-format on */

static int64_t term_ms(enum bound_term term, const struct preset *p)
{
    return terms_table[term].compute ? terms_table[term].compute(p) : terms_table[term].fixed;
}

int64_t bound_ms(const enum bound_term *terms, const struct preset *preset)
{
    int64_t sum = 0;

    for (size_t i = 0; i < BOUND_MAX_TERMS && terms[i] != BOUND_END; i++)
        sum += term_ms(terms[i], preset);
    return sum;
}

void bound_put(const enum bound_term *terms, const struct preset *preset, struct str *out)
{
    for (size_t i = 0; i < BOUND_MAX_TERMS && terms[i] != BOUND_END; i++)
        str_printf(out, "%s%s %.1f s", i ? " + " : "", terms_table[terms[i]].name,
                   (double)term_ms(terms[i], preset) / 1000.0);
}
