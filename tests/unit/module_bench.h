/*
 * module_bench.h - one call of a module against one world, for the tests of modules: what a probe
 * would answer is looked up here, and fragments are run by /bin/sh in a folder of their own.
 */
#ifndef PGHA_MODULE_BENCH_H
#define PGHA_MODULE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/proc.h"
#include "lib/doc/yaml.h"
#include "lib/jinja/jinja.h"
#include "lib/play/args.h"
#include "lib/play/filechange.h"
#include "lib/play/modules.h"
#include "lib/play/world.h"

/* not every test uses all of it */
#define BENCH static __attribute__((unused))

const struct embedded_file embedded_files[] = {{"x", "", 0}};
const size_t embedded_files_count = 1;

/* ---- the bench: one call against one world ---- */

struct bench {
    struct arena arena;
    struct world world;
    struct module_call call;
    struct module_plan plan;
    struct assets assets;
    struct err err;
    const struct module *module;
    char dir[64];
    const char *search[2];
    bool jailed; /* /etc is that of the bench's folder */
};

BENCH int fake_render(struct module_call *call, const struct jinja_syntax *syntax, const char *file,
                      const char *text, size_t len, struct str *out, struct err *err)
{
    UNUSED(syntax);
    UNUSED(call);
    UNUSED(file);
    UNUSED(err);
    if (len >= 7 && memcmp(text, "PENDING", 7) == 0)
        return JINJA_PENDING;
    str_puts(out, "rendered ");
    str_add(out, text, len);
    return JINJA_OK;
}

BENCH enum lookup no_names(void *data, struct arena *a, const char *name, const struct value **out,
                           struct err *err)
{
    UNUSED(data);
    UNUSED(err);
    if (!str_eq(name, "three"))
        return str_eq(name, "later") ? LOOKUP_PENDING : LOOKUP_MISSING;
    *out = value_int(a, 3);
    return LOOKUP_FOUND;
}

BENCH int real_eval(struct module_call *call, struct source where, const char *expression,
                    const struct value **out, struct err *err)
{
    struct jinja_scope scope = {.get = no_names, .data = NULL};
    struct jinja_template *t =
        jinja_parse_expression(call->arena, where, expression, strlen(expression), err);

    return t ? (int)jinja_eval(t, &scope, call->arena, out, err) : JINJA_ERROR;
}

BENCH int setup(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));

    arena_init(&b->arena);
    world_init(&b->world);
    snprintf(b->dir, sizeof(b->dir), "/tmp/pgha-modules-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    b->search[0] = b->dir;
    str_init(&b->plan.script, STR_MAX_TEXT);
    str_init(&b->plan.diff, STR_MAX_TEXT);
    *state = b;
    return 0;
}

BENCH int teardown(void **state)
{
    struct bench *b = *state;

    assert_int_equal(file_remove_tree(b->dir, &b->err), 0);
    str_release(&b->plan.script);
    str_release(&b->plan.diff);
    world_release(&b->world);
    arena_release(&b->arena);
    err_release(&b->err);
    free(b);
    return 0;
}

/* Text with the @ of @/ and '@' replaced by the bench's folder. */
BENCH const char *here(struct bench *b, const char *text)
{
    struct str out;
    const char *kept;

    str_init(&out, STR_MAX_TEXT);
    for (; *text; text++)
        if (*text == '@' && (text[1] == '/' || text[1] == '\''))
            str_puts(&out, b->dir);
        else
            str_putc(&out, *text);
    kept = arena_strdup(&b->arena, out.buf);
    str_release(&out);
    return kept;
}

BENCH struct value *yaml(struct bench *b, const char *text)
{
    struct faults faults;
    struct value *v;

    faults_init(&faults);
    text = here(b, text);
    v = yaml_parse(&b->arena, "play.yml", text, strlen(text), &faults);
    assert_non_null(v);
    faults_release(&faults);
    return v;
}

static const struct source task_src = {"play.yml", 7, 3};

BENCH const char *real_path(struct bench *b, const char *path)
{
    return b->jailed && str_starts(path, "/etc/") ? arena_printf(&b->arena, "%s%s", b->dir, path)
                                                  : path;
}

