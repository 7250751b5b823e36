/*
 * survey.h - what a host is like before anything is changed on it.
 *
 * Two trips, all hosts at once, and nothing is left behind. survey_run: one POSIX sh script a host,
 * over one connection, whose tagged lines a pure parser (survey_parse) makes into facts.
 * survey_look: what a host sees of the others (ports, the VIP, VRRP). Neither writes more than one
 * temporary file of 40 kB, which measures the disk and is removed.
 *
 * Everything a host says is bounded and may be a lie: numbers that make no sense are "unknown" (-1,
 * NULL, 0), lists end at SURVEY_MAX_LIST, a line that is not understood is passed over.
 * Configuration files are kept as text in memory, for they hold what is asked later; they hold
 * passwords too, so they are never to be printed or logged.
 */
#ifndef PGHA_SURVEY_H
#define PGHA_SURVEY_H

#include "lib/base/arena.h"
#include "lib/base/vec.h"
#include "lib/net/ssh.h"

#define SURVEY_MAX_BYTES  ((size_t)4 << 20)  /* of one host's answer */
#define SURVEY_MAX_LIST   512                /* entries of each list */
#define SURVEY_MAX_FILE   ((size_t)64 << 10) /* of each configuration file; longer ones are cut */
#define SURVEY_MAX_PROBES 64                 /* ports that one host tries */
#define SURVEY_TIMEOUT_MS 60000              /* for one host's script */

struct survey_target {
    const char *name;
    struct ssh_target ssh;
};

enum address_scope { SCOPE_GLOBAL, SCOPE_LINK, SCOPE_HOST, SCOPE_OTHER };

struct host_interface {
    const char *name, *mac; /* mac: NULL where there is none */
    bool up;                /* told to be up, and has a carrier */
    /* Made by software of this host for its own guests or for itself (docker0, br-*, veth*, lo,
     * ...): other hosts do not reach an address on it. A bridge that carries the default route is
     * the host's own. */
    bool is_virtual;
};

struct host_address {
    const char *interface, *address; /* text without prefix */
    int prefix, family;              /* family: 4 or 6 */
    enum address_scope scope;
    bool is_virtual; /* of its interface */
};

struct host_route {                  /* a default route */
    const char *interface, *gateway; /* gateway: NULL on a point-to-point link */
    int family;
};

struct host_listener {
    const char *address; /* "0.0.0.0", "10.77.0.11", "::", "*": as ss(8) has it, without brackets */
    const char *process; /* of the first that holds it; NULL: not told */
    int port, pid;       /* pid 0: not told */
};

struct host_package {
    const char *name, *version; /* as dpkg has it; only those that are installed */
};

struct host_candidate {
    const char *name, *version; /* what apt would install */
};

struct host_unit {
    const char *name; /* "patroni.service" */
    bool installed, running, enabled;
    int pid; /* 0: none */
};

struct host_process {
    const char *name, *arguments; /* comm; the command line with blanks between words */
    const char *folder;           /* where it works */
    int pid, parent;
};

enum config_kind { CONFIG_PATRONI, CONFIG_ETCD, CONFIG_HAPROXY, CONFIG_KEEPALIVED };
/* default: as its package ships it. */
enum config_owner { CONFIG_OURS, CONFIG_DEFAULT, CONFIG_FOREIGN };

struct host_config {
    enum config_kind kind;
    enum config_owner owner; /* ours: "Written by pgha-deploy" in its first two lines */
    const char *path;
    const char *text; /* Patroni's and etcd's only; holds secrets. NULL for the others */
    size_t text_len;
    /* Patroni's, NULL where it is not told. */
    const char *scope, *member, *data_dir;
    /* etcd's (ETCD_NAME, ETCD_INITIAL_CLUSTER, ETCD_INITIAL_CLUSTER_TOKEN, ETCD_DATA_DIR). */
    const char *initial_cluster, *token;
};

struct host_pgdata {
    const char *path;
    int version;        /* 17; 0: no PG_VERSION, but it is not empty */
    uint64_t system_id; /* 0: not known */
    int pid;            /* of the running postmaster; 0: none */
    int port;           /* that it was started with; 0: not known */
    bool under_patroni; /* Patroni started the postmaster */
};

struct host_facts {
    const char *hostname, *machine_id, *boot_id;
    const char *os_id, *os_version, *os_name,
        *codename;                       /* debian 13 "Debian GNU/Linux 13" trixie */
    const char *machine, *arch;          /* x86_64; amd64 as dpkg has it */
    const char *kernel, *virtualization; /* "none" on bare metal */
    int uid; /* of the script: 0 with root's login or sudo; -1: unknown */
    int cpus;
    int64_t memory_bytes, memory_available_bytes;

    /* The host's clock minus this machine's, by the middle of the round trip, and how far that can
     * be wrong: half of it. error < 0: not measured. */
    int64_t clock_offset_ms, clock_error_ms;

    /* Of the file systems where /var/lib/postgresql and /var/lib/etcd are or would be. -1: unknown
     */
    int64_t disk_total_bytes, disk_free_bytes;
    int64_t etcd_disk_total_bytes, etcd_disk_free_bytes;
    /* Writes of 2 kB with O_DSYNC below /var/lib: the middle one, and the longest. -1: unknown */
    int64_t fsync_us, fsync_max_us;
    int fsync_writes;

    /* SSH_CONNECTION: the address this machine is seen under, and the one it connected to. */
    const char *ssh_client_address, *ssh_server_address;

