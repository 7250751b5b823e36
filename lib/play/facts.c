/*
 * facts.c - ansible_facts: what the shell can read without starting a program, and four programs.
 */
#include <ctype.h>

#include "lib/play/facts.h"

#define LINE_MAX_BYTES 4096

/* One line of the answer: "key rest". */
struct fact_line {
    const char *key;
    const char *rest;
};

struct fact_reader {
    struct arena *arena;
    struct value *facts;
    struct value *addresses;
    const char *os_id, *os_like, *os_name, *os_version, *os_codename, *debian_version;
    const char *hostname, *fqdn;
    const char *gateway, *interface, *address;
};

void facts_put_script(struct str *script)
{
    str_puts(
        script,
        "show() {\n"
        "    [ -r \"$2\" ] || return 0\n"
        "    while IFS= read -r l || [ -n \"$l\" ]; do printf '%s %s\\n' \"$1\" \"$l\"; done "
        "<\"$2\"\n"
        "}\n"
        "show host /proc/sys/kernel/hostname\n"
        "show kernel /proc/sys/kernel/osrelease\n"
        "show os /etc/os-release\n"
        "show debian_version /etc/debian_version\n"
        "show hosts /etc/hosts\n"
        "show route /proc/net/route\n"
        "{ IFS= read -r l </proc/meminfo && printf 'mem %s\\n' \"$l\"; } 2>/dev/null\n"
        "printf 'machine %s\\n' \"$(uname -m)\"\n"
        "printf 'cpus %s\\n' \"$(nproc)\"\n"
        "ip -o -4 addr show 2>/dev/null | while IFS= read -r l; do printf 'ip %s\\n' \"$l\"; done\n"
        "printf 'virt %s\\n' \"$(systemd-detect-virt 2>/dev/null)\"\n"
        "[ -d /run/systemd/system ] && echo 'service_mgr systemd'\n"
        "[ -x /usr/bin/apt-get ] && echo 'pkg_mgr apt'\n");
}

static void set_str(struct fact_reader *r, const char *key, const char *text)
{
    value_map_set(r->arena, r->facts, key, value_str(r->arena, text));
}

/* NAME=value or NAME="value", as os-release(5) has it. */
static void read_os(struct fact_reader *r, const char *rest)
{
    static const char *const names[] = {"ID", "ID_LIKE", "NAME", "VERSION_ID", "VERSION_CODENAME"};
    const char **const fields[] = {&r->os_id, &r->os_like, &r->os_name, &r->os_version,
                                   &r->os_codename};
    const char *equals = strchr(rest, '=');
    size_t len;

    if (!equals)
        return;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strlen(names[i]) != (size_t)(equals - rest) ||
            strncmp(names[i], rest, strlen(names[i])) != 0)
            continue;
        rest = equals + 1;
        len = strlen(rest);
        if (len >= 2 && (rest[0] == '"' || rest[0] == '\'') && rest[len - 1] == rest[0]) {
            rest++;
            len -= 2;
        }
        *fields[i] = arena_strndup(r->arena, rest, len);
        return;
    }
}

/* The next word at *at, copied; NULL at the end. */
static const char *next_word(struct fact_reader *r, const char **at)
{
    const char *from = *at + strspn(*at, " \t");
    size_t len = strcspn(from, " \t");

    *at = from + len;
    return len ? arena_strndup(r->arena, from, len) : NULL;
}

/* The first name on the line of /etc/hosts that has the host name: what gethostbyname calls it. */
static void read_hosts(struct fact_reader *r, const char *rest)
{
    const char *first, *word;

    if (r->fqdn || !r->hostname || *rest == '#' || !next_word(r, &rest))
        return;
    first = next_word(r, &rest);
    for (word = first; word && *word != '#'; word = next_word(r, &rest))
        if (str_eq(word, r->hostname))
            r->fqdn = first;
}

/* /proc/net/route: Iface Destination Gateway Flags ...; addresses in hexadecimal, as the machine
 * (little-endian) stores them. The default route has destination 0 and a gateway. */
static void read_route(struct fact_reader *r, const char *rest)
{
    const char *interface = next_word(r, &rest);
    const char *destination = next_word(r, &rest);
    const char *gateway = next_word(r, &rest);
    unsigned long g;

    if (r->gateway || !gateway || !str_eq(destination, "00000000"))
        return;
    g = strtoul(gateway, NULL, 16);
    r->interface = interface;
    r->gateway = arena_printf(r->arena, "%lu.%lu.%lu.%lu", g & 255, g >> 8 & 255, g >> 16 & 255,
                              g >> 24 & 255);
}

/* "2: eth0    inet 10.77.0.11/24 brd ..." */
static void read_ip(struct fact_reader *r, const char *rest)
{
    const char *interface, *family, *address;

    next_word(r, &rest);
    interface = next_word(r, &rest);
    family = next_word(r, &rest);
    address = next_word(r, &rest);
    if (!address || !str_eq(family, "inet") || str_starts(address, "127."))
        return;
    address = arena_strndup(r->arena, address, strcspn(address, "/"));
    value_list_add(r->arena, r->addresses, value_str(r->arena, address));
    if (!r->address && str_eq(interface, r->interface))
        r->address = address;
}

static void read_mem(struct fact_reader *r, const char *rest)
{
    int64_t kib = strtoll(rest + strcspn(rest, "0123456789"), NULL, 10);

    value_map_set(r->arena, r->facts, "memtotal_mb", value_int(r->arena, kib / 1024));
}

