/*
 * probe.c - the coalesced probe: its script and its answer.
 */
#include <fnmatch.h>

#include "lib/base/hash.h"
#include "lib/play/facts.h"
#include "lib/play/mounts.h"
#include "lib/play/probe.h"
#include "lib/play/script.h"

#define CHUNK_BYTES                                                                                \
    ((size_t)96                                                                                    \
     << 10) /* of names in one command line; the kernel takes 128 KiB a word, 2 MiB in all */

struct probe_need {
    const char *name;
    const char *argument; /* as programs see it: a path never looks like an option */
    const char *expect_sha256;
    bool content;
};

/* A section of the answer, and a place in it. */
struct answer {
    const struct probe *probe;
    struct world *world;
    const char *at, *end;
};

void probe_init(struct probe *p)
{
    memset(p, 0, sizeof(*p));
    arena_init(&p->arena);
    for (int kind = 0; kind < NEED_KINDS; kind++)
        map_init(&p->needs[kind]);
}

void probe_release(struct probe *p)
{
    for (int kind = 0; kind < NEED_KINDS; kind++)
        map_release(&p->needs[kind]);
    arena_release(&p->arena);
}

bool probe_is_empty(const struct probe *p)
{
    return p->count == 0 && !p->pending_handlers;
}

/* The file of a kernel setting: dots separate, unless a slash comes first (sysctl(8)). */
static const char *sysctl_path(struct probe *p, const char *name)
{
    bool slashes = strcspn(name, "/") < strcspn(name, ".");
    char *path = arena_printf(&p->arena, "/proc/sys/%s", name);

    for (char *c = path + strlen("/proc/sys/"); *c && !slashes; c++)
        *c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
    return path;
}

static const char *argument_for(struct probe *p, enum need_kind kind, const char *name)
{
    if (kind == NEED_SYSCTL)
        return sysctl_path(p, name);
    if (kind == NEED_PATH && name[0] != '/')
        return arena_printf(&p->arena, "./%s", name);
    return arena_strdup(&p->arena, name);
}

static bool is_sendable(enum need_kind kind, const char *name)
{
    if (kind == NEED_HOSTNAME || kind == NEED_FACTS || (kind == NEED_CRONTAB && !*name))
        return true;
    if (kind == NEED_GLOB) /* goes into the script without quotes */
        return *name == '/' && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789/._*-") == strlen(name);
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            return false;
    return *name != '\0' && (kind == NEED_PATH || *name != '-');
}

/* Two needs for one path: what satisfies both. */
static void merge_need(struct probe *p, struct probe_need *have, const struct need *need)
{
    have->content |= need->want_content;
    if (!need->expect_sha256)
        return;
    if (!have->expect_sha256)
        have->expect_sha256 = arena_strdup(&p->arena, need->expect_sha256);
    else if (!str_eq(have->expect_sha256, need->expect_sha256))
        have->content = true;
}

int probe_add(struct probe *p, const struct need *need, struct err *err)
{
    struct map *needs = &p->needs[need->kind];
    const char *name = need->kind == NEED_HOSTNAME || need->kind == NEED_FACTS ? "" : need->name;
    struct probe_need *have = map_get(needs, name);

    if (!is_sendable(need->kind, name))
        return err_set(err, ERR_INPUT, "'%s' cannot be a name on a host", name);
    if (!have) {
        if (p->count >= PROBE_MAX_NEEDS)
            return err_set(err, ERR_INPUT, "more than %d things to look up on one host",
                           PROBE_MAX_NEEDS);
        have = arena_new(&p->arena, struct probe_need);
        have->name = arena_strdup(&p->arena, name);
        have->argument = argument_for(p, need->kind, name);
        map_set(needs, name, have);
        p->count++;
    }
    if (need->kind == NEED_PATH)
        merge_need(p, have, need);
    return 0;
}

/* ---- the script ---- */

