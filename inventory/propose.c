/*
 * propose.c - what each host is for: by the groups and tags it has, else by its name, else by how
 * many there are. Pure; every guess becomes a note.
 */
#include <ctype.h>
#include <strings.h>

#include "inventory/import.h"
#include "inventory/internal.h"
#include "lib/base/file.h"

#define NAME_MAX_LEN 32 /* of a cluster, as lib/cluster has it */
#define LIST_SHOWN   6  /* hosts named in a note */

/* A part of a name (db-1.example.com: db, 1) that tells the role. Those that begin with one count,
 * too: postgresql, patroni01. */
static const char *const words[IMPORT_ROLES][16] = {
    [IMPORT_DB] = {"db", "dbs", "database", "databases", "postgres", "postgresql", "pg", "pgsql",
                   "patroni", "psql", NULL},
    [IMPORT_LB] = {"lb", "lbs", "haproxy", "balancer", "balancers", "loadbalancer", "loadbalancers",
                   "keepalived", "proxy", NULL},
    [IMPORT_ETCD] = {"etcd", "dcs", "consul", NULL},
};

/* Only where nothing else tells the databases: others have primaries, too. */
static const char *const weak_words[] = {"primary",  "master", "replica", "replicas", "standby",
                                         "standbys", "slave",  "slaves",  "leader",   NULL};

/* With one of these beside it a word means something else: db_backup, postgres-exporter. */
static const char *const other_words[] = {"backup", "backups",    "exporter", "client", "clients",
                                          "barman", "monitoring", "admin",    "web",    NULL};

static bool is_word(const char *part, size_t len, const char *const *list)
{
    for (; *list; list++) {
        if (strlen(*list) == len && strncasecmp(part, *list, len) == 0)
            return true;
    }
    return false;
}

/* Whether a part of the name, digits at its end left out, is in the list. An address has no parts.
 */
static bool has_word(const char *name, const char *const *list)
{
    if (inventory_is_ip(name))
        return false;
    while (*name) {
        size_t len = 0, letters;

        while (isalnum((unsigned char)name[len]))
            len++;
        letters = len;
        while (letters > 0 && isdigit((unsigned char)name[letters - 1]))
            letters--;
        if (letters && is_word(name, letters, list))
            return true;
        name += len + (name[len] != '\0');
    }
    return false;
}

static bool tells(const char *name, const char *const *list)
{
    return has_word(name, list) && !has_word(name, other_words);
}

/* ---- counting and telling ---- */

size_t import_count(const struct import *im, enum import_role role)
{
    size_t n = 0;

    vec_each (host, &im->hosts)
        n += host->role[role];
    return n;
}

static bool has_role(const struct import_host *host)
{
    return host->role[IMPORT_DB] || host->role[IMPORT_LB] || host->role[IMPORT_ETCD];
}

static size_t count_free(const struct import *im)
{
    size_t n = 0;

    vec_each (host, &im->hosts)
        n += !host->aside && !has_role(host);
    return n;
}

static const char *shown_name(const struct import_host *host)
{
    return host->name ? host->name : host->login;
}

/* "db1, db2 and 3 more" of the hosts with the role; IMPORT_ROLES: of those with none. */
static const char *list_hosts(struct import *im, enum import_role role)
{
    size_t n = 0;
    char *list = arena_strdup(&im->inv.arena, "");

    vec_each (host, &im->hosts) {
        if (role == IMPORT_ROLES ? has_role(host) : !host->role[role])
            continue;
        if (n++ < LIST_SHOWN)
            list =
                arena_printf(&im->inv.arena, "%s%s%s", list, *list ? ", " : "", shown_name(host));
    }
    return n > LIST_SHOWN ? arena_printf(&im->inv.arena, "%s and %zu more", list, n - LIST_SHOWN)
                          : list;
}

/* ---- by groups and names ---- */

