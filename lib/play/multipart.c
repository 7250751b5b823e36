/*
 * multipart.c - bodies of multipart/form-data.
 *
 * The lines of every part end in CR LF, those of texts, too. A file goes as base64, or as it is
 * when it is text. RFC 2046, 2231 and 7578; in all that these leave open, as Python's email
 * package.
 */
#include <ctype.h>

#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/play/filechange.h"
#include "lib/play/multipart.h"

#define FALLBACK_TYPE "application/octet-stream"
#define BASE64_LINE   76

struct part {
    const char *name;
    const char *filename; /* its last part; NULL: none */
    const char *type;
    const char *encoding; /* Content-Transfer-Encoding; NULL: not said */
    const char *content;
    size_t len;
};

/* What Python and Debian's /etc/mime.types agree on. */
static const struct {
    const char *extension, *type;
} types[] = {
    {"bin", FALLBACK_TYPE},     {"conf", FALLBACK_TYPE},      {"css", "text/css"},
    {"csv", "text/csv"},        {"gif", "image/gif"},         {"htm", "text/html"},
    {"html", "text/html"},      {"ini", FALLBACK_TYPE},       {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},      {"js", "text/javascript"},    {"json", "application/json"},
    {"log", FALLBACK_TYPE},     {"pdf", "application/pdf"},   {"png", "image/png"},
    {"svg", "image/svg+xml"},   {"tar", "application/x-tar"}, {"txt", "text/plain"},
    {"zip", "application/zip"},
};

static int bad(struct err *err, const char *what)
{
    return err_set(err, ERR_INPUT, "failed to parse body as form-multipart: %s", what);
}

static int guess_type(struct module_call *call, struct part *part, struct err *err)
{
    const char *dot = part->filename ? strrchr(part->filename, '.') : NULL;

    part->type = FALLBACK_TYPE;
    if (!dot || strspn(part->filename, ".") == (size_t)(dot + 1 - part->filename))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcasecmp(types[i].extension, dot + 1) == 0) {
            part->type = types[i].type;
            return 0;
        }
    }
    return bad(err, arena_printf(call->arena, "give mime_type: that of '%.80s' is not known here",
                                 part->filename));
}

static int check_part(const struct part *part, struct err *err)
{
    const char *const texts[] = {part->name, part->filename, part->type};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        for (const char *p = texts[i]; p && *p; p++)
            if ((unsigned char)*p < ' ' || *p == 0x7f)
                return bad(err, "a name or a type holds control characters");
    return 0;
}

static bool is_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] & 0x80)
            return false;
    return true;
}

/* Wrapped as base64.encodebytes() does. */
static void put_base64(struct str *out, const struct str *data)
{
    struct str line;

    str_init(&line, STR_MAX_TEXT);
    str_put_base64(&line, data->buf, data->len);
    for (size_t i = 0; i < line.len; i += BASE64_LINE) {
        str_add(out, line.buf + i, line.len - i < BASE64_LINE ? line.len - i : BASE64_LINE);
        str_putc(out, '\n');
    }
    str_release(&line);
}

/* A file of ours is the part's content. */
static int read_part(struct module_call *call, const char *src, const char *encoding,
                     struct part *part, struct err *err)
{
    bool plain = str_eq(encoding, "7or8bit");
    struct str data, text;
    const char *path;
    int rc;

    if (!plain && !str_eq(encoding, "base64"))
        return bad(err, "multipart_encoding must be one of base64 and 7or8bit.");
    str_init(&data, STR_MAX_TEXT);
    str_init(&text, STR_MAX_TEXT);
    rc = file_source(call, src, &data, &path, err);
    if (rc == 0 && plain && memchr(data.buf, '\0', data.len))
        rc = bad(err, arena_printf(call->arena, "%.80s is no text: send it as base64", src));
    if (rc == 0) {
        part->encoding = !plain ? "base64" : is_ascii(data.buf, data.len) ? "7bit" : "8bit";
        if (plain)
            str_add(&text, data.buf, data.len);
        else
            put_base64(&text, &data);
        part->content = arena_strndup(call->arena, text.buf, text.len);
        part->len = text.len;
    }
    str_release(&text);
    str_release(&data);
    return rc;
}

static int fill_part(struct module_call *call, const struct value *field, struct part *part,
                     struct err *err)
{
    const char *filename = value_get_str(field, "filename", "");
    const char *content = value_get_str(field, "content", "");
    const char *type = value_get_str(field, "mime_type", "");

