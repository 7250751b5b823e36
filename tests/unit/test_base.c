/*
 * test_base.c - lib/base: strings, arenas, maps, errors, redaction, files, locks, programs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/proc.h"
#include "lib/base/utf8.h"
#include "lib/base/vec.h"

static char folder[] = "/tmp/pgha-test-base-XXXXXX";

static char *in_folder(const char *name)
{
    return path_join(folder, name);
}

static int make_folder(void **state)
{
    UNUSED(state);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    struct err err = ERR_INIT;
    int rc = file_remove_tree(folder, &err);

    UNUSED(state);
    if (rc < 0)
        print_error("%s\n", err.text);
    err_release(&err);
    return rc;
}

/* Writes a file of the test folder. */
static void put_file(const char *name, const char *text, mode_t mode)
{
    char *path = in_folder(name);
    struct err err = ERR_INIT;

    assert_int_equal(file_write(path, text, strlen(text), mode, &err), 0);
    free(path);
}

static void assert_err(struct err *err, enum err_code code, const char *part)
{
    assert_int_equal(err->code, code);
    assert_non_null(err->text);
    if (!strstr(err->text, part))
        fail_msg("\"%s\" does not hold \"%s\"", err->text, part);
    err_release(err);
}

/* --- str --- */

static void test_str_grows_and_keeps_its_end(void **state)
{
    struct str s;

    UNUSED(state);
    str_init(&s, 1000);
    assert_string_equal(s.buf, "");
    str_add(&s, NULL, 0);
    for (int i = 0; i < 100; i++)
        str_printf(&s, "%d,", i % 10);
    assert_int_equal(s.len, 200);
    assert_int_equal(strlen(s.buf), 200);
    str_clear(&s);
    assert_string_equal(s.buf, "");
    str_puts(&s, "text \n\t ");
    str_trim_end(&s);
    assert_string_equal(s.buf, "text");
    str_release(&s);
    assert_string_equal(s.buf, "");
    str_puts(&s, "usable");
    assert_string_equal(s.buf, "usable");
    str_release(&s);
}

static void test_str_maximum_is_exact_and_all_or_nothing(void **state)
{
    struct str s;

    UNUSED(state);
    str_init(&s, 8);
    str_puts(&s, "12345678");
    assert_false(s.full);
    str_add(&s, "", 0);
    assert_false(s.full);
    str_putc(&s, '9');
    assert_true(s.full);
    assert_string_equal(s.buf, "12345678");
    str_clear(&s);
    assert_false(s.full);
    str_printf(&s, "%s", "123456789");
    assert_true(s.full);
    assert_string_equal(s.buf, "");
    str_clear(&s);
    str_put_shell(&s, "a'b"); /* 8 bytes */
    assert_string_equal(s.buf, "'a'\\''b'");
    str_clear(&s);
    str_put_shell(&s, "a'bc");
    assert_true(s.full);
    assert_string_equal(s.buf, "");
    str_add(&s, "x", SIZE_MAX);
    assert_string_equal(s.buf, "");
    str_release(&s);
    str_init(&s, 0);
    str_putc(&s, 'x');
    assert_true(s.full);
    str_release(&s);
}

static void test_str_detach(void **state)
{
    struct str s;
    char *text;

    UNUSED(state);
    str_init(&s, 10);
    text = str_detach(&s);
    assert_string_equal(text, "");
    free(text);
    str_puts(&s, "mine");
    text = str_detach(&s);
    assert_string_equal(text, "mine");
    assert_int_equal(s.len, 0);
    free(text);
    str_release(&s);
}

/* The judge is a real shell: it must see the very same bytes, whatever they are. */
static void test_shell_words_survive_sh(void **state)
{
    static const char *const words[] = {"",
                                        "plain",
                                        "it's",
                                        "''",
                                        "$HOME `id` $(id) \"x\"",
                                        "a\\b\\",
                                        "two\nlines",
                                        "-n",
                                        "*?[a] ~ {}",
                                        "; rm -rf & | < > #",
                                        "\t\x01\x7f\xff\xc3\xa9!",
                                        "'\\''",
                                        "a'b'c'",
                                        "\n"};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct str script, out;
        struct err err = ERR_INIT;
        const char *argv[] = {"sh", "-s", NULL};
        struct proc p = {.argv = argv, .out = &out};

        str_init(&out, 1000);
        str_init(&script, 1000);
        str_puts(&script, "printf %s ");
        str_put_shell(&script, words[i]);
        p.input = script.buf;
        p.input_len = script.len;
        assert_int_equal(proc_run(&p, &err), 0);
        assert_string_equal(out.buf, words[i]);
        str_release(&script);
        str_release(&out);
    }
}

