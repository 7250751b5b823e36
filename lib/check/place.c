/* place.c - which of a host's addresses the other members use. */
#include "lib/check/place.h"

#include "lib/cluster/schema.h"

struct network {
    uint32_t address, mask;
};

static uint32_t mask_of(int prefix)
{
    return prefix ? ~(uint32_t)0 << (32 - prefix) : 0;
}

static bool contains(const struct network *net, const char *address)
{
    uint32_t number;

    return address && address_parse(address, &number) == 0 && (number & net->mask) == net->address;
}

/* https://www.rfc-editor.org/rfc/rfc1918, and the carriers' own of rfc6598. */
static bool is_private(const struct network *net)
{
    static const struct network ranges[] = {{0x0a000000, 0xff000000},
                                            {0xac100000, 0xfff00000},
                                            {0xc0a80000, 0xffff0000},
                                            {0x64400000, 0xffc00000}};

    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if ((net->address & ranges[i].mask) == ranges[i].address)
            return true;
    return false;
}

/* An address that may be taken without being asked for. */
static bool is_candidate(const struct cluster *c, const struct host_address *a)
{
    uint32_t number;

    return a->family == 4 && a->scope == SCOPE_GLOBAL && !a->is_virtual && a->prefix > 0 &&
           a->prefix <= 32 && !str_eq(a->address, c->vip) &&
           address_parse(a->address, &number) == 0;
}

static const struct host_address *find_in(const struct cluster *c, const struct host_facts *f,
                                          const struct network *net)
{
    vec_each (a, &f->addresses)
        if (is_candidate(c, a) && contains(net, a->address))
            return a;
    return NULL;
}

static const struct host_address *find_on(const struct cluster *c, const struct host_facts *f,
                                          const char *interface)
{
    vec_each (a, &f->addresses)
        if (str_eq(a->interface, interface) && a->family == 4 && !str_eq(a->address, c->vip))
            return a;
    return NULL;
}

/* ---- one network for all ---- */

static bool all_have(const struct cluster *c, const struct host_facts *const *facts,
                     const struct network *net)
{
    for (size_t i = 0; i < c->hosts.n; i++)
        if (facts[i] && !find_in(c, facts[i], net))
            return false;
    return true;
}

static int score(const struct host_facts *first, const struct network *net)
{
    return 2 * is_private(net) + contains(net, first->ssh_server_address);
}

static bool shared_network(const struct cluster *c, const struct host_facts *const *facts,
                           struct network *best)
{
    const struct host_facts *first = NULL;
    bool found = false;

    for (size_t i = 0; i < c->hosts.n && !first; i++)
        first = facts[i];
    if (!first)
        return false;
    vec_each (a, &first->addresses) {
        struct network net;

        if (!is_candidate(c, a) || address_parse(a->address, &net.address) < 0)
            continue;
        net.mask = mask_of(a->prefix);
        net.address &= net.mask;
        if (a->prefix == 32 || !all_have(c, facts, &net) ||
            (found && score(first, &net) <= score(first, best)))
            continue;
        *best = net;
        found = true;
    }
    return found;
}

/* ---- one host ---- */

static const struct host_address *fallback(const struct cluster *c, const struct host_facts *f,
                                           const char **why)
{
    const struct host_address *login =
        f->ssh_server_address ? survey_address(f, f->ssh_server_address) : NULL;

    *why = "it is logged in to";
    if (login && is_candidate(c, login))
        return login;
    *why = "it has the default route";
    vec_each (route, &f->routes)
        vec_each (a, &f->addresses)
            if (str_eq(a->interface, route->interface) && is_candidate(c, a))
                return a;
    *why = "it is the only one";
    vec_each (a, &f->addresses)
        if (is_candidate(c, a))
            return a;
    return NULL;
}

