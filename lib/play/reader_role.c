/*
 * reader_role.c - roles: their files, and where a play uses them.
 */
#include "lib/play/reader.h"

/* A use of a role while it is read. */
struct use_reader {
    struct task outer;
    const char *name;
    const char *tasks_from;
    struct value *params;
};

static bool find_role(struct reader *r, const char *name, struct source src, const char **path)
{
    static const char *const folders[] = {"roles", ""};

    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        *path = reader_path(r, reader_path(r, r->pb->folder, folders[i]), name);
        if (assets_is_dir(r->assets, *path))
            return true;
    }
    fault_add(r->faults, src, "there is no role '%s' in %s/roles", name, r->pb->folder);
    return false;
}

static const char *part_path(struct reader *r, const char *role, const char *part, const char *file)
{
    const char *folder = reader_path(r, role, part);
    const char *path = reader_path(r, folder, arena_printf(&r->pb->arena, "%s.yml", file));

    if (!assets_exists(r->assets, path)) {
        const char *other = reader_path(r, folder, arena_printf(&r->pb->arena, "%s.yaml", file));

        if (assets_exists(r->assets, other))
            return other;
        other = reader_path(r, folder, file); /* tasks_from: install.yml */
        if (assets_exists(r->assets, other) && !assets_is_dir(r->assets, other))
            return other;
    }
    return path;
}

static const struct value *role_vars(struct reader *r, const char *role, const char *part,
                                     struct source src)
{
    const struct value *vars = reader_file(r, part_path(r, role, part, "main"), src, true);

    return vars ? reader_vars(r, vars, part) : value_map(&r->pb->arena);
}

static struct role *load_role(struct reader *r, const char *name, const char *path,
                              struct source src)
{
    struct role *role = map_get(&r->roles, path);

    if (role)
        return role;
    if (r->roles.n >= READER_MAX_ROLES) {
        fault_add(r->faults, src, "more than %d roles", READER_MAX_ROLES);
        return NULL;
    }
    role = arena_new(&r->pb->arena, struct role);
    role->name = name;
    role->path = path;
    role->defaults = role_vars(r, path, "defaults", src);
    role->vars = role_vars(r, path, "vars", src);
    map_set(&r->roles, path, role);
    return role;
}

/* Was the same role with the same parameters and conditions used in this play before? Ansible runs
 * it once. */
static bool is_repeated(const struct reader *r, const struct role_use *use)
{
    for (size_t i = 0; i < r->play->roles.n; i++) {
        const struct role_use *other = r->play->roles.items[i];

        if (other->role != use->role || !other->params != !use->params)
            continue;
        if (!use->params || value_equal(other->params, use->params))
            return true;
    }
    return false;
}

static bool is_circle(const struct role_use *use)
{
    for (const struct role_use *user = use->user; user; user = user->user)
        if (user->role == use->role)
            return true;
    return false;
}

static void read_dependencies(struct reader *r, const struct role *role, const struct task *outer,
                              struct source src)
{
    const struct value *meta = reader_file(r, part_path(r, role->path, "meta", "main"), src, true);
    const struct value *list = meta ? value_get(meta, "dependencies") : NULL;

    if (!list || list->type == VALUE_NULL)
        return;
    if (list->type != VALUE_LIST) {
        fault_add(r->faults, list->src, "dependencies must be a list of roles");
        return;
    }
    for (size_t i = 0; i < list->u.list.n; i++)
        reader_role(r, list->u.list.items[i], outer);
}

static void read_handlers(struct reader *r, const struct role *role, const struct task *outer,
                          struct source src)
{
    const char *path = part_path(r, role->path, "handlers", "main");
    struct task around = *outer;

    /* handlers belong to the role, not to the place that used it */
    around.when = (struct expressions){NULL, 0};
    around.notify = (struct names){NULL, 0};
    around.block = NULL;
    if (assets_exists(r->assets, path))
        reader_tasks_file(r, path, src, &around, LIST_HANDLERS);
}

static bool handlers_are_read(const struct reader *r, const struct role *role)
{
    for (size_t i = 0; i < r->play->roles.n; i++)
        if (r->play->roles.items[i]->role == role)
            return true;
    return false;
}

