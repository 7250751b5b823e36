/* options.c - the command line: global options, a command, its options; and help, man page and docs
 * from the same tables. */
#include <stdio.h>

#include "cmd/cmd.h"

const struct option_row global_options[] = {
    {"file", 'f', "FILE", "the cluster file (default: ./cluster.yaml)"},
    {"json", 0, NULL, "results as JSON on stdout"},
    {"yes", 'y', NULL, "do not ask before changing things"},
    {"events", 0, "FILE", "what happens as JSON, one object a line; /dev/fd/N for a pipe"},
    {"profile", 0, NULL, "at the end: where the time went; stages, slowest tasks, hosts"},
    {"quiet", 'q', NULL, "no progress, errors only"},
    {"verbose", 'v', NULL, "more detail; twice: debug"},
    {"accept-new-host-keys", 0, NULL, "trust and remember keys of hosts seen for the first time"},
    {"playbooks", 0, "DIR", "use the playbooks in DIR instead of the built-in ones"},
    {"vault-password-file", 0, "FILE", "passphrase of the cluster's secrets (default: a key file)"},
    {"help", 'h', NULL, "help for the command"},
    {"version", 'V', NULL, "the version"},
    {NULL, 0, NULL, NULL},
};

struct parser {
    struct context *ctx;
    const struct command *command; /* NULL until it was named */
    bool help, version;
};

static int PRINTF_LIKE(2, 3) usage_fault(const struct parser *p, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "pgha-deploy: ");
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\ntry: pgha-deploy %s%s--help\n", p->command ? p->command->name : "",
            p->command ? " " : "");
    return err_exit_status(ERR_USAGE);
}

static const struct option_row *find_in(const struct option_row *rows, const char *name, size_t len,
                                        char letter)
{
    for (; rows && rows->name; rows++)
        if (letter ? rows->letter == letter
                   : strlen(rows->name) == len && strncmp(rows->name, name, len) == 0)
            return rows;
    return NULL;
}

static const struct option_row *find_option(const struct parser *p, const char *name, size_t len,
                                            char letter)
{
    const struct option_row *row =
        p->command ? find_in(p->command->options, name, len, letter) : NULL;

    return row ? row : find_in(global_options, name, len, letter);
}

static bool is_global(const struct option_row *row)
{
    return row >= global_options && row < global_options + ARRAY_LEN(global_options);
}

static void set_global(struct parser *p, const struct option_row *row, const char *value)
{
    struct context *ctx = p->ctx;

    if (str_eq(row->name, "file"))
        ctx->file = value;
    else if (str_eq(row->name, "playbooks"))
        ctx->playbooks = value;
    else if (str_eq(row->name, "vault-password-file"))
        ctx->vault.password_file = value;
    else if (str_eq(row->name, "events"))
        ctx->events_file = value;
    else if (str_eq(row->name, "json"))
        ctx->json = true;
    else if (str_eq(row->name, "profile"))
        ctx->profile = true;
    else if (str_eq(row->name, "yes"))
        ctx->yes = true;
    else if (str_eq(row->name, "accept-new-host-keys"))
        ctx->accept_new_keys = true;
    else if (str_eq(row->name, "quiet"))
        ctx->quiet = true;
    else if (str_eq(row->name, "verbose"))
        ctx->verbose++;
    else if (str_eq(row->name, "help"))
        p->help = true;
    else
        p->version = true;
}

static void set_option(struct parser *p, const struct option_row *row, const char *value)
{
    struct given_option given = {row->name, value ? value : ""};

    if (is_global(row)) {
        set_global(p, row, value);
        return;
    }
    map_set(&p->ctx->options, row->name, (void *)given.value);
    vec_push(&p->ctx->given, given);
}

static int parse_long(struct parser *p, const char *text, const char *next, int *used)
{
    size_t len = strcspn(text, "=");
    const struct option_row *row = find_option(p, text, len, 0);

    if (!row)
        return usage_fault(p, "unknown option --%s", text);
    if (!row->arg && text[len])
        return usage_fault(p, "--%s takes no value", row->name);
    if (row->arg && !text[len] && !next)
        return usage_fault(p, "--%s needs a value", row->name);
    *used = row->arg && !text[len];
    set_option(p, row, !row->arg ? NULL : text[len] ? text + len + 1 : next);
    return -1;
}

