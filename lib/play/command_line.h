/*
 * command_line.h - what command and shell share.
 */
#ifndef PGHA_COMMAND_LINE_H
#define PGHA_COMMAND_LINE_H

#include "lib/play/module.h"

#define COMMAND_ARGS                                                                               \
    {"cmd", ARG_STR, false, NULL, NULL, NULL, "The command, instead of the free form"},            \
        {"chdir", ARG_PATH, false, NULL, NULL, NULL, "Folder to run it in"},                       \
        {"creates", ARG_PATH, false, NULL, NULL, NULL, "Not run when this path exists"},           \
        {"removes", ARG_PATH, false, NULL, NULL, NULL, "Not run when this path does not exist"},   \
        {"stdin", ARG_STR, false, NULL, NULL, NULL, "Text for its standard input"},                \
        {"stdin_add_newline", ARG_BOOL, false, "yes", NULL, NULL, "End that text with a newline"}, \
    {                                                                                              \
        "strip_empty_ends", ARG_BOOL, false, "yes", NULL, NULL,                                    \
            "Cut line ends off the end of stdout and stderr"                                       \
    }

/* The text of the task: cmd or the free form; NULL with err when there is none, or both. */
const char *command_text(const struct module_call *call, struct err *err);
/* creates and removes. */
int command_needs(struct module_call *call, void (*add)(void *ctx, const struct need *need),
                  void *ctx, struct err *err);
/* Plans `command`, shell text that runs the program, with chdir and stdin around it. */
void command_plan(struct module_call *call, struct world *world, const char *command,
                  struct value *cmd, struct module_plan *out);
void command_finish(struct module_call *call, struct module_plan *plan, int rc, const char *out,
                    const char *errout);

#endif
