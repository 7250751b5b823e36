/*
 * aws.h - the AWS provider's own: what it makes, and how each thing is found again.
 *
 * Every thing has the tags pgha-cluster (the cluster's name) and pgha-resource ("instance.db1"), so
 * that it is found in the account without any state, and Name for people. What exists of a kind is
 * asked for once, by the tag, and shared by all that look (listing.c).
 */
#ifndef PGHA_AWS_H
#define PGHA_AWS_H

#include <stdatomic.h>

#include "providers/aws/client.h"
#include "providers/aws/session.h"
#include "providers/provider.h"

#define AWS_TAG_CLUSTER  "pgha-cluster"
#define AWS_TAG_RESOURCE "pgha-resource"
/* What no listing tells of an instance: termination protection, "on" or "off". */
#define AWS_TAG_PROTECTED "pgha-protected"

/* A kind of EC2's things that are listed, tagged and found alike. */
struct aws_kind {
    struct resource_kind plan;      /* the first member: a resource's kind is this one */
    const char *describe;           /* "DescribeVpcs" */
    const char *list;               /* in its answer: "vpcSet" */
    const char *id;                 /* of an item: "vpcId" */
    const char *id_filter;          /* name of the filter by id: "vpc-id" */
    const char *tag_type;           /* "vpc"; what TagSpecification calls it */
    const char *remove, *remove_by; /* "DeleteVpc" and its "VpcId", for aws_destroy; may be NULL */
    const char *option;             /* of the call, set to true; may be NULL */
    const char *const
        *after; /* names of kinds that must be there first and go later; ends with NULL */
    /* An item that is gone although it is listed, like a terminated instance. May be NULL. */
    bool (*is_gone)(const struct value *item);
    /* One that is on its way there: it has its name no more. May be NULL. */
    bool (*is_going)(const struct value *item);
    /* Fills r->actual from an item (id and tags are there already). May be NULL. */
    int (*model)(struct provider_session *s, const struct value *item, struct resource *r,
                 struct err *err);
};

struct aws_listing; /* listing.c */
struct aws_images;
struct aws_recent;
struct aws_zones;
struct aws_named;

struct provider_session {
    struct arena arena;
    const struct cluster *cluster;
    const char *state_dir;
    struct event_sink *events;
    struct aws_session *aws;
    struct aws_client *client;
    struct plan *plan; /* that is being worked on: what a resource needs is looked up in it */
    atomic_bool made;  /* something in this run: what is not found may only not be seen yet */
    struct aws_listing *listings;
    struct aws_images *images; /* image.c */
    struct aws_recent *recent;
    struct aws_named *named; /* iam.c */
    struct aws_zones *zones; /* subnet.c */
    const char *vip_id;      /* of the user's elastic IP, once aws_take_vip found it; else NULL */
};

extern const struct aws_kind aws_vpc, aws_internet_gateway, aws_attachment, aws_route, aws_subnet,
    aws_elastic_ip, aws_nat_gateway, aws_route_table, aws_security_group, aws_security_rules,
    aws_key_pair, aws_placement_group, aws_instance, aws_bastion, aws_volume;
extern const struct resource_kind aws_role, aws_instance_profile;
/* All, those that others need first; ends with NULL. */
extern const struct resource_kind *const aws_kinds[];
/* The EC2 kind of it; NULL for IAM's. */
const struct aws_kind *aws_kind_of(const struct resource_kind *k);

/* ---- listing.c: what exists ---- */

struct aws_listing *aws_listings_new(void);
void aws_listings_free(struct aws_listing *l);
/* All items of the kind that have the cluster's tag, asked for once; valid as long as the session.
 */
const struct value *aws_listing(struct provider_session *s, const struct aws_kind *k,
                                struct err *err);
/* Everything is asked for again. */
void aws_listings_forget(struct provider_session *s);
/* The item of a resource: by its tag, or by its id where the name is one; NULL item: there is none.
 */
int aws_find(struct provider_session *s, const struct aws_kind *k, const char *name,
             const struct value **item, struct err *err) MUST_USE;
/* The item with that id as it is now, in a; *item NULL: there is none. */
int aws_look(struct provider_session *s, const struct aws_kind *k, const char *id, struct arena *a,
             struct value **item, struct err *err) MUST_USE;
