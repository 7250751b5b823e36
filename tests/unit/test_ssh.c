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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/proc.h"
#include "lib/net/pool.h"
#include "lib/net/ssh.h"

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

static void make_key(const char *name, const char *type)
{
    const char *argv[] = {"ssh-keygen", "-q",   "-t", type,         "-N", "",
                          "-C",         "test", "-f", in_dir(name), NULL};
    struct proc proc = {.argv = argv};
    struct err err = ERR_INIT;

    if (proc_run(&proc, &err) < 0)
        fail_msg("%s", err.text);
}

static void write_config(const char *name, int port)
{
    char *text = xasprintf("ListenAddress 127.0.0.1\nPort %d\nHostKey %s\nAuthorizedKeysFile %s\n"
                           "StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\n"
                           "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
                           "MaxStartups 200\nMaxSessions 10\nLogLevel ERROR\n"
                           "SetEnv PATH=%s:/usr/bin:/bin HOME=%s\n",
                           port, in_dir("host"), in_dir("login.pub"), server.dir, server.dir);

    write_file(name, text, 0600);
    free(text);
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

static size_t open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
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

static void default_keys_are_tried_without_an_identity(void **state)
{
    struct ssh_target to = target();

    UNUSED(state);
    unsetenv("SSH_AUTH_SOCK");
    setenv("HOME", server.dir, 1); /* libssh looks into the passwd file's home: no key there fits */
    to.identity = NULL;
    must_fail(&to, ERR_DENIED, false, "default keys");
}

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

static void *close_at_once(void *arg)
{
    int fd = accept(*(int *)arg, NULL, NULL);

    close(fd);
    return NULL;
}

static void closed_before_the_greeting_is_retryable(void **state)
{
    struct ssh_target to = target();
    pthread_t thread;
    int fd = listen_on(0, &to.port);

    UNUSED(state);
    pthread_create(&thread, NULL, close_at_once, &fd);
    must_fail(&to, ERR_NET, true, "before the server's greeting");
    pthread_join(thread, NULL);
    close(fd);
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

static void many_scripts_on_a_session(void **state)
{
    struct ssh_target to = target();
    struct ssh *s = must_open(&to);

    UNUSED(state);
    for (int i = 0; i < 60; i++) {
        char *script = xasprintf("echo %d; exit %d", i, i);
        char *out = xasprintf("%d\n", i);

        expect(s, script, i, out, "");
        free(script);
        free(out);
    }
    ssh_close(s);
}

static const char lose_connection[] =
    "p=$PPID; until grep -q '^sshd' /proc/$p/comm; do p=$(cut -d' ' -f4 /proc/$p/stat); done; "
    "echo going; kill -9 $p; sleep 5";

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

static void become_goes_through_sudo(void **state)
{
    struct ssh_target to = target();
    struct ssh *s;
    struct outcome o;

    UNUSED(state);
    to.become = true;
    write_file("sudo",
               "#!/bin/sh\n[ \"$1 $2\" = '-n --' ] || exit 99\nshift 2\nBECAME=yes exec \"$@\"\n",
               0755);
    s = must_open(&to);
    expect(s, "echo $BECAME; exit 2", 2, "yes\n", "");
    write_file("sudo", "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n", 0755);
    o = run_with(s, "echo never", 1000, 10000);
    assert_int_equal(o.rc, -1);
    assert_int_equal(o.err.code, ERR_DENIED);
    assert_non_null(o.err.hint);
    outcome_release(&o);
    ssh_close(s);
}

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
        cmocka_unit_test(default_keys_are_tried_without_an_identity),
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
        cmocka_unit_test(become_goes_through_sudo),
        cmocka_unit_test(five_sessions_in_threads),
        cmocka_unit_test(a_stop_ends_the_wait),
    };

    if (access(SSHD, X_OK) != 0) {
        fprintf(stderr, "skipped: no %s (package openssh-server)\n", SSHD);
        return 0;
    }
    return cmocka_run_group_tests_name("ssh", tests, start_server, stop_server);
}
