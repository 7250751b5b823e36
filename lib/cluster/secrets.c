/* secrets.c - passwords of a cluster: generated once, sealed in the state folder, registered for
 * redaction. */
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/cluster/cluster.h"
#include "lib/doc/json.h"

#define SECRETS_FILE "secrets.vault"

enum {
    PASSWORD_CHARS = 32,
    VRRP_PASSWORD_CHARS = 8, /* its field holds eight */
    PASSWORD_MIN = 8,        /* of those given; shorter ones are not redacted either */
    PASSWORD_MAX = 1024
};

static const struct {
    const char *name;
    size_t chars;
    const char *use;
} own_secrets[] = {
    {"superuser", PASSWORD_CHARS, "PostgreSQL's superuser postgres"},
    {"replication", PASSWORD_CHARS, "role replicator: standbys stream from the primary"},
    {"rewind", PASSWORD_CHARS, "role rewind_user: pg_rewind"},
    {"patroni_rest", PASSWORD_CHARS, "user patroni: changes through Patroni's REST API"},
    {"stats", PASSWORD_CHARS, "user stats: HAProxy's statistics and metrics"},
    {"vrrp", VRRP_PASSWORD_CHARS, "keepalived, with presets that count whole seconds"},
};

/* Names that begin so; the rest is whose it is. */
static const struct {
    const char *prefix, *use;
} secret_families[] = {
    {"user_", "role "},
    {"ca_cert", "certificate of the cluster's authority"},
    {"ca_key", "key of the cluster's authority"},
    {"ca_next_cert", "certificate of the authority to come"},
    {"ca_next_key", "key of the authority to come"},
    {"tls_cert_", "certificate of "},
    {"tls_key_", "key of "},
};

const char *secrets_use(const char *name, struct arena *a)
{
    for (size_t i = 0; i < ARRAY_LEN(own_secrets); i++)
        if (str_eq(own_secrets[i].name, name))
            return own_secrets[i].use;
    for (size_t i = 0; i < ARRAY_LEN(secret_families); i++)
        if (str_starts(name, secret_families[i].prefix))
            return arena_printf(a, "%s%s", secret_families[i].use,
                                name + strlen(secret_families[i].prefix));
    return "";
}

static void secrets_want(struct secrets *s, const char *name, size_t chars, bool *grew)
{
    char password[PASSWORD_CHARS + 1];

    if (!value_get(s->values, name)) {
        random_password(password, chars);
        value_map_set(&s->arena, s->values, name, value_str(&s->arena, password));
        *grew = true;
    }
    log_secret(secrets_get(s, name));
}

/* The JSON text in the sealed file. */
static int unseal(const char *path, const struct vault_source *vault, struct str *plain,
                  struct err *err)
{
    struct vault_key key = VAULT_KEY_INIT;
    struct str sealed;
    int rc;

    str_init(&sealed, VAULT_TEXT_MAX);
    rc = file_read(path, &sealed, err);
    if (rc == 0)
        rc = vault_key_open(vault, false, &key, err);
    if (rc == 0)
        rc = vault_unseal(&key, sealed.buf, sealed.len, plain, err);
    vault_key_release(&key);
    str_release(&sealed);
    return rc < 0 ? err_wrap(err, "%s", path) : 0;
}

static int read_values(struct secrets *s, const char *path, const struct vault_source *vault,
                       struct err *err)
{
    struct str plain;
    int rc;

    str_init(&plain, VAULT_PLAIN_MAX);
    rc = unseal(path, vault, &plain, err);
    if (rc == 0 && !(s->values = json_parse(&s->arena, path, plain.buf, plain.len, err)))
        rc = -1;
    vault_wipe(&plain);
    if (rc == 0 && s->values->type != VALUE_MAP)
        rc = err_set(err, ERR_INPUT, "%s: is no map of names to secrets", path);
    return rc;
}

/* The first line of the file, or the variable. "" when there is none now. */
static int given_password(const struct cluster *c, const struct value *from, struct str *out,
                          struct err *err)
{
    const char *env = value_get_str(from, "env", NULL), *file = value_get_str(from, "file", NULL);
    char *path;
    int rc = 0;

