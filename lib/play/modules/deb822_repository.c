/*
 * deb822_repository.c - module deb822_repository: a file of apt's deb822 format in
 * /etc/apt/sources.list.d. The text is byte by byte that of Ansible's deb822_repository.py.
 */
#include <ctype.h>

#include "lib/play/filechange.h"

/* The file's fields stand in the order of this table: that of their names, as Ansible sorts them.
 * All between `name` and the file's own arguments, mode and state, are fields. */
static const struct module_arg args[] = {
    {"allow_downgrade_to_insecure", ARG_BOOL, false, NULL, NULL, NULL,
     "Packages that were authenticated may no longer be"},
    {"allow_insecure", ARG_BOOL, false, NULL, NULL, NULL, "Repositories without a signature"},
    {"allow_weak", ARG_BOOL, false, NULL, NULL, NULL, "Keys with a weak digest"},
    {"architectures", ARG_LIST, false, NULL, NULL, NULL, "Architectures to look for"},
    {"by_hash", ARG_BOOL, false, NULL, NULL, NULL, "Fetch indexes by their hashes"},
    {"check_date", ARG_BOOL, false, NULL, NULL, NULL, "Trust the host's clock"},
    {"check_valid_until", ARG_BOOL, false, NULL, NULL, NULL, "Look for replay attacks"},
    {"components", ARG_LIST, false, NULL, NULL, NULL, "main, contrib, ..."},
    {"date_max_future", ARG_INT, false, NULL, NULL, NULL, "Seconds a repository may be ahead"},
    {"enabled", ARG_BOOL, false, NULL, NULL, NULL, "Whether apt uses it"},
    {"inrelease_path", ARG_STR, false, NULL, NULL, NULL, "Where InRelease is"},
    {"languages", ARG_LIST, false, NULL, NULL, NULL, "Languages of descriptions"},
    {"name", ARG_STR, true, NULL, NULL, NULL,
     "X-Repolib-Name; the file's name is made of its letters, digits and -"},
    {"pdiffs", ARG_BOOL, false, NULL, NULL, NULL, "Fetch differences of indexes"},
    {"signed_by", ARG_STR, false, NULL, NULL, NULL,
     "An armored key, the path of a keyring of the host, or fingerprints; no URL"},
    {"suites", ARG_LIST, false, NULL, NULL, NULL, "trixie, trixie-pgdg, ..."},
    {"targets", ARG_LIST, false, NULL, NULL, NULL, "What apt fetches"},
    {"trusted", ARG_BOOL, false, NULL, NULL, NULL, "Trust it without a signature"},
    {"types", ARG_LIST, false, "deb", NULL, NULL, "deb, deb-src"},
    {"uris", ARG_LIST, false, NULL, NULL, NULL, "Where the archive is"},
    {"mode", ARG_MODE, false, "0644", NULL, NULL, "Permissions of the file"},
    {"state", ARG_STR, false, "present", "absent|present", NULL, "Whether it is there"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

#define SOURCES  "/etc/apt/sources.list.d"
#define KEYRINGS "/etc/apt/keyrings"

struct repository {
    const char *path;
    const char *keys[2]; /* files that Ansible makes of a key's URL */
    const char *keyring; /* signed_by when it is a path; NULL */
};

/* "My Repo_1!" is "my-repo-1". */
static const char *slug_of(struct module_call *call, const char *name)
{
    char *slug = arena_strdup(call->arena, name), *to = slug;

    for (const char *p = name; *p; p++) {
        bool dash = *p == '_' || isspace((unsigned char)*p);

        if (dash && p > name && (p[-1] == '_' || isspace((unsigned char)p[-1])))
            continue;
        if (dash || *p == '-')
            *to++ = '-';
        else if (isascii((unsigned char)*p) && isalnum((unsigned char)*p))
            *to++ = (char)tolower((unsigned char)*p);
    }
    *to = '\0';
    return slug;
}

static bool is_field(const struct module_arg *arg)
{
    return !str_eq(arg->name, "mode") && !str_eq(arg->name, "state");
}

static int check_line(const char *name, const char *text, struct err *err)
{
    if (strpbrk(text, "\r\n"))
        return err_set(err, ERR_INPUT, "deb822_repository: %s must be one line", name);
    return 0;
}

/* No value but a key may bring a line of its own into the file. */
static int check_fields(struct module_call *call, struct err *err)
{
    for (const struct module_arg *arg = args; arg->name; arg++) {
        const struct value *v = value_get(call->args, arg->name);

        if (v && arg->type == ARG_STR && !str_eq(arg->name, "signed_by") &&
            check_line(arg->name, v->u.str.s, err) < 0)
            return -1;
        for (size_t i = 0; v && arg->type == ARG_LIST && i < v->u.list.n; i++) {
            const char *item = v->u.list.items[i]->u.str.s;

            if (check_line(arg->name, item, err) < 0)
                return -1;
            if (str_eq(arg->name, "types") && !str_eq(item, "deb") && !str_eq(item, "deb-src"))
                return err_set(err, ERR_INPUT,
                               "value of types must be one or more of: deb, "
                               "deb-src. Got no match for: %s",
                               item);
        }
    }
    return 0;
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct repository *repository = arena_new(call->arena, struct repository);
    const char *slug = slug_of(call, value_get_str(call->args, "name", ""));
    const char *signed_by = value_get_str(call->args, "signed_by", NULL);
    struct need need = {.kind = NEED_PATH};

    if (!*slug)
        return err_set(err, ERR_INPUT, "deb822_repository: name must have a letter or a digit");
    if (check_fields(call, err) < 0)
        return -1;
    if (signed_by && !strchr(signed_by, '\n') && strstr(signed_by, "://"))
        return err_set(err, ERR_INPUT,
                       "deb822_repository: signed_by cannot be a URL: put the key "
                       "on the host with get_url and give its path");
    repository->path = arena_printf(call->arena, SOURCES "/%s.sources", slug);
    repository->keys[0] = arena_printf(call->arena, KEYRINGS "/%s.asc", slug);
    repository->keys[1] = arena_printf(call->arena, KEYRINGS "/%s.gpg", slug);
    repository->keyring = signed_by && *signed_by == '/' ? signed_by : NULL;
    call->own = repository;
    file_content_needs(call, repository->path, NULL, true, false, add, ctx);
    for (size_t i = 0; i < ARRAY_LEN(repository->keys); i++) {
        need.name = repository->keys[i];
        add(ctx, &need);
    }
    need.name = repository->keyring;
    if (repository->keyring)
        add(ctx, &need);
    return 0;
}

/* allow_weak is Allow-Weak, uris is URIs. */
static void put_field_name(const char *name, struct str *out)
{
    bool first = true;

    if (str_eq(name, "name")) {
        str_puts(out, "X-Repolib-Name");
    } else if (str_eq(name, "uris")) {
        str_puts(out, "URIs");
    } else {
        for (; *name; name++) {
            str_putc(out, *name == '_' ? '-' : first ? (char)toupper((unsigned char)*name) : *name);
            first = *name == '_';
        }
    }
}

/* Every line indented and without the white space around it; "." stands for an empty one. */
static void put_lines(const char *text, struct str *out)
{
    text += strspn(text, " \t\r\n\f\v");
    while (*text) {
        size_t len, end;

        text += strspn(text, " \t");
        len = end = strcspn(text, "\r\n");
        while (len > 0 && isspace((unsigned char)text[len - 1]))
            len--;
        str_printf(out, "\n    %.*s", len ? (int)len : 1, len ? text : ".");
        text += end;
        if (text[strspn(text, " \t\r\n\f\v")] == '\0')
            break; /* nothing but white space is left */
        text += text[0] == '\r' && text[1] == '\n' ? 2 : 1;
    }
}

static void put_value(const struct value *v, struct str *out)
{
    if (v->type == VALUE_BOOL) {
        str_puts(out, v->u.b ? " yes" : " no");
    } else if (v->type == VALUE_INT) {
        str_printf(out, " %lld", (long long)v->u.i);
    } else if (v->type == VALUE_LIST) {
        for (size_t i = 0; i < v->u.list.n; i++)
            str_printf(out, " %s", v->u.list.items[i]->u.str.s);
    } else if (strchr(v->u.str.s, '\n')) {
        put_lines(v->u.str.s, out);
    } else if (*v->u.str.s) {
        str_printf(out, " %s", v->u.str.s);
    }
}

static const char *repository_text(struct module_call *call)
{
    struct str text;
    const char *kept;

    str_init(&text, STR_MAX_TEXT);
    for (const struct module_arg *arg = args; arg->name; arg++) {
        const struct value *v = value_get(call->args, arg->name);

        if (!v || !is_field(arg))
            continue;
        put_field_name(arg->name, &text);
        str_putc(&text, ':');
        put_value(v, &text);
        str_putc(&text, '\n');
    }
    kept = arena_strdup(call->arena, text.buf);
    str_release(&text);
    return kept;
}

static void result_text(struct module_call *call, struct module_plan *out, const char *key,
                        const char *text)
{
    value_map_set(call->arena, plan_result(call, out), key,
                  text ? value_str(call->arena, text) : value_null(call->arena));
}

static void plan_absent(struct module_call *call, struct world *world,
                        const struct repository *repository, struct module_plan *out)
{
    if (file_remove_plan(call, world, repository->path, out))
        plan_say(call, out, "removed");
    for (size_t i = 0; i < ARRAY_LEN(repository->keys); i++)
        if (file_remove_plan(call, world, repository->keys[i], out))
            plan_say(call, out, "key removed");
    result_text(call, out, "repo", NULL);
    result_text(call, out, "key_filename", repository->keys[1]);
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct repository *repository = call->own;
    struct file_content want = {.path = repository->path, .attributes = {.mode = NULL}};

    out->kind = PLAN_OK;
    result_text(call, out, "dest", repository->path);
    if (str_eq(value_get_str(call->args, "state", ""), "absent")) {
        plan_absent(call, world, repository, out);
        return 0;
    }
    want.attributes.mode = value_get_str(call->args, "mode", NULL);
    want.data = repository_text(call);
    want.len = strlen(want.data);
    result_text(call, out, "repo", want.data);
    result_text(call, out, "key_filename",
                repository->keyring && world_path(world, repository->keyring)->sha256
                    ? repository->keyring
                    : NULL);
    if (file_content_plan(call, world, &want, out, err) < 0)
        return -1;
    file_result(call, world, "dest", repository->path, out);
    return 0;
}

const struct module module_deb822_repository = {
    .name = "deb822_repository",
    .help = "Keeps a package repository in /etc/apt/sources.list.d, in apt's deb822 format.",
    .args = args,
    .needs = needs,
    .plan = plan,
};
