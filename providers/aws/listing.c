/* listing.c - what exists of each kind, asked for once by the cluster's tag. */
#include "providers/aws/aws.h"
#include "providers/aws/xml.h"

#define LISTINGS 16

/* Kinds that are described by the same call share one. */
struct listing {
    const char *describe;
    pthread_mutex_t lock; /* held while it is asked for: the others wait for the answer */
    struct arena arena;
    struct value *items; /* NULL: not asked for */
};

struct aws_listing {
    pthread_mutex_t lock; /* of `describe` in each */
    struct listing of[LISTINGS];
};

struct aws_listing *aws_listings_new(void)
{
    struct aws_listing *l = xcalloc(1, sizeof(*l));

    pthread_mutex_init(&l->lock, NULL);
    for (size_t i = 0; i < LISTINGS; i++) {
        pthread_mutex_init(&l->of[i].lock, NULL);
        arena_init(&l->of[i].arena);
    }
    return l;
}

void aws_listings_free(struct aws_listing *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < LISTINGS; i++) {
        arena_release(&l->of[i].arena);
        pthread_mutex_destroy(&l->of[i].lock);
    }
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static struct listing *listing_of(struct provider_session *s, const struct aws_kind *k)
{
    struct listing *found = NULL;

    pthread_mutex_lock(&s->listings->lock);
    for (size_t i = 0; i < LISTINGS && !found; i++) {
        struct listing *l = &s->listings->of[i];

        if (!l->describe)
            l->describe = k->describe;
        if (str_eq(l->describe, k->describe))
            found = l;
    }
    pthread_mutex_unlock(&s->listings->lock);
    if (!found)
        BUG("more than %d kinds of listings", LISTINGS);
    return found;
}

/* Instances come in reservations, each with a list of them. */
static struct value *flatten(struct value *reservations, struct arena *a)
{
    struct value *all = value_list(a);

    for (size_t i = 0; i < reservations->u.list.n; i++) {
        struct value *const *items;
        size_t n = xml_list(reservations->u.list.items[i], "instancesSet", &items);

        for (size_t k = 0; k < n; k++)
            value_list_add(a, all, items[k]);
    }
    return all;
}

/* What has another tag is passed over even where the filter let it through, as emulators do: what
 * is somebody else's is not to be touched. */
static bool is_asked_for(const struct aws_kind *k, const char *filter, const char *wanted,
                         const struct value *item)
{
    if (k->is_gone && k->is_gone(item))
        return false;
    if (str_starts(filter, "tag:"))
        return str_eq(aws_item_tag(item, filter + strlen("tag:")), wanted);
    return !str_eq(filter, k->id_filter) || str_eq(value_get_str(item, k->id, NULL), wanted);
}

/* Those with the filter, without the ones that are as good as gone. */
static struct value *describe(struct provider_session *s, const struct aws_kind *k,
                              const char *filter, const char *wanted, struct arena *a,
                              struct err *err)
{
    struct value *all, *living = NULL;
    struct aws_call call;

    aws_call_init(&call, &aws_ec2, k->describe);
    aws_put(&call, filter, "Filter.1.Name");
    aws_put(&call, wanted, "Filter.1.Value.1");
    if (k->option)
        aws_put(&call, "true", "%s", k->option);
    all = aws_send_all(s->client, &call, k->list, a, err);
    aws_call_release(&call);
    if (all && str_eq(k->list, "reservationSet"))
        all = flatten(all, a);
    if (all)
        living = value_list(a);
    for (size_t i = 0; all && i < all->u.list.n; i++)
        if (is_asked_for(k, filter, wanted, all->u.list.items[i]))
            value_list_add(a, living, all->u.list.items[i]);
    return living;
}

/* All of the cluster's, with what the last run made. */
static struct value *describe_settled(struct provider_session *s, const struct aws_kind *k,
                                      struct arena *a, struct err *err)
{
    int wait_ms = AWS_FIRST_WAIT_MS;

    for (;;) {
        struct value *items = describe(s, k, "tag:" AWS_TAG_CLUSTER, s->cluster->name, a, err);

        if (!items || !aws_recent_lacks(s, k->describe, items) ||
            !aws_wait_more(&wait_ms, INT64_MAX))
            return items;
        arena_release(a);
        arena_init(a);
    }
}

const struct value *aws_listing(struct provider_session *s, const struct aws_kind *k,
                                struct err *err)
{
    struct listing *l = listing_of(s, k);
    const struct value *items;

    pthread_mutex_lock(&l->lock);
    if (!l->items)
        l->items = describe_settled(s, k, &l->arena, err);
    items = l->items;
    pthread_mutex_unlock(&l->lock);
    return items;
}

void aws_listings_forget(struct provider_session *s)
{
    for (size_t i = 0; i < LISTINGS; i++) {
        struct listing *l = &s->listings->of[i];

        pthread_mutex_lock(&l->lock);
        l->items = NULL;
        arena_release(&l->arena);
        arena_init(&l->arena);
        pthread_mutex_unlock(&l->lock);
    }
}

const char *aws_item_tag(const struct value *item, const char *key)
{
    struct value *const *tags;
    size_t n = xml_list(item, "tagSet", &tags);

    for (size_t i = 0; i < n; i++)
        if (str_eq(value_get_str(tags[i], "key", NULL), key))
            return value_get_str(tags[i], "value", "");
    return NULL;
}

const char *aws_item_name(const struct aws_kind *k, const struct value *item)
{
    const char *tag = aws_item_tag(item, AWS_TAG_RESOURCE);
    size_t len = strlen(k->plan.name);

    if (k->is_going && k->is_going(item))
        return NULL;
    return tag && strncmp(tag, k->plan.name, len) == 0 && tag[len] == '.' ? tag + len + 1 : NULL;
}

int aws_find(struct provider_session *s, const struct aws_kind *k, const char *name,
             const struct value **item, struct err *err)
{
    const struct value *items = aws_listing(s, k, err);

    *item = NULL;
    for (size_t i = 0; items && i < items->u.list.n && !*item; i++)
        if (str_eq(aws_item_name(k, items->u.list.items[i]), name))
            *item = items->u.list.items[i];
    for (size_t i = 0; items && i < items->u.list.n && !*item; i++)
        if (str_eq(value_get_str(items->u.list.items[i], k->id, NULL), name))
            *item = items->u.list.items[i];
    return items ? 0 : -1;
}

int aws_look_by(struct provider_session *s, const struct aws_kind *k, const char *filter,
                const char *wanted, struct arena *a, struct value **item, struct err *err)
{
    struct value *items = describe(s, k, filter, wanted, a, err);

    *item = items && items->u.list.n ? items->u.list.items[0] : NULL;
    return items ? 0 : -1;
}

int aws_look(struct provider_session *s, const struct aws_kind *k, const char *id, struct arena *a,
             struct value **item, struct err *err)
{
    return aws_look_by(s, k, k->id_filter, id, a, item, err);
}

int aws_look_by_tag(struct provider_session *s, const struct aws_kind *k, const char *name,
                    struct arena *a, struct value **item, struct err *err)
{
    struct value *items = describe(s, k, "tag:" AWS_TAG_CLUSTER, s->cluster->name, a, err);

    *item = NULL;
    for (size_t i = 0; items && i < items->u.list.n && !*item; i++)
        if (str_eq(aws_item_name(k, items->u.list.items[i]), name))
            *item = items->u.list.items[i];
    return items ? 0 : -1;
}
