/*
 * http.h - one HTTP request (libcurl). Redirects are not followed. Proxies from the environment are
 * used for public names only.
 */
#ifndef PGHA_HTTP_H
#define PGHA_HTTP_H

#include "lib/base/err.h"
#include "lib/base/str.h"

struct http {
    const char *method; /* NULL: GET */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const char *body;
    size_t body_len;
    const char *user, *password;                /* basic authentication; may be NULL */
    const char *ca_file, *cert_file, *key_file; /* TLS; NULL: system CA, no client certificate */
    int timeout_ms;                             /* of the whole; 0: 10 s */
    struct str *response;                       /* body; its max bounds it */
    int status;                                 /* 200, 503, ...; set on success */
};

void http_init(void); /* before threads; more calls do nothing */
/*
 * 0 when any answer came, whatever its status. ERR_NET (retryable when refused or cut off; also an
 * answer larger than response->max), ERR_TIMEOUT, ERR_INTERRUPTED, ERR_INPUT (no http or https
 * URL), ERR_IO (a TLS file of ours).
 */
int http_do(struct http *h, struct err *err) MUST_USE;

#endif
