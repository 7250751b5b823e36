/* vpc.c - the VPC and its internet gateway. */
#include "lib/base/clock.h"
#include "lib/net/pool.h"
#include "providers/aws/aws.h"
#include "providers/aws/xml.h"

/* ---- VPC ---- */

static const struct {
    const char *attr, *name, *in_answer;
} dns[] = {
    {"dns_support", "EnableDnsSupport", "enableDnsSupport"},
    {"dns_hostnames", "EnableDnsHostnames", "enableDnsHostnames"},
};

static int read_dns(struct provider_session *s, size_t i, struct resource *r, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    struct value *v, *is;

    aws_call_init(&call, &aws_ec2, "DescribeVpcAttribute");
    aws_put(&call, aws_actual(r, "id"), "VpcId");
    aws_put(&call, dns[i].in_answer, "Attribute");
    v = aws_send_settled(s, &call, &arena, err);
    is = value_get(v, dns[i].in_answer);
    if (v)
        value_map_set(r->arena, r->actual, dns[i].attr,
                      value_bool(r->arena, str_eq(value_get_str(is, "value", ""), "true")));
    aws_call_release(&call);
    arena_release(&arena);
    return v ? 0 : -1;
}

static int model_vpc(struct provider_session *s, const struct value *item, struct resource *r,
                     struct err *err)
{
    value_map_set(r->arena, r->actual, "cidr",
                  value_str(r->arena, value_get_str(item, "cidrBlock", "")));
    value_map_set(r->arena, r->actual, "state",
                  value_str(r->arena, value_get_str(item, "state", "")));
    for (size_t i = 0; r->desired && i < ARRAY_LEN(dns); i++)
        if (read_dns(s, i, r, err) < 0)
            return -1;
    return 0;
}

static int set_dns(struct provider_session *s, size_t i, const struct resource *r, struct err *err)
{
    bool want = value_get_bool(r->desired, dns[i].attr, true);
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    int rc;

    if (plan_attr_is_right(r, dns[i].attr))
        return 0;
    aws_call_init(&call, &aws_ec2, "ModifyVpcAttribute");
    aws_put(&call, aws_actual(r, "id"), "VpcId");
    aws_put(&call, want ? "true" : "false", "%s.Value", dns[i].name);
    rc = aws_send_settled(s, &call, &arena, err) ? 0 : -1;
    aws_call_release(&call);
    arena_release(&arena);
    return rc;
}

static int update_vpc(void *provider, struct resource *r, struct err *err)
{
    if (aws_update_tags(provider, r, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(dns); i++)
        if (set_dns(provider, i, r, err) < 0)
            return -1;
    return 0;
}

struct making {
    struct provider_session *s;
    struct resource *r;
    struct err *err;
    int rc;
    struct err wait_err;
    int wait_rc;
};

/* Its names, and the wait until it is there, do not wait for each other. */
static void set_or_wait(void *ctx, size_t job)
{
    struct making *m = ctx;

    if (job == 0)
        m->wait_rc = aws_wait_available(m->s, m->r, &m->wait_err);
    for (size_t i = 0; job == 1 && m->rc == 0 && i < ARRAY_LEN(dns); i++)
        m->rc = set_dns(m->s, i, m->r, m->err);
}

static void make_vpc(struct making *m)
{
    struct aws_call call;

    aws_call_init(&call, &aws_ec2, "CreateVpc");
    call.once = true;
    aws_put(&call, value_get_str(m->r->desired, "cidr", ""), "CidrBlock");
    aws_put_tags(&call, m->r, aws_vpc.tag_type, 1);
    m->rc = aws_create(m->s, m->r, &call, "vpc.vpcId", m->err);
    aws_call_release(&call);
    if (m->rc < 0)
        return;
    /* A new one resolves names and gives none. */
    value_map_set(m->r->arena, m->r->actual, dns[0].attr, value_bool(m->r->arena, true));
    pool_run(2, 2, set_or_wait, m, NULL);
    if (m->rc == 0 && (m->rc = m->wait_rc) < 0)
        err_move(m->err, &m->wait_err);
    else if (m->rc == 0 && clock_stop_requested()) /* not both were begun */
        m->rc = err_set(m->err, ERR_INTERRUPTED, "stopped by the user");
    err_release(&m->wait_err);
    if (m->rc == 0)
        value_map_set(m->r->arena, m->r->actual, "state", value_str(m->r->arena, "available"));
}

/* What will be in it is asked for meanwhile; the one who needs it tells what is wrong. */
static void make_or_ask(void *ctx, size_t job)
{
    struct making *m = ctx;
    struct err ignored = ERR_INIT;
    const char *image, *device;

    if (job == 0)
        make_vpc(m);
    else if (job == 1)
        UNUSED(aws_list_zones(m->s, &ignored));
    else if (aws_image(m->s, aws_instance_type(m->s->cluster, &m->s->cluster->hosts.items[job - 2]),
                       &image, &device, &ignored) < 0)
        UNUSED(ignored);
    err_release(&ignored);
}

static int create_vpc(void *provider, struct resource *r, struct err *err)
{
    struct making m = {.s = provider, .r = r, .err = err, .rc = -1};

    pool_run(0, 2 + m.s->cluster->hosts.n, make_or_ask, &m, NULL);
    if (m.rc < 0 && !err->text)
        err_set(err, ERR_INTERRUPTED, "stopped by the user");
    return m.rc;
}

static const struct attr vpc_attrs[] = {{"id", ATTR_COMPUTED},
                                        {"state", ATTR_COMPUTED},
                                        {"cidr", ATTR_REPLACE},
                                        {"dns_support", 0},
                                        {"dns_hostnames", 0},
                                        {"tags", 0},
                                        {NULL, 0}};
static const char *const nothing[] = {NULL};

const struct aws_kind aws_vpc = {
    .plan = {.name = "vpc",
             .attrs = vpc_attrs,
             .read = aws_read,
             .create = create_vpc,
             .update = update_vpc,
             .destroy = aws_destroy,
             .wait = aws_wait_available},
    .remove = "DeleteVpc",
    .remove_by = "VpcId",
    .describe = "DescribeVpcs",
    .list = "vpcSet",
    .id = "vpcId",
    .id_filter = "vpc-id",
    .tag_type = "vpc",
    .after = nothing,
    .model = model_vpc,
};

/* ---- internet gateway ---- */

static int create_gateway(void *provider, struct resource *r, struct err *err)
{
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, "CreateInternetGateway");
    call.once = true;
    aws_put_tags(&call, r, aws_internet_gateway.tag_type, 1);
    rc = aws_create(provider, r, &call, "internetGateway.internetGatewayId", err);
    aws_call_release(&call);
    return rc;
}

