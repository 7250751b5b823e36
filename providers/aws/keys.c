/* keys.c - environment, profiles and their roles, web identity, container, instance. */
#include "providers/aws/keys.h"

#include <stdio.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/doc/json.h"
#include "lib/net/http.h"

enum {
    ANSWER_MAX = 64 * 1024,
    TOKEN_MAX = 64 * 1024, /* of a web identity */
    METADATA_TIMEOUT_MS = 1000,
    METADATA_ATTEMPTS = 2,
    METADATA_TOKEN_S = 21600,
    CONTAINER_TIMEOUT_MS = 2000,
    PROFILES_MAX = 8 /* that lead to each other */
};

static const char *env(const char *name)
{
    const char *text = getenv(name);

    return text && *text ? text : NULL;
}

static void PRINTF_LIKE(2, 3) set_source(struct found_keys *out, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(out->source, sizeof(out->source), fmt, args);
    va_end(args);
}

static void set_keys(struct found_keys *out, const char *id, const char *secret, const char *token)
{
    aws_keys_release(&out->keys);
    out->keys =
        (struct aws_keys){xstrdup(id), xstrdup(secret), token && *token ? xstrdup(token) : NULL};
}

/* "2026-01-31T12:00:00Z", perhaps with fractions. */
static int64_t time_of(const char *text)
{
    struct tm tm = {0};

    return text && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? 1000 * (int64_t)timegm(&tm) : 0;
}

/* STS, the container's and the instance's endpoint call the token differently. */
static bool take_document(const struct value *v, const char *token, struct found_keys *out)
{
    const char *id = value_get_str(v, "AccessKeyId", NULL);
    const char *secret = value_get_str(v, "SecretAccessKey", NULL);

    if (!id || !secret)
        return false;
    set_keys(out, id, secret, value_get_str(v, token, NULL));
    out->expires_ms = time_of(value_get_str(v, "Expiration", NULL));
    return true;
}

/* Each source: 1 found, 0 it is not there, -1. */

static int from_environment(struct found_keys *out, struct err *err)
{
    const char *id = env("AWS_ACCESS_KEY_ID"), *secret = env("AWS_SECRET_ACCESS_KEY");

    if (!id)
        return 0;
    if (!secret)
        return err_set(err, ERR_INPUT, "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY not");
    set_keys(out, id, secret, env("AWS_SESSION_TOKEN"));
    set_source(out, "environment");
    return 1;
}

static int from_profile(const char *name, const struct value *profile, struct found_keys *out,
                        struct err *err)
{
    const char *id = value_get_str(profile, "aws_access_key_id", NULL);
    const char *secret = value_get_str(profile, "aws_secret_access_key", NULL);

    if (!id)
        return 0;
    if (!secret)
        return err_set(err, ERR_INPUT, "profile %s has no aws_secret_access_key", name);
    set_keys(out, id, secret, value_get_str(profile, "aws_session_token", NULL));
    set_source(out, "profile %s", name);
    return 1;
}

/* ---- STS ---- */

static int given_keys(void *ctx, struct aws_keys *out, struct err *err)
{
    UNUSED(err);
    *out = aws_keys_copy(ctx);
    return 0;
}

/* by: NULL for a call that is not signed. */
static int assume(const struct key_search *search, struct aws_call *call, struct aws_keys *by,
                  struct found_keys *out, struct err *err)
{
    struct aws_client sts = {.region = search->client->region,
                             .endpoint = search->client->endpoint,
                             .keys = by ? given_keys : NULL,
                             .ctx = by,
                             .bucket = AWS_BUCKET_INIT};
    struct arena arena = ARENA_INIT;
    const struct value *answer = aws_send(&sts, call, &arena, err);
    int rc = -1;

    if (answer && take_document(value_get(answer, "Credentials"), "SessionToken", out))
        rc = 1;
    else if (answer)
        err_set(err, ERR_NET, "%s: an answer without keys", call->action);
    arena_release(&arena);
    return rc;
}

static void put_session_name(struct aws_call *call, const char *name)
{
    char *own = xasprintf("pgha-deploy-%lld", (long long)clock_real_ms() / 1000);

    aws_put(call, name && *name ? name : own, "RoleSessionName");
    free(own);
}

