/* state.c - the state folder .pgha/CLUSTER/ beside the cluster file. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/proc.h"
#include "lib/cluster/cluster.h"
#include "lib/doc/json.h"

enum { STATE_DIR_MODE = 0700, STATE_FILE_MODE = 0600 };

char *state_dir_of(const struct cluster *c)
{
    char resolved[PATH_MAX];
    char *dir, *path;

    dir = path_dir(realpath(c->file, resolved) ? resolved : c->file);
    path = xasprintf("%s/.pgha/%s", dir, c->name);
    free(dir);
    return path;
}

int state_prepare(const char *state_dir, struct err *err)
{
    char *pki = path_join(state_dir, "pki");
    int rc = file_mkdirs(state_dir, STATE_DIR_MODE, err);

    if (rc < 0)
        err_wrap(err, "making the state folder");
    file_sweep(state_dir);
    file_sweep(pki);
    free(pki);
    return rc;
}

int state_login_key(const char *state_dir, struct err *err)
{
    char *path = path_join(state_dir, "id_ed25519"), *half = path_join(state_dir, "id_ed25519.new");
    char *pub = xasprintf("%s.pub", path), *half_pub = xasprintf("%s.pub", half);
    const char *argv[] = {"ssh-keygen", "-q",          "-t", "ed25519", "-N", "",
                          "-C",         "pgha-deploy", "-f", half,      NULL};
    struct proc p = {.argv = argv, .timeout_ms = 30000};
    int rc = 0;

    if (file_exists(path) && file_exists(pub))
        goto out;
    /* Made under another name first, so that a killed run leaves no key without its other half. */
    remove(half);
    remove(half_pub);
    if (proc_run(&p, err) < 0)
        rc = err_wrap(err, "making the login key");
    else if (rename(half_pub, pub) < 0 || rename(half, path) < 0)
        rc = err_set_errno(err, "renaming %s", half);
out:
    free(path);
    free(half);
    free(pub);
    free(half_pub);
    return rc;
}

int state_write(const char *state_dir, const char *name, const char *text, size_t len,
                struct err *err)
{
    char *path = path_join(state_dir, name), *dir = path_dir(path);
    int rc = file_mkdirs(dir, STATE_DIR_MODE, err);

    if (rc == 0)
        rc = file_write(path, text, len, STATE_FILE_MODE, err);
    free(dir);
    free(path);
    return rc < 0 ? err_wrap(err, "saving state") : 0;
}

bool state_has(const char *state_dir, const char *name, const char *text)
{
    char *path = path_join(state_dir, name);
    struct err ignored = ERR_INIT;
    struct str there;
    bool has;

    str_init(&there, STR_MAX_TEXT);
    has = file_read(path, &there, &ignored) == 0 && str_eq(there.buf, text);
    err_release(&ignored);
    str_release(&there);
    free(path);
    return has;
}

int state_write_value(const char *state_dir, const char *name, const struct value *v,
                      struct err *err)
{
    struct str text;
    int rc;

    str_init(&text, STR_MAX_TEXT);
    json_write(v, JSON_PRETTY, &text);
    rc = state_write(state_dir, name, text.buf, text.len, err);
    str_release(&text);
    return rc;
}

struct value *state_read_value(const char *state_dir, const char *name, struct arena *a,
                               struct err *err)
{
    char *path = path_join(state_dir, name);
    struct value *v = NULL;

    if (!file_exists(path))
        v = value_null(a);
    else
        v = json_parse_file(a, path, err);
    free(path);
    if (!v)
        err_wrap(err, "reading state");
    return v;
}

int state_remove(const char *state_dir, const char *name, struct err *err)
{
    char *path = path_join(state_dir, name);
    int rc = unlink(path) < 0 && errno != ENOENT
                 ? err_set(err, ERR_IO, "%s: %s", path, strerror(errno))
                 : 0;

    free(path);
    return rc;
}

int state_lock(const char *state_dir, int *fd, struct err *err)
{
    char *path = path_join(state_dir, "lock");
    int rc = lock_take(path, 0, fd, err);

    free(path);
    return rc;
}

struct ssh_target state_ssh_target(const char *state_dir, const struct cluster *c,
                                   const struct cluster_host *host, struct arena *a)
{
    struct ssh_target target = {
        .name = host->name,
        .address = host->address,
        .user = "root",
        .identity = arena_printf(a, "%s/id_ed25519", state_dir),
        .known_hosts = arena_printf(a, "%s/known_hosts", state_dir),
    };

    if (c->bastion) {
        struct ssh_target *jump = arena_new(a, struct ssh_target);

        *jump = target;
        jump->name = "the bastion";
        jump->address = arena_strdup(a, c->bastion);
        target.jump = jump;
    }
    return target;
}
