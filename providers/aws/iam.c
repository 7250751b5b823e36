/*
 * iam.c - what the balancers may do themselves: a role with one policy, which lets them move the
 * cluster's own address and nothing else, and the instance profile that hands it to them.
 *
 * IAM knows no regions, so the name has the cluster's; it has no search by tag, so the name is how
 * they are found.
 */
#include "lib/doc/json.h"
#include "providers/aws/aws.h"
#include "providers/aws/xml.h"

#define POLICY_NAME "move-address"

const char *aws_profile_name(const struct provider_session *s, struct arena *a)
{
    return arena_printf(a, "pgha-%s-%s", s->cluster->name, s->client->region);
}

/* ---- documents ---- */

static struct value *strings(struct arena *a, const char *const *texts)
{
    struct value *list = value_list(a);

    for (; *texts; texts++)
        value_list_add(a, list, value_str(a, *texts));
    return list;
}

static struct value *document(struct arena *a, struct value *statements)
{
    struct value *v = value_map(a);

    value_map_set(a, v, "Version", value_str(a, "2012-10-17"));
    value_map_set(a, v, "Statement", statements);
    return v;
}

static struct value *allow(struct arena *a, const char *const *actions)
{
    struct value *v = value_map(a);

    value_map_set(a, v, "Effect", value_str(a, "Allow"));
    value_map_set(a, v, "Action", strings(a, actions));
    return v;
}

static void only_if(struct arena *a, struct value *statement, const char *key, const char *is)
{
    struct value *condition = value_map(a), *equals = value_map(a);

    value_map_set(a, equals, key, value_str(a, is));
    value_map_set(a, condition, "StringEquals", equals);
    value_map_set(a, statement, "Condition", condition);
}

static const char *partition_of(const struct provider_session *s)
{
    if (str_starts(s->client->region, "cn-"))
        return "aws-cn";
    return str_starts(s->client->region, "us-gov-") ? "aws-us-gov" : "aws";
}

enum { RESOURCES_MAX = 3 }; /* kinds of things that a call names at once */

static struct value *arn(const struct provider_session *s, const char *kind, const char *id,
                         struct arena *a)
{
    return value_strf(a, "arn:%s:ec2:%s:*:%s/%s", partition_of(s), s->client->region, kind, id);
}

/* Those of the cluster; but the user's own elastic IP has no tag of ours and is named. */
static void allow_move(const struct provider_session *s, const char *const *actions,
                       const char *const *kinds, struct value *statements, struct arena *a)
{
    struct value *tagged = allow(a, actions), *resources = value_list(a);

    for (size_t i = 0; i < RESOURCES_MAX && kinds[i]; i++) {
        struct value *own;

        if (!s->vip_id || !str_eq(kinds[i], aws_elastic_ip.tag_type)) {
            value_list_add(a, resources, arn(s, kinds[i], "*", a));
            continue;
        }
        own = allow(a, actions);
        value_map_set(a, own, "Resource", arn(s, kinds[i], s->vip_id, a));
        value_list_add(a, statements, own);
    }
    value_map_set(a, tagged, "Resource",
                  resources->u.list.n == 1 ? resources->u.list.items[0] : resources);
    only_if(a, tagged, "aws:ResourceTag/" AWS_TAG_CLUSTER, s->cluster->name);
    value_list_add(a, statements, tagged);
}

/* Which actions know resources and tags:
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html */
struct value *aws_role_policy(const struct provider_session *s, struct arena *a)
{
    static const struct {
        const char *mode, *resources[RESOURCES_MAX];
        const char *look[2], *move[3];
    } modes[] = {
        {"private-ip",
         {"network-interface"},
         {"ec2:DescribeNetworkInterfaces", NULL},
         {"ec2:AssignPrivateIpAddresses", NULL}},
        {"route",
         {"route-table"},
         {"ec2:DescribeRouteTables", NULL},
         {"ec2:CreateRoute", "ec2:ReplaceRoute", NULL}},
        {"eip",
         {"elastic-ip", "instance", "network-interface"},
         {"ec2:DescribeAddresses", NULL},
         {"ec2:AssociateAddress", NULL}},
    };
    const char *mode = cluster_vip_mode(s->cluster);
    struct value *look, *statements = value_list(a);
    size_t i = 0;

    while (!str_eq(modes[i].mode, mode))
        if (++i == ARRAY_LEN(modes))
            BUG("no policy for vip.mode %s", mode);
    look = allow(a, modes[i].look);
    value_map_set(a, look, "Resource", value_str(a, "*"));
    only_if(a, look, "aws:RequestedRegion", s->client->region);
    value_list_add(a, statements, look);
    allow_move(s, modes[i].move, modes[i].resources, statements, a);
    return document(a, statements);
}

