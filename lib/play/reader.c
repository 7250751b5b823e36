/*
 * reader.c - playbook files and plays.
 */
#include "lib/play/reader.h"
#include "lib/base/file.h"
#include "lib/doc/yaml.h"

/* ---- keys and typed values ---- */

const struct key *reader_key(struct reader *r, const struct key_table *table,
                             const struct value_entry *entry)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct key *row = &table->rows[i];

        if (!str_eq(row->name, entry->key))
            continue;
        if (row->read)
            return row;
        fault_add(r->faults, entry->key_src, "'%s' is not supported: %s", row->name, row->text);
        return NULL;
    }
    return NULL;
}

void reader_unknown_key(struct reader *r, const char *what, const struct value_entry *entry,
                        const char *const *candidates, size_t n)
{
    const char *near = nearest_word(entry->key, candidates, n);

    fault_add(r->faults, entry->key_src, "unknown key '%s' of a %s", entry->key, what);
    if (near)
        fault_hint(r->faults, "did you mean '%s'?", near);
}

static bool table_has(const struct key_table *table, const char *name)
{
    for (size_t i = 0; i < table->n; i++)
        if (str_eq(table->rows[i].name, name))
            return true;
    return false;
}

static void unknown_in_table(struct reader *r, const struct key_table *table,
                             const struct value_entry *entry)
{
    VEC(const char *) names = VEC_INIT;

    for (size_t i = 0; i < table->n; i++)
        if (table->rows[i].read)
            vec_push(&names, table->rows[i].name);
    reader_unknown_key(r, table->what, entry, names.items, names.n);
    vec_release(&names);
}

void reader_map(struct reader *r, const struct key_table *table, const struct value *map,
                void *into)
{
    for (size_t i = 0; i < map->u.map.n; i++) {
        const struct value_entry *entry = &map->u.map.entries[i];
        const struct key *row = reader_key(r, table, entry);

        if (row)
            row->read(r, into, entry->value);
        else if (!table_has(table, entry->key))
            unknown_in_table(r, table, entry);
    }
}

const char *reader_str(struct reader *r, const struct value *v, const char *what)
{
    if (value_is_str(v))
        return v->u.str.s;
    if (v->type == VALUE_INT)
        return arena_printf(&r->pb->arena, "%lld", (long long)v->u.i);
    fault_add(r->faults, v->src, "%s must be a string, not a %s", what, value_type_name(v->type));
    return "";
}

bool reader_bool(struct reader *r, const struct value *v, const char *what)
{
    if (v->type == VALUE_BOOL)
        return v->u.b;
    if (value_is_str(v) && jinja_has_markup(v->u.str.s))
        fault_add(r->faults, v->src, "%s must be true or false; a template is not supported here",
                  what);
    else
        fault_add(r->faults, v->src, "%s must be true or false, not a %s", what,
                  value_type_name(v->type));
    return false;
}

const struct value *reader_keep(struct reader *r, const struct value *v)
{
    templates_add(&r->pb->templates, v, r->faults);
    return v;
}

const struct value *reader_vars(struct reader *r, const struct value *v, const char *what)
{
    if (v->type == VALUE_NULL)
        return value_map(&r->pb->arena);
    if (v->type == VALUE_MAP)
        return reader_keep(r, v);
    fault_add(r->faults, v->src, "%s must be a mapping, not a %s", what, value_type_name(v->type));
    return value_map(&r->pb->arena);
}

static void split_names(struct reader *r, const char *text, const char *separators,
                        struct value *into)
{
    while (*text) {
        size_t skip = strspn(text, separators), len = strcspn(text + skip, separators);

        if (len > 0)
            value_list_add(&r->pb->arena, into, value_strn(&r->pb->arena, text + skip, len));
        text += skip + len;
    }
}

struct names reader_names(struct reader *r, const struct value *v, const char *what, bool split)
{
    struct value *flat = value_list(&r->pb->arena);
    struct names names;

    if (v->type == VALUE_LIST) {
        for (size_t i = 0; i < v->u.list.n; i++) {
            const char *name = reader_str(r, v->u.list.items[i], what);

            value_list_add(&r->pb->arena, flat, value_str(&r->pb->arena, name));
        }
    } else if (v->type != VALUE_NULL) {
        const char *text = reader_str(r, v, what);

        if (split)
            split_names(r, text, ", ", flat);
        else
            value_list_add(&r->pb->arena, flat, value_str(&r->pb->arena, text));
    }
    names.n = flat->u.list.n;
    names.items = arena_alloc(&r->pb->arena, (names.n + 1) * sizeof(*names.items));
    for (size_t i = 0; i < names.n; i++)
        names.items[i] = flat->u.list.items[i]->u.str.s;
    return names;
}

