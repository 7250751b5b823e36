/* instance.c - the hosts: instances of EC2, each with an address and a host key of its own. */
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/proc.h"
#include "providers/aws/aws.h"
#include "providers/aws/xml.h"

#define KEY_MAX_BYTES ((size_t)4 << 10)
#define USER_DATA_MAX ((size_t)16 << 10) /* of EC2, before base64 */

enum { START_MS = 600000, STOP_MS = 900000, PROFILE_MS = 60000, KEYGEN_MS = 30000 };

const char *aws_instance_type(const struct cluster *c, const struct cluster_host *h)
{
    const char *group = h->is_db   ? "nodes.db.instance_type"
                        : h->is_lb ? "nodes.lb.instance_type"
                                   : "nodes.etcd.instance_type";
    const struct value *own = value_at(c->config, group);

    return own ? own->u.str.s : value_at(c->config, "provider.instance_type")->u.str.s;
}

/* "bastion", whose resource has the cluster's name */
static const char *host_of(const struct resource *r)
{
    return r->kind == &aws_bastion.plan ? "bastion" : r->name;
}

/* ---- host keys ---- */

static char *key_path(const struct provider_session *s, const char *host, const char *suffix)
{
    return xasprintf("%s/host_keys/%s%s", s->state_dir, host, suffix);
}

static int read_key(const struct provider_session *s, const char *host, const char *suffix,
                    struct str *out, struct err *err)
{
    char *path = key_path(s, host, suffix);
    int rc = file_read(path, out, err);

    str_trim_end(out);
    free(path);
    return rc;
}

/* Both halves, until the instance is there; the public one stays. */
static int make_host_key(const struct provider_session *s, const char *host, struct err *err)
{
    char *path = key_path(s, host, ""), *pub = key_path(s, host, ".pub");
    char *half = key_path(s, host, ".new"), *half_pub = key_path(s, host, ".new.pub");
    char *dir = path_dir(path);
    const char *argv[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "",
                          "-C",         host, "-f", half,      NULL};
    struct proc p = {.argv = argv, .timeout_ms = KEYGEN_MS};
    int rc = 0;

    if (file_exists(path) && file_exists(pub))
        goto out;
    if ((rc = file_mkdirs(dir, 0700, err)) < 0)
        goto out;
    remove(half);
    remove(half_pub);
    if ((rc = proc_run(&p, err)) < 0)
        err_wrap(err, "making its host key");
    else if (rename(half_pub, pub) < 0 || rename(half, path) < 0)
        rc = err_set_errno(err, "renaming %s", half);
out:
    free(path);
    free(pub);
    free(half);
    free(half_pub);
    free(dir);
    return rc;
}

/* The instance has it: nobody else needs it any more. */
static void drop_host_key(const struct provider_session *s, const char *host)
{
    char *path = key_path(s, host, "");

    remove(path);
    free(path);
}

static int put_host_key(const struct provider_session *s, const char *host, const char *address,
                        struct str *known_hosts, struct err *err)
{
    struct str key;
    int rc;

    str_init(&key, KEY_MAX_BYTES);
    rc = read_key(s, host, ".pub", &key, err);
    if (rc == 0)
        str_printf(known_hosts, "%s,%s %s\n", host, address, key.buf);
    str_release(&key);
    drop_host_key(s, host); /* of a run that was killed before its instance ran */
    return rc < 0 ? err_wrap(err, "host key of %s", host) : 0;
}

int aws_host_keys(struct provider_session *s, struct str *known_hosts, struct err *err)
{
    struct arena arena = ARENA_INIT;
    const char *bastion;
    int rc = 0;

    vec_each (h, &s->cluster->hosts)
        if (rc == 0)
            rc = put_host_key(s, h->name, h->address, known_hosts, err);
    if (rc == 0 && aws_has_bastion(s->cluster)) {
        rc = aws_public_address(s, &aws_bastion, s->cluster->name, &arena, &bastion, err);
        if (rc == 0 && bastion)
            rc = put_host_key(s, "bastion", bastion, known_hosts, err);
    }
    arena_release(&arena);
    return rc;
}

