/*
 * aws.c - provider "aws": a cluster of EC2 instances in a VPC, by EC2's and IAM's own APIs.
 */
#include "providers/aws/aws.h"

#include "lib/base/map.h"
#include "lib/base/proc.h"
#include "lib/net/pool.h"

const struct resource_kind *const aws_kinds[] = {&aws_vpc.plan,
                                                 &aws_internet_gateway.plan,
                                                 &aws_attachment.plan,
                                                 &aws_subnet.plan,
                                                 &aws_elastic_ip.plan,
                                                 &aws_nat_gateway.plan,
                                                 &aws_route_table.plan,
                                                 &aws_route.plan,
                                                 &aws_security_group.plan,
                                                 &aws_security_rules.plan,
                                                 &aws_key_pair.plan,
                                                 &aws_placement_group.plan,
                                                 &aws_role,
                                                 &aws_instance_profile,
                                                 &aws_volume.plan,
                                                 &aws_bastion.plan,
                                                 &aws_instance.plan,
                                                 NULL};

const struct aws_kind *aws_kind_of(const struct resource_kind *k)
{
    return k == &aws_role || k == &aws_instance_profile ? NULL : (const struct aws_kind *)k;
}

static const char *config(const struct cluster *c, const char *key)
{
    const struct value *v = value_at(c->config, key);

    return v ? v->u.str.s : NULL;
}

static void aws_close(struct provider_session *s)
{
    if (!s)
        return;
    aws_session_close(s->aws);
    aws_listings_free(s->listings);
    aws_images_free(s->images);
    aws_zones_free(s->zones);
    aws_named_free(s->named);
    aws_recent_free(s->recent);
    arena_release(&s->arena);
    free(s);
}

static int aws_open(const struct cluster *c, const char *state_dir, struct event_sink *events,
                    struct provider_session **out, struct err *err)
{
    struct aws_wish wish = {.profile = config(c, "provider.profile"),
                            .region = config(c, "provider.region"),
                            .endpoint = config(c, "provider.endpoint_url")};
    struct provider_session *s = xcalloc(1, sizeof(*s));
    struct aws_keys keys = {0};
    char path[4096];

    arena_init(&s->arena);
    s->cluster = c;
    s->state_dir = arena_strdup(&s->arena, state_dir);
    s->events = events;
    s->listings = aws_listings_new();
    s->images = aws_images_new();
    s->zones = aws_zones_new();
    s->named = aws_named_new();
    s->recent = aws_recent_load(state_dir);
    atomic_init(&s->made, aws_recent_any(s));
    if (!proc_find_program("ssh-keygen", path, sizeof(path))) {
        err_set(err, ERR_FAILED, "provider aws: missing program: ssh-keygen");
        err_hint(err, "apt-get install openssh-client");
    } else if ((s->aws = aws_session_open(&wish, err)) &&
               aws_session_keys(s->aws, &keys, err) == 0) {
        aws_keys_release(&keys);
        s->client = aws_session_client(s->aws);
        *out = s;
        return 0;
    }
    aws_close(s);
    return err_wrap(err, "provider aws");
}

static int desire(struct provider_session *s, struct plan *p, struct err *err)
{
    s->plan = p;
    return aws_desire(s, p, err);
}

/* ---- what else is there ---- */

/* What goes needs those that it was made after: they go later. */
static void need_earlier(struct plan *p, struct resource *r)
{
    const struct aws_kind *k = aws_kind_of(r->kind);

    for (const char *const *kind = k->after; *kind; kind++)
        vec_each (other, &p->resources)
            if (*other != r && str_eq((*other)->kind->name, *kind))
                plan_need(p, r, *kind, (*other)->name);
}

