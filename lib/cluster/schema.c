/* schema.c - the cluster file's keys, and a tree held against them. */
#include "lib/cluster/schema.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "lib/doc/yaml.h"

/* clang-format off */
const struct schema_key schema_keys[] = {
    {"cluster", SCHEMA_CLUSTER, true, NULL, 0, 0, NULL,
     "Name of the cluster: Patroni's scope, and the mark on everything that is made for it.", NULL},
    {"provider", SCHEMA_SECTION, true, NULL, 0, 0, NULL, "Where the hosts come from.", NULL},
    {"provider.name", SCHEMA_CHOICE, true, NULL, 0, 0, "local|existing|aws",
     "local: hosts on this machine, containers that boot systemd and sshd on a bridge of their own. existing: machines that somebody else made, reached over SSH. aws: instances of EC2.", NULL},
    {"provider.image", SCHEMA_CHOICE, false, "full", 0, 0, "full|bare",
     "local: what the hosts begin with. full: the cluster's packages; bare: without them, as a machine of your own would be, for trying provider existing.", "local"},
    {"provider.release", SCHEMA_CHOICE, false, "trixie", 0, 0, "trixie|bookworm", "local: Debian release of the hosts; bookworm, Debian 12, is there for bare ones only.", "local"},
    {"provider.inventory", SCHEMA_TEXT, false, NULL, 0, 0, NULL,
     "existing: an Ansible inventory, file or folder, beside the cluster file. Its groups db, lb and etcd say what a host is for; without etcd it goes on the db hosts.", "existing"},
    {"provider.hosts", SCHEMA_RECORDS, false, NULL, 0, 0, NULL, "existing: the hosts, when there is no inventory.", "existing"},
    {"provider.hosts[].name", SCHEMA_TEXT, true, NULL, 0, 0, NULL, "Name of the host in the cluster; it is logged in to by this name unless `vars` has ansible_host.", "existing"},
    {"provider.hosts[].groups", SCHEMA_IDENTIFIERS, true, NULL, 0, 0, NULL, "What it is for: db, lb, etcd, or several.", "existing"},
    {"provider.hosts[].vars", SCHEMA_VARIABLES, false, NULL, 0, 0, NULL, "Its variables as in an inventory: ansible_host, ansible_user, ansible_port, ...; `address` and `interface` when the survey's choice is not yours.", "existing"},
    {"provider.vars", SCHEMA_VARIABLES, false, NULL, 0, 0, NULL, "Variables of all hosts.", "existing"},
    {"provider.region", SCHEMA_TEXT, false, NULL, 0, 0, NULL, "aws: region, eu-central-1 for example. Default: AWS_REGION, then that of the profile.", "aws"},
    {"provider.profile", SCHEMA_TEXT, false, NULL, 0, 0, NULL, "aws: profile of the AWS CLI's files. Default: AWS_PROFILE, then default.", "aws"},
    {"provider.endpoint_url", SCHEMA_TEXT, false, NULL, 0, 0, NULL, "aws: where the API is, for all services, instead of AWS's own.", "aws"},
    {"provider.zones", SCHEMA_IDENTIFIERS, false, NULL, 0, 0, NULL, "aws: zones that the hosts are spread over, as letters ([a, b, c]) or names. Default: the first three that the region has.", "aws"},
    {"provider.instance_type", SCHEMA_TEXT, false, "t3.medium", 0, 0, NULL, "aws: type of the instances; `nodes` may have another for a group.", "aws"},
    {"provider.ami", SCHEMA_TEXT, false, "debian-13", 0, 0, NULL, "aws: what new instances begin with: debian-12, debian-13 or ubuntu-24.04 for the newest image of its maker, or the id of an image (ami-...).", "aws"},
    {"provider.root_volume", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "aws: the instances' own disk: encrypted gp3.", "aws"},
    {"provider.root_volume.size", SCHEMA_INT, false, "20", 8, 65536, NULL, "GiB.", "aws"},
    {"provider.root_volume.iops", SCHEMA_INT, false, "3000", 3000, 80000, NULL, "Operations a second.", "aws"},
    {"provider.root_volume.throughput", SCHEMA_INT, false, "125", 125, 2000, NULL, "MiB/s.", "aws"},
    {"provider.data_volume", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "aws: a disk of its own for PostgreSQL on every db host, mounted at /var/lib/postgresql: encrypted gp3. It outlives its instance, and `down --keep-data`.", "aws"},
    {"provider.data_volume.size", SCHEMA_INT, false, NULL, 1, 65536, NULL, "GiB; without it there is no such disk. A larger one is applied to running hosts, a smaller one refused.", "aws"},
    {"provider.data_volume.iops", SCHEMA_INT, false, "3000", 3000, 80000, NULL, "Operations a second.", "aws"},
    {"provider.data_volume.throughput", SCHEMA_INT, false, "125", 125, 2000, NULL, "MiB/s.", "aws"},
    {"provider.vpc", SCHEMA_TEXT, false, NULL, 0, 0, NULL, "aws: an existing VPC (vpc-...) that the cluster goes into. It stays when the cluster goes.", "aws"},
    {"provider.subnets", SCHEMA_RECORDS, false, "[]", 0, 0, NULL, "aws: existing subnets of that VPC, one for each zone, with their own routes. Without them the cluster makes its own.", "aws"},
    {"provider.subnets[].id", SCHEMA_TEXT, true, NULL, 0, 0, NULL, "Its id: subnet-...", "aws"},
    {"provider.subnets[].cidr", SCHEMA_CIDR, true, NULL, 0, 0, NULL, "Its network, from which the hosts' addresses follow.", "aws"},
    {"provider.security_groups", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "aws: security groups. An id (sg-...) is one of yours, which is used as it is; anything else is the name of the one that is made.", "aws"},
    {"provider.security_groups.db", SCHEMA_TEXT, false, NULL, 0, 0, NULL, "Of the PostgreSQL members. Default: CLUSTER-db.", "aws"},
    {"provider.security_groups.lb", SCHEMA_TEXT, false, NULL, 0, 0, NULL, "Of the balancers. Default: CLUSTER-lb.", "aws"},
    {"provider.security_groups.etcd", SCHEMA_TEXT, false, NULL, 0, 0, NULL, "Of the etcd members. Default: CLUSTER-etcd.", "aws"},
    {"provider.nat", SCHEMA_CHOICE, false, "on", 0, 0, "on|off", "aws: a NAT gateway, through which the hosts reach the package archives. off: they need a proxy in the VPC (packages.proxy), or an image that has everything.", "aws"},
    {"provider.placement_group", SCHEMA_CHOICE, false, "off", 0, 0, "on|off", "aws: on: where all hosts are in one zone, they are kept on different machines: a spread placement group, of at most seven.", "aws"},
    {"provider.bastion", SCHEMA_CHOICE, false, "off", 0, 0, "on|off", "aws: on: a small instance with a public address, through which the others are reached; access.ssh says from where. off: this program runs where the private addresses can be reached.", "aws"},
    {"provider.bastion_type", SCHEMA_TEXT, false, "t3.micro", 0, 0, NULL, "aws: type of the bastion's instance.", "aws"},
    {"provider.prices", SCHEMA_TEXT, false, NULL, 0, 0, NULL, "aws: table of prices that `plan` reckons with instead of the program's own, which `pgha-deploy docs prices` prints; a relative path is below the cluster file's folder.", "aws"},
    {"provider.termination_protection", SCHEMA_CHOICE, false, "off", 0, 0, "on|off", "aws: on: nobody can terminate an instance by mistake. `down` asks for `off` first.", "aws"},
    {"provider.default_tags", SCHEMA_VARIABLES, false, "{}", 0, 0, NULL, "aws: tags for everything that is made, beside the cluster's own.", "aws"},
    {"topology", SCHEMA_CHOICE, false, "patroni", 0, 0, "patroni",
     "patroni: one primary and streaming replicas led by Patroni and etcd, behind HAProxy and keepalived.", NULL},
    {"network", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "Addresses.", NULL},
    {"network.cidr", SCHEMA_CIDR, false, "10.77.0.0/24", 0, 0, NULL,
     "Network of the hosts. The first address is the gateway (local: the bridge).", NULL},
    {"network.vip", SCHEMA_ADDRESS, false, NULL, 0, 0, NULL,
     "Virtual address that clients use, held by one balancer. Default: the 100th address, in a small network the last; none without balancers. With vip.mode eip: an elastic IP of your own, which stays when the cluster goes; without it one is allocated.", NULL},
    {"vip", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "The virtual address.", "aws"},
    {"vip.mode", SCHEMA_CHOICE, false, "private-ip", 0, 0, "private-ip|route|eip",
     "aws: how it moves. private-ip: a second private address, which moves within one subnet, so all balancers are in one zone. route: an address outside of the VPC's networks, routed to the balancer that holds it, in whatever zone. eip: an elastic IP, for clients outside of the VPC; the balancers are in public subnets, in whatever zone, and access.postgres says who may connect.", "aws"},
    {"nodes", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "How many hosts.", "local|aws"},
    {"nodes.db", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "PostgreSQL members.", "local|aws"},
    {"nodes.db.count", SCHEMA_INT, false, "3", 1, 30, NULL, "Number of PostgreSQL members.", "local|aws"},
    {"nodes.db.instance_type", SCHEMA_TEXT, false, NULL, 0, 0, NULL, "aws: type of the PostgreSQL members, when it is not provider.instance_type.", "aws"},
    {"nodes.lb", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "Balancers: HAProxy and keepalived.", "local|aws"},
    {"nodes.lb.count", SCHEMA_INT, false, "2", 0, 8, NULL, "Number of balancers; 0: clients connect to the members themselves.", "local|aws"},
    {"nodes.lb.instance_type", SCHEMA_TEXT, false, NULL, 0, 0, NULL, "aws: type of the balancers, when it is not provider.instance_type.", "aws"},
    {"nodes.etcd", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "etcd members, an odd number of them.", "local|aws"},
    {"nodes.etcd.on", SCHEMA_CHOICE, false, NULL, 0, 0, "db", "db: on the PostgreSQL hosts. This is the default; `count` excludes it.", "local|aws"},
    {"nodes.etcd.count", SCHEMA_INT, false, NULL, 1, 9, NULL, "Number of hosts of their own for etcd: 1, 3, 5, 7 or 9.", "local|aws"},
    {"nodes.etcd.instance_type", SCHEMA_TEXT, false, NULL, 0, 0, NULL, "aws: type of the etcd hosts, when it is not provider.instance_type.", "aws"},
    {"postgres", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "PostgreSQL.", NULL},
    {"postgres.version", SCHEMA_INT, false, "17", 15, 17, NULL, "Major version. The hosts' packages must have it: Debian 12 has 15, Debian 13 has 17.", NULL},
    {"postgres.data_dir", SCHEMA_TEXT, false, NULL, 0, 0, NULL,
     "Data directory; the default is /var/lib/postgresql/VERSION/main. Of a running cluster it cannot be changed.", NULL},
    {"postgres.synchronous", SCHEMA_CHOICE, false, "off", 0, 0, "off|on|quorum|strict",
     "Synchronous replication. on: Patroni picks one standby; quorum: any one acknowledges; strict: no write without a standby.", NULL},
    {"postgres.parameters", SCHEMA_PARAMETERS, false, "{}", 0, 0, NULL,
     "PostgreSQL parameters, over the defaults. Changes are reloaded, or restarted one member at a time.", NULL},
    {"postgres.databases", SCHEMA_RECORDS, false, "[]", 0, 0, NULL, "Databases to create. Databases that are taken out of the list stay.", NULL},
    {"postgres.databases[].name", SCHEMA_IDENTIFIER, true, NULL, 0, 0, NULL, "Name of the database.", NULL},
    {"postgres.databases[].owner", SCHEMA_IDENTIFIER, false, "postgres", 0, 0, NULL, "Role that owns it: one of `users`, or postgres.", NULL},
    {"postgres.databases[].extensions", SCHEMA_IDENTIFIERS, false, "[]", 0, 0, NULL, "Extensions to create in it.", NULL},
    {"postgres.users", SCHEMA_RECORDS, false, "[]", 0, 0, NULL, "Login roles to create. Passwords are generated; conninfo shows them.", NULL},
    {"postgres.users[].name", SCHEMA_IDENTIFIER, true, NULL, 0, 0, NULL, "Name of the role.", NULL},
    {"postgres.users[].password_from", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "A password of your own: from one of the two. Later changes are applied, too.", NULL},
    {"postgres.users[].password_from.env", SCHEMA_TEXT, false, NULL, 0, 0, NULL, "Environment variable that holds it when `up` runs.", NULL},
    {"postgres.users[].password_from.file", SCHEMA_TEXT, false, NULL, 0, 0, NULL, "File whose first line it is; a relative path is below the cluster file's folder.", NULL},
    {"failover", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "How quickly a failure is acted on.", NULL},
    {"failover.preset", SCHEMA_CHOICE, false, "default", 0, 0, "relaxed|default|fast",
     "One word sets the timers of Patroni, HAProxy and keepalived together.", NULL},
    {"ports", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "Ports of the balancers.", NULL},
    {"ports.primary", SCHEMA_INT, false, "5000", 1, 65535, NULL, "The primary: reads and writes.", NULL},
    {"ports.replicas", SCHEMA_INT, false, "5001", 1, 65535, NULL, "Replicas, in turn.", NULL},
    {"ports.sync", SCHEMA_INT, false, "5002", 1, 65535, NULL, "Synchronous replicas only.", NULL},
    {"ports.async", SCHEMA_INT, false, "5003", 1, 65535, NULL, "Asynchronous replicas only.", NULL},
    {"ports.stats", SCHEMA_INT, false, "7000", 1, 65535, NULL, "HAProxy's statistics page and /metrics, with a password.", NULL},
    {"drill", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "The failover drill.", NULL},
    {"drill.allowed", SCHEMA_CHOICE, false, "off", 0, 0, "off|on", "on: `drill` may break this cluster without asking.", NULL},
    {"drill.max_rto", SCHEMA_SECONDS, false, "{}", 1, 3600, NULL,
     "Scenario: seconds that the primary's port may be without an answer. Else the bound from the timers counts.", NULL},
    {"drill.max_rpo", SCHEMA_INT, false, NULL, 0, 1000000000, NULL,
     "Acknowledged writes that a drill may lose. Default: 0 with synchronous replication, else any number.", NULL},
    {"packages", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "Where packages come from; the distribution's own repositories unless there are others.", NULL},
    {"packages.proxy", SCHEMA_TEXT, false, NULL, 0, 0, NULL, "Proxy for apt: http://10.0.0.5:3142.", NULL},
    {"packages.repositories", SCHEMA_RECORDS, false, "[]", 0, 0, NULL, "More repositories of packages, beside the distribution's.", NULL},
    {"packages.repositories[].name", SCHEMA_IDENTIFIER, true, NULL, 0, 0, NULL, "Name of its file below /etc/apt/sources.list.d.", NULL},
    {"packages.repositories[].uri", SCHEMA_TEXT, true, NULL, 0, 0, NULL, "Where it is.", NULL},
    {"packages.repositories[].suite", SCHEMA_TEXT, true, NULL, 0, 0, NULL, "Suite: trixie-pgdg.", NULL},
    {"packages.repositories[].components", SCHEMA_IDENTIFIERS, false, "[main]", 0, 0, NULL, "Components.", NULL},
    {"packages.repositories[].key", SCHEMA_TEXT, true, NULL, 0, 0, NULL, "File with the key that signs it (ASCII armour); a relative path is below the cluster file's folder.", NULL},
    {"access", SCHEMA_SECTION, false, NULL, 0, 0, NULL, "Who may connect.", NULL},
    {"access.ssh", SCHEMA_CIDRS, false, NULL, 0, 0, NULL, "Networks of those who administer: SSH, health checks, statistics. Beside the cluster's own network.", NULL},
    {"access.postgres", SCHEMA_CIDRS, false, NULL, 0, 0, NULL, "Networks that may connect to PostgreSQL (firewall and pg_hba). Beside the cluster's own network.", NULL},
    {NULL, SCHEMA_SECTION, false, NULL, 0, 0, NULL, NULL, NULL},
};
/* clang-format on */

