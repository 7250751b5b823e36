/* zones.c - subnets by zone, and who gets which address in them. */
#include "lib/cluster/zones.h"

#include "lib/cluster/existing.h"
#include "lib/cluster/schema.h"

enum { DEFAULT_ZONES = 3, MAX_ZONES = 8, VPC_MIN_PREFIX = 16, VPC_MAX_PREFIX = 28 };

/* Where a group begins in a subnet, and where the next one does. The last row that fits counts. */
static const struct places {
    int size; /* addresses of the subnet */
    int db, lb, etcd, vip;
} places[] = {
    {16, 4, 8, 10, 14},
    {32, 4, 14, 22, 30},
    {128, 11, 51, 71, 100},
};

static const struct places *places_of(const struct cluster_subnet *s)
{
    const struct places *found = NULL;

    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (s->prefix <= 32 && (int64_t)places[i].size <= (int64_t)1 << (32 - s->prefix))
            found = &places[i];
    return found;
}

static bool vip_moves_by(const struct cluster *c, const char *mode)
{
    return str_eq(cluster_vip_mode(c), mode);
}

/* ---- subnets ---- */

static void add_subnet(struct cluster *c, const char *kind, int zone, uint32_t network, int prefix)
{
    struct cluster_subnet s = {.name = arena_printf(&c->arena, "%s-%d", kind, zone + 1),
                               .network = network,
                               .prefix = prefix,
                               .zone = zone,
                               .is_public = str_eq(kind, "public")};
    char text[16];

    address_format(network, text);
    s.cidr = arena_printf(&c->arena, "%s/%d", text, prefix);
    vec_push(&c->subnets, s);
}

static void cut(struct cluster *c, int zones, struct faults *faults)
{
    int bits = 1;

    while (1 << bits < 2 * zones)
        bits++;
    if (c->prefix < VPC_MIN_PREFIX || c->prefix + bits > VPC_MAX_PREFIX) {
        fault_add(faults, cluster_source(c, "network.cidr"),
                  "network.cidr: %s cannot be a VPC with %d zone%s", c->cidr, zones,
                  zones == 1 ? "" : "s");
        fault_hint(faults, "use a prefix from /%d to /%d", VPC_MIN_PREFIX, VPC_MAX_PREFIX - bits);
        return;
    }
    for (int half = 0; half < 2; half++)
        for (int zone = 0; zone < zones; zone++) {
            int part = half * (1 << (bits - 1)) + zone, prefix = c->prefix + bits;

            add_subnet(c, half ? "public" : "private", zone,
                       c->network + ((uint32_t)part << (32 - prefix)), prefix);
        }
}

static bool overlaps(const struct cluster_subnet *a, uint32_t network, int prefix)
{
    int shorter = a->prefix < prefix ? a->prefix : prefix;
    uint32_t mask = shorter ? ~(uint32_t)0 << (32 - shorter) : 0;

    return ((a->network ^ network) & mask) == 0;
}

/* One of the user's own; what is wrong with it is a fault at its place. */
static void take_subnet(struct cluster *c, const struct value *given, struct faults *faults)
{
    const char *id = value_get_str(given, "id", ""), *cidr = value_get_str(given, "cidr", "");
    uint32_t network;
    int prefix;

    if (!str_starts(id, "subnet-"))
        fault_add(faults, given->src, "provider.subnets[].id: \"%s\" is no id of a subnet", id);
    if (cidr_parse(cidr, &network, &prefix) < 0)
        return; /* its fault is listed already */
    if (prefix > VPC_MAX_PREFIX || (network & c->netmask) != c->network || prefix < c->prefix) {
        fault_add(faults, given->src, "provider.subnets[].cidr: %s is no subnet of network.cidr %s",
                  cidr, c->cidr);
        return;
    }
    vec_each (s, &c->subnets)
        if (overlaps(s, network, prefix))
            fault_add(faults, given->src, "provider.subnets[].cidr: %s overlaps %s", cidr, s->cidr);
    add_subnet(c, "private", (int)c->subnets.n, network, prefix);
    c->subnets.items[c->subnets.n - 1].id = arena_strdup(&c->arena, id);
}

