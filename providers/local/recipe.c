/*
 * recipe.c - how images are made: packages, and hooks of mmdebstrap (its manual, "HOOKS": "$1" is
 * the root). An image's key is a hash of all of it, so that any change here makes a new one.
 */
#include "lib/base/hash.h"
#include "providers/local/local.h"

#define LINE_SHOWN 200 /* bytes of a line of output */

static const char *const full_packages[] = {
    /* a host that boots and can be managed, by Ansible too */
    "systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "python3", "python3-apt",
    "ca-certificates", "tzdata", "procps", "psmisc", "kmod", "curl", "openssl", "socat",
    /* network */
    "iproute2", "iputils-ping", "nftables",
    /* database; Patroni's etcd3 needs what its package does not pull in */
    "postgresql-17", "patroni", "python3-etcd", "python3-dnspython", "python3-psycopg2",
    "pgbouncer",
    /* consensus and balancers */
    "etcd-server", "etcd-client", "haproxy", "keepalived", NULL};

static const char *const bare_packages[] = {
    /* what a server of somebody's own has before anything is deployed to it */
    "systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "python3", "python3-apt",
    "ca-certificates", "tzdata", "procps", "kmod",
    /* network, and packages from it */
    "iproute2", "iputils-ping", "debian-archive-keyring", NULL};

enum { FULL = 1, BARE = 2, BARE_BOOKWORM = 4, ALL = FULL | BARE | BARE_BOOKWORM };

struct recipe {
    unsigned row; /* which hooks are its */
    const char *image, *release, *name;
    const char *const *packages;
    int installed; /* what the list comes to with dependencies, for the progress only */
};

static const struct recipe recipes[] = {
    {FULL, "full", "trixie", "trixie", full_packages, 227},
    {BARE, "bare", "trixie", "trixie-bare", bare_packages, 143},
    {BARE_BOOKWORM, "bare", "bookworm", "bookworm-bare", bare_packages, 163},
};

struct hook {
    unsigned rows;
    const char *text;
};

/* Run before the packages of the list are there. */
static const struct hook early_hooks[] = {
    {FULL, "mkdir -p \"$1/etc/postgresql-common\" && "
           "echo 'create_main_cluster = false' >\"$1/etc/postgresql-common/createcluster.conf\""}};

#define SSHD_BEGIN                                                                                 \
    "mkdir -p \"$1/etc/ssh/sshd_config.d\" && printf '%s\\n' "                                     \
    "'HostKey /etc/ssh/ssh_host_ed25519_key' "                                                     \
    "'AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u' "                     \
    "'PasswordAuthentication no' 'KbdInteractiveAuthentication no' "                               \
    "'PermitRootLogin prohibit-password' 'UseDNS no' 'MaxStartups 100' 'MaxSessions 100' "
#define SSHD_END "'PrintMotd no' >\"$1/etc/ssh/sshd_config.d/pgha-deploy.conf\""

static const struct hook late_hooks[] = {
    /* What runs is the playbooks' decision. */
    {FULL,
     "chroot \"$1\" systemctl disable --quiet etcd.service haproxy.service keepalived.service "
     "patroni.service pgbouncer.service postgresql.service"},
    /* No terminals, no timers of a machine that is kept, no host keys but the planted one. */
    {ALL,
     "chroot \"$1\" systemctl mask --quiet getty.target console-getty.service getty@tty1.service "
     "systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer "
     "dpkg-db-backup.timer fstrim.timer e2scrub_all.timer systemd-pstore.service "
     "sshd-keygen.service sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount && "
     "chroot \"$1\" systemctl set-default --quiet multi-user.target"},
    {FULL | BARE, SSHD_BEGIN "'PerSourcePenalties no' " SSHD_END},
    {BARE_BOOKWORM, SSHD_BEGIN SSHD_END},
    {ALL, "mkdir -p \"$1/etc/systemd/journald.conf.d\" && printf '%s\\n' '[Journal]' "
          "'Storage=persistent' 'SystemMaxUse=32M' 'RateLimitIntervalSec=0' "
          ">\"$1/etc/systemd/journald.conf.d/pgha-deploy.conf\""},
    /* mmdebstrap leaves one suite of the mirror it was given. A mirror that calls its archive
     * "debian" has the security suite beside it. */
    {BARE | BARE_BOOKWORM,
     "list=\"$1/etc/apt/sources.list\"; "
     "mirror=$(grep -om1 '[a-z]*://[^ ]*' \"$list\") && mirror=${mirror%/} && . "
     "\"$1/etc/os-release\" && "
     "suite() { printf '%s\\n' 'Types: deb' \"URIs: $1\" \"Suites: $2\" 'Components: main' "
     "'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg' ''; } && "
     "{ suite \"$mirror\" \"$VERSION_CODENAME $VERSION_CODENAME-updates\"; case $mirror in "
     "*/debian) suite \"$mirror-security\" \"$VERSION_CODENAME-security\" ;; esac; } "
     ">\"$1/etc/apt/sources.list.d/debian.sources\" && rm -f \"$list\""},
    {ALL,
     "rm -f \"$1\"/etc/ssh/ssh_host_* \"$1/etc/hostname\" \"$1/var/lib/dbus/machine-id\" && "
     ": >\"$1/etc/machine-id\" && rm -f \"$1/etc/resolv.conf\" && : >\"$1/etc/resolv.conf\" && "
     "find \"$1/var/log\" -type f -exec truncate -s 0 {} +"},
    /* Last: says that /etc and /var are up to date with /usr, which saves the first boot that work
     * (systemd-update-done.service). */
    {ALL, "touch \"$1/etc/.updated\" \"$1/var/.updated\""}};

