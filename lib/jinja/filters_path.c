/*
 * filters_path.c - filters on paths and URLs. They look at the text only, never at files.
 */
#include "lib/jinja/eval.h"
#include "lib/jinja/url.h"

/* ---- paths, as os.path has them ------------------------------------------------------------- */

static const struct value *filter_basename(struct evaluator *ev, const struct value *in,
                                           const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    const char *slash = text ? strrchr(text->u.str.s, '/') : NULL;

    UNUSED(c);
    return slash ? ev_str(ev, slash + 1, strlen(slash + 1)) : text;
}

static const struct value *filter_dirname(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    const char *slash = text ? strrchr(text->u.str.s, '/') : NULL;
    size_t len = slash ? (size_t)(slash + 1 - text->u.str.s) : 0;

    UNUSED(c);
    if (!text)
        return NULL;
    if (strspn(text->u.str.s, "/") < len) {
        while (text->u.str.s[len - 1] == '/')
            len--;
    }
    return ev_str(ev, text->u.str.s, len);
}

static const struct value *filter_splitext(struct evaluator *ev, const struct value *in,
                                           const struct call *c)
{
    const struct value *text = ev_text(ev, in), *root, *ext;
    const char *name, *dot;

    UNUSED(c);
    if (!text)
        return NULL;
    name = strrchr(text->u.str.s, '/') ? strrchr(text->u.str.s, '/') + 1 : text->u.str.s;
    name += strspn(name, "."); /* leading dots begin no extension */
    dot = strrchr(name, '.');
    if (!dot)
        dot = text->u.str.s + text->u.str.len;
    root = ev_str(ev, text->u.str.s, (size_t)(dot - text->u.str.s));
    ext = root ? ev_str(ev, dot, strlen(dot)) : NULL;
    return ext ? ev_pair(ev, root, ext) : NULL;
}

/* os.path.join: a part that begins with a slash begins anew. */
static const struct value *filter_path_join(struct evaluator *ev, const struct value *in,
                                            const struct call *c)
{
    struct str out;

    UNUSED(c);
    if (in->type == VALUE_STR)
        return in;
    if (in->type != VALUE_LIST || in->u.list.n == 0)
        return ev_fail(ev, "path_join works on a string or a list, not on %s", python_type(in));
    str_init(&out, JINJA_MAX_OUTPUT);
    for (size_t i = 0; i < in->u.list.n; i++) {
        const struct value *part = in->u.list.items[i];

        if (part->type != VALUE_STR) {
            str_release(&out);
            return ev_fail(ev, "path_join: a part must be a string, not %s", python_type(part));
        }
        if (i == 0 || part->u.str.s[0] == '/')
            str_clear(&out);
        else if (out.len > 0 && out.buf[out.len - 1] != '/')
            str_putc(&out, '/');
        str_add(&out, part->u.str.s, part->u.str.len);
    }
    return ev_take(ev, &out);
}

/* Takes the last part off a path that is being built; false: there is none to take. */
static bool take_last_part(struct str *out, size_t root)
{
    size_t len = out->len;

    while (len > root && out->buf[len - 1] != '/')
        len--;
    if (out->len == root || str_eq(out->buf + len, ".."))
        return false;
    out->len = len > root ? len - 1 : root;
    out->buf[out->len] = '\0';
    return true;
}

/* os.path.normpath: two slashes at the start stay, as POSIX has it. */
static const struct value *filter_normpath(struct evaluator *ev, const struct value *in,
                                           const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    size_t slashes, root;
    struct str out;

    UNUSED(c);
    if (!text)
        return NULL;
    slashes = strspn(text->u.str.s, "/");
    root = slashes == 2 ? 2 : slashes > 0;
    str_init(&out, JINJA_MAX_OUTPUT);
    str_add(&out, "//", root);
    for (const char *p = text->u.str.s + slashes; *p;) {
        size_t len = strcspn(p, "/");
        bool up = len == 2 && memcmp(p, "..", 2) == 0;
        bool keep = len > 0 && !(len == 1 && *p == '.');

        if (up)
            keep = !take_last_part(&out, root) && root == 0;
        if (keep) {
            if (out.len > root)
                str_putc(&out, '/');
            str_add(&out, p, len);
        }
        p += len + (p[len] == '/');
    }
    if (out.len == 0)
        str_putc(&out, '.');
    return ev_take(ev, &out);
}

/* ---- URLs ----------------------------------------------------------------------------------- */

static const struct value *part_value(struct evaluator *ev, struct url_part part)
{
    return value_strn(ev->arena, part.text, part.len);
}

static const struct value *lower_part(struct evaluator *ev, struct url_part part)
{
    return text_case(ev, part_value(ev, part), CASE_LOWER);
}

/* user:password@host:port; what is absent is none. */
struct authority {
    const struct value *user, *password, *host, *port;
};

static int read_port(struct evaluator *ev, const char *text, struct authority *out)
{
    if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 5 || atoi(text) > 65535)
        return ev_error(ev, "urlsplit: '%s' is no port", text);
    if (*text)
        out->port = ev_int(ev, atoi(text));
    return 0;
}

