/*
 * test_ssh.c - against a real sshd on loopback, started here as the current user with keys of its
 * own.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/proc.h"
#include "lib/net/pool.h"
#include "lib/net/ssh.h"
#include "lib/net/tunnel.h"

#define SSHD     "/usr/sbin/sshd"
#define MEGABYTE ((size_t)1 << 20)

static struct {
    char dir[64];
    char user[64];
    int port;
    pid_t pid;
} server;

/* ---- the server ---- */

static const char *in_dir(const char *name)
{
    static char paths[8][128];
    static size_t next;
    char *path = paths[next++ % ARRAY_LEN(paths)];

    snprintf(path, sizeof(paths[0]), "%s/%s", server.dir, name);
    return path;
}

static int listen_on(int port, int *bound)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *bound = ntohs(address.sin_port);
    return fd;
}

static int free_port(void)
{
    int port = 0;

    close(listen_on(0, &port));
    return port;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    struct err err = ERR_INIT;

    assert_int_equal(file_write(in_dir(name), text, strlen(text), mode, &err), 0);
}

static void read_text(const char *name, struct str *text)
{
    struct err err = ERR_INIT;

    str_init(text, MEGABYTE);
    assert_int_equal(file_read(in_dir(name), text, &err), 0);
    str_trim_end(text);
}

static void run_program(const char *const *argv)
{
    struct proc proc = {.argv = argv};
    struct err err = ERR_INIT;

    if (proc_run(&proc, &err) < 0)
        fail_msg("%s", err.text);
}

static void make_locked_key(const char *name, const char *type, const char *format,
                            const char *passphrase)
{
    run_program((const char *const[]){"ssh-keygen", "-q", "-t", type, "-m", format, "-N",
                                      passphrase, "-C", "test", "-f", in_dir(name), NULL});
}

static void make_key(const char *name, const char *type)
{
    make_locked_key(name, type, "RFC4716", "");
}

/* NAME-cert.pub, for the login name `principal`. */
static void certify(const char *name, const char *principal)
{
    char *public = xasprintf("%s.pub", in_dir(name));

    run_program((const char *const[]){"ssh-keygen", "-q", "-s", in_dir("ca"), "-I", "test", "-n",
                                      principal, public, NULL});
    free(public);
}

/* more: before the rest, for sshd takes the first value that it reads. */
static void write_config_with(const char *name, int port, const char *host_key, const char *more)
{
    char *text =
        xasprintf("%s\nListenAddress 127.0.0.1\nPort %d\nHostKey %s\nAuthorizedKeysFile %s\n"
                  "StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\n"
                  "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
                  "MaxStartups 200\nMaxSessions 10\nLogLevel ERROR\n"
                  "TrustedUserCAKeys %s\nSetEnv PATH=%s:/usr/bin:/bin HOME=%s\n",
                  more, port, in_dir(host_key), in_dir("login.pub"), in_dir("ca.pub"), server.dir,
                  server.dir);

    write_file(name, text, 0600);
    free(text);
}

static void write_config(const char *name, int port)
{
    write_config_with(name, port, "host", "");
}

static pid_t start(const char *config, const char *delay)
{
    char *command = xasprintf("sleep %s; exec %s -D -e -f %s", delay, SSHD, in_dir(config));
    const char *argv[] = {"sh", "-c", command, NULL};
    struct err err = ERR_INIT;
    pid_t pid = 0;

    if (proc_spawn(argv, NULL, in_dir("sshd.log"), &pid, &err) < 0)
        fail_msg("%s", err.text);
    free(command);
    return pid;
}

static void stop(pid_t pid)
{
    kill(pid, SIGTERM);
    while (proc_start_time(pid) != 0 && waitpid(pid, NULL, 0) != pid)
        usleep(1000);
}

static void trust(const char *name, const char *key, int port)
{
    struct str text;
    char *line;

    read_text(key, &text);
    line = xasprintf("# a comment\n[127.0.0.1]:%d %s\n", port, text.buf);
    write_file(name, line, 0600);
    free(line);
    str_release(&text);
}

static struct ssh_target target(void)
{
    static char identity[128], known[128];

    snprintf(identity, sizeof(identity), "%s/login", server.dir);
    snprintf(known, sizeof(known), "%s/known", server.dir);
    return (struct ssh_target){
        .name = "db1",
        .address = "127.0.0.1",
        .port = server.port,
        .user = server.user,
        .identity = identity,
        .known_hosts = known,
        .connect_timeout_ms = 5000,
    };
}

static int start_server(void **state)
{
    const struct passwd *pw = getpwuid(geteuid());
    struct ssh_target to;
    struct err err = ERR_INIT;
    struct ssh *s;

    UNUSED(state);
    assert_non_null(pw);
    unsetenv("SSH_AUTH_SOCK");
    snprintf(server.user, sizeof(server.user), "%s", pw->pw_name);
    snprintf(server.dir, sizeof(server.dir), "/tmp/pgha-test-ssh-XXXXXX");
    assert_non_null(mkdtemp(server.dir));
    if (geteuid() == 0)
        mkdir("/run/sshd", 0755); /* sshd insists on it; it may be there */
    server.port = free_port();
    make_key("host", "ed25519");
    make_key("other", "ed25519");
    make_key("login", "ed25519");
    make_key("stranger", "ed25519");
    make_key("ca", "ed25519");
    trust("known", "host.pub", server.port);
    write_config("config", server.port);
    server.pid = start("config", "0");
    to = target();
    s = ssh_open_wait(&to, clock_mono_ms() + 10000, &err);
    if (!s)
        fail_msg("%s", err.text);
    ssh_close(s);
    err_release(&err);
    return 0;
}

static int stop_server(void **state)
{
    struct err err = ERR_INIT;

    UNUSED(state);
    stop(server.pid);
    return file_remove_tree(server.dir, &err);
}

/* ---- helpers ---- */

static struct ssh *must_open(const struct ssh_target *to)
{
    struct err err = ERR_INIT;
    struct ssh *s = ssh_open(to, &err);

    if (!s)
        fail_msg("%s", err.text);
    return s;
}

static void must_fail(const struct ssh_target *to, enum err_code code, bool retryable,
                      const char *text)
{
    struct err err = ERR_INIT;

    assert_null(ssh_open(to, &err));
    if (!strstr(err.text, text))
        fail_msg("'%s' is not in '%s'", text, err.text);
    assert_non_null(strstr(err.text, "db1"));
    assert_int_equal(err.code, code);
    assert_int_equal(err.retryable, retryable);
    if (code == ERR_DENIED)
        assert_non_null(err.hint);
    err_release(&err);
}

static void must_fail_anyhow(const struct ssh_target *to, enum err_code code)
{
    struct err err = ERR_INIT;

    assert_null(ssh_open(to, &err));
    assert_int_equal(err.code, code);
    err_release(&err);
}

struct outcome {
    struct str out, errout;
    struct err err;
    int rc, status;
};

static struct outcome run_with(struct ssh *s, const char *script, size_t max, int timeout_ms)
{
    struct outcome o = {.err = ERR_INIT};
    struct ssh_run run = {.script = script, .script_len = strlen(script), .timeout_ms = timeout_ms};

    str_init(&o.out, max);
    str_init(&o.errout, max);
    run.out = &o.out;
    run.errout = &o.errout;
    o.rc = ssh_script(s, &run, &o.err);
    o.status = run.status;
    return o;
}

static void outcome_release(struct outcome *o)
{
    str_release(&o->out);
    str_release(&o->errout);
    err_release(&o->err);
}

static void expect(struct ssh *s, const char *script, int status, const char *out,
                   const char *errout)
{
    struct outcome o = run_with(s, script, MEGABYTE, 20000);

    if (o.rc < 0)
        fail_msg("%s", o.err.text);
    assert_string_equal(o.out.buf, out);
    assert_string_equal(o.errout.buf, errout);
    assert_int_equal(o.status, status);
    outcome_release(&o);
}