/* ---- user data ---- */

static void put_indented(struct str *out, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");

        str_printf(out, "    %.*s\n", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

/* https://cloudinit.readthedocs.io/en/latest/reference/modules.html#ssh */
static int user_data(const struct provider_session *s, const char *host, struct str *out,
                     struct err *err)
{
    struct str key, pub, login;
    int rc;

    str_init(&key, KEY_MAX_BYTES);
    str_init(&pub, KEY_MAX_BYTES);
    str_init(&login, KEY_MAX_BYTES);
    rc = read_key(s, host, "", &key, err) < 0 || read_key(s, host, ".pub", &pub, err) < 0 ||
                 aws_login_key(s, &login, err) < 0
             ? -1
             : 0;
    if (rc == 0) {
        str_printf(out,
                   "#cloud-config\n"
                   "hostname: %s\n"
                   "disable_root: false\n"
                   "ssh_pwauth: false\n"
                   "ssh_deletekeys: true\n"
                   "ssh_authorized_keys:\n"
                   "  - %s\n"
                   "ssh_keys:\n"
                   "  ed25519_private: |\n",
                   host, login.buf);
        put_indented(out, key.buf);
        str_printf(out, "  ed25519_public: %s\n", pub.buf);
        /* An address that moves is keepalived's to configure, not the next boot's. */
        str_puts(out, "write_files:\n"
                      "  - path: /etc/cloud/cloud.cfg.d/90-pgha-deploy.cfg\n"
                      "    content: |\n"
                      "      datasource: {Ec2: {apply_full_imds_network_config: false}}\n");
    }
    explicit_bzero(key.buf, key.len);
    str_release(&key);
    str_release(&pub);
    str_release(&login);
    return rc;
}

/* ---- what is there ---- */

static const char *state_of(const struct value *item)
{
    return value_get_str(value_get(item, "instanceState"), "name", "");
}

static bool is_gone(const struct value *item)
{
    return str_eq(state_of(item), "terminated");
}

static bool is_going(const struct value *item)
{
    return str_eq(state_of(item), "shutting-down");
}

static bool lists_group(const struct value *item, const char *id)
{
    struct value *const *groups;
    size_t n = xml_list(item, "groupSet", &groups);

    for (size_t i = 0; i < n; i++)
        if (str_eq(value_get_str(groups[i], "groupId", ""), id))
            return true;
    return false;
}

/* They are its interface's. */
static bool has_group(const struct value *item, const char *id)
{
    struct value *const *interfaces;

    return lists_group(item, id) ||
           (xml_list(item, "networkInterfaceSet", &interfaces) && lists_group(interfaces[0], id));
}

static bool checks_source(const struct value *item)
{
    struct value *const *interfaces;
    const char *check = "true";

    if (xml_list(item, "networkInterfaceSet", &interfaces))
        check = value_get_str(interfaces[0], "sourceDestCheck", check);
    return str_eq(value_get_str(item, "sourceDestCheck", check), "true");
}

/* The cluster's groups that it has, by name. */
static int model_groups(struct provider_session *s, const struct value *item, struct resource *r,
                        struct err *err)
{
    struct value *names = value_list(r->arena);

    for (const char *const *group = aws_groups; *group; group++) {
        const char *id = aws_given_group(s->cluster, *group);
        const struct value *found = NULL;

        if (!id && aws_find(s, &aws_security_group, *group, &found, err) < 0)
            return -1;
        if (!id)
            id = value_get_str(found, "groupId", NULL);
        if (id && has_group(item, id))
            value_list_add(r->arena, names, value_str(r->arena, *group));
    }
    value_map_set(r->arena, r->actual, "groups", names);
    return 0;
}

/* Whether it has the volume of its name. */
static int model_volume(struct provider_session *s, const struct value *item, struct resource *r,
                        struct err *err)
{
    struct value *const *devices;
    size_t n = xml_list(item, "blockDeviceMapping", &devices);
    const struct value *volume;
    bool has = false;

    if (!value_get(r->desired, "data_volume"))
        return 0;
    if (aws_find(s, &aws_volume, r->name, &volume, err) < 0)
        return -1;
    for (size_t i = 0; volume && i < n; i++)
        has |= str_eq(value_get_str(value_get(devices[i], "ebs"), "volumeId", ""),
                      value_get_str(volume, "volumeId", NULL));
    value_map_set(r->arena, r->actual, "data_volume", value_bool(r->arena, has));
    return 0;
}

/* Its root disk and its interface, made with it and with its tags. */
static void model_parts(const struct value *item, struct resource *r)
{
    const char *root = value_get_str(item, "rootDeviceName", "");
    struct value *parts = value_list(r->arena);
    struct value *const *disks, *const *cards;
    size_t n = xml_list(item, "blockDeviceMapping", &disks);

    for (size_t i = 0; i < n; i++)
        if (str_eq(value_get_str(disks[i], "deviceName", NULL), root))
            value_list_add(
                r->arena, parts,
                value_str(r->arena, value_get_str(value_get(disks[i], "ebs"), "volumeId", "")));
    if (xml_list(item, "networkInterfaceSet", &cards))
        value_list_add(r->arena, parts,
                       value_str(r->arena, value_get_str(cards[0], "networkInterfaceId", "")));
    value_map_set(r->arena, r->actual, "parts", parts);
}

static void model_text(struct resource *r, const char *name, const char *text)
{
    value_map_set(r->arena, r->actual, name, value_str(r->arena, text));
}

/* Without it nobody here can log in to it, nor knows the secrets of what runs there. */
static int check_is_ours(const struct provider_session *s, const struct resource *r,
                         struct err *err)
{
    char *pub = key_path(s, host_of(r), ".pub");

    if (!file_exists(pub)) {
        err_set(err, ERR_CONFLICT, "it runs already, and %s is not there", pub);
        err_hint(err, "the state folder with its keys and secrets was lost, or is on another "
                      "machine: bring it here; or `down`, which needs none, and `up` anew");
    }
    free(pub);
    return err->code ? -1 : 0;
}

static int model_instance(struct provider_session *s, const struct value *item, struct resource *r,
                          struct err *err)
{
    const struct value *metadata = value_get(item, "metadataOptions");
    const char *state = state_of(item), *subnet_id = value_get_str(item, "subnetId", "");

    if (r->desired && check_is_ours(s, r, err) < 0)
        return -1;
    model_text(r, "type", value_get_str(item, "instanceType", ""));
    model_text(r, "architecture", value_get_str(item, "architecture", ""));
    model_text(r, "image", value_get_str(item, "imageId", ""));
    model_text(r, "address", value_get_str(item, "privateIpAddress", ""));
    if (metadata || !r->desired) /* an emulator may not tell, EC2 does */
        model_text(r, "metadata_tokens", value_get_str(metadata, "httpTokens", "optional"));
    else
        model_text(r, "metadata_tokens", value_get_str(r->desired, "metadata_tokens", ""));
    value_map_set(r->arena, r->actual, "has_role",
                  value_bool(r->arena, value_get(item, "iamInstanceProfile") != NULL));
    value_map_set(r->arena, r->actual, "source_dest_check",
                  value_bool(r->arena, checks_source(item)));
    value_map_set(r->arena, r->actual, "running",
                  value_bool(r->arena, str_eq(state, "running") || str_eq(state, "pending")));
    model_parts(item, r);
    model_text(r, "subnet", subnet_id);
    vec_each (subnet, &s->cluster->subnets) {
        const struct value *found = NULL;

        if (!subnet->id && aws_find(s, &aws_subnet, subnet->name, &found, err) < 0)
            return -1;
        if (str_eq(subnet->id ? subnet->id : value_get_str(found, "subnetId", NULL), subnet_id))
            model_text(r, "subnet", subnet->name);
    }
    return model_volume(s, item, r, err) < 0 ? -1 : model_groups(s, item, r, err);
}

/* ---- create ---- */

static void put_disk(const struct provider_session *s, struct aws_call *call, const char *device)
{
    static const char prefix[] = "BlockDeviceMapping.1.Ebs";
    static const struct {
        const char *key, *param;
    } numbers[] = {{"size", "VolumeSize"}, {"iops", "Iops"}, {"throughput", "Throughput"}};
    const struct value *volume = value_at(s->cluster->config, "provider.root_volume");

    aws_put(call, device, "BlockDeviceMapping.1.DeviceName");
    aws_put(call, "gp3", "%s.VolumeType", prefix);
    aws_put(call, "true", "%s.Encrypted", prefix);
    aws_put(call, "true", "%s.DeleteOnTermination", prefix);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        aws_put(
            call,
            arena_printf(&call->arena, "%lld", (long long)value_get_int(volume, numbers[i].key, 0)),
            "%s.%s", prefix, numbers[i].param);
}

static void put_network(const struct provider_session *s, struct aws_call *call,
                        const struct resource *r)
{
    static const char prefix[] = "NetworkInterface.1";
    const struct value *groups = value_get(r->desired, "groups");
    const char *address = value_get_str(r->desired, "address", NULL);
    bool public = value_get_bool(r->desired, "public", false);

    aws_put(call, "0", "%s.DeviceIndex", prefix);
    aws_put(call,
            aws_subnet_id(s, aws_subnet_named(s->cluster, value_get_str(r->desired, "subnet", ""))),
            "%s.SubnetId", prefix);
    if (!address)
        address = aws_spare_address(s, AWS_PLACE_BASTION, &call->arena);
    aws_put(call, address, "%s.PrivateIpAddress", prefix);
    aws_put(call, "true", "%s.DeleteOnTermination", prefix);
    aws_put(call, public ? "true" : "false", "%s.AssociatePublicIpAddress", prefix);
    for (size_t i = 0; i < groups->u.list.n; i++)
        aws_put(call, aws_group_id(s, groups->u.list.items[i]->u.str.s), "%s.SecurityGroupId.%zu",
                prefix, i + 1);
}

/* Another key, another instance: so the same token is the same instance. */
static void put_token(struct aws_call *call, const struct str *data)
{
    char token[SHA256_HEX_SIZE];

    sha256_hex(data->buf, data->len, token);
    aws_put(call, token, "ClientToken");
}

static int put_instance(struct provider_session *s, struct aws_call *call, const struct resource *r,
                        struct err *err)
{
    static const char *const tagged[] = {"instance", "volume", "network-interface"};
    const char *type = value_get_str(r->desired, "type", ""), *host = host_of(r), *image, *device;
    struct str data, encoded;

    if (aws_image(s, type, &image, &device, err) < 0 || make_host_key(s, host, err) < 0)
        return -1;
    str_init(&data, USER_DATA_MAX);
    str_init(&encoded, 2 * USER_DATA_MAX);
    if (user_data(s, host, &data, err) < 0) {
        str_release(&data);
        return -1;
    }
    str_put_base64(&encoded, data.buf, data.len);
    put_token(call, &data);
    aws_put(call, encoded.buf, "UserData");
    aws_put(call, image, "ImageId");
    aws_put(call, type, "InstanceType");
    aws_put(call, "1", "MinCount");
    aws_put(call, "1", "MaxCount");
    aws_put(
        call,
        value_at(plan_find(s->plan, "key_pair", s->cluster->name)->desired, "tags.Name")->u.str.s,
        "KeyName");
    aws_put(call, "required", "MetadataOptions.HttpTokens");
    aws_put(call, "enabled", "MetadataOptions.HttpEndpoint");
    aws_put(call, "1", "MetadataOptions.HttpPutResponseHopLimit");
    if (str_eq(value_at(s->cluster->config, "provider.termination_protection")->u.str.s, "on"))
        aws_put(call, "true", "DisableApiTermination");
    if (value_get_bool(r->desired, "has_role", false))
        aws_put(call, aws_profile_name(s, &call->arena), "IamInstanceProfile.Name");
    if (r->kind->is_host && plan_find(s->plan, "placement_group", s->cluster->name))
        aws_put(call, aws_id(s, &aws_placement_group, s->cluster->name), "Placement.GroupName");
    put_disk(s, call, device);
    put_network(s, call, r);
    for (size_t i = 0; i < ARRAY_LEN(tagged); i++)
        aws_put_tags(call, r, tagged[i], (int)i + 1);
    explicit_bzero(data.buf, data.len);
    str_release(&data);
    str_release(&encoded);
    return 0;
}

/* A profile that was just made is not known to EC2 at once, which says so in words only. */
static bool profile_is_not_seen(const struct provider_session *s, const struct aws_call *call,
                                const struct err *err)
{
    return atomic_load(&s->made) && str_eq(call->code, "InvalidParameterValue") && err->text &&
           strstr(err->text, "nstance Profile");
}

/* A call about the instance with one parameter more. */
static int set_one(struct provider_session *s, const struct resource *r, const char *action,
                   const char *param, const char *value, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, action);
    aws_put(&call, aws_actual(r, "id"), "InstanceId");
    aws_put(&call, value, "%s", param);
    rc = aws_send_settled(s, &call, &arena, err) ? 0 : -1;
    aws_call_release(&call);
    arena_release(&arena);
    return rc;
}

static int set_source_check(struct provider_session *s, const struct resource *r, struct err *err)
{
    bool want = value_get_bool(r->desired, "source_dest_check", true);

    return want == value_get_bool(r->actual, "source_dest_check", true)
               ? 0
               : set_one(s, r, "ModifyInstanceAttribute", "SourceDestCheck.Value",
                         want ? "true" : "false", err);
}

/* Until its profile is known. */
static int run_instance(struct provider_session *s, struct resource *r, struct aws_call *call,
                        struct err *err)
{
    int64_t deadline = clock_mono_ms() + PROFILE_MS;
    int wait_ms = AWS_FIRST_WAIT_MS, rc = put_instance(s, call, r, err);

    while (rc == 0) {
        rc = aws_create(s, r, call, "instancesSet.instanceId", err);
        if (rc == 0 || !profile_is_not_seen(s, call, err) || !aws_wait_more(&wait_ms, deadline))
            break;
        err_release(err);
        rc = 0;
    }
    return rc;
}

/* The token was of an instance that is gone, or was another one. */
static bool token_is_used(const struct aws_call *call)
{
    return str_eq(call->code, "IdempotentInstanceTerminated") ||
           str_eq(call->code, "IdempotentParameterMismatch");
}

static int create_instance(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, "RunInstances");
    rc = run_instance(s, r, &call, err);
    if (rc < 0 && token_is_used(&call)) { /* a new host key, a new token */
        err_release(err);
        aws_call_release(&call);
        aws_call_init(&call, &aws_ec2, "RunInstances");
        drop_host_key(s, host_of(r));
        rc = run_instance(s, r, &call, err);
    }
    aws_call_release(&call);
    return rc < 0 ? -1 : set_source_check(s, r, err);
}

