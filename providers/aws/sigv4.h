/*
 * sigv4.h - AWS Signature Version 4, in the Authorization header. Pure: no clock, no I/O.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html; held
 * against the published suite and botocore by tests/aws/sigv4.t.
 */
#ifndef PGHA_AWS_SIGV4_H
#define PGHA_AWS_SIGV4_H

#include "lib/base/str.h"

struct sigv4_header {
    const char *name, *value;
};

struct sigv4_request {
    const char *method;
    const char *path;  /* "/"; raw bytes, not yet percent-encoded */
    const char *query; /* "a=b&c=d", raw or percent-encoded; "" for none */
    /* All of these are signed: Host and X-Amz-Date must be among them, and X-Amz-Security-Token
     * where the credentials have a token. Repeated names count in their order. */
    const struct sigv4_header *headers;
    size_t n_headers;
    const void *body;
    size_t body_len;
    bool keep_path; /* S3: "//" and ".." are names there */
};

struct sigv4_key {
    const char *id, *secret;
    const char *region, *service; /* "eu-central-1", "ec2" */
    const char *time;             /* of X-Amz-Date: "20150830T123600Z" */
};

#define SIGV4_TIME_SIZE 17
/* Seconds since 1970 as X-Amz-Date has it. */
void sigv4_time(int64_t unix_s, char out[SIGV4_TIME_SIZE]);

/* Appends: the text whose digest is signed; the value of the Authorization header. */
void sigv4_canonical(const struct sigv4_request *r, struct str *out);
void sigv4_authorization(const struct sigv4_request *r, const struct sigv4_key *key,
                         struct str *out);
/* Percent-encodes all but A-Z a-z 0-9 - _ . ~ (RFC 3986's unreserved). */
void sigv4_put_encoded(struct str *out, const char *text, size_t len);

#endif
