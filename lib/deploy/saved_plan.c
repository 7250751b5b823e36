/* saved_plan.c - a plan in a file, and whether it still holds. */
#include "lib/deploy/saved_plan.h"

#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/doc/json.h"

#define PLAN_VERSION 1
#define PLAN_MAX     ((size_t)16 << 20) /* bytes of the file */

static const char *digest_of(const char *text, size_t len, struct arena *a)
{
    char hex[SHA256_HEX_SIZE];

    sha256_hex(text, len, hex);
    return arena_strdup(a, hex);
}

static struct value *text_or_null(struct arena *a, const char *text)
{
    return text ? value_str(a, text) : value_null(a);
}

struct value *saved_plan_changes(const struct deploy_result *r, struct arena *a)
{
    struct value *list = value_list(a);

    vec_each (c, &r->changes) {
        bool counts = c->diff && !strstr(c->diff, "-----BEGIN ");
        struct value *item = value_map(a);

        value_map_set(a, item, "where", value_str(a, c->where));
        value_map_set(a, item, "what", value_str(a, c->what));
        value_map_set(a, item, "consequence", text_or_null(a, c->consequence));
        value_map_set(a, item, "diff",
                      text_or_null(a, counts ? digest_of(c->diff, strlen(c->diff), a) : NULL));
        value_list_add(a, list, item);
    }
    return list;
}

/* ---- comparing ---- */

static bool same_text(const struct value *a, const struct value *b, const char *key)
{
    return str_eq(value_get_str(a, key, ""), value_get_str(b, key, ""));
}

static bool is_same_change(const struct value *a, const struct value *b)
{
    return same_text(a, b, "where") && same_text(a, b, "what");
}

static const struct value *find_change(const struct value *list, const struct value *change)
{
    for (size_t i = 0; i < list->u.list.n; i++)
        if (is_same_change(list->u.list.items[i], change))
            return list->u.list.items[i];
    return NULL;
}

static const char *describe(const char *what, const struct value *change, struct arena *a)
{
    return arena_printf(a, "%s: %s: %s", what, value_get_str(change, "where", ""),
                        value_get_str(change, "what", ""));
}

const char *saved_plan_difference(const struct value *planned, const struct value *now,
                                  struct arena *a)
{
    for (size_t i = 0; i < now->u.list.n; i++) {
        const struct value *change = now->u.list.items[i], *before = find_change(planned, change);

        if (!before)
            return describe("it would be changed, too", change, a);
        if (!same_text(before, change, "consequence"))
            return describe("it has another consequence", change, a);
        if (!same_text(before, change, "diff"))
            return describe("it is another change", change, a);
    }
    for (size_t i = 0; i < planned->u.list.n; i++)
        if (!find_change(now, planned->u.list.items[i]))
            return describe("nothing is to be changed any more", planned->u.list.items[i], a);
    return NULL;
}

/* ---- the file ---- */

static const char *cluster_digest(const struct deploy *d, struct arena *a, struct err *err)
{
    const char *digest = NULL;
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    if (file_read(d->cluster->file, &text, err) == 0)
        digest = digest_of(text.buf, text.len, a);
    str_release(&text);
    return digest;
}

int saved_plan_write(const struct deploy *d, const struct deploy_result *r, const char *path,
                     struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct value *top = value_map(&arena);
    const char *digest = cluster_digest(d, &arena, err);
    int rc = digest ? 0 : -1;
    struct str text;

    str_init(&text, PLAN_MAX);
    if (rc == 0) {
        value_map_set(&arena, top, "pgha_plan", value_int(&arena, PLAN_VERSION));
        value_map_set(&arena, top, "program", value_str(&arena, PGHA_VERSION));
        value_map_set(&arena, top, "cluster", value_str(&arena, d->cluster->name));
        value_map_set(&arena, top, "cluster_file", value_str(&arena, digest));
        value_map_set(&arena, top, "changes", saved_plan_changes(r, &arena));
        json_write(top, JSON_PRETTY, &text);
        rc = file_write(path, text.buf, text.len, 0600, err);
    }
    str_release(&text);
    arena_release(&arena);
    return rc;
}

static const struct value *read_plan(const char *path, struct arena *a, struct err *err)
{
    const struct value *plan = NULL, *changes;
    struct str text;

    str_init(&text, PLAN_MAX);
    if (file_read(path, &text, err) == 0)
        plan = json_parse(a, path, text.buf, text.len, err);
    str_release(&text);
    if (!plan)
        return NULL;
    changes = value_get(plan, "changes");
    if (value_get_int(plan, "pgha_plan", 0) == PLAN_VERSION && changes &&
        changes->type == VALUE_LIST)
        return plan;
    err_set(err, ERR_INPUT, "%s is no plan of this version", path);
    err_hint(err, "pgha-deploy plan --out %s", path);
    return NULL;
}

static int differs(const char *path, const char *what, struct err *err)
{
    err_set(err, ERR_CONFLICT, "%s does not hold any more: %s", path, what);
    return err_hint(err, "nothing was changed; look at a new one: pgha-deploy plan --out %s", path);
}

static int compare(struct deploy *d, const struct value *plan, const char *path, struct arena *a,
                   struct err *err)
{
    struct deploy_result now;
    const char *difference;
    int rc;

    deploy_result_init(&now);
    rc = deploy_plan(d, &now, err);
    difference =
        rc == 0 ? saved_plan_difference(value_get(plan, "changes"), saved_plan_changes(&now, a), a)
                : NULL;
    deploy_result_release(&now);
    return difference ? differs(path, difference, err) : rc;
}

/* What needs no look at the hosts. */
static int check_origin(const struct deploy *d, const struct value *plan, const char *path,
                        struct arena *a, struct err *err)
{
    const char *digest = cluster_digest(d, a, err);

    if (!digest)
        return -1;
    if (!str_eq(value_get_str(plan, "cluster", ""), d->cluster->name))
        return differs(path, "it is for another cluster", err);
    if (!str_eq(value_get_str(plan, "cluster_file", ""), digest))
        return differs(path, "the cluster file was changed", err);
    if (!str_eq(value_get_str(plan, "program", ""), PGHA_VERSION))
        return differs(path, "it is by another version of pgha-deploy", err);
    return 0;
}

int saved_plan_check(struct deploy *d, const char *path, struct err *err)
{
    struct arena arena = ARENA_INIT;
    const struct value *plan = read_plan(path, &arena, err);
    int rc = -1;

    if (plan && check_origin(d, plan, path, &arena, err) == 0)
        rc = compare(d, plan, path, &arena, err);
    arena_release(&arena);
    return rc;
}