/* Set by Patroni or by other keys of the cluster file: a value in `parameters` would be ignored or
 * break the cluster. */
static const struct {
    const char *name, *instead;
} managed_parameters[] = {
    {"listen_addresses", "it is the host's address"},
    {"port", "PostgreSQL's port behind the balancers is fixed; clients use `ports`"},
    {"cluster_name", "it is `cluster`"},
    {"hot_standby", "replicas must answer"},
    {"primary_conninfo", "Patroni writes it"},
    {"primary_slot_name", "Patroni writes it"},
    {"synchronous_standby_names", "use postgres.synchronous"},
    {"recovery_target_timeline", "Patroni writes it"},
    {"wal_log_hints", "pg_rewind needs it on"},
    {"data_directory", "the role postgres sets it"},
    {"hba_file", "use `access`"},
    {"ident_file", "the role postgres sets it"},
    {"ssl", "TLS is always on"},
    {"ssl_cert_file", "certificates are the cluster's own"},
    {"ssl_key_file", "certificates are the cluster's own"},
    {"ssl_ca_file", "certificates are the cluster's own"},
    {"ssl_min_protocol_version", "it is TLS 1.2"},
    {"password_encryption", "it is scram-sha-256"},
    {"ssl_passphrase_command", "a member must start without a person"},
};