/* Only root may name a user, even itself: crontab(1), -u. */
void crontab_put_command(const char *user, const char *options, struct str *script)
{
    if (!*user) {
        str_printf(script, "crontab %s", options);
        return;
    }
    str_puts(script, "if [ \"$(id -un)\" = ");
    str_put_shell(script, user);
    str_printf(script, " ]; then crontab %s; else crontab -u ", options);
    str_put_shell(script, user);
    str_printf(script, " %s; fi", options);
}

/* before NAME NAME ... after, as many commands as the names' length takes. */
static void put_command(const struct probe *p, enum need_kind kind, const char *before,
                        const char *after, struct str *script)
{
    const struct map *needs = &p->needs[kind];
    size_t i = 0;

    while (i < needs->n) {
        size_t from = script->len;

        str_puts(script, before);
        for (; i < needs->n && script->len - from < CHUNK_BYTES; i++) {
            const struct probe_need *need = needs->entries[i].value;

            str_putc(script, ' ');
            if (kind == NEED_GLOB)
                str_puts(script, need->argument);
            else
                str_put_shell(script, need->argument);
        }
        str_puts(script, after);
    }
}

/* Sends the content of a file whose sum is not the expected one. */
static void put_content_choice(const struct probe_need *need, struct str *script)
{
    char *line;

    if (!need->content) {
        line = xasprintf("%s  %s", need->expect_sha256, need->argument);
        str_puts(script, "case $s in *\"$n\"");
        str_put_shell(script, line);
        str_puts(script, "\"$n\"*) ;; *) ");
        free(line);
    }
    str_puts(script, "set -- \"$@\" ");
    str_put_shell(script, need->argument);
    str_puts(script, need->content ? "\n" : " ;; esac\n");
}

static void put_paths(const struct probe *p, struct str *script)
{
    static const char look[] =
        " -maxdepth 0 -printf '%y%Y %m %U %G %s %T@ %u %g\\0%p\\0%l\\0' 2>/dev/null\n";
    static const char sum[] = " -maxdepth 0 -type f -exec sha256sum {} + 2>/dev/null)$n\n";
    const struct map *paths = &p->needs[NEED_PATH];

    if (paths->n == 0 && p->needs[NEED_GLOB].n == 0)
        return;
    str_puts(script, "m paths\n");
    put_command(p, NEED_PATH, "find", look, script);
    put_command(p, NEED_GLOB, "find", look, script);
    str_puts(script, "n='\n'\ns=$n\n");
    put_command(p, NEED_PATH, "s=$s$(find -L", sum, script);
    put_command(p, NEED_GLOB, "s=$s$(find -L", sum, script);
    str_puts(script, "m sums\nprintf '%s\\n' \"$s\"\nset --\n");
    put_command(p, NEED_GLOB, "set -- \"$@\"", "\n", script);
    for (size_t i = 0; i < paths->n; i++) {
        const struct probe_need *need = paths->entries[i].value;

        if (need->content || need->expect_sha256)
            put_content_choice(need, script);
    }
    str_printf(script,
               "if [ $# -gt 0 ]; then\n"
               "m contents\n"
               "find -L \"$@\" -maxdepth 0 -type f -size -%dc -printf '%%s\\0%%p\\0' 2>/dev/null\n"
               "m data\n"
               "find -L \"$@\" -maxdepth 0 -type f -size -%dc -exec cat {} + 2>/dev/null | base64\n"
               "fi\n",
               WORLD_MAX_CONTENT + 1, WORLD_MAX_CONTENT + 1);
}

/* A line of passwd with "1:" before it, ":" when the home folder is missing. */
static const char passwd_script[] =
    " 2>/dev/null | while IFS= read -r l; do\n"
    "    h=${l%:*} h=${h##*:}\n"
    "    if [ -e \"$h\" ]; then printf '1:%s\\n' \"$l\"; else printf ':%s\\n' \"$l\"; fi\n"
    "done\n";

/* A sum of the password's hash (without the "!"s that lock it) is all that leaves the host; what
 * is too short for a hash, as "*" is, comes as it is, after a colon. Before it come the ages. */
