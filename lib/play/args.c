/*
 * args.c - typing of module arguments by their tables. The conversions follow check_type_* of
 * ansible-core's module_utils/common/validation.py, the key=value syntax its parsing/splitter.py.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>

#include "lib/doc/json.h"
#include "lib/doc/yaml.h"
#include "lib/jinja/jinja.h"
#include "lib/play/args.h"

#define MAX_CANDIDATES 128 /* argument names and aliases of one module */

/* One entry of "a|b|c". */
static bool in_choices(const char *choices, const char *word, size_t len)
{
    while (choices) {
        size_t n = strcspn(choices, "|");

        if (n == len && memcmp(choices, word, len) == 0)
            return true;
        choices = choices[n] ? choices + n + 1 : NULL;
    }
    return false;
}

static const struct module_arg *find_arg(const struct module *m, const char *name, size_t len)
{
    for (const struct module_arg *arg = m->args; arg && arg->name; arg++) {
        if (strlen(arg->name) == len && memcmp(arg->name, name, len) == 0)
            return arg;
        if (in_choices(arg->aliases, name, len))
            return arg;
    }
    return NULL;
}

static const char *nearest_arg(const struct module *m, const char *name)
{
    const char *candidates[MAX_CANDIDATES];
    size_t n = 0;

    for (const struct module_arg *arg = m->args; arg && arg->name && n < MAX_CANDIDATES; arg++)
        if (arg->type != ARG_REFUSED)
            candidates[n++] = arg->name;
    return nearest_word(name, candidates, n);
}

int args_bool_text(const char *text, bool *out)
{
    static const char *const yes[] = {"yes", "y", "true", "t", "on", "1", "1.0"};
    static const char *const no[] = {"no", "n", "false", "f", "off", "0", "0.0"};

    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        *out = strcasecmp(text, yes[i]) == 0;
        if (*out || strcasecmp(text, no[i]) == 0)
            return 0;
    }
    return -1;
}

/* --- one value ------------------------------------------------------------------------------ */

static int wrong_type(const struct module_arg *arg, const struct value *v, const char *wanted,
                      struct err *err)
{
    if (v->type == VALUE_STR)
        return err_set(err, ERR_INPUT, "%s must be %s, not '%.60s'", arg->name, wanted, v->u.str.s);
    return err_set(err, ERR_INPUT, "%s must be %s, not a %s", arg->name, wanted,
                   value_type_name(v->type));
}

/* Python's str() of a scalar; lists and maps are never meant where a string is. */
static struct value *scalar_text(struct arena *a, const struct value *v)
{
    struct str text;
    struct value *out;

    if (v->type == VALUE_LIST || v->type == VALUE_MAP || v->type == VALUE_OBJECT ||
        v->type == VALUE_NULL || v->type == VALUE_UNDEFINED)
        return NULL;
    str_init(&text, STR_MAX_TEXT);
    jinja_put(v, &text);
    out = value_strn(a, text.buf, text.len);
    out->src = v->src;
    str_release(&text);
    return out;
}

static struct value *type_str(struct arena *a, const struct module_arg *arg, const struct value *v,
                              struct err *err)
{
    struct value *out = scalar_text(a, v);

    if (!out)
        wrong_type(arg, v, "a string", err);
    return out;
}

static struct value *type_bool(struct arena *a, const struct module_arg *arg, const struct value *v,
                               struct err *err)
{
    struct value *text = scalar_text(a, v);
    bool b;

    if (v->type == VALUE_BOOL)
        return value_bool(a, v->u.b);
    if (text && args_bool_text(text->u.str.s, &b) == 0)
        return value_bool(a, b);
    wrong_type(arg, v, "a boolean (yes or no)", err);
    return NULL;
}

static struct value *type_int(struct arena *a, const struct module_arg *arg, const struct value *v,
                              struct err *err)
{
    char *end;
    long long number;

    if (v->type == VALUE_INT)
        return value_int(a, v->u.i);
    if (v->type == VALUE_FLOAT && v->u.f == floor(v->u.f) && fabs(v->u.f) < 9e15)
        return value_int(a, (int64_t)v->u.f);
    if (v->type == VALUE_STR && v->u.str.len > 0) {
        errno = 0;
        number = strtoll(v->u.str.s, &end, 10);
        if (!errno && *end == '\0' && end > v->u.str.s)
            return value_int(a, number);
    }
    wrong_type(arg, v, "an integer", err);
    return NULL;
}