struct names names_join(struct reader *r, struct names a, struct names b)
{
    struct names both = {NULL, a.n + b.n};

    if (a.n == 0)
        return b;
    if (b.n == 0)
        return a;
    both.items = arena_alloc(&r->pb->arena, (both.n + 1) * sizeof(*both.items));
    memcpy(both.items, a.items, a.n * sizeof(*a.items));
    memcpy(both.items + a.n, b.items, b.n * sizeof(*b.items));
    return both;
}

/* ---- files ---- */

bool reader_enter(struct reader *r, struct source src)
{
    if (r->depth >= READER_MAX_DEPTH) {
        fault_add(r->faults, src, "more than %d imports, roles and blocks inside each other",
                  READER_MAX_DEPTH);
        return false;
    }
    r->depth++;
    return true;
}

void reader_leave(struct reader *r)
{
    r->depth--;
}

const char *reader_path(struct reader *r, const char *folder, const char *name)
{
    return playbook_path(&r->pb->arena, folder, name);
}

const struct value *reader_file(struct reader *r, const char *path, struct source from,
                                bool optional)
{
    struct err err = ERR_INIT;
    const struct value *root = NULL;
    struct str text;

    if (optional && !assets_exists(r->assets, path))
        return NULL;
    str_init(&text, YAML_MAX_BYTES);
    if (assets_read(r->assets, path, &text, &err) < 0) {
        fault_add(r->faults, from, "%s", err.text);
        err_release(&err);
    } else {
        root = yaml_parse(&r->pb->arena, path, text.buf, text.len, r->faults);
    }
    str_release(&text);
    return root;
}

/* ---- plays ---- */

/* A play while it is read: what its tasks inherit, and the lists to read after the plain keys. */
struct play_reader {
    struct play *play;
    struct task outer;
    const struct value *pre_tasks, *roles, *tasks, *post_tasks, *handlers;
};

static void play_name(struct reader *r, void *into, const struct value *v)
{
    ((struct play_reader *)into)->play->name = reader_str(r, v, "name");
}

static void play_hosts(struct reader *r, void *into, const struct value *v)
{
    struct names names = reader_names(r, v, "hosts", false);
    struct str all;

    str_init(&all, STR_MAX_TEXT);
    for (size_t i = 0; i < names.n; i++)
        str_printf(&all, "%s%s", i ? "," : "", names.items[i]);
    if (all.len == 0)
        fault_add(r->faults, v->src, "hosts names no host");
    else if (jinja_has_markup(all.buf))
        fault_add(r->faults, v->src,
                  "a template in hosts is not supported: name a group, and use "
                  "--limit");
    ((struct play_reader *)into)->play->hosts = arena_strdup(&r->pb->arena, all.buf);
    str_release(&all);
}

static void play_gather(struct reader *r, void *into, const struct value *v)
{
    ((struct play_reader *)into)->play->gather_facts = reader_bool(r, v, "gather_facts");
}

static void play_vars(struct reader *r, void *into, const struct value *v)
{
    ((struct play_reader *)into)->play->vars = reader_vars(r, v, "vars");
}

const char *const *vars_file_paths(struct arena *a, const struct play *play, const char *name)
{
    const char **paths = arena_alloc(a, 3 * sizeof(*paths));

    paths[0] = playbook_path(a, playbook_path(a, play->folder, "vars"), name);
    paths[1] = playbook_path(a, play->folder, name);
    paths[2] = NULL;
    return paths;
}

/* The first file there is. */
static const char *find_vars_file(struct reader *r, const struct play *play,
                                  const struct value *names)
{
    for (size_t i = 0; i < names->u.list.n; i++) {
        const char *const *path =
            vars_file_paths(&r->pb->arena, play, names->u.list.items[i]->u.str.s);

        for (; *path; path++)
            if (assets_exists(r->assets, *path) && !assets_is_dir(r->assets, *path))
                return *path;
    }
    return NULL;
}

/* One file, or a list of which the first there is counts. Names without templates are settled now.
 */