/* What a probe would answer for paths: looks at the real file. */
BENCH void look_up_path(struct bench *b, const struct need *need)
{
    struct path_state *p = arena_new(&b->world.arena, struct path_state);
    struct stat st;
    struct str text;
    char link[256], sha[SHA256_HEX_SIZE];
    const char *name = real_path(b, need->name);
    ssize_t n;

    world_set(&b->world, NEED_PATH, arena_strdup(&b->world.arena, need->name), p);
    if (lstat(name, &st) < 0)
        return;
    p->type = S_ISREG(st.st_mode)   ? 'f'
              : S_ISDIR(st.st_mode) ? 'd'
              : S_ISLNK(st.st_mode) ? 'l'
                                    : '?';
    p->mode = st.st_mode & 07777;
    p->uid = st.st_uid;
    p->gid = st.st_gid;
    p->size = st.st_size;
    p->owner = st.st_uid == 0 ? "root" : "me";
    p->group = st.st_gid == 0 ? "root" : "us";
    n = p->type == 'l' ? readlink(name, link, sizeof(link)) : 0;
    p->link = p->type == 'l' ? arena_strndup(&b->world.arena, link, (size_t)n) : NULL;
    if (stat(name, &st) < 0)
        return;
    p->target = p->type != 'l' ? 0 : S_ISDIR(st.st_mode) ? 'd' : S_ISREG(st.st_mode) ? 'f' : '?';
    if (!S_ISREG(st.st_mode))
        return;
    str_init(&text, STR_MAX_TEXT);
    assert_int_equal(file_read(name, &text, &b->err), 0);
    sha256_hex(text.buf, text.len, sha);
    p->sha256 = arena_strdup(&b->world.arena, sha);
    if (need->want_content || (need->expect_sha256 && !str_eq(need->expect_sha256, sha))) {
        p->content = arena_strndup(&b->world.arena, text.buf, text.len);
        p->content_len = text.len;
    }
    str_release(&text);
}