static bool is_group_of(const struct import_host *host, const char *word)
{
    vec_each (have, &host->words)
        if (str_eq(*have, word))
            return true;
    return false;
}

/* Hosts that have a word of the list; the words found are noted. */
static void by_words(struct import *im, enum import_role role, const char *const *list)
{
    struct map found;

    map_init(&found);
    vec_each (host, &im->hosts)
        vec_each (word, &host->words)
            if (tells(*word, list) && !map_has(&found, *word))
                map_set(&found, *word, im);
    for (size_t i = 0; i < found.n; i++) {
        vec_each (host, &im->hosts)
            host->role[role] |= is_group_of(host, found.entries[i].key);
        import_note(im, "%s: the hosts of %s", import_role_names[role], found.entries[i].key);
    }
    map_release(&found);
}

static void by_names(struct import *im, enum import_role role, const char *const *list)
{
    bool found = false;

    vec_each (host, &im->hosts) {
        /* Of a full name only the host's part: pg.example.com is one, www.db.example.com none. */
        char *first = host->name ? xstrndup(host->name, strcspn(host->name, ".")) : NULL;

        if (first && !has_role(host) && !host->aside && tells(first, list))
            found = host->role[role] = true;
        free(first);
    }
    if (found)
        import_note(im, "%s by name: %s", import_role_names[role], list_hosts(im, role));
}

/* A group of that very name leaves nothing to guess. */
static bool by_own_group(struct import *im, enum import_role role)
{
    bool found = false;

    vec_each (host, &im->hosts) {
        if (is_group_of(host, import_role_names[role]))
            found = host->role[role] = true;
    }
    if (found)
        import_note(im, "%s: as the source has it", import_role_names[role]);
    return found;
}

static void by_what_they_are_called(struct import *im)
{
    bool own[IMPORT_ROLES];

    for (int role = 0; role < IMPORT_ROLES; role++) {
        own[role] = by_own_group(im, (enum import_role)role);
        if (!own[role])
            by_words(im, (enum import_role)role, words[role]);
    }
    for (int role = 0; role < IMPORT_ROLES; role++) {
        if (!own[role] && import_count(im, (enum import_role)role) == 0)
            by_names(im, (enum import_role)role, words[role]);
    }
    if (import_count(im, IMPORT_DB) == 0)
        by_words(im, IMPORT_DB, weak_words);
    if (import_count(im, IMPORT_DB) == 0)
        by_names(im, IMPORT_DB, weak_words);
}

/* ---- by number ---- */

static void give(struct import *im, enum import_role role, size_t n)
{
    vec_each (host, &im->hosts) {
        if (n > 0 && !host->aside && !has_role(host)) {
            host->role[role] = true;
            n--;
        }
    }
}

static void by_number(struct import *im)
{
    size_t n = count_free(im);
    size_t etcd = n >= 8 && import_count(im, IMPORT_ETCD) == 0 ? 3 : 0;
    size_t lb = import_count(im, IMPORT_LB) > 0 || n < 4 ? 0 : n == 4 ? 1 : 2;

    give(im, IMPORT_DB, n - lb - etcd);
    give(im, IMPORT_LB, lb);
    give(im, IMPORT_ETCD, etcd);
    import_note(im,
                "nothing tells what the hosts are for, so by their number, in order: %zu db%s%s",
                n - lb - etcd, lb ? arena_printf(&im->inv.arena, ", %zu lb", lb) : "",
                etcd ? ", 3 etcd" : "");
}

/* The databases are what is left over when the others are known. */
static void by_elimination(struct import *im)
{
    give(im, IMPORT_DB, count_free(im));
    import_note(im, "db: all hosts that are nothing else: %s", list_hosts(im, IMPORT_DB));
}

