/*
 * dcs.c - Patroni's dynamic configuration.
 *
 * What it should be is the section bootstrap.dcs of the rendered patroni configuration, so the
 * templates stay the only source. What differs is patched over REST; restart.c sees to the members
 * that then need a restart.
 */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/deploy/restart.h"
#include "lib/deploy/stage.h"
#include "lib/doc/json.h"
#include "lib/doc/yaml.h"

enum { SQL_TIMEOUT_MS = 5000 };

/* Parameters that were changed and wait for restarts: members notice in their own time, so who is
 * stopped in between must leave word. */
#define RESTART_FILE "restart.json"

struct dcs {
    struct deploy *deploy;
    struct patroni_api api;
    struct arena arena;
    const struct value *desired;
    struct value *patch; /* empty map: nothing differs */
    struct pg *primary;  /* to ask what a parameter's change takes; opened when one does change */
    bool asked;          /* primary was opened, or is not reachable */
    struct deploy_result *result;
    struct value *restart; /* those of its parameters that only a restart changes */
};

/* ---- what it should be ---- */

static int take_config(void *ctx, const char *dest, unsigned mode, const char *owner,
                       const char *content, size_t len, struct err *err)
{
    struct dcs *dcs = ctx;
    struct faults faults;
    struct value *v;

    UNUSED(mode);
    UNUSED(owner);
    if (!str_starts(dest, "/etc/patroni/") || !str_ends(dest, ".yml"))
        return 0;
    faults_init(&faults);
    v = yaml_parse(&dcs->arena, arena_strdup(&dcs->arena, dest), content, len, &faults);
    if (v && value_at(v, "bootstrap.dcs"))
        dcs->desired = value_at(v, "bootstrap.dcs");
    if (!v)
        faults_to_err(&faults, err);
    faults_release(&faults);
    return v ? 0 : -1;
}

static const char *first_db(const struct cluster *c)
{
    vec_each (h, &c->hosts)
        if (h->is_db)
            return h->name;
    BUG("a cluster without db hosts");
}

static int read_desired(struct dcs *dcs, struct err *err)
{
    struct deploy *d = dcs->deploy;
    char *path = deploy_playbook(d);
    struct playbook *pb = deploy_load_playbook(d, path, err);
    int rc = -1;

    if (pb)
        rc =
            play_render(pb, &d->assets, &d->inventory, first_db(d->cluster), take_config, dcs, err);
    if (rc == 0 && !dcs->desired)
        rc = err_set(err, ERR_INPUT, "%s: no file under /etc/patroni has a section bootstrap.dcs",
                     path);
    playbook_free(pb);
    free(path);
    return rc;
}

/* ---- what differs ---- */

/* NULL: not reachable. */
static struct pg *the_primary(struct dcs *dcs)
{
    struct check_target t = deploy_check_target(dcs->deploy);
    struct patroni_view view;
    struct pg_target login;
    struct err ignored = ERR_INIT;

    if (dcs->asked)
        return dcs->primary;
    dcs->asked = true;
    if (patroni_view(&dcs->api, &dcs->arena, &view, &ignored) == 0) {
        login = check_primary(&t, &view, SQL_TIMEOUT_MS);
        if (login.host)
            dcs->primary = pg_open(&login, &ignored);
    }
    err_release(&ignored);
    patroni_view_release(&view);
    return dcs->primary;
}

/* pg_settings on the primary: context tells what a change takes, setting what it is now. */
struct setting {
    bool restart;
    char value[64];
};

static struct setting ask_setting(struct dcs *dcs, const char *name)
{
    struct pg *pg = the_primary(dcs);
    struct setting s = {false, ""};
    struct err err = ERR_INIT;

    if (pg &&
        pg_exec(pg, "SELECT context, setting FROM pg_settings WHERE name = $1", 1, &name, &err) ==
            0 &&
        pg_rows(pg)) {
        s.restart = str_eq(pg_value(pg, 0, 0), "postmaster");
        snprintf(s.value, sizeof(s.value), "%s", pg_value(pg, 0, 1));
    }
    err_release(&err);
    return s;
}

static int64_t as_int(const struct value *v)
{
    if (v && v->type == VALUE_INT)
        return v->u.i;
    return v && v->type == VALUE_STR ? strtoll(v->u.str.s, NULL, 10) : -1;
}

static const char *parameter_consequence(struct dcs *dcs, const char *name, struct value *to)
{
    struct setting s = ask_setting(dcs, name);

    if (!s.restart)
        return "reload";
    value_map_set(&dcs->arena, dcs->restart, name, to ? to : value_null(&dcs->arena));
    if (as_int(to) >= 0 && restart_primary_first(name, strtoll(s.value, NULL, 10), as_int(to)))
        return "restart, the primary first, then the replicas";
    return "restart, the replicas first, then the primary by switchover";
}

#define PARAMETERS "postgresql.parameters."

static void note_difference(struct dcs *dcs, const char *path, const struct value *from,
                            struct value *to)
{
    struct str text;
    const char *consequence = NULL;

    if (str_starts(path, PARAMETERS))
        consequence = parameter_consequence(dcs, path + strlen(PARAMETERS), to);
    str_init(&text, STR_MAX_TEXT);
    str_printf(&text, "%s: ", path);
    if (from)
        json_write(from, JSON_LINE, &text);
    else
        str_puts(&text, "(not set)");
    str_puts(&text, " -> ");
    if (to)
        json_write(to, JSON_LINE, &text);
    else
        str_puts(&text, "(removed)");
    deploy_note(dcs->result, "dcs", text.buf, NULL, consequence);
    str_release(&text);
}

static bool is_null(const struct value *v)
{
    return !v || v->type == VALUE_NULL;
}

