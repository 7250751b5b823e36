/* inventory_import.c - a cluster file and an inventory from what somebody has already. */
#include <stdio.h>

#include "cmd/inventory_import.h"
#include "inventory/import.h"
#include "lib/base/file.h"

#define CLUSTER_FILE "cluster.yaml"

/* Both files or none: neither is written before both are known to have their place. */
static int check_free(const char *const *paths, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (file_exists(paths[i])) {
            err_set(err, ERR_CONFLICT, "%s is there already, and was left as it is", paths[i]);
            return err_hint(err, "--force overwrites it, --output DIR writes elsewhere");
        }
    }
    return 0;
}

/* The inventory may hold passwords of the user's own. */
static int write_files(const struct import *im, const char *const *paths, struct err *err)
{
    struct str cluster, inventory;
    int rc;

    str_init(&cluster, STR_MAX_TEXT);
    str_init(&inventory, INVENTORY_MAX_BYTES); /* so that it can be read again */
    import_write_cluster(im, &cluster);
    rc = import_write_inventory(im, &inventory, err);
    if (rc == 0)
        rc = file_write(paths[1], inventory.buf, inventory.len, 0600, err);
    if (rc == 0)
        rc = file_write(paths[0], cluster.buf, cluster.len, 0644, err);
    str_release(&cluster);
    str_release(&inventory);
    return rc;
}

static void tell(const struct import *im, const char *const *paths)
{
    fprintf(stderr, "%zu hosts from %s (%s):\n", im->hosts.n, im->source, im->format);
    vec_each (note, &im->notes)
        fprintf(stderr, "  %s\n", *note);
    fprintf(stderr, "wrote %s and %s; next: look at them, then pgha-deploy -f %s validate\n",
            paths[0], paths[1], paths[0]);
}

int inventory_save(const struct context *ctx, const struct import *im, struct err *err)
{
    const char *dir = option_get(ctx, "output") ? option_get(ctx, "output") : ".";
    char *const made[] = {path_join(dir, CLUSTER_FILE), path_join(dir, IMPORT_INVENTORY_FILE)};
    const char *paths[ARRAY_LEN(made)];
    int rc = 0;

    for (size_t i = 0; i < ARRAY_LEN(made); i++) /* ./cluster.yaml is cluster.yaml to people */
        paths[i] = str_starts(made[i], "./") ? made[i] + 2 : made[i];
    if (!option_given(ctx, "force"))
        rc = check_free(paths, ARRAY_LEN(paths), err);
    if (rc == 0)
        rc = file_mkdirs(dir, 0755, err);
    if (rc == 0)
        rc = write_files(im, paths, err);
    if (rc == 0 && !ctx->quiet && !ctx->json)
        tell(im, paths);
    for (size_t i = 0; i < ARRAY_LEN(made); i++)
        free(made[i]);
    return rc;
}

/* --json only shows the proposal, unless a folder is named as well. */
static int finish(const struct context *ctx, const struct import *im, struct err *err)
{
    struct arena a = ARENA_INIT;
    int rc = 0;

    if (!ctx->json || option_given(ctx, "output"))
        rc = inventory_save(ctx, im, err);
    if (rc == 0 && ctx->json)
        print_value(import_value(im, &a));
    arena_release(&a);
    return rc;
}

int inventory_import(struct context *ctx, int argc, char **argv)
{
    const char *from = option_get(ctx, "from");
    struct err err = ERR_INIT;
    struct faults faults;
    struct import im;
    int status = 0;

    UNUSED(argc);
    if (from && import_check_format(from, &err) < 0)
        return report_err(&err);
    import_init(&im);
    faults_init(&faults);
    if (import_read(&im, argv[0], from, &faults) < 0)
        status = report_faults(&faults);
    else if (import_propose(&im, option_get(ctx, "name"), &err) < 0 || finish(ctx, &im, &err) < 0)
        status = report_err(&err);
    faults_release(&faults);
    import_release(&im);
    return status;
}