static const char shadow_script[] =
    " 2>/dev/null | while IFS=: read -r u h c x; do\n"
    "    case $h in '!'*) l=1 h=${h#\"${h%%[!!]*}\"} ;; *) l=0 ;; esac\n"
    "    case $h in\n"
    "    ?????*) h=$(printf %s \"$h\" | sha256sum) h=${h%% *} ;;\n"
    "    *) h=:$h ;;\n"
    "    esac\n"
    "    printf '%s %s %s %s\\n' \"$u\" \"$l\" \"$x\" \"$h\"\n"
    "done\n";

static void put_accounts(const struct probe *p, struct str *script)
{
    bool users = p->needs[NEED_USER].n > 0;

    if (users) {
        str_puts(script, "m users\n");
        put_command(p, NEED_USER, "getent passwd", passwd_script, script);
        str_puts(script, "m shadow\n");
        put_command(p, NEED_USER, "getent shadow", shadow_script, script);
    }
    if (users || p->needs[NEED_GROUP].n > 0) {
        str_puts(script, "m groups\n");
        /* a user's supplementary groups are those that name it: all are needed */
        if (users)
            str_puts(script, "getent group 2>/dev/null\n");
        put_command(p, NEED_GROUP, "getent group", " 2>/dev/null\n", script);
    }
}

static void put_crontabs(const struct probe *p, struct str *script)
{
    const struct map *users = &p->needs[NEED_CRONTAB];

    if (users->n == 0)
        return;
    str_puts(script, "m crontabs\n");
    for (size_t i = 0; i < users->n; i++) {
        str_printf(script, "printf '%zu %%s\\n' \"$(", i);
        crontab_put_command(users->entries[i].key, "-l", script);
        str_printf(script, " 2>/dev/null | head -c %d | base64 | tr -d '\\n')\"\n",
                   WORLD_MAX_CONTENT + 1);
    }
}

static void put_pending(const char *pending_dir, struct str *script)
{
    str_puts(script, "m pending\nfor f in ");
    str_put_shell(script, pending_dir);
    str_puts(script, "/*; do\n    { IFS= read -r l <\"$f\" && printf '%s\\n' \"$l\"; } "
                     "2>/dev/null\ndone\n");
}

void probe_put_script(const struct probe *p, const char *pending_dir, struct str *script)
{
    put_paths(p, script);
    if (p->needs[NEED_PACKAGE].n > 0) {
        str_puts(script, "m packages\n");
        put_command(p, NEED_PACKAGE,
                    "dpkg-query -W -f '${Package} ${Architecture} ${db:Status-Status} "
                    "${db:Status-Want} ${Version}\\n'",
                    " 2>/dev/null\n", script);
    }
    if (p->needs[NEED_UNIT].n > 0) {
        str_puts(script, "m units\n");
        put_command(p, NEED_UNIT,
                    "systemctl show --no-pager -p Id -p Names -p LoadState -p ActiveState "
                    "-p UnitFileState -p NeedDaemonReload",
                    " 2>/dev/null\necho\n", script);
    }
    put_accounts(p, script);
    /* a shell's own `read` asks for a byte at a time, and the kernel gives numbers whole only */
    if (p->needs[NEED_SYSCTL].n > 0) {
        str_puts(script, "m sysctls\n");
        put_command(p, NEED_SYSCTL, "grep -sH ''", "\n", script);
    }
    if (p->needs[NEED_HOSTNAME].n > 0)
        str_puts(script, "m hostname\nk= s=\n"
                         "{ IFS= read -r k </proc/sys/kernel/hostname; } 2>/dev/null\n"
                         "{ IFS= read -r s </etc/hostname; } 2>/dev/null\n"
                         "printf '%s\\n%s\\n' \"$k\" \"$s\"\n");
    if (p->needs[NEED_FACTS].n > 0) {
        str_puts(script, "m facts\n");
        facts_put_script(script);
    }
    if (p->needs[NEED_MOUNT].n > 0)
        str_puts(script, "m mounts\ncat /proc/self/mountinfo 2>/dev/null\n");
    put_crontabs(p, script);
    if (p->pending_handlers)
        put_pending(pending_dir, script);
    str_puts(script, "m end\n");
}

