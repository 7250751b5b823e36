/*
 * import_ssh_config.c - hosts out of an ssh_config(5): every name in a Host line that is no
 * pattern. As there, the first value that fits a host wins, so patterns give defaults.
 *
 * ProxyJump is worked out to addresses, since whoever runs the cluster later may not have this
 * file.
 */
#include <ctype.h>
#include <fnmatch.h>
#include <strings.h>

#include "inventory/import.h"
#include "inventory/internal.h"

#define MAX_JUMPS 8

enum option { HOST_NAME, USER, PORT, IDENTITY_FILE, PROXY_JUMP, OPTIONS };
static const char *const option_names[OPTIONS] = {"HostName", "User", "Port", "IdentityFile",
                                                  "ProxyJump"};

struct block {
    VEC(const char *) patterns;
    const char *values[OPTIONS]; /* the first of each */
};

struct reader {
    struct import *im;
    struct faults *faults;
    struct source src;
    VEC(struct block) blocks;  /* the first is for all hosts: what stands before any Host line */
    VEC(struct source) places; /* of the Host line of each block */
};

static const char *const keywords[] = {"Host",         "Match",          "Include",
                                       "HostName",     "User",           "Port",
                                       "IdentityFile", "ProxyJump",      "ServerAliveInterval",
                                       "ForwardAgent", "ProxyCommand",   "StrictHostKeyChecking",
                                       "Compression",  "AddKeysToAgent", "UserKnownHostsFile",
                                       "ControlMaster"};

static size_t keyword_length(const char *line)
{
    size_t n = 0;

    while (isalnum((unsigned char)line[n]))
        n++;
    return n;
}

static bool is_keyword(const char *line, const char *keyword)
{
    size_t n = keyword_length(line);

    return n == strlen(keyword) && strncasecmp(line, keyword, n) == 0;
}

static bool looks(const char *text, size_t len)
{
    const char *line;

    import_first_line(text, len, &line);
    for (size_t i = 0; line && i < ARRAY_LEN(keywords); i++) {
        size_t n = keyword_length(line);

        if (is_keyword(line, keywords[i]) && line[n] && strchr(" \t=", line[n]))
            return true;
    }
    return false;
}

/* ---- lines ---- */

/* The next argument: in "" or up to a blank; a comment ends the line. In the inventory's arena. */
static const char *next_word(struct reader *r, const char **at)
{
    const char *p = *at + strspn(*at, " \t\r"), *start = p;
    size_t len;

    if (!*p || *p == '#')
        return NULL;
    if (*p == '"') {
        start = ++p;
        len = strcspn(p, "\"");
        if (!p[len])
            fault_add(r->faults, r->src, "a quote is not closed");
        *at = p + len + (p[len] == '"');
    } else {
        len = strcspn(p, " \t\r");
        *at = p + len;
    }
    return arena_strndup(&r->im->inv.arena, start, len);
}

static void begin_block(struct reader *r, const char *at)
{
    struct block block = {.patterns = VEC_INIT};
    const char *word;

    while ((word = next_word(r, &at)))
        vec_push(&block.patterns, word);
    if (block.patterns.n == 0)
        fault_add(r->faults, r->src, "Host needs a name");
    vec_push(&r->blocks, block);
    vec_push(&r->places, r->src);
}

static void set_option(struct reader *r, enum option option, const char *at)
{
    struct block *block = &r->blocks.items[r->blocks.n - 1];
    const char *word = next_word(r, &at);

    if (!word)
        fault_add(r->faults, r->src, "%s has no value", option_names[option]);
    else if (!block->values[option])
        block->values[option] = word;
}

static void read_line(struct reader *r, const char *line)
{
    size_t n = keyword_length(line);
    const char *at = line + n + strspn(line + n, " \t");

    at += *at == '=';
    if (n == 0) {
        fault_add(r->faults, r->src, "expected a keyword and its value");
    } else if (is_keyword(line, "Host")) {
        begin_block(r, at);
    } else if (is_keyword(line, "Match") || is_keyword(line, "Include")) {
        fault_add(r->faults, r->src, "%.*s is not followed", (int)n, line);
        fault_hint(r->faults, is_keyword(line, "Include")
                                  ? "import the included file itself, or put it in here"
                                  : "write Host blocks, or a plain list of the hosts");
    }
    for (size_t i = 0; i < OPTIONS; i++) {
        if (is_keyword(line, option_names[i]))
            set_option(r, (enum option)i, at);
    }
}

