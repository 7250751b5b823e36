/*
 * load.c - inventories from files: which format, folders of them, group_vars/ and host_vars/.
 *
 * Source: Ansible's inventory/manager.py (folders), plugins/vars/host_group_vars.py and
 * parsing/dataloader.py (variables).
 */
#include <dirent.h>
#include <unistd.h>

#include "inventory/internal.h"
#include "lib/base/file.h"

#define MAX_FOLDERS 8 /* one in the other */

static struct source whole_file(const char *path)
{
    return (struct source){.file = path};
}

/* Those that are only counted, too. */
static size_t count(const struct faults *faults)
{
    return faults->n + faults->more;
}

/* ---- one file ---- */

static const char *extension(const char *path)
{
    const char *base = path_base(path), *dot = strrchr(base, '.');

    return dot && dot != base ? dot : "";
}

typedef void read_fn(struct inventory *inv, const char *file, const char *text, size_t len,
                     struct faults *faults);

/* The first line that is no comment tells: {, ---, or KEY: with nothing glued to the colon. */
static read_fn *reader_by_content(const char *text, size_t len)
{
    const char *p = text, *end = text + len, *key;

    while (p < end && strchr(" \t\r\n#;", *p)) {
        if (*p == '#' || *p == ';')
            p += strcspn(p, "\n");
        else
            p++;
    }
    if (p < end && *p == '{')
        return inventory_read_json;
    if (end - p >= 3 && memcmp(p, "---", 3) == 0)
        return inventory_read_yaml;
    key = p + strcspn(p, " \t\r\n:");
    return *key == ':' && strchr(" \t\r\n", key[1]) ? inventory_read_yaml : inventory_read_ini;
}

static read_fn *reader_for(const char *file, const char *text, size_t len)
{
    static const struct {
        const char *extension;
        read_fn *read;
    } known[] = {
        {".yml", inventory_read_yaml},
        {".yaml", inventory_read_yaml},
        {".json", inventory_read_json},
        {".ini", inventory_read_ini},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (str_eq(extension(file), known[i].extension))
            return known[i].read;
    }
    return reader_by_content(text, len);
}

/* Ansible sets variables on the group when a host has the same name: refused instead. */
static void check_names(const struct inventory *inv, const char *file, struct faults *faults)
{
    for (size_t i = 0; i < inv->hosts.n; i++) {
        if (map_has(&inv->groups, inv->hosts.entries[i].key)) {
            fault_add(faults, whole_file(file), "'%s' is both a host and a group",
                      inv->hosts.entries[i].key);
            fault_hint(faults, "rename one: Ansible would give the host's variables to the group");
        }
    }
}

static void read_text(struct inventory *inv, const char *file, const char *text, size_t len,
                      struct faults *faults)
{
    file = arena_strdup(&inv->arena, file);
    if (len > INVENTORY_MAX_BYTES) {
        fault_add(faults, whole_file(file), "an inventory file has at most %zu bytes",
                  INVENTORY_MAX_BYTES);
    } else if (memchr(text, '\0', len)) {
        fault_add(faults, whole_file(file), "a binary file is no inventory");
    } else if (str_eq(extension(file), ".toml")) {
        fault_add(faults, whole_file(file), "TOML inventories are not supported");
        fault_hint(faults, "`ansible-inventory -i %s --list --yaml` makes YAML of it",
                   path_base(file));
    } else {
        size_t before = count(faults);

        reader_for(file, text, len)(inv, file, text, len, faults);
        if (count(faults) > before && len >= 2 && memcmp(text, "#!", 2) == 0) {
            fault_add(faults, whole_file(file), "it begins with #! but may not be executed");
            fault_hint(faults, "a dynamic inventory is run when it may: chmod +x");
        }
    }
}

int inventory_load_text(struct inventory *inv, const char *file, const char *text, size_t len,
                        struct faults *faults)
{
    char *copy = xstrndup(text, len); /* readers rely on the NUL at the end */
    size_t before = count(faults);

    read_text(inv, file, copy, len, faults);
    free(copy);
    if (count(faults) == before)
        check_names(inv, file, faults);
    return count(faults) == before ? 0 : -1;
}

/* The text of a file, or a fault. */
static int slurp(const char *path, struct str *text, struct faults *faults)
{
    struct err err = ERR_INIT;

    str_init(text, INVENTORY_MAX_BYTES);
    if (file_read(path, text, &err) == 0)
        return 0;
    fault_add(faults, whole_file(path), "%s", err.text);
    err_release(&err);
    return -1;
}

