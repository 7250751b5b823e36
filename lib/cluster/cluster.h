/*
 * cluster.h - the cluster file as a validated model.
 *
 * schema.c holds every key (name, type, default, range, help): validation, init and
 * docs/cluster-file.md come from it. cluster_load fills in every default, checks what needs more
 * than one key, and computes the hosts with their addresses, so that later rooms have nothing to
 * decide.
 */
#ifndef PGHA_CLUSTER_H
#define PGHA_CLUSTER_H

#include "inventory/inventory.h"
#include "lib/base/vec.h"
#include "lib/cluster/vault.h"
#include "lib/doc/fault.h"
#include "lib/net/route.h"
#include "lib/net/ssh.h"

#define CLUSTER_NAME_MAX  32 /* [a-z][a-z0-9-]*, not ending in - */
#define CLUSTER_MAX_HOSTS 200

struct cluster_host {
    const char *name; /* db1, db2, lb1, ... : unique in the cluster */
    /* Where the others reach it; existing hosts: NULL until somebody has looked (cluster_place). */
    const char *address;
    const char *interface; /* that has the address; NULL: not known */
    bool is_db, is_lb, is_etcd;
    bool is_container; /* its kernel's settings belong to the machine below */
    int index;         /* from 1 in its group */
    int subnet;        /* in cluster.subnets; 0 where there are none */
};

/* Of a cloud. Existing ones have an id. */
struct cluster_subnet {
    const char *name; /* "private-1" */
    const char *cidr;
    uint32_t network; /* host byte order */
    int prefix;
    int zone; /* from 0 */
    bool is_public;
    const char *id; /* "subnet-..."; NULL: it is made */
};

/* A failover preset: one row sets Patroni, HAProxy and keepalived. Milliseconds where the name says
 * so, else seconds. */
struct preset {
    const char *name, *help;
    int ttl, loop_wait, retry_timeout; /* Patroni; loop_wait + 2*retry_timeout <= ttl, ttl >= 20 */
    int haproxy_inter_ms, haproxy_fall, haproxy_rise; /* health checks */
    int haproxy_answer_ms; /* how long one may take to be answered, once it is connected */
    int advert_ms;         /* VRRP advertisements: 10..40950 ms in version 3 */
    int vrrp_check_ms, vrrp_check_fall, vrrp_check_rise; /* keepalived's script */
};
extern const struct preset presets[]; /* ends with name NULL */

/* The virtual address of which only the provider will know what it is (cluster_take_outputs). */
#define CLUSTER_VIP_TO_COME "0.0.0.0"

struct cluster {
    struct arena arena;
    const char *file; /* as given */
    const char *name;
    const char *provider; /* "local", "existing", "aws" */
    const char *topology; /* "patroni" */
    struct value *config; /* the whole file, every default filled in; keys as in DESIGN.md */
    const char *cidr;     /* "10.77.0.0/24"; existing hosts: NULL unless given */
    int prefix; /* 24; existing hosts: that of a balancer's interface; cloud: of a subnet */
    uint32_t network, netmask; /* host byte order; of cidr */
    const char *gateway;       /* first address of cidr: the bridge or router */
    const char *vip;           /* NULL when there are no balancers; may be CLUSTER_VIP_TO_COME */
    const struct preset *preset;
    int pg_version;
    int port_primary, port_replicas, port_sync, port_async, port_stats;
    int port_postgres, port_patroni, port_etcd_client, port_etcd_peer; /* 5432 8008 2379 2380 */
    VEC(struct cluster_subnet) subnets; /* of a cloud, the private ones first; else none */
    VEC(struct cluster_host) hosts;     /* db, then lb, then dedicated etcd */
    VEC(const char *)
    own_networks;       /* members, and where this program is seen from: IPv4 networks
                           that may always connect */
    uint64_t system_id; /* of the databases on existing hosts, by which they are known again; 0:
                           never up */
    const char *adopts; /* scope of somebody else's Patroni cluster that is being taken over; NULL:
                           none. Its software counts as this cluster's own */
    /* Told by a provider once its things are there (cluster_take_outputs); NULL: not yet, or none.
     */
    const struct value *outputs;   /* {"vars": variables of all hosts, "hosts": {name: its own}} */
    const char *bastion;           /* address that the hosts are reached through */
    const struct net_route *route; /* to the hosts' addresses; NULL: directly */
    struct inventory given;        /* existing hosts: how to log in, and the user's own variables */
};

/* 0, or -1 with every fault listed (ERR_INPUT when made an err). The cluster may be released either
 * way. */
int cluster_load(struct cluster *c, const char *path, struct faults *faults) MUST_USE;
int cluster_load_text(struct cluster *c, const char *file, const char *text, size_t len,
                      struct faults *faults) MUST_USE;
void cluster_release(struct cluster *c);
const struct cluster_host *cluster_host_find(const struct cluster *c, const char *name); /* NULL */

