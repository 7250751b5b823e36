/*
 * uri.c - module uri: an HTTP request made by the host. It changes nothing of the host.
 *
 * The host's curl makes it, with everything secret in its configuration on standard input; where
 * there is none, bash's /dev/tcp speaks plain HTTP/1.0. The answer, header and body, comes back as
 * it is and is taken apart here.
 */
#include <ctype.h>

#include "lib/doc/json.h"
#include "lib/jinja/jinja.h"
#include "lib/play/curl_config.h"
#include "lib/play/planout.h"

static const struct module_arg args[] = {
    {"url", ARG_STR, true, NULL, NULL, NULL, "http:// or, where the host has curl, https://"},
    {"method", ARG_STR, false, "GET", NULL, NULL, "GET, POST, PUT, ..."},
    {"status_code", ARG_LIST, false, "200", NULL, NULL, "What counts as success; a list"},
    {"return_content", ARG_BOOL, false, "no", NULL, NULL, "Return the body as content"},
    {"body", ARG_RAW, false, NULL, NULL, NULL, "What is sent"},
    {"body_format", ARG_STR, false, "raw", "json|raw", NULL, "json: lists and maps are written so"},
    {"headers", ARG_MAP, false, NULL, NULL, NULL, "Further header fields"},
    {"url_username", ARG_STR, false, NULL, NULL, "user", "For basic authentication"},
    {"url_password", ARG_STR, false, NULL, NULL, "password", "For basic authentication"},
    {"force_basic_auth", ARG_BOOL, false, "no", NULL, NULL, "Accepted: it is always sent"},
    {"follow_redirects", ARG_STR, false, "safe", "all|no|none|safe|yes", NULL,
     "safe: of GET and HEAD; only with the host's curl"},
    {"validate_certs", ARG_BOOL, false, "yes", NULL, NULL, "no: accept any certificate"},
    {"ca_path", ARG_PATH, false, NULL, NULL, NULL, "Certificates to trust, a file of the host"},
    {"timeout", ARG_INT, false, "30", NULL, NULL, "Seconds"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

struct request {
    bool https;
    const char *host, *port, *target; /* target: path and query */
    const char *method;
    const char *body; /* NULL: none */
    const char *auth; /* base64 of user:password; NULL: none */
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

static const char *make_body(struct module_call *call)
{
    const struct value *body = value_get(call->args, "body");
    bool json = str_eq(value_get_str(call->args, "body_format", ""), "json");
    struct str text;
    const char *kept;

    if (!body)
        return NULL;
    str_init(&text, STR_MAX_TEXT);
    if (value_is_str(body) || !json)
        jinja_put(body, &text);
    else
        json_write(body, JSON_LINE, &text);
    kept = arena_strdup(call->arena, text.buf);
    str_release(&text);
    return kept;
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

static int needs(struct module_call *call, void (*add)(void *ctx, const struct need *need),
                 void *ctx, struct err *err)
{
    struct request *request = arena_new(call->arena, struct request);
    const char *method = value_get_str(call->args, "method", "GET");
    char *upper = arena_strdup(call->arena, method);

    UNUSED(add);
    UNUSED(ctx);
    for (char *p = upper; *p; p++) {
        *p = (char)toupper((unsigned char)*p);
        if (!isupper((unsigned char)*p))
            return err_set(err, ERR_INPUT, "method must be one word, like GET, not '%s'", method);
    }
    if (parse_url(call, value_get_str(call->args, "url", ""), request, err) < 0 ||
        curl_check_headers(value_get(call->args, "headers"), err) < 0)
        return -1;
    request->method = upper;
    request->body = make_body(call);
    request->auth = make_auth(call);
    call->own = request;
    return 0;
}

/* Every header field but Host and the length; `put` writes one. */
static void each_header(struct module_call *call, const struct request *request,
                        void (*put)(struct str *out, const char *line), struct str *out)
{
    const struct value *headers = value_get(call->args, "headers");
    bool typed = false;

    for (size_t i = 0; headers && i < headers->u.map.n; i++) {
        const struct value_entry *entry = &headers->u.map.entries[i];
        struct str line;

        str_init(&line, STR_MAX_TEXT);
        str_printf(&line, "%s: ", entry->key);
        jinja_put(entry->value, &line);
        put(out, line.buf);
        str_release(&line);
        typed = typed || strcasecmp(entry->key, "content-type") == 0;
    }
    if (!typed && request->body && str_eq(value_get_str(call->args, "body_format", ""), "json"))
        put(out, "Content-Type: application/json");
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

static void curl_config(struct module_call *call, const struct request *request, struct str *out)
{
    const char *ca_path = value_get_str(call->args, "ca_path", NULL);

    curl_put(out, "url", value_get_str(call->args, "url", ""));
    if (str_eq(request->method, "HEAD"))
        str_puts(out, "head\n");
    else
        curl_put(out, "request", request->method);
    str_printf(out, "include\nsilent\nshow-error\nmax-time = %lld\n",
               (long long)value_get_int(call->args, "timeout", 30));
    if (follows(call, request))
        str_puts(out, "location\n");
    if (!value_get_bool(call->args, "validate_certs", true))
        str_puts(out, "insecure\n");
    if (ca_path)
        curl_put(out, "cacert", ca_path);
    each_header(call, request, put_curl_header, out);
    if (request->body)
        curl_put(out, "data-raw", request->body);
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

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct request *request = call->own;
    long long limit = value_get_int(call->args, "timeout", 30);
    struct str text;

    UNUSED(world);
    UNUSED(err);
    out->kind = PLAN_CHANGE;
    out->captures = true;
    out->timeout_ms = (int)(limit > 86400 ? 86400 : limit + 10) * 1000;
    plan_result_bool(call, out, "changed", false);
    str_init(&text, STR_MAX_TEXT);
    curl_config(call, request, &text);
    str_puts(&out->script, "if command -v curl >/dev/null; then\n");
    curl_put_input(&text, &out->script);
    str_puts(&out->script, "curl -K -\n");
    str_clear(&text);
    if (!request->https) {
        plain_request(call, request, &text);
        str_puts(&out->script, "elif command -v bash >/dev/null; then\n");
        curl_put_input(&text, &out->script);
        str_printf(&out->script,
                   "timeout %lld bash -c 'exec 3<>\"/dev/tcp/$0/$1\" && cat >&3 && cat <&3' ",
                   limit);
        str_put_shell(&out->script,
                      *request->host == '['
                          ? arena_strndup(call->arena, request->host + 1, strlen(request->host) - 2)
                          : request->host);
        str_printf(&out->script, " %s\n", request->port);
    }
    str_printf(&out->script, "else (exit %d)\nfi", FALLBACK_MISSING);
    str_release(&text);
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
    if (wanted) {
        plan_result_str(call, done, "msg",
                        arena_printf(call->arena, "OK (%zu bytes)", strlen(body)));
        return;
    }
    plan_result_bool(call, done, "failed", true);
    plan_result_str(call, done, "msg",
                    arena_printf(call->arena, "Status code was %d and not [%s]: %s", status,
                                 wanted_text(call), why));
}

const struct module module_uri = {
    .name = "uri",
    .help = "Makes an HTTP request from the host.",
    .args = args,
    .needs = needs,
    .plan = plan,
    .finish = finish,
};
