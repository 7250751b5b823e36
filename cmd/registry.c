/* registry.c - the only list of commands. Adding one: its file, and two lines here. */
#include "cmd/cmd.h"

extern const struct command cmd_init, cmd_validate, cmd_plan, cmd_up, cmd_down;
extern const struct command cmd_status, cmd_conninfo, cmd_verify, cmd_inventory;
extern const struct command cmd_play, cmd_render, cmd_ssh, cmd_psql, cmd_logs;
extern const struct command cmd_drill, cmd_doctor, cmd_secrets, cmd_docs;

const struct command *const commands[] = {
    &cmd_init,   &cmd_validate, &cmd_plan,      &cmd_up,   &cmd_down,   &cmd_status, &cmd_conninfo,
    &cmd_verify, &cmd_drill,    &cmd_inventory, &cmd_play, &cmd_render, &cmd_ssh,    &cmd_psql,
    &cmd_logs,   &cmd_doctor,   &cmd_secrets,   &cmd_docs, NULL,
};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (str_eq(commands[i]->name, name))
            return commands[i];
    return NULL;
}
