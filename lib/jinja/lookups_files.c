/*
 * lookups_files.c - lookups of variables, and of files and environment variables of the machine
 * that runs the playbook. They follow ansible-core 2.19's lib/ansible/plugins/lookup/NAME.py.
 */
#include "lib/base/utf8.h"
#include "lib/jinja/eval.h"

#define NESTING_MAX 8 /* templates looked up by templates */

static bool is_on(const struct value *v)
{
    return v && jinja_truth(v);
}

static const struct jinja_controller *want_controller(struct evaluator *ev)
{
    if (!ev->scope->controller)
        ev_fail(ev, "this lookup needs a playbook: there are no files or variables here");
    return ev->scope->controller;
}

static const char *want_text(struct evaluator *ev, const struct value *v, const char *what)
{
    if (value_is_str(v))
        return v->u.str.s;
    ev_fail(ev, "%s must be a string, not %s", what, python_type(v));
    return NULL;
}

/* ---- variables ------------------------------------------------------------------------------ */

static const struct value *lookup_env(struct evaluator *ev, const struct lookup_call *call)
{
    const struct jinja_controller *controller = want_controller(ev);
    const struct value *otherwise = call->options->arg[0];
    struct value *list = ev_list(ev);

    for (size_t i = 0; controller && i < call->terms->u.list.n; i++) {
        const char *text = want_text(ev, call->terms->u.list.items[i], "env: a variable's name");
        const char *name, *set;

        if (!text)
            return NULL;
        text += strspn(text, " \t\n");
        name = arena_strndup(ev->arena, text, strcspn(text, " \t\n"));
        set = controller->env(controller->data, name);
        if (set && !utf8_valid(set, strlen(set)))
            return ev_fail(ev, "env: the environment variable '%s' is no text", name);
        ev_push(ev, list, !set && otherwise ? otherwise : value_str(ev->arena, set ? set : ""));
    }
    return controller ? list : NULL;
}

static const struct value *lookup_vars(struct evaluator *ev, const struct lookup_call *call)
{
    const struct value *otherwise = call->options->arg[0], *v;
    struct value *list = ev_list(ev);

    for (size_t i = 0; i < call->terms->u.list.n; i++) {
        const char *name = want_text(ev, call->terms->u.list.items[i], "vars: a variable's name");

        if (!name || !(v = ev_variable(ev, name)))
            return NULL;
        if (is_undefined(v))
            v = otherwise && otherwise->type != VALUE_NULL
                    ? otherwise
                    : ev_undefined(ev, "No variable named '%s' was found.", name);
        ev_push(ev, list, v);
    }
    return list;
}

/* ---- files of the controller ---------------------------------------------------------------- */

/* The text of the file that is meant; *path is where it is. */
static const struct value *read_file(struct evaluator *ev, const char *kind, const char *name,
                                     const char **path)
{
    const struct jinja_controller *controller = want_controller(ev);
    struct str text;
    bool is_text;

    if (!controller)
        return NULL;
    *path = controller->find(controller->data, ev->arena, kind, name);
    if (!*path)
        return ev_fail(ev, "could not find '%s' on this machine", name);
    str_init(&text, JINJA_MAX_OUTPUT);
    if (controller->read(controller->data, *path, &text, ev->err) < 0) {
        err_wrap(ev->err, "%s:%d", ev->file, ev->line);
        str_release(&text);
        return NULL;
    }
    is_text = utf8_valid(text.buf, text.len) && !memchr(text.buf, '\0', text.len);
    if (!is_text)
        str_release(&text);
    return is_text ? ev_take(ev, &text) : ev_fail(ev, "%s is no UTF-8 text", *path);
}

/* lstrip=False, rstrip=True */
static const struct value *lookup_file(struct evaluator *ev, const struct lookup_call *call)
{
    const struct value *lstrip = call->options->arg[0], *rstrip = call->options->arg[1], *text;
    unsigned sides = (is_on(lstrip) ? 1u : 0u) | (!rstrip || is_on(rstrip) ? 2u : 0u);
    struct value *list = ev_list(ev);
    const char *name, *path;

    for (size_t i = 0; i < call->terms->u.list.n; i++) {
        if (!(name = want_text(ev, call->terms->u.list.items[i], "file: a name")) ||
            !(text = read_file(ev, "files", name, &path)))
            return NULL;
        if (sides && !(text = text_strip(ev, text, NULL, sides)))
            return NULL;
        ev_push(ev, list, text);
    }
    return list;
}

