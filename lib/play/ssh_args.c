/*
 * ssh_args.c - one table of the options that are taken over; the others are known only as far as
 * needed to find where their values end.
 */
#include <pwd.h>
#include <strings.h>
#include <unistd.h>

#include "lib/play/args.h"
#include "lib/play/ssh_args.h"

#define FLAGS_WITH_VALUE "BbcDEeFIiJLlmOopQRSWw" /* ssh(1) */
#define BLANKS           " \t"

/* What one command line says; NULL and 0: nothing. */
struct settings {
    struct arena *arena;
    const char *user, *identity, *known_hosts, *strict;
    int port;
    struct ssh_target *jump; /* the last bastion on the way */
    bool jump_is_set;        /* to none, perhaps */
    const char *forward;     /* -W */
    const char *destination; /* the first word that is no option */
    bool has_command;        /* there are more such words */
};

static int read_words(struct settings *s, const struct value *words, size_t from, struct err *err);

/* ---- values */

/* The text is not shown: it may hold a password. */
static const struct value *split(struct arena *a, const char *text, struct err *err)
{
    const struct value *words = args_words(a, text, err);

    if (!words)
        err_set(err, ERR_INPUT, "a quote is not closed");
    return words;
}

const char *ssh_args_path(struct arena *a, const char *path)
{
    const char *home = getenv("HOME");

    if (!path || !home || !str_starts(path, "~/"))
        return path;
    return arena_printf(a, "%s%s", home, path + 1);
}

static int parse_port(const char *text, int *port, struct err *err)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (end == text || *end || n < 1 || n > 65535)
        return err_set(err, ERR_INPUT, "'%s' is no port", text);
    *port = (int)n;
    return 0;
}

static const char *local_user(struct arena *a)
{
    struct passwd entry, *found = NULL;
    char buffer[4096];

    if (getpwuid_r(geteuid(), &entry, buffer, sizeof(buffer), &found) != 0 || !found)
        return NULL;
    return arena_strdup(a, found->pw_name);
}

/* HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT. */
static int parse_address(struct arena *a, const char *text, struct ssh_target *hop, struct err *err)
{
    const char *end = *text == '[' ? strchr(text, ']') : text + strcspn(text, ":");
    const char *port;

    if (!end || (*text == '[' && end[1] && end[1] != ':'))
        return err_set(err, ERR_INPUT, "'%s' is no address of a bastion", text);
    hop->address = *text == '[' ? arena_strndup(a, text + 1, (size_t)(end - text) - 1)
                                : arena_strndup(a, text, (size_t)(end - text));
    hop->name = hop->address;
    port = *text == '[' ? end + 1 : end;
    if (!*hop->address || *hop->address == '-' || strpbrk(hop->address, BLANKS "/%"))
        return err_set(err, ERR_INPUT, "'%s' is no address of a bastion", text);
    if (strchr(port + (*port == ':'), ':')) {
        err_set(err, ERR_INPUT, "'%s' is no address of a bastion", text);
        return err_hint(err, "an IPv6 address goes into brackets: [%s]", text);
    }
    return *port == ':' ? parse_port(port + 1, &hop->port, err) : 0;
}

/* [ssh://][USER@]ADDRESS */
static struct ssh_target *parse_hop(struct arena *a, const char *text, struct err *err)
{
    struct ssh_target *hop = arena_new(a, struct ssh_target);
    const char *at;

    if (str_starts(text, "ssh://"))
        text += strlen("ssh://");
    at = strrchr(text, '@');
    if (at == text)
        err_set(err, ERR_INPUT, "'%s' has no user before the @", text);
    else if (at)
        hop->user = arena_strndup(a, text, (size_t)(at - text));
    if (at == text || parse_address(a, at ? at + 1 : text, hop, err) < 0)
        return NULL;
    return hop;
}

/* ---- options */

static int set_text(struct settings *s, const char **field, const char *value)
{
    if (!*field)
        *field = arena_strdup(s->arena, value);
    return 0;
}

