/*
 * import_terraform.c - hosts out of a Terraform (or OpenTofu) state of version 4, of `terraform
 * show -json`, or of `terraform output -json`.
 *
 * The tables below say which attributes of a resource are looked at; no others are touched, and
 * outputs marked sensitive are passed over: a state holds passwords.
 */
#include <ctype.h>
#include <inttypes.h>
#include <strings.h>

#include "inventory/import.h"
#include "inventory/internal.h"
#include "lib/doc/json.h"

#define MAX_MODULES 16 /* one in the other */

/* Paths are keys with dots between, numbers and * for items of lists, | between alternatives; the
 * first address found is it. */
struct kind {
    const char *type;
    const char *name, *login, *inside;
    const char *tags[2]; /* lists, maps or words; "" for none */
    const char *user;    /* attribute with the login's name, or NULL */
    const char *root;    /* the user that such machines have, or NULL */
};

static const struct kind kinds[] = {
    {"aws_instance", "tags.Name", "public_ip", "private_ip", {"tags", ""}, NULL, NULL},
    {"aws_spot_instance_request", "tags.Name", "public_ip", "private_ip", {"tags", ""}, NULL, NULL},
    {"aws_lightsail_instance",
     "name",
     "public_ip_address",
     "private_ip_address",
     {"tags", ""},
     "username",
     NULL},
    {"digitalocean_droplet",
     "name",
     "ipv4_address",
     "ipv4_address_private",
     {"tags", ""},
     NULL,
     "root"},
    {"google_compute_instance",
     "name",
     "network_interface.*.access_config.*.nat_ip",
     "network_interface.*.network_ip",
     {"tags", "labels"},
     NULL,
     NULL},
    {"azurerm_linux_virtual_machine",
     "name",
     "public_ip_address|public_ip_addresses",
     "private_ip_address|private_ip_addresses",
     {"tags", ""},
     "admin_username",
     NULL},
    {"hcloud_server", "name", "ipv4_address", "network.*.ip", {"labels", ""}, NULL, "root"},
    {"openstack_compute_instance_v2",
     "name",
     "floating_ip",
     "access_ip_v4|network.*.fixed_ip_v4",
     {"tags", "metadata"},
     NULL,
     NULL},
    {"libvirt_domain", "name", "network_interface.*.addresses", "", {"", ""}, NULL, NULL},
    {"proxmox_vm_qemu", "name", "ssh_host|default_ipv4_address", "", {"tags", ""}, "ciuser", NULL},
    {"proxmox_virtual_environment_vm",
     "name",
     "ipv4_addresses",
     "",
     {"tags", ""},
     "initialization.*.user_account.*.username",
     NULL},
    {"proxmox_lxc", "hostname", "network.*.ip", "", {"tags", ""}, NULL, "root"},
    {"vultr_instance", "label|hostname", "main_ip", "internal_ip", {"tags", ""}, NULL, "root"},
    {"linode_instance",
     "label",
     "ip_address|ipv4",
     "private_ip_address",
     {"tags", ""},
     NULL,
     "root"},
    {"scaleway_instance_server",
     "name",
     "public_ip|public_ips.*.address",
     "private_ip|private_ips.*.address",
     {"tags", ""},
     NULL,
     "root"},
};

/* Resources that give a machine one more address. */
static const struct attachment {
    const char *type, *machine, *address;
    bool inside;
} attachments[] = {
    {"aws_eip", "instance", "public_ip", false},
    {"aws_eip_association", "instance_id", "public_ip", false},
    {"openstack_compute_floatingip_associate_v2", "instance_id", "floating_ip", false},
    {"hcloud_server_network", "server_id", "ip", true},
};

/* Addresses that move between machines: what a VIP is made of. */
static const char *const movable[] = {"digitalocean_reserved_ip", "digitalocean_floating_ip",
                                      "hcloud_floating_ip", "vultr_reserved_ip"};

struct reader {
    struct import *im;
    struct faults *faults;
    struct source src;
    struct map by_id;  /* a machine's id -> size_t *, index of its host */
    struct map by_key; /* outputs: name of an entry -> size_t *, index of its host */
};

