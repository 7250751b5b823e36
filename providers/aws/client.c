/* client.c - one call, with its repetitions. */
#include "providers/aws/client.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/net/http.h"
#include "providers/aws/sigv4.h"
#include "providers/aws/xml.h"

enum {
    ANSWER_MAX = 8 << 20, /* a thousand instances are 4 MiB */
    CALL_TIMEOUT_MS = 30000,
    DEFAULT_ATTEMPTS = 3,
    BACKOFF_MS = 1000,
    BACKOFF_MAX_MS = 20000,
    RETRY_AFTER_MAX_S = 60,
    BUCKET_SIZE = 500,
    COST_RETRY = 5,
    COST_TIMEOUT = 10,
    PAGES_MAX = 1000
};

const struct aws_service aws_ec2 = {"ec2", "2016-11-15", false};
const struct aws_service aws_iam = {"iam", "2010-05-08", true};
const struct aws_service aws_sts = {"sts", "2011-06-15", false};

struct aws_keys aws_keys_copy(const struct aws_keys *k)
{
    return (struct aws_keys){k->id ? xstrdup(k->id) : NULL, k->secret ? xstrdup(k->secret) : NULL,
                             k->token ? xstrdup(k->token) : NULL};
}

void aws_keys_release(struct aws_keys *k)
{
    if (k->secret)
        explicit_bzero(k->secret, strlen(k->secret));
    free(k->id);
    free(k->secret);
    free(k->token);
    *k = (struct aws_keys){0};
}

void aws_call_init(struct aws_call *c, const struct aws_service *service, const char *action)
{
    *c = (struct aws_call){.service = service, .action = action};
    arena_init(&c->arena);
}

void aws_call_release(struct aws_call *c)
{
    vec_release(&c->params);
    arena_release(&c->arena);
}

void aws_put(struct aws_call *c, const char *value, const char *name, ...)
{
    struct aws_param p = {NULL, arena_strdup(&c->arena, value)};
    va_list args;

    va_start(args, name);
    p.name = arena_vprintf(&c->arena, name, args);
    va_end(args);
    vec_push(&c->params, p);
}

/* ---- a request ---- */

/* https://docs.aws.amazon.com/general/latest/gr/rande.html */
static char *url_of(const struct aws_client *c, const struct aws_service *s)
{
    const char *domain = str_starts(c->region, "cn-") ? "amazonaws.com.cn" : "amazonaws.com";

    if (c->endpoint)
        return xasprintf("%s%s", c->endpoint,
                         c->endpoint[strlen(c->endpoint) - 1] == '/' ? "" : "/");
    if (s->global)
        return xasprintf("https://%s.%s/", s->name, domain);
    return xasprintf("https://%s.%s.%s/", s->name, c->region, domain);
}

static const char *signing_region(const struct aws_client *c, const struct aws_service *s)
{
    if (!s->global)
        return c->region;
    return str_starts(c->region, "cn-") ? "cn-north-1" : "us-east-1";
}

static void put_body(const struct aws_call *call, struct str *out)
{
    str_printf(out, "Action=%s&Version=%s", call->action, call->service->version);
    vec_each (p, &call->params) {
        str_putc(out, '&');
        sigv4_put_encoded(out, p->name, strlen(p->name));
        str_putc(out, '=');
        sigv4_put_encoded(out, p->value, strlen(p->value));
    }
}

enum { HEADERS_MAX = 5 };

/* Of "https://host:8000/path/": "host:8000" and "/path/". */
static void split_url(const char *url, char **host, const char **path)
{
    const char *begin = strstr(url, "://") + 3;
    size_t len = strcspn(begin, "/");

    *host = xasprintf("%.*s", (int)len, begin);
    *path = begin + len;
}

