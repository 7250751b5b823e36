/*
 * import.c - which source, and what the sources share.
 */
#include "inventory/import.h"

#include <ctype.h>

#include "inventory/internal.h"
#include "lib/base/file.h"
#include "lib/base/utf8.h"

const char *const import_role_names[IMPORT_ROLES] = {"db", "lb", "etcd"};

/* Ansible's INI takes nearly every text, so it is asked last. */
const struct import_format *const import_formats[] = {&import_terraform, &import_ssh_config,
                                                      &import_list, &import_ansible, NULL};

void import_init(struct import *im)
{
    *im = (struct import){.command = "import"};
    inventory_init(&im->inv);
}

void import_release(struct import *im)
{
    vec_each (host, &im->hosts)
        vec_release(&host->words);
    vec_release(&im->hosts);
    vec_release(&im->notes);
    inventory_release(&im->inv);
}

struct import_host *import_add_host(struct import *im, const char *name)
{
    struct import_host host = {.name = name ? arena_strdup(&im->inv.arena, name) : NULL};

    vec_push(&im->hosts, host);
    return &im->hosts.items[im->hosts.n - 1];
}

void import_add_word(struct import *im, struct import_host *host, const char *word)
{
    if (*word && strlen(word) <= INVENTORY_MAX_NAME)
        vec_push(&host->words, arena_strdup(&im->inv.arena, word));
}

/* A note becomes a comment: one line, and none that a terminal or a reader of YAML trips over. */
void import_note(struct import *im, const char *fmt, ...)
{
    va_list args;
    char *text;

    va_start(args, fmt);
    text = xvasprintf(fmt, args);
    va_end(args);
    for (char *p = text; *p; p++) {
        if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f)
            *p = '?';
    }
    vec_push(&im->notes, arena_strdup(&im->inv.arena, text));
    free(text);
}

size_t import_first_line(const char *text, size_t len, const char **line)
{
    const char *p = text, *end = text + len;

    while (p < end && (isspace((unsigned char)*p) || *p == '#' || *p == ';')) {
        if (*p == '#' || *p == ';')
            while (p < end && *p != '\n')
                p++;
        else
            p++;
    }
    *line = p < end ? p : NULL;
    for (text = p; p < end && *p != '\n';)
        p++;
    return (size_t)(p - text);
}

static const struct import_format *find_format(const char *name)
{
    for (size_t i = 0; import_formats[i]; i++) {
        if (str_eq(import_formats[i]->name, name))
            return import_formats[i];
    }
    return NULL;
}

static const struct import_format *guess_format(const char *text, size_t len)
{
    for (size_t i = 0; import_formats[i]; i++) {
        if (import_formats[i]->looks(text, len))
            return import_formats[i];
    }
    return &import_ansible;
}

int import_check_format(const char *name, struct err *err)
{
    const char *names[8];
    size_t n = 0;

    if (find_format(name))
        return 0;
    for (; import_formats[n]; n++)
        names[n] = import_formats[n]->name;
    err_set(err, ERR_USAGE, "there is no source of the kind \"%.80s\"", name);
    if (nearest_word(name, names, n))
        return err_hint(err, "did you mean \"%s\"?", nearest_word(name, names, n));
    return err_hint(err, "ansible, terraform, ssh-config or list");
}

static void check_hosts(struct import *im, struct faults *faults)
{
    vec_each (host, &im->hosts) {
        if (host->name && strlen(host->name) > IMPORT_MAX_NAME &&
            !map_has(&im->inv.hosts, host->name))
            fault_add(faults, (struct source){.file = im->source},
                      "host '%.80s': the name is longer than %d bytes", host->name,
                      IMPORT_MAX_NAME);
    }
    if (im->hosts.n > IMPORT_MAX_HOSTS)
        fault_add(faults, (struct source){.file = im->source}, "more than %d hosts",
                  IMPORT_MAX_HOSTS);
}

static void begin(struct import *im, const char *source, const struct import_format *format)
{
    im->source = arena_strdup(&im->inv.arena, source);
    im->format = format->name;
}

int import_read_text(struct import *im, const char *file, const char *text, size_t len,
                     const char *format, struct faults *faults)
{
    const struct import_format *source;
    size_t before = faults->n + faults->more;
    char *copy;

    if (len > IMPORT_MAX_BYTES || memchr(text, '\0', len)) {
        fault_add(faults, (struct source){.file = file}, "%s",
                  len > IMPORT_MAX_BYTES ? "a source has at most 64 MiB"
                                         : "a binary file is no source");
        return -1;
    }
    copy = xstrndup(text, len); /* readers, and those who guess, rely on the NUL at the end */
    source = format ? find_format(format) : guess_format(copy, len);
    if (!source)
        BUG("no source of the kind %s", format);
    begin(im, file, source);
    if (source != &import_ansible && !utf8_valid(text, len)) /* INI may have such comments */
        fault_add(faults, (struct source){.file = im->source}, "this is not UTF-8 text");
    else
        source->read(im, im->source, copy, len, faults);
    free(copy);
    check_hosts(im, faults);
    return faults->n + faults->more == before ? 0 : -1;
}

/* Folders, programs and what lies beside an Ansible inventory are its loader's. */
static int read_ansible(struct import *im, const char *path, struct faults *faults)
{
    begin(im, path, &import_ansible);
    if (inventory_load(&im->inv, path, faults) < 0)
        return -1;
    import_take_inventory(im);
    check_hosts(im, faults);
    return faults->n ? -1 : 0;
}

int import_read(struct import *im, const char *path, const char *format, struct faults *faults)
{
    struct err err = ERR_INIT;
    struct str text;
    int rc;

    if (file_is_dir(path) || str_eq(format, "ansible"))
        return read_ansible(im, path, faults);
    str_init(&text, IMPORT_MAX_BYTES);
    rc = file_read(path, &text, &err);
    if (rc < 0)
        fault_add(faults, (struct source){.file = NULL}, "%s", err.text);
    else if (!format && (inventory_is_program(text.buf, text.len) ||
                         guess_format(text.buf, text.len) == &import_ansible))
        rc = read_ansible(im, path, faults);
    else
        rc = import_read_text(im, path, text.buf, text.len, format, faults);
    err_release(&err);
    str_release(&text);
    return rc;
}