static void read_virt(struct fact_reader *r, const char *rest)
{
    bool guest = *rest && !str_eq(rest, "none");

    set_str(r, "virtualization_type", guest ? rest : "NA");
    set_str(r, "virtualization_role", guest ? "guest" : "NA");
}

static void read_line(struct fact_reader *r, const struct fact_line *line)
{
    if (str_eq(line->key, "os"))
        read_os(r, line->rest);
    else if (str_eq(line->key, "debian_version"))
        r->debian_version = arena_strdup(r->arena, line->rest);
    else if (str_eq(line->key, "host"))
        r->hostname = arena_strdup(r->arena, line->rest);
    else if (str_eq(line->key, "hosts"))
        read_hosts(r, line->rest);
    else if (str_eq(line->key, "route"))
        read_route(r, line->rest);
    else if (str_eq(line->key, "ip"))
        read_ip(r, line->rest);
    else if (str_eq(line->key, "mem"))
        read_mem(r, line->rest);
    else if (str_eq(line->key, "virt"))
        read_virt(r, line->rest);
    else if (str_eq(line->key, "cpus"))
        value_map_set(r->arena, r->facts, "processor_vcpus",
                      value_int(r->arena, strtoll(line->rest, NULL, 10)));
    else if (str_eq(line->key, "machine") || str_eq(line->key, "kernel") ||
             str_eq(line->key, "service_mgr") || str_eq(line->key, "pkg_mgr"))
        set_str(r, line->key, line->rest);
}

static const char *os_family(const struct fact_reader *r)
{
    const char *like = r->os_like ? r->os_like : "";

    if (str_eq(r->os_id, "debian") || strstr(like, "debian"))
        return "Debian";
    if (str_eq(r->os_id, "fedora") || strstr(like, "rhel") || strstr(like, "fedora"))
        return "RedHat";
    return r->os_name ? r->os_name : "Linux";
}

static void finish_distribution(struct fact_reader *r)
{
    const char *name = r->os_name ? r->os_name : "Linux";
    const char *version = r->os_version ? r->os_version : "";

    if (str_eq(r->os_id, "debian")) {
        name = "Debian";
        /* 12.5, where os-release says 12; a testing release has words with a slash there */
        if (r->debian_version && isdigit((unsigned char)r->debian_version[0]))
            version = r->debian_version;
    }
    set_str(r, "distribution", name);
    set_str(r, "distribution_version", version);
    set_str(r, "distribution_major_version",
            arena_strndup(r->arena, version, strcspn(version, ".")));
    set_str(r, "distribution_release", r->os_codename ? r->os_codename : "NA");
    set_str(r, "os_family", os_family(r));
}

static void finish_network(struct fact_reader *r)
{
    struct value *ipv4 = value_map(r->arena);

    if (r->address) {
        value_map_set(r->arena, ipv4, "address", value_str(r->arena, r->address));
        value_map_set(r->arena, ipv4, "interface", value_str(r->arena, r->interface));
        value_map_set(r->arena, ipv4, "gateway", value_str(r->arena, r->gateway));
    }
    value_map_set(r->arena, r->facts, "default_ipv4", ipv4);
    value_map_set(r->arena, r->facts, "all_ipv4_addresses", r->addresses);
}

static void finish_names(struct fact_reader *r)
{
    const char *node = r->hostname ? r->hostname : "";

    set_str(r, "nodename", node);
    set_str(r, "hostname", arena_strndup(r->arena, node, strcspn(node, ".")));
    set_str(r, "fqdn", r->fqdn ? r->fqdn : node);
    set_str(r, "system", "Linux");
    set_str(r, "architecture", value_get_str(r->facts, "machine", ""));
    if (!value_get(r->facts, "service_mgr"))
        set_str(r, "service_mgr", "service");
    if (!value_get(r->facts, "pkg_mgr"))
        set_str(r, "pkg_mgr", "unknown");
}

struct value *facts_read(struct arena *a, const char *text, size_t len)
{
    struct fact_reader r = {.arena = a, .facts = value_map(a), .addresses = value_list(a)};
    const char *end = text + len;
    char line[LINE_MAX_BYTES];

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t line_len = (size_t)((newline ? newline : end) - text);
        char *space;

        if (line_len < sizeof(line)) {
            memcpy(line, text, line_len);
            line[line_len] = '\0';
            space = strchr(line, ' ');
            if (space) {
                *space = '\0';
                read_line(&r, &(struct fact_line){line, space + 1});
            }
        }
        text += line_len + 1;
    }
    finish_names(&r);
    finish_distribution(&r);
    finish_network(&r);
    return r.facts;
}

/* ---- documentation ---- */

static const struct {
    const char *name, *help;
} documented[] = {
    {"all_ipv4_addresses", ""},
    {"architecture", ""},
    {"default_ipv4", "`address`, `interface`, `gateway`"},
    {"distribution", ""},
    {"distribution_major_version", ""},
    {"distribution_release", "the code name"},
    {"distribution_version", ""},
    {"fqdn", ""},
    {"hostname", "up to the first dot"},
    {"kernel", ""},
    {"machine", ""},
    {"memtotal_mb", ""},
    {"nodename", ""},
    {"os_family", ""},
    {"pkg_mgr", "apt, or unknown"},
    {"processor_vcpus", ""},
    {"service_mgr", "systemd, or service"},
    {"system", "Linux"},
    {"virtualization_role", ""},
    {"virtualization_type", ""},
};

void facts_put_reference(struct str *out)
{
    for (size_t i = 0; i < ARRAY_LEN(documented); i++)
        str_printf(out, "| `%s` | %s |\n", documented[i].name, documented[i].help);
}
