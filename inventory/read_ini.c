/*
 * read_ini.c - Ansible's INI inventories (its plugins/inventory/ini.py), line by line.
 *
 *     [group]            hosts: NAME key=value ... (words as in shlex, values as Python literals)
 *     [group:vars]       key = value, the value to the end of the line
 *     [group:children]   group names; each must have a section of its own somewhere in the file
 */
#include <ctype.h>

#include "inventory/internal.h"
#include "inventory/literal.h"
#include "lib/base/utf8.h"

enum section { SECTION_HOSTS, SECTION_VARS, SECTION_CHILDREN };

/* A group named before it is declared. */
struct pending {
    const char *name;
    struct source src;
    bool as_child; /* else by [NAME:vars] */
    bool declared;
    VEC(struct inventory_group *) parents;
};

struct reader {
    struct inventory *inv;
    struct faults *faults;
    const char *file;
    int line;
    const char *start; /* of the line, for columns */
    struct inventory_group *group;
    enum section section;
    struct map pending; /* name -> struct pending *, in the inventory's arena */
};

static struct source place(const struct reader *r, const char *at)
{
    return (struct source){r->file, r->line, (int)(at - r->start) + 1};
}

static struct value *parse_value(struct reader *r, const char *key, const char *text, size_t len,
                                 const char *at)
{
    const char *why = NULL;
    struct value *v;

    switch (literal_parse(&r->inv->arena, text, len, &v, &why)) {
    case LITERAL_VALUE:
        break;
    case LITERAL_REFUSED:
        fault_add(r->faults, place(r, at), "variable '%.80s' would be %s, as Python reads it", key,
                  why);
        fault_hint(r->faults, "quote it twice to make it text: \"'...'\"");
        v = value_null(&r->inv->arena);
        break;
    case LITERAL_TEXT:
        v = value_strn(&r->inv->arena, text, len);
        break;
    }
    v->src = place(r, at);
    return v;
}

/* ---- sections ---- */

static struct pending *pending_get(struct reader *r, const char *name, struct source src,
                                   bool as_child)
{
    struct pending *pending = map_get(&r->pending, name);

    if (!pending) {
        pending = arena_new(&r->inv->arena, struct pending);
        pending->name = arena_strdup(&r->inv->arena, name);
        pending->src = src;
        pending->as_child = as_child;
        map_set(&r->pending, name, pending);
    }
    return pending;
}

static void declare(struct reader *r, const char *name)
{
    struct pending *pending = map_get(&r->pending, name);

    if (!pending || pending->declared)
        return;
    pending->declared = true;
    for (size_t i = 0; i < pending->parents.n; i++)
        inventory_read_child(r->inv, pending->parents.items[i], inventory_group(r->inv, name),
                             pending->src, r->faults);
}

static int section_from_name(const char *name, size_t len, enum section *section)
{
    static const char *const names[] = {"hosts", "vars", "children"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strlen(names[i]) == len && memcmp(name, names[i], len) == 0) {
            *section = (enum section)i;
            return 0;
        }
    }
    return -1;
}

static void enter_section(struct reader *r, const char *name, const char *at)
{
    bool known = map_has(&r->inv->groups, name);

    r->group = inventory_read_group(r->inv, name, place(r, at), r->faults);
    if (!r->group) {
        r->group = inventory_ungrouped(r->inv);
        return;
    }
    if (r->section != SECTION_VARS)
        declare(r, name);
    else if (!known)
        pending_get(r, name, place(r, at), false);
}

/* The rest of a line behind a section or group name: nothing, or a comment. */
static bool only_comment(const char *p, const char *end)
{
    while (p < end && isspace((unsigned char)*p))
        p++;
    return p == end || *p == '#';
}

/* Length of a group's name at p: neither ':' nor ']' nor white space in it. */
static size_t group_name_length(const char *p, const char *end)
{
    const char *start = p;

    while (p < end && *p != ':' && *p != ']' && !isspace((unsigned char)*p))
        p++;
    return (size_t)(p - start);
}