/* A group's rules, a table's route and a gateway's attachment are things of their own. */
static void add_parts(const struct aws_kind *k, const struct value *item, struct plan *p,
                      const char *name)
{
    const struct value *rules = value_get(item, "ipPermissions");
    const struct aws_kind *part = NULL;

    if (k == &aws_security_group && rules && rules->type == VALUE_LIST)
        part = &aws_security_rules;
    else if (k == &aws_route_table && aws_has_route(item))
        part = &aws_route;
    else if (k == &aws_internet_gateway && aws_is_attached(item))
        part = &aws_attachment;
    if (part && !plan_find(p, part->plan.name, name))
        plan_add(p, &part->plan, name);
}

/* One by its name, a second one of the same name, or one that is going, by its id. */
static void add_item(const struct aws_kind *k, const struct value *item, struct plan *p,
                     struct map *seen)
{
    const char *id = value_get_str(item, k->id, ""), *name = aws_item_name(k, item);
    const char *tag = aws_item_tag(item, AWS_TAG_RESOURCE);
    size_t len = strlen(k->plan.name);
    char *full;

    /* Kinds that are listed together are told apart by their tag. */
    if (tag && (strncmp(tag, k->plan.name, len) != 0 || tag[len] != '.'))
        return;
    full = xasprintf("%s.%s", k->plan.name, name ? name : id);

    if (map_has(seen, full))
        name = NULL;
    map_set(seen, full, full);
    free(full);
    name = name ? name : id;
    add_parts(k, item, p, name);
    if (!plan_find(p, k->plan.name, name))
        plan_add(p, &k->plan, name);
}

/* Whether to look for one at all: few clusters have one, and few emulators know them. */
static int has_placement(struct provider_session *s, bool *has, struct err *err)
{
    const struct value *instances = aws_listing(s, &aws_instance, err);

    *has = str_eq(config(s->cluster, "provider.placement_group"), "on");
    for (size_t i = 0; instances && i < instances->u.list.n; i++)
        *has |= *value_get_str(value_get(instances->u.list.items[i], "placement"), "groupName",
                               "") != '\0';
    return instances ? 0 : -1;
}

static int discover_kind(struct provider_session *s, const struct aws_kind *k, struct plan *p,
                         struct err *err)
{
    const struct value *items;
    struct map seen;
    bool wanted = k->tag_type != NULL; /* else a part of what is */

    if (k == &aws_placement_group && has_placement(s, &wanted, err) < 0)
        return -1;
    if (!wanted)
        return 0;
    if (!(items = aws_listing(s, k, err)))
        return -1;
    map_init(&seen);
    for (size_t i = 0; i < items->u.list.n; i++)
        add_item(k, items->u.list.items[i], p, &seen);
    map_release(&seen);
    return 0;
}

/* By name: IAM has no search. */
static int discover_iam(struct provider_session *s, struct plan *p, struct err *err)
{
    static const struct resource_kind *const both[AWS_NAMED] = {&aws_role, &aws_instance_profile};

    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        const struct value *thing;

        if (aws_named_get(s, both[i], &thing, err) < 0)
            return -1;
        if (thing && !plan_find(p, both[i]->name, s->cluster->name))
            plan_add(p, both[i], s->cluster->name);
    }
    return 0;
}

enum { KINDS = ARRAY_LEN(aws_kinds) - 1 };

struct listing_all {
    struct provider_session *s;
    struct err errs[KINDS];
};

static void list_kind(void *ctx, size_t job)
{
    struct listing_all *all = ctx;
    const struct aws_kind *k = aws_kind_of(aws_kinds[job]);
    const struct value *thing;
    int rc;

    if (k == &aws_placement_group) /* once it is known whether there is one: has_placement */
        return;
    if (k)
        rc = aws_listing(all->s, k, &all->errs[job]) ? 0 : -1;
    else
        rc = aws_named_get(all->s, aws_kinds[job], &thing, &all->errs[job]);
    if (rc < 0 && !all->errs[job].text)
        BUG("no %s, and no reason", aws_kinds[job]->name);
}