int address_parse(const char *text, uint32_t *address)
{
    struct in_addr in;

    if (inet_pton(AF_INET, text, &in) != 1)
        return -1;
    *address = ntohl(in.s_addr);
    return 0;
}

void address_format(uint32_t address, char out[16])
{
    struct in_addr in = {htonl(address)};

    inet_ntop(AF_INET, &in, out, 16);
}

int cidr_parse(const char *text, uint32_t *network, int *prefix)
{
    char buf[32];
    const char *slash = strchr(text, '/');
    char *end;
    uint32_t address, mask;
    long bits;

    *network = 0;
    *prefix = -1;
    if (!slash || (size_t)(slash - text) >= sizeof(buf) || slash[1] < '0' || slash[1] > '9')
        return -1;
    memcpy(buf, text, (size_t)(slash - text));
    buf[slash - text] = '\0';
    bits = strtol(slash + 1, &end, 10);
    if (*end || bits > 32 || address_parse(buf, &address) < 0)
        return -1;
    mask = bits ? ~(uint32_t)0 << (32 - bits) : 0;
    *network = address & mask;
    *prefix = (int)bits;
    return *network == address ? 0 : -1;
}

bool schema_child_of(const struct schema_key *key, const char *section, const char **name)
{
    size_t len = strlen(section);
    const char *rest = key->path;

    if (len) {
        if (strncmp(rest, section, len) != 0 || rest[len] != '.')
            return false;
        rest += len + 1;
    }
    *name = rest;
    return !strchr(rest, '.');
}