/* [NAME] or [NAME:KIND]. False: the line is no section, perhaps a host like [::1]:22. */
static bool read_section(struct reader *r, const char *line, const char *end)
{
    size_t len = group_name_length(line + 1, end);
    const char *p = line + 1 + len, *kind = p;
    size_t kind_len = 0;
    char *name;

    if (len > 0 && p < end && *p == ':') {
        for (kind = ++p; p < end && (isalnum((unsigned char)*p) || *p == '_'); p++)
            kind_len++;
    }
    if (len == 0 || p >= end || *p != ']' || (kind > line + 1 + len && kind_len == 0) ||
        !only_comment(p + 1, end)) {
        if (end[-1] != ']')
            return false;
        fault_add(r->faults, place(r, line), "'%.*s' is no section",
                  (int)(end - line > 80 ? 80 : end - line), line);
        fault_hint(r->faults, "[GROUP], [GROUP:vars] or [GROUP:children], without spaces");
        return true;
    }
    r->section = SECTION_HOSTS;
    if (kind_len && section_from_name(kind, kind_len, &r->section) < 0) {
        fault_add(r->faults, place(r, kind), "unknown kind of section '%.*s'",
                  (int)(kind_len > 80 ? 80 : kind_len), kind);
        fault_hint(r->faults, "it is hosts, vars or children");
    }
    name = xstrndup(line + 1, len);
    enter_section(r, name, line + 1);
    free(name);
    return true;
}

/* ---- lines of a section ---- */

static void set_host_vars(struct reader *r, const struct host_names *names, const char *key,
                          struct value *value)
{
    for (size_t i = 0; i < names->n; i++) {
        struct inventory_host *host = map_get(&r->inv->hosts, names->items[i]);

        if (host)
            value_map_set(&r->inv->arena, host->vars, key, value);
    }
}

static void read_host_var(struct reader *r, const struct host_names *names, const char *word,
                          const char *at)
{
    const char *equals = strchr(word, '=');
    char *key;

    if (!equals) {
        fault_add(r->faults, place(r, at), "expected key=value behind the host, got '%.80s'", word);
        return;
    }
    key = xstrndup(word, (size_t)(equals - word));
    set_host_vars(r, names, key, parse_value(r, key, equals + 1, strlen(equals + 1), at));
    free(key);
}

static void read_host_vars(struct reader *r, const struct host_names *names, const char *p,
                           const char *end, struct str *word)
{
    const char *why, *at;
    int got = 1;

    while (got > 0) {
        while (p < end && isspace((unsigned char)*p))
            p++;
        at = p;
        got = words_next(&p, end, true, word, &why);
        if (got > 0)
            read_host_var(r, names, word->buf, at);
        else if (got < 0)
            fault_add(r->faults, place(r, at), "%s", why);
    }
}

static void read_hosts_line(struct reader *r, const char *line, const char *end)
{
    struct host_names names = {.items = NULL};
    const char *p = line, *why;
    struct str word;

    str_init(&word, INVENTORY_MAX_BYTES);
    if (words_next(&p, end, true, &word, &why) < 0) {
        fault_add(r->faults, place(r, line), "%s", why);
        goto out;
    }
    if (inventory_expand_hosts(r->inv, word.buf, place(r, line), r->faults, &names) < 0)
        goto out;
    for (size_t i = 0; i < names.n; i++)
        inventory_read_host(r->inv, names.items[i], r->group, names.port, place(r, line),
                            r->faults);
    read_host_vars(r, &names, p, end, &word);
out:
    vec_release(&names);
    str_release(&word);
}

