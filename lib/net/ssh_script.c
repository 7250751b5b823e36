/*
 * ssh_script.c - run a script on a host: text in, lines out, a status.
 *
 * The remote command never changes; it takes the whole script from stdin before any of it runs. So
 * a script is never in an argument list, and a connection that breaks while it is sent runs
 * nothing: the last line is missing then.
 */
#include <libssh/callbacks.h>
#include <limits.h>

#include "lib/base/clock.h"
#include "lib/net/ssh_session.h"

#define LAST_WORDS        "#pgha-deploy: end of script"
#define LAST_LINE         "\n" LAST_WORDS
#define INCOMPLETE_STATUS "126"
/* The login shell, whatever it is, sees two words in front of a quoted one. */
#define TAKE_SCRIPT                                                                                \
    "pgha_script=$(cat); case $pgha_script in *\"" LAST_WORDS "\") "                               \
    "eval \"$pgha_script\" </dev/null;; *) exit " INCOMPLETE_STATUS ";; esac"
#define COMMAND "sh -c '" TAKE_SCRIPT "'"
#define BECOME  "sudo -n -- " COMMAND
#define BECOME_BY_PASSWORD                                                                         \
    "sudo -S -p " SSH_BECOME_PROMPT " -- sh -c 'echo " SSH_BECOME_READY "; " TAKE_SCRIPT "'"

/*
 * One packet's worth. The socket is blocking, as libssh wants it: so little always fits into the
 * kernel's buffer when poll(2) says that it may be written to.
 */
#define CHUNK_BYTES    16384
#define ABORT_FLUSH_MS 100
#define BECOME_MS      60000 /* for sudo: PAM may look far, and waits after a wrong password */

struct exchange {
    struct ssh *ssh;
    struct ssh_run *run;
    ssh_channel channel;
    size_t sent;       /* of the script and LAST_LINE */
    size_t line_start; /* in run->out: where the line begins that is not complete yet */
    struct ssh_become become;
    bool accepted; /* the server took the command */
    bool input_ended;
    bool closed;
    int status; /* -1: none came */
};

/* RFC 4254, 6.10 */
static int signal_status(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {
        {"ABRT", 6},  {"ALRM", 14}, {"FPE", 8},   {"HUP", 1},  {"ILL", 4},
        {"INT", 2},   {"KILL", 9},  {"PIPE", 13}, {"QUIT", 3}, {"SEGV", 11},
        {"TERM", 15}, {"USR1", 10}, {"USR2", 12},
    };

    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        if (str_eq(name, signals[i].name))
            return 128 + signals[i].number;
    return 128;
}

static void tell_lines(struct exchange *x)
{
    struct ssh_run *run = x->run;

    for (;;) {
        const char *line = run->out->buf + x->line_start;
        const char *end = memchr(line, '\n', run->out->len - x->line_start);

        if (!end)
            return;
        x->line_start += (size_t)(end - line) + 1;
        run->line(run->ctx, line, (size_t)(end - line));
    }
}

static int on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len,
                   int is_stderr, void *arg)
{
    struct exchange *x = arg;
    struct str *into = is_stderr ? x->run->errout : x->run->out;

    UNUSED(session);
    UNUSED(channel);
    str_add(into, data, len);
    if (!is_stderr && x->run->line && !into->full && x->become.ready)
        tell_lines(x);
    return (int)len;
}

static void on_exit_status(ssh_session session, ssh_channel channel, int status, void *arg)
{
    UNUSED(session);
    UNUSED(channel);
    ((struct exchange *)arg)->status = status;
}

static void on_exit_signal(ssh_session session, ssh_channel channel, const char *name, int core,
                           const char *message, const char *language, void *arg)
{
    UNUSED(session);
    UNUSED(channel);
    UNUSED(core);
    UNUSED(message);
    UNUSED(language);
    ((struct exchange *)arg)->status = signal_status(name);
}

static void on_close(ssh_session session, ssh_channel channel, void *arg)
{
    UNUSED(session);
    UNUSED(channel);
    ((struct exchange *)arg)->closed = true;
}

static int net_fault(const struct exchange *x, const char *what, struct err *err)
{
    return err_set(err, ERR_NET, "%s: %s", what, ssh_session_fault(x->ssh));
}