static int parse_letters(struct parser *p, const char *text, const char *next, int *used)
{
    char name[2] = {0};

    for (*used = 0; *text; text++) {
        const struct option_row *row = find_option(p, NULL, 0, *text);

        name[0] = *text;
        if (!row)
            return usage_fault(p, "unknown option -%s", name);
        if (!row->arg) {
            set_option(p, row, NULL);
            continue;
        }
        if (!text[1] && !next)
            return usage_fault(p, "-%s needs a value", name);
        *used = !text[1];
        set_option(p, row, text[1] ? text + 1 : next);
        return -1;
    }
    return -1;
}

static int name_command(struct parser *p, const char *name)
{
    const char *names[64], *nearest;
    size_t n = 0;

    if ((p->command = command_find(name)))
        return -1;
    fprintf(stderr, "pgha-deploy: there is no command \"%s\"", name);
    for (; n < ARRAY_LEN(names) && commands[n]; n++)
        names[n] = commands[n]->name;
    if ((nearest = nearest_word(name, names, n)))
        fprintf(stderr, "; did you mean \"%s\"?", nearest);
    fprintf(stderr, "\ntry: pgha-deploy --help\n");
    return err_exit_status(ERR_USAGE);
}

static int check_count(const struct parser *p, int n)
{
    const struct command *c = p->command;

    if (n >= c->min_args && (c->max_args < 0 || n <= c->max_args))
        return -1;
    fprintf(stderr, "pgha-deploy: too %s arguments\nusage: pgha-deploy %s %s\n",
            n < c->min_args ? "few" : "many", c->name, c->usage);
    return err_exit_status(ERR_USAGE);
}

/* Moves positional arguments to the end of argv, in order, and tells where they begin. */
int options_parse(struct context *ctx, int argc, char **argv, const struct command **command,
                  int *rest)
{
    struct parser p = {ctx, NULL, false, false};
    int kept = 0, status = -1, i;

    for (i = 1; i < argc && status < 0; i++) {
        const char *arg = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
        int used = 0;

        if (str_eq(arg, "--")) {
            i++;
            break;
        }
        if (arg[0] == '-' && arg[1] == '-')
            status = parse_long(&p, arg + 2, next, &used);
        else if (arg[0] == '-' && arg[1])
            status = parse_letters(&p, arg + 1, next, &used);
        else if (!p.command)
            status = name_command(&p, arg);
        else {
            argv[kept++] = argv[i];
            /* After the last positional argument that is ours the rest belongs to somebody else
             * (ssh, psql). */
            if (p.command->max_args < 0 && kept >= p.command->min_args) {
                i++;
                break;
            }
        }
        i += used;
    }
    if (status >= 0)
        return status;
    if (p.version) {
        printf("pgha-deploy %s\n", PGHA_VERSION);
        return 0;
    }
    if (p.help || !p.command) {
        if (p.command)
            help_command(p.command);
        else
            help_print();
        return p.help ? 0 : err_exit_status(ERR_USAGE);
    }
    for (; i < argc; i++)
        if (!(str_eq(argv[i], "--") && kept == p.command->min_args))
            argv[kept++] = argv[i];
    argv[kept] = NULL;
    *command = p.command;
    *rest = kept;
    return check_count(&p, kept);
}

const char *option_get(const struct context *ctx, const char *name)
{
    return map_get(&ctx->options, name);
}

bool option_given(const struct context *ctx, const char *name)
{
    return map_has(&ctx->options, name);
}

const char *option_next(const struct context *ctx, const char *name, size_t *at)
{
    while (*at < ctx->given.n) {
        const struct given_option *given = &ctx->given.items[(*at)++];

        if (str_eq(given->name, name))
            return given->value;
    }
    return NULL;
}

static void print_options(const struct option_row *rows)
{
    char left[64];

    for (; rows && rows->name; rows++) {
        snprintf(left, sizeof(left), "%c%c%s --%s%s%s", rows->letter ? '-' : ' ',
                 rows->letter ? rows->letter : ' ', rows->letter ? "," : " ", rows->name,
                 rows->arg ? " " : "", rows->arg ? rows->arg : "");
        printf("  %-28s %s\n", left, rows->help);
    }
}