static size_t entries_of(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static size_t open_files(void)
{
    return entries_of("/proc/self/fd");
}

/* ---- opening ---- */

static void refuses_a_wrong_host_key(void **state)
{
    struct ssh_target to = target();

    UNUSED(state);
    trust("known-other", "other.pub", server.port);
    to.known_hosts = in_dir("known-other");
    must_fail(&to, ERR_DENIED, false, "expected ssh-ed25519 SHA256:");
    must_fail(&to, ERR_DENIED, false, "known-other:2), the host shows SHA256:");
    to.accept_new = true;
    must_fail(&to, ERR_DENIED, false, "has changed");
}

static void refuses_an_unknown_host_key(void **state)
{
    struct ssh_target to = target();

    UNUSED(state);
    to.known_hosts = in_dir("absent");
    must_fail(&to, ERR_DENIED, false, "host key ssh-ed25519 SHA256:");
    assert_false(file_exists(in_dir("absent")));
    trust("known-port", "host.pub", server.port == 1 ? 2 : 1);
    to.known_hosts = in_dir("known-port");
    must_fail(&to, ERR_DENIED, false, "is not in");
}

static void refuses_another_type_of_key(void **state)
{
    struct ssh_target to = target();

    UNUSED(state);
    make_key("ecdsa", "ecdsa");
    trust("known-ecdsa", "ecdsa.pub", server.port);
    to.known_hosts = in_dir("known-ecdsa");
    to.accept_new = true;
    must_fail(&to, ERR_DENIED, false, "another type: expected ecdsa-sha2-nistp256 SHA256:");
    must_fail(&to, ERR_DENIED, false, "the host shows ssh-ed25519 SHA256:");
}

static void refuses_a_revoked_key(void **state)
{
    struct ssh_target to = target();
    struct str key;
    char *line;

    UNUSED(state);
    read_text("host.pub", &key);
    line = xasprintf("[127.0.0.1]:%d %s\n@revoked * %s\n", server.port, key.buf, key.buf);
    write_file("known-revoked", line, 0600);
    to.known_hosts = in_dir("known-revoked");
    must_fail(&to, ERR_DENIED, false, "is revoked");
    free(line);
    str_release(&key);
}

static void accept_new_records_the_key_once(void **state)
{
    struct ssh_target to = target();
    struct str text, key;
    char *expected;

    UNUSED(state);
    write_file("known-new", "other ssh-ed25519 AAAA", 0600); /* no newline at its end */
    to.known_hosts = in_dir("known-new");
    to.accept_new = true;
    for (int i = 0; i < 2; i++)
        ssh_close(must_open(&to));
    read_text("host.pub", &key);
    key.buf[key.len - strlen(" test")] = '\0';
    expected = xasprintf("other ssh-ed25519 AAAA\n[127.0.0.1]:%d %s", server.port, key.buf);
    read_text("known-new", &text);
    assert_string_equal(text.buf, expected);
    to.accept_new = false;
    ssh_close(must_open(&to));
    to.known_hosts = in_dir("new/folder/known");
    to.accept_new = true;
    ssh_close(must_open(&to));
    assert_true(file_exists(to.known_hosts));
    free(expected);
    str_release(&text);
    str_release(&key);
}

static void bad_known_hosts_lines_are_passed_over(void **state)
{
    struct ssh_target to = target();
    struct str key;
    char *text;

    UNUSED(state);
    read_text("host.pub", &key);
    text =
        xasprintf("\n\n#x\n@cert-authority * %s\n[127.0.0.1]:%d\n[127.0.0.1]:%d ssh-ed25519 %%%%\n"
                  "|1|bad|hash ssh-ed25519 AAAA\n* nonsense AAAA\n\x01\x02\xff\n"
                  "[127.0.0.1]:%d,other %s",
                  key.buf, server.port, server.port, server.port, key.buf);
    write_file("known-odd", text, 0600);
    to.known_hosts = in_dir("known-odd");
    ssh_close(must_open(&to));
    free(text);
    str_release(&key);
}

static void refuses_a_wrong_login(void **state)
{
    struct ssh_target to = target();

    UNUSED(state);
    to.identity = in_dir("stranger");
    must_fail(&to, ERR_DENIED, false, "refused with the key");
    to = target();
    to.user = "no-such-user";
    must_fail(&to, ERR_DENIED, false, "login as no-such-user refused");
    to = target();
    to.identity = in_dir("no-such-key");
    must_fail(&to, ERR_DENIED, false, "no-such-key: No such file");
    to.identity = in_dir("config");
    must_fail(&to, ERR_DENIED, false, "is no private key");
}

/* ---- certificates and the agent */

static void a_certificate_logs_in(void **state)
{
    static const char *const types[] = {"ed25519", "ecdsa", "rsa"};
    struct ssh_target to = target();

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        char *name = xasprintf("certified-%s", types[i]);

        make_key(name, types[i]);
        to.identity = in_dir(name);
        must_fail(&to, ERR_DENIED, false, "refused with the key");
        certify(name, server.user);
        ssh_close(must_open(&to));
        free(name);
    }
}

static void the_plain_key_follows_the_certificate(void **state)
{
    struct ssh_target to = target();

    UNUSED(state);
    make_key("mismatched", "ed25519");
    certify("mismatched", "somebody-else");
    to.identity = in_dir("mismatched");
    must_fail(&to, ERR_DENIED, false, "mismatched-cert.pub and the key ");
    certify("login", "somebody-else");
    to.identity = in_dir("login");
    ssh_close(must_open(&to));
    write_file("login-cert.pub", "garbage\n", 0600);
    ssh_close(must_open(&to));
    unlink(in_dir("login-cert.pub"));
}

static void a_locked_key_asks_nobody(void **state)
{
    struct ssh_target to = target();
    struct err err = ERR_INIT;

    UNUSED(state);
    make_locked_key("locked", "ed25519", "RFC4716", "passphrase");
    make_locked_key("locked-pem", "rsa", "PEM", "passphrase");
    make_locked_key("locked-pkcs8", "ecdsa", "PKCS8", "passphrase");
    to.identity = in_dir("locked");
    assert_null(ssh_open(&to, &err));
    assert_int_equal(err.code, ERR_DENIED);
    assert_non_null(strstr(err.text, "/locked has a passphrase: no ssh-agent is running"));
    assert_non_null(strstr(err.hint, "eval \"$(ssh-agent)\"; ssh-add '"));
    err_release(&err);
    to.identity = in_dir("locked-pem");
    must_fail(&to, ERR_DENIED, false, "has a passphrase: no ssh-agent is running");
    to.identity = in_dir("locked-pkcs8");
    must_fail(&to, ERR_DENIED, false, "has a passphrase: no ssh-agent is running");
    unlink(in_dir("locked-pem.pub"));
    to.identity = in_dir("locked-pem");
    must_fail(&to, ERR_DENIED, false, "has a passphrase, and ");
    to.identity = in_dir("login.pub");
    must_fail(&to, ERR_DENIED, false, "is a public key: no ssh-agent is running");
}

static pid_t start_agent(void)
{
    const char *argv[] = {"ssh-agent", "-D", "-a", in_dir("agent"), NULL};
    const char *env[] = {"SSH_ASKPASS=/bin/false", NULL};
    struct err err = ERR_INIT;
    pid_t pid = 0;

    unlink(in_dir("agent"));
    if (proc_spawn(argv, env, in_dir("agent.log"), &pid, &err) < 0)
        fail_msg("%s", err.text);
    for (int i = 0; i < 1000 && !file_exists(in_dir("agent")); i++)
        usleep(5000);
    setenv("SSH_AUTH_SOCK", in_dir("agent"), 1);
    return pid;
}

static void stop_agent(pid_t pid)
{
    unsetenv("SSH_AUTH_SOCK");
    stop(pid);
}

static void add_to_agent(const char *key)
{
    run_program((const char *const[]){"ssh-add", "-q", in_dir(key), NULL});
}

static void forget_in_agent(void)
{
    run_program((const char *const[]){"ssh-add", "-q", "-D", NULL});
}

static void the_agent_logs_in(void **state)
{
    struct ssh_target to = target();
    pid_t agent = start_agent();
    size_t before;

    UNUSED(state);
    to.identity = NULL;
    must_fail(&to, ERR_DENIED, false, "the ssh-agent does not hold a key");
    add_to_agent("stranger");
    must_fail(&to, ERR_DENIED, false, "refused with the agent's keys");
    to.identity = in_dir("login.pub");
    must_fail(&to, ERR_DENIED, false, "login.pub is a public key: the ssh-agent does not hold it");
    add_to_agent("login");
    ssh_close(must_open(&to));
    to.identity = NULL;
    before = open_files();
    ssh_close(must_open(&to));
    assert_int_equal(open_files(), before);
    stop_agent(agent);
    to.identity = NULL;
    must_fail(&to, ERR_DENIED, false, "no ssh-agent is running");
}

/* The server lets us try six keys. */
static void the_agent_offers_the_named_key_only(void **state)
{
    struct ssh_target to = target();
    pid_t agent = start_agent();

    UNUSED(state);
    for (int i = 0; i < 7; i++) {
        char *name = xasprintf("other-%d", i);

        make_key(name, "ed25519");
        add_to_agent(name);
        free(name);
    }
    add_to_agent("login");
    to.identity = NULL;
    must_fail(&to, ERR_DENIED, false, "Too many authentication failures");
    to.identity = in_dir("login.pub");
    ssh_close(must_open(&to));
    to.identity = in_dir("other-0.pub");
    must_fail(&to, ERR_DENIED, false, "refused with the agent's key ");
    stop_agent(agent);
}

/* What the agent holds of a key with a passphrase: here its plain copy is added. */
static void the_agent_opens_a_locked_key(void **state)
{
    struct ssh_target to = target();
    pid_t agent = start_agent();
    struct str text;

    UNUSED(state);
    read_text("login", &text);
    str_putc(&text, '\n');
    write_file("login-locked", text.buf, 0600);
    run_program((const char *const[]){"ssh-keygen", "-q", "-p", "-N", "passphrase", "-f",
                                      in_dir("login-locked"), NULL});
    to.identity = in_dir("login-locked");
    must_fail(&to, ERR_DENIED, false, "has a passphrase: the ssh-agent does not hold it");
    add_to_agent("login");
    ssh_close(must_open(&to));
    str_release(&text);
    stop_agent(agent);
}

static void the_agent_holds_certificates(void **state)
{
    static const char *const types[] = {"ed25519", "ecdsa", "rsa"};
    struct ssh_target to = target();
    pid_t agent = start_agent();

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        char *name = xasprintf("in-agent-%s", types[i]), *public = xasprintf("%s.pub", name);

        make_key(name, types[i]);
        certify(name, server.user);
        forget_in_agent();
        add_to_agent(name);
        to.identity = in_dir(public);
        ssh_close(must_open(&to));
        to.identity = NULL;
        ssh_close(must_open(&to));
        free(name);
        free(public);
    }
    stop_agent(agent);
}

