/* probe.c - single looks at the running cluster that status, verify and readiness share. */
#include <stdio.h>

#include "lib/check/check.h"
#include "lib/cluster/tls.h"
#include "lib/doc/json.h"
#include "lib/net/http.h"
#include "lib/play/target.h"

enum { ETCD_TIMEOUT_MS = 2000, SSH_TIMEOUT_MS = 10000, MAX_ANSWER = 64 * 1024 };
enum { JOURNAL_SEARCHED = 400, JOURNAL_LINES = 6 }; /* what of a journal an error shows */

struct pg_target check_login(const struct check_target *t, const char *address, int port,
                             int timeout_ms)
{
    return (struct pg_target){
        .host = address,
        .port = port,
        .user = "postgres",
        .password = secrets_get(t->secrets, "superuser"),
        .database = "postgres",
        .root_cert = t->ca_file,
        .timeout_ms = timeout_ms,
        .route = t->cluster->route,
    };
}

struct pg_target check_primary(const struct check_target *t, const struct patroni_view *view,
                               int timeout_ms)
{
    const struct cluster *c = t->cluster;

    if (c->vip)
        return check_login(t, c->vip, c->port_primary, timeout_ms);
    return check_login(t, view && view->leader ? view->leader->address : NULL, c->port_postgres,
                       timeout_ms);
}

const struct cluster_host *check_host_at(const struct cluster *c, const char *address)
{
    vec_each (h, &c->hosts)
        if (str_eq(h->address, address))
            return h;
    return NULL;
}

bool check_role_fits(const char *port, const struct patroni_member *m)
{
    if (str_eq(port, "primary"))
        return patroni_is_leader(m);
    if (str_eq(port, "sync"))
        return patroni_is_sync(m);
    return !patroni_is_leader(m) && (str_eq(port, "replicas") || !patroni_is_sync(m));
}

/* An answer with status 200 of a member's client port; body NULL: GET. */
static int ask_etcd(const struct check_target *t, const char *address, const char *path,
                    const char *body, struct str *answer, struct err *err)
{
    char *url = xasprintf("https://%s:%d%s", address, t->cluster->port_etcd_client, path);
    struct http h = {.method = body ? "POST" : NULL,
                     .url = url,
                     .body = body,
                     .body_len = body ? strlen(body) : 0,
                     .tls = tls_controller(t->secrets),
                     .route = t->cluster->route,
                     .response = answer,
                     .timeout_ms = ETCD_TIMEOUT_MS};
    int rc = http_do(&h, err);

    if (rc == 0 && h.status != 200)
        rc = err_set(err, ERR_REMOTE, "unhealthy: %.200s", answer->buf);
    free(url);
    return rc;
}

/* https://etcd.io/docs/v3.5/op-guide/monitoring/#health-check: {"health":"true",...} with 200, else
 * 503. */
int check_etcd(const struct check_target *t, const char *address, struct err *err)
{
    struct str answer;
    int rc;

    str_init(&answer, MAX_ANSWER);
    rc = ask_etcd(t, address, "/health", NULL, &answer, err);
    if (rc == 0 && !strstr(answer.buf, "\"health\":\"true\""))
        rc = err_set(err, ERR_REMOTE, "unhealthy: %.200s", answer.buf);
    str_release(&answer);
    return rc;
}

/* https://etcd.io/docs/v3.5/dev-guide/api_reference_v3/, StatusResponse: the member's own id is in
 * the header. Numbers of 64 bits are strings. */
int check_etcd_leads(const struct check_target *t, const char *address, bool *leads,
                     struct err *err)
{
    struct arena arena = ARENA_INIT;
    const struct value *v = NULL;
    struct str answer;
    int rc;

    str_init(&answer, MAX_ANSWER);
    rc = ask_etcd(t, address, "/v3/maintenance/status", "{}", &answer, err);
    if (rc == 0 && !(v = json_parse(&arena, address, answer.buf, answer.len, err)))
        rc = -1;
    if (rc == 0) {
        const struct value *own = value_at(v, "header.member_id");

        *leads =
            own && own->type == VALUE_STR && str_eq(own->u.str.s, value_get_str(v, "leader", ""));
    }
    str_release(&answer);
    arena_release(&arena);
    return rc;
}

int check_ssh_target(const struct check_target *t, const char *host, struct arena *a,
                     struct ssh_target *target, struct err *err)
{
    if (!cluster_has_given_hosts(t->cluster)) {
        *target =
            state_ssh_target(t->state_dir, t->cluster, cluster_host_find(t->cluster, host), a);
        return 0;
    }
    if (target_of_host(a, &t->cluster->given, host, target, err) < 0)
        return -1;
    target->accept_new |= t->accept_new_keys;
    return 0;
}

int check_remote(const struct check_target *t, const struct cluster_host *host, const char *script,
                 struct str *out, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct ssh_target target;
    struct str errout;
    struct ssh_run run = {.script = script,
                          .script_len = strlen(script),
                          .timeout_ms = SSH_TIMEOUT_MS,
                          .out = out,
                          .errout = &errout};
    struct ssh *ssh = NULL;
    int rc = check_ssh_target(t, host->name, &arena, &target, err);

    str_init(&errout, MAX_ANSWER);
    target.connect_timeout_ms = SSH_TIMEOUT_MS;
    if (rc == 0)
        rc = (ssh = ssh_open(&target, err)) ? ssh_script(ssh, &run, err) : -1;
    if (rc == 0 && run.status != 0) {
        str_trim_end(&errout);
        rc = err_set(err, ERR_REMOTE, "%s: exit status %d: %s", host->name, run.status, errout.buf);
    }
    ssh_close(ssh);
    str_release(&errout);
    arena_release(&arena);
    return rc;
}

void check_journal(const struct check_target *t, const struct cluster_host *host, const char *unit,
                   struct str *out)
{
    /* Patroni says in every turn of its loop that all is as it was: the reason may be far above. */
    char *script = xasprintf("journalctl -q -u %s --since -5min -n %d --no-pager -o cat |\n"
                             "grep -E '(^|[^A-Z])(PANIC|FATAL|ERROR|CRITICAL|HINT):' | tail -n %d\n"
                             "journalctl -q -u %s -n %d --no-pager -o cat\n",
                             unit, JOURNAL_SEARCHED, JOURNAL_LINES, unit, JOURNAL_LINES);
    struct err ignored = ERR_INIT;

    if (check_remote(t, host, script, out, &ignored) < 0)
        str_clear(out);
    str_trim_end(out);
    err_release(&ignored);
    free(script);
}

int check_vip(const struct check_target *t, const struct cluster_host *lb, bool *holds,
              struct err *err)
{
    char *script = xasprintf("ip -o -4 addr show to %s/32\n", t->cluster->vip);
    struct str out;
    int rc;

    str_init(&out, MAX_ANSWER);
    rc = check_remote(t, lb, script, &out, err);
    *holds = rc == 0 && out.len > 0;
    str_release(&out);
    free(script);
    return rc;
}