static int set_user(struct settings *s, const char *value, struct err *err)
{
    UNUSED(err);
    return set_text(s, &s->user, value);
}

static int set_identity(struct settings *s, const char *value, struct err *err)
{
    UNUSED(err);
    return set_text(s, &s->identity, ssh_args_path(s->arena, value));
}

static int set_known_hosts(struct settings *s, const char *value, struct err *err)
{
    UNUSED(err);
    return set_text(s, &s->known_hosts, ssh_args_path(s->arena, value));
}

static int set_strict(struct settings *s, const char *value, struct err *err)
{
    UNUSED(err);
    return set_text(s, &s->strict, value);
}

static int set_forward(struct settings *s, const char *value, struct err *err)
{
    UNUSED(err);
    return set_text(s, &s->forward, value);
}

static int set_port(struct settings *s, const char *value, struct err *err)
{
    return s->port ? 0 : parse_port(value, &s->port, err);
}

/* HOP[,HOP...]: the first is reached first. */
static int set_proxy_jump(struct settings *s, const char *value, struct err *err)
{
    struct ssh_target *last = NULL;

    if (s->jump_is_set)
        return 0;
    s->jump_is_set = true;
    if (strcasecmp(value, "none") == 0)
        return 0;
    for (const char *at = value;; at++) {
        size_t len = strcspn(at, ",");
        struct ssh_target *hop = parse_hop(s->arena, arena_strndup(s->arena, at, len), err);

        if (!hop)
            return err_wrap(err, "ProxyJump '%s'", value);
        hop->jump = last;
        last = hop;
        at += len;
        if (!*at)
            break;
    }
    s->jump = last;
    return 0;
}

static bool accepts_new(const struct settings *s)
{
    return s->strict && strcasecmp(s->strict, "accept-new") == 0;
}

/* Only the program is shown: its arguments may hold a password. */
static int not_a_jump(const char *program, struct err *err)
{
    err_set(err, ERR_INPUT, "'%s ...' is not supported", program);
    return err_hint(err, "name the bastion: -J [USER@]HOST[:PORT], or "
                         "-o ProxyCommand=\"ssh -W %%h:%%p [-i KEY] [-p PORT] [USER@]HOST\"");
}

static bool is_jump(const struct settings *s)
{
    return s->destination && !s->has_command && s->forward &&
           (str_eq(s->forward, "%h:%p") || str_eq(s->forward, "[%h]:%p"));
}

/* The bastion of `ssh -W %h:%p BASTION`, which is what ssh itself runs for ProxyJump. */
static struct ssh_target *proxied(struct settings *s, const struct value *words, struct err *err)
{
    const char *program = words->u.list.n ? words->u.list.items[0]->u.str.s : "";
    bool is_ssh = str_eq(program, "ssh") || str_ends(program, "/ssh");
    struct settings inner = {.arena = s->arena};
    struct ssh_target *hop;

    if (is_ssh && read_words(&inner, words, 1, err) < 0)
        return NULL;
    if (!is_ssh || !is_jump(&inner)) {
        not_a_jump(program, err);
        return NULL;
    }
    hop = parse_hop(s->arena, inner.destination, err);
    if (!hop)
        return NULL;
    hop->user = hop->user ? hop->user : inner.user;
    hop->port = hop->port ? hop->port : inner.port;
    hop->identity = inner.identity;
    hop->known_hosts = inner.known_hosts;
    hop->accept_new = accepts_new(&inner);
    hop->jump = inner.jump;
    return hop;
}

static int set_proxy_command(struct settings *s, const char *value, struct err *err)
{
    const struct value *words;

    if (s->jump_is_set)
        return 0;
    s->jump_is_set = true;
    if (strcasecmp(value, "none") == 0)
        return 0;
    words = split(s->arena, value, err);
    s->jump = words ? proxied(s, words, err) : NULL;
    return s->jump ? 0 : err_wrap(err, "ProxyCommand");
}