/* The variables of template_vars over those of the scope around. */
struct overlay {
    const struct jinja_scope *outer;
    const struct value *vars; /* map or NULL */
};

static enum lookup overlay_get(void *data, struct arena *a, const char *name,
                               const struct value **out, struct err *err)
{
    const struct overlay *overlay = data;

    *out = value_get(overlay->vars, name);
    return *out ? LOOKUP_FOUND : overlay->outer->get(overlay->outer->data, a, name, out, err);
}

static const struct value *render_file(struct evaluator *ev, const char *path,
                                       const struct value *text, const struct value *vars)
{
    struct overlay overlay = {ev->scope, vars};
    struct jinja_scope scope = {overlay_get, &overlay, ev->scope->controller,
                                ev->scope->nesting + 1};
    const struct jinja_template *t = jinja_parse(ev->arena, (struct source){path, 1, 1},
                                                 text->u.str.s, text->u.str.len, ev->err);
    const struct value *v = NULL;

    switch (t ? jinja_eval(t, &scope, ev->arena, &v, ev->err) : JINJA_ERROR) {
    case JINJA_OK:
        return v;
    case JINJA_PENDING:
        ev->pending = true;
        return NULL;
    case JINJA_ERROR:
        break;
    }
    err_wrap(ev->err, "%s:%d", ev->file, ev->line);
    return NULL;
}

static const struct value *lookup_template(struct evaluator *ev, const struct lookup_call *call)
{
    const struct value *vars = call->options->arg[0], *text, *v;
    struct value *list = ev_list(ev);
    const char *name, *path;

    if (vars && vars->type != VALUE_MAP)
        return ev_fail(ev, "template: template_vars must be a dict");
    if (ev->scope->nesting >= NESTING_MAX)
        return ev_fail(ev, "more than %d templates looked up inside of each other", NESTING_MAX);
    for (size_t i = 0; i < call->terms->u.list.n; i++) {
        if (!(name = want_text(ev, call->terms->u.list.items[i], "template: a name")) ||
            !(text = read_file(ev, "templates", name, &path)) ||
            !(v = render_file(ev, path, text, vars)))
            return NULL;
        ev_push(ev, list, v);
    }
    return list;
}

static const struct value *lookup_fileglob(struct evaluator *ev, const struct lookup_call *call)
{
    const struct jinja_controller *controller = want_controller(ev);
    struct value *list = ev_list(ev);

    for (size_t i = 0; controller && i < call->terms->u.list.n; i++) {
        const char *pattern = want_text(ev, call->terms->u.list.items[i], "fileglob: a pattern");
        const char *slash = pattern ? strrchr(pattern, '/') : NULL, *folder = NULL;

        if (!pattern)
            return NULL;
        if (slash == pattern)
            folder = "/";
        else if (slash)
            folder = arena_strndup(ev->arena, pattern, (size_t)(slash - pattern));
        controller->glob(controller->data, ev->arena, folder, slash ? slash + 1 : pattern, list);
    }
    return controller ? list : NULL;
}

/* ---- first_found ---------------------------------------------------------------------------- */

struct candidates {
    struct value *names;                      /* in the order they are looked for */
    const struct value *files, *paths, *skip; /* options at hand; NULL */
};

/* A string or a list of them, each split at any of the separators. */
static int split_names(struct evaluator *ev, const struct value *in, const char *separators,
                       struct value *out)
{
    int result = 0;

    if (!in || in->type == VALUE_NULL)
        return 0;
    if (ev_descend(ev) < 0)
        return -1;
    for (size_t i = 0; in->type == VALUE_LIST && result == 0 && i < in->u.list.n; i++)
        result = split_names(ev, in->u.list.items[i], separators, out);
    ev->depth--;
    if (in->type == VALUE_LIST)
        return result;
    if (!want_text(ev, in, "first_found: a name"))
        return -1;
    for (const char *p = in->u.str.s;; p++) {
        size_t len = strcspn(p, separators);

        ev_push(ev, out, value_strn(ev->arena, p, len));
        p += len;
        if (!*p)
            return 0;
    }
}

