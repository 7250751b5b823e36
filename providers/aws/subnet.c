/* subnet.c - a subnet, and the zones of the region. */
#include "lib/cluster/zones.h"
#include "providers/aws/aws.h"
#include "providers/aws/xml.h"

/* ---- zones ---- */

struct aws_zones {
    pthread_mutex_t lock; /* held while they are asked for: the others wait */
    struct arena arena;
    struct value *list; /* by name; NULL: not asked for */
};

struct aws_zones *aws_zones_new(void)
{
    struct aws_zones *z = xcalloc(1, sizeof(*z));

    pthread_mutex_init(&z->lock, NULL);
    arena_init(&z->arena);
    return z;
}

void aws_zones_free(struct aws_zones *z)
{
    if (!z)
        return;
    pthread_mutex_destroy(&z->lock);
    arena_release(&z->arena);
    free(z);
}

static int compare_names(const void *a, const void *b)
{
    const struct value *const *x = a, *const *y = b;

    return strcmp(value_get_str(*x, "zoneName", ""), value_get_str(*y, "zoneName", ""));
}

/* The region's zones that are open to the account, by name; local zones and the like are none. */
static struct value *ask_zones(struct provider_session *s, struct arena *a, struct err *err)
{
    struct aws_call call;
    struct value *v, *zones;

    aws_call_init(&call, &aws_ec2, "DescribeAvailabilityZones");
    aws_put(&call, "zone-type", "Filter.1.Name");
    aws_put(&call, "availability-zone", "Filter.1.Value.1");
    aws_put(&call, "state", "Filter.2.Name");
    aws_put(&call, "available", "Filter.2.Value.1");
    v = aws_send(s->client, &call, a, err);
    aws_call_release(&call);
    zones = value_get(v, "availabilityZoneInfo");
    if (zones && zones->type == VALUE_LIST && zones->u.list.n) {
        qsort(zones->u.list.items, zones->u.list.n, sizeof(*zones->u.list.items), compare_names);
        return zones;
    }
    if (v)
        err_set(err, ERR_NET, "DescribeAvailabilityZones: the answer has no zones");
    return NULL;
}

const struct value *aws_list_zones(struct provider_session *s, struct err *err)
{
    struct aws_zones *z = s->zones;

    pthread_mutex_lock(&z->lock);
    if (!z->list)
        z->list = ask_zones(s, &z->arena, err);
    pthread_mutex_unlock(&z->lock);
    return z->list;
}

static void put_names(const struct value *zones, struct str *out)
{
    for (size_t i = 0; i < zones->u.list.n; i++)
        str_printf(out, "%s%s", i ? ", " : "",
                   value_get_str(zones->u.list.items[i], "zoneName", ""));
}

const char *aws_zone_given(const struct provider_session *s, int zone, struct arena *a)
{
    const struct value *given = value_at(s->cluster->config, "provider.zones");
    const char *name;

    if (!given || (size_t)zone >= given->u.list.n)
        return NULL;
    name = given->u.list.items[zone]->u.str.s;
    return strlen(name) == 1 ? arena_printf(a, "%s%s", s->client->region, name)
                             : arena_strdup(a, name);
}

/* The given one, or the zone-th by name. */
static int zone_name(struct provider_session *s, int zone, struct arena *a, const char **name,
                     struct err *err)
{
    const struct value *zones;
    struct str names;

    if ((*name = aws_zone_given(s, zone, a)))
        return 0;
    if (!(zones = aws_list_zones(s, err)))
        return -1;
    if ((size_t)zone < zones->u.list.n) {
        *name = value_get_str(zones->u.list.items[zone], "zoneName", "");
        return 0;
    }
    str_init(&names, STR_MAX_TEXT);
    put_names(zones, &names);
    err_set(err, ERR_INPUT, "region %s has %zu zones for this account, not %d: %s",
            s->client->region, zones->u.list.n, zone + 1, names.buf);
    err_hint(err, "provider: {zones: [...]} with as many as there are");
    str_release(&names);
    return -1;
}

int aws_zone_of(struct provider_session *s, const struct cluster_subnet *subnet, struct arena *a,
                const char **zone, struct err *err)
{
    const struct value *listed = NULL;
    struct value *looked = NULL;

    if (subnet->id && aws_look(s, &aws_subnet, subnet->id, a, &looked, err) < 0)
        return -1;
    if (subnet->id && !looked)
        return err_set(err, ERR_INPUT, "region %s has no subnet %s", s->client->region, subnet->id);
    if (!subnet->id && aws_find(s, &aws_subnet, subnet->name, &listed, err) < 0)
        return -1;
    *zone = value_get_str(looked ? looked : listed, "availabilityZone", NULL);
    return *zone ? 0 : zone_name(s, subnet->zone, a, zone, err);
}

/* ---- the kind ---- */

const char *aws_spare_address(const struct provider_session *s, enum aws_place place,
                              struct arena *a)
{
    return zones_spare_address(aws_subnet_named(s->cluster, "public-1"), (int)place, a);
}

const struct cluster_subnet *aws_subnet_named(const struct cluster *c, const char *name)
{
    vec_each (subnet, &c->subnets)
        if (str_eq(subnet->name, name))
            return subnet;
    BUG("the cluster has no subnet %s", name);
}

static int model_subnet(struct provider_session *s, const struct value *item, struct resource *r,
                        struct err *err)
{
    UNUSED(s);
    UNUSED(err);
    value_map_set(r->arena, r->actual, "cidr",
                  value_str(r->arena, value_get_str(item, "cidrBlock", "")));
    value_map_set(r->arena, r->actual, "state",
                  value_str(r->arena, value_get_str(item, "state", "")));
    value_map_set(r->arena, r->actual, "zone",
                  value_str(r->arena, value_get_str(item, "availabilityZone", "")));
    value_map_set(r->arena, r->actual, "vpc",
                  value_str(r->arena, value_get_str(item, "vpcId", "")));
    return 0;
}

static int create_subnet(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    const struct cluster_subnet *subnet = aws_subnet_named(s->cluster, r->name);
    struct aws_call call;
    const char *zone;
    int rc;

    if (zone_name(s, subnet->zone, r->arena, &zone, err) < 0)
        return -1;
    aws_call_init(&call, &aws_ec2, "CreateSubnet");
    aws_put(&call, aws_vpc_id(s), "VpcId");
    aws_put(&call, subnet->cidr, "CidrBlock");
    aws_put(&call, zone, "AvailabilityZone");
    aws_put_tags(&call, r, aws_subnet.tag_type, 1);
    rc = aws_create(s, r, &call, "subnet.subnetId", err);
    aws_call_release(&call);
    return rc;
}

static const struct attr attrs[] = {{"id", ATTR_COMPUTED},
                                    {"state", ATTR_COMPUTED},
                                    {"vpc", ATTR_COMPUTED},
                                    {"cidr", ATTR_REPLACE},
                                    {"zone", ATTR_REPLACE},
                                    {"tags", 0},
                                    {NULL, 0}};
static const char *const after[] = {"vpc", NULL};

const struct aws_kind aws_subnet = {
    .plan = {.name = "subnet",
             .attrs = attrs,
             .read = aws_read,
             .create = create_subnet,
             .update = aws_update_tags,
             .destroy = aws_destroy,
             .wait = aws_wait_available},
    .remove = "DeleteSubnet",
    .remove_by = "SubnetId",
    .describe = "DescribeSubnets",
    .list = "subnetSet",
    .id = "subnetId",
    .id_filter = "subnet-id",
    .tag_type = "subnet",
    .after = after,
    .model = model_subnet,
};
