/*
 * ini_file.c - module ini_file (community.general.ini_file): options in the sections of a file.
 *
 * The order of its rules, and so the file it makes, is that of community.general's ini_file.py: of
 * an option's lines those that have a wanted value stay, others are rewritten, what is left over
 * goes, and what is missing is added after the section's last line that is no comment.
 */
#include "lib/play/lines.h"

static const char *const aliases[] = {"community.general.ini_file", NULL};

static const struct module_arg args[] = {
    {"path", ARG_PATH, true, NULL, NULL, "dest", "The file"},
    {"section", ARG_STR, false, NULL, NULL, NULL,
     "The section; default: what is before the first one"},
    {"option", ARG_STR, false, NULL, NULL, NULL, "The option; without: the whole section"},
    {"value", ARG_STR, false, NULL, NULL, NULL, "Its value"},
    {"values", ARG_LIST, false, NULL, NULL, NULL, "Its values, a line each"},
    {"state", ARG_STR, false, "present", "absent|present", NULL, "Whether it is there"},
    {"exclusive", ARG_BOOL, false, "yes", NULL, NULL,
     "no: the option's lines with other values are left alone"},
    {"no_extra_spaces", ARG_BOOL, false, "no", NULL, NULL, "No space around ="},
    {"ignore_spaces", ARG_BOOL, false, "no", NULL, NULL,
     "Leave a line that differs only in the space around ="},
    {"allow_no_value", ARG_BOOL, false, "no", NULL, NULL, "An option may be without = and value"},
    {"modify_inactive_option", ARG_BOOL, false, "yes", NULL, NULL,
     "A line that is commented out is taken for the option's"},
    {"create", ARG_BOOL, false, "yes", NULL, NULL, "Make the file when there is none"},
    {"follow", ARG_BOOL, false, "no", NULL, NULL, "Write what a link at path leads to"},
    {"section_has_values", ARG_REFUSED, false, NULL, NULL, NULL,
     "sections are found by their name alone: use lineinfile or template"},
    {"backup", ARG_BOOL, false, "no", NULL, NULL, "Keep the old file beside it"},
    FILE_ATTRIBUTE_ARGS,
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

struct ini {
    struct module_call *call;
    const char *path, *section, *option;
    const char **values; /* those that no line has yet, n_values of them */
    size_t n_values;
    bool absent, exclusive, ignore_spaces, no_value, inactive;
    /* the lines and, from begin to end, those of the section with its head, if it has one */
    struct lines lines;
    size_t begin, end;
    bool has_section;
    const char *msg; /* what was changed last */
    bool changed;
};

/* What a line says of the option. */
struct setting {
    bool found, commented;
    const char *value;
};

static int check_text(const char *name, const char *text, struct err *err)
{
    if (text && strpbrk(text, "\r\n"))
        return err_set(err, ERR_INPUT, "ini_file: %s must be one line", name);
    return 0;
}

static bool has_value(const struct ini *ini, const char *value, size_t *at)
{
    for (*at = 0; *at < ini->n_values; (*at)++)
        if (str_eq(ini->values[*at], value))
            return true;
    return false;
}

/* `value` and `values`, each once. */
static int take_values(struct module_call *call, struct ini *ini, struct err *err)
{
    const struct value *values = value_get(call->args, "values");
    const char *value = value_get_str(call->args, "value", NULL);
    size_t n = values ? values->u.list.n : 0, ignored;

    if (value && values)
        return err_set(err, ERR_INPUT, "parameters are mutually exclusive: value|values");
    ini->values = arena_alloc(call->arena, (n + 1) * sizeof(*ini->values));
    if (value)
        ini->values[ini->n_values++] = value;
    for (size_t i = 0; i < n; i++)
        if (!has_value(ini, values->u.list.items[i]->u.str.s, &ignored))
            ini->values[ini->n_values++] = values->u.list.items[i]->u.str.s;
    for (size_t i = 0; i < ini->n_values; i++)
        if (check_text("value", ini->values[i], err) < 0)
            return -1;
    return 0;
}

static int check(const struct ini *ini, struct err *err)
{
    if (check_text("section", ini->section, err) < 0 || check_text("option", ini->option, err) < 0)
        return -1;
    if (!ini->absent && !ini->no_value && ini->n_values == 0)
        return err_set(err, ERR_INPUT,
                       "Parameter 'value(s)' must be defined if state=present and "
                       "allow_no_value=False.");
    if (!ini->option && ini->n_values > 0)
        return err_set(err, ERR_INPUT, "ini_file: a value needs an option");
    if (!ini->option && !ini->section)
        return err_set(err, ERR_INPUT, "ini_file needs section or option");
    return 0;
}

/* An empty text is none. */
static const char *text_of(struct module_call *call, const char *key)
{
    const char *text = value_get_str(call->args, key, "");

    return *text ? text : NULL;
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct ini *ini = arena_new(call->arena, struct ini);

    ini->call = call;
    ini->path = file_clean_path(call, value_get_str(call->args, "path", ""));
    ini->section = text_of(call, "section");
    ini->option = text_of(call, "option");
    ini->absent = str_eq(value_get_str(call->args, "state", ""), "absent");
    ini->exclusive = value_get_bool(call->args, "exclusive", true);
    ini->ignore_spaces = value_get_bool(call->args, "ignore_spaces", false);
    ini->no_value = value_get_bool(call->args, "allow_no_value", false);
    ini->inactive = value_get_bool(call->args, "modify_inactive_option", true);
    if (take_values(call, ini, err) < 0 || check(ini, err) < 0)
        return -1;
    call->own = ini;
    if (value_get_bool(call->args, "follow", false))
        ini->path = file_follow(call, ini->path, add, ctx);
    file_content_needs(call, ini->path, NULL, true, value_get_bool(call->args, "create", true), add,
                       ctx);
    return 0;
}

/* The file's text as Python reads it: without a byte order mark, every line ended by \n alone. */
static void split_text(struct ini *ini, const char *text, size_t len)
{
    char *plain = arena_strndup(ini->call->arena, text ? text : "", text ? len : 0), *to;

    if (str_starts(plain, "\xef\xbb\xbf"))
        plain += 3;
    to = plain;
    for (const char *p = plain; *p; p++)
        if (*p != '\r')
            *to++ = *p;
        else if (p[1] != '\n')
            *to++ = '\n';
    *to = '\0';
    lines_split(&ini->lines, ini->call->arena, plain, (size_t)(to - plain));
    if (ini->lines.n == 0)
        lines_insert(&ini->lines, 0, "");
    if (!str_ends(ini->lines.items[ini->lines.n - 1], "\n")) {
        lines_end_last(&ini->lines);
        ini->changed = true;
    }
}

static const char *skip_space(const char *text)
{
    return text + strspn(text, " \t\n\r\f\v");
}

/* [NAME], with or without blanks inside the brackets. */
static bool is_head(const char *line, const char *name)
{
    size_t len = strlen(name = skip_space(name));

    while (len > 0 && skip_space(name + len - 1) > name + len - 1)
        len--;
    line = *line == '[' ? skip_space(line + 1) : "";
    return strncmp(line, name, len) == 0 && *skip_space(line + len) == ']';
}

/* The first section of that name, up to the next line that begins with a bracket. */
static void find_section(struct ini *ini)
{
    ini->has_section = !ini->section;
    ini->begin = ini->end = 0;
    for (size_t i = 0; i < ini->lines.n; i++) {
        if (ini->has_section && *ini->lines.items[i] == '[')
            return;
        if (!ini->has_section && is_head(ini->lines.items[i], ini->section)) {
            ini->has_section = true;
            ini->begin = i;
        }
        ini->end = ini->has_section ? i + 1 : 0;
    }
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

/* [blanks][# or ;][blanks]OPTION[blanks][= value] */
static struct setting setting_of(const struct ini *ini, size_t at, bool inactive)
{
    struct setting setting = {false, false, NULL};
    const char *p = skip_blanks(ini->lines.items[at]);

    if (*p == '#' || *p == ';') {
        if (!inactive)
            return setting;
        setting.commented = true;
        p = skip_blanks(p + 1);
    }
    if (!ini->option || !str_starts(p, ini->option))
        return setting;
    p = skip_blanks(p + strlen(ini->option));
    if (*p != '=' && *p != '\n')
        return setting;
    p = *p == '=' ? skip_blanks(p + 1) : p;
    setting.found = true;
    setting.value = arena_strndup(ini->call->arena, p, strcspn(p, "\n"));
    return setting;
}

static const char *option_line(const struct ini *ini, const char *value)
{
    bool tight = value_get_bool(ini->call->args, "no_extra_spaces", false);

    if (!value)
        return arena_printf(ini->call->arena, "%s\n", ini->option);
    return arena_printf(ini->call->arena, tight ? "%s=%s\n" : "%s = %s\n", ini->option, value);
}

static void note_change(struct ini *ini, const char *msg)
{
    ini->changed = true;
    ini->msg = msg;
}

/* value NULL: the option alone. */
static void rewrite(struct ini *ini, size_t at, const struct setting *setting, const char *value)
{
    const char *line = option_line(ini, value);
    bool same = str_eq(ini->lines.items[at], line);

    if (ini->ignore_spaces && !setting->commented)
        same = str_eq(setting->value, value ? value : "");
    if (same)
        return;
    ini->lines.items[at] = line;
    note_change(ini, "option changed");
}

static void drop_value(struct ini *ini, size_t at)
{
    ini->n_values--;
    memmove(ini->values + at, ini->values + at + 1, (ini->n_values - at) * sizeof(*ini->values));
}

static void remove_line(struct ini *ini, bool *settled, size_t at)
{
    lines_remove(&ini->lines, at, 1);
    if (settled)
        memmove(settled + at, settled + at + 1, (ini->lines.n - at) * sizeof(*settled));
    ini->end--;
    note_change(ini, "option changed");
}

/* Lines that have one of the values already. True: an option without a value is wanted and there.
 */
static bool settle_present(struct ini *ini, bool *settled)
{
    bool alone = false;

    for (size_t i = ini->begin; ini->option && i < ini->end; i++) {
        struct setting setting = setting_of(ini, i, ini->inactive);
        size_t at;

        if (!setting.found)
            continue;
        if (has_value(ini, setting.value, &at)) {
            alone = alone || (!*setting.value && ini->no_value);
            rewrite(ini, i, &setting, *setting.value || !ini->no_value ? setting.value : NULL);
            drop_value(ini, at);
            settled[i] = true;
        } else if (ini->n_values == 0 && ini->no_value) {
            rewrite(ini, i, &setting, NULL);
            settled[i] = true;
            return true;
        }
    }
    return alone;
}

/* The option's other lines take the values that are missing, and go when there are none. */
static void replace_others(struct ini *ini, bool *settled)
{
    for (size_t i = ini->begin; ini->n_values > 0 && i < ini->end; i++) {
        struct setting setting = setting_of(ini, i, ini->inactive);

        if (settled[i] || !setting.found)
            continue;
        rewrite(ini, i, &setting, ini->values[0]);
        drop_value(ini, 0);
        settled[i] = true;
    }
    for (size_t i = ini->end; i > ini->begin; i--)
        if (!settled[i - 1] && setting_of(ini, i - 1, ini->inactive).found)
            remove_line(ini, settled, i - 1);
}

/* After the last line of the section that is neither blank nor a comment: its head, if no other. */
static void add_missing(struct ini *ini, bool alone)
{
    size_t at = ini->end;

    for (; at > ini->begin; at--) {
        const char *p = skip_blanks(ini->lines.items[at - 1]);

        if (!strchr("#;\n", *p))
            break;
    }
    for (size_t i = 0; i < ini->n_values; i++)
        lines_insert(&ini->lines, at + i, option_line(ini, ini->values[i]));
    if (ini->n_values > 0) {
        note_change(ini, "option added");
    } else if (ini->option && ini->no_value && !alone) {
        lines_insert(&ini->lines, at, option_line(ini, NULL));
        note_change(ini, "option added");
    }
}

static void add_section(struct ini *ini)
{
    struct lines *lines = &ini->lines;

    lines_insert(lines, lines->n, arena_printf(ini->call->arena, "[%s]", ini->section));
    note_change(ini, ini->option ? "section and option added" : "only section added");
    for (size_t i = 0; i < ini->n_values; i++)
        lines_insert(lines, lines->n, option_line(ini, ini->values[i]));
    if (ini->option && ini->n_values == 0)
        lines_insert(lines, lines->n, option_line(ini, NULL));
}

static void edit_present(struct ini *ini)
{
    bool *settled = arena_alloc(ini->call->arena, (ini->lines.n + 1) * sizeof(*settled));
    bool alone;

    if (!ini->has_section) {
        add_section(ini);
        return;
    }
    alone = settle_present(ini, settled);
    if (ini->exclusive && !ini->no_value)
        replace_others(ini, settled);
    add_missing(ini, alone);
}

static void edit_absent(struct ini *ini)
{
    size_t ignored;

    if (!ini->option && ini->has_section) {
        lines_remove(&ini->lines, ini->begin, ini->end - ini->begin);
        note_change(ini, "section removed");
        return;
    }
    for (size_t i = ini->end; ini->option && i > ini->begin; i--) {
        struct setting setting = setting_of(ini, i - 1, false);

        if (setting.found && (ini->exclusive || has_value(ini, setting.value, &ignored)))
            remove_line(ini, NULL, i - 1);
    }
}

static int plan_content(struct module_call *call, struct world *world, const struct ini *ini,
                        const char *text, size_t len, struct module_plan *out, struct err *err)
{
    struct file_content want = {.path = ini->path,
                                .data = text,
                                .len = len,
                                .attributes = file_attributes_of(call),
                                .backup = value_get_bool(call->args, "backup", false),
                                .make_dirs = value_get_bool(call->args, "create", true)};

    if (ini->changed)
        want.data = lines_join(&ini->lines, call->arena, &want.len);
    return file_content_plan(call, world, &want, out, err);
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    struct ini *ini = call->own;
    const char *text;
    size_t len;
    int rc = 0;

    out->kind = PLAN_OK;
    if (lines_of_file(world, ini->path, &text, &len, err) < 0)
        return -1;
    if (!text && !value_get_bool(call->args, "create", true))
        return plan_fail(call, out, "Destination %s does not exist!", ini->path);
    ini->msg = "OK";
    split_text(ini, text, len);
    find_section(ini);
    if (ini->absent)
        edit_absent(ini);
    else
        edit_present(ini);
    if (text || ini->changed)
        rc = plan_content(call, world, ini, text, len, out, err);
    lines_release(&ini->lines);
    if (rc == 0) {
        file_result(call, world, "path", ini->path, out);
        plan_result_str(call, out, "msg", ini->msg);
    }
    return rc;
}

const struct module module_ini_file = {
    .name = "ini_file",
    .aliases = aliases,
    .help = "Keeps options in the sections of an INI file.",
    .args = args,
    .needs = needs,
    .plan = plan,
};