/* The host added last; a pointer to it would not last. */
static void remember(struct reader *r, struct map *map, const char *key)
{
    size_t *index = arena_new(&r->im->inv.arena, size_t);

    *index = r->im->hosts.n - 1;
    map_set(map, key, index);
}

static struct import_host *recall(const struct reader *r, const struct map *map, const char *key)
{
    const size_t *index = map_get(map, key);

    return index ? &r->im->hosts.items[*index] : NULL;
}

/* ---- looking into attributes ---- */

/* Loopback and link-local addresses are nobody's way to a host. */
static bool is_address(const char *text)
{
    return inventory_is_ip(text) && !str_starts(text, "127.") && !str_starts(text, "169.254.") &&
           !str_eq(text, "0.0.0.0") && !str_eq(text, "::1") && !str_starts(text, "fe80:");
}

/* Lists of lists are searched, IPv4 before IPv6; a /24 behind an address is cut off. */
static const char *find_address(struct arena *a, const struct value *v, bool v6, unsigned depth)
{
    const char *found = NULL;

    if (v->type == VALUE_STR) {
        char *text = arena_strndup(a, v->u.str.s, strcspn(v->u.str.s, "/"));

        return is_address(text) && (strchr(text, ':') != NULL) == v6 ? text : NULL;
    }
    for (size_t i = 0; v->type == VALUE_LIST && depth < 4 && i < v->u.list.n && !found; i++)
        found = find_address(a, v->u.list.items[i], v6, depth + 1);
    return found;
}

static const char *find_text(struct arena *a, const struct value *v, unsigned depth)
{
    UNUSED(depth);
    if (v->type == VALUE_INT)
        return arena_printf(a, "%" PRId64, v->u.i);
    return v->type == VALUE_STR && v->u.str.len ? v->u.str.s : NULL;
}

static const char *take(struct arena *a, const struct value *v, bool address)
{
    const char *found;

    if (!address)
        return find_text(a, v, 0);
    found = find_address(a, v, false, 0);
    return found ? found : find_address(a, v, true, 0);
}

static const char *walk(struct arena *a, const struct value *v, const char *path, size_t len,
                        bool address)
{
    size_t part = 0;
    const char *found = NULL;
    const struct value *next;

    if (!v || len == 0)
        return v ? take(a, v, address) : NULL;
    while (part < len && path[part] != '.')
        part++;
    next = value_get(v, arena_strndup(a, path, part));
    path += part + (part < len);
    len -= part + (part < len);
    if (next)
        return walk(a, next, path, len, address);
    for (size_t i = 0; v->type == VALUE_LIST && i < v->u.list.n && !found; i++)
        found = walk(a, v->u.list.items[i], path, len, address); /* the part was * */
    return found;
}

static const char *look(struct arena *a, const struct value *attributes, const char *path,
                        bool address)
{
    const char *found = NULL;

    while (path && *path && !found) {
        size_t len = strcspn(path, "|");

        found = walk(a, attributes, path, len, address);
        path += len + (path[len] == '|');
    }
    return found;
}

/* ---- what tells a role ---- */

static void add_words(struct reader *r, struct import_host *host, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, " ,;");
        char *word = xstrndup(text, len);

        import_add_word(r->im, host, word);
        free(word);
        text += len + (text[len] != '\0');
    }
}

/* Keys of tags that are made to tell what a machine is for. */
static bool tells_role(const char *key)
{
    static const char *const keys[] = {"role", "roles",        "group",     "groups",
                                       "tier", "service",      "component", "function",
                                       "type", "ansible_group"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (strcasecmp(key, keys[i]) == 0)
            return true;
    }
    return false;
}

