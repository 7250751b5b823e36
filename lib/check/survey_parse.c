/*
 * survey_parse.c - a host's answer to survey_script.c, made into facts.
 *
 * A line is a tag and fields between tabs. What is not understood is passed over: an answer may be
 * cut, or made up by whoever owns the host. Nothing but printable ASCII gets into the facts, so
 * that they can be shown on a terminal; only texts of configuration files are kept as they are.
 */
#include <errno.h>

#include "lib/check/survey.h"
#include "lib/doc/yaml.h"

#define MAX_FIELDS 8
#define KIB        INT64_C(1024)
#define US         INT64_C(1000000)

struct reader {
    struct host_survey *s;
    VEC(int64_t) fsync_us;
    const char *apt_package; /* whose candidate comes next */
    struct host_unit unit;   /* the one whose lines come */
};

struct fields {
    char *at[MAX_FIELDS]; /* without the tag */
    size_t n;
};

/* A list that is full takes no more. */
#define add_to(list, item)                                                                         \
    do {                                                                                           \
        if ((list)->n < SURVEY_MAX_LIST)                                                           \
            vec_push(list, item);                                                                  \
    } while (0)

static void make_printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
            *text = '?';
}

/* A whole decimal number of at most max, or otherwise. */
static int64_t number(const char *text, int64_t max, int64_t otherwise)
{
    char *end;
    long long n;

    if (!text || *text < '0' || *text > '9')
        return otherwise;
    errno = 0;
    n = strtoll(text, &end, 10);
    return *end || errno || n > max ? otherwise : (int64_t)n;
}

static const char *field(const struct fields *f, size_t i)
{
    return i < f->n ? f->at[i] : "";
}

static const char *text_or_null(const char *text)
{
    return *text ? text : NULL;
}

/* The decoded bytes in the arena, or NULL. *len may be NULL; NULs stay inside. */
static char *decode(struct reader *r, const char *base64, size_t max, size_t *len)
{
    struct str s;
    char *copy = NULL;

    str_init(&s, max);
    if (*base64 && str_put_unbase64(&s, base64, strlen(base64)) == 0 && !s.full) {
        copy = arena_alloc(&r->s->arena, s.len + 1);
        memcpy(copy, s.buf, s.len);
        if (len)
            *len = s.len;
    }
    str_release(&s);
    return copy;
}

static const char *decode_text(struct reader *r, const char *base64)
{
    char *text = decode(r, base64, SURVEY_MAX_FILE, NULL);

    if (text)
        make_printable(text);
    return text && *text ? text : NULL;
}

