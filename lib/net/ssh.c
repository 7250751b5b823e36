/*
 * ssh.c - connect, verify the host, log in.
 *
 * The round trips of a login: TCP, key exchange, service, signature. Neither a `none` probe nor a
 * question whether the server would take the key: with one key to offer both only cost time.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/net/ssh_session.h"
#include "lib/net/tcp.h"

#define DEFAULT_CONNECT_MS 10000
#define FIRST_CONNECT_MS                                                                           \
    500 /* while waiting for a host to boot: a SYN into the void is sent again soon */
#define FIRST_RETRY_DELAY_MS 50
#define LAST_RETRY_DELAY_MS  1000

/* The quickest first, then what older servers have. */
#define KEY_EXCHANGES                                                                              \
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"        \
    "ecdh-sha2-nistp521,diffie-hellman-group16-sha512,diffie-hellman-group14-sha256"
#define CIPHERS                                                                                    \
    "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,"      \
    "aes128-ctr"

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_init(void)
{
    if (ssh_init() != SSH_OK)
        BUG("libssh cannot be initialised");
}

const char *ssh_session_fault(const struct ssh *s)
{
    const char *text = ssh_get_error(s->session);

    return text && *text ? text : "closed by the host";
}

static int wait_for_socket(struct ssh *s, int64_t deadline_ms, struct err *err)
{
    short events = POLLIN;

    if (ssh_get_poll_flags(s->session) & SSH_WRITE_PENDING)
        events |= POLLOUT;
    return tcp_wait(ssh_get_fd(s->session), events, deadline_ms, err);
}

int ssh_session_wait(struct ssh *s, int64_t deadline_ms, struct err *err)
{
    int slice = tcp_wait_slice(deadline_ms);

    if (clock_stop_requested())
        return err_set(err, ERR_INTERRUPTED, "stopped by the user");
    if (slice == 0)
        return err_set(err, ERR_TIMEOUT, "timed out");
    tcp_quick_ack(ssh_get_fd(s->session));
    if (ssh_event_dopoll(s->event, slice) == SSH_ERROR || !ssh_is_connected(s->session))
        return err_set(err, ERR_NET, "the connection was lost: %s", ssh_session_fault(s));
    return 0;
}

/* A time limit of the handshake is a fault of the connection, and the next attempt may succeed. */
static int handshake_wait_failed(const char *step, struct err *err)
{
    if (err->code == ERR_TIMEOUT) {
        err_release(err);
        err_set(err, ERR_NET, "timed out");
    }
    if (err->code == ERR_NET)
        err->retryable = true;
    return err_wrap(err, "%s", step);
}

static int set_options(ssh_session session, const struct ssh_target *target,
                       const struct ssh_known_hosts *known, int fd, struct err *err)
{
    const bool off = false;
    const int port = target->port ? target->port : 22;
    const struct {
        enum ssh_options_e option;
        const void *value;
    } options[] = {
        {SSH_OPTIONS_PROCESS_CONFIG, &off}, /* what we are told is all that counts */
        {SSH_OPTIONS_HOST, target->address},
        {SSH_OPTIONS_PORT, &port},
        {SSH_OPTIONS_USER, target->user ? target->user : "root"},
        {SSH_OPTIONS_KNOWNHOSTS, known->own}, /* the known types are asked for first */
        {SSH_OPTIONS_GLOBAL_KNOWNHOSTS, known->global ? known->global : "/dev/null"},
        {SSH_OPTIONS_KEY_EXCHANGE, KEY_EXCHANGES},
        {SSH_OPTIONS_CIPHERS_C_S, CIPHERS},
        {SSH_OPTIONS_CIPHERS_S_C, CIPHERS},
        {SSH_OPTIONS_FD, &fd},
    };

    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (ssh_options_set(session, options[i].option, options[i].value) != SSH_OK)
            return err_set(err, ERR_INPUT, "libssh refuses the target: %s", ssh_get_error(session));
    return 0;
}

