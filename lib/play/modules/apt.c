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

#define APT_ENV "DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical LANG=C LC_ALL=C"
#define APT_GET " apt-get -q -y"

/* What only fetches may be stopped and begun again, and goes on where it was. That is needed:
 * behind a proxy that closes connections apt 2.6 waits for ever once in a while. */
static const char fetch_begin[] = "{ for pgha_seconds in 60 180 600; do\n" APT_ENV
                                  " timeout --kill-after=10 $pgha_seconds" APT_GET;
static const char fetch_end[] = " </dev/null; pgha_status=$?; [ $pgha_status = 124 ] || break\n"
                                "done; (exit $pgha_status); }";

static const struct module_arg args[] = {
    {"package", ARG_LIST, false, NULL, NULL, "name|pkg",
     "Packages; each may name a version: NAME=VERSION, with * in it"},
    {"state", ARG_STR, false, "present", "absent|latest|present", NULL,
     "latest asks apt in every run"},
    {"update_cache", ARG_BOOL, false, NULL, NULL, "update-cache", "Run apt-get update first"},
    {"cache_valid_time", ARG_INT, false, "0", NULL, NULL,
     "Seconds for which the last update is good enough"},
    {"install_recommends", ARG_BOOL, false, NULL, NULL, "install-recommends",
     "Also what is recommended; default: as the host has it"},
    {"default_release", ARG_STR, false, NULL, NULL, "default-release", "As apt-get -t"},
    {"only_upgrade", ARG_BOOL, false, "no", NULL, NULL, "Install nothing that is not there"},
    {"purge", ARG_BOOL, false, "no", NULL, NULL, "With absent: configuration files too"},
    {"autoremove", ARG_BOOL, false, "no", NULL, NULL, "Also remove what is needed no more"},
    {"allow_downgrade", ARG_BOOL, false, "no", NULL, "allow-downgrade|allow_downgrades",
     "A version older than the installed one may be installed"},
    {"allow_change_held_packages", ARG_BOOL, false, "no", NULL, NULL, "Held packages too"},
    {"lock_timeout", ARG_INT, false, "60", NULL, NULL, "Seconds to wait for apt's lock"},
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
    if (str_eq(spec, "*"))
        return err_set(err, ERR_INPUT, "upgrading all packages ('*') is not supported");
    if (first && strchr(first + 1, '='))
        return err_set(err, ERR_INPUT, "invalid package spec: %s", spec);
    return 0;
}

int apt_needs(struct module_call *call, const struct value *specs, need_add *add, void *ctx,
              struct err *err)
{
    struct need need = {.kind = NEED_PACKAGE};

    for (size_t i = 0; specs && i < specs->u.list.n; i++) {
        const char *spec = specs->u.list.items[i]->u.str.s;

        if (check_spec(spec, err) < 0)
            return -1;
        need.name = package_name(call, spec);
        add(ctx, &need);
    }
    return 0;
}

static int needs(struct module_call *call, need_add *add, void *ctx, struct err *err)
{
    const struct value *specs = value_get(call->args, "package");
    bool update = value_get_bool(call->args, "update_cache", false) ||
                  value_get_int(call->args, "cache_valid_time", 0) > 0;

    if (!specs && !update && !value_get_bool(call->args, "autoremove", false))
        return err_set(err, ERR_INPUT, "apt needs one of name, update_cache, autoremove");
    for (size_t i = 0; update && i < ARRAY_LEN(stamps); i++) {
        struct need need = {.kind = NEED_PATH, .name = stamps[i]};

        add(ctx, &need);
    }
    return apt_needs(call, specs, add, ctx, err);
}

