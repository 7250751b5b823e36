/* adopt.c - takes over a Patroni cluster that somebody else set up. */
#include "lib/deploy/adopt.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/deploy/stage.h"
#include "lib/doc/json.h"

#define ADOPT_FILE    "adopt.json"
#define BEGIN_BOOK    "playbooks/adopt.yml"
#define END_BOOK      "playbooks/adopted.yml"
#define STORE_SCRIPT  "templates/patroni-store.py"
#define STORE_MAX     ((size_t)4 << 20)   /* bytes of its answer */
#define OLD_SUPERUSER "adopted_superuser" /* the secret, until the end */

enum { LEADER_TIMEOUT_MS = 120000, POLL_MS = 200, WAKE_MS = 1000, TRY_TIMEOUT_MS = 2000 };

static struct adoption *new_adoption(void)
{
    struct adoption *a = xcalloc(1, sizeof(*a));

    adoption_init(a);
    return a;
}

void adopt_free(struct adoption *a)
{
    if (a)
        adoption_release(a);
    free(a);
}

/* From here on its hosts count as the cluster's own. */
static void take(struct deploy *d, struct adoption *a)
{
    d->adoption = a;
    d->cluster->adopts = a->scope;
}

/* ---- finding it ---- */

int adopt_read(struct deploy *d, struct err *err)
{
    struct arena arena = ARENA_INIT;
    const struct value *kept = state_read_value(d->state_dir, ADOPT_FILE, &arena, err);
    struct adoption *a = NULL;
    int rc = kept ? 0 : -1;

    if (kept && kept->type == VALUE_MAP) {
        a = new_adoption();
        if ((rc = adoption_from_value(kept, a, err)) == 0) {
            a->begun = true;
            take(d, a);
        } else {
            err_wrap(err, "%s/" ADOPT_FILE, d->state_dir);
            adopt_free(a);
        }
    }
    arena_release(&arena);
    return rc;
}

int adopt_find(struct deploy *d, const struct host_facts *const *facts, struct err *err)
{
    struct adoption *a;

    if (d->adoption)
        return 0;
    a = new_adoption();
    if (adoption_find(d->cluster, facts, a, err) < 0) {
        adopt_free(a);
        return -1;
    }
    take(d, a);
    return 0;
}

/* ---- before anything is changed ---- */

static void put_question(const struct adoption_member *m, const char *program, struct str *script)
{
    str_puts(script, "exec ");
    str_put_shell(script, m->python);
    str_puts(script, " - look ");
    str_put_shell(script, m->config);
    str_printf(script, " <<'END-OF-PROGRAM'\n%s\nEND-OF-PROGRAM\n", program);
}

/* What Patroni's store holds. In the adoption's arena; NULL with err. */
static const struct value *ask_store(struct deploy *d, struct err *err)
{
    const struct adoption_member *m = &d->adoption->members.items[0];
    struct check_target target = deploy_check_target(d);
    const struct value *answer = NULL;
    struct str program, script, out;

    str_init(&program, STR_MAX_TEXT);
    str_init(&script, STR_MAX_TEXT);
    str_init(&out, STORE_MAX);
    if (assets_read(&d->assets, STORE_SCRIPT, &program, err) == 0) {
        put_question(m, program.buf, &script);
        if (check_remote(&target, cluster_host_find(d->cluster, m->host), script.buf, &out, err) ==
            0)
            answer = json_parse(&d->adoption->arena, "Patroni's store", out.buf, out.len, err);
    }
    str_release(&out);
    str_release(&script);
    str_release(&program);
    if (!answer)
        err_wrap(err, "asking Patroni on %s for what it keeps", m->host);
    return answer;
}

static int ask_user(const struct deploy *d, struct err *err)
{
    const struct adoption *a = d->adoption;
    struct str what;
    bool yes;

    if (!d->confirm)
        return 0;
    str_init(&what, STR_MAX_TEXT);
    str_printf(&what, "Take over the Patroni cluster %s: primary %s, replicas", a->scope,
               a->leader);
    vec_each (m, &a->members)
        if (!str_eq(m->host, a->leader))
            str_printf(&what, " %s", m->host);
    str_printf(
        &what,
        ".\nPostgreSQL runs on. Meanwhile nobody fails over%s. From then on clients need TLS and "
        "an address that access.postgres has.",
        a->replaces_etcd ? "; its etcd is replaced, the old data stays" : "");
    yes = d->confirm(d->confirm_ctx, what.buf);
    str_release(&what);
    return yes ? 0 : err_set(err, ERR_INTERRUPTED, "not confirmed, nothing was changed");
}

static void set_secret(struct deploy *d, const char *name, const char *password)
{
    log_secret(password);
    value_map_set(&d->secrets.arena, d->secrets.values, name,
                  value_str(&d->secrets.arena, password));
}