static void add_tags(struct reader *r, struct import_host *host, const struct value *tags)
{
    if (tags && tags->type == VALUE_STR)
        add_words(r, host, tags->u.str.s);
    for (size_t i = 0; tags && tags->type == VALUE_LIST && i < tags->u.list.n; i++) {
        if (value_is_str(tags->u.list.items[i]))
            add_words(r, host, tags->u.list.items[i]->u.str.s);
    }
    for (size_t i = 0; tags && tags->type == VALUE_MAP && i < tags->u.map.n; i++) {
        const struct value_entry *entry = &tags->u.map.entries[i];
        const char *text = value_is_str(entry->value) ? entry->value->u.str.s : "";

        if (tells_role(entry->key))
            add_words(r, host, text);
        else if (!*text || str_eq(text, "true"))
            add_words(r, host, entry->key);
    }
}

/* ---- machines ---- */

/* A name that every room takes: what is not letter, digit, dot or dash becomes a dash. */
static char *clean_name(struct arena *a, const char *name)
{
    char *copy = arena_strdup(a, name), *end;

    for (char *p = copy; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
            *p = '-';
    }
    copy += strspn(copy, "-._");
    for (end = copy + strlen(copy); end > copy && strchr("-._", end[-1]);)
        *--end = '\0';
    return strlen(copy) > 0 && strlen(copy) <= 63 ? copy : NULL;
}

static const char *machine_name(struct reader *r, const struct kind *kind, const char *resource,
                                const struct value *index, const struct value *attributes)
{
    struct arena *a = &r->im->inv.arena;
    const char *name = look(a, attributes, kind->name, false);

    if (!name && index && index->type == VALUE_INT && index->u.i < INT32_MAX)
        name = arena_printf(a, "%s%" PRId64, resource, index->u.i + 1);
    else if (!name && index && index->type == VALUE_STR)
        name = arena_printf(a, "%s-%s", resource, index->u.str.s);
    return clean_name(a, name ? name : resource);
}

static void add_machine(struct reader *r, const struct kind *kind, const char *resource,
                        const char *module, const struct value *index,
                        const struct value *attributes)
{
    struct arena *a = &r->im->inv.arena;
    struct import_host *host =
        import_add_host(r->im, machine_name(r, kind, resource, index, attributes));
    const char *id = look(a, attributes, "id", false);

    host->login = look(a, attributes, kind->login, true);
    host->inside = look(a, attributes, kind->inside, true);
    host->user = look(a, attributes, kind->user, false);
    host->user = host->user ? host->user : kind->root;
    for (size_t i = 0; i < ARRAY_LEN(kind->tags); i++)
        add_tags(r, host, value_get(attributes, kind->tags[i]));
    import_add_word(r->im, host, resource);
    if (module)
        import_add_word(r->im, host, module);
    if (id)
        remember(r, &r->by_id, id);
}

/* module.db[0].module.vm: the innermost name. */
static const char *module_name(struct arena *a, const char *module)
{
    const char *last = module ? strrchr(module, '.') : NULL;

    return last ? arena_strndup(a, last + 1, strcspn(last + 1, "[")) : NULL;
}

typedef void visit_fn(struct reader *r, const char *type, const char *name, const char *module,
                      const struct value *index, const struct value *attributes);

static void visit_machine(struct reader *r, const char *type, const char *name, const char *module,
                          const struct value *index, const struct value *attributes)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_eq(type, kinds[i].type) && r->im->hosts.n <= IMPORT_MAX_HOSTS)
            add_machine(r, &kinds[i], name, module, index, attributes);
    }
}

static void visit_attachment(struct reader *r, const char *type, const char *name,
                             const char *module, const struct value *index,
                             const struct value *attributes)
{
    struct arena *a = &r->im->inv.arena;

    UNUSED(module);
    UNUSED(index);
    for (size_t i = 0; i < ARRAY_LEN(attachments); i++) {
        const struct attachment *at = &attachments[i];
        const char *id = str_eq(type, at->type) ? look(a, attributes, at->machine, false) : NULL;
        const char *address = id ? look(a, attributes, at->address, true) : NULL;
        struct import_host *host = id ? recall(r, &r->by_id, id) : NULL;

        if (host && address && at->inside)
            host->inside = address;
        else if (host && address)
            host->login = address;
    }
    for (size_t i = 0; i < ARRAY_LEN(movable); i++) {
        if (!str_eq(type, movable[i]))
            continue;
        import_note(r->im, "%s.%s is an address that moves between machines: perhaps the VIP", type,
                    name);
        if (!r->im->vip)
            r->im->vip = look(a, attributes, "ip_address|ip|subnet", true);
    }
}