/* The next word of a line of words; the line goes on behind it. "": none. */
static char *next_word(char **line)
{
    char *word = *line + strspn(*line, " ");
    char *end = word + strcspn(word, " ");

    *line = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

/* ---- single values ---- */

static void read_uid(struct reader *r, struct fields *f)
{
    r->s->facts.uid = (int)number(field(f, 0), INT32_MAX, -1);
}

static void read_hostname(struct reader *r, struct fields *f)
{
    r->s->facts.hostname = text_or_null(field(f, 0));
}

static void read_machine_id(struct reader *r, struct fields *f)
{
    r->s->facts.machine_id = text_or_null(field(f, 0));
}

static void read_boot_id(struct reader *r, struct fields *f)
{
    r->s->facts.boot_id = text_or_null(field(f, 0));
}

static void read_kernel(struct reader *r, struct fields *f)
{
    r->s->facts.kernel = text_or_null(field(f, 0));
}

static void read_machine(struct reader *r, struct fields *f)
{
    r->s->facts.machine = text_or_null(field(f, 0));
}

static void read_arch(struct reader *r, struct fields *f)
{
    r->s->facts.arch = text_or_null(field(f, 0));
}

static void read_cpus(struct reader *r, struct fields *f)
{
    r->s->facts.cpus = (int)number(field(f, 0), 1 << 20, 0);
}

static void read_virt(struct reader *r, struct fields *f)
{
    r->s->facts.virtualization = text_or_null(field(f, 0));
}

static void read_have(struct reader *r, struct fields *f)
{
    struct host_facts *facts = &r->s->facts;
    const char *what = field(f, 0);

    facts->has_systemd |= str_eq(what, "systemd");
    facts->has_python3 |= str_eq(what, "python3");
    facts->has_bash |= str_eq(what, "bash");
    facts->nft_installed |= str_eq(what, "nft");
    facts->is_booting |= str_eq(what, "unfinished-boot");
}

/* os-release(5): NAME=value, the value perhaps in quotes. */
static void read_os(struct reader *r, struct fields *f)
{
    struct host_facts *facts = &r->s->facts;
    struct {
        const char *key;
        const char **value;
    } keys[] = {{"ID", &facts->os_id},
                {"VERSION_ID", &facts->os_version},
                {"PRETTY_NAME", &facts->os_name},
                {"VERSION_CODENAME", &facts->codename}};
    char *line = f->n ? f->at[0] : NULL, *value = line ? strchr(line, '=') : NULL;
    size_t len;

    if (!value)
        return;
    *value++ = '\0';
    len = strlen(value);
    if (len >= 2 && (*value == '"' || *value == '\'') && value[len - 1] == *value) {
        value[len - 1] = '\0';
        value++;
    }
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (str_eq(line, keys[i].key))
            *keys[i].value = text_or_null(value);
}

/* "MemTotal:       16316404 kB" */
static void read_mem(struct reader *r, struct fields *f)
{
    char *line = f->n ? f->at[0] : NULL;
    const char *key, *kib;

    if (!line)
        return;
    key = next_word(&line);
    kib = next_word(&line);
    if (str_eq(key, "MemTotal:"))
        r->s->facts.memory_bytes = number(kib, INT64_MAX / KIB, 0) * KIB;
    else if (str_eq(key, "MemAvailable:"))
        r->s->facts.memory_available_bytes = number(kib, INT64_MAX / KIB, 0) * KIB;
}

/* sshd(8): the client's address and port, the server's address and port. */
static void read_ssh(struct reader *r, struct fields *f)
{
    char *line = f->n ? f->at[0] : NULL;

    if (!line)
        return;
    r->s->facts.ssh_client_address = text_or_null(next_word(&line));
    next_word(&line);
    r->s->facts.ssh_server_address = text_or_null(next_word(&line));
}

static int64_t kib_to_bytes(const char *text)
{
    int64_t kib = number(text, INT64_MAX / KIB, -1);

    return kib < 0 ? -1 : kib * KIB;
}

static void read_disk(struct reader *r, struct fields *f)
{
    r->s->facts.disk_total_bytes = kib_to_bytes(field(f, 0));
    r->s->facts.disk_free_bytes = kib_to_bytes(field(f, 1));
}

static void read_etcd_disk(struct reader *r, struct fields *f)
{
    r->s->facts.etcd_disk_total_bytes = kib_to_bytes(field(f, 0));
    r->s->facts.etcd_disk_free_bytes = kib_to_bytes(field(f, 1));
}

/* Seconds as dd prints them: "0.000248", "1.2e-05". */
static void read_fsync(struct reader *r, struct fields *f)
{
    const char *text = field(f, 0);
    char *end;
    double s = strtod(text, &end);

    if (end != text && !*end && s >= 0 && s < 3600)
        add_to(&r->fsync_us, (int64_t)(s * (double)US));
}

static void read_nft(struct reader *r, struct fields *f)
{
    r->s->facts.nft_works = str_eq(field(f, 0), "works");
}

static void read_nf_tables(struct reader *r, struct fields *f)
{
    UNUSED(f);
    r->s->facts.has_nf_tables = true;
}

static void read_end(struct reader *r, struct fields *f)
{
    UNUSED(f);
    r->s->facts.complete = true;
}

/* ---- network ---- */

/* Names that container and virtual machine software gives to what it makes. */
static bool is_made_up_name(const char *name)
{
    static const char *const prefixes[] = {
        "br-",   "veth",    "virbr", "cni",   "dummy", "docker", "podman",  "lxc",
        "lxdbr", "flannel", "cali",  "kube-", "vnet",  "vmnet",  "incusbr", "pgha-"};

    if (str_eq(name, "lo"))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (str_starts(name, prefixes[i]))
            return true;
    return false;
}

/* nic NAME device|bridge|other OPERSTATE MAC */
static void read_nic(struct reader *r, struct fields *f)
{
    struct host_interface i = {.name = field(f, 0)};
    const char *kind = field(f, 1), *state = field(f, 2), *mac = field(f, 3);

    if (!*i.name)
        return;
    i.mac = *mac && !str_eq(mac, "00:00:00:00:00:00") ? mac : NULL;
    i.up = str_eq(state, "up") || str_eq(state, "unknown");
    i.is_virtual = str_eq(kind, "bridge") || (!str_eq(kind, "device") && is_made_up_name(i.name));
    add_to(&r->s->facts.interfaces, i);
}

static enum address_scope scope_of(const char *word)
{
    return str_eq(word, "global") ? SCOPE_GLOBAL
           : str_eq(word, "link") ? SCOPE_LINK
           : str_eq(word, "host") ? SCOPE_HOST
                                  : SCOPE_OTHER;
}

/* "4: eth0    inet 192.0.2.2/24 brd 192.0.2.255 scope global eth0\ ..." */
static void read_addr(struct reader *r, struct fields *f)
{
    struct host_address a = {.scope = SCOPE_OTHER};
    char *line = f->n ? f->at[0] : NULL, *address, *slash;
    const char *family;

    if (!line)
        return;
    next_word(&line);
    a.interface = next_word(&line);
    family = next_word(&line);
    address = next_word(&line);
    a.family = str_eq(family, "inet") ? 4 : str_eq(family, "inet6") ? 6 : 0;
    if (!a.family || !*address)
        return;
    slash = strchr(address, '/');
    if (slash)
        *slash = '\0';
    a.address = address;
    a.prefix =
        (int)number(slash ? slash + 1 : NULL, a.family == 4 ? 32 : 128, a.family == 4 ? 32 : 128);
    while (*line)
        if (str_eq(next_word(&line), "scope"))
            a.scope = scope_of(next_word(&line));
    add_to(&r->s->facts.addresses, a);
}

/* "default via 192.0.2.1 dev eth0 ..." */
static void read_route(struct reader *r, struct fields *f, int family)
{
    struct host_route route = {.family = family};
    char *line = f->n ? f->at[0] : NULL;

    if (!line || !str_eq(next_word(&line), "default"))
        return;
    while (*line) {
        const char *word = next_word(&line);

        if (str_eq(word, "via"))
            route.gateway = text_or_null(next_word(&line));
        else if (str_eq(word, "dev"))
            route.interface = text_or_null(next_word(&line));
    }
    if (route.interface)
        add_to(&r->s->facts.routes, route);
}

static void read_route4(struct reader *r, struct fields *f)
{
    read_route(r, f, 4);
}

static void read_route6(struct reader *r, struct fields *f)
{
    read_route(r, f, 6);
}

/* users:(("etcd",pid=12,fd=3),...) */
static void read_holder(struct host_listener *l, char *users)
{
    char *name = strstr(users, "((\""), *end, *pid;

    if (!name)
        return;
    name += strlen("((\"");
    if (!(end = strstr(name, "\",pid=")))
        return;
    *end = '\0';
    l->process = text_or_null(name);
    pid = end + strlen("\",pid=");
    pid[strspn(pid, "0123456789")] = '\0';
    l->pid = (int)number(pid, INT32_MAX, 0);
}

/* "LISTEN 0 128 [::]:22 [::]:* users:((...))"; an address may have %interface. */
static void read_listen(struct reader *r, struct fields *f)
{
    struct host_listener l = {0};
    char *line = f->n ? f->at[0] : NULL, *address, *colon, *bracket;

    if (!line || !str_eq(next_word(&line), "LISTEN"))
        return;
    next_word(&line);
    next_word(&line);
    address = next_word(&line);
    next_word(&line);
    if (!(colon = strrchr(address, ':')))
        return;
    *colon = '\0';
    l.port = (int)number(colon + 1, 65535, 0);
    if (*address == '[' && (bracket = strchr(address, ']'))) {
        address++;
        *bracket = '\0';
    }
    address[strcspn(address, "%")] = '\0';
    l.address = address;
    read_holder(&l, line);
    if (l.port)
        add_to(&r->s->facts.listeners, l);
}

static void read_listen_done(struct reader *r, struct fields *f)
{
    UNUSED(f);
    r->s->facts.listeners_known = true;
}

/* ---- software ---- */

/* pkg STATUS NAME VERSION */
static void read_pkg(struct reader *r, struct fields *f)
{
    struct host_package p = {field(f, 1), field(f, 2)};

    if (str_eq(field(f, 0), "installed") && *p.name && *p.version)
        add_to(&r->s->facts.packages, p);
}

static void read_apt_lists(struct reader *r, struct fields *f)
{
    r->s->facts.apt_lists = (int)number(field(f, 0), INT32_MAX, -1);
}

/* "patroni:", then "  Candidate: 4.0.4-1" */
static void read_apt(struct reader *r, struct fields *f)
{
    char *line = f->n ? f->at[0] : NULL, *word;
    size_t len;

    if (!line)
        return;
    if (*line != ' ') {
        len = strlen(line);
        r->apt_package = len > 1 && line[len - 1] == ':' ? line : NULL;
        if (r->apt_package)
            line[len - 1] = '\0';
        return;
    }
    word = next_word(&line);
    if (!r->apt_package || !str_eq(word, "Candidate:"))
        return;
    word = next_word(&line);
    if (*word && !str_eq(word, "(none)")) {
        struct host_candidate c = {r->apt_package, word};

        add_to(&r->s->facts.candidates, c);
    }
}

static void finish_unit(struct reader *r)
{
    if (r->unit.name)
        add_to(&r->s->facts.units, r->unit);
    memset(&r->unit, 0, sizeof(r->unit));
}

/* systemctl show: NAME=value in any order, an empty line between units. */
static void read_unit(struct reader *r, struct fields *f)
{
    char *line = f->n ? f->at[0] : NULL, *value = line ? strchr(line, '=') : NULL;

    if (!value) {
        finish_unit(r);
        return;
    }
    *value++ = '\0';
    if (str_eq(line, "Id"))
        r->unit.name = text_or_null(value);
    else if (str_eq(line, "LoadState"))
        r->unit.installed = str_eq(value, "loaded") || str_eq(value, "masked");
    else if (str_eq(line, "ActiveState"))
        r->unit.running =
            str_eq(value, "active") || str_eq(value, "activating") || str_eq(value, "reloading");
    else if (str_eq(line, "UnitFileState"))
        r->unit.enabled = str_starts(value, "enabled");
    else if (str_eq(line, "MainPID"))
        r->unit.pid = (int)number(value, INT32_MAX, 0);
}

/* process PID PARENT NAME ARGUMENTS FOLDER, the last two in base64 */
static void read_process(struct reader *r, struct fields *f)
{
    struct host_process p = {.name = text_or_null(field(f, 2)),
                             .pid = (int)number(field(f, 0), INT32_MAX, 0),
                             .parent = (int)number(field(f, 1), INT32_MAX, 0)};

    if (!p.name || !p.pid)
        return;
    p.arguments = decode_text(r, field(f, 3));
    p.folder = decode_text(r, field(f, 4));
    add_to(&r->s->facts.processes, p);
}

/* pgdata PATH VERSION SYSTEM PID PORT PATRONI */
static void read_pgdata(struct reader *r, struct fields *f)
{
    struct host_pgdata d = {.path = decode_text(r, field(f, 0)),
                            .pid = (int)number(field(f, 3), INT32_MAX, 0),
                            .port = (int)number(field(f, 4), 65535, 0),
                            .under_patroni = str_eq(field(f, 5), "1")};
    const char *version = field(f, 1), *id = field(f, 2);
    size_t digits = strspn(id, "0123456789");

    if (!d.path)
        return;
    /* 17; before PostgreSQL 10 it was 9.6 */
    d.version = (int)strtol(version, NULL, 10);
    if (d.version < 0 || d.version > 1000)
        d.version = 0;
    if (digits > 0 && digits <= 20 && !id[digits])
        d.system_id = strtoull(id, NULL, 10);
    add_to(&r->s->facts.pgdata, d);
}

static void read_etcd_data(struct reader *r, struct fields *f)
{
    const char *path = decode_text(r, field(f, 0));

    if (path)
        add_to(&r->s->facts.etcd_data, path);
}

static void read_vrrp_id(struct reader *r, struct fields *f)
{
    int id = (int)number(field(f, 0), 255, 0);

    if (id)
        add_to(&r->s->facts.vrrp_ids, id);
}

static void read_vrrp_address(struct reader *r, struct fields *f)
{
    char *address = f->n ? f->at[0] : NULL;

    if (!address)
        return;
    address[strcspn(address, "/")] = '\0';
    if (*address)
        add_to(&r->s->facts.vrrp_addresses, address);
}

static void read_member(struct reader *r, struct fields *f)
{
    r->s->facts.member_of = text_or_null(field(f, 0));
}

static void read_dcs_id(struct reader *r, struct fields *f)
{
    const char *text = field(f, 0);
    char *end;
    uint64_t id = text ? strtoull(text, &end, 10) : 0;

    if (id && *end == '\0')
        r->s->facts.dcs_system_id = id;
}

static void read_vrrp_instance(struct reader *r, struct fields *f)
{
    if (!r->s->facts.vrrp_instance)
        r->s->facts.vrrp_instance = text_or_null(field(f, 0));
}

/* ---- configuration files ---- */

static const char *copy_printable(struct reader *r, const char *text)
{
    char *copy;

    if (!text || !*text)
        return NULL;
    copy = arena_strdup(&r->s->arena, text);
    make_printable(copy);
    return copy;
}

static void read_patroni(struct reader *r, struct host_config *c)
{
    struct arena arena = ARENA_INIT;
    struct faults faults;
    const struct value *v;

    faults_init(&faults);
    v = yaml_parse(&arena, "patroni", c->text, c->text_len, &faults);
    if (v && v->type == VALUE_MAP) {
        c->scope = copy_printable(r, value_get_str(v, "scope", NULL));
        c->member = copy_printable(r, value_get_str(v, "name", NULL));
        c->data_dir =
            copy_printable(r, value_get_str(value_get(v, "postgresql"), "data_dir", NULL));
    }
    faults_release(&faults);
    arena_release(&arena);
}

/* The value of NAME=value in a file of such lines, perhaps in quotes; NULL: none. */
static const char *env_value(struct reader *r, const struct host_config *c, const char *name)
{
    size_t len = strlen(name), value_len;
    char *copy;

    for (const char *line = c->text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        line += strspn(line, " \t");
        if (strncmp(line, name, len) != 0 || line[len] != '=')
            continue;
        line += len + 1;
        line += *line == '"' || *line == '\'';
        value_len = strcspn(line, "\"'\r\n");
        copy = arena_strndup(&r->s->arena, line, value_len);
        make_printable(copy);
        return text_or_null(copy);
    }
    return NULL;
}

static void read_etcd(struct reader *r, struct host_config *c)
{
    c->member = env_value(r, c, "ETCD_NAME");
    c->initial_cluster = env_value(r, c, "ETCD_INITIAL_CLUSTER");
    c->token = env_value(r, c, "ETCD_INITIAL_CLUSTER_TOKEN");
    c->data_dir = env_value(r, c, "ETCD_DATA_DIR");
}

static bool config_kind_of(const char *word, enum config_kind *kind)
{
    static const char *const kinds[] = {[CONFIG_PATRONI] = "patroni",
                                        [CONFIG_ETCD] = "etcd",
                                        [CONFIG_HAPROXY] = "haproxy",
                                        [CONFIG_KEEPALIVED] = "keepalived"};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_eq(kinds[i], word)) {
            *kind = (enum config_kind)i;
            return true;
        }
    }
    return false;
}