static void an_agent_that_refuses_is_said(void **state)
{
    struct ssh_target to = target();
    pid_t agent = start_agent();

    UNUSED(state);
    run_program((const char *const[]){"ssh-add", "-q", "-c", in_dir("login"), NULL});
    to.identity = in_dir("login.pub");
    must_fail(&to, ERR_DENIED, false, "the ssh-agent refused to sign");
    stop_agent(agent);
}

static int fake_agent(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", in_dir(name));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 8), 0);
    setenv("SSH_AUTH_SOCK", address.sun_path, 1);
    return fd;
}

static void *send_nonsense(void *arg)
{
    static const char *const answers[] = {
        "\0\0\0\1\5",                                       /* failure */
        "\0\0\0\5\14\377\377\377\377",                      /* keys that do not come */
        "\0\0\0\15\14\0\0\0\1\377\377\377\377....",         /* a key without an end */
        "\0\0\0\25\14\0\0\0\1\0\0\0\4\0\0\0\0\0\0\0\4text", /* a key without a type */
        "\377\377\377\377",                                 /* too long */
        "\0\0",                                             /* cut off */
    };
    static const size_t sizes[] = {5, 9, 17, 25, 4, 2};
    int listener = *(int *)arg;

    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        int fd = accept(listener, NULL, NULL);

        assert_int_equal(write(fd, answers[i], sizes[i]), sizes[i]);
        close(fd);
    }
    return NULL;
}

static void a_bad_agent_does_no_harm(void **state)
{
    struct ssh_target to = target();
    int64_t began;
    pthread_t thread;
    int fd = fake_agent("silent-agent");

    UNUSED(state);
    to.identity = in_dir("login.pub");
    to.connect_timeout_ms = 700;
    began = clock_mono_ms();
    must_fail(&to, ERR_DENIED, false, "the ssh-agent did not answer in time");
    assert_in_range(clock_mono_ms() - began, 300, 2500);
    close(fd);
    must_fail(&to, ERR_DENIED, false, "no ssh-agent answers at");
    to = target();
    to.identity = in_dir("login.pub");
    fd = fake_agent("bad-agent");
    pthread_create(&thread, NULL, send_nonsense, &fd);
    for (int i = 0; i < 6; i++)
        must_fail(&to, ERR_DENIED, false, "the ssh-agent");
    pthread_join(thread, NULL);
    close(fd);
    unsetenv("SSH_AUTH_SOCK");
}

static void default_keys_are_tried_without_an_identity(void **state)
{
    struct ssh_target to = target();
    struct str text;

    UNUSED(state);
    setenv("HOME", server.dir, 1);
    to.identity = NULL;
    must_fail(&to, ERR_DENIED, false, "no default key in ~/.ssh: no ssh-agent is running");
    mkdir(in_dir(".ssh"), 0700);
    make_locked_key(".ssh/id_ed25519", "ed25519", "RFC4716", "passphrase");
    must_fail(&to, ERR_DENIED, false, "no default key in ~/.ssh without a passphrase");
    make_key(".ssh/id_ecdsa", "ecdsa");
    must_fail(&to, ERR_DENIED, false, "refused with the key ");
    certify(".ssh/id_ecdsa", server.user);
    ssh_close(must_open(&to));
    unlink(in_dir(".ssh/id_ecdsa-cert.pub"));
    read_text("login", &text);
    str_putc(&text, '\n');
    write_file(".ssh/id_rsa", text.buf, 0600);
    ssh_close(must_open(&to));
    assert_false(file_exists(in_dir(".ssh/id_rsa.pub")));
    str_release(&text);
}

static void more_than_a_key_is_said(void **state)
{
    struct ssh_target to = target();
    struct err err = ERR_INIT;
    pid_t pid;

    UNUSED(state);
    to.port = free_port();
    write_config_with("config-two", to.port, "host", "AuthenticationMethods publickey,publickey");
    trust("known-two", "host.pub", to.port);
    to.known_hosts = in_dir("known-two");
    pid = start("config-two", "0");
    assert_null(ssh_open_wait(&to, clock_mono_ms() + 10000, &err));
    assert_non_null(strstr(err.text, "the server takes the key, but wants more"));
    err_release(&err);
    stop(pid);
}

/* ---- markers of known_hosts */

/* "LEFT KEY" in a file that knows the host; gives what ssh_open makes of it. */
static struct err open_with_line(const char *left)
{
    struct ssh_target to = target();
    struct err err = ERR_INIT;
    struct str key;
    char *text;

    read_text("host.pub", &key);
    text = xasprintf("  [127.0.0.1]:%d %s\r\n%s %s\r\n", server.port, key.buf, left, key.buf);
    write_file("known-marked", text, 0600);
    to.known_hosts = in_dir("known-marked");
    to.accept_new = true;
    ssh_close(ssh_open(&to, &err));
    free(text);
    str_release(&key);
    return err;
}

static void markers_count_however_they_are_written(void **state)
{
    static const char *const revoking[] = {"@revoked *", "  @revoked\t*",
                                           "\t@revoked  127.*,[127.*"};
    static const char *const harmless[] = {"#@revoked *", "@revoked other",    "@revokedx *",
                                           "@ *",         "@cert-authority *", "@cert-authority"};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(revoking); i++) {
        struct err err = open_with_line(revoking[i]);

        assert_int_equal(err.code, ERR_DENIED);
        assert_non_null(strstr(err.text, "is revoked ("));
        assert_non_null(strstr(err.text, "known-marked:2)"));
        err_release(&err);
    }
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
        struct err err = open_with_line(harmless[i]);

        assert_int_equal(err.code, ERR_NONE);
    }
}

static void host_certificates_are_not_supported(void **state)
{
    struct ssh_target to = target();
    struct err err = ERR_INIT;
    struct str key;
    char *text;

    UNUSED(state);
    run_program((const char *const[]){"ssh-keygen", "-q", "-s", in_dir("ca"), "-I", "host", "-h",
                                      "-n", "127.0.0.1", in_dir("host.pub"), NULL});
    read_text("ca.pub", &key);
    text = xasprintf("@cert-authority other %s\n@cert-authority [127.0.0.1]:%d %s\n", key.buf,
                     server.port, key.buf);
    write_file("known-ca", text, 0600);
    to.known_hosts = in_dir("known-ca");
    assert_null(ssh_open(&to, &err));
    assert_int_equal(err.code, ERR_DENIED);
    assert_non_null(strstr(err.text, "known-ca; host certificates (@cert-authority, "));
    assert_non_null(strstr(err.text, "known-ca:2) are not supported"));
    assert_non_null(strstr(err.hint, "add the host's own key: ssh-keyscan"));
    err_release(&err);
    to.accept_new = true;
    ssh_close(must_open(&to));
    free(text);
    str_release(&key);
}

/* ---- unreachable hosts */

static void unreachable_is_retryable(void **state)
{
    struct ssh_target to = target();

    UNUSED(state);
    to.port = free_port();
    must_fail(&to, ERR_NET, true, "Connection refused");
    to.address = "no.such.host.invalid";
    to.connect_timeout_ms = 1000;
    must_fail_anyhow(&to, ERR_NET);
    to.port = 70000;
    to.address = "127.0.0.1";
    must_fail(&to, ERR_INPUT, false, "no port");
}

struct dropper {
    int fd, drops; /* connections to be closed at once */
};

static void *drop_connections(void *arg)
{
    struct dropper *d = arg;

    for (int i = 0; i < d->drops; i++)
        close(accept(d->fd, NULL, NULL));
    close(d->fd); /* and then nobody listens */
    return NULL;
}

static void closed_before_the_greeting_is_retryable(void **state)
{
    struct ssh_target to = target();
    struct dropper d = {.drops = 2};
    struct ssh_target late = to;
    pthread_t thread;
    int64_t began;

    UNUSED(state);
    d.fd = listen_on(0, &late.port);
    pthread_create(&thread, NULL, drop_connections, &d);
    late.connect_timeout_ms = 100; /* one attempt, and a second after 50 ms */
    must_fail(&late, ERR_NET, true, "before the server's greeting");
    pthread_join(thread, NULL);

    d.drops = 3;
    d.fd = listen_on(0, &to.port);
    began = clock_mono_ms();
    pthread_create(&thread, NULL, drop_connections, &d);
    must_fail(&to, ERR_NET, true, "Connection refused"); /* it came back three times */
    pthread_join(thread, NULL);
    assert_in_range(clock_mono_ms() - began, 300, 5000);
}

static void a_silent_server_times_out(void **state)
{
    struct ssh_target to = target();
    int fd = listen_on(0, &to.port);
    int64_t began = clock_mono_ms();

    UNUSED(state);
    to.connect_timeout_ms = 300;
    must_fail(&to, ERR_NET, true, "timed out");
    assert_in_range(clock_mono_ms() - began, 290, 1500);
    close(fd);
}

