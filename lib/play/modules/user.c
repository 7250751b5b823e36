/*
 * user.c - module user. The password is a hash for /etc/shadow; it goes to chpasswd by its standard
 * input, never into an argument list.
 */
#include "lib/base/hash.h"
#include "lib/play/filechange.h"

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
    {"force", ARG_BOOL, false, "no", NULL, NULL, "With absent: although logged in"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    const char *name = value_get_str(call->args, "name", "");
    const char *home = value_get_str(call->args, "home", NULL);
    const char *password = value_get_str(call->args, "password", "");
    struct need user = {.kind = NEED_USER, .name = name};
    struct need group = {.kind = NEED_GROUP, .name = name};

    if (!*name || *name == '-' || strpbrk(name, ":\n/ "))
        return err_set(err, ERR_INPUT, "'%s' is not the name of a user", name);
    if (strpbrk(password, ":\n"))
        return err_set(err, ERR_INPUT, "user: password must be a hash, as mkpasswd makes it");
    add(ctx, &user);
    add(ctx, &group);
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

static void plan_create(struct module_call *call, struct world *world, struct user_state *now,
                        const char *name, struct module_plan *out)
{
    const struct value *groups = value_get(call->args, "groups");
    const char *joined = groups ? join_groups(call, groups) : "";
    const char *password = value_get_str(call->args, "password", NULL);
    const char *group = value_get_str(call->args, "group", NULL);
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
    str_puts(script, value_get_bool(call->args, "create_home", true) ? " -m" : " -M");
    if (value_get_bool(call->args, "system", false))
        str_puts(script, " -r");
    str_putc(script, ' ');
    str_put_shell(script, name);
    if (password)
        put_password(name, password, value_get_bool(call->args, "password_lock", false), script);
    plan_say(call, out, "created");
    out->kind = PLAN_CHANGE;
    *now = (struct user_state){.uid = -1,
                               .gid = -1,
                               .group = arena_strdup(&world->arena, name),
                               .groups = arena_strdup(&world->arena, joined),
                               .has_home = value_get_bool(call->args, "create_home", true),
                               .locked = !password};
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
    const char *home = missing_home(call, world, now), *word;

    if (!home)
        return;
    note_home(call, world, name, out);
    word = file_word(call, home);
    script_run(&out->script, "mkdir -p --", file_dir(call, home), NULL);
    script_step(&out->script);
    str_printf(&out->script, "cp -rpT /etc/skel %s &&\n%s\nchmod \"$pgha_mode\" %s && chown -R ",
               word, home_mode, word);
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
    if (now->uid >= 0)
        plan_result_int(call, out, "uid", now->uid);
    if (now->gid >= 0)
        plan_result_int(call, out, "group", now->gid);
    plan_result_str(call, out, "comment", now->comment);
    plan_result_str(call, out, "home", now->home);
    plan_result_str(call, out, "shell", now->shell);
    return 0;
}

const struct module module_user = {
    .name = "user",
    .help = "Makes, changes and removes users.",
    .args = args,
    .needs = needs,
    .plan = plan,
};
