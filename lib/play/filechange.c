/*
 * filechange.c - the fragments that change files, and what the world is after them.
 */
#include <ctype.h>

#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/play/args.h"
#include "lib/play/diff.h"
#include "lib/play/filechange.h"
#include "lib/play/script.h"

#define HEREDOC     "PGHA_CONTENT" /* cannot occur in base64: it has an underscore */
#define NEW_FILE    0644u          /* what 0666 and 0777 are under the usual umask 022 */
#define NEW_DIR     0755u
#define UID_UNKNOWN (-1)
#define UMASK_USUAL 022u
#define MAX_LINKS   40 /* as Linux follows */
#define MODE_ALL    07777u

const char *file_clean_path(struct module_call *call, const char *path)
{
    char *normal = path_normal(path);
    const char *kept = arena_strdup(call->arena, normal);

    free(normal);
    return kept;
}

const char *file_dir(struct module_call *call, const char *path)
{
    char *dir = path_dir(path);
    const char *kept = arena_strdup(call->arena, dir);

    free(dir);
    return kept;
}

const char *file_follow(struct module_call *call, const char *path, need_add *add, void *ctx)
{
    for (int i = 0; i < MAX_LINKS; i++) {
        struct need need = {.kind = NEED_PATH, .name = path};
        const struct path_state *now;

        add(ctx, &need);
        now = call->world && world_knows(call->world, &need) ? world_path(call->world, path) : NULL;
        if (!now || now->type != 'l')
            break;
        path = *now->link == '/'
                   ? now->link
                   : arena_printf(call->arena, "%s/%s", file_dir(call, path), now->link);
        path = file_clean_path(call, path);
    }
    return path;
}

bool file_is_there(const struct path_state *path)
{
    return path->type == 'l' ? path->target != 0 : path->type != 0;
}

bool file_is_folder(const struct path_state *path)
{
    return path->type == 'd' || (path->type == 'l' && path->target == 'd');
}

/* ---- attributes ---- */

struct file_attributes file_attributes_of(const struct module_call *call)
{
    struct file_attributes want = {value_get_str(call->args, "mode", NULL),
                                   value_get_str(call->args, "owner", NULL),
                                   value_get_str(call->args, "group", NULL)};
    return want;
}

/* Bits that the letters rwxXst and u, g, o stand for, for one of the users u, g, o. */
static unsigned perm_bits(const char *perms, size_t n, char user, unsigned current, bool is_dir)
{
    unsigned shift = user == 'u' ? 6 : user == 'g' ? 3 : 0;
    unsigned bits = 0;

    for (size_t i = 0; i < n; i++) {
        switch (perms[i]) {
        case 'r':
            bits |= 4u << shift;
            break;
        case 'w':
            bits |= 2u << shift;
            break;
        case 'X':
            bits |= is_dir || (current & 0111) ? 1u << shift : 0;
            break;
        case 'x':
            bits |= 1u << shift;
            break;
        case 's':
            bits |= user == 'u' ? 04000u : user == 'g' ? 02000u : 0;
            break;
        case 't':
            bits |= user == 'o' ? 01000u : 0;
            break;
        default: /* u, g, o: what that one has */
            bits |= (current >> (perms[i] == 'u' ? 6 : perms[i] == 'g' ? 3 : 0) & 7u) << shift;
        }
    }
    return bits;
}

static unsigned apply_op(char op, char user, unsigned bits, unsigned mode)
{
    unsigned own = user == 'u' ? 04700u : user == 'g' ? 02070u : 01007u;

    if (op == '=')
        return (mode & ~own) | bits;
    return op == '+' ? mode | bits : mode & ~bits;
}

