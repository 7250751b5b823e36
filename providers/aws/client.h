/*
 * client.h - calls of AWS's query APIs: EC2, IAM, STS. Signed POSTs, XML answers, retries as the
 * SDKs' standard mode has them
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html).
 *
 *     struct aws_call call;
 *     aws_call_init(&call, &aws_ec2, "DescribeVpcs");
 *     aws_put(&call, tag, "Filter.1.Name");
 *     answer = aws_send(client, &call, arena, &err);
 *     aws_call_release(&call);
 */
#ifndef PGHA_AWS_CLIENT_H
#define PGHA_AWS_CLIENT_H

#include <pthread.h>

#include "lib/base/err.h"
#include "lib/base/vec.h"
#include "lib/doc/value.h"

struct aws_service {
    const char *name;    /* "ec2": of the endpoint, and in the signature */
    const char *version; /* of the API */
    bool global;         /* one endpoint for all regions, signed for us-east-1 */
};

extern const struct aws_service aws_ec2, aws_iam, aws_sts;

struct aws_keys {
    char *id, *secret, *token; /* owned; token may be NULL */
};
struct aws_keys aws_keys_copy(const struct aws_keys *k);
void aws_keys_release(struct aws_keys *k);

struct aws_client {
    const char *region;
    const char *endpoint; /* for every service; NULL: AWS's own */
    int max_attempts;     /* of one call; 0: 3 */
    /* The keys of now, copied; called from many threads. NULL: calls are not signed. */
    int (*keys)(void *ctx, struct aws_keys *out, struct err *err);
    void *ctx;
    struct http_pool
        *pool;          /* may be NULL; what must not be done twice has connections of its own */
    struct aws_bucket { /* what retries cost, so that many that fail together do not go on */
        pthread_mutex_t lock;
        int spent;
    } bucket;
};

#define AWS_BUCKET_INIT                                                                            \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, 0                                                               \
    }

#define AWS_CODE_SIZE 80

struct aws_param {
    const char *name, *value;
};

struct aws_call {
    const struct aws_service *service;
    const char *action;
    bool once; /* a repetition would do it again: nothing is repeated whose answer was lost */
    struct arena arena;
    VEC(struct aws_param) params;
    char code[AWS_CODE_SIZE]; /* of an error that AWS told: "InvalidVpcID.NotFound"; else "" */
};

void aws_call_init(struct aws_call *c, const struct aws_service *service, const char *action);
void aws_call_release(struct aws_call *c);
/* Copies both. */
void aws_put(struct aws_call *c, const char *value, const char *name, ...) PRINTF_LIKE(3, 4);

/*
 * The answer's map, in a; of IAM and STS that of ACTIONResult. NULL: ERR_DENIED (credentials,
 * permission), ERR_NET and ERR_TIMEOUT (no or no readable answer; retryable: it may have been
 * done), ERR_INTERRUPTED, ERR_FAILED (AWS refused). The text has the action, AWS's own words and
 * the request's id.
 */
struct value *aws_send(struct aws_client *c, struct aws_call *call, struct arena *a,
                       struct err *err);
/* All pages (NextToken) of a list. */
struct value *aws_send_all(struct aws_client *c, struct aws_call *call, const char *list,
                           struct arena *a, struct err *err);
/* Did AWS say that there is no such thing? */
bool aws_not_found(const struct aws_call *c);

/* explain.c: EC2's message of a call that was not allowed, in the clear if that may be known.
 * Caller frees. */
char *aws_explain(struct aws_client *c, const char *message);

/* fault.c: what a code means. Pure. */
enum aws_retry { AWS_RETRY_NO, AWS_RETRY_TRANSIENT, AWS_RETRY_THROTTLED };
enum aws_retry aws_retry_of(int status, const char *code);
/* The error for the user: code, message, and a hint where one helps. */
int aws_fault(const struct aws_call *c, const struct aws_client *client, const char *message,
              const char *request_id, struct err *err);

#endif
