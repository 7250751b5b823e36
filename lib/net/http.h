/*
 * http.h - one HTTP request (libcurl). Redirects are not followed. Proxies from the environment are
 * used for public names only.
 */
#ifndef PGHA_HTTP_H
#define PGHA_HTTP_H

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/net/route.h"

/*
 * Connections that stay open from one request to the next, for many to the same servers. From any
 * thread. When the server closes one just then, libcurl repeats the request by itself on a new one:
 * not for what must not be done twice.
 */
struct http_pool;
struct http_pool *http_pool_new(void);
void http_pool_free(struct http_pool *p); /* NULL: nothing */

/* PEM texts. Without a ca the system's authorities are asked. */
struct http_tls {
    const char *ca, *cert, *key; /* cert and key: ours, shown when the server asks; may be NULL */
};

struct http {
    const char *method; /* NULL: GET */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const char *body;
    size_t body_len;
    const char *user, *password; /* basic authentication; may be NULL */
    struct http_tls tls;         /* for https, TLS 1.2 at least; the name or address is verified */
    int timeout_ms;              /* of the whole; 0: 10 s */
    const struct net_route *route; /* to the URL's host; NULL: directly */
    struct http_pool *pool;        /* NULL: a connection of its own */
    struct str *response;          /* body; its max bounds it */
    int status;                    /* 200, 503, ...; set on success */
    int64_t retry_after_s;         /* of the header; 0: the server did not say */
};

void http_init(void); /* before threads; more calls do nothing */
/*
 * 0 when any answer came, whatever its status. ERR_NET (retryable when refused or cut off; also an
 * answer larger than response->max), ERR_TIMEOUT, ERR_INTERRUPTED, ERR_INPUT (no http or https
 * URL), ERR_IO (a certificate or key of ours).
 */
int http_do(struct http *h, struct err *err) MUST_USE;

#endif