static int open_channel(struct exchange *x, int64_t deadline_ms, struct err *err)
{
    int rc;

    while ((rc = ssh_channel_open_session(x->channel)) == SSH_AGAIN)
        if (ssh_pulse_check(x->ssh, err) < 0 || ssh_session_wait(x->ssh, deadline_ms, err) < 0)
            return -1;
    return rc == SSH_OK ? 0 : net_fault(x, "opening a channel", err);
}

/* Asks at first, then looks whether the answer has come. The script need not wait for it. */
static int request_command(struct exchange *x, struct err *err)
{
    const char *command = x->become.password ? BECOME_BY_PASSWORD : COMMAND;
    int rc;

    if (x->ssh->become && !x->become.password)
        command = BECOME;
    if (x->accepted)
        return 0;
    rc = ssh_channel_request_exec(x->channel, command);
    if (rc == SSH_OK)
        x->accepted = true;
    else if (rc != SSH_AGAIN)
        return net_fault(x, "the server runs no command for us", err);
    return 0;
}

/* The next bytes of the script and the line that ends it. */
static size_t next_chunk(const struct exchange *x, char *chunk, size_t size)
{
    size_t script_len = x->run->script_len;
    size_t n = 0;

    if (x->sent < script_len) {
        n = script_len - x->sent < size ? script_len - x->sent : size;
        memcpy(chunk, x->run->script + x->sent, n);
    }
    if (x->sent + n >= script_len) {
        size_t from = x->sent + n - script_len;
        size_t left = strlen(LAST_LINE) - from;
        size_t more = left < size - n ? left : size - n;

        memcpy(chunk + n, &LAST_LINE[from], more);
        n += more;
    }
    return n;
}

/* Sends what the host's window and the socket take now. */
static int feed(struct exchange *x, struct err *err)
{
    size_t total = x->run->script_len + strlen(LAST_LINE);
    uint32_t window = ssh_channel_window_size(x->channel);
    char chunk[CHUNK_BYTES];

    if (x->input_ended || x->closed)
        return 0;
    if (x->sent < total && window > 0) {
        size_t n = next_chunk(x, chunk, window < sizeof(chunk) ? window : sizeof(chunk));
        int rc = ssh_channel_write(x->channel, chunk, (uint32_t)n);

        if (rc == SSH_ERROR)
            return net_fault(x, "sending the script", err);
        x->sent += rc > 0 ? (size_t)rc : 0;
    }
    if (x->sent == total) {
        if (ssh_channel_send_eof(x->channel) == SSH_ERROR)
            return net_fault(x, "sending the script", err);
        x->input_ended = true;
    }
    return 0;
}

static int check_size(const struct exchange *x, struct err *err)
{
    const struct ssh_run *run = x->run;
    const struct str *full = run->out->full ? run->out : run->errout;

    if (!full->full)
        return 0;
    return err_set(err, ERR_REMOTE, "the script printed more than %zu bytes to %s", full->max,
                   full == run->out ? "stdout" : "stderr");
}

static int wait_failed(const struct exchange *x, struct err *err)
{
    if (err->code != ERR_TIMEOUT)
        return -1;
    err_release(err);
    if (!x->become.ready)
        return err_set(err, ERR_TIMEOUT, "sudo neither ran the script nor took the password");
    return err_set(err, ERR_TIMEOUT, "the script did not end within %d s",
                   (x->run->timeout_ms + 999) / 1000);
}

static int send_password(struct exchange *x, struct err *err)
{
    char *line = xasprintf("%s\n", x->become.password);
    size_t len = strlen(line);
    int rc = ssh_channel_write(x->channel, line, (uint32_t)len);

    explicit_bzero(line, len);
    free(line);
    if (rc != (int)len) /* a new channel's window takes far more than one line */
        return net_fault(x, "sending the password", err);
    return 0;
}

