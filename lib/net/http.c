/*
 * http.c - one request, one libcurl handle.
 *
 * A handle per call keeps calls on many threads apart; what is asked of hosts (Patroni's REST API,
 * etcd, HAProxy's statistics) is asked seldom enough that a connection each does not matter. A
 * cloud's API is asked often and from afar: a pool keeps handles, and with them connections.
 */
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/vec.h"
#include "lib/net/http.h"

#define DEFAULT_TIMEOUT_MS 10000
/* Hosts of a cluster are reached directly, whatever http_proxy says. Networks work from
 * libcurl 7.86 on. */
#define NO_PROXY                                                                                   \
    "localhost,127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,100.64.0.0/10,"  \
    "::1,fc00::/7,fe80::/10"

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_init(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        BUG("libcurl cannot be initialised");
}

void http_init(void)
{
    pthread_once(&library_once, library_init);
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct str *response = arg;

    str_add(response, data, size * n);
    return response->full ? 0 : size * n; /* less than given: libcurl ends with CURLE_WRITE_ERROR */
}

static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    UNUSED(purpose);
    *(curl_socket_t *)arg = fd;
    return CURL_SOCKOPT_OK;
}

/* Between any two steps of a transfer. A server in Python writes an answer in small pieces and, by
 * Nagle's rule, keeps each back until the one before (with TLS 1.3 first the session tickets) is
 * acknowledged, which a client delays by 40 ms unless told otherwise. The kernel forgets quickly.
 */
static int on_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    const curl_socket_t *fd = arg;

    if (*fd != CURL_SOCKET_BAD)
        (void)!setsockopt(*fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
    UNUSED(down_total);
    UNUSED(down);
    UNUSED(up_total);
    UNUSED(up);
    return clock_stop_requested();
}

/* The user's no_proxy stays in force beside ours. */
static char *no_proxy(void)
{
    const char *user = getenv("no_proxy");

    if (!user)
        user = getenv("NO_PROXY");
    return user && *user ? xasprintf("%s,%s", user, NO_PROXY) : xstrdup(NO_PROXY);
}

static struct curl_slist *header_list(const struct http *h)
{
    struct curl_slist *list = NULL;

    for (const char *const *header = h->headers; header && *header; header++) {
        struct curl_slist *longer = curl_slist_append(list, *header);

        if (!longer)
            BUG("out of memory in libcurl");
        list = longer;
    }
    return list;
}

static void set_method(CURL *curl, const struct http *h)
{
    if (h->body) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)h->body_len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, h->body);
    }
    if (str_eq(h->method, "HEAD"))
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else if (h->method)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, h->method);
    else if (h->body)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "GET");
}

static void set_pem(CURL *curl, CURLoption option, const char *pem)
{
    struct curl_blob blob = {(char *)pem, pem ? strlen(pem) : 0, CURL_BLOB_NOCOPY};

    if (pem)
        curl_easy_setopt(curl, option, &blob);
}

static void set_credentials(CURL *curl, const struct http *h)
{
    if (h->user) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERNAME, h->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, h->password ? h->password : "");
    }
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    set_pem(curl, CURLOPT_CAINFO_BLOB, h->tls.ca);
    set_pem(curl, CURLOPT_SSLCERT_BLOB, h->tls.cert);
    set_pem(curl, CURLOPT_SSLKEY_BLOB, h->tls.key);
}

static int set_url(CURL *curl, const struct http *h, struct err *err)
{
    if (!str_starts(h->url, "http://") && !str_starts(h->url, "https://"))
        return err_set(err, ERR_INPUT, "%s: only http:// and https:// are supported", h->url);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(curl, CURLOPT_URL, h->url);
    return 0;
}

static int timeout_ms(const struct http *h)
{
    return h->timeout_ms > 0 ? h->timeout_ms : DEFAULT_TIMEOUT_MS;
}