static void read_lines(struct reader *r, const char *text)
{
    for (; *text; text += *text == '\n') {
        size_t len = strcspn(text, "\n");
        const char *from = text + strspn(text, " \t\r");
        char *line;

        r->src.line++;
        r->src.col = (int)(from - text) + 1;
        line = xstrndup(from, from < text + len ? (size_t)(text + len - from) : 0);
        if (*line && *line != '#')
            read_line(r, line);
        free(line);
        text += len;
    }
}

/* ---- hosts ---- */

static bool fits(const struct block *block, const char *name)
{
    bool matched = block->patterns.n == 0;

    for (size_t i = 0; i < block->patterns.n; i++) {
        const char *pattern = block->patterns.items[i];

        if (*pattern == '!' && fnmatch(pattern + 1, name, 0) == 0)
            return false;
        matched |= *pattern != '!' && fnmatch(pattern, name, 0) == 0;
    }
    return matched;
}

static const char *value_of(const struct reader *r, const char *name, enum option option)
{
    for (size_t i = 0; i < r->blocks.n; i++) {
        const struct block *block = &r->blocks.items[i];

        if (block->values[option] && fits(block, name))
            return block->values[option];
    }
    return NULL;
}

/* %h is the name as given; %% a percent. Other tokens need ssh itself. */
static const char *expand(struct reader *r, const char *text, const char *name)
{
    struct str out;
    const char *copy = NULL;

    str_init(&out, INVENTORY_MAX_BYTES);
    for (; *text; text++) {
        if (*text != '%') {
            str_putc(&out, *text);
        } else if (*++text == 'h') {
            str_puts(&out, name);
        } else if (*text == '%') {
            str_putc(&out, '%');
        } else {
            fault_add(r->faults, r->src, "host '%.80s': the token %%%c is not worked out here",
                      name, *text ? *text : ' ');
            goto out;
        }
    }
    copy = arena_strdup(&r->im->inv.arena, out.buf);
out:
    str_release(&out);
    return copy;
}

static int64_t port_of(struct reader *r, const char *name)
{
    const char *text = value_of(r, name, PORT);
    char *end;
    long long port = text ? strtoll(text, &end, 10) : 0;

    if (!text)
        return 0;
    if (end == text || *end || port < 1 || port > 65535) {
        fault_add(r->faults, r->src, "host '%.80s': '%.80s' is no port", name, text);
        return 0;
    }
    return port;
}

/* A name that goes into a word of ssh's command line. */
static bool is_plain(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("._-@:[]", *p))
            return false;
    }
    return *text && *text != '-';
}

static void put_jumps(struct reader *r, const char *list, unsigned depth, struct str *out);

/* One hop: USER@NAME:PORT; what it leaves out, and the hops before it, stand under its own name. */
static void put_jump(struct reader *r, const char *hop, unsigned depth, struct str *out)
{
    const char *at = strrchr(hop, '@'), *host = at ? at + 1 : hop;
    size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    char *name = arena_strndup(&r->im->inv.arena, host, len);
    const char *address = value_of(r, name, HOST_NAME), *user = value_of(r, name, USER);
    const char *before = value_of(r, name, PROXY_JUMP);
    int64_t port = port_of(r, name);

    if (before && !str_eq(before, "none") && depth < MAX_JUMPS)
        put_jumps(r, before, depth + 1, out);
    else if (depth >= MAX_JUMPS)
        fault_add(r->faults, r->src,
                  "ProxyJump '%.80s': more than %d bastions in a row, or a circle", hop, MAX_JUMPS);
    str_puts(out, out->len ? "," : "");
    if (at)
        str_printf(out, "%.*s@", (int)(at - hop), hop);
    else if (user)
        str_printf(out, "%s@", user);
    address = address ? expand(r, address, name) : name;
    str_puts(out, address ? address : name);
    if (host[len] == ':')
        str_puts(out, host + len);
    else if (port)
        str_printf(out, ":%lld", (long long)port);
}