const char *schema_type_help(enum schema_type type)
{
    static const char *const names[] = {
        [SCHEMA_SECTION] = "section",
        [SCHEMA_RECORDS] = "list",
        [SCHEMA_CLUSTER] = "name",
        [SCHEMA_IDENTIFIER] = "SQL name",
        [SCHEMA_IDENTIFIERS] = "list of SQL names",
        [SCHEMA_TEXT] = "text",
        [SCHEMA_VARIABLES] = "variables",
        [SCHEMA_INT] = "integer",
        [SCHEMA_CHOICE] = "choice",
        [SCHEMA_ADDRESS] = "IPv4 address",
        [SCHEMA_CIDR] = "IPv4 network",
        [SCHEMA_CIDRS] = "list of IPv4 networks",
        [SCHEMA_PARAMETERS] = "parameters",
        [SCHEMA_SECONDS] = "map of seconds",
    };
    return names[type];
}

struct apply {
    struct arena *arena;
    struct faults *faults;
};

static struct value *apply_value(struct apply *ap, const struct schema_key *key,
                                 const struct value *v);

static void wrong_type(struct apply *ap, const struct schema_key *key, const struct value *v)
{
    fault_add(ap->faults, v->src, "%s: must be %s %s, not %s", key->path,
              key->type == SCHEMA_INT || key->type == SCHEMA_ADDRESS || key->type == SCHEMA_CIDR
                  ? "an"
                  : "a",
              schema_type_help(key->type), value_type_name(v->type));
}