/* Is the cache to be updated, by the time of the last update? */
static bool cache_is_stale(struct module_call *call, struct world *world)
{
    int64_t valid = value_get_int(call->args, "cache_valid_time", 0);
    const struct path_state *stamp;

    if (!value_get_bool(call->args, "update_cache", false) && valid <= 0)
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

void apt_put_update(struct str *script)
{
    str_printf(script, "%s -o APT::Update::Error-Mode=any update%s", fetch_begin, fetch_end);
}

static void put_options(struct module_call *call, const char *state, struct str *script)
{
    const struct value *recommends = value_get(call->args, "install_recommends");
    const char *release = value_get_str(call->args, "default_release", NULL);

    str_printf(script, " -o DPkg::Lock::Timeout=%lld",
               (long long)value_get_int(call->args, "lock_timeout", 60));
    str_puts(script, " -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold");
    if (value_get_bool(call->args, "autoremove", false))
        str_puts(script, " --auto-remove");
    if (value_get_bool(call->args, "allow_change_held_packages", false))
        str_puts(script, " --allow-change-held-packages");
    if (str_eq(state, "absent")) {
        str_puts(script, value_get_bool(call->args, "purge", false) ? " --purge" : "");
        return;
    }
    if (recommends)
        str_printf(script, " -o APT::Install-Recommends=%s", recommends->u.b ? "yes" : "no");
    if (value_get_bool(call->args, "allow_downgrade", false))
        str_puts(script, " --allow-downgrades");
    if (value_get_bool(call->args, "only_upgrade", false))
        str_puts(script, " --only-upgrade");
    if (release) {
        str_puts(script, " -t ");
        str_put_shell(script, release);
    }
}

static void put_command(struct module_call *call, const char *state, const char *packages,
                        struct str *script)
{
    bool absent = str_eq(state, "absent");

    script_step(script);
    if (!absent) { /* what may hang comes before what must not be stopped half way */
        str_puts(script, fetch_begin);
        put_options(call, state, script);
        str_printf(script, " install --download-only --%s >/dev/null%s", packages, fetch_end);
        script_step(script);
    }
    str_puts(script, APT_ENV APT_GET);
    put_options(call, state, script);
    str_printf(script, "%s --%s </dev/null", absent ? " remove" : " install", packages);
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
        put_command(call, state, wanted.buf, &out->script);
        out->kind = PLAN_OPAQUE;
    }
    str_release(&wanted);
}

static void plan_autoremove(struct module_call *call, struct module_plan *out)
{
    script_step(&out->script);
    str_puts(&out->script, APT_ENV APT_GET);
    put_options(call, "absent", &out->script);
    str_puts(&out->script, " autoremove </dev/null");
    plan_say(call, out, "autoremove");
    out->kind = PLAN_OPAQUE;
}

static int plan(struct module_call *call, struct world *world, struct module_plan *out,
                struct err *err)
{
    const struct value *specs = value_get(call->args, "package");
    bool update = cache_is_stale(call, world);

    UNUSED(err);
    out->kind = PLAN_OK;
    if (update) {
        apt_put_update(&out->script);
        out->kind = PLAN_OPAQUE;
        plan_say(call, out, "update of the package lists");
    }
    plan_result_bool(call, out, "cache_updated", update);
    if (specs) {
        bool before = out->script.len > 0;
        size_t len = out->script.len;

        apt_plan_packages(call, world, specs, value_get_str(call->args, "state", ""), out);
        /* Beside packages, an update of the lists alone is no change to Ansible. */
        if (before && out->script.len == len)
            plan_result_bool(call, out, "changed", false);
    } else if (value_get_bool(call->args, "autoremove", false)) {
        plan_autoremove(call, out);
    }
    /* state latest and autoremove: only apt's summary tells whether something was done. */
    out->captures = out->kind == PLAN_OPAQUE;
    return 0;
}

void apt_finish(struct module_call *call, struct module_plan *plan_made, int rc, const char *out,
                const char *errout)
{
    static const char nothing[] = "0 upgraded, 0 newly installed, 0 to remove";

    finish_captured(call, plan_made, rc, out, errout, true);
    if (rc == 0 && !value_get(plan_made->result, "changed") && strstr(out, nothing))
        plan_result_bool(call, plan_made, "changed", false);
}

const struct module module_apt = {
    .name = "apt",
    .help = "Installs and removes Debian packages.",
    .args = args,
    .needs = needs,
    .plan = plan,
    .finish = apt_finish,
};
