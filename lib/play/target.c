/* target.c - how to reach a host, from its variables in an inventory. */
#include "lib/play/target.h"

#include "lib/base/log.h"
#include "lib/play/ssh_args.h"

/* Ansible's variables of connections. Those that are not supported are refused when they say
 * anything but `only`; those that say how Ansible does its work have no meaning here. */
static const struct variable {
    const char *name;
    enum { USED, REFUSED, IGNORED } what;
    const char *only; /* the values with which it says what is done anyway, "a|b"; or NULL */
    const char *help;
} variables[] = {
    {"ansible_host", USED, NULL, "default: the name in the inventory"},
    {"ansible_port", USED, NULL, ""},
    {"ansible_user", USED, NULL, "default: root"},
    {"ansible_ssh_private_key_file", USED, NULL, "beside it: ssh's agent and its default keys"},
    {"ansible_ssh_common_args", USED, NULL,
     "of these: user, port, key, known hosts, StrictHostKeyChecking=accept-new, bastions"},
    {"ansible_ssh_extra_args", USED, NULL, "likewise"},
    {"ansible_become", USED, NULL, "for a login that is not root's"},
    {"ansible_become_password", USED, NULL, "of sudo"},
    {"ansible_become_pass", USED, NULL, "likewise"},
    {"ansible_connection", REFUSED, "ssh|smart|paramiko|local",
     "hosts are reached by SSH, those with `local`, too"},
    {"ansible_become_method", REFUSED, "sudo|ansible.builtin.sudo", "only sudo"},
    {"ansible_become_user", REFUSED, "root", "only root: use `runuser -u NAME --` in a command"},
    {"ansible_password", REFUSED, NULL, "log in with a key or an agent"},
    {"ansible_ssh_pass", REFUSED, NULL, "log in with a key or an agent"},
    {"ansible_ssh_password", REFUSED, NULL, "log in with a key or an agent"},
    {"ansible_private_key_file", REFUSED, NULL, "write ansible_ssh_private_key_file"},
    {"ansible_ssh_host", REFUSED, NULL, "write ansible_host"},
    {"ansible_ssh_port", REFUSED, NULL, "write ansible_port"},
    {"ansible_ssh_user", REFUSED, NULL, "write ansible_user"},
    {"ansible_ssh_args", IGNORED, NULL, "write ansible_ssh_common_args"},
    {"ansible_host_key_checking", IGNORED, NULL,
     "host keys are always verified: --accept-new-host-keys trusts at first use"},
    {"ansible_python_interpreter", IGNORED, NULL, "hosts need no Python"},
    {"ansible_shell_type", IGNORED, NULL, "scripts are run by sh"},
    {"ansible_pipelining", IGNORED, NULL, "one script a trip, always"},
};

void target_put_reference(struct str *out)
{
    static const char *const answers[] = {
        [USED] = "yes", [REFUSED] = "no", [IGNORED] = "no effect"};

    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        str_printf(out, "| `%s` | %s | %s |\n", variables[i].name, answers[variables[i].what],
                   variables[i].help);
}

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

/* Is the text one of "a|b|c"? */
static bool is_one_of(const char *text, const char *words)
{
    size_t len = strlen(text);

    for (const char *at = words; at && *at; at += strcspn(at, "|"), at += *at == '|')
        if (strcspn(at, "|") == len && strncmp(at, text, len) == 0)
            return true;
    return false;
}

static int check_refused(const char *name, const struct target_vars *vars, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        const struct variable *v = &variables[i];
        const char *text = v->what == REFUSED ? text_of(vars, v->name) : NULL;

        if (text && *text && !is_one_of(text, v->only))
            return err_set(err, ERR_INPUT, "%s: %s is not supported: %s", name, v->name, v->help);
    }
    return 0;
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
    if (check_refused(name, vars, err) < 0)
        return -1;
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
