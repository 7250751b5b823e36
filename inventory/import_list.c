/*
 * import_list.c - one host a line: NAME, ADDRESS, or both in either order; the address may be
 * USER@ADDRESS:PORT. So a line of /etc/hosts is one, too. # begins a comment.
 */
#include <ctype.h>

#include "inventory/import.h"
#include "inventory/internal.h"

#define MAX_WORDS 8
#define BLANKS    " \t\r,"

struct line {
    struct source src;
    char *words[MAX_WORDS];
    size_t n;
};

/* Splits in place. */
static void split(struct line *line, char *text)
{
    for (char *p = text + strspn(text, BLANKS); *p; p += strspn(p, BLANKS)) {
        size_t len = strcspn(p, BLANKS);

        if (line->n < MAX_WORDS)
            line->words[line->n] = p;
        line->n++;
        p += len;
        if (*p)
            *p++ = '\0';
    }
}

/* Behind USER@ and before :PORT. */
static const char *bare(struct arena *a, const char *word)
{
    const char *at = strrchr(word, '@');
    char *address = arena_strdup(a, at ? at + 1 : word);
    char *colon = strrchr(address, ':');

    if (*address == '[' && strchr(address, ']')) {
        *strchr(address, ']') = '\0';
        return address + 1;
    }
    if (colon && strchr(address, ':') == colon)
        *colon = '\0';
    return address;
}

static bool is_login(struct arena *a, const char *word)
{
    return strchr(word, '@') || inventory_is_ip(bare(a, word));
}

static int read_port(const char *word, int64_t *port)
{
    const char *at = strrchr(word, '@'), *rest = at ? at + 1 : word;
    const char *close = strchr(rest, ']'), *colon = close ? close + 1 : strchr(rest, ':');
    char *end;

    *port = 0;
    if (!colon || *colon != ':' || (!close && strchr(colon + 1, ':')))
        return 0; /* an IPv6 address without brackets has no port */
    *port = strtoll(colon + 1, &end, 10);
    return end == colon + 1 || *end || *port < 1 || *port > 65535 ? -1 : 0;
}

static void take_login(struct import *im, struct import_host *host, const struct line *line,
                       const char *word, struct faults *faults)
{
    struct arena *a = &im->inv.arena;
    const char *at = strrchr(word, '@');

    host->login = bare(a, word);
    if (at)
        host->user = arena_strndup(a, word, (size_t)(at - word));
    if (read_port(word, &host->port) < 0)
        fault_add(faults, line->src, "'%.80s': a port is a number from 1 to 65535", word);
    if (inventory_host_name_fault(host->login))
        fault_add(faults, line->src, "'%.80s': %s", word, inventory_host_name_fault(host->login));
    if (at && (at == word || strpbrk(host->user, "\"' @:")))
        fault_add(faults, line->src, "'%.80s' is not USER@ADDRESS", word);
}

static void read_line(struct import *im, struct line *line, struct faults *faults)
{
    struct arena *a = &im->inv.arena;
    struct import_host *host;
    const char *name = NULL, *login = NULL, *fault;

    if (line->n > MAX_WORDS) {
        fault_add(faults, line->src, "more than %d words on a line", MAX_WORDS);
        return;
    }
    for (size_t i = 0; i < line->n; i++) {
        if (!login && is_login(a, line->words[i]))
            login = line->words[i];
        else if (!name)
            name = line->words[i];
    }
    if (!login && name && strchr(name, ':')) { /* NAME:PORT */
        login = name;
        name = bare(a, login);
    } else if (!login && line->n == 2) { /* NAME ADDRESS, where the address is a name, too */
        login = line->words[1];
    } else if (login && !name && !inventory_is_ip(bare(a, login))) {
        name = bare(a, login);
    }
    fault = name ? inventory_host_name_fault(name) : NULL;
    if (fault)
        fault_add(faults, line->src, "host '%.80s': %s", name, fault);
    host = import_add_host(im, name);
    if (login)
        take_login(im, host, line, login, faults);
    if (name && login && str_eq(host->login, name))
        host->login = NULL;
}

static bool is_loopback(const struct line *line)
{
    static const char *const local[] = {"127.", "::1", "fe00::", "ff02::", "localhost"};

    for (size_t i = 0; i < ARRAY_LEN(local); i++) {
        if (str_starts(line->words[0], local[i]))
            return true;
    }
    return false;
}

static void read_text(struct import *im, const char *file, const char *text, size_t len,
                      struct faults *faults)
{
    const char *end = text + len, *stop;
    int number = 0;

    for (; text < end; text = stop + 1) {
        const char *from = text + strspn(text, BLANKS);
        struct line line = {.src = {file, ++number, (int)(from - text) + 1}};
        char *copy;

        stop = text + strcspn(text, "\n");
        copy = xstrndup(text, (size_t)(stop - text));
        copy[strcspn(copy, "#")] = '\0';
        split(&line, copy);
        if (line.n > 0 && !is_loopback(&line))
            read_line(im, &line, faults);
        free(copy);
        if (im->hosts.n > IMPORT_MAX_HOSTS)
            return;
    }
}

/* Lines of few words, none of which is a section, an assignment or a key. */
static bool looks(const char *text, size_t len)
{
    const char *end = text + len;

    for (; text < end; text += strcspn(text, "\n") + 1) {
        const char *p = text + strspn(text, BLANKS);
        size_t n = strcspn(p, "#\n");

        if (*p == ';' || (*p == '[' && !memmem(p, n, "]:", 2)) || *p == '-' || *p == '{' ||
            memchr(p, '=', n))
            return false;
        while (n > 0 && isspace((unsigned char)p[n - 1]))
            n--;
        if (n > 0 && (p[n - 1] == ':' || memmem(p, n, ": ", 2)))
            return false;
    }
    return true;
}

const struct import_format import_list = {"list", looks, read_text};
