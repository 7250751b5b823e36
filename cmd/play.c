/* play.c - any playbook of the supported subset over any inventory, without a cluster file. */
#include <stdio.h>

#include "cmd/cmd.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/doc/json.h"
#include "lib/doc/yaml.h"

enum { CONNECT_TIMEOUT_MS = 15000 };

static void accept_new_keys(void *ctx, const char *host, struct ssh_target *target)
{
    UNUSED(ctx);
    UNUSED(host);
    target->accept_new = true;
}

/* The words of every "a,b" that was given, as a NULL-terminated list in the arena. */
static const char *const *split(const struct context *ctx, const char *option, struct arena *a)
{
    const char **list, *text;
    size_t n = 0, at = 0, most = 1;

    while ((text = option_next(ctx, option, &at)))
        most += strlen(text) + 1;
    list = arena_alloc(a, most * sizeof(*list));
    at = 0;
    while ((text = option_next(ctx, option, &at))) {
        while (*text) {
            size_t len = strcspn(text, ",");

            if (len)
                list[n++] = arena_strndup(a, text, len);
            text += len + (text[len] == ',');
        }
    }
    list[n] = NULL;
    return n > 0 ? list : NULL;
}

/* -e: JSON or YAML text, @FILE, or name=value words. */
static const struct value *extra_vars(struct arena *a, const char *text, struct faults *faults)
{
    struct value *map;

    if (*text == '@')
        return yaml_parse_file(a, text + 1, faults);
    if (*text == '{')
        return yaml_parse(a, "--extra-vars", text, strlen(text), faults);
    map = value_map(a);
    while (*(text += strspn(text, " "))) {
        size_t len = strcspn(text, " "), name = strcspn(text, "=");

        if (name >= len) {
            fault_add(faults, (struct source){"--extra-vars", 1, 1},
                      "\"%.*s\" is not name=value, JSON or @FILE", (int)len, text);
            return NULL;
        }
        value_map_set(a, map, arena_strndup(a, text, name),
                      value_strn(a, text + name + 1, len - name - 1));
        text += len;
    }
    return map;
}

static void print_recap(const struct play_result *r)
{
    printf("PLAY RECAP\n");
    for (size_t i = 0; i < r->n; i++) {
        const struct host_result *h = &r->hosts[i];

        printf(
            "%-24s : ok=%-4d changed=%-4d unreachable=%-4d failed=%-4d skipped=%-4d rescued=%-4d "
            "ignored=%d\n",
            h->host, h->ok, h->changed, h->unreachable, h->failed, h->skipped, h->rescued,
            h->ignored);
    }
}

static struct value *change_to_value(const struct task_change *c, struct arena *a)
{
    struct value *v = value_map(a);

    value_map_set(a, v, "task", value_str(a, c->task));
    value_map_set(a, v, "module", value_str(a, c->module));
    value_map_set(a, v, "where", value_str(a, c->where));
    value_map_set(a, v, "summary", value_str(a, c->summary));
    value_map_set(a, v, "diff", c->diff ? value_str(a, c->diff) : value_null(a));
    return v;
}

/* A list of hosts; with --profile it is `hosts` beside `profile`. */
static void print_json(const struct context *ctx, const struct play_result *r)
{
    struct arena arena = ARENA_INIT;
    struct value *list = value_list(&arena), *top = value_map(&arena);

    for (size_t i = 0; i < r->n; i++) {
        const struct host_result *h = &r->hosts[i];
        struct value *v = value_map(&arena), *changes = value_list(&arena);

        vec_each (c, &h->changes)
            value_list_add(&arena, changes, change_to_value(c, &arena));
        value_map_set(&arena, v, "host", value_str(&arena, h->host));
        value_map_set(&arena, v, "ok", value_int(&arena, h->ok));
        value_map_set(&arena, v, "changed", value_int(&arena, h->changed));
        value_map_set(&arena, v, "unreachable", value_int(&arena, h->unreachable));
        value_map_set(&arena, v, "failed", value_int(&arena, h->failed));
        value_map_set(&arena, v, "skipped", value_int(&arena, h->skipped));
        value_map_set(&arena, v, "rescued", value_int(&arena, h->rescued));
        value_map_set(&arena, v, "ignored", value_int(&arena, h->ignored));
        value_map_set(&arena, v, "trips", value_int(&arena, h->trips));
        value_map_set(&arena, v, "error",
                      h->err.code ? value_str(&arena, h->err.text) : value_null(&arena));
        value_map_set(&arena, v, "changes", changes);
        value_list_add(&arena, list, v);
    }
    value_map_set(&arena, top, "hosts", list);
    profiler_add_to(ctx->profiler, top, &arena);
    print_value(ctx->profiler ? top : list);
    arena_release(&arena);
}

