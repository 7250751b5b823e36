/*
 * elastic_ip.c - elastic IPs: the NAT gateway's, and the one that moves between the balancers.
 */
#include "providers/aws/aws.h"
#include "providers/aws/xml.h"

static int model(struct provider_session *s, const struct value *item, struct resource *r,
                 struct err *err)
{
    UNUSED(s);
    UNUSED(err);
    value_map_set(r->arena, r->actual, "address",
                  value_str(r->arena, value_get_str(item, "publicIp", "")));
    return 0;
}

static int create(void *provider, struct resource *r, struct err *err)
{
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, "AllocateAddress");
    call.once = true;
    aws_put(&call, "vpc", "Domain");
    aws_put_tags(&call, r, aws_elastic_ip.tag_type, 1);
    rc = aws_create(provider, r, &call, "allocationId", err);
    aws_call_release(&call);
    return rc;
}

static const struct attr attrs[] = {
    {"id", ATTR_COMPUTED}, {"address", ATTR_COMPUTED}, {"tags", 0}, {NULL, 0}};
static const char *const nothing[] = {NULL};

const struct aws_kind aws_elastic_ip = {
    .plan = {.name = "elastic_ip",
             .attrs = attrs,
             .read = aws_read,
             .create = create,
             .update = aws_update_tags,
             .destroy = aws_destroy},
    .remove = "ReleaseAddress",
    .remove_by = "AllocationId",
    .describe = "DescribeAddresses",
    .list = "addressesSet",
    .id = "allocationId",
    .id_filter = "allocation-id",
    .tag_type = "elastic-ip",
    .after = nothing,
    .model = model,
};

/* ---- the one that moves ---- */

static bool has_interface(const struct value *instance, const char *id)
{
    struct value *const *interfaces;
    size_t n = xml_list(instance, "networkInterfaceSet", &interfaces);

    for (size_t i = 0; i < n; i++)
        if (str_eq(value_get_str(interfaces[i], "networkInterfaceId", NULL), id))
            return true;
    return false;
}

/* Where the user's own one is in use, it must be by a host of this cluster. */
static int check_use(struct provider_session *s, const struct value *item, struct err *err)
{
    const char *interface = value_get_str(item, "networkInterfaceId", "");
    const struct value *instances;

    if (!*interface)
        return 0;
    if (!(instances = aws_listing(s, &aws_instance, err)))
        return -1;
    for (size_t i = 0; i < instances->u.list.n; i++)
        if (has_interface(instances->u.list.items[i], interface))
            return 0;
    err_set(err, ERR_CONFLICT, "network.vip: %s is in use by %s", s->cluster->vip, interface);
    return err_hint(err, "disassociate it first, or leave network.vip out: one is allocated");
}

int aws_take_vip(struct provider_session *s, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct value *item;
    int rc;

    if (!aws_has_own_vip(s->cluster) || s->vip_id)
        return 0;
    rc = aws_look_by(s, &aws_elastic_ip, "public-ip", s->cluster->vip, &arena, &item, err);
    if (rc == 0 && !str_eq(value_get_str(item, "publicIp", NULL), s->cluster->vip)) {
        rc = err_set(err, ERR_INPUT, "network.vip: %s is no elastic IP of this account in %s",
                     s->cluster->vip, s->client->region);
        err_hint(err, "leave network.vip out: one is allocated");
    }
    if (rc == 0)
        rc = check_use(s, item, err);
    if (rc == 0)
        s->vip_id = arena_strdup(&s->arena, value_get_str(item, aws_elastic_ip.id, ""));
    arena_release(&arena);
    return rc;
}

bool aws_has_own_vip(const struct cluster *c)
{
    return cluster_has_public_vip(c) && value_at(c->config, "network.vip");
}

int aws_vip(struct provider_session *s, struct arena *a, const char **id, const char **address,
            struct err *err)
{
    const struct resource *r = plan_find(s->plan, aws_elastic_ip.plan.name, AWS_VIP);
    struct value *item;

    if (aws_has_own_vip(s->cluster)) {
        int rc = aws_take_vip(s, err);

        *id = s->vip_id;
        *address = s->cluster->vip;
        return rc;
    }
    *id = aws_actual(r, "id");
    *address = aws_actual(r, "address");
    if (**address)
        return 0;
    if (aws_look(s, &aws_elastic_ip, *id, a, &item, err) < 0)
        return -1;
    *address = value_get_str(item, "publicIp", "");
    return **address ? 0 : err_set(err, ERR_NET, "DescribeAddresses: %s has no address", *id);
}
