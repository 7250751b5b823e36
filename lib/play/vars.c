/*
 * vars.c - looking names up, and rendering what they hold.
 */
#include "lib/play/vars.h"

#include "lib/doc/yaml.h"
#include "lib/play/controller.h"

/* Stands for `omit`; no variable can hold it by chance. */
#define OMIT "__omit_place_holder__7c1e5a0b9d"

struct resolving {
    const char *name;
    const struct value *value;
    const struct resolving *outer;
};

void scope_set(struct scope *scope, const char *name, const struct value *value)
{
    if (scope->n_locals == SCOPE_LOCALS)
        BUG("more than %d local variables", SCOPE_LOCALS);
    scope->locals[scope->n_locals++] = (struct local){name, value};
}

void scope_set_item(struct scope *scope, struct arena *a, const struct task *task,
                    const struct value *item, size_t index)
{
    scope_set(scope, task->loop_var, item);
    if (task->index_var)
        scope_set(scope, task->index_var, value_int(a, (int64_t)index));
}

/* ---- hostvars ---- */

/* hostvars['db1']: variables of one host, as other hosts see them. */
static enum lookup host_view_get(const struct value_object *self, struct arena *a, const char *key,
                                 const struct value **out, struct err *err)
{
    struct scope view = {.host = self->data};

    return vars_get(&view, a, key, out, err);
}

static size_t host_view_count(const struct value_object *self)
{
    return ((struct host *)self->data)->vars->u.map.n;
}

static const char *host_view_key(const struct value_object *self, size_t i)
{
    return ((struct host *)self->data)->vars->u.map.entries[i].key;
}

static enum lookup hostvars_get(const struct value_object *self, struct arena *a, const char *key,
                                const struct value **out, struct err *err)
{
    struct host *host = map_get(&((struct run *)self->data)->by_name, key);

    UNUSED(a);
    UNUSED(err);
    if (!host)
        return LOOKUP_MISSING;
    *out = host->view;
    return LOOKUP_FOUND;
}

static size_t hostvars_count(const struct value_object *self)
{
    return ((struct run *)self->data)->by_name.n;
}

static const char *hostvars_key(const struct value_object *self, size_t i)
{
    return ((struct run *)self->data)->by_name.entries[i].key;
}

static const struct value *new_object(struct arena *a, struct value_object members)
{
    struct value_object *object = arena_new(a, struct value_object);
    struct value *v = arena_new(a, struct value);

    *object = members;
    v->type = VALUE_OBJECT;
    v->u.object = object;
    return v;
}

void vars_init(struct run *run)
{
    run->hostvars = new_object(
        &run->arena, (struct value_object){hostvars_get, hostvars_count, hostvars_key, run});
    for (size_t i = 0; i < run->n; i++)
        run->hosts[i].view =
            new_object(&run->arena, (struct value_object){host_view_get, host_view_count,
                                                          host_view_key, &run->hosts[i]});
}

/* ---- magic names ---- */

static const struct value *facts_of(const struct scope *scope)
{
    struct host *host = scope->host;

    return scope->stage ? world_facts(&host->world) : host->published_facts;
}

static bool facts_visible(const struct scope *scope)
{
    return !scope->stage || scope->stage->play->gather_facts || scope->host->facts_visible;
}

static bool facts_come(const struct scope *scope)
{
    return scope->stage && !world_facts(&scope->host->world);
}

static const struct value *text_value(struct arena *a, const char *text)
{
    return text ? value_str(a, text) : NULL;
}

static const struct value *role_name(const struct scope *s, struct arena *a)
{
    return s->task && s->task->role ? text_value(a, s->task->role->role->name) : NULL;
}

static const struct value *role_path(const struct scope *s, struct arena *a)
{
    return s->task && s->task->role ? text_value(a, s->task->role->role->path) : NULL;
}

static const struct value *playbook_dir(const struct scope *s, struct arena *a)
{
    return text_value(a, s->stage ? s->stage->play->folder : s->host->run->pb->folder);
}

static const struct value *play_name(const struct scope *s, struct arena *a)
{
    return s->stage ? text_value(a, s->stage->play->name) : NULL;
}

static const struct value *play_hosts_all(const struct scope *s, struct arena *a)
{
    UNUSED(a);
    return s->stage ? s->stage->host_names : NULL;
}

static const struct value *play_hosts(const struct scope *s, struct arena *a)
{
    UNUSED(a);
    return s->stage ? s->stage->alive_names : NULL;
}