static bool matches_chars(const char *s, size_t max, bool cluster)
{
    size_t n = strlen(s);

    if (!n || n > max)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';

        if (letter || (!cluster && c == '_') || (i && (digit || (c == '-' && i + 1 < n))))
            continue;
        return false;
    }
    return true;
}

/* A scalar that was meant as a word: text, or a number or boolean that YAML made of it. */
static const char *as_name(struct apply *ap, const struct schema_key *key, const struct value *v)
{
    bool cluster = key->type == SCHEMA_CLUSTER;

    if (v->type != VALUE_STR) {
        fault_add(ap->faults, v->src, "%s: must be a name, not %s", key->path,
                  value_type_name(v->type));
        if (v->plain && v->type != VALUE_NULL)
            fault_hint(ap->faults, "quote it if it is meant as a name");
        return NULL;
    }
    if (!matches_chars(v->u.str.s, cluster ? 32 : 63, cluster)) {
        fault_add(ap->faults, v->src, "%s: \"%s\" is no valid name", key->path, v->u.str.s);
        fault_hint(ap->faults,
                   cluster ? "at most 32 of a-z, 0-9 and -, beginning with a letter"
                           : "at most 63 of a-z, 0-9, _ and -, beginning with a letter or _");
        return NULL;
    }
    return v->u.str.s;
}

