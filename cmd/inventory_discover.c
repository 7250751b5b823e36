/* inventory_discover.c - what runs on hosts, asked over SSH; and a cluster file from it. */
#include "cmd/inventory_discover.h"

#include <unistd.h>

#include "cmd/inventory_import.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/check/discover.h"
#include "lib/play/target.h"

/* ---- which hosts ---- */

/* Each argument is a line of a list. */
static int read_arguments(struct import *im, int argc, char **argv)
{
    struct faults faults;
    struct str text;
    int status = -1;

    str_init(&text, IMPORT_MAX_BYTES);
    for (int i = 0; i < argc; i++)
        str_printf(&text, "%s\n", argv[i]);
    faults_init(&faults);
    if (import_read_text(im, "hosts", text.buf, text.len, "list", &faults) < 0)
        status = report_faults(&faults);
    faults_release(&faults);
    str_release(&text);
    return status;
}

static int read_inventory(struct import *im, const char *path)
{
    struct faults faults;
    int status = -1;

    faults_init(&faults);
    /* Names with a comma are an inventory, too, as Ansible has it. */
    if (import_read(im, path, strchr(path, ',') && !file_exists(path) ? "ansible" : NULL, &faults) <
        0)
        status = report_faults(&faults);
    faults_release(&faults);
    return status;
}

static void set_text(struct inventory *inv, struct inventory_host *host, const char *name,
                     const char *text)
{
    if (text)
        value_map_set(&inv->arena, host->vars, name, value_str(&inv->arena, text));
}

/* The files' full names: the proposal may be written elsewhere. */
static const char *full_path(struct arena *a, const char *path)
{
    char *real = realpath(path, NULL);
    const char *copy = arena_strdup(a, real ? real : path);

    free(real);
    return copy;
}

/* Of a host that was made for the cluster: the state folder's key. */
static void take_made_host(struct import *im, struct import_host *to, const struct cluster *c,
                           const struct cluster_host *h, const char *state_dir)
{
    struct arena *a = &im->inv.arena;
    struct ssh_target target = state_ssh_target(state_dir, c, h, a);
    struct inventory_host *host = inventory_host(&im->inv, to->name);

    to->user = arena_strdup(a, target.user);
    set_text(&im->inv, host, "ansible_host", target.address);
    set_text(&im->inv, host, "ansible_user", target.user);
    set_text(&im->inv, host, "ansible_ssh_private_key_file", full_path(a, target.identity));
    set_text(&im->inv, host, "ansible_ssh_common_args",
             cluster_ssh_args(c, full_path(a, target.identity),
                              arena_printf(a, "\"%s\"", full_path(a, target.known_hosts)), a));
}

/* Of a host that the user gave: its variables, but those that Ansible computes. */
static void take_given_host(struct import *im, struct import_host *to, const struct cluster *c)
{
    static const char *const computed[] = {"inventory_hostname", "inventory_hostname_short",
                                           "group_names"};
    struct arena *a = &im->inv.arena;
    struct inventory_host *host = inventory_host(&im->inv, to->name);

    host->vars = value_copy(a, inventory_vars(&c->given, map_get(&c->given.hosts, to->name), a));
    to->user = value_get_str(host->vars, "ansible_user", NULL);
    for (size_t i = 0; i < ARRAY_LEN(computed); i++)
        value_map_del(host->vars, computed[i]);
}

static int take_hosts(struct import *im, const struct cluster *c)
{
    char *state_dir = state_dir_of(c), *known = path_join(state_dir, "known_hosts");
    struct err err = ERR_INIT;
    int status = -1;

    if (!cluster_has_given_hosts(c) && !file_exists(known)) {
        err_set(&err, ERR_INPUT, "the hosts of %s are not made yet", c->name);
        err_hint(&err, "pgha-deploy up makes them; other hosts are named as arguments, or with -i");
        status = report_err(&err);
    }
    vec_each (h, &c->hosts) {
        struct import_host *host = import_add_host(im, h->name);

        if (h->is_db)
            import_add_word(im, host, import_role_names[IMPORT_DB]);
        if (h->is_lb)
            import_add_word(im, host, import_role_names[IMPORT_LB]);
        if (h->is_etcd)
            import_add_word(im, host, import_role_names[IMPORT_ETCD]);
        if (cluster_has_given_hosts(c))
            take_given_host(im, host, c);
        else
            take_made_host(im, host, c, h, state_dir);
    }
    free(known);
    free(state_dir);
    return status;
}

static int read_cluster(const struct context *ctx, struct import *im)
{
    struct cluster c;
    int status = load_cluster(ctx, &c);

    if (status < 0) {
        im->source = arena_strdup(&im->inv.arena, ctx->file);
        im->format = "cluster file";
        im->called = arena_strdup(&im->inv.arena, c.name);
        status = take_hosts(im, &c);
    }
    cluster_release(&c);
    return status;
}

/* -1 to go on, else the exit status, everything said. */
static int read_hosts(const struct context *ctx, struct import *im, int argc, char **argv)
{
    const char *path = option_get(ctx, "inventory");
    struct err err = ERR_INIT;
    int status;

    if (path && argc > 0) {
        err_set(&err, ERR_USAGE, "hosts are named either as arguments or by -i");
        return report_err(&err);
    }
    status = argc > 0 ? read_arguments(im, argc, argv)
             : path   ? read_inventory(im, path)
                      : read_cluster(ctx, im);
    if (status < 0 && im->hosts.n == 0) {
        err_set(&err, ERR_INPUT, "%s: there are no hosts", im->source);
        return report_err(&err);
    }
    return status;
}

