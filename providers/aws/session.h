/*
 * session.h - who calls AWS, and where: profile, region, endpoint and keys as the AWS CLI finds
 * them
 * (https://docs.aws.amazon.com/cli/latest/userguide/cli-chap-configure.html#configure-precedence).
 *
 * Keys come from the first of: the environment; the profile's role (role_arn with source_profile or
 * credential_source); a web identity token (environment or profile); the profile's own keys; the
 * container's endpoint; the instance's role (IMDSv2 only). Those that expire are fetched again ten
 * minutes before.
 */
#ifndef PGHA_AWS_SESSION_H
#define PGHA_AWS_SESSION_H

#include "providers/aws/client.h"

struct aws_wish {
    const char *profile, *region, *endpoint; /* NULL: by environment and profile */
};

struct aws_session;

/* Reads files, calls nobody. ERR_INPUT: a file that cannot be read, a profile that is not there, no
 * region; each says what to do. */
struct aws_session *aws_session_open(const struct aws_wish *wish, struct err *err);
void aws_session_close(struct aws_session *s);
/* For calls from any thread; the keys are looked for with the first. */
struct aws_client *aws_session_client(struct aws_session *s);
/* Where the keys come from: "environment", "profile db", ...; NULL: they were not looked for. */
const char *aws_session_source(const struct aws_session *s);
/* The keys of now: ERR_DENIED when there are none, with what was looked at. */
int aws_session_keys(struct aws_session *s, struct aws_keys *out, struct err *err) MUST_USE;

#endif