/* An odd number votes: 3 of the databases, or 2 and a balancer. */
static void place_etcd(struct import *im)
{
    size_t db = import_count(im, IMPORT_DB), lb = import_count(im, IMPORT_LB);
    size_t from_db = db >= 3 ? 3 : db == 2 && lb > 0 ? 2 : 1;
    size_t from_lb = from_db == 2 ? 1 : 0;

    vec_each (host, &im->hosts) {
        size_t *left = host->role[IMPORT_DB] ? &from_db : host->role[IMPORT_LB] ? &from_lb : NULL;

        if (left && *left > 0) {
            host->role[IMPORT_ETCD] = true;
            --*left;
        }
    }
    import_note(im, "etcd has no hosts of its own, so it goes on %s", list_hosts(im, IMPORT_ETCD));
}

/* A variable that an Ansible inventory has for it. */
static void find_vip(struct import *im)
{
    static const char *const names[] = {"vip",         "keepalived_vip", "cluster_vip",
                                        "haproxy_vip", "virtual_ip",     "patroni_vip",
                                        "pgsql_vip"};

    for (size_t i = 0; i < im->inv.hosts.n && !im->vip; i++) {
        const struct value *vars =
            inventory_plain_vars(&im->inv, im->inv.hosts.entries[i].value, &im->inv.arena);

        for (size_t k = 0; k < ARRAY_LEN(names) && !im->vip; k++) {
            const char *text = value_get_str(vars, names[k], "");

            if (inventory_is_ip(text)) {
                im->vip = text;
                import_note(im, "the variable %s looks like the VIP", names[k]);
            }
        }
    }
}

static void warn(struct import *im)
{
    size_t db = import_count(im, IMPORT_DB), lb = import_count(im, IMPORT_LB),
           etcd = import_count(im, IMPORT_ETCD);

    if (db == 1)
        import_note(im, "one database has nobody to take over from it: add two more");
    if (etcd == 1 || etcd % 2 == 0)
        import_note(im, "%zu member%s of etcd: with 3, one of them may be lost", etcd,
                    etcd == 1 ? "" : "s");
    if (lb == 0)
        import_note(im, "no balancers: clients must name every database host in their connection "
                        "string, with target_session_attrs=read-write");
    else if (lb == 1)
        import_note(im, "one balancer: when it is lost, clients reach nothing; add a second one");
    if (count_free(im) > 0)
        import_note(im, "no role, so not touched: %s", list_hosts(im, IMPORT_ROLES));
}

/* ---- names ---- */

static bool is_taken(const struct import *im, const char *name)
{
    vec_each (host, &im->hosts)
        if (str_eq(host->name, name))
            return true;
    return map_has(&im->inv.groups, name);
}

static enum import_role main_role(const struct import_host *host)
{
    for (int role = 0; role < IMPORT_ROLES; role++) {
        if (host->role[role])
            return (enum import_role)role;
    }
    return IMPORT_ROLES;
}

/* db1, db2, ... for hosts of which only the address is known. */
static void name_hosts(struct import *im)
{
    unsigned next[IMPORT_ROLES + 1] = {0};
    bool named = false;

    for (size_t i = 0; i < im->hosts.n; i++) {
        struct import_host *host = &im->hosts.items[i];
        enum import_role role = main_role(host);
        const char *stem = role < IMPORT_ROLES ? import_role_names[role] : "host";

        while (!host->name) {
            const char *name = arena_printf(&im->inv.arena, "%s%u", stem, ++next[role]);

            if (!is_taken(im, name))
                host->name = name;
            named = true;
        }
    }
    if (named)
        import_note(im, "hosts that came without a name are called by their role: db1, ...");
}

static bool is_role_name(const char *name)
{
    for (int role = 0; role < IMPORT_ROLES; role++) {
        if (str_eq(name, import_role_names[role]))
            return true;
    }
    return false;
}

/* A user's own hosts are not called anything else. */
static int check_own_names(const struct import *im, struct err *err)
{
    for (size_t i = 0; i < im->inv.hosts.n; i++) {
        if (is_role_name(im->inv.hosts.entries[i].key)) {
            err_set(err, ERR_INPUT, "%s: the host %s has the name of a group that is needed",
                    im->source, im->inv.hosts.entries[i].key);
            return err_hint(err, "give the host another name: %s1", im->inv.hosts.entries[i].key);
        }
    }
    return 0;
}