/* Adds to patch what makes actual as desired. Keys that only actual has are somebody else's, but
 * for parameters: one that was taken out of the cluster file goes back to PostgreSQL's default. */
static void compare(struct dcs *dcs, const char *prefix, const struct value *actual,
                    const struct value *desired, struct value *patch)
{
    struct arena *a = &dcs->arena;

    for (size_t i = 0; i < desired->u.map.n; i++) {
        const struct value_entry *e = &desired->u.map.entries[i];
        const char *path = arena_printf(a, "%s%s", prefix, e->key);
        struct value *now = value_get(actual, e->key), *sub;

        if (e->value->type == VALUE_MAP && (is_null(now) || now->type == VALUE_MAP)) {
            sub = value_map(a);
            compare(dcs, arena_printf(a, "%s.", path), is_null(now) ? value_map(a) : now, e->value,
                    sub);
            if (sub->u.map.n)
                value_map_set(a, patch, e->key, sub);
        } else if (is_null(now) ? !is_null(e->value) : !value_equal(now, e->value)) {
            note_difference(dcs, path, is_null(now) ? NULL : now, e->value);
            value_map_set(a, patch, e->key, e->value);
        }
    }
    if (!str_eq(prefix, PARAMETERS))
        return;
    for (size_t i = 0; i < actual->u.map.n; i++) {
        const struct value_entry *e = &actual->u.map.entries[i];

        if (value_get(desired, e->key))
            continue;
        note_difference(dcs, arena_printf(a, "%s%s", prefix, e->key), e->value, NULL);
        value_map_set(a, patch, e->key, value_null(a));
    }
}

/* ---- the stage ---- */

static int plan_dcs(struct dcs *dcs, struct err *err)
{
    const struct value *actual = patroni_config(&dcs->api, &dcs->arena, err);

    if (!actual || read_desired(dcs, err) < 0)
        return -1;
    if (actual->type != VALUE_MAP || dcs->desired->type != VALUE_MAP)
        return err_set(err, ERR_INPUT, "the dynamic configuration is no map");
    dcs->patch = value_map(&dcs->arena);
    dcs->restart = value_map(&dcs->arena);
    compare(dcs, "", actual, dcs->desired, dcs->patch);
    return 0;
}

/* A cluster that has a leader, and a member that is not well. */
static bool has_ill_member(struct dcs *dcs)
{
    struct patroni_view view;
    struct err ignored = ERR_INIT;
    bool ill = false;

    if (patroni_view(&dcs->api, &dcs->arena, &view, &ignored) == 0 && view.leader)
        vec_each (m, &view.members)
            ill |= !patroni_member_ok(m);
    err_release(&ignored);
    patroni_view_release(&view);
    return ill;
}

void mend_dcs(struct deploy *d, struct deploy_result *r)
{
    struct dcs dcs = {.deploy = d, .api = {d->cluster, &d->secrets, 0}, .result = r};
    struct err ignored = ERR_INIT;

    if (!d->adoption && has_ill_member(&dcs) && plan_dcs(&dcs, &ignored) == 0 &&
        dcs.patch->u.map.n && patroni_patch(&dcs.api, dcs.patch, &ignored) == 0)
        event_send(d->events, &(struct event){.kind = EVENT_NOTE,
                                              .stage = "dcs",
                                              .text = "a member is not well: it gets the new "
                                                      "configuration before it is waited for"});
    err_release(&ignored);
    pg_close(dcs.primary);
    arena_release(&dcs.arena);
}

/* Of an earlier run that was stopped; those that are changed now have this run's values. */
static int take_unfinished(struct dcs *dcs, struct err *err)
{
    const struct value *left =
        state_read_value(dcs->deploy->state_dir, RESTART_FILE, &dcs->arena, err);

    if (!left)
        return -1;
    for (size_t i = 0; left->type == VALUE_MAP && i < left->u.map.n; i++) {
        const struct value_entry *e = &left->u.map.entries[i];

        if (value_get(dcs->restart, e->key))
            continue;
        value_map_set(&dcs->arena, dcs->restart, e->key, e->value);
        deploy_note(dcs->result, "dcs", arena_printf(&dcs->arena, PARAMETERS "%s", e->key), NULL,
                    "restart: an earlier run changed it and was stopped");
    }
    return 0;
}

static int apply_dcs(struct dcs *dcs, struct err *err)
{
    struct deploy *d = dcs->deploy;
    bool restarts = dcs->restart->u.map.n > 0;

    if (restarts && state_write_value(d->state_dir, RESTART_FILE, dcs->restart, err) < 0)
        return -1;
    if (dcs->patch->u.map.n && patroni_patch(&dcs->api, dcs->patch, err) < 0)
        return -1;
    if (d->adoption)
        return 0;
    if (restart_pending(d, dcs->restart, dcs->result, err) < 0)
        return -1;
    return restarts ? state_remove(d->state_dir, RESTART_FILE, err) : 0;
}

int converge_dcs(struct deploy *d, bool check, struct deploy_result *r, struct err *err)
{
    int64_t start = clock_mono_ms();
    struct dcs dcs = {.deploy = d, .api = {d->cluster, &d->secrets, 0}, .result = r};
    int rc;

    stage_begin(d, "dcs", "Patroni's dynamic configuration");
    rc = plan_dcs(&dcs, err);
    if (rc == 0)
        rc = take_unfinished(&dcs, err);
    if (rc == 0 && !check)
        rc = apply_dcs(&dcs, err);
    pg_close(dcs.primary);
    arena_release(&dcs.arena);
    if (rc < 0)
        return err_wrap(err, "dynamic configuration");
    stage_end(d, "dcs", start);
    return 0;
}
