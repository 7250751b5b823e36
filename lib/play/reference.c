/*
 * reference.c - docs/ansible.md: what of Ansible is supported, from the tables that read it.
 */
#include "lib/play/facts.h"
#include "lib/play/modules.h"
#include "lib/play/reader.h"
#include "lib/play/target.h"
#include "lib/play/vars.h"

static void put_key(struct str *out, const char *name, bool supported, const char *text)
{
    str_printf(out, "| `%s` | %s | %s |\n", name, supported ? "yes" : "no", text);
}

static void put_keys(struct str *out, const char *title, const struct key_table *table)
{
    str_printf(out, "\n### %s\n\n| key | | |\n|---|---|---|\n", title);
    for (size_t i = 0; i < table->n; i++)
        if (table->rows[i].read)
            put_key(out, table->rows[i].name, true, table->rows[i].text);
    for (size_t i = 0; i < table->n; i++)
        if (!table->rows[i].read)
            put_key(out, table->rows[i].name, false, table->rows[i].text);
}

static void put_actions(struct str *out)
{
    str_puts(out, "\n### What stands for other tasks\n\n| key | | |\n|---|---|---|\n"
                  "| `block`, `rescue`, `always` | yes | in handlers `block` alone |\n"
                  "| `args` | yes | arguments beside those of the module's key |\n"
                  "| `import_playbook` | yes | with `name` and nothing else |\n");
    for (const struct action *action = reader_actions; action->name; action++)
        put_key(out, action->name, action->supported, action->text);
}

static void put_names(struct str *out, const struct module *m, bool refused)
{
    for (const struct module_arg *arg = m->args; arg->name; arg++)
        if ((arg->type == ARG_REFUSED) == refused)
            str_printf(out, " %s", arg->name);
}

static void put_module(struct str *out, const struct module *m)
{
    const char *before = "";

    str_printf(out, "| [`%s`](modules.md#%s) | ", m->name, m->name);
    for (const char *const *alias = m->aliases; alias && *alias; alias++) {
        str_printf(out, "%s`%s`", before, *alias);
        before = ", ";
    }
    str_puts(out, " |");
    put_names(out, m, false);
    str_puts(out, m->any_args ? " any name |" : " |");
    put_names(out, m, true);
    str_puts(out, " |\n");
}

static void put_modules(struct str *out)
{
    str_puts(out,
             "\n## Modules\n\n"
             "`ansible.builtin.NAME` works too. An argument or a module that is not here is an "
             "error when the playbook is read; `command` and `shell` do what no module does. "
             "What each argument takes is in [modules.md](modules.md).\n\n"
             "| module | also called | arguments | refused |\n|---|---|---|---|\n");
    for (const struct module *const *m = module_list; *m; m++)
        put_module(out, *m);
}

void play_write_reference(struct str *out)
{
    str_puts(
        out,
        "# For users of Ansible\n\n"
        "Made by `pgha-deploy docs ansible` from the tables that read playbooks; a test holds "
        "this page against it.\n\n"
        "`pgha-deploy play PLAYBOOK -i INVENTORY` runs a playbook as it is. What is supported "
        "does what it does under ansible-core 2.19; what is not is an error with its place and "
        "what to do instead, before any host is touched. Nothing is passed over silently but "
        "what the tables call \"no effect\". With `--list-tasks` everything is read and nothing "
        "runs: the first thing to try on a playbook of your own.\n\n"
        "## Playbooks\n");
    put_keys(out, "Plays", &reader_play_table);
    put_keys(out, "Plays, blocks, roles and tasks", &reader_common_table);
    put_keys(out, "Tasks and handlers", &reader_task_table);
    put_keys(out, "loop_control", &reader_control_table);
    put_actions(out);
    put_modules(out);
    str_puts(out, "\n## Variables of every play\n\n| variable | | |\n|---|---|---|\n");
    vars_put_reference(out);
    str_puts(out, "\n## Facts\n\nOf `ansible_facts`, and with `ansible_` in front; any other is "
                  "undefined: `command` and `register` find out what is missing.\n\n"
                  "| fact | |\n|---|---|\n");
    facts_put_reference(out);
    str_puts(out, "\n## Variables of connections\n\n| variable | | |\n|---|---|---|\n");
    target_put_reference(out);
    str_putc(out, '\n');
    jinja_put_reference(out);
}