static const struct value *play_batch(const struct scope *s, struct arena *a)
{
    UNUSED(a);
    return s->stage ? s->stage->batch_names : NULL;
}

static const struct value *check_mode(const struct scope *s, struct arena *a)
{
    return value_bool(a, s->host->run->options->check);
}

static const struct value *diff_mode(const struct scope *s, struct arena *a)
{
    return value_bool(a, s->host->run->options->diff);
}

static const struct value *ansible_version(const struct scope *s, struct arena *a)
{
    UNUSED(a);
    return s->host->run->version;
}

static const struct value *groups(const struct scope *s, struct arena *a)
{
    UNUSED(a);
    return s->host->run->groups;
}

static const struct value *hostvars(const struct scope *s, struct arena *a)
{
    UNUSED(a);
    return s->host->run->hostvars;
}

static const struct value *inventory_hostname(const struct scope *s, struct arena *a)
{
    return value_str(a, s->host->name);
}

static const struct value *hostname_short(const struct scope *s, struct arena *a)
{
    UNUSED(a);
    return value_get(s->host->vars, "inventory_hostname_short");
}

static const struct value *group_names(const struct scope *s, struct arena *a)
{
    UNUSED(a);
    return value_get(s->host->vars, "group_names");
}

static const struct value *omit(const struct scope *s, struct arena *a)
{
    UNUSED(s);
    return value_str(a, OMIT);
}

static const struct {
    const char *name;
    const struct value *(*get)(const struct scope *scope, struct arena *a); /* NULL: undefined */
    const char *help;
} magic[] = {
    {"ansible_check_mode", check_mode, "true with --check"},
    {"ansible_diff_mode", diff_mode, "true with --diff"},
    {"ansible_play_batch", play_batch, "hosts of the batch of `serial` that are well"},
    {"ansible_play_hosts", play_hosts, "hosts of the play that are well"},
    {"ansible_play_hosts_all", play_hosts_all, "all hosts of the play"},
    {"ansible_play_name", play_name, ""},
    {"ansible_role_name", role_name, ""},
    {"ansible_version", ansible_version, "2.19, which this follows"},
    {"group_names", group_names, "the host's groups"},
    {"groups", groups, "group name: list of hosts"},
    {"hostvars", hostvars, "every host's variables and results"},
    {"inventory_hostname", inventory_hostname, ""},
    {"inventory_hostname_short", hostname_short, "up to the first dot"},
    {"omit", omit, "leaves an argument out"},
    {"play_hosts", play_hosts, "the old name of ansible_play_hosts"},
    {"playbook_dir", playbook_dir, ""},
    {"role_name", role_name, ""},
    {"role_path", role_path, ""},
};

/* Ansible's, and undefined here: what to use instead. */
static const struct {
    const char *name, *instead;
} absent[] = {
    {"ansible_config_file", "there is no ansible.cfg: options are on the command line"},
    {"ansible_forks", "--forks is the command's alone"},
    {"ansible_inventory_sources", "pass the path with -e"},
    {"ansible_limit", "compare with ansible_play_hosts_all"},
    {"ansible_local", "local facts are not read"},
    {"ansible_loop", "index_var, and the list's own length"},
    {"ansible_loop_var", "write the name that loop_var has"},
    {"ansible_play_role_names", "name the role"},
    {"ansible_role_names", "name the role"},
    {"ansible_run_tags", "pass a variable with -e"},
    {"ansible_search_path", "paths are relative to the role, the file and the playbook"},
    {"ansible_skip_tags", "pass a variable with -e"},
    {"ansible_verbosity", "debug has `verbosity`"},
    {"inventory_dir", "playbook_dir"},
    {"inventory_file", "pass the path with -e"},
    {"vars", "name the variable, or use hostvars[inventory_hostname][name]"},
};

void vars_put_reference(struct str *out)
{
    for (size_t i = 0; i < ARRAY_LEN(magic); i++)
        str_printf(out, "| `%s` | yes | %s |\n", magic[i].name, magic[i].help);
    for (size_t i = 0; i < ARRAY_LEN(absent); i++)
        str_printf(out, "| `%s` | no | %s |\n", absent[i].name, absent[i].instead);
}

static const struct value *find_magic(const struct scope *scope, struct arena *a, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(magic); i++)
        if (str_eq(magic[i].name, name))
            return magic[i].get(scope, a);
    return NULL;
}

/* ---- vars_files named by templates ---- */