/* config KIND OWNER PATH TEXT */
static void read_config(struct reader *r, struct fields *f)
{
    struct host_config c = {0};
    const char *owner = field(f, 1);

    if (!config_kind_of(field(f, 0), &c.kind) || !(c.path = decode_text(r, field(f, 2))))
        return;
    c.owner = str_eq(owner, "ours")      ? CONFIG_OURS
              : str_eq(owner, "default") ? CONFIG_DEFAULT
                                         : CONFIG_FOREIGN;
    c.text = decode(r, field(f, 3), SURVEY_MAX_FILE, &c.text_len);
    if (c.text && c.kind == CONFIG_PATRONI)
        read_patroni(r, &c);
    else if (c.text && c.kind == CONFIG_ETCD)
        read_etcd(r, &c);
    add_to(&r->s->facts.configs, c);
}

/* ---- lines ---- */

static const struct {
    const char *tag;
    void (*read)(struct reader *r, struct fields *f);
} tags[] = {
    {"uid", read_uid},
    {"hostname", read_hostname},
    {"machine_id", read_machine_id},
    {"boot_id", read_boot_id},
    {"kernel", read_kernel},
    {"machine", read_machine},
    {"arch", read_arch},
    {"cpus", read_cpus},
    {"virt", read_virt},
    {"have", read_have},
    {"os", read_os},
    {"mem", read_mem},
    {"ssh", read_ssh},
    {"disk", read_disk},
    {"etcd_disk", read_etcd_disk},
    {"fsync", read_fsync},
    {"nic", read_nic},
    {"addr", read_addr},
    {"route4", read_route4},
    {"route6", read_route6},
    {"listen", read_listen},
    {"listen_done", read_listen_done},
    {"pkg", read_pkg},
    {"apt_lists", read_apt_lists},
    {"apt", read_apt},
    {"unit", read_unit},
    {"process", read_process},
    {"config", read_config},
    {"pgdata", read_pgdata},
    {"etcd_data", read_etcd_data},
    {"vrrp_id", read_vrrp_id},
    {"vrrp_address", read_vrrp_address},
    {"vrrp_instance", read_vrrp_instance},
    {"member", read_member},
    {"dcs_id", read_dcs_id},
    {"nft", read_nft},
    {"nf_tables", read_nf_tables},
    {"end", read_end},
};