/* To this instance, now. */
static bool is_attached(struct provider_session *s, const struct resource *r)
{
    struct arena arena = ARENA_INIT;
    struct err ignored = ERR_INIT;
    struct value *const *attached;
    struct value *item;
    bool is =
        aws_look(s, &aws_volume, aws_id(s, &aws_volume, r->name), &arena, &item, &ignored) == 0 &&
        xml_list(item, "attachmentSet", &attached) &&
        str_eq(value_get_str(attached[0], "instanceId", ""), aws_actual(r, "id"));

    err_release(&ignored);
    arena_release(&arena);
    return is;
}

/* The name of the device is the driver's choice on the host, whatever is said here. */
static int attach_volume(struct provider_session *s, const struct resource *r, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    int rc;

    if (plan_attr_is_right(r, "data_volume"))
        return 0;
    aws_call_init(&call, &aws_ec2, "AttachVolume");
    aws_put(&call, aws_id(s, &aws_volume, r->name), "VolumeId");
    aws_put(&call, aws_actual(r, "id"), "InstanceId");
    aws_put(&call, "/dev/sdf", "Device");
    rc = aws_send_settled(s, &call, &arena, err) ? 0 : -1;
    if (rc < 0 && str_eq(call.code, "VolumeInUse") && is_attached(s, r)) {
        err_release(err); /* by an attempt whose answer was lost */
        rc = 0;
    }
    aws_call_release(&call);
    arena_release(&arena);
    return rc;
}