/* One clause, "ug+rw-x", of a symbolic mode. */
static unsigned apply_clause(const char *clause, unsigned mode, bool is_dir)
{
    size_t n_users = strspn(clause, "ugoa");
    bool all = n_users == 0 || memchr(clause, 'a', n_users);
    const char *users = all ? "ugo" : clause;
    size_t count = all ? 3 : n_users;
    const char *p = clause + n_users;

    while (*p && *p != ',') {
        char op = *p++;
        size_t n = strspn(p, "rwxXstugo");

        for (size_t i = 0; i < count; i++) {
            unsigned bits = perm_bits(p, n, users[i], mode, is_dir);

            if (n_users == 0) /* no user named: the umask holds back */
                bits &= ~UMASK_USUAL;
            mode = apply_op(op, users[i], bits, mode);
        }
        p += n;
    }
    return mode;
}

unsigned file_mode_apply(const char *mode, unsigned current, bool is_dir)
{
    unsigned result = current & MODE_ALL;

    if (isdigit((unsigned char)*mode))
        return (unsigned)strtoul(mode, NULL, 8) & MODE_ALL;
    for (const char *clause = mode; clause; clause = strchr(clause, ',')) {
        clause += *clause == ',';
        result = apply_clause(clause, result, is_dir);
    }
    return result;
}

/* A number names an id, anything else a name (Ansible tries int() first). */
static bool is_id(const char *who)
{
    return *who && who[strspn(who, "0123456789")] == '\0';
}

static bool same_owner(const char *want, const char *name, int64_t id)
{
    return !want || (is_id(want) ? strtoll(want, NULL, 10) == id : str_eq(want, name));
}

static void put_chown(struct str *script, const char *owner, const char *group, const char *path)
{
    struct str who;

    str_init(&who, STR_MAX_TEXT);
    str_printf(&who, "%s%s%s", owner ? owner : "", group ? ":" : "", group ? group : "");
    script_step(script);
    str_puts(script, "chown -h ");
    str_put_shell(script, who.buf);
    str_printf(script, " %s", path);
    str_release(&who);
}

/* Five digits: GNU chmod would keep a folder's set-id bits with four. */
static void put_chmod(struct str *script, unsigned mode, const char *path)
{
    script_step(script);
    str_printf(script, "chmod %05o %s", mode, path);
}

/* The world's owner and group after a chown. */
static void set_owner(struct world *world, struct path_state *now, const char *owner,
                      const char *group)
{
    if (owner) {
        now->owner = arena_strdup(&world->arena, owner);
        now->uid = is_id(owner) ? strtoll(owner, NULL, 10) : UID_UNKNOWN;
    }
    if (group) {
        now->group = arena_strdup(&world->arena, group);
        now->gid = is_id(group) ? strtoll(group, NULL, 10) : UID_UNKNOWN;
    }
}

const char *file_word(struct module_call *call, const char *path)
{
    struct str word;
    const char *kept;

    str_init(&word, STR_MAX_TEXT);
    if (path[0] == '-')
        path = arena_printf(call->arena, "./%s", path);
    str_put_shell(&word, path);
    kept = arena_strdup(call->arena, word.buf);
    str_release(&word);
    return kept;
}

bool file_attributes_plan(struct module_call *call, struct world *world, const char *path,
                          const struct file_attributes *want, struct module_plan *out)
{
    struct path_state *now = world_path(world, path);
    const char *word = file_word(call, path);
    const char *owner = same_owner(want->owner, now->owner, now->uid) ? NULL : want->owner;
    const char *group = same_owner(want->group, now->group, now->gid) ? NULL : want->group;
    unsigned mode =
        want->mode ? file_mode_apply(want->mode, now->mode, now->type == 'd') : now->mode;
    bool chmod_too = mode != now->mode;

    if (owner)
        plan_say(call, out, "owner %s -> %s", now->owner ? now->owner : "?", owner);
    if (group)
        plan_say(call, out, "group %s -> %s", now->group ? now->group : "?", group);
    if (owner || group) {
        put_chown(&out->script, owner, group, word);
        set_owner(world, now, owner, group);
        chmod_too = chmod_too || (mode & 06000); /* chown takes set-id bits off */
    }
    if (mode != now->mode)
        plan_say(call, out, "mode %04o -> %04o", now->mode, mode);
    if (chmod_too)
        put_chmod(&out->script, mode, word);
    now->mode = mode;
    return owner || group || chmod_too;
}