static void print_diffs(const struct play_result *r)
{
    for (size_t i = 0; i < r->n; i++)
        vec_each (c, &r->hosts[i].changes)
            if (c->diff)
                printf("%s: %s\n%s\n", r->hosts[i].host, c->task, c->diff);
}

struct play_files {
    struct arena arena;
    struct faults faults;
    struct inventory inventory;
    struct playbook *playbook;
    const char *path;
    const struct value *extra;
};

static int load_inventories(struct context *ctx, const char *folder, struct play_files *f)
{
    VEC(const char *) paths = VEC_INIT;
    const char *path;
    size_t at = 0;
    int rc;

    while ((path = option_next(ctx, "inventory", &at)))
        vec_push(&paths, path);
    rc = inventory_load_all(&f->inventory, paths.items, paths.n, &f->faults);
    if (rc == 0)
        rc = inventory_load_near(&f->inventory, folder, &f->faults);
    vec_release(&paths);
    return rc;
}

static int load_extra(struct context *ctx, struct play_files *f)
{
    const char *text;
    size_t at = 0;

    while ((text = option_next(ctx, "extra-vars", &at))) {
        const struct value *more = extra_vars(&f->arena, text, &f->faults);

        if (!more)
            return -1;
        if (more->type != VALUE_MAP) {
            fault_add(&f->faults, (struct source){"--extra-vars", 1, 1},
                      "variables are a mapping, not a %s", value_type_name(more->type));
            return -1;
        }
        f->extra = f->extra ? value_merge(&f->arena, f->extra, more) : more;
    }
    return 0;
}

static int load(struct context *ctx, const char *path, struct play_files *f, struct assets *assets)
{
    /* assets reads the file system for names that begin with / or ./ */
    const char *file = *path == '/' || str_starts(path, "./") || str_starts(path, "../")
                           ? path
                           : arena_printf(&f->arena, "./%s", path);
    char *folder = path_dir(file);
    int rc = load_inventories(ctx, folder, f);

    free(folder);
    if (rc < 0 || !(f->playbook = playbook_load(assets, file, &f->faults)) ||
        load_extra(ctx, f) < 0)
        return report_faults(&f->faults);
    return -1;
}

/* Each host's fault was told when it came. What is left to say: how many, what helps the first, and
 * how to try those again. */
static void sum_up(const struct context *ctx, const struct play_result *r, const char *playbook,
                   struct err *err)
{
    const char *inventory;
    size_t at = 0;
    struct str hint;
    size_t failed = 0;

    str_init(&hint, STR_MAX_TEXT);
    if (err->hint)
        str_printf(&hint, "%s\n  -> ", err->hint);
    str_puts(&hint, "to try again: pgha-deploy play ");
    str_put_shell(&hint, playbook);
    while ((inventory = option_next(ctx, "inventory", &at))) {
        str_puts(&hint, " -i ");
        str_put_shell(&hint, inventory);
    }
    str_puts(&hint, " --limit ");
    for (size_t i = 0; i < r->n; i++)
        if (r->hosts[i].err.text)
            str_printf(&hint, "%s%s", failed++ ? "," : "", r->hosts[i].host);
    if (failed) {
        enum err_code code = err->code;

        err_release(err);
        err_set(err, code, "%zu of %zu host%s failed", failed, r->n, r->n == 1 ? "" : "s");
        err_hint(err, "%s", hint.buf);
    }
    str_release(&hint);
}

static struct play_options options_of(struct context *ctx, struct play_files *f)
{
    const char *forks = option_get(ctx, "forks");

    return (struct play_options){
        .check = option_given(ctx, "check"),
        .diff = option_given(ctx, "diff"),
        .limit = option_get(ctx, "limit"),
        .extra_vars = f->extra,
        .tags = split(ctx, "tags", &f->arena),
        .skip_tags = split(ctx, "skip-tags", &f->arena),
        .start_at = option_get(ctx, "start-at-task"),
        .forks = forks ? atoi(forks) : 0,
        .verbosity = ctx->verbose,
        .events = ctx->events,
        .target = ctx->accept_new_keys ? accept_new_keys : NULL,
        .connect_deadline_ms = clock_mono_ms() + CONNECT_TIMEOUT_MS,
    };
}