static int is_running(const struct value *item, struct err *err)
{
    const char *state = state_of(item);

    if (is_going(item) || str_eq(state, "stopped"))
        return err_set(err, ERR_FAILED, "it is %s again: %s", state,
                       value_get_str(value_get(item, "stateReason"), "message", "no reason given"));
    return str_eq(state, "running");
}

static int wait_instance(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;

    if (aws_wait(s, r, START_MS, is_running, err) < 0 || attach_volume(s, r, err) < 0)
        return -1;
    drop_host_key(s, host_of(r));
    return 0;
}

/* ---- update ---- */

static int set_groups(struct provider_session *s, const struct resource *r, struct err *err)
{
    const struct value *want = value_get(r->desired, "groups");
    struct arena arena = ARENA_INIT;
    struct aws_call call;
    int rc;

    if (plan_attr_is_right(r, "groups"))
        return 0;
    aws_call_init(&call, &aws_ec2, "ModifyInstanceAttribute");
    aws_put(&call, aws_actual(r, "id"), "InstanceId");
    for (size_t i = 0; i < want->u.list.n; i++)
        aws_put(&call, aws_group_id(s, want->u.list.items[i]->u.str.s), "GroupId.%zu", i + 1);
    rc = aws_send_settled(s, &call, &arena, err) ? 0 : -1;
    aws_call_release(&call);
    arena_release(&arena);
    return rc;
}