/* ---- the answer ---- */

/* The next piece up to the separator, copied without it; NULL at the end. */
static char *next_piece(struct answer *in, char separator)
{
    const char *from = in->at, *stop;

    if (in->at >= in->end)
        return NULL;
    stop = memchr(from, separator, (size_t)(in->end - from));
    if (!stop)
        stop = in->end;
    in->at = stop + 1;
    return arena_strndup(&in->world->arena, from, (size_t)(stop - from));
}

/* Cuts the word before the first separator off *text; *text is what follows it. */
static char *cut(char **text, char separator)
{
    char *word = *text, *stop = strchr(word, separator);

    if (stop) {
        *stop = '\0';
        *text = stop + 1;
    } else {
        *text = word + strlen(word);
    }
    return word;
}

static const char *name_of_argument(const char *argument)
{
    return str_starts(argument, "./") ? argument + 2 : argument;
}

static bool in_pattern(const struct probe *p, const char *name)
{
    const struct map *patterns = &p->needs[NEED_GLOB];

    for (size_t i = 0; i < patterns->n; i++)
        if (fnmatch(patterns->entries[i].key, name, FNM_PATHNAME | FNM_PERIOD) == 0)
            return true;
    return false;
}

/* Where the answer about a path goes: what a pattern has found is new to the world, or no longer as
 * the world has it. NULL: nobody asked. */
static struct path_state *path_to_fill(struct answer *in, const char *name)
{
    struct path_state *path;

    if (map_has(&in->probe->needs[NEED_PATH], name))
        return map_get(&in->world->entries[NEED_PATH], name);
    if (!in_pattern(in->probe, name))
        return NULL;
    path = arena_new(&in->world->arena, struct path_state);
    path->content_asked = true;
    world_set(in->world, NEED_PATH, arena_strdup(&in->world->arena, name), path);
    return path;
}

/* As find has it: N is what a link points to that is not there. */
static char file_type(char letter)
{
    return letter == 'N' ? '\0' : letter && strchr("fdl", letter) ? letter : '?';
}

static void read_paths(struct answer *in)
{
    char *fields;

    while ((fields = next_piece(in, '\0'))) {
        const char *name = next_piece(in, '\0'), *link = next_piece(in, '\0');
        struct path_state *path;

        if (!name || !link)
            return;
        path = path_to_fill(in, name_of_argument(name));
        if (!path)
            continue;
        path->type = file_type(fields[0]);
        path->target = path->type == 'l' ? file_type(fields[0] ? fields[1] : '\0') : '\0';
        cut(&fields, ' ');
        path->mode = (unsigned)strtoul(cut(&fields, ' '), NULL, 8);
        path->uid = strtoll(cut(&fields, ' '), NULL, 10);
        path->gid = strtoll(cut(&fields, ' '), NULL, 10);
        path->size = strtoll(cut(&fields, ' '), NULL, 10);
        path->mtime = strtod(cut(&fields, ' '), NULL);
        path->owner = cut(&fields, ' ');
        path->group = fields;
        path->link = path->type == 'l' ? link : NULL;
    }
}

/* A name with a backslash in it: sha256sum marks the line with one and doubles it. */
static void unescape(char *name)
{
    char *to = name;

    for (const char *from = name; *from; from++) {
        if (from[0] == '\\' && from[1] == '\\')
            from++;
        *to++ = *from;
    }
    *to = '\0';
}

static void read_sums(struct answer *in)
{
    char *line;

    while ((line = next_piece(in, '\n'))) {
        bool escaped = line[0] == '\\';
        char *sum = line + escaped, *name;
        struct path_state *path;

        if (strlen(sum) < SHA256_HEX_SIZE + 2)
            continue;
        sum[SHA256_HEX_SIZE - 1] = '\0';
        name = sum + SHA256_HEX_SIZE + 1;
        if (escaped)
            unescape(name);
        path = map_get(&in->world->entries[NEED_PATH], name_of_argument(name));
        if (path)
            path->sha256 = sum;
    }
}

