/*
 * link.c - network interfaces of this machine: looking costs no process, changing goes through
 * ip(8) in batches.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/proc.h"
#include "providers/local/local.h"

#define IP_TIMEOUT_MS  30000
#define ALIAS_MAX_SIZE ((size_t)512) /* Linux takes 256 */
#define SYS_PATH_SIZE  64

bool link_exists(const char *link)
{
    return if_nametoindex(link) != 0;
}

/* The interface's flags, by ioctl(2), see netdevice(7); set: changes IFF_UP to `up` first. */
static int link_flags(const char *link, bool set, bool up, short *flags)
{
    struct ifreq request = {.ifr_flags = 0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int rc;

    if (fd < 0)
        return -1;
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", link);
    rc = ioctl(fd, SIOCGIFFLAGS, &request);
    if (rc == 0 && set) {
        request.ifr_flags = (short)(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
        rc = ioctl(fd, SIOCSIFFLAGS, &request);
    }
    *flags = request.ifr_flags;
    close(fd);
    return rc;
}

bool link_is_up(const char *link)
{
    short flags;

    return link_flags(link, false, false, &flags) == 0 && (flags & IFF_UP);
}

int link_set_up(const char *link, bool up, struct err *err)
{
    short flags;

    if (link_flags(link, true, up, &flags) != 0)
        return err_set_errno(err, "setting link %s %s", link, up ? "up" : "down");
    return 0;
}

bool link_is_in_bridge(const char *link, const char *bridge)
{
    char path[SYS_PATH_SIZE], target[LOCAL_PATH_SIZE];
    ssize_t len;

    snprintf(path, sizeof(path), "/sys/class/net/%s/master", link);
    len = readlink(path, target, sizeof(target) - 1);
    if (len < 0)
        return false;
    target[len] = '\0';
    return str_eq(path_base(target), bridge);
}

void link_alias(const char *link, char *out, size_t size)
{
    struct err ignored = ERR_INIT;
    char path[SYS_PATH_SIZE];
    struct str text;

    snprintf(path, sizeof(path), "/sys/class/net/%s/ifalias", link);
    str_init(&text, ALIAS_MAX_SIZE);
    if (file_read(path, &text, &ignored) < 0)
        err_release(&ignored); /* it went away: no alias either */
    str_trim_end(&text);
    snprintf(out, size, "%s", text.buf);
    str_release(&text);
}

/* "a.b.c.d/n" of an entry when it is an IPv4 address of link. */
static bool address_of(const struct ifaddrs *i, const char *link, char *out, size_t size)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr address, mask;

    if (!str_eq(i->ifa_name, link) || !i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
        !i->ifa_netmask)
        return false;
    address = ((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr;
    mask = ((struct sockaddr_in *)(void *)i->ifa_netmask)->sin_addr;
    inet_ntop(AF_INET, &address, text, sizeof(text));
    snprintf(out, size, "%s/%d", text, __builtin_popcount(mask.s_addr));
    return true;
}

bool link_has_address(const char *link, const char *cidr)
{
    struct ifaddrs *all;
    bool found = false;
    char text[32];

    if (getifaddrs(&all) != 0)
        return false;
    for (struct ifaddrs *i = all; i && !found; i = i->ifa_next)
        found = address_of(i, link, text, sizeof(text)) && str_eq(text, cidr);
    freeifaddrs(all);
    return found;
}

void link_put_address_removal(const char *link, const char *except, struct str *commands)
{
    struct ifaddrs *all;
    char text[32];

    if (getifaddrs(&all) != 0)
        return;
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (address_of(i, link, text, sizeof(text)) && !str_eq(text, except))
            str_printf(commands, "address delete %s dev %s\n", text, link);
    }
    freeifaddrs(all);
}

int ip_batch(const char *netns, const struct str *commands, struct err *err)
{
    const char *here[] = {"ip", "-batch", "-", NULL};
    const char *there[] = {"ip", "-netns", netns, "-batch", "-", NULL};
    struct proc p = {.argv = netns ? there : here,
                     .input = commands->buf,
                     .input_len = commands->len,
                     .timeout_ms = IP_TIMEOUT_MS};

    return commands->len ? proc_run(&p, err) : 0;
}