static int set_tokens(struct provider_session *s, const struct resource *r, struct err *err)
{
    return str_eq(aws_actual(r, "metadata_tokens"), "required")
               ? 0
               : set_one(s, r, "ModifyInstanceMetadataOptions", "HttpTokens", "required", err);
}

static int set_role(struct provider_session *s, const struct resource *r, struct err *err)
{
    return !value_get_bool(r->desired, "has_role", false) ||
                   value_get_bool(r->actual, "has_role", false)
               ? 0
               : set_one(s, r, "AssociateIamInstanceProfile", "IamInstanceProfile.Name",
                         aws_profile_name(s, r->arena), err);
}

/* Its tag comes after it, so that a run that was killed in between is completed. */
static int set_protection(struct provider_session *s, const struct resource *r, struct err *err)
{
    const char *want = value_get_str(value_get(r->desired, "tags"), AWS_TAG_PROTECTED, "off");
    const char *have = value_get_str(value_get(r->actual, "tags"), AWS_TAG_PROTECTED, "off");

    return str_eq(want, have)
               ? 0
               : set_one(s, r, "ModifyInstanceAttribute", "DisableApiTermination.Value",
                         str_eq(want, "on") ? "true" : "false", err);
}

static int is_stopped(const struct value *item, struct err *err)
{
    UNUSED(err);
    return item && str_eq(state_of(item), "stopped");
}

