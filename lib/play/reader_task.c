/*
 * reader_task.c - tasks, blocks and imported files of tasks.
 */
#include "lib/base/file.h"
#include "lib/play/args.h"
#include "lib/play/reader.h"

/* ---- keywords ---- */

static struct expression read_expression(struct reader *r, const struct value *v)
{
    struct expression e = {.src = v->src};
    struct err err = ERR_INIT;

    if (v->type == VALUE_BOOL)
        e.text = v->u.b ? "true" : "false";
    else
        e.text = reader_str(r, v, "a condition");
    if (*e.text == '\0') {
        if (value_is_str(v))
            fault_add(r->faults, v->src, "a condition is empty");
        e.text = "true";
    }
    e.parsed = jinja_parse_expression(&r->pb->arena, v->src, e.text, strlen(e.text), &err);
    if (!e.parsed) {
        fault_add_syntax(r->faults, v->src, &err);
        if (jinja_has_markup(e.text))
            fault_hint(r->faults, "a condition is an expression already: leave out the braces");
        err_release(&err);
    }
    return e;
}

/* One condition or a list of them, behind those that there are. */
static void add_expressions(struct reader *r, struct expressions *to, const struct value *v)
{
    size_t more = v->type == VALUE_LIST ? v->u.list.n : 1;
    struct expression *items;

    if (v->type == VALUE_NULL)
        return;
    items = arena_alloc(&r->pb->arena, (to->n + more) * sizeof(*items));
    if (to->n > 0)
        memcpy(items, to->items, to->n * sizeof(*items));
    for (size_t i = 0; i < more; i++)
        items[to->n + i] = read_expression(r, v->type == VALUE_LIST ? v->u.list.items[i] : v);
    *to = (struct expressions){items, to->n + more};
}

static void key_name(struct reader *r, void *into, const struct value *v)
{
    struct task *task = into;

    if (v->type == VALUE_NULL)
        return;
    if (value_is_str(v))
        task->name = reader_keep(r, v);
    else
        task->name = value_str(&r->pb->arena, reader_str(r, v, "name"));
}

static void key_when(struct reader *r, void *into, const struct value *v)
{
    add_expressions(r, &((struct task *)into)->when, v);
}

static void key_until(struct reader *r, void *into, const struct value *v)
{
    add_expressions(r, &((struct task *)into)->until, v);
}

static void key_changed_when(struct reader *r, void *into, const struct value *v)
{
    struct task *task = into;

    task->has_changed_when = true;
    add_expressions(r, &task->changed_when, v);
}

static void key_failed_when(struct reader *r, void *into, const struct value *v)
{
    struct task *task = into;

    task->has_failed_when = true;
    add_expressions(r, &task->failed_when, v);
}

static void key_tags(struct reader *r, void *into, const struct value *v)
{
    struct task *task = into;

    task->tags = names_join(r, task->tags, reader_names(r, v, "tags", true));
}

static void key_notify(struct reader *r, void *into, const struct value *v)
{
    struct task *task = into;

    task->notify = names_join(r, task->notify, reader_names(r, v, "notify", false));
}

static void key_listen(struct reader *r, void *into, const struct value *v)
{
    struct task *task = into;

    task->listen = names_join(r, task->listen, reader_names(r, v, "listen", false));
}

static void key_vars(struct reader *r, void *into, const struct value *v)
{
    struct task *task = into;
    struct frame *frame = arena_new(&r->pb->arena, struct frame);

    frame->vars = reader_vars(r, v, "vars");
    frame->outer = task->frame;
    task->frame = frame;
}

static void key_environment(struct reader *r, void *into, const struct value *v)
{
    struct task *task = into;
    struct value *list = value_list(&r->pb->arena);

    for (size_t i = 0; task->environment && i < task->environment->u.list.n; i++)
        value_list_add(&r->pb->arena, list, task->environment->u.list.items[i]);
    reader_keep(r, v);
    if (v->type != VALUE_LIST)
        value_list_add(&r->pb->arena, list, (struct value *)v);
    for (size_t i = 0; v->type == VALUE_LIST && i < v->u.list.n; i++)
        value_list_add(&r->pb->arena, list, v->u.list.items[i]);
    task->environment = list;
}

static enum choice read_choice(struct reader *r, const struct value *v, const char *what)
{
    return reader_bool(r, v, what) ? CHOICE_YES : CHOICE_NO;
}