/* Lets sudo have its password, until the script's shell reads. */
static int converse(struct exchange *x, struct err *err)
{
    switch (ssh_become_look(&x->become, x->run->out, x->run->errout)) {
    case SSH_BECOME_ANSWER:
        return send_password(x, err);
    case SSH_BECOME_GO:
        if (x->run->line)
            tell_lines(x);
        return 0;
    case SSH_BECOME_REFUSED:
        return ssh_become_refused(&x->become, x->run->errout, err);
    case SSH_BECOME_WAIT:
        break;
    }
    return 0;
}

/* Sends what may be sent: the script, but before it what sudo wants. */
static int supply(struct exchange *x, struct err *err)
{
    if (!x->become.ready && converse(x, err) < 0)
        return -1;
    return x->become.ready ? feed(x, err) : 0;
}

static int pump(struct exchange *x, int64_t deadline_ms, struct err *err)
{
    int64_t become_deadline_ms = clock_mono_ms() + BECOME_MS;

    while (!x->closed) {
        int64_t until_ms = deadline_ms;

        if (request_command(x, err) < 0 || supply(x, err) < 0 || ssh_pulse_check(x->ssh, err) < 0)
            return -1;
        if (!x->become.ready && become_deadline_ms < until_ms)
            until_ms = become_deadline_ms;
        if (ssh_session_wait(x->ssh, until_ms, err) < 0) {
            if (x->closed)
                return err_release(err), 0; /* the last bytes came together with the end */
            return wait_failed(x, err);
        }
        if (check_size(x, err) < 0)
            return -1;
    }
    return check_size(x, err);
}

/* sudo refuses before it runs anything, with its own words on stderr. */
static int check_become(const struct exchange *x, struct err *err)
{
    const char *text = x->run->errout->buf + x->become.errout_start;

    if (!x->become.ready)
        return ssh_become_refused(&x->become, x->run->errout, err);
    if (!x->ssh->become || x->become.password || x->status != 1 ||
        x->run->out->len > x->become.out_start || !str_starts(text, "sudo: "))
        return 0;
    err_set(err, ERR_DENIED, "%.*s", (int)strcspn(text, "\n"), text);
    return err_hint(err, "give sudo's password (ansible_become_password), let this user run sudo "
                         "without one (NOPASSWD), or log in as root");
}

static int result(struct exchange *x, struct err *err)
{
    if (x->status < 0)
        return err_set(err, ERR_NET, "the host closed the channel without an exit status");
    if (check_become(x, err) < 0)
        return -1;
    x->run->status = x->status;
    return 0;
}

/* The script must not go on unseen: sshd passes TERM to its process group. */
static void abandon(struct exchange *x)
{
    if (!ssh_is_connected(x->ssh->session))
        return;
    ssh_channel_request_send_signal(x->channel, "TERM");
    ssh_channel_close(x->channel);
    ssh_blocking_flush(x->ssh->session, ABORT_FLUSH_MS);
}

int ssh_script(struct ssh *s, struct ssh_run *run, struct err *err)
{
    int64_t deadline_ms = run->timeout_ms > 0 ? clock_mono_ms() + run->timeout_ms : INT64_MAX;
    struct exchange x = {
        .ssh = s,
        .run = run,
        .line_start = run->out->len,
        .become = ssh_become_start(s->become_password, run->out, run->errout),
        .status = -1,
    };
    struct ssh_channel_callbacks_struct callbacks = {
        .userdata = &x,
        .channel_data_function = on_data,
        .channel_exit_status_function = on_exit_status,
        .channel_exit_signal_function = on_exit_signal,
        .channel_close_function = on_close,
    };
    int rc = -1;

    x.channel = ssh_channel_new(s->session);
    if (!x.channel) {
        net_fault(&x, "opening a channel", err);
        goto out;
    }
    ssh_callbacks_init(&callbacks);
    ssh_set_channel_callbacks(x.channel, &callbacks);
    ssh_pulse_start(s);
    if (open_channel(&x, deadline_ms, err) < 0)
        goto out;
    rc = pump(&x, deadline_ms, err);
    if (rc < 0)
        abandon(&x);
    else
        rc = result(&x, err);
out:
    if (x.channel) {
        ssh_remove_channel_callbacks(x.channel, &callbacks);
        ssh_channel_free(x.channel);
    }
    if (rc < 0)
        err_wrap(err, "%s", s->where);
    return rc;
}