static const struct attr gateway_attrs[] = {{"id", ATTR_COMPUTED}, {"tags", 0}, {NULL, 0}};

const struct aws_kind aws_internet_gateway = {
    .plan = {.name = "internet_gateway",
             .attrs = gateway_attrs,
             .read = aws_read,
             .create = create_gateway,
             .update = aws_update_tags,
             .destroy = aws_destroy},
    .remove = "DeleteInternetGateway",
    .remove_by = "InternetGatewayId",
    .describe = "DescribeInternetGateways",
    .list = "internetGatewaySet",
    .id = "internetGatewayId",
    .id_filter = "internet-gateway-id",
    .tag_type = "internet-gateway",
    .after = nothing,
};

/* ---- its attachment to the VPC ---- */

/* NULL: it is attached to none. */
static const char *attached_to(const struct value *gateway)
{
    struct value *const *attached;

    return xml_list(gateway, "attachmentSet", &attached) ? value_get_str(attached[0], "vpcId", NULL)
                                                         : NULL;
}

bool aws_is_attached(const struct value *gateway)
{
    return attached_to(gateway) != NULL;
}

static int read_attachment(void *provider, struct resource *r, struct err *err)
{
    const struct value *gateway;
    const char *vpc;

    if (aws_find(provider, &aws_internet_gateway, r->name, &gateway, err) < 0)
        return -1;
    if (!(vpc = attached_to(gateway)))
        return 0;
    r->actual = value_map(r->arena);
    value_map_set(r->arena, r->actual, "id",
                  value_str(r->arena, value_get_str(gateway, "internetGatewayId", "")));
    value_map_set(r->arena, r->actual, "vpc", value_str(r->arena, vpc));
    return 0;
}

static int attach(struct provider_session *s, const char *action, const char *gateway,
                  const char *vpc, struct err *err)
{
    bool away = str_eq(action, "DetachInternetGateway");
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, action);
    aws_put(&call, gateway, "InternetGatewayId");
    aws_put(&call, vpc, "VpcId");
    if (away)
        rc = aws_remove(s, &call, err);
    else
        rc = aws_send_settled(s, &call, &arena, err) ? 0 : -1;
    if ((rc < 0 && str_eq(call.code, "Gateway.NotAttached") && away) ||
        (rc < 0 && str_eq(call.code, "Resource.AlreadyAssociated") && !away)) {
        err_release(err); /* done by an attempt whose answer was lost */
        rc = 0;
    }
    aws_call_release(&call);
    arena_release(&arena);
    return rc;
}

static int create_attachment(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    const char *gateway = aws_id(s, &aws_internet_gateway, r->name), *vpc = aws_vpc_id(s);

    if (attach(s, "AttachInternetGateway", gateway, vpc, err) < 0)
        return -1;
    r->actual = value_map(r->arena);
    value_map_set(r->arena, r->actual, "id", value_str(r->arena, gateway));
    value_map_set(r->arena, r->actual, "vpc", value_str(r->arena, vpc));
    return 0;
}

static int destroy_attachment(void *provider, struct resource *r, struct err *err)
{
    return attach(provider, "DetachInternetGateway", aws_actual(r, "id"), aws_actual(r, "vpc"),
                  err);
}

static const struct attr attachment_attrs[] = {
    {"id", ATTR_COMPUTED}, {"vpc", ATTR_COMPUTED}, {NULL, 0}};
static const char *const after_both[] = {"vpc", "internet_gateway", NULL};

/* A kind of its own, so that the gateway is made while the VPC is. */
const struct aws_kind aws_attachment = {
    .plan = {.name = "internet_gateway_attachment",
             .attrs = attachment_attrs,
             .read = read_attachment,
             .create = create_attachment,
             .destroy = destroy_attachment},
    .describe = "DescribeInternetGateways",
    .list = "internetGatewaySet",
    .id = "internetGatewayId",
    .after = after_both,
};
