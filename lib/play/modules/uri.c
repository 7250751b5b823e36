/*
 * uri.c - module uri: an HTTP request made by the host. It changes nothing of the host but `dest`.
 *
 * The host's curl makes it, with everything secret in its configuration on standard input; where
 * there is none, bash's /dev/tcp speaks plain HTTP/1.0. The answer, header and body, comes back as
 * it is and is taken apart here.
 */
#include <ctype.h>

#include "lib/doc/json.h"
#include "lib/jinja/jinja.h"
#include "lib/play/curl_config.h"
#include "lib/play/filechange.h"
#include "lib/play/multipart.h"

static const struct module_arg args[] = {
    {"url", ARG_STR, true, NULL, NULL, NULL, "http:// or, where the host has curl, https://"},
    {"method", ARG_STR, false, "GET", NULL, NULL, "GET, POST, PUT, ..."},
    {"status_code", ARG_LIST, false, "200", NULL, NULL, "What counts as success; a list"},
    {"return_content", ARG_BOOL, false, "no", NULL, NULL, "Return the body as content"},
    {"body", ARG_RAW, false, NULL, NULL, NULL, "What is sent"},
    {"body_format", ARG_STR, false, "raw", "form-multipart|form-urlencoded|json|raw", NULL,
     "How lists and maps are written; form-urlencoded: a map, or a list of pairs; form-multipart: "
     "a "
     "map of texts, and of maps with content, filename (a file of this machine, looked up in "
     "files/, "
     "when there is no content), mime_type and multipart_encoding (base64 or 7or8bit)"},
    {"headers", ARG_MAP, false, NULL, NULL, NULL, "Further header fields"},
    {"url_username", ARG_STR, false, NULL, NULL, "user", "For basic authentication"},
    {"url_password", ARG_STR, false, NULL, NULL, "password", "For basic authentication"},
    {"force_basic_auth", ARG_BOOL, false, "no", NULL, NULL, "Accepted: it is always sent"},
    {"follow_redirects", ARG_STR, false, "safe", "all|no|none|safe|yes", NULL,
     "safe: of GET and HEAD; only with the host's curl"},
    {"validate_certs", ARG_BOOL, false, "yes", NULL, NULL, "no: accept any certificate"},
    {"ca_path", ARG_PATH, false, NULL, NULL, NULL, "Certificates to trust, a file of the host"},
    {"timeout", ARG_INT, false, "30", NULL, NULL, "Seconds"},
    {"src", ARG_PATH, false, NULL, NULL, NULL,
     "Instead of body, a file of this machine, looked up in files/"},
    {"remote_src", ARG_BOOL, false, "no", NULL, NULL, "src is a file of the host; needs its curl"},
    {"dest", ARG_PATH, false, NULL, NULL, NULL,
     "File that the body goes to; when it is there, only what is newer is asked for; needs curl"},
    FILE_ATTRIBUTE_ARGS,
    {"force", ARG_BOOL, false, "no", NULL, NULL, "Ask caches for nothing, and dest may be older"},
    {"creates", ARG_PATH, false, NULL, NULL, NULL, "No request when this path exists"},
    {"removes", ARG_PATH, false, NULL, NULL, NULL, "No request when this path does not exist"},
    {"unix_socket", ARG_PATH, false, NULL, NULL, NULL, "Socket to speak to; needs curl"},
    {"use_proxy", ARG_BOOL, false, "yes", NULL, NULL, "Use the proxy of the environment"},
    {"http_agent", ARG_STR, false, "ansible-httpget", NULL, NULL, "Header field User-Agent"},
    {"client_cert", ARG_PATH, false, NULL, NULL, NULL, "Certificate to show, a file of the host"},
    {"client_key", ARG_PATH, false, NULL, NULL, NULL, "Its key, when it is another file"},
    {"ciphers", ARG_LIST, false, NULL, NULL, NULL, "OpenSSL's names; needs curl"},
    {"use_netrc", ARG_BOOL, false, "yes", NULL, NULL,
     "Without url_username: the login of ~/.netrc; only with the host's curl"},
    {"decompress", ARG_BOOL, false, "yes", NULL, NULL, "Accepted: nothing compressed is asked for"},
    {"use_gssapi", ARG_REFUSED, false, "no", NULL, NULL, "use command: curl --negotiate"},
    {"unredirected_headers", ARG_REFUSED, false, NULL, NULL, NULL,
     "a redirect gets all header fields: use follow_redirects: none and a second task"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

struct request {
    bool https;
    const char *host, *port, *target; /* target: path and query */
    const char *method;
    const char *body;     /* NULL: none */
    const char *boundary; /* of its parts; NULL: it has none */
    const char *auth;     /* base64 of user:password; NULL: none */
    const char *dest;     /* NULL: none */
};

#define FALLBACK_MISSING 97 /* status of the fragment when neither program is there */

/* --- the request ------------------------------------------------------------------------------ */

static int parse_url(struct module_call *call, const char *url, struct request *request,
                     struct err *err)
{
    const char *p, *end, *colon;

    request->https = str_starts(url, "https://");
    if ((!request->https && !str_starts(url, "http://")) || !curl_is_clean(url) || strchr(url, ' '))
        return err_set(err, ERR_INPUT, "url must be http://... or https://..., not '%.80s'", url);
    p = url + (request->https ? 8 : 7);
    end = p + strcspn(p, "/?#");
    if (memchr(p, '@', (size_t)(end - p)))
        return err_set(err, ERR_INPUT, "give url_username and url_password, not in the url");
    colon = *p == '[' ? strchr(p, ']') : p;
    colon = colon ? memchr(colon, ':', colon < end ? (size_t)(end - colon) : 0) : NULL;
    request->port = colon ? arena_strndup(call->arena, colon + 1, (size_t)(end - colon - 1))
                    : request->https ? "443"
                                     : "80";
    request->host = arena_strndup(call->arena, p, (size_t)((colon ? colon : end) - p));
    request->target =
        arena_printf(call->arena, "%s%.*s", *end == '/' ? "" : "/", (int)strcspn(end, "#"), end);
    if (!*request->host || !*request->port ||
        request->port[strspn(request->port, "0123456789")] != '\0')
        return err_set(err, ERR_INPUT, "no host or port in url '%.80s'", url);
    return 0;
}

/* As Python's quote_plus. */
static void put_quoted(const struct value *v, struct str *out)
{
    struct str plain;

    str_init(&plain, STR_MAX_TEXT);
    jinja_put(v, &plain);
    for (size_t i = 0; i < plain.len; i++) {
        unsigned char c = (unsigned char)plain.buf[i];

        if (isalnum(c) || (c && strchr("_.-~", c)))
            str_putc(out, (char)c);
        else if (c == ' ')
            str_putc(out, '+');
        else
            str_printf(out, "%%%02X", c);
    }
    str_release(&plain);
}

/* key=value, once for each value of a list; null is left out. */
static void put_field(const struct value *key, const struct value *v, struct str *out)
{
    if (v->type == VALUE_LIST) {
        for (size_t i = 0; i < v->u.list.n; i++)
            put_field(key, v->u.list.items[i], out);
        return;
    }
    if (v->type == VALUE_NULL)
        return;
    str_puts(out, out->len ? "&" : "");
    put_quoted(key, out);
    str_putc(out, '=');
    put_quoted(v, out);
}

static void put_form(struct module_call *call, const struct value *body, struct str *out)
{
    for (size_t i = 0; body->type == VALUE_MAP && i < body->u.map.n; i++)
        put_field(value_str(call->arena, body->u.map.entries[i].key), body->u.map.entries[i].value,
                  out);
    for (size_t i = 0; body->type == VALUE_LIST && i < body->u.list.n; i++) {
        const struct value *pair = body->u.list.items[i];

        if (pair->type == VALUE_LIST && pair->u.list.n == 2)
            put_field(pair->u.list.items[0], pair->u.list.items[1], out);
    }
}

static const char *make_body(struct module_call *call)
{
    const struct value *body = value_get(call->args, "body");
    const char *format = value_get_str(call->args, "body_format", "raw"), *kept;
    struct str text;

    if (!body)
        return NULL;
    str_init(&text, STR_MAX_TEXT);
    if (!value_is_str(body) && str_eq(format, "json"))
        json_write(body, JSON_LINE, &text);
    else if (!value_is_str(body) && str_eq(format, "form-urlencoded"))
        put_form(call, body, &text);
    else
        jinja_put(body, &text);
    kept = arena_strdup(call->arena, text.buf);
    str_release(&text);
    return kept;
}

static int make_parts(struct module_call *call, struct request *request, struct err *err)
{
    struct str text;
    int rc;

    str_init(&text, STR_MAX_TEXT);
    rc = multipart_put(call, value_get(call->args, "body"), &text, &request->boundary, err);
    request->body = arena_strdup(call->arena, text.buf);
    str_release(&text);
    return rc;
}

/* What the body's format says of it, NULL: nothing. */
static const char *body_type(const struct module_call *call, const struct request *request)
{
    const char *format = value_get_str(call->args, "body_format", "raw");

    if (request->boundary)
        return arena_printf(call->arena, "multipart/form-data; boundary=\"%s\"", request->boundary);
    return str_eq(format, "json")              ? "application/json"
           : str_eq(format, "form-urlencoded") ? "application/x-www-form-urlencoded"
                                               : NULL;
}

static const char *make_auth(struct module_call *call)
{
    const char *user = value_get_str(call->args, "url_username", NULL);
    const char *pair = arena_printf(call->arena, "%s:%s", user ? user : "",
                                    value_get_str(call->args, "url_password", ""));
    struct str text;
    const char *kept;

    if (!user)
        return NULL;
    str_init(&text, STR_MAX_TEXT);
    str_put_base64(&text, pair, strlen(pair));
    kept = arena_strdup(call->arena, text.buf);
    str_release(&text);
    return kept;
}

/* A file of ours is sent as the body. */
static int read_source(struct module_call *call, struct request *request, struct err *err)
{
    const char *src = value_get_str(call->args, "src", NULL), *path;
    struct str text;
    int rc;

    if (src && request->body)
        return err_set(err, ERR_INPUT, "parameters are mutually exclusive: body|src");
    if (!src || value_get_bool(call->args, "remote_src", false))
        return 0;
    str_init(&text, STR_MAX_TEXT);
    rc = file_source(call, src, &text, &path, err);
    if (rc == 0 && memchr(text.buf, '\0', text.len))
        rc = err_set(err, ERR_INPUT,
                     "uri: %s is no text: copy it to the host, with remote_src: yes", src);
    request->body = arena_strdup(call->arena, text.buf);
    str_release(&text);
    return rc;
}

static int check_texts(const struct module_call *call, struct err *err)
{
    static const char *const texts[] = {"http_agent", "unix_socket", "client_cert", "client_key",
                                        "ca_path",    "src",         "dest"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (!curl_is_clean(value_get_str(call->args, texts[i], "")))
            return err_set(err, ERR_INPUT, "uri: %s holds control characters", texts[i]);
    return curl_check_headers(value_get(call->args, "headers"), err);
}

static void path_needs(struct module_call *call, struct request *request, need_add *add, void *ctx)
{
    static const char *const paths[] = {"creates", "removes"};
    const char *dest = value_get_str(call->args, "dest", NULL);

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const char *path = value_get_str(call->args, paths[i], NULL);
        struct need need = {.kind = NEED_PATH};

        if (!path)
            continue;
        need.name = file_clean_path(call, path);
        add(ctx, &need);
    }
    if (!dest)
        return;
    request->dest = file_clean_path(call, dest);
    file_content_needs(call, request->dest, NULL, false, false, add, ctx);
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct request *request = arena_new(call->arena, struct request);
    const char *method = value_get_str(call->args, "method", "GET");
    char *upper = arena_strdup(call->arena, method);

    for (char *p = upper; *p; p++) {
        *p = (char)toupper((unsigned char)*p);
        if (!isupper((unsigned char)*p))
            return err_set(err, ERR_INPUT, "method must be one word, like GET, not '%s'", method);
    }
    if (parse_url(call, value_get_str(call->args, "url", ""), request, err) < 0 ||
        check_texts(call, err) < 0)
        return -1;
    request->method = upper;
    if (str_eq(value_get_str(call->args, "body_format", "raw"), "form-multipart")) {
        if (make_parts(call, request, err) < 0)
            return -1;
    } else {
        request->body = make_body(call);
    }
    request->auth = make_auth(call);
    call->own = request;
    path_needs(call, request, add, ctx);
    return read_source(call, request, err);
}

/* Every header field but Host and the length; `put` writes one. */
static void each_header(struct module_call *call, const struct request *request,
                        void (*put)(struct str *out, const char *line), struct str *out)
{
    const struct value *headers = value_get(call->args, "headers");
    bool typed = false, named = false;

    for (size_t i = 0; headers && i < headers->u.map.n; i++) {
        const struct value_entry *entry = &headers->u.map.entries[i];
        struct str line;

        if (request->boundary && strcasecmp(entry->key, "content-type") == 0)
            continue;
        str_init(&line, STR_MAX_TEXT);
        str_printf(&line, "%s: ", entry->key);
        jinja_put(entry->value, &line);
        put(out, line.buf);
        str_release(&line);
        typed = typed || strcasecmp(entry->key, "content-type") == 0;
        named = named || strcasecmp(entry->key, "user-agent") == 0;
    }
    if (!named)
        put(out, arena_printf(call->arena, "User-Agent: %s",
                              value_get_str(call->args, "http_agent", "")));
    if (value_get_bool(call->args, "force", false))
        put(out, "Cache-Control: no-cache");
    if (!typed && request->body && body_type(call, request))
        put(out, arena_printf(call->arena, "Content-Type: %s", body_type(call, request)));
    if (request->auth)
        put(out, arena_printf(call->arena, "Authorization: Basic %s", request->auth));
}

static void put_plain_header(struct str *out, const char *line)
{
    str_printf(out, "%s\r\n", line);
}

static void put_curl_header(struct str *out, const char *line)
{
    curl_put(out, "header", line);
}

static bool follows(const struct module_call *call, const struct request *request)
{
    const char *follow = value_get_str(call->args, "follow_redirects", "safe");

    if (str_eq(follow, "safe"))
        return str_eq(request->method, "GET") || str_eq(request->method, "HEAD");
    return str_eq(follow, "all") || str_eq(follow, "yes");
}

/* Which way the request goes, and who makes it. */
static void curl_put_way(struct module_call *call, const struct request *request, struct str *out)
{
    static const char *const files[][2] = {{"unix_socket", "unix-socket"},
                                           {"ca_path", "cacert"},
                                           {"client_cert", "cert"},
                                           {"client_key", "key"}};
    const char *ciphers = curl_ciphers(call);

    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (value_get(call->args, files[i][0]))
            curl_put(out, files[i][1], value_get_str(call->args, files[i][0], ""));
    if (ciphers)
        curl_put(out, "ciphers", ciphers);
    if (!value_get_bool(call->args, "validate_certs", true))
        str_puts(out, "insecure\n");
    if (!value_get_bool(call->args, "use_proxy", true))
        curl_put(out, "noproxy", "*");
    if (!request->auth && value_get_bool(call->args, "use_netrc", true))
        str_puts(out, "netrc-optional\n");
}

static void curl_put_body(struct module_call *call, const struct request *request, struct str *out)
{
    if (request->body)
        curl_put(out, "data-raw", request->body);
    else if (value_get(call->args, "src"))
        curl_put(out, "data-binary",
                 arena_printf(call->arena, "@%s", value_get_str(call->args, "src", "")));
}

/* since: only what is newer than this file; NULL: in any case. */
static void curl_config(struct module_call *call, const struct request *request, const char *since,
                        struct str *out)
{
    curl_put(out, "url", value_get_str(call->args, "url", ""));
    if (str_eq(request->method, "HEAD"))
        str_puts(out, "head\n");
    else
        curl_put(out, "request", request->method);
    str_printf(out, "%ssilent\nshow-error\nmax-time = %lld\n", request->dest ? "" : "include\n",
               (long long)value_get_int(call->args, "timeout", 30));
    if (follows(call, request))
        str_puts(out, "location\n");
    if (since)
        curl_put(out, "time-cond", since);
    curl_put_way(call, request, out);
    each_header(call, request, put_curl_header, out);
    curl_put_body(call, request, out);
}

static void plain_request(struct module_call *call, const struct request *request, struct str *out)
{
    str_printf(out, "%s %s HTTP/1.0\r\nHost: %s:%s\r\nConnection: close\r\nAccept: */*\r\n",
               request->method, request->target, request->host, request->port);
    each_header(call, request, put_plain_header, out);
    if (request->body)
        str_printf(out, "Content-Length: %zu\r\n", strlen(request->body));
    str_printf(out, "\r\n%s", request->body ? request->body : "");
}

/* As os.path.exists: a link counts by what it leads to. */
/* Without curl, what bash can do. */
static void put_bash(struct module_call *call, const struct request *request, struct str *script)
{
    const char *host = request->host;
    struct str text;

    str_init(&text, STR_MAX_TEXT);
    plain_request(call, request, &text);
    str_puts(script, "elif command -v bash >/dev/null; then\n");
    curl_put_input(&text, script);
    str_printf(script, "timeout %lld bash -c 'exec 3<>\"/dev/tcp/$0/$1\" && cat >&3 && cat <&3' ",
               (long long)value_get_int(call->args, "timeout", 30));
    str_put_shell(script,
                  *host == '[' ? arena_strndup(call->arena, host + 1, strlen(host) - 2) : host);
    str_printf(script, " %s\n", request->port);
    str_release(&text);
}

static bool needs_curl(const struct module_call *call, const struct request *request)
{
    return request->https || request->dest || value_get(call->args, "unix_socket") ||
           value_get_bool(call->args, "remote_src", false);
}

/* The body into $t, and in its place when the status is wanted; header and body are told. */
static void put_to_file(struct module_call *call, const struct request *request,
                        const struct path_state *now, const struct str *config, struct str *script)
{
    const struct value *wanted = value_get(call->args, "status_code");
    const char *word = file_word(call, request->dest);
    struct file_attributes want = file_attributes_of(call);
    struct str steps;

    str_init(&steps, STR_MAX_TEXT);
    file_put_attributes(&want, now, now->type != 0, "\"$t\"", &steps);
    file_put_temporary(call, request->dest, "t", script);
    str_puts(script, " && {\ntrap 'rm -f \"$t\" \"$t.head\"' EXIT\ns=$(\n");
    curl_put_input(config, script);
    str_puts(script, "curl -K - -D \"$t.head\" -o \"$t\" -w '%{http_code}') || exit\n"
                     "cat \"$t.head\" \"$t\"\ncase $s in\n304) exit 0 ;;\n");
    for (size_t i = 0; i < wanted->u.list.n; i++)
        str_printf(script, "%s%d", i ? " | " : "", atoi(wanted->u.list.items[i]->u.str.s));
    str_printf(script,
               ") ;;\n*) exit 0 ;;\nesac\n"
               "%s &&\nif cmp -s \"$t\" %s; then\n"
               "chown --reference=\"$t\" %s && chmod --reference=\"$t\" %s\n"
               "else\nsync \"$t\" && mv -fT \"$t\" %s\nfi\n}\n",
               steps.buf, word, word, word, word);
    str_release(&steps);
}

static void note_dest(struct world *world, const struct module_call *call,
                      const struct request *request)
{
    struct path_state *now = world_path(world, request->dest);
    struct file_attributes want = file_attributes_of(call);

    if (now->type == 0)
        *now = (struct path_state){.type = 'f', .mode = 0644, .owner = "root", .group = "root"};
    now->content = NULL;
    now->content_asked = true;
    now->sha256 = NULL;
    now->size = SIZE_UNKNOWN;
    file_note_attributes(world, request->dest, &want);
}

static void put_request(struct module_call *call, struct world *world,
                        const struct request *request, struct module_plan *out)
{
    const struct path_state *now = request->dest ? world_path(world, request->dest) : NULL;
    bool since = now && now->type == 'f' && !value_get_bool(call->args, "force", false);
    struct str config;

    str_init(&config, STR_MAX_TEXT);
    curl_config(call, request, since ? request->dest : NULL, &config);
    str_puts(&out->script, "if command -v curl >/dev/null; then\n");
    if (now) {
        struct str steps;

        str_init(&steps, STR_MAX_TEXT);
        put_to_file(call, request, now, &config, &steps);
        str_puts(&out->script, steps.buf);
        str_release(&steps);
    } else {
        curl_put_input(&config, &out->script);
        str_puts(&out->script, "curl -K -\n");
    }
    if (!needs_curl(call, request))
        put_bash(call, request, &out->script);
    str_printf(&out->script, "else (exit %d)\nfi", FALLBACK_MISSING);
    str_release(&config);
}

/* creates, removes: NULL when the request is to be made. */
static const char *why_not(struct module_call *call, struct world *world)
{
    const char *creates = value_get_str(call->args, "creates", NULL);
    const char *removes = value_get_str(call->args, "removes", NULL);

    if (creates && file_is_there(world_path(world, file_clean_path(call, creates))))
        return arena_printf(call->arena, "skipped, since '%s' exists", creates);
    if (removes && !file_is_there(world_path(world, file_clean_path(call, removes))))
        return arena_printf(call->arena, "skipped, since '%s' does not exist", removes);
    return NULL;
}

static void put_skipped(struct module_call *call, struct module_plan *out, const char *text)
{
    struct value *lines = value_list(call->arena);

    value_list_add(call->arena, lines, value_str(call->arena, text));
    plan_result_str(call, out, "stdout", text);
    value_map_set(call->arena, out->result, "stdout_lines", lines);
}

static int check_dest(struct module_call *call, struct world *world, const struct request *request,
                      struct err *err)
{
    const char *dir = file_dir(call, request->dest);

    if (file_is_folder(world_path(world, request->dest)))
        return err_set(err, ERR_INPUT, "uri: dest %s is a folder: name the file", request->dest);
    if (world_path(world, dir)->type == 0 && !call->check_mode)
        return err_set(err, ERR_FAILED, "Destination directory %s does not exist", dir);
    return 0;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct request *request = call->own;
    long long limit = value_get_int(call->args, "timeout", 30);
    const char *skipped = why_not(call, world);

    plan_result_bool(call, out, "changed", false);
    if (skipped) {
        out->kind = PLAN_OK;
        put_skipped(call, out, skipped);
        return 0;
    }
    if (request->dest && check_dest(call, world, request, err) < 0)
        return -1;
    out->kind = PLAN_CHANGE;
    out->captures = true;
    out->timeout_ms = (int)(limit > 86400 ? 86400 : limit + 10) * 1000;
    put_request(call, world, request, out);
    if (!request->dest)
        return 0;
    plan_result_str(call, out, "path", request->dest);
    plan_say(call, out, "the answer goes to %s", request->dest);
    note_dest(world, call, request);
    return 0;
}

/* ---- the answer ---- */

/* Sets header fields as Ansible names them: content_type, etag. Returns the body, or NULL when the
 * text is no answer. An answer that another follows (100, redirects) is passed over. */
static const char *read_answer(struct module_call *call, const char *text, int *status,
                               struct value *result)
{
    const char *line;

    if (!str_starts(text, "HTTP/") || !strchr(text, ' '))
        return NULL;
    *status = atoi(strchr(text, ' ') + 1);
    for (line = text; *line; line++) {
        size_t len = strcspn(line, "\r\n");
        const char *colon = memchr(line, ':', len);

        if (len == 0)
            break;
        if (colon && line != text) {
            char *key = arena_strndup(call->arena, line, (size_t)(colon - line));

            for (char *p = key; *p; p++)
                *p = *p == '-' ? '_' : (char)tolower((unsigned char)*p);
            colon += 1 + strspn(colon + 1, " \t");
            value_map_set(call->arena, result, key,
                          value_strn(call->arena, colon, (size_t)(line + len - colon)));
        }
        line += len;
        line += *line == '\r';
        if (!*line)
            break;
    }
    line += *line == '\r';
    line += *line == '\n';
    if (str_starts(line, "HTTP/") && (*status < 200 || (*status >= 300 && *status < 400)))
        return read_answer(call, line, status, result);
    return line;
}

static bool is_wanted(const struct module_call *call, int status)
{
    const struct value *wanted = value_get(call->args, "status_code");

    for (size_t i = 0; i < wanted->u.list.n; i++)
        if (atoi(wanted->u.list.items[i]->u.str.s) == status)
            return true;
    return false;
}

static const char *wanted_text(struct module_call *call)
{
    struct str text;
    const char *kept;
    const struct value *wanted = value_get(call->args, "status_code");

    str_init(&text, STR_MAX_TEXT);
    for (size_t i = 0; i < wanted->u.list.n; i++)
        str_printf(&text, "%s%s", i ? ", " : "", wanted->u.list.items[i]->u.str.s);
    kept = arena_strdup(call->arena, text.buf);
    str_release(&text);
    return kept;
}

static void set_body(struct module_call *call, struct module_plan *done, const char *body,
                     bool wanted)
{
    struct err ignored = ERR_INIT;
    struct value *json = NULL;

    if (strstr(value_get_str(done->result, "content_type", ""), "json"))
        json = json_parse(call->arena, "body", body, strlen(body), &ignored);
    err_release(&ignored);
    if (json)
        value_map_set(call->arena, done->result, "json", json);
    if (value_get_bool(call->args, "return_content", false) || !wanted)
        plan_result_str(call, done, "content", body);
}

static void finish(struct module_call *call, struct module_plan *done, int rc, const char *out,
                   const char *errout)
{
    struct value *result = plan_result(call, done);
    const struct request *request = call->own;
    int status = -1;
    const char *body = rc == 0 || *out ? read_answer(call, out, &status, result) : NULL;
    bool wanted = body && is_wanted(call, status);
    const char *why = body                     ? arena_printf(call->arena, "HTTP Error %d", status)
                      : rc == FALLBACK_MISSING ? "the host has neither curl nor bash for this url"
                      : *errout                ? errout
                                               : "no answer";

    plan_result_bool(call, done, "changed", false);
    plan_result_int(call, done, "status", status);
    plan_result_str(call, done, "url", value_get_str(call->args, "url", ""));
    if (body)
        set_body(call, done, body, wanted);
    if (wanted && (rc == 0 || !request->dest)) {
        plan_result_bool(call, done, "changed", request->dest && status != 304);
        plan_result_str(call, done, "msg",
                        arena_printf(call->arena, "OK (%zu bytes)", strlen(body)));
        return;
    }
    plan_result_bool(call, done, "failed", true);
    plan_result_str(call, done, "msg",
                    wanted ? errout
                           : arena_printf(call->arena, "Status code was %d and not [%s]: %s",
                                          status, wanted_text(call), why));
}

const struct module module_uri = {
    .name = "uri",
    .help = "Makes an HTTP request from the host.",
    .args = args,
    .needs = needs,
    .plan = plan,
    .finish = finish,
};
