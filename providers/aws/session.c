/* session.c - profile, region, endpoint; keys that are fetched anew before they expire. */
#include "providers/aws/session.h"

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/net/http.h"
#include "providers/aws/keys.h"
#include "providers/aws/profile.h"

/* As botocore: from fifteen minutes before the end new keys are tried, from ten on they must come;
 * one limit is enough here, and keys that are still good are used when it fails. */
enum { REFRESH_MS = 10 * 60 * 1000 };

struct aws_session {
    struct arena arena;
    struct key_search search;
    struct aws_client client;
    pthread_mutex_t lock;
    struct found_keys found;
    bool looked;
};

static const char *first_env(const char *const *names)
{
    for (; *names; names++) {
        const char *text = getenv(*names);

        if (text && *text)
            return text;
    }
    return NULL;
}

static const char *file_of(struct arena *a, const char *variable, const char *name)
{
    const char *given = getenv(variable), *home = getenv("HOME");

    if (given && *given)
        return given[0] == '~' && given[1] == '/' && home ? arena_printf(a, "%s%s", home, given + 1)
                                                          : given;
    return home ? arena_printf(a, "%s/.aws/%s", home, name) : NULL;
}

static int read_profiles(struct aws_session *s, const char *wanted, struct err *err)
{
    static const char *const names[] = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", NULL};
    const char *config = file_of(&s->arena, "AWS_CONFIG_FILE", "config");
    const char *credentials = file_of(&s->arena, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
    const char *name = wanted ? wanted : first_env(names);
    struct value *profiles = value_map(&s->arena);

    s->search.profiles = profiles;
    if ((config && profiles_read(&s->arena, config, true, profiles, err) < 0) ||
        (credentials && profiles_read(&s->arena, credentials, false, profiles, err) < 0))
        return -1;
    s->search.explicit_profile = wanted != NULL;
    s->search.profile = arena_strdup(&s->arena, name ? name : "default");
    if (!name || value_get(s->search.profiles, name))
        return 0;
    err_set(err, ERR_INPUT, "there is no profile %s in %s or %s", name, config ? config : "-",
            credentials ? credentials : "-");
    return err_hint(err, "`aws configure list-profiles` shows them");
}

static int choose_region(struct aws_session *s, const char *wanted, struct err *err)
{
    static const char *const names[] = {"AWS_REGION", "AWS_DEFAULT_REGION", NULL};
    const struct value *profile = value_get(s->search.profiles, s->search.profile);
    const char *region = wanted ? wanted : first_env(names);

    if (!region)
        region = value_get_str(profile, "region", "");
    /* It becomes part of a host's name. */
    if (*region && strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(region)) {
        s->client.region = arena_strdup(&s->arena, region);
        return 0;
    }
    if (*region)
        return err_set(err, ERR_INPUT, "\"%s\" is no region", region);
    err_set(err, ERR_INPUT, "no region");
    return err_hint(err, "provider: {region: eu-central-1}, AWS_REGION, or `region` in profile %s",
                    s->search.profile);
}

static int choose_endpoint(struct aws_session *s, const char *wanted, struct err *err)
{
    static const char *const names[] = {"AWS_ENDPOINT_URL", NULL};
    const struct value *profile = value_get(s->search.profiles, s->search.profile);
    const char *endpoint = wanted ? wanted : first_env(names);

    if (!endpoint)
        endpoint = value_get_str(profile, "endpoint_url", NULL);
    if (!endpoint || !*endpoint)
        return 0;
    if (!str_starts(endpoint, "http://") && !str_starts(endpoint, "https://"))
        return err_set(err, ERR_INPUT, "endpoint \"%s\" is no URL of http or https", endpoint);
    s->client.endpoint = arena_strdup(&s->arena, endpoint);
    return 0;
}

static int refresh(struct aws_session *s, struct err *err)
{
    struct found_keys fresh = {0};
    bool good = s->looked && (s->found.expires_ms == 0 || s->found.expires_ms > clock_real_ms());

    if (s->looked &&
        (s->found.expires_ms == 0 || s->found.expires_ms - REFRESH_MS > clock_real_ms()))
        return 0;
    if (keys_find(&s->search, &fresh, err) < 0) {
        if (!good)
            return -1;
        err_release(err);
        return 0;
    }
    aws_keys_release(&s->found.keys);
    s->found = fresh;
    s->looked = true;
    return 0;
}

int aws_session_keys(struct aws_session *s, struct aws_keys *out, struct err *err)
{
    int rc;

    pthread_mutex_lock(&s->lock);
    rc = refresh(s, err);
    if (rc == 0)
        *out = aws_keys_copy(&s->found.keys);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

static int session_keys(void *ctx, struct aws_keys *out, struct err *err)
{
    return aws_session_keys(ctx, out, err);
}

struct aws_session *aws_session_open(const struct aws_wish *wish, struct err *err)
{
    struct aws_session *s = xcalloc(1, sizeof(*s));

    arena_init(&s->arena);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->client.bucket.lock, NULL);
    s->client.keys = session_keys;
    s->client.ctx = s;
    s->client.pool = http_pool_new();
    s->search.client = &s->client;
    if (read_profiles(s, wish->profile, err) < 0 || choose_region(s, wish->region, err) < 0 ||
        choose_endpoint(s, wish->endpoint, err) < 0) {
        aws_session_close(s);
        return NULL;
    }
    return s;
}

void aws_session_close(struct aws_session *s)
{
    if (!s)
        return;
    aws_keys_release(&s->found.keys);
    http_pool_free(s->client.pool);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->client.bucket.lock);
    arena_release(&s->arena);
    free(s);
}

struct aws_client *aws_session_client(struct aws_session *s)
{
    return &s->client;
}

const char *aws_session_source(const struct aws_session *s)
{
    return s->looked ? s->found.source : NULL;
}