/* Gives the file its part of the data if that is what was summed: it may have changed meanwhile. */
static void take_content(struct answer *in, const char *name, const char *data, size_t len)
{
    struct path_state *path = map_get(&in->world->entries[NEED_PATH], name_of_argument(name));
    char sum[SHA256_HEX_SIZE];

    if (!path)
        return;
    sha256_hex(data, len, sum);
    if (!str_eq(sum, path->sha256))
        return;
    path->content = arena_strndup(&in->world->arena, data, len);
    path->content_len = len;
}

static void read_contents(struct answer *in, const struct answer *data)
{
    struct str bytes;
    size_t at = 0;
    char *size;

    str_init(&bytes, PROBE_MAX_ANSWER);
    if (str_put_unbase64(&bytes, data->at, (size_t)(data->end - data->at)) < 0 || bytes.full)
        goto out;
    while ((size = next_piece(in, '\0'))) {
        const char *name = next_piece(in, '\0');
        size_t len = (size_t)strtoull(size, NULL, 10);

        if (!name || len > bytes.len - at)
            break;
        take_content(in, name, bytes.buf + at, len);
        at += len;
    }
out:
    str_release(&bytes);
}

static void read_packages(struct answer *in)
{
    struct map *packages = &in->world->entries[NEED_PACKAGE];
    char *line;

    while ((line = next_piece(in, '\n'))) {
        const char *name = cut(&line, ' '), *architecture = cut(&line, ' ');
        bool installed = str_eq(cut(&line, ' '), "installed");
        bool held = str_eq(cut(&line, ' '), "hold");
        const char *full = arena_printf(&in->world->arena, "%s:%s", name, architecture);
        struct package_state *states[] = {map_get(packages, name), map_get(packages, full)};

        for (size_t i = 0; i < ARRAY_LEN(states); i++) {
            if (!states[i] || (states[i]->installed && !installed))
                continue; /* of several architectures the installed one counts */
            *states[i] = (struct package_state){installed, installed ? line : NULL, held};
        }
    }
}

/* A block of `systemctl show` answers for each of the unit's names that was asked for. */
static void finish_unit(struct answer *in, const struct unit_state *unit, char *names)
{
    while (names && *names) {
        struct unit_state *state = map_get(&in->world->entries[NEED_UNIT], cut(&names, ' '));

        if (state)
            *state = *unit;
    }
}

static void read_units(struct answer *in)
{
    static const struct unit_state none = {"not-found", "inactive", "", false};
    struct unit_state unit = none;
    char *line, *names = NULL;

    while ((line = next_piece(in, '\n'))) {
        const char *key = cut(&line, '=');

        if (*key == '\0') {
            finish_unit(in, &unit, names);
            names = NULL;
            unit = none;
        } else if (str_eq(key, "Names") || (str_eq(key, "Id") && !names)) {
            names = line;
        } else if (str_eq(key, "LoadState")) {
            unit.load = line;
        } else if (str_eq(key, "ActiveState")) {
            unit.active = line;
        } else if (str_eq(key, "UnitFileState")) {
            unit.enabled = line;
        } else if (str_eq(key, "NeedDaemonReload")) {
            unit.needs_reload = str_eq(line, "yes");
        }
    }
    finish_unit(in, &unit, names);
}

/* [1]:name:x:uid:gid:comment:home:shell */
static void read_users(struct answer *in)
{
    char *line;

    while ((line = next_piece(in, '\n'))) {
        bool has_home = *cut(&line, ':') == '1';
        struct user_state *user = map_get(&in->world->entries[NEED_USER], cut(&line, ':'));

        if (!user)
            continue;
        cut(&line, ':');
        user->exists = true;
        user->uid = strtoll(cut(&line, ':'), NULL, 10);
        user->gid = strtoll(cut(&line, ':'), NULL, 10);
        user->comment = cut(&line, ':');
        user->home = cut(&line, ':');
        user->has_home = has_home;
        user->shell = line;
    }
}