/* line: writable, and lives as long as the facts. */
static void read_line(struct reader *r, char *line)
{
    struct fields f = {.n = 0};
    char *tab = strchr(line, '\t');

    if (!tab)
        return;
    while (tab && f.n < MAX_FIELDS) {
        *tab = '\0';
        f.at[f.n] = tab + 1;
        tab = strchr(f.at[f.n++], '\t');
    }
    for (size_t i = 0; i < f.n; i++)
        make_printable(f.at[i]);
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        if (str_eq(tags[i].tag, line)) {
            tags[i].read(r, &f);
            return;
        }
    }
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void finish_fsync(struct reader *r)
{
    struct host_facts *facts = &r->s->facts;

    if (r->fsync_us.n == 0)
        return;
    qsort(r->fsync_us.items, r->fsync_us.n, sizeof(*r->fsync_us.items), by_size);
    facts->fsync_us = r->fsync_us.items[r->fsync_us.n / 2];
    facts->fsync_max_us = r->fsync_us.items[r->fsync_us.n - 1];
    facts->fsync_writes = (int)r->fsync_us.n;
}

static bool carries_default_route(const struct host_facts *f, const char *interface)
{
    vec_each (route, &f->routes)
        if (str_eq(route->interface, interface))
            return true;
    return false;
}