/* The first that the filter lets through: the user's own, too. */
int aws_look_by(struct provider_session *s, const struct aws_kind *k, const char *filter,
                const char *wanted, struct arena *a, struct value **item, struct err *err) MUST_USE;
/* The same by the tag of a resource, past the listing. */
int aws_look_by_tag(struct provider_session *s, const struct aws_kind *k, const char *name,
                    struct arena *a, struct value **item, struct err *err) MUST_USE;
const char *aws_item_tag(const struct value *item, const char *key); /* NULL: it has none */
/* "instance.db1" without its kind, when it is of this kind; NULL: no, or no such tag, or it is
 * going.
 */
const char *aws_item_name(const struct aws_kind *k, const struct value *item);

/* ---- recent.c: what the last run made, and AWS may not show yet ---- */

enum { AWS_SEEN_MS = 20000 }; /* so long what was made may not be seen */

struct aws_recent *aws_recent_load(const char *state_dir);
void aws_recent_free(struct aws_recent *recent);
/* Is there something missing among the items of that call which was made so recently? What is not
 * missing, or no more, is not asked for again. */
bool aws_recent_lacks(struct provider_session *s, const char *describe, const struct value *items);
/* IAM's, which are asked for by name: may it be there although it is not found? */
bool aws_recent_is(const struct provider_session *s, const struct resource_kind *k);
void aws_recent_settle(struct provider_session *s, const struct resource_kind *k);
bool aws_recent_any(const struct provider_session *s);

/* ---- ec2.c: what the kinds do alike ---- */

/* Sleeps, longer from time to time; *wait_ms begins with AWS_FIRST_WAIT_MS. False when the time is
 * up, or the user wants to stop. */
enum { AWS_FIRST_WAIT_MS = 250 };
bool aws_wait_more(int *wait_ms, int64_t deadline);

int aws_read(void *provider, struct resource *r, struct err *err);
int aws_destroy(void *provider, struct resource *r, struct err *err);
int aws_update_tags(void *provider, struct resource *r, struct err *err);
/* The tags that a resource should have, as map; name: that people see. */
struct value *aws_tags(const struct provider_session *s, const struct resource *r,
                       const char *name);
/* TagSpecification.N: r's desired tags for a thing of that type; n from 1. */
void aws_put_tags(struct aws_call *call, const struct resource *r, const char *type, int n);
/* Sends; where something was made in this run, a NotFound is taken for not seen yet, and the call
 * repeated for a while. */
struct value *aws_send_settled(struct provider_session *s, struct aws_call *call, struct arena *a,
                               struct err *err);
/* A call that makes the thing: its id, at `path` of the answer ("vpc.vpcId"), lands in r->actual,
 * with the "state" beside it, if any. Where the answer is lost, or a name is taken, the thing is
 * looked for by its tag. */
int aws_create(struct provider_session *s, struct resource *r, struct aws_call *call,
               const char *path, struct err *err) MUST_USE;
/* A call that removes; not found is success; a dependency that is going itself is waited out. */
int aws_remove(struct provider_session *s, struct aws_call *call, struct err *err) MUST_USE;
/* ACTION of EC2 with one parameter, its answer dropped. */
int aws_do(struct provider_session *s, const char *action, const char *param, const char *value,
           struct err *err) MUST_USE;
/* Until check says 1 of the thing as it is (item NULL: there is none); 0: not yet; -1 with err. */
typedef int aws_check_fn(const struct value *item, struct err *err);
int aws_wait(struct provider_session *s, const struct resource *r, int64_t timeout_ms,
             aws_check_fn *check, struct err *err) MUST_USE;

/* Until its state, which create may have told already, is "available". */
int aws_wait_available(void *provider, struct resource *r, struct err *err);

/* r->actual[name], "" when it is not there */
const char *aws_actual(const struct resource *r, const char *name);
/* The id of another resource of the plan, which is finished; BUG when it has none. */
const char *aws_id(const struct provider_session *s, const struct aws_kind *k, const char *name);
/* The VPC, be it the cluster's own or the user's. */
const char *aws_vpc_id(const struct provider_session *s);
const char *aws_subnet_id(const struct provider_session *s, const struct cluster_subnet *subnet);

/* What an item has that is a resource of its own: route.c, vpc.c. */
bool aws_has_route(const struct value *table);
bool aws_is_attached(const struct value *gateway);