/* ---- how to log in ---- */

struct host_vars {
    struct arena *arena;
    const struct import_host *host;
};

/* A host of a source that is no inventory: the variables that it will have in one. */
static const char *host_var(void *ctx, const char *name)
{
    const struct host_vars *v = ctx;
    const struct import_host *host = v->host;

    if (str_eq(name, "ansible_host"))
        return host->login;
    if (str_eq(name, "ansible_user"))
        return host->user;
    if (str_eq(name, "ansible_ssh_private_key_file"))
        return host->key;
    if (str_eq(name, "ansible_port") && host->port)
        return arena_printf(v->arena, "%lld", (long long)host->port);
    if (str_eq(name, "ansible_ssh_common_args") && host->jump)
        return arena_printf(v->arena, "-o ProxyJump=%s", host->jump);
    return NULL;
}

static int make_target(const struct context *ctx, const struct import *im,
                       const struct import_host *host, struct survey_target *target,
                       struct arena *a, struct err *err)
{
    struct host_vars vars = {a, host};
    const struct target_vars source = {host_var, &vars};
    int rc;

    target->name = arena_strdup(a, host->name ? host->name : host->login);
    rc = host->name && map_has(&im->inv.hosts, host->name)
             ? target_of_host(a, &im->inv, host->name, &target->ssh, err)
             : target_from_vars(a, target->name, &source, true, &target->ssh, err);
    target->ssh.accept_new |= ctx->accept_new_keys;
    return rc;
}

/* ---- what they say ---- */

/* NULL: there is none. */
static struct value *proposal_value(const struct import *proposal, struct arena *a)
{
    struct value *v = proposal ? import_value(proposal, a) : value_null(a);

    if (proposal)
        value_map_set(a, v, "settings",
                      proposal->settings ? value_copy(a, proposal->settings) : value_map(a));
    return v;
}

static void show(const struct context *ctx, const struct discover *d, const struct import *proposal)
{
    struct arena arena = ARENA_INIT;
    struct value *v;
    struct str text;

    if (ctx->json) {
        v = discover_to_value(d, &arena);
        value_map_set(&arena, v, "proposal", proposal_value(proposal, &arena));
        print_value(v);
    } else {
        str_init(&text, STR_MAX_TEXT);
        discover_format(d, &text);
        print_text(&text);
        str_release(&text);
    }
    arena_release(&arena);
}

/* Where files were asked for it must succeed; without them JSON has the proposal if there is one.
 */
static int tell(const struct context *ctx, const struct discover *d, struct import *im)
{
    bool save = option_given(ctx, "output"), proposed = false;
    struct err err = ERR_INIT;
    int status = 0;

    if (save || ctx->json)
        proposed = discover_propose(d, im, option_get(ctx, "name"), &err) == 0;
    show(ctx, d, proposed ? im : NULL);
    if (save && (!proposed || inventory_save(ctx, im, &err) < 0))
        status = report_err(&err);
    err_release(&err);
    return status;
}

static int report_silent(const struct discover_host *hosts, struct host_survey *surveys, size_t n)
{
    int status = 0;

    for (size_t i = 0; i < n; i++) {
        if (surveys[i].step == SURVEY_DONE)
            continue;
        if (!strstr(surveys[i].err.text, hosts[i].name))
            err_wrap(&surveys[i].err, "%s", hosts[i].name);
        report_err(&surveys[i].err);
        status = err_exit_status(ERR_FAILED);
    }
    return status;
}

static int ask(const struct context *ctx, struct import *im, const struct survey_target *targets)
{
    size_t n = im->hosts.n;
    struct host_survey *surveys = xcalloc(n, sizeof(*surveys));
    struct discover_host *hosts = xcalloc(n, sizeof(*hosts));
    struct err err = ERR_INIT;
    struct discover d;
    int status, silent;

    event_send(
        ctx->events,
        &(struct event){.kind = EVENT_STAGE, .stage = "discover", .text = "asking the hosts"});
    survey_run(targets, n, surveys);
    ui_finish();
    for (size_t i = 0; i < n; i++)
        hosts[i] = (struct discover_host){targets[i].name, &surveys[i]};
    discover_init(&d, hosts, n);
    if (clock_stop_requested()) {
        err_set(&err, ERR_INTERRUPTED, "interrupted");
        status = report_err(&err);
    } else {
        status = tell(ctx, &d, im);
        silent = report_silent(hosts, surveys, n);
        status = status ? status : silent;
    }
    discover_release(&d);
    for (size_t i = 0; i < n; i++)
        survey_release(&surveys[i]);
    free(hosts);
    free(surveys);
    return status;
}

int inventory_discover(struct context *ctx, int argc, char **argv)
{
    struct arena arena = ARENA_INIT;
    struct survey_target *targets;
    struct err err = ERR_INIT;
    struct import im;
    int status, rc = 0;

    import_init(&im);
    if ((status = read_hosts(ctx, &im, argc, argv)) < 0) {
        targets = arena_alloc(&arena, im.hosts.n * sizeof(*targets));
        for (size_t i = 0; rc == 0 && i < im.hosts.n; i++)
            rc = make_target(ctx, &im, &im.hosts.items[i], &targets[i], &arena, &err);
        status = rc < 0 ? report_err(&err) : ask(ctx, &im, targets);
    }
    import_release(&im);
    arena_release(&arena);
    return status;
}
