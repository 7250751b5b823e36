/*
 * local.h - the local provider's own: names and places of what it makes on this machine.
 *
 * Every name follows from the names of cluster and host, so whatever a killed run left behind is
 * found again without any state:
 *
 *   LOCAL_IMAGES/KEY      image: a Debian root, read-only below every host's disk
 *   LOCAL_CLUSTERS/NAME   of a cluster: cluster.json (network, cluster file) and a folder per host:
 *                         host.json, host_key and host_key.pub, console.log, upper and work (its
 *                         disk), root (where image and disk are mounted as one); of a db host
 *                         volume.img, a file system for PostgreSQL, and volume/fs (where it is
 *                         mounted, by a loop device that is found by the file's name)
 *   pgha-XXXXXXXX         the cluster's bridge: hash of its name; alias "pgha CLUSTER"
 *   pghv-XXXXXXXX         the bridge's end of a host's eth0; alias "pgha CLUSTER/HOST"
 *   pgha-CLUSTER-HOST     network namespace (LOCAL_NETNS), cgroup and machine name of a host
 *   pgha-image            cgroup of the image's builder
 *
 * Host names hold no "-", so that CLUSTER and HOST can be told apart in a name.
 */
#ifndef PGHA_LOCAL_H
#define PGHA_LOCAL_H

#include <net/if.h>
#include <pthread.h>

#include "lib/base/file.h"
#include "lib/doc/value.h"
#include "providers/provider.h"

#define LOCAL_IMAGES   "/var/cache/pgha-deploy/images"
#define LOCAL_CLUSTERS "/var/lib/pgha-deploy/local"
#define LOCAL_NETNS    "/run/netns"
#define LOCAL_LOCK     "/run/pgha-deploy.lock" /* held while networks are compared and claimed */

#define LOCAL_ID_SIZE   65 /* longest machine name that nspawn takes, and NUL */
#define LOCAL_PATH_SIZE 192
#define IMAGE_KEY_SIZE  17
#define MAC_SIZE        18

extern const struct provider provider_local;
extern const struct resource_kind local_image_kind, local_bridge_kind, local_host_kind;

/* Read-only once open: the plan's workers share it. */
struct provider_session {
    struct arena arena;
    const struct cluster *cluster;
    const char *file; /* the cluster file, absolute */
    const char *state_dir;
    struct event_sink *events;
    const char *folder;  /* LOCAL_CLUSTERS/CLUSTER */
    const char *record;  /* cluster.json in it */
    const char *cgroups; /* where cgroup v2 is mounted */
    char bridge[IFNAMSIZ];
    const struct recipe *recipe;    /* what new hosts are made from, */
    char image_key[IMAGE_KEY_SIZE]; /* and its key */
    pthread_mutex_t limits;         /* one worker at a time raises kernel limits */
};

/* Where the things of a host are. */
struct host_place {
    const char *name;
    char id[LOCAL_ID_SIZE];
    char link[IFNAMSIZ];
    char folder[LOCAL_PATH_SIZE], record[LOCAL_PATH_SIZE], console[LOCAL_PATH_SIZE];
    char host_key[LOCAL_PATH_SIZE];
    char upper[LOCAL_PATH_SIZE], work[LOCAL_PATH_SIZE], root[LOCAL_PATH_SIZE];
    char volume_image[LOCAL_PATH_SIZE], volume_top[LOCAL_PATH_SIZE], volume[LOCAL_PATH_SIZE];
    char netns[LOCAL_PATH_SIZE], cgroup[LOCAL_PATH_SIZE];
};

/* names.c */
void local_bridge_name(const char *cluster, char out[IFNAMSIZ]);
void local_link_name(const char *cluster, const char *host, char out[IFNAMSIZ]);
/* A locally administered address that stays the same when the thing is made again, so that no
 * neighbour's ARP cache goes stale. */
void local_mac(const char *seed, char out[MAC_SIZE]);
void host_place_init(struct host_place *p, const struct provider_session *s, const char *host);
/* HOST of "pgha-CLUSTER-HOST", NULL for names of other things. Points into id. */
const char *local_host_of_id(const char *id, const char *cluster);
/* HOST of the alias "pgha CLUSTER/HOST"; NULL for others. */
const char *local_host_of_alias(const char *alias, const char *cluster);
/* Whether the file behind a loop device, as the kernel tells its name, is the volume of a host of
 * this cluster; its name in out. */
bool local_host_of_volume(const char *backing, const char *cluster, char *out, size_t size);

/* record.c: small JSON files beside the disks. */
/* Value null when the file is absent; NULL on error. */
struct value *record_read(struct arena *a, const char *path, struct err *err);
int record_write(const char *path, const struct value *v, struct err *err) MUST_USE;
/* Calls visit for every cluster that has a folder here (record null when it has none yet); its
 * first -1 ends the walk and is returned. */
typedef int record_visit_fn(void *context, const char *cluster, const char *folder,
                            const struct value *record, struct err *err);
int record_each_cluster(record_visit_fn *visit, void *context, struct err *err) MUST_USE;
/* Calls visit with the name of every entry, or every folder, in `folder`, hidden ones left out;
 * nothing when `folder` is absent. Its first -1 ends the walk and is returned. */
typedef int entry_visit_fn(void *context, const char *name, struct err *err);
int each_entry(const char *folder, entry_visit_fn *visit, void *context, struct err *err) MUST_USE;
int each_folder(const char *folder, entry_visit_fn *visit, void *context, struct err *err) MUST_USE;

/* network.c: which networks are in use on this machine. */
struct subnet {
    uint32_t network; /* host byte order */
    int prefix;
    const char *owner; /* for messages */
};
struct subnets {
    struct arena arena;
    VEC(struct subnet) list;
};
bool subnet_parse(const char *cidr,
                  struct subnet *out); /* false: no "a.b.c.d/n" with zero host bits */
