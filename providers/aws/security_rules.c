/*
 * security_rules.c - what may reach a group of hosts, rule by rule, as the hosts' own firewall has
 * it (templates/firewall.nft.j2).
 *
 * A rule is a line, "tcp 5432 from group lb": so a plan shows what comes and what goes. They are a
 * kind of their own because groups name each other: all groups are there before any rule, and all
 * rules are gone before any group.
 */
#include <stdio.h>

#include "providers/aws/aws.h"
#include "providers/aws/xml.h"

enum { SOURCE_SIZE = 80, PROTOCOL_SIZE = 16 };

struct rule {
    char protocol[PROTOCOL_SIZE]; /* "tcp", "icmp", "112" */
    int from, to;                 /* ports; -1: all */
    char source[SOURCE_SIZE];     /* "10.0.0.0/8", "group lb", "sg-..." */
};

/* ---- a rule as text ---- */

static struct value *rule_text(const struct rule *rule, struct arena *a)
{
    if (rule->from < 0)
        return value_strf(a, "%s from %s", rule->protocol, rule->source);
    if (rule->from == rule->to)
        return value_strf(a, "%s %d from %s", rule->protocol, rule->from, rule->source);
    return value_strf(a, "%s %d-%d from %s", rule->protocol, rule->from, rule->to, rule->source);
}

static struct rule rule_parse(const char *text)
{
    const char *from = strstr(text, " from "), *space = strchr(text, ' ');
    struct rule rule = {.from = -1, .to = -1};

    snprintf(rule.protocol, sizeof(rule.protocol), "%.*s", (int)(space - text), text);
    snprintf(rule.source, sizeof(rule.source), "%s", from + strlen(" from "));
    if (space < from) {
        char *end;

        rule.from = rule.to = (int)strtol(space + 1, &end, 10);
        if (*end == '-')
            rule.to = (int)strtol(end + 1, NULL, 10);
    }
    return rule;
}

static int compare_text(const void *a, const void *b)
{
    const struct value *const *x = a, *const *y = b;

    return strcmp((*x)->u.str.s, (*y)->u.str.s);
}

static void sort(struct value *rules)
{
    if (rules->u.list.n)
        qsort(rules->u.list.items, rules->u.list.n, sizeof(*rules->u.list.items), compare_text);
}

static bool has_rule(const struct value *rules, const char *text)
{
    for (size_t i = 0; rules && i < rules->u.list.n; i++)
        if (str_eq(rules->u.list.items[i]->u.str.s, text))
            return true;
    return false;
}

/* ---- what should be ---- */

struct wanted {
    const struct cluster *cluster;
    struct arena *a;
    struct value *rules;
};

static void allow(struct wanted *w, const char *protocol, int port, const char *source)
{
    struct rule rule = {.from = port, .to = port};
    struct value *text;

    snprintf(rule.protocol, sizeof(rule.protocol), "%s", protocol);
    snprintf(rule.source, sizeof(rule.source), "%s", source);
    text = rule_text(&rule, w->a);
    if (!has_rule(w->rules, text->u.str.s))
        value_list_add(w->a, w->rules, text);
}

static void allow_group(struct wanted *w, const char *protocol, int port, const char *group)
{
    if (aws_has_group(w->cluster, group))
        allow(w, protocol, port, arena_printf(w->a, "group %s", group));
}

static void allow_own(struct wanted *w, int port)
{
    vec_each (network, &w->cluster->own_networks)
        allow(w, "tcp", port, *network);
}

/* Networks of the key, and the cluster's own. */
static void allow_networks(struct wanted *w, int port, const char *key)
{
    const struct value *networks = value_at(w->cluster->config, key);

    for (size_t i = 0; i < networks->u.list.n; i++)
        allow(w, "tcp", port, networks->u.list.items[i]->u.str.s);
    allow_own(w, port);
}

static void allow_db(struct wanted *w)
{
    const struct cluster *c = w->cluster;

    for (int i = 0; i < 2; i++) {
        int port = i ? c->port_patroni : c->port_postgres;

        allow_group(w, "tcp", port, "db");
        allow_group(w, "tcp", port, "lb");
    }
    allow_networks(w, c->port_postgres, "access.postgres");
    allow_networks(w, c->port_patroni, "access.ssh");
}

