/*
 * write_ssh_config.c - a block of ssh_config(5) for each host reached over ssh.
 *
 * From Ansible's connection variables: ansible_host, ansible_port, ansible_user,
 * ansible_ssh_private_key_file, then ansible_ssh_common_args and ansible_ssh_extra_args. ssh takes
 * the first value it finds for an option, and this is the order of Ansible's ssh command line.
 */
#include <inttypes.h>
#include <stdio.h>

#include "inventory/internal.h"

struct option {
    const char *variable, *older, *keyword;
};

/* older: the name before Ansible 2.0, still read. */
static const struct option options[] = {
    {"ansible_host", "ansible_ssh_host", "HostName"},
    {"ansible_port", "ansible_ssh_port", "Port"},
    {"ansible_user", "ansible_ssh_user", "User"},
    {"ansible_ssh_private_key_file", "ansible_private_key_file", "IdentityFile"},
};

static int check_text(const char *name, const char *text, struct err *err)
{
    if (strpbrk(text, "\"\r\n"))
        return err_set(err, ERR_INPUT, "%s holds a quote or a line break", name);
    if (strstr(text, "{{"))
        return err_set(err, ERR_INPUT, "%s is a template, which is not worked out here", name);
    return 0;
}

/* KEYWORD VALUE, quoted where it has spaces; % would begin a token of ssh's. */
static void put_option(const char *keyword, const char *text, struct str *out)
{
    bool quote = !*text || strchr(text, ' ') || strchr(text, '#');

    str_printf(out, "    %s %s", keyword, quote ? "\"" : "");
    for (; *text; text++)
        str_puts(out, *text == '%' ? "%%" : (char[]){*text, '\0'});
    str_puts(out, quote ? "\"\n" : "\n");
}

static int put_variable(const struct value *vars, const struct option *option, struct str *out,
                        struct err *err)
{
    const struct value *v = value_get(vars, option->variable);
    char number[32];

    v = v ? v : value_get(vars, option->older);
    if (!v || v->type == VALUE_NULL)
        return 0;
    if (v->type == VALUE_INT) {
        snprintf(number, sizeof(number), "%" PRId64, v->u.i);
        put_option(option->keyword, number, out);
        return 0;
    }
    if (!value_is_str(v))
        return err_set(err, ERR_INPUT, "%s must be text, it is a %s", option->variable,
                       value_type_name(v->type));
    if (check_text(option->variable, v->u.str.s, err) < 0)
        return -1;
    put_option(option->keyword, v->u.str.s, out);
    return 0;
}

/* ssh's flags that have an option of the same meaning (ssh(1)); value NULL: the next word is it. */
static const struct flag {
    char letter;
    const char *keyword, *value;
} flags[] = {
    {'i', "IdentityFile", NULL},
    {'J', "ProxyJump", NULL},
    {'p', "Port", NULL},
    {'l', "User", NULL},
    {'A', "ForwardAgent", "yes"},
    {'C', "Compression", "yes"},
    {'4', "AddressFamily", "inet"},
    {'6', "AddressFamily", "inet6"},
};

/* -o KEY=VALUE: verbatim, with ssh's own tokens and quotes, as ssh reads it in either place. */
static void put_o_option(const char *text, struct str *out)
{
    size_t key = strcspn(text, "= \t"), gap = strspn(text + key, "= \t");

    str_printf(out, "    %.*s %s\n", (int)key, text, text + key + gap);
}

static const struct flag *find_flag(const char *word)
{
    for (size_t i = 0; word[0] == '-' && i < ARRAY_LEN(flags); i++) {
        if (word[1] == flags[i].letter && (!flags[i].value || !word[2]))
            return &flags[i];
    }
    return NULL;
}

/* The value of a flag: glued to it or the next word. NULL: there is none. */
static const char *flag_value(const char **at, const char *end, struct str *word)
{
    const char *why;

    if (word->len > 2)
        return word->buf + 2;
    return words_next(at, end, false, word, &why) > 0 ? word->buf : NULL;
}

static int put_argument(const char **at, const char *end, struct str *word, struct str *out,
                        struct err *err)
{
    const struct flag *flag = find_flag(word->buf);
    const char *value;

    if (!flag && !str_starts(word->buf, "-o"))
        return err_set(err, ERR_INPUT, "'%s' has no counterpart in ssh_config", word->buf);
    value = flag && flag->value ? flag->value : flag_value(at, end, word);
    if (!value)
        return err_set(err, ERR_INPUT, "the last argument has no value");
    if (flag)
        put_option(flag->keyword, value, out);
    else
        put_o_option(value, out);
    return 0;
}

static int put_arguments(const struct value *vars, const char *variable, struct str *out,
                         struct err *err)
{
    const char *at = value_get_str(vars, variable, ""), *end = at + strlen(at), *why = NULL;
    struct str word;
    int got = 1, rc = 0;

    if (strpbrk(at, "\r\n") || strstr(at, "{{"))
        return err_set(err, ERR_INPUT, "%s holds a line break or a template", variable);
    str_init(&word, STR_MAX_TEXT);
    while (rc == 0 && (got = words_next(&at, end, false, &word, &why)) > 0)
        rc = put_argument(&at, end, &word, out, err);
    if (got < 0)
        rc = err_set(err, ERR_INPUT, "%s", why);
    str_release(&word);
    return rc < 0 ? err_wrap(err, "%s", variable) : 0;
}

static int put_host(const struct inventory_host *host, const struct value *vars, struct str *out,
                    struct err *err)
{
    str_printf(out, "%sHost %s\n", out->len ? "\n" : "", host->name);
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (put_variable(vars, &options[i], out, err) < 0)
            return err_wrap(err, "host '%s'", host->name);
    }
    if (put_arguments(vars, "ansible_ssh_common_args", out, err) < 0 ||
        put_arguments(vars, "ansible_ssh_extra_args", out, err) < 0)
        return err_wrap(err, "host '%s'", host->name);
    return 0;
}

int inventory_write_ssh_config(const struct inventory *inv, const char *const *hidden,
                               struct str *out, struct err *err)
{
    struct arena a = ARENA_INIT;
    int rc = 0;

    for (size_t i = 0; i < inv->hosts.n && rc == 0; i++) {
        const struct inventory_host *host = inv->hosts.entries[i].value;
        struct value *vars = inventory_plain_vars(inv, host, &a);

        inventory_hide(vars, hidden);
        if (!str_eq(value_get_str(vars, "ansible_connection", "ssh"), "local"))
            rc = put_host(host, vars, out, err);
    }
    arena_release(&a);
    return rc;
}