#define CHOICE_KEY(field)                                                                          \
    static void key_##field(struct reader *r, void *into, const struct value *v)                   \
    {                                                                                              \
        ((struct task *)into)->field = read_choice(r, v, #field);                                  \
    }
CHOICE_KEY(check_mode)
CHOICE_KEY(diff)
CHOICE_KEY(run_once)
CHOICE_KEY(any_errors_fatal)

#define VALUE_KEY(field)                                                                           \
    static void key_##field(struct reader *r, void *into, const struct value *v)                   \
    {                                                                                              \
        ((struct task *)into)->field = reader_keep(r, v);                                          \
    }
VALUE_KEY(ignore_errors)
VALUE_KEY(no_log)
VALUE_KEY(retries)
VALUE_KEY(delay)
VALUE_KEY(loop)

static void key_become(struct reader *r, void *into, const struct value *v)
{
    struct task *task = into;
    enum choice choice = read_choice(r, v, "become");

    if (choice == CHOICE_NO && task->become == CHOICE_YES)
        fault_add(r->faults, v->src,
                  "become: false inside become: true is not supported: a host has one connection");
    task->become = choice;
}

static void key_become_user(struct reader *r, void *into, const struct value *v)
{
    UNUSED(into);
    if (!str_eq(reader_str(r, v, "become_user"), "root"))
        fault_add(r->faults, v->src,
                  "become_user may only be root: use `runuser -u NAME --` in a command");
}

static void key_become_method(struct reader *r, void *into, const struct value *v)
{
    UNUSED(into);
    if (!str_eq(reader_str(r, v, "become_method"), "sudo"))
        fault_add(r->faults, v->src, "become_method may only be sudo");
}

#define WITH_KEY(lookup)                                                                           \
    static void key_with_##lookup(struct reader *r, void *into, const struct value *v)             \
    {                                                                                              \
        key_loop(r, into, v);                                                                      \
        ((struct task *)into)->loop_with = #lookup;                                                \
    }
WITH_KEY(dict)
WITH_KEY(fileglob)
WITH_KEY(first_found)
WITH_KEY(flattened)
WITH_KEY(indexed_items)
WITH_KEY(items)
WITH_KEY(list)
WITH_KEY(nested)
WITH_KEY(sequence)
WITH_KEY(subelements)
WITH_KEY(together)

static bool is_variable_name(const char *name)
{
    const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

    if (!*name || !strchr(letters, *name))
        return false;
    for (; *name; name++)
        if (!strchr(letters, *name) && !(*name >= '0' && *name <= '9'))
            return false;
    return true;
}

static const char *variable_name(struct reader *r, const struct value *v, const char *what)
{
    const char *name = reader_str(r, v, what);

    if (!is_variable_name(name))
        fault_add(r->faults, v->src, "'%s' cannot be a variable's name", name);
    return name;
}

static void control_var(struct reader *r, void *into, const struct value *v)
{
    ((struct task *)into)->loop_var = variable_name(r, v, "loop_var");
}

static void control_label(struct reader *r, void *into, const struct value *v)
{
    ((struct task *)into)->loop_label = reader_keep(r, v);
}

static void control_index(struct reader *r, void *into, const struct value *v)
{
    ((struct task *)into)->index_var = variable_name(r, v, "index_var");
}

static const struct key control_keys[] = {
    {"loop_var", control_var, ""},
    {"index_var", control_index, ""},
    {"label", control_label, ""},
    {"pause", NULL, "use until with delay to wait for something"},
    {"extended", NULL, "only the item and its index are known: use index_var"},
};
const struct key_table reader_control_table = {"loop_control", control_keys,
                                               ARRAY_LEN(control_keys)};

static void key_loop_control(struct reader *r, void *into, const struct value *v)
{
    if (v->type == VALUE_MAP)
        reader_map(r, &reader_control_table, v, into);
    else
        fault_add(r->faults, v->src, "loop_control must be a mapping");
}

static void key_register(struct reader *r, void *into, const struct value *v)
{
    ((struct task *)into)->registers = variable_name(r, v, "register");
}

static const struct key common_keys[] = {
    {"name", key_name, "text; templates are rendered"},
    {"when", key_when,
     "an expression, or a list of them; with `run_once` and includes as with Ansible"},
    {"tags", key_tags, "also `always` and `never`"},
    {"vars", key_vars, ""},
    {"environment", key_environment, "a mapping, or a list of them"},
    {"become", key_become,
     "one answer for all: `false` inside `true` is refused, for a host has one connection"},
    {"become_user", key_become_user, "`root` only; else `runuser -u NAME --` in a command"},
    {"become_method", key_become_method, "`sudo` only"},
    {"check_mode", key_check_mode, "true or false, no template"},
    {"diff", key_diff, "true or false, no template"},
    {"run_once", key_run_once, "not of handlers, nor in a file that is included by a loop"},
    {"any_errors_fatal", key_any_errors_fatal, ""},
    {"ignore_errors", key_ignore_errors, ""},
    {"no_log", key_no_log, ""},
    {"delegate_to", NULL, "a task runs on its own host; give the other host a play of its own"},
    {"delegate_facts", NULL, "a task runs on its own host"},
    {"become_flags", NULL, "scripts run by `sudo -n`"},
    {"become_exe", NULL, "scripts run by `sudo -n`"},
    {"collections", NULL, "modules are built in; ansible.builtin.NAME is accepted"},
    {"connection", NULL, "hosts are reached by SSH"},
    {"remote_user", NULL, "set ansible_user in the inventory"},
    {"ignore_unreachable", NULL, "an unreachable host drops out"},
    {"module_defaults", NULL, "give the arguments to each task"},
    {"throttle", NULL, "use serial"},
    {"debugger", NULL, "use -v"},
    {"timeout", NULL, "use `timeout SECONDS` in a command"},
};

const struct key_table reader_common_table = {"play, block, role or task", common_keys,
                                              ARRAY_LEN(common_keys)};

static const struct key task_keys[] = {
    {"loop", key_loop, ""},
    {"with_dict", key_with_dict, "`item.key` and `item.value`"},
    {"with_fileglob", key_with_fileglob, "files of this machine"},
    {"with_first_found", key_with_first_found, "every variable in it must be defined"},
    {"with_flattened", key_with_flattened, ""},
    {"with_indexed_items", key_with_indexed_items, "`item.0` is the number, from 0"},
    {"with_items", key_with_items, "flattens one level, as with Ansible"},
    {"with_list", key_with_list, ""},
    {"with_nested", key_with_nested, "`item.0`, `item.1`, ..."},
    {"with_sequence", key_with_sequence, "`start=1 end=9 stride=2 format=%02d`, or `1-9/2:%02d`"},
    {"with_subelements", key_with_subelements, "`item.0` is without the list that `item.1` is of"},
    {"with_together", key_with_together, "`item.0`, `item.1`, ..."},
    {"loop_control", key_loop_control, "see below"},
    {"notify", key_notify, ""},
    {"listen", key_listen, "of handlers"},
    {"register", key_register, ""},
    {"until", key_until, ""},
    {"retries", key_retries, "default 3"},
    {"delay", key_delay, "default 5"},
    {"changed_when", key_changed_when, ""},
    {"failed_when", key_failed_when, ""},
    {"async", NULL, "a task ends before the next begins"},
    {"poll", NULL, "a task ends before the next begins"},
    {"action", NULL, "write the module's name as the key"},
    {"local_action", NULL, "a task runs on its host"},
    {"with_cartesian", NULL, "use with_nested"},
    {"with_file", NULL, "use loop with lookup('file', item)"},
    {"with_lines", NULL, "use a task with command and register"},
    {"with_random_choice", NULL, "a plan gives the same every time"},
};
const struct key_table reader_task_table = {"task", task_keys, ARRAY_LEN(task_keys)};

const struct key *reader_common_key(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(common_keys); i++)
        if (str_eq(common_keys[i].name, name))
            return &common_keys[i];
    return NULL;
}

