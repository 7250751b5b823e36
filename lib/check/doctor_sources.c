/* doctor_sources.c - the repositories of packages that the cluster adds: can each host read them?
 */
#include "lib/check/doctor_judge.h"
#include "lib/cluster/packages.h"

/* The key as sources.list(5) has it within Signed-By: indented, a dot for an empty line. */
static void put_key(const char *key, struct str *text)
{
    str_puts(text, "Signed-By:\n");
    while (*key) {
        size_t len = strcspn(key, "\r\n");

        str_printf(text, " %.*s\n", len ? (int)len : 1, len ? key : ".");
        key += len;
        key += *key == '\r';
        key += *key == '\n';
    }
}

static const char *source_text(const struct cluster *c, const struct value *repository,
                               struct arena *a)
{
    const struct value *components = value_get(repository, "components");
    struct err err = ERR_INIT;
    const char *copy = NULL;
    struct str text, key;

    str_init(&text, STR_MAX_TEXT);
    str_printf(&text, "Types: deb\nURIs: %s\nSuites: %s\nComponents:",
               value_get_str(repository, "uri", ""), value_get_str(repository, "suite", ""));
    for (size_t i = 0; i < components->u.list.n; i++)
        str_printf(&text, " %s", components->u.list.items[i]->u.str.s);
    str_putc(&text, '\n');
    if (packages_key(c, repository, &key, &err) == 0) {
        put_key(key.buf, &text);
        copy = arena_strdup(a, text.buf);
    }
    err_release(&err); /* the cluster file was refused for it */
    str_release(&key);
    str_release(&text);
    return copy;
}

size_t doctor_plan_sources(const struct cluster *c, struct source_probe sources[SURVEY_MAX_SOURCES],
                           struct arena *a)
{
    const struct value *list = value_at(c->config, "packages.repositories");
    size_t n = 0;

    for (size_t i = 0; i < list->u.list.n && n < SURVEY_MAX_SOURCES; i++) {
        const struct value *repository = list->u.list.items[i];
        struct source_probe probe = {.name = value_get_str(repository, "name", ""),
                                     .text = source_text(c, repository, a)};

        if (probe.text)
            sources[n++] = probe;
    }
    return n;
}

void check_sources(struct judge *j)
{
    const struct host_look *look = j->at->look;

    for (size_t i = 0; look && i < look->n_sources; i++) {
        const struct source_probe *source = &look->sources[i];

        if (source->read)
            judge_ok(j, "apt can read the repository %s", source->name);
        else if (source->fault)
            judge_blocker(j, "see packages.repositories and packages.proxy in the cluster file",
                          "apt cannot read the repository %s: %s", source->name, source->fault);
        else
            judge_warn(j, NULL, "it was not tried whether apt can read the repository %s",
                       source->name);
    }
}