static void check_bastion(const struct cluster *c, struct faults *faults)
{
    const struct value *bastion = value_at(c->config, "provider.bastion");
    const struct value *subnets = value_at(c->config, "provider.subnets");

    if (!bastion || !str_eq(bastion->u.str.s, "on"))
        return;
    if (!value_at(c->config, "access.ssh")) {
        fault_add(faults, cluster_source(c, "provider.bastion"),
                  "provider.bastion: nobody outside of the VPC may log in to it");
        fault_hint(faults, "access: {ssh: [your own address/32]}");
    }
    if (subnets && subnets->u.list.n)
        fault_add(faults, cluster_source(c, "provider.bastion"),
                  "provider.bastion: goes into a subnet that is made, but provider.subnets has "
                  "yours");
}

/* An elastic IP is of use to those outside of the VPC, and to balancers with a way there. */
static void check_public_vip(const struct cluster *c, struct faults *faults)
{
    const struct value *subnets = value_at(c->config, "provider.subnets");

    if (!cluster_has_public_vip(c))
        return;
    if (!value_at(c->config, "access.postgres")) {
        fault_add(faults, cluster_source(c, "vip.mode"),
                  "vip.mode: nobody outside of the VPC may connect to an elastic IP");
        fault_hint(faults,
                   "access: {postgres: [networks of the clients, and your own address/32]}");
    }
    if (subnets && subnets->u.list.n)
        fault_add(faults, cluster_source(c, "vip.mode"),
                  "vip.mode: eip needs public subnets, which are made, but provider.subnets has "
                  "yours");
}

static void check_placement(const struct cluster *c, struct faults *faults)
{
    enum { SPREAD_MAX = 7 }; /* instances of a spread placement group in one zone */
    const struct value *placed = value_at(c->config, "provider.placement_group");
    bool one_zone = true;

    vec_each (h, &c->hosts)
        one_zone &= h->subnet == c->hosts.items[0].subnet;
    if (!placed || !str_eq(placed->u.str.s, "on") || (one_zone && c->hosts.n <= SPREAD_MAX))
        return;
    fault_add(faults, cluster_source(c, "provider.placement_group"),
              "provider.placement_group: is for hosts in one zone, at most %d", SPREAD_MAX);
    fault_hint(faults, "leave it out: hosts in several zones are on different machines");
}

static void check_tags(const struct cluster *c, struct faults *faults)
{
    const struct value *tags = value_at(c->config, "provider.default_tags");

    for (size_t i = 0; tags && i < tags->u.map.n; i++) {
        const struct value_entry *e = &tags->u.map.entries[i];

        if (value_is_str(e->value) && !str_starts(e->key, "aws:") && !str_starts(e->key, "pgha-"))
            continue;
        fault_add(faults, e->key_src, "provider.default_tags.%s: %s", e->key,
                  value_is_str(e->value) ? "tags that begin so are not the user's"
                                         : "must be text: quote it");
    }
}

/* Where roles/postgres mounts it. */
static void check_volume(const struct cluster *c, struct faults *faults)
{
    const struct value *data_dir = value_at(c->config, "postgres.data_dir");

    if (!value_at(c->config, "provider.data_volume.size") || !data_dir ||
        str_starts(data_dir->u.str.s, "/var/lib/postgresql/"))
        return;
    fault_add(faults, data_dir->src,
              "postgres.data_dir: %s is not on provider.data_volume, which is mounted at "
              "/var/lib/postgresql",
              data_dir->u.str.s);
}

void zones_check(const struct cluster *c, struct faults *faults)
{
    check_volume(c, faults);
    check_bastion(c, faults);
    check_public_vip(c, faults);
    check_tags(c, faults);
    check_placement(c, faults);
}

void zones_load(struct cluster *c, struct faults *faults)
{
    const struct value *zones = value_at(c->config, "provider.zones");
    const struct value *given = value_at(c->config, "provider.subnets");
    size_t n = zones ? zones->u.list.n : DEFAULT_ZONES;

    if (zones && given->u.list.n) {
        fault_add(faults, zones->src, "provider.zones: the existing subnets have their zones");
    } else if (given->u.list.n && !value_at(c->config, "provider.vpc")) {
        fault_add(faults, given->src, "provider.subnets: needs provider.vpc, the VPC they are in");
    } else if (given->u.list.n) {
        for (size_t i = 0; i < given->u.list.n; i++)
            take_subnet(c, given->u.list.items[i], faults);
    } else if (n == 0 || n > MAX_ZONES) {
        fault_add(faults, zones->src, "provider.zones: one to %d of them", MAX_ZONES);
    } else {
        cut(c, (int)n, faults);
    }
}