static const char *sum_of(struct arena *a, const char *text)
{
    char sum[SHA256_HEX_SIZE];

    sha256_hex(text, strlen(text), sum);
    return arena_strdup(a, sum);
}

static int64_t read_days(char **fields)
{
    const char *days = cut(fields, ':');

    return *days ? strtoll(days, NULL, 10) : -1;
}

static struct user_ages read_ages(char *fields)
{
    struct user_ages ages;

    ages.min = read_days(&fields);
    ages.max = read_days(&fields);
    ages.warn = read_days(&fields);
    ages.inactive = read_days(&fields);
    ages.expires = read_days(&fields);
    return ages;
}

static void read_shadow(struct answer *in)
{
    char *line;

    while ((line = next_piece(in, '\n'))) {
        struct user_state *user = map_get(&in->world->entries[NEED_USER], cut(&line, ' '));

        if (!user)
            continue;
        user->locked = str_eq(cut(&line, ' '), "1");
        user->ages = read_ages(cut(&line, ' '));
        user->password_sha256 = *line == ':' ? sum_of(&in->world->arena, line + 1) : line;
    }
}

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The sorted list with one word more; nothing new when it has the word already. */
static const char *with_word(struct arena *a, const char *list, const char *word)
{
    const char *words[256];
    char *rest = arena_strdup(a, list);
    size_t n = 0;
    struct str out;
    const char *joined;

    while (*rest && n < ARRAY_LEN(words) - 1) {
        words[n] = cut(&rest, ',');
        if (str_eq(words[n++], word))
            return list;
    }
    words[n++] = word;
    qsort(words, n, sizeof(*words), compare_words);
    str_init(&out, STR_MAX_TEXT);
    for (size_t i = 0; i < n; i++)
        str_printf(&out, "%s%s", i ? "," : "", words[i]);
    joined = arena_strdup(a, out.buf);
    str_release(&out);
    return joined;
}

/* name:x:gid:member,member */
static void read_groups(struct answer *in)
{
    struct map *users = &in->world->entries[NEED_USER];
    char *line;

    while ((line = next_piece(in, '\n'))) {
        const char *name = cut(&line, ':');
        struct group_state *group = map_get(&in->world->entries[NEED_GROUP], name);
        int64_t gid;

        cut(&line, ':');
        gid = strtoll(cut(&line, ':'), NULL, 10);
        if (group)
            *group = (struct group_state){true, gid};
        for (size_t i = 0; i < users->n; i++) {
            struct user_state *user = users->entries[i].value;

            if (user->exists && user->gid == gid)
                user->group = name;
        }
        while (*line) {
            struct user_state *user = map_get(users, cut(&line, ','));

            if (user)
                user->groups = with_word(&in->world->arena, user->groups, name);
        }
    }
}

/* PATH:VALUE; a value's further lines are left out. */
static void read_sysctls(struct answer *in)
{
    const struct map *needs = &in->probe->needs[NEED_SYSCTL];
    char *line;

    while ((line = next_piece(in, '\n'))) {
        for (size_t i = 0; i < needs->n; i++) {
            const struct probe_need *need = needs->entries[i].value;
            size_t len = strlen(need->argument);

            if (str_starts(line, need->argument) && line[len] == ':' &&
                !*world_sysctl(in->world, need->name))
                world_set(in->world, NEED_SYSCTL, need->name, line + len + 1);
        }
    }
}

static void read_mounts(struct answer *in)
{
    mounts_read(&in->world->arena, in->at, (size_t)(in->end - in->at),
                &in->world->entries[NEED_MOUNT]);
}