/* named: the user gave this very file, so that a program is run. */
static void load_file(struct inventory *inv, const char *path, bool named, struct faults *faults)
{
    bool program = access(path, X_OK) == 0;
    struct str text;

    if (slurp(path, &text, faults) < 0)
        goto out;
    program = program && inventory_is_program(text.buf, text.len);
    if (program && named) {
        inventory_read_script(inv, path, faults);
    } else if (program) {
        fault_add(faults, whole_file(path), "inventory scripts in a folder are not run");
        fault_hint(faults, "give the script itself, or save what it prints for --list as .json");
    } else {
        read_text(inv, path, text.buf, text.len, faults);
    }
out:
    str_release(&text);
}

/* NAME,NAME:PORT,... instead of a file, as Ansible's -i has it. */
static void load_names(struct inventory *inv, const char *names, struct faults *faults)
{
    struct source src = {.file = NULL};

    while (*names) {
        size_t len = strcspn(names, ","), blank = strspn(names, " \t");
        char *name = xstrndup(names + blank, blank < len ? len - blank : 0);
        struct host_names one;

        while (*name && strchr(" \t", name[strlen(name) - 1]))
            name[strlen(name) - 1] = '\0';
        if (strpbrk(name, "[]") && !strstr(name, "]:")) {
            fault_add(faults, src, "host '%.80s': there are no ranges in a list of names", name);
        } else if (*name && inventory_expand_hosts(inv, name, src, faults, &one) == 0) {
            for (size_t i = 0; i < one.n; i++)
                inventory_read_host(inv, one.items[i], inventory_ungrouped(inv), one.port, src,
                                    faults);
            vec_release(&one);
        }
        free(name);
        names += len + (names[len] == ',');
    }
}

/* ---- folders ---- */

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

typedef void visit_fn(const char *path, const char *name, void *data);

/* Calls visit for each name in a folder, in byte order. */
static void each_file(const char *folder, visit_fn *visit, void *data, struct faults *faults)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, by_bytes);

    if (n < 0) {
        struct err err = ERR_INIT;

        err_set_errno(&err, "cannot list the folder");
        fault_add(faults, whole_file(folder), "%s", err.text);
        err_release(&err);
        return;
    }
    for (int i = 0; i < n; i++) {
        char *path = path_join(folder, names[i]->d_name);

        visit(path, names[i]->d_name, data);
        free(path);
        free(names[i]);
    }
    free(names);
}

/* Ansible's INVENTORY_IGNORE_EXTS (since 2.19 without .ini) and what it never takes for an
 * inventory. */
static bool is_ignored(const char *name)
{
    static const char *const names[] = {"host_vars", "group_vars", "vars_plugins"};
    static const char *const endings[] = {".pyc", ".pyo", ".swp", ".bak",  "~",    ".rpm",
                                          ".md",  ".txt", ".rst", ".orig", ".cfg", ".retry"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq(name, names[i]))
            return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        if (str_ends(name, endings[i]))
            return true;
    }
    return name[0] == '.';
}

struct folder {
    struct inventory *inv;
    struct faults *faults;
    unsigned depth;
    size_t files;
};

static void visit_inventory(const char *path, const char *name, void *data)
{
    struct folder *folder = data;

    if (is_ignored(name))
        return;
    if (!file_is_dir(path)) {
        folder->files++;
        load_file(folder->inv, path, false, folder->faults);
    } else if (folder->depth == MAX_FOLDERS) {
        fault_add(folder->faults, whole_file(path), "more than %d folders one in the other",
                  MAX_FOLDERS);
    } else {
        folder->depth++;
        each_file(path, visit_inventory, folder, folder->faults);
        folder->depth--;
    }
}

static void load_folder(struct inventory *inv, const char *path, struct faults *faults)
{
    struct folder folder = {.inv = inv, .faults = faults};

    each_file(path, visit_inventory, &folder, faults);
    if (folder.files == 0) {
        fault_add(faults, whole_file(path), "no inventory file in this folder");
        fault_hint(faults, "as in Ansible, *.cfg, *.md, *.txt and the like are passed over");
    }
}

/* ---- group_vars/ and host_vars/ ---- */

static const char *const vars_extensions[] = {"", ".yml", ".yaml", ".json"};

struct vars_target {
    struct inventory *inv;
    struct value *vars;
    struct faults *faults;
    unsigned depth;
};