/* All at once. */
static int list_all(struct provider_session *s, struct err *err)
{
    struct listing_all all = {.s = s};
    int rc = 0;

    pool_run(0, KINDS, list_kind, &all, NULL);
    for (size_t i = 0; i < KINDS; i++) {
        if (rc == 0 && all.errs[i].text) {
            err_move(err, &all.errs[i]);
            rc = err_wrap(err, "looking for what there is");
        }
        err_release(&all.errs[i]);
    }
    return rc;
}

static int discover(struct provider_session *s, struct plan *p, struct err *err)
{
    size_t first = p->resources.n;

    s->plan = p;
    if (list_all(s, err) < 0)
        return -1;
    for (const struct resource_kind *const *k = aws_kinds; *k; k++)
        if (aws_kind_of(*k) && discover_kind(s, aws_kind_of(*k), p, err) < 0)
            return err_wrap(err, "looking for what there is");
    if (discover_iam(s, p, err) < 0)
        return -1;
    for (size_t i = first; i < p->resources.n; i++) {
        struct resource *r = p->resources.items[i];

        if (aws_kind_of(r->kind))
            need_earlier(p, r);
        else if (r->kind == &aws_instance_profile && plan_find(p, aws_role.name, r->name))
            plan_need(p, r, aws_role.name, r->name);
    }
    return 0;
}

/* Where udev has a volume: by the serial number, which is its id without the dash
 * (https://docs.aws.amazon.com/ebs/latest/userguide/nvme-ebs-volumes.html). */
static struct value *host_outputs(const struct provider_session *s, struct arena *a)
{
    struct value *hosts = value_map(a);

    vec_each (h, &s->cluster->hosts) {
        const struct resource *r = plan_find(s->plan, aws_volume.plan.name, h->name);
        const char *id = r ? aws_actual(r, "id") : "";
        struct value *vars = value_map(a);

        if (!str_starts(id, "vol-"))
            continue;
        value_map_set(a, vars, "data_device",
                      value_strf(a, "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol%s",
                                 id + strlen("vol-")));
        value_map_set(a, hosts, h->name, vars);
    }
    return hosts;
}

/* What the balancers call, and the way in. */
static int outputs(struct provider_session *s, struct arena *a, struct value **out, struct err *err)
{
    struct value *vars = value_map(a);
    const char *bastion, *id, *address;

    *out = value_map(a);
    value_map_set(a, vars, "aws_region", value_str(a, s->client->region));
    if (s->client->endpoint)
        value_map_set(a, vars, "aws_endpoint_url", value_str(a, s->client->endpoint));
    value_map_set(a, *out, "vars", vars);
    value_map_set(a, *out, "hosts", host_outputs(s, a));
    if (cluster_has_public_vip(s->cluster)) {
        if (aws_vip(s, a, &id, &address, err) < 0)
            return err_wrap(err, "elastic IP");
        value_map_set(a, vars, "vip_allocation", value_str(a, id));
        value_map_set(a, *out, "vip", value_str(a, address));
    }
    if (!aws_has_bastion(s->cluster))
        return 0;
    if (aws_public_address(s, &aws_bastion, s->cluster->name, a, &bastion, err) < 0)
        return err_wrap(err, "bastion");
    if (bastion)
        value_map_set(a, *out, "bastion", value_str(a, bastion));
    return 0;
}

static int leftovers(struct provider_session *s, struct plan *p, struct err *err)
{
    int rc;

    aws_listings_forget(s);
    aws_named_forget(s->named);
    rc = discover(s, p, err);
    s->plan = NULL; /* p is the caller's */
    return rc;
}

const struct provider provider_aws = {
    .name = "aws",
    .summary = "instances of EC2 in a VPC",
    .can = PROVIDER_CAN_POWER,
    .kinds = aws_kinds,
    .open = aws_open,
    .close = aws_close,
    .desire = desire,
    .discover = discover,
    .host_keys = aws_host_keys,
    .outputs = outputs,
    .cost = aws_cost,
    .leftovers = leftovers,
    .power = aws_power,
};