static int handshake_failed(struct ssh *s, struct err *err)
{
    const char *text = ssh_session_fault(s);

    if (!ssh_get_serverbanner(s->session)) {
        err_set(err, ERR_NET, "the connection was closed before the server's greeting: %s", text);
        err->retryable = true; /* sshd is starting, or has too many logins at once */
        return -1;
    }
    err_set(err, ERR_NET, "key exchange: %s", text);
    err->retryable = strstr(text, "kex error") == NULL; /* no common algorithm stays so */
    return -1;
}

static int handshake(struct ssh *s, int64_t deadline_ms, struct err *err)
{
    int rc;

    ssh_set_blocking(s->session, 0);
    while ((rc = ssh_connect(s->session)) == SSH_AGAIN)
        if (wait_for_socket(s, deadline_ms, err) < 0)
            return handshake_wait_failed("key exchange", err);
    if (rc != SSH_OK)
        return handshake_failed(s, err);
    s->event = ssh_event_new();
    if (!s->event || ssh_event_add_session(s->event, s->session) != SSH_OK)
        return err_set(err, ERR_NET, "libssh cannot watch the connection");
    return 0;
}

static int login_refused(struct ssh *s, const struct ssh_target *target, struct err *err)
{
    int methods = ssh_userauth_list(s->session, NULL);
    const char *user = target->user ? target->user : "root";

    if (target->identity)
        err_set(err, ERR_DENIED, "login as %s refused with the key %s", user, target->identity);
    else
        err_set(err, ERR_DENIED, "login as %s refused with the agent's and the default keys", user);
    if (methods != 0 && !(methods & SSH_AUTH_METHOD_PUBLICKEY))
        return err_hint(
            err, "the server takes no keys: set PubkeyAuthentication yes in its sshd_config");
    return err_hint(err,
                    "add the public key to ~%s/.ssh/authorized_keys on the host, or name another "
                    "user or identity file",
                    user);
}

static int login_result(struct ssh *s, const struct ssh_target *target, int rc, struct err *err)
{
    const char *text = ssh_session_fault(s);

    if (rc == SSH_AUTH_SUCCESS)
        return 0;
    if (rc == SSH_AUTH_DENIED || rc == SSH_AUTH_PARTIAL)
        return login_refused(s, target, err);
    if (strstr(text, "Too many authentication failures")) {
        err_set(err, ERR_DENIED, "login refused: %s", text);
        return err_hint(err, "the agent holds too many keys: name an identity file");
    }
    err_set(err, ERR_NET, "login: %s", text);
    err->retryable = true;
    return -1;
}

static int login_with_key(struct ssh *s, const struct ssh_target *target, ssh_key key,
                          int64_t deadline_ms, struct err *err)
{
    int rc;

    while ((rc = ssh_userauth_publickey(s->session, NULL, key)) == SSH_AUTH_AGAIN)
        if (ssh_session_wait(s, deadline_ms, err) < 0)
            return handshake_wait_failed("login", err);
    return login_result(s, target, rc, err);
}

/* The agent, then ~/.ssh/id_*, in libssh's order. */
static int login_with_any_key(struct ssh *s, const struct ssh_target *target, int64_t deadline_ms,
                              struct err *err)
{
    int rc;

    while ((rc = ssh_userauth_publickey_auto(s->session, NULL, NULL)) == SSH_AUTH_AGAIN)
        if (ssh_session_wait(s, deadline_ms, err) < 0)
            return handshake_wait_failed("login", err);
    return login_result(s, target, rc, err);
}

static int login(struct ssh *s, const struct ssh_target *target, int64_t deadline_ms,
                 struct err *err)
{
    ssh_key key = NULL;
    int rc;

