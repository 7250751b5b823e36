/* patroni.c - Patroni's REST API: the view of the cluster, dynamic configuration, wake-up and
 * restart. */
#include "lib/cluster/patroni.h"

#include "lib/cluster/tls.h"
#include "lib/doc/json.h"
#include "lib/net/http.h"

enum {
    DEFAULT_TIMEOUT_MS = 3000,
    RESTART_TIMEOUT_MS = 120000,
    WAKE_TIMEOUT_MS = 1000,
    MAX_ANSWER = 1 << 20
};

struct call {
    const char *method, *address, *path, *body;
    int timeout_ms;
};

/* One request to one member; the answer's body lands in out. Statuses other than 2xx are errors
 * with the body's text. */
static int request(const struct patroni_api *api, const struct call *call, struct str *out,
                   struct err *err)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    char *url = xasprintf("https://%s:%d%s", call->address, api->cluster->port_patroni, call->path);
    struct http h = {
        .method = call->method,
        .url = url,
        .tls = tls_controller(api->secrets),
        .route = api->cluster->route,
        .headers = call->body ? headers : NULL,
        .body = call->body,
        .body_len = call->body ? strlen(call->body) : 0,
        .user = call->body ? "patroni" : NULL,
        .password = call->body ? secrets_get(api->secrets, "patroni_rest") : NULL,
        .timeout_ms = call->timeout_ms  ? call->timeout_ms
                      : api->timeout_ms ? api->timeout_ms
                                        : DEFAULT_TIMEOUT_MS,
        .response = out,
    };
    int rc = http_do(&h, err);

    if (rc == 0 && (h.status < 200 || h.status > 299)) {
        const char *body = *out->buf == '<' ? "" : out->buf; /* HTML: no more than the status */

        rc = err_set(err, h.status == 401 || h.status == 403 ? ERR_DENIED : ERR_REMOTE,
                     "%s %s answered %d%s%.300s", call->method ? call->method : "GET", url,
                     h.status, *body ? ": " : "", body);
    }
    free(url);
    return rc;
}

/* The first db host that answers. A cluster without a leader answers /cluster too. */
static int request_any(const struct patroni_api *api, struct call *call, struct str *out,
                       struct err *err)
{
    vec_each (h, &api->cluster->hosts) {
        if (!h->is_db)
            continue;
        err_release(err);
        str_clear(out);
        call->address = h->address;
        if (request(api, call, out, err) == 0)
            return 0;
    }
    return err_wrap(err, "no member of the cluster answers; the last one said");
}

static struct value *get_json(const struct patroni_api *api, const char *path, struct arena *a,
                              struct err *err)
{
    struct call call = {.path = path};
    struct value *v = NULL;
    struct str text;

    str_init(&text, MAX_ANSWER);
    if (request_any(api, &call, &text, err) == 0)
        v = json_parse(a, path, text.buf, text.len, err);
    str_release(&text);
    return v;
}

static struct patroni_member read_member(const struct value *v)
{
    const struct value *lag = value_get(v, "lag");
    const struct value *reason = value_get(v, "pending_restart_reason");

    return (struct patroni_member){
        .name = value_get_str(v, "name", ""),
        .role = value_get_str(v, "role", ""),
        .state = value_get_str(v, "state", ""),
        .address = value_get_str(v, "host", ""),
        .timeline = value_get_int(v, "timeline", 0),
        .lag = lag && lag->type == VALUE_INT ? lag->u.i : -1,
        .pending_restart = value_get_bool(v, "pending_restart", false),
        .pending_reason = reason && reason->type == VALUE_MAP ? reason : NULL,
    };
}

bool patroni_is_unclear(const struct patroni_view *view)
{
    vec_each (m, &view->members)
        if (view->leader && m != view->leader && str_eq(m->state, "running"))
            return true;
    return false;
}

void patroni_take_senders(struct patroni_view *view, const struct value *status)
{
    const struct value *senders = value_get(status, "replication");

    vec_each (m, &view->members)
        for (size_t i = 0; senders && senders->type == VALUE_LIST && i < senders->u.list.n; i++) {
            const struct value *sender = senders->u.list.items[i];

            if (str_eq(m->state, "running") && m != view->leader &&
                str_eq(value_get_str(sender, "application_name", ""), m->name) &&
                str_eq(value_get_str(sender, "state", ""), "streaming"))
                m->state = "streaming";
        }
}

/* GET /patroni; NULL when it does not answer. */
static struct value *member_status(const struct patroni_api *api, const char *address,
                                   struct arena *a)
{
    struct call call = {.address = address, .path = "/patroni"};
    struct err ignored = ERR_INIT;
    struct value *status = NULL;
    struct str text;

    str_init(&text, MAX_ANSWER);
    if (request(api, &call, &text, &ignored) == 0)
        status = json_parse(a, call.path, text.buf, text.len, &ignored);
    err_release(&ignored);
    str_release(&text);
    return status;
}