static void open_wait_waits_for_sshd(void **state)
{
    struct ssh_target to = target();
    struct err err = ERR_INIT;
    int64_t began = clock_mono_ms();
    struct ssh *s;
    pid_t pid;

    UNUSED(state);
    to.port = free_port();
    write_config("config-late", to.port);
    trust("known-late", "host.pub", to.port);
    to.known_hosts = in_dir("known-late");
    pid = start("config-late", "0.4");
    s = ssh_open_wait(&to, began + 10000, &err);
    assert_non_null(s);
    assert_in_range(clock_mono_ms() - began, 390, 3000);
    ssh_close(s);
    stop(pid);
    began = clock_mono_ms();
    assert_null(ssh_open_wait(&to, began + 400, &err));
    assert_int_equal(err.code, ERR_NET);
    assert_in_range(clock_mono_ms() - began, 100, 900);
    err_release(&err);
    to = target();
    to.identity = in_dir("stranger");
    began = clock_mono_ms();
    assert_null(ssh_open_wait(&to, began + 5000, &err)); /* no use in trying again */
    assert_true(clock_mono_ms() - began < 3000);
    err_release(&err);
}

static void leaves_no_descriptor_open(void **state)
{
    struct ssh_target good = target(), bad = target();
    size_t before;

    UNUSED(state);
    bad.identity = in_dir("stranger");
    ssh_close(must_open(&good));
    before = open_files();
    for (int i = 0; i < 5; i++) {
        ssh_close(must_open(&good));
        must_fail(&bad, ERR_DENIED, false, "refused");
    }
    bad.port = free_port();
    must_fail(&bad, ERR_NET, true, "refused");
    assert_int_equal(open_files(), before);
    ssh_close(NULL);
}

/* ---- scripts ---- */

static void scripts_end_with_their_status(void **state)
{
    struct ssh_target to = target();
    struct ssh *s = must_open(&to);

    UNUSED(state);
    expect(s, "", 0, "", "");
    expect(s, "true", 0, "", "");
    expect(s, "false", 1, "", "");
    expect(s, "exit 7", 7, "", "");
    expect(s, "(exit 255)", 255, "", "");
    expect(s, "echo out; echo err >&2; exit 3", 3, "out\n", "err\n");
    expect(s, "printf 'no newline'", 0, "no newline", "");
    expect(s, "kill -9 $$", 137, "", "");
    expect(s, "kill -TERM $$", 143, "", "");
    expect(s, "set -e; false; echo never", 1, "", "");
    expect(s, "echo a # a comment", 0, "a\n", "");
    expect(s, "f() { echo \"$1'\\\"\"; return 4; }\nf 'x'; exit $?", 4, "x'\"\n", "");
    ssh_close(s);
}

static void scripts_have_no_stdin(void **state)
{
    struct ssh_target to = target();
    struct ssh *s = must_open(&to);

    UNUSED(state);
    expect(s, "read line || echo empty\ncat\necho after", 0, "empty\nafter\n", "");
    expect(s, "cat <<'END'\n$HOME `x`\nEND\ncat\necho after", 0, "$HOME `x`\nafter\n", "");
    ssh_close(s);
}

static void a_syntax_error_is_a_status(void **state)
{
    struct ssh_target to = target();
    struct ssh *s = must_open(&to);
    struct outcome o = run_with(s, "if true; then", MEGABYTE, 10000);

    UNUSED(state);
    assert_int_equal(o.rc, 0);
    assert_int_not_equal(o.status, 0);
    assert_true(o.errout.len > 0);
    outcome_release(&o);
    ssh_close(s);
}

struct lines {
    size_t n, bytes;
    int64_t first_ms;
    char last[32];
};

static void on_line(void *ctx, const char *line, size_t len)
{
    struct lines *lines = ctx;

    if (lines->n++ == 0)
        lines->first_ms = clock_mono_ms();
    lines->bytes += len;
    snprintf(lines->last, sizeof(lines->last), "%.*s", (int)len, line);
}

static void lines_come_as_they_are_printed(void **state)
{
    static const char script[] =
        "echo one; sleep 0.5; printf 'tw'; sleep 0.1; echo o; echo; printf rest";
    struct ssh_target to = target();
    struct ssh *s = must_open(&to);
    struct lines lines = {0};
    struct str out, errout;
    struct err err = ERR_INIT;
    struct ssh_run run = {
        .script = script,
        .script_len = strlen(script),
        .out = &out,
        .errout = &errout,
        .line = on_line,
        .ctx = &lines,
    };

    UNUSED(state);
    str_init(&out, MEGABYTE);
    str_init(&errout, MEGABYTE);
    str_puts(&out, "before\n");
    assert_int_equal(ssh_script(s, &run, &err), 0);
    assert_string_equal(out.buf, "before\none\ntwo\n\nrest");
    assert_int_equal(lines.n, 3);
    assert_int_equal(lines.bytes, 6);
    assert_true(clock_mono_ms() - lines.first_ms > 400);
    str_release(&out);
    str_release(&errout);
    ssh_close(s);
}

static void big_output_arrives_whole(void **state)
{
    struct ssh_target to = target();
    struct ssh *s = must_open(&to);
    struct outcome o = run_with(s,
                                "head -c 9000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero "
                                "| tr '\\0' y >&2",
                                10000000, 60000);

    UNUSED(state);
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.out.len, 9000000);
    assert_int_equal(o.errout.len, 3000000);
    assert_int_equal(strspn(o.out.buf, "x"), 9000000);
    outcome_release(&o);
    ssh_close(s);
}

static void too_much_output_is_an_error(void **state)
{
    struct ssh_target to = target();
    struct ssh *s = must_open(&to);
    struct outcome o = run_with(s, "yes", 100000, 30000);

    UNUSED(state);
    assert_int_equal(o.rc, -1);
    assert_int_equal(o.err.code, ERR_REMOTE);
    assert_non_null(strstr(o.err.text, "more than 100000 bytes to stdout"));
    assert_true(o.out.len <= 100000);
    outcome_release(&o);
    o = run_with(s, "yes >&2", 1000, 30000);
    assert_non_null(strstr(o.err.text, "to stderr"));
    outcome_release(&o);
    expect(s, "echo still here", 0, "still here\n", "");
    ssh_close(s);
}

static char *big_script(size_t bytes, const char *last)
{
    struct str script;

    str_init(&script, bytes + 1000);
    str_puts(&script, "cat <<'END' | wc -c\n");
    while (script.len < bytes)
        str_puts(&script, "0123456789012345678901234567890123456789012345678901234567890\n");
    str_printf(&script, "END\n%s\n", last);
    return str_detach(&script);
}

static void big_script_runs(void **state)
{
    struct ssh_target to = target();
    struct ssh *s = must_open(&to);
    char *script = big_script(5 * MEGABYTE, "exit 9");
    struct outcome o = run_with(s, script, 1000, 60000);

    UNUSED(state);
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.status, 9);
    assert_true(atoi(o.out.buf) >= (int)(5 * MEGABYTE - 100));
    outcome_release(&o);
    free(script);
    ssh_close(s);
}

/* Sizes around the packet: the last line must not be lost or cut. */
static void scripts_of_every_size_around_a_packet(void **state)
{
    struct ssh_target to = target();
    struct ssh *s = must_open(&to);

    UNUSED(state);
    for (size_t size = 16384 - 40; size <= 16384 + 40; size += 3) {
        char *script = xmalloc(size + 1);

        memset(script, '#', size);
        script[size] = '\0';
        memcpy(script, "exit 5\n", strlen("exit 5\n"));
        expect(s, script, 5, "", "");
        free(script);
    }
    ssh_close(s);
}

static void a_slow_script_times_out(void **state)
{
    struct ssh_target to = target();
    struct ssh *s = must_open(&to);
    int64_t began = clock_mono_ms();
    struct outcome o = run_with(s, "echo begun; sleep 5", 1000, 400);

    UNUSED(state);
    assert_int_equal(o.rc, -1);
    assert_int_equal(o.err.code, ERR_TIMEOUT);
    assert_non_null(strstr(o.err.text, "db1"));
    assert_string_equal(o.out.buf, "begun\n");
    assert_in_range(clock_mono_ms() - began, 390, 1500);
    outcome_release(&o);
    expect(s, "echo next", 0, "next\n", "");
    ssh_close(s);
}

static void many_on(struct ssh *s)
{
    for (int i = 0; i < 60; i++) {
        char *script = xasprintf("echo %d; exit %d", i, i);
        char *out = xasprintf("%d\n", i);

        expect(s, script, i, out, "");
        free(script);
        free(out);
    }
}

static void many_scripts_on_a_session(void **state)
{
    struct ssh_target to = target();
    struct ssh *s = must_open(&to);

    UNUSED(state);
    many_on(s);
    ssh_close(s);
}

static const char lose_connection[] =
    "p=$PPID; until grep -q '^sshd' /proc/$p/comm; do p=$(cut -d' ' -f4 /proc/$p/stat); done; "
    "echo going; kill -9 $p; sleep 5";

static const char stop_sshd[] =
    "p=$PPID; until grep -q '^sshd' /proc/$p/comm; do p=$(cut -d' ' -f4 /proc/$p/stat); done; "
    "echo going; kill -STOP $p; sleep 3; kill -CONT $p";

static void expect_hang(struct ssh *s, const char *script, int64_t after_ms)
{
    int64_t began = clock_mono_ms();
    struct outcome o = run_with(s, script, 20 * MEGABYTE, 10000);

    assert_int_equal(o.rc, -1);
    assert_int_equal(o.err.code, ERR_NET);
    assert_non_null(strstr(o.err.text, "db1"));
    assert_non_null(strstr(o.err.text, "the host hangs"));
    assert_non_null(o.err.hint);
    assert_in_range(clock_mono_ms() - began, after_ms, after_ms + 1500);
    outcome_release(&o);
    ssh_close(s);
}

