/* target.c - how to reach a host, from its variables in an inventory. */
#include "lib/play/target.h"

#include "lib/base/log.h"
#include "lib/play/ssh_args.h"

static const char *text_of(const struct target_vars *vars, const char *name)
{
    return vars->get(vars->ctx, name);
}

static bool wants_become(const struct target_vars *vars, bool otherwise)
{
    const char *become = text_of(vars, "ansible_become");

    if (!become)
        return otherwise;
    return str_eq(become, "True") || str_eq(become, "yes") || str_eq(become, "true");
}

/* The password of sudo; NULL: none. */
static const char *become_password(const struct target_vars *vars)
{
    static const char *const names[] = {"ansible_become_password", "ansible_become_pass"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *text = text_of(vars, names[i]);

        if (text && *text) {
            log_secret(text);
            return text;
        }
    }
    return NULL;
}

/* Ansible's order on ssh's command line; both are read as one. */
static const char *ssh_arguments(struct arena *a, const struct target_vars *vars)
{
    const char *common = text_of(vars, "ansible_ssh_common_args");
    const char *extra = text_of(vars, "ansible_ssh_extra_args");

    return arena_printf(a, "%s %s", common ? common : "", extra ? extra : "");
}

int target_from_vars(struct arena *a, const char *name, const struct target_vars *vars, bool become,
                     struct ssh_target *target, struct err *err)
{
    const char *address = text_of(vars, "ansible_host"), *port = text_of(vars, "ansible_port");
    const char *identity = text_of(vars, "ansible_ssh_private_key_file");

    *target = (struct ssh_target){.name = name,
                                  .address = address ? address : name,
                                  .user = text_of(vars, "ansible_user"),
                                  .identity = ssh_args_path(a, identity),
                                  .port = port ? (int)strtol(port, NULL, 10) : 0};
    if (ssh_args_apply(a, ssh_arguments(a, vars), target, err) < 0)
        return err_wrap(err, "%s: ansible_ssh_common_args, ansible_ssh_extra_args", name);
    target->become = target->user && !str_eq(target->user, "root") && wants_become(vars, become);
    target->become_password = target->become ? become_password(vars) : NULL;
    return 0;
}

struct plain_vars {
    struct arena *arena;
    const struct value *map;
};

static const char *plain_text(void *ctx, const char *name)
{
    const struct plain_vars *p = ctx;
    const struct value *v = value_get(p->map, name);

    if (!v || v->type == VALUE_NULL)
        return NULL;
    if (v->type == VALUE_INT)
        return arena_printf(p->arena, "%lld", (long long)v->u.i);
    if (v->type == VALUE_BOOL)
        return v->u.b ? "true" : "false";
    return v->type == VALUE_STR ? v->u.str.s : NULL;
}

int target_of_host(struct arena *a, const struct inventory *inv, const char *name,
                   struct ssh_target *target, struct err *err)
{
    const struct inventory_host *host = map_get(&inv->hosts, name);
    struct plain_vars plain;
    struct target_vars vars = {plain_text, &plain};

    if (!host)
        return err_set(err, ERR_INPUT, "the inventory has no host %s", name);
    plain = (struct plain_vars){a, inventory_vars(inv, host, a)};
    return target_from_vars(a, name, &vars, true, target, err);
}
