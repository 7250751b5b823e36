/*
 * pattern.c - which hosts a pattern means (Ansible's "Patterns: targeting hosts and groups" and
 * inventory/manager.py, whose order of results this keeps).
 */
#include <fnmatch.h>

#include "inventory/internal.h"

#define MAX_PATTERN 4096

struct host_list {
    struct inventory_host **items;
    size_t n, cap;
};

struct subscript {
    bool given, range;
    long first, last; /* last -1: to the end */
};

/* ---- one pattern ---- */

/* Cuts [N], [-N], [N:M] or [N:] off the end of the pattern; anything else in brackets is a
 * wildcard. */
static struct subscript cut_subscript(char *pattern)
{
    struct subscript sub = {.last = -1};
    char *open = strrchr(pattern, '['), *p;
    size_t len = strlen(pattern);

    if (!open || open == pattern || pattern[len - 1] != ']')
        return sub;
    sub.first = strtol(open + 1, &p, 10);
    if (p == open + 1 || open[1] == '+' || open[1] == ' ')
        return sub;
    if ((*p == ':' || *p == '-') && open[1] != '-') {
        sub.range = true;
        if (strspn(p + 1, "0123456789") + (size_t)(p + 1 - pattern) != len - 1)
            return sub;
        if (p[1] != ']')
            sub.last = strtol(p + 1, NULL, 10);
    } else if (*p != ']') {
        return sub;
    }
    sub.given = true;
    *open = '\0';
    return sub;
}

static int apply_subscript(struct host_list *list, const struct subscript *sub, const char *pattern,
                           struct err *err)
{
    long n = (long)list->n, first = sub->first, last = sub->last;

    if (!sub->given || n == 0)
        return 0;
    if (!sub->range)
        last = first = first < 0 ? first + n : first;
    else if (last == -1 || last >= n)
        last = n - 1;
    if (!sub->range && (first < 0 || first >= n))
        return err_set(err, ERR_INPUT,
                       "no host matched the subscripted pattern '%s': there are %ld", pattern, n);
    list->n = first > last ? 0 : (size_t)(last - first + 1);
    if (list->n > 0)
        memmove(list->items, list->items + first, list->n * sizeof(struct inventory_host *));
    return 0;
}

static bool matches(const char *pattern, const char *name)
{
    return fnmatch(pattern, name, FNM_NOESCAPE) == 0;
}

/* Members of the groups that match; where none does, or the pattern has wildcards, hosts, too. */
static bool enumerate(const struct inventory *inv, const char *pattern, struct host_list *list)
{
    bool group_found = false;

    for (size_t i = 0; i < inv->groups.n; i++) {
        struct inventory_host **members;
        size_t n;

        if (!matches(pattern, inv->groups.entries[i].key))
            continue;
        group_found = true;
        members = inventory_members(inv, inv->groups.entries[i].value, &n);
        for (size_t k = 0; k < n; k++)
            vec_push(list, members[k]);
        free(members);
    }
    if (group_found && !strpbrk(pattern, ".?*["))
        return true;
    for (size_t i = 0; i < inv->hosts.n; i++) {
        if (matches(pattern, inv->hosts.entries[i].key))
            vec_push(list, inv->hosts.entries[i].value);
    }
    return group_found || list->n > 0;
}

static int unknown_name(const struct inventory *inv, const char *pattern, struct err *err)
{
    VEC(const char *) names = VEC_INIT;
    const char *near;

    for (size_t i = 0; i < inv->groups.n; i++)
        vec_push(&names, inv->groups.entries[i].key);
    for (size_t i = 0; i < inv->hosts.n; i++)
        vec_push(&names, inv->hosts.entries[i].key);
    near = nearest_word(pattern, names.items, names.n);
    err_set(err, ERR_INPUT, "no host and no group matches '%s'", pattern);
    if (near)
        err_hint(err, "did you mean '%s'?", near);
    vec_release(&names);
    return -1;
}

/* `text` has no & or ! in front any more. */
static int match_one(const struct inventory *inv, const char *text, struct host_list *list,
                     struct err *err)
{
    struct inventory_host *host = map_get(&inv->hosts, text);
    struct subscript sub;
    char *pattern;
    int rc = -1;

    if (host) {
        vec_push(list, host);
        return 0;
    }
    if (text[0] == '~')
        return err_set(err, ERR_INPUT,
                       "host pattern '%s': regular expressions are not supported, "
                       "wildcards are",
                       text);
    pattern = xstrdup(text);
    sub = cut_subscript(pattern);
    if (!enumerate(inv, pattern, list))
        unknown_name(inv, pattern, err);
    else
        rc = apply_subscript(list, &sub, text, err);
    free(pattern);
    return rc;
}