    if (env && getenv(env))
        str_puts(out, getenv(env));
    if (!file)
        return 0;
    path = cluster_path(c, file);
    if (file_exists(path))
        rc = file_read(path, out, err);
    out->len = strcspn(out->buf, "\r\n");
    out->buf[out->len] = '\0';
    free(path);
    return rc;
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

/* What was given before stays good while the variable or the file is not there. */
static int take_password(struct secrets *s, const struct cluster *c, const struct value *user,
                         const char *name, bool *grew, struct err *err)
{
    const struct value *from = value_get(user, "password_from");
    const char *have = value_get_str(s->values, name, NULL);
    struct str password;
    int rc;

    str_init(&password, PASSWORD_MAX);
    rc = given_password(c, from, &password, err);
    if (rc == 0 && !password.len && !have) {
        err_set(err, ERR_INPUT, "the password of user %s is to be had from %s, and is not there",
                value_get_str(user, "name", ""),
                value_get_str(from, "env", value_get_str(from, "file", "")));
        rc = err_hint(err, "set the variable or write the file, or leave out password_from");
    } else if (rc == 0 && password.len && password.len < PASSWORD_MIN) {
        rc = err_set(err, ERR_INPUT, "the password of user %s is shorter than %d characters",
                     value_get_str(user, "name", ""), PASSWORD_MIN);
    } else if (rc == 0 && !is_printable(password.buf)) {
        rc = err_set(err, ERR_INPUT,
                     "the password of user %s has characters other than printable "
                     "ASCII",
                     value_get_str(user, "name", ""));
    } else if (rc == 0 && password.len && !str_eq(have, password.buf)) {
        value_map_set(&s->arena, s->values, name, value_str(&s->arena, password.buf));
        *grew = true;
    }
    vault_wipe(&password);
    return rc;
}

int secrets_load(struct secrets *s, const struct cluster *c, const char *state_dir,
                 const struct vault_source *vault, bool *grew, struct err *err)
{
    const struct value *users = value_at(c->config, "postgres.users");
    char *path = path_join(state_dir, SECRETS_FILE);
    int rc = 0;

    *grew = false;
    arena_init(&s->arena);
    s->values = value_map(&s->arena);
    if (file_exists(path))
        rc = read_values(s, path, vault, err);
    free(path);
    if (rc < 0)
        return err_wrap(err, "reading the cluster's secrets");
    for (size_t i = 0; i < ARRAY_LEN(own_secrets); i++)
        secrets_want(s, own_secrets[i].name, own_secrets[i].chars, grew);
    for (size_t i = 0; users && i < users->u.list.n; i++) {
        const struct value *user = users->u.list.items[i], *from = value_get(user, "password_from");
        const char *name = arena_printf(&s->arena, "user_%s", value_get_str(user, "name", ""));

        if (from && from->u.map.n && take_password(s, c, user, name, grew, err) < 0)
            return -1;
        secrets_want(s, name, PASSWORD_CHARS, grew);
    }
    return 0;
}

int secrets_save(const struct secrets *s, const char *state_dir, const struct vault_source *vault,
                 char **made_key, struct err *err)
{
    struct vault_key key = VAULT_KEY_INIT;
    struct str plain, sealed;
    int rc;

    str_init(&plain, VAULT_PLAIN_MAX);
    str_init(&sealed, VAULT_TEXT_MAX);
    json_write(s->values, JSON_TIGHT, &plain);
    rc = vault_key_open(vault, true, &key, err);
    if (rc == 0)
        rc = vault_seal(&key, plain.buf, plain.len, &sealed, err);
    if (rc == 0)
        rc = state_write(state_dir, SECRETS_FILE, sealed.buf, sealed.len, err);
    if (made_key)
        *made_key = key.made ? xstrdup(key.source) : NULL;
    vault_key_release(&key);
    vault_wipe(&plain);
    str_release(&sealed);
    return rc < 0 ? err_wrap(err, "saving the cluster's secrets") : 0;
}

/* ---- rotation ---- */

#define NEXT ".next"

const char *secrets_next(const struct secrets *s, const char *name)
{
    char *next = xasprintf("%s" NEXT, name);
    const char *text = value_get_str(s->values, next, NULL);

    free(next);
    return text;
}

bool secrets_rotating(const struct secrets *s)
{
    for (size_t i = 0; i < s->values->u.map.n; i++)
        if (str_ends(s->values->u.map.entries[i].key, NEXT))
            return true;
    return false;
}

void secrets_rotate_begin(struct secrets *s, const struct cluster *c)
{
    const struct value *users = value_at(c->config, "postgres.users");
    bool grew;

    for (size_t i = 0; i < ARRAY_LEN(own_secrets); i++)
        secrets_want(s, arena_printf(&s->arena, "%s" NEXT, own_secrets[i].name),
                     own_secrets[i].chars, &grew);
    for (size_t i = 0; i < users->u.list.n; i++) {
        const struct value *user = users->u.list.items[i], *from = value_get(user, "password_from");

        if (!from || !from->u.map.n) /* a given one is not ours to change */
            secrets_want(s,
                         arena_printf(&s->arena, "user_%s" NEXT, value_get_str(user, "name", "")),
                         PASSWORD_CHARS, &grew);
    }
}

void secrets_rotate_end(struct secrets *s)
{
    struct value *kept = value_map(&s->arena);

    for (size_t i = 0; i < s->values->u.map.n; i++) {
        const struct value_entry *e = &s->values->u.map.entries[i];
        const char *next = secrets_next(s, e->key);

        if (!str_ends(e->key, NEXT))
            value_map_set(&s->arena, kept, e->key, next ? value_str(&s->arena, next) : e->value);
    }
    s->values = kept;
}

const char *secrets_get(const struct secrets *s, const char *name)
{
    const char *text = value_get_str(s->values, name, NULL);

    if (!text)
        BUG("no secret %s", name);
    return text;
}

void secrets_release(struct secrets *s)
{
    arena_release(&s->arena);
}
