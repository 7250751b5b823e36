/*
 * filters_path.c - filters on paths and URLs. They look at the text, and two of them at the
 * environment, but never at files.
 */
#include "lib/base/utf8.h"
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

/* Two slashes at the start stay, as POSIX has it. */
static void put_normal(struct str *out, const char *path)
{
    size_t slashes = strspn(path, "/"), root = slashes == 2 ? 2 : slashes > 0;

    str_add(out, "//", root);
    for (const char *p = path + slashes; *p;) {
        size_t len = strcspn(p, "/");
        bool up = len == 2 && memcmp(p, "..", 2) == 0;
        bool keep = len > 0 && !(len == 1 && *p == '.');

        if (up)
            keep = !take_last_part(out, root) && root == 0;
        if (keep) {
            if (out->len > root)
                str_putc(out, '/');
            str_add(out, p, len);
        }
        p += len + (p[len] == '/');
    }
    if (out->len == 0)
        str_putc(out, '.');
}

static const struct value *normal_path(struct evaluator *ev, const struct value *text)
{
    struct str out;

    str_init(&out, JINJA_MAX_OUTPUT);
    put_normal(&out, text->u.str.s);
    return ev_take(ev, &out);
}

static const struct value *filter_normpath(struct evaluator *ev, const struct value *in,
                                           const struct call *c)
{
    const struct value *text = ev_text(ev, in);

    UNUSED(c);
    return text ? normal_path(ev, text) : NULL;
}

/* The parts of a path, without empty ones and `.`. */
static struct value *path_parts(struct evaluator *ev, const struct value *path)
{
    struct value *list = ev_list(ev);

    for (const char *p = path->u.str.s; *p;) {
        size_t len = strcspn(p, "/");

        if (len > 0 && !(len == 1 && *p == '.'))
            ev_push(ev, list, value_strn(ev->arena, p, len));
        p += len + (p[len] == '/');
    }
    return list;
}

static size_t common_parts(const struct value *a, const struct value *b)
{
    size_t n = 0;

    while (n < a->u.list.n && n < b->u.list.n &&
           str_eq(a->u.list.items[n]->u.str.s, b->u.list.items[n]->u.str.s))
        n++;
    return n;
}

static bool goes_up(const struct value *parts, size_t from)
{
    return from < parts->u.list.n && str_eq(parts->u.list.items[from]->u.str.s, "..");
}

/* From folder to path, both normal. */
static const struct value *path_between(struct evaluator *ev, const struct value *folder,
                                        const struct value *path)
{
    const struct value *from = path_parts(ev, folder), *to = path_parts(ev, path);
    size_t same = common_parts(from, to);
    struct str out;

    if (goes_up(from, same))
        return ev_fail(ev, "relpath: a way back from %s is not known here", folder->u.str.s);
    str_init(&out, JINJA_MAX_OUTPUT);
    for (size_t i = same; i < from->u.list.n; i++)
        str_puts(&out, out.len > 0 ? "/.." : "..");
    for (size_t i = same; i < to->u.list.n; i++)
        str_printf(&out, "%s%s", out.len > 0 ? "/" : "", to->u.list.items[i]->u.str.s);
    if (out.len == 0)
        str_putc(&out, '.');
    return ev_take(ev, &out);
}

/* relpath(start='.') of two paths that begin at the same place. */
static const struct value *filter_relpath(struct evaluator *ev, const struct value *in,
                                          const struct call *c)
{
    const struct value *path = ev_text(ev, in);
    const struct value *start = c->arg[0] && c->arg[0]->type != VALUE_NULL
                                    ? ev_text(ev, c->arg[0])
                                    : value_str(ev->arena, ".");

    if (!path || !start)
        return NULL;
    if (path->u.str.len == 0)
        return ev_fail(ev, "relpath: no path specified");
    if ((path->u.str.s[0] == '/') != (start->u.str.s[0] == '/'))
        return ev_fail(ev, "relpath: give a start that begins where the path does, both at / or "
                           "neither");
    path = normal_path(ev, path);
    start = path ? normal_path(ev, start) : NULL;
    return start ? path_between(ev, start, path) : NULL;
}

static int want_paths(struct evaluator *ev, const struct value *in)
{
    if (in->type != VALUE_LIST)
        return ev_error(ev, "commonpath expects sequence, got %s instead.", python_type(in));
    if (in->u.list.n == 0)
        return ev_error(ev, "commonpath() arg is an empty sequence");
    for (size_t i = 0; i < in->u.list.n; i++) {
        const struct value *path = in->u.list.items[i];

        if (path->type != VALUE_STR)
            return ev_error(ev, "commonpath: a path must be a string, not %s", python_type(path));
        if ((path->u.str.s[0] == '/') != (in->u.list.items[0]->u.str.s[0] == '/'))
            return ev_error(ev, "Can't mix absolute and relative paths");
    }
    return 0;
}

static const struct value *filter_commonpath(struct evaluator *ev, const struct value *in,
                                             const struct call *c)
{
    const struct value *first;
    struct str out;
    size_t same;

    UNUSED(c);
    if (want_paths(ev, in) < 0)
        return NULL;
    first = path_parts(ev, in->u.list.items[0]);
    same = first->u.list.n;
    for (size_t i = 1; i < in->u.list.n; i++) {
        size_t n = common_parts(first, path_parts(ev, in->u.list.items[i]));

        same = n < same ? n : same;
    }
    str_init(&out, JINJA_MAX_OUTPUT);
    str_puts(&out, in->u.list.items[0]->u.str.s[0] == '/' ? "/" : "");
    for (size_t i = 0; i < same; i++)
        str_printf(&out, "%s%s", i > 0 ? "/" : "", first->u.list.items[i]->u.str.s);
    return ev_take(ev, &out);
}