/* ---- tasks ---- */

/* A task while it is read: the key that says what it does, and `args:`. */
struct task_reader {
    struct task task;
    const struct value *map;
    const struct task *outer;
    const struct value_entry *action;
    const struct value *args;
};

static const char *short_name(const char *name)
{
    static const char *const prefixes[] = {"ansible.builtin.", "ansible.legacy."};

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (str_starts(name, prefixes[i]))
            return name + strlen(prefixes[i]);
    return name;
}

const struct action reader_actions[] = {
    {"meta", "`flush_handlers` and `noop`", true},
    {"import_tasks", "a file's name without templates; no loop", true},
    {"include_tasks",
     "with `loop`, `when`, `apply`; templates in the file's name, not in its folder", true},
    {"import_role", "`name` and `tasks_from`; no loop", true},
    {"include_role", "read at the start as `import_role` is; no loop", true},
    {"include", "use import_tasks", false},
    {NULL, NULL, false},
};

static bool is_action(const char *key)
{
    const char *name = short_name(key);

    for (const struct action *action = reader_actions; action->name; action++)
        if (str_eq(action->name, name))
            return true;
    return module_find(key) != NULL;
}

static void unknown_action(struct reader *r, const struct value_entry *entry)
{
    static const char *const more[] = {"block",         "rescue",      "always",
                                       "args",          "meta",        "import_tasks",
                                       "include_tasks", "import_role", "include_role"};
    VEC(const char *) known = VEC_INIT;

    for (size_t i = 0; module_list[i]; i++)
        vec_push(&known, module_list[i]->name);
    for (size_t i = 0; i < ARRAY_LEN(common_keys); i++)
        if (common_keys[i].read)
            vec_push(&known, common_keys[i].name);
    for (size_t i = 0; i < ARRAY_LEN(task_keys); i++)
        if (task_keys[i].read)
            vec_push(&known, task_keys[i].name);
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        vec_push(&known, more[i]);
    fault_add(r->faults, entry->key_src, "'%s' is neither a key of a task nor a known module",
              entry->key);
    if (nearest_word(short_name(entry->key), known.items, known.n))
        fault_hint(r->faults, "did you mean '%s'?",
                   nearest_word(short_name(entry->key), known.items, known.n));
    vec_release(&known);
}

