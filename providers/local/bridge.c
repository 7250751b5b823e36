/*
 * bridge.c - resource kind "bridge": the cluster's network on this machine.
 *
 * The bridge has the gateway's address; nothing is forwarded or translated to other networks. The
 * cluster's record is written before and removed after it, so a claimed network is seen by others
 * even while the machine's reboot has taken the bridge away.
 */
#include <errno.h>
#include <unistd.h>

#include "providers/local/local.h"

#define LOCK_WAIT_MS 30000
#define ALIAS_SIZE   64

static void put_gateway_cidr(const struct provider_session *s, char *out, size_t size)
{
    snprintf(out, size, "%s/%d", s->cluster->gateway, s->cluster->prefix);
}

/* The folder is made before the record: a run that was killed in between leaves it alone. */
bool bridge_is_there(const struct provider_session *s)
{
    return link_exists(s->bridge) || file_exists(s->folder);
}

static struct value *make_record(const struct provider_session *s, struct arena *a)
{
    const struct cluster *c = s->cluster;
    struct value *record = value_map(a);

    value_map_set(a, record, "cluster", value_str(a, c->name));
    value_map_set(a, record, "file", value_str(a, s->file));
    value_map_set(a, record, "cidr", value_str(a, c->cidr));
    value_map_set(a, record, "gateway", value_str(a, c->gateway));
    value_map_set(a, record, "bridge", value_str(a, s->bridge));
    return record;
}

/* A name is a hash: should two ever be the same, the alias tells. None: a killed run's, or ours. */
static int check_alias(const struct provider_session *s, const char *wanted, struct err *err)
{
    char alias[ALIAS_SIZE];

    link_alias(s->bridge, alias, sizeof(alias));
    if (!*alias || str_eq(alias, wanted))
        return 0;
    return err_set(err, ERR_CONFLICT, "interface %s is not ours: its alias is '%s'", s->bridge,
                   alias);
}

static int make_link(const struct provider_session *s, struct err *err)
{
    char alias[ALIAS_SIZE], mac[MAC_SIZE], gateway[32];
    struct str commands;
    int rc;

    snprintf(alias, sizeof(alias), "pgha %s", s->cluster->name);
    local_mac(alias, mac);
    put_gateway_cidr(s, gateway, sizeof(gateway));
    str_init(&commands, STR_MAX_TEXT);
    /* With an address of its own, a bridge does not take on that of whichever host is there. */
    if (!link_exists(s->bridge))
        str_printf(&commands, "link add name %s address %s type bridge\n", s->bridge, mac);
    else if (check_alias(s, alias, err) < 0)
        return -1;
    str_printf(&commands, "link set dev %s alias \"%s\"\n", s->bridge, alias);
    link_put_address_removal(s->bridge, gateway, &commands);
    if (!link_has_address(s->bridge, gateway))
        str_printf(&commands, "address add %s dev %s\n", gateway, s->bridge);
    str_printf(&commands, "link set dev %s up\n", s->bridge);
    rc = ip_batch(NULL, &commands, err);
    str_release(&commands);
    return rc;
}

/* While it is held: who waits for it notices, and opens a new one. */
static void unlink_lock(int fd)
{
    unlink(LOCAL_LOCK);
    lock_release(fd);
}

void network_drop_lock(void)
{
    struct err ignored = ERR_INIT;
    int fd;

    if (!file_exists(LOCAL_LOCK))
        return;
    if (lock_take(LOCAL_LOCK, 0, &fd, &ignored) == 0)
        unlink_lock(fd);
    else
        err_release(&ignored); /* somebody is at it, and removes it */
}

static int claim_network(const struct provider_session *s, struct arena *a, struct err *err)
{
    int fd, rc;

    if (lock_take(LOCAL_LOCK, LOCK_WAIT_MS, &fd, err) < 0)
        return -1;
    rc = network_check_free(s, err);
    if (rc == 0)
        rc = file_mkdirs(s->folder, 0700, err);
    if (rc == 0)
        file_sweep(s->folder);
    if (rc == 0)
        rc = record_write(s->record, make_record(s, a), err);
    unlink_lock(fd);
    return rc;
}

/* --- the kind --- */

static void set_actual(const struct provider_session *s, struct resource *r,
                       const struct value *record)
{
    struct value *actual = value_map(r->arena);
    const char *cidr = value_get_str(record, "cidr", "");
    const char *gateway = value_get_str(record, "gateway", "");
    const char *slash = strchr(cidr, '/');
    char address[64];

    snprintf(address, sizeof(address), "%s%s", gateway, slash ? slash : "");
    value_map_set(r->arena, actual, "cidr", value_str(r->arena, cidr));
    value_map_set(r->arena, actual, "gateway", value_str(r->arena, gateway));
    value_map_set(
        r->arena, actual, "up",
        value_bool(r->arena, link_is_up(s->bridge) && link_has_address(s->bridge, address)));
    r->actual = actual;
}

static int bridge_read(void *provider, struct resource *r, struct err *err)
{
    const struct provider_session *s = provider;
    struct value *record = record_read(r->arena, s->record, err);

    if (!record)
        return -1;
    if (bridge_is_there(s))
        set_actual(s, r, record);
    return 0;
}

static int bridge_ensure(void *provider, struct resource *r, struct err *err)
{
    const struct provider_session *s = provider;

    if (claim_network(s, r->arena, err) < 0 || make_link(s, err) < 0)
        return -1;
    return bridge_read(provider, r, err);
}

static int remove_record(const struct provider_session *s, struct err *err)
{
    file_sweep(s->folder);
    if (unlink(s->record) != 0 && errno != ENOENT)
        return err_set_errno(err, "%s", s->record);
    if (rmdir(s->folder) != 0 && errno != ENOENT)
        return err_set_errno(err, "%s", s->folder);
    /* These go with the last cluster. */
    if (rmdir(LOCAL_CLUSTERS) == 0)
        rmdir("/var/lib/pgha-deploy");
    return 0;
}

/* Under the lock, as claiming is: else a network could be taken by two. */
static int give_network_back(const struct provider_session *s, struct err *err)
{
    int fd, rc;

    if (lock_take(LOCAL_LOCK, LOCK_WAIT_MS, &fd, err) < 0)
        return -1;
    rc = remove_record(s, err);
    unlink_lock(fd);
    return rc;
}

static int bridge_destroy(void *provider, struct resource *r, struct err *err)
{
    const struct provider_session *s = provider;
    struct str commands;
    int rc = 0;

    str_init(&commands, STR_MAX_TEXT);
    if (link_exists(s->bridge))
        str_printf(&commands, "link delete dev %s\n", s->bridge);
    rc = ip_batch(NULL, &commands, err);
    str_release(&commands);
    if (rc == 0)
        rc = give_network_back(s, err);
    if (rc == 0)
        r->actual = NULL;
    return rc;
}

static const struct attr attrs[] = {{"cidr", 0}, {"gateway", 0}, {"up", 0}, {NULL, 0}};

const struct resource_kind local_bridge_kind = {
    .name = "bridge",
    .attrs = attrs,
    .read = bridge_read,
    .create = bridge_ensure,
    .update = bridge_ensure,
    .destroy = bridge_destroy,
};