static void add_vars_file(struct reader *r, struct play *play, const struct value *v)
{
    struct vars_file file = {.names = v, .src = v->src};
    struct value *one = value_list(&r->pb->arena);
    const struct value *vars;
    const char *path;

    if (v->type != VALUE_LIST) {
        value_list_add(&r->pb->arena, one, (struct value *)v);
        file.names = one;
    }
    for (size_t i = 0; i < file.names->u.list.n; i++)
        if (!value_is_str(file.names->u.list.items[i])) {
            fault_add(r->faults, file.names->u.list.items[i]->src,
                      "vars_files is a list of file names, or of lists of them");
            return;
        }
    reader_keep(r, file.names);
    if (!value_has_markup(file.names)) {
        path = find_vars_file(r, play, file.names);
        if (!path) {
            fault_add(r->faults, v->src, "vars_files: none of these files is there");
            return;
        }
        vars = reader_file(r, path, v->src, false);
        file.vars = vars ? reader_vars(r, vars, "a variables file") : value_map(&r->pb->arena);
    }
    vec_push(&play->vars_files, file);
}

static void play_vars_files(struct reader *r, void *into, const struct value *v)
{
    struct play *play = ((struct play_reader *)into)->play;

    if (v->type == VALUE_LIST)
        for (size_t i = 0; i < v->u.list.n; i++)
            add_vars_file(r, play, v->u.list.items[i]);
    else if (v->type != VALUE_NULL)
        add_vars_file(r, play, v);
}

/* Is it a batch's size: 2, "2" or "30%"? */
static bool is_batch_size(const struct value *v)
{
    size_t digits;

    if (v->type == VALUE_INT)
        return v->u.i > 0;
    if (!value_is_str(v))
        return false;
    digits = strspn(v->u.str.s, "0123456789");
    return digits > 0 && digits < 6 && strtol(v->u.str.s, NULL, 10) > 0 &&
           (v->u.str.s[digits] == '\0' || str_eq(v->u.str.s + digits, "%"));
}

static void play_serial(struct reader *r, void *into, const struct value *v)
{
    struct play *play = ((struct play_reader *)into)->play;
    struct value *list = value_list(&r->pb->arena);

    if (v->type == VALUE_LIST)
        list = (struct value *)v;
    else
        value_list_add(&r->pb->arena, list, (struct value *)v);
    for (size_t i = 0; i < list->u.list.n; i++)
        if (!is_batch_size(list->u.list.items[i])) {
            fault_add(r->faults, list->u.list.items[i]->src,
                      "serial is a number of hosts or a percentage like \"30%%\"");
            return;
        }
    play->serial = list->u.list.n > 0 ? list : NULL;
}

#define PLAY_LIST(field)                                                                           \
    static void play_##field(struct reader *r, void *into, const struct value *v)                  \
    {                                                                                              \
        UNUSED(r);                                                                                 \
        ((struct play_reader *)into)->field = v;                                                   \
    }
PLAY_LIST(pre_tasks)
PLAY_LIST(roles)
PLAY_LIST(tasks)
PLAY_LIST(post_tasks)
PLAY_LIST(handlers)

static const struct key play_keys[] = {
    {"name", play_name, ""},
    {"hosts", play_hosts, "groups, hosts and patterns; no template: name a group and use --limit"},
    {"gather_facts", play_gather,
     "facts ride in the first trip, whatever it says; `false` hides them"},
    {"vars", play_vars, ""},
    {"vars_files", play_vars_files,
     "templates in names, lists of which the first there is counts; no ansible-vault"},
    {"pre_tasks", play_pre_tasks, ""},
    {"roles", play_roles, "names or mappings, with parameters; from `roles/` beside the playbook"},
    {"tasks", play_tasks, ""},
    {"post_tasks", play_post_tasks, ""},
    {"handlers", play_handlers, ""},
    {"serial", play_serial, "numbers and percentages, also as a list"},
    {"max_fail_percentage", NULL, "a failed host drops out; any_errors_fatal stops all"},
    {"order", NULL, "hosts come in the order of the inventory"},
    {"strategy", NULL, "hosts run freely within a play and wait for each other at its end"},
    {"gather_subset", NULL, "all facts are always gathered"},
    {"gather_timeout", NULL, "facts come with the first probe"},
    {"vars_prompt", NULL, "give the variable with -e"},
    {"force_handlers", NULL, "handlers of a failed host run in its next run"},
    {"fact_path", NULL, "local facts are not read"},
    {"port", NULL, "set ansible_port in the inventory"},
};
const struct key_table reader_play_table = {"play", play_keys, ARRAY_LEN(play_keys)};

static void read_play_key(struct reader *r, struct play_reader *into,
                          const struct value_entry *entry)
{
    const struct key *row = reader_common_key(entry->key);

    if (row && !row->read)
        fault_add(r->faults, entry->key_src, "'%s' is not supported: %s", row->name, row->text);
    else if (row && !str_eq(row->name, "vars") && !str_eq(row->name, "name"))
        row->read(r, &into->outer, entry->value);
    else if ((row = reader_key(r, &reader_play_table, entry)))
        row->read(r, into, entry->value);
    else if (!table_has(&reader_play_table, entry->key))
        unknown_in_table(r, &reader_play_table, entry);
}