static void assert_base64(const char *plain, const char *encoded)
{
    struct str s;

    str_init(&s, 100);
    str_put_base64(&s, plain, strlen(plain));
    assert_string_equal(s.buf, encoded);
    str_clear(&s);
    assert_int_equal(str_put_unbase64(&s, encoded, strlen(encoded)), 0);
    assert_string_equal(s.buf, plain);
    str_release(&s);
}

/* RFC 4648, section 10 */
static void test_base64(void **state)
{
    static const char *const bad[] = {"Z",     "Zg",       "Zg=",  "Zg=a",  "Z===", "====",
                                      "Zm9v=", "Zg==Zg==", "Zm9*", "Zg===", "=",    "Zm=v"};
    unsigned char all[256];
    struct str s, back;

    UNUSED(state);
    assert_base64("", "");
    assert_base64("f", "Zg==");
    assert_base64("fo", "Zm8=");
    assert_base64("foo", "Zm9v");
    assert_base64("foob", "Zm9vYg==");
    assert_base64("fooba", "Zm9vYmE=");
    assert_base64("foobar", "Zm9vYmFy");
    str_init(&s, 1000);
    str_init(&back, 1000);
    assert_int_equal(str_put_unbase64(&s, " Zm\n9v\tYg = = \n", 15), 0);
    assert_string_equal(s.buf, "foob");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(str_put_unbase64(&s, bad[i], strlen(bad[i])), -1);
    assert_int_equal(str_put_unbase64(&s, "Zm\0v", 4), -1);
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (unsigned char)i;
    str_clear(&s);
    str_put_base64(&s, all, sizeof(all));
    assert_int_equal(str_put_unbase64(&back, s.buf, s.len), 0);
    assert_int_equal(back.len, sizeof(all));
    assert_memory_equal(back.buf, all, sizeof(all));
    str_release(&s);
    str_release(&back);
}

static void test_utf8(void **state)
{
    static const char *const bad[] = {"\x80",         "\xc0\xaf",     "\xc3",
                                      "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xf0\x9f",     "\xff"};
    uint32_t code;

    UNUSED(state);
    assert_int_equal(utf8_decode("\xf0\x9f\x98\x80", 4, &code), 4);
    assert_int_equal(code, 0x1F600);
    assert_true(utf8_valid("a\xc3\xa9\xef\xbf\xbd", 6));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(utf8_decode(bad[i], strlen(bad[i]), &code), 1);
        assert_int_equal(code, UTF8_REPLACEMENT);
        assert_false(utf8_valid(bad[i], strlen(bad[i])));
    }
}

/* --- arena, vec, map --- */

static void test_arena_is_zeroed_and_aligned(void **state)
{
    struct arena a = ARENA_INIT;
    char *large;

    UNUSED(state);
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *p = arena_alloc(&a, size);

        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xAA, size);
    }
    large = arena_alloc(&a, (size_t)8 << 20);
    memset(large, 1, (size_t)8 << 20);
    assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
    assert_string_equal(arena_printf(&a, "%s-%d", "x", 5), "x-5");
    assert_true(a.used > (size_t)8 << 20);
    arena_release(&a);
    assert_int_equal(a.used, 0);
    assert_string_equal(arena_strdup(&a, "again"), "again");
    arena_release(&a);
}

static void test_vec(void **state)
{
    VEC(int) numbers = VEC_INIT;
    int sum = 0;

    UNUSED(state);
    for (int i = 0; i < 100; i++)
        vec_push(&numbers, i);
    vec_each (number, &numbers)
        sum += *number;
    assert_int_equal(sum, 4950);
    vec_release(&numbers);
    vec_each (number, &numbers)
        fail();
}