/* A path of the cluster file's: a relative one is below that file's folder. Caller frees. */
char *cluster_path(const struct cluster *c, const char *path);
/* Whether the hosts are a cloud's, with subnets by zone. */
bool cluster_is_in_cloud(const struct cluster *c);
/* How the virtual address moves: "vrrp", or by the cloud: vip.mode. */
const char *cluster_vip_mode(const struct cluster *c);
/* Whether it is a public one, which is reached from outside of the cluster's network. */
bool cluster_has_public_vip(const struct cluster *c);
/* existing.c: whether the hosts are somebody else's, and their addresses are to be found out. */
bool cluster_has_given_hosts(const struct cluster *c);
bool cluster_is_placed(const struct cluster *c); /* every host has its address */
/* What was found out: {"hosts": [{"name", "address", "interface", "prefix"}], "seen_from":
 * [address]}, as the state folder keeps it. Hosts that it does not name stay as they are. */
int cluster_place(struct cluster *c, const struct value *places, struct err *err) MUST_USE;

/* {"vars": map, "hosts": {name: map}, "bastion": address, "vip": address}, as the state folder
 * keeps it. Copies. */
void cluster_take_outputs(struct cluster *c, const struct value *outputs);

/* init: a commented cluster file for a provider and topology, from the schema. docs:
 * docs/cluster-file.md. */
int cluster_write_example(const char *provider, const char *topology, const char *name,
                          struct str *out, struct err *err) MUST_USE;
void cluster_write_docs(struct str *out);

/* secrets.c: generated once per cluster, sealed (vault.h) in the state folder's secrets.vault.
 * Every value is registered with log_secret. */
struct secrets {
    struct arena arena;
    struct value *values; /* map name -> string: superuser, replication, rewind, patroni_rest,
                             stats, vrrp, user_NAME; and those of tls.h */
};
/* Reads what is there and generates what is missing; *grew tells that it must be saved. Without a
 * file the vault's key is not needed. */
int secrets_load(struct secrets *s, const struct cluster *c, const char *state_dir,
                 const struct vault_source *vault, bool *grew, struct err *err) MUST_USE;
/* *made_key, unless NULL: path of the key file when this made one (caller frees), else NULL. */
int secrets_save(const struct secrets *s, const char *state_dir, const struct vault_source *vault,
                 char **made_key, struct err *err) MUST_USE;
const char *secrets_get(const struct secrets *s, const char *name); /* BUG when missing */
/* Rotation of passwords: begin makes NAME.next for all that are generated; when the database knows
 * those, end puts them in the places of the old. Saved in between, a killed run can be completed.
 */
void secrets_rotate_begin(struct secrets *s, const struct cluster *c);
bool secrets_rotating(const struct secrets *s);
const char *secrets_next(const struct secrets *s, const char *name); /* NULL: none */
void secrets_rotate_end(struct secrets *s);
const char *secrets_use(const char *name, struct arena *a); /* what it is for, for people */
void secrets_release(struct secrets *s);

/* vars.c: the inventory for the playbook: groups db, lb, etcd; docs/variables.md lists every
 * variable. identity: private key file for ansible_ssh_private_key_file; known_hosts for
 * ansible_ssh_common_args. */
int cluster_inventory(const struct cluster *c, const struct secrets *s, const char *identity,
                      const char *known_hosts, struct inventory *out, struct err *err) MUST_USE;
/* Arguments of ssh(1) for hosts that the cluster made; through the bastion when it has one. In a.
 */
const char *cluster_ssh_args(const struct cluster *c, const char *identity, const char *known_hosts,
                             struct arena *a);
int cluster_vrrp_id(const struct cluster *c); /* virtual_router_id, 1 to 255 */
const char *cluster_data_dir(const struct cluster *c, struct arena *a); /* PostgreSQL's */
extern const char *const cluster_secret_vars[]; /* names of variables that hold secrets,
                                                   NULL-terminated: hidden when shown */

/* state.c: .pgha/CLUSTER/ beside the cluster file; 0700, files 0600. */
char *state_dir_of(const struct cluster *c); /* caller frees */
/* Makes it; removes the temporary files that killed runs left in it. */
int state_prepare(const char *state_dir, struct err *err) MUST_USE;
int state_login_key(const char *state_dir,
                    struct err *err) MUST_USE; /* id_ed25519 and .pub, made when missing */
int state_write(const char *state_dir, const char *name, const char *text, size_t len,
                struct err *err) MUST_USE;
/* Whether the file is there and has this text. */
bool state_has(const char *state_dir, const char *name, const char *text);
int state_write_value(const char *state_dir, const char *name, const struct value *v,
                      struct err *err) MUST_USE; /* JSON, pretty */
struct value *state_read_value(const char *state_dir, const char *name, struct arena *a,
                               struct err *err); /* value_null when absent; NULL on error */
int state_remove(const char *state_dir, const char *name, struct err *err) MUST_USE;
int state_lock(const char *state_dir, int *fd,
               struct err *err) MUST_USE; /* ERR_LOCKED names the holder */

/* How to reach a host with the state folder's key and known_hosts. Strings in a. */
struct ssh_target state_ssh_target(const char *state_dir, const struct cluster *c,
                                   const struct cluster_host *host, struct arena *a);

/* sqlobjects.c (databases, users, extensions) is in sqlobjects.h; Patroni's REST API in patroni.h.
 */

#endif
