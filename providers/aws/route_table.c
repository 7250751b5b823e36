/* route_table.c - a route table: which subnets go by it. Its default route is route.c's. */
#include "lib/net/pool.h"
#include "providers/aws/aws.h"
#include "providers/aws/xml.h"

/* ---- what is there ---- */

static const char *association_of(const struct value *item, const char *subnet_id)
{
    struct value *const *all;
    size_t n = xml_list(item, "associationSet", &all);

    for (size_t i = 0; i < n; i++)
        if (str_eq(value_get_str(all[i], "subnetId", NULL), subnet_id))
            return value_get_str(all[i], "routeTableAssociationId", "");
    return NULL;
}

/* The subnets' names, in the cluster's order. */
static int model_table(struct provider_session *s, const struct value *item, struct resource *r,
                       struct err *err)
{
    struct value *names = value_list(r->arena), *associations = value_list(r->arena);
    struct value *const *all;
    size_t n = xml_list(item, "associationSet", &all);

    vec_each (subnet, &s->cluster->subnets) {
        const struct value *found;

        if (aws_find(s, &aws_subnet, subnet->name, &found, err) < 0)
            return -1;
        if (found && association_of(item, value_get_str(found, "subnetId", "")))
            value_list_add(r->arena, names, value_str(r->arena, subnet->name));
    }
    for (size_t i = 0; i < n; i++)
        value_list_add(r->arena, associations,
                       value_str(r->arena, value_get_str(all[i], "routeTableAssociationId", "")));
    value_map_set(r->arena, r->actual, "subnets", names);
    value_map_set(r->arena, r->actual, "associations", associations);
    return 0;
}

/* ---- changes ---- */

static int associate(struct provider_session *s, const struct resource *r, const char *subnet_id,
                     struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, "AssociateRouteTable");
    aws_put(&call, aws_actual(r, "id"), "RouteTableId");
    aws_put(&call, subnet_id, "SubnetId");
    rc = aws_send_settled(s, &call, &arena, err) ? 0 : -1;
    aws_call_release(&call);
    arena_release(&arena);
    return rc;
}

static bool has_name(const struct value *list, const char *name)
{
    for (size_t i = 0; list && i < list->u.list.n; i++)
        if (str_eq(list->u.list.items[i]->u.str.s, name))
            return true;
    return false;
}

struct setting {
    struct provider_session *s;
    const struct resource *r;
    struct err *errs; /* of each subnet that is wanted */
    int *rcs;
};

static void set_one(void *ctx, size_t job)
{
    struct setting *set = ctx;
    const char *name = value_get(set->r->desired, "subnets")->u.list.items[job]->u.str.s;
    struct err *err = &set->errs[job];

    if (has_name(value_get(set->r->actual, "subnets"), name))
        return;
    set->rcs[job] = associate(set->s, set->r, aws_id(set->s, &aws_subnet, name), err);
    if (set->rcs[job] < 0)
        err_wrap(err, "subnet %s", name);
}

/* All at once. */
static int set_subnets(struct provider_session *s, const struct resource *r, struct err *err)
{
    size_t n = value_get(r->desired, "subnets")->u.list.n;
    struct setting set = {s, r, xcalloc(n + 1, sizeof(*set.errs)),
                          xcalloc(n + 1, sizeof(*set.rcs))};
    bool *begun = xcalloc(n + 1, sizeof(*begun));
    int rc = 0;

    pool_run(0, n, set_one, &set, begun);
    for (size_t i = 0; i < n; i++) {
        if (rc == 0 && !begun[i])
            rc = err_set(err, ERR_INTERRUPTED, "stopped by the user");
        if (rc == 0 && (rc = set.rcs[i]) < 0)
            err_move(err, &set.errs[i]);
        err_release(&set.errs[i]);
    }
    free(set.errs);
    free(set.rcs);
    free(begun);
    return rc;
}

static int update_table(void *provider, struct resource *r, struct err *err)
{
    return aws_update_tags(provider, r, err) < 0 ? -1 : set_subnets(provider, r, err);
}

static int create_table(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, "CreateRouteTable");
    call.once = true;
    aws_put(&call, aws_vpc_id(s), "VpcId");
    aws_put_tags(&call, r, aws_route_table.tag_type, 1);
    rc = aws_create(s, r, &call, "routeTable.routeTableId", err);
    aws_call_release(&call);
    return rc < 0 ? -1 : set_subnets(s, r, err);
}

static int disassociate(struct provider_session *s, const char *association, struct err *err)
{
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, "DisassociateRouteTable");
    aws_put(&call, association, "AssociationId");
    rc = aws_remove(s, &call, err);
    aws_call_release(&call);
    return rc;
}

static int destroy_table(void *provider, struct resource *r, struct err *err)
{
    const struct value *associations = value_get(r->actual, "associations");
    struct aws_call call;
    int rc;

    for (size_t i = 0; associations && i < associations->u.list.n; i++)
        if (disassociate(provider, associations->u.list.items[i]->u.str.s, err) < 0)
            return -1;
    aws_call_init(&call, &aws_ec2, "DeleteRouteTable");
    aws_put(&call, aws_actual(r, "id"), "RouteTableId");
    rc = aws_remove(provider, &call, err);
    aws_call_release(&call);
    return rc;
}

static const struct attr attrs[] = {
    {"id", ATTR_COMPUTED}, {"associations", ATTR_COMPUTED}, {"subnets", 0}, {"tags", 0}, {NULL, 0}};
static const char *const after[] = {"vpc", "subnet", NULL};

const struct aws_kind aws_route_table = {
    .plan = {.name = "route_table",
             .attrs = attrs,
             .read = aws_read,
             .create = create_table,
             .update = update_table,
             .destroy = destroy_table},
    .describe = "DescribeRouteTables",
    .list = "routeTableSet",
    .id = "routeTableId",
    .id_filter = "route-table-id",
    .tag_type = "route-table",
    .after = after,
    .model = model_table,
};
