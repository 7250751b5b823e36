/* packages.c - the cluster's own repositories of packages: their keys. */
#include "lib/cluster/packages.h"

#include "lib/base/file.h"

enum { KEY_MAX_BYTES = 256 * 1024 };

/* apt tells a key's format by the file's name, and ours end in .asc. */
static const char armour[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

int packages_key(const struct cluster *c, const struct value *repository, struct str *text,
                 struct err *err)
{
    char *path = cluster_path(c, value_get_str(repository, "key", ""));
    int rc;

    str_init(text, KEY_MAX_BYTES);
    rc = file_read(path, text, err);
    if (rc == 0 && !strstr(text->buf, armour)) {
        rc = err_set(err, ERR_INPUT, "%s is no key in ASCII armour", path);
        err_hint(err, "gpg --no-default-keyring --keyring ./FILE.gpg --export --armor");
    }
    free(path);
    return rc;
}

void packages_check(const struct cluster *c, struct faults *faults)
{
    const struct value *list = value_at(c->config, "packages.repositories");

    for (size_t i = 0; list && i < list->u.list.n; i++) {
        const struct value *repository = list->u.list.items[i];
        struct err err = ERR_INIT;
        struct str text;

        if (packages_key(c, repository, &text, &err) < 0) {
            fault_add(faults, value_get(repository, "key")->src, "packages.repositories[].key: %s",
                      err.text);
            if (err.hint)
                fault_hint(faults, "%s", err.hint);
        }
        err_release(&err);
        str_release(&text);
    }
}