static void allow_lb(struct wanted *w)
{
    const struct cluster *c = w->cluster;
    const int ports[] = {c->port_primary, c->port_replicas, c->port_sync, c->port_async};

    for (size_t i = 0; i < ARRAY_LEN(ports); i++)
        allow_networks(w, ports[i], "access.postgres");
    allow_networks(w, c->port_stats, "access.ssh");
    allow_group(w, "112", -1, "lb"); /* VRRP */
}

static void allow_etcd(struct wanted *w)
{
    allow_group(w, "tcp", w->cluster->port_etcd_peer, "etcd");
    allow_group(w, "tcp", w->cluster->port_etcd_client, "etcd");
    allow_group(w, "tcp", w->cluster->port_etcd_client, "db");
    allow_networks(w, w->cluster->port_etcd_client, "access.ssh");
}

struct value *aws_rules(const struct cluster *c, const char *group, struct arena *a)
{
    struct wanted w = {c, a, value_list(a)};

    if (str_eq(group, "bastion") || !aws_has_bastion(c))
        allow_networks(&w, 22, "access.ssh");
    else
        allow_own(&w, 22);
    vec_each (network, &c->own_networks)
        allow(&w, "icmp", -1, *network);
    if (str_eq(group, "db"))
        allow_db(&w);
    else if (str_eq(group, "lb"))
        allow_lb(&w);
    else if (str_eq(group, "etcd"))
        allow_etcd(&w);
    sort(w.rules);
    return w.rules;
}

/* ---- what is there ---- */

/* "group lb" where the id is one of the cluster's, else the id. */
static int source_of(struct provider_session *s, const char *id, char out[SOURCE_SIZE],
                     struct err *err)
{
    snprintf(out, SOURCE_SIZE, "%s", id);
    for (const char *const *group = aws_groups; *group; group++) {
        const struct value *item = NULL;
        const char *given = aws_given_group(s->cluster, *group);

        if (!given && aws_find(s, &aws_security_group, *group, &item, err) < 0)
            return -1;
        if (str_eq(given ? given : value_get_str(item, "groupId", NULL), id))
            snprintf(out, SOURCE_SIZE, "group %s", *group);
    }
    return 0;
}

static bool has_ports(const char *protocol)
{
    static const char *const names[] = {"tcp", "udp", "icmp", "icmpv6"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(protocol, names[i]))
            return true;
    return false;
}

static int add_permission(struct provider_session *s, const struct value *permission,
                          struct value *rules, struct arena *a, struct err *err)
{
    static const struct {
        const char *list, *field;
    } sources[] = {{"ipRanges", "cidrIp"},
                   {"ipv6Ranges", "cidrIpv6"},
                   {"prefixListIds", "prefixListId"},
                   {"groups", "groupId"}};
    struct rule rule = {.from = atoi(value_get_str(permission, "fromPort", "-1")),
                        .to = atoi(value_get_str(permission, "toPort", "-1"))};

    snprintf(rule.protocol, sizeof(rule.protocol), "%s",
             value_get_str(permission, "ipProtocol", ""));
    if (!has_ports(rule.protocol))
        rule.from = rule.to = -1; /* whatever they are told as */
    for (size_t k = 0; k < ARRAY_LEN(sources); k++) {
        struct value *const *items;
        size_t n = xml_list(permission, sources[k].list, &items);

        for (size_t i = 0; i < n; i++) {
            const char *id = value_get_str(items[i], sources[k].field, "");

            if (source_of(s, id, rule.source, err) < 0)
                return -1;
            value_list_add(a, rules, rule_text(&rule, a));
        }
    }
    return 0;
}

/* A group without rules has none of this kind's resources. */
static int read_rules(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    struct value *const *permissions;
    const struct value *item;
    struct value *rules = value_list(r->arena);
    size_t n;

    if (aws_find(s, &aws_security_group, r->name, &item, err) < 0)
        return -1;
    n = xml_list(item, "ipPermissions", &permissions);
    for (size_t i = 0; i < n; i++)
        if (add_permission(s, permissions[i], rules, r->arena, err) < 0)
            return -1;
    if (!rules->u.list.n)
        return 0;
    sort(rules);
    r->actual = value_map(r->arena);
    value_map_set(r->arena, r->actual, "id",
                  value_str(r->arena, value_get_str(item, "groupId", "")));
    value_map_set(r->arena, r->actual, "rules", rules);
    return 0;
}

/* ---- changes ---- */