static struct value *type_float(struct arena *a, const struct module_arg *arg,
                                const struct value *v, struct err *err)
{
    char *end;
    double number;

    if (v->type == VALUE_FLOAT || v->type == VALUE_INT)
        return value_float(a, v->type == VALUE_INT ? (double)v->u.i : v->u.f);
    if (v->type == VALUE_STR && v->u.str.len > 0) {
        number = strtod(v->u.str.s, &end);
        if (*end == '\0' && end > v->u.str.s)
            return value_float(a, number);
    }
    wrong_type(arg, v, "a number", err);
    return NULL;
}

/* "a,b" splits; Ansible leaves the blanks around, its modules then strip them. */
static struct value *split_commas(struct arena *a, const char *text)
{
    struct value *list = value_list(a);

    for (;;) {
        size_t n = strcspn(text, ",");
        const char *end = text + n;
        const char *last = end;

        while (text < last && isspace((unsigned char)*text))
            text++;
        while (last > text && isspace((unsigned char)last[-1]))
            last--;
        value_list_add(a, list, value_strn(a, text, (size_t)(last - text)));
        if (!*end)
            return list;
        text = end + 1;
    }
}

static struct value *type_list(struct arena *a, const struct module_arg *arg, const struct value *v,
                               struct err *err)
{
    struct value *list;

    if (v->type == VALUE_STR)
        return v->u.str.len ? split_commas(a, v->u.str.s) : value_list(a);
    list = value_list(a);
    if (v->type == VALUE_INT || v->type == VALUE_FLOAT) {
        value_list_add(a, list, scalar_text(a, v));
        return list;
    }
    if (v->type != VALUE_LIST) {
        wrong_type(arg, v, "a list", err);
        return NULL;
    }
    for (size_t i = 0; i < v->u.list.n; i++) {
        struct value *item = scalar_text(a, v->u.list.items[i]);

        if (!item) {
            wrong_type(arg, v->u.list.items[i], "a list of strings", err);
            return NULL;
        }
        value_list_add(a, list, item);
    }
    return list;
}

static struct value *type_map(struct arena *a, const struct module_arg *arg, const struct value *v,
                              struct err *err)
{
    struct err ignored = ERR_INIT;
    struct value *map = NULL;

    if (v->type == VALUE_MAP)
        return value_copy(a, v);
    if (v->type == VALUE_STR && v->u.str.s[0] == '{')
        map = json_parse(a, arg->name, v->u.str.s, v->u.str.len, &ignored);
    err_release(&ignored);
    if (map && map->type == VALUE_MAP)
        return map;
    wrong_type(arg, v, "a map", err);
    return NULL;
}

/* Ansible would expand ~ and $NAME on the host; a plan cannot, so ~ is refused. */
static struct value *type_path(struct arena *a, const struct module_arg *arg, const struct value *v,
                               struct err *err)
{
    struct value *path = type_str(a, arg, v, err);

    if (path && path->u.str.s[0] == '~') {
        err_set(err, ERR_INPUT, "%s: '~' is not supported, write the whole path", arg->name);
        return NULL;
    }
    return path;
}

static bool mode_is_symbolic(const char *text)
{
    const char *p = text;

    for (;;) {
        p += strspn(p, "ugoa");
        if (!*p || !strchr("+-=", *p))
            return false;
        while (*p && strchr("+-=", *p)) {
            p++;
            p += strspn(p, "rwxXstugo");
        }
        if (*p != ',')
            return *p == '\0';
        p++;
    }
}

/* A number is taken as it is: a plain 0644 in YAML is the integer 420, and a plain 644 is the
 * integer 644, octal 1204, as in Ansible. Text is octal or symbolic. */
static struct value *type_mode(struct arena *a, const struct module_arg *arg, const struct value *v,
                               struct err *err)
{
    char *end;
    long mode = -1;

