/*
 * ssh_login.c - log in by public key: certificates, key files, the agent.
 *
 * The round trips of a login with a key file: service, signature. Neither a `none` probe nor a
 * question whether the server would take the key: with one key to offer both only cost time. The
 * agent's keys are asked for first, for a signature may have to be confirmed by its user.
 *
 * ssh_userauth_publickey_auto is not used: it asks for passphrases at the terminal, and writes .pub
 * files beside the keys it finds.
 */
#include <errno.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/net/ssh_session.h"

#define KEY_FILE_MAX ((size_t)64 << 10)
#define TRIED_MAX    ((size_t)16 << 10)

/* OpenSSH's container (PROTOCOL.key): base64 of "openssh-key-v1", a zero, and the cipher "none". */
#define OPENSSH_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define OPENSSH_PLAIN "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"

/* In libssh's order. */
static const char *const default_keys[] = {"id_ed25519", "id_ecdsa", "id_rsa"};

enum attempt { ATTEMPT_IN, ATTEMPT_REFUSED, ATTEMPT_FAILED /* err says why */ };

struct login {
    struct ssh *ssh;
    const struct ssh_target *target;
    int64_t deadline_ms;
    struct str tried; /* what the server refused: "the key ~/.ssh/id_rsa" */
    char *locked;     /* owned: a default key with a passphrase; NULL */
    bool partial;     /* the server took a key, but wants more */
};

/* The connection failed; text: what became of it. */
static int lost(const char *text, struct err *err)
{
    const bool too_many = strstr(text, "Too many authentication failures") != NULL;

    err_set(err, too_many ? ERR_DENIED : ERR_NET, "login: %s", text);
    if (too_many)
        return err_hint(err, "the agent holds too many keys: name an identity file");
    err->retryable = true;
    return -1;
}

static int wait_for_answer(struct login *l, struct err *err)
{
    if (ssh_session_wait(l->ssh, l->deadline_ms, err) == 0)
        return 0;
    return err->code == ERR_NET ? lost(err->text, err) : ssh_session_step_failed("login", err);
}

static enum attempt judge(struct login *l, int rc, const char *what, struct err *err)
{
    if (rc == SSH_AUTH_SUCCESS)
        return ATTEMPT_IN;
    if (rc != SSH_AUTH_DENIED && rc != SSH_AUTH_PARTIAL) {
        lost(ssh_session_fault(l->ssh), err);
        return ATTEMPT_FAILED;
    }
    l->partial |= rc == SSH_AUTH_PARTIAL;
    str_printf(&l->tried, "%s%s", l->tried.len ? " and " : "", what);
    return ATTEMPT_REFUSED;
}

/* ---- key files */

static enum attempt offer_key(struct login *l, ssh_key key, const char *what, struct err *err)
{
    int rc;

    while ((rc = ssh_userauth_publickey(l->ssh->session, NULL, key)) == SSH_AUTH_AGAIN)
        if (wait_for_answer(l, err) < 0)
            return ATTEMPT_FAILED;
    return judge(l, rc, what, err);
}

/* FILE-cert.pub, if there is one: nothing is refused when there is none. */
static enum attempt offer_certificate(struct login *l, ssh_key key, const char *path,
                                      struct err *err)
{
    char *what = xasprintf("the certificate %s-cert.pub", path);
    const char *file = what + strlen("the certificate ");
    enum attempt attempt = ATTEMPT_REFUSED;
    ssh_key certificate = NULL, certified = NULL;

    if (ssh_pki_import_cert_file(file, &certificate) == SSH_OK) {
        certified = ssh_key_dup(key);
        if (certified && ssh_pki_copy_cert_to_privkey(certificate, certified) == SSH_OK)
            attempt = offer_key(l, certified, what, err);
    }
    ssh_key_free(certified);
    ssh_key_free(certificate);
    free(what);
    return attempt;
}

static enum attempt offer_file(struct login *l, ssh_key key, const char *path, struct err *err)
{
    enum attempt attempt = offer_certificate(l, key, path, err);
    char *what;

    if (attempt != ATTEMPT_REFUSED)
        return attempt;
    what = xasprintf("the key %s", path);
    attempt = offer_key(l, key, what, err);
    free(what);
    return attempt;
}

/* NULL: it is none, or has a passphrase. The empty one keeps libssh from asking. */
static ssh_key private_key(const char *path)
{
    ssh_key key = NULL;

    return ssh_pki_import_privkey_file(path, "", NULL, NULL, &key) == SSH_OK ? key : NULL;
}

static bool has_passphrase(const char *path)
{
    struct err ignored = ERR_INIT;
    struct str text;
    const char *openssh;
    bool locked;

    str_init(&text, KEY_FILE_MAX);
    if (file_read(path, &text, &ignored) < 0)
        err_release(&ignored);
    openssh = strstr(text.buf, OPENSSH_BEGIN);
    if (openssh)
        locked = !str_starts(openssh + strlen(OPENSSH_BEGIN), OPENSSH_PLAIN);
    else
        locked = strstr(text.buf, "-----BEGIN ") && strstr(text.buf, "ENCRYPTED");
    explicit_bzero(text.buf, text.len);
    str_release(&text);
    return locked;
}

/* ---- the agent */

/* Takes the proxy over. */
static enum attempt offer_agent(struct login *l, struct ssh_agent_proxy *proxy, const char *what,
                                struct err *err)
{
    ssh_session session = l->ssh->session;
    struct err agent_err = ERR_INIT;
    enum attempt attempt = ATTEMPT_FAILED;
    bool waited = true;
    int rc;