static void a_host_that_hangs_is_said(void **state)
{
    struct ssh_target to = target();

    UNUSED(state);
    to.alive_interval_ms = 150;
    expect_hang(must_open(&to), stop_sshd, INT64_C(4) * 150);
}

static void a_host_that_works_in_silence_is_waited_for(void **state)
{
    struct ssh_target to = target();
    struct ssh *s;

    UNUSED(state);
    to.alive_interval_ms = 50;
    s = must_open(&to);
    for (int i = 0; i < 2; i++) {
        expect(s, "sleep 1; echo done", 0, "done\n", "");
        clock_sleep_ms(300); /* between scripts nobody looks: that is no silence of the host's */
    }
    ssh_close(s);
}

static void a_lost_connection_is_said(void **state)
{
    struct ssh_target to = target();
    struct ssh *s = must_open(&to);
    struct outcome o = run_with(s, lose_connection, 1000, 10000);

    UNUSED(state);
    assert_int_equal(o.rc, -1);
    assert_int_equal(o.err.code, ERR_NET);
    assert_non_null(strstr(o.err.text, "the connection was lost"));
    outcome_release(&o);
    o = run_with(s, "true", 1000, 10000);
    assert_int_equal(o.rc, -1);
    assert_int_equal(o.err.code, ERR_NET);
    outcome_release(&o);
    ssh_close(s);
}

/* ---- sudo */

/*
 * A sudo as sudo(8) has it, as far as -n, -S, -k and -p go: it asks on stderr, once for each try,
 * reads one line of stdin and not a byte more, and reads nothing when its policy asks for nothing.
 * "policy" sets PASSWORD (empty: none wanted), TRIES, ALLOWED; what it got is noted in "sudo-*".
 */
static const char fake_sudo[] =
    "#!/bin/sh\n"
    "cd \"${0%/*}\" && . ./policy || exit 99\n"
    "echo \"$*\" >>sudo-arguments; env >>sudo-arguments\n"
    "n= S= prompt='[sudo] password: '\n"
    "while :; do\n"
    "    case $1 in\n"
    "    -n) n=1 ;; -S) S=1 ;; -k) ;; -p) prompt=$2; shift ;;\n"
    "    --) shift; break ;; -*) echo \"sudo: invalid option\" >&2; exit 1 ;; *) break ;;\n"
    "    esac\n"
    "    shift\n"
    "done\n"
    "if [ -n \"$PASSWORD\" ]; then\n"
    "    [ -z \"$n\" ] || { echo 'sudo: a password is required' >&2; exit 1; }\n"
    "    [ -n \"$S\" ] || { echo 'sudo: a terminal is required' >&2; exit 1; }\n"
    "    printf '\\nWe trust you have received the usual lecture.\\n\\n' >&2\n"
    "    try=1\n"
    "    while printf %s \"$prompt\" >&2; do\n"
    "        IFS= read -r line || { printf '\\nsudo: no password was provided\\n' >&2; exit 1; }\n"
    "        echo \"$line\" >>sudo-lines\n"
    "        [ \"$line\" != \"$PASSWORD\" ] || break\n"
    "        sleep 0.2\n"
    "        [ $try -lt $TRIES ] || { echo \"sudo: $try incorrect password attempts\" >&2; exit 1; "
    "}\n"
    "        try=$((try + 1))\n"
    "        echo 'Sorry, try again.' >&2\n"
    "    done\n"
    "fi\n"
    "[ -n \"$ALLOWED\" ] || { echo 'user is not in the sudoers file.' >&2; exit 1; }\n"
    "unset PASSWORD\n"
    "BECAME=yes exec \"$@\"\n";

#define PASSWORD "pa'ss \"w\\o$rd #`id`"

static void set_policy(const char *password, int tries, const char *allowed)
{
    struct str text;

    str_init(&text, MEGABYTE);
    str_puts(&text, "PASSWORD=");
    str_put_shell(&text, password);
    str_printf(&text, "\nTRIES=%d ALLOWED=%s\n", tries, allowed);
    write_file("policy", text.buf, 0600);
    write_file("sudo", fake_sudo, 0755);
    write_file("sudo-lines", "", 0600);
    write_file("sudo-arguments", "", 0600);
    str_release(&text);
}

static void check_file(const char *name, const char *text)
{
    struct str got;

    read_text(name, &got);
    assert_string_equal(got.buf, text);
    str_release(&got);
}

static struct ssh *open_become(const char *password)
{
    struct ssh_target to = target();

    to.become = true;
    to.become_password = password;
    return must_open(&to);
}

static void become_goes_through_sudo(void **state)
{
    struct ssh *s = open_become(NULL);
    struct outcome o;

    UNUSED(state);
    set_policy("", 3, "yes");
    expect(s, "echo $BECAME; exit 2", 2, "yes\n", "");
    set_policy("secret", 3, "yes");
    o = run_with(s, "echo never", 1000, 10000);
    assert_int_equal(o.rc, -1);
    assert_int_equal(o.err.code, ERR_DENIED);
    assert_non_null(strstr(o.err.text, "a password is required"));
    assert_non_null(strstr(o.err.hint, "ansible_become_password"));
    outcome_release(&o);
    ssh_close(s);
}

static void sudo_gets_its_password(void **state)
{
    struct ssh *s = open_become(PASSWORD);
    char *script = big_script(3 * MEGABYTE, "exit 9");
    struct str text;
    struct outcome o;

    UNUSED(state);
    set_policy(PASSWORD, 3, "yes");
    expect(s, "echo $BECAME; exit 2", 2, "yes\n", "");
    check_file("sudo-lines", PASSWORD);
    expect(s, "read line || echo empty; cat; echo err >&2", 0, "empty\n", "err\n");
    expect(s, "", 0, "", "");
    expect(s, "printf pgha-deploy.sudo.ready", 0, "pgha-deploy.sudo.ready", "");
    o = run_with(s, script, 1000, 60000);
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.status, 9);
    outcome_release(&o);
    read_text("sudo-arguments", &text);
    assert_null(strstr(text.buf, "w\\o$rd"));
    str_release(&text);
    free(script);
    ssh_close(s);
}

/* It must not become part of the script, or of what the script reads. */
static void a_password_that_is_not_wanted_stays_here(void **state)
{
    struct ssh *s = open_become("touch escaped; echo escaped");

    UNUSED(state);
    set_policy("", 3, "yes");
    expect(s, "cat; echo $BECAME", 0, "yes\n", "");
    check_file("sudo-lines", "");
    assert_false(file_exists(in_dir("escaped")));
    ssh_close(s);
}

static void sudo_refuses(const char *password, const char *text)
{
    struct ssh *s = open_become(password);
    int64_t began = clock_mono_ms();
    struct outcome o = run_with(s, "echo never", 1000, 20000);

    assert_int_equal(o.rc, -1);
    assert_int_equal(o.err.code, ERR_DENIED);
    if (!strstr(o.err.text, text))
        fail_msg("'%s' is not in '%s'", text, o.err.text);
    assert_null(strstr(o.err.text, password));
    assert_non_null(o.err.hint);
    assert_true(clock_mono_ms() - began < 2000);
    assert_null(strstr(o.out.buf, "never"));
    outcome_release(&o);
    set_policy(password, 3, "yes");
    expect(s, "echo usable", 0, "usable\n", "");
    ssh_close(s);
}

static void a_wrong_password_is_refused(void **state)
{
    UNUSED(state);
    set_policy("right", 3, "yes");
    sudo_refuses("wrong", "sudo refused the password");
    set_policy("right", 1, "yes");
    sudo_refuses("wrong", "sudo: 1 incorrect password attempts");
    set_policy("right", 3, "");
    sudo_refuses("right", "user is not in the sudoers file.");
    set_policy("", 3, "");
    sudo_refuses("right", "user is not in the sudoers file.");
    write_file("sudo", "#!/bin/sh\nexit 3\n", 0755);
    sudo_refuses("right", "sudo did not run the script: it says nothing");
}

static void the_password_is_tried_once(void **state)
{
    struct ssh *s = open_become("wrong");
    struct outcome o;

    UNUSED(state);
    set_policy("right", 3, "yes");
    o = run_with(s, "right\necho never", 1000, 20000);
    assert_int_equal(o.err.code, ERR_DENIED);
    outcome_release(&o);
    check_file("sudo-lines", "wrong");
    ssh_close(s);
}

static void sudo_that_says_nothing_times_out(void **state)
{
    struct ssh *s = open_become("right");
    struct outcome o;

    UNUSED(state);
    write_file("sudo", "#!/bin/sh\nexec sleep 3\n", 0755);
    o = run_with(s, "echo never", 1000, 400);
    assert_int_equal(o.err.code, ERR_TIMEOUT);
    assert_non_null(strstr(o.err.text, "sudo neither ran the script nor took the password"));
    outcome_release(&o);
    ssh_close(s);
}