    if (v->type == VALUE_INT) {
        mode = v->u.i >= 0 && v->u.i <= 07777 ? (long)v->u.i : -1;
    } else if (v->type == VALUE_STR && v->u.str.len > 0) {
        const char *digits = v->u.str.s + (str_starts(v->u.str.s, "0o") ? 2 : 0);

        if (mode_is_symbolic(v->u.str.s))
            return value_str(a, v->u.str.s);
        mode = strtol(digits, &end, 8);
        if (*end || end == digits || !isdigit((unsigned char)*digits) || mode > 07777)
            mode = -1;
    }
    if (mode < 0) {
        wrong_type(arg, v, "a file mode (\"0644\" or u=rw,g=r)", err);
        return NULL;
    }
    return value_strf(a, "0%03lo", (unsigned long)mode);
}

static struct value *type_value(struct arena *a, const struct module_arg *arg,
                                const struct value *v, struct err *err)
{
    switch (arg->type) {
    case ARG_STR:
        return type_str(a, arg, v, err);
    case ARG_BOOL:
        return type_bool(a, arg, v, err);
    case ARG_INT:
        return type_int(a, arg, v, err);
    case ARG_FLOAT:
        return type_float(a, arg, v, err);
    case ARG_LIST:
        return type_list(a, arg, v, err);
    case ARG_MAP:
        return type_map(a, arg, v, err);
    case ARG_PATH:
        return type_path(a, arg, v, err);
    case ARG_MODE:
        return type_mode(a, arg, v, err);
    case ARG_RAW:
        return value_copy(a, v);
    case ARG_REFUSED:
        break;
    }
    BUG("argument %s has no type", arg->name);
}

static struct value *type_arg(struct arena *a, const struct module_arg *arg, const struct value *v,
                              struct err *err)
{
    struct value *typed = type_value(a, arg, v, err);

    if (!typed || !arg->choices || typed->type != VALUE_STR)
        return typed;
    if (in_choices(arg->choices, typed->u.str.s, typed->u.str.len))
        return typed;
    err_set(err, ERR_INPUT, "%s must be one of %s, not '%.60s'", arg->name, arg->choices,
            typed->u.str.s);
    return NULL;
}

/* --- all of a task's values ------------------------------------------------------------------- */

static int unknown_arg(const struct module *m, const char *key, struct err *err)
{
    const char *near = nearest_arg(m, key);

    err_set(err, ERR_INPUT, "module %s has no argument '%.60s'", m->name, key);
    if (near)
        err_hint(err, "did you mean '%s'?", near);
    return -1;
}

/* Is it the default of an argument that is not supported? */
static bool asks_for_nothing(struct arena *a, const struct module_arg *arg, const struct value *v)
{
    const struct value *given = scalar_text(a, v);
    bool idle, asked;

    if (!arg->otherwise || !given)
        return false;
    return strcasecmp(given->u.str.s, arg->otherwise) == 0 ||
           (args_bool_text(arg->otherwise, &idle) == 0 &&
            args_bool_text(given->u.str.s, &asked) == 0 && asked == idle);
}

static int refused_arg(struct arena *a, const struct module *m, const struct module_arg *arg,
                       const struct value *v, struct err *err)
{
    if (asks_for_nothing(a, arg, v))
        return 0;
    err_set(err, ERR_INPUT, "module %s does not support the argument '%s'", m->name, arg->name);
    err_hint(err, "%s", arg->help);
    return -1;
}

/* Puts "file:line:col: " in front: of the value where it has a place, else of the task. */
static void add_place(struct source value_src, struct source task_src, struct err *err)
{
    struct source src = value_src.line > 0 && value_src.file ? value_src : task_src;

    if (src.file && src.line > 0)
        err_wrap(err, "%s:%d:%d", src.file, src.line, src.col);
}

/* An entry of the raw map into out. */
static int type_entry(struct arena *a, const struct module *m, const struct value_entry *entry,
                      struct value *out, struct err *err)
{
    const struct module_arg *arg = find_arg(m, entry->key, strlen(entry->key));
    struct value *typed;

    if (!arg && m->any_args) {
        value_map_set(a, out, entry->key, entry->value);
        return 0;
    }
    if (!arg)
        return unknown_arg(m, entry->key, err);
    if (entry->value->type == VALUE_NULL)
        return 0;
    if (arg->type == ARG_REFUSED)
        return refused_arg(a, m, arg, entry->value, err);
    if (value_get(out, arg->name))
        return err_set(err, ERR_INPUT, "%s is given twice, also as '%s'", arg->name, entry->key);
    typed = type_arg(a, arg, entry->value, err);
    if (!typed)
        return -1;
    value_map_set(a, out, arg->name, typed);
    return 0;
}