    VEC(struct host_interface) interfaces;
    VEC(struct host_address) addresses;
    VEC(struct host_route) routes;
    VEC(struct host_listener) listeners; /* TCP */
    bool listeners_known;                /* ss(8) is there */
    VEC(struct host_package) packages;
    VEC(struct host_candidate) candidates;
    int apt_lists; /* package lists that apt has; -1: there is no apt */
    VEC(struct host_unit) units;
    VEC(struct host_process) processes; /* postmasters, patroni, etcd, haproxy, keepalived, ... */
    VEC(struct host_config) configs;
    VEC(struct host_pgdata) pgdata;   /* every data directory that was found */
    VEC(const char *) etcd_data;      /* every folder with a member's data */
    VEC(int) vrrp_ids;                /* virtual_router_id of keepalived.conf */
    VEC(const char *) vrrp_addresses; /* of its virtual_ipaddress, without prefix */
    const char *vrrp_instance;        /* its first vrrp_instance; NULL: none */

    const char *member_of; /* cluster whose mark it has: then candidates are not asked for; NULL */
    uint64_t
        dcs_system_id; /* that this cluster's etcd holds here; 0: it does not run, or has none */

    bool nft_works, nft_installed; /* `nft list tables` */
    bool has_nf_tables;            /* the kernel has it, as far as it tells */
    bool has_systemd, has_python3, has_bash;
    bool is_booting; /* cloud-init is at work: it starts sshd anew, and may hold dpkg's lock */
    bool complete;   /* the script came to its end */
};

enum survey_step { SURVEY_CONNECTING, SURVEY_ASKING, SURVEY_DONE };

struct host_survey {
    struct arena arena; /* facts' strings */
    struct host_facts facts;
    enum survey_step step; /* how far it came; DONE: facts hold, err is empty */
    struct err err;
};

/* Surveys all targets at once into out[0..n-1], which needs no initialisation; every one is to be
 * released. A stop (clock_request_stop) leaves the rest with ERR_INTERRUPTED. */
void survey_run(const struct survey_target *targets, size_t n, struct host_survey *out);
void survey_release(struct host_survey *s);

/* The answer of the script, as far as it is there, into s (its arena and facts; clock apart).
 * Never fails: facts.complete tells whether the end was there. */
void survey_parse(struct host_survey *s, const char *text, size_t len);
/* The script; it needs sh, awk and coreutils, and says less where other programs are missing. */
void survey_put_script(struct str *script);
/* What the first line tells of the clock: sent and came are this machine's (clock_real_ms). */
void survey_set_clock(struct host_facts *f, int64_t host_ms, int64_t sent_ms, int64_t came_ms);

/* Names, versions: NULL when not installed, or no candidate. */
const char *survey_package(const struct host_facts *f, const char *name);
const char *survey_candidate(const struct host_facts *f, const char *name);
const struct host_unit *survey_unit(const struct host_facts *f, const char *name);
/* The address' entry, or NULL: the host does not have it. */
const struct host_address *survey_address(const struct host_facts *f, const char *address);
/* Who holds the port on this address or on all; NULL: it is free. */
const struct host_listener *survey_listener(const struct host_facts *f, const char *address,
                                            int port);
/* The best of its kind: ours, else a foreign one, else the package's; NULL: none. */
const struct host_config *survey_config(const struct host_facts *f, enum config_kind kind);

/* ---- the second trip: what a host sees of the others ---- */

enum reach_result {
    REACH_UNKNOWN,  /* not tried, or no bash(1) and timeout(1) there */
    REACH_OPEN,     /* somebody listens */
    REACH_REFUSED,  /* nobody listens, but the host answers: nothing is in the way */
    REACH_FILTERED, /* no answer within 2 s, or a firewall's refusal */
    REACH_NO_ROUTE  /* this host has no way there */
};

struct reach_probe {
    const char *to, *address; /* the other host's name, and where it is tried */
    int port;
    enum reach_result result;
};

#define SURVEY_MAX_SOURCES 16

/* A repository of packages that the cluster adds: can the host's apt read it, with its key? */
struct source_probe {
    const char *name;
    const char *text;  /* what stands in a .sources file, the key in it (sources.list(5)) */
    bool read;         /* result */
    const char *fault; /* result: what apt says; NULL, and not read: it was not tried */
};

struct vrrp_advert {
    const char *source; /* address of who sends it */
    int id, priority;
};

struct vip_facts {
    bool held;                       /* this host has the address */
    bool answered;                   /* a ping of it was answered */
    const char *mac;                 /* who has it, by the neighbour table; NULL: nobody answered */
    const char *heard_by;            /* "python3", "tcpdump"; NULL: VRRP was not listened for */
    VEC(struct vrrp_advert) adverts; /* each source and id once; the host's own are not heard */
};

/* What one host is asked, and its answers. Fill in the first part; n_probes <= SURVEY_MAX_PROBES.
 */
struct host_look {
    struct survey_target target;
    struct reach_probe *probes; /* the caller's; results are set */
    size_t n_probes;
    struct source_probe *sources; /* the caller's, n_sources <= SURVEY_MAX_SOURCES */
    size_t n_sources;
    const char *proxy;   /* of apt; NULL: as the host has it */
    const char *vip;     /* NULL: it is not asked for */
    const char *address; /* this host's own, on whose link VRRP is heard; with vip only */

    struct arena arena;
    struct vip_facts vip_facts;
    bool done;
    struct err err;
};

void survey_look(struct host_look *looks, size_t n);
void survey_look_release(struct host_look *look);

/* The parts, for tests: the script of a look, and its answer. */
void survey_look_put_script(const struct host_look *look, struct str *script);
void survey_look_parse(struct host_look *look, const char *text, size_t len);

#endif