/* What a bridge or a made-up name is for shows only when all lines are there. */
static void finish_network(struct host_facts *f)
{
    vec_each (i, &f->interfaces)
        if (carries_default_route(f, i->name) && !str_eq(i->name, "lo"))
            i->is_virtual = false;
    vec_each (a, &f->addresses) {
        a->is_virtual = is_made_up_name(a->interface) && !carries_default_route(f, a->interface);
        vec_each (i, &f->interfaces)
            if (str_eq(i->name, a->interface))
                a->is_virtual = i->is_virtual;
    }
}

static void set_unknown(struct host_facts *f)
{
    f->uid = -1;
    f->clock_error_ms = -1;
    f->disk_total_bytes = f->disk_free_bytes = -1;
    f->etcd_disk_total_bytes = f->etcd_disk_free_bytes = -1;
    f->fsync_us = f->fsync_max_us = -1;
    f->apt_lists = -1;
}

void survey_parse(struct host_survey *s, const char *text, size_t len)
{
    struct reader r = {.s = s, .fsync_us = VEC_INIT};
    const char *end = text + len;

    set_unknown(&s->facts);
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));

        if (!newline) /* cut */
            break;
        read_line(&r, arena_strndup(&s->arena, text, (size_t)(newline - text)));
        text = newline + 1;
    }
    finish_unit(&r);
    finish_fsync(&r);
    finish_network(&s->facts);
    vec_release(&r.fsync_us);
}
