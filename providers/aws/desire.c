/* desire.c - from the cluster's model to the things that AWS should have. */
#include "lib/base/file.h"
#include "providers/aws/aws.h"

static struct resource *want(struct provider_session *s, struct plan *p,
                             const struct resource_kind *k, const char *name, const char *shown)
{
    struct resource *r = plan_add(p, k, name);

    r->desired = value_map(r->arena);
    if (shown)
        value_map_set(r->arena, r->desired, "tags", aws_tags(s, r, shown));
    return r;
}

static void set_text(struct resource *r, const char *name, const char *text)
{
    value_map_set(r->arena, r->desired, name, value_str(r->arena, text));
}

static void set_bool(struct resource *r, const char *name, bool b)
{
    value_map_set(r->arena, r->desired, name, value_bool(r->arena, b));
}

static const char *shown(struct plan *p, const struct cluster *c, const char *what)
{
    return arena_printf(&p->arena, "%s-%s", c->name, what);
}

static const char *config(const struct cluster *c, const char *key)
{
    const struct value *v = value_at(c->config, key);

    return v && value_is_str(v) ? v->u.str.s : NULL;
}

static void need_vpc(const struct cluster *c, struct plan *p, struct resource *r)
{
    if (!config(c, "provider.vpc"))
        plan_need(p, r, aws_vpc.plan.name, c->name);
}

/* ---- network ---- */

static void want_vpc(struct provider_session *s, struct plan *p)
{
    const struct cluster *c = s->cluster;
    struct resource *r = want(s, p, &aws_vpc.plan, c->name, c->name);

    set_text(r, "cidr", c->cidr);
    set_bool(r, "dns_support", true);
    set_bool(r, "dns_hostnames", true);
}

static void want_subnets(struct provider_session *s, struct plan *p, bool public)
{
    vec_each (subnet, &s->cluster->subnets) {
        struct resource *r;
        const char *zone;

        if (subnet->id || (subnet->is_public && !public))
            continue;
        r = want(s, p, &aws_subnet.plan, subnet->name, shown(p, s->cluster, subnet->name));
        set_text(r, "cidr", subnet->cidr);
        if ((zone = aws_zone_given(s, subnet->zone, r->arena)))
            set_text(r, "zone", zone);
        need_vpc(s->cluster, p, r);
    }
}

static void want_routes(struct provider_session *s, struct plan *p, const char *name, bool public,
                        const struct aws_kind *way)
{
    const struct cluster *c = s->cluster;
    struct resource *r = want(s, p, &aws_route_table.plan, name, shown(p, c, name));
    struct value *subnets = value_list(r->arena);

    need_vpc(c, p, r);
    vec_each (subnet, &c->subnets) {
        if (subnet->is_public != public)
            continue;
        value_list_add(r->arena, subnets, value_str(r->arena, subnet->name));
        plan_need(p, r, aws_subnet.plan.name, subnet->name);
    }
    value_map_set(r->arena, r->desired, "subnets", subnets);
    if (!way)
        return;
    r = want(s, p, &aws_route.plan, name, NULL);
    set_text(r, "way", way->plan.name);
    plan_need(p, r, aws_route_table.plan.name, name);
    plan_need(p, r, way == &aws_nat_gateway ? way->plan.name : aws_attachment.plan.name, c->name);
}

/* Public subnets and their way out: of the NAT gateway and the bastion. */
static void want_public(struct provider_session *s, struct plan *p)
{
    const struct cluster *c = s->cluster;
    struct resource *r;

    want(s, p, &aws_internet_gateway.plan, c->name, c->name);
    r = want(s, p, &aws_attachment.plan, c->name, NULL);
    plan_need(p, r, aws_internet_gateway.plan.name, c->name);
    need_vpc(c, p, r);
    want_routes(s, p, "public", true, &aws_internet_gateway);
}

static void want_nat(struct provider_session *s, struct plan *p)
{
    const struct cluster *c = s->cluster;
    struct resource *r;

    want(s, p, &aws_elastic_ip.plan, "nat", shown(p, c, "nat"));
    r = want(s, p, &aws_nat_gateway.plan, c->name, c->name);
    plan_need(p, r, aws_elastic_ip.plan.name, "nat");
    plan_need(p, r, aws_subnet.plan.name, "public-1");
    plan_need(p, r, aws_attachment.plan.name, c->name);
}