/* ---- folders ---- */

/* Length of the next longer folder of path after the first `len` bytes; 0 at its end. */
static size_t next_folder(const char *path, size_t len)
{
    const char *p = path + len;

    p += strspn(p, "/");
    return *p ? (size_t)(p - path) + strcspn(p, "/") : 0;
}

void file_dirs_needs(struct module_call *call, const char *path, need_add *add, void *ctx)
{
    struct need need = {.kind = NEED_PATH, .name = ""};

    for (size_t len = next_folder(path, 0); len; len = next_folder(path, len)) {
        need.name = arena_strndup(call->arena, path, len);
        add(ctx, &need);
    }
}

static void make_dir(struct module_call *call, struct world *world, const char *path,
                     const struct file_attributes *want, struct module_plan *out)
{
    struct path_state *now = world_path(world, path);
    const char *word = file_word(call, path);

    now->type = 'd';
    now->size = SIZE_UNKNOWN;
    now->mode = NEW_DIR;
    now->uid = now->gid = 0;
    now->owner = now->group = "root";
    if (want && want->mode)
        now->mode = file_mode_apply(want->mode, NEW_DIR, true);
    /* Never more open than wanted, not even for a moment. */
    script_step(&out->script);
    str_printf(&out->script, "mkdir -m %04o %s", now->mode & 0777u, word);
    if (want && (want->owner || want->group)) {
        put_chown(&out->script, want->owner, want->group, word);
        set_owner(world, now, want->owner, want->group);
    }
    if (want && want->mode) /* exactly: mkdir inherits set-group-id */
        put_chmod(&out->script, now->mode, word);
}

bool file_dirs_plan(struct module_call *call, struct world *world, const char *path,
                    const struct file_attributes *want, struct module_plan *out)
{
    bool made = false;

    for (size_t len = next_folder(path, 0); len; len = next_folder(path, len)) {
        const char *folder = arena_strndup(call->arena, path, len);

        if (world_path(world, folder)->type != 0)
            continue;
        make_dir(call, world, folder, want, out);
        made = true;
    }
    return made;
}

/* ---- content ---- */

void file_content_needs(struct module_call *call, const char *path, const char *sha256,
                        bool want_content, bool make_dirs, need_add *add, void *ctx)
{
    struct need need = {
        .kind = NEED_PATH, .name = path, .expect_sha256 = sha256, .want_content = want_content};
    struct need folder = {.kind = NEED_PATH, .name = file_dir(call, path)};

    add(ctx, &need);
    if (make_dirs)
        file_dirs_needs(call, folder.name, add, ctx);
    else
        add(ctx, &folder);
}

/* A new or changed unit file: systemd has to read it before the unit can be used. */
static void note_unit_file(struct world *world, const char *path)
{
    static const char *const folders[] = {"/etc/systemd/system/", "/run/systemd/system/",
                                          "/usr/lib/systemd/system/", "/lib/systemd/system/",
                                          "/usr/local/lib/systemd/system/"};
    struct need need = {.kind = NEED_UNIT};

    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        size_t len = strlen(folders[i]);
        char *unit, *drop_in;
        struct unit_state *state;

        if (!str_starts(path, folders[i]))
            continue;
        unit = xstrndup(path + len, strcspn(path + len, "/"));
        drop_in = str_ends(unit, ".d") ? unit + strlen(unit) - 2 : NULL;
        if (drop_in)
            *drop_in = '\0';
        need.name = unit;
        if (world_knows(world, &need)) {
            state = world_unit(world, unit);
            state->needs_reload = true;
            if (!drop_in && str_eq(state->load, "not-found"))
                state->load = "loaded";
        }
        free(unit);
    }
}

static int put_validate(struct module_call *call, struct str *script, const char *command,
                        struct err *err)
{
    struct value *words = args_words(call->arena, command, err);