static char *trust_text(const struct provider_session *s)
{
    static const char *const assume[] = {"sts:AssumeRole", NULL};
    struct arena a = ARENA_INIT;
    struct value *statements = value_list(&a), *statement = allow(&a, assume);
    struct value *principal = value_map(&a);
    struct str text;

    value_map_set(&a, principal, "Service",
                  value_str(&a, str_starts(s->client->region, "cn-") ? "ec2.amazonaws.com.cn"
                                                                     : "ec2.amazonaws.com"));
    value_map_set(&a, statement, "Principal", principal);
    value_list_add(&a, statements, statement);
    str_init(&text, STR_MAX_TEXT);
    json_write(document(&a, statements), JSON_LINE, &text);
    arena_release(&a);
    return str_detach(&text);
}

/* IAM percent-encodes the documents that it hands out. */
static struct value *decode_document(struct arena *a, const char *text)
{
    struct err ignored = ERR_INIT;
    struct str plain;
    struct value *v;

    str_init(&plain, STR_MAX_TEXT);
    for (; *text; text++) {
        char hex[3] = {0};

        if (*text == '%' && text[1] && text[2]) {
            memcpy(hex, text + 1, 2);
            str_putc(&plain, (char)strtol(hex, NULL, 16));
            text += 2;
        } else {
            str_putc(&plain, *text);
        }
    }
    v = json_parse(a, "policy", plain.buf, plain.len, &ignored);
    err_release(&ignored);
    str_release(&plain);
    return v ? v : value_null(a);
}

/* ---- calls ---- */

/* The action on what has the cluster's name. done: the code that tells that it was done before, by
 * an attempt whose answer was lost; NULL: it removes, and not found is that. */
static int do_named(struct provider_session *s, const char *action, const char *const *names,
                    const char *done, struct err *err)
{
    struct arena arena = ARENA_INIT;
    const char *name = aws_profile_name(s, &arena);
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_iam, action);
    for (; *names; names++)
        aws_put(&call, str_eq(*names, "PolicyName") ? POLICY_NAME : name, "%s", *names);
    if (!done)
        rc = aws_remove(s, &call, err);
    else if (aws_send_settled(s, &call, &arena, err) || str_eq(call.code, done))
        rc = 0;
    else
        rc = -1;
    if (rc == 0)
        err_release(err);
    aws_call_release(&call);
    arena_release(&arena);
    return rc;
}

static void put_tags(struct aws_call *call, const struct resource *r)
{
    const struct value *tags = value_get(r->desired, "tags");

    for (size_t i = 0; i < tags->u.map.n; i++) {
        aws_put(call, tags->u.map.entries[i].key, "Tags.member.%zu.Key", i + 1);
        aws_put(call, tags->u.map.entries[i].value->u.str.s, "Tags.member.%zu.Value", i + 1);
    }
}

/* ---- what is there ---- */

struct aws_named {
    const struct resource_kind *kind;
    const char *action, *param, *member;
    pthread_mutex_t lock; /* held while it is asked for: the others wait */
    struct arena arena;
    bool asked;
    const struct value *thing; /* NULL: there is none */
};

struct aws_named *aws_named_new(void)
{
    static const struct aws_named both[AWS_NAMED] = {
        {.kind = &aws_role, .action = "GetRole", .param = "RoleName", .member = "Role"},
        {.kind = &aws_instance_profile,
         .action = "GetInstanceProfile",
         .param = "InstanceProfileName",
         .member = "InstanceProfile"}};
    struct aws_named *named = xcalloc(AWS_NAMED, sizeof(*named));

    for (size_t i = 0; i < AWS_NAMED; i++) {
        named[i] = both[i];
        pthread_mutex_init(&named[i].lock, NULL);
        arena_init(&named[i].arena);
    }
    return named;
}

void aws_named_free(struct aws_named *named)
{
    for (size_t i = 0; named && i < AWS_NAMED; i++) {
        pthread_mutex_destroy(&named[i].lock);
        arena_release(&named[i].arena);
    }
    free(named);
}

void aws_named_forget(struct aws_named *named)
{
    for (size_t i = 0; i < AWS_NAMED; i++) {
        pthread_mutex_lock(&named[i].lock);
        named[i].asked = false;
        named[i].thing = NULL;
        arena_release(&named[i].arena);
        arena_init(&named[i].arena);
        pthread_mutex_unlock(&named[i].lock);
    }
}