static void add_flush(struct reader *r, const struct play_reader *from)
{
    struct task flush = {.kind = TASK_FLUSH_HANDLERS, .implicit = true, .src = from->play->src};

    reader_add_task(r, &flush, LIST_TASKS);
}

static void read_lists(struct reader *r, struct play_reader *from)
{
    if (from->pre_tasks) {
        reader_tasks(r, from->pre_tasks, &from->outer, LIST_TASKS);
        add_flush(r, from);
    }
    if (from->roles && from->roles->type == VALUE_LIST)
        for (size_t i = 0; i < from->roles->u.list.n; i++)
            reader_role(r, from->roles->u.list.items[i], &from->outer);
    else if (from->roles && from->roles->type != VALUE_NULL)
        fault_add(r->faults, from->roles->src, "roles must be a list");
    if (from->tasks)
        reader_tasks(r, from->tasks, &from->outer, LIST_TASKS);
    add_flush(r, from);
    if (from->post_tasks) {
        reader_tasks(r, from->post_tasks, &from->outer, LIST_TASKS);
        add_flush(r, from);
    }
    if (from->handlers)
        reader_tasks(r, from->handlers, &from->outer, LIST_HANDLERS);
}

/* Every notified name must be a handler's name or what it listens to. */
static void check_notified(struct reader *r, const struct play *play, const struct task *task)
{
    for (size_t i = 0; i < task->notify.n; i++) {
        const char *name = task->notify.items[i];
        VEC(const char *) known = VEC_INIT;
        bool found = jinja_has_markup(name);

        for (size_t h = 0; h < play->handlers.n; h++) {
            const struct task *handler = &play->handlers.items[h];
            const char *title = task_title(handler, &r->pb->arena);
            const char *plain = handler->name ? handler->name->u.str.s : title;

            found |=
                str_eq(plain, name) || str_eq(title, name) || names_have(&handler->listen, name);
            vec_push(&known, plain);
        }
        if (!found) {
            const char *near = nearest_word(name, known.items, known.n);

            fault_add(r->faults, task->src, "notify: there is no handler '%s'", name);
            if (near)
                fault_hint(r->faults, "did you mean '%s'?", near);
        }
        vec_release(&known);
    }
}

/* A task of a loop is met several times; the hosts wait for each other only once. */
static void check_run_once(struct reader *r, const struct task *task)
{
    for (const struct frame *frame = task->frame; frame; frame = frame->outer)
        if (task->run_once == CHOICE_YES && frame->include && frame->include->loops)
            fault_add(r->faults, task->src,
                      "run_once is not supported in a file that is included by a loop: use "
                      "`when: inventory_hostname == ansible_play_hosts[0]`");
}

static void finish_play(struct reader *r, struct play *play)
{
    vec_each (task, &play->tasks) {
        check_notified(r, play, task);
        check_run_once(r, task);
    }
    vec_each (task, &play->handlers) {
        if (task->run_once == CHOICE_YES)
            fault_add(r->faults, task->src, "run_once is not supported for a handler");
        if (!task->name && task->listen.n == 0)
            fault_add(r->faults, task->src, "a handler needs a name");
        check_notified(r, play, task);
    }
}

static void read_play(struct reader *r, const struct value *v)
{
    struct play *play = arena_new(&r->pb->arena, struct play);
    struct play_reader into = {.play = play};

    vec_push(&r->pb->plays, play);
    play->src = v->src;
    play->gather_facts = true;
    play->folder = r->pb->folder;
    into.outer = (struct task){.folder = r->pb->folder, .loop_var = "item"};
    r->play = play;
    for (size_t i = 0; i < v->u.map.n; i++)
        read_play_key(r, &into, &v->u.map.entries[i]);
    if (!play->hosts)
        fault_add(r->faults, v->src, "a play needs hosts");
    if (!play->name)
        play->name = play->hosts ? play->hosts : "";
    play->any_errors_fatal = into.outer.any_errors_fatal == CHOICE_YES;
    play->become = into.outer.become == CHOICE_YES;
    play->tags = into.outer.tags;
    read_lists(r, &into);
    finish_play(r, play);
}

static void read_plays(struct reader *r, const char *path, struct source from);