static int with_token_of(const struct key_search *search, const char *file, const char *role,
                         const char *session, struct found_keys *out, struct err *err)
{
    struct aws_call call;
    struct str token;
    int rc;

    str_init(&token, TOKEN_MAX);
    aws_call_init(&call, &aws_sts, "AssumeRoleWithWebIdentity");
    rc = file_read(file, &token, err);
    if (rc == 0) {
        aws_put(&call, role, "RoleArn");
        put_session_name(&call, session);
        aws_put(&call, token.buf, "WebIdentityToken");
        rc = assume(search, &call, NULL, out, err);
    }
    if (rc > 0)
        set_source(out, "role %s by web identity", role);
    aws_call_release(&call);
    str_release(&token);
    return rc;
}

static int from_web_identity(const struct key_search *search, const struct value *profile,
                             struct found_keys *out, struct err *err)
{
    const char *file = env("AWS_WEB_IDENTITY_TOKEN_FILE"), *role = env("AWS_ROLE_ARN");

    if (file && !role)
        return err_set(err, ERR_INPUT, "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN not");
    if (file)
        return with_token_of(search, file, role, env("AWS_ROLE_SESSION_NAME"), out, err);
    file = value_get_str(profile, "web_identity_token_file", NULL);
    role = value_get_str(profile, "role_arn", NULL);
    if (!file || !role)
        return 0;
    return with_token_of(search, file, role, value_get_str(profile, "role_session_name", NULL), out,
                         err);
}

/* ---- HTTP ---- */

/* The document of keys that the container's and the instance's endpoint have. */
static int read_document(const struct str *text, struct found_keys *out, struct err *err)
{
    struct arena arena = ARENA_INIT;
    const struct value *v = json_parse(&arena, "its answer", text->buf, text->len, err);
    int rc = -1;

    if (v && take_document(v, "Token", out))
        rc = 1;
    else if (v)
        err_set(err, ERR_DENIED, "it has no keys: %s",
                value_get_str(v, "Message", value_get_str(v, "message", "no reason given")));
    arena_release(&arena);
    return rc;
}

/* Keys must not travel in clear, but to this machine and to the addresses that ECS and EKS have. */
static bool may_ask(const char *url)
{
    static const char *const hosts[] = {"localhost",     "127.0.0.1",      "[::1]",
                                        "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};

    if (str_starts(url, "https://"))
        return true;
    if (!str_starts(url, "http://"))
        return false;
    url += strlen("http://");
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        size_t len = strlen(hosts[i]);

        if (strncmp(url, hosts[i], len) == 0 && strchr("/:?", url[len]))
            return true;
    }
    return false;
}

static int container_token(struct str *header, struct err *err)
{
    const char *file = env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    struct str text;

    if (!file) {
        if (token)
            str_printf(header, "Authorization: %s", token);
        return 0;
    }
    str_init(&text, TOKEN_MAX);
    if (file_read(file, &text, err) == 0) {
        str_trim_end(&text);
        str_printf(header, "Authorization: %s", text.buf);
    }
    str_release(&text);
    return err->code ? -1 : 0;
}

static int from_container(struct found_keys *out, struct err *err)
{
    const char *relative = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *headers[] = {NULL, NULL};
    struct http h = {.headers = headers, .timeout_ms = CONTAINER_TIMEOUT_MS};
    struct str answer, header;
    char *url;
    int rc;

    if (!relative && !full)
        return 0;
    url = relative ? xasprintf("http://169.254.170.2%s", relative) : xstrdup(full);
    str_init(&answer, ANSWER_MAX);
    str_init(&header, ANSWER_MAX);
    h.url = url;
    h.response = &answer;
    rc = may_ask(url) ? container_token(&header, err)
                      : err_set(err, ERR_INPUT,
                                "AWS_CONTAINER_CREDENTIALS_FULL_URI: %s is neither https nor this "
                                "machine",
                                url);
    headers[0] = header.len ? header.buf : NULL;
    if (rc == 0 && (rc = http_do(&h, err)) == 0)
        rc = h.status == 200 ? read_document(&answer, out, err)
                             : err_set(err, ERR_DENIED, "%s answered %d", url, h.status);
    if (rc > 0)
        set_source(out, "container's role");
    str_release(&answer);
    str_release(&header);
    free(url);
    return rc < 0 ? err_wrap(err, "the container's keys") : rc;
}

struct metadata {
    const char *endpoint;
    char *token_header; /* owned */
};

/* 404 is an answer: *status tells. */
static int metadata_get(const struct metadata *m, const char *path, struct str *answer, int *status,
                        struct err *err)
{
    const char *headers[] = {m->token_header, NULL};
    char *url = xasprintf("%s%s", m->endpoint, path);
    struct http h = {
        .url = url, .headers = headers, .timeout_ms = METADATA_TIMEOUT_MS, .response = answer};
    int rc = -1;

