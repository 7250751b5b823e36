/* key_pair.c - the public half of the state folder's login key. */
#include "lib/base/file.h"
#include "providers/aws/aws.h"

#define KEY_MAX_BYTES ((size_t)4 << 10)

/* "ssh-ed25519 AAAA...", without the comment. */
static char *key_without_comment(const char *text)
{
    size_t type = strcspn(text, " "), body = text[type] ? strcspn(text + type + 1, " \n") : 0;

    return xasprintf("%.*s", (int)(type + (text[type] ? 1 + body : 0)), text);
}

int aws_login_key(const struct provider_session *s, struct str *out, struct err *err)
{
    char *path = path_join(s->state_dir, "id_ed25519.pub"), *key;
    struct str text;
    int rc;

    str_init(&text, KEY_MAX_BYTES);
    rc = file_read(path, &text, err);
    if (rc == 0) {
        key = key_without_comment(text.buf);
        str_puts(out, key);
        free(key);
    }
    str_release(&text);
    free(path);
    return rc;
}

static int model_key(struct provider_session *s, const struct value *item, struct resource *r,
                     struct err *err)
{
    char *key = key_without_comment(value_get_str(item, "publicKey", ""));

    UNUSED(s);
    UNUSED(err);
    value_map_set(r->arena, r->actual, "name",
                  value_str(r->arena, value_get_str(item, "keyName", "")));
    if (*key)
        value_map_set(r->arena, r->actual, "public_key", value_str(r->arena, key));
    else if (value_get(r->desired, "public_key")) /* not every answer has it */
        value_map_set(r->arena, r->actual, "public_key",
                      value_copy(r->arena, value_get(r->desired, "public_key")));
    free(key);
    return 0;
}

static int create_key(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    struct str key, encoded;
    struct aws_call call;
    int rc;

    str_init(&key, KEY_MAX_BYTES);
    str_init(&encoded, 2 * KEY_MAX_BYTES);
    aws_call_init(&call, &aws_ec2, "ImportKeyPair");
    rc = aws_login_key(s, &key, err);
    if (rc == 0) {
        str_put_base64(&encoded, key.buf, key.len);
        aws_put(&call, value_at(r->desired, "tags.Name")->u.str.s, "KeyName");
        aws_put(&call, encoded.buf, "PublicKeyMaterial");
        aws_put_tags(&call, r, aws_key_pair.tag_type, 1);
        rc = aws_create(s, r, &call, "keyPairId", err);
    }
    aws_call_release(&call);
    str_release(&encoded);
    str_release(&key);
    return rc;
}

static int destroy_key(void *provider, struct resource *r, struct err *err)
{
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, "DeleteKeyPair");
    aws_put(&call, aws_actual(r, "name"), "KeyName");
    rc = aws_remove(provider, &call, err);
    aws_call_release(&call);
    return rc;
}

/* Instances keep the key that they were made with: it is not replaced under them. */
static const struct attr attrs[] = {{"id", ATTR_COMPUTED},
                                    {"name", ATTR_COMPUTED},
                                    {"public_key", ATTR_REPLACE},
                                    {"tags", 0},
                                    {NULL, 0}};
static const char *const nothing[] = {NULL};

const struct aws_kind aws_key_pair = {
    .plan = {.name = "key_pair",
             .attrs = attrs,
             .read = aws_read,
             .create = create_key,
             .update = aws_update_tags,
             .destroy = destroy_key},
    .describe = "DescribeKeyPairs",
    .list = "keySet",
    .id = "keyPairId",
    .id_filter = "key-pair-id",
    .tag_type = "key-pair",
    .option = "IncludePublicKey",
    .after = nothing,
    .model = model_key,
};
