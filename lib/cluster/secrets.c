/* secrets.c - passwords of a cluster: generated once, kept in the state folder, registered for
 * redaction. */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/cluster/cluster.h"

enum { PASSWORD_CHARS = 32, VRRP_PASSWORD_CHARS = 8 }; /* VRRP's field holds eight */

static const struct {
    const char *name;
    size_t chars;
} own_secrets[] = {
    {"superuser", PASSWORD_CHARS}, {"replication", PASSWORD_CHARS},
    {"rewind", PASSWORD_CHARS},    {"patroni_rest", PASSWORD_CHARS},
    {"stats", PASSWORD_CHARS},     {"vrrp", VRRP_PASSWORD_CHARS},
};

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

int secrets_load(struct secrets *s, const struct cluster *c, const char *state_dir, bool *grew,
                 struct err *err)
{
    const struct value *users = value_at(c->config, "postgres.users");

    *grew = false;
    arena_init(&s->arena);
    s->values = state_read_value(state_dir, "secrets.json", &s->arena, err);
    if (!s->values)
        return -1;
    if (s->values->type == VALUE_NULL)
        s->values = value_map(&s->arena);
    if (s->values->type != VALUE_MAP) {
        err_set(err, ERR_INPUT, "%s/secrets.json: is no map of names to passwords", state_dir);
        return err_hint(err,
                        "restore it from a backup; without it the cluster's passwords are lost");
    }
    for (size_t i = 0; i < ARRAY_LEN(own_secrets); i++)
        secrets_want(s, own_secrets[i].name, own_secrets[i].chars, grew);
    for (size_t i = 0; users && i < users->u.list.n; i++) {
        const char *name = value_get_str(users->u.list.items[i], "name", "");

        secrets_want(s, arena_printf(&s->arena, "user_%s", name), PASSWORD_CHARS, grew);
    }
    return 0;
}

int secrets_save(const struct secrets *s, const char *state_dir, struct err *err)
{
    return state_write_value(state_dir, "secrets.json", s->values, err);
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
