/*
 * apt.c - module apt: Debian packages, and the same for module package.
 *
 * What is installed comes from dpkg's status, so a host that has all costs no process of apt. An
 * installation is opaque: its scripts may change anything.
 */
#include <fnmatch.h>

#include "lib/play/modules/apt.h"
#include "lib/play/planout.h"

/* Where apt notes its last update; the first is touched by a hook of the package apt
 * (APT::Update::Post-Invoke-Success), the folder by apt itself. As in Ansible's apt.py. */
static const char *const stamps[] = {"/var/lib/apt/periodic/update-success-stamp",
                                     "/var/lib/apt/lists"};

#define DPKG_OPTIONS "force-confdef,force-confold"
#define POLICY       "/usr/sbin/policy-rc.d"
#define POLICY_KEPT  POLICY ".pgha-kept"
#define APT_ENV      "DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical LANG=C LC_ALL=C"
#define APT_GET      " apt-get -q -y"

/* What only fetches may be stopped and begun again, and goes on where it was. That is needed:
 * behind a proxy that closes connections apt 2.6 waits for ever once in a while. */
static const char fetch_begin[] = "{ for pgha_seconds in 60 180 600; do\n" APT_ENV
                                  " timeout --kill-after=10 $pgha_seconds" APT_GET;
static const char fetch_end[] = " </dev/null; pgha_status=$?; [ $pgha_status = 124 ] || break\n"
                                "done; (exit $pgha_status); }";

static const struct module_arg args[] = {
    {"package", ARG_LIST, false, NULL, NULL, "name|pkg",
     "Packages; each may name a version: NAME=VERSION, with * in it"},
    {"state", ARG_STR, false, "present", "absent|build-dep|fixed|latest|present", NULL,
     "latest asks apt in every run, as does build-dep: what is needed to build the packages; "
     "fixed is present, and mends what is broken"},
    {"update_cache", ARG_BOOL, false, NULL, NULL, "update-cache", "Run apt-get update first"},
    {"cache_valid_time", ARG_INT, false, "0", NULL, NULL,
     "Seconds for which the last update is good enough"},
    {"install_recommends", ARG_BOOL, false, NULL, NULL, "install-recommends",
     "Also what is recommended; default: as the host has it"},
    {"default_release", ARG_STR, false, NULL, NULL, "default-release", "As apt-get -t"},
    {"only_upgrade", ARG_BOOL, false, "no", NULL, NULL, "Install nothing that is not there"},
    {"purge", ARG_BOOL, false, "no", NULL, NULL, "With absent: configuration files too"},
    {"autoremove", ARG_BOOL, false, "no", NULL, NULL, "Also remove what is needed no more"},
    {"allow_downgrade", ARG_BOOL, false, "no", NULL,
     "allow-downgrade|allow_downgrades|allow-downgrades",
     "A version older than the installed one may be installed"},
    {"allow_change_held_packages", ARG_BOOL, false, "no", NULL, NULL, "Held packages too"},
    {"lock_timeout", ARG_INT, false, "60", NULL, NULL, "Seconds to wait for apt's lock"},
    {"upgrade", ARG_STR, false, NULL, "dist|full|no|safe|yes", NULL,
     "Instead of packages, all of them: dist and full may remove some; asks apt in every run"},
    {"deb", ARG_PATH, false, NULL, NULL, NULL,
     "Instead of packages, files of the host or URLs, a comma between them; asks apt in every run"},
    {"autoclean", ARG_BOOL, false, "no", NULL, NULL,
     "Without packages and update_cache: drop what can be fetched no more from apt's cache"},
    {"clean", ARG_BOOL, false, "no", NULL, NULL,
     "Empty apt's cache of packages; without packages, deb and upgrade nothing else is done"},
    {"dpkg_options", ARG_STR, false, DPKG_OPTIONS, NULL, NULL,
     "Options of dpkg without --, a comma between them"},
    {"fail_on_autoremove", ARG_BOOL, false, "no", NULL, NULL,
     "Fail where a package would have to go"},
    {"force", ARG_BOOL, false, "no", NULL, NULL,
     "Allow what apt-get --force-yes does: downgrades, held, essential, unauthenticated packages"},
    {"allow_unauthenticated", ARG_BOOL, false, "no", NULL, "allow-unauthenticated",
     "Packages that nobody has signed"},
    {"policy_rc_d", ARG_INT, false, NULL, NULL, NULL,
     "What /usr/sbin/policy-rc.d says while packages change: 101 starts no service"},
    {"update_cache_retries", ARG_INT, false, "5", NULL, NULL, "How often the update is tried"},
    {"update_cache_retry_max_delay", ARG_INT, false, "12", NULL, NULL,
     "Most seconds between two tries"},
    {"force_apt_get", ARG_BOOL, false, "no", NULL, NULL, "Accepted: aptitude is never used"},
    {"auto_install_module_deps", ARG_BOOL, false, "yes", NULL, NULL,
     "Accepted: nothing has to be installed"},
    {NULL, ARG_STR, false, NULL, NULL, NULL, NULL}};

