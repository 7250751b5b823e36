/*
 * doctor_machine.c - checks of what a host is. The limits are beside where they come from.
 */
#include "lib/check/doctor_judge.h"
#include "lib/cluster/pki.h"

#define GB INT64_C(1000000000)
#define MB INT64_C(1000000)

enum { SECOND_MS = 1000 };

void check_root(struct judge *j)
{
    const struct host_survey *s = j->at->survey;
    const char *cure = s->err.hint;

    if (s->step == SURVEY_CONNECTING)
        judge_blocker(j, cure, "%s", s->err.text ? s->err.text : "it cannot be logged in to");
    else if (s->step == SURVEY_ASKING)
        judge_blocker(j, cure, "it was logged in to, but: %s",
                      s->err.text ? s->err.text : "the survey failed");
    else if (j->facts->uid != 0)
        judge_blocker(j,
                      "log in as root (ansible_user), or let the user become root (ansible_become)",
                      "scripts run as user %d, not as root", j->facts->uid);
    else
        judge_ok(j, "root over SSH");
}

/* ---- system ---- */

/* The first host that was surveyed is what the others are held against. */
static const struct doctor_host *first_surveyed(const struct doctor_input *in)
{
    for (size_t i = 0; i < in->n; i++)
        if (judge_was_surveyed(&in->hosts[i]))
            return &in->hosts[i];
    return NULL;
}

static void check_arch(struct judge *j)
{
    const struct doctor_host *first = first_surveyed(j->in);
    const char *arch = j->facts->arch ? j->facts->arch : j->facts->machine;

    if (!str_eq(arch, "amd64") && !str_eq(arch, "arm64"))
        judge_warn(j, "amd64 and arm64 are what it is tested on", "architecture %s",
                   arch ? arch : "unknown");
    if (first && !str_eq(first->survey->facts.machine, j->facts->machine))
        judge_warn(j, "a physical standby must have the primary's architecture",
                   "architecture %s, but %s has %s", arch ? arch : "unknown", first->host->name,
                   first->survey->facts.machine ? first->survey->facts.machine : "an unknown one");
}

void check_system(struct judge *j)
{
    const struct host_facts *f = j->facts;
    const char *name = f->os_name ? f->os_name : f->os_id ? f->os_id : "an unknown system";
    bool debian = str_eq(f->os_id, "debian");

    check_arch(j);
    if (!f->has_systemd)
        judge_blocker(j, "use a host that boots with systemd", "%s runs without systemd", name);
    else if (debian && (str_eq(f->os_version, "12") || str_eq(f->os_version, "13")))
        judge_ok(j, "%s, %s, Linux %s", name, f->arch ? f->arch : "", f->kernel ? f->kernel : "");
    else if (debian || f->apt_lists >= 0)
        judge_warn(j, "Debian 12 and 13 are what it is tested on", "%s", name);
    else
        judge_blocker(j, "use Debian 12 or 13", "%s has no apt, which installs the packages", name);
}

/* ---- names ---- */

void check_names(struct judge *j)
{
    const struct host_facts *f = j->facts;

    for (size_t i = 0; i < j->in->n; i++) {
        const struct doctor_host *other = &j->in->hosts[i];
        const struct host_facts *g = &other->survey->facts;

        if (other == j->at || !judge_was_surveyed(other))
            continue;
        if (f->machine_id && str_eq(f->machine_id, g->machine_id) &&
            str_eq(f->boot_id, g->boot_id)) {
            judge_blocker(j, "give each member a machine of its own, or one host both roles",
                          "it is the same machine as %s", other->host->name);
            return;
        }
        if (f->machine_id && str_eq(f->machine_id, g->machine_id)) {
            judge_warn(j, "systemd-machine-id-setup after removing /etc/machine-id",
                       "it has the machine id of %s, as a copied disk has", other->host->name);
            return;
        }
        if (f->hostname && str_eq(f->hostname, g->hostname)) {
            judge_warn(j, "hostnamectl set-hostname", "its host name is %s, as that of %s",
                       f->hostname, other->host->name);
            return;
        }
    }
    judge_ok(j, "host name %s", f->hostname ? f->hostname : "unknown");
}

/* ---- clock ---- */

/*
 * Members: etcd logs a "clock difference against peer" as too high above 1 s
 * (server/etcdserver/api/rafthttp/probing_status.go); its leases, and with them Patroni's lock, run
 * by the monotonic clock. Half of how long certificates are valid before they were made (pki.h) is
 * the end for everybody: then a new certificate is soon not valid yet.
 */