    if (!words)
        return -1;
    if (!strstr(command, "%s"))
        return err_set(err, ERR_INPUT, "validate must contain %%s: %s", command);
    script_step(script);
    for (size_t i = 0; i < words->u.list.n; i++) {
        const char *rest = words->u.list.items[i]->u.str.s, *mark;

        while ((mark = strstr(rest, "%s"))) {
            str_put_shell(script, arena_strndup(call->arena, rest, (size_t)(mark - rest)));
            str_puts(script, "\"$t\"");
            rest = mark + 2;
        }
        str_put_shell(script, rest);
        str_putc(script, ' ');
    }
    str_puts(script, "</dev/null >&2");
    return 0;
}

void file_put_attributes(const struct file_attributes *want, const struct path_state *old,
                         bool existed, const char *word, struct str *script)
{
    const char *owner = want->owner, *group = want->group;
    char uid[32], gid[32];

    snprintf(uid, sizeof(uid), "%lld", (long long)old->uid);
    snprintf(gid, sizeof(gid), "%lld", (long long)old->gid);
    if (existed && !owner)
        owner = old->uid != UID_UNKNOWN ? uid : old->owner;
    if (existed && !group)
        group = old->gid != UID_UNKNOWN ? gid : old->group;
    if (owner || group)
        put_chown(script, owner, group, word);
    put_chmod(script,
              want->mode ? file_mode_apply(want->mode, existed ? old->mode : NEW_FILE, false)
              : existed  ? old->mode
                         : NEW_FILE,
              word);
}

void file_put_temporary(struct module_call *call, const char *path, const char *variable,
                        struct str *script)
{
    const char *dir = file_dir(call, path);
    const char *prefix = file_word(call, arena_printf(call->arena, "%s/" SCRIPT_TEMPORARY, dir));

    script_step(script);
    script_put_sweep(script, prefix);
    script_step(script);
    str_printf(script, "%s=$(mktemp %s" SCRIPT_RANDOM ")", variable, prefix);
}

void file_put_backup(const char *word, struct str *script)
{
    script_step(script);
    str_printf(script, "cp -p %s %s\".$$.$(date +%%Y-%%m-%%d@%%H:%%M:%%S)~\"", word, word);
}

static int put_write(struct module_call *call, const struct file_content *want,
                     const struct path_state *old, bool existed, struct str *script,
                     struct err *err)
{
    const char *word = file_word(call, want->path);

    file_put_temporary(call, want->path, "t", script);
    if (want->from) {
        str_printf(script, " && {\ncat %s >\"$t\" &&\n", file_word(call, want->from));
    } else {
        str_puts(script, " && {\nbase64 -d >\"$t\" <<'" HEREDOC "' &&\n");
        str_put_base64(script, want->data, want->len);
        str_puts(script, "\n" HEREDOC "\n");
    }
    file_put_attributes(&want->attributes, old, existed, "\"$t\"", script);
    if (want->validate && put_validate(call, script, want->validate, err) < 0)
        return -1;
    if (want->backup && existed)
        file_put_backup(word, script);
    str_printf(script,
               " &&\nsync \"$t\" &&\nmv -fT \"$t\" %s ||\n{ rm -f \"$t\"; printf '%%s was not "
               "written\\n' %s >&2; false; }; }",
               word, word);
    return 0;
}

void file_note_attributes(struct world *world, const char *path, const struct file_attributes *want)
{
    struct path_state *now = world_path(world, path);

    set_owner(world, now, want->owner, want->group);
    if (want->mode)
        now->mode = file_mode_apply(want->mode, now->mode, now->type == 'd');
}

/* What is to be written, by its sum; NULL: not known. In a. */
static const char *sum_of(struct world *world, const struct file_content *want, struct arena *a)
{
    char sha256[SHA256_HEX_SIZE];

    if (want->from)
        return world_path(world, want->from)->sha256;
    sha256_hex(want->data, want->len, sha256);
    return arena_strdup(a, sha256);
}