/* The header lines, ended by NULL; the caller frees each. */
static void sign(const struct aws_client *c, const struct aws_call *call, const char *url,
                 const struct str *body, const struct aws_keys *keys, char *lines[HEADERS_MAX + 1])
{
    static const char type[] = "application/x-www-form-urlencoded; charset=utf-8";
    struct sigv4_header headers[] = {{"Host", NULL},
                                     {"Content-Type", type},
                                     {"X-Amz-Date", NULL},
                                     {"X-Amz-Security-Token", NULL}};
    struct sigv4_request r = {.method = "POST",
                              .query = "",
                              .headers = headers,
                              .n_headers = keys->token ? 4 : 3,
                              .body = body->buf,
                              .body_len = body->len};
    char time[SIGV4_TIME_SIZE], *host;
    struct sigv4_key key = {keys->id, keys->secret, signing_region(c, call->service),
                            call->service->name, time};
    struct str authorization;
    size_t n = 0;

    sigv4_time(clock_real_ms() / 1000, time);
    split_url(url, &host, &r.path);
    headers[0].value = host;
    headers[2].value = time;
    headers[3].value = keys->token;
    for (size_t i = 0; i < r.n_headers; i++)
        lines[n++] = xasprintf("%s: %s", headers[i].name, headers[i].value);
    if (keys->id) {
        str_init(&authorization, STR_MAX_TEXT);
        sigv4_authorization(&r, &key, &authorization);
        lines[n++] = xasprintf("Authorization: %s", authorization.buf);
        str_release(&authorization);
    }
    lines[n] = NULL;
    free(host);
}

struct attempt {
    struct str answer;
    int status; /* 0: no answer came */
    int64_t retry_after_s;
    enum aws_retry retry;
    bool lost; /* it may have been done */
};

static int post(struct aws_client *c, const struct aws_call *call, struct attempt *at,
                struct err *err)
{
    char *url = url_of(c, call->service), *lines[HEADERS_MAX + 1] = {NULL};
    struct aws_keys keys = {0};
    struct http h = {.method = "POST",
                     .url = url,
                     .timeout_ms = CALL_TIMEOUT_MS,
                     .response = &at->answer,
                     .pool = call->once ? NULL : c->pool,
                     .headers = (const char *const *)lines};
    struct str body;
    int rc = c->keys ? c->keys(c->ctx, &keys, err) : 0;

    str_init(&body, STR_MAX_TEXT);
    if (rc == 0) {
        put_body(call, &body);
        sign(c, call, url, &body, &keys, lines);
        h.body = body.buf;
        h.body_len = body.len;
        rc = http_do(&h, err);
        at->lost = rc < 0;
        at->status = h.status;
        at->retry_after_s = h.retry_after_s;
    }
    for (size_t i = 0; lines[i]; i++)
        free(lines[i]);
    aws_keys_release(&keys);
    str_release(&body);
    free(url);
    return rc;
}

/* ---- an answer ---- */

/* EC2: Response/Errors/Error and RequestID; IAM and STS: ErrorResponse/Error and RequestId. */
static int read_fault(struct aws_client *c, struct aws_call *call, struct attempt *at,
                      const struct value *v, struct err *err)
{
    const struct value *errors = value_get(v, "Errors");
    const struct value *error = value_get(errors ? errors : v, "Error");
    const char *id = value_get_str(v, "RequestID", value_get_str(v, "RequestId", ""));
    char *message;

    snprintf(call->code, sizeof(call->code), "%s", value_get_str(error, "Code", ""));
    at->retry = aws_retry_of(at->status, call->code);
    if (!*call->code)
        return err_set(err, ERR_NET, "status %d", at->status);
    message = aws_explain(c, value_get_str(error, "Message", ""));
    aws_fault(call, c, message, id, err);
    free(message);
    return -1;
}

static struct value *result_of(const struct aws_call *call, struct value *v)
{
    char *name = xasprintf("%sResult", call->action);
    struct value *result = value_get(v, name);

    free(name);
    return result ? result : v;
}

static struct value *try_once(struct aws_client *c, struct aws_call *call, struct attempt *at,
                              struct arena *a, struct err *err)
{
    struct value *v;