static int add_default(struct arena *a, const struct module_arg *arg, struct value *out)
{
    struct err err = ERR_INIT;
    struct value *typed;

    if (value_get(out, arg->name) || (!arg->otherwise && !arg->required))
        return 0;
    if (arg->type == ARG_REFUSED)
        return 0;
    if (!arg->otherwise)
        return -1;
    typed = arg->type == ARG_INT || arg->type == ARG_FLOAT
                ? yaml_scalar(a, arg->otherwise, strlen(arg->otherwise))
                : value_str(a, arg->otherwise);
    typed = type_arg(a, arg, typed, &err);
    if (!typed)
        BUG("default of %s: %s", arg->name, err.text);
    value_map_set(a, out, arg->name, typed);
    return 0;
}

const struct value *args_type(struct arena *a, const struct module *m, const struct value *raw,
                              struct source where, struct err *err)
{
    struct value *out = value_map(a);
    bool is_map = raw && raw->type == VALUE_MAP;

    if (raw && !is_map && raw->type != VALUE_NULL) {
        err_set(err, ERR_INPUT, "arguments of %s must be a map", m->name);
        add_place(raw->src, where, err);
        return NULL;
    }
    for (size_t i = 0; is_map && i < raw->u.map.n; i++) {
        const struct value_entry *entry = &raw->u.map.entries[i];

        if (type_entry(a, m, entry, out, err) < 0) {
            add_place(entry->value->src, where, err);
            return NULL;
        }
    }
    for (const struct module_arg *arg = m->args; arg && arg->name; arg++)
        if (add_default(a, arg, out) < 0) {
            err_set(err, ERR_INPUT, "module %s needs the argument '%s'", m->name, arg->name);
            add_place(where, where, err);
            return NULL;
        }
    return out;
}

/* ---- before rendering ---- */

static bool has_markup(const struct value *v)
{
    if (v->type == VALUE_STR)
        return jinja_has_markup(v->u.str.s);
    if (v->type == VALUE_LIST)
        for (size_t i = 0; i < v->u.list.n; i++)
            if (has_markup(v->u.list.items[i]))
                return true;
    if (v->type == VALUE_MAP)
        for (size_t i = 0; i < v->u.map.n; i++)
            if (has_markup(v->u.map.entries[i].value))
                return true;
    return false;
}

static void check_entry(struct arena *a, const struct module *m, const struct value_entry *entry,
                        struct value *seen, struct source where, struct faults *faults)
{
    struct err err = ERR_INIT;
    const struct module_arg *arg = find_arg(m, entry->key, strlen(entry->key));
    struct source src = entry->key_src.line > 0 ? entry->key_src : where;
    int rc;

    if (arg && has_markup(entry->value)) {
        value_map_set(a, seen, arg->name, entry->value);
        return;
    }
    rc = type_entry(a, m, entry, seen, &err);
    if (rc < 0 && arg && entry->value->src.line > 0)
        src = entry->value->src;
    if (rc < 0)
        fault_add(faults, src, "%s", err.text);
    if (rc < 0 && err.hint)
        fault_hint(faults, "%s", err.hint);
    err_release(&err);
}

void args_check(const struct module *m, const struct value *raw, const char *free_form,
                struct source where, struct faults *faults)
{
    struct arena arena;
    struct value *seen;

    arena_init(&arena);
    seen = value_map(&arena);
    if (raw && raw->type != VALUE_MAP && raw->type != VALUE_NULL)
        fault_add(faults, where, "arguments of %s must be a map", m->name);
    for (size_t i = 0; raw && raw->type == VALUE_MAP && i < raw->u.map.n; i++)
        check_entry(&arena, m, &raw->u.map.entries[i], seen, where, faults);
    for (const struct module_arg *arg = m->args; arg && arg->name; arg++)
        if (arg->required && !value_get(seen, arg->name) && !(raw && value_get(raw, arg->name)))
            fault_add(faults, where, "module %s needs the argument '%s'", m->name, arg->name);
    if (m->free_form && !(free_form && *free_form) && !value_get(seen, "cmd") &&
        !value_get(seen, "argv"))
        fault_add(faults, where, "module %s needs a command", m->name);
    arena_release(&arena);
}

/* ---- name=value text ---- */