static void put_jumps(struct reader *r, const char *list, unsigned depth, struct str *out)
{
    while (*list && out->len < (size_t)INVENTORY_MAX_NAME * MAX_JUMPS) {
        size_t len = strcspn(list, ",");

        if (len)
            put_jump(r, arena_strndup(&r->im->inv.arena, list, len), depth, out);
        list += len + (list[len] == ',');
    }
}

static const char *jump_of(struct reader *r, const char *name)
{
    const char *list = value_of(r, name, PROXY_JUMP), *copy = NULL;
    struct str out;

    if (!list || strcasecmp(list, "none") == 0)
        return NULL;
    str_init(&out, INVENTORY_MAX_BYTES);
    put_jumps(r, list, 0, &out);
    for (char *p = out.buf; *p; p++) {
        if (*p != ',' && !is_plain((char[]){*p == '-' ? '_' : *p, '\0'})) {
            fault_add(r->faults, r->src, "host '%.80s': '%.80s' is no ProxyJump", name, list);
            goto out;
        }
    }
    copy = arena_strdup(&r->im->inv.arena, out.buf);
out:
    str_release(&out);
    return copy;
}

/* Somebody's bastion: a host that others jump through. */
static bool is_bastion(const struct reader *r, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < r->blocks.n; i++) {
        const char *list = r->blocks.items[i].values[PROXY_JUMP];

        for (const char *p = list; p && *p; p += strcspn(p, ","), p += *p == ',') {
            const char *at = memchr(p, '@', strcspn(p, ",")), *host = at ? at + 1 : p;

            if (strncmp(host, name, len) == 0 && strchr(":,", host[len]))
                return true;
        }
    }
    return false;
}

/* Where people keep their code is no machine of theirs. */
static bool is_forge(struct reader *r, const char *name)
{
    static const char *const forges[] = {"github.com", "gitlab.com", "bitbucket.org"};
    const char *address = value_of(r, name, HOST_NAME), *user = value_of(r, name, USER);

    for (size_t i = 0; i < ARRAY_LEN(forges); i++) {
        if (str_ends(name, forges[i]) || (address && str_ends(address, forges[i])))
            return true;
    }
    return str_eq(user, "git");
}

static void add_host(struct reader *r, const char *name)
{
    const char *address = value_of(r, name, HOST_NAME);
    const char *fault = inventory_host_name_fault(name);
    struct import_host *host;

    if (is_forge(r, name)) {
        import_note(r->im, "%s was left out: it looks like a place for code", name);
        return;
    }
    if (fault) {
        fault_add(r->faults, r->src, "host '%.80s': %s", name, fault);
        return;
    }
    host = import_add_host(r->im, name);
    host->login = address ? expand(r, address, name) : NULL;
    host->user = value_of(r, name, USER);
    host->key = value_of(r, name, IDENTITY_FILE);
    host->port = port_of(r, name);
    host->jump = jump_of(r, name);
    host->aside = is_bastion(r, name);
    if (host->aside)
        import_note(r->im, "%s gets no role: others are reached through it", name);
}

static void add_hosts(struct reader *r, struct map *seen)
{
    for (size_t i = 0; i < r->blocks.n; i++) {
        const struct block *block = &r->blocks.items[i];

        r->src = r->places.items[i];
        for (size_t k = 0; k < block->patterns.n && r->im->hosts.n <= IMPORT_MAX_HOSTS; k++) {
            const char *name = block->patterns.items[k];

            if (strpbrk(name, "*?!") || map_has(seen, name))
                continue;
            map_set(seen, name, r);
            add_host(r, name);
        }
    }
}

static void read_text(struct import *im, const char *file, const char *text, size_t len,
                      struct faults *faults)
{
    struct reader r = {.im = im, .faults = faults, .src = {.file = file}};
    struct map seen;

    UNUSED(len);
    map_init(&seen);
    vec_push(&r.blocks, ((struct block){.patterns = VEC_INIT}));
    vec_push(&r.places, r.src);
    read_lines(&r, text);
    add_hosts(&r, &seen);
    vec_each (block, &r.blocks)
        vec_release(&block->patterns);
    vec_release(&r.blocks);
    vec_release(&r.places);
    map_release(&seen);
}

const struct import_format import_ssh_config = {"ssh-config", looks, read_text};