enum {
    SKEW_WARNING_MS = 200,
    SKEW_MEMBER_MS = SECOND_MS,
    SKEW_TLS_MS = PKI_SKEW_S / 2 * SECOND_MS
};

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* The middle of the hosts' offsets: what is wrong with one clock is not blamed on all. */
static bool middle_offset(const struct doctor_input *in, int64_t *offset_ms, int64_t *error_ms)
{
    int64_t *offsets = xcalloc(in->n + 1, sizeof(*offsets));
    size_t n = 0;

    *error_ms = 0;
    for (size_t i = 0; i < in->n; i++) {
        const struct host_facts *f = &in->hosts[i].survey->facts;

        if (!judge_was_surveyed(&in->hosts[i]) || f->clock_error_ms < 0)
            continue;
        offsets[n++] = f->clock_offset_ms;
        if (f->clock_error_ms > *error_ms)
            *error_ms = f->clock_error_ms;
    }
    qsort(offsets, n, sizeof(*offsets), by_size);
    *offset_ms = n ? offsets[(n - 1) / 2] : 0;
    free(offsets);
    return n > 0;
}

/* "12 ms", "3.2 s" */
static const char *duration(struct doctor *d, int64_t ms)
{
    return ms < INT64_C(10) * SECOND_MS
               ? arena_printf(&d->arena, "%lld ms", (long long)ms)
               : arena_printf(&d->arena, "%lld s", (long long)(ms / SECOND_MS));
}

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

void check_clock(struct judge *j)
{
    const char *cure = "run a time service on it: apt-get install systemd-timesyncd (or chrony)";
    int limit = j->at->host->is_etcd ? SKEW_MEMBER_MS : SKEW_TLS_MS;
    int64_t middle, error, skew;

    if (j->facts->clock_error_ms < 0 || !middle_offset(j->in, &middle, &error)) {
        judge_warn(j, NULL, "its clock was not read");
        return;
    }
    skew = distance(j->facts->clock_offset_ms, middle);
    error = j->facts->clock_error_ms;
    if (skew - error > SKEW_WARNING_MS)
        judge_say(j, skew - error > limit ? DOCTOR_BLOCKER : DOCTOR_WARNING, cure,
                  "its clock is %s %s the others' (+-%lld ms)", duration(j->doctor, skew),
                  j->facts->clock_offset_ms > middle ? "ahead of" : "behind", (long long)error);
    else
        judge_ok(j, "%lld ms from the others' (+-%lld ms)", (long long)skew, (long long)error);
}

void check_own_clock(const struct doctor_input *in, struct doctor *d)
{
    int64_t middle, error, skew;
    enum doctor_level level = DOCTOR_OK;
    char *text;

    if (!middle_offset(in, &middle, &error))
        return;
    skew = distance(middle, 0);
    if (skew - error > SKEW_TLS_MS)
        level = DOCTOR_BLOCKER;
    else if (skew - error > SKEW_MEMBER_MS)
        level = DOCTOR_WARNING;
    text = xasprintf("the clock is %s %s the hosts' (+-%lld ms)", duration(d, skew),
                     middle < 0 ? "ahead of" : "behind", (long long)error);
    doctor_add(d, NULL, "clock", level, text,
               level ? "set the clock: certificates are made by it" : NULL);
    free(text);
}

/* ---- disk and memory ---- */

static void judge_space(struct judge *j, const char *folder, int64_t free_bytes)
{
    if (free_bytes < 0)
        judge_warn(j, NULL, "free space of %s is unknown", folder);
    else if (free_bytes < 5 * GB)
        judge_say(j, free_bytes < GB ? DOCTOR_BLOCKER : DOCTOR_WARNING,
                  "make room, or give it a larger disk", "%s has %.1f GB free", folder,
                  (double)free_bytes / (double)GB);
    else
        judge_ok(j, "%s has %.0f GB free", folder, (double)free_bytes / (double)GB);
}

void check_disk(struct judge *j)
{
    const struct host_facts *f = j->facts;
    const struct cluster_host *h = j->at->host;

    if (h->is_db || !h->is_etcd)
        judge_space(j, h->is_db ? "/var/lib/postgresql" : "/var", f->disk_free_bytes);
    if (h->is_etcd && (!h->is_db || f->etcd_disk_total_bytes != f->disk_total_bytes))
        judge_space(j, "/var/lib/etcd", f->etcd_disk_free_bytes);
}

/* https://etcd.io/docs/v3.5/faq/ ("What does the etcd warning 'failed to send out heartbeat on
 * time' mean"): the 99th percentile of WAL fsync should stay under 10 ms. A member that is as slow
 * as its heartbeat interval, 100 ms, loses elections. */
enum { FSYNC_SLOW_US = 10000, FSYNC_USELESS_US = 100000 };