/* A leader that does not answer leaves its replicas as they say they are. */
static void ask_senders(const struct patroni_api *api, struct arena *a, struct patroni_view *view)
{
    const struct value *status = member_status(api, view->leader->address, a);

    if (status)
        patroni_take_senders(view, status);
}

/* Patroni before 4 says "master". */
bool patroni_leads(const struct patroni_api *api, const char *address, int64_t *timeline)
{
    struct arena arena = ARENA_INIT;
    const struct value *status = member_status(api, address, &arena);
    const char *role = value_get_str(status, "role", "");
    bool leads = (str_eq(role, "primary") || str_eq(role, "master")) &&
                 str_eq(value_get_str(status, "state", ""), "running");

    *timeline = leads ? value_get_int(status, "timeline", 0) : 0;
    arena_release(&arena);
    return leads;
}

bool patroni_runs(const struct patroni_api *api, const char *address)
{
    struct arena arena = ARENA_INIT;
    const char *state = value_get_str(member_status(api, address, &arena), "state", "");
    bool runs = str_eq(state, "running") || str_eq(state, "streaming");

    arena_release(&arena);
    return runs;
}

int patroni_view(const struct patroni_api *api, struct arena *a, struct patroni_view *view,
                 struct err *err)
{
    const struct value *answer = get_json(api, "/cluster", a, err);
    const struct value *members = answer ? value_get(answer, "members") : NULL;

    memset(view, 0, sizeof(*view));
    if (!answer)
        return -1;
    for (size_t i = 0; members && members->type == VALUE_LIST && i < members->u.list.n; i++)
        vec_push(&view->members, read_member(members->u.list.items[i]));
    vec_each (m, &view->members)
        if (patroni_is_leader(m))
            view->leader = m;
    if (patroni_is_unclear(view))
        ask_senders(api, a, view);
    return 0;
}

void patroni_view_release(struct patroni_view *view)
{
    vec_release(&view->members);
}

const struct patroni_member *patroni_find(const struct patroni_view *view, const char *name)
{
    vec_each (m, &view->members)
        if (str_eq(m->name, name))
            return m;
    return NULL;
}

bool patroni_is_leader(const struct patroni_member *m)
{
    return str_eq(m->role, "leader");
}

bool patroni_is_sync(const struct patroni_member *m)
{
    return str_eq(m->role, "sync_standby") || str_eq(m->role, "quorum_standby");
}

bool patroni_member_ok(const struct patroni_member *m)
{
    return str_eq(m->state, patroni_is_leader(m) ? "running" : "streaming");
}

struct value *patroni_config(const struct patroni_api *api, struct arena *a, struct err *err)
{
    return get_json(api, "/config", a, err);
}

int patroni_patch(const struct patroni_api *api, const struct value *patch, struct err *err)
{
    struct str body, answer;
    struct call call = {.method = "PATCH", .path = "/config"};
    int rc;

    str_init(&body, MAX_ANSWER);
    str_init(&answer, MAX_ANSWER);
    json_write(patch, JSON_TIGHT, &body);
    call.body = body.buf;
    rc = request_any(api, &call, &answer, err);
    str_release(&body);
    str_release(&answer);
    return rc;
}

static int call_member(const struct patroni_api *api, const struct call *call, struct err *err)
{
    struct str answer;
    int rc;

    str_init(&answer, MAX_ANSWER);
    rc = request(api, call, &answer, err);
    str_release(&answer);
    return rc;
}

void patroni_wake(const struct patroni_api *api)
{
    vec_each (h, &api->cluster->hosts) {
        struct call call = {"PATCH", h->address, "/config", "{\"pgha_wake\": null}",
                            WAKE_TIMEOUT_MS};
        struct err ignored = ERR_INIT;

        if (h->is_db && call_member(api, &call, &ignored) < 0)
            err_release(&ignored);
    }
}

int patroni_restart(const struct patroni_api *api, const char *address, struct err *err)
{
    struct call call = {"POST", address, "/restart", "{}", RESTART_TIMEOUT_MS};

    return call_member(api, &call, err);
}

int patroni_switchover(const struct patroni_api *api, const struct patroni_member *leader,
                       const struct patroni_member *candidate, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct value *who = value_map(&arena);
    struct call call = {"POST", leader->address, "/switchover", NULL, RESTART_TIMEOUT_MS};
    struct str body;
    int rc;

    value_map_set(&arena, who, "leader", value_str(&arena, leader->name));
    value_map_set(&arena, who, "candidate", value_str(&arena, candidate->name));
    str_init(&body, MAX_ANSWER);
    json_write(who, JSON_TIGHT, &body);
    call.body = body.buf;
    rc = call_member(api, &call, err);
    str_release(&body);
    arena_release(&arena);
    return rc;
}