/* End of the word at p: blanks inside quotes and inside {{ }}, {% %}, {# #} do not end it. */
static const char *word_end(const char *p)
{
    char quote = 0;
    int depth = 0;

    for (; *p; p++) {
        if (p[0] == '{' && p[1] && strchr("{%#", p[1])) {
            depth++;
            p++;
        } else if (depth > 0 && p[0] && strchr("}%#", p[0]) && p[1] == '}') {
            depth--;
            p++;
        } else if (depth > 0) {
            continue;
        } else if (*p == '\\' && p[1]) {
            p++;
        } else if (quote) {
            quote = *p == quote ? 0 : quote;
        } else if (*p == '"' || *p == '\'') {
            quote = *p;
        } else if (isspace((unsigned char)*p)) {
            break;
        }
    }
    return p;
}

/* Length of NAME in NAME=..., 0 when the word is none. */
static size_t option_name(const char *word, const char *end)
{
    const char *p = word;

    while (p < end && (isalnum((unsigned char)*p) || *p == '_' || *p == '-'))
        p++;
    return p < end && *p == '=' ? (size_t)(p - word) : 0;
}

/* In a free form only these are options (splitter.py, parse_kv with check_raw). */
static bool is_free_form_option(const char *name, size_t len)
{
    return in_choices("creates|removes|chdir|executable|stdin|stdin_add_newline|strip_empty_ends",
                      name, len);
}

static struct value *option_value(struct arena *a, const char *text, size_t len,
                                  struct source where)
{
    struct value *v;

    if (len >= 2 && (text[0] == '"' || text[0] == '\'') && text[len - 1] == text[0]) {
        text++;
        len -= 2;
    }
    v = value_strn(a, text, len);
    v->src = where;
    return v;
}

struct value *args_split(struct arena *a, const struct module *m, struct source where,
                         const char *text, const char **free_form, struct err *err)
{
    struct value *map = value_map(a);
    struct str rest;
    const char *p = text;

    str_init(&rest, STR_MAX_TEXT);
    while (*p) {
        const char *end = word_end(p);
        size_t name_len = option_name(p, end);

        if (name_len && (!m->free_form || is_free_form_option(p, name_len))) {
            const char *value_text = p + name_len + 1;

            value_map_set(a, map, arena_strndup(a, p, name_len),
                          option_value(a, value_text, (size_t)(end - value_text), where));
        } else {
            str_add(&rest, p, (size_t)(end - p));
        }
        p = end;
        if (*p)
            str_putc(&rest, *p++);
    }
    str_trim_end(&rest);
    *free_form = NULL;
    if (rest.len > 0)
        *free_form = arena_strdup(a, rest.buf + strspn(rest.buf, " \t\r\n"));
    str_release(&rest);
    if (*free_form && !m->free_form) {
        err_set(err, ERR_INPUT, "module %s takes name=value, not '%.60s'", m->name, *free_form);
        add_place(where, where, err);
        return NULL;
    }
    return map;
}

/* ---- words ---- */

/* Takes the quoted part at *p (on its opening quote). -1: it does not end. */
static int take_quoted(const char **p, struct str *word)
{
    char quote = *(*p)++;

    for (; **p && **p != quote; (*p)++) {
        if (quote == '"' && **p == '\\' && ((*p)[1] == '"' || (*p)[1] == '\\'))
            (*p)++;
        str_putc(word, **p);
    }
    if (!**p)
        return -1;
    (*p)++;
    return 0;
}

static int take_word(const char **p, struct str *word)
{
    while (**p && !isspace((unsigned char)**p)) {
        if (**p == '"' || **p == '\'') {
            if (take_quoted(p, word) < 0)
                return -1;
            continue;
        }
        if (**p == '\\' && *++*p == '\0')
            return -1;
        str_putc(word, *(*p)++);
    }
    return 0;
}

struct value *args_words(struct arena *a, const char *text, struct err *err)
{
    struct value *list = value_list(a);
    struct str word;
    const char *p = text;
    int rc = 0;

    str_init(&word, STR_MAX_TEXT);
    while (rc == 0 && *(p += strspn(p, " \t\r\n"))) {
        str_clear(&word);
        rc = take_word(&p, &word);
        value_list_add(a, list, value_strn(a, word.buf, word.len));
    }
    str_release(&word);
    if (rc < 0) {
        err_set(err, ERR_INPUT, "no closing quotation in: %.80s", text);
        return NULL;
    }
    return list;
}
