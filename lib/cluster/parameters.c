/*
 * parameters.c - default PostgreSQL parameters: what a DBA would set on a small host with fast
 * disks.
 *
 * The cluster file's postgres.parameters go over them. They live in Patroni's dynamic
 * configuration, so all members agree.
 */
#include "lib/cluster/parameters.h"

#include <stdio.h>

#include "lib/doc/yaml.h"

/* clang-format off */
static const struct {
    const char *name, *value, *why; /* value: YAML; words are quoted, so that they stay words */
} defaults[] = {
    {"max_connections", "200", "behind balancers"},
    {"superuser_reserved_connections", "5", "room for Patroni, monitoring and a DBA when clients take all"},
    {"shared_buffers", "256MB", "small hosts; meant to be set in the cluster file"},
    {"effective_cache_size", "1GB", "likewise"},
    {"work_mem", "8MB", "likewise"},
    {"maintenance_work_mem", "128MB", "likewise"},
    {"wal_level", "logical", "change data capture later without a restart"},
    {"wal_log_hints", "'on'", "pg_rewind also without checksums"},
    {"wal_compression", "lz4", "less to write and to send"},
    {"max_wal_size", "4GB", "fewer checkpoints"},
    {"min_wal_size", "512MB", ""},
    {"checkpoint_timeout", "10min", ""},
    {"wal_keep_size", "1GB", "a standby whose slot is gone still finds its WAL"},
    {"max_slot_wal_keep_size", "10GB", "a dead standby cannot fill the primary's disk"},
    {"max_wal_senders", "16", ""},
    {"max_replication_slots", "16", ""},
    {"max_worker_processes", "16", ""},
    {"max_locks_per_transaction", "128", ""},
    {"max_prepared_transactions", "0", ""},
    {"hot_standby_feedback", "'on'", "reads on the replicas' port are not cancelled by vacuum"},
    {"wal_retrieve_retry_interval", "1s", "a standby finds its slot, or the new primary, sooner"},
    {"archive_mode", "'on'", "a backup tool then needs a reload only"},
    {"archive_command", "/bin/true", "nothing is kept until a backup tool is set up"},
    {"password_encryption", "scram-sha-256", ""},
    {"shared_preload_libraries", "pg_stat_statements", "what is slow can be asked"},
    {"track_io_timing", "'on'", ""},
    {"track_activity_query_size", "4096", ""},
    {"tcp_keepalives_idle", "60", "the dead are told from the idle"},
    {"tcp_keepalives_interval", "10", ""},
    {"tcp_keepalives_count", "6", ""},
    {"client_connection_check_interval", "10s", "long queries of clients that are gone end"},
    {"random_page_cost", "1.1", "SSD"},
    {"effective_io_concurrency", "200", "SSD"},
    {"jit", "'off'", "short queries do not pay for it"},
    {"autovacuum_max_workers", "5", ""},
    {"autovacuum_vacuum_scale_factor", "0.05", "large tables are not left for long"},
    {"autovacuum_analyze_scale_factor", "0.02", ""},
    {"autovacuum_vacuum_cost_limit", "1000", ""},
    {"log_destination", "stderr", "into the journal of unit patroni"},
    {"logging_collector", "'off'", ""},
    {"log_line_prefix", "'[%p] %q%u@%d %a %h '", "the journal has the time"},
    {"log_min_duration_statement", "1s", ""},
    {"log_autovacuum_min_duration", "1s", ""},
    {"log_checkpoints", "'on'", ""},
    {"log_lock_waits", "'on'", ""},
    {"log_temp_files", "10MB", ""},
    {"log_statement", "ddl", ""},
    {"timezone", "UTC", ""},
    {"log_timezone", "UTC", ""},
};
/* clang-format on */

static struct value *parse(struct arena *a, const char *text)
{
    struct faults none;
    struct value *v;

    faults_init(&none);
    if (!(v = yaml_parse(a, "parameters", text, strlen(text), &none)))
        BUG("no YAML: %s", text);
    faults_release(&none);
    return v;
}

struct value *parameters_default(const struct preset *preset, struct arena *a)
{
    struct value *map = value_map(a);
    /* A standby that is dead is let go before its key in the DCS expires. */
    struct value *half_ttl = value_strf(a, "%ds", preset->ttl / 2);

    for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
        value_map_set(a, map, defaults[i].name, parse(a, defaults[i].value));
    value_map_set(a, map, "wal_sender_timeout", half_ttl);
    value_map_set(a, map, "wal_receiver_timeout", half_ttl);
    return map;
}

void parameters_write_docs(struct str *out)
{
    str_puts(
        out,
        "# Default PostgreSQL parameters\n\n"
        "Made from the table by `pgha-deploy docs parameters`; a test holds this page against "
        "it.\n\n"
        "`postgres.parameters` in the cluster file goes over them. They are Patroni's dynamic\n"
        "configuration (`bootstrap.dcs` of a new cluster, the DCS afterwards), never a host's own "
        "file: so all\n"
        "members agree. `plan` shows what a change takes (reload, restart), `up` does it one "
        "member at a time.\n\n"
        "| parameter | default | why |\n|---|---|---|\n");
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
        str_printf(out, "| %s | `%s` | %s |\n", defaults[i].name, defaults[i].value,
                   defaults[i].why);
    str_puts(out, "| wal_sender_timeout, wal_receiver_timeout | half of the preset's ttl | a dead "
                  "synchronous standby is "
                  "let go before its key expires |\n");
}
