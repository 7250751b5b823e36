/* volume.c - the disk of a db host's PostgreSQL: it is there before its instance and outlives it.
 */
#include "providers/aws/aws.h"
#include "providers/aws/xml.h"

enum { VOLUME_TIMEOUT_MS = 300000 };

static const struct {
    const char *attr, *param; /* of the calls; an item has the attribute's name */
} numbers[] = {{"size", "Size"}, {"iops", "Iops"}, {"throughput", "Throughput"}};

static bool is_gone(const struct value *item)
{
    return str_eq(value_get_str(item, "status", ""), "deleted");
}

static bool is_going(const struct value *item)
{
    return str_eq(value_get_str(item, "status", ""), "deleting");
}

static int model_volume(struct provider_session *s, const struct value *item, struct resource *r,
                        struct err *err)
{
    struct value *const *attached;

    UNUSED(s);
    UNUSED(err);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        value_map_set(
            r->arena, r->actual, numbers[i].attr,
            value_int(r->arena, strtoll(value_get_str(item, numbers[i].attr, "0"), NULL, 10)));
    value_map_set(r->arena, r->actual, "zone",
                  value_str(r->arena, value_get_str(item, "availabilityZone", "")));
    if (xml_list(item, "attachmentSet", &attached))
        value_map_set(r->arena, r->actual, "instance",
                      value_str(r->arena, value_get_str(attached[0], "instanceId", "")));
    return 0;
}

static void put_numbers(struct aws_call *call, const struct resource *r)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        aws_put(call,
                arena_printf(&call->arena, "%lld",
                             (long long)value_get_int(r->desired, numbers[i].attr, 0)),
                "%s", numbers[i].param);
}

static int create_volume(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    const struct cluster_host *h = cluster_host_find(s->cluster, r->name);
    const char *zone;
    struct aws_call call;
    int rc;

    if (!h)
        BUG("volume.%s is not the cluster's", r->name);
    if (aws_zone_of(s, &s->cluster->subnets.items[h->subnet], r->arena, &zone, err) < 0)
        return -1;
    aws_call_init(&call, &aws_ec2, "CreateVolume");
    call.once = true;
    aws_put(&call, zone, "AvailabilityZone");
    aws_put(&call, "gp3", "VolumeType");
    aws_put(&call, "true", "Encrypted");
    put_numbers(&call, r);
    aws_put_tags(&call, r, aws_volume.tag_type, 1);
    rc = aws_create(s, r, &call, "volumeId", err);
    aws_call_release(&call);
    return rc;
}

/* Larger while it is in use; EC2 refuses a smaller one, and a second change within six hours. */
static int update_volume(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    bool right = true;
    int rc;

    if (aws_update_tags(s, r, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        right &= plan_attr_is_right(r, numbers[i].attr);
    if (right)
        return 0;
    aws_call_init(&call, &aws_ec2, "ModifyVolume");
    aws_put(&call, aws_actual(r, "id"), "VolumeId");
    put_numbers(&call, r);
    rc = aws_send_settled(s, &call, &arena, err) ? 0 : -1;
    aws_call_release(&call);
    arena_release(&arena);
    return rc;
}

static int is_usable(const struct value *item, struct err *err)
{
    const char *status = value_get_str(item, "status", "");

    if (str_eq(status, "error"))
        return err_set(err, ERR_FAILED, "its making failed");
    return str_eq(status, "available") || str_eq(status, "in-use");
}

static int wait_volume(void *provider, struct resource *r, struct err *err)
{
    return aws_wait(provider, r, VOLUME_TIMEOUT_MS, is_usable, err);
}

static const struct attr attrs[] = {{"id", ATTR_COMPUTED},
                                    {"zone", ATTR_COMPUTED},
                                    {"instance", ATTR_COMPUTED},
                                    {"size", 0},
                                    {"iops", 0},
                                    {"throughput", 0},
                                    {"tags", 0},
                                    {NULL, 0}};
static const char *const nothing[] = {NULL};

const struct aws_kind aws_volume = {
    .plan = {.name = "volume",
             .attrs = attrs,
             .read = aws_read,
             .create = create_volume,
             .update = update_volume,
             .destroy = aws_destroy,
             .wait = wait_volume,
             .holds_data = true},
    .remove = "DeleteVolume",
    .remove_by = "VolumeId",
    .describe = "DescribeVolumes",
    .list = "volumeSet",
    .id = "volumeId",
    .id_filter = "volume-id",
    .tag_type = "volume",
    .after = nothing,
    .is_gone = is_gone,
    .is_going = is_going,
    .model = model_volume,
};