    call->code[0] = '\0';
    if (post(c, call, at, err) < 0) {
        at->retry = at->lost && err->code != ERR_INTERRUPTED ? AWS_RETRY_TRANSIENT : AWS_RETRY_NO;
        return NULL;
    }
    v = xml_parse(a, at->answer.buf, at->answer.len, NULL, err);
    if (v && at->status / 100 == 2)
        return result_of(call, v);
    if (v) {
        read_fault(c, call, at, v, err);
        return NULL;
    }
    at->lost = at->status / 100 == 2;
    at->retry = at->lost ? AWS_RETRY_TRANSIENT : aws_retry_of(at->status, "");
    err_wrap(err, "status %d", at->status);
    return NULL;
}

/* ---- repetitions ---- */

static bool may_spend(struct aws_client *c, int cost)
{
    bool may;

    pthread_mutex_lock(&c->bucket.lock);
    may = c->bucket.spent + cost <= BUCKET_SIZE;
    if (may)
        c->bucket.spent += cost;
    pthread_mutex_unlock(&c->bucket.lock);
    return may;
}

static void give_back(struct aws_client *c, int cost)
{
    pthread_mutex_lock(&c->bucket.lock);
    c->bucket.spent = c->bucket.spent > cost ? c->bucket.spent - cost : 0;
    pthread_mutex_unlock(&c->bucket.lock);
}

/* Full jitter: anything up to a time that doubles. */
static void back_off(int attempt, int64_t retry_after_s)
{
    int64_t most = attempt < 5 ? (int64_t)BACKOFF_MS << attempt : BACKOFF_MAX_MS, wait;
    uint32_t random;

    random_bytes(&random, sizeof(random));
    wait = (most < BACKOFF_MAX_MS ? most : BACKOFF_MAX_MS) * random / UINT32_MAX;
    if (retry_after_s > 0 && retry_after_s <= RETRY_AFTER_MAX_S && wait < 1000 * retry_after_s)
        wait = 1000 * retry_after_s;
    clock_sleep_ms((int)wait);
}

static bool wants_another(struct aws_client *c, const struct aws_call *call,
                          const struct attempt *at, int attempt, const struct err *err, int *cost)
{
    int attempts = c->max_attempts ? c->max_attempts : DEFAULT_ATTEMPTS;

    if (at->retry == AWS_RETRY_NO || attempt + 1 >= attempts || (call->once && at->lost))
        return false;
    *cost = err->code == ERR_TIMEOUT ? COST_TIMEOUT : COST_RETRY;
    return may_spend(c, *cost);
}

struct value *aws_send(struct aws_client *c, struct aws_call *call, struct arena *a,
                       struct err *err)
{
    struct attempt at;
    struct value *v;
    int cost = 1;

    for (int attempt = 0;; attempt++) {
        at = (struct attempt){0};
        str_init(&at.answer, ANSWER_MAX);
        if ((v = try_once(c, call, &at, a, err)) || clock_stop_requested() ||
            !wants_another(c, call, &at, attempt, err, &cost))
            break;
        back_off(attempt, at.retry_after_s);
        err_release(err);
        str_release(&at.answer);
    }
    if (v) {
        give_back(c, cost);
    } else {
        err_wrap(err, "%s %s", call->service->name, call->action);
        err->retryable = at.lost;
    }
    str_release(&at.answer);
    return v;
}

struct value *aws_send_all(struct aws_client *c, struct aws_call *call, const char *list,
                           struct arena *a, struct err *err)
{
    struct value *all = value_list(a);
    size_t own = call->params.n;

    for (int page = 0; page < PAGES_MAX; page++) {
        struct value *answer = aws_send(c, call, a, err);
        const char *next = value_get_str(answer, "nextToken", "");
        struct value *const *items;
        size_t n;

        if (!answer)
            return NULL;
        n = xml_list(answer, list, &items);
        for (size_t i = 0; i < n; i++)
            value_list_add(a, all, items[i]);
        if (!*next)
            return all;
        call->params.n = own;
        aws_put(call, next, "NextToken");
    }
    err_set(err, ERR_NET, "%s %s: more than %d pages", call->service->name, call->action,
            PAGES_MAX);
    return NULL;
}