    for (int i = 0; i < METADATA_ATTEMPTS && rc < 0; i++) {
        err_release(err);
        str_clear(answer);
        rc = http_do(&h, err);
    }
    *status = h.status;
    free(url);
    return rc;
}

static int metadata_token(struct metadata *m, struct err *err)
{
    char *ttl = xasprintf("X-aws-ec2-metadata-token-ttl-seconds: %d", METADATA_TOKEN_S);
    char *url = xasprintf("%s/latest/api/token", m->endpoint);
    const char *headers[] = {ttl, NULL};
    struct str answer;
    struct http h = {.method = "PUT",
                     .url = url,
                     .headers = headers,
                     .body = "",
                     .timeout_ms = METADATA_TIMEOUT_MS,
                     .response = &answer};
    int rc;

    str_init(&answer, ANSWER_MAX);
    rc = http_do(&h, err);
    if (rc == 0 && h.status != 200)
        rc = err_set(err, ERR_DENIED, "%s answered %d", url, h.status);
    if (rc == 0)
        m->token_header = xasprintf("X-aws-ec2-metadata-token: %s", answer.buf);
    str_release(&answer);
    free(url);
    free(ttl);
    return rc;
}

static int instance_role(const struct metadata *m, struct found_keys *out, struct err *err)
{
    static const char folder[] = "/latest/meta-data/iam/security-credentials/";
    struct str role, answer;
    int status = 0, rc;

    str_init(&role, ANSWER_MAX);
    str_init(&answer, ANSWER_MAX);
    rc = metadata_get(m, folder, &role, &status, err);
    if (rc == 0 && status == 200 && role.len > 0) {
        char *path = xasprintf("%s%.*s", folder, (int)strcspn(role.buf, "\r\n"), role.buf);

        rc = metadata_get(m, path, &answer, &status, err);
        if (rc == 0)
            rc = status == 200 ? read_document(&answer, out, err)
                               : err_set(err, ERR_DENIED, "%s answered %d", path, status);
        free(path);
        if (rc > 0)
            set_source(out, "instance's role %.*s", (int)strcspn(role.buf, "\r\n"), role.buf);
    }
    str_release(&role);
    str_release(&answer);
    return rc;
}

/* Most machines are no instances: nobody answers, and that is no fault. */
static int from_instance(struct found_keys *out, struct err *err)
{
    const char *disabled = env("AWS_EC2_METADATA_DISABLED");
    const char *endpoint = env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    struct metadata m = {.endpoint = endpoint ? endpoint : "http://169.254.169.254"};
    char *trimmed;
    int rc;

    if (disabled && strcasecmp(disabled, "true") == 0)
        return 0;
    trimmed =
        xasprintf("%.*s", (int)(strlen(m.endpoint) - (m.endpoint[strlen(m.endpoint) - 1] == '/')),
                  m.endpoint);
    m.endpoint = trimmed;
    rc = metadata_token(&m, err);
    if (rc < 0 && (err->code == ERR_NET || err->code == ERR_TIMEOUT)) {
        err_release(err);
        rc = 0;
    } else if (rc == 0) {
        rc = instance_role(&m, out, err);
    }
    free(m.token_header);
    free(trimmed);
    return rc < 0 ? err_wrap(err, "the instance's keys") : rc;
}

/* ---- roles of profiles ---- */

static int from_source(const char *source, struct found_keys *out, struct err *err)
{
    if (str_eq(source, "Environment"))
        return from_environment(out, err);
    if (str_eq(source, "EcsContainer"))
        return from_container(out, err);
    if (str_eq(source, "Ec2InstanceMetadata"))
        return from_instance(out, err);
    return err_set(err, ERR_INPUT,
                   "credential_source: \"%s\" is none of Environment, EcsContainer, "
                   "Ec2InstanceMetadata",
                   source);
}

static int refuse(const char *name, const char *what, struct err *err)
{
    err_set(err, ERR_INPUT, "profile %s has %s, which is not supported here", name, what);
    return err_hint(err, "eval \"$(aws configure export-credentials --profile %s --format env)\"",
                    name);
}

static int from_role(const struct key_search *search, const char *name, int depth,
                     struct found_keys *out, struct err *err);

