/*
 * explain.c - what lies behind UnauthorizedOperation: the encoded message of EC2, which who may
 * call sts:DecodeAuthorizationMessage can have in the clear
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html).
 */
#include "lib/doc/json.h"
#include "providers/aws/client.h"

#define INTRODUCTION "Encoded authorization failure message: "

static const struct value *decode(struct aws_client *c, const char *encoded, struct arena *a)
{
    struct err ignored = ERR_INIT; /* not everybody may: then there is no more to say */
    struct aws_call call;
    const struct value *v;
    const char *text;

    aws_call_init(&call, &aws_sts, "DecodeAuthorizationMessage");
    aws_put(&call, encoded, "EncodedMessage");
    v = aws_send(c, &call, a, &ignored);
    text = value_get_str(v, "DecodedMessage", NULL);
    v = text ? json_parse(a, "message", text, strlen(text), &ignored) : NULL;
    aws_call_release(&call);
    err_release(&ignored);
    return v;
}

char *aws_explain(struct aws_client *c, const char *message)
{
    const char *found = strstr(message, INTRODUCTION), *action, *resource, *who;
    const struct value *v, *context;
    struct arena arena = ARENA_INIT;
    char *text;

    if (!found)
        return xstrdup(message);
    v = decode(c, found + strlen(INTRODUCTION), &arena);
    context = value_get(v, "context");
    action = value_get_str(context, "action", NULL);
    resource = value_get_str(context, "resource", NULL);
    who = value_get_str(value_get(context, "principal"), "arn", NULL);
    if (action)
        text = xasprintf("%s may not %s%s%s%s", who ? who : "the caller", action,
                         resource ? " on " : "", resource ? resource : "",
                         value_get_bool(v, "explicitDeny", false) ? ", by an explicit deny" : "");
    else
        text = xasprintf("%.*s", (int)(found - message), message);
    arena_release(&arena);
    return text;
}