static int http_fault(const struct http *h, CURLcode code, const char *detail, struct err *err)
{
    const char *text = *detail ? detail : curl_easy_strerror(code);

    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        err_set(err, ERR_TIMEOUT, "no answer within %d ms", timeout_ms(h));
        err->retryable = true;
        return -1;
    case CURLE_ABORTED_BY_CALLBACK:
        return err_set(err, ERR_INTERRUPTED, "stopped by the user");
    case CURLE_WRITE_ERROR:
        return err_set(err, ERR_NET, "the answer is larger than %zu bytes", h->response->max);
    case CURLE_URL_MALFORMAT:
        return err_set(err, ERR_INPUT, "%s", text);
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
        return err_set(err, ERR_IO, "%s", text);
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        err_set(err, ERR_NET, "%s", text);
        err->retryable = true;
        return -1;
    default:
        return err_set(err, ERR_NET, "%s", text);
    }
}

/* libcurl's "HOST:PORT:TO-HOST:TO-PORT" for a host that is not reached directly. The name in the
 * URL stays the one that is verified. */
static int set_route(CURL *curl, const struct http *h, struct curl_slist **list, struct err *err)
{
    CURLU *url = curl_url();
    char *host = NULL, *port = NULL, *rule;
    int local = 0;

    *list = NULL;
    if (h->route && curl_url_set(url, CURLUPART_URL, h->url, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
        local = net_route_port(h->route, host, (int)strtol(port, NULL, 10), err);
    if (local > 0) {
        rule = xasprintf("%s:%s:127.0.0.1:%d", host, port, local);
        *list = curl_slist_append(NULL, rule);
        curl_easy_setopt(curl, CURLOPT_CONNECT_TO, *list);
        free(rule);
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return local < 0 ? -1 : 0;
}

/* The URL without what may be secret in it: the query. */
static int wrap_url(const struct http *h, struct err *err)
{
    return err_wrap(err, "%s %.*s", h->method ? h->method : "GET", (int)strcspn(h->url, "?"),
                    h->url);
}

/* ---- handles ---- */

struct handle {
    CURL *curl;
    curl_socket_t fd; /* that was opened last */
};

struct http_pool {
    pthread_mutex_t lock;
    VEC(struct handle) idle;
};

struct http_pool *http_pool_new(void)
{
    struct http_pool *p = xcalloc(1, sizeof(*p));

    pthread_mutex_init(&p->lock, NULL);
    return p;
}

void http_pool_free(struct http_pool *p)
{
    if (!p)
        return;
    vec_each (handle, &p->idle)
        curl_easy_cleanup(handle->curl);
    vec_release(&p->idle);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static struct handle take(struct http_pool *p)
{
    struct handle found = {NULL, CURL_SOCKET_BAD};

    if (p) {
        pthread_mutex_lock(&p->lock);
        if (p->idle.n)
            found = p->idle.items[--p->idle.n];
        pthread_mutex_unlock(&p->lock);
    }
    if (!found.curl)
        found.curl = curl_easy_init();
    if (!found.curl)
        BUG("out of memory in libcurl");
    return found;
}

static void give_back(struct http_pool *p, struct handle *handle)
{
    if (!p) {
        curl_easy_cleanup(handle->curl);
        return;
    }
    curl_easy_reset(handle->curl); /* all but its connections */
    pthread_mutex_lock(&p->lock);
    vec_push(&p->idle, *handle);
    pthread_mutex_unlock(&p->lock);
}

int http_do(struct http *h, struct err *err)
{
    char detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = header_list(h), *route = NULL;
    char *direct = no_proxy();
    long status = 0;
    curl_off_t retry_after = 0;
    struct handle handle;
    CURLcode code;
    CURL *curl;
    int rc = -1;

    http_init();
    handle = take(h->pool);
    curl = handle.curl;
    if (set_url(curl, h, err) < 0 || set_route(curl, h, &route, err) < 0)
        goto out;
    set_method(curl, h);
    set_credentials(curl, h);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, direct);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L); /* threads */
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms(h));
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, h->response);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &handle.fd);
    curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, on_socket);
    curl_easy_setopt(curl, CURLOPT_SOCKOPTDATA, &handle.fd);
    code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        http_fault(h, code, detail, err);
        goto out;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
    h->status = (int)status;
    h->retry_after_s = retry_after;
    rc = 0;
out:
    if (rc < 0)
        wrap_url(h, err);
    give_back(h->pool, &handle);
    curl_slist_free_all(headers);
    curl_slist_free_all(route);
    free(direct);
    return rc;
}
