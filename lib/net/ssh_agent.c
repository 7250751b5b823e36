/*
 * ssh_agent.c - ssh-agent for one login. The protocol is in draft-ietf-sshm-ssh-agent.
 *
 * libssh offers every key that an agent holds, stops at the first of a type that it does not know,
 * and waits for the agent without a limit. So it talks to a proxy here, on a thread of its own,
 * that shows only the keys that are wanted and known, and hangs up when time is over or the user
 * stops. Signatures are the agent's: its answers pass unchanged.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/net/ssh_session.h"
#include "lib/net/tcp.h"

#define MESSAGE_MAX ((size_t)256 << 10) /* as OpenSSH's and libssh's */
#define KEYS_MAX    1024                /* libssh's */
#define CERT_SUFFIX "-cert-v01@openssh.com"

/* The protocol's message numbers. */
#define AGENT_FAILURE      5
#define REQUEST_IDENTITIES 11
#define IDENTITIES_ANSWER  12
#define SIGN_REQUEST       13
#define SIGN_RESPONSE      14

struct ssh_agent_proxy {
    ssh_session session;   /* attached to it; NULL */
    int agent;             /* connected to the agent */
    int ours, theirs;      /* a socketpair; libssh has theirs */
    struct str identities; /* the answer to REQUEST_IDENTITIES, without its length */
    int64_t deadline_ms;
    pthread_t thread;
    bool running;
    struct err err; /* the thread's, until it is joined */
};

/* ---- messages: a length of four bytes, then as many */