/* ---- states ---- */

static void each_instance(struct reader *r, const struct value *resource, visit_fn *visit)
{
    const struct value *instances = value_get(resource, "instances");
    const char *type = value_get_str(resource, "type", ""),
               *name = value_get_str(resource, "name", "host");
    const char *module = module_name(&r->im->inv.arena, value_get_str(resource, "module", NULL));

    if (!str_eq(value_get_str(resource, "mode", "managed"), "managed"))
        return;
    for (size_t i = 0; instances && instances->type == VALUE_LIST && i < instances->u.list.n; i++) {
        const struct value *instance = instances->u.list.items[i];
        const struct value *attributes = value_get(instance, "attributes");

        if (attributes && attributes->type == VALUE_MAP)
            visit(r, type, name, module, value_get(instance, "index_key"), attributes);
    }
}

static void each_resource(struct reader *r, const struct value *root, visit_fn *visit)
{
    const struct value *resources = value_get(root, "resources");

    for (size_t i = 0; resources && resources->type == VALUE_LIST && i < resources->u.list.n; i++)
        each_instance(r, resources->u.list.items[i], visit);
}

/* terraform show -json: modules in modules, a resource for each instance. */
static void each_shown(struct reader *r, const struct value *module, unsigned depth,
                       visit_fn *visit)
{
    const struct value *list = value_get(module, "resources");
    const struct value *children = value_get(module, "child_modules");
    const char *name = module_name(&r->im->inv.arena, value_get_str(module, "address", NULL));

    for (size_t i = 0; list && list->type == VALUE_LIST && i < list->u.list.n; i++) {
        const struct value *resource = list->u.list.items[i];
        const struct value *attributes = value_get(resource, "values");

        if (attributes && attributes->type == VALUE_MAP &&
            str_eq(value_get_str(resource, "mode", "managed"), "managed"))
            visit(r, value_get_str(resource, "type", ""), value_get_str(resource, "name", "host"),
                  name, value_get(resource, "index"), attributes);
    }
    for (size_t i = 0;
         children && children->type == VALUE_LIST && depth < MAX_MODULES && i < children->u.list.n;
         i++)
        each_shown(r, children->u.list.items[i], depth + 1, visit);
}

/* ---- outputs ---- */

static const char *const inside_words[] = {"private", "internal", "inside", "priv", "lan", "vpc"};
static const char *const outside_words[] = {"public", "external", "outside", "pub", "nat", "wan"};
static const char *const empty_words[] = {"ip",     "ips",  "ipv4",      "address",  "addresses",
                                          "addr",   "host", "hosts",     "list",     "map",
                                          "server", "vm",   "instances", "instance", "node",
                                          "nodes",  "vms",  "servers",   "droplets", "droplet"};
static const char *const vip_words[] = {"vip", "virtual", "floating", "reserved"};

static bool is_one_of(const char *word, size_t len, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(words[i]) == len && strncasecmp(word, words[i], len) == 0)
            return true;
    }
    return false;
}

#define IS(list) is_one_of(name, len, list, ARRAY_LEN(list))

struct output {
    const char *stem; /* db of db_private_ips: the same machines as db_public_ips */
    bool inside, vip;
};

/* What the words of an output's name say. */
static struct output judge_name(struct arena *a, const char *name)
{
    struct output out = {.stem = ""};
    bool outside = false;

    while (*name) {
        size_t len = strcspn(name, "_-. ");

        out.vip |= IS(vip_words);
        out.inside |= IS(inside_words);
        outside |= IS(outside_words);
        if (len && !IS(inside_words) && !IS(outside_words) && !IS(empty_words))
            out.stem = arena_printf(a, "%s%s%.*s", out.stem, *out.stem ? "-" : "", (int)len, name);
        name += len + (name[len] != '\0');
    }
    out.inside &= !outside;
    return out;
}