static void read_crontabs(struct answer *in)
{
    const struct map *users = &in->probe->needs[NEED_CRONTAB];
    struct str text;
    char *line;

    str_init(&text, PROBE_MAX_ANSWER);
    while ((line = next_piece(in, '\n'))) {
        size_t i = strtoull(cut(&line, ' '), NULL, 10);

        str_clear(&text);
        if (i < users->n && str_put_unbase64(&text, line, strlen(line)) == 0)
            world_set(in->world, NEED_CRONTAB, users->entries[i].key,
                      arena_strdup(&in->world->arena, text.buf));
    }
    str_release(&text);
}

static void read_hostname(struct answer *in)
{
    char *kernel = next_piece(in, '\n'), *configured = next_piece(in, '\n');

    if (!kernel || !configured)
        return;
    if (!str_eq(kernel, configured))
        kernel = arena_printf(&in->world->arena, "%s (running: %s)", configured, kernel);
    world_set(in->world, NEED_HOSTNAME, "", kernel);
}

static void read_facts(struct answer *in)
{
    world_set(in->world, NEED_FACTS, "",
              facts_read(&in->world->arena, in->at, (size_t)(in->end - in->at)));
}

static void read_pending(struct answer *in)
{
    char *name;

    while ((name = next_piece(in, '\n')))
        if (*name)
            map_set(&in->world->pending_handlers, name, name);
}

/* What each need is when the host says nothing about it: absent. */
static void set_absent(const struct probe *p, struct world *world)
{
    struct arena *a = &world->arena;

    for (int kind = 0; kind < NEED_KINDS; kind++) {
        for (size_t i = 0; i < p->needs[kind].n; i++) {
            const struct probe_need *need = p->needs[kind].entries[i].value;
            void *state = NULL;

            if (kind == NEED_PATH) {
                struct path_state *path = arena_new(a, struct path_state);

                path->content_asked = need->content || need->expect_sha256;
                state = path;
            } else if (kind == NEED_PACKAGE) {
                state = arena_new(a, struct package_state);
            } else if (kind == NEED_UNIT) {
                struct unit_state *unit = arena_new(a, struct unit_state);

                *unit = (struct unit_state){"not-found", "inactive", "", false};
                state = unit;
            } else if (kind == NEED_USER) {
                struct user_state *user = arena_new(a, struct user_state);

                user->groups = "";
                state = user;
            } else if (kind == NEED_GROUP) {
                state = arena_new(a, struct group_state);
            } else if (kind == NEED_MOUNT) {
                state = arena_new(a, struct mount_state);
            } else if (kind == NEED_FACTS) {
                state = value_map(a);
            } else {
                state = arena_strdup(a, "");
            }
            world_set(world, (enum need_kind)kind, need->name, state);
        }
    }
}

/* In the order of the script: groups need users, contents need sums. */
static const struct {
    const char *name;
    void (*read)(struct answer *in);
} sections[] = {
    {"paths", read_paths},     {"sums", read_sums},       {"packages", read_packages},
    {"units", read_units},     {"users", read_users},     {"shadow", read_shadow},
    {"groups", read_groups},   {"sysctls", read_sysctls}, {"hostname", read_hostname},
    {"facts", read_facts},     {"mounts", read_mounts},   {"crontabs", read_crontabs},
    {"pending", read_pending},
};

static bool find_section(struct answer *in, const char *mark, const char *name, const char *answer,
                         size_t len)
{
    return script_section(mark, name, answer, len, &in->at, &in->end);
}

int probe_read(const struct probe *p, const char *mark, const char *answer, size_t len,
               struct world *world, struct err *err)
{
    struct answer in = {p, world, NULL, NULL}, data = in;

    if (!find_section(&in, mark, "end", answer, len))
        return err_set(err, ERR_REMOTE, "the host's answer is cut short");
    set_absent(p, world);
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        if (find_section(&in, mark, sections[i].name, answer, len))
            sections[i].read(&in);
    if (find_section(&in, mark, "contents", answer, len) &&
        find_section(&data, mark, "data", answer, len))
        read_contents(&in, &data);
    return 0;
}
