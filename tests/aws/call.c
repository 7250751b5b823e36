/*
 * call.c - one call: call ENDPOINT REGION SERVICE ACTION [NAME=VALUE ...] [--once] [--all LIST]
 *
 * Prints the answer as JSON, or the error, its hint and AWS's code on a line each, and ends with 1.
 * Keys: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
 */
#include <stdio.h>

#include "lib/doc/json.h"
#include "lib/net/http.h"
#include "providers/aws/client.h"

static int keys(void *ctx, struct aws_keys *out, struct err *err)
{
    const char *token = getenv("AWS_SESSION_TOKEN");

    UNUSED(ctx);
    UNUSED(err);
    *out =
        (struct aws_keys){xstrdup(getenv("AWS_ACCESS_KEY_ID")),
                          xstrdup(getenv("AWS_SECRET_ACCESS_KEY")), token ? xstrdup(token) : NULL};
    return 0;
}

static const struct aws_service *service_of(const char *name)
{
    return str_eq(name, "iam") ? &aws_iam : str_eq(name, "sts") ? &aws_sts : &aws_ec2;
}

int main(int argc, char **argv)
{
    struct aws_client client = {.bucket = AWS_BUCKET_INIT, .keys = keys};
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    const char *list = NULL;
    struct aws_call call;
    struct value *v;
    struct str out;

    if (argc < 5)
        return 64;
    client.pool = http_pool_new();
    client.endpoint = argv[1];
    client.region = argv[2];
    aws_call_init(&call, service_of(argv[3]), argv[4]);
    for (int i = 5; i < argc; i++) {
        char *equals = strchr(argv[i], '=');

        if (str_eq(argv[i], "--once"))
            call.once = true;
        else if (str_eq(argv[i], "--all") && i + 1 < argc)
            list = argv[++i];
        else if (equals)
            aws_put(&call, equals + 1, "%.*s", (int)(equals - argv[i]), argv[i]);
    }
    v = list ? aws_send_all(&client, &call, list, &arena, &err)
             : aws_send(&client, &call, &arena, &err);
    if (v) {
        str_init(&out, STR_MAX_TEXT);
        json_write(v, JSON_TIGHT, &out);
        puts(out.buf);
        str_release(&out);
    } else {
        printf("%d %s\n%s\n%s\n", err.code, err.text, err.hint ? err.hint : "", call.code);
    }
    aws_call_release(&call);
    http_pool_free(client.pool);
    err_release(&err);
    arena_release(&arena);
    return !v;
}