static void put_rule(const struct provider_session *s, struct aws_call *call, const char *text,
                     int n)
{
    struct rule rule = rule_parse(text);
    const char *source = rule.source;
    char port[16];

    aws_put(call, rule.protocol, "IpPermissions.%d.IpProtocol", n);
    snprintf(port, sizeof(port), "%d", rule.from);
    aws_put(call, port, "IpPermissions.%d.FromPort", n);
    snprintf(port, sizeof(port), "%d", rule.to);
    aws_put(call, port, "IpPermissions.%d.ToPort", n);
    if (str_starts(source, "group "))
        aws_put(call, aws_group_id(s, source + strlen("group ")),
                "IpPermissions.%d.Groups.1.GroupId", n);
    else if (str_starts(source, "sg-"))
        aws_put(call, source, "IpPermissions.%d.Groups.1.GroupId", n);
    else if (str_starts(source, "pl-"))
        aws_put(call, source, "IpPermissions.%d.PrefixListIds.1.PrefixListId", n);
    else if (strchr(source, ':'))
        aws_put(call, source, "IpPermissions.%d.Ipv6Ranges.1.CidrIpv6", n);
    else
        aws_put(call, source, "IpPermissions.%d.IpRanges.1.CidrIp", n);
}

/* Those of `rules` that are not among `others`, in one call from `begin` to `end`. */
static int send_rules(struct provider_session *s, const char *action, const char *group,
                      const char *const *rules, int count, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, action);
    aws_put(&call, group, "GroupId");
    for (int i = 0; i < count; i++)
        put_rule(s, &call, rules[i], i + 1);
    rc = aws_send_settled(s, &call, &arena, err) ? 0 : -1;
    /* Done by an attempt whose answer was lost. */
    if (rc < 0 && (str_eq(call.code, "InvalidPermission.Duplicate") ||
                   str_eq(call.code, "InvalidPermission.NotFound"))) {
        rc = 0;
        for (int i = 0; i < count && count > 1 && rc == 0; i++) {
            err_release(err);
            rc = send_rules(s, action, group, &rules[i], 1, err);
        }
        if (rc == 0)
            err_release(err);
    }
    aws_call_release(&call);
    arena_release(&arena);
    return rc;
}

static int change(struct provider_session *s, const char *action, const char *group,
                  const struct value *rules, const struct value *others, struct err *err)
{
    size_t most = rules ? rules->u.list.n : 0;
    const char **texts = xcalloc(most + 1, sizeof(*texts));
    int n = 0, rc = 0;

    for (size_t i = 0; i < most; i++)
        if (!has_rule(others, rules->u.list.items[i]->u.str.s))
            texts[n++] = rules->u.list.items[i]->u.str.s;
    if (n)
        rc = send_rules(s, action, group, texts, n, err);
    free(texts);
    return rc;
}

/* What is new is let in before what is old is shut out. */
static int update_rules(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    const struct value *want = value_get(r->desired, "rules"),
                       *have = value_get(r->actual, "rules");
    const char *group = aws_group_id(s, r->name);

    return change(s, "AuthorizeSecurityGroupIngress", group, want, have, err) < 0 ||
                   change(s, "RevokeSecurityGroupIngress", group, have, want, err) < 0
               ? -1
               : 0;
}

static int create_rules(void *provider, struct resource *r, struct err *err)
{
    if (update_rules(provider, r, err) < 0)
        return -1;
    r->actual = value_map(r->arena);
    value_map_set(r->arena, r->actual, "rules",
                  value_copy(r->arena, value_get(r->desired, "rules")));
    return 0;
}

static int destroy_rules(void *provider, struct resource *r, struct err *err)
{
    return change(provider, "RevokeSecurityGroupIngress", aws_actual(r, "id"),
                  value_get(r->actual, "rules"), NULL, err);
}

static const struct attr attrs[] = {{"id", ATTR_COMPUTED}, {"rules", 0}, {NULL, 0}};
static const char *const after[] = {"security_group", NULL};

const struct aws_kind aws_security_rules = {
    .plan = {.name = "security_rules",
             .attrs = attrs,
             .read = read_rules,
             .create = create_rules,
             .update = update_rules,
             .destroy = destroy_rules},
    .describe = "DescribeSecurityGroups",
    .list = "securityGroupInfo",
    .id = "groupId",
    .after = after,
};