static void read_task_key(struct reader *r, struct task_reader *into,
                          const struct value_entry *entry)
{
    const struct key *row = reader_common_key(entry->key);

    for (size_t i = 0; !row && i < reader_task_table.n; i++)
        if (str_eq(task_keys[i].name, entry->key))
            row = &task_keys[i];
    if (row && row->read) {
        row->read(r, &into->task, entry->value);
    } else if (row) {
        fault_add(r->faults, entry->key_src, "'%s' is not supported: %s", row->name, row->text);
    } else if (str_eq(entry->key, "args")) {
        into->args = entry->value;
    } else if (!is_action(entry->key)) {
        unknown_action(r, entry);
    } else if (into->action) {
        fault_add(r->faults, entry->key_src, "a task has one module: there is '%s' already",
                  into->action->key);
    } else {
        into->action = entry;
    }
}

/* Arguments as one map: those of the module's key over those of `args`. */
static void read_arguments(struct reader *r, struct task_reader *from)
{
    struct task *task = &from->task;
    struct arena *a = &r->pb->arena;
    const struct value *v = from->action->value;
    struct value *args = value_map(a);
    struct err err = ERR_INIT;
    const char *free_form = NULL;

    if (v->type == VALUE_MAP) {
        args = value_merge(a, args, v);
    } else if (value_is_str(v)) {
        args = args_split(a, task->module, v->src, v->u.str.s, &free_form, &err);
    } else if (v->type != VALUE_NULL) {
        fault_add(r->faults, v->src, "arguments of %s must be a mapping or text, not a %s",
                  task->module->name, value_type_name(v->type));
        return;
    }
    if (!args) {
        fault_add_syntax(r->faults, v->src, &err);
        err_release(&err);
        return;
    }
    if (from->args && from->args->type == VALUE_MAP)
        args = value_merge(a, from->args, args);
    else if (from->args)
        fault_add(r->faults, from->args->src, "args must be a mapping");
    args->src = v->src;
    args_check(task->module, args, free_form, task->src, r->faults);
    task->args = reader_keep(r, args);
    if (free_form) {
        struct value *text = value_str(a, free_form);

        text->src = v->src;
        task->free_form = reader_keep(r, text);
    }
}

static void read_meta(struct reader *r, struct task_reader *from, enum task_list to)
{
    const char *what = reader_str(r, from->action->value, "meta");

    if (str_eq(what, "flush_handlers") && to == LIST_TASKS)
        from->task.kind = TASK_FLUSH_HANDLERS;
    else if (str_eq(what, "noop"))
        from->task.kind = TASK_NOOP;
    else
        fault_add(r->faults, from->action->value->src,
                  "meta: '%s' is not supported: only flush_handlers (not in a handler) and noop",
                  what);
    reader_add_task(r, &from->task, to);
}

/* A task that stands for other tasks cannot repeat them or have a result. */
static void refuse_result_keys(struct reader *r, const struct task_reader *from, const char *what)
{
    const struct task *task = &from->task;

    if (task->loop && !str_eq(short_name(what), "include_tasks"))
        fault_add(r->faults, task->src, "loop is not supported with %s%s", what,
                  str_eq(short_name(what), "import_tasks") ? ": use include_tasks" : "");
    if (task->registers || task->until.n || task->has_changed_when || task->has_failed_when)
        fault_add(r->faults, task->src,
                  "register, until, changed_when and failed_when are not supported with %s", what);
}