static int play(struct context *ctx, struct play_files *f, const struct assets *assets)
{
    struct play_options options = options_of(ctx, f);
    struct play_result result;
    struct err err = ERR_INIT;
    int64_t start = clock_mono_ms();
    int status = 0;

    event_send(ctx->events, &(struct event){.kind = EVENT_STAGE, .stage = "play", .text = f->path});
    if (play_run(f->playbook, assets, &f->inventory, &options, &result, &err) < 0) {
        sum_up(ctx, &result, f->path, &err);
        status = report_err(&err);
    } else {
        event_send(ctx->events, &(struct event){.kind = EVENT_STAGE_END,
                                                .stage = "play",
                                                .elapsed_ms = clock_mono_ms() - start});
    }
    ui_finish();
    if (ctx->json)
        print_json(ctx, &result);
    else {
        if (options.diff)
            print_diffs(&result);
        print_recap(&result);
    }
    play_result_release(&result);
    return status;
}

static int list_json(struct play_files *f, const struct assets *assets,
                     const struct play_options *options, bool hosts, struct err *err)
{
    struct value *plays = playbook_describe(f->playbook, &f->arena), *members;

    if (play_list_hosts(f->playbook, assets, &f->inventory, options, &f->arena, &members, err) < 0)
        return -1;
    for (size_t i = 0; hosts && i < plays->u.list.n; i++)
        value_map_set(&f->arena, plays->u.list.items[i], "members", members->u.list.items[i]);
    print_value(plays);
    return 0;
}

/* --list-hosts, --list-tasks */
static int list(struct context *ctx, struct play_files *f, const struct assets *assets)
{
    struct play_options options = options_of(ctx, f);
    bool hosts = option_given(ctx, "list-hosts"), tasks = option_given(ctx, "list-tasks");
    struct err err = ERR_INIT;
    struct str text;
    int rc;

    str_init(&text, STR_MAX_TEXT);
    options.start_at = NULL; /* as with Ansible, all is listed */
    if (ctx->json)
        rc = list_json(f, assets, &options, hosts, &err);
    else
        rc = play_list(f->playbook, assets, &f->inventory, &options, f->path, hosts, tasks, &text,
                       &err);
    if (rc == 0)
        print_text(&text);
    str_release(&text);
    return rc == 0 ? 0 : report_err(&err);
}

static int run(struct context *ctx, int argc, char **argv)
{
    struct assets assets = {NULL};
    struct play_files f = {0};
    int status;

    UNUSED(argc);
    if (!option_given(ctx, "inventory")) {
        struct err err = ERR_INIT;

        err_set(&err, ERR_USAGE, "play needs an inventory");
        err_hint(&err, "add -i FILE");
        return report_err(&err);
    }
    f.path = argv[0];
    faults_init(&f.faults);
    inventory_init(&f.inventory);
    if ((status = load(ctx, argv[0], &f, &assets)) < 0) {
        if (option_given(ctx, "list-tasks") || option_given(ctx, "list-hosts"))
            status = list(ctx, &f, &assets);
        else
            status = play(ctx, &f, &assets);
    }
    playbook_free(f.playbook);
    inventory_release(&f.inventory);
    faults_release(&f.faults);
    arena_release(&f.arena);
    return status;
}

static const struct option_row options[] = {
    {"inventory", 'i', "PATH",
     "inventory: a file, a folder or names with a comma; may be given more "
     "than once (required)"},
    {"check", 'C', NULL, "change nothing, tell what would be"},
    {"diff", 'D', NULL, "show differences of files"},
    {"limit", 'l', "PATTERN", "only these hosts"},
    {"tags", 't', "LIST", "only tasks with one of these tags"},
    {"skip-tags", 0, "LIST", "no tasks with one of these tags"},
    {"extra-vars", 'e', "VARS", "name=value words, JSON, or @FILE; the strongest variables"},
    {"forks", 0, "N", "hosts at once (default: all)"},
    {"start-at-task", 0, "NAME", "leave out what comes before the task of this name"},
    {"list-hosts", 0, NULL, "print the plays and their hosts, run nothing"},
    {"list-tasks", 0, NULL, "print the plays and their tasks, run nothing"},
    {NULL, 0, NULL, NULL},
};

const struct command cmd_play = {"play",
                                 "run a playbook over an inventory, without a cluster file",
                                 "PLAYBOOK",
                                 "What of Ansible is supported is in docs/ansible.md; "
                                 "whatever is outside it is refused with its place. "
                                 "The result in JSON is a list of hosts; with --profile it "
                                 "is `hosts`, beside `profile`.",
                                 options,
                                 1,
                                 1,
                                 run};
