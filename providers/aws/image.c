/*
 * image.c - what new instances begin with: the newest image of a distribution by its maker's own
 * account, for the processor of the instance type.
 *
 * Owners and names: https://wiki.debian.org/Cloud/AmazonEC2Image and
 * https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/.
 */
#include "providers/aws/aws.h"
#include "providers/aws/xml.h"

#define DEBIAN    "136693071363"
#define CANONICAL "099720109477"

static const struct distribution {
    const char *name, *owner, *image; /* %s: amd64 or arm64 */
} distributions[] = {
    {"debian-12", DEBIAN, "debian-12-%s-*"},
    {"debian-13", DEBIAN, "debian-13-%s-*"},
    {"ubuntu-24.04", CANONICAL, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-%s-server-*"},
};

struct found {
    const char *type, *id, *root_device;
};

struct aws_images {
    pthread_mutex_t lock; /* held while they are looked for: the others wait */
    struct arena arena;
    VEC(struct found) found; /* by instance type */
};

struct aws_images *aws_images_new(void)
{
    struct aws_images *i = xcalloc(1, sizeof(*i));

    pthread_mutex_init(&i->lock, NULL);
    arena_init(&i->arena);
    return i;
}

void aws_images_free(struct aws_images *i)
{
    if (!i)
        return;
    pthread_mutex_destroy(&i->lock);
    vec_release(&i->found);
    arena_release(&i->arena);
    free(i);
}

int aws_architecture(struct provider_session *s, const char *type, struct arena *a,
                     const char **out, struct err *err)
{
    struct value *const *types, *const *names;
    struct aws_call call;
    struct value *v;
    int rc = -1;

    aws_call_init(&call, &aws_ec2, "DescribeInstanceTypes");
    aws_put(&call, type, "InstanceType.1");
    v = aws_send(s->client, &call, a, err);
    if (v && xml_list(v, "instanceTypeSet", &types) &&
        xml_list(value_get(types[0], "processorInfo"), "supportedArchitectures", &names)) {
        rc = 0;
        *out = "x86_64"; /* some old types can do i386, too */
        if (str_eq(value_is_str(names[0]) ? names[0]->u.str.s : "", "arm64"))
            *out = "arm64";
    } else if (v || str_eq(call.code, "InvalidInstanceType")) {
        err_set(err, ERR_INPUT, "region %s has no instance type \"%s\"", s->client->region, type);
        err_hint(err, "provider.instance_type: t3.medium or m7g.large, for example");
    }
    aws_call_release(&call);
    return rc;
}

static const struct value *newest(const struct value *answer)
{
    const struct value *best = NULL;
    struct value *const *images;
    size_t n = xml_list(answer, "imagesSet", &images);

    for (size_t i = 0; i < n; i++)
        if (!best || strcmp(value_get_str(images[i], "creationDate", ""),
                            value_get_str(best, "creationDate", "")) > 0)
            best = images[i];
    return best;
}

static void put_filter(struct aws_call *call, int n, const char *name, const char *value)
{
    aws_put(call, name, "Filter.%d.Name", n);
    aws_put(call, value, "Filter.%d.Value.1", n);
}

static int put_search(struct aws_call *call, const char *ami, const char *architecture,
                      struct err *err)
{
    if (str_starts(ami, "ami-")) {
        aws_put(call, ami, "ImageId.1");
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(distributions); i++) {
        const struct distribution *d = &distributions[i];
        const char *processor = str_eq(architecture, "arm64") ? "arm64" : "amd64", *rest;

        if (!str_eq(d->name, ami))
            continue;
        rest = strstr(d->image, "%s");
        aws_put(call, d->owner, "Owner.1");
        put_filter(call, 1, "name",
                   arena_printf(&call->arena, "%.*s%s%s", (int)(rest - d->image), d->image,
                                processor, rest + 2));
        put_filter(call, 2, "state", "available");
        put_filter(call, 3, "architecture", architecture);
        return 0;
    }
    err_set(err, ERR_INPUT, "provider.ami: there is no \"%s\"", ami);
    return err_hint(err, "debian-12, debian-13, ubuntu-24.04, or an id: ami-...");
}

static int search(struct provider_session *s, const char *type, struct found *f, struct arena *a,
                  struct err *err)
{
    const char *ami = value_at(s->cluster->config, "provider.ami")->u.str.s, *architecture;
    const struct value *image;
    struct aws_call call;
    int rc = -1;

    if (aws_architecture(s, type, a, &architecture, err) < 0)
        return -1;
    aws_call_init(&call, &aws_ec2, "DescribeImages");
    if (put_search(&call, ami, architecture, err) == 0) {
        struct value *answer = aws_send(s->client, &call, a, err);

        image = newest(answer);
        if (!image && (answer || str_starts(call.code, "InvalidAMIID"))) {
            err_release(err);
            err_set(err, ERR_INPUT, "region %s has no image %s for %s (%s)", s->client->region, ami,
                    type, architecture);
            err_hint(err, "provider.ami: the id of an image that it has, ami-...");
        } else if (image && !str_eq(value_get_str(image, "architecture", ""), architecture)) {
            err_set(err, ERR_INPUT, "image %s is for %s, but %s is %s", ami,
                    value_get_str(image, "architecture", "?"), type, architecture);
        } else if (image) {
            f->id = value_get_str(image, "imageId", "");
            f->root_device = value_get_str(image, "rootDeviceName", "/dev/xvda");
            rc = 0;
        }
    }
    aws_call_release(&call);
    return rc;
}

int aws_image(struct provider_session *s, const char *instance_type, const char **id,
              const char **root_device, struct err *err)
{
    struct aws_images *i = s->images;
    const struct found *known = NULL;
    int rc = 0;

    pthread_mutex_lock(&i->lock);
    vec_each (f, &i->found)
        if (str_eq(f->type, instance_type))
            known = f;
    if (!known) {
        struct found f = {.type = arena_strdup(&i->arena, instance_type)};

        if ((rc = search(s, instance_type, &f, &i->arena, err)) == 0) {
            vec_push(&i->found, f);
            known = &i->found.items[i->found.n - 1];
        }
    }
    if (known) {
        *id = known->id;
        *root_device = known->root_device;
    }
    pthread_mutex_unlock(&i->lock);
    return rc;
}