static void want_network(struct provider_session *s, struct plan *p)
{
    const struct cluster *c = s->cluster;
    bool nat = str_eq(config(c, "provider.nat"), "on");
    bool public = nat || aws_has_bastion(c) || cluster_has_public_vip(c);

    if (!config(c, "provider.vpc"))
        want_vpc(s, p);
    if (c->subnets.items[0].id)
        return; /* the user's own, with their routes */
    want_subnets(s, p, public);
    if (public)
        want_public(s, p);
    if (nat)
        want_nat(s, p);
    want_routes(s, p, "private", false, nat ? &aws_nat_gateway : NULL);
}

static void want_groups(struct provider_session *s, struct plan *p)
{
    const struct cluster *c = s->cluster;

    for (const char *const *group = aws_groups; *group; group++) {
        char *key;
        const char *given;
        struct resource *r;

        if (!aws_has_group(c, *group) || aws_given_group(c, *group))
            continue;
        key = xasprintf("provider.security_groups.%s", *group);
        given = config(c, key);
        free(key);
        given = given ? given : shown(p, c, *group);
        r = want(s, p, &aws_security_group.plan, *group, given);
        set_text(r, "group_name", given);
        need_vpc(c, p, r);
        r = want(s, p, &aws_security_rules.plan, *group, NULL);
        value_map_set(r->arena, r->desired, "rules", aws_rules(c, *group, r->arena));
        for (const char *const *other = aws_groups; *other; other++)
            if (aws_has_group(c, *other) && !aws_given_group(c, *other))
                plan_need(p, r, aws_security_group.plan.name, *other);
    }
}

/* ---- hosts ---- */

static int want_key(struct provider_session *s, struct plan *p, struct err *err)
{
    struct resource *r = want(s, p, &aws_key_pair.plan, s->cluster->name, s->cluster->name);
    char *path = xasprintf("%s/id_ed25519.pub", s->state_dir);
    struct str key;
    int rc = 0;

    str_init(&key, STR_MAX_TEXT);
    if (file_exists(path)) /* a plan makes none */
        rc = aws_login_key(s, &key, err);
    if (rc == 0 && key.len)
        set_text(r, "public_key", key.buf);
    str_release(&key);
    free(path);
    return rc;
}

static void want_role(struct provider_session *s, struct plan *p)
{
    const struct cluster *c = s->cluster;
    struct resource *r = want(s, p, &aws_role, c->name, c->name);

    value_map_set(r->arena, r->desired, "policy", aws_role_policy(s, r->arena));
    r = want(s, p, &aws_instance_profile, c->name, c->name);
    set_bool(r, "has_role", true);
    plan_need(p, r, aws_role.name, c->name);
}

static void set_groups(const struct provider_session *s, struct plan *p, struct resource *r,
                       const struct cluster_host *h)
{
    const bool in[] = {h->is_db, h->is_lb, h->is_etcd, false};
    struct value *groups = value_list(r->arena);

    for (size_t i = 0; aws_groups[i]; i++) {
        if (!in[i])
            continue;
        value_list_add(r->arena, groups, value_str(r->arena, aws_groups[i]));
        if (!aws_given_group(s->cluster, aws_groups[i]))
            plan_need(p, r, aws_security_group.plan.name, aws_groups[i]);
    }
    value_map_set(r->arena, r->desired, "groups", groups);
}

/* AWS moves the elastic IP of it; the others ask EC2 by addresses of their own. */
static void make_public(const struct cluster *c, struct plan *p, struct resource *r)
{
    set_bool(r, "public", true);
    plan_need(p, r, aws_attachment.plan.name, c->name);
    if (!aws_has_own_vip(c))
        plan_need(p, r, aws_elastic_ip.plan.name, AWS_VIP);
}

static bool has_volume(const struct cluster *c, const struct cluster_host *h)
{
    return h->is_db && value_at(c->config, "provider.data_volume.size");
}

