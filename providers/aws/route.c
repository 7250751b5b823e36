/*
 * route.c - where the rest of the world is, in a route table: its default route.
 *
 * A kind of its own, so that the table and its subnets do not wait for the NAT gateway, which takes
 * AWS minutes.
 */
#include "providers/aws/aws.h"
#include "providers/aws/xml.h"

#define EVERYWHERE "0.0.0.0/0"

/* ---- what is there ---- */

static const struct value *default_route(const struct value *table)
{
    struct value *const *routes;
    size_t n = xml_list(table, "routeSet", &routes);

    for (size_t i = 0; i < n; i++)
        if (str_eq(value_get_str(routes[i], "destinationCidrBlock", ""), EVERYWHERE))
            return routes[i];
    return NULL;
}

/* "internet_gateway", "nat_gateway": the cluster's own; else AWS's word for a way that leads
 * nowhere, or the id of what it leads to. NULL: err. */
static const char *way_of(struct provider_session *s, const struct value *route, struct err *err)
{
    static const struct {
        const struct aws_kind *kind;
        const char *field;
    } ways[] = {{&aws_nat_gateway, "natGatewayId"}, {&aws_internet_gateway, "gatewayId"}};
    const char *way = "something else";
    const struct value *own;

    if (!str_eq(value_get_str(route, "state", "active"), "active"))
        return value_get_str(route, "state", "");
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        const char *id = value_get_str(route, ways[i].field, NULL);

        if (!id)
            continue;
        if (aws_find(s, ways[i].kind, s->cluster->name, &own, err) < 0)
            return NULL;
        way = str_eq(value_get_str(own, ways[i].kind->id, NULL), id) ? ways[i].kind->plan.name : id;
    }
    return way;
}

bool aws_has_route(const struct value *table)
{
    return default_route(table) != NULL;
}

static void know(struct resource *r, const char *table, const char *way)
{
    r->actual = value_map(r->arena);
    value_map_set(r->arena, r->actual, "id", value_str(r->arena, table));
    value_map_set(r->arena, r->actual, "way", value_str(r->arena, way));
}

static int read_route(void *provider, struct resource *r, struct err *err)
{
    const struct value *table, *route;
    const char *way;

    if (aws_find(provider, &aws_route_table, r->name, &table, err) < 0)
        return -1;
    if (!(route = default_route(table)))
        return 0;
    if (!(way = way_of(provider, route, err)))
        return -1;
    know(r, value_get_str(table, "routeTableId", ""), way);
    return 0;
}

/* ---- changes ---- */

static int send_route(struct provider_session *s, const struct resource *r, struct aws_call *call,
                      struct err *err)
{
    bool nat = str_eq(value_get_str(r->desired, "way", ""), aws_nat_gateway.plan.name);
    struct arena arena = ARENA_INIT;
    int rc;

    aws_put(call, aws_id(s, &aws_route_table, r->name), "RouteTableId");
    aws_put(call, EVERYWHERE, "DestinationCidrBlock");
    aws_put(call, aws_id(s, nat ? &aws_nat_gateway : &aws_internet_gateway, s->cluster->name),
            nat ? "NatGatewayId" : "GatewayId");
    rc = aws_send_settled(s, call, &arena, err) ? 0 : -1;
    arena_release(&arena);
    return rc;
}

static int update_route(void *provider, struct resource *r, struct err *err)
{
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, "ReplaceRoute");
    rc = send_route(provider, r, &call, err);
    aws_call_release(&call);
    return rc;
}

static int create_route(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, "CreateRoute");
    rc = send_route(s, r, &call, err);
    if (rc < 0 && str_eq(call.code, "RouteAlreadyExists")) {
        err_release(err);
        rc = update_route(s, r, err);
    }
    aws_call_release(&call);
    if (rc == 0)
        know(r, aws_id(s, &aws_route_table, r->name), value_get_str(r->desired, "way", ""));
    return rc;
}

static int destroy_route(void *provider, struct resource *r, struct err *err)
{
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, "DeleteRoute");
    aws_put(&call, aws_actual(r, "id"), "RouteTableId");
    aws_put(&call, EVERYWHERE, "DestinationCidrBlock");
    rc = aws_remove(provider, &call, err);
    aws_call_release(&call);
    return rc;
}

static const struct attr attrs[] = {{"id", ATTR_COMPUTED}, {"way", 0}, {NULL, 0}};
static const char *const after[] = {"route_table", "internet_gateway_attachment", "nat_gateway",
                                    NULL};

const struct aws_kind aws_route = {
    .plan = {.name = "route",
             .attrs = attrs,
             .read = read_route,
             .create = create_route,
             .update = update_route,
             .destroy = destroy_route},
    .describe = "DescribeRouteTables",
    .list = "routeTableSet",
    .id = "routeTableId",
    .after = after,
};