/* The same name twice: two machines, so the second has a number. Names of groups are taken, too. */
static void part_namesakes(struct import *im)
{
    struct map seen;

    map_init(&seen);
    vec_each (host, &im->hosts) {
        const char *name = host->name;

        for (unsigned n = 2; name && (map_has(&seen, name) || is_role_name(name)); n++)
            name = arena_printf(&im->inv.arena, "%s-%u", host->name, n);
        if (name && name != host->name)
            import_note(im, "%s is there twice, or has the name of a group: one is called %s",
                        host->name, name);
        host->name = name;
        if (name)
            map_set(&seen, name, im);
    }
    map_release(&seen);
}

/* ---- the inventory ---- */

static void set_text(struct inventory *inv, struct inventory_host *host, const char *name,
                     const char *text)
{
    if (text)
        value_map_set(&inv->arena, host->vars, name, value_str(&inv->arena, text));
}

static struct inventory_host *build_host(struct inventory *inv, const struct import_host *from)
{
    struct inventory_host *host = map_get(&inv->hosts, from->name);

    if (host)
        return host; /* out of an Ansible inventory */
    host = inventory_host(inv, from->name);
    set_text(inv, host, "ansible_host", from->login);
    if (from->port)
        value_map_set(&inv->arena, host->vars, "ansible_port", value_int(&inv->arena, from->port));
    set_text(inv, host, "ansible_user", from->user);
    set_text(inv, host, "ansible_ssh_private_key_file", from->key);
    if (from->jump)
        set_text(inv, host, "ansible_ssh_common_args",
                 arena_printf(&inv->arena, "-o ProxyJump=%s", from->jump));
    set_text(inv, host, "address", from->inside);
    return host;
}

/* A user's group whose members are just these becomes a child; else the hosts are listed. */
static bool take_group(struct import *im, enum import_role role, struct inventory_group *group)
{
    struct err err = ERR_INIT;
    struct inventory_host **members;
    bool same = true;
    size_t n;
    int rc;

    members = inventory_members(&im->inv, group, &n);
    for (size_t i = 0; i < n; i++) {
        vec_each (host, &im->hosts) {
            if (str_eq(host->name, members[i]->name))
                same &= host->role[role];
        }
    }
    free(members);
    if (!same || n == 0)
        return false;
    rc = inventory_add_child(&im->inv, inventory_group(&im->inv, import_role_names[role]), group,
                             &err);
    err_release(&err);
    return rc == 0;
}

/* The user's groups that the role was told by, but none that is below another of them. */
static void take_groups(struct import *im, enum import_role role)
{
    for (size_t i = 0; i < im->inv.groups.n; i++) {
        struct inventory_group *group = im->inv.groups.entries[i].value;
        bool below = false;

        if (!tells(group->name, words[role]) || str_eq(group->name, import_role_names[role]))
            continue;
        for (size_t k = 0; k < group->parents.n; k++)
            below |= tells(group->parents.entries[k].key, words[role]);
        if (!below)
            take_group(im, role, group);
    }
}

static bool is_member(struct import *im, const struct inventory_group *group, const char *name)
{
    size_t n;
    struct inventory_host **members = inventory_members(&im->inv, group, &n);
    bool found = false;

    for (size_t i = 0; i < n; i++)
        found |= str_eq(members[i]->name, name);
    free(members);
    return found;
}