static void use_role(struct reader *r, struct use_reader *from, struct source src)
{
    struct role_use *use = arena_new(&r->pb->arena, struct role_use);
    const char *path, *tasks;
    bool first, repeated;

    if (!from->name || !find_role(r, from->name, src, &path) || !reader_enter(r, src))
        return;
    use->role = load_role(r, from->name, path, src);
    use->params = from->params;
    use->user = from->outer.role;
    from->outer.role = use;
    if (!use->role || is_circle(use)) {
        if (use->role)
            fault_add(r->faults, src, "role '%s' depends on itself", from->name);
        goto out;
    }
    repeated = !from->tasks_from && use->user == NULL && is_repeated(r, use);
    first = !handlers_are_read(r, use->role);
    read_dependencies(r, use->role, &from->outer, src);
    vec_push(&r->play->roles, use);
    tasks = part_path(r, path, "tasks", from->tasks_from ? from->tasks_from : "main");
    if (from->tasks_from || assets_exists(r->assets, tasks))
        if (!repeated)
            reader_tasks_file(r, tasks, src, &from->outer, LIST_TASKS);
    if (first)
        read_handlers(r, use->role, &from->outer, src);
out:
    reader_leave(r);
}

static void add_params(struct reader *r, struct use_reader *into, const char *key,
                       const struct value *v)
{
    if (!into->params)
        into->params = value_map(&r->pb->arena);
    value_map_set(&r->pb->arena, into->params, key, (struct value *)v);
    reader_keep(r, v);
}

static void read_use_key(struct reader *r, struct use_reader *into, const struct value_entry *entry)
{
    const struct key *row = reader_common_key(entry->key);

    if (str_eq(entry->key, "role") || str_eq(entry->key, "name")) {
        into->name = reader_str(r, entry->value, "role");
    } else if (str_eq(entry->key, "vars")) {
        const struct value *vars = reader_vars(r, entry->value, "vars");

        for (size_t i = 0; i < vars->u.map.n; i++)
            add_params(r, into, vars->u.map.entries[i].key, vars->u.map.entries[i].value);
    } else if (row && row->read) {
        row->read(r, &into->outer, entry->value);
    } else if (row) {
        fault_add(r->faults, entry->key_src, "'%s' is not supported: %s", row->name, row->text);
    } else {
        add_params(r, into, entry->key, entry->value);
    }
}

void reader_role(struct reader *r, const struct value *v, const struct task *outer)
{
    struct use_reader into = {.outer = *outer};

    if (v->type == VALUE_MAP) {
        for (size_t i = 0; i < v->u.map.n; i++)
            read_use_key(r, &into, &v->u.map.entries[i]);
        if (!into.name)
            fault_add(r->faults, v->src, "the role has no name");
    } else {
        into.name = reader_str(r, v, "a role");
    }
    if (into.name && jinja_has_markup(into.name))
        fault_add(r->faults, v->src, "a template in a role's name is not supported");
    else if (into.name && *into.name)
        use_role(r, &into, v->src);
}

void reader_import_role(struct reader *r, const struct value *args, const struct task *outer)
{
    struct use_reader into = {.outer = *outer};

    into.outer.name = NULL;
    if (args->type != VALUE_MAP) {
        fault_add(r->faults, args->src, "import_role takes name: and perhaps tasks_from:");
        return;
    }
    for (size_t i = 0; i < args->u.map.n; i++) {
        const struct value_entry *entry = &args->u.map.entries[i];

        if (str_eq(entry->key, "name") || str_eq(entry->key, "role"))
            into.name = reader_str(r, entry->value, "name");
        else if (str_eq(entry->key, "tasks_from"))
            into.tasks_from = reader_str(r, entry->value, "tasks_from");
        else if (!str_eq(entry->key, "public") && !str_eq(entry->key, "allow_duplicates"))
            fault_add(r->faults, entry->key_src, "'%s' is not supported: only name and tasks_from",
                      entry->key);
    }
    if (!into.name || jinja_has_markup(into.name))
        fault_add(r->faults, args->src, "import_role needs the name of a role, without templates");
    else
        use_role(r, &into, args->src);
}