static struct import_host *output_host(struct reader *r, const char *key, const char *name,
                                       const char *stem)
{
    struct import_host *host = recall(r, &r->by_key, key);

    if (host)
        return host;
    if (r->im->hosts.n > IMPORT_MAX_HOSTS)
        return NULL;
    host = import_add_host(r->im, name ? clean_name(&r->im->inv.arena, name) : NULL);
    import_add_word(r->im, host, stem);
    remember(r, &r->by_key, key);
    return host;
}

/* {"name": ..., "public_ip": ..., "private_ip": ...} by the names that people give. */
static void take_object(struct reader *r, const struct output *out, const struct value *v,
                        const char *key, const char *name)
{
    struct arena *a = &r->im->inv.arena;
    const char *login = look(a, v,
                             "public_ip|public_ipv4|public_ip_address|ipv4_address|public|"
                             "external_ip|nat_ip|ansible_host|ip|ip_address|address|ipv4",
                             true);
    const char *inside = look(a, v,
                              "private_ip|private_ipv4|private_ip_address|"
                              "ipv4_address_private|private|internal_ip|network_ip",
                              true);
    const char *own = look(a, v, "name|hostname", false);
    struct import_host *host;

    if (!login && !inside)
        return;
    host = output_host(r, own ? own : key, own ? own : name, out->stem);
    if (!host)
        return;
    host->login = login ? login : host->login;
    host->inside = inside ? inside : host->inside;
    host->user = look(a, v, "user|ssh_user|username|ansible_user", false);
    add_tags(r, host, value_get(v, "role"));
    add_tags(r, host, value_get(v, "tags"));
}

static void take_item(struct reader *r, const struct output *out, const struct value *v,
                      const char *key, const char *name)
{
    const char *address = find_address(&r->im->inv.arena, v, false, 3);
    struct import_host *host;

    address = address ? address : find_address(&r->im->inv.arena, v, true, 3);
    if (v->type == VALUE_MAP)
        take_object(r, out, v, key, name);
    host = address ? output_host(r, key, name, out->stem) : NULL;
    if (host && out->inside)
        host->inside = address;
    else if (host)
        host->login = address;
}

/* A map is one machine when a key of it names an address. */
static bool is_machine(struct arena *a, const struct value *v)
{
    return look(a, v, "public_ip|private_ip|ipv4_address|ip|ip_address|address|ansible_host",
                true) != NULL;
}

static void take_output(struct reader *r, const char *name, const struct value *v)
{
    struct arena *a = &r->im->inv.arena;
    struct output out = judge_name(a, name);

    if (out.vip) {
        r->im->vip = take(a, v, true);
        import_note(r->im, "output %s looks like the VIP", name);
    } else if (v->type == VALUE_LIST) {
        for (size_t i = 0; i < v->u.list.n; i++)
            take_item(r, &out, v->u.list.items[i], arena_printf(a, "%s#%zu", out.stem, i), NULL);
    } else if (v->type == VALUE_MAP && !is_machine(a, v)) {
        for (size_t i = 0; i < v->u.map.n; i++)
            take_item(r, &out, v->u.map.entries[i].value, v->u.map.entries[i].key,
                      v->u.map.entries[i].key);
    } else {
        take_item(r, &out, v, arena_printf(a, "%s#0", out.stem), NULL);
    }
}

static void take_outputs(struct reader *r, const struct value *outputs)
{
    for (size_t i = 0; outputs && outputs->type == VALUE_MAP && i < outputs->u.map.n; i++) {
        const struct value_entry *entry = &outputs->u.map.entries[i];
        const struct value *value = value_get(entry->value, "value");

        if (value && !value_get_bool(entry->value, "sensitive", false))
            take_output(r, entry->key, value);
    }
}

/* ---- documents ---- */