/* With the lock. */
static int ask(struct provider_session *s, struct aws_named *n, struct err *err)
{
    int wait_ms = AWS_FIRST_WAIT_MS;
    struct aws_call call;
    struct value *answer;

    aws_call_init(&call, &aws_iam, n->action);
    aws_put(&call, aws_profile_name(s, &call.arena), "%s", n->param);
    while (!(answer = aws_send(s->client, &call, &n->arena, err)) && aws_not_found(&call) &&
           aws_recent_is(s, n->kind) && aws_wait_more(&wait_ms, INT64_MAX))
        err_release(err);
    aws_recent_settle(s, n->kind);
    n->asked = answer || aws_not_found(&call);
    n->thing = value_get(answer, n->member);
    aws_call_release(&call);
    if (n->asked)
        err_release(err);
    return n->asked ? 0 : -1;
}

/* What has the name but not the tag is somebody else's. */
static int judge_owner(const struct provider_session *s, const struct aws_named *named,
                       struct err *err)
{
    struct value *const *tags;
    const char *owner = NULL;
    size_t n = xml_list(named->thing, "Tags", &tags);

    for (size_t i = 0; i < n; i++)
        if (str_eq(value_get_str(tags[i], "Key", ""), AWS_TAG_CLUSTER))
            owner = value_get_str(tags[i], "Value", "");
    if (str_eq(owner, s->cluster->name))
        return 0;
    err_set(err, ERR_CONFLICT, "IAM has a %s of that name without the tag " AWS_TAG_CLUSTER ": %s",
            named->member, s->cluster->name);
    return err_hint(err, "it is not this cluster's: give the cluster another name");
}

int aws_named_get(struct provider_session *s, const struct resource_kind *k,
                  const struct value **thing, struct err *err)
{
    struct aws_named *n = &s->named[k == &aws_role ? 0 : 1];
    int rc;

    pthread_mutex_lock(&n->lock);
    rc = n->asked ? 0 : ask(s, n, err);
    *thing = n->thing;
    pthread_mutex_unlock(&n->lock);
    return rc < 0 || !*thing ? rc : judge_owner(s, n, err);
}

static void model_tags(struct resource *r, const struct value *thing)
{
    const struct value *want = value_get(r->desired, "tags");
    struct value *tags = value_map(r->arena), *const * have;
    size_t n = xml_list(thing, "Tags", &have);

    for (size_t i = 0; i < n; i++) {
        const char *key = value_get_str(have[i], "Key", "");

        if (value_get(want, key))
            value_map_set(r->arena, tags, key,
                          value_str(r->arena, value_get_str(have[i], "Value", "")));
    }
    value_map_set(r->arena, r->actual, "tags", tags);
}

static int tag(struct provider_session *s, const struct resource *r, const char *action,
               const char *param, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    int rc = 0;

    if (plan_attr_is_right(r, "tags"))
        return 0;
    aws_call_init(&call, &aws_iam, action);
    aws_put(&call, aws_profile_name(s, &arena), "%s", param);
    put_tags(&call, r);
    rc = aws_send_settled(s, &call, &arena, err) ? 0 : -1;
    aws_call_release(&call);
    arena_release(&arena);
    return rc;
}

/* ---- role ---- */

static int read_policy(struct provider_session *s, struct resource *r, struct err *err)
{
    struct aws_call call;
    struct value *v;
    int rc = 0;

    aws_call_init(&call, &aws_iam, "GetRolePolicy");
    aws_put(&call, aws_profile_name(s, &call.arena), "RoleName");
    aws_put(&call, POLICY_NAME, "PolicyName");
    v = aws_send(s->client, &call, r->arena, err);
    if (v)
        value_map_set(r->arena, r->actual, "policy",
                      decode_document(r->arena, value_get_str(v, "PolicyDocument", "")));
    else if (aws_not_found(&call))
        err_release(err);
    else
        rc = -1;
    aws_call_release(&call);
    return rc;
}

static int read_role(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    const struct value *role;

    if (aws_named_get(s, r->kind, &role, err) < 0)
        return -1;
    if (!role)
        return 0;
    r->actual = value_map(r->arena);
    value_map_set(r->arena, r->actual, "id", value_str(r->arena, value_get_str(role, "Arn", "")));
    model_tags(r, role);
    return read_policy(s, r, err);
}

static int put_policy(struct provider_session *s, const struct resource *r, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    struct str text;
    int rc;

    if (plan_attr_is_right(r, "policy"))
        return 0;
    str_init(&text, STR_MAX_TEXT);
    json_write(value_get(r->desired, "policy"), JSON_LINE, &text);
    aws_call_init(&call, &aws_iam, "PutRolePolicy");
    aws_put(&call, aws_profile_name(s, &arena), "RoleName");
    aws_put(&call, POLICY_NAME, "PolicyName");
    aws_put(&call, text.buf, "PolicyDocument");
    rc = aws_send_settled(s, &call, &arena, err) ? 0 : -1;
    aws_call_release(&call);
    str_release(&text);
    arena_release(&arena);
    return rc;
}