static const struct value *read_vars(struct host *host, const char *path, struct err *err)
{
    struct faults faults;
    struct value *root = NULL;
    struct str text;

    faults_init(&faults);
    str_init(&text, YAML_MAX_BYTES);
    if (assets_read(host->run->assets, path, &text, err) == 0) {
        root =
            yaml_parse(&host->arena, arena_strdup(&host->arena, path), text.buf, text.len, &faults);
        if (faults_to_err(&faults, err) < 0)
            root = NULL;
        else if (root && root->type == VALUE_NULL)
            root = value_map(&host->arena);
        else if (!root || root->type != VALUE_MAP)
            err_set(err, ERR_INPUT, "%s: a variables file must be a mapping", path);
    }
    str_release(&text);
    faults_release(&faults);
    return root && root->type == VALUE_MAP ? root : NULL;
}

/* The first of a name's places with a file; NULL: there is none. */
static const char *existing_file(const struct scope *s, const char *name)
{
    const struct assets *assets = s->host->run->assets;
    const char *const *path = vars_file_paths(&s->host->arena, s->stage->play, name);

    while (*path && (!assets_exists(assets, *path) || assets_is_dir(assets, *path)))
        path++;
    return *path;
}

/* The variables of the file that is this host's. As with Ansible its name may hold whatever the
 * play knows without a task; it is found once and kept. */
static enum lookup vars_of_file(const struct scope *s, const struct vars_file *file,
                                const struct value **vars, struct err *err)
{
    struct scope scope = {.host = s->host, .stage = s->stage, .naming = file};
    char key[32];

    snprintf(key, sizeof(key), "%p", (const void *)file);
    *vars = map_get(&s->host->files, key);
    for (size_t i = 0; i < file->names->u.list.n && !*vars; i++) {
        const char *name, *path;
        enum jinja_result rc =
            vars_text(&scope, &s->host->arena, file->names->u.list.items[i], &name, err);

        if (rc == JINJA_PENDING)
            return LOOKUP_PENDING;
        if (rc == JINJA_ERROR) {
            err_wrap(err, "%s:%d: vars_files", file->src.file, file->src.line);
            return LOOKUP_ERROR;
        }
        path = existing_file(s, name);
        if (path && !(*vars = read_vars(s->host, path, err)))
            return LOOKUP_ERROR;
    }
    if (*vars) {
        map_set(&s->host->files, key, (void *)*vars);
        return LOOKUP_FOUND;
    }
    err_set(err, ERR_INPUT, "%s:%d: vars_files: none of the files is there for %s", file->src.file,
            file->src.line, s->host->name);
    return LOOKUP_ERROR;
}

/* ---- layers ---- */

/* What a layer found. Values from files are rendered, those from hosts never are: a host must not
 * be able to have us evaluate its text. */
struct finding {
    const struct value *value;
    bool rendered;
};

static bool take(struct finding *f, const struct value *v, bool rendered)
{
    if (!v)
        return false;
    *f = (struct finding){v, rendered};
    return true;
}

static bool find_in_roles(const struct scope *s, const char *name, bool defaults, struct finding *f)
{
    const struct play *play = s->stage->play;

    for (const struct role_use *use = s->task ? s->task->role : NULL; use; use = use->user)
        if (take(f, value_get(defaults ? use->role->defaults : use->role->vars, name), false))
            return true;
    for (size_t i = play->roles.n; i > 0; i--) {
        const struct role *role = play->roles.items[i - 1]->role;

        if (take(f, value_get(defaults ? role->defaults : role->vars, name), false))
            return true;
    }
    return false;
}

static bool find_in_params(const struct scope *s, const char *name, struct finding *f)
{
    for (const struct role_use *use = s->task ? s->task->role : NULL; use; use = use->user)
        if (use->params && take(f, value_get(use->params, name), false))
            return true;
    return false;
}

/* What the loop of an include around the task gives. */
static bool find_in_turn(const struct scope *s, struct arena *a, const struct include *include,
                         const char *name, struct finding *f)
{
    const struct turn *turn = s->turn;

    while (turn && turn->include != include)
        turn = turn->outer;
    if (!turn || !turn->item)
        return false;
    if (str_eq(name, include->loop_var))
        return take(f, turn->item, true);
    return include->index_var && str_eq(name, include->index_var) &&
           take(f, value_int(a, (int64_t)turn->index), true);
}

static bool find_in_frames(const struct scope *s, struct arena *a, const char *name,
                           struct finding *f)
{
    for (const struct frame *frame = s->task ? s->task->frame : NULL; frame; frame = frame->outer)
        if (frame->include ? find_in_turn(s, a, frame->include, name, f)
                           : take(f, value_get(frame->vars, name), false))
            return true;
    return false;
}

