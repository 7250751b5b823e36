/*
 * hostname.c - host names as inventories write them: ports and ranges (Ansible's
 * parsing/utils/addresses.py and plugins/inventory/__init__.py), and which names are refused.
 */
#include <arpa/inet.h>
#include <ctype.h>

#include "inventory/internal.h"

#define MAX_PATTERN 1024

/* ---- names ---- */

/* No shell, YAML, INI or pattern characters: every name can be written in every format. */
static const char *name_fault(const char *name)
{
    if (!*name)
        return "the name is empty";
    if (strlen(name) > INVENTORY_MAX_NAME)
        return "the name is longer than 255 bytes";
    for (const char *p = name; *p; p++) {
        if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("\"'\\[]{}()<>*?!&|,;#=$`", *p))
            return "a name has no spaces and none of \"'\\[]{}()<>*?!&|,;#=$`";
    }
    return NULL;
}

bool inventory_is_ip(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

const char *inventory_host_name_fault(const char *name)
{
    if (*name == '-' || *name == '~')
        return "a host's name does not begin with '-' or '~'";
    if (strchr(name, ':') && !inventory_is_ip(name))
        return "a ':' is only for a port behind a valid name, or in an IPv6 address";
    return name_fault(name);
}

const char *inventory_group_name_fault(const char *name)
{
    return strchr(name, ':') ? "a group's name has no ':'" : name_fault(name);
}

/* ---- addresses ---- */

static size_t digits(const char *p)
{
    return strspn(p, "0123456789");
}

/* Length of [a:c], [1:3] or [1:9:2] at p; 0: not a range. hex: of IPv6 components. */
static size_t range_length(const char *p, bool hex)
{
    const char *start = p++;
    size_t first, second;

    if (*start != '[')
        return 0;
    if (!hex && isalpha((unsigned char)p[0]) && p[1] == ':' && isalpha((unsigned char)p[2])) {
        p += 3;
    } else {
        first = hex ? strspn(p, "0123456789abcdefABCDEF") : digits(p);
        if (first == 0 || p[first] != ':')
            return 0;
        p += first + 1;
        second = hex ? strspn(p, "0123456789abcdefABCDEF") : digits(p);
        if (second == 0)
            return 0;
        p += second;
    }
    if (*p == ':') {
        if (digits(p + 1) == 0)
            return 0;
        p += 1 + digits(p + 1);
    }
    return *p == ']' ? (size_t)(p + 1 - start) : 0;
}

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Labels of letters, digits, ranges and, inside, - and _. IPv4 addresses are such names, too. */
static bool is_hostname(const char *p)
{
    for (;;) {
        const char *start = p;

        while (*p && *p != '.') {
            size_t range = range_length(p, false);

            if (!range && !is_word_char(*p) && (*p != '-' || p == start))
                return false;
            p += range ? range : 1;
        }
        if (p == start || p[-1] == '-' || p[-1] == '_')
            return false;
        if (!*p)
            return true;
        p++;
    }
}

/* A range stands for any one component, so a digit in its place decides. */
static bool is_ipv6(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    char plain[INET6_ADDRSTRLEN];
    size_t n = 0;

    for (const char *p = text; *p;) {
        size_t range = range_length(p, true);

        if (n + 1 == sizeof(plain))
            return false;
        plain[n++] = range ? '1' : *p;
        p += range ? range : 1;
    }
    plain[n] = '\0';
    return inet_pton(AF_INET6, plain, address) == 1;
}

/* The ':' before a port: the only one outside brackets, digits behind it. */
static const char *port_colon(const char *text)
{
    const char *colon = NULL;
    bool inside = false;

    for (const char *p = text; *p; p++) {
        if (*p == '[')
            inside = true;
        else if (*p == ']')
            inside = false;
        else if (*p == ':' && !inside && colon)
            return NULL;
        else if (*p == ':' && !inside)
            colon = p;
    }
    return colon && digits(colon + 1) > 0 && !colon[1 + digits(colon + 1)] ? colon : NULL;
}

/* Splits NAME:PORT and [ADDRESS]:PORT into address (of strlen(text) + 1 bytes) and port, as Ansible
 * does: only where the rest is a valid address. Otherwise all of it is the address. */
static bool split_port(const char *text, char *address, int64_t *port)
{
    const char *colon = port_colon(text);
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    bool bracketed = colon && text[0] == '[' && len > 2 && text[len - 1] == ']' &&
                     range_length(text, false) == 0;

    memcpy(address, text + (bracketed ? 1 : 0), len - (bracketed ? 2 : 0));
    address[len - (bracketed ? 2 : 0)] = '\0';
    *port = colon ? strtoll(colon + 1, NULL, 10) : 0;
    if (is_hostname(address) || is_ipv6(address))
        return true;
    memcpy(address, text, strlen(text) + 1);
    *port = 0;
    return false;
}

bool inventory_is_address(const char *text)
{
    char *address = xmalloc(strlen(text) + 1);
    int64_t port;
    bool is = split_port(text, address, &port);

    free(address);
    return is;
}

/* ---- ranges ---- */

struct range {
    long begin, end, step;
    int width;   /* zero-filled to; 0: not */
    bool letter; /* begin and end are places in `letters` */
};

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static bool is_number(const char *text)
{
    return digits(text) > 0 && !text[digits(text)] && digits(text) <= 9;
}

static const char *bounds_fault(struct range *range, const char *begin, const char *end)
{
    if (!*end)
        return "a host range must have an end: [1:3]";
    if (begin[0] == '0' && begin[1] && strlen(begin) != strlen(end))
        return "begin and end of a zero-filled host range must be of equal length: [01:10]";
    if (isalpha((unsigned char)begin[0]) && !begin[1] && isalpha((unsigned char)end[0]) &&
        !end[1]) {
        range->letter = true;
        range->begin = strchr(letters, begin[0]) - letters;
        range->end = strchr(letters, end[0]) - letters;
    } else if (is_number(begin) && is_number(end)) {
        range->begin = strtol(begin, NULL, 10);
        range->end = strtol(end, NULL, 10);
        range->width = begin[0] == '0' && begin[1] ? (int)strlen(begin) : 0;
    } else {
        return "a host range is of numbers or of single letters: [1:3], [a:c]";
    }
    return range->begin > range->end ? "a host range must not end before it begins" : NULL;
}

/* text: what stands between the brackets; changed. */
static const char *parse_range(struct range *range, char *text)
{
    char *end = strchr(text, ':');
    char *step = end ? strchr(end + 1, ':') : NULL;

    *range = (struct range){.step = 1};
    if (!end || (step && strchr(step + 1, ':')))
        return "a host range is [BEGIN:END] or [BEGIN:END:STEP]";
    *end++ = '\0';
    if (step) {
        *step++ = '\0';
        if (!is_number(step) || strtol(step, NULL, 10) == 0)
            return "the step of a host range must be a positive number";
        range->step = strtol(step, NULL, 10);
    }
    return bounds_fault(range, *text ? text : "0", end);
}

static const char *add_name(struct inventory *inv, const char *name, struct host_names *names)
{
    const char *fault = inventory_host_name_fault(name);

    if (fault)
        return fault;
    if (++inv->names_read > INVENTORY_MAX_HOSTS)
        return "more than 50000 host names in one inventory";
    vec_push(names, arena_strdup(&inv->arena, name));
    return NULL;
}

/* Expands the first range and, for each name this gives, the rest. Returns what is wrong, or NULL.
 */
static const char *expand(struct inventory *inv, const char *pattern, struct host_names *names)
{
    const char *open = strchr(pattern, '['), *close = strchr(pattern, ']'), *fault;
    struct range range;
    char *text;

    if (!open && !close)
        return add_name(inv, pattern, names);
    if (!open || !close || close < open)
        return "the brackets of a host range do not match";
    text = xstrndup(open + 1, (size_t)(close - open - 1));
    fault = parse_range(&range, text);
    free(text);
    for (long at = range.begin; !fault && at <= range.end; at += range.step) {
        int head = (int)(open - pattern);
        char *name = range.letter
                         ? xasprintf("%.*s%c%s", head, pattern, letters[at], close + 1)
                         : xasprintf("%.*s%0*ld%s", head, pattern, range.width, at, close + 1);

        fault = expand(inv, name, names);
        free(name);
    }
    return fault;
}

int inventory_expand_hosts(struct inventory *inv, const char *pattern, struct source src,
                           struct faults *faults, struct host_names *names)
{
    const char *fault = "a host name with ranges is longer than 1024 bytes";

    *names = (struct host_names){.items = NULL};
    if (strlen(pattern) <= MAX_PATTERN) {
        char address[MAX_PATTERN + 1];

        split_port(pattern, address, &names->port);
        fault = expand(inv, address, names);
    }
    if (!fault && names->port > 65535)
        fault = "a port is at most 65535";
    if (!fault)
        return 0;
    fault_add(faults, src, "host '%.80s': %s", pattern, fault);
    return -1;
}