/* What cannot be is told before it is stopped. */
static int check_architecture(struct provider_session *s, const struct resource *r,
                              const char *type, struct err *err)
{
    const char *is = aws_actual(r, "architecture"), *wanted;
    struct arena arena = ARENA_INIT;
    int rc = aws_architecture(s, type, &arena, &wanted, err);

    if (rc == 0 && *is && !str_eq(is, wanted)) {
        rc = err_set(err, ERR_INPUT, "%s is %s, and its system is for %s", type, wanted, is);
        err_hint(err, "take a type of the same architecture; `down` and `up` anew for the other");
    }
    arena_release(&arena);
    return rc;
}

/* Stops it first; it is started with whatever else is not running. */
static int set_type(struct provider_session *s, struct resource *r, struct err *err)
{
    const char *type = value_get_str(r->desired, "type", "");

    if (plan_attr_is_right(r, "type"))
        return 0;
    if (check_architecture(s, r, type, err) < 0)
        return -1;
    if (value_get_bool(r->actual, "running", true) &&
        aws_do(s, "StopInstances", "InstanceId.1", aws_actual(r, "id"), err) < 0)
        return -1;
    value_map_set(r->arena, r->actual, "running", value_bool(r->arena, false));
    if (aws_wait(s, r, STOP_MS, is_stopped, err) < 0)
        return err_wrap(err, "waiting until it has stopped");
    return set_one(s, r, "ModifyInstanceAttribute", "InstanceType.Value", type, err);
}