/* ---- this machine's environment -------------------------------------------------------------- */

/* NULL without an error: not set. */
static const char *environment(struct evaluator *ev, const char *name)
{
    const struct jinja_controller *controller = ev->scope->controller;

    return controller ? controller->env(controller->data, name) : NULL;
}

/* os.path.expanduser of the user that runs this; other users' folders are not looked up. */
static const struct value *filter_expanduser(struct evaluator *ev, const struct value *in,
                                             const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    const char *home;
    struct str out;

    UNUSED(c);
    if (!text || text->u.str.s[0] != '~')
        return text;
    if (text->u.str.s[1] && text->u.str.s[1] != '/')
        return ev_fail(ev, "expanduser: only ~ and ~/ are known here, not %s", text->u.str.s);
    if (!(home = environment(ev, "HOME")))
        return ev_fail(ev, "expanduser: HOME is not set");
    str_init(&out, JINJA_MAX_OUTPUT);
    str_puts(&out, home);
    while (out.len > 0 && out.buf[out.len - 1] == '/')
        out.buf[--out.len] = '\0';
    str_puts(&out, text->u.str.s + 1);
    if (out.len == 0)
        str_putc(&out, '/');
    return ev_take(ev, &out);
}

/* The name in $NAME or ${NAME}, of which *len is the whole length; NULL: no such thing. */
static const char *variable_at(struct arena *a, const char *p, size_t *len)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t n = p[1] == '{' ? strcspn(p + 2, "}") : strspn(p + 1, word);

    if (p[1] == '{' && p[2 + n] == '\0')
        return NULL;
    *len = p[1] == '{' ? n + 3 : n + 1;
    return n > 0 ? arena_strndup(a, p + (p[1] == '{' ? 2 : 1), n) : NULL;
}

/* os.path.expandvars: what is not set stays as it is written. */
static const struct value *filter_expandvars(struct evaluator *ev, const struct value *in,
                                             const struct call *c)
{
    const struct value *text = ev_text(ev, in);
    struct str out;

    UNUSED(c);
    if (!text || ev_charge(ev, text->u.str.len) < 0)
        return NULL;
    str_init(&out, JINJA_MAX_OUTPUT);
    for (const char *p = text->u.str.s; *p;) {
        size_t len = 1;
        const char *name = *p == '$' ? variable_at(ev->arena, p, &len) : NULL;
        const char *set = name ? environment(ev, name) : NULL;

        if (set)
            str_puts(&out, set);
        else
            str_add(&out, p, len);
        p += len;
    }
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

static bool text_is_whole(const struct str *out)
{
    return utf8_valid(out->buf, out->len) && !memchr(out->buf, '\0', out->len);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* urllib.parse.unquote_plus(); bytes that would be no text are refused. */
static const struct value *filter_urldecode(struct evaluator *ev, const struct value *in,
                                            const struct call *c)
{
    struct str out;

    UNUSED(c);
    if (in->type != VALUE_STR)
        return ev_fail(ev, "urldecode works on a string, not on %s", python_type(in));
    str_init(&out, JINJA_MAX_OUTPUT);
    for (const char *p = in->u.str.s; *p; p++) {
        int high = *p == '%' ? hex_digit(p[1]) : -1, low = high < 0 ? -1 : hex_digit(p[2]);

        str_putc(&out, low >= 0 ? (char)(high * 16 + low) : *p == '+' ? ' ' : *p);
        p += low >= 0 ? 2 : 0;
    }
    if (!text_is_whole(&out)) {
        str_release(&out);
        return ev_fail(ev, "urldecode: the result is no text");
    }
    return ev_take(ev, &out);
}

static const struct filter rows[] = {
    {"basename", "", 0, 0, filter_basename, "the last part of a path"},
    {"commonpath", "", 0, 0, filter_commonpath, "the longest path that all begin with"},
    {"dirname", "", 0, 0, filter_dirname, "a path without its last part"},
    {"expanduser", "", 0, 0, filter_expanduser, "a path whose ~ is the home folder here"},
    {"expandvars", "", 0, 0, filter_expandvars,
     "the text with $NAME and ${NAME} of this machine's environment filled in"},
    {"normpath", "", 0, 0, filter_normpath, "a path without `.`, `..` and double slashes"},
    {"path_join", "", 0, 0, filter_path_join, "one path of a list of parts"},
    {"relpath", "start", 0, 0, filter_relpath, "the way from the folder start to a path"},
    {"splitext", "", 0, 0, filter_splitext, "a path's root and extension"},
    {"urldecode", "", 0, 0, filter_urldecode, "the text that was part of a URL"},
    {"urlencode", "", 0, 0, filter_urlencode, "the text as part of a URL; a dict as its query"},
    {"urlsplit", "query", 0, 0, filter_urlsplit, "the parts of a URL, or one of them"},
};

const struct filter_table filters_path = {rows, ARRAY_LEN(rows)};