static const char *const options[] = {
    "--variant=minbase", "--mode=root", "--format=directory",
    /* A half-made image is thrown away, so nothing is gained by waiting for the disk. */
    "--dpkgopt=force-unsafe-io", "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*"};

const struct recipe *recipe_find(const char *image, const char *release)
{
    for (size_t i = 0; i < ARRAY_LEN(recipes); i++) {
        if (str_eq(recipes[i].image, image) && str_eq(recipes[i].release, release))
            return &recipes[i];
    }
    return NULL;
}

const char *recipe_name(const struct recipe *recipe)
{
    return recipe->name;
}

static void put_packages(const struct recipe *recipe, const char *separator, struct str *out)
{
    for (size_t i = 0; recipe->packages[i]; i++)
        str_printf(out, "%s%s", i ? separator : "", recipe->packages[i]);
}

/* The texts of a list that go into a key: joined by ends of line, none after the last. */
static void put_hooks(const struct recipe *recipe, const struct hook *hooks, size_t n,
                      struct str *out)
{
    const char *separator = "";

    for (size_t i = 0; i < n; i++) {
        if (!(hooks[i].rows & recipe->row))
            continue;
        str_printf(out, "%s%s", separator, hooks[i].text);
        separator = "\n";
    }
}

void recipe_key(const struct recipe *recipe, char out[IMAGE_KEY_SIZE])
{
    char hex[SHA256_HEX_SIZE];
    struct str all;

    str_init(&all, STR_MAX_TEXT);
    str_printf(&all, "%s\n", recipe->release);
    put_packages(recipe, "\n", &all);
    put_hooks(recipe, early_hooks, ARRAY_LEN(early_hooks), &all);
    put_hooks(recipe, late_hooks, ARRAY_LEN(late_hooks), &all);
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        str_printf(&all, "%s%s", i ? "\n" : "", options[i]);
    sha256_hex(all.buf, all.len, hex);
    snprintf(out, IMAGE_KEY_SIZE, "%.16s", hex);
    str_release(&all);
}

bool recipe_has_key(const char *key)
{
    char current[IMAGE_KEY_SIZE];

    for (size_t i = 0; i < ARRAY_LEN(recipes); i++) {
        recipe_key(&recipes[i], current);
        if (str_eq(current, key))
            return true;
    }
    return false;
}

/* The http address that begins at or after text, in the same line; "" when there is none. */
static size_t find_address(const char *text, size_t line_len, const char **address)
{
    for (size_t i = 0; i + 7 < line_len; i++) {
        if (strncmp(text + i, "http://", 7) == 0 || strncmp(text + i, "https://", 8) == 0) {
            *address = text + i;
            return strcspn(text + i, " \t\r\n");
        }
    }
    return 0;
}

bool recipe_mirror(const char *sources, char *out, size_t size)
{
    for (const char *line = sources; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *address;
        size_t len;

        if (!str_starts(line, "URIs:") && !str_starts(line, "deb "))
            continue;
        len = find_address(line, strcspn(line, "\n"), &address);
        if (len == 0 || len >= size)
            continue;
        memcpy(out, address, len);
        out[len] = '\0';
        if (!strstr(out, "security"))
            return true;
    }
    return false;
}

/* Appends "--OPTION=TEXT" for each of the recipe's hooks; returns where the list ends now. */
static size_t add_hooks(const struct recipe *recipe, const struct hook *hooks, size_t count,
                        const char *option, struct arena *a, const char **argv, size_t n)
{
    for (size_t i = 0; i < count; i++) {
        if (hooks[i].rows & recipe->row)
            argv[n++] = arena_printf(a, "--%s=%s", option, hooks[i].text);
    }
    return n;
}

const char *const *recipe_command(const struct recipe *recipe, struct arena *a, const char *target,
                                  const char *mirror)
{
    size_t max = 8 + ARRAY_LEN(options) + ARRAY_LEN(early_hooks) + ARRAY_LEN(late_hooks), n = 0;
    const char **argv = arena_alloc(a, max * sizeof(*argv));
    struct str list;

    str_init(&list, STR_MAX_TEXT);
    put_packages(recipe, ",", &list);
    /* What it mounts in the new root goes with its processes, however they end. */
    argv[n++] = "unshare";
    argv[n++] = "--mount";
    argv[n++] = "mmdebstrap";
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        argv[n++] = options[i];
    n = add_hooks(recipe, early_hooks, ARRAY_LEN(early_hooks), "essential-hook", a, argv, n);
    n = add_hooks(recipe, late_hooks, ARRAY_LEN(late_hooks), "customize-hook", a, argv, n);
    argv[n++] = arena_printf(a, "--include=%s", list.buf);
    argv[n++] = recipe->release;
    argv[n++] = target;
    argv[n++] = mirror;
    argv[n] = NULL;
    str_release(&list);
    return argv;
}

void recipe_put_last_lines(const char *output, int lines, struct str *out)
{
    const char *at = output + strlen(output);

    while (at > output && at[-1] == '\n')
        at--;
    while (at > output && (at[-1] != '\n' || --lines > 0))
        at--;
    while (*at) {
        size_t len = strcspn(at, "\n");

        str_printf(out, "%s%.*s", out->len ? "\n" : "", (int)(len < LINE_SHOWN ? len : LINE_SHOWN),
                   at);
        at += len;
        at += strspn(at, "\n");
    }
}

int recipe_progress(const struct recipe *recipe, const char *dpkg_status)
{
    int unpacked = 0, installed = 0, percent;

    for (const char *at = dpkg_status; (at = strstr(at, "\nStatus: install ok ")); at++) {
        unpacked++;
        installed += str_starts(at, "\nStatus: install ok installed");
    }
    percent = (unpacked + installed) * 100 / (2 * recipe->installed);
    return percent < 99 ? percent : 99;
}