static int update_role(void *provider, struct resource *r, struct err *err)
{
    return tag(provider, r, "TagRole", "RoleName", err) < 0 ? -1 : put_policy(provider, r, err);
}

static int create_role(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    char *trust = trust_text(s), *about = xasprintf("balancers of cluster %s", s->cluster->name);
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    struct value *v;
    int rc = -1;

    aws_call_init(&call, &aws_iam, "CreateRole");
    aws_put(&call, aws_profile_name(s, &arena), "RoleName");
    aws_put(&call, trust, "AssumeRolePolicyDocument");
    aws_put(&call, about, "Description");
    put_tags(&call, r);
    v = aws_send(s->client, &call, &arena, err);
    if (v || str_eq(call.code, "EntityAlreadyExists")) { /* by an attempt whose answer was lost */
        err_release(err);
        atomic_store(&s->made, true);
        r->actual = value_map(r->arena);
        value_map_set(r->arena, r->actual, "id",
                      value_str(r->arena, value_get_str(value_get(v, "Role"), "Arn", "")));
        rc = put_policy(s, r, err);
    }
    aws_call_release(&call);
    arena_release(&arena);
    free(trust);
    free(about);
    return rc;
}

static int destroy_role(void *provider, struct resource *r, struct err *err)
{
    static const char *const policy[] = {"RoleName", "PolicyName", NULL}, *const role[] = {
                                                                              "RoleName", NULL};

    if (value_get(r->actual, "policy") &&
        do_named(provider, "DeleteRolePolicy", policy, NULL, err) < 0)
        return -1;
    return do_named(provider, "DeleteRole", role, NULL, err);
}

static const struct attr role_attrs[] = {
    {"id", ATTR_COMPUTED}, {"policy", 0}, {"tags", 0}, {NULL, 0}};

const struct resource_kind aws_role = {.name = "iam_role",
                                       .attrs = role_attrs,
                                       .read = read_role,
                                       .create = create_role,
                                       .update = update_role,
                                       .destroy = destroy_role};

/* ---- instance profile ---- */

static int read_profile(void *provider, struct resource *r, struct err *err)
{
    const struct value *profile;
    struct value *const *roles;

    if (aws_named_get(provider, r->kind, &profile, err) < 0)
        return -1;
    if (!profile)
        return 0;
    r->actual = value_map(r->arena);
    value_map_set(r->arena, r->actual, "id",
                  value_str(r->arena, value_get_str(profile, "Arn", "")));
    value_map_set(r->arena, r->actual, "has_role",
                  value_bool(r->arena, xml_list(profile, "Roles", &roles) > 0));
    model_tags(r, profile);
    return 0;
}

static int add_role(struct provider_session *s, struct err *err)
{
    static const char *const both[] = {"InstanceProfileName", "RoleName", NULL};

    return do_named(s, "AddRoleToInstanceProfile", both, "LimitExceeded", err);
}

static int update_profile(void *provider, struct resource *r, struct err *err)
{
    if (tag(provider, r, "TagInstanceProfile", "InstanceProfileName", err) < 0)
        return -1;
    return value_get_bool(r->actual, "has_role", false) ? 0 : add_role(provider, err);
}

static int create_profile(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    struct value *v;
    int rc = -1;

    aws_call_init(&call, &aws_iam, "CreateInstanceProfile");
    aws_put(&call, aws_profile_name(s, &arena), "InstanceProfileName");
    put_tags(&call, r);
    v = aws_send(s->client, &call, &arena, err);
    if (v || str_eq(call.code, "EntityAlreadyExists")) {
        err_release(err);
        atomic_store(&s->made, true);
        r->actual = value_map(r->arena);
        value_map_set(
            r->arena, r->actual, "id",
            value_str(r->arena, value_get_str(value_get(v, "InstanceProfile"), "Arn", "")));
        rc = add_role(s, err);
    }
    aws_call_release(&call);
    arena_release(&arena);
    return rc;
}

static int destroy_profile(void *provider, struct resource *r, struct err *err)
{
    static const char *const both[] = {"InstanceProfileName", "RoleName", NULL},
                             *const profile[] = {"InstanceProfileName", NULL};

    if (value_get_bool(r->actual, "has_role", false) &&
        do_named(provider, "RemoveRoleFromInstanceProfile", both, NULL, err) < 0)
        return -1;
    return do_named(provider, "DeleteInstanceProfile", profile, NULL, err);
}

static const struct attr profile_attrs[] = {
    {"id", ATTR_COMPUTED}, {"has_role", 0}, {"tags", 0}, {NULL, 0}};

const struct resource_kind aws_instance_profile = {.name = "instance_profile",
                                                   .attrs = profile_attrs,
                                                   .read = read_profile,
                                                   .create = create_profile,
                                                   .update = update_profile,
                                                   .destroy = destroy_profile};
