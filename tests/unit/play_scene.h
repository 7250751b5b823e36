/*
 * play_scene.h - what tests of playbooks share: a temporary folder, a playbook run over hosts that
 * are this machine, and what came of it. For one test program each.
 */
#ifndef PGHA_PLAY_SCENE_H
#define PGHA_PLAY_SCENE_H

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/play/play.h"

struct scene {
    char dir[64];
    struct arena arena;
    struct inventory inv;
    struct play_options options;
    struct play_result result;
    struct err err;
    struct event_sink sink;
    struct str events; /* "host kind text" lines */
    struct assets assets;
    int rc;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct scene *at; /* of the running test: the sink and the helpers use it */

static inline void take_event(struct event_sink *sink, const struct event *e)
{
    static const char *const names[] = {
        [EVENT_STAGE] = "stage",     [EVENT_STAGE_END] = "stage_end", [EVENT_STEP] = "step",
        [EVENT_HOST] = "at",         [EVENT_CHANGED] = "changed",     [EVENT_OK] = "ok",
        [EVENT_SKIPPED] = "skipped", [EVENT_FAILED] = "failed",       [EVENT_HOST_END] = "host_end",
        [EVENT_NOTE] = "note",
    };

    (void)sink;
    pthread_mutex_lock(&lock);
    str_printf(&at->events, "%s %s %s: %s\n", e->host ? e->host : "-", names[e->kind],
               e->task ? e->task : "-", e->text ? e->text : "");
    pthread_mutex_unlock(&lock);
}

static inline int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));

    strncpy(s->dir, "/tmp/pgha-play-XXXXXX", sizeof(s->dir) - 1);
    assert_non_null(mkdtemp(s->dir));
    arena_init(&s->arena);
    str_init(&s->events, STR_MAX_TEXT);
    s->sink.fn = take_event;
    s->options.transport = &play_transport_local;
    s->options.events = &s->sink;
    s->options.forks = 1;
    s->options.pending_dir = arena_printf(&s->arena, "%s/pending", s->dir);
    at = s;
    *state = s;
    return 0;
}

static inline void forget_run(void)
{
    play_result_release(&at->result);
    err_release(&at->err);
    inventory_release(&at->inv);
    str_clear(&at->events);
}

static inline int tear_down(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;

    forget_run();
    assert_int_equal(file_remove_tree(s->dir, &err), 0);
    arena_release(&s->arena);
    str_release(&s->events);
    free(s);
    return 0;
}

static inline const char *in_dir(const char *name)
{
    return arena_printf(&at->arena, "%s/%s", at->dir, name);
}

static inline void put(const char *name, const char *text)
{
    struct err err = ERR_INIT;
    char *dir = path_dir(in_dir(name));

    assert_int_equal(file_mkdirs(dir, 0755, &err), 0);
    assert_int_equal(file_write(in_dir(name), text, strlen(text), 0644, &err), 0);
    free(dir);
}

static inline const char *get(const char *name)
{
    struct str text;
    struct err err = ERR_INIT;
    const char *copy = NULL;

    str_init(&text, STR_MAX_TEXT);
    if (file_read(in_dir(name), &text, &err) == 0)
        copy = arena_strdup(&at->arena, text.buf);
    err_release(&err);
    str_release(&text);
    return copy;
}

/* "~" in the text is the temporary folder. */
static inline const char *expand(const char *text)
{
    struct str out;
    const char *copy;

    str_init(&out, STR_MAX_TEXT);
    for (; *text; text++)
        if (*text == '~')
            str_puts(&out, at->dir);
        else
            str_putc(&out, *text);
    copy = arena_strdup(&at->arena, out.buf);
    str_release(&out);
    return copy;
}

static inline const char *faults_of(const char *playbook)
{
    struct faults faults;
    struct playbook *pb;
    struct str text;
    const char *copy;

    put("site.yml", expand(playbook));
    faults_init(&faults);
    str_init(&text, STR_MAX_TEXT);
    pb = playbook_load(&at->assets, in_dir("site.yml"), &faults);
    assert_true((pb != NULL) == (faults.n == 0));
    playbook_free(pb);
    faults_format(&faults, &text);
    copy = arena_strdup(&at->arena, text.buf);
    faults_release(&faults);
    str_release(&text);
    return copy;
}

static inline void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}

static inline void run_with(const char *inventory, const char *playbook)
{
    struct faults faults;
    struct playbook *pb;
    struct str text;

    forget_run();
    put("site.yml", expand(playbook));
    faults_init(&faults);
    str_init(&text, STR_MAX_TEXT);
    inventory_init(&at->inv);
    assert_int_equal(
        inventory_load_text(&at->inv, "hosts.yml", inventory, strlen(inventory), &faults), 0);
    pb = playbook_load(&at->assets, in_dir("site.yml"), &faults);
    faults_format(&faults, &text);
    if (!pb)
        fail_msg("%s", text.buf);
    at->rc = play_run(pb, &at->assets, &at->inv, &at->options, &at->result, &at->err);
    playbook_free(pb);
    faults_release(&faults);
    str_release(&text);
}

#define ONE_HOST "all: {hosts: {h1: {colour: red}}}"
#define THREE    "all: {hosts: {h1: {n: 1}, h2: {n: 2}, h3: {n: 3}}}"

static inline void run(const char *playbook)
{
    run_with(ONE_HOST, playbook);
}

static inline const struct host_result *host(size_t i)
{
    assert_true(i < at->result.n);
    return &at->result.hosts[i];
}

static inline void assert_ok(void)
{
    if (at->rc != 0)
        fail_msg("%s\n%s", at->err.text, at->err.hint ? at->err.hint : "");
}

/* assert_string_equal for a file, which may be missing. */
static inline void assert_file(const char *name, const char *text)
{
    const char *found = get(name);

    if (!str_eq(found, text))
        fail_msg("%s is '%s', not '%s'\n%s", name, found ? found : "(absent)",
                 text ? text : "(absent)", at->events.buf);
}

static inline const char *registered(size_t i, const char *dotted)
{
    const struct value *v = value_at(host(i)->registered, dotted);
    struct str text;
    const char *copy;

    if (!v)
        return NULL;
    str_init(&text, STR_MAX_TEXT);
    if (value_is_str(v))
        str_puts(&text, v->u.str.s);
    else if (v->type == VALUE_INT)
        str_printf(&text, "%lld", (long long)v->u.i);
    else if (v->type == VALUE_BOOL)
        str_puts(&text, v->u.b ? "true" : "false");
    else
        str_puts(&text, value_type_name(v->type));
    copy = arena_strdup(&at->arena, text.buf);
    str_release(&text);
    return copy;
}

#endif
