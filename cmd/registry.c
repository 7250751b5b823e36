/* registry.c - the only list of commands. Adding one: its file, and two lines here. */
#include "cmd/cmd.h"

extern const struct command command_init, command_validate, command_plan, command_up, command_down;
extern const struct command command_status, command_conninfo, command_verify, command_inventory;
extern const struct command command_play, command_render, command_ssh, command_psql, command_logs;
extern const struct command command_docs;

const struct command *const commands[] = {
    &command_init,      &command_validate, &command_plan,     &command_up,
    &command_down,      &command_status,   &command_conninfo, &command_verify,
    &command_inventory, &command_play,     &command_render,   &command_ssh,
    &command_psql,      &command_logs,     &command_docs,     NULL,
};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (str_eq(commands[i]->name, name))
            return commands[i];
    return NULL;
}
