/* nat.c - the NAT gateway, which has an elastic IP. */
#include "lib/base/clock.h"
#include "providers/aws/aws.h"
#include "providers/aws/xml.h"

enum { NAT_TIMEOUT_MS = 600000, TOKEN_CHARS = 32 };

static bool is_gone(const struct value *item)
{
    const char *state = value_get_str(item, "state", "");

    return str_eq(state, "deleted") || str_eq(state, "failed");
}

static bool is_going(const struct value *item)
{
    return str_eq(value_get_str(item, "state", ""), "deleting");
}

static int model_gateway(struct provider_session *s, const struct value *item, struct resource *r,
                         struct err *err)
{
    struct value *const *addresses;

    UNUSED(s);
    UNUSED(err);
    value_map_set(r->arena, r->actual, "state",
                  value_str(r->arena, value_get_str(item, "state", "")));
    value_map_set(r->arena, r->actual, "subnet",
                  value_str(r->arena, value_get_str(item, "subnetId", "")));
    if (xml_list(item, "natGatewayAddressSet", &addresses))
        value_map_set(r->arena, r->actual, "address",
                      value_str(r->arena, value_get_str(addresses[0], "publicIp", "")));
    return 0;
}

static int create_gateway(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    char token[TOKEN_CHARS + 1];
    struct aws_call call;
    int rc;

    random_password(token, TOKEN_CHARS); /* another one gets another answer */
    aws_call_init(&call, &aws_ec2, "CreateNatGateway");
    aws_put(&call, token, "ClientToken");
    aws_put(&call, aws_id(s, &aws_subnet, "public-1"), "SubnetId");
    aws_put(&call, aws_id(s, &aws_elastic_ip, "nat"), "AllocationId");
    aws_put(&call, aws_spare_address(s, AWS_PLACE_NAT, &call.arena), "PrivateIpAddress");
    aws_put_tags(&call, r, aws_nat_gateway.tag_type, 1);
    rc = aws_create(s, r, &call, "natGateway.natGatewayId", err);
    aws_call_release(&call);
    return rc;
}

static int is_available(const struct value *item, struct err *err)
{
    const char *state = value_get_str(item, "state", "");

    if (str_eq(state, "failed") || str_eq(state, "deleting"))
        return err_set(err, ERR_FAILED, "it %s: %s", state,
                       value_get_str(item, "failureMessage", "no reason given"));
    return str_eq(state, "available");
}

static int wait_gateway(void *provider, struct resource *r, struct err *err)
{
    return aws_wait(provider, r, NAT_TIMEOUT_MS, is_available, err);
}

/* Its address can be given back, and its subnet removed, when it is deleted. */
static int is_deleted(const struct value *item, struct err *err)
{
    UNUSED(err);
    return item == NULL;
}

static int destroy_gateway(void *provider, struct resource *r, struct err *err)
{
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, "DeleteNatGateway");
    aws_put(&call, aws_actual(r, "id"), "NatGatewayId");
    rc = aws_remove(provider, &call, err);
    aws_call_release(&call);
    return rc < 0 ? -1 : aws_wait(provider, r, NAT_TIMEOUT_MS, is_deleted, err);
}

static const struct attr gateway_attrs[] = {{"id", ATTR_COMPUTED},
                                            {"state", ATTR_COMPUTED},
                                            {"subnet", ATTR_COMPUTED},
                                            {"address", ATTR_COMPUTED},
                                            {"tags", 0},
                                            {NULL, 0}};
static const char *const after[] = {"elastic_ip", "subnet", "internet_gateway_attachment", NULL};

const struct aws_kind aws_nat_gateway = {
    .plan = {.name = "nat_gateway",
             .attrs = gateway_attrs,
             .read = aws_read,
             .create = create_gateway,
             .update = aws_update_tags,
             .destroy = destroy_gateway,
             .wait = wait_gateway},
    .describe = "DescribeNatGateways",
    .list = "natGatewaySet",
    .id = "natGatewayId",
    .id_filter = "nat-gateway-id",
    .tag_type = "natgateway",
    .after = after,
    .is_gone = is_gone,
    .is_going = is_going,
    .model = model_gateway,
};