static void read_import_tasks(struct reader *r, struct task_reader *from, enum task_list to)
{
    const struct value *v = from->action->value;
    const struct value *file = v->type == VALUE_MAP ? value_get(v, "file") : v;
    const char *name, *path;

    refuse_result_keys(r, from, from->action->key);
    if (!file || (v->type == VALUE_MAP && v->u.map.n > 1)) {
        fault_add(r->faults, v->src, "%s takes the name of a file and nothing else",
                  from->action->key);
        return;
    }
    name = reader_str(r, file, "the file");
    if (jinja_has_markup(name)) {
        fault_add(r->faults, file->src, "a template in %s is not supported: use include_tasks",
                  from->action->key);
        return;
    }
    path = reader_path(r, from->task.folder, name);
    if (from->task.role && !assets_exists(r->assets, path))
        path = reader_path(r, reader_path(r, from->task.role->role->path, "tasks"), name);
    reader_tasks_file(r, path, file->src, &from->task, to);
}

/* As Ansible: the tasks of the file inherit nothing from the include but its variables, so other
 * keys are refused where they would do nothing. */
static void read_include_tasks(struct reader *r, struct task_reader *from, enum task_list to)
{
    static const char *const allowed[] = {"name",     "when",         "tags",   "vars",
                                          "loop",     "loop_control", "no_log", "ignore_errors",
                                          "run_once", "register"};

    refuse_result_keys(r, from, from->action->key);
    for (size_t i = 0; i < from->map->u.map.n; i++) {
        const struct value_entry *entry = &from->map->u.map.entries[i];
        bool known = entry == from->action;

        for (size_t k = 0; k < ARRAY_LEN(allowed) && !known; k++)
            known = str_eq(entry->key, allowed[k]) || str_starts(entry->key, "with_");
        if (!known)
            fault_add(r->faults, entry->key_src,
                      "'%s' is no key of include_tasks: the file's tasks get it by apply",
                      entry->key);
    }
    if (to == LIST_HANDLERS)
        fault_add(r->faults, from->task.src,
                  "include_tasks is not supported in handlers: use import_tasks");
    else
        reader_include_tasks(r, &from->task, from->action->value, from->outer);
}

static void read_action(struct reader *r, struct task_reader *from, enum task_list to)
{
    const char *name = short_name(from->action->key);

    if (str_eq(name, "meta")) {
        read_meta(r, from, to);
    } else if (str_eq(name, "import_tasks")) {
        read_import_tasks(r, from, to);
    } else if (str_eq(name, "include_tasks")) {
        read_include_tasks(r, from, to);
    } else if (str_eq(name, "import_role") || str_eq(name, "include_role")) {
        refuse_result_keys(r, from, name);
        if (to == LIST_HANDLERS)
            fault_add(r->faults, from->task.src, "%s is not supported in handlers", name);
        else
            reader_import_role(r, from->action->value, &from->task);
    } else if (str_eq(name, "include")) {
        fault_add(r->faults, from->action->key_src, "'include' is not supported: use import_tasks");
    } else {
        from->task.module = module_find(from->action->key);
        read_arguments(r, from);
        reader_add_task(r, &from->task, to);
    }
}

void reader_block_key(struct reader *r, struct task *around, const struct value_entry *entry,
                      const char *what)
{
    const struct key *row = reader_common_key(entry->key);

    if (str_eq(entry->key, "notify"))
        key_notify(r, around, entry->value);
    else if (row && row->read)
        row->read(r, around, entry->value);
    else if (row)
        fault_add(r->faults, entry->key_src, "'%s' is not supported: %s", row->name, row->text);
    else
        fault_add(r->faults, entry->key_src, "'%s' is no key of %s", entry->key, what);
}

static size_t add_mark(struct reader *r, enum task_kind kind, const struct block *block,
                       const struct value *v)
{
    struct task mark = {.kind = kind, .block = block, .src = v->src};

    reader_add_task(r, &mark, LIST_TASKS);
    return r->play->tasks.n - 1;
}

static void read_part(struct reader *r, const struct value *v, const char *part,
                      const struct task *around)
{
    const struct value *list = value_get(v, part);

    if (list)
        reader_tasks(r, list, around, LIST_TASKS);
}