static struct value *apply_choice(struct apply *ap, const struct schema_key *key,
                                  const struct value *v)
{
    const char *word, *p;
    const char *words[16];
    size_t n = 0;
    const char *nearest;

    if (v->type == VALUE_BOOL) /* YAML 1.1 reads on and off as booleans */
        word = v->u.b ? "on" : "off";
    else if (value_is_str(v))
        word = v->u.str.s;
    else {
        wrong_type(ap, key, v);
        return NULL;
    }
    for (p = key->choices; p && *p && n < ARRAY_LEN(words); p = strchr(p, '|'), p = p ? p + 1 : p) {
        words[n] = arena_strndup(ap->arena, p, strcspn(p, "|"));
        if (str_eq(words[n++], word))
            return value_str(ap->arena, word);
    }
    fault_add(ap->faults, v->src, "%s: \"%s\" is not one of %s", key->path, word, key->choices);
    if ((nearest = nearest_word(word, words, n)))
        fault_hint(ap->faults, "did you mean \"%s\"?", nearest);
    return NULL;
}

static struct value *apply_int(struct apply *ap, const struct schema_key *key,
                               const struct value *v)
{
    if (v->type != VALUE_INT) {
        wrong_type(ap, key, v);
        return NULL;
    }
    if (v->u.i < key->min || v->u.i > key->max) {
        if (key->min == key->max)
            fault_add(ap->faults, v->src, "%s: %lld is not supported; it must be %lld", key->path,
                      (long long)v->u.i, (long long)key->min);
        else
            fault_add(ap->faults, v->src, "%s: %lld is out of range %lld to %lld", key->path,
                      (long long)v->u.i, (long long)key->min, (long long)key->max);
        return NULL;
    }
    return value_copy(ap->arena, v);
}

static struct value *apply_seconds(struct apply *ap, const struct schema_key *key,
                                   const struct value *v)
{
    if (v->type != VALUE_MAP) {
        wrong_type(ap, key, v);
        return NULL;
    }
    for (size_t i = 0; i < v->u.map.n; i++) {
        const struct value_entry *e = &v->u.map.entries[i];

        if (e->value->type != VALUE_INT || e->value->u.i < key->min || e->value->u.i > key->max)
            fault_add(ap->faults, e->value->src, "%s.%s: must be an integer, %lld to %lld",
                      key->path, e->key, (long long)key->min, (long long)key->max);
    }
    return value_copy(ap->arena, v);
}

static struct value *apply_cidr(struct apply *ap, const struct schema_key *key,
                                const struct value *v)
{
    uint32_t network;
    int prefix;
    char text[16];

    if (!value_is_str(v)) {
        wrong_type(ap, key, v);
        return NULL;
    }
    if (cidr_parse(v->u.str.s, &network, &prefix) == 0)
        return value_copy(ap->arena, v);
    fault_add(ap->faults, v->src, "%s: \"%s\" is not an IPv4 network", key->path, v->u.str.s);
    if (prefix >= 0) {
        address_format(network, text);
        fault_hint(ap->faults, "the network of that address is %s/%d", text, prefix);
    } else {
        fault_hint(ap->faults, "write it as 10.77.0.0/24");
    }
    return NULL;
}

static struct value *apply_address(struct apply *ap, const struct schema_key *key,
                                   const struct value *v)
{
    uint32_t address;

    if (!value_is_str(v)) {
        wrong_type(ap, key, v);
        return NULL;
    }
    if (address_parse(v->u.str.s, &address) == 0)
        return value_copy(ap->arena, v);
    fault_add(ap->faults, v->src, "%s: \"%s\" is not an IPv4 address", key->path, v->u.str.s);
    return NULL;
}

static struct value *apply_text(struct apply *ap, const struct schema_key *key,
                                const struct value *v)
{
    if (!value_is_str(v)) {
        wrong_type(ap, key, v);
        return NULL;
    }
    if (!v->u.str.len || strpbrk(v->u.str.s, "\r\n")) {
        fault_add(ap->faults, v->src, "%s: must be one line, and not empty", key->path);
        return NULL;
    }
    return value_copy(ap->arena, v);
}

static struct value *apply_name(struct apply *ap, const struct schema_key *key,
                                const struct value *v)
{
    return as_name(ap, key, v) ? value_copy(ap->arena, v) : NULL;
}

static struct value *
apply_list(struct apply *ap, const struct schema_key *key, const struct value *v,
           struct value *(*item)(struct apply *, const struct schema_key *, const struct value *))
{
    struct value *list = value_list(ap->arena), *one;

