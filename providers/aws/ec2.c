/* ec2.c - what the kinds of EC2's things do alike: read, tag, make, wait, remove. */
#include "lib/base/clock.h"
#include "providers/aws/aws.h"
#include "providers/aws/xml.h"

enum {
    SETTLE_MS = 60000, /* until a thing that was made is seen by all of AWS */
    AVAILABLE_MS = 60000,
    REMOVE_MS = 600000, /* until what depends on a thing has gone */
    LONGEST_WAIT_MS = 5000
};

bool aws_wait_more(int *wait_ms, int64_t deadline)
{
    if (clock_stop_requested() || clock_mono_ms() + *wait_ms > deadline)
        return false;
    clock_sleep_ms(*wait_ms);
    *wait_ms = *wait_ms * 3 / 2 < LONGEST_WAIT_MS ? *wait_ms * 3 / 2 : LONGEST_WAIT_MS;
    return !clock_stop_requested();
}

static const struct aws_kind *kind_of(const struct resource *r)
{
    return (const struct aws_kind *)r->kind;
}

/* ---- tags ---- */

struct value *aws_tags(const struct provider_session *s, const struct resource *r, const char *name)
{
    const struct value *more = value_at(s->cluster->config, "provider.default_tags");
    struct value *tags = value_map(r->arena);

    for (size_t i = 0; more && i < more->u.map.n; i++) {
        const struct value_entry *e = &more->u.map.entries[i];

        value_map_set(r->arena, tags, e->key, value_copy(r->arena, e->value));
    }
    value_map_set(r->arena, tags, "Name", value_str(r->arena, name));
    value_map_set(r->arena, tags, AWS_TAG_CLUSTER, value_str(r->arena, s->cluster->name));
    value_map_set(r->arena, tags, AWS_TAG_RESOURCE,
                  value_strf(r->arena, "%s.%s", r->kind->name, r->name));
    return tags;
}

void aws_put_tags(struct aws_call *call, const struct resource *r, const char *type, int n)
{
    const struct value *tags = value_get(r->desired, "tags");

    aws_put(call, type, "TagSpecification.%d.ResourceType", n);
    for (size_t i = 0; i < tags->u.map.n; i++) {
        aws_put(call, tags->u.map.entries[i].key, "TagSpecification.%d.Tag.%zu.Key", n, i + 1);
        aws_put(call, tags->u.map.entries[i].value->u.str.s, "TagSpecification.%d.Tag.%zu.Value", n,
                i + 1);
    }
}

int aws_update_tags(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    const struct value *want = value_get(r->desired, "tags"), *have = value_get(r->actual, "tags");
    const struct value *parts = value_get(r->actual, "parts"); /* that have the same tags */
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    int rc = 0, n = 0;

    aws_call_init(&call, &aws_ec2, "CreateTags");
    aws_put(&call, aws_actual(r, "id"), "ResourceId.1");
    for (size_t i = 0; parts && i < parts->u.list.n; i++)
        aws_put(&call, parts->u.list.items[i]->u.str.s, "ResourceId.%zu", i + 2);
    for (size_t i = 0; i < want->u.map.n; i++) {
        const struct value_entry *e = &want->u.map.entries[i];

        if (str_eq(value_get_str(have, e->key, NULL), e->value->u.str.s))
            continue;
        n++;
        aws_put(&call, e->key, "Tag.%d.Key", n);
        aws_put(&call, e->value->u.str.s, "Tag.%d.Value", n);
    }
    if (n && !aws_send_settled(s, &call, &arena, err))
        rc = -1;
    aws_call_release(&call);
    arena_release(&arena);
    return rc;
}

/* ---- read ---- */

/* Of the item's tags those that are asked for: others' tags are others' business. */
static struct value *tags_asked_for(const struct value *item, const struct resource *r)
{
    const struct value *want = value_get(r->desired, "tags");
    struct value *tags = value_map(r->arena);

    for (size_t i = 0; want && i < want->u.map.n; i++) {
        const char *key = want->u.map.entries[i].key, *have = aws_item_tag(item, key);

        if (have)
            value_map_set(r->arena, tags, key, value_str(r->arena, have));
    }
    return tags;
}

