/*
 * depart.c - existing hosts that the inventory has no more: the cluster is taken off them, as
 * `down` does of all. Who they were is in the inventory of the state folder, which is of the last
 * run that went well.
 */
#include "lib/base/file.h"
#include "lib/deploy/stage.h"

static int read_inventory(const struct deploy *d, struct inventory *inv, struct err *err)
{
    char *path = path_join(d->state_dir, INVENTORY_FILE);
    struct faults faults;
    int rc;

    faults_init(&faults);
    rc = inventory_load(inv, path, &faults);
    if (rc < 0)
        faults_to_err(&faults, err);
    faults_release(&faults);
    free(path);
    return rc;
}

static struct cluster_host *host_in(struct cluster *c, const char *name)
{
    vec_each (h, &c->hosts)
        if (str_eq(h->name, name))
            return h;
    vec_push(&c->hosts, ((struct cluster_host){.name = arena_strdup(&c->arena, name)}));
    return &c->hosts.items[c->hosts.n - 1];
}

static void add_group(struct cluster *applied, const struct inventory *inv, const char *name)
{
    const struct inventory_group *group = map_get(&inv->groups, name);
    struct inventory_host **members;
    size_t n;

    if (!group)
        return;
    members = inventory_members(inv, group, &n);
    for (size_t i = 0; i < n; i++) {
        struct cluster_host *h = host_in(applied, members[i]->name);

        h->is_db |= str_eq(name, "db");
        h->is_lb |= str_eq(name, "lb");
        h->is_etcd |= str_eq(name, "etcd");
    }
    free(members);
}

int depart_find(struct deploy *d, struct cluster *applied, struct err *err)
{
    static const char *const groups[] = {"db", "lb", "etcd"};
    struct inventory inv;
    struct str names;
    int rc;

    free(d->departing);
    d->departing = NULL;
    if (!deploy_runs(d) || d->limit)
        return 0;
    inventory_init(&inv);
    rc = read_inventory(d, &inv, err);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(groups); i++)
        add_group(applied, &inv, groups[i]);
    inventory_release(&inv);
    str_init(&names, STR_MAX_TEXT);
    vec_each (h, &applied->hosts)
        if (!cluster_host_find(d->cluster, h->name))
            str_printf(&names, "%s%s", names.len ? "," : "", h->name);
    if (names.len)
        d->departing = xstrdup(names.buf);
    str_release(&names);
    return rc;
}

/* One that does not answer is shut out by the others' firewalls, whenever it comes back. */
static int pass_over(struct deploy *d, struct err *err)
{
    char *text;

    if (err->code != ERR_NET && err->code != ERR_TIMEOUT)
        return -1;
    text = xasprintf("%s: what the cluster has put there stays, for there is no answer (%s)",
                     d->departing, err->text);
    event_send(d->events, &(struct event){.kind = EVENT_NOTE, .text = text});
    free(text);
    err_release(err);
    return 0;
}

int depart_take_off(struct deploy *d, struct deploy_result *r, struct err *err)
{
    struct inventory inv;
    int rc;

    if (!d->departing)
        return 0;
    inventory_init(&inv);
    rc = read_inventory(d, &inv, err);
    if (rc == 0 && (rc = take_off(d, &inv, d->departing, false, r, err)) < 0)
        rc = pass_over(d, err);
    inventory_release(&inv);
    return rc;
}