static enum lookup find_in_files(const struct scope *s, const char *name, struct finding *f,
                                 struct err *err)
{
    const struct play *play = s->stage->play;
    size_t n = s->naming ? (size_t)(s->naming - play->vars_files.items) : play->vars_files.n;

    for (size_t i = n; i > 0; i--) {
        const struct vars_file *file = &play->vars_files.items[i - 1];
        const struct value *vars = file->vars;
        enum lookup lookup = vars ? LOOKUP_FOUND : vars_of_file(s, file, &vars, err);

        if (lookup != LOOKUP_FOUND)
            return lookup;
        if (take(f, value_get(vars, name), false))
            return LOOKUP_FOUND;
    }
    return LOOKUP_MISSING;
}

/* The task's and the play's variables. */
static enum lookup find_in_play(const struct scope *s, struct arena *a, const char *name,
                                struct finding *f, struct err *err)
{
    enum lookup lookup;

    if (find_in_frames(s, a, name, f) || find_in_roles(s, name, false, f))
        return LOOKUP_FOUND;
    lookup = find_in_files(s, name, f, err);
    if (lookup == LOOKUP_MISSING && s->stage->play->vars &&
        take(f, value_get(s->stage->play->vars, name), false))
        return LOOKUP_FOUND;
    return lookup;
}

static bool find_fact(const struct scope *s, const char *name, struct finding *f)
{
    const struct value *facts = facts_of(s);

    if (!facts || !facts_visible(s))
        return false;
    if (str_eq(name, "ansible_facts"))
        return take(f, facts, true);
    return str_starts(name, "ansible_") &&
           take(f, value_get(facts, name + strlen("ansible_")), true);
}

static const struct value *registered(const struct scope *s, const char *name)
{
    if (s->stage)
        return s->registered ? map_get(s->registered, name) : NULL;
    return s->host->published ? value_get(s->host->published, name) : NULL;
}

static enum lookup find_name(const struct scope *s, struct arena *a, const char *name,
                             struct finding *f, struct err *err)
{
    enum lookup lookup;

    for (size_t i = 0; i < s->n_locals; i++)
        if (str_eq(s->locals[i].name, name) && take(f, s->locals[i].value, true))
            return LOOKUP_FOUND;
    if (take(f, find_magic(s, a, name), true) ||
        take(f, value_get(s->host->run->extra, name), false) ||
        (s->stage && find_in_params(s, name, f)))
        return LOOKUP_FOUND;
    if (s->pending && map_has(s->pending, name))
        return LOOKUP_PENDING;
    if (take(f, registered(s, name), true))
        return LOOKUP_FOUND;
    lookup = s->stage ? find_in_play(s, a, name, f, err) : LOOKUP_MISSING;
    if (lookup != LOOKUP_MISSING)
        return lookup;
    if (find_fact(s, name, f) || take(f, value_get(s->host->vars, name), false))
        return LOOKUP_FOUND;
    if (facts_come(s) && facts_visible(s) && str_starts(name, "ansible_"))
        return LOOKUP_PENDING;
    if (s->stage && find_in_roles(s, name, true, f))
        return LOOKUP_FOUND;
    return LOOKUP_MISSING;
}

/* Renders a variable's value with the variable's name noted, so that a circle is found. */
static enum lookup render_variable(const struct scope *scope, struct arena *a, const char *name,
                                   const struct value *v, const struct value **out, struct err *err)
{
    struct resolving self = {name, v, scope->resolving};
    struct scope inner = *scope;
    int depth = 0;

    for (const struct resolving *r = scope->resolving; r; r = r->outer) {
        if (r->value == v) {
            err_set(err, ERR_INPUT, "variable '%s' is made of itself", name);
            return LOOKUP_ERROR;
        }
        if (++depth >= VARS_MAX_NESTING) {
            err_set(err, ERR_INPUT, "variable '%s': more than %d variables inside each other", name,
                    VARS_MAX_NESTING);
            return LOOKUP_ERROR;
        }
    }
    inner.resolving = &self;
    switch (vars_render(&inner, a, v, out, err)) {
    case JINJA_OK:
        return LOOKUP_FOUND;
    case JINJA_PENDING:
        return LOOKUP_PENDING;
    case JINJA_ERROR:
        break;
    }
    err_wrap(err, "variable '%s'", name);
    return LOOKUP_ERROR;
}

