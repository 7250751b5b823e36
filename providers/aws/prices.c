/*
 * prices.c - what the things of a plan cost a month, by a dated table.
 *
 * The table is prices.yml, in the binary, or the user's own of the same form. What it has no price
 * for is named and not guessed.
 */
#include <math.h>

#include "lib/base/assets.h"
#include "lib/base/file.h"
#include "lib/doc/yaml.h"
#include "providers/aws/aws.h"

#define TABLE "providers/aws/prices.yml"

enum { FREE_IOPS = 3000, FREE_THROUGHPUT = 125 }; /* of gp3 */

/* What costs alike is one part: "t3.medium", five times. */
struct part {
    const char *what;
    int64_t n;
    double each; /* a month; below 0: not known */
};

struct bill {
    struct arena *arena;
    const struct value *region;
    double hours;
    VEC(struct part) parts;
};

/* ---- the table ---- */

/* Below 0: it is not there, or no number. */
static double number(const struct value *map, const char *key)
{
    const struct value *v = value_get(map, key);

    if (v && v->type == VALUE_INT)
        return (double)v->u.i;
    return v && v->type == VALUE_FLOAT ? v->u.f : -1;
}

static const struct value *load(const struct cluster *c, struct arena *a, struct err *err)
{
    static const struct assets embedded;
    const struct value *file = value_at(c->config, "provider.prices");
    char *own = file ? cluster_path(c, file->u.str.s) : NULL;
    struct value *table = NULL;
    struct faults faults;
    struct str text;
    int rc;

    faults_init(&faults);
    str_init(&text, YAML_MAX_BYTES);
    rc = own ? file_read(own, &text, err) : assets_read(&embedded, TABLE, &text, err);
    if (rc < 0)
        err->code = ERR_INPUT; /* what provider.prices says */
    if (rc == 0 && !(table = yaml_parse(a, own ? own : TABLE, text.buf, text.len, &faults)))
        faults_to_err(&faults, err);
    else if (rc == 0 && (!value_get(table, "regions") || number(table, "hours") <= 0)) {
        err_set(err, ERR_INPUT, "%s: \"regions\" or \"hours\" is missing", own ? own : TABLE);
        err_hint(err, "`pgha-deploy docs prices` prints a table as it should be");
        table = NULL;
    }
    str_release(&text);
    faults_release(&faults);
    free(own);
    return table;
}

/* How many of size large; 0: not known. */
static double size_factor(const char *size)
{
    static const struct {
        const char *name;
        double factor;
    } sizes[] = {{"nano", 1.0 / 16}, {"micro", 1.0 / 8}, {"small", 1.0 / 4},
                 {"medium", 0.5},    {"large", 1},       {"xlarge", 2}};
    char *end;
    long n;

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        if (str_eq(size, sizes[i].name))
            return sizes[i].factor;
    n = strtol(size, &end, 10);
    return n > 1 && str_eq(end, "xlarge") ? 2.0 * (double)n : 0;
}

static double price_of_type(const struct bill *b, const char *type)
{
    const struct value *instances = value_get(b->region, "instances");
    size_t len = strcspn(type, ".");
    double price = number(instances, type);

    if (price < 0 && type[len] == '.') {
        const char *family = arena_printf(b->arena, "%.*s", (int)len, type);
        double factor = size_factor(type + len + 1);

        price = factor > 0 ? number(instances, family) * factor : -1;
    }
    return price;
}

static double beyond(const struct value *volume, const char *name, int64_t free)
{
    int64_t n = value_get_int(volume, name, free);

    return n > free ? (double)(n - free) : 0;
}

static double price_of_volume(const struct bill *b, const struct value *volume)
{
    const struct value *gp3 = value_get(b->region, "gp3");
    double size = number(gp3, "size"), iops = number(gp3, "iops"),
           throughput = number(gp3, "throughput");

    if (size < 0 || iops < 0 || throughput < 0)
        return -1;
    return size * (double)value_get_int(volume, "size", 0) +
           iops * beyond(volume, "iops", FREE_IOPS) +
           throughput * beyond(volume, "throughput", FREE_THROUGHPUT);
}

/* ---- the bill ---- */

static void add(struct bill *b, const char *what, double each)
{
    vec_each (part, &b->parts)
        if (str_eq(part->what, what)) {
            part->n++;
            return;
        }
    vec_push(&b->parts, ((struct part){what, 1, each}));
}

static void add_hourly(struct bill *b, const char *what, double price)
{
    add(b, what, price < 0 ? -1 : price * b->hours);
}

static void add_volume(struct bill *b, const struct value *volume)
{
    const char *what =
        arena_printf(b->arena, "gp3 disk of %lld GiB", (long long)value_get_int(volume, "size", 0));

    if (beyond(volume, "iops", FREE_IOPS) > 0 || beyond(volume, "throughput", FREE_THROUGHPUT) > 0)
        what = arena_printf(b->arena, "%s, %lld IOPS, %lld MiB/s", what,
                            (long long)value_get_int(volume, "iops", FREE_IOPS),
                            (long long)value_get_int(volume, "throughput", FREE_THROUGHPUT));
    add(b, what, price_of_volume(b, volume));
}

static void add_resource(struct bill *b, const struct cluster *c, const struct resource *r)
{
    const char *type = value_get_str(r->desired, "type", "");

    if (r->kind == &aws_instance.plan || r->kind == &aws_bastion.plan) {
        add_hourly(b, type, price_of_type(b, type));
        add_volume(b, value_at(c->config, "provider.root_volume"));
    }
    if (r->kind == &aws_volume.plan)
        add_volume(b, r->desired);
    if (r->kind == &aws_nat_gateway.plan)
        add_hourly(b, "NAT gateway", number(b->region, "nat_gateway"));
    /* The elastic IP that moves takes the place of its holder's address. */
    if (value_get_bool(r->desired, "public", false) ||
        (r->kind == &aws_elastic_ip.plan && !str_eq(r->name, AWS_VIP)))
        add_hourly(b, "public address", number(b->region, "public_address"));
}

static struct value *money(struct arena *a, double amount)
{
    return value_float(a, round(amount * 100) / 100);
}

static struct value *part_value(const struct part *part, struct arena *a)
{
    struct value *v = value_map(a);

    value_map_set(a, v, "what", value_str(a, part->what));
    value_map_set(a, v, "n", value_int(a, part->n));
    value_map_set(a, v, "month",
                  part->each < 0 ? value_null(a) : money(a, part->each * (double)part->n));
    return v;
}

int aws_cost(struct provider_session *s, const struct plan *p, struct arena *a, struct value **out,
             struct err *err)
{
    struct bill b = {.arena = a};
    const struct value *table = load(s->cluster, a, err);
    struct value *parts = value_list(a);
    double month = 0;

    if (!table)
        return err_wrap(err, "prices");
    b.region = value_get(value_get(table, "regions"), s->client->region);
    b.hours = number(table, "hours");
    vec_each (r, &p->resources)
        if ((*r)->desired)
            add_resource(&b, s->cluster, *r);
    vec_each (part, &b.parts) {
        value_list_add(a, parts, part_value(part, a));
        month += part->each < 0 ? 0 : part->each * (double)part->n;
    }
    vec_release(&b.parts);
    *out = value_map(a);
    value_map_set(a, *out, "month", money(a, month));
    value_map_set(a, *out, "currency", value_str(a, value_get_str(table, "currency", "")));
    value_map_set(a, *out, "date", value_str(a, value_get_str(table, "date", "")));
    value_map_set(a, *out, "region", value_str(a, s->client->region));
    value_map_set(a, *out, "parts", parts);
    return 0;
}
