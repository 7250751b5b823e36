/* security_group.c - the hosts' security groups, without their rules. */
#include "providers/aws/aws.h"

const char *const aws_groups[] = {"db", "lb", "etcd", "bastion", NULL};

bool aws_has_group(const struct cluster *c, const char *group)
{
    if (str_eq(group, "bastion"))
        return aws_has_bastion(c);
    vec_each (h, &c->hosts)
        if ((h->is_db && str_eq(group, "db")) || (h->is_lb && str_eq(group, "lb")) ||
            (h->is_etcd && str_eq(group, "etcd")))
            return true;
    return false;
}

const char *aws_given_group(const struct cluster *c, const char *group)
{
    const struct value *groups = value_at(c->config, "provider.security_groups");
    const char *given = value_get_str(groups, group, "");

    return str_starts(given, "sg-") ? given : NULL;
}

const char *aws_group_id(const struct provider_session *s, const char *group)
{
    const char *given = aws_given_group(s->cluster, group);

    return given ? given : aws_id(s, &aws_security_group, group);
}

static int model_group(struct provider_session *s, const struct value *item, struct resource *r,
                       struct err *err)
{
    UNUSED(s);
    UNUSED(err);
    value_map_set(r->arena, r->actual, "group_name",
                  value_str(r->arena, value_get_str(item, "groupName", "")));
    return 0;
}

static int create_group(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    char *about = xasprintf("%s hosts of cluster %s", r->name, s->cluster->name);
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, "CreateSecurityGroup");
    aws_put(&call, value_get_str(r->desired, "group_name", ""), "GroupName");
    aws_put(&call, about, "GroupDescription");
    aws_put(&call, aws_vpc_id(s), "VpcId");
    aws_put_tags(&call, r, aws_security_group.tag_type, 1);
    rc = aws_create(s, r, &call, "groupId", err);
    aws_call_release(&call);
    free(about);
    return rc;
}

static const struct attr attrs[] = {
    {"id", ATTR_COMPUTED}, {"group_name", ATTR_REPLACE}, {"tags", 0}, {NULL, 0}};
static const char *const after[] = {"vpc", NULL};

const struct aws_kind aws_security_group = {
    .plan = {.name = "security_group",
             .attrs = attrs,
             .read = aws_read,
             .create = create_group,
             .update = aws_update_tags,
             .destroy = aws_destroy},
    .remove = "DeleteSecurityGroup",
    .remove_by = "GroupId",
    .describe = "DescribeSecurityGroups",
    .list = "securityGroupInfo",
    .id = "groupId",
    .id_filter = "group-id",
    .tag_type = "security-group",
    .after = after,
    .model = model_group,
};
