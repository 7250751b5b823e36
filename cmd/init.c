/* init.c - write a commented cluster file. */
#include <stdio.h>

#include "cmd/cmd.h"
#include "lib/base/file.h"

static int save(const char *path, const struct str *text, struct err *err)
{
    if (file_exists(path)) {
        err_set(err, ERR_CONFLICT, "%s is there already, and was left as it is", path);
        return err_hint(err, "name another file, or remove it first");
    }
    return file_write(path, text->buf, text->len, 0644, err);
}

static int run(struct context *ctx, int argc, char **argv)
{
    const char *provider = option_get(ctx, "provider"), *topology = option_get(ctx, "topology");
    const char *name = option_get(ctx, "name");
    struct err err = ERR_INIT;
    struct str text;
    int rc;

    str_init(&text, STR_MAX_TEXT);
    rc = cluster_write_example(provider ? provider : "local", topology ? topology : "patroni",
                               name ? name : "demo", &text, &err);
    if (rc == 0 && argc)
        rc = save(argv[0], &text, &err);
    else if (rc == 0)
        print_text(&text);
    str_release(&text);
    if (rc < 0)
        return report_err(&err);
    if (argc && !ctx->quiet)
        fprintf(stderr, "wrote %s; next: pgha-deploy -f %s up\n", argv[0], argv[0]);
    return 0;
}

static const struct option_row options[] = {
    {"provider", 'p', "NAME", "provider (default: local)"},
    {"topology", 't', "NAME", "topology (default: patroni)"},
    {"name", 'n', "NAME", "name of the cluster (default: demo)"},
    {NULL, 0, NULL, NULL},
};

const struct command cmd_init = {"init",
                                 "write a commented cluster file",
                                 "[FILE]",
                                 "Every key with its default and what it is for, to stdout or "
                                 "into FILE. A FILE that exists is left alone.",
                                 options,
                                 0,
                                 1,
                                 run};