static void test_map_keeps_order_through_changes(void **state)
{
    static int values[1000];
    struct map m;
    char key[16];

    UNUSED(state);
    map_init(&m);
    assert_null(map_get(&m, "none"));
    assert_false(map_del(&m, "none"));
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "key%d", i);
        map_set(&m, key, &values[i]);
    }
    map_set(&m, "key7", &values[8]);
    assert_int_equal(m.n, 1000);
    assert_ptr_equal(map_get(&m, "key7"), &values[8]);
    assert_string_equal(m.entries[7].key, "key7");
    assert_true(map_del(&m, "key0"));
    assert_false(map_has(&m, "key0"));
    assert_string_equal(m.entries[0].key, "key1");
    assert_ptr_equal(map_get(&m, "key999"), &values[999]);
    map_set(&m, "null", NULL);
    assert_true(map_has(&m, "null"));
    map_set(&m, "", &values[1]);
    assert_ptr_equal(map_get(&m, ""), &values[1]);
    map_release(&m);
    assert_null(map_get(&m, "key1"));
}

/* --- err --- */

static void test_err_reads_from_the_outside_in(void **state)
{
    struct err err = ERR_INIT, other = ERR_INIT;

    UNUSED(state);
    assert_int_equal(err_set(&err, ERR_INPUT, "bad %s", "key"), -1);
    assert_int_equal(err_wrap(&err, "line %d", 3), -1);
    err_hint(&err, "look at %s", "it");
    assert_string_equal(err.text, "line 3: bad key");
    assert_string_equal(err.hint, "look at it");
    assert_int_equal(err_exit_status(err.code), 65);
    err_set(&err, ERR_NET, "again: %s", err.text); /* its own text as an argument */
    assert_string_equal(err.text, "again: line 3: bad key");
    assert_null(err.hint);
    err_move(&other, &err);
    assert_int_equal(err.code, ERR_NONE);
    assert_null(err.text);
    assert_int_equal(other.code, ERR_NET);
    errno = EACCES;
    err_set_errno(&other, "file");
    assert_err(&other, ERR_DENIED, "file: Permission denied");
    errno = ENOSPC;
    err_set_errno(&other, "file");
    assert_err(&other, ERR_IO, "No space left");
    assert_int_equal(err_exit_status(ERR_DENIED), 77);
    assert_int_equal(err_exit_status(ERR_NONE), 0);
}

/* --- log --- */

static void assert_redacted(const char *text, const char *expected)
{
    struct str s;

    str_init(&s, strlen(text)); /* no room to grow: it must grow all the same */
    str_puts(&s, text);
    log_redact(&s);
    assert_string_equal(s.buf, expected);
    assert_true(s.len <= s.max);
    str_release(&s);
}

static char last_line[200];

static void keep_line(enum log_level level, const char *line)
{
    UNUSED(level);
    snprintf(last_line, sizeof(last_line), "%s", line);
}

static void test_log_redacts_every_secret(void **state)
{
    UNUSED(state);
    assert_redacted("nothing registered", "nothing registered");
    log_secret("short");
    log_secret("secret1");
    log_secret("secret1");
    log_secret("secret1-longer");
    log_secret("longer-still");
    assert_redacted("a short one", "a short one");
    assert_redacted("secret1", "********");
    assert_redacted("x=secret1;", "x=********;");
    assert_redacted("secret1 secret1", "******** ********");
    assert_redacted("secret1secret1", "********");
    assert_redacted("<secret1-longer>", "<********>");
    assert_redacted("<secret1-longe>", "<********-longe>");
    assert_redacted("<secret1-longer-still>", "<********>"); /* they overlap */
    assert_redacted("secret", "secret");
    log_set_sink(keep_line);
    log_warn("password is %s\n", "secret1");
    assert_string_equal(last_line, "warning: password is ********");
    log_debug("not wanted");
    assert_string_equal(last_line, "warning: password is ********");
    log_set_level(LOG_DEBUG);
    log_debug("wanted");
    assert_string_equal(last_line, "debug: wanted");
    log_set_level(LOG_WARN);
    log_set_sink(NULL);
}

/* --- clock, hash --- */