static int add_names(struct evaluator *ev, struct candidates *c, const struct value *files)
{
    struct value *names = ev_list(ev), *folders = ev_list(ev);

    if (split_names(ev, files, ",;", names) < 0 || split_names(ev, c->paths, ",:;", folders) < 0 ||
        ev_charge(ev, (names->u.list.n + 1) * (folders->u.list.n + 1)) < 0)
        return -1;
    for (size_t k = 0; folders->u.list.n == 0 && k < names->u.list.n; k++)
        ev_push(ev, c->names, names->u.list.items[k]);
    for (size_t i = 0; i < folders->u.list.n; i++) {
        const char *folder = folders->u.list.items[i]->u.str.s;

        for (size_t k = 0; k < names->u.list.n; k++) {
            const char *name = names->u.list.items[k]->u.str.s;
            bool alone = *name == '/' || *folder == '\0';

            ev_push(ev, c->names,
                    alone ? value_str(ev->arena, name)
                          : value_strf(ev->arena, "%s%s%s", folder,
                                       str_ends(folder, "/") ? "" : "/", name));
        }
    }
    return 0;
}

static int set_options(struct evaluator *ev, struct candidates *c, const struct value *map)
{
    c->files = c->paths = c->skip = NULL;
    for (size_t i = 0; i < map->u.map.n; i++) {
        const char *key = map->u.map.entries[i].key;

        if (str_eq(key, "files"))
            c->files = map->u.map.entries[i].value;
        else if (str_eq(key, "paths"))
            c->paths = map->u.map.entries[i].value;
        else if (str_eq(key, "skip"))
            c->skip = map->u.map.entries[i].value;
        else
            return ev_error(ev, "first_found has no option '%s'", key);
    }
    return 0;
}

static int add_terms(struct evaluator *ev, struct candidates *c, const struct value *terms)
{
    int result = 0;

    if (ev_descend(ev) < 0)
        return -1;
    for (size_t i = 0; result == 0 && i < terms->u.list.n; i++) {
        const struct value *term = terms->u.list.items[i];

        if (term->type == VALUE_MAP)
            result = set_options(ev, c, term) < 0 ? -1 : add_names(ev, c, c->files);
        else if (term->type == VALUE_LIST)
            result = add_terms(ev, c, term);
        else
            result = add_names(ev, c, term);
    }
    ev->depth--;
    return result;
}

static const struct value *lookup_first_found(struct evaluator *ev, const struct lookup_call *call)
{
    const struct jinja_controller *controller = want_controller(ev);
    struct candidates c = {ev_list(ev), call->options->arg[0], call->options->arg[1],
                           call->options->arg[2]};
    struct value *list = ev_list(ev);

    if (!controller || add_terms(ev, &c, call->terms) < 0 ||
        (call->terms->u.list.n == 0 && add_names(ev, &c, c.files) < 0))
        return NULL;
    for (size_t i = 0; i < c.names->u.list.n; i++) {
        const char *path = controller->find(controller->data, ev->arena, call->kind,
                                            c.names->u.list.items[i]->u.str.s);

        if (path) {
            ev_push(ev, list, value_str(ev->arena, path));
            return list;
        }
    }
    return is_on(c.skip) ? list : ev_fail(ev, "No file was found when using first_found.");
}

static const struct lookup_plugin rows[] = {
    {"env", "default", TAKES_UNDEFINED_ARGS, lookup_env,
     "environment variables of this machine; those named like a secret are not shown"},
    {"file", "lstrip rstrip", 0, lookup_file, "the text of files"},
    {"fileglob", "", 0, lookup_fileglob, "the files that patterns mean, in order of their names"},
    {"first_found", "files paths skip", 0, lookup_first_found, "the first file there is"},
    {"template", "template_vars", 0, lookup_template, "template files, rendered"},
    {"vars", "default", 0, lookup_vars, "the values of variables"},
};

const struct lookup_table lookups_files = {rows, ARRAY_LEN(rows)};
