/*
 * ssh_become.c - sudo with a password: what its output asks for. sudo(8): -S reads the password
 * from stdin and writes the prompt of -p, in place of any of PAM's, to stderr, once for each try.
 */
#include "lib/net/ssh_session.h"

#define READY_LINE SSH_BECOME_READY "\n"

struct ssh_become ssh_become_start(const char *password, const struct str *out,
                                   const struct str *errout)
{
    return (struct ssh_become){.password = password,
                               .out_start = out->len,
                               .errout_start = errout->len,
                               .ready = password == NULL};
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;

    while ((text = strstr(text, word))) {
        text += strlen(word);
        n++;
    }
    return n;
}

static void cut(struct str *text, size_t from, size_t len)
{
    memmove(text->buf + from, text->buf + from + len, text->len - from - len + 1);
    text->len -= len;
}

/* The script's shell is there: what came before is sudo's, but for the login shell's own output. */
static bool find_ready(struct ssh_become *become, struct str *out, struct str *errout)
{
    const char *mark = strstr(out->buf + become->out_start, READY_LINE);

    if (!mark)
        return false;
    cut(out, (size_t)(mark - out->buf), strlen(READY_LINE));
    cut(errout, become->errout_start, errout->len - become->errout_start);
    become->ready = true;
    return true;
}

enum ssh_become_step ssh_become_look(struct ssh_become *become, struct str *out, struct str *errout)
{
    size_t prompts;

    if (find_ready(become, out, errout))
        return SSH_BECOME_GO;
    prompts = count(errout->buf + become->errout_start, SSH_BECOME_PROMPT);
    if (prompts == 0 || (prompts == 1 && become->answered))
        return SSH_BECOME_WAIT;
    if (become->answered)
        return SSH_BECOME_REFUSED;
    become->answered = true;
    return SSH_BECOME_ANSWER;
}

/* The last line of stderr, without the prompt. */
static void last_words(const char *text, struct str *words)
{
    const char *line = text;

    for (const char *p = text; *p; p++)
        if (*p == '\n' && p[1] && p[1] != '\n')
            line = p + 1;
    if (str_starts(line, SSH_BECOME_PROMPT))
        line += strlen(SSH_BECOME_PROMPT);
    str_add(words, line, strlen(line));
    str_trim_end(words);
}

int ssh_become_refused(const struct ssh_become *become, const struct str *errout, struct err *err)
{
    const char *text = errout->buf + become->errout_start;
    struct str words;

    if (count(text, SSH_BECOME_PROMPT) > 1) {
        err_set(err, ERR_DENIED, "sudo refused the password");
        return err_hint(err, "it is that of the user who logs in: ansible_become_password");
    }
    str_init(&words, STR_MAX_TEXT);
    last_words(text, &words);
    err_set(err, ERR_DENIED, "sudo did not run the script: %s",
            words.len ? words.buf : "it says nothing");
    err_hint(err, "look at this user's rights: sudo -l");
    str_release(&words);
    return -1;
}