enum lookup vars_get(void *data, struct arena *a, const char *name, const struct value **out,
                     struct err *err)
{
    const struct scope *scope = data;
    struct finding found = {NULL, false};
    enum lookup lookup = find_name(scope, a, name, &found, err);

    if (lookup != LOOKUP_FOUND)
        return lookup;
    *out = found.value;
    if (found.rendered || !value_has_markup(found.value))
        return LOOKUP_FOUND;
    return render_variable(scope, a, name, found.value, out, err);
}

/* ---- rendering ---- */

enum jinja_result vars_expression(struct scope *scope, struct arena *a,
                                  const struct jinja_template *t, const struct value **out,
                                  struct err *err)
{
    struct jinja_controller controller = controller_of(scope);
    struct jinja_scope names = {.get = vars_get, .data = scope, .controller = &controller};

    return jinja_eval(t, &names, a, out, err);
}

enum jinja_result vars_with(struct scope *scope, struct arena *a, const char *lookup,
                            const struct value *terms, const char *kind, const struct value **out,
                            struct err *err)
{
    struct jinja_controller controller = controller_of(scope);
    struct jinja_scope names = {.get = vars_get, .data = scope, .controller = &controller};

    return jinja_with(lookup, terms, kind, &names, a, out, err);
}

static enum jinja_result render_str(struct scope *scope, struct arena *a, const struct value *v,
                                    const struct value **out, struct err *err)
{
    const struct run *run = scope->host->run;
    const struct jinja_template *t = templates_find(&run->pb->templates, v);

    if (!t)
        t = templates_find(&run->templates, v);
    if (!t)
        t = jinja_parse(a, v->src, v->u.str.s, v->u.str.len, err);
    return t ? vars_expression(scope, a, t, out, err) : JINJA_ERROR;
}

static bool is_omitted(const struct value *v)
{
    return value_is_str(v) && str_eq(v->u.str.s, OMIT);
}

static enum jinja_result render_list(struct scope *scope, struct arena *a, const struct value *v,
                                     const struct value **out, struct err *err)
{
    struct value *list = value_list(a);

    list->src = v->src;
    for (size_t i = 0; i < v->u.list.n; i++) {
        const struct value *item;
        enum jinja_result rc = vars_render(scope, a, v->u.list.items[i], &item, err);

        if (rc != JINJA_OK)
            return rc;
        if (!is_omitted(item))
            value_list_add(a, list, (struct value *)item);
    }
    *out = list;
    return JINJA_OK;
}

static enum jinja_result render_map(struct scope *scope, struct arena *a, const struct value *v,
                                    const struct value **out, struct err *err)
{
    struct value *map = value_map(a);

    map->src = v->src;
    for (size_t i = 0; i < v->u.map.n; i++) {
        const struct value_entry *entry = &v->u.map.entries[i];
        const struct value *item;
        enum jinja_result rc = vars_render(scope, a, entry->value, &item, err);

        if (rc != JINJA_OK)
            return rc;
        if (!is_omitted(item))
            value_map_set(a, map, entry->key, (struct value *)item);
    }
    *out = map;
    return JINJA_OK;
}

enum jinja_result vars_render(struct scope *scope, struct arena *a, const struct value *v,
                              const struct value **out, struct err *err)
{
    *out = v;
    if (!value_has_markup(v))
        return JINJA_OK;
    if (v->type == VALUE_LIST)
        return render_list(scope, a, v, out, err);
    if (v->type == VALUE_MAP)
        return render_map(scope, a, v, out, err);
    return render_str(scope, a, v, out, err);
}

enum jinja_result vars_true(struct scope *scope, struct arena *a, const struct expressions *all,
                            bool *truth, struct err *err)
{
    *truth = true;
    for (size_t i = 0; i < all->n && *truth; i++) {
        const struct value *v;
        enum jinja_result rc = vars_expression(scope, a, all->items[i].parsed, &v, err);

        if (rc != JINJA_OK)
            return rc;
        *truth = jinja_truth(v);
    }
    return JINJA_OK;
}

enum jinja_result vars_text(struct scope *scope, struct arena *a, const struct value *v,
                            const char **out, struct err *err)
{
    const struct value *rendered;
    enum jinja_result rc = vars_render(scope, a, v, &rendered, err);
    struct str text;

    if (rc != JINJA_OK)
        return rc;
    str_init(&text, STR_MAX_TEXT);
    jinja_put(rendered, &text);
    *out = arena_strdup(a, text.buf);
    str_release(&text);
    return JINJA_OK;
}
