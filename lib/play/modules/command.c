/*
 * command.c - module command: one program with its arguments, no shell.
 */
#include <ctype.h>

#include "lib/play/args.h"
#include "lib/play/command_line.h"

static const struct module_arg args[] = {
    COMMAND_ARGS,
    {"argv", ARG_LIST, false, NULL, NULL, NULL, "The command as a list of words"},
    {"expand_argument_vars", ARG_BOOL, false, "yes", NULL, NULL,
     "Replace $NAME and ${NAME} by the host's environment, as Ansible does"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

static int needs(struct module_call *call, void (*add)(void *ctx, const struct need *need),
                 void *ctx, struct err *err)
{
    struct value *words = value_get(call->args, "argv");
    const char *text;

    if (!words) {
        text = command_text(call, err);
        words = text ? args_words(call->arena, text, err) : NULL;
    }
    if (!words)
        return -1;
    if (words->u.list.n == 0)
        return err_set(err, ERR_INPUT, "no command given");
    call->own = words;
    return command_needs(call, add, ctx, err);
}

/* Length of $NAME or ${NAME} at p, its name in *name; 0: no variable. */
static size_t variable_at(const char *p, const char **name, size_t *name_len)
{
    bool braces = p[0] == '$' && p[1] == '{';

    if (p[0] != '$')
        return 0;
    *name = p + 1 + braces;
    *name_len = 0;
    while (isalnum((unsigned char)(*name)[*name_len]) || (*name)[*name_len] == '_')
        ++*name_len;
    if (*name_len == 0 || isdigit((unsigned char)**name) || (braces && (*name)[*name_len] != '}'))
        return 0;
    return *name_len + 1 + (braces ? 2 : 0);
}

/* A word in which Python's expandvars and expanduser would act: unknown variables stay. */
static void put_expanded(struct module_call *call, const char *word, struct str *script)
{
    const char *name, *plain = word;
    size_t len, name_len;

    if (word[0] == '~' && (word[1] == '/' || word[1] == '\0')) {
        str_puts(script, "\"$HOME\"");
        plain = ++word;
    }
    for (; *word; word += len) {
        len = variable_at(word, &name, &name_len);
        if (len == 0) {
            len = 1;
            continue;
        }
        str_put_shell(script, arena_strndup(call->arena, plain, (size_t)(word - plain)));
        str_printf(script, word[1] == '{' ? "\"${%.*s-\\${%.*s\\}}\"" : "\"${%.*s-\\$%.*s}\"",
                   (int)name_len, name, (int)name_len, name);
        plain = word + len;
    }
    str_put_shell(script, plain);
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    struct value *words = call->own;
    struct str command;

    UNUSED(err);
    str_init(&command, STR_MAX_TEXT);
    str_puts(&command, "env --");
    for (size_t i = 0; i < words->u.list.n; i++) {
        const char *word = words->u.list.items[i]->u.str.s;

        str_putc(&command, ' ');
        if (value_get_bool(call->args, "expand_argument_vars", true))
            put_expanded(call, word, &command);
        else
            str_put_shell(&command, word);
    }
    command_plan(call, world, command.buf, words, out);
    str_release(&command);
    return 0;
}

const struct module module_command = {
    .name = "command",
    .help = "Runs a program; no shell takes part.",
    .args = args,
    .free_form = true,
    .needs = needs,
    .plan = plan,
    .finish = command_finish,
};