static void load_vars_file(const char *path, struct vars_target *target)
{
    struct arena *a = &target->inv->arena;
    struct value *vars = NULL;
    struct str text;

    if (slurp(path, &text, target->faults) == 0) {
        if (str_starts(text.buf, "$ANSIBLE_VAULT")) {
            fault_add(target->faults, whole_file(path),
                      "encrypted by ansible-vault, which is not supported");
            fault_hint(target->faults, "`ansible-vault decrypt` it, or move it out of the way");
        } else {
            vars = inventory_parse_yaml(target->inv, path, text.buf, text.len, target->faults);
        }
    }
    str_release(&text);
    if (vars && vars->type != VALUE_MAP && vars->type != VALUE_NULL)
        fault_add(target->faults, vars->src, "a variables file must be a map, got %s",
                  value_type_name(vars->type));
    if (vars && vars->type == VALUE_MAP)
        inventory_settle_tagged(target->inv, vars, whole_file(path), target->faults);
    for (size_t i = 0; vars && vars->type == VALUE_MAP && i < vars->u.map.n; i++)
        value_map_set(a, target->vars, vars->u.map.entries[i].key, vars->u.map.entries[i].value);
}

static void visit_vars(const char *path, const char *name, void *data)
{
    struct vars_target *target = data;

    if (name[0] == '.' || str_ends(name, "~"))
        return;
    if (file_is_dir(path)) {
        if (*extension(name))
            return;
        if (target->depth == MAX_FOLDERS) {
            fault_add(target->faults, whole_file(path), "more than %d folders one in the other",
                      MAX_FOLDERS);
            return;
        }
        target->depth++;
        each_file(path, visit_vars, target, target->faults);
        target->depth--;
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(vars_extensions); i++) {
        if (str_eq(extension(name), vars_extensions[i]))
            load_vars_file(path, target);
    }
}

/* NAME (a file or a folder), NAME.yml, NAME.yaml, NAME.json: the first there is, and no other. */
static void load_vars_of(struct inventory *inv, const char *folder, const char *name,
                         struct value *vars, struct faults *faults)
{
    struct vars_target target = {.inv = inv, .vars = vars, .faults = faults};
    bool found = strchr(name, '/') != NULL; /* never a way out of the folder */

    for (size_t i = 0; i < ARRAY_LEN(vars_extensions) && !found; i++) {
        char *stem = path_join(folder, name);
        char *path = xasprintf("%s%s", stem, vars_extensions[i]);

        found = file_exists(path);
        if (found && file_is_dir(path))
            each_file(path, visit_vars, &target, faults);
        else if (found)
            load_vars_file(path, &target);
        free(path);
        free(stem);
    }
}

static bool has_folder(const char *path, struct faults *faults)
{
    if (file_exists(path) && !file_is_dir(path))
        fault_add(faults, whole_file(path), "must be a folder");
    return file_is_dir(path);
}

/* near: base is the playbook's folder, not the inventory's. */
static void load_vars(struct inventory *inv, const char *base, bool near, struct faults *faults)
{
    char *groups = path_join(base, "group_vars"), *hosts = path_join(base, "host_vars");

    if (has_folder(groups, faults)) {
        for (size_t i = 0; i < inv->groups.n; i++) {
            struct inventory_group *group = inv->groups.entries[i].value;

            load_vars_of(inv, groups, group->name, near ? group->near_vars : group->file_vars,
                         faults);
        }
    }
    if (has_folder(hosts, faults)) {
        for (size_t i = 0; i < inv->hosts.n; i++) {
            struct inventory_host *host = inv->hosts.entries[i].value;

            load_vars_of(inv, hosts, host->name, host->file_vars, faults);
        }
    }
    free(groups);
    free(hosts);
}

static bool is_names(const char *path)
{
    return strchr(path, ',') && !file_exists(path);
}

static void load_source(struct inventory *inv, const char *path, struct faults *faults)
{
    if (file_is_dir(path))
        load_folder(inv, path, faults);
    else if (is_names(path))
        load_names(inv, path, faults);
    else
        load_file(inv, path, true, faults);
}

/* The folders beside a source. */
static void load_source_vars(struct inventory *inv, const char *path, struct faults *faults)
{
    char *base;

    if (is_names(path))
        return;
    base = file_is_dir(path) ? xstrdup(path) : path_dir(path);
    load_vars(inv, base, false, faults);
    free(base);
}

int inventory_load_all(struct inventory *inv, const char *const *paths, size_t n,
                       struct faults *faults)
{
    size_t before = count(faults);

    for (size_t i = 0; i < n; i++)
        load_source(inv, paths[i], faults);
    for (size_t i = 0; i < n; i++)
        load_source_vars(inv, paths[i], faults);
    if (count(faults) == before && n > 0)
        check_names(inv, paths[n - 1], faults);
    return count(faults) == before ? 0 : -1;
}

int inventory_load(struct inventory *inv, const char *path, struct faults *faults)
{
    return inventory_load_all(inv, &path, 1, faults);
}

int inventory_load_near(struct inventory *inv, const char *folder, struct faults *faults)
{
    size_t before = count(faults);

    load_vars(inv, folder, true, faults);
    return count(faults) == before ? 0 : -1;
}