void help_print(void)
{
    printf("pgha-deploy %s: highly available PostgreSQL from one cluster file\n\n"
           "usage: pgha-deploy [-f cluster.yaml] COMMAND [OPTIONS]\n\ncommands:\n",
           PGHA_VERSION);
    for (size_t i = 0; commands[i]; i++)
        printf("  %-11s %s\n", commands[i]->name, commands[i]->summary);
    printf("\noptions of every command:\n");
    print_options(global_options);
    printf("\nexit status: 0 done, 1 failed, 2 changes pending (plan --detailed-exitcode),\n"
           "  3 verify found a fault, 64 wrong usage, 65 bad cluster file, 77 permission refused\n"
           "`pgha-deploy COMMAND --help` tells more of one command.\n");
}

void help_command(const struct command *c)
{
    printf("pgha-deploy %s: %s\n\nusage: pgha-deploy [-f cluster.yaml] %s%s%s\n", c->name,
           c->summary, c->name, *c->usage ? " " : "", c->usage);
    if (c->help)
        printf("\n%s\n", c->help);
    if (c->options) {
        printf("\noptions:\n");
        print_options(c->options);
    }
    printf("\noptions of every command:\n");
    print_options(global_options);
}

static void docs_options(const struct option_row *rows, struct str *out)
{
    str_puts(out, "\n| option | what |\n|---|---|\n");
    for (; rows && rows->name; rows++) {
        str_puts(out, "| `");
        if (rows->letter)
            str_printf(out, "-%c`, `", rows->letter);
        str_printf(out, "--%s%s%s` | %s |\n", rows->name, rows->arg ? " " : "",
                   rows->arg ? rows->arg : "", rows->help);
    }
}

void commands_write_docs(struct str *out)
{
    str_puts(out, "# Commands\n\nMade from the command tables by `pgha-deploy docs commands`; a "
                  "test holds this page against it.\n\n## Options of every command\n");
    docs_options(global_options, out);
    for (size_t i = 0; commands[i]; i++) {
        const struct command *c = commands[i];

        str_printf(out, "\n## %s\n\n    pgha-deploy %s%s%s\n\n%s.\n", c->name, c->name,
                   *c->usage ? " " : "", c->usage, c->summary);
        if (c->help)
            str_printf(out, "\n%s\n", c->help);
        if (c->options)
            docs_options(c->options, out);
    }
}

static void man_options(const struct option_row *rows, struct str *out)
{
    for (; rows && rows->name; rows++) {
        str_puts(out, ".TP\n\\fB");
        if (rows->letter)
            str_printf(out, "\\-%c\\fR, \\fB", rows->letter);
        str_printf(out, "\\-\\-%s\\fR", rows->name);
        if (rows->arg)
            str_printf(out, " \\fI%s\\fR", rows->arg);
        str_printf(out, "\n%s\n", rows->help);
    }
}

void man_print(struct str *out)
{
    str_printf(out,
               ".TH PGHA\\-DEPLOY 1 \"\" \"pgha\\-deploy %s\"\n.SH NAME\npgha\\-deploy \\- highly "
               "available PostgreSQL from one cluster file\n.SH SYNOPSIS\n.B pgha\\-deploy\n[\\-f "
               "\\fIcluster.yaml\\fR] \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH OPTIONS\n",
               PGHA_VERSION);
    man_options(global_options, out);
    str_puts(out, ".SH COMMANDS\n");
    for (size_t i = 0; commands[i]; i++) {
        str_printf(out, ".SS \"%s %s\"\n%s.\n", commands[i]->name, commands[i]->usage,
                   commands[i]->summary);
        if (commands[i]->help)
            str_printf(out, ".PP\n%s\n", commands[i]->help);
        man_options(commands[i]->options, out);
    }
    str_puts(out,
             ".SH EXIT STATUS\n0 done, 1 failed, 2 changes pending, 3 verify found a fault, 64 "
             "wrong usage, 65 bad cluster file, 77 permission refused.\n");
}