int aws_read(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    const struct aws_kind *k = kind_of(r);
    const struct value *item;

    if (aws_find(s, k, r->name, &item, err) < 0)
        return -1;
    if (!item)
        return 0;
    r->actual = value_map(r->arena);
    value_map_set(r->arena, r->actual, "id", value_str(r->arena, value_get_str(item, k->id, "")));
    value_map_set(r->arena, r->actual, "tags", tags_asked_for(item, r));
    return k->model ? k->model(s, item, r, err) : 0;
}

/* ---- calls ---- */

struct value *aws_send_settled(struct provider_session *s, struct aws_call *call, struct arena *a,
                               struct err *err)
{
    int64_t deadline = clock_mono_ms() + SETTLE_MS;
    int wait_ms = AWS_FIRST_WAIT_MS;
    struct value *v;

    while (!(v = aws_send(s->client, call, a, err)) && aws_not_found(call) &&
           atomic_load(&s->made) && aws_wait_more(&wait_ms, deadline))
        err_release(err);
    return v;
}

int aws_do(struct provider_session *s, const char *action, const char *param, const char *value,
           struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, action);
    aws_put(&call, value, "%s", param);
    rc = aws_send_settled(s, &call, &arena, err) ? 0 : -1;
    aws_call_release(&call);
    arena_release(&arena);
    return rc;
}

/* "instancesSet.instanceId": of a list its first. */
static const char *text_at(const struct value *v, const char *path)
{
    while (v && *path) {
        char name[64];
        size_t len = strcspn(path, ".");

        snprintf(name, sizeof(name), "%.*s", (int)len, path);
        if (v->type == VALUE_LIST)
            v = v->u.list.n ? v->u.list.items[0] : NULL;
        v = value_get(v, name);
        path += len + (path[len] == '.');
    }
    return v && value_is_str(v) && v->u.str.len ? v->u.str.s : NULL;
}

/* It may have been made although nobody heard of it. */
static const char *find_lost(struct provider_session *s, const struct resource *r, struct arena *a)
{
    int64_t deadline = clock_mono_ms() + AWS_SEEN_MS;
    const struct aws_kind *k = kind_of(r);
    struct err ignored = ERR_INIT;
    int wait_ms = AWS_FIRST_WAIT_MS;
    struct value *item = NULL;

    while (aws_look_by_tag(s, k, r->name, a, &item, &ignored) < 0 || !item) {
        err_release(&ignored);
        if (!aws_wait_more(&wait_ms, deadline))
            break;
    }
    err_release(&ignored);
    return value_get_str(item, k->id, NULL);
}

/* What has the same name, or the same network, as one of ours that an attempt made whose answer was
 * lost. */
static bool is_there_already(const struct aws_call *call)
{
    static const char *const codes[] = {
        "InvalidSubnet.Conflict", "InvalidGroup.Duplicate", "InvalidKeyPair.Duplicate",
        "InvalidPlacementGroup.Duplicate", "IdempotentParameterMismatch"};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (str_eq(call->code, codes[i]))
            return true;
    return false;
}

/* Its id; NULL: it was not made, with err->retryable when nobody refused it. */
static const char *make(struct provider_session *s, const struct resource *r, struct aws_call *call,
                        const char *path, const char **state, struct arena *a, struct err *err)
{
    struct value *v = aws_send_settled(s, call, a, err);
    const char *id = v ? text_at(v, path) : NULL, *dot = strchr(path, '.');

    if (v && !id) {
        err_set(err, ERR_NET, "%s: the answer has no %s", call->action, path);
        err->retryable = true;
    }
    if (id && dot)
        *state = text_at(v, arena_printf(a, "%.*s.state", (int)(dot - path), path));
    if (id || (!err->retryable && !is_there_already(call)))
        return id;
    if ((id = find_lost(s, r, a)))
        err_release(err);
    return id;
}

int aws_create(struct provider_session *s, struct resource *r, struct aws_call *call,
               const char *path, struct err *err)
{
    struct arena arena = ARENA_INIT;
    const char *state = NULL, *id = make(s, r, call, path, &state, &arena, err);

    if (!id && err->retryable && !clock_stop_requested()) { /* looked for, and not there */
        err_release(err);
        id = make(s, r, call, path, &state, &arena, err);
    }
    if (id) {
        atomic_store(&s->made, true);
        r->actual = value_map(r->arena);
        value_map_set(r->arena, r->actual, "id", value_str(r->arena, id));
        if (state)
            value_map_set(r->arena, r->actual, "state", value_str(r->arena, state));
    }
    arena_release(&arena);
    return id ? 0 : -1;
}