/* NAME of NAME=VERSION or NAME/RELEASE, in the call's arena. */
static const char *package_name(struct module_call *call, const char *spec)
{
    return arena_strndup(call->arena, spec, strcspn(spec, "=/"));
}

static int check_spec(const char *spec, struct err *err)
{
    const char *first = strchr(spec, '=');

    if (!*spec || *spec == '-' ||
        strspn(spec, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789+-.:~*=/_") != strlen(spec))
        return err_set(err, ERR_INPUT, "'%s' is not the name of a package", spec);
    if (first && strchr(first + 1, '='))
        return err_set(err, ERR_INPUT, "invalid package spec: %s", spec);
    return 0;
}

static int check_specs(const struct value *specs, struct err *err)
{
    for (size_t i = 0; specs && i < specs->u.list.n; i++)
        if (check_spec(specs->u.list.items[i]->u.str.s, err) < 0)
            return -1;
    return 0;
}

int apt_needs(struct module_call *call, const struct value *specs, need_add *add, void *ctx,
              struct err *err)
{
    struct need need = {.kind = NEED_PACKAGE};

    if (check_specs(specs, err) < 0)
        return -1;
    for (size_t i = 0; specs && i < specs->u.list.n; i++) {
        need.name = package_name(call, specs->u.list.items[i]->u.str.s);
        add(ctx, &need);
    }
    return 0;
}

static bool has_state(const struct module_call *call, const char *state)
{
    return str_eq(value_get_str(call->args, "state", ""), state);
}

static bool updates(const struct module_call *call)
{
    return value_get_bool(call->args, "update_cache", false) ||
           value_get_int(call->args, "cache_valid_time", 0) > 0;
}

/* The mode of an upgrade of everything; NULL: none. */
static const char *upgrade_mode(const struct module_call *call)
{
    const struct value *specs = value_get(call->args, "package");
    const char *mode = value_get_str(call->args, "upgrade", "no");

    if (specs && specs->u.list.n == 1 && str_eq(specs->u.list.items[0]->u.str.s, "*"))
        return str_eq(value_get_str(call->args, "state", ""), "latest") ? "yes" : NULL;
    return str_eq(mode, "no") ? NULL : mode;
}

static int check(const struct module_call *call, struct err *err)
{
    static const char *const one_of[] = {"package", "deb", "upgrade"};
    static const char *const enough[] = {"autoremove", "autoclean", "clean"};
    const struct value *specs = value_get(call->args, "package");
    int given = 0;
    bool any = updates(call);

    for (size_t i = 0; i < ARRAY_LEN(one_of); i++)
        given += value_get(call->args, one_of[i]) != NULL;
    for (size_t i = 0; i < ARRAY_LEN(enough); i++)
        any = any || value_get_bool(call->args, enough[i], false);
    if (given > 1)
        return err_set(err, ERR_INPUT, "parameters are mutually exclusive: deb|package|upgrade");
    if (given == 0 && !any)
        return err_set(err, ERR_INPUT,
                       "apt needs one of name, deb, upgrade, update_cache, autoremove, autoclean, "
                       "clean");
    if (value_get(call->args, "deb") && !str_eq(value_get_str(call->args, "state", ""), "present"))
        return err_set(err, ERR_INPUT, "deb only supports state=present");
    for (size_t i = 0; specs && specs->u.list.n > 1 && i < specs->u.list.n; i++)
        if (str_eq(specs->u.list.items[i]->u.str.s, "*"))
            return err_set(err, ERR_INPUT,
                           "unable to install additional packages when upgrading all installed "
                           "packages");
    return 0;
}

/* The list of packages; NULL: none, or '*', which stands for an upgrade. */
static const struct value *packages(const struct module_call *call)
{
    const struct value *specs = value_get(call->args, "package");

    if (specs && specs->u.list.n == 1 && str_eq(specs->u.list.items[0]->u.str.s, "*"))
        return NULL;
    return specs;
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    bool update = updates(call), builds = has_state(call, "build-dep");

    if (check(call, err) < 0)
        return -1;
    for (size_t i = 0; update && i < ARRAY_LEN(stamps); i++) {
        struct need need = {.kind = NEED_PATH, .name = stamps[i]};

        add(ctx, &need);
    }
    return builds ? check_specs(packages(call), err)
                  : apt_needs(call, packages(call), add, ctx, err);
}

/* Is the cache to be updated, by the time of the last update? */
static bool cache_is_stale(struct module_call *call, struct world *world)
{
    int64_t valid = value_get_int(call->args, "cache_valid_time", 0);
    const struct path_state *stamp;

    if (!updates(call))
        return false;
    stamp = world_path(world, stamps[0]);
    if (stamp->type == 0)
        stamp = world_path(world, stamps[1]);
    return stamp->type == 0 || stamp->mtime + (double)valid < (double)call->now_s;
}

/* Must something be done about this package? */
static bool differs(struct module_call *call, struct world *world, const char *spec,
                    const char *state)
{
    const struct package_state *now = world_package(world, package_name(call, spec));
    const char *version = strchr(spec, '=');

    if (str_eq(state, "absent"))
        return now->installed;
    if (!now->installed)
        return !value_get_bool(call->args, "only_upgrade", false);
    if (str_eq(state, "latest"))
        return true;
    return version && fnmatch(version + 1, now->version, 0) != 0;
}

void apt_put_update(struct module_call *call, const char *give_up, struct str *script)
{
    long long most = value_get_int(call->args, "update_cache_retry_max_delay", 12);

    str_printf(script, "pgha_try=1 && until %s -o APT::Update::Error-Mode=any update%s",
               fetch_begin, fetch_end);
    str_printf(script,
               "\ndo\n[ $pgha_try -lt %lld ] || {\n%sexit 1\n}\n"
               "pgha_delay=$((1 << (pgha_try < 10 ? pgha_try - 1 : 9)))\n"
               "sleep $((pgha_delay < %lld ? pgha_delay : %lld))\n"
               "pgha_try=$((pgha_try + 1))\ndone",
               (long long)value_get_int(call->args, "update_cache_retries", 5), give_up, most,
               most);
}

static bool wants(const struct module_call *call, const char *key)
{
    return value_get_bool(call->args, key, false);
}

/* Each of "a,b" goes to dpkg. */
static void put_dpkg_options(const struct module_call *call, struct str *script)
{
    const char *options = value_get_str(call->args, "dpkg_options", DPKG_OPTIONS);

    while (*options) {
        size_t len = strcspn(options, ",");

        str_puts(script, " -o ");
        str_put_shell(script,
                      arena_printf(call->arena, "Dpkg::Options::=--%.*s", (int)len, options));
        options += len + (options[len] == ',');
    }
}

/* What may be done to the packages of any command. */
static void put_allowances(const struct module_call *call, struct str *script)
{
    bool force = wants(call, "force");

    if (wants(call, "autoremove") && !has_state(call, "build-dep"))
        str_puts(script, " --auto-remove");
    if (force || wants(call, "allow_change_held_packages"))
        str_puts(script, " --allow-change-held-packages");
    if (force)
        str_puts(script, " --allow-remove-essential");
}

static void put_options(const struct module_call *call, bool removes, struct str *script)
{
    const struct value *recommends = value_get(call->args, "install_recommends");
    const char *release = value_get_str(call->args, "default_release", NULL);
    bool force = wants(call, "force");

    str_printf(script, " -o DPkg::Lock::Timeout=%lld",
               (long long)value_get_int(call->args, "lock_timeout", 60));
    put_dpkg_options(call, script);
    put_allowances(call, script);
    if (removes) {
        str_puts(script, wants(call, "purge") ? " --purge" : "");
        return;
    }
    if (recommends || value_get(call->args, "deb"))
        str_printf(script, " -o APT::Install-Recommends=%s",
                   recommends && recommends->u.b ? "yes" : "no");
    if (force || wants(call, "allow_downgrade"))
        str_puts(script, " --allow-downgrades");
    if (force || wants(call, "allow_unauthenticated"))
        str_puts(script, " --allow-unauthenticated");
    if (wants(call, "only_upgrade"))
        str_puts(script, " --only-upgrade");
    if (has_state(call, "fixed"))
        str_puts(script, " --fix-broken");
    if (wants(call, "fail_on_autoremove"))
        str_puts(script, " --no-remove");
    if (release) {
        str_puts(script, " -t ");
        str_put_shell(script, release);
    }
}

/* what: shell words, begun by a space: apt-get's command and what it is about. In check mode apt is
 * asked what it would do. */
static void plan_command(const struct module_call *call, bool removes, const char *what,
                         struct module_plan *out)
{
    struct str *script = &out->script;

    out->kind = PLAN_OPAQUE;
    out->simulates = call->check_mode;
    if (!removes && !call->check_mode) { /* what may hang comes before what must not be stopped */
        script_step(script);
        str_puts(script, fetch_begin);
        put_options(call, removes, script);
        str_printf(script, " --download-only%s >/dev/null%s", what, fetch_end);
    }
    script_step(script);
    str_puts(script, APT_ENV APT_GET);
    str_puts(script, call->check_mode ? " --simulate" : "");
    put_options(call, removes, script);
    str_printf(script, "%s </dev/null", what);
}

/* The world after it, as far as can be known: the runner forgets it all after an opaque change,
 * but check mode plans on. */
static void note_package(struct module_call *call, struct world *world, const char *spec,
                         const char *state)
{
    struct package_state *now = world_package(world, package_name(call, spec));
    const char *version = strchr(spec, '=');

    now->installed = !str_eq(state, "absent");
    if (version)
        now->version = arena_strdup(&world->arena, version + 1);
    else if (!now->version)
        now->version = "";
}

void apt_plan_packages(struct module_call *call, struct world *world, const struct value *specs,
                       const char *state, struct module_plan *out)
{
    bool absent = str_eq(state, "absent");
    struct str wanted;

    str_init(&wanted, STR_MAX_TEXT);
    for (size_t i = 0; specs && i < specs->u.list.n; i++) {
        const char *spec = specs->u.list.items[i]->u.str.s;

        if (!differs(call, world, spec, state))
            continue;
        str_putc(&wanted, ' ');
        str_put_shell(&wanted, absent ? package_name(call, spec) : spec);
        plan_say(call, out, "%s%s", absent ? "-" : "+", spec);
        note_package(call, world, spec, state);
    }
    if (wanted.len > 0) {
        plan_command(
            call, absent,
            arena_printf(call->arena, " %s --%s", absent ? "remove" : "install", wanted.buf), out);
    }
    str_release(&wanted);
}

/* Names of packages, or folders and files of sources: apt knows what each needs to be built. */
static void plan_build_dep(struct module_call *call, const struct value *specs,
                           struct module_plan *out)
{
    struct str what;

    str_init(&what, STR_MAX_TEXT);
    str_puts(&what, " build-dep --");
    for (size_t i = 0; i < specs->u.list.n; i++) {
        const char *spec = specs->u.list.items[i]->u.str.s;

        str_putc(&what, ' ');
        str_put_shell(&what, spec);
        plan_say(call, out, "+what builds %s", spec);
    }
    if (specs->u.list.n > 0)
        plan_command(call, false, what.buf, out);
    str_release(&what);
}

static void plan_upgrade(struct module_call *call, const char *mode, struct module_plan *out)
{
    bool removes = str_eq(mode, "dist") || str_eq(mode, "full");

    plan_command(call, false, removes ? " dist-upgrade" : " upgrade --with-new-pkgs", out);
    plan_say(call, out, "upgrade of all packages");
}

/* Files of packages: apt-get takes those whose name has a slash. What has a URL is fetched by apt,
 * as its own user, so it may read the file that it makes. */
static void plan_deb(struct module_call *call, const char *list, struct module_plan *out)
{
    struct str what;
    int fetched = 0;

    str_init(&what, STR_MAX_TEXT);
    str_puts(&what, " install --");
    while (*list) {
        size_t len = strcspn(list, ",");
        const char *file = arena_strndup(call->arena, list, len);

        str_putc(&what, ' ');
        if (strstr(file, "://")) {
            script_step(&out->script);
            if (fetched++ == 0) /* put_policy has a trap for both */
                str_printf(
                    &out->script, "%spgha_debs=$(mktemp -d) && chmod 0755 \"$pgha_debs\" &&\n",
                    value_get(call->args, "policy_rc_d") ? ""
                                                         : "trap 'rm -rf \"$pgha_debs\"' EXIT && ");
            str_puts(&out->script, "/usr/lib/apt/apt-helper download-file ");
            str_put_shell(&out->script, file);
            str_printf(&out->script, " \"$pgha_debs/%d.deb\" >/dev/null", fetched);
            str_printf(&what, "\"$pgha_debs/%d.deb\"", fetched);
        } else {
            str_put_shell(&what,
                          strchr(file, '/') ? file : arena_printf(call->arena, "./%s", file));
        }
        plan_say(call, out, "+%s", file);
        list += len + (list[len] == ',');
    }
    plan_command(call, false, what.buf, out);
    if (fetched > 0) /* check mode fetches nothing */
        out->simulates = false;
    str_release(&what);
}

/* autoremove, autoclean. */
static void plan_cleanup(struct module_call *call, const char *command, struct module_plan *out)
{
    plan_command(call, true, arena_printf(call->arena, " %s", command), out);
    plan_say(call, out, "%s", command);
}

/* The policy counts only as long as the shell that put it there is alive: one that is left by a
 * killed script asks the one that was there before it. See invoke-rc.d(8). */
static void put_policy(struct module_call *call, struct module_plan *out)
{
    const struct value *status = value_get(call->args, "policy_rc_d");
    const char *steps;

    if (!status || out->kind != PLAN_OPAQUE || call->check_mode)
        return;
    steps = arena_strdup(call->arena, out->script.buf);
    str_clear(&out->script);
    str_puts(&out->script, "if [ -e " POLICY_KEPT " ]; then mv -f " POLICY_KEPT " " POLICY "; fi");
    file_put_temporary(call, POLICY, "pgha_policy", &out->script);
    str_printf(&out->script,
               " &&\nprintf '#!/bin/sh\\n[ ! -d /proc/%%s ] || exit %lld\\n"
               "[ ! -x " POLICY_KEPT " ] || exec " POLICY_KEPT
               " \"$@\"\\n' $$ >\"$pgha_policy\" &&\n"
               "chmod 0755 \"$pgha_policy\" &&\n"
               "{ [ ! -e " POLICY " ] || cp -p " POLICY " " POLICY_KEPT "; } &&\n"
               "trap 'rm -f " POLICY "; [ ! -e " POLICY_KEPT " ] || mv -f " POLICY_KEPT " " POLICY
               "; rm -rf \"$pgha_debs\"' EXIT &&\n"
               "mv -f \"$pgha_policy\" " POLICY " &&\n%s",
               (long long)status->u.i, steps);
}

static void plan_update(struct module_call *call, struct world *world, struct module_plan *out)
{
    bool update = cache_is_stale(call, world);

    plan_result_bool(call, out, "cache_updated", update);
    if (!update)
        return;
    script_step(&out->script);
    apt_put_update(call, "", &out->script);
    out->kind = PLAN_OPAQUE;
    plan_say(call, out, "update of the package lists");
}

/* Beside packages, an update of the lists alone is no change to Ansible. */
static void plan_packages(struct module_call *call, struct world *world, const struct value *specs,
                          struct module_plan *out)
{
    size_t len = out->script.len;

    if (has_state(call, "build-dep"))
        plan_build_dep(call, specs, out);
    else
        apt_plan_packages(call, world, specs, value_get_str(call->args, "state", ""), out);
    if (len > 0 && out->script.len == len)
        plan_result_bool(call, out, "changed", false);
}

/* In apt.py's order: clean alone ends it, an update without packages does; then it is one of them.
 */
static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct value *specs = packages(call);
    const char *mode = upgrade_mode(call), *deb = value_get_str(call->args, "deb", NULL);
    bool alone = !value_get(call->args, "package") && !mode && !deb;

    UNUSED(err);
    out->kind = PLAN_OK;
    if (wants(call, "clean")) {
        str_puts(&out->script, "apt-get clean");
        plan_say(call, out, "clean");
        out->kind = PLAN_OPAQUE;
    }
    if (!(alone && wants(call, "clean")))
        plan_update(call, world, out);
    if (mode)
        plan_upgrade(call, mode, out);
    else if (deb)
        plan_deb(call, deb, out);
    else if (specs)
        plan_packages(call, world, specs, out);
    else if (!wants(call, "clean") && !updates(call) && wants(call, "autoclean"))
        plan_cleanup(call, "autoclean", out);
    else if (!wants(call, "clean") && !updates(call) && wants(call, "autoremove"))
        plan_cleanup(call, "autoremove", out);
    if (wants(call, "clean") || cache_is_stale(call, world)) /* those would be done for real */
        out->simulates = false;
    put_policy(call, out);
    /* An upgrade, state latest, autoremove: only apt's summary tells whether something was done. */
    out->captures = out->kind == PLAN_OPAQUE;
    return 0;
}

/* apt.py looks for these words, too. */
static bool did_nothing(const struct module_call *call, const char *out)
{
    bool cleans = !value_get(call->args, "package") && !value_get(call->args, "deb") &&
                  !upgrade_mode(call) && !updates(call);

    if (cleans && wants(call, "clean"))
        return false;
    if (cleans && wants(call, "autoclean"))
        return !strstr(out, "Del ");
    return strstr(out, "0 upgraded, 0 newly installed, 0 to remove") != NULL;
}

void apt_finish(struct module_call *call, struct module_plan *plan_made, int rc, const char *out,
                const char *errout)
{
    finish_captured(call, plan_made, rc, out, errout, true);
    if (rc == 0 && !value_get(plan_made->result, "changed") && did_nothing(call, out))
        plan_result_bool(call, plan_made, "changed", false);
    if (rc == 0 && upgrade_mode(call))
        plan_result_str(call, plan_made, "msg", out);
}

const struct module module_apt = {
    .name = "apt",
    .help = "Installs and removes Debian packages.",
    .args = args,
    .needs = needs,
    .plan = plan,
    .finish = apt_finish,
};