static const struct option {
    const char *keyword; /* of -o, in any case; NULL: a flag only */
    char flag;           /* 0: none */
    int (*set)(struct settings *s, const char *value, struct err *err);
} options[] = {
    {"IdentityFile", 'i', set_identity},        {"Port", 'p', set_port},
    {"ProxyCommand", 0, set_proxy_command},     {"ProxyJump", 'J', set_proxy_jump},
    {"StrictHostKeyChecking", 0, set_strict},   {"User", 'l', set_user},
    {"UserKnownHostsFile", 0, set_known_hosts}, {NULL, 'W', set_forward},
};

/* ---- the command line */

/* KEYWORD=VALUE or KEYWORD VALUE, the value in quotes perhaps. */
static int read_o_option(struct settings *s, const char *text, struct err *err)
{
    size_t keyword, len;
    const char *value;

    text += strspn(text, BLANKS);
    keyword = strcspn(text, "=" BLANKS);
    value = text + keyword + strspn(text + keyword, BLANKS);
    value += *value == '=';
    value += strspn(value, BLANKS);
    len = strlen(value);
    if (len >= 2 && *value == '"' && value[len - 1] == '"')
        value = arena_strndup(s->arena, value + 1, len - 2);
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (options[i].keyword && strlen(options[i].keyword) == keyword &&
            strncasecmp(options[i].keyword, text, keyword) == 0)
            return options[i].set(s, value, err);
    return 0;
}

static int read_flag(struct settings *s, char flag, const char *value, struct err *err)
{
    if (flag == 'o')
        return read_o_option(s, value, err);
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (options[i].flag == flag)
            return options[i].set(s, value, err);
    return 0;
}

/* -qp22 and -qp 22: letters, the last of them with its value behind it or in the next word, *next.
 */
static int read_flags(struct settings *s, const char *letters, const struct value *words,
                      size_t *next, struct err *err)
{
    for (; *letters; letters++) {
        const char *value = letters + 1;

        if (!strchr(FLAGS_WITH_VALUE, *letters))
            continue;
        if (!*value && *next < words->u.list.n)
            value = words->u.list.items[(*next)++]->u.str.s;
        if (!*value)
            return err_set(err, ERR_INPUT, "-%c has no value", *letters);
        return read_flag(s, *letters, value, err);
    }
    return 0;
}

static int read_words(struct settings *s, const struct value *words, size_t from, struct err *err)
{
    while (from < words->u.list.n) {
        const char *word = words->u.list.items[from++]->u.str.s;

        if (*word == '-' && word[1] && !s->has_command) {
            if (read_flags(s, word + 1, words, &from, err) < 0)
                return -1;
        } else if (s->destination) {
            s->has_command = true;
        } else {
            s->destination = word;
        }
    }
    return 0;
}

/* ---- the target */

/* What the bastions, which were made here, do not say themselves. */
static int complete_jumps(struct settings *s, const struct ssh_target *target, struct err *err)
{
    const char *user = local_user(s->arena);
    int n = 0;

    for (struct ssh_target *hop = s->jump; hop; hop = (struct ssh_target *)hop->jump) {
        if (++n > SSH_MAX_JUMPS)
            return err_set(err, ERR_INPUT, "more than %d bastions on the way", SSH_MAX_JUMPS);
        hop->user = hop->user ? hop->user : user;
        hop->identity = hop->identity ? hop->identity : target->identity;
        hop->known_hosts = hop->known_hosts ? hop->known_hosts : target->known_hosts;
    }
    return 0;
}

int ssh_args_apply(struct arena *a, const char *args, struct ssh_target *target, struct err *err)
{
    struct settings s = {.arena = a};
    const struct value *words = split(a, args, err);

    if (!words || read_words(&s, words, 0, err) < 0)
        return -1;
    target->user = target->user ? target->user : s.user;
    target->port = target->port ? target->port : s.port;
    target->identity = target->identity ? target->identity : s.identity;
    target->known_hosts = target->known_hosts ? target->known_hosts : s.known_hosts;
    target->accept_new |= accepts_new(&s);
    target->jump = s.jump;
    return complete_jumps(&s, target, err);
}