/* What the role is assumed with. */
static int role_source(const struct key_search *search, const char *name,
                       const struct value *profile, int depth, struct found_keys *out,
                       struct err *err)
{
    const char *other = value_get_str(profile, "source_profile", NULL);
    const char *source = value_get_str(profile, "credential_source", NULL);
    const struct value *of;
    int rc;

    if (!other && !source)
        return 0;
    if (other && source)
        return err_set(
            err, ERR_INPUT,
            "profile %s has source_profile and credential_source: it is one or the other", name);
    if (source) {
        rc = from_source(source, out, err);
        return rc ? rc
                  : err_set(err, ERR_DENIED, "profile %s: credential_source %s has no keys", name,
                            source);
    }
    of = value_get(search->profiles, other);
    if (!of)
        return err_set(err, ERR_INPUT, "profile %s: there is no source_profile %s", name, other);
    if (!str_eq(other, name)) { /* one that names itself has the keys, too */
        rc = from_role(search, other, depth + 1, out, err);
        if (rc)
            return rc;
        rc = from_web_identity(search, of, out, err);
        if (rc)
            return rc;
    }
    rc = from_profile(other, of, out, err);
    return rc ? rc : err_set(err, ERR_DENIED, "source_profile %s has no keys", other);
}

static int from_role(const struct key_search *search, const char *name, int depth,
                     struct found_keys *out, struct err *err)
{
    const struct value *profile = value_get(search->profiles, name);
    const char *role = value_get_str(profile, "role_arn", NULL);
    struct found_keys source = {0};
    struct aws_call call;
    int rc;

    if (!role || value_get(profile, "web_identity_token_file"))
        return 0;
    if (depth >= PROFILES_MAX)
        return err_set(err, ERR_INPUT, "profile %s: its source profiles lead to themselves", name);
    if (value_get(profile, "mfa_serial"))
        return refuse(name, "mfa_serial", err);
    rc = role_source(search, name, profile, depth, &source, err);
    if (rc == 0)
        rc = err_set(err, ERR_INPUT,
                     "profile %s has role_arn, but neither source_profile nor credential_source",
                     name);
    aws_call_init(&call, &aws_sts, "AssumeRole");
    if (rc > 0) {
        aws_put(&call, role, "RoleArn");
        put_session_name(&call, value_get_str(profile, "role_session_name", NULL));
        if (value_get(profile, "external_id"))
            aws_put(&call, value_get_str(profile, "external_id", ""), "ExternalId");
        if (value_get(profile, "duration_seconds"))
            aws_put(&call, value_get_str(profile, "duration_seconds", ""), "DurationSeconds");
        rc = assume(search, &call, &source.keys, out, err);
    }
    if (rc > 0)
        set_source(out, "role %s of profile %s", role, name);
    aws_call_release(&call);
    aws_keys_release(&source.keys);
    return rc;
}

/* ---- the order ---- */

static bool logs_in_by_sso(const struct value *profile)
{
    return value_get(profile, "sso_session") || value_get(profile, "sso_start_url");
}

static int no_keys(const struct key_search *search, const struct value *profile, struct err *err)
{
    if (logs_in_by_sso(profile))
        return refuse(search->profile, "a login by SSO", err);
    if (value_get(profile, "credential_process"))
        return refuse(search->profile, "credential_process", err);
    err_set(err, ERR_DENIED,
            "no AWS credentials: not in the environment (AWS_ACCESS_KEY_ID), not in profile %s, no "
            "container's and no instance's role",
            search->profile);
    return err_hint(err, "`aws configure`, or AWS_PROFILE=NAME");
}

int keys_find(const struct key_search *search, struct found_keys *out, struct err *err)
{
    const struct value *profile = value_get(search->profiles, search->profile);
    bool elsewhere = logs_in_by_sso(profile) || value_get(profile, "credential_process");
    int rc = search->explicit_profile ? 0 : from_environment(out, err);

    if (rc == 0)
        rc = from_role(search, search->profile, 0, out, err);
    if (rc == 0)
        rc = from_web_identity(search, profile, out, err);
    if (rc == 0 && !logs_in_by_sso(profile))
        rc = from_profile(search->profile, profile, out, err);
    if (rc == 0 && !elsewhere)
        rc = from_container(out, err);
    if (rc == 0 && !elsewhere)
        rc = from_instance(out, err);
    if (rc == 0)
        rc = no_keys(search, profile, err);
    if (rc < 0)
        aws_keys_release(&out->keys);
    return rc < 0 ? -1 : 0;
}