BENCH void look_up_pattern(struct bench *b, const struct need *need)
{
    glob_t found;
    size_t cut = b->jailed ? strlen(b->dir) : 0;

    world_set(&b->world, NEED_GLOB, need->name, (void *)"");
    if (glob(real_path(b, need->name), 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct need path = {
            .kind = NEED_PATH, .name = found.gl_pathv[i] + cut, .want_content = true};

        look_up_path(b, &path);
    }
    globfree(&found);
}

BENCH void add_need(void *ctx, const struct need *need)
{
    struct bench *b = ctx;

    if (need->kind == NEED_PATH) {
        if (!world_knows(&b->world, need))
            look_up_path(b, need);
        return;
    }
    if (need->kind == NEED_GLOB && !world_knows(&b->world, need))
        look_up_pattern(b, need);
    if (!world_knows(&b->world, need))
        fail_msg("the test gives no answer for kind %d '%s'", need->kind, need->name);
}

/* Types the arguments and asks for the needs. -1: refused. */
BENCH int begin(struct bench *b, const char *module, const char *args, const char *free_form)
{
    b->module = module_find(module);
    assert_non_null(b->module);
    b->call = (struct module_call){.arena = &b->arena,
                                   .src = task_src,
                                   .assets = &b->assets,
                                   .search = b->search,
                                   .diff = true,
                                   .free_form = free_form,
                                   .render = fake_render,
                                   .eval = real_eval,
                                   .world = &b->world,
                                   .now_s = 1000000};
    str_clear(&b->plan.script);
    str_clear(&b->plan.diff);
    b->plan.kind = PLAN_OK;
    b->plan.msg = b->plan.consequence = NULL;
    b->plan.result = NULL;
    b->plan.captures = false;
    err_release(&b->err);
    b->call.args = args_type(&b->arena, b->module, yaml(b, args), task_src, &b->err);
    if (!b->call.args)
        return -1;
    return b->module->needs(&b->call, add_need, b, &b->err);
}

BENCH enum plan_kind plan_free(struct bench *b, const char *module, const char *args,
                               const char *free_form)
{
    if (begin(b, module, args, free_form) != 0)
        fail_msg("%s: %s", module, b->err.text ? b->err.text : "pending");
    if (b->module->plan(&b->call, &b->world, &b->plan, &b->err) < 0)
        fail_msg("%s: %s", module, b->err.text);
    return b->plan.kind;
}

BENCH enum plan_kind plan(struct bench *b, const char *module, const char *args)
{
    return plan_free(b, module, args, NULL);
}

/* The plan must be refused, with this in the message. */
BENCH void refuses(struct bench *b, const char *module, const char *args, const char *why)
{
    int rc = begin(b, module, args, NULL);

    if (rc == 0)
        rc = b->module->plan(&b->call, &b->world, &b->plan, &b->err);
    if (rc == 0 && b->plan.kind == PLAN_FAIL) {
        if (!strstr(b->plan.msg, why))
            fail_msg("'%s' is not in '%s'", why, b->plan.msg);
        return;
    }
    assert_int_equal(rc, -1);
    if (!strstr(b->err.text, why))
        fail_msg("'%s' is not in '%s'", why, b->err.text);
}

/* The text with '/etc/ of its words in the bench's folder. */
BENCH const char *jail(struct bench *b, const char *text)
{
    static const char word[] = "'/etc/";
    struct str out;
    const char *kept, *found;

    if (!b->jailed)
        return text;
    str_init(&out, STR_MAX_TEXT);
    for (; (found = strstr(text, word)); text = found + strlen(word)) {
        str_add(&out, text, (size_t)(found - text));
        str_printf(&out, "'%s/etc/", b->dir);
    }
    str_puts(&out, text);
    kept = arena_strdup(&b->arena, out.buf);
    str_release(&out);
    return kept;
}

/* Runs the planned fragment as the runner does: from standard input, in a subshell. */
BENCH int apply(struct bench *b, struct str *out)
{
    const char *const argv[] = {"sh", NULL};
    const char *script =
        arena_printf(&b->arena, "umask 077\n(\n%s\n)\n", jail(b, b->plan.script.buf));
    struct str errout;
    struct proc p = {.argv = argv,
                     .input = script,
                     .input_len = strlen(script),
                     .out = out,
                     .errout = &errout,
                     .timeout_ms = 20000};
    struct err err = ERR_INIT;

    str_init(&errout, STR_MAX_TEXT);
    UNUSED(proc_run(&p, &err) == 0); /* the status tells */
    if (b->module->finish && b->plan.captures)
        b->module->finish(&b->call, &b->plan, p.status, out ? out->buf : "", errout.buf);
    err_release(&err);
    str_release(&errout);
    return p.status;
}

BENCH void put_file(struct bench *b, const char *path, const char *text)
{
    assert_int_equal(file_write(here(b, path), text, strlen(text), 0600, &b->err), 0);
}

BENCH void assert_file(struct bench *b, const char *path, const char *text, unsigned mode)
{
    struct stat st;
    struct str now;

    str_init(&now, STR_MAX_TEXT);
    assert_int_equal(lstat(here(b, path), &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_mode & 07777, mode);
    assert_int_equal(file_read(here(b, path), &now, &b->err), 0);
    assert_string_equal(now.buf, text);
    str_release(&now);
}

/* Change; run; the world predicts what is there; a second plan with a fresh world says ok. */
BENCH void changes_once(struct bench *b, const char *module, const char *args)
{
    assert_int_equal(plan(b, module, args), PLAN_CHANGE);
    assert_int_equal(apply(b, NULL), 0);
    assert_int_equal(plan(b, module, args), PLAN_OK);
    world_forget(&b->world);
    if (plan(b, module, args) != PLAN_OK)
        fail_msg("%s changes again: %s", module, b->plan.msg);
    assert_int_equal(b->plan.script.len, 0);
}

BENCH const char *result(struct bench *b, const char *key)
{
    struct str text;
    const char *kept;
    const struct value *v = value_at(b->plan.result, key);

    if (!v)
        return NULL;
    str_init(&text, STR_MAX_TEXT);
    jinja_put(v, &text);
    kept = arena_strdup(&b->arena, text.buf);
    str_release(&text);
    return kept;
}

#endif