static void read_import(struct reader *r, const struct value *map, const struct value *file)
{
    const char *outer = r->pb->folder;
    const char *name = reader_str(r, file, "import_playbook");

    for (size_t i = 0; i < map->u.map.n; i++)
        if (!str_eq(map->u.map.entries[i].key, "name") && map->u.map.entries[i].value != file)
            fault_add(r->faults, map->u.map.entries[i].key_src,
                      "'%s' is not supported beside import_playbook", map->u.map.entries[i].key);
    if (jinja_has_markup(name)) {
        fault_add(r->faults, file->src, "a template in import_playbook is not supported");
        return;
    }
    read_plays(r, reader_path(r, outer, name), file->src);
    r->pb->folder = outer;
}

static void read_plays(struct reader *r, const char *path, struct source from)
{
    const struct value *root;
    char *folder;

    if (!reader_enter(r, from))
        return;
    folder = path_dir(path);
    r->pb->folder =
        str_starts(path, "./") && str_eq(folder, ".")
            ? "."
            : arena_printf(&r->pb->arena, "%s%s",
                           str_starts(path, "./") && !str_starts(folder, ".") ? "./" : "", folder);
    free(folder);
    root = reader_file(r, path, from, false);
    if (root && root->type != VALUE_LIST)
        fault_add(r->faults, root->src, "a playbook is a list of plays, not a %s",
                  value_type_name(root->type));
    for (size_t i = 0; root && root->type == VALUE_LIST && i < root->u.list.n; i++) {
        const struct value *v = root->u.list.items[i];
        const struct value *import = value_get(v, "import_playbook");

        if (!import)
            import = value_get(v, "ansible.builtin.import_playbook");
        if (v->type != VALUE_MAP)
            fault_add(r->faults, v->src, "a play is a mapping, not a %s", value_type_name(v->type));
        else if (import)
            read_import(r, v, import);
        else
            read_play(r, v);
    }
    reader_leave(r);
}

struct playbook *playbook_load(const struct assets *assets, const char *path, struct faults *faults)
{
    struct playbook *pb = xcalloc(1, sizeof(*pb));
    struct reader r = {.pb = pb, .assets = assets, .faults = faults};
    size_t before = faults->n;

    arena_init(&pb->arena);
    templates_init(&pb->templates, &pb->arena);
    map_init(&r.roles);
    map_init(&r.open);
    pb->path = arena_strdup(&pb->arena, path);
    read_plays(&r, pb->path, (struct source){pb->path, 0, 0});
    map_release(&r.roles);
    map_release(&r.open);
    if (faults->n == before)
        return pb;
    playbook_free(pb);
    return NULL;
}

void playbook_free(struct playbook *pb)
{
    if (!pb)
        return;
    vec_each (play, &pb->plays) {
        vec_release(&(*play)->vars_files);
        vec_release(&(*play)->tasks);
        vec_release(&(*play)->handlers);
        vec_release(&(*play)->roles);
        vec_release(&(*play)->blocks);
    }
    vec_each (include, &pb->includes)
        vec_release(&(*include)->files);
    vec_release(&pb->includes);
    vec_release(&pb->plays);
    templates_release(&pb->templates);
    arena_release(&pb->arena);
    free(pb);
}

/* ---- what it says ---- */

bool names_have(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (str_eq(names->items[i], name))
            return true;
    return false;
}

bool task_is_real(const struct task *task)
{
    return task->kind == TASK_MODULE || task->kind == TASK_FLUSH_HANDLERS ||
           task->kind == TASK_NOOP;
}

const char *task_title(const struct task *task, struct arena *a)
{
    const char *name = task->name     ? task->name->u.str.s
                       : task->module ? task->module->name
                                      : "meta";

    return task->role ? arena_printf(a, "%s : %s", task->role->role->name, name) : name;
}

static struct value *describe_tasks(const struct play *play, struct arena *a)
{
    struct value *list = value_list(a);

    vec_each (task, &play->tasks) {
        struct value *v = value_map(a), *tags = value_list(a);

        if (task->kind != TASK_MODULE)
            continue;
        for (size_t i = 0; i < task->tags.n; i++)
            value_list_add(a, tags, value_str(a, task->tags.items[i]));
        value_map_set(a, v, "name", value_str(a, task_title(task, a)));
        value_map_set(a, v, "module", value_str(a, task->module->name));
        value_map_set(a, v, "tags", tags);
        value_list_add(a, list, v);
    }
    return list;
}

struct value *playbook_describe(const struct playbook *pb, struct arena *a)
{
    struct value *plays = value_list(a);

    vec_each (play, &pb->plays) {
        struct value *v = value_map(a);

        value_map_set(a, v, "name", value_str(a, (*play)->name));
        value_map_set(a, v, "hosts", value_str(a, (*play)->hosts));
        value_map_set(a, v, "tasks", describe_tasks(*play, a));
        value_list_add(a, plays, v);
    }
    return plays;
}
