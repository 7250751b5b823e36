/*
 * network.c - which networks are in use on this machine: other clusters' records (also of those
 * that are not up now), addresses, routes.
 */
#include <arpa/inet.h>
#include <ifaddrs.h>

#include "providers/local/local.h"

#define ROUTES_MAX_BYTES ((size_t)4 << 20)
#define HALF_OF_EVERYTHING                                                                         \
    1 /* VPNs route 0.0.0.0/1 and 128.0.0.0/1 in place of a default route                          \
       */

static uint32_t mask_of(int prefix)
{
    return prefix == 0 ? 0 : 0xffffffffU << (32 - prefix);
}

static int prefix_of(uint32_t mask)
{
    return __builtin_popcount(mask);
}

bool subnet_parse(const char *cidr, struct subnet *out)
{
    char address[INET_ADDRSTRLEN], *end;
    const char *slash = strchr(cidr, '/');
    struct in_addr parsed;
    long prefix;

    if (!slash || (size_t)(slash - cidr) >= sizeof(address) || slash[1] < '0' || slash[1] > '9')
        return false;
    memcpy(address, cidr, (size_t)(slash - cidr));
    address[slash - cidr] = '\0';
    prefix = strtol(slash + 1, &end, 10);
    if (*end || prefix > 32 || inet_pton(AF_INET, address, &parsed) != 1)
        return false;
    *out = (struct subnet){.network = ntohl(parsed.s_addr), .prefix = (int)prefix};
    return (out->network & ~mask_of(out->prefix)) == 0;
}

bool subnet_overlaps(const struct subnet *a, const struct subnet *b)
{
    uint32_t mask = mask_of(a->prefix < b->prefix ? a->prefix : b->prefix);

    return (a->network & mask) == (b->network & mask);
}

static void add(struct subnets *taken, uint32_t address, int prefix, const char *owner)
{
    struct subnet subnet = {address & mask_of(prefix), prefix, owner};

    vec_push(&taken->list, subnet);
}

void subnets_add_routes(struct subnets *taken, const char *text, const char *except)
{
    const char *line = strchr(text, '\n'); /* after the heading */

    for (; line; line = strchr(line + 1, '\n')) {
        char link[IFNAMSIZ];
        unsigned destination, mask;
        int prefix;

        /* Iface Destination Gateway Flags RefCnt Use Metric Mask ...; in network byte order. */
        if (sscanf(line + 1, "%15s %8x %*x %*x %*d %*d %*d %8x", link, &destination, &mask) != 3)
            continue;
        prefix = prefix_of(mask);
        if (prefix > HALF_OF_EVERYTHING && !str_eq(link, except))
            add(taken, ntohl(destination), prefix,
                arena_printf(&taken->arena, "a route of this machine (%s)", link));
    }
}

static int add_routes(struct subnets *taken, const char *except, struct err *err)
{
    struct str text;
    int rc;

    str_init(&text, ROUTES_MAX_BYTES);
    rc = file_read("/proc/net/route", &text, err);
    if (rc == 0)
        subnets_add_routes(taken, text.buf, except);
    str_release(&text);
    return rc;
}

static int add_interfaces(struct subnets *taken, const char *except, struct err *err)
{
    struct ifaddrs *all;

    if (getifaddrs(&all) != 0)
        return err_set_errno(err, "listing this machine's addresses");
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        struct in_addr address, mask;

        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !i->ifa_netmask ||
            str_eq(i->ifa_name, except))
            continue;
        address = ((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr;
        mask = ((struct sockaddr_in *)(void *)i->ifa_netmask)->sin_addr;
        add(taken, ntohl(address.s_addr), prefix_of(mask.s_addr),
            arena_printf(&taken->arena, "this machine's interface %s", i->ifa_name));
    }
    freeifaddrs(all);
    return 0;
}

struct records_walk {
    struct subnets *taken;
    const char *own;
};

static int add_record(void *context, const char *cluster, const char *folder,
                      const struct value *record, struct err *err)
{
    struct records_walk *walk = context;
    struct subnet subnet;

    UNUSED(folder);
    UNUSED(err);
    if (!str_eq(cluster, walk->own) && subnet_parse(value_get_str(record, "cidr", ""), &subnet))
        add(walk->taken, subnet.network, subnet.prefix,
            arena_printf(&walk->taken->arena, "cluster '%s' (%s)", cluster,
                         value_get_str(record, "file", "")));
    return 0;
}

static const struct subnet *find_overlap(const struct subnets *taken, const struct subnet *wanted)
{
    vec_each (subnet, &taken->list) {
        if (subnet_overlaps(subnet, wanted))
            return subnet;
    }
    return NULL;
}

bool subnets_suggest(const struct subnets *taken, char *out, size_t size)
{
    static const struct {
        unsigned first, from, to; /* first.N.0.0/24, or 192.168.N.0/24 */
    } ranges[] = {{10, 77, 127}, {172, 20, 31}, {192, 200, 254}};

    for (size_t r = 0; r < ARRAY_LEN(ranges); r++) {
        for (unsigned n = ranges[r].from; n <= ranges[r].to; n++) {
            unsigned second = ranges[r].first == 192 ? 168 : n;
            unsigned third = ranges[r].first == 192 ? n : 0;
            struct subnet candidate = {.network = ranges[r].first << 24 | second << 16 | third << 8,
                                       .prefix = 24};

            if (!find_overlap(taken, &candidate)) {
                snprintf(out, size, "%u.%u.%u.0/24", ranges[r].first, second, third);
                return true;
            }
        }
    }
    return false;
}

static int report_overlap(const struct subnets *taken, const struct subnet *other, const char *cidr,
                          struct err *err)
{
    struct in_addr address = {htonl(other->network)};
    char text[INET_ADDRSTRLEN], other_cidr[32];

    err_set(err, ERR_CONFLICT, "network %s overlaps %s/%d of %s", cidr,
            inet_ntop(AF_INET, &address, text, sizeof(text)), other->prefix, other->owner);
    if (subnets_suggest(taken, other_cidr, sizeof(other_cidr)))
        err_hint(err, "set network.cidr to one that is free, such as %s", other_cidr);
    return -1;
}

int network_check_free(const struct provider_session *s, struct err *err)
{
    struct subnets taken = {.arena = ARENA_INIT};
    struct records_walk walk = {&taken, s->cluster->name};
    struct subnet wanted = {.network = s->cluster->network, .prefix = s->cluster->prefix};
    const struct subnet *other;
    int rc = -1;

    if (record_each_cluster(add_record, &walk, err) < 0 ||
        add_interfaces(&taken, s->bridge, err) < 0 || add_routes(&taken, s->bridge, err) < 0)
        goto out;
    other = find_overlap(&taken, &wanted);
    rc = other ? report_overlap(&taken, other, s->cluster->cidr, err) : 0;
out:
    vec_release(&taken.list);
    arena_release(&taken.arena);
    return rc;
}