static int read_authority(struct evaluator *ev, struct url_part netloc, struct authority *out)
{
    const char *text = arena_strndup(ev->arena, netloc.text, netloc.len);
    const char *at = strrchr(text, '@'), *host = at ? at + 1 : text, *colon;
    bool bracketed = *host == '[';
    size_t len;

    *out = (struct authority){&ev_none, &ev_none, &ev_none, &ev_none};
    if (at) {
        colon = memchr(text, ':', (size_t)(at - text));
        out->user = value_strn(ev->arena, text, (size_t)((colon ? colon : at) - text));
        if (colon)
            out->password = value_strn(ev->arena, colon + 1, (size_t)(at - colon - 1));
    }
    host += bracketed;
    len = strcspn(host, bracketed ? "]" : ":");
    if (len > 0 && !(out->host = lower_part(ev, (struct url_part){host, len})))
        return -1;
    colon = strchr(host + len, ':');
    return colon ? read_port(ev, colon + 1, out) : 0;
}

/* urlsplit(query=''): one part, or all as a dict */
static const struct value *filter_urlsplit(struct evaluator *ev, const struct value *in,
                                           const struct call *c)
{
    struct value *map = value_map(ev->arena);
    const struct value *one, *scheme;
    struct authority authority;
    struct url url;

    if (in->type != VALUE_STR || (c->arg[0] && !value_is_str(c->arg[0])))
        return ev_fail(ev, "urlsplit works on a string, with the name of a part");
    url_split(in->u.str.s, &url);
    if (!(scheme = lower_part(ev, url.scheme)) || read_authority(ev, url.netloc, &authority) < 0)
        return NULL;
    ev_put_in(ev, map, "fragment", part_value(ev, url.fragment));
    ev_put_in(ev, map, "hostname", authority.host);
    ev_put_in(ev, map, "netloc", part_value(ev, url.netloc));
    ev_put_in(ev, map, "password", authority.password);
    ev_put_in(ev, map, "path", part_value(ev, url.path));
    ev_put_in(ev, map, "port", authority.port);
    ev_put_in(ev, map, "query", part_value(ev, url.query));
    ev_put_in(ev, map, "scheme", scheme);
    ev_put_in(ev, map, "username", authority.user);
    if (!c->arg[0] || c->arg[0]->u.str.len == 0)
        return map;
    one = value_get(map, c->arg[0]->u.str.s);
    return one ? one : ev_fail(ev, "urlsplit: unknown URL component: %s", c->arg[0]->u.str.s);
}

/* Letters, digits, "_.-~" and what safe has stay as they are. */
static void put_quoted(struct str *out, const struct value *text, const char *safe, bool plus)
{
    for (size_t i = 0; i < text->u.str.len; i++) {
        char ch = text->u.str.s[i];

        if (ch == ' ' && plus)
            str_putc(out, '+');
        else if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
                 strchr("_.-~", ch) || strchr(safe, ch))
            str_putc(out, ch);
        else
            str_printf(out, "%%%02X", (unsigned char)ch);
    }
}

/* key=value, of a pair. */
static int put_pair(struct evaluator *ev, struct str *out, const struct value *pair)
{
    if (pair->type != VALUE_LIST || pair->u.list.n != 2)
        return ev_error(ev, "urlencode: pairs of a key and a value are expected");
    for (size_t i = 0; i < 2; i++) {
        const struct value *text = ev_text(ev, pair->u.list.items[i]);

        if (!text)
            return -1;
        put_quoted(out, text, "", true);
        if (i == 0)
            str_putc(out, '=');
    }
    return 0;
}

/* A text for a path; a dict or pairs for a query. */
static const struct value *filter_urlencode(struct evaluator *ev, const struct value *in,
                                            const struct call *c)
{
    bool many = in->type == VALUE_LIST || is_mapping(in);
    const struct call none = {.keywords = value_map(ev->arena)};
    const struct value *pairs = in, *text = many ? NULL : ev_text(ev, in);
    struct str out;

    UNUSED(c);
    if (is_mapping(in))
        pairs = ev_method(ev, in, "items", &none);
    if (many ? !pairs : !text)
        return NULL;
    str_init(&out, JINJA_MAX_OUTPUT);
    if (!many)
        put_quoted(&out, text, "/", false);
    for (size_t i = 0; many && i < pairs->u.list.n; i++) {
        if (i > 0)
            str_putc(&out, '&');
        if (put_pair(ev, &out, pairs->u.list.items[i]) < 0) {
            str_release(&out);
            return NULL;
        }
    }
    return ev_take(ev, &out);
}

static const struct filter rows[] = {
    {"basename", "", 0, 0, filter_basename, "the last part of a path"},
    {"dirname", "", 0, 0, filter_dirname, "a path without its last part"},
    {"normpath", "", 0, 0, filter_normpath, "a path without `.`, `..` and double slashes"},
    {"path_join", "", 0, 0, filter_path_join, "one path of a list of parts"},
    {"splitext", "", 0, 0, filter_splitext, "a path's root and extension"},
    {"urlencode", "", 0, 0, filter_urlencode, "the text as part of a URL; a dict as its query"},
    {"urlsplit", "query", 0, 0, filter_urlsplit, "the parts of a URL, or one of them"},
};

const struct filter_table filters_path = {rows, ARRAY_LEN(rows)};
