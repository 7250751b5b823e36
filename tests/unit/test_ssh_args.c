/*
 * test_ssh_args.c - ssh's arguments in an inventory, by tables of what people write.
 */
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/play/ssh_args.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    setenv("HOME", "/home/me", 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void put(struct str *text, const char *name, const char *value)
{
    if (value)
        str_printf(text, " %s=%s", name, value);
}

/* "db1 port=22; bastion1 user=me": the target, then its bastions from the last to the first. */
static const char *show(const struct ssh_target *target)
{
    const struct passwd *me = getpwuid(geteuid());
    struct str text;
    char *shown;

    str_init(&text, 65536);
    for (const struct ssh_target *at = target; at; at = at->jump) {
        str_printf(&text, "%s%s", at == target ? "" : "; ", at->address);
        if (at->port)
            str_printf(&text, ":%d", at->port);
        put(&text, "user", at->user && str_eq(at->user, me->pw_name) ? "(me)" : at->user);
        put(&text, "key", at->identity);
        put(&text, "known", at->known_hosts);
        str_puts(&text, at->accept_new ? " accept-new" : "");
    }
    shown = arena_strdup(&arena, text.buf);
    str_release(&text);
    return shown;
}

static void expect(const char *args, const char *shown)
{
    struct ssh_target target = {.name = "db1", .address = "db1"};
    struct err err = ERR_INIT;

    if (ssh_args_apply(&arena, args, &target, &err) < 0)
        fail_msg("%s: %s", args, err.text);
    assert_string_equal(show(&target), shown);
}

static void refuse(const char *args, const char *text)
{
    struct ssh_target target = {.name = "db1", .address = "db1"};
    struct err err = ERR_INIT;

    if (ssh_args_apply(&arena, args, &target, &err) == 0)
        fail_msg("%s is taken for %s", args, show(&target));
    assert_int_equal(err.code, ERR_INPUT);
    if (!strstr(err.text, text))
        fail_msg("'%s' is not in '%s'", text, err.text);
    err_release(&err);
}

static void options_are_read_as_ssh_reads_them(void **state)
{
    (void)state;
    expect("", "db1");
    expect(" \t ", "db1");
    expect("-o UserKnownHostsFile=/k/known_hosts -o IdentitiesOnly=yes",
           "db1 known=/k/known_hosts");
    expect("-oUserKnownHostsFile=/k", "db1 known=/k");
    expect("-o 'UserKnownHostsFile /k'", "db1 known=/k");
    expect("-o 'userknownhostsfile = /k'", "db1 known=/k");
    expect("-o UserKnownHostsFile=\"/a b/k\"", "db1 known=/a b/k");
    expect("-o 'UserKnownHostsFile=\"/a b/k\"'", "db1 known=/a b/k");
    expect("-o UserKnownHostsFile=~/k -i ~/.ssh/id", "db1 key=/home/me/.ssh/id known=/home/me/k");
    expect("-o UserKnownHostsFile=/1 -o UserKnownHostsFile=/2", "db1 known=/1");
    expect("-p 2222 -l ops -i key", "db1:2222 user=ops key=key");
    expect("-p2222 -lops -ikey", "db1:2222 user=ops key=key");
    expect("-qCp 2222 -4Aqtl ops", "db1:2222 user=ops");
    expect("-o Port=2222 -o User=ops -o IdentityFile=key", "db1:2222 user=ops key=key");
    expect("-o Unknown=x -o Unknown -L 1:a:2 -D 3 -F none -o ControlPersist=60s -vvv -p 5",
           "db1:5");
    expect("-L -p 22", "db1");
    expect("-", "db1");
    expect("stray words -p 22", "db1");
}

static void host_keys_are_verified_whatever_is_said(void **state)
{
    (void)state;
    expect("-o StrictHostKeyChecking=no", "db1");
    expect("-o StrictHostKeyChecking=yes", "db1");
    expect("-o StrictHostKeyChecking=accept-new", "db1 accept-new");
    expect("-o StrictHostKeyChecking=yes -o StrictHostKeyChecking=accept-new", "db1");
}

static void what_the_variables_say_is_stronger(void **state)
{
    struct ssh_target target = {.name = "db1",
                                .address = "10.0.0.1",
                                .port = 1,
                                .user = "u",
                                .identity = "k",
                                .known_hosts = "h"};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(ssh_args_apply(&arena,
                                    "-p 2 -l other -i other -o UserKnownHostsFile=other -J b",
                                    &target, &err),
                     0);
    assert_string_equal(show(&target),
                        "10.0.0.1:1 user=u key=k known=h; b user=(me) key=k known=h");
}

static void bastions_come_by_jump(void **state)
{
    (void)state;
    expect("-J bastion", "db1; bastion user=(me)");
    expect("-Jops@bastion:2222", "db1; bastion:2222 user=ops");
    expect("-J ssh://ops@bastion:2222", "db1; bastion:2222 user=ops");
    expect("-J me@corp@bastion", "db1; bastion user=me@corp");
    expect("-J ops@[2001:db8::1]:2222", "db1; 2001:db8::1:2222 user=ops");
    expect("-J [::1]", "db1; ::1 user=(me)");
    expect("-J a,ops@b:1,c", "db1; c user=(me); b:1 user=ops; a user=(me)");
    expect("-o ProxyJump=ops@bastion", "db1; bastion user=ops");
    expect("-o 'ProxyJump ops@bastion'", "db1; bastion user=ops");
    expect("-J none", "db1");
    expect("-J none -J bastion", "db1");
    expect("-J one -J two", "db1; one user=(me)");
    expect("-J o@b -i key -o UserKnownHostsFile=/k",
           "db1 key=key known=/k; b user=o key=key known=/k");
}

static void bastions_come_by_proxy_command(void **state)
{
    (void)state;
    expect("-o ProxyCommand=\"ssh -W %h:%p ops@bastion\"", "db1; bastion user=ops");
    expect("-o ProxyCommand=\"ssh -W %h:%p -q ops@bastion\"", "db1; bastion user=ops");
    expect("-o ProxyCommand='ssh -q -W [%h]:%p -p 2222 -i ~/key -l ops bastion'",
           "db1; bastion:2222 user=ops key=/home/me/key");
    expect("-o 'ProxyCommand /usr/bin/ssh ops@bastion -o StrictHostKeyChecking=accept-new "
           "-o UserKnownHostsFile=/b -W %h:%p'",
           "db1; bastion user=ops known=/b accept-new");
    expect("-o ProxyCommand='ssh -W %h:%p -i \"a key\" ops@bastion' -i key",
           "db1 key=key; bastion user=ops key=a key");
    expect("-o ProxyCommand='ssh -W %h:%p -J first ops@bastion'",
           "db1; bastion user=ops; first user=(me)");
    expect("-o ProxyCommand='ssh -W%h:%p bastion' -J other", "db1; bastion user=(me)");
    expect("-J other -o ProxyCommand='nc %h %p'", "db1; other user=(me)");
    expect("-o ProxyCommand=none", "db1");
}

static void other_proxy_commands_are_refused(void **state)
{
    static const char *const commands[] = {
        "nc -X connect -x proxy:3128 %h %p",
        "sshpass -p secret ssh -W %h:%p bastion",
        "ssh bastion nc %h %p",
        "ssh -W %h:%p",
        "ssh -W %h:22 bastion",
        "ssh bastion",
        "ssh -W %h:%p bastion command",
        "cloudflared access ssh --hostname %h",
        "",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        char *args = arena_printf(&arena, "-o ProxyCommand='%s'", commands[i]);
        struct ssh_target target = {.address = "db1"};
        struct err err = ERR_INIT;

        assert_int_equal(ssh_args_apply(&arena, args, &target, &err), -1);
        assert_int_equal(err.code, ERR_INPUT);
        assert_non_null(strstr(err.text, "ProxyCommand"));
        assert_non_null(strstr(err.hint, "-J [USER@]HOST[:PORT]"));
        assert_null(strstr(err.text, "secret"));
        err_release(&err);
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    refuse("-o 'x", "a quote is not closed");
    refuse("-o \"ProxyCommand=ssh 'x\"", "a quote is not closed");
    refuse("-p", "-p has no value");
    refuse("-o", "-o has no value");
    refuse("-p 0", "'0' is no port");
    refuse("-p 65536", "is no port");
    refuse("-p 22x", "is no port");
    refuse("-J bastion:x", "is no port");
    refuse("-J bastion:", "is no port");
    refuse("-J ''", "-J has no value");
    refuse("-J a,,b", "is no address");
    refuse("-J a,", "is no address");
    refuse("-J @bastion", "has no user");
    refuse("-J ops@", "is no address");
    refuse("-J 2001:db8::1", "is no address");
    refuse("-J [::1", "is no address");
    refuse("-J [::1]x", "is no address");
    refuse("-J ssh://bastion/", "is no address");
    refuse("-J -oProxyCommand=x", "is no address");
    refuse("-J bastion-%h", "is no address");
    refuse("-J a,b,c,d,e", "more than 4 bastions");
    refuse("-o ProxyCommand='ssh -W %h:%p -p x bastion'", "ProxyCommand: 'x' is no port");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_read_as_ssh_reads_them),
        cmocka_unit_test(host_keys_are_verified_whatever_is_said),
        cmocka_unit_test(what_the_variables_say_is_stronger),
        cmocka_unit_test(bastions_come_by_jump),
        cmocka_unit_test(bastions_come_by_proxy_command),
        cmocka_unit_test(other_proxy_commands_are_refused),
        cmocka_unit_test(nonsense_is_refused),
    };

    return cmocka_run_group_tests_name("ssh_args", tests, set_up, tear_down);
}