static void note_written(struct world *world, const struct file_content *want,
                         struct path_state *now)
{
    if (now->type == 0) {
        now->mode = NEW_FILE;
        now->uid = now->gid = 0;
        now->owner = now->group = "root";
    }
    now->type = 'f';
    now->link = NULL;
    now->size = want->from ? world_path(world, want->from)->size : (int64_t)want->len;
    now->sha256 = sum_of(world, want, &world->arena);
    now->content = NULL;
    if (!want->from && want->len <= WORLD_MAX_CONTENT) {
        now->content = arena_strndup(&world->arena, want->data, want->len);
        now->content_len = want->len;
    }
    file_note_attributes(world, want->path, &want->attributes);
    note_unit_file(world, want->path);
}

/* What a person is told about owner and mode that change along with the content. */
static void say_attributes(struct module_call *call, const struct file_attributes *want,
                           const struct path_state *now, struct module_plan *out)
{
    unsigned mode = want->mode ? file_mode_apply(want->mode, now->mode, false) : now->mode;

    if (!same_owner(want->owner, now->owner, now->uid))
        plan_say(call, out, "owner %s -> %s", now->owner ? now->owner : "?", want->owner);
    if (!same_owner(want->group, now->group, now->gid))
        plan_say(call, out, "group %s -> %s", now->group ? now->group : "?", want->group);
    if (mode != now->mode)
        plan_say(call, out, "mode %04o -> %04o", now->mode, mode);
}

static bool same_content(struct module_call *call, struct world *world,
                         const struct file_content *want, const struct path_state *now)
{
    const char *sum = now->type == 'f' ? sum_of(world, want, call->arena) : NULL;

    return sum && str_eq(now->sha256, sum);
}

static int check_place(struct module_call *call, struct world *world,
                       const struct file_content *want, struct module_plan *out, struct err *err)
{
    const char *dir = file_dir(call, want->path);
    const struct path_state *now = world_path(world, want->path);
    char type = now->type;

    if (type == 'd')
        return err_set(err, ERR_CONFLICT, "%s is a directory", want->path);
    if (type == 'l' && now->target && now->target != 'f')
        return err_set(err, ERR_CONFLICT, "%s is a symbolic link to %s, which is no file",
                       want->path, now->link);
    if (type == '?')
        return err_set(err, ERR_CONFLICT, "%s is neither a file nor a link", want->path);
    if (want->make_dirs && file_dirs_plan(call, world, dir, want->folders, out))
        plan_say(call, out, "folder created");
    /* In check mode the package that brings the folder may not be installed yet. */
    if (world_path(world, dir)->type == 0 && !call->check_mode)
        return err_set(err, ERR_FAILED, "Destination directory %s does not exist", dir);
    return 0;
}

/* A copy of the host's own file has its mode, not that of what was there, and belongs to whoever
 * makes it. */
static struct path_state like_source(struct world *world, const struct file_content *want)
{
    return (struct path_state){.type = 'f',
                               .mode = world_path(world, want->from)->mode,
                               .uid = UID_UNKNOWN,
                               .gid = UID_UNKNOWN};
}

int file_content_plan(struct module_call *call, struct world *world,
                      const struct file_content *want, struct module_plan *out, struct err *err)
{
    struct path_state *now = world_path(world, want->path);
    struct path_state before = *now;
    bool existed = now->type == 'f';

    if (same_content(call, world, want, now)) {
        if (file_attributes_plan(call, world, want->path, &want->attributes, out))
            out->kind = PLAN_CHANGE;
        return 0;
    }
    if (check_place(call, world, want, out, err) < 0)
        return -1;
    plan_say(call, out, "%s", existed ? "content" : now->type == 'l' ? "link -> file" : "created");
    if (existed)
        say_attributes(call, &want->attributes, now, out);
    if (call->diff && !want->from && (!existed || now->content))
        diff_unified(want->path, existed ? now->content : NULL, existed ? now->content_len : 0,
                     want->data, want->len, &out->diff);
    if (want->from && existed)
        before = like_source(world, want);
    if (put_write(call, want, &before, existed, &out->script, err) < 0)
        return -1;
    now->mode = before.mode;
    if (!existed)
        now->type = 0;
    note_written(world, want, now);
    out->kind = want->from ? PLAN_OPAQUE : PLAN_CHANGE; /* its content is not known here */
    return 0;
}