static const char *list_addresses(const struct host_facts *f, struct arena *a)
{
    struct str s;
    const char *text;

    str_init(&s, 4096);
    vec_each (each, &f->addresses)
        if (each->family == 4 && each->scope == SCOPE_GLOBAL)
            str_printf(&s, "%s%s %s/%d", s.len ? ", " : "", each->interface, each->address,
                       each->prefix);
    text = arena_strdup(a, s.len ? s.buf : "none of IPv4");
    str_release(&s);
    return text;
}

static const struct host_address *choose(const struct cluster *c, const struct cluster_host *h,
                                         const struct host_facts *f, const struct network *shared,
                                         struct arena *arena, const char **why)
{
    const struct value *given = inventory_vars(&c->given, map_get(&c->given.hosts, h->name), arena);
    const char *address = value_get_str(given, "address", NULL);
    const char *interface = value_get_str(given, "interface", NULL);
    struct network cidr = {c->network, c->netmask};

    *why = "the inventory says so";
    if (address)
        return survey_address(f, address);
    if (interface)
        return find_on(c, f, interface);
    *why = "it is inside network.cidr";
    if (c->cidr)
        return find_in(c, f, &cidr);
    *why = "all hosts share its network";
    return shared ? find_in(c, f, shared) : fallback(c, f, why);
}

int place_hosts(const struct cluster *c, const struct host_facts *const *facts,
                struct place *places, struct arena *a, struct err *err)
{
    struct network shared;
    bool share = c->hosts.n > 0 && shared_network(c, facts, &shared);

    for (size_t i = 0; i < c->hosts.n; i++) {
        const struct cluster_host *h = &c->hosts.items[i];
        const struct host_address *found;
        const char *why;

        if (!facts[i]) {
            places[i] = (struct place){h->address, h->interface, c->prefix, "it was not asked"};
            continue;
        }
        found = choose(c, h, facts[i], share ? &shared : NULL, a, &why);
        if (!found) {
            err_set(err, ERR_INPUT, "%s: none of its addresses fits: %s", h->name,
                    list_addresses(facts[i], a));
            return err_hint(err, "give the right one as `address` (or `interface`) in its "
                                 "variables, or set network.cidr");
        }
        places[i] = (struct place){arena_strdup(a, found->address),
                                   arena_strdup(a, found->interface), found->prefix, why};
    }
    return 0;
}

static bool is_container(const struct host_facts *f)
{
    static const char *const kinds[] = {"systemd-nspawn", "lxc", "lxc-libvirt", "docker", "podman"};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq(f->virtualization, kinds[i]))
            return true;
    return false;
}

static void add_once(struct value *list, const char *text, struct arena *a)
{
    for (size_t i = 0; i < list->u.list.n; i++)
        if (str_eq(list->u.list.items[i]->u.str.s, text))
            return;
    value_list_add(a, list, value_str(a, text));
}

struct value *place_to_value(const struct cluster *c, const struct host_facts *const *facts,
                             const struct place *places, struct arena *a)
{
    struct value *top = value_map(a), *hosts = value_list(a), *seen = value_list(a);

    for (size_t i = 0; i < c->hosts.n; i++) {
        const struct cluster_host *h = &c->hosts.items[i];
        struct value *v = value_map(a);

        value_map_set(a, v, "name", value_str(a, h->name));
        value_map_set(a, v, "address", value_str(a, places[i].address));
        value_map_set(a, v, "interface",
                      places[i].interface ? value_str(a, places[i].interface) : value_null(a));
        value_map_set(a, v, "prefix", value_int(a, places[i].prefix));
        value_map_set(a, v, "container",
                      value_bool(a, facts[i] ? is_container(facts[i]) : h->is_container));
        value_list_add(a, hosts, v);
        if (facts[i] && facts[i]->ssh_client_address)
            add_once(seen, facts[i]->ssh_client_address, a);
    }
    value_map_set(a, top, "hosts", hosts);
    value_map_set(a, top, "seen_from", seen);
    if (c->system_id)
        value_map_set(a, top, "system_id", value_strf(a, "%llu", (unsigned long long)c->system_id));
    return top;
}
