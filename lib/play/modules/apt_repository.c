/*
 * apt_repository.c - module apt_repository: a line in apt's lists of sources.
 *
 * As Ansible's apt_repository.py, it looks for the source in every list of the host, commented out
 * or not, whatever the white space; a file that changes is written anew in Ansible's spelling.
 */
#include <ctype.h>
#include <fnmatch.h>

#include "lib/play/lines.h"
#include "lib/play/modules/apt.h"

static const struct module_arg args[] = {
    {"repo", ARG_STR, true, NULL, NULL, NULL,
     "The line: deb [options] URI SUITE COMPONENTS; no ppa:"},
    {"state", ARG_STR, false, "present", "absent|present", NULL, "Whether it is there"},
    {"mode", ARG_MODE, false, NULL, NULL, NULL, "Permissions of a file that gets the line"},
    {"filename", ARG_STR, false, NULL, NULL, NULL,
     "File of a new line, without .list; default: made of the URI"},
    {"update_cache", ARG_BOOL, false, "yes", NULL, "update-cache",
     "apt-get update after a change; when it fails, the change is taken back"},
    {"update_cache_retries", ARG_INT, false, "5", NULL, NULL, "How often that is tried"},
    {"update_cache_retry_max_delay", ARG_INT, false, "12", NULL, NULL,
     "Most seconds between two tries"},
    {"validate_certs", ARG_BOOL, false, "yes", NULL, NULL, "Accepted: of ppa: alone"},
    {"codename", ARG_REFUSED, false, NULL, NULL, NULL,
     "of ppa: alone, which is not supported: write the whole line"},
    {"install_python_apt", ARG_BOOL, false, "yes", NULL, NULL, "Accepted: no Python is needed"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

#define MAIN_LIST "/etc/apt/sources.list"
#define LISTS     "/etc/apt/sources.list.d/*.list"

struct entry {
    bool valid, enabled;
    const char *source, *comment;
};

struct repository {
    const char *source; /* as Ansible spells it */
    const char *path;   /* where a new one goes */
    bool absent;
};

/* The lists that change, as they were. */
struct edits {
    struct file_kept *kept;
    size_t n;
    bool found; /* the source is in some list, on or off */
};

/* The words with one space between. */
static const char *joined_words(struct arena *a, const char *text)
{
    char *kept = arena_strdup(a, text), *to = kept;

    for (const char *p = text; *p; p++)
        if (!isspace((unsigned char)*p))
            *to++ = *p;
        else if (!isspace((unsigned char)p[1]) && p[1])
            *to++ = ' ';
    *to = '\0';
    return kept;
}

static struct entry parse_entry(struct arena *a, const char *text)
{
    const char *line = arena_trimmed(a, text, strlen(text)), *hash;
    struct entry entry = {.enabled = *line != '#', .comment = ""};

    line += *line == '#';
    hash = strchr(line, '#');
    if (hash && hash > line)
        entry.comment = arena_trimmed(a, hash + 1, strlen(hash + 1));
    entry.source =
        arena_trimmed(a, line, hash && hash > line ? (size_t)(hash - line) : strlen(line));
    for (size_t i = 0; i < 2; i++) {
        static const char *const types[] = {"deb", "deb-src"};
        size_t len = strlen(types[i]);

        entry.valid = entry.valid ||
                      (str_starts(entry.source, types[i]) &&
                       (isspace((unsigned char)entry.source[len]) || entry.source[len] == '\0'));
    }
    if (entry.valid)
        entry.source = joined_words(a, entry.source);
    return entry;
}

static const char *entry_text(struct arena *a, const struct entry *entry)
{
    return arena_printf(a, "%s%s%s%s\n", entry->enabled ? "" : "# ", entry->source,
                        *entry->comment ? " # " : "", entry->comment);
}

/* The URI, without its options, its scheme and who logs in; what is no letter or digit is _. */
static const char *suggest_name(struct module_call *call, const char *source)
{
    const char *p = source + strcspn(source, " "), *at;
    struct str name;
    const char *kept;
    size_t len;

    p += strspn(p, " ");
    if (*p == '[' && strchr(p, ']')) {
        p = strchr(p, ']') + 1;
        p += strspn(p, " ");
    }
    if (strstr(p, "://"))
        p = strstr(p, "://") + 3;
    len = strcspn(p, " ");
    at = memchr(p, '@', len);
    if (at) {
        len -= (size_t)(at + 1 - p);
        p = at + 1;
    }
    str_init(&name, STR_MAX_TEXT);
    for (size_t i = 0; i < len; i++)
        if (isascii((unsigned char)p[i]) && isalnum((unsigned char)p[i]))
            str_putc(&name, p[i]);
        else if (name.len > 0 && name.buf[name.len - 1] != '_')
            str_putc(&name, '_');
    while (name.len > 0 && name.buf[name.len - 1] == '_')
        name.buf[--name.len] = '\0';
    kept = arena_strdup(call->arena, name.buf);
    str_release(&name);
    return kept;
}

static int parse_repo(struct module_call *call, struct repository *repository, struct err *err)
{
    const char *repo = value_get_str(call->args, "repo", "");
    const char *name = value_get_str(call->args, "filename", NULL);
    struct entry entry = parse_entry(call->arena, repo);

    if (!*repo)
        return err_set(err, ERR_INPUT, "Please set argument 'repo' to a non-empty value");
    if (str_starts(repo, "ppa:"))
        return err_set(err, ERR_INPUT,
                       "apt_repository: ppa: is not supported: give the whole line");
    if (!entry.valid || !entry.enabled ||
        strpbrk(arena_trimmed(call->arena, repo, strlen(repo)), "\r\n"))
        return err_set(err, ERR_INPUT, "Invalid repository string: %s", repo);
    if (!name)
        name = suggest_name(call, entry.source);
    if (!*name || strpbrk(name, "\r\n"))
        return err_set(err, ERR_INPUT, "apt_repository: no filename can be made of '%s'", repo);
    repository->source = entry.source;
    repository->path = file_clean_path(
        call, arena_printf(call->arena, "%s%s.list",
                           strchr(name, '/') ? "" : "/etc/apt/sources.list.d/", name));
    repository->absent = str_eq(value_get_str(call->args, "state", ""), "absent");
    return 0;
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    struct repository *repository = arena_new(call->arena, struct repository);
    struct need lists = {.kind = NEED_GLOB, .name = LISTS};

    if (parse_repo(call, repository, err) < 0)
        return -1;
    call->own = repository;
    add(ctx, &lists);
    file_content_needs(call, MAIN_LIST, NULL, true, false, add, ctx);
    file_content_needs(call, repository->path, NULL, true, true, add, ctx);
    return 0;
}

static bool is_list(const char *path)
{
    return str_eq(path, MAIN_LIST) || fnmatch(LISTS, path, FNM_PATHNAME | FNM_PERIOD) == 0;
}

/* The file in Ansible's spelling, with the source switched on or taken out. *found: it was there,
 * on or off. True when something changed. */
static bool edit_lines(struct module_call *call, const struct repository *repository,
                       const struct lines *old, struct lines *lines, bool *found)
{
    bool changed = false;

    for (size_t i = 0; i < old->n; i++) {
        struct entry entry = parse_entry(call->arena, old->items[i]);
        bool ours = entry.valid && str_eq(entry.source, repository->source);

        if (ours && repository->absent && entry.enabled) {
            changed = true;
            continue;
        }
        if (ours && !repository->absent) {
            *found = true;
            changed = changed || !entry.enabled;
            entry.enabled = true;
        }
        lines_insert(lines, lines->n, entry_text(call->arena, &entry));
    }
    return changed;
}

/* Writes the file, or removes it when nothing is left in it. What it was is kept until the package
 * lists are updated. */
static int plan_file(struct module_call *call, struct world *world, const char *path,
                     const struct lines *lines, const char *mode, struct edits *edits,
                     struct module_plan *out, struct err *err)
{
    struct file_content want = {.path = path, .attributes = {.mode = mode}, .make_dirs = true};
    bool exists = world_path(world, path)->type != 0;
    const char *key = !exists ? "sources_added" : lines->n == 0 ? "sources_removed" : NULL;
    struct file_kept *kept = &edits->kept[edits->n];

    if (value_get_bool(call->args, "update_cache", true)) {
        kept->id = edits->n++;
        file_keep(call, kept, path, exists, &out->script);
    }
    if (key)
        value_list_add(call->arena, value_get(plan_result(call, out), key),
                       value_str(call->arena, path));
    if (lines->n == 0) {
        file_remove_plan(call, world, path, out);
        plan_say(call, out, "%s removed", path);
        return 0;
    }
    want.data = lines_join(lines, call->arena, &want.len);
    return file_content_plan(call, world, &want, out, err);
}

/* Looks for the source in one list. add: it goes to the list's end. */
static int plan_list(struct module_call *call, struct world *world, const char *path, bool add,
                     struct edits *edits, struct module_plan *out, struct err *err)
{
    const struct repository *repository = call->own;
    const struct path_state *now = world_path(world, path);
    struct entry new = {true, true, repository->source, ""};
    struct lines old, lines;
    const char *text = now->content;
    size_t len = text ? now->content_len : 0;
    bool changed;
    int rc = 0;

    if (!text && lines_of_file(world, path, &text, &len, err) < 0)
        return -1;
    lines_split(&old, call->arena, text, len);
    lines_split(&lines, call->arena, NULL, 0);
    changed = edit_lines(call, repository, &old, &lines, &edits->found);
    if (add)
        lines_insert(&lines, lines.n, entry_text(call->arena, &new));
    if (changed || add) /* a link is looked into, but not changed */
        rc = lines_of_file(world, path, &text, &len, err);
    if (rc == 0 && (changed || add))
        rc = plan_file(call, world, path, &lines,
                       add ? value_get_str(call->args, "mode", NULL) : NULL, edits, out, err);
    lines_release(&old);
    lines_release(&lines);
    return rc;
}

/* apt-get update; when it fails all files are as they were. */
static void put_update(struct module_call *call, const struct edits *edits, struct str *script)
{
    struct str back;

    str_init(&back, STR_MAX_TEXT);
    for (size_t i = 0; i < edits->n; i++)
        file_put_back(&edits->kept[i], &back);
    script_step(script);
    apt_put_update(call, back.buf, script);
    str_release(&back);
}

static int plan_lists(struct module_call *call, struct world *world, struct edits *edits,
                      struct module_plan *out, struct err *err)
{
    const struct repository *repository = call->own;
    const struct map *paths = &world->entries[NEED_PATH];

    for (size_t i = 0; i < paths->n; i++)
        if (is_list(paths->entries[i].key) &&
            plan_list(call, world, paths->entries[i].key, false, edits, out, err) < 0)
            return -1;
    if (edits->found || repository->absent)
        return 0;
    return plan_list(call, world, repository->path, true, edits, out, err);
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    static const char *const lists[] = {"sources_added", "sources_removed"};
    struct edits edits = {NULL, 0, false};

    out->kind = PLAN_OK;
    edits.kept = arena_alloc(call->arena, (world->entries[NEED_PATH].n + 1) * sizeof(*edits.kept));
    plan_result_str(call, out, "repo", value_get_str(call->args, "repo", ""));
    plan_result_str(call, out, "state", value_get_str(call->args, "state", ""));
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        value_map_set(call->arena, out->result, lists[i], value_list(call->arena));
    if (plan_lists(call, world, &edits, out, err) < 0)
        return -1;
    if (out->kind == PLAN_CHANGE && value_get_bool(call->args, "update_cache", true)) {
        put_update(call, &edits, &out->script);
        out->kind = PLAN_OPAQUE;
    }
    return 0;
}

const struct module module_apt_repository = {
    .name = "apt_repository",
    .help = "Keeps a line in apt's lists of sources.",
    .args = args,
    .needs = needs,
    .plan = plan,
};
