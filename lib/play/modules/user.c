/*
 * user.c - module user. The password is a hash for /etc/shadow; it goes to chpasswd by its standard
 * input, never into an argument list.
 */
#include <math.h>
#include <time.h>

#include "lib/base/hash.h"
#include "lib/play/filechange.h"
#include "lib/play/script.h"

#define DAY_S  86400
#define PUBLIC "public " /* begin of the lines that tell of a new key */
#define PRINT  "print "

#define BSD_ARG(name)                                                                              \
    {                                                                                              \
        name, ARG_REFUSED, false, NULL, NULL, NULL,                                                \
            "of BSD and Solaris, and hosts are Debian: leave it out"                               \
    }

static const struct module_arg args[] = {
    {"name", ARG_STR, true, NULL, NULL, "user", "The user"},
    {"state", ARG_STR, false, "present", "absent|present", NULL, "Whether it exists"},
    {"uid", ARG_INT, false, NULL, NULL, NULL, "Its number"},
    {"non_unique", ARG_BOOL, false, "no", NULL, NULL, "uid may be in use"},
    {"group", ARG_STR, false, NULL, NULL, NULL, "Primary group, name or number"},
    {"groups", ARG_LIST, false, NULL, NULL, NULL, "Further groups; empty: none"},
    {"append", ARG_BOOL, false, "no", NULL, NULL, "Keep the groups that are not named"},
    {"comment", ARG_STR, false, NULL, NULL, NULL, "Full name and such"},
    {"home", ARG_PATH, false, NULL, NULL, NULL, "Home folder"},
    {"create_home", ARG_BOOL, false, "yes", NULL, "createhome", "Make a new user's home folder"},
    {"move_home", ARG_BOOL, false, "no", NULL, NULL, "Move the old home folder to home"},
    {"shell", ARG_PATH, false, NULL, NULL, NULL, "Login shell"},
    {"system", ARG_BOOL, false, "no", NULL, NULL, "A new user gets a number of the system's range"},
    {"password", ARG_STR, false, NULL, NULL, NULL, "Hash as in /etc/shadow"},
    {"update_password", ARG_STR, false, "always", "always|on_create", NULL,
     "Whether an existing user's password is changed"},
    {"password_lock", ARG_BOOL, false, NULL, NULL, NULL, "Lock or unlock the password"},
    {"remove", ARG_BOOL, false, "no", NULL, NULL, "With absent: the home folder, too"},
    {"force", ARG_BOOL, false, "no", NULL, NULL,
     "With absent: although logged in; with generate_ssh_key: a new key in every run"},
    {"skeleton", ARG_PATH, false, NULL, NULL, NULL, "Folder to copy a new home folder from"},
    {"umask", ARG_STR, false, NULL, NULL, NULL, "umask(2) of a new user's home folder, octal"},
    {"uid_min", ARG_INT, false, NULL, NULL, NULL, "Least number of a new user"},
    {"uid_max", ARG_INT, false, NULL, NULL, NULL, "Greatest number of a new user"},
    {"expires", ARG_FLOAT, false, NULL, NULL, NULL,
     "Seconds since 1970: the account ends on that day; negative: never"},
    {"password_expire_min", ARG_INT, false, NULL, NULL, NULL, "Days before it may change"},
    {"password_expire_max", ARG_INT, false, NULL, NULL, NULL, "Days after which it must change"},
    {"password_expire_warn", ARG_INT, false, NULL, NULL, NULL, "Days of warning before that"},
    {"password_expire_account_disable", ARG_INT, false, NULL, NULL, NULL,
     "Days after that until the account ends; -1: never"},
    {"generate_ssh_key", ARG_BOOL, false, "no", NULL, NULL, "Make a key, unless there is one"},
    {"ssh_key_type", ARG_STR, false, "rsa", NULL, NULL, "As ssh-keygen -t"},
    {"ssh_key_bits", ARG_INT, false, "0", NULL, NULL, "0: as ssh-keygen has it"},
    {"ssh_key_file", ARG_PATH, false, NULL, NULL, NULL,
     "Below the home folder, unless it is a whole path; default: .ssh/id_TYPE"},
    {"ssh_key_comment", ARG_STR, false, NULL, NULL, NULL, "Default: ansible-generated on HOSTNAME"},
    {"ssh_key_passphrase", ARG_STR, false, NULL, NULL, NULL, "Default: none"},
    {"local", ARG_REFUSED, false, "no", NULL, NULL,
     "users are those that getent knows: use command: luseradd"},
    FILE_SELINUX_ARG("seuser"),
    BSD_ARG("login_class"),
    BSD_ARG("profile"),
    BSD_ARG("role"),
    BSD_ARG("authorization"),
    {"hidden", ARG_REFUSED, false, NULL, NULL, NULL,
     "of macOS, and hosts are Debian: leave it out"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

/* Where the key is or will be: in the home folder that the task names or the user has. */
static const char *key_path(struct module_call *call, const struct user_state *user)
{
    const char *name = value_get_str(call->args, "name", "");
    const char *home = value_get_str(call->args, "home", NULL);
    const char *file = value_get_str(call->args, "ssh_key_file", NULL);

    if (!file)
        file = arena_printf(call->arena, ".ssh/id_%s",
                            value_get_str(call->args, "ssh_key_type", "rsa"));
    if (*file == '/')
        return file_clean_path(call, file);
    if (!home)
        home = user->home && *user->home ? user->home : arena_printf(call->arena, "/home/%s", name);
    return file_clean_path(call, arena_printf(call->arena, "%s/%s", home, file));
}

/* A user that is not known yet is asked for first; then there is another look. */
static void key_needs(struct module_call *call, const struct need *user, need_add *add, void *ctx)
{
    struct need need = {.kind = NEED_PATH};
    const char *path;

    if (!value_get_bool(call->args, "generate_ssh_key", false) || !call->world ||
        !world_knows(call->world, user))
        return;
    path = key_path(call, world_user(call->world, user->name));
    need.name = file_dir(call, path);
    add(ctx, &need);
    need.name = path;
    add(ctx, &need);
    need.name = arena_printf(call->arena, "%s.pub", path);
    need.want_content = true;
    add(ctx, &need);
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    const char *name = value_get_str(call->args, "name", "");
    const char *home = value_get_str(call->args, "home", NULL);
    const char *umask = value_get_str(call->args, "umask", "0");
    const char *password = value_get_str(call->args, "password", "");
    struct need user = {.kind = NEED_USER, .name = name};
    struct need group = {.kind = NEED_GROUP, .name = name};

    if (!*name || *name == '-' || strpbrk(name, ":\n/ "))
        return err_set(err, ERR_INPUT, "'%s' is not the name of a user", name);
    if (strpbrk(password, ":\n"))
        return err_set(err, ERR_INPUT, "user: password must be a hash, as mkpasswd makes it");
    if (!*umask || umask[strspn(umask, "01234567")] != '\0')
        return err_set(err, ERR_INPUT, "user: umask must be octal digits, not '%s'", umask);
    add(ctx, &user);
    add(ctx, &group);
    key_needs(call, &user, add, ctx);
    if (home)
        file_dirs_needs(call, file_clean_path(call, home), add, ctx);
    return 0;
}

static void put_option(struct str *script, const char *option, const char *text)
{
    if (!text)
        return;
    str_printf(script, " %s ", option);
    str_put_shell(script, text);
}

/* "a,b" of the list of groups, sorted, each once: as the world has them. */
static const char *join_groups(struct module_call *call, const struct value *list)
{
    struct str joined;
    const char *last = NULL, *kept;

    str_init(&joined, STR_MAX_TEXT);
    for (;;) { /* the next greater one */
        const char *next = NULL;

        for (size_t i = 0; i < list->u.list.n; i++) {
            const char *group = list->u.list.items[i]->u.str.s;

            if (*group && (!last || strcmp(group, last) > 0) && (!next || strcmp(group, next) < 0))
                next = group;
        }
        if (!next)
            break;
        str_printf(&joined, "%s%s", joined.len ? "," : "", next);
        last = next;
    }
    kept = arena_strdup(call->arena, joined.buf);
    str_release(&joined);
    return kept;
}

static bool has_group(const char *joined, const char *group, size_t len)
{
    for (const char *p = joined; p && *p; p = strchr(p, ',')) {
        p += *p == ',';
        if (strncmp(p, group, len) == 0 && (p[len] == ',' || p[len] == '\0'))
            return true;
    }
    return false;
}

/* Are all of `want` in `have`? */
static bool has_groups(const char *have, const char *want)
{
    for (const char *p = want; *p; p += p[strcspn(p, ",")] ? strcspn(p, ",") + 1 : strcspn(p, ","))
        if (!has_group(have, p, strcspn(p, ",")))
            return false;
    return true;
}

static void put_password(const char *name, const char *password, bool lock, struct str *script)
{
    script_step(script);
    str_puts(script, "printf '%s\\n' ");
    str_put_shell(script, name);
    str_puts(script, lock && *password != '!' ? ":'!'" : ":");
    str_put_shell(script, password);
    str_puts(script, " | chpasswd -e");
}

/* The sum that the probe has of it: of the hash without the "!" that locks it. */
static const char *password_sum(struct module_call *call, const char *password)
{
    char sum[SHA256_HEX_SIZE];

    password += strspn(password, "!");
    sha256_hex(password, strlen(password), sum);
    return arena_strdup(call->arena, sum);
}

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

static const char *number_text(struct module_call *call, const char *key)
{
    const struct value *number = value_get(call->args, key);

    return number ? arena_printf(call->arena, "%lld", (long long)number->u.i) : NULL;
}

/* As useradd -e takes the day; "": never. */
static const char *expire_text(struct module_call *call, int64_t day)
{
    time_t at = (time_t)(day * DAY_S);
    char text[64];
    struct tm tm;

    if (day < 0 || !gmtime_r(&at, &tm))
        return "";
    strftime(text, sizeof(text), "%Y-%m-%d", &tm);
    return arena_strdup(call->arena, text);
}

/* The day on which the account is to end, -1: never. False: nothing is said of it. */
static bool expire_day(const struct module_call *call, int64_t *day)
{
    const struct value *at = value_get(call->args, "expires");

    if (!at)
        return false;
    *day = at->u.f < 0 ? -1 : (int64_t)floor(at->u.f / DAY_S);
    return true;
}

/* Options of useradd and usermod for the account's end, where it differs. */
static void put_end(struct module_call *call, const struct user_ages *now, struct module_plan *out,
                    struct str *options)
{
    int64_t inactive = value_get_int(call->args, "password_expire_account_disable", now->inactive);
    int64_t day;

    if (expire_day(call, &day) && day != now->expires) {
        put_option(options, "-e", expire_text(call, day));
        plan_say(call, out, "expires %s", day < 0 ? "never" : expire_text(call, day));
    }
    if (inactive != now->inactive) {
        put_option(options, "-f", number_text(call, "password_expire_account_disable"));
        plan_say(call, out, "disabled after %lld days", (long long)inactive);
    }
}

/* The password's ages: chage, for new and old users. */
static void plan_ages(struct module_call *call, struct user_state *now, const char *name,
                      struct module_plan *out)
{
    const struct {
        const char *key, *option;
        int64_t *days;
    } ages[] = {{"password_expire_min", "-m", &now->ages.min},
                {"password_expire_max", "-M", &now->ages.max},
                {"password_expire_warn", "-W", &now->ages.warn}};
    struct str options;

    str_init(&options, STR_MAX_TEXT);
    for (size_t i = 0; i < ARRAY_LEN(ages); i++) {
        int64_t want = value_get_int(call->args, ages[i].key, *ages[i].days);

        if (want == *ages[i].days)
            continue;
        put_option(&options, ages[i].option, number_text(call, ages[i].key));
        plan_say(call, out, "%s %lld -> %lld", ages[i].key, (long long)*ages[i].days,
                 (long long)want);
        *ages[i].days = want;
    }
    if (options.len > 0) {
        script_step(&out->script);
        str_printf(&out->script, "chage%s ", options.buf);
        str_put_shell(&out->script, name);
        out->kind = PLAN_CHANGE;
    }
    str_release(&options);
}

/* Fills in the world what the arguments say. */
static void note_user(struct module_call *call, struct world *world, struct user_state *now)
{
    struct arena *a = &world->arena;
    const struct value *uid = value_get(call->args, "uid"),
                       *lock = value_get(call->args, "password_lock");
    const char *group = value_get_str(call->args, "group", NULL);
    const char *comment = value_get_str(call->args, "comment", now->comment);
    const char *home = value_get_str(call->args, "home", now->home);
    const char *shell = value_get_str(call->args, "shell", now->shell);

    now->exists = true;
    now->uid = uid ? uid->u.i : now->uid;
    now->comment = arena_strdup(a, comment ? comment : "");
    now->home = arena_strdup(a, home ? home : "");
    now->shell = arena_strdup(a, shell ? shell : "");
    now->locked = lock ? lock->u.b : now->locked;
    expire_day(call, &now->ages.expires);
    now->ages.inactive =
        value_get_int(call->args, "password_expire_account_disable", now->ages.inactive);
    if (group && is_number(group)) {
        now->gid = strtoll(group, NULL, 10);
        now->group = "";
    } else if (group) {
        now->gid = -1;
        now->group = arena_strdup(a, group);
    }
}

/* New folders above the home, which useradd does not make; the home itself it does. */
static void note_home(struct module_call *call, struct world *world, const char *name,
                      struct module_plan *out)
{
    const char *home = value_get_str(call->args, "home", NULL);
    struct path_state *folder;

    if (!home || !value_get_bool(call->args, "create_home", true))
        return;
    home = file_clean_path(call, home);
    file_dirs_plan(call, world, file_dir(call, home), NULL, out);
    folder = world_path(world, home);
    if (folder->type == 0)
        *folder = (struct path_state){.type = 'd',
                                      .mode = 0755,
                                      .uid = -1,
                                      .gid = -1,
                                      .owner = arena_strdup(&world->arena, name),
                                      .group = arena_strdup(&world->arena, name)};
}

/* Options that useradd has for what it makes. */
static void put_making(struct module_call *call, struct str *script)
{
    static const char *const ranges[][2] = {{"uid_min", "UID_MIN"}, {"uid_max", "UID_MAX"}};
    const char *umask = value_get_str(call->args, "umask", NULL);
    bool home = value_get_bool(call->args, "create_home", true);

    str_puts(script, home ? " -m" : " -M");
    put_option(script, "-k", home ? value_get_str(call->args, "skeleton", NULL) : NULL);
    if (home && umask)
        str_printf(script, " -K UMASK=%s", umask);
    if (value_get_bool(call->args, "system", false))
        str_puts(script, " -r");
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (value_get(call->args, ranges[i][0]))
            str_printf(script, " -K %s=%s", ranges[i][1], number_text(call, ranges[i][0]));
}

static void plan_create(struct module_call *call, struct world *world, struct user_state *now,
                        const char *name, struct module_plan *out)
{
    const struct value *groups = value_get(call->args, "groups");
    const char *joined = groups ? join_groups(call, groups) : "";
    const char *password = value_get_str(call->args, "password", NULL);
    const char *group = value_get_str(call->args, "group", NULL);
    const struct user_ages unlimited = {-1, -1, -1, -1, -1};
    struct str *script = &out->script;

    note_home(call, world, name, out);
    script_step(script);
    str_puts(script, "useradd");
    put_option(script, "-u", number_text(call, "uid"));
    if (value_get_bool(call->args, "non_unique", false))
        str_puts(script, " -o");
    put_option(script, "-g", group);
    if (!group && world_group(world, name)->exists)
        str_puts(script, " -N");
    put_option(script, "-G", *joined ? joined : NULL);
    put_option(script, "-c", value_get_str(call->args, "comment", NULL));
    put_option(script, "-d", value_get_str(call->args, "home", NULL));
    put_option(script, "-s", value_get_str(call->args, "shell", NULL));
    plan_say(call, out, "created");
    put_end(call, &unlimited, out, script);
    put_making(call, script);
    str_putc(script, ' ');
    str_put_shell(script, name);
    if (password)
        put_password(name, password, value_get_bool(call->args, "password_lock", false), script);
    out->kind = PLAN_CHANGE;
    *now = (struct user_state){.uid = -1,
                               .gid = -1,
                               .group = arena_strdup(&world->arena, name),
                               .groups = arena_strdup(&world->arena, joined),
                               .has_home = value_get_bool(call->args, "create_home", true),
                               .locked = !password,
                               .ages = unlimited};
    if (password)
        now->password_sha256 = arena_strdup(&world->arena, password_sum(call, password));
    if (!group)
        world_group(world, name)->exists = true;
    note_user(call, world, now);
}

static bool group_differs(const char *group, const struct user_state *now)
{
    return group &&
           (is_number(group) ? strtoll(group, NULL, 10) != now->gid : !str_eq(group, now->group));
}

/* Options of usermod for what differs, one after the other. */
static void put_differences(struct module_call *call, const struct user_state *now,
                            struct module_plan *out, struct str *options)
{
    static const char *const texts[][2] = {{"comment", "-c"}, {"home", "-d"}, {"shell", "-s"}};
    const char *const current[] = {now->comment, now->home, now->shell};
    const struct value *uid = value_get(call->args, "uid");
    const char *group = value_get_str(call->args, "group", NULL);

    if (uid && uid->u.i != now->uid) {
        put_option(options, "-u", number_text(call, "uid"));
        str_puts(options, value_get_bool(call->args, "non_unique", false) ? " -o" : "");
        plan_say(call, out, "uid %lld -> %lld", (long long)now->uid, (long long)uid->u.i);
    }
    if (group_differs(group, now)) {
        put_option(options, "-g", group);
        plan_say(call, out, "group %s -> %s", now->group, group);
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *want = value_get_str(call->args, texts[i][0], NULL);

        if (!want || str_eq(want, current[i]))
            continue;
        put_option(options, texts[i][1], want);
        plan_say(call, out, "%s %s -> %s", texts[i][0], current[i] ? current[i] : "", want);
        if (i == 1 && value_get_bool(call->args, "move_home", false))
            str_puts(options, " -m");
    }
}

static void put_groups(struct module_call *call, struct world *world, struct user_state *now,
                       struct module_plan *out, struct str *options)
{
    const struct value *groups = value_get(call->args, "groups");
    bool append = value_get_bool(call->args, "append", false);
    const char *want;

    if (!groups)
        return;
    want = join_groups(call, groups);
    if (append ? has_groups(now->groups, want) : str_eq(want, now->groups ? now->groups : ""))
        return;
    str_puts(options, append ? " -a" : "");
    put_option(options, "-G", want);
    plan_say(call, out, "groups %s -> %s%s", now->groups, append ? "+" : "", want);
    if (append && now->groups && *now->groups)
        want = arena_printf(&world->arena, "%s,%s", now->groups, want);
    now->groups = arena_strdup(&world->arena, want);
}

/* Password and its lock. A new password comes locked or not, so -L and -U are not needed then. */
static void plan_password(struct module_call *call, struct world *world, struct user_state *now,
                          const char *name, struct module_plan *out, struct str *options)
{
    const struct value *lock = value_get(call->args, "password_lock");
    const char *password = value_get_str(call->args, "password", NULL);
    bool always = str_eq(value_get_str(call->args, "update_password", "always"), "always");

    if (password && always && !str_eq(password_sum(call, password), now->password_sha256)) {
        put_password(name, password, lock && lock->u.b, &out->script);
        plan_say(call, out, "password");
        now->password_sha256 = arena_strdup(&world->arena, password_sum(call, password));
    } else if (lock && lock->u.b != now->locked) {
        str_puts(options, lock->u.b ? " -L" : " -U");
        plan_say(call, out, lock->u.b ? "locked" : "unlocked");
    }
}

/* The home folder that an existing user is to have and has not; NULL: none. */
static const char *missing_home(struct module_call *call, struct world *world,
                                const struct user_state *now)
{
    const char *home = value_get_str(call->args, "home", NULL);
    bool moves = home && value_get_bool(call->args, "move_home", false);

    if (!value_get_bool(call->args, "create_home", true) || (moves && now->has_home))
        return NULL;
    if (!home || str_eq(home, now->home))
        return now->has_home || *now->home != '/' ? NULL : file_clean_path(call, now->home);
    home = file_clean_path(call, home);
    return world_path(world, home)->type == 0 ? home : NULL;
}

/* The mode of a new home folder, as useradd takes it from login.defs(5). */
static const char home_mode[] =
    "pgha_mode=$(awk '/^HOME_MODE[ \t]/ {print $2; found = 1; exit}\n"
    "    /^UMASK[ \t]/ {mask = $2} END {if (!found) print \":\" mask}' /etc/login.defs) &&\n"
    "case $pgha_mode in\n"
    ":) pgha_mode=755 ;;\n"
    ":*) pgha_mode=$(printf %o $((0777 & ~0${pgha_mode#:}))) ;;\n"
    "esac &&";

/* An existing user without its home folder gets one, as useradd -m would have made it. */
static void plan_missing_home(struct module_call *call, struct world *world, struct user_state *now,
                              const char *name, struct module_plan *out)
{
    const char *home = missing_home(call, world, now), *word, *skeleton;

    if (!home)
        return;
    note_home(call, world, name, out);
    word = file_word(call, home);
    script_run(&out->script, "mkdir -p --", file_dir(call, home), NULL);
    skeleton = file_word(call, value_get_str(call->args, "skeleton", "/etc/skel"));
    script_step(&out->script);
    str_printf(&out->script,
               "if [ -e %s ]; then cp -rpT %s %s; else mkdir %s; fi &&\n"
               "%s\nchmod \"$pgha_mode\" %s && chown -R ",
               skeleton, skeleton, word, word, home_mode, word);
    str_put_shell(&out->script, arena_printf(call->arena, "%s:", name));
    str_printf(&out->script, " %s", word);
    plan_say(call, out, "home folder created");
    now->has_home = true;
}

static void plan_modify(struct module_call *call, struct world *world, struct user_state *now,
                        const char *name, struct module_plan *out)
{
    struct str options;

    str_init(&options, STR_MAX_TEXT);
    put_differences(call, now, out, &options);
    put_groups(call, world, now, out, &options);
    put_end(call, &now->ages, out, &options);
    plan_password(call, world, now, name, out, &options);
    if (options.len > 0) {
        script_step(&out->script);
        str_printf(&out->script, "usermod%s ", options.buf);
        str_put_shell(&out->script, name);
    }
    str_release(&options);
    plan_missing_home(call, world, now, name, out);
    note_user(call, world, now);
    if (out->script.len > 0)
        out->kind = PLAN_CHANGE;
}

/* ssh-keygen asks for a passphrase where nobody else can read it: a program of ours answers. */
static void put_passphrase(const char *passphrase, struct str *script)
{
    struct str program;

    str_init(&program, STR_MAX_TEXT);
    str_puts(&program, "#!/bin/sh\nprintf '%s\\n' ");
    str_put_shell(&program, passphrase);
    str_putc(&program, '\n');
    script_step(script);
    str_puts(script, "pgha_ask=$(mktemp \"${TMPDIR:-/tmp}/" SCRIPT_TEMPORARY SCRIPT_RANDOM
                     "\") && trap 'rm -f \"$pgha_ask\"' EXIT && chmod 0700 \"$pgha_ask\" &&\n"
                     "printf %s '");
    str_put_base64(script, program.buf, program.len);
    str_puts(script, "' | base64 -d >\"$pgha_ask\"");
    str_release(&program);
}

static void put_keygen(struct module_call *call, const char *name, const char *path,
                       struct str *script)
{
    const char *comment = value_get_str(call->args, "ssh_key_comment", NULL);
    const char *passphrase = value_get_str(call->args, "ssh_key_passphrase", NULL);
    const char *word = file_word(call, path);

    if (passphrase)
        put_passphrase(passphrase, script);
    script_step(script);
    str_printf(script, "rm -f %s %s.pub &&\n", word, word);
    if (passphrase)
        str_puts(script, "SSH_ASKPASS=\"$pgha_ask\" SSH_ASKPASS_REQUIRE=force ");
    str_puts(script, "ssh-keygen -q -t ");
    str_put_shell(script, value_get_str(call->args, "ssh_key_type", "rsa"));
    if (value_get_int(call->args, "ssh_key_bits", 0) > 0)
        put_option(script, "-b", number_text(call, "ssh_key_bits"));
    if (comment)
        put_option(script, "-C", comment);
    else
        str_puts(script, " -C \"ansible-generated on $(uname -n)\"");
    str_printf(script, " -f %s%s </dev/null >&2", word, passphrase ? "" : " -N ''");
    script_step(script);
    str_puts(script, "chown ");
    str_put_shell(script, arena_printf(call->arena, "%s:", name));
    str_printf(script,
               " %s %s.pub &&\nprintf '" PUBLIC "%%s\\n" PRINT "%%s\\n' \"$(cat %s.pub)\" "
               "\"$(ssh-keygen -l -f %s)\"",
               word, word, word, word);
}

/* A key, and the folder it is in, unless there is one. finish tells what it is. */
static void plan_key(struct module_call *call, struct world *world, const struct user_state *now,
                     const char *name, struct module_plan *out)
{
    const char *path = key_path(call, now);
    const char *dir = file_dir(call, path);
    struct path_state *key = world_path(world, path);
    struct path_state *public = world_path(world, arena_printf(call->arena, "%s.pub", path));

    plan_result_str(call, out, "ssh_key_file", path);
    if ((key->type != 0 || public->type != 0) && !value_get_bool(call->args, "force", false)) {
        if (public->content)
            plan_result_str(
                call, out, "ssh_public_key",
                arena_strndup(call->arena, public->content, strcspn(public->content, "\r\n")));
        return;
    }
    if (world_path(world, dir)->type == 0) {
        script_run(&out->script, "mkdir -m 0700 --", dir, NULL);
        script_run(&out->script, "chown", arena_printf(call->arena, "%s:", name), dir, NULL);
        *world_path(world, dir) =
            (struct path_state){.type = 'd', .mode = 0700, .uid = -1, .gid = -1};
    }
    put_keygen(call, name, path, &out->script);
    *key = (struct path_state){.type = 'f', .mode = 0600, .uid = -1, .gid = -1, .size = -1};
    *public = (struct path_state){.type = 'f', .mode = 0644, .uid = -1, .gid = -1, .size = -1};
    public->content_asked = true;
    plan_say(call, out, "key made");
    out->kind = PLAN_CHANGE;
    out->captures = true;
}

static void plan_remove(struct module_call *call, struct user_state *now, const char *name,
                        struct module_plan *out)
{
    if (!now->exists)
        return;
    str_puts(&out->script, "userdel");
    str_puts(&out->script, value_get_bool(call->args, "force", false) ? " -f" : "");
    str_puts(&out->script, value_get_bool(call->args, "remove", false) ? " -r" : "");
    str_putc(&out->script, ' ');
    str_put_shell(&out->script, name);
    plan_say(call, out, "removed");
    now->exists = false;
    out->kind = PLAN_CHANGE;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const char *name = value_get_str(call->args, "name", "");
    const char *state = value_get_str(call->args, "state", "present");
    struct user_state *now = world_user(world, name);

    UNUSED(err);
    out->kind = PLAN_OK;
    plan_result_str(call, out, "name", name);
    plan_result_str(call, out, "state", state);
    if (str_eq(state, "absent"))
        plan_remove(call, now, name, out);
    else if (now->exists)
        plan_modify(call, world, now, name, out);
    else
        plan_create(call, world, now, name, out);
    if (str_eq(state, "absent"))
        return 0;
    plan_ages(call, now, name, out);
    if (value_get_bool(call->args, "generate_ssh_key", false))
        plan_key(call, world, now, name, out);
    if (now->uid >= 0)
        plan_result_int(call, out, "uid", now->uid);
    if (now->gid >= 0)
        plan_result_int(call, out, "group", now->gid);
    plan_result_str(call, out, "comment", now->comment);
    plan_result_str(call, out, "home", now->home);
    plan_result_str(call, out, "shell", now->shell);
    return 0;
}

/* What follows the word at the begin of a line; NULL. */
static const char *said(struct module_call *call, const char *out, const char *word)
{
    for (const char *line = out; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (str_starts(line, word))
            return arena_strndup(call->arena, line + strlen(word),
                                 strcspn(line + strlen(word), "\n"));
    }
    return NULL;
}

/* Only the making of a key captures. */
static void finish(struct module_call *call, struct module_plan *done, int rc, const char *out,
                   const char *errout)
{
    plan_result_str(call, done, "ssh_public_key", said(call, out, PUBLIC));
    plan_result_str(call, done, "ssh_fingerprint", said(call, out, PRINT));
    if (rc == 0)
        return;
    plan_result_bool(call, done, "failed", true);
    plan_result_str(call, done, "msg", errout);
}

const struct module module_user = {
    .name = "user",
    .help = "Makes, changes and removes users.",
    .args = args,
    .needs = needs,
    .plan = plan,
    .finish = finish,
};