static void lines_follow_the_password(void **state)
{
    struct ssh *s = open_become(PASSWORD);
    struct lines lines = {0};
    struct str out, errout;
    struct err err = ERR_INIT;
    struct ssh_run run = {.script = "echo one; echo two",
                          .script_len = strlen("echo one; echo two"),
                          .out = &out,
                          .errout = &errout,
                          .line = on_line,
                          .ctx = &lines};

    UNUSED(state);
    set_policy(PASSWORD, 3, "yes");
    str_init(&out, MEGABYTE);
    str_init(&errout, MEGABYTE);
    str_puts(&out, "before\n");
    str_puts(&errout, "earlier\n");
    assert_int_equal(ssh_script(s, &run, &err), 0);
    assert_string_equal(out.buf, "before\none\ntwo\n");
    assert_string_equal(errout.buf, "earlier\n");
    assert_int_equal(lines.n, 2);
    assert_int_equal(lines.bytes, 6);
    str_release(&out);
    str_release(&errout);
    ssh_close(s);
}

static void a_password_is_one_line(void **state)
{
    struct ssh_target to = target();

    UNUSED(state);
    to.become = true;
    to.become_password = "two\nlines";
    must_fail(&to, ERR_INPUT, false, "the sudo password holds a line break");
}

/* ---- threads */

struct parallel {
    struct ssh_target to;
    int status[5];
    struct err err[5];
};

static void one_of_five(void *ctx, size_t job)
{
    struct parallel *p = ctx;
    struct ssh *s = ssh_open(&p->to, &p->err[job]);
    char script[64];

    p->status[job] = -1;
    if (!s)
        return;
    for (int i = 0; i < 5; i++) {
        struct outcome o;

        snprintf(script, sizeof(script), "echo %zu; exit %zu", job, job + 10);
        o = run_with(s, script, 1000, 20000);
        p->status[job] = o.rc == 0 && (size_t)atoi(o.out.buf) == job ? o.status : -1;
        outcome_release(&o);
    }
    ssh_close(s);
}

static void five_sessions_in_threads(void **state)
{
    struct parallel p = {.to = target()};

    UNUSED(state);
    p.to.known_hosts = in_dir("known-five");
    p.to.accept_new = true;
    pool_run(0, 5, one_of_five, &p, NULL);
    for (int i = 0; i < 5; i++) {
        if (p.err[i].text)
            fail_msg("%s", p.err[i].text);
        assert_int_equal(p.status[i], 10 + i);
    }
}

/* ---- many logins to one server */

#define MANY 40

struct crowd {
    struct ssh_target to;
    struct ssh *sessions[MANY];
    struct err err[MANY];
};

static void one_of_many(void *ctx, size_t job)
{
    struct crowd *crowd = ctx;

    crowd->sessions[job] = ssh_open(&crowd->to, &crowd->err[job]);
}

/* sshd's default in small: with more than 10 logins under way it drops every connection. */
static void many_logins_take_turns(void **state)
{
    struct crowd crowd = {.to = target()};
    struct err err = ERR_INIT;
    struct ssh *first;
    pid_t pid;

    UNUSED(state);
    crowd.to.port = free_port();
    write_config_with("config-ten", crowd.to.port, "host", "MaxStartups 10:100:10");
    trust("known-ten", "host.pub", crowd.to.port);
    crowd.to.known_hosts = in_dir("known-ten");
    pid = start("config-ten", "0");
    first = ssh_open_wait(&crowd.to, clock_mono_ms() + 10000, &err);
    assert_non_null(first);
    ssh_close(first);
    err_release(&err);
    pool_run(0, MANY, one_of_many, &crowd, NULL);
    for (size_t i = 0; i < MANY; i++) {
        if (!crowd.sessions[i])
            fail_msg("%s", crowd.err[i].text);
        ssh_close(crowd.sessions[i]);
    }
    stop(pid);
}

/* Nobody gets through: all give up when the first ones do, not one after the other. */
static void a_silent_server_holds_nobody_in_turn(void **state)
{
    struct crowd crowd = {.to = target()};
    int fd = listen_on(0, &crowd.to.port);
    int64_t began = clock_mono_ms();

    UNUSED(state);
    crowd.to.connect_timeout_ms = 500;
    pool_run(0, MANY, one_of_many, &crowd, NULL);
    assert_in_range(clock_mono_ms() - began, 490, 2000);
    for (size_t i = 0; i < MANY; i++) {
        assert_null(crowd.sessions[i]);
        assert_int_equal(crowd.err[i].code, ERR_NET);
        assert_true(crowd.err[i].retryable);
        err_release(&crowd.err[i]);
    }
    close(fd);
}

/* ---- bastions */

static struct {
    int port;
    pid_t pid;
    char name[16];
} bastions[2];

/* A server each, with a key of its own; "known-all" knows them and the host. */
static int start_bastions(void **state)
{
    struct str key, all;

    UNUSED(state);
    str_init(&all, MEGABYTE);
    read_text("host.pub", &key);
    str_printf(&all, "[127.0.0.1]:%d %s\n", server.port, key.buf);
    str_release(&key);
    for (size_t i = 0; i < ARRAY_LEN(bastions); i++) {
        char *host_key = xasprintf("host-bastion%zu", i + 1),
             *public = xasprintf("%s.pub", host_key);
        char *config = xasprintf("config-bastion%zu", i + 1);

        snprintf(bastions[i].name, sizeof(bastions[i].name), "bastion%zu", i + 1);
        bastions[i].port = free_port();
        make_key(host_key, "ed25519");
        write_config_with(config, bastions[i].port, host_key, "");
        bastions[i].pid = start(config, "0");
        read_text(public, &key);
        str_printf(&all, "[127.0.0.1]:%d %s\n", bastions[i].port, key.buf);
        str_release(&key);
        free(host_key);
        free(public);
        free(config);
    }
    write_file("known-all", all.buf, 0600);
    str_release(&all);
    return 0;
}

static int stop_bastions(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bastions); i++)
        stop(bastions[i].pid);
    return 0;
}

static int start_all(void **state)
{
    return start_server(state) || start_bastions(state);
}

static int stop_all(void **state)
{
    return stop_bastions(state) || stop_server(state);
}

static struct ssh_target bastion(size_t i)
{
    struct ssh_target to = target();

    to.name = bastions[i].name;
    to.port = bastions[i].port;
    to.known_hosts = in_dir("known-all");
    return to;
}

static struct ssh_target through(const struct ssh_target *jump)
{
    struct ssh_target to = target();

    to.known_hosts = in_dir("known-all");
    to.jump = jump;
    return to;
}

static struct ssh *must_open_soon(const struct ssh_target *to)
{
    struct err err = ERR_INIT;
    struct ssh *s = ssh_open_wait(to, clock_mono_ms() + 10000, &err);

    if (!s)
        fail_msg("%s", err.text);
    err_release(&err);
    return s;
}

/* Much both ways at once, each byte in its place. */
static void carry_much(struct ssh *s)
{
    static const char script[] = "seq 1000000 1999999; cat <<'END' | cksum >&2\n";
    struct str text, expected;
    struct outcome o;

    str_init(&text, 8 * MEGABYTE);
    str_init(&expected, 10 * MEGABYTE);
    str_puts(&text, script);
    for (int i = 0; text.len < 5 * MEGABYTE; i++)
        str_printf(&text, "%d %x\n", i, (unsigned)i * 2654435761U);
    write_file("carried", text.buf + strlen(script), 0600);
    str_puts(&text, "END\nexit 3\n");
    for (int i = 1000000; i < 2000000; i++)
        str_printf(&expected, "%d\n", i);
    o = run_with(s, text.buf, 9 * MEGABYTE, 60000);
    if (o.rc < 0)
        fail_msg("%s", o.err.text);
    assert_int_equal(o.status, 3);
    assert_int_equal(o.out.len, expected.len);
    assert_true(strcmp(o.out.buf, expected.buf) == 0);
    str_clear(&text);
    str_printf(&text, "[ \"$(cksum <%s)\" = '%.*s' ]", in_dir("carried"),
               (int)strcspn(o.errout.buf, "\n"), o.errout.buf);
    expect(s, text.buf, 0, "", "");
    outcome_release(&o);
    str_release(&text);
    str_release(&expected);
}

static void through_one_bastion(void **state)
{
    struct ssh_target one = bastion(0), to = through(&one);
    size_t files, threads;
    struct ssh *s;

    UNUSED(state);
    ssh_close(must_open_soon(&one));
    files = open_files();
    threads = entries_of("/proc/self/task");
    for (int i = 0; i < 3; i++) {
        s = must_open(&to);
        expect(s, "echo out; echo err >&2; exit 4", 4, "out\n", "err\n");
        ssh_close(s);
    }
    s = must_open(&to);
    carry_much(s);
    many_on(s);
    ssh_close(s);
    assert_int_equal(open_files(), files);
    assert_int_equal(entries_of("/proc/self/task"), threads);
}

static void through_two_bastions(void **state)
{
    struct ssh_target one = bastion(0), two = bastion(1), to = through(&two);
    size_t files, threads;
    struct ssh *s;

    UNUSED(state);
    two.jump = &one;
    ssh_close(must_open_soon(&two));
    files = open_files();
    threads = entries_of("/proc/self/task");
    s = must_open(&to);
    expect(s, "echo here", 0, "here\n", "");
    carry_much(s);
    ssh_close(s);
    assert_int_equal(open_files(), files);
    assert_int_equal(entries_of("/proc/self/task"), threads);
}

static void four_bastions_are_the_most(void **state)
{
    struct ssh_target hops[5], to;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(hops); i++) {
        hops[i] = bastion(i % 2);
        hops[i].jump = i ? &hops[i - 1] : NULL;
    }
    to = through(&hops[3]);
    ssh_close(must_open(&to));
    to = through(&hops[4]);
    must_fail(&to, ERR_INPUT, false, "more than 4 bastions");
    hops[0].jump = &hops[0];
    must_fail(&to, ERR_INPUT, false, "more than 4 bastions");
}