/* ---- a list of patterns ---- */

static void keep_if(struct host_list *list, const struct host_list *that, bool member)
{
    struct map names;
    size_t kept = 0;

    map_init(&names);
    for (size_t i = 0; i < that->n; i++)
        map_set(&names, that->items[i]->name, that->items[i]);
    for (size_t i = 0; i < list->n; i++) {
        if (map_has(&names, list->items[i]->name) == member)
            list->items[kept++] = list->items[i];
    }
    map_release(&names);
    list->n = kept;
}

static int apply_part(const struct inventory *inv, const char *part, struct host_list *hosts,
                      struct err *err)
{
    struct host_list that = VEC_INIT;
    char kind = *part == '!' || *part == '&' ? *part : '\0';
    int rc = match_one(inv, part + (kind ? 1 : 0), &that, err);

    if (rc == 0 && kind) {
        keep_if(hosts, &that, kind == '&');
    } else {
        for (size_t i = 0; rc == 0 && i < that.n; i++)
            vec_push(hosts, that.items[i]);
    }
    vec_release(&that);
    return rc;
}

/* The end of the part at p: a ',' when there is any in the pattern, else a ':' outside brackets. */
static const char *part_end(const char *p, bool commas)
{
    bool inside = false;

    if (commas)
        return p + strcspn(p, ",");
    for (; *p && (inside || (*p != ':' && *p != ' ')); p++)
        inside = *p == '[' || (inside && *p != ']');
    return p;
}

struct parts {
    char **items;
    size_t n, cap;
};

static void split(const char *pattern, struct parts *parts)
{
    bool commas = strchr(pattern, ',') != NULL;
    bool whole = !commas && inventory_is_address(pattern);

    for (const char *p = pattern, *end; *p; p = *end ? end + 1 : end) {
        end = whole ? p + strlen(p) : part_end(p, commas);
        while (p < end && *p == ' ')
            p++;
        if (p < end) {
            char *part = xstrndup(p, (size_t)(end - p));

            for (size_t len = strlen(part); len > 0 && part[len - 1] == ' ';)
                part[--len] = '\0';
            vec_push(parts, part);
        }
    }
}

/* Plain ones first, then those with &, then those with !, whatever the order they are written in.
 */
static int apply_parts(const struct inventory *inv, const struct parts *parts,
                       struct host_list *hosts, struct err *err)
{
    bool plain = false;

    for (size_t i = 0; i < parts->n; i++) {
        if (strchr("&!", parts->items[i][0]))
            continue;
        plain = true;
        if (apply_part(inv, parts->items[i], hosts, err) < 0)
            return -1;
    }
    if (!plain && apply_part(inv, "all", hosts, err) < 0)
        return -1;
    for (const char *kind = "&!"; *kind; kind++) {
        for (size_t i = 0; i < parts->n; i++) {
            if (parts->items[i][0] == *kind && apply_part(inv, parts->items[i], hosts, err) < 0)
                return -1;
        }
    }
    return 0;
}

static void drop_repeated(struct host_list *hosts)
{
    struct map seen;
    size_t kept = 0;

    map_init(&seen);
    for (size_t i = 0; i < hosts->n; i++) {
        if (map_has(&seen, hosts->items[i]->name))
            continue;
        map_set(&seen, hosts->items[i]->name, hosts->items[i]);
        hosts->items[kept++] = hosts->items[i];
    }
    hosts->n = kept;
    map_release(&seen);
}

struct inventory_host **inventory_match(const struct inventory *inv, const char *pattern, size_t *n,
                                        struct err *err)
{
    struct host_list hosts = VEC_INIT;
    struct parts parts = VEC_INIT;
    int rc;

    *n = 0;
    if (strlen(pattern) > MAX_PATTERN) {
        err_set(err, ERR_INPUT, "a host pattern has at most %d bytes", MAX_PATTERN);
        return NULL;
    }
    split(pattern, &parts);
    if (parts.n == 0)
        rc = err_set(err, ERR_INPUT, "the host pattern is empty");
    else
        rc = apply_parts(inv, &parts, &hosts, err);
    for (size_t i = 0; i < parts.n; i++)
        free(parts.items[i]);
    vec_release(&parts);
    if (rc < 0) {
        vec_release(&hosts);
        return NULL;
    }
    drop_repeated(&hosts);
    *n = hosts.n;
    return hosts.items ? hosts.items : xcalloc(1, sizeof(struct inventory_host *));
}