static void test_clock(void **state)
{
    char text[32];
    int64_t before = clock_mono_ms();

    UNUSED(state);
    clock_iso8601(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    clock_iso8601(1769860800999, text);
    assert_string_equal(text, "2026-01-31T12:00:00Z");
    clock_iso8601(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
    clock_sleep_ms(30);
    assert_true(clock_mono_ms() - before >= 30);
    clock_sleep_ms(-5);
}

static void test_random_password(void **state)
{
    char one[33], two[33];

    UNUSED(state);
    random_password(one, 32);
    random_password(two, 32);
    assert_int_equal(strlen(one), 32);
    assert_int_equal(strspn(one, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
                     32);
    assert_string_not_equal(one, two);
    random_password(one, 0);
    assert_string_equal(one, "");
}

/* FIPS 180-2, appendix B.1; the FNV reference's test vectors */
static void test_hash(void **state)
{
    char hex[SHA256_HEX_SIZE];

    UNUSED(state);
    sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(hash_fnv1a("", 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(hash_fnv1a("foobar", 6) == UINT64_C(0x85944171f73967e8));
}

/* --- files --- */

static void test_paths(void **state)
{
    static const char *const normal[][2] = {{"a/./b/../c", "a/c"},
                                            {"", "."},
                                            {".", "."},
                                            {"/", "/"},
                                            {"/..", "/"},
                                            {"/../a", "/a"},
                                            {"..", ".."},
                                            {"../../a", "../../a"},
                                            {"a/..", "."},
                                            {"a/../..", ".."},
                                            {"a//b/", "a/b"},
                                            {"//a", "/a"},
                                            {"../a/../b", "../b"},
                                            {"/a/b/..", "/a"},
                                            {"..a/b..", "..a/b.."}};
    static const char *const dirs[][2] = {{"a/b", "a"},  {"/a", "/"}, {"a", "."},
                                          {"a//b", "a"}, {"/", "/"},  {"a/b/c", "a/b"}};
    static const char *const joins[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a", "/b", "/b"}, {"", "b", "b"}, {"/", "b", "/b"}};
    char *path;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(normal); i++) {
        path = path_normal(normal[i][0]);
        assert_string_equal(path, normal[i][1]);
        free(path);
    }
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        path = path_dir(dirs[i][0]);
        assert_string_equal(path, dirs[i][1]);
        free(path);
    }
    for (size_t i = 0; i < ARRAY_LEN(joins); i++) {
        path = path_join(joins[i][0], joins[i][1]);
        assert_string_equal(path, joins[i][2]);
        free(path);
    }
    assert_string_equal(path_base("/a/b.c"), "b.c");
    assert_string_equal(path_base("b"), "b");
}

static void test_file_write_and_read(void **state)
{
    char *path = in_folder("f"), *nowhere = in_folder("no/f");
    struct err err = ERR_INIT;
    struct str text;
    struct stat st;

    UNUSED(state);
    put_file("f", "first", 0600);
    put_file("f", "12345", 0644);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    str_init(&text, 5);
    assert_int_equal(file_read(path, &text, &err), 0);
    assert_string_equal(text.buf, "12345");
    str_release(&text);
    str_init(&text, 4);
    assert_int_equal(file_read(path, &text, &err), -1);
    assert_err(&err, ERR_INPUT, "larger than 4 bytes");
    assert_int_equal(file_read(folder, &text, &err), -1);
    assert_err(&err, ERR_IO, "Is a directory");
    assert_int_equal(file_read(nowhere, &text, &err), -1);
    assert_err(&err, ERR_IO, "no/f: No such file");
    assert_int_equal(file_write(nowhere, "", 0, 0600, &err), -1);
    assert_err(&err, ERR_IO, "no/f: No such file");
    assert_int_equal(file_write(folder, "", 0, 0600, &err), -1); /* a folder is in its place */
    err_release(&err);
    str_release(&text);
    free(path);
    free(nowhere);
}

static size_t entries_of(const char *dir)
{
    DIR *entries = opendir(dir);
    size_t n = 0;

    assert_non_null(entries);
    while (readdir(entries))
        n++;
    closedir(entries);
    return n - 2; /* "." and ".." */
}

/* The kernel ends a process that writes beyond its limit: in the middle of the file. */
static void write_and_die(const char *path)
{
    static char data[(size_t)1 << 20];
    struct rlimit limit = {4096, 4096};
    struct err err = ERR_INIT;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        setrlimit(RLIMIT_FSIZE, &limit);
        _exit(file_write(path, data, sizeof(data), 0600, &err) == 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGXFSZ);
}

static void test_file_sweep_removes_what_the_dead_left(void **state)
{
    char *dir = in_folder("sweep"), *path = in_folder("sweep/f");
    char *living = in_folder("sweep/.f.pgha-abcdef"), *other = in_folder("sweep/.f.pgha-abcdefg");
    struct err err = ERR_INIT;
    struct str text;
    int fd;

    UNUSED(state);
    assert_int_equal(file_mkdirs(dir, 0700, &err), 0);
    put_file("sweep/f", "old", 0600);
    write_and_die(path);
    write_and_die(path);
    assert_int_equal(entries_of(dir), 3);
    put_file("sweep/.f.pgha-abcdefg", "", 0600);
    fd = open(living, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    file_sweep(dir);
    assert_int_equal(entries_of(dir), 3);
    assert_true(file_exists(living));
    assert_true(file_exists(other));
    close(fd);
    file_sweep(dir);
    assert_false(file_exists(living));
    str_init(&text, 100);
    assert_int_equal(file_read(path, &text, &err), 0);
    assert_string_equal(text.buf, "old");
    str_release(&text);
    file_sweep(other); /* no folder: nothing to do */
    free(dir);
    free(path);
    free(living);
    free(other);
}

static void test_file_write_new_replaces_nothing(void **state)
{
    char *path = in_folder("new/f"), *dir = in_folder("new");
    struct err err = ERR_INIT;
    struct str text;

    UNUSED(state);
    assert_int_equal(file_write_new(path, "x", 1, 0600, &err), -1);
    assert_err(&err, ERR_IO, "new/f: No such file");
    assert_int_equal(file_mkdirs(dir, 0700, &err), 0);
    assert_int_equal(file_write_new(path, "first", 5, 0600, &err), 0);
    assert_int_equal(file_write_new(path, "second", 6, 0600, &err), 0);
    str_init(&text, 100);
    assert_int_equal(file_read(path, &text, &err), 0);
    assert_string_equal(text.buf, "first");
    assert_int_equal(entries_of(dir), 1);
    str_release(&text);
    free(path);
    free(dir);
}

static void test_file_mkdirs(void **state)
{
    char *path = in_folder("m/a//b/"), *through = in_folder("plain/x");
    mode_t before = umask(077);
    struct err err = ERR_INIT;
    struct stat st;

    UNUSED(state);
    assert_int_equal(file_mkdirs(path, 0755, &err), 0);
    assert_int_equal(file_mkdirs(path, 0700, &err), 0);
    umask(before);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755); /* the umask does not matter, nor the second call */
    put_file("plain", "", 0600);
    assert_int_equal(file_mkdirs(through, 0755, &err), -1);
    assert_err(&err, ERR_IO, "plain");
    free(path);
    free(through);
}

static void test_remove_tree_follows_no_links(void **state)
{
    char *tree = in_folder("tree"), *deep = in_folder("tree/a/b"), *kept = in_folder("kept");
    char *link = in_folder("tree/a/link"), *link_only = in_folder("link");
    struct err err = ERR_INIT;

    UNUSED(state);
    assert_int_equal(file_mkdirs(deep, 0700, &err), 0);
    assert_int_equal(file_mkdirs(kept, 0700, &err), 0);
    put_file("tree/a/f", "", 0400);
    put_file("kept/f", "", 0600);
    assert_int_equal(symlink(kept, link), 0);
    assert_int_equal(symlink(kept, link_only), 0);
    assert_int_equal(file_remove_tree(tree, &err), 0);
    assert_int_equal(file_remove_tree(link_only, &err), 0);
    assert_false(file_exists(tree));
    assert_int_equal(access(link_only, F_OK), -1);
    assert_true(file_is_dir(kept));
    free(link);
    link = in_folder("kept/f");
    assert_true(file_exists(link));
    assert_int_equal(file_remove_tree(tree, &err), 0); /* absent */
    assert_int_equal(file_remove_tree("/no/such/folder", &err), 0);
    assert_int_equal(file_remove_tree("/", &err), -1);
    assert_err(&err, ERR_FAILED, "/");
    assert_int_equal(file_remove_tree("..", &err), -1);
    assert_err(&err, ERR_FAILED, "..");
    free(tree);
    free(deep);
    free(kept);
    free(link);
    free(link_only);
}

/* In a mount namespace of its own, with a bind mount of the same file system: its device is no
 * different. */
static void test_remove_tree_stops_at_mounts(void **state)
{
    char *tree = in_folder("mounts"), *point = in_folder("mounts/point"),
         *kept = in_folder("behind");
    char *file = in_folder("behind/f");
    struct err err = ERR_INIT;
    pid_t pid;
    int status;

    UNUSED(state);
    assert_int_equal(file_mkdirs(point, 0700, &err), 0);
    assert_int_equal(file_mkdirs(kept, 0700, &err), 0);
    put_file("behind/f", "", 0600);
    pid = fork();
    if (pid == 0) {
        if (unshare(CLONE_NEWNS) != 0 ||
            mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount(kept, point, "none", MS_BIND, NULL) != 0)
            _exit(77);
        _exit(file_remove_tree(tree, &err) == -1 &&
                      strstr(err.text, "point: something is mounted") &&
                      file_remove_tree(point, &err) == -1 && file_exists(file)
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    free(tree);
    free(point);
    free(kept);
    free(file);
    if (WEXITSTATUS(status) == 77)
        skip(); /* not root */
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_remove_tree_has_a_depth(void **state)
{
    struct err err = ERR_INIT;
    struct str path;

    UNUSED(state);
    str_init(&path, 4096);
    str_printf(&path, "%s/deep", folder);
    for (int i = 0; i < 300; i++)
        str_puts(&path, "/d");
    assert_int_equal(file_mkdirs(path.buf, 0700, &err), 0);
    path.buf[strlen(folder) + strlen("/deep")] = '\0';
    assert_int_equal(file_remove_tree(path.buf, &err), -1);
    assert_err(&err, ERR_FAILED, "nested deeper");
    /* From half way down it is in reach; then the rest is, too. */
    str_clear(&path);
    str_printf(&path, "%s/deep", folder);
    for (int i = 0; i < 150; i++)
        str_puts(&path, "/d");
    assert_int_equal(file_remove_tree(path.buf, &err), 0);
    str_release(&path);
}

/* Holds the lock in a child until it is told to end; the child is gone without a word. */
static pid_t hold_lock_in_child(const char *path)
{
    int ready[2], fd;
    struct err err = ERR_INIT;
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        byte = lock_take(path, 0, &fd, &err) == 0;
        (void)!write(ready[1], &byte, 1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void test_lock_names_its_holder_and_goes_with_it(void **state)
{
    char *path = in_folder("lock"), *pid_text;
    struct err err = ERR_INIT;
    int64_t before;
    int fd;
    pid_t pid;

    UNUSED(state);
    pid = hold_lock_in_child(path);
    assert_int_equal(lock_take(path, 0, &fd, &err), -1);
    pid_text = xasprintf("pid %d (", (int)pid);
    assert_err(&err, ERR_LOCKED, pid_text);
    before = clock_mono_ms();
    assert_int_equal(lock_take(path, 150, &fd, &err), -1);
    assert_true(clock_mono_ms() - before >= 150);
    err_release(&err);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(lock_take(path, 0, &fd, &err), 0);
    /* When its file was removed it guards nothing: the next one takes a new file. */
    unlink(path);
    lock_release(fd);
    assert_int_equal(lock_take(path, 0, &fd, &err), 0);
    assert_true(file_exists(path));
    lock_release(fd);
    free(pid_text);
    free(path);
}

/* --- programs --- */

static int run_sh(const char *script, struct str *out, struct err *err)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct proc p = {.argv = argv, .out = out};

    return proc_run(&p, err);
}

static void test_proc_reports_status_and_stderr(void **state)
{
    const char *argv[] = {"sh", "-c", "echo out; echo first >&2; echo reason >&2; exit 7", NULL};
    const char *missing[] = {"pgha-no-such-program", NULL};
    struct proc p = {.argv = argv};
    struct err err = ERR_INIT;
    struct str errout;

    UNUSED(state);
    assert_int_equal(proc_run(&p, &err), -1);
    assert_int_equal(p.status, 7);
    assert_err(&err, ERR_FAILED, "exit status 7: first\nreason");
    str_init(&errout, 100);
    p.errout = &errout;
    assert_int_equal(proc_run(&p, &err), -1);
    assert_string_equal(errout.buf, "first\nreason\n");
    err_release(&err);
    str_release(&errout);
    p = (struct proc){.argv = missing};
    assert_int_equal(proc_run(&p, &err), -1);
    assert_non_null(err.hint);
    assert_err(&err, ERR_IO, "pgha-no-such-program");
    assert_int_equal(run_sh("kill -9 $$", NULL, &err), -1);
    assert_err(&err, ERR_FAILED, "signal 9");
}

static void test_proc_exec_failure(void **state)
{
    char *path = in_folder("bad"), *log = in_folder("bad.log");
    const char *argv[] = {path, NULL};
    struct proc p = {.argv = argv};
    struct err err = ERR_INIT;
    pid_t pid;

    UNUSED(state);
    put_file("bad",
             "\x7f"
             "ELF, but not really",
             0755);
    assert_int_equal(proc_run(&p, &err), -1);
    assert_err(&err, ERR_IO, "bad: Exec format error");
    assert_int_equal(proc_spawn(argv, NULL, log, &pid, &err), -1);
    assert_err(&err, ERR_IO, "bad: Exec format error");
    free(path);
    free(log);
}

/* Far more than a pipe holds, in all three directions at once. */
static void test_proc_does_not_deadlock(void **state)
{
    const char *argv[] = {"sh", "-c", "cat; head -c 3000000 /dev/zero >&2", NULL};
    const size_t size = (size_t)3 << 20;
    char *input = xcalloc(1, size);
    struct str out, errout;
    struct proc p = {.argv = argv,
                     .input = input,
                     .input_len = size,
                     .timeout_ms = 60000,
                     .out = &out,
                     .errout = &errout};
    struct err err = ERR_INIT;

    UNUSED(state);
    str_init(&out, size);
    str_init(&errout, size);
    memset(input, 'x', size);
    assert_int_equal(proc_run(&p, &err), 0);
    assert_int_equal(out.len, size);
    assert_memory_equal(out.buf, input, size);
    assert_int_equal(errout.len, 3000000);
    str_release(&out);
    str_release(&errout);
    free(input);
}

static void test_proc_output_has_a_maximum(void **state)
{
    struct err err = ERR_INIT;
    struct str out;

    UNUSED(state);
    str_init(&out, 1000);
    assert_int_equal(run_sh("head -c 1000 /dev/zero", &out, &err), 0);
    assert_int_equal(out.len, 1000);
    str_clear(&out);
    assert_int_equal(run_sh("head -c 1001 /dev/zero", &out, &err), -1);
    assert_err(&err, ERR_FAILED, "more than 1000 bytes");
    str_release(&out);
}

/* The child ignores SIGTERM, and so does what it started: both are gone after SIGKILL. */
static void test_proc_timeout_kills_the_group(void **state)
{
    const char *argv[] = {"sh", "-c", "trap '' TERM; sleep 100 & echo $!; sleep 100; sleep 100",
                          NULL};
    struct str out;
    struct proc p = {.argv = argv, .timeout_ms = 200, .out = &out};
    struct err err = ERR_INIT;
    int64_t before = clock_mono_ms();
    pid_t grandchild;

    UNUSED(state);
    str_init(&out, 100);
    assert_int_equal(proc_run(&p, &err), -1);
    assert_err(&err, ERR_TIMEOUT, "0.2 s");
    assert_true(clock_mono_ms() - before < 10000);
    grandchild = atoi(out.buf);
    assert_true(grandchild > 0);
    for (int i = 0; i < 50 && proc_start_time(grandchild); i++)
        clock_sleep_ms(20);
    assert_int_equal(proc_start_time(grandchild), 0);
    str_release(&out);
}

/* A program that leaves something behind which keeps the pipe open must not hold us. */
static void test_proc_does_not_wait_for_daemons(void **state)
{
    int64_t before = clock_mono_ms();
    struct err err = ERR_INIT;
    struct str out;

    UNUSED(state);
    str_init(&out, 100);
    assert_int_equal(run_sh("sleep 20 & echo $!", &out, &err), 0);
    assert_true(clock_mono_ms() - before < 5000);
    assert_true(atoi(out.buf) > 0);
    kill(atoi(out.buf), SIGKILL);
    str_release(&out);
}

static void test_proc_child_gets_nothing_of_ours(void **state)
{
    const char *argv[] = {"sh", "-c", "echo \"$A $B\"; cd /proc/self/fd && echo *; trap", NULL};
    const char *env[] = {"A=new", "B=2", NULL};
    struct str out;
    struct proc p = {.argv = argv, .env = env, .out = &out};
    struct err err = ERR_INIT;
    int leak = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */

    UNUSED(state);
    str_init(&out, 1000);
    setenv("A", "old", 1);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(proc_run(&p, &err), 0);
    signal(SIGPIPE, SIG_DFL);
    assert_true(str_starts(out.buf, "new 2\n0 1 2"));
    assert_null(strstr(out.buf, "PIPE"));
    if (leak > 3) {
        char *number = xasprintf(" %d", leak);

        assert_null(strstr(out.buf + strlen("new 2\n0 1 2"), number));
        free(number);
    }
    close(leak);
    str_release(&out);
    unsetenv("A");
}

static void test_proc_spawn_is_detached(void **state)
{
    const char *argv[] = {"sh", "-c", "echo started; exec sleep 100", NULL};
    char *log = in_folder("spawn.log");
    struct err err = ERR_INIT;
    struct str text;
    pid_t pid = 0;
    uint64_t start;

    UNUSED(state);
    assert_int_equal(proc_spawn(argv, NULL, log, &pid, &err), 0);
    assert_true(pid > 0);
    assert_int_equal(getsid(pid) == getsid(0), 0);
    start = proc_start_time(pid);
    assert_true(start > 0);
    assert_true(proc_start_time(pid) == start);
    str_init(&text, 100);
    for (int i = 0; i < 250 && text.len == 0; i++) {
        clock_sleep_ms(20);
        assert_int_equal(file_read(log, &text, &err), 0);
    }
    assert_string_equal(text.buf, "started\n");
    kill(pid, SIGKILL);
    for (int i = 0; i < 250 && proc_start_time(pid); i++)
        clock_sleep_ms(20);
    assert_int_equal(proc_start_time(pid), 0);
    assert_true(proc_start_time(getpid()) >= start - 100000);
    str_release(&text);
    free(log);
}

static void test_proc_find_program(void **state)
{
    char path[4096], small[4];
    char *before = xstrdup(getenv("PATH"));

    UNUSED(state);
    assert_true(proc_find_program("sh", path, sizeof(path)));
    assert_true(path[0] == '/' && str_ends(path, "/sh"));
    assert_false(proc_find_program("sh", small, sizeof(small)));
    assert_false(proc_find_program("", path, sizeof(path)));
    assert_false(proc_find_program("/tmp", path, sizeof(path)));
    assert_true(proc_find_program("/bin/sh", path, sizeof(path)));
    setenv("PATH", "/nowhere::", 1);
    assert_false(proc_find_program("sh", path, sizeof(path)));
    assert_int_equal(proc_find_program("ldconfig", path, sizeof(path)),
                     file_exists("/sbin/ldconfig"));
    setenv("PATH", before, 1);
    free(before);
}

static void *stop_soon(void *unused)
{
    clock_sleep_ms(200);
    clock_request_stop();
    return unused;
}

/* The last test: a stop cannot be taken back. */
static void test_stop_ends_the_child_but_not_the_cleaning_up(void **state)
{
    int64_t before = clock_mono_ms();
    struct err err = ERR_INIT;
    pthread_t thread;

    UNUSED(state);
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
    assert_int_equal(run_sh("sleep 100", NULL, &err), -1);
    pthread_join(thread, NULL);
    assert_err(&err, ERR_INTERRUPTED, "sleep 100");
    assert_true(clock_mono_ms() - before < 10000);
    assert_int_equal(run_sh("sleep 0.3", NULL, &err), 0);
    before = clock_mono_ms();
    clock_sleep_ms(10000);
    assert_true(clock_mono_ms() - before < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_str_grows_and_keeps_its_end),
        cmocka_unit_test(test_str_maximum_is_exact_and_all_or_nothing),
        cmocka_unit_test(test_str_detach),
        cmocka_unit_test(test_shell_words_survive_sh),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_arena_is_zeroed_and_aligned),
        cmocka_unit_test(test_vec),
        cmocka_unit_test(test_map_keeps_order_through_changes),
        cmocka_unit_test(test_err_reads_from_the_outside_in),
        cmocka_unit_test(test_log_redacts_every_secret),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_random_password),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_file_write_and_read),
        cmocka_unit_test(test_file_sweep_removes_what_the_dead_left),
        cmocka_unit_test(test_file_write_new_replaces_nothing),
        cmocka_unit_test(test_file_mkdirs),
        cmocka_unit_test(test_remove_tree_follows_no_links),
        cmocka_unit_test(test_remove_tree_stops_at_mounts),
        cmocka_unit_test(test_remove_tree_has_a_depth),
        cmocka_unit_test(test_lock_names_its_holder_and_goes_with_it),
        cmocka_unit_test(test_proc_reports_status_and_stderr),
        cmocka_unit_test(test_proc_exec_failure),
        cmocka_unit_test(test_proc_does_not_deadlock),
        cmocka_unit_test(test_proc_output_has_a_maximum),
        cmocka_unit_test(test_proc_timeout_kills_the_group),
        cmocka_unit_test(test_proc_does_not_wait_for_daemons),
        cmocka_unit_test(test_proc_child_gets_nothing_of_ours),
        cmocka_unit_test(test_proc_spawn_is_detached),
        cmocka_unit_test(test_proc_find_program),
        cmocka_unit_test(test_stop_ends_the_child_but_not_the_cleaning_up),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