    if (v->type != VALUE_LIST) {
        wrong_type(ap, key, v);
        return NULL;
    }
    list->src = v->src;
    for (size_t i = 0; i < v->u.list.n; i++)
        if ((one = item(ap, key, v->u.list.items[i])))
            value_list_add(ap->arena, list, one);
    return list;
}

static bool is_parameter_name(const char *s)
{
    if (!((*s >= 'a' && *s <= 'z') || *s == '_') || strlen(s) > 63)
        return false;
    return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.") == strlen(s);
}

static void check_parameter(struct apply *ap, const struct schema_key *key,
                            const struct value_entry *e)
{
    if (!is_parameter_name(e->key)) {
        fault_add(ap->faults, e->key_src, "%s: \"%s\" is no name of a PostgreSQL parameter",
                  key->path, e->key);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(managed_parameters); i++) {
        if (str_eq(e->key, managed_parameters[i].name)) {
            fault_add(ap->faults, e->key_src, "%s.%s: cannot be set here", key->path, e->key);
            fault_hint(ap->faults, "%s", managed_parameters[i].instead);
        }
    }
    if (e->value->type == VALUE_LIST || e->value->type == VALUE_MAP || e->value->type == VALUE_NULL)
        fault_add(ap->faults, e->value->src,
                  "%s.%s: must be a string, a number or a boolean, not %s", key->path, e->key,
                  value_type_name(e->value->type));
    else if (value_is_str(e->value) && strpbrk(e->value->u.str.s, "\n\r"))
        fault_add(ap->faults, e->value->src, "%s.%s: must be one line", key->path, e->key);
}

static struct value *apply_parameters(struct apply *ap, const struct schema_key *key,
                                      const struct value *v)
{
    if (v->type != VALUE_MAP) {
        wrong_type(ap, key, v);
        return NULL;
    }
    for (size_t i = 0; i < v->u.map.n; i++)
        check_parameter(ap, key, &v->u.map.entries[i]);
    return value_copy(ap->arena, v);
}

static struct value *apply_variables(struct apply *ap, const struct schema_key *key,
                                     const struct value *v)
{
    if (v->type == VALUE_MAP)
        return value_copy(ap->arena, v);
    wrong_type(ap, key, v);
    return NULL;
}

static void unknown_key(struct apply *ap, const char *section, const struct value_entry *e)
{
    const char *siblings[32], *name, *nearest;
    size_t n = 0;

    for (const struct schema_key *k = schema_keys; k->path; k++)
        if (schema_child_of(k, section, &name) && n < ARRAY_LEN(siblings))
            siblings[n++] = name;
    fault_add(ap->faults, e->key_src, "unknown key \"%s\"%s%s", e->key, *section ? " in " : "",
              section);
    if ((nearest = nearest_word(e->key, siblings, n)))
        fault_hint(ap->faults, "did you mean \"%s\"?", nearest);
    else {
        struct str list;

        str_init(&list, 1024);
        for (size_t i = 0; i < n; i++)
            str_printf(&list, "%s%s", i ? ", " : "", siblings[i]);
        fault_hint(ap->faults, "known here: %s", list.buf);
        str_release(&list);
    }
}

static bool key_is_known(const char *section, const char *key)
{
    const char *name;

    for (const struct schema_key *k = schema_keys; k->path; k++)
        if (schema_child_of(k, section, &name) && str_eq(name, key))
            return true;
    return false;
}

static struct value *default_of(struct apply *ap, const struct schema_key *key)
{
    struct faults none;
    struct value *v;

    if (key->type == SCHEMA_SECTION)
        return value_map(ap->arena);
    if (!key->otherwise)
        return NULL;
    faults_init(&none);
    v = yaml_parse(ap->arena, "schema", key->otherwise, strlen(key->otherwise), &none);
    if (!v)
        BUG("default of %s is no YAML: %s", key->path, key->otherwise);
    faults_release(&none);
    return v;
}

static struct value *apply_section(struct apply *ap, const char *section, const struct value *v)
{
    struct value *out = value_map(ap->arena);