/* Accounts of the same name keep their passwords: somebody may be using them. */
static void take_passwords(struct deploy *d)
{
    static const struct {
        const char *account, *user, *secret;
    } rows[] = {{"superuser", "postgres", "superuser"},
                {"replication", "replicator", "replication"},
                {"rewind", "rewind_user", "rewind"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct value *account = value_get(d->adoption->accounts, rows[i].account);
        const char *password = value_get_str(account, "password", "");

        if (*password && str_eq(rows[i].account, "superuser"))
            set_secret(d, OLD_SUPERUSER, password);
        if (*password && str_eq(value_get_str(account, "username", ""), rows[i].user))
            set_secret(d, rows[i].secret, password);
    }
}

static int keep(struct deploy *d, struct err *err)
{
    struct arena arena = ARENA_INIT;
    int rc = deploy_save_secrets(d, err);

    if (rc == 0)
        rc = state_write_value(d->state_dir, ADOPT_FILE, adoption_to_value(d->adoption, &arena),
                               err);
    arena_release(&arena);
    return rc;
}

static int agree(struct deploy *d, struct err *err)
{
    const struct value *store = ask_store(d, err);

    if (!store || adoption_judge(d->cluster, store, d->adoption, err) < 0 || ask_user(d, err) < 0)
        return -1;
    take_passwords(d);
    return keep(d, err);
}

/* ---- the take-over ---- */

static struct value *variables(const struct deploy *d, struct arena *a)
{
    const struct adoption *adoption = d->adoption;
    struct value *v = value_map(a), *kept = adoption_to_value(adoption, a);

    value_map_set(a, v, "adopt_leader", value_get(kept, "leader"));
    value_map_set(a, v, "adopt_members", value_get(kept, "members"));
    value_map_set(a, v, "adopt_etcd", value_bool(a, adoption->replaces_etcd));
    value_map_set(a, v, "adopt_superuser", value_str(a, adoption->superuser));
    value_map_set(a, v, "adopt_superuser_password",
                  value_str(a, value_get_str(d->secrets.values, OLD_SUPERUSER, "")));
    return v;
}

static int run_book(struct deploy *d, const char *book, struct deploy_result *r, struct err *err)
{
    struct arena arena = ARENA_INIT;
    int rc = deploy_play(d, book, &d->inventory, variables(d, &arena), NULL, r, err);

    arena_release(&arena);
    return rc < 0 ? err_wrap(err, "taking over %s", d->adoption->scope) : 0;
}

int adopt_begin(struct deploy *d, struct deploy_result *r, struct err *err)
{
    int64_t start = clock_mono_ms();

    if (!d->adoption)
        return 0;
    if (d->silent || d->limit) {
        err_set(err, ERR_CONFLICT, "%s is being taken over, for which every host has to answer",
                d->adoption->scope);
        return err_hint(err, "`up` without --limit, when all are back");
    }
    stage_begin(d, "adopt", "Patroni gives way, PostgreSQL runs on");
    if ((!d->adoption->begun && agree(d, err) < 0) || run_book(d, BEGIN_BOOK, r, err) < 0)
        return -1;
    d->adoption->begun = true;
    stage_end(d, "adopt", start);
    return 0;
}

static bool has_leader(const struct patroni_api *api, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct patroni_view view;
    bool has;

    err_release(err);
    has = patroni_view(api, &arena, &view, err) == 0 && view.leader;
    patroni_view_release(&view);
    arena_release(&arena);
    return has;
}

static int wait_for_leader(const struct patroni_api *api, struct err *err)
{
    int64_t start = clock_mono_ms(), wake = start + WAKE_MS;
    struct err last = ERR_INIT;

    while (!has_leader(api, &last)) {
        if (clock_stop_requested())
            err_set(err, ERR_INTERRUPTED, "interrupted; `up` goes on from here");
        else if (clock_mono_ms() - start > LEADER_TIMEOUT_MS)
            err_set(err, ERR_TIMEOUT, "no member has the leader's lock: %s",
                    last.code ? last.text : "see `pgha-deploy logs HOST patroni`");
        if (err->code)
            break;
        if (clock_mono_ms() >= wake) {
            patroni_wake(api);
            wake = clock_mono_ms() + WAKE_MS;
        }
        clock_sleep_ms(POLL_MS);
    }
    err_release(&last);
    return err->code ? -1 : 0;
}

int adopt_end(struct deploy *d, struct deploy_result *r, struct err *err)
{
    struct patroni_api api = {d->cluster, &d->secrets, TRY_TIMEOUT_MS};
    struct arena arena = ARENA_INIT;
    struct value *patch = value_map(&arena);
    int rc;

    if (!d->adoption || d->adoption->done)
        return 0;
    value_map_set(&arena, patch, "pause", value_null(&arena));
    if ((rc = wait_for_leader(&api, err)) == 0 && (rc = patroni_patch(&api, patch, err)) == 0 &&
        (rc = run_book(d, END_BOOK, r, err)) == 0) {
        value_map_del(d->secrets.values, OLD_SUPERUSER);
        rc = deploy_save_secrets(d, err) < 0 ? -1 : state_remove(d->state_dir, ADOPT_FILE, err);
        d->adoption->done = rc == 0;
    }
    arena_release(&arena);
    return rc;
}