static void a_bastions_key_is_verified(void **state)
{
    struct ssh_target one = bastion(0), to = through(&one);
    struct str text;

    UNUSED(state);
    one.known_hosts = in_dir("absent");
    must_fail(&to, ERR_DENIED, false, "through bastion1: ssh to bastion1 (");
    must_fail(&to, ERR_DENIED, false, "is not in ");
    trust("known-wrong-bastion", "other.pub", one.port);
    one.known_hosts = in_dir("known-wrong-bastion");
    must_fail(&to, ERR_DENIED, false, "ssh to bastion1 (");
    must_fail(&to, ERR_DENIED, false, "the host key has changed: expected");
    one.known_hosts = to.known_hosts = in_dir("known-both");
    to.accept_new = true;
    ssh_close(must_open(&to));
    read_text("known-both", &text);
    assert_non_null(strchr(text.buf, '\n')); /* two lines */
    str_release(&text);
    to.accept_new = false;
    ssh_close(must_open(&to));
    to.known_hosts = in_dir("absent");
    must_fail(&to, ERR_DENIED, false, "through bastion1: the host key ssh-ed25519 SHA256:");
}

static void what_fails_at_the_bastion_names_it(void **state)
{
    struct ssh_target one = bastion(0), to = through(&one);
    struct err err = ERR_INIT;
    pid_t pid;

    UNUSED(state);
    one.identity = in_dir("stranger");
    must_fail(&to, ERR_DENIED, false, "ssh to bastion1 (");
    one = bastion(0);
    to.identity = in_dir("stranger");
    must_fail(&to, ERR_DENIED, false, "through bastion1: login as ");
    to = through(&one);
    to.port = free_port();
    must_fail(&to, ERR_NET, true, "the bastion cannot connect to 127.0.0.1: Connection refused");
    to.port = server.port;
    one.port = free_port();
    must_fail(&to, ERR_NET, true, "Connection refused");
    write_config_with("config-closed", one.port, "host", "AllowTcpForwarding no");
    trust("known-closed", "host.pub", one.port);
    one.known_hosts = in_dir("known-closed");
    pid = start("config-closed", "0");
    assert_null(ssh_open_wait(&to, clock_mono_ms() + 10000, &err));
    assert_int_equal(err.code, ERR_DENIED);
    assert_non_null(strstr(err.text, "the bastion refuses to forward to 127.0.0.1: "));
    assert_non_null(strstr(err.hint, "AllowTcpForwarding"));
    err_release(&err);
    stop(pid);
}

static void a_silent_host_behind_a_bastion_times_out(void **state)
{
    struct ssh_target one = bastion(0), to = through(&one);
    int fd = listen_on(0, &to.port);
    int64_t began = clock_mono_ms();

    UNUSED(state);
    to.connect_timeout_ms = 700;
    must_fail(&to, ERR_NET, true, "timed out");
    assert_in_range(clock_mono_ms() - began, 690, 2500);
    close(fd);
}

static void a_lost_host_behind_a_bastion_is_said(void **state)
{
    struct ssh_target one = bastion(0), to = through(&one);
    struct ssh *s = must_open(&to);
    struct outcome o = run_with(s, lose_connection, 1000, 10000);

    UNUSED(state);
    assert_int_equal(o.rc, -1);
    assert_int_equal(o.err.code, ERR_NET);
    assert_non_null(strstr(o.err.text, "through bastion1: the connection was lost"));
    outcome_release(&o);
    ssh_close(s);
}

/* What the process at `parent` has started, and what that has. */
static void signal_below(pid_t parent, int sig)
{
    char path[64], *at;
    struct str text;
    struct err err = ERR_INIT;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
    str_init(&text, MEGABYTE);
    if (file_read(path, &text, &err) < 0)
        err_release(&err);
    at = text.buf;
    for (long pid; (pid = strtol(at, &at, 10)) > 0;) {
        signal_below((pid_t)pid, sig);
        kill((pid_t)pid, sig);
    }
    str_release(&text);
}

struct blow {
    pid_t below;
    int sig;
};

static void strike(void *ctx, const char *line, size_t len)
{
    const struct blow *blow = ctx;

    UNUSED(line);
    UNUSED(len);
    signal_below(blow->below, blow->sig);
}

static struct outcome run_and_strike(struct ssh *s, const char *script, struct blow *blow,
                                     int timeout_ms)
{
    struct outcome o = {.err = ERR_INIT};
    struct ssh_run run = {.script = script,
                          .script_len = strlen(script),
                          .timeout_ms = timeout_ms,
                          .out = &o.out,
                          .errout = &o.errout,
                          .line = strike,
                          .ctx = blow};

    str_init(&o.out, 20 * MEGABYTE);
    str_init(&o.errout, MEGABYTE);
    o.rc = ssh_script(s, &run, &o.err);
    return o;
}

static void expect_lost(struct outcome *o, size_t bastion_number)
{
    char *name = xasprintf(": bastion%zu (", bastion_number);

    assert_int_equal(o->rc, -1);
    assert_int_equal(o->err.code, ERR_NET);
    if (!strstr(o->err.text, name))
        fail_msg("'%s' is not in '%s'", name, o->err.text);
    free(name);
    outcome_release(o);
}

/* The first or the second bastion, in the middle of nothing or of much output. */
static void a_bastion_dies(void **state)
{
    static const char *const scripts[] = {"echo now; sleep 20", "echo now; yes"};

    UNUSED(state);
    for (size_t i = 0; i < 2 * ARRAY_LEN(scripts); i++) {
        struct ssh_target one = bastion(0), two = bastion(1), to = through(&two);
        struct blow blow = {.below = bastions[i % 2].pid, .sig = SIGKILL};
        int64_t began = clock_mono_ms();
        struct outcome o;
        struct ssh *s;

        two.jump = &one;
        s = must_open(&to);
        o = run_and_strike(s, scripts[i / 2], &blow, 10000);
        expect_lost(&o, i % 2 + 1);
        o = run_with(s, "true", 1000, 10000);
        assert_int_equal(o.err.code, ERR_NET);
        outcome_release(&o);
        ssh_close(s);
        assert_true(clock_mono_ms() - began < 5000);
    }
}

struct late_blow {
    struct blow blow;
    useconds_t after_us;
};

static void *strike_late(void *arg)
{
    struct late_blow *late = arg;

    usleep(late->after_us);
    signal_below(late->blow.below, late->blow.sig);
    return NULL;
}

/* While a script of 8 MiB is on its way, or soon after. */
static void a_bastion_dies_while_the_script_is_sent(void **state)
{
    static const useconds_t delays[] = {1000, 10000, 40000, 400000};
    char *script = big_script(8 * MEGABYTE, "sleep 20");

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(delays); i++) {
        struct late_blow late = {{bastions[0].pid, SIGKILL}, delays[i]};
        struct ssh_target one = bastion(0), to = through(&one);
        struct ssh *s = must_open(&to);
        struct outcome o;
        pthread_t thread;

        pthread_create(&thread, NULL, strike_late, &late);
        o = run_with(s, script, 1000, 15000);
        pthread_join(thread, NULL);
        expect_lost(&o, 1);
        ssh_close(s);
    }
    free(script);
}

static void a_bastion_that_is_stuck_holds_nobody(void **state)
{
    struct ssh_target one = bastion(0), to = through(&one);
    struct blow blow = {.below = bastions[0].pid, .sig = SIGSTOP};
    struct ssh *s = must_open(&to);
    struct outcome o = run_and_strike(s, "echo now; yes", &blow, 500);
    int64_t began = clock_mono_ms();

    UNUSED(state);
    assert_int_equal(o.rc, -1);
    assert_int_equal(o.err.code, ERR_TIMEOUT);
    outcome_release(&o);
    ssh_close(s);
    assert_true(clock_mono_ms() - began < 3000);
    signal_below(bastions[0].pid, SIGKILL);
}

/* Its kernel goes on acknowledging what the host behind it is asked. */
static void a_bastion_that_hangs_is_said(void **state)
{
    struct ssh_target one = bastion(0), to = through(&one);
    struct ssh *s;

    UNUSED(state);
    to.alive_interval_ms = 150;
    s = must_open(&to);
    signal_below(bastions[0].pid, SIGSTOP);
    expect_hang(s, "true", INT64_C(4) * 150);
    signal_below(bastions[0].pid, SIGKILL);
}

static void closing_delivers_what_was_said(void **state)
{
    struct ssh_target one = bastion(0), to = through(&one);
    struct ssh *s = must_open(&to);
    struct outcome o = run_with(s, "echo begun; sleep 1; echo over >&2", 1000, 300);

    UNUSED(state);
    assert_int_equal(o.err.code, ERR_TIMEOUT);
    outcome_release(&o);
    expect(s, "echo next", 0, "next\n", "");
    ssh_close(s);
    ssh_close(must_open(&to));
}

static void five_sessions_through_a_bastion(void **state)
{
    struct ssh_target one = bastion(0), two = bastion(1);
    struct parallel p = {.to = through(&two)};

    UNUSED(state);
    two.jump = &one;
    pool_run(0, 5, one_of_five, &p, NULL);
    for (int i = 0; i < 5; i++) {
        if (p.err[i].text)
            fail_msg("%s", p.err[i].text);
        assert_int_equal(p.status[i], 10 + i);
    }
}