    ssh_agent_proxy_attach(proxy, session);
    while (waited && (rc = ssh_userauth_agent(session, NULL)) == SSH_AUTH_AGAIN)
        waited = wait_for_answer(l, err) == 0;
    if (ssh_agent_proxy_close(proxy, &agent_err) < 0 && waited && rc == SSH_AUTH_ERROR) {
        err_move(err, &agent_err);
        err_hint(err, "look at the agent: ssh-add -l");
    } else if (waited) {
        attempt = judge(l, rc, what, err);
    }
    err_release(&agent_err);
    return attempt;
}

/* The file itself, for OpenSSH's private keys hold it in the clear, or FILE.pub. */
static ssh_key public_key(const char *path)
{
    char *beside = xasprintf("%s.pub", path);
    ssh_key key = NULL;

    if (ssh_pki_import_pubkey_file(path, &key) != SSH_OK &&
        ssh_pki_import_pubkey_file(beside, &key) != SSH_OK)
        key = NULL;
    free(beside);
    return key;
}

static int no_key(const char *path, struct err *err)
{
    if (access(path, R_OK) != 0)
        err_set(err, ERR_DENIED, "the key %s: %s", path, strerror(errno));
    else if (has_passphrase(path))
        err_set(err, ERR_DENIED, "the key %s has a passphrase, and %s.pub is missing", path, path);
    else
        err_set(err, ERR_DENIED, "the key %s is no private key that libssh can read", path);
    return err_hint(err, "name another identity file, or none: then the agent's keys are used");
}

/* err says why the agent is of no help; now what it was needed for. */
static int agent_needed(const char *path, struct err *err)
{
    const char *why = "cannot be read, only its public half";

    if (err->code != ERR_DENIED)
        return -1;
    if (has_passphrase(path))
        why = "has a passphrase";
    else if (access(path, R_OK) == 0)
        why = "is a public key";
    err_wrap(err, "the key %s %s", path, why);
    return err_hint(err, "give the private key to the agent: %sssh-add '%s'",
                    getenv("SSH_AUTH_SOCK") ? "" : "eval \"$(ssh-agent)\"; ", path);
}

static enum attempt offer_identity(struct login *l, struct err *err)
{
    const char *path = l->target->identity;
    enum attempt attempt = ATTEMPT_FAILED;
    ssh_key key = private_key(path);
    struct ssh_agent_proxy *proxy;
    char *what;

    if (key) {
        attempt = offer_file(l, key, path, err);
    } else if (!(key = public_key(path))) {
        no_key(path, err);
    } else if (!(proxy = ssh_agent_proxy_open(key, l->deadline_ms, err))) {
        agent_needed(path, err);
    } else {
        what = xasprintf("the agent's key %s", path);
        attempt = offer_agent(l, proxy, what, err);
        free(what);
    }
    ssh_key_free(key);
    return attempt;
}

/* ---- whatever key there is */

static enum attempt offer_default_key(struct login *l, const char *path, struct err *err)
{
    enum attempt attempt = ATTEMPT_REFUSED;
    ssh_key key = private_key(path);

    if (key)
        attempt = offer_file(l, key, path, err);
    else if (!l->locked && has_passphrase(path))
        l->locked = xstrdup(path);
    ssh_key_free(key);
    return attempt;
}

static enum attempt offer_all(struct login *l, struct err *err)
{
    struct err agent_err = ERR_INIT;
    struct ssh_agent_proxy *proxy = ssh_agent_proxy_open(NULL, l->deadline_ms, &agent_err);
    enum attempt attempt = ATTEMPT_REFUSED;

    if (proxy)
        attempt = offer_agent(l, proxy, "the agent's keys", err);
    for (size_t i = 0; i < ARRAY_LEN(default_keys) && attempt == ATTEMPT_REFUSED; i++) {
        char *path = ssh_user_file(default_keys[i]);

        attempt = offer_default_key(l, path, err);
        free(path);
    }
    if (attempt == ATTEMPT_REFUSED && l->tried.len == 0) {
        err_move(err, &agent_err);
        err_wrap(err, "no default key in ~/.ssh%s", l->locked ? " without a passphrase" : "");
    }
    err_release(&agent_err);
    return attempt;
}

/* ---- the answer */

static int refused(const struct login *l, struct err *err)
{
    int methods = ssh_userauth_list(l->ssh->session, NULL);
    const char *user = l->target->user ? l->target->user : "root";

    if (l->partial) {
        err_set(err, ERR_DENIED, "login as %s: the server takes the key, but wants more", user);
        return err_hint(err, "a second factor is not supported: see AuthenticationMethods in its "
                             "sshd_config");
    }
    if (l->tried.len)
        err_set(err, ERR_DENIED, "login as %s refused with %s", user, l->tried.buf);
    else
        err_wrap(err, "no key to log in as %s", user);
    if (l->locked)
        return err_hint(err, "a key with a passphrase works through ssh-agent: ssh-add '%s'",
                        l->locked);
    if (methods != 0 && !(methods & SSH_AUTH_METHOD_PUBLICKEY))
        return err_hint(
            err, "the server takes no keys: set PubkeyAuthentication yes in its sshd_config");
    return err_hint(err,
                    "add the public key to ~%s/.ssh/authorized_keys on the host, or name another "
                    "user or identity file",
                    user);
}

int ssh_login(struct ssh *s, const struct ssh_target *target, int64_t deadline_ms, struct err *err)
{
    struct login l = {.ssh = s, .target = target, .deadline_ms = deadline_ms};
    enum attempt attempt;

    str_init(&l.tried, TRIED_MAX);
    attempt = target->identity ? offer_identity(&l, err) : offer_all(&l, err);
    if (attempt == ATTEMPT_REFUSED)
        refused(&l, err);
    str_release(&l.tried);
    free(l.locked);
    return attempt == ATTEMPT_IN ? 0 : -1;
}