    if (!*filename && !*content)
        return bad(err, "at least one of filename or content must be provided");
    if (*filename)
        part->filename = path_base(arena_strdup(call->arena, filename));
    part->type = type;
    if (!*type && guess_type(call, part, err) < 0)
        return -1;
    if (!strchr(part->type, '/'))
        part->type = arena_printf(call->arena, "%s/", part->type);
    part->content = content;
    part->len = strlen(content);
    if (*content)
        return 0;
    if (value_get_bool(call->args, "remote_src", false))
        return bad(err, "a file of the host cannot be a part here: use command: curl -F");
    return read_part(call, filename, value_get_str(field, "multipart_encoding", "base64"), part,
                     err);
}

static int make_part(struct module_call *call, const struct value_entry *entry, struct part *part,
                     struct err *err)
{
    *part = (struct part){.name = entry->key};
    if (entry->value->type == VALUE_STR) {
        part->type = "text/plain";
        part->content = entry->value->u.str.s;
        part->len = entry->value->u.str.len;
    } else if (entry->value->type != VALUE_MAP) {
        return bad(err, arena_printf(call->arena,
                                     "the field '%.80s' must be a string, or a mapping, cannot be "
                                     "of type %s",
                                     entry->key, value_type_name(entry->value->type)));
    } else if (fill_part(call, entry->value, part, err) < 0) {
        return -1;
    }
    return check_part(part, err);
}

/* name="text"; what is not ASCII as RFC 2231 has it. */
static void put_param(struct str *out, const char *name, const char *text)
{
    bool plain = is_ascii(text, strlen(text));

    str_printf(out, plain ? "; %s=\"" : "; %s*=utf-8''", name);
    for (const char *p = text; *p; p++) {
        if (plain)
            str_printf(out, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
        else if (isalnum((unsigned char)*p) || strchr("_.-~", *p))
            str_putc(out, *p);
        else
            str_printf(out, "%%%02X", (unsigned char)*p);
    }
    str_puts(out, plain ? "\"" : "");
}

static void put_lines(struct str *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\r' && text[i] != '\n') {
            str_putc(out, text[i]);
            continue;
        }
        str_puts(out, "\r\n");
        i += text[i] == '\r' && i + 1 < len && text[i + 1] == '\n';
    }
}

static void put_part(struct str *out, const struct part *part)
{
    if (part->encoding)
        str_printf(out, "Content-Transfer-Encoding: %s\r\n", part->encoding);
    str_printf(out, "Content-Type: %s\r\nContent-Disposition: form-data", part->type);
    put_param(out, "name", part->name);
    if (part->filename)
        put_param(out, "filename", part->filename);
    str_puts(out, "\r\n\r\n");
    put_lines(out, part->content, part->len);
}

static void put_parts(struct str *out, const struct part *parts, size_t n, const char *boundary)
{
    for (size_t i = 0; i < n; i++) {
        str_printf(out, "%s--%s\r\n", i > 0 ? "\r\n" : "", boundary);
        put_part(out, &parts[i]);
    }
    if (n == 0)
        str_printf(out, "--%s\r\n", boundary);
    str_printf(out, "\r\n--%s--\r\n", boundary);
}

/* As long as Python's, and in no part. */
static const char *boundary_of(struct module_call *call, const struct part *parts, size_t n)
{
    char hex[SHA256_HEX_SIZE];
    const char *boundary;
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    put_parts(&text, parts, n, "");
    do {
        sha256_hex(text.buf, text.len, hex);
        hex[15] = '\0';
        boundary = arena_printf(call->arena, "===============%019llu==", strtoull(hex, NULL, 16));
        str_putc(&text, '.');
    } while (strstr(text.buf, boundary) && !text.full);
    str_release(&text);
    return boundary;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct part *)a)->name, ((const struct part *)b)->name);
}

int multipart_put(struct module_call *call, const struct value *fields, struct str *out,
                  const char **boundary, struct err *err)
{
    struct part *parts;
    size_t n;

    if (!fields || fields->type != VALUE_MAP)
        return err_set(err, ERR_INPUT, "body must be mapping, cannot be type %s",
                       value_type_name(fields ? fields->type : VALUE_NULL));
    n = fields->u.map.n;
    parts = arena_alloc(call->arena, (n + 1) * sizeof(*parts));
    for (size_t i = 0; i < n; i++)
        if (make_part(call, &fields->u.map.entries[i], &parts[i], err) < 0)
            return -1;
    qsort(parts, n, sizeof(*parts), by_name);
    *boundary = boundary_of(call, parts, n);
    put_parts(out, parts, n, *boundary);
    return out->full ? bad(err, "it is too large") : 0;
}