bool file_remove_plan(struct module_call *call, struct world *world, const char *path,
                      struct module_plan *out)
{
    const struct path_state *now = world_path(world, path);

    if (now->type == 0)
        return false;
    if (call->diff && now->content)
        diff_unified(path, now->content, now->content_len, "", 0, &out->diff);
    script_step(&out->script);
    str_printf(&out->script, "rm -f %s", file_word(call, path));
    file_note_removed(world, path);
    out->kind = PLAN_CHANGE;
    return true;
}

/* ---- changes that are taken back ---- */

void file_keep(struct module_call *call, struct file_kept *kept, const char *path, bool exists,
               struct str *script)
{
    char variable[32];

    *kept = (struct file_kept){file_word(call, path), exists, kept->id};
    if (!exists)
        return;
    snprintf(variable, sizeof(variable), "pgha_kept_%zu", kept->id);
    file_put_temporary(call, path, variable, script);
    str_puts(script, " &&\ntrap 'rm -f");
    for (size_t i = 0; i <= kept->id; i++)
        str_printf(script, " \"$pgha_kept_%zu\"", i);
    str_printf(script, "' EXIT &&\ncp -p %s \"$pgha_kept_%zu\"", kept->word, kept->id);
}

void file_put_back(const struct file_kept *kept, struct str *script)
{
    if (kept->exists)
        str_printf(script, "mv -fT \"$pgha_kept_%zu\" %s\n", kept->id, kept->word);
    else
        str_printf(script, "rm -f %s\n", kept->word);
}

void file_note_removed(struct world *world, const char *path)
{
    const struct map *paths = &world->entries[NEED_PATH];
    size_t len = strlen(path);

    for (size_t i = 0; i < paths->n; i++) {
        const char *name = paths->entries[i].key;

        if (strncmp(name, path, len) == 0 && (name[len] == '/' || name[len] == '\0'))
            *(struct path_state *)paths->entries[i].value = (struct path_state){0};
    }
    note_unit_file(world, path);
}

/* ---- copy and template ---- */

/* Ansible would decrypt what its vault has encrypted. */
static int read_plain(struct module_call *call, const char *path, struct str *out, struct err *err)
{
    static const char vault[] = "$ANSIBLE_VAULT;";
    size_t len = out->len;

    if (assets_read(call->assets, path, out, err) < 0)
        return -1;
    if (str_starts(out->buf + len, vault) && value_get_bool(call->args, "decrypt", true))
        return err_set(err, ERR_INPUT, "%s is encrypted by ansible-vault: decrypt it first", path);
    return 0;
}

int file_source(struct module_call *call, const char *src, struct str *out, const char **path,
                struct err *err)
{
    static const char *const here[] = {"", NULL};
    const char *const *folders = *src == '/' || !call->search ? here : call->search;

    for (; *folders; folders++) {
        char *joined = **folders ? path_join(*folders, src) : xstrdup(src);

        *path = arena_strdup(call->arena, joined);
        free(joined);
        if (assets_is_dir(call->assets, *path))
            return err_set(err, ERR_INPUT, "%s is a folder: only single files can be copied",
                           *path);
        if (assets_exists(call->assets, *path))
            return read_plain(call, *path, out, err);
    }
    return err_set(err, ERR_INPUT, "could not find '%s' on this machine", src);
}

static bool ends_in_slash(const char *dest)
{
    return str_ends(dest, "/");
}

static const char *inside(struct module_call *call, const char *dir, const char *name)
{
    return file_clean_path(call, arena_printf(call->arena, "%s/%s", dir, name));
}

static void ignore_need(void *ctx, const struct need *need)
{
    UNUSED(ctx);
    UNUSED(need);
}

/* dest, or with `follow` what a link there leads to. */
static const char *delivery_dest(struct module_call *call, need_add *add, void *ctx)
{
    const char *dest = file_clean_path(call, value_get_str(call->args, "dest", ""));

    return value_get_bool(call->args, "follow", false) ? file_follow(call, dest, add, ctx) : dest;
}