struct aws_zones *aws_zones_new(void);
void aws_zones_free(struct aws_zones *z);
/* The region's zones by name, asked for once. */
const struct value *aws_list_zones(struct provider_session *s, struct err *err);
/* subnet.c: the zone's name, when the cluster file has it; else NULL */
const char *aws_zone_given(const struct provider_session *s, int zone, struct arena *a);
const struct cluster_subnet *aws_subnet_named(const struct cluster *c, const char *name);
/* The zone that the subnet is in, or will be made in. In a. */
int aws_zone_of(struct provider_session *s, const struct cluster_subnet *subnet, struct arena *a,
                const char **zone, struct err *err) MUST_USE;

/* Addresses of the first public subnet for what is none of the cluster's hosts. In a. */
enum aws_place { AWS_PLACE_NAT, AWS_PLACE_BASTION };
const char *aws_spare_address(const struct provider_session *s, enum aws_place place,
                              struct arena *a);

/* elastic_ip.c: the one that moves between the balancers with vip.mode eip: AWS_VIP, or the user's
 * own (network.vip), which is looked for once and never released. */
#define AWS_VIP "vip"
bool aws_has_own_vip(const struct cluster *c);
int aws_take_vip(struct provider_session *s, struct err *err) MUST_USE;
/* Of a plan that is applied. In a. */
int aws_vip(struct provider_session *s, struct arena *a, const char **id, const char **address,
            struct err *err) MUST_USE;

/* key_pair.c: the state folder's login key, "ssh-ed25519 AAAA...". Appends. */
int aws_login_key(const struct provider_session *s, struct str *out, struct err *err) MUST_USE;
/* iam.c: role and profile, which are found by their name and asked for once, as listings are. */
enum { AWS_NAMED = 2 };
struct aws_named *aws_named_new(void);
void aws_named_free(struct aws_named *named);
void aws_named_forget(struct aws_named *named);
/* *thing NULL: there is none; valid as long as the session. Somebody else's: ERR_CONFLICT. */
int aws_named_get(struct provider_session *s, const struct resource_kind *k,
                  const struct value **thing, struct err *err) MUST_USE;
/* role and instance profile have the same name. */
const char *aws_profile_name(const struct provider_session *s, struct arena *a);
struct value *aws_role_policy(const struct provider_session *s, struct arena *a);

/* ---- desire.c ---- */
int aws_desire(struct provider_session *s, struct plan *p, struct err *err) MUST_USE;
/* security_rules.c: the group of the cluster's hosts: "db", "lb", "etcd", "bastion"; and the rules
 * of it */
extern const char *const aws_groups[]; /* ends with NULL */
bool aws_has_group(const struct cluster *c, const char *group);
/* The user's own group (sg-...), or NULL. */
const char *aws_given_group(const struct cluster *c, const char *group);
const char *aws_group_id(const struct provider_session *s, const char *group);
struct value *aws_rules(const struct cluster *c, const char *group, struct arena *a);
/* instance.c */
int aws_host_keys(struct provider_session *s, struct str *known_hosts, struct err *err) MUST_USE;
const char *aws_instance_type(const struct cluster *c, const struct cluster_host *h);
bool aws_has_bastion(const struct cluster *c);
/* The public address of an instance of the plan, in a; *out NULL: it is not there yet. */
int aws_public_address(struct provider_session *s, const struct aws_kind *k, const char *name,
                       struct arena *a, const char **out, struct err *err) MUST_USE;
/* A host's plug: stopped at once, and started again. */
int aws_power(struct provider_session *s, const char *host, bool on, struct err *err);
/* image.c: "x86_64" or "arm64", in a */
int aws_architecture(struct provider_session *s, const char *instance_type, struct arena *a,
                     const char **out, struct err *err) MUST_USE;
struct aws_images *aws_images_new(void);
void aws_images_free(struct aws_images *i);
/* The image for an instance type: its id, and the name of its root device; in the
 * session's arena. */
int aws_image(struct provider_session *s, const char *instance_type, const char **id,
              const char **root_device, struct err *err) MUST_USE;

/* prices.c: what the plan's desired things cost a month (provider.h). */
int aws_cost(struct provider_session *s, const struct plan *p, struct arena *a, struct value **out,
             struct err *err) MUST_USE;

#endif