static void build_inventory(struct import *im)
{
    struct inventory *inv = &im->inv;
    size_t own_groups = inv->groups.n;

    vec_each (host, &im->hosts)
        build_host(inv, host);
    for (int role = 0; role < IMPORT_ROLES; role++) {
        struct inventory_group *group;

        if (import_count(im, (enum import_role)role) == 0)
            continue;
        group = inventory_group(inv, import_role_names[role]);
        if (own_groups > 2) /* more than all and ungrouped */
            take_groups(im, (enum import_role)role);
        vec_each (host, &im->hosts) {
            if (host->role[role] && !is_member(im, group, host->name))
                inventory_add_host(inv, group, map_get(&inv->hosts, host->name));
        }
    }
}

/* ---- the cluster ---- */

static bool is_cluster_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= NAME_MAX_LEN && name[0] >= 'a' && name[0] <= 'z' && name[n - 1] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

/* Lower case, dashes for the rest; empty when nothing is left of it. */
static char *make_cluster_name(struct arena *a, const char *text, size_t len)
{
    char *name = arena_strndup(a, text, len > NAME_MAX_LEN ? NAME_MAX_LEN : len), *end;

    for (char *p = name; *p; p++)
        *p = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '-';
    while (*name && !isalpha((unsigned char)*name))
        name++;
    for (end = name + strlen(name); end > name && end[-1] == '-';)
        *--end = '\0';
    return name;
}

/* A file that is called after what it is, not after the cluster. */
static bool is_common(const char *name)
{
    static const char *const common[] = {
        "hosts",  "out",     "ssh",   "inventory", "terraform", "config", "list",   "ssh-config",
        "output", "outputs", "state", "servers",   "tf",        "tmp",    "static", "inventories"};

    for (size_t i = 0; i < ARRAY_LEN(common); i++) {
        if (str_eq(name, common[i]))
            return true;
    }
    return false;
}

static const char *guess_cluster_name(struct import *im)
{
    struct arena *a = &im->inv.arena;
    const char *base = path_base(im->source), *name;

    if (im->called && is_cluster_name(name = make_cluster_name(a, im->called, strlen(im->called))))
        return name;
    name = make_cluster_name(a, base, strcspn(base, "."));
    if (!is_cluster_name(name) || is_common(name)) {
        char *dir = path_dir(im->source);

        name = make_cluster_name(a, path_base(dir), strlen(path_base(dir)));
        free(dir);
    }
    if (!is_cluster_name(name) || is_common(name))
        name = "imported";
    import_note(im, "the name of the cluster: %s", name);
    return name;
}

static int name_cluster(struct import *im, const char *name, struct err *err)
{
    if (name && !is_cluster_name(name)) {
        err_set(err, ERR_USAGE, "\"%s\" cannot be the name of a cluster", name);
        return err_hint(err, "small letters, digits and -, beginning with a letter, at most %d",
                        NAME_MAX_LEN);
    }
    im->cluster = name ? arena_strdup(&im->inv.arena, name) : guess_cluster_name(im);
    return 0;
}

static int guess_roles(struct import *im, struct err *err)
{
    by_what_they_are_called(im);
    if (import_count(im, IMPORT_DB) > 0)
        return 0;
    if (count_free(im) == 0)
        return err_set(err, ERR_INPUT, "%s has no host that could be a database", im->source);
    if (import_count(im, IMPORT_LB) > 0 || import_count(im, IMPORT_ETCD) > 0)
        by_elimination(im);
    else
        by_number(im);
    return 0;
}

int import_propose(struct import *im, const char *name, struct err *err)
{
    if (im->hosts.n == 0) {
        err_set(err, ERR_INPUT, "%s has no hosts", im->source);
        return err_hint(err, "sources are an Ansible inventory, Terraform's state or outputs, an "
                             "ssh_config, or a list with one host a line");
    }
    if (name_cluster(im, name, err) < 0 || check_own_names(im, err) < 0)
        return -1;
    part_namesakes(im);
    if (!im->roles_known && guess_roles(im, err) < 0)
        return -1;
    name_hosts(im);
    if (import_count(im, IMPORT_ETCD) == 0)
        place_etcd(im);
    find_vip(im);
    warn(im);
    build_inventory(im);
    return 0;
}
