/*
 * modules.c - the list of all modules, and their documentation.
 */
#include "lib/play/modules.h"

extern const struct module module_apt, module_apt_repository, module_assert, module_blockinfile,
    module_command, module_copy, module_cron, module_deb822_repository, module_debug, module_fail,
    module_file, module_get_url, module_group, module_hostname, module_ini_file, module_lineinfile,
    module_mount, module_package, module_ping, module_set_fact, module_shell, module_slurp,
    module_stat, module_sysctl, module_systemd_service, module_template, module_unarchive,
    module_uri, module_user, module_wait_for;

const struct module *const module_list[] = {&module_apt,
                                            &module_apt_repository,
                                            &module_assert,
                                            &module_blockinfile,
                                            &module_command,
                                            &module_copy,
                                            &module_cron,
                                            &module_deb822_repository,
                                            &module_debug,
                                            &module_fail,
                                            &module_file,
                                            &module_get_url,
                                            &module_group,
                                            &module_hostname,
                                            &module_ini_file,
                                            &module_lineinfile,
                                            &module_mount,
                                            &module_package,
                                            &module_ping,
                                            &module_set_fact,
                                            &module_shell,
                                            &module_slurp,
                                            &module_stat,
                                            &module_sysctl,
                                            &module_systemd_service,
                                            &module_template,
                                            &module_unarchive,
                                            &module_uri,
                                            &module_user,
                                            &module_wait_for,
                                            NULL};

static bool has_alias(const struct module *m, const char *name)
{
    for (const char *const *alias = m->aliases; alias && *alias; alias++)
        if (str_eq(*alias, name))
            return true;
    return str_eq(m->name, name);
}

const struct module *module_find(const char *name)
{
    static const char builtin[] = "ansible.builtin.";

    if (str_starts(name, builtin))
        name += strlen(builtin);
    for (const struct module *const *m = module_list; *m; m++)
        if (has_alias(*m, name))
            return *m;
    return NULL;
}

static const char *type_name(enum arg_type type)
{
    static const char *const names[] = {"string", "boolean", "integer", "number", "list",
                                        "map",    "path",    "mode",    "any",    "refused"};

    return names[type];
}

/* In a table cell a bar would end the cell. */
static void put_cell(struct str *out, const char *text)
{
    str_puts(out, " | ");
    for (; text && *text; text++) {
        if (*text == '|')
            str_puts(out, ", ");
        else if (*text == '\n')
            str_puts(out, "\\n");
        else
            str_putc(out, *text);
    }
}

static void put_arg(struct str *out, const struct module_arg *arg)
{
    str_printf(out, "| `%s`%s", arg->name, arg->required ? " (required)" : "");
    put_cell(out, arg->aliases);
    put_cell(out, type_name(arg->type));
    put_cell(out, arg->otherwise);
    put_cell(out, arg->choices);
    put_cell(out, arg->help);
    str_puts(out, " |\n");
}

/* Arguments of Ansible's that are an error here, with what to do instead. */
static void put_refused(struct str *out, const struct module *m)
{
    const char *head = "\nRefused, each by its name:\n\n| argument | aliases | taken | |\n"
                       "|---|---|---|---|\n";

    for (const struct module_arg *arg = m->args; arg->name; arg++) {
        if (arg->type != ARG_REFUSED)
            continue;
        str_printf(out, "%s| `%s`", head, arg->name);
        put_cell(out, arg->aliases);
        put_cell(out, arg->otherwise);
        put_cell(out, arg->help);
        str_puts(out, " |\n");
        head = "";
    }
}

static void put_module(struct str *out, const struct module *m)
{
    str_printf(out, "## %s\n\n%s\n\n", m->name, m->help);
    if (m->aliases) {
        str_puts(out, "Also called");
        for (const char *const *alias = m->aliases; *alias; alias++)
            str_printf(out, "%s `%s`", alias == m->aliases ? "" : ",", *alias);
        str_puts(out, ".\n\n");
    }
    if (m->free_form)
        str_printf(out, "`%s: TEXT` gives the command itself.\n\n", m->name);
    if (m->runs_in_check_mode)
        str_puts(out, "Changes nothing, and runs in check mode too.\n\n");
    str_puts(out,
             "| argument | aliases | type | default | choices | |\n|---|---|---|---|---|---|\n");
    for (const struct module_arg *arg = m->args; arg->name; arg++)
        if (arg->type != ARG_REFUSED)
            put_arg(out, arg);
    put_refused(out, m);
    str_putc(out, '\n');
}

void modules_write_docs(struct str *out)
{
    str_puts(out, "# Modules\n\n"
                  "What a task can call. Names, arguments and results are those of ansible-core; "
                  "`ansible.builtin.NAME` works too. Any other argument is an error when the "
                  "playbook is read; those of Ansible's that are refused say what to do "
                  "instead.\n\n");
    for (const struct module *const *m = module_list; *m; m++)
        put_module(out, *m);
}