void file_deliver_needs(struct module_call *call, const struct file_delivery *delivery,
                        need_add *add, void *ctx)
{
    const char *dest = value_get_str(call->args, "dest", "");
    bool folder = ends_in_slash(dest);
    const struct need source = {.kind = NEED_PATH, .name = delivery->from};
    char sha256[SHA256_HEX_SIZE];
    const char *expect = NULL;

    if (delivery->from) {
        add(ctx, &source);
    } else {
        sha256_hex(delivery->data, delivery->len, sha256);
        expect = arena_strdup(call->arena, sha256);
    }
    if (!folder)
        file_content_needs(call, delivery_dest(call, add, ctx), expect, false, false, add, ctx);
    if (delivery->name)
        file_content_needs(call, inside(call, dest, delivery->name), expect, false, folder, add,
                           ctx);
}

/* Where it goes: dest, or below it when that is a folder. NULL with err. */
static const char *delivery_path(struct module_call *call, struct world *world,
                                 const struct file_delivery *delivery, struct err *err)
{
    const char *dest = value_get_str(call->args, "dest", "");
    bool folder =
        ends_in_slash(dest) || file_is_folder(world_path(world, file_clean_path(call, dest)));

    if (!folder)
        return delivery_dest(call, ignore_need, NULL);
    if (delivery->name)
        return inside(call, dest, delivery->name);
    err_set(err, ERR_INPUT, "can not use content with a dir as dest: %s", dest);
    return NULL;
}

int file_deliver_plan(struct module_call *call, struct world *world,
                      const struct file_delivery *delivery, struct module_plan *out,
                      struct err *err)
{
    const struct file_attributes folders = {value_get_str(call->args, "directory_mode", NULL),
                                            value_get_str(call->args, "owner", NULL),
                                            value_get_str(call->args, "group", NULL)};
    struct file_content want = {
        .path = delivery_path(call, world, delivery, err),
        .from = delivery->from,
        .data = delivery->data,
        .len = delivery->len,
        .attributes = file_attributes_of(call),
        .backup = value_get_bool(call->args, "backup", false),
        .make_dirs = ends_in_slash(value_get_str(call->args, "dest", "")),
        .folders = &folders,
        .validate = value_get_str(call->args, "validate", NULL),
    };

    if (!want.path)
        return -1;
    out->kind = PLAN_OK;
    if (!value_get_bool(call->args, "force", true) && world_path(world, want.path)->type != 0)
        value_map_set(call->arena, plan_result(call, out), "msg",
                      value_str(call->arena, "file already exists"));
    else if (file_content_plan(call, world, &want, out, err) < 0)
        return -1;
    file_result(call, world, "dest", want.path, out);
    plan_result_str(call, out, "path", want.path);
    if (delivery->source)
        value_map_set(call->arena, out->result, "src", value_str(call->arena, delivery->source));
    return 0;
}

/* ---- return values ---- */

void file_result(struct module_call *call, struct world *world, const char *key, const char *path,
                 struct module_plan *out)
{
    const struct path_state *now = world_path(world, path);
    struct arena *a = call->arena;
    const char *state = now->type == 'd'   ? "directory"
                        : now->type == 'l' ? "link"
                        : now->type == 0   ? "absent"
                                           : "file";

    plan_result(call, out);
    value_map_set(a, out->result, key, value_str(a, path));
    value_map_set(a, out->result, "state", value_str(a, state));
    if (now->type == 0)
        return;
    value_map_set(a, out->result, "mode", value_strf(a, "0%03o", now->mode));
    value_map_set(a, out->result, "owner", value_str(a, now->owner ? now->owner : ""));
    value_map_set(a, out->result, "group", value_str(a, now->group ? now->group : ""));
    if (now->uid != UID_UNKNOWN)
        value_map_set(a, out->result, "uid", value_int(a, now->uid));
    if (now->gid != UID_UNKNOWN)
        value_map_set(a, out->result, "gid", value_int(a, now->gid));
    if (now->size != SIZE_UNKNOWN)
        value_map_set(a, out->result, "size", value_int(a, now->size));
}
