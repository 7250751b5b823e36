/*
 * recent.c - what the last run made, and AWS may not show yet.
 *
 * A run that was killed and is repeated at once sees neither all that it made nor by its tag what
 * it was about to make. The state tells what was begun, and when (plan_to_value's "touched"): for
 * so long what is not found is looked for again, and what is told as not found is asked again.
 * https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
#include "lib/base/clock.h"
#include "providers/aws/aws.h"

struct recent {
    const char *kind, *name, *id; /* id: NULL where no answer came */
    int64_t until;                /* clock_mono_ms */
    bool settled;                 /* it was seen, or its time was up */
};

struct aws_recent {
    struct arena arena;
    pthread_mutex_t lock; /* of `settled` in each: kinds are listed at the same time */
    VEC(struct recent) made;
    int64_t until; /* the latest of them */
};

static void take(struct aws_recent *recent, const struct value *item)
{
    const char *action = value_get_str(item, "action", "");
    int64_t ago = clock_real_ms() - value_get_int(item, "touched", 0);
    struct recent r = {.kind = value_get_str(item, "kind", ""),
                       .name = value_get_str(item, "name", ""),
                       .id = value_get_str(value_get(item, "actual"), "id", NULL)};

    if (ago >= AWS_SEEN_MS || (!str_eq(action, action_names[ACTION_CREATE]) &&
                               !str_eq(action, action_names[ACTION_REPLACE])))
        return;
    r.until = clock_mono_ms() + AWS_SEEN_MS - (ago > 0 ? ago : 0);
    recent->until = r.until > recent->until ? r.until : recent->until;
    vec_push(&recent->made, r);
}

struct aws_recent *aws_recent_load(const char *state_dir)
{
    struct aws_recent *recent = xcalloc(1, sizeof(*recent));
    struct err ignored = ERR_INIT; /* what there is can be found without a state */
    struct value *v;

    arena_init(&recent->arena);
    pthread_mutex_init(&recent->lock, NULL);
    v = state_read_value(state_dir, "resources.json", &recent->arena, &ignored);
    for (size_t i = 0; v && v->type == VALUE_LIST && i < v->u.list.n; i++)
        take(recent, v->u.list.items[i]);
    err_release(&ignored);
    return recent;
}

void aws_recent_free(struct aws_recent *recent)
{
    if (!recent)
        return;
    pthread_mutex_destroy(&recent->lock);
    vec_release(&recent->made);
    arena_release(&recent->arena);
    free(recent);
}

/* Like the others that the same call describes. */
static const struct aws_kind *kind_named(const char *name)
{
    for (const struct resource_kind *const *k = aws_kinds; *k; k++)
        if (str_eq((*k)->name, name))
            return aws_kind_of(*k);
    return NULL;
}

static bool is_among(const struct recent *r, const struct aws_kind *k, const struct value *items)
{
    for (size_t i = 0; i < items->u.list.n; i++) {
        const struct value *item = items->u.list.items[i];

        if (str_eq(value_get_str(item, k->id, NULL), r->id) ||
            (!r->id && str_eq(aws_item_name(k, item), r->name)))
            return true;
    }
    return false;
}

bool aws_recent_lacks(struct provider_session *s, const char *describe, const struct value *items)
{
    bool lacks = false;

    pthread_mutex_lock(&s->recent->lock);
    vec_each (r, &s->recent->made) {
        const struct aws_kind *k = kind_named(r->kind);

        if (r->settled || !k || !k->tag_type || !str_eq(k->describe, describe))
            continue;
        r->settled = is_among(r, k, items) || clock_mono_ms() >= r->until;
        lacks |= !r->settled;
    }
    pthread_mutex_unlock(&s->recent->lock);
    return lacks;
}

bool aws_recent_is(const struct provider_session *s, const struct resource_kind *k)
{
    bool is = false;

    pthread_mutex_lock(&s->recent->lock);
    vec_each (r, &s->recent->made)
        is |= str_eq(r->kind, k->name) && !r->settled && clock_mono_ms() < r->until;
    pthread_mutex_unlock(&s->recent->lock);
    return is;
}

void aws_recent_settle(struct provider_session *s, const struct resource_kind *k)
{
    pthread_mutex_lock(&s->recent->lock);
    vec_each (r, &s->recent->made)
        if (str_eq(r->kind, k->name))
            r->settled = true;
    pthread_mutex_unlock(&s->recent->lock);
}

bool aws_recent_any(const struct provider_session *s)
{
    return clock_mono_ms() < s->recent->until;
}