    if (!target->identity)
        return login_with_any_key(s, target, deadline_ms, err);
    /* The empty passphrase keeps libssh from asking for one. */
    if (ssh_pki_import_privkey_file(target->identity, "", NULL, NULL, &key) != SSH_OK) {
        if (access(target->identity, R_OK) != 0)
            err_set(err, ERR_DENIED, "the key %s: %s", target->identity, strerror(errno));
        else
            err_set(err, ERR_DENIED, "the key %s is no private key, or has a passphrase",
                    target->identity);
        return err_hint(err,
                        "a key with a passphrase works through ssh-agent: ssh-add '%s', and "
                        "name no identity file",
                        target->identity);
    }
    rc = login_with_key(s, target, key, deadline_ms, err);
    ssh_key_free(key);
    return rc;
}

void ssh_close(struct ssh *s)
{
    if (!s)
        return;
    if (s->event) {
        ssh_event_remove_session(s->event, s->session);
        ssh_event_free(s->event);
    }
    /* No ssh_disconnect(): it forgets a socket that it was given, while ssh_free() closes it. */
    ssh_free(s->session);
    free(s->where);
    free(s);
}

static struct ssh *session_new(const struct ssh_target *target)
{
    struct ssh *s = xcalloc(1, sizeof(*s));

    s->become = target->become;
    s->where = xasprintf("%s (%s@%s:%d)", target->name ? target->name : target->address,
                         target->user ? target->user : "root", target->address,
                         target->port ? target->port : 22);
    s->session = ssh_new();
    if (!s->session)
        BUG("out of memory in libssh");
    return s;
}

/* One attempt: connect_ms for TCP, total_ms for all. */
static struct ssh *open_once(const struct ssh_target *target, int connect_ms, int total_ms,
                             struct err *err)
{
    int64_t deadline_ms = clock_mono_ms() + total_ms;
    struct ssh *s = session_new(target);
    struct ssh_known_hosts known;
    int fd = -1;

    ssh_known_hosts_init(&known, target);
    if (tcp_connect(target->address, target->port ? target->port : 22, connect_ms, &fd, err) < 0)
        goto fail;
    if (set_options(s->session, target, &known, fd, err) < 0) {
        close(fd);
        goto fail;
    }
    if (handshake(s, deadline_ms, err) < 0 ||
        ssh_known_hosts_check(&known, s->session, target, err) < 0 ||
        login(s, target, deadline_ms, err) < 0)
        goto fail;
    ssh_known_hosts_release(&known);
    return s;

fail:
    err_wrap(err, "ssh to %s", s->where);
    ssh_known_hosts_release(&known);
    ssh_close(s);
    return NULL;
}

static int attempt_ms(const struct ssh_target *target)
{
    return target->connect_timeout_ms > 0 ? target->connect_timeout_ms : DEFAULT_CONNECT_MS;
}

struct ssh *ssh_open(const struct ssh_target *target, struct err *err)
{
    pthread_once(&library_once, library_init);
    return open_once(target, attempt_ms(target), attempt_ms(target), err);
}

static int at_most(int64_t ms, int limit)
{
    if (ms < 1)
        return 1;
    return ms < limit ? (int)ms : limit;
}

struct ssh *ssh_open_wait(const struct ssh_target *target, int64_t deadline_ms, struct err *err)
{
    int connect_ms = at_most(FIRST_CONNECT_MS, attempt_ms(target));
    int delay_ms = FIRST_RETRY_DELAY_MS;

    pthread_once(&library_once, library_init);
    for (;;) {
        int64_t left = deadline_ms - clock_mono_ms();
        struct ssh *s;

        err_release(err);
        s = open_once(target, at_most(left, connect_ms), at_most(left, attempt_ms(target)), err);
        if (s || !err->retryable)
            return s;
        left = deadline_ms - clock_mono_ms();
        if (left <= delay_ms || clock_stop_requested())
            return NULL;
        clock_sleep_ms(delay_ms);
        delay_ms = at_most((int64_t)delay_ms * 2, LAST_RETRY_DELAY_MS);
        connect_ms = at_most((int64_t)connect_ms * 2, attempt_ms(target));
    }
}
