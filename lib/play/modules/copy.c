/*
 * copy.c - module copy: a file of ours or of the host's, or text given in the playbook, as it is.
 */
#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/doc/json.h"
#include "lib/jinja/jinja.h"
#include "lib/play/filechange.h"

#define COPY_MAX_BYTES ((size_t)16 << 20)

static const struct module_arg args[] = {
    {"src", ARG_PATH, false, NULL, NULL, NULL,
     "File of this machine, looked up in files/, or with remote_src one of the host"},
    {"content", ARG_RAW, false, NULL, NULL, NULL,
     "The text itself, instead of src; lists and maps are written as JSON"},
    {"dest", ARG_PATH, true, NULL, NULL, NULL,
     "Where it goes; in a folder, or with a slash at its end, under the name of src"},
    FILE_ATTRIBUTE_ARGS,
    {"backup", ARG_BOOL, false, "no", NULL, NULL, "Keep the old file beside it, with a time stamp"},
    {"force", ARG_BOOL, false, "yes", NULL, NULL, "no: only when dest does not exist"},
    {"remote_src", ARG_BOOL, false, "no", NULL, NULL, "src is a file of the host"},
    {"validate", ARG_STR, false, NULL, NULL, NULL,
     "Command that must accept the new file, %s is its name"},
    {"follow", ARG_BOOL, false, "no", NULL, NULL, "Write what a link at dest leads to"},
    {"directory_mode", ARG_MODE, false, NULL, NULL, NULL, "Of folders that are made"},
    {"checksum", ARG_STR, false, NULL, NULL, NULL, "SHA-1 that the file must have"},
    {"decrypt", ARG_BOOL, false, "yes", NULL, NULL,
     "no: a file of ansible-vault is copied as it is; with yes it is an error"},
    {"local_follow", ARG_BOOL, false, "yes", NULL, NULL, "Accepted: of links inside folders"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

static void take_content(struct module_call *call, const struct value *content,
                         struct file_delivery *delivery)
{
    struct str text;

    str_init(&text, COPY_MAX_BYTES);
    if (content->type == VALUE_LIST || content->type == VALUE_MAP)
        json_write(content, JSON_LINE, &text);
    else
        jinja_put(content, &text);
    delivery->data = arena_strndup(call->arena, text.buf, text.len);
    delivery->len = text.len;
    str_release(&text);
}

static int read_source(struct module_call *call, const char *src, struct file_delivery *delivery,
                       struct err *err)
{
    struct str text;
    int rc;

    str_init(&text, COPY_MAX_BYTES);
    rc = file_source(call, src, &text, &delivery->source, err);
    if (rc == 0) {
        delivery->data = arena_strndup(call->arena, text.buf, text.len);
        delivery->len = text.len;
        delivery->name = path_base(delivery->source);
    }
    str_release(&text);
    return rc;
}

static int check_sum(struct module_call *call, const struct file_delivery *delivery,
                     struct err *err)
{
    const char *wanted = value_get_str(call->args, "checksum", NULL);
    char sum[SHA1_HEX_SIZE];

    sha1_hex(delivery->data, delivery->len, sum);
    if (wanted && strcasecmp(wanted, sum) != 0)
        return err_set(err, ERR_INPUT,
                       "Copied file does not match the expected checksum. Transfer failed.");
    return 0;
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct file_delivery *delivery = arena_new(call->arena, struct file_delivery);
    const struct value *content = value_get(call->args, "content");
    const char *src = value_get_str(call->args, "src", NULL);

    if (!src == !content)
        return err_set(err, ERR_INPUT, "copy needs src or content%s", src ? ", not both" : "");
    if (src && value_get_bool(call->args, "remote_src", false)) {
        if (value_get(call->args, "checksum"))
            return err_set(err, ERR_INPUT, "copy: checksum is for a file of this machine");
        delivery->from = file_follow(call, file_clean_path(call, src), add, ctx);
        delivery->source = src;
        delivery->name = path_base(src);
        call->own = delivery;
        file_deliver_needs(call, delivery, add, ctx);
        return 0;
    }
    if (content)
        take_content(call, content, delivery);
    else if (read_source(call, src, delivery, err) < 0)
        return -1;
    if (check_sum(call, delivery, err) < 0)
        return -1;
    call->own = delivery;
    file_deliver_needs(call, delivery, add, ctx);
    return 0;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct file_delivery *delivery = call->own;
    char type = delivery->from ? world_path(world, delivery->from)->type : 'f';

    if (type == 0)
        return plan_fail(call, out, "Source %s not found", delivery->source);
    if (type != 'f')
        return err_set(err, ERR_INPUT,
                       "copy: remote_src takes a file, and %s is none: use command: cp -a",
                       delivery->source);
    return file_deliver_plan(call, world, delivery, out, err);
}

const struct module module_copy = {
    .name = "copy",
    .help = "Copies a file of this machine, or of the host, or text, to a place on the host.",
    .args = args,
    .needs = needs,
    .plan = plan,
};