/* A block that has something to do when a task of it fails. */
static void read_guarded_block(struct reader *r, const struct value *v, struct task *around)
{
    struct block *block = arena_new(&r->pb->arena, struct block);

    block->index = r->play->blocks.n;
    block->outer = around->block;
    vec_push(&r->play->blocks, block);
    around->block = block;
    block->first = r->play->tasks.n;
    read_part(r, v, "block", around);
    block->rescue = add_mark(r, TASK_RESCUE, block, v);
    read_part(r, v, "rescue", around);
    block->always = add_mark(r, TASK_ALWAYS, block, v);
    read_part(r, v, "always", around);
    block->end = add_mark(r, TASK_BLOCK_END, block, v);
}

static bool is_block_part(const char *key)
{
    return str_eq(key, "block") || str_eq(key, "rescue") || str_eq(key, "always");
}

static void read_block(struct reader *r, const struct value *v, const struct task *outer,
                       enum task_list to)
{
    struct task around = *outer;
    bool guarded = value_get(v, "rescue") || value_get(v, "always");

    for (size_t i = 0; i < v->u.map.n; i++)
        if (!is_block_part(v->u.map.entries[i].key))
            reader_block_key(r, &around, &v->u.map.entries[i], "a block");
    around.name = NULL;
    if (to == LIST_HANDLERS && guarded)
        fault_add(r->faults, v->src, "rescue and always are not supported in handlers");
    else if (guarded)
        read_guarded_block(r, v, &around);
    else
        reader_tasks(r, value_get(v, "block"), &around, to);
}

/* The word of a block that stands where no block does. */
static bool lacks_block(struct reader *r, const struct value *v)
{
    for (size_t i = 0; i < v->u.map.n; i++)
        if (is_block_part(v->u.map.entries[i].key)) {
            fault_add(r->faults, v->u.map.entries[i].key_src, "'%s' needs a block beside it",
                      v->u.map.entries[i].key);
            return true;
        }
    return false;
}

static void read_task(struct reader *r, const struct value *v, const struct task *outer,
                      enum task_list to)
{
    struct task_reader into = {.task = *outer, .map = v, .outer = outer};

    if (v->type != VALUE_MAP) {
        fault_add(r->faults, v->src, "a task is a mapping, not a %s", value_type_name(v->type));
        return;
    }
    if (value_get(v, "block")) {
        read_block(r, v, outer, to);
        return;
    }
    if (lacks_block(r, v))
        return;
    into.task.src = v->src;
    for (size_t i = 0; i < v->u.map.n; i++)
        read_task_key(r, &into, &v->u.map.entries[i]);
    if (into.task.listen.n > 0 && to != LIST_HANDLERS)
        fault_add(r->faults, v->src, "listen is for handlers");
    if (into.action)
        read_action(r, &into, to);
    else
        fault_add(r->faults, v->src, "the task names no module");
}

void reader_tasks(struct reader *r, const struct value *list, const struct task *outer,
                  enum task_list to)
{
    if (list->type == VALUE_NULL)
        return;
    if (list->type != VALUE_LIST) {
        fault_add(r->faults, list->src, "tasks are a list, not a %s", value_type_name(list->type));
        return;
    }
    if (!reader_enter(r, list->src))
        return;
    for (size_t i = 0; i < list->u.list.n; i++)
        read_task(r, list->u.list.items[i], outer, to);
    reader_leave(r);
}

void reader_tasks_file(struct reader *r, const char *path, struct source from,
                       const struct task *outer, enum task_list to)
{
    struct task around = *outer;
    const struct value *list;
    char *folder;

    if (map_has(&r->open, path)) {
        fault_add(r->faults, from, "%s imports or includes itself", path);
        return;
    }
    if (!reader_enter(r, from))
        return;
    map_set(&r->open, path, r);
    list = reader_file(r, path, from, false);
    folder = path_dir(path);
    around.folder =
        reader_path(r, str_starts(path, "./") ? "." : folder, str_starts(path, "./") ? folder : "");
    around.name = NULL;
    if (list)
        reader_tasks(r, list, &around, to);
    free(folder);
    map_del(&r->open, path);
    reader_leave(r);
}

void reader_add_task(struct reader *r, const struct task *task, enum task_list to)
{
    if (r->play->tasks.n + r->play->handlers.n >= READER_MAX_TASKS) {
        if (r->play->tasks.n + r->play->handlers.n == READER_MAX_TASKS)
            fault_add(r->faults, task->src, "a play has more than %d tasks", READER_MAX_TASKS);
        return;
    }
    if (to == LIST_HANDLERS)
        vec_push(&r->play->handlers, *task);
    else
        vec_push(&r->play->tasks, *task);
}
