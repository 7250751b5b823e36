/*
 * recipe.c - how the image is made: packages, and hooks of mmdebstrap (its manual, "HOOKS": "$1" is
 * the root). The key is a hash of all of it, so that any change here makes a new image.
 */
#include "lib/base/hash.h"
#include "providers/local/local.h"

#define PACKAGES_IN_IMAGE                                                                          \
    227 /* what the list comes to with dependencies, for the progress only                         \
         */

#define LINE_SHOWN 200 /* bytes of a line of output */

static const char *const packages[] = {
    /* a host that boots and can be managed, by Ansible too */
    "systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "python3", "python3-apt",
    "ca-certificates", "tzdata", "procps", "psmisc", "kmod", "curl", "openssl", "socat",
    /* network */
    "iproute2", "iputils-ping", "nftables",
    /* database; Patroni's etcd3 needs what its package does not pull in */
    "postgresql-17", "patroni", "python3-etcd", "python3-dnspython", "python3-psycopg2",
    "pgbouncer",
    /* consensus and balancers */
    "etcd-server", "etcd-client", "haproxy", "keepalived"};

/* Run before the packages of the list are there. */
static const char *const early_hooks[] = {
    "mkdir -p \"$1/etc/postgresql-common\" && "
    "echo 'create_main_cluster = false' >\"$1/etc/postgresql-common/createcluster.conf\""};

static const char *const late_hooks[] = {
    /* What runs is the playbooks' decision. */
    "chroot \"$1\" systemctl disable --quiet etcd.service haproxy.service keepalived.service "
    "patroni.service pgbouncer.service postgresql.service",
    /* No terminals, no timers of a machine that is kept, no host keys but the planted one. */
    "chroot \"$1\" systemctl mask --quiet getty.target console-getty.service getty@tty1.service "
    "systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer "
    "dpkg-db-backup.timer fstrim.timer e2scrub_all.timer systemd-pstore.service "
    "sshd-keygen.service sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount && "
    "chroot \"$1\" systemctl set-default --quiet multi-user.target",
    "mkdir -p \"$1/etc/ssh/sshd_config.d\" && printf '%s\\n' "
    "'HostKey /etc/ssh/ssh_host_ed25519_key' "
    "'AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u' "
    "'PasswordAuthentication no' 'KbdInteractiveAuthentication no' "
    "'PermitRootLogin prohibit-password' 'UseDNS no' 'MaxStartups 100' 'MaxSessions 100' "
    "'PerSourcePenalties no' 'PrintMotd no' "
    ">\"$1/etc/ssh/sshd_config.d/pgha-deploy.conf\"",
    "mkdir -p \"$1/etc/systemd/journald.conf.d\" && printf '%s\\n' '[Journal]' "
    "'Storage=persistent' 'SystemMaxUse=32M' 'RateLimitIntervalSec=0' "
    ">\"$1/etc/systemd/journald.conf.d/pgha-deploy.conf\"",
    "rm -f \"$1\"/etc/ssh/ssh_host_* \"$1/etc/hostname\" \"$1/var/lib/dbus/machine-id\" && "
    ": >\"$1/etc/machine-id\" && rm -f \"$1/etc/resolv.conf\" && : >\"$1/etc/resolv.conf\" && "
    "find \"$1/var/log\" -type f -exec truncate -s 0 {} +",
    /* Last: says that /etc and /var are up to date with /usr, which saves the first boot that work
     * (systemd-update-done.service). */
    "touch \"$1/etc/.updated\" \"$1/var/.updated\""};

static const char *const options[] = {
    "--variant=minbase", "--mode=root", "--format=directory",
    /* A half-made image is thrown away, so nothing is gained by waiting for the disk. */
    "--dpkgopt=force-unsafe-io", "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*"};

static void put_list(struct str *out, const char *const *items, size_t n, const char *separator)
{
    for (size_t i = 0; i < n; i++)
        str_printf(out, "%s%s", i ? separator : "", items[i]);
}

void recipe_key(char out[IMAGE_KEY_SIZE])
{
    char hex[SHA256_HEX_SIZE];
    struct str all;

    str_init(&all, STR_MAX_TEXT);
    str_puts(&all, LOCAL_IMAGE_NAME "\n");
    put_list(&all, packages, ARRAY_LEN(packages), "\n");
    put_list(&all, early_hooks, ARRAY_LEN(early_hooks), "\n");
    put_list(&all, late_hooks, ARRAY_LEN(late_hooks), "\n");
    put_list(&all, options, ARRAY_LEN(options), "\n");
    sha256_hex(all.buf, all.len, hex);
    snprintf(out, IMAGE_KEY_SIZE, "%.16s", hex);
    str_release(&all);
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

const char *const *recipe_command(struct arena *a, const char *target, const char *mirror)
{
    size_t max = 8 + ARRAY_LEN(options) + ARRAY_LEN(early_hooks) + ARRAY_LEN(late_hooks), n = 0;
    const char **argv = arena_alloc(a, max * sizeof(*argv));
    struct str list;

    str_init(&list, STR_MAX_TEXT);
    put_list(&list, packages, ARRAY_LEN(packages), ",");
    /* What it mounts in the new root goes with its processes, however they end. */
    argv[n++] = "unshare";
    argv[n++] = "--mount";
    argv[n++] = "mmdebstrap";
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        argv[n++] = options[i];
    for (size_t i = 0; i < ARRAY_LEN(early_hooks); i++)
        argv[n++] = arena_printf(a, "--essential-hook=%s", early_hooks[i]);
    for (size_t i = 0; i < ARRAY_LEN(late_hooks); i++)
        argv[n++] = arena_printf(a, "--customize-hook=%s", late_hooks[i]);
    argv[n++] = arena_printf(a, "--include=%s", list.buf);
    argv[n++] = LOCAL_IMAGE_NAME;
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

int recipe_progress(const char *dpkg_status)
{
    int unpacked = 0, installed = 0, percent;

    for (const char *at = dpkg_status; (at = strstr(at, "\nStatus: install ok ")); at++) {
        unpacked++;
        installed += str_starts(at, "\nStatus: install ok installed");
    }
    percent = (unpacked + installed) * 100 / (2 * PACKAGES_IN_IMAGE);
    return percent < 99 ? percent : 99;
}