static int update_instance(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;

    if (set_protection(s, r, err) < 0 || aws_update_tags(s, r, err) < 0 ||
        set_groups(s, r, err) < 0 || set_tokens(s, r, err) < 0 || set_role(s, r, err) < 0 ||
        set_source_check(s, r, err) < 0 || set_type(s, r, err) < 0)
        return -1;
    return value_get_bool(r->actual, "running", true)
               ? 0
               : aws_do(s, "StartInstances", "InstanceId.1", aws_actual(r, "id"), err);
}

/* ---- destroy ---- */

static int is_terminated(const struct value *item, struct err *err)
{
    UNUSED(err);
    return item == NULL;
}

static int destroy_instance(void *provider, struct resource *r, struct err *err)
{
    struct provider_session *s = provider;
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, "TerminateInstances");
    aws_put(&call, aws_actual(r, "id"), "InstanceId.1");
    rc = aws_remove(s, &call, err);
    if (rc < 0 && str_eq(call.code, "OperationNotPermitted"))
        err_hint(err, "its termination protection is on: `up` with "
                      "provider.termination_protection: off first");
    aws_call_release(&call);
    return rc < 0 ? -1 : aws_wait(s, r, STOP_MS, is_terminated, err);
}

/* ---- power ---- */

/* Forced, an instance is not asked to shut down: the nearest there is to a pulled plug. One that is
 * still stopping cannot be started. */
int aws_power(struct provider_session *s, const char *host, bool on, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct resource r = {.kind = &aws_instance.plan, .name = host, .arena = &arena};
    const struct value *item;
    struct aws_call call;
    int rc = aws_find(s, &aws_instance, host, &item, err);

    if (rc == 0 && !item)
        rc = err_set(err, ERR_FAILED, "there is no instance of %s", host);
    if (rc == 0) {
        r.actual = value_map(&arena);
        model_text(&r, "id", value_get_str(item, "instanceId", ""));
        if (on)
            rc = aws_wait(s, &r, STOP_MS, is_stopped, err);
    }
    aws_call_init(&call, &aws_ec2, on ? "StartInstances" : "StopInstances");
    aws_put(&call, aws_actual(&r, "id"), "InstanceId.1");
    if (!on)
        aws_put(&call, "true", "Force");
    if (rc == 0)
        rc = aws_send(s->client, &call, &arena, err) ? 0 : -1;
    if (rc == 0 && on)
        rc = aws_wait(s, &r, START_MS, is_running, err);
    aws_call_release(&call);
    arena_release(&arena);
    return rc;
}

/* ---- the kind ---- */