static void read_vars_line(struct reader *r, const char *line, const char *end)
{
    const char *equals = memchr(line, '=', (size_t)(end - line)), *value = equals;
    size_t key_len = equals ? (size_t)(equals - line) : 0;
    char *key;

    if (!equals) {
        fault_add(r->faults, place(r, line), "expected key=value, got '%.*s'",
                  (int)(end - line > 80 ? 80 : end - line), line);
        return;
    }
    while (key_len > 0 && isspace((unsigned char)line[key_len - 1]))
        key_len--;
    for (value++; value < end && isspace((unsigned char)*value);)
        value++;
    key = xstrndup(line, key_len);
    inventory_read_group_var(r->inv, r->group, key,
                             parse_value(r, key, value, (size_t)(end - value), value), r->faults);
    free(key);
}

static void read_children_line(struct reader *r, const char *line, const char *end)
{
    size_t len = group_name_length(line, end);
    struct pending *pending;
    char *name;

    if (len == 0 || !only_comment(line + len, end)) {
        fault_add(r->faults, place(r, line), "expected a group's name, got '%.*s'",
                  (int)(end - line > 80 ? 80 : end - line), line);
        return;
    }
    name = xstrndup(line, len);
    if (map_has(&r->inv->groups, name)) {
        inventory_read_child(r->inv, r->group, inventory_group(r->inv, name), place(r, line),
                             r->faults);
    } else {
        pending = pending_get(r, name, place(r, line), true);
        vec_push(&pending->parents, r->group);
    }
    free(name);
}

static void read_line(struct reader *r, const char *line, const char *end)
{
    while (line < end && isspace((unsigned char)*line))
        line++;
    while (end > line && isspace((unsigned char)end[-1]))
        end--;
    if (line == end || *line == '#' || *line == ';')
        return;
    if (*line == '[' && read_section(r, line, end))
        return;
    if (r->section == SECTION_HOSTS)
        read_hosts_line(r, line, end);
    else if (r->section == SECTION_VARS)
        read_vars_line(r, line, end);
    else
        read_children_line(r, line, end);
}

/* What Python's splitlines takes for the end of a line, beside \n and \r: no line is read as two.
 */
static bool has_odd_break(const char *line, size_t len)
{
    static const char *const breaks[] = {"\v",   "\f",       "\x1c",         "\x1d",
                                         "\x1e", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};

    for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
        if (memmem(line, len, breaks[i], strlen(breaks[i])))
            return true;
    }
    return false;
}

/* Only comments may hold anything but UTF-8. NULL: nothing is wrong. */
static const char *text_fault(const char *line, const char *end)
{
    const char *p = line + strspn(line, " \t");

    if (has_odd_break(line, (size_t)(end - line)))
        return "this line has a control character that Ansible takes for its end";
    if ((p < end && (*p == '#' || *p == ';')) || utf8_valid(line, (size_t)(end - line)))
        return NULL;
    return "this line is not UTF-8 text";
}

static void report_pending(struct reader *r)
{
    for (size_t i = 0; i < r->pending.n; i++) {
        struct pending *pending = r->pending.entries[i].value;

        if (!pending->declared)
            fault_add(r->faults, pending->src,
                      "group '%.80s' has no section [%.80s] or [%.80s:children]", pending->name,
                      pending->name, pending->name);
        vec_release(&pending->parents);
    }
}

void inventory_read_ini(struct inventory *inv, const char *file, const char *text, size_t len,
                        struct faults *faults)
{
    struct reader r = {.inv = inv, .faults = faults, .file = file, .section = SECTION_HOSTS};
    const char *end = text + len, *stop;

    r.group = inventory_ungrouped(inv);
    map_init(&r.pending);
    for (r.start = text; r.start < end; r.start = stop + 1) {
        for (stop = r.start; stop < end && *stop != '\n' && *stop != '\r';)
            stop++;
        r.line++;
        if (!text_fault(r.start, stop))
            read_line(&r, r.start, stop);
        else
            fault_add(faults, place(&r, r.start), "%s", text_fault(r.start, stop));
        if (stop + 1 < end && stop[0] == '\r' && stop[1] == '\n')
            stop++;
    }
    report_pending(&r);
    map_release(&r.pending);
}
