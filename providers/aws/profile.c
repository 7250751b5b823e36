/* profile.c - config and credentials, line by line, as Python's RawConfigParser reads them. */
#include "providers/aws/profile.h"

#include <ctype.h>

#include "lib/base/file.h"

enum { FILE_MAX = 1 << 20 };

struct reading {
    struct arena *arena;
    const char *file;
    bool is_config;
    int line;
    struct value *profiles;
    struct value *section; /* NULL: before the first, or one that is passed over */
    bool any;              /* a section began */
    const char *setting;   /* the last one of the section */
};

static const char blanks[] = " \t\r\f\v";

static int wrong(const struct reading *in, struct err *err, const char *what)
{
    return err_set(err, ERR_INPUT, "%s:%d: %s", in->file, in->line, what);
}

/* "profile NAME" or 'profile "NAME"'; NULL: another kind of section. */
static const char *profile_name(struct reading *in, const char *section)
{
    const char *name = section;

    if (!in->is_config || str_eq(section, "default"))
        return section;
    if (!str_starts(section, "profile") || !strchr(blanks, section[strlen("profile")]))
        return NULL;
    name =
        arena_trimmed(in->arena, section + strlen("profile"), strlen(section) - strlen("profile"));
    if ((*name == '"' || *name == '\'') && strlen(name) > 1 && name[strlen(name) - 1] == *name)
        name = arena_strndup(in->arena, name + 1, strlen(name) - 2);
    return *name ? name : NULL;
}

static int begin_section(struct reading *in, const char *text, struct err *err)
{
    const char *end = strrchr(text, ']'), *name;

    in->setting = NULL;
    in->section = NULL;
    in->any = true;
    if (!end)
        return wrong(in, err, "a section without ]");
    name = profile_name(in, arena_trimmed(in->arena, text + 1, (size_t)(end - text) - 1));
    if (!name)
        return 0;
    in->section = value_get(in->profiles, name);
    if (!in->section) {
        in->section = value_map(in->arena);
        value_map_set(in->arena, in->profiles, name, in->section);
    }
    return 0;
}

static int split(struct reading *in, const char *text, const char **name, const char **value,
                 struct err *err)
{
    size_t len = strcspn(text, "=:");
    char *lower;

    if (!text[len])
        return wrong(in, err, "a line without =");
    lower = arena_trimmed(in->arena, text, len);
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    *name = lower;
    *value = arena_trimmed(in->arena, text + len + 1, strlen(text + len + 1));
    return 0;
}

/* Below a setting without a value: one of its own. Else the value goes on. */
static int go_on(struct reading *in, const char *text, struct err *err)
{
    struct value *v = value_get(in->section, in->setting);
    const char *name, *value;

    if (value_is_str(v) && *v->u.str.s) {
        value_map_set(in->arena, in->section, in->setting,
                      value_strf(in->arena, "%s\n%s", v->u.str.s, text));
        return 0;
    }
    if (split(in, text, &name, &value, err) < 0)
        return -1;
    if (value_is_str(v)) {
        v = value_map(in->arena);
        value_map_set(in->arena, in->section, in->setting, v);
    }
    value_map_set(in->arena, v, name, value_str(in->arena, value));
    return 0;
}

static int read_line(struct reading *in, const char *line, struct err *err)
{
    const char *text = arena_trimmed(in->arena, line, strlen(line)), *value = "";
    bool indented = *line && strchr(blanks, *line);

    if (!*text || *text == '#' || *text == ';')
        return 0;
    if (*text == '[' && !indented)
        return begin_section(in, text, err);
    if (!in->any)
        return wrong(in, err, "a setting before the first [section]");
    if (!in->section) /* nobody asks what is in it */
        return 0;
    if (indented && in->setting)
        return go_on(in, text, err);
    if (split(in, text, &in->setting, &value, err) < 0)
        return -1;
    value_map_set(in->arena, in->section, in->setting, value_str(in->arena, value));
    return 0;
}

int profiles_parse(struct arena *a, const char *file, const char *text, size_t len, bool is_config,
                   struct value *profiles, struct err *err)
{
    struct reading in = {.arena = a, .file = file, .is_config = is_config, .profiles = profiles};
    const char *end = text + len;

    if (len && memchr(text, '\0', len))
        return err_set(err, ERR_INPUT, "%s: a file with a NUL byte", file);
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;

        in.line++;
        if (read_line(&in, arena_strndup(a, text, (size_t)(stop - text)), err) < 0)
            return -1;
        text = newline ? newline + 1 : end;
    }
    return 0;
}

int profiles_read(struct arena *a, const char *file, bool is_config, struct value *profiles,
                  struct err *err)
{
    struct str text;
    int rc;

    if (!file_exists(file))
        return 0;
    str_init(&text, FILE_MAX);
    rc = file_read(file, &text, err);
    if (rc == 0)
        rc = profiles_parse(a, file, text.buf, text.len, is_config, profiles, err);
    str_release(&text);
    return rc;
}