bool subnet_overlaps(const struct subnet *a, const struct subnet *b);
/* The networks of /proc/net/route's text, but for those of interface `except` and default routes.
 */
void subnets_add_routes(struct subnets *taken, const char *text, const char *except);
/* The first /24 of a fixed list that is free, as "a.b.c.0/24". */
bool subnets_suggest(const struct subnets *taken, char *out, size_t size);
/* ERR_CONFLICT naming who has the cluster's network, with a free one as hint. Looks only. */
int network_check_free(const struct provider_session *s, struct err *err) MUST_USE;

/* link.c: network interfaces of this machine. */
bool link_exists(const char *link);
bool link_is_up(const char *link);
bool link_is_in_bridge(const char *link, const char *bridge);
void link_alias(const char *link, char *out, size_t size); /* "" when it has none */
bool link_has_address(const char *link, const char *cidr); /* cidr: "address/prefix" */
/* Commands for ip_batch that remove every IPv4 address of the link but `except`. */
void link_put_address_removal(const char *link, const char *except, struct str *commands);
int link_set_up(const char *link, bool up, struct err *err) MUST_USE;
/* Lines of commands for ip(8), in the namespace netns or NULL for the machine's own. */
int ip_batch(const char *netns, const struct str *commands, struct err *err) MUST_USE;

/* cgroup.c: everything that runs of a host is in one cgroup (v2). */
const char *cgroup_mount(void); /* NULL when there is no cgroup v2 */
bool cgroup_is_populated(const char *cgroup);
int cgroup_make(const char *cgroup, struct err *err) MUST_USE;
/* SIGKILL to all in it, until all are gone, and the group with them. No error when absent. */
int cgroup_end(const char *cgroup, struct err *err) MUST_USE;
/* The argument list that runs command (NULL-terminated) in cgroup; in a. */
const char *const *cgroup_command(struct arena *a, const char *cgroup, const char *const *command);

/* plant.c: a file inside a host's root. Follows no link, because what is in there is the host's.
 * Folders are made as needed (0755); a file that has the text already is left alone. */
int plant_file(const char *root, const char *path, const char *text, size_t len, mode_t mode,
               struct err *err) MUST_USE;
bool plant_is_there(const char *root, const char *path, const char *text, size_t len);

/* recipe.c: how images are made. One recipe for each kind of host: provider.image and
 * provider.release of the cluster file. */
struct recipe;
const struct recipe *recipe_find(const char *image, const char *release); /* NULL: there is none */
const char *recipe_name(const struct recipe *recipe); /* the image's, for people and the plan */
void recipe_key(const struct recipe *recipe, char out[IMAGE_KEY_SIZE]);
bool recipe_has_key(const char *key); /* of any recipe as it is now */
/* The first http mirror of APT's one-line or deb822 sources; false when there is none. */
bool recipe_mirror(const char *sources, char *out, size_t size);
/* The argument list of mmdebstrap; strings in a. mirror NULL: mmdebstrap's own default. */
const char *const *recipe_command(const struct recipe *recipe, struct arena *a, const char *target,
                                  const char *mirror);
/* The last lines of a program's output, long ones cut. */
void recipe_put_last_lines(const char *output, int lines, struct str *out);
/* How far dpkg has come, in percent, from the text of its status file. */
int recipe_progress(const struct recipe *recipe, const char *dpkg_status);

/* mount.c */
bool mount_is_root(const char *path); /* something is mounted at it */
/* Takes it away, also while somebody stands in it. No error when nothing is mounted there. */
int mount_remove(const char *path, struct err *err) MUST_USE;

/* volume.c: a db host's file system of its own for PostgreSQL. */
#define VOLUME_PLACE "/var/lib/postgresql" /* in the host */
/* Makes it unless it is there, and mounts it; `like` is the folder in whose place it comes. -1,
 * too, where this machine cannot do it: no loop devices, no mke2fs. */
int volume_make(const char *cluster, const struct host_place *p, const char *like,
                struct err *err) MUST_USE;
int volume_mount(const char *cluster, const struct host_place *p, struct err *err) MUST_USE;
/* With all that is in it. No error when there is none. */
int volume_remove(const char *cluster, const struct host_place *p, struct err *err) MUST_USE;
bool volume_is_attached(const char *cluster, const char *host);
/* Calls visit with the name of every host of the cluster whose volume has a loop device. */
typedef int volume_visit_fn(void *context, const char *host, struct err *err);
int volume_each(const char *cluster, volume_visit_fn *visit, void *context,
                struct err *err) MUST_USE;

/* image.c */
const char *image_path(struct arena *a, const char *key);
bool image_exists(const char *key);
/* True when a killed run left one: processes, a root; false while somebody is making one. */
bool image_is_left_half_made(const struct provider_session *s);
int image_purge(struct provider_session *s, struct err *err) MUST_USE;

/* host.c */
typedef VEC(const char *) host_names;
/* Hosts of the cluster of which anything exists, sorted; strings in a. */
int host_list(const struct provider_session *s, struct arena *a, host_names *out,
              struct err *err) MUST_USE;
int host_power(struct provider_session *s, const char *host, bool on, struct err *err);
int host_cut(struct provider_session *s, const char *host, bool cut, struct err *err);
/* Whether it can start as it is, with no new image. */
bool host_has_disk(const struct provider_session *s, const char *host);
/* The image that a host was made from; "" when that is not known. */
const char *host_image(struct arena *a, const char *host_folder);

/* bridge.c */
bool bridge_is_there(const struct provider_session *s);
/* Removes the file of LOCAL_LOCK when a killed run has left it and nobody holds it. */
void network_drop_lock(void);

#endif