/* ---- hosts ---- */

static int private_zones(const struct cluster *c)
{
    int n = 0;

    vec_each (s, &c->subnets)
        n += !s->is_public;
    return n;
}

static const char *address_in(const struct cluster_subnet *s, int place, struct arena *a)
{
    char text[16];

    address_format(s->network + (uint32_t)place, text);
    return arena_strdup(a, text);
}

/* No database host is in a public subnet. */
const char *zones_spare_address(const struct cluster_subnet *s, int index, struct arena *a)
{
    return address_in(s, places_of(s)->db + index, a);
}

const char *zones_address(struct cluster *c, enum zone_group group, int index, int *subnet,
                          struct faults *faults)
{
    static const char *const keys[] = {"nodes.db.count", "nodes.lb.count", "nodes.etcd.count"};
    bool together = group == ZONE_LB && vip_moves_by(c, "private-ip");
    int zones = together ? 1 : private_zones(c), turn = zones ? index / zones : 0;
    const struct cluster_subnet *s;
    const struct places *p;
    int first, end;

    *subnet = zones ? index % zones : 0; /* the private ones come first */
    if (group == ZONE_LB && cluster_has_public_vip(c) && c->subnets.n > (size_t)zones)
        *subnet += zones;
    s = &c->subnets.items[*subnet];
    p = places_of(s);
    first = group == ZONE_DB ? p->db : group == ZONE_LB ? p->lb : p->etcd;
    end = group == ZONE_DB ? p->lb : group == ZONE_LB ? p->etcd : p->vip;
    if (first + turn < end)
        return address_in(s, first + turn, &c->arena);
    fault_add(faults, cluster_source(c, keys[group]),
              "%s: subnet %s has room for %d of them, and %d are asked for", keys[group], s->cidr,
              end - first, turn + 1);
    fault_hint(faults, "more zones, or a larger network.cidr");
    return NULL;
}

/* An address that is not of the VPC. */
static const char *outer_vip(struct cluster *c, const char *given, struct faults *faults)
{
    bool elastic = vip_moves_by(c, "eip");
    uint32_t vip;

    if (!given && elastic)
        return CLUSTER_VIP_TO_COME;
    if (!given) {
        fault_add(faults, cluster_source(c, "vip.mode"),
                  "network.vip: vip.mode route needs an address outside of network.cidr");
        fault_hint(faults, "network: {vip: 10.255.0.100}, say, which nothing else in reach has");
        return NULL;
    }
    if (address_parse(given, &vip) == 0 && (vip & c->netmask) == c->network)
        fault_add(faults, cluster_source(c, "network.vip"),
                  "network.vip: %s is inside network.cidr %s, where no %s can be", given, c->cidr,
                  elastic ? "elastic IP" : "route");
    return given;
}

const char *zones_vip(struct cluster *c, const char *given, struct faults *faults)
{
    const struct cluster_subnet *s = &c->subnets.items[0];
    struct source src = cluster_source(c, "network.vip");
    uint32_t vip, offset, size = (uint32_t)1 << (32 - s->prefix);

    if (!vip_moves_by(c, "private-ip"))
        return outer_vip(c, given, faults);
    if (!given)
        return address_in(s, places_of(s)->vip, &c->arena);
    if (address_parse(given, &vip) < 0)
        return given; /* its fault is listed already */
    offset = vip - s->network;
    if (vip < s->network || offset >= size)
        fault_add(faults, src, "network.vip: %s is not in %s, the subnet of the balancers", given,
                  s->cidr);
    else if (offset < 4 || offset == size - 1)
        fault_add(faults, src, "network.vip: %s is one of the five addresses of %s that AWS keeps",
                  given, s->cidr);
    return given;
}