void check_fsync(struct judge *j)
{
    const struct host_facts *f = j->facts;
    bool member = j->at->host->is_etcd;
    double middle_ms = (double)f->fsync_us / 1000, max_ms = (double)f->fsync_max_us / 1000;

    if (f->fsync_us < 0)
        judge_warn(j, NULL, "synchronous writes could not be measured");
    else if (f->fsync_us > FSYNC_SLOW_US)
        judge_say(j, member && f->fsync_us > FSYNC_USELESS_US ? DOCTOR_BLOCKER : DOCTOR_WARNING,
                  member ? "etcd wants under 10 ms: use a local SSD"
                         : "every commit waits for it: use a local SSD",
                  "a synchronous write takes %.1f ms, the longest of %d took %.1f ms", middle_ms,
                  f->fsync_writes, max_ms);
    else
        judge_ok(j, "a synchronous write takes %.1f ms, the longest of %d took %.1f ms", middle_ms,
                 f->fsync_writes, max_ms);
}

void check_memory(struct judge *j)
{
    int64_t bytes = j->facts->memory_bytes;

    if (bytes <= 0)
        judge_warn(j, NULL, "its memory is unknown");
    else if (bytes < GB)
        judge_warn(j, "give it more, or lower shared_buffers in postgres.parameters", "%lld MB",
                   (long long)(bytes / MB));
    else
        judge_ok(j, "%.1f GB", (double)bytes / (double)GB);
}

/* ---- software that is to come ---- */

void check_firewall(struct judge *j)
{
    const struct host_facts *f = j->facts;

    if (f->nft_works)
        judge_ok(j, "nft works");
    else if (f->nft_installed)
        judge_blocker(j, "load the kernel module nf_tables; a container needs CAP_NET_ADMIN",
                      "nft is installed, but `nft list tables` fails");
    else if (f->has_nf_tables)
        judge_ok(j, "nftables will be installed");
    else
        judge_warn(j, "see `modinfo nf_tables` there",
                   "nftables is not installed, and the kernel does not tell whether it has it");
}

static void want_package(struct judge *j, const char *name, struct str *missing)
{
    if (!survey_package(j->facts, name) && !survey_candidate(j->facts, name))
        str_printf(missing, "%s%s", missing->len ? ", " : "", name);
}

static void list_missing(struct judge *j, struct str *missing)
{
    static const char *const db[] = {"patroni", "python3-etcd", "python3-dnspython", "openssl"};
    static const char *const etcd[] = {"etcd-server", "etcd-client"};
    static const char *const lb[] = {"haproxy", "socat", "keepalived"};
    static const char *const any[] = {"nftables", "iproute2"};
    const struct cluster_host *h = j->at->host;
    char postgresql[32];

    snprintf(postgresql, sizeof(postgresql), "postgresql-%d", j->in->cluster->pg_version);
    if (h->is_db)
        want_package(j, postgresql, missing);
    for (size_t i = 0; h->is_db && i < ARRAY_LEN(db); i++)
        want_package(j, db[i], missing);
    for (size_t i = 0; h->is_etcd && i < ARRAY_LEN(etcd); i++)
        want_package(j, etcd[i], missing);
    for (size_t i = 0; h->is_lb && i < ARRAY_LEN(lb); i++)
        want_package(j, lb[i], missing);
    for (size_t i = 0; i < ARRAY_LEN(any); i++)
        want_package(j, any[i], missing);
}

/* "; it has postgresql-15": what could be had instead. */
static void list_versions(struct judge *j, struct str *out)
{
    char name[32];
    bool any = false;

    for (int version = 13; version <= 18; version++) {
        snprintf(name, sizeof(name), "postgresql-%d", version);
        if (survey_candidate(j->facts, name)) {
            str_printf(out, "%s%s", any ? ", " : "; apt has ", name);
            any = true;
        }
    }
}

static bool adds_repositories(const struct cluster *c)
{
    const struct value *list = value_at(c->config, "packages.repositories");

    return list && list->type == VALUE_LIST && list->u.list.n > 0;
}

void check_packages(struct judge *j)
{
    struct str missing;

    str_init(&missing, 4096);
    list_missing(j, &missing);
    if (!missing.len)
        judge_ok(j, "installed, or apt has them");
    else if (j->facts->member_of) /* then the survey saves itself the second that apt takes */
        judge_ok(j, "`up` installs what is missing: %s", missing.buf);
    else if (j->facts->apt_lists == 0)
        judge_warn(j, "`up` has apt read them; `apt-get update` there tells it now",
                   "apt has no package lists yet; not known: %s", missing.buf);
    else if (adds_repositories(j->in->cluster))
        judge_warn(j, NULL, "not in apt's lists yet, perhaps in packages.repositories: %s",
                   missing.buf);
    else {
        if (strstr(missing.buf, "postgresql-"))
            list_versions(j, &missing);
        judge_blocker(j,
                      "add a repository that has them (packages.repositories), or change "
                      "postgres.version",
                      "apt does not have %s", missing.buf);
    }
    str_release(&missing);
}