    out->src = v->src;
    for (size_t i = 0; i < v->u.map.n; i++)
        if (!key_is_known(section, v->u.map.entries[i].key))
            unknown_key(ap, section, &v->u.map.entries[i]);
    for (const struct schema_key *k = schema_keys; k->path; k++) {
        const char *name;
        const struct value *given;
        struct value *made;

        if (!schema_child_of(k, section, &name))
            continue;
        given = value_get(v, name);
        if (!given || given->type == VALUE_NULL) {
            if (k->required) {
                fault_add(ap->faults, given ? given->src : v->src, "%s: is required", k->path);
                continue;
            }
            if (!(given = default_of(ap, k)))
                continue;
        }
        if ((made = apply_value(ap, k, given)))
            value_map_set(ap->arena, out, name, made);
    }
    return out;
}

static struct value *apply_record(struct apply *ap, const struct schema_key *key,
                                  const struct value *v)
{
    if (v->type != VALUE_MAP) {
        fault_add(ap->faults, v->src, "%s: each item must be a map, not %s", key->path,
                  value_type_name(v->type));
        return NULL;
    }
    return apply_section(ap, arena_printf(ap->arena, "%s[]", key->path), v);
}

static struct value *apply_subsection(struct apply *ap, const struct schema_key *key,
                                      const struct value *v)
{
    if (v->type != VALUE_MAP) {
        wrong_type(ap, key, v);
        return NULL;
    }
    return apply_section(ap, key->path, v);
}

static struct value *apply_value(struct apply *ap, const struct schema_key *key,
                                 const struct value *v)
{
    struct value *out = NULL;

    switch (key->type) {
    case SCHEMA_SECTION:
        return apply_subsection(ap, key, v);
    case SCHEMA_RECORDS:
        return apply_list(ap, key, v, apply_record);
    case SCHEMA_CLUSTER:
    case SCHEMA_IDENTIFIER:
        out = apply_name(ap, key, v);
        break;
    case SCHEMA_IDENTIFIERS:
        return apply_list(ap, key, v, apply_name);
    case SCHEMA_TEXT:
        out = apply_text(ap, key, v);
        break;
    case SCHEMA_VARIABLES:
        return apply_variables(ap, key, v);
    case SCHEMA_INT:
        out = apply_int(ap, key, v);
        break;
    case SCHEMA_CHOICE:
        out = apply_choice(ap, key, v);
        break;
    case SCHEMA_ADDRESS:
        out = apply_address(ap, key, v);
        break;
    case SCHEMA_CIDR:
        out = apply_cidr(ap, key, v);
        break;
    case SCHEMA_CIDRS:
        return apply_list(ap, key, v, apply_cidr);
    case SCHEMA_PARAMETERS:
        return apply_parameters(ap, key, v);
    case SCHEMA_SECONDS:
        return apply_seconds(ap, key, v);
    }
    if (out)
        out->src = v->src;
    return out;
}

bool schema_is_for(const struct schema_key *key, const char *provider)
{
    size_t len = strlen(provider);

    for (const char *p = key->providers; p; p = strchr(p, '|'), p = p ? p + 1 : p)
        if (strncmp(p, provider, len) == 0 && (p[len] == '|' || !p[len]))
            return true;
    return !key->providers;
}

/* "local and aws" */
static const char *provider_names(struct arena *a, const struct schema_key *key)
{
    const char *bar = strchr(key->providers, '|');

    return bar ? arena_printf(a, "%.*s and %s", (int)(bar - key->providers), key->providers,
                              bar + 1)
               : key->providers;
}

/* A key of the file that another provider has. */
static void check_provider(struct apply *ap, const struct value *file, const char *provider)
{
    for (const struct schema_key *k = schema_keys; k->path; k++) {
        const struct value *given =
            k->providers && !strchr(k->path, '[') ? value_at(file, k->path) : NULL;

        if (given && !schema_is_for(k, provider) && k->type != SCHEMA_SECTION)
            fault_add(ap->faults, given->src, "%s: is a key of provider %s, not of %s", k->path,
                      provider_names(ap->arena, k), provider);
    }
}

struct value *schema_apply(struct arena *a, const struct value *file, struct faults *faults)
{
    struct apply ap = {a, faults};
    const struct value *provider;
    struct value *out;

    if (file->type == VALUE_NULL) {
        fault_add(faults, file->src, "the cluster file is empty");
        fault_hint(faults, "`pgha-deploy init` writes one");
        return NULL;
    }
    if (file->type != VALUE_MAP) {
        fault_add(faults, file->src, "a cluster file is a map of keys, not %s",
                  value_type_name(file->type));
        return NULL;
    }
    out = apply_section(&ap, "", file);
    provider = value_at(out, "provider.name");
    if (provider)
        check_provider(&ap, file, provider->u.str.s);
    return out;
}