/* image: instances keep the one that they were made with. */
static const struct attr attrs[] = {{"id", ATTR_COMPUTED},
                                    {"type", ATTR_OFF},
                                    {"architecture", ATTR_COMPUTED},
                                    {"image", ATTR_COMPUTED},
                                    {"parts", ATTR_COMPUTED},
                                    {"address", ATTR_REPLACE},
                                    {"subnet", ATTR_REPLACE},
                                    {"groups", 0},
                                    {"has_role", 0},
                                    {"source_dest_check", 0},
                                    {"metadata_tokens", 0},
                                    {"data_volume", 0},
                                    {"running", ATTR_REACH},
                                    {"tags", 0},
                                    {NULL, 0}};
static const char *const after[] = {"volume",
                                    "subnet",
                                    "security_group",
                                    "security_rules",
                                    "key_pair",
                                    "instance_profile",
                                    "placement_group",
                                    "route_table",
                                    "elastic_ip",
                                    "internet_gateway_attachment",
                                    NULL};

/* clang-format off */
#define INSTANCE_KIND(name_, is_host_, after_)                                                    \
    {                                                                                             \
        .plan = {.name = (name_), .is_host = (is_host_), .attrs = attrs, .read = aws_read,        \
                 .create = create_instance, .update = update_instance,                            \
                 .destroy = destroy_instance, .wait = wait_instance},                             \
        .describe = "DescribeInstances", .list = "reservationSet", .id = "instanceId",            \
        .id_filter = "instance-id", .tag_type = "instance", .after = (after_),                    \
        .is_gone = is_gone, .is_going = is_going, .model = model_instance,                        \
    }
/* clang-format on */

const struct aws_kind aws_instance = INSTANCE_KIND("instance", true, after);

/* ---- the bastion: the one instance with a public address ---- */

bool aws_has_bastion(const struct cluster *c)
{
    return str_eq(value_at(c->config, "provider.bastion")->u.str.s, "on");
}

int aws_public_address(struct provider_session *s, const struct aws_kind *k, const char *name,
                       struct arena *a, const char **out, struct err *err)
{
    const struct resource *r = plan_find(s->plan, k->plan.name, name);
    const struct value *listed = NULL;
    struct value *item;

    *out = NULL;
    if (!r || !r->actual)
        return 0;
    if (r->action == ACTION_NONE) { /* the listing is right */
        if (aws_find(s, k, name, &listed, err) < 0)
            return -1;
        *out = value_get_str(listed, "ipAddress", NULL);
        return 0;
    }
    if (aws_look(s, k, aws_actual(r, "id"), a, &item, err) < 0)
        return -1;
    *out = value_get_str(item, "ipAddress", NULL);
    return *out ? 0 : err_set(err, ERR_FAILED, "it has no public address");
}

static const char *const bastion_after[] = {
    "subnet", "security_group", "security_rules", "key_pair", "internet_gateway_attachment", NULL};

const struct aws_kind aws_bastion = INSTANCE_KIND("bastion", false, bastion_after);

/* ---- placement group: where all are in one zone, on different machines ---- */

static int create_placement(void *provider, struct resource *r, struct err *err)
{
    struct aws_call call;
    int rc;

    aws_call_init(&call, &aws_ec2, "CreatePlacementGroup");
    aws_put(&call, value_at(r->desired, "tags.Name")->u.str.s, "GroupName");
    aws_put(&call, "spread", "Strategy");
    aws_put_tags(&call, r, aws_placement_group.tag_type, 1);
    rc = aws_create(provider, r, &call, "placementGroup.groupName", err);
    aws_call_release(&call);
    return rc;
}

static const struct attr placement_attrs[] = {{"id", ATTR_COMPUTED}, {NULL, 0}};
static const char *const nothing[] = {NULL};

const struct aws_kind aws_placement_group = {
    .plan = {.name = "placement_group",
             .attrs = placement_attrs,
             .read = aws_read,
             .create = create_placement,
             .destroy = aws_destroy},
    .remove = "DeletePlacementGroup",
    .remove_by = "GroupName",
    .describe = "DescribePlacementGroups",
    .list = "placementGroupSet",
    .id = "groupName",
    .id_filter = "group-name",
    .tag_type = "placement-group",
    .after = nothing,
};