/* ---- stopping */

static void on_alarm(int sig)
{
    UNUSED(sig);
    clock_request_stop();
}

/* In a child: a requested stop cannot be taken back. */
static void a_stop_ends_the_wait(void **state)
{
    int status = 0;
    pid_t pid = fork();

    UNUSED(state);
    if (pid == 0) {
        struct ssh_target to = target();
        struct err err = ERR_INIT;
        struct ssh *s = ssh_open(&to, &err);
        struct outcome o;

        sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
        alarm(1);
        o = run_with(s, "sleep 20", 1000, 0);
        if (o.rc == 0 || o.err.code != ERR_INTERRUPTED)
            _exit(1);
        _exit(ssh_open_wait(&to, INT64_MAX, &err) == NULL && err.code == ERR_INTERRUPTED ? 0 : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* ---- tunnels */

/* The server through a port of this machine: its key is known under that port, too. */
static struct ssh_target by_tunnel(struct tunnel *t, const char *known)
{
    struct ssh_target to = target();
    struct err err = ERR_INIT;
    struct str key, line;

    to.port = tunnel_port(t, "127.0.0.1", server.port, &err);
    if (to.port < 0)
        fail_msg("%s", err.text);
    assert_int_not_equal(to.port, server.port);
    read_text("host.pub", &key);
    str_init(&line, MEGABYTE);
    str_printf(&line, "[127.0.0.1]:%d %s\n", to.port, key.buf);
    write_file(known, line.buf, 0600);
    str_release(&line);
    str_release(&key);
    to.known_hosts = in_dir(known);
    return to;
}

static struct tunnel *must_open_tunnel(void)
{
    struct ssh_target via = bastion(0);
    struct err err = ERR_INIT;
    struct tunnel *t = tunnel_open(&via, &err);

    if (!t)
        fail_msg("%s", err.text);
    return t;
}

static void a_tunnel_carries_much(void **state)
{
    struct tunnel *t = must_open_tunnel();
    struct ssh_target to = by_tunnel(t, "known-tunnel");
    struct ssh *s = must_open(&to);

    UNUSED(state);
    carry_much(s);
    ssh_close(s);
    assert_false(tunnel_is_lost(t));
    tunnel_close(t);
}

struct visitor {
    struct ssh_target to;
    bool well;
};

static void visit(void *ctx, size_t job)
{
    struct visitor *v = (struct visitor *)ctx + job;
    struct err err = ERR_INIT;
    struct ssh *s = ssh_open(&v->to, &err);
    struct outcome o = {.status = -1};

    if (s) {
        o = run_with(s, "seq 1 20000 | cksum\n", MEGABYTE, 10000);
        v->well = o.status == 0 && o.out.len > 0;
        outcome_release(&o);
    }
    ssh_close(s);
    err_release(&err);
}

static void a_tunnel_carries_many_at_once(void **state)
{
    struct tunnel *t = must_open_tunnel();
    struct ssh_target to = by_tunnel(t, "known-tunnel");
    struct visitor visitors[8];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(visitors); i++)
        visitors[i] = (struct visitor){.to = to};
    pool_run(0, ARRAY_LEN(visitors), visit, visitors, NULL);
    for (size_t i = 0; i < ARRAY_LEN(visitors); i++)
        assert_true(visitors[i].well);
    tunnel_close(t);
}

/* Nobody at the other end: the connection is closed, and the tunnel stays. */
static void a_tunnel_to_nobody_is_closed(void **state)
{
    struct tunnel *t = must_open_tunnel();
    struct ssh_target to = target(), well = by_tunnel(t, "known-tunnel");
    struct err err = ERR_INIT;
    struct ssh *s;

    UNUSED(state);
    to.port = tunnel_port(t, "127.0.0.1", free_port(), &err);
    assert_true(to.port > 0);
    must_fail_anyhow(&to, ERR_NET);
    s = must_open(&well);
    ssh_close(s);
    tunnel_close(t);
}

static void a_lost_tunnel_says_so(void **state)
{
    struct tunnel *t = must_open_tunnel();
    struct ssh_target to = by_tunnel(t, "known-tunnel");
    int64_t deadline = clock_mono_ms() + 10000;
    struct err err = ERR_INIT;

    UNUSED(state);
    signal_below(bastions[0].pid, SIGKILL);
    while (!tunnel_is_lost(t) && clock_mono_ms() < deadline)
        clock_sleep_ms(10);
    assert_true(tunnel_is_lost(t));
    assert_int_equal(tunnel_port(t, "127.0.0.1", server.port, &err), -1);
    assert_int_equal(err.code, ERR_NET);
    assert_true(err.retryable);
    err_release(&err);
    must_fail_anyhow(&to, ERR_NET);
    tunnel_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_a_wrong_host_key),
        cmocka_unit_test(refuses_an_unknown_host_key),
        cmocka_unit_test(refuses_another_type_of_key),
        cmocka_unit_test(refuses_a_revoked_key),
        cmocka_unit_test(accept_new_records_the_key_once),
        cmocka_unit_test(bad_known_hosts_lines_are_passed_over),
        cmocka_unit_test(refuses_a_wrong_login),
        cmocka_unit_test(a_certificate_logs_in),
        cmocka_unit_test(the_plain_key_follows_the_certificate),
        cmocka_unit_test(a_locked_key_asks_nobody),
        cmocka_unit_test(the_agent_logs_in),
        cmocka_unit_test(the_agent_offers_the_named_key_only),
        cmocka_unit_test(the_agent_opens_a_locked_key),
        cmocka_unit_test(the_agent_holds_certificates),
        cmocka_unit_test(an_agent_that_refuses_is_said),
        cmocka_unit_test(a_bad_agent_does_no_harm),
        cmocka_unit_test(default_keys_are_tried_without_an_identity),
        cmocka_unit_test(more_than_a_key_is_said),
        cmocka_unit_test(markers_count_however_they_are_written),
        cmocka_unit_test(host_certificates_are_not_supported),
        cmocka_unit_test(unreachable_is_retryable),
        cmocka_unit_test(closed_before_the_greeting_is_retryable),
        cmocka_unit_test(a_silent_server_times_out),
        cmocka_unit_test(open_wait_waits_for_sshd),
        cmocka_unit_test(leaves_no_descriptor_open),
        cmocka_unit_test(scripts_end_with_their_status),
        cmocka_unit_test(scripts_have_no_stdin),
        cmocka_unit_test(a_syntax_error_is_a_status),
        cmocka_unit_test(lines_come_as_they_are_printed),
        cmocka_unit_test(big_output_arrives_whole),
        cmocka_unit_test(too_much_output_is_an_error),
        cmocka_unit_test(big_script_runs),
        cmocka_unit_test(scripts_of_every_size_around_a_packet),
        cmocka_unit_test(a_slow_script_times_out),
        cmocka_unit_test(many_scripts_on_a_session),
        cmocka_unit_test(a_lost_connection_is_said),
        cmocka_unit_test(a_host_that_hangs_is_said),
        cmocka_unit_test(a_host_that_works_in_silence_is_waited_for),
        cmocka_unit_test(become_goes_through_sudo),
        cmocka_unit_test(sudo_gets_its_password),
        cmocka_unit_test(a_password_that_is_not_wanted_stays_here),
        cmocka_unit_test(a_wrong_password_is_refused),
        cmocka_unit_test(the_password_is_tried_once),
        cmocka_unit_test(sudo_that_says_nothing_times_out),
        cmocka_unit_test(lines_follow_the_password),
        cmocka_unit_test(a_password_is_one_line),
        cmocka_unit_test(five_sessions_in_threads),
        cmocka_unit_test(many_logins_take_turns),
        cmocka_unit_test(a_silent_server_holds_nobody_in_turn),
        cmocka_unit_test(a_stop_ends_the_wait),
    };

    const struct CMUnitTest jump_tests[] = {
        cmocka_unit_test(through_one_bastion),
        cmocka_unit_test(through_two_bastions),
        cmocka_unit_test(four_bastions_are_the_most),
        cmocka_unit_test(a_bastions_key_is_verified),
        cmocka_unit_test(what_fails_at_the_bastion_names_it),
        cmocka_unit_test(a_silent_host_behind_a_bastion_times_out),
        cmocka_unit_test(a_lost_host_behind_a_bastion_is_said),
        cmocka_unit_test(a_bastion_dies),
        cmocka_unit_test(a_bastion_dies_while_the_script_is_sent),
        cmocka_unit_test(a_bastion_that_is_stuck_holds_nobody),
        cmocka_unit_test(a_bastion_that_hangs_is_said),
        cmocka_unit_test(closing_delivers_what_was_said),
        cmocka_unit_test(five_sessions_through_a_bastion),
        cmocka_unit_test(a_tunnel_carries_much),
        cmocka_unit_test(a_tunnel_carries_many_at_once),
        cmocka_unit_test(a_tunnel_to_nobody_is_closed),
        cmocka_unit_test(a_lost_tunnel_says_so),
    };
    int failed;

    if (access(SSHD, X_OK) != 0) {
        fprintf(stderr, "skipped: no %s (package openssh-server)\n", SSHD);
        return 0;
    }
    failed = cmocka_run_group_tests_name("ssh", tests, start_server, stop_server);
    return failed + cmocka_run_group_tests_name("jump", jump_tests, start_all, stop_all);
}