static uint32_t get_u32(const char *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void put_u32(struct str *text, uint32_t n)
{
    const char bytes[] = {(char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};

    str_add(text, bytes, sizeof(bytes));
}

static int wait_failed(struct err *err)
{
    if (err->code != ERR_TIMEOUT)
        return -1;
    err_release(err);
    return err_set(err, ERR_DENIED, "the ssh-agent did not answer in time");
}

/* 1; 0 when the peer has hung up before the first byte; -1. */
static int receive_bytes(int fd, char *into, size_t len, int64_t deadline_ms, struct err *err)
{
    for (size_t done = 0; done < len;) {
        ssize_t n;

        if (tcp_wait(fd, POLLIN, deadline_ms, err) < 0)
            return wait_failed(err);
        n = recv(fd, into + done, len - done, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n == 0 && done == 0)
            return 0;
        if (n <= 0)
            return err_set(err, ERR_DENIED, "the ssh-agent hung up");
        done += (size_t)n;
    }
    return 1;
}

static int receive_message(int fd, struct str *message, int64_t deadline_ms, struct err *err)
{
    char head[4] = {0}, *body;
    uint32_t len;
    int rc = receive_bytes(fd, head, sizeof(head), deadline_ms, err);

    str_clear(message);
    if (rc <= 0)
        return rc;
    len = get_u32(head);
    if (len == 0 || len > MESSAGE_MAX)
        return err_set(err, ERR_DENIED, "the ssh-agent sent a message of %u bytes", (unsigned)len);
    body = xmalloc(len);
    rc = receive_bytes(fd, body, len, deadline_ms, err);
    if (rc > 0)
        str_add(message, body, len);
    free(body);
    return rc;
}

static int send_message(int fd, const struct str *message, int64_t deadline_ms, struct err *err)
{
    struct str text;
    size_t done = 0;
    int rc = 0;

    str_init(&text, sizeof(uint32_t) + MESSAGE_MAX);
    put_u32(&text, (uint32_t)message->len);
    str_add(&text, message->buf, message->len);
    while (rc == 0 && done < text.len) {
        ssize_t n;

        rc = tcp_wait(fd, POLLOUT, deadline_ms, err);
        if (rc < 0) {
            wait_failed(err);
            break;
        }
        n = send(fd, text.buf + done, text.len - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            done += (size_t)n;
        else if (errno != EAGAIN && errno != EINTR)
            rc = err_set(err, ERR_DENIED, "the ssh-agent hung up");
    }
    str_release(&text);
    return rc;
}

static int ask(struct ssh_agent_proxy *proxy, const struct str *request, struct str *answer,
               struct err *err)
{
    int rc = send_message(proxy->agent, request, proxy->deadline_ms, err);

    if (rc == 0)
        rc = receive_message(proxy->agent, answer, proxy->deadline_ms, err);
    if (rc == 0)
        return err_set(err, ERR_DENIED, "the ssh-agent hung up");
    return rc < 0 ? -1 : 0;
}

/* ---- which keys are shown */

struct bytes {
    const char *at;
    size_t len;
};

/* The next string (RFC 4251, 5) of `from`. */
static bool take_string(struct bytes *from, struct bytes *string)
{
    uint32_t len;

    if (from->len < sizeof(len))
        return false;
    len = get_u32(from->at);
    if (from->len - sizeof(len) < len)
        return false;
    *string = (struct bytes){from->at + sizeof(len), len};
    from->at += sizeof(len) + len;
    from->len -= sizeof(len) + len;
    return true;
}

static bool is_certificate_type(struct bytes type, struct bytes of)
{
    return type.len == of.len + strlen(CERT_SUFFIX) && memcmp(type.at, of.at, of.len) == 0 &&
           memcmp(type.at + of.len, CERT_SUFFIX, strlen(CERT_SUFFIX)) == 0;
}

/* Is the blob this key, or a certificate for it? A certificate holds the key's fields behind its
 * type and a nonce (PROTOCOL.certkeys of OpenSSH). */
static bool is_key(struct bytes blob, struct bytes key)
{
    struct bytes type, key_type, nonce;

    if (blob.len == key.len && memcmp(blob.at, key.at, key.len) == 0)
        return true;
    return take_string(&blob, &type) && take_string(&key, &key_type) &&
           is_certificate_type(type, key_type) && take_string(&blob, &nonce) &&
           blob.len >= key.len && memcmp(blob.at, key.at, key.len) == 0;
}

static bool libssh_knows(struct bytes blob)
{
    struct bytes rest = blob, type;
    ssh_key key = NULL;
    struct str text;
    char *name;

    if (!take_string(&rest, &type))
        return false;
    name = xstrndup(type.at, type.len);
    str_init(&text, 2 * MESSAGE_MAX);
    str_put_base64(&text, blob.at, blob.len);
    if (ssh_pki_import_pubkey_base64(text.buf, ssh_key_type_from_name(name), &key) != SSH_OK)
        key = NULL;
    str_release(&text);
    free(name);
    ssh_key_free(key);
    return key != NULL;
}

static int bad_answer(struct err *err)
{
    return err_set(err, ERR_DENIED, "the ssh-agent's list of keys makes no sense");
}

/* Out of the agent's answer the keys to show: IDENTITIES_ANSWER, their number, and for each its
 * blob and comment. */
static int filter(const struct str *answer, struct bytes only, struct str *shown, struct err *err)
{
    struct bytes rest = {answer->buf, answer->len}, blob, comment;
    struct str keys;
    uint32_t n, kept = 0;
    int rc = 0;

    if (rest.len < 1 + sizeof(n) || rest.at[0] != IDENTITIES_ANSWER)
        return bad_answer(err);
    n = get_u32(rest.at + 1);
    rest = (struct bytes){rest.at + 1 + sizeof(n), rest.len - 1 - sizeof(n)};
    str_init(&keys, MESSAGE_MAX);
    for (uint32_t i = 0; i < n && kept < KEYS_MAX && rc == 0; i++) {
        if (!take_string(&rest, &blob) || !take_string(&rest, &comment)) {
            rc = bad_answer(err);
        } else if ((!only.at || is_key(blob, only)) && libssh_knows(blob)) {
            put_u32(&keys, (uint32_t)blob.len);
            str_add(&keys, blob.at, blob.len);
            put_u32(&keys, (uint32_t)comment.len);
            str_add(&keys, comment.at, comment.len);
            kept++;
        }
    }
    str_putc(shown, IDENTITIES_ANSWER);
    put_u32(shown, kept);
    str_add(shown, keys.buf, keys.len);
    str_release(&keys);
    if (rc == 0 && kept == 0)
        rc = err_set(err, ERR_DENIED, "the ssh-agent does not hold %s", only.at ? "it" : "a key");
    return rc;
}

static int list_keys(struct ssh_agent_proxy *proxy, ssh_key only, struct err *err)
{
    struct str request, answer, blob;
    char *text = NULL;
    int rc = -1;

    str_init(&request, 1);
    str_init(&answer, MESSAGE_MAX);
    str_init(&blob, MESSAGE_MAX);
    str_putc(&request, REQUEST_IDENTITIES);
    if (only && (ssh_pki_export_pubkey_base64(only, &text) != SSH_OK ||
                 str_put_unbase64(&blob, text, strlen(text)) < 0)) {
        err_set(err, ERR_DENIED, "the public key cannot be encoded");
        goto out;
    }
    if (ask(proxy, &request, &answer, err) < 0)
        goto out;
    rc = filter(&answer, (struct bytes){only ? blob.buf : NULL, blob.len}, &proxy->identities, err);
out:
    ssh_string_free_char(text);
    str_release(&request);
    str_release(&answer);
    str_release(&blob);
    return rc;
}

/* ---- the proxy */

/* Until libssh hangs up, or something fails: then it sees that we do. */
static int serve(struct ssh_agent_proxy *proxy, struct err *err)
{
    struct str request, answer;
    int rc;

    str_init(&request, MESSAGE_MAX);
    str_init(&answer, MESSAGE_MAX);
    while ((rc = receive_message(proxy->ours, &request, INT64_MAX, err)) > 0) {
        if (request.buf[0] == REQUEST_IDENTITIES) {
            str_clear(&answer);
            str_add(&answer, proxy->identities.buf, proxy->identities.len);
        } else if ((rc = ask(proxy, &request, &answer, err)) < 0) {
            break;
        }
        rc = send_message(proxy->ours, &answer, proxy->deadline_ms, err);
        if (rc == 0 && request.buf[0] == SIGN_REQUEST && answer.buf[0] != SIGN_RESPONSE)
            rc = err_set(err, ERR_DENIED, "the ssh-agent refused to sign");
        if (rc < 0)
            break;
    }
    str_release(&request);
    str_release(&answer);
    return rc;
}

static void *run(void *arg)
{
    struct ssh_agent_proxy *proxy = arg;

    serve(proxy, &proxy->err);
    shutdown(proxy->ours, SHUT_RDWR);
    return NULL;
}

static int connect_agent(struct ssh_agent_proxy *proxy, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("SSH_AUTH_SOCK");

    if (!path || !*path)
        return err_set(err, ERR_DENIED, "no ssh-agent is running");
    if (strlen(path) >= sizeof(address.sun_path))
        return err_set(err, ERR_DENIED, "the ssh-agent's path in SSH_AUTH_SOCK is too long");
    memcpy(address.sun_path, path, strlen(path));
    proxy->agent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (proxy->agent < 0)
        return err_set_errno(err, "socket");
    if (connect(proxy->agent, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return err_set(err, ERR_DENIED, "no ssh-agent answers at %s: %s", path, strerror(errno));
    return 0;
}

static int start(struct ssh_agent_proxy *proxy, struct err *err)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set_errno(err, "socketpair");
    proxy->ours = ends[0];
    proxy->theirs = ends[1];
    if (ssh_thread_start(&proxy->thread, run, proxy, err) < 0)
        return -1;
    proxy->running = true;
    return 0;
}

struct ssh_agent_proxy *ssh_agent_proxy_open(ssh_key only, int64_t deadline_ms, struct err *err)
{
    struct ssh_agent_proxy *proxy = xcalloc(1, sizeof(*proxy));
    struct err ignored = ERR_INIT;

    proxy->agent = proxy->ours = proxy->theirs = -1;
    proxy->deadline_ms = deadline_ms;
    str_init(&proxy->identities, MESSAGE_MAX);
    if (connect_agent(proxy, err) == 0 && list_keys(proxy, only, err) == 0 &&
        start(proxy, err) == 0)
        return proxy;
    ssh_agent_proxy_close(proxy, &ignored);
    return NULL;
}

void ssh_agent_proxy_attach(struct ssh_agent_proxy *proxy, ssh_session session)
{
    ssh_set_agent_socket(session, proxy->theirs);
    proxy->session = session;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

int ssh_agent_proxy_close(struct ssh_agent_proxy *proxy, struct err *err)
{
    int rc;

    if (proxy->session)
        ssh_set_agent_socket(proxy->session, SSH_INVALID_SOCKET);
    close_fd(proxy->theirs);
    if (proxy->running)
        pthread_join(proxy->thread, NULL);
    close_fd(proxy->ours);
    close_fd(proxy->agent);
    rc = proxy->err.code == ERR_NONE ? 0 : -1;
    if (rc < 0)
        err_move(err, &proxy->err);
    str_release(&proxy->identities);
    free(proxy);
    return rc;
}