static bool is_in_use(const struct aws_call *call)
{
    static const char *const codes[] = {"DependencyViolation",
                                        "DeleteConflict",
                                        "InvalidGroup.InUse",
                                        "InvalidPlacementGroup.InUse",
                                        "InvalidIPAddress.InUse",
                                        "InvalidAddress.Locked",
                                        "VolumeInUse",
                                        "IncorrectState"};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (str_eq(call->code, codes[i]))
            return true;
    return false;
}

int aws_remove(struct provider_session *s, struct aws_call *call, struct err *err)
{
    int64_t deadline = clock_mono_ms() + REMOVE_MS;
    struct arena arena = ARENA_INIT;
    int wait_ms = AWS_FIRST_WAIT_MS;
    bool gone = false;

    for (;;) {
        bool done = aws_send(s->client, call, &arena, err) != NULL, missing = aws_not_found(call);

        gone = done || (missing && !aws_recent_any(s));
        if (gone || !(missing || is_in_use(call)) || !aws_wait_more(&wait_ms, deadline))
            break;
        err_release(err);
    }
    if (gone)
        err_release(err);
    else if (is_in_use(call))
        err_hint(err, "something that is not the cluster's may use it: look at it in the console");
    arena_release(&arena);
    return gone ? 0 : -1;
}

int aws_destroy(void *provider, struct resource *r, struct err *err)
{
    const struct aws_kind *k = kind_of(r);
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, k->remove);
    aws_put(&call, aws_actual(r, "id"), "%s", k->remove_by);
    rc = aws_remove(provider, &call, err);
    aws_call_release(&call);
    return rc;
}

static int is_available(const struct value *item, struct err *err)
{
    UNUSED(err);
    return item && str_eq(value_get_str(item, "state", ""), "available");
}

int aws_wait_available(void *provider, struct resource *r, struct err *err)
{
    return str_eq(aws_actual(r, "state"), "available")
               ? 0
               : aws_wait(provider, r, AVAILABLE_MS, is_available, err);
}

int aws_wait(struct provider_session *s, const struct resource *r, int64_t timeout_ms,
             aws_check_fn *check, struct err *err)
{
    int64_t deadline = clock_mono_ms() + timeout_ms;
    const char *id = aws_actual(r, "id");
    int wait_ms = AWS_FIRST_WAIT_MS, rc;

    for (;;) {
        struct arena arena = ARENA_INIT;
        struct value *item;

        rc = aws_look(s, kind_of(r), id, &arena, &item, err);
        rc = rc < 0 ? -1 : check(item, err);
        arena_release(&arena);
        if (rc || !aws_wait_more(&wait_ms, deadline))
            break;
    }
    if (rc > 0)
        return 0;
    if (rc < 0)
        return -1;
    if (clock_stop_requested())
        return err_set(err, ERR_INTERRUPTED, "stopped by the user");
    return err_set(err, ERR_TIMEOUT, "%s is not ready after %lld s", id,
                   (long long)(timeout_ms / 1000));
}

/* ---- ids ---- */

const char *aws_actual(const struct resource *r, const char *name)
{
    return value_get_str(r->actual, name, "");
}

const char *aws_id(const struct provider_session *s, const struct aws_kind *k, const char *name)
{
    const struct resource *r = plan_find(s->plan, k->plan.name, name);
    const char *id = r ? value_get_str(r->actual, "id", NULL) : NULL;

    if (!id)
        BUG("%s.%s has no id yet", k->plan.name, name);
    return id;
}

const char *aws_vpc_id(const struct provider_session *s)
{
    const struct value *given = value_at(s->cluster->config, "provider.vpc");

    return given ? given->u.str.s : aws_id(s, &aws_vpc, s->cluster->name);
}

const char *aws_subnet_id(const struct provider_session *s, const struct cluster_subnet *subnet)
{
    return subnet->id ? subnet->id : aws_id(s, &aws_subnet, subnet->name);
}
