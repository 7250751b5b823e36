/*
 * names.c - names of what the provider makes, all computed from the names of cluster and host.
 */
#include "lib/base/hash.h"
#include "providers/local/local.h"

#define LINK_HASH_DIGITS 8 /* of 15 characters that Linux gives an interface's name */
#define VOLUME_IMAGE     "volume.img"

static void hashed_name(const char *prefix, const char *text, char out[IFNAMSIZ])
{
    char hex[SHA256_HEX_SIZE];

    sha256_hex(text, strlen(text), hex);
    snprintf(out, IFNAMSIZ, "%s-%.*s", prefix, LINK_HASH_DIGITS, hex);
}

void local_bridge_name(const char *cluster, char out[IFNAMSIZ])
{
    hashed_name("pgha", cluster, out);
}

void local_link_name(const char *cluster, const char *host, char out[IFNAMSIZ])
{
    char *text = xasprintf("%s/%s", cluster, host);

    hashed_name("pghv", text, out);
    free(text);
}

void local_mac(const char *seed, char out[MAC_SIZE])
{
    uint64_t hash = hash_fnv1a(seed, strlen(seed));

    snprintf(out, MAC_SIZE, "02:%02x:%02x:%02x:%02x:%02x", (unsigned)(hash >> 32) & 0xff,
             (unsigned)(hash >> 24) & 0xff, (unsigned)(hash >> 16) & 0xff,
             (unsigned)(hash >> 8) & 0xff, (unsigned)hash & 0xff);
}

static void PRINTF_LIKE(2, 3) put_path(char out[LOCAL_PATH_SIZE], const char *fmt, ...)
{
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(out, LOCAL_PATH_SIZE, fmt, args);
    va_end(args);
    if (len < 0 || len >= LOCAL_PATH_SIZE)
        BUG("path too long: %s", out);
}

void host_place_init(struct host_place *p, const struct provider_session *s, const char *host)
{
    const char *cluster = s->cluster->name;

    *p = (struct host_place){.name = host};
    if (snprintf(p->id, sizeof(p->id), "pgha-%s-%s", cluster, host) >= (int)sizeof(p->id))
        BUG("host name too long: %s", host);
    local_link_name(cluster, host, p->link);
    put_path(p->folder, "%s/%s", s->folder, host);
    put_path(p->record, "%s/%s/host.json", s->folder, host);
    put_path(p->console, "%s/%s/console.log", s->folder, host);
    put_path(p->host_key, "%s/%s/host_key", s->folder, host);
    put_path(p->upper, "%s/%s/upper", s->folder, host);
    put_path(p->work, "%s/%s/work", s->folder, host);
    put_path(p->root, "%s/%s/root", s->folder, host);
    put_path(p->volume_image, "%s/%s/" VOLUME_IMAGE, s->folder, host);
    put_path(p->volume_top, "%s/%s/volume", s->folder, host);
    put_path(p->volume, "%s/%s/volume/fs", s->folder, host);
    put_path(p->netns, "%s/%s", LOCAL_NETNS, p->id);
    put_path(p->cgroup, "%s/%s", s->cgroups, p->id);
}

static bool is_host_name(const char *text)
{
    return *text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789")];
}

/* The rest of text after `prefix`, `cluster` and `separator`, when it is a host's name. */
static const char *host_after(const char *text, const char *prefix, const char *cluster,
                              char separator)
{
    size_t prefix_len = strlen(prefix), cluster_len = strlen(cluster);
    const char *host;

    if (strncmp(text, prefix, prefix_len) != 0 ||
        strncmp(text + prefix_len, cluster, cluster_len) != 0 ||
        text[prefix_len + cluster_len] != separator)
        return NULL;
    host = text + prefix_len + cluster_len + 1;
    return is_host_name(host) ? host : NULL;
}

const char *local_host_of_id(const char *id, const char *cluster)
{
    return host_after(id, "pgha-", cluster, '-');
}

const char *local_host_of_alias(const char *alias, const char *cluster)
{
    return host_after(alias, "pgha ", cluster, '/');
}

/* ".../local/CLUSTER/HOST/volume.img". Where the folder is does not count: it may be reached by a
 * link. One that is gone has " (deleted)" after it. */
bool local_host_of_volume(const char *backing, const char *cluster, char *out, size_t size)
{
    char *place = xasprintf("/%s/%s/", path_base(LOCAL_CLUSTERS), cluster);
    const char *host = NULL;
    size_t len;

    for (const char *at = backing; (at = strstr(at, place)); at++)
        host = at + strlen(place);
    free(place);
    if (!host)
        return false;
    len = strcspn(host, "/");
    if (!str_eq(host + len, "/" VOLUME_IMAGE))
        return false;
    return (size_t)snprintf(out, size, "%.*s", (int)len, host) < size && is_host_name(out);
}