static void want_volume(struct provider_session *s, struct plan *p, const struct cluster_host *h)
{
    static const char *const numbers[] = {"size", "iops", "throughput"};
    const struct value *volume = value_at(s->cluster->config, "provider.data_volume");
    char *name = xasprintf("%s-data", h->name);
    struct resource *r = want(s, p, &aws_volume.plan, h->name, shown(p, s->cluster, name));

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        value_map_set(r->arena, r->desired, numbers[i],
                      value_copy(r->arena, value_get(volume, numbers[i])));
    free(name);
}

static void want_instance(struct provider_session *s, struct plan *p, const struct cluster_host *h,
                          bool placed)
{
    const struct cluster *c = s->cluster;
    const struct cluster_subnet *subnet = &c->subnets.items[h->subnet];
    struct resource *r = want(s, p, &aws_instance.plan, h->name, shown(p, c, h->name));

    value_map_set(r->arena, value_get(r->desired, "tags"), AWS_TAG_PROTECTED,
                  value_str(r->arena, config(c, "provider.termination_protection")));
    set_text(r, "type", aws_instance_type(c, h));
    set_text(r, "address", h->address);
    set_text(r, "subnet", subnet->name);
    set_groups(s, p, r, h);
    set_bool(r, "has_role", h->is_lb);
    set_bool(r, "source_dest_check", !h->is_lb || !str_eq(cluster_vip_mode(c), "route"));
    set_text(r, "metadata_tokens", "required");
    set_bool(r, "running", true);
    if (has_volume(c, h)) {
        want_volume(s, p, h);
        set_bool(r, "data_volume", true);
        plan_need(p, r, aws_volume.plan.name, h->name);
    }
    if (!subnet->id)
        plan_need(p, r, aws_subnet.plan.name, subnet->name);
    plan_need(p, r, aws_key_pair.plan.name, c->name);
    if (h->is_lb)
        plan_need(p, r, aws_instance_profile.name, c->name);
    if (subnet->is_public)
        make_public(c, p, r);
    if (placed)
        plan_need(p, r, aws_placement_group.plan.name, c->name);
}

static void want_bastion(struct provider_session *s, struct plan *p)
{
    const struct cluster *c = s->cluster;
    struct resource *r = want(s, p, &aws_bastion.plan, c->name, shown(p, c, "bastion"));
    struct value *groups = value_list(r->arena);

    value_map_set(r->arena, value_get(r->desired, "tags"), AWS_TAG_PROTECTED,
                  value_str(r->arena, "off"));
    set_text(r, "type", config(c, "provider.bastion_type"));
    set_text(r, "subnet", "public-1");
    set_bool(r, "public", true);
    value_list_add(r->arena, groups, value_str(r->arena, "bastion"));
    value_map_set(r->arena, r->desired, "groups", groups);
    set_text(r, "metadata_tokens", "required");
    set_bool(r, "running", true);
    plan_need(p, r, aws_subnet.plan.name, "public-1");
    plan_need(p, r, aws_security_group.plan.name, "bastion");
    plan_need(p, r, aws_key_pair.plan.name, c->name);
    plan_need(p, r, aws_internet_gateway.plan.name, c->name);
}

int aws_desire(struct provider_session *s, struct plan *p, struct err *err)
{
    const struct cluster *c = s->cluster;
    bool placed = str_eq(config(c, "provider.placement_group"), "on");

    want_network(s, p);
    want_groups(s, p);
    if (want_key(s, p, err) < 0)
        return -1;
    if (aws_take_vip(s, err) < 0)
        return -1;
    if (cluster_has_public_vip(c) && !aws_has_own_vip(c))
        want(s, p, &aws_elastic_ip.plan, AWS_VIP, shown(p, c, AWS_VIP));
    if (c->vip)
        want_role(s, p);
    if (placed)
        want(s, p, &aws_placement_group.plan, c->name, c->name);
    if (aws_has_bastion(c))
        want_bastion(s, p);
    vec_each (h, &c->hosts)
        want_instance(s, p, h, placed);
    return 0;
}
