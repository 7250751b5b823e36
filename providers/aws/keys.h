/*
 * keys.h - the sources of keys, in their order.
 *
 * Container: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html.
 * IMDSv2:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html.
 */
#ifndef PGHA_AWS_KEYS_H
#define PGHA_AWS_KEYS_H

#include "providers/aws/client.h"

struct key_search {
    const struct value *profiles; /* profile.h */
    const char *profile;
    bool explicit_profile; /* asked for by an option: the environment's keys are passed over */
    const struct aws_client *client; /* region and endpoint of STS */
};

#define KEY_SOURCE_SIZE 128

struct found_keys {
    struct aws_keys keys;
    int64_t expires_ms;           /* Unix time; 0: never */
    char source[KEY_SOURCE_SIZE]; /* "environment", "role arn:... of profile db", ... */
};

/* ERR_DENIED: there are none, or a source refused; ERR_INPUT: half of a setting; ERR_NET. */
int keys_find(const struct key_search *search, struct found_keys *out, struct err *err) MUST_USE;

#endif