static bool is_outputs(const struct value *root)
{
    for (size_t i = 0; i < root->u.map.n; i++) {
        const struct value *output = root->u.map.entries[i].value;

        if (!value_get(output, "value") ||
            (!value_get(output, "type") && !value_get(output, "sensitive")))
            return false;
    }
    return root->u.map.n > 0;
}

static bool is_state(const struct value *root)
{
    return value_get(root, "terraform_version") ||
           (value_get(root, "lineage") && value_get(root, "version"));
}

static void read_state(struct reader *r, const struct value *root)
{
    const struct value *shown = value_at(root, "values.root_module");
    int64_t version = value_get_int(root, "version", 4);

    if (!shown && version != 4) {
        fault_add(r->faults, r->src,
                  "this is a Terraform state of version %" PRId64 "; only version 4 is read",
                  version);
        fault_hint(r->faults, "Terraform 0.12 and later write it; or use what `terraform output "
                              "-json` prints");
        return;
    }
    if (shown) {
        each_shown(r, shown, 0, visit_machine);
        each_shown(r, shown, 0, visit_attachment);
    } else {
        each_resource(r, root, visit_machine);
        each_resource(r, root, visit_attachment);
    }
    if (r->im->hosts.n == 0)
        take_outputs(r, shown ? value_at(root, "values.outputs") : value_get(root, "outputs"));
}

/* The one address that is known is where to log in; two that are the same are one. */
static void settle_addresses(struct import *im)
{
    bool private_only = false;

    for (size_t i = 0; i < im->hosts.n;) {
        struct import_host *host = &im->hosts.items[i];

        if (!host->login && host->inside)
            private_only = true;
        if (!host->login)
            host->login = host->inside;
        if (host->login && host->inside && str_eq(host->login, host->inside))
            host->inside = NULL;
        if (host->login) {
            i++;
            continue;
        }
        import_note(im, "%s was left out: the state has no address of it",
                    host->name ? host->name : "a machine");
        vec_release(&host->words);
        memmove(host, host + 1, (im->hosts.n - i - 1) * sizeof(*host));
        im->hosts.n--;
    }
    if (private_only)
        import_note(im, "hosts without a public address are reached at their private one: from "
                        "outside set ansible_ssh_common_args: -o ProxyJump=USER@BASTION");
}

static struct value *parse(struct reader *r, const char *text, size_t len)
{
    struct err err = ERR_INIT;
    struct value *root = json_parse(&r->im->inv.arena, r->src.file, text, len, &err);

    if (!root) {
        /* Where, but not what: it could be a part of a secret. */
        char *end = strstr(err.text, "not JSON");

        if (end)
            end[strlen("not JSON")] = '\0';
        fault_add(r->faults, (struct source){.file = NULL}, "%s",
                  end ? err.text : "the Terraform file is not JSON");
        err_release(&err);
    }
    return root;
}

static void read_text(struct import *im, const char *file, const char *text, size_t len,
                      struct faults *faults)
{
    struct reader r = {.im = im, .faults = faults, .src = {.file = file}};
    const struct value *root = parse(&r, text, len);

    map_init(&r.by_id);
    map_init(&r.by_key);
    if (root && root->type == VALUE_MAP && is_state(root)) {
        read_state(&r, root);
    } else if (root && root->type == VALUE_MAP && is_outputs(root)) {
        take_outputs(&r, root);
    } else if (root) {
        fault_add(faults, r.src, "this is neither a Terraform state nor its outputs");
        fault_hint(faults, "terraform.tfstate, or what `terraform output -json` prints");
    }
    map_release(&r.by_id);
    map_release(&r.by_key);
    settle_addresses(im);
}

/* Parsed twice, once to see: states are not that long. */
static bool looks(const char *text, size_t len)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    const struct value *root = NULL;
    const char *line;
    bool found;

    import_first_line(text, len, &line);
    if (line && *line == '{')
        root = json_parse(&a, "", text, len, &err);
    found = root && root->type == VALUE_MAP && (is_state(root) || is_outputs(root));
    err_release(&err);
    arena_release(&a);
    return found;
}

const struct import_format import_terraform = {"terraform", looks, read_text};
